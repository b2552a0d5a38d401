/* replay.c - the effects of an input stand right behind it in the journal: apply it, keep what the new
 * engine says, and hold each recorded effect against that. */
#include "journal/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct replay {
    const struct replay_options *options;
    struct replay_result *result;
    struct engine *engine;
    void *memory;
    size_t memory_size;
    unsigned char *said; /* effects of the last input, one after the other */
    size_t said_len, said_room, said_at;
    uint64_t input_seq;
    unsigned char *was; /* the recorded decision of this input, if there is one */
    size_t was_len;
    bool no_memory;
};

static enum weir_err make_engine(struct replay *replay, const struct engine_sizes *sizes,
                                 struct why *why)
{
    replay->memory_size = engine_bytes(sizes);
    replay->memory = mmap(NULL, replay->memory_size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (replay->memory == MAP_FAILED) {
        replay->memory = NULL;
        return because(why, WEIR_E_NO_MEMORY, "the engine needs %zu bytes", replay->memory_size);
    }
    struct arena arena = {replay->memory, (unsigned char *)replay->memory + replay->memory_size};
    replay->engine = engine_create(&arena, sizes);
    return replay->engine
               ? WEIR_OK
               : because(why, WEIR_E_CORRUPT, "the journal's engine sizes make no engine");
}

static void keep(void *context, const struct weir_msg *effect)
{
    struct replay *replay = context;
    if (replay->said_len + effect->size > replay->said_room) {
        size_t room = (replay->said_room + effect->size) * 2;
        void *more = realloc(replay->said, room);
        if (!more) {
            replay->no_memory = true;
            return;
        }
        replay->said = more;
        replay->said_room = room;
    }
    memcpy(replay->said + replay->said_len, effect, effect->size);
    replay->said_len += effect->size;
}

static const struct weir_msg *said_next(const struct replay *replay)
{
    return replay->said_at < replay->said_len
               ? (const struct weir_msg *)(const void *)(replay->said + replay->said_at)
               : NULL;
}

static const char *name_of(const struct weir_msg *msg)
{
    const struct kind *kind = msg ? kind_find(msg->kind) : NULL;
    return kind ? kind->name : "nothing";
}

/* The member in which two messages of one kind first differ. */
static const char *member_of(const struct weir_msg *a, const struct weir_msg *b, size_t *at_out)
{
    const struct kind *kind = kind_find(a->kind);
    size_t at = 0, least = a->size < b->size ? a->size : b->size;
    while (at < least && ((const unsigned char *)a)[at] == ((const unsigned char *)b)[at])
        at++;
    *at_out = at;
    for (size_t i = 0; kind && i < kind->field_count; i++)
        if (at >= kind->fields[i].at && at < (size_t)kind->fields[i].at + kind->fields[i].size)
            return kind->fields[i].name;
    return "header";
}

static void differ(struct replay *replay, uint64_t seq, const struct weir_msg *was,
                   const struct weir_msg *now)
{
    struct replay_result *result = replay->result;
    size_t at = 0;
    if (!result->equal)
        return;
    result->equal = false;
    result->first_seq = seq;
    if (was && now && was->kind == now->kind)
        snprintf(result->first, sizeof result->first,
                 "%s differs in %s (byte %zu), after the input %" PRIu64, name_of(was),
                 member_of(was, now, &at), at, replay->input_seq);
    else
        snprintf(result->first, sizeof result->first,
                 "recorded: %s; now: %s, after the input %" PRIu64, name_of(was), name_of(now),
                 replay->input_seq);
}

/* What the engine said beyond what is recorded, before the next input. */
static void end_input(struct replay *replay, uint64_t seq)
{
    const struct weir_msg *left = said_next(replay);
    if (left && !replay->options->limit)
        differ(replay, seq, NULL, left);
}

static const struct out_decision *decision_said(const struct replay *replay)
{
    for (size_t at = 0; at < replay->said_len;) {
        const struct weir_msg *msg = (const struct weir_msg *)(const void *)(replay->said + at);
        if (msg->kind == OUT_DECISION)
            return (const struct out_decision *)msg;
        at += msg->size;
    }
    return NULL;
}

/* With other limits: the verdict as recorded against the verdict now. */
static void compare_decision(struct replay *replay)
{
    const struct out_decision *was =
        replay->was_len ? (const struct out_decision *)(const void *)replay->was : NULL;
    const struct out_decision *now = decision_said(replay);
    bool same =
        !was == !now &&
        (!was || (was->allowed == now->allowed && (was->allowed || was->reason == now->reason)));
    replay->result->decisions += was || now;
    if (same)
        return;
    replay->result->differences++;
    if (replay->options->differs) {
        struct replay_difference difference = {replay->input_seq, was, now, replay->engine};
        replay->options->differs(replay->options->context, &difference);
    }
}

static void on_effect(struct replay *replay, const struct journal_record *record)
{
    const struct weir_msg *now = said_next(replay);
    replay->result->effects++;
    if (replay->options->limit) {
        if (record->msg->kind == OUT_DECISION && record->msg->size <= RECORD_MAX &&
            replay->was_len == 0) {
            memcpy(replay->was, record->msg, record->msg->size);
            replay->was_len = record->msg->size;
        }
        return;
    }
    if (!now || now->size != record->msg->size || memcmp(now, record->msg, now->size) != 0)
        differ(replay, record->seq, record->msg, now);
    if (now)
        replay->said_at += now->size;
}

static void on_input(struct replay *replay, const struct journal_record *record)
{
    const struct effect_sink sink = {keep, replay};
    const struct weir_msg *input = record->msg;
    if (replay->options->limit)
        compare_decision(replay);
    else
        end_input(replay, record->seq);
    replay->said_len = replay->said_at = replay->was_len = 0;
    replay->input_seq = record->seq;
    replay->result->inputs++;
    if (replay->options->limit && input->kind == IN_LIMIT) {
        struct in_limit limit;
        memcpy(&limit, input, sizeof limit);
        replay->options->limit(replay->options->context, replay->engine, &limit);
        engine_apply(replay->engine, &limit.msg, record->seq, &sink);
        return;
    }
    engine_apply(replay->engine, input, record->seq, &sink);
}

static enum weir_err on_record(struct replay *replay, const struct journal_record *record,
                               struct why *why)
{
    replay->result->records++;
    if (record->class == JOURNAL_META && record->msg->kind == META_BEGIN && !replay->engine)
        return make_engine(replay, &((const struct meta_begin *)record->msg)->sizes, why);
    if (!replay->engine)
        return because(why, WEIR_E_CORRUPT, "the journal does not begin with its sizes");
    if (record->class == JOURNAL_INPUT)
        on_input(replay, record);
    else if (record->class == JOURNAL_EFFECT)
        on_effect(replay, record);
    return replay->no_memory ? because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY))
                             : WEIR_OK;
}

enum weir_err journal_replay(const char *folder, const struct replay_options *options,
                             struct replay_result *result, struct why *why)
{
    static const struct replay_options as_recorded;
    struct replay replay = {.options = options ? options : &as_recorded, .result = result};
    struct reader *reader = NULL;
    struct journal_record record = {0};
    struct journal_extent extent = {0};
    memset(result, 0, sizeof *result);
    result->equal = true;
    replay.was = malloc(RECORD_MAX);
    enum weir_err err = replay.was
                            ? reader_open(folder, NULL, &reader, why)
                            : because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    while (!err && (err = reader_next(reader, &record, why)) == WEIR_OK)
        err = on_record(&replay, &record, why);
    if (err == WEIR_E_NOT_FOUND && reader) {
        err = WEIR_OK;
        if (replay.engine && replay.options->limit)
            compare_decision(&replay);
        else if (replay.engine)
            end_input(&replay, record.seq);
        reader_extent(reader, &extent);
        result->closed = extent.closed;
        result->has_hash = extent.has_hash;
        memcpy(result->hash, extent.hash, sizeof result->hash);
    }
    reader_close(reader);
    if (replay.memory)
        munmap(replay.memory, replay.memory_size);
    free(replay.said);
    free(replay.was);
    return err;
}
