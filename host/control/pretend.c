#include "control/pretend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "control/queue.h"
#include "engine/engine.h"

enum { EFFECTS = 1 << 22, ACCOUNT = 1, STRATEGY = 1, START_S = 1700000000 };

struct pretend {
    struct engine *engine;
    void *memory;
    weir_ns now;
    uint64_t seq, fills, trades;
    struct pretend_instrument *instruments; /* by number; [0] unused */
    struct market_state {
        enum book_state book;
    } * states;
    size_t instrument_count;
    struct script *script;
    struct script_answer *answer; /* of the wish that is being applied */
    struct queue effects, inputs; /* inputs: the venue's answers, in their turn */
    struct pretend_order *orders;
    size_t order_count, order_room;
    struct text said;
    unsigned refuse;
};

/* --- the engine ------------------------------------------------------------------------------------ */

static void take(void *context, const struct weir_msg *effect)
{
    struct pretend *pretend = context;
    if (pretend->answer)
        script_answer_effect(pretend->answer, effect);
    (void)queue_push(&pretend->effects, effect);
}

static void apply(struct pretend *pretend, struct weir_msg *input)
{
    struct effect_sink sink = {take, pretend};
    input->t = pretend->now;
    engine_apply(pretend->engine, input, ++pretend->seq, &sink);
}

static void define(struct pretend *pretend, uint16_t kind, uint32_t number, uint32_t parent,
                   const char *name)
{
    struct in_define in = {.msg = {.size = sizeof in, .kind = kind},
                           .number = number,
                           .parent = parent,
                           .rights = RIGHT_ORDERS};
    snprintf(in.name, sizeof in.name, "%s", name);
    apply(pretend, &in.msg);
}

static uint16_t venue_number(struct pretend *pretend, const char *name)
{
    uint32_t number = engine_number(pretend->engine, SCOPE_venue, name);
    for (uint16_t n = 1; number == UINT32_MAX; n++)
        if (!*engine_name(pretend->engine, SCOPE_venue, n)) {
            define(pretend, IN_DEFINE_VENUE, n, 0, name);
            define(pretend, IN_DEFINE_ACCOUNT, n, n, name);
            number = n;
        }
    return (uint16_t)number;
}

static void define_instrument(struct pretend *pretend, uint32_t number)
{
    const struct pretend_instrument *is = &pretend->instruments[number];
    uint16_t venue = venue_number(pretend, is->venue);
    struct weir_instrument in = {.msg = {.size = sizeof in,
                                         .kind = WEIR_INSTRUMENT,
                                         .venue = venue,
                                         .account = venue,
                                         .instrument = number},
                                 .price_exp = is->price_exp,
                                 .qty_exp = is->qty_exp,
                                 .multiplier = 1,
                                 .tick = is->tick,
                                 .step = is->step};
    memcpy(in.symbol, is->symbol, sizeof in.symbol);
    memcpy(in.base, is->base, sizeof in.base);
    memcpy(in.quote, is->quote, sizeof in.quote);
    apply(pretend, &in.msg);
    for (int side = 0; side < 2; side++) {
        struct weir_cash wallet = {
            .msg = {.size = sizeof wallet, .kind = IN_WALLET, .venue = venue, .account = venue},
            .amount = amount_pack(amount_from(1000000000, 0))};
        memcpy(wallet.asset, side ? is->base : is->quote, sizeof wallet.asset);
        apply(pretend, &wallet.msg);
    }
}

/* --- the script's world ----------------------------------------------------------------------------- */

static weir_ns world_now(void *context)
{
    return ((struct pretend *)context)->now;
}

static void wish(struct pretend *pretend, struct weir_msg *input, struct script_answer *answer)
{
    pretend->answer = answer;
    apply(pretend, input);
    pretend->answer = NULL;
}

static void world_submit(void *context, struct script *script, const struct in_submit *in,
                         struct script_answer *answer)
{
    struct in_submit copy = *in;
    (void)script;
    wish(context, &copy.msg, answer);
}

static void world_change(void *context, struct script *script, const struct in_change *in,
                         struct script_answer *answer)
{
    struct in_change copy = *in;
    (void)script;
    wish(context, &copy.msg, answer);
}

static void world_log(void *context, struct script *script, const char *line)
{
    (void)script;
    text_say(&((struct pretend *)context)->said, "%s\n", line);
}

static void world_alert(void *context, struct script *script, const struct script_alert *alert)
{
    (void)script;
    text_say(&((struct pretend *)context)->said, "alert %s: %s\n", alert->level, alert->text);
}

static void world_publish(void *context, struct script *script,
                          const struct script_message *message)
{
    (void)script;
    text_say(&((struct pretend *)context)->said, "published %s %s\n", message->topic,
             message->json ? message->json : message->text);
}

/* --- the venue -------------------------------------------------------------------------------------- */

static void keep_order(struct pretend *pretend, const struct weir_intent *intent,
                       enum pretend_verb verb)
{
    struct order_view view;
    if (!engine_order(pretend->engine, intent->order, &view))
        return;
    if (pretend->order_count == pretend->order_room) {
        size_t room = pretend->order_room * 2 + 64;
        struct pretend_order *larger = realloc(pretend->orders, room * sizeof *larger);
        if (!larger)
            return;
        pretend->orders = larger;
        pretend->order_room = room;
    }
    struct pretend_order *order = &pretend->orders[pretend->order_count++];
    *order = (struct pretend_order){.order = view.order, .instrument = intent->msg.instrument};
    order->verb = verb;
    if (verb == PRETEND_REPLACE) {
        order->order.px = intent->px;
        order->order.qty = intent->qty;
    }
}

static void report(struct pretend *pretend, uint16_t kind, const struct weir_intent *intent)
{
    struct weir_report in = {.msg = {.size = sizeof in,
                                     .kind = kind,
                                     .venue = intent->msg.venue,
                                     .account = intent->msg.account,
                                     .instrument = intent->msg.instrument}};
    memcpy(in.client_id, intent->client_id, sizeof in.client_id);
    snprintf(in.venue_id, sizeof in.venue_id, "v%u", intent->order);
    if (kind == WEIR_REJECT) {
        in.proof = WEIR_DEFINITE;
        snprintf(in.reason, sizeof in.reason, "refused by the test");
    }
    (void)queue_push(&pretend->inputs, &in.msg);
}

static void carry_out(struct pretend *pretend, const struct weir_msg *msg)
{
    const struct weir_intent *intent = (const struct weir_intent *)msg;
    switch (msg->kind) {
    case WEIR_NEW:
        keep_order(pretend, intent, PRETEND_NEW);
        report(pretend, pretend->refuse ? WEIR_REJECT : WEIR_ACK, intent);
        pretend->refuse -= pretend->refuse > 0;
        break;
    case WEIR_CANCEL:
        keep_order(pretend, intent, PRETEND_CANCEL);
        report(pretend, WEIR_CANCELED, intent);
        break;
    case WEIR_REPLACE:
        keep_order(pretend, intent, PRETEND_REPLACE);
        report(pretend, WEIR_REPLACED, intent);
        break;
    default: script_event(pretend->script, msg);
    }
}

static void settle(struct pretend *pretend)
{
    const struct weir_msg *msg;
    do {
        while ((msg = queue_front(&pretend->effects)) != NULL) {
            if (pretend->script)
                carry_out(pretend, msg);
            queue_drop(&pretend->effects);
        }
        msg = queue_front(&pretend->inputs);
        if (msg) {
            apply(pretend, (struct weir_msg *)(uintptr_t)msg);
            queue_drop(&pretend->inputs);
        }
    } while (msg || !queue_empty(&pretend->effects));
}

static void happen(struct pretend *pretend, struct weir_msg *input)
{
    apply(pretend, input);
    settle(pretend);
    if (script_wants(pretend->script, (enum weir_kind)input->kind, input->instrument))
        script_event(pretend->script, input);
    settle(pretend);
}

/* --- making ----------------------------------------------------------------------------------------- */

struct pretend *pretend_create(const struct pretend_instrument *instruments, size_t count,
                               const char *strategy)
{
    struct engine_sizes sizes = engine_sizes_default();
    sizes.orders = sizes.executions = sizes.client_ids = 16384;
    size_t bytes = (engine_bytes(&sizes) + 63) / 64 * 64;
    struct pretend *pretend = calloc(1, sizeof *pretend);
    if (!pretend)
        return NULL;
    text_init(&pretend->said);
    pretend->now = (weir_ns)START_S * 1000000000;
    pretend->instrument_count = count;
    pretend->instruments = calloc(count + 1, sizeof *pretend->instruments);
    pretend->states = calloc(count + 1, sizeof *pretend->states);
    pretend->memory = calloc(1, bytes + 64);
    if (!pretend->instruments || !pretend->states || !pretend->memory ||
        !queue_init(&pretend->effects, EFFECTS) || !queue_init(&pretend->inputs, EFFECTS)) {
        pretend_destroy(pretend);
        return NULL;
    }
    unsigned char *at = (unsigned char *)(((uintptr_t)pretend->memory + 63) & ~(uintptr_t)63);
    struct arena arena = {at, at + bytes};
    pretend->engine = engine_create(&arena, &sizes);
    define(pretend, IN_DEFINE_GROUP, 1, 0, "default");
    define(pretend, IN_DEFINE_STRATEGY, STRATEGY, 1, strategy);
    for (uint32_t n = 1; n <= count; n++) {
        pretend->instruments[n] = instruments[n - 1];
        define_instrument(pretend, n);
    }
    settle(pretend);
    for (uint32_t n = 1; n <= count; n++)
        pretend_book_state(pretend, n, BOOK_LIVE);
    return pretend;
}

void pretend_destroy(struct pretend *pretend)
{
    if (!pretend)
        return;
    script_destroy(pretend->script);
    queue_fini(&pretend->effects);
    queue_fini(&pretend->inputs);
    text_fini(&pretend->said);
    free(pretend->orders);
    free(pretend->instruments);
    free(pretend->states);
    free(pretend->memory);
    free(pretend);
}

enum weir_err pretend_script(struct pretend *pretend, struct script_config *config, struct why *why)
{
    struct script_world world = {.context = pretend,
                                 .engine = pretend->engine,
                                 .now = world_now,
                                 .submit = world_submit,
                                 .change = world_change,
                                 .log = world_log,
                                 .alert = world_alert,
                                 .publish = world_publish};
    config->strategy = STRATEGY;
    config->may_trade = true;
    config->order_prefix = "t-";
    enum weir_err err = script_create(config, &world, &pretend->script, why);
    if (!err) {
        script_start(pretend->script);
        settle(pretend);
    }
    return err;
}

struct script *pretend_the_script(struct pretend *pretend)
{
    return pretend->script;
}

uint32_t pretend_find(const struct pretend *pretend, const char *venue, const char *symbol)
{
    for (uint32_t n = 1; n <= pretend->instrument_count; n++)
        if ((!*venue || strcmp(pretend->instruments[n].venue, venue) == 0) &&
            (!*symbol || strcmp(pretend->instruments[n].symbol, symbol) == 0))
            return n;
    return 0;
}

const struct pretend_instrument *pretend_instrument(const struct pretend *pretend, uint32_t number)
{
    return &pretend->instruments[number];
}

/* --- what happens ------------------------------------------------------------------------------------ */

static struct weir_msg of_instrument(const struct pretend *pretend, uint32_t instrument,
                                     size_t size, uint16_t kind)
{
    const struct weir_instrument *known = engine_instrument(pretend->engine, instrument);
    return (struct weir_msg){.size = (uint32_t)size,
                             .kind = kind,
                             .venue = known->msg.venue,
                             .account = known->msg.account,
                             .instrument = instrument};
}

void pretend_book_state(struct pretend *pretend, uint32_t instrument, enum book_state state)
{
    struct in_state in = {.msg = of_instrument(pretend, instrument, sizeof in, IN_BOOK_STATE),
                          .value = state};
    pretend->states[instrument].book = state;
    if (pretend->script)
        happen(pretend, &in.msg);
    else
        apply(pretend, &in.msg);
}

void pretend_top(struct pretend *pretend, const struct weir_top *top)
{
    struct weir_top in = *top;
    in.msg = of_instrument(pretend, top->msg.instrument, sizeof in, WEIR_TOP);
    in.seq = ++pretend->trades;
    if (pretend->states[in.msg.instrument].book != BOOK_LIVE)
        pretend_book_state(pretend, in.msg.instrument, BOOK_LIVE);
    happen(pretend, &in.msg);
}

void pretend_trade(struct pretend *pretend, const struct weir_trade *trade)
{
    struct weir_trade in = *trade;
    in.msg = of_instrument(pretend, trade->msg.instrument, sizeof in, WEIR_TRADE);
    in.id = ++pretend->trades;
    happen(pretend, &in.msg);
}

void pretend_wait(struct pretend *pretend, weir_ns ns)
{
    weir_ns until = pretend->now + ns;
    for (weir_ns next;;) {
        next = script_next_timer(pretend->script);
        weir_ns engine = engine_next_timer(pretend->engine);
        next = engine < next ? engine : next;
        if (next > until)
            break;
        pretend->now = next > pretend->now ? next : pretend->now;
        if (engine <= pretend->now) {
            struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
            apply(pretend, &tick);
            settle(pretend);
        }
        script_timer(pretend->script);
        settle(pretend);
    }
    pretend->now = until;
}

void pretend_stop(struct pretend *pretend)
{
    script_stop(pretend->script);
    settle(pretend);
}

void pretend_message(struct pretend *pretend, const struct script_message *message)
{
    struct script_message told = *message;
    told.t = pretend->now;
    script_message(pretend->script, &told);
    settle(pretend);
}

void pretend_limit(struct pretend *pretend, enum risk_limit limit, amount value)
{
    struct in_limit in = {.msg = {.size = sizeof in, .kind = IN_LIMIT},
                          .scope = SCOPE_strategy,
                          .limit = (uint8_t)limit,
                          .how = LIMIT_VALUE,
                          .id = STRATEGY,
                          .value = amount_pack(value)};
    apply(pretend, &in.msg);
    settle(pretend);
}

void pretend_refuse(struct pretend *pretend, unsigned orders)
{
    pretend->refuse = orders;
}

static bool may_be(const struct out_order *order, uint32_t instrument, int side)
{
    bool at_venue = order->label == ORDER_OPEN || order->label == ORDER_PARTIAL ||
                    order->label == ORDER_PENDING_CANCEL || order->label == ORDER_PENDING_REPLACE;
    return at_venue && order->msg.instrument == instrument && (side < 0 || order->side == side);
}

bool pretend_fill(struct pretend *pretend, uint32_t instrument, int side, weir_qty qty, weir_px px)
{
    struct order_view view;
    uint32_t n = 0;
    while ((n = engine_order_next(pretend->engine, n, true)) != 0)
        if (engine_order(pretend->engine, n, &view) && may_be(&view.order, instrument, side))
            break;
    if (n == 0)
        return false;
    struct weir_top top = {0};
    struct market_view market;
    if (engine_market(pretend->engine, instrument, &market))
        top = market.top;
    weir_px best = view.order.side == WEIR_BUY ? top.ask : top.bid;
    struct weir_fill fill = {.msg = of_instrument(pretend, instrument, sizeof fill, WEIR_FILL),
                             .qty = qty ? qty : view.order.qty - view.order.cum_qty,
                             .px = px              ? px
                                   : view.order.px ? view.order.px
                                                   : best,
                             .side = view.order.side,
                             .maker = 1};
    memcpy(fill.client_id, view.order.wire_id, sizeof fill.client_id);
    snprintf(fill.exec_id, sizeof fill.exec_id, "x%llu", (unsigned long long)++pretend->fills);
    apply(pretend, &fill.msg);
    settle(pretend);
    return true;
}

/* --- what came of it --------------------------------------------------------------------------------- */

struct pretend_order *pretend_orders(struct pretend *pretend, size_t *count_out)
{
    *count_out = pretend->order_count;
    return pretend->orders;
}

const char *pretend_said(struct pretend *pretend)
{
    return text_cstr(&pretend->said);
}

void pretend_forget_said(struct pretend *pretend)
{
    text_fini(&pretend->said);
}

bool pretend_position(const struct pretend *pretend, uint32_t instrument,
                      struct position_view *view_out)
{
    return engine_position(pretend->engine, instrument, STRATEGY, view_out);
}
