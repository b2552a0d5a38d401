/* support_sim.c - see the header. */
#include "plugins/support_sim.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/inspect.h"

enum { SETTINGS_MAX = 24, BOOK_WINDOW = 65536, BOOK_FAR = 4096 };

/* --- what is told ------------------------------------------------------------------------------*/

static void take_levels(struct sim_market *market, enum weir_side side,
                        const struct weir_level *levels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        cr_assert(levels[i].px > 0 && levels[i].px % market->is.tick == 0, "price %ld off the tick",
                  levels[i].px);
        cr_assert(levels[i].qty >= 0 && levels[i].qty % market->is.step == 0,
                  "size %ld off the step", levels[i].qty);
        cr_assert_eq(book_set(market->book, side, levels[i].px, levels[i].qty), WEIR_OK);
    }
}

static void take_book(struct sim_host *sim, const struct weir_book_msg *msg)
{
    struct sim_market *market = &sim->markets[msg->msg.instrument];
    cr_assert_eq(msg->msg.size, sizeof *msg + (msg->bids + msg->asks) * sizeof msg->levels[0]);
    market->messages++;
    if (msg->msg.flags & WEIR_BOOK_SNAPSHOT) {
        book_clear(market->book);
        market->snapshots++;
        market->in_step = true;
    } else if (msg->last_seq != market->seq + 1) {
        market->gaps++;
        market->in_step = false;
    }
    market->seq = msg->last_seq;
    take_levels(market, WEIR_BUY, msg->levels, msg->bids);
    take_levels(market, WEIR_SELL, msg->levels + msg->bids, msg->asks);
    if (market->in_step)
        market->crossed += book_crossed(market->book) || book_locked(market->book);
}

static void take_instrument(struct sim_host *sim, const struct weir_instrument *is)
{
    cr_assert_leq(is->msg.instrument, SIM_MARKETS);
    struct sim_market *market = &sim->markets[is->msg.instrument];
    size_t bytes = (book_bytes(BOOK_WINDOW, BOOK_FAR) + 63) & ~(size_t)63;
    market->is = *is;
    market->low = INT64_MAX;
    void *memory = aligned_alloc(64, bytes);
    memset(memory, 0, bytes);
    market->book = book_init(memory, BOOK_WINDOW, BOOK_FAR, is->tick);
}

static void take_trade(struct sim_host *sim, const struct weir_trade *trade)
{
    struct sim_market *market = &sim->markets[trade->msg.instrument];
    cr_assert_eq(trade->id, ++market->trades, "trades are numbered one by one");
    market->volume[trade->aggressor] += trade->qty;
    market->low = trade->px < market->low ? trade->px : market->low;
    market->high = trade->px > market->high ? trade->px : market->high;
}

static void emit(void *host, const struct weir_msg *event)
{
    struct sim_host *sim = host;
    union venue_event checked;
    const char *fault = "";
    sha256_add(sim->sha, event, event->size);
    sim->events++;
    sim->kinds[event->kind]++;
    if (event->kind == WEIR_BOOK) {
        take_book(sim, (const struct weir_book_msg *)event);
        return;
    }
    if (inspect_event(event, &checked, &fault) != WEIR_OK) {
        cr_log_error("kind %u: %s\n", event->kind, fault);
        sim->bad++;
    }
    cr_assert_leq(event->t_venue, sim->now, "nothing is told before it happens");
    if (event->kind == WEIR_INSTRUMENT)
        take_instrument(sim, (const struct weir_instrument *)event);
    if (event->kind == WEIR_TRADE)
        take_trade(sim, (const struct weir_trade *)event);
    if (sim->keep && event->kind >= WEIR_ACK && sim->kept_count < SIM_KEPT) {
        memset(&sim->kept[sim->kept_count], 0, sizeof sim->kept[0]);
        memcpy(&sim->kept[sim->kept_count++], event, event->size);
    }
}

static enum weir_err timer(void *host, uint32_t id, weir_ns t)
{
    struct sim_host *sim = host;
    cr_assert_eq(id, 1);
    sim->timer = t > sim->now ? t : sim->now + 1000;
    return WEIR_OK;
}

static void say(void *host, const char *text)
{
    struct sim_host *sim = host;
    (void)snprintf(sim->said, sizeof sim->said, "%s", text);
}

/* --- its life ----------------------------------------------------------------------------------*/

static const struct weir_plugin *load(void)
{
    void *library = dlopen(BUILD_DIR "/plugins/sim.so", RTLD_NOW | RTLD_LOCAL);
    cr_assert_not_null(library, "%s", dlerror());
    const struct weir_plugin *plugin = dlsym(library, "weir_plugin");
    cr_assert_not_null(plugin);
    return plugin;
}

void sim_open(struct sim_host *sim, const char *const *settings, enum weir_err *err_out)
{
    struct weir_setting list[SETTINGS_MAX + 1] = {{NULL, NULL}};
    for (size_t i = 0; settings && settings[2 * i]; i++) {
        cr_assert_lt(i, SETTINGS_MAX);
        list[i] = (struct weir_setting){settings[2 * i], settings[2 * i + 1]};
        list[i + 1].name = NULL;
    }
    *sim = (struct sim_host){.plugin = load(), .timer = INT64_MAX};
    sim->host = (struct weir_host){.size = sizeof sim->host,
                                   .abi = WEIR_ABI,
                                   .host = sim,
                                   .emit = emit,
                                   .timer = timer,
                                   .log = say};
    sim->sha = sha256_create();
    sim->kept = calloc(SIM_KEPT, sizeof *sim->kept);
    enum weir_err err = sim->plugin->open(&sim->host, list, &sim->session);
    if (err_out)
        *err_out = err;
    else
        cr_assert_eq(err, WEIR_OK, "%s", sim->said);
}

void sim_close(struct sim_host *sim)
{
    if (sim->session)
        sim->plugin->close(sim->session);
    for (int i = 0; i <= SIM_MARKETS; i++)
        free(sim->markets[i].book);
    sha256_destroy(sim->sha);
    free(sim->kept);
}

void sim_start(struct sim_host *sim, weir_ns now)
{
    sim->now = now;
    cr_assert_eq(sim->plugin->start(sim->session, now), WEIR_OK);
}

static void fire(struct sim_host *sim, weir_ns t)
{
    sim->now = t;
    sim->timer = INT64_MAX;
    cr_assert_eq(sim->plugin->on_timer(sim->session, 1, t), WEIR_OK);
    cr_assert_gt(sim->timer, t, "the next thing is later");
}

void sim_run(struct sim_host *sim, weir_ns until, weir_ns grid)
{
    while (sim->timer <= until) {
        weir_ns t = sim->timer;
        if (grid > 0)
            t = (t + grid - 1) / grid * grid;
        if (t > until)
            break;
        fire(sim, t);
    }
    sim->now = until;
}

void sim_events(struct sim_host *sim, uint64_t events)
{
    while (sim->events < events)
        fire(sim, sim->timer);
}

void sim_fingerprint(const struct sim_host *sim, char text[65])
{
    unsigned char value[32];
    sha256_value(sim->sha, value);
    hex_print(value, sizeof value, text);
}

/* --- orders ------------------------------------------------------------------------------------*/

struct weir_intent sim_intent(enum weir_kind kind, const char *client_id, uint32_t instrument)
{
    struct weir_intent intent = {
        .msg = {.size = sizeof intent, .kind = (uint16_t)kind, .instrument = instrument}};
    (void)snprintf(intent.client_id, sizeof intent.client_id, "%s", client_id);
    return intent;
}

struct weir_intent sim_order(const char *client_id, enum weir_side side, weir_px px, weir_qty qty,
                             enum weir_tif tif)
{
    struct weir_intent intent = sim_intent(WEIR_NEW, client_id, 1);
    intent.side = (uint8_t)side;
    intent.type = px == 0 ? WEIR_MARKET : WEIR_LIMIT;
    intent.tif = (uint8_t)tif;
    intent.px = px;
    intent.qty = qty;
    return intent;
}

void sim_send(struct sim_host *sim, const struct weir_intent *intent)
{
    cr_assert_eq(sim->plugin->on_intent(sim->session, sim->now, intent), WEIR_OK);
}

const union sim_kept *sim_last(const struct sim_host *sim, enum weir_kind kind,
                               const char *client_id)
{
    for (size_t i = sim->kept_count; i > 0; i--) {
        const union sim_kept *kept = &sim->kept[i - 1];
        const char *id = kind == WEIR_FILL ? kept->fill.client_id : kept->report.client_id;
        if (kept->msg.kind == kind && strcmp(id, client_id) == 0)
            return kept;
    }
    return NULL;
}
