/* folder.h - the folder of a journal: what is in it, and who holds it.
 *
 * The folder is 0700 and its files are 0600. One process at a time writes: it holds a lock on the
 * file `lock`, which the kernel lets go of when the process ends, however it ends. Readers need no
 * lock. [any thread, cold] */
#ifndef WEIR_JOURNAL_FOLDER_H
#define WEIR_JOURNAL_FOLDER_H

#include "journal/format.h"

enum { SEGMENT_NAME_MAX = 24 };

/* "00000001.weir" */
void segment_name(uint32_t number, char name[SEGMENT_NAME_MAX]);

/* Open a folder to read; *fd_out is the caller's to close. E_NOT_FOUND: there is none. */
enum weir_err folder_open(const char *path, int *fd_out, struct why *why) WEIR_MUST_USE;

/* Make it if it is not there, and see that nobody else can write in it. */
enum weir_err folder_prepare(const char *path, int *fd_out, struct why *why) WEIR_MUST_USE;

/* How many segments there are: 1 .. count, without a hole and without a stranger among them. */
enum weir_err folder_segments(int folder, uint32_t *count_out, struct why *why) WEIR_MUST_USE;

struct journal_lock; /* held until it is given back */

/* E_STATE: another process has it; why names it. */
enum weir_err journal_lock(const char *path, struct journal_lock **lock_out,
                           struct why *why) WEIR_MUST_USE;
void journal_unlock(struct journal_lock *lock); /* accepts NULL */

/* The machine's boot, from the kernel; zeros if it does not tell. */
void boot_id(unsigned char id[BOOT_ID_BYTES]);

#endif
