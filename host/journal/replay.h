/* replay.h - runs a journal again: a new engine, fed the recorded inputs.
 *
 * The inputs of a journal give its effects, byte for byte; so a journal proves what the engine did,
 * and the same inputs under other limits show which decisions would have differed. [any thread] */
#ifndef WEIR_JOURNAL_REPLAY_H
#define WEIR_JOURNAL_REPLAY_H

#include "journal/reader.h"

/* A decision that differs: by sequence of the input that asked for it. */
struct replay_difference {
    uint64_t seq;
    const struct out_decision *was; /* borrowed until the call returns; NULL: none was made */
    const struct out_decision *now;
    const struct engine *engine; /* of the replay, for names and places */
};

struct replay_options {
    /* Replace a limit before it is given: change *limit, or leave it. NULL: as recorded. With it,
     * effects are not compared, decisions are. */
    void (*limit)(void *context, const struct engine *engine, struct in_limit *limit);
    void (*differs)(void *context, const struct replay_difference *difference);
    void *context;
};

struct replay_result {
    uint64_t inputs, effects, records;
    uint64_t decisions, differences; /* with other limits */
    bool equal;                      /* every effect as recorded */
    uint64_t first_seq;              /* of the first that differs; 0: none */
    char first[400];                 /* what differs there, in words */
    bool closed;                     /* the journal was ended in good order */
    bool has_hash;
    unsigned char hash[JOURNAL_HASH_BYTES];
};

/* An error: the journal cannot be read. That effects differ is a result, not an error. */
enum weir_err journal_replay(const char *folder, const struct replay_options *options,
                             struct replay_result *result_out, struct why *why) WEIR_MUST_USE;

#endif
