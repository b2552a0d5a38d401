/* facts.h - which leaves of a golden document were compared: each is marked where it is, and what was not is
 * listed by name. A leaf that only says what was asked (a side, a size, a rule) is no fact. */
#ifndef TESTS_SUPPORT_FACTS_H
#define TESTS_SUPPORT_FACTS_H

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { FACT_COMPARED = 1 << 16 }; /* in cJSON's type, which uses the bits below */

struct facts {
    unsigned compared, asked, left;
};

/* Compared: it was equal, or the test has failed. */
static inline void fact_compared(const cJSON *leaf)
{
    if (leaf)
        ((cJSON *)(uintptr_t)leaf)->type |= FACT_COMPARED;
}

/* Words of `asked`, with spaces around each, name leaves that are no facts. */
static inline void facts_count(const cJSON *item, const char *path, const char *asked,
                               struct facts *facts)
{
    char name[256], word[80];
    const cJSON *child;
    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
        int n = 0;
        cJSON_ArrayForEach(child, item)
        {
            if (child->string)
                (void)snprintf(name, sizeof name, "%s/%s", path, child->string);
            else
                (void)snprintf(name, sizeof name, "%s/%d", path, n++);
            facts_count(child, name, asked, facts);
        }
        return;
    }
    const char *last = strrchr(path, '/');
    (void)snprintf(word, sizeof word, " %s ", item->string ? item->string : last ? last + 1 : path);
    bool of_list = !item->string && strstr(path, "/venues/");
    if (item->type & FACT_COMPARED) {
        facts->compared++;
    } else if (of_list || strstr(asked, word)) {
        facts->asked++;
    } else {
        facts->left++;
        printf("not compared: %s\n", path);
    }
}

#endif
