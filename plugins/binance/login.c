/* login.c - the session at the venue: connections, log-on, the private stream, its clock, renewals.
 *
 *   spot    one connection of the WebSocket API carries orders, answers and the private stream
 *   USD-M   one carries orders and answers; the private stream is another, opened with a listen key
 *           that HTTP gives and that is kept alive each half hour
 *
 * With Ed25519 a connection is logged on once (session.logon) and its requests need no signature; with
 * HMAC and RSA each is signed. The venue ends a connection after 24 hours: after 23 another is made, and
 * when it can do all that the old one could, it takes over; the old one is closed when what it carried
 * has had time to be answered. Both tell of executions meanwhile, which the host books once. So it is
 * with the private stream of USD-M, and with market data (streams.c). */
#include <stdio.h>

#include "trade.h"

#define SECOND      ((weir_ns)1000000000)
#define RENEW_AFTER (23 * 3600 * SECOND)
#define LEAVE_AFTER (15 * SECOND)
#define KEEP_EVERY  (1800 * SECOND)
#define CLOCK_EVERY (60 * SECOND)
#define AGAIN_AFTER (5 * SECOND)

enum { CLOCK_FIRST = 5 }; /* samples, a second apart, at the start */

static enum weir_err set_timer(struct binance *binance, uint32_t what, weir_ns t)
{
    return binance->host->timer(binance->host->host, TIMER_TRADE | what, t);
}

bool is_trade_conn(uint32_t conn)
{
    return conn >= CONN_ORDERS && conn < CONN_USER + 2;
}

static void tell_stream(struct binance *binance, bool up, const char *reason)
{
    struct weir_session session = {.msg = {.size = sizeof session,
                                           .kind = WEIR_SESSION,
                                           .flags = up ? WEIR_STREAM_UP : WEIR_STREAM_DOWN}};
    binance->orders->waits = up && !binance->orders->rules;
    if (binance->orders->heard == up || binance->orders->waits)
        return;
    binance->orders->heard = up;
    object_copy((struct weir_bytes){reason, strlen(reason)}, session.reason, sizeof session.reason);
    binance->host->emit(binance->host->host, &session.msg);
}

void login_rules(struct binance *binance)
{
    binance->orders->rules = true;
    if (binance->orders->waits)
        tell_stream(binance, true, "");
}

static enum weir_err simply(struct binance *binance, enum action action, weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_new(binance, action, now);
    return pending ? call(binance, pending, &params, now) : WEIR_E_FULL;
}

enum weir_err login_clock(struct binance *binance, weir_ns now)
{
    enum weir_err err = simply(binance, DO_TIME, now);
    enum weir_err set = set_timer(binance, TIMER_CLOCK, now + CLOCK_EVERY);
    return err == WEIR_E_DOWN || err == WEIR_E_FULL ? set : err;
}

/* --- the connection of orders ------------------------------------------------------------------ */

static enum weir_err connect_orders(struct binance *binance, uint32_t conn)
{
    const char *path = binance->market == MARKET_SPOT ? "/ws-api/v3" : "/ws-fapi/v1";
    enum weir_err err = binance->host->connect_to(binance->host->host, conn, "orders", path);
    return err == WEIR_E_DOWN ? WEIR_OK : err;
}

static enum weir_err listen_stream(struct binance *binance, weir_ns now)
{
    enum weir_err err = simply(binance, DO_LISTEN, now);
    return err ? set_timer(binance, TIMER_LISTEN, now + AGAIN_AFTER) : WEIR_OK;
}

enum weir_err login_start(struct binance *binance, weir_ns now)
{
    struct trade *trade = binance->orders;
    enum weir_err err = WEIR_OK;
    trade->started = now;
    if (!trade->key[0])
        return WEIR_OK;
    err = login_clock(binance, now);
    if (!err)
        err = set_timer(binance, TIMER_CLOCK, now + SECOND);
    if (!err && (binance->market == MARKET_SPOT || strcmp(trade->door, "ws") == 0))
        err = connect_orders(binance, CONN_ORDERS);
    if (!err && binance->market == MARKET_USDM)
        err = listen_stream(binance, now);
    if (!err && trade->silence > 0 && binance->market == MARKET_USDM)
        err = set_timer(binance, TIMER_SILENCE, now + SECOND);
    return err;
}

/* It can do all that it should: it takes over. */
static enum weir_err is_ready(struct binance *binance, uint32_t conn, weir_ns now)
{
    struct trade *trade = binance->orders;
    uint32_t before = trade->conn;
    bool by_ws = strcmp(trade->door, "ws") == 0;
    if (trade->next == conn) {
        trade->leave = before ? before : trade->leave;
        trade->next = 0;
        enum weir_err err = set_timer(binance, TIMER_LEAVE, now + LEAVE_AFTER);
        if (err)
            return err;
    }
    trade->conn = by_ws ? conn : 0;
    trade->logged_on = strcmp(trade->algorithm, "ed25519") == 0;
    if (binance->market == MARKET_SPOT) {
        trade->user_conn = conn;
        tell_stream(binance, true, "");
    }
    return set_timer(binance, TIMER_RENEW, now + RENEW_AFTER);
}

/* Nothing is waited for: what else is asked of a connection would be asked twice. */
static bool all_ready(const struct trade *trade, enum market market)
{
    bool by_ws = strcmp(trade->door, "ws") == 0;
    return !trade->next && (trade->conn || !by_ws) && (trade->user_conn || market != MARKET_SPOT);
}

static enum weir_err hear(struct binance *binance, uint32_t conn, weir_ns now)
{
    struct params params = {.count = 0};
    struct pending *pending = pending_new(binance, DO_HEAR, now);
    return pending ? call_on(binance, conn, pending, &params, now) : WEIR_E_FULL;
}

static enum weir_err log_on(struct binance *binance, uint32_t conn, weir_ns now)
{
    struct params params = {.count = 0};
    bool session = strcmp(binance->orders->algorithm, "ed25519") == 0;
    if (!session && binance->market != MARKET_SPOT)
        return is_ready(binance, conn, now);
    enum weir_err err = set_timer(binance, TIMER_HEAR, now + 2 * AGAIN_AFTER);
    if (err)
        return err;
    if (!session)
        return hear(binance, conn, now);
    struct pending *pending = pending_new(binance, DO_LOGON, now);
    return pending ? call_on(binance, conn, pending, &params, now) : WEIR_E_FULL;
}

static void lost(struct binance *binance, uint32_t conn, weir_ns now)
{
    struct trade *trade = binance->orders;
    if (trade->conn == conn) {
        trade->conn = 0;
        trade->logged_on = false;
    }
    if (trade->leave == conn)
        trade->leave = 0;
    answer_lost(binance, conn, now);
    if (trade->user_conn == conn) {
        trade->user_conn = 0;
        tell_stream(binance, false, "the connection of the private stream is lost");
    }
}

static enum weir_err user_conn(struct binance *binance, uint32_t conn, weir_ns now, int up)
{
    struct trade *trade = binance->orders;
    if (up) {
        enum weir_err err = set_timer(binance, TIMER_USER_RENEW, now + RENEW_AFTER);
        if (trade->user_conn && trade->user_conn != conn) {
            trade->user_leave = trade->user_conn;
            err = err ? err : set_timer(binance, TIMER_USER_LEAVE, now + LEAVE_AFTER);
        }
        trade->user_conn = trade->user_at = conn;
        tell_stream(binance, true, "");
        return err;
    }
    if (trade->user_leave == conn)
        trade->user_leave = 0;
    if (trade->user_conn != conn)
        return WEIR_OK;
    trade->user_conn = 0;
    tell_stream(binance, false, "the connection of the private stream is lost");
    return listen_stream(binance, now); /* the key may be dead with it */
}

enum weir_err login_conn(struct binance *binance, uint32_t conn, weir_ns now, int up)
{
    if (conn >= CONN_USER)
        return user_conn(binance, conn, now, up);
    if (!up) {
        lost(binance, conn, now);
        return WEIR_OK;
    }
    enum weir_err err = log_on(binance, conn, now);
    return err == WEIR_E_FULL ? set_timer(binance, TIMER_HEAR, now + AGAIN_AFTER) : err;
}

enum weir_err login_renew(struct binance *binance, weir_ns now)
{
    struct trade *trade = binance->orders;
    uint32_t now_at = trade->conn ? trade->conn : trade->user_conn;
    if (trade->next || now_at < CONN_ORDERS || now_at > CONN_ORDERS + 1)
        return set_timer(binance, TIMER_RENEW, now + RENEW_AFTER);
    trade->next = now_at == CONN_ORDERS ? CONN_ORDERS + 1 : CONN_ORDERS;
    return connect_orders(binance, trade->next);
}

static enum weir_err leave(struct binance *binance)
{
    uint32_t conn = binance->orders->leave;
    if (!conn)
        return WEIR_OK;
    return binance->host->connect_to(binance->host->host, conn, "orders", NULL);
}

/* --- USD-M: listen keys, cancel-on-silence ----------------------------------------------------- */

enum weir_err login_listen_again(struct binance *binance, weir_ns now)
{
    return listen_stream(binance, now);
}

static enum weir_err connect_user(struct binance *binance, uint32_t conn)
{
    char path[320];
    (void)snprintf(path, sizeof path,
                   "/private/ws?listenKey=%s&events=ORDER_TRADE_UPDATE/ALGO_UPDATE/ACCOUNT_UPDATE/"
                   "listenKeyExpired",
                   binance->orders->listen_key);
    enum weir_err err = binance->host->connect_to(binance->host->host, conn, "", path);
    return err == WEIR_E_DOWN ? WEIR_OK : err;
}

/* The private stream after 23 hours: another connection with the same key, before the venue ends it. */
static enum weir_err renew_user(struct binance *binance)
{
    uint32_t conn = binance->orders->user_conn;
    return conn ? connect_user(binance, conn == CONN_USER ? CONN_USER + 1 : CONN_USER) : WEIR_OK;
}

static enum weir_err leave_user(struct binance *binance)
{
    uint32_t conn = binance->orders->user_leave;
    return conn ? binance->host->connect_to(binance->host->host, conn, "", NULL) : WEIR_OK;
}

static enum weir_err listens(struct binance *binance, struct weir_bytes result, weir_ns now)
{
    struct trade *trade = binance->orders;
    char key[sizeof trade->listen_key];
    object_copy(object_text(result, "listenKey"), key, sizeof key);
    for (const char *at = key; *at; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
              (*at >= '0' && *at <= '9') || *at == '-' || *at == '_'))
            return WEIR_E_BAD_FRAME;
    if (!key[0])
        return WEIR_E_BAD_FRAME;
    memcpy(trade->listen_key, key, sizeof key);
    enum weir_err err = connect_user(binance, trade->user_at ? trade->user_at : CONN_USER);
    if (!err)
        err = set_timer(binance, TIMER_KEEP, now + KEEP_EVERY);
    return err;
}

/* The countdown of each symbol begins anew: silence of three of these, and the venue cancels all. */
static enum weir_err count_down(struct binance *binance, weir_ns now)
{
    const struct trade *trade = binance->orders;
    for (uint32_t i = 0; i < binance->symbols.count; i++) {
        const struct symbol *symbol = &binance->symbols.rows[i];
        struct params params = {.count = 0};
        struct pending *pending = symbol->wanted ? pending_new(binance, DO_COUNTDOWN, now) : NULL;
        if (!pending)
            continue;
        params_text(&params, "symbol", symbol->name);
        params_int(&params, "countdownTime", trade->silence / 1000000);
        (void)call(binance, pending, &params, now);
    }
    return set_timer(binance, TIMER_SILENCE, now + trade->silence / 3);
}

/* --- answers and timers ------------------------------------------------------------------------- */

static enum weir_err clock_told(struct binance *binance, const struct pending *pending,
                                struct weir_bytes result, weir_ns now)
{
    int64_t t = object_int(result, "serverTime", 0);
    if (t > 0 && t < INT64_MAX / 1000000)
        (void)binance->host->venue_clock(binance->host->host, pending->sent, now, t * 1000000);
    if (++binance->orders->clock_asks < CLOCK_FIRST)
        return set_timer(binance, TIMER_CLOCK, now + SECOND);
    return WEIR_OK;
}

enum weir_err login_answer(struct binance *binance, const struct pending *pending, int status,
                           struct weir_bytes result, weir_ns now)
{
    bool well = status == 200;
    switch (pending->action) {
    case DO_TIME: return well ? clock_told(binance, pending, result, now) : WEIR_OK;
    case DO_LISTEN:
        return well ? listens(binance, result, now)
                    : set_timer(binance, TIMER_LISTEN, now + AGAIN_AFTER);
    case DO_KEEP:
        return well ? set_timer(binance, TIMER_KEEP, now + KEEP_EVERY)
                    : listen_stream(binance, now);
    case DO_LOGON:
        if (well)
            return binance->market == MARKET_SPOT ? hear(binance, pending->conn, now)
                                                  : is_ready(binance, pending->conn, now);
        break;
    case DO_HEAR:
        if (well)
            return is_ready(binance, pending->conn, now);
        break;
    default: return WEIR_OK;
    }
    if (status > 0 && binance->host->log)
        binance->host->log(binance->host->host,
                           "binance: the venue refuses the log-on; it is tried again");
    return status > 0 ? set_timer(binance, TIMER_HEAR, now + AGAIN_AFTER) : WEIR_OK;
}

/* A log-on that was refused or could not be sent: once more, on the connection that waits for it. */
static enum weir_err hear_again(struct binance *binance, weir_ns now)
{
    const struct trade *trade = binance->orders;
    uint32_t conn = trade->next ? trade->next : CONN_ORDERS;
    if (all_ready(trade, binance->market))
        return WEIR_OK;
    if (trade->conn == conn || trade->user_conn == conn)
        conn = conn == CONN_ORDERS ? CONN_ORDERS + 1 : CONN_ORDERS;
    enum weir_err err = log_on(binance, conn, now);
    return err == WEIR_E_FULL ? set_timer(binance, TIMER_HEAR, now + AGAIN_AFTER) : WEIR_OK;
}

enum weir_err login_timer(struct binance *binance, uint32_t what, weir_ns now)
{
    switch (what) {
    case TIMER_CLOCK: return login_clock(binance, now);
    case TIMER_RENEW: return login_renew(binance, now);
    case TIMER_LEAVE: return leave(binance);
    case TIMER_KEEP: return simply(binance, DO_KEEP, now);
    case TIMER_LISTEN: return listen_stream(binance, now);
    case TIMER_SILENCE: return count_down(binance, now);
    case TIMER_HEAR: return hear_again(binance, now);
    case TIMER_RECON: return recon_timer(binance, now);
    case TIMER_USER_RENEW: return renew_user(binance);
    case TIMER_USER_LEAVE: return leave_user(binance);
    case TIMER_MARKET_RENEW: return market_renew(binance, now);
    case TIMER_MARKET_TAKE: return market_take(binance, now);
    case TIMER_MARKET_LEAVE: return market_leave(binance, now);
    default: return WEIR_OK;
    }
}
