/* follower.c - see follower.h. */
#include "journal/follower.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

bool follower_sleep(struct follower *follower, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&follower->door);
    while (ms > 0 && !follower->stopping &&
           pthread_cond_timedwait(&follower->wake, &follower->door, &until) != ETIMEDOUT) {
    }
    bool go_on = !follower->stopping;
    pthread_mutex_unlock(&follower->door);
    return go_on;
}

static void *run(void *context)
{
    struct follower *follower = context;
    struct sched_param idle = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &idle);
    follower->run(follower, follower->context);
    return NULL;
}

static void fini(struct follower *follower)
{
    pthread_mutex_destroy(&follower->door);
    pthread_cond_destroy(&follower->wake);
}

/* The thread must not take the process's signals. */
enum weir_err follower_start(struct follower *follower, const char *name,
                             void (*action)(struct follower *follower, void *context),
                             void *context, struct why *why)
{
    pthread_condattr_t monotonic;
    sigset_t all, before;
    *follower = (struct follower){.run = action, .context = context};
    pthread_mutex_init(&follower->door, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&follower->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&follower->thread, NULL, run, follower);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_setname_np(follower->thread, name);
        return WEIR_OK;
    }
    fini(follower);
    return because(why, WEIR_E_IO, "cannot start the thread %s: %s", name, strerror(error));
}

void follower_stop(struct follower *follower)
{
    pthread_mutex_lock(&follower->door);
    follower->stopping = true;
    pthread_cond_signal(&follower->wake);
    pthread_mutex_unlock(&follower->door);
    pthread_join(follower->thread, NULL);
    fini(follower);
}
