/* recording_test.c - recorded files: what they are packed in, their formats, their order, and damage. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sim/recordings.h"
#include "sim/support_recorded.h"
#include "sim/unpack.h"
#include "support/random.h"

#define SUITE(name) TestSuite(name, .fini = temp_remove)

SUITE(recording);

/* All messages of a file, a line each: "t conn kind target bytes". The error, if any, comes last. */
static char *read_all(const char *path)
{
    struct text text;
    struct why why = {.err = WEIR_OK};
    struct record record;
    text_init(&text);
    struct recording *recording = recording_open(path, &why);
    while (recording) {
        enum weir_err err = recording_next(recording, &record, &why);
        if (err != WEIR_OK || record.kind == RECORD_END)
            break;
        text_say(&text, "%" PRId64 " %u %u %.*s %.*s\n", record.t, record.conn, record.kind,
                 (int)record.target.len, record.target.data, (int)record.bytes.len,
                 record.bytes.data);
    }
    recording_close(recording);
    if (why.err != WEIR_OK)
        text_say(&text, "error: %s", why.text);
    char *all = strdup(text_cstr(&text));
    cr_assert(text_ok(&text) && all);
    text_fini(&text);
    return all;
}

static const char *write_text(const char *name, const char *text)
{
    const char *path = temp_path(name);
    temp_write(path, text, strlen(text));
    return path;
}

Test(recording, every_packing_gives_the_same_messages)
{
    struct made made;
    size_t len;
    made_init(&made, "BTCUSDT", false, 7, 300);
    char *text = join_lines(made.lines, made.line_count, &len), *plain = NULL;
    for (int packing = 0; packing < PACKINGS; packing++) {
        size_t packed_len;
        unsigned char *packed = pack((enum packing)packing, text, len, &packed_len);
        const char *path = temp_path("file"); /* the name says nothing */
        temp_write(path, packed, packed_len);
        char *all = read_all(path);
        if (!plain)
            plain = strdup(all);
        cr_expect_str_eq(all, plain, "%s", packing_names[packing]);
        free(all);
        free(packed);
    }
    int lines = 0;
    for (const char *at = plain; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    cr_expect_eq(lines, made.line_count);
    free(plain);
    free(text);
    made_fini(&made);
}

/* Everything before the damage is given, then one error that names the file and the byte. */
Test(recording, a_cut_file_gives_what_is_whole_and_then_one_error)
{
    struct made made;
    size_t len;
    made_init(&made, "BTCUSDT", false, 8, 200);
    char *text = join_lines(made.lines, made.line_count, &len);
    const char *path = temp_path("cut");
    temp_write(path, text, len);
    char *plain = read_all(path);
    for (int packing = PACK_GZIP; packing < PACKINGS; packing++) {
        size_t packed_len;
        unsigned char *packed = pack((enum packing)packing, text, len, &packed_len);
        packed_len -= packing == PACK_GZIP_PARTS ? 100 : 0;
        for (int cut = 1; cut < 12; cut++) {
            size_t at = packing == PACK_GZIP_PARTS && cut == 6 ? packed_len - 1
                                                               : packed_len * (size_t)cut / 12;
            temp_write(path, packed, at);
            char *all = read_all(path), *error = strstr(all, "error: ");
            cr_expect(error && strstr(error, path) && strstr(error, "byte "), "%s cut at %zu: %s",
                      packing_names[packing], at, error ? error : "no error");
            if (error)
                cr_expect(strncmp(all, plain, (size_t)(error - all)) == 0, "%s cut at %zu",
                          packing_names[packing], at);
            free(all);
        }
        free(packed);
    }
    free(plain);
    free(text);
    made_fini(&made);
}

/* A flipped bit is found at the latest at the end, where the checksum stands. */
Test(recording, a_flipped_bit_of_a_packed_file_is_an_error)
{
    struct made made;
    size_t len;
    uint64_t random = 5;
    made_init(&made, "BTCUSDT", false, 9, 60);
    char *text = join_lines(made.lines, made.line_count, &len);
    const char *path = temp_path("flipped");
    temp_write(path, text, len);
    char *plain = read_all(path);
    for (int packing = PACK_GZIP; packing < PACKINGS; packing++) {
        size_t packed_len;
        int errors = 0;
        unsigned char *packed = pack((enum packing)packing, text, len, &packed_len);
        for (int i = 0; i < 60; i++) {
            size_t at = random_below(&random, packed_len);
            unsigned char bit = (unsigned char)(1u << random_below(&random, 8));
            packed[at] ^= bit;
            temp_write(path, packed, packed_len);
            char *all = read_all(path);
            bool error = strstr(all, "error: ") != NULL;
            errors += error;
            cr_expect(error || strcmp(all, plain) == 0, "%s: a flip at byte %zu went unseen",
                      packing_names[packing], at);
            free(all);
            packed[at] ^= bit;
        }
        cr_expect_gt(errors, 30, "%s: %d of 60 flips were seen", packing_names[packing], errors);
        free(packed);
    }
    free(plain);
    free(text);
    made_fini(&made);
}

#define T0 "1633998511"

static const struct {
    const char *name, *text, *all;
} files[] = {
    {"stamps of three units, in their order",
     "1723161253937085768 {\"a\":1}\n1723161253937086 [2]\r\n1723161253938 {}\n",
     "1723161253937085768 1 1  {\"a\":1}\n1723161253937086000 1 1  [2]\n1723161253938000000 1 1  "
     "{}\n"},
    {"a stamp that steps back", "1723161253938 {}\n1723161253937 [1]\n1723161253938 [2]\n",
     "1723161253938000000 1 1  {}\n1723161253938000000 1 1  [1]\n1723161253938000000 1 1  [2]\n"},
    {"no line feed at the end, and an empty line", "1723161253938 {}\n\n1723161253939 {\"a\":[1]}",
     "1723161253938000000 1 1  {}\n1723161253939000000 1 1  {\"a\":[1]}\n"},
    {"cut in the last message", "1723161253938 {}\n1723161253939 {\"a\":[1",
     "1723161253938000000 1 1  {}\nerror: PATH: line 2: the file ends in the middle of this "
     "message; "
     "expected its end and a line feed"},
    {"a stamp of 12 digits", "1723161253938 {}\n172316125393 {}\n",
     "1723161253938000000 1 1  {}\nerror: PATH: line 2: expected a stamp of 13 (ms), 16 (us) or 19 "
     "(ns) "
     "digits in front"},
    {"a stamp beyond time", "9999999999999999999 {}\n",
     "error: PATH: line 1: its stamp is no time"},
    {"no JSON", "1723161253938 hello\n",
     "error: PATH: line 1: expected a JSON text behind the stamp, beginning with { or ["},
    {"only a stamp", "1723161253938 \n",
     "error: PATH: line 1: expected one space and a JSON text behind the stamp"},
    {"empty", "", "error: PATH: it is empty; expected recorded messages"},
    {"a table", "time,open\n1,2\n",
     "error: PATH: line 1: expected \"<stamp> <json>\", a capture's {\"t\":...} or \"<addr> <-> "
     "<time>\", or names of columns with a timestamp; found "
     "\"time,open\""},
    {"a capture as text",
     "wss://x.y <-> " T0 ".5\nwss://x.y <- " T0 ".6: {\"a\": 1}\nhttps://x/z?a=b -> " T0
     ".7: {}\n" T0 ".8: {\"b\": \"c: d\"}\n",
     "1633998511500000000 1 3 wss://x.y \n1633998511600000000 1 4 wss://x.y {\"a\": 1}\n"
     "1633998511700000000 2 2 https://x/z?a=b {}\n1633998511800000000 1 1  {\"b\": \"c: d\"}\n"},
    {"text that begins with a message, and a line that is none", T0 ".8: {}\n" T0 ".9 {}\n",
     "1633998511800000000 1 1  {}\n"
     "error: PATH: line 2: expected a time in seconds, a colon, a space and the message"},
    {"rows under a line of names", "id,timestamp,x\n7," T0 "123,a\n8," T0 "124,b\n",
     "1633998511123000000 1 1  7,1633998511123,a\n1633998511124000000 1 1  8,1633998511124,b\n"},
    {"a row without a time", "id,timestamp\n7,x\n",
     "error: PATH: line 2: expected a time in milliseconds in the column timestamp"},
    {"another JSON", "{\"hello\":1}\n",
     "error: PATH: line 1: expected \"<stamp> <json>\", a capture's {\"t\":...} or \"<addr> <-> "
     "<time>\", or names of columns with a timestamp; found "
     "\"{\\\"hello\\\":1}\""},

    {"a capture, connections in blocks are merged by time, equal times by line",
     "{\"t\":\"header\",\"format\":2}\n"
     "{\"t\":\"http\",\"conn\":\"h\",\"ts\":" T0
     ".5,\"url\":\"u?a=1\\u00262\",\"data\":\"{\\\"x\\\":1}\"}\n"
     "{\"t\":\"http\",\"conn\":\"h\",\"ts\":" T0 ".9,\"url\":\"v\",\"data\":\"b\"}\n"
     "{\"t\":\"connect\",\"conn\":\"w\",\"ts\":" T0 ".25,\"addr\":\"wss://x\"}\n"
     "{\"t\":\"send\",\"conn\":\"w\",\"ts\":" T0 ".5,\"data\":\"s\"}\n"
     "{\"t\":\"recv\",\"conn\":\"w\",\"ts\":" T0 ".123456789,\"data\":\"back\"}\n"
     "{\"t\":\"recv\",\"conn\":\"w\",\"ts\":" T0 ".9,\"b64\":\"AAEC/w==\"}\n",
     "1633998511250000000 2 3 wss://x \n1633998511500000000 1 2 u?a=1&2 {\"x\":1}\n"
     "1633998511500000000 2 4  s\n1633998511500000000 2 1  back\n1633998511900000000 1 2 v b\n"
     "1633998511900000000 2 1  \n"}, /* the bytes are 0 1 2 255, which %s does not show */
    {"escapes",
     "{\"t\":\"recv\",\"conn\":\"w\",\"ts\":" T0
     ",\"data\":\"\\\"\\\\\\/\\b\\u00e9\\ud83d\\ude00\"}\n",
     "1633998511000000000 1 1  \"\\/\b\xc3\xa9\xf0\x9f\x98\x80\n"},
    {"half a character", "{\"t\":\"recv\",\"conn\":\"w\",\"ts\":" T0 ",\"data\":\"\\ud83d\"}\n",
     "error: PATH: line 1: its text is no JSON string"},
    {"an escape that is none", "{\"t\":\"recv\",\"conn\":\"w\",\"ts\":" T0 ",\"data\":\"\\x41\"}\n",
     "error: PATH: line 1: its text is no JSON string"},
    {"no base64", "{\"t\":\"recv\",\"conn\":\"w\",\"ts\":" T0 ",\"b64\":\"A*==\"}\n",
     "error: PATH: line 1: its data are no base64"},
    {"no time", "{\"t\":\"recv\",\"conn\":\"w\",\"data\":\"a\"}\n",
     "error: PATH: line 1: its time is no number of seconds"},
    {"a capture's line cut, what is whole before it is merged all the same",
     "{\"t\":\"recv\",\"conn\":\"a\",\"ts\":" T0 ".5,\"data\":\"1\"}\n"
     "{\"t\":\"recv\",\"conn\":\"b\",\"ts\":" T0 ".1,\"data\":\"2\"}\n{\"t\":\"recv\",\"conn\":",
     "1633998511100000000 2 1  2\n1633998511500000000 1 1  1\n"
     "error: PATH: line 3: expected a whole JSON object"},
    {"no text", "{\"t\":\"recv\",\"conn\":\"w\",\"ts\":" T0 ",\"data\":5}\n",
     "error: PATH: line 1: expected the message's text as \"data\" or \"b64\""},
    {"a mark of UTF-8 before the text",
     "\xef\xbb\xbf{\"t\":" T0 ".4659731,\"dir\":\"in\",\"raw\":\"{}\"}\n",
     "1633998511465973100 1 1  {}\n"},
    {"frames",
     "{\"t\":" T0 ".4659731,\"dir\":\"in\",\"raw\":\"{}\"}\n{\"t\":" T0
     ".5,\"dir\":\"out\",\"raw\":\"x\"}\n"
     "{\"t\":" T0 ".6,\"dir\":\"http\",\"url\":\"u\",\"raw\":\"y\"}\n",
     "1633998511465973100 1 1  {}\n1633998511500000000 1 4  x\n1633998511600000000 1 2 u y\n"},
};

Test(recording, formats_are_known_by_their_first_line_and_errors_name_the_line)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *path = write_text("file", files[i].text);
        char *all = read_all(path), expected[2048] = "";
        const char *mark = strstr(files[i].all, "PATH");
        if (mark)
            (void)snprintf(expected, sizeof expected, "%.*s%s%s", (int)(mark - files[i].all),
                           files[i].all, path, mark + 4);
        else
            (void)snprintf(expected, sizeof expected, "%s", files[i].all);
        /* a quote in a message is shown as it is */
        for (char *at; (at = strstr(expected, "\\\"hello\\\"")) != NULL;)
            (void)memmove(at, "\"hello\"", 7), (void)memmove(at + 7, at + 9, strlen(at + 9) + 1);
        cr_expect_str_eq(all, expected, "%s:\n%s\n--- expected\n%s", files[i].name, all, expected);
        free(all);
    }
}

Test(recording, what_is_no_file_is_named)
{
    static const struct {
        const char *path, *said;
    } cases[] = {{"/nonexistent/x", "/nonexistent/x: No such file or directory"},
                 {"/dev/null", "/dev/null: expected a regular file"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct why why;
        cr_expect_null(recording_open(cases[i].path, &why));
        cr_expect_str_eq(why.text, cases[i].said);
    }
    struct why why;
    const char *path = temp_path("z");
    temp_write(path, "PK\3\4 and no more", 16);
    cr_expect_null(recording_open(path, &why));
    cr_expect(strstr(why.text, "expected a file of the zip"), "%s", why.text);
    temp_write(path, "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    cr_expect_null(recording_open(path, &why));
    cr_expect(strstr(why.text, "expected a file of the zip"), "%s", why.text);
}

/* --- many files -------------------------------------------------------------------------------- */

static enum weir_err probe_test(struct weir_bytes frame, struct weir_probe *probe)
{
    *probe = (struct weir_probe){.size = sizeof *probe};
    if (frame.len < 5 || frame.data[1] != '"')
        return WEIR_E_NOT_FOUND;
    (void)snprintf(probe->market, sizeof probe->market, "m%c", frame.data[2]);
    (void)snprintf(probe->symbol, sizeof probe->symbol, "S%c", frame.data[3]);
    return WEIR_OK;
}

/* "conn market file-letter bytes" of each message; errors as lines. */
static char *read_many(const char *const *paths, size_t count)
{
    struct weir_plugin plugin = {.name = "test", .probe = probe_test};
    const struct weir_plugin *plugins[] = {&plugin};
    struct recordings_config config = {paths, count, plugins, 1};
    struct why why;
    struct text text;
    text_init(&text);
    struct recordings *all = recordings_open(&config, &why);
    cr_assert_not_null(all, "%s", why.text);
    weir_ns last = INT64_MIN;
    for (;;) {
        struct recorded_message at;
        if (recordings_next(all, &at, &why) != WEIR_OK) {
            text_say(&text, "error\n");
            continue;
        }
        if (at.record.kind == RECORD_END)
            break;
        cr_expect_geq(at.record.t, last);
        last = at.record.t;
        text_say(&text, "%u%s %s %s %.*s\n", at.record.conn, at.begins ? "!" : "", at.market,
                 strrchr(at.file, '/') + 1, (int)at.record.bytes.len, at.record.bytes.data);
    }
    recordings_close(all);
    char *said = strdup(text_cstr(&text));
    text_fini(&text);
    return said;
}

#define LINE(ms, text) "17000000000" ms " " text "\n"

Test(recording, files_of_one_stream_go_on_as_one_connection)
{
    const char *one = write_text("one", LINE("01", "{\"a1\"}") LINE("05", "{\"a1\"}"));
    const char *two = write_text("two", LINE("06", "{\"a1\"}"));
    const char *other = write_text("other", LINE("02", "[]") LINE("06", "{\"a2\"}"));
    const char *late = write_text("late", LINE("05", "{\"b1\"}"));
    const char *over = write_text("over", LINE("04", "{\"a1\"}") LINE("09", "{\"a1\"}"));
    const char *paths[] = {two, other, one, late};
    char *said = read_many(paths, 4);
    cr_expect_str_eq(said,
                     "1! ma one {\"a1\"}\n2! ma other []\n1 ma one {\"a1\"}\n3! mb late {\"b1\"}\n"
                     "2 ma other {\"a2\"}\n1 ma two {\"a1\"}\n",
                     "%s", said);
    free(said);
    const char *overlap[] = {one, over, two}; /* `two` begins when only `one` has ended */
    said = read_many(overlap, 3);
    cr_expect_str_eq(said,
                     "1! ma one {\"a1\"}\n2! ma over {\"a1\"}\n1 ma one {\"a1\"}\n"
                     "1 ma two {\"a1\"}\n2 ma over {\"a1\"}\n",
                     "%s", said);
    free(said);
}

Test(recording, a_folder_is_its_files_and_damage_to_one_leaves_the_others)
{
    (void)write_text("b", LINE("01", "{\"a1\"}"));
    (void)write_text("a", LINE("01", "{\"a2\"}") "oops\n" LINE("02", "{\"a2\"}"));
    (void)write_text(".hidden", "nothing to see");
    const char *paths[] = {temp_folder()};
    char *said = read_many(paths, 1);
    cr_expect_str_eq(said, "1! ma a {\"a2\"}\nerror\n2! ma b {\"a1\"}\n", "%s", said);
    free(said);
    struct why why;
    struct recordings_config none = {NULL, 0, NULL, 0};
    cr_expect_null(recordings_open(&none, &why));
    cr_expect_str_eq(why.text, "no recorded file was named, or found in the folder");
}
