/* lint.h - what can be seen in a chunk without running it: names that nobody has.
 *
 * Names of globals, of members of the libraries and of `weir`, events, members of the tables that `weir`
 * functions take, and which modules it imports. What is worked out at run time is not seen.
 *                                                                            [the script's thread] */
#ifndef WEIR_SCRIPT_LINT_H
#define WEIR_SCRIPT_LINT_H

#include "script/script.h"

enum { FINDINGS_MAX = 64, IMPORTS_MAX = 16 };

struct script_finding {
    int line;
    char text[200];
};

struct script_lint {
    struct script_finding findings[FINDINGS_MAX]; /* by line */
    size_t count;
    char imports[IMPORTS_MAX][64]; /* modules named in weir.import("...") */
    size_t import_count;
};

/* E_BAD_CONFIG: it does not compile, and why is what script_check() says. */
enum weir_err script_lint(const struct script_source *source, struct script_lint *lint_out,
                          struct why *why) WEIR_MUST_USE;

#endif
