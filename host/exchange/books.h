/* books.h - what the exchange knows of one account, for ever: the other side of the host's journal.
 *
 * It is written down from what clients asked and from what the venue said before any fault could
 * touch it; the rows of a reconciliation are taken over where the venue said nothing (its own
 * settings can make it lose answers). The venue itself forgets old orders; this does not. */
#ifndef WEIR_EXCHANGE_BOOKS_H
#define WEIR_EXCHANGE_BOOKS_H

#include "base/text.h"
#include "weir/event.h"

struct books;

struct books *books_create(void);        /* NULL: no memory */
void books_destroy(struct books *books); /* accepts NULL */

/* False: no memory; the books are not complete from then on, and say so. */
void books_request(struct books *books, const struct weir_intent *intent);
void books_event(struct books *books, const struct weir_msg *event);

/* {"complete","orders":[...],"executions":[...],"positions":[...],"balances":[...]} */
void books_json(const struct books *books, struct text *out);

#endif
