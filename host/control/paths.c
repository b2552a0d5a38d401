#include "control/paths.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static size_t program_folder(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    if (len <= 0)
        return 0;
    out[len] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash)
        return 0;
    *slash = '\0';
    return (size_t)(slash - out);
}

const char *plugin_path(const char *name, struct why *why)
{
    /* beside the program in a build, beside its tests' folder, and where a package puts them */
    static const char *const places[] = {"/plugins/", "/../plugins/", "/../lib/weir/plugins/"};
    static char path[PATH_MAX + 300];
    char folder[PATH_MAX], tried[700] = "";

    if (strchr(name, '/')) {
        snprintf(path, sizeof path, "%s", name);
        return path; /* the loader says what is wrong with it */
    }
    size_t len = program_folder(folder, sizeof folder);
    for (size_t i = 0; len > 0 && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s%s%.200s.so", folder, places[i], name);
        if (is_file(path))
            return path;
        snprintf(tried + strlen(tried), sizeof tried - strlen(tried), "%s%.200s", i ? ", " : "",
                 path);
    }
    (void)because(why, WEIR_E_NOT_FOUND, "plugin '%s': no such file: looked at %s", name, tried);
    return NULL;
}

void module_path(const char *script, const char *name, char *out, size_t size)
{
    /* in a build below the sources, and where a package puts them */
    static const char *const places[] = {"/../../scripts/lib", "/../share/weir/scripts/lib"};
    char folder[PATH_MAX];
    const char *slash = strrchr(script, '/');
    size_t len = program_folder(folder, sizeof folder);
    snprintf(out, size, "%.*slib/%s.lua", slash ? (int)(slash - script + 1) : 0, script, name);
    if (is_file(out))
        return;
    snprintf(out, size, "scripts/lib/%s.lua", name);
    for (size_t i = 0; !is_file(out) && len > 0 && i < sizeof places / sizeof places[0]; i++)
        snprintf(out, size, "%s%s/%s.lua", folder, places[i], name);
    if (!is_file(out))
        snprintf(out, size, "%.*slib/%s.lua", slash ? (int)(slash - script + 1) : 0, script, name);
}

static bool has_segments(const char *folder)
{
    DIR *dir = opendir(folder);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        found = dot && strcmp(dot, ".weir") == 0;
    }
    if (dir)
        closedir(dir);
    return found;
}

enum weir_err journal_path(const char *folder, char *out, size_t size, struct why *why)
{
    snprintf(out, size, "%s", folder);
    if (has_segments(out))
        return WEIR_OK;
    snprintf(out, size, "%s/latest", folder);
    if (has_segments(out))
        return WEIR_OK;
    return because(why, WEIR_E_NOT_FOUND,
                   "%s: no journal here (expected NNNNNNNN.weir files, or a link 'latest')",
                   folder);
}

enum weir_err make_folders(const char *path, struct why *why)
{
    char part[PATH_MAX];
    for (const char *p = path; *p; p++) {
        if (p[1] != '/' && p[1] != '\0')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)(p - path + 1), path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return because(why, WEIR_E_IO, "%s: cannot make the folder: %m", part);
    }
    return WEIR_OK;
}

enum weir_err journal_path_new(const char *folder, char *out, size_t size, struct why *why)
{
    char name[64], link_path[PATH_MAX], fresh[PATH_MAX + 8];
    struct tm tm;
    time_t now = time(NULL);
    enum weir_err err = make_folders(folder, why);
    if (err)
        return err;
    gmtime_r(&now, &tm);
    for (int i = 0; i < 1000; i++) {
        size_t len = strftime(name, sizeof name, "%Y%m%dT%H%M%SZ", &tm);
        if (i > 0)
            snprintf(name + len, sizeof name - len, "-%d", i);
        snprintf(out, size, "%s/%s", folder, name);
        if (mkdir(out, 0700) == 0)
            break;
        if (errno != EEXIST || i == 999)
            return because(why, WEIR_E_IO, "%s: cannot make the folder: %m", out);
    }
    snprintf(link_path, sizeof link_path, "%s/latest", folder);
    snprintf(fresh, sizeof fresh, "%s.new", link_path);
    (void)unlink(fresh);
    if (symlink(name, fresh) != 0 || rename(fresh, link_path) != 0)
        return because(why, WEIR_E_IO, "%s: cannot be pointed to the new run: %m", link_path);
    return WEIR_OK;
}
