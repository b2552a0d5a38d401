/* files.c - a reload when files change, if the configuration asks for it (host.watch).
 *
 * Once a second the files of the configuration, the scripts and their modules are looked at. What changed is
 * read only after it was the same twice: an editor may be writing.                  [engine thread] */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "control/host.h"
#include "control/paths.h"

enum { LOOK_EVERY = 1000000000 };

/* FNV-1a over what stat() says. */
static void mix(uint64_t *sum, const char *path)
{
    struct stat at;
    if (stat(path, &at) != 0)
        memset(&at, 0, sizeof at);
    const uint64_t facts[] = {(uint64_t)at.st_mtim.tv_sec, (uint64_t)at.st_mtim.tv_nsec,
                              (uint64_t)at.st_size, (uint64_t)at.st_ino};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        *sum = (*sum ^ facts[i]) * 0x100000001b3u;
}

static uint64_t look(const struct config *config)
{
    char path[512];
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; config->files[i]; i++)
        mix(&sum, config->files[i]);
    for (size_t i = 0; i < config->script_count; i++) {
        const struct config_script *script = &config->scripts[i];
        mix(&sum, script->file);
        for (size_t m = 0; script->imports[m]; m++) {
            module_path(script->file, script->imports[m], path, sizeof path);
            mix(&sum, path);
        }
    }
    return sum;
}

bool host_files_changed(struct host *host)
{
    weir_ns now = clock_stopwatch();
    struct host_files *files = &host->files;
    if (!host->config->watch || now < files->next)
        return false;
    files->next = now + LOOK_EVERY;
    uint64_t sum = look(host->config);
    bool settled = sum == files->last;
    files->last = sum;
    if (files->loaded == 0)
        files->loaded = sum;
    if (!settled || sum == files->loaded)
        return false;
    files->loaded = sum; /* asked for once, whatever comes of it */
    return true;
}
