/* wallet.c - what the account has of each asset: total, fees, funding; and what was booked once. */
#include "engine/define.h"
#include "engine/inputs.h"
#include "engine/state.h"
#include "engine/tell.h"

struct purse *purse_at(struct engine *engine, uint16_t account, uint32_t asset)
{
    must(account < engine->sizes.accounts && asset < engine->asset_count);
    return &engine->purses[(size_t)account * engine->sizes.assets + asset];
}

bool memory_has(const struct memory *memory, struct key128 key)
{
    uint32_t value;
    return map_get(&memory->map, key, &value);
}

/* Remember key; the oldest is forgotten when there are too many. */
void memory_add(struct memory *memory, struct key128 key, uint32_t value)
{
    struct key128 *place = &memory->keys[memory->count % memory->room];
    if (memory->count >= memory->room)
        (void)map_remove(&memory->map, *place);
    *place = key;
    memory->count++;
    bool put = map_put(&memory->map, key, value);
    must(put);
    if (memory->count >= memory->room) /* the next to be forgotten */
        map_fetch(&memory->map, memory->keys[memory->count % memory->room]);
}

/* Funding, deposits, withdrawals: each id is booked once; one without an id cannot be recognized. */
void apply_cash(struct engine *engine, const void *input)
{
    const struct weir_cash *cash = input;
    bool funding = cash->msg.kind == WEIR_FUNDING;
    struct key128 key =
        key_for(funding ? KEY_FUNDING : KEY_TRANSFER, cash->id, WEIR_ID_MAX, cash->msg.account);
    amount change = amount_of(cash->amount), total, paid;
    uint32_t asset = asset_number(engine, cash->asset);

    if (cash->msg.account >= engine->sizes.accounts || asset == UINT32_MAX) {
        tell_anomaly(engine, 0, 0, "cash of an account or asset that is not known");
        return;
    }
    if (cash->id[0] && memory_has(&engine->cash_memory, key)) {
        engine->counts.duplicates_ignored++;
        return;
    }
    struct purse *purse = purse_at(engine, cash->msg.account, asset);
    if (!amount_add(purse->total, change, &total) ||
        !amount_add(purse->funding, funding ? change : 0, &paid)) {
        tell_anomaly(engine, cash->msg.instrument, 0, "cash that does not fit");
        return;
    }
    purse->total = total;
    purse->funding = paid;
    purse->known = 1;
    if (cash->id[0])
        memory_add(&engine->cash_memory, key, 0);
}

void apply_wallet(struct engine *engine, const void *input)
{
    const struct weir_cash *cash = input;
    uint32_t asset = asset_number(engine, cash->asset);
    amount total = amount_of(cash->amount);
    if (cash->msg.account >= engine->sizes.accounts || asset == UINT32_MAX || total < -AMOUNT_MAX) {
        tell_anomaly(engine, 0, 0, "a wallet of an account or asset that is not known");
        return;
    }
    struct purse *purse = purse_at(engine, cash->msg.account, asset);
    purse->total = total;
    purse->known = 1;
}
