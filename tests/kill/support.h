/* support.h - processes and their words, for the programs that kill them. */
#ifndef TESTS_KILL_SUPPORT_H
#define TESTS_KILL_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/json.h"
#include "base/text.h"
#include "weir/event.h"

/* "kill: ..." on standard error, and exit 1. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

weir_ns now_ns(void); /* monotonic */
void sleep_ns(weir_ns ns);

struct process {
    pid_t pid;
    int said; /* what it writes: of an exchange stdout, of a host stderr */
    char *text;
    size_t len;
};

/* Start argv[0]; from: the descriptor that is listened to (1 or 2), the other goes to a file. traced:
 * it stops before its first instruction, as ptrace wants it. */
struct process process_start(const char *const argv[], int from, const char *other, bool traced);
/* Read what it has said so far, waiting at most so long. False: it has ended. */
bool process_listen(struct process *process, weir_ns most);
/* Listen until it says this, at most so long. NULL: it did not; else where it stands. */
const char *process_says(struct process *process, const char *text, weir_ns most);
int process_wait(struct process *process); /* its wait status; frees what it said */
int process_kill(struct process *process, int signal);

/* GET http://127.0.0.1:port/path as JSON, at most a minute. cJSON_Delete() it. */
cJSON *get_json(uint16_t port, const char *path);
void post_json(uint16_t port, const char *path, const char *body);

void write_file(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
void remove_folder(const char *path);

/* --- the compared books -----------------------------------------------------------------------*/

struct verdict {
    uint64_t orders, executions; /* the exchange's */
    uint64_t orders_lost, orders_doubled, orders_differ;
    uint64_t executions_lost, executions_doubled, executions_differ;
    uint64_t positions_differ;
    uint64_t mismatches;    /* alerts of a reconciliation that found other positions or balances */
    uint64_t unjournaled;   /* the exchange has an order that the journal does not hold as sent */
    uint64_t never_arrived; /* journalled as sent, and the exchange never saw it: REJECTED here */
    uint64_t external;      /* orders or executions that the host took for somebody else's */
};
/* Reads the journal and the exchange's books, and prints what differs (the first few). */
struct verdict compare(const char *journal, const cJSON *books, const char *account);
bool verdict_is_clean(const struct verdict *verdict);
void verdict_print(const struct verdict *verdict);

#endif
