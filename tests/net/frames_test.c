/* frames_test.c - frames without sockets: any cut of any stream gives the same messages, and what
 * breaks the protocol is named. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/frames.h"
#include "support/random.h"

/* A stream that comes in pieces, and a sink that takes pieces. */
struct pipe {
    const unsigned char *in;
    size_t in_len, in_at, piece;
    bool end;    /* the stream ends behind its last byte */
    bool starve; /* every second read has nothing */
    unsigned reads;
    char said[65536]; /* the messages, each behind a '|' */
    size_t said_len, messages;
    unsigned char out[1 << 20];
    size_t out_len;
    size_t out_most; /* bytes that it takes before it says wait */
    const void *last_at;
    size_t last_len;
    bool moved;        /* a write that had to wait was not repeated as OpenSSL wants it */
    size_t stop_after; /* messages; 0: never */
};

static ssize_t read_piece(void *context, void *bytes, size_t room)
{
    struct pipe *pipe = context;
    size_t n = pipe->in_len - pipe->in_at;
    if (pipe->starve && pipe->reads++ % 2 == 0)
        return FRAMES_AGAIN;
    if (n == 0)
        return pipe->end ? 0 : FRAMES_AGAIN;
    n = n < pipe->piece ? n : pipe->piece;
    n = n < room ? n : room;
    memcpy(bytes, pipe->in + pipe->in_at, n);
    pipe->in_at += n;
    return (ssize_t)n;
}

static ssize_t write_piece(void *context, const void *bytes, size_t len)
{
    struct pipe *pipe = context;
    if (pipe->last_at && (pipe->last_at != bytes || pipe->last_len > len))
        pipe->moved = true;
    if (pipe->out_most == 0) {
        pipe->last_at = bytes;
        pipe->last_len = len;
        return FRAMES_AGAIN;
    }
    size_t n = len < pipe->out_most ? len : pipe->out_most;
    n = n < 700 ? n : 700;
    pipe->last_at = NULL;
    cr_assert(pipe->out_len + n <= sizeof pipe->out);
    memcpy(pipe->out + pipe->out_len, bytes, n);
    pipe->out_len += n;
    pipe->out_most -= n;
    return (ssize_t)n;
}

static bool on_message(void *context, struct weir_bytes message)
{
    struct pipe *pipe = context;
    cr_assert(pipe->said_len + message.len + 1 < sizeof pipe->said);
    memcpy(pipe->said + pipe->said_len, message.data, message.len);
    pipe->said_len += message.len;
    pipe->said[pipe->said_len++] = '|';
    pipe->said[pipe->said_len] = '\0';
    return ++pipe->messages != pipe->stop_after;
}

static void set_up(struct frames *frames, struct pipe *pipe, uint32_t message_max, uint32_t room,
                   bool drain)
{
    struct frames_io io = {pipe, read_piece, write_piece, on_message, drain};
    cr_assert(frames_init(frames, &io, message_max, room));
}

/* --- reading ----------------------------------------------------------------------------------*/

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    const char *said;
    enum frames_step end;
    const char *why;
    const char *answer; /* how the last frame that goes out begins; NULL: nothing goes out */
} streams[] = {
#define BYTES(text) text, sizeof text - 1
    {"one message",
     BYTES("\x81\x03"
           "abc"),
     "abc|", FRAMES_WAIT, "", NULL},
    {"two messages",
     BYTES("\x81\x03"
           "abc"
           "\x82\x01"
           "d"),
     "abc|d|", FRAMES_WAIT, "", NULL},
    {"an empty message",
     BYTES("\x81\x00"
           "\x81\x01"
           "d"),
     "|d|", FRAMES_WAIT, "", NULL},
    {"fragments",
     BYTES("\x01\x02"
           "ab"
           "\x00\x01"
           "c"
           "\x80\x02"
           "de"),
     "abcde|", FRAMES_WAIT, "", NULL},
    {"empty fragments",
     BYTES("\x01\x00"
           "\x00\x00"
           "\x80\x00"),
     "|", FRAMES_WAIT, "", NULL},
    {"a ping within fragments",
     BYTES("\x01\x02"
           "ab"
           "\x89\x02"
           "hi"
           "\x80\x01"
           "c"),
     "abc|", FRAMES_WAIT, "", "\x8a"},
    {"an empty ping", BYTES("\x89\x00"), "", FRAMES_WAIT, "", "\x8a"},
    {"a pong alone",
     BYTES("\x8a\x02"
           "hi"
           "\x81\x01"
           "d"),
     "d|", FRAMES_WAIT, "", NULL},
    {"a long form",
     BYTES("\x81\x7e\x00\x80"
           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef|",
     FRAMES_WAIT, "", NULL},
    {"half a message",
     BYTES("\x81\x05"
           "abc"),
     "", FRAMES_WAIT, "", NULL},
    {"a close with its reason",
     BYTES("\x81\x01"
           "a"
           "\x88\x05\x03\xe9"
           "bye"),
     "a|", FRAMES_CLOSED, "1001 bye", "\x88"},
    {"a close without", BYTES("\x88\x00"), "", FRAMES_CLOSED, "1005", "\x88"},
    {"nothing is read behind a close",
     BYTES("\x88\x00\x81\x01"
           "a"),
     "", FRAMES_CLOSED, "", "\x88"},
    {"an extension's bit",
     BYTES("\xc1\x01"
           "a"),
     "", FRAMES_BROKEN, "extension", "\x88"},
    {"a masked frame",
     BYTES("\x81\x81\x01\x02\x03\x04"
           "a"),
     "", FRAMES_BROKEN, "mask", "\x88"},
    {"a fragment of nothing",
     BYTES("\x80\x01"
           "a"),
     "", FRAMES_BROKEN, "fragment of no message", "\x88"},
    {"a message within another",
     BYTES("\x01\x01"
           "a"
           "\x81\x01"
           "b"),
     "", FRAMES_BROKEN, "within the fragments", "\x88"},
    {"an unknown kind",
     BYTES("\x83\x01"
           "a"),
     "", FRAMES_BROKEN, "unknown kind", "\x88"},
    {"an unknown control frame",
     BYTES("\x8b\x01"
           "a"),
     "", FRAMES_BROKEN, "unknown kind", "\x88"},
    {"a long ping", BYTES("\x89\x7e\x00\x80"), "", FRAMES_BROKEN, "head", "\x88"},
    {"a ping in fragments",
     BYTES("\x09\x01"
           "a"),
     "", FRAMES_BROKEN, "head", "\x88"},
    {"a length that is written too wide",
     BYTES("\x81\x7e\x00\x05"
           "abcde"),
     "", FRAMES_BROKEN, "head", "\x88"},
    {"a message over the limit",
     BYTES("\x81\x7e\x04\x01"
           "a"),
     "", FRAMES_BROKEN, "larger", "\x88"},
    {"a length of exabytes",
     BYTES("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"
           "a"),
     "", FRAMES_BROKEN, "larger", "\x88"},
    {"a length with its highest bit",
     BYTES("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"
           "a"),
     "", FRAMES_BROKEN, "head", "\x88"},
#undef BYTES
};

static enum frames_step read_all(struct frames *frames, struct pipe *pipe, char *why, size_t room)
{
    for (int idle = 0;;) {
        size_t at = pipe->in_at;
        enum frames_step step = frames_read(frames, 4, why, room);
        idle = pipe->in_at == at ? idle + 1 : 0;
        if (step == FRAMES_CLOSED || step == FRAMES_BROKEN ||
            (step == FRAMES_WAIT && pipe->in_at == pipe->in_len && idle > 2))
            return step;
    }
}

Test(frames, any_cut_gives_the_same_messages)
{
    static const size_t pieces[] = {1, 2, 3, 5, 7, 64, 65536};
    for (size_t s = 0; s < sizeof streams / sizeof streams[0]; s++)
        for (size_t way = 0; way < 4 * sizeof pieces / sizeof pieces[0]; way++) {
            struct pipe *pipe = calloc(1, sizeof *pipe);
            struct frames frames;
            char why[200] = "";
            pipe->in = (const unsigned char *)streams[s].bytes;
            pipe->in_len = streams[s].len;
            pipe->piece = pieces[way / 4];
            pipe->starve = way & 1;
            pipe->out_most = 10000;
            set_up(&frames, pipe, 1024, 4096, way & 2);
            enum frames_step step = read_all(&frames, pipe, why, sizeof why);
            cr_assert_eq(step, streams[s].end, "%s: step %d, way %zu: %s", streams[s].name, step,
                         way, why);
            cr_assert_str_eq(pipe->said, streams[s].said, "%s: way %zu", streams[s].name, way);
            cr_assert(step < FRAMES_CLOSED || strstr(why, streams[s].why), "%s: '%s'",
                      streams[s].name, why);
            cr_assert_eq(pipe->out_len > 0, streams[s].answer != NULL, "%s", streams[s].name);
            if (streams[s].answer) {
                cr_assert_eq(pipe->out[0], (unsigned char)streams[s].answer[0], "%s",
                             streams[s].name);
                cr_assert(pipe->out[1] & 0x80, "%s: our frames are masked", streams[s].name);
            }
            frames_fini(&frames);
            free(pipe);
        }
}

/* Random messages, random fragments, random cuts, pings in between: all arrive whole and in order. */
Test(frames, long_random_streams_arrive_whole)
{
    uint64_t random = 7;
    for (int round = 0; round < 60; round++) {
        struct pipe *pipe = calloc(1, sizeof *pipe);
        struct frames frames;
        static unsigned char bytes[1 << 17];
        static char want[1 << 16];
        char why[200];
        size_t len = 0, want_len = 0;
        for (int m = 0; m < 20; m++) {
            size_t fragments = 1 + random_below(&random, 4);
            for (size_t f = 0; f < fragments; f++) {
                size_t size = random_below(&random, random_below(&random, 3) ? 130 : 6000);
                if (want_len + size + 1 >= sizeof want)
                    size = 0;
                bytes[len++] = (unsigned char)((f == 0) | (f + 1 == fragments ? 0x80 : 0));
                if (size < 126) {
                    bytes[len++] = (unsigned char)size;
                } else {
                    bytes[len++] = 126;
                    bytes[len++] = (unsigned char)(size >> 8);
                    bytes[len++] = (unsigned char)size;
                }
                for (size_t i = 0; i < size; i++)
                    bytes[len++] =
                        (unsigned char)(want[want_len++] = (char)('a' + random_below(&random, 26)));
                if (random_below(&random, 4) == 0) {
                    memcpy(bytes + len, "\x89\x01x", 3);
                    len += 3;
                }
            }
            want[want_len++] = '|';
        }
        pipe->in = bytes;
        pipe->in_len = len;
        pipe->piece = 1 + random_below(&random, round % 2 ? 20 : 9000);
        pipe->out_most = 100000;
        set_up(&frames, pipe, 1 << 20, 1 << 16, round % 3);
        cr_assert_eq(read_all(&frames, pipe, why, sizeof why), FRAMES_WAIT, "round %d: %s", round,
                     why);
        cr_assert_eq(pipe->said_len, want_len, "round %d", round);
        cr_assert_arr_eq(pipe->said, want, want_len);
        frames_fini(&frames);
        free(pipe);
    }
}

Test(frames, reading_stops_where_it_is_told_to_and_goes_on_from_there)
{
    struct pipe *pipe = calloc(1, sizeof *pipe);
    struct frames frames;
    char why[200] = "";
    pipe->in = (const unsigned char *)"\x81\x01"
                                      "a"
                                      "\x81\x01"
                                      "b"
                                      "\x81\x01"
                                      "c";
    pipe->in_len = 9;
    pipe->piece = 100;
    pipe->stop_after = 1;
    pipe->end = true;
    set_up(&frames, pipe, 100, 1000, true);
    cr_assert_eq(frames_read(&frames, 10, why, sizeof why), FRAMES_MORE);
    cr_assert_str_eq(pipe->said, "a|");
    cr_assert_eq(frames_read(&frames, 1, why, sizeof why), FRAMES_MORE, "a budget of one");
    cr_assert_str_eq(pipe->said, "a|b|");
    cr_assert_eq(frames_read(&frames, 10, why, sizeof why), FRAMES_CLOSED);
    cr_assert_str_eq(pipe->said, "a|b|c|");
    cr_assert(strstr(why, "hung up"), "%s", why);
    frames_fini(&frames);
    free(pipe);
}

/* --- writing ----------------------------------------------------------------------------------*/

/* The next frame of ours out of bytes; its opcode, or -1. */
static int unpack(const unsigned char *bytes, size_t len, size_t *at, char *text, size_t *text_len)
{
    const unsigned char *p = bytes + *at;
    if (len - *at < 6 || !(p[0] & 0x80) || !(p[1] & 0x80))
        return -1;
    uint64_t size = p[1] & 0x7f;
    size_t wide = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (wide)
        size = 0;
    for (size_t i = 0; i < wide; i++)
        size = size << 8 | p[2 + i];
    const unsigned char *mask = p + 2 + wide, *data = mask + 4;
    for (uint64_t i = 0; i < size; i++)
        text[i] = (char)(data[i] ^ mask[i % 4]);
    text[size] = '\0';
    *text_len = size;
    *at += 2 + wide + 4 + size;
    return *at <= len ? p[0] & 15 : -1;
}

Test(frames, what_is_sent_arrives_masked_and_as_text_where_it_is_text)
{
    static const struct {
        const char *bytes;
        size_t len;
        int opcode;
    } cases[] = {
        {"{\"a\":1}", 7, 1}, {"", 0, 1},         {"\xc3\xa9\n\t", 4, 1}, {"a\0b", 3, 2},
        {"\x01", 1, 2},      {"\xff\xfe", 2, 2}, {"\xc3", 1, 2},         {"\xed\xa0\x80", 3, 2}};
    struct pipe *pipe = calloc(1, sizeof *pipe);
    struct frames frames;
    static char text[70000];
    size_t at = 0, len;
    set_up(&frames, pipe, 100, 200000, false);
    pipe->out_most = SIZE_MAX;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(frames_send(&frames, (struct weir_bytes){cases[i].bytes, cases[i].len}),
                     WEIR_OK);
        cr_assert_eq(unpack(pipe->out, pipe->out_len, &at, text, &len), cases[i].opcode, "case %zu",
                     i);
        cr_assert(len == cases[i].len && memcmp(text, cases[i].bytes, len) == 0, "case %zu", i);
    }
    static char large[66000];
    memset(large, 'x', sizeof large);
    for (size_t size = 124; size < sizeof large; size += size < 130 ? 1 : 9000) {
        cr_assert_eq(frames_send(&frames, (struct weir_bytes){large, size}), WEIR_OK);
        cr_assert_eq(unpack(pipe->out, pipe->out_len, &at, text, &len), 1, "size %zu", size);
        cr_assert(len == size && memcmp(text, large, len) == 0, "size %zu", size);
    }
    frames_ping(&frames);
    cr_assert_eq(unpack(pipe->out, pipe->out_len, &at, text, &len), 9);
    frames_close(&frames, 1001);
    cr_assert_eq(unpack(pipe->out, pipe->out_len, &at, text, &len), 8);
    cr_assert_eq(frames_send(&frames, (struct weir_bytes){"x", 1}), WEIR_E_DOWN,
                 "nothing follows a close");
    cr_assert_eq(at, pipe->out_len);
    frames_fini(&frames);
    free(pipe);
}

Test(frames, the_queue_is_bounded_and_loses_nothing_of_what_it_took)
{
    uint64_t random = 3;
    struct pipe *pipe = calloc(1, sizeof *pipe);
    struct frames frames;
    char text[4096], line[64];
    unsigned taken = 0, refused = 0, seen = 0;
    size_t at = 0, len;
    set_up(&frames, pipe, 100, 1000, false);
    for (int i = 0; i < 20000; i++) {
        pipe->out_most = random_below(&random, 8) ? 0 : random_below(&random, 120);
        if (random_below(&random, 3)) {
            int n = snprintf(line, sizeof line, "message %u", taken);
            enum weir_err err = frames_send(&frames, (struct weir_bytes){line, (size_t)n});
            cr_assert(err == WEIR_OK || err == WEIR_E_FULL);
            taken += err == WEIR_OK;
            refused += err == WEIR_E_FULL;
        } else {
            cr_assert(frames_flush(&frames));
        }
    }
    pipe->out_most = SIZE_MAX;
    while (frames_waits(&frames))
        cr_assert(frames_flush(&frames));
    while (at < pipe->out_len) {
        snprintf(line, sizeof line, "message %u", seen++);
        cr_assert_eq(unpack(pipe->out, pipe->out_len, &at, text, &len), 1);
        cr_assert_str_eq(text, line);
    }
    cr_assert(seen == taken && taken > 1000 && refused > 1000, "%u taken, %u refused, %u seen",
              taken, refused, seen);
    cr_assert_not(pipe->moved,
                  "a write that had to wait is repeated with the same bytes at the same place");
    cr_assert_eq(frames_send(&frames, (struct weir_bytes){(const char *)pipe->out, 990}),
                 WEIR_E_FULL, "never fits");
    frames_fini(&frames);
    free(pipe);
}
