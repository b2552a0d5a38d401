/* container.h - the bytes of a file, whatever they are packed in: gzip, xz, zstd, zip, or nothing.
 *
 * What a file is packed in shows in its first bytes; its name is not asked. Of a zip all files
 * are read, as its list has them. A damaged or cut file gives all that is whole before the damage, and then one error
 * that names the file, the byte, what was expected and what was found. It streams: memory does not
 * grow with the file. [one thread at a time] */
#ifndef WEIR_SIM_CONTAINER_H
#define WEIR_SIM_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

struct container;

/* NULL: why says what. Only regular files are opened. */
struct container *container_open(const char *path, struct why *why);
void container_close(struct container *container); /* accepts NULL */

/* Up to `room` bytes; 0 bytes: the end. After an error, the same error again. */
enum weir_err container_read(struct container *container, char *to, size_t room, size_t *len_out,
                             struct why *why) WEIR_MUST_USE;

uint64_t container_taken(const struct container *container); /* packed bytes read so far */
const char *container_kind(
    const struct container *container); /* "gzip", "xz", "zstd", "zip", "plain" */

#endif
