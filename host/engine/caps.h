/* caps.h - what a venue can do, and what is kept here for it. Private to host/engine. See caps.c.
 *                                                                               [engine thread] */
#ifndef WEIR_ENGINE_CAPS_H
#define WEIR_ENGINE_CAPS_H

#include "engine/engine.h"

struct engine;

struct venue_caps {
    uint32_t types, tifs; /* 1 << enum weir_order_type, weir_tif */
    uint8_t flags;        /* enum weir_order_flags */
    uint8_t amend;
    uint8_t emulate; /* what it lacks, and we can keep, is kept here */
    uint8_t told;    /* 0: nothing was said */
};

bool can_keep(const struct engine *engine, const struct in_submit *in); /* the venue, or we */
bool venue_amends(const struct engine *engine, uint16_t venue);
bool type_is_ours(const struct engine *engine, uint16_t venue, uint8_t route, uint8_t type);
bool end_is_ours(const struct engine *engine, uint16_t venue, uint8_t route, uint8_t tif);

#endif
