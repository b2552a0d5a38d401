/* orderfacts.h - what a recording says of a market that is shown order by order (level 3): queues as
 * they were, what cannot be (ghosts, removals of unknown orders), and whether the first in a queue is
 * the first to be filled.
 *
 * What is kept is the orders that rest, one row for each fill and each order that traded (both up to a
 * limit, and what is over it is counted), and one row each 50,000 messages. [one thread] */
#ifndef WEIR_SIM_ORDERFACTS_H
#define WEIR_SIM_ORDERFACTS_H

#include "base/text.h"
#include "venue/queues.h"

struct orderfacts;

struct orderfacts *orderfacts_create(void); /* NULL: no memory */
void orderfacts_destroy(struct orderfacts *facts);

/* A message with its receive time; MATCH is of a trade and no row of the book. False: no memory. */
bool orderfacts_take(struct orderfacts *facts, const struct weir_l3 *order, weir_ns t);

/* Members of an object that is open. */
void orderfacts_json(struct orderfacts *facts, int px_exp, int qty_exp, struct text *out);
/* How many different orders traded. */
void orderfacts_json_traders(struct orderfacts *facts, struct text *out);

#endif
