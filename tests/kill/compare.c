/* compare.c - the host's journal against the exchange's books.
 *
 * The journal is read, not believed: each request to send, each execution booked and the last word on
 * each order are counted from its records. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "engine/effect.h"
#include "engine/lists.h"
#include "journal/reader.h"
#include "kill/support.h"

enum { IDS = 1 << 21, INSTRUMENTS = 64, ASSETS = 16, TOLD_MOST = 20 };

/* What the journal says of one client order id. */
struct ours {
    uint32_t sent; /* times that the engine asked for it as new */
    uint8_t label;
    bool told; /* an OUT_ORDER with this id was seen */
    bool seen; /* matched with an order of the exchange */
    weir_qty qty, cum;
    weir_px px;
    bool there;   /* the exchange has an order of this name */
    bool is_next; /* a replacement was asked for under this name */
    char id[WEIR_ID_MAX], reason[WEIR_REASON_MAX];
    char next[WEIR_ID_MAX]; /* the name of its last replacement */
};

struct done { /* an execution */
    uint32_t booked;
    bool seen;
    weir_qty qty;
    weir_px px;
    uint8_t side;
    uint32_t instrument;
    char id[WEIR_ID_MAX];
};

struct journal_facts {
    struct map orders, executions;
    struct ours *ours;
    struct done *done;
    uint32_t order_count, done_count;
    struct weir_instrument instruments[INSTRUMENTS];
    weir_qty positions[INSTRUMENTS];
    uint64_t external;
    struct verdict *verdict;
    unsigned told;
};

static void differs(struct journal_facts *facts, uint64_t *count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void differs(struct journal_facts *facts, uint64_t *count, const char *format, ...)
{
    va_list args;
    ++*count;
    if (facts->told++ >= TOLD_MOST)
        return;
    va_start(args, format);
    fputs("  differs: ", stdout);
    vprintf(format, args);
    fputc('\n', stdout);
    va_end(args);
}

/* --- the journal ------------------------------------------------------------------------------*/

static void *need(size_t count, size_t size)
{
    void *memory = aligned_alloc(64, (count * size + 63) & ~(size_t)63);
    if (!memory)
        give_up("out of memory");
    memset(memory, 0, (count * size + 63) & ~(size_t)63);
    return memory;
}

static void new_map(struct map *map)
{
    size_t size = map_size(IDS) + 64;
    unsigned char *memory = need(size, 1);
    struct arena arena = {memory, memory + size};
    if (map_init(map, &arena, IDS) != 0)
        give_up("no map");
}

static struct ours *order_of(struct journal_facts *facts, const char *id, bool make)
{
    struct key128 key = key_of(id, strnlen(id, WEIR_ID_MAX), 0);
    uint32_t index;
    if (map_get(&facts->orders, key, &index))
        return &facts->ours[index];
    if (!make || facts->order_count == IDS)
        return NULL;
    index = facts->order_count++;
    memcpy(facts->ours[index].id, id, strnlen(id, WEIR_ID_MAX - 1));
    if (!map_put(&facts->orders, key, index))
        give_up("too many orders");
    return &facts->ours[index];
}

static struct done *execution_of(struct journal_facts *facts, const char *id, const char *symbol,
                                 bool make)
{
    char name[WEIR_ID_MAX + WEIR_SYMBOL_MAX + 1];
    int len = snprintf(name, sizeof name, "%s/%s", id, symbol);
    struct key128 key = key_of(name, (size_t)len, 0);
    uint32_t index;
    if (map_get(&facts->executions, key, &index))
        return &facts->done[index];
    if (!make || facts->done_count == IDS)
        return NULL;
    index = facts->done_count++;
    memcpy(facts->done[index].id, id, strnlen(id, WEIR_ID_MAX - 1));
    if (!map_put(&facts->executions, key, index))
        give_up("too many executions");
    return &facts->done[index];
}

static const char *symbol_of(const struct journal_facts *facts, uint32_t instrument)
{
    return facts->instruments[instrument < INSTRUMENTS ? instrument : 0].symbol;
}

static void take_execution(struct journal_facts *facts, const struct out_execution *told)
{
    if (told->internal || told->msg.instrument >= INSTRUMENTS)
        return;
    facts->positions[told->msg.instrument] = told->position;
    facts->external += told->strategy == STRATEGY_EXTERNAL;
    if (told->stage == EXEC_ATTRIBUTED)
        return; /* booked before, under its own name */
    struct done *done =
        execution_of(facts, told->exec_id, symbol_of(facts, told->msg.instrument), true);
    if (!done)
        give_up("too many executions");
    done->booked++;
    done->qty = told->qty;
    done->px = told->px;
    done->side = told->side;
    done->instrument = told->msg.instrument;
}

static void take_order(struct journal_facts *facts, const struct out_order *told)
{
    struct ours *order = told->wire_id[0] ? order_of(facts, told->wire_id, true) : NULL;
    if (!order)
        return;
    order->told = true;
    order->label = told->label;
    order->qty = told->qty;
    order->px = told->px;
    order->cum = told->cum_qty;
    memcpy(order->reason, told->reason, sizeof order->reason);
    facts->external += told->strategy == STRATEGY_EXTERNAL;
}

static void take_alert(struct journal_facts *facts, const struct out_alert *alert)
{
    if (alert->alert == ALERT_POSITION_MISMATCH || alert->alert == ALERT_BALANCE_MISMATCH)
        differs(facts, &facts->verdict->mismatches, "alert %s: %s",
                alert_name((enum alert)alert->alert), alert->text);
}

/* Where a venue replaces by canceling, the new name is an order of its own there. */
static void take_replace(struct journal_facts *facts, const struct weir_intent *intent)
{
    struct ours *before = order_of(facts, intent->client_id, true);
    struct ours *next =
        intent->new_client_id[0] ? order_of(facts, intent->new_client_id, true) : NULL;
    if (!before || !next)
        return;
    next->is_next = true;
    memcpy(before->next, intent->new_client_id, sizeof before->next);
}

static void take_record(struct journal_facts *facts, const struct journal_record *record)
{
    const struct weir_msg *msg = record->msg;
    if (record->class == JOURNAL_INPUT && msg->kind == WEIR_INSTRUMENT &&
        msg->instrument < INSTRUMENTS)
        memcpy(&facts->instruments[msg->instrument], msg, sizeof facts->instruments[0]);
    if (record->class != JOURNAL_EFFECT)
        return;
    if (msg->kind == WEIR_NEW)
        order_of(facts, ((const struct weir_intent *)msg)->client_id, true)->sent++;
    else if (msg->kind == WEIR_REPLACE)
        take_replace(facts, (const struct weir_intent *)msg);
    else if (msg->kind == OUT_ORDER)
        take_order(facts, (const struct out_order *)msg);
    else if (msg->kind == OUT_EXECUTION)
        take_execution(facts, (const struct out_execution *)msg);
    else if (msg->kind == OUT_ALERT)
        take_alert(facts, (const struct out_alert *)msg);
}

static void read_journal(struct journal_facts *facts, const char *folder)
{
    struct reader *reader = NULL;
    struct journal_record record;
    struct why why;
    enum weir_err err = reader_open(folder, NULL, &reader, &why);
    while (!err && (err = reader_next(reader, &record, &why)) == WEIR_OK)
        take_record(facts, &record);
    if (err != WEIR_E_NOT_FOUND)
        give_up("the journal: %s", why.text);
    reader_close(reader);
}

/* --- the exchange's books ---------------------------------------------------------------------*/

static int64_t number(const cJSON *object, const char *key, int exp)
{
    const char *text = json_text(object, key, "");
    int64_t value = 0;
    if (decimal_parse(text, strlen(text), exp, &value))
        give_up("books: %s: '%s'", key, text);
    return value;
}

static uint32_t instrument_of(const struct journal_facts *facts, const cJSON *object)
{
    const char *symbol = json_text(object, "instrument", "");
    for (uint32_t i = 1; i < INSTRUMENTS; i++)
        if (strcmp(facts->instruments[i].symbol, symbol) == 0)
            return i;
    return 0;
}

static bool same_state(const char *theirs, uint8_t label)
{
    static const struct {
        const char *state;
        enum order_label label;
    } pairs[] = {{"open", ORDER_OPEN},       {"open", ORDER_PARTIAL},
                 {"filled", ORDER_FILLED},   {"canceled", ORDER_CANCELED},
                 {"expired", ORDER_EXPIRED}, {"rejected", ORDER_REJECTED}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (strcmp(pairs[i].state, theirs) == 0 && pairs[i].label == label)
            return true;
    return false;
}

/* Where a venue amends an order under its old name, our last word on it has another. */
static struct ours *last_name_of(struct journal_facts *facts, struct ours *order)
{
    for (int i = 0; order && order->next[0] && i < 1000; i++) {
        struct ours *next = order_of(facts, order->next, false);
        if (!next || !next->told || next->there)
            break;
        order = next;
    }
    return order;
}

static void check_order(struct journal_facts *facts, const cJSON *theirs)
{
    struct verdict *v = facts->verdict;
    const char *id = json_text(theirs, "client_id", ""), *first = json_text(theirs, "first_id", "");
    const char *state = json_text(theirs, "state", "");
    const struct weir_instrument *is = &facts->instruments[instrument_of(facts, theirs)];
    struct ours *begun = order_of(facts, first, false),
                *order = last_name_of(facts, order_of(facts, id, false));
    int64_t asked = 0;
    v->orders++;
    (void)json_whole(json_get(theirs, "asked"), &asked);
    if (begun)
        begun->seen = true;
    if (asked > 1)
        differs(facts, &v->orders_doubled, "order %s was asked for %" PRId64 " times", first,
                asked);
    if (!begun || (begun->sent == 0 && !begun->is_next))
        differs(facts, &v->unjournaled, "order %s: the journal does not say that it was sent",
                first);
    if (!order || !order->told) {
        differs(facts, &v->orders_lost, "order %s (%s): the journal has no word on it", id, state);
        return;
    }
    order->seen = true;
    const struct ours *next = order->next[0] ? order_of(facts, order->next, false) : NULL;
    if (!order_label_is_done((enum order_label)order->label) && next && next->told &&
        strcmp(state, "canceled") == 0) /* its last word was its replacement's first */
        order->label = ORDER_CANCELED;
    bool same =
        same_state(state, order->label) && order->cum == number(theirs, "cum_qty", is->qty_exp);
    if (same && strcmp(state, "rejected") != 0)
        same = order->qty == number(theirs, "qty", is->qty_exp) &&
               order->px == number(theirs, "px", is->price_exp);
    if (!same)
        differs(facts, &v->orders_differ,
                "order %s: there %s, %s of %s at %s; here %s %s, %" PRId64 " of %" PRId64
                " at %" PRId64,
                id, state, json_text(theirs, "cum_qty", ""), json_text(theirs, "qty", ""),
                json_text(theirs, "px", ""), order_label_name((enum order_label)order->label),
                order->reason, order->cum, order->qty, order->px);
}

static void check_execution(struct journal_facts *facts, const cJSON *theirs)
{
    struct verdict *v = facts->verdict;
    const char *id = json_text(theirs, "exec_id", "");
    const struct weir_instrument *is = &facts->instruments[instrument_of(facts, theirs)];
    struct done *done = execution_of(facts, id, json_text(theirs, "instrument", ""), false);
    v->executions++;
    if (!done) {
        differs(facts, &v->executions_lost, "execution %s of %s is not booked", id,
                json_text(theirs, "client_id", ""));
        return;
    }
    done->seen = true;
    if (done->booked > 1)
        differs(facts, &v->executions_doubled, "execution %s is booked %u times", id, done->booked);
    bool buy = strcmp(json_text(theirs, "side", ""), "buy") == 0;
    if (done->qty != number(theirs, "qty", is->qty_exp) ||
        done->px != number(theirs, "px", is->price_exp) || buy != (done->side == WEIR_BUY))
        differs(facts, &v->executions_differ, "execution %s: other side, quantity or price", id);
}

static void check_position(struct journal_facts *facts, const cJSON *theirs)
{
    uint32_t instrument = instrument_of(facts, theirs);
    weir_qty qty = number(theirs, "qty", facts->instruments[instrument].qty_exp);
    if (instrument && qty != facts->positions[instrument])
        differs(facts, &facts->verdict->positions_differ, "position %s: there %s, here %" PRId64,
                json_text(theirs, "instrument", ""), json_text(theirs, "qty", ""),
                facts->positions[instrument]);
}

/* What the journal has and the exchange has not. */
static void check_rest(struct journal_facts *facts)
{
    struct verdict *v = facts->verdict;
    for (uint32_t i = 0; i < facts->order_count; i++) {
        const struct ours *order = &facts->ours[i];
        if (order->sent > 1)
            differs(facts, &v->orders_doubled, "order %s was sent %u times", order->id,
                    order->sent);
        if (order->sent == 0 || order->seen)
            continue;
        v->never_arrived++;
        if (order->label != ORDER_REJECTED || order->cum != 0)
            differs(facts, &v->orders_differ, "order %s never arrived there, and is %s here",
                    order->id, order_label_name((enum order_label)order->label));
    }
    for (uint32_t i = 0; i < facts->done_count; i++)
        if (!facts->done[i].seen)
            differs(facts, &v->executions_doubled, "execution %s is not known there",
                    facts->done[i].id);
    v->external = facts->external;
}

struct verdict compare(const char *journal, const cJSON *books, const char *account)
{
    struct verdict verdict = {0};
    struct journal_facts *facts = need(1, sizeof *facts);
    const cJSON *theirs = json_get(json_get(books, "accounts"), account), *item;
    facts->verdict = &verdict;
    facts->ours = need(IDS, sizeof *facts->ours);
    facts->done = need(IDS, sizeof *facts->done);
    new_map(&facts->orders);
    new_map(&facts->executions);
    read_journal(facts, journal);
    if (!cJSON_IsTrue(json_get(theirs, "complete")))
        give_up("the exchange's books are not complete");
    cJSON_ArrayForEach(item, json_get(theirs, "orders"))
    {
        struct ours *order = order_of(facts, json_text(item, "client_id", ""), false);
        if (order)
            order->there = true;
    }
    cJSON_ArrayForEach(item, json_get(theirs, "orders")) check_order(facts, item);
    cJSON_ArrayForEach(item, json_get(theirs, "executions")) check_execution(facts, item);
    cJSON_ArrayForEach(item, json_get(theirs, "positions")) check_position(facts, item);
    check_rest(facts);
    free(facts->orders.slots);
    free(facts->executions.slots);
    free(facts->ours);
    free(facts->done);
    free(facts);
    return verdict;
}

bool verdict_is_clean(const struct verdict *v)
{
    return v->orders_lost + v->orders_doubled + v->orders_differ + v->executions_lost +
               v->executions_doubled + v->executions_differ + v->positions_differ + v->mismatches +
               v->unjournaled + v->external ==
           0;
}

void verdict_print(const struct verdict *v)
{
    printf("orders      %" PRIu64 " at the exchange; lost %" PRIu64 ", doubled %" PRIu64
           ", other state %" PRIu64 ", sent without journal %" PRIu64 "; never arrived %" PRIu64
           "\n",
           v->orders, v->orders_lost, v->orders_doubled, v->orders_differ, v->unjournaled,
           v->never_arrived);
    printf("executions  %" PRIu64 "; lost %" PRIu64 ", doubled %" PRIu64 ", differ %" PRIu64
           "; taken for somebody else's %" PRIu64 "\n",
           v->executions, v->executions_lost, v->executions_doubled, v->executions_differ,
           v->external);
    printf("positions   %" PRIu64 " differ; alerts of positions or balances that differed %" PRIu64
           "\n",
           v->positions_differ, v->mismatches);
}
