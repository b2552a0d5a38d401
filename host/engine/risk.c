/* risk.c - the checks that every order and replace passes, whoever sends it.
 *
 * A check is a pure function with one shape: it reads a number and the limit for it. All of them are
 * evaluated and told, passed ones too; the first that failed, in the order of ROWS, is the reason.
 * ONCE checks are read once for an order, EACH checks once for every scope that has their limit. A
 * new check is one function and one row. Cancels do not come here.
 *
 * A check that does not apply (no such limit, no price to compare with under scenario rules) gives no
 * reading. Under strict rules what is missing refuses: NO_LIMIT, NO_REFERENCE, STALE_BOOK. A number
 * that does not fit is the greatest there is.
 *
 * REPLACES  are judged with the larger of old and new quantity for themselves, and without what the
 *           order adds to the sums already.
 * INTERNAL  only: max_position, max_open_orders, self_cross and the throttle do not apply. */
#include "engine/state.h"

enum { CARDS_MAX = 6 };

struct risk_view {
    struct engine *engine; /* read only, but for the throttles' tails */
    const struct wish *wish;
    const struct instrument *instrument;
    const struct holding *strategy, *group; /* NULL: never had an order */
    const struct card *cards[CARDS_MAX];
    uint32_t card_count;
    weir_px px;         /* its limit, or the reference; 0: none */
    bool outside;       /* it may reach a venue */
    amount notional;    /* 10^-product_exp */
    bool has_notional;  /* it has a price */
    int64_t band;       /* distance from the reference, 10^-9 percent; -1: none */
    amount own_counted; /* what the order adds already */
    amount own_held;
};

static int64_t narrow(amount value)
{
    return value > INT64_MAX ? INT64_MAX : value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

/* value must not be over limit */
static inline bool at_most(struct risk_reading *reading, int64_t value, int64_t limit, int exp)
{
    reading->value = value;
    reading->limit = limit;
    reading->exp = (int8_t)exp;
    reading->failed = value > limit;
    return true;
}

static inline bool at_least(struct risk_reading *reading, int64_t value, int64_t limit, int exp)
{
    at_most(reading, value, limit, exp);
    reading->failed = value < limit;
    return true;
}

static inline bool none(struct risk_reading *reading, int64_t value)
{
    return at_most(reading, value, 0, 0);
}

/* --- what is read once ------------------------------------------------------------------------- */

static bool kill_switch(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->engine->killed);
}
static bool dup_client_id(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->used_cid);
}

static bool reconciling(const struct risk_view *view, struct risk_reading *r)
{
    return view->instrument &&
           none(r, view->engine->accounts[view->instrument->account].reconciling);
}

static bool halted(const struct risk_view *view, struct risk_reading *r)
{
    return view->instrument && none(r, view->instrument->halted);
}

static bool venue_down(const struct risk_view *view, struct risk_reading *r)
{
    return view->instrument &&
           none(r,
                !account_is_up(view->engine, &view->engine->accounts[view->instrument->account]));
}

static bool venue_backoff(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument)
        return false;
    weir_ns until = view->engine->backoff[view->instrument->venue], now = view->engine->now;
    return at_most(r, until > now ? until - now : 0, 0, 9);
}

/* What is left over a multiple of unit; a value that is not positive is left over whole. */
static int64_t left_over(int64_t value, int64_t unit)
{
    if (value <= 0)
        return value == 0 ? INT64_MAX : value;
    return unit > 1 ? value % unit : 0;
}

static bool tick(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument || view->wish->type == WEIR_MARKET)
        return false;
    none(r, left_over(view->wish->px, view->instrument->is.tick));
    r->exp = view->instrument->is.price_exp;
    r->failed = r->value != 0;
    return true;
}

static bool step(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument)
        return false;
    none(r, left_over(view->wish->qty, view->instrument->is.step));
    r->exp = view->instrument->is.qty_exp;
    r->failed = r->value != 0;
    return true;
}

static bool min_notional(const struct risk_view *view, struct risk_reading *r)
{
    return view->has_notional && view->instrument->min_units > 0 &&
           at_least(r, narrow(view->notional), view->instrument->min_units,
                    view->instrument->product_exp);
}

static bool stale_book(const struct risk_view *view, struct risk_reading *r)
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

static bool reduce_only(const struct risk_view *view, struct risk_reading *r)
{
    if (!view->instrument || !(view->wish->flags & WEIR_REDUCE_ONLY))
        return false;
    amount others = view->instrument->reduce[view->wish->side] - view->own_counted;
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

static bool flag_given(const struct risk_view *view, enum risk_limit limit, struct risk_reading *r)
{
    for (uint32_t i = 0; i < view->card_count; i++) {
        const struct scope *scope = view->cards[i]->scope;
        if (!(view->cards[i]->given & (1u << limit)) || scope->limits[limit].value == 0)
            continue;
        r->scope = scope->kind;
        r->id = scope->id;
        return true;
    }
    return false;
}

static bool insufficient_balance(const struct risk_view *view, struct risk_reading *r)
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

static bool self_cross(const struct risk_view *view, struct risk_reading *r)
{
    const struct wish *wish = view->wish;
    uint8_t other = wish->side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    weir_px best, px = wish->px;

    if (!view->instrument || !view->outside || !flag_given(view, LIMIT_self_cross, r))
        return false;
    if (wish->type == WEIR_MARKET)
        px = wish->side == WEIR_BUY ? INT64_MAX : INT64_MIN;
    bool any = quotes_best(view->engine, view->instrument->is.msg.instrument, other, &best);
    at_most(r, px, any ? best : 0, view->instrument->is.price_exp);
    r->failed = any && (wish->side == WEIR_BUY ? px >= best : px <= best);
    return true;
}

static bool rights(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->foreign);
}
static bool unknown_instrument(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, !view->instrument);
}
static bool journal(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->engine->journal_failed);
}

static bool no_limit(const struct risk_view *view, struct risk_reading *r)
{
    if (!strict(view->engine) || !view->instrument)
        return false;
    for (uint32_t i = 0; i < view->card_count; i++) {
        const struct scope *scope = view->cards[i]->scope;
        bool must_be_given = scope->kind != SCOPE_venue && scope->kind != SCOPE_group;
        if (!must_be_given || !view->cards[i]->unset)
            continue;
        r->scope = scope->kind;
        r->id = scope->id;
        none(r, __builtin_ctz(view->cards[i]->unset)); /* value: which limit */
        r->failed = 1;
        return true;
    }
    return none(r, 0);
}

static bool no_reference(const struct risk_view *view, struct risk_reading *r)
{
    return strict(view->engine) && view->instrument && none(r, view->instrument->reference_x2 <= 0);
}

static bool capability(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->unable);
}
static bool capacity(const struct risk_view *view, struct risk_reading *r)
{
    return none(r, view->wish->no_room);
}

static bool state_allows(const struct risk_view *view, uint8_t state)
{
    if (state == TRADING_ACTIVE)
        return true;
    if (state != TRADING_REDUCE_ONLY || !view->instrument)
        return false;
    amount others =
        view->instrument->own.exposure[view->wish->side] - (view->outside ? view->own_counted : 0);
    return view->wish->worst <= reducible(view, others);
}

static bool trading_state(const struct risk_view *view, struct risk_reading *r)
{
    for (uint32_t i = 0; i < view->card_count; i++) {
        const struct scope *scope = view->cards[i]->scope;
        if (state_allows(view, scope->state))
            continue;
        r->scope = scope->kind;
        r->id = scope->id;
        none(r, scope->state);
        r->failed = 1;
        return true;
    }
    return none(r, TRADING_ACTIVE);
}

static bool bad_request(const struct risk_view *view, struct risk_reading *r)
{
    amount fits;
    bool too_large = view->has_notional && view->instrument->is.kind != WEIR_INVERSE &&
                     !amount_product(view->px, view->instrument->is.price_exp, view->wish->qty,
                                     view->instrument->is.qty_exp, &fits);
    return none(r, view->wish->bad || too_large);
}

/* --- what is read for each scope ------------------------------------------------------------------ */

static bool given(const struct card *card, enum risk_limit limit)
{
    return card->given & (1u << limit);
}

static bool price_band(const struct risk_view *view, const struct card *card,
                       struct risk_reading *r)
{
    return given(card, LIMIT_price_band_pct) && view->band >= 0 &&
           at_most(r, view->band, card->price_band, 9);
}

static bool max_order_qty(const struct risk_view *view, const struct card *card,
                          struct risk_reading *r)
{
    return given(card, LIMIT_max_order_qty) && view->instrument &&
           at_most(r, view->wish->qty, card->max_order_qty, view->instrument->is.qty_exp);
}

static bool max_order_notional(const struct risk_view *view, const struct card *card,
                               struct risk_reading *r)
{
    if (!given(card, LIMIT_max_order_notional) || !view->has_notional)
        return false;
    at_most(r, narrow(view->notional), card->max_order_notional, view->instrument->product_exp);
    if (view->notional <=
        INT64_MAX) /* as wide as it is, it is over what fits in a card, or the limit is wider */
        return true;
    amount unit = pow10_of(AMOUNT_EXP - view->instrument->product_exp);
    r->failed = view->notional > card->scope->limits[LIMIT_max_order_notional].value / unit;
    return true;
}

/* Position and exposure are those of the account in the instrument; a strategy's and a group's their own. */
static bool max_position(const struct risk_view *view, const struct card *card,
                         struct risk_reading *r)
{
    if (!given(card, LIMIT_max_position) || !view->outside)
        return false;
    const struct holding *holding = &view->instrument->own;
    if (card->scope->kind == SCOPE_strategy)
        holding = view->strategy;
    else if (card->scope->kind == SCOPE_group)
        holding = view->group;
    amount held = holding->now.qty;
    amount worst = (view->wish->side == WEIR_BUY ? held : -held) +
                   holding->exposure[view->wish->side] - view->own_counted + view->wish->worst;
    return at_most(r, narrow(worst), card->max_position, view->instrument->is.qty_exp);
}

static bool max_open_orders(const struct risk_view *view, const struct card *card,
                            struct risk_reading *r)
{
    return given(card, LIMIT_max_open_orders) && view->outside && view->wish->order == 0 &&
           at_most(r, (int64_t)card->scope->live + 1, card->max_open_orders, 0);
}

static bool throttled(const struct risk_view *view, const struct card *card, struct risk_reading *r)
{
    struct scope *scope = card->scope;
    return scope->throttle_max >= 0 && view->outside &&
           at_most(r, (int64_t)throttle_count(view->engine, scope) + 1, scope->throttle_max, 0);
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
    ONCE(BAD_REQUEST,          host,       bad_request)
/* clang-format on */

/* Every check has its row. */
#define COUNT_ONCE(check, scope, read) +1
#define COUNT_EACH(check, read)        +1
_Static_assert(0 ROWS(COUNT_ONCE, COUNT_EACH) == RISK_CHECK_COUNT, "a check without a row");

#define MOST_ONCE(check, scope, read) +1
#define MOST_EACH(check, read)        +CARDS_MAX
_Static_assert(0 ROWS(MOST_ONCE, MOST_EACH) < DECISION_READINGS_MAX,
               "a decision has no room for all readings");

struct trail {
    struct risk_reading *at;
    uint8_t failed; /* 1 + the first check that did */
};

static inline void keep(struct trail *trail, const struct risk_reading *reading)
{
    *trail->at++ = *reading;
    if (__builtin_expect(reading->failed, 0) && !trail->failed)
        trail->failed = (uint8_t)(reading->check + 1);
}

static void evaluate(const struct risk_view *view, struct trail *trail)
{
    const struct instrument *instrument = view->instrument;
    const uint32_t ids[RISK_SCOPE_COUNT] = {
        [SCOPE_venue] = instrument ? instrument->venue : 0,
        [SCOPE_account] = instrument ? instrument->account : 0,
        [SCOPE_strategy] = view->wish->strategy ? view->wish->strategy->id : 0,
        [SCOPE_instrument] = instrument ? instrument->is.msg.instrument : 0,
    };
    struct trail so_far = *trail;
#define READ_ONCE(name, in, read)                                               \
    {                                                                           \
        struct risk_reading reading = {                                         \
            .check = CHECK_##name, .scope = SCOPE_##in, .id = ids[SCOPE_##in]}; \
        if (read(view, &reading))                                               \
            keep(&so_far, &reading);                                            \
    }
#define READ_EACH(name, read)                                                        \
    for (uint32_t i = 0; i < view->card_count; i++) {                                \
        const struct card *card = view->cards[i];                                    \
        struct risk_reading reading = {                                              \
            .check = CHECK_##name, .scope = card->scope_kind, .id = card->scope_id}; \
        if (read(view, card, &reading))                                              \
            keep(&so_far, &reading);                                                 \
    }
    ROWS(READ_ONCE, READ_EACH)
    *trail = so_far;
}

/* --- the view ---------------------------------------------------------------------------------------- */

static const struct holding nothing;

static void view_holdings(struct risk_view *view, struct instrument *instrument,
                          const struct scope *strategy)
{
    struct engine *engine = view->engine;
    uint32_t n = holding_take(engine, instrument->is.msg.instrument, strategy->id);
    view->strategy = view->group = &nothing;
    if (!n)
        return;
    struct holding *holding = &engine->holdings[n];
    if (holding->group) {
        struct holding *group = &engine->holdings[holding->group];
        holding_refresh(engine, instrument, group);
        view->group = group;
        view->cards[view->card_count++] = &group->card;
    }
    holding_refresh(engine, instrument, holding);
    view->strategy = holding;
    view->cards[view->card_count++] = &holding->card;
}

/* Scopes from wide to narrow: host, venue, account, group, strategy, instrument. */
static void view_cards(struct risk_view *view, struct instrument *instrument,
                       const struct scope *strategy)
{
    cards_refresh(view->engine, instrument);
    for (uint32_t i = 0; i < CHAIN_FIXED; i++)
        view->cards[view->card_count++] = &instrument->cards[i];
    if (strategy)
        view_holdings(view, instrument, strategy);
    view->cards[view->card_count++] = &instrument->cards[CHAIN_FIXED];
}

/* ceil(|2 px - reference_x2| / reference_x2 in 10^-9 percent) */
static int64_t band_of(weir_px px, weir_px reference_x2)
{
    amount away = 2 * (amount)px - reference_x2;
    unsigned __int128 scaled = (unsigned __int128)(away < 0 ? -away : away) * 100000000000u;
    uint64_t by = (uint64_t)reference_x2;
    if (scaled <= UINT64_MAX - by) /* the usual case, without a long division */
        return narrow((amount)(((uint64_t)scaled + by - 1) / by));
    return narrow((amount)((scaled + by - 1) / by));
}

static amount product_units(const struct instrument *instrument, weir_px px, weir_qty qty)
{
    amount units = instrument->is.kind == WEIR_INVERSE ? qty : (amount)px * qty;
    if (instrument->plain)
        return units;
    return __builtin_mul_overflow(units, instrument->multiplier, &units) ? AMOUNT_MAX : units;
}

static void view_make(struct risk_view *view, struct engine *engine, const struct wish *wish)
{
    struct instrument *instrument = wish->instrument;
    *view = (struct risk_view){.engine = engine,
                               .wish = wish,
                               .instrument = instrument,
                               .band = -1,
                               .outside = instrument && wish->route != ROUTE_INSIDE_ONLY};
    if (!instrument)
        return;
    view_cards(view, instrument, wish->strategy);
    if (wish->order) {
        view->own_counted = more_at(engine, wish->order)->counted;
        view->own_held = more_at(engine, wish->order)->held;
    }
    view->px = wish->px;
    if (wish->type == WEIR_MARKET) /* half of the doubled reference, rounded up */
        view->px = instrument->reference_x2 / 2 + instrument->reference_x2 % 2;
    else if (instrument->reference_x2 > 0)
        view->band = band_of(wish->px, instrument->reference_x2);
    view->has_notional = view->px > 0 && wish->qty > 0;
    if (view->has_notional)
        view->notional = product_units(instrument, view->px, wish->qty);
}

bool risk_allows(struct engine *engine, const struct wish *wish)
{
    struct out_decision *decision = engine->decision;
    struct trail trail = {.at = decision->readings};
    struct risk_view view;

    view_make(&view, engine, wish);
    evaluate(&view, &trail);
    decision->count = (uint32_t)(trail.at - decision->readings);
    decision->allowed = trail.failed == 0;
    decision->reason = trail.failed ? (uint8_t)(trail.failed - 1) : 0;
    return decision->allowed;
}
