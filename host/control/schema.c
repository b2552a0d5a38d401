/* schema.c - the table of keys, and the one walker that checks a file against it. */
#include "control/schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lists.h"

/* --- the table --------------------------------------------------------------------------------*/

static const struct schema host_keys[] = {
    {"instance", KIND_WHOLE, NULL,
     "number of this host, 0 to 1679615: the first four characters of every client order id; no "
     "two hosts on one account may share it",
     "0 to 1679615", NULL},
    {"journal", KIND_TEXT, "run/journal", "folder of the journal", NULL, NULL},
    {"journal_mode", KIND_WORD, "continue",
     "continue: go on with the journal that is there, the rule for real venues; new: a folder of "
     "its "
     "own for each run, for simulated venues, whose market begins anew with each process",
     "continue new", NULL},
    {"sync", KIND_WORD, "group",
     "group: orders leave when the journal has them in memory that survives our death, the disk "
     "follows at once; always: orders leave when the disk has them",
     "group always", NULL},
    {"segment", KIND_SIZE, "64MiB", "size of one journal file", NULL, NULL},
    {"index", KIND_FLAG, "true",
     "keep index.db (SQLite) beside the journal while the host runs live; losing it loses nothing",
     NULL, NULL},
    {"record", KIND_TEXT, "",
     "folder for the venues' raw frames as they come (zstd), which `run --data` and `backtest` "
     "replay; "
     "private streams are among them",
     NULL, NULL},
    {"record_segment", KIND_SIZE, "64MiB", "size of one such file, packed", NULL, NULL},
    {"record_disk", KIND_SIZE, "4GiB", "what those of one venue may have; the oldest go", NULL,
     NULL},
    {"snapshot", KIND_SIZE, "64MiB",
     "after so many bytes of messages what the engine is is written beside the journal, so that a "
     "restart reads the rest only; 0: never",
     NULL, NULL},
    {"disk_floor", KIND_SIZE, "256MiB", "free disk below which new orders stop; cancels go on",
     NULL, NULL},
    {"control", KIND_TEXT, "run/weir.sock", "control socket of `weir ctl`", NULL, NULL},
    {"on_stop", KIND_WORD, "cancel", "what happens to working orders at an orderly stop",
     "cancel keep", NULL},
    {"state", KIND_TEXT, "run/state",
     "folder in which weir.state of each script is kept over restarts; empty: nowhere", NULL, NULL},
    {"without_cells", KIND_WORD, "refuse",
     "where the kernel lacks what process cells take (seccomp, memfd): refuse: do not start; "
     "inline: "
     "run such scripts inline, and say so",
     "refuse inline", NULL},
    {"stop_wait", KIND_DURATION, "3s", "how long a stop waits for the venue to confirm cancels",
     NULL, NULL},
    {"busy_poll", KIND_DURATION, "0us",
     "spin this long for the next event before sleeping: lower latency for one core's time", NULL,
     NULL},
    {"watch", KIND_FLAG, "false",
     "reload when a file of the configuration, a script or one of its modules changes", NULL, NULL},
    {"orders", KIND_WHOLE, "65536", "orders in the table; the oldest ended is forgotten first",
     "64 to 4194304", NULL},
    {"executions", KIND_WHOLE, "262144", "executions remembered in detail", "64 to 16777216", NULL},
    {"client_ids", KIND_WHOLE, "262144", "names given by clients, remembered for ever",
     "64 to 67108864", NULL},
    SCHEMA_END};

static const struct schema policy_keys[] = {
    {"not_found_confirm", KIND_WHOLE, "3",
     "NOT_FOUND answers that prove that an order never arrived", "1 to 1000", NULL},
    {"not_found_after", KIND_DURATION, "10s", "and the least age of the order", NULL, NULL},
    {"wait_for_ack", KIND_DURATION, "5s",
     "how long a fill that names only a venue id waits for its order's answer", NULL, NULL},
    {"query_first", KIND_DURATION, "50ms",
     "first delay of the next question about an order in doubt", NULL, NULL},
    {"query_most", KIND_DURATION, "5s", "largest delay, reached by doubling", NULL, NULL},
    {"query_rest", KIND_DURATION, "30s", "and from then on one question each this long, for ever",
     NULL, NULL},
    {"reconcile_every", KIND_DURATION, "60s",
     "orders, executions, positions and balances are compared with the venue's again so long after "
     "the last time; 0s: only after a restart or a lost session",
     NULL, NULL},
    {"kill_answer", KIND_DURATION, "2s",
     "kill switch: a cancel without an answer for so long is asked about; 0s: only when the "
     "session "
     "tells of it",
     NULL, NULL},
    {"pace", KIND_WORD, "deny",
     "an order that comes too early for a throttle or a venue that asked us to wait: deny: refused "
     "by name; queue: HELD until its turn, in the order in which they came",
     "deny queue", NULL},
    {"trigger_by", KIND_WORD, "reference",
     "price that fires the stops, take-profits and trailing stops that the host keeps: reference: "
     "the middle of bid and ask, or the venue's mark, whichever came last; trade: the last trade",
     "reference trade", NULL},
    {"day_ends", KIND_DURATION, "0s",
     "when a day ends, for DAY orders and the limits of a day: so long after midnight UTC", NULL,
     NULL},
    {"market_slippage_pct", KIND_LIMIT, "none",
     "a market order goes out as a limit so many percent behind the reference, IOC: the worst that "
     "it "
     "may get; none: as the venue fills it",
     NULL, NULL},
    {"loss_window", KIND_DURATION, "1h", "window of the limits max_window_loss", NULL, NULL},
    {"clock_step", KIND_DURATION, "0s", "a larger step of the wall clock is acted upon; 0s: none",
     NULL, NULL},
    {"slow_ack", KIND_DURATION, "0s", "a later acknowledgement is acted upon; 0s: none", NULL,
     NULL},
    {"runaway_fills", KIND_WHOLE, "0",
     "more executions of a strategy in a second are acted upon; 0: any number", "0 to 1000000000",
     NULL},
#define X(name, text, action)                                                                      \
    {"on_" #name,                                                                                  \
     KIND_WORD,                                                                                    \
     #action,                                                                                      \
     text ": alarm; reduce_only; disarm: its orders are canceled, CANCEL_ONLY; halt: and HALTED; " \
          "flatten: and what is held is closed",                                                   \
     "alarm reduce_only disarm halt flatten",                                                      \
     NULL},
    GUARDS(X)
#undef X
        SCHEMA_END};

static const struct schema gateway_keys[] = {
    {"listen", KIND_TEXT, "127.0.0.1", "address; loopback unless you know why not", NULL, NULL},
    {"port", KIND_WHOLE, "8900", "port of /healthz, /readyz and /metrics; 0: any free one",
     "0 to 65535", NULL},
    SCHEMA_END};

static const struct schema log_keys[] = {
    {"level", KIND_WORD, "info", "least level that is written", "debug info warn error", NULL},
    {"form", KIND_WORD, "text", "text for people, json for collectors", "text json", NULL},
    SCHEMA_END};

static const struct schema paper_keys[] = {
    {"queue", KIND_WORD, "capped_by_displayed_size",
     "where a resting order stands behind the displayed size; its place is known, and this is not "
     "asked, where a venue shows single orders",
     "trades_only capped_by_displayed_size front back shared shared_2 shared_3", NULL},
    {"submit_latency", KIND_DURATION, "5ms", "from our send to the venue's book", NULL, NULL},
    {"cancel_latency", KIND_DURATION, "5ms", "likewise for cancels", NULL, NULL},
    {"amend_latency", KIND_DURATION, "0s", "likewise for replaces; 0s: that of cancels", NULL,
     NULL},
    {"report_latency", KIND_DURATION, "5ms", "from the venue's book to us", NULL, NULL},
    {"latency_jitter", KIND_DURATION, "0us", "up to this much more, evenly, from the seed", NULL,
     NULL},
    {"latency_tail", KIND_DURATION, "0us",
     "mean of a further part with many short and few long times (exponential), from the seed", NULL,
     NULL},
    {"latency_file", KIND_TEXT, "",
     "measured latencies instead of the fixed ones: lines time,submit,cancel,amend,report in ns",
     NULL, NULL},
    {"latency_rows", KIND_WORD, "by_time",
     "which row of latency_file holds: by_time: that of the moment, between two rows the line; "
     "by_chance: one drawn from all, from the seed",
     "by_time by_chance", NULL},
    {"maker_fee_bps", KIND_DECIMAL, "0", "of the traded value; negative is a rebate", NULL, NULL},
    {"taker_fee_bps", KIND_DECIMAL, "0", "of the traded value", NULL, NULL},
    {"fee_asset", KIND_WORD, "quote", "in what the fee of a spot trade is taken",
     "quote base received", NULL},
    {"funding_bps", KIND_DECIMAL, "0",
     "of a derivative position's worth, paid by longs to shorts; negative: to longs", NULL, NULL},
    {"funding_every", KIND_DURATION, "0s",
     "at each whole multiple of it, UTC, such as 8h; 0s: never", NULL, NULL},
    {"self_trade", KIND_WORD, "none",
     "when an order meets one of the same account: none: they trade; cancel_new, cancel_old: that "
     "one ends",
     "none cancel_new cancel_old", NULL},
    {"check_balance", KIND_FLAG, "false", "spot: refuse what the wallet does not cover", NULL,
     NULL},
    {"rate_max", KIND_WHOLE, "0",
     "requests about orders in each rate_window that it takes, the rest is refused; 0: any number",
     "0 to 1000000", NULL},
    {"rate_window", KIND_DURATION, "1s", "the window of rate_max", NULL, NULL},
    {"outage_every", KIND_DURATION, "0s",
     "so long after each other it goes down: requests are lost, nothing is told; 0s: never", NULL,
     NULL},
    {"outage_for", KIND_DURATION, "1s", "and stays down for so long", NULL, NULL},
    {"drop_request_ppm", KIND_WHOLE, "0",
     "requests in a million that never arrive: no answer in time", "0 to 1000000", NULL},
    {"drop_ack_ppm", KIND_WHOLE, "0",
     "answers in a million that never arrive, to requests that did", "0 to 1000000", NULL},
    {"duplicate_fill_ppm", KIND_WHOLE, "0", "executions in a million that are told twice",
     "0 to 1000000", NULL},
    {"reject_ppm", KIND_WHOLE, "0", "orders in a million that the venue refuses", "0 to 1000000",
     NULL},
    {"seed", KIND_WHOLE, "1", "of everything that is drawn", NULL, NULL},
    {"balances", KIND_FREE, "", "wallet at the start: asset and amount", NULL, NULL},
    SCHEMA_END};

static const struct schema endpoint_keys[] = {
    {"ws", KIND_TEXT, "",
     "wss://host[:port][/path] of its WebSockets; plain ws:// to 127.0.0.1 or [::1] only", NULL,
     NULL},
    {"ws_orders", KIND_TEXT, "", "likewise, where order entry has a host of its own", NULL, NULL},
    {"http", KIND_TEXT, "", "https://host[:port][/path] of its requests; plain likewise", NULL,
     NULL},
    {"ca_files", KIND_LIST, "",
     "files of certificates (PEM) trusted besides the system's; verifying has no switch", NULL,
     NULL},
    SCHEMA_END};

static const struct schema key_keys[] = {
    {"id", KIND_TEXT, "",
     "where its public half is: file:PATH (mode 0600), credential:NAME (systemd) or fd:NUMBER",
     NULL, NULL},
    {"secret", KIND_TEXT, NULL, "where its secret is, likewise; PEM is a private key, else HMAC",
     NULL, NULL},
    {"encoding", KIND_WORD, "text", "of an HMAC secret", "text base64", NULL},
    SCHEMA_END};

static const struct schema venue_keys[] = {
    {"plugin", KIND_NAME, NULL, "name of the plugin, looked up in the plugins folder, or a path",
     NULL, NULL},
    {"account", KIND_NAME, "main", "name of the account there", NULL, NULL},
    {"execution", KIND_WORD, "paper",
     "venue: orders go to the venue; paper: a simulated venue behind its market data; none: no "
     "orders",
     "venue paper none", NULL},
    {"book_window", KIND_WHOLE, "65536", "ticks a side kept in the fast part of a book",
     "64 to 1048576", NULL},
    {"book_far", KIND_WHOLE, "65536", "levels a side outside it", "1 to 16777216", NULL},
    {"data_age_max", KIND_DURATION, "0s",
     "silence longer than this makes a book stale; 0s: the plugin's word", NULL, NULL},
    {"answer_timeout", KIND_DURATION, "10s",
     "a request without an answer for so long is in doubt, and the venue is asked; 0s: never", NULL,
     NULL},
    {"emulate", KIND_FLAG, "true",
     "stops, take-profits, trailing stops, icebergs, GTD and DAY that it cannot do itself are kept "
     "by "
     "the host (HELD); false: they are denied by name",
     NULL, NULL},
    {"endpoint", KIND_KEYS, "", "the one host that each kind of connection of it goes to", NULL,
     endpoint_keys},
    {"settings", KIND_FREE, "", "settings of the plugin", NULL, NULL},
    {"paper", KIND_KEYS, "", "the simulated venue, for execution: paper", NULL, paper_keys},
    SCHEMA_END};

/* One key for each limit of engine/lists.h; a test walks both lists. Each is given for each scope, as a
 * number or none: by its own key, by `others`, or by the scope's "*" entry. */
#define LIMIT_OTHERS                                                                              \
    {                                                                                             \
        "others", KIND_WORD, "",                                                                  \
            "none: those that this entry does not name are none; without it a limit that is not " \
            "named "                                                                              \
            "here or by \"*\" is refused",                                                        \
            "none", NULL                                                                          \
    }
#define X(name, text) {#name, KIND_LIMIT, NULL, text, NULL, NULL},
static const struct schema limit_keys[] = {RISK_LIMITS(X) LIMIT_OTHERS, SCHEMA_END};
#undef X
/* In an entry with a name: what it lacks, "*" may give [check_limits in config.c]. */
#define X(name, text) {#name, KIND_LIMIT, "", text, NULL, NULL},
static const struct schema limit_keys_some[] = {RISK_LIMITS(X) LIMIT_OTHERS, SCHEMA_END};
#undef X

static const struct schema limits_keys[] = {
    {"host", KIND_KEYS, NULL, "limits of the whole host", NULL, limit_keys},
    {"venues", KIND_NAMED, NULL, "venue name, or * for all", NULL, limit_keys_some},
    {"accounts", KIND_NAMED, NULL, "venue name, or * for all", NULL, limit_keys_some},
    {"groups", KIND_NAMED, NULL, "group name, or * for all", NULL, limit_keys_some},
    {"strategies", KIND_NAMED, NULL, "script name, or * for all", NULL, limit_keys_some},
    {"instruments", KIND_NAMED, NULL, "venue/symbol, or * for all", NULL, limit_keys_some},
    SCHEMA_END};

static const struct schema script_keys[] = {
    {"file", KIND_TEXT, NULL, "the Lua file, relative to the configuration's folder's parent", NULL,
     NULL},
    {"rights", KIND_WORD, "orders", "orders: may trade; read: a scanner, may not", "orders read",
     NULL},
    {"group", KIND_NAME, "default", "group for limits", NULL, NULL},
    {"memory", KIND_SIZE, "16MiB", "most memory of its Lua state", NULL, NULL},
    {"callback", KIND_DURATION, "50ms", "longest time in one callback; over it: quarantined", NULL,
     NULL},
    {"load", KIND_DURATION, "500ms", "longest time to load and start", NULL, NULL},
    {"orders_per_second", KIND_WHOLE, "50", "most orders and amends it may ask for", "1 to 1000000",
     NULL},
    {"log_lines_per_second", KIND_WHOLE, "100", "most lines it may log", "0 to 1000000", NULL},
    {"seed", KIND_WHOLE, "1", "of weir.random", NULL, NULL},
    {"isolation", KIND_WORD, "process",
     "process: a locked-up process of its own; inline: in the host's, for code that is trusted. On "
     "virtual time all are inline, since both give the same",
     "process inline", NULL},
    {"wake", KIND_WORD, "hybrid",
     "how its process waits: spin (a core of its own), hybrid (looks for 20 us, then sleeps), park",
     "spin hybrid park", NULL},
    {"nice", KIND_WHOLE, "0",
     "how much less its process counts than others; 19: only where nobody else wants to run",
     "0 to 19", NULL},
    {"on_quarantine", KIND_WORD, "cancel", "what happens to its orders", "cancel keep", NULL},
    {"retry", KIND_WORD, "crash",
     "after what end it is started again by itself: crash (its process died), always (budgets and "
     "errors, too), never; `weir ctl arm` does so at any time",
     "crash always never", NULL},
    {"retries", KIND_WHOLE, "3",
     "how often at most, until it has run for ten minutes or is armed by hand", "0 to 1000", NULL},
    {"retry_wait", KIND_DURATION, "10s",
     "before the first time; each further wait is twice as long", NULL, NULL},
    {"imports", KIND_LIST, "", "modules of scripts/lib that it may import", NULL, NULL},
    {"settings", KIND_FREE, "", "weir.settings of the script", NULL, NULL},
    SCHEMA_END};

const struct schema config_schema[] = {
    {"include", KIND_LIST, "", "further files whose sections are added to this one", NULL, NULL},
    {"host", KIND_KEYS, NULL, "the process", NULL, host_keys},
    {"policy", KIND_KEYS, "", "how orders in doubt are resolved", NULL, policy_keys},
    {"gateway", KIND_KEYS, "", "HTTP on loopback", NULL, gateway_keys},
    {"log", KIND_KEYS, "", "lines for the operator, on standard error", NULL, log_keys},
    {"keys", KIND_NAMED, "",
     "keys of venues by the name that settings.key has; named here, never written; only those that "
     "a "
     "venue uses are read",
     NULL, key_keys},
    {"venues", KIND_NAMED, NULL, "each venue by the name it has here", NULL, venue_keys},
    {"limits", KIND_KEYS, NULL, "every limit is a number or the word none; a missing one refuses",
     NULL, limits_keys},
    {"scripts", KIND_NAMED, "", "strategies and scanners by name", NULL, script_keys},
    SCHEMA_END};

/* --- texts into values ------------------------------------------------------------------------*/

static bool unit_parse(const char *text, const char *const *units, const int64_t *factors,
                       int64_t *value_out)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0]) || strlen(text) > 18)
        return false;
    int64_t value = strtoll(text, &end, 10);
    for (size_t i = 0; units[i]; i++)
        if (strcmp(end, units[i]) == 0)
            return !__builtin_mul_overflow(value, factors[i], value_out);
    return false;
}

bool duration_parse(const char *text, int64_t *ns_out)
{
    static const char *const units[] = {"ns", "us", "ms", "s", "m", "h", NULL};
    static const int64_t factors[] = {1, 1000, 1000000, 1000000000, 60000000000, 3600000000000};
    return unit_parse(text, units, factors, ns_out);
}

bool size_parse(const char *text, int64_t *bytes_out)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", NULL};
    static const int64_t factors[] = {1, 1024, 1048576, 1073741824};
    return unit_parse(text, units, factors, bytes_out);
}

static bool whole_parse(const char *text, int64_t *value_out)
{
    return decimal_parse(text, strlen(text), 0, value_out) == WEIR_OK && !strchr(text, '.');
}

char *node_text(struct fy_node *node)
{
    return node && fy_node_is_scalar(node) ? (char *)(uintptr_t)fy_node_get_scalar0(node) : NULL;
}

static bool is_name(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-/", *p))
            return false;
    return *text != '\0';
}

static bool is_word_of(const char *text, const char *words)
{
    size_t len = strlen(text);
    for (const char *p = words; (p = strstr(p, text)) != NULL; p += len)
        if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return len > 0;
    return false;
}

void schema_range(const struct schema *schema, int64_t *low_out, int64_t *high_out)
{
    char *rest = NULL;
    *low_out = INT64_MIN;
    *high_out = INT64_MAX;
    if (schema->kind != KIND_WHOLE || !schema->words)
        return;
    *low_out = strtoll(schema->words, &rest, 10);
    *high_out = strtoll(rest + strlen(" to "), NULL, 10);
}

static bool schema_in_range(const struct schema *schema, int64_t number)
{
    int64_t low, high;
    schema_range(schema, &low, &high);
    return low <= number && number <= high;
}

/* What a value of this kind must be; NULL: the text is one. */
static const char *expectation(const struct schema *schema, const char *text)
{
    int64_t number;
    amount money;
    switch (schema->kind) {
    case KIND_TEXT: return *text ? NULL : "a text";
    case KIND_NAME: return is_name(text) ? NULL : "a name of letters, digits and . _ - /";
    case KIND_WHOLE:
        return whole_parse(text, &number) && schema_in_range(schema, number) ? NULL
                                                                             : "a whole number";
    case KIND_DECIMAL:
        return amount_parse(text, strlen(text), &money) == WEIR_OK ? NULL
                                                                   : "a plain decimal number";
    case KIND_LIMIT:
        if (strcmp(text, "none") == 0)
            return NULL;
        return amount_parse(text, strlen(text), &money) == WEIR_OK && money >= 0
                   ? NULL
                   : "a plain decimal number that is not negative, or the word none";
    case KIND_FLAG:
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ? NULL : "true or false";
    case KIND_DURATION:
        return duration_parse(text, &number) ? NULL
                                             : "a duration such as 250us, 50ms, 2s, 5m or 24h";
    case KIND_SIZE: return size_parse(text, &number) ? NULL : "a size such as 64KiB, 16MiB or 2GiB";
    case KIND_WORD: return is_word_of(text, schema->words) ? NULL : schema->words;
    default: return NULL;
    }
}

/* --- did you mean -----------------------------------------------------------------------------*/

static size_t distance(const char *a, const char *b)
{
    size_t row[64], len = strlen(b);
    if (strlen(a) >= 64 || len >= 63)
        return 64;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len];
}

static const char *nearest(const struct schema *keys, const char *key)
{
    const char *best = NULL;
    size_t least = strlen(key) / 2 + 1;
    for (const struct schema *k = keys; k->key; k++) {
        size_t d = distance(key, k->key);
        if (d < least) {
            least = d;
            best = k->key;
        }
    }
    return best;
}

/* --- the walker -------------------------------------------------------------------------------*/

static const struct schema *find(const struct schema *keys, const char *key)
{
    for (const struct schema *k = keys; k->key; k++)
        if (strcmp(k->key, key) == 0)
            return k;
    return NULL;
}

static enum weir_err refuse_unknown(const struct schema *keys, struct fy_node *key,
                                    const char *where)
{
    const char *near = nearest(keys, node_text(key));
    if (near)
        fy_node_report(key, FYET_ERROR, "unknown key '%s' in '%s' (did you mean '%s'?)",
                       node_text(key), *where ? where : "the file", near);
    else
        fy_node_report(key, FYET_ERROR, "unknown key '%s' in '%s'", node_text(key),
                       *where ? where : "the file");
    return WEIR_E_BAD_CONFIG;
}

static enum weir_err check_free(struct fy_node *node, const char *where)
{
    if (fy_node_is_scalar(node))
        return WEIR_OK;
    if (!fy_node_is_mapping(node) && !fy_node_is_sequence(node)) {
        fy_node_report(node, FYET_ERROR, "%s: expected a plain value, a mapping or a list", where);
        return WEIR_E_BAD_CONFIG;
    }
    return WEIR_OK;
}

static enum weir_err check_scalar(const struct schema *schema, struct fy_node *node,
                                  const char *where)
{
    const char *text = node_text(node);
    const char *expected = text ? expectation(schema, text) : "one plain value";
    if (!expected)
        return WEIR_OK;
    bool range = schema->kind == KIND_WHOLE && schema->words;
    fy_node_report(node, FYET_ERROR, "%s: expected %s%s%s%s, found '%s'", where,
                   schema->kind == KIND_WORD && text ? "one of: " : "", expected, range ? ", " : "",
                   range ? schema->words : "", text ? text : "a mapping or list");
    return WEIR_E_BAD_CONFIG;
}

static enum weir_err check_list(struct fy_node *node, const char *where)
{
    void *at = NULL;
    struct fy_node *item;
    if (!fy_node_is_sequence(node)) {
        fy_node_report(node, FYET_ERROR, "%s: expected a list [a, b]", where);
        return WEIR_E_BAD_CONFIG;
    }
    while ((item = fy_node_sequence_iterate(node, &at)) != NULL)
        if (!fy_node_is_scalar(item)) {
            fy_node_report(item, FYET_ERROR, "%s: expected a text", where);
            return WEIR_E_BAD_CONFIG;
        }
    return WEIR_OK;
}

static enum weir_err check_value(const struct schema *schema, struct fy_node *node,
                                 const char *where);

static enum weir_err check_named(const struct schema *schema, struct fy_node *node,
                                 const char *where)
{
    void *at = NULL;
    struct fy_node_pair *pair;
    enum weir_err err = WEIR_OK;
    if (!fy_node_is_mapping(node)) {
        fy_node_report(node, FYET_ERROR, "%s: expected a mapping of names", where);
        return WEIR_E_BAD_CONFIG;
    }
    while ((pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        const char *name = node_text(fy_node_pair_key(pair));
        char below[256];
        if (!name || (!is_name(name) && strcmp(name, "*") != 0) || strlen(name) > 60) {
            fy_node_report(fy_node_pair_key(pair), FYET_ERROR,
                           "%s: expected a name of at most 60 letters, digits and . _ - /", where);
            err = WEIR_E_BAD_CONFIG;
            continue;
        }
        snprintf(below, sizeof below, "%s.%s", where, name);
        if (schema_check(schema->keys, fy_node_pair_value(pair), below))
            err = WEIR_E_BAD_CONFIG;
    }
    return err;
}

static enum weir_err check_value(const struct schema *schema, struct fy_node *node,
                                 const char *where)
{
    switch (schema->kind) {
    case KIND_KEYS: return schema_check(schema->keys, node, where);
    case KIND_NAMED: return check_named(schema, node, where);
    case KIND_LIST: return check_list(node, where);
    case KIND_FREE: return check_free(node, where);
    default: return check_scalar(schema, node, where);
    }
}

static enum weir_err check_pair(const struct schema *keys, struct fy_node_pair *pair,
                                const char *where)
{
    char below[256];
    struct fy_node *key = fy_node_pair_key(pair), *value = fy_node_pair_value(pair);
    const struct schema *schema = node_text(key) ? find(keys, node_text(key)) : NULL;
    if (!node_text(key))
        return check_scalar(keys, key, where);
    if (!schema)
        return refuse_unknown(keys, key, where);
    snprintf(below, sizeof below, "%s%s%s", where, *where ? "." : "", schema->key);
    if (!value ||
        (node_text(value) && !*node_text(value) && fy_node_get_style(value) == FYNS_PLAIN)) {
        fy_node_report(key, FYET_ERROR, "%s: a value is missing", below);
        return WEIR_E_BAD_CONFIG;
    }
    return check_value(schema, value, below);
}

/* Goes on after a fault, so that all of them are told at once. */
enum weir_err schema_check(const struct schema *keys, struct fy_node *node, const char *where)
{
    void *at = NULL;
    struct fy_node_pair *pair;
    enum weir_err err = WEIR_OK;
    if (!node || !fy_node_is_mapping(node)) {
        if (node)
            fy_node_report(node, FYET_ERROR, "%s%sexpected a mapping of keys", where,
                           *where ? ": " : "");
        return WEIR_E_BAD_CONFIG;
    }
    while ((pair = fy_node_mapping_iterate(node, &at)) != NULL)
        if (check_pair(keys, pair, where))
            err = WEIR_E_BAD_CONFIG;
    for (const struct schema *k = keys; k->key; k++)
        if (!k->otherwise && !schema_node(node, k->key) &&
            !(k->kind == KIND_LIMIT && schema_node(node, "others"))) {
            fy_node_report(node, FYET_ERROR, "%s%s%s: missing%s", where, *where ? "." : "", k->key,
                           k->kind == KIND_LIMIT
                               ? "; a limit has no default: write a number or none, or "
                                 "`others: none`"
                               : "; it has no default");
            err = WEIR_E_BAD_CONFIG;
        }
    return err;
}

/* --- reading ----------------------------------------------------------------------------------*/

struct fy_node *schema_node(struct fy_node *node, const char *key)
{
    return node && fy_node_is_mapping(node) ? fy_node_mapping_lookup_by_string(node, key, FY_NT)
                                            : NULL;
}

const struct schema *schema_keys(const struct schema *keys, const char *key)
{
    const struct schema *found = find(keys, key);
    return found ? found->keys : NULL;
}

const char *schema_text(const struct schema *keys, struct fy_node *node, const char *key)
{
    const char *text = node_text(schema_node(node, key));
    const struct schema *schema = find(keys, key);
    return text ? text : schema ? schema->otherwise : NULL;
}

int64_t schema_number(const struct schema *keys, struct fy_node *node, const char *key)
{
    const struct schema *schema = find(keys, key);
    const char *text = schema_text(keys, node, key);
    int64_t value = 0;
    if (!schema || !text)
        return 0;
    switch (schema->kind) {
    case KIND_DURATION: (void)duration_parse(text, &value); break;
    case KIND_SIZE: (void)size_parse(text, &value); break;
    case KIND_FLAG: value = strcmp(text, "true") == 0; break;
    default: (void)whole_parse(text, &value); break;
    }
    return value;
}
