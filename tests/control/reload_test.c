/* Reloads of a host that trades: none of what happens is lost, nothing is left behind, and of several
 * scripts all change or none. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "control/host.h"

static char folder[200];
static unsigned reloads, wanted;
static int before;    /* descriptors, after some reloads */
static long resident; /* KiB, likewise */

static void path_of(const char *name, char *path, size_t room)
{
    snprintf(path, room, "%s/%s", folder, name);
}

static void put(const char *name, const char *text, unsigned version)
{
    char path[300];
    path_of(name, path, sizeof path);
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out, "%s", path);
    fprintf(out, text, version);
    fclose(out);
}

#define NONE "{others: none}"
static const char config[] =
    "host: {instance: 1, control: none.sock, journal: none, orders: 65536}\n"
    "gateway: {port: 0}\n"
    "venues: {sim: {plugin: " BUILD_DIR "/plugins/sim.so, execution: venue, settings: {seed: 5, "
    "balances: [USD:1000000000, BTC:10000]}}}\n"
    "limits:\n"
    "  host: " NONE "\n"
    "  venues: {'*': " NONE "}\n"
    "  accounts: {'*': " NONE "}\n"
    "  groups: {'*': " NONE "}\n"
    "  strategies: {'*': " NONE "}\n"
    "  instruments: {'*': " NONE "}\n"
    "scripts:\n"
    "  trader: {file: FOLDER/trader.lua}\n"
    "  witness: {file: FOLDER/witness.lua}\n";

/* Counts what it hears, across its versions, and trades on each tenth book. */
static const char trader[] =
    "-- version %u\n"
    "weir.subscribe{venue='sim', symbol='BTC-USD', what={'book', 'trade'}}\n"
    "local s = weir.state s.books, s.trades, s.orders, s.bought, s.versions = s.books or 0, "
    "s.trades or 0, s.orders or 0, s.bought "
    "or 0, (s.versions or 0) + 1\n"
    "weir.on('trade', function() s.trades = s.trades + 1 end)\n"
    "weir.on('book', function(b) s.books = s.books + 1 if s.books // 1 %% 10 == 0 and b.ask then\n"
    " if weir.submit{venue='sim', symbol='BTC-USD', side='buy', type='limit', price=b.ask, "
    "qty=0.001, tif='ioc'} "
    "then s.orders = s.orders + 1 end end end)\n"
    "weir.on('fill', function(f) s.bought = s.bought + f.fill_qty end)\n"
    "weir.on('stop', function() weir.log(('%%d %%d %%d %%d %%.3f %%.3f'):format(s.versions, "
    "s.books, s.trades, s.orders, s.bought, "
    "weir.position('sim', 'BTC-USD').qty)) end)\n";

static const char witness[] =
    "-- version %u\n"
    "weir.subscribe{venue='sim', symbol='BTC-USD', what={'book', 'trade'}}\n"
    "local books, trades = 0, 0\n"
    "weir.on('trade', function() trades = trades + 1 end)\n"
    "weir.on('book', function() books = books + 1 end)\n"
    "weir.on('stop', function() weir.log(books .. ' ' .. trades) end)\n";

static int descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Of the process itself: pages of files, such as the journal's segments, come and go with the disk. */
static long resident_kib(void)
{
    long pages = 0, resident = 0, shared = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    cr_assert(in && fscanf(in, "%ld %ld %ld", &pages, &resident, &shared) == 3);
    fclose(in);
    return (resident - shared) * (sysconf(_SC_PAGESIZE) / 1024);
}

static long grown;    /* KiB, from the first fifth of the reloads to the last */
static bool only_run; /* each reload is counted, and not made */

static bool ask_for_reload(void)
{
    if (reloads == wanted / 5)
        resident = resident_kib();
    if (reloads == 10)
        before = descriptors();
    if (reloads == wanted && grown == 0)
        grown = resident_kib() - resident;
    if (reloads >= wanted)
        return false;
    reloads++;
    if (!only_run)
        put("trader.lua", trader, reloads);
    return !only_run;
}

static char said[2][200]; /* the last line of each */

static void on_log(void *context, const char *script, const char *line)
{
    (void)context;
    snprintf(said[strcmp(script, "witness") == 0], sizeof said[0], "%s", line);
}

static void make_folder(void)
{
    char *text = strdup(config), *at;
    struct text out;
    snprintf(folder, sizeof folder, BUILD_DIR "/reload-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    text_init(&out);
    for (char *from = text; (at = strstr(from, "FOLDER")) != NULL || *from; from = at + 6) {
        text_say(&out, "%.*s", (int)(at ? (size_t)(at - from) : strlen(from)), from);
        if (!at)
            break;
        text_say(&out, "%s", folder);
    }
    put("weir.yaml", text_cstr(&out), 0);
    put("trader.lua", trader, 0);
    put("witness.lua", witness, 0);
    text_fini(&out);
    free(text);
}

static void drop_folder(void)
{
    static const char *const names[] = {"weir.yaml", "trader.lua", "witness.lua"};
    char path[300];
    for (size_t i = 0; i < 3; i++) {
        path_of(names[i], path, sizeof path);
        unlink(path);
    }
    rmdir(folder);
}

static struct cells *cells; /* NULL: scripts run inline */

static struct host *make_host(struct config **config_out, weir_ns run_for)
{
    char path[300];
    struct why why;
    struct host_options options = {.virtual_time = true,
                                   .cells = cells,
                                   .isolation = cells ? ISOLATION_PROCESS : ISOLATION_INLINE,
                                   .start = 1700000000000000000,
                                   .run_for = run_for,
                                   .no_journal = true,
                                   .on_log = on_log,
                                   .reload_asked = ask_for_reload};
    path_of("weir.yaml", path, sizeof path);
    *config_out = config_load(path, &why);
    cr_assert_not_null(*config_out, "%s", why.text);
    log_to(stderr, false, LOG_ERROR);
    struct host *host = host_create(*config_out, &options, &why);
    cr_assert_not_null(host, "%s", why.text);
    return host;
}

/* A sanitizer keeps what was freed, and tells of leaks itself. */
#ifdef __SANITIZE_ADDRESS__
enum { KEEPS_WHAT_IS_FREED = true };
#else
enum { KEEPS_WHAT_IS_FREED = false };
#endif

/* How much a host grows over the same span without these reloads, in a process as fresh as ours: the
 * tables of its market are touched for the first time. KiB. */
static long growth_without(unsigned times)
{
    long without = 0;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct config *config_;
        struct why why;
        only_run = true;
        wanted = times;
        make_folder();
        struct host *host = make_host(&config_, (weir_ns)times * 60000000);
        bool fine = host_run(host, &why) == WEIR_OK && reloads == wanted &&
                    write(ends[1], &grown, sizeof grown) == (ssize_t)sizeof grown;
        drop_folder();
        _exit(fine ? 0 : 1);
    }
    close(ends[1]);
    cr_assert_eq(read(ends[0], &without, sizeof without), (ssize_t)sizeof without);
    close(ends[0]);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    return without;
}

static void reload_often(unsigned times)
{
    struct config *config_;
    struct why why;
    unsigned versions, orders, books, trades, seen_books, seen_trades;
    double bought, held;
    long without = growth_without(times);
    wanted = times;
    make_folder();
    struct host *host = make_host(&config_, (weir_ns)times * 60000000);
    cr_assert_eq(host_run(host, &why), WEIR_OK, "%s", why.text);
    cr_expect_eq(reloads, wanted);
    cr_expect_eq(host->scripts[0].version, wanted + 1);
    cr_expect_eq(host->scripts[1].version, 1, "what did not change is left alone");
    cr_assert_eq(
        sscanf(said[0], "%u %u %u %u %lf %lf", &versions, &books, &trades, &orders, &bought, &held),
        6, "%s", said[0]);
    cr_assert_eq(sscanf(said[1], "%u %u", &seen_books, &seen_trades), 2, "%s", said[1]);
    cr_expect_eq(versions, wanted + 1);
    cr_expect(books == seen_books && trades == seen_trades && books > wanted / 2, "%s; %s", said[0],
              said[1]);
    cr_expect(orders > wanted / 50 && bought > 0 && bought == held, "%s", said[0]);
    cr_expect_eq(descriptors(), before, "%d, not %d", descriptors(), before);
    cr_expect(KEEPS_WHAT_IS_FREED || grown - without <= 4096, "%ld KiB more; %ld without reloads",
              grown, without);
    host_destroy(host);
    config_destroy(config_);
    drop_folder();
}

Test(reload, a_thousand_reloads_lose_no_event_and_leave_nothing)
{
    reload_often(1000);
}

Test(reload, nor_do_reloads_of_processes)
{
    struct why why;
    cr_assert_eq(cells_start(&cells, &why), WEIR_OK, "%s", why.text);
    reload_often(100);
    cr_expect_eq(cells_alive(cells), 0);
    cells_stop(cells);
}

Test(reload, where_there_can_be_no_processes_the_configuration_says_what_happens)
{
    struct config *config_;
    struct why why;
    struct host_options options = {.virtual_time = true,
                                   .start = 1700000000000000000,
                                   .run_for = 1000000000,
                                   .no_journal = true,
                                   .on_log = on_log,
                                   .isolation = ISOLATION_PROCESS,
                                   .no_cells = "this kernel has no seccomp"};
    char path[300];
    make_folder();
    path_of("weir.yaml", path, sizeof path);
    config_ = config_load(path, &why);
    cr_assert_not_null(config_, "%s", why.text);
    log_to(stderr, false, LOG_ERROR);
    struct host *host = host_create(config_, &options, &why);
    cr_expect_null(host);
    cr_expect(strstr(why.text, "no seccomp") && strstr(why.text, "host.without_cells"), "%s",
              why.text);
    config_->inline_without_cells = true;
    host = host_create(config_, &options, &why);
    cr_assert_not_null(host, "%s", why.text);
    cr_expect_null(host->cells);
    cr_expect_eq(host_run(host, &why), WEIR_OK, "%s", why.text);
    cr_expect_eq(script_outcome(host->scripts[0].script), SCRIPT_OK);
    host_destroy(host);
    config_destroy(config_);
    drop_folder();
}

Test(reload, of_several_scripts_all_change_or_none)
{
    struct config *config_;
    struct why why;
    struct text diff;
    wanted = 0;
    make_folder();
    struct host *host = make_host(&config_, 1000000000);
    static const struct {
        const char *witness, *why;
    } bad[] = {{"x = = 1", "witness.lua:1:"},
               {"error('at the top')", "at the top"},
               {"weir.on('start', function() error('at the start') end)", "at the start"},
               {"weir.subscribe{venue='sim', symbol='BTC-UDS'}", "did you mean BTC-USD?"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put("trader.lua", trader, 7);
        put("witness.lua", bad[i].witness, 0);
        text_init(&diff);
        cr_expect_neq(host_reload(host, &diff, &why), WEIR_OK, "%s", bad[i].witness);
        cr_expect(strstr(why.text, bad[i].why), "%s", why.text);
        cr_expect_eq(host->scripts[0].version, 1, "%s", bad[i].witness);
        cr_expect_eq(script_outcome(host->scripts[0].script), SCRIPT_OK);
        text_fini(&diff);
    }
    put("witness.lua", witness, 1);
    text_init(&diff);
    cr_expect_eq(host_reload(host, &diff, &why), WEIR_OK, "%s", why.text);
    cr_expect(strstr(text_cstr(&diff), "script trader: reloaded") &&
                  strstr(text_cstr(&diff), "script witness: reloaded"),
              "%s", text_cstr(&diff));
    cr_expect(host->scripts[0].version == 2 && host->scripts[1].version == 2);
    text_fini(&diff);
    cr_assert_eq(host_run(host, &why), WEIR_OK, "%s", why.text);
    host_destroy(host);
    config_destroy(config_);
    drop_folder();
}
