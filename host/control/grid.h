/* grid.h - values of parameters, and all their combinations.
 *
 * An axis is KEY=a,b,c or KEY=FROM..TO..STEP (decimals, both ends included). Points are numbered from
 * 0; the last axis changes fastest. [main thread] */
#ifndef WEIR_CONTROL_GRID_H
#define WEIR_CONTROL_GRID_H

#include <stddef.h>

#include "base/why.h"

struct grid;

/* No axis: one point without values. NULL: why says which axis, and what was expected. */
struct grid *grid_create(const char *const *axes, size_t count, size_t points_max, struct why *why);
void grid_destroy(struct grid *grid); /* accepts NULL */
size_t grid_points(const struct grid *grid);
/* One "KEY=VALUE" for each axis; they live as long as the grid. Returns how many. */
size_t grid_point(const struct grid *grid, size_t point, const char **sets_out);

#endif
