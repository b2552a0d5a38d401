/* names.h - what orders are called: by their askers, on the wire, by the venue. Private to host/engine.
 * See names.c.                                                                  [engine thread] */
#ifndef WEIR_ENGINE_NAMES_H
#define WEIR_ENGINE_NAMES_H

#include "base/map.h"
#include "engine/engine.h"

struct engine;

/* A name that an order has had. */
struct name {
    struct key128 key;
    uint32_t next;
    uint32_t kind; /* enum name_kind */
};
enum name_kind {
    NAME_FREE = 0, /* the place is free */
    NAME_CID,
    NAME_WIRE,
    NAME_VENUE,
    NAME_FOREIGN /* a client order id that is shorter or longer than ours */
};

/* Where a client order id leads to. */
struct wire {
    struct key128 key; /* its characters */
    uint32_t order;    /* 0: the place is free */
    uint32_t pad;
};

enum key_space {
    KEY_CID = 1,
    KEY_WIRE,
    KEY_VENUE,
    KEY_EXEC,
    KEY_FUNDING,
    KEY_TRANSFER,
    KEY_SYMBOL,
    KEY_ASSET
};
struct key128 key_for(enum key_space space, const char *text, size_t most, uint64_t with);
/* Make the next client order id. False: the reserved block is used up. */
bool wire_make(struct engine *engine, uint32_t strategy, char out[WEIR_ID_MAX]);
bool wire_parse(const struct engine *engine, const char *text, uint32_t *strategy_out,
                int64_t *counter_out);
bool wire_room(const struct engine *engine);
struct key128 wire_key(const char *text);
struct key128 cid_key(const char *cid);
bool cid_is_used(const struct engine *engine, const char *cid, struct key128 key);
bool cid_keep(struct engine *engine, const char *cid, uint32_t n);  /* false: full */
bool name_room(struct engine *engine, uint32_t n, uint32_t wanted); /* makes room by its oldest */
enum { NAMES_RESERVED = 3, NAMES_MOST = 64 };                       /* of each order */
bool name_add(struct engine *engine, uint32_t n, enum name_kind kind, const char *text);
bool name_put(struct engine *engine, uint32_t n, enum name_kind kind, struct key128 key,
              const char *text); /* its key is known */
void names_forget(struct engine *engine, uint32_t n);
void names_fetch(const struct engine *engine, uint32_t n);
uint32_t order_of_cid(const struct engine *engine, const char *name);
uint32_t order_of_wire(const struct engine *engine, const char *wire);
/* ids of replaces that came to nothing, once another replace was asked */
bool wire_is_void(const struct engine *engine, const char *wire);
void wire_void(struct engine *engine, const char *wire, uint32_t n);
uint32_t order_of_venue(const struct engine *engine, uint32_t instrument, const char *vid);
struct key128 venue_key(uint32_t instrument, const char *vid);
uint32_t venue_owner(const struct engine *engine, struct key128 key); /* 0: none */
void venue_fetch(const struct engine *engine, struct key128 key);

#endif
