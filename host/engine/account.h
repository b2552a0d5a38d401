/* account.h - where an account stands with its venue. Private to host/engine.    [engine thread] */
#ifndef WEIR_ENGINE_ACCOUNT_H
#define WEIR_ENGINE_ACCOUNT_H

#include "engine/engine.h"

struct venue_clock {
    weir_ns ahead; /* of ours */
    uint64_t told; /* 0: never yet */
};

enum session { SESSION_NEW = 0, SESSION_UP, SESSION_DOWN };

/* Killed: what the venue's list has said since. */
enum kill_list { KILL_LIST_ASKED = 0, KILL_LIST_WORKS, KILL_LIST_CLEAN };

struct account {
    uint16_t venue;
    uint8_t session;
    uint8_t reconciling;
    uint32_t recon; /* generation of reconciliation answers */
    uint8_t in_recon;
    uint64_t stream_seq;
    weir_ns last_fill;                          /* venue's time of the newest execution */
    weir_ns fills_from;                         /* what the venue executed before is all booked */
    weir_ns recon_due, recon_delay, recon_sent; /* due: 0: never yet */
    weir_ns booked;                             /* its last execution was booked then */
    uint8_t moving;        /* answers in a row that said little, since executions came meanwhile */
    uint32_t listed;       /* orders that work, in the answer that is being read */
    uint32_t listed_order; /* the first of them, 0: not one of ours */
    uint8_t used;          /* an order of this account was live, ever */
    uint8_t kill_list;     /* enum kill_list */
    uint8_t kill_asked;    /* a list was asked for since the switch was pulled */
    uint8_t kill_reads;    /* and the answer that is being read is to that */
    weir_ns kill_due, kill_delay; /* the list shows orders that work: ask again then */
};

#endif
