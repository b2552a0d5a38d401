/* event.h - the words in which host and plugin speak: flat messages, one header.
 *
 * EVENTS go from a plugin to the host (`host->emit`), INTENTS from the host to a plugin
 * (`on_intent`). A message holds no pointer and no padding that is not named, and its first member
 * says how long it is, so the same bytes can be copied, journalled, replayed, or sent to another
 * process. A reader copies min(size, sizeof) over zeroes; it skips kinds it does not know.
 *
 * NUMBERS  Prices and quantities are int64 counts of 10^-price_exp and 10^-qty_exp, as the
 *          instrument's definition (WEIR_INSTRUMENT) says. Money is a 128-bit count of 10^-18.
 *          No number here was ever a binary floating point number.
 * TIMES    int64 nanoseconds since the epoch, UTC. 0: not known.
 * TEXTS    Zero-terminated UTF-8 in arrays; unused bytes are zero (messages are compared as bytes).
 * SIDES    Enumerations are stored as fixed-width integers, and are open: refuse, by name, what you
 *          do not know. */
#ifndef WEIR_EVENT_H
#define WEIR_EVENT_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t weir_px;  /* price, counts of 10^-price_exp */
typedef int64_t weir_qty; /* quantity, counts of 10^-qty_exp */
typedef int64_t weir_ns;  /* nanoseconds */

/* A 128-bit two's complement count of 10^-18 of an asset. */
struct weir_amount {
    uint64_t lo;
    int64_t hi;
};

enum { WEIR_ID_MAX = 40, WEIR_SYMBOL_MAX = 32, WEIR_ASSET_MAX = 16, WEIR_REASON_MAX = 64 };

enum weir_side { WEIR_BUY = 0, WEIR_SELL = 1 };
enum weir_order_type {
    WEIR_LIMIT = 0,
    WEIR_MARKET,
    WEIR_STOP, /* market when the trigger is touched */
    WEIR_STOP_LIMIT,
    WEIR_TAKE_PROFIT, /* market when the trigger is touched from the other side */
    WEIR_TRAILING,
    WEIR_ICEBERG,
    WEIR_TAKE_PROFIT_LIMIT /* limit when the trigger is touched from the other side */
};
enum weir_tif { WEIR_GTC = 0, WEIR_IOC, WEIR_FOK, WEIR_GTD, WEIR_DAY };
enum weir_order_flags {
    WEIR_POST_ONLY = 1,
    WEIR_REDUCE_ONLY = 2,
    WEIR_QUOTE_QTY =
        4 /* market orders: qty is money to spend or to get, 10^-qty_exp of the quote */
};
enum weir_instrument_kind { WEIR_SPOT = 0, WEIR_LINEAR, WEIR_INVERSE };
enum weir_instrument_status { WEIR_TRADING = 0, WEIR_HALTED };

/* What proves that a request failed. SILENCE proves nothing: the order becomes UNKNOWN. */
enum weir_proof {
    WEIR_DEFINITE = 0, /* the venue says: not accepted, nothing was executed */
    WEIR_SILENCE       /* timeout, 5xx, dropped connection, "status unknown" */
};

enum weir_kind {
    WEIR_NONE = 0,

    /* market data */
    WEIR_INSTRUMENT = 1,   /* struct weir_instrument: first of all, and again when rules change */
    WEIR_BOOK = 2,         /* struct weir_book_msg + levels */
    WEIR_TOP = 3,          /* struct weir_top: best bid and ask as the venue sends them */
    WEIR_TRADE = 4,        /* struct weir_trade */
    WEIR_MARK = 5,         /* struct weir_mark: the venue's mark price */
    WEIR_SEQUENCE = 6,     /* struct weir_sequence: this frame's number on its connection */
    WEIR_L3 = 7,           /* struct weir_l3: one order of somebody in the venue's book */
    WEIR_INDEX = 8,        /* struct weir_mark: the index that the contract follows */
    WEIR_FUNDING_RATE = 9, /* struct weir_funding_rate: what holders of a perpetual will pay */

    /* the account's session */
    WEIR_SESSION = 20,      /* struct weir_session: private stream up or down */
    WEIR_RATE_LIMITED = 21, /* struct weir_rate_limited */

    /* orders: the venue's answers and reports */
    WEIR_ACK = 40,      /* struct weir_report: accepted, venue_id is its id there */
    WEIR_REJECT = 41,   /* struct weir_report: refused; see proof */
    WEIR_FILL = 42,     /* struct weir_fill: one execution */
    WEIR_CANCELED = 43, /* struct weir_report: canceled; cum_qty if has_cum */
    WEIR_CANCEL_REJECT =
        44,             /* struct weir_report: the cancel failed; reason UNKNOWN_ORDER is special */
    WEIR_EXPIRED = 45,  /* struct weir_report: ended by the venue (IOC, FOK, STP, VENUE) */
    WEIR_REPLACED = 46, /* struct weir_report: the replace holds; client_id is the old or new one */
    WEIR_REPLACE_REJECT = 47, /* struct weir_report: the order is as before */
    WEIR_NO_ANSWER = 48,      /* struct weir_report: request `request` had no answer in time */
    WEIR_STATUS = 49,         /* struct weir_report: answer to a query; `state`, or NOT_FOUND */
    WEIR_BUST =
        50, /* struct weir_fill: exec_id was undone; `state` is the order's state after it */
    WEIR_FUNDING = 51,  /* struct weir_cash: negative is paid */
    WEIR_TRANSFER = 52, /* struct weir_cash: deposit or withdrawal */

    /* a full answer to a reconciliation request, as rows between BEGIN and END, in this order:
     * fills (WEIR_FILL), orders (WEIR_RECON_ORDER), positions, balances */
    WEIR_RECON_BEGIN = 60, /* struct weir_msg */
    WEIR_RECON_ORDER = 61, /* struct weir_report */
    WEIR_RECON_POSITION =
        62,                  /* struct weir_cash: instrument, amount = net quantity traded, 1e-18 */
    WEIR_RECON_BALANCE = 63, /* struct weir_cash: asset, amount = wallet total */
    WEIR_RECON_END =
        64, /* struct weir_msg; flags bit 0: positions listed, bit 1: balances listed, bit 2: an
               answer to a weir_query: nothing else was asked, so absence of orders says nothing, bit 3: working
               orders are listed, ended ones are not: what is absent has ended, or never was */

    /* intents: what the host asks of a plugin */
    WEIR_NEW = 100,         /* struct weir_intent */
    WEIR_CANCEL = 101,      /* struct weir_intent: client_id, venue_id if known */
    WEIR_REPLACE = 102,     /* struct weir_intent: client_id -> new_client_id, total qty and px */
    WEIR_CANCEL_ALL = 103,  /* struct weir_intent: of one instrument */
    WEIR_QUERY_ORDER = 110, /* struct weir_intent: client_id, venue_id if known */
    WEIR_QUERY_FILLS = 111, /* struct weir_intent: instrument; since when: t_since */
    WEIR_RECONCILE = 112,   /* struct weir_intent: everything, answered as WEIR_RECON_* rows */
    WEIR_RESYNC = 113,      /* struct weir_intent: a new snapshot of this instrument's book */
    WEIR_SUBSCRIBE = 114,   /* struct weir_intent: market data of this instrument */
    WEIR_QUERY = 115,       /* struct weir_query, by on_query: what people and reports ask */

    WEIR_HOST_KINDS = 200 /* from here on: the host's own, never seen by a plugin */
};

enum {
    WEIR_RECON_HAS_POSITIONS = 1,
    WEIR_RECON_HAS_BALANCES = 2,
    WEIR_RECON_PARTIAL = 4,
    WEIR_RECON_OPEN_ONLY = 8
};

/* First member of every message; 40 bytes. A plugin sets size, kind, instrument and t_venue; the
 * host stamps venue, account and t when it takes the message. */
struct weir_msg {
    uint32_t size;       /* of the whole message, a multiple of 8 */
    uint16_t kind;       /* enum weir_kind */
    uint16_t flags;      /* meaning depends on the kind */
    uint16_t venue;      /* the host's number of the venue */
    uint16_t account;    /* the host's number of the account */
    uint32_t instrument; /* plugin: its own number, dense from 1; host: the host's. 0: none */
    weir_ns t;           /* engine time at which the host took it; never goes back */
    weir_ns t_venue;     /* the venue's own time stamp, another clock */
    uint64_t cause;      /* sequence of the input that led here; 0 in inputs */
};

struct weir_instrument {
    struct weir_msg msg;
    char symbol[WEIR_SYMBOL_MAX]; /* as the venue writes it */
    char base[WEIR_ASSET_MAX];
    char quote[WEIR_ASSET_MAX];
    uint8_t kind;     /* enum weir_instrument_kind */
    uint8_t status;   /* enum weir_instrument_status */
    int8_t price_exp; /* 0..18; price_exp + qty_exp <= 18 */
    int8_t qty_exp;
    int8_t multiplier_exp; /* contract size = multiplier * 10^-multiplier_exp, in base (linear)
                              or quote (inverse) units per 1 of quantity */
    uint8_t pad[3];
    int64_t multiplier;
    weir_px tick;                    /* smallest price step; 0: not known, not checked */
    weir_qty step;                   /* smallest quantity step; 0: not known, not checked */
    struct weir_amount min_notional; /* 0: none */
};

struct weir_level {
    weir_px px;
    weir_qty qty; /* total now at this price; 0 removes the level */
};

/* A venue's checksum of its book, which the host compares with its own book after the message. Prices
 * and sizes are summed as the venue's texts: `places` digits behind the point, or as few as the number
 * needs.
 *
 * PAIRS   CRC-32 of "bid:size:ask:size:..." over the 25 best levels of each side, taken in turns; a
 *         side that has no more levels is left out (OKX v5, Bitget)
 * DIGITS  CRC-32 of the 10 best asks, then the 10 best bids, price and size of each, without the
 *         point and without zeros in front (Kraken v1 and v2) */
enum weir_book_check { WEIR_CHECK_NONE = 0, WEIR_CHECK_PAIRS, WEIR_CHECK_DIGITS };
enum { WEIR_PLACES_FEWEST = 255 };

/* One book message. Sequence numbers mean what the rule says (see enum weir_book_rule in plugin.h):
 * the host, not the plugin, decides whether the message can be applied. The rule is that of the
 * capability sheet, unless the high byte of msg.flags names another one: a plugin whose markets
 * differ in it (spot and futures of one venue) says so in each of its book messages. */
enum {
    WEIR_BOOK_SNAPSHOT = 1,
    WEIR_BOOK_UNPROVED =
        2, /* of a snapshot: the sum of the next message will prove it; not LIVE before */
    WEIR_BOOK_RULE_SHIFT = 8
}; /* flags >> 8: enum weir_book_rule; 0: the sheet's */
struct weir_book_msg {
    struct weir_msg msg; /* flags: WEIR_BOOK_SNAPSHOT, else a delta */
    uint64_t first_seq;
    uint64_t last_seq;
    uint64_t prev_seq; /* last_seq of the message before this one, where the venue tells it */
    uint32_t bids;     /* this many levels, then */
    uint32_t asks;     /* this many */
    uint32_t keep;     /* levels a side that the venue keeps; worse ones are let go. 0: all */
    uint32_t checksum; /* of the book after this message, if check is not 0 */
    uint8_t check;     /* enum weir_book_check */
    uint8_t px_places; /* of the texts that are summed, 0..18, or WEIR_PLACES_FEWEST */
    uint8_t qty_places;
    uint8_t pad[5];
    struct weir_level levels[]; /* in any order within a side */
};

enum {
    WEIR_TOP_OF_BOOK = 1
}; /* flags, set by the host: read off its own book, not sent by the venue */
struct weir_top {
    struct weir_msg msg;
    uint64_t seq;     /* numbered as the messages of the book are; 0: not, or otherwise */
    weir_px bid, ask; /* 0: that side is empty */
    weir_qty bid_qty, ask_qty;
};

enum {
    WEIR_TRADE_OFF_BOOK = 1, /* flags: insurance fund, block trade: not a trade of the book */
    WEIR_TRADE_ID_TEXT = 2,  /* the venue writes its id as a text */
    WEIR_TRADE_ID_UUID = 4   /* the text is a UUID: its 128 bits are id_high and id */
};
struct weir_trade {
    struct weir_msg msg;
    uint64_t id;      /* 0: the venue numbers no trades */
    uint64_t id_high; /* 0 but for a UUID */
    weir_px px;
    weir_qty qty;
    uint8_t aggressor; /* enum weir_side of the taker */
    uint8_t pad[7];
};

struct weir_mark {
    struct weir_msg msg;
    weir_px px;
};

enum { WEIR_STREAM_DOWN = 0, WEIR_STREAM_UP = 1 };
struct weir_session {
    struct weir_msg msg; /* flags: WEIR_STREAM_UP or DOWN, of private events */
    char reason[WEIR_REASON_MAX];
};

/* The venue refused a request unprocessed: a definite refusal, and a wait for everybody. */
struct weir_rate_limited {
    struct weir_msg msg; /* flags: 1 + enum weir_request that was refused; 0: the order's latest */
    char client_id[WEIR_ID_MAX]; /* "" if no order was concerned */
    weir_ns retry_after;         /* how long to wait */
    int32_t code;
    uint32_t pad;
};

struct weir_funding_rate {
    struct weir_msg msg;
    int64_t rate; /* 10^-12 of the position's worth, at the end of the interval; < 0: shorts pay */
    weir_ns t_next; /* when; 0: it is paid all the time */
};

/* One order of the venue's book, where it shows single orders (level 3). Ids rise in the order of
 * arrival. MATCH says which two orders a trade was between, where the venue tells it. */
enum weir_l3_action { WEIR_L3_ADD = 0, WEIR_L3_CHANGE, WEIR_L3_REMOVE, WEIR_L3_MATCH };
enum {
    WEIR_L3_SNAPSHOT = 1, /* flags: an ADD out of a snapshot, not seen as it came */
    WEIR_L3_CLOSING = 2   /* a REMOVE that a recorder made up at its end */
};
struct weir_l3 {
    struct weir_msg msg;
    uint64_t id;
    uint64_t other; /* MATCH: the taker's, and id is the maker's */
    weir_px px;     /* 0: rounded to nothing */
    weir_qty qty; /* ADD, CHANGE: what rests now. REMOVE: what had rested, or 0 if it was filled */
    uint8_t side; /* enum weir_side of the order */
    uint8_t action;
    uint8_t pad[6];
};

/* Where a venue numbers all frames of a connection, whatever they are of, the plugin says the number
 * first, before anything else of the frame. One that does not follow is a gap: all books that this
 * connection feeds are lost, and the connection is begun anew. Of a frame that was seen before,
 * everything that the plugin says is left out. */
struct weir_sequence {
    struct weir_msg msg; /* no instrument */
    uint64_t seq;
};

/* States as a venue reports them. */
enum weir_venue_state {
    WEIR_STATE_NOT_FOUND = 0, /* only in WEIR_STATUS: the venue does not know the order */
    WEIR_STATE_OPEN,          /* working, filled or not */
    WEIR_STATE_FILLED,
    WEIR_STATE_CANCELED,
    WEIR_STATE_EXPIRED,
    WEIR_STATE_REJECTED
};
enum weir_request { WEIR_REQUEST_NEW = 0, WEIR_REQUEST_CANCEL, WEIR_REQUEST_REPLACE };

struct weir_report {
    struct weir_msg msg;
    char client_id[WEIR_ID_MAX]; /* one of the two ids must be there */
    char venue_id[WEIR_ID_MAX];
    uint64_t stream_seq; /* of the private stream, where the venue numbers it; else 0 */
    uint8_t proof;       /* enum weir_proof, for rejects */
    uint8_t state;       /* enum weir_venue_state, for STATUS and RECON_ORDER */
    uint8_t request;     /* enum weir_request, for NO_ANSWER */
    uint8_t has_cum;     /* 1: cum_qty is given */
    uint8_t side;        /* for RECON_ORDER of orders we may not know */
    uint8_t pad[3];
    weir_qty cum_qty; /* executed in total, by the venue's books */
    weir_qty qty;
    weir_px px;
    int32_t code; /* the venue's own error code, 0: none */
    uint32_t pad2;
    char reason[WEIR_REASON_MAX];
};

enum weir_origin {
    WEIR_ORIGIN_OURS = 0,
    WEIR_ORIGIN_MANUAL,
    WEIR_ORIGIN_LIQUIDATION,
    WEIR_ORIGIN_ADL,
    WEIR_ORIGIN_ADOPTED /* the host's own: a position that was there before; never from a plugin */
};

struct weir_fill {
    struct weir_msg msg;
    char client_id[WEIR_ID_MAX]; /* "" if the venue names only its own id */
    char venue_id[WEIR_ID_MAX];
    char exec_id[WEIR_ID_MAX]; /* unique per instrument: the key by which it is booked once */
    uint64_t stream_seq;
    weir_qty qty;
    weir_px px;
    struct weir_amount fee;         /* > 0 paid, < 0 rebate */
    char fee_asset[WEIR_ASSET_MAX]; /* "" : no fee reported */
    uint8_t side;
    uint8_t origin; /* enum weir_origin: other than OURS is certainly not our order */
    uint8_t state;  /* BUST: enum weir_venue_state of the order afterwards; NOT_FOUND: not told */
    uint8_t maker;  /* 1: our order rested */
    uint8_t has_realized; /* 1: `realized` is told. Derivatives only */
    uint8_t pad[3];
    /* What the venue itself put into the wallet for what this closed, fee aside, 1e-18 of the asset that
     * the instrument settles in. By average cost that depends on the order of executions, which the host
     * may hear of in another: with it told, its wallet is the venue's all the same. */
    struct weir_amount realized;
};

struct weir_cash {
    struct weir_msg msg;
    char asset[WEIR_ASSET_MAX];
    char id[WEIR_ID_MAX]; /* funding, transfer: the key by which it is booked once */
    struct weir_amount amount;
};

struct weir_intent {
    struct weir_msg msg; /* kind: WEIR_NEW ... WEIR_SUBSCRIBE */
    char client_id[WEIR_ID_MAX];
    char venue_id[WEIR_ID_MAX];      /* "" while not known */
    char new_client_id[WEIR_ID_MAX]; /* replace */
    uint8_t side;
    uint8_t type;   /* enum weir_order_type */
    uint8_t tif;    /* enum weir_tif */
    uint8_t flags;  /* enum weir_order_flags */
    uint32_t order; /* the host's order number, for correlation only */
    weir_px px;     /* 0 for market orders */
    weir_px trigger;
    weir_qty qty;     /* total, filled part included */
    weir_qty cum_qty; /* filled so far, as the host knows it */
    /* WEIR_QUERY_FILLS, WEIR_RECONCILE: executions from this venue time on; WEIR_NEW with GTD: until then */
    weir_ns t_since;
};

/* What can be asked beside the order path; each is answered by the events behind it. */
enum weir_query_of {
    WEIR_OF_INSTRUMENTS = 1, /* WEIR_INSTRUMENT where a rule changed */
    WEIR_OF_TIME,            /* a sample of the venue's clock (host->venue_clock) */
    WEIR_OF_BOOK,            /* WEIR_BOOK, a snapshot of `limit` levels */
    WEIR_OF_TRADES,          /* WEIR_TRADE, those of the public */
    WEIR_OF_FUNDING,         /* WEIR_MARK; the account's payments as WEIR_FUNDING */
    WEIR_OF_OPEN_ORDERS,     /* WEIR_STATUS */
    WEIR_OF_CLOSED_ORDERS,   /* WEIR_STATUS, ended ones and open ones */
    WEIR_OF_FILLS,           /* WEIR_FILL */
    WEIR_OF_BALANCES,        /* WEIR_RECON_BEGIN, rows, WEIR_RECON_END with WEIR_RECON_PARTIAL */
    WEIR_OF_POSITIONS        /* likewise */
};

struct weir_query {
    struct weir_msg
        msg;         /* kind: WEIR_QUERY; instrument 0: of the whole account, where that can be */
    uint32_t of;     /* enum weir_query_of */
    uint32_t limit;  /* rows or levels; 0: as many as the venue gives at once */
    weir_ns t_since; /* venue time; 0: not said */
    weir_ns t_until;
};

#endif
