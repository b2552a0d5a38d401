/* http.h - the HTTP listener, on libwebsockets, in the observers' libuv loop.
 *
 * It knows no state: each request is handed to `answer`, which writes the body. Loopback by default.
 * Requests that are not GET or HEAD get 405, unknown paths 404, a Host header that is not loopback
 * or the listen address 403 (DNS rebinding).                          [observer thread] */
#ifndef WEIR_GATEWAY_HTTP_H
#define WEIR_GATEWAY_HTTP_H

#include <stdint.h>
#include <uv.h>

#include "base/text.h"
#include "base/why.h"

struct http;

struct http_answer {
    int status;       /* 200 unless set */
    const char *type; /* "text/plain; charset=utf-8" unless set */
    struct text body;
};

struct http_owner {
    void *context;
    /* False: no such path. */
    bool (*answer)(void *context, const char *path, struct http_answer *answer);
};

/* port 0: any free one. NULL: why says what. The loop must outlive it. */
struct http *http_create(uv_loop_t *loop, const char *address, uint16_t port,
                         const struct http_owner *owner, struct why *why) WEIR_MUST_USE;
/* In the loop: stop listening and answering. Then run the loop on until it is idle, and destroy: lws
 * 4.1 frees the rest of its context only there. Both accept NULL. */
void http_close(struct http *http);
void http_destroy(struct http *http);
uint16_t http_port(const struct http *http);

#endif
