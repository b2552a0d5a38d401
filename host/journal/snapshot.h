/* snapshot.h - what the engine was at one place of its journal, so that a restart reads the rest only.
 *
 * A snapshot is never needed and never trusted: the journal is the truth. It is used when
 *   - every byte of it is as it was written (SHA-256 of the whole file);
 *   - it was written by the same engine code, with the same layout and sizes;
 *   - the journal's own head tells the hash with which the snapshot's segment began, and the records
 *     from there to its place give the hash, and the counts, that it was taken at.
 * What is not so is told in the log, and an older one is tried, then all of the journal is read.
 * Old segments stay where they are; a host that began at a snapshot reads them beside its work and
 * tells of damage, and `weir replay --verify` reads them all.
 *
 * FILE      NNNN.snapshot, named by its sequence; written under another name, synced, renamed.
 *             0  struct snapshot_head
 *             .  runs: u32 first line, u32 count (lines of 64 bytes), then these lines; what no run
 *                has is zero. A run of count 0 ends them.
 *             .  SHA-256 of all before
 *
 * WRITING   A second engine in a thread of the lowest priority reads behind the journal, applies
 *           what the first one applied, compares the effects, and is written when enough has come.
 *           So the engine thread never waits for it, not even for a copy; it costs the memory of
 *           what the engine holds once more, and finds it out if the two ever differ. (fork() would
 *           stop the engine for the copy of its page tables and then fault on each write; a copy on
 *           the engine thread stops it for milliseconds.) [snapshotter.c] */
#ifndef WEIR_JOURNAL_SNAPSHOT_H
#define WEIR_JOURNAL_SNAPSHOT_H

#include "engine/engine.h"
#include "journal/journal.h"
#include "journal/reader.h"

enum { SNAPSHOT_VERSION = 1, SNAPSHOT_NAME_MAX = 32, SNAPSHOTS_KEPT = 2 };

struct snapshot_head {
    char magic[8];
    uint32_t version;
    uint32_t messages; /* journal_layout() */
    uint64_t layout;   /* engine_layout() */
    uint64_t sources;  /* snapshot_engine_sources */
    uint64_t journal;  /* number of the journal that it is of */
    uint64_t bytes;    /* of the image */
    struct engine_sizes sizes;
    uint32_t pad;
    struct reader_mark begin; /* of the segment */
    struct reader_mark at;    /* the effects of the last input before it are all there */
};

extern const uint64_t snapshot_engine_sources; /* of the code in this build */

/* Read a journal to where its newest good snapshot is, and put that into the engine; without one,
 * the engine is new and nothing is read yet. `engine`: at the beginning of an anonymous mapping of
 * its own. seq_out: of the snapshot, 0: none.                          [main thread, or follower] */
enum weir_err snapshot_resume(const char *folder, const struct engine_sizes *sizes,
                              struct engine *engine, const struct reader_options *options,
                              struct reader **reader_out, uint64_t *seq_out,
                              struct why *why) WEIR_MUST_USE;

/* Write what the engine is, where the reader is: between an input's last effect and the next input.
 * floor: bytes of the disk that must be free afterwards. E_FULL: they would not be. */
enum weir_err snapshot_write(const char *folder, const struct reader *reader,
                             const struct engine_sizes *sizes, struct engine *engine,
                             uint64_t floor, struct why *why) WEIR_MUST_USE;

/* "00000000000000004711.snapshot" */
void snapshot_name(uint64_t seq, char name[SNAPSHOT_NAME_MAX]);

/* --- beside a running host --------------------------------------------------------------------- */

struct snapshots_config {
    const char *folder;
    struct engine_sizes sizes;
    uint64_t every;                /* bytes of messages between two of them */
    uint64_t floor;                /* bytes of the disk that must stay free */
    const struct journal *journal; /* NULL: all that can be read is durable (tests) */
};

struct snapshotter;
enum weir_err snapshotter_start(const struct snapshots_config *config,
                                struct snapshotter **snapshotter_out,
                                struct why *why) WEIR_MUST_USE; /* [main thread] */
void snapshotter_stop(struct snapshotter *snapshotter); /* before the journal ends; accepts NULL */

#endif
