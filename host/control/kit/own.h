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
bool kit_fail(struct trying *it, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool kit_pass(struct trying *it, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool kit_skip(struct trying *it, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A fresh session that saw what was recorded. */
bool kit_open(struct trying *it, struct kit_stage *stage);
/* Nothing was told that event.h does not allow, and the host was not called as it may not be. */
bool kit_clean(struct trying *it, const struct kit_stage *stage);

/* --- check_order.c --- */
enum outcome { SENT, REFUSED, BROKEN };
struct weir_intent kit_order(const struct trying *it, const struct kit_stage *stage);
/* What became of one intent. BROKEN: said. */
enum outcome kit_try(struct trying *it, struct kit_stage *stage, const struct weir_intent *order,
                     const char *what);

/* --- check_bytes.c --- */
uint64_t kit_dice(uint64_t *state); /* splitmix64 */
/* The n-th frame that no venue sends, in room of KIT_FRAME_MAX bytes. */
struct weir_bytes kit_noise(unsigned n, char *room);

/* The checks, by the names of the table in kit.c. */
bool kit_check_load(struct trying *it);
bool kit_check_imports(struct trying *it);
bool kit_check_begin(struct trying *it);
bool kit_check_recovery(struct trying *it);
bool kit_check_order(struct trying *it);
bool kit_check_side(struct trying *it);
bool kit_check_type(struct trying *it);
bool kit_check_price(struct trying *it);
bool kit_check_trigger(struct trying *it);
bool kit_check_qty(struct trying *it);
bool kit_check_symbol(struct trying *it);
bool kit_check_tif(struct trying *it);
bool kit_check_gtd(struct trying *it);
bool kit_check_post_only(struct trying *it);
bool kit_check_reduce_only(struct trying *it);
bool kit_check_quote_qty(struct trying *it);
bool kit_check_client_id(struct trying *it);
bool kit_check_cancel(struct trying *it);
bool kit_check_replace(struct trying *it);
bool kit_check_cancel_all(struct trying *it);
bool kit_check_query(struct trying *it);
bool kit_check_fills_since(struct trying *it);
bool kit_check_reconcile(struct trying *it);
bool kit_check_silence(struct trying *it);
bool kit_check_data(struct trying *it);
bool kit_check_answers(struct trying *it);
bool kit_check_strangers(struct trying *it);
bool kit_check_reconnect(struct trying *it);
bool kit_check_inside(struct trying *it);
bool kit_check_pure(struct trying *it);
bool kit_check_hostile(struct trying *it);
bool kit_check_cut(struct trying *it);
bool kit_check_bent(struct trying *it);
bool kit_check_leaks(struct trying *it);
bool kit_check_time(struct trying *it);

#endif
