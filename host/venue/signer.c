/* signer.c - see signer.h. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the plain SHA states can be copied: a signature costs 4 blocks */
#include "venue/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MAX = 16384, NAME_ROOM = 64, SECURE_HEAP = 1 << 18, HMAC_BLOCK_MAX = 128 };

/* What an HMAC key leads to: the states after its inner and its outer block. */
struct hmac_states {
    SHA256_CTX inner256, outer256;
    SHA512_CTX inner512, outer512;
};

struct key {
    char name[NAME_ROOM];
    char id[KEY_ID_MAX];
    EVP_PKEY *pair; /* NULL: an HMAC key */
};

/* All that is secret and ours stands in one mapping. */
struct vault {
    struct hmac_states hmac[KEYS_MAX];
    char secret[SECRET_MAX + 1];
    unsigned char block[HMAC_BLOCK_MAX];
    size_t len;
};

struct signer {
    struct key keys[KEYS_MAX];
    size_t count;
    struct vault *vault;
};

/* --- life -------------------------------------------------------------------------------------*/

struct signer *signer_create(struct why *why)
{
    struct signer *signer = calloc(1, sizeof *signer);
    if (!signer) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    if (!CRYPTO_secure_malloc_initialized())
        (void)CRYPTO_secure_malloc_init(SECURE_HEAP, 64);
    void *at = mmap(NULL, sizeof *signer->vault, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mlock(at, sizeof *signer->vault) != 0 ||
        madvise(at, sizeof *signer->vault, MADV_DONTDUMP) != 0) {
        (void)because(why, WEIR_E_IO, "keys: no memory that can be locked: %m");
        if (at != MAP_FAILED)
            munmap(at, sizeof *signer->vault);
        free(signer);
        return NULL;
    }
    (void)madvise(at, sizeof *signer->vault, MADV_DONTFORK);
    signer->vault = at;
    return signer;
}

static void wipe(struct signer *signer)
{
    OPENSSL_cleanse(signer->vault->secret, sizeof signer->vault->secret);
    OPENSSL_cleanse(signer->vault->block, sizeof signer->vault->block);
    signer->vault->len = 0;
}

void signer_destroy(struct signer *signer)
{
    if (!signer)
        return;
    for (size_t i = 0; i < signer->count; i++)
        EVP_PKEY_free(signer->keys[i].pair); /* it cleanses */
    OPENSSL_cleanse(signer->vault, sizeof *signer->vault);
    munmap(signer->vault, sizeof *signer->vault);
    free(signer);
}

/* --- sources ----------------------------------------------------------------------------------*/

static enum weir_err read_all(struct vault *vault, int fd, const char *source, struct why *why)
{
    vault->len = 0;
    for (;;) {
        ssize_t got = read(fd, vault->secret + vault->len, SECRET_MAX - vault->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return because(why, WEIR_E_IO, "'%s' cannot be read: %m", source);
        if (got == 0)
            break;
        vault->len += (size_t)got;
        if (vault->len == SECRET_MAX)
            return because(why, WEIR_E_BAD_CONFIG, "'%s': expected less than %d bytes", source,
                           SECRET_MAX);
    }
    while (vault->len > 0 && strchr(" \t\r\n", vault->secret[vault->len - 1]))
        vault->len--;
    vault->secret[vault->len] = '\0';
    if (vault->len == 0)
        return because(why, WEIR_E_BAD_CONFIG, "'%s' is empty", source);
    return WEIR_OK;
}

static enum weir_err read_file(struct vault *vault, const char *path, const char *source,
                               struct why *why)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return because(why, WEIR_E_IO, "'%s' cannot be opened: %m", source);
    enum weir_err err = WEIR_OK;
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        err = because(why, WEIR_E_UNSAFE_FILE, "'%s': expected a regular file", source);
    else if (file.st_uid != geteuid() && file.st_uid != 0)
        err = because(why, WEIR_E_UNSAFE_FILE, "'%s': expected a file of user %u, found user %u's",
                      source, (unsigned)geteuid(), (unsigned)file.st_uid);
    else if (file.st_mode & 077)
        err = because(why, WEIR_E_UNSAFE_FILE, "'%s': expected mode 0600, found %04o", source,
                      (unsigned)file.st_mode & 07777);
    else
        err = read_all(vault, fd, source, why);
    close(fd);
    return err;
}

static enum weir_err read_credential(struct vault *vault, const char *name, const char *source,
                                     struct why *why)
{
    char path[4096];
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!folder)
        return because(why, WEIR_E_IO, "'%s': systemd gave this process no credentials", source);
    if (strchr(name, '/') || strcmp(name, "..") == 0 || name[0] == '\0')
        return because(why, WEIR_E_BAD_CONFIG, "'%s': expected the name of a credential", source);
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return because(why, WEIR_E_BAD_CONFIG, "'%s': its path is too long", source);
    return read_file(vault, path, source, why);
}

static enum weir_err read_descriptor(struct vault *vault, const char *number, const char *source,
                                     struct why *why)
{
    char *end;
    errno = 0;
    long fd = strtol(number, &end, 10);
    if (errno || *end || end == number || fd < 3 || fd > 1 << 20)
        return because(why, WEIR_E_BAD_CONFIG, "'%s': expected a number from 3 on", source);
    enum weir_err err = read_all(vault, (int)fd, source, why);
    close((int)fd);
    return err;
}

/* Into the vault. */
static enum weir_err read_source(struct vault *vault, const char *source, struct why *why)
{
    if (strncmp(source, "file:", 5) == 0)
        return read_file(vault, source + 5, source, why);
    if (strncmp(source, "credential:", 11) == 0)
        return read_credential(vault, source + 11, source, why);
    if (strncmp(source, "fd:", 3) == 0)
        return read_descriptor(vault, source + 3, source, why);
    return because(why, WEIR_E_BAD_CONFIG, /* not its text: it may be a secret by mistake */
                   "expected file:PATH, credential:NAME or fd:NUMBER, found something else");
}

/* --- keys -------------------------------------------------------------------------------------*/

static void hmac_block(struct vault *vault, unsigned char pad)
{
    memset(vault->block, 0, sizeof vault->block);
    memcpy(vault->block, vault->secret, vault->len);
    for (size_t i = 0; i < sizeof vault->block; i++)
        vault->block[i] ^= pad;
}

/* RFC 2104: a key that is longer than a block is its hash. */
static void prepare_256(struct vault *vault, struct hmac_states *states)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char kept[SHA512_CBLOCK];
    size_t len = vault->len;
    memcpy(kept, vault->secret, sizeof kept);
    if (len > SHA256_CBLOCK) {
        SHA256((const unsigned char *)vault->secret, len, hash);
        memcpy(vault->secret, hash, sizeof hash);
        vault->len = sizeof hash;
    }
    hmac_block(vault, 0x36);
    SHA256_Init(&states->inner256);
    SHA256_Update(&states->inner256, vault->block, SHA256_CBLOCK);
    hmac_block(vault, 0x5c);
    SHA256_Init(&states->outer256);
    SHA256_Update(&states->outer256, vault->block, SHA256_CBLOCK);
    memcpy(vault->secret, kept, sizeof kept);
    vault->len = len;
    OPENSSL_cleanse(hash, sizeof hash);
    OPENSSL_cleanse(kept, sizeof kept);
}

static void prepare_512(struct vault *vault, struct hmac_states *states)
{
    unsigned char hash[SHA512_DIGEST_LENGTH];
    if (vault->len > SHA512_CBLOCK) {
        SHA512((const unsigned char *)vault->secret, vault->len, hash);
        memcpy(vault->secret, hash, sizeof hash);
        vault->len = sizeof hash;
    }
    hmac_block(vault, 0x36);
    SHA512_Init(&states->inner512);
    SHA512_Update(&states->inner512, vault->block, SHA512_CBLOCK);
    hmac_block(vault, 0x5c);
    SHA512_Init(&states->outer512);
    SHA512_Update(&states->outer512, vault->block, SHA512_CBLOCK);
    OPENSSL_cleanse(hash, sizeof hash);
}

static enum weir_err take_base64(struct vault *vault, const char *source, struct why *why)
{
    unsigned char *bytes = OPENSSL_secure_malloc(SECRET_MAX);
    enum weir_err err = WEIR_OK;
    int len = bytes && vault->len % 4 == 0
                  ? EVP_DecodeBlock(bytes, (const unsigned char *)vault->secret, (int)vault->len)
                  : -1;
    if (len <= 0) {
        err = because(why, WEIR_E_BAD_CONFIG, "'%s': expected base64", source);
    } else {
        size_t padding = vault->secret[vault->len - 1] != '='   ? 0
                         : vault->secret[vault->len - 2] != '=' ? 1
                                                                : 2;
        memcpy(vault->secret, bytes, (size_t)len);
        vault->len = (size_t)len - padding;
    }
    OPENSSL_secure_clear_free(bytes, SECRET_MAX);
    return err;
}

static int no_password(char *out, int room, int writing, void *context)
{
    (void)out;
    (void)room;
    (void)writing;
    (void)context;
    return -1;
}

static enum weir_err take_pair(struct vault *vault, struct key *key, const char *source,
                               struct why *why)
{
    BIO *bio = BIO_new_mem_buf(vault->secret, (int)vault->len);
    key->pair = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return key->pair ? WEIR_OK
                     : because(why, WEIR_E_BAD_CONFIG,
                               "'%s': expected a private key in PEM without a password", source);
}

static enum weir_err take_secret(struct signer *signer, struct key *key, const char *source,
                                 bool base64, struct why *why)
{
    struct vault *vault = signer->vault;
    enum weir_err err = read_source(vault, source, why);
    if (err)
        return err;
    if (strncmp(vault->secret, "-----BEGIN", 10) == 0)
        return take_pair(vault, key, source, why);
    if (base64 && (err = take_base64(vault, source, why)))
        return err;
    struct hmac_states *states = &vault->hmac[key - signer->keys];
    prepare_256(vault, states);
    prepare_512(vault, states);
    return WEIR_OK;
}

static enum weir_err take_id(struct signer *signer, struct key *key, const char *source,
                             struct why *why)
{
    struct vault *vault = signer->vault;
    enum weir_err err = source && source[0] ? read_source(vault, source, why) : WEIR_OK;
    if (err || !source || !source[0])
        return err;
    if (vault->len >= sizeof key->id)
        return because(why, WEIR_E_BAD_CONFIG, "'%s': expected less than %zu characters", source,
                       sizeof key->id);
    for (size_t i = 0; i < vault->len; i++)
        if (vault->secret[i] <= ' ' || vault->secret[i] > '~')
            return because(why, WEIR_E_BAD_CONFIG, "'%s': expected one word of ASCII", source);
    memcpy(key->id, vault->secret, vault->len + 1);
    return WEIR_OK;
}

static const struct key *find(const struct signer *signer, const char *name)
{
    for (size_t i = 0; i < signer->count; i++)
        if (strcmp(signer->keys[i].name, name) == 0)
            return &signer->keys[i];
    return NULL;
}

enum weir_err signer_add(struct signer *signer, const char *name, const char *id,
                         const char *secret, bool base64, struct why *why)
{
    if (strlen(name) >= NAME_ROOM || !name[0])
        return because(why, WEIR_E_BAD_CONFIG, "expected a name of 1 to %d characters",
                       NAME_ROOM - 1);
    if (find(signer, name))
        return because(why, WEIR_E_DUPLICATE, "key '%s' is there already", name);
    if (signer->count == KEYS_MAX)
        return because(why, WEIR_E_FULL, "%d keys are the most", KEYS_MAX);
    struct key *key = &signer->keys[signer->count];
    *key = (struct key){0};
    memcpy(key->name, name, strlen(name) + 1);
    enum weir_err err = take_id(signer, key, id, why);
    if (err)
        while_doing(why, "id");
    if (!err && (err = take_secret(signer, key, secret, base64, why)))
        while_doing(why, "secret");
    wipe(signer);
    signer->count += err == WEIR_OK;
    return err;
}

enum weir_err signer_id(const struct signer *signer, const char *name, char *out, size_t room)
{
    const struct key *key = find(signer, name);
    if (!key || !key->id[0])
        return WEIR_E_NOT_FOUND;
    size_t len = strlen(key->id);
    if (len >= room)
        return WEIR_E_FULL;
    memcpy(out, key->id, len + 1);
    return WEIR_OK;
}

/* --- signing ----------------------------------------------------------------------------------*/

static enum weir_err hmac_256(const struct hmac_states *states, struct weir_bytes in,
                              unsigned char *out, size_t *len)
{
    SHA256_CTX state = states->inner256;
    if (*len < SHA256_DIGEST_LENGTH)
        return WEIR_E_FULL;
    SHA256_Update(&state, in.data, in.len);
    SHA256_Final(out, &state);
    state = states->outer256;
    SHA256_Update(&state, out, SHA256_DIGEST_LENGTH);
    SHA256_Final(out, &state);
    OPENSSL_cleanse(&state, sizeof state);
    *len = SHA256_DIGEST_LENGTH;
    return WEIR_OK;
}

static enum weir_err hmac_512(const struct hmac_states *states, struct weir_bytes in,
                              unsigned char *out, size_t *len)
{
    SHA512_CTX state = states->inner512;
    if (*len < SHA512_DIGEST_LENGTH)
        return WEIR_E_FULL;
    SHA512_Update(&state, in.data, in.len);
    SHA512_Final(out, &state);
    state = states->outer512;
    SHA512_Update(&state, out, SHA512_DIGEST_LENGTH);
    SHA512_Final(out, &state);
    OPENSSL_cleanse(&state, sizeof state);
    *len = SHA512_DIGEST_LENGTH;
    return WEIR_OK;
}

/* r and s, 32 bytes each, out of the DER that OpenSSL gives. */
static enum weir_err plain_ecdsa(const unsigned char *der, size_t der_len, unsigned char *out,
                                 size_t *len)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    enum weir_err err = WEIR_E_OTHER;
    if (*len < 64)
        err = WEIR_E_FULL;
    else if (pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32) == 32 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32) == 32)
        err = WEIR_OK;
    if (err == WEIR_OK)
        *len = 64;
    ECDSA_SIG_free(pair);
    return err;
}

static enum weir_err pair_sign(EVP_PKEY *pair, const EVP_MD *md, bool plain, struct weir_bytes in,
                               unsigned char *out, size_t *len)
{
    unsigned char made[SIGNATURE_MAX];
    size_t made_len = sizeof made;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum weir_err err = WEIR_OK;
    if (!context || EVP_DigestSignInit(context, NULL, md, NULL, pair) != 1 ||
        EVP_DigestSign(context, made, &made_len, (const unsigned char *)in.data, in.len) != 1)
        err = WEIR_E_OTHER;
    EVP_MD_CTX_free(context);
    if (err)
        return err;
    if (plain)
        return plain_ecdsa(made, made_len, out, len);
    if (made_len > *len)
        return WEIR_E_FULL;
    memcpy(out, made, made_len);
    *len = made_len;
    return WEIR_OK;
}

static bool is_p256(const EVP_PKEY *pair)
{
    return EVP_PKEY_get_base_id(pair) == EVP_PKEY_EC && EVP_PKEY_get_bits(pair) == 256;
}

enum weir_err signer_sign(struct signer *signer, const char *name, const char *algorithm,
                          struct weir_bytes in, unsigned char *out, size_t *len)
{
    const struct key *key = find(signer, name);
    if (!key)
        return WEIR_E_NOT_FOUND;
    const struct hmac_states *states = &signer->vault->hmac[key - signer->keys];
    if (!key->pair && strcmp(algorithm, "hmac-sha256") == 0)
        return hmac_256(states, in, out, len);
    if (!key->pair && strcmp(algorithm, "hmac-sha512") == 0)
        return hmac_512(states, in, out, len);
    int kind = key->pair ? EVP_PKEY_get_base_id(key->pair) : 0;
    if (kind == EVP_PKEY_ED25519 && strcmp(algorithm, "ed25519") == 0)
        return pair_sign(key->pair, NULL, false, in, out, len);
    if (kind == EVP_PKEY_RSA && strcmp(algorithm, "rsa-sha256") == 0)
        return pair_sign(key->pair, EVP_sha256(), false, in, out, len);
    if (kind == EVP_PKEY_EC && is_p256(key->pair) && strcmp(algorithm, "es256") == 0)
        return pair_sign(key->pair, EVP_sha256(), true, in, out, len);
    return WEIR_E_UNSUPPORTED;
}
