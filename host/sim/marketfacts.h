/* marketfacts.h - the inside of marketstats: what is collected (marketstats.c) and printed
 * (marketprint.c). */
#ifndef WEIR_SIM_MARKETFACTS_H
#define WEIR_SIM_MARKETFACTS_H

#include "sim/marketstats.h"
#include "sim/orderfacts.h"
#include "sim/recording.h"

enum {
    TYPES_MAX = 32,
    FILES_MAX = 64,  /* names of files shown */
    IDS_KEPT = 4096, /* trade ids remembered, to tell a repeated one from a late one */
    PENDING_MAX =
        16384, /* tops that wait for a book update of the same sequence, or the other way */
    ROWS_MAX = 1 << 17, /* checkpoints, and bars */
    CHECKPOINT_EVERY = 10000,
};

struct quote {
    uint64_t seq;
    struct weir_level bid, ask;
};

/* Quotes in the order of their sequence; the oldest are let go when there is no more room. */
struct pending {
    struct quote *quotes;
    uint32_t at, count;
};

struct trade_id {
    uint64_t high, low;
};

struct checkpoint {
    uint64_t messages;
    weir_ns t;
    struct quote quote;
    uint32_t bid_levels, ask_levels;
};

struct bar {
    int64_t t; /* ms */
    weir_px open, high, low, close;
    amount volume, buy_volume;
    uint64_t count;
};

struct type_count {
    char name[WEIR_SYMBOL_MAX];
    uint64_t count;
};

struct market {
    struct market *next; /* in the order of their first message */
    enum naming naming;
    char name[WEIR_ASSET_MAX];
    char symbol[WEIR_SYMBOL_MAX];
    int px_exp, qty_exp;
    const char *seq_names[2]; /* borrowed; NULL: none */
    char conn[CONN_NAME_MAX]; /* that its first message came from */
    char
        book_stream[WEIR_STREAM_MAX]; /* that its book comes from; "": the venue has no such name */
    char book_types[2][WEIR_SYMBOL_MAX]; /* of the first delta and the first snapshot */
    const char *type;                    /* of the message at hand */
    const char *stream;                  /* of the message at hand */

    const char *files[FILES_MAX]; /* borrowed */
    uint32_t file_count;
    const char *file; /* of the message at hand */
    uint64_t line;
    weir_ns t, first_t, last_t;
    uint64_t messages;
    struct type_count types[TYPES_MAX];
    uint32_t type_count;

    bool has_snapshot; /* the first one: */
    const char *snapshot_file;
    uint64_t snapshot_line, snapshot_seq;
    uint32_t snapshot_bids, snapshot_asks;
    uint64_t compared, equal; /* book updates and tops of the same sequence */
    struct pending tops, updates;
    struct checkpoint *checkpoints;
    uint32_t checkpoint_count, checkpoint_room;

    uint64_t trades, on_book;
    uint64_t first_id, last_id, id_gaps, duplicate_ids; /* last: the highest */
    struct trade_id *ids;                               /* the last IDS_KEPT */
    struct trade_id first, newest;                      /* as they came */
    uint16_t id_flags;                                  /* enum of weir_trade's flags */
    amount volume, notional, buy_volume, sell_volume;
    bool overflow; /* a sum has no room for its value: it is not shown */
    weir_px open, high, low, close;
    double lead_min, lead_max; /* venue time less local time, ms: a measured time, not money */
    bool has_lead;
    struct bar *bars;
    uint32_t bar_count, bar_room;
    uint64_t rows_left_out;

    struct orderfacts *orders; /* NULL: the market was not shown order by order */

    bool closed;
    struct feed_counts counts;
    struct session_marks marks;
    enum book_state state;
    const struct book *book;
};

struct marketstats {
    struct market *first, *last;
    struct market **slots; /* by hash of market and symbol */
    uint32_t mask, count;
};

#endif
