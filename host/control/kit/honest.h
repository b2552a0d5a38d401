/* honest.h - is what a plugin told of some bytes in these bytes? [any thread] */
#ifndef WEIR_CONTROL_KIT_HONEST_H
#define WEIR_CONTROL_KIT_HONEST_H

#include <stdbool.h>

#include "control/kit/stage.h"

/* Is value * 10^-exp there as a decimal text, or value as 8 bytes of this machine? */
bool honest_number(struct weir_bytes bytes, int64_t value, int exp);
bool honest_text(struct weir_bytes bytes, const char *text); /* a whole word */
bool honest_is_text(struct weir_bytes bytes);                /* printable, and not empty */
/* Another known symbol than that of this instrument (the host's number) is there, and it is not. */
bool honest_other_symbol(const struct kit_stage *stage, struct weir_bytes bytes,
                         uint32_t instrument);

#endif
