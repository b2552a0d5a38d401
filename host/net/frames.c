/* frames.c - see frames.h. */
#include "net/frames.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { HEADER_MOST = 14, CLOSE_PROTOCOL = 1002, CLOSE_TOO_BIG = 1009 };

/* --- the codec's callbacks --------------------------------------------------------------------*/

/* False: no more bytes for now. */
static bool refill(struct frames *frames)
{
    frames->dry = true;
    if (frames->ended || frames->failed || (!frames->io.drain && !frames->whole))
        return false;
    ssize_t n = frames->io.read(frames->io.context, frames->in, FRAMES_IN_ROOM);
    frames->whole = n == FRAMES_IN_ROOM;
    frames->ended = n == 0;
    frames->failed = n == FRAMES_FAILED;
    frames->in_at = 0;
    frames->in_len = n > 0 ? (size_t)n : 0;
    frames->dry = n <= 0;
    return n > 0;
}

static ssize_t give_bytes(uint8_t *bytes, size_t room, int flags, void *context)
{
    struct frames *frames = context;
    (void)flags;
    if (frames->in_at == frames->in_len && !refill(frames))
        return -1;
    size_t left = frames->in_len - frames->in_at, n = left < room ? left : room;
    memcpy(bytes, frames->in + frames->in_at, n);
    frames->in_at += n;
    return (ssize_t)n;
}

/* There is room: it was looked for before. */
static ssize_t take_bytes(const uint8_t *bytes, size_t len, int flags, void *context)
{
    struct frames *frames = context;
    (void)flags;
    memcpy(frames->out + frames->out_len, bytes, len);
    frames->out_len += len;
    return (ssize_t)len;
}

static int take_mask(uint8_t *mask, size_t len, void *context)
{
    struct frames *frames = context;
    if (frames->mask_at + len > sizeof frames->masks) {
        if (RAND_bytes(frames->masks, sizeof frames->masks) != 1)
            return -1;
        frames->mask_at = 0;
    }
    memcpy(mask, frames->masks + frames->mask_at, len);
    frames->mask_at += len;
    return 0;
}

/* --- life -------------------------------------------------------------------------------------*/

bool frames_reset(struct frames *frames)
{
    static const struct wslay_frame_callbacks callbacks = {take_bytes, give_bytes, take_mask};
    wslay_frame_context_free(frames->codec);
    frames->codec = NULL;
    frames->in_at = frames->in_len = frames->parts_len = frames->control_len = 0;
    frames->out_at = frames->out_len = 0;
    frames->in_message = frames->in_frame = frames->ended = frames->failed = false;
    frames->pinned = frames->close_sent = false;
    frames->whole = true;
    frames->mask_at = sizeof frames->masks;
    return wslay_frame_context_init(&frames->codec, &callbacks, frames) == 0;
}

bool frames_init(struct frames *frames, const struct frames_io *io, uint32_t message_max,
                 uint32_t out_room)
{
    memset(frames, 0, sizeof *frames);
    frames->io = *io;
    frames->message_max = message_max;
    frames->out_room = out_room;
    frames->in = malloc(FRAMES_IN_ROOM);
    frames->out = malloc(out_room);
    if (frames->in && frames->out && frames_reset(frames))
        return true;
    frames_fini(frames);
    return false;
}

void frames_fini(struct frames *frames)
{
    wslay_frame_context_free(frames->codec);
    free(frames->in);
    free(frames->out);
    free(frames->parts);
    memset(frames, 0, sizeof *frames);
}

void frames_preload(struct frames *frames, const char *bytes, size_t len)
{
    memmove(frames->in, bytes, len);
    frames->in_at = 0;
    frames->in_len = len;
}

/* --- writing ----------------------------------------------------------------------------------*/

bool frames_flush(struct frames *frames)
{
    while (!frames->failed && frames_waits(frames)) {
        ssize_t n = frames->io.write(frames->io.context, frames->out + frames->out_at,
                                     frames->out_len - frames->out_at);
        frames->failed = n == FRAMES_FAILED;
        frames->pinned = n == FRAMES_AGAIN;
        if (n < 0)
            break;
        frames->out_at += (size_t)n;
    }
    if (!frames_waits(frames))
        frames->out_at = frames->out_len = 0;
    return !frames->failed;
}

static bool has_room(struct frames *frames, size_t len)
{
    size_t waiting = frames->out_len - frames->out_at;
    if (frames->out_room - frames->out_len >= len)
        return true;
    if (frames->pinned || frames->out_room - waiting < len)
        return false;
    memmove(frames->out, frames->out + frames->out_at, waiting);
    frames->out_at = 0;
    frames->out_len = waiting;
    return true;
}

/* len < out_room: nothing here overflows. */
static enum weir_err put_frame(struct frames *frames, uint8_t opcode, const void *bytes, size_t len)
{
    struct wslay_frame_iocb frame = {.fin = 1,
                                     .opcode = opcode,
                                     .payload_length = len,
                                     .mask = 1,
                                     .data = bytes,
                                     .data_length = len};
    if (frames->failed || frames->close_sent)
        return WEIR_E_DOWN;
    if (len > frames->out_room || !has_room(frames, len + HEADER_MOST))
        return WEIR_E_FULL;
    if (wslay_frame_send(frames->codec, &frame) != (ssize_t)len) {
        frames->failed = true; /* no random numbers for the mask */
        return WEIR_E_DOWN;
    }
    return frames_flush(frames) ? WEIR_OK : WEIR_E_DOWN;
}

/* Would a text frame be true? JSON is; a struct is not. */
static bool is_text(struct weir_bytes bytes)
{
    size_t step;
    for (size_t i = 0; i < bytes.len; i += step) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
            return false;
        step = c < 0x80 ? 1 : utf8_char(bytes.data + i, bytes.len - i);
        if (step == 0)
            return false;
    }
    return true;
}

enum weir_err frames_send(struct frames *frames, struct weir_bytes message)
{
    return put_frame(frames, is_text(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, message.data,
                     message.len);
}

void frames_ping(struct frames *frames)
{
    enum weir_err err = put_frame(frames, WSLAY_PING, "weir", 4);
    (void)err; /* what cannot be written shows itself as silence */
}

void frames_close(struct frames *frames, uint16_t code)
{
    unsigned char payload[2] = {(unsigned char)(code >> 8), (unsigned char)code};
    enum weir_err err = put_frame(frames, WSLAY_CONNECTION_CLOSE, payload, sizeof payload);
    (void)err;
    frames->close_sent = true;
}

enum weir_err frames_raw(struct frames *frames, const char *bytes, size_t len)
{
    if (!has_room(frames, len))
        return WEIR_E_FULL;
    memcpy(frames->out + frames->out_len, bytes, len);
    frames->out_len += len;
    return frames_flush(frames) ? WEIR_OK : WEIR_E_DOWN;
}

/* --- reading ----------------------------------------------------------------------------------*/

struct verdict {
    enum frames_step step; /* FRAMES_WAIT: go on */
    uint16_t close;        /* what to say to the other side; 0: nothing */
    char *why;
    size_t room;
};

static void broken(struct verdict *verdict, uint16_t close, const char *text)
{
    verdict->step = FRAMES_BROKEN;
    verdict->close = close;
    snprintf(verdict->why, verdict->room, "%s", text);
}

/* What a frame's head says, judged once. False: it may not be. */
static bool head_is_sane(const struct frames *frames, const struct wslay_frame_iocb *frame,
                         struct verdict *verdict)
{
    bool control = frame->opcode & 8,
         data = frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME;
    const char *fault = NULL;
    if (frame->rsv)
        fault = "a frame uses an extension that was not agreed upon";
    else if (frame->mask)
        fault = "a server may not mask its frames";
    else if (control ? frame->opcode > WSLAY_PONG : frame->opcode > WSLAY_BINARY_FRAME)
        fault = "a frame of an unknown kind";
    else if (data && frames->in_message)
        fault = "a new message within the fragments of another";
    else if (frame->opcode == WSLAY_CONTINUATION_FRAME && !frames->in_message)
        fault = "a fragment of no message";
    if (fault) {
        broken(verdict, CLOSE_PROTOCOL, fault);
        return false;
    }
    if (!control && frame->payload_length > frames->message_max - frames->parts_len) {
        broken(verdict, CLOSE_TOO_BIG, "a message is larger than this side takes");
        return false;
    }
    return true;
}

static void on_close(struct frames *frames, struct verdict *verdict)
{
    const unsigned char *c = frames->control;
    unsigned code = frames->control_len >= 2 ? (unsigned)c[0] << 8 | c[1] : 1005;
    int len = frames->control_len > 2 ? (int)frames->control_len - 2 : 0;
    verdict->step = FRAMES_CLOSED;
    verdict->close = code == 1005 ? 1000 : (uint16_t)code;
    snprintf(verdict->why, verdict->room, "closed by the other side: %u%s%.*s", code,
             len ? " " : "", len, (const char *)c + 2);
    for (char *at = verdict->why; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
}

static void on_control(struct frames *frames, uint8_t opcode, struct verdict *verdict)
{
    if (opcode == WSLAY_CONNECTION_CLOSE) {
        on_close(frames, verdict);
    } else if (opcode == WSLAY_PING) {
        enum weir_err err = put_frame(frames, WSLAY_PONG, frames->control, frames->control_len);
        (void)err; /* a pong that finds no room is left out: more data than it waits already */
    }
}

static bool keep(struct frames *frames, const uint8_t *bytes, size_t len)
{
    size_t need = frames->parts_len + len;
    if (need > frames->parts_room) {
        size_t room = frames->parts_room ? frames->parts_room : 16384;
        while (room < need)
            room *= 2;
        char *grown = realloc(frames->parts, room);
        if (!grown)
            return false;
        frames->parts = grown;
        frames->parts_room = room;
    }
    if (len > 0)
        memcpy(frames->parts + frames->parts_len, bytes, len);
    frames->parts_len = need;
    return true;
}

/* One message is whole. */
static bool hand_on(struct frames *frames, const char *data, size_t len)
{
    frames->in_message = false;
    frames->parts_len = 0; /* the bytes stay until the next come */
    return frames->io.message(frames->io.context, (struct weir_bytes){data, len});
}

/* A piece of a frame. *count: messages handed on. */
static void take_piece(struct frames *frames, const struct wslay_frame_iocb *frame, unsigned *count,
                       struct verdict *verdict)
{
    bool control = frame->opcode & 8, first = !frames->in_frame;
    if (first) {
        if (!head_is_sane(frames, frame, verdict))
            return;
        frames->frame_left = frame->payload_length;
        frames->control_len = control ? 0 : frames->control_len;
    }
    frames->frame_left -= frame->data_length;
    frames->in_frame = frames->frame_left > 0;
    if (control) {
        memcpy(frames->control + frames->control_len, frame->data, frame->data_length);
        frames->control_len += frame->data_length;
        if (!frames->in_frame)
            on_control(frames, frame->opcode, verdict);
        return;
    }
    bool last = frame->fin && !frames->in_frame;
    bool more = true;
    if (last && first && !frames->in_message) {
        more = hand_on(frames, (const char *)frame->data, frame->data_length);
    } else {
        frames->in_message = true;
        if (!keep(frames, frame->data, frame->data_length)) {
            broken(verdict, CLOSE_TOO_BIG, "no memory for a message");
            return;
        }
        if (last)
            more = hand_on(frames, frames->parts ? frames->parts : "", frames->parts_len);
    }
    *count += last;
    if (!more)
        verdict->step = FRAMES_MORE;
}

enum frames_step frames_read(struct frames *frames, unsigned budget, char *why, size_t why_room)
{
    struct verdict verdict = {.step = FRAMES_WAIT, .why = why, .room = why_room};
    struct wslay_frame_iocb frame;
    unsigned count = 0, pieces = 0;
    frames->whole = true;
    frames->dry = false;
    while (verdict.step == FRAMES_WAIT && count < budget && pieces++ < budget * 16) {
        memset(&frame, 0, sizeof frame);
        ssize_t n = wslay_frame_recv(frames->codec, &frame);
        if (n >= 0) {
            take_piece(frames, &frame, &count, &verdict);
        } else if (n != WSLAY_ERR_WANT_READ) {
            broken(&verdict, CLOSE_PROTOCOL, "a frame whose head may not be");
        } else if (frames->failed) {
            broken(&verdict, 0, "the connection has failed");
        } else if (frames->ended) {
            snprintf(why, why_room, "the other side has hung up");
            return FRAMES_CLOSED;
        } else if (frames->dry) {
            return FRAMES_WAIT;
        }
    }
    if (verdict.close)
        frames_close(frames, verdict.close);
    return verdict.step == FRAMES_WAIT ? FRAMES_MORE : verdict.step;
}
