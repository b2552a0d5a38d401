/* lists.h - the engine's vocabulary, each word once: states, checks, limits, alerts, policies.
 *
 * The C enums, the names in journal, API, Lua, config and metrics, and `weir describe checks` are
 * made from these lists. Numbers are part of the journal format: new lines go at the end of a list
 * (checks have their order of evaluation in a table of risk.c). */
#ifndef WEIR_ENGINE_LISTS_H
#define WEIR_ENGINE_LISTS_H

#include <stdint.h>

/* Public labels of an order; derived from what the order is and which requests are open on it. */
#define ORDER_LABELS(X)                                                  \
    X(PENDING_NEW, "sent, no answer yet")                                \
    X(OPEN, "accepted, nothing filled")                                  \
    X(PARTIAL, "accepted, part filled")                                  \
    X(PENDING_CANCEL, "cancel sent, no answer yet")                      \
    X(PENDING_REPLACE, "replace sent, no answer yet")                    \
    X(UNKNOWN, "outcome in doubt; only the venue's evidence ends this")  \
    X(HELD, "kept by the host: trigger, schedule or throttle lane")      \
    X(FILLED, "executed in full")                                        \
    X(CANCELED, "canceled")                                              \
    X(EXPIRED, "ended by the venue")                                     \
    X(REJECTED, "refused by the venue, or proved never to have arrived") \
    X(DENIED, "refused by the host; never sent")
enum order_label {
#define X(name, text) ORDER_##name,
    ORDER_LABELS(X)
#undef X
        ORDER_LABEL_COUNT
};
static inline int order_label_is_done(enum order_label label)
{
    return label >= ORDER_FILLED;
}

/* Checks in the order of the contract (scenarios/README.md), then the host's own. The first that
 * fails names the reason of DENIED. */
#define RISK_CHECKS(X)                                                          \
    X(KILL_SWITCH, "the kill switch is pulled")                                 \
    X(DUP_CLIENT_ID, "this client id was used before")                          \
    X(RECONCILING, "the account is being reconciled with the venue")            \
    X(HALTED, "the instrument is halted, by the venue or by a mismatch")        \
    X(VENUE_DOWN, "the private stream of the venue is down")                    \
    X(VENUE_BACKOFF, "the venue asked us to wait")                              \
    X(TICK, "price is not a positive multiple of the tick")                     \
    X(STEP, "quantity is not a positive multiple of the step")                  \
    X(MIN_NOTIONAL, "price times quantity is below the venue's minimum")        \
    X(PRICE_BAND, "price is too far from the reference")                        \
    X(STALE_BOOK, "market data of the instrument is stale")                     \
    X(MAX_ORDER_QTY, "order quantity")                                          \
    X(MAX_ORDER_NOTIONAL, "order price times quantity")                         \
    X(REDUCE_ONLY, "a reduce-only order that would not only reduce")            \
    X(MAX_POSITION, "position with the worst case of all orders of this side")  \
    X(MAX_OPEN_ORDERS, "live orders at the venue")                              \
    X(INSUFFICIENT_BALANCE, "wallet total against this and all working orders") \
    X(SELF_CROSS, "would meet an order of our own")                             \
    X(THROTTLED, "orders and replaces in the window")                           \
    X(RIGHTS, "the asker may not send orders here")                             \
    X(UNKNOWN_INSTRUMENT, "no such instrument at this venue")                   \
    X(JOURNAL, "the journal cannot hold new risk")                              \
    X(NO_LIMIT, "a limit has not been given; a missing limit refuses")          \
    X(NO_REFERENCE, "no reference price; a missing reference refuses")          \
    X(CAPABILITY, "the venue cannot do this, and config does not emulate it")   \
    X(CAPACITY, "the host's tables are full")                                   \
    X(TRADING_STATE, "a scope is REDUCE_ONLY, CANCEL_ONLY or HALTED")           \
    X(BAD_REQUEST, "the request itself cannot be understood")                   \
    X(LINK, "the order that it is linked to is not known, another's, or over")  \
    FURTHER_CHECKS(X)
/* Only where their limit is given; in the order of the table in further.c. */
#define FURTHER_CHECKS(X)                                                              \
    X(MAX_SPREAD, "best bid and ask are too far apart")                                \
    X(MAX_IMPACT, "it would take too much of what the best price shows")               \
    X(MAX_VOLATILITY, "the reference moved too far within two minutes")                \
    X(MAX_OPEN_NOTIONAL, "worth of all open and held orders")                          \
    X(MAX_GROSS, "worth of all positions with the worst case of their orders")         \
    X(MAX_NET, "worth of long less short positions, with this order")                  \
    X(MAX_ASSET_QTY, "position in one base asset over all instruments")                \
    X(MAX_CONCENTRATION, "part of one instrument in all that the scope is exposed to") \
    X(MAX_LEVERAGE, "exposure by what the account has of the quote asset")             \
    X(MAX_WINDOW_NOTIONAL, "worth of the orders sent in the throttle's window")        \
    X(MAX_ORDER_TRADE_RATIO, "orders and replaces sent today by executions")           \
    X(MAX_REPEATS, "the same order again and again, each within a second")             \
    X(MAX_ORDERS_DAY, "orders and replaces sent today")                                \
    X(MAX_DAY_LOSS, "loss since the day began")                                        \
    X(MAX_DRAWDOWN, "loss since profit and loss was best")                             \
    X(MAX_LOSING_STREAK, "executions in a row that lost")                              \
    X(MAX_UNKNOWN_ORDERS, "orders in doubt")                                           \
    X(MAX_UNKNOWN_NOTIONAL, "worth of orders in doubt")                                \
    X(MAX_CLOCK_OFFSET, "the venue's clock is too far from ours, or not known")        \
    X(MAX_WINDOW_LOSS, "loss since one to two windows ago")
#define ONE_MORE(name, text) +1
enum { FURTHER_CHECK_COUNT = 0 FURTHER_CHECKS(ONE_MORE) };
enum risk_check {
#define X(name, text) CHECK_##name,
    RISK_CHECKS(X)
#undef X
        RISK_CHECK_COUNT
};

/* Limits as config and scenarios name them; a value is an exact decimal. Money is in the quote asset. */
#define RISK_LIMITS(X) CORE_LIMITS(X) FURTHER_LIMITS(X)
#define CORE_LIMITS(X)                                                                     \
    X(max_order_qty, "largest quantity of one order")                                      \
    X(max_order_notional, "largest price * quantity * multiplier of one order")            \
    X(max_position, "largest |position + worst case of all orders|, each side on its own") \
    X(price_band_pct, "largest distance of a price from the reference, in percent of it")  \
    X(max_open_orders, "most live orders at the venue")                                    \
    X(max_loss, "realized + unrealized at or below minus this pulls the kill switch")      \
    X(check_balance, "1: spot orders must be covered by the wallet")                       \
    X(self_cross, "1: an order that would meet an own live order is denied")               \
    X(throttle_max, "most orders and replaces sent in throttle_window_ms")                 \
    X(throttle_window_ms, "length of the throttle's sliding window, milliseconds")
/* Beyond the contract's. The engine takes them as none until one is given; a configuration gives each.
 * See the checks of the same names. */
#define FURTHER_LIMITS(X)                                                                    \
    X(max_spread_pct, "ask less bid in percent of their middle, when an order goes out")     \
    X(max_impact_pct, "quantity of an order that takes, in percent of the best price's")     \
    X(max_volatility_pct, "highest less lowest reference of this minute and the last, in %") \
    X(max_open_notional, "price * quantity of all orders that are open or held")             \
    X(max_gross, "sum of |position with the worst case of its orders| at the reference")     \
    X(max_net, "|sum of positions, long less short|, at the reference")                      \
    X(max_asset_qty, "|position| in one base asset, over instruments and venues")            \
    X(max_concentration_pct, "one instrument's part of max_gross's sum, in percent")         \
    X(max_leverage, "max_gross's sum by the wallet's total of the quote asset")              \
    X(max_window_notional, "price * quantity sent in one to two throttle_window_ms")         \
    X(max_order_trade_ratio, "sends by executions today, from the 100th send on")            \
    X(max_repeats, "equal orders in a row, each within a second of the one before")          \
    X(max_orders_day, "orders and replaces sent since the day began (policy day_ends)")      \
    X(max_day_loss, "loss since the day began; also watched (policy on_day_loss)")           \
    X(max_drawdown, "loss since the best; also watched (policy on_drawdown)")                \
    X(max_losing_streak, "executions in a row that lost; also watched (on_losing_streak)")   \
    X(max_trade_loss, "loss of one execution; only watched (policy on_trade_loss)")          \
    X(max_unknown_orders, "orders in doubt")                                                 \
    X(max_unknown_notional, "price * quantity of orders in doubt")                           \
    X(max_clock_offset_ms, "|venue's clock less ours|; one that it never told is too far")   \
    X(max_window_loss, "loss within the last one to two windows (policy loss_window)")
enum { FURTHER_LIMIT_COUNT = 0 FURTHER_LIMITS(ONE_MORE) };
enum risk_limit {
#define X(name, text) LIMIT_##name,
    RISK_LIMITS(X)
#undef X
        RISK_LIMIT_COUNT,
    CORE_LIMIT_COUNT = RISK_LIMIT_COUNT - FURTHER_LIMIT_COUNT /* these must be given, live */
};

/* Where a limit, a trading state or a reading belongs; wider first. */
#define RISK_SCOPES(X) X(host) X(venue) X(account) X(group) X(strategy) X(instrument)
enum risk_scope {
#define X(name) SCOPE_##name,
    RISK_SCOPES(X)
#undef X
        RISK_SCOPE_COUNT
};

#define TRADING_STATES(X)                                \
    X(ACTIVE, "orders are allowed")                      \
    X(REDUCE_ONLY, "only orders that reduce a position") \
    X(CANCEL_ONLY, "only cancels")                       \
    X(HALTED_STATE, "only cancels; set by a person or a check")
enum trading_state {
#define X(name, text) TRADING_##name,
    TRADING_STATES(X)
#undef X
        TRADING_STATE_COUNT
};

/* How far the kill switch is. */
#define KILL_STAGES(X)                                                                   \
    X(OFF, "not pulled")                                                                 \
    X(PULLED, "pulled; what is not proven to have ended has a name, engine_kill_open()") \
    X(PROVEN, "pulled, and the venue's own words say that nothing of ours works")
enum kill_stage {
#define X(name, text) KILL_##name,
    KILL_STAGES(X)
#undef X
        KILL_STAGE_COUNT
};

/* Why the kill switch is not proven. */
#define KILL_OBSTACLES(X)                                                      \
    X(VENUE_DOWN, "the private stream is down: what is sent may not arrive")   \
    X(BACKOFF, "the venue asked us to wait")                                   \
    X(NO_ANSWER, "the cancel has no answer yet")                               \
    X(SILENT, "the cancel had no answer in time; the venue is asked")          \
    X(REFUSED, "the venue refused the cancel, and is asked")                   \
    X(IN_DOUBT, "only the venue knows whether it works")                       \
    X(REPLACE_OPEN, "it has ended, but a replace on its way may make it work") \
    X(NOT_LISTED_YET, "the venue has not answered with a list since")          \
    X(LISTED, "the venue's last list has orders that work")
enum kill_obstacle {
#define X(name, text) KILL_BY_##name,
    KILL_OBSTACLES(X)
#undef X
        KILL_OBSTACLE_COUNT
};

/* What an order that the host keeps waits for. */
#define HOLD_WAITS(X)                                                         \
    X(PARENT, "the order that it follows has nothing filled, or is not done") \
    X(TIME, "the time before which it may not go")                            \
    X(TRIGGER, "a price")                                                     \
    X(SLICES, "it is sent slice by slice, one at a time")                     \
    X(LANE, "its turn: pace, or a venue that cannot take it now")
enum hold_wait {
#define X(name, text) WAIT_##name##_BIT,
    HOLD_WAITS(X)
#undef X
        HOLD_WAIT_COUNT
};
enum {
#define X(name, text) WAIT_##name = 1 << WAIT_##name##_BIT,
    HOLD_WAITS(X)
#undef X
};

#define HOLD_EVENTS(X)                                           \
    X(HELD, "it is kept here")                                   \
    X(FIRED, "the price came")                                   \
    X(SLICED, "a slice of it goes out")                          \
    X(REDUCED, "another one was filled, of which one is enough") \
    X(QUEUED, "it was refused for now, and waits for its turn")  \
    X(MOVED, "it waits for another price from now on")           \
    X(EXPIRED, "its time is over, so it ends here")              \
    X(WAITS, "one of what it waits for has come")
enum hold_event {
#define X(name, text) HOLD_##name,
    HOLD_EVENTS(X)
#undef X
        HOLD_EVENT_COUNT
};

#define ALERTS(X)                                                               \
    X(DUP_CLIENT_ID, "a client id was submitted twice; the second was dropped") \
    X(PROTOCOL, "the venue contradicts itself")                                 \
    X(OVERFILL, "more was executed than asked")                                 \
    X(LATE_FILL, "an execution on an order that had ended")                     \
    X(EXTERNAL_FILL, "an execution that is not of an order known here")         \
    X(EXTERNAL_ORDER, "an order at the venue that is not known here")           \
    X(MISSING_FILLS, "the venue executed more than was reported")               \
    X(UNKNOWN_ORDER, "the outcome of a request is in doubt")                    \
    X(SEQ_GAP, "the private stream skipped a number")                           \
    X(STREAM_DOWN, "the private stream is lost")                                \
    X(POSITION_MISMATCH, "the venue's position differs from our books")         \
    X(BALANCE_MISMATCH, "the venue's balance differs from our books")           \
    X(RATE_LIMITED, "the venue refused a request for pace")                     \
    X(BAD_PRICE, "a price of zero or less was thrown away")                     \
    X(STALE_BOOK, "market data is stale")                                       \
    X(MAX_LOSS, "the loss limit is reached")                                    \
    X(CLOCK_JUMP, "the wall clock jumped")                                      \
    X(TRADE_BUST, "the venue undid an execution")                               \
    X(KILL_SWITCH, "the kill switch was pulled")                                \
    X(JOURNAL_FAILED, "the journal cannot be written")                          \
    X(ANOMALY, "an event that does not fit the state of its order")             \
    X(CAPACITY, "a table of the engine is full")                                \
    X(HELD_STALE, "held orders wait for a price that is stale")                 \
    X(GUARD, "what is watched all the time is over its limit")
enum alert {
#define X(name, text) ALERT_##name,
    ALERTS(X)
#undef X
        ALERT_COUNT
};

/* What is watched all the time, and what is done then if a policy on_NAME, of which there is one for each
 * in this order, says nothing else. */
#define GUARDS(X)                                                                          \
    X(mismatch, "the venue's position differs from our books", alarm)                      \
    X(stale_data, "market data of an instrument became stale while it is held", alarm)     \
    X(clock_step, "the wall clock jumped by more than policy clock_step", alarm)           \
    X(journal_lag, "the journal cannot follow, or cannot be written", alarm)               \
    X(slow_ack, "an acknowledgement took longer than policy slow_ack", alarm)              \
    X(trade_loss, "an execution lost more than max_trade_loss", alarm)                     \
    X(runaway_fills, "more executions in a second than policy runaway_fills allows", halt) \
    X(day_loss, "over max_day_loss", halt)                                                 \
    X(drawdown, "over max_drawdown", halt)                                                 \
    X(losing_streak, "over max_losing_streak", disarm)
enum guard {
#define X(name, text, action) GUARD_##name,
    GUARDS(X)
#undef X
        GUARD_COUNT
};
#define GUARD_ACTIONS(X)                                                                          \
    X(alarm, "an alert")                                                                          \
    X(reduce_only, "and the scope is REDUCE_ONLY")                                                \
    X(disarm, "and the scope's orders are canceled, it is CANCEL_ONLY")                           \
    X(halt, "and the scope's orders are canceled, it is HALTED")                                  \
    X(flatten, "and the scope's orders are canceled, it is REDUCE_ONLY, and market orders close " \
               "what its strategies hold")
enum guard_action {
#define X(name, text) ACTION_##name,
    GUARD_ACTIONS(X)
#undef X
        GUARD_ACTION_COUNT
};

/* Settings of the engine, given as inputs (WEIR_POLICY). */
#define POLICIES(X)                                                                               \
    X(not_found_confirm, "NOT_FOUND answers that prove an order never arrived")                   \
    X(not_found_after_ns, "and the least age of the order, ns")                                   \
    X(strict, "1: live rules (a missing limit or reference refuses); 0: scenario rules")          \
    X(instance, "number of this host, 0..1679615 (four base-36 digits of each client order id)")  \
    X(wait_for_ack_ns, "how long a fill that names only a venue id waits for its order's ack")    \
    X(query_first_ns, "first delay of the resolver's next question")                              \
    X(query_most_ns, "largest delay of the resolver's backoff, reached by doubling")              \
    X(query_rest_ns, "and from then on one question each this long, for ever")                    \
    X(kill_answer_ns,                                                                             \
      "killed: a cancel without an answer for so long is asked about; 0: only when told")         \
    X(trigger_by, "price that fires held orders: 0 the reference, 1 the last trade")              \
    X(day_ends_ns, "when a day ends, for DAY orders: ns after midnight UTC")                      \
    X(pace_queue, "1: an order that is too early for the pace is held until its turn; 0: denied") \
    X(on_mismatch, "enum guard_action, likewise the following")                                   \
    X(on_stale_data, "")                                                                          \
    X(on_clock_step, "")                                                                          \
    X(on_journal_lag, "")                                                                         \
    X(on_slow_ack, "")                                                                            \
    X(on_trade_loss, "")                                                                          \
    X(on_runaway_fills, "")                                                                       \
    X(on_day_loss, "")                                                                            \
    X(on_drawdown, "")                                                                            \
    X(on_losing_streak, "")                                                                       \
    X(clock_step_ns, "guard clock_step: a larger step of the wall clock; 0: none")                \
    X(slow_ack_ns, "guard slow_ack: a later acknowledgement; 0: none")                            \
    X(runaway_fills, "guard runaway_fills: more executions of a strategy in a second; 0: none")   \
    X(reconcile_every_ns,                                                                         \
      "the venue is asked for everything again so long after the last; 0: never")                 \
    X(loss_window_ns, "window of limit max_window_loss")                                          \
    X(market_cap,                                                                                 \
      "market orders go out as IOC limits so far behind the reference, 10^-9 of it; 0: plain")
enum policy {
#define X(name, text) POLICY_##name,
    POLICIES(X)
#undef X
        POLICY_COUNT
};

/* Names from the lists above; "?" outside. In lists.c. */
const char *order_label_name(enum order_label label);
const char *risk_check_name(enum risk_check check);
const char *risk_limit_name(enum risk_limit limit);
const char *risk_scope_name(enum risk_scope scope);
const char *trading_state_name(enum trading_state state);
const char *alert_name(enum alert alert);
const char *policy_name(enum policy policy);
const char *kill_stage_name(enum kill_stage stage);
const char *kill_obstacle_name(enum kill_obstacle obstacle);
const char *kill_obstacle_text(enum kill_obstacle obstacle);
const char *hold_wait_name(enum hold_wait wait);
const char *hold_event_name(enum hold_event event);
const char *guard_name(enum guard guard);
const char *guard_action_name(enum guard_action action);
const char *risk_check_text(enum risk_check check);
const char *alert_text(enum alert alert);

#endif
