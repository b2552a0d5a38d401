/* board.c - entries with versions. The words of an entry are copied one by one, as atomics: a torn
 * copy is possible, is seen by its version, and is made again. */
#include "script/board.h"

#include <string.h>

enum { WORD = sizeof(uint64_t) };
#define WORDS(type) ((sizeof(type) + WORD - 1) / WORD)

#define ENTRY(name, type)                 \
    struct name {                         \
        _Atomic uint64_t version;         \
        _Atomic uint64_t of[WORDS(type)]; \
    }

struct label {
    char text[NAME_MAX_LEN];
};
ENTRY(instrument_entry, struct weir_instrument);
ENTRY(market_entry, struct board_market);
ENTRY(label_entry, struct label);
ENTRY(wallet_entry, struct board_wallet);
ENTRY(depth_entry, struct board_depth);

struct board {
    _Alignas(64) _Atomic uint32_t asleep;
    _Alignas(64) _Atomic uint32_t instruments, assets;
    struct label_entry venues[BOARD_VENUES];
    struct label_entry asset_names[BOARD_ASSETS];
    struct wallet_entry wallets[BOARD_ACCOUNTS][BOARD_ASSETS];
    struct instrument_entry definitions[BOARD_INSTRUMENTS + 1];
    struct market_entry markets[BOARD_INSTRUMENTS + 1];
    struct depth_entry depths[BOARD_INSTRUMENTS + 1];
};

size_t board_size(void)
{
    return (sizeof(struct board) + 4095) & ~(size_t)4095;
}

/* --- entries -----------------------------------------------------------------------------------*/

static void write_entry(_Atomic uint64_t *version, _Atomic uint64_t *words, const void *from,
                        size_t size)
{
    uint64_t before = atomic_load_explicit(version, memory_order_relaxed);
    atomic_store_explicit(version, before + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (size_t at = 0; at < size; at += WORD) {
        uint64_t word = 0;
        memcpy(&word, (const char *)from + at, size - at < WORD ? size - at : WORD);
        /* release: who sees this word sees the odd version, too */
        atomic_store_explicit(&words[at / WORD], word, memory_order_release);
    }
    atomic_store_explicit(version, before + 2, memory_order_release);
}

static uint64_t read_entry(const _Atomic uint64_t *version, const _Atomic uint64_t *words, void *to,
                           size_t size)
{
    for (;;) {
        uint64_t before = atomic_load_explicit(version, memory_order_acquire);
        for (size_t at = 0; at < size; at += WORD) {
            uint64_t word = atomic_load_explicit(&words[at / WORD], memory_order_acquire);
            memcpy((char *)to + at, &word, size - at < WORD ? size - at : WORD);
        }
        uint64_t after = atomic_load_explicit(version, memory_order_relaxed);
        if (before == after && (before & 1) == 0)
            return before;
        relax();
    }
}

#define WRITE(entry, from) write_entry(&(entry)->version, (entry)->of, from, sizeof *(from))
#define READ(entry, to)    read_entry(&(entry)->version, (entry)->of, to, sizeof *(to))

/* --- the host's side ---------------------------------------------------------------------------*/

static void raise_to(_Atomic uint32_t *count, uint32_t n)
{
    if (atomic_load_explicit(count, memory_order_relaxed) < n)
        atomic_store_explicit(count, n, memory_order_release);
}

void board_show_instrument(struct board *board, uint32_t n, const struct weir_instrument *is)
{
    if (n == 0 || n > BOARD_INSTRUMENTS)
        return;
    WRITE(&board->definitions[n], is);
    raise_to(&board->instruments, n);
}

void board_show_market(struct board *board, uint32_t n, const struct board_market *market)
{
    if (n > 0 && n <= BOARD_INSTRUMENTS)
        WRITE(&board->markets[n], market);
}

static void show_label(struct label_entry *entry, const char *name)
{
    struct label label = {""};
    memcpy(label.text, name, strnlen(name, sizeof label.text - 1));
    WRITE(entry, &label);
}

void board_show_venue(struct board *board, uint16_t n, const char *name)
{
    if (n < BOARD_VENUES)
        show_label(&board->venues[n], name);
}

void board_show_asset(struct board *board, uint32_t n, const char *name)
{
    if (n >= BOARD_ASSETS)
        return;
    show_label(&board->asset_names[n], name);
    raise_to(&board->assets, n + 1);
}

void board_show_wallet(struct board *board, uint16_t account, uint32_t asset,
                       const struct board_wallet *wallet)
{
    if (account < BOARD_ACCOUNTS && asset < BOARD_ASSETS)
        WRITE(&board->wallets[account][asset], wallet);
}

static uint32_t copy_side(const struct book *book, enum weir_side side, uint32_t most,
                          _Atomic uint64_t *words)
{
    struct weir_level level;
    uint32_t n = 0;
    for (bool more = most > 0 && book_best(book, side, &level); more;
         more = n < most && book_next(book, side, level.px, &level)) {
        atomic_store_explicit(&words[2 * n], (uint64_t)level.px, memory_order_release);
        atomic_store_explicit(&words[2 * n + 1], (uint64_t)level.qty, memory_order_release);
        n++;
    }
    return n;
}

/* In place: an entry is 32 KB, of which ten levels are usual. */
void board_show_depth(struct board *board, uint32_t n, const struct book *book,
                      enum book_state state, uint32_t levels)
{
    enum { HEAD = offsetof(struct board_depth, of) / WORD };
    if (n == 0 || n > BOARD_INSTRUMENTS)
        return;
    struct depth_entry *entry = &board->depths[n];
    union {
        struct {
            uint32_t shown, count[2];
            uint8_t state;
        } is;
        uint64_t words[HEAD];
    } head = {.is = {levels < BOARD_LEVELS ? levels : BOARD_LEVELS, {0, 0}, (uint8_t)state}};
    _Static_assert(sizeof head == offsetof(struct board_depth, of), "the same layout");
    uint64_t before = atomic_load_explicit(&entry->version, memory_order_relaxed);
    atomic_store_explicit(&entry->version, before + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (int side = WEIR_BUY; book && side <= WEIR_SELL; side++)
        head.is.count[side] = copy_side(book, (enum weir_side)side, head.is.shown,
                                        entry->of + HEAD + (size_t)side * 2 * BOARD_LEVELS);
    if (!book)
        head.is.count[0] = UINT32_MAX; /* no levels are kept at all */
    for (size_t i = 0; i < HEAD; i++)
        atomic_store_explicit(&entry->of[i], head.words[i], memory_order_release);
    atomic_store_explicit(&entry->version, before + 2, memory_order_release);
}

void board_sleep(struct board *board, bool asleep)
{
    atomic_store_explicit(&board->asleep, asleep, memory_order_seq_cst);
}

/* --- both sides --------------------------------------------------------------------------------*/

uint32_t board_instruments(const struct board *board)
{
    return atomic_load_explicit(&board->instruments, memory_order_acquire);
}

uint64_t board_version(const struct board *board, uint32_t n)
{
    return n <= BOARD_INSTRUMENTS
               ? atomic_load_explicit(&board->markets[n].version, memory_order_acquire)
               : 0;
}

bool board_asleep(const struct board *board)
{
    return atomic_load_explicit(&board->asleep, memory_order_seq_cst) != 0;
}

/* --- the cells' side ---------------------------------------------------------------------------*/

bool board_instrument(const struct board *board, uint32_t n, struct weir_instrument *out,
                      uint64_t *version)
{
    if (n == 0 || n > board_instruments(board))
        return false;
    const struct instrument_entry *entry = &board->definitions[n];
    if (atomic_load_explicit(&entry->version, memory_order_acquire) == *version)
        return false;
    *version = READ(entry, out);
    return *version != 0;
}

bool board_market(const struct board *board, uint32_t n, struct board_market *out)
{
    return n > 0 && n <= board_instruments(board) && READ(&board->markets[n], out) != 0;
}

static bool read_label(const struct label_entry *entry, char out[NAME_MAX_LEN])
{
    struct label label;
    if (READ(entry, &label) == 0)
        return false;
    memcpy(out, label.text, NAME_MAX_LEN);
    return true;
}

bool board_venue(const struct board *board, uint16_t n, char out[NAME_MAX_LEN])
{
    return n < BOARD_VENUES && read_label(&board->venues[n], out);
}

bool board_wallet(const struct board *board, uint16_t account, const char *asset,
                  struct board_wallet *out)
{
    char name[NAME_MAX_LEN];
    uint32_t count = atomic_load_explicit(&board->assets, memory_order_acquire);
    for (uint32_t i = 0; i < count && account < BOARD_ACCOUNTS; i++)
        if (read_label(&board->asset_names[i], name) && strcmp(name, asset) == 0)
            return READ(&board->wallets[account][i], out) != 0;
    return false;
}

static void read_word(const _Atomic uint64_t *word, struct board_depth *out, size_t at)
{
    uint64_t value = atomic_load_explicit(word, memory_order_acquire);
    memcpy((char *)out + at * WORD, &value, WORD);
}

bool board_depth(const struct board *board, uint32_t n, uint32_t most, struct board_depth *out)
{
    enum { HEAD = offsetof(struct board_depth, of) / WORD };
    if (n == 0 || n > board_instruments(board))
        return false;
    const struct depth_entry *entry = &board->depths[n];
    most = most < BOARD_LEVELS ? most : BOARD_LEVELS;
    for (;;) {
        uint64_t before = atomic_load_explicit(&entry->version, memory_order_acquire);
        for (size_t i = 0; i < HEAD; i++)
            read_word(&entry->of[i], out, i);
        for (size_t side = 0; side < 2; side++)
            for (size_t i = 0, at = HEAD + side * 2 * BOARD_LEVELS; i < 2 * (size_t)most; i++)
                read_word(&entry->of[at + i], out, at + i);
        uint64_t after = atomic_load_explicit(&entry->version, memory_order_relaxed);
        if (before == after && (before & 1) == 0)
            return before != 0;
        relax();
    }
}
