/* compare.c - what a new version would ask for, beside what the running one does ask for.
 *
 * `weir ctl reload --compare 10s` loads what a reload would load, hands each changed script's weir.state to its
 * new version, and lets that run in the shadow of the old one: it hears the same, the order events of the
 * running version included, and what it asks for goes nowhere. Its ids are made as the running version's
 * are, so as long as both ask the same, both know the same orders. Wishes are alike if they are the same
 * word for word within a second; what is left over at the end is the difference. Nothing is switched.
 *                                                                                    [engine thread] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/host.h"
#include "script/shadow.h"

enum { ASKED_MOST = 256, SHOWN_MOST = 8, WITHIN = 1000000000 };

/* A wish, by what it means. */
struct asked {
    weir_ns t;
    uint32_t kind; /* IN_SUBMIT, IN_REPLACE, IN_CANCEL, IN_CANCEL_MANY */
    uint32_t instrument;
    char cid[WEIR_ID_MAX]; /* of a change: the order's; a submit's own is not compared */
    uint8_t side, type, tif, flags;
    int64_t px, qty, trigger;
    struct script_answer answer;
};

struct pair { /* a script and its shadow */
    struct comparison *whole;
    struct host_script *guest;
    struct script *shadow;
    bool starting; /* its `start` handlers run: orders are refused, as in a reload */
    struct asked old[ASKED_MOST], new[ASKED_MOST]; /* without a counterpart so far */
    size_t old_count, new_count;
    uint64_t alike, only_old, only_new;
};

struct comparison {
    struct host *host;
    struct config *config;
    uint64_t wish; /* whose answer is waited for */
    weir_ns began, until;
    struct pair *pairs;
    size_t count;
    struct text shown; /* the first differences */
    unsigned shown_count;
};

/* --- wishes --------------------------------------------------------------------------------------- */

static struct asked of_submit(const struct in_submit *wish, weir_ns t)
{
    return (struct asked){.t = t,
                          .kind = IN_SUBMIT,
                          .instrument = wish->msg.instrument,
                          .side = wish->side,
                          .type = wish->type,
                          .tif = wish->tif,
                          .flags = wish->flags,
                          .px = wish->px,
                          .qty = wish->qty,
                          .trigger = wish->trigger};
}

static struct asked of_change(const struct in_change *wish, weir_ns t)
{
    struct asked asked = {.t = t,
                          .kind = wish->msg.kind,
                          .instrument = wish->msg.instrument,
                          .flags = wish->change,
                          .px = wish->px,
                          .qty = wish->qty};
    memcpy(asked.cid, wish->cid, sizeof asked.cid);
    return asked;
}

static bool same(const struct asked *a, const struct asked *b)
{
    return a->kind == b->kind && a->instrument == b->instrument && a->side == b->side &&
           a->type == b->type && a->tif == b->tif && a->flags == b->flags && a->px == b->px &&
           a->qty == b->qty && a->trigger == b->trigger && strcmp(a->cid, b->cid) == 0;
}

static void show(struct pair *pair, const struct asked *asked, const char *whose)
{
    static const char *const verbs[] = {"submit", "cancel", "amend", "cancel all"};
    struct comparison *whole = pair->whole;
    char px[DECIMAL_TEXT_MAX] = "", qty[DECIMAL_TEXT_MAX] = "";
    const struct weir_instrument *is = engine_instrument(whole->host->engine, asked->instrument);
    if (whole->shown_count++ >= SHOWN_MOST)
        return;
    text_say(&whole->shown, "\n%s, %s, after %" PRId64 " ms: %s%s%s", pair->guest->config->name,
             whose, (asked->t - whole->began) / 1000000,
             verbs[asked->kind - IN_SUBMIT < 4 ? asked->kind - IN_SUBMIT : 0],
             *asked->cid ? " " : "", asked->cid);
    if (!is || (asked->kind != IN_SUBMIT && asked->kind != IN_REPLACE))
        return;
    decimal_print(asked->px, is->price_exp, px);
    decimal_print(asked->qty, is->qty_exp, qty);
    text_say(&whole->shown, "%s %s %s @ %s",
             asked->kind != IN_SUBMIT ? ""
             : asked->side            ? " sell"
                                      : " buy",
             qty, is->symbol, px);
}

/* The list is one shorter. */
static void remove_at(struct asked *list, size_t *count, size_t i)
{
    memmove(&list[i], &list[i + 1], (--*count - i) * sizeof *list);
}

/* What waited longer than a second has no counterpart. */
static void age(struct pair *pair, struct asked *list, size_t *count, weir_ns now, bool old)
{
    while (*count > 0 && (list[0].t + WITHIN < now || *count == ASKED_MOST)) {
        show(pair, &list[0], old ? "only what runs" : "only the new version");
        *(old ? &pair->only_old : &pair->only_new) += 1;
        remove_at(list, count, 0);
    }
}

/* Strike it out on the other side, or keep it. True: it was there, and *answer_out is what that got. */
static bool note(struct pair *pair, const struct asked *asked, bool old,
                 struct script_answer *answer_out)
{
    struct asked *others = old ? pair->new : pair->old, *own = old ? pair->old : pair->new;
    size_t *other_count = old ? &pair->new_count : &pair->old_count,
           *own_count = old ? &pair->old_count : &pair->new_count;
    age(pair, pair->old, &pair->old_count, asked->t, true);
    age(pair, pair->new, &pair->new_count, asked->t, false);
    for (size_t i = 0; i < *other_count; i++)
        if (same(&others[i], asked)) {
            if (answer_out)
                *answer_out = others[i].answer;
            remove_at(others, other_count, i);
            pair->alike++;
            return true;
        }
    own[(*own_count)++] = *asked;
    return false;
}

static struct pair *pair_of(struct host *host, const struct host_script *guest)
{
    for (size_t i = 0; host->comparison && i < host->comparison->count; i++)
        if (host->comparison->pairs[i].guest == guest)
            return &host->comparison->pairs[i];
    return NULL;
}

void host_compare_asked(struct host *host, const struct host_script *guest,
                        const struct weir_msg *wish, const struct script_answer *answer)
{
    struct pair *pair = pair_of(host, guest);
    if (!pair)
        return;
    weir_ns now = clock_now(&host->clock);
    struct asked asked = wish->kind == IN_SUBMIT ? of_submit((const struct in_submit *)wish, now)
                                                 : of_change((const struct in_change *)wish, now);
    asked.answer = *answer;
    (void)note(pair, &asked, true, NULL);
}

/* --- the shadow's world ----------------------------------------------------------------------------- */

static weir_ns shadow_now(void *context)
{
    return clock_now(&((struct pair *)context)->whole->host->clock);
}

static void answer_shadow(struct pair *pair, const struct asked *asked,
                          struct script_answer *answer)
{
    if (pair->starting) {
        script_answer_refuse(answer, "STATE", "this version does not run yet");
        return;
    }
    if (!note(pair, asked, false, answer))
        answer->accepted = true;
}

static void shadow_submit(void *context, struct script *script, const struct in_submit *wish,
                          struct script_answer *answer)
{
    struct asked asked = of_submit(wish, shadow_now(context));
    (void)script;
    answer_shadow(context, &asked, answer);
}

static void shadow_change(void *context, struct script *script, const struct in_change *wish,
                          struct script_answer *answer)
{
    struct asked asked = of_change(wish, shadow_now(context));
    (void)script;
    answer_shadow(context, &asked, answer);
}

static const struct book *shadow_book(void *context, uint32_t instrument,
                                      enum book_state *state_out)
{
    struct host *host = ((struct pair *)context)->whole->host;
    *state_out = BOOK_EMPTY;
    if (instrument == 0 || instrument > host->instrument_count)
        return NULL;
    struct session *session = host->instruments[instrument].venue->session;
    *state_out = session_book_state(session, instrument);
    return session_book(session, instrument);
}

/* --- from beginning to end -------------------------------------------------------------------------- */

static void end(struct host *host)
{
    struct comparison *whole = host->comparison;
    for (size_t i = 0; i < whole->count; i++)
        script_destroy(whole->pairs[i].shadow);
    text_fini(&whole->shown);
    config_destroy(whole->config);
    free(whole->pairs);
    free(whole);
    host->comparison = NULL;
}

void host_close_comparison(struct host *host)
{
    if (host->comparison)
        end(host);
}

static void say_pair(const struct pair *pair, struct text *out)
{
    struct script_report report;
    script_report(pair->shadow, &report);
    text_say(out,
             "%sscript %s: %" PRIu64 " wishes alike, %" PRIu64 " only of what runs, %" PRIu64
             " only of the new version%s%s",
             out->len ? "\n" : "", pair->guest->config->name, pair->alike, pair->only_old,
             pair->only_new, report.outcome == SCRIPT_OK ? "" : "; it was stopped: ",
             report.outcome == SCRIPT_OK ? "" : report.reason);
}

static void finish(struct host *host)
{
    struct comparison *whole = host->comparison;
    struct wish_answer answer = {.id = whole->wish, .ok = 1};
    struct text said, json;
    text_init(&said);
    text_init(&json);
    for (size_t i = 0; i < whole->count; i++) {
        struct pair *pair = &whole->pairs[i];
        age(pair, pair->old, &pair->old_count, INT64_MAX, true);
        age(pair, pair->new, &pair->new_count, INT64_MAX, false);
        say_pair(pair, &said);
    }
    text_say(&said, "%s", text_cstr(&whole->shown));
    if (whole->shown_count > SHOWN_MOST)
        text_say(&said, "\nand %u more", whole->shown_count - SHOWN_MOST);
    json_object(&json);
    json_key(&json, "ok");
    json_string(&json, text_cstr(&said));
    json_end(&json);
    answer.json = text_ok(&json) ? json.data : NULL;
    if (!answer.json)
        text_fini(&json);
    if (host->observer)
        observer_answer(host->observer, &answer);
    else
        free(answer.json);
    text_fini(&said);
    end(host);
}

/* A shadow of the script, if anything of it changed. */
static enum weir_err add_shadow(struct comparison *whole, struct host_script *guest,
                                const struct config_script *config, struct why *why)
{
    struct pair *pair = &whole->pairs[whole->count];
    const struct script_world world = {.context = pair,
                                       .engine = whole->host->engine,
                                       .now = shadow_now,
                                       .submit = shadow_submit,
                                       .change = shadow_change,
                                       .book = shadow_book};
    *pair = (struct pair){.whole = whole, .guest = guest, .starting = true};
    enum weir_err err = host_shadow_script(whole->host, guest, config, &world, &pair->shadow, why);
    if (err || !pair->shadow)
        return err;
    whole->count++;
    if (script_outcome(pair->shadow) == SCRIPT_OK && script_begin_shadow(pair->shadow)) {
        pair->starting = false;
        script_take_over_shadow(pair->shadow);
    }
    struct script_report report;
    script_report(pair->shadow, &report);
    return report.outcome == SCRIPT_OK
               ? WEIR_OK
               : because(why, WEIR_E_BAD_CONFIG, "scripts.%s: %s%s%s", config->name, report.reason,
                         *report.detail ? "\n" : "", report.detail);
}

enum weir_err host_compare(struct host *host, weir_ns ns, uint64_t wish, struct why *why)
{
    if (host->comparison)
        return because(why, WEIR_E_STATE, "a comparison is running; it ends by itself");
    struct comparison *whole = calloc(1, sizeof *whole);
    struct pair *pairs = calloc(host->script_count + 1, sizeof *pairs);
    struct config *config = whole && pairs ? config_load(host->config->path, why) : NULL;
    if (!config) {
        free(pairs);
        free(whole);
        return whole && pairs ? why->err
                              : because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    }
    *whole = (struct comparison){.host = host, .config = config, .pairs = pairs, .wish = wish};
    whole->began = clock_now(&host->clock);
    whole->until = whole->began + ns;
    text_init(&whole->shown);
    host->comparison = whole;
    enum weir_err err =
        config->script_count == host->script_count
            ? WEIR_OK
            : because(why, WEIR_E_STATE, "%s: the set of scripts differs from what runs",
                      config->path);
    for (size_t i = 0; !err && i < host->script_count; i++)
        err = add_shadow(whole, &host->scripts[i], &config->scripts[i], why);
    if (!err && whole->count == 0)
        err = because(why, WEIR_E_STATE, "nothing changed that could be compared");
    if (err)
        end(host);
    return err;
}

void host_compare_event(struct host *host, const struct weir_msg *msg)
{
    for (size_t i = 0; host->comparison && i < host->comparison->count; i++)
        script_event(host->comparison->pairs[i].shadow, msg);
}

bool host_compare_pending(const struct host *host)
{
    for (size_t i = 0; host->comparison && i < host->comparison->count; i++)
        if (script_pending(host->comparison->pairs[i].shadow))
            return true;
    return false;
}

bool host_compare_turns(struct host *host)
{
    bool any = false;
    for (size_t i = 0; host->comparison && i < host->comparison->count; i++)
        if (script_pending(host->comparison->pairs[i].shadow))
            any |= script_turn(host->comparison->pairs[i].shadow);
    return any;
}

weir_ns host_compare_next(const struct host *host)
{
    const struct comparison *whole = host->comparison;
    weir_ns next = whole ? whole->until : INT64_MAX;
    for (size_t i = 0; whole && i < whole->count; i++) {
        weir_ns t = script_next_timer(whole->pairs[i].shadow);
        next = t < next ? t : next;
    }
    return next;
}

void host_compare_timers(struct host *host)
{
    weir_ns now = clock_now(&host->clock);
    for (size_t i = 0; host->comparison && i < host->comparison->count; i++)
        if (script_next_timer(host->comparison->pairs[i].shadow) <= now)
            script_timer(host->comparison->pairs[i].shadow);
    if (host->comparison && now >= host->comparison->until)
        finish(host);
}
