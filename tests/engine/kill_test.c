/* kill_test.c - the kill switch and its proof: what is missing has a name, and PROVEN is never said
 * while the venue works an order of ours. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine/support_story.h"

#define TOLD(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(kill, is_proven_by_the_venues_own_words)
{
    story("nothing was ever sent: there is nothing to prove",
          TOLD("check | kill=OFF open=0", "kill  | kill=PROVEN open=0 killed=1 asked=0/0/0",
               "kill  | kill=PROVEN", "release | kill=OFF killed=0"));
    story("every order ended, and a list that shows none",
          TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "submit b buy 1 @ 99 |", "ack b v2 |",
               "kill                   | kill=PULLED open=3 open.a=NO_ANSWER open.b=NO_ANSWER "
               "open.account=NOT_LISTED_YET asked=0/0/1 sent=2/2/0",
               "canceled a             | kill=PULLED open=2 open.a=nothing",
               "begin                  |", "listed a v1 CANCELED cum=0 |",
               "listed b v2 OPEN cum=0 | b=PENDING_CANCEL sent=2/2/0",
               "end                    | kill=PULLED open=2 open.account=LISTED",
               "canceled b             | kill=PULLED open=1 open.account=LISTED asked=0/0/1",
               "wait 49                | asked=0/0/1", "wait 1 | asked=0/0/2 open=1",
               "begin                  |", "listed a v1 CANCELED cum=0 |",
               "listed b v2 CANCELED cum=0 | kill=PULLED", "end | kill=PROVEN open=0",
               "release                |", "submit c buy 1 @ 100 | deny="));
    story("a list that was asked for before the switch proves nothing",
          TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "down |", "up | asked=0/0/1",
               "begin                  |", "kill | asked=0/0/1 sent=1/1/0", "canceled a |",
               "end                    | kill=PULLED open.account=NOT_LISTED_YET asked=0/0/2",
               "begin                  |", "end | kill=PROVEN"));
    story("released before it is proven, it must be reconciled first",
          TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "kill |", "release |",
               "submit b buy 1 @ 100   | deny=RECONCILING", "begin |",
               "listed a v1 OPEN cum=0 | a=PENDING_CANCEL", "end |",
               "submit c buy 1 @ 100   | deny= kill=OFF open=0"));
}

Test(kill, names_what_is_in_the_way)
{
    story(
        "down, and back",
        TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "down |",
             "kill                   | sent=1/1/0 open=2 open.a=VENUE_DOWN open.account=VENUE_DOWN",
             "silent a cancel        | open.a=VENUE_DOWN",
             "up                     | open.a=SILENT open.account=NOT_LISTED_YET",
             "begin                  |", "listed a v1 OPEN cum=0 | sent=1/2/0 open.a=NO_ANSWER",
             "end                    | open.account=LISTED", "canceled a |", "wait 50 |",
             "begin                  |", "end | kill=PROVEN"));
    story("refused, asked, shown, canceled again",
          TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "kill | sent=1/1/0",
               "refused a TOO_BUSY     | open.a=REFUSED sent=1/1/0 asked=1/0/1",
               "wait 50                | asked=2/0/1 sent=1/1/0",
               "status a OPEN          | open.a=NO_ANSWER sent=1/2/0", "canceled a |", "begin |",
               "end                    | kill=PROVEN"));
    story("refused for pace: asked when the wait is over",
          TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "kill |",
               "limited a 3000         | open.a=BACKOFF asked=0/0/1", "wait 2999 | asked=0/0/1",
               "wait 1                 | asked=1/0/1 open.a=REFUSED",
               "status a OPEN          | sent=1/2/0", "canceled a |", "begin |",
               "end                    | kill=PROVEN"));
    story("in doubt, and found to be gone",
          TOLD("submit a buy 1 @ 100   |", "restart |", "begin | a=UNKNOWN", "end |",
               "kill                   | sent=1/1/0 open.a=NO_ANSWER",
               "refused a UNKNOWN_ORDER | a=UNKNOWN open.a=REFUSED", "begin |", "end |",
               "check                  | kill=PULLED open=1", "wait 10000 |", "unknown a |",
               "unknown a              | kill=PULLED", "unknown a | a=REJECTED kill=PROVEN"));
    story("filled, but a larger replace is on its way",
          TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "replace a b qty=2 |",
               "fill a x1 1 @ 100      | a=FILLED:1",
               "kill                   | sent=1/0/1 open=2 open.a=REPLACE_OPEN", "begin |", "end |",
               "check                  | kill=PULLED open=1",
               "replaced a v1          | b=PENDING_CANCEL:1 open.b=NO_ANSWER sent=1/1/1",
               "canceled b             | kill=PROVEN"));
    story("what comes alive, a restart, and a new session make it unproven",
          TOLD("submit a buy 2 @ 100   |", "wait 20000 |", "down |", "up |", "begin |",
               "end                    | a=REJECTED", "kill |", "begin |", "end | kill=PROVEN",
               "fill a x1 1 @ 100      | kill=PULLED open=1 a=PENDING_CANCEL:1 open.a=NO_ANSWER",
               "canceled a             | kill=PROVEN", "down | kill=PROVEN",
               "up                     | kill=PULLED open.account=NOT_LISTED_YET", "begin |",
               "end                    | kill=PROVEN", "restart | kill=PULLED open=1", "begin |",
               "listed - w1 OPEN cum=0 side=sell qty=1 px=200 on=X | ext:w1=PENDING_CANCEL",
               "end                    | open.ext:w1=NO_ANSWER open.account=LISTED",
               "canceled - vid=w1 on=X  | open=1", "wait 50 |", "begin |", "end | kill=PROVEN"));
    story("live, the venue's silence is noticed here, and its lies are canceled again",
          TOLD("submit a buy 1 @ 100   |", "ack a v1 |", "up |", "begin |",
               "listed a v1 OPEN cum=0 |", "end |", "policy strict 1 |",
               "policy kill_answer_ns 200000000 |", "kill | sent=1/1/0 open.a=NO_ANSWER",
               "wait 199               | open.a=NO_ANSWER asked=0/0/2",
               "wait 1                 | open.a=SILENT asked=1/0/2 sent=1/1/0 alert=UNKNOWN_ORDER",
               "status a OPEN          | open.a=NO_ANSWER sent=1/2/0",
               "canceled a             | open=1", "begin |",
               "listed a v1 OPEN cum=0 | a=CANCELED sent=1/3/0 alert=ANOMALY",
               "end                    | kill=PULLED open=1 open.account=LISTED", "wait 50 |",
               "begin                  |", "end | kill=PROVEN"));
}

/* --- the drill --------------------------------------------------------------------------------
 *
 * A venue that ignores, delays, refuses, limits and lies, each a few times, and a stream that falls
 * down. Whatever it does: a cancel goes out again only when the venue has shown the order to work
 * since the last one; while it works an order, something is named; PROVEN is said when and only when
 * nothing works; and it is said in the end. */

enum { ORDERS = 5, LATER = 64, MS = 1000000 };
enum mood { ANSWERS, IGNORES, DELAYS, REFUSES, LIMITS, LIES, FORGETS, MOODS };

struct there {
    char wire[WEIR_ID_MAX], vid[WEIR_ID_MAX];
    bool works, shown; /* shown: told to work since the last cancel */
    enum mood mood;
    int bad; /* so many times */
};

struct said { /* on its way */
    weir_ns t;
    union {
        struct weir_msg head;
        struct weir_report report;
        struct weir_rate_limited limited;
        struct weir_session session;
    } msg;
};

struct drill {
    struct desk desk;
    struct there orders[ORDERS];
    struct said later[LATER];
    int waiting;
    size_t read; /* of the effects */
    uint64_t random;
    bool up;
    int deaf; /* ignores so many lists and questions */
    char name[60];
};

static uint32_t below(struct drill *drill, uint32_t most)
{
    drill->random = drill->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((drill->random >> 33) % most);
}

static void say(struct drill *drill, weir_ns after, const void *msg, size_t size)
{
    if (drill->waiting == LATER)
        return;
    struct said *said = &drill->later[drill->waiting++];
    memcpy(&said->msg, msg, size);
    said->t = drill->desk.now + after;
}

static struct there *there(struct drill *drill, const char *wire)
{
    for (int i = 0; i < ORDERS; i++)
        if (strcmp(drill->orders[i].wire, wire) == 0)
            return &drill->orders[i];
    return NULL;
}

static struct weir_report report(const struct there *order, uint16_t kind)
{
    struct weir_report in = {.msg = {.size = sizeof in, .kind = kind, .venue = 1, .account = 1},
                             .has_cum = 1};
    memcpy(in.client_id, order->wire, sizeof in.client_id);
    memcpy(in.venue_id, order->vid, sizeof in.venue_id);
    in.state = order->works ? WEIR_STATE_OPEN : WEIR_STATE_CANCELED;
    in.msg.instrument = ON_X;
    return in;
}

static void hears_cancel(struct drill *drill, struct there *order)
{
    struct weir_report in = report(order, WEIR_CANCELED);
    struct weir_rate_limited limited = {.msg = {.size = sizeof limited,
                                                .kind = WEIR_RATE_LIMITED,
                                                .flags = 1 + WEIR_REQUEST_CANCEL,
                                                .venue = 1,
                                                .account = 1},
                                        .retry_after = 300 * MS};
    bool bad = order->bad > 0;
    weir_ns after = 1 * MS + (weir_ns)below(drill, 5) * MS;
    cr_assert(order->shown, "%s: a cancel of %s was sent again on silence", drill->name,
              order->wire);
    order->shown = false;
    if (!drill->up)
        return;
    order->bad -= bad;
    switch (bad ? order->mood : ANSWERS) {
    case IGNORES: return;
    case DELAYS:
        after += 700 * MS;
        order->works = false;
        break;
    case REFUSES:
        in.msg.kind = WEIR_CANCEL_REJECT;
        strcpy(in.reason, "TOO_BUSY");
        break;
    case FORGETS:
        in.msg.kind = WEIR_CANCEL_REJECT;
        strcpy(in.reason, "UNKNOWN_ORDER");
        break;
    case LIMITS:
        memcpy(limited.client_id, order->wire, sizeof limited.client_id);
        say(drill, after, &limited, sizeof limited);
        return;
    case LIES: break; /* "canceled" */
    default: order->works = false; break;
    }
    say(drill, after, &in, sizeof in);
}

static void is_asked(struct drill *drill, struct there *order)
{
    struct weir_report in = report(order, WEIR_STATUS);
    if (!drill->up || drill->deaf-- > 0)
        return;
    say(drill, (1 + (weir_ns)below(drill, 30)) * MS, &in, sizeof in);
}

static void lists(struct drill *drill)
{
    struct weir_msg begin = {
        .size = sizeof begin, .kind = WEIR_RECON_BEGIN, .venue = 1, .account = 1};
    weir_ns after = (1 + (weir_ns)below(drill, 50)) * MS;
    if (!drill->up || drill->deaf-- > 0 || drill->waiting + ORDERS + 2 > LATER)
        return;
    say(drill, after, &begin, sizeof begin);
    for (int i = 0; i < ORDERS; i++) {
        struct weir_report in = report(&drill->orders[i], WEIR_RECON_ORDER);
        say(drill, after, &in, sizeof in);
    }
    begin.kind = WEIR_RECON_END;
    say(drill, after, &begin, sizeof begin);
}

static void hear(struct drill *drill)
{
    for (; drill->read < drill->desk.effects_len;) {
        struct weir_intent intent;
        struct weir_msg head;
        memcpy(&head, drill->desk.effects + drill->read, sizeof head);
        memcpy(&intent, drill->desk.effects + drill->read,
               head.size < sizeof intent ? head.size : sizeof intent);
        drill->read += head.size;
        struct there *order = head.kind == WEIR_CANCEL || head.kind == WEIR_QUERY_ORDER
                                  ? there(drill, intent.client_id)
                                  : NULL;
        if (head.kind == WEIR_CANCEL)
            hears_cancel(drill, order);
        else if (head.kind == WEIR_QUERY_ORDER)
            is_asked(drill, order);
        else if (head.kind == WEIR_RECONCILE)
            lists(drill);
    }
}

static bool works(const struct drill *drill)
{
    for (int i = 0; i < ORDERS; i++)
        if (drill->orders[i].works)
            return true;
    return false;
}

static void judge(struct drill *drill)
{
    struct kill_item item;
    bool named = engine_kill_open(drill->desk.engine, 0, &item);
    bool proven = engine_kill_stage(drill->desk.engine) == KILL_PROVEN;
    cr_assert_eq(named, !proven, "%s: %s", drill->name,
                 named ? "proven, and something is open" : "not proven, and nothing is named");
    cr_assert(!proven || !works(drill), "%s: PROVEN while an order works", drill->name);
    cr_assert_str_eq(engine_audit(drill->desk.engine), "");
}

static void apply(struct drill *drill, void *input)
{
    desk_apply(&drill->desk, input);
    hear(drill);
    judge(drill);
}

static struct said *first_said(struct drill *drill)
{
    struct said *first = NULL;
    for (int i = 0; i < drill->waiting; i++)
        if (!first || drill->later[i].t < first->t)
            first = &drill->later[i];
    return first;
}

/* What is next: something said, or a timer. False: nothing at all. */
static bool go_on(struct drill *drill)
{
    struct said *first = first_said(drill);
    weir_ns timer = engine_next_timer(drill->desk.engine);
    if (!first && timer == INT64_MAX)
        return false;
    if (first && first->t <= timer) {
        struct said said = *first;
        size_t at = (size_t)(first - drill->later);
        memmove(first, first + 1, ((size_t)drill->waiting - at - 1) * sizeof *first);
        drill->waiting--;
        drill->desk.now = said.t > drill->desk.now ? said.t : drill->desk.now;
        bool word = said.msg.head.kind == WEIR_STATUS || said.msg.head.kind == WEIR_RECON_ORDER;
        if (word && said.msg.report.state == WEIR_STATE_OPEN)
            there(drill, said.msg.report.client_id)->shown = true;
        if (said.msg.head.kind == WEIR_SESSION)
            drill->up = said.msg.head.flags == WEIR_STREAM_UP;
        apply(drill, &said.msg);
        return true;
    }
    struct weir_msg tick = {.size = sizeof tick, .kind = IN_TICK};
    drill->desk.now = timer;
    apply(drill, &tick);
    return true;
}

static void drill_open(struct drill *drill, uint64_t seed)
{
    struct engine_sizes sizes = desk_sizes();
    memset(drill, 0, sizeof *drill);
    drill->random = seed * 2654435761u + 1;
    desk_open(&drill->desk, &sizes);
    drill->desk.keep_effects = true;
    desk_tell(&drill->desk, drill->name,
              TOLD("up |", "begin |", "end |", "policy query_most_ns 400000000 |",
                   "policy query_rest_ns 1000000000 |", "policy kill_answer_ns 200000000 |"));
    for (int i = 0; i < ORDERS; i++) {
        struct there *order = &drill->orders[i];
        char line[100], cid[10];
        snprintf(cid, sizeof cid, "o%d", i);
        snprintf(line, sizeof line, "submit %s buy 1 @ 9%d |", cid, i);
        desk_tell(&drill->desk, drill->name, TOLD(line));
        snprintf(order->wire, sizeof order->wire, "%s", desk_wire(&drill->desk, cid));
        snprintf(order->vid, sizeof order->vid, "v%d", i);
        snprintf(line, sizeof line, below(drill, 3) ? "ack %s %s |" : "check |", cid, order->vid);
        desk_tell(&drill->desk, drill->name, TOLD(line));
        order->works = order->shown = true;
        order->mood = (enum mood)below(drill, MOODS);
        order->bad = 1 + (int)below(drill, 3);
    }
    desk_tell(&drill->desk, drill->name, TOLD("policy strict 1 |"));
    drill->read = drill->desk.effects_len;
    drill->up = true;
    drill->deaf = (int)below(drill, 4);
}

Test(kill, is_drilled_against_a_venue_that_ignores_delays_refuses_and_lies)
{
    static struct drill drill;
    int longest = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        snprintf(drill.name, sizeof drill.name, "drill %d", (int)seed);
        drill_open(&drill, seed);
        snprintf(drill.name, sizeof drill.name, "drill %d", (int)seed);
        if (below(&drill, 3) == 0) { /* the stream falls down around the kill, or is down */
            struct weir_session session = {.msg = {.size = sizeof session,
                                                   .kind = WEIR_SESSION,
                                                   .flags = WEIR_STREAM_DOWN,
                                                   .venue = 1,
                                                   .account = 1}};
            say(&drill, (weir_ns)below(&drill, 2) * 3 * MS, &session, sizeof session);
            session.msg.flags = WEIR_STREAM_UP;
            say(&drill, 500 * MS, &session, sizeof session);
            if (drill.later[0].t == drill.desk.now) {
                drill.up = false;
                drill.desk.now++;
                struct said down = drill.later[0];
                drill.later[0] = drill.later[1];
                drill.waiting = 1;
                desk_apply(&drill.desk, &down.msg);
            }
        }
        struct in_change pull = {.msg = {.size = sizeof pull, .kind = IN_KILL}, .reason = "drill"};
        apply(&drill, &pull);
        int steps = 0;
        while (engine_kill_stage(drill.desk.engine) != KILL_PROVEN && steps++ < 2000)
            cr_assert(go_on(&drill), "%s: it is not proven, and nothing will happen any more",
                      drill.name);
        cr_assert_eq(engine_kill_stage(drill.desk.engine), KILL_PROVEN,
                     "%s: not proven after %d steps", drill.name, steps);
        longest = steps > longest ? steps : longest;
        desk_close(&drill.desk);
    }
    cr_assert_gt(longest, 40, "the drill is too easy: %d steps", longest);
}

Test(kill, is_never_proven_where_the_venue_stays_silent)
{
    static struct drill drill;
    struct in_change pull = {.msg = {.size = sizeof pull, .kind = IN_KILL}};
    struct kill_item item;
    snprintf(drill.name, sizeof drill.name, "silent");
    drill_open(&drill, 7);
    drill.deaf = 1 << 30;
    for (int i = 0; i < ORDERS; i++) {
        drill.orders[i].mood = IGNORES;
        drill.orders[i].bad = 1 << 30;
    }
    apply(&drill, &pull);
    for (int i = 0; i < 500; i++)
        cr_assert(go_on(&drill), "it is given up");
    cr_assert_eq(engine_kill_stage(drill.desk.engine), KILL_PULLED);
    cr_assert_eq(engine_counts(drill.desk.engine)->sent_cancel, ORDERS,
                 "a cancel was repeated on silence");
    for (uint32_t i = 0; i < ORDERS; i++) {
        cr_assert(engine_kill_open(drill.desk.engine, i, &item));
        cr_assert_eq(item.obstacle, KILL_BY_SILENT, "%s", kill_obstacle_name(item.obstacle));
    }
    cr_assert(engine_kill_open(drill.desk.engine, ORDERS, &item) && item.order == 0 &&
              item.obstacle == KILL_BY_NOT_LISTED_YET);
    cr_assert(!engine_kill_open(drill.desk.engine, ORDERS + 1, &item));
    desk_close(&drill.desk);
}
