/* trace.c - a story in words, one line for each input and effect: `interleave 1 SEED trace`. */
#include <inttypes.h>
#include <stdio.h>

#include "property/world.h"

static const struct {
    uint16_t kind;
    const char *name;
} kinds[] = {{WEIR_SESSION, "session"},
             {WEIR_RATE_LIMITED, "rate_limited"},
             {WEIR_ACK, "ack"},
             {WEIR_REJECT, "reject"},
             {WEIR_FILL, "fill"},
             {WEIR_CANCELED, "canceled"},
             {WEIR_CANCEL_REJECT, "cancel_reject"},
             {WEIR_EXPIRED, "expired"},
             {WEIR_REPLACED, "replaced"},
             {WEIR_REPLACE_REJECT, "replace_reject"},
             {WEIR_NO_ANSWER, "no_answer"},
             {WEIR_STATUS, "status"},
             {WEIR_BUST, "bust"},
             {WEIR_FUNDING, "funding"},
             {WEIR_TRANSFER, "transfer"},
             {WEIR_RECON_BEGIN, "recon_begin"},
             {WEIR_RECON_ORDER, "recon_order"},
             {WEIR_RECON_POSITION, "recon_position"},
             {WEIR_RECON_END, "recon_end"},
             {WEIR_NEW, "NEW"},
             {WEIR_CANCEL, "CANCEL"},
             {WEIR_REPLACE, "REPLACE"},
             {WEIR_QUERY_ORDER, "QUERY_ORDER"},
             {WEIR_QUERY_FILLS, "QUERY_FILLS"},
             {WEIR_RECONCILE, "RECONCILE"},
             {IN_SUBMIT, "submit"},
             {IN_CANCEL, "cancel"},
             {IN_REPLACE, "replace"},
             {IN_CANCEL_MANY, "cancel_many"},
             {IN_KILL, "kill"},
             {IN_RELEASE, "release"},
             {IN_TICK, "tick"},
             {IN_RESTARTED, "restarted"},
             {OUT_DECISION, "decision"},
             {OUT_ORDER, "order"},
             {OUT_EXECUTION, "execution"},
             {OUT_ALERT, "alert"},
             {OUT_STATE, "state"}};

static const char *name_of(uint16_t kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "definition";
}

static void print_input(const struct weir_msg *m)
{
    const struct weir_report *r = (const struct weir_report *)m;
    const struct weir_fill *f = (const struct weir_fill *)m;
    const struct in_submit *s = (const struct in_submit *)m;
    const struct in_change *c = (const struct in_change *)m;
    if (m->kind == IN_SUBMIT)
        printf(" %s s%u i%u %s %" PRId64 " @ %" PRId64 " flags %u route %u", s->cid, s->strategy,
               m->instrument, s->side ? "sell" : "buy", s->qty, s->px, s->flags, s->route);
    else if (m->kind >= IN_CANCEL && m->kind <= IN_RELEASE)
        printf(" %s -> %s change %u %" PRId64 " @ %" PRId64, c->cid, c->new_cid, c->change, c->qty,
               c->px);
    else if (m->kind == WEIR_FILL || m->kind == WEIR_BUST)
        printf(" %s of %s (%s) i%u %s %" PRId64 " @ %" PRId64 " state %u", f->exec_id, f->client_id,
               f->venue_id, m->instrument, f->side ? "sell" : "buy", f->qty, f->px, f->state);
    else if (m->kind == WEIR_SESSION || m->kind == WEIR_RATE_LIMITED)
        printf(" %s flags %u", m->kind == WEIR_SESSION ? "" : r->client_id, m->flags);
    else if (m->size == sizeof *r)
        printf(" %s (%s) state %u request %u proof %u cum %" PRId64 "/%u qty %" PRId64 " %s",
               r->client_id, r->venue_id, r->state, r->request, r->proof, r->cum_qty, r->has_cum,
               r->qty, r->reason);
}

static void print_effect(const struct weir_msg *m)
{
    const struct out_order *o = (const struct out_order *)m;
    const struct out_execution *e = (const struct out_execution *)m;
    const struct out_decision *d = (const struct out_decision *)m;
    const struct weir_intent *n = (const struct weir_intent *)m;
    const struct out_alert *a = (const struct out_alert *)m;
    if (m->kind == OUT_ORDER)
        printf(" %s (%s, %s) %s %" PRId64 " of %" PRId64 " @ %" PRId64 "%s %s", o->cid, o->wire_id,
               o->venue_id, order_label_name((enum order_label)o->label), o->cum_qty, o->qty, o->px,
               o->awaiting_fills ? " awaits" : "", o->reason);
    else if (m->kind == OUT_EXECUTION)
        printf(" %s order %u strategy %u %" PRId64 " @ %" PRId64 " stage %u", e->exec_id, e->order,
               e->strategy, e->qty, e->px, e->stage);
    else if (m->kind == OUT_DECISION)
        printf(" %s %s", d->cid,
               d->allowed ? "allowed" : risk_check_name((enum risk_check)d->reason));
    else if (m->kind == OUT_ALERT)
        printf(" %s %s", alert_name((enum alert)a->alert), a->text);
    else if (m->kind < WEIR_HOST_KINDS)
        printf(" %s -> %s %" PRId64 " @ %" PRId64, n->client_id, n->new_client_id, n->qty, n->px);
}

void trace(const struct world *w, const struct weir_msg *msg, bool effect)
{
    if (!w->traced)
        return;
    printf("%s%6.3f ms %s", effect ? "      " : "", (double)(w->now % 1000000000000) / MS,
           name_of(msg->kind));
    if (effect)
        print_effect(msg);
    else
        print_input(msg);
    printf("\n");
}
