/* cells.c - the zygote, the board, and who died.
 *
 * What is seen is only marked; the engine is asked when a cell is about to go on [cells_flush], so
 * that a thousand inputs between two events of cells cost a thousand marks. */
#include "script/cells.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "script/warden.h"

/* --- making ------------------------------------------------------------------------------------*/

/* Mapped here for writing first, then sealed: whoever maps it later can only read. */
static enum weir_err make_board(struct cells *cells, struct why *why)
{
    cells->board_fd = memfd_create("weir-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (cells->board_fd < 0 || ftruncate(cells->board_fd, (off_t)board_size()) != 0)
        return because(why, WEIR_E_UNSUPPORTED, "process cells: memfd_create: %s", strerror(errno));
    cells->board = mmap(NULL, board_size(), PROT_READ | PROT_WRITE, MAP_SHARED, cells->board_fd, 0);
    if (cells->board == MAP_FAILED) {
        cells->board = NULL;
        return because(why, WEIR_E_NO_MEMORY, "process cells: the board: %s", strerror(errno));
    }
    if (fcntl(cells->board_fd, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
        return because(why, WEIR_E_UNSUPPORTED, "process cells: a memfd cannot be sealed: %s",
                       strerror(errno));
    return WEIR_OK;
}

enum weir_err cells_also(struct cells *cells, int fd, struct why *why)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(cells->poll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return because(why, WEIR_E_IO, "process cells: epoll_ctl: %s", strerror(errno));
    return WEIR_OK;
}

static enum weir_err make_lists(struct cells *cells, struct why *why)
{
    cells->by_strategy = calloc(STRATEGY_MOST + 2, sizeof(struct warden *));
    cells->changed = calloc(BOARD_INSTRUMENTS + 1, sizeof *cells->changed);
    cells->marks = calloc(BOARD_INSTRUMENTS + 1, sizeof *cells->marks);
    cells->depth = calloc(BOARD_INSTRUMENTS + 1, sizeof *cells->depth);
    if (!cells->by_strategy || !cells->changed || !cells->marks || !cells->depth)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    cells->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (cells->poll_fd < 0)
        return because(why, WEIR_E_IO, "process cells: epoll_create1: %s", strerror(errno));
    return cells_also(cells, zygote_fd(cells->zygote), why);
}

enum weir_err cells_start(struct cells **cells_out, struct why *why)
{
    struct cells *cells = calloc(1, sizeof *cells);
    if (!cells)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    cells->board_fd = cells->poll_fd = -1;
    enum weir_err err = zygote_start(&cells->zygote, why);
    if (!err)
        err = make_board(cells, why);
    if (!err)
        err = make_lists(cells, why);
    if (err) {
        cells_stop(cells);
        return err;
    }
    *cells_out = cells;
    return WEIR_OK;
}

void cells_stop(struct cells *cells)
{
    if (!cells)
        return;
    must(!cells->all);
    zygote_stop(cells->zygote);
    if (cells->board)
        munmap(cells->board, board_size());
    if (cells->board_fd >= 0)
        close(cells->board_fd);
    if (cells->poll_fd >= 0)
        close(cells->poll_fd);
    free(cells->by_strategy);
    free(cells->changed);
    free(cells->marks);
    free(cells->depth);
    free(cells);
}

static void mark(struct cells *cells, uint32_t instrument, uint8_t what)
{
    if (instrument == 0 || instrument > BOARD_INSTRUMENTS)
        return;
    if (!cells->marks[instrument])
        cells->changed[cells->changed_count++] = instrument;
    cells->marks[instrument] |= what;
}

void cells_serve(struct cells *cells, const struct cells_owner *owner)
{
    cells->owner = *owner;
    uint32_t count = engine_instrument_count(owner->engine);
    for (uint32_t i = 1; i <= count; i++)
        mark(cells, i, MARK_DEFINED | MARK_MARKET);
    for (uint32_t i = 0; i < BOARD_VENUES; i++) {
        const char *name = engine_name(owner->engine, SCOPE_venue, i);
        if (*name)
            board_show_venue(cells->board, (uint16_t)i, name);
    }
    cells->wallets_changed = true;
}

/* --- what happened -----------------------------------------------------------------------------*/

static void see_order(struct cells *cells, const struct out_order *order)
{
    struct warden *warden =
        order->strategy <= STRATEGY_MOST ? cells->by_strategy[order->strategy] : NULL;
    for (; warden; warden = warden->next_of_strategy)
        warden_order_changed(warden, order->order, order->msg.instrument);
}

static void see_execution(struct cells *cells, const struct out_execution *fill)
{
    struct warden *warden =
        fill->strategy <= STRATEGY_MOST ? cells->by_strategy[fill->strategy] : NULL;
    mark(cells, fill->msg.instrument, MARK_MARKET);
    cells->wallets_changed = true;
    for (; warden; warden = warden->next_of_strategy) {
        if (fill->order != 0)
            warden_order_changed(warden, fill->order, fill->msg.instrument);
        warden_position_changed(warden, fill->msg.instrument);
    }
}

void cells_see(struct cells *cells, const struct weir_msg *msg)
{
    switch (msg->kind) {
    case WEIR_INSTRUMENT: mark(cells, msg->instrument, MARK_DEFINED | MARK_MARKET); break;
    case WEIR_TOP:
    case WEIR_TRADE:
    case WEIR_MARK:
    case WEIR_INDEX:
    case WEIR_FUNDING_RATE:
    case IN_BOOK_STATE: mark(cells, msg->instrument, MARK_MARKET | MARK_BOOK); break;
    case OUT_ORDER: see_order(cells, (const struct out_order *)msg); break;
    case OUT_EXECUTION: see_execution(cells, (const struct out_execution *)msg); break;
    case IN_DEFINE_VENUE: {
        const struct in_define *in = (const struct in_define *)msg;
        board_show_venue(cells->board, (uint16_t)in->number, in->name);
        break;
    }
    case WEIR_FILL:
    case WEIR_BUST:
    case WEIR_FUNDING:
    case WEIR_TRANSFER:
    case WEIR_RECON_POSITION:
    case WEIR_RECON_BALANCE:
    case WEIR_RECON_END:
    case IN_ADOPT_POSITION:
    case IN_WALLET: cells->wallets_changed = true; break;
    default: break;
    }
}

void cells_see_book(struct cells *cells, uint32_t instrument)
{
    if (instrument > 0 && instrument <= BOARD_INSTRUMENTS && cells->depth[instrument] > 0)
        mark(cells, instrument, MARK_BOOK);
}

/* --- the board ---------------------------------------------------------------------------------*/

static void show_depth(struct cells *cells, uint32_t n)
{
    const struct cells_owner *owner = &cells->owner;
    struct market_view market = {0};
    engine_market(owner->engine, n, &market);
    enum book_state state = market.book;
    const struct book *book = owner->book ? owner->book(owner->context, n, &state) : NULL;
    board_show_depth(cells->board, n, book, state, cells->depth[n]);
}

static void show_instrument(struct cells *cells, uint32_t n, uint8_t marks)
{
    const struct engine *engine = cells->owner.engine;
    const struct weir_instrument *is = engine_instrument(engine, n);
    struct board_market shown;
    memset(&shown, 0, sizeof shown);
    if (is && marks & MARK_DEFINED)
        board_show_instrument(cells->board, n, is);
    if (marks & MARK_MARKET) {
        shown.defined = engine_market(engine, n, &shown.market);
        shown.has_position = engine_position(engine, n, 0, &shown.account);
        shown.is_paper = cells->owner.is_paper && cells->owner.is_paper(cells->owner.context, n);
        board_show_market(cells->board, n, &shown);
    }
    if (cells->depth[n] > 0)
        show_depth(cells, n);
}

static void show_wallets(struct cells *cells)
{
    const struct engine *engine = cells->owner.engine;
    uint32_t count = engine_asset_count(engine);
    for (uint32_t asset = 0; asset < count && asset < BOARD_ASSETS; asset++) {
        const char *name = engine_asset_name(engine, asset);
        struct board_wallet shown = {0};
        board_show_asset(cells->board, asset, name);
        for (uint32_t account = 0; account < BOARD_ACCOUNTS; account++)
            if (engine_wallet(engine, (uint16_t)account, name, &shown.total, &shown.fees,
                              &shown.funding))
                board_show_wallet(cells->board, (uint16_t)account, asset, &shown);
    }
    cells->wallets_changed = false;
}

void cells_flush(struct cells *cells)
{
    for (uint32_t i = 0; i < cells->changed_count; i++) {
        uint32_t n = cells->changed[i];
        uint8_t marks = cells->marks[n];
        cells->marks[n] = 0;
        show_instrument(cells, n, marks);
    }
    cells->changed_count = 0;
    if (cells->wallets_changed)
        show_wallets(cells);
}

void cells_want_depth(struct cells *cells, uint32_t instrument, uint32_t levels)
{
    levels = levels < BOARD_LEVELS ? levels : BOARD_LEVELS;
    if (levels > cells->depth[instrument])
        cells->depth[instrument] = levels;
    show_depth(cells, instrument);
}

/* --- waiting and dying -------------------------------------------------------------------------*/

int cells_fd(const struct cells *cells)
{
    return cells->poll_fd;
}

/* Bells that rang are read, or they would ring for ever. */
static void hear_bells(struct cells *cells)
{
    struct epoll_event rung[64];
    int count = epoll_wait(cells->poll_fd, rung, 64, 0);
    for (int i = 0; i < count; i++)
        if (rung[i].data.ptr)
            warden_rung(rung[i].data.ptr);
}

void cells_sleep(struct cells *cells, bool asleep)
{
    board_sleep(cells->board, asleep);
    if (asleep)
        return;
    hear_bells(cells);
    cells_deaths(cells);
}

bool cells_listen(struct cells *cells, struct warden *warden, int bell)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = warden}};
    return epoll_ctl(cells->poll_fd, EPOLL_CTL_ADD, bell, &event) == 0;
}

void cells_unlisten(struct cells *cells, int bell)
{
    struct epoll_event none = {0};
    (void)epoll_ctl(cells->poll_fd, EPOLL_CTL_DEL, bell, &none);
}

void cells_deaths(struct cells *cells)
{
    pid_t pid;
    int status;
    while (zygote_death(cells->zygote, &pid, &status))
        for (struct warden *warden = cells->all; warden; warden = warden->next)
            if (warden->pid == pid)
                warden_died(warden, status);
    if (zygote_lives(cells->zygote))
        return;
    for (struct warden *warden = cells->all; warden; warden = warden->next)
        warden_died(warden, ZYGOTE_DIED);
    cells_renew(cells);
}

void cells_renew(struct cells *cells)
{
    struct why why;
    if (zygote_lives(cells->zygote) || !zygote_renew(cells->zygote))
        return;
    if (cells_also(cells, zygote_fd(cells->zygote), &why))
        log_line(LOG_ERROR, "scripts", "%s", why.text);
    log_line(LOG_WARN, "scripts",
             "the process that scripts' processes come from died, and they with it; another one "
             "took its place");
}

size_t cells_alive(const struct cells *cells)
{
    return cells->alive;
}
