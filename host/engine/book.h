/* book.h - the price levels of one instrument at one venue.
 *
 * A pure data structure: sequence rules and states live in venue/feed.h, which owns the only
 * writers. Each side is a window of ticks around the best price with a two-level bitmap (cost of an
 * update does not grow with depth), and a sorted overflow for levels far away; nothing is pruned.
 * Prices are counts of 10^-price_exp; the window needs a tick to be dense, and works, slower,
 * without one. Memory is the owner's: book_bytes(). [engine thread] */
#ifndef WEIR_ENGINE_BOOK_H
#define WEIR_ENGINE_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/error.h"
#include "weir/event.h"

struct book;

/* window: ticks a side, a power of two >= 64. far: levels a side outside the window. */
size_t book_bytes(uint32_t window, uint32_t far);
struct book *book_init(void *memory, uint32_t window, uint32_t far, weir_px tick); /* memory: 64-aligned, zeroed */
void book_clear(struct book *book);

/* Set one level; qty 0 removes it (removing one that is not there is fine). E_FULL: no room. */
enum weir_err book_set(struct book *book, enum weir_side side, weir_px px, weir_qty qty) WEIR_MUST_USE;

bool book_best(const struct book *book, enum weir_side side, struct weir_level *level_out);
/* The next level away from the best after px; false: none. Start with book_best. */
bool book_next(const struct book *book, enum weir_side side, weir_px px, struct weir_level *level_out);
weir_qty book_at(const struct book *book, enum weir_side side, weir_px px); /* 0: no such level */
uint32_t book_levels(const struct book *book, enum weir_side side);
bool book_crossed(const struct book *book); /* best bid > best ask */
bool book_locked(const struct book *book);  /* best bid = best ask */

#endif
