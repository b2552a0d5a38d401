/* consolidate.c - see the header. One head a part; the best of them is next. */
#include "engine/consolidate.h"

#include "base/check.h"

/* The part's next level that has something of others. False: a number does not fit. */
static bool advance(struct consolidated *view, uint32_t i, bool first)
{
    const struct part *part = &view->parts[i];
    struct weir_level level = {0, 0};
    bool more = part->book && (first ? book_best(part->book, view->side, &level)
                                     : book_next(part->book, view->side, view->at[i], &level));
    view->heads[i] = (struct weir_level){0, 0};
    while (more) {
        weir_qty own = part->own ? part->own(part->context, view->side, level.px) : 0;
        view->at[i] = level.px;
        if (level.qty > own) {
            struct weir_level *head = &view->heads[i];
            return decimal_rescale(level.px, part->px_exp, view->px_exp, &head->px) &&
                   decimal_rescale(level.qty - own, part->qty_exp, view->qty_exp, &head->qty);
        }
        more = book_next(part->book, view->side, level.px, &level);
    }
    return true;
}

bool consolidated_begin(struct consolidated *view, enum weir_side side, const struct part *parts,
                        uint32_t count)
{
    must(count <= PARTS_MAX);
    *view = (struct consolidated){.parts = parts, .count = count, .side = side};
    for (uint32_t i = 0; i < count; i++) {
        view->px_exp = parts[i].px_exp > view->px_exp ? parts[i].px_exp : view->px_exp;
        view->qty_exp = parts[i].qty_exp > view->qty_exp ? parts[i].qty_exp : view->qty_exp;
    }
    bool fits = true;
    for (uint32_t i = 0; i < count; i++)
        fits = advance(view, i, true) && fits;
    return fits;
}

static bool is_better(enum weir_side side, weir_px a, weir_px b)
{
    return side == WEIR_BUY ? a > b : a < b;
}

bool consolidated_next(struct consolidated *view, struct part_level *level_out)
{
    uint32_t best = view->count;
    for (uint32_t i = 0; i < view->count; i++)
        if (view->heads[i].qty > 0 &&
            (best == view->count || is_better(view->side, view->heads[i].px, view->heads[best].px)))
            best = i;
    if (best == view->count)
        return false;
    *level_out = (struct part_level){best, view->heads[best].px, view->heads[best].qty};
    if (!advance(view, best, false))
        view->heads[best] = (struct weir_level){0, 0}; /* what does not fit is as far as it goes */
    return true;
}

bool consolidated_sweep(enum weir_side side, const struct part *parts, uint32_t count, weir_qty qty,
                        int qty_exp, struct sweep *sweep_out)
{
    struct consolidated view;
    struct part_level level;
    enum weir_side takes = side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    *sweep_out = (struct sweep){0};
    if (!consolidated_begin(&view, takes, parts, count) ||
        !decimal_rescale(qty, qty_exp, view.qty_exp, &qty))
        return false;
    sweep_out->px_exp = view.px_exp;
    sweep_out->qty_exp = view.qty_exp;
    while (sweep_out->filled < qty && consolidated_next(&view, &level)) {
        weir_qty left = qty - sweep_out->filled, taken = level.qty < left ? level.qty : left;
        amount paid;
        if (!amount_product(level.px, view.px_exp, taken, view.qty_exp, &paid) ||
            !amount_add(sweep_out->paid, paid, &sweep_out->paid))
            return false;
        sweep_out->filled += taken;
        sweep_out->by_part[level.part] += taken;
        sweep_out->levels++;
        sweep_out->worst = level.px;
    }
    return true;
}
