/* hint.c - what to do about an error, in one sentence, for those who write strategies. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "script/ask.h"
#include "script/reference.h"

/* The first row whose text stands in the message. */
static const struct {
    const char *part;
    const char *hint;
} hints[] = {
    {"(global 'require')",
     "modules come from weir.import(\"name\"), and the configuration lists them"},
    {"(global 'dofile')",
     "modules come from weir.import(\"name\"), and the configuration lists them"},
    {"(global 'loadfile')",
     "modules come from weir.import(\"name\"), and the configuration lists them"},
    {"(global 'os')", "scripts have no system: weir.now() is the time, weir.log() writes a line"},
    {"(global 'io')", "scripts have no files: weir.log() writes a line, weir.state keeps data"},
    {"(global 'debug')", "the debug library is not there; weir.log() shows values"},
    {"(field 'dump')", "string.dump is not there: only text chunks are loaded"},
    {"attempt to index a nil value",
     "what stands before the dot is nil: a book may lack a side, an order may "
     "be gone; test it first"},
    {"attempt to call a nil value",
     "no function has this name here; `weir describe lua` lists what there is"},
    {"arithmetic on a nil value",
     "a field is not there: bid and ask are nil while that side is empty"},
    {"attempt to compare nil", "a value is nil: bid and ask are nil while that side is empty"},
    {"attempt to compare number with nil",
     "a value is nil: bid and ask are nil while that side is empty"},
    {"with nil", "a value is nil: test it before it is compared"},
    {"attempt to concatenate a nil",
     "use tostring(x) or string.format(\"%s\", x) for what may be nil"},
    {"attempt to concatenate a table", "tostring(err) reads well; other tables have no text"},
    {"attempt to compare two table", "compare a field of them, not the tables"},
    {"near <eof>", "the chunk ends too early: is an `end` missing?"},
    {"'end' expected", "a block is not closed"},
    {"'=' expected", "a statement is a call or an assignment"},
    {"error near '+'", "Lua has no +=, ++, != or !: write x = x + 1, ~=, not"},
    {"near '{'", "blocks are `then ... end` and `do ... end`, not braces"},
    {"unexpected symbol", "Lua has no +=, ++, != or !: write x = x + 1, ~=, not"},
    {"unfinished string", "a string in quotes ends in its line; [[ ]] may span lines"},
    {"stack overflow", "a function calls itself without end"},
    {"too many results to unpack", "unpack fewer values at once"},
    {"not an exact", "exact values are made from texts: weir.dec(\"0.1\")"},
    {"weir.settings is read-only", "keep what changes in a local or in weir.state"},
    {"CPU time", "do less in one callback: keep running sums, spread the work over weir.every()"},
    {"of memory", "keep bounded windows of data, not all of it"},
    {"instructions",
     "do less in one callback: keep running sums, spread the work over weir.every()"},
};

/* "... a nil value (field 'aks')": no table that scripts get has it, but one has `ask`. */
static bool field_hint(const char *message, char *out, size_t room)
{
    static const char before[] = "nil value (field '";
    char name[40];
    const char *at = strstr(message, before);
    size_t len = at ? strcspn(at + sizeof before - 1, "'") : 0;
    if (len == 0 || len >= sizeof name)
        return false;
    memcpy(name, at + sizeof before - 1, len);
    name[len] = '\0';
    const char *nearest = reference_nearest_got(name);
    if (!nearest || strcmp(nearest, name) == 0)
        return false;
    snprintf(out, room, "nothing that scripts get has a field '%s'; did you mean %s?", name,
             nearest);
    return true;
}

void hint_for(const char *message, char *out, size_t room)
{
    *out = '\0';
    for (size_t i = 0; i < sizeof hints / sizeof hints[0] && !*out; i++)
        if (strstr(message, hints[i].part) && !field_hint(message, out, room))
            snprintf(out, room, "%s", hints[i].hint);
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* How many letters must be added, left out, changed or swapped with a neighbour; case does not count. */
static unsigned distance(const char *a, const char *b)
{
    enum { MOST = 24 };
    unsigned rows[3][MOST + 1];
    size_t m = strlen(a), n = strlen(b);
    if (m > MOST || n > MOST)
        return MOST;
    for (unsigned j = 0; j <= n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned best = last[j - 1] + !same(a[i - 1], b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[m % 3][n];
}

void hint_begin(struct nearest *nearest, const char *word)
{
    /* mistakes that make a typing error, not another word */
    unsigned most = (unsigned)strlen(word) / 3;
    *nearest = (struct nearest){.word = word, .least = most < 1 ? 2 : most > 2 ? 3 : most + 1};
}

void hint_offer(struct nearest *nearest, const char *name)
{
    unsigned d = distance(nearest->word, name);
    if (d < nearest->least) {
        nearest->least = d;
        nearest->best = name;
    }
}

const char *hint_nearest(const char *word, const char *const *words)
{
    struct nearest nearest;
    for (hint_begin(&nearest, word); *words; words++)
        hint_offer(&nearest, *words);
    return nearest.best;
}

static void say_nearest(const struct nearest *nearest, char *out, size_t room)
{
    snprintf(out, room, "%s%s%s", nearest->best ? "; did you mean " : "",
             nearest->best ? nearest->best : "", nearest->best ? "?" : "");
}

void venue_like(const struct script *script, const char *name, char *out, size_t room)
{
    enum { VENUES = 256 };
    struct nearest nearest;
    hint_begin(&nearest, name);
    for (uint32_t i = 1; i < VENUES; i++)
        if (*ask_name(script, SCOPE_venue, i))
            hint_offer(&nearest, ask_name(script, SCOPE_venue, i));
    say_nearest(&nearest, out, room);
}

void symbol_like(const struct script *script, uint16_t venue, const char *name, char *out,
                 size_t room)
{
    struct nearest nearest;
    hint_begin(&nearest, name);
    for (uint32_t i = 1; i <= ask_instrument_count(script); i++) {
        const struct weir_instrument *known = ask_instrument(script, i);
        if (known && (venue == 0xffff || known->msg.venue == venue))
            hint_offer(&nearest, known->symbol);
    }
    say_nearest(&nearest, out, room);
}
