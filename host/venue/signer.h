/* signer.h - the keys of the host: read from where the operator names them, used, never shown.
 *
 * A key is a name with two halves: the public one (an API key, a key id), and the secret, which signs.
 * Each half is named by its source, never by its value:
 *
 *   file:PATH         a file of ours alone: regular, our user's, no right for anybody else (0600)
 *   credential:NAME   a file of that name in the folder that systemd gives a service
 *   fd:NUMBER         a descriptor that was handed to us; it is read to its end and closed
 *
 * A secret that is PEM is a private key (Ed25519, EC P-256, RSA); any other is the text of an HMAC key,
 * without white space at its end. It is read into memory that is locked and left out of cores, and wiped
 * after use: of an HMAC key the two hash states that it leads to are kept, in such memory, and of a
 * private key what OpenSSL keeps in its secure heap. No error, log or journal ever holds a part of it.
 * Signing is done by the engine thread, everything else by the main thread before it runs. */
#ifndef WEIR_VENUE_SIGNER_H
#define WEIR_VENUE_SIGNER_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

enum { KEY_SOURCE_MAX = 300, KEY_ID_MAX = 256, SIGNATURE_MAX = 1024, KEYS_MAX = 64 };

struct signer;

struct signer *signer_create(struct why *why); /* NULL: why */
void signer_destroy(struct signer *signer);    /* wipes; accepts NULL */

/* Add a key. id NULL or "": it has no public half. base64: the text of the secret is base64 of the HMAC
 * key (Kraken). E_UNSAFE_FILE, E_IO, E_BAD_CONFIG, E_DUPLICATE, E_FULL: why says which source. */
enum weir_err signer_add(struct signer *signer, const char *name, const char *id,
                         const char *secret, bool base64, struct why *why) WEIR_MUST_USE;

/* The public half. E_NOT_FOUND: no such key, or it has none; E_FULL: out is too small. */
enum weir_err signer_id(const struct signer *signer, const char *name, char *out,
                        size_t room) WEIR_MUST_USE;

/* Sign: "hmac-sha256" (32 bytes), "hmac-sha512" (64), "ed25519" (64, RFC 8032), "es256" (64, r then s as
 * in RFC 7518), "rsa-sha256" (PKCS #1 v1.5). *len: room in, length out. E_NOT_FOUND: no such key;
 * E_UNSUPPORTED: no such algorithm, or not of this key's kind; E_FULL; E_OTHER: OpenSSL refused. */
enum weir_err signer_sign(struct signer *signer, const char *name, const char *algorithm,
                          struct weir_bytes in, unsigned char *out, size_t *len) WEIR_MUST_USE;

#endif
