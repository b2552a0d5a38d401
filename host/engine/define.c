/* define.c - what exists: venues, accounts, groups, strategies, instruments; limits and policies.
 *
 * Numbers are dense, chosen by the host, and never reused. What an instrument is (assets, kind,
 * exponents, multiplier) never changes, since every count of it depends on that; its rules (tick,
 * step, minimum, status) may, and apply to later orders. A definition that cannot be right is told
 * as an anomaly and changes nothing: what is not defined refuses orders later.
 *
 * CARDS     Limits are exact decimals; the checks compare int64. A card holds a scope's limits in the
 *           units of one instrument, rounded down, and is made anew when limits_version has moved. */
#include "engine/define.h"
#include "engine/inputs.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/tell.h"

/* --- scopes ------------------------------------------------------------------------------------ */

const struct scope *scope_peek(const struct engine *engine, uint8_t scope, uint32_t id)
{
    const struct scope *list = NULL;
    uint32_t room = 0;
    switch (scope) {
    case SCOPE_host: list = engine->host, room = 1; break;
    case SCOPE_venue: list = engine->venues, room = engine->sizes.venues; break;
    case SCOPE_account: list = engine->account_scopes, room = engine->sizes.accounts; break;
    case SCOPE_group: list = engine->groups, room = engine->sizes.strategies + 1; break;
    case SCOPE_strategy:
        if (id == STRATEGY_EXTERNAL)
            return &engine->external;
        list = engine->strategies, room = engine->sizes.strategies + 1;
        break;
    case SCOPE_instrument:
        list = engine->instrument_scopes, room = engine->sizes.instruments + 1;
        break;
    default: break;
    }
    return id < room && list[id].defined ? &list[id] : NULL;
}

/* The same scope, to be changed: all of them stand in the engine's own memory. */
struct scope *scope_at(struct engine *engine, uint8_t scope, uint32_t id)
{
    const struct scope *found = scope_peek(engine, scope, id);
    switch (found ? scope : RISK_SCOPE_COUNT) {
    case SCOPE_host: return engine->host;
    case SCOPE_venue: return &engine->venues[id];
    case SCOPE_account: return &engine->account_scopes[id];
    case SCOPE_group: return &engine->groups[id];
    case SCOPE_strategy:
        return id == STRATEGY_EXTERNAL ? &engine->external : &engine->strategies[id];
    case SCOPE_instrument: return &engine->instrument_scopes[id];
    default: return NULL;
    }
}

struct instrument *instrument_at(struct engine *engine, uint32_t n)
{
    return n > 0 && n <= engine->instrument_count ? &engine->instruments[n] : NULL;
}

static bool is_same_owner(const struct scope *scope, const struct in_define *define)
{
    return !scope->defined || scope->kind == SCOPE_venue || scope->kind == SCOPE_group ||
           scope->parent == define->parent;
}

static void define_scope(struct engine *engine, struct scope *scope, uint8_t kind,
                         const struct in_define *define)
{
    if (!is_same_owner(scope, define)) {
        tell_anomaly(engine, 0, 0, "a definition would move to another owner");
        return;
    }
    if (!scope->defined)
        scope->unset = (1u << RISK_LIMIT_COUNT) - 1;
    scope->defined = 1;
    scope->kind = kind;
    scope->id = define->number;
    scope->parent = define->parent;
    scope->rights = define->rights;
    put_text(scope->name, define->name);
}

static bool define_account(struct engine *engine, const struct in_define *define)
{
    if (define->number >= engine->sizes.accounts || define->parent >= engine->sizes.venues ||
        !engine->venues[define->parent].defined)
        return false;
    engine->accounts[define->number].venue = (uint16_t)define->parent;
    define_scope(engine, &engine->account_scopes[define->number], SCOPE_account, define);
    return true;
}

void apply_define(struct engine *engine, const void *input)
{
    const struct in_define *define = input;
    uint32_t number = define->number;
    bool known = true;

    switch (define->msg.kind) {
    case IN_DEFINE_VENUE:
        if ((known = number < engine->sizes.venues))
            define_scope(engine, &engine->venues[number], SCOPE_venue, define);
        break;
    case IN_DEFINE_ACCOUNT: known = define_account(engine, define); break;
    case IN_DEFINE_GROUP:
        if ((known = number <= engine->sizes.strategies))
            define_scope(engine, &engine->groups[number], SCOPE_group, define);
        break;
    default:
        if ((known = number > 0 && number <= engine->sizes.strategies && number <= STRATEGY_MOST))
            define_scope(engine, &engine->strategies[number], SCOPE_strategy, define);
        break;
    }
    if (!known)
        tell_anomaly(engine, 0, 0, "a definition whose number is out of range");
}

/* --- assets and holdings ------------------------------------------------------------------------ */

uint32_t asset_find(const struct engine *engine, const char *asset)
{
    uint32_t n;
    return map_get(&engine->asset_of, key_for(KEY_ASSET, asset, WEIR_ASSET_MAX, 0), &n)
               ? n
               : UINT32_MAX;
}

uint32_t asset_number(struct engine *engine, const char *asset)
{
    if (engine->asset_count > 0 && asset[0] &&
        strncmp(engine->assets[engine->last_asset], asset, WEIR_ASSET_MAX) == 0)
        return engine->last_asset;
    uint32_t n = asset_find(engine, asset);
    if (n != UINT32_MAX)
        engine->last_asset = n;
    if (n != UINT32_MAX || !asset[0])
        return n;
    if (engine->asset_count >= engine->sizes.assets ||
        !map_put(&engine->asset_of, key_for(KEY_ASSET, asset, WEIR_ASSET_MAX, 0),
                 engine->asset_count))
        return UINT32_MAX;
    put_text(engine->assets[engine->asset_count], asset);
    return engine->asset_count++;
}

static struct key128 holding_key(uint32_t instrument, uint32_t owner)
{
    return (struct key128){instrument, owner};
}

uint32_t holding_find(const struct engine *engine, uint32_t instrument, uint32_t owner)
{
    uint32_t n = 0;
    if (owner <= engine->sizes.strategies &&
        engine->strategies[owner].last_instrument == instrument)
        return engine->strategies[owner].last_holding;
    return map_get(&engine->holding_of, holding_key(instrument, owner), &n) ? n : 0;
}

static uint32_t holding_make(struct engine *engine, uint32_t instrument, uint32_t owner)
{
    uint32_t n = engine->holding_count + 1;
    if (n > engine->sizes.positions ||
        !map_put(&engine->holding_of, holding_key(instrument, owner), n))
        return 0;
    engine->holding_count = n;
    engine->holdings[n] = (struct holding){
        .instrument = instrument, .owner = owner, .next = engine->instruments[instrument].holdings};
    engine->instruments[instrument].holdings = n;
    if (owner != 0 && owner < GROUP_OWNER) {
        struct scope *strategy = strategy_of(engine, owner);
        engine->holdings[n].owned = strategy->holdings;
        strategy->holdings = n;
    }
    return n;
}

static uint32_t holding_first(struct engine *engine, uint32_t instrument, uint32_t owner)
{
    uint32_t n = holding_find(engine, instrument, owner), group = 0;
    if (n)
        return n;
    const struct scope *strategy = scope_at(engine, SCOPE_strategy, owner);
    if (strategy && scope_at(engine, SCOPE_group, strategy->parent)) {
        uint32_t group_owner = GROUP_OWNER + strategy->parent;
        group = holding_find(engine, instrument, group_owner);
        if (!group)
            group = holding_make(engine, instrument, group_owner);
        if (!group)
            return 0;
    }
    n = holding_make(engine, instrument, owner);
    if (n)
        engine->holdings[n].group = group;
    return n;
}

/* Most strategies ask for the same one again and again. */
uint32_t holding_take(struct engine *engine, uint32_t instrument, uint32_t owner)
{
    bool is_strategy = owner <= engine->sizes.strategies;
    if (is_strategy && engine->strategies[owner].last_instrument == instrument)
        return engine->strategies[owner].last_holding;
    uint32_t n = holding_first(engine, instrument, owner);
    if (is_strategy && n) {
        engine->strategies[owner].last_instrument = instrument;
        engine->strategies[owner].last_holding = n;
    }
    return n;
}

/* --- instruments --------------------------------------------------------------------------------- */

static int multiplier_places(const struct weir_instrument *is)
{
    int places = is->multiplier ? is->multiplier_exp : 0;
    for (int64_t left = is->multiplier; places > 0 && left % 10 == 0; left /= 10)
        places--;
    return places;
}

static const char *wrong_with(const struct engine *engine, const struct weir_instrument *is)
{
    const struct weir_msg *msg = &is->msg;
    int places = is->price_exp + is->qty_exp;
    if (msg->instrument == 0 || msg->instrument > engine->sizes.instruments ||
        msg->instrument > engine->instrument_count + 1)
        return "instrument: number is out of range";
    if (msg->account >= engine->sizes.accounts || !engine->account_scopes[msg->account].defined ||
        engine->accounts[msg->account].venue != msg->venue)
        return "instrument: no such account at this venue";
    if (is->kind > WEIR_INVERSE)
        return "instrument: kind is not known";
    if (is->price_exp < 0 || is->qty_exp < 0 || places > AMOUNT_EXP)
        return "instrument: more than 18 decimals";
    if (is->multiplier < 0 || is->multiplier_exp < 0 || is->multiplier_exp > AMOUNT_EXP)
        return "instrument: multiplier is not positive";
    if ((is->kind == WEIR_INVERSE ? is->qty_exp : places) + multiplier_places(is) > AMOUNT_EXP)
        return "instrument: its worth would have more than 18 decimals";
    if (is->tick < 0 || is->step < 0 || amount_of(is->min_notional) < 0)
        return "instrument: a rule is negative";
    if (!is->symbol[0] || !is->base[0] || !is->quote[0])
        return "instrument: symbol or asset is missing";
    return NULL;
}

static bool is_same_thing(const struct weir_instrument *a, const struct weir_instrument *b)
{
    return a->msg.venue == b->msg.venue && a->msg.account == b->msg.account && a->kind == b->kind &&
           a->price_exp == b->price_exp && a->qty_exp == b->qty_exp &&
           a->multiplier == b->multiplier && a->multiplier_exp == b->multiplier_exp &&
           strncmp(a->symbol, b->symbol, WEIR_SYMBOL_MAX) == 0 &&
           strncmp(a->base, b->base, WEIR_ASSET_MAX) == 0 &&
           strncmp(a->quote, b->quote, WEIR_ASSET_MAX) == 0;
}

static void set_multiplier(struct instrument *instrument)
{
    instrument->multiplier = instrument->is.multiplier ? instrument->is.multiplier : 1;
    instrument->multiplier_exp = multiplier_places(&instrument->is);
    if (instrument->is.multiplier)
        instrument->multiplier /=
            pow10_of(instrument->is.multiplier_exp - instrument->multiplier_exp);
    instrument->plain = instrument->multiplier == 1 && instrument->multiplier_exp == 0;
}

static bool define_first(struct engine *engine, struct instrument *instrument,
                         const struct weir_instrument *is)
{
    uint32_t n = is->msg.instrument, base = asset_number(engine, is->base),
             quote = asset_number(engine, is->quote);
    struct in_define define = {.number = n};

    if (base == UINT32_MAX || quote == UINT32_MAX ||
        !map_put(&engine->symbols, key_for(KEY_SYMBOL, is->symbol, WEIR_SYMBOL_MAX, is->msg.venue),
                 n))
        return false;
    instrument->is = *is;
    instrument->venue = is->msg.venue;
    instrument->account = is->msg.account;
    instrument->base = base;
    instrument->quote = quote;
    instrument->settles = is->kind == WEIR_INVERSE ? base : quote;
    instrument->own.instrument = n;
    set_multiplier(instrument);
    instrument->product_exp =
        is->qty_exp + instrument->multiplier_exp + (is->kind == WEIR_INVERSE ? 0 : is->price_exp);
    loss_units(instrument);
    engine->instrument_count = n;
    put_text(define.name, is->symbol);
    define_scope(engine, &engine->instrument_scopes[n], SCOPE_instrument, &define);
    return true;
}

/* ceil(value in units of 10^-exp), at most INT64_MAX */
static int64_t in_units_up(amount value, int exp)
{
    int64_t unit = pow10_of(AMOUNT_EXP - exp);
    amount units = value / unit + (value % unit != 0);
    return units > INT64_MAX ? INT64_MAX : (int64_t)units;
}

static void set_rules(struct instrument *instrument, const struct weir_instrument *is)
{
    instrument->is.tick = is->tick;
    instrument->is.step = is->step;
    instrument->is.min_notional = is->min_notional;
    instrument->min_units = in_units_up(amount_of(is->min_notional), instrument->product_exp);
    instrument->is.status = is->status;
    instrument->halted &= (uint8_t)~HALT_VENUE;
    if (is->status != WEIR_TRADING)
        instrument->halted |= HALT_VENUE;
}

void apply_instrument(struct engine *engine, const void *input)
{
    const struct weir_instrument *is = input;
    const char *wrong = wrong_with(engine, is);

    if (wrong) {
        tell_anomaly(engine, 0, 0, wrong);
        return;
    }
    struct instrument *instrument = &engine->instruments[is->msg.instrument];
    if (is->msg.instrument <= engine->instrument_count) {
        if (!is_same_thing(&instrument->is, is)) {
            tell_anomaly(engine, is->msg.instrument, 0, "instrument: what it is cannot change");
            return;
        }
    } else if (!define_first(engine, instrument, is)) {
        tell_alert(engine, ALERT_CAPACITY, 0, 0, 0, 0, "assets or symbols");
        return;
    }
    set_rules(instrument, is);
}

/* --- limits ---------------------------------------------------------------------------------------- */

/* floor(value in units of 10^-exp), at most INT64_MAX */
static int64_t in_units(amount value, int exp)
{
    amount units = value / pow10_of(AMOUNT_EXP - exp);
    return units > INT64_MAX ? INT64_MAX : (int64_t)units;
}

static void card_make(struct card *card, struct scope *scope, const struct instrument *instrument)
{
    const struct limit *limits = scope->limits;
    int qty_exp = instrument->is.qty_exp;
    *card = (struct card){
        .max_order_notional =
            in_units(limits[LIMIT_max_order_notional].value, instrument->product_exp),
        .max_order_qty = in_units(limits[LIMIT_max_order_qty].value, qty_exp),
        .max_position = in_units(limits[LIMIT_max_position].value, qty_exp),
        .price_band = in_units(limits[LIMIT_price_band_pct].value, 9),
        .max_open_orders = in_units(limits[LIMIT_max_open_orders].value, 0),
        .unset = scope->unset & ((1u << CORE_LIMIT_COUNT) - 1),
        .scope_id = scope->id,
        .scope = scope,
    };
    for (unsigned i = 0; i < RISK_LIMIT_COUNT; i++) {
        card->given |= (uint32_t)(limits[i].how == LIMIT_VALUE) << i;
        card->on |= (uint32_t)(limits[i].how == LIMIT_VALUE && limits[i].value != 0) << i;
    }
}

void cards_refresh(struct engine *engine, struct instrument *instrument)
{
    if (instrument->card_version == engine->limits_version + 1)
        return;
    card_make(&instrument->cards[0], engine->host, instrument);
    card_make(&instrument->cards[1], &engine->venues[instrument->venue], instrument);
    card_make(&instrument->cards[2], &engine->account_scopes[instrument->account], instrument);
    card_make(&instrument->cards[3], &engine->instrument_scopes[instrument->is.msg.instrument],
              instrument);
    instrument->card_version = engine->limits_version + 1;
}

void holding_refresh(struct engine *engine, struct instrument *instrument, struct holding *holding)
{
    if (holding->card_version == engine->limits_version + 1)
        return;
    bool is_group = holding->owner >= GROUP_OWNER;
    struct scope *scope = scope_at(engine, is_group ? SCOPE_group : SCOPE_strategy,
                                   is_group ? holding->owner - GROUP_OWNER : holding->owner);
    must(scope != NULL);
    card_make(&holding->card, scope, instrument);
    holding->card_version = engine->limits_version + 1;
}

static bool is_flag(uint8_t limit)
{
    return limit == LIMIT_check_balance || limit == LIMIT_self_cross;
}

/* A scope is about to have a max_loss, or to have none. */
static void watch_losses(struct engine *engine, const struct scope *scope, bool has)
{
    uint32_t change = (uint32_t)has - (uint32_t)(scope->limits[LIMIT_max_loss].how == LIMIT_VALUE);
    if (scope->kind != SCOPE_strategy && scope->kind != SCOPE_group)
        return;
    engine->owner_losses += change;
    if (scope->kind == SCOPE_strategy) {
        calm_end(engine, scope);
        loss_settle_owned(engine, scope);
        return;
    }
    engine->group_losses += change;
    calm_end_all(engine);
    loss_settle_all(engine);
}

/* A strategy or group is about to have a limit for which its profit and loss is looked at after each
 * price; or to have it no more. */
static void watch_course(struct engine *engine, struct scope *scope, uint8_t limit, uint32_t change)
{
    if (scope->kind == SCOPE_strategy || scope->kind == SCOPE_group) {
        engine->group_losses += change;
        calm_end_all(engine);
        loss_settle_all(engine);
    }
    if (limit == LIMIT_max_day_loss)
        scope->course.day_began = scope->pnl;
    else if (limit == LIMIT_max_window_loss)
        course_window_anew(engine, scope);
    else
        scope->course.best = scope->pnl;
}

static void look_again(struct engine *engine)
{
    engine->watching = engine->further_on > 0 || engine->policy[POLICY_runaway_fills] > 0;
}

void apply_limit(struct engine *engine, const void *input)
{
    const struct in_limit *in = input;
    struct scope *scope = scope_at(engine, in->scope, in->id);
    amount value = amount_of(in->value);

    if (!scope || in->limit >= RISK_LIMIT_COUNT || in->how > LIMIT_VALUE || value < 0 ||
        (is_flag(in->limit) && value != 0 && value != amount_from(1, 0))) {
        tell_anomaly(engine, 0, 0, "a limit that cannot be: scope, name or value");
        return;
    }
    engine->limits_version++;
    if (in->limit == LIMIT_max_loss)
        watch_losses(engine, scope, in->how == LIMIT_VALUE);
    uint32_t change = (uint32_t)(in->how == LIMIT_VALUE) -
                      (uint32_t)(scope->limits[in->limit].how == LIMIT_VALUE);
    if (in->limit >= CORE_LIMIT_COUNT)
        engine->further_on += change;
    if (change && (in->limit == LIMIT_max_day_loss || in->limit == LIMIT_max_drawdown ||
                   in->limit == LIMIT_max_window_loss))
        watch_course(engine, scope, in->limit, change);
    scope->limits[in->limit] = (struct limit){value, in->how};
    look_again(engine);
    scope->unset &= ~(1u << in->limit);
    if (in->how == LIMIT_UNSET)
        scope->unset |= 1u << in->limit;
    if (in->limit == LIMIT_max_loss) {
        scope->lost = 0;
        scope->pnl_least = in->how == LIMIT_VALUE ? -value : PNL_UNLIMITED;
    }
    if ((in->limit == LIMIT_throttle_max || in->limit == LIMIT_throttle_window_ms) &&
        !throttle_set(engine, scope))
        tell_alert(engine, ALERT_CAPACITY, 0, 0, in_units(value, 0), 0, "throttle_max");
}

/* --- policies -------------------------------------------------------------------------------------- */

static const struct {
    int64_t first, least, most;
} policies[POLICY_COUNT] = {
    [POLICY_not_found_confirm] = {3, 1, INT32_MAX},
    [POLICY_not_found_after_ns] = {10000000000, 0, INT64_MAX},
    [POLICY_strict] = {0, 0, 1},
    [POLICY_instance] = {0, 0, 1679615},
    [POLICY_wait_for_ack_ns] = {5000000000, 0, INT64_MAX},
    [POLICY_query_first_ns] = {50000000, 1, INT64_MAX},
    [POLICY_query_most_ns] = {5000000000, 1, INT64_MAX},
    [POLICY_query_rest_ns] = {30000000000, 1, INT64_MAX},
    [POLICY_kill_answer_ns] = {0, 0, INT64_MAX},
    [POLICY_trigger_by] = {0, 0, 1},
    [POLICY_day_ends_ns] = {0, 0, 86399999999999},
    [POLICY_pace_queue] = {0, 0, 1},
#define X(name, text, action) [POLICY_on_##name] = {ACTION_##action, 0, GUARD_ACTION_COUNT - 1},
    GUARDS(X)
#undef X
        [POLICY_clock_step_ns] = {0, 0, INT64_MAX},
    [POLICY_slow_ack_ns] = {0, 0, INT64_MAX},
    [POLICY_runaway_fills] = {0, 0, 1000000000},
    [POLICY_reconcile_every_ns] = {0, 0, INT64_MAX},
    [POLICY_loss_window_ns] = {3600000000000, 1, INT64_MAX / 4},
    [POLICY_market_cap] = {0, 0, 999999999},
};

void policy_defaults(struct engine *engine)
{
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        engine->policy[i] = policies[i].first;
}

void apply_policy(struct engine *engine, const void *input)
{
    const struct in_policy *in = input;
    if (in->policy >= POLICY_COUNT || in->value < policies[in->policy].least ||
        in->value > policies[in->policy].most) {
        tell_anomaly(engine, 0, 0, "a policy that is not known, or out of range");
        return;
    }
    engine->policy[in->policy] = in->value;
    look_again(engine);
}

void set_trading_state(struct engine *engine, struct scope *scope, uint8_t state,
                       const char *reason)
{
    bool was_halted = scope->state == TRADING_HALTED_STATE;
    scope->state = state;
    if (was_halted && scope->kind == SCOPE_strategy) { /* it was not watched */
        calm_end(engine, scope);
        loss_settle_owned(engine, scope);
    }
    tell_state(engine, STATE_TRADING, scope->kind, scope->id, state, reason);
}

void apply_trading_state(struct engine *engine, const void *input)
{
    const struct in_limit *in = input;
    struct scope *scope = scope_at(engine, in->scope, in->id);
    if (!scope || in->limit >= TRADING_STATE_COUNT) {
        tell_anomaly(engine, 0, 0, "a trading state that is not known, or of no scope");
        return;
    }
    set_trading_state(engine, scope, in->limit, "");
}
