/* Snapshots: what they hold is what a full replay gives, and what is wrong with one is never used. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "journal/follower.h"
#include "journal/replay.h"
#include "journal/snapshot.h"
#include "journal/support_world.h"

static void begin(struct world *world, const struct folder *folder)
{
    struct why why;
    struct journal_lock *lock;
    world_open(world, folder, JOURNAL_NEVER);
    cr_assert(journal_lock(folder->path, &lock, &why) == WEIR_OK, "%s", why.text);
    cr_assert(journal_open(&world->options, lock, NULL, &world->journal, &why) == WEIR_OK, "%s",
              why.text);
    world_define(world);
}

/* SHA-256 of all that an engine is. */
struct digest {
    unsigned char sum[32];
};

static struct digest digest_of(struct engine *engine, const struct engine_sizes *sizes)
{
    struct digest digest;
    struct sha256 *sha = sha256_create();
    engine_freeze(engine);
    sha256_add(sha, engine, engine_image_bytes(sizes));
    engine_thaw(engine);
    sha256_value(sha, digest.sum);
    sha256_destroy(sha);
    return digest;
}

static bool same(struct digest a, struct digest b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Read what is there into an engine, from the newest snapshot if it may be used. */
struct state {
    struct engine_home home;
    struct engine_sizes sizes;
    struct reader *reader;
    struct effects effects;
    uint64_t snapshot; /* where it began; 0: at the beginning */
    uint64_t inputs;   /* applied since */
};

static void state_begin(struct state *state, const struct folder *folder,
                        const struct engine_sizes *sizes)
{
    struct why why;
    struct reader_options options = {0};
    *state = (struct state){.sizes = *sizes};
    cr_assert(engine_home_init(&state->home, sizes, &why) == WEIR_OK);
    effects_init(&state->effects);
    enum weir_err err = snapshot_resume(folder->path, sizes, state->home.engine, &options,
                                        &state->reader, &state->snapshot, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
}

static void state_go(struct state *state, uint64_t most)
{
    struct why why;
    struct journal_record record;
    enum weir_err err;
    while (state->inputs < most &&
           (err = reader_next(state->reader, &record, &why)) != WEIR_E_NOT_FOUND) {
        cr_assert(err == WEIR_OK, "%s", why.text);
        if (record.class == JOURNAL_EFFECT)
            (void)effects_next(&state->effects);
        if (record.class != JOURNAL_INPUT)
            continue;
        cr_assert(!effects_next(&state->effects));
        effects_clear(&state->effects);
        engine_apply(state->home.engine, record.msg, record.seq, &state->effects.sink);
        state->inputs++;
    }
    while (state->effects.at < state->effects.len) { /* up to the last effect of that input */
        if (reader_next(state->reader, &record, &why) != WEIR_OK)
            break; /* the process died before it */
        (void)effects_next(&state->effects);
    }
}

static struct digest state_end(struct state *state)
{
    struct digest digest = digest_of(state->home.engine, &state->sizes);
    reader_close(state->reader);
    effects_fini(&state->effects);
    engine_home_fini(&state->home);
    return digest;
}

static struct digest state_of(const struct folder *folder, const struct engine_sizes *sizes,
                              uint64_t *snapshot_out)
{
    struct state state;
    state_begin(&state, folder, sizes);
    state_go(&state, UINT64_MAX);
    *snapshot_out = state.snapshot;
    return state_end(&state);
}

static uint64_t write_after(const struct folder *folder, const struct engine_sizes *sizes,
                            uint64_t inputs)
{
    struct why why;
    struct state state;
    struct journal_extent extent;
    state_begin(&state, folder, sizes);
    state_go(&state, inputs);
    reader_extent(state.reader, &extent);
    enum weir_err err =
        snapshot_write(folder->path, state.reader, sizes, state.home.engine, 0, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    (void)state_end(&state);
    return extent.end.seq;
}

static void quiet(void)
{
    static FILE *nowhere;
    nowhere = fopen("/dev/null", "w");
    log_to(nowhere, false, LOG_ERROR);
}

/* --- what it holds ------------------------------------------------------------------------------ */

Test(snapshot, with_the_rest_it_is_what_a_full_replay_gives, .init = quiet)
{
    struct folder folder = folder_new();
    struct engine_sizes sizes = world_sizes();
    struct world world;
    uint64_t dice = 7, at, none;
    begin(&world, &folder);
    world_play(&world, 3000);
    struct digest first = digest_of(world.home.engine, &sizes);
    world_play(&world, 1000);
    struct digest live = digest_of(world.home.engine, &sizes);
    cr_assert(!same(first, live));
    (void)world_close(&world);
    cr_assert(same(state_of(&folder, &sizes, &none), live) && none == 0);
    for (int i = 0; i < 12; i++) {
        struct folder copy = folder_new();
        folder_copy(&folder, &copy);
        uint64_t seq = write_after(&copy, &sizes, 1 + random_below(&dice, 4000));
        struct digest rest = state_of(&copy, &sizes, &at);
        cr_assert(at == seq, "snapshot of %lu, begun at %lu", seq, at);
        cr_assert(same(rest, live), "from %lu on", at);
        folder_remove(&copy);
    }
    folder_remove(&folder);
}

Test(snapshot, an_image_holds_no_address)
{
    struct engine_sizes sizes = world_sizes();
    struct folder folder = folder_new();
    struct world world;
    begin(&world, &folder);
    world_play(&world, 2000);
    uintptr_t from = (uintptr_t)world.home.memory, to = from + world.home.bytes;
    struct engine *engine = world.home.engine;
    engine_freeze(engine);
    const uint64_t *words = (const uint64_t *)(const void *)engine;
    for (size_t i = 0; i < engine_image_bytes(&sizes) / 8; i++)
        cr_assert(words[i] < from || words[i] >= to, "offset %zu: an address", 8 * i);
    engine_thaw(engine);
    (void)world_close(&world);
    folder_remove(&folder);
}

Test(snapshot, an_engine_takes_memory_for_what_it_holds_only)
{
    struct engine_sizes sizes = engine_sizes_default();
    struct engine_home home;
    struct why why;
    unsigned char resident[1 << 16];
    size_t pages = engine_bytes(&sizes) / 4096, in_use = 0;
    cr_assert(pages < sizeof resident);
    home.bytes = pages * 4096 + 4096;
    home.memory =
        mmap(NULL, home.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(home.memory != MAP_FAILED && madvise(home.memory, home.bytes, MADV_NOHUGEPAGE) == 0);
    struct arena arena = {home.memory, (unsigned char *)home.memory + home.bytes};
    cr_assert_not_null(engine_create(&arena, &sizes));
    cr_assert(mincore(home.memory, pages * 4096, resident) == 0);
    for (size_t i = 0; i < pages; i++)
        in_use += resident[i] & 1;
    cr_expect(in_use < pages / 20, "%zu of %zu pages are touched", in_use, pages);
    engine_home_fini(&home);
    (void)why;
}

/* --- what is not used ----------------------------------------------------------------------------- */

static struct engine_sizes small_sizes(void)
{
    return (struct engine_sizes){.orders = 8,
                                 .executions = 8,
                                 .client_ids = 16,
                                 .instruments = 2,
                                 .strategies = 2,
                                 .venues = 2,
                                 .accounts = 2,
                                 .assets = 4,
                                 .positions = 8};
}

/* A small journal and a snapshot in its middle. */
static uint64_t small_journal(const struct folder *folder, char name[SNAPSHOT_NAME_MAX])
{
    struct why why;
    struct world world;
    struct journal_lock *lock;
    struct engine_sizes sizes = small_sizes();
    world_open(&world, folder, JOURNAL_NEVER);
    engine_home_fini(&world.home);
    cr_assert(engine_home_init(&world.home, &sizes, &why) == WEIR_OK);
    world.options.sizes = sizes;
    cr_assert(journal_lock(folder->path, &lock, &why) == WEIR_OK);
    cr_assert(journal_open(&world.options, lock, NULL, &world.journal, &why) == WEIR_OK);
    world_define(&world);
    world_play(&world, 60);
    (void)world_close(&world);
    uint64_t seq = write_after(folder, &sizes, 50);
    snapshot_name(seq, name);
    return seq;
}

static uint64_t begun_at(const struct folder *folder)
{
    uint64_t at;
    struct engine_sizes sizes = small_sizes();
    (void)state_of(folder, &sizes, &at);
    return at;
}

Test(snapshot, damage_to_any_byte_of_it_is_refused, .init = quiet, .timeout = 60)
{
    char name[SNAPSHOT_NAME_MAX];
    struct folder folder = folder_new();
    struct engine_sizes sizes = small_sizes();
    uint64_t seq = small_journal(&folder, name), at;
    cr_assert(begun_at(&folder) == seq);
    struct bytes bytes = file_read(&folder, name);
    struct engine_home home;
    struct reader_options options = {0};
    struct why why;
    cr_assert(engine_home_init(&home, &sizes, &why) == WEIR_OK);
    struct digest empty = digest_of(home.engine, &sizes);
    for (size_t i = 0; i < bytes.len; i++) {
        struct reader *reader;
        file_flip(&folder, name, i, (unsigned char)(1u << i % 8));
        cr_assert(snapshot_resume(folder.path, &sizes, home.engine, &options, &reader, &at, &why) ==
                  WEIR_OK);
        cr_assert(at == 0, "offset %zu of %zu: accepted", i, bytes.len);
        cr_assert(i % 64 != 0 || same(digest_of(home.engine, &sizes), empty),
                  "offset %zu: rubbish was left", i);
        reader_close(reader);
        file_flip(&folder, name, i, (unsigned char)(1u << i % 8));
    }
    engine_home_fini(&home);
    for (size_t len = 0; len < bytes.len; len += 1 + len / 8) {
        file_write(&folder, name, bytes.data, len);
        cr_assert(begun_at(&folder) == 0, "cut at %zu: accepted", len);
    }
    bytes.data[bytes.len] = 0; /* there is room for one more */
    file_write(&folder, name, bytes.data, bytes.len + 1);
    cr_expect(begun_at(&folder) == 0, "one byte more: accepted");
    file_write(&folder, name, bytes.data, bytes.len);
    cr_expect(begun_at(&folder) == seq);
    free(bytes.data);
    folder_remove(&folder);
}

/* One that is whole, with another head: its sum is right again. */
static void write_with_sum(const struct folder *folder, const char *name, struct bytes bytes)
{
    struct sha256 *sha = sha256_create();
    sha256_add(sha, bytes.data, bytes.len - 32);
    sha256_value(sha, bytes.data + bytes.len - 32);
    sha256_destroy(sha);
    file_write(folder, name, bytes.data, bytes.len);
}

Test(snapshot, one_of_another_build_journal_or_place_is_refused, .init = quiet)
{
    static const struct {
        const char *what;
        size_t offset;
    } heads[] = {
        {"version", offsetof(struct snapshot_head, version)},
        {"messages", offsetof(struct snapshot_head, messages)},
        {"layout", offsetof(struct snapshot_head, layout)},
        {"engine code", offsetof(struct snapshot_head, sources)},
        {"journal", offsetof(struct snapshot_head, journal)},
        {"size of the image", offsetof(struct snapshot_head, bytes)},
        {"sizes", offsetof(struct snapshot_head, sizes)},
        {"hash of the beginning", offsetof(struct snapshot_head, begin.hash)},
        {"sequence of the beginning", offsetof(struct snapshot_head, begin.place.seq)},
        {"segment", offsetof(struct snapshot_head, begin.place.segment)},
        {"hash of its place", offsetof(struct snapshot_head, at.hash)},
        {"offset of its place", offsetof(struct snapshot_head, at.place.offset)},
        {"segment of its place", offsetof(struct snapshot_head, at.place.segment)},
        {"sequence of its place", offsetof(struct snapshot_head, at.place.seq)},
        {"count of inputs", offsetof(struct snapshot_head, at.inputs)},
        {"count of effects", offsetof(struct snapshot_head, at.effects)},
    };
    char name[SNAPSHOT_NAME_MAX], other_name[SNAPSHOT_NAME_MAX];
    struct folder folder = folder_new(), other = folder_new();
    uint64_t seq = small_journal(&folder, name);
    struct bytes bytes = file_read(&folder, name);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        bytes.data[heads[i].offset] ^= 8;
        write_with_sum(&folder, name, bytes);
        cr_expect(begun_at(&folder) == 0, "another %s: accepted", heads[i].what);
        bytes.data[heads[i].offset] ^= 8;
    }
    write_with_sum(&folder, name, bytes);
    cr_expect(begun_at(&folder) == seq);
    cr_assert(small_journal(&other, other_name) == seq, "the same play has the same places");
    file_write(&other, other_name, bytes.data, bytes.len);
    cr_expect(begun_at(&other) == 0, "of another journal: accepted");
    free(bytes.data);
    folder_remove(&folder);
    folder_remove(&other);
}

Test(snapshot, a_bad_one_leaves_the_older_one_and_old_ones_go, .init = quiet)
{
    char name[SNAPSHOT_NAME_MAX], path[400];
    uint64_t seq[4] = {0}, at;
    struct folder folder = folder_new();
    struct engine_sizes sizes = world_sizes();
    struct world world;
    begin(&world, &folder);
    world_play(&world, 1500);
    (void)world_close(&world);
    struct digest all = state_of(&folder, &sizes, &at);
    for (uint64_t i = 0; i < 4; i++)
        seq[i] = write_after(&folder, &sizes, 300);
    for (size_t i = 0; i < 4; i++) {
        snapshot_name(seq[i], name);
        snprintf(path, sizeof path, "%s/%s", folder.path, name);
        cr_expect((access(path, F_OK) == 0) == (i >= 4 - SNAPSHOTS_KEPT), "%s", path);
    }
    cr_expect(same(state_of(&folder, &sizes, &at), all) && at == seq[3]);
    file_flip(&folder, name, 1000, 1);
    cr_expect(same(state_of(&folder, &sizes, &at), all) && at == seq[2], "begun at %lu", at);
    snapshot_name(seq[2], name);
    file_flip(&folder, name, 1000, 1);
    cr_expect(same(state_of(&folder, &sizes, &at), all) && at == 0, "begun at %lu", at);
    folder_remove(&folder);
}

Test(snapshot, one_of_records_that_the_journal_lost_is_refused, .init = quiet)
{
    char name[SNAPSHOT_NAME_MAX];
    struct folder folder = folder_new(), cut = folder_new();
    struct engine_sizes sizes = small_sizes();
    uint64_t seq = small_journal(&folder, name), at;
    struct bytes journal = file_read(&folder, "00000001.weir");
    struct bytes snapshot = file_read(&folder, name);
    const struct snapshot_head *head = (const struct snapshot_head *)(void *)snapshot.data;
    struct segment_head *first = (struct segment_head *)(void *)journal.data;
    first->durable = 0; /* nothing was durable: the end may be lost */
    size_t end = head->at.place.offset - 8;
    memset(journal.data + end, 0, journal.len - end);
    file_write(&cut, "00000001.weir", journal.data, journal.len);
    struct digest rest = state_of(&cut, &sizes, &at);
    file_write(&cut, name, snapshot.data, snapshot.len);
    cr_expect(same(state_of(&cut, &sizes, &at), rest) && at == 0, "begun at %lu of %lu", at, seq);
    free(journal.data);
    free(snapshot.data);
    folder_remove(&folder);
    folder_remove(&cut);
}

/* --- beside a running host ------------------------------------------------------------------------- */

static uint64_t newest(const struct folder *folder, uint64_t most)
{
    char path[400], name[SNAPSHOT_NAME_MAX];
    for (uint64_t seq = most; seq > 0; seq--) {
        snapshot_name(seq, name);
        snprintf(path, sizeof path, "%s/%s", folder->path, name);
        if (access(path, F_OK) == 0)
            return seq;
    }
    return 0;
}

Test(snapshot, beside_a_running_host_one_is_written_and_the_next_start_uses_it, .init = quiet)
{
    struct why why;
    struct journal_extent extent;
    struct folder folder = folder_new();
    struct engine_sizes sizes = world_sizes();
    struct snapshotter *snapshotter;
    struct world world;
    uint64_t at = 0, none;
    begin(&world, &folder);
    world_play(&world, 500);
    struct snapshots_config config = {
        .folder = folder.path, .sizes = sizes, .every = 100000, .journal = NULL};
    cr_assert(snapshotter_start(&config, &snapshotter, &why) == WEIR_OK, "%s", why.text);
    for (int i = 0; i < 400 && (at = newest(&folder, world.input)) == 0; i++) {
        world_play(&world, 20);
        usleep(10000);
    }
    snapshotter_stop(snapshotter);
    cr_assert(at > 0, "no snapshot was written");
    world_play(&world, 100);
    struct digest live = digest_of(world.home.engine, &sizes);
    world_kill(&world);
    cr_expect(same(state_of(&folder, &sizes, &none), live));

    cr_assert(engine_home_init(&world.home, &sizes, &why) == WEIR_OK);
    enum weir_err err =
        journal_restart(&world.options, world.home.engine, &world.journal, &extent, &why);
    cr_assert(err == WEIR_OK, "%s", why.text);
    cr_expect(same(digest_of(world.home.engine, &sizes), live));
    world_play(&world, 100);
    struct journal_summary summary = world_close(&world);
    struct reading all = read_all(&folder, NULL); /* its hash and counts went on, too */
    cr_expect(all.err == WEIR_E_NOT_FOUND && all.extent.inputs == summary.inputs &&
              all.extent.effects == summary.effects &&
              memcmp(all.extent.hash, summary.hash, sizeof summary.hash) == 0);
    folder_remove(&folder);
}

/* Damage that a start at a snapshot does not meet is found beside the running host. */
Test(snapshot, what_came_before_the_snapshot_is_read_after_the_start)
{
    struct why why;
    struct journal_extent extent;
    struct folder folder = folder_new();
    struct engine_sizes sizes = world_sizes();
    struct snapshotter *snapshotter;
    struct world world;
    char said[2000] = "";
    begin(&world, &folder);
    world_play(&world, 4000);
    (void)world_close(&world);
    (void)write_after(&folder, &sizes, 3500);
    FILE *log = tmpfile();
    log_to(log, false, LOG_INFO);
    for (int damaged = 0; damaged < 2; damaged++) {
        cr_assert(engine_home_init(&world.home, &sizes, &why) == WEIR_OK);
        enum weir_err err =
            journal_restart(&world.options, world.home.engine, &world.journal, &extent, &why);
        cr_assert(err == WEIR_OK && extent.segments > 2, "%s", why.text);
        struct snapshots_config config = {
            .folder = folder.path, .sizes = sizes, .every = 1 << 30, .journal = NULL};
        cr_assert(snapshotter_start(&config, &snapshotter, &why) == WEIR_OK, "%s", why.text);
        for (int i = 0; i < (damaged ? 300 : 30) && !strstr(said, "is damaged"); i++) {
            usleep(10000);
            fflush(log);
            rewind(log);
            said[fread(said, 1, sizeof said - 1, log)] = '\0';
        }
        snapshotter_stop(snapshotter);
        (void)world_close(&world);
        cr_expect(damaged == (strstr(said, "is damaged") != NULL), "%d: %s", damaged, said);
        file_flip(&folder, "00000001.weir", 20000, 4);
    }
    cr_expect(strstr(said, "00000001.weir"), "%s", said);
    log_to(stderr, false, LOG_INFO);
    fclose(log);
    folder_remove(&folder);
}
