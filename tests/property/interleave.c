/* interleave.c - random stories: every order in which things can happen, against a venue that has a
 * truth of its own.
 *
 * The venue is a small model that shares nothing with the engine: orders, executions, positions and
 * wallets in its own books. What it says goes through a lossy, doubling, reordering line; requests may
 * stay unanswered; the stream breaks; the process dies and is started again on its journal. Each
 * decision is compared with what the orders one by one add up to; after each step what must always
 * hold is checked; at the end of a story the line is made good, and the engine must believe exactly
 * what the venue knows.
 *
 *   interleave [STORIES [SEED [trace]]]     prints what it saw, a hash over all effects, and the sum; exit 1
 *                                   with the seed of the first story that fails
 *
 * What must hold: 1 journalled before sent, 2 no client id sent as new twice, 3 each execution booked
 * once, 4 position and 5 wallet are sums, 6 strategies add up, 7 cum and leaves, 8 ended stays ended,
 * 9 exposure within the limit at each send, 10 nothing new leaves while it must not, 11 the kill
 * switch reaches every order, 12 settled when quiet, 13 doubt ends only by evidence, 14 nothing is
 * sent again, 15 what meets inside meets by price and age, 16 replay gives the same, 17 each decision
 * is the contract's, 18 PROVEN is said of the kill switch only while no order of ours works, and is
 * said in the end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "property/world.h"

/* --- what we do -------------------------------------------------------------------------------*/

/* 17 */
static void compare_decision(struct world *w, const char *cid, int want)
{
    if (w->decision < 0)
        fail(w, "17: %s: no decision was told", cid);
    else if (w->decision != want)
        fail(w, "17: %s: %s, and should be %s", cid,
             w->decision == ALLOWED ? "allowed" : risk_check_name((enum risk_check)w->decision),
             want == ALLOWED ? "allowed" : risk_check_name((enum risk_check)want));
}

static uint8_t pick_route(struct world *w)
{
    bool room = w->resting_count < RESTING && w->trade_count + 2 * RESTING < TRADES;
    uint32_t what = rnd(w, 8);
    return !room || what > 2 ? ROUTE_VENUE : what == 0 ? ROUTE_INTERNAL : ROUTE_INTERNAL_THEN_VENUE;
}

static void submit(struct world *w)
{
    struct in_submit in = {.msg = {.size = sizeof in, .kind = IN_SUBMIT}};
    in.msg.instrument = 1 + rnd(w, INSTRUMENTS);
    in.strategy = 1 + rnd(w, STRATEGIES);
    in.side = (uint8_t)rnd(w, 2);
    in.px = 990 + rnd(w, 20);
    in.qty = 1 + rnd(w, 25);
    in.flags = rnd(w, 12) == 0 ? WEIR_REDUCE_ONLY : 0;
    if (w->order_count == ORDERS)
        return;
    in.route = pick_route(w);
    snprintf(in.cid, sizeof in.cid, "c%d", ++w->cid);
    w->asking = in.strategy;
    w->asked_flags = in.flags;
    w->sent_order = -1;
    int want = risk_expects(w, &(struct wish_model){.instrument = in.msg.instrument,
                                                    .strategy = in.strategy,
                                                    .side = in.side,
                                                    .flags = in.flags,
                                                    .route = in.route,
                                                    .px = in.px,
                                                    .qty = in.qty,
                                                    .worst = in.qty});
    host_apply(w, &in.msg);
    compare_decision(w, in.cid, want);
    if (w->decision == ALLOWED)
        inside_expect(w, &in);
    check_exposure(w);
}

/* Any name that an asker could give: of our orders, or of one that was adopted. */
static void pick_cid(struct world *w, char cid[WEIR_ID_MAX])
{
    const struct truth_order *o =
        w->order_count ? &w->orders[rnd(w, (uint32_t)w->order_count)] : NULL;
    if (o && o->foreign && o->listed)
        memcpy(cid, o->wire[0], WEIR_ID_MAX);
    else
        snprintf(cid, WEIR_ID_MAX, "c%u", 1 + rnd(w, (uint32_t)w->cid + 1));
}

/* A cancel is never refused, and is ignored for what has ended or has one pending; a script's is also
 * for what another strategy has. */
static void cancel(struct world *w)
{
    struct in_change in = {.msg = {.size = sizeof in, .kind = IN_CANCEL}};
    struct order_view was, is;
    in.asker = rnd(w, 4) ? ASKER_OPERATOR : ASKER_SCRIPT;
    in.strategy = 1 + rnd(w, STRATEGIES);
    pick_cid(w, in.cid);
    bool known = engine_order(w->engine, engine_order_find(w->engine, in.cid), &was);
    uint64_t sent = engine_counts(w->engine)->sent_cancel;
    host_apply(w, &in.msg);
    sent = engine_counts(w->engine)->sent_cancel - sent;
    if (!known || !engine_order(w->engine, engine_order_find(w->engine, in.cid), &is))
        return;
    bool inside = was.order.route == ROUTE_INTERNAL;
    bool wanted = !order_label_is_done((enum order_label)was.order.label) &&
                  was.order.label != ORDER_PENDING_CANCEL &&
                  (in.asker != ASKER_SCRIPT || was.order.strategy == in.strategy);
    if (sent != (wanted && !inside))
        fail(w, "14: a cancel of %s, which was %s, sent %d", in.cid,
             order_label_name((enum order_label)was.order.label), (int)sent);
    if (inside && wanted &&
        (is.order.label != ORDER_CANCELED || !inside_cancel(w, atoi(in.cid + 1))))
        fail(w, "15: %s was canceled inside, and is %s", in.cid,
             order_label_name((enum order_label)is.order.label));
}

static void cancel_many(struct world *w)
{
    struct in_change in = {.msg = {.size = sizeof in, .kind = IN_CANCEL_MANY},
                           .asker = ASKER_OPERATOR,
                           .strategy = 1 + rnd(w, STRATEGIES)};
    host_apply(w, &in.msg);
    for (int i = 0; i < w->resting_count; i++)
        if (w->resting[i].strategy == in.strategy)
            w->resting[i].live = false;
}

static void replace(struct world *w)
{
    struct in_change in = {.msg = {.size = sizeof in, .kind = IN_REPLACE}, .asker = ASKER_OPERATOR};
    struct order_view v;
    int name;
    uint32_t n = 0;
    for (int tries = 0; tries < 4; tries++) { /* rather one that can be replaced */
        pick_cid(w, in.cid);
        n = engine_order_find(w->engine, in.cid);
        if (engine_order(w->engine, n, &v) &&
            (v.order.label == ORDER_OPEN || v.order.label == ORDER_PARTIAL))
            break;
    }
    const struct truth_order *o =
        engine_order(w->engine, n, &v) ? by_wire(w, v.order.wire_id, &name) : NULL;
    if (!o || o->names == NAMES || (o->foreign && !o->listed))
        return;
    in.change = (uint8_t)(1 + rnd(w, 3));
    in.qty = 1 + rnd(w, 30);
    in.px = 990 + rnd(w, 20);
    if (rnd(w, 2))
        snprintf(in.new_cid, sizeof in.new_cid, "c%d", ++w->cid);
    weir_qty qty = in.change & CHANGE_QTY ? in.qty : v.order.qty;
    weir_qty most = qty > v.order.qty ? qty : v.order.qty;
    w->sent_order = -1;
    struct wish_model wish = {
        .instrument = v.order.msg.instrument,
        .strategy = v.order.strategy,
        .side = v.order.side,
        .flags = v.order.flags,
        .route = v.order.route,
        .px = in.change & CHANGE_PX ? in.px : v.order.px,
        .qty = qty,
        .worst = most > v.order.cum_qty ? most - v.order.cum_qty : 0,
        .order = n,
        .bad = (v.order.label != ORDER_OPEN && v.order.label != ORDER_PARTIAL) ||
               v.order.msg.size == sizeof v.order /* one is pending, whatever the label */};
    int want = risk_expects(w, &wish);
    host_apply(w, &in.msg);
    compare_decision(w, in.cid, want);
    check_exposure(w);
}

/* 11: every live order at the venue has a cancel of its own, and nothing new leaves. */
static void kill_or_release(struct world *w)
{
    struct order_view view;
    struct in_change in = {.msg = {.size = sizeof in, .kind = w->killed ? IN_RELEASE : IN_KILL},
                           .asker = ASKER_OPERATOR};
    w->killed = !w->killed;
    host_apply(w, &in.msg);
    for (uint32_t n = 0; w->killed && (n = engine_order_next(w->engine, n, true)) != 0;)
        if (engine_order(w->engine, n, &view) && view.order.route != ROUTE_INTERNAL &&
            view.order.label != ORDER_PENDING_CANCEL)
            fail(w, "11: killed, order %s is %s", view.order.wire_id,
                 order_label_name((enum order_label)view.order.label));
}

static void session(struct world *w, bool up)
{
    struct weir_session s = {.msg = {.size = sizeof s,
                                     .kind = WEIR_SESSION,
                                     .flags = up ? WEIR_STREAM_UP : WEIR_STREAM_DOWN}};
    w->up = up;
    w->told_down = !up;
    host_apply(w, &s.msg);
    if (up && !w->recon_asked)
        fail(w, "13: nothing was asked after the stream came back");
}

/* --- a step -----------------------------------------------------------------------------------*/

static struct truth_order *any_order(struct world *w)
{
    return &w->orders[rnd(w, (uint32_t)w->order_count)];
}

/* Rather one that works: to others little can happen. */
static int working_order(struct world *w)
{
    int at = 0;
    for (int tries = 0; tries < 4; tries++) {
        at = (int)rnd(w, (uint32_t)w->order_count);
        if (w->orders[at].state == WORKING)
            break;
    }
    return at;
}

static void handle(struct world *w)
{
    struct truth_order *o = any_order(w);
    if (venue_has_request(o))
        venue_handles(w, o);
}

static void receive(struct world *w)
{
    uint32_t start = rnd(w, LINES);
    for (uint32_t i = 0; w->up && i < LINES; i++) {
        struct line *line = &w->lines[(start + i) % LINES];
        if (line->used) {
            line_deliver(w, line);
            return;
        }
    }
}

static void execute(struct world *w)
{
    venue_executes(w, working_order(w));
}
static void silence(struct world *w)
{
    const struct truth_order *o = any_order(w);
    answer_nothing(w, o, (uint8_t)rnd(w, 3));
}
static void hand_trade(struct world *w)
{
    venue_executes(w, -1);
}
static void stream(struct world *w)
{
    session(w, !w->up);
}
static void recon(struct world *w)
{
    if (w->up && w->recon_asked)
        answer_recon(w);
}
static void fills(struct world *w)
{
    if (w->fills_asked)
        answer_fills(w);
}

static const struct {
    int of_hundred;
    void (*do_it)(struct world *w);
    bool wants_order; /* at the venue */
} acts[] = {{19, submit, false},
            {6, cancel, false},
            {11, replace, true},
            {1, cancel_many, false},
            {16, handle, true},
            {11, execute, true},
            {1, hand_trade, false},
            {17, receive, false},
            {2, silence, true},
            {3, answer_query, false},
            {2, stream, false},
            {3, recon, false},
            {1, fills, false},
            {1, host_restart, false},
            {1, kill_or_release, false},
            {2, venue_busts, false},
            {1, venue_expires, true},
            {1, venue_pays, false},
            {1, venue_takes_foreign, false}};

/* What stops trading does not last, or stories would be about little else. */
static void recover(struct world *w)
{
    if (w->killed && rnd(w, 6) == 0)
        kill_or_release(w);
    if (!w->up && rnd(w, 4) == 0)
        session(w, true);
    if (rnd(w, 3) == 0)
        recon(w);
}

static void step(struct world *w)
{
    host_pass_time(w, rnd(w, 4) * 5 * MS);
    recover(w);
    int what = (int)rnd(w, 100);
    size_t i = 0;
    while (i + 1 < sizeof acts / sizeof acts[0] && what >= acts[i].of_hundred)
        what -= acts[i++].of_hundred;
    if (acts[i].wants_order && w->order_count == 0)
        submit(w);
    else
        acts[i].do_it(w);
    check_positions(w);
    check_wallets(w, false);
}

/* --- the end: the line is made good -----------------------------------------------------------*/

/* What the host's deadlines do: a request that nobody will answer any more had no answer. */
static void miss_answers(struct world *w)
{
    for (int i = 0; i < w->order_count; i++) {
        struct order_view v;
        if (!host_view(w, &w->orders[i], &v) || venue_has_request(&w->orders[i]))
            continue;
        if (v.order.label == ORDER_PENDING_CANCEL)
            answer_nothing(w, &w->orders[i], WEIR_REQUEST_CANCEL);
        if (v.order.label == ORDER_PENDING_REPLACE)
            answer_nothing(w, &w->orders[i], WEIR_REQUEST_REPLACE);
    }
}

static void settle(struct world *w)
{
    w->made_good = true;
    if (w->killed && rnd(w, 2))
        kill_or_release(w);
    if (!w->up)
        session(w, true);
    for (int round = 0; round < 60 && !w->failed; round++) {
        for (int i = 0; i < w->order_count; i++)
            while (venue_has_request(&w->orders[i]))
                venue_handles(w, &w->orders[i]);
        for (int i = 0; i < LINES; i++)
            if (w->lines[i].used)
                line_deliver(w, &w->lines[i]);
        if (w->recon_asked || round == 0)
            answer_recon(w);
        if (w->fills_asked)
            answer_fills(w);
        if (round < 3)
            miss_answers(w);
        for (int i = 0; i < 60 && w->query_count > 0; i++)
            answer_query(w);
        host_pass_time(w, 2000 * MS);
    }
}

/* A request that was never answered stays pending by the contract, whatever a query tells. */
static bool is_pending(uint8_t label)
{
    return label == ORDER_PENDING_CANCEL || label == ORDER_PENDING_REPLACE;
}

/* The venue refused what was part filled inside: that part stays. */
static bool is_refused(const struct truth_order *o, uint8_t label)
{
    return o->state == GONE && o->end == WEIR_STATE_REJECTED && o->inside > 0 &&
           label == ORDER_CANCELED;
}

static enum order_label should_be(const struct truth_order *o)
{
    static const uint8_t ends[] = {[WEIR_STATE_FILLED] = ORDER_FILLED,
                                   [WEIR_STATE_CANCELED] = ORDER_CANCELED,
                                   [WEIR_STATE_EXPIRED] = ORDER_EXPIRED,
                                   [WEIR_STATE_REJECTED] = ORDER_REJECTED};
    if (o->state == GONE)
        return (enum order_label)ends[o->end];
    return o->cum + o->inside > 0 ? ORDER_PARTIAL : ORDER_OPEN;
}

/* 12: the engine believes what the venue knows. */
static void check_order(struct world *w, const struct truth_order *o)
{
    struct order_view v;
    if (!host_view(w, o, &v)) {
        if (!o->foreign)
            fail(w, "12: order %s is not known any more", o->wire[0]);
        return;
    }
    if (v.order.cum_qty != o->cum + o->inside)
        fail(w,
             "12: order %s has %" PRId64 " executed, the venue says %" PRId64 " and %" PRId64
             " inside",
             o->wire[0], v.order.cum_qty, o->cum, o->inside);
    else if (v.order.label != should_be(o) && (o->state == GONE || !is_pending(v.order.label)) &&
             !is_refused(o, v.order.label))
        fail(w, "12: order %s is %s, at the venue it is %s", o->wire[0],
             order_label_name((enum order_label)v.order.label), order_label_name(should_be(o)));
    else if (o->state == WORKING && (v.order.qty != o->qty + o->inside || v.order.px != o->px ||
                                     strcmp(v.order.wire_id, o->wire[o->now]) != 0 ||
                                     strcmp(v.order.venue_id, o->vids[o->now]) != 0))
        fail(w, "12: order %s differs from the venue's in quantity, price or name", o->wire[0]);
    else if (v.order.awaiting_fills ||
             (v.exposure != v.leaves_qty && v.order.msg.size < sizeof v.order))
        fail(w, "12: order %s still waits", o->wire[0]);
    else if (w->killed && o->state == WORKING)
        fail(w, "11: killed, and order %s works", o->wire[0]);
}

static void check_resting(struct world *w, const struct resting *r)
{
    char cid[WEIR_ID_MAX];
    struct order_view v;
    snprintf(cid, sizeof cid, "c%d", r->cid);
    if (!engine_order(w->engine, engine_order_find(w->engine, cid), &v) ||
        v.order.cum_qty != r->cum ||
        order_label_is_done((enum order_label)v.order.label) == r->live)
        fail(w, "15: order %s of the internal book", cid);
}

static void check_settled(struct world *w)
{
    check_wallets(w, true);
    check_strategies(w);
    for (int i = 0; i < w->order_count && !w->failed; i++)
        check_order(w, &w->orders[i]);
    for (int i = 0; i < w->resting_count && !w->failed; i++)
        check_resting(w, &w->resting[i]);
    struct kill_item open;
    if (!w->failed && engine_kill_open(w->engine, 0, &open)) /* 18 */
        fail(w, "18: the kill is not proven: order %u: %s", open.order,
             kill_obstacle_name(open.obstacle));
}

/* --- stories ----------------------------------------------------------------------------------*/

static void story(struct world *w, uint64_t seed)
{
    struct world next = {.memory = {w->memory[0], w->memory[1]},
                         .inputs = w->inputs,
                         .effects = w->effects,
                         .memory_size = w->memory_size,
                         .room = w->room,
                         .sizes = w->sizes,
                         .traced = w->traced,
                         .seed = seed,
                         .random = seed * 0x9e3779b97f4a7c15ull + 0x1234567};
    *w = next;
    host_begin(w);
    for (int i = 0; i < STEPS && !w->failed; i++)
        step(w);
    if (!w->failed)
        settle(w);
    if (!w->failed)
        check_settled(w);
}

/* FNV-1a over words: the effects are multiples of 8 bytes. */
static uint64_t hash(uint64_t sum, const unsigned char *bytes, size_t len)
{
    for (size_t at = 0; at + 8 <= len; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        sum = (sum ^ word) * 0x100000001b3ull;
        sum ^= sum >> 32;
    }
    return sum;
}

static bool open_world(struct world *w)
{
    w->sizes = (struct engine_sizes){.orders = 64,
                                     .executions = 256,
                                     .client_ids = 256,
                                     .instruments = 4,
                                     .strategies = 4,
                                     .venues = 2,
                                     .accounts = 2,
                                     .assets = 8,
                                     .positions = 16};
    w->memory_size = engine_bytes(&w->sizes);
    w->room = 1 << 20;
    for (int i = 0; i < 2; i++)
        w->memory[i] = aligned_alloc(64, (w->memory_size + 63) / 64 * 64);
    w->inputs = malloc(w->room);
    w->effects = malloc(w->room);
    return w->memory[0] && w->memory[1] && w->inputs && w->effects;
}

static void close_world(struct world *w)
{
    free(w->memory[0]);
    free(w->memory[1]);
    free(w->inputs);
    free(w->effects);
}

/* --- what the stories were made of ------------------------------------------------------------*/

/* Each of these must have happened in a run of many stories: else the test tests less than it says. */
static const uint8_t checks[] = {
    CHECK_KILL_SWITCH,     CHECK_RECONCILING,          CHECK_HALTED,      CHECK_VENUE_DOWN,
    CHECK_VENUE_BACKOFF,   CHECK_MAX_ORDER_QTY,        CHECK_REDUCE_ONLY, CHECK_MAX_POSITION,
    CHECK_MAX_OPEN_ORDERS, CHECK_INSUFFICIENT_BALANCE, CHECK_SELF_CROSS,  CHECK_THROTTLED,
    CHECK_BAD_REQUEST};
static const uint8_t alerts[] = {ALERT_OVERFILL,       ALERT_LATE_FILL,         ALERT_EXTERNAL_FILL,
                                 ALERT_EXTERNAL_ORDER, ALERT_MISSING_FILLS,     ALERT_UNKNOWN_ORDER,
                                 ALERT_STREAM_DOWN,    ALERT_POSITION_MISMATCH, ALERT_RATE_LIMITED,
                                 ALERT_TRADE_BUST,     ALERT_KILL_SWITCH,       ALERT_ANOMALY};
enum { MANY = 2000 };

static void add_counts(struct engine_counts *sum, const struct engine_counts *of)
{
    sum->sent_new += of->sent_new;
    sum->sent_cancel += of->sent_cancel;
    sum->sent_replace += of->sent_replace;
    sum->executions += of->executions;
    sum->duplicates_ignored += of->duplicates_ignored;
    for (int i = 0; i < RISK_CHECK_COUNT; i++)
        sum->denied_by[i] += of->denied_by[i];
    for (int i = 0; i < ALERT_COUNT; i++)
        sum->alerts[i] += of->alerts[i];
}

static bool was_complete(const struct engine_counts *sum, uint64_t by_strategy, uint64_t by_group)
{
    bool complete = by_strategy > 0 && by_group > 0;
    printf("denied");
    for (size_t i = 0; i < sizeof checks; i++) {
        complete = complete && sum->denied_by[checks[i]] > 0;
        printf(" %s %" PRIu64, risk_check_name(checks[i]), sum->denied_by[checks[i]]);
    }
    printf("\nby max_position alone of the strategy %" PRIu64 ", of the group %" PRIu64 "\nalerts",
           by_strategy, by_group);
    for (size_t i = 0; i < sizeof alerts; i++) {
        complete = complete && sum->alerts[alerts[i]] > 0;
        printf(" %s %" PRIu64, alert_name(alerts[i]), sum->alerts[alerts[i]]);
    }
    printf("\n");
    return complete;
}

int main(int argc, char **argv)
{
    static struct world w;
    struct engine_counts sum = {0};
    uint64_t stories = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000,
             seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, effects = 0xcbf29ce484222325ull,
             end = seed + stories, by_strategy = 0, by_group = 0;
    w.traced = argc > 3 && strcmp(argv[3], "trace") == 0;
    if (!open_world(&w))
        fail(&w, "no memory");
    for (; seed < end && !w.failed; seed++) {
        story(&w, seed);
        add_counts(&sum, engine_counts(w.engine));
        by_strategy += w.denied_strategy;
        by_group += w.denied_group;
        effects = hash(effects, w.effects, w.effect_len);
    }
    if (!w.failed && !was_complete(&sum, by_strategy, by_group) && stories >= MANY)
        fail(&w, "something of the above never happened");
    if (w.failed)
        printf("FAIL story %" PRIu64 ": %s\n0 passed, 1 failed\n", w.seed, w.failed);
    else
        printf("%" PRIu64 " stories of %d steps: %" PRIu64 " orders, %" PRIu64 " replaces, %" PRIu64
               " cancels, %" PRIu64 " executions, %" PRIu64 " repeats\neffects %016" PRIx64
               "\n%" PRIu64 " passed, 0 failed\n",
               stories, STEPS, sum.sent_new, sum.sent_replace, sum.sent_cancel, sum.executions,
               sum.duplicates_ignored, effects, stories);
    bool passed = !w.failed;
    close_world(&w);
    return passed ? 0 : 1;
}
