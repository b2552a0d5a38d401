/* faults_test.c - what is asked to go wrong goes wrong, so often and no oftener. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "exchange/dialect.h"
#include "exchange/faults.h"

static struct faults faults;

static enum weir_err add(const char *json, struct why *why)
{
    cJSON *wish = json_read(json, strlen(json), why);
    cr_assert_not_null(wish, "%s", why->text);
    enum weir_err err = faults_add(&faults, wish, why);
    cJSON_Delete(wish);
    return err;
}

static void must_add(const char *json)
{
    struct why why;
    cr_assert_eq(add(json, &why), WEIR_OK, "%s: %s", json, why.text);
}

static int request(uint16_t kind, const char *id)
{
    struct weir_intent intent = {.msg = {.size = sizeof intent, .kind = kind}};
    enum fault_kind fault;
    snprintf(intent.client_id, sizeof intent.client_id, "%s", id);
    return faults_of_request(&faults, &intent, &fault) ? (int)fault : -1;
}

static struct event_fate event(uint16_t kind, const char *id)
{
    struct weir_fill fill = {.msg = {.size = sizeof fill, .kind = kind}};
    struct weir_report report = {.msg = {.size = sizeof report, .kind = kind}};
    snprintf(fill.client_id, sizeof fill.client_id, "%s", id);
    snprintf(report.client_id, sizeof report.client_id, "%s", id);
    return faults_of_event(&faults, kind == WEIR_FILL ? &fill.msg : &report.msg);
}

Test(faults, wishes_are_judged)
{
    static const struct {
        const char *json, *why;
    } bad[] = {{"{}", "kind"},
               {"{\"kind\":\"explode\"}", "explode"},
               {"{\"kind\":5}", "kind"},
               {"{\"kind\":\"reject\",\"match\":5}", "match"},
               {"{\"kind\":\"reject\",\"match\":\"a b\"}", "match"},
               {"{\"kind\":\"reject\",\"match\":\"\"}", "match"},
               {"{\"kind\":\"reject\",\"count\":0}", "count"},
               {"{\"kind\":\"reject\",\"count\":1.5}", "count"},
               {"{\"kind\":\"reject\",\"count\":\"2\"}", "count"},
               {"{\"kind\":\"delay\",\"ms\":-1}", "ms"},
               {"{\"kind\":\"reject\",\"often\":1}", "often"}};
    struct why why;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_neq(add(bad[i].json, &why), WEIR_OK, "%s", bad[i].json);
        cr_assert(strstr(why.text, bad[i].why), "%s: %s", bad[i].json, why.text);
    }
    for (int i = 0; i < FAULTS_MAX; i++)
        must_add("{\"kind\":\"reject\"}");
    cr_assert_eq(add("{\"kind\":\"reject\"}", &why), WEIR_E_FULL);
}

Test(faults, each_hits_what_it_names_and_is_used_up)
{
    must_add("{\"kind\":\"reject\",\"match\":\"cancel\",\"count\":2}");
    cr_assert_eq(request(WEIR_NEW, "a"), -1);
    cr_assert_eq(request(WEIR_RESYNC, ""), -1, "market data is never hit");
    cr_assert_eq(request(WEIR_CANCEL, "a"), FAULT_REJECT);
    cr_assert_eq(request(WEIR_CANCEL, "b"), FAULT_REJECT);
    cr_assert_eq(request(WEIR_CANCEL, "c"), -1);
    must_add("{\"kind\":\"disconnect\",\"match\":\"a1\"}");
    cr_assert_eq(request(WEIR_NEW, "a11"), -1);
    cr_assert_eq(event(WEIR_ACK, "a1").disconnect, false, "an answer is not a request");
    cr_assert_eq(request(WEIR_NEW, "a1"), FAULT_DISCONNECT);
    must_add("{\"kind\":\"disconnect\",\"match\":\"fill\"}");
    cr_assert_eq(request(WEIR_NEW, "x"), -1);
    cr_assert(event(WEIR_FILL, "x").disconnect);
    cr_assert_not(event(WEIR_FILL, "x").disconnect);
    cr_assert_eq(faults.count, 0);
}

Test(faults, a_dropped_answer_is_that_of_its_request_and_no_other)
{
    must_add("{\"kind\":\"drop_ack\",\"match\":\"new\"}");
    cr_assert_eq(request(WEIR_NEW, "a"), FAULT_DROP_ACK);
    cr_assert_not(event(WEIR_ACK, "b").drop);
    cr_assert_not(event(WEIR_FILL, "a").drop, "a report is no answer");
    cr_assert_not(event(WEIR_CANCELED, "a").drop);
    cr_assert(event(WEIR_ACK, "a").drop);
    cr_assert_not(event(WEIR_ACK, "a").drop);
    must_add("{\"kind\":\"drop_ack\",\"match\":\"new\"}");
    cr_assert_eq(request(WEIR_NEW, "c"), FAULT_DROP_ACK);
    cr_assert(event(WEIR_REJECT, "c").drop, "a refusal is an answer");
    must_add("{\"kind\":\"drop_ack\",\"match\":\"replace\"}");
    cr_assert_eq(request(WEIR_REPLACE, "c"), FAULT_DROP_ACK);
    cr_assert(event(WEIR_REPLACED, "c-next").drop, "which may name the new id");
}

Test(faults, answers_and_reports_come_late_or_twice)
{
    must_add("{\"kind\":\"duplicate\",\"match\":\"new\",\"count\":2}");
    must_add("{\"kind\":\"delay\",\"match\":\"fill\",\"ms\":250}");
    cr_assert(event(WEIR_ACK, "a").twice && event(WEIR_REJECT, "b").twice);
    cr_assert_not(event(WEIR_ACK, "c").twice);
    cr_assert_eq(event(WEIR_FILL, "a").delay_ms, 250);
    cr_assert_eq(event(WEIR_FILL, "a").delay_ms, 0);
    struct text out;
    must_add("{\"kind\":\"delay\",\"match\":\"*\",\"ms\":9,\"count\":3}");
    text_init(&out);
    faults_json(&faults, &out);
    cr_assert_str_eq(text_cstr(&out),
                     "[{\"kind\":\"delay\",\"match\":\"*\",\"count\":3,\"ms\":9}]");
    text_fini(&out);
}

Test(faults, the_dialect_of_remote_takes_intents_only)
{
    struct weir_intent intent = {.msg = {.size = sizeof intent, .kind = WEIR_NEW}}, out;
    struct weir_bytes bytes = {(const char *)&intent, sizeof intent};
    cr_assert_eq(dialect_remote.take(bytes, &out), WEIR_OK);
    bytes.len--;
    cr_assert_eq(dialect_remote.take(bytes, &out), WEIR_E_BAD_FRAME);
    bytes.len++;
    intent.msg.kind = WEIR_ACK;
    cr_assert_eq(dialect_remote.take(bytes, &out), WEIR_E_BAD_FRAME);
    intent.msg.kind = WEIR_NEW;
    intent.msg.size = 40;
    cr_assert_eq(dialect_remote.take(bytes, &out), WEIR_E_BAD_FRAME);
    intent.msg.size = sizeof intent;
    memset(intent.client_id, 'x', sizeof intent.client_id);
    cr_assert_eq(dialect_remote.take(bytes, &out), WEIR_E_BAD_FRAME, "an id without an end");
}

/* --- states of the whole venue ----------------------------------------------------------------*/

static enum weir_err wish(struct faults *faults, const char *text)
{
    struct why why;
    cJSON *root = json_read(text, strlen(text), &why);
    cr_assert_not_null(root, "%s", why.text);
    enum weir_err err = faults_add(faults, root, &why);
    cJSON_Delete(root);
    return err;
}

Test(faults, the_whole_venue_is_wrong_for_a_while)
{
    struct faults faults = {.now = 1000000000};
    cr_assert_eq(wish(&faults, "{\"kind\":\"ban\",\"ms\":500}"), WEIR_OK);
    cr_assert_eq(faults.ban_until, 1500000000);
    cr_assert_eq(wish(&faults, "{\"kind\":\"maintenance\",\"ms\":20}"), WEIR_OK);
    cr_assert_eq(faults.maintenance_until, 1020000000);
    cr_assert_eq(wish(&faults, "{\"kind\":\"freeze\",\"ms\":1}"), WEIR_OK);
    cr_assert_eq(faults.freeze_until, 1001000000);
    cr_assert_eq(wish(&faults, "{\"kind\":\"lag\",\"ms\":70}"), WEIR_OK);
    cr_assert_eq(faults.lag_ms, 70);
    cr_assert_eq(wish(&faults, "{\"kind\":\"clock\",\"ms\":-900}"), WEIR_OK);
    cr_assert_eq(faults.clock_ms, -900);
    cr_assert_eq(faults.count, 0, "none of them waits to hit something");
    cr_assert_neq(wish(&faults, "{\"kind\":\"ban\"}"), WEIR_OK, "for how long?");
    cr_assert_neq(wish(&faults, "{\"kind\":\"ban\",\"ms\":-5}"), WEIR_OK);
}

Test(faults, an_error_after_execution_mutes_the_answer_and_a_reordered_report_is_alone)
{
    struct faults faults = {.now = 1};
    enum fault_kind kind = FAULT_KINDS;
    struct weir_intent intent = {.msg = {.size = sizeof intent, .kind = WEIR_NEW}};
    struct weir_report ack = {.msg = {.size = sizeof ack, .kind = WEIR_ACK}};
    struct weir_fill fill = {.msg = {.size = sizeof fill, .kind = WEIR_FILL}};
    memcpy(intent.client_id, "a1", 3);
    memcpy(ack.client_id, "a1", 3);
    cr_assert_eq(wish(&faults, "{\"kind\":\"error\",\"match\":\"new\"}"), WEIR_OK);
    cr_assert(faults_of_request(&faults, &intent, &kind));
    cr_assert_eq(kind, FAULT_ERROR);
    cr_assert(faults_of_event(&faults, &ack.msg).drop);
    cr_assert_eq(wish(&faults, "{\"kind\":\"reorder\",\"match\":\"fill\",\"ms\":30}"), WEIR_OK);
    struct event_fate fate = faults_of_event(&faults, &fill.msg);
    cr_assert(fate.alone && fate.delay_ms == 30);
    cr_assert(!faults_of_event(&faults, &fill.msg).alone, "once");
}
