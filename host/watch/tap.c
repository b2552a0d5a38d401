/* tap.c - one producer, one consumer; a message never wraps: a filler is left to the end instead. */
#include "watch/tap.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FILLER_KIND = 0xffff };

struct tap {
    _Alignas(64) _Atomic size_t head; /* written by the producer */
    size_t tail_seen;
    _Atomic uint64_t lost;
    _Alignas(64) _Atomic size_t tail; /* written by the consumer */
    size_t head_seen;
    _Alignas(64) size_t room;
    unsigned char bytes[];
};

struct tap *tap_create(size_t room)
{
    struct tap *tap = aligned_alloc(64, sizeof *tap + room);
    if (tap) {
        memset(tap, 0, sizeof *tap);
        tap->room = room;
    }
    return tap;
}

void tap_destroy(struct tap *tap)
{
    free(tap);
}

static struct weir_msg *at(struct tap *tap, size_t position)
{
    return (struct weir_msg *)(void *)(tap->bytes + (position & (tap->room - 1)));
}

bool tap_push(struct tap *tap, const struct weir_msg *msg)
{
    size_t head = atomic_load_explicit(&tap->head, memory_order_relaxed);
    size_t left = tap->room - (head & (tap->room - 1));
    size_t gap = left < msg->size ? left : 0;
    size_t need = gap + msg->size;
    if (head - tap->tail_seen + need > tap->room)
        tap->tail_seen = atomic_load_explicit(&tap->tail, memory_order_acquire);
    if (head - tap->tail_seen + need > tap->room) {
        atomic_fetch_add_explicit(&tap->lost, 1, memory_order_relaxed);
        return false;
    }
    if (gap) {
        at(tap, head)->size = (uint32_t)gap;
        at(tap, head)->kind = FILLER_KIND;
    }
    memcpy(at(tap, head + gap), msg, msg->size);
    atomic_store_explicit(&tap->head, head + need, memory_order_release);
    return true;
}

uint64_t tap_lost(const struct tap *tap)
{
    return atomic_load_explicit(&tap->lost, memory_order_relaxed);
}

const struct weir_msg *tap_front(struct tap *tap)
{
    size_t tail = atomic_load_explicit(&tap->tail, memory_order_relaxed);
    for (;;) {
        if (tail == tap->head_seen)
            tap->head_seen = atomic_load_explicit(&tap->head, memory_order_acquire);
        if (tail == tap->head_seen)
            return NULL;
        const struct weir_msg *msg = at(tap, tail);
        if (msg->kind != FILLER_KIND)
            return msg;
        tail += msg->size;
        atomic_store_explicit(&tap->tail, tail, memory_order_release);
    }
}

void tap_drop(struct tap *tap)
{
    size_t tail = atomic_load_explicit(&tap->tail, memory_order_relaxed);
    atomic_store_explicit(&tap->tail, tail + at(tap, tail)->size, memory_order_release);
}
