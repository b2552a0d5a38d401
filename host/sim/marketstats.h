/* marketstats.h - what a recording says about each market: its books, trades, bars, and how they fit.
 *
 * A collector of facts: whoever runs the sessions tells it of messages, books, tops and trades, and
 * it prints them under the names that people compare by. All sums are exact. What is kept does not
 * grow with the recording, but for one row each 10,000 messages (checkpoints) and each minute
 * with a trade (bars), both up to a limit that is told. [one thread] */
#ifndef WEIR_SIM_MARKETSTATS_H
#define WEIR_SIM_MARKETSTATS_H

#include <stdbool.h>

#include "base/text.h"
#include "engine/book.h"
#include "venue/venue.h"

/* How facts are named: as for recordings of one stream, or as for captures of a whole session. */
enum naming { NAMING_STREAM = 0, NAMING_CAPTURE };

struct marketstats;
struct market; /* of one symbol at one market of a venue */

struct marketstats *marketstats_create(void); /* NULL: no memory */
void marketstats_destroy(struct marketstats *stats);

/* The market of that name, made at the first call. NULL: no memory. */
struct market *marketstats_of(struct marketstats *stats, enum naming naming, const char *market,
                              const char *symbol);

const char *market_symbol(const struct market *market);

/* The places of its numbers; before the first number of it. */
void market_places(struct market *market, int px_exp, int qty_exp);

/* What the venue calls the sequence numbers of its books, last_seq and first_seq; NULL: nothing. The
 * texts are borrowed. */
void market_seq_names(struct market *market, const char *last, const char *first);

/* A message begins: whose place in which file. type: as the venue calls it, "" if it has no name. */
void market_begin(struct market *market, const char *file, uint64_t line, weir_ns t,
                  const char *type);
/* Where the message came from: the file's name of the connection, the venue's name of the stream ("":
 * none); both are borrowed until market_end or the next message. Before market_begin. */
void market_from(struct market *market, const char *conn, const char *stream);
/* The frame has been taken: the names that it lent are forgotten. */
void market_left(struct market *market);
/* All that the message did was told (book: NULL while there is none). It need be called only when it
 * is due, for a checkpoint. */
bool market_is_due(const struct market *market);
void market_end(struct market *market, const struct book *book, uint64_t last_seq);

/* A book message was applied, and this is the book then. */
void market_book(struct market *market, const struct weir_book_msg *msg, const struct book *book);
void market_top(struct market *market, const struct weir_top *top);
void market_trade(struct market *market, const struct weir_trade *trade, weir_ns t);

/* One order, out of a message of that receive time. False: no memory. */
bool market_order(struct market *market, const struct weir_l3 *order, weir_ns t);

/* The end: what the book machine counted, its state and its book (NULL: none). Both are read by
 * marketstats_json and marketstats_table, so they come soon after. */
void market_close(struct market *market, const struct feed_counts *counts, enum book_state state,
                  const struct book *book);

/* What the venue last said of the market beside its book. */
void market_marks(struct market *market, const struct session_marks *marks);

/* Members "books", "trades", "l3" (markets that are shown order by order) and "streams" of an object that is open. */
void marketstats_json(const struct marketstats *stats, struct text *out);
/* For people: a line each. */
void marketstats_table(const struct marketstats *stats, struct text *out);

/* n / d with so many places, rounded half to even, all places shown. d > 0, n >= 0. */
size_t ratio_text(amount n, amount d, int places, char *text);

#endif
