/* support_teller.c - see the header. */
#include "sim/support_teller.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hear(struct teller *teller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void hear(struct teller *teller, const char *format, ...)
{
    size_t at = strlen(teller->heard);
    va_list list;
    if (at + 3 > sizeof teller->heard)
        return; /* enough heard */
    if (at > 0)
        at += (size_t)snprintf(teller->heard + at, sizeof teller->heard - at, "; ");
    va_start(list, format);
    (void)vsnprintf(teller->heard + at, sizeof teller->heard - at, format, list);
    va_end(list);
}

static const char *side_name(uint8_t side)
{
    return side == WEIR_BUY ? "buy" : "sell";
}

static void hear_fill(struct teller *teller, const char *time, const struct weir_fill *fill)
{
    teller->last_fill = *fill;
    hear(teller, "%sfill %s %s %ld@%ld %s", time, fill->client_id, side_name(fill->side), fill->qty,
         fill->px, fill->maker ? "maker" : "taker");
}

static void hear_report(struct teller *teller, const char *time, const struct weir_report *report)
{
    static const char *const states[] = {"not_found", "open",    "filled",
                                         "canceled",  "expired", "rejected"};
    switch (report->msg.kind) {
    case WEIR_ACK: hear(teller, "%sack %s", time, report->client_id); break;
    case WEIR_REJECT:
        hear(teller, "%srejected %s %s", time, report->client_id, report->reason);
        break;
    case WEIR_CANCELED:
        hear(teller, "%scanceled %s cum %ld", time, report->client_id, report->cum_qty);
        break;
    case WEIR_CANCEL_REJECT:
        hear(teller, "%snot canceled %s %s", time, report->client_id, report->reason);
        break;
    case WEIR_EXPIRED:
        hear(teller, "%sexpired %s %s cum %ld", time, report->client_id, report->reason,
             report->cum_qty);
        break;
    case WEIR_REPLACED:
        hear(teller, "%sreplaced %s %ld@%ld", time, report->client_id, report->qty, report->px);
        break;
    case WEIR_REPLACE_REJECT:
        hear(teller, "%snot replaced %s %s", time, report->client_id, report->reason);
        break;
    case WEIR_NO_ANSWER:
        hear(teller, "%ssilence %s request %u", time, report->client_id, report->request);
        break;
    case WEIR_STATUS:
        hear(teller, "%sstatus %s %s cum %ld", time, report->client_id, states[report->state],
             report->cum_qty);
        break;
    case WEIR_RECON_ORDER:
        hear(teller, "%srow %s %s %s %ld/%ld@%ld", time, report->client_id, states[report->state],
             side_name(report->side), report->cum_qty, report->qty, report->px);
        break;
    default: hear(teller, "%skind %u", time, report->msg.kind);
    }
}

static void hear_cash(struct teller *teller, const char *time, const struct weir_cash *cash)
{
    char text[DECIMAL_TEXT_MAX];
    amount_print(amount_of(cash->amount), text);
    if (cash->msg.kind == WEIR_RECON_POSITION)
        hear(teller, "%sposition %u %s", time, cash->msg.instrument, text);
    else if (cash->msg.kind == WEIR_FUNDING)
        hear(teller, "%sfunding %s %s %s", time, cash->id, cash->asset, text);
    else
        hear(teller, "%sbalance %s %s", time, cash->asset, text);
}

static void on_event(void *context, const struct weir_msg *event)
{
    struct teller *teller = context;
    char time[32] = "";
    cr_assert_eq(event->venue, 7);
    cr_assert_eq(event->account, 3);
    cr_assert_leq(event->t_venue, event->t, "nothing is told before it happens");
    teller->events++;
    if (teller->with_time)
        (void)snprintf(time, sizeof time, "%ld: ", event->t);
    switch (event->kind) {
    case WEIR_FILL: hear_fill(teller, time, (const struct weir_fill *)event); break;
    case WEIR_RECON_POSITION:
    case WEIR_RECON_BALANCE: hear_cash(teller, time, (const struct weir_cash *)event); break;
    case WEIR_RECON_BEGIN: hear(teller, "%sbegin", time); break;
    case WEIR_RECON_END: hear(teller, "%send %u", time, event->flags); break;
    case WEIR_SESSION: hear(teller, "%s%s", time, event->flags ? "up" : "down"); break;
    case WEIR_FUNDING: hear_cash(teller, time, (const struct weir_cash *)event); break;
    case WEIR_RATE_LIMITED:
        hear(teller, "%srate %s request %u wait %ld", time,
             ((const struct weir_rate_limited *)event)->client_id, event->flags - 1u,
             ((const struct weir_rate_limited *)event)->retry_after);
        break;
    default: hear_report(teller, time, (const struct weir_report *)event);
    }
}

void teller_open(struct teller *teller, struct paper_config config)
{
    struct why why;
    struct weir_instrument instrument = {.msg = {.size = sizeof instrument, .instrument = 1},
                                         .symbol = "AAA-BBB",
                                         .base = "AAA",
                                         .quote = "BBB",
                                         .kind = config.funding_every ? WEIR_LINEAR : WEIR_SPOT,
                                         .tick = 1,
                                         .step = 1};
    *teller = (struct teller){.now = 0};
    config.venue = 7;
    config.account = 3;
    config.instruments = 2;
    config.orders = config.orders ? config.orders : 16;
    teller->paper = paper_create(&config, on_event, teller, &why);
    cr_assert_not_null(teller->paper, "%s", why.text);
    cr_assert(paper_instrument(teller->paper, &instrument));
    size_t bytes = (book_bytes(64, 64) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    memset(memory, 0, bytes);
    teller->book = book_init(memory, 64, 64, 1);
    paper_start(teller->paper, teller->now);
    cr_assert_str_eq(teller_heard(teller), "up");
}

void teller_close(struct teller *teller)
{
    paper_destroy(teller->paper);
    queues_destroy(teller->queues);
    free(teller->book);
}

/* --- doing -------------------------------------------------------------------------------------*/

static void do_book(struct teller *teller, char *words, bool snapshot)
{
    static _Alignas(8) char bytes[sizeof(struct weir_book_msg) + 32 * sizeof(struct weir_level)];
    struct weir_book_msg *msg = (struct weir_book_msg *)bytes;
    char *rest;
    memset(bytes, 0, sizeof bytes);
    msg->msg.flags = snapshot ? WEIR_BOOK_SNAPSHOT : 0;
    if (snapshot)
        book_clear(teller->book);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *end;
        enum weir_side side = *word == 'b' ? WEIR_BUY : WEIR_SELL;
        int64_t px = strtol(word + 1, &end, 10), qty = strtol(end + 1, NULL, 10);
        cr_assert_eq(book_set(teller->book, side, px, qty), WEIR_OK);
        cr_assert(side == WEIR_SELL || msg->asks == 0, "bids first");
        msg->levels[msg->bids + msg->asks] = (struct weir_level){px, qty};
        *(side == WEIR_BUY ? &msg->bids : &msg->asks) += 1;
    }
    paper_book(teller->paper, teller->now, 1, msg, teller->book);
}

static void follow(struct teller *teller, enum weir_side side, weir_px px)
{
    static _Alignas(8) char bytes[sizeof(struct weir_book_msg) + sizeof(struct weir_level)];
    struct weir_book_msg *msg = (struct weir_book_msg *)bytes;
    struct weir_level level = {px, book_at(queues_book(teller->queues, false), side, px)};
    if (px == 0)
        return;
    memset(bytes, 0, sizeof bytes);
    cr_assert_eq(book_set(teller->book, side, px, level.qty), WEIR_OK);
    msg->levels[0] = level;
    *(side == WEIR_BUY ? &msg->bids : &msg->asks) = 1;
    paper_book(teller->paper, teller->now, 1, msg, teller->book);
}

static void do_order(struct teller *teller, uint8_t action, const char *words)
{
    struct weir_l3 order = {.msg = {.instrument = 1}, .action = action};
    struct queues_change change;
    char side;
    cr_assert_eq(sscanf(words, "%lu %c%ld=%ld", &order.id, &side, &order.px, &order.qty), 4);
    order.side = side == 'b' ? WEIR_BUY : WEIR_SELL;
    if (!teller->queues)
        teller->queues = queues_create();
    cr_assert_eq(queues_take(teller->queues, &order, teller->now, &change), WEIR_OK);
    follow(teller, (enum weir_side)order.side, change.px);
    follow(teller, (enum weir_side)order.side, order.px);
    paper_queue(teller->paper, teller->now, 1, &order, &change);
}

static void put_size(struct weir_intent *intent, const char *word)
{
    char *end;
    intent->qty = strtol(word, &end, 10);
    intent->type = strcmp(end, "@market") == 0 ? WEIR_MARKET : WEIR_LIMIT;
    intent->px = intent->type == WEIR_MARKET ? 0 : strtol(end + 1, NULL, 10);
}

static void do_intent(struct teller *teller, enum weir_kind kind, char *words)
{
    struct weir_intent intent = {
        .msg = {.size = sizeof intent, .kind = (uint16_t)kind, .instrument = 1}};
    char *rest, *word = strtok_r(words, " ", &rest);
    if (word && strcmp(word, "-") != 0)
        (void)snprintf(intent.client_id, sizeof intent.client_id, "%s", word);
    if (kind == WEIR_REPLACE)
        (void)snprintf(intent.new_client_id, sizeof intent.new_client_id, "%s",
                       strtok_r(NULL, " ", &rest));
    while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
        if (strcmp(word, "sell") == 0)
            intent.side = WEIR_SELL;
        else if (strcmp(word, "ioc") == 0)
            intent.tif = WEIR_IOC;
        else if (strcmp(word, "fok") == 0)
            intent.tif = WEIR_FOK;
        else if (strcmp(word, "gtd") == 0)
            intent.tif = WEIR_GTD;
        else if (strcmp(word, "stop") == 0)
            intent.type = WEIR_STOP;
        else if (strcmp(word, "post") == 0)
            intent.flags = WEIR_POST_ONLY;
        else if (strcmp(word, "other") == 0)
            intent.msg.instrument = 2;
        else
            put_size(&intent, word);
    }
    cr_assert_eq(paper_intent(teller->paper, teller->now, &intent), WEIR_OK);
}

static void do_trade(struct teller *teller, const char *words)
{
    struct weir_trade trade = {.msg = {.instrument = 1}};
    char side[8], flag[8] = "";
    cr_assert_geq(sscanf(words, "%7s %ld@%ld %7s", side, &trade.qty, &trade.px, flag), 3);
    trade.aggressor = strcmp(side, "sell") == 0 ? WEIR_SELL : WEIR_BUY;
    trade.msg.flags = *flag ? WEIR_TRADE_OFF_BOOK : 0;
    paper_trade(teller->paper, teller->now, &trade);
}

static void do_top(struct teller *teller, const char *words)
{
    struct weir_top top = {.msg = {.instrument = 1}};
    cr_assert_eq(sscanf(words, "%ld=%ld %ld=%ld", &top.bid, &top.bid_qty, &top.ask, &top.ask_qty),
                 4);
    paper_top(teller->paper, teller->now, &top);
}

static void do_one(struct teller *teller, const char *verb, char *words)
{
    static const struct {
        const char *verb;
        enum weir_kind kind;
    } intents[] = {{"cancel", WEIR_CANCEL},
                   {"replace", WEIR_REPLACE},
                   {"all", WEIR_CANCEL_ALL},
                   {"query", WEIR_QUERY_ORDER},
                   {"fills", WEIR_QUERY_FILLS},
                   {"recon", WEIR_RECONCILE},
                   {"buy", WEIR_NEW}};
    for (size_t i = 0; i < sizeof intents / sizeof intents[0]; i++)
        if (strcmp(intents[i].verb, verb) == 0) {
            do_intent(teller, intents[i].kind, words);
            return;
        }
    if (strcmp(verb, "sell") == 0) {
        char buffer[128];
        (void)snprintf(buffer, sizeof buffer, "%s sell", words);
        do_intent(teller, WEIR_NEW, buffer);
    } else if (strcmp(verb, "book") == 0 || strcmp(verb, "snap") == 0) {
        do_book(teller, words, *verb == 's');
    } else if (strcmp(verb, "trade") == 0) {
        do_trade(teller, words);
    } else if (strcmp(verb, "top") == 0) {
        do_top(teller, words);
    } else if (strcmp(verb, "mark") == 0) {
        struct weir_mark mark = {.msg = {.instrument = 1}, .px = strtol(words, NULL, 10)};
        paper_mark(teller->paper, teller->now, &mark);
    } else if (strcmp(verb, "add") == 0 || strcmp(verb, "put") == 0 || strcmp(verb, "take") == 0) {
        do_order(teller,
                 *verb == 'a'   ? WEIR_L3_ADD
                 : *verb == 'p' ? WEIR_L3_CHANGE
                                : WEIR_L3_REMOVE,
                 words);
    } else if (strcmp(verb, "wait") == 0) {
        teller->now += strtol(words, NULL, 10);
        paper_timer(teller->paper, teller->now);
    } else {
        cr_assert_fail("no such verb: %s", verb);
    }
}

void teller_do(struct teller *teller, const char *line, bool still)
{
    char buffer[256];
    (void)snprintf(buffer, sizeof buffer, "%s", line);
    char *words = strchr(buffer, ' ');
    if (words)
        *words++ = '\0';
    else
        words = buffer + strlen(buffer);
    do_one(teller, buffer, words);
    weir_ns due;
    while (!still && (due = paper_next_timer(teller->paper)) != INT64_MAX) {
        teller->now = due > teller->now ? due : teller->now;
        paper_timer(teller->paper, teller->now);
    }
}

const char *teller_heard(struct teller *teller)
{
    static char heard[sizeof teller->heard];
    memcpy(heard, teller->heard, sizeof heard);
    teller->heard[0] = '\0';
    return heard;
}
