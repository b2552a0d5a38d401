/* inspect.h - is this event what event.h says? Plugins are guests: nothing of theirs is believed.
 *
 * An event is copied into memory of ours and checked there: exact size, texts that end and are
 * UTF-8, enumerations that exist, numbers in range. What cannot matter (padding, the bytes after a
 * text's end, a negative time stamp) is set to zero rather than refused, so that equal events are
 * equal bytes. Book messages are checked by feed.c instead, in place.            [any thread] */
#ifndef WEIR_VENUE_INSPECT_H
#define WEIR_VENUE_INSPECT_H

#include <stdbool.h>

#include "weir/error.h"
#include "weir/event.h"

union venue_event {
    struct weir_msg msg;
    struct weir_instrument instrument;
    struct weir_top top;
    struct weir_trade trade;
    struct weir_mark mark;
    struct weir_sequence sequence;
    struct weir_l3 l3;
    struct weir_funding_rate funding_rate;
    struct weir_session session;
    struct weir_rate_limited rate_limited;
    struct weir_report report;
    struct weir_fill fill;
    struct weir_cash cash;
};

/* E_NOT_FOUND: not a kind that plugins emit; E_BAD_FRAME: fault says what is wrong. WEIR_BOOK is not
 * for here. */
enum weir_err inspect_event(const struct weir_msg *from, union venue_event *event_out,
                            const char **fault_out) WEIR_MUST_USE;

/* Its loss would leave our books of orders, positions or cash wrong. */
bool event_is_of_orders(uint16_t kind);

/* A text that ends within its array, of printable UTF-8. */
bool text_is_clean(const char *text, size_t room);

#endif
