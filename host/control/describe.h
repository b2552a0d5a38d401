/* describe.h - references that are printed from lists of the code. [main thread] */
#ifndef WEIR_CONTROL_DESCRIBE_H
#define WEIR_CONTROL_DESCRIBE_H

#include "base/text.h"

void describe_lua_annotations(struct text *out); /* sdk/lua/weir.lua */

#endif
