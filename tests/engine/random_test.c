/* random_test.c - any order of events: nothing is lost, invented, sent twice, or over a limit.
 *
 * Random guests and a random venue that repeats, reorders, contradicts itself and falls silent. The
 * oracle sees only what was delivered and what the engine said: it books each delivered execution
 * once, keeps cash in plain sums, and remembers each label. After every input the engine's own sums
 * are recomputed [engine_audit]. A part of the orders is kept by the host: what goes out of a bracket, a
 * ring or an iceberg is never more than is left [saw_tied, saw_hold]. WEIR_RANDOM_STEPS sets how many inputs are tried. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ledger.h"
#include "engine/state.h"
#include "engine/support_story.h"
#include "support/random.h"

enum { CIDS = 40, EXECS = 4000, INSTRUMENTS = 4, WIRES = 1 << 16 };
#define LIMIT 30 /* max_position of each instrument */

struct oracle {
    struct desk *desk;
    uint64_t random;
    uint8_t seen[INSTRUMENTS + 1][EXECS];  /* delivered and bookable: must be booked, once */
    int8_t booked[INSTRUMENTS + 1][EXECS]; /* by the engine's word */
    amount position[INSTRUMENTS + 1];
    amount worth[INSTRUMENTS + 1];       /* sum of signed worth of what is booked */
    amount realized[INSTRUMENTS + 1][5]; /* by strategy: the account, s1, s2, s3, EXTERNAL */
    amount fees;
    uint32_t next_cid, next_exec, sent, told, tied;
    uint32_t held[HOLD_EVENT_COUNT];
    char cids[CIDS][WEIR_ID_MAX];
    uint8_t sent_wire[WIRES]; /* by counter */
    uint8_t label[WIRES];     /* last told, by counter of the first wire id */
    uint8_t reopenable[WIRES];
    const char *wrong;
    bool calm; /* it is rarely killed */
    bool look; /* at the effects of each input, and forget them */
};

static uint64_t roll(struct oracle *oracle, uint64_t bound)
{
    return random_below(&oracle->random, bound);
}

static int64_t counter_of(const char *wire)
{
    int64_t counter = 0;
    for (const char *at = wire + 7; wire[0] && *at; at++)
        counter = counter * 36 + (*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return counter % WIRES;
}

/* --- what the engine says ----------------------------------------------------------------------- */

static void saw_execution(struct oracle *oracle, const struct out_execution *out)
{
    const struct instrument *instrument = &oracle->desk->engine->instruments[out->msg.instrument];
    uint32_t owner = out->strategy == STRATEGY_EXTERNAL ? 4 : out->strategy;
    amount worth;
    oracle->realized[out->msg.instrument][0] += amount_of(out->realized);
    if (owner)
        oracle->realized[out->msg.instrument][owner] += amount_of(out->strategy_realized);
    if (out->internal || out->stage == EXEC_ATTRIBUTED)
        return;
    int n = atoi(out->exec_id + 1), sign = out->busted ? -1 : 1;
    oracle->booked[out->msg.instrument][n] =
        (int8_t)(oracle->booked[out->msg.instrument][n] + sign);
    if (!worth_of(instrument, out->px, out->qty, &worth))
        oracle->wrong = "an execution was booked whose worth cannot be computed";
    int direction = out->side == WEIR_BUY ? sign : -sign;
    oracle->position[out->msg.instrument] += direction * (amount)out->qty;
    oracle->worth[out->msg.instrument] += direction * worth;
    oracle->fees += sign * amount_of(out->fee);
}

static void saw_order(struct oracle *oracle, const struct out_order *out)
{
    const struct order_more *more = &oracle->desk->engine->more[out->order];
    int64_t n = more->born % WIRES;
    if (strcmp(more->cid, out->cid) != 0) /* ended, and its slot was taken in the same input */
        return;
    bool was_done =
        oracle->label[n] && order_label_is_done((enum order_label)(oracle->label[n] - 1));
    bool is_done = order_label_is_done((enum order_label)out->label);
    if (was_done && !is_done && !oracle->reopenable[n])
        oracle->wrong = "an ended order came back";
    oracle->label[n] = (uint8_t)(out->label + 1);
    if (out->request_refused) /* its reason is the refusal's */
        return;
    bool filled_or_ended =
        out->label == ORDER_FILLED || out->label == ORDER_CANCELED || out->label == ORDER_EXPIRED;
    oracle->reopenable[n] =
        strcmp(out->reason, "NOT_FOUND") == 0 ||
        (filled_or_ended && oracle->desk->engine->orders[out->order].amend != REQUEST_NONE);
    if (out->cum_qty < 0 || out->qty < 0)
        oracle->wrong = "a negative quantity";
    if (out->label == ORDER_PARTIAL && (out->cum_qty == 0 || out->cum_qty >= out->qty))
        oracle->wrong = "PARTIAL, and not part filled";
    if (out->label == ORDER_OPEN && out->cum_qty != 0)
        oracle->wrong = "OPEN, and part filled";
}

static void saw_new(struct oracle *oracle, const struct weir_intent *out)
{
    int64_t n = counter_of(out->client_id);
    const struct holding *own = &oracle->desk->engine->instruments[out->msg.instrument].own;
    amount held = own->now.qty, side = out->side == WEIR_BUY ? held : -held;
    if (oracle->sent_wire[n]++)
        oracle->wrong = "a client order id was sent as new twice";
    if (engine_killed(oracle->desk->engine))
        oracle->wrong = "sent under the kill switch";
    if (side + own->exposure[out->side] > LIMIT * 1000)
        oracle->wrong = "sent over max_position";
    oracle->sent++;
}

/* A slice is never more than what its iceberg has left. */
static void saw_hold(struct oracle *oracle, const struct out_hold *out)
{
    const struct order *of = &oracle->desk->engine->orders[out->order],
                       *slice = &oracle->desk->engine->orders[out->other];
    oracle->held[out->event]++;
    if (out->event == HOLD_SLICED && slice->qty > of->qty - of->cum + slice->cum)
        oracle->wrong = "a slice of more than what was left";
}

/* What goes out of what is tied: a leg never more than its entry has filled; and of a ring that fired
 * nothing else works on without a cancel on its way. */
static void saw_tied(struct oracle *oracle, uint32_t n)
{
    const struct engine *engine = oracle->desk->engine;
    const struct order *order = &engine->orders[n];
    const struct order_kept *kept = &engine->kept[n];
    bool leg = kept->kin == KIN_LEG && engine->more[kept->parent].born == kept->parent_born;
    if (!engine->more[n].tied)
        return;
    oracle->tied++;
    if (leg && order->qty > engine->orders[kept->parent].cum)
        oracle->wrong = "a leg of more than its entry has filled";
    for (uint32_t at = kept->fired_x2 ? kept->ring : 0; at && at != n; at = engine->kept[at].ring)
        if (!is_done(engine->orders[at].is) && !request_is_open(engine->orders[at].cancel))
            oracle->wrong = "one of a ring fired, and another works on";
}

static void look(struct oracle *oracle)
{
    struct desk *desk = oracle->desk;
    for (size_t at = 0; at < desk->effects_len;) {
        const struct weir_msg *effect = (const void *)(desk->effects + at);
        at += effect->size;
        switch (effect->kind) {
        case OUT_EXECUTION: saw_execution(oracle, (const void *)effect); break;
        case OUT_ORDER: saw_order(oracle, (const void *)effect); break;
        case WEIR_NEW:
            saw_new(oracle, (const void *)effect);
            saw_tied(oracle, ((const struct weir_intent *)effect)->order);
            break;
        case OUT_HOLD: saw_hold(oracle, (const void *)effect); break;
        default: break;
        }
    }
    desk->effects_len = 0;
}

/* --- what happens --------------------------------------------------------------------------------- */

static void act(struct oracle *oracle, void *input)
{
    desk_apply(oracle->desk, input);
    if (oracle->look)
        look(oracle);
}

#define MSG(type, of)                                                     \
    {                                                                     \
        .size = sizeof(struct type), .kind = of, .venue = 1, .account = 1 \
    }

static const char *some_cid(struct oracle *oracle)
{
    return oracle->cids[roll(oracle, CIDS)];
}

/* One that the host keeps: a type, a time, another order; now and then what makes no sense. */
static void keep(struct oracle *oracle, struct in_submit *submit)
{
    weir_ns soon = oracle->desk->now + (int64_t)roll(oracle, 50000000);
    submit->type = (uint8_t)roll(oracle, WEIR_ICEBERG + 1);
    bool priced = submit->type == WEIR_LIMIT || submit->type == WEIR_STOP_LIMIT ||
                  submit->type == WEIR_ICEBERG;
    if (!priced)
        submit->px = 0;
    if (submit->type >= WEIR_STOP && submit->type <= WEIR_TRAILING)
        submit->trigger = submit->type == WEIR_TRAILING ? 1 + (int64_t)roll(oracle, 60)
                                                        : 9900 + (int64_t)roll(oracle, 200);
    if (submit->type == WEIR_ICEBERG) {
        submit->route = ROUTE_VENUE;
        submit->visible = 1 + (int64_t)roll(oracle, 4000);
    }
    submit->tif = roll(oracle, 4) ? WEIR_GTC : roll(oracle, 2) ? WEIR_GTD : WEIR_DAY;
    submit->expires = submit->tif == WEIR_GTD ? soon : 0;
    submit->release = roll(oracle, 5) ? 0 : soon;
    submit->link_kind = (uint8_t)roll(oracle, 3);
    if (submit->link_kind == LINK_NONE)
        return;
    memcpy(submit->link, some_cid(oracle), WEIR_ID_MAX);
    struct order_view view; /* most links should hold */
    if (engine_order(oracle->desk->engine, engine_order_find(oracle->desk->engine, submit->link),
                     &view)) {
        submit->msg.instrument = view.order.msg.instrument;
        submit->strategy = view.order.strategy;
    }
}

static void guest(struct oracle *oracle)
{
    struct in_submit submit = {.msg = MSG(in_submit, IN_SUBMIT)};
    struct in_change change = {.msg = MSG(in_change, IN_CANCEL), .asker = ASKER_OPERATOR};
    if (roll(oracle, 3)) {
        char *cid = oracle->cids[roll(oracle, CIDS)];
        if (roll(oracle, 20))
            snprintf(cid, WEIR_ID_MAX, "c%u", oracle->next_cid++);
        memcpy(submit.cid, cid, WEIR_ID_MAX);
        submit.msg.instrument = 1 + (uint32_t)roll(oracle, INSTRUMENTS);
        submit.strategy = 1 + (uint32_t)roll(oracle, 3);
        submit.side = (uint8_t)roll(oracle, 2);
        submit.type = roll(oracle, 10) ? WEIR_LIMIT : WEIR_MARKET;
        submit.flags = roll(oracle, 8) ? 0 : WEIR_REDUCE_ONLY;
        submit.route = roll(oracle, 4) ? ROUTE_VENUE : (uint8_t)roll(oracle, 3);
        submit.px = 9900 + (int64_t)roll(oracle, 200);
        submit.qty = 1 + (int64_t)roll(oracle, 9000);
        if (roll(oracle, oracle->calm ? 2 : 4) == 0)
            keep(oracle, &submit);
        act(oracle, &submit);
        return;
    }
    memcpy(change.cid, some_cid(oracle), WEIR_ID_MAX);
    if (roll(oracle, 2)) {
        change.msg.kind = IN_REPLACE;
        change.change = 1 + (uint8_t)roll(oracle, 7);
        change.trigger = 9900 + (int64_t)roll(oracle, 200);
        change.qty = 1 + (int64_t)roll(oracle, 9000);
        change.px = 9900 + (int64_t)roll(oracle, 200);
        if (roll(oracle, 2))
            snprintf(change.new_cid, WEIR_ID_MAX, "c%u", oracle->next_cid++);
    }
    act(oracle, &change);
}

static void name_order(struct oracle *oracle, char *client_id, uint32_t *instrument)
{
    const char *cid = some_cid(oracle);
    struct order_view view;
    snprintf(client_id, WEIR_ID_MAX, "%s", desk_wire(oracle->desk, cid));
    uint32_t n = engine_order_find(oracle->desk->engine, cid);
    if (n && engine_order(oracle->desk->engine, n, &view)) {
        *instrument = view.order.msg.instrument;
        if (view.order.next_cid[0] && roll(oracle, 2)) /* by the name that it would have */
            memcpy(client_id, oracle->desk->engine->more[n].next_wire, WEIR_ID_MAX);
    }
}

static void fill(struct oracle *oracle)
{
    struct weir_fill in = {.msg = MSG(weir_fill, WEIR_FILL)};
    uint32_t exec =
        roll(oracle, 4) ? oracle->next_exec++ : (uint32_t)roll(oracle, oracle->next_exec + 1);
    in.msg.instrument = 1 + (uint32_t)roll(oracle, INSTRUMENTS);
    in.side = (uint8_t)roll(oracle, 2);
    if (roll(oracle, 4))
        name_order(oracle, in.client_id, &in.msg.instrument);
    if (roll(oracle, 3) == 0)
        snprintf(in.venue_id, WEIR_ID_MAX, "v%u", (unsigned)roll(oracle, 60));
    snprintf(in.exec_id, WEIR_ID_MAX, "x%u", exec % EXECS);
    in.origin = roll(oracle, 30) ? WEIR_ORIGIN_OURS : WEIR_ORIGIN_MANUAL;
    in.px = 9900 + (int64_t)roll(oracle, 200);
    in.qty = 1 + (int64_t)roll(oracle, 3000);
    if (roll(oracle, 2)) {
        strcpy(in.fee_asset, "USDT");
        in.fee = amount_pack((amount)roll(oracle, 1000000007) - 1000);
    }
    in.stream_seq = roll(oracle, 3) ? 0 : oracle->desk->seq;
    if (!oracle->seen[in.msg.instrument][exec % EXECS])
        oracle->seen[in.msg.instrument][exec % EXECS] = 1;
    act(oracle, &in);
}

static void report(struct oracle *oracle)
{
    static const uint16_t kinds[] = {
        WEIR_ACK,           WEIR_ACK,       WEIR_ACK,      WEIR_REJECT,   WEIR_CANCELED,
        WEIR_CANCEL_REJECT, WEIR_EXPIRED,   WEIR_REPLACED, WEIR_REPLACED, WEIR_REPLACE_REJECT,
        WEIR_NO_ANSWER,     WEIR_NO_ANSWER, WEIR_STATUS,   WEIR_STATUS};
    struct weir_report in = {.msg = MSG(weir_report, 0)};
    in.msg.kind = kinds[roll(oracle, sizeof kinds / sizeof kinds[0])];
    name_order(oracle, in.client_id, &in.msg.instrument);
    if (roll(oracle, 2))
        snprintf(in.venue_id, WEIR_ID_MAX, "v%u", (unsigned)roll(oracle, 60));
    in.proof = roll(oracle, 4) ? WEIR_DEFINITE : WEIR_SILENCE;
    in.state = (uint8_t)roll(oracle, 6);
    in.request = (uint8_t)roll(oracle, 3);
    in.has_cum = (uint8_t)roll(oracle, 2);
    in.cum_qty = (int64_t)roll(oracle, 4000);
    strcpy(in.reason, roll(oracle, 3) ? "NO" : "UNKNOWN_ORDER");
    act(oracle, &in);
}

static void recon(struct oracle *oracle)
{
    struct weir_session up = {.msg = MSG(weir_session, WEIR_SESSION)};
    struct weir_msg begin = MSG(weir_msg, WEIR_RECON_BEGIN), end = MSG(weir_msg, WEIR_RECON_END),
                    restart = MSG(weir_msg, IN_RESTARTED);
    up.msg.flags = WEIR_STREAM_DOWN;
    if (roll(oracle, 2)) {
        act(oracle, &restart);
    } else {
        act(oracle, &up);
        up.msg.flags = WEIR_STREAM_UP;
        act(oracle, &up);
    }
    act(oracle, &begin);
    for (uint64_t rows = roll(oracle, 12); rows > 0; rows--) {
        struct weir_report row = {.msg = MSG(weir_report, WEIR_RECON_ORDER),
                                  .state = 1 + (uint8_t)roll(oracle, 5),
                                  .has_cum = 1};
        row.msg.instrument = 1 + (uint32_t)roll(oracle, INSTRUMENTS);
        if (roll(oracle, 5))
            name_order(oracle, row.client_id, &row.msg.instrument);
        snprintf(row.venue_id, WEIR_ID_MAX, "v%u", (unsigned)roll(oracle, 60));
        row.side = (uint8_t)roll(oracle, 2);
        row.qty = 1 + (int64_t)roll(oracle, 2000);
        row.cum_qty = (int64_t)roll(oracle, 2000);
        row.px = 9900 + (int64_t)roll(oracle, 200);
        act(oracle, &row);
    }
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        struct weir_cash row = {.msg = MSG(weir_cash, WEIR_RECON_POSITION)};
        row.msg.instrument = i;
        row.amount = amount_pack(
            amount_from((int64_t)(oracle->position[i] + (roll(oracle, 10) ? 0 : 1)), 3));
        act(oracle, &row);
    }
    end.flags = WEIR_RECON_HAS_POSITIONS;
    act(oracle, &end);
}

static void bust(struct oracle *oracle)
{
    struct weir_fill in = {.msg = MSG(weir_fill, WEIR_BUST)};
    uint32_t exec = (uint32_t)roll(oracle, oracle->next_exec + 1) % EXECS;
    in.msg.instrument = 1 + (uint32_t)roll(oracle, INSTRUMENTS);
    snprintf(in.exec_id, WEIR_ID_MAX, "x%u", exec);
    in.state = (uint8_t)roll(oracle, 6);
    if (!oracle->seen[in.msg.instrument][exec])
        oracle->seen[in.msg.instrument][exec] = 2; /* undone before it is told: never booked */
    else if (oracle->booked[in.msg.instrument][exec])
        oracle->seen[in.msg.instrument][exec] = 3; /* it may bring its order back */
    uint32_t index;
    struct engine *engine = oracle->desk->engine;
    if (map_get(&engine->exec_memory.map,
                key_for(KEY_EXEC, in.exec_id, WEIR_ID_MAX, in.msg.instrument), &index) &&
        index && engine->execs[index - 1].order)
        oracle->reopenable[engine->execs[index - 1].born % WIRES] = 1;
    act(oracle, &in);
}

static void account(struct oracle *oracle)
{
    struct in_change change = {.msg = MSG(in_change, IN_KILL)};
    struct weir_mark mark = {.msg = MSG(weir_mark, WEIR_MARK),
                             .px = 9900 + (int64_t)roll(oracle, 200)};
    mark.msg.instrument = 1 + (uint32_t)roll(oracle, INSTRUMENTS);
    switch (roll(oracle, oracle->calm ? 60 : 8)) {
    case 0: act(oracle, &change); break;
    case 1:
    case 2:
        change.msg.kind = IN_RELEASE;
        act(oracle, &change);
        break;
    default: act(oracle, &mark); break;
    }
}

static void happen(struct oracle *oracle)
{
    uint64_t what = roll(oracle, 1000);
    oracle->desk->now += (int64_t)(random_next(&oracle->random) >> 36 >> roll(oracle, 20)) *
                         (roll(oracle, 50) ? 1 : 1000);
    if (what < 300)
        guest(oracle);
    else if (what < 550)
        fill(oracle);
    else if (what < 900)
        report(oracle);
    else if (what < 910)
        recon(oracle);
    else if (what < 940)
        bust(oracle);
    else
        account(oracle);
}

/* --- what must be true -------------------------------------------------------------------------------- */

static const char *money_holds(struct oracle *oracle)
{
    struct engine *engine = oracle->desk->engine;
    amount spot = 0, expected, total, fees, funding;
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        const struct instrument *instrument = &engine->instruments[i];
        const struct stake *own = &instrument->own.now;
        if (own->qty != oracle->position[i])
            return "the account's position is not the sum of its executions";
        for (uint32_t owner = 0; owner < 5; owner++) {
            struct position_view view = {0};
            (void)engine_position(engine, i, owner == 4 ? STRATEGY_EXTERNAL : owner, &view);
            if (view.realized != oracle->realized[i][owner])
                return "what was realized is not what the executions told";
        }
        /* what went in = what is held at cost, less what was realized */
        amount cost = own->qty < 0 ? -own->cost : own->cost;
        amount gain = instrument->is.kind == WEIR_INVERSE ? -own->realized : own->realized;
        if (oracle->worth[i] != cost - gain)
            return "cost and realized do not add up to what was traded";
        if (own->cost < 0 || (own->qty == 0 && own->cost != 0))
            return "a flat or negative cost";
        spot += instrument->is.kind == WEIR_SPOT     ? -oracle->worth[i]
                : instrument->is.kind == WEIR_LINEAR ? own->realized
                                                     : 0;
        amount base = instrument->is.kind == WEIR_SPOT      ? amount_from(own->qty, 3)
                      : instrument->is.kind == WEIR_INVERSE ? own->realized
                                                            : 0;
        total = 0; /* an asset that nobody spoke of is not known, and empty */
        (void)engine_wallet(engine, 1, instrument->is.base, &total, &fees, &funding);
        if (total != base)
            return "a base asset's wallet";
    }
    expected = amount_from(10000, 0) + spot - oracle->fees;
    if (!engine_wallet(engine, 1, "USDT", &total, &fees, &funding) || total != expected ||
        fees != oracle->fees)
        return "the quote asset's wallet or fees";
    return NULL;
}

static const char *booked_once(const struct oracle *oracle)
{
    for (uint32_t i = 1; i <= INSTRUMENTS; i++)
        for (uint32_t n = 0; n < EXECS; n++) {
            if (oracle->booked[i][n] < 0 || oracle->booked[i][n] > 1)
                return "an execution was booked twice";
            if (oracle->seen[i][n] == 1 && !oracle->booked[i][n])
                return "an execution was lost";
            if (oracle->seen[i][n] == 2 && oracle->booked[i][n])
                return "an execution was booked that had been undone";
        }
    return NULL;
}

static void run(uint64_t seed, int steps, uint32_t held_out[HOLD_EVENT_COUNT])
{
    static struct oracle oracle;
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    sizes.orders = seed % 2 ? 40 : 400;
    sizes.executions = EXECS * INSTRUMENTS;
    sizes.client_ids = 65536;
    memset(&oracle, 0, sizeof oracle);
    oracle.desk = &desk;
    oracle.random = seed;
    oracle.calm = seed % 2 == 0;
    desk_open(&desk, &sizes);
    desk.keep_effects = true;
    static const char *const limits[] = {"limit account:account max_position 30 |",
                                         "limit strategy:s1 max_position 20 |",
                                         "limit host max_loss 100000 |",
                                         "limit host self_cross 1 |",
                                         "caps |",
                                         "policy pace_queue 1 |",
                                         "limit account:account throttle_max 40 |",
                                         "limit account:account throttle_window_ms 10 |",
                                         NULL};
    desk_tell(&desk, "limits", limits);
    look(&oracle);
    oracle.look = true;
    for (int step = 0; step < steps && oracle.next_exec < EXECS - 1; step++) {
        happen(&oracle);
        const char *audit = engine_audit(desk.engine), *money = money_holds(&oracle);
        const char *once = step % 64 == 0 ? booked_once(&oracle) : NULL;
        const char *wrong = oracle.wrong ? oracle.wrong : audit[0] ? audit : money ? money : once;
        cr_assert(!wrong, "seed %llu, step %d: %s", (unsigned long long)seed, step, wrong);
    }
    cr_assert(oracle.sent > 20, "seed %llu: only %u orders were sent", (unsigned long long)seed,
              oracle.sent);
    for (int event = 0; event < HOLD_EVENT_COUNT; event++)
        held_out[event] += oracle.held[event];
    desk_close(&desk);
}

Test(random, any_order_of_events_keeps_every_promise)
{
    const char *wanted = getenv("WEIR_RANDOM_STEPS");
    long steps = wanted ? atol(wanted) : 20000;
    uint32_t held[HOLD_EVENT_COUNT] = {0};
    for (uint64_t seed = 1; steps > 0; seed++, steps -= 5000)
        run(seed, steps < 5000 ? (int)steps : 5000, held);
    for (int event = 0; event < HOLD_EVENT_COUNT; event++)
        cr_assert(held[event] > 0 || wanted, "nothing was ever %s",
                  hold_event_name((enum hold_event)event));
}

/* The same inputs give the same effects, byte for byte, wherever the memory is and whatever was in it. */
Test(random, same_inputs_same_effects)
{
    struct desk desk[2];
    for (int i = 0; i < 2; i++) {
        static struct oracle oracle;
        struct engine_sizes sizes = desk_sizes();
        sizes.executions = EXECS;
        memset(&oracle, 0, sizeof oracle);
        oracle.desk = &desk[i];
        oracle.random = 77;
        desk_open(&desk[i], &sizes);
        desk[i].keep_effects = true;
        for (int step = 0; step < 3000; step++)
            happen(&oracle);
    }
    cr_assert_eq(desk[0].effects_len, desk[1].effects_len);
    cr_assert(memcmp(desk[0].effects, desk[1].effects, desk[0].effects_len) == 0);
    cr_assert(desk[0].effects_len > 100000);
    desk_close(&desk[0]);
    desk_close(&desk[1]);
}
