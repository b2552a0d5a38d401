/* side.h - records of the journal that the engine neither reads nor writes.
 *
 * META records belong to the journal itself. SIDE records tell what was measured and what ran:
 * they differ from machine to machine, so they stand outside the journal's hash. Both are messages
 * as all others (struct weir_msg first, texts padded with zeros). */
#ifndef WEIR_JOURNAL_SIDE_H
#define WEIR_JOURNAL_SIDE_H

#include "engine/engine.h"
#include "journal/format.h"

enum side_kind {
    META_BEGIN = WEIR_HOST_KINDS + 200, /* struct meta_begin: first record of a journal */
    META_RESUMED,                       /* struct meta_begin: a process goes on with it */
    META_END,                           /* struct meta_end: last record of a clean end */
    SIDE_BUILD = WEIR_HOST_KINDS + 220, /* struct side_build */
    SIDE_PLUGIN,                        /* struct side_plugin */
    SIDE_CONFIG,                        /* struct side_config */
    SIDE_TIMING,                        /* struct side_timing */
    SIDE_SCRIPT,                        /* struct side_script */
    SIDE_QUARANTINE                     /* struct side_quarantine */
};

/* What a replay needs to know before the first input. */
struct meta_begin {
    struct weir_msg msg; /* t: wall clock */
    uint32_t layout;     /* journal_layout() of the build that wrote what follows */
    uint32_t pad;
    struct engine_sizes sizes; /* of the engine; stays the same for the life of a journal */
};

struct meta_end {
    struct weir_msg msg; /* t: wall clock */
    uint64_t seq;        /* the last */
    uint64_t inputs;
    uint64_t effects;
    unsigned char hash[JOURNAL_HASH_BYTES];
};

struct side_build {
    struct weir_msg msg;
    char version[32];
    char build[64]; /* as the linker names it: "sha1:..." */
    char compiler[64];
};

/* Which version of a script runs from here on. */
struct side_script {
    struct weir_msg msg;
    uint32_t strategy;
    uint32_t version;         /* 1 at the start, one more with each reload of it */
    unsigned char sha256[32]; /* of its source and its modules */
};

/* A script was stopped, and why. What came of it, the switch of its strategy and the cancels of its
 * orders, are inputs after it. */
struct side_quarantine {
    struct weir_msg msg;
    uint32_t strategy;
    uint32_t version;     /* as in side_script */
    uint32_t outcome;     /* 1 refused, 2 quarantined */
    uint32_t crashed;     /* 1: its process died */
    int64_t max_callback; /* ns */
    uint64_t memory_most; /* bytes of Lua memory */
    char reason[184];     /* file:line and why, cut */
};

struct side_plugin {
    struct weir_msg msg; /* venue: whose */
    char name[NAME_MAX_LEN];
    char version[32];
    unsigned char sha256[32]; /* of the file that runs */
};

struct side_config {
    struct weir_msg msg;
    uint64_t version; /* counts loads, from 1 */
    unsigned char sha256[32];
    char path[128];
};

enum side_stage {
    STAGE_SENT = 0, /* the plugin took the intent */
    STAGE_WIRE,     /* its bytes were given to the socket */
    STAGE_ANSWER,   /* the venue's first answer came in */
    STAGE_DURABLE,  /* the record was durable */
    STAGE_COUNT
};
const char *side_stage_name(enum side_stage stage); /* "sent" ...; "?" outside */

struct side_timing {
    struct weir_msg msg; /* cause: sequence of the EFFECT record that this is about */
    uint32_t order;
    uint32_t stage;   /* enum side_stage */
    int64_t after_ns; /* since the input that led there was taken */
};

/* A fingerprint of every message that a journal can hold: changes when one of them changes size. */
uint32_t journal_layout(void);

#endif
