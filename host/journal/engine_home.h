/* engine_home.h - a new engine in memory of its own, for replays. [main thread, cold] */
#ifndef WEIR_JOURNAL_ENGINE_HOME_H
#define WEIR_JOURNAL_ENGINE_HOME_H

#include "base/why.h"
#include "engine/engine.h"

struct engine_home {
    void *memory;
    size_t bytes;
    struct engine *engine;
};

enum weir_err engine_home_init(struct engine_home *home, const struct engine_sizes *sizes,
                               struct why *why) WEIR_MUST_USE;
void engine_home_fini(struct engine_home *home);

/* The effects of one input, kept until they are compared. */
struct effects {
    unsigned char *bytes;
    size_t len, room, at; /* at: the next one to take */
    bool failed;          /* no memory */
    struct effect_sink sink;
};
void effects_init(struct effects *effects);
void effects_fini(struct effects *effects);
void effects_clear(struct effects *effects);
const struct weir_msg *effects_next(struct effects *effects); /* NULL: no more */

#endif
