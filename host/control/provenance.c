/* provenance.c - what ran: build, plugins and configuration, as side records of the journal. They are
 * outside its hash, and tell a reader years later which bytes made these decisions. */
#include <stdio.h>
#include <string.h>

#include "control/host.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0"
#endif

static void put(struct host *host, struct weir_msg *msg, size_t size, uint16_t kind)
{
    msg->size = (uint32_t)size;
    msg->kind = kind;
    msg->t = clock_now(&host->clock);
    uint64_t seq = journal_append(host->journal, JOURNAL_SIDE, msg);
    if (seq != 0)
        host->seq = seq;
}

static void copy(char *to, size_t size, const char *from)
{
    memcpy(to, from, strnlen(from, size - 1));
}

/* As hex_print writes it. */
static unsigned hex_digit(char c)
{
    return (unsigned)(c >= 'a' ? c - 'a' + 10 : c - '0') & 15;
}

static void hex_read(const char *text, unsigned char out[32])
{
    for (size_t i = 0; i < 32 && text[2 * i] && text[2 * i + 1]; i++)
        out[i] = (unsigned char)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
}

void host_tell_config(struct host *host)
{
    struct side_config config = {.version = ++host->config_version};
    if (!host->journal)
        return;
    hex_read(host->config->sha256, config.sha256);
    copy(config.path, sizeof config.path, host->config->path);
    put(host, &config.msg, sizeof config, SIDE_CONFIG);
}

void host_tell_script(struct host *host, const struct host_script *guest)
{
    struct side_script script = {.strategy = guest->strategy, .version = guest->version};
    if (!host->journal)
        return;
    hex_read(guest->sha256, script.sha256);
    put(host, &script.msg, sizeof script, SIDE_SCRIPT);
}

void host_tell_quarantine(struct host *host, const struct host_script *guest,
                          const struct script_report *report)
{
    struct side_quarantine out = {.strategy = guest->strategy,
                                  .version = guest->version,
                                  .outcome = (uint32_t)report->outcome,
                                  .crashed = report->crashed,
                                  .max_callback = report->max_callback_ns,
                                  .memory_most = report->memory_max};
    if (!host->journal)
        return;
    copy(out.reason, sizeof out.reason, report->reason);
    put(host, &out.msg, sizeof out, SIDE_QUARANTINE);
}

void host_tell_provenance(struct host *host)
{
    struct side_build build = {.version = WEIR_VERSION, .compiler = __VERSION__};
    if (!host->journal)
        return;
    put(host, &build.msg, sizeof build, SIDE_BUILD);
    host_tell_config(host);
    for (size_t i = 0; i < host->venue_count; i++) {
        const struct host_venue *venue = &host->venues[i];
        struct side_plugin plugin = {.msg = {.venue = venue->number}};
        copy(plugin.name, sizeof plugin.name, plugin_descriptor(venue->plugin)->name);
        copy(plugin.version, sizeof plugin.version, plugin_descriptor(venue->plugin)->version);
        hex_read(plugin_sha256(venue->plugin), plugin.sha256);
        put(host, &plugin.msg, sizeof plugin, SIDE_PLUGIN);
    }
    for (size_t i = 0; i < host->script_count; i++)
        host_tell_script(host, &host->scripts[i]);
}

void host_tell_sent(struct host *host, const struct weir_intent *intent, uint64_t seq,
                    weir_ns after)
{
    struct side_timing timing = {.order = intent->order, .stage = STAGE_SENT, .after_ns = after};
    if (!host->journal || host->options.virtual_time)
        return;
    timing.msg.cause = seq;
    put(host, &timing.msg, sizeof timing, SIDE_TIMING);
}
