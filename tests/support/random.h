/* random.h - the same numbers on every run (splitmix64), for tests that try many cases. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}

/* A number of any length: small ones and ones near 2^63 are as likely as others. */
static inline int64_t random_int64(uint64_t *state)
{
    int64_t value = (int64_t)(random_next(state) >> 1 >> random_below(state, 63));
    return random_next(state) & 1 ? -value : value;
}

#endif
