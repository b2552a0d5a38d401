/* feed.c - the book machine fed with messages of any kind: five bytes make one.
 *
 * Whatever comes, a book that is not in step is empty, one that is LIVE is not crossed and was told of
 * by the last message applied, and counts add up. */
#include <stdint.h>
#include <stdlib.h>

#include "venue/feed.h"

static void expect(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    union {
        struct weir_book_msg msg;
        unsigned char bytes[sizeof(struct weir_book_msg) + 2 * sizeof(struct weir_level)];
    } m;
    struct feed feed;
    struct feed_config config = {.window = 64,
                                 .far = 8,
                                 .held = 512,
                                 .rule = WEIR_RULE_RANGE_NEXT,
                                 .data_age_max = 1000000000};
    expect(feed_init(&feed, &config) == WEIR_OK);
    weir_ns now = 1;
    uint64_t seq = 100, messages = 0;
    for (size_t at = 0; at + 5 <= len; at += 5) {
        const uint8_t *op = data + at;
        now += (weir_ns)op[4] << 24;
        feed_tick(&feed, now);
        (void)feed_asks(&feed, now);
        if (op[0] == 255) {
            feed_lose(&feed, now);
            continue;
        }
        uint16_t flags = (uint16_t)(op[0] % 4 == 0 ? WEIR_BOOK_SNAPSHOT : 0);
        flags |= (uint16_t)((op[0] >> 2) % 7 << WEIR_BOOK_RULE_SHIFT);
        seq += op[1] % 4;
        m.msg = (struct weir_book_msg){
            .msg = {.size = sizeof m.msg, .kind = WEIR_BOOK, .flags = flags, .instrument = 1},
            .first_seq = seq - op[2] % 3,
            .last_seq = seq,
            .prev_seq = seq - 1 - op[2] % 2};
        m.msg.levels[m.msg.bids++] = (struct weir_level){op[3], op[2] >> 4};
        m.msg.levels[m.msg.bids + m.msg.asks++] =
            (struct weir_level){op[3] + op[4] - 20, op[2] >> 5};
        m.msg.msg.size += 2 * (uint32_t)sizeof(struct weir_level) - (op[4] == 77 ? 8 : 0);
        enum weir_err err = feed_take(&feed, &m.msg, now);
        messages++;
        expect(err == WEIR_OK || err == WEIR_E_GAP || err == WEIR_E_BAD_FRAME ||
               err == WEIR_E_FULL);
        expect(feed.in_step == (feed.state >= BOOK_LIVE && feed.state != BOOK_GAPPED));
        expect(feed.in_step ||
               (book_levels(feed.book, WEIR_BUY) == 0 && book_levels(feed.book, WEIR_SELL) == 0));
        expect(feed.state != BOOK_LIVE || !book_crossed(feed.book));
        expect(feed.state != BOOK_CROSSED || book_crossed(feed.book));
        expect(feed.held_len <= config.held && (!feed.in_step || feed.held_len == 0));
        expect(feed.counts.messages == messages);
        expect(feed.in_step || err != WEIR_E_GAP || feed_next_time(&feed) < INT64_MAX);
    }
    feed_fini(&feed);
    return 0;
}
