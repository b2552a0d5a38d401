/* recorder_test.c - what a recorder writes, the reader of recordings reads; files are bounded; a full
 * ring drops, counts and tells. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/recordings.h"
#include "support/random.h"
#include "venue/recorder.h"

static char folder[64];

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/recorder-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    struct dirent **entries;
    char path[400];
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; free(entries[i++])) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        unlink(path);
    }
    free(entries);
    rmdir(folder);
}

TestSuite(recorder, .init = begin, .fini = end);

static struct recorder *open_one(uint64_t segment, uint64_t disk, uint32_t ring)
{
    struct why why;
    struct recorder_config config = {folder, "alpha", segment, disk, ring};
    struct recorder *recorder = recorder_open(&config, &why);
    cr_assert_not_null(recorder, "%s", why.text);
    return recorder;
}

/* Bytes that JSON must escape, UTF-8 that it must not, and now and then something binary. */
static size_t make_frame(uint64_t *rng, uint32_t i, char *to, bool *binary)
{
    size_t len = (size_t)snprintf(to, 64, "{\"n\":%u,\"text\":\"\\u00e9 \xc3\xa9 / \\\\ \"}", i);
    *binary = i % 17 == 0;
    for (size_t k = 0; *binary && k < 20; k++)
        to[len++] = (char)(random_next(rng) & 0xff);
    if (*binary)
        to[0] = '\0';
    return len;
}

/* Read everything back: each is as it was given, in order, at its time. Returns how many. */
static uint32_t read_back(uint32_t first, uint32_t conns)
{
    struct why why;
    const char *paths[] = {folder};
    struct recordings_config config = {.paths = paths, .path_count = 1};
    struct recordings *all = recordings_open(&config, &why);
    struct recorded_message message;
    uint32_t n = 0;
    cr_assert_not_null(all, "%s", why.text);
    for (;; n++) {
        char frame[256];
        bool binary;
        cr_assert_eq(recordings_next(all, &message, &why), WEIR_OK, "%s", why.text);
        if (message.record.kind == RECORD_END)
            break;
        uint32_t i = first + n;
        uint64_t again = i;
        size_t len = make_frame(&again, i, frame, &binary);
        cr_assert_eq(message.record.t, 1700000000000000001 + (weir_ns)i * 1000003, "message %u", i);
        cr_assert(message.record.bytes.len == len &&
                      memcmp(message.record.bytes.data, frame, len) == 0,
                  "message %u", i);
        cr_assert_eq(message.record.kind, i % 50 == 0 ? RECORD_HTTP : RECORD_FRAME, "message %u",
                     i);
    }
    (void)conns;
    recordings_close(all);
    return n;
}

static void give(struct recorder *recorder, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        char frame[256];
        bool binary;
        uint64_t rng = i;
        struct weir_bytes bytes = {frame, make_frame(&rng, i, frame, &binary)};
        weir_ns t = 1700000000000000001 + (weir_ns)i * 1000003;
        if (i % 50 == 0)
            recorder_http(recorder, t, "/depth?symbol=\"A\"", bytes);
        else
            recorder_frame(recorder, 1 + i % 2, t, bytes);
    }
}

Test(recorder, what_is_recorded_is_read_again)
{
    struct recorder *recorder = open_one(1 << 20, 1 << 24, 1 << 22);
    give(recorder, 0, 5000);
    recorder_close(recorder);
    cr_expect_eq(read_back(0, 2), 5000);
}

Test(recorder, files_are_rotated_and_the_oldest_go)
{
    struct recorder *recorder = open_one(40000, 100000, 1 << 22);
    struct recorder_counts counts;
    uint32_t given = 0;
    do {
        give(recorder, given, given + 2000);
        given += 2000;
        usleep(20000); /* the writer keeps up: nothing is dropped */
        counts = recorder_counts(recorder);
    } while (counts.files < 6 && given < 400000);
    recorder_close(recorder);
    cr_expect_eq(counts.dropped, 0);
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort), files = 0;
    uint64_t sum = 0;
    for (int i = 0; i < n; free(entries[i++])) {
        char path[400];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        cr_assert_eq(stat(path, &info), 0);
        if (entries[i]->d_name[0] == '.')
            continue;
        files++;
        sum += (uint64_t)info.st_size;
        cr_expect_eq(info.st_mode & 0777, 0600);
    }
    free(entries);
    cr_expect(files >= 2 && files <= 4, "%d files", files);
    cr_expect(sum < 100000 + 2 * 40000 + (1 << 17), "%lu bytes", sum);
    uint32_t kept = 0;
    while (kept < given) { /* what is left is the end, without a hole */
        struct why why;
        const char *paths[] = {folder};
        struct recordings_config config = {.paths = paths, .path_count = 1};
        struct recordings *all = recordings_open(&config, &why);
        struct recorded_message message;
        cr_assert_not_null(all);
        cr_assert_eq(recordings_next(all, &message, &why), WEIR_OK);
        uint32_t first = (uint32_t)((message.record.t - 1700000000000000001) / 1000003);
        recordings_close(all);
        kept = read_back(first, 2);
        cr_expect_eq(first + kept, given);
        break;
    }
}

Test(recorder, a_full_ring_drops_and_counts)
{
    struct recorder *recorder = open_one(1 << 24, 1 << 24, 1 << 14);
    char large[6000];
    memset(large, 'x', sizeof large);
    for (int i = 0; i < 2000; i++)
        recorder_frame(recorder, 1, 1700000000000000000 + i,
                       (struct weir_bytes){large, sizeof large});
    recorder_frame(recorder, 1, 1700000001000000000, (struct weir_bytes){large, 1 << 13});
    struct recorder_counts counts = recorder_counts(recorder);
    cr_expect_eq(counts.messages + counts.dropped, 2001);
    cr_expect(counts.dropped > 0, "a message of half a ring does not fit");
    recorder_close(recorder);
    struct why why;
    struct recorder_config bad = {"/nonexistent/folder", "alpha", 1, 1, 0};
    cr_expect_null(recorder_open(&bad, &why));
    cr_expect_not_null(strstr(why.text, "/nonexistent/folder"));
}
