/* match_side.h - the price levels of one side of a matching book. Private to match.c.
 *
 * WINDOW   Prices near the best are slots of a ring: slot = price & mask, valid for prices in
 *          [lo, lo + width). A bit for each occupied slot and a bit for each occupied word find
 *          the next level in a few steps, however far away it is.
 * FAR      Levels outside the window stand in a sorted array, best last. All of them are worse
 *          than every price of the window, so the best level is always in the window. [side_make]
 * MOVING   The window moves only when a price arrives that is better than its range, when the best
 *          has drifted into its worse half, or when it is empty: each move is by at least a quarter
 *          of its width, and carries over only the levels that leave or enter. [side_recenter]
 *
 * Orders name their price, not their level, so a level can move without touching its orders. */
#ifndef WEIR_SIM_MATCH_SIDE_H
#define WEIR_SIM_MATCH_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIDE_NO_BID INT64_MIN /* best of an empty side */
#define SIDE_NO_ASK INT64_MAX

struct side_level {
    uint32_t head, tail; /* orders, oldest first; 0: none */
    int64_t qty;         /* of all of them */
};

struct side_far {
    int64_t px;
    struct side_level level;
};

struct side {
    int64_t best;
    int64_t lo; /* first price of the window */
    struct side_level *levels;
    uint64_t *words; /* a bit for each slot */
    uint64_t *sums;  /* a bit for each word */
    struct side_far *far;
    uint32_t far_count;
    uint32_t far_max;
    uint32_t mask; /* width - 1 */
    uint32_t sell;
};

static inline bool side_is_better(const struct side *s, int64_t a, int64_t b)
{
    return s->sell ? a < b : a > b;
}

static inline bool side_is_empty(const struct side *s)
{
    return s->best == (s->sell ? SIDE_NO_ASK : SIDE_NO_BID);
}

static inline uint32_t side_slot(const struct side *s, int64_t px)
{
    return (uint32_t)((uint64_t)px & s->mask);
}

static inline bool side_in_window(const struct side *s, int64_t px)
{
    return (uint64_t)px - (uint64_t)s->lo <= s->mask;
}

/* --- bits ------------------------------------------------------------------------------------*/

enum { SIDE_NONE = -1 };

static inline void side_set_bit(struct side *s, uint32_t slot)
{
    s->words[slot >> 6] |= 1ull << (slot & 63);
    s->sums[slot >> 12] |= 1ull << ((slot >> 6) & 63);
}

static inline void side_clear_bit(struct side *s, uint32_t slot)
{
    if (!(s->words[slot >> 6] &= ~(1ull << (slot & 63))))
        s->sums[slot >> 12] &= ~(1ull << ((slot >> 6) & 63));
}

/* The first occupied slot at or above `from`; SIDE_NONE: no more. */
static inline int32_t side_bit_up(const struct side *s, uint32_t from)
{
    if (from > s->mask)
        return SIDE_NONE;
    uint64_t word = s->words[from >> 6] >> (from & 63);
    if (word)
        return (int32_t)(from + (uint32_t)__builtin_ctzll(word));
    uint32_t next = (from >> 6) + 1, sums = (s->mask >> 12) + 1;
    for (uint32_t i = next >> 6; i < sums; i++) {
        uint64_t sum = s->sums[i];
        if (i == next >> 6)
            sum &= ~0ull << (next & 63);
        if (sum) {
            uint32_t w = (i << 6) + (uint32_t)__builtin_ctzll(sum);
            return (int32_t)((w << 6) + (uint32_t)__builtin_ctzll(s->words[w]));
        }
    }
    return SIDE_NONE;
}

/* The last occupied slot at or below `from`; SIDE_NONE: no more. */
static inline int32_t side_bit_down(const struct side *s, uint32_t from)
{
    uint64_t word = s->words[from >> 6] << (63 - (from & 63));
    if (word)
        return (int32_t)(from - (uint32_t)__builtin_clzll(word));
    for (uint32_t w = from >> 6; w > 0;) {
        uint32_t below = w - 1;
        uint64_t sum = s->sums[below >> 6] << (63 - (below & 63));
        if (sum) {
            w = below - (uint32_t)__builtin_clzll(sum);
            return (int32_t)((w << 6) + 63 - (uint32_t)__builtin_clzll(s->words[w]));
        }
        w = below & ~63u; /* on to the sum before */
    }
    return SIDE_NONE;
}

/* The first occupied price at or above px, and at or below px, within the window. px is in it. */
static inline bool side_up(const struct side *s, int64_t px, int64_t *px_out)
{
    uint32_t from = side_slot(s, px);
    int32_t slot = side_bit_up(s, from);
    if (slot == SIDE_NONE)
        slot = side_bit_up(s, 0);
    if (slot == SIDE_NONE)
        return false;
    *px_out = px + (int64_t)(((uint32_t)slot - from) & s->mask);
    return side_in_window(s, *px_out);
}

static inline bool side_down(const struct side *s, int64_t px, int64_t *px_out)
{
    uint32_t from = side_slot(s, px);
    int32_t slot = side_bit_down(s, from);
    if (slot == SIDE_NONE)
        slot = side_bit_down(s, s->mask);
    if (slot == SIDE_NONE)
        return false;
    *px_out = px - (int64_t)((from - (uint32_t)slot) & s->mask);
    return side_in_window(s, *px_out);
}

/* The next occupied price of the window after px, away from the best or toward it. */
static inline bool side_worse(const struct side *s, int64_t px, int64_t *px_out)
{
    if (s->sell)
        return side_in_window(s, px + 1) && side_up(s, px + 1, px_out);
    return side_in_window(s, px - 1) && side_down(s, px - 1, px_out);
}

static inline bool side_better(const struct side *s, int64_t px, int64_t *px_out)
{
    if (s->sell)
        return side_in_window(s, px - 1) && side_down(s, px - 1, px_out);
    return side_in_window(s, px + 1) && side_up(s, px + 1, px_out);
}

/* The worst occupied price of the window. */
static inline bool side_worst(const struct side *s, int64_t *px_out)
{
    return s->sell ? side_down(s, s->lo + s->mask, px_out) : side_up(s, s->lo, px_out);
}

/* --- far levels ------------------------------------------------------------------------------*/

/* Where px stands in far, or would: the number of levels that are worse. */
static inline uint32_t side_far_find(const struct side *s, int64_t px)
{
    uint32_t low = 0, high = s->far_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (side_is_better(s, px, s->far[middle].px))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline bool side_far_has(const struct side *s, uint32_t at, int64_t px)
{
    return at < s->far_count && s->far[at].px == px;
}

static inline void side_far_remove(struct side *s, uint32_t at)
{
    s->far_count--;
    memmove(&s->far[at], &s->far[at + 1], (s->far_count - at) * sizeof s->far[0]);
}

static inline struct side_level *side_far_make(struct side *s, int64_t px)
{
    uint32_t at = side_far_find(s, px);
    if (side_far_has(s, at, px))
        return &s->far[at].level;
    if (s->far_count == s->far_max)
        return NULL;
    memmove(&s->far[at + 1], &s->far[at], (s->far_count - at) * sizeof s->far[0]);
    s->far_count++;
    s->far[at] = (struct side_far){px, {0, 0, 0}};
    return &s->far[at].level;
}

/* --- the window ------------------------------------------------------------------------------*/

/* Move the window so that a quarter of it lies beyond `best`, which is at least as good as every
 * level here. False: the levels that would leave it have no room in far; nothing was changed. */
static inline bool side_recenter(struct side *s, int64_t best)
{
    int64_t width = (int64_t)s->mask + 1;
    int64_t lo = s->sell ? best - width / 4 : best + width / 4 - width + 1;
    struct side after = {.lo = lo, .mask = s->mask};
    int64_t px = 0;
    uint32_t leaving = 0;

    for (bool more = side_worst(s, &px); more && !side_in_window(&after, px);
         more = side_better(s, px, &px))
        leaving++;
    if (leaving > s->far_max - s->far_count)
        return false;
    for (; leaving > 0; leaving--) {
        (void)side_worst(s, &px);
        uint32_t slot = side_slot(s, px);
        s->far[s->far_count++] = (struct side_far){px, s->levels[slot]};
        s->levels[slot] = (struct side_level){0, 0, 0};
        side_clear_bit(s, slot);
    }
    s->lo = lo;
    while (s->far_count > 0 && side_in_window(s, s->far[s->far_count - 1].px)) {
        const struct side_far *near = &s->far[--s->far_count];
        s->levels[side_slot(s, near->px)] = near->level;
        side_set_bit(s, side_slot(s, near->px));
    }
    return true;
}

/* The best has so little of the window behind it that prices there should not go to far. */
static inline bool side_has_drifted(const struct side *s)
{
    uint64_t at = (uint64_t)s->best - (uint64_t)s->lo;
    return s->sell ? at > s->mask / 2 : at <= s->mask / 2;
}

static inline struct side_level *side_mark(struct side *s, int64_t px)
{
    uint32_t slot = side_slot(s, px);
    struct side_level *level = &s->levels[slot];
    if (!level->head) {
        side_set_bit(s, slot);
        if (side_is_better(s, px, s->best))
            s->best = px;
    }
    return level;
}

static inline struct side_level *side_make_outside(struct side *s, int64_t px)
{
    bool better = side_is_better(s, px, s->best); /* an empty side: everything is */
    if (better || side_has_drifted(s)) {
        if (!side_recenter(s, better ? px : s->best))
            return NULL;
        if (side_in_window(s, px))
            return side_mark(s, px);
    }
    return side_far_make(s, px);
}

/* The level at px, made if it is not there: the caller puts an order into it now. NULL: no room. */
static inline struct side_level *side_make(struct side *s, int64_t px)
{
    return __builtin_expect(side_in_window(s, px), 1) ? side_mark(s, px) : side_make_outside(s, px);
}

/* The level at px; NULL: there is none. */
static inline struct side_level *side_find(const struct side *s, int64_t px)
{
    if (__builtin_expect(side_in_window(s, px), 1)) {
        struct side_level *level = &s->levels[side_slot(s, px)];
        return level->head ? level : NULL;
    }
    uint32_t at = side_far_find(s, px);
    return side_far_has(s, at, px) ? &s->far[at].level : NULL;
}

/* The level at px lost its last order. */
static inline void side_gone(struct side *s, int64_t px)
{
    if (!side_in_window(s, px)) {
        side_far_remove(s, side_far_find(s, px));
        return;
    }
    side_clear_bit(s, side_slot(s, px));
    if (px != s->best || side_worse(s, px, &s->best))
        return;
    s->best = s->sell ? SIDE_NO_ASK : SIDE_NO_BID;
    if (s->far_count > 0) {
        int64_t best = s->far[s->far_count - 1].px;
        (void)side_recenter(s, best); /* nothing leaves an empty window, so there is room */
        s->best = best;
    }
}

/* The next level after the level at px, away from the best. */
static inline bool side_next(const struct side *s, int64_t px, int64_t *px_out)
{
    if (side_in_window(s, px)) {
        if (side_worse(s, px, px_out))
            return true;
        if (s->far_count == 0)
            return false;
        *px_out = s->far[s->far_count - 1].px;
        return true;
    }
    uint32_t worse = side_far_find(s, px);
    if (worse == 0)
        return false;
    *px_out = s->far[worse - 1].px;
    return true;
}

#endif
