/* pretend.h - a market that does what a test tells it, on virtual time: for `weir script test`.
 *
 * One script, a real engine without limits but those that the test sets, and a venue that acknowledges
 * orders, amends and cancels at once and fills when it is told to. What the script asked of the venue and
 * said is kept until it is looked at.                                     [main thread] */
#ifndef WEIR_CONTROL_PRETEND_H
#define WEIR_CONTROL_PRETEND_H

#include "base/text.h"
#include "script/script.h"

struct pretend;

struct pretend_instrument {
    char venue[NAME_MAX_LEN];
    char symbol[WEIR_SYMBOL_MAX];
    char base[WEIR_ASSET_MAX], quote[WEIR_ASSET_MAX];
    int8_t price_exp, qty_exp; /* decimals of tick and step */
    int64_t tick, step;        /* in 10^-exp */
};

enum pretend_verb { PRETEND_NEW, PRETEND_CANCEL, PRETEND_REPLACE };

/* What reached the venue. */
struct pretend_order {
    enum pretend_verb verb;
    struct out_order order; /* as the engine had it then; of a replace, as asked for */
    uint32_t instrument;
    bool seen; /* an expectation was met by it */
};

/* NULL: no memory. */
struct pretend *pretend_create(const struct pretend_instrument *instruments, size_t count,
                               const char *strategy);
void pretend_destroy(struct pretend *pretend); /* accepts NULL */

/* Load and start; config->strategy is set here. A script that fails has an outcome that says so. */
enum weir_err pretend_script(struct pretend *pretend, struct script_config *config,
                             struct why *why) WEIR_MUST_USE;
struct script *pretend_the_script(struct pretend *pretend);

/* 0: there is none. An empty venue or symbol: the first there is. */
uint32_t pretend_find(const struct pretend *pretend, const char *venue, const char *symbol);
const struct pretend_instrument *pretend_instrument(const struct pretend *pretend, uint32_t number);

/* What happens; the script is told, and what it asks is carried out. */
void pretend_top(struct pretend *pretend,
                 const struct weir_top *top); /* instrument, prices, sizes */
void pretend_book_state(struct pretend *pretend, uint32_t instrument, enum book_state state);
void pretend_trade(struct pretend *pretend, const struct weir_trade *trade);
void pretend_wait(struct pretend *pretend, weir_ns ns); /* timers fire on the way */
void pretend_stop(struct pretend *pretend);
void pretend_message(struct pretend *pretend, const struct script_message *message);
void pretend_limit(struct pretend *pretend, enum risk_limit limit,
                   amount value); /* of the strategy */
void pretend_refuse(struct pretend *pretend,
                    unsigned orders); /* the venue rejects so many new ones */
/* qty 0: what is left of it. px 0: its own price. False: no order is live that it could be. */
bool pretend_fill(struct pretend *pretend, uint32_t instrument, int side, weir_qty qty, weir_px px);

/* What came of it. */
struct pretend_order *pretend_orders(struct pretend *pretend, size_t *count_out);
const char *pretend_said(
    struct pretend *pretend); /* a line each: logs, "alert warn: ...", "published T {...}" */
void pretend_forget_said(struct pretend *pretend);
bool pretend_position(const struct pretend *pretend, uint32_t instrument,
                      struct position_view *view_out);

#endif
