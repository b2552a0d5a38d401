/* url.c - see url.h. */
#include "net/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *scheme;
    enum url_kind kind;
    bool tls;
    const char *as; /* libcurl's word */
    const char *port;
} schemes[] = {{"wss", URL_WS, true, "https", "443"},
               {"ws", URL_WS, false, "http", "80"},
               {"https", URL_HTTP, true, "https", "443"},
               {"http", URL_HTTP, false, "http", "80"}};

static bool is_loopback(const char *host)
{
    struct in_addr four;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcmp(host, "[::1]") == 0;
}

static enum weir_err refuse(struct why *why, const char *text, const char *expected)
{
    return because(why, WEIR_E_BAD_CONFIG, "'%s': %s", text, expected);
}

/* The part, in memory of curl's; NULL: it is not there. */
static char *part(CURLU *parsed, CURLUPart which)
{
    char *value = NULL;
    return curl_url_get(parsed, which, &value, 0) == CURLUE_OK ? value : NULL;
}

static enum weir_err judge(const char *text, enum url_kind kind, CURLU *parsed, const char *scheme,
                           struct url *url, struct why *why)
{
    size_t s = 0, count = sizeof schemes / sizeof schemes[0];
    while (s < count && (strcmp(schemes[s].scheme, scheme) != 0 || schemes[s].kind != kind))
        s++;
    if (s == count)
        return refuse(why, text,
                      kind == URL_WS ? "expected wss://host[:port][/path], or ws:// to a loopback "
                                       "address"
                                     : "expected https://host[:port][/path], or http:// to a "
                                       "loopback address");
    char *host = part(parsed, CURLUPART_HOST), *port = part(parsed, CURLUPART_PORT);
    char *path = part(parsed, CURLUPART_PATH), *user = part(parsed, CURLUPART_USER);
    char *query = part(parsed, CURLUPART_QUERY), *mark = part(parsed, CURLUPART_FRAGMENT);
    enum weir_err err = WEIR_OK;
    if (!host || !*host)
        err = refuse(why, text, "no host is named");
    else if (user || query || mark)
        err = refuse(why, text, "expected neither a user nor ? nor # in it");
    else if (!schemes[s].tls && !is_loopback(host))
        err = refuse(why, text,
                     "plain connections go to literal loopback addresses (127.0.0.1, [::1]) only; "
                     "expected TLS");
    else {
        const char *at = port ? port : schemes[s].port;
        bool usual = strcmp(at, schemes[s].port) == 0;
        int n = snprintf(url->origin, sizeof url->origin, "%s://%s:%s", schemes[s].as, host, at);
        int m = snprintf(url->host, sizeof url->host, "%s%s%s", host, usual ? "" : ":",
                         usual ? "" : at);
        int p = snprintf(url->prefix, sizeof url->prefix, "%s", path ? path : "");
        if ((size_t)n >= sizeof url->origin || (size_t)m >= sizeof url->host ||
            (size_t)p >= sizeof url->prefix)
            err = refuse(why, text, "it is too long");
        while (p > 0 && (size_t)p < sizeof url->prefix && url->prefix[p - 1] == '/')
            url->prefix[--p] = '\0';
        url->tls = schemes[s].tls;
        url->given = err == WEIR_OK;
    }
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(user);
    curl_free(query);
    curl_free(mark);
    return err;
}

enum weir_err url_parse(const char *text, enum url_kind kind, struct url *url_out, struct why *why)
{
    memset(url_out, 0, sizeof *url_out);
    if (!text || !*text)
        return WEIR_OK;
    CURLU *parsed = curl_url();
    if (!parsed)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    enum weir_err err;
    char *scheme = NULL;
    if (curl_url_set(parsed, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        !(scheme = part(parsed, CURLUPART_SCHEME)))
        err = refuse(why, text, "expected a URL");
    else
        err = judge(text, kind, parsed, scheme, url_out, why);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return err;
}
