/* json.c - JSON that is exactly JSON.
 *
 * One pass judges the text and notes where its numbers stand; then cJSON builds the tree, and each
 * number in it is given its text. cJSON's double of a number is never used for a value. Repeated
 * keys are found by fingerprint of (object, decoded key), in a table that grows with the text.
 * Whatever cJSON would read in another way than it is written (NUL, half surrogate pairs) is
 * refused before. [judge, attach] */
#include "base/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/decimal.h"
#include "base/map.h"
#include "base/text.h"
#include "base/utf8.h"

enum { DEPTH_MAX = 64, NUMBER_MAX = 60 /* cJSON takes 63 */, FILE_MAX_BYTES = 256 << 20 };

struct span {
    size_t from, len;
};

/* What the first pass knows. */
struct judge {
    const char *text;
    size_t len;
    size_t at;
    struct why *why;
    unsigned depth;
    uint64_t objects; /* seen so far: the number of each one */
    struct text key;  /* decoded, of the member at hand */
    struct span *numbers;
    size_t number_count, number_room;
    struct key128 *keys; /* of all members, open addressing; {0, 0}: empty */
    size_t key_count, key_slots;
};

static void place_of(const struct judge *judge, size_t at, unsigned *line_out, unsigned *column_out)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column++;
        if (judge->text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    *line_out = line;
    *column_out = column;
}

static bool refuse_at(struct judge *judge, size_t at, const char *what)
{
    unsigned line, column;
    place_of(judge, at, &line, &column);
    (void)because(judge->why, WEIR_E_BAD_FRAME, "%u:%u: %s", line, column, what);
    return false;
}

/* Refuse what stands here, and say what it is and what should be there. */
static bool refuse(struct judge *judge, const char *expected)
{
    char what[160];
    if (judge->at >= judge->len) {
        (void)snprintf(what, sizeof what, "the text ends where %s is expected", expected);
    } else {
        const char *found = judge->text + judge->at;
        size_t chars = utf8_char(found, judge->len - judge->at);
        if (chars == 0 || (unsigned char)*found < 0x20)
            (void)snprintf(what, sizeof what, "expected %s, found byte 0x%02X", expected,
                           (unsigned char)*found);
        else
            (void)snprintf(what, sizeof what, "expected %s, found '%.*s'", expected, (int)chars,
                           found);
    }
    return refuse_at(judge, judge->at, what);
}

static bool no_memory(struct judge *judge)
{
    (void)because(judge->why, WEIR_E_NO_MEMORY, "no memory to read %zu bytes of JSON", judge->len);
    return false;
}

static int peek(const struct judge *judge)
{
    return judge->at < judge->len ? (unsigned char)judge->text[judge->at] : -1;
}

static bool take(struct judge *judge, int c)
{
    if (peek(judge) != c)
        return false;
    judge->at++;
    return true;
}

static void space(struct judge *judge)
{
    while (take(judge, ' ') || take(judge, '\n') || take(judge, '\r') || take(judge, '\t'))
        ;
}

/* --- strings --------------------------------------------------------------------------------- */

static bool hex4(struct judge *judge, unsigned *unit_out)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(judge);
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (c < 0 || digit < 0)
            return refuse(judge, "a hexadecimal digit");
        unit = unit << 4 | (unsigned)digit;
        judge->at++;
    }
    *unit_out = unit;
    return true;
}

static void add_code(struct text *out, unsigned code)
{
    char bytes[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(lead[len] | code);
    text_add(out, bytes, len);
}

/* The rest of \uXXXX or \uXXXX\uXXXX. */
static bool unicode(struct judge *judge, struct text *out)
{
    size_t from = judge->at - 2;
    unsigned code, low;
    if (!hex4(judge, &code))
        return false;
    if (code == 0)
        return refuse_at(judge, from, "\\u0000: a text here cannot hold NUL");
    if (code >= 0xDC00 && code <= 0xDFFF)
        return refuse_at(judge, from, "the second half of a surrogate pair without the first");
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (!take(judge, '\\') || !take(judge, 'u'))
            return refuse_at(judge, from, "the first half of a surrogate pair without the second");
        if (!hex4(judge, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return refuse_at(judge, from, "the first half of a surrogate pair without the second");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    add_code(out, code);
    return true;
}

static bool escaped(struct judge *judge, struct text *out)
{
    static const char pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* letter, byte */
    int c = peek(judge);
    for (const char *p = pairs; *p; p += 2)
        if (c == p[0]) {
            text_add(out, p + 1, 1);
            judge->at++;
            return true;
        }
    if (!take(judge, 'u'))
        return refuse(judge, "one of \"\\/bfnrtu after a backslash");
    return unicode(judge, out);
}

/* A string, decoded into out. */
static bool string(struct judge *judge, struct text *out)
{
    out->len = 0;
    if (!take(judge, '"'))
        return refuse(judge, "a string");
    while (!take(judge, '"')) {
        if (take(judge, '\\')) {
            if (!escaped(judge, out))
                return false;
            continue;
        }
        size_t chars = utf8_char(judge->text + judge->at, judge->len - judge->at);
        if (judge->at < judge->len && chars == 0)
            return refuse(judge, "UTF-8");
        if (peek(judge) < 0x20)
            return refuse(judge, "'\"' or a character (control characters need an escape)");
        text_add(out, judge->text + judge->at, chars);
        judge->at += chars;
    }
    return text_ok(out) || no_memory(judge);
}

/* --- keys ------------------------------------------------------------------------------------ */

static bool is_empty(struct key128 key)
{
    return key.a == 0 && key.b == 0;
}

/* The slot of key, or the empty one for it. */
static struct key128 *slot_of(struct key128 *keys, size_t slots, struct key128 key)
{
    size_t i = key.a & (slots - 1);
    while (!is_empty(keys[i]) && (keys[i].a != key.a || keys[i].b != key.b))
        i = (i + 1) & (slots - 1);
    return &keys[i];
}

static bool more_slots(struct judge *judge)
{
    size_t slots = judge->key_slots ? judge->key_slots * 2 : 64;
    struct key128 *keys = calloc(slots, sizeof *keys);
    if (!keys)
        return no_memory(judge);
    for (size_t i = 0; i < judge->key_slots; i++)
        if (!is_empty(judge->keys[i]))
            *slot_of(keys, slots, judge->keys[i]) = judge->keys[i];
    free(judge->keys);
    judge->keys = keys;
    judge->key_slots = slots;
    return true;
}

static bool key(struct judge *judge, uint64_t object)
{
    char what[160];
    size_t from = judge->at;
    if (!string(judge, &judge->key))
        return false;
    if (judge->key_count * 2 >= judge->key_slots && !more_slots(judge))
        return false;
    struct key128 print = key_of(judge->key.data, judge->key.len, object);
    struct key128 *slot = slot_of(judge->keys, judge->key_slots, print);
    if (!is_empty(*slot)) {
        (void)snprintf(what, sizeof what, "the key \"%.60s\" is here twice",
                       text_cstr(&judge->key));
        return refuse_at(judge, from, what);
    }
    *slot = print;
    judge->key_count++;
    return true;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool value(struct judge *judge);

static bool digits(struct judge *judge)
{
    size_t from = judge->at;
    while (peek(judge) >= '0' && peek(judge) <= '9')
        judge->at++;
    return judge->at > from || refuse(judge, "a digit");
}

static bool note_number(struct judge *judge, size_t from)
{
    if (judge->number_count == judge->number_room) {
        size_t room = judge->number_room ? judge->number_room * 2 : 64;
        struct span *numbers = realloc(judge->numbers, room * sizeof *numbers);
        if (!numbers)
            return no_memory(judge);
        judge->numbers = numbers;
        judge->number_room = room;
    }
    judge->numbers[judge->number_count++] = (struct span){from, judge->at - from};
    return true;
}

static bool number(struct judge *judge)
{
    size_t from = judge->at;
    (void)take(judge, '-');
    if (take(judge, '0')) {
        if (peek(judge) >= '0' && peek(judge) <= '9')
            return refuse_at(judge, from, "a number must not begin with a zero");
    } else if (!digits(judge)) {
        return false;
    }
    if (take(judge, '.') && !digits(judge))
        return false;
    if (take(judge, 'e') || take(judge, 'E')) {
        if (!take(judge, '+'))
            (void)take(judge, '-');
        if (!digits(judge))
            return false;
    }
    if (judge->at - from > NUMBER_MAX)
        return refuse_at(judge, from, "a number of more than 60 characters");
    return note_number(judge, from);
}

static bool word(struct judge *judge, const char *word)
{
    size_t len = strlen(word), left = judge->len - judge->at;
    if (left < len || memcmp(judge->text + judge->at, word, len) != 0)
        return refuse(judge, "a value");
    judge->at += len;
    return true;
}

static bool member(struct judge *judge, uint64_t object)
{
    space(judge);
    if (!key(judge, object))
        return false;
    space(judge);
    return (take(judge, ':') || refuse(judge, "':'")) && value(judge);
}

static bool object(struct judge *judge)
{
    uint64_t number = ++judge->objects;
    space(judge);
    if (take(judge, '}'))
        return true;
    do {
        if (!member(judge, number))
            return false;
        space(judge);
    } while (take(judge, ','));
    return take(judge, '}') || refuse(judge, "',' or '}'");
}

static bool array(struct judge *judge)
{
    space(judge);
    if (take(judge, ']'))
        return true;
    do {
        if (!value(judge))
            return false;
        space(judge);
    } while (take(judge, ','));
    return take(judge, ']') || refuse(judge, "',' or ']'");
}

static bool nested(struct judge *judge, bool (*inside)(struct judge *))
{
    if (++judge->depth > DEPTH_MAX)
        return refuse_at(judge, judge->at, "more than 64 levels of nesting");
    judge->at++;
    bool good = inside(judge);
    judge->depth--;
    return good;
}

static bool value(struct judge *judge)
{
    space(judge);
    int c = peek(judge);
    switch (c) {
    case '{': return nested(judge, object);
    case '[': return nested(judge, array);
    case '"': return string(judge, &judge->key);
    case 't': return word(judge, "true");
    case 'f': return word(judge, "false");
    case 'n': return word(judge, "null");
    default: return c == '-' || (c >= '0' && c <= '9') ? number(judge) : refuse(judge, "a value");
    }
}

static bool document(struct judge *judge)
{
    if (!value(judge))
        return false;
    space(judge);
    return judge->at == judge->len || refuse(judge, "the end of the text");
}

/* --- the tree -------------------------------------------------------------------------------- */

/* Give each number of the tree, in the order of the text, its text. */
static bool attach(const struct judge *judge, cJSON *item, size_t *next)
{
    for (; item; item = item->next) {
        if (cJSON_IsNumber(item)) {
            struct span span = judge->numbers[(*next)++];
            char *text = cJSON_malloc(span.len + 1);
            if (!text)
                return false;
            memcpy(text, judge->text + span.from, span.len);
            text[span.len] = '\0';
            item->valuestring = text; /* cJSON_Delete frees it */
        } else if (!attach(judge, item->child, next)) {
            return false;
        }
    }
    return true;
}

static cJSON *build(struct judge *judge)
{
    size_t next = 0;
    cJSON *root = cJSON_ParseWithLength(judge->text, judge->len);
    if (!root || !attach(judge, root, &next)) {
        cJSON_Delete(root);
        (void)no_memory(judge); /* the text is good, so nothing else is left */
        return NULL;
    }
    return root;
}

cJSON *json_read(const char *text, size_t len, struct why *why)
{
    struct judge judge = {.text = text, .len = len, .why = why};
    text_init(&judge.key);
    cJSON *root = document(&judge) ? build(&judge) : NULL;
    text_fini(&judge.key);
    free(judge.numbers);
    free(judge.keys);
    return root;
}

/* --- files ----------------------------------------------------------------------------------- */

static enum weir_err read_all(int fd, size_t size, char *text, size_t *len_out, struct why *why)
{
    size_t len = 0;
    ssize_t got = 1;
    while (len < size && got > 0) {
        got = read(fd, text + len, size - len);
        if (got > 0)
            len += (size_t)got;
    }
    *len_out = len;
    return got < 0 ? because(why, WEIR_E_IO, "reading: %m") : WEIR_OK;
}

static cJSON *read_open(int fd, struct why *why)
{
    struct stat info;
    size_t len = 0;
    cJSON *root = NULL;
    if (fstat(fd, &info) != 0) {
        (void)because(why, WEIR_E_IO, "looking at it: %m");
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || info.st_size > FILE_MAX_BYTES) {
        (void)because(why, WEIR_E_IO, "not a plain file of at most %d bytes", FILE_MAX_BYTES);
        return NULL;
    }
    char *text = malloc((size_t)info.st_size + 1);
    if (!text)
        (void)because(why, WEIR_E_NO_MEMORY, "no memory for %lld bytes", (long long)info.st_size);
    else if (read_all(fd, (size_t)info.st_size, text, &len, why) == WEIR_OK)
        root = json_read(text, len, why);
    free(text);
    return root;
}

cJSON *json_read_file(const char *path, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)because(why, WEIR_E_IO, "%s: %m", path);
        return NULL;
    }
    cJSON *root = read_open(fd, why);
    if (!root)
        while_doing(why, "%s", path);
    (void)close(fd);
    return root;
}

/* --- reading the tree ------------------------------------------------------------------------ */

const cJSON *json_get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *json_text(const cJSON *object, const char *key, const char *otherwise)
{
    const cJSON *item = json_get(object, key);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}

const char *json_digits(const cJSON *item)
{
    return cJSON_IsNumber(item) ? item->valuestring : NULL;
}

bool json_whole(const cJSON *item, int64_t *value_out)
{
    const int64_t most = (int64_t)1 << 53;
    const char *text = json_digits(item);
    int64_t value;
    if (!text || decimal_parse(text, strlen(text), 0, &value) != WEIR_OK || value > most ||
        value < -most)
        return false;
    *value_out = value;
    return true;
}

static bool is_listed(const char *name, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(*keys, name) == 0)
            return true;
    return false;
}

enum weir_err json_only(const cJSON *object, const char *const *keys, struct why *why)
{
    if (!cJSON_IsObject(object))
        return because(why, WEIR_E_BAD_CONFIG, "expected an object");
    for (const cJSON *item = object->child; item; item = item->next) {
        if (is_listed(item->string, keys))
            continue;
        struct text known;
        text_init(&known);
        for (const char *const *k = keys; *k; k++)
            text_say(&known, "%s%s", k == keys ? "" : ", ", *k);
        (void)because(why, WEIR_E_BAD_CONFIG, "unknown member \"%.60s\"; known are: %s",
                      item->string, text_cstr(&known));
        text_fini(&known);
        return WEIR_E_BAD_CONFIG;
    }
    return WEIR_OK;
}
