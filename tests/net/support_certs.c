/* support_certs.c - a CA and server certificates, made for one run. */
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#include "net/support_server.h"

static EVP_PKEY *ca_key;
static X509 *ca;
static char ca_file[64];

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    cr_assert_not_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *certificate(EVP_PKEY *key, const char *name, int from, int to)
{
    static long serial;
    X509 *cert = X509_new();
    cr_assert_not_null(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), from * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(cert), to * 86400L);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    return cert;
}

static void forget_ca(void)
{
    unlink(ca_file);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
}

const char *test_ca_file(void)
{
    if (ca)
        return ca_file;
    ca_key = EVP_EC_gen("P-256");
    ca = certificate(ca_key, "a CA of a test", -1, 10);
    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
    extend(ca, ca, NID_subject_key_identifier, "hash");
    cr_assert(X509_sign(ca, ca_key, EVP_sha256()) > 0);
    snprintf(ca_file, sizeof ca_file, "weir-test-ca-XXXXXX");
    int fd = mkstemp(ca_file);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    cr_assert(file && PEM_write_X509(file, ca));
    fclose(file);
    atexit(forget_ca);
    return ca_file;
}

SSL_CTX *test_tls(const struct cert_wish *wish)
{
    char names[200] = "";
    (void)test_ca_file();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = certificate(key, "a server of a test", wish->days_from, wish->days_to);
    X509_set_issuer_name(cert, X509_get_subject_name(wish->self_signed ? cert : ca));
    snprintf(names, sizeof names, "%s%s%s%s%s", wish->subject_ip ? "IP:" : "",
             wish->subject_ip ? wish->subject_ip : "",
             wish->subject_ip && wish->subject_dns ? "," : "", wish->subject_dns ? "DNS:" : "",
             wish->subject_dns ? wish->subject_dns : "");
    extend(cert, wish->self_signed ? cert : ca, NID_subject_alt_name, names);
    cr_assert(X509_sign(cert, wish->self_signed ? key : ca_key, EVP_sha256()) > 0);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    cr_assert(context && SSL_CTX_use_certificate(context, cert) == 1 &&
              SSL_CTX_use_PrivateKey(context, key) == 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return context;
}
