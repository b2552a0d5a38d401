/* own.h - what the files of the exchange share.
 *
 *   exchange.c         the loop and what it serves; accounts by key
 *   account.c          one account: its market (a plugin), its client, what both say
 *   books.c            the truth about it
 *   faults.c           what is done wrong on purpose
 *   server.c           HTTP and WebSocket, on libwebsockets; doors.h: its parts
 *   dialect_*.c        languages of messages; wire.h: those of real venues, binance*.c */
#ifndef WEIR_EXCHANGE_OWN_H
#define WEIR_EXCHANGE_OWN_H

#include "base/clock.h"
#include "exchange/books.h"
#include "exchange/dialect.h"
#include "exchange/exchange.h"
#include "exchange/faults.h"
#include "exchange/wire.h"

enum { TIMERS_MAX = 16, ASKERS_MAX = 256, INSTRUMENTS_KEPT = 64 };

struct exchange;
struct client; /* server.c: a connection that speaks a dialect */

struct account {
    struct exchange *exchange;
    struct account *next;
    char key[ACCOUNT_KEY_MAX];
    void *session; /* of the plugin */
    struct weir_host host;
    struct {
        uint32_t id;
        weir_ns t;
    } timers[TIMERS_MAX];
    size_t timer_count;
    struct books *books;
    struct front *front; /* wire.h: what the account looks like in the language of a real venue */
    struct weir_instrument instruments[INSTRUMENTS_KEPT]; /* told to each client that comes */
    size_t instrument_count;
    struct client *client; /* NULL: nobody is there; what happens is heard of by asking */
    /* Reconciliations are answered in the order in which they were asked for: by whom? 0: an audit. */
    uint64_t askers[ASKERS_MAX];
    size_t asker_first, asker_count;
    bool in_recon;
    uint64_t recon_for;
};

struct exchange {
    const struct exchange_options *options;
    const struct weir_plugin *plugin;
    struct clock clock;
    struct account *accounts;
    struct faults faults;
    struct server *server;
    /* GET /_weir/books asks every account for a reconciliation first: an audit. */
    uint64_t audit;      /* the running one, or the last */
    unsigned audit_left; /* accounts that have not answered; 0: none runs */
    bool audit_again;    /* somebody waits for the next */
};

/* --- account.c */
struct account *account_open(struct exchange *exchange, const char *key, struct why *why);
void account_close(struct account *account);
weir_ns account_next(const struct account *account);
void account_run(struct account *account, weir_ns now);
/* A client comes (the one before it is sent away) or goes. */
void account_join(struct account *account, struct client *client);
void account_leave(struct account *account, const struct client *client);
/* A request of its client. An error ends the connection. */
enum weir_err account_request(struct account *account, struct weir_intent *intent);
bool account_audit(struct account *account); /* false: it cannot be asked */

/* --- exchange.c */
struct account *exchange_account(struct exchange *exchange, const char *key, struct why *why);
uint64_t exchange_ask_audit(struct exchange *exchange); /* the number to wait for */
void exchange_audited(struct exchange *exchange);       /* one account has answered */
void exchange_books_json(struct exchange *exchange, struct text *out);

/* --- server.c */
struct server *server_create(struct exchange *exchange, uint16_t port, struct why *why);
void server_destroy(struct server *server);
uint16_t server_port(const struct server *server);
weir_ns server_next(const struct server *server); /* a delayed frame is due */
void server_wait(struct server *server, weir_ns most);
void server_audited(struct server *server, uint64_t audit); /* answer those who waited for it */
uint64_t client_generation(const struct client *client);    /* from 1, never again the same */
/* Queue an event in the client's dialect. */
void client_tell(struct client *client, const struct weir_msg *event, weir_ns delay);
void client_end(struct client *client); /* at the next chance; nothing more is sent */

#endif
