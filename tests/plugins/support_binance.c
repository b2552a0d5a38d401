/* support_binance.c - see the header. */
#include "plugins/support_binance.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void number(struct text *text, int64_t value, int exp)
{
    char digits[DECIMAL_TEXT_MAX];
    decimal_print(value, exp, digits);
    text_say(text, "%s", digits);
}

static void say_levels(struct text *said, const struct weir_level *levels, uint32_t count)
{
    text_say(said, " |");
    for (uint32_t i = 0; i < count; i++) {
        text_say(said, " ");
        number(said, levels[i].px, 8);
        text_say(said, "*");
        number(said, levels[i].qty, 8);
    }
}

static void say_instrument(struct text *said, const struct weir_instrument *told)
{
    static const char *const kinds[] = {"spot", "linear", "inverse"};
    text_say(said, "inst %u %s %s/%s %s%s tick=", told->msg.instrument, told->symbol, told->base,
             told->quote, kinds[told->kind], told->status == WEIR_HALTED ? " halted" : "");
    number(said, told->tick, told->price_exp);
    text_say(said, " step=");
    number(said, told->step, told->qty_exp);
    text_say(said, " x%" PRId64, told->multiplier);
    if (amount_of(told->min_notional) != 0) {
        char digits[DECIMAL_TEXT_MAX];
        amount_print(amount_of(told->min_notional), digits);
        text_say(said, " min=%s", digits);
    }
}

static void say_book(struct text *said, const struct weir_book_msg *book)
{
    cr_assert_eq(book->msg.size, sizeof *book + (book->bids + book->asks) * sizeof book->levels[0]);
    text_say(said, "book %u %s %" PRIu64 "..%" PRIu64 " prev %" PRIu64 " rule %d",
             book->msg.instrument, book->msg.flags & WEIR_BOOK_SNAPSHOT ? "snap" : "diff",
             book->first_seq, book->last_seq, book->prev_seq,
             book->msg.flags >> WEIR_BOOK_RULE_SHIFT);
    say_levels(said, book->levels, book->bids);
    say_levels(said, book->levels + book->bids, book->asks);
}

static void say_top(struct text *said, const struct weir_top *top)
{
    text_say(said, "top %u #%" PRIu64 " ", top->msg.instrument, top->seq);
    number(said, top->bid, 8);
    text_say(said, "*");
    number(said, top->bid_qty, 8);
    text_say(said, " ");
    number(said, top->ask, 8);
    text_say(said, "*");
    number(said, top->ask_qty, 8);
}

static void say_trade(struct text *said, const struct weir_trade *trade)
{
    text_say(said, "trade %u #%" PRIu64 " ", trade->msg.instrument, trade->id);
    number(said, trade->px, 8);
    text_say(said, "*");
    number(said, trade->qty, 8);
    text_say(said, " %s%s", trade->aggressor == WEIR_BUY ? "buy" : "sell",
             trade->msg.flags & WEIR_TRADE_OFF_BOOK ? " off-book" : "");
}

static void emit(void *host, const struct weir_msg *event)
{
    struct text *said = &((struct fake *)host)->said;
    const void *message = event; /* every message begins with its header */
    cr_assert_eq(event->size % 8, 0);
    switch (event->kind) {
    case WEIR_INSTRUMENT: say_instrument(said, message); break;
    case WEIR_BOOK: say_book(said, message); break;
    case WEIR_TOP: say_top(said, message); break;
    case WEIR_TRADE: say_trade(said, message); break;
    case WEIR_RATE_LIMITED:
        text_say(said, "limited %d", ((const struct weir_rate_limited *)message)->code);
        break;
    default: text_say(said, "kind %d", event->kind);
    }
    if (event->kind != WEIR_INSTRUMENT && event->t_venue != 0)
        text_say(said, " t=%" PRId64, event->t_venue / 1000000);
    text_say(said, "\n");
}

static enum weir_err send_frame(void *host, uint32_t conn, struct weir_bytes frame)
{
    struct fake *fake = host;
    text_say(&fake->said, "send %u %.*s\n", conn, (int)frame.len, frame.data);
    return fake->answer;
}

static enum weir_err request(void *host, const struct weir_request_http *wanted)
{
    struct fake *fake = host;
    text_say(&fake->said, "get %u %s\n", wanted->id, wanted->path);
    return fake->answer;
}

static enum weir_err connect_to(void *host, uint32_t conn, const char *path)
{
    struct fake *fake = host;
    text_say(&fake->said, "conn %u %s\n", conn, path);
    return fake->answer;
}

static enum weir_err connect_door(void *host, uint32_t conn, const char *door, const char *path)
{
    struct fake *fake = host;
    if (path)
        text_say(&fake->said, "conn %u %s%s\n", conn, door, path);
    else
        text_say(&fake->said, "close %u\n", conn);
    return fake->answer;
}

static void budget(void *host, const struct weir_budget *told)
{
    struct text *said = &((struct fake *)host)->said;
    text_say(said, "budget %u every %" PRId64 " s: %" PRId64 "\n", told->of,
             (int64_t)(told->window / 1000000000), told->limit);
}

static enum weir_err timer(void *host, uint32_t id, weir_ns t)
{
    text_say(&((struct fake *)host)->said, "timer %u %" PRId64 "\n", id, t);
    return WEIR_OK;
}

static void log_line(void *host, const char *text)
{
    text_say(&((struct fake *)host)->said, "log %s\n", text);
}

void fake_open(struct fake *fake, const char *market, const char *symbols)
{
    void *library = dlopen(BUILD_DIR "/plugins/binance.so", RTLD_NOW | RTLD_LOCAL);
    cr_assert_not_null(library, "%s", dlerror());
    struct weir_setting settings[] = {{"market", market}, {"symbols", symbols}, {NULL, NULL}};
    *fake = (struct fake){.host = {.size = sizeof fake->host,
                                   .abi = WEIR_ABI,
                                   .host = fake,
                                   .emit = emit,
                                   .send = send_frame,
                                   .request = request,
                                   .connect = connect_to,
                                   .connect_to = connect_door,
                                   .timer = timer,
                                   .log = log_line,
                                   .budget = budget}};
    fake->plugin = dlsym(library, "weir_plugin");
    cr_assert_not_null(fake->plugin);
    cr_assert_eq(fake->plugin->layout, WEIR_LAYOUT);
    text_init(&fake->said);
    enum weir_err err = fake->plugin->open(&fake->host, settings, &fake->session);
    cr_assert_eq(err, WEIR_OK, "open: %d %s", err, text_cstr(&fake->said));
}

void fake_close(struct fake *fake)
{
    fake->plugin->close(fake->session);
    text_fini(&fake->said);
}

const char *fake_said(struct fake *fake)
{
    static char last[1 << 16];
    const char *text = text_cstr(&fake->said);
    cr_assert(text_ok(&fake->said) && strlen(text) < sizeof last);
    memcpy(last, text, strlen(text) + 1);
    text_fini(&fake->said);
    return last;
}

enum weir_err fake_frame(struct fake *fake, uint32_t conn, const char *frame)
{
    char *exact = malloc(strlen(frame)); /* so that the sanitizer sees a look behind its end */
    cr_assert_not_null(exact);
    memcpy(exact, frame, strlen(frame));
    enum weir_err err =
        fake->plugin->on_frame(fake->session, conn, 1, (struct weir_bytes){exact, strlen(frame)});
    free(exact);
    return err;
}

char *with_spaces(const char *frame)
{
    char *to = malloc(2 * strlen(frame) + 1), *at = to;
    bool inside = false;
    cr_assert_not_null(to);
    for (const char *p = frame; *p; p++) {
        inside ^= *p == '"';
        *at++ = *p;
        if (!inside && strchr(",:[{\"", *p))
            *at++ = ' ';
    }
    *at = '\0';
    return to;
}
