/* why.c - errors in words. A text that does not fit ends in "...". */
#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
} errors[] = {[WEIR_OK] = {"OK", "no error"},
#define X(name, text) [WEIR_E_##name] = {#name, text},
              WEIR_ERRORS(X)
#undef X
};

/* Format at text[from]; what does not fit is cut and marked. */
__attribute__((format(printf, 3, 0))) static void say(char *text, size_t room, const char *format,
                                                      va_list args)
{
    int len = vsnprintf(text, room, format, args);
    if (len < 0)
        text[0] = '\0';
    else if ((size_t)len >= room)
        memcpy(text + room - 4, "...", 4);
}

enum weir_err because(struct why *why, enum weir_err err, const char *format, ...)
{
    char text[sizeof why->text]; /* the arguments may be parts of the old text */
    if (!why)
        return err;
    va_list args;
    va_start(args, format);
    say(text, sizeof text, format, args);
    va_end(args);
    memcpy(why->text, text, strlen(text) + 1);
    why->err = err;
    return err;
}

void while_doing(struct why *why, const char *format, ...)
{
    char doing[sizeof why->text / 2];
    if (!why)
        return;
    va_list args;
    va_start(args, format);
    say(doing, sizeof doing, format, args);
    va_end(args);
    (void)because(why, why->err, "%s: %s", doing, why->text);
}

static enum weir_err known(enum weir_err err)
{
    return (unsigned)err < WEIR_ERR_COUNT ? err : WEIR_E_OTHER;
}

const char *err_name(enum weir_err err)
{
    return errors[known(err)].name;
}

const char *err_text(enum weir_err err)
{
    return errors[known(err)].text;
}
