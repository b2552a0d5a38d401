/* exchange.h - `weir exchange`: a venue in a process of its own, on loopback.
 *
 * A plugin that is a whole exchange by itself (sim) is its market; each account has one, made at the
 * first connection with that account's key and kept until the process ends, whoever comes and goes.
 * Clients speak a dialect (dialect.h); the exchange knows none. Beside them it answers
 *
 *   GET  /_weir/books    its own truth: every order it was ever sent, every execution, positions, balances
 *   GET  /_weir/faults   those that wait
 *   POST /_weir/faults   {"kind","match","count","ms"}: what to do wrong, see faults.h
 *
 * The first line it prints is {"http":PORT,"ws":PORT}.                        [main thread] */
#ifndef WEIR_EXCHANGE_EXCHANGE_H
#define WEIR_EXCHANGE_EXCHANGE_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

/* Who may trade through a dialect of a real venue; the list ends with a NULL name. */
struct exchange_key {
    const char *name;    /* the API key */
    const char *secret;  /* of HMAC; or a public key in PEM (Ed25519, RSA) */
    const char *account; /* "main": the one whose market is public */
};

struct exchange_options {
    const char *plugin;                  /* path of the .so */
    const struct weir_setting *settings; /* of it, ended by a NULL name */
    bool venue_names;                    /* symbols without a dash, executions by number */
    uint32_t weight;                     /* requests' weight in a minute; 0: 6000 */
    weir_ns connection_life;             /* of WebSockets of a real venue's dialect; 0: 24 h */
    const struct exchange_key *keys;     /* NULL: none */
    uint16_t port;                       /* 0: any free one */
    bool (*stop_asked)(void);            /* asked after each wake: a signal came */
};

/* Until it is asked to stop. */
enum weir_err exchange_run(const struct exchange_options *options, struct why *why) WEIR_MUST_USE;

#endif
