/* street.h - a host and an exchange in one process on virtual time, and the wires between them.
 *
 * The host is host/control with its engine, scripts and plugins; the exchange is host/exchange with
 * its books, faults and Binance's protocol. In place of host/net and of the exchange's server, network.c
 * carries what each says to the other after some latency, and can cut the wires. */
#ifndef TESTS_STREET_H
#define TESTS_STREET_H

#include "control/host.h"
#include "exchange/own.h"

struct street_counts {
    uint64_t frames, requests; /* from the host */
    uint64_t orders_http;      /* of them: new orders over HTTP */
    uint64_t logons;
    uint64_t unsigned_orders; /* over a connection that is logged on */
    uint64_t opened, lost;    /* connections; lost: not by the host's own will */
    uint64_t ended;           /* of them: by the exchange */
    uint64_t data;            /* messages of the market to the host */
    uint64_t refusals[10];    /* by street_codes */
};
/* What an answer says in its error, and how often. */
extern const char *const street_codes[10];

struct street;

/* start: virtual time. NULL: why. The options are borrowed. */
struct street *street_create(const struct exchange_options *options, weir_ns start, uint64_t seed,
                             struct why *why);
void street_destroy(struct street *street);
const struct host_feed *street_feed(struct street *street);
struct exchange *street_exchange(struct street *street);
struct street_counts street_counts(const struct street *street);
weir_ns street_now(const struct street *street);

/* Doors: bits. A closed one refuses; connections through it end at once, or (silent) hear nothing more. */
enum { DOOR_WS = 1, DOOR_HTTP = 2, DOOR_API = 4 };
void street_close(struct street *street, unsigned doors, bool silent);
void street_open(struct street *street);
/* As POST /_weir/faults. Ends the program if it is refused. */
void street_fault(struct street *street, const char *json);
/* The exchange's books as JSON, after an audit; the caller's. */
cJSON *street_books(struct street *street);

#endif
