/* engine.c - (state, input) -> (state, effects): the door.
 *
 * One table says for each kind of input how long it is and who applies it. Before an input is applied
 * the timers that are due at or before its time fire, so that the order of events never depends on
 * how often the owner looks at the clock; after it, each order that changed is told once. Kinds that
 * are of no concern here (books, trades) are in the table without a function; a kind that is not in
 * it, or is too short to be one, is an anomaly and changes nothing else. */
#include "engine/define.h"
#include "engine/fills.h"
#include "engine/hold.h"
#include "engine/inputs.h"
#include "engine/kill.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/recon.h"
#include "engine/resolver.h"
#include "engine/risk.h"
#include "engine/state.h"
#include "engine/tell.h"

static void apply_nothing(struct engine *engine, const void *input)
{
    (void)engine;
    (void)input;
}

static void apply_clock_jump(struct engine *engine, const void *input)
{
    const struct in_state *in = input;
    int64_t most = engine->policy[POLICY_clock_step_ns];
    tell_alert(engine, ALERT_CLOCK_JUMP, 0, 0, in->value, 0, "");
    if (most > 0 && (in->value > most || in->value < -most))
        guard_trips(engine, GUARD_clock_step, engine->host, amount_from(in->value, 6),
                    amount_from(most, 6));
}

static void apply_venue_clock(struct engine *engine, const void *input)
{
    const struct in_state *in = input;
    if (!scope_at(engine, SCOPE_venue, in->msg.venue)) {
        tell_anomaly(engine, 0, 0, "the clock of a venue that is not known");
        return;
    }
    engine->clocks[in->msg.venue] = (struct venue_clock){in->value, 1};
}

static void apply_journal_state(struct engine *engine, const void *input)
{
    const struct in_state *in = input;
    if (in->value && !engine->journal_failed)
        tell_alert(engine, ALERT_JOURNAL_FAILED, 0, 0, in->value, 0, "");
    if (in->value && !engine->journal_failed)
        guard_trips(engine, GUARD_journal_lag, engine->host, amount_from(in->value, 0), 0);
    engine->journal_failed = in->value != 0;
}

static void apply_id_block(struct engine *engine, const void *input)
{
    const struct in_state *in = input;
    if (in->value <= 0 || in->from < 0) {
        tell_anomaly(engine, 0, 0, "a block of ids that is empty");
        return;
    }
    engine->id_end = in->value;
    if (in->from > engine->id_next)
        engine->id_next = in->from;
}

/* --- the table --------------------------------------------------------------------------------- */

struct handler {
    void (*apply)(struct engine *engine, const void *input);
    uint32_t size;
    uint32_t least; /* what must be there; the rest may be left out, and is zero then */
};

enum { KIND_MAX = IN_VENUE_CLOCK };
#define ROW(kind, type, apply) [kind] = {apply, sizeof(struct type), sizeof(struct type)}
#define TAIL(kind, type, apply, tail) \
    [kind] = {apply, sizeof(struct type), offsetof(struct type, tail)}

static const struct handler handlers[KIND_MAX + 1] = {
    ROW(WEIR_INSTRUMENT, weir_instrument, apply_instrument),
    ROW(WEIR_BOOK, weir_msg, apply_nothing),
    ROW(WEIR_TOP, weir_top, apply_top),
    TAIL(WEIR_TRADE, weir_trade, apply_trade, pad),
    ROW(WEIR_MARK, weir_mark, apply_mark),
    ROW(WEIR_INDEX, weir_mark, apply_index),
    ROW(WEIR_FUNDING_RATE, weir_funding_rate, apply_funding_rate),
    ROW(WEIR_SESSION, weir_session, apply_session),
    ROW(WEIR_RATE_LIMITED, weir_rate_limited, apply_rate_limited),
    ROW(WEIR_ACK, weir_report, apply_report),
    ROW(WEIR_REJECT, weir_report, apply_report),
    TAIL(WEIR_FILL, weir_fill, apply_fill, realized),
    ROW(WEIR_CANCELED, weir_report, apply_report),
    ROW(WEIR_CANCEL_REJECT, weir_report, apply_report),
    ROW(WEIR_EXPIRED, weir_report, apply_report),
    ROW(WEIR_REPLACED, weir_report, apply_report),
    ROW(WEIR_REPLACE_REJECT, weir_report, apply_report),
    ROW(WEIR_NO_ANSWER, weir_report, apply_report),
    ROW(WEIR_STATUS, weir_report, apply_report),
    TAIL(WEIR_BUST, weir_fill, apply_bust, realized),
    ROW(WEIR_FUNDING, weir_cash, apply_cash),
    ROW(WEIR_TRANSFER, weir_cash, apply_cash),
    ROW(WEIR_RECON_BEGIN, weir_msg, apply_recon_begin),
    ROW(WEIR_RECON_ORDER, weir_report, apply_recon_order),
    ROW(WEIR_RECON_POSITION, weir_cash, apply_recon_position),
    ROW(WEIR_RECON_BALANCE, weir_cash, apply_recon_balance),
    ROW(WEIR_RECON_END, weir_msg, apply_recon_end),
    ROW(IN_DEFINE_VENUE, in_define, apply_define),
    ROW(IN_DEFINE_ACCOUNT, in_define, apply_define),
    ROW(IN_DEFINE_GROUP, in_define, apply_define),
    ROW(IN_DEFINE_STRATEGY, in_define, apply_define),
    ROW(IN_LIMIT, in_limit, apply_limit),
    ROW(IN_POLICY, in_policy, apply_policy),
    ROW(IN_WALLET, weir_cash, apply_wallet),
    ROW(IN_CAPABILITIES, in_capabilities, apply_capabilities),
    TAIL(IN_SUBMIT, in_submit, apply_submit, visible),
    TAIL(IN_CANCEL, in_change, apply_cancel, trigger),
    TAIL(IN_REPLACE, in_change, apply_replace, trigger),
    TAIL(IN_CANCEL_MANY, in_change, apply_cancel_many, trigger),
    TAIL(IN_KILL, in_change, apply_kill, trigger),
    TAIL(IN_RELEASE, in_change, apply_release, trigger),
    ROW(IN_TRADING_STATE, in_limit, apply_trading_state),
    ROW(IN_ADOPT_POSITION, in_adopt, apply_adopt),
    ROW(IN_TICK, weir_msg, apply_nothing),
    ROW(IN_RESTARTED, weir_msg, apply_restarted),
    ROW(IN_BOOK_STATE, in_state, apply_book_state),
    ROW(IN_CLOCK_JUMP, in_state, apply_clock_jump),
    ROW(IN_JOURNAL_STATE, in_state, apply_journal_state),
    TAIL(IN_ID_BLOCK, in_state, apply_id_block, from),
    ROW(IN_VENUE_CLOCK, in_state, apply_venue_clock),
};

enum { SCRATCH = 512 };
_Static_assert(sizeof(struct weir_report) <= SCRATCH && sizeof(struct in_change) <= SCRATCH &&
                   sizeof(struct weir_fill) <= SCRATCH && sizeof(struct in_submit) <= SCRATCH,
               "an input does not fit the scratch room");

static void run_timers(struct engine *engine)
{
    if (engine_next_timer(engine) > engine->now)
        return;
    waiting_expire(engine);
    resolver_run(engine);
    recon_run(engine);
    kill_run(engine);
    hold_run(engine);
    if (engine->lane_due <= engine->now)
        lane_run(engine);
    work_run(engine);
    tell_orders(engine);
}

static const void *whole_of(struct engine *engine, const struct handler *handler,
                            const struct weir_msg *input)
{
    if (input->size >= handler->size)
        return input;
    memset(engine->scratch, 0, SCRATCH);
    memcpy(engine->scratch, input, input->size);
    return engine->scratch;
}

void engine_apply(struct engine *engine, const struct weir_msg *input, uint64_t seq,
                  const struct effect_sink *sink)
{
    const struct handler *handler = input->kind <= KIND_MAX ? &handlers[input->kind] : NULL;

    engine->sink = sink;
    engine->seq = seq;
    engine->counts.inputs++;
    if (input->t > engine->now)
        engine->now = input->t;
    run_timers(engine);
    if (handler && handler->apply && input->size >= handler->least)
        handler->apply(engine, whole_of(engine, handler, input));
    else
        tell_anomaly(engine, 0, 0, "an input that is not known, or cut short");
    lane_stir(engine, input->kind);
    work_run(engine);
    tell_orders(engine);
    if (engine->killed == KILL_PULLED)
        kill_judge(engine);
    engine->sink = NULL;
}

weir_ns engine_next_timer(const struct engine *engine)
{
    weir_ns due = waiting_due(engine), other = resolver_due(engine);
    if (other < due)
        due = other;
    other = recon_due(engine);
    if (other < due)
        due = other;
    other = kill_due(engine);
    if (other < due)
        due = other;
    other = timer_first(engine, TIMER_ALARM);
    if (other < due)
        due = other;
    other = engine->lane_due;
    return other < due ? other : due;
}

/* --- making one ----------------------------------------------------------------------------------- */

struct engine_sizes engine_sizes_default(void)
{
    return (struct engine_sizes){.orders = 32768,
                                 .executions = 65536,
                                 .client_ids = 1u << 20,
                                 .instruments = 1024,
                                 .strategies = 1024,
                                 .venues = 32,
                                 .accounts = 32,
                                 .assets = 1024,
                                 .positions = 16384};
}

static struct engine_sizes with_defaults(const struct engine_sizes *sizes)
{
    struct engine_sizes full = *sizes;
    if (full.positions == 0)
        full.positions = 4096;
    return full;
}

/* Each array once: field, type of an element, how many. */
#define ARRAYS(X)                                            \
    X(orders, struct order, s->orders + 1)                   \
    X(more, struct order_more, s->orders + 1)                \
    X(kept, struct order_kept, s->orders + 1)                \
    X(told, uint32_t, s->orders + 1)                         \
    X(timers[TIMER_QUESTION], uint32_t, s->orders + 1)       \
    X(timers[TIMER_ALARM], uint32_t, s->orders + 1)          \
    X(work, uint32_t, s->orders + 1)                         \
    X(caps, struct venue_caps, s->venues)                    \
    X(names, struct name, names_of(s) + 1)                   \
    X(wires, struct wire, wires_of(s))                       \
    X(instruments, struct instrument, s->instruments + 1)    \
    X(holdings, struct holding, s->positions + 1)            \
    X(host, struct scope, 1)                                 \
    X(venues, struct scope, s->venues)                       \
    X(account_scopes, struct scope, s->accounts)             \
    X(groups, struct scope, s->strategies + 1)               \
    X(strategies, struct scope, s->strategies + 1)           \
    X(instrument_scopes, struct scope, s->instruments + 1)   \
    X(accounts, struct account, s->accounts)                 \
    X(backoff, weir_ns, s->venues)                           \
    X(clocks, struct venue_clock, s->venues)                 \
    X(assets, char[WEIR_ASSET_MAX], s->assets)               \
    X(purses, struct purse, (size_t)s->accounts * s->assets) \
    X(execs, struct exec, s->executions)                     \
    X(throttle_times, weir_ns, throttle_room(s))             \
    X(scratch, uint64_t, SCRATCH / 8)                        \
    X(exec_memory.keys, struct key128, keys_of(s))           \
    X(cash_memory.keys, struct key128, s->executions)

#define MAPS(X)                    \
    X(cids, s->client_ids)         \
    X(ids, names_of(s))            \
    X(symbols, s->instruments)     \
    X(holding_of, s->positions)    \
    X(asset_of, s->assets)         \
    X(exec_memory.map, keys_of(s)) \
    X(cash_memory.map, s->executions)

static uint32_t names_of(const struct engine_sizes *s)
{
    return 2 * NAMES_RESERVED * s->orders;
}
/* A power of two, at least four times as many as there are orders. */
static uint32_t wires_of(const struct engine_sizes *s)
{
    uint32_t places = 2;
    while (places / 4 < s->orders)
        places *= 2;
    return places;
}
static uint32_t keys_of(const struct engine_sizes *s)
{
    return 4 * s->executions;
}
static size_t decision_bytes(void)
{
    return sizeof(struct out_decision) + DECISION_READINGS_MAX * 3 * sizeof(uint64_t);
}

size_t engine_bytes(const struct engine_sizes *sizes)
{
    const struct engine_sizes full = with_defaults(sizes), *s = &full;
    size_t bytes = sizeof(struct engine) + 64 + decision_bytes() + 64;
#define ARRAY(field, type, count) bytes += sizeof(type) * (size_t)(count) + 64;
    ARRAYS(ARRAY)
#undef ARRAY
#define MAP(field, count) bytes += map_size(count) + 64;
    MAPS(MAP)
#undef MAP
    return bytes;
}

static bool take_memory(struct engine *engine, struct arena *arena, const struct engine_sizes *s)
{
    engine->decision = arena_take(arena, decision_bytes());
    if (!engine->decision)
        return false;
#define ARRAY(field, type, count)                                      \
    engine->field = arena_take(arena, sizeof(type) * (size_t)(count)); \
    if (!engine->field)                                                \
        return false;
    ARRAYS(ARRAY)
#undef ARRAY
#define MAP(field, count)                            \
    if (map_init(&engine->field, arena, count) != 0) \
        return false;
    MAPS(MAP)
#undef MAP
    return true;
}

static void scope_init(struct scope *scope, uint8_t kind, uint32_t id)
{
    *scope = (struct scope){.kind = kind,
                            .id = id,
                            .throttle_max = -1,
                            .parent = UINT32_MAX,
                            .pnl_least = PNL_UNLIMITED,
                            .unset = (1u << RISK_LIMIT_COUNT) - 1};
}

static void scopes_init(struct engine *engine)
{
    const struct engine_sizes *s = &engine->sizes;
    scope_init(engine->host, SCOPE_host, 0);
    for (uint32_t i = 0; i < s->venues; i++)
        scope_init(&engine->venues[i], SCOPE_venue, i);
    for (uint32_t i = 0; i < s->accounts; i++)
        scope_init(&engine->account_scopes[i], SCOPE_account, i);
    for (uint32_t i = 0; i <= s->strategies; i++) {
        scope_init(&engine->groups[i], SCOPE_group, i);
        scope_init(&engine->strategies[i], SCOPE_strategy, i);
    }
    for (uint32_t i = 0; i <= s->instruments; i++)
        scope_init(&engine->instrument_scopes[i], SCOPE_instrument, i);
    scope_init(&engine->external, SCOPE_strategy, STRATEGY_EXTERNAL);
    engine->host->defined = engine->external.defined = 1;
    engine->external.unset = 0; /* it has no limits of its own, and asks for nothing */
    put_text(engine->host->name, "host");
    put_text(engine->external.name, "EXTERNAL");
}

struct engine *engine_create(struct arena *arena, const struct engine_sizes *sizes)
{
    struct engine_sizes full = with_defaults(sizes);
    bool possible = full.orders && full.executions && full.client_ids && full.instruments &&
                    full.strategies && full.venues && full.accounts && full.assets &&
                    full.strategies <= STRATEGY_MOST && full.venues < UINT16_MAX &&
                    full.accounts < UINT16_MAX && full.executions < UINT32_MAX / 8 &&
                    full.orders < UINT32_MAX / 8;
    struct engine *engine = possible ? arena_take(arena, sizeof *engine) : NULL;
    if (!engine)
        return NULL;
    engine->sizes = full;
    if (!take_memory(engine, arena, &full))
        return NULL;
    engine->exec_memory.room = keys_of(&full);
    engine->cash_memory.room = full.executions;
    engine->id_next = 1;
    engine->lane_due = INT64_MAX;
    engine->wire_places = wires_of(&full);
    scopes_init(engine);
    policy_defaults(engine);
    return engine;
}

/* --- an image ---------------------------------------------------------------------------------- */

/* Turn a pointer into the engine's memory into its distance from the engine, and back. NULL stays. */
static void *moved(const struct engine *engine, const void *at, bool freeze)
{
    uintptr_t base = (uintptr_t)engine;
    return at ? (void *)((uintptr_t)at + (freeze ? -base : base)) : NULL;
}

static void move_card(const struct engine *engine, struct card *card, bool freeze)
{
    if (card->scope)
        card->scope = moved(engine, card->scope, freeze);
}

/* Cards are the only pointers outside struct engine. */
static void move_cards(struct engine *engine, bool freeze)
{
    for (uint32_t i = 0; i <= engine->sizes.instruments; i++) {
        struct instrument *instrument = &engine->instruments[i];
        for (size_t c = 0; c < sizeof instrument->cards / sizeof instrument->cards[0]; c++)
            move_card(engine, &instrument->cards[c], freeze);
        move_card(engine, &instrument->own.card, freeze);
    }
    for (uint32_t i = 0; i <= engine->sizes.positions; i++)
        move_card(engine, &engine->holdings[i].card, freeze);
}

static void move_arrays(struct engine *engine, bool freeze)
{
    engine->decision = moved(engine, engine->decision, freeze);
#define ARRAY(field, type, count) engine->field = moved(engine, engine->field, freeze);
    ARRAYS(ARRAY)
#undef ARRAY
#define MAP(field, count) engine->field.slots = moved(engine, engine->field.slots, freeze);
    MAPS(MAP)
#undef MAP
}

void engine_freeze(struct engine *engine)
{
    move_cards(engine, true);
    move_arrays(engine, true);
    engine->sink = NULL;
}

void engine_thaw(struct engine *engine)
{
    move_arrays(engine, false);
    move_cards(engine, false);
}

size_t engine_image_bytes(const struct engine_sizes *sizes)
{
    const struct engine_sizes full = with_defaults(sizes), *s = &full;
    size_t bytes = 0;
#define TAKES(size) bytes = (bytes + 63) / 64 * 64 + (size)
    TAKES(sizeof(struct engine));
    TAKES(decision_bytes());
#define ARRAY(field, type, count) TAKES(sizeof(type) * (size_t)(count));
    ARRAYS(ARRAY)
#undef ARRAY
#define MAP(field, count) TAKES(map_size(count));
    MAPS(MAP)
#undef MAP
    return (bytes + 63) / 64 * 64;
}

uint64_t engine_layout(void)
{
    uint64_t layout = sizeof(struct engine) * 0x9E3779B97F4A7C15u;
#define ARRAY(field, type, count) layout = (layout ^ sizeof(type)) * 0x100000001B3u;
    ARRAYS(ARRAY)
#undef ARRAY
    return layout;
}
