/* bookview.c - books as an operator asks for them: of one market, or of several as one; with all that
 * rests there, or with what others show alone. It reads and changes nothing.      [engine thread]
 *
 * Our own orders stand in a book that its venue shows, as far as the venue has acknowledged them; paper
 * execution has a book without them, so there is nothing to take off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/host.h"
#include "engine/consolidate.h"
#include "venue/feed.h"
#include "venue/queues.h"

enum { DEPTH_MOST = 200 };

/* One market, and what of ours rests there. */
struct shown {
    uint32_t instrument;
    struct resting {
        weir_px px;
        weir_qty qty;
        uint8_t side;
    } * own;
    uint32_t own_count, own_room;
};

/* --- our own ----------------------------------------------------------------------------------- */

static bool rests_there(const struct out_order *order)
{
    return (order->label == ORDER_OPEN || order->label == ORDER_PARTIAL ||
            order->label == ORDER_PENDING_CANCEL || order->label == ORDER_PENDING_REPLACE) &&
           order->route != ROUTE_INTERNAL && order->px > 0;
}

static weir_qty own_at(void *context, enum weir_side side, weir_px px)
{
    const struct shown *shown = context;
    weir_qty sum = 0;
    for (uint32_t i = 0; i < shown->own_count; i++)
        if (shown->own[i].px == px && shown->own[i].side == side)
            sum += shown->own[i].qty;
    return sum;
}

static bool collect_own(const struct host *host, struct shown *shown)
{
    struct order_view view;
    for (uint32_t n = 0; (n = engine_order_next(host->engine, n, true)) != 0;) {
        if (!engine_order(host->engine, n, &view) ||
            view.order.msg.instrument != shown->instrument || !rests_there(&view.order))
            continue;
        if (shown->own_count == shown->own_room) {
            uint32_t room = shown->own_room ? 2 * shown->own_room : 64;
            struct resting *larger = realloc(shown->own, room * sizeof *larger);
            if (!larger)
                return false;
            shown->own = larger;
            shown->own_room = room;
        }
        shown->own[shown->own_count++] =
            (struct resting){view.order.px, view.leaves_qty, view.order.side};
    }
    return true;
}

/* --- as JSON ----------------------------------------------------------------------------------- */

static void say_names(const struct host *host, uint32_t instrument, struct text *out)
{
    const struct weir_instrument *known = engine_instrument(host->engine, instrument);
    json_key(out, "venue");
    json_string(out, engine_name(host->engine, SCOPE_venue, known->msg.venue));
    json_key(out, "instrument");
    json_string(out, known->symbol);
}

static void say_px(struct text *out, const char *key, int64_t value, int exp)
{
    if (value <= 0)
        return;
    json_key(out, key);
    json_decimal(out, value, exp);
}

static void say_market(const struct host *host, uint32_t instrument, enum book_state state,
                       struct text *out)
{
    const struct weir_instrument *known = engine_instrument(host->engine, instrument);
    struct market_view market = {0};
    engine_market(host->engine, instrument, &market);
    json_object(out);
    say_names(host, instrument, out);
    json_key(out, "state");
    json_string(out, book_state_name(state));
    json_key(out, "time_ns");
    json_int(out, market.top.msg.t);
    say_px(out, "mark", market.marks.mark, known->price_exp);
    say_px(out, "index", market.marks.index, known->price_exp);
    if (market.marks.has_funding) {
        json_key(out, "funding_rate");
        json_decimal(out, market.marks.funding_rate, 12);
        json_key(out, "funding_time_ns");
        json_int(out, market.marks.funding_t);
    }
    json_end(out);
}

/* How many stand in line there, where the venue shows single orders. */
static void say_orders(const struct host *host, uint32_t instrument, enum weir_side side,
                       weir_px px, struct text *out)
{
    const struct queues *queues =
        session_queues(host->instruments[instrument].venue->session, instrument);
    if (!queues)
        return;
    json_key(out, "orders");
    json_uint(out, queues_at(queues, side, px));
}

static void say_side(const struct host *host, const struct shown *shown, const struct part *parts,
                     uint32_t count, enum weir_side side, uint32_t depth, struct text *out)
{
    struct consolidated view;
    struct part_level level;
    json_key(out, side == WEIR_BUY ? "bids" : "asks");
    json_array(out);
    bool more = consolidated_begin(&view, side, parts, count);
    for (; more && depth > 0 && consolidated_next(&view, &level); depth--) {
        json_object(out);
        say_names(host, shown[level.part].instrument, out);
        json_key(out, "price");
        json_decimal(out, level.px, view.px_exp);
        json_key(out, "qty");
        json_decimal(out, level.qty, view.qty_exp);
        say_orders(host, shown[level.part].instrument, side,
                   level.px / pow10_of(view.px_exp - parts[level.part].px_exp), out);
        json_end(out);
    }
    json_end(out);
}

static void say_books(struct host *host, struct shown *shown, uint32_t count, uint32_t depth,
                      bool without_own, struct text *out)
{
    struct part parts[PARTS_MAX] = {{0}};
    json_object(out);
    json_key(out, "markets");
    json_array(out);
    for (uint32_t i = 0; i < count; i++) {
        const struct host_venue *venue = host->instruments[shown[i].instrument].venue;
        const struct weir_instrument *known = engine_instrument(host->engine, shown[i].instrument);
        enum book_state state = session_book_state(venue->session, shown[i].instrument);
        parts[i] = (struct part){
            .book = state == BOOK_LIVE ? session_book(venue->session, shown[i].instrument) : NULL,
            .px_exp = known->price_exp,
            .qty_exp = known->qty_exp,
            .own = without_own && !venue->paper ? own_at : NULL,
            .context = &shown[i]};
        say_market(host, shown[i].instrument, state, out);
    }
    json_end(out);
    json_key(out, "own_orders");
    json_bool(out, !without_own);
    say_side(host, shown, parts, count, WEIR_BUY, depth, out);
    say_side(host, shown, parts, count, WEIR_SELL, depth, out);
    json_end(out);
}

/* --- the request ------------------------------------------------------------------------------- */

/* VENUE/SYMBOL, of which the symbol may have more of '/'. 0: no such market. */
static uint32_t market_named(const struct host *host, const char *name)
{
    const char *slash = strchr(name, '/');
    for (size_t i = 0; slash && i < host->venue_count; i++) {
        const char *venue = host->venues[i].config->name;
        if (strlen(venue) == (size_t)(slash - name) &&
            strncmp(venue, name, (size_t)(slash - name)) == 0)
            return engine_instrument_find(host->engine, host->venues[i].number, slash + 1);
    }
    return 0;
}

/* Each market of the list; false: the answer says what is wrong with it. */
static bool read_markets(const struct host *host, char *names, struct shown *shown, uint32_t *count,
                         struct wish_answer *answer)
{
    char *rest = NULL;
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        if (*count == PARTS_MAX) {
            snprintf(answer->text, sizeof answer->text, "at most %d markets at once", PARTS_MAX);
            return false;
        }
        shown[*count].instrument = market_named(host, name);
        if (shown[*count].instrument == 0 || shown[*count].instrument > host->instrument_count) {
            snprintf(answer->text, sizeof answer->text,
                     "no market is named '%.100s'; expected VENUE/SYMBOL as `weir ctl venues` "
                     "shows them",
                     name);
            return false;
        }
        (*count)++;
    }
    if (*count == 0)
        snprintf(answer->text, sizeof answer->text, "expected a market, VENUE/SYMBOL");
    return *count > 0;
}

void host_show_books(struct host *host, const struct wish *wish, struct wish_answer *answer)
{
    struct shown shown[PARTS_MAX] = {{0}};
    uint32_t count = 0, depth = wish->ns < 1            ? 10
                                : wish->ns > DEPTH_MOST ? DEPTH_MOST
                                                        : (uint32_t)wish->ns;
    char names[sizeof wish->code];
    struct text out;
    memcpy(names, wish->code, sizeof names);
    answer->ok = read_markets(host, names, shown, &count, answer);
    for (uint32_t i = 0; answer->ok && wish->orders && i < count; i++)
        answer->ok = collect_own(host, &shown[i]);
    text_init(&out);
    if (answer->ok)
        say_books(host, shown, count, depth, wish->orders, &out);
    for (uint32_t i = 0; i < count; i++)
        free(shown[i].own);
    if (answer->ok && text_ok(&out)) {
        answer->json = out.data; /* given to the observer */
        return;
    }
    text_fini(&out);
    answer->ok = 0;
    if (!*answer->text)
        snprintf(answer->text, sizeof answer->text, "%s", err_text(WEIR_E_NO_MEMORY));
}
