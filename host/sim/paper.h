/* paper.h - paper execution: a venue that is not there, behind market data that is.
 *
 * Intents go in as to a session, with the host's numbers of instruments; market data goes in as it
 * is applied; events come out as from a venue, at virtual times. Our orders stand in a queue behind
 * what is displayed, and take what is displayed; the market does not notice them.
 *
 * QUEUE   A resting order fills by trades only: a trade at its price whose taker hits its side takes
 *         the queue from the front, a trade through its price fills the rest at once. How the queue
 *         before it shrinks without a trade is the model's:
 *           trades_only               it does not
 *           capped_by_displayed_size  after each book message, to at most the size displayed there
 *           front                     what disappears, disappears before us: the best that can be hoped
 *           back                      we are always last: the worst that must be feared
           shared, shared_2, shared_3  disappears before and behind us in proportion to what stands
                                     there, to its square, its cube: cancels come from the longer part
                                     (hftbacktest's PowerProbQueueModel with n = 1, 2, 3)
 *         Where the venue shows single orders (level 3) no model is asked: ours stands behind those that
 *         were there when it came, moves up when one of them leaves, and fills when one that came after
 *         it does, or one at a worse price.
 * TAKING  An order that meets what is displayed fills there, level by level. What it took is gone
 *         until data names that level again, or a snapshot comes.
 * MARKET  The depth book; where a venue sends none, its best bid and ask are a book of one level.
 * FUNDING At each multiple of funding_every a derivative's position pays its worth, at the mark price
 *         (without one: the middle of the book), times funding_bps. A position without any price
 *         then is passed over.
 * BOOKS   Wallets and positions are the paper venue's own, and answer reconciliations.
 *
 * Call paper_timer() for all that is due before data of a later time.            [engine thread] */
#ifndef WEIR_SIM_PAPER_H
#define WEIR_SIM_PAPER_H

#include "base/decimal.h"
#include "base/why.h"
#include "engine/book.h"
#include "sim/desk/latency.h"
#include "sim/desk/ledger.h"
#include "sim/match.h"
#include "venue/queues.h"
#include "weir/plugin.h"

struct paper;

#define PAPER_QUEUES(X)                           \
    X(trades_only, MATCH_QUEUE_BEHIND)            \
    X(capped_by_displayed_size, MATCH_QUEUE_BACK) \
    X(front, MATCH_QUEUE_FRONT)                   \
    X(back, MATCH_QUEUE_LAST)                     \
    X(shared, MATCH_QUEUE_SHARED_1)               \
    X(shared_2, MATCH_QUEUE_SHARED_2)             \
    X(shared_3, MATCH_QUEUE_SHARED_3)

/* A model by its name; trades_only for a name that is none of them. */
enum match_queue paper_queue_of(const char *name);
bool paper_queue_is(const char *name); /* is it one of them? */

struct paper_config {
    uint16_t venue, account;
    uint64_t seed;
    enum match_queue queue;
    struct latency latency;              /* its rows are borrowed until paper_destroy */
    amount maker_fee_bps, taker_fee_bps; /* negative: a rebate; at most 8 decimals */
    enum fee_asset fee_asset;            /* spot */
    enum match_stp stp;
    uint32_t reject_ppm;         /* new orders that it refuses */
    uint32_t drop_request_ppm;   /* requests that never arrive, */
    uint32_t drop_ack_ppm;       /* answers that never arrive: both end in WEIR_NO_ANSWER */
    uint32_t duplicate_fill_ppm; /* executions told twice */
    uint32_t rate_max;           /* requests in each rate_window; 0: any number */
    weir_ns rate_window;
    weir_ns outage_every, outage_for; /* 0: none; see desk.h */
    amount funding_bps;    /* of a position's worth, paid by longs to shorts; at most 8 decimals */
    weir_ns funding_every; /* at whole multiples of it since the epoch; 0: none */
    weir_ns silence;       /* after which the lack of an answer is told; 0: 1 s */
    bool check_balance;    /* spot: refuse what the wallet does not cover */
    uint32_t orders;       /* 0: 4096 */
    uint32_t fills;        /* executions that can be asked for; 0: 16384 */
    uint32_t instruments;  /* largest number; 0: 512 */
    const struct weir_setting *balances; /* ended by a NULL name; NULL: none */
};

/* event is borrowed until the call returns; the sink must not call the paper venue.
 * NULL: why says what. [main thread] */
struct paper *paper_create(const struct paper_config *config,
                           void (*emit)(void *context, const struct weir_msg *event), void *context,
                           struct why *why) WEIR_MUST_USE;
void paper_destroy(struct paper *paper); /* accepts NULL */

const struct weir_caps *paper_caps(void);

/* What it holds at the start beside `balances`: a position taken over from an earlier run, without
 * a cost. False: no such instrument. */
bool paper_position(struct paper *paper, uint32_t instrument, weir_qty qty) WEIR_MUST_USE;

/* The private stream is up. Ids of this run are made from now. */
void paper_start(struct paper *paper, weir_ns now);

/* An instrument, or its new rules. False: it cannot be reckoned with, and stays unknown (orders are
 * refused) or as it was. */
bool paper_instrument(struct paper *paper, const struct weir_instrument *instrument);

/* One book message was applied. The book is read at later times too: it stays valid, and in step
 * with the messages, until paper_destroy(). */
void paper_book(struct paper *paper, weir_ns now, uint32_t instrument,
                const struct weir_book_msg *msg, const struct book *book);
/* One order of the venue's own book came, changed or went, and change says what that did. Its book message
 * went before it. From the first one on this market goes by its orders. */
void paper_queue(struct paper *paper, weir_ns now, uint32_t instrument, const struct weir_l3 *order,
                 const struct queues_change *change);
void paper_top(struct paper *paper, weir_ns now, const struct weir_top *top);
void paper_trade(struct paper *paper, weir_ns now, const struct weir_trade *trade);
void paper_mark(struct paper *paper, weir_ns now, const struct weir_mark *mark);

/* E_FULL, E_UNSUPPORTED, E_USAGE: certainly not sent. Nothing is emitted here. */
enum weir_err paper_intent(struct paper *paper, weir_ns now,
                           const struct weir_intent *intent) WEIR_MUST_USE;

weir_ns paper_next_timer(const struct paper *paper); /* INT64_MAX: nothing is due */
void paper_timer(struct paper *paper, weir_ns now);

#endif
