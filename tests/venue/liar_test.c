/* liar_test.c - a plugin that says what cannot be: nothing of it gets through, and nobody crashes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "loopback.h"
#include "support/random.h"
#include "venue/inspect.h"
#include "venue/venue.h"

struct ear {
    struct session *session;
    uint64_t events; /* but for definitions and downs */
    uint64_t downs;
    union venue_event last;
    char reason[WEIR_REASON_MAX];
    char said[512]; /* the last line of the log */
};

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    struct ear *ear = context;
    (void)session;
    if (event->kind == WEIR_SESSION && event->flags == WEIR_STREAM_DOWN) {
        ear->downs++;
        memcpy(ear->reason, ((const struct weir_session *)event)->reason, sizeof ear->reason);
    } else if (event->kind != WEIR_INSTRUMENT) {
        ear->events++;
        cr_assert(event->size <= sizeof ear->last || event->kind >= WEIR_HOST_KINDS);
        if (event->size <= sizeof ear->last)
            memcpy(&ear->last, event, event->size);
    }
}

static void on_log(void *context, struct session *session, const char *text)
{
    struct ear *ear = context;
    (void)session;
    snprintf(ear->said, sizeof ear->said, "%s", text);
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    (void)context;
    (void)session;
    return instrument->msg.instrument;
}

static void open_ear(struct ear *ear)
{
    static struct plugin *plugin;
    struct why why = {0};
    if (!plugin)
        cr_assert_eq(plugin_load(BUILD_DIR "/tests/plugins/loopback.so", &plugin, &why), WEIR_OK,
                     "%s", why.text);
    struct session_owner owner = {
        .context = ear, .event = on_event, .instrument = on_instrument, .log = on_log};
    struct session_config config = {.name = "liar", .venue = 1, .account = 1, .book_window = 64};
    ear->session = session_create(plugin, &config, &owner, &why);
    cr_assert_not_null(ear->session, "%s", why.text);
}

static enum weir_err say(struct ear *ear, const void *message, size_t size, weir_ns now)
{
    unsigned char frame[1024];
    uint64_t wire = size;
    memcpy(frame, message, size);
    memcpy(frame + offsetof(struct weir_msg, cause), &wire, sizeof wire);
    return session_frame(ear->session, 1, now, (struct weir_bytes){(char *)frame, size});
}

/* --- a good event of each kind -----------------------------------------------------------------*/

static union venue_event good(uint16_t kind)
{
    union venue_event it;
    memset(&it, 0, sizeof it);
    uint32_t size = sizeof(struct weir_report);
    if (kind == WEIR_INSTRUMENT) {
        size = sizeof it.instrument;
        it.instrument.price_exp = 2;
        snprintf(it.instrument.symbol, sizeof it.instrument.symbol, "BTCUSDT");
    } else if (kind == WEIR_TOP) {
        size = sizeof it.top;
        it.top.bid = it.top.bid_qty = it.top.ask_qty = 1;
        it.top.ask = 2;
        it.top.seq = 1;
    } else if (kind == WEIR_TRADE) {
        size = sizeof it.trade;
        it.trade.px = it.trade.qty = 1;
    } else if (kind == WEIR_MARK) {
        size = sizeof it.mark;
        it.mark.px = 1;
    } else if (kind == WEIR_SESSION) {
        size = sizeof it.session;
        it.msg.flags = WEIR_STREAM_UP;
    } else if (kind == WEIR_RATE_LIMITED) {
        size = sizeof it.rate_limited;
    } else if (kind == WEIR_FILL || kind == WEIR_BUST) {
        size = sizeof it.fill;
        it.fill.qty = it.fill.px = 1;
        it.fill.fee.hi = 1;
        snprintf(it.fill.exec_id, sizeof it.fill.exec_id, "e1");
        snprintf(it.fill.fee_asset, sizeof it.fill.fee_asset, "USDT");
    } else if (kind == WEIR_FUNDING || kind == WEIR_TRANSFER || kind == WEIR_RECON_POSITION ||
               kind == WEIR_RECON_BALANCE) {
        size = sizeof it.cash;
        snprintf(it.cash.asset, sizeof it.cash.asset, "USDT");
        snprintf(it.cash.id, sizeof it.cash.id, "f1");
    } else if (kind == WEIR_RECON_BEGIN || kind == WEIR_RECON_END) {
        size = sizeof it.msg;
    } else {
        snprintf(it.report.client_id, sizeof it.report.client_id, "c1");
    }
    it.msg.size = size;
    it.msg.kind = kind;
    it.msg.instrument = 1;
    return it;
}

static const uint16_t kinds[] = {WEIR_TOP,
                                 WEIR_TRADE,
                                 WEIR_MARK,
                                 WEIR_SESSION,
                                 WEIR_RATE_LIMITED,
                                 WEIR_ACK,
                                 WEIR_REJECT,
                                 WEIR_FILL,
                                 WEIR_CANCELED,
                                 WEIR_CANCEL_REJECT,
                                 WEIR_EXPIRED,
                                 WEIR_REPLACED,
                                 WEIR_REPLACE_REJECT,
                                 WEIR_NO_ANSWER,
                                 WEIR_STATUS,
                                 WEIR_BUST,
                                 WEIR_FUNDING,
                                 WEIR_TRANSFER,
                                 WEIR_RECON_BEGIN,
                                 WEIR_RECON_ORDER,
                                 WEIR_RECON_POSITION,
                                 WEIR_RECON_BALANCE,
                                 WEIR_RECON_END};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

Test(liar, good_events_of_all_kinds_pass_and_are_clean)
{
    struct ear ear = {0};
    open_ear(&ear);
    union venue_event it = good(WEIR_INSTRUMENT);
    say(&ear, &it, it.msg.size, 1);
    for (int i = 0; i < KINDS; i++) {
        it = good(kinds[i]);
        it.msg.t_venue = -5;
        it.msg.venue = it.msg.account = 999;
        say(&ear, &it, it.msg.size, i + 2);
        cr_assert_eq(ear.events, (uint64_t)i + 1, "kind %u: %s", kinds[i], ear.reason);
        cr_assert(ear.last.msg.kind == kinds[i] && ear.last.msg.t == i + 2 &&
                  ear.last.msg.t_venue == 0 && ear.last.msg.venue == 1 &&
                  ear.last.msg.account == 1 && ear.last.msg.cause == 0);
    }
    /* equal events are equal bytes: what lies behind a text, and what means nothing, is zero */
    it = good(WEIR_FILL);
    memset(it.fill.venue_id + 1, 'x', sizeof it.fill.venue_id - 1);
    it.fill.pad[2] = 7;
    it.msg.flags = 0xffff;
    say(&ear, &it, it.msg.size, 99);
    cr_assert(ear.last.fill.venue_id[5] == 0 && ear.last.fill.pad[2] == 0 &&
              ear.last.msg.flags == 0);
    it = good(WEIR_REJECT); /* what the venue says is made printable */
    snprintf(it.report.reason, sizeof it.report.reason, "no\nmoney \xff\xc3\xa4 \xc3");
    say(&ear, &it, it.msg.size, 100);
    cr_assert_str_eq(ear.last.report.reason, "no?money ?\xc3\xa4 ?");
    cr_assert_eq(session_guards(ear.session).bad, 0);
    cr_assert_null(session_suspicion(ear.session));
    session_destroy(ear.session);
}

/* --- and one lie about each --------------------------------------------------------------------*/

#define AT(member) offsetof(union venue_event, member), sizeof(((union venue_event *)0)->member)
#define FULL_TEXT  0x4141414141414141u /* no end: all bytes 'A' */

static const struct lie {
    uint16_t kind;
    size_t at, size;
    uint64_t value; /* into each 8 bytes of the member */
    const char *words;
} lies[] = {
    {WEIR_TOP, AT(msg.size), 40, "size"},
    {WEIR_TOP, AT(msg.size), 96, "size"},
    {WEIR_TOP, AT(msg.size), 4, "no message"},
    {WEIR_TOP, AT(msg.instrument), 0, "of no instrument"},
    {WEIR_TOP, AT(msg.instrument), 9, "never defined"},
    {WEIR_TOP, AT(msg.instrument), UINT32_MAX, "never defined"},
    {WEIR_TOP, AT(top.bid), (uint64_t)-1, "not negative"},
    {WEIR_TOP, AT(top.ask_qty), 0, "both a price and a quantity"},
    {WEIR_TOP, AT(top.bid), 3, "above the best ask"},
    {WEIR_TRADE, AT(trade.px), 0, "greater than 0"},
    {WEIR_TRADE, AT(trade.qty), (uint64_t)-1, "greater than 0"},
    {WEIR_TRADE, AT(trade.aggressor), 2, "aggressor"},
    {WEIR_TRADE, AT(msg.instrument), 0, "of no instrument"},
    {WEIR_MARK, AT(mark.px), 0, "greater than 0"},
    {WEIR_SESSION, AT(session.reason), FULL_TEXT, "text"},
    {WEIR_RATE_LIMITED, AT(rate_limited.retry_after), (uint64_t)-1, "not negative"},
    {WEIR_RATE_LIMITED, AT(rate_limited.client_id), FULL_TEXT, "text"},
    {WEIR_ACK, AT(report.client_id), 0, "by one of its two ids"},
    {WEIR_ACK, AT(report.client_id), FULL_TEXT, "text"},
    {WEIR_ACK, AT(report.venue_id), 0x0a, "text"},
    {WEIR_ACK, AT(report.venue_id), 0xff, "text"},
    {WEIR_ACK, AT(report.reason), FULL_TEXT, "text"},
    {WEIR_ACK, AT(msg.size), 48, "size"},
    {WEIR_ACK, AT(msg.instrument), 7, "never defined"},
    {WEIR_REJECT, AT(report.proof), 2, "proof"},
    {WEIR_STATUS, AT(report.state), 99, "state"},
    {WEIR_NO_ANSWER, AT(report.request), 3, "request"},
    {WEIR_CANCELED, AT(report.has_cum), 2, "has_cum"},
    {WEIR_CANCELED, AT(report.cum_qty), (uint64_t)-1, "not negative"},
    {WEIR_RECON_ORDER, AT(report.side), 2, "side"},
    {WEIR_FILL, AT(fill.exec_id), 0, "an execution has an id"},
    {WEIR_FILL, AT(fill.qty), 0, "greater than 0"},
    {WEIR_FILL, AT(fill.px), (uint64_t)-7, "greater than 0"},
    {WEIR_FILL, AT(fill.side), 9, "side"},
    {WEIR_FILL, AT(fill.origin), 4, "origin"},
    {WEIR_FILL, AT(fill.maker), 2, "maker"},
    {WEIR_FILL, AT(fill.fee_asset), 0, "a fee has an asset"},
    {WEIR_FILL, AT(fill.fee.hi), (uint64_t)INT64_MIN, "a fee has an asset"},
    {WEIR_FILL, AT(msg.instrument), 0, "names its instrument"},
    {WEIR_BUST, AT(fill.state), 9, "state"},
    {WEIR_BUST, AT(fill.qty), (uint64_t)-1, "greater than 0"},
    {WEIR_FUNDING, AT(cash.id), 0, "has an id"},
    {WEIR_TRANSFER, AT(cash.asset), 0, "has an asset"},
    {WEIR_RECON_POSITION, AT(msg.instrument), 0, "names its instrument"},
    {WEIR_RECON_POSITION, AT(cash.amount.hi), (uint64_t)INT64_MIN, "too large"},
    {WEIR_RECON_END, AT(msg.kind), WEIR_RECON_BEGIN, "out of order"},
    {WEIR_INSTRUMENT, AT(instrument.symbol), 0, "has a symbol"},
    {WEIR_INSTRUMENT, AT(instrument.symbol), FULL_TEXT, "text"},
    {WEIR_INSTRUMENT, AT(instrument.symbol), 'X', "may not change its symbol"},
    {WEIR_INSTRUMENT, AT(instrument.price_exp), 3, "may not change its symbol, kind or places"},
    {WEIR_INSTRUMENT, AT(instrument.price_exp), 19, "price_exp"},
    {WEIR_INSTRUMENT, AT(instrument.qty_exp), 17, "price_exp and qty_exp"},
    {WEIR_INSTRUMENT, AT(instrument.qty_exp), 0xff, "price_exp and qty_exp"},
    {WEIR_INSTRUMENT, AT(instrument.kind), 3, "kind"},
    {WEIR_INSTRUMENT, AT(instrument.multiplier), (uint64_t)-1, "multiplier"},
    {WEIR_INSTRUMENT, AT(instrument.tick), (uint64_t)-1, "tick"},
    {WEIR_INSTRUMENT, AT(instrument.min_notional.hi), (uint64_t)-1, "min_notional"},
    {WEIR_INSTRUMENT, AT(msg.instrument), 3, "the next is 2"},
    {WEIR_INSTRUMENT, AT(msg.instrument), 0, "from 1 on"},
};

Test(liar, each_lie_is_dropped_counted_and_told)
{
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        const struct lie *lie = &lies[i];
        struct ear ear = {0};
        open_ear(&ear);
        union venue_event it = good(WEIR_INSTRUMENT), begin = good(WEIR_RECON_BEGIN);
        say(&ear, &it, it.msg.size, 1);
        if (lie->kind >= WEIR_RECON_BEGIN)
            say(&ear, &begin, begin.msg.size, 1);
        uint64_t before = ear.events;
        it = good(lie->kind);
        uint32_t wire = it.msg.size;
        for (size_t k = 0; k < lie->size; k += sizeof lie->value) {
            size_t part = lie->size - k < sizeof lie->value ? lie->size - k : sizeof lie->value;
            memcpy((unsigned char *)&it + lie->at + k, &lie->value, part);
        }
        say(&ear, &it, wire > it.msg.size ? wire : it.msg.size < 512 ? it.msg.size : wire, 2);
        struct session_guards guards = session_guards(ear.session);
        bool of_orders = event_is_of_orders(lie->kind) || it.msg.size < sizeof it.msg;
        cr_assert_eq(ear.events, before, "lie %zu of kind %u (%s) went through", i, lie->kind,
                     lie->words);
        cr_assert_eq(guards.bad, 1, "lie %zu of kind %u (%s): %" PRIu64 " counted", i, lie->kind,
                     lie->words, guards.bad);
        cr_assert_eq(ear.downs, of_orders, "lie %zu of kind %u (%s): stream %s", i, lie->kind,
                     lie->words, ear.downs ? "down" : "up");
        cr_assert(strstr(ear.said, lie->words), "lie %zu of kind %u: says '%s', not '%s'", i,
                  lie->kind, ear.said, lie->words);
        if (of_orders) { /* the owner is told the reason, and a new stream clears it */
            cr_assert(strncmp(ear.reason, ear.said, strlen(ear.reason)) == 0 && ear.reason[0]);
            cr_assert_str_eq(session_suspicion(ear.session), ear.reason);
            it = good(WEIR_SESSION);
            say(&ear, &it, it.msg.size, 3);
        }
        cr_assert_null(session_suspicion(ear.session));
        session_destroy(ear.session);
    }
}

Test(liar, book_messages_and_calls_that_cannot_be)
{
    struct ear ear = {0};
    open_ear(&ear);
    union venue_event it = good(WEIR_INSTRUMENT);
    say(&ear, &it, it.msg.size, 1);
    static const struct {
        const char *what;
        uint32_t size, bids, asks, instrument, flags;
        weir_px px;
        weir_qty qty;
    } cases[] = {
        {"shorter than its header", 48, 0, 0, 1, 1, 5, 5},
        {"more levels than bytes", 104, 2, 0, 1, 1, 5, 5},
        {"fewer levels than bytes", 120, 1, 0, 1, 1, 5, 5},
        {"so many that sizes wrap", 104, UINT32_MAX, UINT32_MAX, 1, 1, 5, 5},
        {"a price of 0", 104, 1, 0, 1, 1, 0, 5},
        {"a negative price", 104, 0, 1, 1, 1, INT64_MIN, 5},
        {"a negative quantity", 104, 0, 1, 1, 1, 5, -1},
        {"no such instrument", 104, 0, 1, 2, 1, 5, 5},
        {"no such rule", 104, 0, 1, 1, 7 << WEIR_BOOK_RULE_SHIFT, 5, 5},
        {"backwards", 104, 0, 1, 1, WEIR_RULE_RANGE_PREV << WEIR_BOOK_RULE_SHIFT, 5, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union {
            struct weir_book_msg msg;
            unsigned char bytes[128];
        } m = {.bytes = {0}};
        m.msg.msg = (struct weir_msg){.size = cases[i].size,
                                      .kind = WEIR_BOOK,
                                      .flags = (uint16_t)cases[i].flags,
                                      .instrument = cases[i].instrument};
        m.msg.first_seq = 9;
        m.msg.last_seq = 8;
        m.msg.bids = cases[i].bids;
        m.msg.asks = cases[i].asks;
        m.msg.levels[0] = (struct weir_level){cases[i].px, cases[i].qty};
        say(&ear, &m, cases[i].size, 2);
        cr_assert_eq(session_guards(ear.session).bad, i + 1, "%s", cases[i].what);
        cr_assert_neq(session_book_state(ear.session, 1), BOOK_LIVE, "%s", cases[i].what);
    }
    cr_assert(ear.events <= 1, "a state: GAPPED");

    struct weir_msg unknown = {.size = sizeof unknown, .kind = 30};
    say(&ear, &unknown, sizeof unknown, 3);
    cr_assert_eq(session_guards(ear.session).unknown, 1, "a later version's kind is skipped");

    struct loop_order thread = {.msg = {.size = sizeof thread, .kind = LOOP_THREAD}};
    say(&ear, &thread, sizeof thread, 4);
    cr_assert_eq(session_guards(ear.session).outside, 1,
                 "from another thread, in the middle of a callback");
    cr_assert(ear.events <= 1);
    session_destroy(ear.session);
}

/* Random damage to good events: what comes through would pass the inspection again, unchanged. */
Test(liar, random_lies)
{
    struct ear ear = {0};
    uint64_t random = 4711, through = 0;
    open_ear(&ear);
    union venue_event it = good(WEIR_INSTRUMENT);
    say(&ear, &it, it.msg.size, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t before = ear.events;
        it = good(kinds[random_below(&random, KINDS)]);
        uint32_t wire = it.msg.size;
        for (uint64_t k = random_below(&random, 4); k > 0; k--)
            ((unsigned char *)&it)[random_below(&random, wire)] =
                (unsigned char)random_next(&random);
        if (it.msg.kind >= LOOP_TIMER)
            continue;
        say(&ear, &it, wire, i);
        if (ear.events == before || ear.last.msg.kind >= WEIR_HOST_KINDS)
            continue;
        union venue_event again;
        const char *fault = "";
        cr_assert_eq(inspect_event(&ear.last.msg, &again, &fault), WEIR_OK, "round %d: %s", i,
                     fault);
        cr_assert_arr_eq(&again, &ear.last, again.msg.size, "round %d", i);
        through++;
    }
    cr_assert(through > 20000 && session_guards(ear.session).bad > 20000,
              "%" PRIu64 " through, %" PRIu64 " bad", through, session_guards(ear.session).bad);
    session_destroy(ear.session);
}
