/* settings.c - what the operator wants of this exchange: one row for each setting.
 *
 *   instruments   SYMBOL:PRICE:TICK:STEP,...   balances   USD:1000000,BTC:10   positions   BTC-USD:0.5 */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "sim.h"

struct reader {
    const struct weir_host *host;
    struct settings *to;
    const char *name, *value;
};

static enum weir_err refuse(const struct reader *r, const char *expected)
{
    char line[320];
    (void)snprintf(line, sizeof line, "sim: %s: expected %s, found \"%.60s\"", r->name, expected,
                   r->value);
    if (r->host->log)
        r->host->log(r->host->host, line);
    return WEIR_E_BAD_CONFIG;
}

/* --- one value ---------------------------------------------------------------------------------*/

static enum weir_err read_whole(const struct reader *r, int64_t least, int64_t most,
                                int64_t *value_out)
{
    char expected[80];
    if (decimal_parse(r->value, strlen(r->value), 0, value_out) == WEIR_OK && *value_out >= least &&
        *value_out <= most)
        return WEIR_OK;
    (void)snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)least,
                   (long long)most);
    return refuse(r, expected);
}

static enum weir_err read_u32(const struct reader *r, int64_t least, int64_t most, uint32_t *to)
{
    int64_t value = 0;
    enum weir_err err = read_whole(r, least, most, &value);
    if (err == WEIR_OK)
        *to = (uint32_t)value;
    return err;
}

static enum weir_err read_bps(const struct reader *r, amount *to)
{
    amount most = amount_from(1000, 0);
    if (amount_parse(r->value, strlen(r->value), to) != WEIR_OK || *to > most || *to < -most ||
        decimal_places(r->value, strlen(r->value)) > 8)
        return refuse(r, "basis points from -1000 to 1000 with at most 8 decimals");
    return WEIR_OK;
}

static enum weir_err read_time(const struct reader *r, weir_ns unit, weir_ns *to)
{
    int64_t value = 0;
    enum weir_err err = read_whole(r, 0, 3600 * SECOND / unit, &value);
    if (err == WEIR_OK)
        *to = value * unit;
    return err;
}

/* --- lists -------------------------------------------------------------------------------------*/

/* The text up to a mark, and what follows it. False: it is empty, or too long for room. */
static bool word(const char **at, char mark, char *to, size_t room)
{
    size_t len = strcspn(*at, ":,");
    if (len == 0 || len >= room || ((*at)[len] != mark && !(mark == ',' && (*at)[len] == '\0')))
        return false;
    memcpy(to, *at, len);
    memset(to + len, 0, room - len);
    *at += len + ((*at)[len] != '\0');
    return true;
}

static enum weir_err read_amounts(const struct reader *r, struct named_amount *list,
                                  uint32_t *count)
{
    const char *at = r->value;
    char value[48];
    *count = 0;
    while (*at) {
        struct named_amount *one = &list[*count];
        if (*count == MONEY_MAX || !word(&at, ':', one->name, sizeof one->name) ||
            !word(&at, ',', value, sizeof value) ||
            amount_parse(value, strlen(value), &one->value) != WEIR_OK)
            return refuse(r, "up to 16 of NAME:AMOUNT, with commas between");
        ++*count;
    }
    return WEIR_OK;
}

/* BASE-QUOTE */
static bool split_symbol(struct weir_instrument *is)
{
    const char *dash = strchr(is->symbol, '-');
    size_t base = dash ? (size_t)(dash - is->symbol) : 0, quote = dash ? strlen(dash + 1) : 0;
    if (base == 0 || quote == 0 || base >= WEIR_ASSET_MAX || quote >= WEIR_ASSET_MAX)
        return false;
    memcpy(is->base, is->symbol, base);
    memcpy(is->quote, dash + 1, quote);
    return strcmp(is->base, is->quote) != 0;
}

static bool read_step(const char *text, int8_t *exp, int64_t *step)
{
    int places = decimal_places(text, strlen(text));
    if (places < 0 || places > 12)
        return false;
    *exp = (int8_t)places;
    return decimal_parse(text, strlen(text), places, step) == WEIR_OK && *step > 0;
}

/* Prices have at least this many ticks, so that there is room for a market below them. */
enum { START_MIN = 1000 };
_Static_assert(MONEY_MAX == 16 && MARKETS_MAX == 8 && START_MIN == 1000, "the texts below say so");
#define START_MAX ((int64_t)1 << 40)

static bool read_instrument(const char **at, struct weir_instrument *is, int64_t *start)
{
    char price[32], tick[32], step[32];
    int64_t first = 0;
    if (!word(at, ':', is->symbol, sizeof is->symbol) || !word(at, ':', price, sizeof price) ||
        !word(at, ':', tick, sizeof tick) || !word(at, ',', step, sizeof step) ||
        !split_symbol(is) || !read_step(tick, &is->price_exp, &is->tick) ||
        !read_step(step, &is->qty_exp, &is->step) || is->price_exp + is->qty_exp > 18 ||
        decimal_parse(price, strlen(price), is->price_exp, &first) != WEIR_OK)
        return false;
    *start = first / is->tick;
    return first % is->tick == 0 && *start >= START_MIN && *start <= START_MAX;
}

static enum weir_err read_instruments(const struct reader *r)
{
    const char *at = r->value;
    struct settings *to = r->to;
    to->instrument_count = 0;
    while (*at) {
        uint32_t i = to->instrument_count;
        if (i == MARKETS_MAX)
            return refuse(r, "at most 8 instruments");
        struct weir_instrument *is = &to->instruments[i];
        *is = (struct weir_instrument){
            .msg = {.size = sizeof *is, .kind = WEIR_INSTRUMENT, .instrument = i + 1},
            .multiplier = 1,
            .min_notional = amount_pack(amount_from(1, 0))};
        if (!read_instrument(&at, is, &to->start[i]))
            return refuse(r, "BASE-QUOTE:PRICE:TICK:STEP,... with a price of 1000 ticks or more");
        for (uint32_t before = 0; before < i; before++)
            if (strcmp(to->instruments[before].symbol, is->symbol) == 0)
                return refuse(r, "each instrument once");
        to->instrument_count++;
    }
    return to->instrument_count > 0 ? WEIR_OK : refuse(r, "at least one instrument");
}

static enum weir_err read_stp(const struct reader *r)
{
    static const char *const words[] = {"none", "cancel_new", "cancel_old"};
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(r->value, words[i]) == 0) {
            r->to->stp = (enum match_stp)i;
            return WEIR_OK;
        }
    return refuse(r, "none, cancel_new or cancel_old");
}

/* --- the table ---------------------------------------------------------------------------------*/

#define PPM 1000000
#define READ(name, how)                                     \
    static enum weir_err set_##name(const struct reader *r) \
    {                                                       \
        return how;                                         \
    }
/* clang-format off */
#define SETTINGS(X)                                                                                       \
    X(seed, "1", read_whole(r, 0, INT64_MAX, (int64_t *)&r->to->seed))                                    \
    X(instruments, "BTC-USD:50000:0.01:0.0001,ETH-USD:3000:0.01:0.001,SOL-USD:150:0.001:0.01", read_instruments(r)) \
    X(rate, "100", read_u32(r, 1, 100000, &r->to->rate))                                                  \
    X(volatility, "6", read_u32(r, 0, 500, &r->to->volatility))                                           \
    X(balances, "USD:1000000,BTC:10,ETH:100,SOL:1000", read_amounts(r, r->to->balances, &r->to->balance_count)) \
    X(positions, "", read_amounts(r, r->to->positions, &r->to->position_count))                           \
    X(maker_fee_bps, "0", read_bps(r, &r->to->maker_fee_bps))                                             \
    X(taker_fee_bps, "0", read_bps(r, &r->to->taker_fee_bps))                                             \
    X(latency_us, "1000", read_time(r, 1000, &r->to->latency))                                            \
    X(jitter_us, "0", read_time(r, 1000, &r->to->jitter))                                                 \
    X(silence_ms, "1000", read_time(r, MILLISECOND, &r->to->silence))                                     \
    X(reject_ppm, "0", read_u32(r, 0, PPM, &r->to->reject_ppm))                                           \
    X(drop_ack_ppm, "0", read_u32(r, 0, PPM, &r->to->drop_ack_ppm))                                       \
    X(drop_request_ppm, "0", read_u32(r, 0, PPM, &r->to->drop_request_ppm))                               \
    X(duplicate_fill_ppm, "0", read_u32(r, 0, PPM, &r->to->duplicate_fill_ppm))                           \
    X(gap_ppm, "0", read_u32(r, 0, PPM, &r->to->gap_ppm))                                                 \
    X(self_trade, "cancel_new", read_stp(r))                                                              \
    X(orders, "2048", read_u32(r, 16, 1000000, &r->to->orders))                                            \
    X(linear, "0", read_flag(r, &r->to->linear))                                                         \
    X(check_balance, "1", read_flag(r, &r->to->check_balance))
/* clang-format on */

static enum weir_err read_flag(const struct reader *r, bool *to)
{
    uint32_t value = 0;
    enum weir_err err = read_u32(r, 0, 1, &value);
    *to = value != 0;
    return err;
}

#define X(name, otherwise, how) READ(name, how)
SETTINGS(X)
#undef X

static const struct row {
    const char *name, *otherwise;
    enum weir_err (*set)(const struct reader *);
} rows[] = {
#define X(name, otherwise, how) {#name, otherwise, set_##name},
    SETTINGS(X)
#undef X
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static enum weir_err no_such_setting(struct reader *r)
{
    char names[400] = "";
    for (unsigned i = 0; i < ROWS; i++) {
        size_t at = strlen(names);
        (void)snprintf(names + at, sizeof names - at, "%s%s", i ? " " : "", rows[i].name);
    }
    char line[512];
    (void)snprintf(line, sizeof line, "sim: %.40s: no such setting; there are %s", r->name, names);
    if (r->host->log)
        r->host->log(r->host->host, line);
    return WEIR_E_BAD_CONFIG;
}

static enum weir_err set_one(struct reader *r)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, r->name) == 0)
            return rows[i].set(r);
    return no_such_setting(r);
}

enum weir_err settings_read(const struct weir_host *host, const struct weir_setting *list,
                            struct settings *settings_out)
{
    struct reader r = {.host = host, .to = settings_out};
    enum weir_err err = WEIR_OK;
    memset(settings_out, 0, sizeof *settings_out);
    for (unsigned i = 0; i < ROWS && err == WEIR_OK; i++) {
        r.name = rows[i].name;
        r.value = rows[i].otherwise;
        err = rows[i].set(&r);
    }
    for (; err == WEIR_OK && list && list->name; list++) {
        r.name = list->name;
        r.value = list->value;
        err = set_one(&r);
    }
    for (uint32_t i = 0; i < settings_out->instrument_count; i++)
        settings_out->instruments[i].kind = settings_out->linear ? WEIR_LINEAR : WEIR_SPOT;
    return err;
}
