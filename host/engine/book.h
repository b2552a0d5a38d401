/* book.h - the price levels of one instrument at one venue.
 *
 * A pure data structure: sequence rules and states live in venue/feed.h, which owns the only
 * writers. Each side is a window of ticks around the best price with a two-level bitmap (cost of an
 * update does not grow with depth), and a sorted overflow for levels far away; nothing is pruned.
 * Prices are counts of 10^-price_exp. The window needs a tick to be dense: without one (tick 0) the
 * book learns it, as the greatest common divisor of the prices it sees. Answers never depend on the
 * window or the tick, only times do. Memory is the owner's: book_bytes().        [engine thread] */
#ifndef WEIR_ENGINE_BOOK_H
#define WEIR_ENGINE_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/error.h"
#include "weir/event.h"

struct book;

/* window: ticks a side, a power of two, 64 to 2^20. far: more levels a side; a side holds at most
 * window + far. */
size_t book_bytes(uint32_t window, uint32_t far);
/* memory: 64-aligned, zeroed, and not moved afterwards. tick 0: not known. */
struct book *book_init(void *memory, uint32_t window, uint32_t far, weir_px tick);
void book_clear(struct book *book); /* no levels; a learned tick is forgotten */

/* The venue has another tick now (0: not known). Levels stay, wherever they are. */
void book_retick(struct book *book, weir_px tick);

/* Set one level; qty 0 removes it (removing one that is not there is fine). E_FULL: no room, nothing
 * changed. E_BAD_NUMBER: px <= 0 or qty < 0, nothing changed. */
enum weir_err book_set(struct book *book, enum weir_side side, weir_px px,
                       weir_qty qty) WEIR_MUST_USE;

/* Many levels of one side, in order, at less cost each; an error ends it at the level it is of. */
enum weir_err book_put(struct book *book, enum weir_side side, const struct weir_level *levels,
                       uint32_t count) WEIR_MUST_USE;

/* Let the worst levels of a side go, until it has at most `count`. */
void book_keep(struct book *book, enum weir_side side, uint32_t count);

bool book_best(const struct book *book, enum weir_side side, struct weir_level *level_out);
/* The next level away from the best after px; false: none. Start with book_best. */
bool book_next(const struct book *book, enum weir_side side, weir_px px,
               struct weir_level *level_out);
weir_qty book_at(const struct book *book, enum weir_side side, weir_px px); /* 0: no such level */
uint32_t book_levels(const struct book *book, enum weir_side side);
bool book_crossed(const struct book *book); /* best bid > best ask */
bool book_locked(const struct book *book);  /* best bid = best ask */

/* How it is laid out, for tests and reports. */
struct book_shape {
    weir_px unit;     /* of the window: the tick, given or learned; 0: nothing seen yet */
    uint32_t near[2]; /* levels in the window */
    uint32_t far[2];  /* levels in the overflow */
    uint64_t moves;   /* how often a window was laid anew */
};
struct book_shape book_shape(const struct book *book);

#endif
