/* check_bytes.c - bytes that no venue sends: no crash, nothing told of an order, and a frame that was cut
 * is not taken for a whole one. */
#include <string.h>

#include "control/kit/own.h"

enum { NOISES = 300, BENT = 2000, CUTS = 64 };

uint64_t kit_dice(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

struct weir_bytes kit_noise(unsigned n, char *room)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "\"",
                                        "null",
                                        "0",
                                        "-",
                                        "{}",
                                        "[]",
                                        "{\"",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":1",
                                        "{\"a\":1e999999}",
                                        "{\"a\":-}",
                                        "{\"type\":",
                                        "{\"type\":\"fill\"",
                                        "[[[[",
                                        "[1,",
                                        "{\"data\":{\"data\":[]}}",
                                        "\xff\xfe\xfd",
                                        "{\"e\":\"\\u0000\\ud800\"}",
                                        "99999999999999999999999999999999999999999999",
                                        "<html>",
                                        "\r\n\r\n"};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    static const char *const fillings[] = {"[", "{\"a\":", "A", "9", "\"", "\\", ","};
    enum { FILLINGS = sizeof fillings / sizeof fillings[0] };
    uint64_t state = n;
    size_t len = 0;
    if (n < TEXTS)
        return (struct weir_bytes){texts[n], strlen(texts[n])};
    if (n < TEXTS + FILLINGS) { /* huge */
        const char *with = fillings[n - TEXTS];
        for (size_t step = strlen(with); len + step <= KIT_FRAME_MAX; len += step)
            memcpy(room + len, with, step);
        return (struct weir_bytes){room, len};
    }
    for (len = 0; len < 1 + kit_dice(&state) % 600; len++)
        room[len] = n % 5 == 0 ? '\0' : (char)kit_dice(&state);
    return (struct weir_bytes){room, len};
}

/* --- noise --------------------------------------------------------------------------------------- */

static bool one_noise(struct trying *it, struct weir_bytes bytes)
{
    const struct weir_plugin *plugin = plugin_descriptor(it->plugin);
    struct weir_probe probe = {.size = sizeof probe};
    for (unsigned conn = 0; conn < 1 + it->stage.conn_count; conn++) {
        (void)kit_stage_frame(&it->stage, conn, bytes);
        if (!it->kit->inside && it->stage.of_orders > 0)
            return kit_fail(it, "bytes that are no message made it tell an event of an order");
        if (!kit_clean(it, &it->stage))
            return false;
    }
    (void)session_recorded(it->stage.session, it->stage.now, (struct weir_bytes){"/", 1}, bytes);
    kit_stage_answer(&it->stage, 200, bytes);
    if (plugin->probe)
        (void)plugin->probe(bytes, &probe);
    return true;
}

bool kit_check_hostile(struct trying *it)
{
    static char room[KIT_FRAME_MAX];
    if (!kit_open(it, &it->stage))
        return false;
    if (it->caps->orders) {
        struct weir_intent order = kit_order(it, &it->stage);
        (void)kit_stage_intent(&it->stage, &order);
    }
    for (unsigned n = 0; n < NOISES; n++)
        if (!one_noise(it, kit_noise(n, room)))
            return false;
    kit_stage_close(&it->stage);
    return kit_pass(it, "%d frames: empty, cut, nested, huge, NUL, random", NOISES);
}

/* --- frames that were cut -------------------------------------------------------------------------- */

static size_t whole_length(struct weir_bytes frame)
{
    size_t len = frame.len;
    while (len > 0 && strchr(" \r\n\t", frame.data[len - 1]))
        len--;
    return len;
}

bool kit_check_cut(struct trying *it)
{
    unsigned tried = 0;
    if (!kit_open(it, &it->stage))
        return false;
    for (unsigned i = 0; i < it->lines.count; i++) {
        const struct kit_line *line = &it->lines.line[i];
        struct weir_bytes frame = line->bytes;
        size_t whole = whole_length(frame), step = 1 + whole / CUTS;
        for (size_t left = 1; left <= whole && !line->http; left += step, tried++) {
            size_t cut = whole - left; /* the last byte first: most is there */
            enum weir_err err =
                kit_stage_frame(&it->stage, line->conn, (struct weir_bytes){frame.data, cut});
            if (err == WEIR_OK && it->stage.event_count > 0)
                return kit_fail(
                    it,
                    "%s, line %u: cut to %zu of its %zu bytes it was taken, and an event "
                    "told of it: expected an error",
                    line->file, line->number, cut, frame.len);
            (void)kit_stage_frame(&it->stage, line->conn,
                                  (struct weir_bytes){frame.data + cut, frame.len - cut});
        }
    }
    if (!kit_clean(it, &it->stage))
        return false;
    kit_stage_close(&it->stage);
    return kit_pass(it, "%u frames were cut in two at %u places", it->lines.frames, tried);
}

/* Some bytes of a frame are others, or out of place. */
static struct weir_bytes bend(struct weir_bytes frame, char *room, uint64_t *state)
{
    memcpy(room, frame.data, frame.len);
    for (uint64_t n = 1 + kit_dice(state) % 3; n > 0 && frame.len > 0; n--) {
        size_t at = kit_dice(state) % frame.len, from = kit_dice(state) % frame.len;
        static const char usual[] = "0\"{}[],:-9\0.e";
        room[at] = kit_dice(state) % 2 ? room[from] : usual[kit_dice(state) % (sizeof usual - 1)];
    }
    return (struct weir_bytes){room, frame.len};
}

bool kit_check_bent(struct trying *it)
{
    uint64_t state = 1;
    static char room[KIT_FRAME_MAX];
    if (!kit_open(it, &it->stage))
        return false;
    for (unsigned n = 0, i = 0; n < BENT; i = (i + 1) % it->lines.count, n++) {
        const struct kit_line *line = &it->lines.line[i];
        if (line->bytes.len > KIT_FRAME_MAX)
            continue;
        struct weir_bytes bent = bend(line->bytes, room, &state);
        if (line->http)
            kit_stage_answer(&it->stage, 200, bent);
        else
            (void)kit_stage_frame(&it->stage, line->conn, bent);
    }
    kit_stage_close(&it->stage);
    return kit_pass(it, "%d times a recorded message with some bytes changed", BENT);
}
