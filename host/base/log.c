/* log.c - lines for the operator.
 *
 * A line is made on the stack and written by one fwrite under the lock, so lines of several threads
 * do not mix. What a stranger put into a text cannot forge a line or move a terminal's cursor: in
 * plain lines control bytes are shown as \xNN, in JSON they are escaped. Each topic may write
 * 20 errors and 20 other lines in a second; how many were left out is told when its second is over
 * and anybody logs next, or by log_flush(). [admit, settle_topics] */
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

enum { TOPICS_MAX = 1024, TOPIC_ROOM = 40, LINES_PER_SECOND = 20, LINE_MAX_BYTES = 4096 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

struct topic {
    char name[TOPIC_ROOM];
    weir_ns since; /* its second began */
    uint32_t lines, errors;
    uint64_t left_out;
};

static struct {
    pthread_mutex_t lock;
    FILE *file; /* NULL: stderr */
    bool json;
    enum log_level least;
    unsigned topics;
    struct topic topic[TOPICS_MAX + 1]; /* the last one stands for all further ones */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .least = LOG_INFO};

void log_to(FILE *file, bool json, enum log_level least)
{
    pthread_mutex_lock(&state.lock);
    state.file = file;
    state.json = json;
    state.least = least;
    pthread_mutex_unlock(&state.lock);
}

static void write_time(char *text, size_t room)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(text, room, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + len, room - len, ".%06ldZ", now.tv_nsec / 1000);
}

static void add_plain(struct text *line, const char *message)
{
    size_t left = strlen(message);
    while (left > 0) {
        size_t chars = utf8_char(message, left);
        if (chars == 0 || (unsigned char)*message < 0x20 || *message == 0x7F) {
            text_say(line, "\\x%02X", (unsigned char)*message);
            chars = 1;
        } else {
            text_add(line, message, chars);
        }
        message += chars;
        left -= chars;
    }
}

static void make_line(struct text *line, enum log_level level, const char *topic,
                      const char *message)
{
    char time[40];
    write_time(time, sizeof time);
    if (state.json) {
        json_object(line);
        json_key(line, "time"), json_string(line, time);
        json_key(line, "level"), json_string(line, level_names[level]);
        json_key(line, "topic"), json_string(line, topic);
        json_key(line, "text"), json_string(line, message);
        json_end(line);
    } else {
        text_say(line, "%s %-5s %s: ", time, level_names[level], topic);
        add_plain(line, message);
    }
    text_add(line, "\n", 1);
}

static void write_line(enum log_level level, const char *topic, const char *message)
{
    FILE *file = state.file ? state.file : stderr;
    struct text line;
    text_init(&line);
    make_line(&line, level, topic, message);
    if (text_ok(&line))
        (void)fwrite(line.data, 1, line.len, file);
    else
        (void)fputs("log: no memory for a line\n", file);
    (void)fflush(file);
    text_fini(&line);
}

static void tell_left_out(struct topic *topic)
{
    char message[80];
    if (topic->left_out == 0)
        return;
    (void)snprintf(message, sizeof message, "%" PRIu64 " more lines were left out",
                   topic->left_out);
    topic->left_out = 0;
    write_line(LOG_WARN, topic->name, message);
}

static void settle_topics(weir_ns now, bool all)
{
    for (unsigned i = 0; i <= state.topics; i++) {
        struct topic *topic = &state.topic[i < state.topics ? i : TOPICS_MAX];
        if (all || now - topic->since >= 1000000000)
            tell_left_out(topic);
    }
}

static struct topic *topic_of(const char *name)
{
    for (unsigned i = 0; i < state.topics; i++)
        if (strncmp(state.topic[i].name, name, TOPIC_ROOM - 1) == 0)
            return &state.topic[i];
    struct topic *topic = &state.topic[state.topics < TOPICS_MAX ? state.topics++ : TOPICS_MAX];
    (void)snprintf(topic->name, TOPIC_ROOM, "%s",
                   topic == &state.topic[TOPICS_MAX] ? "other topics" : name);
    return topic;
}

static bool admit(struct topic *topic, enum log_level level, weir_ns now)
{
    uint32_t *lines = level == LOG_ERROR ? &topic->errors : &topic->lines;
    if (now - topic->since >= 1000000000) {
        topic->since = now;
        topic->lines = topic->errors = 0;
    }
    if (*lines < LINES_PER_SECOND) {
        ++*lines;
        return true;
    }
    topic->left_out++;
    return false;
}

__attribute__((format(printf, 4, 0))) static void say(enum log_level level, const char *topic,
                                                      bool paced, const char *format, va_list args)
{
    char message[LINE_MAX_BYTES];
    int len = vsnprintf(message, sizeof message, format, args);
    if (len >= (int)sizeof message)
        memcpy(message + sizeof message - 4, "...", 4);

    pthread_mutex_lock(&state.lock);
    if (level >= state.least) {
        weir_ns now = clock_stopwatch();
        settle_topics(now, false);
        if (paced || admit(topic_of(topic), level, now))
            write_line(level, topic, len < 0 ? format : message);
    }
    pthread_mutex_unlock(&state.lock);
}

void log_line(enum log_level level, const char *topic, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(level, topic, false, format, args);
    va_end(args);
}

void log_paced_line(enum log_level level, const char *topic, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(level, topic, true, format, args);
    va_end(args);
}

void log_flush(void)
{
    pthread_mutex_lock(&state.lock);
    settle_topics(0, true);
    pthread_mutex_unlock(&state.lock);
}
