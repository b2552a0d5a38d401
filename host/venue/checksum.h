/* checksum.h - a book's sum as its venue makes it, to be compared with the one it sends.
 *
 * Venues sum the texts of prices and sizes. A text is made again from the number and the places that
 * the venue writes, which the message tells, so no text need be kept.               [any thread] */
#ifndef WEIR_VENUE_CHECKSUM_H
#define WEIR_VENUE_CHECKSUM_H

#include <stdbool.h>

#include "engine/book.h"

/* Places of the instrument's numbers. */
struct checksum_exps {
    int8_t px, qty;
};

bool checksum_places(uint8_t places); /* 0..18 or WEIR_PLACES_FEWEST */

/* The sum by the rule msg->check (not NONE) with the message's places. */
uint32_t checksum_of(const struct book *book, const struct checksum_exps *exps,
                     const struct weir_book_msg *msg);

#endif
