/* dialect_remote.c - the messages themselves; the other half of plugins/remote. */
#include <string.h>

#include "exchange/dialect.h"

static bool ends(const char *id)
{
    return memchr(id, '\0', WEIR_ID_MAX) != NULL;
}

static enum weir_err take(struct weir_bytes frame, struct weir_intent *intent_out)
{
    if (frame.len != sizeof *intent_out)
        return WEIR_E_BAD_FRAME;
    memcpy(intent_out, frame.data, sizeof *intent_out);
    return intent_out->msg.size == sizeof *intent_out && intent_out->msg.kind >= WEIR_NEW &&
                   intent_out->msg.kind <= WEIR_SUBSCRIBE && ends(intent_out->client_id) &&
                   ends(intent_out->venue_id) && ends(intent_out->new_client_id)
               ? WEIR_OK
               : WEIR_E_BAD_FRAME;
}

static void give(const struct weir_msg *event, struct text *out)
{
    text_add(out, (const char *)event, event->size);
}

const struct dialect dialect_remote = {
    .name = "remote", .path = "/remote", .binary = true, .take = take, .give = give};
