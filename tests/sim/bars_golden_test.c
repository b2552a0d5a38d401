/* bars_golden_test.c - recorded bars, plain or zipped, against what an independent program found in them:
 * rows, times, sums, extremes, and rows that cannot be. The recordings are not in the tree. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/decimal.h"
#include "base/json.h"
#include "sim/lines.h"
#include "support/facts.h"

enum { COLUMNS_MAX = 12, TEXT = 256 };

struct bars {
    char header[TEXT], first[TEXT], last[TEXT];
    int64_t rows, columns, not_increasing, violations, empty, crossed, missing;
    int64_t t; /* of the last row, ms or minutes */
    bool dated, quotes;
    amount volume, high, low;
};

static void shared(const char *path, char *to, size_t room)
{
    const char *folder = getenv("WEIR_SHARED");
    (void)snprintf(to, room, "%s/data/%s", folder ? folder : SOURCE_DIR "/../shared", path);
}

static int split(char *line, char **columns)
{
    int count = 0;
    for (char *rest = line; rest && count < COLUMNS_MAX; count++)
        columns[count] = strsep(&rest, ",");
    return count;
}

static amount value_of(const char *text)
{
    amount value = 0;
    cr_assert_eq(amount_parse(text, strlen(text), &value), WEIR_OK, "'%s'", text);
    return value;
}

/* ms since midnight, or minutes of `YYYY-MM-DD HH:MM:SS.ffffff`. */
static int64_t time_of(const struct bars *bars, const char *text)
{
    int64_t value = 0;
    int year, month, day, hour, minute;
    if (!bars->dated) {
        cr_assert_eq(decimal_parse(text, strlen(text), 0, &value), WEIR_OK, "'%s'", text);
        return value;
    }
    cr_assert_eq(sscanf(text, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute), 5);
    year -= month <= 2;
    int64_t days = 365L * year + year / 4 - year / 100 + year / 400 +
                   (153L * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day;
    return (days * 24 + hour) * 60 + minute;
}

static void take_trades(struct bars *bars, char **column)
{
    amount open = value_of(column[1]), high = value_of(column[2]), low = value_of(column[3]),
           close = value_of(column[4]);
    bars->violations += low > open || low > close || high < open || high < close;
    cr_assert(amount_add(bars->volume, value_of(column[5]), &bars->volume));
    bars->high = bars->rows == 0 || high > bars->high ? high : bars->high;
    bars->low = bars->rows == 0 || low < bars->low ? low : bars->low;
}

static void take_quotes(struct bars *bars, char **column, int count)
{
    bool empty = false;
    for (int i = 0; i < count; i++)
        empty = empty || !*column[i];
    bars->empty += empty;
    bars->crossed += !empty && value_of(column[4]) > value_of(column[9]);
}

static void take_row(struct bars *bars, struct weir_bytes line)
{
    char text[TEXT], *column[COLUMNS_MAX];
    cr_assert_lt(line.len, (size_t)TEXT);
    (void)snprintf(text, sizeof text, "%.*s", (int)line.len, line.data);
    if (bars->rows == 0)
        memcpy(bars->first, text, sizeof text);
    memcpy(bars->last, text, sizeof text);
    int count = split(text, column);
    int64_t t = time_of(bars, column[0]);
    bars->not_increasing += bars->rows > 0 && t <= bars->t;
    bars->missing += bars->rows > 0 && bars->dated ? t - bars->t - 1 : 0;
    bars->t = t;
    bars->columns = count;
    bars->quotes = count > 6;
    if (bars->quotes)
        take_quotes(bars, column, count);
    else
        take_trades(bars, column);
    bars->rows++;
}

static void read_bars(struct bars *bars, const char *name)
{
    char path[1024];
    struct lines lines;
    struct why why;
    struct weir_bytes line;
    bool more = true;
    shared(name, path, sizeof path);
    cr_assert_eq(lines_open(&lines, path, &why), WEIR_OK, "%s", why.text);
    for (;;) {
        cr_assert_eq(lines_next(&lines, &line, &more, &why), WEIR_OK, "%s", why.text);
        if (!more)
            break;
        bars->dated = bars->dated || (lines.number == 1 && line.len > 0 && line.data[0] == 't');
        if (bars->dated && lines.number == 1)
            (void)snprintf(bars->header, sizeof bars->header, "%.*s", (int)line.len, line.data);
        else
            take_row(bars, line);
    }
    lines_close(&lines);
}

static void compare(const cJSON *golden, const struct bars *bars)
{
    char volume[64], high[64], low[64];
    const struct {
        const char *key;
        int64_t found;
    } numbers[] = {{"rows", bars->rows},
                   {"columns", bars->columns},
                   {"time_not_increasing", bars->not_increasing},
                   {"ohlc_violations", bars->violations},
                   {"rows_with_empty_fields", bars->empty},
                   {"crossed_closes", bars->crossed},
                   {"missing_minutes", bars->missing}};
    volume[amount_print(bars->volume, volume)] = '\0';
    high[amount_print(bars->high, high)] = '\0';
    low[amount_print(bars->low, low)] = '\0';
    const struct {
        const char *key, *found;
    } texts[] = {{"header", bars->header}, {"first_row", bars->first},
                 {"last_row", bars->last}, {"volume_sum", volume},
                 {"high", high},           {"low", low}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const cJSON *leaf = json_get(golden, numbers[i].key);
        cr_expect(!leaf || (int64_t)cJSON_GetNumberValue(leaf) == numbers[i].found,
                  "%s/%s: %" PRId64, golden->string, numbers[i].key, numbers[i].found);
        fact_compared(leaf);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const cJSON *leaf = json_get(golden, texts[i].key);
        cr_expect(!leaf || strcmp(cJSON_GetStringValue(leaf), texts[i].found) == 0, "%s/%s: %s",
                  golden->string, texts[i].key, texts[i].found);
        fact_compared(leaf);
    }
}

Test(bars_golden, recorded_bars_are_as_an_independent_program_read_them)
{
    char path[1024];
    struct facts facts = {0};
    struct why why;
    shared("golden.json", path, sizeof path);
    if (access(path, R_OK) != 0)
        cr_skip_test("needs the shared folder");
    cJSON *golden = json_read_file(path, &why);
    cr_assert_not_null(golden, "%s", why.text);
    const cJSON *file;
    cJSON_ArrayForEach(file, json_get(golden, "ohlcv"))
    {
        struct bars bars = {.rows = 0};
        char name[256];
        (void)snprintf(name, sizeof name, "ohlcv/%s", file->string);
        read_bars(&bars, name);
        compare(file, &bars);
        facts_count(file, file->string, "", &facts);
    }
    printf("bars_golden: %u facts equal, %u not compared\n", facts.compared, facts.left);
    cr_expect_eq(facts.left, 0);
    cr_expect_geq(facts.compared, 100);
    cJSON_Delete(golden);
}
