/* kit.h - the conformance checks of a venue plugin (`weir plugin check`). [main thread] */
#ifndef WEIR_CONTROL_KIT_KIT_H
#define WEIR_CONTROL_KIT_KIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/why.h"
#include "weir/plugin.h"

enum { KIT_SETTINGS_MAX = 16, KIT_LACKS_MAX = 16 };

struct kit {
    const char *path;       /* of the .so; borrowed, as all here */
    const char *recordings; /* folder of what the venue says (lines.h); NULL: nothing */
    bool inside;            /* the plugin is a venue by itself: no bytes go out or come in */
    struct weir_setting settings[KIT_SETTINGS_MAX]; /* ended by a NULL name */
    unsigned setting_count;
    /* What this session's market lacks although the sheet has it, where one sheet is of several markets:
     * a value of order type, tif, flag by its name. It must be refused. */
    const char *lacks[KIT_LACKS_MAX];
    unsigned lacks_count;
    const char *only; /* one check; those that it stands on run too. NULL: all */
};

enum kit_result { KIT_FAIL = 0, KIT_PASS, KIT_SKIP };
const char *kit_result_name(enum kit_result result); /* "FAIL" */

/* One check ended: reason says what was found, also if it passed. Texts are borrowed. */
struct kit_verdict {
    const char *check, *asked;
    enum kit_result result;
    const char *reason;
};
typedef void kit_told(void *context, const struct kit_verdict *verdict);

/* Run all checks, each in a child process that is locked up (jail.h) and has limits of time, so that a
 * crash, an endless loop and a forbidden call are verdicts too. When the plugin cannot be loaded or
 * begun, what needs it is not run. E_USAGE: no check has the name `only`; E_IO and those of lines.h: the
 * plugin's file or the recordings cannot be read. Then no check ran. */
enum weir_err kit_run(struct kit *kit, kit_told *told, void *context,
                      struct why *why) WEIR_MUST_USE;

/* The checks in their order: name, what is asked, and why. False: there are no more. */
bool kit_describe(size_t i, const char **name_out, const char **asked_out, const char **why_out);

/* Was this plugin built with the address sanitizer, while we were not? Then *library_out is the run time
 * that has to be in the process before it (borrowed until the next call), else NULL. */
enum weir_err kit_wants_sanitizer(const char *path, const char **library_out,
                                  struct why *why) WEIR_MUST_USE;

#endif
