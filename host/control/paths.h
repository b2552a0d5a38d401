/* paths.h - where the files of an installation are, found from the running program itself. */
#ifndef WEIR_CONTROL_PATHS_H
#define WEIR_CONTROL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/why.h"

/* A plugin by name ("binance": the plugins folder beside the program) or by path (has a slash).
 * NULL: why names the places that were looked at. The text is valid until the next call.
 *                                                                              [main thread] */
const char *plugin_path(const char *name, struct why *why);

/* A module of Lua that a script imports: lib/NAME.lua beside the script, in scripts/lib below the present
 * folder, or in the scripts/lib that belongs to the program. If there is none, the first of these. */
void module_path(const char *script, const char *name, char *out, size_t size);

/* The journal in a folder: the folder itself, or the newest run below it. E_NOT_FOUND: none. */
enum weir_err journal_path(const char *folder, char *out, size_t size, struct why *why);

/* Make a folder for a new run below `folder`, and point its link `latest` there. */
enum weir_err journal_path_new(const char *folder, char *out, size_t size, struct why *why);

/* Create a folder and those above it, mode 0700. */
enum weir_err make_folders(const char *path, struct why *why);

#endif
