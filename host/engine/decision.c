/* decision.c - reading a decision: each check with what it read, its limit and its scope.
 *
 * What most orders have most of (a question that was answered with 0, as it should be) is one bit; what
 * is left are entries of whole words. Both are sorted by check, which is the order of evaluation, so
 * that the two together are one list.                                                [decision_next] */
#include <string.h>

#include "engine/riskview.h"

struct decision_walk decision_begin(const struct out_decision *decision)
{
    return (struct decision_walk){
        .decision = decision,
        .zeros = decision->zeros,
        .at = decision->words,
        .end = (const uint64_t *)(const void *)((const char *)decision + decision->msg.size)};
}

static struct reading_head head_at(const uint64_t *word)
{
    struct reading_head head;
    memcpy(&head, word, sizeof head);
    return head;
}

static bool next_zero(struct decision_walk *walk, struct risk_reading *out)
{
    unsigned check = (unsigned)__builtin_ctzll(walk->zeros);
    uint8_t scope = risk_usual_scope((enum risk_check)check);
    walk->zeros &= walk->zeros - 1;
    *out = (struct risk_reading){
        .check = (uint8_t)check, .scope = scope, .id = walk->decision->ids[scope]};
    return true;
}

bool decision_next(struct decision_walk *walk, struct risk_reading *out)
{
    if (!walk->left) {
        struct reading_head head = {.check = UINT8_MAX};
        if (walk->at < walk->end)
            head = head_at(walk->at);
        if (walk->zeros && (unsigned)__builtin_ctzll(walk->zeros) < head.check)
            return next_zero(walk, out);
        if (walk->at >= walk->end)
            return false;
        walk->at++;
        walk->head = head;
        walk->left = head.scopes;
        if (!head.own)
            walk->value = (int64_t)*walk->at++;
    }
    uint8_t scope = (uint8_t)__builtin_ctz(walk->left);
    walk->left &= (uint8_t)(walk->left - 1);
    if (walk->head.own)
        walk->value = (int64_t)*walk->at++;
    *out = (struct risk_reading){.check = walk->head.check,
                                 .scope = scope,
                                 .exp = walk->head.exp,
                                 .failed = walk->head.failed >> scope & 1,
                                 .id = walk->decision->ids[scope],
                                 .value = walk->value,
                                 .limit = (int64_t)*walk->at++};
    return true;
}

uint32_t decision_count(const struct out_decision *decision)
{
    struct decision_walk walk = decision_begin(decision);
    struct risk_reading reading;
    uint32_t count = 0;
    while (decision_next(&walk, &reading))
        count++;
    return count;
}

bool decision_refusal(const struct out_decision *decision, struct risk_reading *reading_out)
{
    struct decision_walk walk = decision_begin(decision);
    while (!decision->allowed && decision_next(&walk, reading_out))
        if (reading_out->failed && reading_out->check == decision->reason)
            return true;
    return false;
}

static size_t count_of(uint8_t scopes)
{
    size_t count = 0;
    for (; scopes; scopes &= (uint8_t)(scopes - 1))
        count++;
    return count;
}

bool decision_is_whole(const struct out_decision *decision, uint64_t bytes)
{
    if (bytes < sizeof *decision || bytes % sizeof(uint64_t) != 0)
        return false;
    size_t left = (size_t)(bytes - sizeof *decision) / sizeof(uint64_t);
    const uint64_t *at = decision->words;
    while (left > 0) {
        struct reading_head head = head_at(at);
        size_t scopes = count_of(head.scopes);
        size_t words = 1 + (head.own ? 2 * scopes : 1 + scopes);
        if (scopes == 0 || head.scopes >> RISK_SCOPE_COUNT != 0 || words > left)
            return false;
        at += words;
        left -= words;
    }
    return true;
}
