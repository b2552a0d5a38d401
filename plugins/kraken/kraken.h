/* kraken.h - what the files of this plugin share: the two protocols that it reads.
 *
 *   kraken.c   the descriptor, what is asked for, the rules of pairs, what a recorded frame is
 *   v1.c       frames of the first protocol: arrays
 *   v2.c       frames of the second: objects */
#ifndef KRAKEN_H
#define KRAKEN_H

#include "shared/rows.h"

/* --- v1.c: [channel, {...}, ({...},) "book-1000", "XBT/USD"] ----------------------------------- */

struct v1_frame {
    struct scan parts[2]; /* at the values between the channel and its name */
    int count;
    struct weir_bytes channel, pair;
};
enum weir_err v1_read(struct weir_bytes bytes, struct v1_frame *frame);
enum weir_err v1_frame(struct venue *venue, struct weir_bytes bytes);

/* --- v2.c: {"channel":"book","type":"update","data":[...]} ------------------------------------- */

struct v2_frame {
    struct weir_bytes channel, type, method, event, symbol, error;
    struct scan data; /* at its value; at NULL: none */
    uint64_t depth;   /* of a subscription that is confirmed */
    bool foreign;     /* it has a member that no frame of this venue has */
};
/* whole false: no further than needed to tell what it is. */
enum weir_err v2_read(struct weir_bytes bytes, struct v2_frame *frame, bool whole);
enum weir_err v2_frame(struct venue *venue, struct weir_bytes bytes);

/* --- both -------------------------------------------------------------------------------------- */

/* The levels a side that Kraken offers, so many or more. */
uint32_t kraken_depth(uint64_t levels);
/* A book message of a book without numbers, with its sum. */
void kraken_book_end(struct venue *venue, const struct market_symbol *symbol, bool snapshot,
                     bool summed, uint32_t checksum, weir_ns t);

#endif
