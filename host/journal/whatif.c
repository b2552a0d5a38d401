/* whatif.c - a journal run again with other limits.
 *
 * There are two worlds: the one of the journal, and the one where the limits were others. An input
 * of the first is an input of the second too, unless it speaks of an order that was not sent there.
 *
 * NAMES    Orders keep their numbers and wire ids as long as both worlds ask for the same; after a
 *          replace that only one of them sent, they shift. So what the two worlds sent because of
 *          one input is paired, kind by kind, and ids are translated. [pair, translate]
 * BALANCE  Once the worlds differ, the venue's positions and balances are those of the other one,
 *          and are left out. [translate] */
#include "journal/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "journal/engine_home.h"

struct sent {
    char here[WEIR_ID_MAX]; /* the wire id in the world of other limits; "": not sent there */
};

struct worlds {
    const struct whatif *whatif;
    struct whatif_report *report;
    struct engine *engine; /* of the world with other limits */
    struct directory *directory;
    struct effects there; /* effects of the present input: as journalled */
    struct effects here;  /* and with other limits */
    struct weir_msg input;
    uint64_t seq;                /* of the present input; 0: none yet */
    struct map wires, venue_ids; /* from the journal's world: index in sent; not sent */
    void *tables;
    struct sent *sent;
    uint32_t sent_count, sent_room;
    uint32_t *orders; /* number there -> number here; 0: the same */
    uint32_t order_room;
    unsigned char *copy; /* an input, translated */
    bool given;          /* the limits of the host were put in */
    bool differ;
};

static struct key128 key(const char *id)
{
    return key_of(id, strnlen(id, WEIR_ID_MAX), 0);
}

/* --- before the run ---------------------------------------------------------------------------- */

struct census {
    uint32_t sends, acks;
    uint64_t decisions;
};

static enum weir_err take_census(const char *folder, struct census *census, struct why *why)
{
    struct reader *reader;
    struct journal_record record;
    struct reader_options options = {.no_hash = true};
    *census = (struct census){0};
    enum weir_err err = reader_open(folder, &options, &reader, why);
    if (err != WEIR_OK)
        return err;
    while ((err = reader_next(reader, &record, why)) == WEIR_OK) {
        uint16_t kind = record.msg->kind;
        census->sends += kind == WEIR_NEW || kind == WEIR_REPLACE;
        census->acks += kind == WEIR_ACK || kind == WEIR_REPLACED;
        census->decisions += kind == OUT_DECISION;
    }
    reader_close(reader);
    return err == WEIR_E_NOT_FOUND ? WEIR_OK : err;
}

static enum weir_err worlds_init(struct worlds *worlds, const struct census *census,
                                 const struct engine_sizes *sizes, struct why *why)
{
    size_t bytes = map_size(census->sends + 1) + map_size(census->acks + 1) + 256;
    effects_init(&worlds->there);
    effects_init(&worlds->here);
    worlds->sent_room = census->sends;
    worlds->order_room = sizes->orders + 1;
    worlds->sent = calloc(census->sends + 1u, sizeof *worlds->sent);
    worlds->orders = calloc(worlds->order_room, sizeof *worlds->orders);
    worlds->copy = malloc(RECORD_MAX);
    worlds->directory = directory_create();
    worlds->tables = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!worlds->sent || !worlds->orders || !worlds->copy || !worlds->directory || !worlds->tables)
        return because(why, WEIR_E_NO_MEMORY, "no memory for %u orders", (unsigned)census->sends);
    memset(worlds->tables, 0, bytes);
    struct arena arena = {worlds->tables, (unsigned char *)worlds->tables + bytes};
    if (map_init(&worlds->wires, &arena, census->sends + 1) != 0 ||
        map_init(&worlds->venue_ids, &arena, census->acks + 1) != 0)
        return because(why, WEIR_E_NO_MEMORY, "no room for %u orders", (unsigned)census->sends);
    return WEIR_OK;
}

static void worlds_fini(struct worlds *worlds)
{
    effects_fini(&worlds->there);
    effects_fini(&worlds->here);
    directory_destroy(worlds->directory);
    free(worlds->sent);
    free(worlds->orders);
    free(worlds->copy);
    free(worlds->tables);
}

/* --- limits ------------------------------------------------------------------------------------ */

static bool same_limit(const struct in_limit *a, const struct in_limit *b)
{
    return a->scope == b->scope && a->limit == b->limit && a->id == b->id;
}

static void replace_limit(const struct worlds *worlds, struct in_limit *limit)
{
    for (size_t i = 0; i < worlds->whatif->count; i++)
        if (same_limit(limit, &worlds->whatif->limits[i])) {
            limit->how = worlds->whatif->limits[i].how;
            limit->value = worlds->whatif->limits[i].value;
        }
}

/* What this input defines; false: nothing that has limits. */
static bool defined_by(const struct weir_msg *msg, enum risk_scope *scope_out, uint32_t *id_out)
{
    static const struct {
        uint16_t kind;
        enum risk_scope scope;
    } rows[] = {{IN_DEFINE_VENUE, SCOPE_venue},
                {IN_DEFINE_ACCOUNT, SCOPE_account},
                {IN_DEFINE_GROUP, SCOPE_group},
                {IN_DEFINE_STRATEGY, SCOPE_strategy}};
    *scope_out = SCOPE_instrument;
    *id_out = msg->instrument;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (msg->kind == rows[i].kind) {
            *scope_out = rows[i].scope;
            *id_out = ((const struct in_define *)(const void *)msg)->number;
            return true;
        }
    return msg->kind == WEIR_INSTRUMENT;
}

/* As soon as there is what they limit. Those that the journal sets later are replaced then; setting
 * them now too does no harm. */
static void give_limits(struct worlds *worlds, const struct journal_record *record,
                        enum risk_scope scope, uint32_t id)
{
    for (size_t i = 0; i < worlds->whatif->count; i++) {
        struct in_limit limit = worlds->whatif->limits[i];
        if (limit.scope != scope || limit.id != id)
            continue;
        limit.msg = (struct weir_msg){.size = sizeof limit, .kind = IN_LIMIT, .t = record->msg->t};
        engine_apply(worlds->engine, &limit.msg, record->seq, &worlds->here.sink);
    }
}

/* --- translate --------------------------------------------------------------------------------- */

/* The id in the other world, in place. False: that order is not there. */
static bool translate_wire(struct worlds *worlds, char *client_id, const char *venue_id)
{
    uint32_t index;
    if (client_id[0] && map_get(&worlds->wires, key(client_id), &index)) {
        if (!worlds->sent[index].here[0]) {
            if (venue_id && venue_id[0])
                (void)map_put(&worlds->venue_ids, key(venue_id), 0);
            return false;
        }
        memcpy(client_id, worlds->sent[index].here, WEIR_ID_MAX);
        return true;
    }
    return client_id[0] || !venue_id || !venue_id[0] ||
           !map_get(&worlds->venue_ids, key(venue_id), &index);
}

static bool is_report(uint16_t kind)
{
    return (kind >= WEIR_ACK && kind <= WEIR_STATUS && kind != WEIR_FILL) ||
           kind == WEIR_RECON_ORDER;
}

/* Make an input of the journal's world one of the other world. False: it is none. */
static bool translate(struct worlds *worlds, struct weir_msg *msg)
{
    void *bytes = msg;
    if (is_report(msg->kind)) {
        struct weir_report *report = bytes;
        return translate_wire(worlds, report->client_id, report->venue_id);
    }
    switch (msg->kind) {
    case WEIR_FILL:
    case WEIR_BUST: {
        struct weir_fill *fill = bytes;
        return translate_wire(worlds, fill->client_id, fill->venue_id);
    }
    case WEIR_RATE_LIMITED:
        return translate_wire(worlds, ((struct weir_rate_limited *)bytes)->client_id, NULL);
    case IN_LIMIT: replace_limit(worlds, bytes); return true;
    case IN_CANCEL:
    case IN_REPLACE: {
        struct in_change *change = bytes;
        if (change->order < worlds->order_room && worlds->orders[change->order])
            change->order = worlds->orders[change->order];
        return true;
    }
    case WEIR_RECON_POSITION:
    case WEIR_RECON_BALANCE: return !worlds->differ;
    case WEIR_RECON_END:
        if (worlds->differ)
            msg->flags = 0;
        return true;
    default: return true;
    }
}

/* --- compare ----------------------------------------------------------------------------------- */

/* The next effect of a kind; NULL: no more. */
static const struct weir_msg *next_of(struct effects *effects, uint16_t kind)
{
    const struct weir_msg *effect;
    while ((effect = effects_next(effects)) != NULL && effect->kind != kind) {
    }
    return effect;
}

/* What both worlds sent because of this input is the same request. */
static void pair(struct worlds *worlds, uint16_t kind)
{
    const struct weir_msg *there, *here;
    worlds->there.at = worlds->here.at = 0;
    while ((there = next_of(&worlds->there, kind)) != NULL) {
        here = next_of(&worlds->here, kind);
        const struct weir_intent *a = (const void *)there, *b = (const void *)here;
        const char *wire = kind == WEIR_NEW ? a->client_id : a->new_client_id;
        if (worlds->sent_count == worlds->sent_room ||
            !map_put(&worlds->wires, key(wire), worlds->sent_count))
            continue;
        struct sent *sent = &worlds->sent[worlds->sent_count++];
        if (b)
            memcpy(sent->here, kind == WEIR_NEW ? b->client_id : b->new_client_id, WEIR_ID_MAX);
    }
}

static bool verdict_differs(const struct out_decision *before, const struct out_decision *after)
{
    return !before || !after || before->allowed != after->allowed ||
           (!before->allowed && before->reason != after->reason);
}

static void tell_change(struct worlds *worlds, const struct out_decision *before,
                        const struct out_decision *after)
{
    struct whatif_report *report = worlds->report;
    struct whatif_change change = {worlds->seq, worlds->input.t, before, after};
    bool then = before && before->allowed, now = after && after->allowed;
    worlds->differ = worlds->differ || then != now;
    report->denied_now += then && !now;
    report->allowed_now += !then && now;
    report->reason_other += before && after && !then && !now;
    if (worlds->whatif->change)
        worlds->whatif->change(worlds->whatif->context, worlds->directory, &change);
}

static void compare_decisions(struct worlds *worlds)
{
    const struct out_decision *before, *after;
    worlds->there.at = worlds->here.at = 0;
    for (;;) {
        before = (const void *)next_of(&worlds->there, OUT_DECISION);
        after = (const void *)next_of(&worlds->here, OUT_DECISION);
        if (!before && !after)
            return;
        if (before && after && before->order != after->order && before->order < worlds->order_room)
            worlds->orders[before->order] = after->order;
        if (verdict_differs(before, after))
            tell_change(worlds, before, after);
    }
}

/* All effects of the present input are known. */
static void settle(struct worlds *worlds)
{
    if (worlds->seq == 0)
        return;
    compare_decisions(worlds);
    pair(worlds, WEIR_NEW);
    pair(worlds, WEIR_REPLACE);
    effects_clear(&worlds->there);
    effects_clear(&worlds->here);
}

/* --- the run ----------------------------------------------------------------------------------- */

static enum weir_err step_input(struct worlds *worlds, const struct journal_record *record,
                                struct why *why)
{
    settle(worlds);
    worlds->seq = record->seq;
    worlds->input = *record->msg;
    if (!directory_learn(worlds->directory, record->msg))
        return because(why, WEIR_E_NO_MEMORY, "no memory for names");
    if (!worlds->given)
        give_limits(worlds, record, SCOPE_host, 0);
    worlds->given = true;
    memcpy(worlds->copy, record->msg, record->msg->size);
    struct weir_msg *msg = (struct weir_msg *)(void *)worlds->copy;
    if (translate(worlds, msg))
        engine_apply(worlds->engine, msg, record->seq, &worlds->here.sink);
    else
        worlds->report->left_out++;
    enum risk_scope scope;
    uint32_t id;
    if (defined_by(record->msg, &scope, &id))
        give_limits(worlds, record, scope, id);
    return WEIR_OK;
}

static enum weir_err run(struct worlds *worlds, struct reader *reader, struct why *why)
{
    struct journal_record record;
    enum weir_err err;
    while ((err = reader_next(reader, &record, why)) == WEIR_OK) {
        if (record.class == JOURNAL_INPUT)
            err = step_input(worlds, &record, why);
        else if (record.class == JOURNAL_EFFECT)
            worlds->there.sink.take(&worlds->there, record.msg);
        if (err == WEIR_OK && (worlds->here.failed || worlds->there.failed))
            err = because(why, WEIR_E_NO_MEMORY, "no memory for effects");
        if (err != WEIR_OK)
            return err;
    }
    settle(worlds);
    reader_extent(reader, &worlds->report->extent);
    return err == WEIR_E_NOT_FOUND ? WEIR_OK : err;
}

enum weir_err journal_whatif(const char *folder, const struct whatif *whatif,
                             struct whatif_report *report_out, struct why *why)
{
    struct engine_sizes sizes;
    struct engine_home home = {0};
    struct reader *reader = NULL;
    struct census census;
    struct worlds worlds = {.whatif = whatif, .report = report_out};
    *report_out = (struct whatif_report){0};
    enum weir_err err = journal_sizes(folder, &sizes, why);
    if (err == WEIR_OK)
        err = take_census(folder, &census, why);
    if (err == WEIR_OK)
        err = worlds_init(&worlds, &census, &sizes, why);
    if (err == WEIR_OK)
        err = engine_home_init(&home, &sizes, why);
    if (err == WEIR_OK)
        err = reader_open(folder, NULL, &reader, why);
    if (err == WEIR_OK) {
        worlds.engine = home.engine;
        report_out->decisions = census.decisions;
        err = run(&worlds, reader, why);
        if (err != WEIR_OK)
            while_doing(why, "journal %s", folder);
    }
    reader_close(reader);
    worlds_fini(&worlds);
    engine_home_fini(&home);
    return err;
}
