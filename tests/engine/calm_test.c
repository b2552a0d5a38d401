/* calm_test.c - a strategy is halted at the first price at which it has lost its max_loss, and not before,
 * though nobody looks at most prices. Beside the engine stands its definition: positions, prices, a sum. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/state.h"
#include "engine/support_story.h"

enum { OWNERS = 3, STEPS = 4000 };

static const struct {
    uint32_t number;
    const char *name;
    int least, most; /* prices in cents */
} markets[] = {{ON_X, "X", 5000, 20000}, {ON_Y, "Y", 100, 4000}, {ON_P, "P", 800, 1200}};
enum { MARKETS = sizeof markets / sizeof markets[0] };

struct walk {
    struct desk desk;
    uint64_t random;
    int px[MARKETS];
    int named;                /* orders so far */
    amount limit[OWNERS + 1]; /* 0: none */
    bool halted[OWNERS + 1];  /* as it should be */
    int halts, marks, passed_over;
    int group_limit;
};

static int pick(struct walk *walk, int below)
{
    walk->random = walk->random * 6364136223846793005u + 1442695040888963407u;
    return (int)((walk->random >> 33) % (uint64_t)below);
}

static void say(struct walk *walk, const char *format, ...)
{
    char line[160];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    const char *const lines[] = {line, NULL};
    desk_tell(&walk->desk, "walk", lines);
}

static amount pnl_of(const struct walk *walk, uint32_t owner)
{
    amount sum = 0;
    for (int m = 0; m < MARKETS; m++) {
        struct position_view view;
        if (engine_position(walk->desk.engine, markets[m].number, owner, &view))
            sum += view.realized + view.unrealized;
    }
    return sum;
}

static bool holds(const struct walk *walk, uint32_t owner, int market)
{
    struct position_view view;
    return engine_position(walk->desk.engine, markets[market].number, owner, &view) &&
           view.qty != 0;
}

/* What the contract says: at or below minus max_loss, at a price of what it holds or its own fill. */
static void expect_looked_at(struct walk *walk, uint32_t owner)
{
    if (walk->limit[owner] == 0 || walk->halted[owner] || pnl_of(walk, owner) > -walk->limit[owner])
        return;
    walk->halted[owner] = true;
    walk->halts++;
}

static void check(struct walk *walk, int step)
{
    for (uint32_t owner = 1; owner <= OWNERS; owner++) {
        amount value, used, lost = -pnl_of(walk, owner);
        const struct scope *scope = &walk->desk.engine->strategies[owner];
        bool halted = scope->state == TRADING_HALTED_STATE;
        cr_assert_eq(halted, walk->halted[owner], "step %d: s%u is %shalted", step, owner,
                     halted ? "" : "not ");
        (void)engine_limit(walk->desk.engine, SCOPE_strategy, owner, LIMIT_max_loss, &value, &used);
        cr_assert(used == (lost > 0 ? lost : 0), "step %d: s%u: what it has lost", step, owner);
    }
    const char *audit = engine_audit(walk->desk.engine);
    cr_assert(!audit[0], "step %d: %s", step, audit);
}

static void price(struct walk *walk)
{
    int m = pick(walk, MARKETS), width = pick(walk, 40) == 0 ? markets[m].most / 8 : 4;
    walk->px[m] += pick(walk, 2 * width + 1) - width;
    if (walk->px[m] < markets[m].least || walk->px[m] > markets[m].most)
        walk->px[m] = (markets[m].least + markets[m].most) / 2;
    const struct instrument *instrument = &walk->desk.engine->instruments[markets[m].number];
    weir_px from = instrument->calm_from, to = instrument->calm_to;
    say(walk, "mark %d.%02d on=%s |", walk->px[m] / 100, walk->px[m] % 100, markets[m].name);
    walk->marks++;
    walk->passed_over += 2 * walk->px[m] >= from && 2 * walk->px[m] <= to;
    for (uint32_t owner = 1; owner <= OWNERS; owner++)
        if (holds(walk, owner, m))
            expect_looked_at(walk, owner);
}

static void fill(struct walk *walk)
{
    int m = pick(walk, MARKETS), id = ++walk->named, px = walk->px[m] + pick(walk, 21) - 10;
    uint32_t owner = 1 + (uint32_t)pick(walk, OWNERS);
    if (walk->halted[owner])
        return;
    say(walk, "submit c%d %s %d @ %d.%02d on=%s by=s%u |", id, pick(walk, 2) ? "buy" : "sell",
        1 + pick(walk, 4), px / 100, px % 100, markets[m].name, owner);
    struct order_view view;
    char cid[16];
    snprintf(cid, sizeof cid, "c%d", id);
    if (walk->desk.denied[0] ||
        !engine_order(walk->desk.engine, engine_order_find(walk->desk.engine, cid), &view))
        return;
    say(walk, "fill c%d x%d %d @ %d.%02d |", id, id, (int)(view.order.qty / 1000), px / 100,
        px % 100);
    expect_looked_at(walk, owner);
}

static void limit(struct walk *walk)
{
    uint32_t owner = 1 + (uint32_t)pick(walk, OWNERS);
    int value = pick(walk, 5) == 0 ? 0 : 20 + pick(walk, 400);
    if (value)
        say(walk, "limit strategy:s%u max_loss %d |", owner, value);
    else
        say(walk, "limit strategy:s%u max_loss none |", owner);
    walk->limit[owner] = amount_from(value, 0);
}

static void resume(struct walk *walk)
{
    uint32_t owner = 1 + (uint32_t)pick(walk, OWNERS);
    say(walk, "state strategy:s%u ACTIVE |", owner);
    walk->halted[owner] = false;
}

static void walk_on(struct walk *walk)
{
    int what = pick(walk, 1000);
    if (what < 900)
        price(walk);
    else if (what < 960)
        fill(walk);
    else if (what < 975)
        limit(walk);
    else if (what < 995)
        resume(walk);
    else if (walk->group_limit++ % 2 == 0) /* one that is never reached: all is settled meanwhile */
        say(walk, "limit group:g1 max_loss 100000000 |");
    else
        say(walk, "limit group:g1 max_loss none |");
}

Test(calm, whoever_has_lost_its_max_loss_is_halted_at_that_price)
{
    int halts = 0, marks = 0, passed_over = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct walk walk = {.random = seed};
        struct engine_sizes sizes = desk_sizes();
        sizes.executions = 1024;
        desk_open(&walk.desk, &sizes);
        for (int m = 0; m < MARKETS; m++)
            walk.px[m] = (markets[m].least + markets[m].most) / 2;
        for (int m = 0; m < MARKETS; m++)
            say(&walk, "mark %d on=%s |", walk.px[m] / 100, markets[m].name);
        for (int step = 0; step < STEPS; step++) {
            walk_on(&walk);
            check(&walk, step);
        }
        halts += walk.halts, marks += walk.marks, passed_over += walk.passed_over;
        desk_close(&walk.desk);
    }
    cr_expect(halts > 30, "only %d halts: too few to show anything", halts);
    cr_expect(passed_over > marks / 3, "%d of %d prices were passed over", passed_over, marks);
}
