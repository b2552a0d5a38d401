/* states.c - weir.state over restarts: one file for each script, written whole or not at all.
 *
 * The file is the text that weir.state has as a Lua table. It is asked for every ten seconds, without
 * waiting, and once more at an orderly stop; a process that dies in between loses what came since. On
 * virtual time there are no files: a run depends on its recordings alone.    [engine thread] */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/host.h"
#include "control/paths.h"

#define EVERY ((weir_ns)10 * 1000000000)
enum { STATE_MOST = 1 << 20, PATH_ROOM = 640 };

static bool are_kept(const struct host *host)
{
    return host->config->state && *host->config->state && !host->options.virtual_time;
}

static void path_of(const struct host *host, const struct config_script *config, const char *ending,
                    char path[PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/%u-%s.%s", host->config->state, host->config->instance,
             config->name, ending);
}

/* --- reading -----------------------------------------------------------------------------------*/

static enum weir_err read_all(int file, char *text, size_t len, const char *path, struct why *why)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(file, text + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return because(why, WEIR_E_IO, "%s: %s", path,
                           n < 0 ? strerror(errno) : "it became shorter while it was read");
        done += (size_t)n;
    }
    return WEIR_OK;
}

enum weir_err host_state_read(const struct host *host, const struct config_script *config,
                              char **text_out, size_t *len_out, struct why *why)
{
    char path[PATH_ROOM];
    struct stat at;
    *text_out = NULL;
    *len_out = 0;
    if (!are_kept(host))
        return WEIR_OK;
    path_of(host, config, "state", path);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? WEIR_OK : because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
    enum weir_err err = WEIR_OK;
    if (fstat(file, &at) != 0 || !S_ISREG(at.st_mode) || at.st_size > STATE_MOST)
        err = because(why, WEIR_E_UNSAFE_FILE, "%s: a regular file of at most %d bytes is expected",
                      path, STATE_MOST);
    char *text = err ? NULL : calloc(1, (size_t)at.st_size + 1);
    if (!err && !text)
        err = because(why, WEIR_E_NO_MEMORY, "%s: %s", path, err_text(WEIR_E_NO_MEMORY));
    if (!err)
        err = read_all(file, text, (size_t)at.st_size, path, why);
    close(file);
    if (!err) {
        *text_out = text;
        *len_out = (size_t)at.st_size;
        text = NULL;
    }
    free(text);
    return err;
}

/* --- writing -----------------------------------------------------------------------------------*/

static bool write_all(int file, const char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(file, text + done, len - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Beside, and then in its place: there is never half a file. */
static bool replace_file(const struct host *host, const struct host_script *guest, const char *text,
                         size_t len)
{
    char path[PATH_ROOM], beside[PATH_ROOM];
    struct why why;
    path_of(host, guest->config, "state", path);
    path_of(host, guest->config, "new", beside);
    if (make_folders(host->config->state, &why))
        return false;
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return false;
    bool fine = write_all(file, text, len);
    if (host->stopping) /* nobody waits for us now */
        fine = fsync(file) == 0 && fine;
    fine = close(file) == 0 && fine;
    return fine && rename(beside, path) == 0;
}

void host_state_kept(struct host *host, struct host_script *guest, const char *text, size_t len)
{
    if (!are_kept(host) ||
        (guest->state && guest->state_len == len && memcmp(guest->state, text, len) == 0))
        return;
    if (!replace_file(host, guest, text, len)) {
        log_line(LOG_ERROR, guest->config->name, "weir.state cannot be written to %s: %s",
                 host->config->state, strerror(errno));
        return;
    }
    char *copy = realloc(guest->state, len + 1);
    if (!copy)
        return; /* it is written again next time */
    memcpy(copy, text, len);
    guest->state = copy;
    guest->state_len = len;
}

void host_states(struct host *host)
{
    weir_ns now = clock_now(&host->clock);
    if (!are_kept(host) || now < host->next_states)
        return;
    for (size_t i = 0; i < host->script_count; i++)
        if (script_outcome(host->scripts[i].script) == SCRIPT_OK)
            script_state_ask(host->scripts[i].script);
    host->next_states = now + EVERY;
}

void host_states_last(struct host *host)
{
    for (size_t i = 0; are_kept(host) && i < host->script_count; i++) {
        const char *text;
        size_t len;
        struct why why;
        if (script_outcome(host->scripts[i].script) == SCRIPT_OK &&
            script_state_save(host->scripts[i].script, &text, &len, &why) == WEIR_OK)
            host_state_kept(host, &host->scripts[i], text, len);
    }
}
