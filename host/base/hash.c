/* hash.c - checksums: CRC32C for records, SHA-256 for chains.
 *
 * CRC32C has two hands. With SSE4.2 the instruction takes 8 bytes in 3 cycles but can start one each
 * cycle, so input goes as three streams of equal length, whose results are joined by what that many
 * zero bytes do to a checksum: a product of polynomials, one PCLMULQDQ. Else: slicing by 8, one table
 * look-up a byte. Both are the same function, and a test holds them against each other. [crc32c]
 *
 * A copy with its checksum is one walk: the words are in a register anyway, and bytes that were written
 * a moment ago word by word would keep a copy in wider steps waiting.            [crc32c_copy] */
#include "base/hash.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <wmmintrin.h>
#endif

#include "base/check.h"

#define POLYNOMIAL 0x82F63B78u /* 0x1EDC6F41, lowest bit first */

enum { WORDS_LEAST = 3, WORDS_MOST = 64 }; /* of 8 bytes, in each stream */

static uint32_t table[8][256]; /* [k][b]: byte b and then k zero bytes */
/* [n]: x^(64 n - 33), lowest bit first. The product with a checksum is one bit short of 64, and the
 * instruction multiplies by x^32: together that is x^(64 n). */
static uint32_t zero_words[2 * WORDS_MOST + 1];
static bool has_instruction;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t after_zeros(uint32_t crc, size_t zeros)
{
    while (zeros-- > 0)
        crc = crc >> 8 ^ table[0][crc & 0xFF];
    return crc;
}

static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int k = 1; k < 8; k++)
            table[k][byte] = after_zeros(table[k - 1][byte], 1);
    zero_words[1] = 1; /* x^31 */
    for (int n = 2; n <= 2 * WORDS_MOST; n++)
        zero_words[n] = after_zeros(zero_words[n - 1], 8);
#if defined(__x86_64__)
    has_instruction = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
#endif
}

static uint64_t load_64(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* The checksum register, without the inversions at both ends. */
static uint32_t by_table(uint32_t crc, const unsigned char *at, size_t len)
{
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word = load_64(at) ^ crc;
        crc = 0;
        for (int k = 0; k < 8; k++)
            crc ^= table[7 - k][word >> 8 * k & 0xFF];
    }
    for (; len > 0; at++, len--)
        crc = crc >> 8 ^ table[0][(crc ^ *at) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
/* What 8 * words zero bytes after it make of a checksum. */
__attribute__((target("sse4.2,pclmul"))) static inline uint64_t pass_words(uint64_t crc,
                                                                           size_t words)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
                                           _mm_cvtsi64_si128((long long)zero_words[words]), 0);
    return __builtin_ia32_crc32di(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* A word of the input, which is copied if there is where to. */
static inline __attribute__((always_inline)) uint64_t take_64(unsigned char *to,
                                                              const unsigned char *from, size_t at)
{
    uint64_t word = load_64(from + at);
    if (to)
        memcpy(to + at, &word, sizeof word);
    return word;
}

__attribute__((target("sse4.2,pclmul"))) static inline __attribute__((always_inline)) uint32_t
in_streams(uint32_t crc, unsigned char *to, const unsigned char *from, size_t len)
{
    uint64_t a = crc;
    size_t at = 0;
    while (len - at >= 3 * 8 * WORDS_LEAST) {
        size_t words = (len - at) / 24 < WORDS_MOST ? (len - at) / 24 : WORDS_MOST;
        size_t stride = 8 * words;
        uint64_t b = 0, c = 0;
        for (size_t end = at + stride; at < end; at += 8) {
            a = __builtin_ia32_crc32di(a, take_64(to, from, at));
            b = __builtin_ia32_crc32di(b, take_64(to, from, at + stride));
            c = __builtin_ia32_crc32di(c, take_64(to, from, at + 2 * stride));
        }
        a = pass_words(a, 2 * words) ^ pass_words(b, words) ^ c;
        at += 2 * stride;
    }
    for (; len - at >= 8; at += 8)
        a = __builtin_ia32_crc32di(a, take_64(to, from, at));
    crc = (uint32_t)a;
    for (; at < len; at++) {
        crc = __builtin_ia32_crc32qi(crc, from[at]);
        if (to)
            to[at] = from[at];
    }
    return crc;
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t by_instruction(uint32_t crc,
                                                                        const unsigned char *at,
                                                                        size_t len)
{
    return in_streams(crc, NULL, at, len);
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t copy_by_instruction(
    uint32_t crc, unsigned char *to, const unsigned char *at, size_t len)
{
    return in_streams(crc, to, at, len);
}
#else
static uint32_t by_instruction(uint32_t crc, const unsigned char *at, size_t len)
{
    return by_table(crc, at, len);
}

static uint32_t copy_by_instruction(uint32_t crc, unsigned char *to, const unsigned char *at,
                                    size_t len)
{
    memcpy(to, at, len);
    return by_table(crc, at, len);
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    (void)pthread_once(&once, make_tables);
    return ~(has_instruction ? by_instruction : by_table)(~crc, bytes, len);
}

uint32_t crc32c_copy(uint32_t crc, void *to, const void *bytes, size_t len)
{
    (void)pthread_once(&once, make_tables);
    if (has_instruction)
        return ~copy_by_instruction(~crc, to, bytes, len);
    memcpy(to, bytes, len);
    return ~by_table(~crc, bytes, len);
}

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len)
{
    (void)pthread_once(&once, make_tables);
    return ~by_table(~crc, bytes, len);
}

/* --- SHA-256 --------------------------------------------------------------------------------- */

/* OpenSSL's own struct and not its EVP layer, since that cannot be put away and taken up again. */
struct sha256 {
    SHA256_CTX running;
};

struct sha256 *sha256_create(void)
{
    struct sha256 *sha = calloc(1, sizeof *sha);
    if (sha)
        sha256_set(sha);
    return sha;
}

void sha256_destroy(struct sha256 *sha)
{
    free(sha);
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t len)
{
    must(SHA256_Update(&sha->running, bytes, len) == 1);
}

void sha256_value(const struct sha256 *sha, unsigned char out[32])
{
    SHA256_CTX copy = sha->running;
    must(SHA256_Final(out, &copy) == 1);
}

void sha256_set(struct sha256 *sha)
{
    must(SHA256_Init(&sha->running) == 1);
}

void sha256_save(const struct sha256 *sha, struct sha256_state *state_out)
{
    const SHA256_CTX *running = &sha->running;
    memset(state_out, 0, sizeof *state_out);
    memcpy(state_out->h, running->h, sizeof state_out->h);
    memcpy(state_out->block, running->data, running->num);
    state_out->len = ((uint64_t)running->Nh << 32 | running->Nl) / 8;
}

void sha256_load(struct sha256 *sha, const struct sha256_state *state)
{
    SHA256_CTX *running = &sha->running;
    sha256_set(sha);
    memcpy(running->h, state->h, sizeof running->h);
    memcpy(running->data, state->block, sizeof state->block);
    running->num = (unsigned)(state->len % sizeof state->block);
    running->Nl = (SHA_LONG)(state->len * 8);
    running->Nh = (SHA_LONG)(state->len * 8 >> 32);
}

void hex_print(const unsigned char *bytes, size_t len, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
}
