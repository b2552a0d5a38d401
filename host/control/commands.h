/* commands.h - the verbs of the command line. Each takes its own argv (argv[0] is the verb) and
 * returns the exit code: 0 ok, 1 the answer is no, 2 wrong usage or bad input. [main thread] */
#ifndef WEIR_CONTROL_COMMANDS_H
#define WEIR_CONTROL_COMMANDS_H

enum exit_code { EXIT_OK = 0, EXIT_NO = 1, EXIT_BAD = 2 };

/* One line each: verb, function, what it does. A new command is one line here. */
#define COMMANDS(X)                                                                   \
    X(run, "run the host: venues, scripts, risk, journal, console")                   \
    X(check, "validate configuration, limits, scripts and plugins without trading")   \
    X(scenario, "run scenario files through the engine")                              \
    X(try, "run scripts in the sandbox against the simulated venue, on virtual time") \
    X(backtest, "run strategies on recordings, many at a time, and report")           \
    X(script, "for authors: templates, checks and tests of scripts")                  \
    X(plugin, "for authors: a connector's template, and its conformance check")       \
    X(book, "rebuild books and trade statistics from recordings")                     \
    X(replay, "run a journal again: the same effects, or those under other limits")   \
    X(why, "the whole path of one order")                                             \
    X(ctl, "talk to a running host")                                                  \
    X(exchange, "a simulated venue in a process of its own, on loopback")             \
    X(describe, "print the reference: config, errors, checks, limits, alerts, metrics, lua, json")

#define X(verb, text) int cmd_##verb(int argc, char **argv);
COMMANDS(X)
#undef X

/* "weir VERB: text" on standard error, and EXIT_BAD. */
int usage_error(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
