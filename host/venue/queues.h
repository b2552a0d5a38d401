/* queues.h - a market order by order (level 3): who stands before whom at each price.
 *
 * Orders at a price stand in the order of their ids, which rise with arrival. Where venue and picture
 * disagree, the venue is right: an order that was gone before we looked (a ghost) never gets its
 * removal, and keeps the book crossed. A book crossed for longer than any match takes is that: the
 * older of the two orders that cross is evicted, until they no longer do. An evicted order is
 * known on, for its removal to be expected, but counts in no queue.               [one thread] */
#ifndef WEIR_VENUE_QUEUES_H
#define WEIR_VENUE_QUEUES_H

#include "engine/book.h"

struct queues;

#define QUEUES_CROSSED_MAX \
    ((weir_ns)500000000) /* how long a taker may be shown before it matches */

struct queues *queues_create(void); /* NULL: no memory */
void queues_destroy(struct queues *queues);

/* What a message did. */
enum queues_did {
    QUEUES_ADDED,
    QUEUES_CHANGED,  /* more size, or another price */
    QUEUES_FILLED,   /* wholly or in part */
    QUEUES_CANCELED, /* with all that rested */
    QUEUES_REMOVED,  /* with another size than rested */
    QUEUES_UNKNOWN,  /* no such order */
    QUEUES_AGAIN     /* an order of that id is there already: nothing was changed */
};
enum { QUEUES_AHEAD_KEPT = 8 };
struct queues_change {
    enum queues_did did;
    weir_px px;      /* where the order stood before */
    weir_qty filled; /* FILLED: so much */
    uint32_t ahead;  /* FILLED: orders that stood before it, ghosts too; the first of them: */
    uint64_t ahead_ids[QUEUES_AHEAD_KEPT];
};

/* Take a message in (not MATCH, which says nothing of the book). E_NO_MEMORY, E_FULL: more prices than
 * there is room for. The order is then left out. */
enum weir_err queues_take(struct queues *queues, const struct weir_l3 *order, weir_ns now,
                          struct queues_change *change_out) WEIR_MUST_USE;

/* Ghosts go. How many went. To be called with time, and before what was crossed is believed. */
uint32_t queues_tick(struct queues *queues, weir_ns now);

/* Sums by price; orders at price 0 are in none. with_ghosts: as if nobody had been evicted. */
const struct book *queues_book(const struct queues *queues, bool with_ghosts);
uint32_t queues_count(const struct queues *queues); /* orders, ghosts too */
uint32_t queues_at(const struct queues *queues, enum weir_side side, weir_px px); /* but ghosts */
/* What stands before an order. False: no such order, or it is a ghost. */
bool queues_position(const struct queues *queues, uint64_t id, weir_qty *qty_out,
                     uint32_t *orders_out);
bool queues_is_ghost(const struct queues *queues, uint64_t id);

/* The orders at a price, first to last, ghosts too. Begin with id 0; 0: no more. */
struct queues_order {
    uint64_t id;
    weir_qty qty;
    bool ghost;
};
bool queues_next(const struct queues *queues, enum weir_side side, weir_px px,
                 struct queues_order *order);

#endif
