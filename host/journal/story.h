/* story.h - the records of one order, as explain.c finds them and explain_text.c tells them. */
#ifndef WEIR_JOURNAL_STORY_H
#define WEIR_JOURNAL_STORY_H

#include "journal/directory.h"
#include "journal/reader.h"
#include "journal/render.h"

/* Which order: a number is used again long after an order has ended, so its beginning belongs to it. */
struct order_key {
    uint32_t order; /* 0: one that was never kept; its decision only */
    weir_ns created;
    uint64_t begin; /* sequence of the input that made it */
    uint64_t end;   /* of the input that made the next one with its number; UINT64_MAX: none */
    char cid[WEIR_ID_MAX]; /* of one that was never kept */
};

struct event {
    uint64_t seq, cause;
    weir_ns t;
    uint16_t kind;
    bool hidden;      /* from the lines: another one tells it */
    const char *word; /* "risk", "sent", "filled" ... */
    struct text line;
    struct weir_msg *msg; /* the record's message, whole */
    uint8_t class;
};

struct story {
    struct order_key key;
    struct directory *directory;
    struct event *events;
    size_t count, room;
    struct weir_msg *input; /* the present one, whole */
    size_t input_room;
    uint64_t input_seq;
    bool input_told;
    struct out_order last; /* its state as far as it was read */
    bool has_last;
    bool failed; /* no memory */
};

/* Add what this record says of the order; `input` is what it came from. */
void story_add(struct story *story, const struct journal_record *record);
/* All of it, with a headline. */
void story_lines(const struct story *story, struct text *out);
void story_json(const struct story *story, struct text *out);

/* explain_hold.c: what the host keeps and why, as one line each; what a submit asks beyond a price. */
const char *story_hold(const struct story *story, const struct weir_msg *msg, struct text *out);
void story_terms(const struct story *story, const struct in_submit *submit, struct text *out);

#endif
