/* level3_test.c - a market that is shown order by order: its levels, its queue, who only passes by, and what
 * cannot be there. Rows of Bitstamp's recorder are the way in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "venue/queues.h"
#include "venue/venue.h"

struct market {
    struct session *session;
    struct text heard; /* states and best prices, in order */
    uint64_t shown;    /* orders told with what they did */
};

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    static const char *const states[] = {
#define X(name) #name,
        BOOK_STATES(X)
#undef X
    };
    struct market *market = context;
    const struct weir_top *top = (const struct weir_top *)event;
    (void)session;
    if (event->kind == IN_BOOK_STATE)
        text_say(&market->heard, "%s; ", states[((const struct in_state *)event)->value]);
    else if (event->kind == WEIR_TOP)
        text_say(&market->heard, "%.0fx%.0f %.0fx%.0f; ", (double)top->bid / 1e8,
                 (double)top->bid_qty / 1e8, (double)top->ask / 1e8, (double)top->ask_qty / 1e8);
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    (void)context, (void)session, (void)instrument;
    return 1;
}

static void on_queue(void *context, struct session *session, uint32_t instrument,
                     const struct weir_l3 *order, const struct queues_change *change)
{
    struct market *market = context;
    (void)session, (void)instrument, (void)order, (void)change;
    market->shown++;
}

static void open_market(struct market *market)
{
    struct why why;
    struct plugin *plugin = NULL;
    struct session_owner owner = {
        .context = market, .event = on_event, .instrument = on_instrument, .queue = on_queue};
    struct session_config config = {.name = "bitstamp",
                                    .venue = 1,
                                    .account = 1,
                                    .book_window = 1024,
                                    .book_far = 1024,
                                    .data_age_max = INT64_MAX,
                                    .orders = true};
    *market = (struct market){.shown = 0};
    text_init(&market->heard);
    cr_assert_eq(plugin_load(BUILD_DIR "/plugins/bitstamp.so", &plugin, &why), WEIR_OK, "%s",
                 why.text);
    market->session = session_create(plugin, &config, &owner, &why);
    cr_assert_not_null(market->session, "%s", why.text);
    cr_assert_eq(session_start(market->session, 1), WEIR_OK);
}

/* "id price size action side": at `ms`; rows of the snapshot have equal times. */
static void row(struct market *market, const char *words, int64_t ms, bool snapshot)
{
    char id[16], px[16], qty[16], action[16], side[16], line[200];
    cr_assert_eq(sscanf(words, "%15s %15s %15s %15s %15s", id, px, qty, action, side), 5);
    int len = snprintf(line, sizeof line, "%s,%ld,%ld,%s,%s,%s,%s", id, ms, ms - !snapshot, px, qty,
                       action, side);
    struct weir_bytes bytes = {line, (size_t)len};
    cr_assert_eq(session_frame(market->session, 1, ms * 1000000, bytes), WEIR_OK, "%s", words);
}

Test(level3, orders_make_a_book_without_takers_and_without_ghosts)
{
    static const struct {
        const char *row;
        int64_t ms;
        const char *heard;
    } rows[] = {
        /* the snapshot ends with the first order that is none of it */
        {"20 98 1 created bid", 2001, "99x8 101x4; LIVE; "},
        {"21 99 2 created bid", 2002, "99x10 101x4; "},
        {"1 99 3 changed bid", 2003, "99x8 101x4; "},
        {"22 101 9 created bid", 2004, ""}, /* it takes: nobody hears of it */
        {"11 101 0 deleted ask", 2005, "99x8 102x6; 101x9 102x6; "}, /* and then it rests */
        {"22 101 9 deleted bid", 2006, "99x8 102x6; "},
        {"23 102 1 created bid", 2007, ""},
        {"23 102 1 deleted bid", 2008, ""}, /* refused: it never rested */
        {"12 102 6 deleted ask", 2009, "99x8 0x0; "},
        {"24 97 5 created ask", 2010, ""}, /* it stays, and so those before it cannot be there */
        {"25 90 1 created bid", 2400, ""},
        {"26 90 1 created bid", 3000, "96x7 0x0; 96x7 97x5; "},
    };
    struct market market;
    weir_qty ahead;
    uint32_t orders;
    open_market(&market);
    row(&market, "1 99 5 created bid", 2000, true);
    row(&market, "2 99 3 created bid", 2000, true);
    row(&market, "3 96 7 created bid", 2000, true);
    row(&market, "11 101 4 created ask", 2000, true);
    row(&market, "12 102 6 created ask", 2000, true);
    cr_expect_str_eq(text_cstr(&market.heard), "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        market.heard.len = 0;
        row(&market, rows[i].row, rows[i].ms, false);
        cr_expect_str_eq(text_cstr(&market.heard), rows[i].heard, "%s\n  heard: %s\n  wanted: %s",
                         rows[i].row, text_cstr(&market.heard), rows[i].heard);
        if (i == 2) {
            const struct queues *queues = session_queues(market.session, 1);
            cr_expect(queues_position(queues, 21, &ahead, &orders) && orders == 2 &&
                      ahead == 600000000);
        }
    }
    cr_expect(market.shown > 0 && market.shown < sizeof rows / sizeof rows[0] + 2);
    cr_expect_eq(session_book_state(market.session, 1), BOOK_LIVE);
    session_destroy(market.session);
    text_fini(&market.heard);
}
