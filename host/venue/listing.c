/* listing.c - the instruments of a session, their books, and what the owner hears of them.
 *
 * TOPS     Two streams tell the best price: the venue's own top-of-book messages, often each change,
 *          and the book, often each 100 ms. The owner hears of the newer one by sequence, of each
 *          change once, and never of an older one after a newer one. Where a connection was lost,
 *          sequences may start anew, so that rule does too.
 * STATES   The owner hears of each change of state, and of a new top before LIVE: nobody finds a live
 *          book with an old price. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/own.h"

struct listing *listing_find(const struct session *session, uint32_t number)
{
    return number > 0 && number <= session->count ? session->listings[number - 1] : NULL;
}

struct listing *listing_by_host(const struct session *session, uint32_t host)
{
    return host < session->by_host_room ? listing_find(session, session->by_host[host]) : NULL;
}

void listing_destroy(struct listing *listing)
{
    if (listing && listing->feed) {
        feed_fini(listing->feed);
        free(listing->feed);
    }
    if (listing)
        level3_destroy(listing->orders);
    free(listing);
}

/* --- definitions -------------------------------------------------------------------------------*/

bool array_grow(void **array, uint32_t *room, uint32_t index, size_t size)
{
    if (index < *room)
        return true;
    uint32_t more = *room > 0 ? *room : 16;
    while (more <= index)
        more *= 2;
    unsigned char *grown = realloc(*array, more * size);
    if (!grown)
        return false;
    memset(grown + *room * size, 0, (more - *room) * size);
    *array = grown;
    *room = more;
    return true;
}

static struct listing *add(struct session *session)
{
    void *listings = session->listings;
    struct listing *listing = calloc(1, sizeof *listing);
    bool room =
        listing && array_grow(&listings, &session->room, session->count, sizeof(struct listing *));
    session->listings = listings;
    if (!room) {
        free(listing);
        return NULL;
    }
    session->listings[session->count++] = listing;
    listing->number = session->count;
    return listing;
}

/* A new instrument: the owner gives it a number, or does not want it. */
static enum weir_err introduce(struct session *session, struct weir_instrument *definition)
{
    uint32_t host = session->owner.instrument(session->owner.context, session, definition);
    if (host > HOST_NUMBER_MAX)
        return WEIR_E_OVERFLOW;
    if (host != 0 && listing_by_host(session, host)) {
        session_suspect(session, false, "%s was defined twice, under two numbers",
                        definition->symbol);
        return WEIR_E_DUPLICATE;
    }
    void *by_host = session->by_host;
    if (!array_grow(&by_host, &session->by_host_room, host, sizeof session->by_host[0]))
        return WEIR_E_NO_MEMORY;
    session->by_host = by_host;
    struct listing *listing = add(session);
    if (!listing)
        return WEIR_E_NO_MEMORY;
    listing->host = host;
    if (host != 0)
        session->by_host[host] = listing->number;
    return WEIR_OK;
}

static bool may_redefine(const struct listing *listing, const struct weir_instrument *now)
{
    const struct weir_instrument *then = &listing->definition;
    return strcmp(then->symbol, now->symbol) == 0 && then->price_exp == now->price_exp &&
           then->qty_exp == now->qty_exp && then->kind == now->kind;
}

enum weir_err listing_define(struct session *session, union venue_event *event)
{
    struct weir_instrument *definition = &event->instrument;
    uint32_t number = definition->msg.instrument;
    if (number > session->count + 1 || number > LISTINGS_MAX) {
        session_suspect(session, false, "instrument %s has number %u; the next is %u",
                        definition->symbol, number, session->count + 1);
        return WEIR_E_USAGE;
    }
    definition->msg.venue = session->config.venue;
    definition->msg.account = session->config.account;
    definition->msg.t = session->now;
    definition->msg.cause = 0;
    if (number == session->count + 1) {
        enum weir_err err = introduce(session, definition);
        if (err != WEIR_OK)
            return err;
    }
    struct listing *listing = listing_find(session, number);
    if (listing->definition.symbol[0] && !may_redefine(listing, definition)) {
        session_suspect(session, false,
                        "instrument %u (%s) may not change its symbol, kind or places", number,
                        listing->definition.symbol);
        return WEIR_E_DUPLICATE;
    }
    listing->definition = *definition;
    if (listing->feed)
        book_retick(listing->feed->book, definition->tick);
    if (listing->host != 0)
        session_deliver(session, &definition->msg, listing->host);
    return WEIR_OK;
}

/* --- tops --------------------------------------------------------------------------------------*/

static bool same_top(const struct weir_top *a, const struct weir_top *b)
{
    return a->bid == b->bid && a->ask == b->ask && a->bid_qty == b->bid_qty &&
           a->ask_qty == b->ask_qty;
}

static void tell_top(struct session *session, struct listing *listing, struct weir_top *top)
{
    bool news = !listing->top_told || !same_top(top, &listing->top);
    listing->top_seq = top->seq;
    listing->top = *top;
    listing->top_told = true;
    if (news)
        session_deliver(session, &top->msg, listing->host);
}

void listing_top(struct session *session, struct listing *listing, struct weir_top *top)
{
    if (session->owner.top)
        session->owner.top(session->owner.context, session, listing->host, top);
    const struct feed *feed = listing->feed;
    bool live = feed && feed->state == BOOK_LIVE;
    bool newer = top->seq > listing->top_seq && (!live || top->seq > feed->last);
    if (top->seq == 0 ? !live : newer)
        tell_top(session, listing, top);
}

static void tell_top_of_book(struct session *session, struct listing *listing)
{
    const struct feed *feed = listing->feed;
    if (feed->last != 0 && feed->last < listing->top_seq)
        return;
    struct weir_level bid = {0, 0}, ask = {0, 0};
    (void)book_best(feed->book, WEIR_BUY, &bid);
    (void)book_best(feed->book, WEIR_SELL, &ask);
    struct weir_top top = {
        .msg = {.size = sizeof top,
                .kind = WEIR_TOP,
                .flags = WEIR_TOP_OF_BOOK,
                .t_venue = feed->t_venue},
        .seq = feed->last,
        .bid = bid.px,
        .ask = ask.px,
        .bid_qty = bid.qty,
        .ask_qty = ask.qty,
    };
    tell_top(session, listing, &top);
}

void listing_mark(struct listing *listing, const union venue_event *event)
{
    struct session_marks *marks = &listing->marks;
    if (event->msg.kind == WEIR_MARK) {
        marks->mark = event->mark.px;
    } else if (event->msg.kind == WEIR_INDEX) {
        marks->index = event->mark.px;
    } else {
        marks->funding_rate = event->funding_rate.rate;
        marks->funding_t = event->funding_rate.t_next;
        marks->has_funding = true;
    }
}

/* --- books -------------------------------------------------------------------------------------*/

void listing_tell(struct session *session, struct listing *listing)
{
    const struct feed *feed = listing->feed;
    if (feed->state == BOOK_LIVE)
        tell_top_of_book(session, listing);
    if (feed->state != listing->told) {
        struct in_state event = {
            .msg = {.size = sizeof event, .kind = IN_BOOK_STATE, .t_venue = feed->t_venue},
            .value = feed->state,
        };
        listing->told = feed->state;
        session_deliver(session, &event.msg, listing->host);
    }
    weir_ns t = feed_next_time(feed);
    if (t < session->watch_t)
        session->watch_t = t;
}

static void applied(void *context, const struct weir_book_msg *msg)
{
    struct session *session = context;
    const struct listing *listing = session->at;
    session->owner.book(session->owner.context, session, listing->host, msg, listing->feed->book);
}

static bool open_feed(struct session *session, struct listing *listing)
{
    const struct weir_caps *caps = session->plugin->caps;
    const struct session_config *config = &session->config;
    struct feed_config feed = {
        .window = config->book_window,
        .far = config->book_far,
        .held = FEED_HELD_BYTES,
        .rule = caps->book_rule,
        .tick = listing->definition.tick,
        .places = {listing->definition.price_exp, listing->definition.qty_exp},
        .data_age_max = config->data_age_max,
        .applied = session->owner.book ? applied : NULL,
        .context = session,
    };
    listing->feed = malloc(sizeof *listing->feed);
    if (listing->feed && feed_init(listing->feed, &feed) == WEIR_OK)
        return true;
    free(listing->feed);
    listing->feed = NULL;
    session_say(session, "no memory for the book of %s", listing->definition.symbol);
    return false;
}

static void explain(struct session *session, const struct listing *listing,
                    const struct weir_book_msg *msg, enum weir_err err, uint64_t last)
{
    const char *symbol = listing->definition.symbol;
    char previous[40] = ""; /* only some venues tell it */
    if (msg->prev_seq != 0)
        snprintf(previous, sizeof previous, " (previous %" PRIu64 ")", msg->prev_seq);
    if (err == WEIR_E_GAP && msg->msg.flags & WEIR_BOOK_SNAPSHOT)
        session_say(session,
                    "book of %s: the snapshot at sequence %" PRIu64
                    " is older than the messages that wait for it; asking for another",
                    symbol, msg->last_seq);
    else if (err == WEIR_E_GAP)
        session_say(session,
                    "book of %s: a gap after sequence %" PRIu64 ": the next message covers %" PRIu64
                    " to %" PRIu64 "%s; asking for a snapshot",
                    symbol, last, msg->first_seq, msg->last_seq, previous);
    else if (err == WEIR_E_CORRUPT)
        session_say(session,
                    "book of %s: after sequence %" PRIu64
                    " its checksum is not the venue's %" PRIu32 "; asking for a snapshot",
                    symbol, msg->last_seq, msg->checksum);
    else if (err == WEIR_E_FULL)
        session_say(session, "book of %s: more than %u levels a side; it is not live", symbol,
                    listing->feed->config.window + listing->feed->config.far);
    else
        session_suspect(session, false, "book of %s: a message that is not well formed", symbol);
}

void listing_book(struct session *session, const struct weir_book_msg *msg)
{
    if (msg->msg.size < sizeof *msg) {
        session_suspect(session, false, "a book message of %u bytes", msg->msg.size);
        session->frame_err = WEIR_E_BAD_FRAME;
        return;
    }
    struct listing *listing = listing_find(session, msg->msg.instrument);
    if (!listing) {
        session_suspect(session, false, "a book message: instrument %u was never defined",
                        msg->msg.instrument);
        return;
    }
    if (listing->host == 0) {
        session->guards.ignored++;
        return;
    }
    if (listing->orders && !level3_is_telling(listing->orders)) {
        level3_destroy(listing->orders); /* two books of one market: the venue's own levels count */
        listing->orders = NULL;
        if (listing->feed)
            listing_lose(session, listing);
    }
    if (!listing->feed && !open_feed(session, listing))
        return;
    if (session->phase == CALL_FRAME) {
        listing->on_conn = true;
        listing->conn = session->conn;
    }
    struct feed *feed = listing->feed;
    uint64_t last = feed->last;
    session->at = listing;
    enum weir_err err = feed_take(feed, msg, session->now);
    if (err != WEIR_OK)
        explain(session, listing, msg, err, last);
    if (err == WEIR_E_BAD_FRAME)
        session->frame_err = err;
    if (err == WEIR_OK && msg->msg.flags & WEIR_BOOK_SNAPSHOT &&
        (feed_in_stream(feed, msg) || feed->last < last))
        listing->top_seq = feed->last; /* numbers may have started anew */
    listing_tell(session, listing);
}

void listing_lose(struct session *session, struct listing *listing)
{
    listing->on_conn = false;
    listing->top_seq = 0;
    if (listing->orders)
        level3_lose(listing->orders);
    feed_lose(listing->feed, session->now);
    listing_tell(session, listing);
}
