/* loose.h - a script by its file alone, without a configuration: for `weir script` and `weir try`.
 *
 * The modules that it imports are looked for in lib/ beside it, and in scripts/lib.     [main thread] */
#ifndef WEIR_CONTROL_LOOSE_H
#define WEIR_CONTROL_LOOSE_H

#include "base/json.h"
#include "script/lint.h"

struct loose {
    struct script_source source;
    struct script_source modules[IMPORTS_MAX];
    char paths[IMPORTS_MAX][512]; /* of the modules */
    size_t module_count;
    struct script_lint lint;
    struct script_value *settings; /* a MAP; its texts are those of the JSON */
    struct script_config config;   /* of all that; name: the file's, without .lua */
    char name[NAME_MAX_LEN];
};

/* settings: an object, borrowed until loose_free(); NULL: none. An error leaves nothing. */
enum weir_err loose_read(const char *path, const cJSON *settings, struct loose *loose,
                         struct why *why) WEIR_MUST_USE;
void loose_free(struct loose *loose);

#endif
