/* directory.c - arrays by number that grow; numbers are dense, chosen by the host. */
#include "journal/directory.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 1 << 24 }; /* a larger one is not a number that the host gave */

struct row {
    char name[NAME_MAX_LEN];
};

struct listed {
    struct weir_instrument is;
    struct weir_top top;
};

struct directory {
    struct row *names[RISK_SCOPE_COUNT];
    uint32_t room[RISK_SCOPE_COUNT];
    struct listed *instruments;
    uint32_t instrument_room;
};

struct directory *directory_create(void)
{
    return calloc(1, sizeof(struct directory));
}

void directory_destroy(struct directory *directory)
{
    if (!directory)
        return;
    for (size_t scope = 0; scope < RISK_SCOPE_COUNT; scope++)
        free(directory->names[scope]);
    free(directory->instruments);
    free(directory);
}

/* Make array[number] exist; what is new is zero. */
static void *grow(void *array, uint32_t *room, uint32_t number, size_t size)
{
    if (number < *room)
        return array;
    uint32_t wanted = *room ? *room : 16;
    while (wanted <= number)
        wanted *= 2;
    unsigned char *grown = realloc(array, wanted * size);
    if (!grown)
        return NULL;
    memset(grown + *room * size, 0, (wanted - *room) * size);
    *room = wanted;
    return grown;
}

static bool learn_name(struct directory *directory, enum risk_scope scope,
                       const struct in_define *define)
{
    if (define->number >= NUMBER_MAX)
        return true;
    struct row *rows =
        grow(directory->names[scope], &directory->room[scope], define->number, sizeof *rows);
    if (!rows)
        return false;
    directory->names[scope] = rows;
    memcpy(rows[define->number].name, define->name, sizeof define->name);
    rows[define->number].name[sizeof define->name - 1] = '\0';
    return true;
}

static struct listed *listed(struct directory *directory, uint32_t number)
{
    if (number >= NUMBER_MAX)
        return NULL;
    struct listed *rows =
        grow(directory->instruments, &directory->instrument_room, number, sizeof *rows);
    if (!rows)
        return NULL;
    directory->instruments = rows;
    return &rows[number];
}

static bool exps_are_good(const struct weir_instrument *instrument)
{
    return instrument->price_exp >= 0 && instrument->qty_exp >= 0 && instrument->price_exp <= 18 &&
           instrument->qty_exp <= 18 && instrument->multiplier_exp >= 0 &&
           instrument->multiplier_exp <= 18;
}

bool directory_learn(struct directory *directory, const struct weir_msg *msg)
{
    const void *bytes = msg;
    struct listed *row;
    switch (msg->kind) {
    case WEIR_TOP:
        row = listed(directory, msg->instrument);
        if (row)
            row->top = *(const struct weir_top *)bytes;
        return row || msg->instrument >= NUMBER_MAX;
    case WEIR_INSTRUMENT:
        row = exps_are_good(bytes) ? listed(directory, msg->instrument) : NULL;
        if (row) {
            row->is = *(const struct weir_instrument *)bytes;
            row->is.symbol[sizeof row->is.symbol - 1] = '\0';
        }
        return row || msg->instrument >= NUMBER_MAX || !exps_are_good(bytes);
    case IN_DEFINE_VENUE: return learn_name(directory, SCOPE_venue, bytes);
    case IN_DEFINE_ACCOUNT: return learn_name(directory, SCOPE_account, bytes);
    case IN_DEFINE_GROUP: return learn_name(directory, SCOPE_group, bytes);
    case IN_DEFINE_STRATEGY: return learn_name(directory, SCOPE_strategy, bytes);
    default: return true;
    }
}

const struct weir_instrument *directory_instrument(const struct directory *directory,
                                                   uint32_t instrument)
{
    if (instrument >= directory->instrument_room ||
        directory->instruments[instrument].is.msg.size == 0)
        return NULL;
    return &directory->instruments[instrument].is;
}

const struct weir_top *directory_top(const struct directory *directory, uint32_t instrument)
{
    if (instrument >= directory->instrument_room ||
        directory->instruments[instrument].top.msg.size == 0)
        return NULL;
    return &directory->instruments[instrument].top;
}

const char *directory_name(const struct directory *directory, enum risk_scope scope, uint32_t id)
{
    if (scope == SCOPE_host)
        return "";
    if (scope == SCOPE_instrument) {
        const struct weir_instrument *instrument = directory_instrument(directory, id);
        return instrument ? instrument->symbol : "?";
    }
    if (scope == SCOPE_strategy && id == STRATEGY_EXTERNAL)
        return "EXTERNAL";
    bool known = (unsigned)scope < RISK_SCOPE_COUNT && id < directory->room[scope] &&
                 directory->names[scope][id].name[0] != '\0';
    return known ? directory->names[scope][id].name : "?";
}
