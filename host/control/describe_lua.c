/* describe_lua.c - what scripts can call and are told: as annotations for lua-language-server
 * (sdk/lua/weir.lua), and as tables for people; both from host/script/reference.c. */
#include <string.h>

#include "control/describe.h"
#include "script/reference.h"

/* --- annotations ---------------------------------------------------------------------------------- */

static void annotate_class(struct text *out, const struct reference_class *of)
{
    text_say(out, "--- %s\n---@class %s\n", of->doc, of->name);
    for (const struct reference_field *f = of->fields; f->name; f++)
        text_say(out, "---@field %s %s%s%s\n", f->name, f->type, *f->doc ? " " : "", f->doc);
    text_say(out, "\n");
}

/* "string? id, weir.Error? err": one line each. */
static void annotate_returns(struct text *out, const char *returns)
{
    while (returns && *returns) {
        size_t len = strcspn(returns, ",");
        text_say(out, "---@return %.*s\n", (int)len, returns);
        returns += len + strspn(returns + len, ", ");
    }
}

static void annotate_function(struct text *out, const struct reference_function *f)
{
    text_say(out, "--- %s\n", f->doc);
    for (const struct reference_field *p = f->params; p->name; p++)
        text_say(out, "---@param %s%s %s%s%s\n", p->name,
                 p->type[strlen(p->type) - 1] == '?' ? "?" : "", p->type, *p->doc ? " " : "",
                 p->doc);
    annotate_returns(out, f->returns);
    if (strcmp(f->name, "on") == 0)
        for (const struct reference_event *e = reference_events; e->name; e++)
            text_say(out, "---@overload fun(event: \"%s\", handler: fun(%s)): boolean\n", e->name,
                     e->signature);
    text_say(out, "function weir.%s(", f->name);
    for (const struct reference_field *p = f->params; p->name; p++)
        text_say(out, "%s%s", p == f->params ? "" : ", ", p->name);
    text_say(out, ") end\n\n");
}

void describe_lua_annotations(struct text *out)
{
    text_say(
        out,
        "---@meta\n"
        "-- Printed by `weir describe lua` from the list that the sandbox is tested against; "
        "point\n"
        "-- Lua.workspace.library of lua-language-server at this folder.\n\n"
        "---@alias weir.Number number|weir.Dec\n"
        "---@alias weir.OrderType \"limit\"|\"market\"|\"stop\"|\"stop_limit\"|\"take_profit\"|"
        "\"trailing\"|\"iceberg\"\n"
        "---@alias weir.Tif \"gtc\"|\"ioc\"|\"fok\"|\"gtd\"|\"day\"\n"
        "---@alias weir.Event");
    for (const struct reference_event *e = reference_events; e->name; e++)
        text_say(out, " %s\"%s\"", e == reference_events ? "" : "|", e->name);
    text_say(out,
             "\n\n--- An exact decimal, made by weir.dec().\n---@class weir.Dec\n"
             "---@operator add(weir.Number): weir.Dec\n---@operator sub(weir.Number): weir.Dec\n"
             "---@operator mul(weir.Number): weir.Dec\n---@operator unm: weir.Dec\n"
             "---@field number fun(self: weir.Dec): number the nearest number\n"
             "---@field text fun(self: weir.Dec): string all its digits\n\n");
    for (const struct reference_class *c = reference_classes; c->name; c++)
        annotate_class(out, c);
    text_say(out, "---@class weir\n");
    for (const struct reference_value *v = reference_values; v->name; v++)
        text_say(out, "---@field %s %s %s\n", v->name, v->type, v->doc);
    text_say(out, "weir = {}\n\n");
    for (const struct reference_function *f = reference_functions; f->name; f++)
        annotate_function(out, f);
    if (out->len > 0 && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
}
