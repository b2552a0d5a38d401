/* glue.c - libcurl's sockets and time-outs as watchers of the loop.
 *
 * libuv keeps the memory of a handle until its close callback ran, in a later turn. So each handle
 * has a block of its own here, which outlives what it served and then frees itself; whoever
 * destroys one hears of it no more. */
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "net/own.h"

/* --- alarms -----------------------------------------------------------------------------------*/

struct alarm {
    uv_timer_t timer; /* first: the handle is the block */
    struct net *net;
    void (*ring)(void *context);
    void *context;
};

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

struct alarm *alarm_create(struct net *net, void (*ring)(void *context), void *context)
{
    struct alarm *alarm = calloc(1, sizeof *alarm);
    if (!alarm)
        return NULL;
    uv_timer_init(&net->loop, &alarm->timer);
    alarm->net = net;
    alarm->ring = ring;
    alarm->context = context;
    return alarm;
}

static void on_timer(uv_timer_t *timer)
{
    struct alarm *alarm = (struct alarm *)timer;
    alarm->net->again = true;
    alarm->ring(alarm->context);
}

void alarm_set(struct alarm *alarm, weir_ns after)
{
    uv_update_time(&alarm->net->loop); /* it counts from now, not from the beginning of this turn */
    uv_timer_start(&alarm->timer, on_timer, (uint64_t)((after + 999999) / 1000000), 0);
}

void alarm_stop(struct alarm *alarm)
{
    uv_timer_stop(&alarm->timer);
}

void alarm_destroy(struct alarm *alarm)
{
    if (!alarm)
        return;
    alarm->net->again = true;
    uv_close((uv_handle_t *)&alarm->timer, free_handle);
}

/* --- watches ----------------------------------------------------------------------------------*/

struct watch {
    uv_poll_t poll; /* first: the handle is the block */
    struct net *net;
    void (*ready)(void *context, int events);
    void *context;
    int events;
};

struct watch *watch_create(struct net *net, int fd, void (*ready)(void *context, int events),
                           void *context)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    if (uv_poll_init(&net->loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->net = net;
    watch->ready = ready;
    watch->context = context;
    return watch;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = (struct watch *)poll;
    watch->net->again = true;
    /* an error of the socket is found by whoever reads it */
    watch->ready(watch->context, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

void watch_set(struct watch *watch, int events)
{
    if (events == watch->events)
        return;
    watch->events = events;
    watch->net->again = true; /* libuv tells the kernel in its next turn */
    if (events)
        uv_poll_start(&watch->poll, events, on_poll);
    else
        uv_poll_stop(&watch->poll);
}

void watch_destroy(struct watch *watch)
{
    if (!watch)
        return;
    watch->net->again = true;
    uv_poll_stop(&watch->poll); /* the socket may be closed right after */
    uv_close((uv_handle_t *)&watch->poll, free_handle);
}

/* --- glue -------------------------------------------------------------------------------------*/

struct glue {
    struct net *net;
    CURLM *multi;
    struct alarm *alarm;
    glue_done *done;
    void *context;
};

/* One of curl's sockets: curl gives it back with each call about that socket. */
struct socket {
    struct glue *glue;
    struct watch *watch;
    curl_socket_t fd;
};

static void tell_done(struct glue *glue)
{
    int left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(glue->multi, &left)) != NULL;)
        if (msg->msg == CURLMSG_DONE)
            glue->done(glue->context, msg->easy_handle, msg->data.result);
}

static void on_ready(void *context, int events)
{
    struct socket *socket = context;
    struct glue *glue = socket->glue;
    int mask = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
               (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    int running;
    curl_multi_socket_action(glue->multi, socket->fd, mask, &running);
    tell_done(glue);
}

static void on_timeout(void *context)
{
    struct glue *glue = context;
    int running;
    curl_multi_socket_action(glue->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    tell_done(glue);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *mine)
{
    struct glue *glue = context;
    struct socket *socket = mine;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket)
            watch_destroy(socket->watch);
        free(socket);
        return 0;
    }
    if (!socket) {
        socket = calloc(1, sizeof *socket);
        if (!socket)
            return -1;
        socket->glue = glue;
        socket->fd = fd;
        socket->watch = watch_create(glue->net, fd, on_ready, socket);
        if (!socket->watch) {
            free(socket);
            return -1;
        }
        curl_multi_assign(glue->multi, fd, socket);
    }
    watch_set(socket->watch,
              (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0));
    return 0;
}

static int on_timer_wish(CURLM *multi, long ms, void *context)
{
    struct glue *glue = context;
    (void)multi;
    glue->net->again = true;
    if (ms < 0)
        alarm_stop(glue->alarm);
    else
        alarm_set(glue->alarm, (weir_ns)ms * 1000000);
    return 0;
}

struct glue *glue_create(struct net *net, glue_done *done, void *context)
{
    struct glue *glue = calloc(1, sizeof *glue);
    if (!glue)
        return NULL;
    glue->net = net;
    glue->done = done;
    glue->context = context;
    glue->alarm = alarm_create(net, on_timeout, glue);
    glue->multi = curl_multi_init();
    if (!glue->alarm || !glue->multi) {
        glue_destroy(glue);
        return NULL;
    }
    curl_multi_setopt(glue->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(glue->multi, CURLMOPT_SOCKETDATA, glue);
    curl_multi_setopt(glue->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(glue->multi, CURLMOPT_TIMERDATA, glue);
    return glue;
}

void glue_destroy(struct glue *glue)
{
    if (!glue)
        return;
    if (glue->multi)
        curl_multi_cleanup(glue->multi); /* it gives its sockets back, by on_socket */
    alarm_destroy(glue->alarm);
    free(glue);
}

bool glue_add(struct glue *glue, CURL *easy)
{
    glue->net->again = true;
    return curl_multi_add_handle(glue->multi, easy) == CURLM_OK;
}

void glue_remove(struct glue *glue, CURL *easy)
{
    curl_multi_remove_handle(glue->multi, easy);
}

/* --- what every transfer has ------------------------------------------------------------------*/

/* The operator's certificates, as they were read at the start, besides those of the system. */
static CURLcode trust(CURL *easy, void *ssl, void *context)
{
    const struct net_endpoint *endpoint = context;
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(endpoint->trusted);
    (void)easy;
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (cert && X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), cert) != 1)
            return CURLE_SSL_CACERT_BADFILE;
    }
    return CURLE_OK;
}

bool glue_common(CURL *easy, const struct net_endpoint *endpoint, const struct url *url)
{
    CURLcode code = CURLE_OK;
#define SET(option, value) code = code ? code : curl_easy_setopt(easy, option, value)
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROXY, ""); /* and none from the environment */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROTOCOLS_STR, url->tls ? "https" : "http");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(endpoint->config.connect_timeout / 1000000));
    if (endpoint->trusted) {
        SET(CURLOPT_SSL_CTX_FUNCTION, trust);
        SET(CURLOPT_SSL_CTX_DATA, (void *)(uintptr_t)endpoint);
    }
#undef SET
    return code == CURLE_OK;
}
