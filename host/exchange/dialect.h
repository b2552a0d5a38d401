/* dialect.h - how clients of the exchange speak: one struct of functions for each venue's language.
 *
 * A dialect is a pair of translators between bytes and messages of event.h. Whose account a
 * connection speaks for is said by its path; the rest of the exchange does not know who speaks
 * what. */
#ifndef WEIR_EXCHANGE_DIALECT_H
#define WEIR_EXCHANGE_DIALECT_H

#include <stddef.h>

#include "base/text.h"
#include "weir/plugin.h"

enum { ACCOUNT_KEY_MAX = 32 };

struct dialect {
    const char *name;
    const char *path; /* connections come to "<path>/<key>" */
    bool binary;      /* its frames */
    /* A frame of a client. An error ends the connection. */
    enum weir_err (*take)(struct weir_bytes frame, struct weir_intent *intent_out);
    /* An event for a client, appended to out; nothing appended: it says nothing of such. */
    void (*give)(const struct weir_msg *event, struct text *out);
};

extern const struct dialect dialect_remote; /* plugins/remote */

#endif
