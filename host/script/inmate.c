/* inmate.c - a cell in a process of its own: takes what happened, calls the script, says what it did.
 *
 * All of the script library runs here, with its own budgets and its own end: what would be abandoned
 * inline is abandoned here, with the same reason. The host's own watch, its kill and its checks of
 * every command stand behind that, for the day when Lua itself is what is broken.
 *
 * WISHES  are questions: the script waits for the answer, the host never for the script. While it
 *         waits it takes in what its host says of its orders, so that the answer to a submit and the
 *         order it made are there together.
 * TIME    in lockstep is that of the event; else the host's clock, which needs no call of its own. */
#include "script/inmate.h"

#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "script/ask.h"
#include "script/jail.h"

enum { SPINS_ANSWER = 4000, SPINS_HYBRID = 4000 }; /* of some 5 ns */

struct inmate {
    struct channel *channel;
    struct ring *events, *picture, *commands;
    struct ring_side event_side, picture_side, command_side;
    struct parcel_terms terms;
    struct picture *known;
    struct script *script;
    uint64_t asked;  /* questions so far */
    uint64_t number; /* of the event */
    weir_ns now;
    uint32_t wishes_told, topics_told;
    char published[PUBLISHED_MAX + 1]; /* the pieces so far */
    bool end_told;
};

static struct inmate me;

/* --- waiting -----------------------------------------------------------------------------------*/

static uint32_t bell(void)
{
    return atomic_load_explicit(&me.channel->bell, memory_order_acquire);
}

/* Until the bell is no longer what it was when there was nothing to do. */
static bool look_for_bell(uint32_t seen, uint32_t spins)
{
    for (uint32_t i = 0; i < spins; i++) {
        if (bell() != seen)
            return true;
        relax();
    }
    return false;
}

static void wait_for_bell(uint32_t seen, uint32_t spins)
{
    if (look_for_bell(seen, spins))
        return;
    atomic_store_explicit(&me.channel->asleep, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&me.channel->bell, memory_order_seq_cst) == seen)
        (void)syscall(SYS_futex, &me.channel->bell, FUTEX_WAIT, seen, NULL, NULL, 0);
    atomic_store_explicit(&me.channel->asleep, 0, memory_order_relaxed);
}

/* To look costs the script's CPU time, which is not its fault. */
static void wait_for_host(uint32_t seen)
{
    weir_ns from = clock_stopwatch();
    bool rang = look_for_bell(seen, SPINS_ANSWER);
    guard_forgive(clock_stopwatch() - from);
    if (!rang)
        wait_for_bell(seen, 0);
}

static void take_picture(void)
{
    struct picture_record record;
    while (ring_side_pop(&me.picture_side, me.picture, &record))
        picture_take(me.known, &record);
}

/* --- saying ------------------------------------------------------------------------------------*/

/* The host looks while an event is open; when it sleeps it wants to be rung for. */
static void ring_host(void)
{
    uint64_t one = 1;
    atomic_thread_fence(memory_order_seq_cst);
    if (board_asleep(picture_board(me.known)))
        (void)!write(JAIL_BELL, &one, sizeof one);
}

static void say(enum command_kind kind, const void *body, size_t len)
{
    struct command_record *to;
    for (uint32_t seen = bell(); !(to = ring_side_reserve(&me.command_side, me.commands));) {
        ring_host();
        wait_for_host(seen);
        seen = bell();
        take_picture();
    }
    to->epoch = me.terms.epoch;
    to->number = me.number;
    to->kind = (uint32_t)kind;
    to->len = (uint32_t)len;
    memcpy(to->body, body, len);
    ring_side_commit(&me.command_side, me.commands);
    ring_host();
}

static void ask(enum command_kind kind, const void *body, size_t len, struct script_answer *answer)
{
    me.asked++;
    say(kind, body, len);
    for (uint32_t seen = bell();
         atomic_load_explicit(&me.channel->answered, memory_order_acquire) != me.asked;
         seen = bell()) {
        take_picture();
        if (atomic_load_explicit(&me.channel->answered, memory_order_acquire) != me.asked)
            wait_for_host(seen);
    }
    take_picture();
    me.now = me.channel->answer.now;
    if (answer)
        *answer = me.channel->answer.answer;
}

/* --- the world ---------------------------------------------------------------------------------*/

static weir_ns world_now(void *context)
{
    (void)context;
    if (!me.terms.lockstep) {
        weir_ns now = clock_stopwatch() + me.terms.clock_base;
        me.now = now > me.now ? now : me.now;
    }
    return me.now;
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    (void)context;
    (void)script;
    ask(SAY_SUBMIT, wish, sizeof *wish, answer);
}

static void world_change(void *context, struct script *script, const struct in_change *wish,
                         struct script_answer *answer)
{
    (void)context;
    (void)script;
    ask(SAY_CHANGE, wish, sizeof *wish, answer);
}

static void world_log(void *context, struct script *script, const char *line)
{
    (void)context;
    (void)script;
    say(SAY_LINE, line, strnlen(line, LINE_MOST));
}

static void world_remark(void *context, struct script *script, const char *text)
{
    (void)context;
    (void)script;
    say(SAY_REMARK, text, strnlen(text, LINE_MOST));
}

static void world_alert(void *context, struct script *script, const struct script_alert *alert)
{
    struct say_alert out = {.level = ""};
    (void)context;
    (void)script;
    snprintf(out.level, sizeof out.level, "%s", alert->level);
    snprintf(out.text, sizeof out.text, "%s", alert->text);
    snprintf(out.venue, sizeof out.venue, "%s", alert->venue);
    snprintf(out.symbol, sizeof out.symbol, "%s", alert->symbol);
    say(SAY_ALERT, &out, sizeof out);
}

static void world_publish(void *context, struct script *script,
                          const struct script_message *message)
{
    struct say_publish out = {.len = (uint32_t)message->len,
                              .json_len = (uint32_t)message->json_len};
    (void)context;
    (void)script;
    if (message->len > PUBLISHED_MAX || message->json_len > PUBLISHED_MAX)
        return;
    snprintf(out.topic, sizeof out.topic, "%s", message->topic);
    memcpy(channel_text(me.channel), message->text, message->len);
    memcpy(channel_text(me.channel) + message->len, message->json, message->json_len);
    ask(SAY_PUBLISH, &out, sizeof out, NULL);
}

/* The first question for so many levels of a book asks the host to show them from now on. */
bool inmate_depth(uint32_t instrument, uint32_t most, struct board_depth *out)
{
    if (board_depth(picture_board(me.known), instrument, most, out) && out->shown >= most)
        return true;
    struct say_depth wish = {instrument, most};
    ask(SAY_DEPTH, &wish, sizeof wish, NULL);
    return board_depth(picture_board(me.known), instrument, most, out) && out->shown >= most;
}

/* --- events ------------------------------------------------------------------------------------*/

static void tell_wishes(void)
{
    const struct cell *cell = me.script->cell;
    for (; cell && me.topics_told < cell->topic_count; me.topics_told++)
        say(SAY_TOPIC, &cell->topics[me.topics_told], sizeof cell->topics[0]);
    for (; cell && me.wishes_told < cell->wish_count; me.wishes_told++)
        say(SAY_WISH, &cell->wishes[me.wishes_told], sizeof cell->wishes[0]);
}

static struct say_counts counts_of(const struct script_report *report)
{
    return (struct say_counts){.callbacks = report->callbacks,
                               .errors = report->errors,
                               .log_dropped = report->log_dropped,
                               .orders_denied = report->orders_denied,
                               .memory = report->memory,
                               .memory_max = report->memory_max,
                               .max_callback_ns = report->max_callback_ns};
}

static void tell_end(void)
{
    struct script_report report;
    if (me.end_told || script_outcome(me.script) == SCRIPT_OK)
        return;
    script_report(me.script, &report);
    struct say_ended out = {.outcome = (uint32_t)report.outcome, .counts = counts_of(&report)};
    snprintf(out.reason, sizeof out.reason, "%s", report.reason);
    snprintf(out.detail, sizeof out.detail, "%s", report.detail);
    say(SAY_ENDED, &out, sizeof out);
    me.end_told = true;
}

static void done(uint32_t ok, uint32_t len)
{
    struct script_report report;
    struct say_done out = {.ok = ok, .len = len};
    const struct cell *cell = me.script->cell;
    tell_wishes();
    tell_end();
    script_report(me.script, &report);
    out.next_timer = script_next_timer(me.script);
    for (int i = 0; cell && i < HAPPENINGS; i++)
        out.listens |= (uint32_t)(cell->on[i].count > 0) << i;
    out.counts = counts_of(&report);
    say(SAY_DONE, &out, sizeof out);
}

static void save(void)
{
    struct why why;
    const char *text = NULL;
    size_t len = 0;
    bool fine = script_state_save(me.script, &text, &len, &why) == WEIR_OK && len <= TEXT_ROOM;
    if (!fine)
        text = why.text, len = strlen(why.text);
    memcpy(channel_text(me.channel), text, len);
    done(fine, (uint32_t)len);
}

static void take_published(const struct tell_published *told)
{
    uint32_t left = told->len - told->at, some = left < PIECE_MOST ? left : PIECE_MOST;
    memcpy(me.published + told->at, told->piece, some);
    if (some < left)
        return;
    me.published[told->len] = '\0';
    script_message(me.script, &(struct script_message){.topic = told->topic,
                                                       .from = told->from,
                                                       .t = told->t,
                                                       .text = me.published,
                                                       .len = told->len});
}

static void handle(const struct event_record *event)
{
    me.number = event->number;
    me.now = event->now > me.now ? event->now : me.now;
    if (me.script->cell)
        me.script->cell->dropped = event->dropped;
    switch (event->kind) {
    case TELL_MESSAGE:
        script_event(me.script, (const struct weir_msg *)(const void *)event->body);
        break;
    case TELL_TIMER: script_timer(me.script); break;
    case TELL_START: script_start(me.script); break;
    case TELL_SHADOW: done(script_shadow(me.script), 0); return;
    case TELL_TAKE_OVER: script_take_over(me.script); break;
    case TELL_STOP: script_stop(me.script); break;
    case TELL_PUBLISHED: take_published((const void *)event->body); break;
    case TELL_SAVE: save(); return;
    default: break;
    }
    done(1, 0);
}

static _Noreturn void serve(void)
{
    const struct event_record *event; /* in place: the host leaves it alone until it is released */
    uint32_t spins = me.terms.wake == SCRIPT_SPIN     ? UINT32_MAX
                     : me.terms.wake == SCRIPT_HYBRID ? SPINS_HYBRID
                                                      : 0;
    for (;;) {
        uint32_t seen = bell();
        take_picture();
        if ((event = ring_side_front(&me.event_side, me.events)) != NULL) {
            handle(event);
            ring_side_release(&me.event_side, me.events);
        } else {
            wait_for_bell(seen, spins);
        }
    }
}

/* --- birth -------------------------------------------------------------------------------------*/

bool inmate_map(struct inmate_birth *birth, int channel, int board, int parcel)
{
    void *shared = mmap(NULL, channel_size(), PROT_READ | PROT_WRITE, MAP_SHARED, channel, 0);
    void *shown = mmap(NULL, board_size(), PROT_READ, MAP_SHARED, board, 0);
    void *told = mmap(NULL, birth->parcel_len, PROT_READ, MAP_PRIVATE, parcel, 0);
    birth->channel = shared;
    birth->board = shown;
    birth->parcel = told;
    return shared != MAP_FAILED && shown != MAP_FAILED && told != MAP_FAILED;
}

_Noreturn void inmate_main(const struct inmate_birth *birth)
{
    struct script_config config;
    struct why why;
    struct script_world world = {.now = world_now,
                                 .submit = world_submit,
                                 .change = world_change,
                                 .log = world_log,
                                 .remark = world_remark,
                                 .alert = world_alert,
                                 .publish = world_publish};
    me.channel = birth->channel;
    me.events = channel_events(me.channel);
    me.picture = channel_picture(me.channel);
    me.commands = channel_commands(me.channel);
    me.event_side = ring_side_of(sizeof(struct event_record), EVENT_ROOM);
    me.picture_side = ring_side_of(sizeof(struct picture_record), PICTURE_ROOM);
    me.command_side = ring_side_of(sizeof(struct command_record), COMMAND_ROOM);
    if (!parcel_open(birth->parcel, birth->parcel_len, &config, &me.terms) ||
        !(me.known = picture_create(birth->board, config.strategy)) || guard_ready(&why))
        _exit(INMATE_NO_MEMORY);
    me.number = 1; /* to load is the first event */
    me.now = me.terms.now;
    if (jail_enter(birth->nice))
        _exit(INMATE_NO_JAIL);
    take_picture();
    if (script_create_known(&config, &world, me.known, me.terms.next_id, &me.script, &why))
        _exit(INMATE_NO_SCRIPT);
    done(1, 0);
    serve();
}
