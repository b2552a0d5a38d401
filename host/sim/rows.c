/* rows.c - see the header. */
#include "sim/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096, BUFFER = 1 << 20 };
#define ROWS_MAGIC "weirrows"

struct head {
    char magic[8];
    unsigned char source[32];
    uint32_t layout[6]; /* sizes of the events: another build, another file */
    struct rows_facts facts;
};

static void put_layout(uint32_t layout[6])
{
    const uint32_t sizes[6] = {2, /* of this format */
                               sizeof(struct weir_book_msg),
                               sizeof(struct weir_trade),
                               sizeof(struct weir_top),
                               sizeof(struct weir_instrument),
                               sizeof(struct weir_msg)};
    memcpy(layout, sizes, sizeof sizes);
}

uint32_t rows_of(const struct weir_msg *event)
{
    const struct weir_book_msg *book = (const struct weir_book_msg *)event;
    switch (event->kind) {
    case WEIR_BOOK: return book->bids + book->asks;
    case WEIR_TOP:
    case WEIR_TRADE:
    case WEIR_MARK:
    case WEIR_L3: return 1;
    default: return 0;
    }
}

/* --- making ------------------------------------------------------------------------------------*/

struct rows_writer {
    int file;
    char *path, *temporary;
    struct head head;
    unsigned char *events; /* of the next frame */
    size_t len, room;
    uint32_t rows;
    bool failed;
    FILE *out;
};

static enum weir_err io(const char *path, struct why *why)
{
    return because(why, WEIR_E_IO, "%s: %s", path, strerror(errno));
}

struct rows_writer *rows_create(const char *path, const unsigned char source[32], struct why *why)
{
    static const char zeros[HEAD_BYTES];
    struct rows_writer *writer = calloc(1, sizeof *writer);
    if (!writer || !(writer->path = strdup(path)) ||
        asprintf(&writer->temporary, "%s.%ld", path, (long)getpid()) < 0) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        rows_abandon(writer);
        return NULL;
    }
    writer->out = fopen(writer->temporary, "wbe");
    if (!writer->out || fwrite(zeros, 1, HEAD_BYTES, writer->out) != HEAD_BYTES) {
        (void)io(writer->temporary, why);
        rows_abandon(writer);
        return NULL;
    }
    (void)setvbuf(writer->out, NULL, _IOFBF, BUFFER);
    memcpy(writer->head.magic, ROWS_MAGIC, sizeof writer->head.magic);
    memcpy(writer->head.source, source, 32);
    put_layout(writer->head.layout);
    return writer;
}

void rows_event(struct rows_writer *writer, const struct weir_msg *event)
{
    if (writer->len + event->size > writer->room) {
        size_t room = (writer->len + event->size) * 2;
        unsigned char *more = realloc(writer->events, room);
        if (!more) {
            writer->failed = true;
            return;
        }
        writer->events = more;
        writer->room = room;
    }
    memcpy(writer->events + writer->len, event, event->size);
    writer->len += event->size;
    writer->rows += rows_of(event);
}

enum weir_err rows_frame(struct rows_writer *writer, const struct rows_frame *frame,
                         struct why *why)
{
    struct rows_frame head = *frame;
    struct rows_facts *facts = &writer->head.facts;
    if (writer->failed)
        return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
    facts->frames++;
    facts->first = facts->first ? facts->first : frame->t;
    facts->last = frame->t;
    head.bytes = (uint32_t)writer->len;
    head.rows = writer->rows;
    facts->rows += writer->rows;
    if (fwrite(&head, sizeof head, 1, writer->out) != 1 ||
        (writer->len > 0 && fwrite(writer->events, writer->len, 1, writer->out) != 1))
        return io(writer->temporary, why);
    writer->len = 0;
    writer->rows = 0;
    return WEIR_OK;
}

enum weir_err rows_finish(struct rows_writer *writer, struct rows_facts *facts, struct why *why)
{
    struct rows_facts *mine = &writer->head.facts;
    off_t end = ftello(writer->out);
    mine->bytes = (uint64_t)end;
    mine->messages = facts->messages;
    mine->left_out = facts->left_out;
    mine->took = facts->took;
    *facts = *mine;
    bool good = end > 0 && fseeko(writer->out, 0, SEEK_SET) == 0 &&
                fwrite(&writer->head, sizeof writer->head, 1, writer->out) == 1;
    good = fclose(writer->out) == 0 && good;
    writer->out = NULL;
    good = good && rename(writer->temporary, writer->path) == 0;
    enum weir_err err = good ? WEIR_OK : io(writer->path, why);
    rows_abandon(writer);
    return err;
}

void rows_abandon(struct rows_writer *writer)
{
    if (!writer)
        return;
    if (writer->out) {
        fclose(writer->out);
        (void)unlink(writer->temporary);
    }
    free(writer->path);
    free(writer->temporary);
    free(writer->events);
    free(writer);
}

/* --- reading -----------------------------------------------------------------------------------*/

enum weir_err rows_open(const char *path, const unsigned char source[32], struct rows *out,
                        struct why *why)
{
    struct head head, wanted = {.magic = ROWS_MAGIC};
    struct stat info;
    enum weir_err err = WEIR_OK;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return because(why, errno == ENOENT ? WEIR_E_NOT_FOUND : WEIR_E_IO, "%s: %s", path,
                       strerror(errno));
    put_layout(wanted.layout);
    if (fstat(file, &info) != 0 || read(file, &head, sizeof head) != (ssize_t)sizeof head ||
        memcmp(head.magic, wanted.magic, sizeof head.magic) != 0 ||
        memcmp(head.layout, wanted.layout, sizeof head.layout) != 0 ||
        (source && memcmp(head.source, source, 32) != 0) ||
        head.facts.bytes != (uint64_t)info.st_size)
        err = because(why, WEIR_E_NOT_FOUND, "%s: it holds something else", path);
    void *bytes =
        err ? MAP_FAILED : mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (!err && bytes == MAP_FAILED)
        err = io(path, why);
    close(file);
    if (err)
        return err;
    (void)madvise(bytes, (size_t)info.st_size, MADV_SEQUENTIAL);
    *out = (struct rows){bytes, (size_t)info.st_size, HEAD_BYTES, head.facts};
    return WEIR_OK;
}

void rows_close(struct rows *rows)
{
    if (rows->bytes)
        munmap((void *)(uintptr_t)rows->bytes, rows->size);
    *rows = (struct rows){0};
}
