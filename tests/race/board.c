/* board.c - one writer and two readers of the board that cells read, as threads, for the thread
 * sanitizer: is what a reader gets always from one writing? Exit 0: it was. */
#include "script/board.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { WRITES = 5000, DEEP = 20 };

static struct board *board;
static struct book *book;
static _Atomic bool over;
static _Atomic unsigned torn;

/* Every number of an entry says the same. */
static void write_all(int64_t n)
{
    struct board_market market = {.defined = true, .has_position = true};
    market.market.top.bid = market.market.top.ask = market.market.top.bid_qty = n;
    market.market.reference_x2 = market.account.qty = n;
    market.account.cost = market.account.realized = n;
    struct board_wallet wallet = {n, n, n};
    board_show_market(board, 1, &market);
    board_show_wallet(board, 1, 0, &wallet);
    book_clear(book);
    for (int i = 0; i < DEEP; i++) {
        (void)!book_set(book, WEIR_BUY, 1000 - i, n);
        (void)!book_set(book, WEIR_SELL, 1001 + i, n);
    }
    board_show_depth(board, 1, book, BOOK_LIVE, DEEP);
}

static void look_at_market(void)
{
    struct board_market seen;
    struct board_wallet money;
    if (board_market(board, 1, &seen)) {
        int64_t n = seen.market.top.bid;
        torn += seen.market.top.ask != n || seen.market.top.bid_qty != n ||
                seen.market.reference_x2 != n || seen.account.qty != n || seen.account.cost != n ||
                seen.account.realized != n;
    }
    if (board_wallet(board, 1, "USD", &money))
        torn += money.total != money.fees || money.fees != money.funding;
}

static void look_at_depth(struct board_depth *depth)
{
    if (!board_depth(board, 1, DEEP, depth))
        return;
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < depth->count[side]; i++)
            torn += depth->of[side][i].qty != depth->of[0][0].qty;
}

static void *reader(void *unused)
{
    struct board_depth *depth = malloc(sizeof *depth);
    (void)unused;
    while (depth && !over) {
        look_at_market();
        look_at_depth(depth);
    }
    free(depth);
    return NULL;
}

int main(void)
{
    struct weir_instrument is = {.symbol = "BTC-USD"};
    pthread_t readers[2];
    size_t size = (book_bytes(1024, 64) + 63) / 64 * 64;
    board = mmap(NULL, board_size(), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); /* little of it is used */
    void *memory = aligned_alloc(64, size);
    if (board == MAP_FAILED || !memory)
        return 2;
    memset(memory, 0, size);
    book = book_init(memory, 1024, 64, 1);
    board_show_instrument(board, 1, &is);
    board_show_asset(board, 0, "USD");
    for (int i = 0; i < 2; i++)
        if (pthread_create(&readers[i], NULL, reader, NULL) != 0)
            return 2;
    for (int64_t n = 1; n <= WRITES; n++)
        write_all(n);
    over = true;
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    free(memory);
    if (torn)
        fprintf(stderr, "%u entries were read half written\n", torn);
    return torn != 0;
}
