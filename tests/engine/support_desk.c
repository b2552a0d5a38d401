/* support_desk.c - an engine with a venue, an account and a few instruments, ready to be told stories. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/support_story.h"

struct engine_sizes desk_sizes(void)
{
    return (struct engine_sizes){.orders = 64,
                                 .executions = 64,
                                 .client_ids = 4096,
                                 .instruments = 8,
                                 .strategies = 8,
                                 .venues = 2,
                                 .accounts = 2,
                                 .assets = 16,
                                 .positions = 64};
}

static void take(void *context, const struct weir_msg *effect)
{
    struct desk *desk = context;
    cr_assert(effect->size >= sizeof *effect && effect->size % 8 == 0, "effect %u of %u bytes",
              effect->kind, effect->size);
    cr_assert_eq(effect->cause, desk->seq);
    if (effect->kind == OUT_DECISION) {
        memcpy(desk->decision, effect, effect->size);
        strcpy(desk->denied, desk->decision->allowed
                                 ? ""
                                 : risk_check_name((enum risk_check)desk->decision->reason));
    }
    if (!desk->keep_effects)
        return;
    if (desk->effects_len + effect->size > desk->effects_room) {
        desk->effects_room = 2 * desk->effects_room + 65536;
        desk->effects = realloc(desk->effects, desk->effects_room);
    }
    memcpy(desk->effects + desk->effects_len, effect, effect->size);
    desk->effects_len += effect->size;
}

void desk_apply(struct desk *desk, void *input)
{
    struct effect_sink sink = {take, desk};
    struct weir_msg *msg = input;
    msg->t = desk->now;
    desk->seq++;
    engine_apply(desk->engine, msg, desk->seq, &sink);
}

static void define(struct desk *desk, uint16_t kind, uint32_t number, uint32_t parent,
                   const char *name)
{
    struct in_define in = {.msg = {.size = sizeof in, .kind = kind},
                           .number = number,
                           .parent = parent,
                           .rights = RIGHT_ORDERS};
    strcpy(in.name, name);
    desk_apply(desk, &in);
}

static void instrument(struct desk *desk, uint32_t number, const char *symbol, const char *base,
                       uint8_t kind, int64_t multiplier)
{
    struct weir_instrument in = {.msg = {.size = sizeof in,
                                         .kind = WEIR_INSTRUMENT,
                                         .venue = 1,
                                         .account = 1,
                                         .instrument = number},
                                 .kind = kind,
                                 .price_exp = 2,
                                 .qty_exp = 3,
                                 .multiplier = multiplier,
                                 .tick = 1,
                                 .step = 1};
    strcpy(in.symbol, symbol);
    strcpy(in.base, base);
    strcpy(in.quote, "USDT");
    desk_apply(desk, &in);
}

void desk_open(struct desk *desk, const struct engine_sizes *sizes)
{
    size_t bytes = engine_bytes(sizes);
    memset(desk, 0, sizeof *desk);
    desk->sizes = *sizes;
    desk->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(desk->memory, 0, bytes);
    struct arena arena = {desk->memory, (unsigned char *)desk->memory + bytes};
    desk->engine = engine_create(&arena, sizes);
    cr_assert_not_null(desk->engine, "engine_bytes is too small");
    desk->decision = calloc(1, 8192);
    desk->now = 1000000000;
    define(desk, IN_DEFINE_VENUE, 1, 0, "venue");
    define(desk, IN_DEFINE_ACCOUNT, 1, 1, "account");
    define(desk, IN_DEFINE_GROUP, 1, 0, "g1");
    define(desk, IN_DEFINE_STRATEGY, 1, 1, "s1");
    define(desk, IN_DEFINE_STRATEGY, 2, 1, "s2");
    define(desk, IN_DEFINE_STRATEGY, 3, 0, "s3");
    instrument(desk, ON_X, "X", "X", WEIR_SPOT, 1);
    instrument(desk, ON_Y, "Y", "Y", WEIR_SPOT, 1);
    instrument(desk, ON_P, "P", "P", WEIR_LINEAR, 10);
    instrument(desk, ON_I, "I", "I", WEIR_INVERSE, 100);
    struct weir_cash wallet = {
        .msg = {.size = sizeof wallet, .kind = IN_WALLET, .venue = 1, .account = 1},
        .asset = "USDT",
        .amount = amount_pack(amount_from(10000, 0))};
    desk_apply(desk, &wallet);
}

void desk_move(struct desk *desk)
{
    size_t bytes = (engine_bytes(&desk->sizes) + 63) / 64 * 64;
    size_t image = engine_image_bytes(&desk->sizes);
    unsigned char *memory = aligned_alloc(64, bytes);
    cr_assert(memory && image <= bytes && (void *)desk->engine == desk->memory);
    engine_freeze(desk->engine);
    memset(memory + image, 0, bytes - image);
    memcpy(memory, desk->memory, image);
    free(desk->memory);
    desk->memory = memory;
    desk->engine = (struct engine *)(void *)memory;
    engine_thaw(desk->engine);
}

void desk_close(struct desk *desk)
{
    free(desk->memory);
    free(desk->decision);
    free(desk->effects);
}

const char *desk_cid(const struct desk *desk, const char *name)
{
    static char cid[WEIR_ID_MAX];
    struct order_view view = {0};
    size_t len = strlen(name);
    if (len < 2 || name[len - 1] != '/')
        return name;
    snprintf(cid, sizeof cid, "%.*s", (int)len - 1, name);
    if (engine_order(desk->engine, engine_order_find(desk->engine, cid), &view) &&
        view.hold.msg.size)
        (void)engine_order(desk->engine, view.hold.other, &view);
    memcpy(cid, view.order.cid, sizeof cid);
    return cid;
}

const char *desk_wire(const struct desk *desk, const char *cid)
{
    static char wire[WEIR_ID_MAX];
    struct order_view view;
    cid = desk_cid(desk, cid);
    if (engine_order_by_wire(desk->engine,
                             cid)) /* a wire id already, perhaps a former or a next one */
        return cid;
    if (!engine_order(desk->engine, engine_order_find(desk->engine, cid), &view) ||
        !view.order.wire_id[0])
        return cid;
    memcpy(wire, view.order.wire_id, sizeof wire);
    return wire;
}

static int64_t parse(const char *text, int exp)
{
    int64_t value = 0;
    cr_assert_eq(decimal_parse(text, strlen(text), exp, &value), WEIR_OK,
                 "'%s' is not a number with %d places", text, exp);
    return value;
}

int64_t px_of(const char *text)
{
    return parse(text, 2);
}
int64_t qty_of(const char *text)
{
    return parse(text, 3);
}
