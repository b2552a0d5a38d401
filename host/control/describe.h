/* describe.h - references that are printed from lists of the code. [main thread] */
#ifndef WEIR_CONTROL_DESCRIBE_H
#define WEIR_CONTROL_DESCRIBE_H

#include "base/text.h"

/* The JSON Schema of a document that weir prints; false: none is called so. All names, one a line. */
bool describe_json(const char *name, struct text *out);
void describe_json_names(struct text *out);

void describe_lua_annotations(struct text *out); /* sdk/lua/weir.lua */

#endif
