/* strict.c - the hot kinds of frames as the venue writes them: no white space, short keys, any order.
 *
 * One pass, no look back, no allocation. Where a frame is anything else, the answer is "I do not
 * know", never a guess: the general scan then reads it from its beginning. What is read twice would
 * be told once, so members that stand twice are left to the general scan too, which refuses them. */
#include "decode.h"
#include "fast.h"

/* A level near the end of the frame, with the byte behind it. */
static const char *last_level(struct weir_level *level, const char *p, const char *end)
{
    if (end - p < 4 || p[0] != '[' || p[1] != '"')
        return NULL;
    p = fast_decimal(p + 2, end, &level->px);
    if (!p || end - p < 4 || p[0] != ',' || p[1] != '"')
        return NULL;
    p = fast_decimal(p + 2, end, &level->qty);
    return p && end - p >= 3 && p[0] == ']' ? p + 2 : NULL;
}

/* Levels as the venue writes them, [["61737.63000000","0.00000000"],...], into the room that
 * begins at `level`; p is behind the first '['. */
static const char *fast_levels(struct weir_level *level, const char *p, const char *end,
                               uint32_t *count_out)
{
    const struct weir_level *first = level;
    *count_out = 0;
    if (*p == ']')
        return p + 1;
    for (;; level++) {
        p = end - p >= 80 ? level_in(p, &level->px, &level->qty) : last_level(level, p, end);
        if (!p)
            return NULL;
        if (p[-1] == ',')
            continue;
        *count_out = (uint32_t)(level + 1 - first);
        return p[-1] == ']' ? p : NULL;
    }
}

/* A value that is not looked at: a plain string, a number or a word. */
static const char *fast_skip(const char *p, const char *end)
{
    if (*p == '"')
        return fast_string(p + 1, end);
    const char *from = p;
    while (p < end && ((unsigned char)((*p | 32) - 'a') <= 25 || (unsigned char)(*p - '0') <= 9 ||
                       *p == '.' || *p == '-'))
        p++;
    return p > from ? p : NULL;
}

static const char *fast_bool(const char *p, const char *end, bool *value_out)
{
    if (end - p < 6)
        return NULL;
    *value_out = memcmp(p, "true", 4) == 0;
    if (*value_out)
        return p + 4;
    return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

/* `a` and `b` are levels, a price or an order's number, by kind; the value shows which. */
static const char *fast_bids(struct binance *binance, struct decoded *d, const char *p,
                             const char *end, uint32_t *bit_out)
{
    uint64_t order;
    if (*p == '"') {
        *bit_out = SEEN_b_px;
        return fast_decimal(p + 1, end, &d->b);
    }
    if (*p != '[') {
        *bit_out = SEEN_b_id;
        return fast_int(p, end, &order);
    }
    *bit_out = SEEN_b_levels;
    if (d->seen & SEEN_any_a) /* asks before bids: the general scan puts them in order */
        return NULL;
    return fast_levels(binance->book->levels, p + 1, end, &d->bids);
}

static const char *fast_asks(struct binance *binance, struct decoded *d, const char *p,
                             const char *end, uint32_t *bit_out)
{
    if (*p == '"') {
        *bit_out = SEEN_a_px;
        return fast_decimal(p + 1, end, &d->a);
    }
    if (*p != '[') {
        *bit_out = SEEN_a_id;
        return fast_int(p, end, &d->a_id);
    }
    *bit_out = SEEN_a_levels;
    return fast_levels(binance->book->levels + d->bids, p + 1, end, &d->asks);
}

/* One member's value; p is behind its ':'. *bit_out: what is seen then, 0: nothing of interest. */
static inline const char *fast_value(struct binance *binance, struct decoded *d, char key,
                                     const char *p, const char *end, uint32_t *bit_out)
{
    const char *from = p + 1;
#define INT(name)           \
    *bit_out = SEEN_##name; \
    return fast_int(p, end, &d->name)
#define DECIMAL(name)       \
    *bit_out = SEEN_##name; \
    return *p == '"' ? fast_decimal(from, end, &d->name) : NULL
    switch (key) {
    case 'E': INT(E);
    case 'T': INT(T);
    case 'U': INT(U);
    case 'u': INT(u);
    case 'P': INT(pu);
    case 't': *bit_out = SEEN_t; return fast_int(p, end, &d->id);
    case 'p': DECIMAL(p);
    case 'q': DECIMAL(q);
    case 'A': DECIMAL(A);
    case 'B': DECIMAL(B);
    case 'b': return fast_bids(binance, d, p, end, bit_out);
    case 'a': return fast_asks(binance, d, p, end, bit_out);
    case 'm': *bit_out = SEEN_m; return fast_bool(p, end, &d->buyer_is_maker);
    case 'M': *bit_out = SEEN_M; return fast_skip(p, end);
    case 'S': *bit_out = SEEN_ps; return fast_skip(p, end);
    default: break;
    }
#undef INT
#undef DECIMAL
    if (key != 'e' && key != 's' && key != 'X')
        return fast_skip(p, end);
    if (*p != '"')
        return NULL;
    p = fast_string(from, end);
    struct weir_bytes word = {from, p ? (size_t)(p - 1 - from) : 0};
    if (key == 's') {
        *bit_out = SEEN_s;
        d->name = from;
        d->name_len = word.len;
    } else if (key == 'X') {
        *bit_out = SEEN_X;
        d->off_book = !scan_is(word, "MARKET");
    } else {
        *bit_out = SEEN_e;
        return decoded_kind(d, word) ? p : NULL;
    }
    return p;
}

static inline bool is_letter(char c)
{
    return (unsigned char)((c | 32) - 'a') <= 25;
}

/* A key of one or two letters and its ':'; 8 bytes can be read. Of the keys of two letters `pu` is
 * called P and `ps` S; others, and P and S themselves, are '?'. */
static inline const char *fast_key(const char *p, char *key_out)
{
    if (p[0] != '"' || !is_letter(p[1]))
        return NULL;
    *key_out = p[1];
    if (p[2] == '"') {
        if (p[1] == 'P' || p[1] == 'S')
            *key_out = '?';
        return p[3] == ':' ? p + 4 : NULL;
    }
    *key_out = p[1] != 'p' ? '?' : p[2] == 'u' ? 'P' : p[2] == 's' ? 'S' : '?';
    return is_letter(p[2]) && p[3] == '"' && p[4] == ':' ? p + 5 : NULL;
}

/* The members of one object; p is behind its '{', the result behind its '}'. */
static const char *fast_object(struct binance *binance, struct decoded *d, const char *p,
                               const char *end)
{
    for (;;) {
        if (end - p < 8)
            return NULL;
        char key;
        p = fast_key(p, &key);
        if (!p)
            return NULL;
        uint32_t bit = 0;
        p = fast_value(binance, d, key, p, end, &bit);
        uint32_t same = bit & SEEN_any_a ? SEEN_any_a : bit & SEEN_any_b ? SEEN_any_b : bit;
        if (!p || p >= end || (d->seen & same))
            return NULL;
        d->seen |= bit;
        if (*p++ != ',')
            return p[-1] == '}' ? p : NULL;
    }
}

/* What each kind must have. */
static const uint32_t needs[] = {
    [KIND_DEPTH] = SEEN_s | SEEN_U | SEEN_u | SEEN_b_levels | SEEN_a_levels,
    [KIND_TOP] = SEEN_s | SEEN_u | SEEN_b_px | SEEN_B | SEEN_a_px | SEEN_A,
    [KIND_TRADE] = SEEN_s | SEEN_p | SEEN_q | SEEN_m,
};

static bool is_whole(const struct decoded *d)
{
    uint32_t need = needs[d->kind];
    if (d->kind == KIND_TRADE)
        need |= d->source == 'a' ? SEEN_a_id : SEEN_t;
    return (d->seen & need) == need;
}

bool strict_frame(struct binance *binance, struct weir_bytes frame, struct decoded *d)
{
    static const char before[] = "{\"stream\":\"", between[] = ",\"data\":{";
    const char *p = frame.data, *end = p + frame.len;
    if (frame.len < 32 || !book_room(binance, frame.len / 8))
        return false;
    struct weir_bytes stream = {p, 0};
    bool wrapped = memcmp(p, before, sizeof before - 1) == 0;
    if (wrapped) {
        const char *from = p + sizeof before - 1;
        p = fast_string(from, end);
        if (!p || (size_t)(end - p) < sizeof between || memcmp(p, between, sizeof between - 1) != 0)
            return false;
        stream = (struct weir_bytes){from, (size_t)(p - 1 - from)};
        p += sizeof between - 1;
    } else if (*p++ != '{') {
        return false;
    }
    p = fast_object(binance, d, p, end);
    if (!p || (wrapped && (p == end || *p++ != '}')) || p != end)
        return false;
    if (!(d->seen & SEEN_e))
        d->kind = KIND_TOP; /* spot's bookTicker does not say its kind */
    return is_whole(d) && !(d->kind == KIND_DEPTH && is_partial_stream(stream));
}
