/* channel.c - where things stand in the shared memory, and a configuration as bytes. */
#include "script/channel.h"

#include <stdlib.h>
#include <string.h>

/* --- layout ------------------------------------------------------------------------------------*/

static size_t page_up(size_t size)
{
    return (size + 4095) & ~(size_t)4095;
}

static size_t events_size(void)
{
    return page_up(ring_size(sizeof(struct event_record), EVENT_ROOM));
}

static size_t picture_size(void)
{
    return page_up(ring_size(sizeof(struct picture_record), PICTURE_ROOM));
}

static size_t commands_size(void)
{
    return page_up(ring_size(sizeof(struct command_record), COMMAND_ROOM));
}

size_t channel_size(void)
{
    return sizeof(struct channel) + events_size() + picture_size() + commands_size() + TEXT_ROOM;
}

struct ring *channel_events(struct channel *channel)
{
    return (struct ring *)(void *)channel->rings;
}

struct ring *channel_picture(struct channel *channel)
{
    return (struct ring *)(void *)(channel->rings + events_size());
}

struct ring *channel_commands(struct channel *channel)
{
    return (struct ring *)(void *)(channel->rings + events_size() + picture_size());
}

char *channel_text(struct channel *channel)
{
    return (char *)channel->rings + events_size() + picture_size() + commands_size();
}

void channel_init(struct channel *channel)
{
    ring_init(channel_events(channel), sizeof(struct event_record), EVENT_ROOM);
    ring_init(channel_picture(channel), sizeof(struct picture_record), PICTURE_ROOM);
    ring_init(channel_commands(channel), sizeof(struct command_record), COMMAND_ROOM);
}

/* --- packing -----------------------------------------------------------------------------------*/

struct packer {
    unsigned char *bytes;
    size_t len, room;
    bool failed;
};

static void put(struct packer *to, const void *bytes, size_t len)
{
    if (to->len + len > to->room && !to->failed) {
        size_t room = 2 * (to->len + len) + 4096;
        unsigned char *larger = realloc(to->bytes, room);
        to->failed = !larger;
        if (larger) {
            to->bytes = larger;
            to->room = room;
        }
    }
    if (to->failed)
        return;
    if (len > 0)
        memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

/* A length, the bytes, and a zero; UINT64_MAX stands for NULL. */
static void put_text(struct packer *to, const char *text, size_t len)
{
    uint64_t size = text ? len : UINT64_MAX;
    put(to, &size, sizeof size);
    if (text) {
        put(to, text, len);
        put(to, "", 1);
    }
}

static void put_string(struct packer *to, const char *text)
{
    put_text(to, text, text ? strlen(text) : 0);
}

static void put_source(struct packer *to, const struct script_source *source)
{
    put_string(to, source->name);
    put_text(to, source->text, source->len);
}

static void put_value(struct packer *to, const struct script_value *value)
{
    uint64_t count = value->count, kind = (uint64_t)value->kind;
    put(to, &kind, sizeof kind);
    put(to, &value->number, sizeof value->number);
    put_string(to, value->key);
    put_string(to, value->place);
    put_string(to, value->text);
    put(to, &count, sizeof count);
    for (size_t i = 0; i < value->count; i++)
        put_value(to, &value->items[i]);
}

unsigned char *parcel_pack(const struct script_config *config, const struct parcel_terms *terms,
                           size_t *len_out)
{
    struct packer to = {.bytes = NULL};
    uint64_t modules = config->module_count, has_settings = config->settings != NULL;
    struct script_config numbers = *config; /* where things are here is nobody's business there */
    numbers.name = numbers.order_prefix = numbers.state = NULL;
    numbers.source = (struct script_source){NULL, NULL, 0};
    numbers.modules = NULL;
    numbers.settings = NULL;
    numbers.cells = NULL;
    put(&to, terms, sizeof *terms);
    put(&to, &numbers, sizeof numbers);
    put_string(&to, config->name);
    put_source(&to, &config->source);
    put(&to, &modules, sizeof modules);
    for (size_t i = 0; i < config->module_count; i++)
        put_source(&to, &config->modules[i]);
    put(&to, &has_settings, sizeof has_settings);
    if (config->settings)
        put_value(&to, config->settings);
    put_text(&to, config->state, config->state_len);
    if (to.failed) {
        free(to.bytes);
        return NULL;
    }
    *len_out = to.len;
    return to.bytes;
}

/* --- opening -----------------------------------------------------------------------------------*/

struct opener {
    const unsigned char *at;
    size_t left;
    bool failed;
};

static void get(struct opener *from, void *out, size_t len)
{
    if (len > from->left)
        from->failed = true;
    if (from->failed) {
        memset(out, 0, len);
        return;
    }
    memcpy(out, from->at, len);
    from->at += len;
    from->left -= len;
}

static const char *get_text(struct opener *from, size_t *len_out)
{
    uint64_t size = 0;
    get(from, &size, sizeof size);
    *len_out = 0;
    if (from->failed || size == UINT64_MAX)
        return NULL;
    if (size >= from->left || from->at[size] != '\0') {
        from->failed = true;
        return NULL;
    }
    const char *text = (const char *)from->at;
    from->at += size + 1;
    from->left -= size + 1;
    *len_out = size;
    return text;
}

static const char *get_string(struct opener *from)
{
    size_t len;
    return get_text(from, &len);
}

static void get_source(struct opener *from, struct script_source *source)
{
    source->name = get_string(from);
    source->text = get_text(from, &source->len);
    from->failed |= !source->name || !source->text;
}

static void get_value(struct opener *from, struct script_value *value, int depth)
{
    uint64_t count = 0, kind = 0;
    get(from, &kind, sizeof kind);
    get(from, &value->number, sizeof value->number);
    value->kind = (enum script_value_kind)kind;
    value->key = get_string(from);
    value->place = get_string(from);
    value->text = get_string(from);
    get(from, &count, sizeof count);
    if (from->failed || count > from->left || depth > 64) {
        from->failed = true;
        return;
    }
    struct script_value *items = calloc(count + 1, sizeof *items);
    value->items = items;
    value->count = count;
    from->failed |= !items;
    for (size_t i = 0; i < count && !from->failed; i++)
        get_value(from, &items[i], depth + 1);
}

bool parcel_open(const unsigned char *bytes, size_t len, struct script_config *config_out,
                 struct parcel_terms *terms_out)
{
    struct opener from = {bytes, len, false};
    uint64_t modules = 0, has_settings = 0;
    struct script_source *sources;
    struct script_value *settings = NULL;
    get(&from, terms_out, sizeof *terms_out);
    get(&from, config_out, sizeof *config_out);
    config_out->name = get_string(&from);
    get_source(&from, &config_out->source);
    get(&from, &modules, sizeof modules);
    sources = from.failed || modules > from.left ? NULL : calloc(modules + 1, sizeof *sources);
    if (!sources)
        return false;
    for (size_t i = 0; i < modules; i++)
        get_source(&from, &sources[i]);
    config_out->modules = sources;
    config_out->module_count = modules;
    get(&from, &has_settings, sizeof has_settings);
    if (has_settings && (settings = calloc(1, sizeof *settings)))
        get_value(&from, settings, 0);
    config_out->settings = settings;
    config_out->state = get_text(&from, &config_out->state_len);
    config_out->order_prefix = terms_out->prefix;
    config_out->cells = NULL;
    return !from.failed && config_out->name && (!has_settings || settings);
}
