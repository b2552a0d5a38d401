/* A process cell that does what no script library does: the host's side alone must hold.
 *
 * Nothing in Lua can play that part, so the test does: it writes into the memory that a cell could
 * write into, and stops or kills its process. A long run of the random part: WEIR_SECONDS=60; of the
 * kills: WEIR_KILLS=10000. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "script/jail.h"
#include "script/support_market.h"
#include "script/warden.h"

static long asked_for(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

static const char quoter[] =
    "weir.on('book', function(e) weir.submit{venue='sim', symbol='BTC-USD', side='buy',\n"
    "  type='limit', price=49000, qty=0.01, tif='gtc'} end)";

static struct script *open_with(struct market *market, bool lockstep, const char *text)
{
    market_open_cells(market, lockstep);
    struct script_config config = market_config("s1", 1, text);
    config.order_prefix = "s1-";
    config.budget.callback_ns = 20000000;
    struct script *script = market_add(market, &config);
    script_start(script);
    market_settle(market);
    return script;
}

/* --- bytes -------------------------------------------------------------------------------------*/

static uint64_t dice = 88172645463325252u;
static uint64_t draw(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static void fill(void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)draw();
}

/* From a well-formed wish, with a few bytes that are wrong. */
static void nearly_right(const struct warden *warden, struct command_record *command)
{
    struct in_submit submit = {.msg = {.size = sizeof submit,
                                       .kind = IN_SUBMIT,
                                       .venue = 1,
                                       .account = 1,
                                       .instrument = BTC},
                               .strategy = 1,
                               .px = 4900000,
                               .qty = 100};
    snprintf(submit.cid, sizeof submit.cid, "s1-%c",
             (char)('a' + (int)(warden->script->next_id % 26)));
    memset(command->body, 0, sizeof command->body);
    command->kind = (uint32_t)(draw() % (SAY_DONE + 2));
    command->epoch = warden->epoch;
    command->number = warden->done + 1;
    static const uint32_t lens[] = {[SAY_SUBMIT] = sizeof(struct in_submit),
                                    [SAY_CHANGE] = sizeof(struct in_change),
                                    [SAY_PUBLISH] = sizeof(struct say_publish),
                                    [SAY_DEPTH] = sizeof(struct say_depth),
                                    [SAY_LINE] = 100,
                                    [SAY_REMARK] = 100,
                                    [SAY_ALERT] = sizeof(struct say_alert),
                                    [SAY_WISH] = sizeof(struct wish),
                                    [SAY_TOPIC] = sizeof(struct topic),
                                    [SAY_ENDED] = sizeof(struct say_ended),
                                    [SAY_DONE] = sizeof(struct say_done)};
    command->len = command->kind < sizeof lens / sizeof lens[0] ? lens[command->kind] : 0;
    if (command->kind == SAY_SUBMIT)
        memcpy(command->body, &submit, sizeof submit);
    else
        fill(command->body, draw() % 2 ? 64 : sizeof command->body);
    for (uint64_t wrong = draw() % 4; wrong > 0; wrong--)
        command->body[draw() % (command->len + 1u)] = (unsigned char)draw();
    if (draw() % 16 == 0)
        fill(&command->len, 2);
}

static void judge_asked(struct market *market)
{
    for (uint32_t i = 0; (i = engine_order_next(market->engine, i, false)) != 0;) {
        struct order_view view;
        cr_assert(engine_order(market->engine, i, &view));
        cr_assert_eq(view.order.strategy, 1, "an order of somebody else");
        cr_assert_eq(strncmp(view.order.cid, "s1-", 3), 0, "an order with a name of somebody else");
        cr_assert_leq(view.order.side, WEIR_SELL);
        cr_assert_leq(view.order.type, WEIR_ICEBERG);
    }
}

Test(rogue, whatever_a_cell_says_is_refused_or_ends_it)
{
    struct market market;
    long seconds = asked_for("WEIR_SECONDS", 1);
    weir_ns until = clock_stopwatch() + seconds * 1000000000;
    unsigned long ended = 0, taken = 0;
    struct script *script = open_with(&market, false, quoter);
    struct warden *warden = script->warden;
    while (clock_stopwatch() < until) {
        struct command_record command;
        market.now += 1000000;
        warden->sent = warden->done + 1; /* as if an event were open */
        warden_watch_anew(warden);
        nearly_right(warden, &command);
        script->busy = true;
        warden_command(warden, &command);
        script->busy = false;
        ended += warden->over;
        taken += !warden->over;
        warden->over = false; /* the process is gone, but not what it might have said */
        market_settle(&market);
    }
    judge_asked(&market);
    cr_expect_gt(ended, 100, "%lu ended it, %lu were taken", ended, taken);
    cr_expect_gt(taken, 100, "%lu ended it, %lu were taken", ended, taken);
    warden->over = true;
    script_bury(script);
    market_close(&market);
}

/* The ring itself, cursors too, while the real cell uses it. */
Test(rogue, random_bytes_in_the_ring_of_commands_change_nothing_outside)
{
    struct market market;
    long seconds = asked_for("WEIR_SECONDS", 1);
    weir_ns until = clock_stopwatch() + seconds * 1000000000;
    struct script *script = open_with(&market, true, quoter);
    unsigned long ended = 0;
    while (clock_stopwatch() < until) {
        struct script_config config = market_config("s1", 1, quoter);
        struct why why;
        config.order_prefix = "s1-";
        config.cells = market.cells;
        config.budget.callback_ns = 2000000;
        if (!script->warden) {
            ended++;
            cr_assert_eq(script_reload(script, &config, &why), WEIR_OK, "%s", why.text);
            market_settle(&market);
            continue;
        }
        unsigned char *ring = (unsigned char *)script->warden->commands;
        size_t size = ring_size(sizeof(struct command_record), COMMAND_ROOM);
        for (int i = 0; i < 64; i++)
            fill(ring + draw() % (size - 8), 1 + draw() % 8);
        if (draw() % 4 == 0)
            fill(ring + 64 + draw() % 128, 8); /* cursors */
        market_top(&market, BTC, "49999.50", draw() % 2 ? "50000.50" : "50001");
    }
    judge_asked(&market);
    cr_expect_gt(ended, 3, "only %lu cells ended", ended);
    market_close(&market);
}

/* --- processes ---------------------------------------------------------------------------------*/

struct counts {
    long rss_kb;
    unsigned descriptors, threads, children, zombies;
};

static unsigned entries_in(const char *path)
{
    unsigned count = 0;
    DIR *dir = opendir(path);
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* Children of the zygote are of this process's family: ours, and theirs. */
static void count_children(struct counts *counts, pid_t zygote)
{
    DIR *dir = opendir("/proc");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[300], line[512] = "", state = '?';
        int pid = 0, parent = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!file)
            continue;
        (void)!fgets(line, sizeof line, file);
        fclose(file);
        char *after = strrchr(line, ')');
        if (after && sscanf(line, "%d", &pid) == 1 &&
            sscanf(after + 1, " %c %d", &state, &parent) == 2 && parent == zygote) {
            counts->children++;
            counts->zombies += state == 'Z';
        }
    }
    if (dir)
        closedir(dir);
}

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    char *after = file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (after)
        (void)!sscanf(after + 1, " %*c %d", &parent);
    if (file)
        fclose(file);
    return parent;
}

static struct counts count(pid_t zygote)
{
    struct counts counts = {0};
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    counts.rss_kb = pages * sysconf(_SC_PAGESIZE) / 1024;
    counts.descriptors = entries_in("/proc/self/fd");
    counts.threads = entries_in("/proc/self/task");
    count_children(&counts, zygote);
    return counts;
}

/* With WEIR_KILLS=10000 the address sanitizer keeps what was freed: ASAN_OPTIONS=quarantine_size_mb=2. */
Test(rogue, thousands_of_kills_leave_the_host_as_it_was)
{
    static const char *const ends[] = {"while true do end",
                                       "weir.on('book', function() local s = ('x'):rep(1000) while "
                                       "true do s:find('.-.-.-b') end end)",
                                       "local t = {} for i = 1, 1e9 do t[i] = {} end",
                                       "weir.on('book', function() error('x') end)", quoter};
    struct market market;
    struct script *script = open_with(&market, true, quoter);
    pid_t zygote = parent_of(script->warden->pid);
    long kills = asked_for("WEIR_KILLS", 150), died = 0;
    struct counts before = {0};
    for (long i = 0; i < kills; i++) {
        struct script_config config = market_config("s1", 1, ends[i % 5]);
        struct why why;
        config.order_prefix = "s1-";
        config.cells = market.cells;
        config.budget.load_ns = 2000000;
        config.budget.callback_ns = 1000000;
        config.budget.memory = 4 << 20;
        if (i == kills / 10)
            before = count(zygote);
        if (script_reload(script, &config, &why) == WEIR_OK) {
            if (i % 5 == 4)
                kill(script->warden->pid, SIGKILL);
            market_top(&market, BTC, "49999.50", i % 2 ? "50000.50" : "50001");
            market_wait(&market, 1000000);
        }
        died += script_outcome(script) != SCRIPT_OK || why.err != WEIR_OK;
    }
    usleep(20000); /* the last of them is buried */
    struct counts after = count(zygote);
    cr_expect_eq(after.descriptors, before.descriptors, "%u descriptors, %u before",
                 after.descriptors, before.descriptors);
    cr_expect_eq(after.threads, before.threads);
    cr_expect_leq(after.children, 1, "%u cells are left", after.children);
    cr_expect_eq(after.zombies, 0, "%u zombies", after.zombies);
    cr_expect_lt(after.rss_kb, before.rss_kb + 4096 + before.rss_kb / 10, "%ld KB, %ld KB before",
                 after.rss_kb, before.rss_kb);
    cr_expect_geq(died, kills / 2);
    market_close(&market);
}

/* True as soon as the script is over; the owner lives on meanwhile. */
static bool ends_within(struct script *script, weir_ns most)
{
    weir_ns until = clock_stopwatch() + most;
    while (script_outcome(script) == SCRIPT_OK && clock_stopwatch() < until) {
        cells_sleep(script->warden->cells, true);
        (void)script_turn(script);
        usleep(200);
        if (script->warden)
            cells_sleep(script->warden->cells, false);
        (void)script_turn(script);
    }
    return script_outcome(script) != SCRIPT_OK;
}

Test(rogue, a_cell_that_dies_or_stands_still_is_ended_and_nobody_waits)
{
    struct market market;
    struct script_report report;
    struct script *script = open_with(&market, false, quoter);
    cr_assert(script->warden);
    kill(script->warden->pid, SIGKILL);
    cr_expect(ends_within(script, 2000000000), "death went unnoticed");
    script_report(script, &report);
    cr_expect(strstr(report.reason, "died"), "%s", report.reason);
    market_close(&market);

    script = open_with(&market, false, quoter);
    (void)ends_within(script, 20000000); /* `start` is over */
    script->warden->budget = script->budget.callback_ns = 1000000;
    kill(script->warden->pid, SIGSTOP);
    weir_ns from = clock_stopwatch();
    for (int i = 0; i < 20000; i++) {
        market.now += 1000;
        market_top(&market, BTC, "49999.50", i % 2 ? "50000.50" : "50001");
    }
    weir_ns took = clock_stopwatch() - from;
    cr_expect_lt(took, 5000000000, "20,000 events took %lld us", (long long)took / 1000);
    cr_expect(ends_within(script, 5000000000), "it stands still, and nobody minds");
    script_report(script, &report);
    cr_expect(strstr(report.reason, "did not answer"), "%s", report.reason);
    market_close(&market);
}

Test(rogue, who_makes_the_processes_is_replaced_when_it_dies_but_not_for_ever)
{
    struct market market;
    struct script_report report;
    struct script *script = open_with(&market, true, quoter);
    for (int death = 1; death <= 4; death++) {
        struct script_config config = market_config("s1", 1, quoter);
        struct why why;
        config.order_prefix = "s1-";
        config.cells = market.cells;
        cr_assert(script->warden, "death %d", death);
        cr_assert_eq(kill(parent_of(script->warden->pid), SIGKILL), 0);
        cr_assert(ends_within(script, 10000000000), "death %d went unnoticed", death);
        script_report(script, &report);
        cr_expect(report.crashed && strstr(report.reason, "come from died"), "%s", report.reason);
        enum weir_err err = script_reload(script, &config, &why);
        cr_assert_eq(err, death < 4 ? WEIR_OK : WEIR_E_DOWN, "death %d: %s", death, why.text);
    }
    market_close(&market);
}

/* A host that was stopped, or held up by something else, finds the answer that came in time. */
Test(rogue, a_host_that_stood_still_blames_no_cell_that_answered)
{
    struct market market;
    struct script_report report;
    struct script_config config = market_config("s1", 1, "weir.on('book', function() end)");
    market_open_cells(&market, false);
    config.wake = SCRIPT_SPIN;
    config.budget.callback_ns = 10000000;
    struct script *script = market_add(&market, &config);
    script_start(script);
    (void)ends_within(script, 20000000); /* `start` is over */
    market_top(&market, BTC, "49999.50", "50000.50");
    usleep(1200000); /* twice what a cell may be silent */
    (void)ends_within(script, 1000000);
    script_report(script, &report);
    cr_expect_eq(report.outcome, SCRIPT_OK, "%s", report.reason);
    market_close(&market);
}

static const char slow[] =
    "local tops, orders, lost = 0, 0, 0\n"
    "weir.on('book', function(e) tops = tops + 1 lost = lost + (e.dropped or 0)\n"
    "  for i = 1, 3000 do local _ = i * i end end)\n"
    "weir.on('order', function() orders = orders + 1 end)\n"
    "weir.on('message', function() weir.log(tops .. ' ' .. orders .. ' ' .. lost) end)\n"
    "weir.subscribe{topic='tell'}";

Test(rogue, a_slow_cell_misses_quotes_and_is_told_so_but_no_order_event)
{
    enum { TOPS = 3000, ORDERS = 400 };
    struct market market;
    struct out_order order = {
        .msg = {.size = sizeof order, .kind = OUT_ORDER, .venue = 1, .instrument = BTC},
        .strategy = 1};
    long tops = 0, orders = 0, lost = 0;
    struct script *script = open_with(&market, false, slow);
    while (script_pending(script))
        (void)script_turn(script);
    for (int i = 0; i < TOPS; i++) {
        market_top(&market, BTC, "49999.50", i % 2 ? "50000.50" : "50001");
        if (i < ORDERS)
            script_event(script, &order.msg);
    }
    const struct script_message ask = {.topic = "tell", .from = "s2", .text = "{}", .len = 2};
    for (int i = 0; i < 2; i++) { /* the first may come before the last quote */
        while (script_pending(script))
            (void)script_turn(script);
        script_message(script, &ask);
    }
    while (script_pending(script))
        (void)script_turn(script);
    const char *said = market_log(&market);
    const char *last = strrchr(said, ':');
    cr_assert(last && sscanf(last, ": %ld %ld %ld", &tops, &orders, &lost) == 3, "%s", said);
    cr_expect_eq(orders, ORDERS, "%ld order events", orders);
    cr_expect_eq(tops + lost, TOPS, "%ld quotes and %ld told as left out", tops, lost);
    cr_expect_gt(lost, 0, "it was not slow");
    market_close(&market);
}

/* --- the jail ----------------------------------------------------------------------------------*/

static void try_call(const char *what, long number, long a, long b, long c, bool allowed)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int nothing = open("/dev/null", O_WRONLY);
        if (dup2(nothing, JAIL_BELL) != JAIL_BELL || jail_enter(0))
            _exit(70);
        (void)syscall(number, a, b, c, 0, 0, 0);
        _exit(0);
    }
    cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
    bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    cr_expect(WIFSIGNALED(status) || WEXITSTATUS(status) != 70, "the jail cannot be entered");
    cr_expect_eq(died, !allowed, "%s: status %x", what, status);
}

Test(rogue, a_jailed_process_computes_waits_and_rings_and_that_is_all)
{
    struct why why;
    cr_assert_eq(jail_build(&why), WEIR_OK, "%s", why.text);
    long text = (long)(intptr_t) "12345678";
    try_call("a ring of the bell", SYS_write, JAIL_BELL, text, 8, true);
    try_call("its bell, nine bytes", SYS_write, JAIL_BELL, text, 9, false);
    try_call("a write elsewhere", SYS_write, 5, text, 8, false);
    try_call("memory", SYS_madvise, 0, 0, 0, true);
    try_call("execve", SYS_execve, text, 0, 0, false);
    try_call("socket", SYS_socket, AF_UNIX, SOCK_STREAM, 0, false);
    try_call("fork", SYS_clone, SIGCHLD, 0, 0, false);
    try_call("kill", SYS_kill, 1, 0, 0, false);
    try_call("ptrace", SYS_ptrace, 0, 1, 0, false);
    try_call("mount", SYS_mount, text, text, text, false);
    try_call("prctl", SYS_prctl, 1, 0, 0, false);
    try_call("code in memory", SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC, false);
    try_call("code in new memory", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, false);
    try_call("a file in memory", SYS_memfd_create, text, 0, 0, false);
    try_call("setrlimit", SYS_setrlimit, 0, 0, 0, false);
    try_call("timer_create", SYS_timer_create, 0, 0, 0, false);
    try_call("unlink", SYS_unlink, text, 0, 0, false);
#ifndef JAIL_SANITIZED
    try_call("open", SYS_openat, -100, text, 0, false);
    try_call("read", SYS_read, 0, 0, 0, false);
#endif
}
