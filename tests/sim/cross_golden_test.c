/* cross_golden_test.c - two venues at once, on the recorded day, against what an independent program
 * found: cost of taking 1, 10 and 100 units from both books as one, and how often the venues' best
 * prices cross. The recordings are not in the tree. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "engine/consolidate.h"
#include "sim/marketstats.h"
#include "sim/recordings.h"
#include "support/facts.h"
#include "venue/venue.h"

enum { VENUES = 2, EXP = 8 };

static const char *shared(const char *path)
{
    static char whole[4][1024];
    static unsigned next;
    char *at = whole[next++ % 4];
    const char *folder = getenv("WEIR_SHARED");
    (void)snprintf(at, sizeof whole[0], "%s/%s", folder ? folder : SOURCE_DIR "/../shared", path);
    return at;
}

struct threshold {
    weir_px over;
    uint64_t events, episodes;
    bool inside;
};

struct cross;
struct venue {
    struct cross *cross;
    struct session *session;
    struct weir_top top;
};

struct cross {
    struct venue venues[VENUES];
    const cJSON *golden; /* of one asset */
    weir_ns now, sweep_t, from_t, to_t, step, grid_t;
    bool swept;
    uint64_t points, tops;
    double basis_min, basis_max, basis_sum;
    weir_px edge_max;
    struct threshold thresholds[8];
    int threshold_count;
    unsigned equal;
};

static const cJSON *at(const cJSON *object, const char *path)
{
    char key[64];
    while (object && *path) {
        size_t len = strcspn(path, "/");
        memcpy(key, path, len);
        key[len] = '\0';
        object = json_get(object, key);
        path += len + (path[len] == '/');
    }
    cr_assert_not_null(object, "golden has no %s", path);
    return object;
}

static weir_ns time_at(const cJSON *object, const char *path)
{
    const char *text = cJSON_GetStringValue(at(object, path));
    int64_t t;
    cr_assert_eq(decimal_parse(text, strlen(text), 0, &t), WEIR_OK);
    return t;
}

static void same_text(struct cross *cross, const cJSON *golden, const char *path, const char *found)
{
    const char *wanted = cJSON_GetStringValue(at(golden, path));
    cr_expect_str_eq(found, wanted, "%s", path);
    cross->equal += strcmp(found, wanted) == 0;
    fact_compared(at(golden, path));
}

static void same_number(struct cross *cross, const cJSON *golden, const char *path, double found)
{
    double wanted = cJSON_GetNumberValue(at(golden, path));
    cr_expect(fabs(found - wanted) < 1e-6, "%s: golden %f, here %f", path, wanted, found);
    cross->equal += fabs(found - wanted) < 1e-6;
    fact_compared(at(golden, path));
}

/* --- both books as one --------------------------------------------------------------------------*/

static void check_sweep(struct cross *cross, const cJSON *golden, enum weir_side side,
                        weir_qty units, const struct part *parts)
{
    static const char *const names[VENUES] = {"spot", "usdm"};
    struct sweep sweep;
    char text[DECIMAL_TEXT_MAX];
    cr_assert(consolidated_sweep(side, parts, VENUES, units, 0, &sweep));
    (void)decimal_print(sweep.filled, sweep.qty_exp, text);
    same_text(cross, golden, "filled", text);
    same_number(cross, golden, "levels", sweep.levels);
    (void)decimal_print(sweep.worst, sweep.px_exp, text);
    same_text(cross, golden, "worst_price", text);
    cr_assert_gt(ratio_text(sweep.paid, amount_from(sweep.filled, sweep.qty_exp), 8, text), 0);
    same_text(cross, golden, "avg_price_8dp", text);
    for (int i = 0; i < VENUES; i++) {
        if (sweep.by_part[i] == 0) {
            cr_expect_null(json_get(at(golden, "per_venue"), names[i]));
            continue;
        }
        (void)decimal_print(sweep.by_part[i], sweep.qty_exp, text);
        same_text(cross, at(golden, "per_venue"), names[i], text);
    }
}

static void sweep_both(struct cross *cross)
{
    static const char *const sides[] = {"buy", "sell"};
    const cJSON *size;
    struct part parts[VENUES];
    const cJSON *golden = at(cross->golden, "sweep_of_depth_built_books/consolidated");
    for (int i = 0; i < VENUES; i++)
        parts[i] = (struct part){
            .book = session_book(cross->venues[i].session, 1), .px_exp = EXP, .qty_exp = EXP};
    for (int side = 0; side < 2; side++)
        cJSON_ArrayForEach(size, at(golden, sides[side]))
            check_sweep(cross, size, (enum weir_side)side, strtol(size->string, NULL, 10), parts);
    cross->swept = true;
}

/* --- best prices --------------------------------------------------------------------------------*/

static bool both(const struct cross *cross)
{
    return cross->venues[0].top.bid > 0 && cross->venues[1].top.bid > 0;
}

static weir_px larger(weir_px a, weir_px b)
{
    return a > b ? a : b;
}

/* After each best price of either venue: what one could buy on one and sell on the other. */
static void look_for_edge(struct cross *cross)
{
    const struct weir_top *a = &cross->venues[0].top, *b = &cross->venues[1].top;
    if (!both(cross) || cross->now <= cross->from_t || cross->now > cross->to_t)
        return;
    weir_px edge = larger(b->bid - a->ask, a->bid - b->ask);
    cross->edge_max = cross->tops++ == 0 ? edge : larger(cross->edge_max, edge);
    for (int i = 0; i < cross->threshold_count; i++) {
        struct threshold *threshold = &cross->thresholds[i];
        bool over = edge > threshold->over;
        threshold->events += over;
        threshold->episodes += over && !threshold->inside;
        threshold->inside = over;
    }
}

static void check_point(struct cross *cross, const cJSON *golden)
{
    static const char *const names[VENUES] = {"spot", "usdm"};
    for (int i = 0; i < VENUES; i++) {
        const struct weir_top *top = &cross->venues[i].top;
        const int64_t found[] = {top->bid, top->bid_qty, top->ask, top->ask_qty};
        for (int j = 0; j < 4; j++) {
            char text[DECIMAL_TEXT_MAX];
            const char *wanted = cJSON_GetStringValue(cJSON_GetArrayItem(at(golden, names[i]), j));
            (void)decimal_print(found[j], EXP, text);
            cr_expect_str_eq(text, wanted);
            cross->equal += strcmp(text, wanted) == 0;
            fact_compared(cJSON_GetArrayItem(at(golden, names[i]), j));
        }
    }
}

/* The state after every message up to the grid point; a measure, not money. */
static void grid_point(struct cross *cross)
{
    const cJSON *golden = at(cross->golden, "cross_venue_bookTicker/grid");
    double mids[VENUES];
    for (int i = 0; i < VENUES; i++)
        mids[i] = (double)(cross->venues[i].top.bid + cross->venues[i].top.ask) / 2;
    double basis = (mids[1] - mids[0]) / mids[0] * 10000;
    bool first = cross->points++ == 0;
    cross->basis_min = first || basis < cross->basis_min ? basis : cross->basis_min;
    cross->basis_max = first || basis > cross->basis_max ? basis : cross->basis_max;
    cross->basis_sum += basis;
    if (first)
        check_point(cross, at(golden, "first_point"));
    if (cross->grid_t == cross->to_t)
        check_point(cross, at(golden, "last_point"));
}

static void reach(struct cross *cross, weir_ns t)
{
    while (cross->grid_t < t && cross->grid_t <= cross->to_t) {
        grid_point(cross);
        cross->grid_t += cross->step;
    }
    if (t > cross->sweep_t && !cross->swept)
        sweep_both(cross);
    cross->now = t;
}

/* --- the stream ---------------------------------------------------------------------------------*/

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    (void)context, (void)session, (void)event;
}

static void on_top(void *context, struct session *session, uint32_t instrument,
                   const struct weir_top *top)
{
    struct venue *venue = context;
    (void)session, (void)instrument;
    venue->top = *top;
    look_for_edge(venue->cross);
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    (void)context, (void)session;
    cr_expect(instrument->price_exp == EXP && instrument->qty_exp == EXP);
    return 1;
}

static void read_golden(struct cross *cross)
{
    const cJSON *grid = at(cross->golden, "cross_venue_bookTicker/grid"), *threshold;
    cross->sweep_t = time_at(cross->golden, "sweep_of_depth_built_books/at_local_ts");
    cross->from_t = cross->grid_t = time_at(grid, "from_local_ts");
    cross->to_t = time_at(grid, "to_local_ts");
    cross->step = (weir_ns)cJSON_GetNumberValue(at(grid, "step_ns_or_us"));
    cJSON_ArrayForEach(threshold,
                       at(cross->golden, "cross_venue_bookTicker/edge_events/thresholds"))
    {
        struct threshold *row = &cross->thresholds[cross->threshold_count++];
        cr_assert_eq(decimal_parse(threshold->string, strlen(threshold->string), EXP, &row->over),
                     WEIR_OK);
    }
}

static void check_found(struct cross *cross)
{
    const cJSON *grid = at(cross->golden, "cross_venue_bookTicker/grid");
    const cJSON *edges = at(cross->golden, "cross_venue_bookTicker/edge_events"), *threshold;
    char text[DECIMAL_TEXT_MAX];
    int i = 0;
    same_number(cross, grid, "points", (double)cross->points);
    same_number(cross, grid, "basis_bps_min", cross->basis_min);
    same_number(cross, grid, "basis_bps_max", cross->basis_max);
    same_number(cross, grid, "basis_bps_mean", cross->basis_sum / (double)cross->points);
    same_number(cross, edges, "bookTickers_seen", (double)cross->tops);
    (void)decimal_print(cross->edge_max, EXP, text);
    same_text(cross, edges, "max_edge", text);
    cJSON_ArrayForEach(threshold, at(edges, "thresholds"))
    {
        same_number(cross, threshold, "events", (double)cross->thresholds[i].events);
        same_number(cross, threshold, "episodes", (double)cross->thresholds[i++].episodes);
    }
}

static unsigned run(struct plugin *plugin, const cJSON *golden, const char *symbol)
{
    static const char *const markets[VENUES] = {"spot", "usdm"};
    struct cross cross = {.golden = golden};
    struct why why;
    char paths[VENUES][1024];
    const char *list[VENUES];
    read_golden(&cross);
    for (int i = 0; i < VENUES; i++) {
        struct weir_setting settings[] = {{"market", markets[i]}, {NULL, NULL}};
        struct session_config config = {.name = markets[i],
                                        .venue = 1,
                                        .account = 1,
                                        .settings = settings,
                                        .data_age_max = INT64_MAX};
        struct session_owner owner = {&cross.venues[i], .event = on_event,
                                      .instrument = on_instrument, .top = on_top};
        cross.venues[i].cross = &cross;
        cross.venues[i].session = session_create(plugin, &config, &owner, &why);
        cr_assert_not_null(cross.venues[i].session, "%s", why.text);
        char name[128];
        (void)snprintf(name, sizeof name, "data/binance-20240808/%s/%s_20240808.gz", markets[i],
                       symbol);
        (void)snprintf(paths[i], sizeof paths[i], "%s", shared(name));
        list[i] = paths[i];
    }
    const struct weir_plugin *plugins[] = {plugin_descriptor(plugin)};
    struct recordings_config config = {list, VENUES, plugins, 1};
    struct recordings *recordings = recordings_open(&config, &why);
    cr_assert_not_null(recordings, "%s", why.text);
    for (;;) {
        struct recorded_message message;
        cr_assert_eq(recordings_next(recordings, &message, &why), WEIR_OK, "%s", why.text);
        if (message.record.kind == RECORD_END || message.record.t > cross.to_t + cross.step)
            break;
        reach(&cross, message.record.t);
        struct venue *venue = &cross.venues[strcmp(message.market, markets[1]) == 0];
        cr_assert_eq(session_frame(venue->session, 1, message.record.t, message.record.bytes),
                     WEIR_OK);
    }
    reach(&cross, cross.to_t + 1);
    check_found(&cross);
    recordings_close(recordings);
    for (int i = 0; i < VENUES; i++)
        session_destroy(cross.venues[i].session);
    return cross.equal;
}

Test(cross_golden, two_venues_cost_and_cross_as_they_did)
{
    struct why why;
    struct plugin *plugin;
    if (access(shared("data/golden.json"), R_OK) != 0)
        cr_skip_test("needs the shared folder");
    cr_assert_eq(plugin_load(BUILD_DIR "/plugins/binance.so", &plugin, &why), WEIR_OK, "%s",
                 why.text);
    cJSON *golden = json_read_file(shared("data/golden.json"), &why);
    cr_assert_not_null(golden, "%s", why.text);
    const cJSON *asset;
    unsigned equal = 0;
    cJSON_ArrayForEach(asset, at(golden, "binance-20240808/cross_and_simulation"))
    {
        char symbol[32];
        (void)snprintf(symbol, sizeof symbol, "%susdt",
                       strcmp(asset->string, "BTC") == 0 ? "btc" : "eth");
        equal += run(plugin, asset, symbol);
    }
    struct facts facts = {0};
    static const char asked[] = " rule from_local_ts to_local_ts step_ns_or_us ";
    cJSON_ArrayForEach(asset, at(golden, "binance-20240808/cross_and_simulation"))
    {
        facts_count(at(asset, "sweep_of_depth_built_books/consolidated"), asset->string, asked,
                    &facts);
        facts_count(at(asset, "cross_venue_bookTicker"), asset->string, asked, &facts);
    }
    printf("cross_golden: %u facts equal, %u leaves say what was asked, %u not compared\n", equal,
           facts.asked, facts.left);
    cr_expect_eq(facts.compared, equal);
    cr_expect_eq(facts.left, 0);
    cr_expect_gt(equal, 100);
    cJSON_Delete(golden);
}
