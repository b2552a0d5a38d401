/* session_test.c - a session between its owner and a plugin that says whatever a test wants. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "loopback.h"
#include "venue/venue.h"

#define MS     ((weir_ns)1000000)
#define SECOND (1000 * MS)

/* The owner: it writes down in short words what it hears. */
struct desk {
    struct session *session;
    char heard[8192];
    char lines[4096]; /* of the log */
    weir_ns now;
    uint32_t refuse; /* instruments with this plugin's number get none of ours */
    bool nested;     /* try to call the session from inside */
    int refused_inside;
};

__attribute__((format(printf, 2, 3))) static void hear(struct desk *desk, const char *format, ...)
{
    size_t len = strlen(desk->heard);
    va_list args;
    va_start(args, format);
    vsnprintf(desk->heard + len, sizeof desk->heard - len, format, args);
    va_end(args);
    strncat(desk->heard, "; ", sizeof desk->heard - strlen(desk->heard) - 1);
}

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    struct desk *desk = context;
    cr_assert_eq(event->venue, 3);
    cr_assert_eq(event->account, 7);
    cr_assert_eq(event->t, desk->now, "stamped with the time of the call");
    cr_assert_eq(event->cause, 0);
    if (desk->nested) {
        struct weir_intent intent = {.msg = {.size = sizeof intent, .kind = WEIR_RECONCILE}};
        struct weir_bytes none = {"", 0};
        desk->refused_inside += session_intent(session, desk->now, &intent) == WEIR_E_STATE;
        desk->refused_inside += session_start(session, desk->now) == WEIR_E_STATE;
        desk->refused_inside += session_frame(session, 5, desk->now, none) == WEIR_E_STATE;
        desk->refused_inside += session_conn(session, 5, desk->now, true) == WEIR_E_STATE;
        desk->refused_inside += session_response(session, 5, desk->now, 200, none) == WEIR_E_STATE;
        desk->refused_inside += session_recorded(session, desk->now, none, none) == WEIR_E_STATE;
        session_timer(session, desk->now + SECOND); /* does nothing */
    }
    const union {
        struct weir_msg msg;
        struct weir_top top;
        struct weir_trade trade;
        struct weir_fill fill;
        struct weir_report report;
        struct in_state state;
        struct weir_session session;
        struct weir_instrument instrument;
    } *it = (const void *)event;
    switch (event->kind) {
    case WEIR_INSTRUMENT: hear(desk, "%s is %u", it->instrument.symbol, event->instrument); break;
    case WEIR_TOP:
        hear(desk, "%s %" PRId64 "x%" PRId64 "/%" PRId64 "x%" PRId64,
             event->flags & WEIR_TOP_OF_BOOK ? "book" : "top", it->top.bid, it->top.bid_qty,
             it->top.ask, it->top.ask_qty);
        break;
    case WEIR_TRADE: hear(desk, "trade %" PRId64 "x%" PRId64, it->trade.px, it->trade.qty); break;
    case WEIR_FILL: hear(desk, "fill %s of %u", it->fill.exec_id, event->instrument); break;
    case IN_BOOK_STATE: hear(desk, "state %" PRId64, it->state.value); break;
    case WEIR_SESSION:
        hear(desk, "%s '%s'", event->flags ? "up" : "down", it->session.reason);
        break;
    default: hear(desk, "kind %u of %u", event->kind, event->instrument); break;
    }
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct desk *desk = context;
    (void)session;
    if (strcmp(instrument->symbol, "TWIN") == 0)
        return 41; /* which another one has */
    if (strcmp(instrument->symbol, "HUGE") == 0)
        return UINT32_MAX;
    return instrument->msg.instrument == desk->refuse ? 0 : 40 + instrument->msg.instrument;
}

static void on_book(void *context, struct session *session, uint32_t instrument,
                    const struct weir_book_msg *msg, const struct book *book)
{
    (void)session;
    hear(context, "applied %" PRIu64 " to %u (%u)", msg->last_seq, instrument,
         book_levels(book, WEIR_BUY));
}

static enum weir_err on_send(void *context, struct session *session, uint32_t conn,
                             struct weir_bytes frame)
{
    struct weir_intent intent;
    (void)session;
    if (frame.len == sizeof intent) {
        memcpy(&intent, frame.data, sizeof intent);
        hear(context, "intent %u of %u", intent.msg.kind, intent.msg.instrument);
    } else {
        hear(context, "%u< %.*s", conn, (int)frame.len, frame.data);
    }
    return WEIR_OK;
}

static enum weir_err on_connect(void *context, struct session *session, uint32_t conn,
                                const char *path)
{
    (void)session;
    hear(context, "connect %u %s", conn, path);
    return WEIR_OK;
}

static enum weir_err on_request(void *context, struct session *session,
                                const struct weir_request_http *request)
{
    (void)session;
    hear(context, "%s %s", request->method, request->path);
    return WEIR_OK;
}

static enum weir_err on_sign(void *context, struct session *session, const char *key,
                             const char *algorithm, struct weir_bytes in, unsigned char *out,
                             size_t *len)
{
    (void)session;
    (void)out;
    hear(context, "sign %s %s %zu", key, algorithm, in.len);
    *len = 0;
    return WEIR_OK;
}

static void on_log(void *context, struct session *session, const char *text)
{
    struct desk *desk = context;
    (void)session;
    size_t len = strlen(desk->lines);
    snprintf(desk->lines + len, sizeof desk->lines - len, "%s\n", text);
}

static struct plugin *loopback(void)
{
    static struct plugin *plugin;
    struct why why = {0};
    if (!plugin)
        cr_assert_eq(plugin_load(BUILD_DIR "/tests/plugins/loopback.so", &plugin, &why), WEIR_OK,
                     "%s", why.text);
    return plugin;
}

static struct session_owner owner_of(struct desk *desk)
{
    return (struct session_owner){.context = desk,
                                  .event = on_event,
                                  .instrument = on_instrument,
                                  .book = on_book,
                                  .connect = on_connect,
                                  .send = on_send,
                                  .request = on_request,
                                  .sign = on_sign,
                                  .log = on_log};
}

static void open_desk(struct desk *desk, bool started)
{
    struct session_owner owner = owner_of(desk);
    struct session_config config = {
        .name = "test", .venue = 3, .account = 7, .book_window = 64, .book_far = 16};
    struct why why = {0};
    desk->session = session_create(loopback(), &config, &owner, &why);
    cr_assert_not_null(desk->session, "%s", why.text);
    desk->now = SECOND;
    if (started)
        cr_assert_eq(session_start(desk->session, desk->now), WEIR_OK);
}

/* What was heard since the last time. */
static const char *heard(struct desk *desk)
{
    static char text[sizeof desk->heard];
    memcpy(text, desk->heard, sizeof text);
    desk->heard[0] = '\0';
    return text;
}

#define heard_is(desk, want)                                                                     \
    do {                                                                                         \
        const char *is_ = heard(desk);                                                           \
        cr_assert(strcmp(is_, want) == 0, "line %d: heard '%s', not '%s'", __LINE__, is_, want); \
    } while (0)

/* --- what goes over the wire -------------------------------------------------------------------*/

static enum weir_err say_on(struct desk *desk, uint32_t conn, const void *message, size_t size)
{
    unsigned char frame[8192];
    uint64_t wire = size; /* loopback.c: the size on the wire stands in `cause` */
    memcpy(frame, message, size);
    memcpy(frame + offsetof(struct weir_msg, cause), &wire, sizeof wire);
    return session_frame(desk->session, conn, desk->now, (struct weir_bytes){(char *)frame, size});
}

#define say(desk, message) say_on(desk, 5, &(message), sizeof(message))

static enum weir_err order(struct desk *desk, uint16_t kind, uint32_t a, weir_ns t,
                           const char *text)
{
    struct loop_order it = {.msg = {.size = sizeof it, .kind = kind}, .a = a, .t = t};
    snprintf(it.text, sizeof it.text, "%s", text);
    return say(desk, it);
}

static struct weir_instrument an_instrument(uint32_t number, const char *symbol)
{
    struct weir_instrument it = {
        .msg = {.size = sizeof it, .kind = WEIR_INSTRUMENT, .instrument = number},
        .price_exp = 2,
        .qty_exp = 3,
        .tick = 1,
        .step = 1};
    snprintf(it.symbol, sizeof it.symbol, "%s", symbol);
    return it;
}

static void define(struct desk *desk)
{
    struct weir_instrument it = an_instrument(1, "BTCUSDT");
    cr_assert_eq(say(desk, it), WEIR_OK);
    desk->heard[0] = '\0';
}

/* A book message with one bid and one ask; a quantity of -1: that side is left out. */
static enum weir_err book(struct desk *desk, uint16_t flags, uint64_t first, uint64_t last,
                          weir_px bid, weir_qty bid_qty, weir_px ask, weir_qty ask_qty)
{
    struct {
        union {
            struct weir_book_msg msg;
            unsigned char room[sizeof(struct weir_book_msg) + 2 * sizeof(struct weir_level)];
        };
    } m = {.room = {0}};
    m.msg.msg =
        (struct weir_msg){.size = sizeof m.msg, .kind = WEIR_BOOK, .flags = flags, .instrument = 1};
    m.msg.first_seq = first;
    m.msg.last_seq = last;
    if (bid_qty >= 0) {
        m.msg.levels[0] = (struct weir_level){bid, bid_qty};
        m.msg.bids = 1;
    }
    if (ask_qty >= 0) {
        m.msg.levels[m.msg.bids] = (struct weir_level){ask, ask_qty};
        m.msg.asks = 1;
    }
    m.msg.msg.size += (m.msg.bids + m.msg.asks) * (uint32_t)sizeof(struct weir_level);
    return say_on(desk, 5, &m, m.msg.msg.size);
}

static enum weir_err top(struct desk *desk, uint64_t seq, weir_px bid, weir_px ask)
{
    struct weir_top it = {
        .msg = {.size = sizeof it, .kind = WEIR_TOP, .instrument = 1, .flags = 0xffff},
        .seq = seq,
        .bid = bid,
        .ask = ask,
        .bid_qty = bid ? 1 : 0,
        .ask_qty = ask ? 1 : 0};
    return say(desk, it);
}

static void wait_ms(struct desk *desk, int ms)
{
    desk->now += ms * MS;
    session_timer(desk->session, desk->now);
}

/* --- tests -------------------------------------------------------------------------------------*/

Test(session, events_carry_the_hosts_numbers_and_books_become_tops_and_states)
{
    struct desk desk = {.refuse = 2};
    open_desk(&desk, true);
    heard_is(&desk, "1< start 0 1000000000; ");

    struct weir_instrument one = an_instrument(1, "BTCUSDT"), two = an_instrument(2, "ETHUSDT");
    say(&desk, one);
    say(&desk, two);
    heard_is(&desk, "BTCUSDT is 41; ");

    top(&desk, 90, 99, 111);
    book(&desk, 0, 95, 99, 100, 1, 110, 1);
    heard_is(&desk, "top 99x1/111x1; state 1; ");
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 96, 100, 7, 110, 8);
    heard_is(&desk, "applied 96 to 41 (1); applied 99 to 41 (1); book 100x1/110x1; state 2; ");
    cr_assert_eq(session_book_state(desk.session, 41), BOOK_LIVE);

    book(&desk, 0, 100, 101, 90, 5, 120, 5); /* the best is as it was */
    heard_is(&desk, "applied 101 to 41 (2); ");
    book(&desk, 0, 102, 103, 100, 4, 0, -1);
    heard_is(&desk, "applied 103 to 41 (2); book 100x4/110x1; ");
    book(&desk, 0, 104, 104, 100, 0, 110, 0);
    heard_is(&desk, "applied 104 to 41 (1); book 90x5/120x5; ");
    book(&desk, 0, 105, 105, 90, 0, 0, -1);
    heard_is(&desk, "applied 105 to 41 (0); book 0x0/120x5; ");
    book(&desk, 0, 106, 106, 90, 5, 0, -1);
    heard(&desk);

    /* the venue's own tops: newer ones only, and the book does not go behind them */
    top(&desk, 106, 80, 130);
    top(&desk, 110, 91, 119);
    top(&desk, 109, 70, 140);
    top(&desk, 111, 91, 119); /* nothing new */
    heard_is(&desk, "top 91x1/119x1; ");
    book(&desk, 0, 107, 110, 92, 5, 0, -1);
    heard_is(&desk, "applied 110 to 41 (2); ");
    book(&desk, 0, 111, 111, 93, 5, 0, -1);
    heard_is(&desk, "applied 111 to 41 (3); book 93x5/120x5; ");
    top(&desk, 0, 1, 2); /* without a sequence, while the book is live */
    heard_is(&desk, "");

    book(&desk, 0, 112, 112, 125, 1, 0, -1);
    heard_is(&desk, "applied 112 to 41 (4); state 5; ");
    book(&desk, 0, 113, 113, 125, 0, 0, -1);
    heard_is(&desk, "applied 113 to 41 (3); state 2; ");
    book(&desk, 0, 115, 116, 1, 1, 0, -1);
    heard_is(&desk, "state 4; intent 113 of 1; ");
    top(&desk, 120, 95, 100);
    top(&desk, 119, 95, 101);
    heard_is(&desk, "top 95x1/100x1; ");
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 114, 90, 1, 110, 1); /* and 115 to 116 waited */
    heard_is(&desk, "applied 114 to 41 (1); applied 116 to 41 (2); state 2; ");
    wait_ms(&desk, 3000);
    heard_is(&desk, "");
    cr_assert_eq(session_next_timer(desk.session), desk.now + 1);
    wait_ms(&desk, 1);
    heard_is(&desk, "state 3; ");
    book(&desk, 0, 117, 121, 90, 2, 0, -1);
    heard_is(&desk, "applied 121 to 41 (2); book 90x2/110x1; state 2; ");

    struct weir_trade trade = {
        .msg = {.size = sizeof trade, .kind = WEIR_TRADE, .instrument = 1}, .px = 5, .qty = 6};
    say(&desk, trade);
    trade.msg.instrument = 2; /* refused by the owner */
    say(&desk, trade);
    heard_is(&desk, "trade 5x6; ");
    cr_assert_eq(session_guards(desk.session).ignored, 1);
    cr_assert_eq(session_guards(desk.session).bad, 0);
    cr_assert_null(session_book(desk.session, 42));
    struct feed_counts counts;
    cr_assert(session_feed_counts(desk.session, 41, &counts) &&
              !session_feed_counts(desk.session, 40, &counts));
    cr_assert(counts.gaps == 1 && counts.snapshots == 2 && counts.last_seq == 121 &&
              counts.crossed == 1);
    session_destroy(desk.session);
}

Test(session, a_lost_connection_loses_its_books)
{
    struct desk desk = {0};
    open_desk(&desk, true);
    define(&desk);
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 96, 100, 7, 110, 8);
    heard(&desk);
    session_conn(desk.session, 4, desk.now, false);
    heard_is(&desk, "1< conn 4 0; ");
    session_conn(desk.session, 5, desk.now, false);
    heard_is(&desk, "state 4; 1< conn 5 0; ");
    session_conn(desk.session, 5, desk.now, true);
    top(&desk, 3, 1, 2); /* numbers may start anew */
    heard_is(&desk, "1< conn 5 1; top 1x1/2x1; ");
    wait_ms(&desk, 5000);
    heard_is(&desk, "intent 113 of 1; ");
    order(&desk, LOOP_RESYNC_FAILS, WEIR_E_DOWN, 0, "");
    wait_ms(&desk, 1000); /* asked in vain: and again */
    cr_assert_eq(session_guards(desk.session).errors, 1);
    order(&desk, LOOP_RESYNC_FAILS, 0, 0, "");
    wait_ms(&desk, 2000);
    heard_is(&desk, "intent 113 of 1; ");
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 5, 100, 7, 110, 8);
    heard_is(&desk, "applied 5 to 41 (1); book 100x7/110x8; state 2; ");

    /* an unreadable frame: what stood in it is lost */
    cr_assert_eq(session_frame(desk.session, 5, desk.now, (struct weir_bytes){"x", 1}),
                 WEIR_E_BAD_FRAME);
    heard_is(&desk, "state 4; ");
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 9, 100, 7, 110, 8);
    cr_assert_eq(book(&desk, 0, 10, 10, -5, 1, 0, -1), WEIR_E_BAD_FRAME, "a negative price");
    cr_assert_eq(session_book_state(desk.session, 41), BOOK_GAPPED);
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 9, 100, 7, 110, 8);
    cr_assert_eq(book(&desk, 0, 10, 10, 5, -5, 0, -1), WEIR_OK, "left out");
    session_destroy(desk.session);
}

Test(session, intents_go_to_the_plugin_in_its_numbers_or_nowhere)
{
    struct desk desk = {0};
    open_desk(&desk, true);
    define(&desk);
    static const struct {
        const char *what;
        enum weir_err err;
        uint16_t kind;
        uint32_t instrument;
        uint8_t type, tif, flags;
        const char *client_id;
        const char *heard;
    } cases[] = {
        {"new", WEIR_OK, WEIR_NEW, 41, WEIR_LIMIT, WEIR_IOC, WEIR_POST_ONLY, "a1",
         "intent 100 of 1; "},
        {"no such instrument", WEIR_E_NOT_FOUND, WEIR_NEW, 1, WEIR_LIMIT, WEIR_GTC, 0, "a1", ""},
        {"no instrument", WEIR_E_NOT_FOUND, WEIR_NEW, 0, WEIR_LIMIT, WEIR_GTC, 0, "a1", ""},
        {"no such type", WEIR_E_UNSUPPORTED, WEIR_NEW, 41, WEIR_STOP, WEIR_GTC, 0, "a1", ""},
        {"a type from nowhere", WEIR_E_UNSUPPORTED, WEIR_NEW, 41, 200, WEIR_GTC, 0, "a1", ""},
        {"no such tif", WEIR_E_UNSUPPORTED, WEIR_NEW, 41, WEIR_LIMIT, WEIR_FOK, 0, "a1", ""},
        {"no such flag", WEIR_E_UNSUPPORTED, WEIR_NEW, 41, WEIR_LIMIT, WEIR_GTC, WEIR_REDUCE_ONLY,
         "a1", ""},
        {"id too long", WEIR_E_UNSUPPORTED, WEIR_NEW, 41, 0, 0, 0,
         "a123456789012345678901234567890123456", ""},
        {"cancel", WEIR_OK, WEIR_CANCEL, 41, 0, 0, 0, "a1", "intent 101 of 1; "},
        {"replace", WEIR_OK, WEIR_REPLACE, 41, 0, 0, 0, "a1", "intent 102 of 1; "},
        {"no cancel-all", WEIR_E_UNSUPPORTED, WEIR_CANCEL_ALL, 41, 0, 0, 0, "", ""},
        {"query by client id", WEIR_OK, WEIR_QUERY_ORDER, 41, 0, 0, 0, "a1", "intent 110 of 1; "},
        {"no fills since", WEIR_E_UNSUPPORTED, WEIR_QUERY_FILLS, 41, 0, 0, 0, "", ""},
        {"reconcile", WEIR_OK, WEIR_RECONCILE, 0, 0, 0, 0, "", "intent 112 of 0; "},
        {"subscribe", WEIR_OK, WEIR_SUBSCRIBE, 41, 0, 0, 0, "", "intent 114 of 1; "},
        {"an event", WEIR_E_UNSUPPORTED, WEIR_FILL, 41, 0, 0, 0, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_intent it = {
            .msg = {.size = sizeof it, .kind = cases[i].kind, .instrument = cases[i].instrument},
            .type = cases[i].type,
            .tif = cases[i].tif,
            .flags = cases[i].flags};
        snprintf(it.client_id, sizeof it.client_id, "%s", cases[i].client_id);
        cr_assert_eq(session_intent(desk.session, desk.now, &it), cases[i].err, "%s",
                     cases[i].what);
        cr_assert_str_eq(heard(&desk), cases[i].heard, "%s", cases[i].what);
    }
    struct weir_intent cut = {.msg = {.size = 8, .kind = WEIR_NEW}};
    cr_assert_eq(session_intent(desk.session, desk.now, &cut), WEIR_E_USAGE);

    desk.nested = true; /* from inside of an event: refused, not nested */
    struct weir_trade trade = {
        .msg = {.size = sizeof trade, .kind = WEIR_TRADE, .instrument = 1}, .px = 5, .qty = 6};
    say(&desk, trade);
    cr_assert_eq(desk.refused_inside, 6, "%d of 6", desk.refused_inside);
    session_destroy(desk.session);
}

Test(session, definitions_and_books_that_do_not_fit)
{
    struct desk desk = {.refuse = 2};
    open_desk(&desk, true);
    cr_assert_str_eq(session_name(desk.session), "test");
    cr_assert(session_caps(desk.session)->orders);
    define(&desk);
    struct weir_instrument one = an_instrument(1, "BTCUSDT"), two = an_instrument(2, "ETHUSDT");
    struct weir_instrument twin = an_instrument(3, "TWIN"), huge = an_instrument(3, "HUGE");
    say(&desk, two);
    say(&desk, twin);
    say(&desk, huge);
    heard_is(&desk, "");
    cr_assert_not_null(strstr(desk.lines, "TWIN was defined twice"), "%s", desk.lines);
    cr_assert_eq(session_guards(desk.session).bad, 1);

    /* rules change: the same number, told again; the levels stay */
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 96, 100, 7, 110, 8);
    heard(&desk);
    one.tick = 7;
    one.status = WEIR_HALTED;
    say(&desk, one);
    book(&desk, 0, 97, 97, 99, 7, 0, -1);
    heard_is(&desk, "BTCUSDT is 41; applied 97 to 41 (2); ");
    cr_assert_eq(book_at(session_book(desk.session, 41), WEIR_BUY, 100), 7);

    /* a book of an instrument that the owner refused */
    struct weir_book_msg refused = {
        .msg = {.size = sizeof refused, .kind = WEIR_BOOK, .instrument = 2}};
    say(&desk, refused);
    cr_assert_eq(session_guards(desk.session).ignored, 1);

    /* a snapshot older than what waits, and one that does not fit */
    book(&desk, 0, 105, 106, 99, 7, 0, -1);
    book(&desk, WEIR_BOOK_SNAPSHOT, 0, 97, 100, 7, 110, 8);
    cr_assert_not_null(
        strstr(desk.lines, "a gap after sequence 97: the next message covers 105 to 106"));
    cr_assert_not_null(
        strstr(desk.lines, "the snapshot at sequence 97 is older than the messages"));
    union {
        struct weir_book_msg msg;
        unsigned char room[sizeof(struct weir_book_msg) + 100 * sizeof(struct weir_level)];
    } many = {.room = {0}};
    many.msg.msg = (struct weir_msg){
        .size = sizeof many, .kind = WEIR_BOOK, .flags = WEIR_BOOK_SNAPSHOT, .instrument = 1};
    many.msg.last_seq = 200;
    many.msg.asks = 100;
    for (int i = 0; i < 100; i++)
        many.msg.levels[i] = (struct weir_level){i + 1, 1};
    say(&desk, many);
    cr_assert_not_null(strstr(desk.lines, "more than 80 levels a side; it is not live"), "%s",
                       desk.lines);
    cr_assert_eq(session_book_state(desk.session, 41), BOOK_GAPPED);

    /* numbers that start anew in the stream: tops are told again from there */
    heard(&desk);
    uint16_t next = WEIR_RULE_NEXT << WEIR_BOOK_RULE_SHIFT;
    top(&desk, 5000, 1, 9);
    book(&desk, (uint16_t)(WEIR_BOOK_SNAPSHOT | next), 0, 3, 2, 7, 8, 8);
    book(&desk, next, 0, 4, 3, 7, 0, -1);
    heard_is(&desk, "top 1x1/9x1; applied 3 to 41 (1); book 2x7/8x8; state 2; applied 4 to 41 (2); "
                    "book 3x7/8x8; ");
    session_destroy(desk.session);
}

Test(session, timers_fire_in_order_of_time_and_number)
{
    struct desk desk = {0};
    open_desk(&desk, true);
    heard(&desk);
    cr_assert_eq(session_next_timer(desk.session), INT64_MAX);
    order(&desk, LOOP_TIMER, 9, 2000 * MS, "");
    order(&desk, LOOP_TIMER, 3, 2000 * MS, "");
    order(&desk, LOOP_TIMER, 5, 1500 * MS, "");
    order(&desk, LOOP_TIMER, 7, 1600 * MS, "");
    order(&desk, LOOP_TIMER, 7, 0, "");         /* taken away */
    order(&desk, LOOP_TIMER, 9, 1400 * MS, ""); /* moved */
    cr_assert_eq(session_next_timer(desk.session), 1400 * MS);
    wait_ms(&desk, 399);
    heard_is(&desk, "");
    wait_ms(&desk, 1601);
    heard_is(&desk, "1< timer 9 3000000000; 1< timer 5 3000000000; 1< timer 3 3000000000; ");
    cr_assert_eq(session_next_timer(desk.session), INT64_MAX);

    order(&desk, LOOP_TIMER_AGAIN, 0, 0, "");
    order(&desk, LOOP_TIMER, 1, 1, ""); /* in the past: as soon as may be */
    cr_assert_eq(session_next_timer(desk.session), desk.now + 1000);
    wait_ms(&desk, 1);
    heard_is(&desk, "1< timer 1 3001000000; ");
    cr_assert_eq(session_next_timer(desk.session), desk.now + 1000, "once in each call, even so");
    order(&desk, LOOP_TIMER, 1, 0, "");

    for (uint32_t i = 0; i < 1024; i++)
        cr_assert_eq(order(&desk, LOOP_TIMER, i, 9000 * MS + i * 7919 % 512, ""), WEIR_OK);
    cr_assert_eq(order(&desk, LOOP_TIMER, 5000, 9000 * MS, ""), WEIR_E_FULL);
    cr_assert_eq(order(&desk, LOOP_TIMER, 5, -9, ""), WEIR_E_USAGE);
    uint64_t fired = 0;
    weir_ns last = 0;
    while (session_next_timer(desk.session) != INT64_MAX) {
        weir_ns next = session_next_timer(desk.session);
        cr_assert(next >= last);
        last = next;
        order(&desk, LOOP_TIMER, (uint32_t)fired++, 0, "");
    }
    cr_assert(fired == 1024);
    session_destroy(desk.session);
}

Test(session, what_the_plugin_may_call)
{
    struct desk desk = {0};
    open_desk(&desk, true);
    heard(&desk);
    static const struct {
        uint16_t kind;
        const char *text;
        enum weir_err err;
        const char *heard;
    } cases[] = {
        {LOOP_CONNECT, "/ws/btcusdt@depth", WEIR_OK, "connect 9 /ws/btcusdt@depth; "},
        {LOOP_CONNECT, "ws", WEIR_E_USAGE, ""},
        {LOOP_CONNECT, "/ws HTTP/1.1\r\nHost: evil", WEIR_E_USAGE, ""},
        {LOOP_REQUEST, "/api?a=b", WEIR_OK, "GET /api?a=b; "},
        {LOOP_REQUEST, "/api?a=\xc3\xa4", WEIR_E_USAGE, ""},
        {LOOP_REQUEST, "", WEIR_E_USAGE, ""},
        {LOOP_SEND, "hello", WEIR_OK, "9< hello; "},
        {LOOP_SIGN, "abc", WEIR_OK, "sign k hmac-sha256 3; "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(order(&desk, cases[i].kind, 9, 0, cases[i].text), cases[i].err, "%s",
                     cases[i].text);
        cr_assert_str_eq(heard(&desk), cases[i].heard, "%s", cases[i].text);
    }
    session_response(desk.session, 9, desk.now, 200, (struct weir_bytes){"x", 1});
    heard_is(&desk, "1< response 9 200; ");
    struct weir_trade trade = {
        .msg = {.size = sizeof trade, .kind = WEIR_TRADE, .instrument = 1, .cause = sizeof trade},
        .px = 5,
        .qty = 6};
    struct weir_instrument one = an_instrument(1, "BTCUSDT");
    say(&desk, one);
    cr_assert_eq(session_recorded(desk.session, desk.now, (struct weir_bytes){"http://x/", 9},
                                  (struct weir_bytes){(char *)&trade, sizeof trade}),
                 WEIR_OK);
    heard_is(&desk, "BTCUSDT is 41; trade 5x6; ");
    desk.lines[0] = '\0';
    desk.now += SECOND;
    for (int i = 0; i < 50; i++)
        order(&desk, LOOP_LOG, 0, 0, "a line\nof two");
    desk.now += SECOND;
    order(&desk, LOOP_LOG, 0, 0, "next");
    cr_assert_not_null(strstr(desk.lines, "a line of two\n30 lines were left out\nnext\n"), "%s",
                       desk.lines);

    struct desk mute = {0}; /* no network at all */
    struct session_owner owner = {.context = &mute, .event = on_event, .instrument = on_instrument};
    struct session_config config = {.name = "mute", .venue = 3, .account = 7};
    mute.session = session_create(loopback(), &config, &owner, NULL);
    mute.now = SECOND;
    for (uint16_t kind = LOOP_SEND; kind <= LOOP_SIGN; kind++)
        cr_assert_eq(order(&mute, kind, 9, 0, "/x"), WEIR_E_DOWN, "kind %u", kind);
    session_destroy(mute.session);
    session_destroy(desk.session);
}

Test(session, a_plugin_that_refuses_says_why)
{
    struct desk desk = {0};
    struct session_owner owner = owner_of(&desk);
    struct weir_setting settings[] = {
        {"emit_in_open", "1"}, {"refuse", "setting 'market': expected spot"}, {NULL, NULL}};
    struct session_config config = {.name = "beta", .settings = settings};
    struct why why = {0};
    cr_assert_null(session_create(loopback(), &config, &owner, &why));
    cr_assert_str_eq(why.text,
                     "venue beta: plugin loopback does not open a session: setting 'market': "
                     "expected spot");
    cr_assert_str_empty(desk.heard, "no event while it opens");
    config = (struct session_config){.name = "beta", .book_window = 100};
    cr_assert_null(session_create(loopback(), &config, &owner, &why));
    cr_assert_not_null(strstr(why.text, "book window 100"), "%s", why.text);
}
