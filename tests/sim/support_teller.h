/* support_teller.h - a paper venue that is told what happens, and tells what came of it, in words.
 *
 *   book b99=5 a101=2    the displayed sizes change (snap: they are these and no others)
 *   top 99=5 101=2       the best bid and ask, as a venue without a depth book sends them
 *   add 7 b99=5          somebody's order of a venue that shows single ones; then: put 7 b99=3 (it has
 *                        so much left, or moved), take 7 b99=3 (it goes; with 0 it was filled)
 *   mark 100             the mark price
 *   trade sell 3@99      somebody else traded; the taker sold
 *   buy 1 3@101 ioc      our order "1"; then any of: ioc fok post; 3@market has no price
 *   cancel 1   replace 1 1b 4@100   all   query 1   fills   recon   wait 5
 *
 * Time stands still within a line, but for "wait". With funding the instrument is a linear
 * contract. Prices and quantities are whole numbers; the instrument is number 1, AAA-BBB. Answers are joined
 * with "; ": ack 1, fill 1 buy 2@101 taker, expired 1 IOC, rejected 1 TICK, ... */
#ifndef SUPPORT_TELLER_H
#define SUPPORT_TELLER_H

#include "sim/paper.h"

struct teller {
    struct paper *paper;
    struct book *book;
    struct queues *queues; /* of single orders; NULL: none came */
    weir_ns now;
    char heard[4096];
    bool with_time; /* each answer begins with its time: "5: ack 1" */
    uint32_t events;
    struct weir_fill last_fill;
    amount balance_a, balance_b; /* of the last reconciliation */
    int64_t position;
};

void teller_open(struct teller *teller, struct paper_config config);
void teller_close(struct teller *teller);

/* Do one line. Then time passes until nothing is due, unless `still`. */
void teller_do(struct teller *teller, const char *line, bool still);
/* What was heard since the last call; valid until the next. */
const char *teller_heard(struct teller *teller);

#endif
