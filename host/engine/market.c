/* market.c - reference prices and the state of market data.
 *
 * The reference is kept doubled, since the middle of bid and ask may fall between two prices. The
 * last of mark and top counts. A price of zero or less is thrown away. */
#include "engine/define.h"
#include "engine/hold.h"
#include "engine/inputs.h"
#include "engine/ledger.h"
#include "engine/loss.h"
#include "engine/state.h"
#include "engine/tell.h"

static void bad_price(struct engine *engine, uint32_t instrument, weir_px px)
{
    tell_alert(engine, ALERT_BAD_PRICE, instrument, 0, px, 0, "");
}

static void set_reference(struct engine *engine, struct instrument *instrument, weir_px a,
                          weir_px b)
{
    weir_px twice;
    if (__builtin_add_overflow(a, b, &twice) || !loss_values(instrument, twice)) {
        bad_price(engine, instrument->is.msg.instrument, a);
        return;
    }
    instrument->reference_x2 = twice;
    if (engine->watching)
        course_price(engine, instrument);
    loss_price(engine, instrument);
    if (engine->policy[POLICY_trigger_by] == TRIGGER_BY_REFERENCE)
        hold_price(engine, instrument, twice);
}

void apply_mark(struct engine *engine, const void *input)
{
    const struct weir_mark *mark = input;
    struct instrument *instrument = instrument_at(engine, mark->msg.instrument);
    if (!instrument) {
        tell_anomaly(engine, 0, 0, "a price of an instrument that is not known");
        return;
    }
    if (mark->px <= 0) {
        bad_price(engine, mark->msg.instrument, mark->px);
        return;
    }
    instrument->marks.mark = mark->px;
    instrument->marks.t = mark->msg.t;
    if (!strict(engine)) /* live, only the book machine says that a book is good again */
        instrument->stale = 0;
    set_reference(engine, instrument, mark->px, mark->px);
}

/* Told to those who ask; no order is judged by it. */
void apply_index(struct engine *engine, const void *input)
{
    const struct weir_mark *index = input;
    struct instrument *instrument = instrument_at(engine, index->msg.instrument);
    if (!instrument) {
        tell_anomaly(engine, 0, 0, "a price of an instrument that is not known");
        return;
    }
    if (index->px <= 0) {
        bad_price(engine, index->msg.instrument, index->px);
        return;
    }
    instrument->marks.index = index->px;
    instrument->marks.t = index->msg.t;
}

/* What will be paid; what was paid comes as WEIR_FUNDING. */
void apply_funding_rate(struct engine *engine, const void *input)
{
    const struct weir_funding_rate *rate = input;
    struct instrument *instrument = instrument_at(engine, rate->msg.instrument);
    if (!instrument) {
        tell_anomaly(engine, 0, 0, "a funding rate of an instrument that is not known");
        return;
    }
    instrument->marks.funding_rate = rate->rate;
    instrument->marks.funding_t = rate->t_next;
    instrument->marks.has_funding = true;
    instrument->marks.t = rate->msg.t;
}

void apply_top(struct engine *engine, const void *input)
{
    const struct weir_top *top = input;
    struct instrument *instrument = instrument_at(engine, top->msg.instrument);
    if (!instrument) {
        tell_anomaly(engine, 0, 0, "a price of an instrument that is not known");
        return;
    }
    if (top->bid < 0 || top->ask < 0) {
        bad_price(engine, top->msg.instrument, top->bid < 0 ? top->bid : top->ask);
        return;
    }
    instrument->top = *top;
    if (top->bid > 0 && top->ask > 0)
        set_reference(engine, instrument, top->bid, top->ask);
}

void apply_trade(struct engine *engine, const void *input)
{
    const struct weir_trade *trade = input;
    struct instrument *instrument = instrument_at(engine, trade->msg.instrument);
    bool usable = trade->px > 0 && trade->px <= INT64_MAX / 2;
    if (!instrument || !usable || (trade->msg.flags & WEIR_TRADE_OFF_BOOK))
        return;
    instrument->last_trade = trade->px;
    if (engine->policy[POLICY_trigger_by] == TRIGGER_BY_TRADE)
        hold_price(engine, instrument, 2 * trade->px);
}

void apply_book_state(struct engine *engine, const void *input)
{
    const struct in_state *in = input;
    struct instrument *instrument = instrument_at(engine, in->msg.instrument);
    if (!instrument || in->value < 0 || in->value >= BOOK_STATE_COUNT) {
        tell_anomaly(engine, 0, 0, "a book's state that is not known, or of no instrument");
        return;
    }
    instrument->book = (uint8_t)in->value;
    bool bad = in->value == BOOK_STALE || in->value == BOOK_GAPPED || in->value == BOOK_CROSSED;
    if (bad && !instrument->stale)
        tell_alert(engine, ALERT_STALE_BOOK, in->msg.instrument, 0, in->value, BOOK_LIVE, "");
    if (bad && !instrument->stale) {
        hold_stale(engine, instrument);
        if (instrument->own.now.qty != 0)
            guard_trips(engine, GUARD_stale_data, &engine->instrument_scopes[in->msg.instrument],
                        amount_from(in->value, 0), amount_from(BOOK_LIVE, 0));
    }
    if (bad || in->value == BOOK_LIVE)
        instrument->stale = bad;
}
