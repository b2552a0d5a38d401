/* scenario_judge.c - what a story expects, and what must hold whatever it says.
 *
 * What the venue told is added up in scenario_books.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario_own.h"

enum { ACCOUNT = 1 };

/* --- comparing --------------------------------------------------------------------------------*/

static void differ(struct play *play, const char *what, const char *name, const char *field,
                   const char *got, const char *want)
{
    play_fail(play, "%s %s.%s: got %s, want %s", what, name, field, got, want);
}

static void want_amount(struct play *play, const char *what, const char *name, const char *field,
                        amount got, const char *want)
{
    char text[DECIMAL_TEXT_MAX];
    if (got == play_money(want))
        return;
    amount_print(got, text);
    differ(play, what, name, field, text, want);
}

/* Within max(tol, tol * |want|). */
static void want_near(struct play *play, const char *what, const char *name, const char *field,
                      amount got, const char *want)
{
    amount expected = play_money(want),
           tolerance = play_money(json_text(play->story, "tolerance", "0.000000000001"));
    amount relative = 0, off = got > expected ? got - expected : expected - got;
    amount size = expected < 0 ? -expected : expected;
    char text[DECIMAL_TEXT_MAX];
    if (!amount_ratio_round(size, (int64_t)tolerance, pow10_of(AMOUNT_EXP), &relative))
        relative = 0;
    if (off <= (relative > tolerance ? relative : tolerance))
        return;
    amount_print(got, text);
    differ(play, what, name, field, text, want);
}

static void want_text(struct play *play, const char *what, const char *name, const char *field,
                      const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        differ(play, what, name, field, got, want);
}

static void want_whole(struct play *play, const char *what, const char *name, const char *field,
                       uint64_t got, const cJSON *want, bool at_least)
{
    int64_t number = 0;
    char text[32], wanted[40];
    (void)json_whole(want, &number);
    if (at_least ? got >= (uint64_t)number : got == (uint64_t)number)
        return;
    snprintf(text, sizeof text, "%" PRIu64, got);
    snprintf(wanted, sizeof wanted, "%s%" PRId64, at_least ? "at least " : "", number);
    differ(play, what, name, field, text, wanted);
}

/* --- orders -----------------------------------------------------------------------------------*/

static void judge_order(struct play *play, const char *cid, const cJSON *want)
{
    struct order_view view;
    const cJSON *item;
    if (!engine_order(play->engine, engine_order_find(play->engine, cid), &view)) {
        play_fail(play, "order %s: not known", cid);
        return;
    }
    const struct weir_instrument *def = &play->instruments[view.order.msg.instrument];
    amount average = 0, quote = amount_of(view.order.cum_quote);
    if (view.order.cum_qty != 0 &&
        !amount_per_round(quote, view.order.cum_qty, def->qty_exp, &average))
        average = 0;
    cJSON_ArrayForEach(item, want)
    {
        const char *field = item->string, *text = item->valuestring ? item->valuestring : "";
        if (strcmp(field, "state") == 0)
            want_text(play, "order", cid, field,
                      order_label_name((enum order_label)view.order.label), text);
        else if (strcmp(field, "reason") == 0)
            want_text(play, "order", cid, field, view.order.reason, text);
        else if (strcmp(field, "venue_id") == 0)
            want_text(play, "order", cid, field, view.order.venue_id, text);
        else if (strcmp(field, "cid") == 0)
            want_text(play, "order", cid, field, view.order.cid, text);
        else if (strcmp(field, "qty") == 0)
            want_amount(play, "order", cid, field, amount_from(view.order.qty, def->qty_exp), text);
        else if (strcmp(field, "price") == 0)
            want_amount(play, "order", cid, field, amount_from(view.order.px, def->price_exp),
                        text);
        else if (strcmp(field, "cum_qty") == 0)
            want_amount(play, "order", cid, field, amount_from(view.order.cum_qty, def->qty_exp),
                        text);
        else if (strcmp(field, "leaves_qty") == 0)
            want_amount(play, "order", cid, field, amount_from(view.leaves_qty, def->qty_exp),
                        text);
        else if (strcmp(field, "cum_quote") == 0)
            want_amount(play, "order", cid, field, quote, text);
        else if (strcmp(field, "avg_price") == 0)
            want_near(play, "order", cid, field, average, text);
        else if (strcmp(field, "awaiting_fills") == 0 &&
                 (view.order.awaiting_fills != 0) != cJSON_IsTrue(item))
            differ(play, "order", cid, field, view.order.awaiting_fills ? "true" : "false",
                   cJSON_IsTrue(item) ? "true" : "false");
    }
}

/* --- positions and money ----------------------------------------------------------------------*/

static void judge_position(struct play *play, const char *what, const char *name,
                           uint32_t instrument, uint32_t strategy, const cJSON *want)
{
    struct position_view view;
    const cJSON *item;
    if (instrument == 0 || !engine_position(play->engine, instrument, strategy, &view)) {
        play_fail(play, "%s %s: not known", what, name);
        return;
    }
    cJSON_ArrayForEach(item, want)
    {
        if (strcmp(item->string, "qty") == 0)
            want_amount(play, what, name, item->string,
                        amount_from(view.qty, play->instruments[instrument].qty_exp),
                        item->valuestring);
        else
            want_near(play, what, name, item->string,
                      strcmp(item->string, "avg_price") == 0      ? view.avg_price
                      : strcmp(item->string, "realized_pnl") == 0 ? view.realized
                                                                  : view.unrealized,
                      item->valuestring);
    }
}

static void judge_strategy_position(struct play *play, const char *name, const cJSON *want)
{
    char strategy[64];
    const char *slash = strchr(name, '/');
    if (!slash || (size_t)(slash - name) >= sizeof strategy) {
        play_fail(play, "strategy_positions %s: expected strategy/instrument", name);
        return;
    }
    snprintf(strategy, sizeof strategy, "%.*s", (int)(slash - name), name);
    uint32_t number = engine_number(play->engine, SCOPE_strategy, strategy);
    if (number == UINT32_MAX) {
        play_fail(play, "strategy_positions %s: no such strategy", name);
        return;
    }
    judge_position(play, "strategy_position", name, play_instrument(play, slash + 1), number, want);
}

static void judge_wallets(struct play *play, const char *what, const cJSON *want)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, want)
    {
        amount total = 0, fees = 0, funding = 0;
        if (!engine_wallet(play->engine, ACCOUNT, item->string, &total, &fees, &funding))
            total = fees = funding = 0;
        want_amount(play, what, item->string, "amount",
                    what[0] == 'b'              ? total
                    : strcmp(what, "fees") == 0 ? fees
                                                : funding,
                    item->valuestring);
    }
}

/* --- counts -----------------------------------------------------------------------------------*/

static uint64_t sent(const struct engine_counts *counts, const char *kind)
{
    return strcmp(kind, "new") == 0       ? counts->sent_new
           : strcmp(kind, "cancel") == 0  ? counts->sent_cancel
           : strcmp(kind, "replace") == 0 ? counts->sent_replace
           : strcmp(kind, "query") == 0   ? counts->sent_query
           : strcmp(kind, "fills") == 0   ? counts->sent_fills
                                          : counts->sent_recon;
}

static void judge_sent(struct play *play, const char *what, const cJSON *want, bool at_least)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, want)
        want_whole(play, what, item->string, "messages",
                   sent(engine_counts(play->engine), item->string), item, at_least);
}

static void judge_alerts(struct play *play, const cJSON *want, bool raised)
{
    const cJSON *item;
    cJSON_ArrayForEach(
        item, want) for (int a = 0; a < ALERT_COUNT;
                         a++) if (strcmp(alert_name((enum alert)a), item->valuestring) == 0 &&
                                  (engine_counts(play->engine)->alerts[a] > 0) != raised)
        play_fail(play, "alert %s: %s", item->valuestring,
                  raised ? "was not raised" : "was raised");
}

static void judge_refused(struct play *play, const cJSON *want)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, want)
    {
        const char *reason = "nothing";
        for (size_t i = 0; i < play->refused_count; i++)
            if (strcmp(play->refused[i].cid, item->string) == 0)
                reason = play->refused[i].reason;
        want_text(play, "replace_denied", item->string, "reason", reason, item->valuestring);
    }
}

static void judge_part(struct play *play, const cJSON *part)
{
    const cJSON *item;
    const struct engine_counts *counts = engine_counts(play->engine);
    const char *key = part->string;
    if (strcmp(key, "orders") == 0)
        cJSON_ArrayForEach(item, part) judge_order(play, item->string, item);
    else if (strcmp(key, "positions") == 0)
        cJSON_ArrayForEach(item, part) judge_position(play, "position", item->string,
                                                      play_instrument(play, item->string), 0, item);
    else if (strcmp(key, "strategy_positions") == 0)
        cJSON_ArrayForEach(item, part) judge_strategy_position(play, item->string, item);
    else if (strcmp(key, "balances") == 0 || strcmp(key, "fees") == 0 ||
             strcmp(key, "funding") == 0)
        judge_wallets(play, key, part);
    else if (strcmp(key, "sent_count") == 0 || strcmp(key, "sent_min") == 0)
        judge_sent(play, key, part, key[5] == 'm');
    else if (strcmp(key, "alerts") == 0 || strcmp(key, "no_alerts") == 0)
        judge_alerts(play, part, key[0] == 'a');
    else if (strcmp(key, "replace_denied") == 0)
        judge_refused(play, part);
    else if (strcmp(key, "duplicates_ignored") == 0)
        want_whole(play, "account", "all", key, counts->duplicates_ignored, part, false);
    else if (strcmp(key, "live_orders") == 0)
        want_whole(play, "account", "all", key, counts->live_orders, part, false);
    else if (strcmp(key, "kill_switch") == 0 && engine_killed(play->engine) != cJSON_IsTrue(part))
        differ(play, "host", "all", key, engine_killed(play->engine) ? "true" : "false",
               cJSON_IsTrue(part) ? "true" : "false");
}

void judge_expect(struct play *play, const cJSON *expect)
{
    const cJSON *part;
    cJSON_ArrayForEach(part, expect) judge_part(play, part);
}

/* --- effects ----------------------------------------------------------------------------------*/

static void judge_new(struct play *play, const struct weir_intent *intent)
{
    const char *wire = intent->msg.kind == WEIR_NEW ? intent->client_id : intent->new_client_id;
    for (size_t i = 0; i < play->name_count; i++)
        if (strcmp(play->names[i].wire, wire) == 0)
            play_fail(play, "client id %s was sent as new twice", wire);
    for (size_t i = 0; play->asking && i < play->name_count; i++)
        if (strcmp(play->names[i].cid, play->asking) == 0)
            memcpy(play->names[i].wire, wire, sizeof play->names[i].wire);
    play->sent_risk = true;
    play->sent_side = intent->side;
    play->sent_instrument = intent->msg.instrument;
}

static void note_refused(struct play *play, const char *cid, const char *reason)
{
    play->refused =
        grow_list(play->refused, &play->refused_room, play->refused_count, sizeof *play->refused);
    if (!play->refused)
        return;
    struct refused *refused = &play->refused[play->refused_count++];
    snprintf(refused->cid, sizeof refused->cid, "%s", cid);
    snprintf(refused->reason, sizeof refused->reason, "%s", reason);
}

/* What an order was, in one byte: its label + 1, and whether it was only given up. */
enum { LABEL_BITS = 0x3f, GIVEN_UP = 0x80 };

static unsigned char *label_of(struct play *play, uint32_t order)
{
    while (play->labels.len <= order) {
        void *bigger = realloc(play->labels.data, play->labels.len + 64);
        if (!bigger)
            return NULL;
        play->labels.data = bigger;
        memset(play->labels.data + play->labels.len, 0, 64);
        play->labels.len += 64;
    }
    return &play->labels.data[order];
}

static bool tells_of_orders(uint16_t kind)
{
    return kind == WEIR_STATUS || kind == WEIR_RECON_ORDER;
}

/* Ended orders live again only by a fill or the venue's word after NOT_FOUND, by a confirmed replace,
 * or since an execution was undone. */
static void judge_life(struct play *play, const struct out_order *order)
{
    unsigned char *was = label_of(play, order->order);
    if (!was)
        return;
    int before = (*was & LABEL_BITS) - 1;
    bool lives_again = before >= 0 && order_label_is_done((enum order_label)before) &&
                       !order_label_is_done((enum order_label)order->label);
    bool told = tells_of_orders(play->input_kind);
    bool replaced = play->input_kind == WEIR_REPLACED || told;
    bool found = (*was & GIVEN_UP) && (told || order->cum_qty > 0);
    if (lives_again && !replaced && !found && play->input_kind != WEIR_BUST)
        play_fail(play, "order %s was %s and is %s", order->cid,
                  order_label_name((enum order_label)before),
                  order_label_name((enum order_label)order->label));
    *was = (unsigned char)(order->label + 1);
    if (order->label == ORDER_REJECTED && strcmp(order->reason, "NOT_FOUND") == 0)
        *was |= GIVEN_UP;
}

void judge_effect(struct play *play, const struct weir_msg *effect)
{
    const struct out_decision *decision = (const struct out_decision *)effect;
    const struct out_order *order = (const struct out_order *)effect;
    if (effect->cause != play->input_seq)
        play_fail(play, "invariant: an effect of an input that the journal does not hold last");
    switch (effect->kind) {
    case WEIR_NEW:
    case WEIR_REPLACE: judge_new(play, (const struct weir_intent *)effect); break;
    case OUT_ORDER:
        judge_life(play, order);
        if (order->request_refused == 2 && effect->size >= sizeof *order)
            note_refused(play, order->next_cid, order->reason);
        break;
    case OUT_DECISION:
        if (decision->of == DECISION_REPLACE && !decision->allowed)
            note_refused(play, decision->cid, risk_check_name((enum risk_check)decision->reason));
        break;
    default: break;
    }
}

/* --- invariants -------------------------------------------------------------------------------*/

/* The side that was just added to, with all orders at their worst; in 10^-18. */
static amount worst_of(struct play *play)
{
    struct position_view position;
    struct order_view view;
    uint32_t instrument = play->sent_instrument;
    int8_t exp = play->instruments[instrument].qty_exp;
    if (!engine_position(play->engine, instrument, 0, &position))
        return 0;
    amount worst = amount_from(play->sent_side == WEIR_BUY ? position.qty : -position.qty, exp);
    for (uint32_t o = 0; (o = engine_order_next(play->engine, o, false)) != 0;)
        if (engine_order(play->engine, o, &view) && view.order.msg.instrument == instrument &&
            view.order.side == play->sent_side && view.order.route != ROUTE_INTERNAL)
            worst += amount_from(view.exposure, exp);
    return worst;
}

static void judge_exposure(struct play *play, enum risk_scope scope, uint32_t id)
{
    amount most = 0, used = 0;
    if (!play->sent_risk ||
        engine_limit(play->engine, scope, id, LIMIT_max_position, &most, &used) != LIMIT_VALUE)
        return;
    amount worst = worst_of(play);
    if (worst > most) {
        char got[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
        amount_print(worst, got);
        amount_print(most, limit);
        play_fail(play, "invariant: exposure %s is over the limit %s by the host's own act", got,
                  limit);
    }
}

void judge_invariants(struct play *play)
{
    judge_books(play);
    judge_exposure(play, SCOPE_instrument, play->sent_instrument);
    judge_exposure(play, SCOPE_account, ACCOUNT);
}
