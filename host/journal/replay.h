/* replay.h - runs a journal again.
 *
 * The INPUT records, fed to a new engine, give the EFFECT records again, byte for byte; where they
 * do not, the first difference is told. A process that died between an input and the last of its
 * effects left some effects out: they were not acted on, and are not a difference at the end of a
 * journal that was not closed. [main thread, cold] */
#ifndef WEIR_JOURNAL_REPLAY_H
#define WEIR_JOURNAL_REPLAY_H

#include "base/text.h"
#include "journal/directory.h"
#include "journal/journal.h"

struct engine;

struct replay_report {
    struct journal_extent extent; /* of what was read; its hash is the journal's hash */
    uint64_t replayed;            /* inputs applied */
    uint64_t missing;             /* effects of the last input that the journal does not have */
    bool different;
    uint64_t at;          /* sequence of the first difference */
    struct text recorded; /* that record as a line; "" : there is none */
    struct text again;    /* what the engine says now; "": nothing */
};
void replay_report_init(struct replay_report *report);
void replay_report_fini(struct replay_report *report);

/* What the engine of this journal was made for. E_NOT_FOUND: the journal has no record. E_ABI: it
 * was written by a build with other messages. */
enum weir_err journal_sizes(const char *folder, struct engine_sizes *sizes_out,
                            struct why *why) WEIR_MUST_USE;

/* Run a journal again in an engine of its own and compare (without verify: only run). A difference
 * is an answer, not an error; it stops the run. */
enum weir_err journal_replay(const char *folder, bool verify, struct replay_report *report_out,
                             struct why *why) WEIR_MUST_USE;

/* The start of a host: lock the folder, read it to its end into `engine` (from the newest snapshot on,
 * if there is a good one), and go on with it. `engine`: just created, at the beginning of an anonymous
 * mapping of its own. What
 * the last input's effects lacked is appended, so that the journal is whole; nobody acts on them:
 * IN_RESTARTED, which the host gives next, makes their orders UNKNOWN.
 * options->sizes must be those of the journal, if there is one. extent_out: what was there. */
enum weir_err journal_restart(const struct journal_options *options, struct engine *engine,
                              struct journal **journal_out, struct journal_extent *extent_out,
                              struct why *why) WEIR_MUST_USE;

/* --- with other limits ------------------------------------------------------------------------- */

/* One decision that would have been another one. */
struct whatif_change {
    uint64_t seq; /* of the input that asked */
    weir_ns t;
    const struct out_decision *before; /* as journalled; NULL: the order was not judged then */
    const struct out_decision *after;  /* NULL: not judged now */
};

struct whatif {
    const struct in_limit *limits; /* these instead; scope, id, limit say which */
    size_t count;
    /* Each difference, in order; borrowed until the call returns. */
    void (*change)(void *context, const struct directory *directory,
                   const struct whatif_change *change);
    void *context;
};

struct whatif_report {
    struct journal_extent extent;
    uint64_t decisions;    /* in the journal */
    uint64_t denied_now;   /* allowed then, denied now */
    uint64_t allowed_now;  /* denied then, allowed now */
    uint64_t reason_other; /* denied both times, for another reason */
    uint64_t left_out;     /* inputs about orders that would not have been sent */
};

/* Run the journal with other limits. What the market did stays; what guests asked stays; the
 * venue's answers stay for orders that are still sent and are left out for those that are not; an
 * order that is sent only now gets no answer, and counts at its worst. */
enum weir_err journal_whatif(const char *folder, const struct whatif *whatif,
                             struct whatif_report *report_out, struct why *why) WEIR_MUST_USE;

#endif
