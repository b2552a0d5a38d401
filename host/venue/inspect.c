/* inspect.c - one row for each kind of event: size, texts, padding, and what its numbers must be. */
#include "venue/inspect.h"

#include <string.h>

#include "base/decimal.h"
#include "base/utf8.h"

/* --- numbers: each judge gives NULL, or the fault ----------------------------------------------*/

typedef const char *judge(const union venue_event *event);

static bool amount_ok(struct weir_amount a)
{
    amount value = amount_of(a);
    return value <= AMOUNT_MAX && value >= -AMOUNT_MAX;
}

static const char *instrument(const union venue_event *event)
{
    const struct weir_instrument *it = &event->instrument;
    if (it->msg.instrument == 0)
        return "an instrument has a number from 1 on";
    if (it->symbol[0] == '\0')
        return "an instrument has a symbol";
    if (it->kind > WEIR_INVERSE || it->status > WEIR_HALTED)
        return "kind or status is not one of the list";
    if (it->price_exp < 0 || it->qty_exp < 0 || it->price_exp + it->qty_exp > 18)
        return "price_exp and qty_exp are 0 or more, and at most 18 together";
    if (it->multiplier_exp < 0 || it->multiplier_exp > 18 || it->multiplier <= 0)
        return "the multiplier is greater than 0, with 0 to 18 places";
    if (it->tick < 0 || it->step < 0 || !amount_ok(it->min_notional) || it->min_notional.hi < 0)
        return "tick, step and min_notional are not negative";
    return NULL;
}

static const char *top(const union venue_event *event)
{
    const struct weir_top *it = &event->top;
    if (it->bid < 0 || it->ask < 0)
        return "a price is not negative";
    if ((it->bid > 0) != (it->bid_qty > 0) || (it->ask > 0) != (it->ask_qty > 0) ||
        it->bid_qty < 0 || it->ask_qty < 0)
        return "a side has both a price and a quantity, or neither";
    if (it->bid > it->ask && it->ask > 0)
        return "the best bid is above the best ask";
    return NULL;
}

static const char *trade(const union venue_event *event)
{
    const struct weir_trade *it = &event->trade;
    if (it->px <= 0 || it->qty <= 0)
        return "price and quantity of a trade are greater than 0";
    return it->aggressor > WEIR_SELL ? "the aggressor is a buyer or a seller" : NULL;
}

static const char *mark(const union venue_event *event)
{
    return event->mark.px <= 0 ? "a mark price is greater than 0" : NULL;
}

static const char *rate_limited(const union venue_event *event)
{
    return event->rate_limited.retry_after < 0 ? "retry_after is not negative" : NULL;
}

static const char *report(const union venue_event *event)
{
    const struct weir_report *it = &event->report;
    if (it->client_id[0] == '\0' && it->venue_id[0] == '\0')
        return "a report names an order by one of its two ids";
    if (it->proof > WEIR_SILENCE || it->state > WEIR_STATE_REJECTED ||
        it->request > WEIR_REQUEST_REPLACE || it->has_cum > 1 || it->side > WEIR_SELL)
        return "proof, state, request, has_cum or side is not one of its list";
    if (it->cum_qty < 0 || it->qty < 0 || it->px < 0)
        return "quantities and price are not negative";
    return NULL;
}

static const char *fill(const union venue_event *event)
{
    const struct weir_fill *it = &event->fill;
    bool bust = it->msg.kind == WEIR_BUST;
    if (it->msg.instrument == 0)
        return "an execution names its instrument";
    if (it->exec_id[0] == '\0')
        return "an execution has an id";
    if (it->qty < 0 || it->px < 0 || (!bust && (it->qty == 0 || it->px == 0)))
        return "price and quantity of an execution are greater than 0";
    if (it->side > WEIR_SELL || it->origin > WEIR_ORIGIN_ADL || it->state > WEIR_STATE_REJECTED ||
        it->maker > 1 || it->has_realized > 1)
        return "side, origin, state, maker or has_realized is not one of its list";
    if (!amount_ok(it->realized) || (amount_of(it->realized) != 0 && !it->has_realized))
        return "what was realized is too large, or said not to be told";
    if (!amount_ok(it->fee) || (amount_of(it->fee) != 0 && it->fee_asset[0] == '\0'))
        return "a fee has an asset";
    return NULL;
}

static const char *cash(const union venue_event *event)
{
    const struct weir_cash *it = &event->cash;
    if (!amount_ok(it->amount))
        return "the amount is too large";
    if (it->msg.kind == WEIR_RECON_POSITION)
        return it->msg.instrument == 0 ? "a position names its instrument" : NULL;
    if (it->asset[0] == '\0')
        return "money has an asset";
    if (it->msg.kind != WEIR_RECON_BALANCE && it->id[0] == '\0')
        return "a movement of money has an id";
    return NULL;
}

static const char *funding_rate(const union venue_event *event)
{
    const struct weir_funding_rate *it = &event->funding_rate;
    int64_t all = 1000000000000; /* a position's whole worth */
    return it->rate < -all || it->rate > all || it->t_next < 0
               ? "a funding rate is at most 1, and its time is not negative"
               : NULL;
}

static const char *l3(const union venue_event *event)
{
    const struct weir_l3 *it = &event->l3;
    if (it->side > WEIR_SELL || it->action > WEIR_L3_MATCH)
        return "side or action is not one of its list";
    return it->px < 0 || it->qty < 0 ? "neither price nor quantity of an order is negative" : NULL;
}

static const char *nothing(const union venue_event *event)
{
    (void)event;
    return NULL;
}

/* --- the table ---------------------------------------------------------------------------------*/

struct span {
    uint16_t at, len;
};

struct row {
    uint16_t size;
    uint16_t flags; /* that mean something */
    judge *judge;
    struct span ids[4];
    struct span said; /* what the venue said, in words of its own: made printable, not refused */
    struct span pads[2];
};

// clang-format off
#define SPAN(type, member) {offsetof(struct type, member), sizeof(((struct type *)0)->member)}
#define REPORT {sizeof(struct weir_report), 0, report,                         \
                {SPAN(weir_report, client_id), SPAN(weir_report, venue_id)},   \
                SPAN(weir_report, reason),                                     \
                {SPAN(weir_report, pad), SPAN(weir_report, pad2)}}
#define FILL   {sizeof(struct weir_fill), 0, fill,                             \
                {SPAN(weir_fill, client_id), SPAN(weir_fill, venue_id),        \
                 SPAN(weir_fill, exec_id), SPAN(weir_fill, fee_asset)},        \
                {0, 0}, {SPAN(weir_fill, pad)}}
#define CASH   {sizeof(struct weir_cash), 0, cash,                             \
                {SPAN(weir_cash, asset), SPAN(weir_cash, id)}, {0, 0}, {{0, 0}}}
#define BARE(flags) {sizeof(struct weir_msg), flags, nothing, {{0, 0}}, {0, 0}, {{0, 0}}}

static const struct row rows[] = {
    [WEIR_INSTRUMENT] = {sizeof(struct weir_instrument), 0, instrument,
                         {SPAN(weir_instrument, symbol), SPAN(weir_instrument, base),
                          SPAN(weir_instrument, quote)},
                         {0, 0}, {SPAN(weir_instrument, pad)}},
    [WEIR_TOP]   = {sizeof(struct weir_top), 0, top, {{0, 0}}, {0, 0}, {{0, 0}}},
    [WEIR_TRADE] = {sizeof(struct weir_trade),
                    WEIR_TRADE_OFF_BOOK | WEIR_TRADE_ID_TEXT | WEIR_TRADE_ID_UUID, trade,
                    {{0, 0}}, {0, 0}, {SPAN(weir_trade, pad)}},
    [WEIR_MARK]  = {sizeof(struct weir_mark), 0, mark, {{0, 0}}, {0, 0}, {{0, 0}}},
    [WEIR_SEQUENCE] = {sizeof(struct weir_sequence), 0, nothing, {{0, 0}}, {0, 0}, {{0, 0}}},
    [WEIR_INDEX] = {sizeof(struct weir_mark), 0, mark, {{0, 0}}, {0, 0}, {{0, 0}}},
    [WEIR_FUNDING_RATE] = {sizeof(struct weir_funding_rate), 0, funding_rate,
                           {{0, 0}}, {0, 0}, {{0, 0}}},
    [WEIR_L3] = {sizeof(struct weir_l3), WEIR_L3_SNAPSHOT | WEIR_L3_CLOSING, l3,
                 {{0, 0}}, {0, 0}, {SPAN(weir_l3, pad)}},
    [WEIR_SESSION] = {sizeof(struct weir_session), WEIR_STREAM_UP, nothing,
                      {{0, 0}}, SPAN(weir_session, reason), {{0, 0}}},
    [WEIR_RATE_LIMITED] = {sizeof(struct weir_rate_limited), 3, rate_limited,
                           {SPAN(weir_rate_limited, client_id)}, {0, 0},
                           {SPAN(weir_rate_limited, pad)}},
    [WEIR_ACK] = REPORT,           [WEIR_REJECT] = REPORT,   [WEIR_FILL] = FILL,
    [WEIR_CANCELED] = REPORT,      [WEIR_EXPIRED] = REPORT,  [WEIR_CANCEL_REJECT] = REPORT,
    [WEIR_REPLACED] = REPORT,      [WEIR_STATUS] = REPORT,   [WEIR_REPLACE_REJECT] = REPORT,
    [WEIR_NO_ANSWER] = REPORT,     [WEIR_BUST] = FILL,
    [WEIR_FUNDING] = CASH,         [WEIR_TRANSFER] = CASH,
    [WEIR_RECON_BEGIN] = BARE(0),  [WEIR_RECON_ORDER] = REPORT,
    [WEIR_RECON_POSITION] = CASH,  [WEIR_RECON_BALANCE] = CASH,
    [WEIR_RECON_END] = BARE(WEIR_RECON_HAS_POSITIONS | WEIR_RECON_HAS_BALANCES | WEIR_RECON_PARTIAL |
                                WEIR_RECON_OPEN_ONLY),
};
// clang-format on

bool event_is_of_orders(uint16_t kind)
{
    return kind >= WEIR_ACK && kind <= WEIR_RECON_END;
}

bool text_is_clean(const char *text, size_t room)
{
    const char *end = memchr(text, '\0', room);
    if (!end)
        return false;
    for (const char *at = text; at < end;) {
        size_t len = utf8_char(at, (size_t)(end - at));
        if (len == 0 || (unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
        at += len;
    }
    return true;
}

/* The text at a span ends; then so do its bytes. */
static bool ends(char *text, size_t room)
{
    size_t len = strnlen(text, room);
    if (len == room)
        return false;
    memset(text + len, 0, room - len);
    return true;
}

/* Bytes that are not printable UTF-8 become '?'. */
static void make_printable(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t len = utf8_char(text, left);
        if (len == 0 || (unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
            len = 1;
        }
        text += len;
        left -= len;
    }
}

static bool clean(unsigned char *bytes, const struct row *row)
{
    for (size_t i = 0; i < sizeof row->ids / sizeof row->ids[0] && row->ids[i].len; i++) {
        char *text = (char *)bytes + row->ids[i].at;
        if (!ends(text, row->ids[i].len) || !text_is_clean(text, row->ids[i].len))
            return false;
    }
    if (row->said.len) {
        char *text = (char *)bytes + row->said.at;
        if (!ends(text, row->said.len))
            return false;
        make_printable(text);
    }
    for (size_t i = 0; i < sizeof row->pads / sizeof row->pads[0]; i++)
        memset(bytes + row->pads[i].at, 0, row->pads[i].len);
    return true;
}

enum weir_err inspect_event(const struct weir_msg *from, union venue_event *event_out,
                            const char **fault_out)
{
    if (from->kind >= sizeof rows / sizeof rows[0] || !rows[from->kind].judge) {
        *fault_out = "not a kind that a plugin emits";
        return WEIR_E_NOT_FOUND;
    }
    const struct row *row = &rows[from->kind];
    if (from->size != row->size) {
        *fault_out = "its size is not that of its kind";
        return WEIR_E_BAD_FRAME;
    }
    memcpy(event_out, from, row->size);
    event_out->msg.flags &= row->flags;
    if (event_out->msg.t_venue < 0)
        event_out->msg.t_venue = 0;
    if (!clean((unsigned char *)event_out, row)) {
        *fault_out = "a text does not end, or is not printable UTF-8";
        return WEIR_E_BAD_FRAME;
    }
    if (event_out->msg.kind == WEIR_INSTRUMENT && event_out->instrument.kind == WEIR_SPOT &&
        event_out->instrument.multiplier == 0)
        event_out->instrument.multiplier = 1; /* spot knows no contracts */
    *fault_out = row->judge(event_out);
    return *fault_out ? WEIR_E_BAD_FRAME : WEIR_OK;
}
