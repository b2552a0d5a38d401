/* snapshotter.c - the second engine: it reads behind the journal and is written from time to time.
 *
 * BEFORE    A start at a snapshot has not read what came before it. That is read here, once, so that
 *           damage to any byte of a journal is still found, by the host itself. [read_before]
 * WHEN      It is at the end of what can be read, between two inputs, and what it read is durable:
 *           a snapshot never tells of what a power loss may still take. [write_if_due]
 * WRONG     What the second engine says is compared with what the first one said. If they differ,
 *           there are no snapshots any more, and the operator is told: one of the two is wrong, and
 *           `weir replay --verify` will say where. [take_effect] */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "journal/engine_home.h"
#include "journal/follower.h"
#include "journal/snapshot.h"

enum { EACH_MS = 50, RECORDS = 4096, AFTER_ERROR_MS = 60000, FULL_MS = 5000 };

struct snapshotter {
    struct snapshots_config config;
    char folder[512];
    struct engine_home home;
    struct effects effects;
    struct reader *reader;
    struct follower follower;
    uint64_t since;   /* bytes of messages since the last one */
    uint64_t seq;     /* of the last record */
    bool told;        /* the last error */
    bool read_before; /* once is enough */
    uint32_t before;  /* segments before this one are to be read; 0: none */
};

static enum weir_err take_input(struct snapshotter *s, const struct journal_record *record,
                                struct why *why)
{
    if (effects_next(&s->effects))
        return because(why, WEIR_E_STATE, "sequence %llu: an effect of the input before is missing",
                       (unsigned long long)record->seq);
    effects_clear(&s->effects);
    engine_apply(s->home.engine, record->msg, record->seq, &s->effects.sink);
    return s->effects.failed ? because(why, WEIR_E_NO_MEMORY, "no memory for effects") : WEIR_OK;
}

static enum weir_err take_effect(struct snapshotter *s, const struct journal_record *record,
                                 struct why *why)
{
    const struct weir_msg *again = effects_next(&s->effects);
    if (again && again->size == record->msg->size && memcmp(again, record->msg, again->size) == 0)
        return WEIR_OK;
    return because(why, WEIR_E_STATE,
                   "sequence %llu: the journalled effect is not what its input leads to",
                   (unsigned long long)record->seq);
}

static enum weir_err take(struct snapshotter *s, const struct journal_record *record,
                          struct why *why)
{
    s->since += record->msg->size;
    s->seq = record->seq;
    return record->class == JOURNAL_INPUT    ? take_input(s, record, why)
           : record->class == JOURNAL_EFFECT ? take_effect(s, record, why)
                                             : WEIR_OK;
}

static enum weir_err begin(struct snapshotter *s, struct why *why)
{
    struct reader_options options = {.follow = true};
    uint64_t seq;
    enum weir_err err = engine_home_init(&s->home, &s->config.sizes, why);
    effects_init(&s->effects);
    if (err == WEIR_OK)
        err = snapshot_resume(s->folder, &s->config.sizes, s->home.engine, &options, &s->reader,
                              &seq, why);
    s->since = 0;
    if (err == WEIR_OK && seq != 0 && !s->read_before) {
        struct journal_extent extent;
        reader_extent(s->reader, &extent);
        s->before = extent.end.segment;
        s->read_before = true;
    }
    return err;
}

/* All segments before the one that the snapshot is in. False: it is time to stop. */
static bool read_before(struct snapshotter *s, uint32_t segment)
{
    struct why why;
    struct reader *reader;
    struct journal_record record;
    struct journal_extent extent = {0};
    enum weir_err err = reader_open(s->folder, NULL, &reader, &why);
    if (err != WEIR_OK)
        return true; /* the next look at the journal tells */
    bool go_on = true;
    for (uint32_t n = 1; go_on && err == WEIR_OK && extent.segments < segment; n++) {
        err = reader_next(reader, &record, &why);
        reader_extent(reader, &extent);
        if (n % RECORDS == 0)
            go_on = follower_sleep(&s->follower, 0);
    }
    reader_close(reader);
    if (go_on && err != WEIR_OK)
        log_line(
            LOG_ERROR, "journal",
            "what came before the snapshot that this host began at is damaged; its state is that "
            "of the snapshot, and the journal cannot be replayed: %s",
            why.text);
    return go_on;
}

static void end(struct snapshotter *s)
{
    reader_close(s->reader);
    s->reader = NULL;
    effects_fini(&s->effects);
    s->effects = (struct effects){0};
    engine_home_fini(&s->home);
}

/* To the end of what is there now; false: it is time to stop. */
static bool catch_up(struct snapshotter *s, enum weir_err *err, struct why *why)
{
    struct journal_record record;
    *err = WEIR_OK;
    for (uint32_t n = 1; *err == WEIR_OK; n++) {
        *err = reader_next(s->reader, &record, why);
        if (*err == WEIR_OK)
            *err = take(s, &record, why);
        if (n % RECORDS == 0 && !follower_sleep(&s->follower, 0))
            return false;
    }
    if (*err == WEIR_E_NOT_FOUND)
        *err = WEIR_OK;
    return true;
}

static bool is_durable(const struct snapshotter *s)
{
    return !s->config.journal || journal_durable(s->config.journal) >= s->seq;
}

static enum weir_err write_if_due(struct snapshotter *s, struct why *why)
{
    bool whole = s->effects.at == s->effects.len;
    if (s->since < s->config.every || !whole || !reader_is_chained(s->reader))
        return WEIR_OK;
    for (int tries = 0; !is_durable(s); tries++)
        if (tries == 100 || !follower_sleep(&s->follower, 1))
            return WEIR_OK;
    enum weir_err err = snapshot_write(s->folder, s->reader, &s->config.sizes, s->home.engine,
                                       s->config.floor, why);
    if (err == WEIR_OK)
        log_line(LOG_INFO, "journal", "snapshot of sequence %llu is written",
                 (unsigned long long)s->seq);
    s->since = err == WEIR_OK ? 0 : s->since;
    return err;
}

static void tell(struct snapshotter *s, enum weir_err err, const struct why *why)
{
    if (err != WEIR_OK && !s->told)
        log_line(err == WEIR_E_STATE ? LOG_ERROR : LOG_WARN, "journal", "no snapshot: %s%s",
                 why->text,
                 err == WEIR_E_STATE
                     ? "; there will be none until the host starts again: ask weir replay --verify"
                     : "");
    s->told = err != WEIR_OK;
}

static void run(struct follower *follower, void *context)
{
    struct snapshotter *s = context;
    struct why why;
    enum weir_err err;
    int ms = EACH_MS;
    do {
        err = s->reader ? WEIR_OK : begin(s, &why);
        if (err == WEIR_OK && s->before > 0 && !read_before(s, s->before))
            break;
        s->before = 0;
        if (err == WEIR_OK && !catch_up(s, &err, &why))
            break;
        if (err == WEIR_OK)
            err = write_if_due(s, &why);
        tell(s, err, &why);
        ms = err == WEIR_OK ? EACH_MS : err == WEIR_E_FULL ? FULL_MS : AFTER_ERROR_MS;
        if (err != WEIR_OK && err != WEIR_E_FULL)
            end(s); /* and begin anew */
    } while (err != WEIR_E_STATE && follower_sleep(follower, ms));
    end(s);
}

enum weir_err snapshotter_start(const struct snapshots_config *config,
                                struct snapshotter **snapshotter_out, struct why *why)
{
    struct snapshotter *s = calloc(1, sizeof *s);
    if (!s)
        return because(why, WEIR_E_NO_MEMORY, "no memory for snapshots");
    s->config = *config;
    int len = snprintf(s->folder, sizeof s->folder, "%s", config->folder);
    enum weir_err err = (size_t)len < sizeof s->folder
                            ? follower_start(&s->follower, "weir-snapshot", run, s, why)
                            : because(why, WEIR_E_USAGE, "the name of the folder is too long");
    if (err != WEIR_OK) {
        free(s);
        return err;
    }
    *snapshotter_out = s;
    return WEIR_OK;
}

void snapshotter_stop(struct snapshotter *s)
{
    if (!s)
        return;
    follower_stop(&s->follower);
    free(s);
}
