/* coinbase.h - what the files of this plugin share: its two markets.
 *
 *   coinbase.c   the descriptor, what is asked for, products, what a recorded frame is
 *   advanced.c   frames of Advanced Trade: numbered per connection, events in a list
 *   exchange.c   frames of Exchange: one object each */
#ifndef COINBASE_H
#define COINBASE_H

#include "shared/rows.h"

enum { MARKET_ADVANCED = 0, MARKET_EXCHANGE };

enum weir_err advanced_frame(struct venue *venue, struct weir_bytes bytes);
enum weir_err exchange_frame(struct venue *venue, struct weir_bytes bytes);

/* The symbol of a product. Other channels than `user` call BTC-USDC BTC-USD: who asked for the one is
 * told of it by that name. */
struct market_symbol *coinbase_symbol(struct venue *venue, struct weir_bytes name,
                                      struct weir_bytes sample, enum weir_err *err);

struct advanced_frame {
    struct weir_bytes channel;
    struct scan events;
    uint64_t seq;
    bool numbered;
};
enum weir_err advanced_read(struct weir_bytes bytes, struct advanced_frame *frame);

#endif
