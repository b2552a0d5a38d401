/* damage_test.c - whatever is lost, repeated, swapped or cut on the way: a book that is LIVE is right.
 *
 * A small venue of our own makes numbered changes and remembers its book after each of them. Its
 * messages go through a line that damages them, and what the machine asks for is answered late, as by
 * another connection, or in the stream, as the rule has it. Each time the machine says LIVE, its whole
 * book is compared with the venue's at the same sequence. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/random.h"
#include "venue/feed.h"

enum { PRICES = 32, CHANGES = 60000, MESSAGE_MAX = 6, LINE_MAX_LEN = 64 };

/* Quantities by price: bids at 1..PRICES, asks at PRICES + 1..2 * PRICES. */
struct picture {
    uint8_t qty[2 * PRICES];
};

struct change {
    uint8_t at, qty;
};

struct venue {
    struct change changes[CHANGES + 1]; /* change i leads to pictures[i]; the first is 1 */
    struct picture pictures[CHANGES + 1];
};

union message {
    struct weir_book_msg msg;
    unsigned char bytes[sizeof(struct weir_book_msg) + 2 * PRICES * sizeof(struct weir_level)];
};

struct line {
    union message waiting[LINE_MAX_LEN];
    int count;
    uint64_t random;
    uint64_t faults;
    bool clean; /* no more damage */
};

static void make_venue(struct venue *venue, uint64_t *random)
{
    memset(venue, 0, sizeof *venue);
    for (int i = 1; i <= CHANGES; i++) {
        struct change change = {
            .at = (uint8_t)random_below(random, 2 * PRICES),
            .qty = (uint8_t)(random_below(random, 3) ? random_below(random, 200) + 1 : 0)};
        venue->changes[i] = change;
        venue->pictures[i] = venue->pictures[i - 1];
        venue->pictures[i].qty[change.at] = change.qty;
    }
}

static void put(struct weir_book_msg *msg, const struct picture *picture, const bool *touched)
{
    for (int at = 0; at < 2 * PRICES; at++) {
        if (touched ? !touched[at] : picture->qty[at] == 0)
            continue;
        msg->levels[msg->bids + msg->asks] = (struct weir_level){at + 1, picture->qty[at]};
        *(at < PRICES ? &msg->bids : &msg->asks) += 1;
        msg->msg.size += sizeof msg->levels[0];
    }
}

static void make_delta(union message *m, const struct venue *venue, uint64_t first, uint64_t last,
                       uint64_t number)
{
    bool touched[2 * PRICES] = {false};
    for (uint64_t i = first; i <= last; i++)
        touched[venue->changes[i].at] = true;
    m->msg =
        (struct weir_book_msg){.msg = {.size = sizeof m->msg, .kind = WEIR_BOOK, .instrument = 1},
                               .first_seq = first,
                               .last_seq = number ? number : last,
                               .prev_seq = number ? number - 1 : first - 1};
    put(&m->msg, &venue->pictures[last], touched);
}

static void make_snapshot(union message *m, const struct venue *venue, uint64_t at, uint64_t number)
{
    m->msg = (struct weir_book_msg){.msg = {.size = sizeof m->msg,
                                            .kind = WEIR_BOOK,
                                            .flags = WEIR_BOOK_SNAPSHOT,
                                            .instrument = 1},
                                    .last_seq = number ? number : at};
    put(&m->msg, &venue->pictures[at], NULL);
}

static bool chance(struct line *line, uint64_t in)
{
    bool yes = !line->clean && random_below(&line->random, in) == 0;
    line->faults += yes;
    return yes;
}

/* Put a message on the line, with the damage that this does to it and its neighbours. */
static void transmit(struct line *line, const union message *m)
{
    if (chance(line, 25))
        return; /* lost */
    cr_assert(line->count + 2 < LINE_MAX_LEN);
    line->waiting[line->count++] = *m;
    if (chance(line, 25)) /* repeated, now or a little later */
        line->waiting[line->count++] = *m;
    if (line->count > 1 && chance(line, 25)) {
        int a = (int)random_below(&line->random, (uint64_t)line->count);
        union message keep = line->waiting[a];
        line->waiting[a] = line->waiting[line->count - 1];
        line->waiting[line->count - 1] = keep;
    }
    if (chance(line, 100)) /* cut */
        line->waiting[line->count - 1].msg.msg.size -= sizeof(struct weir_level) / 2;
}

struct run {
    struct feed feed;
    const struct venue *venue;
    const uint32_t *change_of; /* by message number, where messages are numbered; else NULL */
    uint64_t live, compared;
};

static void compare(struct run *run, const char *name)
{
    const struct feed *feed = &run->feed;
    if (feed->state != BOOK_LIVE && feed->state != BOOK_CROSSED)
        return;
    run->live++;
    uint64_t at = run->change_of ? run->change_of[feed->last] : feed->last;
    const struct picture *right = &run->venue->pictures[at];
    for (int i = 0; i < 2 * PRICES; i++) {
        weir_qty is = book_at(feed->book, i < PRICES ? WEIR_BUY : WEIR_SELL, i + 1);
        cr_assert_eq(is, right->qty[i],
                     "%s: LIVE at sequence %" PRIu64 ", but the quantity at %d is %" PRId64
                     ", not %d",
                     name, feed->last, i + 1, is, right->qty[i]);
    }
}

static void receive(struct run *run, struct line *line, weir_ns now, const char *name)
{
    if (line->count == 0)
        return;
    (void)!feed_take(&run->feed, &line->waiting[0].msg, now);
    line->count--;
    memmove(&line->waiting[0], &line->waiting[1], (size_t)line->count * sizeof line->waiting[0]);
    compare(run, name);
}

/* numbered: each message has one number, and snapshots come in the stream; else numbers are those of
 * changes, and snapshots come beside it, of a moment between asking and arriving. */
static uint64_t damage(const char *name, enum weir_book_rule rule, bool numbered, uint64_t seed)
{
    struct venue *venue = malloc(sizeof *venue);
    struct line *line = calloc(1, sizeof *line);
    uint32_t *change_of = calloc(CHANGES + 1, sizeof *change_of);
    uint64_t random = seed;
    make_venue(venue, &random);
    line->random = seed ^ 0x5555;
    struct run run = {.venue = venue, .change_of = numbered ? change_of : NULL};
    struct feed_config config = {.window = 64, .far = 64, .held = 4096, .rule = rule, .tick = 1};
    cr_assert_eq(feed_init(&run.feed, &config), WEIR_OK);

    union message m;
    weir_ns now = 1;
    uint64_t at = 0, number = 0, answer_at = 0;
    int answer_in = 3; /* the plugin asks for the first one */
    while (at < CHANGES) {
        now += 1000000000; /* slow, so that the machine's patience does not matter */
        line->clean = at > CHANGES - 2000;
        uint64_t last = at + 1 + random_below(&random, MESSAGE_MAX);
        last = last < CHANGES ? last : CHANGES;
        make_delta(&m, venue, at + 1, last, numbered ? ++number : 0);
        change_of[number] = (uint32_t)last;
        at = last;
        transmit(line, &m);
        if (answer_in > 0 && --answer_in == 0) {
            if (numbered) {
                make_snapshot(&m, venue, at, number);
                transmit(line, &m);
            } else {
                make_snapshot(&m, venue, answer_at ? answer_at : at, 0);
                (void)!feed_take(&run.feed, &m.msg, now);
                compare(&run, name);
            }
        }
        while (line->count > (int)random_below(&random, 4))
            receive(&run, line, now, name);
        feed_tick(&run.feed, now);
        if (feed_asks(&run.feed, now)) {
            answer_in = 1 + (int)random_below(&random, 8);
            answer_at = random_below(&random, 4) ? 0 : at; /* sometimes as old as the question */
        }
    }
    while (line->count > 0)
        receive(&run, line, now, name);
    cr_assert_eq(run.feed.last, numbered ? number : CHANGES, "%s: it found back at the end", name);
    cr_assert(run.feed.in_step, "%s: in step at the end", name);
    cr_assert(run.live > run.feed.counts.messages / 10,
              "%s: it was in step %" PRIu64 " of %" PRIu64, name, run.live,
              run.feed.counts.messages);
    cr_assert(run.feed.counts.gaps > 100, "%s: %" PRIu64 " gaps", name, run.feed.counts.gaps);
    uint64_t faults = line->faults;
    feed_fini(&run.feed);
    free(change_of);
    free(line);
    free(venue);
    return faults;
}

Test(damage, never_leaves_a_wrong_book_live)
{
    uint64_t faults = 0;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        faults += damage("range next", WEIR_RULE_RANGE_NEXT, false, seed);
        faults += damage("range prev", WEIR_RULE_RANGE_PREV, false, seed);
        faults += damage("next", WEIR_RULE_NEXT, true, seed);
        faults += damage("prev", WEIR_RULE_PREV, true, seed);
    }
    cr_assert(faults >= 10000, "%" PRIu64 " faults", faults);
}
