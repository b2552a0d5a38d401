/* The indicators of scripts/lib/stats.lua: tables worked out by hand, and a recorded month of bars against
 * the definitions worked out anew for each bar, in long double, from all that went before. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/support_market.h"

static const struct script_source *stats_module(void)
{
    static struct script_source source;
    struct why why;
    if (!source.text)
        cr_assert_eq(script_source_read(SOURCE_DIR "/scripts/lib/stats.lua", &source, &why),
                     WEIR_OK, "%s", why.text);
    source.name = "stats";
    return &source;
}

static const char *run(struct market *market, const char *text)
{
    struct script_config config = market_config("s1", 1, text);
    struct script_report report;
    config.modules = stats_module();
    config.module_count = 1;
    config.budget.log_lines_per_s = 10000;
    script_report(market_add(market, &config), &report);
    cr_assert_eq(report.outcome, SCRIPT_OK, "%s", report.reason);
    return market_log(market);
}

Test(stats, indicators_are_those_of_the_tables)
{
    static const struct {
        const char *make, *add, *expected; /* what f.value is after each step */
    } cases[] = {
        {"stats.sma(3)", "1 2 3 6", "nil nil 2 3.66666667"},
        {"stats.ema(3)", "1 2 3", "1 1.5 2.25"},
        {"stats.wilder(2)", "1 3 4", "nil 2 3"},
        {"stats.zscore(3)", "1 2 3 3 3", "nil nil 1.22474487 0.707106781 nil"},
        {"stats.rsi(2)", "10 11 10 12 12", "nil nil 50 83.3333333 83.3333333"},
        {"stats.rsi(2)", "1 2 3 4", "nil nil 100 100"},
        {"stats.rsi(2)", "3 2 1", "nil nil 0"},
        {"stats.rsi(1)", "5 5 5", "nil 50 50"},
        {"stats.atr(3)", "10,8,9 12,9,11 11,10,10 15,12,14", "nil nil 2 3"},
        {"stats.atr(1)", "10,8,9 8.5,8,8", "2 1"},
        {"stats.vwap()", "10,1 20,3 5,0", "10 17.5 17.5"},
    };
    struct text lua;
    text_init(&lua);
    text_say(&lua, "local stats = weir.import('stats')\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        text_say(
            &lua,
            "do local f, all = %s, {} for step in ('%s'):gmatch('%%S+') do local args = {}\n"
            "for x in step:gmatch('[^,]+') do args[#args + 1] = tonumber(x) end\n"
            "local told = f:add(table.unpack(args)) all[#all + 1] = f.value and "
            "('%%.9g'):format(f.value) or "
            "'nil'\nif f.value ~= told then weir.log('add does not return the value') end end\n"
            "local said = table.concat(all, ' ') if said ~= '%s' then weir.log('%s of %s: ' .. "
            "said) end end\n",
            cases[i].make, cases[i].add, cases[i].expected, cases[i].make, cases[i].add);
    text_say(
        &lua,
        "local w = stats.window(3) for i = 1, 5 do w:add(i) end\n"
        "weir.log(w:last(1) .. w:last(2) .. w:last(3) .. tostring(w:last(4)) .. "
        "tostring(w:last(0)))\n"
        "local v = stats.vwap() v:add(5, 1) v:reset() weir.log(tostring(v.value) .. v.volume)\n"
        "local a = stats.atr(1) weir.log(a:add{high = 3, low = 1, close = 2})\n"
        "for _, f in ipairs{'sma', 'ema', 'wilder', 'zscore', 'rsi', 'atr', 'window'} do\n"
        "for _, n in ipairs{0, 1.5, 'x', false} do local ok, e = pcall(function() local made = "
        "stats[f](n) return made end)\n"
        "if ok or not e:find('^s1.lua:%%d+: stats.' .. f .. ': a whole length') then weir.log(f .. "
        "' ' .. "
        "tostring(e)) end end end");
    struct market market;
    market_open(&market);
    const char *log = run(&market, text_cstr(&lua));
    cr_expect_str_eq(log, "s1: 543nilnil\ns1: nil0\ns1: 2\n", "%s", log);
    text_fini(&lua);
    market_close(&market);
}

/* --- a recorded month ------------------------------------------------------------------------------ */

enum { BARS = 600, EVERY = 37, N = 14 };
static double high[BARS], low[BARS], closes[BARS], volume[BARS];

static bool read_bars(void)
{
    char command[600], line[256];
    const char *shared = getenv("WEIR_SHARED");
    snprintf(command, sizeof command,
             "zcat '%s/data/ohlcv/btc-perp-20211231-20220201_1m.csv.gz' 2>/dev/null",
             shared ? shared : SOURCE_DIR "/../shared");
    FILE *in = popen(command, "r");
    int n = 0;
    double open;
    for (bool first = true; in && n < BARS && fgets(line, sizeof line, in); first = false)
        if (!first && sscanf(strchr(line, ',') + 1, "%lf,%lf,%lf,%lf,%lf", &open, &high[n], &low[n],
                             &closes[n], &volume[n]) == 5)
            n++;
    if (in)
        pclose(in);
    return n == BARS;
}

static long double mean_of(int from, int to)
{
    long double sum = 0;
    for (int i = from; i <= to; i++)
        sum += closes[i];
    return sum / (to - from + 1);
}

/* sum of weight * (1 - weight)^age, the oldest with what is left of the weights */
static long double ema_at(int t)
{
    long double w = 2.0L / (N + 1), sum = 0;
    for (int i = 0; i <= t; i++)
        sum += closes[i] * powl(1 - w, t - i) * (i ? w : 1);
    return sum;
}

/* Wilder's mean of f(1..t), as a sum of weights. */
static long double wilder_at(long double (*f)(int), int first, int t)
{
    long double sum = 0, keep = 1 - 1.0L / N;
    for (int i = first; i <= t; i++)
        sum += f(i) / N * powl(keep, i < first + N ? t - (first + N - 1) : t - i);
    return sum;
}

static long double rise(int i)
{
    return fmaxl(0, (long double)closes[i] - closes[i - 1]);
}
static long double fall(int i)
{
    return fmaxl(0, (long double)closes[i - 1] - closes[i]);
}
static long double range(int i)
{
    long double h = high[i], l = low[i];
    return i ? fmaxl(h, closes[i - 1]) - fminl(l, closes[i - 1]) : h - l;
}

static void near(const char *what, int t, double got, long double want)
{
    cr_expect(fabsl(got - want) <= 1e-9L * fmaxl(1, fabsl(want)), "%s at %d: %.12g, not %.12Lg",
              what, t, got, want);
}

Test(stats, indicators_of_a_recorded_month_are_those_of_their_definitions)
{
    if (!read_bars())
        cr_skip_test("needs the shared folder");
    struct text lua;
    text_init(&lua);
    text_say(&lua, "local stats = weir.import('stats')\nlocal bars = {");
    for (int i = 0; i < BARS; i++)
        text_say(&lua, "{%.17g,%.17g,%.17g,%.17g},", high[i], low[i], closes[i], volume[i]);
    text_say(
        &lua,
        "}\nlocal sma, ema, z, rsi, atr, vwap = stats.sma(%d), stats.ema(%d), stats.zscore(%d), "
        "stats.rsi(%d), stats.atr(%d), stats.vwap()\n"
        "for i, b in ipairs(bars) do sma:add(b[3]) ema:add(b[3]) z:add(b[3]) rsi:add(b[3]) "
        "atr:add(b[1], b[2], b[3]) vwap:add(b[3], b[4])\n"
        "if i > 50 and i %% %d == 0 then weir.log(('%%d %%.17g %%.17g %%.17g %%.17g %%.17g %%.17g')"
        ":format(i, sma.value, ema.value, z.value, rsi.value, atr.value, vwap.value)) end end",
        N, N, N, N, N, EVERY);
    struct market market;
    market_open(&market);
    char *log = strdup(run(&market, text_cstr(&lua))), *rest = log;
    int seen = 0;
    for (char *line; (line = strsep(&rest, "\n")) && *line; seen++) {
        int t;
        double sma, ema, z, rsi, atr, vwap;
        cr_assert_eq(
            sscanf(line, "s1: %d %lf %lf %lf %lf %lf %lf", &t, &sma, &ema, &z, &rsi, &atr, &vwap),
            7, "%s", line);
        t--;
        long double mean = mean_of(t - N + 1, t), squares = 0, traded = 0, paid = 0;
        for (int i = t - N + 1; i <= t; i++)
            squares += (closes[i] - mean) * (closes[i] - mean);
        for (int i = 0; i <= t; i++) {
            traded += volume[i];
            paid += (long double)closes[i] * volume[i];
        }
        long double up = wilder_at(rise, 1, t), down = wilder_at(fall, 1, t);
        near("sma", t, sma, mean);
        near("ema", t, ema, ema_at(t));
        near("zscore", t, z, (closes[t] - mean) / sqrtl(squares / N));
        near("rsi", t, rsi, 100 * up / (up + down));
        near("atr", t, atr, wilder_at(range, 0, t));
        near("vwap", t, vwap, paid / traded);
    }
    cr_expect_eq(seen, BARS / EVERY - 1, "%d lines", seen);
    free(log);
    text_fini(&lua);
    market_close(&market);
}
