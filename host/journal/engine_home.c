/* engine_home.c - one anonymous mapping for the engine, and a growing buffer for what it says. */
#include "journal/engine_home.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum weir_err engine_home_init(struct engine_home *home, const struct engine_sizes *sizes,
                               struct why *why)
{
    *home = (struct engine_home){.bytes = engine_bytes(sizes)};
    void *memory = mmap(NULL, home->bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return because(why, WEIR_E_NO_MEMORY, "no memory for an engine of %zu bytes: %s",
                       home->bytes, strerror(errno));
    home->memory = memory;
    (void)madvise(memory, home->bytes, MADV_HUGEPAGE);
    struct arena arena = {memory, (unsigned char *)memory + home->bytes};
    home->engine = engine_create(&arena, sizes);
    return home->engine ? WEIR_OK
                        : because(why, WEIR_E_NO_MEMORY, "an engine of %zu bytes cannot be made",
                                  home->bytes);
}

void engine_home_fini(struct engine_home *home)
{
    if (home->memory)
        munmap(home->memory, home->bytes);
    *home = (struct engine_home){0};
}

static void keep(void *context, const struct weir_msg *effect)
{
    struct effects *effects = context;
    if (effect->size > effects->room - effects->len) {
        size_t room = effects->room ? effects->room : 1 << 16;
        while (room - effects->len < effect->size)
            room *= 2;
        unsigned char *bytes = realloc(effects->bytes, room);
        if (!bytes) {
            effects->failed = true;
            return;
        }
        effects->bytes = bytes;
        effects->room = room;
    }
    memcpy(effects->bytes + effects->len, effect, effect->size);
    effects->len += effect->size;
}

void effects_init(struct effects *effects)
{
    *effects = (struct effects){.sink = {.take = keep, .context = effects}};
}

void effects_fini(struct effects *effects)
{
    free(effects->bytes);
}

void effects_clear(struct effects *effects)
{
    effects->len = effects->at = 0;
}

const struct weir_msg *effects_next(struct effects *effects)
{
    if (effects->at == effects->len)
        return NULL;
    const struct weir_msg *effect =
        (const struct weir_msg *)(const void *)(effects->bytes + effects->at);
    effects->at += effect->size;
    return effect;
}
