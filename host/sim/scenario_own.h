/* scenario_own.h - the inside of a run, for scenario_play.c (steps), scenario_judge.c (verdicts) and
 * scenario_books.c (what the venue told adds up to). */
#ifndef WEIR_SIM_SCENARIO_OWN_H
#define WEIR_SIM_SCENARIO_OWN_H

#include "base/hash.h"
#include "base/json.h"
#include "engine/engine.h"
#include "sim/scenario.h"

enum { STORY_INSTRUMENTS = 64, STORY_STRATEGIES = 64 };

struct bytes { /* a growing list of messages, one after the other */
    unsigned char *data;
    size_t len, room;
};

struct name { /* the story's client id, and the id on the wire */
    const char *cid;
    char wire[WEIR_ID_MAX];
    uint32_t instrument;
};

/* One execution as the venue told it; what the books must add up to. */
struct told {
    uint32_t instrument;
    const char *exec_id;
    int side;
    weir_qty qty;
    weir_px px;
    amount fee;
    const char *fee_asset;
    bool busted;
    bool side_known;
};

/* Funding, a deposit or a withdrawal, as the venue told it. */
struct paid {
    bool funding;
    const char *id, *asset;
    amount value;
};

struct refused {
    char cid[WEIR_ID_MAX];
    char reason[WEIR_REASON_MAX];
};

struct play {
    const cJSON *story;
    struct scenario_result *result;
    struct why *why;
    void *memory;
    struct engine *engine;
    weir_ns now;
    int step;                     /* for messages; -1: the end */
    struct bytes inputs, effects; /* the journal */
    struct sha256 *sha;           /* over both, in order */
    uint64_t seq;
    struct weir_instrument instruments[STORY_INSTRUMENTS]; /* [number] */
    uint32_t instrument_count;
    const char *strategies[STORY_STRATEGIES]; /* [number] */
    uint32_t strategy_count;
    struct name *names;
    size_t name_count, name_room;
    struct told *told;
    size_t told_count, told_room;
    struct paid *paid;
    size_t paid_count, paid_room;
    struct refused *refused;
    size_t refused_count, refused_room;
    const char *asking;  /* the cid whose wire id the next WEIR_NEW or WEIR_REPLACE tells */
    struct bytes labels; /* by order number: see judge_life() */
    uint16_t input_kind; /* of the input being applied, and */
    uint64_t input_seq;  /* its number in the journal */
    bool sent_risk;      /* in this step: a new order or a replace */
    uint8_t sent_side;
    uint32_t sent_instrument;
};

amount play_money(const char *text);
uint32_t play_instrument(const struct play *play, const char *name); /* 0: unknown */
const char *play_wire(const struct play *play,
                      const char *cid); /* the id on the wire, or the cid itself */

void play_fail(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Compare an `expect` or `check`. */
void judge_expect(struct play *play, const cJSON *expect);
/* Position and wallet against what the venue told: a fill, a bust, a payment. */
void books_fill(struct play *play, const cJSON *row, const struct weir_fill *fill);
void books_bust(struct play *play, struct weir_fill *bust, const char *exec_id);
void books_cash(struct play *play, bool funding, const char *id, const char *asset, amount value);
void judge_books(struct play *play);
/* What must hold after every step. */
void judge_invariants(struct play *play);
/* Look at one effect: client ids sent twice, ended orders that live again. */
void judge_effect(struct play *play, const struct weir_msg *effect);

void *grow_list(void *items, size_t *room, size_t count,
                size_t size); /* NULL: no memory; items are freed then */

#endif
