/* grid.c - see the header. */
#include "control/grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

struct axis {
    char **sets; /* KEY=VALUE */
    size_t count;
};

struct grid {
    struct axis *axes;
    size_t count, points;
};

static enum weir_err add(struct axis *axis, const char *key, int key_len, const char *value,
                         int value_len, struct why *why)
{
    char **more = realloc(axis->sets, (axis->count + 1) * sizeof *more);
    char *set = NULL;
    if (more)
        axis->sets = more;
    if (!more || asprintf(&set, "%.*s=%.*s", key_len, key, value_len, value) < 0)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    axis->sets[axis->count++] = set;
    return WEIR_OK;
}

/* FROM..TO..STEP; false: it is not of that form. */
static bool is_range(const char *text, amount bounds[3])
{
    for (int i = 0; i < 3; i++) {
        const char *end = i < 2 ? strstr(text, "..") : text + strlen(text);
        if (!end || amount_parse(text, (size_t)(end - text), &bounds[i]) != WEIR_OK)
            return false;
        text = end + 2;
    }
    return true;
}

static enum weir_err add_range(struct axis *axis, const char *text, int key_len,
                               const amount bounds[3], size_t most, struct why *why)
{
    enum weir_err err = WEIR_OK;
    if (bounds[2] <= 0 || bounds[1] < bounds[0] ||
        (bounds[1] - bounds[0]) / bounds[2] >= (amount)most)
        return because(why, WEIR_E_USAGE,
                       "'%s': expected FROM..TO..STEP with FROM <= TO, STEP > 0 and at most %zu "
                       "values",
                       text, most);
    for (amount value = bounds[0]; value <= bounds[1] && !err; value += bounds[2]) {
        char digits[DECIMAL_TEXT_MAX];
        int len = (int)amount_print(value, digits);
        err = add(axis, text, key_len, digits, len, why);
    }
    return err;
}

static enum weir_err read_axis(struct axis *axis, const char *text, size_t most, struct why *why)
{
    amount bounds[3];
    const char *equals = strchr(text, '=');
    enum weir_err err = WEIR_OK;
    if (!equals || equals == text || !equals[1])
        return because(why, WEIR_E_USAGE, "'%s': expected KEY=a,b,c or KEY=FROM..TO..STEP", text);
    int key_len = (int)(equals - text);
    if (is_range(equals + 1, bounds))
        return add_range(axis, text, key_len, bounds, most, why);
    for (const char *at = equals; at && !err;) {
        const char *value = at + 1;
        at = strchr(value, ',');
        int len = (int)(at ? at - value : (ptrdiff_t)strlen(value));
        if (len == 0)
            return because(why, WEIR_E_USAGE, "'%s': a value between commas is missing", text);
        err = add(axis, text, key_len, value, len, why);
    }
    return err;
}

struct grid *grid_create(const char *const *axes, size_t count, size_t points_max, struct why *why)
{
    struct grid *grid = calloc(1, sizeof *grid);
    if (grid)
        grid->axes = calloc(count + 1, sizeof *grid->axes);
    if (!grid || !grid->axes) {
        free(grid);
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    grid->points = 1;
    for (grid->count = 0; grid->count < count; grid->count++) {
        struct axis *axis = &grid->axes[grid->count];
        enum weir_err err = read_axis(axis, axes[grid->count], points_max, why);
        if (!err && (axis->count == 0 || grid->points > points_max / axis->count))
            err = because(why, WEIR_E_FULL, "more than %zu combinations", points_max);
        if (err) {
            grid->count++; /* this one, too, is given back */
            grid_destroy(grid);
            return NULL;
        }
        grid->points *= axis->count;
    }
    return grid;
}

void grid_destroy(struct grid *grid)
{
    if (!grid)
        return;
    for (size_t i = 0; i < grid->count; i++) {
        for (size_t v = 0; v < grid->axes[i].count; v++)
            free(grid->axes[i].sets[v]);
        free(grid->axes[i].sets);
    }
    free(grid->axes);
    free(grid);
}

size_t grid_points(const struct grid *grid)
{
    return grid->points;
}

size_t grid_point(const struct grid *grid, size_t point, const char **sets_out)
{
    for (size_t i = grid->count; i-- > 0;) {
        const struct axis *axis = &grid->axes[i];
        sets_out[i] = axis->sets[point % axis->count];
        point /= axis->count;
    }
    return grid->count;
}
