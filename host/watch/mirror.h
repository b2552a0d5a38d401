/* mirror.h - the observer's picture of the host, built from the tap and from nothing else.
 *
 * Status, console, API reads and metrics are answered from it, so that no question costs the engine
 * thread more than the copy of a message. It may allocate; the engine does not know it is there.
 *                                                                       [observer thread] */
#ifndef WEIR_WATCH_MIRROR_H
#define WEIR_WATCH_MIRROR_H

#include <stdbool.h>

#include "base/decimal.h"
#include "base/text.h"
#include "engine/effect.h"
#include "watch/notes.h"

enum { MIRROR_RECENT = 64, MIRROR_ENDED = 256 };

struct seen_instrument {
    struct weir_instrument def;
    struct weir_top top;
    enum book_state state;
    uint64_t tops, trades;
    weir_px last_px;
    weir_qty position; /* of the account */
    amount cost;       /* of what is held */
    amount realized;
    uint64_t executions;
    bool held; /* before this process began */
};

struct seen_position { /* of a strategy */
    uint32_t strategy, instrument;
    weir_qty qty;
    amount realized;
};

struct seen_venue {
    char name[NAME_MAX_LEN];
    bool known, up, reconciling;
    struct note_venue note;
    uint64_t frames_before; /* for the rate */
    uint64_t frames_rate;   /* a second */
};

struct seen_strategy {
    char name[NAME_MAX_LEN];
    bool known;
    struct note_script note;
    uint64_t sent, denied, executions;
};

struct seen_decision {
    weir_ns t;
    uint32_t order, strategy, instrument;
    char cid[WEIR_ID_MAX];
    uint8_t reason;
    struct risk_reading reading; /* the one that failed; check RISK_CHECK_COUNT: none was given */
};

struct seen_alert {
    weir_ns t;
    uint32_t instrument, strategy;
    uint16_t venue;
    uint16_t alert; /* enum alert; ALERT_COUNT: a script raised it */
    char level[12]; /* then: info warn critical */
    char text[WEIR_REASON_MAX];
};

struct mirror {
    struct seen_instrument *instruments; /* by number; [0] unused */
    size_t instrument_count;
    struct seen_venue venues[256];
    struct seen_strategy *strategies;
    size_t strategy_count;
    struct seen_position *positions;
    size_t position_count, position_room;
    struct out_order *orders; /* by the host's number; [0] unused */
    struct out_hold *holds;   /* likewise; holds while the order is HELD */
    size_t order_count, hold_count;
    uint32_t ended[MIRROR_ENDED]; /* a ring of the newest ended */
    uint64_t ended_total;
    struct seen_decision denials[MIRROR_RECENT];
    uint64_t denial_total;
    struct seen_alert alerts[MIRROR_RECENT];
    uint64_t alert_total;
    struct out_execution executions[MIRROR_RECENT];
    uint64_t execution_total;
    uint64_t sent_new, sent_cancel, sent_replace;
    uint64_t denied_by[RISK_CHECK_COUNT];
    uint64_t alerts_by[ALERT_COUNT + 1]; /* the last: of scripts */
    uint64_t live_orders;
    bool killed;
    char kill_reason[WEIR_REASON_MAX];
    struct note_host host;
    weir_ns now, started;
    uint64_t rate_at; /* inputs at the last rate */
    weir_ns rate_t;
    uint64_t inputs_rate; /* a second */
    uint64_t messages;
    bool failed; /* out of memory: the picture is not whole */
};

struct mirror *mirror_create(void);
void mirror_destroy(struct mirror *mirror);
void mirror_take(struct mirror *mirror, const struct weir_msg *msg);

amount mirror_unrealized(const struct seen_instrument *instrument, bool *known_out);
amount mirror_average(const struct seen_instrument *instrument);
const char *mirror_strategy(const struct mirror *mirror, uint32_t strategy);
/* What an alert is called, and what it means; of a script's: SCRIPT, and its level. */
const char *mirror_alert_name(const struct seen_alert *alert);
const char *mirror_alert_text(const struct seen_alert *alert);

/* Each writes one JSON document. */
void mirror_json_status(const struct mirror *mirror, struct text *out);
void mirror_json_orders(const struct mirror *mirror, bool live_only, struct text *out);
void mirror_json_positions(const struct mirror *mirror, struct text *out);
void mirror_json_venues(const struct mirror *mirror, struct text *out);
void mirror_json_scripts(const struct mirror *mirror, struct text *out);
void mirror_json_alerts(const struct mirror *mirror, struct text *out);

/* The live terminal status, at most `rows` lines of `columns` characters; color: ANSI sequences. */
void mirror_screen(const struct mirror *mirror, unsigned rows, unsigned columns, bool color,
                   struct text *out);

#endif
