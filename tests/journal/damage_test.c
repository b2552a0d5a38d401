/* damage_test.c - what is not as it was written is cut as a torn end or refused, never accepted. */
#include "journal/support_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL = 16 << 10 };

static const unsigned char other_boot[BOOT_ID_BYTES] = {1, 2, 3};

/* A journal of so many samples in small segments. */
enum how { CLOSED, KILLED, KILLED_UNSYNCED, HOWS };
static const char *const how_names[HOWS] = {"closed", "killed", "killed, nothing synced"};

static void make(const struct folder *folder, enum how how, uint64_t samples)
{
    struct journal_options options =
        options_of(folder, SMALL, how == KILLED_UNSYNCED ? JOURNAL_NEVER : JOURNAL_GROUP);
    struct journal *journal = start(&options);
    append_samples(journal, 0, samples);
    if (how == CLOSED) {
        (void)finish(journal);
        return;
    }
    struct weir_msg *msg;
    (void)sample(0, &msg);
    if (how == KILLED) {
        struct journal_status status;
        journal_status(journal, &status);
        cr_assert(journal_wait(journal, status.seq));
        do /* SIDE records behind it too */
            journal_status(journal, &status);
        while (status.lag_bytes > 0);
    }
    journal_abandon(journal);
}

/* Where the records of a segment end. */
static size_t end_of(const struct folder *folder, uint32_t segment)
{
    struct why why;
    struct reader *reader;
    struct journal_record record;
    size_t end = 0;
    cr_assert(reader_open(folder->path, NULL, &reader, &why) == WEIR_OK);
    while (reader_next(reader, &record, &why) == WEIR_OK)
        if (record.segment == segment)
            end = record.offset + RECORD_HEAD + record.msg->size;
    reader_close(reader);
    return end;
}

/* --- torn ------------------------------------------------------------------------------------- */

Test(damage, a_last_record_torn_at_any_length_is_cut_and_the_journal_goes_on)
{
    struct folder folder = folder_new(), work = folder_new();
    char path[600];
    make(&folder, KILLED_UNSYNCED, 12); /* sample 11 is an in_submit */
    struct reading whole = read_all(&folder, NULL);
    cr_assert(whole.err == WEIR_E_NOT_FOUND && whole.samples == 12 && whole.extent.segments == 1);
    struct weir_msg *last;
    (void)sample(11, &last);
    size_t end = whole.extent.end.offset, begin = end - RECORD_HEAD - last->size;
    struct bytes bytes = file_read(&folder, "00000001.weir");

    folder_copy(&folder, &work);
    for (size_t kept = begin; kept < end; kept++)
        for (int shorter = 0; shorter < 2; shorter++) { /* zeros from there on, or the file ends */
            size_t len = shorter ? kept : bytes.len;
            unsigned char *torn = calloc(1, bytes.len);
            memcpy(torn, bytes.data, kept);
            file_write(&work, "00000001.weir", torn, len);
            free(torn);
            struct reading reading = read_all(&work, NULL);
            cr_assert(reading.err == WEIR_E_NOT_FOUND && !reading.different, "%zu kept: %s",
                      kept - begin, reading.why.text);
            cr_assert(reading.samples == 11 && reading.extent.end.offset == begin, "%zu kept",
                      kept - begin);
            cr_assert((reading.extent.cut == 0) == (kept == begin), "%zu kept: cut %lu",
                      kept - begin, reading.extent.cut);
            if (kept % 40 != 7 && kept != begin)
                continue;
            struct journal_options options = options_of(&work, SMALL, JOURNAL_GROUP);
            struct journal *journal = start(&options);
            append_samples(journal, 11, 15);
            (void)finish(journal);
            reading = read_all(&work, NULL);
            cr_assert(reading.err == WEIR_E_NOT_FOUND && reading.samples == 15 &&
                          reading.extent.segments == 2,
                      "%zu kept, gone on with: %s", kept - begin, reading.why.text);
            file_name(&work, 2, path, sizeof path);
            unlink(path);
        }
    free(bytes.data);
    folder_remove(&folder);
    folder_remove(&work);
}

Test(damage, what_was_durable_is_never_cut)
{
    struct folder folder = folder_new();
    make(&folder, KILLED, 12);
    size_t end = end_of(&folder, 1);
    struct bytes bytes = file_read(&folder, "00000001.weir");
    for (size_t kept = SEGMENT_HEAD; kept < end; kept += 8)
        for (int shorter = 0; shorter < 2; shorter++)
            for (int boot = 0; boot < 2; boot++) {
                unsigned char *torn = calloc(1, bytes.len);
                memcpy(torn, bytes.data, kept);
                file_write(&folder, "00000001.weir", torn, shorter ? kept : bytes.len);
                free(torn);
                struct reading reading = read_all(&folder, boot ? other_boot : NULL);
                cr_assert(reading.err == WEIR_E_CORRUPT, "%zu kept", kept);
                cr_assert(strstr(reading.why.text, "00000001.weir: offset ") &&
                              strstr(reading.why.text, "were on the disk"),
                          "%s", reading.why.text);
            }
    free(bytes.data);
    folder_remove(&folder);
}

/* Pages that the disk lost when the machine stopped: zeros anywhere behind what was durable. */
Test(damage, after_a_power_loss_the_unsynced_end_is_cut_wherever_it_tore)
{
    struct folder folder = folder_new();
    make(&folder, KILLED_UNSYNCED, 40);
    struct reading whole = read_all(&folder, NULL);
    cr_assert(whole.extent.segments == 1);
    struct bytes bytes = file_read(&folder, "00000001.weir");
    for (size_t page = SEGMENT_HEAD; page < whole.extent.end.offset; page += 512) {
        unsigned char *torn = malloc(bytes.len);
        memcpy(torn, bytes.data, bytes.len);
        memset(torn + page, 0, 512);
        file_write(&folder, "00000001.weir", torn, bytes.len);
        free(torn);
        struct reading reading = read_all(&folder, other_boot);
        cr_assert(reading.err == WEIR_E_NOT_FOUND && !reading.different &&
                      reading.samples < whole.samples,
                  "sector %zu: %s", page, reading.why.text);
        cr_assert(page == SEGMENT_HEAD || reading.extent.end.offset <= page, "sector %zu", page);
        if (whole.extent.end.offset - page > 2048) { /* the same on a running machine is damage */
            reading = read_all(&folder, NULL);
            cr_assert(reading.err == WEIR_E_CORRUPT &&
                          strstr(reading.why.text, "a good one follows at offset "),
                      "sector %zu: %s", page, reading.why.text);
        }
    }
    free(bytes.data);
    folder_remove(&folder);
}

/* All of a large segment is looked at behind a bad record, and that must not take for ever. */
Test(damage, a_bad_record_at_the_beginning_of_much_is_judged_at_once, .timeout = 20)
{
    struct folder folder = folder_new();
    struct journal_options options = options_of(&folder, 8 << 20, JOURNAL_NEVER);
    struct journal *journal = start(&options);
    append_samples(journal, 0, 20000);
    journal_abandon(journal);
    struct reading whole = read_all(&folder, NULL);
    cr_assert(whole.extent.segments == 1 && whole.extent.end.offset > 4 << 20);
    file_flip(&folder, "00000001.weir", SEGMENT_HEAD + 200, 1);
    struct reading reading = read_all(&folder, NULL);
    cr_expect(reading.err == WEIR_E_CORRUPT, "%s", reading.why.text);
    reading = read_all(&folder, other_boot);
    cr_expect(reading.err == WEIR_E_NOT_FOUND && reading.samples == 0 &&
              reading.extent.cut > 4 << 20);
    folder_remove(&folder);
}

/* --- flipped ---------------------------------------------------------------------------------- */

struct flips {
    uint64_t refused, cut, whole;
};

static void flip_and_read(const struct folder *folder, const char *name, size_t offset,
                          unsigned char bits, enum how how, uint64_t samples, struct flips *flips)
{
    file_flip(folder, name, offset, bits);
    struct reading reading = read_all(folder, NULL);
    file_flip(folder, name, offset, bits);
    cr_assert(!reading.different, "%s, %s, byte %zu: other content was accepted", how_names[how],
              name, offset);
    if (reading.err != WEIR_E_NOT_FOUND) {
        flips->refused++;
        cr_assert(reading.err == WEIR_E_CORRUPT || reading.err == WEIR_E_UNSUPPORTED);
        cr_assert(strstr(reading.why.text, ".weir") &&
                      (strstr(reading.why.text, "offset ") || strstr(reading.why.text, "missing")),
                  "%s, %s, byte %zu: %s", how_names[how], name, offset, reading.why.text);
        return;
    }
    cr_assert(how != CLOSED, "%s, %s, byte %zu: accepted", how_names[how], name, offset);
    if (how == KILLED_UNSYNCED && offset >= offsetof(struct segment_head, chain) &&
        offset < offsetof(struct segment_head, chain.word) && reading.samples == samples)
        return; /* the hash in a head that was never synced is not there yet, and not read */
    cr_assert(reading.extent.cut > 0, "%s, %s, byte %zu: neither cut nor refused", how_names[how],
              name, offset);
    cr_assert(reading.samples == samples ||
                  (how == KILLED_UNSYNCED && reading.samples == samples - 1),
              "%s, %s, byte %zu: %lu of %lu left", how_names[how], name, offset, reading.samples,
              samples);
    flips->cut++;
}

static void flip_all(enum how how, struct flips *flips)
{
    enum { SAMPLES = 53 };
    struct folder folder = folder_new();
    make(&folder, how, SAMPLES);
    uint32_t segments = read_all(&folder, NULL).extent.segments;
    cr_assert(segments == 2, "%u", segments);
    for (uint32_t segment = 1; segment <= segments; segment++) {
        char name[32];
        snprintf(name, sizeof name, "%08u.weir", segment);
        struct bytes bytes = file_read(&folder, name);
        size_t end = end_of(&folder, segment);
        for (size_t at = 0; at < bytes.len; at++) {
            bool words = at < 160, records = at >= SEGMENT_HEAD && at < end + 40;
            bool middle = segment == 1 && at > SEGMENT_HEAD + 600 && at + 600 < end;
            if ((!words && !records) || middle) /* each of the three journals a third of the rest */
                if (at % 3 != (size_t)how)
                    continue;
            flip_and_read(&folder, name, at, (unsigned char)(1u << (at * 5 + at / 8) % 8), how,
                          SAMPLES, flips);
        }
        free(bytes.data);
    }
    struct reading reading = read_all(&folder, NULL);
    cr_assert(reading.err == WEIR_E_NOT_FOUND && reading.samples == SAMPLES);
    folder_remove(&folder);
}

Test(damage, a_flipped_bit_in_a_closed_journal_is_refused)
{
    struct flips flips = {0};
    flip_all(CLOSED, &flips);
    cr_expect(flips.cut == 0 && flips.refused > 3000, "%lu", flips.refused);
}

Test(damage, a_flipped_bit_in_a_killed_journal_is_refused_or_in_the_room_of_one_record)
{
    struct flips flips = {0};
    flip_all(KILLED, &flips);
    cr_expect(flips.cut > 0 && flips.refused > 3000, "%lu %lu", flips.cut, flips.refused);
}

Test(damage, a_flipped_bit_in_an_unsynced_journal_costs_the_last_record_at_most)
{
    struct flips flips = {0};
    flip_all(KILLED_UNSYNCED, &flips);
    cr_expect(flips.cut > 0 && flips.refused > 3000, "%lu %lu", flips.cut, flips.refused);
}

/* --- segments --------------------------------------------------------------------------------- */

static void expect_refused(const struct folder *folder, const char *what, const char *text)
{
    struct reading reading = read_all(folder, NULL);
    cr_expect(reading.err == WEIR_E_CORRUPT || reading.err == WEIR_E_UNSUPPORTED, "%s: accepted",
              what);
    cr_expect(strstr(reading.why.text, text), "%s: \"%s\", expected \"%s\"", what, reading.why.text,
              text);
}

static void rename_in(const struct folder *folder, const char *from, const char *to)
{
    char a[600], b[600];
    snprintf(a, sizeof a, "%s/%s", folder->path, from);
    snprintf(b, sizeof b, "%s/%s", folder->path, to);
    cr_assert(rename(a, b) == 0);
}

static void remove_in(const struct folder *folder, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    cr_assert(unlink(path) == 0);
}

static void copy_in(const struct folder *from, const char *name, const struct folder *to,
                    const char *as)
{
    struct bytes bytes = file_read(from, name);
    file_write(to, as, bytes.data, bytes.len);
    free(bytes.data);
}

#define S(n) "0000000" #n ".weir"

Test(damage, a_missing_renamed_or_foreign_segment_is_refused_by_name)
{
    struct folder good = folder_new(), work = folder_new(), other = folder_new();
    make(&good, CLOSED, 200);
    make(&other, CLOSED, 200);
    uint32_t count = read_all(&good, NULL).extent.segments;
    cr_assert(count >= 4 && count <= 8, "%u", count);
    char last[32], after[32];
    snprintf(last, sizeof last, "%08u.weir", count);
    snprintf(after, sizeof after, "%08u.weir", count + 1);

    folder_copy(&good, &work);
    remove_in(&work, S(1));
    expect_refused(&work, "the first is missing", S(1) " is missing");

    folder_copy(&good, &work);
    remove_in(&work, S(2));
    expect_refused(&work, "one is missing", S(2) " is missing");

    folder_copy(&good, &work);
    remove_in(&work, last);
    expect_refused(&work, "the last is missing", last);

    folder_copy(&good, &work);
    rename_in(&work, S(2), "x");
    rename_in(&work, S(3), S(2));
    rename_in(&work, "x", S(3));
    expect_refused(&work, "two changed names", S(2) ": offset 12: segment number 3, expected 2");

    folder_copy(&good, &work);
    copy_in(&work, S(2), &work, after);
    expect_refused(&work, "a copy at the end", "segment number 2, expected");

    folder_copy(&good, &work);
    copy_in(&work, S(2), &work, "00000042.weir");
    expect_refused(&work, "a copy after a hole",
                   "is missing: there are others up to 00000042.weir");

    folder_copy(&good, &work);
    copy_in(&work, S(2), &work, "2.weir");
    expect_refused(&work, "a strange name", "2.weir is not a segment's name");

    folder_copy(&good, &work);
    copy_in(&other, S(2), &work, S(2));
    expect_refused(&work, "of another journal", S(2) ": offset 24: of journal ");

    folder_copy(&good, &work);
    file_write(&work, S(2), (const unsigned char *)"", 0);
    expect_refused(&work, "an empty file", S(2) ": offset 0: not a journal segment");

    folder_copy(&good, &work);
    file_write(&work, S(1), (const unsigned char *)"#!/bin/sh\necho\n", 15);
    expect_refused(&work, "another kind of file", S(1) ": offset 0: not a journal segment");

    folder_remove(&good);
    folder_remove(&work);
    folder_remove(&other);
}

Test(damage, another_format_version_is_refused_by_number)
{
    struct folder folder = folder_new();
    make(&folder, CLOSED, 3);
    struct bytes bytes = file_read(&folder, S(1));
    struct segment_head *head = (struct segment_head *)(void *)bytes.data;
    for (uint32_t version = 1; version <= 3; version += 2) {
        char refusal[90];
        head->id.version = version;
        head->id.crc = segment_id_crc(&head->id);
        file_write(&folder, S(1), bytes.data, bytes.len);
        snprintf(refusal, sizeof refusal,
                 S(1) ": offset 8: journal format version %u; this build reads version 2", version);
        expect_refused(&folder, "another version", refusal);
    }
    free(bytes.data);
    folder_remove(&folder);
}

/* A record that is whole, and not a message that this build knows. */
Test(damage, a_message_that_is_not_known_or_too_short_is_refused_by_kind)
{
    static const struct {
        const char *what;
        enum journal_class class;
        struct weir_msg msg;
        const char *text;
    } rows[] = {
        {"unknown kind", JOURNAL_INPUT, {.size = 40, .kind = 999}, "of kind 999"},
        {"as another class", JOURNAL_EFFECT, {.size = 40, .kind = IN_TICK}, "`tick` as effect"},
        {"too short",
         JOURNAL_INPUT,
         {.size = 40, .kind = WEIR_TOP},
         "`top` of 40 bytes, expected 80"},
        {"second beginning", JOURNAL_META, {.size = 40, .kind = META_BEGIN}, "`begin` of 40 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder = folder_new();
        struct journal_options options = options_of(&folder, SMALL, JOURNAL_NEVER);
        struct journal *journal = start(&options);
        cr_expect(journal_append(journal, rows[i].class, &rows[i].msg) != 0);
        (void)finish(journal);
        expect_refused(&folder, rows[i].what, rows[i].text);
        folder_remove(&folder);
    }
}
