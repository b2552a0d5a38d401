#include <stdarg.h>
#include <stdio.h>

#include "control/commands.h"

int usage_error(const char *verb, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "weir %s: ", verb);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXIT_BAD;
}
