/* upgrade.h - the HTTP exchange that begins a WebSocket (RFC 6455, 4.1 and 4.2.2), without a socket.
 *
 * Our request offers no extension and no subprotocol; an answer that names one is refused. */
#ifndef WEIR_NET_UPGRADE_H
#define WEIR_NET_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/error.h"

enum { UPGRADE_HEAD_MAX = 16384, UPGRADE_KEY_LEN = 24, UPGRADE_ACCEPT_LEN = 28 };

struct upgrade {
    char key[UPGRADE_KEY_LEN + 1];
    size_t head_len; /* of the answer, so far */
    char head[UPGRADE_HEAD_MAX + 1];
};

/* Draws a new key. False: no random numbers to be had. */
bool upgrade_begin(struct upgrade *upgrade);
/* The request in `out`; 0: it does not fit. */
size_t upgrade_request(const struct upgrade *upgrade, const char *host, const char *prefix,
                       const char *path, char *out, size_t room);

enum upgrade_step { UPGRADE_MORE, UPGRADE_DONE, UPGRADE_REFUSED };
/* Takes bytes of the answer up to the end of its head; *used_out: how many. Refused: `why` says
 * what was expected and found. */
enum upgrade_step upgrade_take(struct upgrade *upgrade, const char *bytes, size_t len,
                               size_t *used_out, char *why, size_t why_room);

/* The answer that the key wants: base64(SHA-1(key + GUID)). For servers in tests too. */
void upgrade_accept(const char *key, char out[UPGRADE_ACCEPT_LEN + 1]);

#endif
