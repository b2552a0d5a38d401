/* dice.h - drawn numbers of a simulated venue: splitmix64, so that one seed is one market.
 *
 * Each part of a venue has dice of its own, so that what one part draws does not shift another. */
#ifndef WEIR_SIM_DESK_DICE_H
#define WEIR_SIM_DESK_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Dice number `number` of a seed. */
static inline struct dice dice_of(uint64_t seed, uint64_t number)
{
    struct dice dice = {seed};
    dice.state = dice_next(&dice) ^ number * 0xD1B54A32D192ED03u;
    (void)dice_next(&dice);
    return dice;
}

/* 0 .. bound - 1; bound > 0. */
static inline uint64_t dice_below(struct dice *dice, uint64_t bound)
{
    return (uint64_t)((unsigned __int128)dice_next(dice) * bound >> 64);
}

/* from .. to, both included; from <= to. */
static inline int64_t dice_between(struct dice *dice, int64_t from, int64_t to)
{
    return from + (int64_t)dice_below(dice, (uint64_t)(to - from) + 1);
}

/* True so many times in a million. Nothing is drawn for 0, so a knob at rest changes nothing. */
static inline bool dice_ppm(struct dice *dice, uint32_t ppm)
{
    return ppm > 0 && dice_below(dice, 1000000) < ppm;
}

#endif
