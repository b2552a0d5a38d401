/* inputs.h - one function for each kind of input; engine.c calls them by its table. Private to
 * host/engine. `input` begins with a struct weir_msg of that kind and is whole. [engine thread] */
#ifndef WEIR_ENGINE_INPUTS_H
#define WEIR_ENGINE_INPUTS_H

struct engine;

void apply_adopt(struct engine *engine, const void *input);
void apply_book_state(struct engine *engine, const void *input);
void apply_bust(struct engine *engine, const void *input);
void apply_cancel(struct engine *engine, const void *input);
void apply_cancel_many(struct engine *engine, const void *input);
void apply_capabilities(struct engine *engine, const void *input);
void apply_cash(struct engine *engine, const void *input);
void apply_define(struct engine *engine, const void *input);
void apply_fill(struct engine *engine, const void *input);
void apply_instrument(struct engine *engine, const void *input);
void apply_kill(struct engine *engine, const void *input);
void apply_limit(struct engine *engine, const void *input);
void apply_mark(struct engine *engine, const void *input);
void apply_index(struct engine *engine, const void *input);
void apply_funding_rate(struct engine *engine, const void *input);
void apply_policy(struct engine *engine, const void *input);
void apply_rate_limited(struct engine *engine, const void *input);
void apply_recon_balance(struct engine *engine, const void *input);
void apply_recon_begin(struct engine *engine, const void *input);
void apply_recon_end(struct engine *engine, const void *input);
void apply_recon_order(struct engine *engine, const void *input);
void apply_recon_position(struct engine *engine, const void *input);
void apply_release(struct engine *engine, const void *input);
void apply_replace(struct engine *engine, const void *input);
void apply_report(struct engine *engine, const void *input);
void apply_restarted(struct engine *engine, const void *input);
void apply_session(struct engine *engine, const void *input);
void apply_submit(struct engine *engine, const void *input);
void apply_top(struct engine *engine, const void *input);
void apply_trade(struct engine *engine, const void *input);
void apply_trading_state(struct engine *engine, const void *input);
void apply_wallet(struct engine *engine, const void *input);

#endif
