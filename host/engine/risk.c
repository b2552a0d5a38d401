/* risk.c - the checks that every order and replace passes, whoever sends it.
 *
 * A check is a pure function with one shape: it reads a number and the limit for it. All of them are
 * evaluated and told, passed ones too; the first that failed, in the order of ROWS, is the reason.
 * ONCE checks are read once for an order, EACH checks once for every scope that has their limit. A
 * new check is one function and one row. Cancels do not come here.
 *
 * The rows are walked twice: for the verdict, which looks at each reading and writes none, and to
 * write down all readings. Both are made from the same functions, so they cannot differ.
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
    return at_most(reading, value, 0, 0);
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
#define ROWS(ONCE, EACH)                                     \
    /* the contract's, in the contract's order */            \
    ONCE(KILL_SWITCH,          host,       kill_switch)      \
    ONCE(DUP_CLIENT_ID,        host,       dup_client_id)    \
    ONCE(RECONCILING,          account,    reconciling)      \
    ONCE(HALTED,               instrument, halted)           \
    ONCE(VENUE_DOWN,           account,    venue_down)       \
    ONCE(VENUE_BACKOFF,        venue,      venue_backoff)    \
    ONCE(TICK,                 instrument, tick)             \
    ONCE(STEP,                 instrument, step)             \
    ONCE(MIN_NOTIONAL,         instrument, min_notional)     \
    EACH(PRICE_BAND,                       price_band)       \
    ONCE(STALE_BOOK,           instrument, stale_book)       \
    EACH(MAX_ORDER_QTY,                    max_order_qty)    \
    EACH(MAX_ORDER_NOTIONAL,               max_order_notional) \
    ONCE(REDUCE_ONLY,          instrument, reduce_only)      \
    EACH(MAX_POSITION,                     max_position)     \
    EACH(MAX_OPEN_ORDERS,                  max_open_orders)  \
    ONCE(INSUFFICIENT_BALANCE, account,    insufficient_balance) \
    ONCE(SELF_CROSS,           instrument, self_cross)       \
    EACH(THROTTLED,                        throttled)        \
    /* the host's own */                                     \
    ONCE(RIGHTS,               strategy,   rights)           \
    ONCE(UNKNOWN_INSTRUMENT,   host,       unknown_instrument) \
    ONCE(JOURNAL,              host,       journal)          \
    ONCE(NO_LIMIT,             host,       no_limit)         \
    ONCE(NO_REFERENCE,         instrument, no_reference)     \
    ONCE(CAPABILITY,           venue,      capability)       \
    ONCE(CAPACITY,             host,       capacity)         \
    ONCE(TRADING_STATE,        host,       trading_state)    \
    ONCE(BAD_REQUEST,          host,       bad_request)      \
    ONCE(LINK,                 strategy,   link)
/* clang-format on */

/* Every check has its row. */
#define COUNT_ONCE(check, scope, read) +1
#define COUNT_EACH(check, read)        +1
_Static_assert(0 ROWS(COUNT_ONCE, COUNT_EACH) == RISK_CHECK_COUNT - FURTHER_CHECK_COUNT,
               "a check without a row");

#define MOST_ONCE(check, scope, read) +1
#define MOST_EACH(check, read)        +RISK_SCOPE_COUNT
_Static_assert(0 ROWS(MOST_ONCE, MOST_EACH) + FURTHER_CHECK_COUNT * RISK_SCOPE_COUNT <
                   DECISION_READINGS_MAX,
               "a decision has no room for all readings");

/* All readings, one after the other: `what` is done with those that apply. */
#define READ_ONCE(name, in, read)                                               \
    {                                                                           \
        struct risk_reading reading = {                                         \
            .check = CHECK_##name, .scope = SCOPE_##in, .id = ids[SCOPE_##in]}; \
        if (read(view, &reading))                                               \
            WHAT(reading);                                                      \
    }
#define READ_IN(name, in, read)                                                                   \
    {                                                                                             \
        struct risk_reading reading = {                                                           \
            .check = CHECK_##name, .scope = SCOPE_##in, .id = view->cards[SCOPE_##in]->scope_id}; \
        if (read(view, SCOPE_##in, &reading))                                                     \
            WHAT(reading);                                                                        \
    }
#define READ_EACH(name, read)     \
    READ_IN(name, host, read)     \
    READ_IN(name, venue, read)    \
    READ_IN(name, account, read)  \
    READ_IN(name, group, read)    \
    READ_IN(name, strategy, read) \
    READ_IN(name, instrument, read)

READS void scope_ids(const struct risk_view *view, uint32_t ids[RISK_SCOPE_COUNT])
{
    const struct instrument *instrument = view->instrument;
    ids[SCOPE_host] = ids[SCOPE_group] = 0;
    ids[SCOPE_venue] = instrument ? instrument->venue : 0;
    ids[SCOPE_account] = instrument ? instrument->account : 0;
    ids[SCOPE_strategy] = view->wish->strategy ? view->wish->strategy->id : 0;
    ids[SCOPE_instrument] = instrument ? instrument->is.msg.instrument : 0;
}

static bool all_pass(const struct risk_view *view)
{
    uint32_t ids[RISK_SCOPE_COUNT];
    unsigned failed = 0;
    scope_ids(view, ids);
#define WHAT(reading) failed |= (reading).failed
    ROWS(READ_ONCE, READ_EACH)
#undef WHAT
    return failed == 0;
}

_Static_assert(sizeof(struct risk_reading) == 24 && offsetof(struct risk_reading, id) == 4 &&
                   offsetof(struct risk_reading, value) == 8 &&
                   __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "a reading is three words, of which the first begins with the check");

READS void put_word(struct risk_reading *at, size_t word, uint64_t value)
{
    memcpy((char *)at + word * sizeof value, &value, sizeof value);
}

/* In whole words: what is put together byte by byte in memory is slow to be read again. */
READS void put_reading(struct risk_reading *at, const struct risk_reading *reading, bool failed)
{
    put_word(at, 0,
             reading->check | (uint32_t)reading->scope << 8 |
                 (uint32_t)(uint8_t)reading->exp << 16 | (uint32_t)failed << 24 |
                 (uint64_t)reading->id << 32);
    put_word(at, 1, (uint64_t)reading->value);
    put_word(at, 2, (uint64_t)reading->limit);
}

/* The readings themselves. Most orders pass all checks, and then no verdict has to be worked out. */
uint32_t risk_put_passed(const struct risk_view *view, struct risk_reading *readings)
{
    uint32_t ids[RISK_SCOPE_COUNT];
    struct risk_reading *at = readings;
    scope_ids(view, ids);
#define WHAT(reading) put_reading(at++, &(reading), false)
    ROWS(READ_ONCE, READ_EACH)
#undef WHAT
    return (uint32_t)(at - readings);
}

static uint32_t put_judged(const struct risk_view *view, struct risk_reading *readings)
{
    uint32_t ids[RISK_SCOPE_COUNT];
    struct risk_reading *at = readings;
    scope_ids(view, ids);
#define WHAT(reading) put_reading(at++, &(reading), (reading).failed)
    ROWS(READ_ONCE, READ_EACH)
#undef WHAT
    return (uint32_t)(at - readings);
}

/* --- the door ------------------------------------------------------------------------------------------ */

bool risk_passes(struct engine *engine, const struct wish *wish)
{
    struct risk_view view;
    struct risk_reading further[FURTHER_CHECK_COUNT * RISK_SCOPE_COUNT];
    bool fits = true;
    view_make(&view, engine, wish);
    if (view.further)
        (void)further_put(&view, further, 0, &fits);
    return all_pass(&view) && fits;
}

static uint8_t first_failed(const struct out_decision *decision)
{
    uint32_t i = 0;
    while (!decision->readings[i].failed)
        i++;
    return decision->readings[i].check;
}

/* Is the name used? It may be anywhere in much memory, which was asked for when the wish was made;
 * so it is looked for when all else is done, and then, for once, the readings are written again. */
bool risk_allows(struct engine *engine, struct wish *wish)
{
    struct out_decision *decision = engine->decision;
    struct risk_view view;

    view_make(&view, engine, wish);
    bool passed = all_pass(&view);
    if (passed)
        decision->count = risk_put_passed(&view, decision->readings);
    wish->used_cid = wish->cid && cid_is_used(engine, wish->cid, wish->cid_key);
    decision->allowed = passed && !wish->used_cid;
    if (!decision->allowed)
        decision->count = put_judged(&view, decision->readings);
    if (view.further) {
        bool fits = decision->allowed;
        decision->count = further_put(&view, decision->readings, decision->count, &fits);
        decision->allowed = fits;
    }
    decision->reason = decision->allowed ? 0 : first_failed(decision);
    return decision->allowed;
}
