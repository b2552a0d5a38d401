/* desk.c - the venue takes requests and works the account's orders.
 *
 * A request is judged when it arrives, as a venue would: by its own rules, not by the host's. What a
 * request does is one function in one table; each ends in exactly one answer or refusal, before any
 * execution that it causes is reported. [handlers]
 *
 * An order keeps its slot until the slot is needed and the order has ended; the slots are used in
 * turn, so it is the order that ended long ago which is forgotten. The number of an order in the
 * match is its slot. [new_slot] */
#include "sim/desk/desk.h"

#include <string.h>

#include "base/check.h"
#include "sim/desk/own.h"

/* --- memory ------------------------------------------------------------------------------------*/

enum { WALLETS = 64, IDS_PER_ORDER = 3, REPORTS_PER_REQUEST = 4 };

static size_t lane_bytes(uint32_t room)
{
    return room * sizeof(struct desk_slot) + 64;
}

size_t desk_bytes(const struct desk_config *c)
{
    if (c->orders == 0 || c->orders > 1u << 24 || c->instruments == 0 ||
        c->instruments >= UINT16_MAX || c->fills == 0 || c->fills > 1u << 24 || c->flight == 0 ||
        c->flight > 1u << 20 || c->first_id == 0 || !latency_is_sane(&c->latency) ||
        c->silence < 0 || c->rate_window < 0 || (c->rate_max > 0 && c->rate_window == 0) ||
        c->outage_every < 0 || c->outage_for < 0 ||
        (c->outage_every > 0 && c->outage_for >= c->outage_every))
        return 0;
    return 1024 + sizeof(struct desk) + ledger_bytes(c->instruments, WALLETS) +
           map_size(c->orders * IDS_PER_ORDER) + c->orders * sizeof(struct desk_order) +
           c->fills * sizeof(struct weir_fill) +
           (c->instruments + 1) * (sizeof(int64_t) + sizeof(uint32_t)) +
           lane_bytes(c->flight) * (1 + REPORTS_PER_REQUEST + 1);
}

static bool lane_init(struct desk_lane *lane, struct arena *arena, uint32_t room)
{
    *lane = (struct desk_lane){.room = room};
    lane->slots = arena_take(arena, room * sizeof(struct desk_slot));
    return lane->slots != NULL;
}

struct desk *desk_init(struct arena *arena, const struct desk_config *config, struct match *match,
                       const struct desk_hooks *hooks)
{
    struct desk *desk = arena_take(arena, sizeof *desk);
    if (!desk || desk_bytes(config) == 0)
        return NULL;
    *desk = (struct desk){.config = *config, .hooks = *hooks, .match = match, .edge = INT64_MAX};
    desk->dice = dice_of(config->seed, 1);
    desk->orders = arena_take(arena, config->orders * sizeof(struct desk_order));
    desk->fills = arena_take(arena, config->fills * sizeof(struct weir_fill));
    desk->units = arena_take(arena, (config->instruments + 1) * sizeof(int64_t));
    desk->live = arena_take(arena, (config->instruments + 1) * sizeof(uint32_t));
    if (!desk->orders || !desk->fills || !desk->units || !desk->live ||
        map_init(&desk->ids, arena, config->orders * IDS_PER_ORDER) != 0 ||
        ledger_init(&desk->ledger, arena, config->instruments, WALLETS) != 0 ||
        !lane_init(&desk->requests, arena, config->flight) ||
        !lane_init(&desk->reports, arena, config->flight * REPORTS_PER_REQUEST) ||
        !lane_init(&desk->silences, arena, config->flight))
        return NULL;
    return desk;
}

struct ledger *desk_ledger(struct desk *desk)
{
    return &desk->ledger;
}

enum weir_err desk_define(struct desk *desk, const struct weir_instrument *instrument, int64_t unit)
{
    if (unit <= 0)
        return WEIR_E_UNSUPPORTED;
    enum weir_err err = ledger_define(&desk->ledger, instrument);
    if (err == WEIR_OK)
        desk->units[instrument->msg.instrument] = unit;
    return err;
}

uint32_t desk_live(const struct desk *desk, uint32_t instrument)
{
    return instrument <= desk->config.instruments ? desk->live[instrument] : 0;
}

/* --- lanes -------------------------------------------------------------------------------------*/

struct desk_slot *desk_lane_put(struct desk_lane *lane, weir_ns due)
{
    if (lane->count == lane->room)
        return NULL;
    lane->last = due > lane->last ? due : lane->last;
    struct desk_slot *slot = &lane->slots[(lane->first + lane->count++) % lane->room];
    memset(slot, 0, sizeof *slot);
    slot->due = lane->last;
    return slot;
}

static weir_ns lane_due(const struct desk_lane *lane)
{
    return lane->count > 0 ? lane->slots[lane->first].due : INT64_MAX;
}

static struct desk_slot lane_take(struct desk_lane *lane)
{
    struct desk_slot slot = lane->slots[lane->first];
    lane->first = (lane->first + 1) % lane->room;
    lane->count--;
    return slot;
}

/* --- orders by their ids -----------------------------------------------------------------------*/

enum { OF_CLIENT = 1, OF_VENUE = 2 };

static struct key128 key_for(const char *id, uint64_t whose)
{
    return key_of(id, strnlen(id, WEIR_ID_MAX), whose);
}

static struct key128 venue_key(const struct desk *desk, const struct desk_order *order)
{
    char id[WEIR_ID_MAX];
    desk_venue_id(desk, order, id);
    return key_for(id, OF_VENUE);
}

static struct desk_order *find(const struct desk *desk, const struct weir_intent *intent)
{
    uint32_t slot;
    if (intent->client_id[0] && map_get(&desk->ids, key_for(intent->client_id, OF_CLIENT), &slot))
        return &desk->orders[slot];
    if (intent->venue_id[0] && map_get(&desk->ids, key_for(intent->venue_id, OF_VENUE), &slot))
        return &desk->orders[slot];
    return NULL;
}

static uint32_t slot_of(const struct desk *desk, const struct desk_order *order)
{
    return (uint32_t)(order - desk->orders);
}

static uint32_t match_id(const struct desk *desk, const struct desk_order *order)
{
    return desk->config.first_id + slot_of(desk, order);
}

static void forget_ids(struct desk *desk, const struct desk_order *order)
{
    (void)map_remove(&desk->ids, key_for(order->client_id, OF_CLIENT));
    (void)map_remove(&desk->ids, venue_key(desk, order));
    if (order->old_id[0])
        (void)map_remove(&desk->ids, key_for(order->old_id, OF_CLIENT));
}

/* A slot for a new order: the next whose order has ended. NULL: all of them work. */
static struct desk_order *new_slot(struct desk *desk)
{
    for (uint32_t tried = 0; tried < desk->config.orders; tried++) {
        struct desk_order *order = &desk->orders[desk->cursor];
        desk->cursor = (desk->cursor + 1) % desk->config.orders;
        if (desk_is_live(order))
            continue;
        if (order->number != 0)
            forget_ids(desk, order);
        return order;
    }
    return NULL;
}

static struct desk_order *make_order(struct desk *desk, const struct weir_intent *intent)
{
    struct desk_order *order = new_slot(desk);
    if (!order)
        return NULL;
    *order = (struct desk_order){.number = ++desk->order_count,
                                 .instrument = intent->msg.instrument,
                                 .side = intent->side,
                                 .type = intent->type,
                                 .tif = intent->tif,
                                 .flags = intent->flags,
                                 .state = WEIR_STATE_OPEN,
                                 .px = intent->px,
                                 .qty = intent->qty};
    memcpy(order->client_id, intent->client_id, WEIR_ID_MAX);
    bool put = map_put(&desk->ids, key_for(order->client_id, OF_CLIENT), slot_of(desk, order)) &&
               map_put(&desk->ids, venue_key(desk, order), slot_of(desk, order));
    must(put); /* three ids for each slot */
    desk->live[order->instrument]++;
    desk->live_count++;
    return order;
}

static void end(struct desk *desk, struct desk_order *order, enum weir_venue_state state)
{
    order->state = (uint8_t)state;
    desk->live[order->instrument]--;
    desk->live_count--;
}

/* --- what the venue accepts ----------------------------------------------------------------------*/

static bool is_text(const char *id)
{
    return id[0] != '\0' && strnlen(id, WEIR_ID_MAX) < WEIR_ID_MAX;
}

static const char *new_refusal(struct desk *desk, const struct weir_intent *intent)
{
    const struct ledger_holding *holding = ledger_holding(&desk->ledger, intent->msg.instrument);
    if (!holding)
        return "UNKNOWN_INSTRUMENT";
    if (holding->is.status != WEIR_TRADING)
        return "HALTED";
    if (!is_text(intent->client_id) || find(desk, intent))
        return is_text(intent->client_id) ? "DUPLICATE_CLIENT_ID" : "CLIENT_ID";
    if (intent->side > WEIR_SELL)
        return "SIDE";
    if (intent->type != WEIR_LIMIT && intent->type != WEIR_MARKET)
        return "UNSUPPORTED_TYPE";
    if (intent->tif > WEIR_FOK)
        return "UNSUPPORTED_TIF";
    if (intent->flags & WEIR_POST_ONLY && (intent->type == WEIR_MARKET || intent->tif != WEIR_GTC))
        return "POST_ONLY_MUST_REST";
    const char *refusal =
        desk_shape_refusal(desk, &holding->is, intent->type == WEIR_LIMIT, intent->px, intent->qty);
    if (!refusal && dice_ppm(&desk->dice, desk->config.reject_ppm))
        refusal = "BUSY";
    return refusal;
}

/* --- touching the market -----------------------------------------------------------------------*/

static struct desk_touch touch_of(const struct desk *desk, const struct desk_order *order,
                                  weir_px px, weir_qty qty, bool enters)
{
    int64_t any = order->side == WEIR_BUY ? MATCH_PX_MAX : -MATCH_PX_MAX;
    return (struct desk_touch){
        .instrument = order->instrument,
        .side = order->side,
        .enters = enters,
        .px = order->type == WEIR_MARKET ? any : px / desk->units[order->instrument],
        .qty = qty};
}

static void before(struct desk *desk, weir_ns t, const struct desk_touch *touch)
{
    if (desk->hooks.before)
        desk->hooks.before(desk->hooks.context, t, touch);
}

static void after(struct desk *desk, weir_ns t, const struct desk_touch *touch)
{
    if (desk->hooks.after)
        desk->hooks.after(desk->hooks.context, t, touch);
}

static void queued(struct desk *desk, const struct desk_order *order)
{
    if (desk->hooks.queued)
        desk->hooks.queued(desk->hooks.context, match_id(desk, order));
}

static bool would_take(const struct desk *desk, const struct desk_touch *touch)
{
    return match_would_take(desk->match, touch->instrument - 1, (enum weir_side)touch->side,
                            touch->px);
}

/* The market did with the order what it did: an end that is not a fill or a rest is reported. */
static void conclude(struct desk *desk, weir_ns t, struct desk_order *order, enum match_end how)
{
    const char *reason;
    if (how == MATCH_RESTS || how == MATCH_FILLED || !desk_is_live(order))
        return;
    if (how == MATCH_SELF)
        reason = "STP";
    else if (how != MATCH_KILLED)
        reason = "VENUE"; /* no room in the book */
    else
        reason = order->tif == WEIR_FOK       ? "FOK"
                 : order->type == WEIR_MARKET ? "NO_LIQUIDITY"
                                              : "IOC";
    end(desk, order, WEIR_STATE_EXPIRED);
    desk_tell_order(desk, t, WEIR_EXPIRED, order, reason);
}

static void enter(struct desk *desk, weir_ns t, struct desk_order *order)
{
    struct match_order to_match = {.id = match_id(desk, order),
                                   .owner = 1,
                                   .px = order->px / desk->units[order->instrument],
                                   .qty = order->qty,
                                   .instrument = (uint16_t)(order->instrument - 1),
                                   .side = order->side,
                                   .type = order->type,
                                   .tif = order->tif,
                                   .stp = (uint8_t)desk->config.stp};
    int64_t left = 0;
    queued(desk, order);
    conclude(desk, t, order, match_add(desk->match, &to_match, &left));
}

/* --- requests ----------------------------------------------------------------------------------*/

/* What the order would cost or bring needs the market in sight: the touch has been announced. */
static const char *market_refusal(const struct desk *desk, const struct weir_intent *intent,
                                  const struct desk_touch *touch)
{
    const struct weir_instrument *is = &ledger_holding(&desk->ledger, intent->msg.instrument)->is;
    int64_t best = 0, qty = 0;
    weir_px px = intent->px;
    if (intent->flags & WEIR_POST_ONLY && would_take(desk, touch))
        return "POST_ONLY_WOULD_TAKE";
    if (intent->type == WEIR_MARKET &&
        match_best(desk->match, touch->instrument - 1, (enum weir_side) !touch->side, &best, &qty))
        px = best * desk->units[touch->instrument];
    if (desk->config.check_balance && is->kind == WEIR_SPOT &&
        !desk_is_covered(desk, is, intent->side, px, intent->qty))
        return "INSUFFICIENT_BALANCE";
    return NULL;
}

static void on_new(struct desk *desk, weir_ns t, const struct weir_intent *intent)
{
    const char *refusal = new_refusal(desk, intent);
    if (refusal) {
        desk_refuse(desk, t, WEIR_REJECT, intent, refusal);
        return;
    }
    struct desk_order like = {
        .instrument = intent->msg.instrument, .side = intent->side, .type = intent->type};
    struct desk_touch touch = touch_of(desk, &like, intent->px, intent->qty, true);
    before(desk, t, &touch);
    refusal = market_refusal(desk, intent, &touch);
    struct desk_order *order = refusal ? NULL : make_order(desk, intent);
    if (order) {
        desk_answer(desk, t, WEIR_ACK, order, WEIR_REQUEST_NEW);
        enter(desk, t, order);
    } else {
        desk_refuse(desk, t, WEIR_REJECT, intent, refusal ? refusal : "TOO_MANY_ORDERS");
    }
    after(desk, t, &touch);
}

static void cancel(struct desk *desk, weir_ns t, struct desk_order *order)
{
    struct desk_touch touch = touch_of(desk, order, order->px, 0, false);
    before(desk, t, &touch);
    (void)match_cancel(desk->match, match_id(desk, order));
    end(desk, order, WEIR_STATE_CANCELED);
    desk_answer(desk, t, WEIR_CANCELED, order, WEIR_REQUEST_CANCEL);
    after(desk, t, &touch);
}

static void on_cancel(struct desk *desk, weir_ns t, const struct weir_intent *intent)
{
    struct desk_order *order = find(desk, intent);
    if (order && desk_is_live(order))
        cancel(desk, t, order);
    else
        desk_refuse(desk, t, WEIR_CANCEL_REJECT, intent, order ? "TOO_LATE" : "UNKNOWN_ORDER");
}

static void on_cancel_all(struct desk *desk, weir_ns t, const struct weir_intent *intent)
{
    for (uint32_t i = 0; i < desk->config.orders; i++) {
        struct desk_order *order = &desk->orders[i];
        if (desk_is_live(order) &&
            (intent->msg.instrument == 0 || intent->msg.instrument == order->instrument))
            cancel(desk, t, order);
    }
}

static const char *replace_refusal(const struct desk *desk, const struct desk_order *order,
                                   const struct weir_intent *intent)
{
    if (!order)
        return "UNKNOWN_ORDER";
    if (!desk_is_live(order))
        return "TOO_LATE";
    uint32_t slot;
    if (!is_text(intent->new_client_id) ||
        (map_get(&desk->ids, key_for(intent->new_client_id, OF_CLIENT), &slot) &&
         slot != slot_of(desk, order)))
        return "DUPLICATE_CLIENT_ID";
    if (intent->qty <= order->cum)
        return "QTY_BELOW_FILLED";
    return desk_shape_refusal(desk, &ledger_holding(&desk->ledger, order->instrument)->is, true,
                              intent->px, intent->qty);
}

/* The order goes by another name; the name before this one is still known. */
static void rename_order(struct desk *desk, struct desk_order *order, const char *id)
{
    if (strncmp(order->client_id, id, WEIR_ID_MAX) == 0)
        return;
    if (order->old_id[0])
        (void)map_remove(&desk->ids, key_for(order->old_id, OF_CLIENT));
    memcpy(order->old_id, order->client_id, WEIR_ID_MAX);
    memcpy(order->client_id, id, WEIR_ID_MAX);
    bool put = map_put(&desk->ids, key_for(id, OF_CLIENT), slot_of(desk, order));
    must(put);
}

static void on_replace(struct desk *desk, weir_ns t, const struct weir_intent *intent)
{
    struct desk_order *order = find(desk, intent);
    const char *refusal = replace_refusal(desk, order, intent);
    if (refusal) {
        desk_refuse(desk, t, WEIR_REPLACE_REJECT, intent, refusal);
        return;
    }
    struct desk_touch from = touch_of(desk, order, order->px, 0, false);
    bool post_only = order->flags & WEIR_POST_ONLY;
    struct desk_touch to = touch_of(desk, order, intent->px, intent->qty - order->cum, true);
    bool goes_back = intent->px != order->px || intent->qty > order->qty;
    int64_t left = 0;
    before(desk, t, &to);
    if (post_only && would_take(desk, &to)) {
        desk_refuse(desk, t, WEIR_REPLACE_REJECT, intent, "POST_ONLY_WOULD_TAKE");
    } else {
        rename_order(desk, order, intent->new_client_id);
        order->px = intent->px;
        order->qty = intent->qty;
        desk_answer(desk, t, WEIR_REPLACED, order, WEIR_REQUEST_REPLACE);
        if (goes_back)
            queued(desk, order);
        conclude(desk, t, order,
                 match_replace(desk->match, match_id(desk, order), to.px, to.qty, desk->config.stp,
                               false, &left));
        after(desk, t, &from);
    }
    after(desk, t, &to);
}

static void on_query(struct desk *desk, weir_ns t, const struct weir_intent *intent)
{
    const struct desk_order *order = find(desk, intent);
    if (order)
        desk_tell_order(desk, t, WEIR_STATUS, order, NULL);
    else
        desk_tell_unknown(desk, t, intent);
}

/* What each request does, which way it goes, and what its answer would be called if it got lost. */
static const struct handler {
    uint16_t kind;
    uint8_t way; /* enum latency_way */
    uint8_t names_order;
    int8_t request; /* enum weir_request; -1: its loss is not told */
    void (*run)(struct desk *, weir_ns, const struct weir_intent *);
} handlers[] = {
    {WEIR_NEW, WAY_SUBMIT, 1, WEIR_REQUEST_NEW, on_new},
    {WEIR_CANCEL, WAY_CANCEL, 1, WEIR_REQUEST_CANCEL, on_cancel},
    {WEIR_REPLACE, WAY_AMEND, 1, WEIR_REQUEST_REPLACE, on_replace},
    {WEIR_CANCEL_ALL, WAY_CANCEL, 0, -1, on_cancel_all},
    {WEIR_QUERY_ORDER, WAY_SUBMIT, 1, -1, on_query},
    {WEIR_QUERY_FILLS, WAY_SUBMIT, 0, -1, desk_tell_rows},
    {WEIR_RECONCILE, WAY_SUBMIT, 0, -1, desk_tell_rows},
};

static const struct handler *handler_of(uint16_t kind)
{
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (handlers[i].kind == kind)
            return &handlers[i];
    return NULL;
}

enum weir_err desk_intent(struct desk *desk, weir_ns now, const struct weir_intent *intent)
{
    const struct handler *handler = handler_of(intent->msg.kind);
    if (!handler)
        return WEIR_E_UNSUPPORTED;
    if (handler->names_order && intent->client_id[0] == '\0' &&
        (intent->msg.kind == WEIR_NEW || intent->venue_id[0] == '\0'))
        return WEIR_E_USAGE; /* an answer could not say whose it is */
    weir_ns latency =
        latency_take(&desk->config.latency, (enum latency_way)handler->way, now, &desk->dice);
    struct desk_slot *slot = desk_lane_put(&desk->requests, now + latency);
    if (!slot)
        return WEIR_E_FULL;
    slot->is.intent = *intent;
    return WEIR_OK;
}

/* Too many in this window of time? Then how long to wait for the next one; else 0. */
static weir_ns rate_wait(struct desk *desk, weir_ns t)
{
    const struct desk_config *config = &desk->config;
    if (config->rate_max == 0)
        return 0;
    if (t - desk->window >= config->rate_window) {
        desk->window = t - t % config->rate_window;
        desk->window_requests = 0;
    }
    return desk->window_requests++ < config->rate_max ? 0 : desk->window + config->rate_window - t;
}

static void arrive(struct desk *desk, const struct desk_slot *slot)
{
    const struct handler *handler = handler_of(slot->is.msg.kind);
    bool of_order = handler->request >= 0;
    weir_ns wait = of_order && !desk->out ? rate_wait(desk, slot->due) : 0;
    bool lost = desk->out ||
                (of_order && wait == 0 && dice_ppm(&desk->dice, desk->config.drop_request_ppm));
    if (lost && of_order)
        desk_tell_silence(desk, slot->due, &slot->is.intent, (enum weir_request)handler->request);
    else if (wait > 0)
        desk_tell_rate(desk, slot->due, &slot->is.intent, (enum weir_request)handler->request,
                       wait);
    else if (!lost)
        handler->run(desk, slot->due, &slot->is.intent);
}

/* --- time --------------------------------------------------------------------------------------*/

weir_ns desk_next(const struct desk *desk)
{
    weir_ns next = lane_due(&desk->requests), reports = lane_due(&desk->reports),
            silences = lane_due(&desk->silences);
    next = reports < next ? reports : next;
    next = desk->edge < next ? desk->edge : next;
    return silences < next ? silences : next;
}

/* An outage begins, or ends. */
static void turn(struct desk *desk)
{
    weir_ns t = desk->edge;
    desk->out = !desk->out;
    desk->edge +=
        desk->out ? desk->config.outage_for : desk->config.outage_every - desk->config.outage_for;
    desk_tell_stream(desk, t, !desk->out);
}

void desk_run(struct desk *desk, weir_ns now)
{
    for (weir_ns t = desk_next(desk); t <= now && t < INT64_MAX; t = desk_next(desk)) {
        if (desk->edge == t) {
            turn(desk);
            continue;
        }
        struct desk_lane *lane = lane_due(&desk->reports) == t    ? &desk->reports
                                 : lane_due(&desk->silences) == t ? &desk->silences
                                                                  : &desk->requests;
        struct desk_slot slot = lane_take(lane);
        if (lane == &desk->requests)
            arrive(desk, &slot);
        else
            desk_deliver(desk, &slot);
    }
}

/* --- from the match ----------------------------------------------------------------------------*/

static struct desk_order *order_of(const struct desk *desk, uint32_t id)
{
    uint32_t slot = id - desk->config.first_id;
    return slot < desk->config.orders ? &desk->orders[slot] : NULL;
}

static void fill_one(struct desk *desk, weir_ns t, struct desk_order *order,
                     const struct match_fill *fill, bool maker)
{
    if (!order)
        return;
    order->cum += fill->qty;
    desk_tell_fill(desk, t, order, fill, maker);
    if (order->cum == order->qty)
        end(desk, order, WEIR_STATE_FILLED);
}

void desk_fill(struct desk *desk, weir_ns t, const struct match_fill *fill)
{
    fill_one(desk, t, order_of(desk, fill->maker), fill, true);
    fill_one(desk, t, order_of(desk, fill->taker), fill, false);
}

void desk_removed(struct desk *desk, weir_ns t, uint32_t id)
{
    struct desk_order *order = order_of(desk, id);
    if (!order)
        return;
    end(desk, order, WEIR_STATE_EXPIRED);
    desk_tell_order(desk, t, WEIR_EXPIRED, order, "STP");
}
