/* picture.h - what a cell in a process of its own knows: the board, and what its host told it of its
 * own orders and positions. It answers as the engine would, as of the last record taken in. Private
 * to host/script; only the cell's process has one.                           [the cell's thread] */
#ifndef WEIR_SCRIPT_PICTURE_H
#define WEIR_SCRIPT_PICTURE_H

#include "script/board.h"
#include "script/channel.h"

struct picture;

struct picture *picture_create(const struct board *board, uint32_t strategy); /* NULL: no memory */
void picture_take(struct picture *picture, const struct picture_record *record);
const struct board *picture_board(const struct picture *picture);

/* As the engine_* questions of the same names. */
const struct weir_instrument *picture_instrument(struct picture *picture, uint32_t n);
uint32_t picture_instrument_count(const struct picture *picture);
uint32_t picture_instrument_find(struct picture *picture, uint16_t venue, const char *symbol);
const char *picture_name(struct picture *picture, enum risk_scope scope, uint32_t id);
uint32_t picture_number(struct picture *picture, enum risk_scope scope, const char *name);
bool picture_market(const struct picture *picture, uint32_t n, struct market_view *view_out);
bool picture_is_paper(const struct picture *picture, uint32_t n);
bool picture_position(const struct picture *picture, uint32_t n, uint32_t strategy,
                      struct position_view *view_out);
bool picture_wallet(const struct picture *picture, uint16_t account, const char *asset,
                    amount *total_out, amount *fees_out, amount *funding_out);
uint32_t picture_order_find(const struct picture *picture, const char *cid);
bool picture_order(const struct picture *picture, uint32_t n, struct order_view *view_out);
uint32_t picture_order_next(const struct picture *picture, uint32_t after, bool live_only);

#endif
