/* book.c - price levels: a window of ticks where the trading is, a sorted array for the rest.
 *
 * KEYS     Both sides run on one code: a level's key is its price on the buy side and minus its
 *          price on the sell side, so that higher is better; its rank is the same in units of the
 *          grid. Slot = rank - base.
 * PROMISES (1) A level is in exactly one place: in the window if its price is on the grid and its
 *              slot is inside, else in the overflow. So every answer is right wherever the window
 *              happens to lie, and moving it is a matter of time only. [slot_of]
 *          (2) Window and overflow together hold window + far levels a side; the overflow has room
 *              for all of them, so that laying the window anew never fails. [lay]
 *          (3) Work that is not constant (laying, counting strays) is paid for by that many updates
 *              that missed the window before it. [tend]
 * GRID     `unit` is the tick, or the greatest common divisor of the first prices. Later strays go
 *          to the overflow, and only when they are many does the unit shrink, so far as most of
 *          them need: one odd price must not make a dense window a sparse one. Whether a price is on the grid, and where, costs
 *          one multiplication: for odd d, n * d^-1 (mod 2^64) is n / d if d divides n, and greater
 *          than any such quotient if not. Twos are rotated out.
 * WHY NOT  a tree or one sorted array? 10 to 20 times slower where nearly all updates fall. */
#include "engine/book.h"

#include <string.h>

#include "base/check.h"
#include "engine/grid.h"

enum {
    WINDOW_MIN = 64,
    WINDOW_MAX = 1 << 20,
    LEARNING_LEVELS = 64, /* with fewer, a price off the grid changes the grid at once */
    STRAY_PART = 16,      /* with more, when one level in so many is off it */
    PATIENCE = 32         /* misses before the window is looked at, plus 1/8 of the levels */
};

struct far_level {
    int64_t key;
    weir_qty qty;
};

struct half {
    uint64_t base;          /* rank of slot 0, modulo 2^64 */
    int64_t top;            /* highest slot in use; -1: none */
    uint32_t near;          /* levels in the window */
    uint32_t far;           /* levels in the overflow */
    uint32_t misses;        /* updates outside the window since it was last looked at */
    uint32_t sell;          /* 0 or 1 */
    weir_qty *qty;          /* by slot; means something where its bit is set */
    uint64_t *used;         /* a bit for each slot */
    uint64_t *words;        /* a bit for each word of `used` that is not 0 */
    struct far_level *over; /* ascending by key: the best is last */
};

struct book {
    struct half half[2];
    uint64_t inverse; /* of the odd part of unit */
    uint64_t most;    /* greatest quotient there is: INT64_MAX / unit; 0: no unit yet */
    uint32_t twos;    /* unit = odd part << twos */
    uint32_t window;
    uint32_t room; /* levels a side */
    uint32_t pad;
    weir_px unit;
    weir_px tick; /* given; 0: learn */
    uint64_t moves;
};

/* --- memory ------------------------------------------------------------------------------------*/

static size_t lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static size_t words_of(uint32_t window)
{
    return window / 64;
}

static size_t groups_of(uint32_t window)
{
    return (words_of(window) + 63) / 64;
}

static size_t half_bytes(uint32_t window, uint32_t far)
{
    return lines(window * sizeof(weir_qty)) + lines(words_of(window) * sizeof(uint64_t)) +
           lines(groups_of(window) * sizeof(uint64_t)) +
           lines(((size_t)window + far) * sizeof(struct far_level));
}

size_t book_bytes(uint32_t window, uint32_t far)
{
    return lines(sizeof(struct book)) + 2 * half_bytes(window, far);
}

static void *carve(unsigned char **at, size_t bytes)
{
    void *piece = *at;
    *at += lines(bytes);
    return piece;
}

static void set_unit(struct book *book, weir_px unit)
{
    book->unit = unit;
    if (unit == 0) {
        book->inverse = book->most = book->twos = 0;
        return;
    }
    book->twos = (uint32_t)__builtin_ctzll((uint64_t)unit);
    book->most = (uint64_t)INT64_MAX / (uint64_t)unit;
    uint64_t odd = (uint64_t)unit >> book->twos, inverse = odd; /* right to 3 bits */
    for (int bits = 3; bits < 64; bits *= 2)
        inverse *= 2 - odd * inverse;
    book->inverse = inverse;
}

struct book *book_init(void *memory, uint32_t window, uint32_t far, weir_px tick)
{
    must(window >= WINDOW_MIN && window <= WINDOW_MAX && (window & (window - 1)) == 0);
    must(((uintptr_t)memory & 63) == 0 && far <= UINT32_MAX - window && tick >= 0);

    unsigned char *at = memory;
    struct book *book = carve(&at, sizeof *book);
    book->window = window;
    book->room = window + far;
    book->tick = tick;
    for (uint32_t side = 0; side < 2; side++) {
        struct half *half = &book->half[side];
        half->sell = side;
        half->top = -1;
        half->qty = carve(&at, window * sizeof(weir_qty));
        half->used = carve(&at, words_of(window) * sizeof(uint64_t));
        half->words = carve(&at, groups_of(window) * sizeof(uint64_t));
        half->over = carve(&at, ((size_t)window + far) * sizeof(struct far_level));
    }
    set_unit(book, tick);
    return book;
}

static void empty_window(const struct book *book, struct half *half)
{
    memset(half->used, 0, words_of(book->window) * sizeof(uint64_t));
    memset(half->words, 0, groups_of(book->window) * sizeof(uint64_t));
    half->near = 0;
    half->top = -1;
}

void book_clear(struct book *book)
{
    for (int side = 0; side < 2; side++) {
        empty_window(book, &book->half[side]);
        book->half[side].far = 0;
        book->half[side].misses = 0;
    }
    set_unit(book, book->tick);
}

/* --- keys, ranks, slots ------------------------------------------------------------------------*/

static inline int64_t key_of(const struct half *half, weir_px px)
{
    return half->sell ? -px : px;
}

/* px in units of the grid; 0: not on it. */
static inline uint64_t quotient_of(const struct book *book, weir_px px)
{
    uint64_t product = (uint64_t)px * book->inverse;
    uint64_t quotient = product >> book->twos | product << (-book->twos & 63);
    return quotient <= book->most ? quotient : 0;
}

/* The slot of px; window or more: outside. */
static inline uint64_t slot_of(const struct book *book, const struct half *half, weir_px px)
{
    uint64_t quotient = quotient_of(book, px);
    uint64_t slot = (half->sell ? -quotient : quotient) - half->base;
    return quotient != 0 ? slot : UINT64_MAX;
}

static inline weir_px px_of(const struct book *book, const struct half *half, uint64_t slot)
{
    uint64_t rank = half->base + slot;
    return (weir_px)(half->sell ? -rank : rank) * book->unit;
}

/* The highest slot in use at or below `slot`; -1: none. */
static int64_t used_below(const struct half *half, uint64_t slot)
{
    uint64_t word = slot >> 6;
    uint64_t bits = half->used[word] << (63 - (slot & 63));
    if (bits)
        return (int64_t)slot - __builtin_clzll(bits);
    if (word == 0)
        return -1;
    uint64_t group = --word >> 6;
    bits = half->words[group] << (63 - (word & 63));
    if (bits) {
        word -= (uint64_t)__builtin_clzll(bits);
    } else {
        while (group > 0 && half->words[group - 1] == 0)
            group--;
        if (group == 0)
            return -1;
        group--;
        word = (group << 6) + 63 - (uint64_t)__builtin_clzll(half->words[group]);
    }
    return (int64_t)((word << 6) + 63) - __builtin_clzll(half->used[word]);
}

/* --- the window --------------------------------------------------------------------------------*/

static inline void near_add(struct half *half, uint64_t slot, weir_qty qty)
{
    half->qty[slot] = qty;
    half->used[slot >> 6] |= (uint64_t)1 << (slot & 63);
    half->words[slot >> 12] |= (uint64_t)1 << (slot >> 6 & 63);
    half->near++;
    if ((int64_t)slot > half->top)
        half->top = (int64_t)slot;
}

/* --- the overflow ------------------------------------------------------------------------------*/

/* The place of the first level with this key or a better one. */
static uint32_t far_place(const struct half *half, int64_t key)
{
    uint32_t from = 0, count = half->far;
    while (count > 0) {
        uint32_t step = count / 2;
        bool below = half->over[from + step].key < key;
        from += below ? step + 1 : 0;
        count = below ? count - step - 1 : step;
    }
    return from;
}

static bool far_holds(const struct half *half, uint32_t place, int64_t key)
{
    return place < half->far && half->over[place].key == key;
}

static void far_drop(struct half *half, uint32_t place)
{
    half->far--;
    memmove(&half->over[place], &half->over[place + 1], (half->far - place) * sizeof half->over[0]);
}

static void far_add(struct half *half, uint32_t place, int64_t key, weir_qty qty)
{
    memmove(&half->over[place + 1], &half->over[place], (half->far - place) * sizeof half->over[0]);
    half->over[place] = (struct far_level){key, qty};
    half->far++;
}

/* --- laying the window anew --------------------------------------------------------------------*/

static bool best_key(const struct book *book, const struct half *half, int64_t *key_out)
{
    if (half->top < 0 && half->far == 0)
        return false;
    int64_t far = half->far ? half->over[half->far - 1].key : INT64_MIN;
    int64_t near = half->top >= 0 ? key_of(half, px_of(book, half, (uint64_t)half->top)) : far;
    *key_out = near > far ? near : far;
    return true;
}

/* All levels into the overflow: merged from the best down, so that it works in place. */
static void gather(const struct book *book, struct half *half)
{
    uint32_t to = half->far + half->near, from = half->far;
    half->far = to;
    for (int64_t slot = half->top; slot >= 0;
         slot = slot > 0 ? used_below(half, (uint64_t)slot - 1) : -1) {
        int64_t key = key_of(half, px_of(book, half, (uint64_t)slot));
        while (from > 0 && half->over[from - 1].key > key)
            half->over[--to] = half->over[--from];
        half->over[--to] = (struct far_level){key, half->qty[slot]};
    }
    empty_window(book, half);
}

/* And those that the window covers out of it. */
static void settle(const struct book *book, struct half *half)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < half->far; i++) {
        struct far_level level = half->over[i];
        uint64_t slot = slot_of(book, half, key_of(half, level.key));
        if (slot < book->window)
            near_add(half, slot, level.qty);
        else
            half->over[kept++] = level;
    }
    half->far = kept;
}

/* The rank of a key, rounded to the grid. */
static uint64_t rank_near(const struct book *book, int64_t key)
{
    return (uint64_t)(key / book->unit);
}

/* Where the window should lie when `key` is the best: this at three quarters of it, since most levels
 * are behind the best; the rest is for the way that it may go before this is needed again. */
static uint64_t base_for(const struct book *book, const struct half *half, int64_t key)
{
    uint64_t rank = rank_near(book, key), least = half->sell ? (uint64_t)INT64_MIN : 0;
    uint64_t want = book->window / 4 * 3;
    return rank - least > want ? rank - want : least;
}

/* The levels must be in the overflow. */
static void place(const struct book *book, struct half *half)
{
    if (half->far > 0 && book->unit > 0)
        half->base = base_for(book, half, half->over[half->far - 1].key);
}

static void lay(struct book *book, struct half *half)
{
    gather(book, half);
    place(book, half);
    settle(book, half);
    half->misses = 0;
    book->moves++;
}

static void lay_both(struct book *book, weir_px unit)
{
    for (int side = 0; side < 2; side++)
        gather(book, &book->half[side]);
    set_unit(book, unit);
    for (int side = 0; side < 2; side++) {
        place(book, &book->half[side]);
        settle(book, &book->half[side]);
        book->half[side].misses = 0;
    }
    book->moves++;
}

void book_retick(struct book *book, weir_px tick)
{
    must(tick >= 0);
    book->tick = tick;
    if (tick > 0 && tick != book->unit)
        lay_both(book, tick);
}

/* --- the grid ----------------------------------------------------------------------------------*/

static uint32_t total(const struct half *half)
{
    return half->near + half->far;
}

/* Learn from a price that is not on the grid, while there is little to move. */
static bool learns(struct book *book, weir_px px)
{
    if (book->tick > 0 || (book->unit > 0 && quotient_of(book, px) != 0) ||
        total(&book->half[0]) + total(&book->half[1]) >= LEARNING_LEVELS)
        return false;
    lay_both(book, grid_common(book->unit, px));
    return true;
}

static uint32_t strays_of(const struct book *book)
{
    uint32_t strays = 0;
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < book->half[side].far; i++)
            strays +=
                quotient_of(book, key_of(&book->half[side], book->half[side].over[i].key)) == 0;
    return strays;
}

/* When many levels are off the grid it is finer than we thought. */
static bool relearns(struct book *book)
{
    uint32_t strays = strays_of(book);
    if (strays <= (total(&book->half[0]) + total(&book->half[1])) / STRAY_PART)
        return false;
    struct grid_guesses guesses = {.coarse = book->unit, .all = book->unit};
    for (int side = 0; side < 2; side++) {
        const struct half *half = &book->half[side];
        for (uint32_t i = 0; i < half->far; i++) {
            weir_px px = key_of(half, half->over[i].key);
            if (quotient_of(book, px) != 0)
                continue;
            grid_guess(&guesses, px);
        }
    }
    lay_both(book, grid_best(&guesses));
    return true;
}

/* Enough updates missed the window to pay for a look: is it where the best price is? */
static void tend(struct book *book, struct half *half)
{
    half->misses = 0;
    int64_t key;
    if (book->unit == 0 || (book->tick == 0 && relearns(book)) || !best_key(book, half, &key))
        return;
    uint64_t slot = rank_near(book, key) - half->base;
    if ((slot < book->window / 2 || slot >= book->window / 8 * 7) &&
        half->base != base_for(book, half, key))
        lay(book, half);
}

/* --- what others call --------------------------------------------------------------------------*/

static enum weir_err far_set(struct book *book, struct half *half, weir_px px, weir_qty qty)
{
    int64_t key = key_of(half, px);
    uint32_t at = far_place(half, key);
    bool held = far_holds(half, at, key);
    if (!held && qty > 0 && total(half) == book->room)
        return WEIR_E_FULL;
    half->misses++;
    if (held && qty > 0)
        half->over[at].qty = qty;
    else if (held)
        far_drop(half, at);
    else if (qty > 0)
        far_add(half, at, key, qty);
    bool first = !held && total(half) == 1; /* it says where this side is */
    if (first && book->unit > 0)
        lay(book, half);
    else if (half->misses > PATIENCE + total(half) / 8)
        tend(book, half);
    return WEIR_OK;
}

/* The usual way, without a branch that depends on what is held: whether a level comes, changes or goes
 * is as good as random. */
static inline enum weir_err near_set(const struct book *book, struct half *half, uint64_t slot,
                                     weir_qty qty)
{
    uint64_t *used = &half->used[slot >> 6], *word = &half->words[slot >> 12];
    uint64_t bit = (uint64_t)1 << (slot & 63), word_bit = (uint64_t)1 << (slot >> 6 & 63);
    uint64_t held = *used >> (slot & 63) & 1, holds = qty > 0;
    uint32_t near = half->near + (uint32_t)holds - (uint32_t)held;
    if (near + half->far > book->room)
        return WEIR_E_FULL;
    half->near = near;
    half->qty[slot] = qty;
    uint64_t bits = (*used & ~bit) | holds << (slot & 63);
    *used = bits;
    *word = bits ? *word | word_bit : *word & ~word_bit;
    if ((int64_t)slot >= half->top) {
        if (holds)
            half->top = (int64_t)slot;
        else if ((int64_t)slot == half->top)
            half->top = used_below(half, slot);
    }
    return WEIR_OK;
}

static enum weir_err set_elsewhere(struct book *book, struct half *half, weir_px px, weir_qty qty)
{
    if (px <= 0 || qty < 0)
        return WEIR_E_BAD_NUMBER;
    if (qty > 0 && learns(book, px)) {
        uint64_t slot = slot_of(book, half, px);
        if (slot < book->window)
            return near_set(book, half, slot, qty);
    }
    return far_set(book, half, px, qty);
}

enum weir_err book_put(struct book *book, enum weir_side side, const struct weir_level *levels,
                       uint32_t count)
{
    struct half *half = &book->half[side == WEIR_SELL];
    enum weir_err err = WEIR_OK;
    for (uint32_t i = 0; i < count && err == WEIR_OK; i++) {
        weir_px px = levels[i].px;
        weir_qty qty = levels[i].qty;
        uint64_t slot = slot_of(book, half, px);
        if (__builtin_expect(slot < book->window && px > 0 && qty >= 0, 1))
            err = near_set(book, half, slot, qty);
        else
            err = set_elsewhere(book, half, px, qty);
    }
    return err;
}

enum weir_err book_set(struct book *book, enum weir_side side, weir_px px, weir_qty qty)
{
    struct weir_level level = {px, qty};
    return book_put(book, side, &level, 1);
}

/* The lowest slot in use; there is one. */
static uint64_t lowest_used(const struct half *half)
{
    uint64_t group = 0;
    while (half->words[group] == 0)
        group++;
    uint64_t word = (group << 6) + (uint64_t)__builtin_ctzll(half->words[group]);
    return (word << 6) + (uint64_t)__builtin_ctzll(half->used[word]);
}

void book_keep(struct book *book, enum weir_side side, uint32_t count)
{
    struct half *half = &book->half[side == WEIR_SELL];
    while (total(half) > count) {
        uint64_t slot = half->near > 0 ? lowest_used(half) : 0;
        if (half->near > 0 &&
            (half->far == 0 || key_of(half, px_of(book, half, slot)) < half->over[0].key))
            (void)!near_set(book, half, slot, 0); /* a removal needs no room */
        else
            far_drop(half, 0);
    }
}

static struct weir_level near_level(const struct book *book, const struct half *half, int64_t slot)
{
    return (struct weir_level){px_of(book, half, (uint64_t)slot), half->qty[slot]};
}

static struct weir_level far_level_at(const struct half *half, uint32_t at)
{
    return (struct weir_level){key_of(half, half->over[at].key), half->over[at].qty};
}

/* The better of a window slot (-1: none) and an overflow place (0: none, else place + 1). */
static bool better_of(const struct book *book, const struct half *half, int64_t slot, uint32_t far,
                      struct weir_level *level_out)
{
    if (slot < 0 && far == 0)
        return false;
    if (far == 0) {
        *level_out = near_level(book, half, slot);
        return true;
    }
    *level_out = far_level_at(half, far - 1);
    if (slot >= 0) {
        struct weir_level near = near_level(book, half, slot);
        if (key_of(half, near.px) > key_of(half, level_out->px))
            *level_out = near;
    }
    return true;
}

bool book_best(const struct book *book, enum weir_side side, struct weir_level *level_out)
{
    const struct half *half = &book->half[side == WEIR_SELL];
    return better_of(book, half, half->top, half->far, level_out);
}

/* The highest slot in use whose key is below that of px; px may be anywhere. */
static int64_t near_below(const struct book *book, const struct half *half, weir_px px)
{
    if (half->near == 0)
        return -1;
    uint64_t slot = slot_of(book, half, px);
    if (slot >= book->window) { /* the slowest way, for px off the grid or outside */
        uint64_t better = (uint64_t)((px - !half->sell) / book->unit);
        uint64_t behind = (half->sell ? -(better + 1) : better) - half->base;
        if (behind < book->window)
            return used_below(half, behind);
        return behind >> 63 ? -1 : half->top;
    }
    return slot > 0 ? used_below(half, slot - 1) : -1;
}

bool book_next(const struct book *book, enum weir_side side, weir_px px,
               struct weir_level *level_out)
{
    const struct half *half = &book->half[side == WEIR_SELL];
    if (px <= 0)
        return false;
    int64_t slot = near_below(book, half, px), key = key_of(half, px);
    uint32_t far = half->far;
    if (far > 0 && half->over[far - 1].key >= key)
        far = far_place(half, key); /* a place + 1, and the place before it is behind px */
    return better_of(book, half, slot, far, level_out);
}

weir_qty book_at(const struct book *book, enum weir_side side, weir_px px)
{
    const struct half *half = &book->half[side == WEIR_SELL];
    if (px <= 0)
        return 0;
    uint64_t slot = slot_of(book, half, px);
    if (slot < book->window)
        return half->used[slot >> 6] >> (slot & 63) & 1 ? half->qty[slot] : 0;
    uint32_t at = far_place(half, key_of(half, px));
    return far_holds(half, at, key_of(half, px)) ? half->over[at].qty : 0;
}

uint32_t book_levels(const struct book *book, enum weir_side side)
{
    return total(&book->half[side == WEIR_SELL]);
}

bool book_crossed(const struct book *book)
{
    struct weir_level bid, ask;
    return book_best(book, WEIR_BUY, &bid) && book_best(book, WEIR_SELL, &ask) && bid.px > ask.px;
}

bool book_locked(const struct book *book)
{
    struct weir_level bid, ask;
    return book_best(book, WEIR_BUY, &bid) && book_best(book, WEIR_SELL, &ask) && bid.px == ask.px;
}

struct book_shape book_shape(const struct book *book)
{
    return (struct book_shape){
        .unit = book->unit,
        .near = {book->half[0].near, book->half[1].near},
        .far = {book->half[0].far, book->half[1].far},
        .moves = book->moves,
    };
}
