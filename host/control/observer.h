/* observer.h - the observers' thread: it reads the tap, keeps the mirror, and answers HTTP, the
 * control socket and the terminal. Wishes of operators go to the engine thread by a ring, and their
 * answers come back by another; neither side waits for the other. */
#ifndef WEIR_CONTROL_OBSERVER_H
#define WEIR_CONTROL_OBSERVER_H

#include "base/ring.h"
#include "base/why.h"
#include "watch/metrics.h"
#include "watch/tap.h"

enum wish_kind {
    WISH_KILL,
    WISH_RELEASE,
    WISH_CANCEL,
    WISH_RELOAD,
    WISH_STOP,
    WISH_ARM, /* cid: name of the script */
    WISH_DISARM,
    WISH_LIMITS,
    WISH_BOOK,    /* code: markets; ns: levels a side; orders: without our own */
    WISH_COMPARE, /* ns: how long */
    WISH_EVAL     /* code; cid: name of a script, whose strategy it is asked for, or ""; orders */
};

struct wish {
    uint64_t id;
    uint32_t kind; /* enum wish_kind */
    uint32_t uid;  /* who asked */
    char cid[WEIR_ID_MAX];
    char reason[WEIR_REASON_MAX];
    uint32_t orders; /* it may send some */
    int64_t ns;
    char code[2048];
};

struct wish_answer {
    uint64_t id;
    uint32_t ok;
    uint32_t later; /* somebody answers it when the time has come */
    char *json;     /* a whole document, for the observer to free(); NULL: the text is the answer */
    char text[480];
};

struct observer;

struct observer_config {
    const char *control; /* path of the socket; NULL: none */
    const char *listen;
    uint16_t port;
    bool http;
    bool screen; /* live status on standard output */
    bool color;
    struct tap *tap;
    const struct stages *stages;
    void (*wake)(void *context); /* called after a wish was put into the ring [observer thread] */
    void *context;
};

/* Opens the listeners here and starts the thread. NULL: why says what.            [main thread] */
struct observer *observer_start(const struct observer_config *config,
                                struct why *why) WEIR_MUST_USE;
/* Reads what is left in the tap, ends the thread, frees all.                      [main thread] */
void observer_stop(struct observer *observer);
uint16_t observer_port(const struct observer *observer); /* of HTTP; 0: none */

bool observer_wish(struct observer *observer, struct wish *wish_out); /* [engine thread] */
void observer_answer(struct observer *observer,
                     const struct wish_answer *answer); /* [engine thread] */

#endif
