/* signer_test.c - keys from where they are named, signatures as others make them, and nothing to be seen. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "venue/signer.h"

static char folder[] = "/tmp/weir-signer-XXXXXX";

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void drop_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

static const char *put_file(const char *name, const char *text, mode_t mode)
{
    static char source[256];
    snprintf(source, sizeof source, "file:%s/%s", folder, name);
    int fd = open(source + 5, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
    return source;
}

/* A descriptor that holds the text. */
static const char *put_fd(const char *text)
{
    static char sources[2][32];
    static int turn;
    char *source = sources[turn++ % 2];
    int fd = memfd_create("secret", 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    lseek(fd, 0, SEEK_SET);
    snprintf(source, sizeof sources[0], "fd:%d", fd);
    return source;
}

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* RFC 4231, cases 1, 2, 6 and 7: keys of 20, 4 and 131 bytes; RFC 8032, section 7.1, test 2. */
static const struct vector {
    const char *key, *algorithm, *data, *signature;
} vectors[] = {
    {"Jefe", "hmac-sha256", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"Jefe", "hmac-sha512", "what do ya want for nothing?",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e"
     "6fd"
     "caeab1a34d4a6b4b636e070a38bce737"},
    {"\xaa*131", "hmac-sha256", "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"\xaa*131", "hmac-sha512", "Test Using Larger Than Block-Size Key - Hash Key First",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1"
     "e52"
     "95e64f73f63f0aec8b915a985d786598"},
    {"-----BEGIN PRIVATE KEY-----\n"
     "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
     "-----END PRIVATE KEY-----\n",
     "ed25519", "r",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
};

Test(signer, signatures_are_those_of_the_standards)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *vector = &vectors[i];
        struct why why = {0};
        struct signer *signer = signer_create(&why);
        unsigned char out[64];
        char hex[129], key[256];
        size_t len = sizeof out;
        snprintf(key, sizeof key, "%s", vector->key);
        if (strcmp(key + 1, "*131") == 0)
            memset(memset(key, 0, sizeof key), 0xaa, 131);
        cr_assert_not_null(signer, "%s", why.text);
        cr_assert_eq(signer_add(signer, "k", NULL, put_fd(key), false, &why), WEIR_OK, "%s",
                     why.text);
        struct weir_bytes data = {vector->data, strlen(vector->data)};
        cr_assert_eq(signer_sign(signer, "k", vector->algorithm, data, out, &len), WEIR_OK);
        to_hex(out, len, hex);
        cr_assert_str_eq(hex, vector->signature, "%zu %s", i, vector->algorithm);
        signer_destroy(signer);
    }
}

static bool verify(EVP_PKEY *pair, const EVP_MD *md, const char *text, const unsigned char *sig,
                   size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(context, NULL, md, NULL, pair) == 1 &&
                EVP_DigestVerify(context, sig, len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static char *pem_of(EVP_PKEY *pair)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL);
    long len = BIO_get_mem_data(bio, &data);
    char *text = calloc(1, (size_t)len + 1);
    memcpy(text, data, (size_t)len);
    BIO_free(bio);
    return text;
}

Test(signer, private_keys_sign_what_their_public_halves_verify)
{
    EVP_PKEY *pairs[] = {EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
                         EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)};
    static const char *const algorithms[] = {"es256", "rsa-sha256"};
    const struct weir_bytes data = {"hello", 5};
    for (int i = 0; i < 2; i++) {
        struct why why = {0};
        struct signer *signer = signer_create(&why);
        char *pem = pem_of(pairs[i]);
        unsigned char out[512];
        size_t len = sizeof out, small = 10;
        cr_assert_eq(signer_add(signer, "k", put_fd("id"), put_fd(pem), false, &why), WEIR_OK, "%s",
                     why.text);
        cr_assert_eq(signer_sign(signer, "k", algorithms[i], data, out, &len), WEIR_OK);
        if (i == 0) { /* r and s, as DER for OpenSSL */
            ECDSA_SIG *sig = ECDSA_SIG_new();
            unsigned char *der = NULL;
            cr_assert_eq(len, 64);
            ECDSA_SIG_set0(sig, BN_bin2bn(out, 32, NULL), BN_bin2bn(out + 32, 32, NULL));
            len = (size_t)i2d_ECDSA_SIG(sig, &der);
            memcpy(out, der, len);
            OPENSSL_free(der);
            ECDSA_SIG_free(sig);
        }
        cr_assert(verify(pairs[i], EVP_sha256(), "hello", out, len), "%s", algorithms[i]);
        cr_assert_eq(signer_sign(signer, "k", algorithms[i], data, out, &small), WEIR_E_FULL);
        cr_assert_eq(signer_sign(signer, "k", "hmac-sha256", data, out, &len), WEIR_E_UNSUPPORTED);
        cr_assert_eq(signer_sign(signer, "k", algorithms[1 - i], data, out, &len),
                     WEIR_E_UNSUPPORTED);
        cr_assert_eq(signer_sign(signer, "other", algorithms[i], data, out, &len),
                     WEIR_E_NOT_FOUND);
        free(pem);
        EVP_PKEY_free(pairs[i]);
        signer_destroy(signer);
    }
}

static const struct bad {
    const char *name, *text, *source;
    mode_t mode;
    enum weir_err err;
    const char *why;
} bad[] = {
    {"readable by the group", "topsecretvalue", NULL, 0640, WEIR_E_UNSAFE_FILE, "mode 0600"},
    {"readable by all", "topsecretvalue", NULL, 0604, WEIR_E_UNSAFE_FILE, "mode 0600"},
    {"empty", "\n", NULL, 0600, WEIR_E_BAD_CONFIG, "empty"},
    {"broken PEM", "-----BEGIN PRIVATE KEY-----\ntopsecretvalue\n", NULL, 0600, WEIR_E_BAD_CONFIG,
     "private key in PEM"},
    {"absent", NULL, "file:/nowhere/at/all", 0, WEIR_E_IO, "cannot be opened"},
    {"a folder", NULL, "file:/tmp", 0, WEIR_E_UNSAFE_FILE, "regular file"},
    {"the secret itself", NULL, "topsecretvalue", 0, WEIR_E_BAD_CONFIG, "file:PATH"},
    {"a descriptor that is none", NULL, "fd:one", 0, WEIR_E_BAD_CONFIG, "a number"},
    {"no credentials", NULL, "credential:key", 0, WEIR_E_IO, "no credentials"},
};

Test(signer, a_source_that_cannot_be_trusted_is_refused_and_nothing_of_it_is_said,
     .init = make_folder, .fini = drop_folder)
{
    unsetenv("CREDENTIALS_DIRECTORY");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct why why = {0};
        struct signer *signer = signer_create(&why);
        const char *source =
            bad[i].source ? bad[i].source : put_file("secret", bad[i].text, bad[i].mode);
        cr_expect_eq(signer_add(signer, "k", NULL, source, false, &why), bad[i].err, "%s: %s",
                     bad[i].name, why.text);
        cr_expect(strstr(why.text, bad[i].why), "%s: %s", bad[i].name, why.text);
        cr_expect(!strstr(why.text, "topsecretvalue"), "%s: %s", bad[i].name, why.text);
        signer_destroy(signer);
    }
}

Test(signer, files_credentials_and_base64_are_read, .init = make_folder, .fini = drop_folder)
{
    struct why why = {0};
    struct signer *signer = signer_create(&why);
    unsigned char plain[32], coded[32];
    size_t a = 32, b = 32;
    char id[8], path[128];
    (void)put_file("cred", "SmVmZQ==\n", 0600);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    cr_assert_eq(signer_add(signer, "coded", NULL, "credential:cred", true, &why), WEIR_OK, "%s",
                 why.text);
    unsetenv("CREDENTIALS_DIRECTORY");
    snprintf(path, sizeof path, "%s", put_file("id", "abc \n", 0600));
    cr_assert_eq(signer_add(signer, "plain", path, put_file("s", "Jefe\r\n", 0400), false, &why),
                 WEIR_OK, "%s", why.text);
    cr_assert_eq(signer_add(signer, "plain", path, path, false, &why), WEIR_E_DUPLICATE);
    struct weir_bytes data = {"x", 1};
    cr_assert_eq(signer_sign(signer, "coded", "hmac-sha256", data, coded, &a), WEIR_OK);
    cr_assert_eq(signer_sign(signer, "plain", "hmac-sha256", data, plain, &b), WEIR_OK);
    cr_assert_arr_eq(plain, coded, 32);
    cr_assert_eq(signer_id(signer, "plain", id, sizeof id), WEIR_OK);
    cr_assert_str_eq(id, "abc");
    cr_assert_eq(signer_id(signer, "plain", id, 3), WEIR_E_FULL);
    cr_assert_eq(signer_id(signer, "coded", id, sizeof id), WEIR_E_NOT_FOUND);
    signer_destroy(signer);
}

/* Reads all of this process that could be written to a core, but for `mine`. */
static bool seen_in_memory(const char *needle, size_t len, const char *mine)
{
    char line[512], flags[512];
    unsigned long from = 0, to = 0;
    bool seen = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    char *copy = NULL;
    while (fgets(line, sizeof line, maps)) {
        unsigned long a, b;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &a, &b, rights) == 3) {
            from = a;
            to = rights[0] == 'r' && rights[1] == 'w' ? b : a;
            continue;
        }
        if (strncmp(line, "VmFlags:", 8) != 0)
            continue;
        snprintf(flags, sizeof flags, "%s", line);
        if (strstr(flags, " dd") || from == to || to - from > 64u << 20)
            continue; /* not dumped; or a sanitizer's shadow */
        copy = malloc(to - from);
        ssize_t got = copy ? pread(memory, copy, to - from, (off_t)from) : 0;
        for (const char *at = copy;
             got > 0 && (at = memmem(at, (size_t)(copy + got - at), needle, len)) != NULL; at++) {
            const char *where = (const char *)from + (at - copy);
            seen |= where != mine && !(where >= copy && where < copy + got);
        }
        if (copy)
            memset(copy, 0, to - from);
        free(copy);
    }
    fclose(maps);
    close(memory);
    return seen;
}

Test(signer, a_secret_is_nowhere_that_a_core_would_show, .init = make_folder, .fini = drop_folder)
{
    static char needle[] = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    struct why why = {0};
    struct signer *signer = signer_create(&why);
    unsigned char out[32];
    size_t len = sizeof out;
    char path[128];
    int fd = -1;
    snprintf(path, sizeof path, "%s/s", folder);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    cr_assert_eq(write(fd, needle, sizeof needle - 1), (ssize_t)sizeof needle - 1);
    close(fd);
    char source[160];
    snprintf(source, sizeof source, "file:%s", path);
    cr_assert_eq(signer_add(signer, "k", NULL, source, false, &why), WEIR_OK);
    cr_assert_eq(signer_sign(signer, "k", "hmac-sha256", (struct weir_bytes){"x", 1}, out, &len),
                 WEIR_OK);
    cr_assert(!seen_in_memory(needle, 40, needle));
    signer_destroy(signer);
}

/* --- what venues publish ---------------------------------------------------------------------- */

static const char *shared(void)
{
    const char *given = getenv("WEIR_SHARED");
    return given ? given : SOURCE_DIR "/../shared";
}

static void hmac_vector(const cJSON *row)
{
    struct why why = {0};
    bool kraken = strcmp(json_text(row, "venue", ""), "kraken") == 0;
    const char *payload = json_text(row, "payload", ""), *expected = json_text(row, "expected", "");
    struct signer *signer = signer_create(&why);
    unsigned char out[64], message[512];
    char text[200];
    size_t len = sizeof out, message_len = strlen(payload);
    cr_assert_eq(signer_add(signer, "k", NULL, put_fd(json_text(row, "secret", "")), kraken, &why),
                 WEIR_OK, "%s", why.text);
    memcpy(message, payload, message_len);
    if (kraken) { /* path + SHA256(nonce + body) */
        char hashed[400];
        unsigned int hash_len;
        const char *path = json_text(row, "path", "");
        snprintf(hashed, sizeof hashed, "%s%s", json_text(row, "nonce", ""), payload);
        message_len = strlen(path);
        memcpy(message, path, message_len);
        EVP_Digest(hashed, strlen(hashed), message + message_len, &hash_len, EVP_sha256(), NULL);
        message_len += hash_len;
    }
    cr_assert_eq(signer_sign(signer, "k", kraken ? "hmac-sha512" : "hmac-sha256",
                             (struct weir_bytes){(char *)message, message_len}, out, &len),
                 WEIR_OK);
    if (kraken)
        EVP_EncodeBlock((unsigned char *)text, out, (int)len);
    else
        to_hex(out, len, text);
    cr_assert_str_eq(text, expected, "%s", json_text(row, "name", ""));
    signer_destroy(signer);
}

static void ed25519_vector(const cJSON *row)
{
    struct why why = {0};
    char pem[512], text[100];
    const char *payload = json_text(row, "payload", "");
    const char *label = json_text(row, "private_key_pem_der_label", "");
    struct signer *signer = signer_create(&why);
    unsigned char out[64];
    size_t len = sizeof out;
    snprintf(pem, sizeof pem, "-----BEGIN %s-----\n%s\n-----END %s-----\n", label,
             json_text(row, "private_key_pem_der_base64", ""), label);
    cr_assert_eq(signer_add(signer, "k", NULL, put_fd(pem), false, &why), WEIR_OK, "%s", why.text);
    cr_assert_eq(signer_sign(signer, "k", "ed25519", (struct weir_bytes){payload, strlen(payload)},
                             out, &len),
                 WEIR_OK);
    EVP_EncodeBlock((unsigned char *)text, out, (int)len);
    cr_assert_str_eq(text, json_text(row, "expected", ""), "%s", json_text(row, "name", ""));
    signer_destroy(signer);
}

Test(signer, every_vector_that_venues_publish_verifies)
{
    char path[4096];
    struct why why = {0};
    const cJSON *row;
    int count = 0;
    snprintf(path, sizeof path, "%s/fixtures/sign/official_vectors.json", shared());
    if (access(path, R_OK) != 0)
        cr_skip_test("needs the shared folder");
    cJSON *root = json_read_file(path, &why);
    cr_assert_not_null(root, "%s", why.text);
    cJSON_ArrayForEach(row, root)
    {
        if (json_get(row, "secret"))
            hmac_vector(row);
        else
            ed25519_vector(row);
        count++;
    }
    cr_assert(count >= 6);
    cJSON_Delete(root);
}
