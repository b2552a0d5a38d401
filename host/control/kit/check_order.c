/* check_order.c - is what the host asks on the wire? An order is sent in fresh sessions that saw the same;
 * only one field differs. A plugin is a pure function of what it saw, so bytes that are equal mean that
 * the field was dropped. Refusing what is not on the sheet is right; refusing what is on it, refusing after
 * sending, or taking and not sending, is not. */
#include <stdio.h>
#include <string.h>

#include "control/kit/honest.h"
#include "control/kit/own.h"

enum { CHANGES_MAX = 16 };

/* --- one order ----------------------------------------------------------------------------------- */

struct weir_intent kit_order(const struct trying *it, const struct kit_stage *stage)
{
    const struct weir_instrument *of = &stage->market[0];
    int64_t unit = 1;
    for (int i = 0; i < of->price_exp; i++)
        unit *= 10;
    struct weir_intent order = {
        .msg = {.size = sizeof order, .kind = WEIR_NEW, .instrument = 1, .t = stage->now},
        .client_id = "w100000000000001",
        .type = (uint8_t)__builtin_ctz(it->caps->order_types),
        .tif = (uint8_t)__builtin_ctz(it->caps->tifs),
        .order = 1,
        .px = of->tick > 0 ? of->tick * 1000 : 100 * unit,
        .qty = of->step > 0 ? of->step * 1000 : 1};
    for (int i = 0; i < of->qty_exp && of->step == 0; i++)
        order.qty *= 10;
    return order;
}

enum outcome kit_try(struct trying *it, struct kit_stage *stage, const struct weir_intent *order,
                     const char *what)
{
    size_t before = stage->wire.len;
    enum weir_err err = kit_stage_intent(stage, order);
    size_t sent = stage->wire.len - before;
    if (err != WEIR_OK && sent > 0) {
        (void)kit_fail(it, "%s: was refused (%s), and %zu bytes were sent all the same", what,
                       err_name(err), sent);
        return BROKEN;
    }
    if (err != WEIR_OK || (sent == 0 && stage->of_orders > 0))
        return REFUSED;
    if (sent == 0) {
        (void)kit_fail(it, "%s: was taken, and nothing was sent", what);
        return BROKEN;
    }
    return SENT;
}

/* --- orders that differ in one field -------------------------------------------------------------- */

struct change {
    const char *name;
    int64_t value;
};
typedef void apply(struct weir_intent *order, int64_t value);

static bool lacks(const struct trying *it, const char *name)
{
    for (unsigned i = 0; i < it->kit->lacks_count; i++)
        if (strcmp(it->kit->lacks[i], name) == 0)
            return true;
    return false;
}

/* Send it in a fresh session. sent_out: what went onto the wire; it is empty if the market lacks it. */
static bool send_one(struct trying *it, apply *make, const struct change *change,
                     struct text *sent_out)
{
    if (!kit_open(it, &it->stage))
        return false;
    struct weir_intent order = kit_order(it, &it->stage);
    make(&order, change->value);
    size_t before = it->stage.wire.len;
    enum outcome outcome = kit_try(it, &it->stage, &order, change->name);
    if (outcome == BROKEN)
        return false;
    if (outcome == SENT && lacks(it, change->name))
        return kit_fail(it, "'%s' was sent, although this market is said to lack it", change->name);
    if (outcome == REFUSED && !lacks(it, change->name))
        return kit_fail(it, "'%s' is on the sheet, and was refused: %s", change->name,
                        it->stage.said);
    if (outcome == SENT)
        text_add(sent_out, it->stage.wire.data + before, it->stage.wire.len - before);
    kit_stage_close(&it->stage);
    return true;
}

static bool all_differ(struct trying *it, const struct change *changes, struct text *sent,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = i + 1; k < count; k++)
            if (sent[i].len > 0 && sent[i].len == sent[k].len &&
                memcmp(sent[i].data, sent[k].data, sent[i].len) == 0)
                return kit_fail(it, "'%s' sends the same bytes as '%s': it was dropped",
                                changes[k].name, changes[i].name);
    return true;
}

/* Each of these must be seen on the wire. */
static bool compare_all(struct trying *it, apply *make, const struct change *changes,
                        unsigned count)
{
    struct text sent[CHANGES_MAX];
    bool well = true;
    for (unsigned i = 0; i < count; i++)
        text_init(&sent[i]);
    for (unsigned i = 0; i < count && well; i++)
        well = send_one(it, make, &changes[i], &sent[i]);
    well = well && all_differ(it, changes, sent, count);
    for (unsigned i = 0; i < count; i++)
        text_fini(&sent[i]);
    return well && kit_pass(it, "%u values, each on the wire", count);
}

static void set_nothing(struct weir_intent *order, int64_t value)
{
    (void)order;
    (void)value;
}
static void set_side(struct weir_intent *order, int64_t value)
{
    order->side = (uint8_t)value;
}
static void set_px(struct weir_intent *order, int64_t value)
{
    order->px += value * (order->px / 1000);
}
static void set_qty(struct weir_intent *order, int64_t value)
{
    order->qty += value * (order->qty / 1000 > 0 ? order->qty / 1000 : 1);
}
static bool has_trigger(int64_t type)
{
    return type == WEIR_STOP || type == WEIR_STOP_LIMIT || type == WEIR_TAKE_PROFIT ||
           type == WEIR_TAKE_PROFIT_LIMIT;
}
static void set_type(struct weir_intent *order, int64_t value)
{
    bool at_market = value == WEIR_MARKET || value == WEIR_STOP || value == WEIR_TAKE_PROFIT;
    order->type = (uint8_t)value;
    order->trigger = has_trigger(value) ? order->px + order->px / 1000 : 0;
    order->px = at_market ? 0 : order->px;
}
static void set_trigger(struct weir_intent *order, int64_t value)
{
    set_type(order, value & 0xff);
    order->trigger += (value >> 8) * (order->trigger / 1000);
}
static void set_tif(struct weir_intent *order, int64_t value)
{
    order->tif = (uint8_t)value;
    order->t_since = value == WEIR_GTD ? order->msg.t + 3600000000000 : 0;
}
static void set_gtd(struct weir_intent *order, int64_t value)
{
    set_tif(order, WEIR_GTD);
    order->t_since += value * 60000000000;
}
static void set_flag(struct weir_intent *order, int64_t value)
{
    order->flags = (uint8_t)value;
}
static void set_quote(struct weir_intent *order, int64_t value)
{
    set_type(order, WEIR_MARKET);
    order->flags = (uint8_t)value;
}
static void set_id(struct weir_intent *order, int64_t value)
{
    order->client_id[strlen(order->client_id) - 1] = (char)value;
}
static void set_market(struct weir_intent *order, int64_t value)
{
    order->msg.instrument = (uint32_t)value;
}

bool kit_check_order(struct trying *it)
{
    static const struct change changes[] = {{"a plain order", 0}, {"the same order again", 0}};
    struct text sent[2];
    bool well = true;
    for (int i = 0; i < 2; i++)
        text_init(&sent[i]);
    for (int i = 0; i < 2 && well; i++)
        well = send_one(it, set_nothing, &changes[i], &sent[i]);
    if (well &&
        (sent[0].len != sent[1].len || memcmp(sent[0].data, sent[1].data, sent[0].len) != 0))
        well =
            kit_fail(it, "two fresh sessions that saw the same send other bytes: it is not a pure "
                         "function, and a replay could not be");
    if (well)
        kit_pass(it, "%zu bytes, the same in two fresh sessions", sent[0].len);
    for (int i = 0; i < 2; i++)
        text_fini(&sent[i]);
    return well;
}

bool kit_check_side(struct trying *it)
{
    static const struct change changes[] = {{"buy", WEIR_BUY}, {"sell", WEIR_SELL}};
    return compare_all(it, set_side, changes, 2);
}

/* In a text, the number stands as it is. */
static bool is_exact(struct trying *it, apply *make, bool price)
{
    static const struct change change = {"an order", 9};
    struct text sent;
    text_init(&sent);
    bool well = send_one(it, make, &change, &sent), good = true;
    struct weir_bytes bytes = {text_cstr(&sent), sent.len};
    if (well && honest_is_text(bytes) && kit_open(it, &it->stage)) {
        struct weir_intent order = kit_order(it, &it->stage);
        const struct weir_instrument *of = &it->stage.market[0];
        make(&order, change.value);
        good = price ? honest_number(bytes, order.px, of->price_exp)
                     : honest_number(bytes, order.qty, of->qty_exp);
        kit_stage_close(&it->stage);
    }
    text_fini(&sent);
    if (well && !good)
        return kit_fail(it, "the %s that was asked for is not among the numbers on the wire",
                        price ? "price" : "quantity");
    return well;
}

bool kit_check_price(struct trying *it)
{
    static const struct change changes[] = {{"a price", 0}, {"a tick more", 1}, {"9 more", 9}};
    if (__builtin_ctz(it->caps->order_types) == WEIR_MARKET)
        return kit_skip(it, "no orders with a price are on the sheet");
    return is_exact(it, set_px, true) && compare_all(it, set_px, changes, 3);
}
bool kit_check_qty(struct trying *it)
{
    static const struct change changes[] = {{"a quantity", 0}, {"a step more", 1}, {"9 more", 9}};
    return is_exact(it, set_qty, false) && compare_all(it, set_qty, changes, 3);
}
bool kit_check_symbol(struct trying *it)
{
    struct change changes[] = {{"the first instrument", 1}, {"the second instrument", 2}};
    if (!kit_open(it, &it->stage))
        return false;
    bool two = it->stage.instruments > 1;
    for (int i = 0; i < 1 + two; i++) {
        struct weir_intent order = kit_order(it, &it->stage);
        set_market(&order, changes[i].value);
        size_t before = it->stage.wire.len;
        if (kit_try(it, &it->stage, &order, changes[i].name) != SENT)
            return kit_fail(it, "an order of %s is refused: %s", changes[i].name, it->stage.said);
        struct weir_bytes sent = {it->stage.wire.data + before, it->stage.wire.len - before};
        if (honest_other_symbol(&it->stage, sent, order.msg.instrument))
            return kit_fail(it, "an order of %s goes out under another symbol",
                            it->stage.market[i].symbol);
    }
    kit_stage_close(&it->stage);
    return two ? compare_all(it, set_market, changes, 2)
               : kit_pass(it, "one instrument, which is named on the wire by no other's symbol");
}

/* Those of count names whose bit is on the sheet. */
static bool compare_sheet(struct trying *it, apply *make, uint32_t bits, const char *const *names,
                          unsigned count)
{
    struct change changes[CHANGES_MAX];
    unsigned used = 0;
    for (unsigned i = 0; i < count; i++)
        if (bits >> i & 1)
            changes[used++] = (struct change){names[i], i};
    return compare_all(it, make, changes, used);
}

static const char *const type_names[] = {"limit",       "market",   "stop",    "stop_limit",
                                         "take_profit", "trailing", "iceberg", "take_profit_limit"};

bool kit_check_type(struct trying *it)
{
    return compare_sheet(it, set_type, it->caps->order_types, type_names, 8);
}
bool kit_check_trigger(struct trying *it)
{
    bool any = false;
    for (int type = 0; type < 8; type++) {
        struct change changes[] = {{type_names[type], type},
                                   {"its trigger a step on", type | 1 << 8},
                                   {"its trigger 9 steps on", type | 9 << 8}};
        if (!(it->caps->order_types >> type & 1) || !has_trigger(type) ||
            lacks(it, type_names[type]))
            continue;
        any = true;
        if (!compare_all(it, set_trigger, changes, 3))
            return false;
    }
    return any ? kit_pass(it, "on the wire for each type that has one")
               : kit_skip(it, "no orders with a trigger are on the sheet");
}
bool kit_check_tif(struct trying *it)
{
    static const char *const names[] = {"gtc", "ioc", "fok", "gtd", "day"};
    return compare_sheet(it, set_tif, it->caps->tifs, names, 5);
}
bool kit_check_gtd(struct trying *it)
{
    static const struct change changes[] = {{"gtd", 0}, {"gtd, a minute later", 1}};
    if (!(it->caps->tifs >> WEIR_GTD & 1) || lacks(it, "gtd"))
        return kit_skip(it, "not on the sheet: the host refuses it, or does it itself");
    return compare_all(it, set_gtd, changes, 2);
}

static bool check_flag(struct trying *it, apply *make, const char *name, uint32_t bit)
{
    struct change changes[] = {{"without", 0}, {name, bit}};
    if (!(it->caps->order_flags & bit))
        return kit_skip(it, "not on the sheet: the host refuses it");
    if (!compare_all(it, make, changes, 2))
        return false;
    return lacks(it, name) ? kit_pass(it, "refused: this market lacks it (--lacks)") : true;
}
bool kit_check_post_only(struct trying *it)
{
    return check_flag(it, set_flag, "post_only", WEIR_POST_ONLY);
}
bool kit_check_reduce_only(struct trying *it)
{
    return check_flag(it, set_flag, "reduce_only", WEIR_REDUCE_ONLY);
}
bool kit_check_quote_qty(struct trying *it)
{
    return check_flag(it, set_quote, "quote_qty", WEIR_QUOTE_QTY);
}
bool kit_check_client_id(struct trying *it)
{
    static const struct change changes[] = {{"...1", '1'}, {"...2", '2'}};
    return compare_all(it, set_id, changes, 2);
}

/* --- cancel and replace: both orders are there, one is meant -------------------------------------- */

static bool on_two_orders(struct trying *it, struct kit_stage *stage, uint16_t kind, char which,
                          int64_t more)
{
    static const char ids[] = "12";
    const char *what = kind == WEIR_CANCEL ? "cancel" : "replace";
    if (!kit_open(it, stage))
        return false;
    struct weir_intent order = kit_order(it, stage);
    for (int i = 0; i < 2; i++) {
        set_id(&order, ids[i]);
        if (kit_try(it, stage, &order, "an order") != SENT)
            return false;
    }
    stage->wire.len = 0;
    set_id(&order, which);
    order.msg.kind = kind;
    if (kind == WEIR_REPLACE)
        snprintf(order.new_client_id, sizeof order.new_client_id, "w200000000000001");
    set_px(&order, more);
    enum outcome outcome = kit_try(it, stage, &order, what);
    if (outcome == REFUSED)
        return kit_fail(it, "%s is refused: %s", what, stage->said);
    return outcome == SENT;
}

static bool check_pair(struct trying *it, uint16_t kind, char which, int64_t more, const char *what)
{
    struct kit_stage *a = &it->stage, *b = &it->other;
    if (!on_two_orders(it, a, kind, '1', kind == WEIR_REPLACE) ||
        !on_two_orders(it, b, kind, which, more))
        return false;
    if (a->wire.len == b->wire.len && memcmp(a->wire.data, b->wire.data, a->wire.len) == 0)
        return kit_fail(it, "%s sends the same bytes: it was dropped", what);
    kit_stage_close(a);
    kit_stage_close(b);
    return kit_pass(it, "which order, and what of it, is on the wire");
}

bool kit_check_cancel(struct trying *it)
{
    return check_pair(it, WEIR_CANCEL, '2', 0, "the cancel of another order");
}
bool kit_check_replace(struct trying *it)
{
    if (!it->caps->amend)
        return kit_skip(it, "not on the sheet: the host refuses it");
    return check_pair(it, WEIR_REPLACE, '2', 1, "the replace of another order") &&
           check_pair(it, WEIR_REPLACE, '1', 2, "the replace to another price");
}

/* --- questions: what the sheet offers is really asked --------------------------------------------- */

static bool is_asked(struct trying *it, bool offered, uint16_t kind, const char *what)
{
    if (!offered)
        return kit_skip(it, "not on the sheet");
    if (!kit_open(it, &it->stage))
        return false;
    struct weir_intent order = kit_order(it, &it->stage);
    if (kit_try(it, &it->stage, &order, "an order") != SENT)
        return kit_fail(it, "an order is refused: %s", it->stage.said);
    size_t before = it->stage.wire.len;
    order.msg.kind = kind;
    order.t_since = kind == WEIR_QUERY_FILLS || kind == WEIR_RECONCILE ? it->stage.now : 0;
    enum weir_err err = kit_stage_intent(&it->stage, &order);
    if (err == WEIR_OK)
        kit_stage_wait(&it->stage, 5000000000);
    if (err != WEIR_OK)
        return kit_fail(it, "%s is on the sheet, and answers %s: %s", what, err_name(err),
                        it->stage.said);
    if (it->stage.wire.len == before)
        return kit_fail(it, "%s is on the sheet, and nothing is asked within 5 s", what);
    kit_stage_close(&it->stage);
    return kit_pass(it, "the venue is asked");
}

bool kit_check_cancel_all(struct trying *it)
{
    return is_asked(it, it->caps->cancel_all, WEIR_CANCEL_ALL, "cancel_all");
}
bool kit_check_query(struct trying *it)
{
    return is_asked(it, it->caps->query_by_client_id, WEIR_QUERY_ORDER, "query_by_client_id");
}
bool kit_check_fills_since(struct trying *it)
{
    return is_asked(it, it->caps->fills_since, WEIR_QUERY_FILLS, "fills_since");
}
bool kit_check_reconcile(struct trying *it)
{
    if (!it->caps->open_orders)
        return kit_fail(
            it, "the host takes no order before all is reconciled: expected open_orders on the "
                "sheet, and WEIR_RECONCILE answered");
    return is_asked(it, true, WEIR_RECONCILE, "open_orders");
}
