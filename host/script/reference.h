/* reference.h - what a script can call and what it is told, once: names, types, meanings.
 *
 * From this list come `weir describe lua`, the annotations of sdk/lua/weir.lua for editors, what
 * `weir script check` knows of names, and the words of "did you mean". Tests compare it with what the
 * sandbox really has and what handlers really get. Types are written as lua-language-server reads them;
 * one that ends in ? may be nil. [any thread] */
#ifndef WEIR_SCRIPT_REFERENCE_H
#define WEIR_SCRIPT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

struct reference_field {
    const char *name; /* NULL ends a list */
    const char *type;
    const char *doc;
};

/* A table that scripts give or get. */
struct reference_class {
    const char *name; /* "weir.Order" */
    const char *doc;
    const struct reference_field *fields;
    bool given; /* by the script: other members are refused */
};

struct reference_function {
    const char *name;
    const struct reference_field *params;
    const char *returns; /* "string? id, weir.Error? err"; NULL: nothing */
    const char *doc;
};

struct reference_event {
    const char *name;
    const char *type; /* the class of the table that the handler gets, or of its first argument */
    const char *signature; /* "event: weir.Order" */
    const char *doc;
};

struct reference_value {
    const char *name;
    const char *type;
    const char *doc;
};

/* Each ends with a row whose name is NULL. */
extern const struct reference_class reference_classes[];
extern const struct reference_function reference_functions[];
extern const struct reference_event reference_events[];
extern const struct reference_value reference_values[];

/* NULL: no class is called so. */
const struct reference_class *reference_class(const char *name);
/* The class of the table that a function takes, and as which argument, from 0; NULL: it takes none. */
const struct reference_class *reference_table_of(const char *function, unsigned *argument_out);
bool reference_has_field(const struct reference_class *of, const char *name);
bool reference_is_event(const char *name);
/* Names of the globals of the sandbox but for `weir`, of members of its libraries ("math", "floor"), and of
 * functions and values of `weir`. */
bool reference_is_global(const char *name);
bool reference_is_member(const char *library, const char *name);
bool reference_is_library(const char *name);
bool reference_is_weir(const char *name);
/* The nearest; NULL: none is near. */
const char *reference_nearest_weir(const char *name);
const char *reference_nearest_global(const char *name);
const char *reference_nearest_member(const char *library, const char *name);
const char *reference_nearest_event(const char *name);
const char *reference_nearest_field(const struct reference_class *of, const char *name);
/* Of all tables that scripts get; the name itself, if one of them has it. */
const char *reference_nearest_got(const char *name);

#endif
