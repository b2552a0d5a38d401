/* event.c - any bytes as an event of a plugin: what passes the inspection passes it again, unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "venue/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    union venue_event from, event, again; /* a size that lies stays inside of the largest */
    const char *fault = NULL;
    memset(&from, 0, sizeof from);
    memcpy(&from, data, len < sizeof from ? len : sizeof from);
    if (inspect_event(&from.msg, &event, &fault) != WEIR_OK) {
        if (!fault)
            abort();
        return 0;
    }
    if (inspect_event(&event.msg, &again, &fault) != WEIR_OK ||
        memcmp(&event, &again, event.msg.size) != 0)
        abort();
    return 0;
}
