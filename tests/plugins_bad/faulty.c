/* faulty.c - a connector for a venue of lines of words, with one fault that -D chooses, or with none: what
 * `weir plugin check` must find (tests/cli/plugin_check.sh has the table).
 *
 *   from the venue   T SYMBOL px qty               trade        A cid oid      accepted
 *                    F cid oid exec SYMBOL px qty  execution    X cid          canceled
 *   to the venue     N cid SYMBOL side type tif px qty flags    C cid, R cid px qty newcid, Q cid, O */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "weir/scan.h"

enum { CONN = 1, EXP = 2, WORDS = 8, WORD_MAX = 40, MARKETS = 2 };
static const char *const symbols[MARKETS] = {"ABC-USD", "XYZ-USD"};

struct session {
    const struct weir_host *host;
    const char *kept;
    char *freed;
    int up;
    char last[WORD_MAX];
};

/* --- what a fault does ------------------------------------------------------------------------- */

#if defined STARTS_THREAD
static void *nothing(void *argument)
{
    return argument;
}
#endif

/* On each frame. */
static void misbehave(struct session *session, struct weir_bytes frame)
{
    (void)session, (void)frame;
#if defined BLOCKS
    usleep(1);
#elif defined HANGS
    for (volatile int on = 1; on;)
        ;
#elif defined SPINS
    for (volatile int i = 0; i < 10000000; i++)
        ;
#elif defined LEAKS
    session->kept = malloc(24);
#elif defined OPENS_SOCKET
    (void)socket(AF_INET, SOCK_STREAM, 0);
#elif defined KEEPS_POINTER
    if (session->kept && session->kept[0] == '?')
        session->up = 0;
    session->kept = frame.data;
#elif defined WRITES_AFTER_FREE
    session->freed[0] = 1;
#elif defined STARTS_THREAD
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
#elif defined PRINTS
    fprintf(stderr, "a frame of %zu bytes\n", frame.len);
#elif defined READS_BEHIND
    session->up += frame.data[frame.len] == '?';
#elif defined CRASHES_ON_SHORT
    if (frame.len < 3)
        abort();
#elif defined EXITS
    exit(0);
#endif
}

/* --- from the venue ------------------------------------------------------------------------------ */

static int split(struct weir_bytes frame, char word[WORDS][WORD_MAX])
{
    int count = 0;
    size_t len = 0;
    for (size_t i = 0; i <= frame.len; i++) {
        char c = i < frame.len ? frame.data[i] : ' ';
        if (c != ' ' && (c < '!' || c > '~' || len + 1 >= WORD_MAX || count == WORDS))
            return 0;
        if (c != ' ') {
            word[count][len++] = c;
        } else if (len > 0) {
            word[count++][len] = '\0';
            len = 0;
        }
    }
    return count;
}

static int64_t number(const char *text) /* 0: it is none, or not positive */
{
    struct scan scan = scan_of((struct weir_bytes){text, strlen(text)});
    int64_t value = scan_digits(&scan, EXP);
    return scan_done(&scan) && value > 0 ? value : 0;
}

static uint32_t market(const char *symbol)
{
    for (uint32_t i = 0; i < MARKETS; i++)
        if (strcmp(symbol, symbols[i]) == 0)
            return i + 1;
    return 0;
}

static enum weir_err tell_trade(struct session *session, char word[WORDS][WORD_MAX])
{
    struct weir_trade it = {
        .msg = {.size = sizeof it, .kind = WEIR_TRADE, .instrument = market(word[1])},
        .px = number(word[2]),
        .qty = number(word[3])};
    if (it.msg.instrument == 0 || it.px == 0 || it.qty == 0)
        return WEIR_E_BAD_FRAME;
#if defined WRONG_MARKET
    it.msg.instrument = 3 - it.msg.instrument;
#elif defined WRONG_TRADE
    it.px++;
#endif
    session->host->emit(session->host->host, &it.msg);
    return WEIR_OK;
}

static enum weir_err tell_fill(struct session *session, char word[WORDS][WORD_MAX])
{
    struct weir_fill it = {
        .msg = {.size = sizeof it, .kind = WEIR_FILL, .instrument = market(word[4])},
        .px = number(word[5]),
        .qty = number(word[6])};
    snprintf(it.client_id, sizeof it.client_id, "%s", word[1]);
    snprintf(it.venue_id, sizeof it.venue_id, "%s", word[2]);
    snprintf(it.exec_id, sizeof it.exec_id, "%s", word[3]);
    if (it.msg.instrument == 0 || it.px == 0 || it.qty == 0)
        return WEIR_E_BAD_FRAME;
#if defined LOSES_FILLS
    return WEIR_OK;
#elif defined LIES_ABOUT_FILLS
    it.qty = 1000;
#elif defined FILLS_ANEW
    static unsigned fills;
    snprintf(it.exec_id, sizeof it.exec_id, "e%u", ++fills);
#elif defined DOUBLES_FILLS
    session->host->emit(session->host->host, &it.msg);
#endif
    session->host->emit(session->host->host, &it.msg);
    return WEIR_OK;
}

static void tell(struct session *session, uint16_t kind, const char *client_id,
                 const char *venue_id)
{
    struct weir_report it = {.msg = {.size = sizeof it, .kind = kind}, .proof = WEIR_DEFINITE};
    snprintf(it.client_id, sizeof it.client_id, "%s", client_id);
    snprintf(it.venue_id, sizeof it.venue_id, "%s", venue_id);
#if defined BAD_EVENTS
    it.proof = 77;
#endif
    session->host->emit(session->host->host, &it.msg);
}

static enum weir_err on_frame(void *context, uint32_t conn, weir_ns now, struct weir_bytes frame)
{
    struct session *session = context;
    char word[WORDS][WORD_MAX];
    (void)conn, (void)now;
    misbehave(session, frame);
    int count = split(frame, word);
#if defined TAKES_CUT
    if (count == 2 && word[0][0] == 'A') { /* "oid" may be missing */
        tell(session, WEIR_ACK, word[1], "");
        return WEIR_OK;
    }
#endif
    if (count == 4 && strcmp(word[0], "T") == 0 && frame.data[frame.len - 1] == ' ')
        return tell_trade(session, word);
    if (count == 3 && strcmp(word[0], "A") == 0 && frame.data[frame.len - 1] == ' ')
        tell(session, WEIR_ACK, word[1], word[2]);
    else if (count == 7 && strcmp(word[0], "F") == 0 && frame.data[frame.len - 1] == ' ')
        return tell_fill(session, word);
    else if (count == 2 && strcmp(word[0], "X") == 0 && frame.data[frame.len - 1] == ' ')
        tell(session, WEIR_CANCELED, word[1], "");
    else
        return WEIR_E_BAD_FRAME;
    return WEIR_OK;
}

/* --- to the venue --------------------------------------------------------------------------------- */

static enum weir_err say(struct session *session, const char *text, int len)
{
    return session->host->send(session->host->host, CONN, (struct weir_bytes){text, (size_t)len});
}

static enum weir_err send_new(struct session *session, const struct weir_intent *order)
{
    char text[256];
    uint32_t at = order->msg.instrument - 1;
    unsigned tif = order->tif, flags = order->flags, side = order->side;
    int64_t px = order->px, more = 0;
    if (at >= MARKETS || order->type > WEIR_MARKET || tif > WEIR_IOC)
        return WEIR_E_UNSUPPORTED;
#if defined DROPS_REDUCE_ONLY
    flags &= ~(unsigned)WEIR_REDUCE_ONLY;
#elif defined DROPS_POST_ONLY
    flags &= ~(unsigned)WEIR_POST_ONLY;
#elif defined REFUSES_POST_ONLY
    if (flags & WEIR_POST_ONLY)
        return WEIR_E_UNSUPPORTED;
#elif defined IGNORES_TIF
    tif = WEIR_GTC;
#elif defined WRONG_SIDE
    side = WEIR_BUY;
#elif defined WRONG_SYMBOL
    at = MARKETS - 1 - at;
#elif defined WRONG_SCALE
    px = px / 10;
#elif defined NOT_PURE
    static int64_t orders;
    more = ++orders;
#elif defined WALL_CLOCK
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    more = now.tv_nsec;
#elif defined CHANCE
    more = rand();
#elif defined TAKES_AND_FORGETS
    return WEIR_OK;
#endif
    int len =
        snprintf(text, sizeof text,
                 "N %s %s %u %u %u %" PRId64 ".%02" PRId64 " %" PRId64 ".%02" PRId64 " %u %" PRId64,
                 order->client_id, symbols[at], side, order->type, tif, px / 100, px % 100,
                 order->qty / 100, order->qty % 100, flags, more);
    snprintf(session->last, sizeof session->last, "%.*s", WORD_MAX - 1, order->client_id);
    enum weir_err err = say(session, text, len);
#if defined INVENTS_FILLS
    struct weir_fill fill = {.msg = {.size = sizeof fill, .kind = WEIR_FILL, .instrument = at + 1},
                             .exec_id = "1",
                             .px = px,
                             .qty = order->qty};
    snprintf(fill.client_id, sizeof fill.client_id, "%s", order->client_id);
    session->host->emit(session->host->host, &fill.msg);
#elif defined ACKS_ON_SEND
    tell(session, WEIR_ACK, order->client_id, "");
#elif defined REFUSES_AFTER_SENDING
    return WEIR_E_UNSUPPORTED;
#endif
    return err;
}

static enum weir_err send_rest(struct session *session, const struct weir_intent *order)
{
    char text[256];
    const char *id = order->client_id;
    int len = 0;
#if defined CANCELS_LAST
    id = session->last;
#endif
    switch (order->msg.kind) {
    case WEIR_CANCEL: len = snprintf(text, sizeof text, "C %s", id); break;
#if !defined LACKS_AMEND
    case WEIR_REPLACE:
        len = snprintf(text, sizeof text, "R %s %" PRId64 ".%02" PRId64 " %s", id, order->px / 100,
                       order->px % 100, order->new_client_id);
        break;
#endif
#if defined LACKS_QUERY
    case WEIR_QUERY_ORDER: return WEIR_OK;
#else
    case WEIR_QUERY_ORDER: len = snprintf(text, sizeof text, "Q %s", id); break;
#endif
    case WEIR_RECONCILE: len = snprintf(text, sizeof text, "O"); break;
    case WEIR_SUBSCRIBE:
    case WEIR_RESYNC: return WEIR_OK;
    default: return WEIR_E_UNSUPPORTED;
    }
    return say(session, text, len);
}

static enum weir_err on_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    (void)now;
    return intent->msg.kind == WEIR_NEW ? send_new(session, intent) : send_rest(session, intent);
}

/* --- life -------------------------------------------------------------------------------------------- */

#if defined SHARED_STATE
static struct session shared;
#endif

static enum weir_err open_session(const struct weir_host *host, const struct weir_setting *settings,
                                  void **session_out)
{
    (void)settings;
#if defined SHARED_STATE
    struct session *session = &shared;
#else
    struct session *session = calloc(1, sizeof *session);
#endif
    if (!session)
        return WEIR_E_NO_MEMORY;
    session->host = host;
#if defined WRITES_AFTER_FREE
    session->freed = malloc(16);
    free(session->freed);
#endif
    *session_out = session;
    return WEIR_OK;
}

static void close_session(void *session)
{
#if !defined SHARED_STATE && !defined LEAKS_SESSIONS
    free(session);
#endif
    (void)session;
}

static enum weir_err start(void *context, weir_ns now)
{
    struct session *session = context;
    (void)now;
    for (uint32_t i = 0; i < MARKETS; i++) {
        struct weir_instrument it = {
            .msg = {.size = sizeof it, .kind = WEIR_INSTRUMENT, .instrument = i + 1},
            .price_exp = EXP,
            .qty_exp = EXP,
            .multiplier = 1,
            .tick = 1,
            .step = 1};
        snprintf(it.symbol, sizeof it.symbol, "%s", symbols[i]);
        snprintf(it.base, sizeof it.base, "%.3s", symbols[i]);
        snprintf(it.quote, sizeof it.quote, "USD");
        session->host->emit(session->host->host, &it.msg);
    }
    return session->host->connect(session->host->host, CONN, "/ws");
}

static enum weir_err on_conn(void *context, uint32_t conn, weir_ns now, int up)
{
    struct session *session = context;
    struct weir_session it = {
        .msg = {.size = sizeof it, .kind = WEIR_SESSION, .flags = (uint16_t)up}};
    (void)conn, (void)now;
#if defined HIDES_LOSS
    if (!up)
        return WEIR_OK;
#elif defined LOSS_IS_REJECT
    if (!up && session->last[0])
        tell(session, WEIR_REJECT, session->last, "");
#endif
    session->host->emit(session->host->host, &it.msg);
    return WEIR_OK;
}

static const struct weir_caps caps = {
    .size = sizeof caps,
    .order_types = 1u << WEIR_LIMIT | 1u << WEIR_MARKET,
    .tifs = 1u << WEIR_GTC | 1u << WEIR_IOC,
    .order_flags = WEIR_POST_ONLY | WEIR_REDUCE_ONLY,
    .orders = 1,
    .amend = 1,
#if !defined CANNOT_RESOLVE
    .query_by_client_id = 1,
    .open_orders = 1,
#endif
    .absence_proves_after = 5000000000,
    .book_rule = WEIR_RULE_NONE,
    .client_id_max = 36,
};

#ifndef ABI
#define ABI WEIR_ABI
#endif
#ifndef SIZE
#define SIZE sizeof(struct weir_plugin)
#endif
__attribute__((visibility("default"))) const struct weir_plugin weir_plugin = {
    .magic = WEIR_MAGIC,
    .size = SIZE,
    .abi = ABI,
    .layout = WEIR_LAYOUT,
    .name = "faulty",
    .version = "1",
    .caps = &caps,
    .open = open_session,
    .close = close_session,
    .start = start,
    .on_frame = on_frame,
    .on_conn = on_conn,
    .on_intent = on_intent,
};
