/* bad.c - a plugin with one fault, chosen by a definition (tests/venue/plugins.cmake). Its constructor
 * leaves a trace in the environment, so that a test sees whether any of it ran. */
#include <stdlib.h>

#include "weir/plugin.h"

__attribute__((constructor)) static void trace(void)
{
    setenv("WEIR_BAD_PLUGIN_RAN", "1", 1);
}

static enum weir_err bad_open(const struct weir_host *host, const struct weir_setting *settings,
                              void **session_out)
{
    (void)host;
    (void)settings;
    *session_out = NULL;
    return WEIR_OK;
}

static void bad_close(void *session)
{
    (void)session;
}

static enum weir_err bad_start(void *session, weir_ns now)
{
    (void)session;
    (void)now;
    return WEIR_OK;
}

#ifndef NO_ON_FRAME
static enum weir_err bad_on_frame(void *session, uint32_t conn, weir_ns now,
                                  struct weir_bytes frame)
{
    (void)session;
    (void)conn;
    (void)now;
    (void)frame;
    return WEIR_OK;
}
#endif

static enum weir_err bad_on_intent(void *session, weir_ns now, const struct weir_intent *intent)
{
    (void)session;
    (void)now;
    (void)intent;
    return WEIR_OK;
}

#ifdef SECOND_SYMBOL
__attribute__((visibility("default"))) extern int second_symbol;
int second_symbol = 1;
#endif

#ifdef NEEDS_SYMBOL
extern int nobody_has_this_function(void);
#endif

#ifndef MAGIC
#define MAGIC WEIR_MAGIC
#endif
#ifndef SIZE
#define SIZE sizeof(struct weir_plugin)
#endif
#ifndef ABI
#define ABI WEIR_ABI
#endif
#ifndef LAYOUT
#define LAYOUT WEIR_LAYOUT
#endif
#ifndef NAME
#define NAME "bad"
#endif
#ifndef CAPS_SIZE
#define CAPS_SIZE sizeof(struct weir_caps)
#endif
#ifndef CAPS_RULE
#define CAPS_RULE WEIR_RULE_NONE
#endif
#ifndef CAPS_ORDERS
#define CAPS_ORDERS 0
#endif

#ifndef NO_CAPS
static const struct weir_caps caps = {
    .size = CAPS_SIZE, .book_rule = CAPS_RULE, .orders = CAPS_ORDERS};
#endif

#ifdef NO_SYMBOL
static const struct weir_plugin hidden __attribute__((used)) = {
#else
const struct weir_plugin weir_plugin = {
#endif
    .magic = MAGIC,
    .size = SIZE,
    .abi = ABI,
    .layout = LAYOUT,
    .name = NAME,
    .version = "1.0",
#ifndef NO_CAPS
    .caps = &caps,
#endif
    .open = bad_open,
    .close = bad_close,
    .start = bad_start,
#ifndef NO_ON_FRAME
    .on_frame = bad_on_frame,
#endif
    .on_intent = bad_on_intent,
#ifdef NEEDS_SYMBOL
    .on_timer =
        (enum weir_err(*)(void *, uint32_t, weir_ns))(void (*)(void))nobody_has_this_function,
#endif
};
