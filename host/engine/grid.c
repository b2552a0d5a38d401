/* grid.c - greatest common divisors, and a vote among them. */
#include "engine/grid.h"

weir_px grid_common(weir_px a, weir_px b)
{
    while (b != 0) {
        weir_px rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void grid_guess(struct grid_guesses *guesses, weir_px px)
{
    weir_px unit = grid_common(guesses->coarse, px);
    guesses->all = grid_common(guesses->all, px);
    guesses->prices++;
    for (uint32_t i = 0; i < guesses->count; i++)
        if (guesses->list[i].unit == unit) {
            guesses->list[i].prices++;
            return;
        }
    if (guesses->count < GRID_GUESSES) {
        guesses->list[guesses->count].unit = unit;
        guesses->list[guesses->count++].prices = 1;
    }
}

weir_px grid_best(const struct grid_guesses *guesses)
{
    weir_px best = 0;
    for (uint32_t i = 0; i < guesses->count; i++) {
        weir_px unit = guesses->list[i].unit;
        uint32_t held = 0;
        for (uint32_t k = 0; k < guesses->count; k++)
            held += guesses->list[k].unit % unit == 0 ? guesses->list[k].prices : 0;
        if (held >= guesses->prices - guesses->prices / 4 && unit > best)
            best = unit;
    }
    return best ? best : guesses->all;
}
