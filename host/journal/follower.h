/* follower.h - a thread that reads behind a running journal, at the lowest priority, and sleeps in
 * between. [main thread, but for what is said otherwise] */
#ifndef WEIR_JOURNAL_FOLLOWER_H
#define WEIR_JOURNAL_FOLLOWER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/why.h"

struct follower {
    pthread_t thread;
    pthread_mutex_t door;
    pthread_cond_t wake;
    bool stopping; /* under door */
    void (*run)(struct follower *follower, void *context);
    void *context;
};

/* run() goes on until follower_sleep() says that it is time to stop. */
enum weir_err follower_start(struct follower *follower, const char *name,
                             void (*run)(struct follower *follower, void *context), void *context,
                             struct why *why) WEIR_MUST_USE;
void follower_stop(struct follower *follower); /* waits until run() has returned */

/* False: it is time to stop. 0 ms: only ask. [its own thread] */
bool follower_sleep(struct follower *follower, int ms);

#endif
