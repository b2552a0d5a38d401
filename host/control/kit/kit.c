/* kit.c - the table of checks, and the child process that each runs in. The verdict comes through a pipe; a
 * child that dies without one, or does not end, has given it as well. */
#include "control/kit/kit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/kit/border.h"
#include "control/kit/own.h"

enum { LIMIT_SECONDS = 120 }; /* of the wall: for what no limit inside catches */

/* --- the table ------------------------------------------------------------------------------------ */

enum {
    FILE_ONLY = 1, /* nothing of it runs */
    ORDERS = 2,    /* it takes orders */
    WIRE = 4,      /* bytes go out */
    FRAMES = 8,    /* something was recorded */
    ANSWERS = 16,  /* and of orders */
    INSIDE = 32,   /* a venue by itself */
    STOPS = 64     /* without it the others make no sense */
};
static const struct check {
    const char *name;
    bool (*run)(struct trying *it);
    int needs;
    const char *asked, *why;
} checks[] = {
    {"load", kit_check_load, FILE_ONLY | STOPS, "would the host load this file?",
     "ABI, struct sizes, one exported symbol, a sheet that can be: what differs would be misread"},
    {"imports", kit_check_imports, FILE_ONLY,
     "does it want nothing from libc but memory and texts?",
     "the host tells the time, moves the bytes, waits and signs"},
    {"begin", kit_check_begin, STOPS, "does a session begin, and take what was recorded?",
     "all else stands on it"},
    {"data", kit_check_data, FRAMES, "is what it tells in the message it came from?",
     "an invented price moves real money"},
    {"recovery", kit_check_recovery, ORDERS, "can an order without an answer be resolved?",
     "silence leaves it UNKNOWN until the venue's own word ends that"},
    {"order", kit_check_order, ORDERS | WIRE, "does an order go out, the same in two sessions?",
     "what is not a function of its inputs cannot be replayed"},
    {"side", kit_check_side, ORDERS | WIRE, "is the side on the wire?",
     "it would be the wrong one"},
    {"type", kit_check_type, ORDERS | WIRE, "is each type of the sheet on the wire?",
     "a stop that goes out as a limit trades at once"},
    {"price", kit_check_price, ORDERS | WIRE, "is the price on the wire, to the last digit?",
     "a price that is off by a place is an accident"},
    {"trigger", kit_check_trigger, ORDERS | WIRE, "is the trigger price on the wire?",
     "it decides when there is an order"},
    {"qty", kit_check_qty, ORDERS | WIRE, "is the quantity on the wire, to the last digit?",
     "limits were checked for this quantity and no other"},
    {"symbol", kit_check_symbol, ORDERS | WIRE, "does an order go out under its own symbol?",
     "a mixed-up table trades another market"},
    {"tif", kit_check_tif, ORDERS | WIRE, "is each time in force of the sheet on the wire?",
     "an IOC that rests is risk nobody asked for"},
    {"gtd", kit_check_gtd, ORDERS | WIRE, "is the end of a GTD order on the wire?",
     "it would rest on"},
    {"post_only", kit_check_post_only, ORDERS | WIRE, "is post-only on the wire, or refused?",
     "dropped, it pays the spread"},
    {"reduce_only", kit_check_reduce_only, ORDERS | WIRE, "is reduce-only on the wire, or refused?",
     "dropped, an exit opens a position"},
    {"quote_qty", kit_check_quote_qty, ORDERS | WIRE, "is a quantity in quote money told as such?",
     "taken for the other, it is off by the price"},
    {"client_id", kit_check_client_id, ORDERS | WIRE, "is the client order id on the wire?",
     "without it an order that got lost cannot be found"},
    {"cancel", kit_check_cancel, ORDERS | WIRE, "does a cancel name its order?",
     "the kill switch is cancels"},
    {"replace", kit_check_replace, ORDERS | WIRE,
     "does an amend carry which order, and what of it?", "the sheet says that it can"},
    {"cancel_all", kit_check_cancel_all, ORDERS | WIRE, "is cancel-all sent, if the sheet has it?",
     "the kill switch relies on the sheet"},
    {"query", kit_check_query, ORDERS | WIRE,
     "is an order asked for by its id, if the sheet says so?", "the resolver relies on the sheet"},
    {"fills_since", kit_check_fills_since, ORDERS | WIRE,
     "are executions asked for, if the sheet says so?", "the resolver relies on the sheet"},
    {"reconcile", kit_check_reconcile, ORDERS | WIRE, "is a reconciliation asked for?",
     "the host takes no order before it knows all that is there"},
    {"silence", kit_check_silence, ORDERS | WIRE, "is nothing told when nothing was answered?",
     "no answer, 5xx and pages of HTML prove nothing: the order is UNKNOWN"},
    {"answers", kit_check_answers, ORDERS | WIRE | ANSWERS,
     "is each report and execution told once, as it was said?",
     "position = sum of executions, each booked once"},
    {"strangers", kit_check_strangers, ORDERS | WIRE | ANSWERS,
     "do messages about unknown orders do no harm?",
     "the account may be used by others, and by us before a crash"},
    {"inside", kit_check_inside, ORDERS | INSIDE, "is an order answered, and not overfilled?",
     "of a venue by itself this is all that can be seen"},
    {"reconnect", kit_check_reconnect, WIRE,
     "is a lost connection told, and does the session come back?",
     "books and orders are not trusted meanwhile"},
    {"pure", kit_check_pure, 0, "do the same inputs give the same events and bytes?",
     "replay, backtest and recovery rest on it"},
    {"hostile", kit_check_hostile, 0, "does it survive bytes that are no message?",
     "a venue's proxy sends anything, once"},
    {"cut", kit_check_cut, FRAMES, "is a frame that was cut refused?",
     "half a message is no message: never guess"},
    {"bent", kit_check_bent, FRAMES, "does it survive messages with wrong bytes in them?",
     "bytes from outside are hostile"},
    {"leaks", kit_check_leaks, 0, "does memory stay as it is over 10000 frames, and over sessions?",
     "a host runs for months"},
    {"time", kit_check_time, 0, "is a callback done in time?", "all venues wait for it"},
};
enum { CHECKS = sizeof checks / sizeof checks[0] };

bool kit_describe(size_t i, const char **name_out, const char **asked_out, const char **why_out)
{
    if (i >= CHECKS)
        return false;
    *name_out = checks[i].name;
    *asked_out = checks[i].asked;
    *why_out = checks[i].why;
    return true;
}

const char *kit_result_name(enum kit_result result)
{
    return result == KIT_PASS ? "PASS" : result == KIT_SKIP ? "SKIP" : "FAIL";
}

/* --- verdicts ------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 0))) static void find(struct trying *it, enum kit_result result,
                                                       const char *format, va_list args)
{
    vsnprintf(it->finding.reason, sizeof it->finding.reason, format, args);
    it->finding.result = (int)result;
}

bool kit_fail(struct trying *it, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    find(it, KIT_FAIL, format, args);
    va_end(args);
    return false;
}

bool kit_pass(struct trying *it, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    find(it, KIT_PASS, format, args);
    va_end(args);
    return true;
}

bool kit_skip(struct trying *it, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    find(it, KIT_SKIP, format, args);
    va_end(args);
    return true;
}

/* --- in the child --------------------------------------------------------------------------------- */

static bool lock_up(struct trying *it, int out, struct why *why)
{
    const struct weir_plugin *around = border_around(plugin_descriptor(it->plugin));
    struct plugin *plugin = around ? plugin_around(it->plugin, around) : NULL;
    if (!plugin)
        return because(why, WEIR_E_NO_MEMORY, "out of memory") == WEIR_OK;
    it->plugin = plugin;
    return kit_jail_enter(out, why) == WEIR_OK;
}

static void judge(struct trying *it, const struct check *check, int out)
{
    struct why why;
    (void)kit_fail(it, "out of memory");
    if (plugin_load(it->kit->path, &it->plugin, &why) != WEIR_OK) {
        (void)kit_fail(it, "%s", why.text);
        return;
    }
    it->caps = plugin_descriptor(it->plugin)->caps;
    it->finding.orders = it->caps->orders;
    if (!(check->needs & FILE_ONLY) && !lock_up(it, out, &why))
        (void)kit_fail(it, "%s", why.text);
    else
        (void)check->run(it);
}

static _Noreturn void be_child(struct trying *it, const struct check *check, int out)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    judge(it, check, out);
    _exit(write(out, &it->finding, sizeof it->finding) == (ssize_t)sizeof it->finding ? 0 : 1);
}

/* --- in the parent -------------------------------------------------------------------------------- */

/* Why it is not for this plugin; NULL: it is. */
static const char *not_for(const struct trying *it, const struct check *check, bool orders)
{
    if ((check->needs & ORDERS) && !orders)
        return "market data only, says the sheet: the host refuses orders";
    if ((check->needs & WIRE) && it->kit->inside)
        return "a venue by itself has no wire (--inside)";
    if ((check->needs & INSIDE) && !it->kit->inside)
        return "only for a venue by itself (--inside)";
    if ((check->needs & FRAMES) && it->lines.frames == 0)
        return "no recorded frames were given (--recordings)";
    if ((check->needs & ANSWERS) && it->lines.of_orders == 0)
        return "no recorded answers were given (orders/ in --recordings)";
    return NULL;
}

/* What a child says that said nothing. */
static void say_death(struct kit_finding *finding, int status, bool late)
{
    finding->result = KIT_FAIL;
    if (late)
        snprintf(finding->reason, sizeof finding->reason, "did not end within %d s", LIMIT_SECONDS);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        snprintf(
            finding->reason, sizeof finding->reason,
            "made a system call that a plugin has no use for, with all signals blocked, as libc "
            "does to start a thread or a process");
    else if (WIFSIGNALED(status))
        snprintf(finding->reason, sizeof finding->reason, "died of signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(finding->reason, sizeof finding->reason, "ended the process with code %d",
                 WEXITSTATUS(status));
}

static enum weir_err run_check(struct trying *it, const struct check *check,
                               struct kit_finding *finding_out, struct why *why)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0)
        return because(why, WEIR_E_IO, "no pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        be_child(it, check, ends[1]);
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    bool late = child > 0 && poll(&ready, 1, LIMIT_SECONDS * 1000) == 0;
    if (late)
        kill(child, SIGKILL);
    bool told = child > 0 && !late &&
                read(ends[0], finding_out, sizeof *finding_out) == (ssize_t)sizeof *finding_out;
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return because(why, WEIR_E_IO, "no child process: %s", strerror(errno));
    if (!told)
        say_death(finding_out, status, late);
    finding_out->reason[sizeof finding_out->reason - 1] = '\0'; /* the plugin may have written it */
    if (finding_out->result < KIT_FAIL || finding_out->result > KIT_SKIP)
        finding_out->result = KIT_FAIL;
    return WEIR_OK;
}

static bool is_wanted(const struct kit *kit, const struct check *check)
{
    return !kit->only || strcmp(kit->only, check->name) == 0 || (check->needs & STOPS);
}

static enum weir_err knows(const struct kit *kit, struct why *why)
{
    for (size_t i = 0; i < CHECKS; i++)
        if (!kit->only || strcmp(kit->only, checks[i].name) == 0)
            return WEIR_OK;
    return because(why, WEIR_E_USAGE,
                   "--only %s: expected the name of a check; `weir plugin --help` lists them",
                   kit->only);
}

enum weir_err kit_run(struct kit *kit, kit_told *told, void *context, struct why *why)
{
    if (access(kit->path, R_OK) != 0)
        return because(why, WEIR_E_IO, "%s: %s", kit->path, strerror(errno));
    struct trying *it = calloc(1, sizeof *it);
    if (!it)
        return because(why, WEIR_E_NO_MEMORY, "out of memory");
    it->kit = kit;
    enum weir_err err = knows(kit, why);
    if (err == WEIR_OK)
        err = kit_lines_read(kit->recordings, &it->lines, why);
    bool orders = false;
    for (size_t i = 0; i < CHECKS && err == WEIR_OK; i++) {
        struct kit_finding is = {.result = KIT_SKIP};
        if (!is_wanted(kit, &checks[i]))
            continue;
        const char *not = not_for(it, &checks[i], orders);
        if (not )
            snprintf(is.reason, sizeof is.reason, "%s", not );
        else
            err = run_check(it, &checks[i], &is, why);
        if (err != WEIR_OK)
            break;
        orders = i == 0 ? is.orders : orders; /* the first is load */
        told(context, &(struct kit_verdict){checks[i].name, checks[i].asked,
                                            (enum kit_result)is.result, is.reason});
        if (is.result == KIT_FAIL && (checks[i].needs & STOPS))
            break;
    }
    kit_lines_free(&it->lines);
    free(it);
    return err;
}
