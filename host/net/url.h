/* url.h - what an endpoint's URL may be: scheme, host, port, and a path that all requests begin with. */
#ifndef WEIR_NET_URL_H
#define WEIR_NET_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

struct url {
    char origin[300]; /* "https://host:port", for libcurl: ws is http there */
    char host[280];   /* for the Host header: the port stands there if it is not the scheme's own */
    char prefix[256]; /* "" or "/path", without a slash at its end */
    bool tls;
    bool given;
};

enum url_kind { URL_WS, URL_HTTP };

/* NULL or "" is no URL: not given. Plain schemes: only toward 127.0.0.0/8 and [::1]. */
enum weir_err url_parse(const char *text, enum url_kind kind, struct url *url_out,
                        struct why *why) WEIR_MUST_USE;

#endif
