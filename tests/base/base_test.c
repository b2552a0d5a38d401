/* base_test.c - the small ones: why, clock, log. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/why.h"

/* --- why ------------------------------------------------------------------------------------- */

Test(why, the_cause_comes_last_and_what_we_were_doing_before_it)
{
    struct why why;
    cr_expect_eq(because(&why, WEIR_E_BAD_CONFIG, "%s: missing", "position_max"),
                 WEIR_E_BAD_CONFIG);
    while_doing(&why, "limits.%s", "host");
    while_doing(&why, "loading %s", "limits.yaml");
    cr_expect_str_eq(why.text, "loading limits.yaml: limits.host: position_max: missing");
    cr_expect_eq(why.err, WEIR_E_BAD_CONFIG);
    cr_expect_eq(because(&why, WEIR_E_IO, "[%s]", why.text), WEIR_E_IO,
                 "its own text may be quoted");
    cr_expect_str_eq(why.text, "[loading limits.yaml: limits.host: position_max: missing]");
    cr_expect_eq(because(NULL, WEIR_E_IO, "nobody asks"), WEIR_E_IO);
    while_doing(NULL, "nobody asks");
}

Test(why, a_text_that_does_not_fit_says_so)
{
    struct why why;
    char big[3000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    because(&why, WEIR_E_IO, "%s", big);
    cr_expect_eq(strlen(why.text), sizeof why.text - 1);
    cr_expect_str_eq(why.text + sizeof why.text - 5, "x...");
    while_doing(&why, "%s", big);
    cr_expect_eq(strlen(why.text), sizeof why.text - 1);
    cr_expect_str_eq(why.text + sizeof why.text - 5, "x...");
    because(&why, WEIR_E_IO, "cause");
    while_doing(&why, "%s", big);
    cr_expect_not_null(strstr(why.text, "...: cause"), "the cause is not lost");
}

Test(why, each_error_has_a_name_and_a_text_of_its_own)
{
    cr_expect_str_eq(err_name(WEIR_E_GAP), "GAP");
    cr_expect_str_eq(err_text(WEIR_E_GAP), "a sequence number was skipped");
    cr_expect_str_eq(err_name(WEIR_OK), "OK");
    cr_expect_str_eq(err_name((enum weir_err)9999), "OTHER");
    cr_expect_str_eq(err_name((enum weir_err) - 1), "OTHER");
    for (int a = 0; a < WEIR_ERR_COUNT; a++)
        for (int b = 0; b < a; b++)
            cr_expect_str_neq(err_name((enum weir_err)a), err_name((enum weir_err)b));
}

/* --- clock ----------------------------------------------------------------------------------- */

Test(clock, virtual_time_goes_where_it_is_told_and_never_back)
{
    struct clock clock = clock_virtual(1000);
    cr_expect_eq(clock_now(&clock), 1000);
    clock_advance(&clock, 5000);
    clock_advance(&clock, 3000);
    cr_expect_eq(clock_now(&clock), 5000);
    cr_expect_eq(clock_wall(&clock), 5000);
}

Test(clock, real_time_begins_at_the_wall_and_never_goes_back)
{
    struct clock clock = clock_real();
    weir_ns last = clock_now(&clock), apart = last - clock_wall(&clock);
    cr_expect(apart > -1000000000 && apart < 1000000000, "%ld ns from the wall", (long)apart);
    for (int i = 0; i < 10000; i++) {
        weir_ns now = clock_now(&clock);
        cr_assert_geq(now, last);
        last = now;
    }
    clock_advance(&clock, last + 1000000000000);
    cr_expect_lt(clock_now(&clock), last + 100000000000, "it is not told");
    clock.now = last + 1000000000000; /* as if the last reading had been later */
    cr_expect_eq(clock_now(&clock), last + 1000000000000);
    weir_ns watch = clock_stopwatch();
    cr_expect_geq(clock_stopwatch(), watch);
}

/* For half a second, long enough to know the pace of the counter: between two readings of the system's
 * clock each answer lies, give or take what its pace may change in a millisecond; and none goes back. */
Test(clock, a_stopwatch_counts_on_as_the_monotonic_clock_does)
{
    struct timespec t;
    weir_ns before, after, now, last = 0, end = 0;
    do {
        clock_gettime(CLOCK_MONOTONIC, &t);
        before = (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
        now = clock_stopwatch();
        clock_gettime(CLOCK_MONOTONIC, &t);
        after = (weir_ns)t.tv_sec * 1000000000 + t.tv_nsec;
        cr_assert(now >= last && now > before - 5000 && now < after + 5000, "%ld .. %ld: %ld",
                  (long)before, (long)after, (long)now);
        last = now;
        end = end ? end : before + 500000000;
        if (now % 7 == 0)
            usleep(3000); /* and after a pause */
    } while (before < end);
}

/* --- log ------------------------------------------------------------------------------------- */

/* What has been logged since the last call; the caller frees it. */
static char *logged(FILE *file)
{
    static long from;
    fseek(file, 0, SEEK_END);
    long len = ftell(file) - from;
    char *text = calloc(1, (size_t)len + 1);
    cr_assert_not_null(text);
    fseek(file, from, SEEK_SET);
    cr_assert_eq(fread(text, 1, (size_t)len, file), (size_t)len);
    from += len;
    return text;
}

static int lines_of(const char *text)
{
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

Test(log, a_line_is_one_line_and_says_when_what_and_where)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    log_to(file, false, LOG_INFO);
    log_line(LOG_DEBUG, "net", "below what is asked for");
    log_line(LOG_WARN, "net", "a stranger says: %s", "x\n2026 error\x1B[2J \xC3\xA9\xFF");
    char *text = logged(file);
    cr_expect_eq(lines_of(text), 1, "%s", text);
    cr_expect_not_null(
        strstr(text, "Z warn  net: a stranger says: x\\x0A2026 error\\x1B[2J \xC3\xA9\\xFF\n"),
        "%s", text);
    free(text);

    log_to(file, true, LOG_DEBUG);
    log_line(LOG_DEBUG, "net", "%s", "\"x\"\n\xFF");
    char big[6000];
    memset(big, 'y', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_line(LOG_ERROR, "net", "%s", big);
    text = logged(file);
    cr_assert_eq(lines_of(text), 2, "%s", text);
    char *second = strchr(text, '\n') + 1;
    cJSON *root = json_read(text, (size_t)(second - text), NULL);
    cr_assert_not_null(root, "%s", text);
    cr_expect_str_eq(json_text(root, "level", ""), "debug");
    cr_expect_str_eq(json_text(root, "topic", ""), "net");
    cr_expect_str_eq(json_text(root, "text", ""), "\"x\"\n\xEF\xBF\xBD");
    cr_expect_eq(strlen(json_text(root, "time", "")), strlen("2026-01-02T03:04:05.123456Z"));
    cJSON_Delete(root);
    root = json_read(second, strlen(second), NULL);
    cr_assert_not_null(root);
    const char *cut = json_text(root, "text", "");
    cr_expect(strlen(cut) > 4000 && strcmp(cut + strlen(cut) - 4, "y...") == 0);
    cJSON_Delete(root);
    free(text);
    log_to(NULL, false, LOG_INFO);
    fclose(file);
}

Test(log, a_noisy_topic_is_cut_told_and_alone)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    log_to(file, false, LOG_INFO);
    free(logged(file));
    for (int i = 0; i < 100; i++)
        log_line(LOG_INFO, "noise", "line %d", i);
    log_line(LOG_ERROR, "noise", "an error is not hidden by it");
    for (int i = 0; i < 100; i++)
        log_paced_line(LOG_INFO, "paced", "%d", i);
    log_line(LOG_INFO, "quiet", "still heard");
    log_flush();
    log_flush();
    char *text = logged(file);
    /* a second may have ended on the way: what was written and what is told make 100 */
    int written = 0, told = 0;
    for (char *line = strstr(text, "noise: "); line; line = strstr(line + 1, "noise: ")) {
        int more = 0;
        if (sscanf(line, "noise: %d more lines were left out", &more) == 1)
            told += more;
        else
            written++;
    }
    cr_expect_eq(written + told, 101, "%d written, %d told", written, told);
    cr_expect_not_null(strstr(text, "noise: an error is not hidden by it"));
    cr_expect_not_null(strstr(text, "paced: 99"));
    cr_expect_gt(told, 0);
    cr_expect_geq(written, 20);
    cr_expect_not_null(strstr(text, "quiet: still heard"));
    free(text);
    for (int i = 0; i < 1100; i++) { /* more topics than there is room for */
        char topic[32];
        snprintf(topic, sizeof topic, "topic %d", i);
        log_line(LOG_INFO, topic, "x");
    }
    log_flush();
    text = logged(file);
    cr_expect_not_null(strstr(text, "topic 3: x"));
    cr_expect_not_null(strstr(text, "other topics: "), "%s", text);
    free(text);
    log_to(NULL, false, LOG_INFO);
    fclose(file);
}
