/* journal.c - a small journal with any of its bytes changed, and cut anywhere.
 *
 * The first two bytes say how long its only segment is (0: as it is); then four bytes each are a
 * place and what stands there (two bytes). What is read must be a prefix of what was written: a
 * record that differs is a crash here, and so is a step beside a buffer. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "journal/journal.h"
#include "journal/render.h"

enum { SEGMENT = SEGMENT_BYTES_MIN, RECORDS = 24 };

static char folder[64];
static int segment = -1;
static unsigned char whole[SEGMENT], bytes[SEGMENT];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void message(uint64_t i, struct weir_trade *trade)
{
    memset(trade, 0, sizeof *trade);
    trade->msg = (struct weir_msg){.size = sizeof *trade, .kind = WEIR_TRADE, .instrument = 1};
    trade->id = i;
    trade->px = (weir_px)(i * 1000003);
}

static void remove_all(void)
{
    static const char *const names[] = {"00000001.weir", "00000002.weir", "00000002.weir.new",
                                        "lock"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

/* The journal as it was left by a process that was killed, its bytes kept. */
static void make(void)
{
    struct why why;
    struct journal *journal;
    struct journal_lock *lock;
    struct weir_trade trade;
    char path[128];
    snprintf(folder, sizeof folder, "fuzz-journal-XXXXXX");
    must(mkdtemp(folder) != NULL);
    (void)atexit(remove_all);
    struct journal_options options = {
        .folder = folder, .segment_bytes = SEGMENT, .sync = JOURNAL_NEVER};
    must(journal_lock(folder, &lock, &why) == WEIR_OK);
    must(journal_open(&options, lock, NULL, &journal, &why) == WEIR_OK);
    for (uint64_t i = 0; i < RECORDS; i++) {
        message(i, &trade);
        must(journal_append(journal, JOURNAL_INPUT, &trade.msg) != 0);
    }
    journal_abandon(journal);
    snprintf(path, sizeof path, "%s/00000002.weir", folder);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/00000001.weir", folder);
    segment = open(path, O_RDWR | O_CLOEXEC);
    must(segment >= 0 && pread(segment, whole, SEGMENT, 0) == SEGMENT);
}

static size_t change(const uint8_t *data, size_t len)
{
    memcpy(bytes, whole, SEGMENT);
    size_t cut = len >= 2 ? (size_t)(data[0] | data[1] << 8) % SEGMENT : 0;
    for (size_t at = 2; at + 4 <= len; at += 4) {
        size_t place = (size_t)(data[at] | data[at + 1] << 8) % SEGMENT;
        bytes[place] = data[at + 2];
        if (place + 1 < SEGMENT)
            bytes[place + 1] = data[at + 3];
    }
    return cut ? cut : SEGMENT;
}

static void read_all(void)
{
    struct why why;
    struct reader *reader;
    struct journal_record record;
    struct weir_trade trade;
    struct directory *directory = directory_create();
    uint64_t count = 0;
    must(directory && reader_open(folder, NULL, &reader, &why) == WEIR_OK);
    while (reader_next(reader, &record, &why) == WEIR_OK) {
        struct text line;
        text_init(&line);
        must(directory_learn(directory, record.msg));
        render_line(directory, &record, &line);
        render_json(directory, &record, &line);
        text_fini(&line);
        if (record.class == JOURNAL_META)
            continue;
        message(count++, &trade);
        must(record.msg->size == sizeof trade && memcmp(record.msg, &trade, sizeof trade) == 0);
    }
    reader_close(reader);
    directory_destroy(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (segment < 0)
        make();
    size_t size = change(data, len);
    must(pwrite(segment, bytes, size, 0) == (ssize_t)size && ftruncate(segment, (off_t)size) == 0);
    read_all();
    return 0;
}
