/* reference.c - the list of reference.h. */
#include "script/reference.h"

#include <string.h>

#include "script/cell.h"

#define END              \
    {                    \
        NULL, NULL, NULL \
    }
#define FIELDS_OF(name) static const struct reference_field name[]

/* --- what scripts give ---------------------------------------------------------------------------- */

FIELDS_OF(submit_fields) = {
    {"venue", "string", "name of the venue"},
    {"symbol", "string", "name of the instrument there"},
    {"side", "\"buy\"|\"sell\"", "direction"},
    {"type", "weir.OrderType", "limit, market, stop, stop_limit, take_profit, trailing, iceberg"},
    {"price", "weir.Number?", "of limit, stop_limit and iceberg: a multiple of the tick"},
    {"qty", "weir.Number", "in base units: a multiple of the step"},
    {"tif", "weir.Tif", "gtc, ioc, fok, gtd, day"},
    {"post_only", "boolean?", "never takes: refused or canceled if it would trade at once"},
    {"reduce_only", "boolean?", "only makes the position smaller"},
    {"trigger", "weir.Number?", "of stop, stop_limit, take_profit: the price that lets it go"},
    {"trail", "weir.Number?", "of trailing: the distance from the best price so far"},
    {"visible", "weir.Number?", "of iceberg: the most that is shown at once"},
    {"release", "integer?", "it is held until then: ns since the epoch"},
    {"expires", "integer?", "with tif gtd: ns since the epoch"},
    {"oco", "string?", "id of an order of which, with this one, one is enough"},
    {"parent", "string?", "id of an order that it follows, for what that one has filled"},
    {"tag", "string?", "a word of yours, at most 15 characters, kept with the order"},
    END};
FIELDS_OF(amend_fields) = {{"price", "weir.Number?", "the new price"},
                           {"qty", "weir.Number?", "the new size, what is filled included"},
                           {"trigger", "weir.Number?", "while it is held: the new trigger"},
                           {"trail", "weir.Number?", "while it is held: the new distance"},
                           END};
FIELDS_OF(cancel_all_fields) = {{"venue", "string?", "only there"},
                                {"symbol", "string?", "only of this instrument; needs venue"},
                                END};
FIELDS_OF(subscribe_fields) = {
    {"venue", "string?", "left out: any"},
    {"symbol", "string?", "left out: any"},
    {"what", "string|string[]|nil",
     "\"book\", \"trade\", \"bar\", \"mark\", or a list; left out: books"},
    {"interval", "integer|string|nil", "of time bars: ns, or \"1s\", \"5m\", \"1h\", \"1d\""},
    {"volume", "weir.Number?", "of volume bars: a bar is over when so much was traded in it"},
    {"ticks", "integer?", "of tick bars: so many trades make a bar"},
    {"topic", "string?",
     "what another script publishes under this name; with nothing else but from"},
    {"from", "string?", "with topic: only of the script with this name"},
    END};
FIELDS_OF(market_fields) = {
    {"venue", "string", "name of the venue"}, {"symbol", "string", "name of the instrument"}, END};
FIELDS_OF(book_of_fields) = {
    {"venue", "string?", "name of the venue"},
    {"symbol", "string?", "name of the instrument"},
    {"markets", "weir.Market[]?", "in place of these: books of several venues as one"},
    {"depth", "integer?", "levels of each side (10); of several at most 200"},
    {"own", "boolean?", "false: without what this script has resting there"},
    END};
FIELDS_OF(position_of_fields) = {
    {"venue", "string", "name of the venue"},
    {"symbol", "string", "name of the instrument"},
    {"account", "boolean?", "true: of the whole account, not of this script alone"},
    END};
FIELDS_OF(balance_of_fields) = {
    {"venue", "string", "name of the venue"}, {"asset", "string", "such as \"USD\""}, END};
FIELDS_OF(orders_of_fields) = {{"venue", "string?", "only there"},
                               {"symbol", "string?", "only of this instrument; needs venue"},
                               {"side", "\"buy\"|\"sell\"|nil", "only this direction"},
                               {"tag", "string?", "only with this tag"},
                               {"all", "boolean?", "true: those that are done, too"},
                               END};
FIELDS_OF(alert_of_fields) = {{"level", "\"info\"|\"warn\"|\"critical\"|nil", "left out: warn"},
                              {"text", "string", "one line"},
                              {"venue", "string?", "what it is about"},
                              {"symbol", "string?", "what it is about"},
                              END};
FIELDS_OF(declare_fields) = {
    {"type", "\"number\"|\"integer\"|\"text\"|\"flag\"|\"list\"|\"table\"", "of its value"},
    {"default", "any", "left out: the setting must be given, or is optional"},
    {"optional", "boolean?", "true: it may be left out, and is nil then"},
    {"min", "number?", "of numbers: the least"},
    {"max", "number?", "of numbers: the most"},
    {"of", "any[]?", "the only values that are taken"},
    {"doc", "string?", "what it means"},
    END};

/* --- what scripts get ----------------------------------------------------------------------------- */

FIELDS_OF(error_fields) = {
    {"code", "string", "a word of `weir describe checks` or `errors`, or BAD_REQUEST"},
    {"message", "string", "what was wrong"},
    {"scope", "string", "whose limit refused, such as \"strategy maker\"; or \"\""},
    {"observed", "number?", "what a check read"},
    {"limit", "number?", "what it may be"},
    END};
FIELDS_OF(level_fields) = {{"price", "number", ""},
                           {"qty", "number", ""},
                           {"venue", "string?", "of a book of several: whose level it is"},
                           {"symbol", "string?", "the same"},
                           END};
#define BEST                                                                       \
    {"bid", "number?", "best bid; nil: that side is empty, or the book not LIVE"}, \
        {"ask", "number?", "best ask"}, {"bid_qty", "number?", "size at the bid"}, \
        {"ask_qty", "number?", "size at the ask"},                                 \
    {                                                                              \
        "seq", "integer?", "of the venue's message"                                \
    }
#define WHERE                                        \
    {"venue", "string", "name of the venue"},        \
    {                                                \
        "symbol", "string", "name of the instrument" \
    }
#define WHEN                                    \
    {                                           \
        "time", "integer", "ns since the epoch" \
    }
FIELDS_OF(book_fields) = {WHERE,
                          {"state", "string", "EMPTY SYNCING LIVE STALE GAPPED CROSSED"},
                          BEST,
                          {"time", "integer?", "of the newest change, ns since the epoch"},
                          {"bids", "weir.Level[]?", "best first, as many as were asked for (10)"},
                          {"asks", "weir.Level[]?", "best first"},
                          {"parts", "table[]?",
                           "of a book of several: {venue=, symbol=, state=, time=} of each, which "
                           "stands there in place of these"},
                          {"whole", "boolean?", "of a book of several: all parts are LIVE"},
                          END};
#define DROPPED                                                       \
    {                                                                 \
        "dropped", "integer?",                                        \
            "so many events of the instrument were left out before, " \
            "since the script was behind"                             \
    }
FIELDS_OF(book_event_fields) = {
    DROPPED,
    WHERE,
    BEST,
    WHEN,
    {"state", "string?", "when the state of the book changed: the new one"},
    END};
FIELDS_OF(market_at_fields) = {
    WHERE,
    {"buy", "fun(price: weir.Number, qty: weir.Number, how: string?): string?, weir.Error?",
     "a limit order; how: IOC, FOK, DAY or post_only"},
    {"sell", "fun(price: weir.Number, qty: weir.Number, how: string?): string?, weir.Error?",
     "a limit order"},
    END};
FIELDS_OF(mark_fields) = {
    WHERE,
    {"mark", "number?", "the venue's mark price"},
    {"index", "number?", "the index that the contract follows"},
    {"funding_rate", "number?", "of a position's worth; negative: shorts pay"},
    {"funding_time", "integer?", "when it is paid, ns since the epoch; nil: all the time"},
    {"time", "integer?", "when the last of these came; nil: none did"},
    END};
FIELDS_OF(trade_fields) = {DROPPED,
                           WHERE,
                           WHEN,
                           {"id", "integer", "of the venue"},
                           {"price", "number", ""},
                           {"qty", "number", ""},
                           {"side", "\"buy\"|\"sell\"", "of who took"},
                           {"off_book", "boolean?", "true: not traded in the book"},
                           END};
FIELDS_OF(bar_fields) = {
    WHERE,
    {"kind", "\"time\"|\"volume\"|\"ticks\"", "what makes it be over"},
    {"time", "integer", "its beginning; of others than time bars, the first trade"},
    {"closed", "integer", "its end; of others than time bars, the last trade"},
    {"interval", "integer?", "of time bars: ns"},
    {"per", "number?", "of volume and tick bars: what was asked for"},
    {"open", "number", ""},
    {"high", "number", ""},
    {"low", "number", ""},
    {"close", "number", ""},
    {"volume", "number", ""},
    {"count", "integer", "trades"},
    END};
FIELDS_OF(timer_fields) = {WHEN,
                           {"due", "integer", "when it was due"},
                           {"id", "integer?", "what weir.every or weir.after returned"},
                           END};
FIELDS_OF(time_fields) = {WHEN, END};
#define ORDER                                                                                    \
    WHERE, {"id", "string", "stays the same when it is amended"},                                \
        {"side", "\"buy\"|\"sell\"", ""}, {"type", "weir.OrderType", ""},                        \
        {"tif", "string", "GTC IOC FOK GTD DAY"},                                                \
        {"state", "string",                                                                      \
         "PENDING_NEW OPEN PARTIAL PENDING_CANCEL PENDING_REPLACE UNKNOWN HELD FILLED "          \
         "CANCELED EXPIRED REJECTED DENIED"},                                                    \
        {"done", "boolean", "nothing more comes of it"}, {"price", "number?", ""},               \
        {"qty", "number", ""}, {"cum_qty", "number", "filled"},                                  \
        {"leaves_qty", "number", "still open"}, {"avg_price", "number?", "of what is filled"},   \
        {"post_only", "boolean", ""}, {"reduce_only", "boolean", ""}, {"tag", "string?", ""},    \
        {"created", "integer", "ns since the epoch"}, {"time", "integer", "of the last change"}, \
        {"refused", "\"cancel\"|\"amend\"|nil", "what was just refused of it"},                  \
        {"reason", "string?", "why it was refused or ended"},                                    \
        {"waits", "string?", "of HELD: PARENT, TIME, TRIGGER, SLICES, LANE, joined by +"},       \
        {"obstacle", "string?", "of HELD, in its lane: the check that refused it"},              \
        {"trigger", "number?", "of HELD"}, {"trail", "number?", "of HELD"},                      \
        {"visible", "number?", "of HELD"}, {"release", "integer?", "of HELD"},                   \
        {"expires", "integer?", "of HELD: when it is ended here"},                               \
    {                                                                                            \
        "venue_id", "string?", "its name at the venue"                                           \
    }
FIELDS_OF(order_fields) = {ORDER, END};
FIELDS_OF(fill_fields) = {ORDER,
                          {"fill_price", "number", "of this execution"},
                          {"fill_qty", "number", ""},
                          {"position", "number", "of this script, afterwards"},
                          {"fee", "number", ""},
                          {"fee_asset", "string", ""},
                          {"exec_id", "string", "the venue's"},
                          {"maker", "boolean", ""},
                          {"busted", "boolean?", "true: the venue takes it back"},
                          END};
#define POSITION                                                                                \
    WHERE, {"qty", "number", "negative: short"}, {"avg_price", "number", "of what is held"},    \
        {"cost", "number", "of what is held"}, {"realized", "number", "PnL, fees not counted"}, \
    {                                                                                           \
        "unrealized", "number?", "PnL at the market; nil: no price is known"                    \
    }
FIELDS_OF(position_fields) = {POSITION, END};
FIELDS_OF(position_event_fields) = {POSITION, WHEN, END};
FIELDS_OF(balance_fields) = {{"venue", "string", ""},       {"asset", "string", ""},
                             {"total", "number", ""},       {"fees", "number", "paid"},
                             {"funding", "number", "paid"}, END};
FIELDS_OF(venue_event_fields) = {
    {"venue", "string", ""},
    WHEN,
    {"up", "boolean?", "connected"},
    {"reconciling", "boolean?", "orders are being compared with the venue's"},
    {"reason", "string?", ""},
    END};
FIELDS_OF(alert_event_fields) = {{"code", "string", "a word of `weir describe alerts`"},
                                 {"message", "string", "what it means"},
                                 WHEN,
                                 {"text", "string?", ""},
                                 {"value", "integer", "what was read"},
                                 {"limit", "integer", "what it may be"},
                                 {"venue", "string?", ""},
                                 {"symbol", "string?", ""},
                                 {"order", "string?", "an order of this script"},
                                 END};
FIELDS_OF(message_fields) = {{"topic", "string", ""},
                             {"from", "string", "name of the script that published it"},
                             {"data", "table", "a copy of its table"},
                             WHEN,
                             END};
FIELDS_OF(instrument_fields) = {WHERE,
                                {"base", "string", ""},
                                {"quote", "string", ""},
                                {"kind", "\"spot\"|\"linear\"|\"inverse\"", ""},
                                {"status", "\"TRADING\"|\"HALTED\"", ""},
                                {"tick", "number", "least step of a price"},
                                {"step", "number", "least step of a size"},
                                {"min_notional", "number", "in quote"},
                                {"multiplier", "number", ""},
                                {"price_places", "integer", "decimals of prices"},
                                {"qty_places", "integer", "decimals of sizes"},
                                END};

const struct reference_class reference_classes[] = {
    {"weir.Submit", "An order to be sent.", submit_fields, true},
    {"weir.Amend", "What an order shall become.", amend_fields, true},
    {"weir.CancelAll", "Which orders to cancel.", cancel_all_fields, true},
    {"weir.Subscribe", "What a script wants to hear of.", subscribe_fields, true},
    {"weir.Market", "An instrument of a venue.", market_fields, true},
    {"weir.BookOf", "Which book, and how much of it.", book_of_fields, true},
    {"weir.PositionOf", "Whose position.", position_of_fields, true},
    {"weir.BalanceOf", "Which balance.", balance_of_fields, true},
    {"weir.OrdersOf", "Which orders.", orders_of_fields, true},
    {"weir.AlertOf", "An alert to the operator.", alert_of_fields, true},
    {"weir.Declared", "A setting that a script has.", declare_fields, true},
    {"weir.Error", "Why something was refused; tostring(err) reads well.", error_fields, false},
    {"weir.Level", "One price of a book.", level_fields, false},
    {"weir.Book", "A book as it is.", book_fields, false},
    {"weir.BookEvent", "The best prices of a book changed, or its state.", book_event_fields,
     false},
    {"weir.MarketAt", "An instrument of a venue, and orders there by plain numbers.",
     market_at_fields, false},
    {"weir.Mark", "What the venue says of a contract beside its book.", mark_fields, false},
    {"weir.Trade", "A trade of the market.", trade_fields, false},
    {"weir.Bar", "Trades of a stretch, summed up.", bar_fields, false},
    {"weir.Timer", "A timer that is due.", timer_fields, false},
    {"weir.Time", "That something begins or ends.", time_fields, false},
    {"weir.Order", "An order of this script.", order_fields, false},
    {"weir.Fill", "An execution, and its order as it is now.", fill_fields, false},
    {"weir.Position", "What is held, with averages and PnL in quote.", position_fields, false},
    {"weir.PositionEvent", "A position after a fill.", position_event_fields, false},
    {"weir.Balance", "What an account has of an asset.", balance_fields, false},
    {"weir.VenueEvent", "A venue came, went, or is being reconciled.", venue_event_fields, false},
    {"weir.Alert", "An alert of the host.", alert_event_fields, false},
    {"weir.Message", "What another script published.", message_fields, false},
    {"weir.Instrument", "The rules of an instrument.", instrument_fields, false},
    {NULL, NULL, NULL, false}};

/* --- functions ------------------------------------------------------------------------------------ */

#define TABLE(name) FIELDS_OF(name##_params)
TABLE(on) = {{"event", "weir.Event", "what to hear of"},
             {"handler", "fun(event: table)", "called with a table of its own"},
             END};
TABLE(subscribe) = {{"wish", "weir.Subscribe", ""}, END};
TABLE(submit) = {{"order", "weir.Submit", ""}, END};
TABLE(amend) = {{"id", "string", "of the order"}, {"change", "weir.Amend", ""}, END};
TABLE(cancel) = {{"id", "string", "of the order"}, END};
TABLE(cancel_all) = {{"which", "weir.CancelAll?", "left out: all of this script's"}, END};
TABLE(book) = {{"venue", "string|weir.BookOf", "name, or all of it in a table"},
               {"symbol", "string?", ""},
               {"depth", "integer?", "levels of each side (10)"},
               END};
TABLE(position) = {{"venue", "string|weir.PositionOf|nil", "left out: a list of all"},
                   {"symbol", "string?", ""},
                   END};
TABLE(balance) = {{"venue", "string|weir.BalanceOf", ""}, {"asset", "string?", ""}, END};
TABLE(order) = {{"id", "string", ""}, END};
TABLE(orders) = {{"which", "weir.OrdersOf?", "left out: all that are live"}, END};
TABLE(instrument) = {{"venue", "string|weir.Market", ""}, {"symbol", "string?", ""}, END};
TABLE(market) = {{"venue", "string", ""}, {"symbol", "string", ""}, END};
TABLE(every) = {{"ns", "integer|string", "at least 1000000; or a text such as \"1s\", \"250ms\""},
                {"fn", "fun(timer: weir.Timer): boolean?", "until it returns false"},
                END};
TABLE(after) = {{"ns", "integer|string", "at the earliest in 1 ms; or a text such as \"1s\""},
                {"fn", "fun(timer: weir.Timer)", ""},
                END};
TABLE(random) = {{"m", "integer?", "as math.random"}, {"n", "integer?", ""}, END};
TABLE(log) = {{"...", "any", "made one line, with spaces between"}, END};
TABLE(alert) = {{"alert", "weir.AlertOf|string", ""}, END};
TABLE(publish) = {
    {"topic", "string", "letters, digits, _ . -"}, {"data", "table", "plain data"}, END};
TABLE(declare) = {{"settings", "table<string, weir.Declared>", ""}, END};
TABLE(dec) = {{"text", "string|integer|weir.Dec", "such as \"0.1\""}, END};
TABLE(import) = {{"name", "string", "of a module of scripts/lib that the configuration lists"},
                 END};
TABLE(no) = {END};

const struct reference_function reference_functions[] = {
    {"on", on_params, "boolean ok", "Calls a function at each event of a kind."},
    {"subscribe", subscribe_params, "boolean ok",
     "Asks for books, trades, bars, or what other scripts publish. A name that nobody has is an "
     "error."},
    {"submit", submit_params, "string? id, weir.Error? err",
     "Sends an order, if every limit allows it."},
    {"amend", amend_params, "boolean? ok, weir.Error? err", "Changes price or size of an order."},
    {"cancel", cancel_params, "boolean? ok, weir.Error? err", "Cancels an order."},
    {"cancel_all", cancel_all_params, "boolean? ok, weir.Error? err",
     "Cancels all orders of this script, or those there."},
    {"book", book_params, "weir.Book? book, weir.Error? err", "A book as it is now."},
    {"position", position_params, "weir.Position? position, weir.Error? err",
     "This script's own position, with its PnL; without arguments a list of all."},
    {"balance", balance_params, "weir.Balance? balance, weir.Error? err",
     "What the account at a venue has."},
    {"order", order_params, "weir.Order? order, weir.Error? err",
     "An order of this script; nil: it has none with this id."},
    {"orders", orders_params, "weir.Order[]? orders, weir.Error? err", "This script's orders."},
    {"market", market_params, "weir.MarketAt? market, weir.Error? err",
     "An instrument of a venue as a value, with functions for orders there."},
    {"mark", instrument_params, "weir.Mark? mark, weir.Error? err",
     "Mark and index price and funding rate of a contract."},
    {"instrument", instrument_params, "weir.Instrument? instrument, weir.Error? err",
     "Tick, step and other rules."},
    {"now", no_params, "integer ns", "The engine's time, ns since the epoch; virtual in replays."},
    {"every", every_params, "integer id", "Calls a function again and again."},
    {"after", after_params, "integer id", "Calls a function once."},
    {"random", random_params, "number x", "math.random: seeded, the same in every replay."},
    {"log", log_params, NULL, "Writes a line to the host's log."},
    {"alert", alert_params, "boolean? ok, weir.Error? err", "Tells the operator."},
    {"publish", publish_params, "boolean? ok, weir.Error? err",
     "Gives plain data, at most 8 KiB, to scripts that subscribed to the topic."},
    {"declare", declare_params, "table settings",
     "Says which settings the script has; once, while it loads. Returns weir.settings with "
     "defaults."},
    {"dec", dec_params, "weir.Dec exact", "An exact decimal: + - * and comparisons stay exact."},
    {"import", import_params, "any module", "What a module of scripts/lib returns."},
    {NULL, NULL, NULL, NULL}};

const struct reference_event reference_events[] = {
    {"start", "weir.Time", "event: weir.Time", "the script runs from now on"},
    {"stop", "weir.Time", "event: weir.Time", "the host stops; cancels are still taken"},
    {"book", "weir.BookEvent", "event: weir.BookEvent",
     "best prices or the state of a book changed"},
    {"quote", "weir.MarketAt",
     "market: weir.MarketAt, bid: number?, ask: number?, bid_qty: number?, ask_qty: number?, time: "
     "integer",
     "as book, in plain values: fn(market, bid, ask, bid_qty, ask_qty, time)"},
    {"trade", "weir.Trade", "event: weir.Trade", "a trade of the market"},
    {"mark", "weir.Mark", "event: weir.Mark",
     "a contract's mark or index price, or its funding rate, changed"},
    {"bar", "weir.Bar", "event: weir.Bar", "a bar is over"},
    {"timer", "weir.Timer", "event: weir.Timer", "once a second"},
    {"order", "weir.Order", "event: weir.Order", "an order of this script changed"},
    {"fill", "weir.Fill", "event: weir.Fill", "an order of this script was filled"},
    {"position", "weir.PositionEvent", "event: weir.PositionEvent", "after each fill"},
    {"venue", "weir.VenueEvent", "event: weir.VenueEvent",
     "a venue came, went, or is being reconciled"},
    {"alert", "weir.Alert", "event: weir.Alert",
     "the host raised an alert that concerns this script"},
    {"reload", "weir.Time", "event: weir.Time", "this version has taken over"},
    {"message", "weir.Message", "event: weir.Message",
     "another script published under a topic of weir.subscribe{topic=}"},
    {NULL, NULL, NULL, NULL}};

const struct reference_value reference_values[] = {
    {"settings", "table<string, any>", "From the configuration; read-only."},
    {"state", "table<string, any>", "Plain data of yours; survives a reload."},
    {NULL, NULL, NULL}};

/* --- looking up ----------------------------------------------------------------------------------- */

const struct reference_class *reference_class(const char *name)
{
    for (const struct reference_class *c = reference_classes; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static const struct reference_function *function_named(const char *name)
{
    for (const struct reference_function *f = reference_functions; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

/* "weir.Amend", "weir.CancelAll?", "string|weir.Market": a class of those that scripts give. */
static const struct reference_class *class_in(const char *type)
{
    for (const struct reference_class *c = reference_classes; c->name; c++) {
        const char *at = c->given && !strchr(type, '<') ? strstr(type, c->name) : NULL;
        if (at && strchr("?|", at[strlen(c->name)]))
            return c;
    }
    return NULL;
}

const struct reference_class *reference_table_of(const char *function, unsigned *argument_out)
{
    const struct reference_function *f = function_named(function);
    for (const struct reference_field *p = f ? f->params : NULL; p && p->name; p++) {
        *argument_out = (unsigned)(p - f->params);
        if (class_in(p->type))
            return class_in(p->type);
    }
    *argument_out = 0;
    return NULL;
}

bool reference_has_field(const struct reference_class *of, const char *name)
{
    for (const struct reference_field *f = of->fields; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return true;
    return false;
}

bool reference_is_event(const char *name)
{
    for (const struct reference_event *e = reference_events; e->name; e++)
        if (strcmp(e->name, name) == 0)
            return true;
    return false;
}

static bool is_value(const char *name)
{
    for (const struct reference_value *v = reference_values; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return true;
    return false;
}

bool reference_is_weir(const char *name)
{
    return function_named(name) || is_value(name);
}

const char *reference_nearest_weir(const char *name)
{
    struct nearest nearest;
    hint_begin(&nearest, name);
    for (const struct reference_function *f = reference_functions; f->name; f++)
        hint_offer(&nearest, f->name);
    for (const struct reference_value *v = reference_values; v->name; v++)
        hint_offer(&nearest, v->name);
    return nearest.best;
}

const char *reference_nearest_got(const char *name)
{
    struct nearest nearest;
    hint_begin(&nearest, name);
    for (const struct reference_class *c = reference_classes; c->name; c++)
        for (const struct reference_field *f = c->given ? NULL : c->fields; f && f->name; f++)
            hint_offer(&nearest, f->name);
    return nearest.best;
}

const char *reference_nearest_event(const char *name)
{
    struct nearest nearest;
    hint_begin(&nearest, name);
    for (const struct reference_event *e = reference_events; e->name; e++)
        hint_offer(&nearest, e->name);
    return nearest.best;
}

const char *reference_nearest_field(const struct reference_class *of, const char *name)
{
    struct nearest nearest;
    hint_begin(&nearest, name);
    for (const struct reference_field *f = of->fields; f->name; f++)
        hint_offer(&nearest, f->name);
    return nearest.best;
}
