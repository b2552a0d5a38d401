#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/support_market.h"

static int64_t parse(const char *text, int exp)
{
    int64_t value = 0;
    cr_assert_eq(decimal_parse(text, strlen(text), exp, &value), WEIR_OK, "%s", text);
    return value;
}

static void keep(struct market *market, const struct weir_msg *effect)
{
    if (market->effects_len + effect->size > market->effects_room) {
        market->effects_room = 2 * (market->effects_len + effect->size) + 65536;
        market->effects = realloc(market->effects, market->effects_room);
    }
    memcpy(market->effects + market->effects_len, effect, effect->size);
    market->effects_len += effect->size;
}

static void take(void *context, const struct weir_msg *effect)
{
    struct market *market = context;
    if (market->answer)
        script_answer_effect(market->answer, effect);
    if (market->cells)
        cells_see(market->cells, effect);
    keep(market, effect);
}

void market_apply(struct market *market, void *input)
{
    struct effect_sink sink = {take, market};
    struct weir_msg *msg = input;
    msg->t = market->now;
    engine_apply(market->engine, msg, ++market->seq, &sink);
    if (market->cells)
        cells_see(market->cells, msg);
}

/* --- the world -------------------------------------------------------------------------------- */

static weir_ns world_now(void *context)
{
    return ((struct market *)context)->now;
}

static void wish(struct market *market, struct script *script, void *input,
                 struct script_answer *answer)
{
    cr_assert(script_busy(script), "a wish comes from a running script");
    market->wishes++;
    if (market->refuse) {
        script_answer_refuse(answer, "CAPABILITY", "not today");
        return;
    }
    market->answer = answer;
    market_apply(market, input);
    market->answer = NULL;
}

static void world_submit(void *context, struct script *script, const struct in_submit *in,
                         struct script_answer *answer)
{
    struct in_submit copy = *in;
    cr_assert_eq(in->strategy, script_strategy(script));
    cr_assert_not(answer->accepted);
    wish(context, script, &copy, answer);
}

static void world_change(void *context, struct script *script, const struct in_change *in,
                         struct script_answer *answer)
{
    struct in_change copy = *in;
    cr_assert_eq(in->strategy, script_strategy(script));
    cr_assert(answer->accepted);
    wish(context, script, &copy, answer);
}

static const struct book *world_book(void *context, uint32_t instrument, enum book_state *state_out)
{
    struct market *market = context;
    struct market_view view = {0};
    engine_market(market->engine, instrument, &view);
    *state_out = view.book;
    return instrument == BTC ? market->book : NULL;
}

static void world_log(void *context, struct script *script, const char *line)
{
    struct market *market = context;
    if (!market->quiet)
        text_say(&market->log, "%s: %s\n", script_name(script), line);
}

static void world_alert(void *context, struct script *script, const struct script_alert *alert)
{
    struct market *market = context;
    text_say(&market->log, "%s: alert %s %s/%s %u: %s\n", script_name(script), alert->level,
             alert->venue, alert->symbol, alert->instrument, alert->text);
}

static void world_remark(void *context, struct script *script, const char *text)
{
    struct market *market = context;
    (void)script;
    text_say(&market->remarks, "%s\n", text);
}

static void world_publish(void *context, struct script *script,
                          const struct script_message *message)
{
    struct market *market = context;
    cr_assert_eq(strlen(message->json), message->json_len);
    cr_assert_str_eq(message->from, script_name(script));
    text_say(&market->log, "%s: published %s %s\n", message->from, message->topic, message->json);
    struct script_message *larger =
        realloc(market->published, (market->published_count + 1) * sizeof *market->published);
    if (!larger)
        return; /* as an owner without memory would: it is lost */
    market->published = larger;
    market->published[market->published_count] = *message;
    struct script_message *copy = &market->published[market->published_count++];
    copy->topic = strdup(message->topic);
    copy->text = strdup(message->text);
    copy->json = NULL;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void define(struct market *market, uint16_t kind, uint32_t number, uint32_t parent,
                   const char *name)
{
    struct in_define in = {.msg = {.size = sizeof in, .kind = kind},
                           .number = number,
                           .parent = parent,
                           .rights = RIGHT_ORDERS};
    strcpy(in.name, name);
    market_apply(market, &in);
}

static void instrument(struct market *market, uint32_t number, const char *symbol, const char *base)
{
    struct weir_instrument in = {.msg = {.size = sizeof in,
                                         .kind = WEIR_INSTRUMENT,
                                         .venue = 1,
                                         .account = 1,
                                         .instrument = number},
                                 .price_exp = 2,
                                 .qty_exp = 4,
                                 .multiplier = 1,
                                 .tick = 1,
                                 .step = 1};
    strcpy(in.symbol, symbol);
    strcpy(in.base, base);
    strcpy(in.quote, "USD");
    market_apply(market, &in);
}

void market_strategy(struct market *market, uint32_t number, const char *name)
{
    define(market, IN_DEFINE_STRATEGY, number, 1, name);
}

void market_limit(struct market *market, enum risk_scope scope, uint32_t id, enum risk_limit limit,
                  const char *value)
{
    amount number;
    cr_assert_eq(amount_parse(value, strlen(value), &number), WEIR_OK);
    struct in_limit in = {.msg = {.size = sizeof in, .kind = IN_LIMIT},
                          .scope = (uint8_t)scope,
                          .limit = (uint8_t)limit,
                          .how = LIMIT_VALUE,
                          .id = id,
                          .value = amount_pack(number)};
    market_apply(market, &in);
}

void market_open_cells(struct market *market, bool lockstep)
{
    struct why why;
    struct cells *cells;
    cr_assert_eq(cells_start(&cells, &why), WEIR_OK, "%s", why.text);
    market_open(market);
    market->cells = cells;
    cells_serve(cells, &(struct cells_owner){.context = market,
                                             .engine = market->engine,
                                             .book = world_book,
                                             .lockstep = lockstep});
}

void market_open(struct market *market)
{
    struct engine_sizes sizes = {.orders = 512,
                                 .executions = 512,
                                 .client_ids = 65536,
                                 .instruments = 8,
                                 .strategies = 256,
                                 .venues = 4,
                                 .accounts = 4,
                                 .assets = 16,
                                 .positions = 512};
    size_t bytes = engine_bytes(&sizes);
    memset(market, 0, sizeof *market);
    market->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(market->memory, 0, bytes);
    struct arena arena = {market->memory, (unsigned char *)market->memory + bytes};
    market->engine = engine_create(&arena, &sizes);
    market->now = 1700000000000000000;
    text_init(&market->log);
    text_init(&market->asked);
    text_init(&market->remarks);
    market->book_memory = aligned_alloc(64, (book_bytes(1024, 64) + 63) / 64 * 64);
    memset(market->book_memory, 0, book_bytes(1024, 64));
    market->book = book_init(market->book_memory, 1024, 64, 1);
    define(market, IN_DEFINE_VENUE, 1, 0, "sim");
    define(market, IN_DEFINE_ACCOUNT, 1, 1, "main");
    define(market, IN_DEFINE_GROUP, 1, 0, "g1");
    define(market, IN_DEFINE_STRATEGY, 1, 1, "s1");
    define(market, IN_DEFINE_STRATEGY, 2, 1, "s2");
    define(market, IN_DEFINE_STRATEGY, 3, 1, "s3");
    instrument(market, BTC, "BTC-USD", "BTC");
    instrument(market, ETH, "ETH-USD", "ETH");
    struct weir_cash wallet = {
        .msg = {.size = sizeof wallet, .kind = IN_WALLET, .venue = 1, .account = 1},
        .asset = "USD",
        .amount = amount_pack(amount_from(1000000, 0))};
    market_apply(market, &wallet);
    struct in_capabilities caps = {
        .msg = {.size = sizeof caps, .kind = IN_CAPABILITIES, .venue = 1},
        .order_types = 1u << WEIR_LIMIT | 1u << WEIR_MARKET,
        .tifs = 1u << WEIR_GTC | 1u << WEIR_IOC | 1u << WEIR_FOK,
        .order_flags = WEIR_POST_ONLY | WEIR_REDUCE_ONLY,
        .amend = 1,
        .emulate = 1};
    market_apply(market, &caps);
    market_limit(market, SCOPE_instrument, BTC, LIMIT_price_band_pct, "50");
    market_limit(market, SCOPE_instrument, BTC, LIMIT_max_order_qty, "100");
    market_limit(market, SCOPE_instrument, BTC, LIMIT_max_position, "1000");
    market_state(market, BTC, BOOK_LIVE);
    market_top(market, BTC, "49999.50", "50000.50");
}

static void drop_published(struct market *market)
{
    for (size_t i = 0; i < market->published_count; i++) {
        free((char *)market->published[i].topic);
        free((char *)market->published[i].text);
    }
    free(market->published);
    market->published = NULL;
    market->published_count = 0;
}

void market_close(struct market *market)
{
    for (int i = 0; i < MARKET_SCRIPTS; i++)
        script_destroy(market->scripts[i]);
    drop_published(market);
    cells_stop(market->cells);
    text_fini(&market->log);
    text_fini(&market->asked);
    text_fini(&market->remarks);
    free(market->effects);
    free(market->memory);
    free(market->book_memory);
    script_thread_fini(); /* its timer would interrupt the test's own system calls */
}

struct script_config market_config(const char *name, uint32_t strategy, const char *text)
{
    return (struct script_config){.name = name,
                                  .source = {name, text, strlen(text)},
                                  .strategy = strategy,
                                  .may_trade = true,
                                  .seed = 7};
}

struct script_world market_world(struct market *market)
{
    return (struct script_world){.context = market,
                                 .engine = market->engine,
                                 .now = world_now,
                                 .submit = world_submit,
                                 .change = world_change,
                                 .book = world_book,
                                 .log = world_log,
                                 .remark = world_remark,
                                 .alert = world_alert,
                                 .publish = world_publish};
}

struct script *market_add(struct market *market, const struct script_config *config)
{
    struct script_world world = market_world(market);
    struct why why;
    struct script_config in = *config;
    in.cells = market->cells;
    for (int i = 0; i < MARKET_SCRIPTS; i++)
        if (!market->scripts[i]) {
            cr_assert_eq(script_create(&in, &world, &market->scripts[i], &why), WEIR_OK, "%s",
                         why.text);
            return market->scripts[i];
        }
    cr_assert_fail("too many scripts");
    return NULL;
}

struct script *market_script(struct market *market, const char *text)
{
    struct script_config config = market_config("s1", 1, text);
    struct script *script = market_add(market, &config);
    script_start(script);
    market_settle(market);
    return script;
}

/* --- the venue -------------------------------------------------------------------------------- */

static void note(struct market *market, const char *verb, const struct weir_intent *intent)
{
    char px[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX];
    struct order_view view = {0};
    engine_order(market->engine, intent->order, &view);
    decimal_print(intent->px, 2, px);
    decimal_print(intent->qty, 4, qty);
    if (!market->quiet)
        text_say(&market->asked, "%s %s %s %s @ %s%s\n", verb,
                 engine_name(market->engine, SCOPE_strategy, view.order.strategy),
                 intent->side == WEIR_BUY ? "buy" : "sell", qty, px,
                 intent->flags & WEIR_POST_ONLY ? " post" : "");
}

static void answer(struct market *market, uint16_t kind, const struct weir_intent *intent)
{
    struct weir_report report = {.msg = {.size = sizeof report,
                                         .kind = kind,
                                         .venue = 1,
                                         .account = 1,
                                         .instrument = intent->msg.instrument}};
    memcpy(report.client_id, intent->client_id, sizeof report.client_id);
    snprintf(report.venue_id, sizeof report.venue_id, "v%u", intent->order);
    if (!market->mute)
        market_apply(market, &report);
}

static void carry_out(struct market *market, const struct weir_msg *msg)
{
    const struct weir_intent *intent = (const struct weir_intent *)msg;
    switch (msg->kind) {
    case WEIR_NEW:
        market->news++;
        note(market, "new", intent);
        answer(market, WEIR_ACK, intent);
        break;
    case WEIR_CANCEL:
        market->cancels++;
        note(market, "cancel", intent);
        answer(market, WEIR_CANCELED, intent);
        break;
    case WEIR_REPLACE:
        market->replaces++;
        note(market, "replace", intent);
        answer(market, WEIR_REPLACED, intent);
        break;
    default:
        for (int i = 0; i < MARKET_SCRIPTS; i++)
            if (market->scripts[i])
                script_event(market->scripts[i], msg);
    }
}

static void tell_published(struct market *market)
{
    struct script_message *told = market->published;
    size_t count = market->published_count;
    market->published = NULL;
    market->published_count = 0;
    for (size_t i = 0; i < count; i++) {
        for (int s = 0; s < MARKET_SCRIPTS; s++)
            if (market->scripts[s] && strcmp(script_name(market->scripts[s]), told[i].from) != 0)
                script_message(market->scripts[s], &told[i]);
        free((char *)told[i].topic);
        free((char *)told[i].text);
    }
    free(told);
    if (count > 0)
        market_settle(market);
}

void market_settle(struct market *market)
{
    _Alignas(16) unsigned char copy[16384];
    while (market->effects_done < market->effects_len) {
        const struct weir_msg *at = (const void *)(market->effects + market->effects_done);
        cr_assert_leq(at->size, sizeof copy);
        memcpy(copy, at, at->size); /* the array may move while it is carried out */
        market->effects_done += at->size;
        carry_out(market, (const struct weir_msg *)copy);
    }
    market->effects_len = market->effects_done = 0;
    tell_published(market);
}

/* --- what happens ----------------------------------------------------------------------------- */

static void happen(struct market *market, void *input)
{
    struct weir_msg *msg = input;
    market_apply(market, input);
    market_settle(market);
    for (int i = 0; i < MARKET_SCRIPTS; i++)
        if (market->scripts[i] && script_wants(market->scripts[i], msg->kind, msg->instrument)) {
            script_event(market->scripts[i], msg);
            market_settle(market);
        }
}

void market_top(struct market *market, uint32_t instrument, const char *bid, const char *ask)
{
    struct weir_top top = {.msg = {.size = sizeof top,
                                   .kind = WEIR_TOP,
                                   .venue = 1,
                                   .account = 1,
                                   .instrument = instrument},
                           .seq = market->seq,
                           .bid = parse(bid, 2),
                           .ask = parse(ask, 2),
                           .bid_qty = 10000,
                           .ask_qty = 20000};
    if (instrument == BTC) {
        book_clear(market->book);
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(book_set(market->book, WEIR_BUY, top.bid - i * 50, 10000 * (i + 1)),
                         WEIR_OK);
            cr_assert_eq(book_set(market->book, WEIR_SELL, top.ask + i * 50, 20000 * (i + 1)),
                         WEIR_OK);
        }
    }
    happen(market, &top);
}

void market_trade(struct market *market, uint32_t instrument, const char *px, const char *qty)
{
    struct weir_trade trade = {.msg = {.size = sizeof trade,
                                       .kind = WEIR_TRADE,
                                       .venue = 1,
                                       .account = 1,
                                       .instrument = instrument},
                               .id = market->seq,
                               .px = parse(px, 2),
                               .qty = parse(qty, 4),
                               .aggressor = WEIR_SELL};
    happen(market, &trade);
}

void market_state(struct market *market, uint32_t instrument, enum book_state state)
{
    struct in_state in = {.msg = {.size = sizeof in,
                                  .kind = IN_BOOK_STATE,
                                  .venue = 1,
                                  .account = 1,
                                  .instrument = instrument},
                          .value = state};
    happen(market, &in);
}

void market_fill(struct market *market, const char *cid, const char *px, const char *qty)
{
    struct order_view view;
    cr_assert(engine_order(market->engine, engine_order_find(market->engine, cid), &view), "%s",
              cid);
    struct weir_fill fill = {.msg = {.size = sizeof fill,
                                     .kind = WEIR_FILL,
                                     .venue = 1,
                                     .account = 1,
                                     .instrument = view.order.msg.instrument},
                             .qty = parse(qty, 4),
                             .px = parse(px, 2),
                             .side = view.order.side,
                             .fee = amount_pack(amount_from(5, 1)),
                             .fee_asset = "USD",
                             .maker = 1};
    memcpy(fill.client_id, view.order.wire_id, sizeof fill.client_id);
    snprintf(fill.exec_id, sizeof fill.exec_id, "x%llu", (unsigned long long)++market->fills);
    market_apply(market, &fill);
    market_settle(market);
}

void market_wait(struct market *market, weir_ns ns)
{
    weir_ns until = market->now + ns;
    for (;;) {
        weir_ns next = INT64_MAX;
        struct script *due = NULL;
        for (int i = 0; i < MARKET_SCRIPTS; i++)
            if (market->scripts[i] && script_next_timer(market->scripts[i]) < next) {
                due = market->scripts[i];
                next = script_next_timer(due);
            }
        if (next > until)
            break;
        market->now = next > market->now ? next : market->now;
        script_timer(due);
        market_settle(market);
    }
    market->now = until;
}

/* --- what was said ---------------------------------------------------------------------------- */

static const char *since(struct text *text)
{
    static char *kept[2];
    static int turn;
    turn = !turn;
    free(kept[turn]);
    kept[turn] = strdup(text_cstr(text));
    text_fini(text);
    text_init(text);
    return kept[turn];
}

const char *market_log(struct market *market)
{
    return since(&market->log);
}

const char *market_asked(struct market *market)
{
    return since(&market->asked);
}

const char *market_remarks(struct market *market)
{
    return since(&market->remarks);
}
