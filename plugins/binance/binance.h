/* binance.h - what the files of this plugin share: a session, its symbols, its connections.
 *
 *   binance.c   the descriptor: settings, connections, snapshots, intents
 *   streams.c   connections of market data, and their renewal
 *   decode.c    frames into events: the general scan, and what becomes of either's findings
 *   strict.c    the strict scan of the hot kinds
 *   frame.c     the general scan: where the members of a frame stand
 *   symbols.c   the symbols, their numbers and their rules (exchangeInfo)
 *   probe.c     what a recorded frame is
 *   trade.h     order entry, whose files it lists
 *
 * NUMBERS  Prices and quantities are counts of 10^-8, the venue's own resolution, for every symbol
 *          (whose engine keeps them so: its largest quantity is 2^63 of them). A symbol whose rules
 *          ask for more places of price goes through the general scan. */
#ifndef BINANCE_H
#define BINANCE_H

#include <stdbool.h>

#include "weir/plugin.h"
#include "weir/scan.h"

enum market { MARKET_SPOT = 0, MARKET_USDM, MARKET_CM, MARKET_COUNT };
enum { EXP = 8, SYMBOLS_MAX = 65536, CHANNELS_MAX = 4096, LEVELS_MAX = 1 << 20 };

/* What differs between the three markets, as one table (binance.c). */
struct market_row {
    const char *name;
    uint8_t rule;          /* enum weir_book_rule */
    uint8_t kind;          /* enum weir_instrument_kind */
    const char *depth;     /* path of a snapshot, up to the symbol */
    const char *info;      /* path of the instruments' rules */
    uint32_t depth_weight; /* of the request budget */
    uint32_t info_weight;
    const char *books_path;  /* streams of books, up to their names */
    const char *trades_path; /* streams of trades; NULL: on the same connection */
    const char *trades;      /* the stream of trades that its documents name */
};
extern const struct market_row markets[MARKET_COUNT];

enum { WANTED_LATER = 2 };

/* One symbol: what the venue told or what its name tells. */
struct symbol {
    char name[WEIR_SYMBOL_MAX];
    uint8_t len;
    uint8_t wanted;      /* in the settings; or WANTED_LATER */
    uint8_t trades;      /* 't' or 'a': the stream its trades come from; 0: not seen yet */
    uint64_t last_trade; /* the highest number of one that was told */
    uint8_t asked;       /* a snapshot is on its way */
    uint8_t tries;       /* failed requests for it in a row */
    uint8_t halted;
    int8_t px_exp;
    int8_t qty_exp;
    uint32_t number; /* as the host knows it; 0: not told yet */
    char base[WEIR_ASSET_MAX];
    char quote[WEIR_ASSET_MAX];
    weir_px tick;
    weir_qty step;
    struct weir_amount min_notional;
    int64_t multiplier;
};

struct symbols {
    struct symbol *rows;
    uint32_t *slots;   /* row + 1, by hash of the name; 0: empty */
    uint32_t *numbers; /* row of each number given to the host, from 1 */
    uint32_t count, room, told;
    uint32_t mask;
};

/* One connection: the symbol that an anonymous snapshot on it belongs to. */
struct channel {
    uint32_t last;   /* row + 1 of the symbol seen last; 0: none */
    uint32_t others; /* 1: more than one symbol was seen, so nothing anonymous can be placed */
    char *held;      /* a snapshot that came before any symbol */
    size_t held_len;
    bool up;
};

enum renewal { RENEWAL_NONE = 0, RENEWAL_BOTH, RENEWAL_LEFT };

struct binance {
    const struct weir_host *host;
    enum market market;
    bool only_wanted; /* symbols were named: others are left out */
    bool slow_only;   /* tests: the general scan alone */
    const char *depth_speed;
    const char *trades; /* the stream of trades that is asked for */
    struct symbols symbols;
    struct channel *channels;
    uint32_t channel_count;
    enum renewal renewal;
    uint32_t base;              /* of the numbers of the present connections */
    weir_ns rules_asked;        /* when the instruments' rules came last */
    struct weir_book_msg *book; /* room for one message */
    size_t book_room;           /* levels */
    struct trade *orders;       /* trade.h: order entry */
};

/* --- binance.c ------------------------------------------------------------------------------- */

/* Ask for a snapshot; when it cannot be asked now, a timer asks again. */
enum weir_err ask_depth(struct binance *binance, struct symbol *symbol, weir_ns now);
/* An order was refused for rules that may have changed: ask for them, not all too often. */
enum weir_err rules_again(struct binance *binance, weir_ns now);

/* --- streams.c ------------------------------------------------------------------------------- */

uint32_t market_parts(const struct binance *binance); /* sets of connections that it needs */
enum weir_err market_start(struct binance *binance, weir_ns now);
enum weir_err market_up(struct binance *binance, uint32_t conn, weir_ns now);
enum weir_err market_subscribe(struct binance *binance, struct symbol *symbol, weir_ns now);
/* Timers of the renewal. */
enum weir_err market_renew(struct binance *binance, weir_ns now);
enum weir_err market_take(struct binance *binance, weir_ns now);
enum weir_err market_leave(struct binance *binance, weir_ns now);
bool market_is_left(const struct binance *binance, uint32_t conn); /* nobody listens to it */

/* --- symbols.c ------------------------------------------------------------------------------- */

enum weir_err symbols_init(struct symbols *symbols);
void symbols_fini(struct symbols *symbols);
/* NULL: not there. */
struct symbol *symbols_find(const struct symbols *symbols, const char *name, size_t len);
/* Find it, or add it with what its name tells. NULL: a name that cannot be, or no room. */
struct symbol *symbols_get(struct symbols *symbols, enum market market, const char *name,
                           size_t len);
/* Tell the host of this symbol; a symbol that has no number is given one. */
enum weir_err symbol_tell(struct binance *binance, struct symbol *symbol);
/* Take in an exchangeInfo answer; what the host knows already is told again where it changed. */
enum weir_err symbols_rules(struct binance *binance, struct weir_bytes body);

/* --- frame.c --------------------------------------------------------------------------------- */

/* The members that the decoders look at. A member's place is where its value begins. */
/* clang-format off */
#define MEMBERS(X)                                                                               \
    X(stream) X(data) X(e) X(E) X(T) X(s) X(ps) X(U) X(u) X(pu) X(a) X(b) X(A) X(B) X(t) X(p)    \
    X(q) X(X) X(m) X(M) X(lastUpdateId) X(bids) X(asks) X(symbol) X(symbols) X(error) X(futuresType)
enum member {
#define X(name) MEMBER_##name,
    MEMBERS(X)
#undef X
    MEMBER_COUNT
};
/* clang-format on */

struct frame {
    const char *at[MEMBER_COUNT]; /* NULL: absent */
    const char *end;
};

/* Where the members of one object stand; *scan is before its '{' and is left behind its '}'. A
 * member that stands twice is an error. */
enum weir_err frame_index(struct scan *scan, struct frame *frame_out);
/* The text of a string member; empty if it is absent or no string. */
struct weir_bytes frame_text(const struct frame *frame, enum member member);
static inline struct scan frame_scan(const struct frame *frame, enum member member)
{
    const char *at = frame->at[member];
    return (struct scan){at ? at : frame->end, frame->end, at ? WEIR_OK : WEIR_E_BAD_FRAME};
}

/* --- decode.c -------------------------------------------------------------------------------- */

enum weir_err decode_frame(struct binance *binance, struct channel *channel,
                           struct weir_bytes frame);
/* Room for a book message of so many levels; false: no memory, or more than any book has. */
bool book_room(struct binance *binance, size_t levels);
/* A depth reply. symbol NULL: what it says itself, else what the channel saw last. */
enum weir_err decode_snapshot(struct binance *binance, struct channel *channel,
                              struct symbol *symbol, struct weir_bytes body);

/* --- probe.c --------------------------------------------------------------------------------- */

enum weir_err binance_probe(struct weir_bytes frame, struct weir_probe *probe_out);
/* The market that a futures symbol belongs to, by its form: BTCUSD_PERP, BTCUSDT, BTCUSDT_261225. */
enum market market_of_futures(const char *symbol, size_t len);

#endif
