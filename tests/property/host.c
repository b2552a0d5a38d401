/* host.c - the engine of a story, its journal, and what is checked of each of its effects.
 *
 * The numbers are those of the list in interleave.c. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "property/world.h"

#define BEGIN 1000000000000000000

void fail(struct world *w, const char *format, ...)
{
    va_list args;
    if (w->failed)
        return;
    va_start(args, format);
    vsnprintf(w->message, sizeof w->message, format, args);
    va_end(args);
    w->failed = w->message;
}

/* --- effects ----------------------------------------------------------------------------------*/

static bool is_word_of_venue(uint16_t kind)
{
    return kind < WEIR_HOST_KINDS && kind != WEIR_NO_ANSWER && kind != WEIR_SESSION;
}

/* 10 and 14: what may leave, and because of what. */
static void check_sending(struct world *w, const struct weir_intent *intent)
{
    bool risk = intent->msg.kind != WEIR_CANCEL;
    uint16_t because = w->input_kind;
    if (risk && (w->told_down || w->recon_asked || w->killed || w->now < w->backoff))
        fail(w, "10: order %s left while %s", intent->client_id,
             w->killed        ? "killed"
             : w->recon_asked ? "reconciling"
             : w->told_down   ? "the venue is down"
                              : "the venue asked us to wait");
    bool asked = risk ? because == IN_SUBMIT || because == IN_REPLACE
                      : because == IN_CANCEL || because == IN_CANCEL_MANY || because == IN_KILL ||
                            (w->killed && is_word_of_venue(because));
    if (!asked)
        fail(w, "14: a request of kind %u for %s left because of an input of kind %u",
             intent->msg.kind, intent->client_id, because);
}

/* 13: given up only when the venue has shown no sign of it, often and long enough. */
static void check_absence(struct world *w, const struct out_order *o, const struct truth_order *t)
{
    weir_ns age = w->now - t->sent;
    bool listed = w->input_kind == WEIR_RECON_END;
    bool old = listed ? age > w->limits.not_found_after : age >= w->limits.not_found_after;
    if (t->shown || !old || (!listed && t->absences < w->limits.not_found_confirm))
        fail(w, "13: order %s was given up after %" PRId64 " ns and %d answers, %sshown", o->cid,
             age, t->absences, t->shown ? "" : "not ");
}

/* 8 and 13: what an order may become. */
static void check_life(struct world *w, const struct out_order *o)
{
    int name;
    const struct truth_order *truth = by_wire(w, o->wire_id, &name);
    uint8_t before = w->label[o->order];
    bool was_done = before && order_label_is_done((enum order_label)(before - 1));
    bool told = w->input_kind == WEIR_STATUS || w->input_kind == WEIR_RECON_ORDER;
    bool replaced = truth && truth->names > 1 && (told || w->input_kind == WEIR_REPLACED);
    bool reopens = replaced || w->input_kind == WEIR_BUST || before - 1 == ORDER_REJECTED;
    if (was_done && !order_label_is_done((enum order_label)o->label) && !reopens)
        fail(w, "8: order %s was %s and is %s", o->cid,
             order_label_name((enum order_label)(before - 1)),
             order_label_name((enum order_label)o->label));
    if (before == ORDER_UNKNOWN + 1 && o->label != ORDER_UNKNOWN &&
        o->label != ORDER_PENDING_CANCEL && !is_word_of_venue(w->input_kind))
        fail(w, "13: order %s left UNKNOWN for %s by an input of kind %u", o->cid,
             order_label_name((enum order_label)o->label), w->input_kind);
    if (before != ORDER_REJECTED + 1 && o->label == ORDER_REJECTED && truth &&
        strcmp(o->reason, "NOT_FOUND") == 0)
        check_absence(w, o, truth);
    bool by_venue = told || w->input_kind == WEIR_BUST || before - 1 == ORDER_FILLED;
    if (o->cum_qty < 0 ||
        (o->label == ORDER_FILLED && o->cum_qty < o->qty && !o->awaiting_fills && !by_venue))
        fail(w, "7: order %s is FILLED with %" PRId64 " of %" PRId64, o->cid, o->cum_qty, o->qty);
    w->label[o->order] = (uint8_t)(o->label + 1);
}

/* It works again, since an execution was undone, and nobody was told yet. */
static bool undone_in_silence(const struct world *w, int order)
{
    for (int i = 0; i < w->fill_count; i++)
        if (w->fills[i].order == order && w->fills[i].busted && !w->fills[i].bust_told)
            return true;
    return false;
}

/* 18 */
static void check_proof(struct world *w, const struct out_state *state)
{
    if (state->of != STATE_KILL_SWITCH || state->value != KILL_PROVEN)
        return;
    for (int i = 0; i < w->order_count; i++)
        if (w->orders[i].state == WORKING && !w->orders[i].foreign && !undone_in_silence(w, i))
            fail(w, "18: the kill is PROVEN, and order %s works", w->orders[i].wire[0]);
}

static void note_cross(struct world *w, const struct out_execution *out)
{
    if (!out->internal)
        return;
    if (w->cross_count == CROSSES)
        fail(w, "more internal executions than can be");
    else
        w->crosses[w->cross_count++] =
            (struct cross){out->order, out->strategy, out->side, out->px, out->qty};
}

static void note_decision(struct world *w, const struct out_decision *out)
{
    if (out->of == DECISION_SUBMIT || out->of == DECISION_REPLACE)
        w->decision = out->allowed ? ALLOWED : out->reason;
}

static void note_query(struct world *w, const struct weir_intent *intent)
{
    if (w->query_count < QUERIES)
        memcpy(w->queries[w->query_count++], intent->client_id, WEIR_ID_MAX);
    w->no_answer_sent = true;
}

static void keep(struct world *w, unsigned char *to, size_t *len, const void *from, size_t size)
{
    if (*len + size > w->room) {
        fail(w, "the journal of the test is full");
        return;
    }
    memcpy(to + *len, from, size);
    *len += size;
}

static void take_effect(void *context, const struct weir_msg *effect)
{
    struct world *w = context;
    const struct weir_intent *intent = (const struct weir_intent *)effect;
    w->seq++;
    trace(w, effect, true);
    keep(w, w->effects, &w->effect_len, effect, effect->size);
    switch (effect->kind) {
    case WEIR_NEW:
    case WEIR_CANCEL:
    case WEIR_REPLACE:
        check_sending(w, intent);
        venue_takes(w, intent);
        break;
    case WEIR_QUERY_ORDER: note_query(w, intent); break;
    case WEIR_QUERY_FILLS: w->fills_asked = true; break;
    case WEIR_RECONCILE: w->recon_asked = true; break;
    case OUT_ORDER:
        if (((const struct out_order *)effect)->order < sizeof w->label)
            check_life(w, (const struct out_order *)effect);
        break;
    case OUT_STATE: check_proof(w, (const struct out_state *)effect); break;
    case OUT_EXECUTION: note_cross(w, (const struct out_execution *)effect); break;
    case OUT_DECISION: note_decision(w, (const struct out_decision *)effect); break;
    default: break;
    }
}

void host_apply(struct world *w, struct weir_msg *input)
{
    struct effect_sink sink = {take_effect, w};
    input->t = w->now;
    input->venue = input->account = 1;
    uint64_t seq = ++w->seq;
    keep(w, w->inputs, &w->input_len, &seq, sizeof seq);
    keep(w, w->inputs, &w->input_len, input, input->size);
    w->input_kind = input->kind;
    trace(w, input, false);
    w->cross_count = 0;
    w->decision = -1;
    w->no_answer_sent = false;
    engine_apply(w->engine, input, seq, &sink);
}

bool host_view(const struct world *w, const struct truth_order *o, struct order_view *view_out)
{
    return engine_order(w->engine, engine_order_by_wire(w->engine, o->wire[0]), view_out);
}

/* --- beginning --------------------------------------------------------------------------------*/

static struct engine *make(struct world *w, int which)
{
    struct arena arena = {w->memory[which], (unsigned char *)w->memory[which] + w->memory_size};
    memset(w->memory[which], 0, w->memory_size);
    return engine_create(&arena, &w->sizes);
}

static void policy(struct world *w, enum policy which, int64_t value)
{
    struct in_policy in = {
        .msg = {.size = sizeof in, .kind = IN_POLICY}, .policy = which, .value = value};
    host_apply(w, &in.msg);
}

static void define(struct world *w, uint16_t kind, uint32_t number, uint32_t parent,
                   const char *name)
{
    struct in_define in = {.msg = {.size = sizeof in, .kind = kind},
                           .number = number,
                           .parent = parent,
                           .rights = RIGHT_ORDERS};
    snprintf(in.name, sizeof in.name, "%s", name);
    host_apply(w, &in.msg);
}

static void limit(struct world *w, uint8_t scope, uint32_t id, uint8_t which, amount value)
{
    struct in_limit in = {.msg = {.size = sizeof in, .kind = IN_LIMIT},
                          .scope = scope,
                          .limit = which,
                          .how = LIMIT_VALUE,
                          .id = id,
                          .value = amount_pack(value)};
    host_apply(w, &in.msg);
}

static void instruments(struct world *w)
{
    struct weir_instrument spot = {
        .msg = {.size = sizeof spot, .kind = WEIR_INSTRUMENT, .instrument = 1},
        .symbol = "A-USD",
        .base = "A",
        .quote = "USD",
        .price_exp = 1,
        .qty_exp = 2,
        .multiplier = 1,
        .tick = 1,
        .step = 1};
    struct weir_instrument future = {
        .msg = {.size = sizeof future, .kind = WEIR_INSTRUMENT, .instrument = 2},
        .symbol = "B-PERP",
        .base = "B",
        .quote = "USD",
        .kind = WEIR_LINEAR,
        .price_exp = 1,
        .qty_exp = 0,
        .multiplier = 5,
        .multiplier_exp = 1,
        .tick = 1,
        .step = 1};
    host_apply(w, &spot.msg);
    host_apply(w, &future.msg);
}

static void wallet(struct world *w, const char *asset, int64_t units)
{
    struct weir_cash in = {.msg = {.size = sizeof in, .kind = IN_WALLET},
                           .amount = amount_pack(amount_from(units, 0))};
    snprintf(in.asset, sizeof in.asset, "%s", asset);
    host_apply(w, &in.msg);
}

/* Which limits bind differs from story to story, so that none always hides another. One by one: in
 * which order initializers are evaluated is the compiler's choice. */
static void choose_limits(struct world *w)
{
    struct limits *l = &w->limits;
    l->max_position = 30 + rnd(w, 40);
    l->max_order_qty = rnd(w, 4) == 0 ? 22 : 0;
    l->max_open_orders = rnd(w, 2) ? 3 + (int)rnd(w, 6) : 0;
    l->throttle_max = rnd(w, 2) ? 1 + (int)rnd(w, 4) : 0;
    l->throttle_window = (weir_ns)(1 + rnd(w, 8)) * 5 * MS;
    l->check_balance = rnd(w, 3) == 0;
    l->self_cross = rnd(w, 2);
    l->not_found_confirm = 1 + (int)rnd(w, 3);
    l->not_found_after = (weir_ns)(50 + 50 * rnd(w, 3)) * MS;
    l->binds = 1 + rnd(w, INSTRUMENTS);
    l->strategy_max = rnd(w, 3) == 0 ? 15 + rnd(w, 30) : 0;
    l->group_max = rnd(w, 3) == 0 ? 20 + rnd(w, 40) : 0;
    l->usd = l->check_balance ? 30 + rnd(w, 60) : 1000;
    l->base = l->check_balance ? rnd(w, 2) : 0;
}

static void give_limits(struct world *w)
{
    const struct limits *l = &w->limits;
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        limit(w, SCOPE_instrument, i, LIMIT_max_position,
              amount_from(l->max_position, i == SPOT ? 2 : 0));
        if (l->max_order_qty)
            limit(w, SCOPE_instrument, i, LIMIT_max_order_qty,
                  amount_from(l->max_order_qty, i == SPOT ? 2 : 0));
    }
    int exp = l->binds == SPOT ? 2 : 0;
    if (l->strategy_max)
        limit(w, SCOPE_strategy, 1, LIMIT_max_position, amount_from(l->strategy_max, exp));
    if (l->group_max)
        limit(w, SCOPE_group, 1, LIMIT_max_position, amount_from(l->group_max, exp));
    if (l->max_open_orders)
        limit(w, SCOPE_account, 1, LIMIT_max_open_orders, amount_from(l->max_open_orders, 0));
    if (l->throttle_max) {
        limit(w, SCOPE_account, 1, LIMIT_throttle_max, amount_from(l->throttle_max, 0));
        limit(w, SCOPE_account, 1, LIMIT_throttle_window_ms,
              amount_from(l->throttle_window / MS, 0));
    }
    limit(w, SCOPE_instrument, SPOT, LIMIT_check_balance, amount_from(l->check_balance, 0));
    limit(w, SCOPE_instrument, SPOT, LIMIT_self_cross, amount_from(l->self_cross, 0));
}

void host_begin(struct world *w)
{
    static const char *const strategies[] = {"s1", "s2", "s3"};
    w->engine = make(w, w->which);
    w->now = BEGIN;
    w->up = true;
    choose_limits(w);
    policy(w, POLICY_strict, 0);
    policy(w, POLICY_not_found_confirm, w->limits.not_found_confirm);
    policy(w, POLICY_not_found_after_ns, w->limits.not_found_after);
    define(w, IN_DEFINE_VENUE, 1, 0, "v");
    define(w, IN_DEFINE_ACCOUNT, 1, 1, "a");
    define(w, IN_DEFINE_GROUP, 1, 0, "g");
    for (uint32_t s = 1; s <= STRATEGIES; s++)
        define(w, IN_DEFINE_STRATEGY, s, s <= GROUPED ? 1 : UINT32_MAX, strategies[s - 1]);
    instruments(w);
    wallet(w, "USD", w->limits.usd);
    wallet(w, "A", w->limits.base);
    give_limits(w);
}

/* --- death and rebirth ------------------------------------------------------------------------*/

struct compare {
    struct world *w;
    size_t at;
};

static void compare_effect(void *context, const struct weir_msg *effect)
{
    struct compare *c = context;
    if (c->at + effect->size > c->w->effect_len ||
        memcmp(c->w->effects + c->at, effect, effect->size) != 0)
        fail(c->w, "16: the replay differs at an effect of kind %u", effect->kind);
    c->at += effect->size;
}

/* After a restart each live order at the venue is in doubt, and everything is asked. */
static void check_reborn(struct world *w)
{
    struct order_view view;
    if (!w->recon_asked)
        fail(w, "13: nothing was asked after a restart");
    for (uint32_t n = 0; (n = engine_order_next(w->engine, n, true)) != 0;)
        if (engine_order(w->engine, n, &view) && view.order.route != ROUTE_INTERNAL &&
            view.order.label != ORDER_UNKNOWN)
            fail(w, "13: after a restart order %s is %s", view.order.cid,
                 order_label_name((enum order_label)view.order.label));
}

/* 16: a new engine, fed from the journal, says the same. */
void host_restart(struct world *w)
{
    struct compare c = {w, 0};
    struct effect_sink sink = {compare_effect, &c};
    w->which = !w->which;
    struct engine *engine = make(w, w->which);
    for (size_t at = 0; at < w->input_len && !w->failed;) {
        uint64_t seq;
        memcpy(&seq, w->inputs + at, sizeof seq);
        const struct weir_msg *input =
            (const struct weir_msg *)(const void *)(w->inputs + at + sizeof seq);
        engine_apply(engine, input, seq, &sink);
        at += sizeof seq + input->size;
    }
    if (c.at != w->effect_len)
        fail(w, "16: the replay has %zu bytes of effects, the life %zu", c.at, w->effect_len);
    w->engine = engine;
    w->told_down = false;
    struct weir_msg again = {.size = sizeof again, .kind = IN_RESTARTED};
    host_apply(w, &again);
    check_reborn(w);
}

void host_pass_time(struct world *w, weir_ns by)
{
    weir_ns until = w->now + by;
    for (int i = 0; i < 100 && engine_next_timer(w->engine) <= until; i++) {
        struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
        if (engine_next_timer(w->engine) > w->now)
            w->now = engine_next_timer(w->engine);
        host_apply(w, &tick);
    }
    w->now = until;
}
