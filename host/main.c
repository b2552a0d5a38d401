/* main.c - the command line: one verb, one function. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "control/commands.h"

static const struct {
    const char *verb;
    int (*run)(int argc, char **argv);
    const char *text;
} commands[] = {
#define X(verb, text) {#verb, cmd_##verb, text},
    COMMANDS(X)
#undef X
};

static void print_help(FILE *out)
{
    fputs("usage: weir COMMAND [OPTION...] [ARGUMENT...]\n\n"
          "An execution host: venues, strategies and clients are guests; what may move money\n"
          "passes one engine, its limits and its journal.\n\n",
          out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-10s %s\n", commands[i].verb, commands[i].text);
    fputs("\n`weir COMMAND --help` tells more. Exit: 0 ok, 1 the answer is no, 2 wrong usage or "
          "bad input.\n",
          out);
}

/* An answer that could not be written is no answer; a reader who left (EPIPE) wanted no more. */
static int written(int code)
{
    bool bad = fflush(stdout) != 0 && errno != EPIPE;
    if (bad)
        fprintf(stderr, "weir: standard output: %s\n", strerror(errno));
    return bad && code == EXIT_OK ? EXIT_BAD : code;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_BAD;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("weir " WEIR_VERSION " (" WEIR_BUILD ")");
        return EXIT_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].verb) == 0)
            return written(commands[i].run(argc - 1, argv + 1));
    fprintf(stderr, "weir: unknown command '%s'; `weir --help` lists them\n", argv[1]);
    return EXIT_BAD;
}
