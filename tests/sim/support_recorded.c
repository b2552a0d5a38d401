/* support_recorded.c - see the header. */
#include "sim/support_recorded.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/text.h"
#include "support/random.h"

/* --- the book ---------------------------------------------------------------------------------- */

static void made_set(struct made_side *side, bool bid, int64_t px, int64_t qty)
{
    int at = 0;
    while (at < side->count && (bid ? side->levels[at].px > px : side->levels[at].px < px))
        at++;
    bool there = at < side->count && side->levels[at].px == px;
    if (qty == 0 && there) {
        memmove(&side->levels[at], &side->levels[at + 1],
                (size_t)(side->count - at - 1) * sizeof side->levels[0]);
        side->count--;
    } else if (qty > 0 && !there) {
        memmove(&side->levels[at + 1], &side->levels[at],
                (size_t)(side->count - at) * sizeof side->levels[0]);
        side->count++;
    }
    if (qty > 0)
        side->levels[at] = (struct weir_level){px, qty};
}

static uint64_t print_level(uint64_t print, int side, struct weir_level level)
{
    uint64_t words[3] = {(uint64_t)side, (uint64_t)level.px, (uint64_t)level.qty};
    for (int i = 0; i < 3; i++)
        print = (print ^ words[i]) * 0x100000001b3u ^ print >> 29;
    return print;
}

static uint64_t made_print(const struct made *made)
{
    uint64_t print = 14695981039346656037u;
    for (int i = 0; i < made->bids.count; i++)
        print = print_level(print, 0, made->bids.levels[i]);
    for (int i = 0; i < made->asks.count; i++)
        print = print_level(print, 1, made->asks.levels[i]);
    return print;
}

uint64_t book_print(const struct book *book)
{
    uint64_t print = 14695981039346656037u;
    for (int side = 0; side < 2; side++) {
        struct weir_level level;
        for (bool more = book_best(book, (enum weir_side)side, &level); more;
             more = book_next(book, (enum weir_side)side, level.px, &level))
            print = print_level(print, side, level);
    }
    return print;
}

bool made_truth(const struct made *made, uint64_t id, uint64_t *print_out)
{
    for (int i = 0; i < made->truth_count; i++)
        if (made->truth[i].id == id) {
            *print_out = made->truth[i].print;
            return true;
        }
    return false;
}

static void remember(struct made *made)
{
    made->truth[made->truth_count].id = made->id;
    made->truth[made->truth_count++].print = made_print(made);
}

/* --- what the venue says of it ----------------------------------------------------------------- */

static void put(struct text *text, int64_t value)
{
    char digits[DECIMAL_TEXT_MAX];
    decimal_print(value, 8, digits);
    text_say(text, "\"%s\"", digits);
}

static void put_levels(struct text *text, const char *key, const struct weir_level *levels,
                       int count)
{
    text_say(text, ",\"%s\":[", key);
    for (int i = 0; i < count; i++) {
        text_say(text, "%s[", i > 0 ? "," : "");
        put(text, levels[i].px);
        text_say(text, ",");
        put(text, levels[i].qty);
        text_say(text, "]");
    }
    text_say(text, "]");
}

static void begin(struct made *made, struct text *text, const char *stream, const char *kind)
{
    text_init(text);
    made->t += 1000000 + (int64_t)random_below(&made->random, 5000000);
    text_say(text, "%" PRId64 " {\"stream\":\"", made->t);
    for (const char *c = made->symbol; *c; c++)
        text_say(text, "%c", *c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    text_say(text, "@%s\",\"data\":{", stream);
    if (kind)
        text_say(text, "\"e\":\"%s\",\"E\":%" PRId64 ",", kind, made->t / 1000000 + 1);
    if (made->futures)
        text_say(text, "\"T\":%" PRId64 ",", made->t / 1000000);
    text_say(text, "\"s\":\"%s\"", made->symbol);
}

static void end(struct made *made, struct text *text, const char *tail)
{
    text_say(text, "%s", tail);
    cr_assert(text_ok(text) && made->line_count < MADE_LINES_MAX);
    made->lines[made->line_count++] = strdup(text_cstr(text));
    text_fini(text);
}

static void say_diff(struct made *made)
{
    struct text text;
    begin(made, &text, made->futures ? "depth@0ms" : "depth@100ms", "depthUpdate");
    text_say(&text, ",\"U\":%" PRIu64 ",\"u\":%" PRIu64, made->told_id + 1, made->id);
    if (made->futures)
        text_say(&text, ",\"pu\":%" PRIu64, made->prev_u);
    put_levels(&text, "b", made->changes[0], made->change_count[0]);
    put_levels(&text, "a", made->changes[1], made->change_count[1]);
    end(made, &text, "}}");
    made->told_id = made->prev_u = made->id;
    made->change_count[0] = made->change_count[1] = 0;
    remember(made);
}

static void say_top(struct made *made)
{
    struct text text;
    begin(made, &text, "bookTicker", made->futures ? "bookTicker" : NULL);
    text_say(&text, ",\"u\":%" PRIu64 ",\"b\":", made->id);
    put(&text, made->bids.levels[0].px);
    text_say(&text, ",\"B\":");
    put(&text, made->bids.levels[0].qty);
    text_say(&text, ",\"a\":");
    put(&text, made->asks.levels[0].px);
    text_say(&text, ",\"A\":");
    put(&text, made->asks.levels[0].qty);
    end(made, &text, "}}");
}

static void say_trade(struct made *made)
{
    struct text text;
    bool maker = random_below(&made->random, 2);
    begin(made, &text, "trade", "trade");
    text_say(&text, ",\"t\":%" PRIu64 ",\"p\":", ++made->trade_id);
    put(&text, maker ? made->bids.levels[0].px : made->asks.levels[0].px);
    text_say(&text, ",\"q\":");
    put(&text, 1 + (int64_t)random_below(&made->random, 100000000));
    if (!made->futures)
        text_say(&text, ",\"T\":%" PRId64, made->t / 1000000);
    text_say(&text, ",\"m\":%s%s", maker ? "true" : "false",
             made->futures ? ",\"X\":\"MARKET\"" : ",\"M\":true");
    end(made, &text, "}}");
}

static void say_snapshot(struct made *made)
{
    struct text text;
    text_init(&text);
    made->t += 1000000;
    text_say(&text, "%" PRId64 " {\"lastUpdateId\":%" PRIu64, made->t, made->id);
    if (made->futures)
        text_say(&text, ",\"E\":%" PRId64 ",\"T\":%" PRId64, made->t / 1000000, made->t / 1000000);
    put_levels(&text, "bids", made->bids.levels, made->bids.count);
    put_levels(&text, "asks", made->asks.levels, made->asks.count);
    end(made, &text, "}");
    remember(made);
}

/* --- the market -------------------------------------------------------------------------------- */

/* One level changes: within 20 steps of the middle, so both sides stay apart and small. */
static void change(struct made *made)
{
    int side = (int)random_below(&made->random, 2);
    struct made_side *book = side == 0 ? &made->bids : &made->asks;
    int64_t away = 1 + (int64_t)random_below(&made->random, 20);
    int64_t px = (side == 0 ? 100000 - away : 100000 + away) * 1000000; /* steps of 0.01 */
    int64_t qty = 1 + (int64_t)random_below(&made->random, 900000000);
    if (random_below(&made->random, 3) == 0 && book->count > 3)
        qty = 0; /* removing a level that is not there is normal */
    made_set(book, side == 0, px, qty);
    made->id++;
    struct weir_level *changes = made->changes[side];
    int at = 0;
    while (at < made->change_count[side] && changes[at].px != px)
        at++;
    changes[at] = (struct weir_level){px, qty};
    made->change_count[side] += at == made->change_count[side];
}

void made_init(struct made *made, const char *symbol, bool futures, uint64_t seed, int diffs)
{
    *made = (struct made){.random = seed, .futures = futures, .symbol = symbol};
    made->t = 1700000000000000000 + (int64_t)random_below(&made->random, 1000000000);
    made->id = made->told_id = made->prev_u = 1000 + random_below(&made->random, 1000000);
    for (int i = 0; i < 40; i++)
        change(made);
    made->change_count[0] = made->change_count[1] = 0;
    made->told_id = made->prev_u = made->id;
    int snapshot = 2 + (int)random_below(&made->random, 4);
    for (int diff = 0; diff < diffs; diff++) {
        int changes = 1 + (int)random_below(&made->random, 6);
        for (int i = 0; i < changes; i++) {
            change(made);
            if (random_below(&made->random, 2))
                say_top(made);
            if (random_below(&made->random, 4) == 0)
                say_trade(made);
            if (diff == snapshot && i == changes / 2) /* in the middle of what the diff covers */
                say_snapshot(made);
        }
        say_diff(made);
    }
}

void made_fini(struct made *made)
{
    for (int i = 0; i < made->line_count; i++)
        free(made->lines[i]);
}

/* --- files ------------------------------------------------------------------------------------- */

static char folder[512];

const char *temp_folder(void)
{
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof folder, BUILD_DIR "/tests/recorded-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
    }
    return folder;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

void temp_remove(void)
{
    if (folder[0] != '\0')
        (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    folder[0] = '\0';
}

const char *temp_path(const char *name)
{
    static char paths[8][640];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", temp_folder(), name);
    return path;
}

void temp_write(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert(fd >= 0, "%s", path);
    cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

char *join_lines(char *const *lines, int count, size_t *len_out)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += strlen(lines[i]) + 1;
    char *all = malloc(len + 1), *at = all;
    cr_assert_not_null(all);
    for (int i = 0; i < count; i++) {
        at = stpcpy(at, lines[i]);
        *at++ = '\n';
    }
    *len_out = len;
    return all;
}

/* --- packing ----------------------------------------------------------------------------------- */

const char *const packing_names[PACKINGS] = {
    "plain", "gzip", "gzip, two parts", "xz", "zstd", "zstd, parts", "zip", "zip, stored", "zip64"};

static size_t deflate_to(unsigned char *to, size_t room, const char *bytes, size_t len, int bits)
{
    z_stream z = {0};
    cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (unsigned)len;
    z.next_out = to;
    z.avail_out = (unsigned)room;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

static unsigned char *put_le(unsigned char *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++, value >>= 8)
        *at++ = (unsigned char)value;
    return at;
}

struct zip_file {
    const char *name;
    uint32_t crc, packed, size, offset;
    bool stored;
};

/* What is common to a file's own head and its line in the list. */
static unsigned char *put_zip(unsigned char *at, const struct zip_file *file)
{
    at = put_le(at, 20, 2);
    at = put_le(at, 0, 2);
    at = put_le(at, file->stored ? 0 : 8, 2);
    at = put_le(at, 0, 4);
    at = put_le(at, file->crc, 4);
    at = put_le(at, file->packed, 4);
    at = put_le(at, file->size, 4);
    at = put_le(at, strlen(file->name), 2);
    return put_le(at, 0, 2);
}

static unsigned char *put_text(unsigned char *at, const void *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

/* A folder, and the text as two files, of which the first does not end its last line; beside them what some
 * machines add. large: sizes and places stand in fields of 64 bits. */
static size_t zip_to(unsigned char *to, size_t room, const char *bytes, size_t len, bool stored,
                     bool large)
{
    enum { FILES = 4 };
    const char *half = len > 0 ? memchr(bytes + len / 2, '\n', len - len / 2) : NULL;
    size_t first = half ? (size_t)(half - bytes) : len, second = half ? first + 1 : len;
    const struct {
        const char *bytes;
        size_t len;
    } texts[FILES] = {{"", 0}, {bytes, first}, {"nope", 4}, {bytes + second, len - second}};
    struct zip_file files[FILES] = {{"data/", 0, 0, 0, 0, true},
                                    {"data/a.txt", 0, 0, 0, 0, stored},
                                    {"__MACOSX/._a.txt", 0, 0, 0, 0, true},
                                    {"b.txt", 0, 0, 0, 0, stored}};
    unsigned char *at = to, *list;
    for (size_t i = 0; i < FILES; i++) {
        struct zip_file *file = &files[i];
        unsigned char *head = at, *body = at + 30 + strlen(file->name);
        file->offset = (uint32_t)(at - to);
        file->size = (uint32_t)texts[i].len;
        file->crc =
            (uint32_t)crc32(0, (const unsigned char *)texts[i].bytes, (unsigned)texts[i].len);
        file->packed =
            (uint32_t)(file->stored ? (size_t)(put_text(body, texts[i].bytes, texts[i].len) - body)
                                    : deflate_to(body, room - (size_t)(body - to), texts[i].bytes,
                                                 texts[i].len, -15));
        head = put_zip(put_le(head, 0x04034b50, 4), file);
        (void)put_text(head, file->name, strlen(file->name));
        at = body + file->packed;
    }
    list = at;
    for (size_t i = 0; i < FILES; i++) {
        struct zip_file shown = files[i];
        if (large)
            shown.packed = shown.size = shown.offset = UINT32_MAX;
        at = put_zip(put_le(put_le(at, 0x02014b50, 4), 20, 2), &shown);
        if (large)
            (void)put_le(at - 2, 4 + 24, 2);
        at = put_le(put_le(put_le(put_le(at, 0, 2), 0, 2), 0, 2), 0, 4);
        at = put_le(at, shown.offset, 4);
        at = put_text(at, files[i].name, strlen(files[i].name));
        if (large) {
            at = put_le(put_le(at, 1, 2), 24, 2);
            at = put_le(put_le(put_le(at, files[i].size, 8), files[i].packed, 8), files[i].offset,
                        8);
        }
    }
    uint64_t list_len = (uint64_t)(at - list), list_at = (uint64_t)(list - to);
    if (large) {
        uint64_t place = (uint64_t)(at - to);
        at = put_le(put_le(put_le(put_le(at, 0x06064b50, 4), 44, 8), 45, 2), 45, 2);
        at = put_le(put_le(put_le(put_le(at, 0, 4), 0, 4), FILES, 8), FILES, 8);
        at = put_le(put_le(at, list_len, 8), list_at, 8);
        at = put_le(put_le(put_le(put_le(at, 0x07064b50, 4), 0, 4), place, 8), 1, 4);
    }
    at = put_le(put_le(put_le(at, 0x06054b50, 4), 0, 2), 0, 2);
    at = put_le(put_le(at, large ? UINT16_MAX : FILES, 2), large ? UINT16_MAX : FILES, 2);
    at = put_le(put_le(at, list_len, 4), large ? UINT32_MAX : list_at, 4);
    return (size_t)(put_le(at, 0, 2) - to);
}

static size_t xz_to(unsigned char *to, size_t room, const char *bytes, size_t len)
{
    size_t at = 0;
    cr_assert_eq(lzma_easy_buffer_encode(3, LZMA_CHECK_CRC64, NULL, (const uint8_t *)bytes, len, to,
                                         &at, room),
                 LZMA_OK);
    return at;
}

static size_t zstd_to(unsigned char *to, size_t room, const char *bytes, size_t len)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t packed = ZSTD_compress2(context, to, room, bytes, len);
    ZSTD_freeCCtx(context);
    cr_assert(!ZSTD_isError(packed));
    return packed;
}

unsigned char *pack(enum packing packing, const char *bytes, size_t len, size_t *packed_len)
{
    size_t room = 2 * len + 4096, half = len / 2, first;
    unsigned char *to = calloc(1, room);
    cr_assert_not_null(to);
    switch (packing) {
    case PACK_GZIP: *packed_len = deflate_to(to, room, bytes, len, 15 + 16); break;
    case PACK_GZIP_PARTS:
        first = deflate_to(to, room, bytes, half, 15 + 16);
        *packed_len =
            first + deflate_to(to + first, room - first, bytes + half, len - half, 15 + 16);
        *packed_len += 100; /* zeros behind it, as tapes leave them */
        break;
    case PACK_XZ: *packed_len = xz_to(to, room, bytes, len); break;
    case PACK_ZSTD: *packed_len = zstd_to(to, room, bytes, len); break;
    case PACK_ZSTD_PARTS:
        first = zstd_to(to, room, bytes, half);
        *packed_len = first + zstd_to(to + first, room - first, bytes + half, len - half);
        break;
    case PACK_ZIP: *packed_len = zip_to(to, room, bytes, len, false, false); break;
    case PACK_ZIP_STORED: *packed_len = zip_to(to, room, bytes, len, true, false); break;
    case PACK_ZIP_LARGE: *packed_len = zip_to(to, room, bytes, len, false, true); break;
    default: memcpy(to, bytes, len); *packed_len = len;
    }
    return to;
}
