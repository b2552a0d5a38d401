/* bitstamp.h - what the files of this plugin share.
 *
 *   bitstamp.c   the descriptor, what is asked for, pairs, what a recorded frame is
 *   decode.c     frames of the WebSocket: diffs, trades, single orders; answers by HTTP
 *   rows.c       rows of recorded orders and trades */
#ifndef BITSTAMP_H
#define BITSTAMP_H

#include "shared/rows.h"

struct frame {
    struct weir_bytes event, channel;
    struct scan data; /* at NULL: none */
};
enum weir_err frame_read(struct weir_bytes bytes, struct frame *frame);
/* What stands behind the last '_' of a channel: the pair. */
struct weir_bytes channel_pair(struct weir_bytes channel);
enum weir_err decode_frame(struct venue *venue, struct weir_bytes bytes);
/* A whole book by HTTP. */
enum weir_err decode_book(struct venue *venue, struct weir_bytes pair, struct weir_bytes body);

/* A row of values: an order's or a trade's, by the number of its columns. */
bool is_row(struct weir_bytes bytes);
bool row_is_trade(struct weir_bytes bytes);
enum { ROWS_OWN = 32 }; /* bytes of state that rows need */
enum weir_err decode_row(struct venue *venue, struct weir_bytes bytes);

#endif
