/* caps.c - what a venue can do, what of the rest is kept here, and what nobody can do.
 *
 * KEPT      stops, stop-limits, take-profits, trailing stops, GTD and DAY where the venue lacks them and
 *           config lets us stand in for it [venue_caps.emulate]; icebergs always, since what is not shown
 *           is nobody's business but ours; and all of it inside, where no venue is asked.
 * REFUSED   everything else, by CAPABILITY: a type, a time in force or a flag is never dropped. */
#include "engine/define.h"
#include "engine/inputs.h"
#include "engine/state.h"
#include "engine/tell.h"

enum {
    PLAIN_TYPES = 1 << WEIR_LIMIT | 1 << WEIR_MARKET,
    PLAIN_TIFS = 1 << WEIR_GTC | 1 << WEIR_IOC | 1 << WEIR_FOK,
    OUR_TYPES = TRIGGER_TYPES | 1 << WEIR_ICEBERG,
    OUR_TIFS = 1 << WEIR_GTD | 1 << WEIR_DAY
};

void apply_capabilities(struct engine *engine, const void *input)
{
    const struct in_capabilities *in = input;
    if (!scope_at(engine, SCOPE_venue, in->msg.venue)) {
        tell_anomaly(engine, 0, 0, "capabilities of a venue that is not known");
        return;
    }
    engine->caps[in->msg.venue] = (struct venue_caps){.types = in->order_types,
                                                      .tifs = in->tifs,
                                                      .flags = (uint8_t)in->order_flags,
                                                      .amend = in->amend,
                                                      .emulate = in->emulate,
                                                      .told = 1};
}

static const struct venue_caps *caps_of(const struct engine *engine, uint16_t venue)
{
    static const struct venue_caps everything = {UINT32_MAX, UINT32_MAX, UINT8_MAX, 1, 1, 0},
                                   plain = {PLAIN_TYPES, PLAIN_TIFS, UINT8_MAX, 1, 0, 0};
    if (venue < engine->sizes.venues && engine->caps[venue].told)
        return &engine->caps[venue];
    return strict(engine) ? &plain : &everything;
}

bool venue_amends(const struct engine *engine, uint16_t venue)
{
    return caps_of(engine, venue)->amend;
}

/* Neither the venue's, nor to be seen by it. */
bool type_is_ours(const struct engine *engine, uint16_t venue, uint8_t route, uint8_t type)
{
    if (type == WEIR_ICEBERG)
        return true;
    return (OUR_TYPES >> type & 1) &&
           (route != ROUTE_VENUE || !(caps_of(engine, venue)->types >> type & 1));
}

bool end_is_ours(const struct engine *engine, uint16_t venue, uint8_t route, uint8_t tif)
{
    return (OUR_TIFS >> tif & 1) &&
           (route != ROUTE_VENUE || !(caps_of(engine, venue)->tifs >> tif & 1));
}

/* The venue can do all of it, or we may do for it what it cannot. */
bool can_keep(const struct engine *engine, const struct in_submit *in)
{
    const struct venue_caps *caps = caps_of(engine, in->msg.venue);
    bool inside = in->route == ROUTE_INTERNAL, ours = inside || caps->emulate;
    bool type = inside || (caps->types >> in->type & 1),
         tif = inside || (caps->tifs >> in->tif & 1);
    if (in->type == WEIR_ICEBERG && in->route != ROUTE_VENUE)
        return false;
    if (type_is_ours(engine, in->msg.venue, in->route, in->type))
        type = ours;
    if (end_is_ours(engine, in->msg.venue, in->route, in->tif))
        tif = ours;
    return type && tif && (inside || !(in->flags & ~caps->flags));
}
