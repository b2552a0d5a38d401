/* zygote.h - the process from which cells are forked.
 *
 * It is forked before the host has keys, configuration, sockets or threads, so its children have
 * none of them either: what was never there cannot leak. It holds one socket, forks when it is asked
 * to, tells of deaths, and dies with the host; so do the cells. A second one like it waits, in case
 * that somebody kills the first: then the cells are gone, but not the way to make new ones. Private
 * to host/script.                                                       [the owner's thread] */
#ifndef WEIR_SCRIPT_ZYGOTE_H
#define WEIR_SCRIPT_ZYGOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/why.h"

struct zygote;

/* Call it while the process has one thread. E_UNSUPPORTED: process cells cannot be had here; why
 * names what is missing. */
enum weir_err zygote_start(struct zygote **zygote_out, struct why *why) WEIR_MUST_USE;
void zygote_stop(struct zygote *zygote); /* kills it, and with it every cell; accepts NULL */

/* After its death: the one that waited takes its place, and makes one that waits. False: there is
 * none, or three have died within ten minutes; ask again later. */
bool zygote_renew(struct zygote *zygote);

struct spawn {
    int channel, board, parcel, bell; /* borrowed; the cell gets copies */
    size_t parcel_len;
    int nice; /* 0..19 */
};
enum weir_err zygote_spawn(struct zygote *zygote, const struct spawn *spawn, pid_t *pid_out,
                           int *pidfd_out, struct why *why) WEIR_MUST_USE;

/* Readable: a cell died, or the zygote did. Another one after zygote_renew(); -1: it is dead. */
int zygote_fd(const struct zygote *zygote);
/* The next cell that died, and its wait status. False: none. */
bool zygote_death(struct zygote *zygote, pid_t *pid_out, int *status_out);
bool zygote_lives(const struct zygote *zygote);

#endif
