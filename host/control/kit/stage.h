/* stage.h - a pretended host and venue around one session of the plugin: what it sends is kept as a text,
 * what it tells is kept as events, and what the venue says is played to it. [one thread] */
#ifndef WEIR_CONTROL_KIT_STAGE_H
#define WEIR_CONTROL_KIT_STAGE_H

#include "base/text.h"
#include "control/kit/kit.h"
#include "control/kit/lines.h"
#include "venue/inspect.h"
#include "venue/venue.h"

enum { KIT_ASKED_MAX = 256, KIT_CONNS_MAX = 100, KIT_MARKETS_MAX = 64, KIT_EVENTS_MAX = 64 };

struct kit_stage {
    struct session *session;
    weir_ns now;
    struct text wire;  /* all that was sent: frames and requests */
    struct text heard; /* all events, to be compared */
    struct {
        uint32_t id;
        char path[256];
    } asked[KIT_ASKED_MAX]; /* requests that have no answer yet */
    unsigned asked_count;
    struct {
        uint32_t id;
        bool up;
        size_t sent_from, sent_to; /* its last frame, in wire */
    } conns[KIT_CONNS_MAX];
    unsigned conn_count;
    size_t request_from;  /* where the last request stands in wire */
    uint32_t instruments; /* the host's numbers are 1 to this */
    struct weir_instrument market[KIT_MARKETS_MAX];
    /* of the last input */
    union venue_event events[KIT_EVENTS_MAX]; /* book messages as their heads only */
    unsigned event_count, of_orders;          /* of_orders: that say what became of an order */
    uint64_t stream_ups, stream_downs;        /* WEIR_SESSION, all of them */
    char said[200];                           /* the last line that the plugin logged */
};

/* Open a session and let it begin: connections come up, requests are answered as far as lines go, then the
 * frames come, but for those of orders. The stage is large: not on the stack. E_*: why says what. */
enum weir_err kit_stage_open(struct kit_stage *stage, struct plugin *plugin, const struct kit *kit,
                             const struct kit_lines *lines, struct why *why) WEIR_MUST_USE;
/* The same in two steps: without what was recorded, and one line of it (what the plugin asks because of it
 * is answered by kit_stage_restore). */
enum weir_err kit_stage_start(struct kit_stage *stage, struct plugin *plugin, const struct kit *kit,
                              struct why *why) WEIR_MUST_USE;
enum weir_err kit_stage_line(struct kit_stage *stage, const struct kit_line *line);
void kit_stage_close(struct kit_stage *stage);

/* One frame on the n-th connection. */
enum weir_err kit_stage_frame(struct kit_stage *stage, unsigned conn, struct weir_bytes frame);
enum weir_err kit_stage_intent(struct kit_stage *stage, const struct weir_intent *intent);
/* Answer all requests that are open with this. */
void kit_stage_answer(struct kit_stage *stage, int status, struct weir_bytes body);
void kit_stage_wait(struct kit_stage *stage, weir_ns span); /* timers run, nothing arrives */
void kit_stage_lose(struct kit_stage *stage);               /* all connections go down */
/* All that are not up come up, and requests are answered that lines can answer. */
void kit_stage_restore(struct kit_stage *stage, const struct kit_lines *lines);

/* The bytes of a line with ${words} filled in, in memory that is good until the next call. */
struct weir_bytes kit_stage_fill(const struct kit_stage *stage, const struct kit_line *line);

#endif
