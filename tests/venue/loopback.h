/* loopback.h - the wire of tests/venue/loopback.c: events as they are, and orders to call the host. */
#ifndef TESTS_VENUE_LOOPBACK_H
#define TESTS_VENUE_LOOPBACK_H

#include "weir/plugin.h"

/* Kinds of frames that are orders to the plugin; all others are emitted as they are. */
enum {
    LOOP_TIMER = 60000, /* set timer a to t */
    LOOP_SEND,          /* send text on connection a */
    LOOP_CONNECT,       /* connection a to path text */
    LOOP_REQUEST,       /* GET text, as request a */
    LOOP_SIGN,          /* sign text with key "k" */
    LOOP_LOG,           /* say text */
    LOOP_FAIL,          /* answer with error a, after what came before it in the frame */
    LOOP_TIMER_AGAIN,   /* each timer sets itself to its own time, from now on */
    LOOP_THREAD,        /* emit a mark from another thread */
    LOOP_RESYNC_FAILS   /* answer WEIR_RESYNC with error a, from now on */
};

struct loop_order {
    struct weir_msg msg;
    uint32_t a;
    uint32_t pad;
    weir_ns t;
    char text[64];
};

#endif
