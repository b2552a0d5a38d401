/* decode.h - what the two scans give to decode.c, and what they share. */
#ifndef BINANCE_DECODE_H
#define BINANCE_DECODE_H

#include "binance.h"

enum kind { KIND_NONE = 0, KIND_DEPTH, KIND_TOP, KIND_TRADE };

/* Members that were seen, as bits of `seen`. */
/* clang-format off */
enum {
    SEEN_e = 1 << 0, SEEN_E = 1 << 1, SEEN_T = 1 << 2, SEEN_s = 1 << 3, SEEN_U = 1 << 4,
    SEEN_u = 1 << 5, SEEN_pu = 1 << 6, SEEN_p = 1 << 7, SEEN_q = 1 << 8, SEEN_t = 1 << 9,
    SEEN_m = 1 << 10, SEEN_X = 1 << 11, SEEN_A = 1 << 12, SEEN_B = 1 << 13,
    SEEN_a_levels = 1 << 14, SEEN_a_px = 1 << 15, SEEN_a_id = 1 << 16,
    SEEN_b_levels = 1 << 17, SEEN_b_px = 1 << 18, SEEN_b_id = 1 << 19, SEEN_M = 1 << 20,
    SEEN_ps = 1 << 21,
    SEEN_any_a = SEEN_a_levels | SEEN_a_px | SEEN_a_id,
    SEEN_any_b = SEEN_b_levels | SEEN_b_px | SEEN_b_id,
};
/* clang-format on */

struct decoded {
    uint32_t seen;
    uint8_t kind;   /* enum kind */
    uint8_t source; /* of a trade: 't' or 'a' */
    bool buyer_is_maker;
    bool off_book;
    const char *name;
    size_t name_len;
    uint64_t E, T, U, u, pu, id, a_id;
    int64_t p, q, a, A, b, B;
    uint32_t bids, asks; /* levels, in binance->book */
};

/* The strict scan (strict.c). False: not in the form it knows; *decoded is then not to be used. */
bool strict_frame(struct binance *binance, struct weir_bytes frame, struct decoded *decoded);

/* Set the kind that the venue's word names; false: none that is told here. */
bool decoded_kind(struct decoded *decoded, struct weir_bytes word);
/* Is the stream one of partial books, `btcusdt@depth20`? */
bool is_partial_stream(struct weir_bytes stream);
#endif
