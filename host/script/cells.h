/* cells.h - scripts in processes of their own: what an owner has once for all of them.
 *
 * cells_start() first of all, before keys, configuration, sockets and threads; then script_config
 * names it, and the functions of script.h do the rest. Toward such scripts
 *
 *   in lockstep (virtual time) each call returns when the script has answered, and answers are those
 *               it would give inline;
 *   live        no call but script_create, script_stop, script_reload and script_state_save waits
 *               for it. What it says is taken by script_turn().
 *
 * The owner shows every input that the engine took and every effect that it said to cells_see(): the
 * cells' picture of the market and of their orders is made from that.        [the owner's thread] */
#ifndef WEIR_SCRIPT_CELLS_H
#define WEIR_SCRIPT_CELLS_H

#include "script/script.h"

struct cells;

/* E_UNSUPPORTED: there can be none here, and why names what the kernel lacks. */
enum weir_err cells_start(struct cells **cells_out, struct why *why) WEIR_MUST_USE;
void cells_stop(struct cells *cells); /* after the last script; accepts NULL */

/* Whose state they see, before the first script. book: as script_world's, may be NULL. */
struct cells_owner {
    void *context;
    const struct engine *engine;
    const struct book *(*book)(void *context, uint32_t instrument, enum book_state *state_out);
    bool (*is_paper)(void *context, uint32_t instrument); /* as script_world's */
    bool lockstep;
};
void cells_serve(struct cells *cells, const struct cells_owner *owner);

/* An input, after engine_apply(), or an effect, from the sink: asks nothing of the engine. */
void cells_see(struct cells *cells, const struct weir_msg *msg);
void cells_see_book(struct cells *cells, uint32_t instrument); /* its levels changed */

/* Sleeping: say so, look once more whether one of them has spoken (script_pending, script_turn), poll
 * cells_fd() for reading beside your own, and say that you are awake. Then all of them get a turn. */
int cells_fd(const struct cells *cells);
/* Let `fd` (of the owner's) end the sleep, too. */
enum weir_err cells_also(struct cells *cells, int fd, struct why *why) WEIR_MUST_USE;
void cells_sleep(struct cells *cells, bool asleep);

size_t cells_alive(const struct cells *cells); /* processes */

#endif
