/* loop.c - one turn: what is due, what came, what it led to; then sleep until there is more.
 *
 * Real time sleeps in ppoll on the venues' sockets and one eventfd (wishes of observers, signals) until
 * the next timer. On virtual time nothing sleeps: the clock goes to the next thing that is due, timers before data. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "control/host.h"

#define CANCEL_AGAIN ((weir_ns)500000000) /* while a stop waits */

static weir_ns least(weir_ns a, weir_ns b)
{
    return a < b ? a : b;
}

/* --- timers -----------------------------------------------------------------------------------*/

static weir_ns next_timer(const struct host *host)
{
    weir_ns next = engine_next_timer(host->engine);
    next = least(next, host_venue_next_timer(host));
    next = least(next, host_script_next_timer(host));
    next = least(next, host_next_retry(host));
    if (host->options.run_for && !host->stopping)
        next = least(next, host->started + host->options.run_for);
    if (host->stopping)
        next = least(next, host->stop_at);
    return next;
}

static void fire_timers(struct host *host)
{
    host_catch_up(host);
    if (engine_next_timer(host->engine) <= clock_now(&host->clock)) {
        struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
        host_do(host, &tick);
    }
    host_venue_timers(host);
    host_settle(host);
    host_script_timers(host);
    host_settle(host);
    host_retries(host);
    host_states(host);
    host_clocks(host);
    host_settle(host);
    if (host->options.run_for && clock_now(&host->clock) >= host->started + host->options.run_for)
        host_stop(host);
}

/* --- wishes of operators ----------------------------------------------------------------------*/

static void change(struct host *host, uint16_t kind, const struct wish *wish)
{
    struct in_change input = {.msg = {.size = sizeof input, .kind = kind, .venue = 0xffff},
                              .asker = ASKER_OPERATOR};
    memcpy(input.cid, wish->cid, sizeof input.cid);
    memcpy(input.reason, wish->reason, sizeof input.reason);
    host_do(host, &input.msg);
}

/* A line of the log for each line. */
static void log_lines(const char *text)
{
    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        log_line(LOG_INFO, "reload", "%.*s", (int)len, text);
    }
}

static void reload(struct host *host, struct wish_answer *answer)
{
    struct text diff;
    struct why why;
    text_init(&diff);
    answer->ok = host_reload(host, &diff, &why) == WEIR_OK;
    if (!answer->ok)
        log_line(LOG_ERROR, "reload", "refused, what runs stays: %s", why.text);
    else
        log_lines(diff.len ? text_cstr(&diff) : "nothing changed");
    snprintf(answer->text, sizeof answer->text, "%s",
             !answer->ok ? why.text
             : diff.len  ? text_cstr(&diff)
                         : "nothing changed");
    text_fini(&diff);
}

static void grant(struct host *host, const struct wish *wish, struct wish_answer *answer)
{
    uint64_t cancels = engine_counts(host->engine)->sent_cancel;
    answer->ok = 1;
    switch (wish->kind) {
    case WISH_KILL:
        change(host, IN_KILL, wish);
        snprintf(answer->text, sizeof answer->text,
                 "kill switch pulled; %" PRIu64 " cancels sent, %u orders still live",
                 engine_counts(host->engine)->sent_cancel - cancels,
                 engine_counts(host->engine)->live_orders);
        break;
    case WISH_RELEASE:
        change(host, IN_RELEASE, wish);
        snprintf(answer->text, sizeof answer->text, "kill switch released");
        break;
    case WISH_CANCEL:
        answer->ok = engine_order_find(host->engine, wish->cid) != 0 ||
                     engine_order_by_wire(host->engine, wish->cid) != 0;
        if (answer->ok)
            change(host, IN_CANCEL, wish);
        snprintf(answer->text, sizeof answer->text,
                 answer->ok ? "cancel of %s asked" : "no order is named '%s'", wish->cid);
        break;
    case WISH_RELOAD: reload(host, answer); break;
    case WISH_STOP:
        host_stop(host);
        snprintf(answer->text, sizeof answer->text, "stopping");
        break;
    default:
        if (host_operate(host, wish, answer))
            break;
        answer->ok = 0;
        snprintf(answer->text, sizeof answer->text, "the host cannot do that while it runs");
    }
}

static void take_wishes(struct host *host)
{
    struct wish wish;
    while (host->observer && observer_wish(host->observer, &wish)) {
        struct wish_answer answer = {.id = wish.id};
        grant(host, &wish, &answer);
        host_settle(host);
        host->next_note = 0; /* what came of it is told before the answer */
        host_note(host);
        if (!answer.later)
            observer_answer(host->observer, &answer);
    }
}

/* --- an orderly stop --------------------------------------------------------------------------*/

static void cancel_all(struct host *host)
{
    struct in_change all = {.msg = {.size = sizeof all, .kind = IN_CANCEL_MANY, .venue = 0xffff},
                            .asker = ASKER_HOST,
                            .reason = "an orderly stop"};
    host_do(host, &all.msg);
    host->cancel_at = clock_now(&host->clock) + CANCEL_AGAIN;
}

void host_stop(struct host *host)
{
    if (host->stopping)
        return;
    host->stopping = true;
    host->stop_at = clock_now(&host->clock) + host->config->stop_wait;
    host_stop_scripts(host);
    if (host->config->cancel_on_stop)
        cancel_all(host);
    host_settle(host);
}

/* Those whose cancel the venue refused, or that came to light since. One that waits for its answer is
 * not cancelled twice. */
static void cancel_the_rest(struct host *host)
{
    if (host->stopping && host->config->cancel_on_stop &&
        clock_now(&host->clock) >= host->cancel_at && engine_counts(host->engine)->live_orders > 0)
        cancel_all(host);
}

static void look_for_signals(struct host *host)
{
    struct wish_answer answer = {0};
    if (!host->stopping && host->options.stop_asked && host->options.stop_asked())
        host_stop(host);
    if (!host->stopping &&
        ((host->options.reload_asked && host->options.reload_asked()) || host_files_changed(host)))
        reload(host, &answer);
}

static bool may_end(const struct host *host)
{
    return host->stopping &&
           (engine_counts(host->engine)->live_orders == 0 || !host->config->cancel_on_stop ||
            clock_now((struct clock *)(uintptr_t)&host->clock) >= host->stop_at);
}

/* --- turns ------------------------------------------------------------------------------------*/

static void drain_wake(struct host *host)
{
    uint64_t count;
    while (read(host->wake, &count, sizeof count) == (ssize_t)sizeof count)
        ;
}

enum { WATCH_NS = 2000000 }; /* how often the clocks of busy cells are looked at */

/* Scripts in processes are told that we sleep, so that they ring; what they said before is taken. */
static void rest(struct host *host, weir_ns most)
{
    bool pending = host_scripts_pending(host);
    if (pending) {
        cells_sleep(host->cells, true);
        most = host_script_turns(host) ? 0 : least(most, WATCH_NS);
    }
    (void)host_wait(host, most);
    if (host->cells)
        cells_sleep(host->cells, false);
}

/* Until t, bytes of a venue, a wish, or a signal. */
static void sleep_until(struct host *host, weir_ns t)
{
    weir_ns now = clock_now(&host->clock), left = t - now;
    weir_ns spin_end = now + host->config->busy_poll;
    bool came = false;
    if (host->tap)
        left = least(left, 100000000); /* observers hear of us at least that often */
    left = least(left, 1000000000);
    while (!came && left > 0 && now < spin_end) {
        came = host_script_turns(host) || host_wait(host, 0);
        weir_ns then = now;
        now = clock_now(&host->clock);
        left -= now - then;
    }
    if (!came && left > 0)
        rest(host, left);
    drain_wake(host);
}

/* Bytes first: what came is worth most while it is new. */
static void run_real(struct host *host)
{
    while (!host->done) {
        host_turn_network(host);
        (void)host_script_turns(host);
        fire_timers(host);
        look_for_signals(host);
        take_wishes(host);
        cancel_the_rest(host);
        host_settle(host);
        host_note(host);
        host->done = may_end(host);
        if (!host->done && queue_empty(&host->inputs))
            sleep_until(host, next_timer(host));
    }
}

/* Recordings at a pace: virtual time may not run ahead of real time times speed. */
static void keep_pace(struct host *host, weir_ns real_start, weir_ns virtual_start, weir_ns next)
{
    weir_ns due = real_start + (next - virtual_start) / host->options.speed;
    for (weir_ns left; (left = due - clock_stopwatch()) > 0 && !host->stopping;) {
        struct pollfd fds = {.fd = host->wake, .events = POLLIN};
        struct timespec wait = {.tv_nsec = left < 50000000 ? left : 50000000};
        (void)ppoll(&fds, 1, &wait, NULL);
        drain_wake(host);
        look_for_signals(host);
        take_wishes(host);
        host_note(host);
    }
}

/* When something of this venue is due, as far as data may have changed it. */
static weir_ns venue_due(const struct host_venue *venue)
{
    weir_ns next = session_next_timer(venue->session);
    return venue->paper ? least(next, paper_next_timer(venue->paper)) : next;
}

/* Data alone, for as long as no timer is due and nobody must hear of it: the way of a lazy host, whose
 * cost is that of the books. */
static enum weir_err give_data(struct host *host, struct why *why)
{
    const struct host_feed *feed = host->options.feed;
    weir_ns due = next_timer(host), t;
    for (unsigned n = 0; n < 4096 && (t = feed->next(feed->context)) < due; n++) {
        clock_advance(&host->clock, t);
        enum weir_err err = feed->give(feed->context, host, why);
        if (err)
            return err;
        if (!queue_empty(&host->inputs)) {
            host_settle(host);
            return WEIR_OK;
        }
        for (size_t i = 0; i < host->venue_count; i++)
            due = least(due, venue_due(&host->venues[i]));
    }
    return WEIR_OK;
}

/* One thing that is due, at the time it is due. False: nothing is, or it failed (*err_out). */
static bool virtual_step(struct host *host, weir_ns until, weir_ns real_start,
                         weir_ns *virtual_start, enum weir_err *err_out, struct why *why)
{
    const struct host_feed *feed = host->options.feed;
    bool fed = feed && (!host->stopping || feed->live);
    weir_ns data = fed ? feed->next(feed->context) : INT64_MAX;
    weir_ns timer = next_timer(host), next = least(data, timer);
    if (feed && !host->stopping && data == INT64_MAX) { /* not of a live one */
        host_stop(host);                                /* the data has ended */
        return true;
    }
    if (next == INT64_MAX || next > until)
        return false;
    *virtual_start = *virtual_start ? *virtual_start : next;
    if (host->options.speed > 0)
        keep_pace(host, real_start, *virtual_start, next);
    if (host->lazy && feed && data < timer && host->options.speed == 0) {
        *err_out = give_data(host, why);
        look_for_signals(host);
        return *err_out == WEIR_OK;
    }
    clock_advance(&host->clock, next);
    if (timer <= next)
        fire_timers(host);
    if (fed && data <= next) {
        *err_out = feed->give(feed->context, host, why);
        host_settle(host);
        if (*err_out)
            return false;
    }
    look_for_signals(host);
    take_wishes(host);
    if (feed && feed->live)
        cancel_the_rest(host);
    host_note(host);
    host->done = may_end(host);
    return true;
}

static enum weir_err run_virtual(struct host *host, struct why *why)
{
    weir_ns real_start = clock_stopwatch(), virtual_start = 0;
    enum weir_err err = WEIR_OK;
    while (!host->done && virtual_step(host, INT64_MAX, real_start, &virtual_start, &err, why))
        ;
    return err;
}

bool host_run_until(struct host *host, weir_ns t, struct why *why)
{
    weir_ns virtual_start = 0;
    why->err = WEIR_OK;
    while (!host->done && virtual_step(host, t, 0, &virtual_start, &why->err, why))
        ;
    if (why->err || host->done)
        return false;
    clock_advance(&host->clock, t);
    return true;
}

enum weir_err host_run(struct host *host, struct why *why)
{
    host->started = clock_now(&host->clock);
    if (host->options.virtual_time)
        return run_virtual(host, why);
    run_real(host);
    return WEIR_OK;
}
