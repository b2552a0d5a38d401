/* cell.c - any bytes as what a script's process says: its host does what a script may ask, and nothing else.
 *
 * The bytes are commands: a kind, a length of body in two bytes, the body; what is missing of it is
 * zero. Each comes with the right epoch and number, so that it gets as far as it can. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/utf8.h"
#include "engine/engine.h"
#include "script/warden.h"
#include "support/small_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

static struct engine *engine;
static struct cells cells;
static struct channel *channel;
static weir_ns now;

/* --- the host's side ---------------------------------------------------------------------------*/

static void check_line(const char *line, size_t most)
{
    size_t len = strlen(line);
    CHECK(len <= most);
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_char(line + i, len - i);
        CHECK(step > 0 && (unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
    }
}

static weir_ns world_now(void *context)
{
    (void)context;
    return now;
}

static void world_submit(void *context, struct script *script, const struct in_submit *wish,
                         struct script_answer *answer)
{
    (void)context;
    CHECK(script_busy(script) && wish->msg.size == sizeof *wish && wish->msg.kind == IN_SUBMIT);
    CHECK(wish->msg.instrument == 1 && wish->msg.venue == 1 && wish->msg.account == 1);
    CHECK(wish->msg.flags == 0 && wish->msg.cause == 0 && wish->strategy == 1);
    CHECK(wish->asker == ASKER_SCRIPT && wish->side <= WEIR_SELL && wish->type <= WEIR_ICEBERG);
    CHECK(wish->tif <= WEIR_DAY && wish->route <= ROUTE_INTERNAL_THEN_VENUE);
    CHECK(strncmp(wish->cid, "s-", 2) == 0 && memchr(wish->cid, '\0', sizeof wish->cid));
    CHECK(memchr(wish->tag, '\0', sizeof wish->tag));
    answer->accepted = wish->qty > 0;
}

static void world_change(void *context, struct script *script, const struct in_change *wish,
                         struct script_answer *answer)
{
    (void)context;
    (void)answer;
    CHECK(script_busy(script) && wish->strategy == 1 && wish->asker == ASKER_SCRIPT);
    CHECK(wish->msg.kind == IN_CANCEL_MANY); /* it has no order that it could change */
    CHECK(wish->reason[0] == '\0' && wish->new_cid[0] == '\0');
}

static void world_subscribe(void *context, struct script *script, const char *venue,
                            const char *symbol)
{
    (void)context;
    (void)script;
    CHECK(strlen(venue) < NAME_MAX_LEN && strlen(symbol) < WEIR_SYMBOL_MAX);
}

static void world_log(void *context, struct script *script, const char *line)
{
    (void)context;
    (void)script;
    check_line(line, LINE_MOST);
}

static void world_alert(void *context, struct script *script, const struct script_alert *alert)
{
    (void)context;
    (void)script;
    check_line(alert->text, 255);
    check_line(alert->symbol, WEIR_SYMBOL_MAX);
    CHECK(strcmp(alert->venue, "sim") == 0 || !*alert->venue);
}

static void world_publish(void *context, struct script *script,
                          const struct script_message *message)
{
    (void)context;
    (void)script;
    CHECK(message->len <= PUBLISHED_MAX && message->json_len <= PUBLISHED_MAX);
    CHECK(strlen(message->topic) < NAME_MAX_LEN && *message->topic);
}

static void world_state(void *context, struct script *script, const char *text, size_t len)
{
    (void)context;
    (void)script;
    CHECK(len <= TEXT_ROOM && text[len] == '\0');
}

/* --- a warden without a process ----------------------------------------------------------------*/

static void *pages(size_t size)
{
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(map != MAP_FAILED);
    return map;
}

static void open_once(void)
{
    engine = small_engine(now, 5, 10);
    cells.board = pages(board_size());
    cells.changed = pages((BOARD_INSTRUMENTS + 1) * sizeof *cells.changed);
    cells.marks = pages(BOARD_INSTRUMENTS + 1);
    cells.depth = pages((BOARD_INSTRUMENTS + 1) * sizeof *cells.depth);
    cells_serve(&cells, &(struct cells_owner){.engine = engine});
    channel = pages(channel_size());
    channel_init(channel);
}

static struct script *make_script(struct warden *warden)
{
    struct script *script = calloc(1, sizeof *script);
    CHECK(script);
    script->warden = warden;
    script->started = script->may_trade = true;
    script->strategy = 1;
    memcpy(script->name, "s", 2);
    memcpy(script->prefix, "s-", 3);
    script->budget = (struct script_budget){.orders_per_s = 50,
                                            .cancels_per_s = 50,
                                            .floods = 20,
                                            .log_lines_per_s = 50,
                                            .alerts_per_s = 10,
                                            .messages_per_s = 10};
    script->world = (struct script_world){.engine = engine,
                                          .now = world_now,
                                          .submit = world_submit,
                                          .change = world_change,
                                          .subscribe = world_subscribe,
                                          .log = world_log,
                                          .alert = world_alert,
                                          .publish = world_publish,
                                          .state = world_state};
    return script;
}

static struct warden *open_warden(void)
{
    struct warden *warden = calloc(1, sizeof *warden);
    CHECK(warden);
    warden->script = warden->shell.script = make_script(warden);
    warden->cells = &cells;
    warden->channel = channel;
    warden->events = channel_events(channel);
    warden->picture = channel_picture(channel);
    warden->commands = channel_commands(channel);
    warden->event_side = ring_side_of(sizeof(struct event_record), EVENT_ROOM);
    warden->picture_side = ring_side_of(sizeof(struct picture_record), PICTURE_ROOM);
    warden->command_side = ring_side_of(sizeof(struct command_record), COMMAND_ROOM);
    warden->pidfd = warden->bell = -1;
    warden->epoch = 7;
    warden->mode = MODE_RUNNING;
    return warden;
}

static void close_warden(struct warden *warden)
{
    free(warden->shell.wishes);
    free(warden->shell.bars);
    free(warden->shell.topics);
    free(warden->orders);
    free(warden->held);
    free(warden->said);
    free(warden->script);
    free(warden);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!engine)
        open_once();
    struct warden *warden = open_warden();
    struct script *script = warden->script;
    while (len >= 3 && !warden->over) {
        struct command_record command = {.epoch = warden->epoch, .number = warden->done + 1};
        command.kind = data[0];
        command.len = (uint32_t)data[1] | (uint32_t)data[2] << 8;
        data += 3;
        len -= 3;
        size_t some = command.len < COMMAND_BODY ? command.len : COMMAND_BODY;
        some = some < len ? some : len;
        memcpy(command.body, data, some);
        data += some;
        len -= some;
        memcpy(channel_text(channel), command.body, sizeof command.body);
        now += 1000000;
        warden->sent = warden->done + 1;
        warden->kinds[warden->sent % EVENT_ROOM] = command.kind % 2 ? TELL_SAVE : TELL_TIMER;
        script->busy = true;
        warden_command(warden, &command);
        script->busy = false;
        check_line(script->reason, REASON_ROOM);
    }
    close_warden(warden);
    return 0;
}
