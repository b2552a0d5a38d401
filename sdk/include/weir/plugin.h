/* plugin.h - what a venue plugin gives the host, and what the host gives it.
 *
 * A plugin turns venue bytes into events, and intents into venue bytes. It opens no socket, starts
 * no thread, reads no clock and holds no secret: the host moves the bytes, tells the time and signs.
 * So one plugin runs unchanged live, in a backtest, in a child process and under the fuzzer.
 *
 * RULES  Every callback is a pure function of the session's state and its arguments.
 *        A pointer argument is borrowed until the call returns; nothing is kept by either side.
 *        Callbacks of one session are never concurrent and never nested.
 *        Brackets name the thread and the phase in which a function may be called.
 *        Structs begin with their size: ask before you use a late member. */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include "weir/error.h"
#include "weir/event.h"

#define WEIR_ABI   2u
#define WEIR_MAGIC 0x52494557u /* "WEIR" */

struct weir_bytes {
    const char *data; /* not zero-terminated */
    size_t len;
};

/* How the messages of one book follow each other. The plugin states it, the host enforces it.
 *
 * RANGE_NEXT  after snapshot s the first delta has first <= s+1 <= last, older ones (last <= s) are
 *             dropped; then first = last of the one before + 1
 * RANGE_PREV  after snapshot s the first delta has first <= s <= last, or prev = s; older ones
 *             (last < s) are dropped; then prev = last of the one before
 * NEXT        last = last of the one before + 1
 * PREV        prev = last of the one before
 * NONE        each message is a snapshot, or the venue gives no sequence; a number in last, such as
 *             a time, must not go back; 0: none
 * NEWER       as NONE, but after snapshot s older deltas (last <= s) are dropped. What the venue left
 *             out cannot be seen
 *
 * With the two RANGE rules and NEWER snapshots come beside the stream, and one that is older than the
 * book is dropped; with the others they come in it, and replace the book whatever their number. The host asks
 * for a new snapshot with WEIR_RESYNC, again and again until it has one. */
enum weir_book_rule {
    WEIR_RULE_RANGE_NEXT = 1,
    WEIR_RULE_RANGE_PREV,
    WEIR_RULE_NEXT,
    WEIR_RULE_PREV,
    WEIR_RULE_NONE,
    WEIR_RULE_NEWER
};

/* What the venue can do. What it cannot is emulated by the host or refused by name. */
struct weir_caps {
    uint32_t size;
    uint32_t order_types; /* bit 1 << enum weir_order_type */
    uint32_t tifs;        /* bit 1 << enum weir_tif */
    uint32_t order_flags; /* enum weir_order_flags */
    uint8_t orders;       /* 1: order entry; 0: market data only */
    uint8_t amend;        /* 0: none, 1: keeps the order's id, 2: cancel and new in one request */
    uint8_t cancel_all;
    uint8_t query_by_client_id;
    uint8_t open_orders;
    uint8_t fills_since;
    uint8_t dead_man;             /* venue cancels by itself when we fall silent */
    uint8_t book_rule;            /* enum weir_book_rule */
    uint32_t client_id_max;       /* characters; the host's own ids have at most 18 */
    uint32_t book_depth;          /* levels a side that the venue keeps true; 0: all */
    weir_ns absence_proves_after; /* not found this long after sending: never accepted */
    weir_ns data_age_max;         /* silence of an active market longer than this is staleness */
};

/* Settings of this session from the operator's file: texts, by name. */
struct weir_setting {
    const char *name;
    const char *value;
};

struct weir_request_http {
    uint32_t size;
    uint32_t id; /* the plugin's number; comes back with the answer */
    const char *method;
    const char *path; /* with query; the host part is the session's endpoint */
    struct weir_bytes body;
    uint32_t weight;     /* of the venue's rate budget */
    uint32_t idempotent; /* 1: the host may repeat it. Orders never are */
    weir_ns timeout;
    const char *headers; /* NULL, or lines "Name: value" with '\n' between them */
    uint32_t lane;       /* enum weir_lane */
    uint32_t pad;
};

/* Who comes first when a rate budget runs low: a new order leaves 20 % of it alone, a question or
 * an amendment 10 %, a cancel nothing. */
enum weir_lane { WEIR_LANE_NEW = 0, WEIR_LANE_ASK, WEIR_LANE_CANCEL };

/* One of the venue's rate budgets, as its documents or its answers state it. */
enum weir_budget_of { WEIR_BUDGET_WEIGHT = 0, WEIR_BUDGET_ORDERS, WEIR_BUDGET_CLASSES };
struct weir_budget {
    uint32_t size;
    uint32_t of; /* enum weir_budget_of */
    weir_ns
        window;    /* it is full again when a window of this length begins (aligned to the epoch) */
    int64_t limit; /* -1: not told now, as it was */
    int64_t used;  /* in the present window; -1: not told now */
};

struct weir_host {
    uint32_t size; /* of this struct in the host that loaded you */
    uint32_t abi;
    void *host; /* the host's own; pass it back as first argument */

    /* Give the host one event. It is copied and checked: one that event.h does not allow is dropped,
     * told to the operator, and, if it is of orders, makes the host distrust the private stream
     * until the next WEIR_STREAM_UP.                                 [engine thread, running] */
    void (*emit)(void *host, const struct weir_msg *event);

    /* Queue one frame for connection conn. E_FULL: the queue is at its limit, nothing was queued;
     * E_DOWN: not connected.                                         [engine thread, running] */
    enum weir_err (*send)(void *host, uint32_t conn, struct weir_bytes frame) WEIR_MUST_USE;

    /* Queue one HTTP request; the answer comes by on_response, always exactly once.
     *                                                                [engine thread, running] */
    enum weir_err (*request)(void *host, const struct weir_request_http *request) WEIR_MUST_USE;

    /* Open connection number conn (the plugin's number) to a path of the session's endpoint;
     * on_conn tells when it is up. The host reconnects by itself.    [engine thread, running] */
    enum weir_err (*connect)(void *host, uint32_t conn, const char *path) WEIR_MUST_USE;

    /* Call on_timer(id) at engine time t, once; a t that is not later than now means a microsecond
     * from now. Setting it again moves it; t = 0 takes it away. Timers of one time fire in the order
     * of their ids. E_FULL: 1024 are set.                            [engine thread, running] */
    enum weir_err (*timer)(void *host, uint32_t id, weir_ns t) WEIR_MUST_USE;

    /* Sign bytes with a key the operator named; the secret stays in the host. algorithm:
     * "hmac-sha256", "hmac-sha512", "ed25519", "es256", "rsa-sha256". *len: room in, length out.
     *                                                                [engine thread, running] */
    enum weir_err (*sign)(void *host, const char *key, const char *algorithm, struct weir_bytes in,
                          unsigned char *out, size_t *len) WEIR_MUST_USE;

    /* A line for the operator; rate-limited by the host.              [engine thread, any phase] */
    void (*log)(void *host, const char *text);

    /* As connect, to another of the endpoints that the operator named ("orders": that of order
     * entry; "": the usual one). path NULL closes connection conn for good.
     *                                                                [engine thread, running] */
    enum weir_err (*connect_to)(void *host, uint32_t conn, const char *door,
                                const char *path) WEIR_MUST_USE;

    /* The public half of a named key, such as what goes into an API-key header, as a text that ends
     * with a zero. E_FULL: out is too small; E_NOT_FOUND.            [engine thread, running] */
    enum weir_err (*key_id)(void *host, const char *key, char *out, size_t room) WEIR_MUST_USE;

    /* Tell a sample of the venue's clock (venue > 0: its time, which lies between sent and received,
     * both engine time), and get how far it is ahead of ours: the median of the samples so far.
     * All 0: only get it.                                            [engine thread, running] */
    weir_ns (*venue_clock)(void *host, weir_ns sent, weir_ns received, weir_ns venue);

    /* What the venue said of a rate budget.                          [engine thread, running] */
    void (*budget)(void *host, const struct weir_budget *budget);

    /* Take weight (and orders) from the budgets, for a frame: HTTP requests do it by themselves.
     * E_FULL: none is left for this lane, or the venue has banned us; nothing was taken.
     *                                                                [engine thread, running] */
    enum weir_err (*spend)(void *host, uint32_t weight, uint32_t orders,
                           uint32_t lane) WEIR_MUST_USE;

    /* The venue refuses everything until t.                          [engine thread, running] */
    void (*banned)(void *host, weir_ns until);
};

/* What a frame is, for routing recorded bytes to the right session; see `probe`. "": not told. */
enum { WEIR_STREAM_MAX = 64 };
struct weir_probe {
    uint32_t size;
    uint32_t snapshot_trades;     /* past trades that it lists, which are not told as trades */
    char market[WEIR_ASSET_MAX];  /* the variant this frame belongs to, such as "spot" */
    char symbol[WEIR_SYMBOL_MAX]; /* as in WEIR_INSTRUMENT */
    char type[WEIR_SYMBOL_MAX];   /* what the venue calls such a message, such as "depth@100ms" */
    char stream[WEIR_STREAM_MAX]; /* the venue's name of the whole stream, where it has one */
};

struct weir_plugin {
    uint32_t magic;      /* WEIR_MAGIC */
    uint32_t size;       /* sizeof(struct weir_plugin) when you were compiled */
    uint32_t abi;        /* WEIR_ABI when you were compiled */
    uint32_t layout;     /* WEIR_LAYOUT when you were compiled: sizes of all message structs */
    const char *name;    /* "loopback": as in config, lower case */
    const char *version; /* yours */
    const struct weir_caps *caps;

    /* Begin a session. host and what it points to stay valid until close; only its log may be called
     * here, and what was said last is the reason that an operator reads when the session is refused,
     * by an error. settings is ended by a NULL name. The session is given back in every call.
     *                                                                [main thread, loading] */
    enum weir_err (*open)(const struct weir_host *host, const struct weir_setting *settings,
                          void **session_out);
    void (*close)(void *session); /*                                  [main thread, stopped] */

    /* The session may begin: connect, subscribe, emit instruments.   [engine thread, running] */
    enum weir_err (*start)(void *session, weir_ns now);

    /* One whole message arrived on conn. Any error drops the connection and resyncs; an event that
     * was emitted before the error stands.                            [engine thread, running] */
    enum weir_err (*on_frame)(void *session, uint32_t conn, weir_ns now, struct weir_bytes frame);

    /* Connection conn is up (1) or down (0). May be left out.         [engine thread, running] */
    enum weir_err (*on_conn)(void *session, uint32_t conn, weir_ns now, int up);

    /* The answer to request id. status 0: no answer (timeout, connection lost). May be left out.
     *                                                                 [engine thread, running] */
    enum weir_err (*on_response)(void *session, uint32_t id, weir_ns now, int status,
                                 struct weir_bytes body);

    /* A timer you set is due. May be left out.                        [engine thread, running] */
    enum weir_err (*on_timer)(void *session, uint32_t id, weir_ns now);

    /* An intent passed risk and is journalled: encode it and send it. An error means certainly not
     * sent: the host books a definite refusal. Plugins without orders get WEIR_RESYNC and
     * WEIR_SUBSCRIBE.                                                 [engine thread, running] */
    enum weir_err (*on_intent)(void *session, weir_ns now, const struct weir_intent *intent);

    /* What is this recorded frame? E_NOT_FOUND: it does not tell. Needs no session. Also asked of the
     * body of an HTTP answer, and of the address of a connection ("wss://..."), which may tell the
     * market. May be left out.                                        [any thread, any phase] */
    enum weir_err (*probe)(struct weir_bytes frame, struct weir_probe *probe_out);

    /* An HTTP answer out of a recording, which somebody else asked for: target is the URL. It is
     * used as far as it tells something (snapshots, instruments). May be left out.
     *                                                                 [engine thread, running] */
    enum weir_err (*on_recorded)(void *session, weir_ns now, struct weir_bytes target,
                                 struct weir_bytes body);

    /* What the venue calls the numbers of its book messages: last_seq, and first_seq where that is
     * another number. NULL: it has none; for reports. */
    const char *seq_name;
    const char *seq_name_2;

    /* The headers of the answer to request id, lines "name: value" with small names; it comes before
     * on_response. May be left out.                                   [engine thread, running] */
    enum weir_err (*on_headers)(void *session, uint32_t id, weir_ns now, int status,
                                struct weir_bytes headers);

    /* A question beside the order path. May be left out.              [engine thread, running] */
    enum weir_err (*on_query)(void *session, weir_ns now, const struct weir_query *query);
};

/* A fingerprint of the message layouts: changes when any struct of event.h changes size. */
#define WEIR_LAYOUT                                                                          \
    ((uint32_t)(sizeof(struct weir_msg) * 3u + sizeof(struct weir_instrument) * 5u +         \
                sizeof(struct weir_book_msg) * 7u + sizeof(struct weir_top) * 11u +          \
                sizeof(struct weir_trade) * 13u + sizeof(struct weir_mark) * 17u +           \
                sizeof(struct weir_session) * 19u + sizeof(struct weir_rate_limited) * 23u + \
                sizeof(struct weir_report) * 29u + sizeof(struct weir_fill) * 31u +          \
                sizeof(struct weir_cash) * 37u + sizeof(struct weir_intent) * 41u +          \
                sizeof(struct weir_caps) * 43u + sizeof(struct weir_host) * 47u +            \
                sizeof(struct weir_plugin) * 53u + sizeof(struct weir_l3) * 59u +            \
                sizeof(struct weir_sequence) * 61u + sizeof(struct weir_query) * 67u +       \
                sizeof(struct weir_funding_rate) * 71u))

/* The one symbol that a plugin exports. */
__attribute__((visibility("default"))) extern const struct weir_plugin weir_plugin;

#endif
