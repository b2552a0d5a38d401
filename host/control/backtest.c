/* backtest.c - see the header. */
#include "control/backtest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/log.h"
#include "control/host.h"
#include "control/report/report.h"
#include "control/rowtape.h"
#include "control/tape.h"

enum { SETS_MAX = 64, SENTENCES_MAX = 256, TELL_EACH = 512 };

/* A script is ended by what it does (HOST_INSTRUCTIONS), at the same place on every machine; the clock
 * ends it only where that does not, so a busy machine changes no result. */
enum { PATIENCE = 100 };

/* All that a run is made of. */
struct stage {
    const struct backtest *backtest;
    struct config *config;
    struct tape *tape; /* or, where there is a cache: */
    struct rowtape rows;
    struct host *host;
    struct tally tally;
    struct trail *trail;
    struct host_feed feed;
    struct host_witness witness;
    uint64_t given;
    struct report_pair parameters[SETS_MAX + 1];
    char *keys[SETS_MAX];
    struct report_pair *scripts;
    char *sentences[SENTENCES_MAX + 1];
    size_t sentence_count;
};

static struct backtest_progress *asked; /* of this process: one run at a time */

static bool stop_asked(void)
{
    return asked && atomic_load_explicit(&asked->stop, memory_order_relaxed) != 0;
}

/* --- listening ---------------------------------------------------------------------------------*/

static void hear_input(void *context, const struct engine *engine, const struct weir_msg *input)
{
    struct stage *stage = context;
    trail_input(stage->trail, input);
    tally_input(&stage->tally, engine, input);
}

static void hear_effect(void *context, const struct weir_msg *effect)
{
    struct stage *stage = context;
    trail_effect(stage->trail, effect);
    tally_effect(&stage->tally, effect);
}

static struct tape_progress progress_of(const struct stage *stage)
{
    const struct rows *rows = &stage->rows.rows;
    if (stage->tape)
        return tape_progress(stage->tape);
    return (struct tape_progress){stage->rows.given, rows->facts.left_out, rows->at};
}

static void tell_progress(struct stage *stage)
{
    struct tape_progress progress = progress_of(stage);
    atomic_store_explicit(&stage->backtest->progress->messages, progress.messages,
                          memory_order_relaxed);
    atomic_store_explicit(&stage->backtest->progress->bytes, progress.bytes, memory_order_relaxed);
}

static const struct host_feed *source_of(const struct stage *stage)
{
    return stage->tape ? tape_feed(stage->tape) : &stage->rows.feed;
}

static weir_ns feed_next(void *context)
{
    const struct host_feed *source = source_of(context);
    return source->next(source->context);
}

static enum weir_err feed_give(void *context, struct host *host, struct why *why)
{
    struct stage *stage = context;
    const struct host_feed *source = source_of(stage);
    if (stage->given++ % TELL_EACH == 0)
        tell_progress(stage);
    return source->give(source->context, host, why);
}

static void no_log(void *context, const char *script, const char *line)
{
    (void)context, (void)script, (void)line;
}

/* --- what is assumed ---------------------------------------------------------------------------*/

__attribute__((format(printf, 2, 3))) static void assume(struct stage *stage, const char *format,
                                                         ...)
{
    va_list args;
    char *line = NULL;
    if (stage->sentence_count == SENTENCES_MAX)
        return;
    va_start(args, format);
    int len = vasprintf(&line, format, args);
    va_end(args);
    if (len >= 0)
        stage->sentences[stage->sentence_count++] = line;
}

static const char *queue_words(const char *queue)
{
    static const struct {
        const char *queue, *words;
    } all[] = {
        {"trades_only", "the queue before an order of ours shrinks by recorded trades alone; a "
                        "cautious guess, since orders before it that were canceled still count"},
        {"capped_by_displayed_size",
         "the queue before an order of ours shrinks by recorded trades, and is at most the size "
         "displayed; sizes that disappear are taken from behind us first"},
        {"front", "whatever disappears, disappears before us: the best that can be hoped for, and "
                  "more than will happen"},
        {"back", "we are always last at a price: the worst that must be feared"},
        {"shared", "sizes that disappear without a trade do so before and behind us in proportion "
                   "to what stands there"},
        {"shared_2", "sizes that disappear without a trade do so before and behind us in "
                     "proportion to the squares of what stands there"},
        {"shared_3", "sizes that disappear without a trade do so before and behind us in "
                     "proportion to the cubes of what stands there"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i].queue, queue) == 0)
            return all[i].words;
    return "";
}

/* "5ms", "250us", "1.5ms" */
static void print_time(weir_ns t, char *text, size_t room)
{
    char digits[DECIMAL_TEXT_MAX];
    decimal_print(t, t >= 1000000 ? 6 : 3, digits);
    snprintf(text, room, "%s %s", digits, t >= 1000000 ? "ms" : "us");
}

static void assume_latency(struct stage *stage, const struct config_venue *venue)
{
    const struct config_paper *paper = &venue->paper;
    char submit[48], cancel[48], report[48], jitter[48], tail[48];
    if (*paper->latency_file) {
        assume(stage, "%s: the latencies are those measured in %s, %s.", venue->name,
               paper->latency_file,
               paper->latency_by_chance ? "drawn by chance" : "those of the same time");
        return;
    }
    print_time(paper->submit_latency, submit, sizeof submit);
    print_time(paper->cancel_latency, cancel, sizeof cancel);
    print_time(paper->report_latency, report, sizeof report);
    print_time(paper->latency_jitter, jitter, sizeof jitter);
    print_time(paper->latency_tail, tail, sizeof tail);
    assume(
        stage,
        "%s: latencies are assumed, not measured: orders take %s, cancels %s, reports %s; evenly "
        "up to %s more, and a tail with a mean of %s.",
        venue->name, submit, cancel, report, jitter, tail);
}

static void assume_venue(struct stage *stage, const struct config_venue *venue)
{
    const struct config_paper *paper = &venue->paper;
    char maker[DECIMAL_TEXT_MAX], taker[DECIMAL_TEXT_MAX], funding[DECIMAL_TEXT_MAX];
    if (venue->execution != EXECUTION_PAPER)
        return;
    assume(
        stage,
        "%s: queue model %s: %s. Markets that are recorded order by order need no model: there our "
        "place in the queue is known.",
        venue->name, paper->queue, queue_words(paper->queue));
    assume_latency(stage, venue);
    amount_print(paper->maker_fee_bps, maker);
    amount_print(paper->taker_fee_bps, taker);
    amount_print(paper->funding_bps, funding);
    assume(stage, "%s: fees are %s bps for what rested and %s bps for what took; %s.", venue->name,
           maker, taker,
           paper->funding_every > 0 ? "funding is one fixed rate, not the venue's"
                                    : "funding is left out");
    if (paper->funding_every > 0)
        assume(stage, "%s: funding is %s bps of a position's worth each time.", venue->name,
               funding);
    if (paper->drop_request_ppm || paper->drop_ack_ppm || paper->outage_every || paper->rate_max ||
        paper->reject_ppm || paper->duplicate_fill_ppm)
        assume(stage, "%s: faults are injected, as its paper section says.", venue->name);
}

static void assume_all(struct stage *stage, uint64_t gaps)
{
    for (size_t i = 0; i < stage->config->venue_count; i++)
        assume_venue(stage, &stage->config->venues[i]);
    assume(stage, "Nobody reacts to our orders: the market goes on as it was recorded, and what we "
                  "took of a displayed size is there again when the data names that price anew.");
    assume(stage, "The simulated venue sees the market when the recording received it; the way of "
                  "the data to us is part of what the latencies must cover.");
    if (stage->tally.last - stage->tally.first < (weir_ns)86400 * 1000000000)
        assume(stage,
               "Sharpe and Sortino are scaled to a year from less than a day of data: compare "
               "them with each other at most.");
    assume(stage,
           "Hidden orders, and what came and went between two messages, are not in the data.");
    assume(stage, "A strategy sees a message when it was received, never earlier; its requests "
                  "reach the book one latency later, and meet the book of that time.");
    if (gaps > 0)
        assume(stage,
               "%llu times a book was lost and built anew from a snapshot; meanwhile it was not "
               "traded on.",
               (unsigned long long)gaps);
}

/* --- making and unmaking -----------------------------------------------------------------------*/

static enum weir_err no_memory(struct why *why)
{
    return because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
}

static enum weir_err split_sets(struct stage *stage, struct why *why)
{
    const struct backtest *backtest = stage->backtest;
    if (backtest->set_count > SETS_MAX)
        return because(why, WEIR_E_USAGE, "at most %d values can be set", SETS_MAX);
    for (size_t i = 0; i < backtest->set_count; i++) {
        const char *equals = strchr(backtest->sets[i], '=');
        stage->keys[i] = strndup(backtest->sets[i], (size_t)(equals - backtest->sets[i]));
        if (!stage->keys[i])
            return no_memory(why);
        stage->parameters[i] = (struct report_pair){stage->keys[i], equals + 1};
    }
    return WEIR_OK;
}

static void set_up_log(const struct config *config)
{
    log_to(stderr, config->log_json, LOG_ERROR);
}

/* The decoded data, made if it is not there. */
static enum weir_err open_cache(struct rowtape *rows, const struct backtest *backtest,
                                const struct config *config, struct why *why)
{
    char path[1024];
    unsigned char source[32];
    enum weir_err err = rowtape_name(config, backtest->data, backtest->data_count, backtest->cache,
                                     path, sizeof path, source, why);
    if (!err)
        err = rowtape_open(rows, path, source, why);
    if (err != WEIR_E_NOT_FOUND)
        return err;
    err = rowtape_make(config, backtest->data, backtest->data_count, path, source, why);
    return err ? err : rowtape_open(rows, path, source, why);
}

enum weir_err backtest_decode(const struct backtest *backtest, struct why *why)
{
    struct rowtape rows;
    struct config *config =
        config_load_with(backtest->config, backtest->sets, backtest->set_count, why);
    if (!config)
        return why->err;
    set_up_log(config);
    enum weir_err err = open_cache(&rows, backtest, config, why);
    if (!err)
        rowtape_close(&rows);
    config_destroy(config);
    return err;
}

static enum weir_err open_data(struct stage *stage, struct why *why)
{
    const struct backtest *backtest = stage->backtest;
    if (backtest->rows)
        return rowtape_open(&stage->rows, backtest->rows, NULL, why);
    if (backtest->cache)
        return open_cache(&stage->rows, backtest, stage->config, why);
    stage->tape = tape_open(backtest->data, backtest->data_count, stage->config, why);
    return stage->tape ? WEIR_OK : why->err;
}

static enum weir_err make(struct stage *stage, struct why *why)
{
    const struct backtest *backtest = stage->backtest;
    stage->config = config_load_with(backtest->config, backtest->sets, backtest->set_count, why);
    if (!stage->config)
        return why->err;
    for (size_t i = 0; i < stage->config->script_count; i++) {
        stage->config->scripts[i].callback *= PATIENCE;
        stage->config->scripts[i].load *= PATIENCE;
    }
    set_up_log(stage->config);
    enum weir_err err = split_sets(stage, why);
    if (err)
        return err;
    err = open_data(stage, why);
    if (err)
        return err;
    stage->trail = trail_create(!backtest->fast);
    if (!stage->trail || !tally_init(&stage->tally, 4096, 1024, stage->config->orders))
        return no_memory(why);
    stage->feed = (struct host_feed){.context = stage, .next = feed_next, .give = feed_give};
    stage->witness = (struct host_witness){stage, hear_input, hear_effect};
    struct host_options options = {.virtual_time = true,
                                   .instructions = HOST_INSTRUCTIONS,
                                   .start = stage->tape ? tape_start(stage->tape)
                                                        : stage->rows.rows.facts.first,
                                   .journal = backtest->journal,
                                   .no_journal = backtest->journal == NULL,
                                   .feed = &stage->feed,
                                   .lazy = backtest->fast,
                                   .witness = &stage->witness,
                                   .stop_asked = stop_asked,
                                   .on_log = no_log};
    stage->host = host_create(stage->config, &options, why);
    return stage->host ? WEIR_OK : why->err;
}

static void unmake(struct stage *stage)
{
    host_destroy(stage->host);
    tape_close(stage->tape);
    rowtape_close(&stage->rows);
    tally_fini(&stage->tally);
    trail_destroy(stage->trail);
    config_destroy(stage->config);
    for (size_t i = 0; i < SETS_MAX; i++)
        free(stage->keys[i]);
    for (size_t i = 0; i < stage->sentence_count; i++)
        free(stage->sentences[i]);
    free(stage->scripts);
    free(stage);
}

/* --- the end -----------------------------------------------------------------------------------*/

static uint64_t count_gaps(const struct host *host)
{
    uint64_t gaps = 0;
    for (uint32_t i = 1; i <= host->instrument_count; i++) {
        struct feed_counts counts;
        if (host->instruments[i].venue &&
            session_feed_counts(host->instruments[i].venue->session, i, &counts))
            gaps += counts.gaps;
    }
    return gaps;
}

static bool list_scripts(struct stage *stage)
{
    const struct host *host = stage->host;
    stage->scripts = calloc(host->script_count + 1, sizeof *stage->scripts);
    for (size_t i = 0; stage->scripts && i < host->script_count; i++)
        stage->scripts[i] =
            (struct report_pair){host->scripts[i].config->name, host->scripts[i].sha256};
    return stage->scripts != NULL;
}

/* A script that was stopped makes a result that says little: it is said first. */
static void assume_quarantine(struct stage *stage)
{
    for (size_t i = 0; i < stage->host->script_count; i++) {
        const struct host_script *guest = &stage->host->scripts[i];
        struct script_report report;
        if (guest->outcome == SCRIPT_OK)
            continue;
        script_report(guest->script, &report);
        assume(stage, "The script %s was stopped before the end (%s): %s", guest->config->name,
               script_outcome_name(guest->outcome), report.reason);
    }
}

static weir_ns cpu_time(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
}

static enum weir_err tell(struct stage *stage, weir_ns took, weir_ns cpu, struct text *out,
                          struct why *why)
{
    struct journal_summary journal = {0};
    char hash[65] = "", folder[sizeof stage->host->journal_folder];
    struct tape_progress progress = progress_of(stage);
    snprintf(folder, sizeof folder, "%s", stage->host->journal_folder);
    enum weir_err err = host_close_journal(stage->host, &journal, why);
    if (err)
        return err;
    trail_whole(stage->trail, hash);
    uint64_t gaps = count_gaps(stage->host);
    assume_quarantine(stage);
    assume_all(stage, gaps);
    if (!list_scripts(stage) || stage->tally.failed)
        return no_memory(why);
    struct report_run run = {.tally = &stage->tally,
                             .engine = stage->host->engine,
                             .trail = stage->trail,
                             .parameters = stage->parameters,
                             .scripts = stage->scripts,
                             .assumptions = (const char *const *)stage->sentences,
                             .config = stage->config->path,
                             .config_sha256 = stage->config->sha256,
                             .journal = stage->backtest->journal ? folder : NULL,
                             .journal_hash = *hash ? hash : NULL,
                             .mode = stage->backtest->fast ? "fast" : "exact",
                             .rows = stage->rows.rows.facts.rows,
                             .decoding = stage->rows.rows.facts.took,
                             .messages = progress.messages,
                             .left_out = progress.left_out,
                             .gaps = gaps,
                             .took = took,
                             .cpu = cpu};
    report_json(&run, out);
    return text_ok(out) ? WEIR_OK : no_memory(why);
}

enum weir_err backtest_run(const struct backtest *backtest, struct text *out, struct why *why)
{
    struct stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return no_memory(why);
    stage->backtest = backtest;
    asked = backtest->progress;
    enum weir_err err = make(stage, why);
    weir_ns from = clock_stopwatch(), cpu = cpu_time();
    must(err || stage->host);
    if (!err)
        err = host_run(stage->host, why);
    if (!err) {
        tally_end(&stage->tally, stage->host->engine);
        tell_progress(stage);
        err = tell(stage, clock_stopwatch() - from, cpu_time() - cpu, out, why);
    }
    unmake(stage);
    return err;
}
