/* risk.c - the checks that every order and replace passes, whoever sends it.
 *
 * A check is a pure function with one shape: it reads a number and the limit for it. All of them are
 * evaluated and told, passed ones too; the first that failed, in the order of ROWS, is the reason.
 * ZERO checks are read once for an order, and 0 is all that passes; ONCE checks have a limit; SAME and OWN checks once for every scope that has their limit,
 * of which SAME ones read the same number in each. A new check is one function and one row. Cancels do not come here.
 *
 * The rows are walked once, and each reading is written as it will be journalled (effect.h): a bit for
 * what read 0 where 0 passes, whole words for the rest. The verdict is that none of them failed.
 *
 * A check that does not apply (no such limit, no price to compare with under scenario rules) gives no
 * reading. Under strict rules what is missing refuses: NO_LIMIT, NO_REFERENCE, STALE_BOOK. A number
 * that does not fit is the greatest there is.
 *
 * REPLACES  are judged with the larger of old and new quantity for themselves, and without what the
 *           order adds to the sums already.
 * INTERNAL  only: max_position, max_open_orders, self_cross and the throttle do not apply. */
#include "engine/risk.h"
#include "engine/hold.h"
#include "engine/ledger.h"
#include "engine/recon.h"
#include "engine/riskview.h"

/* Put in place at each use: a reading then lives in registers until it is written. */
#define READS static inline __attribute__((always_inline))

/* value must not be over limit */
READS bool at_most(struct risk_reading *reading, int64_t value, int64_t limit, int exp)
{
    reading->value = value;
    reading->limit = limit;
    reading->exp = (int8_t)exp;
    reading->failed = value > limit;
    return true;
}

READS bool at_least(struct risk_reading *reading, int64_t value, int64_t limit, int exp)
{
    at_most(reading, value, limit, exp);
    reading->failed = value < limit;
    return true;
}

READS bool none(struct risk_reading *reading, int64_t value)
{
    at_most(reading, value, 0, 0);
    reading->failed = value != 0;
    return true;
}

/* --- what is read once ------------------------------------------------------------------------- */

READS bool kill_switch(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->engine->killed != KILL_OFF);
}
READS bool dup_client_id(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->used_cid);
}

READS bool reconciling(const struct risk_view *view, struct risk_reading *r)
{
    return view->instrument &&
           none(r, view->engine->accounts[view->instrument->account].reconciling);
}

READS bool halted(const struct risk_view *view, struct risk_reading *r)
{
    return view->instrument && none(r, view->instrument->halted);
}

READS bool venue_down(const struct risk_view *view, struct risk_reading *r)
{
    return view->instrument &&
           none(r,
                !account_is_up(view->engine, &view->engine->accounts[view->instrument->account]));
}

READS bool venue_backoff(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument)
        return false;
    weir_ns until = view->engine->backoff[view->instrument->venue], now = view->engine->now;
    return at_most(r, until > now ? until - now : 0, 0, 9);
}

READS bool tick(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument || (view->wish->type == WEIR_MARKET && !view->wish->trigger))
        return false;
    none(r, view->off_tick);
    r->exp = view->instrument->is.price_exp;
    r->failed = r->value != 0;
    return true;
}

READS bool step(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument)
        return false;
    none(r, view->off_step);
    r->exp = view->instrument->is.qty_exp;
    r->failed = r->value != 0;
    return true;
}

READS bool min_notional(const struct risk_view *view, struct risk_reading *r)
{
    return view->has_notional && view->instrument->min_units > 0 &&
           at_least(r, view->notional_64, view->instrument->min_units,
                    view->instrument->product_exp);
}

READS bool stale_book(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument)
        return false;
    if (strict(view->engine)) {
        at_most(r, view->instrument->book, BOOK_LIVE, 0);
        r->failed = view->instrument->book != BOOK_LIVE;
        return true;
    }
    return none(r, view->instrument->stale);
}

static weir_qty size_of(weir_qty qty)
{
    return qty < 0 ? -qty : qty;
}

/* How much of the position other orders of this side leave to be reduced. */
static int64_t reducible(const struct risk_view *view, amount others)
{
    weir_qty held = view->instrument->own.now.qty;
    bool reduces = view->wish->side == WEIR_BUY ? held < 0 : held > 0;
    return reduces ? narrow((amount)size_of(held) - others) : 0;
}

READS bool reduce_only(const struct risk_view *view, struct risk_reading *r)
{
    const struct wish *wish = view->wish;
    if (!view->instrument || !(wish->flags & WEIR_REDUCE_ONLY) || wish->waits)
        return false; /* held: when it goes */
    amount others =
        view->instrument->reduce[wish->side] - (wish->release ? wish->siblings : view->own_counted);
    return at_most(r, view->wish->worst, reducible(view, others), view->instrument->is.qty_exp);
}

/* Amounts as a reading: as many places as fit; value is rounded up and limit down. */
static void amounts(struct risk_reading *r, amount value, amount limit)
{
    amount most = value > limit ? value : limit, least = value < limit ? value : limit;
    amount room = most > -least ? most : -least;
    int drop = 0;
    for (amount fits = INT64_MAX; drop < AMOUNT_EXP && room > fits; fits *= 1000000)
        drop += 6;
    int64_t unit = pow10_of(drop);
    r->exp = (int8_t)(AMOUNT_EXP - drop);
    r->value = narrow(drop ? (value + unit - 1) / unit : value); /* never negative */
    r->limit = narrow(!drop ? limit : limit < 0 ? (limit - unit + 1) / unit : limit / unit);
}

/* The widest scope that has it on. */
READS bool flag_given(const struct risk_view *view, enum risk_limit limit, struct risk_reading *r)
{
    for (unsigned i = 0; i < RISK_SCOPE_COUNT; i++) {
        if (!(view->cards[i]->on & (1u << limit)))
            continue;
        r->scope = (uint8_t)i;
        r->id = view->cards[i]->scope_id;
        return true;
    }
    return false;
}

READS bool insufficient_balance(const struct risk_view *view, struct risk_reading *r)
{
    const struct instrument *instrument = view->instrument;
    const struct wish *wish = view->wish;
    amount cost;

    if (!instrument || instrument->is.kind != WEIR_SPOT ||
        !flag_given(view, LIMIT_check_balance, r) || (wish->side == WEIR_BUY && view->px <= 0))
        return false;
    uint32_t asset = wish->side == WEIR_BUY ? instrument->quote : instrument->base;
    const struct purse *purse = purse_at(view->engine, instrument->account, asset);
    bool fits = wish->side == WEIR_SELL;
    cost = amount_from(wish->worst, instrument->is.qty_exp);
    if (wish->side == WEIR_BUY)
        fits = amount_product(view->px, instrument->is.price_exp, wish->worst,
                              instrument->is.qty_exp, &cost);
    fits = fits && amount_add(cost, purse->held - view->own_held, &cost);
    if (!fits || (strict(view->engine) && !purse->known))
        return at_most(r, INT64_MAX, narrow(purse->total / pow10_of(AMOUNT_EXP)), 0) &&
               (r->failed = 1);
    amounts(r, cost, purse->total);
    r->failed = cost > purse->total;
    return true;
}

READS bool self_cross(const struct risk_view *view, struct risk_reading *r)
{
    const struct wish *wish = view->wish;
    uint8_t other = wish->side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    weir_px best, px = wish->px;

    if (!view->instrument || !view->outside || wish->waits ||
        !flag_given(view, LIMIT_self_cross, r))
        return false;
    if (wish->type == WEIR_MARKET)
        px = wish->side == WEIR_BUY ? INT64_MAX : INT64_MIN;
    bool any = quotes_best(view->engine, view->instrument->is.msg.instrument, other, &best);
    at_most(r, px, any ? best : 0, view->instrument->is.price_exp);
    r->failed = any && (wish->side == WEIR_BUY ? px >= best : px <= best);
    return true;
}

READS bool rights(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->foreign);
}
READS bool unknown_instrument(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, !view->instrument);
}
READS bool journal(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->engine->journal_failed);
}

READS bool no_limit(const struct risk_view *view, struct risk_reading *r)
{
    if (!strict(view->engine) || !view->instrument)
        return false;
    for (unsigned i = 0; view->unset && i < RISK_SCOPE_COUNT; i++) {
        if (!must_be_given[i] || !view->cards[i]->unset)
            continue;
        r->scope = (uint8_t)i;
        r->id = view->cards[i]->scope_id;
        none(r, __builtin_ctz(view->cards[i]->unset)); /* value: which limit */
        r->failed = 1;
        return true;
    }
    return none(r, 0);
}

READS bool no_reference(const struct risk_view *view, struct risk_reading *r)
{
    return strict(view->engine) && view->instrument &&
           none(r, view->instrument->reference_x2 <= 0 ||
                       ((view->wish->waits & WAIT_TRIGGER) &&
                        price_is_missing(view->engine, view->instrument)));
}

READS bool capability(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->unable);
}
READS bool capacity(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->no_room);
}

static bool state_allows(const struct risk_view *view, uint8_t state)
{
    if (state != TRADING_REDUCE_ONLY || !view->instrument)
        return false;
    amount others =
        view->instrument->own.exposure[view->wish->side] - (view->outside ? view->own_counted : 0);
    return view->wish->worst <= reducible(view, others);
}

bool view_reduces(const struct risk_view *view)
{
    return state_allows(view, TRADING_REDUCE_ONLY);
}

void reading_of_amounts(struct risk_reading *reading, amount value, amount limit)
{
    amount most = AMOUNT_MAX - pow10_of(AMOUNT_EXP); /* more would not be rounded up */
    amounts(reading, value < most ? value : most, limit < most ? limit : most);
}

READS bool trading_state(const struct risk_view *view, struct risk_reading *r)
{
    for (unsigned i = 0; view->restricted && i < RISK_SCOPE_COUNT; i++) {
        const struct scope *scope = view->cards[i]->scope;
        if (!scope || scope->state == TRADING_ACTIVE || state_allows(view, scope->state))
            continue;
        r->scope = (uint8_t)i;
        r->id = scope->id;
        none(r, scope->state);
        r->failed = 1;
        return true;
    }
    return none(r, TRADING_ACTIVE);
}

READS bool bad_request(const struct risk_view *view, struct risk_reading *r)
{
    amount fits;
    bool too_large = view->has_notional && view->instrument->is.kind != WEIR_INVERSE &&
                     !amount_product(view->px, view->instrument->is.price_exp, view->wish->qty,
                                     view->instrument->is.qty_exp, &fits);
    return none(r, view->wish->bad || too_large);
}

READS bool link(const struct risk_view *view, struct risk_reading *r)
{
    return view->wish->linked && none(r, view->wish->linked > 1);
}

/* --- what is read for each scope ------------------------------------------------------------------ */

READS bool given(const struct risk_view *view, uint8_t scope, enum risk_limit limit)
{
    return view->given[scope] & (1u << limit);
}

READS bool price_band(const struct risk_view *view, uint8_t scope, struct risk_reading *r)
{
    return given(view, scope, LIMIT_price_band_pct) &&
           at_most(r, view->band, view->cards[scope]->price_band, 9);
}

READS bool max_order_qty(const struct risk_view *view, uint8_t scope, struct risk_reading *r)
{
    return given(view, scope, LIMIT_max_order_qty) &&
           at_most(r, view->wish->qty, view->cards[scope]->max_order_qty,
                   view->instrument->is.qty_exp);
}

READS bool max_order_notional(const struct risk_view *view, uint8_t scope, struct risk_reading *r)
{
    const struct card *card = view->cards[scope];
    if (!given(view, scope, LIMIT_max_order_notional))
        return false;
    at_most(r, view->notional_64, card->max_order_notional, view->instrument->product_exp);
    if (view->notional_64 < INT64_MAX)
        return true; /* else it is over what fits in a card, or the limit is wider */
    amount unit = pow10_of(AMOUNT_EXP - view->instrument->product_exp);
    r->failed = view->notional > card->scope->limits[LIMIT_max_order_notional].value / unit;
    return true;
}

/* Position and exposure are those of the account in the instrument; a strategy's and a group's their own. */
READS bool max_position(const struct risk_view *view, uint8_t scope, struct risk_reading *r)
{
    return given(view, scope, LIMIT_max_position) &&
           at_most(r, view->worst[scope], view->cards[scope]->max_position,
                   view->instrument->is.qty_exp);
}

READS bool max_open_orders(const struct risk_view *view, uint8_t scope, struct risk_reading *r)
{
    const struct card *card = view->cards[scope];
    return given(view, scope, LIMIT_max_open_orders) &&
           at_most(r, (int64_t)card->scope->live + 1, card->max_open_orders, 0);
}

READS bool throttled(const struct risk_view *view, uint8_t scope, struct risk_reading *r)
{
    return given(view, scope, LIMIT_throttle_max) &&
           at_most(r, view->sends[scope], view->cards[scope]->scope->throttle_max, 0);
}

/* --- the table ------------------------------------------------------------------------------------- */

/* clang-format off */
#define ROWS(ZERO, ONCE, SAME, OWN)                                    \
    /* the contract's, in the contract's order */            \
    ZERO(KILL_SWITCH,          host,       kill_switch)      \
    ZERO(DUP_CLIENT_ID,        host,       dup_client_id)    \
    ZERO(RECONCILING,          account,    reconciling)      \
    ZERO(HALTED,               instrument, halted)           \
    ZERO(VENUE_DOWN,           account,    venue_down)       \
    ZERO(VENUE_BACKOFF,        venue,      venue_backoff)    \
    ZERO(TICK,                 instrument, tick)             \
    ZERO(STEP,                 instrument, step)             \
    ONCE(MIN_NOTIONAL,         instrument, min_notional)     \
    SAME(PRICE_BAND,                       price_band)       \
    ONCE(STALE_BOOK,           instrument, stale_book)       \
    SAME(MAX_ORDER_QTY,                    max_order_qty)    \
    SAME(MAX_ORDER_NOTIONAL,               max_order_notional) \
    ONCE(REDUCE_ONLY,          instrument, reduce_only)      \
    OWN(MAX_POSITION,                      max_position)     \
    OWN(MAX_OPEN_ORDERS,                   max_open_orders)  \
    ONCE(INSUFFICIENT_BALANCE, account,    insufficient_balance) \
    ONCE(SELF_CROSS,           instrument, self_cross)       \
    OWN(THROTTLED,                         throttled)        \
    /* the host's own */                                     \
    ZERO(RIGHTS,               strategy,   rights)           \
    ZERO(UNKNOWN_INSTRUMENT,   host,       unknown_instrument) \
    ZERO(JOURNAL,              host,       journal)          \
    ZERO(NO_LIMIT,             host,       no_limit)         \
    ZERO(NO_REFERENCE,         instrument, no_reference)     \
    ZERO(CAPABILITY,           venue,      capability)       \
    ZERO(CAPACITY,             host,       capacity)         \
    ZERO(TRADING_STATE,        host,       trading_state)    \
    ZERO(BAD_REQUEST,          host,       bad_request)      \
    ZERO(LINK,                 strategy,   link)
/* clang-format on */

/* Every check has its row. */
#define COUNT_ONCE(check, scope, read) +1
#define COUNT_EACH(check, read)        +1
_Static_assert(0 ROWS(COUNT_ONCE, COUNT_ONCE, COUNT_EACH, COUNT_EACH) ==
                   RISK_CHECK_COUNT - FURTHER_CHECK_COUNT,
               "a check without a row");

#define MOST_ONCE(check, scope, read) +1
#define MOST_EACH(check, read)        +RISK_SCOPE_COUNT
_Static_assert(0 ROWS(MOST_ONCE, MOST_ONCE, MOST_EACH, MOST_EACH) +
                       FURTHER_CHECK_COUNT * RISK_SCOPE_COUNT <
                   DECISION_READINGS_MAX,
               "a decision has no room for all readings");

/* Where a check that is read once is read, if it says nothing else. */
uint8_t risk_usual_scope(enum risk_check check)
{
    static const uint8_t scopes[RISK_CHECK_COUNT] = {
#define SCOPE_ONCE(name, in, read) [CHECK_##name] = SCOPE_##in,
#define SCOPE_EACH(name, read)
        ROWS(SCOPE_ONCE, SCOPE_ONCE, SCOPE_EACH, SCOPE_EACH)};
    return check < RISK_CHECK_COUNT ? scopes[check] : SCOPE_host;
}
_Static_assert(RISK_CHECK_COUNT <= 64, "out_decision.zeros has a bit for each check");
_Static_assert(sizeof(struct reading_head) == sizeof(uint64_t) &&
                   __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "an entry begins with one word");

/* In one word: what is put together byte by byte in memory is slow to be read again. */
READS uint64_t head_of(uint8_t check, int8_t exp, uint32_t scopes, uint32_t failed, bool own)
{
    return check | (uint64_t)(uint8_t)exp << 8 | (uint64_t)scopes << 16 | (uint64_t)failed << 24 |
           (uint64_t)own << 32;
}

/* One of one scope, as an entry of its own. */
static uint64_t *put_entry(uint64_t *at, const struct risk_reading *reading)
{
    uint32_t failed = (uint32_t)reading->failed << reading->scope;
    *at++ = head_of(reading->check, reading->exp, 1u << reading->scope, failed, false);
    *at++ = (uint64_t)reading->value;
    *at++ = (uint64_t)reading->limit;
    return at;
}

void reading_put(struct readings *readings, const struct risk_reading *reading)
{
    readings->failed |= reading->failed;
    readings->at = put_entry(readings->at, reading);
}

/* Nothing is in the way of most orders: then nothing is asked but whether that is so. */
#define READ_ZERO(name, in, read)          \
    {                                      \
        struct risk_reading r;             \
        if (read(view, &r)) {              \
            zeros |= 1ull << CHECK_##name; \
            odd |= r.failed;               \
        }                                  \
    }
#define READ_ONCE(name, in, read)                                             \
    {                                                                         \
        struct risk_reading r = {.check = CHECK_##name, .scope = SCOPE_##in}; \
        if (read(view, &r)) {                                                 \
            at = put_entry(at, &r);                                           \
            failed |= r.failed;                                               \
        }                                                                     \
    }
#define READ_ODD(name, in, read)                                              \
    {                                                                         \
        struct risk_reading r = {.check = CHECK_##name, .scope = SCOPE_##in}; \
        if (read(view, &r)) {                                                 \
            if (r.failed) {                                                   \
                at = put_entry(at, &r);                                       \
                failed = 1;                                                   \
            } else {                                                          \
                zeros |= 1ull << CHECK_##name;                                \
            }                                                                 \
        }                                                                     \
    }
#define READ_IN(in, read)                             \
    {                                                 \
        struct risk_reading r;                        \
        if (read(view, SCOPE_##in, &r)) {             \
            if (own)                                  \
                *at++ = (uint64_t)r.value;            \
            *at++ = (uint64_t)r.limit;                \
            value = r.value;                          \
            exp = r.exp;                              \
            scopes |= 1u << SCOPE_##in;               \
            over |= (uint32_t)r.failed << SCOPE_##in; \
        }                                             \
    }
#define READ_ALL(name, read, is_own)                           \
    {                                                          \
        const bool own = is_own;                               \
        uint64_t *head = at;                                   \
        uint32_t scopes = 0, over = 0;                         \
        int64_t value = 0;                                     \
        int8_t exp = 0;                                        \
        at += own ? 1 : 2;                                     \
        READ_IN(host, read)                                    \
        READ_IN(venue, read)                                   \
        READ_IN(account, read)                                 \
        READ_IN(group, read)                                   \
        READ_IN(strategy, read)                                \
        READ_IN(instrument, read)                              \
        *head = head_of(CHECK_##name, exp, scopes, over, own); \
        if (!own)                                              \
            head[1] = (uint64_t)value;                         \
        at = scopes ? at : head;                               \
        failed |= over;                                        \
    }
#define READ_SAME(name, read) READ_ALL(name, read, false)
#define READ_OWN(name, read)  READ_ALL(name, read, true)

#define READ_ROWS(zero)                        \
    uint64_t *at = readings->at, zeros = 0;    \
    uint32_t failed = 0;                       \
    ROWS(zero, READ_ONCE, READ_SAME, READ_OWN) \
    *readings = (struct readings)              \
    {                                          \
        at, zeros, failed                      \
    }

__attribute__((cold)) static void read_odd(const struct risk_view *view, struct readings *readings)
{
    READ_ROWS(READ_ODD);
}

static void read_rows(const struct risk_view *view, struct readings *readings)
{
    struct readings from = *readings;
    uint32_t odd = 0;
    READ_ROWS(READ_ZERO);
    if (odd) {
        *readings = from;
        read_odd(view, readings);
    }
}

/* --- the door ------------------------------------------------------------------------------------------ */

static void put_ids(const struct risk_view *view, struct out_decision *decision)
{
    const struct instrument *instrument = view->instrument;
    uint32_t *ids = decision->ids;
    ids[SCOPE_host] = 0;
    ids[SCOPE_venue] = instrument ? instrument->venue : 0;
    ids[SCOPE_account] = instrument ? instrument->account : 0;
    ids[SCOPE_group] = view->cards[SCOPE_group]->scope_id;
    ids[SCOPE_strategy] = view->wish->strategy ? view->wish->strategy->id : 0;
    ids[SCOPE_instrument] = instrument ? instrument->is.msg.instrument : 0;
}

void risk_decide(const struct risk_view *view, struct out_decision *decision)
{
    put_ids(view, decision);
    struct readings readings = {.at = decision->words};
    read_rows(view, &readings);
    if (view->further)
        further_read(view, &readings);
    decision->msg.size = (uint32_t)((char *)readings.at - (char *)decision);
    decision->zeros = readings.zeros;
    decision->allowed = readings.failed == 0;
}

static uint8_t first_failed(const struct out_decision *decision)
{
    struct decision_walk walk = decision_begin(decision);
    struct risk_reading reading;
    while (decision_next(&walk, &reading))
        if (reading.failed)
            return reading.check;
    return 0;
}

/* Is the name used? It may be anywhere in much memory, which was asked for when the wish was made;
 * so it is looked for when all else is done, and then, for once, the readings are written again. */
bool risk_allows(struct engine *engine, struct wish *wish)
{
    struct out_decision *decision = engine->decision;
    struct risk_view view;

    view_make(&view, engine, wish);
    wish->used_cid = false;
    risk_decide(&view, decision);
    wish->used_cid = wish->cid && cid_is_used(engine, wish->cid, wish->cid_key);
    if (wish->used_cid)
        risk_decide(&view, decision);
    decision->reason = decision->allowed ? 0 : first_failed(decision);
    return decision->allowed;
}
