/* error.h - the one list of errors: what went wrong, in a word and in a sentence.
 *
 * Each line makes an enum constant WEIR_E_<name>, a name and a text; `weir describe errors` prints
 * the list. Codes are open: a reader that meets one it does not know treats it as WEIR_E_OTHER.
 * New ones go at the end of the list, so that numbers never change. */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <stdint.h>

#define WEIR_ERRORS(X)                                                     \
    X(OTHER, "an error this side does not know by name")                   \
    X(BAD_FRAME, "bytes from outside that are not what their format says") \
    X(BAD_NUMBER, "a text that is not a plain decimal number")             \
    X(INEXACT, "a number with more decimals than its unit can hold")       \
    X(OVERFLOW, "a number too large for its unit")                         \
    X(GAP, "a sequence number was skipped")                                \
    X(FULL, "a fixed-size room is full")                                   \
    X(NO_MEMORY, "out of memory")                                          \
    X(NOT_FOUND, "nothing here has that name")                             \
    X(DUPLICATE, "something here already has that name")                   \
    X(UNSUPPORTED, "the other side cannot do this")                        \
    X(BAD_CONFIG, "a setting is missing, unknown or of the wrong kind")    \
    X(ABI, "built for another version of the interface")                   \
    X(UNSAFE_FILE, "a file whose owner, mode or kind cannot be trusted")   \
    X(IO, "the operating system refused a read or a write")                \
    X(CORRUPT, "stored bytes that are damaged")                            \
    X(STATE, "not possible in the present state")                          \
    X(DENIED, "refused by a limit or a right")                             \
    X(TIMEOUT, "no answer in time")                                        \
    X(DOWN, "the other side is not connected")                             \
    X(USAGE, "called with the wrong words")

enum weir_err {
    WEIR_OK = 0,
#define X(name, text) WEIR_E_##name,
    WEIR_ERRORS(X)
#undef X
        WEIR_ERR_COUNT
};

#define WEIR_MUST_USE __attribute__((warn_unused_result))

#endif
