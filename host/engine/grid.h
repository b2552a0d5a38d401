/* grid.h - on which grid do prices lie, where nobody tells the tick? [any thread] */
#ifndef WEIR_ENGINE_GRID_H
#define WEIR_ENGINE_GRID_H

#include "weir/event.h"

/* The widest grid that holds both; 0 and b: b. */
weir_px grid_common(weir_px a, weir_px b);

/* Prices that are not on the coarse grid, by the grids on which they would be. Start with coarse and
 * all equal, the rest zero. */
enum { GRID_GUESSES = 16 };
struct grid_guesses {
    weir_px coarse;
    weir_px all; /* the widest grid that holds every price seen */
    struct {
        weir_px unit;
        uint32_t prices;
    } list[GRID_GUESSES];
    uint32_t count;
    uint32_t prices;
};
void grid_guess(struct grid_guesses *guesses, weir_px px);

/* The widest grid that holds three quarters of the prices: a few odd ones do not make it finer. */
weir_px grid_best(const struct grid_guesses *guesses);

#endif
