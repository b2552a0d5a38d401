/* budget.c - rate budgets: out of the instruments' rules, of answers, and of the headers of answers. */
#include "trade.h"

#define SECOND ((weir_ns)1000000000)

static weir_ns interval_of(struct weir_bytes word)
{
    return scan_is(word, "SECOND")   ? SECOND
           : scan_is(word, "MINUTE") ? 60 * SECOND
           : scan_is(word, "HOUR")   ? 3600 * SECOND
           : scan_is(word, "DAY")    ? 86400 * SECOND
                                     : 0;
}

void tell_budgets(struct binance *binance, struct weir_bytes list)
{
    struct scan scan = scan_of(list);
    struct weir_bytes row;
    int first = 1;
    if (list.len == 0 || !scan_try(&scan, '['))
        return;
    while (object_next(&scan, &first, &row)) {
        struct weir_budget budget = {
            .size = sizeof budget,
            .window = interval_of(object_text(row, "interval")) * object_int(row, "intervalNum", 1),
            .limit = object_int(row, "limit", -1),
            .used = object_int(row, "count", -1),
        };
        budget.of =
            object_is(row, "rateLimitType", "ORDERS") ? WEIR_BUDGET_ORDERS : WEIR_BUDGET_WEIGHT;
        bool counted =
            budget.of == WEIR_BUDGET_ORDERS || object_is(row, "rateLimitType", "REQUEST_WEIGHT");
        if (counted && budget.window > 0)
            binance->host->budget(binance->host->host, &budget);
    }
}

/* "1m", "10s", "1d" at the end of a header's name. */
static weir_ns window_of(const char *text, size_t len)
{
    weir_ns number = 0;
    size_t i = 0;
    while (i < len && text[i] >= '0' && text[i] <= '9' && number < 1000)
        number = number * 10 + (text[i++] - '0');
    if (i + 1 != len)
        return 0;
    return number * (text[i] == 's'   ? SECOND
                     : text[i] == 'm' ? 60 * SECOND
                     : text[i] == 'h' ? 3600 * SECOND
                     : text[i] == 'd' ? 86400 * SECOND
                                      : 0);
}

static void take_header(struct binance *binance, struct weir_bytes name, struct weir_bytes value)
{
    static const struct {
        const char *name;
        enum weir_budget_of of;
    } counted[] = {{"x-mbx-used-weight-", WEIR_BUDGET_WEIGHT},
                   {"x-mbx-order-count-", WEIR_BUDGET_ORDERS}};
    struct scan scan = scan_of(value);
    int64_t number = scan_digits_checked(&scan, 0);
    if (!scan_done(&scan) || number < 0)
        return;
    if (scan_is(name, "retry-after"))
        binance->orders->limited = (number < 864000 ? number : 864000) * SECOND;
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        size_t len = strlen(counted[i].name);
        if (name.len <= len || memcmp(name.data, counted[i].name, len) != 0)
            continue;
        struct weir_budget budget = {.size = sizeof budget,
                                     .of = counted[i].of,
                                     .window = window_of(name.data + len, name.len - len),
                                     .limit = -1,
                                     .used = number};
        if (budget.window > 0)
            binance->host->budget(binance->host->host, &budget);
    }
}

enum weir_err answer_headers(struct binance *binance, int status, struct weir_bytes headers,
                             weir_ns now)
{
    (void)status;
    (void)now;
    binance->orders->limited = 0;
    for (const char *at = headers.data, *end = at + headers.len; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end ? line_end : end;
        const char *colon = memchr(at, ':', (size_t)(line_end - at));
        if (colon) {
            const char *value = colon + 1;
            while (value < line_end && *value == ' ')
                value++;
            take_header(binance, (struct weir_bytes){at, (size_t)(colon - at)},
                        (struct weir_bytes){value, (size_t)(line_end - value)});
        }
        at = line_end + (line_end < end);
    }
    return WEIR_OK;
}
