/* faults.h - what the exchange is told to do wrong, a counted number of times.
 *
 *   drop_ack    the request is carried out and never answered
 *   reject      the request is refused and not carried out
 *   error       the request is carried out and answered with an error that says nothing of it (503)
 *   disconnect  the request is carried out and the connection ends before the answer; or it ends
 *               before a report
 *   duplicate   an answer or report comes twice
 *   delay       it, and all behind it, comes `ms` later
 *   reorder     it comes `ms` later, and what is behind it does not wait
 *
 * and what is wrong with the whole venue for `ms`, in the dialects of real venues:
 *
 *   freeze      no market data; pings are answered
 *   ban         every request is refused, with the time until it ends
 *   maintenance every request is refused
 *   lag         questions are answered as of `ms` ago
 *   clock       its clock is `ms` ahead (negative: behind), for good
 *
 * and `rules`: of the symbol `match`, or of all, tick and step become `count` times what they were at first.
 *
 * `match` names a request (new cancel replace query fills reconcile), and with it the answers to it; a
 * report (fill expired); the client id of one order; or * for any of these. */
#ifndef WEIR_EXCHANGE_FAULTS_H
#define WEIR_EXCHANGE_FAULTS_H

#include "base/json.h"
#include "base/text.h"
#include "weir/event.h"

enum fault_kind {
    FAULT_DROP_ACK,
    FAULT_REJECT,
    FAULT_ERROR,
    FAULT_DISCONNECT,
    FAULT_DUPLICATE,
    FAULT_DELAY,
    FAULT_REORDER,
    FAULT_KINDS
};

enum { FAULTS_MAX = 64, MUTED_MAX = 256 };

struct fault {
    enum fault_kind kind;
    char match[WEIR_ID_MAX];
    uint32_t count; /* left */
    int64_t ms;
};

struct faults {
    struct fault list[FAULTS_MAX];
    size_t count;
    struct { /* requests whose answer is dropped */
        char client_id[WEIR_ID_MAX];
        uint16_t kind;
    } muted[MUTED_MAX];
    size_t muted_count;
    weir_ns now; /* set by the owner before faults_add */
    weir_ns freeze_until, ban_until, maintenance_until;
    int64_t lag_ms, clock_ms;
    uint64_t rules_told; /* changes of rules so far; the last: */
    char rules_of[WEIR_ID_MAX];
    uint32_t rules_times;
};

/* Add what the JSON says; refused with the reason. */
enum weir_err faults_add(struct faults *faults, const cJSON *wish, struct why *why) WEIR_MUST_USE;
void faults_json(const struct faults *faults, struct text *out);

/* A request has come. What is to be done with it; a DROP_ACK is remembered. False: nothing wrong. */
bool faults_of_request(struct faults *faults, const struct weir_intent *intent,
                       enum fault_kind *kind_out);

struct event_fate {
    bool drop, twice, disconnect;
    int64_t delay_ms;
    bool alone; /* what is behind it does not wait */
};
struct event_fate faults_of_event(struct faults *faults, const struct weir_msg *event);

#endif
