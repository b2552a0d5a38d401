/* socket.h - the control socket: one line of JSON in, one line of JSON out, over a UNIX socket.
 *
 * The folder's rights and the socket's mode 0600 say who may speak; the peer's user id is told to the
 * answerer for the journal. A line is at most 64 KiB; a peer that sends more is cut off.
 *                                                                       [observer thread] */
#ifndef WEIR_GATEWAY_SOCKET_H
#define WEIR_GATEWAY_SOCKET_H

#include <sys/types.h>
#include <uv.h>

#include "base/text.h"
#include "base/why.h"

struct control_socket;
struct control_peer; /* a connection; valid until its answer was given */

struct control_owner {
    void *context;
    /* One request. Answer now or later with control_answer(), exactly once. */
    void (*request)(void *context, struct control_peer *peer, const char *line, size_t len);
};

/* A socket file that nobody answers on is replaced; one that is in use is an error. */
struct control_socket *control_listen(uv_loop_t *loop, const char *path,
                                      const struct control_owner *owner,
                                      struct why *why) WEIR_MUST_USE;
void control_close(
    struct control_socket *socket); /* accepts NULL; run the loop on until it is idle */
void control_answer(struct control_peer *peer, const char *json, size_t len);

/* The client's side: send one line, wait for one line. answer: text_init'ed. [any thread] */
/* within_s: how long the answer may take; control_ask: 10. */
enum weir_err control_ask_within(const char *path, const char *line, int within_s,
                                 struct text *answer, struct why *why) WEIR_MUST_USE;
enum weir_err control_ask(const char *path, const char *line, struct text *answer,
                          struct why *why) WEIR_MUST_USE;

#endif
