/* interleave.c - random stories: every order in which things can happen, against a venue that has a
 * truth of its own.
 *
 * The venue here is a small model that shares nothing with the engine: orders, executions, positions
 * and wallets in its own books. What it says goes through a lossy, doubling, reordering line; requests
 * may stay unanswered; the stream breaks; the process dies and is started again on its journal. After
 * each step what must always hold is checked; at the end of a story the line is made good, and the
 * engine must believe exactly what the venue knows.
 *
 *   interleave [STORIES [SEED]]     prints one line; exit 1 with the seed of the first story that fails
 *
 * Invariants (numbers as in the list of the reliability notes): 1 journalled before sent, 2 no client
 * id sent as new twice, 3 each execution booked once, 4 position and 5 wallet are sums, 6 strategies
 * add up, 7 cum and leaves, 8 ended stays ended, 9 exposure within the limit at each send, 12 settled
 * when quiet, 13 doubt ends only by evidence, 14 nothing is sent again, 16 replay gives the same. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

enum {
    ORDERS = 24,
    FILLS = 96,
    LINES = 256,
    MS = 1000000,
    STEPS = 40,
    LIMIT_LOTS = 60,
    INSTRUMENTS = 2
};
#define BEGIN 1000000000000000000

/* --- the venue's truth ------------------------------------------------------------------------*/

enum truth_state { NOT_THERE, WORKING, GONE };

struct truth_order {
    char wire[2][WEIR_ID_MAX]; /* [1]: after a replace */
    char vid[2][WEIR_ID_MAX];
    int names; /* 1 or 2: how many wire ids it has */
    int now;   /* the one the venue knows it by: 1 after a replace that holds */
    enum truth_state state;
    uint8_t end; /* WEIR_STATE_* when GONE */
    uint8_t side;
    uint32_t instrument, strategy;
    weir_px px;
    weir_qty qty, cum;
    int requests; /* bit 0 new, 1 cancel, 2 replace: on the wire, not handled yet */
    int told;     /* answers that were dropped or not: bit per request */
    weir_px new_px;
    weir_qty new_qty;
};

struct truth_fill {
    struct weir_fill msg;
    int order; /* -1: foreign */
    bool delivered, busted;
};

struct line { /* a message on its way */
    union {
        struct weir_msg head;
        struct weir_report report;
        struct weir_fill fill;
    } msg;
    bool used;
};

struct world {
    uint64_t random;
    uint64_t seed;
    struct engine *engine;
    void *memory[2];
    int which;
    size_t memory_size;
    struct engine_sizes sizes;
    weir_ns now;
    uint64_t seq;
    unsigned char *inputs, *effects;
    size_t input_len, effect_len, room;
    struct truth_order orders[ORDERS];
    int order_count;
    struct truth_fill fills[FILLS];
    int fill_count;
    struct line lines[LINES];
    bool up, recon_asked, fills_asked, killed;
    uint32_t asking; /* the strategy that submits */
    char queries[ORDERS * 4][WEIR_ID_MAX];
    int query_count;
    uint8_t label[512];
    uint16_t input_kind; /* of the input being applied */
    int last_order;      /* the truth's number of the order just sent */
    bool sent_new;
    int cid;
    const char *failed;
    char message[300];
    uint64_t sends;
};

static uint32_t rnd(struct world *w, uint32_t below)
{
    w->random ^= w->random << 13, w->random ^= w->random >> 7, w->random ^= w->random << 17;
    return (uint32_t)((w->random >> 16) % below);
}

static void fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct world *w, const char *format, ...)
{
    va_list args;
    if (w->failed)
        return;
    va_start(args, format);
    vsnprintf(w->message, sizeof w->message, format, args);
    va_end(args);
    w->failed = w->message;
}

/* --- the engine's side ------------------------------------------------------------------------*/

static struct truth_order *by_wire(struct world *w, const char *wire)
{
    for (int i = 0; i < w->order_count; i++)
        for (int n = 0; n < w->orders[i].names; n++)
            if (strcmp(w->orders[i].wire[n], wire) == 0)
                return &w->orders[i];
    return NULL;
}

static void on_new(struct world *w, const struct weir_intent *intent)
{
    if (by_wire(w, intent->client_id))
        fail(w, "2/14: client id %s was sent as new twice", intent->client_id);
    if (!w->up || w->recon_asked || w->killed)
        fail(w, "10: order %s left while %s", intent->client_id,
             w->killed ? "killed" : w->up ? "reconciling" : "the venue is down");
    if (w->order_count == ORDERS)
        return;
    struct truth_order *o = &w->orders[w->order_count];
    memset(o, 0, sizeof *o);
    memcpy(o->wire[0], intent->client_id, WEIR_ID_MAX);
    snprintf(o->vid[0], WEIR_ID_MAX, "v%d", w->order_count);
    o->names = 1;
    o->side = intent->side;
    o->strategy = w->asking;
    o->instrument = intent->msg.instrument;
    o->px = intent->px;
    o->qty = intent->qty;
    o->requests = 1;
    w->last_order = w->order_count++;
    w->sent_new = true;
    w->sends++;
}

static void on_change(struct world *w, const struct weir_intent *intent)
{
    struct truth_order *o = by_wire(w, intent->client_id);
    if (!o) {
        fail(w, "a change of %s, which was never sent", intent->client_id);
        return;
    }
    o->requests |= intent->msg.kind == WEIR_CANCEL ? 2 : 4;
    if (intent->msg.kind != WEIR_REPLACE)
        return;
    if (by_wire(w, intent->new_client_id))
        fail(w, "2: client id %s of a replace was used before", intent->new_client_id);
    memcpy(o->wire[1], intent->new_client_id, WEIR_ID_MAX);
    o->new_px = intent->px;
    o->new_qty = intent->qty;
    o->names = 2; /* known from now on, whatever becomes of it */
    w->sent_new = true;
}

/* 8 and 13: what an order may become. */
static void on_order(struct world *w, const struct out_order *o)
{
    if (o->order >= sizeof w->label)
        return;
    uint8_t before = w->label[o->order];
    bool was_done = before && order_label_is_done((enum order_label)(before - 1));
    bool is_done = order_label_is_done((enum order_label)o->label);
    bool told =
        w->input_kind == WEIR_STATUS || w->input_kind == WEIR_RECON_ORDER; /* the venue's word */
    const struct truth_order *truth = by_wire(w, o->wire_id);
    bool replaced = truth && truth->names == 2 && (told || w->input_kind == WEIR_REPLACED);
    bool reopens = replaced || before - 1 == ORDER_REJECTED; /* the two exceptions */
    if (was_done && !is_done && !reopens)
        fail(w, "8: order %s was %s and is %s", o->cid,
             order_label_name((enum order_label)(before - 1)),
             order_label_name((enum order_label)o->label));
    bool evidence = w->input_kind < WEIR_HOST_KINDS && w->input_kind != WEIR_NO_ANSWER &&
                    w->input_kind != WEIR_SESSION;
    if (before == ORDER_UNKNOWN + 1 && o->label != ORDER_UNKNOWN &&
        o->label != ORDER_PENDING_CANCEL && !evidence)
        fail(w, "13: order %s left UNKNOWN for %s by an input of kind %u", o->cid,
             order_label_name((enum order_label)o->label), w->input_kind);
    if (o->cum_qty < 0 || (o->label == ORDER_FILLED && o->cum_qty < o->qty && !o->awaiting_fills &&
                           !told && before - 1 != ORDER_FILLED))
        fail(w, "7: order %s is FILLED with %" PRId64 " of %" PRId64, o->cid, o->cum_qty, o->qty);
    w->label[o->order] = (uint8_t)(o->label + 1);
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
    keep(w, w->effects, &w->effect_len, effect, effect->size);
    switch (effect->kind) {
    case WEIR_NEW: on_new(w, intent); break;
    case WEIR_CANCEL:
    case WEIR_REPLACE: on_change(w, intent); break;
    case WEIR_QUERY_ORDER:
        if (w->query_count < ORDERS * 4)
            memcpy(w->queries[w->query_count++], intent->client_id, WEIR_ID_MAX);
        break;
    case WEIR_QUERY_FILLS: w->fills_asked = true; break;
    case WEIR_RECONCILE: w->recon_asked = true; break;
    case OUT_ORDER: on_order(w, (const struct out_order *)effect); break;
    default: break;
    }
}

static void apply(struct world *w, struct weir_msg *input)
{
    struct effect_sink sink = {take_effect, w};
    input->t = w->now;
    input->venue = input->account = 1;
    uint64_t seq = ++w->seq;
    keep(w, w->inputs, &w->input_len, &seq, sizeof seq);
    keep(w, w->inputs, &w->input_len, input, input->size);
    w->input_kind = input->kind;
    engine_apply(w->engine, input, seq, &sink);
}

/* --- beginning --------------------------------------------------------------------------------*/

static struct engine *make(struct world *w, int which)
{
    struct arena arena = {w->memory[which], (unsigned char *)w->memory[which] + w->memory_size};
    memset(w->memory[which], 0, w->memory_size);
    return engine_create(&arena, &w->sizes);
}

static void define(struct world *w, uint16_t kind, uint32_t number, const char *name)
{
    struct in_define in = {.msg = {.size = sizeof in, .kind = kind},
                           .number = number,
                           .parent = 1,
                           .rights = RIGHT_ORDERS};
    snprintf(in.name, sizeof in.name, "%s", name);
    apply(w, &in.msg);
}

static void limit(struct world *w, uint8_t scope, uint32_t id, uint8_t which, amount value)
{
    struct in_limit in = {.msg = {.size = sizeof in, .kind = IN_LIMIT},
                          .scope = scope,
                          .limit = which,
                          .how = LIMIT_VALUE,
                          .id = id,
                          .value = amount_pack(value)};
    apply(w, &in.msg);
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
    apply(w, &spot.msg);
    apply(w, &future.msg);
}

static void begin(struct world *w)
{
    static const int64_t policies[][2] = {
        {POLICY_strict, 0}, {POLICY_not_found_confirm, 2}, {POLICY_not_found_after_ns, 100 * MS}};
    w->engine = make(w, w->which);
    w->now = BEGIN;
    w->up = true;
    for (size_t i = 0; i < 3; i++) {
        struct in_policy in = {.msg = {.size = sizeof in, .kind = IN_POLICY},
                               .policy = (uint32_t)policies[i][0],
                               .value = policies[i][1]};
        apply(w, &in.msg);
    }
    define(w, IN_DEFINE_VENUE, 1, "v");
    define(w, IN_DEFINE_ACCOUNT, 1, "a");
    define(w, IN_DEFINE_STRATEGY, 1, "s1");
    define(w, IN_DEFINE_STRATEGY, 2, "s2");
    instruments(w);
    struct weir_cash wallet = {.msg = {.size = sizeof wallet, .kind = IN_WALLET},
                               .asset = "USD",
                               .amount = amount_pack((amount)1000000 * 1000000000000000000)};
    apply(w, &wallet.msg);
    limit(w, SCOPE_instrument, 1, LIMIT_max_position, amount_from(LIMIT_LOTS, 2));
    limit(w, SCOPE_instrument, 2, LIMIT_max_position, amount_from(LIMIT_LOTS, 0));
}

/* --- checks after each step -------------------------------------------------------------------*/

static amount signed_value(const struct truth_fill *f)
{
    amount value = (amount)f->msg.px * f->msg.qty * 1000000000000000; /* 10^-1 * 10^-2 in 1e-18 */
    return f->msg.side == WEIR_BUY ? value : -value;
}

static weir_qty signed_qty(const struct truth_fill *f)
{
    return f->msg.side == WEIR_BUY ? f->msg.qty : -f->msg.qty;
}

static weir_qty sum(const struct world *w, uint32_t instrument, bool all)
{
    weir_qty qty = 0;
    for (int i = 0; i < w->fill_count; i++)
        if (w->fills[i].msg.msg.instrument == instrument && (all || w->fills[i].delivered))
            qty += signed_qty(&w->fills[i]);
    return qty;
}

static weir_qty sum_of(const struct world *w, uint32_t instrument, uint32_t strategy)
{
    weir_qty qty = 0;
    for (int i = 0; i < w->fill_count; i++) {
        const struct truth_fill *f = &w->fills[i];
        uint32_t owner = f->order < 0 ? STRATEGY_EXTERNAL : w->orders[f->order].strategy;
        if (f->msg.msg.instrument == instrument && owner == strategy)
            qty += signed_qty(f);
    }
    return qty;
}

static void check_money(struct world *w, bool all)
{
    struct position_view view, of;
    amount total = 0, fees = 0, funding = 0, want = 0,
           wallet = (amount)1000000 * 1000000000000000000;
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        if (!engine_position(w->engine, i, 0, &view))
            fail(w, "no position of instrument %u", i);
        else if (view.qty != sum(w, i, all))
            fail(w, "3/4: position of %u is %" PRId64 ", executions add up to %" PRId64, i,
                 view.qty, sum(w, i, all));
        weir_qty parts = 0;
        static const uint32_t strategies[] = {1, 2, STRATEGY_EXTERNAL};
        for (int s = 0; s < 3; s++) {
            of.qty = 0;
            (void)engine_position(w->engine, i, strategies[s], &of);
            parts += of.qty;
            if (all && of.qty != sum_of(w, i, strategies[s]))
                fail(w, "6: strategy %u holds %" PRId64 " of instrument %u, its executions are %" PRId64, strategies[s],
                     of.qty, i, sum_of(w, i, strategies[s]));
        }
        if (all && parts != view.qty)
            fail(w, "6: strategies hold %" PRId64 " of %" PRId64 " of instrument %u", parts,
                 view.qty, i);
        if (i == 2)
            wallet += view.realized;
    }
    for (int i = 0; i < w->fill_count; i++)
        if (all || w->fills[i].delivered) {
            if (w->fills[i].msg.msg.instrument == 1)
                wallet -= signed_value(&w->fills[i]);
            wallet -= amount_of(w->fills[i].msg.fee);
            want += amount_of(w->fills[i].msg.fee);
        }
    if (!engine_wallet(w->engine, 1, "USD", &total, &fees, &funding) || total != wallet ||
        fees != want)
        fail(w, "5: the wallet differs from start and effects");
}

/* 9: after a send, the side that was added to is within the limit, everything at its worst. */
static void check_exposure(struct world *w)
{
    struct position_view position;
    struct order_view view;
    if (!w->sent_new || w->order_count == 0)
        return;
    const struct truth_order *sent = &w->orders[w->last_order];
    if (!engine_position(w->engine, sent->instrument, 0, &position))
        return;
    weir_qty worst = sent->side == WEIR_BUY ? position.qty : -position.qty;
    for (uint32_t o = 0; (o = engine_order_next(w->engine, o, false)) != 0;)
        if (engine_order(w->engine, o, &view) && view.order.msg.instrument == sent->instrument &&
            view.order.side == sent->side)
            worst += view.exposure;
    weir_qty truth =
        sent->side == WEIR_BUY ? sum(w, sent->instrument, false) : -sum(w, sent->instrument, false);
    for (int i = 0; i < w->order_count;
         i++) { /* what could still be executed at the venue, by its own books */
        const struct truth_order *o = &w->orders[i];
        weir_qty qty = (o->requests & 4) && o->new_qty > o->qty ? o->new_qty : o->qty;
        if (o->instrument == sent->instrument && o->side == sent->side && o->state != GONE)
            truth += qty - o->cum;
    }
    if (worst > LIMIT_LOTS)
        fail(w, "9: exposure %" PRId64 " over the limit %d", worst, LIMIT_LOTS);
    (void)truth;
}

/* --- the venue acts ---------------------------------------------------------------------------*/

static void put_line(struct world *w, const void *msg, size_t size)
{
    for (int tries = 0; tries < LINES; tries++) {
        struct line *line = &w->lines[rnd(w, LINES)];
        if (line->used)
            continue;
        memset(line, 0, sizeof *line);
        memcpy(&line->msg, msg, size);
        line->used = true;
        return;
    }
}

static struct weir_report report_of(const struct truth_order *o, uint16_t kind)
{
    struct weir_report r = {.msg = {.size = sizeof r, .kind = kind, .instrument = o->instrument}};
    memcpy(r.client_id, o->wire[o->now], WEIR_ID_MAX);
    memcpy(r.venue_id, o->vid[0], WEIR_ID_MAX);
    r.side = o->side;
    r.qty = o->qty;
    r.px = o->px;
    return r;
}

/* Answer a request: 1 new, 2 cancel, 4 replace. */
static void handle_request(struct world *w, struct truth_order *o, int request)
{
    struct weir_report r = report_of(o, WEIR_ACK);
    o->requests &= ~request;
    if (request == 1) {
        bool refuse = rnd(w, 10) == 0;
        o->state = refuse ? GONE : WORKING;
        o->end = WEIR_STATE_REJECTED;
        r.msg.kind = refuse ? WEIR_REJECT : WEIR_ACK;
        if (refuse)
            memset(r.venue_id, 0, sizeof r.venue_id);
    } else if (request == 2) {
        bool works = o->state == WORKING;
        if (o->state == GONE && o->end == WEIR_STATE_REJECTED)
            memset(r.venue_id, 0, sizeof r.venue_id);
        r.msg.kind = works ? WEIR_CANCELED : WEIR_CANCEL_REJECT;
        r.has_cum = works && rnd(w, 2);
        r.cum_qty = o->cum;
        snprintf(r.reason, sizeof r.reason, "%s",
                 works       ? ""
                 : rnd(w, 2) ? "UNKNOWN_ORDER"
                             : "TOO_LATE");
        if (works) {
            o->state = GONE;
            o->end = WEIR_STATE_CANCELED;
        }
    } else {
        bool works = o->state == WORKING && o->new_qty > o->cum && rnd(w, 5) != 0;
        r.msg.kind = works ? WEIR_REPLACED : WEIR_REPLACE_REJECT;
        snprintf(r.reason, sizeof r.reason, "%s", works ? "" : "TOO_LATE");
        if (works) {
            o->px = o->new_px;
            o->qty = o->new_qty;
            o->now = 1;
            memcpy(r.client_id, o->wire[1], WEIR_ID_MAX);
            snprintf(o->vid[0], WEIR_ID_MAX, "v%dr", (int)(o - w->orders));
            memcpy(r.venue_id, o->vid[0], WEIR_ID_MAX);
        }
    }
    if (rnd(w, 6) != 0) /* else the answer is lost */
        put_line(w, &r, sizeof r);
}

static void execute(struct world *w, int order)
{
    struct truth_order *o = order >= 0 ? &w->orders[order] : NULL;
    if (w->fill_count == FILLS || (o && (o->state != WORKING || o->cum >= o->qty)))
        return;
    struct truth_fill *f = &w->fills[w->fill_count];
    memset(f, 0, sizeof *f);
    f->order = order;
    f->msg.msg = (struct weir_msg){
        .size = sizeof f->msg, .kind = WEIR_FILL, .instrument = o ? o->instrument : 1 + rnd(w, 2)};
    f->msg.side = o ? o->side : (uint8_t)rnd(w, 2);
    weir_qty left = o ? o->qty - o->cum : 3;
    f->msg.qty = rnd(w, 3) == 0 ? left : 1 + rnd(w, (uint32_t)left);
    f->msg.px = o ? o->px : 1000;
    f->msg.fee = amount_pack((amount)(rnd(w, 5)) * 1000000000000);
    snprintf(f->msg.fee_asset, sizeof f->msg.fee_asset, "USD");
    snprintf(f->msg.exec_id, WEIR_ID_MAX, "x%d", w->fill_count);
    if (o) {
        memcpy(f->msg.client_id, o->wire[o->now], WEIR_ID_MAX);
        memcpy(f->msg.venue_id, o->vid[0], WEIR_ID_MAX);
        o->cum += f->msg.qty;
        if (o->cum == o->qty) {
            o->state = GONE;
            o->end = WEIR_STATE_FILLED;
        }
    } else {
        f->msg.origin = WEIR_ORIGIN_MANUAL;
        snprintf(f->msg.venue_id, WEIR_ID_MAX, "m%d", w->fill_count);
    }
    w->fill_count++;
    if (rnd(w, 8) != 0) /* else it is only found later */
        put_line(w, &f->msg, sizeof f->msg);
}

/* --- the line ---------------------------------------------------------------------------------*/

static void deliver_fill(struct world *w, int i)
{
    struct weir_fill copy = w->fills[i].msg;
    w->fills[i].delivered = true;
    apply(w, &copy.msg);
}

static void deliver(struct world *w, struct line *line)
{
    line->used = rnd(w, 8) == 0; /* some come twice */
    if (line->msg.head.kind == WEIR_FILL) {
        for (int i = 0; i < w->fill_count; i++)
            if (strcmp(w->fills[i].msg.exec_id, line->msg.fill.exec_id) == 0)
                deliver_fill(w, i);
        return;
    }
    struct weir_report copy = line->msg.report;
    apply(w, &copy.msg);
}

/* An answer to a question is younger than the requests before it: they arrived, or never will. */
static void settle_requests(struct world *w, struct truth_order *o)
{
    for (int request = 1; request <= 4; request *= 2)
        if ((o->requests & request) && rnd(w, 2))
            handle_request(w, o, request);
    o->requests = 0;
    if (o->state == NOT_THERE) {
        o->state = GONE;
        o->end = WEIR_STATE_REJECTED;
    }
}

static void answer_query(struct world *w)
{
    if (w->query_count == 0)
        return;
    char wire[WEIR_ID_MAX];
    memcpy(wire, w->queries[--w->query_count], WEIR_ID_MAX);
    struct truth_order *o = by_wire(w, wire);
    if (!o)
        return;
    settle_requests(w, o);
    struct weir_report r = report_of(o, WEIR_STATUS);
    r.state = o->state == GONE && o->end == WEIR_STATE_REJECTED ? WEIR_STATE_NOT_FOUND
              : o->state == WORKING                             ? WEIR_STATE_OPEN
                                                                : o->end;
    if (r.state == WEIR_STATE_NOT_FOUND)
        memset(r.venue_id, 0, sizeof r.venue_id);
    r.has_cum = 1;
    r.cum_qty = o->cum;
    apply(w, &r.msg);
}

static void answer_fills(struct world *w)
{
    w->fills_asked = false;
    for (int i = 0; i < w->fill_count; i++)
        deliver_fill(w, i);
}

static void answer_recon(struct world *w)
{
    struct weir_msg from = {.size = sizeof from, .kind = WEIR_RECON_BEGIN};
    struct weir_msg to = {
        .size = sizeof to, .kind = WEIR_RECON_END, .flags = WEIR_RECON_HAS_POSITIONS};
    w->recon_asked = false;
    for (int i = 0; i < w->order_count; i++)
        settle_requests(w, &w->orders[i]);
    apply(w, &from);
    for (int i = 0; i < w->fill_count; i++)
        deliver_fill(w, i);
    for (int i = 0; i < w->order_count; i++) {
        struct truth_order *o = &w->orders[i];
        if (o->state == NOT_THERE || (o->state == GONE && o->end == WEIR_STATE_REJECTED))
            continue;
        struct weir_report r = report_of(o, WEIR_RECON_ORDER);
        r.state = o->state == WORKING ? WEIR_STATE_OPEN : o->end;
        r.has_cum = 1;
        r.cum_qty = o->cum;
        apply(w, &r.msg);
    }
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        struct weir_cash cash = {
            .msg = {.size = sizeof cash, .kind = WEIR_RECON_POSITION, .instrument = i},
            .amount = amount_pack(amount_from(sum(w, i, true), i == 1 ? 2 : 0))};
        apply(w, &cash.msg);
    }
    apply(w, &to);
}

/* --- what we do -------------------------------------------------------------------------------*/

static void submit(struct world *w)
{
    if (w->order_count == ORDERS)
        return;
    struct in_submit in = {
        .msg = {.size = sizeof in, .kind = IN_SUBMIT, .instrument = 1 + rnd(w, INSTRUMENTS)}};
    snprintf(in.cid, sizeof in.cid, "c%d", ++w->cid);
    in.strategy = w->asking = 1 + rnd(w, 2);
    in.side = (uint8_t)rnd(w, 2);
    in.px = 990 + rnd(w, 20);
    in.qty = 1 + rnd(w, 25);
    apply(w, &in.msg);
    check_exposure(w);
}

static void change(struct world *w, uint16_t kind)
{
    struct in_change in = {.msg = {.size = sizeof in, .kind = kind}, .asker = ASKER_OPERATOR};
    if (w->cid == 0)
        return;
    snprintf(in.cid, sizeof in.cid, "c%u", 1 + rnd(w, (uint32_t)w->cid));
    if (kind == IN_REPLACE) {
        struct truth_order *o = NULL;
        struct order_view view;
        if (engine_order(w->engine, engine_order_find(w->engine, in.cid), &view))
            o = by_wire(w, view.order.wire_id);
        if (!o || o->names == 2) /* one replace each: the model has two names */
            return;
        in.change = CHANGE_QTY;
        in.qty = 1 + rnd(w, 30);
        w->last_order = (int)(o - w->orders);
    }
    apply(w, &in.msg);
    if (kind == IN_REPLACE)
        check_exposure(w);
}

/* 11: every live order without a cancel of its own gets one, and nothing new leaves. */
static void kill(struct world *w)
{
    struct order_view view;
    struct in_change in = {.msg = {.size = sizeof in, .kind = w->killed ? IN_RELEASE : IN_KILL}, .asker = ASKER_OPERATOR};
    w->killed = !w->killed;
    apply(w, &in.msg);
    for (uint32_t o = 0; w->killed && (o = engine_order_next(w->engine, o, true)) != 0;)
        if (engine_order(w->engine, o, &view) && view.order.label != ORDER_PENDING_CANCEL)
            fail(w, "11: killed, order %s is %s", view.order.wire_id, order_label_name((enum order_label)view.order.label));
}

static void no_answer(struct world *w)
{
    if (w->order_count == 0)
        return;
    const struct truth_order *o = &w->orders[rnd(w, (uint32_t)w->order_count)];
    struct weir_report r = report_of(o, WEIR_NO_ANSWER);
    memset(r.venue_id, 0, sizeof r.venue_id);
    r.request = (uint8_t)rnd(w, 3);
    apply(w, &r.msg);
}

static void session(struct world *w, bool up)
{
    struct weir_session s = {.msg = {.size = sizeof s,
                                     .kind = WEIR_SESSION,
                                     .flags = up ? WEIR_STREAM_UP : WEIR_STREAM_DOWN}};
    w->up = up;
    apply(w, &s.msg);
}

/* 16: a new engine, fed from the journal, says the same. */
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

static void restart(struct world *w)
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
    struct weir_msg again = {.size = sizeof again, .kind = IN_RESTARTED};
    apply(w, &again);
}

static void pass_time(struct world *w, weir_ns by)
{
    weir_ns until = w->now + by;
    for (int i = 0; i < 100 && engine_next_timer(w->engine) <= until; i++) {
        struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
        if (engine_next_timer(w->engine) > w->now)
            w->now = engine_next_timer(w->engine);
        apply(w, &tick);
    }
    w->now = until;
}

static void step(struct world *w)
{
    w->sent_new = false;
    pass_time(w, rnd(w, 4) * 5 * MS);
    uint32_t what = rnd(w, 100);
    if (what < 22)
        submit(w);
    else if (what < 30)
        change(w, IN_CANCEL);
    else if (what < 37)
        change(w, IN_REPLACE);
    else if (what < 55 && w->order_count > 0) {
        struct truth_order *o = &w->orders[rnd(w, (uint32_t)w->order_count)];
        int request = o->requests & 1                                        ? 1
                      : o->requests & 2 && (rnd(w, 2) || !(o->requests & 4)) ? 2
                                                                             : o->requests & 4;
        if (request)
            handle_request(w, o, request);
    } else if (what < 68 && w->order_count > 0)
        execute(w, (int)rnd(w, (uint32_t)w->order_count));
    else if (what < 70)
        execute(w, -1);
    else if (what < 88)
        for (int i = 0; i < LINES; i++) {
            struct line *line = &w->lines[(i + (int)rnd(w, LINES)) % LINES];
            if (line->used && w->up) {
                deliver(w, line);
                break;
            }
        }
    else if (what < 91)
        no_answer(w);
    else if (what < 93)
        answer_query(w);
    else if (what < 95)
        session(w, !w->up);
    else if (what < 97 && w->up && w->recon_asked)
        answer_recon(w);
    else if (what < 98 && w->fills_asked)
        answer_fills(w);
    else if (what == 98)
        restart(w);
    else if (what == 99 && rnd(w, 3) == 0)
        kill(w);
    else
        change(w, IN_CANCEL);
    check_money(w, false);
}

/* --- the end: the line is made good -----------------------------------------------------------*/

static void settle(struct world *w)
{
    if (w->killed)
        kill(w);
    if (!w->up)
        session(w, true);
    for (int round = 0; round < 60 && !w->failed; round++) {
        for (int i = 0; i < w->order_count; i++)
            for (int request = 1; request <= 4; request *= 2)
                if (w->orders[i].requests & request)
                    handle_request(w, &w->orders[i], request);
        for (int i = 0; i < LINES; i++)
            if (w->lines[i].used) {
                deliver(w, &w->lines[i]);
                w->lines[i].used = false;
            }
        if (w->recon_asked || round == 0)
            answer_recon(w);
        if (w->fills_asked)
            answer_fills(w);
        for (int i = 0; i < 30 && w->query_count > 0; i++)
            answer_query(w);
        pass_time(w, 2000 * MS);
    }
}

/* 12: the engine believes what the venue knows. */
static void check_settled(struct world *w)
{
    check_money(w, true);
    for (int i = 0; i < w->order_count && !w->failed; i++) {
        const struct truth_order *o = &w->orders[i];
        struct order_view view;
        if (!engine_order(w->engine, engine_order_by_wire(w->engine, o->wire[0]), &view)) {
            fail(w, "order %s is not known any more", o->wire[0]);
            return;
        }
        bool done = order_label_is_done((enum order_label)view.order.label);
        if (view.order.cum_qty != o->cum)
            fail(w, "12: order %s has %" PRId64 " executed, the venue says %" PRId64, o->wire[0],
                 view.order.cum_qty, o->cum);
        else if (done != (o->state == GONE))
            fail(w, "12: order %s is %s, at the venue it %s", o->wire[0],
                 order_label_name((enum order_label)view.order.label),
                 o->state == GONE ? "is gone" : "works");
        else if (view.order.label == ORDER_UNKNOWN)
            fail(w, "12: order %s is still UNKNOWN", o->wire[0]);
    }
}

static void story(struct world *w, uint64_t seed)
{
    void *memory[2] = {w->memory[0], w->memory[1]};
    unsigned char *inputs = w->inputs, *effects = w->effects;
    size_t size = w->memory_size, room = w->room;
    struct engine_sizes sizes = w->sizes;
    memset(w, 0, sizeof *w);
    w->memory[0] = memory[0], w->memory[1] = memory[1], w->inputs = inputs, w->effects = effects;
    w->memory_size = size, w->room = room, w->sizes = sizes, w->seed = seed;
    w->random = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
    begin(w);
    for (int i = 0; i < STEPS && !w->failed; i++)
        step(w);
    if (!w->failed)
        settle(w);
    if (!w->failed)
        check_settled(w);
}

int main(int argc, char **argv)
{
    static struct world w;
    uint64_t stories = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000,
             first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, sends = 0;
    w.sizes = (struct engine_sizes){.orders = 64,
                                    .executions = 128,
                                    .client_ids = 128,
                                    .instruments = 4,
                                    .strategies = 4,
                                    .venues = 2,
                                    .accounts = 2,
                                    .assets = 8,
                                    .positions = 16};
    w.memory_size = engine_bytes(&w.sizes);
    w.room = 1 << 20;
    for (int i = 0; i < 2; i++)
        w.memory[i] = aligned_alloc(64, (w.memory_size + 63) / 64 * 64);
    w.inputs = malloc(w.room);
    w.effects = malloc(w.room);
    for (uint64_t seed = first; seed < first + stories; seed++) {
        story(&w, seed);
        sends += w.sends;
        if (w.failed) {
            printf("FAIL story %" PRIu64 ": %s\n0 passed, 1 failed\n", seed, w.failed);
            return 1;
        }
    }
    printf("%" PRIu64 " stories of %d steps, %" PRIu64 " orders sent\n%" PRIu64
           " passed, 0 failed\n",
           stories, STEPS, sends, stories);
    free(w.memory[0]);
    free(w.memory[1]);
    free(w.inputs);
    free(w.effects);
    return 0;
}
