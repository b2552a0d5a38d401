/* exchange.c - see exchange.h. */
#include "exchange/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "exchange/own.h"
#include "venue/venue.h"

struct account *exchange_account(struct exchange *exchange, const char *key, struct why *why)
{
    struct account **at = &exchange->accounts;
    for (; *at; at = &(*at)->next)
        if (strcmp((*at)->key, key) == 0)
            return *at;
    *at = account_open(exchange, key, why);
    return *at;
}

/* --- audits -----------------------------------------------------------------------------------*/

static void begin_audit(struct exchange *exchange)
{
    exchange->audit++;
    exchange->audit_again = false;
    exchange->audit_left = 1; /* our own, so that it does not end before all were asked */
    for (struct account *account = exchange->accounts; account; account = account->next)
        exchange->audit_left += account_audit(account);
    exchange_audited(exchange);
}

void exchange_audited(struct exchange *exchange)
{
    if (exchange->audit_left == 0 || --exchange->audit_left > 0)
        return;
    server_audited(exchange->server, exchange->audit);
    if (exchange->audit_again)
        begin_audit(exchange);
}

uint64_t exchange_ask_audit(struct exchange *exchange)
{
    if (exchange->audit_left > 0) {
        exchange->audit_again = true;
        return exchange->audit + 1;
    }
    uint64_t number = exchange->audit + 1;
    exchange->audit_again = true; /* begun by the loop, when the asker is ready to be answered */
    return number;
}

void exchange_books_json(struct exchange *exchange, struct text *out)
{
    json_object(out);
    json_key(out, "accounts");
    json_object(out);
    for (struct account *account = exchange->accounts; account; account = account->next) {
        json_key(out, account->key);
        books_json(account->books, out);
    }
    json_end(out);
    json_end(out);
}

/* --- the loop ---------------------------------------------------------------------------------*/

static weir_ns least(weir_ns a, weir_ns b)
{
    return a < b ? a : b;
}

static void run(struct exchange *exchange)
{
    const weir_ns second = 1000000000;
    while (!exchange->options->stop_asked()) {
        weir_ns now = clock_now(&exchange->clock), next = now + second;
        for (struct account *account = exchange->accounts; account; account = account->next) {
            account_run(account, now);
            wire_binance.settled(account->front, now);
            next = least(next, account_next(account));
            next = least(next, wire_binance.next(account->front));
        }
        if (exchange->audit_again && exchange->audit_left == 0)
            begin_audit(exchange);
        next = least(next, server_next(exchange->server));
        now = clock_now(&exchange->clock);
        server_wait(exchange->server, next > now ? next - now : 0);
    }
}

enum weir_err exchange_run(const struct exchange_options *options, struct why *why)
{
    struct exchange exchange = {.options = options, .clock = clock_real()};
    struct plugin *plugin = NULL;
    enum weir_err err = plugin_load(options->plugin, &plugin, why);
    if (err)
        return err;
    exchange.plugin = plugin_descriptor(plugin);
    if (!exchange.plugin->caps->orders)
        return because(why, WEIR_E_UNSUPPORTED, "plugin '%s' has market data only",
                       exchange.plugin->name);
    exchange.server = server_create(&exchange, options->port, why);
    if (!exchange.server)
        return why->err;
    if (exchange_account(&exchange, "main", why)) {
        printf("{\"http\":%u,\"ws\":%u}\n", server_port(exchange.server),
               server_port(exchange.server));
        fflush(stdout);
        run(&exchange);
    } else {
        err = why->err;
    }
    server_destroy(exchange.server);
    while (exchange.accounts) {
        struct account *account = exchange.accounts;
        exchange.accounts = account->next;
        account_close(account);
    }
    return err;
}
