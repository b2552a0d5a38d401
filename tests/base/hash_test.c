/* hash_test.c - checksums against published values, and the two hands of crc32c against each other. */
#include "base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/random.h"

/* RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
Test(hash, crc32c_gives_the_published_values)
{
    static const unsigned char read_command[48] = {
        0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
        0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    unsigned char zeros[32] = {0}, ones[32], up[32], down[32];
    for (unsigned char i = 0; i < 32; i++) {
        ones[i] = 0xFF;
        up[i] = i;
        down[i] = (unsigned char)(31 - i);
    }
    const struct {
        const char *name;
        const void *bytes;
        size_t len;
        uint32_t crc;
    } cases[] = {{"32 zeros", zeros, 32, 0x8A9136AA},
                 {"32 ones", ones, 32, 0x62A8AB43},
                 {"0..31", up, 32, 0x46DD794E},
                 {"31..0", down, 32, 0x113FDB5C},
                 {"read command", read_command, 48, 0xD9963A56},
                 {"123456789", "123456789", 9, 0xE3069283},
                 {"nothing", "", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(crc32c(0, cases[i].bytes, cases[i].len), cases[i].crc, "%s", cases[i].name);
        cr_expect_eq(crc32c_by_table(0, cases[i].bytes, cases[i].len), cases[i].crc, "%s by table",
                     cases[i].name);
    }
}

Test(hash, crc32c_is_the_same_by_instruction_by_table_and_in_pieces)
{
    static unsigned char bytes[5000], copy[5000];
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)random_next(&state);
    for (int i = 0; i < 2000; i++) {
        size_t from = random_below(&state, 64), len = random_below(&state, i % 2 ? 4900 : 100);
        size_t cut = random_below(&state, len + 1);
        uint32_t whole = crc32c(0, bytes + from, len);
        cr_assert_eq(whole, crc32c_by_table(0, bytes + from, len), "%zu bytes", len);
        memset(copy, 0, sizeof copy);
        cr_assert_eq(whole, crc32c_copy(0, copy, bytes + from, len), "%zu bytes, copied", len);
        cr_assert(memcmp(copy, bytes + from, len) == 0 && copy[len] == 0, "the copy of %zu", len);
        uint32_t piece = crc32c(0, bytes + from, cut);
        cr_assert_eq(whole, crc32c(piece, bytes + from + cut, len - cut), "%zu of %zu", cut, len);
    }
}

static void expect_sha(struct sha256 *sha, const char *expected)
{
    unsigned char value[32];
    char text[65];
    sha256_value(sha, value);
    hex_print(value, sizeof value, text);
    cr_expect_str_eq(text, expected);
}

/* FIPS 180-2, appendix B. */
Test(hash, sha256_gives_the_published_values_and_goes_on_after_each)
{
    struct sha256 *sha = sha256_create();
    cr_assert_not_null(sha);
    expect_sha(sha, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_add(sha, "a", 1);
    sha256_add(sha, "bc", 2);
    expect_sha(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_add(sha, "dbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 53);
    expect_sha(sha, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    sha256_set(sha);
    for (int i = 0; i < 1000; i++) {
        static char a[1000];
        memset(a, 'a', sizeof a);
        sha256_add(sha, a, sizeof a);
    }
    expect_sha(sha, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    sha256_destroy(sha);
    sha256_destroy(NULL);
}
