/* describe_json.c - the shape of every document that weir prints with --json, as JSON Schema.
 *
 * A shape is written short; docs and programs read what it becomes:
 *   {a:int b?:text}   an object: a must be there, b may; others may be added some day
 *   {*:T}             an object whose every member is a T          [T]   an array of T
 *   T?                a T, or null                                 @name another shape of this list
 *   text int num bool any, dec (an exact decimal as a text), hash (64 hexadecimal digits, or "")
 * Members are never renamed. A test validates what the program really prints. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "control/describe.h"

static const struct {
    const char *name;
    const char *printed_by;
    const char *shape;
} documents[] = {
    {"order", "an order, wherever one is shown",
     "{order:int cid:text client_id:text venue_id:text strategy:text venue:text instrument:text "
     "side:text "
     "type:text tif:text qty:dec price:dec state:text reason:text cum_qty:dec leaves_qty:dec "
     "cum_quote:dec "
     "tag:text created_ns:int changed_ns:int}"},
    {"position", "a position, wherever one is shown",
     "{venue:text instrument:text qty:dec avg_price:dec realized_pnl:dec unrealized_pnl?:dec?}"},
    {"facts", "books and trades of recordings", "{books:{*:{}} trades:{*:{}}}"},
    {"ctl-status", "weir ctl status --json",
     "{time_ns:int up_ns:int kill_switch:bool live_orders:int sent:{new:int cancel:int "
     "replace:int} "
     "executions:int denied:{*:int} alerts:int inputs:int inputs_per_second:int "
     "journal:{folder:text "
     "records:int durable:int bytes:int failed:bool}}"},
    {"ctl-orders", "weir ctl orders --json", "{orders:[@order]}"},
    {"ctl-positions", "weir ctl positions --json",
     "{positions:[{venue:text instrument:text quote:text qty:dec avg_price:dec realized_pnl:dec "
     "unrealized_pnl?:dec? executions:int strategies:[{strategy:text qty:dec "
     "realized_pnl:dec}]}]}"},
    {"ctl-venues", "weir ctl venues --json",
     "{venues:[{venue:text plugin:text execution:text up:bool reconciling:bool frames:int "
     "frames_per_second:int errors:int gaps:int books:[{instrument:text state:text bid?:dec? "
     "bid_qty?:dec? "
     "ask?:dec? ask_qty?:dec? last?:dec? tops:int trades:int time_ns:int}]}]}"},
    {"ctl-book", "weir ctl book --json",
     "{markets:[{venue:text instrument:text state:text time_ns:int mark?:dec index?:dec "
     "funding_rate?:dec funding_time_ns?:int}] own_orders:bool "
     "bids:[{venue:text instrument:text price:dec qty:dec orders?:int}] "
     "asks:[{venue:text instrument:text price:dec qty:dec orders?:int}]}"},
    {"ctl-scripts", "weir ctl scripts --json",
     "{scripts:[{script:text file:text state:text reason:text armed:bool version:int sha256:text "
     "orders:bool "
     "orders_sent:int orders_denied:int executions:int callbacks:int max_callback_us:int "
     "memory_bytes:int}]}"},
    {"ctl-limits", "weir ctl limits --json",
     "{limits:[{scope:text name:text limit:text value:text reading:dec? headroom:dec?}]}"},
    {"ctl-alerts", "weir ctl alerts --json",
     "{alerts:[{time_ns:int alert:text means:text script:text venue:text instrument:text "
     "text:text}]}"},
    {"ctl-done", "weir ctl kill, resume, cancel, reload, arm, disarm, stop --json", "{ok:text}"},
    {"ctl-error", "weir ctl ... --json, when the host says no", "{error:text}"},
    {"check", "weir check --json", "{ok:bool faults:[text]}"},
    {"script-check", "weir script check --json", "{ok:bool findings:[text]}"},
    {"plugin-check", "weir plugin check --json",
     "{ok:bool checks:[{check:text asked:text result:text reason:text}] passed:int failed:int "
     "skipped:int}"},
    {"script-test", "weir script test --json",
     "{tests:[{file:text name:text passed:bool fault:text}] passed:int failed:int}"},
    {"try", "weir try --json",
     "{scripts:[{script:text outcome:text reason:text orders_sent:int orders_denied:int "
     "logs:[text] remarks:[text] "
     "max_callback_us:int}] host:text isolation:text neighbour_max_gap_us:int}"},
    {"run", "weir run --json",
     "{books:{*:{}} trades:{*:{}} orders:{sent:int cancels:int replaces:int live:int} fills:int "
     "denied:{*:int} "
     "positions:[@position] inputs:int effects:int journal:text journal_hash:hash orders_hash:hash "
     "fills_hash:hash}"},
    {"backtest", "weir backtest --json, of one run",
     "{version:text data:{} parameters:{} config:{path:text sha256:hash} span:{} "
     "metrics:{asset:text "
     "net_pnl:dec realized_pnl:dec unrealized_pnl:dec fees:dec funding:dec turnover:dec} "
     "orders:{sent:int cancels:int replaces:int live:int} fills:int denied:{*:int} positions:[{}] "
     "strategies:[{name:text orders:int fills:int}] series:{} executions:[{}] assumptions:[text] "
     "orders_hash:hash fills_hash:hash journal_hash:hash speed:{}}"},
    {"book", "weir book --json", "{books:{*:{}} trades:{*:{}} l3:{*:{}} streams:{*:{}}}"},
    {"replay", "weir replay --json",
     "{records:int inputs:int effects:int closed:bool journal_hash:hash equal?:bool "
     "differences?:[any]}"},
    {"why", "weir why --json",
     "{cid:text wire_id:text venue_id:text state:text order:{order:int cid:text label:text "
     "side:text type:text "
     "tif:text qty:dec px:dec cum_qty:dec} events:[{what:text text:text record:{seq:int class:text "
     "kind:text "
     "t:text t_ns:int}}]}"},
    {"scenario", "weir scenario --json",
     "{scenarios:[{id:text passed:bool}] passed:int failed:int}"},
    {"exchange", "the first line of weir exchange", "{http:int ws:int}"},
};
enum { DOCUMENTS = sizeof documents / sizeof documents[0] };

/* --- from short to long ---------------------------------------------------------------------------- */

struct shape {
    const char *at;
    struct text *out;
};

static void write_type(struct shape *in);

static void skip(struct shape *in)
{
    while (isspace((unsigned char)*in->at))
        in->at++;
}

static size_t word_len(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-*@");
}

static void say(struct shape *in, const char *key, const char *value)
{
    json_key(in->out, key);
    json_string(in->out, value);
}

/* After "{": members, and what others may be. */
static void write_members(struct shape *in)
{
    char required[32][48];
    size_t count = 0;
    bool map = false;
    say(in, "type", "object");
    json_key(in->out, "properties");
    json_object(in->out);
    for (skip(in); *in->at && *in->at != '}'; skip(in)) {
        char name[48];
        size_t len = word_len(in->at);
        snprintf(name, sizeof name, "%.*s", (int)len, in->at);
        in->at += len;
        bool may_lack = *in->at == '?';
        in->at += may_lack + 1; /* and the colon */
        if (strcmp(name, "*") == 0) {
            map = true;
            break; /* the type follows, behind the properties */
        }
        if (!may_lack && count < 32)
            memcpy(required[count++], name, sizeof name);
        json_key(in->out, name);
        write_type(in);
    }
    json_end(in->out);
    if (map) {
        json_key(in->out, "additionalProperties");
        write_type(in);
        skip(in);
    }
    if (count > 0) {
        json_key(in->out, "required");
        json_array(in->out);
        for (size_t i = 0; i < count; i++)
            json_string(in->out, required[i]);
        json_end(in->out);
    }
    in->at += *in->at == '}';
}

static void write_word(struct shape *in, const char *word)
{
    static const struct {
        const char *word, *type, *pattern;
    } words[] = {{"text", "string", NULL},
                 {"dec", "string", "^-?[0-9]+(\\.[0-9]+)?$"},
                 {"hash", "string", "^([0-9a-f]{64})?$"},
                 {"int", "integer", NULL},
                 {"num", "number", NULL},
                 {"bool", "boolean", NULL}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0) {
            say(in, "type", words[i].type);
            if (words[i].pattern)
                say(in, "pattern", words[i].pattern);
        }
}

static const char *shape_of(const char *name)
{
    for (size_t i = 0; i < DOCUMENTS; i++)
        if (strcmp(documents[i].name, name) == 0)
            return documents[i].shape;
    return NULL;
}

/* One type without its question mark, as members of the open object. */
static void write_bare(struct shape *in)
{
    if (*in->at == '{') {
        in->at++;
        write_members(in);
    } else if (*in->at == '[') {
        in->at++;
        say(in, "type", "array");
        json_key(in->out, "items");
        write_type(in);
        skip(in);
        in->at += *in->at == ']';
    } else {
        char word[48];
        size_t len = word_len(in->at);
        snprintf(word, sizeof word, "%.*s", (int)len, in->at);
        in->at += len;
        struct shape other = {word[0] == '@' ? shape_of(word + 1) : NULL, in->out};
        if (other.at)
            write_bare(&other);
        else
            write_word(in, word);
    }
}

/* A question mark behind the type: null may stand for it. */
static bool may_be_null(const char *at)
{
    int depth = 0;
    if (*at != '{' && *at != '[')
        return at[word_len(at)] == '?';
    do {
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
    } while (*at++ && depth > 0);
    return *at == '?';
}

static void write_type(struct shape *in)
{
    skip(in);
    bool null = may_be_null(in->at);
    json_object(in->out);
    if (null) {
        json_key(in->out, "anyOf");
        json_array(in->out);
        json_object(in->out);
        write_bare(in);
        json_end(in->out);
        json_object(in->out);
        say(in, "type", "null");
        json_end(in->out);
        json_end(in->out);
        in->at += *in->at == '?';
    } else {
        write_bare(in);
    }
    json_end(in->out);
}

bool describe_json(const char *name, struct text *out)
{
    for (size_t i = 0; i < DOCUMENTS; i++) {
        if (strcmp(documents[i].name, name) != 0)
            continue;
        struct shape in = {documents[i].shape, out};
        json_object(out);
        say(&in, "$schema", "http://json-schema.org/draft-07/schema#");
        say(&in, "title", documents[i].name);
        say(&in, "description", documents[i].printed_by);
        write_bare(&in);
        json_end(out);
        return true;
    }
    return false;
}

void describe_json_names(struct text *out)
{
    for (size_t i = 0; i < DOCUMENTS; i++)
        text_say(out, "%-14s %s\n", documents[i].name, documents[i].printed_by);
}
