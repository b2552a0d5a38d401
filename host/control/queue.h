/* queue.h - messages waiting their turn on one thread: variable length, first in, first out.
 *
 * Plugins may not be called from within their own calls, nor the engine from within its effects; so
 * what they say is queued and taken in the order in which it was said. The room is reserved once;
 * pages are used as needed. [one thread] */
#ifndef WEIR_CONTROL_QUEUE_H
#define WEIR_CONTROL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/event.h"

struct queue {
    unsigned char *bytes;
    size_t room; /* a power of two */
    size_t head; /* where the next goes, counting on until all is taken */
    size_t tail;
    size_t most; /* fullest so far */
};

bool queue_init(struct queue *queue, size_t room); /* false: no memory */
void queue_fini(struct queue *queue);
bool queue_push(struct queue *queue,
                const struct weir_msg *msg); /* false: full; nothing was queued */
/* The oldest, borrowed until queue_drop(); NULL: none. */
const struct weir_msg *queue_front(const struct queue *queue);
void queue_drop(struct queue *queue);
static inline bool queue_empty(const struct queue *queue)
{
    return queue->head == queue->tail;
}

#endif
