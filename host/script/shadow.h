/* shadow.h - a second version of a script beside the one that runs, for comparing what both ask for.
 *                                                                            [the script's thread] */
#ifndef WEIR_SCRIPT_SHADOW_H
#define WEIR_SCRIPT_SHADOW_H

#include "script/script.h"

/* As script_create(), with the ids that `of` would make next and its weir.state as it is now. */
enum weir_err script_create_shadow(const struct script_config *config,
                                   const struct script_world *world, struct script *of,
                                   struct script **script_out, struct why *why) WEIR_MUST_USE;
bool script_begin_shadow(struct script *script); /* `start` handlers; false: it has ended */
void script_take_over_shadow(
    struct script *script); /* `reload` handlers; from now on events come */

#endif
