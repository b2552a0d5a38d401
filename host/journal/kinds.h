/* kinds.h - every message that a journal can hold, as one table: its name, class, size and members.
 *
 * The reader refuses what the table does not know; the renderer prints members by it; so a new kind
 * of message is one row and its members. */
#ifndef WEIR_JOURNAL_KINDS_H
#define WEIR_JOURNAL_KINDS_H

#include "journal/side.h"

enum field_type {
    FIELD_U8 = 0,
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,
    FIELD_I32,
    FIELD_I64,
    FIELD_BOOL, /* u8 */
    FIELD_TIME, /* i64, ns since the epoch */
    FIELD_SPAN, /* i64, ns */
    FIELD_TEXT,
    FIELD_HASH, /* bytes, in hex */
    FIELD_PX,
    FIELD_QTY,
    FIELD_AMOUNT,
    FIELD_WORD,       /* unsigned, by size; the name from `words` */
    FIELD_BITS,       /* u8; names from `words`, joined by + */
    FIELD_STRATEGY,   /* u32 number, shown by name */
    FIELD_SCOPE_ID,   /* u32 number within the scope that the member `scope` names */
    FIELD_LEVELS,     /* struct weir_level [bids + asks] */
    FIELD_READINGS,   /* of a decision: decision_next() */
    FIELD_MULTIPLIER, /* i64 with the message's multiplier_exp */
    FIELD_EXP         /* i8 */
};

struct field {
    const char *name;
    enum field_type type;
    uint16_t at;
    uint16_t size;
    const char *(*words)(unsigned value); /* "?" outside */
};

struct kind {
    uint16_t kind;
    uint8_t class; /* enum journal_class */
    uint16_t size; /* the least */
    uint16_t full; /* without a list at its end */
    const char *name;
    const struct field *fields;
    size_t field_count;
};

const struct kind *kind_find(uint16_t kind); /* NULL: not known */
const struct kind *kind_at(size_t index);    /* all rows; NULL: no more */

/* Is this message, bytes long, one that a record of this class may hold? */
enum weir_err message_check(enum journal_class class, const struct weir_msg *msg, uint64_t bytes,
                            struct why *why) WEIR_MUST_USE;

#endif
