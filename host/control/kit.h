/* kit.h - the conformance checks of a venue plugin (`weir plugin check`). [main thread] */
#ifndef WEIR_CONTROL_KIT_H
#define WEIR_CONTROL_KIT_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

enum { KIT_SETTINGS_MAX = 16 };

struct kit {
    const char *path;       /* of the .so; borrowed, as all here */
    const char *recordings; /* folder of what the venue says first; NULL: nothing */
    bool inside;            /* the plugin is a venue by itself: no bytes go out or come in */
    struct weir_setting settings[KIT_SETTINGS_MAX]; /* ended by a NULL name */
    unsigned setting_count;
};

/* One check ended: reason says what was found, also if it passed. Texts are borrowed. */
typedef void kit_verdict(void *context, const char *check, bool passed, const char *reason);

/* Run all checks, each in a child process with a limit of time, so that a crash and an endless loop are
 * verdicts too. When the plugin cannot be loaded or begun, what needs it is not run. E_IO: the plugin's
 * file or the recordings cannot be read; no check ran. */
enum weir_err kit_run(struct kit *kit, kit_verdict *verdict, void *context,
                      struct why *why) WEIR_MUST_USE;

#endif
