/* remote_test.c - the smallest connector: what it hands on, sends and refuses. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/plugin.h"

struct fake {
    struct weir_host host;
    char path[64];
    unsigned char sent[512];
    size_t sent_len;
    unsigned char emitted[4096];
    unsigned emits;
    enum weir_err send_answer;
    char said[200];
};

static void on_emit(void *context, const struct weir_msg *event)
{
    struct fake *fake = context;
    cr_assert_leq(event->size, sizeof fake->emitted);
    memcpy(fake->emitted, event, event->size);
    fake->emits++;
}

static enum weir_err on_send(void *context, uint32_t conn, struct weir_bytes frame)
{
    struct fake *fake = context;
    cr_assert(conn == 1 && frame.len <= sizeof fake->sent);
    memcpy(fake->sent, frame.data, frame.len);
    fake->sent_len = frame.len;
    return fake->send_answer;
}

static enum weir_err on_connect(void *context, uint32_t conn, const char *path)
{
    struct fake *fake = context;
    cr_assert_eq(conn, 1);
    snprintf(fake->path, sizeof fake->path, "%s", path);
    return WEIR_OK;
}

static void on_log(void *context, const char *text)
{
    struct fake *fake = context;
    snprintf(fake->said, sizeof fake->said, "%s", text);
}

static struct fake fake;
static const struct weir_plugin *plugin;

static void *open_with(const char *name, const char *value, enum weir_err want)
{
    struct weir_setting settings[] = {{name, value}, {NULL, NULL}};
    void *session = NULL;
    void *library = dlopen(BUILD_DIR "/plugins/remote.so", RTLD_NOW | RTLD_LOCAL);
    cr_assert_not_null(library, "%s", dlerror());
    plugin = dlsym(library, "weir_plugin");
    cr_assert_not_null(plugin);
    fake = (struct fake){.host = {.size = sizeof fake.host,
                                  .abi = WEIR_ABI,
                                  .host = &fake,
                                  .emit = on_emit,
                                  .send = on_send,
                                  .connect = on_connect,
                                  .log = on_log}};
    cr_assert_eq(plugin->open(&fake.host, settings, &session), want);
    return session;
}

Test(remote, the_account_is_named_by_the_path)
{
    static const char *const bad[] = {"", "a b", "a/b", "../x",
                                      "0123456789012345678901234567890123456789"};
    void *session = open_with(NULL, NULL, WEIR_OK);
    cr_assert_eq(plugin->start(session, 1), WEIR_OK);
    cr_assert_str_eq(fake.path, "/remote/main");
    plugin->close(session);
    session = open_with("key", "second-account_2", WEIR_OK);
    cr_assert_eq(plugin->start(session, 1), WEIR_OK);
    cr_assert_str_eq(fake.path, "/remote/second-account_2");
    plugin->close(session);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)open_with("key", bad[i], WEIR_E_BAD_CONFIG);
        cr_assert(strstr(fake.said, "key"), "'%s'", bad[i]);
    }
    (void)open_with("what", "x", WEIR_E_BAD_CONFIG);
}

static enum weir_err frame(void *session, const void *bytes, size_t len, size_t shift)
{
    static char room[8192];
    memcpy(room + shift, bytes, len);
    return plugin->on_frame(session, 1, 5, (struct weir_bytes){room + shift, len});
}

Test(remote, messages_are_handed_on_as_they_came)
{
    void *session = open_with(NULL, NULL, WEIR_OK);
    struct weir_mark mark = {.msg = {.size = sizeof mark, .kind = WEIR_MARK, .instrument = 3},
                             .px = 77};
    for (size_t shift = 0; shift < 9; shift++) { /* frames stand at any address */
        cr_assert_eq(frame(session, &mark, sizeof mark, shift), WEIR_OK);
        cr_assert_arr_eq(fake.emitted, &mark, sizeof mark);
    }
    union {
        struct weir_book_msg book;
        unsigned char bytes[sizeof(struct weir_book_msg) + 3 * sizeof(struct weir_level)];
    } book = {.book = {.msg = {.size = sizeof book, .kind = WEIR_BOOK, .instrument = 1},
                       .bids = 2,
                       .asks = 1}};
    cr_assert_eq(frame(session, &book, sizeof book, 1), WEIR_OK);
    cr_assert_eq(fake.emits, 10);

    struct {
        const char *name;
        uint32_t size;
        uint16_t kind;
        size_t len;
    } bad[] = {{"empty", 48, WEIR_MARK, 0},          {"half a head", 48, WEIR_MARK, 20},
               {"cut", 48, WEIR_MARK, 40},           {"a size that lies", 56, WEIR_MARK, 48},
               {"no kind", 48, WEIR_NONE, 48},       {"an intent", 48, WEIR_NEW, 48},
               {"the host's own", 48, 200, 48},      {"a book without its head", 48, WEIR_BOOK, 48},
               {"a size of no 8", 44, WEIR_MARK, 44}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mark.msg.size = bad[i].size;
        mark.msg.kind = bad[i].kind;
        cr_assert_eq(frame(session, &mark, bad[i].len, 0), WEIR_E_BAD_FRAME, "%s", bad[i].name);
    }
    book.book.bids = 3;
    cr_assert_eq(frame(session, &book, sizeof book, 0), WEIR_E_BAD_FRAME, "a level too many");
    book.book.bids = UINT32_MAX;
    book.book.asks = 4;
    cr_assert_eq(frame(session, &book, sizeof book, 0), WEIR_E_BAD_FRAME, "levels that overflow");
    cr_assert_eq(fake.emits, 10);
    plugin->close(session);
}

Test(remote, intents_go_out_whole_and_a_lost_connection_is_told_once)
{
    void *session = open_with(NULL, NULL, WEIR_OK);
    struct weir_intent intent = {.msg = {.size = sizeof intent, .kind = WEIR_NEW, .instrument = 2},
                                 .client_id = "abc",
                                 .px = 5,
                                 .qty = 7};
    cr_assert_eq(plugin->on_intent(session, 1, &intent), WEIR_OK);
    cr_assert(fake.sent_len == sizeof intent && memcmp(fake.sent, &intent, sizeof intent) == 0);
    fake.send_answer = WEIR_E_DOWN;
    cr_assert_eq(plugin->on_intent(session, 1, &intent), WEIR_E_DOWN, "certainly not sent");
    cr_assert_eq(plugin->on_conn(session, 1, 1, 0), WEIR_OK);
    cr_assert_eq(fake.emits, 0, "it was never up");
    cr_assert_eq(plugin->on_conn(session, 1, 1, 1), WEIR_OK);
    cr_assert_eq(fake.emits, 0, "that the account's stream is there, the venue says");
    cr_assert_eq(plugin->on_conn(session, 1, 1, 0), WEIR_OK);
    cr_assert_eq(plugin->on_conn(session, 1, 1, 0), WEIR_OK);
    struct weir_session down;
    memcpy(&down, fake.emitted, sizeof down);
    cr_assert(fake.emits == 1 && down.msg.kind == WEIR_SESSION &&
              down.msg.flags == WEIR_STREAM_DOWN);
    plugin->close(session);
}
