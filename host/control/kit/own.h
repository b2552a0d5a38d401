/* own.h - what the files of the checks share: a check in its child, and its verdict. */
#ifndef WEIR_CONTROL_KIT_OWN_H
#define WEIR_CONTROL_KIT_OWN_H

#include "control/kit/jail.h"
#include "control/kit/kit.h"
#include "control/kit/stage.h"

/* What a check has: the plugin is loaded in the child. */
struct trying {
    const struct kit *kit;
    struct kit_lines lines;
    struct plugin *plugin;
    const struct weir_caps *caps;
    struct kit_stage stage, other;
    struct kit_finding finding;
};

/* A check answers what these answer; what was said last is its verdict. */
bool fail(struct trying *it, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool pass(struct trying *it, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool skip(struct trying *it, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A fresh session that saw what was recorded. */
bool open_stage(struct trying *it, struct kit_stage *stage);
/* Nothing was told that event.h does not allow, and the host was not called as it may not be. */
bool no_bad_events(struct trying *it, const struct kit_stage *stage);

/* --- check_order.c --- */
enum outcome { SENT, REFUSED, BROKEN };
struct weir_intent order_of(const struct trying *it, const struct kit_stage *stage);
/* What became of one intent. BROKEN: said. */
enum outcome try_order(struct trying *it, struct kit_stage *stage, const struct weir_intent *order,
                       const char *what);

/* --- check_bytes.c --- */
uint64_t dice(uint64_t *state); /* splitmix64 */
/* The n-th frame that no venue sends, in room of KIT_FRAME_MAX bytes. */
struct weir_bytes noise(unsigned n, char *room);

/* The checks, by the names of the table in kit.c. */
bool check_load(struct trying *it);
bool check_imports(struct trying *it);
bool check_begin(struct trying *it);
bool check_recovery(struct trying *it);
bool check_order(struct trying *it);
bool check_side(struct trying *it);
bool check_type(struct trying *it);
bool check_price(struct trying *it);
bool check_trigger(struct trying *it);
bool check_qty(struct trying *it);
bool check_symbol(struct trying *it);
bool check_tif(struct trying *it);
bool check_gtd(struct trying *it);
bool check_post_only(struct trying *it);
bool check_reduce_only(struct trying *it);
bool check_quote_qty(struct trying *it);
bool check_client_id(struct trying *it);
bool check_cancel(struct trying *it);
bool check_replace(struct trying *it);
bool check_cancel_all(struct trying *it);
bool check_query(struct trying *it);
bool check_fills_since(struct trying *it);
bool check_open_orders(struct trying *it);
bool check_silence(struct trying *it);
bool check_data(struct trying *it);
bool check_answers(struct trying *it);
bool check_strangers(struct trying *it);
bool check_reconnect(struct trying *it);
bool check_inside(struct trying *it);
bool check_pure(struct trying *it);
bool check_hostile(struct trying *it);
bool check_cut(struct trying *it);
bool check_bent(struct trying *it);
bool check_leaks(struct trying *it);
bool check_time(struct trying *it);

#endif
