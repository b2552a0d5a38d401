/* replay.c - inputs again, effects compared.
 *
 * The engine tells the effects of an input while it applies it; the records of these effects follow
 * the input's record. So: apply, keep what was said, and compare record by record. [step] */
#include "journal/replay.h"

#include <string.h>

#include "base/log.h"
#include "journal/engine_home.h"
#include "journal/render.h"
#include "journal/snapshot.h"

void replay_report_init(struct replay_report *report)
{
    *report = (struct replay_report){0};
    text_init(&report->recorded);
    text_init(&report->again);
}

void replay_report_fini(struct replay_report *report)
{
    text_fini(&report->recorded);
    text_fini(&report->again);
}

/* --- what a journal was made for -------------------------------------------------------------- */

static enum weir_err layout_check(const struct meta_begin *begin, struct why *why)
{
    if (begin->layout == journal_layout())
        return WEIR_OK;
    return because(
        why, WEIR_E_ABI,
        "the journal was written by a build with other messages (layout %08x, this build "
        "has %08x): read it with that build",
        (unsigned)begin->layout, (unsigned)journal_layout());
}

enum weir_err journal_sizes(const char *folder, struct engine_sizes *sizes_out, struct why *why)
{
    struct reader *reader;
    struct journal_record record;
    struct reader_options options = {.no_hash = true};
    enum weir_err err = reader_open(folder, &options, &reader, why);
    if (err != WEIR_OK)
        return err;
    err = reader_next(reader, &record, why);
    if (err == WEIR_OK) {
        const struct meta_begin *begin = (const struct meta_begin *)(const void *)record.msg;
        *sizes_out = begin->sizes;
        err = layout_check(begin, why);
    }
    reader_close(reader);
    if (err != WEIR_OK)
        while_doing(why, "journal %s", folder);
    return err;
}

/* --- the run ---------------------------------------------------------------------------------- */

struct run {
    struct engine *engine;
    struct effects effects;
    struct directory *directory; /* NULL: nothing will be printed */
    struct replay_report *report;
    bool compare;
    uint64_t input; /* sequence of the last one */
};

static void tell_difference(struct run *run, uint64_t seq, const struct journal_record *recorded,
                            const struct weir_msg *again)
{
    run->report->different = true;
    run->report->at = seq;
    if (recorded && run->directory)
        render_line(run->directory, recorded, &run->report->recorded);
    struct journal_record now = {.seq = seq, .class = JOURNAL_EFFECT, .msg = again};
    if (again && run->directory)
        render_line(run->directory, &now, &run->report->again);
}

static enum weir_err step_input(struct run *run, const struct journal_record *record,
                                struct why *why)
{
    const struct weir_msg *unmatched = run->compare ? effects_next(&run->effects) : NULL;
    if (unmatched) {
        tell_difference(run, record->seq, record, unmatched);
        return WEIR_OK;
    }
    effects_clear(&run->effects);
    if (run->directory && !directory_learn(run->directory, record->msg))
        return because(why, WEIR_E_NO_MEMORY, "no memory for names");
    engine_apply(run->engine, record->msg, record->seq, &run->effects.sink);
    run->report->replayed++;
    run->input = record->seq;
    return run->effects.failed ? because(why, WEIR_E_NO_MEMORY, "no memory for effects") : WEIR_OK;
}

static void step_effect(struct run *run, const struct journal_record *record)
{
    const struct weir_msg *again = effects_next(&run->effects);
    if (run->compare && (!again || again->size != record->msg->size ||
                         memcmp(again, record->msg, again->size) != 0))
        tell_difference(run, record->seq, record, again);
}

static enum weir_err step(struct run *run, const struct journal_record *record, struct why *why)
{
    if (record->class == JOURNAL_INPUT)
        return step_input(run, record, why);
    if (record->class == JOURNAL_EFFECT)
        step_effect(run, record);
    else if (record->msg->kind == META_BEGIN || record->msg->kind == META_RESUMED)
        return layout_check((const struct meta_begin *)(const void *)record->msg, why);
    return WEIR_OK;
}

/* To the end, or to the first difference. What is left in `effects` then is what is missing. */
static enum weir_err go(struct run *run, struct reader *reader, struct why *why)
{
    struct journal_record record;
    enum weir_err err;
    while ((err = reader_next(reader, &record, why)) == WEIR_OK) {
        err = step(run, &record, why);
        if (err != WEIR_OK || run->report->different)
            break;
    }
    reader_extent(reader, &run->report->extent);
    return err == WEIR_E_NOT_FOUND ? WEIR_OK : err;
}

static void count_missing(struct run *run)
{
    size_t at = run->effects.at;
    const struct weir_msg *effect = effects_next(&run->effects);
    if (effect && run->report->extent.closed && run->compare) {
        tell_difference(run, run->report->extent.end.seq + 1, NULL, effect);
        return;
    }
    for (; effect; effect = effects_next(&run->effects))
        run->report->missing++;
    run->effects.at = at;
}

static enum weir_err replay(struct run *run, struct reader *reader, struct why *why)
{
    enum weir_err err = go(run, reader, why);
    if (err == WEIR_OK && !run->report->different)
        count_missing(run);
    return err;
}

enum weir_err journal_replay(const char *folder, bool verify, struct replay_report *report_out,
                             struct why *why)
{
    struct engine_sizes sizes;
    struct engine_home home = {0};
    struct reader *reader = NULL;
    struct run run = {.report = report_out, .compare = verify};
    effects_init(&run.effects);
    enum weir_err err = journal_sizes(folder, &sizes, why);
    if (err == WEIR_OK)
        err = engine_home_init(&home, &sizes, why);
    if (err == WEIR_OK)
        err = reader_open(folder, NULL, &reader, why);
    if (err == WEIR_OK) {
        run.engine = home.engine;
        run.directory = directory_create();
        err = run.directory ? replay(&run, reader, why)
                            : because(why, WEIR_E_NO_MEMORY, "no memory for names");
        if (err != WEIR_OK)
            while_doing(why, "journal %s", folder);
    }
    directory_destroy(run.directory);
    reader_close(reader);
    effects_fini(&run.effects);
    engine_home_fini(&home);
    return err;
}

/* --- the start of a host ---------------------------------------------------------------------- */

static enum weir_err sizes_check(const char *folder, const struct engine_sizes *sizes,
                                 struct why *why)
{
    struct engine_sizes made_for;
    enum weir_err err = journal_sizes(folder, &made_for, why);
    if (err == WEIR_E_NOT_FOUND)
        return WEIR_OK;
    if (err == WEIR_OK && memcmp(&made_for, sizes, sizeof made_for) != 0)
        err =
            because(why, WEIR_E_BAD_CONFIG,
                    "journal %s: made for another size of the engine (%u orders, %u executions, %u "
                    "client ids, %u instruments); begin a new journal to change it",
                    folder, (unsigned)made_for.orders, (unsigned)made_for.executions,
                    (unsigned)made_for.client_ids, (unsigned)made_for.instruments);
    return err;
}

/* The last input's effects that were not written: now they are. */
static enum weir_err append_missing(struct journal *journal, struct effects *effects,
                                    struct why *why)
{
    for (const struct weir_msg *effect = effects_next(effects); effect;
         effect = effects_next(effects))
        if (journal_append(journal, JOURNAL_EFFECT, effect) == 0)
            return because(why, WEIR_E_IO, "an effect of the last input cannot be written");
    return WEIR_OK;
}

/* Read all, or a snapshot and the rest, into the engine, then open behind it. */
static enum weir_err restart(struct run *run, const struct journal_options *options,
                             struct journal_lock **lock, struct journal **journal_out,
                             struct why *why)
{
    struct reader *reader = NULL;
    struct reader_options all = {0};
    uint64_t snapshot = 0;
    enum weir_err err = sizes_check(options->folder, &options->sizes, why);
    if (err == WEIR_OK)
        err = snapshot_resume(options->folder, &options->sizes, run->engine, &all, &reader,
                              &snapshot, why);
    if (err == WEIR_OK) {
        err = replay(run, reader, why);
        if (err != WEIR_OK)
            while_doing(why, "journal %s", options->folder);
    }
    if (err == WEIR_OK && snapshot != 0)
        log_line(LOG_INFO, "journal",
                 "begun at the snapshot of sequence %llu, and %llu inputs more",
                 (unsigned long long)snapshot, (unsigned long long)run->report->replayed);
    if (err == WEIR_OK)
        err = journal_open(options, *lock, reader, journal_out, why);
    if (err == WEIR_OK) {
        *lock = NULL; /* given away */
        err = append_missing(*journal_out, &run->effects, why);
        if (err != WEIR_OK) {
            journal_abandon(*journal_out);
            *journal_out = NULL;
        }
    }
    reader_close(reader);
    return err;
}

enum weir_err journal_restart(const struct journal_options *options, struct engine *engine,
                              struct journal **journal_out, struct journal_extent *extent_out,
                              struct why *why)
{
    struct replay_report report;
    struct journal_lock *lock = NULL;
    replay_report_init(&report);
    struct run run = {.engine = engine, .report = &report};
    effects_init(&run.effects);
    enum weir_err err = journal_lock(options->folder, &lock, why);
    if (err == WEIR_OK)
        err = restart(&run, options, &lock, journal_out, why);
    *extent_out = report.extent;
    journal_unlock(lock);
    effects_fini(&run.effects);
    replay_report_fini(&report);
    return err;
}
