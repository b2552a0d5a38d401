/* purity_test.c - the engine's library calls nothing that could make two runs differ.
 *
 * The linker's view: every symbol that libweir_engine.a and the pure part of base leave undefined is
 * one of a few functions on bytes, or of the compiler's own run-time. No allocator, clock, I/O, thread
 * or random. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/engine.h"

static bool is_allowed(const char *symbol)
{
    static const char *const functions[] = {"memcpy",
                                            "memset",
                                            "memmove",
                                            "memcmp",
                                            "memchr",
                                            "strlen",
                                            "strnlen",
                                            "strcmp",
                                            "strncmp",
                                            "strchr",
                                            "_GLOBAL_OFFSET_TABLE_"};
    /* the compiler's: 128-bit arithmetic, stack guard, checked copies, sanitizers, coverage */
    static const char *const families[] = {
        "__divti3",     "__modti3",      "__udivti3", "__umodti3",    "__udivmodti4",
        "__divmodti4",  "__multi3",      "__muloti4", "__stack_chk_", "__memcpy_chk",
        "__memset_chk", "__memmove_chk", "__asan_",   "__ubsan_",     "__tsan_",
        "__sanitizer_", "__gcov_",       "__llvm_",   "__start_",     "__stop_"};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(symbol, functions[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (strncmp(symbol, families[i], strlen(families[i])) == 0)
            return true;
    return false;
}

enum { SYMBOLS = 4000, SYMBOL = 128 };
static char defined[SYMBOLS][SYMBOL];

static int read_symbols(const char *command, char (*out)[SYMBOL], int count)
{
    char line[512], name[SYMBOL];
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    while (count < SYMBOLS && fgets(line, sizeof line, pipe))
        if (sscanf(line, "%127s", name) == 1 && !strchr(name, ':'))
            memcpy(out[count++], name, SYMBOL);
    cr_assert_eq(pclose(pipe), 0, "%s", command);
    return count;
}

Test(purity, the_library_references_bytes_and_arithmetic_only)
{
    static const char *const libraries[] = {BUILD_DIR "/libweir_engine.a",
                                            BUILD_DIR "/libweir_pure.a"};
    static char wanted[SYMBOLS][SYMBOL];
    struct stat info;
    int have = 0, want = 0;
    char command[1024];
    if (system("nm --version >/dev/null 2>&1") != 0)
        cr_skip_test("needs nm");
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(stat(libraries[i], &info), 0, "%s is not there", libraries[i]);
        snprintf(command, sizeof command,
                 "nm --format=posix --defined-only '%s' 2>/dev/null | cut -d' ' -f1", libraries[i]);
        have = read_symbols(command, defined, have);
        snprintf(command, sizeof command,
                 "nm --format=posix --undefined-only '%s' 2>/dev/null | cut -d' ' -f1",
                 libraries[i]);
        want = read_symbols(command, wanted, want);
    }
    cr_assert(have > 100 && want > 100 && have < SYMBOLS && want < SYMBOLS,
              "nm told %d and %d symbols", have, want);
    for (int i = 0; i < want; i++) {
        bool known = is_allowed(wanted[i]);
        for (int k = 0; k < have && !known; k++)
            known = strcmp(wanted[i], defined[k]) == 0;
        cr_expect(known, "the engine's library uses %s", wanted[i]);
    }
}
