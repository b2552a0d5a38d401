/* actions.c - what the venue can be asked, in each market: one row an action.
 *
 * Method and path of HTTP, the WebSocket API's name for the same, its weight of the request budget, the
 * lane in which it waits when that runs low, whether it is signed, whether it may be repeated. */
#include "trade.h"

/* clang-format off */
enum { SIGNED = 1, AGAIN = 2 };
#define ROW(action, method, path, ws, weight, lane, flags)                                        \
    [DO_##action] = {method, path, ws, weight, WEIR_LANE_##lane, ((flags) & SIGNED) != 0, ((flags) & AGAIN) != 0}

static const struct action_row spot[ACTIONS] = {
    ROW(PLACE,      "POST",   "/api/v3/order",                    "order.place",               1, NEW,    SIGNED),
    ROW(CANCEL,     "DELETE", "/api/v3/order",                    "order.cancel",              1, CANCEL, SIGNED),
    ROW(CANCEL_ALL, "DELETE", "/api/v3/openOrders",               "openOrders.cancelAll",      1, CANCEL, SIGNED),
    ROW(REDUCE,     "PUT",    "/api/v3/order/amend/keepPriority", "order.amend.keepPriority",  4, ASK,    SIGNED),
    ROW(REPLACE,    "POST",   "/api/v3/order/cancelReplace",      "order.cancelReplace",       1, NEW,    SIGNED),
    ROW(QUERY,      "GET",    "/api/v3/order",                    "order.status",              4, ASK,    SIGNED | AGAIN),
    ROW(OPEN,       "GET",    "/api/v3/openOrders",               "openOrders.status",         6, ASK,    SIGNED | AGAIN),
    ROW(CLOSED,     "GET",    "/api/v3/allOrders",                "allOrders",                20, ASK,    SIGNED | AGAIN),
    ROW(FILLS,      "GET",    "/api/v3/myTrades",                 "myTrades",                 20, ASK,    SIGNED | AGAIN),
    ROW(ACCOUNT,    "GET",    "/api/v3/account",                  "account.status",           20, ASK,    SIGNED | AGAIN),
    ROW(TIME,       "GET",    "/api/v3/time",                     NULL,                        1, ASK,    AGAIN),
    ROW(TRADES,     "GET",    "/api/v3/aggTrades",                NULL,                        4, ASK,    AGAIN),
    ROW(BOOK,       "GET",    "/api/v3/depth",                    NULL,                       50, ASK,    AGAIN),
    ROW(INFO,       "GET",    "/api/v3/exchangeInfo",             NULL,                       20, ASK,    AGAIN),
    ROW(LOGON,      NULL,     NULL,                               "session.logon",             2, CANCEL, SIGNED),
    ROW(HEAR,       NULL,     NULL,                               "userDataStream.subscribe",  2, CANCEL, SIGNED),
};
static const struct action_row usdm[ACTIONS] = {
    ROW(PLACE,        "POST",   "/fapi/v1/order",              "order.place",      1, NEW,    SIGNED),
    ROW(PLACE_ALGO,   "POST",   "/fapi/v1/algoOrder",          NULL,               1, NEW,    SIGNED),
    ROW(CANCEL,       "DELETE", "/fapi/v1/order",              "order.cancel",     1, CANCEL, SIGNED),
    ROW(CANCEL_ALGO,  "DELETE", "/fapi/v1/algoOrder",          NULL,               1, CANCEL, SIGNED),
    ROW(CANCEL_ALL,   "DELETE", "/fapi/v1/allOpenOrders",      NULL,               1, CANCEL, SIGNED),
    ROW(MODIFY,       "PUT",    "/fapi/v1/order",              "order.modify",     1, NEW,    SIGNED),
    ROW(QUERY,        "GET",    "/fapi/v1/order",              "order.status",     1, ASK,    SIGNED | AGAIN),
    ROW(QUERY_ALGO,   "GET",    "/fapi/v1/algoOrder",          NULL,               1, ASK,    SIGNED | AGAIN),
    ROW(OPEN,         "GET",    "/fapi/v1/openOrders",         NULL,               1, ASK,    SIGNED | AGAIN),
    ROW(OPEN_ALGO,    "GET",    "/fapi/v1/openAlgoOrders",     NULL,               1, ASK,    SIGNED | AGAIN),
    ROW(CLOSED,       "GET",    "/fapi/v1/allOrders",          NULL,               5, ASK,    SIGNED | AGAIN),
    ROW(FILLS,        "GET",    "/fapi/v1/userTrades",         NULL,               5, ASK,    SIGNED | AGAIN),
    ROW(ACCOUNT,      "GET",    "/fapi/v3/account",            "account.status",   5, ASK,    SIGNED | AGAIN),
    ROW(POSITIONS,    "GET",    "/fapi/v3/positionRisk",       "account.position", 5, ASK,    SIGNED | AGAIN),
    ROW(TIME,         "GET",    "/fapi/v1/time",               NULL,               1, ASK,    AGAIN),
    ROW(TRADES,       "GET",    "/fapi/v1/aggTrades",          NULL,              20, ASK,    AGAIN),
    ROW(BOOK,         "GET",    "/fapi/v1/depth",              NULL,              20, ASK,    AGAIN),
    ROW(FUNDING,      "GET",    "/fapi/v1/premiumIndex",       NULL,               1, ASK,    AGAIN),
    ROW(INCOME,       "GET",    "/fapi/v1/income",             NULL,              30, ASK,    SIGNED | AGAIN),
    ROW(INFO,         "GET",    "/fapi/v1/exchangeInfo",       NULL,               1, ASK,    AGAIN),
    ROW(LISTEN,       "POST",   "/fapi/v1/listenKey",          NULL,               1, CANCEL, AGAIN),
    ROW(KEEP,         "PUT",    "/fapi/v1/listenKey",          NULL,               1, CANCEL, AGAIN),
    ROW(COUNTDOWN,    "POST",   "/fapi/v1/countdownCancelAll", NULL,              10, CANCEL, SIGNED | AGAIN),
    ROW(LOGON,        NULL,     NULL,                          "session.logon",    2, CANCEL, SIGNED),
};
static const struct action_row cm[ACTIONS] = {
    ROW(TIME,   "GET", "/dapi/v1/time",         NULL,  1, ASK, AGAIN),
    ROW(TRADES, "GET", "/dapi/v1/aggTrades",    NULL, 20, ASK, AGAIN),
    ROW(BOOK,   "GET", "/dapi/v1/depth",        NULL, 20, ASK, AGAIN),
    ROW(INFO,   "GET", "/dapi/v1/exchangeInfo", NULL,  1, ASK, AGAIN),
};
/* clang-format on */

const struct action_row *action_row(enum market market, enum action action)
{
    static const struct action_row *const tables[MARKET_COUNT] = {
        [MARKET_SPOT] = spot, [MARKET_USDM] = usdm, [MARKET_CM] = cm};
    const struct action_row *row = &tables[market][action];
    return row->path || row->ws ? row : NULL;
}
