/* support_story.h - stories told to a real engine, line by line, and what must hold after each.
 *
 *     "submit a buy 2 @ 100        | a=PENDING_NEW:0 sent=1/0/0",
 *     "fill a x1 0.5 @ 100         | a=PARTIAL:0.5 pos=0.5 USDT=9950",
 *
 * Left of the bar is what happens; right of it what is then true. A story ends at NULL. On a
 * difference the test fails with the line and what was found instead. The desk has one venue, one
 * account, spot X (X/USDT), spot Y (Y/USDT) and linear P (multiplier 10), prices with two places and
 * quantities with three, 10000 USDT, strategies s1 and s2 in group g1, s3 in none.
 *
 * LEFT    submit CID SIDE QTY @ PX|market [on=X] [by=s1] [to=internal|both] [reduce] [type=stop]
 *         [trigger=PX] [visible=QTY] [release=MS] [tif=GTD] [expires=MS] [oco=CID] [follow=CID]
 *         caps [types=stop,iceberg] [tifs=GTD] [plain] [fixed] · trade PX [on=] [off]
 *         cancel CID · cancelmany [by=] [on=] · replace CID NEW [qty=] [px=] [trigger=] · kill · release
 *         ack CID [VID] · reject CID REASON · fill CID EXEC QTY @ PX [vid=] [fee=USDT:1] [gain=0.5] [seq=]
 *         found-fill VID SIDE EXEC QTY @ PX [on=] [manual]        a fill that names only a venue id
 *         canceled CID [cum=] · refused CID REASON (a cancel) · expired CID REASON [cum=]
 *         replaced CID [VID] · replace-refused CID REASON · silent CID new|cancel|replace
 *         unknown CID · status CID STATE [cum=] [vid=] · limited CID MS [request=]
 *         bust EXEC [STATE] [on=] [cid= qty=] (of what was not told yet) · mark PX [on=] · top BID ASK [on=] [size=] · book STATE [on=]
 *         funding ASSET AMOUNT ID · transfer ASSET AMOUNT ID
 *         down · up · restart · begin · listed CID|- VID STATE cum= [side= qty= px= on=] · position ON QTY
 *         balance ASSET AMOUNT · end [positions] [balances] · adopt ON QTY @ PX [script] · wait MS · at MS
 *         limit SCOPE:ID NAME VALUE|none|unset · policy NAME VALUE · state SCOPE:ID STATE
 *         clock MS (the venue's less ours) · rules ON [tick=] [step=] [min=] [halted] · journal 0|1 · ids END
 * RIGHT   CID=LABEL[:CUM] · CID.MEMBER=VALUE (qty px leaves exposure reason vid cid awaits quote type waits obstacle best)
 *         CID/ is the slice of an iceberg that is out now, everywhere
 *         pos= Y.pos= s2.pos= real= unreal= avg= · ASSET= · fee.ASSET= · fund.ASSET=
 *         deny=CHECK (the last decision) · sent=NEW/CANCEL/REPLACE · asked=QUERY/FILLS/RECON
 *         alert=NAME / quiet=NAME (in this line) · dup= · live= · killed= · state.SCOPE:ID=
 *         kill=STAGE · open=COUNT · open.CID=OBSTACLE · open.account=OBSTACLE (what the kill lacks) */
#ifndef TESTS_ENGINE_SUPPORT_STORY_H
#define TESTS_ENGINE_SUPPORT_STORY_H

#include "engine/engine.h"

struct desk {
    struct engine *engine;
    struct engine_sizes sizes;
    void *memory;
    weir_ns now;
    uint64_t seq;
    uint64_t alerts_before[ALERT_COUNT];
    char denied[32];               /* reason of the last decision, "" if it was allowed */
    struct out_decision *decision; /* the last one, whole */
    unsigned char *effects;        /* all of them, one after the other */
    size_t effects_len, effects_room;
    bool keep_effects;
};

struct engine_sizes desk_sizes(void);
void desk_open(struct desk *desk, const struct engine_sizes *sizes);
void desk_close(struct desk *desk);
void desk_apply(struct desk *desk, void *input);
/* Its image, put elsewhere: the old memory is gone, and nobody may notice. Stories do it as they go. */
void desk_move(struct desk *desk);
const char *desk_cid(const struct desk *desk, const char *name); /* "a/": the slice of a */
const char *desk_wire(const struct desk *desk, const char *cid); /* cid itself if it is not known */
int64_t px_of(const char *text);
int64_t qty_of(const char *text);
enum { ON_X = 1, ON_Y = 2, ON_P = 3, ON_I = 4 };

/* Tell lines to the desk. name: of the story, for the message. */
void desk_tell(struct desk *desk, const char *name, const char *const *lines);
/* A story on a new desk, checked against engine_audit() after each line. */
void story(const char *name, const char *const *lines);

/* Everything that the engine keeps as a sum, computed again from what it is a sum of. "" if equal. */
const char *engine_audit(struct engine *engine);

#endif
