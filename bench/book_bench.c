/* book_bench.c - what one level update costs the book, beside the plain ways of keeping one.
 *
 *   book [ROUNDS]     default 15
 *
 * The stream is made here, alike on every run: messages of 1 to some 200 levels around a price that
 * wanders, most levels near the best, some far away, a third of them removals, in prices of 1e-8 on a
 * tick that is not told. All ways must come to the same checksum over the best prices after each
 * message. Times are thread CPU time, median and spread of interleaved rounds, ns a level:
 *
 *   feed      messages through the book machine: checked, sequenced, applied, crossed or not
 *   window    book_put
 *   array     a sorted array, best at its end, binary search and memmove
 *   tree      a balanced tree with a node from malloc for each level, as std::map is
 *
 * and the window again with 10 and 100 books in turn. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"
#include "engine/book.h"
#include "venue/feed.h"

enum { MESSAGES = 20000, ROUNDS_MAX = 99, WINDOW = 65536, FAR = 65536, BOOKS_MAX = 100 };
#define TICK ((weir_px)1000000)

/* --- the stream --------------------------------------------------------------------------------*/

static struct {
    unsigned char *bytes;
    struct weir_book_msg *messages[MESSAGES];
    uint64_t levels;
} stream;

static uint64_t any(uint64_t below)
{
    static uint64_t state = 0x2545F4914F6CDD1D;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % below;
}

/* Ticks from the best: half within 16, nearly all within 4096, some within 60000. */
static int64_t any_distance(void)
{
    uint64_t kind = any(100);
    return (int64_t)any(kind < 50 ? 16 : kind < 97 ? 64ull << any(7) : 60000);
}

static void add_level(struct weir_book_msg *msg, weir_px ticks, weir_qty qty)
{
    msg->levels[msg->bids + msg->asks] = (struct weir_level){ticks * TICK, qty};
}

static weir_qty any_qty(void)
{
    return any(3) ? (weir_qty)any(1000000) + 1 : 0;
}

/* A message leaves no level on the wrong side of the mid, as at a venue. */
static void fill_message(struct weir_book_msg *msg, int64_t before, int64_t mid, uint32_t count)
{
    for (int64_t px = mid + 1; px <= before; px++, msg->bids++) /* down: what bid there is gone */
        add_level(msg, px, 0);
    for (uint32_t i = 0; i < count; i++, msg->bids++)
        add_level(msg, mid - any_distance(), any_qty());
    for (int64_t px = before + 1; px <= mid; px++, msg->asks++) /* up: what asked there is gone */
        add_level(msg, px, 0);
    for (uint32_t i = 0; i < count; i++, msg->asks++)
        add_level(msg, mid + 1 + any_distance(), any_qty());
    msg->msg.size = (uint32_t)(sizeof *msg + (msg->bids + msg->asks) * sizeof msg->levels[0]);
}

static bool make_stream(void)
{
    size_t room = (size_t)MESSAGES * 8192, at = 0;
    stream.bytes = malloc(room);
    if (!stream.bytes)
        return false;
    int64_t mid = 6180000;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        struct weir_book_msg *msg = (struct weir_book_msg *)(void *)(stream.bytes + at);
        *msg = (struct weir_book_msg){
            .msg = {.kind = WEIR_BOOK, .flags = i == 0 ? WEIR_BOOK_SNAPSHOT : 0},
            .first_seq = i,
            .last_seq = i,
            .prev_seq = i - 1};
        int64_t before = mid;
        mid += any(4) ? 0 : (int64_t)any(41) - 20;
        uint32_t count = i == 0 ? 100 : 1 + (uint32_t)any(8ull << any(5));
        fill_message(msg, before, mid, count);
        stream.messages[i] = msg;
        stream.levels += msg->bids + msg->asks;
        at += msg->msg.size;
    }
    return true;
}

static uint64_t mix(uint64_t sum, weir_px bid, weir_px ask)
{
    return sum * 31 + (uint64_t)bid * 3 + (uint64_t)ask;
}

/* --- the ways ----------------------------------------------------------------------------------*/

static void *pages(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        fputs("book_bench: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

static uint64_t tops(const struct book *book, uint64_t sum)
{
    struct weir_level bid = {0, 0}, ask = {0, 0};
    (void)book_best(book, WEIR_BUY, &bid);
    (void)book_best(book, WEIR_SELL, &ask);
    return mix(sum, bid.px, ask.px);
}

static uint64_t by_window(int books)
{
    static struct book *book[BOOKS_MAX];
    size_t size = book_bytes(WINDOW, FAR);
    uint64_t sum = 0;
    for (int i = 0; i < books; i++)
        book[i] = book_init(pages(size), WINDOW, FAR, 0);
    for (int i = 0; i < MESSAGES; i++)
        for (int k = 0; k < books; k++) {
            const struct weir_book_msg *msg = stream.messages[i];
            if (book_put(book[k], WEIR_BUY, msg->levels, msg->bids) != WEIR_OK ||
                book_put(book[k], WEIR_SELL, msg->levels + msg->bids, msg->asks) != WEIR_OK)
                abort();
            if (k == 0)
                sum = tops(book[k], sum);
        }
    for (int i = 0; i < books; i++)
        munmap(book[i], size);
    return sum;
}

static uint64_t by_one_window(void)
{
    return by_window(1);
}

static uint64_t by_feed(void)
{
    struct feed feed;
    struct feed_config config = {
        .window = WINDOW, .far = FAR, .held = 1 << 16, .rule = WEIR_RULE_NEXT};
    uint64_t sum = 0;
    if (feed_init(&feed, &config) != WEIR_OK)
        abort();
    for (int i = 0; i < MESSAGES; i++) {
        if (feed_take(&feed, stream.messages[i], i) != WEIR_OK)
            abort();
        sum = tops(feed.book, sum);
    }
    feed_fini(&feed);
    return sum;
}

struct array {
    struct entry {
        int64_t key; /* the price, negative for asks: the best is last */
        weir_qty qty;
    } entries[1 << 17];
    uint32_t count;
};

static void array_set(struct array *array, int64_t key, weir_qty qty)
{
    uint32_t low = 0, high = array->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (array->entries[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    bool held = low < array->count && array->entries[low].key == key;
    if (held && qty > 0) {
        array->entries[low].qty = qty;
    } else if (held) {
        array->count--;
        memmove(&array->entries[low], &array->entries[low + 1],
                (array->count - low) * sizeof array->entries[0]);
    } else if (qty > 0) {
        memmove(&array->entries[low + 1], &array->entries[low],
                (array->count - low) * sizeof array->entries[0]);
        array->entries[low] = (struct entry){key, qty};
        array->count++;
    }
}

static uint64_t by_array(void)
{
    struct array *half[2] = {pages(sizeof(struct array)), pages(sizeof(struct array))};
    uint64_t sum = 0;
    for (int i = 0; i < MESSAGES; i++) {
        const struct weir_book_msg *msg = stream.messages[i];
        for (uint32_t k = 0; k < msg->bids; k++)
            array_set(half[0], msg->levels[k].px, msg->levels[k].qty);
        for (uint32_t k = msg->bids; k < msg->bids + msg->asks; k++)
            array_set(half[1], -msg->levels[k].px, msg->levels[k].qty);
        uint32_t bids = half[0]->count, asks = half[1]->count;
        sum = mix(sum, bids ? half[0]->entries[bids - 1].key : 0,
                  asks ? -half[1]->entries[asks - 1].key : 0);
    }
    munmap(half[0], sizeof(struct array));
    munmap(half[1], sizeof(struct array));
    return sum;
}

/* A treap: balanced by a random priority in each node. */
struct node {
    int64_t key;
    weir_qty qty;
    uint64_t priority;
    struct node *left, *right;
};

static void split(struct node *tree, int64_t key, struct node **below, struct node **above)
{
    while (tree) {
        if (tree->key < key) {
            *below = tree;
            below = &tree->right;
            tree = tree->right;
        } else {
            *above = tree;
            above = &tree->left;
            tree = tree->left;
        }
    }
    *below = *above = NULL;
}

static struct node *join(struct node *left, struct node *right)
{
    struct node *top = NULL, **at = &top;
    while (left && right) {
        if (left->priority > right->priority) {
            *at = left;
            at = &left->right;
            left = left->right;
        } else {
            *at = right;
            at = &right->left;
            right = right->left;
        }
    }
    *at = left ? left : right;
    return top;
}

static void tree_set(struct node **at, int64_t key, weir_qty qty)
{
    static uint64_t random = 88172645463325252;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    struct node **top = at;
    while (*at && (*at)->key != key)
        at = key < (*at)->key ? &(*at)->left : &(*at)->right;
    struct node *found = *at;
    if (found && qty > 0) {
        found->qty = qty;
    } else if (found) {
        *at = join(found->left, found->right);
        free(found);
    } else if (qty > 0) {
        struct node *node = malloc(sizeof *node);
        if (!node)
            abort();
        *node = (struct node){.key = key, .qty = qty, .priority = random};
        for (at = top; *at && (*at)->priority > random;)
            at = key < (*at)->key ? &(*at)->left : &(*at)->right;
        split(*at, key, &node->left, &node->right);
        *at = node;
    }
}

static int64_t tree_best(const struct node *tree)
{
    while (tree && tree->right)
        tree = tree->right;
    return tree ? tree->key : 0;
}

static void tree_free(struct node *tree)
{
    if (!tree)
        return;
    tree_free(tree->left);
    tree_free(tree->right);
    free(tree);
}

static uint64_t by_tree(void)
{
    struct node *half[2] = {NULL, NULL};
    uint64_t sum = 0;
    for (int i = 0; i < MESSAGES; i++) {
        const struct weir_book_msg *msg = stream.messages[i];
        for (uint32_t k = 0; k < msg->bids; k++)
            tree_set(&half[0], msg->levels[k].px, msg->levels[k].qty);
        for (uint32_t k = msg->bids; k < msg->bids + msg->asks; k++)
            tree_set(&half[1], -msg->levels[k].px, msg->levels[k].qty);
        sum = mix(sum, tree_best(half[0]), -tree_best(half[1]));
    }
    tree_free(half[0]);
    tree_free(half[1]);
    return sum;
}

/* --- rounds ------------------------------------------------------------------------------------*/

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void report(const char *name, const int64_t *times, int rounds, uint64_t levels)
{
    double values[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++)
        values[i] = (double)times[i] / (double)levels;
    bench_line(name, values, rounds, "ns a level", NO_GOAL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint64_t (*run)(void);
    } ways[] = {
        {"feed", by_feed}, {"window", by_one_window}, {"array", by_array}, {"tree", by_tree}};
    enum { WAYS = sizeof ways / sizeof ways[0] };
    static int64_t times[WAYS][ROUNDS_MAX], many[ROUNDS_MAX];
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 15;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "book_bench: rounds: expected 1 to %d, found %s\n", ROUNDS_MAX, argv[1]);
        return 2;
    }
    if (!make_stream())
        return 2;
    uint64_t sums[WAYS] = {0};
    for (int round = 0; round < rounds; round++)
        for (int way = 0; way < WAYS; way++) {
            int64_t start = cpu_ns();
            sums[way] = ways[way].run();
            times[way][round] = cpu_ns() - start;
        }
    printf("%d messages, %" PRIu64 " levels, %ld rounds, checksum %016" PRIx64 "\n", MESSAGES,
           stream.levels, rounds, sums[0]);
    for (int way = 0; way < WAYS; way++) {
        report(ways[way].name, times[way], (int)rounds, stream.levels);
        if (sums[way] != sums[0]) {
            fprintf(stderr, "book_bench: %s came to another checksum\n", ways[way].name);
            return 1;
        }
    }
    for (int books = 10; books <= BOOKS_MAX; books *= 10) {
        int few = rounds < 3 ? (int)rounds : 3;
        for (int round = 0; round < few; round++) {
            int64_t start = cpu_ns();
            (void)by_window(books);
            many[round] = cpu_ns() - start;
        }
        char name[32];
        snprintf(name, sizeof name, "window, %d books", books);
        report(name, many, few, stream.levels * (uint64_t)books);
    }
    free(stream.bytes);
    return 0;
}
