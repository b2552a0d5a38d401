/* feed_test.c - the book machine: told line by line for each rule, and under random damage. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/random.h"
#include "venue/feed.h"

#define MS ((weir_ns)1000000)

union message {
    struct weir_book_msg msg;
    unsigned char bytes[sizeof(struct weir_book_msg) + 512 * sizeof(struct weir_level)];
};

static struct weir_book_msg *begin(union message *m, bool snapshot, uint64_t first, uint64_t last,
                                   uint64_t prev)
{
    m->msg = (struct weir_book_msg){
        .msg = {.size = sizeof m->msg,
                .kind = WEIR_BOOK,
                .flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0,
                .instrument = 1},
        .first_seq = first,
        .last_seq = last,
        .prev_seq = prev,
    };
    return &m->msg;
}

/* Bids before asks. */
static void add(struct weir_book_msg *msg, enum weir_side side, weir_px px, weir_qty qty)
{
    msg->levels[msg->bids + msg->asks] = (struct weir_level){px, qty};
    *(side == WEIR_BUY ? &msg->bids : &msg->asks) += 1;
    msg->msg.size += sizeof msg->levels[0];
}

static struct feed open_feed(enum weir_book_rule rule, uint32_t held)
{
    struct feed feed;
    struct feed_config config = {
        .window = 256, .far = 64, .held = held, .rule = rule, .tick = 1, .data_age_max = 3000 * MS};
    cr_assert_eq(feed_init(&feed, &config), WEIR_OK);
    return feed;
}

/* --- told line by line -------------------------------------------------------------------------*/

/* Do one line:  snap SEQ | delta FIRST LAST [PREV] | cross FIRST LAST | part FIRST LAST (uncross)
 *               wait MS | lose | bad | named RULE FIRST LAST PREV */
static enum weir_err act(struct feed *feed, const char *line, weir_ns *now)
{
    union message m;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    char what[16];
    sscanf(line, "%15s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, what, &a, &b, &c, &d);
    if (strcmp(what, "wait") == 0) {
        *now += (weir_ns)a * MS;
        feed_tick(feed, *now);
        return WEIR_OK;
    }
    if (strcmp(what, "lose") == 0) {
        feed_lose(feed, *now);
        return WEIR_OK;
    }
    if (strcmp(what, "snap") == 0) {
        struct weir_book_msg *msg = begin(&m, true, 0, a, 0);
        add(msg, WEIR_BUY, 100, (weir_qty)a + 1);
        add(msg, WEIR_BUY, 99, 0); /* means nothing in a snapshot */
        add(msg, WEIR_SELL, 110, 1);
        return feed_take(feed, msg, *now);
    }
    if (strcmp(what, "named") == 0) {
        struct weir_book_msg *msg = begin(&m, false, b, c, d);
        msg->msg.flags |= (uint16_t)(a << WEIR_BOOK_RULE_SHIFT);
        add(msg, WEIR_BUY, 100, (weir_qty)c + 1);
        return feed_take(feed, msg, *now);
    }
    struct weir_book_msg *msg = begin(&m, false, a, b, c);
    if (strcmp(what, "cross") == 0)
        add(msg, WEIR_BUY, 111, 1);
    else if (strcmp(what, "part") == 0)
        add(msg, WEIR_BUY, 111, 0);
    else if (strcmp(what, "lock") == 0)
        add(msg, WEIR_BUY, 110, 1);
    else
        add(msg, WEIR_BUY, 100, (weir_qty)b + 1);
    if (strcmp(what, "bad") == 0)
        msg->levels[0].px = -1;
    return feed_take(feed, msg, *now);
}

/* Each line: "what | STATE SEQ [asks]": the state and sequence afterwards, and whether the machine
 * asks for a snapshot then. A book that is not in step has no levels. */
static void told(const char *name, enum weir_book_rule rule, const char *const *lines)
{
    struct feed feed = open_feed(rule, 1000);
    weir_ns now = 1000 * MS;
    for (int i = 0; lines[i]; i++) {
        char state[16], asks[8] = "";
        uint64_t seq;
        const char *bar = strchr(lines[i], '|');
        cr_assert(bar && sscanf(bar + 1, "%15s %" SCNu64 " %7s", state, &seq, asks) >= 2, "%s",
                  lines[i]);
        enum weir_err err = act(&feed, lines[i], &now);
        bool asked = feed_asks(&feed, now);
        cr_assert(strcmp(book_state_name(feed.state), state) == 0 && feed.last == seq &&
                      asked == (asks[0] != 0),
                  "%s, step %d:  %s\n    but is: %s %" PRIu64 " %s (error %d)", name, i + 1,
                  lines[i], book_state_name(feed.state), feed.last, asked ? "asks" : "", err);
        cr_assert_eq(book_levels(feed.book, WEIR_SELL), feed.in_step ? 1 : 0, "%s, step %d: levels",
                     name, i + 1);
        if (feed.state == BOOK_LIVE && strncmp(lines[i], "part", 4) && strncmp(lines[i], "lock", 4))
            cr_assert_eq(book_at(feed.book, WEIR_BUY, 100), (weir_qty)seq + 1,
                         "%s, step %d: content", name, i + 1);
    }
    feed_fini(&feed);
}

Test(feed, each_rule_told_line_by_line)
{
    static const struct {
        const char *name;
        enum weir_book_rule rule;
        const char *lines[24];
    } cases[] = {
        {"spot: as the venue describes it",
         WEIR_RULE_RANGE_NEXT,
         {"delta 90 95    | SYNCING 0", "delta 96 100   | SYNCING 0", "delta 101 104  | SYNCING 0",
          "delta 105 109  | SYNCING 0", "snap 100        | LIVE 109", "delta 110 110  | LIVE 110",
          "delta 105 109  | LIVE 110", "delta 110 110  | LIVE 110", "delta 111 115  | LIVE 115"}},
        {"spot: the snapshot falls inside of a delta",
         WEIR_RULE_RANGE_NEXT,
         {"delta 90 95    | SYNCING 0", "delta 96 104   | SYNCING 0", "snap 100        | LIVE 104",
          "delta 105 106  | LIVE 106"}},
        {"spot: first must be the next, or before it",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "delta 100 100  | LIVE 100", "delta 101 101  | LIVE 101"}},
        {"spot: a bridge one too late is a hole",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "delta 102 103  | GAPPED 100 asks"}},
        {"spot: the snapshot is older than what waits: asked again, later one bridges",
         WEIR_RULE_RANGE_NEXT,
         {"delta 105 109  | SYNCING 0", "snap 100        | SYNCING 100 asks",
          "delta 110 112  | SYNCING 100", "wait 999        | SYNCING 100",
          "wait 1          | SYNCING 100 asks", "snap 107        | LIVE 112"}},
        {"spot: gap, resync, and the message that showed the gap is kept",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "delta 101 105  | LIVE 105",
          "delta 108 109  | GAPPED 105 asks", "delta 110 111  | GAPPED 105",
          "snap 107        | LIVE 111", "delta 112 112  | LIVE 112"}},
        {"spot: an overlap while in step is a gap too",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "delta 101 105  | LIVE 105",
          "delta 104 109  | GAPPED 105 asks", "snap 105        | LIVE 109"}},
        {"spot: a gap inside of what waits",
         WEIR_RULE_RANGE_NEXT,
         {"delta 101 105  | SYNCING 0", "delta 108 109  | SYNCING 0",
          "snap 100        | SYNCING 105 asks", "snap 108        | LIVE 109"}},
        {"spot: reordered",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "delta 103 104  | GAPPED 100 asks",
          "delta 101 102  | GAPPED 100", "snap 102        | LIVE 104",
          "delta 105 106  | LIVE 106"}},
        {"spot: a late snapshot is not taken back to",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "delta 101 105  | LIVE 105", "snap 103        | LIVE 105",
          "snap 105        | LIVE 105", "snap 108        | LIVE 108", "delta 106 107  | LIVE 108",
          "delta 108 110  | LIVE 110"}},
        {"spot: more waits than there is room: thrown away, asked, and still right",
         WEIR_RULE_RANGE_NEXT,
         {"delta 1 1      | SYNCING 0", "delta 2 2      | SYNCING 0", "delta 3 3      | SYNCING 0",
          "delta 4 4      | SYNCING 0", "delta 5 5      | SYNCING 0", "delta 6 6      | SYNCING 0",
          "delta 7 7      | SYNCING 0", "delta 8 8      | SYNCING 0", "delta 9 9      | SYNCING 0",
          "delta 10 10    | SYNCING 0", "delta 11 11    | SYNCING 0", "delta 12 12    | SYNCING 0",
          "delta 13 13    | SYNCING 0", "wait 1000       | SYNCING 0 asks",
          "snap 5          | SYNCING 5", "delta 14 14    | SYNCING 5",
          "snap 12         | LIVE 14"}},
        {"spot: numbers that started anew: what waits is given up after four snapshots",
         WEIR_RULE_RANGE_NEXT,
         {"snap 900        | LIVE 900", "delta 905 906  | GAPPED 900 asks",
          "snap 5          | GAPPED 5", "wait 1000       | GAPPED 5 asks",
          "snap 6          | GAPPED 6", "wait 2000       | GAPPED 6 asks",
          "snap 7          | GAPPED 7", "wait 4000       | GAPPED 7 asks",
          "snap 8          | LIVE 8", "delta 9 9      | LIVE 9"}},
        {"futures: as the venue describes it",
         WEIR_RULE_RANGE_PREV,
         {"delta 90 95 89    | SYNCING 0", "delta 96 99 95    | SYNCING 0",
          "delta 98 105 99   | SYNCING 0", "delta 107 109 105 | SYNCING 0",
          "snap 100           | LIVE 109", "delta 120 121 109 | LIVE 121",
          "delta 120 121 109 | LIVE 121", "delta 130 131 125 | GAPPED 121 asks"}},
        {"futures: the first applied reaches the snapshot",
         WEIR_RULE_RANGE_PREV,
         {"delta 95 99 94    | SYNCING 0", "delta 99 100 99   | SYNCING 0",
          "snap 100           | LIVE 100", "delta 105 106 100 | LIVE 106"}},
        {"futures: or begins where it ends",
         WEIR_RULE_RANGE_PREV,
         {"snap 100           | LIVE 100", "delta 105 106 100 | LIVE 106"}},
        {"futures: neither is a hole",
         WEIR_RULE_RANGE_PREV,
         {"snap 100           | LIVE 100", "delta 105 106 104 | GAPPED 100 asks"}},
        {"next: snapshots in the stream replace, also backwards",
         WEIR_RULE_NEXT,
         {"snap 7          | LIVE 7", "delta 0 8      | LIVE 8", "delta 0 8      | LIVE 8",
          "delta 0 10     | GAPPED 8 asks", "delta 0 11     | GAPPED 8",
          "snap 10         | LIVE 11", "snap 1          | LIVE 1", "delta 0 2      | LIVE 2"}},
        {"next: numbers that start anew while messages wait",
         WEIR_RULE_NEXT,
         {"snap 900        | LIVE 900", "delta 0 905    | GAPPED 900 asks",
          "delta 0 906    | GAPPED 900", "snap 1          | LIVE 1", "delta 0 2      | LIVE 2"}},
        {"prev: a chain, whose numbers may restart",
         WEIR_RULE_PREV,
         {"snap 50         | LIVE 50", "delta 0 60 50  | LIVE 60", "delta 0 60 50  | LIVE 60",
          "delta 0 3 60   | LIVE 3", "delta 0 9 3    | LIVE 9", "delta 0 12 10  | GAPPED 9 asks",
          "snap 10         | LIVE 12"}},
        {"none: whole books, without numbers",
         WEIR_RULE_NONE,
         {"delta 0 0      | SYNCING 0", "snap 0          | LIVE 0", "delta 0 0      | LIVE 0",
          "snap 0          | LIVE 0"}},
        {"none: with times for numbers, which do not go back",
         WEIR_RULE_NONE,
         {"delta 0 50     | SYNCING 0", "delta 0 60     | SYNCING 0", "snap 55         | LIVE 60",
          "delta 0 60     | LIVE 60", "delta 0 58     | GAPPED 60 asks"}},
        {"a message may name its rule",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100           | LIVE 100", "named 2 99 105 98  | LIVE 105",
          "named 2 110 112 105 | LIVE 112", "named 9 113 114 112 | GAPPED 112 asks"}},
        {"silence is staleness, late messages are silence, the next good one ends it",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "wait 3000       | LIVE 100", "wait 1          | STALE 100",
          "delta 99 100   | STALE 100", "delta 101 102  | LIVE 102", "wait 2000       | LIVE 102",
          "delta 101 102  | LIVE 102", "wait 1001       | STALE 102",
          "snap 110        | LIVE 110"}},
        {"a book that stays silent is kept, and asked for",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "wait 3001       | STALE 100",
          "wait 29999      | STALE 100", "wait 1          | STALE 100 asks",
          "wait 500        | STALE 100", "delta 101 101  | LIVE 101", "wait 2000       | LIVE 101",
          "wait 1001       | STALE 101", "wait 29000      | STALE 101",
          "delta 2 3      | STALE 101", "wait 1000       | STALE 101 asks",
          "snap 3          | LIVE 3", "delta 4 4      | LIVE 4"}},
        {"crossed is not live, until it parts",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "cross 101 101  | CROSSED 101",
          "delta 102 102  | CROSSED 102", "wait 999        | CROSSED 102",
          "part 103 103   | LIVE 103", "lock 104 104   | LIVE 104"}},
        {"crossed for too long is lost",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "cross 101 101  | CROSSED 101",
          "wait 500        | CROSSED 101", "delta 102 102  | CROSSED 102",
          "wait 500        | GAPPED 102 asks", "delta 103 103  | GAPPED 102",
          "snap 102        | LIVE 103"}},
        {"a message that is none is a hole of unknown size",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "bad 101 101    | GAPPED 100 asks",
          "delta 102 102  | GAPPED 100", "snap 101        | LIVE 102",
          "delta 104 103  | GAPPED 102 asks"}},
        {"a lost connection loses the book and what waits; the machine gives the plugin 5 s",
         WEIR_RULE_RANGE_NEXT,
         {"snap 100        | LIVE 100", "lose            | GAPPED 100",
          "delta 101 102  | GAPPED 100", "lose            | GAPPED 100",
          "wait 4999       | GAPPED 100", "wait 1          | GAPPED 100 asks",
          "wait 1000       | GAPPED 100 asks", "wait 1000       | GAPPED 100",
          "wait 1000       | GAPPED 100 asks", "wait 4000       | GAPPED 100 asks",
          "delta 110 110  | GAPPED 100", "snap 109        | LIVE 110"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        told(cases[i].name, cases[i].rule, cases[i].lines);
}

Test(feed, counts_are_those_of_a_report)
{
    struct feed feed = open_feed(WEIR_RULE_RANGE_NEXT, 1 << 16);
    static const char *const lines[] = {
        "delta 90 95",   "delta 96 104",  "snap 100",      "delta 105 106", "delta 105 106",
        "lock 107 107",  "delta 108 108", "cross 109 109", "part 110 110",  "bad 111 111",
        "delta 112 112", "snap 111",      "delta 115 115", "delta 116 116", "snap 114"};
    weir_ns now = 1000 * MS;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        (void)act(&feed, lines[i], &now);
    static const struct feed_counts want = {.messages = 15,
                                            .applied = 9,
                                            .dropped_old = 2,
                                            .gaps = 1,
                                            .snapshots = 3,
                                            .crossed = 1,
                                            .locked = 3,
                                            .errors = 1,
                                            .last_seq = 116,
                                            .first_seq = 116};
    const struct feed_counts *is = &feed.counts;
    cr_assert(memcmp(is, &want, sizeof want) == 0,
              "messages %" PRIu64 " applied %" PRIu64 " old %" PRIu64 " gaps %" PRIu64
              " snapshots %" PRIu64 " crossed %" PRIu64 " locked %" PRIu64 " errors %" PRIu64
              " last %" PRIu64,
              is->messages, is->applied, is->dropped_old, is->gaps, is->snapshots, is->crossed,
              is->locked, is->errors, is->last_seq);
    feed_fini(&feed);
}

Test(feed, more_levels_than_room_is_not_live)
{
    struct feed feed = open_feed(WEIR_RULE_RANGE_NEXT, 1 << 16);
    union message m;
    struct weir_book_msg *msg = begin(&m, true, 0, 100, 0);
    for (int i = 0; i < 400; i++)
        add(msg, WEIR_SELL, 1000 + i, 5);
    cr_assert_eq(feed_take(&feed, msg, MS), WEIR_E_FULL);
    cr_assert_eq(feed.state, BOOK_EMPTY, "%s", book_state_name(feed.state));
    cr_assert_eq(book_levels(feed.book, WEIR_SELL), 0, "a part of a book is no book");
    cr_assert(feed_asks(&feed, MS) && feed.counts.errors == 1 && !feed_asks(&feed, 2 * MS));
    feed_fini(&feed);
}
