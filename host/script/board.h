/* board.h - what every process cell may read: markets, instruments, venues, accounts.
 *
 * One memory for all cells, written by the host alone, mapped read-only by them. An entry has a
 * version that is odd while it is written; a reader copies it and looks at the version again
 * (seqlock), so neither waits for the other. What a strategy owns is not here but in its own
 * channel.                                  [host: its thread; cells: any number of them] */
#ifndef WEIR_SCRIPT_BOARD_H
#define WEIR_SCRIPT_BOARD_H

#include <stdatomic.h>

#include "engine/book.h"
#include "engine/engine.h"

enum {
    BOARD_INSTRUMENTS = 4096,
    BOARD_VENUES = 64,
    BOARD_ACCOUNTS = 32,
    BOARD_ASSETS = 256,
    BOARD_LEVELS = 1000
};

struct board; /* in shared memory */

/* What changes with the market. */
struct board_market {
    struct market_view market;
    struct position_view account; /* of the account */
    bool defined, has_position;
    bool is_paper; /* orders there go to a pretended venue */
};

struct board_wallet {
    amount total, fees, funding;
};

struct board_depth {
    uint32_t shown; /* levels a side that are kept up to date; 0: none yet */
    uint32_t count[2];
    uint8_t state; /* enum book_state */
    struct weir_level of[2][BOARD_LEVELS];
};

size_t board_size(void);

/* Between two looks at what another core writes. */
static inline void relax(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* --- the host's side; the memory is zero at first ---*/
void board_show_instrument(struct board *board, uint32_t n, const struct weir_instrument *is);
void board_show_market(struct board *board, uint32_t n, const struct board_market *market);
void board_show_venue(struct board *board, uint16_t n, const char *name);
void board_show_asset(struct board *board, uint32_t n, const char *name);
void board_show_wallet(struct board *board, uint16_t account, uint32_t asset,
                       const struct board_wallet *wallet);
/* book NULL: its owner keeps no levels. */
void board_show_depth(struct board *board, uint32_t n, const struct book *book,
                      enum book_state state, uint32_t levels);
void board_sleep(struct board *board, bool asleep); /* true: cells must ring */

/* --- both sides ---*/
uint32_t board_instruments(const struct board *board);         /* the highest number shown */
uint64_t board_version(const struct board *board, uint32_t n); /* of a market; even */
bool board_asleep(const struct board *board);

/* --- the cells' side. False: not shown. ---*/
bool board_instrument(const struct board *board, uint32_t n, struct weir_instrument *out,
                      uint64_t *version); /* false, too: this version is the newest */
bool board_market(const struct board *board, uint32_t n, struct board_market *out);
bool board_venue(const struct board *board, uint16_t n, char out[NAME_MAX_LEN]);
bool board_wallet(const struct board *board, uint16_t account, const char *asset,
                  struct board_wallet *out);
bool board_depth(const struct board *board, uint32_t n, uint32_t most, struct board_depth *out);

#endif
