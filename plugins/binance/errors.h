/* errors.h - what an error of the venue means: a class, and what it proves.
 *
 * The proof is all that the engine acts on. UNKNOWN and DUPLICATE_ID prove nothing: the order may work
 * at the venue, so it is asked. Every other class is a definite refusal, unless the answer came with an
 * HTTP status of 5xx, which says that the venue itself does not know. */
#ifndef BINANCE_ERRORS_H
#define BINANCE_ERRORS_H

#include "weir/plugin.h"

/* clang-format off */
#define ERROR_CLASSES(X)                                                                    \
    X(REFUSED)          /* for a reason of its own */                                       \
    X(BAD_REQUEST)      /* a parameter is missing, malformed, unknown */                    \
    X(AUTHENTICATION)   /* key or signature */                                              \
    X(NO_PERMISSION)    /* the key may not do this */                                       \
    X(NOT_ALLOWED)      /* the account or the market is in another state */                 \
    X(FAILED)           /* the venue could not do it, and says so */                        \
    X(BAD_SYMBOL) X(INSUFFICIENT_FUNDS) X(INVALID_ORDER) X(RATE_LIMITED)                    \
    X(NOT_FILLABLE)     /* an order to fill at once that cannot be */                       \
    X(ACCOUNT_SUSPENDED)                                                                    \
    X(WOULD_TAKE)       /* a post-only order that would, or a trigger that is past */       \
    X(BAD_ANSWER) X(NOT_SUPPORTED)                                                          \
    X(UNKNOWN_ORDER)    /* a cancel or a question about an order that is not there */       \
    X(CLOCK)            /* the time stamp is outside of the window */                       \
    X(DUPLICATE_ID)     /* an order with this client id works: silence */                   \
    X(UNKNOWN)          /* the venue does not know whether it was carried out: silence */
enum error_class {
#define X(name) ERROR_##name,
    ERROR_CLASSES(X)
#undef X
    ERROR_CLASS_COUNT
};
/* clang-format on */

/* Whose numbers they are: the same number means other things in other products. */
enum error_book { BOOK_ANY = 0, BOOK_SPOT, BOOK_USDM, BOOK_CM, BOOK_OPTION, BOOK_PORTFOLIO };

struct error_verdict {
    enum error_class class;
    enum weir_proof proof;
    int known; /* 0: neither code nor text stands in the table */
};

/* status: of HTTP (or of the WebSocket API's answer), 0: none came. text: the venue's message. */
struct error_verdict error_judge(enum error_book book, int status, int64_t code,
                                 struct weir_bytes text);
const char *error_name(enum error_class class);
/* -1: there is none of that name. */
int error_book_of(const char *name);

#endif
