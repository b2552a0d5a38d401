/* paper_golden_test.c - virtual orders in a real recorded market, and what an independent program
 * says became of them: when they filled under two queue models, and what a sweep of the book cost.
 *
 * The recordings go through the binance plugin and the book machine, as in a host. They are not in
 * the tree. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/paper.h"
#include "sim/recording.h"
#include "support/facts.h"
#include "venue/venue.h"

enum { ORDERS_MAX = 32 };

static const char *shared(const char *path)
{
    static char whole[4][1024];
    static unsigned next;
    char *at = whole[next++ % 4];
    const char *folder = getenv("WEIR_SHARED");
    (void)snprintf(at, sizeof whole[0], "%s/%s", folder ? folder : SOURCE_DIR "/../shared", path);
    return at;
}

/* --- one virtual order -------------------------------------------------------------------------*/

struct virtual_order {
    const cJSON *golden; /* what became of it */
    weir_ns place;
    enum match_queue queue;
    enum weir_side side;
    bool sweep; /* a market order; else it rests at the best price of its side */
    const char *size;
    char name[128];
    struct paper *paper; /* its own: orders do not see each other */
    const struct weir_instrument *is;
    weir_ns first_fill, last_fill;
    weir_qty qty, filled, ahead; /* ahead: what stood there when it came */
    uint64_t trades;             /* at its price, that hit its side, until it was filled */
    uint64_t update_id;          /* of the book that it swept, */
    struct weir_level best[2];   /* and its best prices */
    weir_px px, worst;
    amount paid;
    uint32_t levels;
};

static void on_paper(void *context, const struct weir_msg *event)
{
    struct virtual_order *order = context;
    const struct weir_fill *fill = (const struct weir_fill *)event;
    amount worth;
    if (event->kind != WEIR_FILL)
        return;
    order->first_fill = order->first_fill ? order->first_fill : event->t;
    order->last_fill = event->t;
    order->filled += fill->qty;
    order->levels += fill->px != order->worst;
    order->worst = fill->px;
    cr_assert(
        amount_product(fill->px, order->is->price_exp, fill->qty, order->is->qty_exp, &worth));
    order->paid += worth;
}

struct stream {
    struct virtual_order orders[ORDERS_MAX];
    size_t count;
    struct session *session;
    struct weir_instrument is;
    weir_ns now;
};

static void note_book(struct stream *stream, struct virtual_order *order)
{
    struct feed_counts counts;
    const struct book *book = session_book(stream->session, 1);
    cr_assert(session_feed_counts(stream->session, 1, &counts));
    order->update_id = counts.last_seq;
    (void)book_best(book, WEIR_BUY, &order->best[WEIR_BUY]);
    (void)book_best(book, WEIR_SELL, &order->best[WEIR_SELL]);
}

static void count_trade(struct virtual_order *order, const struct weir_trade *trade)
{
    bool hits = trade->aggressor != order->side;
    bool through = order->side == WEIR_BUY ? trade->px < order->px : trade->px > order->px;
    bool counts = !(trade->msg.flags & WEIR_TRADE_OFF_BOOK);
    order->trades +=
        counts && order->filled < order->qty && hits && (trade->px == order->px || through);
}

static void place(struct stream *stream, struct virtual_order *order)
{
    struct why why;
    struct paper_config config = {.queue = order->queue, .instruments = 1, .orders = 4};
    struct weir_book_msg nothing = {.msg = {.instrument = 1}};
    struct weir_intent intent = {.msg = {.kind = WEIR_NEW, .instrument = 1},
                                 .client_id = "v",
                                 .side = (uint8_t)order->side,
                                 .type = order->sweep ? WEIR_MARKET : WEIR_LIMIT};
    struct weir_level best;
    order->is = &stream->is;
    order->paper = paper_create(&config, on_paper, order, &why);
    cr_assert_not_null(order->paper, "%s", why.text);
    cr_assert(paper_instrument(order->paper, &stream->is));
    paper_book(order->paper, order->place, 1, &nothing, session_book(stream->session, 1));
    cr_assert(book_best(session_book(stream->session, 1), order->side, &best));
    cr_assert_eq(decimal_parse(order->size, strlen(order->size), stream->is.qty_exp, &order->qty),
                 WEIR_OK);
    order->px = best.px;
    order->ahead = book_at(session_book(stream->session, 1), order->side, best.px);
    note_book(stream, order);
    intent.qty = order->qty;
    intent.px = order->sweep ? 0 : best.px;
    cr_assert_eq(paper_intent(order->paper, order->place, &intent), WEIR_OK);
    paper_timer(order->paper, order->place);
}

/* --- the stream --------------------------------------------------------------------------------*/

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    struct stream *stream = context;
    (void)session;
    for (size_t i = 0; event->kind == WEIR_TRADE && i < stream->count; i++)
        if (stream->orders[i].paper) {
            count_trade(&stream->orders[i], (const struct weir_trade *)event);
            paper_trade(stream->orders[i].paper, stream->now, (const struct weir_trade *)event);
            paper_timer(stream->orders[i].paper, stream->now);
        }
    if (event->kind == WEIR_INSTRUMENT)
        memcpy(&stream->is, event, sizeof stream->is);
}

static void on_book(void *context, struct session *session, uint32_t instrument,
                    const struct weir_book_msg *msg, const struct book *book)
{
    struct stream *stream = context;
    (void)session;
    for (size_t i = 0; i < stream->count; i++)
        if (stream->orders[i].paper)
            paper_book(stream->orders[i].paper, stream->now, instrument, msg, book);
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    (void)context, (void)session, (void)instrument;
    return 1;
}

static void play(struct stream *stream, const char *path)
{
    struct why why;
    struct record record;
    struct recording *recording = recording_open(path, &why);
    cr_assert_not_null(recording, "%s", why.text);
    for (;;) {
        cr_assert_eq(recording_next(recording, &record, &why), WEIR_OK, "%s", why.text);
        if (record.kind == RECORD_END)
            break;
        for (size_t i = 0; i < stream->count; i++)
            if (!stream->orders[i].paper && record.t > stream->orders[i].place)
                place(stream, &stream->orders[i]);
        stream->now = record.t;
        cr_assert_eq(session_frame(stream->session, 1, record.t, record.bytes), WEIR_OK);
    }
    recording_close(recording);
}

static void run_stream(struct stream *stream, struct plugin *plugin, const char *market,
                       const char *symbol)
{
    struct why why;
    char path[128];
    struct weir_setting settings[] = {{"market", market}, {NULL, NULL}};
    struct session_config config = {.name = "golden",
                                    .venue = 1,
                                    .account = 1,
                                    .settings = settings,
                                    .data_age_max = INT64_MAX};
    struct session_owner owner = {
        .context = stream, .event = on_event, .instrument = on_instrument, .book = on_book};
    stream->session = session_create(plugin, &config, &owner, &why);
    cr_assert_not_null(stream->session, "%s", why.text);
    (void)snprintf(path, sizeof path, "data/binance-20240808/%s/%s_20240808.gz", market, symbol);
    play(stream, shared(path));
    (void)snprintf(path, sizeof path, "data/binance-20240808/%s/%s_20240809.gz", market, symbol);
    if (access(shared(path), R_OK) == 0)
        play(stream, shared(path));
    session_destroy(stream->session);
}

/* --- what golden says --------------------------------------------------------------------------*/

static weir_ns time_of(const cJSON *object, const char *key)
{
    const char *text = json_text(object, key, "0");
    return strtoll(text, NULL, 10);
}

static weir_px px_of(const struct stream *stream, const cJSON *object, const char *key)
{
    const char *text = json_text(object, key, "");
    weir_px px = 0;
    cr_assert_eq(decimal_parse(text, strlen(text), stream->is.price_exp, &px), WEIR_OK, "%s: '%s'",
                 key, text);
    return px;
}

static weir_qty qty_of(const struct stream *stream, const cJSON *object, const char *key)
{
    const char *text = json_text(object, key, "");
    weir_qty qty = 0;
    cr_assert_eq(decimal_parse(text, strlen(text), stream->is.qty_exp, &qty), WEIR_OK, "%s: '%s'",
                 key, text);
    return qty;
}

static void add_resting(struct stream *stream, const cJSON *row)
{
    static const char *const models[] = {"trades_only", "capped_by_displayed_size"};
    for (int i = 0; i < 2; i++) {
        struct virtual_order *order = &stream->orders[stream->count++];
        cr_assert_leq(stream->count, ORDERS_MAX);
        *order = (struct virtual_order){
            .golden = row,
            .place = time_of(row, "placed_after_local_ts"),
            .queue = paper_queue_of(models[i]),
            .side = strcmp(json_text(row, "side", ""), "sell") == 0 ? WEIR_SELL : WEIR_BUY,
            .size = json_text(row, "qty", "")};
        (void)snprintf(order->name, sizeof order->name, "%s_model", models[i]);
    }
}

static void add_sweeps(struct stream *stream, const cJSON *sweep, const char *market)
{
    static const char *const sides[] = {"buy", "sell"};
    const cJSON *venue = json_get(json_get(sweep, "single_venue"), market), *row;
    for (int side = 0; side < 2; side++)
        cJSON_ArrayForEach(row, json_get(venue, sides[side]))
        {
            struct virtual_order *order = &stream->orders[stream->count++];
            cr_assert_leq(stream->count, ORDERS_MAX);
            *order = (struct virtual_order){.golden = row,
                                            .place = time_of(sweep, "at_local_ts"),
                                            .side = (enum weir_side)side,
                                            .sweep = true,
                                            .size = row->string};
            (void)snprintf(order->name, sizeof order->name, "sweep");
        }
}

static void judge_resting(const struct stream *stream, const struct virtual_order *order)
{
    const cJSON *fate = json_get(order->golden, order->name);
    const char *left = json_text(fate, "remaining", "");
    weir_qty remaining = -1;
    static const char *const compared[] = {"first_fill_local_ts", "complete_local_ts", "remaining",
                                           "trades_counted"};
    int64_t trades = -1;
    cr_expect_eq(order->px, px_of(stream, order->golden, "price"), "%s: placed at another price",
                 order->name);
    cr_expect_eq(order->ahead, qty_of(stream, order->golden, "queue_ahead_at_placement"));
    cr_assert(json_whole(json_get(fate, "trades_counted"), &trades));
    cr_expect_eq((int64_t)order->trades, trades, "%s %s: %" PRIu64 " trades, golden %" PRId64,
                 order->name, order->size, order->trades, trades);
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++)
        fact_compared(json_get(fate, compared[i]));
    fact_compared(json_get(order->golden, "price"));
    fact_compared(json_get(order->golden, "queue_ahead_at_placement"));
    cr_expect_eq(order->first_fill, time_of(fate, "first_fill_local_ts"),
                 "%s %s: first fill %" PRId64, order->name, order->size, order->first_fill);
    cr_expect_eq(order->filled == order->qty ? order->last_fill : 0,
                 time_of(fate, "complete_local_ts"), "%s %s: complete %" PRId64, order->name,
                 order->size, order->last_fill);
    cr_assert_eq(decimal_parse(left, strlen(left), stream->is.qty_exp, &remaining), WEIR_OK);
    cr_expect_eq(order->qty - order->filled, remaining, "%s %s: remaining", order->name,
                 order->size);
}

static void judge_sweep(const struct stream *stream, const struct virtual_order *order)
{
    amount average, wanted, unit = (amount)decimal_pow10[AMOUNT_EXP - 8];
    int64_t levels = 0;
    const char *text = json_text(order->golden, "avg_price_8dp", "");
    cr_assert_eq(amount_parse(text, strlen(text), &wanted), WEIR_OK);
    cr_assert(amount_per_round(order->paid, order->filled, stream->is.qty_exp, &average));
    average = (average + unit / 2) / unit * unit;
    cr_assert(json_whole(json_get(order->golden, "levels"), &levels));
    cr_expect_eq(order->filled, order->qty, "sweep of %s: filled", order->size);
    cr_expect_eq(order->levels, (uint32_t)levels, "sweep of %s: %u levels", order->size,
                 order->levels);
    cr_expect_eq(order->worst, px_of(stream, order->golden, "worst_price"), "sweep of %s",
                 order->size);
    cr_expect(average == wanted, "sweep of %s: average price", order->size);
    static const char *const compared[] = {"filled", "levels", "avg_price_8dp", "worst_price"};
    const cJSON *share = json_get(order->golden, "per_venue")->child;
    cr_expect_eq(qty_of(stream, order->golden, "filled"), order->filled);
    cr_expect_eq(qty_of(stream, json_get(order->golden, "per_venue"), share->string),
                 order->filled);
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++)
        fact_compared(json_get(order->golden, compared[i]));
    fact_compared(share);
}

/* The book that was swept. */
static void judge_book(const struct stream *stream, const struct virtual_order *order,
                       const cJSON *venue)
{
    static const char *const compared[] = {"update_id", "best_bid", "best_ask"};
    int64_t id = 0;
    cr_assert(json_whole(json_get(venue, "update_id"), &id));
    cr_expect_eq((int64_t)order->update_id, id, "update %" PRIu64, order->update_id);
    cr_expect_eq(order->best[WEIR_BUY].px, px_of(stream, venue, "best_bid"));
    cr_expect_eq(order->best[WEIR_SELL].px, px_of(stream, venue, "best_ask"));
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++)
        fact_compared(json_get(venue, compared[i]));
}

static void judge(struct stream *stream, const cJSON *venue)
{
    for (size_t i = 0; i < stream->count; i++) {
        struct virtual_order *order = &stream->orders[i];
        cr_assert_not_null(order->paper, "the recording ends before %s", order->name);
        if (order->sweep) {
            judge_sweep(stream, order);
            judge_book(stream, order, venue);
        } else {
            judge_resting(stream, order);
        }
        paper_destroy(order->paper);
    }
}

Test(paper_golden, virtual_orders_fare_as_an_independent_program_says)
{
    static const char *const markets[] = {"spot", "usdm"};
    static const char *const assets[][2] = {{"BTC", "btcusdt"}, {"ETH", "ethusdt"}};
    struct why why;
    struct plugin *plugin;
    struct facts facts = {0};
    if (access(shared("data/golden.json"), R_OK) != 0)
        cr_skip_test("needs the shared folder");
    cJSON *golden = json_read_file(shared("data/golden.json"), &why);
    cr_assert_not_null(golden, "%s", why.text);
    cr_assert_eq(plugin_load(BUILD_DIR "/plugins/binance.so", &plugin, &why), WEIR_OK, "%s",
                 why.text);
    const cJSON *cross = json_get(json_get(golden, "binance-20240808"), "cross_and_simulation"),
                *row;

    for (size_t a = 0; a < 2; a++)
        for (size_t m = 0; m < 2; m++) {
            struct stream *stream = calloc(1, sizeof *stream);
            const cJSON *asset = json_get(cross, assets[a][0]);
            cJSON_ArrayForEach(row, json_get(asset, "queue_fill"))
            {
                if (strcmp(json_text(row, "venue", ""), markets[m]) == 0)
                    add_resting(stream, row);
            }
            add_sweeps(stream, json_get(asset, "sweep_of_depth_built_books"), markets[m]);
            run_stream(stream, plugin, markets[m], assets[a][1]);
            judge(stream,
                  json_get(json_get(json_get(asset, "sweep_of_depth_built_books"), "single_venue"),
                           markets[m]));
            free(stream);
        }
    static const char asked[] = " rule at_local_ts venue side placed_after_local_ts qty ";
    for (size_t a = 0; a < 2; a++) {
        const cJSON *asset = json_get(cross, assets[a][0]);
        const cJSON *sweeps = json_get(asset, "sweep_of_depth_built_books");
        facts_count(json_get(sweeps, "at_local_ts"), assets[a][0], asked, &facts);
        facts_count(json_get(sweeps, "rule"), assets[a][0], asked, &facts);
        facts_count(json_get(sweeps, "single_venue"), assets[a][0], asked, &facts);
        facts_count(json_get(asset, "queue_fill"), assets[a][0], asked, &facts);
    }
    printf("paper_golden: %u facts equal, %u leaves say what was asked, %u not compared\n",
           facts.compared, facts.asked, facts.left);
    cr_expect_eq(facts.left, 0);
    cr_expect_geq(facts.compared, 200, "only %u facts", facts.compared);
    cJSON_Delete(golden);
}
