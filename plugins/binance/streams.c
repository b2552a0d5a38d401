/* streams.c - connections of market data: which streams each carries, and new ones before the old end.
 *
 * The venue ends a connection after 24 hours. After 23 a second set of connections is made (TWIN is
 * added to their numbers). While both are up all is heard twice: changes of books by their numbers,
 * trades by theirs, count once. After TAKE_AFTER the old ones are not listened to any more, and after
 * LEAVE_AFTER, when each book has heard of the new ones, they are closed: no book is lost. */
#include <stdio.h>
#include <stdlib.h>

#include "trade.h"

#define SECOND      ((weir_ns)1000000000)
#define RENEW_AFTER (23 * 3600 * SECOND)
#define TAKE_AFTER  (10 * SECOND)
#define LEAVE_AFTER (20 * SECOND)
#define AGAIN_AFTER (600 * SECOND)

enum { TWIN = 2048, SYMBOLS_A_PATH = 60, STREAM_MAX = 3 * (WEIR_SYMBOL_MAX + 24) };
enum { PARTS_MAX = TWIN / 2 - 80 }; /* below the numbers of order entry */

/* Symbols are spread over connections, SYMBOLS_A_PATH each; where trades have a path of their own,
 * connections come in pairs. Number of a connection: 1 + 2 * part + (1 if trades). */
static uint32_t part_of(uint32_t conn)
{
    return ((conn & (TWIN - 1)) - 1) / 2;
}

/* The aggregated trades of USD-M have a path of their own; its plain ones come with the books. */
static bool trades_apart(const struct binance *binance)
{
    return markets[binance->market].trades_path != NULL && strcmp(binance->trades, "trade") != 0;
}

static size_t add_streams(const struct binance *binance, const struct symbol *symbol, bool books,
                          bool trades, const char *between, char *to, size_t room)
{
    char name[WEIR_SYMBOL_MAX];
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = symbol->name[i] >= 'A' && symbol->name[i] <= 'Z' ? (char)(symbol->name[i] + 32)
                                                                   : symbol->name[i];
    size_t len = 0;
    if (books)
        len += (size_t)snprintf(to, room, "%s%s@depth@%s%s%s@bookTicker", between, name,
                                binance->depth_speed, *between ? between : "/", name);
    if (trades)
        len += (size_t)snprintf(to + len, room - len, "%s%s@%s", len ? "/" : between, name,
                                binance->trades);
    return len;
}

/* Open one connection with the streams of the n-th part of the wanted symbols. */
static enum weir_err connect_part(struct binance *binance, uint32_t base, uint32_t part, bool books,
                                  bool trades)
{
    const struct market_row *market = &markets[binance->market];
    const char *head = books ? market->books_path : market->trades_path;
    size_t room = strlen(head) + (size_t)SYMBOLS_A_PATH * STREAM_MAX, len;
    char *path = malloc(room);
    if (!path)
        return WEIR_E_NO_MEMORY;
    len = (size_t)snprintf(path, room, "%s", head);
    uint32_t nth = 0;
    for (uint32_t i = 0; i < binance->symbols.count; i++) {
        const struct symbol *symbol = &binance->symbols.rows[i];
        if (symbol->wanted && nth++ / SYMBOLS_A_PATH == part)
            len += add_streams(binance, symbol, books, trades, nth % SYMBOLS_A_PATH == 1 ? "" : "/",
                               path + len, room - len);
    }
    enum weir_err err =
        binance->host->connect(binance->host->host, base + 1 + 2 * part + !books, path);
    free(path);
    return err;
}

static uint32_t wanted_count(const struct binance *binance)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < binance->symbols.count; i++)
        count += binance->symbols.rows[i].wanted;
    return count;
}

uint32_t market_parts(const struct binance *binance)
{
    return (wanted_count(binance) + SYMBOLS_A_PATH - 1) / SYMBOLS_A_PATH;
}

/* E_DOWN: there is no network. */
static enum weir_err connect_all(struct binance *binance, uint32_t base)
{
    uint32_t parts = market_parts(binance);
    bool apart = trades_apart(binance);
    enum weir_err err = parts > PARTS_MAX ? WEIR_E_FULL : WEIR_OK;
    for (uint32_t part = 0; part < parts && !err; part++) {
        err = connect_part(binance, base, part, true, !apart);
        if (!err && apart)
            err = connect_part(binance, base, part, false, true);
    }
    return err;
}

static enum weir_err set_timer(struct binance *binance, uint32_t what, weir_ns t)
{
    return binance->host->timer(binance->host->host, TIMER_TRADE | what, t);
}

enum weir_err market_start(struct binance *binance, weir_ns now)
{
    enum weir_err err = connect_all(binance, 0);
    if (err == WEIR_E_DOWN || market_parts(binance) == 0)
        return WEIR_OK;
    return err ? err : set_timer(binance, TIMER_MARKET_RENEW, now + RENEW_AFTER);
}

/* --- one more symbol --------------------------------------------------------------------------- */

/* On the first connection. */
static enum weir_err send_subscribe(struct binance *binance, uint32_t base,
                                    const struct symbol *symbol)
{
    char frame[STREAM_MAX + 96];
    bool apart = trades_apart(binance);
    for (int trades = 0; trades <= (int)apart; trades++) {
        size_t len =
            (size_t)snprintf(frame, sizeof frame, "{\"method\":\"SUBSCRIBE\",\"params\":[\"");
        len += add_streams(binance, symbol, !trades, !apart || trades, "", frame + len,
                           sizeof frame - len);
        len += (size_t)snprintf(frame + len, sizeof frame - len, "\"],\"id\":%u}",
                                2 * symbol->number + (uint32_t)trades);
        for (char *slash = frame; (slash = strchr(slash, '/')) != NULL;) { /* a list here */
            size_t rest = strlen(slash);
            memmove(slash + 2, slash, rest + 1);
            memcpy(slash, "\",\"", 3);
            len += 2;
        }
        enum weir_err err = binance->host->send(binance->host->host, base + (trades ? 2 : 1),
                                                (struct weir_bytes){frame, len});
        if (err != WEIR_OK)
            return err;
    }
    return WEIR_OK;
}

/* Symbols that were asked for later stand in no path: each time that the connection comes, they are
 * asked for again. */
static enum weir_err subscribe_again(struct binance *binance, uint32_t base)
{
    enum weir_err err = WEIR_OK;
    for (uint32_t i = 0; i < binance->symbols.count && err == WEIR_OK; i++)
        if (binance->symbols.rows[i].wanted == WANTED_LATER)
            err = send_subscribe(binance, base, &binance->symbols.rows[i]);
    return err == WEIR_E_DOWN ? WEIR_OK : err; /* one of two: when the other comes */
}

enum weir_err market_subscribe(struct binance *binance, struct symbol *symbol, weir_ns now)
{
    enum weir_err err = send_subscribe(binance, binance->base, symbol);
    if (!err && binance->renewal != RENEWAL_NONE) /* not up yet: it asks when it comes */
        (void)send_subscribe(binance, binance->base ^ TWIN, symbol);
    if (err)
        return err;
    if (!symbol->wanted)
        symbol->wanted = WANTED_LATER;
    return ask_depth(binance, symbol, now);
}

/* --- a connection comes ------------------------------------------------------------------------ */

/* Books are asked for when their stream is up; those that are live on another connection are not. */
enum weir_err market_up(struct binance *binance, uint32_t conn, weir_ns now)
{
    uint32_t base = conn & TWIN;
    enum weir_err err = WEIR_OK;
    if (conn - base == 1 || conn - base == 2)
        err = subscribe_again(binance, base);
    if (conn == 0 || ((conn & (TWIN - 1)) - 1) % 2 != 0 || base != binance->base)
        return err;
    uint32_t nth = 0;
    for (uint32_t i = 0; i < binance->symbols.count && err == WEIR_OK; i++) {
        struct symbol *symbol = &binance->symbols.rows[i];
        if (!symbol->wanted || nth++ / SYMBOLS_A_PATH != part_of(conn))
            continue;
        if (symbol->number == 0)
            err = symbol_tell(binance, symbol);
        if (err == WEIR_OK)
            err = ask_depth(binance, symbol, now);
    }
    return err;
}

/* --- renewal ------------------------------------------------------------------------------------ */

static void close_all(struct binance *binance, uint32_t base)
{
    uint32_t parts = market_parts(binance);
    for (uint32_t conn = 1; conn <= 2 * parts; conn++)
        if (binance->host->connect_to(binance->host->host, base + conn, "", NULL))
            return; /* there is no network */
}

static bool all_up(const struct binance *binance, uint32_t base)
{
    bool apart = trades_apart(binance);
    for (uint32_t conn = 1; conn <= 2 * market_parts(binance); conn++)
        if ((apart || conn % 2 == 1) &&
            (base + conn >= binance->channel_count || !binance->channels[base + conn].up))
            return false;
    return true;
}

enum weir_err market_renew(struct binance *binance, weir_ns now)
{
    if (connect_all(binance, binance->base ^ TWIN)) { /* no room for both: the venue ends them */
        close_all(binance, binance->base ^ TWIN);
        return set_timer(binance, TIMER_MARKET_RENEW, now + AGAIN_AFTER);
    }
    binance->renewal = RENEWAL_BOTH;
    return set_timer(binance, TIMER_MARKET_TAKE, now + TAKE_AFTER);
}

enum weir_err market_take(struct binance *binance, weir_ns now)
{
    if (!all_up(binance, binance->base ^ TWIN))
        return set_timer(binance, TIMER_MARKET_TAKE, now + TAKE_AFTER);
    binance->base ^= TWIN;
    binance->renewal = RENEWAL_LEFT;
    return set_timer(binance, TIMER_MARKET_LEAVE, now + LEAVE_AFTER);
}

enum weir_err market_leave(struct binance *binance, weir_ns now)
{
    close_all(binance, binance->base ^ TWIN);
    binance->renewal = RENEWAL_NONE;
    return set_timer(binance, TIMER_MARKET_RENEW, now + RENEW_AFTER - LEAVE_AFTER);
}

bool market_is_left(const struct binance *binance, uint32_t conn)
{
    return binance->renewal == RENEWAL_LEFT && (conn & TWIN) != binance->base;
}
