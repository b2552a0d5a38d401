/* kit_stage.h - a pretended host and venue around one plugin: what it sends is kept as a text, what the
 * venue says first is played to it. [one thread] */
#ifndef WEIR_CONTROL_KIT_STAGE_H
#define WEIR_CONTROL_KIT_STAGE_H

#include "base/text.h"
#include "control/kit.h"
#include "venue/venue.h"

enum { KIT_FRAMES_MAX = 2000, KIT_ASKED_MAX = 256, KIT_CONNS_MAX = 64, KIT_FRAME_MAX = 1 << 20 };

/* What the venue says first. */
struct kit_line {
    bool http;
    struct weir_bytes target; /* http: the path's beginning */
    struct weir_bytes bytes;
};
struct kit_lines {
    struct kit_line line[KIT_FRAMES_MAX];
    unsigned count, frames;
};
/* NULL folder: none. Kept until the process ends. E_IO, E_FULL, E_BAD_FRAME. */
enum weir_err kit_lines_read(const char *folder, struct kit_lines *lines,
                             struct why *why) WEIR_MUST_USE;

struct kit_stage {
    struct session *session;
    weir_ns now;
    struct text wire; /* all that was sent: frames and requests */
    struct {
        uint32_t id;
        char path[256];
    } asked[KIT_ASKED_MAX]; /* requests that have no answer yet */
    unsigned asked_count;
    uint32_t conns[KIT_CONNS_MAX];
    unsigned conn_count, conns_up;
    uint32_t instruments; /* the host's numbers are 1 to this */
    struct weir_instrument first;
    unsigned answers; /* events that say what became of an order */
    uint16_t answer;  /* the last one's kind */
    char said[200];   /* the last line that the plugin logged */
};

/* Open a session and let it begin: connections come up, requests are answered as far as lines go, then
 * the frames come. The stage is large: not on the stack. E_*: why says what. */
enum weir_err kit_stage_open(struct kit_stage *stage, struct plugin *plugin, const struct kit *kit,
                             const struct kit_lines *lines, struct why *why) WEIR_MUST_USE;
void kit_stage_close(struct kit_stage *stage);

/* One frame on the first connection, placed so that a byte read behind its end is a fault. */
enum weir_err kit_stage_frame(struct kit_stage *stage, struct weir_bytes frame);
/* Answer all requests that are open with this. */
void kit_stage_answer(struct kit_stage *stage, int status, struct weir_bytes body);
void kit_stage_wait(struct kit_stage *stage, weir_ns span); /* timers run, nothing arrives */
void kit_stage_lose(struct kit_stage *stage);               /* all connections go down */

#endif
