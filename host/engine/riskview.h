/* riskview.h - what the checks read of an order and of where it would go, worked out once. Private to
 * risk.c, riskview.c and further.c. */
#ifndef WEIR_ENGINE_RISKVIEW_H
#define WEIR_ENGINE_RISKVIEW_H

#include "engine/risk.h"
#include "engine/state.h"

struct risk_view {
    struct engine *engine; /* read only, but for the throttles' tails */
    const struct wish *wish;
    const struct instrument *instrument;
    bool outside;        /* it may reach a venue */
    bool has_notional;   /* it has a price */
    uint32_t further;    /* bit for each further limit that has a value somewhere and applies */
    uint8_t restricted;  /* not 0: the trading state of a scope is not ACTIVE */
    uint32_t unset;      /* bit for each limit that must be given somewhere and is not */
    weir_px px;          /* its limit, or the reference; 0: none */
    amount notional;     /* 10^-product_exp */
    int64_t notional_64; /* the same, as far as it fits */
    int64_t band;        /* distance from the reference, 10^-9 percent; -1: none */
    int64_t off_tick;    /* what is left over a multiple of it */
    int64_t off_step;
    amount own_counted; /* what the order adds already */
    amount own_held;
    /* by scope, from wide to narrow */
    const struct card *cards[RISK_SCOPE_COUNT]; /* of none: an empty one */
    uint32_t given[RISK_SCOPE_COUNT]; /* bit for each limit that has a value and applies */
    int64_t worst[RISK_SCOPE_COUNT];  /* position with the worst case of all orders of this side */
    int64_t sends[RISK_SCOPE_COUNT];  /* in the window, with this one */
};

/* Live: a limit that is missing here refuses. */
static const bool must_be_given[RISK_SCOPE_COUNT] = {[SCOPE_host] = true,
                                                     [SCOPE_account] = true,
                                                     [SCOPE_strategy] = true,
                                                     [SCOPE_instrument] = true};

/* The nearest number of 64 bits; none is the least, so that each can be negated. */
static inline int64_t narrow(amount value)
{
    return value > INT64_MAX ? INT64_MAX : value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

/* Works it out; times of sends that are out of the window are forgotten on the way. */
amount product_units(const struct instrument *instrument, weir_px px, weir_qty qty);
bool view_reduces(const struct risk_view *view); /* it only makes the account's position smaller */
/* Amounts as a reading: as many places as fit; value is rounded up and limit down. */
void reading_of_amounts(struct risk_reading *reading, amount value, amount limit);

/* Where the readings of a decision are written. */
struct readings {
    uint64_t *at;    /* the next word */
    uint64_t zeros;  /* out_decision.zeros */
    uint32_t failed; /* not 0: one of them did not pass */
};
/* One that is not a zero, as an entry of its own. */
void reading_put(struct readings *readings, const struct risk_reading *reading);
/* risk.c: all readings of an order, and whether it is allowed */
void risk_decide(const struct risk_view *view, struct out_decision *decision);
/* further.c: what the others read, behind them */
void further_read(const struct risk_view *view, struct readings *readings);
/* Where a check is read that is read once for an order. */
uint8_t risk_usual_scope(enum risk_check check);
enum { CORE_LIMIT_BITS = (1 << CORE_LIMIT_COUNT) - 1 };

void view_make(struct risk_view *view, struct engine *engine, const struct wish *wish);

#endif
