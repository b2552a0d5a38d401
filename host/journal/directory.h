/* directory.h - who is who in a journal: names and exponents, collected from its records.
 *
 * Numbers in records mean something only with the definitions that came before; whoever prints
 * records learns from each as it passes. [one thread each] */
#ifndef WEIR_JOURNAL_DIRECTORY_H
#define WEIR_JOURNAL_DIRECTORY_H

#include <stdbool.h>

#include "engine/input.h"

struct directory;

struct directory *directory_create(void);            /* NULL: no memory */
void directory_destroy(struct directory *directory); /* accepts NULL */

/* Remember what this message defines. False: no memory. */
bool directory_learn(struct directory *directory, const struct weir_msg *msg);

/* NULL: not defined yet. */
const struct weir_instrument *directory_instrument(const struct directory *directory,
                                                   uint32_t instrument);
/* The last best prices of an instrument; NULL: none yet. */
const struct weir_top *directory_top(const struct directory *directory, uint32_t instrument);

/* "" for the host, the symbol of an instrument; "?" not defined. */
const char *directory_name(const struct directory *directory, enum risk_scope scope, uint32_t id);

#endif
