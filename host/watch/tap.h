/* tap.h - how observers see what the engine thread does: a bounded queue of messages between two
 * threads. The engine thread never waits: when the observer is slow and the room is full, a message
 * is dropped and counted, and the observer is told that it lost its place. */
#ifndef WEIR_WATCH_TAP_H
#define WEIR_WATCH_TAP_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/event.h"

struct tap;

/* room: bytes, a power of two. NULL: no memory. [main thread] */
struct tap *tap_create(size_t room);
void tap_destroy(struct tap *tap);

/* Copy a message in. False: no room; it is counted as lost.               [engine thread] */
bool tap_push(struct tap *tap, const struct weir_msg *msg);
uint64_t tap_lost(const struct tap *tap); /* messages, since the start     [any thread] */

/* The oldest message, borrowed until tap_drop(); NULL: none.            [observer thread] */
const struct weir_msg *tap_front(struct tap *tap);
void tap_drop(struct tap *tap);

#endif
