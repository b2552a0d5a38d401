/* commands.c - what a process cell says, checked as bytes of a stranger and done.
 *
 * A command is a copy, which nobody else can change any more. What an honest cell cannot say ends it:
 * another epoch, an event that is not open, a kind or a length that does not exist, a name that is
 * not its own. What an honest cell may get wrong is refused in words. Everything that leads anywhere
 * has a pace here, whatever the cell itself thinks of pace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/warden.h"

enum { WISHES_PER_S = 64, COMMANDS_MOST = 100000, LOOK_NS = 20000 };

/* Its fields, taken out of the bytes; the rest stays zero. */
#define BODY(type, name) \
    type name;           \
    memcpy(&name, command->body, sizeof name)

static void broke(struct warden *warden, const char *what)
{
    warden_condemn(warden, "%s: broke the rules between host and cell: %s", warden->script->name,
                   what);
}

const char *warden_doing(const struct warden *warden)
{
    uint64_t number = warden->done + 1;
    if (number == 1)
        return "the chunk's top level";
    switch (warden->kinds[number % EVENT_ROOM]) {
    case TELL_TIMER: return "a timer";
    case TELL_START:
    case TELL_SHADOW: return "a `start` handler";
    case TELL_TAKE_OVER: return "a `reload` handler";
    case TELL_STOP: return "a `stop` handler";
    case TELL_SAVE: return "the host's own work";
    case TELL_PUBLISHED: return "a `message` handler";
    case WEIR_TOP:
    case IN_BOOK_STATE: return "a `book` handler";
    case WEIR_TRADE: return "a `trade` or `bar` handler";
    case WEIR_MARK:
    case WEIR_INDEX:
    case WEIR_FUNDING_RATE: return "a `mark` handler";
    case OUT_ORDER: return "an `order` handler";
    case OUT_EXECUTION: return "a `fill` or `position` handler";
    case OUT_ALERT: return "an `alert` handler";
    case OUT_STATE: return "a `venue` handler";
    default: return "a handler";
    }
}

/* --- answers -----------------------------------------------------------------------------------*/

static void answer_with(struct warden *warden, const struct script_answer *answer)
{
    struct channel *channel = warden->channel;
    const struct script *script = warden->script;
    warden->waits += LOOK_NS;
    warden_send_picture(warden);
    channel->answer.number = ++warden->answered;
    channel->answer.now = script->world.now(script->world.context);
    channel->answer.answer = *answer;
    atomic_store_explicit(&channel->answered, warden->answered, memory_order_release);
    warden_bell(warden);
}

static void name_scope(const struct warden *warden, struct script_answer *answer)
{
    struct script_refusal *refusal = &answer->refusal;
    if (!answer->accepted && refusal->has_reading)
        snprintf(refusal->scope_name, sizeof refusal->scope_name, "%s",
                 engine_name(warden->cells->owner.engine, (enum risk_scope)refusal->reading.scope,
                             refusal->reading.id));
}

static void refuse(struct warden *warden, const char *code, const char *message)
{
    struct script_answer answer = {.accepted = false};
    script_answer_refuse(&answer, code, message);
    answer_with(warden, &answer);
}

static void refuse_for_pace(struct warden *warden, const char *what)
{
    char message[96];
    if (++warden->refused > warden->script->budget.floods) {
        warden_condemn(warden, "%s: went on asking after %u wishes were refused for pace in %s",
                       warden->script->name, warden->script->budget.floods, warden_doing(warden));
        return;
    }
    snprintf(message, sizeof message, "more %s a second than its host allows", what);
    refuse(warden, "THROTTLED", message);
}

/* True: it has been refused. */
static bool may_not(struct warden *warden)
{
    switch (warden->mode) {
    case MODE_LOADING:
        refuse(warden, "STATE", "orders may not be sent while the chunk loads");
        break;
    case MODE_SHADOW: refuse(warden, "STATE", "this version does not run yet"); break;
    case MODE_STOPPING: refuse(warden, "STATE", "the script is being stopped"); break;
    default:
        if (warden->script->may_trade)
            return false;
        refuse(warden, "RIGHTS", "this script has no order rights");
    }
    return true;
}

static bool paced(struct warden *warden, struct bucket *bucket, uint32_t rate)
{
    const struct script *script = warden->script;
    return bucket_take(bucket, script->world.now(script->world.context), rate);
}

/* --- names -------------------------------------------------------------------------------------*/

/* Zero-terminated, zeros to the end: the bytes go into the journal. */
static bool whole(const char *text, size_t room)
{
    size_t len = strnlen(text, room);
    for (size_t i = len; i < room; i++)
        if (text[i] != '\0')
            return false;
    return len < room;
}

static bool printable(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    return true;
}

/* A new name: `stem`, and a counter that is higher than all before. */
static bool takes_new_name(struct warden *warden, const char *name, const char *stem, size_t len)
{
    uint64_t number = 0, *last = &warden->script->next_id;
    if (strncmp(name, stem, len) != 0 || !name[len] || name[len] == '0')
        return false;
    for (const char *c = name + len; *c; c++) {
        bool digit = *c >= '0' && *c <= '9', letter = *c >= 'a' && *c <= 'z';
        if ((!digit && !letter) || number > UINT64_MAX / 64)
            return false;
        number = number * 36 + (uint64_t)(digit ? *c - '0' : *c - 'a' + 10);
    }
    if (number <= *last || number > *last + (1u << 24))
        return false;
    *last = number;
    return true;
}

/* --- wishes ------------------------------------------------------------------------------------*/

/* What the script library makes of any Lua table, and nothing else. Prices and sizes may be any: they
 * are for the engine's checks. */
static bool well_formed(const struct warden *warden, const struct in_submit *wish)
{
    const struct weir_instrument *is =
        engine_instrument(warden->cells->owner.engine, wish->msg.instrument);
    return is && wish->msg.venue == is->msg.venue && wish->msg.account == is->msg.account &&
           wish->side <= WEIR_SELL && wish->type <= WEIR_ICEBERG && wish->tif <= WEIR_DAY &&
           (wish->flags & ~(WEIR_POST_ONLY | WEIR_REDUCE_ONLY)) == 0 &&
           wish->route <= ROUTE_INTERNAL_THEN_VENUE && wish->expires >= 0 &&
           whole(wish->cid, sizeof wish->cid) && whole(wish->tag, sizeof wish->tag) &&
           printable(wish->tag);
}

static void take_submit(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    struct script_answer answer = {.accepted = false};
    BODY(struct in_submit, wish);
    if (!well_formed(warden, &wish) ||
        !takes_new_name(warden, wish.cid, script->prefix, strlen(script->prefix))) {
        broke(warden, "an order that the script library cannot make");
        return;
    }
    wish.msg = (struct weir_msg){.size = sizeof wish,
                                 .kind = IN_SUBMIT,
                                 .venue = wish.msg.venue,
                                 .account = wish.msg.account,
                                 .instrument = wish.msg.instrument};
    memset(wish.pad, 0, sizeof wish.pad);
    wish.strategy = script->strategy;
    wish.asker = ASKER_SCRIPT;
    if (may_not(warden)) {
        script->report.orders_denied++;
        return;
    }
    if (!paced(warden, &script->orders, script->budget.orders_per_s)) {
        script->report.orders_denied++;
        refuse_for_pace(warden, "orders");
        return;
    }
    script->world.submit(script->world.context, script, &wish, &answer);
    if (answer.accepted)
        script->report.orders_sent++;
    else
        script->report.orders_denied++;
    name_scope(warden, &answer);
    answer_with(warden, &answer);
}

/* Its own live order, or all of its own; 0: neither. */
static bool is_of_its_own(const struct warden *warden, const struct in_change *wish)
{
    const struct engine *engine = warden->cells->owner.engine;
    struct order_view view;
    if (wish->msg.kind == IN_CANCEL_MANY)
        return wish->order == 0 && (wish->msg.instrument == 0 ||
                                    engine_instrument(engine, wish->msg.instrument) != NULL);
    return engine_order(engine, wish->order, &view) &&
           view.order.strategy == warden->script->strategy &&
           memcmp(view.order.cid, wish->cid, sizeof wish->cid) == 0;
}

static bool change_well_formed(struct warden *warden, const struct in_change *wish)
{
    char stem[WEIR_ID_MAX + 1];
    if (!whole(wish->cid, sizeof wish->cid) || !whole(wish->new_cid, sizeof wish->new_cid) ||
        wish->change > (CHANGE_QTY | CHANGE_PX))
        return false;
    if (wish->msg.kind == IN_CANCEL || wish->msg.kind == IN_CANCEL_MANY)
        return wish->new_cid[0] == '\0';
    if (wish->msg.kind != IN_REPLACE)
        return false;
    size_t len = strcspn(wish->cid, ".");
    len = len < WEIR_ID_MAX - 9 ? len : WEIR_ID_MAX - 9; /* as make_cid() cuts it */
    memcpy(stem, wish->cid, len);
    stem[len] = '.';
    return takes_new_name(warden, wish->new_cid, stem, len + 1);
}

static void take_change(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    struct script_answer answer = {.accepted = true};
    BODY(struct in_change, wish);
    bool amends = wish.msg.kind == IN_REPLACE;
    if (!change_well_formed(warden, &wish)) {
        broke(warden, "a cancel or amend that the script library cannot make");
        return;
    }
    if (!is_of_its_own(warden,
                       &wish)) { /* it may have ended meanwhile, and its slot be another's */
        refuse(warden, "NOT_FOUND", "no order of this script is meant");
        return;
    }
    wish.msg = (struct weir_msg){.size = sizeof wish,
                                 .kind = wish.msg.kind,
                                 .venue = wish.msg.venue,
                                 .account = wish.msg.account,
                                 .instrument = wish.msg.instrument};
    memset(wish.pad, 0, sizeof wish.pad);
    memset(wish.reason, 0, sizeof wish.reason);
    wish.strategy = script->strategy;
    wish.asker = ASKER_SCRIPT;
    if (amends && may_not(warden))
        return;
    if (amends ? !paced(warden, &script->orders, script->budget.orders_per_s)
               : !paced(warden, &script->cancels, script->budget.cancels_per_s)) {
        refuse_for_pace(warden, amends ? "orders and amends" : "cancels");
        return;
    }
    script->world.change(script->world.context, script, &wish, &answer);
    if (answer.accepted && amends)
        script->report.amends_sent++;
    else if (answer.accepted)
        script->report.cancels_sent++;
    name_scope(warden, &answer);
    answer_with(warden, &answer);
}

/* --- words -------------------------------------------------------------------------------------*/

static void take_line(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    char line[LINE_MOST + 1];
    text_line((const char *)command->body, command->len, line, sizeof line);
    /* lines of the host's own library (what was dropped, an error that was forgiven) come on top */
    if (!paced(warden, &script->lines, 2 * script->budget.log_lines_per_s)) {
        script->lines_dropped++;
        return;
    }
    script->report.log_lines++;
    if (script->world.log)
        script->world.log(script->world.context, script, line);
}

static void take_remark(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    char line[LINE_MOST + 1];
    text_line((const char *)command->body, command->len, line, sizeof line);
    if (warden->remarks++ < REMARKS_MOST && script->world.remark)
        script->world.remark(script->world.context, script, line);
}

static void take_alert(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    const struct engine *engine = warden->cells->owner.engine;
    BODY(struct say_alert, said);
    char text[sizeof said.text];
    if (!whole(said.level, sizeof said.level) || !whole(said.venue, sizeof said.venue) ||
        !whole(said.symbol, sizeof said.symbol) ||
        (strcmp(said.level, "info") != 0 && strcmp(said.level, "warn") != 0 &&
         strcmp(said.level, "critical") != 0)) {
        broke(warden, "an alert that the script library cannot make");
        return;
    }
    if (!paced(warden, &script->alerts, script->budget.alerts_per_s) || !script->world.alert)
        return;
    text_line(said.text, strnlen(said.text, sizeof said.text), text, sizeof text);
    uint32_t venue = said.venue[0] ? engine_number(engine, SCOPE_venue, said.venue) : UINT32_MAX;
    struct script_alert alert = {
        .level = said.level, .text = text, .venue = venue == UINT32_MAX ? "" : said.venue};
    if (venue != UINT32_MAX)
        alert.instrument = engine_instrument_find(engine, (uint16_t)venue, said.symbol);
    char symbol[WEIR_SYMBOL_MAX];
    text_line(said.symbol, strlen(said.symbol), symbol, sizeof symbol);
    alert.symbol = symbol;
    script->world.alert(script->world.context, script, &alert);
}

/* A copy of what stands in the shared text, with a zero behind it. NULL: too long, or no memory. */
static char *copy_text(struct warden *warden, size_t len)
{
    if (!warden->said)
        warden->said = malloc(TEXT_ROOM + 1);
    if (!warden->said || len > TEXT_ROOM)
        return NULL;
    memcpy(warden->said, channel_text(warden->channel), len);
    warden->said[len] = '\0';
    warden->said_len = len;
    return warden->said;
}

/* Plain data and JSON as the script library writes them have no control characters. */
static bool is_line(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ')
            return false;
    return true;
}

static void take_publish(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    struct script_answer fine = {.accepted = true};
    BODY(struct say_publish, said);
    char text[PUBLISHED_MAX + 1];
    char *all = said.len <= PUBLISHED_MAX && said.json_len <= PUBLISHED_MAX
                    ? copy_text(warden, (size_t)said.len + said.json_len)
                    : NULL;
    if (!all || !whole(said.topic, sizeof said.topic) || !printable(said.topic) || !said.topic[0] ||
        !is_line(all, (size_t)said.len + said.json_len)) {
        broke(warden, "a table that the script library cannot publish");
        return;
    }
    memcpy(text, all, said.len);
    text[said.len] = '\0';
    if (paced(warden, &script->messages, script->budget.messages_per_s) && script->world.publish)
        script->world.publish(script->world.context, script,
                              &(struct script_message){said.topic, script->name,
                                                       script->world.now(script->world.context),
                                                       text, said.len, all + said.len,
                                                       said.json_len});
    answer_with(warden, &fine);
}

/* --- what it waits for -------------------------------------------------------------------------*/

static bool room_for_wishes(struct warden *warden)
{
    struct cell *shell = &warden->shell;
    if (!shell->wishes) {
        shell->wishes = calloc(WISHES_MAX, sizeof *shell->wishes);
        shell->bars = calloc(BARS_MAX, sizeof *shell->bars);
        shell->topics = calloc(TOPICS_MAX, sizeof *shell->topics);
    }
    if (shell->wishes && shell->bars && shell->topics)
        return true;
    warden_condemn(warden, "%s: no memory for its subscriptions", warden->script->name);
    return false;
}

/* In a process it is the process that complains of names that nobody has. */
static void take_wish(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    struct cell *shell = &warden->shell;
    BODY(struct wish, wish);
    memset(&wish.checked, 1, sizeof wish.checked); /* any byte but 0 and 1 is no bool */
    if (!whole(wish.venue, sizeof wish.venue) || !whole(wish.symbol, sizeof wish.symbol) ||
        wish.what == 0 || wish.what > (WANT_BOOK | WANT_TRADE | WANT_BAR | WANT_MARK) ||
        (unsigned)wish.kind > BAR_TICKS || (wish.what & WANT_BAR && wish.per <= 0) ||
        shell->wish_count == WISHES_MAX) {
        broke(warden, "a subscription that the script library cannot make");
        return;
    }
    if (!room_for_wishes(warden) || !paced(warden, &warden->wish_pace, WISHES_PER_S))
        return;
    wish.chunk[0] = '\0';
    shell->wishes[shell->wish_count++] = wish;
    if (script->world.subscribe)
        script->world.subscribe(script->world.context, script, wish.venue, wish.symbol);
}

static void take_topic(struct warden *warden, const struct command_record *command)
{
    struct cell *shell = &warden->shell;
    BODY(struct topic, topic);
    if (strnlen(topic.name, sizeof topic.name) == sizeof topic.name || !topic.name[0] ||
        strnlen(topic.from, sizeof topic.from) == sizeof topic.from ||
        shell->topic_count == TOPICS_MAX) {
        broke(warden, "a subscription that the script library cannot make");
        return;
    }
    if (room_for_wishes(warden))
        shell->topics[shell->topic_count++] = topic;
}

static void take_depth(struct warden *warden, const struct command_record *command)
{
    struct script_answer fine = {.accepted = true};
    BODY(struct say_depth, said);
    if (!engine_instrument(warden->cells->owner.engine, said.instrument) ||
        said.levels > BOARD_LEVELS) {
        broke(warden, "a question for a book that is not there");
        return;
    }
    if (paced(warden, &warden->wish_pace, WISHES_PER_S))
        cells_want_depth(warden->cells, said.instrument, said.levels);
    answer_with(warden, &fine);
}

/* --- how far it is -----------------------------------------------------------------------------*/

/* For reports alone. It refuses wishes that its host never sees; it cannot take away from ours. */
static void take_counts(struct warden *warden, const struct say_counts *counts)
{
    struct script_report *report = &warden->script->report;
    warden->counts = *counts;
    if (counts->orders_denied > report->orders_denied)
        report->orders_denied = counts->orders_denied;
}

static void take_end(struct warden *warden, const struct command_record *command)
{
    struct script *script = warden->script;
    BODY(struct say_ended, said);
    if (said.outcome != SCRIPT_REFUSED && said.outcome != SCRIPT_QUARANTINED) {
        broke(warden, "an end that is none");
        return;
    }
    text_line(said.reason, strnlen(said.reason, sizeof said.reason), script->reason,
              sizeof script->reason);
    said.detail[sizeof said.detail - 1] = '\0';
    char *lines = said.detail, *next = strchr(lines, '\n'); /* the source's line, and a hint */
    if (next)
        *next++ = '\0';
    char first[REASON_ROOM / 2], second[REASON_ROOM / 2] = "";
    text_line(lines, strlen(lines), first, sizeof first);
    if (next)
        text_line(next, strlen(next), second, sizeof second);
    snprintf(script->detail, sizeof script->detail, "%s%s%s", first, next ? "\n" : "", second);
    take_counts(warden, &said.counts);
    warden_over(warden, (enum script_outcome)said.outcome);
}

/* What it saved, or why it could not, to whoever asked. */
static void give_state(struct warden *warden, bool fine)
{
    struct script *script = warden->script;
    char line[LINE_MOST];
    if (fine && script->world.state) {
        script->world.state(script->world.context, script, warden->said, warden->said_len);
    } else if (!fine) {
        text_line(warden->said, warden->said_len, line, sizeof line);
        script_tell(script, line);
    }
}

static void take_done(struct warden *warden, const struct command_record *command)
{
    const struct script *script = warden->script;
    struct cell *shell = &warden->shell;
    BODY(struct say_done, said);
    weir_ns now = script->world.now(script->world.context), soonest = now + 1000;
    if (command->number != warden->done + 1) {
        broke(warden, "an event that is over before its turn");
        return;
    }
    bool saves = warden->kinds[command->number % EVENT_ROOM] == TELL_SAVE;
    if (saves && !copy_text(warden, said.len)) {
        broke(warden, "a state that is too long");
        return;
    }
    if (saves)
        give_state(warden, said.ok != 0);
    /* never at once again: time must go on */
    warden->next_timer = said.next_timer > soonest ? said.next_timer : soonest;
    warden->went_well = said.ok != 0;
    take_counts(warden, &said.counts);
    for (int i = 0; i < HAPPENINGS; i++)
        shell->on[i].count = said.listens >> i & 1;
    warden->done = command->number;
    warden->refused = 0;
    if (warden->done != warden->sent) {
        warden->budget = warden->script->budget.callback_ns;
        warden_watch_anew(warden);
    }
}

/* --- all of them -------------------------------------------------------------------------------*/

static const struct {
    uint32_t len; /* UINT32_MAX: any that fits a line */
    void (*take)(struct warden *warden, const struct command_record *command);
} kinds[] = {[SAY_SUBMIT] = {sizeof(struct in_submit), take_submit},
             [SAY_CHANGE] = {sizeof(struct in_change), take_change},
             [SAY_PUBLISH] = {sizeof(struct say_publish), take_publish},
             [SAY_DEPTH] = {sizeof(struct say_depth), take_depth},
             [SAY_LINE] = {UINT32_MAX, take_line},
             [SAY_ALERT] = {sizeof(struct say_alert), take_alert},
             [SAY_REMARK] = {UINT32_MAX, take_remark},
             [SAY_WISH] = {sizeof(struct wish), take_wish},
             [SAY_TOPIC] = {sizeof(struct topic), take_topic},
             [SAY_ENDED] = {sizeof(struct say_ended), take_end},
             [SAY_DONE] = {sizeof(struct say_done), take_done}};

void warden_command(struct warden *warden, struct command_record *command)
{
    uint32_t kind = command->kind, count = sizeof kinds / sizeof kinds[0];
    if (command->epoch != warden->epoch)
        broke(warden, "a command of another epoch");
    else if (command->number != warden->done + 1)
        broke(warden, "a command about an event that is not open");
    else if (kind == 0 || kind >= count)
        broke(warden, "a command of no known kind");
    else if (kinds[kind].len == UINT32_MAX ? command->len > LINE_MOST
                                           : command->len != kinds[kind].len)
        broke(warden, "a command of a wrong length");
    else if (++warden->taken > COMMANDS_MOST)
        broke(warden, "too many commands in one event");
    else
        kinds[kind].take(warden, command);
}
