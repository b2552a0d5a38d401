/* warden.c - one process cell as its host sees it: made, told, watched, ended.
 *
 * PROMISES (1) A command is copied once; what is checked is what is used. [warden_take in commands.c]
 *          (2) After the deadline of an event nothing that the cell said is taken, whether or not the
 *              kill has come to it yet. [late, take]
 *          (3) Live, nobody waits here for a cell but for the four calls that cells.h names. [await]
 *          (4) Order events are never left out: what does not fit waits here, up to a limit at which
 *              the cell is ended. Market data of a cell that is behind becomes one event for each
 *              instrument, with the number of those left out. [tell_later, catch_up]
 *
 * DEADLINE The cell ends itself at its budget of CPU time for one handler (guard.h). The host's is
 *          twice that and five milliseconds for all handlers of one event, read off the clock of the
 *          process; or twenty times as much real time, when it is not even running (in lockstep a
 *          minute: there results must not hang on how busy the machine is). Time in which the host did
 *          not look is nobody's. [time_passed] */
#include "script/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "script/inmate.h"

enum {
    WAITING_MOST = 10000, /* events that do not fit the ring */
    BEHIND_MOST = 256,    /* instruments */
    BEHIND_AT = EVENT_ROOM / 2,
    CAUGHT_UP_AT = EVENT_ROOM / 8,
    SPINS = 2000, /* before the host sleeps, in lockstep */
    GRACE_NS = 5000000,
    LOOK_MOST_NS = 10000000, /* a host that runs looks each 2 ms, one in lockstep each 5 */
    SLEEP_MS = 5,
    RINGS_MOST = 10000 /* for nothing */
};

#define LOCKSTEP_MOST_NS ((weir_ns)60 * 1000000000)

/* --- making ------------------------------------------------------------------------------------*/

static int sealed_memory(const char *name, size_t size, const void *bytes)
{
    int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return -1;
    bool fine = ftruncate(file, (off_t)size) == 0 &&
                (!bytes || pwrite(file, bytes, size, 0) == (ssize_t)size);
    /* a memory that shrinks would be a SIGBUS for whoever looks at it */
    fine =
        fine && fcntl(file, F_ADD_SEALS,
                      F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (bytes ? F_SEAL_WRITE : 0)) == 0;
    if (fine)
        return file;
    close(file);
    return -1;
}

static bool make_channel(struct warden *warden, struct spawn *spawn)
{
    spawn->channel = sealed_memory("weir-channel", channel_size(), NULL);
    if (spawn->channel < 0)
        return false;
    void *map = mmap(NULL, channel_size(), PROT_READ | PROT_WRITE, MAP_SHARED, spawn->channel, 0);
    if (map == MAP_FAILED)
        return false;
    warden->channel = map;
    channel_init(map);
    warden->events = channel_events(map);
    warden->picture = channel_picture(map);
    warden->commands = channel_commands(map);
    warden->event_side = ring_side_of(sizeof(struct event_record), EVENT_ROOM);
    warden->picture_side = ring_side_of(sizeof(struct picture_record), PICTURE_ROOM);
    warden->command_side = ring_side_of(sizeof(struct command_record), COMMAND_ROOM);
    return true;
}

static bool make_parcel(struct warden *warden, const struct script_config *config,
                        struct spawn *spawn)
{
    const struct script *script = warden->script;
    struct parcel_terms terms = {.epoch = warden->epoch,
                                 .lockstep = warden->cells->owner.lockstep,
                                 .wake = (uint8_t)config->wake,
                                 .now = script->world.now(script->world.context),
                                 .next_id = script->next_id};
    terms.clock_base = terms.now - clock_stopwatch();
    memcpy(terms.prefix, script->prefix, sizeof terms.prefix);
    unsigned char *bytes = parcel_pack(config, &terms, &spawn->parcel_len);
    spawn->parcel = bytes ? sealed_memory("weir-parcel", spawn->parcel_len, bytes) : -1;
    free(bytes);
    return spawn->parcel >= 0;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static enum weir_err start_process(struct warden *warden, const struct script_config *config,
                                   struct why *why)
{
    struct spawn spawn = {
        .channel = -1, .board = warden->cells->board_fd, .parcel = -1, .nice = config->nice};
    enum weir_err err = WEIR_OK;
    warden->bell = spawn.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (warden->bell < 0 || !make_channel(warden, &spawn) || !make_parcel(warden, config, &spawn) ||
        !cells_listen(warden->cells, warden, warden->bell))
        err = because(why, WEIR_E_NO_MEMORY, "script %s: no memory or descriptors for its cell: %s",
                      config->name, strerror(errno));
    if (!err) {
        cells_renew(warden->cells);
        warden_send_picture(warden); /* it is there when the chunk's first line asks */
        err = zygote_spawn(warden->cells->zygote, &spawn, &warden->pid, &warden->pidfd, why);
    }
    warden->cells->alive += !err;
    close_fd(spawn.channel);
    close_fd(spawn.parcel);
    return err;
}

static void enlist(struct warden *warden)
{
    struct cells *cells = warden->cells;
    struct warden **first = &cells->by_strategy[warden->script->strategy];
    warden->next = cells->all;
    cells->all = warden;
    warden->next_of_strategy = *first;
    *first = warden;
}

static void delist(struct warden *warden)
{
    struct cells *cells = warden->cells;
    struct warden **at = &cells->all;
    while (*at && *at != warden)
        at = &(*at)->next;
    if (*at)
        *at = warden->next;
    at = &cells->by_strategy[warden->script->strategy];
    while (*at && *at != warden)
        at = &(*at)->next_of_strategy;
    if (*at)
        *at = warden->next_of_strategy;
}

/* What the engine knows of this strategy already. */
static void know_the_past(struct warden *warden)
{
    const struct engine *engine = warden->cells->owner.engine;
    struct position_view view;
    uint32_t count = engine_instrument_count(engine);
    for (uint32_t i = 1; i <= count; i++)
        if (engine_position(engine, i, warden->script->strategy, &view))
            warden_position_changed(warden, i);
    warden->all_orders = true;
}

static bool await(struct warden *warden, uint64_t number);

struct warden *warden_create(struct script *script, const struct script_config *config,
                             enum script_outcome *outcome_out, struct why *why)
{
    struct warden *warden = calloc(1, sizeof *warden);
    *outcome_out = SCRIPT_OK;
    if (!warden) {
        because(why, WEIR_E_NO_MEMORY, "script %s: %s", config->name, err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    warden->script = script;
    warden->cells = config->cells;
    warden->epoch = ++config->cells->epoch;
    warden->pidfd = warden->bell = -1;
    warden->next_timer = INT64_MAX;
    warden->shell.script = script;
    must(script->strategy <= STRATEGY_MOST);
    enlist(warden);
    know_the_past(warden);
    if (start_process(warden, config, why)) {
        warden_destroy(warden);
        return NULL;
    }
    warden->sent = 1; /* loading is the first event; it began by itself */
    warden->budget = script->budget.load_ns;
    warden_watch_anew(warden);
    (void)await(warden, 1);
    if (!warden->over)
        return warden;
    *outcome_out = warden->outcome;
    if (!script->warden && !script->cell)
        warden_report(warden, &script->report); /* what it took to end it */
    warden_destroy(warden);
    return NULL;
}

void warden_destroy(struct warden *warden)
{
    if (!warden)
        return;
    struct cell *shell = &warden->shell;
    if (warden->pidfd >= 0) {
        (void)syscall(SYS_pidfd_send_signal, warden->pidfd, SIGKILL, NULL, 0);
        warden->cells->alive--;
        close(warden->pidfd);
    }
    if (warden->bell >= 0) {
        cells_unlisten(warden->cells, warden->bell);
        close(warden->bell);
    }
    if (warden->channel)
        munmap(warden->channel, channel_size());
    delist(warden);
    free(warden->orders);
    free(warden->held);
    free(warden->waiting);
    free(warden->behind);
    free(warden->said);
    free(shell->wishes);
    free(shell->watched);
    free(shell->bars);
    free(shell->topics);
    free(warden);
}

/* --- ending ------------------------------------------------------------------------------------*/

/* The end of the script, in the host's words. No command is taken from now on. */
void warden_condemn(struct warden *warden, const char *format, ...)
{
    struct script *script = warden->script;
    va_list args;
    if (warden->over)
        return;
    va_start(args, format);
    vsnprintf(script->reason, sizeof script->reason, format, args);
    va_end(args);
    script->detail[0] = '\0';
    warden_over(warden, SCRIPT_QUARANTINED);
}

void warden_over(struct warden *warden, enum script_outcome outcome)
{
    warden->over = true;
    warden->outcome = outcome;
    if (warden->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, warden->pidfd, SIGKILL, NULL, 0);
}

static void explain_exit(struct warden *warden, int status)
{
    const char *name = warden->script->name;
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0, code = WEXITSTATUS(status);
    if (status == ZYGOTE_DIED)
        warden_condemn(
            warden,
            "%s: the process that scripts' processes come from died, and all of them with "
            "it",
            name);
    else if (signal == SIGSYS)
        warden_condemn(warden, "%s: made a system call that no script needs (SIGSYS)", name);
    else if (signal)
        warden_condemn(warden, "%s: the process of the script died: %s (signal %d) in %s", name,
                       strsignal(signal), signal, warden_doing(warden));
    else if (code == INMATE_NO_JAIL)
        warden_condemn(warden, "%s: its process could not be locked up", name);
    else if (code == INMATE_NO_MEMORY || code == INMATE_NO_SCRIPT)
        warden_condemn(warden, "%s: no memory for its process", name);
    else
        warden_condemn(warden, "%s: the process of the script ended (exit code %d) in %s", name,
                       code, warden_doing(warden));
}

void warden_died(struct warden *warden, int status)
{
    warden->crashed |= !warden->over;
    explain_exit(warden, status);
}

void warden_rung(struct warden *warden)
{
    uint64_t count;
    (void)!read(warden->bell, &count, sizeof count);
    if (warden_open(warden))
        warden->rings = 0;
    else if (++warden->rings > RINGS_MOST)
        warden_condemn(warden, "%s: rang its host's bell %d times for nothing",
                       warden->script->name, RINGS_MOST);
}

/* --- the deadline ------------------------------------------------------------------------------*/

static weir_ns cpu_of(const struct warden *warden)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(warden->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

void warden_watch_anew(struct warden *warden)
{
    warden->since = warden->looked = clock_stopwatch();
    warden->cpu_since = 0;
    warden->taken = 0;
    warden->waits = 0;
}

/* While the host itself stood still, a cell that has answered long ago looks like one that never did:
 * of the time between two looks no more counts than a host that runs lets pass. */
static weir_ns time_passed(struct warden *warden)
{
    weir_ns now = clock_stopwatch(), away = now - warden->looked - LOOK_MOST_NS;
    if (away > 0) {
        warden->since += away;
        warden->cpu_since = cpu_of(warden); /* it may have spun all the while */
    }
    warden->looked = now;
    return now - warden->since;
}

/* The process's clock is a system call: not before half of the budget has passed. */
static bool late(struct warden *warden)
{
    weir_ns passed = time_passed(warden);
    weir_ns hard = 2 * warden->budget + GRACE_NS + warden->waits;
    if (warden->over || !warden_open(warden) || passed < warden->budget / 2)
        return warden->over;
    weir_ns cpu = cpu_of(warden);
    if (warden->cpu_since == 0) {
        /* what it used before we looked counts as real time, at most */
        warden->cpu_since = cpu - passed > 0 ? cpu - passed : 1;
    }
    if (cpu - warden->cpu_since > hard)
        warden_condemn(warden, "%s: over its budget of %lld ms of CPU time in %s, and killed",
                       warden->script->name, (long long)(warden->budget / 1000000),
                       warden_doing(warden));
    else if (passed > (warden->cells->owner.lockstep ? LOCKSTEP_MOST_NS : 20 * hard))
        warden_condemn(warden, "%s: did not answer for %lld ms in %s, and was killed",
                       warden->script->name, (long long)(passed / 1000000), warden_doing(warden));
    return warden->over;
}

/* --- taking ------------------------------------------------------------------------------------*/

enum { TURN_MOST = 256 };

/* Copy the next command, as long as it says it is; what it says then is not read again. */
static bool pop_command(struct warden *warden, struct command_record *out)
{
    const volatile struct command_record *from =
        ring_side_front(&warden->command_side, warden->commands);
    if (!from)
        return false;
    out->epoch = from->epoch;
    out->number = from->number;
    out->kind = from->kind;
    out->len = from->len;
    size_t len = out->len < COMMAND_BODY ? out->len : COMMAND_BODY;
    memcpy(out->body, (const unsigned char *)(uintptr_t)from->body, len);
    ring_side_release(&warden->command_side, warden->commands);
    return true;
}

/* Some of what it said. False: there was nothing. */
static bool take(struct warden *warden)
{
    struct command_record command;
    bool any = false;
    if (!warden_open(warden) || late(warden))
        return false;
    for (int i = 0; i < TURN_MOST && !warden->over; i++) {
        if (!pop_command(warden, &command))
            break;
        any = true;
        warden->script->busy = true;
        warden_command(warden, &command);
        warden->script->busy = false;
    }
    if (warden->command_side.broken)
        warden_condemn(warden, "%s: its commands make no sense: a cursor is out of range",
                       warden->script->name);
    if (any && atomic_load_explicit(&warden->channel->asleep, memory_order_relaxed))
        warden_bell(warden); /* it may wait for room */
    return any;
}

/* Sleep until the cell rings, dies, or it is time to look at the clock. */
static void doze(struct warden *warden)
{
    struct pollfd fds[2] = {{.fd = warden->bell, .events = POLLIN},
                            {.fd = zygote_fd(warden->cells->zygote), .events = POLLIN}};
    board_sleep(warden->cells->board, true);
    if (!ring_side_front(&warden->command_side, warden->commands))
        (void)poll(fds, 2, SLEEP_MS);
    board_sleep(warden->cells->board, false);
    if (fds[0].revents) {
        uint64_t count;
        (void)!read(warden->bell, &count, sizeof count);
    }
    cells_deaths(warden->cells);
}

/* True: the event is over. False: so is the script. */
static bool await(struct warden *warden, uint64_t number)
{
    while (warden->done < number && !warden->over) {
        if (take(warden))
            continue;
        warden_send_picture(warden);
        bool came = false;
        for (int i = 0; i < SPINS && !came; i++) {
            came = ring_side_front(&warden->command_side, warden->commands) != NULL;
            relax();
        }
        if (!came && !warden->over)
            doze(warden);
    }
    return !warden->over;
}

/* --- telling -----------------------------------------------------------------------------------*/

void warden_bell(struct warden *warden)
{
    struct channel *channel = warden->channel;
    atomic_fetch_add_explicit(&channel->bell, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&channel->asleep, memory_order_seq_cst))
        (void)syscall(SYS_futex, &channel->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* What an event is of. */
struct body {
    const void *bytes;
    size_t size;
};

static const struct weir_msg *msg_of(enum event_kind kind, struct body body)
{
    return kind == TELL_MESSAGE ? body.bytes : NULL;
}

static bool push_event(struct warden *warden, enum event_kind kind, struct body body,
                       uint32_t dropped)
{
    const struct weir_msg *msg = msg_of(kind, body);
    const struct script *script = warden->script;
    struct event_record *to = ring_side_reserve(&warden->event_side, warden->events);
    if (warden->event_side.broken)
        warden_condemn(warden, "%s: its events make no sense: a cursor is out of range",
                       script->name);
    if (!to || warden->over)
        return false;
    must(body.size <= EVENT_BODY);
    if (!warden_open(warden)) {
        bool starts = kind == TELL_START || kind == TELL_SHADOW;
        warden->budget = starts ? script->budget.load_ns : script->budget.callback_ns;
        warden_watch_anew(warden);
    }
    warden->kinds[++warden->sent % EVENT_ROOM] = msg ? (uint16_t)msg->kind : (uint16_t)kind;
    to->number = warden->sent;
    to->now = script->world.now(script->world.context);
    to->kind = (uint32_t)kind;
    to->dropped = dropped;
    if (body.size > 0)
        memcpy(to->body, body.bytes, body.size);
    ring_side_commit(&warden->event_side, warden->events);
    return true;
}

static void tell_later(struct warden *warden, enum event_kind kind, struct body body)
{
    if (warden->waiting_count == WAITING_MOST) {
        warden_condemn(warden, "%s: %d events wait for it", warden->script->name, WAITING_MOST);
        return;
    }
    if (warden->waiting_count == warden->waiting_room) {
        uint32_t room = warden->waiting_room ? 2 * warden->waiting_room : 64;
        struct waiting *larger = realloc(warden->waiting, room * sizeof *larger);
        if (!larger) {
            warden_condemn(warden, "%s: no memory for what it has not heard yet",
                           warden->script->name);
            return;
        }
        warden->waiting = larger;
        warden->waiting_room = room;
    }
    struct waiting *to = &warden->waiting[warden->waiting_count++];
    to->kind = kind;
    to->size = (uint32_t)body.size;
    if (body.size > 0)
        memcpy(to->body, body.bytes, body.size);
}

static bool is_of_market(const struct weir_msg *msg)
{
    return msg && (msg->kind == WEIR_TOP || msg->kind == WEIR_TRADE);
}

static struct behind *behind_of(struct warden *warden, uint32_t instrument, bool make)
{
    for (uint32_t i = 0; i < warden->behind_count; i++)
        if (warden->behind[i].instrument == instrument)
            return &warden->behind[i];
    if (!make || warden->behind_count == BEHIND_MOST)
        return NULL;
    if (!warden->behind && !(warden->behind = calloc(BEHIND_MOST, sizeof *warden->behind)))
        return NULL;
    struct behind *behind = &warden->behind[warden->behind_count++];
    *behind = (struct behind){.instrument = instrument};
    return behind;
}

static void leave_out(struct warden *warden, const struct weir_msg *msg)
{
    struct behind *behind = behind_of(warden, msg->instrument, true);
    warden->left_out++;
    if (!behind)
        return;
    behind->dropped++;
    behind->top |= msg->kind == WEIR_TOP;
}

/* What waited first, then the newest of each instrument. */
static void catch_up(struct warden *warden)
{
    uint32_t told = 0;
    while (told < warden->waiting_count && warden->sent - warden->done < EVENT_ROOM - 1) {
        const struct waiting *next = &warden->waiting[told];
        if (!push_event(warden, next->kind, (struct body){next->body, next->size}, 0))
            break;
        told++;
    }
    warden->waiting_count -= told;
    if (told > 0)
        memmove(warden->waiting, warden->waiting + told,
                warden->waiting_count * sizeof *warden->waiting);
    while (warden->behind_count > 0 && warden->waiting_count == 0 &&
           warden->sent - warden->done < CAUGHT_UP_AT) {
        struct behind behind = warden->behind[--warden->behind_count];
        struct market_view market;
        if (behind.top && engine_market(warden->cells->owner.engine, behind.instrument, &market))
            (void)push_event(warden, TELL_MESSAGE, (struct body){&market.top, sizeof market.top},
                             behind.dropped - 1);
        told++;
    }
    if (told > 0)
        warden_bell(warden);
}

static void tell(struct warden *warden, enum event_kind kind, struct body body)
{
    const struct weir_msg *msg = msg_of(kind, body);
    bool lockstep = warden->cells->owner.lockstep;
    uint64_t open = warden->sent - warden->done;
    if (warden->over)
        return;
    warden_send_picture(warden);
    if (is_of_market(msg) && (warden->waiting_count > 0 || open >= BEHIND_AT)) {
        leave_out(warden, msg);
        return;
    }
    struct behind *behind = is_of_market(msg) ? behind_of(warden, msg->instrument, false) : NULL;
    uint32_t dropped = behind ? behind->dropped : 0;
    if (warden->waiting_count > 0 || open >= EVENT_ROOM - 1 ||
        !push_event(warden, kind, body, dropped)) {
        tell_later(warden, kind, body);
        return;
    }
    if (behind)
        *behind = warden->behind[--warden->behind_count];
    warden_bell(warden);
    if (lockstep)
        (void)await(warden, warden->sent);
}

void warden_tell(struct warden *warden, enum event_kind kind, const struct weir_msg *msg)
{
    tell(warden, kind, (struct body){msg, msg ? msg->size : 0});
}

/* Pieces are events like others: in order, never left out. */
void warden_publish(struct warden *warden, const struct script_message *message)
{
    struct tell_published piece = {.t = message->t, .len = (uint32_t)message->len};
    if (message->len > PUBLISHED_MAX)
        return;
    snprintf(piece.topic, sizeof piece.topic, "%s", message->topic);
    snprintf(piece.from, sizeof piece.from, "%s", message->from);
    do {
        size_t left = message->len - piece.at, some = left < PIECE_MOST ? left : PIECE_MOST;
        memcpy(piece.piece, message->text + piece.at, some);
        tell(warden, TELL_PUBLISHED, (struct body){&piece, sizeof piece});
        piece.at += (uint32_t)some;
    } while (piece.at < piece.len && !warden->over);
}

bool warden_do(struct warden *warden, enum event_kind kind, const char **text_out, size_t *len_out)
{
    *text_out = "";
    *len_out = 0;
    while (warden->waiting_count > 0 && await(warden, warden->sent))
        catch_up(warden);
    warden_tell(warden, kind, NULL);
    if (!await(warden, warden->sent)) {
        *text_out = warden->script->reason;
        *len_out = strlen(*text_out);
        return false;
    }
    *text_out = warden->said ? warden->said : "";
    *len_out = warden->said_len;
    return warden->went_well;
}

bool warden_turn(struct warden *warden)
{
    bool any = take(warden);
    if (any || !warden_open(warden)) {
        warden_send_picture(warden);
        catch_up(warden);
    }
    return any;
}

/* --- questions ---------------------------------------------------------------------------------*/

bool warden_open(const struct warden *warden)
{
    return warden->sent != warden->done;
}

weir_ns warden_next_timer(const struct warden *warden)
{
    return warden_open(warden) ? INT64_MAX : warden->next_timer;
}

void warden_report(const struct warden *warden, struct script_report *report_out)
{
    report_out->callbacks = warden->counts.callbacks;
    report_out->errors = warden->counts.errors;
    report_out->log_dropped = warden->counts.log_dropped;
    report_out->max_callback_ns = warden->counts.max_callback_ns;
    report_out->memory = warden->counts.memory;
    report_out->memory_max = warden->counts.memory_max;
    report_out->left_out = warden->left_out;
    report_out->crashed = warden->crashed;
}
