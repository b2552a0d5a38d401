/* feed.c - buffer, snapshot, bridge, verify; on a gap drop and ask again.
 *
 * STATES   in step:      LIVE; CROSSED while best bid > best ask; STALE after too long without data
 *          not in step:  EMPTY before the first message; SYNCING with deltas but no snapshot yet;
 *                        GAPPED after a loss
 *          in step but unproved (the venue sums all messages but its snapshots): SYNCING
 *          settle() alone writes the state, from facts; there is no state to forget to change.
 * PROMISES (1) In step means: the levels are those of the venue at sequence `last`. A message is
 *              applied only if the rule says that it follows that sequence. [rules]
 *          (2) What cannot follow is a gap: the book is emptied at once, and the message that
 *              showed the gap is the first to wait for the new snapshot. [lose]
 *          (3) A late message (its sequence is in the book already) changes nothing but a count;
 *              so does a late snapshot where snapshots come beside the stream.
 *          (4) Waiting messages have a fixed room. When it is used up they are thrown away and a
 *              snapshot is asked for, which will be later than what was thrown away; if it is not,
 *              the first delta after it does not follow, and (2) holds. [hold]
 *          (5) A message is checked whole before any of it is applied. [well_formed]
 *          (6) Where the venue sums its book, ours has the same sum or is dropped. [verify] */
#include "venue/feed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "venue/checksum.h"

enum { ASKS_IN_VAIN = 4 };

const char *book_state_name(enum book_state state)
{
    static const char *const names[] = {
#define X(name) #name,
        BOOK_STATES(X)
#undef X
    };
    return (unsigned)state < BOOK_STATE_COUNT ? names[state] : "?";
}

/* --- which message follows which ---------------------------------------------------------------*/

enum verdict { LATE, FOLLOWS, HOLE };

/* `last` is the sequence of the book: of the snapshot, or of the delta before. */
typedef enum verdict judge(uint64_t last, const struct weir_book_msg *msg);

static enum verdict range_next_first(uint64_t last, const struct weir_book_msg *msg)
{
    if (msg->last_seq <= last)
        return LATE;
    return msg->first_seq <= last + 1 ? FOLLOWS : HOLE;
}

static enum verdict range_next(uint64_t last, const struct weir_book_msg *msg)
{
    if (msg->last_seq <= last)
        return LATE;
    return msg->first_seq == last + 1 ? FOLLOWS : HOLE;
}

static enum verdict range_prev_first(uint64_t last, const struct weir_book_msg *msg)
{
    if (msg->last_seq < last)
        return LATE;
    return msg->first_seq <= last || msg->prev_seq == last ? FOLLOWS : HOLE;
}

static enum verdict range_prev(uint64_t last, const struct weir_book_msg *msg)
{
    if (msg->last_seq <= last)
        return LATE;
    return msg->prev_seq == last ? FOLLOWS : HOLE;
}

static enum verdict next(uint64_t last, const struct weir_book_msg *msg)
{
    if (msg->last_seq <= last)
        return LATE;
    return msg->last_seq == last + 1 ? FOLLOWS : HOLE;
}

/* Some venues restart their numbers in the middle of a chain, so a lower number is no sign of a late
 * message: only the very message that was applied last is known again. */
static enum verdict prev(uint64_t last, const struct weir_book_msg *msg)
{
    if (msg->prev_seq == last)
        return FOLLOWS;
    return msg->last_seq == last ? LATE : HOLE;
}

/* Without a chain only time order can be seen: 0 is no sequence at all. */
static enum verdict unnumbered_first(uint64_t last, const struct weir_book_msg *msg)
{
    return msg->last_seq != 0 && msg->last_seq <= last ? LATE : FOLLOWS;
}

static enum verdict unnumbered(uint64_t last, const struct weir_book_msg *msg)
{
    return msg->last_seq != 0 && msg->last_seq < last ? HOLE : FOLLOWS;
}

/* aside: snapshots do not come in the stream but beside it, so one can be late. */
static const struct rule {
    judge *first, *after;
    bool ranged, aside;
} rules[] = {
    [WEIR_RULE_RANGE_NEXT] = {range_next_first, range_next, true, true},
    [WEIR_RULE_RANGE_PREV] = {range_prev_first, range_prev, true, true},
    [WEIR_RULE_NEXT] = {next, next, false, false},
    [WEIR_RULE_PREV] = {prev, prev, false, false},
    [WEIR_RULE_NONE] = {unnumbered_first, unnumbered, false, false},
    [WEIR_RULE_NEWER] = {unnumbered_first, unnumbered, false, true},
};

static uint32_t rule_number(const struct feed *feed, const struct weir_book_msg *msg)
{
    uint32_t named = msg->msg.flags >> WEIR_BOOK_RULE_SHIFT;
    return named ? named : (uint32_t)feed->config.rule;
}

static const struct rule *rule_of(const struct feed *feed, const struct weir_book_msg *msg)
{
    return &rules[rule_number(feed, msg)];
}

bool feed_in_stream(const struct feed *feed, const struct weir_book_msg *msg)
{
    return !rule_of(feed, msg)->aside;
}

static enum verdict verdict_on(const struct feed *feed, const struct weir_book_msg *msg)
{
    const struct rule *rule = rule_of(feed, msg);
    return (feed->bridging ? rule->first : rule->after)(feed->last, msg);
}

static bool is_snapshot(const struct weir_book_msg *msg)
{
    return msg->msg.flags & WEIR_BOOK_SNAPSHOT;
}

static bool well_formed(const struct feed *feed, const struct weir_book_msg *msg)
{
    uint64_t levels = (uint64_t)msg->bids + msg->asks;
    uint32_t rule = rule_number(feed, msg);
    if (msg->msg.size != sizeof *msg + levels * sizeof msg->levels[0] ||
        rule < WEIR_RULE_RANGE_NEXT || rule > WEIR_RULE_NEWER)
        return false;
    if (msg->check > WEIR_CHECK_DIGITS || !checksum_places(msg->px_places) ||
        !checksum_places(msg->qty_places))
        return false;
    if (rules[rule].ranged && !is_snapshot(msg) && msg->first_seq > msg->last_seq)
        return false;
    int64_t sign = 0; /* of any bad number: px <= 0 or qty < 0 */
    for (uint64_t i = 0; i < levels; i++) {
        weir_px px = msg->levels[i].px;
        sign |= msg->levels[i].qty | px | -(int64_t)(px == 0);
    }
    return sign >= 0;
}

/* --- state -------------------------------------------------------------------------------------*/

static weir_ns later(weir_ns t, weir_ns by)
{
    return t > INT64_MAX - by ? INT64_MAX : t + by;
}

static weir_ns stale_t(const struct feed *feed)
{
    weir_ns age = feed->config.data_age_max;
    return age > 0 ? later(later(feed->data_t, age), 1) : INT64_MAX;
}

static void ask_by(struct feed *feed, weir_ns t)
{
    if (t < feed->ask_t)
        feed->ask_t = t;
}

static void settle(struct feed *feed, weir_ns now)
{
    enum book_state before = feed->state;
    if (feed->in_step && feed->unproved)
        feed->state = BOOK_SYNCING;
    else if (feed->in_step)
        feed->state = feed->crossed ? BOOK_CROSSED : now >= stale_t(feed) ? BOOK_STALE : BOOK_LIVE;
    else
        feed->state = feed->was_lost ? BOOK_GAPPED : feed->held_len > 0 ? BOOK_SYNCING : BOOK_EMPTY;
    if (feed->state == BOOK_STALE && before != BOOK_STALE)
        ask_by(feed, later(now, FEED_STALE_ASK));
}

static weir_ns ask_delay(const struct feed *feed)
{
    weir_ns delay = FEED_ASK_AGAIN << (feed->asks > 5 ? 5 : feed->asks > 0 ? feed->asks - 1 : 0);
    return delay < FEED_ASK_REST ? delay : FEED_ASK_REST;
}

/* The book is not the venue's any more. */
static void drop(struct feed *feed)
{
    book_clear(feed->book);
    feed->was_lost = feed->was_lost || feed->state >= BOOK_LIVE; /* others saw it in step */
    feed->in_step = feed->crossed = false;
}

static void lose(struct feed *feed, weir_ns now)
{
    drop(feed);
    ask_by(feed, feed->asks == 0 ? now : later(now, ask_delay(feed)));
}

void feed_lose(struct feed *feed, weir_ns now)
{
    drop(feed);
    feed->was_lost = true;
    feed->held_len = 0; /* what comes next need not follow them */
    ask_by(feed, later(now, FEED_FIRST_ASK));
    settle(feed, now);
}

bool feed_asks(struct feed *feed, weir_ns now)
{
    bool wanted = !feed->in_step || feed->state == BOOK_STALE;
    if (!wanted || feed->ask_t > now)
        return false;
    feed->asks++;
    feed->ask_t = later(now, ask_delay(feed));
    return true;
}

/* --- messages that wait ------------------------------------------------------------------------*/

static bool make_room(struct feed *feed, size_t size)
{
    if (feed->held_len + size <= feed->held_room)
        return true;
    size_t room = feed->held_room > 0 ? feed->held_room : 64 << 10;
    while (room < feed->held_len + size)
        room *= 2;
    if (room > feed->config.held)
        room = feed->config.held;
    unsigned char *held = room >= feed->held_len + size ? realloc(feed->held, room) : NULL;
    if (!held)
        return false;
    feed->held = held;
    feed->held_room = room;
    return true;
}

static void hold(struct feed *feed, const struct weir_book_msg *msg, weir_ns now)
{
    if (feed->held_len == 0 && !feed->was_lost)
        ask_by(feed, later(now, FEED_FIRST_ASK));
    if (!make_room(feed, msg->msg.size)) {
        for (size_t at = 0; at < feed->held_len; feed->held_lost++) {
            struct weir_msg head;
            memcpy(&head, feed->held + at, sizeof head);
            at += head.size;
        }
        feed->held_len = 0;
        ask_by(feed, later(now, ask_delay(feed)));
        if (!make_room(feed, msg->msg.size)) {
            feed->held_lost++;
            return;
        }
    }
    memcpy(feed->held + feed->held_len, msg, msg->msg.size);
    feed->held_len += msg->msg.size;
}

/* --- messages that are applied -----------------------------------------------------------------*/

static enum weir_err put(struct feed *feed, const struct weir_book_msg *msg)
{
    enum weir_err err = book_put(feed->book, WEIR_BUY, msg->levels, msg->bids);
    if (err == WEIR_OK)
        err = book_put(feed->book, WEIR_SELL, msg->levels + msg->bids, msg->asks);
    if (msg->keep > 0 && err == WEIR_OK) {
        book_keep(feed->book, WEIR_BUY, msg->keep);
        book_keep(feed->book, WEIR_SELL, msg->keep);
    }
    return err;
}

/* Is the book the one that the venue has summed? */
static enum weir_err verify(struct feed *feed, const struct weir_book_msg *msg)
{
    if (msg->check == WEIR_CHECK_NONE)
        return WEIR_OK;
    bool same = checksum_of(feed->book, &feed->config.places, msg) == msg->checksum;
    feed->counts.checks++;
    feed->counts.checks_ok += same;
    feed->unproved = feed->unproved && !same;
    return same ? WEIR_OK : WEIR_E_CORRUPT;
}

static enum weir_err apply(struct feed *feed, const struct weir_book_msg *msg, weir_ns now)
{
    enum weir_err err = put(feed, msg);
    if (err != WEIR_OK)
        feed->counts.errors++;
    else
        err = verify(feed, msg);
    if (err != WEIR_OK) {
        lose(feed, now);
        return err;
    }
    bool crossed = book_crossed(feed->book);
    if (crossed && !feed->crossed)
        feed->crossed_t = now;
    feed->crossed = crossed;
    feed->counts.crossed += crossed;
    feed->counts.locked += book_locked(feed->book);
    feed->counts.last_seq = feed->last = msg->last_seq;
    feed->counts.first_seq = msg->first_seq;
    feed->data_t = now;
    feed->t_venue = msg->msg.t_venue;
    if (feed->config.applied)
        feed->config.applied(feed->config.context, msg);
    return WEIR_OK;
}

static enum weir_err take_delta(struct feed *feed, const struct weir_book_msg *msg, weir_ns now)
{
    switch (verdict_on(feed, msg)) {
    case LATE: feed->counts.dropped_old++; return WEIR_OK;
    case FOLLOWS: break;
    case HOLE: /* a snapshot that is older than what waits is not a gap in the stream */
        feed->counts.gaps += !feed->bridging;
        lose(feed, now);
        return WEIR_E_GAP;
    }
    enum weir_err err = apply(feed, msg, now);
    if (err == WEIR_OK) {
        feed->bridging = false;
        feed->counts.applied++;
    }
    return err;
}

/* What waited and does not follow is a reason to wait for a later snapshot, unless it can never follow:
 * snapshots that come in the stream make all before them old, also where numbers start anew; and when
 * several snapshots in a row did not fit, it is the waiting that is wrong. */
static bool forgets(const struct feed *feed, const struct weir_book_msg *msg, bool in_stream)
{
    return verdict_on(feed, msg) == HOLE && (in_stream || feed->asks >= ASKS_IN_VAIN);
}

/* What waited, onto the new snapshot. What does not follow goes on waiting for a later one. */
static enum weir_err take_held(struct feed *feed, bool in_stream, weir_ns now)
{
    enum weir_err err = WEIR_OK;
    size_t at = 0;
    while (at < feed->held_len && err == WEIR_OK) {
        const struct weir_book_msg *msg =
            (const struct weir_book_msg *)(const void *)(feed->held + at);
        bool numbered = msg->last_seq != 0; /* else "before the snapshot" is all we know of it */
        if (!numbered || forgets(feed, msg, in_stream))
            feed->counts.dropped_old++;
        else
            err = take_delta(feed, msg, now);
        at += err == WEIR_OK ? msg->msg.size : 0;
    }
    memmove(feed->held, feed->held + at, feed->held_len - at);
    feed->held_len -= at;
    return err;
}

static enum weir_err take_snapshot(struct feed *feed, const struct weir_book_msg *msg, weir_ns now)
{
    bool trusted = feed->state == BOOK_LIVE || feed->state == BOOK_CROSSED;
    if (trusted && rule_of(feed, msg)->aside && msg->last_seq < feed->last) {
        feed->counts.dropped_old++;
        return WEIR_OK;
    }
    book_clear(feed->book);
    feed->in_step = feed->bridging = true;
    feed->unproved = msg->msg.flags & WEIR_BOOK_UNPROVED;
    feed->counts.snapshots++;
    feed->counts.in_stream += feed_in_stream(feed, msg);
    enum weir_err err = apply(feed, msg, now);
    if (err == WEIR_OK && feed->held_len > 0)
        err = take_held(feed, feed_in_stream(feed, msg), now);
    return err;
}

enum weir_err feed_take(struct feed *feed, const struct weir_book_msg *msg, weir_ns now)
{
    enum weir_err err = WEIR_OK;
    feed->counts.messages++;
    if (!well_formed(feed, msg)) {
        feed->counts.errors++;
        lose(feed, now);
        err = WEIR_E_BAD_FRAME;
    } else if (is_snapshot(msg)) {
        err = take_snapshot(feed, msg, now);
    } else {
        if (feed->in_step)
            err = take_delta(feed, msg, now);
        if (!feed->in_step && err != WEIR_E_FULL)
            hold(feed, msg, now);
    }
    if (feed->in_step && feed->data_t == now) { /* something was applied: nothing to ask for */
        feed->asks = 0;
        feed->ask_t = INT64_MAX;
    }
    settle(feed, now);
    return err;
}

/* --- time --------------------------------------------------------------------------------------*/

void feed_tick(struct feed *feed, weir_ns now)
{
    if (feed->in_step && feed->crossed && now >= later(feed->crossed_t, FEED_CROSSED_MAX))
        lose(feed, now);
    settle(feed, now);
}

weir_ns feed_next_time(const struct feed *feed)
{
    if (!feed->in_step)
        return feed->ask_t;
    if (feed->crossed)
        return later(feed->crossed_t, FEED_CROSSED_MAX);
    return feed->state == BOOK_STALE ? feed->ask_t : stale_t(feed);
}

/* --- life --------------------------------------------------------------------------------------*/

/* Zeroed pages that cost nothing until they are touched: most of a book's room never is. */
enum weir_err feed_init(struct feed *feed, const struct feed_config *config)
{
    must(config->rule >= WEIR_RULE_RANGE_NEXT && config->rule <= WEIR_RULE_NEWER);
    void *memory = mmap(NULL, book_bytes(config->window, config->far), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return WEIR_E_NO_MEMORY;
    *feed = (struct feed){.config = *config, .ask_t = INT64_MAX};
    feed->book = book_init(memory, config->window, config->far, config->tick);
    return WEIR_OK;
}

void feed_fini(struct feed *feed)
{
    if (feed->book)
        munmap(feed->book, book_bytes(feed->config.window, feed->config.far));
    free(feed->held);
    *feed = (struct feed){0};
}
