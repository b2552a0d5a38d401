/* config.h - a whole configuration, read and checked; nothing of it is guessed.
 *
 * All texts and lists live as long as the config. A file that fails leaves nothing behind, and `why`
 * holds file:line:column, the source line, a caret, and what was expected. [main thread] */
#ifndef WEIR_CONTROL_CONFIG_H
#define WEIR_CONTROL_CONFIG_H

#include "base/decimal.h"
#include "base/text.h"
#include "base/why.h"
#include "engine/lists.h"
#include "weir/plugin.h"

enum execution { EXECUTION_VENUE, EXECUTION_PAPER, EXECUTION_NONE };

struct config_paper {
    const char *queue;
    weir_ns submit_latency, cancel_latency, amend_latency, report_latency;
    weir_ns latency_jitter, latency_tail;
    const char *latency_file; /* as written; "": none */
    bool latency_by_chance;
    amount maker_fee_bps, taker_fee_bps, funding_bps;
    weir_ns funding_every, rate_window, outage_every, outage_for;
    const char *fee_asset, *self_trade;
    bool check_balance;
    uint32_t rate_max, reject_ppm, drop_request_ppm, drop_ack_ppm, duplicate_fill_ppm;
    uint64_t seed;
    const struct weir_setting *balances; /* ended by a NULL name */
};

struct config_venue {
    const char *name;
    const char *plugin;
    const char *account;
    enum execution execution;
    uint32_t book_window, book_far;
    weir_ns data_age_max, answer_timeout;
    bool emulate;
    const char *ws, *ws_orders, *http;   /* of its endpoint; "": none */
    const char *const *ca_files;         /* ended by NULL */
    const struct weir_setting *settings; /* ended by a NULL name */
    struct config_paper paper;
};

struct config_key {
    const char *name;
    const char *id, *secret; /* sources, as venue/signer.h has them */
    bool base64;
};

struct config_limit {
    enum risk_scope scope;
    const char *name; /* of the thing in its scope, or "*" */
    enum risk_limit limit;
    bool none;
    amount value;
};

/* A value of a script's settings: text as written (numbers too), or a table of such. */
struct config_value {
    const char *key;   /* NULL in lists */
    const char *text;  /* NULL: a table */
    const char *place; /* "weir.yaml:12:7"; NULL: not known */
    bool quoted;       /* written in quotes: a text even if it looks like a number */
    const struct config_value *items;
    size_t count;
};

enum retry { RETRY_NEVER = 0, RETRY_CRASH, RETRY_ALWAYS };

struct config_script {
    const char *name;
    const char *file; /* path, resolved */
    bool orders;      /* right to send orders */
    const char *group;
    int64_t memory;
    weir_ns callback, load;
    uint32_t orders_per_second, log_lines_per_second;
    uint64_t seed;
    bool process;  /* isolation */
    uint8_t wake;  /* enum script_wake */
    uint32_t nice; /* of its process */
    bool cancel_on_quarantine;
    enum retry retry;
    uint32_t retries;
    weir_ns retry_wait;
    const char *const *imports;   /* ended by NULL */
    struct config_value settings; /* a table */
};

struct config {
    const char *path;
    char sha256[65];       /* of all files, in order */
    const char *files[33]; /* their paths, ended by NULL */
    bool watch;            /* reload when one of them, or a script, changes */
    uint32_t instance;
    const char *journal;
    bool journal_new; /* a folder of its own for each run */
    bool sync_always;
    bool index;         /* keep index.db */
    const char *record; /* folder of raw frames; "": none */
    int64_t record_segment, record_disk;
    int64_t segment, disk_floor;
    int64_t snapshot; /* bytes of messages between two; 0: none */
    const char *control;
    bool cancel_on_stop;
    const char *state;         /* folder of weir.state; NULL or "": nowhere */
    bool inline_without_cells; /* where there can be no process cells, scripts run inline */
    weir_ns stop_wait, busy_poll;
    uint32_t orders, executions, client_ids;
    int64_t policies[POLICY_COUNT];
    const char *listen;
    uint16_t port;
    const char *log_level;
    bool log_json;
    struct config_key *keys;
    size_t key_count;
    struct config_venue *venues;
    size_t venue_count;
    struct config_limit *limits;
    size_t limit_count;
    struct config_script *scripts;
    size_t script_count;
};

/* NULL on an error. */
struct config *config_load(const char *path, struct why *why) WEIR_MUST_USE;
/* Likewise, with values that stand instead of, or beside, those of the files: "KEY.KEY...=VALUE", such
 * as "scripts.maker.settings.clip=0.02". A key must be one of the table, its value what the table says;
 * a named section must be there. */
struct config *config_load_with(const char *path, const char *const *sets, size_t set_count,
                                struct why *why) WEIR_MUST_USE;
void config_destroy(struct config *config); /* accepts NULL */
/* Likewise; on an error each fault that was found is told on its own. */
struct config *config_check(const char *path, void (*fault)(void *context, const char *text),
                            void *context) WEIR_MUST_USE;

/* The limit that holds for this thing: its own entry, else that of "*". NULL: not given. */
const struct config_limit *config_limit_for(const struct config *config, enum risk_scope scope,
                                            const char *name, enum risk_limit limit);

/* The differences in words, one line each: what a reload would change. */
void config_diff(const struct config *before, const struct config *after, struct text *out);

#endif
