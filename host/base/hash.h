/* hash.h - CRC32C (RFC 3720, polynomial 0x1EDC6F41, hardware when there) and SHA-256 (OpenSSL). */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len); /* crc: 0 at the start */

/* The same, and the bytes are copied to `to`, which they do not overlap. */
uint32_t crc32c_copy(uint32_t crc, void *to, const void *bytes, size_t len);

/* Without the instruction, for machines that lack it and for the test. */
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len);

struct sha256;                      /* a running SHA-256 */
struct sha256 *sha256_create(void); /* NULL: no memory */
void sha256_destroy(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t len);
void sha256_value(const struct sha256 *sha, unsigned char out[32]); /* so far; it can go on */
void sha256_set(struct sha256 *sha);                                /* begin anew */

/* A running SHA-256, put away: plain data. */
struct sha256_state {
    uint32_t h[8];
    uint64_t len; /* of what was added, bytes */
    unsigned char block[64];
};
void sha256_save(const struct sha256 *sha, struct sha256_state *state_out);
void sha256_load(struct sha256 *sha, const struct sha256_state *state);

void hex_print(const unsigned char *bytes, size_t len, char *text); /* text: 2 * len + 1 */

#endif
