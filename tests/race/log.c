/* log.c - several threads log at once, for the thread sanitizer. Exit 0: each line is whole. */
#include "base/log.h"

#include <pthread.h>
#include <string.h>

enum { THREADS = 4, LINES = 2000 };

static void *chatter(void *arg)
{
    const char *topic = arg;
    for (int i = 0; i < LINES; i++)
        log_line(i % 2 ? LOG_WARN : LOG_ERROR, topic, "line %d of the topic <%s>", i, topic);
    return NULL;
}

static bool is_whole(const char *line)
{
    size_t len = strlen(line);
    return len > 30 && line[len - 1] == '\n' && strstr(line, "Z ") == line + 26 &&
           (line[len - 2] == '>' || strstr(line, "left out\n"));
}

int main(void)
{
    char topics[THREADS][8];
    pthread_t threads[THREADS];
    FILE *file = tmpfile();
    if (!file)
        return 1;
    log_to(file, false, LOG_INFO);
    for (int i = 0; i < THREADS; i++) {
        snprintf(topics[i], sizeof topics[i], "t%d", i);
        if (pthread_create(&threads[i], NULL, chatter, topics[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_flush();
    log_to(NULL, false, LOG_INFO);

    char line[256];
    int lines = 0;
    rewind(file);
    for (; fgets(line, sizeof line, file); lines++)
        if (!is_whole(line)) {
            fprintf(stderr, "not whole: %s\n", line);
            return 1;
        }
    fclose(file);
    return lines >= 20 * THREADS ? 0 : 1;
}
