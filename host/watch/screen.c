/* screen.c - the live terminal status: what a person wants to know, on one screen. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "watch/mirror.h"

struct screen {
    const struct mirror *mirror;
    struct text *out;
    unsigned rows, columns;
    bool color;
};

#define PLAIN  "\033[0m"
#define BOLD   "\033[1m"
#define DIM    "\033[2m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"

/* One line, cut at the screen's width; `style` is put around it. */
static void line(struct screen *screen, const char *style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void line(struct screen *screen, const char *style, const char *format, ...)
{
    char text[512];
    va_list args;
    if (screen->rows == 0)
        return;
    screen->rows--;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (strlen(text) > screen->columns)
        text[screen->columns] = '\0';
    text_say(screen->out, "%s%s%s\n", screen->color ? style : "", text, screen->color ? PLAIN : "");
}

static const struct weir_instrument *def_of(const struct mirror *mirror, uint32_t number)
{
    static const struct weir_instrument none;
    return number < mirror->instrument_count ? &mirror->instruments[number].def : &none;
}

/* Money for eyes: two decimals, towards zero. The exact figure is in the JSON. */
static const char *money(amount value, char *text, size_t size)
{
    unsigned __int128 whole = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    uint64_t cents = (uint64_t)(whole / 10000000000000000u);
    snprintf(text, size, "%s%" PRIu64 ".%02u", value < 0 ? "-" : "", cents / 100,
             (unsigned)(cents % 100));
    return text;
}

static void clock_text(weir_ns t, char *text, size_t size)
{
    time_t seconds = (time_t)(t / 1000000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(text, size, "%H:%M:%S", &tm);
}

static void head(struct screen *screen)
{
    const struct mirror *m = screen->mirror;
    const struct note_host *host = &m->host;
    char now[32];
    clock_text(m->now, now, sizeof now);
    line(screen, m->killed ? RED : BOLD, "weir  %s UTC  up %" PRId64 " s  %s", now,
         (m->now - m->started) / 1000000000,
         m->killed        ? "KILL SWITCH PULLED: no new orders"
         : host->stopping ? "stopping"
                          : "trading");
    line(screen, DIM,
         "%" PRIu64 " messages/s  orders sent %" PRIu64 "  cancels %" PRIu64 "  fills %" PRIu64
         "  denied %" PRIu64 "  alerts %" PRIu64,
         m->inputs_rate, m->sent_new, m->sent_cancel, m->execution_total, m->denial_total,
         m->alert_total);
    line(screen, host->journal_failed ? RED : DIM,
         "journal %s  %" PRIu64 " records, %" PRIu64 " not on disk yet%s", host->journal,
         host->journal_seq,
         host->journal_seq > host->journal_durable ? host->journal_seq - host->journal_durable : 0,
         host->journal_failed ? "  FAILED: new orders are refused" : "");
}

static void venues(struct screen *screen)
{
    static const char *const states[] = {
#define X(name) #name,
        BOOK_STATES(X)
#undef X
    };
    const struct mirror *m = screen->mirror;
    line(screen, BOLD, "%-22s %-8s %14s %14s %14s %14s %9s", "MARKET", "BOOK", "BID QTY", "BID",
         "ASK", "ASK QTY", "TRADES");
    for (size_t i = 1; i < m->instrument_count; i++) {
        const struct seen_instrument *s = &m->instruments[i];
        char name[80], bid[DECIMAL_TEXT_MAX], ask[DECIMAL_TEXT_MAX], bid_qty[DECIMAL_TEXT_MAX],
            ask_qty[DECIMAL_TEXT_MAX];
        if (!s->def.symbol[0])
            continue;
        const struct seen_venue *venue = &m->venues[s->def.msg.venue & 255];
        snprintf(name, sizeof name, "%s/%s", venue->name, s->def.symbol);
        decimal_print(s->top.bid, s->def.price_exp, bid);
        decimal_print(s->top.ask, s->def.price_exp, ask);
        decimal_print(s->top.bid_qty, s->def.qty_exp, bid_qty);
        decimal_print(s->top.ask_qty, s->def.qty_exp, ask_qty);
        line(screen, s->state == BOOK_LIVE ? GREEN : YELLOW,
             "%-22s %-8s %14s %14s %14s %14s %9" PRIu64, name,
             (unsigned)s->state < BOOK_STATE_COUNT ? states[s->state] : "?", bid_qty, bid, ask,
             ask_qty, s->trades);
    }
}

static void positions(struct screen *screen)
{
    const struct mirror *m = screen->mirror;
    line(screen, BOLD, "%-22s %14s %14s %14s %14s %9s", "POSITION", "QTY", "AVERAGE", "REALIZED",
         "UNREALIZED", "FILLS");
    for (size_t i = 1; i < m->instrument_count; i++) {
        const struct seen_instrument *s = &m->instruments[i];
        char name[80], qty[DECIMAL_TEXT_MAX], average[64], realized[64], unrealized[64];
        bool known = false;
        if (!s->executions && !s->held)
            continue;
        amount open = mirror_unrealized(s, &known);
        snprintf(name, sizeof name, "%s/%s", m->venues[s->def.msg.venue & 255].name, s->def.symbol);
        decimal_print(s->position, s->def.qty_exp, qty);
        line(screen, s->realized + open < 0 ? RED : GREEN, "%-22s %14s %14s %14s %14s %9" PRIu64,
             name, qty, money(mirror_average(s), average, sizeof average),
             money(s->realized, realized, sizeof realized),
             known ? money(open, unrealized, sizeof unrealized) : "?", s->executions);
    }
}

static void orders(struct screen *screen, unsigned most)
{
    const struct mirror *m = screen->mirror;
    line(screen, BOLD, "%-20s %-12s %-18s %-5s %12s %14s %12s %s", "ORDER", "STRATEGY", "MARKET",
         "SIDE", "QTY", "PRICE", "FILLED", "STATE");
    for (size_t i = 1; i < m->order_count && most > 0; i++) {
        const struct out_order *o = &m->orders[i];
        const struct weir_instrument *def = def_of(m, o->msg.instrument);
        char qty[DECIMAL_TEXT_MAX], px[DECIMAL_TEXT_MAX], filled[DECIMAL_TEXT_MAX], name[80];
        if (!o->order || order_label_is_done((enum order_label)o->label))
            continue;
        snprintf(name, sizeof name, "%s/%s", m->venues[o->msg.venue & 255].name, def->symbol);
        decimal_print(o->qty, def->qty_exp, qty);
        decimal_print(o->px, def->price_exp, px);
        decimal_print(o->cum_qty, def->qty_exp, filled);
        line(screen, o->label == ORDER_UNKNOWN ? YELLOW : "",
             "%-20.20s %-12.12s %-18.18s %-5s %12s %14s %12s %s", o->cid[0] ? o->cid : o->wire_id,
             mirror_strategy(m, o->strategy), name, o->side == WEIR_BUY ? "buy" : "sell", qty, px,
             filled, order_label_name((enum order_label)o->label));
        most--;
    }
    if (most == 0 && m->live_orders > 0)
        line(screen, DIM, "  %" PRIu64 " live orders in all; `weir ctl orders` lists them",
             m->live_orders);
}

static void reading_text(const struct mirror *m, const struct seen_decision *d, char *text,
                         size_t size)
{
    char value[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
    (void)m;
    if (d->reading.check >= RISK_CHECK_COUNT) {
        snprintf(text, size, "%s", risk_check_text((enum risk_check)d->reason));
        return;
    }
    decimal_print(d->reading.value, d->reading.exp, value);
    decimal_print(d->reading.limit, d->reading.exp, limit);
    snprintf(text, size, "read %s, limit %s (%s)", value, limit,
             risk_scope_name((enum risk_scope)d->reading.scope));
}

static void denials(struct screen *screen, unsigned most)
{
    const struct mirror *m = screen->mirror;
    uint64_t kept = m->denial_total < MIRROR_RECENT ? m->denial_total : MIRROR_RECENT;
    if (kept == 0)
        return;
    line(screen, BOLD, "DENIED (newest first; `weir why ORDER` tells all of it)");
    for (uint64_t i = 0; i < kept && i < most; i++) {
        const struct seen_decision *d = &m->denials[(m->denial_total - 1 - i) % MIRROR_RECENT];
        char when[32], why[160];
        clock_text(d->t, when, sizeof when);
        reading_text(m, d, why, sizeof why);
        line(screen, YELLOW, "%s %-20.20s %-12.12s %-14s %s: %s", when, d->cid,
             mirror_strategy(m, d->strategy), def_of(m, d->instrument)->symbol,
             risk_check_name((enum risk_check)d->reason), why);
    }
}

static void alerts(struct screen *screen, unsigned most)
{
    const struct mirror *m = screen->mirror;
    uint64_t kept = m->alert_total < MIRROR_RECENT ? m->alert_total : MIRROR_RECENT;
    for (uint64_t i = 0; i < kept && i < most; i++) {
        const struct seen_alert *a = &m->alerts[(m->alert_total - 1 - i) % MIRROR_RECENT];
        char when[32];
        clock_text(a->t, when, sizeof when);
        if (a->alert == ALERT_COUNT)
            line(screen, strcmp(a->level, "info") == 0 ? "" : RED, "%s %s (%s) %s %s", when,
                 mirror_strategy(m, a->strategy), a->level, def_of(m, a->instrument)->symbol,
                 a->text);
        else
            line(screen, RED, "%s ALERT %s %s %s: %s", when, mirror_alert_name(a),
                 def_of(m, a->instrument)->symbol, a->text, mirror_alert_text(a));
    }
}

static void scripts(struct screen *screen)
{
    static const char *const states[] = {"running", "QUARANTINED", "refused"};
    const struct mirror *m = screen->mirror;
    line(screen, BOLD, "%-14s %-12s %8s %8s %8s %10s", "SCRIPT", "STATE", "SENT", "DENIED", "FILLS",
         "CALLBACKS");
    for (size_t i = 1; i < m->strategy_count; i++) {
        const struct seen_strategy *s = &m->strategies[i];
        if (!s->known || !s->note.file[0])
            continue;
        line(screen, s->note.state ? RED : "",
             "%-14.14s %-12s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %10" PRIu64 " %s", s->name,
             s->note.state < 3 ? states[s->note.state] : "?", s->sent, s->denied, s->executions,
             s->note.callbacks, s->note.reason);
    }
}

void mirror_screen(const struct mirror *mirror, unsigned rows, unsigned columns, bool color,
                   struct text *out)
{
    struct screen screen = {mirror, out, rows, columns, color};
    head(&screen);
    venues(&screen);
    positions(&screen);
    scripts(&screen);
    orders(&screen, 8);
    denials(&screen, 6);
    alerts(&screen, 4);
}
