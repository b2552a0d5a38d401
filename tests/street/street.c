/* street.c - a host trades on the exchange by Binance's protocol, for hours of virtual time.
 *
 * usage: street [--story NAME] [--market spot|usdm] [--for SECONDS] [--seed N]
 *
 *   trade     orders of all kinds while the exchange does all that it can do wrong
 *   day       more than a day with a key that logs on: every connection is renewed before the
 *             exchange ends it, and nobody notices
 *   fallback  the WebSocket API is away: orders go over HTTP (USD-M, whose private stream is another)
 *   silence   the host is cut off: the venue cancels its orders by itself (USD-M's countdown)
 *   faults    each fault that is of the whole venue: what it does, and that trading goes on after it
 *
 * Without --story all of them but the day. At the end of each the host is stopped in good order,
 * and its journal, positions and balances are held against the exchange's books. Exit 1: they differ. */
#include <getopt.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/support_story.h"
#include "kill/limits.h"
#include "kill/support.h"
#include "street/street.h"
#include "support/random.h"

#define MS     ((weir_ns)1000000)
#define SECOND (1000 * MS)
#define START  ((weir_ns)1800000000 * SECOND)

static struct {
    char folder[64], config[128], journal[128], id[128], secret[128], public[1024];
    const char *market;
    uint64_t seed;
    weir_ns length;
    struct street *street;
    struct host *host;
    struct config *loaded;
    uint64_t unknown, downs;
    bool failed;
} run;

#define EXPECT(condition, ...)   \
    do {                         \
        if (!(condition)) {      \
            run.failed = true;   \
            printf("  FAIL ");   \
            printf(__VA_ARGS__); \
            printf("\n");        \
        }                        \
    } while (0)

static bool is_usdm(void)
{
    return strcmp(run.market, "usdm") == 0;
}

/* --- files ------------------------------------------------------------------------------------------ */

static void make_keys(bool ed25519)
{
    snprintf(run.public, sizeof run.public, "secret");
    write_file(run.id, "weir");
    write_file(run.secret, "secret");
    if (ed25519) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        FILE *file = fopen(run.secret, "w");
        BIO *bio = BIO_new(BIO_s_mem());
        if (!key || !file || !bio ||
            PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1 ||
            PEM_write_bio_PUBKEY(bio, key) != 1)
            give_up("no key");
        fclose(file);
        int len = BIO_read(bio, run.public, sizeof run.public - 1);
        run.public[len > 0 ? len : 0] = '\0';
        BIO_free(bio);
        EVP_PKEY_free(key);
    }
    if (chmod(run.id, 0600) != 0 || chmod(run.secret, 0600) != 0)
        give_up("chmod: %m");
}

static void write_config(const char *venue_settings, const char *script_settings)
{
    write_file(
        run.config,
        "host: {instance: 7, journal: \"%s\", journal_mode: new, control: \"%s/sock\", "
        "disk_floor: 1MiB, stop_wait: 120s}\n"
        "policy: {not_found_after: 3s, query_first: 50ms, query_most: 2s}\n"
        "gateway: {port: 0}\n"
        "keys:\n  trading: {id: \"file:%s\", secret: \"file:%s\"}\n"
        "venues:\n  there: {plugin: binance, execution: venue, emulate: false, answer_timeout: "
        "2s, endpoint: {ws: \"ws://127.0.0.1:1\", http: \"http://127.0.0.1:1\"}, settings: "
        "{market: %s, symbols: \"BTCUSDT,ETHUSDT,SOLUSDT\", key: trading%s}}\n"
        "limits:\n" LIMITS_NONE("") "scripts:\n  load: {file: \"" SOURCE_DIR
                                    "/tests/kill/load.lua\", callback: 2s, "
                                    "orders_per_second: 100000, settings: {quote: \"USDT\"%s}}\n",
        run.journal, run.folder, run.id, run.secret, run.market, venue_settings, script_settings);
}

/* --- what the engine says ----------------------------------------------------------------------------- */

static void on_input(void *context, const struct engine *engine, const struct weir_msg *input)
{
    (void)context, (void)engine;
    if (input->kind == WEIR_SESSION && input->flags & WEIR_STREAM_DOWN)
        run.downs++;
}

static void on_effect(void *context, const struct weir_msg *effect)
{
    (void)context;
    if (effect->kind == OUT_ORDER && ((const struct out_order *)effect)->label == ORDER_UNKNOWN)
        run.unknown++;
}

/* --- a host and its exchange ---------------------------------------------------------------------------- */

static void begin(bool ed25519, const char *rate, weir_ns life, const char *venue_settings,
                  const char *script_settings)
{
    static struct exchange_key keys[2];
    static char seed[24];
    static struct weir_setting settings[10];
    static struct exchange_options options;
    static const struct host_witness witness = {.input = on_input, .effect = on_effect};
    struct why why;
    make_keys(ed25519);
    keys[0] = (struct exchange_key){"weir", run.public, "main"};
    snprintf(seed, sizeof seed, "%" PRIu64, run.seed);
    const struct weir_setting all[] = {
        {"seed", seed},
        {"instruments",
         "BTC-USDT:50000:0.01:0.0001,ETH-USDT:3000:0.01:0.001,SOL-USDT:150:0.001:0.01"},
        {"balances", "USDT:100000000,BTC:1000,ETH:10000,SOL:100000"},
        {"self_trade", "cancel_old"},
        {"orders", "8192"},
        {"check_balance", "0"},
        {"linear", is_usdm() ? "1" : "0"},
        {"rate", rate},
        {NULL, NULL}};
    memcpy(settings, all, sizeof all);
    options = (struct exchange_options){.plugin = BUILD_DIR "/plugins/sim.so",
                                        .settings = settings,
                                        .venue_names = true,
                                        .weight = 1000000000,
                                        .connection_life = life,
                                        .keys = keys};
    run.unknown = run.downs = 0;
    run.host = NULL;
    remove_folder(run.journal);
    write_config(venue_settings, script_settings);
    run.street = street_create(&options, START, run.seed, &why);
    if (!run.street)
        give_up("the exchange: %s", why.text);
    run.loaded = config_load(run.config, &why);
    struct host_options host = {.virtual_time = true,
                                .start = START,
                                .isolation = ISOLATION_INLINE,
                                .instructions = HOST_INSTRUCTIONS,
                                .feed = street_feed(run.street),
                                .witness = &witness};
    run.host = run.loaded ? host_create(run.loaded, &host, &why) : NULL;
    if (!run.host)
        give_up("%s", why.text);
}

static void until(weir_ns t)
{
    struct why why = {0};
    if (!host_run_until(run.host, START + t, &why) && why.err)
        give_up("the host: %s", why.text);
    const char *wrong = engine_audit(run.host->engine);
    EXPECT(!wrong || !wrong[0], "the engine's sums: %s", wrong);
}

static void check_balance(const cJSON *theirs)
{
    amount total = 0, fees, funding;
    char ours[DECIMAL_TEXT_MAX];
    const char *asset = json_text(theirs, "asset", ""), *there = json_text(theirs, "total", "");
    const struct engine *engine = run.host->engine;
    uint16_t account = (uint16_t)engine_number(engine, SCOPE_account, "there/main");
    EXPECT(engine_wallet(engine, account, asset, &total, &fees, &funding), "no %s here", asset);
    amount_print(total, ours);
    EXPECT(strcmp(ours, there) == 0, "balance of %s: there %s, here %s", asset, there, ours);
}

static void end(const char *name)
{
    struct why why = {0};
    struct journal_summary summary;
    const cJSON *item;
    host_stop(run.host);
    weir_ns now = clock_now(&run.host->clock) - START;
    until(now + 300 * SECOND);
    EXPECT(engine_counts(run.host->engine)->live_orders == 0, "%u orders are left",
           engine_counts(run.host->engine)->live_orders);
    cJSON *books = street_books(run.street);
    const cJSON *account = json_get(json_get(books, "accounts"), "main");
    cJSON_ArrayForEach(item, json_get(account, "balances")) check_balance(item);
    if (host_close_journal(run.host, &summary, &why))
        give_up("%s", why.text);
    struct verdict verdict = compare(run.host->journal_folder, books, "main");
    struct street_counts counts = street_counts(run.street);
    printf("%-9s %-5s %" PRIu64 " s: ", name, run.market, (uint64_t)(now / SECOND));
    printf("%" PRIu64 " orders, %" PRIu64 " executions, %" PRIu64 " in doubt, %" PRIu64
           " connections lost, %s\n",
           verdict.orders, verdict.executions, run.unknown, counts.lost,
           verdict_is_clean(&verdict) ? "books are equal" : "BOOKS DIFFER");
    if (!verdict_is_clean(&verdict))
        verdict_print(&verdict);
    EXPECT(verdict_is_clean(&verdict), "the books differ");
    EXPECT(verdict.executions > 0, "nothing was executed");
    cJSON_Delete(books);
    host_destroy(run.host);
    run.host = NULL;
    config_destroy(run.loaded);
    street_destroy(run.street);
}

/* --- stories --------------------------------------------------------------------------------------------- */

static const char *const wishes[] = {
    "{\"kind\":\"drop_ack\",\"match\":\"new\",\"count\":2}",
    "{\"kind\":\"drop_ack\",\"match\":\"cancel\",\"count\":2}",
    "{\"kind\":\"drop_ack\",\"match\":\"replace\"}",
    "{\"kind\":\"reject\",\"match\":\"new\",\"count\":3}",
    "{\"kind\":\"reject\",\"match\":\"cancel\",\"count\":3}",
    "{\"kind\":\"duplicate\",\"match\":\"fill\",\"count\":5}",
    "{\"kind\":\"duplicate\",\"match\":\"new\",\"count\":5}",
    "{\"kind\":\"delay\",\"match\":\"new\",\"ms\":1500}",
    "{\"kind\":\"delay\",\"match\":\"fill\",\"ms\":3000}",
    "{\"kind\":\"disconnect\",\"match\":\"new\"}",
    "{\"kind\":\"disconnect\",\"match\":\"fill\"}",
    "{\"kind\":\"drop_ack\",\"match\":\"query\"}",
    "{\"kind\":\"error\",\"match\":\"new\",\"count\":2}",
    "{\"kind\":\"error\",\"match\":\"cancel\"}",
    "{\"kind\":\"reorder\",\"match\":\"fill\",\"ms\":700}",
    "{\"kind\":\"freeze\",\"ms\":15000}",
    "{\"kind\":\"ban\",\"ms\":5000}",
    "{\"kind\":\"maintenance\",\"ms\":5000}",
    "{\"kind\":\"clock\",\"ms\":900}",
    "{\"kind\":\"clock\",\"ms\":-3000}",
    "{\"kind\":\"clock\",\"ms\":0}",
    "{\"kind\":\"rules\",\"match\":\"BTCUSDT\",\"count\":10}",
    "{\"kind\":\"rules\",\"match\":\"*\",\"count\":1}",
};

static void trade(void)
{
    uint64_t dice = run.seed;
    weir_ns t = 10 * SECOND;
    begin(false, "20", 0, "", ", every: 200000000, open: 40, stops: 1, amends: 1");
    while (t < run.length) {
        until(t);
        if (run.length - t > 60 * SECOND) /* the end is a quiet minute */
            street_fault(run.street, wishes[random_below(&dice, sizeof wishes / sizeof wishes[0])]);
        t += SECOND + (weir_ns)random_below(&dice, (uint64_t)(20 * SECOND));
    }
    until(run.length);
    EXPECT(run.unknown > 0 || run.length < 300 * SECOND, "no order was ever in doubt");
    end("trade");
}

static void day(void)
{
    char sign[64];
    snprintf(sign, sizeof sign, ", sign: ed25519");
    begin(true, "1", 0, sign, ", every: 30000000000, open: 10");
    until(60 * SECOND);
    struct street_counts before = street_counts(run.street);
    EXPECT(before.logons == 1, "%" PRIu64 " log-ons", before.logons);
    until(25 * 3600 * SECOND);
    struct street_counts after = street_counts(run.street);
    EXPECT(after.ended == 0 && after.lost == 0, "%" PRIu64 " connections were ended by the venue",
           after.lost);
    EXPECT(after.logons == 2, "%" PRIu64 " log-ons", after.logons);
    EXPECT(after.opened == 2 * before.opened, "%" PRIu64 " connections came, then %" PRIu64,
           before.opened, after.opened);
    EXPECT(after.unsigned_orders > 100, "%" PRIu64 " orders without a signature",
           after.unsigned_orders);
    EXPECT(run.downs == 0, "the private stream was down %" PRIu64 " times", run.downs);
    end("day");
}

static void fallback(void)
{
    begin(false, "5", 0, "", ", every: 100000000, open: 20");
    until(20 * SECOND);
    street_close(run.street, DOOR_API, false);
    struct street_counts before = street_counts(run.street);
    until(60 * SECOND);
    struct street_counts during = street_counts(run.street);
    EXPECT(before.orders_http == 0 && during.orders_http > 50,
           "%" PRIu64 " orders over HTTP, then %" PRIu64, before.orders_http, during.orders_http);
    street_open(run.street);
    until(120 * SECOND);
    struct street_counts after = street_counts(run.street);
    until(140 * SECOND);
    EXPECT(street_counts(run.street).orders_http == after.orders_http, "orders still go over HTTP");
    end("fallback");
}

static size_t open_there(void)
{
    size_t count = 0;
    const cJSON *item;
    cJSON *books = street_books(run.street);
    cJSON_ArrayForEach(item, json_get(json_get(json_get(books, "accounts"), "main"), "orders"))
        count += strcmp(json_text(item, "state", ""), "open") == 0;
    cJSON_Delete(books);
    return count;
}

static void silence(void)
{
    begin(false, "5", 0, ", cancel_after: 30", ", rest: 25, every: 100000000");
    until(60 * SECOND);
    EXPECT(open_there() >= 20, "%zu orders rest", open_there());
    street_close(run.street, DOOR_WS | DOOR_HTTP | DOOR_API, true);
    until(70 * SECOND);
    EXPECT(open_there() >= 20, "%zu orders rest after ten seconds", open_there());
    until(95 * SECOND);
    EXPECT(open_there() == 0, "%zu orders rest after 35 seconds", open_there());
    street_open(run.street);
    until(240 * SECOND);
    EXPECT(open_there() >= 20, "%zu orders rest after all", open_there());
    end("silence");
}

/* Which refusals were heard since. */
static uint64_t refused(const struct street_counts *before, const char *code)
{
    struct street_counts now = street_counts(run.street);
    for (size_t i = 0; i < 10; i++)
        if (strcmp(street_codes[i], code) == 0)
            return now.refusals[i] - before->refusals[i];
    return 0;
}

static uint64_t acked(void)
{
    return engine_counts(run.host->engine)->sent_new;
}

/* A fault of the whole venue for 20 s: its effect, and that trading goes on. */
static const struct {
    const char *fault, *end, *code;
    bool no_data, no_orders;
} states[] = {
    {"{\"kind\":\"freeze\",\"ms\":20000}", NULL, NULL, true, true},
    {"{\"kind\":\"ban\",\"ms\":20000}", NULL, "-1003", false, true},
    {"{\"kind\":\"maintenance\",\"ms\":20000}", NULL, "-1001", false, false},
    {"{\"kind\":\"clock\",\"ms\":-9000}", "{\"kind\":\"clock\",\"ms\":0}", "-1021", false, false},
    {"{\"kind\":\"rules\",\"count\":50}", "{\"kind\":\"rules\",\"count\":1}", "-1013", false,
     false},
};

static void faults(void)
{
    weir_ns t = 20 * SECOND;
    begin(false, "20", 0, "", ", every: 200000000, open: 30");
    until(t);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        street_fault(run.street, states[i].fault);
        struct street_counts before = street_counts(run.street);
        until(t += 15 * SECOND);
        uint64_t data = street_counts(run.street).data, orders = acked();
        EXPECT(!states[i].code || refused(&before, states[i].code) > 0, "%s: no %s",
               states[i].fault, states[i].code);
        until(t += 4 * SECOND);
        EXPECT((street_counts(run.street).data == data) == states[i].no_data, "%s: market data",
               states[i].fault);
        EXPECT(!states[i].no_orders || acked() == orders, "%s: orders are sent", states[i].fault);
        if (states[i].end)
            street_fault(run.street, states[i].end);
        until(t += 60 * SECOND);
        orders = acked();
        until(t += 10 * SECOND);
        EXPECT(acked() > orders + 10, "%s: no orders after it", states[i].fault);
        data = street_counts(run.street).data;
        until(t += SECOND);
        EXPECT(street_counts(run.street).data > data, "%s: no data after it", states[i].fault);
    }
    end("faults");
}

/* --- all of it --------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*play)(void);
    bool spot, usdm;
} stories[] = {{"trade", trade, true, true},
               {"day", day, true, true}, /* long: only by name */
               {"fallback", fallback, false, true},
               {"silence", silence, false, true},
               {"faults", faults, true, true}};

static void play(const char *only, const char *market)
{
    bool usdm = strcmp(market, "usdm") == 0;
    run.market = market;
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++)
        if ((only ? strcmp(only, stories[i].name) == 0 : stories[i].play != day) &&
            (usdm ? stories[i].usdm : stories[i].spot))
            stories[i].play();
}

static uint64_t number(const char *text)
{
    int64_t value = 0;
    if (decimal_parse(text, strlen(text), 0, &value) || value < 1)
        give_up("expected a whole number, found '%s'", text);
    return (uint64_t)value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"story", required_argument, NULL, 's'}, {"market", required_argument, NULL, 'm'},
        {"for", required_argument, NULL, 'f'},   {"seed", required_argument, NULL, 'r'},
        {"loud", no_argument, NULL, 'l'},        {0}};
    const char *only = NULL, *market = NULL;
    bool loud = false;
    run.seed = 1;
    run.length = 300 * SECOND;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 's': only = optarg; break;
        case 'm': market = optarg; break;
        case 'f': run.length = (weir_ns)number(optarg) * SECOND; break;
        case 'r': run.seed = number(optarg); break;
        case 'l': loud = true; break;
        default: return 2;
        }
    }
    snprintf(run.folder, sizeof run.folder, "/tmp/weir-street-XXXXXX");
    if (!mkdtemp(run.folder))
        give_up("no folder: %m");
    snprintf(run.config, sizeof run.config, "%s/weir.yaml", run.folder);
    snprintf(run.journal, sizeof run.journal, "%s/journal", run.folder);
    snprintf(run.id, sizeof run.id, "%s/key.id", run.folder);
    snprintf(run.secret, sizeof run.secret, "%s/key.secret", run.folder);
    log_to(loud ? stderr : fopen("/dev/null", "w"), false, LOG_INFO);
    if (!market || strcmp(market, "spot") == 0)
        play(only, "spot");
    if (!market || strcmp(market, "usdm") == 0)
        play(only, "usdm");
    remove_folder(run.folder);
    return run.failed;
}
