/* account.c - one account: a plugin that is its market, a client, and the faults between them. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "exchange/own.h"

enum { RENAMED_ROOM = 512 };

/* --- what the plugin says ---------------------------------------------------------------------*/

static void keep_instrument(struct account *account, const struct weir_instrument *instrument)
{
    size_t i = 0;
    while (i < account->instrument_count &&
           account->instruments[i].msg.instrument != instrument->msg.instrument)
        i++;
    if (i == INSTRUMENTS_KEPT) {
        log_line(LOG_ERROR, account->key, "instrument %s: no room", instrument->symbol);
        return;
    }
    account->instruments[i] = *instrument;
    account->instrument_count += i == account->instrument_count;
}

/* Rows of a reconciliation go to whoever asked for it, if he is still there. */
static void give_row(struct account *account, const struct weir_msg *event)
{
    if (event->kind == WEIR_RECON_BEGIN && account->asker_count > 0) {
        account->in_recon = true;
        account->recon_for = account->askers[account->asker_first];
        account->asker_first = (account->asker_first + 1) % ASKERS_MAX;
        account->asker_count--;
    }
    if (account->client && account->recon_for == client_generation(account->client))
        client_tell(account->client, event, 0);
    if (event->kind != WEIR_RECON_END)
        return;
    account->in_recon = false;
    if (account->recon_for == 0)
        exchange_audited(account->exchange);
}

static void give_event(struct account *account, const struct weir_msg *event)
{
    struct client *client = account->client;
    struct event_fate fate = faults_of_event(&account->exchange->faults, event);
    if (!client || fate.drop)
        return;
    if (fate.disconnect) {
        client_end(client);
        return;
    }
    client_tell(client, event, fate.delay_ms * 1000000);
    if (fate.twice)
        client_tell(client, event, 0);
}

static void on_emit(void *context, const struct weir_msg *event)
{
    struct account *account = context;
    _Alignas(8) unsigned char renamed[RENAMED_ROOM];
    if (account->exchange->options->venue_names &&
        wire_binance.rename(account->front, event, renamed, sizeof renamed))
        event = (const struct weir_msg *)(const void *)renamed;
    books_event(account->books, event);
    if (account->front)
        wire_binance.event(account->front, event);
    if (event->kind == WEIR_INSTRUMENT)
        keep_instrument(account, (const struct weir_instrument *)event);
    if (event->kind == WEIR_SESSION)
        return; /* it is about the plugin's own session; the client's begins when it comes */
    if (event->kind == WEIR_RECON_BEGIN || account->in_recon)
        give_row(account, event);
    else
        give_event(account, event);
}

static enum weir_err on_timer_wish(void *context, uint32_t id, weir_ns t)
{
    struct account *account = context;
    size_t i = 0;
    while (i < account->timer_count && account->timers[i].id != id)
        i++;
    if (i == TIMERS_MAX)
        return WEIR_E_FULL;
    account->timers[i].id = id;
    account->timers[i].t = t > 0 ? t : INT64_MAX;
    account->timer_count += i == account->timer_count;
    return WEIR_OK;
}

static void on_log(void *context, const char *text)
{
    const struct account *account = context;
    log_line(LOG_WARN, account->key, "%s", text);
}

static enum weir_err no_send(void *context, uint32_t conn, struct weir_bytes frame)
{
    (void)context, (void)conn, (void)frame;
    return WEIR_E_DOWN;
}

static enum weir_err no_connect(void *context, uint32_t conn, const char *path)
{
    (void)context, (void)conn, (void)path;
    return WEIR_E_DOWN;
}

static enum weir_err no_request(void *context, const struct weir_request_http *request)
{
    (void)context, (void)request;
    return WEIR_E_DOWN;
}

static enum weir_err no_sign(void *context, const char *key, const char *algorithm,
                             struct weir_bytes in, unsigned char *out, size_t *len)
{
    (void)context, (void)key, (void)algorithm, (void)in, (void)out, (void)len;
    return WEIR_E_UNSUPPORTED;
}

/* --- life -------------------------------------------------------------------------------------*/

static weir_ns now_of(const struct account *account)
{
    return clock_now(&account->exchange->clock);
}

static void ask_for_book(struct account *account, uint32_t instrument);

static enum weir_err start(struct account *account, struct why *why)
{
    const struct weir_plugin *plugin = account->exchange->plugin;
    enum weir_err err =
        plugin->open(&account->host, account->exchange->options->settings, &account->session);
    if (err) {
        account->session = NULL;
        return because(why, err, "plugin %s does not open a session: %s", plugin->name,
                       err_text(err));
    }
    err = plugin->start(account->session, now_of(account));
    return err ? because(why, err, "plugin %s does not start: %s", plugin->name, err_text(err))
               : WEIR_OK;
}

struct account *account_open(struct exchange *exchange, const char *key, struct why *why)
{
    struct account *account = calloc(1, sizeof *account);
    if (!account || !(account->books = books_create())) {
        (void)because(why, WEIR_E_NO_MEMORY, "%s", err_text(WEIR_E_NO_MEMORY));
        free(account);
        return NULL;
    }
    account->exchange = exchange;
    memcpy(account->key, key, strnlen(key, sizeof account->key - 1));
    account->host = (struct weir_host){.size = sizeof account->host,
                                       .abi = WEIR_ABI,
                                       .host = account,
                                       .emit = on_emit,
                                       .send = no_send,
                                       .request = no_request,
                                       .connect = no_connect,
                                       .timer = on_timer_wish,
                                       .sign = no_sign,
                                       .log = on_log};
    account->front = wire_binance.create(account);
    if (!account->front || start(account, why)) {
        account_close(account);
        return NULL;
    }
    for (size_t i = 0; i < account->instrument_count; i++)
        ask_for_book(account, account->instruments[i].msg.instrument);
    return account;
}

void account_close(struct account *account)
{
    if (account->session && account->exchange->plugin->close)
        account->exchange->plugin->close(account->session);
    wire_binance.destroy(account->front);
    books_destroy(account->books);
    free(account);
}

weir_ns account_next(const struct account *account)
{
    weir_ns next = INT64_MAX;
    for (size_t i = 0; i < account->timer_count; i++)
        next = account->timers[i].t < next ? account->timers[i].t : next;
    return next;
}

void account_run(struct account *account, weir_ns now)
{
    for (size_t i = 0; i < account->timer_count; i++) {
        if (account->timers[i].t > now)
            continue;
        account->timers[i].t = INT64_MAX;
        enum weir_err err =
            account->exchange->plugin->on_timer(account->session, account->timers[i].id, now);
        if (err)
            log_line(LOG_ERROR, account->key, "the plugin's timer: %s", err_text(err));
    }
}

/* --- requests ---------------------------------------------------------------------------------*/

static void refuse(struct account *account, const struct weir_intent *intent, const char *reason)
{
    uint16_t kind = intent->msg.kind == WEIR_NEW       ? WEIR_REJECT
                    : intent->msg.kind == WEIR_CANCEL  ? WEIR_CANCEL_REJECT
                    : intent->msg.kind == WEIR_REPLACE ? WEIR_REPLACE_REJECT
                                                       : WEIR_NONE;
    struct weir_report report = {.msg = {.size = sizeof report,
                                         .kind = kind,
                                         .instrument = intent->msg.instrument,
                                         .t_venue = now_of(account)},
                                 .proof = WEIR_DEFINITE,
                                 .state = WEIR_STATE_REJECTED,
                                 .side = intent->side};
    if (kind == WEIR_NONE)
        return; /* a question without an answer */
    memcpy(report.client_id, intent->client_id, WEIR_ID_MAX);
    memcpy(report.venue_id, intent->venue_id, WEIR_ID_MAX);
    memcpy(report.reason, reason, strnlen(reason, WEIR_REASON_MAX - 1));
    books_event(account->books, &report.msg);
    if (account->client)
        client_tell(account->client, &report.msg, 0);
}

static enum weir_err ask(struct account *account, const struct weir_intent *intent, uint64_t asker)
{
    const struct weir_plugin *plugin = account->exchange->plugin;
    bool recon = intent->msg.kind == WEIR_RECONCILE;
    if (recon && account->asker_count == ASKERS_MAX)
        return WEIR_E_FULL;
    if (recon)
        account->askers[(account->asker_first + account->asker_count++) % ASKERS_MAX] = asker;
    enum weir_err err = plugin->on_intent(account->session, now_of(account), intent);
    if (err && recon)
        account->asker_count--;
    return err;
}

enum weir_err account_request(struct account *account, struct weir_intent *intent)
{
    enum fault_kind fault = FAULT_KINDS;
    struct client *client = account->client;
    if (!client)
        return WEIR_E_STATE;
    books_request(account->books, intent);
    bool wrong = faults_of_request(&account->exchange->faults, intent, &fault);
    if (wrong && fault == FAULT_REJECT) {
        refuse(account, intent, "FAULT");
        return WEIR_OK;
    }
    enum weir_err err = ask(account, intent, client_generation(client));
    if (err)
        refuse(account, intent, err_name(err));
    if (wrong && fault == FAULT_DISCONNECT)
        client_end(client);
    return WEIR_OK;
}

void account_note(struct account *account, struct weir_intent *intent)
{
    intent->msg.size = sizeof *intent;
    intent->msg.t = now_of(account);
    books_request(account->books, intent);
}

void account_note_event(struct account *account, const struct weir_msg *event)
{
    books_event(account->books, event);
}

enum weir_err account_ask_noted(struct account *account, struct weir_intent *intent)
{
    intent->msg.size = sizeof *intent;
    intent->msg.t = now_of(account);
    return ask(account, intent, UINT64_MAX);
}

enum weir_err account_ask(struct account *account, struct weir_intent *intent)
{
    intent->msg.size = sizeof *intent;
    intent->msg.t = now_of(account);
    books_request(account->books, intent);
    return ask(account, intent, UINT64_MAX); /* no client's number */
}

bool account_audit(struct account *account)
{
    struct weir_intent intent = {
        .msg = {.size = sizeof intent, .kind = WEIR_RECONCILE, .t = now_of(account)}};
    return ask(account, &intent, 0) == WEIR_OK;
}

/* --- its client -------------------------------------------------------------------------------*/

/* Books come as changes: who comes late wants one whole first. */
static void ask_for_book(struct account *account, uint32_t instrument)
{
    struct weir_intent intent = {.msg = {.size = sizeof intent,
                                         .kind = WEIR_RESYNC,
                                         .instrument = instrument,
                                         .t = now_of(account)}};
    (void)ask(account, &intent, 0);
}

void account_join(struct account *account, struct client *client)
{
    struct weir_session up = {
        .msg = {.size = sizeof up, .kind = WEIR_SESSION, .flags = WEIR_STREAM_UP}};
    if (account->client)
        client_end(account->client);
    account->client = client;
    for (size_t i = 0; i < account->instrument_count; i++)
        client_tell(client, &account->instruments[i].msg, 0);
    client_tell(client, &up.msg, 0);
    for (size_t i = 0; i < account->instrument_count; i++)
        ask_for_book(account, account->instruments[i].msg.instrument);
}

void account_leave(struct account *account, const struct client *client)
{
    if (account->client == client)
        account->client = NULL;
}
