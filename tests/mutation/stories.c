/* stories.c - scenario files through the engine, for run.sh, which links it with each mutant.
 *
 *   stories FILE...      a line for each file that fails, and the sum; exit 1 if one does */
#include <stdio.h>
#include <string.h>

#include "sim/scenario.h"

static bool passes(const char *path)
{
    struct why why;
    struct scenario_result result = {0};
    cJSON *story = scenario_read(path, &why);
    if (!story) {
        printf("FAIL %s\n", why.text);
        return false;
    }
    enum weir_err err = scenario_run(story, &result, &why);
    const char *said = err ? why.text : text_cstr(&result.failures);
    bool passed = !err && result.passed;
    const char *name = strrchr(path, '/');
    if (!passed)
        printf("FAIL %s: %.*s\n", name ? name + 1 : path, (int)strcspn(said, "\n"), said);
    text_fini(&result.failures);
    cJSON_Delete(story);
    return passed;
}

int main(int argc, char **argv)
{
    int passed = 0;
    for (int i = 1; i < argc; i++)
        passed += passes(argv[i]);
    printf("%d passed, %d failed\n", passed, argc - 1 - passed);
    return passed == argc - 1 ? 0 : 1;
}
