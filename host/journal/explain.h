/* explain.h - `weir why`: the whole path of one order, from the journal alone.
 *
 * What was seen, who asked, each check with its reading and limit, what was sent and how long after
 * the wish, what the venue answered, executions with their effect on the position, cancels, alerts.
 * Reads a journal that is being written as well. [any thread, cold] */
#ifndef WEIR_JOURNAL_EXPLAIN_H
#define WEIR_JOURNAL_EXPLAIN_H

#include "base/text.h"
#include "base/why.h"

/* order: any name it has had, its wire id, its id at the venue, or its number here; names go before
 * numbers, and of several the youngest is meant. Lines for a person, or one JSON document.
 * E_NOT_FOUND: no such order in this journal. */
enum weir_err explain(const char *folder, const char *order, bool json, struct text *out,
                      struct why *why) WEIR_MUST_USE;

#endif
