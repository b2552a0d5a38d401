/* binance_test.c - the Binance plugin, market data: frames in, events out, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/support_binance.h"

/* A frame and all that it makes. */
struct step {
    const char *name;
    const char *market; /* begins a new session; NULL: the session before */
    const char *frame;
    enum weir_err err;
    const char *said;
};

#define SPOT_BOOK                                                                              \
    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1723161255208," \
    "\"s\":\"BTCUSDT\",\"U\":10,\"u\":12,\"b\":[[\"61737.63000000\",\"0.00000000\"],"          \
    "[\"61730.17000000\",\"1.50000000\"]],\"a\":[[\"61837.64000000\",\"1.54698000\"]]}}"
#define SPOT_TOP                                                                             \
    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":13,\"s\":\"BTCUSDT\",\"b\":\"61837." \
    "63000000\","                                                                            \
    "\"B\":\"3.78826000\",\"a\":\"61837.64000000\",\"A\":\"1.54698000\"}}"
#define REPLY "{\"lastUpdateId\":11,\"bids\":[[\"100.00\",\"1\"],[\"99\",\"2\",[]]],\"asks\":[]}"

static const struct step steps[] = {
    {"spot diff", "spot", SPOT_BOOK, WEIR_OK,
     "inst 1 BTCUSDT BTC/USDT spot tick=0 step=0 x1\n"
     "book 1 diff 10..12 prev 0 rule 1 | 61737.63*0 61730.17*1.5 | 61837.64*1.54698 "
     "t=1723161255208\n"},
    {"spot top", NULL, SPOT_TOP, WEIR_OK, "top 1 #13 61837.63*3.78826 61837.64*1.54698\n"},
    {"spot trade", NULL,
     "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1723161255343,\"s\":"
     "\"BTCUSDT\","
     "\"t\":3735683259,\"p\":\"61837.63000000\",\"q\":\"0.02000000\",\"T\":1723161255342,\"m\":"
     "true,"
     "\"M\":true}}",
     WEIR_OK, "trade 1 #3735683259 61837.63*0.02 sell t=1723161255342\n"},
    {"the same trade as aggTrade is not told twice", NULL,
     "{\"e\":\"aggTrade\",\"E\":2,\"s\":\"BTCUSDT\",\"a\":7,\"p\":\"1\",\"q\":\"2\",\"f\":1,\"l\":"
     "2,"
     "\"T\":1,\"m\":false,\"M\":true}",
     WEIR_OK, ""},
    {"a reply belongs to the symbol before it", NULL, REPLY, WEIR_OK,
     "book 1 snap 11..11 prev 0 rule 1 | 100*1 99*2 |\n"},
    {"raw frame without a stream", NULL,
     "{\"u\":14,\"s\":\"ETHBTC\",\"b\":\"0.00000001\",\"B\":\"12345678.12345678\",\"a\":\"0\","
     "\"A\":\"0\"}",
     WEIR_OK,
     "inst 2 ETHBTC ETH/BTC spot tick=0 step=0 x1\ntop 2 #14 0.00000001*12345678.12345678 0*0\n"},
    {"two symbols: whose reply is it?", NULL, REPLY, WEIR_OK,
     "log binance: a depth reply without a symbol, on a connection of several, is left out\n"},
    {"partial books are no diffs", NULL,
     "{\"stream\":\"btcusdt@depth20@100ms\",\"data\":{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\","
     "\"U\":1,\"u\":2,\"b\":[],\"a\":[]}}",
     WEIR_OK, ""},
    {"partial books of spot are no replies", NULL,
     "{\"stream\":\"btcusdt@depth20\",\"data\":{\"lastUpdateId\":5,\"bids\":[],\"asks\":[]}}",
     WEIR_OK, ""},
    {"a kind that is not known", NULL,
     "{\"stream\":\"btcusdt@kline_1m\",\"data\":{\"e\":\"kline\",\"E\":1,\"s\":\"BTCUSDT\",\"k\":"
     "{\"t\":1,\"B\":\"x\"},\"p\":\"many\"}}",
     WEIR_OK, ""},
    {"an answer to a request", NULL, "{\"result\":null,\"id\":1}", WEIR_OK, ""},
    {"an error of the venue", NULL, "{\"error\":{\"code\":2,\"msg\":\"no\"},\"id\":1}", WEIR_OK,
     "log binance: the venue answers {\"code\":2,\"msg\":\"no\"}\n"},
    {"asks before bids, odd order, unknown members", NULL,
     "{\"a\":[[\"3\",\"4\"]],\"zz\":{\"b\":[1]},\"u\":9,\"b\":[[\"1\",\"2\"],[\"1.5\",\"0\"]],"
     "\"U\":8,"
     "\"s\":\"BTCUSDT\",\"E\":5,\"e\":\"depthUpdate\"}",
     WEIR_OK, "book 1 diff 8..9 prev 0 rule 1 | 1*2 1.5*0 | 3*4 t=5\n"},
    {"nine digits before the point", NULL,
     "{\"u\":15,\"s\":\"BTCUSDT\",\"b\":\"123456789.5\",\"B\":\"46116860414.00\",\"a\":"
     "\"123456790\","
     "\"A\":\"1\"}",
     WEIR_OK, "top 1 #15 123456789.5*46116860414 123456790*1\n"},

    {"usdm diff", "usdm",
     "{\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1723161256299,"
     "\"T\":1723161256298,\"s\":\"BTCUSDT\",\"U\":5123107832006,\"u\":5123107837557,"
     "\"pu\":5123107831937,\"b\":[[\"58710.20\",\"0.014\"]],\"a\":[]}}",
     WEIR_OK,
     "inst 1 BTCUSDT BTC/USDT linear tick=0 step=0 x1\n"
     "book 1 diff 5123107832006..5123107837557 prev 5123107831937 rule 2 | 58710.2*0.014 | "
     "t=1723161256298\n"},
    {"usdm top", NULL,
     "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":5,\"s\":\"BTCUSDT\","
     "\"b\":\"61800.20\",\"B\":\"2.507\",\"a\":\"61800.30\",\"A\":\"2.510\",\"T\":1723161256313,"
     "\"E\":1723161256314,\"st\":1,\"ps\":\"BTCUSDT\"}}",
     WEIR_OK, "top 1 #5 61800.2*2.507 61800.3*2.51 t=1723161256313\n"},
    {"usdm trade", NULL,
     "{\"e\":\"trade\",\"E\":3,\"T\":2,\"s\":\"BTCUSDT\",\"t\":6,\"p\":\"61800.30\",\"q\":\"0."
     "006\","
     "\"X\":\"MARKET\",\"m\":false}",
     WEIR_OK, "trade 1 #6 61800.3*0.006 buy t=2\n"},
    {"off the book", NULL,
     "{\"e\":\"trade\",\"E\":3,\"T\":2,\"s\":\"BTCUSDT\",\"t\":7,\"p\":\"0\",\"q\":\"0\","
     "\"X\":\"INSURANCE_FUND\",\"m\":false}",
     WEIR_OK, "trade 1 #7 0*0 buy off-book t=2\n"},

    {"a reply before any symbol waits", "cm",
     "{\"lastUpdateId\":11,\"E\":1,\"T\":2,\"bids\":[],\"asks\":[[\"7\",\"8\"]]}", WEIR_OK, ""},
    {"and comes before the first diff", NULL,
     "{\"stream\":\"btcusd_perp@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":4,\"T\":3,"
     "\"s\":\"BTCUSD_PERP\",\"ps\":\"BTCUSD\",\"U\":10,\"u\":12,\"pu\":9,\"b\":[[\"5000.0\",\"86\"]"
     "],"
     "\"a\":[]}}",
     WEIR_OK,
     "inst 1 BTCUSD_PERP BTC/USD inverse tick=0 step=0 x100\n"
     "book 1 snap 11..11 prev 0 rule 2 | | 7*8 t=2\n"
     "book 1 diff 10..12 prev 9 rule 2 | 5000*86 | t=3\n"},
    {"a reply that names its symbol", NULL,
     "{\"lastUpdateId\":20,\"E\":5,\"T\":6,\"symbol\":\"ETHUSD_261225\",\"pair\":\"ETHUSD\","
     "\"bids\":[],"
     "\"asks\":[]}",
     WEIR_OK,
     "inst 2 ETHUSD_261225 ETH/USD inverse tick=0 step=0 x10\n"
     "book 2 snap 20..20 prev 0 rule 2 | | t=6\n"},
};

/* The plain frame goes through the strict scan, the one with spaces through the general one. */
static void run_steps(bool spaced)
{
    struct fake fake = {0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct step *step = &steps[i];
        if (step->market) {
            if (fake.plugin)
                fake_close(&fake);
            fake_open(&fake, step->market, "");
        }
        char *frame = spaced ? with_spaces(step->frame) : NULL;
        enum weir_err err = fake_frame(&fake, 3, spaced ? frame : step->frame);
        const char *said = fake_said(&fake);
        bool logged = strncmp(said, "log binance: the venue", 22) == 0; /* quotes the spaces, too */
        cr_expect_eq(err, step->err, "%s: error %d", step->name, err);
        cr_expect(logged || strcmp(said, step->said) == 0, "%s%s:\n%s--- expected\n%s", step->name,
                  spaced ? " with spaces" : "", said, step->said);
        free(frame);
    }
    fake_close(&fake);
}

Test(binance, frames_become_events)
{
    run_steps(false);
    run_steps(true);
}

static const struct {
    const char *name, *frame;
} bad[] = {
    {"nothing", ""},
    {"no JSON", "hello"},
    {"an array", "[]"},
    {"two objects", SPOT_TOP SPOT_TOP},
    {"price with an exponent",
     "{\"u\":1,\"s\":\"A\",\"b\":\"1e5\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"price with nine places",
     "{\"u\":1,\"s\":\"A\",\"b\":\"0.123456789\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"price beyond 64 bits",
     "{\"u\":1,\"s\":\"A\",\"b\":\"92233720369\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"negative price", "{\"u\":1,\"s\":\"A\",\"b\":\"-1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"point without digits",
     "{\"u\":1,\"s\":\"A\",\"b\":\"1.\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"a member twice",
     "{\"u\":1,\"u\":2,\"s\":\"A\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"a kind twice", "{\"e\":\"trade\",\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\","
                     "\"m\":true,\"T\":1}"},
    {"U after u", "{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":3,\"u\":2,\"b\":[],\"a\":[],\"E\":1}"},
    {"negative sequence", "{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":-3,\"u\":2,\"b\":[],\"a\":[]}"},
    {"no asks", "{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[],\"E\":1}"},
    {"no symbol", "{\"e\":\"depthUpdate\",\"U\":1,\"u\":2,\"b\":[],\"a\":[],\"E\":1}"},
    {"level at price zero",
     "{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[[\"0\",\"1\"]],\"a\":[]}"},
    {"level without quantity",
     "{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[[\"1\"]],\"a\":[]}"},
    {"level cut",
     "{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[[\"1\",\"2\"],\"a\":[]}"},
    {"bids are a number", "{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":5,\"a\":[]}"},
    {"trade at zero",
     "{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"0\",\"q\":\"1\",\"m\":true,\"T\":1}"},
    {"maker is a word",
     "{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"m\":yes,\"T\":1}"},
    {"aggTrade without a",
     "{\"e\":\"aggTrade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"m\":true}"},
    {"symbol with a quote",
     "{\"u\":1,\"s\":\"A\\\"B\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"symbol of 32 letters", "{\"u\":1,\"s\":\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF\",\"b\":\"1\","
                             "\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"},
    {"reply without bids", "{\"lastUpdateId\":5,\"symbol\":\"A\",\"asks\":[]}"},
    {"data is cut", "{\"stream\":\"a@trade\",\"data\":"},
};

Test(binance, what_is_malformed_is_refused_and_says_nothing)
{
    struct fake fake;
    fake_open(&fake, "spot", "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum weir_err err = fake_frame(&fake, 1, bad[i].frame);
        const char *said = fake_said(&fake);
        cr_expect_neq(err, WEIR_OK, "%s was taken", bad[i].name);
        cr_expect_str_empty(said, "%s said %s", bad[i].name, said);
    }
    static const char *const whole[] = {SPOT_BOOK, SPOT_TOP, REPLY};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        for (size_t len = 0; len < strlen(whole[i]); len++) { /* cut at every byte */
            char cut[512];
            memcpy(cut, whole[i], len);
            cut[len] = '\0';
            cr_expect_neq(fake_frame(&fake, 1, cut), WEIR_OK, "taken: %s", cut);
        }
    cr_expect_str_empty(fake_said(&fake));
    fake_close(&fake);
}

static const char info[] =
    "{\"timezone\":\"UTC\",\"symbols\":[{\"symbol\":\"ETHBTC\",\"status\":\"BREAK\",\"baseAsset\":"
    "\"ETH\","
    "\"quoteAsset\":\"BTC\",\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0."
    "00001000\"},"
    "{\"filterType\":\"LOT_SIZE\",\"stepSize\":\"0.00010000\"},{\"filterType\":\"NOTIONAL\","
    "\"minNotional\":\"0.00010000\"}]},{\"symbol\":\"DOTUSD\",\"status\":\"TRADING\",\"baseAsset\":"
    "\"DOT\","
    "\"quoteAsset\":\"USD\",\"filters\":[{\"tickSize\":\"0.01\",\"filterType\":\"PRICE_FILTER\"}]}]"
    "}";

static enum weir_err respond(struct fake *fake, uint32_t id, int status, const char *body)
{
    return fake->plugin->on_response(fake->session, id, 1000, status,
                                     (struct weir_bytes){body, strlen(body)});
}

#define ETH_TOP "{\"u\":1,\"s\":\"ETHBTC\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"
#define DOT_TOP "{\"u\":1,\"s\":\"DOTUSD\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"

Test(binance, rules_reach_the_host_with_the_symbol_or_when_they_change)
{
    struct fake fake;
    fake_open(&fake, "spot", "");
    cr_expect_eq(fake_frame(&fake, 1, ETH_TOP), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake),
                     "inst 1 ETHBTC ETH/BTC spot tick=0 step=0 x1\ntop 1 #1 1*1 2*1\n");
    struct weir_bytes target = {"https://api.binance.com/api/v3/exchangeInfo", 43};
    struct weir_bytes body = {info, sizeof info - 1};
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(fake.plugin->on_recorded(fake.session, 1, target, body), WEIR_OK);
        cr_expect_str_eq(fake_said(&fake), i > 0 ? ""
                                                 : "inst 1 ETHBTC ETH/BTC spot halted tick=0.00001 "
                                                   "step=0.0001 x1 min=0.0001\n");
    }
    cr_expect_eq(fake_frame(&fake, 1, DOT_TOP), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake),
                     "inst 2 DOTUSD DOT/USD spot tick=0.01 step=0 x1\ntop 2 #1 1*1 2*1\n");
    target = (struct weir_bytes){"https://x/api/v3/depth?symbol=DOTUSD&limit=1000", 47};
    body = (struct weir_bytes){REPLY, strlen(REPLY)};
    cr_expect_eq(fake.plugin->on_recorded(fake.session, 1, target, body), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "book 2 snap 11..11 prev 0 rule 1 | 100*1 99*2 |\n");
    body.len = 40;
    cr_expect_neq(fake.plugin->on_recorded(fake.session, 1, target, body), WEIR_OK);
    fake_close(&fake);
}

Test(binance, a_live_session_connects_subscribes_and_asks_for_snapshots)
{
    struct fake fake;
    fake_open(&fake, "usdm", "btcusdt, ETHUSDT");
    cr_expect_eq(fake.plugin->start(fake.session, 1), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake),
                     "get 33554432 /fapi/v1/exchangeInfo\n"
                     "conn 1 /public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/"
                     "ethusdt@depth@100ms/ethusdt@bookTicker\n"
                     "conn 2 /market/stream?streams=btcusdt@aggTrade/ethusdt@aggTrade\n"
                     "timer 67108875 82800000000001\n");
    cr_expect_eq(fake.plugin->on_conn(fake.session, 1, 5, 1), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "inst 1 BTCUSDT BTC/USDT linear tick=0 step=0 x1\n"
                                       "get 16777217 /fapi/v1/depth?limit=1000&symbol=BTCUSDT\n"
                                       "inst 2 ETHUSDT ETH/USDT linear tick=0 step=0 x1\n"
                                       "get 16777218 /fapi/v1/depth?limit=1000&symbol=ETHUSDT\n");
    cr_expect_eq(fake.plugin->on_conn(fake.session, 2, 5, 1), WEIR_OK);
    cr_expect_str_empty(fake_said(&fake), "the connection of trades has no books");

    struct weir_intent resync = {.msg = {sizeof resync, WEIR_RESYNC, .instrument = 2}};
    cr_expect_eq(fake.plugin->on_intent(fake.session, 6, &resync), WEIR_OK);
    cr_expect_str_empty(fake_said(&fake), "one snapshot is on its way already");
    cr_expect_eq(respond(&fake, 16777218, 200, REPLY), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "book 2 snap 11..11 prev 0 rule 2 | 100*1 99*2 |\n");
    cr_expect_eq(fake.plugin->on_intent(fake.session, 6, &resync), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "get 16777218 /fapi/v1/depth?limit=1000&symbol=ETHUSDT\n");
    static const struct {
        int status;
        const char *body, *said;
    } bad_answers[] = {
        {0, "", "timer 16777218 1000001000\n"},
        {429, "{}", "limited 429\ntimer 16777218 2000001000\n"},
        {200, "{\"lastUpdateId\":", "timer 16777218 4000001000\n"},
        {500, "", "timer 16777218 8000001000\n"},
    };
    for (size_t i = 0; i < sizeof bad_answers / sizeof bad_answers[0]; i++) {
        cr_expect_eq(respond(&fake, 16777218, bad_answers[i].status, bad_answers[i].body), WEIR_OK);
        cr_expect_str_eq(fake_said(&fake), bad_answers[i].said);
    }
    cr_expect_eq(fake.plugin->on_timer(fake.session, 16777218, 9), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "get 16777218 /fapi/v1/depth?limit=1000&symbol=ETHUSDT\n");
    cr_expect_eq(fake_frame(&fake, 1, ETH_TOP), WEIR_OK);
    cr_expect_str_empty(fake_said(&fake), "a symbol that nobody asked for");
    struct weir_intent order = {.msg = {sizeof order, WEIR_NEW, .instrument = 1}};
    cr_expect_eq(fake.plugin->on_intent(fake.session, 9, &order), WEIR_E_UNSUPPORTED);
    struct weir_intent more = {.msg = {sizeof more, WEIR_SUBSCRIBE, .instrument = 1}};
    cr_expect_eq(fake.plugin->on_intent(fake.session, 9, &more), WEIR_OK);
    cr_expect_str_eq(
        fake_said(&fake),
        "send 1 {\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@depth@100ms\","
        "\"btcusdt@bookTicker\"],\"id\":2}\n"
        "send 2 {\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@aggTrade\"],\"id\":3}\n");
    fake_close(&fake);
}

#define RENEWED_TRADE(n)                                      \
    "{\"e\":\"aggTrade\",\"E\":2,\"s\":\"BTCUSDT\",\"a\":" #n \
    ",\"p\":\"1\",\"q\":\"2\",\"f\":1,\"l\":2,\"T\":1,\"m\":false}"
#define RENEWED_TOP(u)                \
    "{\"e\":\"bookTicker\",\"u\":" #u \
    ",\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\",\"T\":1,\"E\":1}"

/* After 23 hours: a second set of connections, both heard, the first left and at last closed. */
Test(binance, market_data_goes_on_while_its_connections_are_renewed)
{
    enum { RENEW = 67108875, TAKE, LEAVE };
    const weir_ns hour = (weir_ns)3600 * 1000000000;
    struct fake fake;
    fake_open(&fake, "usdm", "BTCUSDT");
    cr_expect_eq(fake.plugin->start(fake.session, 1), WEIR_OK);
    cr_expect_eq(fake.plugin->on_conn(fake.session, 1, 5, 1), WEIR_OK);
    cr_expect_eq(fake.plugin->on_conn(fake.session, 2, 5, 1), WEIR_OK);
    cr_expect_eq(fake_frame(&fake, 2, RENEWED_TRADE(7)), WEIR_OK);
    (void)fake_said(&fake);
    cr_expect_eq(fake.plugin->on_timer(fake.session, RENEW, 23 * hour), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake),
                     "conn 2049 /public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker\n"
                     "conn 2050 /market/stream?streams=btcusdt@aggTrade\n"
                     "timer 67108876 82810000000000\n");
    cr_expect_eq(fake.plugin->on_conn(fake.session, 2049, 23 * hour, 1), WEIR_OK);
    cr_expect_str_empty(fake_said(&fake), "the book is live and is not asked for");
    cr_expect_eq(fake.plugin->on_timer(fake.session, TAKE, 23 * hour), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "timer 67108876 82810000000000\n", "one is not up yet");
    cr_expect_eq(fake.plugin->on_conn(fake.session, 2050, 23 * hour, 1), WEIR_OK);
    static const struct {
        uint32_t conn;
        const char *frame, *said;
    } both[] = {{2, RENEWED_TRADE(7), ""},
                {2, RENEWED_TRADE(8), "trade 1 #8 1*2 buy t=1\n"},
                {2050, RENEWED_TRADE(8), ""},
                {2050, RENEWED_TRADE(9), "trade 1 #9 1*2 buy t=1\n"},
                {2, RENEWED_TRADE(9), ""},
                {1, RENEWED_TOP(5), "top 1 #5 1*1 2*1 t=1\n"},
                {2049, RENEWED_TOP(6), "top 1 #6 1*1 2*1 t=1\n"}};
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        cr_expect_eq(fake_frame(&fake, both[i].conn, both[i].frame), WEIR_OK);
        cr_expect_str_eq(fake_said(&fake), both[i].said, "frame %zu", i);
    }
    cr_expect_eq(fake.plugin->on_timer(fake.session, TAKE, 23 * hour), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "timer 67108877 82820000000000\n");
    cr_expect_eq(fake_frame(&fake, 1, RENEWED_TOP(7)), WEIR_OK);
    cr_expect_str_empty(fake_said(&fake), "the old one is not heard any more");
    cr_expect_eq(fake_frame(&fake, 2049, RENEWED_TOP(8)), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "top 1 #8 1*1 2*1 t=1\n");
    cr_expect_eq(fake.plugin->on_timer(fake.session, LEAVE, 23 * hour), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "close 1\nclose 2\ntimer 67108875 165580000000000\n");
    cr_expect_eq(fake.plugin->on_timer(fake.session, RENEW, 46 * hour), WEIR_OK);
    cr_expect_not_null(strstr(fake_said(&fake), "conn 1 /public/"), "and back again");
    fake_close(&fake);
}

Test(binance, many_symbols_are_spread_over_connections)
{
    char symbols[1024] = "";
    for (int i = 0; i < 61; i++)
        (void)snprintf(symbols + strlen(symbols), sizeof symbols - strlen(symbols), "S%dUSDT,", i);
    struct fake fake;
    fake_open(&fake, "spot", symbols);
    cr_expect_eq(fake.plugin->start(fake.session, 1), WEIR_OK);
    const char *said = fake_said(&fake), *second = strstr(said, "conn 3 ");
    cr_assert_not_null(second);
    cr_expect_str_eq(second, "conn 3 /stream?streams=s60usdt@depth@100ms/s60usdt@bookTicker/"
                             "s60usdt@trade\ntimer 67108875 82800000000001\n");
    cr_expect_eq(fake.plugin->on_conn(fake.session, 3, 1, 1), WEIR_OK);
    cr_expect_str_eq(fake_said(&fake), "inst 1 S60USDT S60/USDT spot tick=0 step=0 x1\n"
                                       "get 16777217 /api/v3/depth?limit=1000&symbol=S60USDT\n");
    fake_close(&fake);
}

Test(binance, settings_that_mean_nothing_are_refused_by_name)
{
    static const struct {
        struct weir_setting setting;
        const char *said;
    } cases[] = {
        {{"market", "options"},
         "log binance: market: expected spot, usdm or cm, found \"options\"\n"},
        {{"depth", "1s"},
         "log binance: depth: expected 100ms, 250ms, 500ms or 1000ms, found \"1s\"\n"},
        {{"symbols", "BTC/USDT"},
         "log binance: symbols: expected names such as BTCUSDT, with commas between them, found "
         "\"BTC/USDT\"\n"},
        {{"colour", "red"},
         "log binance: expected the settings market, symbols, depth, trades, key, sign, "
         "orders, recv_window, cancel_after and errors, found \"colour\"\n"},
    };
    struct fake fake;
    fake_open(&fake, "spot", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_setting settings[] = {cases[i].setting, {NULL, NULL}};
        void *session = NULL;
        cr_expect_eq(fake.plugin->open(&fake.host, settings, &session), WEIR_E_BAD_CONFIG);
        cr_expect_str_eq(fake_said(&fake), cases[i].said);
    }
    fake_close(&fake);
}

Test(binance, a_recorded_frame_tells_where_it_belongs)
{
    static const struct {
        const char *frame, *market, *symbol, *type;
    } cases[] = {
        {SPOT_BOOK, "spot", "BTCUSDT", "depth@100ms"},
        {SPOT_TOP, "spot", "BTCUSDT", "bookTicker"},
        {REPLY, "spot", "", "depth_snapshot"},
        {"{\"lastUpdateId\":1,\"E\":1,\"T\":1,\"bids\":[],\"asks\":[]}", "usdm", "",
         "depth_snapshot"},
        {"{\"lastUpdateId\":1,\"E\":1,\"T\":1,\"symbol\":\"BTCUSD_PERP\"}", "cm", "BTCUSD_PERP",
         "depth_snapshot"},
        {"{\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1,\"T\":2,\"s\":"
         "\"BTCUSDT\"",
         "usdm", "BTCUSDT", "depth@0ms"},
        {"{\"stream\":\"btcusd_perp@bookTicker\",\"data\":{\"u\":1,\"e\":\"bookTicker\",\"s\":"
         "\"BTCUSD_PERP\",\"ps\":\"BTCUSD\"}}",
         "cm", "BTCUSD_PERP", "bookTicker"},
        {"{\"e\":\"aggTrade\",\"s\":\"BTCUSDT\",\"a\":1,\"m\":true}", "usdm", "BTCUSDT",
         "aggTrade"},
        {"{\"e\":\"aggTrade\",\"s\":\"BTCUSDT\",\"a\":1,\"m\":true,\"M\":true}", "spot", "BTCUSDT",
         "aggTrade"},
        {"{\"stream\":\"btcusdt@kline_1m\",\"data\":{\"e\":\"kline\",\"s\":\"BTCUSDT\"}}", "",
         "BTCUSDT", "kline_1m"},
        {info, "spot", "", "exchangeInfo"},
        {"{\"symbols\":[{\"symbol\":\"A\",\"contractType\":\"PERPETUAL\"}]}", "usdm", "",
         "exchangeInfo"},
        {"{\"symbols\":[{\"symbol\":\"A\",\"contractSize\":10}]}", "cm", "", "exchangeInfo"},
    };
    struct fake fake;
    fake_open(&fake, "spot", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_probe probe;
        struct weir_bytes frame = {cases[i].frame, strlen(cases[i].frame)};
        cr_expect_eq(fake.plugin->probe(frame, &probe), WEIR_OK);
        cr_expect(strcmp(probe.market, cases[i].market) == 0 &&
                      strcmp(probe.symbol, cases[i].symbol) == 0 &&
                      strcmp(probe.type, cases[i].type) == 0,
                  "%s: %s %s %s", cases[i].frame, probe.market, probe.symbol, probe.type);
    }
    struct weir_probe probe;
    cr_expect_eq(fake.plugin->probe((struct weir_bytes){"{\"result\":null}", 15}, &probe),
                 WEIR_E_NOT_FOUND);
    cr_expect_eq(fake.plugin->probe((struct weir_bytes){"", 0}, &probe), WEIR_E_NOT_FOUND);
    fake_close(&fake);
}
