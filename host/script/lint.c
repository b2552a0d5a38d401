/* lint.c - reads the names in a compiled chunk.
 *
 * The compiler has resolved what is local and what is global, so its output says exactly which globals a
 * chunk reads and sets, and at which line. It is asked for that output once, in a cell of its own, and read
 * with bounds: the form is that of ldump.c and lopcodes.h of Lua 5.4. A version whose output looks
 * different is noticed by its header, and then nothing is found.
 *
 *   weir.NAME         GETTABUP of _ENV "weir", then GETFIELD of that register
 *   weir.on("NAME"    ..., then LOADK into the register behind it
 *   weir.submit{NAME= ..., then NEWTABLE into the register behind it, SETFIELD there, and the CALL */
#include "script/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "script/cell.h"
#include "script/reference.h"

enum op {
    OP_LOADK = 3,
    OP_GETUPVAL = 9,
    OP_GETTABUP = 11,
    OP_GETTABLE = 12,
    OP_GETFIELD = 14,
    OP_SETTABUP = 15,
    OP_SETFIELD = 18,
    OP_NEWTABLE = 19,
    OP_CALL = 68,
    OP_TAILCALL = 69
};
enum { SET_MAX = 256, KEY_MAX = 48, DEPTH_MAX = 200, NO_LINE = -128 };

struct bytes {
    const unsigned char *at, *end;
    bool bad;
};

struct span {
    const char *text;
    size_t len;
};

/* One function of the chunk. */
struct proto {
    const unsigned char *code, *deltas;
    struct span *constants; /* text NULL: not a text */
    struct span *upvalues;  /* their names */
    size_t code_count, constant_count, delta_count, upvalue_count;
    int *lines; /* of each instruction */
};

struct reading {
    struct script_lint *lint;
    bool judge; /* the second pass; the first collects what the chunk sets */
    char set[SET_MAX][KEY_MAX];
    size_t set_count;
};

/* --- bytes ----------------------------------------------------------------------------------------- */

static const unsigned char *take(struct bytes *in, size_t len)
{
    static const unsigned char nothing[16];
    if (in->bad || len > (size_t)(in->end - in->at)) {
        in->bad = true;
        return nothing;
    }
    in->at += len;
    return in->at - len;
}

/* Seven bits a byte, the last one marked. */
static size_t take_size(struct bytes *in)
{
    size_t value = 0;
    for (int i = 0; i < 10; i++) {
        unsigned char byte = *take(in, 1);
        value = value << 7 | (byte & 0x7f);
        if (byte & 0x80 || in->bad)
            return in->bad ? 0 : value;
    }
    in->bad = true;
    return 0;
}

static struct span take_string(struct bytes *in)
{
    size_t size = take_size(in);
    if (size == 0)
        return (struct span){"", 0};
    const unsigned char *text = take(in, size - 1);
    return (struct span){in->bad ? "" : (const char *)text, in->bad ? 0 : size - 1};
}

static bool take_constant(struct bytes *in, struct span *text_out)
{
    *text_out = (struct span){NULL, 0};
    switch (*take(in, 1)) {
    case 0x00:
    case 0x01:
    case 0x11: break;
    case 0x03:
    case 0x13: (void)take(in, 8); break;
    case 0x04:
    case 0x14: *text_out = take_string(in); break;
    default: in->bad = true;
    }
    return !in->bad;
}

/* --- instructions ---------------------------------------------------------------------------------- */

struct instruction {
    unsigned op, a, b, c, bx;
};

static struct instruction instruction_at(const struct proto *p, size_t i)
{
    uint32_t word = 0;
    if (i < p->code_count)
        memcpy(&word, p->code + i * sizeof word, sizeof word);
    return (struct instruction){word & 0x7f, word >> 7 & 0xff, word >> 16 & 0xff, word >> 24 & 0xff,
                                word >> 15};
}

/* A constant that is a short text without NUL, into out. */
static bool constant_text(const struct proto *p, size_t index, char out[KEY_MAX])
{
    if (index >= p->constant_count || !p->constants[index].text ||
        p->constants[index].len >= KEY_MAX ||
        memchr(p->constants[index].text, '\0', p->constants[index].len))
        return false;
    memcpy(out, p->constants[index].text, p->constants[index].len);
    out[p->constants[index].len] = '\0';
    return true;
}

static bool is_env(const struct proto *p, unsigned upvalue)
{
    return upvalue < p->upvalue_count && p->upvalues[upvalue].len == 4 &&
           memcmp(p->upvalues[upvalue].text, "_ENV", 4) == 0;
}

/* The key of GETFIELD, or of a GETTABLE whose key was just loaded: constants above 255 come so. */
static bool key_of(const struct proto *p, size_t i, char out[KEY_MAX])
{
    struct instruction get = instruction_at(p, i), load = instruction_at(p, i - 1);
    if (get.op == OP_GETFIELD)
        return constant_text(p, get.c, out);
    return get.op == OP_GETTABLE && i > 0 && load.op == OP_LOADK && load.a == get.c &&
           constant_text(p, load.bx, out);
}

/* Does instruction i read a global? */
static bool global_of(const struct proto *p, size_t i, char out[KEY_MAX])
{
    struct instruction get = instruction_at(p, i), from = instruction_at(p, i - 2);
    if (get.op == OP_GETTABUP)
        return is_env(p, get.b) && constant_text(p, get.c, out);
    return get.op == OP_GETTABLE && i > 1 && from.op == OP_GETUPVAL && from.a == get.b &&
           is_env(p, from.b) && key_of(p, i, out);
}

/* --- findings -------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void find(struct reading *reading, int line,
                                                       const char *format, ...)
{
    struct script_lint *lint = reading->lint;
    va_list args;
    if (lint->count == FINDINGS_MAX)
        return;
    size_t at = lint->count++;
    for (; at > 0 && lint->findings[at - 1].line > line; at--)
        lint->findings[at] = lint->findings[at - 1];
    lint->findings[at].line = line;
    va_start(args, format);
    vsnprintf(lint->findings[at].text, sizeof lint->findings[at].text, format, args);
    va_end(args);
}

#define MEANT(nearest) \
    (nearest) ? "; did you mean " : "", (nearest) ? (nearest) : "", (nearest) ? "?" : ""

static bool is_set(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->set_count; i++)
        if (strcmp(reading->set[i], name) == 0)
            return true;
    return false;
}

static void note_set(struct reading *reading, const char *name)
{
    if (reading->set_count < SET_MAX && !is_set(reading, name))
        snprintf(reading->set[reading->set_count++], KEY_MAX, "%s", name);
}

static void note_import(struct script_lint *lint, const char *name)
{
    for (size_t i = 0; i < lint->import_count; i++)
        if (strcmp(lint->imports[i], name) == 0)
            return;
    if (lint->import_count < IMPORTS_MAX)
        snprintf(lint->imports[lint->import_count++], sizeof lint->imports[0], "%s", name);
}

/* The function of weir is in register `base` after instruction i: look at its arguments, up to the call.
 * What is found counts only if the call comes. */
static void read_call(struct reading *reading, const struct proto *p, size_t i, unsigned base,
                      const char *function)
{
    unsigned table = base + 1;
    const struct reference_class *of = reference_table_of(function, &table);
    struct script_finding found[8];
    size_t count = 0;
    char name[KEY_MAX];
    table = base + 1 + (of ? table : 0);
    for (i++; i < p->code_count; i++) {
        struct instruction at = instruction_at(p, i);
        if ((at.op == OP_CALL || at.op == OP_TAILCALL) && at.a == base)
            break;
        if (at.op == OP_LOADK && at.a == base + 1 && constant_text(p, at.bx, name)) {
            const char *nearest = reference_nearest_event(name);
            if (strcmp(function, "import") == 0 && !reading->judge)
                note_import(reading->lint, name);
            if (strcmp(function, "on") == 0 && !reference_is_event(name) && count < 8) {
                found[count].line = p->lines[i];
                snprintf(found[count++].text, sizeof found[0].text,
                         "weir.on: there is no event '%s'%s%s%s", name, MEANT(nearest));
            }
        }
        if (of && at.op == OP_SETFIELD && at.a == table && constant_text(p, at.b, name) &&
            !reference_has_field(of, name) && count < 8) {
            const char *nearest = reference_nearest_field(of, name);
            found[count].line = p->lines[i];
            snprintf(found[count++].text, sizeof found[0].text, "weir.%s has no member '%s'%s%s%s",
                     function, name, MEANT(nearest));
        }
    }
    for (size_t f = 0; i < p->code_count && reading->judge && f < count; f++)
        find(reading, found[f].line, "%s", found[f].text);
}

static void read_weir(struct reading *reading, const struct proto *p, size_t i, const char *name)
{
    const char *nearest = reference_nearest_weir(name);
    if (!reference_is_weir(name)) {
        if (reading->judge)
            find(reading, p->lines[i], "weir has no '%s'%s%s%s", name, MEANT(nearest));
        return;
    }
    read_call(reading, p, i, instruction_at(p, i).a, name);
}

/* A global was read by instruction i: is it there, and is what is taken from it? */
static void read_global(struct reading *reading, const struct proto *p, size_t i, const char *name)
{
    char member[KEY_MAX];
    size_t next = instruction_at(p, i + 1).op == OP_LOADK ? i + 2 : i + 1;
    bool taken = next < p->code_count && instruction_at(p, next).b == instruction_at(p, i).a &&
                 key_of(p, next, member);
    const char *nearest = reference_nearest_global(name);
    if (is_set(reading, name))
        return;
    if (!reference_is_global(name)) {
        if (reading->judge)
            find(reading, p->lines[i], "global '%s' is read, but nothing sets it%s%s%s", name,
                 MEANT(nearest));
        return;
    }
    if (taken && strcmp(name, "weir") == 0) {
        read_weir(reading, p, next, member);
    } else if (taken && reading->judge && reference_is_library(name) &&
               !reference_is_member(name, member)) {
        nearest = reference_nearest_member(name, member);
        find(reading, p->lines[next], "%s has no '%s' here%s%s%s", name, member, MEANT(nearest));
    }
}

static void read_code(struct reading *reading, const struct proto *p)
{
    char name[KEY_MAX];
    for (size_t i = 0; i < p->code_count; i++) {
        struct instruction at = instruction_at(p, i);
        if (at.op == OP_SETTABUP && is_env(p, at.a) && constant_text(p, at.b, name)) {
            if (!reading->judge)
                note_set(reading, name);
            else
                find(reading, p->lines[i],
                     "global '%s' is set here: write local %s, or keep it in weir.state", name,
                     name);
        } else if (global_of(p, i, name)) {
            read_global(reading, p, i, name);
        }
    }
}

/* --- functions ------------------------------------------------------------------------------------- */

/* An array that lives as long as the state's stack. */
static void *room_in(lua_State *L, size_t count, size_t size)
{
    luaL_checkstack(L, 4, NULL);
    return lua_newuserdatauv(L, count * size + 1, 0);
}

static size_t take_count(struct bytes *in, size_t least)
{
    size_t count = take_size(in);
    if (least > 0 && count > (size_t)(in->end - in->at) / least)
        in->bad = true;
    return in->bad ? 0 : count;
}

static void take_lines(lua_State *L, struct bytes *in, struct proto *p, int line)
{
    struct bytes absolute;
    p->delta_count = take_count(in, 1);
    p->deltas = take(in, p->delta_count);
    size_t count = take_count(in, 2);
    absolute = *in;
    for (size_t i = 0; i < count; i++) {
        (void)take_size(in);
        (void)take_size(in);
    }
    p->lines = room_in(L, p->code_count, sizeof *p->lines);
    for (size_t i = 0; i < p->code_count; i++) {
        int delta = i < p->delta_count ? (signed char)p->deltas[i] : 0;
        if (delta == NO_LINE) {
            (void)take_size(&absolute);
            line = (int)take_size(&absolute);
        } else {
            line += delta;
        }
        p->lines[i] = line;
    }
}

static void take_names(lua_State *L, struct bytes *in, struct proto *p)
{
    size_t locals = take_count(in, 3);
    for (size_t i = 0; i < locals; i++) {
        (void)take_string(in);
        (void)take_size(in);
        (void)take_size(in);
    }
    p->upvalue_count = take_count(in, 1);
    p->upvalues = room_in(L, p->upvalue_count, sizeof *p->upvalues);
    for (size_t i = 0; i < p->upvalue_count; i++)
        p->upvalues[i] = take_string(in);
}

static void take_function(lua_State *L, struct bytes *in, struct reading *reading, int depth)
{
    struct proto p = {.code_count = 0};
    int top = lua_gettop(L);
    (void)take_string(in);
    int line = (int)take_size(in);
    (void)take_size(in);
    (void)take(in, 3);
    p.code_count = take_count(in, 4);
    p.code = take(in, p.code_count * 4);
    p.constant_count = take_count(in, 1);
    p.constants = room_in(L, p.constant_count, sizeof *p.constants);
    for (size_t i = 0; i < p.constant_count && take_constant(in, &p.constants[i]); i++)
        ;
    (void)take(in, take_count(in, 3) * 3);
    for (size_t n = take_count(in, 8); n > 0 && depth > 0 && !in->bad; n--)
        take_function(L, in, reading, depth - 1);
    take_lines(L, in, &p, line);
    take_names(L, in, &p);
    if (!in->bad)
        read_code(reading, &p);
    lua_settop(L, top);
}

/* --- the chunk ------------------------------------------------------------------------------------- */

struct job {
    const struct script_source *source;
    struct heap heap;
    struct reading reading;
};

struct out {
    luaL_Buffer buffer;
    bool begun;
};

/* The buffer may push onto the stack: only once the dump has taken the function from there. */
static int keep(lua_State *L, const void *bytes, size_t len, void *context)
{
    struct out *out = context;
    if (!out->begun)
        luaL_buffinit(L, &out->buffer);
    out->begun = true;
    luaL_addlstring(&out->buffer, bytes, len);
    return 0;
}

static void read_dump(lua_State *L, struct job *job)
{
    static const char header[] = "\x1bLua\x54\0\x19\x93\r\n\x1a\n\x04\x08\x08";
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    enum { HEADER = 15, CHECKS = 16, UPVALUES = 1 };
    if (len < HEADER + CHECKS + UPVALUES || memcmp(text, header, HEADER) != 0)
        return;
    for (int pass = 0; pass < 2; pass++) {
        struct bytes in = {(const unsigned char *)text + HEADER + CHECKS + UPVALUES,
                           (const unsigned char *)text + len, false};
        job->reading.judge = pass == 1;
        take_function(L, &in, &job->reading, DEPTH_MAX);
    }
}

static int lint_in(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    lua_settop(L, 0);
    if (sandbox_load_in(L, job->source->text, job->source->len, "@chunk") != LUA_OK)
        return 0;
    struct out out = {.begun = false};
    (void)lua_dump(L, keep, &out, 0);
    luaL_pushresult(&out.buffer);
    read_dump(L, job);
    return 0;
}

static void lint_body(void *arg)
{
    struct job *job = arg;
    lua_State *L = lua_newstate(heap_alloc, &job->heap);
    lua_pushcfunction(L, lint_in);
    lua_pushlightuserdata(L, job);
    (void)lua_pcall(L, 1, 0, 0);
}

enum weir_err script_lint(const struct script_source *source, struct script_lint *lint_out,
                          struct why *why)
{
    enum { ROOM = 64 << 20, BLOCK = 16 << 20, BUDGET_NS = 2000000000 };
    *lint_out = (struct script_lint){.count = 0};
    enum weir_err err = script_check(source, why);
    if (err)
        return err;
    struct job *job = calloc(1, sizeof *job);
    if (!job || !heap_init(&job->heap, ROOM, BLOCK)) {
        free(job);
        return because(why, WEIR_E_NO_MEMORY, "%s: %s", source->name, err_text(WEIR_E_NO_MEMORY));
    }
    job->source = source;
    job->reading.lint = lint_out;
    struct guard_job guarded = {.body = lint_body, .arg = job, .budget = BUDGET_NS};
    if (guard_run(&guarded) != GUARD_DONE)
        err = because(why, WEIR_E_BAD_CONFIG,
                      "%s: takes too long or too much memory to look through", source->name);
    heap_fini(&job->heap);
    free(job);
    return err;
}
