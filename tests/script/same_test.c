/* The same inputs give the same lines and orders in every process; and numbers that scripts and the
 * engine give each other are the same number. */
#include <criterion/criterion.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>

#include "script/cell.h"
#include "script/support_market.h"

/* Everything whose order or value liblua takes from addresses, seeds or clocks. */
static const char moody[] =
    "local out = {} local function say(s) weir.log(s) end "
    "local keys = {} for i = 1, 40 do keys[i] = i % 4 == 0 and {} or i % 4 == 1 and ('k' .. i * "
    "7919 % 101) or i % 4 == 2 "
    "and function() return i end or i / 3 end "
    "local t = {} for i, k in ipairs(keys) do t[k] = i end t[true] = 't' t[false] = 'f' t[print] = "
    "'p' "
    "t[string.rep] = 'r' t[coroutine.create(print)] = 'c' t[weir.dec('1')] = 'd' "
    "local s = {} for k, v in pairs(t) do s[#s + 1] = tostring(v) end say(table.concat(s, ' ')) "
    "s = {} for k, v in next, t do s[#s + 1] = tostring(k) end say(table.concat(s, ' ')) "
    "say(weir.random() .. ' ' .. math.random(1000000) .. ' ' .. weir.random(6)) math.randomseed() "
    "say(tostring(math.random())) "
    "local records = {} for i = 1, 300 do records[i] = {key = i * 31 % 10, at = i} end "
    "table.sort(records, function(a, b) return a.key < b.key end) s = {} for i = 1, 300 do s[i] = "
    "records[i].at end "
    "say(table.concat(s, ' ')) "
    "say(tostring({}) .. tostring(print) .. tostring(coroutine.create(print)) .. "
    "string.format('%s', {})) "
    "say(tostring(collectgarbage('count') > 0)) "
    "local n = 0 weir.on('book', function(e) n = n + 1 local side = weir.random() < 0.5 and 'buy' "
    "or 'sell' "
    "local id, err = weir.submit{venue='sim', symbol='BTC-USD', side=side, type='limit', "
    "price=50000 + math.random(-9, 9) "
    "/ 100, qty=weir.random(100) / 100, tif='gtc'} say(tostring(id) .. tostring(err)) if n % 3 == "
    "0 then "
    "for k, o in pairs(weir.orders()) do say(o.id .. ' ' .. o.price) end weir.cancel_all() end "
    "end) "
    "weir.on('order', function(o) local s = {} for k, v in pairs(o) do s[#s + 1] = k .. '=' .. "
    "tostring(v) end "
    "say(table.concat(s, ' ')) end)";

static void play(struct market *market)
{
    market_open(market);
    market_script(market, moody);
    for (int i = 0; i < 20; i++) {
        market_top(market, BTC, i % 2 ? "49999" : "49998", "50001");
        market_wait(market, 1000000);
    }
    text_say(&market->log, "%s", text_cstr(&market->asked));
}

/* Run as a program of its own, before any test: print what a play gave. */
__attribute__((constructor)) static void as_another_process(void)
{
    struct market market;
    if (!getenv("WEIR_TEST_PLAY"))
        return;
    play(&market);
    fputs(text_cstr(&market.log), stdout);
    fflush(stdout);
    _exit(0);
}

static char *play_elsewhere(void)
{
    static char text[1 << 20];
    size_t len = 0;
    char command[] = "WEIR_TEST_PLAY=1 exec \"$0\"", self[512] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    cr_assert_gt(n, 0);
    char shell[] = "sh", option[] = "-c", *argv[] = {shell, option, command, self, NULL};
    int ends[2], status;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    cr_assert_eq(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    cr_assert_eq(posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (ssize_t got;
         len < sizeof text - 1 && (got = read(ends[0], text + len, sizeof text - 1 - len)) > 0;)
        len += (size_t)got;
    close(ends[0]);
    waitpid(pid, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the other process failed: %d",
              status);
    text[len] = '\0';
    return strdup(text);
}

Test(same, two_processes_give_the_same_lines_and_orders)
{
    struct market market;
    play(&market);
    cr_assert_eq(script_outcome(market.scripts[0]), SCRIPT_OK, "%s", market.scripts[0]->reason);
    for (int i = 0; i < 3; i++) {
        char *other = play_elsewhere();
        cr_expect_gt(strlen(other), 4000);
        cr_expect_str_eq(other, text_cstr(&market.log));
        free(other);
    }
    cr_expect_null(strstr(text_cstr(&market.log), "0x"), "an address is shown");
    market_close(&market);
}

Test(same, another_seed_is_another_sequence)
{
    const char *text = "weir.log(weir.random()) weir.log(math.random(1000000))";
    char *said[3];
    for (int i = 0; i < 3; i++) {
        struct market market;
        market_open(&market);
        struct script_config config = market_config("s1", 1, text);
        config.seed = (uint64_t)i / 2;
        market_add(&market, &config);
        said[i] = strdup(market_log(&market));
        market_close(&market);
    }
    cr_expect_str_eq(said[0], said[1]);
    cr_expect_str_neq(said[0], said[2]);
    for (int i = 0; i < 3; i++)
        free(said[i]);
}

/* --- numbers ---------------------------------------------------------------------------------- */

Test(numbers, the_rule_of_the_nearest_step)
{
    static const struct {
        double x;
        int exp;
        int64_t step, want; /* want 0: refused with `fit` */
        enum fit fit;
    } cases[] = {
        {0.1 + 0.2, 1, 1, 3, FITS},
        {50000, 2, 1, 5000000, FITS},
        {61800.25, 2, 25, 6180025, FITS},
        {61800.26, 2, 25, 0, FIT_OFF_STEP},
        {-1.5, 1, 5, -15, FITS},
        {1e-8, 8, 1, 1, FITS},
        {1.0000000001e-8, 8, 1, 1, FITS}, /* within 1e-9 of the step */
        {1.00000001e-8, 8, 1, 0, FIT_OFF_STEP},
        {123456.78900000001, 3, 1, 123456789, FITS},
        {123456.7895, 3, 1, 0, FIT_OFF_STEP},
        {3e9, 0, 1, 3000000000, FITS},
        {9007199254740991.0, 0, 1, 9007199254740991, FITS},
        {9007199254740992.0, 0, 1, 0, FIT_TOO_LARGE},
        {90071992547409.92, 2, 1, 0, FIT_TOO_LARGE},
        {1e300, 2, 1, 0, FIT_TOO_LARGE},
        {-1e300, 0, 1, 0, FIT_TOO_LARGE},
        {INFINITY, 0, 1, 0, FIT_NOT_FINITE},
        {-INFINITY, 0, 1, 0, FIT_NOT_FINITE},
        {NAN, 0, 1, 0, FIT_NOT_FINITE},
        {1e15, 0, 1000, 1000000000000000, FITS},
        {5e-324, 8, 1, 0, FITS},
        {0, 2, 1, 0, FITS},
    };
    lua_State *L = luaL_newstate();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 0;
        lua_pushnumber(L, cases[i].x);
        enum fit fit = weir_dec_from_lua(L, -1, cases[i].exp, cases[i].step, &value);
        cr_expect_eq(fit, cases[i].fit, "%.17g: %d", cases[i].x, fit);
        if (fit == FITS)
            cr_expect_eq(value, cases[i].want, "%.17g: %lld", cases[i].x, (long long)value);
        lua_pop(L, 1);
    }
    lua_pushinteger(L, (1ll << 53) + 1);
    int64_t value;
    cr_expect_eq(weir_dec_from_lua(L, -1, 0, 1, &value), FIT_TOO_LARGE);
    lua_pushinteger(L, LUA_MININTEGER);
    cr_expect_eq(weir_dec_from_lua(L, -1, 0, 1, &value), FIT_TOO_LARGE);
    lua_pushliteral(L, "1");
    cr_expect_eq(weir_dec_from_lua(L, -1, 0, 1, &value), FIT_TEXT);
    lua_pushnil(L);
    cr_expect_eq(weir_dec_from_lua(L, -1, 0, 1, &value), FIT_NO_NUMBER);
    lua_close(L);
}

/* Each decimal of up to 15 digits comes back as the count it was, and equals what Lua makes of its text. */
Test(numbers, every_short_decimal_comes_back)
{
    lua_State *L = luaL_newstate();
    uint64_t seed = 1;
    int bad = 0;
    for (int i = 0; i < 200000; i++) {
        char text[DECIMAL_TEXT_MAX];
        int64_t back = 0;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int exp = (int)(seed >> 60), digits = (int)((seed >> 40) % 15) + 1;
        int64_t value = (int64_t)((seed >> 8) % (uint64_t)pow10_of(digits)) * (i % 2 ? 1 : -1);
        push_decimal(L, value, exp);
        bad += weir_dec_from_lua(L, -1, exp, 1, &back) != FITS || back != value;
        decimal_print(value, exp, text);
        lua_stringtonumber(L, text);
        bad += lua_tonumber(L, -1) != lua_tonumber(L, -2);
        lua_pop(L, 2);
    }
    cr_expect_eq(bad, 0);
    lua_close(L);
}
