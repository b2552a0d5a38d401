/* paper.c - our orders laid over somebody else's market.
 *
 * The match holds our orders, and beside them only the displayed sizes that matter to them:
 *
 *   (1) Where an order of ours rests, the displayed size stands in its queue, and follows the data
 *       by the queue model, until the last of ours has left that price. [paper_book, tidy]
 *   (2) While an order arrives, what is displayed on the other side is laid out as far as it can
 *       reach, and taken away again; what it took of it is remembered. [lay_out, take_in]
 *
 * So a book message costs nothing while we have no order there, and a taker meets our own orders
 * and the market's in one queue, as it would at the venue. The prices of the match are the prices
 * of the book, whose ticks may change. */
#include "sim/paper.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/desk/desk.h"

enum { LAID_MAX = 4096, TAKEN_MAX = 1024, WINDOW = 64, FLIGHT = 1024 };

/* A level laid out for an order that is arriving. */
struct laid {
    weir_px px;
    weir_qty qty;
};

/* What orders of ours took of a displayed level since data last named it. */
struct taken {
    uint32_t instrument;
    uint8_t side;
    weir_px px;
    weir_qty qty;
};

struct market {
    const struct book *book; /* NULL: none yet */
    struct weir_top top;     /* read while there is no book */
    weir_px mark;            /* 0: none was told */
    uint32_t taken;          /* how many of paper.taken are of this one */
    bool by_orders;          /* the venue shows single orders */
    uint64_t last_id;        /* of them; ids rise with arrival */
};

struct paper {
    void *memory;
    size_t bytes;
    struct desk *desk;
    struct match *match;
    struct market *markets; /* by instrument */
    uint32_t instruments;
    uint16_t venue, account;
    enum match_queue queue;
    int64_t funding_rate; /* counts of 10^-12 */
    weir_ns funding_every, funding_next;
    weir_ns now;
    void *context;
    void (*emit)(void *context, const struct weir_msg *event);
    uint64_t *arrived; /* by number in the match: the venue's last order when it came */
    uint32_t touched;  /* the instrument of the last touch */
    uint64_t leaving;  /* the order whose place is looked for */
    uint32_t laid_count, taken_count;
    struct laid laid[LAID_MAX];
    struct taken taken[TAKEN_MAX];
};

static const struct {
    const char *name;
    enum match_queue queue;
} queues[] = {
#define X(name, queue) {#name, queue},
    PAPER_QUEUES(X)
#undef X
};

bool paper_queue_is(const char *name)
{
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
        if (strcmp(queues[i].name, name) == 0)
            return true;
    return false;
}

enum match_queue paper_queue_of(const char *name)
{
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
        if (strcmp(queues[i].name, name) == 0)
            return queues[i].queue;
    return MATCH_QUEUE_BEHIND;
}

const struct weir_caps *paper_caps(void)
{
    static const struct weir_caps caps = {.size = sizeof caps,
                                          .order_types = 1u << WEIR_LIMIT | 1u << WEIR_MARKET,
                                          .tifs = 1u << WEIR_GTC | 1u << WEIR_IOC | 1u << WEIR_FOK,
                                          .order_flags = WEIR_POST_ONLY | WEIR_REDUCE_ONLY,
                                          .orders = 1,
                                          .amend = 1,
                                          .cancel_all = 1,
                                          .query_by_client_id = 1,
                                          .open_orders = 1,
                                          .fills_since = 1,
                                          .client_id_max = WEIR_ID_MAX - 1,
                                          .absence_proves_after = 5000000000};
    return &caps;
}

/* --- what is displayed -------------------------------------------------------------------------*/

static bool top_of(const struct weir_top *top, enum weir_side side, struct weir_level *level_out)
{
    level_out->px = side == WEIR_BUY ? top->bid : top->ask;
    level_out->qty = side == WEIR_BUY ? top->bid_qty : top->ask_qty;
    return level_out->px > 0 && level_out->qty > 0;
}

static bool best(const struct market *market, enum weir_side side, struct weir_level *level_out)
{
    return market->book ? book_best(market->book, side, level_out)
                        : top_of(&market->top, side, level_out);
}

static bool next(const struct market *market, enum weir_side side, struct weir_level *level)
{
    return market->book && book_next(market->book, side, level->px, level);
}

static weir_qty displayed(const struct market *market, enum weir_side side, weir_px px)
{
    struct weir_level level;
    if (market->book)
        return book_at(market->book, side, px);
    return top_of(&market->top, side, &level) && level.px == px ? level.qty : 0;
}

/* --- what we took of it ------------------------------------------------------------------------*/

static struct taken *find_taken(struct paper *paper, uint32_t instrument, uint8_t side, weir_px px)
{
    if (paper->markets[instrument].taken == 0)
        return NULL;
    for (uint32_t i = 0; i < paper->taken_count; i++) {
        struct taken *t = &paper->taken[i];
        if (t->instrument == instrument && t->side == side && t->px == px)
            return t;
    }
    return NULL;
}

static void drop_taken(struct paper *paper, struct taken *taken)
{
    if (!taken)
        return;
    paper->markets[taken->instrument].taken--;
    *taken = paper->taken[--paper->taken_count];
}

static void drop_all_taken(struct paper *paper, uint32_t instrument)
{
    for (uint32_t i = paper->taken_count; i > 0 && paper->markets[instrument].taken > 0; i--)
        if (paper->taken[i - 1].instrument == instrument)
            drop_taken(paper, &paper->taken[i - 1]);
}

static void add_taken(struct paper *paper, uint32_t instrument, uint8_t side, weir_px px,
                      weir_qty qty)
{
    struct taken *taken = find_taken(paper, instrument, side, px);
    if (taken) {
        taken->qty += qty;
        return;
    }
    if (paper->taken_count == TAKEN_MAX) /* data has not named it for long: it may be there again */
        drop_taken(paper, &paper->taken[0]);
    paper->taken[paper->taken_count++] = (struct taken){instrument, side, px, qty};
    paper->markets[instrument].taken++;
}

static weir_qty available(struct paper *paper, uint32_t instrument, enum weir_side side, weir_px px,
                          weir_qty shown)
{
    const struct taken *taken = find_taken(paper, instrument, (uint8_t)side, px);
    return taken ? (shown > taken->qty ? shown - taken->qty : 0) : shown;
}

/* --- the overlay -------------------------------------------------------------------------------*/

static bool is_ours(const struct paper *paper, uint32_t instrument, enum weir_side side, weir_px px)
{
    return match_has_orders(paper->match, instrument - 1, side, px);
}

static bool set_house(struct paper *paper, uint32_t instrument, enum weir_side side, weir_px px,
                      weir_qty qty, enum match_queue queue)
{
    return match_house_set(paper->match, instrument - 1, side, px, qty, queue);
}

/* Where no order of ours rests, nothing of the market is kept. */
static void tidy(struct paper *paper, uint32_t instrument, enum weir_side side, weir_px px)
{
    if (!is_ours(paper, instrument, side, px))
        (void)set_house(paper, instrument, side, px, 0, MATCH_QUEUE_BACK);
}

/* Lay out what an order of `side` with this limit and quantity can meet. Where there is no room for
 * more levels, the market ends. */
static void lay_out(struct paper *paper, const struct desk_touch *touch)
{
    const struct market *market = &paper->markets[touch->instrument];
    enum weir_side other = touch->side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    struct weir_level level;
    weir_qty need = touch->qty;

    paper->laid_count = 0;
    for (bool more = best(market, other, &level); more && need > 0 && paper->laid_count < LAID_MAX;
         more = next(market, other, &level)) {
        if (touch->side == WEIR_BUY ? level.px > touch->px : level.px < touch->px)
            break;
        weir_qty qty = match_house(paper->match, touch->instrument - 1, other, level.px);
        if (!is_ours(paper, touch->instrument, other, level.px)) {
            qty = available(paper, touch->instrument, other, level.px, level.qty);
            if (qty > 0 &&
                !set_house(paper, touch->instrument, other, level.px, qty, MATCH_QUEUE_BACK))
                break;
        }
        paper->laid[paper->laid_count++] = (struct laid){level.px, qty};
        need -= qty;
    }
}

static void take_in(struct paper *paper, const struct desk_touch *touch)
{
    enum weir_side other = touch->side == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    for (uint32_t i = 0; i < paper->laid_count; i++) {
        const struct laid *laid = &paper->laid[i];
        if (is_ours(paper, touch->instrument, other, laid->px))
            continue; /* the queue itself remembers */
        weir_qty left = match_house(paper->match, touch->instrument - 1, other, laid->px);
        if (left < laid->qty)
            add_taken(paper, touch->instrument, (uint8_t)other, laid->px, laid->qty - left);
        tidy(paper, touch->instrument, other, laid->px);
    }
    paper->laid_count = 0;
}

/* An order arrives: what it may meet, and what it would stand behind. */
static void before(void *context, weir_ns t, const struct desk_touch *touch)
{
    struct paper *paper = context;
    enum weir_side side = (enum weir_side)touch->side;
    paper->now = t;
    paper->touched = touch->instrument;
    if (!touch->enters)
        return;
    lay_out(paper, touch);
    if (touch->px > 0 && touch->px < MATCH_PX_MAX &&
        !is_ours(paper, touch->instrument, side, touch->px)) {
        weir_qty shown = displayed(&paper->markets[touch->instrument], side, touch->px);
        weir_qty ahead = available(paper, touch->instrument, side, touch->px, shown);
        (void)set_house(paper, touch->instrument, side, touch->px, ahead, MATCH_QUEUE_BACK);
    }
}

static void after(void *context, weir_ns t, const struct desk_touch *touch)
{
    struct paper *paper = context;
    (void)t;
    if (touch->enters)
        take_in(paper, touch);
    if (touch->px > 0 && touch->px < MATCH_PX_MAX)
        tidy(paper, touch->instrument, (enum weir_side)touch->side, touch->px);
}

static void on_fill(void *context, const struct match_fill *fill)
{
    struct paper *paper = context;
    desk_fill(paper->desk, paper->now, fill);
}

static void on_removed(void *context, uint32_t id, const struct match_view *was)
{
    struct paper *paper = context;
    (void)was;
    desk_removed(paper->desk, paper->now, id);
}

/* Of the market whose order it is: the last id that was seen there. */
static void on_queued(void *context, uint32_t id)
{
    struct paper *paper = context;
    paper->arrived[id] = paper->markets[paper->touched].last_id;
}

static void on_event(void *context, const struct weir_msg *event)
{
    struct paper *paper = context;
    paper->emit(paper->context, event);
}

/* --- market data -------------------------------------------------------------------------------*/

static struct market *market_of(struct paper *paper, uint32_t instrument)
{
    return instrument > 0 && instrument <= paper->instruments ? &paper->markets[instrument] : NULL;
}

/* One price was named by data: what we took there is history. A full house pool keeps the old size. */
static void refresh(struct paper *paper, uint32_t instrument, enum weir_side side, weir_px px)
{
    const struct market *market = &paper->markets[instrument];
    drop_taken(paper, find_taken(paper, instrument, (uint8_t)side, px));
    if (match_at(paper->match, instrument - 1, side, px) > 0)
        (void)set_house(paper, instrument, side, px, displayed(market, side, px),
                        market->by_orders ? MATCH_QUEUE_BACK : paper->queue);
}

/* Every price where an order of ours rests. */
static void refresh_ours(struct paper *paper, uint32_t instrument, enum weir_side side)
{
    int64_t px, qty;
    for (bool more = match_best(paper->match, instrument - 1, side, &px, &qty); more;
         more = match_next(paper->match, instrument - 1, side, px, &px, &qty))
        refresh(paper, instrument, side, px);
}

void paper_book(struct paper *paper, weir_ns now, uint32_t instrument,
                const struct weir_book_msg *msg, const struct book *book)
{
    struct market *market = market_of(paper, instrument);
    if (!market)
        return;
    paper->now = now;
    market->book = book;
    if (market->taken == 0 && desk_live(paper->desk, instrument) == 0)
        return;
    if (msg->msg.flags & WEIR_BOOK_SNAPSHOT) {
        drop_all_taken(paper, instrument);
        refresh_ours(paper, instrument, WEIR_BUY);
        refresh_ours(paper, instrument, WEIR_SELL);
        return;
    }
    for (uint32_t i = 0; i < msg->bids + msg->asks && !market->by_orders; i++)
        refresh(paper, instrument, i < msg->bids ? WEIR_BUY : WEIR_SELL, msg->levels[i].px);
}

/* --- single orders -----------------------------------------------------------------------------*/

static bool is_later(void *context, uint32_t id)
{
    const struct paper *paper = context;
    return paper->arrived[id] >= paper->leaving;
}

/* What stands with ours at a price is what the venue shows there: less left from the place of the order that
 * is looked for, more came behind all. So an order that was filled in our stead stands on with what it has. */
static void queue_follows(struct paper *paper, uint32_t instrument, enum weir_side side, weir_px px)
{
    drop_taken(paper, find_taken(paper, instrument, (uint8_t)side, px));
    if (px <= 0 || !is_ours(paper, instrument, side, px))
        return;
    weir_qty shown = displayed(&paper->markets[instrument], side, px);
    weir_qty have = match_house(paper->match, instrument - 1, side, px);
    if (have > shown)
        match_house_leave(paper->match, instrument - 1, side, px, have - shown, is_later, paper);
    else if (have < shown) /* without room what comes behind us is not counted */
        (void)set_house(paper, instrument, side, px, shown, MATCH_QUEUE_BACK);
}

/* A resting order was filled: before that all of ours at better prices, and those that stand before it. */
static void queue_fills(struct paper *paper, uint32_t instrument, enum weir_side side, weir_px px,
                        weir_qty qty)
{
    match_through(paper->match, instrument - 1, side, px);
    (void)match_trade(paper->match, instrument - 1, side, px, qty);
    tidy(paper, instrument, side, px);
}

void paper_queue(struct paper *paper, weir_ns now, uint32_t instrument, const struct weir_l3 *order,
                 const struct queues_change *change)
{
    struct market *market = market_of(paper, instrument);
    enum weir_side side = (enum weir_side)order->side;
    if (!market)
        return;
    paper->now = now;
    market->by_orders = true;
    if (order->id > market->last_id)
        market->last_id = order->id;
    if (change->did == QUEUES_UNKNOWN || change->did == QUEUES_AGAIN ||
        desk_live(paper->desk, instrument) == 0)
        return;
    paper->leaving = order->id;
    if (change->filled > 0)
        queue_fills(paper, instrument, side, change->px, change->filled);
    queue_follows(paper, instrument, side, change->px);
    if (order->px != change->px)
        queue_follows(paper, instrument, side, order->px);
}

/* A book of one level: what is worse than it is not known, and stays as it was. */
static void refresh_top(struct paper *paper, uint32_t instrument, enum weir_side side)
{
    struct weir_level level;
    int64_t px, qty;
    bool shown = top_of(&paper->markets[instrument].top, side, &level);
    for (bool more = match_best(paper->match, instrument - 1, side, &px, &qty); more;
         more = match_next(paper->match, instrument - 1, side, px, &px, &qty))
        if (!shown || (side == WEIR_BUY ? px >= level.px : px <= level.px))
            refresh(paper, instrument, side, px);
}

void paper_top(struct paper *paper, weir_ns now, const struct weir_top *top)
{
    struct market *market = market_of(paper, top->msg.instrument);
    if (!market)
        return;
    paper->now = now;
    market->top = *top;
    if (market->book)
        return;
    drop_all_taken(paper, top->msg.instrument);
    refresh_top(paper, top->msg.instrument, WEIR_BUY);
    refresh_top(paper, top->msg.instrument, WEIR_SELL);
}

void paper_trade(struct paper *paper, weir_ns now, const struct weir_trade *trade)
{
    uint32_t instrument = trade->msg.instrument;
    if (!market_of(paper, instrument) || trade->msg.flags & WEIR_TRADE_OFF_BOOK || trade->px <= 0 ||
        trade->qty <= 0 || desk_live(paper->desk, instrument) == 0 ||
        paper->markets[instrument].by_orders) /* the orders themselves say who was filled */
        return;
    enum weir_side hit = trade->aggressor == WEIR_BUY ? WEIR_SELL : WEIR_BUY;
    paper->now = now;
    match_through(paper->match, instrument - 1, WEIR_BUY, trade->px);
    match_through(paper->match, instrument - 1, WEIR_SELL, trade->px);
    (void)match_trade(paper->match, instrument - 1, hit, trade->px, trade->qty);
    tidy(paper, instrument, hit, trade->px);
}

void paper_mark(struct paper *paper, weir_ns now, const struct weir_mark *mark)
{
    struct market *market = market_of(paper, mark->msg.instrument);
    if (market && mark->px > 0)
        market->mark = mark->px;
    paper->now = now;
}

/* --- funding -----------------------------------------------------------------------------------*/

/* 0: no price. */
static weir_px fair(const struct market *market)
{
    struct weir_level bid, ask;
    if (market->mark > 0)
        return market->mark;
    if (!best(market, WEIR_BUY, &bid) || !best(market, WEIR_SELL, &ask))
        return 0;
    return bid.px + (ask.px - bid.px) / 2;
}

/* What a position pays, or with a minus gets. False: nothing, or it cannot be reckoned. */
static bool funding_of(const struct paper *paper, const struct ledger_holding *holding, weir_px px,
                       amount *pays_out)
{
    amount worth;
    weir_qty size = holding->qty < 0 ? -holding->qty : holding->qty;
    return size > 0 && px > 0 && ledger_worth(&holding->is, px, size, &worth) &&
           amount_times_round(holding->qty < 0 ? -worth : worth, paper->funding_rate,
                              LEDGER_RATE_EXP, pays_out);
}

static void fund(struct paper *paper, uint32_t instrument, weir_ns t)
{
    struct ledger *ledger = desk_ledger(paper->desk);
    const struct ledger_holding *holding = ledger_holding(ledger, instrument);
    amount pays;
    if (!holding || holding->is.kind == WEIR_SPOT ||
        !funding_of(paper, holding, fair(&paper->markets[instrument]), &pays))
        return;
    const char *asset = holding->is.kind == WEIR_INVERSE ? holding->is.base : holding->is.quote;
    struct weir_cash cash = {.msg = {.size = sizeof cash,
                                     .kind = WEIR_FUNDING,
                                     .venue = paper->venue,
                                     .account = paper->account,
                                     .instrument = instrument,
                                     .t = t,
                                     .t_venue = t},
                             .amount = amount_pack(-pays)};
    memcpy(cash.asset, asset, strnlen(asset, WEIR_ASSET_MAX - 1));
    char digits[DECIMAL_TEXT_MAX];
    cash.id[0] = 'f';
    size_t len = decimal_print(t, 0, digits);
    memcpy(cash.id + 1, digits, len); /* once in a time and instrument: the key of the engine */
    if (ledger_pay(ledger, asset, -pays) == WEIR_OK)
        paper->emit(paper->context, &cash.msg);
}

static void fund_all(struct paper *paper)
{
    for (uint32_t i = 1; i <= paper->instruments; i++)
        fund(paper, i, paper->funding_next);
    paper->funding_next += paper->funding_every;
}

/* --- the rest of its life ----------------------------------------------------------------------*/

static struct desk_config desk_config_of(const struct paper_config *c)
{
    return (struct desk_config){.seed = c->seed,
                                .venue = c->venue,
                                .account = c->account,
                                .first_id = 1,
                                .orders = c->orders ? c->orders : 4096,
                                .instruments = c->instruments ? c->instruments : 512,
                                .fills = c->fills ? c->fills : 16384,
                                .flight = FLIGHT,
                                .latency = c->latency,
                                .rate_max = c->rate_max,
                                .rate_window = c->rate_window,
                                .outage_every = c->outage_every,
                                .outage_for = c->outage_for,
                                .silence = c->silence ? c->silence : 1000000000,
                                .reject_ppm = c->reject_ppm,
                                .drop_request_ppm = c->drop_request_ppm,
                                .drop_ack_ppm = c->drop_ack_ppm,
                                .duplicate_fill_ppm = c->duplicate_fill_ppm,
                                .stp = c->stp,
                                .check_balance = c->check_balance};
}

static enum weir_err pay_in(struct paper *paper, const struct paper_config *config, struct why *why)
{
    struct ledger *ledger = desk_ledger(paper->desk);
    enum weir_err err =
        ledger_fees(ledger, config->maker_fee_bps, config->taker_fee_bps, config->fee_asset);
    if (err != WEIR_OK)
        return because(why, err,
                       "maker_fee_bps, taker_fee_bps: expected less than 1000000, with at "
                       "most 8 decimals");
    if (config->funding_every < 0 ||
        ledger_rate(config->funding_bps, &paper->funding_rate) != WEIR_OK)
        return because(why, WEIR_E_BAD_CONFIG,
                       "funding_bps: expected less than 1000000, with at most 8 decimals");
    for (const struct weir_setting *s = config->balances; s && s->name; s++) {
        amount total;
        if (strlen(s->name) >= WEIR_ASSET_MAX)
            return because(why, WEIR_E_BAD_CONFIG,
                           "balances.%s: expected an asset of at most %d letters", s->name,
                           WEIR_ASSET_MAX - 1);
        err = amount_parse(s->value, strlen(s->value), &total);
        if (err == WEIR_OK)
            err = ledger_pay(ledger, s->name, total);
        if (err != WEIR_OK)
            return because(why, err, "balances.%s: '%s': %s", s->name, s->value, err_text(err));
    }
    return WEIR_OK;
}

/* One block, given by the kernel as zero pages that cost nothing until they are used. */
static struct paper *make(const struct desk_config *desk, const struct match_config *match,
                          const struct paper_config *config)
{
    size_t markets = (desk->instruments + 1) * sizeof(struct market);
    size_t arrived = (desk->orders + 2) * sizeof(uint64_t);
    size_t bytes =
        sizeof(struct paper) + markets + arrived + match_bytes(match) + desk_bytes(desk) + 256;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    struct arena arena = {memory, (unsigned char *)memory + bytes};
    struct paper *paper = arena_take(&arena, sizeof *paper);
    paper->memory = memory;
    paper->bytes = bytes;
    paper->queue = config->queue;
    paper->venue = config->venue;
    paper->account = config->account;
    paper->funding_next = INT64_MAX;
    paper->funding_every = config->funding_every;
    paper->instruments = desk->instruments;
    paper->markets = arena_take(&arena, markets);
    paper->arrived = arena_take(&arena, arrived);
    struct match_sink sink = {paper, on_fill, on_removed};
    struct desk_hooks hooks = {paper, on_event, before, after, on_queued};
    paper->match = match_init(arena_take(&arena, match_bytes(match)), match, &sink);
    paper->desk = desk_init(&arena, desk, paper->match, &hooks);
    return paper;
}

struct paper *paper_create(const struct paper_config *config,
                           void (*emit)(void *context, const struct weir_msg *event), void *context,
                           struct why *why)
{
    struct desk_config desk = desk_config_of(config);
    struct match_config match = {.orders = desk.orders,
                                 .house = LAID_MAX + 2 * desk.orders,
                                 .instruments = desk.instruments,
                                 .window = WINDOW,
                                 .far = LAID_MAX + desk.orders};
    if (desk_bytes(&desk) == 0 || match_bytes(&match) == 0) {
        (void)because(
            why, WEIR_E_BAD_CONFIG,
            "paper: a latency below 0 or over a day, an outage as long as what is between "
            "outages, a rate without a window, or more orders, executions or "
            "instruments than it can count");
        return NULL;
    }
    struct paper *paper = make(&desk, &match, config);
    if (!paper) {
        (void)because(why, WEIR_E_NO_MEMORY, "paper: %s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    paper->emit = emit;
    paper->context = context;
    if (pay_in(paper, config, why) != WEIR_OK) {
        while_doing(why, "paper");
        paper_destroy(paper);
        return NULL;
    }
    return paper;
}

void paper_destroy(struct paper *paper)
{
    if (paper)
        munmap(paper->memory, paper->bytes);
}

bool paper_position(struct paper *paper, uint32_t instrument, weir_qty qty)
{
    return ledger_hold(desk_ledger(paper->desk), instrument, qty);
}

void paper_start(struct paper *paper, weir_ns now)
{
    paper->now = now;
    if (paper->funding_every > 0)
        paper->funding_next = now - now % paper->funding_every + paper->funding_every;
    desk_start(paper->desk, now);
}

bool paper_instrument(struct paper *paper, const struct weir_instrument *instrument)
{
    return market_of(paper, instrument->msg.instrument) &&
           desk_define(paper->desk, instrument, 1) == WEIR_OK;
}

enum weir_err paper_intent(struct paper *paper, weir_ns now, const struct weir_intent *intent)
{
    return desk_intent(paper->desk, now, intent);
}

weir_ns paper_next_timer(const struct paper *paper)
{
    weir_ns next = desk_next(paper->desk);
    return paper->funding_next < next ? paper->funding_next : next;
}

void paper_timer(struct paper *paper, weir_ns now)
{
    while (paper->funding_next <= now) {
        desk_run(paper->desk, paper->funding_next);
        fund_all(paper);
    }
    desk_run(paper->desk, now);
}
