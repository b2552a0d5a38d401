/* trail.c - two running hashes. */
#include "control/report/trail.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/effect.h"

struct trail {
    struct sha256 *orders, *fills, *whole;
};

struct trail *trail_create(bool whole)
{
    struct trail *trail = calloc(1, sizeof *trail);
    if (!trail)
        return NULL;
    trail->orders = sha256_create();
    trail->fills = sha256_create();
    trail->whole = whole ? sha256_create() : NULL;
    if (trail->orders && trail->fills && !whole == !trail->whole)
        return trail;
    trail_destroy(trail);
    return NULL;
}

void trail_destroy(struct trail *trail)
{
    if (!trail)
        return;
    sha256_destroy(trail->orders);
    sha256_destroy(trail->fills);
    sha256_destroy(trail->whole);
    free(trail);
}

void trail_input(struct trail *trail, const struct weir_msg *input)
{
    if (trail->whole)
        sha256_add(trail->whole, input, input->size);
}

void trail_effect(struct trail *trail, const struct weir_msg *effect)
{
    trail_input(trail, effect);
    struct sha256 *sha = effect->kind == OUT_ORDER       ? trail->orders
                         : effect->kind == OUT_EXECUTION ? trail->fills
                                                         : NULL;
    if (!sha)
        return;
    struct weir_msg head = *effect;
    head.cause = 0;
    sha256_add(sha, &head, sizeof head);
    sha256_add(sha, effect + 1, effect->size - sizeof head);
}

void trail_whole(const struct trail *trail, char hex[65])
{
    unsigned char sum[32];
    hex[0] = '\0';
    if (!trail->whole)
        return;
    sha256_value(trail->whole, sum);
    hex_print(sum, sizeof sum, hex);
}

static void hash_json(const struct sha256 *sha, const char *key, struct text *out)
{
    unsigned char sum[32];
    char hex[65];
    sha256_value(sha, sum);
    hex_print(sum, sizeof sum, hex);
    json_key(out, key);
    json_string(out, hex);
}

void trail_json(const struct trail *trail, struct text *out)
{
    hash_json(trail->orders, "orders_hash", out);
    hash_json(trail->fills, "fills_hash", out);
}
