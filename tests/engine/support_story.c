/* support_story.c - lines of a story into inputs, and what must hold into questions. */
#include "engine/support_story.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 16, WORD = 48 };
struct line {
    const char *story, *text;
    int number;
    char words[WORDS][WORD];
    int count;
};

static _Noreturn void wrong(const struct line *line, const char *what, const char *got)
{
    cr_assert_fail("%s, line %d:\n    %s\n  %s: got %s", line->story, line->number, line->text,
                   what, got);
    abort();
}

static const char *word(const struct line *line, int at)
{
    return at < line->count ? line->words[at] : "";
}

static const char *option(const struct line *line, const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < line->count; i++)
        if (strncmp(line->words[i], name, len) == 0 && line->words[i][len] == '=')
            return line->words[i] + len + 1;
    return NULL;
}

static bool flag(const struct line *line, const char *name)
{
    for (int i = 1; i < line->count; i++)
        if (strcmp(line->words[i], name) == 0)
            return true;
    return false;
}

static int index_of(const struct line *line, const char *text, int count, const char *(*name)(int))
{
    for (int i = 0; i < count; i++)
        if (strcmp(name(i), text) == 0)
            return i;
    wrong(line, "a word that is not known", text);
}

static const char *limit_word(int i)
{
    return risk_limit_name((enum risk_limit)i);
}
static const char *scope_word(int i)
{
    return risk_scope_name((enum risk_scope)i);
}
static const char *policy_word(int i)
{
    return policy_name((enum policy)i);
}
static const char *state_word(int i)
{
    return trading_state_name((enum trading_state)i);
}
static const char *alert_word(int i)
{
    return alert_name((enum alert)i);
}

static uint32_t on(const struct line *line, const char *symbol)
{
    static const char *const symbols[] = {"", "X", "Y", "P", "I"};
    for (uint32_t i = 1; i < 5; i++)
        if (symbol && strcmp(symbols[i], symbol) == 0)
            return i;
    if (symbol)
        wrong(line, "no such instrument", symbol);
    return ON_X;
}

static uint32_t strategy(struct desk *desk, const struct line *line, const char *name)
{
    uint32_t n = engine_number(desk->engine, SCOPE_strategy, name ? name : "s1");
    if (n == UINT32_MAX)
        wrong(line, "no such strategy", name);
    return n;
}

static void put(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

#define MSG(type, of)                                                     \
    {                                                                     \
        .size = sizeof(struct type), .kind = of, .venue = 1, .account = 1 \
    }

static amount money(const struct line *line, const char *text)
{
    amount value = 0;
    if (amount_parse(text, strlen(text), &value) != WEIR_OK)
        wrong(line, "not an amount", text);
    return value;
}

/* --- what guests ask ------------------------------------------------------------------------------ */

static const char *const types[] = {"limit",       "market",   "stop",   "stop_limit",
                                    "take_profit", "trailing", "iceberg"};
static const char *const tifs[] = {"GTC", "IOC", "FOK", "GTD", "DAY"};

static uint8_t one_of(const struct line *line, const char *text, const char *const *words,
                      size_t count)
{
    for (uint8_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    wrong(line, "a word that is not known", text);
}

/* Milliseconds since the story began. */
static weir_ns time_of(const char *text)
{
    return text ? 1000000000 + atoll(text) * 1000000 : 0;
}

static void do_submit(struct desk *desk, const struct line *line)
{
    struct in_submit in = {.msg = MSG(in_submit, IN_SUBMIT)};
    const char *to = option(line, "to"), *type = option(line, "type"), *tif = option(line, "tif"),
               *trigger = option(line, "trigger"), *visible = option(line, "visible"),
               *oco = option(line, "oco"), *follow = option(line, "follow");
    put(in.cid, sizeof in.cid, strcmp(word(line, 1), "-") == 0 ? "" : word(line, 1));
    in.msg.instrument = on(line, option(line, "on"));
    in.side = strcmp(word(line, 2), "sell") == 0;
    in.qty = qty_of(word(line, 3));
    in.type = strcmp(word(line, 5), "market") == 0 ? WEIR_MARKET : WEIR_LIMIT;
    if (in.type == WEIR_LIMIT)
        in.px = px_of(word(line, 5));
    if (type)
        in.type = one_of(line, type, types, 7);
    if (tif)
        in.tif = one_of(line, tif, tifs, 5);
    in.trigger = trigger ? px_of(trigger) : 0;
    in.visible = visible ? qty_of(visible) : 0;
    in.release = time_of(option(line, "release"));
    in.expires = time_of(option(line, "expires"));
    in.link_kind = oco ? LINK_OCO : follow ? LINK_PARENT : LINK_NONE;
    put(in.link, sizeof in.link, oco ? oco : follow);
    in.strategy = strategy(desk, line, option(line, "by"));
    in.route = !to                           ? ROUTE_VENUE
               : strcmp(to, "internal") == 0 ? ROUTE_INTERNAL
                                             : ROUTE_INTERNAL_THEN_VENUE;
    in.flags = flag(line, "reduce") ? WEIR_REDUCE_ONLY : 0;
    desk_apply(desk, &in);
}

static void do_change(struct desk *desk, const struct line *line, uint16_t kind)
{
    struct in_change in = {.msg = MSG(in_change, kind), .asker = ASKER_OPERATOR};
    const char *qty = option(line, "qty"), *px = option(line, "px"), *by = option(line, "by"),
               *trigger = option(line, "trigger");
    put(in.cid, sizeof in.cid, desk_cid(desk, word(line, 1)));
    if (kind == IN_REPLACE)
        put(in.new_cid, sizeof in.new_cid, strcmp(word(line, 2), "-") == 0 ? "" : word(line, 2));
    if (kind == IN_CANCEL_MANY) {
        in.msg.venue = UINT16_MAX;
        in.msg.instrument = option(line, "on") ? on(line, option(line, "on")) : 0;
    }
    if (by) {
        in.strategy = strategy(desk, line, by);
        in.asker = ASKER_SCRIPT;
    }
    in.change =
        (uint8_t)((qty ? CHANGE_QTY : 0) | (px ? CHANGE_PX : 0) | (trigger ? CHANGE_TRIGGER : 0));
    in.trigger = trigger ? px_of(trigger) : 0;
    in.qty = qty ? qty_of(qty) : 0;
    in.px = px ? px_of(px) : 0;
    desk_apply(desk, &in);
}

/* caps [types=limit,stop] [tifs=GTC,GTD] [plain] [fixed]: the venue can do these, all others are kept
 * here; plain: and are not; fixed: orders cannot be replaced */
static void do_caps(struct desk *desk, const struct line *line)
{
    struct in_capabilities in = {.msg = MSG(in_capabilities, IN_CAPABILITIES),
                                 .order_types = 3,
                                 .tifs = 7,
                                 .order_flags = 3,
                                 .amend = !flag(line, "fixed"),
                                 .emulate = !flag(line, "plain")};
    char list[WORD], *rest = NULL;
    put(list, sizeof list, option(line, "types"));
    for (char *one = strtok_r(list, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
        in.order_types |= 1u << one_of(line, one, types, 7);
    put(list, sizeof list, option(line, "tifs"));
    for (char *one = strtok_r(list, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
        in.tifs |= 1u << one_of(line, one, tifs, 5);
    desk_apply(desk, &in);
}

static void do_trade(struct desk *desk, const struct line *line)
{
    struct weir_trade in = {.msg = MSG(weir_trade, WEIR_TRADE), .px = px_of(word(line, 1))};
    in.msg.instrument = on(line, option(line, "on"));
    in.msg.flags = flag(line, "off") ? WEIR_TRADE_OFF_BOOK : 0;
    desk_apply(desk, &in);
}

static void do_adopt(struct desk *desk, const struct line *line)
{
    struct in_adopt in = {.msg = MSG(in_adopt, IN_ADOPT_POSITION), .asker = ASKER_OPERATOR};
    in.msg.instrument = on(line, word(line, 1));
    in.qty = qty_of(word(line, 2));
    in.px = px_of(word(line, 4));
    if (flag(line, "script"))
        in.asker = ASKER_SCRIPT;
    desk_apply(desk, &in);
}

/* --- what the venue says --------------------------------------------------------------------------- */

static uint8_t venue_state(const struct line *line, const char *text)
{
    static const char *const states[] = {"-", "OPEN", "FILLED", "CANCELED", "EXPIRED", "REJECTED"};
    for (uint8_t i = 0; i < 6; i++)
        if (strcmp(states[i], text) == 0)
            return i;
    wrong(line, "no such state", text);
}

static struct weir_report report_of(struct desk *desk, const struct line *line, uint16_t kind)
{
    struct weir_report in = {.msg = MSG(weir_report, kind)};
    const char *cum = option(line, "cum"), *seq = option(line, "seq"), *vid = option(line, "vid");
    in.msg.instrument = option(line, "on") ? on(line, option(line, "on")) : 0;
    if (strcmp(word(line, 1), "-") != 0)
        put(in.client_id, sizeof in.client_id, desk_wire(desk, word(line, 1)));
    put(in.venue_id, sizeof in.venue_id, vid);
    in.has_cum = cum != NULL;
    in.cum_qty = cum ? qty_of(cum) : 0;
    in.stream_seq = seq ? strtoull(seq, NULL, 10) : 0;
    return in;
}

static void ev_report(struct desk *desk, const struct line *line, uint16_t kind, int reason_at,
                      int vid_at)
{
    struct weir_report in = report_of(desk, line, kind);
    if (reason_at)
        put(in.reason, sizeof in.reason, word(line, reason_at));
    if (vid_at && word(line, vid_at)[0] && !strchr(word(line, vid_at), '='))
        put(in.venue_id, sizeof in.venue_id, word(line, vid_at));
    desk_apply(desk, &in);
}

static void ev_silent(struct desk *desk, const struct line *line)
{
    struct weir_report in = report_of(desk, line, WEIR_NO_ANSWER);
    const char *what = word(line, 2);
    in.request = strcmp(what, "new") == 0      ? WEIR_REQUEST_NEW
                 : strcmp(what, "cancel") == 0 ? WEIR_REQUEST_CANCEL
                                               : WEIR_REQUEST_REPLACE;
    desk_apply(desk, &in);
}

static void ev_status(struct desk *desk, const struct line *line)
{
    struct weir_report in = report_of(desk, line, WEIR_STATUS);
    in.state = venue_state(line, word(line, 2));
    put(in.reason, sizeof in.reason, option(line, "reason"));
    desk_apply(desk, &in);
}

static void ev_listed(struct desk *desk, const struct line *line)
{
    struct weir_report in = report_of(desk, line, WEIR_RECON_ORDER);
    const char *qty = option(line, "qty"), *px = option(line, "px"), *side = option(line, "side");
    put(in.venue_id, sizeof in.venue_id, strcmp(word(line, 2), "-") == 0 ? "" : word(line, 2));
    in.state = venue_state(line, word(line, 3));
    in.side = side && strcmp(side, "sell") == 0;
    in.qty = qty ? qty_of(qty) : 0;
    in.px = px ? px_of(px) : 0;
    desk_apply(desk, &in);
}

static void ev_fill(struct desk *desk, const struct line *line, bool by_order)
{
    struct weir_fill in = {.msg = MSG(weir_fill, WEIR_FILL)};
    const char *fee = option(line, "fee"), *seq = option(line, "seq"),
               *colon = fee ? strchr(fee, ':') : NULL;
    int at = by_order ? 2 : 3;
    in.msg.instrument = by_order ? 0 : on(line, option(line, "on"));
    if (by_order)
        put(in.client_id, sizeof in.client_id, desk_wire(desk, word(line, 1)));
    put(in.venue_id, sizeof in.venue_id, by_order ? option(line, "vid") : word(line, 1));
    if (by_order && option(line, "on"))
        in.msg.instrument = on(line, option(line, "on"));
    in.side = by_order ? 0 : strcmp(word(line, 2), "sell") == 0;
    put(in.exec_id, sizeof in.exec_id, word(line, at));
    in.qty = qty_of(word(line, at + 1));
    in.px = px_of(word(line, at + 3));
    in.origin = flag(line, "manual") ? WEIR_ORIGIN_MANUAL : WEIR_ORIGIN_OURS;
    in.stream_seq = seq ? strtoull(seq, NULL, 10) : 0;
    if (colon) {
        put(in.fee_asset, (size_t)(colon - fee) + 1, fee);
        in.fee = amount_pack(money(line, colon + 1));
    }
    const char *gain = option(line, "gain");
    if (gain) {
        in.has_realized = 1;
        in.realized = amount_pack(money(line, gain));
    }
    desk_apply(desk, &in);
}

static void ev_clock(struct desk *desk, const struct line *line)
{
    struct in_state in = {.msg = MSG(in_state, IN_VENUE_CLOCK)};
    in.value = strtoll(word(line, 1), NULL, 10) * 1000000;
    desk_apply(desk, &in);
}

static void ev_bust(struct desk *desk, const struct line *line)
{
    struct weir_fill in = {.msg = MSG(weir_fill, WEIR_BUST)};
    const char *state = word(line, 2);
    put(in.exec_id, sizeof in.exec_id, word(line, 1));
    in.state = state[0] && !strchr(state, '=') ? venue_state(line, state) : WEIR_STATE_NOT_FOUND;
    in.msg.instrument = option(line, "on") ? on(line, option(line, "on")) : 0;
    if (option(line, "cid")) {
        put(in.client_id, sizeof in.client_id, desk_wire(desk, option(line, "cid")));
        in.msg.instrument = ON_X;
        in.qty = qty_of(option(line, "qty"));
    }
    desk_apply(desk, &in);
}

static void ev_limited(struct desk *desk, const struct line *line)
{
    struct weir_rate_limited in = {.msg = MSG(weir_rate_limited, WEIR_RATE_LIMITED)};
    put(in.client_id, sizeof in.client_id, desk_wire(desk, word(line, 1)));
    in.retry_after = atoll(word(line, 2)) * 1000000;
    in.code = 429;
    desk_apply(desk, &in);
}

static void ev_cash(struct desk *desk, const struct line *line, uint16_t kind)
{
    struct weir_cash in = {.msg = MSG(weir_cash, kind)};
    if (kind == WEIR_RECON_POSITION)
        in.msg.instrument = on(line, word(line, 1));
    else
        put(in.asset, sizeof in.asset, word(line, 1));
    in.amount = amount_pack(money(line, word(line, 2)));
    put(in.id, sizeof in.id, word(line, 3));
    desk_apply(desk, &in);
}

static void ev_market(struct desk *desk, const struct line *line, bool top)
{
    struct weir_mark mark = {.msg = MSG(weir_mark, WEIR_MARK)};
    struct weir_top both = {.msg = MSG(weir_top, WEIR_TOP)};
    mark.msg.instrument = both.msg.instrument = on(line, option(line, "on"));
    both.bid = mark.px = px_of(word(line, 1));
    if (top)
        both.ask = px_of(word(line, 2));
    both.bid_qty = both.ask_qty = option(line, "size") ? qty_of(option(line, "size")) : 0;
    desk_apply(desk, top ? (void *)&both : (void *)&mark);
}

static void ev_state(struct desk *desk, uint16_t kind, uint32_t instrument, int64_t value)
{
    struct in_state in = {.msg = MSG(in_state, kind), .value = value};
    in.msg.instrument = instrument;
    desk_apply(desk, &in);
}

static void ev_book(struct desk *desk, const struct line *line)
{
    static const char *const states[] = {
#define X(name) #name,
        BOOK_STATES(X)
#undef X
    };
    for (int i = 0; i < BOOK_STATE_COUNT; i++)
        if (strcmp(states[i], word(line, 1)) == 0)
            ev_state(desk, IN_BOOK_STATE, on(line, option(line, "on")), i);
}

static void ev_msg(struct desk *desk, uint16_t kind, uint16_t flags)
{
    struct weir_session in = {.msg = MSG(weir_session, kind)};
    in.msg.flags = flags;
    desk_apply(desk, &in);
}

/* --- settings --------------------------------------------------------------------------------------- */

static void scope_of(struct desk *desk, const struct line *line, const char *text, uint8_t *scope,
                     uint32_t *id)
{
    char name[WORD];
    const char *colon = strchr(text, ':');
    put(name, sizeof name, text);
    if (colon)
        name[colon - text] = '\0';
    *scope = (uint8_t)index_of(line, name, RISK_SCOPE_COUNT, scope_word);
    *id = colon ? engine_number(desk->engine, (enum risk_scope) * scope, colon + 1) : 0;
}

static void set_limit(struct desk *desk, const struct line *line)
{
    struct in_limit in = {.msg = MSG(in_limit, IN_LIMIT)};
    const char *value = word(line, 3);
    scope_of(desk, line, word(line, 1), &in.scope, &in.id);
    in.limit = (uint8_t)index_of(line, word(line, 2), RISK_LIMIT_COUNT, limit_word);
    in.how = strcmp(value, "none") == 0    ? LIMIT_NONE
             : strcmp(value, "unset") == 0 ? LIMIT_UNSET
                                           : LIMIT_VALUE;
    if (in.how == LIMIT_VALUE)
        in.value = amount_pack(money(line, value));
    desk_apply(desk, &in);
}

static void set_state(struct desk *desk, const struct line *line)
{
    struct in_limit in = {.msg = MSG(in_limit, IN_TRADING_STATE)};
    scope_of(desk, line, word(line, 1), &in.scope, &in.id);
    in.limit = (uint8_t)index_of(line, word(line, 2), TRADING_STATE_COUNT, state_word);
    desk_apply(desk, &in);
}

static void set_policy(struct desk *desk, const struct line *line)
{
    struct in_policy in = {.msg = MSG(in_policy, IN_POLICY), .value = atoll(word(line, 2))};
    in.policy = (uint32_t)index_of(line, word(line, 1), POLICY_COUNT, policy_word);
    desk_apply(desk, &in);
}

static void set_rules(struct desk *desk, const struct line *line)
{
    struct weir_instrument in = *engine_instrument(desk->engine, on(line, word(line, 1)));
    const char *tick = option(line, "tick"), *step = option(line, "step"),
               *min = option(line, "min");
    if (tick)
        in.tick = px_of(tick);
    if (step)
        in.step = qty_of(step);
    if (min)
        in.min_notional = amount_pack(money(line, min));
    in.status = flag(line, "halted") ? WEIR_HALTED : WEIR_TRADING;
    desk_apply(desk, &in);
}

static void wait_until(struct desk *desk, weir_ns until)
{
    struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
    for (weir_ns due; (due = engine_next_timer(desk->engine)) <= until;) {
        desk->now = due > desk->now ? due : desk->now;
        desk_apply(desk, &tick);
        cr_assert(engine_next_timer(desk->engine) > desk->now,
                  "a timer that was due does not move");
    }
    desk->now = until;
    desk_apply(desk, &tick);
}

/* --- left of the bar ---------------------------------------------------------------------------------- */

static const struct {
    const char *verb;
    uint16_t kind;
    int8_t reason_at, vid_at;
} reports[] = {
    {"ack", WEIR_ACK, 0, 2},
    {"reject", WEIR_REJECT, 2, 0},
    {"canceled", WEIR_CANCELED, 0, 0},
    {"refused", WEIR_CANCEL_REJECT, 2, 0},
    {"expired", WEIR_EXPIRED, 2, 0},
    {"replaced", WEIR_REPLACED, 0, 2},
    {"replace-refused", WEIR_REPLACE_REJECT, 2, 0},
};

static bool happens(struct desk *desk, const struct line *line)
{
    const char *verb = word(line, 0);
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
        if (strcmp(verb, reports[i].verb) == 0)
            return ev_report(desk, line, reports[i].kind, reports[i].reason_at, reports[i].vid_at),
                   true;
#define WHEN(name) if (strcmp(verb, name) == 0)
    WHEN("submit") return do_submit(desk, line), true;
    WHEN("cancel") return do_change(desk, line, IN_CANCEL), true;
    WHEN("cancelmany") return do_change(desk, line, IN_CANCEL_MANY), true;
    WHEN("replace") return do_change(desk, line, IN_REPLACE), true;
    WHEN("kill") return do_change(desk, line, IN_KILL), true;
    WHEN("release") return do_change(desk, line, IN_RELEASE), true;
    WHEN("fill") return ev_fill(desk, line, true), true;
    WHEN("found-fill") return ev_fill(desk, line, false), true;
    WHEN("silent") return ev_silent(desk, line), true;
    WHEN("unknown") return ev_report(desk, line, WEIR_STATUS, 0, 0), true;
    WHEN("status") return ev_status(desk, line), true;
    WHEN("limited") return ev_limited(desk, line), true;
    WHEN("clock") return ev_clock(desk, line), true;
    WHEN("bust") return ev_bust(desk, line), true;
    WHEN("mark") return ev_market(desk, line, false), true;
    WHEN("top") return ev_market(desk, line, true), true;
    WHEN("book") return ev_book(desk, line), true;
    WHEN("funding") return ev_cash(desk, line, WEIR_FUNDING), true;
    WHEN("transfer") return ev_cash(desk, line, WEIR_TRANSFER), true;
    WHEN("down") return ev_msg(desk, WEIR_SESSION, WEIR_STREAM_DOWN), true;
    WHEN("up") return ev_msg(desk, WEIR_SESSION, WEIR_STREAM_UP), true;
    WHEN("restart") return ev_msg(desk, IN_RESTARTED, 0), true;
    WHEN("begin") return ev_msg(desk, WEIR_RECON_BEGIN, 0), true;
    WHEN("listed") return ev_listed(desk, line), true;
    WHEN("position") return ev_cash(desk, line, WEIR_RECON_POSITION), true;
    WHEN("balance") return ev_cash(desk, line, WEIR_RECON_BALANCE), true;
    WHEN("adopt") return do_adopt(desk, line), true;
    WHEN("caps") return do_caps(desk, line), true;
    WHEN("trade") return do_trade(desk, line), true;
    WHEN("end")
    return ev_msg(desk, WEIR_RECON_END,
                  (uint16_t)((flag(line, "positions") ? 1 : 0) | (flag(line, "balances") ? 2 : 0))),
           true;
    WHEN("wait") return wait_until(desk, desk->now + atoll(word(line, 1)) * 1000000), true;
    WHEN("at") return wait_until(desk, 1000000000 + atoll(word(line, 1)) * 1000000), true;
    WHEN("limit") return set_limit(desk, line), true;
    WHEN("policy") return set_policy(desk, line), true;
    WHEN("state") return set_state(desk, line), true;
    WHEN("rules") return set_rules(desk, line), true;
    WHEN("journal") return ev_state(desk, IN_JOURNAL_STATE, 0, atoi(word(line, 1))), true;
    WHEN("ids") return ev_state(desk, IN_ID_BLOCK, 0, atoi(word(line, 1))), true;
    WHEN("check") return true;
    return false;
}

/* --- right of the bar ---------------------------------------------------------------------------------- */

static void same_text(const struct line *line, const char *what, const char *got, const char *want)
{
    char text[200];
    if (strcmp(got, want) == 0)
        return;
    snprintf(text, sizeof text, "'%s'", got);
    wrong(line, what, text);
}

static void same_amount(const struct line *line, const char *what, amount got, const char *want)
{
    char text[DECIMAL_TEXT_MAX];
    amount_print(got, text);
    if (got != money(line, want))
        wrong(line, what, text);
}

static void order_holds(struct desk *desk, const struct line *line, const char *what, char *cid,
                        const char *want)
{
    struct order_view view;
    char *member = strchr(cid, '.'), text[WORD], *colon;
    if (member)
        *member++ = '\0';
    if (!engine_order(desk->engine, engine_order_find(desk->engine, desk_cid(desk, cid)), &view))
        wrong(line, what, "no such order");
    const struct out_order *order = &view.order;
    if (!member) {
        put(text, sizeof text, want);
        if ((colon = strchr(text, ':'))) {
            *colon++ = '\0';
            same_amount(line, what, amount_from(order->cum_qty, 3), colon);
        }
        same_text(line, what, order_label_name((enum order_label)order->label), text);
    } else if (strcmp(member, "reason") == 0) {
        same_text(line, what, order->reason, want);
    } else if (strcmp(member, "vid") == 0) {
        same_text(line, what, order->venue_id, want);
    } else if (strcmp(member, "cid") == 0) {
        same_text(line, what, order->cid, want);
    } else if (strcmp(member, "by") == 0) {
        same_text(line, what, engine_name(desk->engine, SCOPE_strategy, order->strategy), want);
    } else if (strcmp(member, "quote") == 0) {
        same_amount(line, what, amount_of(order->cum_quote), want);
    } else if (strcmp(member, "waits") == 0) {
        text[0] = '\0';
        for (int wait = 0; view.hold.msg.size && wait < HOLD_WAIT_COUNT; wait++)
            if (view.hold.waits >> wait & 1)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                         text[0] ? "+" : "", hold_wait_name((enum hold_wait)wait));
        same_text(line, what, text, want);
    } else if (strcmp(member, "obstacle") == 0) {
        same_text(line, what, risk_check_name((enum risk_check)view.hold.obstacle), want);
    } else if (strcmp(member, "best") == 0) {
        same_amount(line, what, amount_from(view.hold.price_x2 * 5, 3), want);
    } else if (strcmp(member, "type") == 0) {
        same_text(line, what, types[order->type], want);
    } else if (strcmp(member, "px") == 0) {
        same_amount(line, what, amount_from(order->px, 2), want);
    } else {
        int64_t got = strcmp(member, "qty") == 0        ? order->qty
                      : strcmp(member, "leaves") == 0   ? view.leaves_qty
                      : strcmp(member, "exposure") == 0 ? view.exposure
                      : strcmp(member, "awaits") == 0   ? order->awaiting_fills * 1000
                                                        : INT64_MAX;
        same_amount(line, what, amount_from(got, 3), want);
    }
}

static void position_holds(struct desk *desk, const struct line *line, const char *what,
                           const char *owner, const char *want)
{
    struct position_view view = {0};
    uint32_t instrument = ON_X, by = 0;
    if (owner[0] == 's' || owner[0] == 'E')
        by = strategy(desk, line, owner);
    else if (owner[0])
        instrument = on(line, owner);
    (void)engine_position(desk->engine, instrument, by, &view);
    if (strstr(what, "pos="))
        same_amount(line, what, amount_from(view.qty, 3), want);
    else if (strstr(what, "unreal="))
        same_amount(line, what, view.unrealized, want);
    else
        same_amount(line, what, strstr(what, "real=") ? view.realized : view.avg_price, want);
}

static void wallet_holds(struct desk *desk, const struct line *line, const char *what,
                         const char *asset, int which, const char *want)
{
    amount found[3] = {0};
    (void)engine_wallet(desk->engine, 1, asset, &found[0], &found[1], &found[2]);
    same_amount(line, what, found[which], want);
}

static void counts_hold(struct desk *desk, const struct line *line, const char *what,
                        const char *want)
{
    const struct engine_counts *c = engine_counts(desk->engine);
    char text[100];
    snprintf(text, sizeof text, "%llu/%llu/%llu",
             (unsigned long long)(what[0] == 's' ? c->sent_new : c->sent_query),
             (unsigned long long)(what[0] == 's' ? c->sent_cancel : c->sent_fills),
             (unsigned long long)(what[0] == 's' ? c->sent_replace : c->sent_recon));
    same_text(line, what, text, want);
}

static void number_holds(const struct line *line, const char *what, uint64_t got, const char *want)
{
    char text[30];
    snprintf(text, sizeof text, "%llu", (unsigned long long)got);
    same_text(line, what, text, want);
}

/* what: a cid, "account", or "" for the count of all */
static void open_holds(struct desk *desk, const struct line *line, const char *what,
                       const char *which, const char *want)
{
    struct kill_item item;
    const char *found = "nothing";
    uint32_t i = 0, n = strcmp(which, "account") == 0 ? 0 : engine_order_find(desk->engine, which);
    for (; engine_kill_open(desk->engine, i, &item); i++) {
        bool account = item.obstacle == KILL_BY_LISTED || item.order == 0;
        if (account ? n == 0 : item.order == n)
            found = kill_obstacle_name(item.obstacle);
    }
    if (which[0])
        same_text(line, what, found, want);
    else
        number_holds(line, what, i, want);
}

static void holds(struct desk *desk, const struct line *line, const char *what)
{
    const struct engine_counts *c = engine_counts(desk->engine);
    char name[WORD];
    const char *want = strchr(what, '=');
    if (!want)
        wrong(line, "no '='", what);
    put(name, (size_t)(want - what) + 1, what);
    want++;
    char *dot = strchr(name, '.');
    const char *last = dot ? dot + 1 : name;
#define IS(word) if (strcmp(name, word) == 0)
    IS("alert")
    {
        number_holds(line, what,
                     c->alerts[index_of(line, want, ALERT_COUNT, alert_word)] >
                         desk->alerts_before[index_of(line, want, ALERT_COUNT, alert_word)],
                     "1");
        return;
    }
    IS("quiet")
    {
        number_holds(line, what,
                     c->alerts[index_of(line, want, ALERT_COUNT, alert_word)] -
                         desk->alerts_before[index_of(line, want, ALERT_COUNT, alert_word)],
                     "0");
        return;
    }
    IS("deny")
    {
        same_text(line, what, desk->denied, want);
        return;
    }
    IS("sent")
    {
        counts_hold(desk, line, what, want);
        return;
    }
    IS("asked")
    {
        counts_hold(desk, line, what, want);
        return;
    }
    IS("dup")
    {
        number_holds(line, what, c->duplicates_ignored, want);
        return;
    }
    IS("live")
    {
        number_holds(line, what, c->live_orders, want);
        return;
    }
    IS("unknown")
    {
        number_holds(line, what, c->unknown_orders, want);
        return;
    }
    IS("killed")
    {
        number_holds(line, what, engine_killed(desk->engine), want);
        return;
    }
    IS("kill")
    {
        same_text(line, what, kill_stage_name(engine_kill_stage(desk->engine)), want);
        return;
    }
    if (strcmp(name, "open") == 0 || strncmp(name, "open.", 5) == 0) {
        open_holds(desk, line, what, dot ? dot + 1 : "", want);
    } else if (strncmp(name, "state.", 6) == 0) {
        uint8_t scope;
        uint32_t id;
        scope_of(desk, line, name + 6, &scope, &id);
        same_text(
            line, what,
            trading_state_name(engine_trading_state(desk->engine, (enum risk_scope)scope, id)),
            want);
    } else if (strcmp(last, "pos") == 0 || strcmp(last, "real") == 0 ||
               strcmp(last, "unreal") == 0 || strcmp(last, "avg") == 0) {
        if (dot)
            *dot = '\0';
        position_holds(desk, line, what, dot ? name : "", want);
    } else if (strncmp(name, "fee.", 4) == 0 || strncmp(name, "fund.", 5) == 0) {
        wallet_holds(desk, line, what, last, name[1] == 'e' ? 1 : 2, want);
    } else if (name[0] >= 'A' && name[0] <= 'Z') {
        wallet_holds(desk, line, what, name, 0, want);
    } else {
        order_holds(desk, line, what, name, want);
    }
}

/* --- telling ----------------------------------------------------------------------------------------------- */

static const char *split(struct line *line, const char *at, char end)
{
    line->count = 0;
    while (*at && *at != end) {
        size_t len = strcspn(at, end ? " |" : " ");
        if (len > 0 && line->count < WORDS)
            put(line->words[line->count++], len + 1 < WORD ? len + 1 : WORD, at);
        at += len;
        at += strspn(at, " ");
    }
    return *at == end && end ? at + 1 : at;
}

static void tell_line(struct desk *desk, struct line *line)
{
    memcpy(desk->alerts_before, engine_counts(desk->engine)->alerts, sizeof desk->alerts_before);
    const char *rest = split(line, line->text, '|');
    if (line->count > 0 && !happens(desk, line))
        wrong(line, "a verb that is not known", word(line, 0));
    (void)split(line, rest, '\0');
    for (int i = 0; i < line->count; i++) {
        char what[WORD];
        put(what, sizeof what, line->words[i]);
        holds(desk, line, what);
    }
    const char *sums = engine_audit(desk->engine);
    if (sums[0])
        wrong(line, "audit", sums);
}

enum { MOVE_EVERY = 9 };

void desk_tell(struct desk *desk, const char *name, const char *const *lines)
{
    for (int i = 0; lines[i]; i++) {
        struct line line = {.story = name, .text = lines[i], .number = i + 1};
        tell_line(desk, &line);
        if (i % MOVE_EVERY == MOVE_EVERY - 1)
            desk_move(desk);
    }
}

void story(const char *name, const char *const *lines)
{
    struct desk desk;
    struct engine_sizes sizes = desk_sizes();
    desk_open(&desk, &sizes);
    desk_tell(&desk, name, lines);
    desk_close(&desk);
}
