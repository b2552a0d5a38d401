/* faults.c - see faults.h. */
#include "exchange/faults.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[FAULT_KINDS] = {"drop_ack",  "reject", "error",  "disconnect",
                                               "duplicate", "delay",  "reorder"};

/* The words of `match`, and the messages that each stands for. */
static const struct {
    const char *word;
    uint16_t request;
    uint16_t answers[3];
} words[] = {{"new", WEIR_NEW, {WEIR_ACK, WEIR_REJECT}},
             {"cancel", WEIR_CANCEL, {WEIR_CANCELED, WEIR_CANCEL_REJECT}},
             {"replace", WEIR_REPLACE, {WEIR_REPLACED, WEIR_REPLACE_REJECT}},
             {"query", WEIR_QUERY_ORDER, {WEIR_STATUS}},
             {"fills", WEIR_QUERY_FILLS, {0}},
             {"reconcile", WEIR_RECONCILE, {0}},
             {"fill", 0, {WEIR_FILL}},
             {"expired", 0, {WEIR_EXPIRED}}};
enum { WORDS = sizeof words / sizeof words[0] };

/* --- wishes -----------------------------------------------------------------------------------*/

static bool is_id(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    return len > 0 && len < WEIR_ID_MAX && text[len] == '\0';
}

/* A state of the whole venue. False: there is none of that name. */
static bool set_state(struct faults *faults, const char *kind, int64_t ms)
{
    weir_ns until = faults->now + ms * 1000000;
    if (strcmp(kind, "freeze") == 0)
        faults->freeze_until = until;
    else if (strcmp(kind, "ban") == 0)
        faults->ban_until = until;
    else if (strcmp(kind, "maintenance") == 0)
        faults->maintenance_until = until;
    else if (strcmp(kind, "lag") == 0)
        faults->lag_ms = ms;
    else if (strcmp(kind, "clock") == 0)
        faults->clock_ms = ms;
    else
        return false;
    return true;
}

enum weir_err faults_add(struct faults *faults, const cJSON *wish, struct why *why)
{
    static const char *const keys[] = {"kind", "match", "count", "ms", NULL};
    struct fault fault = {.count = 1, .ms = 100};
    int64_t count = 1, ms = 0;
    enum weir_err err = json_only(wish, keys, why);
    if (err)
        return err;
    const char *kind = json_text(wish, "kind", ""), *match = json_text(wish, "match", "");
    bool lasts = json_get(wish, "ms") && json_whole(json_get(wish, "ms"), &ms) && ms >= -600000 &&
                 ms <= 600000 && (ms >= 0 || strcmp(kind, "clock") == 0);
    if (lasts && set_state(faults, kind, ms))
        return WEIR_OK;
    if (!json_get(wish, "match"))
        match = "*";
    while (fault.kind < FAULT_KINDS && strcmp(kinds[fault.kind], kind) != 0)
        fault.kind++;
    bool rules = strcmp(kind, "rules") == 0;
    if (fault.kind == FAULT_KINDS && !rules)
        return because(why, WEIR_E_USAGE,
                       "kind: expected drop_ack, reject, error, disconnect, duplicate, delay or "
                       "reorder, or rules, or with ms freeze, ban, maintenance, lag or clock, "
                       "found '%.40s'",
                       kind);
    if (strcmp(match, "*") != 0 && !is_id(match))
        return because(why, WEIR_E_USAGE,
                       "match: expected a request, a report, a client id or *, found '%.40s'",
                       match);
    if (json_get(wish, "count") &&
        (!json_whole(json_get(wish, "count"), &count) || count < 1 || count > 1000000))
        return because(why, WEIR_E_USAGE, "count: expected a whole number from 1 to 1000000");
    if (json_get(wish, "ms") &&
        (!json_whole(json_get(wish, "ms"), &fault.ms) || fault.ms < 1 || fault.ms > 600000))
        return because(why, WEIR_E_USAGE, "ms: expected a whole number from 1 to 600000");
    if (rules) {
        snprintf(faults->rules_of, sizeof faults->rules_of, "%s", match);
        faults->rules_times = (uint32_t)count;
        faults->rules_told++;
        return WEIR_OK;
    }
    if (faults->count == FAULTS_MAX)
        return because(why, WEIR_E_FULL, "%d faults wait already", FAULTS_MAX);
    fault.count = (uint32_t)count;
    snprintf(fault.match, sizeof fault.match, "%s", match);
    faults->list[faults->count++] = fault;
    return WEIR_OK;
}

void faults_json(const struct faults *faults, struct text *out)
{
    json_array(out);
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->list[i];
        json_object(out);
        json_key(out, "kind");
        json_string(out, kinds[fault->kind]);
        json_key(out, "match");
        json_string(out, fault->match);
        json_key(out, "count");
        json_uint(out, fault->count);
        if (fault->kind >= FAULT_DELAY) {
            json_key(out, "ms");
            json_int(out, fault->ms);
        }
        json_end(out);
    }
    json_end(out);
}

/* --- what they hit ----------------------------------------------------------------------------*/

static bool hits(const struct fault *fault, size_t word, const char *client_id)
{
    return strcmp(fault->match, "*") == 0 ||
           (word < WORDS && strcmp(fault->match, words[word].word) == 0) ||
           strncmp(fault->match, client_id, WEIR_ID_MAX) == 0;
}

/* One time less; the fault is gone with its last. */
static void spend(struct faults *faults, size_t i)
{
    if (--faults->list[i].count > 0)
        return;
    memmove(&faults->list[i], &faults->list[i + 1],
            (faults->count - i - 1) * sizeof faults->list[0]);
    faults->count--;
}

static void mute(struct faults *faults, const struct weir_intent *intent)
{
    if (faults->muted_count == MUTED_MAX) /* the oldest is answered after all */
        memmove(&faults->muted[0], &faults->muted[1],
                --faults->muted_count * sizeof faults->muted[0]);
    memcpy(faults->muted[faults->muted_count].client_id, intent->client_id, WEIR_ID_MAX);
    faults->muted[faults->muted_count++].kind = intent->msg.kind;
}

bool faults_of_request(struct faults *faults, const struct weir_intent *intent,
                       enum fault_kind *kind_out)
{
    size_t word = 0;
    while (word < WORDS && words[word].request != intent->msg.kind)
        word++;
    if (word == WORDS)
        return false; /* market data */
    for (size_t i = 0; i < faults->count; i++) {
        *kind_out = faults->list[i].kind;
        if (*kind_out > FAULT_DISCONNECT || !hits(&faults->list[i], word, intent->client_id))
            continue;
        if (*kind_out == FAULT_DROP_ACK || *kind_out == FAULT_ERROR)
            mute(faults, intent);
        spend(faults, i);
        return true;
    }
    return false;
}

static size_t word_of_event(uint16_t kind)
{
    for (size_t word = 0; word < WORDS; word++)
        for (size_t i = 0; i < 3; i++)
            if (words[word].answers[i] == kind)
                return word;
    return WORDS;
}

/* Both of a replace's ids are looked at: its answer may name either. */
static bool is_muted(struct faults *faults, uint16_t request, const char *client_id)
{
    for (size_t i = 0; i < faults->muted_count; i++) {
        if (faults->muted[i].kind != request ||
            (request != WEIR_REPLACE &&
             strncmp(faults->muted[i].client_id, client_id, WEIR_ID_MAX) != 0))
            continue;
        memmove(&faults->muted[i], &faults->muted[i + 1],
                (faults->muted_count - i - 1) * sizeof faults->muted[0]);
        faults->muted_count--;
        return true;
    }
    return false;
}

struct event_fate faults_of_event(struct faults *faults, const struct weir_msg *event)
{
    struct event_fate fate = {0};
    size_t word = word_of_event(event->kind);
    if (word == WORDS)
        return fate;
    const char *client_id = event->kind == WEIR_FILL
                                ? ((const struct weir_fill *)event)->client_id
                                : ((const struct weir_report *)event)->client_id;
    if (words[word].request && is_muted(faults, words[word].request, client_id)) {
        fate.drop = true;
        return fate;
    }
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->list[i];
        bool report = words[word].request == 0; /* a request ended its connection when it came */
        if (fault->kind < FAULT_DISCONNECT || (fault->kind == FAULT_DISCONNECT && !report) ||
            !hits(fault, word, client_id))
            continue;
        fate.disconnect = fault->kind == FAULT_DISCONNECT;
        fate.twice = fault->kind == FAULT_DUPLICATE;
        fate.delay_ms = fault->kind >= FAULT_DELAY ? fault->ms : 0;
        fate.alone = fault->kind == FAULT_REORDER;
        spend(faults, i);
        return fate;
    }
    return fate;
}
