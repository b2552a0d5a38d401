/* explain.c - finds an order in a journal, and the records that belong to it.
 *
 * Two passes. The first finds the order by name or number, and between which inputs it lived
 * [find]; the second knows who is who by then, and collects [collect]. What an order went through
 * is told by the engine's effects, which carry its number; the inputs that led to them are told
 * with them, since the record before the effects is the input that they came from. */
#include "journal/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "journal/story.h"

/* --- find -------------------------------------------------------------------------------------- */

enum match { NO_MATCH, BY_NUMBER, BY_VENUE_ID, BY_WIRE_ID, BY_UNKEPT_NAME, BY_NAME };

struct life {
    weir_ns created;
    uint64_t begin;
};

struct search {
    const char *name;
    uint32_t number; /* 0: the name is not a number */
    enum match best;
    struct order_key key;
    struct life *lives; /* by order number: the present one */
    uint32_t room;
    uint64_t orders;
};

static uint32_t number_of(const char *name)
{
    int64_t number;
    bool whole = decimal_parse(name, strlen(name), 0, &number) == WEIR_OK && number > 0 &&
                 number < UINT32_MAX && strspn(name, "0123456789") == strlen(name);
    return whole ? (uint32_t)number : 0;
}

static bool is(const struct search *search, const char *id)
{
    return id[0] != '\0' && strncmp(search->name, id, WEIR_ID_MAX) == 0;
}

/* The life of an order's number begins anew with another time of creation. NULL: no memory. */
static struct life *life_of(struct search *search, const struct out_order *order, bool *new_out)
{
    if (order->order >= search->room) {
        uint32_t room = search->room ? search->room : 1024;
        while (room <= order->order && room < 1u << 30)
            room *= 2;
        struct life *lives =
            room > order->order ? realloc(search->lives, room * sizeof *lives) : NULL;
        if (!lives)
            return NULL;
        memset(lives + search->room, 0, (room - search->room) * sizeof *lives);
        search->lives = lives;
        search->room = room;
    }
    struct life *life = &search->lives[order->order];
    *new_out = life->begin == 0 || life->created != order->created;
    return life;
}

static enum match match_order(const struct search *search, const struct out_order *order)
{
    if (is(search, order->cid))
        return BY_NAME;
    if (order->msg.size >= sizeof *order && is(search, order->next_cid))
        return BY_NAME;
    if (is(search, order->wire_id))
        return BY_WIRE_ID;
    if (is(search, order->venue_id))
        return BY_VENUE_ID;
    return search->number != 0 && order->order == search->number ? BY_NUMBER : NO_MATCH;
}

static bool look_at_order(struct search *search, const struct out_order *order)
{
    bool anew;
    struct life *life = life_of(search, order, &anew);
    if (!life)
        return false;
    if (anew) {
        if (search->key.order == order->order && search->key.end == UINT64_MAX)
            search->key.end = order->msg.cause;
        *life = (struct life){order->created, order->msg.cause};
        search->orders++;
    }
    enum match match = match_order(search, order);
    bool same = search->key.order == order->order && search->key.begin == life->begin;
    if (match == NO_MATCH || match < search->best || same)
        return true;
    search->best = match;
    search->key = (struct order_key){
        .order = order->order, .created = life->created, .begin = life->begin, .end = UINT64_MAX};
    return true;
}

/* A wish that was denied and not kept: its decision is all there is. */
static void look_at_decision(struct search *search, const struct out_decision *decision)
{
    if (decision->order != 0 || search->best >= BY_UNKEPT_NAME || !is(search, decision->cid))
        return;
    search->best = BY_UNKEPT_NAME;
    search->key = (struct order_key){.begin = decision->msg.cause, .end = decision->msg.cause + 1};
    memcpy(search->key.cid, decision->cid, sizeof search->key.cid);
}

static enum weir_err find(const char *folder, struct search *search, struct why *why)
{
    struct reader *reader;
    struct journal_record record;
    struct reader_options options = {.no_hash = true};
    enum weir_err err = reader_open(folder, &options, &reader, why);
    if (err != WEIR_OK)
        return err;
    while ((err = reader_next(reader, &record, why)) == WEIR_OK) {
        const void *msg = record.msg;
        if (record.msg->kind == OUT_ORDER && !look_at_order(search, msg))
            err = because(why, WEIR_E_NO_MEMORY, "no memory for orders");
        else if (record.msg->kind == OUT_DECISION)
            look_at_decision(search, msg);
        if (err != WEIR_OK)
            break;
    }
    reader_close(reader);
    free(search->lives);
    if (err != WEIR_E_NOT_FOUND)
        return err;
    if (search->best != NO_MATCH)
        return WEIR_OK;
    return because(
        why, WEIR_E_NOT_FOUND,
        "no order \"%.60s\" among %llu orders (a name, a wire id, an id at the venue or an "
        "order's number)",
        search->name, (unsigned long long)search->orders);
}

/* --- collect ----------------------------------------------------------------------------------- */

static bool keep_input(struct story *story, const struct journal_record *record)
{
    size_t size = record->msg->size;
    if (!story->input || size > story->input_room) {
        struct weir_msg *input = realloc(story->input, size);
        if (!input)
            return false;
        story->input = input;
        story->input_room = size;
    }
    memcpy(story->input, record->msg, size);
    story->input_seq = record->seq;
    story->input_told = false;
    return true;
}

static bool collect_one(struct story *story, const struct journal_record *record)
{
    bool lived = record->seq >= story->key.begin && story->input_seq < story->key.end;
    if (record->class == JOURNAL_INPUT && !directory_learn(story->directory, record->msg))
        return false;
    if (record->class == JOURNAL_INPUT)
        return record->seq < story->key.begin || keep_input(story, record);
    if (lived && record->class != JOURNAL_META)
        story_add(story, record);
    return !story->failed;
}

static enum weir_err collect(const char *folder, struct story *story, struct why *why)
{
    struct reader *reader;
    struct journal_record record;
    struct reader_options options = {.no_hash = true};
    story->directory = directory_create();
    if (!story->directory)
        return because(why, WEIR_E_NO_MEMORY, "no memory for names");
    enum weir_err err = reader_open(folder, &options, &reader, why);
    if (err != WEIR_OK)
        return err;
    while ((err = reader_next(reader, &record, why)) == WEIR_OK)
        if (!collect_one(story, &record)) {
            err = because(why, WEIR_E_NO_MEMORY, "no memory for the records of this order");
            break;
        }
    reader_close(reader);
    return err == WEIR_E_NOT_FOUND ? WEIR_OK : err;
}

static void story_fini(struct story *story)
{
    for (size_t i = 0; i < story->count; i++) {
        text_fini(&story->events[i].line);
        free(story->events[i].msg);
    }
    free(story->events);
    free(story->input);
    directory_destroy(story->directory);
}

enum weir_err explain(const char *folder, const char *order, bool json, struct text *out,
                      struct why *why)
{
    struct search search = {.name = order, .number = number_of(order)};
    struct story story = {0};
    enum weir_err err = find(folder, &search, why);
    if (err == WEIR_OK) {
        story.key = search.key;
        err = collect(folder, &story, why);
    }
    if (err == WEIR_OK)
        (json ? story_json : story_lines)(&story, out);
    if (err == WEIR_OK && !text_ok(out))
        err = because(why, WEIR_E_NO_MEMORY, "no memory for the answer");
    if (err != WEIR_OK)
        while_doing(why, "journal %s", folder);
    story_fini(&story);
    return err;
}
