#include "script/shadow.h"

#include "script/cell.h"

enum weir_err script_create_shadow(const struct script_config *config,
                                   const struct script_world *world, struct script *of,
                                   struct script **script_out, struct why *why)
{
    struct script_config copy = *config;
    copy.order_prefix = of->prefix;
    if (script_outcome(of) == SCRIPT_OK) {
        enum weir_err err = script_state_save(of, &copy.state, &copy.state_len, why);
        if (err != WEIR_OK)
            return err;
    }
    return script_create_known(&copy, world, NULL, of->next_id, script_out, why);
}

bool script_begin_shadow(struct script *script)
{
    return script_shadow(script);
}

void script_take_over_shadow(struct script *script)
{
    script_take_over(script);
}
