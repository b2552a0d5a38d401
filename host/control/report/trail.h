/* trail.h - what a run did, as two hashes: its orders, and its executions.
 *
 * `orders_hash` is the SHA-256 over all OUT_ORDER effects in order, `fills_hash` over all OUT_EXECUTION
 * effects, each with `cause` zeroed (the number of an input in the journal, which depends on how much
 * market data was worth an input). `weir run` and `weir backtest` print both: the same strategy on the
 * same recording gives the same orders and fills in either. The whole trail, all inputs and effects,
 * is the `journal_hash`, whether a journal is kept or not.                      [engine thread] */
#ifndef WEIR_CONTROL_REPORT_TRAIL_H
#define WEIR_CONTROL_REPORT_TRAIL_H

#include "base/text.h"
#include "base/why.h"
#include "weir/event.h"

struct trail;

/* whole: with the hash of everything, which costs more than the two. NULL: no memory. */
struct trail *trail_create(bool whole);
void trail_destroy(struct trail *trail); /* accepts NULL */
void trail_input(struct trail *trail, const struct weir_msg *input);
void trail_effect(struct trail *trail, const struct weir_msg *effect);
/* The hash that a journal of the same inputs and effects has: 64 hex digits and a zero. */
void trail_whole(const struct trail *trail, char hex[65]);
/* Members "orders_hash" and "fills_hash". */
void trail_json(const struct trail *trail, struct text *out);

#endif
