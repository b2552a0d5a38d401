/* render.c - members by the table of kinds.c, each type of member in one place. */
#include "journal/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"

/* --- time ------------------------------------------------------------------------------------- */

/* The second that holds t, and the nanoseconds after it. */
static struct tm second_of(weir_ns t, int64_t *rest_out)
{
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    int64_t whole = t / 1000000000, rest = t % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        whole--;
    }
    time_t when = (time_t)whole;
    (void)gmtime_r(&when, &tm); /* 64-bit nanoseconds are years that it knows */
    *rest_out = rest;
    return tm;
}

void render_time(weir_ns t, char text[TIME_TEXT_MAX])
{
    int64_t rest;
    struct tm tm = second_of(t, &rest);
    snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, rest);
}

void render_clock(weir_ns t, char text[TIME_TEXT_MAX])
{
    int64_t rest;
    struct tm tm = second_of(t, &rest);
    snprintf(text, TIME_TEXT_MAX, "%02d:%02d:%02d.%06" PRId64, tm.tm_hour, tm.tm_min, tm.tm_sec,
             rest / 1000);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void print_count(int64_t value, int exp, char *text)
{
    if (exp >= 0 && exp <= 18)
        (void)decimal_print(value, exp, text);
    else
        snprintf(text, DECIMAL_TEXT_MAX, "?%" PRId64, value);
}

void render_px(const struct directory *directory, uint32_t instrument, weir_px px, char *text)
{
    const struct weir_instrument *is = directory_instrument(directory, instrument);
    print_count(px, is ? is->price_exp : -1, text);
}

void render_qty(const struct directory *directory, uint32_t instrument, weir_qty qty, char *text)
{
    const struct weir_instrument *is = directory_instrument(directory, instrument);
    print_count(qty, is ? is->qty_exp : -1, text);
}

/* --- one member ------------------------------------------------------------------------------- */

struct scene {
    const struct directory *directory;
    const struct weir_msg *msg;
    const struct kind *kind;
    const struct weir_instrument *instrument; /* NULL: not known */
};

static struct scene scene_of(const struct directory *directory, const struct weir_msg *msg)
{
    return (struct scene){.directory = directory,
                          .msg = msg,
                          .kind = kind_find(msg->kind),
                          .instrument = msg->kind == WEIR_INSTRUMENT
                                            ? (const struct weir_instrument *)(const void *)msg
                                            : directory_instrument(directory, msg->instrument)};
}

static const unsigned char *at(const struct scene *scene, const struct field *field)
{
    return (const unsigned char *)scene->msg + field->at;
}

static uint64_t unsigned_of(const struct scene *scene, const struct field *field)
{
    uint64_t value = 0;
    memcpy(&value, at(scene, field), field->size);
    return value;
}

static int64_t signed_of(const struct scene *scene, const struct field *field)
{
    uint64_t value = unsigned_of(scene, field);
    unsigned bits = 8u * field->size;
    return bits < 64 && value >> (bits - 1) ? (int64_t)(value | ~(uint64_t)0 << bits)
                                            : (int64_t)value;
}

static const struct field *member(const struct kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (strcmp(kind->fields[i].name, name) == 0)
            return &kind->fields[i];
    return NULL;
}

static const char *scope_name(const struct scene *scene, uint32_t id)
{
    const struct field *scope = member(scene->kind, "scope");
    return directory_name(scene->directory,
                          (enum risk_scope)(scope ? unsigned_of(scene, scope) : RISK_SCOPE_COUNT),
                          id);
}

static void bits_text(const struct field *field, uint64_t bits, struct text *out)
{
    const char *between = "";
    for (unsigned bit = 0; bit < 8; bit++)
        if (bits >> bit & 1) {
            text_say(out, "%s%s", between, field->words(bit));
            between = "+";
        }
}

/* What a member is when printed: text for all but whole numbers and yes or no. */
enum form { FORM_TEXT, FORM_INT, FORM_UINT, FORM_BOOL };
static enum form form_of(const struct field *field)
{
    switch (field->type) {
    case FIELD_U8:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_U64: return FORM_UINT;
    case FIELD_I32:
    case FIELD_I64:
    case FIELD_EXP:
    case FIELD_SPAN: return FORM_INT;
    case FIELD_BOOL: return FORM_BOOL;
    default: return FORM_TEXT;
    }
}

static int exp_of(const struct scene *scene, enum field_type type)
{
    if (!scene->instrument)
        return -1;
    return type == FIELD_PX    ? scene->instrument->price_exp
           : type == FIELD_QTY ? scene->instrument->qty_exp
                               : scene->instrument->multiplier_exp;
}

static void text_of(const struct scene *scene, const struct field *field, struct text *out)
{
    char room[DECIMAL_TEXT_MAX + 2 * 64] = "";
    const unsigned char *bytes = at(scene, field);
    switch (field->type) {
    case FIELD_TEXT:
        text_add(out, (const char *)bytes, strnlen((const char *)bytes, field->size));
        return;
    case FIELD_HASH: hex_print(bytes, field->size, room); break;
    case FIELD_TIME:
        if (signed_of(scene, field) != 0)
            render_time(signed_of(scene, field), room);
        break;
    case FIELD_PX:
    case FIELD_QTY:
    case FIELD_MULTIPLIER:
        print_count(signed_of(scene, field), exp_of(scene, field->type), room);
        break;
    case FIELD_AMOUNT: {
        struct weir_amount packed;
        memcpy(&packed, bytes, sizeof packed);
        (void)amount_print(amount_of(packed), room);
        break;
    }
    case FIELD_WORD: text_say(out, "%s", field->words((unsigned)unsigned_of(scene, field))); return;
    case FIELD_BITS: bits_text(field, unsigned_of(scene, field), out); return;
    case FIELD_STRATEGY:
        if (unsigned_of(scene, field) != 0)
            text_say(out, "%s",
                     directory_name(scene->directory, SCOPE_strategy,
                                    (uint32_t)unsigned_of(scene, field)));
        return;
    case FIELD_SCOPE_ID:
        text_say(out, "%s", scope_name(scene, (uint32_t)unsigned_of(scene, field)));
        return;
    default: return;
    }
    text_say(out, "%s", room);
}

/* --- lists at the end ------------------------------------------------------------------------- */

static const struct weir_level *levels_of(const struct weir_msg *msg, uint32_t *bids,
                                          uint32_t *asks)
{
    const struct weir_book_msg *book = (const struct weir_book_msg *)(const void *)msg;
    *bids = book->bids;
    *asks = book->asks;
    return book->levels;
}

static void levels_line(const struct scene *scene, struct text *out)
{
    enum { SHOWN = 3 };
    char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX];
    uint32_t count[2], first = 0;
    const struct weir_level *levels = levels_of(scene->msg, &count[0], &count[1]);
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < count[side] && i < SHOWN; i++) {
            print_count(levels[first + i].px, exp_of(scene, FIELD_PX), px);
            print_count(levels[first + i].qty, exp_of(scene, FIELD_QTY), qty);
            text_say(out, " %s=%s@%s", side == 0 ? "bid" : "ask", qty, px);
        }
        if (count[side] > SHOWN)
            text_say(out, " +%u", (unsigned)(count[side] - SHOWN));
        first += count[side];
    }
}

static void levels_json(const struct scene *scene, struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    uint32_t count[2], first = 0;
    const struct weir_level *levels = levels_of(scene->msg, &count[0], &count[1]);
    for (int side = 0; side < 2; side++) {
        json_key(out, side == 0 ? "bid_levels" : "ask_levels");
        json_array(out);
        for (uint32_t i = first; i < first + count[side]; i++) {
            json_array(out);
            print_count(levels[i].px, exp_of(scene, FIELD_PX), number);
            json_string(out, number);
            print_count(levels[i].qty, exp_of(scene, FIELD_QTY), number);
            json_string(out, number);
            json_end(out);
        }
        json_end(out);
        first += count[side];
    }
}

static struct decision_walk walk_of(const struct scene *scene)
{
    return decision_begin((const struct out_decision *)(const void *)scene->msg);
}

static void readings_line(const struct scene *scene, struct text *out)
{
    char value[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
    struct decision_walk walk = walk_of(scene);
    struct risk_reading r;
    while (decision_next(&walk, &r)) {
        print_count(r.value, r.exp, value);
        print_count(r.limit, r.exp, limit);
        text_say(out, " %s%s:%s(%s)=%s/%s", r.failed ? "!" : "",
                 risk_check_name((enum risk_check)r.check),
                 risk_scope_name((enum risk_scope)r.scope),
                 directory_name(scene->directory, (enum risk_scope)r.scope, r.id), value, limit);
    }
}

static void readings_json(const struct scene *scene, struct text *out)
{
    char number[DECIMAL_TEXT_MAX];
    struct decision_walk walk = walk_of(scene);
    struct risk_reading r;
    json_key(out, "readings");
    json_array(out);
    while (decision_next(&walk, &r)) {
        json_object(out);
        json_key(out, "check");
        json_string(out, risk_check_name((enum risk_check)r.check));
        json_key(out, "scope");
        json_string(out, risk_scope_name((enum risk_scope)r.scope));
        json_key(out, "name");
        json_string(out, directory_name(scene->directory, (enum risk_scope)r.scope, r.id));
        json_key(out, "value");
        print_count(r.value, r.exp, number);
        json_string(out, number);
        json_key(out, "limit");
        print_count(r.limit, r.exp, number);
        json_string(out, number);
        json_key(out, "passed");
        json_bool(out, !r.failed);
        json_end(out);
    }
    json_end(out);
}

/* --- a message -------------------------------------------------------------------------------- */

/* Is the member there, and does it say something? */
static bool speaks(const struct scene *scene, const struct field *field)
{
    const unsigned char *bytes = at(scene, field);
    if (field->type == FIELD_WORD)
        return true;
    for (size_t i = 0; i < field->size; i++)
        if (bytes[i] != 0)
            return true;
    return false;
}

static bool is_there(const struct scene *scene, const struct field *field)
{
    return (uint32_t)field->at + field->size <= scene->msg->size;
}

void render_word(const char *bytes, size_t room, struct text *out)
{
    size_t len = strnlen(bytes, room);
    bool quote = memchr(bytes, ' ', len) != NULL;
    if (quote)
        text_add(out, "\"", 1);
    for (size_t i = 0; i < len; i++)
        text_add(out, (unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f ? "?" : &bytes[i], 1);
    if (quote)
        text_add(out, "\"", 1);
}

static void member_line(const struct scene *scene, const struct field *field, struct text *out)
{
    text_say(out, " %s=", field->name);
    if (field->type == FIELD_TEXT) {
        render_word((const char *)at(scene, field), field->size, out);
        return;
    }
    switch (form_of(field)) {
    case FORM_INT: text_say(out, "%" PRId64, signed_of(scene, field)); return;
    case FORM_UINT: text_say(out, "%" PRIu64, unsigned_of(scene, field)); return;
    case FORM_BOOL: text_say(out, "%s", unsigned_of(scene, field) ? "yes" : "no"); return;
    default: text_of(scene, field, out);
    }
}

void render_members(const struct directory *directory, const struct weir_msg *msg, struct text *out)
{
    struct scene scene = scene_of(directory, msg);
    for (size_t i = 0; scene.kind && i < scene.kind->field_count; i++) {
        const struct field *field = &scene.kind->fields[i];
        if (field->type == FIELD_LEVELS)
            levels_line(&scene, out);
        else if (field->type == FIELD_READINGS)
            readings_line(&scene, out);
        else if (is_there(&scene, field) && speaks(&scene, field))
            member_line(&scene, field, out);
    }
}

static void member_json(const struct scene *scene, const struct field *field, struct text *out)
{
    json_key(out, field->name);
    switch (form_of(field)) {
    case FORM_INT: json_int(out, signed_of(scene, field)); return;
    case FORM_UINT: json_uint(out, unsigned_of(scene, field)); return;
    case FORM_BOOL: json_bool(out, unsigned_of(scene, field) != 0); return;
    default: break;
    }
    struct text value;
    text_init(&value);
    text_of(scene, field, &value);
    json_string(out, text_cstr(&value));
    if (!text_ok(&value))
        text_fail(out);
    text_fini(&value);
}

void render_json_members(const struct directory *directory, const struct weir_msg *msg,
                         struct text *out)
{
    struct scene scene = scene_of(directory, msg);
    for (size_t i = 0; scene.kind && i < scene.kind->field_count; i++) {
        const struct field *field = &scene.kind->fields[i];
        if (field->type == FIELD_LEVELS)
            levels_json(&scene, out);
        else if (field->type == FIELD_READINGS)
            readings_json(&scene, out);
        else if (is_there(&scene, field))
            member_json(&scene, field, out);
    }
}

/* Does the header say where this happened? (0 is a venue's number too.) */
static bool has_venue(const struct weir_msg *msg)
{
    bool of_session = msg->kind >= WEIR_SESSION && msg->kind < WEIR_HOST_KINDS;
    bool of_plugin = msg->kind == SIDE_PLUGIN;
    bool filtered = msg->kind == IN_CANCEL_MANY && msg->venue != UINT16_MAX;
    return of_session || of_plugin || filtered || msg->instrument != 0;
}

void render_line(const struct directory *directory, const struct journal_record *record,
                 struct text *out)
{
    char time[TIME_TEXT_MAX];
    const struct weir_msg *msg = record->msg;
    const struct kind *kind = kind_find(msg->kind);
    render_time(msg->t, time);
    text_say(out, "%8" PRIu64 " %-6s %s %s", record->seq, journal_class_name(record->class), time,
             kind ? kind->name : "?");
    if (has_venue(msg))
        text_say(out, " %s", directory_name(directory, SCOPE_venue, msg->venue));
    if (msg->instrument != 0 && msg->kind != WEIR_INSTRUMENT)
        text_say(out, " %s", directory_name(directory, SCOPE_instrument, msg->instrument));
    if (msg->cause != 0)
        text_say(out, " cause=%" PRIu64, msg->cause);
    if (msg->flags != 0)
        text_say(out, " flags=%u", (unsigned)msg->flags);
    render_members(directory, msg, out);
}

void render_json(const struct directory *directory, const struct journal_record *record,
                 struct text *out)
{
    char time[TIME_TEXT_MAX];
    const struct weir_msg *msg = record->msg;
    const struct kind *kind = kind_find(msg->kind);
    json_object(out);
    json_key(out, "seq");
    json_uint(out, record->seq);
    json_key(out, "class");
    json_string(out, journal_class_name(record->class));
    json_key(out, "kind");
    json_string(out, kind ? kind->name : "?");
    json_key(out, "t");
    render_time(msg->t, time);
    json_string(out, time);
    json_key(out, "t_ns");
    json_int(out, msg->t);
    if (has_venue(msg)) {
        json_key(out, "venue");
        json_string(out, directory_name(directory, SCOPE_venue, msg->venue));
    }
    if (msg->instrument != 0) {
        json_key(out, "instrument");
        json_string(out, directory_name(directory, SCOPE_instrument, msg->instrument));
    }
    json_key(out, "cause");
    json_uint(out, msg->cause);
    json_key(out, "flags");
    json_uint(out, msg->flags);
    render_json_members(directory, msg, out);
    json_end(out);
}
