#include "control/queue.h"

#include <string.h>
#include <sys/mman.h>

/* A message never wraps: where it would, a gap of this kind is left to the end of the room. */
enum { GAP_KIND = 0xffff };

bool queue_init(struct queue *queue, size_t room)
{
    memset(queue, 0, sizeof *queue);
    void *bytes = mmap(NULL, room, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED)
        return false;
    queue->bytes = bytes;
    queue->room = room;
    return true;
}

void queue_fini(struct queue *queue)
{
    if (queue->bytes)
        munmap(queue->bytes, queue->room);
    memset(queue, 0, sizeof *queue);
}

static struct weir_msg *at(const struct queue *queue, size_t position)
{
    return (struct weir_msg *)(void *)(queue->bytes + (position & (queue->room - 1)));
}

bool queue_push(struct queue *queue, const struct weir_msg *msg)
{
    size_t left = queue->room - (queue->head & (queue->room - 1)); /* to the end of the room */
    size_t gap = left < msg->size ? left : 0;
    if (queue->head - queue->tail + gap + msg->size > queue->room)
        return false;
    if (gap >= 8) {
        struct weir_msg *filler = at(queue, queue->head);
        filler->size = (uint32_t)gap;
        filler->kind = GAP_KIND;
    }
    queue->head += gap;
    memcpy(at(queue, queue->head), msg, msg->size);
    queue->head += msg->size;
    if (queue->head - queue->tail > queue->most)
        queue->most = queue->head - queue->tail;
    return true;
}

const struct weir_msg *queue_front(const struct queue *queue)
{
    size_t tail = queue->tail;
    if (queue->head == tail)
        return NULL;
    const struct weir_msg *msg = at(queue, tail);
    return msg->kind == GAP_KIND ? at(queue, tail + msg->size) : msg;
}

void queue_drop(struct queue *queue)
{
    const struct weir_msg *msg = at(queue, queue->tail);
    if (msg->kind == GAP_KIND)
        queue->tail += msg->size;
    queue->tail += at(queue, queue->tail)->size;
    if (queue->tail == queue->head) /* the next comes where memory is warm */
        queue->tail = queue->head = 0;
}
