/* vectors_test.c - each signed request and frame of the shared fixtures, signed again by the host's signer.
 *
 * What is signed is put together here from the request as it stands, by each venue's documented rule; the
 * signature must be the one that stands in it. ES256 signatures differ each time: there the token's is
 * verified with the public half of the key, and so is ours over the same bytes. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "venue/signer.h"

static struct signer *signer;
static EVP_PKEY *public;
static int checked;

static const char *secret_of(const char *text)
{
    static char source[32];
    int fd = memfd_create("secret", 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    lseek(fd, 0, SEEK_SET);
    snprintf(source, sizeof source, "fd:%d", fd);
    return source;
}

static void expect(const char *algorithm, const void *data, size_t len, bool hex, const char *found)
{
    unsigned char out[64];
    char text[200] = "";
    size_t size = sizeof out;
    cr_assert_eq(signer_sign(signer, "k", algorithm, (struct weir_bytes){data, len}, out, &size),
                 WEIR_OK);
    if (!hex)
        EVP_EncodeBlock((unsigned char *)text, out, (int)size);
    for (size_t i = 0; hex && i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", out[i]);
    cr_assert_str_eq(text, found, "%.*s", (int)(len < 300 ? len : 300), (const char *)data);
    checked++;
}

static const char *header(const cJSON *request, const char *name)
{
    return json_text(json_get(request, "headers"), name, "");
}

/* "/api/v3/order?x=1" of a URL. */
static const char *path_of(const cJSON *request)
{
    const char *url = json_text(request, "url", ""), *at = strstr(url, "://");
    at = at ? strchr(at + 3, '/') : NULL;
    return at ? at : "";
}

/* --- a rule for each venue ---------------------------------------------------------------------- */

static void binance(const cJSON *request)
{
    char text[8192], found[200];
    const char *query = strchr(path_of(request), '?'), *body = json_text(request, "body", "");
    snprintf(text, sizeof text, "%s%s", query ? query + 1 : "", body);
    char *mark = strstr(text, "&signature=");
    if (!mark)
        return;
    snprintf(found, sizeof found, "%s", mark + 11);
    *mark = '\0';
    expect("hmac-sha256", text, strlen(text), true, found);
}

static void kraken(const cJSON *request)
{
    unsigned char message[512];
    char text[4096];
    unsigned int len;
    const char *body = json_text(request, "body", ""), *path = path_of(request);
    const char *form = strstr(body, "nonce="), *json = strstr(body, "\"nonce\":\"");
    const char *nonce = form ? form + 6 : json ? json + 9 : NULL;
    if (!header(request, "API-Sign")[0])
        return;
    cr_assert_not_null(nonce, "%s", body);
    snprintf(text, sizeof text, "%.*s%s", (int)strcspn(nonce, "&\""), nonce, body);
    memcpy(message, path, strlen(path));
    EVP_Digest(text, strlen(text), message + strlen(path), &len, EVP_sha256(), NULL);
    expect("hmac-sha512", message, strlen(path) + len, false, header(request, "API-Sign"));
}

static void okx(const cJSON *request)
{
    struct text text;
    const char *found = header(request, "OK-ACCESS-SIGN");
    if (!found[0])
        return;
    text_init(&text);
    text_say(&text, "%s%s%s%s", header(request, "OK-ACCESS-TIMESTAMP"),
             json_text(request, "method", ""), path_of(request), json_text(request, "body", ""));
    expect("hmac-sha256", text.data, text.len, false, found);
    text_fini(&text);
}

static void bybit(const cJSON *request)
{
    struct text text;
    const char *found = header(request, "X-BAPI-SIGN"), *query = strchr(path_of(request), '?');
    const char *body = json_text(request, "body", "");
    if (!found[0])
        return;
    text_init(&text);
    text_say(&text, "%s%s%s%s", header(request, "X-BAPI-TIMESTAMP"),
             header(request, "X-BAPI-API-KEY"), header(request, "X-BAPI-RECV-WINDOW"),
             body[0] ? body
             : query ? query + 1
                     : "");
    expect("hmac-sha256", text.data, text.len, true, found);
    text_fini(&text);
}

static void deribit(const cJSON *request)
{
    char ts[32], sig[80], nonce[32];
    struct text text;
    if (sscanf(header(request, "Authorization"),
               "deri-hmac-sha256 id=%*[^,],ts=%31[0-9],sig=%79[0-9a-f],nonce=%31s", ts, sig,
               nonce) != 3)
        return;
    text_init(&text);
    text_say(&text, "%s\n%s\n%s\n%s\n%s\n", ts, nonce, json_text(request, "method", ""),
             path_of(request), json_text(request, "body", ""));
    expect("hmac-sha256", text.data, text.len, true, sig);
    text_fini(&text);
}

static bool holds(const unsigned char *signature, const char *text, size_t len)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;
    ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
    int size = i2d_ECDSA_SIG(pair, &der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = size > 0 && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public) == 1 &&
                EVP_DigestVerify(context, der, (size_t)size, (const unsigned char *)text, len) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return good;
}

static void token(const char *text)
{
    unsigned char theirs[100], ours[64];
    char coded[100] = "";
    size_t size = sizeof ours;
    const char *dot = strrchr(text, '.');
    cr_assert(dot && strlen(dot + 1) == 86, "%s", text);
    for (size_t i = 0; i < 86; i++)
        coded[i] = dot[1 + i] == '-' ? '+' : dot[1 + i] == '_' ? '/' : dot[1 + i];
    memcpy(coded + 86, "==", 3);
    cr_assert_eq(EVP_DecodeBlock(theirs, (unsigned char *)coded, 88), 66);
    size_t len = (size_t)(dot - text);
    cr_assert(holds(theirs, text, len), "%s", text);
    cr_assert_eq(signer_sign(signer, "k", "es256", (struct weir_bytes){text, len}, ours, &size),
                 WEIR_OK);
    cr_assert(size == 64 && holds(ours, text, len));
    cr_assert(!holds(ours, text, len - 1));
    checked++;
}

static void coinbase(const cJSON *request)
{
    const char *found = header(request, "Authorization");
    if (strncmp(found, "Bearer ", 7) == 0)
        token(found + 7);
}

/* --- frames ---------------------------------------------------------------------------------------- */

static void say_value(struct text *text, const cJSON *item)
{
    const char *digits = json_digits(item);
    text_say(text, "%s",
             digits                 ? digits
             : cJSON_IsString(item) ? item->valuestring
             : cJSON_IsTrue(item)   ? "true"
                                    : "false");
}

static void binance_frame(const cJSON *frame)
{
    const cJSON *params = json_get(frame, "params"), *items[64], *item;
    const char *found = json_text(params, "signature", "");
    struct text text;
    size_t count = 0;
    if (!found[0])
        return;
    cJSON_ArrayForEach(item, params) if (strcmp(item->string, "signature") != 0) items[count++] =
        item;
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && strcmp(items[j - 1]->string, items[j]->string) > 0; j--) {
            item = items[j];
            items[j] = items[j - 1];
            items[j - 1] = item;
        }
    text_init(&text);
    for (size_t i = 0; i < count; i++) {
        text_say(&text, "%s%s=", i ? "&" : "", items[i]->string);
        say_value(&text, items[i]);
    }
    expect("hmac-sha256", text.data, text.len, true, found);
    text_fini(&text);
}

static void okx_frame(const cJSON *frame)
{
    char text[100];
    const cJSON *args = cJSON_GetArrayItem(json_get(frame, "args"), 0);
    if (!json_text(args, "sign", "")[0])
        return;
    snprintf(text, sizeof text, "%sGET/users/self/verify", json_text(args, "timestamp", ""));
    expect("hmac-sha256", text, strlen(text), false, json_text(args, "sign", ""));
}

static void bybit_frame(const cJSON *frame)
{
    struct text text;
    const cJSON *args = json_get(frame, "args");
    if (strcmp(json_text(frame, "op", ""), "auth") != 0)
        return;
    text_init(&text);
    text_say(&text, "GET/realtime");
    say_value(&text, cJSON_GetArrayItem(args, 1));
    expect("hmac-sha256", text.data, text.len, true, cJSON_GetArrayItem(args, 2)->valuestring);
    text_fini(&text);
}

static void deribit_frame(const cJSON *frame)
{
    struct text text;
    const cJSON *params = json_get(frame, "params");
    if (!json_text(params, "signature", "")[0])
        return;
    text_init(&text);
    say_value(&text, json_get(params, "timestamp"));
    text_say(&text, "\n%s\n%s", json_text(params, "nonce", ""), json_text(params, "data", ""));
    expect("hmac-sha256", text.data, text.len, true, json_text(params, "signature", ""));
    text_fini(&text);
}

static void coinbase_frame(const cJSON *frame)
{
    if (json_text(frame, "jwt", "")[0])
        token(json_text(frame, "jwt", ""));
}

/* --- all of them ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    bool base64; /* the secret is */
    void (*request)(const cJSON *request);
    void (*frame)(const cJSON *frame);
    int least;
} venues[] = {{"binance", false, binance, binance_frame, 20},
              {"kraken", true, kraken, NULL, 20},
              {"okx", false, okx, okx_frame, 20},
              {"bybit", false, bybit, bybit_frame, 20},
              {"deribit", false, deribit, deribit_frame, 20},
              {"coinbase", false, coinbase, coinbase_frame, 20}};

static cJSON *fixture(const char *venue, const char *name)
{
    char path[1024];
    struct why why;
    const char *shared = getenv("WEIR_SHARED");
    snprintf(path, sizeof path, "%s/fixtures/ccxt/%s/%s.json",
             shared ? shared : SOURCE_DIR "/../shared", venue, name);
    if (access(path, R_OK) != 0)
        return NULL;
    cJSON *root = json_read_file(path, &why);
    cr_assert_not_null(root, "%s", why.text);
    return root;
}

static void use_key(const cJSON *root, bool base64)
{
    char pem[1024];
    struct why why;
    const cJSON *credentials = json_get(root, "credentials");
    const char *der = json_text(credentials, "secret_der_base64", "");
    const char *label = json_text(credentials, "secret_der_label", "EC PRIVATE KEY");
    snprintf(pem, sizeof pem, "-----BEGIN %s-----\n%s\n-----END %s-----\n", label, der, label);
    signer = signer_create(&why);
    cr_assert_eq(signer_add(signer, "k", NULL,
                            secret_of(der[0] ? pem : json_text(credentials, "secret", "")), base64,
                            &why),
                 WEIR_OK, "%s", why.text);
    if (!der[0])
        return;
    unsigned char bytes[512];
    int len = EVP_DecodeBlock(bytes, (const unsigned char *)der, (int)strlen(der));
    const unsigned char *at = bytes;
    public = d2i_AutoPrivateKey(NULL, &at, len);
    cr_assert_not_null(public);
}

Test(vectors, each_signed_request_and_frame_is_signed_the_same)
{
    for (size_t i = 0; i < sizeof venues / sizeof venues[0]; i++) {
        const cJSON *one, *part;
        cJSON *requests = fixture(venues[i].name, "request"),
              *frames = fixture(venues[i].name, "ws_request");
        if (!requests || !frames)
            cr_skip_test("needs the shared folder");
        checked = 0;
        use_key(requests, venues[i].base64);
        cJSON_ArrayForEach(one, json_get(requests, "cases"))
            cJSON_ArrayForEach(part, json_get(one, "requests")) venues[i]
                .request(part);
        cJSON_ArrayForEach(one, json_get(frames, "cases"))
            cJSON_ArrayForEach(part, json_get(one, "frames"))
        {
            struct why why;
            const char *text = json_text(part, "frame", "");
            cJSON *frame = text[0] && venues[i].frame ? json_read(text, strlen(text), &why) : NULL;
            if (frame)
                venues[i].frame(frame);
            cJSON_Delete(frame);
        }
        cr_assert(checked >= venues[i].least, "%s: only %d signatures", venues[i].name, checked);
        if (getenv("WEIR_SAY"))
            printf("%s: %d signatures\n", venues[i].name, checked);
        signer_destroy(signer);
        EVP_PKEY_free(public);
        public = NULL;
        cJSON_Delete(requests);
        cJSON_Delete(frames);
    }
}
