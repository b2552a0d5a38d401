/* recordings.c - see the header.
 *
 * Each file is a source. Opening looks at its first messages (when it begins, whose it is) and closes
 * it again; sources wait in the order of their beginnings, and one is opened when no open one has an
 * earlier message. So there are as many open files as streams that overlap in time.
 *
 * A source that begins takes over the connection of one that has ended with the same key, if no
 * other has; else it gets a new number. If the earlier file is still being read, they overlap, and
 * are two connections. [adopt] */
#include "sim/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"

enum { LOOK_AHEAD = 512, DEPTH_MAX = 16 };

enum state { WAITING, OPEN, ENDED, CONTINUED };

/* A connection of a source, and what is known of it. */
struct line {
    uint32_t conn;   /* over all files; 0: not given yet */
    uint32_t plugin; /* UINT32_MAX: not known yet */
    bool begun;
    struct weir_probe probe;
};

struct source {
    char *path;
    size_t order; /* as given */
    enum state state;
    struct recording *recording;
    enum recording_format format;
    struct record head;
    weir_ns first_t;
    struct line key; /* what its first messages say: stamped files */
    struct line *lines;
    uint32_t line_count;
    uint64_t taken; /* packed bytes, once it has ended */
};

struct recordings {
    const struct weir_plugin **plugins;
    uint32_t plugin_count;
    struct source *sources;
    size_t count, room;
    size_t waiting; /* sources before this one have been opened */
    uint32_t conns;
    weir_ns now, start;
};

/* --- finding the files ------------------------------------------------------------------------- */

static enum weir_err no_memory(const char *path, struct why *why)
{
    return because(why, WEIR_E_NO_MEMORY, "%s: out of memory", path);
}

static enum weir_err add_file(struct recordings *all, const char *path, struct why *why)
{
    if (all->count == all->room) {
        size_t room = all->room * 2 + 16;
        struct source *sources = realloc(all->sources, room * sizeof *sources);
        if (!sources)
            return no_memory(path, why);
        all->sources = sources;
        all->room = room;
    }
    char *copy = strdup(path);
    if (!copy)
        return no_memory(path, why);
    all->sources[all->count] = (struct source){.path = copy, .order = all->count};
    all->count++;
    return WEIR_OK;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* the same order under every locale */
}

static enum weir_err add_path(struct recordings *all, const char *path, int depth, struct why *why)
{
    struct stat info;
    struct dirent **entries = NULL;
    enum weir_err err = WEIR_OK;
    if (stat(path, &info) != 0)
        return because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return add_file(all, path, why);
    int count = depth < DEPTH_MAX ? scandir(path, &entries, not_hidden, by_name) : -1;
    if (count < 0)
        return because(why, WEIR_E_IO, "%s: %s", path,
                       depth < DEPTH_MAX ? strerror(errno) : "folders are nested too deeply");
    for (int i = 0; i < count; i++) {
        size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
        char *inner = err == WEIR_OK ? malloc(size) : NULL;
        if (inner) {
            size_t len = strlen(path);
            memcpy(inner, path, len);
            inner[len] = '/';
            memcpy(inner + len + 1, entries[i]->d_name, size - len - 1);
            err = add_path(all, inner, depth + 1, why);
        } else if (err == WEIR_OK) {
            err = no_memory(path, why);
        }
        free(inner);
        free(entries[i]);
    }
    free(entries);
    return err;
}

/* --- whose is it? ------------------------------------------------------------------------------ */

/* Ask the plugins about a message: the first that knows its market has the connection; what later
 * messages of the same market tell (a symbol) is added. */
static void look(const struct recordings *all, struct line *line, const struct record *record)
{
    bool known = line->plugin != UINT32_MAX;
    struct weir_bytes bytes = record->kind == RECORD_CONNECT ? record->target : record->bytes;
    if (record->kind == RECORD_SENT || record->kind == RECORD_END)
        return;
    for (uint32_t i = 0; i < all->plugin_count; i++) {
        struct weir_probe probe;
        if ((known && i != line->plugin) || !all->plugins[i]->probe ||
            all->plugins[i]->probe(bytes, &probe) != WEIR_OK || probe.market[0] == '\0' ||
            (known && strcmp(probe.market, line->probe.market) != 0))
            continue;
        line->plugin = i;
        line->probe = probe;
        return;
    }
}

/* The first messages of a file: when it begins, whose it is, and of which symbol. */
static enum weir_err look_into(const struct recordings *all, struct source *source, struct why *why)
{
    struct recording *recording = recording_open(source->path, why);
    struct record record;
    struct why ignored;
    if (!recording)
        return why->err;
    source->format = recording_format(recording);
    source->key.plugin = UINT32_MAX;
    source->first_t = INT64_MAX; /* nothing in it, or damaged at its first message: comes last */
    for (int i = 0; i < LOOK_AHEAD && source->key.probe.symbol[0] == '\0'; i++) {
        if (recording_next(recording, &record, &ignored) != WEIR_OK || record.kind == RECORD_END)
            break;
        if (i == 0)
            source->first_t = record.t;
        if (source->format != FORMAT_STAMPED)
            break; /* its connections are looked at one by one */
        look(all, &source->key, &record);
    }
    recording_close(recording);
    return WEIR_OK;
}

static int by_beginning(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    if (x->first_t != y->first_t)
        return x->first_t < y->first_t ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

struct recordings *recordings_open(const struct recordings_config *config, struct why *why)
{
    struct recordings *all = calloc(1, sizeof *all);
    enum weir_err err = WEIR_OK;
    if (all)
        all->plugins = calloc(config->plugin_count + 1, sizeof(void *));
    if (!all || !all->plugins) {
        free(all);
        (void)because(why, WEIR_E_NO_MEMORY, "opening recordings: out of memory");
        return NULL;
    }
    for (uint32_t i = 0; i < config->plugin_count; i++)
        all->plugins[i] = config->plugins[i];
    all->plugin_count = config->plugin_count;
    for (size_t i = 0; i < config->path_count && err == WEIR_OK; i++)
        err = add_path(all, config->paths[i], 0, why);
    if (err == WEIR_OK && all->count == 0)
        err = because(why, WEIR_E_NOT_FOUND, "no recorded file was named, or found in the folder");
    for (size_t i = 0; i < all->count && err == WEIR_OK; i++)
        err = look_into(all, &all->sources[i], why);
    if (err != WEIR_OK) {
        recordings_close(all);
        return NULL;
    }
    must(all->sources);
    qsort(all->sources, all->count, sizeof all->sources[0], by_beginning);
    all->start = all->sources[0].first_t;
    all->now = INT64_MIN;
    return all;
}

void recordings_close(struct recordings *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++) {
        recording_close(all->sources[i].recording);
        free(all->sources[i].lines);
        free(all->sources[i].path);
    }
    free(all->sources);
    free(all->plugins);
    free(all);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* The next message of a source into its head. An end or an error ends it. */
static enum weir_err pull(struct source *source, struct why *why)
{
    enum weir_err err = recording_next(source->recording, &source->head, why);
    if (source->head.kind != RECORD_END)
        return WEIR_OK;
    source->taken = recording_taken(source->recording);
    recording_close(source->recording);
    source->recording = NULL;
    source->state = ENDED;
    return err;
}

/* The open source with the earliest message, opening those whose time has come. NULL: none left. */
static struct source *earliest(struct recordings *all, enum weir_err *err, struct why *why)
{
    for (;;) {
        struct source *best = NULL;
        for (size_t i = 0; i < all->waiting; i++) {
            struct source *source = &all->sources[i];
            if (source->state == OPEN && (!best || source->head.t < best->head.t))
                best = source;
        }
        if (all->waiting == all->count)
            return best;
        struct source *next = &all->sources[all->waiting];
        if (best && best->head.t < next->first_t)
            return best;
        all->waiting++;
        next->recording = recording_open(next->path, why);
        next->state = next->recording ? OPEN : ENDED;
        *err = next->recording ? pull(next, why) : why->err;
        if (*err != WEIR_OK)
            return NULL;
    }
}

/* The connection's entry in its source. NULL: no memory. */
static struct line *line_of(struct source *source, uint32_t conn)
{
    if (conn > source->line_count) {
        struct line *lines = realloc(source->lines, conn * sizeof *lines);
        if (!lines)
            return NULL;
        source->lines = lines;
        while (source->line_count < conn) {
            lines[source->line_count] = source->key;
            lines[source->line_count++].conn = 0;
        }
    }
    return &source->lines[conn - 1];
}

static bool same_stream(const struct source *a, const struct source *b)
{
    return a->format == FORMAT_STAMPED && b->format == FORMAT_STAMPED &&
           a->key.plugin != UINT32_MAX && a->key.plugin == b->key.plugin &&
           a->key.probe.symbol[0] != '\0' &&
           strcmp(a->key.probe.symbol, b->key.probe.symbol) == 0 &&
           strcmp(a->key.probe.market, b->key.probe.market) == 0;
}

/* Give a connection its number: that of an ended file of the same stream, or the next one. */
static void adopt(struct recordings *all, const struct source *source, struct line *line)
{
    for (size_t i = all->waiting; i-- > 0 && line->conn == 0;) {
        struct source *before = &all->sources[i];
        if (before->state == ENDED && before->line_count > 0 && same_stream(before, source)) {
            line->conn = before->lines[0].conn;
            line->begun = true;
            before->state = CONTINUED;
        }
    }
    if (line->conn == 0)
        line->conn = ++all->conns;
}

enum weir_err recordings_next(struct recordings *all, struct recorded_message *out, struct why *why)
{
    enum weir_err err = WEIR_OK;
    *out = (struct recorded_message){
        .plugin = UINT32_MAX, .market = "", .symbol = "", .conn_name = "", .file = ""};
    for (size_t i = 0; i < all->waiting && err == WEIR_OK; i++)
        if (all->sources[i].state == OPEN && all->sources[i].head.kind == RECORD_END)
            err = pull(&all->sources[i], why);
    struct source *source = err == WEIR_OK ? earliest(all, &err, why) : NULL;
    if (!source)
        return err;
    struct line *line = line_of(source, source->head.conn);
    if (!line)
        return no_memory(source->path, why);
    if (line->conn == 0)
        adopt(all, source, line);
    if (line->plugin == UINT32_MAX)
        look(all, line, &source->head);
    out->record = source->head;
    out->record.conn = line->conn;
    out->file = source->path;
    out->format = source->format;
    out->headers = recording_headers(source->recording);
    out->conn_name = recording_conn_name(source->recording, source->head.conn);
    out->plugin = line->plugin;
    out->market = line->plugin != UINT32_MAX ? line->probe.market : "";
    out->symbol = source->key.probe.symbol;
    out->begins = !line->begun;
    line->begun = true;
    source->head.kind = RECORD_END; /* its bytes are the caller's until the next call */
    if (out->record.t < all->now)
        out->record.t = all->now;
    all->now = out->record.t;
    return WEIR_OK;
}

weir_ns recordings_start(const struct recordings *all)
{
    return all->start;
}

size_t recordings_files(const struct recordings *all)
{
    return all->count;
}

const char *recordings_file(const struct recordings *all, size_t index)
{
    return index < all->count ? all->sources[index].path : NULL;
}

uint64_t recordings_taken(const struct recordings *all)
{
    uint64_t taken = 0;
    for (size_t i = 0; i < all->count; i++)
        taken += all->sources[i].recording ? recording_taken(all->sources[i].recording)
                                           : all->sources[i].taken;
    return taken;
}

enum weir_err recordings_find(const char *const *paths, size_t count, char ***files_out,
                              size_t *file_count_out, struct why *why)
{
    struct recordings all = {0};
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < count && err == WEIR_OK; i++)
        err = add_path(&all, paths[i], 0, why);
    if (err == WEIR_OK && all.count == 0)
        err = because(why, WEIR_E_NOT_FOUND, "no recorded file was named, or found in the folder");
    char **files = err == WEIR_OK ? calloc(all.count + 1, sizeof *files) : NULL;
    if (err == WEIR_OK && !files)
        err = no_memory(paths[0], why);
    for (size_t i = 0; i < all.count; i++) {
        if (files)
            files[i] = all.sources[i].path;
        else
            free(all.sources[i].path);
    }
    free(all.sources);
    *files_out = files;
    *file_count_out = files ? all.count : 0;
    return err;
}

void recordings_forget(char **files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(files[i]);
    free(files);
}
