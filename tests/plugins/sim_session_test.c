/* sim_session_test.c - the simulated exchange behind a real session and its book machine: messages
 * that get lost are noticed, and a new snapshot brings the book back. */
#include <criterion/criterion.h>
#include <string.h>

#include "venue/venue.h"

#define SECOND ((weir_ns)1000000000)
#define START  ((weir_ns)1700000000 * SECOND)

struct owner {
    uint64_t kinds[WEIR_HOST_KINDS + 100];
    uint32_t instruments;
    uint64_t said;
    uint64_t broken; /* times a book stopped being in step */
};

static void on_event(void *context, struct session *session, const struct weir_msg *event)
{
    struct owner *owner = context;
    (void)session;
    owner->kinds[event->kind]++;
    if (event->kind == IN_BOOK_STATE)
        owner->broken += ((const struct in_state *)event)->value == BOOK_GAPPED;
}

static uint32_t on_instrument(void *context, struct session *session,
                              const struct weir_instrument *instrument)
{
    struct owner *owner = context;
    (void)session, (void)instrument;
    return ++owner->instruments;
}

static void on_log(void *context, struct session *session, const char *text)
{
    struct owner *owner = context;
    (void)session;
    owner->said++;
    cr_expect_not_null(strstr(text, "a gap after"), "the session says: %s", text);
}

static void run(struct session *session, weir_ns from, weir_ns until)
{
    weir_ns t = from;
    while (session_next_timer(session) <= until) {
        t = session_next_timer(session) > t ? session_next_timer(session) : t;
        session_timer(session, t);
    }
}

static void play(const char *gap_ppm, struct owner *owner)
{
    struct why why;
    struct plugin *plugin;
    struct weir_setting settings[] = {{"seed", "5"}, {"gap_ppm", gap_ppm}, {NULL, NULL}};
    struct session_config config = {.name = "sim", .venue = 1, .account = 1, .settings = settings};
    struct session_owner calls = {
        .context = owner, .event = on_event, .instrument = on_instrument, .log = on_log};
    cr_assert_eq(plugin_load(BUILD_DIR "/plugins/sim.so", &plugin, &why), WEIR_OK, "%s", why.text);
    struct session *session = session_create(plugin, &config, &calls, &why);
    cr_assert_not_null(session, "%s", why.text);
    cr_assert_eq(session_start(session, START), WEIR_OK);

    struct weir_intent order = {.msg = {.size = sizeof order, .kind = WEIR_NEW, .instrument = 1},
                                .client_id = "o1",
                                .px = 5100000,
                                .qty = 100};
    cr_assert_eq(session_intent(session, START, &order), WEIR_OK);
    run(session, START, START + 60 * SECOND);

    uint64_t applied = 0;
    for (uint32_t i = 1; i <= owner->instruments; i++) {
        struct feed_counts counts;
        cr_assert(session_feed_counts(session, i, &counts));
        cr_expect(session_book_state(session, i) == BOOK_LIVE || *gap_ppm != '0', "instrument %u",
                  i);
        cr_expect_eq(counts.crossed + counts.locked, 0);
        applied += counts.applied;
    }
    cr_expect_gt(applied, 3000);
    cr_expect_eq(owner->instruments, 3);
    cr_expect_eq(owner->kinds[WEIR_ACK], 1);
    cr_expect_geq(owner->kinds[WEIR_FILL], 1);
    cr_expect_gt(owner->kinds[WEIR_TOP], 100);
    session_destroy(session);
}

Test(sim_session, a_host_stays_in_step_and_gets_back_into_it)
{
    struct owner owner = {.instruments = 0};
    play("0", &owner);
    cr_expect_eq(owner.broken + owner.said, 0);

    owner = (struct owner){.instruments = 0};
    play("5000", &owner);
    cr_expect_gt(owner.broken, 5, "%lu gaps were noticed", owner.broken);
    cr_expect_geq(owner.kinds[IN_BOOK_STATE], 2 * owner.broken, "each was mended");
}
