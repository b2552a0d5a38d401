/* queue_test.c - what was pushed comes out in order, whatever its length and however full it was. */
#include <criterion/criterion.h>
#include <string.h>

#include "control/queue.h"
#include "support/random.h"

enum { ROOM = 1 << 12, LONGEST = 512 };

struct message {
    struct weir_msg msg;
    uint64_t number;
    unsigned char rest[LONGEST];
};

static struct message message_of(uint64_t number)
{
    uint64_t dice = number;
    struct message message = {.number = number};
    message.msg.size = (uint32_t)(sizeof message.msg + 8 + random_below(&dice, LONGEST / 8) * 8);
    memset(message.rest, (int)number, sizeof message.rest);
    return message;
}

static void check_front(const struct queue *queue, uint64_t number)
{
    struct message expected = message_of(number);
    const struct weir_msg *front = queue_front(queue);
    cr_assert(front && front->size == expected.msg.size &&
                  memcmp((const char *)front + sizeof *front, &expected.number,
                         front->size - sizeof *front) == 0,
              "message %lu", number);
}

Test(queue, what_was_pushed_comes_out_in_order)
{
    struct queue queue;
    uint64_t in = 0, out = 0, refused = 0, dice = 3;
    cr_assert(queue_init(&queue, ROOM));
    for (int step = 0; step < 50000; step++) {
        bool filling = step / 100 % 3 != 0; /* now and then it runs empty */
        if (random_below(&dice, 10) < (filling ? 6u : 1u)) {
            struct message message = message_of(in);
            bool taken = queue_push(&queue, &message.msg);
            in += taken;
            refused += !taken;
        } else if (out < in) {
            check_front(&queue, out++);
            queue_drop(&queue);
        }
        cr_assert((out == in) == queue_empty(&queue));
        cr_assert((out == in) == (queue_front(&queue) == NULL));
        cr_assert(!queue_empty(&queue) || (queue.head == 0 && queue.tail == 0), "the same pages");
    }
    cr_expect(refused > 100 && out > 10000, "%lu %lu", refused, out);
    queue_fini(&queue);
}
