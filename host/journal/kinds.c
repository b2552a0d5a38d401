/* kinds.c - the table of messages.
 *
 * Names are the words of the journal as people see it: what guests wish for is `submit`, `cancel`;
 * what goes to a venue is `send_new`, `send_cancel`. [kinds] */
#include "journal/kinds.h"

#include <string.h>

/* --- words ----------------------------------------------------------------------------------- */

#define WORDS(function, ...)                                                \
    static const char *function(unsigned value)                             \
    {                                                                       \
        static const char *const words[] = {__VA_ARGS__};                   \
        return value < sizeof words / sizeof words[0] ? words[value] : "?"; \
    }

WORDS(side, "buy", "sell")
WORDS(order_type, "limit", "market", "stop", "stop_limit", "take_profit", "trailing", "iceberg")
WORDS(tif, "GTC", "IOC", "FOK", "GTD", "DAY")
WORDS(order_flag, "post_only", "reduce_only")
WORDS(route, "venue", "internal", "internal_then_venue")
WORDS(asker, "script", "client", "operator", "host")
WORDS(instrument_kind, "spot", "linear", "inverse")
WORDS(instrument_status, "TRADING", "HALTED")
WORDS(proof, "definite", "silence")
WORDS(venue_state, "NOT_FOUND", "OPEN", "FILLED", "CANCELED", "EXPIRED", "REJECTED")
WORDS(request, "new", "cancel", "replace")
WORDS(origin, "ours", "manual", "liquidation", "adl", "adopted")
WORDS(limit_how, "unset", "none", "value")
WORDS(decision_of, "submit", "replace", "release")
WORDS(link_kind, "none", "oco", "parent")
WORDS(state_of, "kill_switch", "trading", "reconciling", "venue")
WORDS(refused, "", "cancel", "replace")
WORDS(change_bit, "qty", "px", "trigger")
WORDS(exec_stage, "booked", "waits", "attributed")
WORDS(stage, "sent", "wire", "answer", "durable")

static const char *label(unsigned value)
{
    return order_label_name((enum order_label)value);
}
static const char *check_word(unsigned value)
{
    return risk_check_name((enum risk_check)value);
}
static const char *limit_word(unsigned value)
{
    return risk_limit_name((enum risk_limit)value);
}
static const char *scope_word(unsigned value)
{
    return risk_scope_name((enum risk_scope)value);
}
static const char *alert_word(unsigned value)
{
    return alert_name((enum alert)value);
}
static const char *policy_word(unsigned value)
{
    return policy_name((enum policy)value);
}

const char *side_stage_name(enum side_stage value)
{
    return stage((unsigned)value);
}

/* --- members --------------------------------------------------------------------------------- */

#define NAMED(name, owner, member, type, words)                                                  \
    {                                                                                            \
        name, FIELD_##type, offsetof(struct owner, member), sizeof(((struct owner *)0)->member), \
            words                                                                                \
    }
#define F(owner, member, type)  NAMED(#member, owner, member, type, NULL)
#define W(owner, member, words) NAMED(#member, owner, member, WORD, words)
#define TAIL(owner, member, type)                                      \
    {                                                                  \
#member, FIELD_##type, offsetof(struct owner, member), 0, NULL \
    }

static const struct field instrument[] = {
    F(weir_instrument, symbol, TEXT),
    F(weir_instrument, base, TEXT),
    F(weir_instrument, quote, TEXT),
    NAMED("type", weir_instrument, kind, WORD, instrument_kind),
    W(weir_instrument, status, instrument_status),
    F(weir_instrument, price_exp, EXP),
    F(weir_instrument, qty_exp, EXP),
    F(weir_instrument, multiplier, MULTIPLIER),
    F(weir_instrument, tick, PX),
    F(weir_instrument, step, QTY),
    F(weir_instrument, min_notional, AMOUNT),
};
static const struct field book[] = {
    F(weir_book_msg, first_seq, U64), F(weir_book_msg, last_seq, U64),
    F(weir_book_msg, prev_seq, U64),  F(weir_book_msg, bids, U32),
    F(weir_book_msg, asks, U32),      TAIL(weir_book_msg, levels, LEVELS),
};
static const struct field top[] = {
    NAMED("book_seq", weir_top, seq, U64, NULL),
    F(weir_top, bid, PX),
    F(weir_top, bid_qty, QTY),
    F(weir_top, ask, PX),
    F(weir_top, ask_qty, QTY),
};
static const struct field trade[] = {
    F(weir_trade, id, U64),
    F(weir_trade, px, PX),
    F(weir_trade, qty, QTY),
    W(weir_trade, aggressor, side),
};
static const struct field mark[] = {F(weir_mark, px, PX)};
static const struct field funding_rate[] = {
    F(weir_funding_rate, rate, I64), /* 10^-12 */
    F(weir_funding_rate, t_next, TIME),
};
static const struct field session[] = {F(weir_session, reason, TEXT)};
static const struct field rate_limited[] = {
    F(weir_rate_limited, client_id, TEXT),
    F(weir_rate_limited, retry_after, SPAN),
    F(weir_rate_limited, code, I32),
};
static const struct field report[] = {
    F(weir_report, client_id, TEXT),
    F(weir_report, venue_id, TEXT),
    F(weir_report, stream_seq, U64),
    W(weir_report, proof, proof),
    W(weir_report, state, venue_state),
    W(weir_report, request, request),
    F(weir_report, has_cum, BOOL),
    W(weir_report, side, side),
    F(weir_report, cum_qty, QTY),
    F(weir_report, qty, QTY),
    F(weir_report, px, PX),
    F(weir_report, code, I32),
    F(weir_report, reason, TEXT),
};
static const struct field fill[] = {
    F(weir_fill, client_id, TEXT),
    F(weir_fill, venue_id, TEXT),
    F(weir_fill, exec_id, TEXT),
    F(weir_fill, stream_seq, U64),
    W(weir_fill, side, side),
    F(weir_fill, qty, QTY),
    F(weir_fill, px, PX),
    F(weir_fill, fee, AMOUNT),
    F(weir_fill, fee_asset, TEXT),
    W(weir_fill, origin, origin),
    W(weir_fill, state, venue_state),
    F(weir_fill, maker, BOOL),
    F(weir_fill, has_realized, BOOL),
    F(weir_fill, realized, AMOUNT),
};
static const struct field cash[] = {
    F(weir_cash, asset, TEXT),
    F(weir_cash, id, TEXT),
    F(weir_cash, amount, AMOUNT),
};
static const struct field intent[] = {
    F(weir_intent, order, U32),     F(weir_intent, client_id, TEXT),
    F(weir_intent, venue_id, TEXT), F(weir_intent, new_client_id, TEXT),
    W(weir_intent, side, side),     W(weir_intent, type, order_type),
    W(weir_intent, tif, tif),       NAMED("order_flags", weir_intent, flags, BITS, order_flag),
    F(weir_intent, qty, QTY),       F(weir_intent, px, PX),
    F(weir_intent, trigger, PX),    F(weir_intent, cum_qty, QTY),
    F(weir_intent, t_since, TIME),
};
static const char *hold_event_word(unsigned value)
{
    return hold_event_name((enum hold_event)value);
}
static const char *hold_wait_word(unsigned value)
{
    return hold_wait_name((enum hold_wait)value);
}
static const struct field hold[] = {
    F(out_hold, order, U32),
    F(out_hold, other, U32),
    W(out_hold, event, hold_event_word),
    NAMED("waits", out_hold, waits, BITS, hold_wait_word),
    W(out_hold, asked_type, order_type),
    W(out_hold, obstacle, check_word),
    F(out_hold, trigger, PX),
    F(out_hold, price_x2, I64),
    F(out_hold, qty, QTY),
    F(out_hold, visible, QTY),
    F(out_hold, release, TIME),
    F(out_hold, expires, TIME),
};
static const struct field define[] = {
    F(in_define, number, U32),
    F(in_define, name, TEXT),
    F(in_define, parent, U32),
    F(in_define, rights, U32),
};
static const struct field limit[] = {
    W(in_limit, scope, scope_word), F(in_limit, id, SCOPE_ID),  W(in_limit, limit, limit_word),
    W(in_limit, how, limit_how),    F(in_limit, value, AMOUNT),
};
static const char *trading_word(unsigned value)
{
    return trading_state_name((enum trading_state)value);
}
static const struct field trading_state[] = {
    W(in_limit, scope, scope_word),
    F(in_limit, id, SCOPE_ID),
    NAMED("state", in_limit, limit, WORD, trading_word),
};
static const struct field policy[] = {
    W(in_policy, policy, policy_word),
    F(in_policy, value, I64),
};
static const struct field capabilities[] = {
    NAMED("order_types", in_capabilities, order_types, BITS, order_type),
    NAMED("tifs", in_capabilities, tifs, BITS, tif),
    NAMED("order_flags", in_capabilities, order_flags, BITS, order_flag),
    F(in_capabilities, amend, U8),
    F(in_capabilities, emulate, BOOL),
};
static const struct field submit[] = {
    F(in_submit, cid, TEXT),
    F(in_submit, tag, TEXT),
    F(in_submit, strategy, STRATEGY),
    W(in_submit, side, side),
    W(in_submit, type, order_type),
    W(in_submit, tif, tif),
    NAMED("order_flags", in_submit, flags, BITS, order_flag),
    W(in_submit, route, route),
    W(in_submit, asker, asker),
    F(in_submit, qty, QTY),
    F(in_submit, px, PX),
    F(in_submit, trigger, PX),
    F(in_submit, expires, TIME),
    F(in_submit, seen_seq, U64),
    F(in_submit, seen_t, TIME),
    F(in_submit, visible, QTY),
    F(in_submit, release, TIME),
    F(in_submit, link, TEXT),
    W(in_submit, link_kind, link_kind),
};
static const struct field change[] = {
    F(in_change, order, U32),    F(in_change, cid, TEXT),
    F(in_change, new_cid, TEXT), F(in_change, strategy, STRATEGY),
    W(in_change, asker, asker),  NAMED("changes", in_change, change, BITS, change_bit),
    F(in_change, qty, QTY),      F(in_change, px, PX),
    F(in_change, reason, TEXT),  F(in_change, trigger, PX),
};
static const struct field adopt[] = {
    F(in_adopt, qty, QTY),
    F(in_adopt, px, PX),
    W(in_adopt, asker, asker),
    F(in_adopt, reason, TEXT),
};
static const struct field state[] = {F(in_state, value, I64), F(in_state, from, I64)};
static const char *book_state_word(unsigned value)
{
    static const char *const words[] = {
#define X(name) #name,
        BOOK_STATES(X)
#undef X
    };
    return value < BOOK_STATE_COUNT ? words[value] : "?";
}
static const struct field book_state[] = {NAMED("state", in_state, value, WORD, book_state_word)};
static const struct field decision[] = {
    F(out_decision, order, U32),          F(out_decision, cid, TEXT),
    F(out_decision, strategy, STRATEGY),  W(out_decision, of, decision_of),
    F(out_decision, allowed, BOOL),       W(out_decision, reason, check_word),
    F(out_decision, limits_version, U64), TAIL(out_decision, words, READINGS),
};
static const struct field order[] = {
    F(out_order, order, U32),
    F(out_order, cid, TEXT),
    F(out_order, wire_id, TEXT),
    F(out_order, venue_id, TEXT),
    F(out_order, strategy, STRATEGY),
    F(out_order, tag, TEXT),
    W(out_order, label, label),
    F(out_order, reason, TEXT),
    W(out_order, side, side),
    W(out_order, type, order_type),
    W(out_order, tif, tif),
    NAMED("order_flags", out_order, flags, BITS, order_flag),
    W(out_order, route, route),
    F(out_order, qty, QTY),
    F(out_order, px, PX),
    F(out_order, cum_qty, QTY),
    F(out_order, cum_quote, AMOUNT),
    F(out_order, awaiting_fills, BOOL),
    W(out_order, request_refused, refused),
    F(out_order, created, TIME),
    F(out_order, next_cid, TEXT),
    F(out_order, next_qty, QTY),
    F(out_order, next_px, PX),
};
static const struct field execution[] = {
    F(out_execution, order, U32),
    F(out_execution, strategy, STRATEGY),
    F(out_execution, exec_id, TEXT),
    W(out_execution, side, side),
    F(out_execution, qty, QTY),
    F(out_execution, px, PX),
    F(out_execution, fee, AMOUNT),
    F(out_execution, fee_asset, TEXT),
    F(out_execution, internal, BOOL),
    F(out_execution, busted, BOOL),
    W(out_execution, origin, origin),
    F(out_execution, maker, BOOL),
    W(out_execution, stage, exec_stage),
    F(out_execution, position, QTY),
    F(out_execution, strategy_position, QTY),
    F(out_execution, realized, AMOUNT),
    F(out_execution, strategy_realized, AMOUNT),
    F(out_execution, cost, AMOUNT),
    F(out_execution, realized_total, AMOUNT),
    F(out_execution, strategy_realized_total, AMOUNT),
};
static const struct field alert[] = {
    W(out_alert, alert, alert_word), F(out_alert, order, U32), F(out_alert, strategy, STRATEGY),
    F(out_alert, value, I64),        F(out_alert, limit, I64), F(out_alert, text, TEXT),
};
static const struct field out_state_fields[] = {
    W(out_state, of, state_of), W(out_state, scope, scope_word), F(out_state, id, SCOPE_ID),
    F(out_state, value, U8),    F(out_state, reason, TEXT),
};
#define SIZE(member) NAMED(#member, meta_begin, sizes.member, U32, NULL)
static const struct field begin[] = {
    F(meta_begin, layout, U32), SIZE(orders), SIZE(executions), SIZE(client_ids), SIZE(instruments),
    SIZE(strategies),           SIZE(venues), SIZE(accounts),   SIZE(assets),     SIZE(positions),
};
static const struct field end[] = {
    NAMED("last_seq", meta_end, seq, U64, NULL),
    F(meta_end, inputs, U64),
    F(meta_end, effects, U64),
    F(meta_end, hash, HASH),
};
static const struct field build[] = {
    F(side_build, version, TEXT),
    F(side_build, build, TEXT),
    F(side_build, compiler, TEXT),
};
static const struct field plugin[] = {
    F(side_plugin, name, TEXT),
    F(side_plugin, version, TEXT),
    F(side_plugin, sha256, HASH),
};
static const struct field script[] = {
    F(side_script, strategy, STRATEGY),
    F(side_script, version, U32),
    F(side_script, sha256, HASH),
};
static const struct field quarantine[] = {
    F(side_quarantine, strategy, STRATEGY), F(side_quarantine, version, U32),
    F(side_quarantine, outcome, U32),       F(side_quarantine, crashed, U32),
    F(side_quarantine, max_callback, I64),  F(side_quarantine, memory_most, U64),
    F(side_quarantine, reason, TEXT),
};
static const struct field config[] = {
    F(side_config, version, U64),
    F(side_config, sha256, HASH),
    F(side_config, path, TEXT),
};
static const struct field timing[] = {
    F(side_timing, order, U32),
    W(side_timing, stage, stage),
    F(side_timing, after_ns, SPAN),
};

/* --- the table ------------------------------------------------------------------------------- */

#define PART(kind, class, owner, end, name, fields)                     \
    {                                                                   \
        kind, JOURNAL_##class, end, sizeof(struct owner), name, fields, \
            sizeof fields / sizeof fields[0]                            \
    }
#define ROW(kind, class, owner, name, fields) \
    PART(kind, class, owner, sizeof(struct owner), name, fields)
#define BARE(kind, class, name)                                                                \
    {                                                                                          \
        kind, JOURNAL_##class, sizeof(struct weir_msg), sizeof(struct weir_msg), name, NULL, 0 \
    }

/* clang-format off */
static const struct kind kinds[] = {
    ROW(WEIR_INSTRUMENT,      INPUT,  weir_instrument,   "instrument",       instrument),
    ROW(WEIR_BOOK,            INPUT,  weir_book_msg,     "book",             book),
    ROW(WEIR_TOP,             INPUT,  weir_top,          "top",              top),
    ROW(WEIR_TRADE,           INPUT,  weir_trade,        "trade",            trade),
    ROW(WEIR_MARK,            INPUT,  weir_mark,         "mark",             mark),
    ROW(WEIR_INDEX,           INPUT,  weir_mark,         "index",            mark),
    ROW(WEIR_FUNDING_RATE,    INPUT,  weir_funding_rate, "funding_rate",     funding_rate),
    ROW(WEIR_SESSION,         INPUT,  weir_session,      "session",          session),
    ROW(WEIR_RATE_LIMITED,    INPUT,  weir_rate_limited, "rate_limited",     rate_limited),
    ROW(WEIR_ACK,             INPUT,  weir_report,       "ack",              report),
    ROW(WEIR_REJECT,          INPUT,  weir_report,       "reject",           report),
    ROW(WEIR_FILL,            INPUT,  weir_fill,         "fill",             fill),
    ROW(WEIR_CANCELED,        INPUT,  weir_report,       "canceled",         report),
    ROW(WEIR_CANCEL_REJECT,   INPUT,  weir_report,       "cancel_reject",    report),
    ROW(WEIR_EXPIRED,         INPUT,  weir_report,       "expired",          report),
    ROW(WEIR_REPLACED,        INPUT,  weir_report,       "replaced",         report),
    ROW(WEIR_REPLACE_REJECT,  INPUT,  weir_report,       "replace_reject",   report),
    ROW(WEIR_NO_ANSWER,       INPUT,  weir_report,       "no_answer",        report),
    ROW(WEIR_STATUS,          INPUT,  weir_report,       "status",           report),
    ROW(WEIR_BUST,            INPUT,  weir_fill,         "bust",             fill),
    ROW(WEIR_FUNDING,         INPUT,  weir_cash,         "funding",          cash),
    ROW(WEIR_TRANSFER,        INPUT,  weir_cash,         "transfer",         cash),
    BARE(WEIR_RECON_BEGIN,    INPUT,                     "recon_begin"),
    ROW(WEIR_RECON_ORDER,     INPUT,  weir_report,       "recon_order",      report),
    ROW(WEIR_RECON_POSITION,  INPUT,  weir_cash,         "recon_position",   cash),
    ROW(WEIR_RECON_BALANCE,   INPUT,  weir_cash,         "recon_balance",    cash),
    BARE(WEIR_RECON_END,      INPUT,                     "recon_end"),
    ROW(IN_DEFINE_VENUE,      INPUT,  in_define,         "define_venue",     define),
    ROW(IN_DEFINE_ACCOUNT,    INPUT,  in_define,         "define_account",   define),
    ROW(IN_DEFINE_GROUP,      INPUT,  in_define,         "define_group",     define),
    ROW(IN_DEFINE_STRATEGY,   INPUT,  in_define,         "define_strategy",  define),
    ROW(IN_LIMIT,             INPUT,  in_limit,          "limit",            limit),
    ROW(IN_POLICY,            INPUT,  in_policy,         "policy",           policy),
    ROW(IN_WALLET,            INPUT,  weir_cash,         "wallet",           cash),
    ROW(IN_CAPABILITIES,      INPUT,  in_capabilities,   "capabilities",     capabilities),
    PART(IN_SUBMIT,           INPUT,  in_submit, offsetof(struct in_submit, visible), "submit", submit),
    PART(IN_CANCEL, INPUT, in_change, offsetof(struct in_change, trigger), "cancel", change),
    PART(IN_REPLACE, INPUT, in_change, offsetof(struct in_change, trigger), "replace", change),
    PART(IN_CANCEL_MANY, INPUT, in_change, offsetof(struct in_change, trigger), "cancel_many", change),
    PART(IN_KILL, INPUT, in_change, offsetof(struct in_change, trigger), "kill", change),
    PART(IN_RELEASE, INPUT, in_change, offsetof(struct in_change, trigger), "release", change),
    ROW(IN_TRADING_STATE,     INPUT,  in_limit,          "trading_state",    trading_state),
    ROW(IN_ADOPT_POSITION,    INPUT,  in_adopt,          "adopt_position",   adopt),
    BARE(IN_TICK,             INPUT,                     "tick"),
    BARE(IN_RESTARTED,        INPUT,                     "restarted"),
    ROW(IN_BOOK_STATE,        INPUT,  in_state,          "book_state",       book_state),
    ROW(IN_CLOCK_JUMP,        INPUT,  in_state,          "clock_jump",       state),
    ROW(IN_JOURNAL_STATE,     INPUT,  in_state,          "journal_state",    state),
    ROW(IN_ID_BLOCK,          INPUT,  in_state,          "id_block",         state),
    ROW(IN_VENUE_CLOCK,       INPUT,  in_state,          "venue_clock",      state),
    ROW(WEIR_NEW,             EFFECT, weir_intent,       "send_new",         intent),
    ROW(WEIR_CANCEL,          EFFECT, weir_intent,       "send_cancel",      intent),
    ROW(WEIR_REPLACE,         EFFECT, weir_intent,       "send_replace",     intent),
    ROW(WEIR_CANCEL_ALL,      EFFECT, weir_intent,       "send_cancel_all",  intent),
    ROW(WEIR_QUERY_ORDER,     EFFECT, weir_intent,       "send_query_order", intent),
    ROW(WEIR_QUERY_FILLS,     EFFECT, weir_intent,       "send_query_fills", intent),
    ROW(WEIR_RECONCILE,       EFFECT, weir_intent,       "send_reconcile",   intent),
    ROW(WEIR_RESYNC,          EFFECT, weir_intent,       "send_resync",      intent),
    ROW(WEIR_SUBSCRIBE,       EFFECT, weir_intent,       "send_subscribe",   intent),
    ROW(OUT_DECISION,         EFFECT, out_decision,      "decision",         decision),
    PART(OUT_ORDER,           EFFECT, out_order, offsetof(struct out_order, next_cid), "order", order),
    ROW(OUT_EXECUTION,        EFFECT, out_execution,     "execution",        execution),
    ROW(OUT_ALERT,            EFFECT, out_alert,         "alert",            alert),
    ROW(OUT_STATE,            EFFECT, out_state,         "state",            out_state_fields),
    ROW(OUT_HOLD,             EFFECT, out_hold,          "hold",             hold),
    ROW(META_BEGIN,           META,   meta_begin,        "begin",            begin),
    ROW(META_RESUMED,         META,   meta_begin,        "resumed",          begin),
    ROW(META_END,             META,   meta_end,          "end",              end),
    ROW(SIDE_BUILD,           SIDE,   side_build,        "build",            build),
    ROW(SIDE_PLUGIN,          SIDE,   side_plugin,       "plugin",           plugin),
    ROW(SIDE_CONFIG,          SIDE,   side_config,       "config",           config),
    ROW(SIDE_TIMING,          SIDE,   side_timing,       "timing",           timing),
    ROW(SIDE_SCRIPT,          SIDE,   side_script,       "script",           script),
    ROW(SIDE_QUARANTINE,      SIDE,   side_quarantine,   "quarantine",       quarantine),
};
/* clang-format on */

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0], KIND_MAX = META_BEGIN + 256 };

const struct kind *kind_at(size_t index)
{
    return index < KIND_COUNT ? &kinds[index] : NULL;
}

const struct kind *kind_find(uint16_t kind)
{
    static uint8_t rows[KIND_MAX]; /* index + 1; the same whoever fills it */
    static bool filled;
    if (!__atomic_load_n(&filled, __ATOMIC_ACQUIRE)) {
        for (size_t i = 0; i < KIND_COUNT; i++)
            __atomic_store_n(&rows[kinds[i].kind], (uint8_t)(i + 1), __ATOMIC_RELAXED);
        __atomic_store_n(&filled, true, __ATOMIC_RELEASE);
    }
    uint8_t row = kind < KIND_MAX ? __atomic_load_n(&rows[kind], __ATOMIC_RELAXED) : 0;
    return row > 0 ? &kinds[row - 1] : NULL;
}

/* What a message with a list at its end says that it holds; others: the least of their kind. Of a decision
 * one word more than there are, if its entries do not end where it does. */
static uint64_t size_told(const struct kind *kind, const struct weir_msg *msg)
{
    if (kind->kind == WEIR_BOOK) {
        const struct weir_book_msg *b = (const struct weir_book_msg *)(const void *)msg;
        return sizeof *b + ((uint64_t)b->bids + b->asks) * sizeof b->levels[0];
    }
    if (kind->kind == OUT_DECISION) {
        const struct out_decision *d = (const struct out_decision *)(const void *)msg;
        return msg->size + (decision_is_whole(d, msg->size) ? 0 : sizeof d->words[0]);
    }
    return kind->size;
}

enum weir_err message_check(enum journal_class class, const struct weir_msg *msg, uint64_t bytes,
                            struct why *why)
{
    if (bytes < sizeof *msg || msg->size != bytes)
        return because(why, WEIR_E_CORRUPT, "a message of %llu bytes says it has %u",
                       (unsigned long long)bytes, (unsigned)msg->size);
    const struct kind *kind = kind_find(msg->kind);
    if (!kind)
        return because(
            why, WEIR_E_UNSUPPORTED,
            "a message of kind %u, which this build does not know (a newer weir wrote it?)",
            (unsigned)msg->kind);
    if (kind->class != class)
        return because(why, WEIR_E_CORRUPT, "a message `%s` as %s, expected as %s", kind->name,
                       journal_class_name(class),
                       journal_class_name((enum journal_class)kind->class));
    uint64_t least = kind->size;
    if (bytes >= least)
        least = size_told(kind, msg);
    if (bytes < least)
        return because(why, WEIR_E_CORRUPT, "a message `%s` of %llu bytes, expected %llu or more",
                       kind->name, (unsigned long long)bytes, (unsigned long long)least);
    return WEIR_OK;
}

uint32_t journal_layout(void)
{
    uint32_t sum = sizeof(struct weir_level) + sizeof(struct reading_head) * 31u;
    for (size_t i = 0; i < KIND_COUNT; i++)
        sum = sum * 31u + kinds[i].kind * 7u + kinds[i].full;
    return sum;
}
