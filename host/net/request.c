/* request.c - HTTP requests of one endpoint, and what keeps an order from being sent twice.
 *
 * libcurl repeats a request by itself when a connection that it used before turns out to be dead. So
 * each try passes before_sending(), and the second is stopped there unless the request may be
 * repeated: then the answer is "none", which is the truth. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/own.h"

enum { HEADERS_ROOM = 4096 };

struct request {
    struct request *next;
    struct net_endpoint *endpoint;
    CURL *easy;
    uint32_t id;
    bool idempotent, too_big;
    unsigned tries;
    char *body;
    size_t len, room;
    struct curl_slist *headers;
    char answer_headers[HEADERS_ROOM]; /* lines; what does not fit is left out */
    size_t headers_len;
    char curl_error[CURL_ERROR_SIZE];
};

static int before_sending(void *context, char *their_ip, char *our_ip, int their_port, int our_port)
{
    struct request *request = context;
    (void)their_ip;
    (void)our_ip;
    (void)their_port;
    (void)our_port;
    return request->tries++ > 0 && !request->idempotent ? CURL_PREREQFUNC_ABORT
                                                        : CURL_PREREQFUNC_OK;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct request *request = context;
    size_t len = size * count, need = request->len + len;
    if (need > request->endpoint->config.body_max) {
        request->too_big = true;
        return 0;
    }
    if (need > request->room) {
        size_t room = request->room ? request->room : 4096;
        while (room < need)
            room *= 2;
        char *grown = realloc(request->body, room);
        if (!grown)
            return 0;
        request->body = grown;
        request->room = room;
    }
    memcpy(request->body + request->len, bytes, len);
    request->len = need;
    return len;
}

/* One header line of the answer. A line that begins an answer (100 Continue comes before the real
 * one) forgets those before. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct request *request = context;
    size_t len = size * count, keep = len;
    while (keep > 0 && (bytes[keep - 1] == '\r' || bytes[keep - 1] == '\n'))
        keep--;
    const char *colon = memchr(bytes, ':', keep);
    if (keep > 5 && memcmp(bytes, "HTTP/", 5) == 0)
        request->headers_len = 0;
    if (!colon || keep + 1 > HEADERS_ROOM - request->headers_len)
        return len;
    char *to = request->answer_headers + request->headers_len;
    for (size_t i = 0; i < keep; i++)
        to[i] = bytes + i < colon ? (char)tolower((unsigned char)bytes[i]) : bytes[i];
    to[keep] = '\n';
    request->headers_len += keep + 1;
    return len;
}

static void release(struct request *request)
{
    struct net_endpoint *endpoint = request->endpoint;
    struct request **at = &endpoint->requests;
    while (*at && *at != request)
        at = &(*at)->next;
    if (*at) {
        *at = request->next;
        endpoint->request_count--;
    }
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    free(request->body);
    free(request);
}

static void on_done(void *context, CURL *easy, CURLcode code)
{
    struct net_endpoint *endpoint = context;
    struct request *request = NULL;
    long status = 0;
    char why[CURL_ERROR_SIZE + 64] = "";
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status <= 0) {
        status = 0;
        if (request->too_big)
            snprintf(why, sizeof why, "the answer is larger than %u bytes",
                     endpoint->config.body_max);
        else if (request->tries > 1 && !request->idempotent)
            snprintf(why, sizeof why, "the connection was lost after the request was sent");
        else
            snprintf(why, sizeof why, "%s",
                     request->curl_error[0] ? request->curl_error : curl_easy_strerror(code));
    }
    glue_remove(endpoint->http_glue, easy);
    endpoint->counts.answers += status > 0;
    if (status > 0 && endpoint->owner.headers)
        endpoint->owner.headers(endpoint->owner.context, request->id, (int)status,
                                (struct weir_bytes){request->answer_headers, request->headers_len});
    struct weir_bytes body = {request->body ? request->body : "", status ? request->len : 0};
    endpoint->owner.response(endpoint->owner.context, request->id, (int)status, body, why);
    release(request);
}

/* --- asking -----------------------------------------------------------------------------------*/

bool path_is_sane(const char *path)
{
    size_t len = strnlen(path, PATH_ROOM);
    if (path[0] != '/' || len >= PATH_ROOM - 512)
        return false;
    for (size_t i = 0; i < len; i++)
        if (path[i] <= ' ' || path[i] > '~' || path[i] == '#')
            return false;
    return true;
}

static bool method_is_sane(const char *method)
{
    size_t len = strnlen(method, 16);
    for (size_t i = 0; i < len; i++)
        if (!isupper((unsigned char)method[i]))
            return false;
    return len > 0 && len < 16;
}

/* Lines "Name: value" as curl wants them. */
static bool take_headers(struct request *request, const char *lines)
{
    char line[1024];
    while (lines && *lines) {
        size_t len = strcspn(lines, "\n");
        if (len == 0 || len >= sizeof line)
            return false;
        memcpy(line, lines, len);
        line[len] = '\0';
        struct curl_slist *grown = curl_slist_append(request->headers, line);
        if (!grown)
            return false;
        request->headers = grown;
        lines += len + (lines[len] == '\n');
    }
    return true;
}

static bool describe(struct request *request, const struct weir_request_http *wish)
{
    const struct net_endpoint *endpoint = request->endpoint;
    const struct url *url = &endpoint->http;
    char text[PATH_ROOM + sizeof url->origin + sizeof url->prefix];
    weir_ns timeout = wish->timeout > 0 ? wish->timeout : endpoint->config.request_timeout;
    CURL *easy = request->easy;
    CURLcode code = glue_common(easy, endpoint, url) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    snprintf(text, sizeof text, "%s%s%s", url->origin, url->prefix, wish->path);
#define SET(option, value) code = code ? code : curl_easy_setopt(easy, option, value)
    SET(CURLOPT_URL, text);
    SET(CURLOPT_ERRORBUFFER, request->curl_error);
    SET(CURLOPT_PRIVATE, request);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, request);
    if (!take_headers(request, wish->headers))
        return false;
    if (request->headers)
        SET(CURLOPT_HTTPHEADER, request->headers);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, request);
    SET(CURLOPT_PREREQFUNCTION, before_sending);
    SET(CURLOPT_PREREQDATA, request);
    SET(CURLOPT_TIMEOUT_MS, (long)(timeout < 1000000 ? 1 : timeout / 1000000));
    if (wish->body.len > 0 || strcmp(wish->method, "POST") == 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wish->body.len);
        SET(CURLOPT_COPYPOSTFIELDS, wish->body.len > 0 ? wish->body.data : "");
    }
    if (strcmp(wish->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else if (strcmp(wish->method, wish->body.len > 0 ? "POST" : "GET") != 0)
        SET(CURLOPT_CUSTOMREQUEST, wish->method);
#undef SET
    return code == CURLE_OK;
}

enum weir_err net_request(struct net_endpoint *endpoint, const struct weir_request_http *wish)
{
    if (!endpoint->http.given)
        return WEIR_E_UNSUPPORTED;
    if (!wish->method || !wish->path || !method_is_sane(wish->method) || !path_is_sane(wish->path))
        return WEIR_E_USAGE;
    if (endpoint->request_count == endpoint->config.requests_max)
        return WEIR_E_FULL;
    bool order = wish->lane == WEIR_LANE_NEW && !wish->idempotent;
    if (net_spend(endpoint, wish->weight, order, wish->lane))
        return WEIR_E_FULL;
    if (!endpoint->http_glue &&
        !(endpoint->http_glue = glue_create(endpoint->net, on_done, endpoint)))
        return WEIR_E_NO_MEMORY;
    struct request *request = calloc(1, sizeof *request);
    if (!request)
        return WEIR_E_NO_MEMORY;
    request->endpoint = endpoint;
    request->id = wish->id;
    request->idempotent = wish->idempotent != 0;
    request->easy = curl_easy_init();
    if (!request->easy || !describe(request, wish) ||
        !glue_add(endpoint->http_glue, request->easy)) {
        release(request);
        return WEIR_E_NO_MEMORY;
    }
    request->next = endpoint->requests;
    endpoint->requests = request;
    endpoint->request_count++;
    endpoint->counts.requests++;
    return WEIR_OK;
}

void requests_release(struct net_endpoint *endpoint)
{
    for (struct request *request = endpoint->requests, *next; request; request = next) {
        next = request->next;
        glue_remove(endpoint->http_glue, request->easy);
        release(request);
    }
    glue_destroy(endpoint->http_glue);
}
