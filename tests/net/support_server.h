/* support_server.h - a real server on loopback that says exactly what a test tells it to say, and a
 * client of net that remembers what it heard. */
#ifndef TESTS_NET_SUPPORT_SERVER_H
#define TESTS_NET_SUPPORT_SERVER_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

/* --- the server: a thread for each connection -------------------------------------------------*/

struct peer {
    int fd;
    SSL *ssl;           /* NULL: plain */
    unsigned number;    /* of the connection, from 1 */
    char request[8192]; /* the head of the last request */
    struct server *server;
};
typedef void serve(struct peer *peer, void *context);

struct server *server_start(serve *serve, void *context, SSL_CTX *tls);
uint16_t server_port(const struct server *server);
unsigned server_connections(const struct server *server);
void server_stop(struct server *server); /* ends all connections */

/* False: the other side is gone. */
bool peer_write(struct peer *peer, const void *bytes, size_t len);
bool peer_say(struct peer *peer, const char *text);
bool peer_read(struct peer *peer, void *bytes, size_t len); /* exactly len */
void peer_drain(struct peer *peer);                         /* read until it is gone */
bool peer_head(struct peer *peer);                          /* an HTTP head, into peer->request */
bool peer_upgrade(struct peer *peer);                       /* read it, and answer rightly */
bool peer_answer_upgrade(struct peer *peer);                /* to the head that was read */
/* head: fin and opcode, 0x81 for a whole text. Unmasked, as servers do. */
bool peer_frame(struct peer *peer, uint8_t head, const void *bytes, size_t len);
/* The next frame of the client: its first byte, or -1; the payload is unmasked. */
int peer_take_frame(struct peer *peer, unsigned char *bytes, size_t room, size_t *len_out);

/* A port of loopback on which nobody listens. */
uint16_t unused_port(void);

/* --- certificates -----------------------------------------------------------------------------*/

struct cert_wish {
    const char *subject_ip; /* "127.0.0.1"; NULL: none */
    const char *subject_dns;
    int days_from, days_to; /* from today */
    bool self_signed;
};
/* A CA of the test's own, in a file; and a server context with a certificate by it. */
const char *test_ca_file(void);
SSL_CTX *test_tls(const struct cert_wish *wish);

/* --- the client -------------------------------------------------------------------------------*/

enum { HEARD_MAX = 4096 };
struct heard {
    char what; /* 's' state, 'f' frame, 'r' response */
    uint32_t id;
    int value; /* enum net_state, or the status */
    char *text;
    size_t len;
    char why[256];
    weir_ns t;
};
struct client {
    struct net *net;
    struct net_endpoint *endpoint;
    struct heard heard[HEARD_MAX];
    size_t count;
    enum weir_err frame_answer; /* what the next frame callbacks answer */
    const char *greeting;       /* sent when a connection comes up; NULL: nothing */
};
/* "ws" or "wss" as tls says. Further settings in config; its URLs are set here if NULL. */
void client_start(struct client *client, struct net_config *config, uint16_t port, bool tls);
/* Another endpoint on the loop of `first`; ended by client_forget, before client_stop of the first. */
void client_beside(struct client *client, struct client *first, struct net_config *config,
                   uint16_t port, bool tls);
void client_forget(struct client *client);
void client_stop(struct client *client);
/* Turn until `count` things of this kind (and value, if not -1) were heard. False: `ms` passed. */
bool client_hears(struct client *client, char what, int value, size_t count, int ms);
void client_runs(struct client *client, int ms);
size_t client_count(const struct client *client, char what, int value);
const struct heard *client_nth(const struct client *client, char what, int value, size_t n);

#endif
