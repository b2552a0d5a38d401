/* orders.c - the life of an order: one table, and the sums that follow from it.
 *
 * AXES      What an order is (order->is), and the requests open on it (cancel, amend). The label
 *           that people see is derived from both [order_label_of]. So an order that fills while a
 *           cancel is pending needs no state of its own, and a refused cancel leads back by itself.
 * TABLE     (1) order_step() is the only function that writes what an order is.
 *           (2) An empty cell (-) is a surprise: it is counted and told, and nothing else changes;
 *               venues repeat and reorder messages. Executions are booked whatever is said here.
 *           (3) What is done stays done, but for the venue's proof: a fill or a status after
 *               NOT_FOUND, a confirmed replace, a bust.
 * SUMS      order_settle() is called after every change. It takes back what the order last added to
 *           the sums (exposure, held money, live orders, own quotes, lists) and adds what it adds
 *           now, so that no path can forget one half. */
#include "engine/define.h"
#include "engine/fills.h"
#include "engine/hold.h"
#include "engine/kill.h"
#include "engine/resolver.h"
#include "engine/state.h"
#include "engine/tell.h"

enum {
    BLANK = IS_BLANK,
    SENT = IS_SENT,
    WORKING = IS_WORKING,
    DOUBT = IS_DOUBT,
    INSIDE = IS_INSIDE,
    HELD = IS_HELD,
    FILLED = IS_FILLED,
    CANCELED = IS_CANCELED,
    EXPIRED = IS_EXPIRED,
    REJECTED = IS_REJECTED,
    NOT_FOUND = IS_NOT_FOUND,
    DENIED = IS_DENIED,
    NONE = IS_SURPRISE
};

/* clang-format off */
#define ROW(is, send, rest, hold, deny, ack, reject, fill, last_fill, canceled, expired, works, filled, \
            silence, doubt, absent, revived, told)                                                \
    [is] = {[ON_SEND] = send,         [ON_REST] = rest,           [ON_HOLD] = hold, [ON_DENY] = deny, \
            [ON_ACK] = ack,           [ON_REJECT] = reject,       [ON_FILL] = fill,               \
            [ON_LAST_FILL] = last_fill, [ON_CANCELED] = canceled, [ON_EXPIRED] = expired,         \
            [ON_WORKS] = works,       [ON_FILLED] = filled,       [ON_SILENCE] = silence,         \
            [ON_DOUBT] = doubt,       [ON_ABSENT] = absent,       [ON_REVIVED] = revived,         \
            [ON_TOLD_WORKS] = told ? WORKING : NONE,   [ON_TOLD_FILLED] = told ? FILLED : NONE,   \
            [ON_TOLD_CANCELED] = told ? CANCELED : NONE, [ON_TOLD_EXPIRED] = told ? EXPIRED : NONE, \
            [ON_TOLD_REJECTED] = told ? REJECTED : NONE}

static const uint8_t next_is[IS_COUNT][ORDER_EVENT_COUNT] = {
/*   is         send  rest    hold  deny    ack        reject    fill      last    canceled  expired  works    filled  silence  doubt  absent     revived  told by a bust */
ROW( BLANK,     NONE, INSIDE, HELD, DENIED, NONE,      REJECTED, NONE,     NONE,   CANCELED, EXPIRED, WORKING, FILLED, NONE,    NONE,  NONE,      NONE,    0), /* a */
ROW( INSIDE,    SENT, INSIDE, NONE, NONE,   NONE,      NONE,     INSIDE,   FILLED, CANCELED, NONE,    NONE,    NONE,   NONE,    NONE,  NONE,      NONE,    0), /* b */
ROW( HELD,      NONE, INSIDE, HELD, DENIED, NONE,      NONE,     HELD,     FILLED, CANCELED, EXPIRED, NONE,    NONE,   NONE,    NONE,  NONE,      NONE,    0), /* f */
ROW( SENT,      NONE, NONE,   NONE, NONE,   WORKING,   REJECTED, WORKING,  FILLED, CANCELED, EXPIRED, WORKING, FILLED, DOUBT,   DOUBT, NOT_FOUND, NONE,    1),
ROW( WORKING,   NONE, NONE,   NONE, NONE,   WORKING,   REJECTED, WORKING,  FILLED, CANCELED, EXPIRED, WORKING, FILLED, NONE,    DOUBT, NONE,      WORKING, 1),
ROW( DOUBT,     NONE, NONE,   NONE, NONE,   WORKING,   REJECTED, WORKING,  FILLED, CANCELED, EXPIRED, WORKING, FILLED, DOUBT,   DOUBT, NOT_FOUND, WORKING, 1),
ROW( FILLED,    NONE, NONE,   NONE, NONE,   FILLED,    NONE,     FILLED,   FILLED, NONE,     NONE,    NONE,    FILLED, NONE,    NONE,  NONE,      WORKING, 1), /* c */
ROW( CANCELED,  NONE, NONE,   NONE, NONE,   CANCELED,  NONE,     CANCELED, FILLED, CANCELED, NONE,    NONE,    NONE,   NONE,    NONE,  NONE,      WORKING, 1), /* d */
ROW( EXPIRED,   NONE, NONE,   NONE, NONE,   EXPIRED,   NONE,     EXPIRED,  FILLED, NONE,     EXPIRED, NONE,    NONE,   NONE,    NONE,  NONE,      WORKING, 1),
ROW( REJECTED,  NONE, NONE,   NONE, NONE,   NONE,      REJECTED, REJECTED, FILLED, NONE,     NONE,    NONE,    NONE,   NONE,    NONE,  NONE,      NONE,    1),
ROW( NOT_FOUND, NONE, NONE,   NONE, NONE,   NOT_FOUND, REJECTED, WORKING,  FILLED, CANCELED, EXPIRED, WORKING, FILLED, NONE,    NONE,  NOT_FOUND, NONE,    1), /* e */
ROW( DENIED,    NONE, NONE,   NONE, DENIED, NONE,      NONE,     NONE,     NONE,   NONE,     NONE,    NONE,    NONE,   NONE,    NONE,  NONE,      NONE,    0),
};
/* clang-format on */
/* a: what the venue lists and nobody here knows is adopted    b: also while it is crossed, before it is sent
 * c: a replace that was on its way makes it work again       d: the trade was done before the cancel, and told after
 * e: an acknowledgement alone teaches the venue id; the status that it leads to brings it back
 * f: fills are those of its slices, and it ends as the last of them */

enum order_is order_next(enum order_is is, enum order_event event)
{
    return next_is[is][event];
}

/* Requests that have no answer of their own any more, once the order is what it is now. */
static void requests_follow(struct engine *engine, uint32_t n, enum order_event event)
{
    struct order *order = order_at(engine, n);
    if (event == ON_DOUBT) {
        if (request_is_open(order->cancel)) /* it may never have left */
            request_set(engine, n, &order->cancel, REQUEST_RESOLVED);
        if (request_is_open(order->amend))
            request_set(engine, n, &order->amend, REQUEST_DOUBTED);
    }
    if (!is_done(order->is))
        return;
    if (request_is_open(order->cancel))
        request_set(engine, n, &order->cancel,
                    order->is == IS_CANCELED ? REQUEST_ACKED : REQUEST_RESOLVED);
    /* filled at its old quantity, it may still be replaced by a larger one */
    if (request_is_open(order->amend) && (order->is != IS_FILLED || event == ON_FILLED))
        request_set(engine, n, &order->amend, REQUEST_RESOLVED);
}

static uint8_t submit_after(uint8_t is, enum order_event event, uint8_t before)
{
    switch (event) {
    case ON_SEND: return REQUEST_SENT;
    case ON_ACK: return REQUEST_ACKED;
    case ON_SILENCE: return REQUEST_AMBIGUOUS;
    case ON_REJECT: return REQUEST_REJECTED;
    default: break;
    }
    bool settled = is != IS_SENT && is != IS_DOUBT && is != IS_INSIDE && is != IS_HELD;
    return settled && request_is_open(before) ? REQUEST_RESOLVED : before;
}

static bool is_proof(enum order_event event)
{
    return event == ON_ACK || event == ON_FILL || event == ON_LAST_FILL || event == ON_WORKS ||
           event == ON_FILLED || event == ON_CANCELED || event == ON_EXPIRED || event == ON_REVIVED;
}

/* Move the order. False: a surprise, counted and told; the order is as it was. */
bool order_step(struct engine *engine, uint32_t n, enum order_event event)
{
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    uint8_t from = order->is, to;

    must(from > IS_SURPRISE && from < IS_COUNT && event < ORDER_EVENT_COUNT);
    to = next_is[from][event];
    if (to == IS_SURPRISE) {
        tell_anomaly(engine, order->instrument, n, "not possible in the order's state");
        return false;
    }
    order->is = to;
    if (is_done(from) && !is_done(to))
        put_text(more->reason, "");
    more->submit = submit_after(to, event, more->submit);
    if (from != IS_INSIDE && from != IS_HELD && is_proof(event))
        more->proved = 1;
    requests_follow(engine, n, event);
    order_settle(engine, n);
    return true;
}

void request_set(struct engine *engine, uint32_t n, uint8_t *request, enum request_state state)
{
    must(request == &engine->orders[n].cancel || request == &engine->orders[n].amend);
    *request = (uint8_t)state;
    tell_later(engine, n);
}

enum order_label order_label_of(const struct order *order)
{
    switch (order->is) {
    case IS_FILLED: return ORDER_FILLED;
    case IS_CANCELED: return ORDER_CANCELED;
    case IS_EXPIRED: return ORDER_EXPIRED;
    case IS_REJECTED:
    case IS_NOT_FOUND: return ORDER_REJECTED;
    case IS_BLANK:
    case IS_DENIED: return ORDER_DENIED;
    case IS_INSIDE: return order->cum > 0 ? ORDER_PARTIAL : ORDER_OPEN;
    case IS_HELD: return request_is_open(order->cancel) ? ORDER_PENDING_CANCEL : ORDER_HELD;
    default: break;
    }
    if (request_is_open(order->cancel))
        return ORDER_PENDING_CANCEL;
    if (order->is == IS_DOUBT)
        return ORDER_UNKNOWN;
    if (request_is_open(order->amend) && order->amend != REQUEST_DOUBTED)
        return ORDER_PENDING_REPLACE;
    if (order->is == IS_SENT)
        return ORDER_PENDING_NEW;
    return order->cum > 0 ? ORDER_PARTIAL : ORDER_OPEN;
}

bool order_awaits(const struct order *order, const struct order_more *more)
{
    return more->reported > order->cum;
}

/* What it may still execute, in the worst case. */
weir_qty order_exposure(const struct order *order, const struct order_more *more)
{
    weir_qty most = order->cum;
    if (!is_done(order->is))
        most = order->qty - more->out;
    else if (order_awaits(order, more))
        most = more->reported;
    if (request_is_open(order->amend) && more->next_qty > most)
        most = more->next_qty;
    return most > order->cum ? most - order->cum : 0;
}

/* --- lists -------------------------------------------------------------------------------------- */

static void ends_of(struct engine *engine, uint32_t n, uint8_t list, uint32_t **first,
                    uint32_t **last)
{
    const struct order *order = order_at(engine, n);
    *last = NULL;
    switch (list) {
    case LIST_LIVE:
        *first = &engine->live_first;
        *last = &engine->live_last;
        return;
    case LIST_ENDED:
        *first = &engine->ended_first;
        *last = &engine->ended_last;
        return;
    case LIST_HELD:
        *first = &engine->held_first;
        *last = &engine->held_last;
        return;
    default: *first = &engine->instruments[order->instrument].inside[order->side]; return;
    }
}

static void list_cut(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    uint32_t *first, *last;
    ends_of(engine, n, more->list, &first, &last);
    if (more->list_prev)
        more_at(engine, more->list_prev)->list_next = more->list_next;
    else
        *first = more->list_next;
    if (more->list_next)
        more_at(engine, more->list_next)->list_prev = more->list_prev;
    else if (last)
        *last = more->list_prev;
    more->list = LIST_NONE;
    more->list_prev = more->list_next = 0;
}

/* Best price first, then oldest. */
static bool goes_before(const struct engine *engine, uint32_t n, uint32_t other)
{
    weir_px ours = engine->more[n].px, theirs = engine->more[other].px;
    return engine->orders[n].side == WEIR_BUY ? ours > theirs : ours < theirs;
}

static void inside_put(struct engine *engine, uint32_t n)
{
    struct order_more *more = more_at(engine, n);
    uint32_t *first, *last, before = 0, at;
    ends_of(engine, n, LIST_INSIDE, &first, &last);
    for (at = *first; at && !goes_before(engine, n, at); at = more_at(engine, at)->list_next)
        before = at;
    more->list_prev = before;
    more->list_next = at;
    if (before)
        more_at(engine, before)->list_next = n;
    else
        *first = n;
    if (at)
        more_at(engine, at)->list_prev = n;
}

static void append(struct engine *engine, uint32_t n, uint8_t list)
{
    struct order_more *more = more_at(engine, n);
    uint32_t *first, *last;
    ends_of(engine, n, list, &first, &last);
    must(last != NULL); /* only the inside lists have no end */
    more->list_prev = *last;
    if (*last)
        more_at(engine, *last)->list_next = n;
    else
        *first = n;
    *last = n;
}

/* An order is on one list at most. */
void list_put(struct engine *engine, uint32_t n, enum list_name list)
{
    struct order_more *more = more_at(engine, n);
    if (more->list == list)
        return;
    if (more->list != LIST_NONE)
        list_cut(engine, n);
    if (list == LIST_INSIDE)
        inside_put(engine, n);
    else if (list != LIST_NONE)
        append(engine, n, (uint8_t)list);
    more->list = (uint8_t)list;
}

/* Ended orders wait to be forgotten, but not while something about them is still open. */
static enum list_name list_of(const struct order *order, const struct order_more *more)
{
    if (is_at_venue(order->is))
        return LIST_LIVE;
    if (order->is == IS_HELD)
        return LIST_HELD;
    if (!is_done(order->is))
        return more->list == LIST_INSIDE ? LIST_INSIDE : LIST_NONE;
    return order_awaits(order, more) || request_is_open(order->amend) ? LIST_NONE : LIST_ENDED;
}

/* --- sums --------------------------------------------------------------------------------------- */

/* Held ones may come to nothing, and are judged when they go. */
static void settle_reduce(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    struct order_kept *kept = kept_at(engine, n);
    weir_qty now = order->is == IS_HELD ? 0 : more_at(engine, n)->counted;
    engine->instruments[order->instrument].reduce[order->side] +=
        (amount)now - kept->counted_reduce;
    kept->counted_reduce = now;
}

static void settle_exposure(struct engine *engine, const struct order *order,
                            struct order_more *more)
{
    struct instrument *instrument = &engine->instruments[order->instrument];
    weir_qty now = order_exposure(order, more);
    amount change = (amount)now - more->counted;

    if (change == 0)
        return;
    more->counted = now;
    if (order->route == ROUTE_INSIDE_ONLY)
        return;
    struct holding *holding = &engine->holdings[more->holding];
    instrument->own.exposure[order->side] += change;
    holding->exposure[order->side] += change;
    if (holding->group)
        engine->holdings[holding->group].exposure[order->side] += change;
}

/* Money that a spot order holds. Capped far above any wallet, so that a sum of many fits. */
#define HELD_MOST (AMOUNT_MAX >> 24)

static amount held_by(const struct instrument *instrument, const struct order *order,
                      const struct order_more *more)
{
    int qty_exp = instrument->is.qty_exp;
    weir_px px = more->hold_px;
    amount held = 0;
    if (more->counted == 0 || instrument->is.kind != WEIR_SPOT)
        return 0;
    if (order->side == WEIR_SELL)
        held = amount_from(more->counted, qty_exp);
    else if (request_is_open(order->amend) && more->next_px > px)
        px = more->next_px;
    if (order->side == WEIR_BUY &&
        !amount_product(px, instrument->is.price_exp, more->counted, qty_exp, &held))
        held = HELD_MOST;
    return held < HELD_MOST ? held : HELD_MOST;
}

static void settle_held(struct engine *engine, const struct order *order, struct order_more *more)
{
    const struct instrument *instrument = &engine->instruments[order->instrument];
    amount now = held_by(instrument, order, more);
    if (now == more->held)
        return;
    uint32_t asset = order->side == WEIR_BUY ? instrument->quote : instrument->base;
    purse_at(engine, instrument->account, asset)->held += now - more->held;
    more->held = now;
}

static void settle_live(struct engine *engine, const struct order *order, struct order_more *more)
{
    uint8_t live = is_at_venue(order->is);
    if (live == more->counted_live)
        return;
    uint32_t change = live ? 1 : UINT32_MAX; /* plus or minus one */
    struct scope *strategy = strategy_of(engine, order->strategy);
    struct scope *group = group_of(engine, strategy);
    engine->host->live += change;
    engine->venues[more->venue].live += change;
    engine->account_scopes[more->account].live += change;
    strategy->live += change;
    if (group)
        group->live += change;
    engine->instrument_scopes[order->instrument].live += change;
    engine->counts.live_orders = engine->host->live;
    more->counted_live = live;
    if (!live)
        return;
    engine->accounts[more->account].used = 1;
    if (engine->killed == KILL_PROVEN)
        kill_stir(engine, "an order works again");
}

static weir_px most_aggressive(const struct order *order, const struct order_more *more)
{
    if (more->type == WEIR_MARKET)
        return order->side == WEIR_BUY ? INT64_MAX : INT64_MIN;
    if (!request_is_open(order->amend))
        return more->px;
    bool next = order->side == WEIR_BUY ? more->next_px > more->px : more->next_px < more->px;
    return next ? more->next_px : more->px;
}

static void settle_quote(struct engine *engine, uint32_t n)
{
    const struct order *order = order_at(engine, n);
    const struct order_more *more = more_at(engine, n);
    bool live = is_at_venue(order->is);
    weir_px px = most_aggressive(order, more);
    if (more->in_heap && live && order->quote_px == px)
        return;
    if (more->in_heap)
        quotes_drop(engine, n);
    if (live)
        quotes_put(engine, n, px);
}

static void settle_flag(uint32_t *count, uint8_t *counted, bool now)
{
    if (*counted == now)
        return;
    *count += now ? 1 : UINT32_MAX;
    *counted = now;
}

void order_settle(struct engine *engine, uint32_t n)
{
    struct order *order = order_at(engine, n);
    struct order_more *more = more_at(engine, n);
    struct instrument *instrument = &engine->instruments[order->instrument];

    settle_exposure(engine, order, more);
    if (order->flags & WEIR_REDUCE_ONLY)
        settle_reduce(engine, n);
    settle_held(engine, order, more);
    settle_live(engine, order, more);
    settle_quote(engine, n);
    settle_flag(&instrument->nameless[order->side], &more->counted_nameless,
                is_at_venue(order->is) && !more->vid[0]);
    settle_flag(&engine->counts.unknown_orders, &more->counted_unknown,
                order_label_of(order) == ORDER_UNKNOWN);
    settle_flag(&engine->revivable, &more->counted_revivable,
                is_done(order->is) && request_is_open(order->amend));
    list_put(engine, n, list_of(order, more));
    if (more->asked)
        resolver_settle(engine, n);
    if (more->tied)
        hold_settle(engine, n);
    tell_later(engine, n);
}

/* --- slots --------------------------------------------------------------------------------------- */

bool order_room(const struct engine *engine)
{
    return engine->orders_used < engine->sizes.orders || engine->ended_first != 0;
}

static void slot_fetch(const struct engine *engine, uint32_t n)
{
    fetch(&engine->orders[n], sizeof(struct order));
    fetch(&engine->more[n], sizeof(struct order_more));
    fetch(&engine->names[1 + (n - 1) * NAMES_RESERVED], NAMES_RESERVED * sizeof(struct name));
}

void order_fetch(struct engine *engine)
{
    if (engine->orders_used < engine->sizes.orders)
        slot_fetch(engine, engine->orders_used + 1);
    else if (engine->ended_first)
        names_fetch(engine, engine->ended_first);
}

static uint32_t slot_take(struct engine *engine)
{
    if (engine->orders_used < engine->sizes.orders)
        return ++engine->orders_used;
    uint32_t n = engine->ended_first;
    if (!n)
        return 0;
    tell_orders(engine); /* it may have to be told yet */
    list_cut(engine, n);
    must(more_at(engine, n)->counted == 0 && more_at(engine, n)->held == 0 &&
         !more_at(engine, n)->in_heap && !more_at(engine, n)->counted_live &&
         !more_at(engine, n)->timers[TIMER_QUESTION].place &&
         !more_at(engine, n)->timers[TIMER_ALARM].place);
    names_forget(engine, n);
    if (more_at(engine, n)->tied)
        links_forget(engine, n);
    if (engine->ended_first) /* it is the next one's turn */
        slot_fetch(engine, engine->ended_first);
    memset(order_at(engine, n), 0, sizeof(struct order));
    memset(more_at(engine, n), 0, sizeof(struct order_more));
    return n;
}

/* A blank order; the oldest ended one is forgotten for it if need be. 0: nothing can be forgotten. */
uint32_t order_take(struct engine *engine, uint32_t instrument, uint32_t strategy)
{
    uint32_t holding = holding_take(engine, instrument, strategy);
    uint32_t n = holding ? slot_take(engine) : 0;
    if (!n)
        return 0;
    order_at(engine, n)->is = IS_BLANK;
    order_at(engine, n)->instrument = instrument;
    order_at(engine, n)->strategy = (uint16_t)strategy;
    struct order_more *more = more_at(engine, n);
    more->holding = holding;
    more->venue = engine->instruments[instrument].venue;
    more->account = engine->instruments[instrument].account;
    more->born = ++engine->born;
    more->created = engine->now;
    return n;
}

static bool is_news(const struct engine *engine, uint32_t n, const char *vid)
{
    return vid[0] && strncmp(engine->more[n].vid, vid, WEIR_ID_MAX) != 0;
}

/* It will be learned soon. */
void order_venue_id_fetch(const struct engine *engine, uint32_t n, const char *vid)
{
    if (is_news(engine, n, vid))
        venue_fetch(engine, venue_key(engine->orders[n].instrument, vid));
}

void order_learn_venue_id(struct engine *engine, uint32_t n, const char *vid)
{
    struct order_more *more = more_at(engine, n);
    if (!is_news(engine, n, vid))
        return;
    struct key128 key = venue_key(order_at(engine, n)->instrument, vid);
    if (venue_owner(engine, key) == n)
        return; /* a former id is told late, and is not its id again */
    put_text(more->vid, vid);
    if (!name_put(engine, n, NAME_VENUE, key, vid))
        tell_alert(engine, ALERT_CAPACITY, order_at(engine, n)->instrument, n, 0, 0,
                   "names of orders");
    order_settle(engine, n);
    fills_claim(engine, n);
}
