/* frames.h - messages out of WebSocket frames and back, over any pair of functions that move bytes.
 *
 * wslay reads and writes the single frames; here they become messages: fragments are put together,
 * pings answered, a close answered, sizes bounded. It is the client's side: what we send is masked,
 * what comes may not be. Text is not checked to be UTF-8: what a venue sends is judged by the plugin
 * that reads it.
 *
 * OUT   bytes wait in one buffer of fixed room and in one place: OpenSSL wants a write that had to
 *       wait to be repeated with the same bytes at the same address.
 * IN    a message that lies whole in the buffer is handed on from there; others are put together
 *       in a second buffer, which grows up to the bound and stays. */
#ifndef WEIR_NET_FRAMES_H
#define WEIR_NET_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <wslay/wslay.h>

#include "weir/plugin.h"

enum { FRAMES_AGAIN = -1, FRAMES_FAILED = -2 };

struct frames_io {
    void *context;
    /* Bytes moved; 0: the end (read only); FRAMES_AGAIN; FRAMES_FAILED. */
    ssize_t (*read)(void *context, void *bytes, size_t room);
    ssize_t (*write)(void *context, const void *bytes, size_t len);
    /* One whole message. False: read no further for now. */
    bool (*message)(void *context, struct weir_bytes message);
    bool drain; /* read until FRAMES_AGAIN, not just until less came than was asked for */
};

enum { FRAMES_MASKS = 1024, FRAMES_CONTROL_MAX = 125 };

struct frames {
    struct frames_io io;
    wslay_frame_context_ptr codec;
    uint32_t message_max, out_room;
    /* in */
    char *in; /* as read */
    size_t in_at, in_len;
    char *parts; /* of a message in pieces */
    size_t parts_len, parts_room;
    bool in_message;     /* a fragment came, and not yet the last */
    bool in_frame;       /* some of a frame's payload came */
    uint64_t frame_left; /* of that payload */
    uint8_t opcode;
    unsigned char control[FRAMES_CONTROL_MAX];
    size_t control_len;
    bool whole;  /* the last read filled the buffer */
    bool dry;    /* nothing more was to be read */
    bool ended;  /* the other side has closed its end */
    bool failed; /* read or write has failed */
    /* out */
    char *out;
    size_t out_at, out_len;
    bool pinned; /* the last write had to wait: same bytes, same place */
    unsigned char masks[FRAMES_MASKS];
    size_t mask_at;
    bool close_sent;
};

/* False: no memory. Buffers are kept from one connection to the next: frames_reset. */
bool frames_init(struct frames *frames, const struct frames_io *io, uint32_t message_max,
                 uint32_t out_room) WEIR_MUST_USE;
bool frames_reset(struct frames *frames) WEIR_MUST_USE;
void frames_fini(struct frames *frames);

/* Bytes that were read behind the head of the upgrade's answer. At most FRAMES_IN_ROOM; they may stand
 * in frames->in. */
enum { FRAMES_IN_ROOM = 65536 };
void frames_preload(struct frames *frames, const char *bytes, size_t len);

enum frames_step {
    FRAMES_WAIT,   /* nothing more for now */
    FRAMES_MORE,   /* there may be more: the budget is used up, or `message` said stop */
    FRAMES_CLOSED, /* the other side said close, or its end of the stream was reached */
    FRAMES_BROKEN  /* it speaks no WebSocket, a message is too large, the stream has failed */
};
/* Read and hand on up to `budget` messages. why: for the last two, in words. */
enum frames_step frames_read(struct frames *frames, unsigned budget, char *why, size_t why_room);

/* Queue one message and write what can be written. E_FULL: no room, nothing queued; E_DOWN: failed. */
enum weir_err frames_send(struct frames *frames, struct weir_bytes message) WEIR_MUST_USE;
void frames_ping(struct frames *frames); /* as far as there is room */
void frames_close(struct frames *frames, uint16_t code);
/* Bytes that are not of the protocol: the upgrade's request. */
enum weir_err frames_raw(struct frames *frames, const char *bytes, size_t len) WEIR_MUST_USE;

/* Write what waits. False: it has failed. */
bool frames_flush(struct frames *frames);
static inline bool frames_waits(const struct frames *frames)
{
    return frames->out_at < frames->out_len;
}

#endif
