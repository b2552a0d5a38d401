/* consolidate.h - the books of several venues as one: best price first, whoever has it.
 *
 * A part is one venue's book. Places differ between venues, so levels are told in those of the
 * finest. Our own orders can be left out of what is seen: what is there for us is what others
 * show. Parts are borrowed and must not change meanwhile; nothing is copied, nothing is allocated.
 *                                                                                [engine thread] */
#ifndef WEIR_ENGINE_CONSOLIDATE_H
#define WEIR_ENGINE_CONSOLIDATE_H

#include "base/decimal.h"
#include "engine/book.h"

enum { PARTS_MAX = 16 };

struct part {
    const struct book *book; /* NULL: not live, as if it were empty */
    int px_exp, qty_exp;
    /* What of ours rests there at a price; NULL: nothing is left out. */
    weir_qty (*own)(void *context, enum weir_side side, weir_px px);
    void *context;
};

/* A level of one part, in places px_exp and qty_exp of the view. */
struct part_level {
    uint32_t part;
    weir_px px;
    weir_qty qty;
};

/* Levels one by one. Equal prices: the first part of the list first. */
struct consolidated {
    const struct part *parts;
    uint32_t count;
    enum weir_side side;
    int px_exp, qty_exp;
    struct weir_level heads[PARTS_MAX]; /* scaled; qty 0: the part has no more */
    weir_px at[PARTS_MAX];              /* the same, in the part's own places */
};

/* count at most PARTS_MAX. False: a price or size does not fit the finest places. */
bool consolidated_begin(struct consolidated *view, enum weir_side side, const struct part *parts,
                        uint32_t count);
/* False: no more. */
bool consolidated_next(struct consolidated *view, struct part_level *level_out);

/* What a market order of that side (BUY takes asks) would find, without fees. qty in qty_exp of the view;
 * levels: how many of them it would touch. */
struct sweep {
    weir_qty filled;
    amount paid; /* price times quantity */
    uint32_t levels;
    weir_px worst;
    weir_qty by_part[PARTS_MAX];
    int px_exp, qty_exp; /* of worst, and of the quantities */
};
/* qty: with qty_exp places, at most those of the finest part. False: overflow. */
bool consolidated_sweep(enum weir_side side, const struct part *parts, uint32_t count, weir_qty qty,
                        int qty_exp, struct sweep *sweep_out) WEIR_MUST_USE;

#endif
