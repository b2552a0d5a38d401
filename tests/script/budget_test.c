/* Whatever a script does, it ends within its budget, alone, and the host is as it was. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "script/support_market.h"

#if defined __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

#define TIME  "of CPU time in a `book` handler"
#define CAP   "over its cap of 16384 KiB of memory in a `book` handler"
#define BLOCK "a string or table over the cap of 4096 KiB"

/* The body of a book handler, and what the reason says (NULL: the script stays). */
static const struct {
    const char *lua, *reason;
} attacks[] = {
    /* plain loops, and code that would swallow an error */
    {"while true do end", TIME},
    {"::again:: goto again", TIME},
    {"local function f() return f() end f()", TIME},
    {"for i = math.mininteger, math.maxinteger do end", TIME},
    {"while true do pcall(function() while true do end end) end", TIME},
    {"xpcall(function() while true do end end, function() while true do end end)", TIME},
    {"local x <close> = setmetatable({}, {__close = function() while true do end end}) while true "
     "do end",
     TIME},
    {"local function level(n) if n > 0 then pcall(level, n - 1) end while true do end end "
     "pcall(level, 150)",
     TIME},
    {"while true do pcall(error, setmetatable({}, {__tostring = function() while true do end "
     "end})) end",
     TIME},
    {"local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x",
     TIME},
    {"local t = setmetatable({}, {__eq = function() while true do end end}) return t == "
     "setmetatable({}, "
     "getmetatable(t))",
     TIME},
    /* coroutines */
    {"coroutine.wrap(function() while true do end end)()", TIME},
    {"local f = coroutine.wrap(function() while true do coroutine.yield() end end) while true do "
     "f() end",
     TIME},
    {"while true do local c = coroutine.create(function() while true do end end) "
     "coroutine.resume(c) end",
     TIME},
    {"local function f() return coroutine.wrap(f)() end while true do pcall(f) end", TIME},
    {"local c = coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() "
     "while true do end "
     "end}) coroutine.yield() error('x') end) c() c()",
     TIME},
    /* one call, or one instruction, that takes for ever */
    {"return (('a'):rep(4000)):find(('.-'):rep(8) .. 'b')", TIME},
    {"return (('a'):rep(33)):find(('a?'):rep(34) .. ('a'):rep(34))", TIME},
    {"return (('ab '):rep(100000)):gsub('%f[%w].-%f[%W].-%f[%w].-x', '')", TIME},
    {"table.move({}, 1, 1 << 62, 2)", TIME},
    {"table.insert(setmetatable({}, {__len = function() return 1 << 62 end}), 1, 'x')", TIME},
    {"return table.concat(setmetatable({}, {__index = getmetatable, __metatable = ''}), '', 1, "
     "math.maxinteger)",
     TIME},
    {"table.sort(setmetatable({}, {__len = function() return (1 << 31) - 2 end, __index = rawlen, "
     "__newindex = "
     "rawequal}), rawequal)",
     TIME},
    {"local m, t = (1 << 17) - 1, {} for i = 1, 1 << 16 do t[i * m] = true end while true do end",
     TIME},
    {"local a, b = ('a'):rep(3000000) .. 'x', ('a'):rep(3000000) .. 'y' while true do local _ = a "
     "< b end",
     TIME},
    {"local a, b = ('a'):rep(3000000) .. 'x', ('a'):rep(3000000) .. 'x' while true do local _ = a "
     "== b end",
     TIME},
    {"local s = ('z'):rep(2000000) while true do local _ = s .. 'a' end", TIME},
    {"local s = ('abc'):rep(100000) while true do s = s:upper():lower():reverse() end", TIME},
    {"local s, d = ('\\u{20AC}'):rep(1 << 20), ('9'):rep(1 << 21) while true do utf8.len(s) "
     "tonumber(d, 10) end",
     TIME},
    {"local s = ('x'):rep(1 << 21) while true do s:gsub('.', pcall) end", TIME},
    {"local t = {} for i = 1, 1900 do t = setmetatable({}, {__index = t}) end while true do local "
     "_ = t.a end",
     TIME},
    {"while true do weir.now() end", TIME},
    {"while true do weir.log('x') end", TIME},
    {"while true do weir.book('sim', 'BTC-USD') end", TIME},
    {"while true do weir.on('nothing') end", "there is no event"},
    {"local t = {} for i = 1, 40000 do t['k' .. i] = i end while true do for k in pairs(t) do "
     "break end end",
     TIME},
    {"local t = {} for i = 1, 40000 do t['k' .. i] = i end for k in next, t do t[k] = nil for i in "
     "next, t do break "
     "end end",
     TIME},
    {"local s = '' for i = 1, 60000 do s = s .. '\\n' end while true do load(s) end", TIME},
    {"for i = 1, 30 do load('return ' .. ('a.'):rep(30000) .. 'x()') end local f = load('local a = "
     "{} a.x = a return "
     "a' .. ('.x'):rep(30000) .. '.y.z') while true do pcall(f) end",
     TIME},
    /* the collector */
    {"local n, a = 30000, {} for i = 1, n do a[i] = {} end for i = n, 2, -1 do local j = "
     "math.random(i) a[i], a[j] = "
     "a[j], a[i] end local t = setmetatable({}, {__mode = 'k'}) for i = 1, n - 1 do t[a[i]] = a[i "
     "+ 1] end root = "
     "a[1] a = nil while true do local junk = {} end",
     TIME},
    {"setmetatable({}, {__gc = function() end})", "a metatable with __gc is not for scripts"},
    {"local mt = {} local t = setmetatable({}, mt) mt.__gc = function() while true do end end t = "
     "nil for i = 1, 1e4 do "
     "local x = {} end",
     NULL},
    /* memory */
    {"local s = 'x' while true do s = s .. s end", BLOCK},
    {"local t = {} for i = 1, 1e9 do t[i] = {i} end", CAP},
    {"local t = {} for i = 1, 1e9 do t[i] = 'k' .. i end", CAP},
    {"local t = {} for i = 1, 1e9 do t[i] = i end", BLOCK},
    {"local keep = {} while true do local ok, s = pcall(string.rep, 'x', 1 << 20) keep[#keep + 1] "
     "= s .. #keep end",
     CAP},
    {"while true do pcall(string.rep, 'x', 1 << 40) end", TIME},
    {"local keep = {} local function deep(n) if n > 0 then return 1 + deep(n - 1) end "
     "coroutine.yield() end for i = 1, "
     "1e6 do local c = coroutine.create(deep) coroutine.resume(c, 5000) keep[i] = c end",
     CAP},
    {"local t = {} for i = 1, 1e9 do t[i] = function() return i end end", CAP},
    {"local t = {} for i = 1, 1e9 do t[i] = weir.dec('1') end", CAP},
    {"local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end", CAP},
    {"return table.concat({('x'):rep(2000000), ('y'):rep(2000000), ('z'):rep(2000000)})", BLOCK},
    {"return (('x'):rep(1 << 20)):gsub('x', ('y'):rep(1024))", BLOCK},
    {"return string.pack('c2147483000', 'x')", BLOCK},
    {"weir.state.x = {} local t = weir.state.x for i = 1, 100000 do t[i] = i end weir.publish('x', "
     "t)",
     NULL},
    /* recursion in C */
    {"local n = 300000 local it = string.gmatch(('a'):rep(n), ('a?'):rep(n)) pcall(it) pcall(it)",
     "recursion too deep"},
    {"local nxt = function() end for i = 1, 9000 do local prev = nxt nxt = "
     "coroutine.wrap(function() local c <close> = "
     "setmetatable({}, {__close = function() pcall(prev) end}) coroutine.yield() error('unwind') "
     "end) nxt() end "
     "pcall(nxt)",
     NULL},
    {"local function f() return (('a'):gsub('a', f)) end pcall(f)", NULL},
    {"local co = false for i = 1, 9000 do local prev = co co = coroutine.create(function() local c "
     "<close> = "
     "setmetatable({}, {__close = function() if prev then coroutine.close(prev) end end}) "
     "coroutine.yield() end) "
     "coroutine.resume(co) end coroutine.close(co)",
     NULL},
    {"local mt = {} mt.__concat = function(a, b) return a .. b end local a = setmetatable({}, mt) "
     "pcall(function() "
     "return a .. a end)",
     NULL},
    /* floods */
    {"local n = 0 while pcall(weir.on, 'book', print) do n = n + 1 end weir.log(n)", NULL},
    {"local n = 0 while pcall(weir.every, 1000000, print) do n = n + 1 end weir.log(n)", NULL},
    {"local n = 0 while pcall(weir.subscribe, {symbol = 's' .. n}) do n = n + 1 end weir.log(n)",
     NULL},
    {"while true do weir.alert('x') end", "went on asking"},
    {"while true do weir.publish('x', {}) end", "went on asking"},
    {"while true do weir.cancel_all() end", "went on asking"},
    {"for i = 1, 1000 do weir.on('book' .. i, print) end", "there is no event"},
};

static const char tick[] = "local n = 0 weir.every(1000000, function() n = n + 1 end) "
                           "weir.on('stop', function() weir.log(n) end)";

static void attack(size_t i)
{
    struct market market;
    struct text chunk;
    struct script_report report;
    market_open(&market);
    text_init(&chunk);
    text_say(&chunk, "weir.on('book', function()\n%s\nend)", attacks[i].lua);
    struct script_config config = market_config("s1", 1, text_cstr(&chunk)),
                         calm = market_config("s2", 2, tick);
    bool timed = attacks[i].reason && strcmp(attacks[i].reason, TIME) == 0;
    if (!timed) /* it has all the time it needs to reach another limit */
        config.budget.callback_ns = 5000000000;
    struct script *script = market_add(&market, &config), *other = market_add(&market, &calm);
    script_start(script);
    script_start(other);
    double wall = now_ms(), cpu = cpu_ms();
    market_top(&market, BTC, "49999", "50001");
    cpu = cpu_ms() - cpu;
    wall = now_ms() - wall;
    script_report(script, &report);
    const char *reason = attacks[i].reason;
    cr_expect_eq(report.outcome, reason ? SCRIPT_QUARANTINED : SCRIPT_OK, "%s\n  %s",
                 attacks[i].lua, report.reason);
    if (reason)
        cr_expect(strstr(report.reason, reason), "%s\n  reason: %s\n  want: %s", attacks[i].lua,
                  report.reason, reason);
    if (timed)
        cr_expect_lt(cpu, 200, "%s took %.0f ms of CPU time (%.0f ms)", attacks[i].lua, cpu, wall);
    uint64_t news = market.news;
    market_top(&market, BTC, "49998", "50001");
    market_wait(&market, 5000000);
    cr_expect_eq(market.news, news, "%s: an order after the end", attacks[i].lua);
    market_log(&market);
    script_stop(other);
    cr_expect_str_eq(market_log(&market), "s2: 5\n", "%s: the other one lost its rhythm",
                     attacks[i].lua);
    text_fini(&chunk);
    market_close(&market);
}

Test(budget, every_attack_ends_within_its_budget)
{
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        attack(i);
}

Test(budget, no_order_leaves_after_the_deadline)
{
    struct market market;
    market_open(&market);
    struct script *script = market_script(
        &market,
        "weir.on('book', function() pcall(function() while true do end end) for i = 1, 100 do "
        "weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit', price=50000, "
        "qty=0.01, tif='gtc'} "
        "end weir.log('ran on') end)");
    market_top(&market, BTC, "49999", "50001");
    cr_expect_eq(script_outcome(script), SCRIPT_QUARANTINED);
    cr_expect_eq(market.wishes, 0);
    cr_expect_str_eq(market_log(&market), "");
    market_close(&market);
}

Test(budget, instructions_are_counted_where_outcomes_must_not_depend_on_the_machine)
{
    static const struct {
        const char *lua, *reason;
    } cases[] = {
        {"for i = 1, 5e5 do end", NULL},
        {"for i = 1, 1e7 do end",
         "s1.lua:1: over its budget of 1000000 instructions in a `book` handler"},
        {"while true do pcall(function() while true do end end) end", "instructions"},
        {"local f = coroutine.wrap(function() for i = 1, 1e7 do end end) f()", "instructions"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct market market;
        struct text chunk;
        struct script_report report;
        market_open(&market);
        text_init(&chunk);
        text_say(&chunk, "for i = 1, 5e6 do end weir.on('book', function() %s end)", cases[i].lua);
        struct script_config config = market_config("s1", 1, text_cstr(&chunk));
        config.budget.instructions = 1000000;
        config.budget.callback_ns = config.budget.load_ns = 10000000000;
        struct script *script = market_add(&market, &config);
        script_start(script);
        for (int event = 0; event < 5; event++)
            market_top(&market, BTC, "49999", "50001");
        script_report(script, &report);
        cr_expect_eq(report.outcome, cases[i].reason ? SCRIPT_QUARANTINED : SCRIPT_OK, "%s: %s",
                     cases[i].lua, report.reason);
        if (cases[i].reason)
            cr_expect(strstr(report.reason, cases[i].reason), "%s: %s", cases[i].lua,
                      report.reason);
        text_fini(&chunk);
        market_close(&market);
    }
}

Test(budget, errors_are_forgiven_as_often_as_the_owner_says)
{
    struct market market;
    market_open(&market);
    struct script_config config =
        market_config("s1", 1, "weir.on('book', function() error('broken') end)");
    config.budget.errors = 2;
    struct script *script = market_add(&market, &config);
    script_start(script);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(script_outcome(script), SCRIPT_OK);
        market_top(&market, BTC, "49999", "50001");
    }
    cr_expect_eq(script_outcome(script), SCRIPT_QUARANTINED);
    cr_expect_str_eq(market_log(&market), "s1: s1.lua:1: broken\ns1: s1.lua:1: broken\n");
    market_close(&market);
}

Test(budget, log_lines_are_cut_and_their_pace_is_limited)
{
    struct market market;
    market_open(&market);
    struct script_config config = market_config(
        "s1", 1,
        "weir.on('book', function() for i = 1, 1000 do weir.log(('L'):rep(5000)) end end) "
        "weir.on('trade', function() weir.log('after') end)");
    config.budget.log_lines_per_s = 10;
    config.budget.log_line_max = 100;
    struct script *script = market_add(&market, &config);
    script_start(script);
    market_top(&market, BTC, "49999", "50001");
    const char *said = market_log(&market);
    cr_expect_eq(strlen(said), 20 * 105); /* "s1: ", 100 bytes, newline */
    cr_expect(strncmp(said + 4 + 97, "...\n", 4) == 0);
    market.now += 1000000000;
    market_trade(&market, BTC, "50000", "1");
    cr_expect_str_eq(market_log(&market),
                     "s1: (980 lines dropped: more than 10 a second)\ns1: after\n");
    struct script_report report;
    script_report(script, &report);
    cr_expect_eq(report.log_lines, 21);
    cr_expect_eq(report.log_dropped, 980);
    market_close(&market);
}

/* --- the host afterwards ---------------------------------------------------------------------- */

static long resident_kib(void)
{
    long pages = 0, all;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &all, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int entries(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static void kills(struct market *market, int count)
{
    static const char *const ways[] = {
        "while true do end",
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "return (('a'):rep(4000)):find(('.-'):rep(8) .. 'b')",
        "local it = string.gmatch(('a'):rep(99999), ('a?'):rep(99999)) pcall(it) pcall(it)",
        "local s = 'x' while true do s = s .. s end",
        "error('x')"};
    for (int i = 0; i < count; i++) {
        struct script_config config = market_config("s1", 1, ways[i % 6]);
        config.budget.load_ns = 2000000;
        struct script *script = market_add(market, &config);
        cr_assert_eq(script_outcome(script), SCRIPT_QUARANTINED);
        script_destroy(script);
        market->scripts[0] = NULL;
    }
}

Test(budget, a_thousand_kills_leave_the_host_as_it_was)
{
    struct market market;
    market_open(&market);
    kills(&market, 60);
    int files = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    long before = resident_kib();
    kills(&market, 1000);
    cr_expect_eq(entries("/proc/self/fd"), files);
    cr_expect_eq(entries("/proc/self/task"), threads);
#ifdef WITH_ASAN
    before += 65536; /* what is freed is kept for a while, to see who uses it */
#endif
    cr_expect_lt(resident_kib() - before, 4096, "%ld KiB more", resident_kib() - before);
    market_close(&market);
}

static void *in_a_thread(void *arg)
{
    struct market market;
    (void)arg;
    market_open(&market);
    struct script *script =
        market_script(&market, "weir.on('book', function() while true do end end)");
    for (int i = 0; i < 100 && script_outcome(script) == SCRIPT_OK; i++)
        market_top(&market, BTC, "49999", "50001");
    bool stopped = script_outcome(script) == SCRIPT_QUARANTINED;
    market_close(&market);
    return stopped ? &kills : NULL;
}

Test(budget, threads_have_their_own_deadlines)
{
    pthread_t threads[3];
    void *stopped;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, in_a_thread, NULL), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &stopped);
        cr_expect(stopped, "thread %d", i);
    }
}
