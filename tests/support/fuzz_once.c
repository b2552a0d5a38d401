/* fuzz_once.c - a fuzz target as a plain test: no clang, no clock, the same inputs on each run.
 *
 *   fuzz_NAME [FOLDER]    gives the target nothing, then each file of FOLDER, then mutations of it
 *
 * The input that is being tried stands in the file fuzz_NAME.input beside the program's working
 * folder, so that a crash leaves it there. `./dev fuzz NAME` searches further. */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MUTATIONS = 4000, INPUT_MAX = 1 << 16, FILES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int witness = -1; /* the file that holds the input being tried */
static uint64_t tried;

/* Try one input. It is copied to the heap at its exact size, so that the sanitizer sees its end. */
static void try_input(const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert(exact != NULL);
    memcpy(exact, data, len);
    bool kept = pwrite(witness, exact, len, 0) == (ssize_t)len;
    kept = ftruncate(witness, (off_t)len) == 0 && kept;
    assert(kept);
    LLVMFuzzerTestOneInput(exact, len);
    tried++;
    free(exact);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t pick(uint64_t *state, size_t below)
{
    return below > 0 ? (size_t)(next_random(state) % below) : 0;
}

static size_t flip_bit(uint8_t *data, size_t len, uint64_t *state)
{
    if (len > 0)
        data[pick(state, len)] ^= (uint8_t)(1U << pick(state, 8));
    return len;
}

static size_t set_byte(uint8_t *data, size_t len, uint64_t *state)
{
    static const char telling[] = "0123456789-+.eE\"\\[]{}:,\n\0\x7f\x80\xff";
    if (len > 0)
        data[pick(state, len)] = (uint8_t)telling[pick(state, sizeof telling)];
    return len;
}

static size_t cut_end(uint8_t *data, size_t len, uint64_t *state)
{
    (void)data;
    return pick(state, len + 1);
}

static size_t drop_span(uint8_t *data, size_t len, uint64_t *state)
{
    size_t at = pick(state, len), span = pick(state, len - at + 1);
    memmove(data + at, data + at + span, len - at - span);
    return len - span;
}

static size_t repeat_span(uint8_t *data, size_t len, uint64_t *state)
{
    size_t at = pick(state, len), span = pick(state, len - at + 1);
    if (len + span > INPUT_MAX)
        return len;
    memmove(data + at + span, data + at, len - at);
    return len + span;
}

static size_t (*const mutate[])(uint8_t *, size_t, uint64_t *) = {flip_bit, set_byte, cut_end,
                                                                  drop_span, repeat_span};

/* Try the seed, and then what becomes of it. A mutation builds on the ones before it for a while. */
static void try_around(const uint8_t *seed, size_t len, unsigned mutations)
{
    static uint8_t work[INPUT_MAX];
    uint64_t state = 0x9e3779b97f4a7c15U;
    size_t work_len = 0;

    try_input(seed, len);
    for (unsigned i = 0; i < mutations; i++) {
        if (i % 8 == 0) {
            memcpy(work, seed, len);
            work_len = len;
        }
        work_len = mutate[pick(&state, sizeof mutate / sizeof mutate[0])](work, work_len, &state);
        try_input(work, work_len);
    }
}

static void try_file(const char *folder, const char *name, unsigned mutations)
{
    static uint8_t seed[INPUT_MAX];
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        exit(1);
    }
    size_t len = fread(seed, 1, sizeof seed, file);
    fclose(file);
    try_around(seed, len, mutations);
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    static const uint8_t plain[] = "{\"a\":[1,-2.50,\"x\"],\"b\":null}\n0123456789,abc=def\r\n";
    struct dirent **files = NULL;
    int count = argc > 1 ? scandir(argv[1], &files, no_dots, alphasort) : 0;
    const char *name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
    char path[256];

    snprintf(path, sizeof path, "%s.input", name);
    witness = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (witness < 0) {
        fprintf(stderr, "%s: cannot be written\n", path);
        return 1;
    }
    count = count > FILES_MAX ? FILES_MAX : count;
    try_input(plain, 0);
    try_around(plain, sizeof plain - 1, MUTATIONS);
    for (int i = 0; i < count; i++) {
        try_file(argv[1], files[i]->d_name, MUTATIONS / (unsigned)count + 1);
        free(files[i]);
    }
    free(files);
    close(witness);
    unlink(path);
    printf("%s: %" PRIu64 " inputs, none of them hurt\n", name, tried);
    return 0;
}
