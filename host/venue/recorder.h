/* recorder.h - raw frames of a venue as they came, on the disk: a session that replays from bytes.
 *
 * The engine thread copies each frame into a bounded ring; a thread of the recorder's own writes them,
 * packed by zstd, in the capture form of sim/recording.h: `{"t":"recv","conn":"NAME.ws.1","ts":seconds,
 * "data":"text"}`, so `run --data`, `book` and `backtest` read them. Answers to requests stand as "http".
 *
 * RING    When it is full the frame is dropped, counted, told in the log and in the recording ("lost"): the
 *         engine never waits for a disk.
 * FILES   FOLDER/NAME-TIME-NUMBER.jsonl.zst, of mode 0600; a new one begins when one has segment_bytes, and
 *         the oldest of this venue go when all together have more than disk_bytes.
 * CRASH   What is on its way is flushed each second; a file without an end reads to where it is whole.
 * DISK    After an error frames are dropped and counted, and a new file is tried after a second. */
#ifndef WEIR_VENUE_RECORDER_H
#define WEIR_VENUE_RECORDER_H

#include <stdbool.h>

#include "base/why.h"
#include "weir/plugin.h"

struct recorder_config {
    const char *folder;                 /* made if it is not there; its parent must be */
    const char *name;                   /* of the venue */
    uint64_t segment_bytes, disk_bytes; /* packed */
    uint32_t ring_bytes;                /* a power of two; 0: 16 MiB */
};

struct recorder;

/* NULL: why. [main thread] */
struct recorder *recorder_open(const struct recorder_config *config, struct why *why) WEIR_MUST_USE;
/* Writes what is in the ring. Accepts NULL. [main thread] */
void recorder_close(struct recorder *recorder);

/* t: when it arrived, ns since the epoch.                              [engine thread] */
void recorder_frame(struct recorder *recorder, uint32_t conn, weir_ns t, struct weir_bytes frame);
void recorder_http(struct recorder *recorder, weir_ns t, const char *target,
                   struct weir_bytes body);

struct recorder_counts {
    uint64_t messages, bytes; /* taken, as they came */
    uint64_t dropped;
    uint64_t written, files; /* packed bytes; files begun */
};
struct recorder_counts recorder_counts(const struct recorder *recorder); /* [any thread] */

#endif
