/* frame.c - where the members of a frame stand, in whatever order and spacing they come.
 *
 * The whole object is walked once, so what is not well formed is refused before anything of it is
 * believed. A member that stands twice is refused too: which of the two is meant, nobody knows. */
#include "binance.h"

static const struct {
    const char *name;
    uint8_t len;
} members[MEMBER_COUNT] = {
#define X(name) {#name, sizeof #name - 1},
    MEMBERS(X)
#undef X
};

static int member_of(struct weir_bytes key)
{
    for (int i = 0; i < MEMBER_COUNT; i++)
        if (key.len == members[i].len && memcmp(key.data, members[i].name, key.len) == 0)
            return i;
    return -1;
}

enum weir_err frame_index(struct scan *scan, struct frame *frame_out)
{
    *frame_out = (struct frame){.end = scan->end};
    struct weir_bytes key;
    int first = 1;
    scan_expect(scan, '{');
    while (scan_key(scan, &first, &key)) {
        int member = member_of(key);
        scan_space(scan);
        if (member >= 0) {
            if (frame_out->at[member])
                scan_fail(scan, WEIR_E_BAD_FRAME);
            frame_out->at[member] = scan->at;
        }
        scan_skip(scan);
    }
    return scan->err;
}

struct weir_bytes frame_text(const struct frame *frame, enum member member)
{
    struct scan scan = frame_scan(frame, member);
    struct weir_bytes text = {frame->end, 0};
    if (scan_peek(&scan) == '"')
        text = scan_string(&scan);
    return scan_ok(&scan) ? text : (struct weir_bytes){frame->end, 0};
}
