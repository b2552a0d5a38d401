/* host.c - the parts of a host, made and unmade in order. */
#include "control/host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "control/paths.h"
#include "journal/replay.h"

enum {
    INSTRUMENTS = 4096,
    STRATEGIES = 1024,
    ROOM_LEAST = 1 << 26,
    ROW_BYTES = 384,     /* an order or an execution, told by the venue */
    EFFECT_BYTES = 1024, /* of an order: what it is now, and a cancel of it */
    EFFECT_LEAST = 32,   /* bytes of one effect */
    PUBLISHED_ROOM = 1 << 20,
    TAP_ROOM = 1 << 23
};

static struct engine_sizes sizes_of(const struct config *config)
{
    struct engine_sizes sizes = engine_sizes_default();
    sizes.orders = config->orders;
    sizes.executions = config->executions;
    sizes.client_ids = config->client_ids;
    sizes.instruments = INSTRUMENTS;
    sizes.strategies = STRATEGIES;
    return sizes;
}

/* Address space for the worst case. In large pages: orders and names are all over it, and with small
 * ones the way to the memory takes longer than the memory. */
static enum weir_err make_engine(struct host *host, const struct engine_sizes *sizes,
                                 struct why *why)
{
    host->memory_size = engine_bytes(sizes);
    host->memory = mmap(NULL, host->memory_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host->memory == MAP_FAILED) {
        host->memory = NULL;
        return because(why, WEIR_E_NO_MEMORY, "the engine needs %zu bytes: %m", host->memory_size);
    }
    (void)madvise(host->memory, host->memory_size, MADV_HUGEPAGE);
    struct arena arena = {host->memory, (unsigned char *)host->memory + host->memory_size};
    host->engine = engine_create(&arena, sizes);
    return host->engine ? WEIR_OK
                        : because(why, WEIR_E_NO_MEMORY, "the engine does not fit its arena");
}

/* What reads behind the journal. Neither takes the room that the next two segments need. */
static enum weir_err start_followers(struct host *host, const struct engine_sizes *sizes,
                                     struct why *why)
{
    uint64_t two = 2 * (uint64_t)host->config->segment;
    uint64_t floor = (uint64_t)host->config->disk_floor + two;
    struct snapshots_config snapshots = {.folder = host->journal_folder,
                                         .sizes = *sizes,
                                         .every = (uint64_t)host->config->snapshot,
                                         .floor = floor,
                                         .journal = host->journal};
    enum weir_err err = WEIR_OK;
    if (host->config->index)
        err = indexer_start(host->journal_folder, floor, &host->indexer, why);
    if (!err && snapshots.every > 0)
        err = snapshotter_start(&snapshots, &host->snapshotter, why);
    return err;
}

static enum weir_err open_journal(struct host *host, const struct engine_sizes *sizes,
                                  struct why *why)
{
    const char *folder = host->options.journal ? host->options.journal : host->config->journal;
    struct journal_options options = {.segment_bytes = (uint64_t)host->config->segment,
                                      .disk_floor = (uint64_t)host->config->disk_floor,
                                      .sync = host->config->sync_always ? JOURNAL_ALWAYS
                                                                        : JOURNAL_GROUP,
                                      .instance = host->config->instance,
                                      .sizes = *sizes};
    enum weir_err err;
    if (host->config->journal_new) {
        err = journal_path_new(folder, host->journal_folder, sizeof host->journal_folder, why);
    } else {
        snprintf(host->journal_folder, sizeof host->journal_folder, "%s", folder);
        err = make_folders(folder, why);
    }
    if (err)
        return err;
    options.folder = host->journal_folder;
    struct journal_extent extent;
    err = journal_restart(&options, host->engine, &host->journal, &extent, why);
    return err || host->options.virtual_time ? err : start_followers(host, sizes, why);
}

size_t host_room(size_t count, size_t bytes_each)
{
    size_t room = ROOM_LEAST;
    while (room < bytes_each * count)
        room *= 2;
    return room;
}

static enum weir_err make_lists(struct host *host, struct why *why)
{
    const struct config *config = host->config;
    host->venues = calloc(config->venue_count, sizeof *host->venues);
    host->scripts = calloc(config->script_count + 1, sizeof *host->scripts);
    host->instruments = calloc(INSTRUMENTS + 1, sizeof *host->instruments);
    host->instrument_room = INSTRUMENTS;
    size_t rows = (size_t)config->orders + config->executions; /* of a whole reconciliation */
    size_t effects = host_room(config->orders, EFFECT_BYTES);
    host->effect_seq_room = effects / EFFECT_LEAST;
    host->effect_seqs =
        mmap(NULL, host->effect_seq_room * sizeof *host->effect_seqs, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host->effect_seqs == MAP_FAILED)
        host->effect_seqs = NULL;
    if (!host->venues || !host->scripts || !host->instruments || !host->effect_seqs ||
        !queue_init(&host->inputs, host_room(rows, ROW_BYTES)) ||
        !queue_init(&host->effects, effects) || !queue_init(&host->published, PUBLISHED_ROOM))
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    host->venue_count = config->venue_count;
    host->script_count = config->script_count;
    for (size_t i = 0; i < host->venue_count; i++)
        host->venues[i] = (struct host_venue){.config = &config->venues[i], .host = host};
    for (size_t i = 0; i < host->script_count; i++)
        host->scripts[i] = (struct host_script){.config = &config->scripts[i], .host = host};
    return WEIR_OK;
}

static void wake(void *context)
{
    struct host *host = context;
    uint64_t one = 1;
    (void)!write(host->wake, &one, sizeof one);
}

static enum weir_err start_observers(struct host *host, struct why *why)
{
    struct observer_config config = {.control = host->config->control,
                                     .listen = host->config->listen,
                                     .port = host->config->port,
                                     .http = true,
                                     .screen = host->options.screen,
                                     .color = host->options.color,
                                     .stages = &host->stages,
                                     .wake = wake,
                                     .context = host};
    char folder[512];
    if (!host->options.observe)
        return WEIR_OK;
    host->tap = tap_create(TAP_ROOM);
    if (!host->tap)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    config.tap = host->tap;
    snprintf(folder, sizeof folder, "%s", host->config->control);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = '\0';
        enum weir_err err = make_folders(folder, why);
        if (err)
            return err;
    }
    host->observer = observer_start(&config, why);
    return host->observer ? WEIR_OK : why->err;
}

static enum weir_err open_all(struct host *host, struct why *why)
{
    struct engine_sizes sizes = sizes_of(host->config);
    enum weir_err err = make_lists(host, why);
    if (!err)
        err = make_engine(host, &sizes, why);
    if (!err && !host->options.no_journal)
        err = open_journal(host, &sizes, why);
    if (!err)
        err = start_observers(host, why);
    if (!err && engine_counts(host->engine)->inputs > 0) {
        host_note_restart(host);
        struct weir_msg again = {.size = sizeof again, .kind = IN_RESTARTED};
        (void)host_take(host, &again);
    }
    if (!err)
        err = host_define(host, why);
    if (!err)
        err = host_open_late(host, why);
    if (!err)
        err = host_open_network(host, why);
    if (!err)
        err = host_open_venues(host, why);
    if (!err)
        host_tell_capabilities(host);
    if (!err)
        err = host_open_scripts(host, why);
    return err;
}

struct host *host_create(const struct config *config, const struct host_options *options,
                         struct why *why)
{
    struct host *host = calloc(1, sizeof *host);
    if (!host) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        return NULL;
    }
    host->config = config;
    host->options = *options;
    host->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    host->seq =
        1; /* where there is no journal, numbers are those that one would give: it begins with 1 */
    host->clock = options->virtual_time ? clock_virtual(options->start) : clock_real();
    if (host->wake < 0 || open_all(host, why)) {
        host_destroy(host);
        return NULL;
    }
    host->started = clock_now(&host->clock);
    host_tell_provenance(host);
    host_start_venues(host);
    host_start_scripts(host);
    return host;
}

enum weir_err host_close_journal(struct host *host, struct journal_summary *summary_out,
                                 struct why *why)
{
    struct journal *journal = host->journal;
    memset(summary_out, 0, sizeof *summary_out);
    host->journal = NULL;
    snapshotter_stop(host->snapshotter);
    host->snapshotter = NULL;
    enum weir_err err = journal ? journal_close(journal, summary_out, why) : WEIR_OK;
    indexer_stop(host->indexer); /* it takes in the end, too */
    host->indexer = NULL;
    return err;
}

void host_destroy(struct host *host)
{
    struct journal_summary summary;
    struct why why;
    if (!host)
        return;
    host->next_note = 0;
    if (host->observer && host->seq > 0)
        host_note(host); /* the last word, while everybody is still there */
    host_close_prompt(host);
    host_close_comparison(host);
    if (host->scripts)
        host_close_scripts(host);
    if (host->venues)
        host_close_venues(host);
    host_close_network(host);
    host_close_late(host);
    observer_stop(host->observer);
    (void)host_close_journal(host, &summary, &why);
    tap_destroy(host->tap);
    queue_fini(&host->inputs);
    queue_fini(&host->effects);
    queue_fini(&host->published);
    if (host->effect_seqs)
        munmap(host->effect_seqs, host->effect_seq_room * sizeof *host->effect_seqs);
    if (host->memory)
        munmap(host->memory, host->memory_size);
    config_destroy(host->reloaded);
    free(host->venues);
    free(host->scripts);
    free(host->instruments);
    if (host->wake >= 0)
        close(host->wake);
    free(host);
}
