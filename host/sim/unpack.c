/* unpack.c - see the header. */
#include "sim/unpack.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- stamped ----------------------------------------------------------------------------------- */

static size_t count_digits(struct weir_bytes line)
{
    size_t count = 0;
    while (count < line.len && is_digit(line.data[count]))
        count++;
    return count;
}

const char *unpack_stamped(struct weir_bytes line, struct record *record_out)
{
    size_t digits = count_digits(line);
    struct scan stamp = scan_of((struct weir_bytes){line.data, digits});
    int64_t unit = digits == 19 ? 1 : digits == 16 ? 1000 : digits == 13 ? 1000000 : 0;
    if (unit == 0)
        return "expected a stamp of 13 (ms), 16 (us) or 19 (ns) digits in front";
    int64_t value = scan_digits(&stamp, 0);
    if (!scan_done(&stamp) || __builtin_mul_overflow(value, unit, &record_out->t))
        return "its stamp is no time";
    if (digits + 1 >= line.len || line.data[digits] != ' ')
        return "expected one space and a JSON text behind the stamp";
    record_out->bytes = (struct weir_bytes){line.data + digits + 1, line.len - digits - 1};
    if (record_out->bytes.data[0] != '{' && record_out->bytes.data[0] != '[')
        return "expected a JSON text behind the stamp, beginning with { or [";
    record_out->kind = RECORD_FRAME;
    return NULL;
}

/* --- captures ---------------------------------------------------------------------------------- */

const char *unpack_seconds(struct weir_bytes text, weir_ns *t_out)
{
    char digits[32];
    const char *point = text.len > 0 ? memchr(text.data, '.', text.len) : NULL;
    size_t len = point && (size_t)(text.data + text.len - point) > 10
                     ? (size_t)(point - text.data) + 10
                     : text.len;
    if (len == 0 || len >= sizeof digits)
        return "its time is no number of seconds";
    for (size_t i = len; i < text.len; i++)
        if (!is_digit(text.data[i]))
            return "its time is no number of seconds";
    memcpy(digits, text.data, len);
    struct scan scan = scan_of((struct weir_bytes){digits, len});
    *t_out = scan_digits(&scan, 9);
    return scan_done(&scan) && *t_out > 0 ? NULL : "its time is no number of seconds";
}

/* The members of a line that both formats have; absent ones stay empty. */
struct members {
    struct weir_bytes t, conn, ts, url, addr, data, b64, dir, raw;
    bool t_is_text, has_data;
};

/* A string's inside, or a number's text. */
static struct weir_bytes value_of(struct scan *scan, bool *is_text)
{
    *is_text = scan_peek(scan) == '"';
    if (*is_text)
        return scan_string(scan);
    const char *from = scan->at;
    scan_skip(scan);
    return (struct weir_bytes){from, (size_t)(scan->at - from)};
}

static bool read_members(struct weir_bytes line, struct members *members)
{
    static const struct {
        const char *name;
        size_t offset;
    } known[] = {
#define KNOWN(name) {#name, offsetof(struct members, name)}
        KNOWN(t),    KNOWN(conn), KNOWN(ts),  KNOWN(url), KNOWN(addr),
        KNOWN(data), KNOWN(b64),  KNOWN(dir), KNOWN(raw),
#undef KNOWN
    };
    struct scan scan = scan_of(line);
    struct weir_bytes key;
    int first = 1;
    *members = (struct members){0};
    scan_expect(&scan, '{');
    while (scan_key(&scan, &first, &key)) {
        bool is_text;
        struct weir_bytes value = value_of(&scan, &is_text);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (scan_is(key, known[i].name))
                memcpy((char *)members + known[i].offset, &value, sizeof value);
        if (scan_is(key, "t"))
            members->t_is_text = is_text;
        else if (is_text && (scan_is(key, "data") || scan_is(key, "b64") || scan_is(key, "raw")))
            members->has_data = true;
    }
    return scan_done(&scan);
}

#define NO_JSON "expected a whole JSON object"

const char *unpack_capture(struct weir_bytes line, struct captured *captured_out)
{
    static const struct {
        const char *name;
        enum record_kind kind;
    } kinds[] = {{"recv", RECORD_FRAME},
                 {"http", RECORD_HTTP},
                 {"connect", RECORD_CONNECT},
                 {"send", RECORD_SENT}};
    struct members members;
    *captured_out = (struct captured){0};
    if (!read_members(line, &members))
        return NO_JSON;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (members.t_is_text && scan_is(members.t, kinds[i].name))
            captured_out->kind = kinds[i].kind;
    captured_out->header = members.t_is_text && scan_is(members.t, "header");
    if (captured_out->kind == RECORD_END)
        return NULL; /* a header, or what is not known here */
    if (captured_out->kind != RECORD_CONNECT && !members.has_data)
        return "expected the message's text as \"data\" or \"b64\"";
    captured_out->conn = members.conn;
    captured_out->target = captured_out->kind == RECORD_HTTP ? members.url : members.addr;
    captured_out->base64 = members.b64.len > 0;
    captured_out->data = captured_out->base64 ? members.b64 : members.data;
    return unpack_seconds(members.ts, &captured_out->t);
}

const char *unpack_frame(struct weir_bytes line, struct captured *captured_out)
{
    struct members members;
    *captured_out = (struct captured){0};
    if (!read_members(line, &members))
        return NO_JSON;
    captured_out->kind = scan_is(members.dir, "in")     ? RECORD_FRAME
                         : scan_is(members.dir, "http") ? RECORD_HTTP
                         : scan_is(members.dir, "out")  ? RECORD_SENT
                                                        : RECORD_END;
    if (captured_out->kind == RECORD_END)
        return NULL;
    if (!members.has_data)
        return "expected the message's text as \"raw\"";
    captured_out->target = members.url;
    captured_out->data = members.raw;
    return unpack_seconds(members.t, &captured_out->t);
}

/* --- captures as text -------------------------------------------------------------------------- */

static const char *find(struct weir_bytes text, const char *word)
{
    return text.len > 0 ? memmem(text.data, text.len, word, strlen(word)) : NULL;
}

static struct weir_bytes between(const char *from, const char *to)
{
    return (struct weir_bytes){from, (size_t)(to - from)};
}

/* How a line of text begins: with an address and an arrow, or with a time. */
static const struct arrow {
    const char *text;
    enum record_kind kind;
} arrows[] = {{" <-> ", RECORD_CONNECT}, {" <- ", RECORD_SENT}, {" -> ", RECORD_HTTP}};

/* NULL: it does not begin with an address. */
static const struct arrow *arrow_of(struct weir_bytes line, const char **at_out)
{
    const char *space = line.len > 0 ? memchr(line.data, ' ', line.len) : NULL;
    if (!space)
        return NULL;
    size_t left = (size_t)(line.data + line.len - space);
    for (size_t i = 0; i < sizeof arrows / sizeof arrows[0]; i++) {
        size_t len = strlen(arrows[i].text);
        if (left >= len && memcmp(space, arrows[i].text, len) == 0 &&
            find(between(line.data, space), "://"))
            return *at_out = space, &arrows[i];
    }
    return NULL;
}

const char *unpack_text(struct weir_bytes line, struct captured *captured_out)
{
    const char *at = line.data, *end = line.data + line.len, *space;
    const struct arrow *arrow = arrow_of(line, &space);
    *captured_out = (struct captured){.kind = RECORD_FRAME, .plain = true};
    if (arrow) {
        captured_out->kind = arrow->kind;
        captured_out->target = between(line.data, space);
        captured_out->conn = arrow->kind == RECORD_HTTP ? (struct weir_bytes){"http", 4}
                                                        : (struct weir_bytes){"", 0};
        at = space + strlen(arrow->text);
    }
    const char *colon = find(between(at, end), ": ");
    if (!colon && captured_out->kind != RECORD_CONNECT)
        return "expected a time in seconds, a colon, a space and the message";
    captured_out->data = colon ? between(colon + 2, end) : between(end, end);
    return unpack_seconds(between(at, colon ? colon : end), &captured_out->t);
}

/* --- rows of values ---------------------------------------------------------------------------- */

static bool is_word(struct weir_bytes text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

/* The value in that column. */
static struct weir_bytes column_of(struct weir_bytes line, int column)
{
    const char *at = line.data, *end = at + line.len;
    for (; column > 0; column--) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (!comma)
            return between(end, end);
        at = comma + 1;
    }
    const char *comma = memchr(at, ',', (size_t)(end - at));
    return between(at, comma ? comma : end);
}

int unpack_time_column(struct weir_bytes names)
{
    if (names.len == 0 || !memchr(names.data, ',', names.len) || memchr(names.data, '{', names.len))
        return -1;
    for (int i = 0; i < 64; i++) {
        struct weir_bytes name = column_of(names, i);
        if (name.len == 0)
            return -1;
        if (is_word(name, "timestamp"))
            return i;
    }
    return -1;
}

const char *unpack_row(struct weir_bytes line, int time_column, struct record *record_out)
{
    struct weir_bytes time = column_of(line, time_column);
    struct scan scan = scan_of(time);
    int64_t ms = scan_digits(&scan, 0);
    if (!scan_done(&scan) || ms <= 0 || __builtin_mul_overflow(ms, 1000000, &record_out->t))
        return "expected a time in milliseconds in the column timestamp";
    record_out->bytes = line;
    record_out->kind = RECORD_FRAME;
    return NULL;
}

bool unpack_format(struct weir_bytes line, enum recording_format *format_out)
{
    struct members members;
    struct captured captured;
    const char *space;
    size_t digits = count_digits(line);
    if (digits > 0 && digits < line.len && line.data[digits] == ' ')
        return *format_out = FORMAT_STAMPED, true;
    if (arrow_of(line, &space) || (digits > 0 && digits < line.len && line.data[digits] == '.' &&
                                   !unpack_text(line, &captured)))
        return *format_out = FORMAT_TEXT, true;
    if (unpack_time_column(line) >= 0)
        return *format_out = FORMAT_ROWS, true;
    if (!read_members(line, &members) || members.t.len == 0)
        return false;
    if (members.t_is_text)
        return *format_out = FORMAT_CAPTURE, true;
    return *format_out = FORMAT_FRAMES, members.dir.len > 0;
}

/* --- texts ------------------------------------------------------------------------------------- */

static int hex_of(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Four hex digits; -1: not there. */
static int32_t unit_of(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_of(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static char *put_utf8(char *to, int32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 63));
        }
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* \uXXXX, with its second half where it needs one; at is behind the u. NULL: no character. */
static const char *unescape_u(const char *at, const char *end, char **to)
{
    int32_t c = unit_of(at, end);
    if (c < 0)
        return NULL;
    at += 4;
    if (c >= 0xd800 && c < 0xdc00) {
        int32_t low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? unit_of(at + 2, end) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return NULL;
        c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
        at += 6;
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return NULL;
    }
    *to = put_utf8(*to, c);
    return at;
}

bool unpack_string(struct weir_bytes text, char *to, size_t *len_out)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *at = text.data, *end = at + text.len;
    char *start = to;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (!escape)
            break;
        if (end - at < 2)
            return false;
        const char *known = at[1] ? strchr(from, at[1]) : NULL;
        if (known) {
            *to++ = into[known - from];
            at += 2;
        } else if (at[1] != 'u' || !(at = unescape_u(at + 2, end, &to))) {
            return false;
        }
    }
    *len_out = (size_t)(to - start);
    return true;
}

static int value64(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : is_digit(c)          ? c - '0' + 52
           : c == '+' || c == '-' ? 62
           : c == '/' || c == '_' ? 63
                                  : -1;
}

static bool unpack_base64(struct weir_bytes text, char *to, size_t *len_out)
{
    uint32_t bits = 0;
    int held = 0;
    char *start = to;
    while (text.len > 0 && text.data[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int value = value64(text.data[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *to++ = (char)(bits >> held);
        }
    }
    *len_out = (size_t)(to - start);
    return text.len % 4 != 1;
}

const char *unpack_texts(const struct captured *captured, char *target, size_t *target_len,
                         char *data, size_t *data_len)
{
    *target_len = *data_len = 0;
    if (captured->plain) {
        *target_len = captured->target.len;
        *data_len = captured->data.len;
        if (*target_len > 0)
            memcpy(target, captured->target.data, *target_len);
        if (*data_len > 0)
            memcpy(data, captured->data.data, *data_len);
        return NULL;
    }
    if (captured->target.len > 0 && !unpack_string(captured->target, target, target_len))
        return "its address is no JSON string";
    if (captured->base64)
        return unpack_base64(captured->data, data, data_len) ? NULL : "its data are no base64";
    if (captured->data.len > 0 && !unpack_string(captured->data, data, data_len))
        return "its text is no JSON string";
    return NULL;
}

void unpack_quote(struct weir_bytes line, char *to, size_t room)
{
    size_t len = line.len < room - 6 ? line.len : room - 6;
    (void)snprintf(to, room, "\"%.*s\"%s", (int)len, len > 0 ? line.data : "",
                   len < line.len ? "..." : "");
    for (char *at = to; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = '?';
}
