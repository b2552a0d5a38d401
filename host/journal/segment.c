/* segment.c - making a segment, and the words in its head.
 *
 * Each word is one store of 8 aligned bytes with release, after what it speaks for: whoever finds
 * the word finds the rest, after any kill. The disk gets them with the next sync. */
#include "journal/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

static struct segment_head *head_of(struct segment *segment)
{
    return (struct segment_head *)(void *)segment->map;
}

static void new_name(uint32_t number, char name[SEGMENT_NAME_MAX])
{
    snprintf(name, SEGMENT_NAME_MAX, "%08u.weir.new", (unsigned)number);
}

static void write_identity(const struct segment_maker *maker, struct segment *segment)
{
    struct clock clock = clock_real();
    struct segment_id id = {
        .magic = {'w', 'e', 'i', 'r', 'j', 'r', 'n', 'l'},
        .version = JOURNAL_VERSION,
        .number = segment->number,
        .bytes = segment->bytes,
        .journal = maker->journal,
        .created = clock_wall(&clock),
        .instance = maker->instance,
    };
    memcpy(id.boot, maker->boot, sizeof id.boot);
    id.crc = segment_id_crc(&id);
    segment->seed = id.crc;
    head_of(segment)->id = id;
}

static enum weir_err no_room(struct why *why, int error, const char *name, const char *what)
{
    return because(why, WEIR_E_FULL, "%s: cannot %s: %s", name, what, strerror(error));
}

static enum weir_err no_sync(struct why *why, int error, const char *name, const char *what)
{
    return because(why, WEIR_E_IO, "%s: cannot bring %s to the disk: %s", name, what,
                   strerror(error));
}

static enum weir_err make_file(const struct segment_maker *maker, struct segment *segment,
                               struct why *why)
{
    char name[SEGMENT_NAME_MAX];
    void *map = NULL;
    const struct journal_io *io = maker->io;
    new_name(segment->number, name);
    (void)io->remove(io->context, maker->folder, name); /* of a process that died here */

    int error = io->open(io->context, maker->folder, name, &segment->fd);
    if (error != 0)
        return no_room(why, error, name, "make the file");
    error = io->allocate(io->context, segment->fd, segment->bytes);
    if (error != 0)
        return no_room(why, error, name, "get room on the disk");
    error = io->map(io->context, segment->fd, segment->bytes, &map);
    if (error != 0)
        return no_room(why, error, name, "map the file");
    segment->map = map;
    return WEIR_OK;
}

enum weir_err segment_create(const struct segment_maker *maker, uint32_t number,
                             struct segment **segment_out, struct why *why)
{
    struct segment *segment = aligned_alloc(_Alignof(struct segment), sizeof *segment);
    if (!segment)
        return because(why, WEIR_E_NO_MEMORY, "no memory for a segment");
    *segment = (struct segment){.bytes = maker->bytes, .number = number, .fd = -1};
    segment->filled = segment->hashed = segment->synced = SEGMENT_HEAD;
    enum weir_err err = make_file(maker, segment, why);
    if (err != WEIR_OK) {
        segment_discard(maker, segment);
        return err;
    }
    write_identity(maker, segment);
    *segment_out = segment;
    return WEIR_OK;
}

bool segment_touch(const struct segment_maker *maker, struct segment *segment, uint64_t bytes)
{
    uint64_t left = segment->bytes - segment->touched;
    if (left == 0)
        return false;
    uint64_t take = bytes < left ? bytes : left;
    /* not vital: an error leaves the fault to whoever writes there first */
    (void)maker->io->touch(maker->io->context, segment->map + segment->touched, take);
    segment->touched += take;
    return true;
}

enum weir_err segment_name_it(const struct segment_maker *maker, struct segment *segment,
                              struct why *why)
{
    char from[SEGMENT_NAME_MAX], to[SEGMENT_NAME_MAX];
    const struct journal_io *io = maker->io;
    new_name(segment->number, from);
    segment_name(segment->number, to);
    int error = io->sync(io->context, segment->map, SEGMENT_HEAD, SEGMENT_HEAD);
    if (error != 0)
        return no_sync(why, error, from, "its head");
    error = io->rename(io->context, maker->folder, from, to);
    if (error != 0)
        return no_room(why, error, from, "rename it");
    segment->named = true;
    error = io->sync_folder(io->context, maker->folder);
    if (error != 0)
        return no_sync(why, error, to, "its name");
    return WEIR_OK;
}

/* --- words ----------------------------------------------------------------------------------- */

static void store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

void segment_begin(struct segment *segment, uint64_t first_seq, uint64_t before_end,
                   uint64_t before_cut)
{
    struct segment_link *link = &head_of(segment)->link;
    must(link->word == 0);
    link->first_seq = first_seq;
    link->before_end = before_end;
    link->before_cut = before_cut;
    store(&link->word, segment_link_word(link, segment->seed));
}

void segment_set_next(struct segment *segment)
{
    store(&head_of(segment)->next, word_of(segment->seed, 'n', segment->number + 1));
}

void segment_set_chain(struct segment *segment, const unsigned char hash[JOURNAL_HASH_BYTES])
{
    struct segment_chain *chain = &head_of(segment)->chain;
    memcpy(chain->hash, hash, sizeof chain->hash);
    store(&chain->word, segment_chain_word(chain, segment->seed));
}

void segment_set_durable(struct segment *segment, uint64_t offset)
{
    store(&head_of(segment)->durable, word_of(segment->seed, 'd', (uint32_t)(offset / 8)));
}

/* --- end ------------------------------------------------------------------------------------- */

void segment_destroy(struct segment *segment)
{
    if (!segment)
        return;
    if (segment->map)
        munmap(segment->map, segment->bytes);
    if (segment->fd >= 0)
        close(segment->fd);
    free(segment);
}

void segment_discard(const struct segment_maker *maker, struct segment *segment)
{
    char name[SEGMENT_NAME_MAX];
    const struct journal_io *io = maker->io;
    if (segment->named)
        segment_name(segment->number, name);
    else
        new_name(segment->number, name);
    (void)io->remove(io->context, maker->folder, name);
    segment_destroy(segment);
}
