/* explain_hold.c - an order that the host keeps, in words: what it waits for, what let it go. */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "journal/kinds.h"
#include "journal/story.h"

static const char *const types[] = {"limit",       "market",   "stop",   "stop-limit",
                                    "take-profit", "trailing", "iceberg"};

static const char *type_word(uint8_t type)
{
    return type < sizeof types / sizeof types[0] ? types[type] : "?";
}

static void say_qty(const struct story *story, uint32_t on, weir_qty qty, struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    render_qty(story->directory, on, qty, number);
    text_say(out, "%s", number);
}

static void say_px(const struct story *story, uint32_t on, weir_px px, struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    render_px(story->directory, on, px, number);
    text_say(out, "%s", number);
}

/* Half of it, with one place more than prices have if need be. */
static void say_half(const struct story *story, uint32_t on, weir_px px_x2, struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    const struct weir_instrument *is = directory_instrument(story->directory, on);
    if (px_x2 % 2 == 0 || !is || is->price_exp >= 18 || px_x2 > INT64_MAX / 5) {
        say_px(story, on, px_x2 / 2, out);
        return;
    }
    (void)decimal_print(px_x2 * 5, is->price_exp + 1, number);
    text_say(out, "%s", number);
}

static void say_time(const char *what, weir_ns t, struct text *out)
{
    char when[TIME_TEXT_MAX];
    render_time(t, when);
    text_say(out, ", %s %s", what, when);
}

void story_terms(const struct story *story, const struct in_submit *submit, struct text *out)
{
    uint32_t on = submit->msg.instrument;
    if (submit->type > WEIR_MARKET)
        text_say(out, ", %s", type_word(submit->type));
    if (submit->type > WEIR_MARKET && submit->trigger) {
        text_say(out, submit->type == WEIR_TRAILING ? " by " : " at ");
        say_px(story, on, submit->trigger, out);
    }
    if (submit->msg.size < sizeof *submit) /* an older journal: they had no more */
        return;
    if (submit->visible) {
        text_say(out, ", shows ");
        say_qty(story, on, submit->visible, out);
    }
    if (submit->link_kind != LINK_NONE) {
        text_say(out, submit->link_kind == LINK_OCO ? ", one is enough of it and " : ", follows ");
        render_word(submit->link, sizeof submit->link, out);
    }
}

static void say_waits(const struct story *story, const struct out_hold *hold, struct text *out)
{
    const char *before = "waits for ";
    for (int wait = 0; wait < HOLD_WAIT_COUNT; wait++) {
        if (!(hold->waits >> wait & 1))
            continue;
        text_say(out, "%s%s", before, hold_wait_name((enum hold_wait)wait));
        before = " and ";
        if (wait == WAIT_TRIGGER_BIT) {
            text_say(out, hold->asked_type == WEIR_TRAILING ? ", so far from the best: " : ": ");
            say_px(story, hold->msg.instrument, hold->trigger, out);
        } else if (wait == WAIT_LANE_BIT) {
            text_say(out, ": %s", risk_check_name((enum risk_check)hold->obstacle));
        } else if (wait == WAIT_PARENT_BIT && hold->other) {
            text_say(out, ": order %u", hold->other);
        }
    }
}

const char *story_hold(const struct story *story, const struct weir_msg *msg, struct text *out)
{
    const struct out_hold *hold = (const void *)msg;
    uint32_t on = msg->instrument;
    switch (hold->event) {
    case HOLD_FIRED:
        text_say(out, "%s, the price came to ", type_word(hold->asked_type));
        say_half(story, on, hold->price_x2, out);
        return "fired";
    case HOLD_SLICED:
        if (hold->order != story->key.order) {
            text_say(out, "of the iceberg that is order %u", hold->order);
            return "slice";
        }
        say_qty(story, on, hold->qty, out);
        text_say(out, " go out, as order %u", hold->other);
        return "slice";
    case HOLD_REDUCED:
        text_say(out, "to ");
        say_qty(story, on, hold->qty, out);
        text_say(out, ", for what order %u has filled", hold->other);
        return "reduced";
    case HOLD_EXPIRED: text_say(out, "its time is over"); return "expires";
    case HOLD_QUEUED: say_waits(story, hold, out); return "queued";
    case HOLD_MOVED: say_waits(story, hold, out); return "moved";
    default: break;
    }
    text_say(out, "%s, ", type_word(hold->asked_type));
    say_waits(story, hold, out);
    if (!hold->waits)
        text_say(out, "has waited for all that it had to");
    if (hold->release)
        say_time("not before", hold->release, out);
    if (hold->expires)
        say_time("ends", hold->expires, out);
    return "held";
}
