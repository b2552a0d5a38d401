/* load_test.c - each way in which a file can be no plugin of ours, and the sentence that says so. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "venue/elf.h"
#include "venue/venue.h"

#define PLUGINS BUILD_DIR "/tests/plugins/"

/* Loading it fails, the reason names the file and holds the words. */
static void refuses(const char *path, enum weir_err want, const char *words)
{
    struct plugin *plugin = NULL;
    struct why why = {0};
    enum weir_err err = plugin_load(path, &plugin, &why);
    cr_expect_eq(err, want, "%s: %s, not %s (%s)", path, err_name(err), err_name(want), why.text);
    cr_expect_null(plugin, "%s", path);
    cr_expect(strstr(why.text, path) && strstr(why.text, words), "%s: says '%s', not '%s'", path,
              why.text, words);
}

static char *read_all(const char *path, size_t *len_out)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    fseek(file, 0, SEEK_END);
    *len_out = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*len_out + 1);
    cr_assert_eq(fread(bytes, 1, *len_out, file), *len_out);
    fclose(file);
    return bytes;
}

static void write_all(const char *path, const char *bytes, size_t len, mode_t mode)
{
    unlink(path);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
    cr_assert_eq(chmod(path, mode), 0);
}

/* A folder of this test's own. */
static const char *folder(void)
{
    static char path[64] = "/tmp/weir-load-XXXXXX";
    static bool made;
    if (!made)
        cr_assert_not_null(mkdtemp(path));
    made = true;
    return path;
}

static const char *in_folder(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder(), name);
    return path[turn];
}

Test(load, a_good_plugin_loads_and_twice_is_two)
{
    struct plugin *one = NULL, *two = NULL;
    struct why why = {0};
    cr_assert_eq(plugin_load(PLUGINS "loopback.so", &one, &why), WEIR_OK, "%s", why.text);
    cr_assert_eq(plugin_load(PLUGINS "loopback.so", &two, &why), WEIR_OK, "%s", why.text);
    cr_assert_str_eq(plugin_descriptor(one)->name, "loopback");
    cr_assert_neq(plugin_descriptor(one), plugin_descriptor(two), "each has a state of its own");
    cr_assert_eq(strlen(plugin_sha256(one)), 64);
    cr_assert_str_eq(plugin_sha256(one), plugin_sha256(two));
    cr_assert_eq(plugin_load(PLUGINS "bad_none.so", &one, &why), WEIR_OK, "without a fault: %s",
                 why.text);
}

Test(load, faults_of_the_plugin)
{
    static const struct {
        const char *name;
        enum weir_err err;
        const char *words;
        bool runs; /* it can be seen only after mapping it */
    } cases[] = {
        {"bad_magic", WEIR_E_ABI, "expected magic 52494557, found 12345678", false},
        {"bad_size", WEIR_E_ABI, "bytes, found 8", false},
        {"bad_abi", WEIR_E_ABI, "expected ABI 2, found ABI 3", false},
        {"bad_layout", WEIR_E_ABI, "found 7: compile it against this host's SDK", false},
        {"bad_no_symbol", WEIR_E_NOT_FOUND, "expected an exported symbol weir_plugin, found none",
         false},
        {"bad_second_symbol", WEIR_E_UNSAFE_FILE, "found also second_symbol", false},
        {"bad_needs_symbol", WEIR_E_ABI, "undefined symbol: nobody_has_this_function", false},
        {"bad_stack", WEIR_E_UNSAFE_FILE, "executable stack", false},
        {"bad_function", WEIR_E_ABI, "expected weir_plugin to be a constant struct", false},
        {"bad_small", WEIR_E_ABI, "expected", false}, /* a sanitizer may make it larger */
        {"bad_bss", WEIR_E_ABI, "to be a constant with a value, found none", false},
        {"bad_name", WEIR_E_ABI, "expected a name of 1 to 31 characters", true},
        {"bad_no_name", WEIR_E_ABI, "expected a name of 1 to 31 characters", true},
        {"bad_no_caps", WEIR_E_ABI, "expected a capability sheet, found none", true},
        {"bad_caps_size", WEIR_E_ABI, "capability sheet: its size", true},
        {"bad_caps_rule", WEIR_E_ABI, "capability sheet: book_rule", true},
        {"bad_caps_orders", WEIR_E_ABI, "capability sheet: it takes orders, but of no type", true},
        {"bad_no_callback", WEIR_E_ABI, "expected a callback on_frame, found none", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, PLUGINS "%s.so", cases[i].name);
        unsetenv("WEIR_BAD_PLUGIN_RAN");
        refuses(path, cases[i].err, cases[i].words);
        cr_expect_eq(getenv("WEIR_BAD_PLUGIN_RAN") != NULL, cases[i].runs, "%s: its code %s",
                     cases[i].name, cases[i].runs ? "did not run" : "ran");
    }
}

Test(load, a_unique_symbol_is_refused)
{
    if (access(PLUGINS "bad_unique.so", R_OK) != 0)
        cr_skip_test("needs g++");
    refuses(PLUGINS "bad_unique.so", WEIR_E_UNSAFE_FILE, "is GNU-unique");
}

Test(load, faults_of_the_file)
{
    size_t len;
    char *bytes = read_all(PLUGINS "loopback.so", &len);

    refuses(in_folder("absent.so"), WEIR_E_IO, "cannot be opened: No such file");
    write_all(in_folder("text.so"), "#!/bin/sh\n", 10, 0644);
    refuses(in_folder("text.so"), WEIR_E_BAD_FRAME, "expected a shared object (ELF)");
    write_all(in_folder("empty.so"), "", 0, 0644);
    refuses(in_folder("empty.so"), WEIR_E_UNSAFE_FILE, "bytes, found 0");
    refuses(folder(), WEIR_E_UNSAFE_FILE, "expected a regular file");
    refuses("/dev/null", WEIR_E_UNSAFE_FILE, "expected a regular file");
    cr_assert_eq(mkfifo(in_folder("fifo.so"), 0600), 0);
    refuses(in_folder("fifo.so"), WEIR_E_UNSAFE_FILE, "expected a regular file");

    for (size_t part = 1; part < 16; part++) { /* cut */
        write_all(in_folder("cut.so"), bytes, len * part / 16, 0644);
        struct plugin *plugin = NULL;
        struct why why = {0};
        enum weir_err err = plugin_load(in_folder("cut.so"), &plugin, &why);
        cr_expect(err != WEIR_OK && !plugin && why.text[0], "%zu/16 of it", part);
    }
    write_all(in_folder("writable.so"), bytes, len, 0666);
    refuses(in_folder("writable.so"), WEIR_E_UNSAFE_FILE, "found mode 0666");
    write_all(in_folder("group.so"), bytes, len, 0664);
    refuses(in_folder("group.so"), WEIR_E_UNSAFE_FILE, "found mode 0664");

    write_all(in_folder("good.so"), bytes, len, 0600);
    cr_assert_eq(symlink(in_folder("good.so"), in_folder("link.so")), 0);
    struct plugin *plugin = NULL;
    struct why why = {0};
    cr_expect_eq(plugin_load(in_folder("link.so"), &plugin, &why), WEIR_OK, "our own link: %s",
                 why.text);
    cr_assert_eq(chmod(folder(), 0777), 0);
    refuses(in_folder("good.so"), WEIR_E_UNSAFE_FILE,
            "expected a folder that others may not write");
    cr_assert_eq(chmod(folder(), 01777), 0);
    cr_expect_eq(plugin_load(in_folder("good.so"), &plugin, &why), WEIR_OK, "sticky is fine: %s",
                 why.text);
    cr_assert_eq(chmod(folder(), 0700), 0);
    if (geteuid() == 0) { /* else we cannot give files away */
        cr_assert_eq(chown(in_folder("good.so"), 12345, 12345), 0);
        refuses(in_folder("good.so"), WEIR_E_UNSAFE_FILE, "found user 12345");
        cr_assert_eq(chown(in_folder("good.so"), 0, 0), 0);
        cr_assert_eq(lchown(in_folder("link.so"), 12345, 12345), 0);
        refuses(in_folder("link.so"), WEIR_E_UNSAFE_FILE, "found one of user 12345");
        cr_assert_eq(chown(folder(), 12345, 12345), 0);
        refuses(in_folder("good.so"), WEIR_E_UNSAFE_FILE, "of user 12345");
        cr_assert_eq(chown(folder(), 0, 0), 0);
    }
    static const char *const made[] = {"text.so",     "empty.so", "fifo.so", "cut.so",
                                       "writable.so", "group.so", "good.so", "link.so"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        unlink(in_folder(made[i]));
    rmdir(folder());
    free(bytes);
}

/* Without sealed memory nothing is loaded, and the reason says so. */
Test(load, no_descriptor_no_plugin)
{
    struct rlimit few;
    getrlimit(RLIMIT_NOFILE, &few);
    int next = open("/dev/null", O_RDONLY);
    close(next);
    few.rlim_cur = (rlim_t)next + 1; /* one for the file, none for its copy */
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    refuses(PLUGINS "loopback.so", WEIR_E_IO, "memfd_create");
}

/* Whatever the bytes are, the reader stays inside of them and comes to an answer. */
Test(load, damaged_bytes_never_lead_outside)
{
    size_t len, offset;
    char *bytes = read_all(PLUGINS "loopback.so", &len);
    struct why why = {0};
    cr_assert_eq(elf_check((unsigned char *)bytes, len, "weir_plugin", 16, &offset, &why), WEIR_OK,
                 "%s", why.text);

    Elf64_Ehdr header;
    memcpy(&header, bytes, sizeof header);
    uint64_t seed = 99, refused = 0;
    enum { ROUNDS = 4000 };
    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t head =
            header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr) + 4096; /* where it reads most */
        size_t cut = seed >> 60 ? len : (size_t)(seed >> 20) % len;
        unsigned char *damaged = malloc(cut + 1);
        memcpy(damaged, bytes, cut);
        for (int k = 0; k < 4 && cut > 0; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            damaged[(seed >> 33) % (head < cut ? head : cut)] = (unsigned char)(seed >> 24);
        }
        if (elf_check(damaged, cut, "weir_plugin", 16, &offset, &why) != WEIR_OK) {
            refused++;
            cr_assert(why.text[0], "round %d: a reason", i);
        } else {
            cr_assert(offset + 16 <= cut, "round %d: offset %zu of %zu", i, offset, cut);
        }
        free(damaged);
    }
    cr_assert(refused > ROUNDS / 10, "%llu of %d refused", (unsigned long long)refused, ROUNDS);
    free(bytes);
}
