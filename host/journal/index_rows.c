/* index_rows.c - one statement for each table, one function for each kind of row. */
#include "journal/index_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/text.h"
#include "journal/kinds.h"
#include "journal/render.h"

static const char tables[] =
    "CREATE TABLE definitions(seq INTEGER PRIMARY KEY, message BLOB);"
    "CREATE TABLE orders(order_no INTEGER, created_ns INTEGER, cid TEXT, wire_id TEXT,"
    " venue_id TEXT, strategy TEXT, venue TEXT, instrument TEXT, side TEXT, type TEXT, tif TEXT,"
    " px TEXT, qty TEXT, cum_qty TEXT, cum_quote TEXT, state TEXT, reason TEXT, tag TEXT,"
    " updated_ns INTEGER, first_seq INTEGER, last_seq INTEGER,"
    " PRIMARY KEY(order_no, created_ns)) WITHOUT ROWID;"
    "CREATE INDEX orders_by_state ON orders(state);"
    "CREATE TABLE order_names(name TEXT, what TEXT, order_no INTEGER, created_ns INTEGER,"
    " PRIMARY KEY(name, what, order_no, created_ns)) WITHOUT ROWID;"
    "CREATE TABLE executions(seq INTEGER PRIMARY KEY, t_ns INTEGER, order_no INTEGER, strategy "
    "TEXT,"
    " venue TEXT, instrument TEXT, exec_id TEXT, side TEXT, qty TEXT, px TEXT, fee TEXT,"
    " fee_asset TEXT, maker INTEGER, internal INTEGER, busted INTEGER, stage INTEGER,"
    " position TEXT, strategy_position TEXT, realized TEXT, strategy_realized TEXT);"
    "CREATE INDEX executions_by_order ON executions(order_no);"
    "CREATE TABLE decisions(seq INTEGER PRIMARY KEY, t_ns INTEGER, order_no INTEGER, cid TEXT,"
    " strategy TEXT, venue TEXT, instrument TEXT, of TEXT, allowed INTEGER, reason TEXT,"
    " limits_version INTEGER, readings TEXT);"
    "CREATE INDEX decisions_by_order ON decisions(order_no);"
    "CREATE INDEX decisions_by_reason ON decisions(reason) WHERE allowed = 0;"
    "CREATE TABLE alerts(seq INTEGER PRIMARY KEY, t_ns INTEGER, alert TEXT, order_no INTEGER,"
    " strategy TEXT, venue TEXT, instrument TEXT, value INTEGER, \"limit\" INTEGER, text TEXT);"
    "CREATE TABLE place(one INTEGER PRIMARY KEY CHECK(one = 1), journal INTEGER, segment INTEGER,"
    " offset INTEGER, seq INTEGER);";

/* clang-format off */
static const char *const statements[INDEX_TABLES] = {
    [INTO_DEFINITIONS] = "INSERT OR REPLACE INTO definitions VALUES(?,?)",
    [INTO_ORDERS] =
        ("INSERT INTO orders VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,"
         "?19,?20,?20) ON CONFLICT DO UPDATE SET cid=?3, wire_id=?4, venue_id=?5, px=?12, qty=?13,"
         " cum_qty=?14, cum_quote=?15, state=?16, reason=?17, updated_ns=?19, last_seq=?20"),
    [INTO_ORDER_NAMES] = "INSERT OR IGNORE INTO order_names VALUES(?,?,?,?)",
    [INTO_EXECUTIONS] =
        "INSERT OR REPLACE INTO executions VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [INTO_DECISIONS] = "INSERT OR REPLACE INTO decisions VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
    [INTO_ALERTS] = "INSERT OR REPLACE INTO alerts VALUES(?,?,?,?,?,?,?,?,?,?)",
    [INTO_PLACE] = "INSERT OR REPLACE INTO place VALUES(1,?,?,?,?)",
};
/* clang-format on */

int rows_create_tables(sqlite3 *db)
{
    return sqlite3_exec(db, tables, NULL, NULL, NULL);
}

int rows_prepare(struct rows *rows)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < INDEX_TABLES && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(rows->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &rows->into[i], NULL);
    return code;
}

void rows_fini(struct rows *rows)
{
    for (size_t i = 0; i < INDEX_TABLES; i++)
        sqlite3_finalize(rows->into[i]);
    directory_destroy(rows->directory);
}

/* --- one row ----------------------------------------------------------------------------------- */

/* Fills the parameters of a statement from left to right. */
struct row {
    struct rows *rows;
    sqlite3_stmt *into;
    int at;
    uint32_t instrument;
};

static struct row row_of(struct rows *rows, enum index_table table, const struct weir_msg *msg)
{
    return (struct row){rows, rows->into[table], 0, msg->instrument};
}

static void put_int(struct row *row, int64_t value)
{
    sqlite3_bind_int64(row->into, ++row->at, value);
}

static void put_text(struct row *row, const char *text, size_t room)
{
    sqlite3_bind_text(row->into, ++row->at, text, (int)strnlen(text, room), SQLITE_TRANSIENT);
}

static void put_word(struct row *row, const char *word)
{
    sqlite3_bind_text(row->into, ++row->at, word, -1, SQLITE_TRANSIENT);
}

static void put_px(struct row *row, weir_px px)
{
    char number[DECIMAL_TEXT_MAX];
    render_px(row->rows->directory, row->instrument, px, number);
    put_word(row, number);
}

static void put_qty(struct row *row, weir_qty qty)
{
    char number[DECIMAL_TEXT_MAX];
    render_qty(row->rows->directory, row->instrument, qty, number);
    put_word(row, number);
}

static void put_amount(struct row *row, struct weir_amount packed)
{
    char number[DECIMAL_TEXT_MAX];
    (void)amount_print(amount_of(packed), number);
    put_word(row, number);
}

/* strategy, venue, instrument */
static void put_where(struct row *row, const struct weir_msg *msg, uint32_t strategy)
{
    const struct directory *directory = row->rows->directory;
    put_word(row, strategy ? directory_name(directory, SCOPE_strategy, strategy) : "");
    put_word(row, msg->instrument ? directory_name(directory, SCOPE_venue, msg->venue) : "");
    put_word(row,
             msg->instrument ? directory_name(directory, SCOPE_instrument, msg->instrument) : "");
}

static int finish_row(struct row *row)
{
    int code = sqlite3_step(row->into);
    sqlite3_reset(row->into);
    row->rows->written++;
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A word of a member, as kinds.c spells it. */
static const char *word_of_member(uint16_t kind_number, const char *name, unsigned value)
{
    const struct kind *kind = kind_find(kind_number);
    for (size_t i = 0; kind && i < kind->field_count; i++)
        if (strcmp(kind->fields[i].name, name) == 0 && kind->fields[i].words)
            return kind->fields[i].words(value);
    return "?";
}

/* --- rows by kind ------------------------------------------------------------------------------ */

static int add_definition(struct rows *rows, const struct journal_record *record)
{
    struct row row = row_of(rows, INTO_DEFINITIONS, record->msg);
    put_int(&row, (int64_t)record->seq);
    sqlite3_bind_blob(row.into, ++row.at, record->msg, (int)record->msg->size, SQLITE_TRANSIENT);
    return finish_row(&row);
}

static int add_name(struct rows *rows, const struct out_order *order, const char *what,
                    const char *name)
{
    if (!name[0])
        return SQLITE_OK;
    struct row row = row_of(rows, INTO_ORDER_NAMES, &order->msg);
    put_text(&row, name, WEIR_ID_MAX);
    put_word(&row, what);
    put_int(&row, order->order);
    put_int(&row, order->created);
    return finish_row(&row);
}

static int add_order(struct rows *rows, const struct journal_record *record)
{
    const struct out_order *order = (const void *)record->msg;
    struct row row = row_of(rows, INTO_ORDERS, record->msg);
    put_int(&row, order->order);
    put_int(&row, order->created);
    put_text(&row, order->cid, sizeof order->cid);
    put_text(&row, order->wire_id, sizeof order->wire_id);
    put_text(&row, order->venue_id, sizeof order->venue_id);
    put_where(&row, record->msg, order->strategy);
    put_word(&row, word_of_member(OUT_ORDER, "side", order->side));
    put_word(&row, word_of_member(OUT_ORDER, "type", order->type));
    put_word(&row, word_of_member(OUT_ORDER, "tif", order->tif));
    put_px(&row, order->px);
    put_qty(&row, order->qty);
    put_qty(&row, order->cum_qty);
    put_amount(&row, order->cum_quote);
    put_word(&row, order_label_name((enum order_label)order->label));
    put_text(&row, order->reason, sizeof order->reason);
    put_text(&row, order->tag, sizeof order->tag);
    put_int(&row, record->msg->t);
    put_int(&row, (int64_t)record->seq);
    int code = finish_row(&row);
    if (code == SQLITE_OK)
        code = add_name(rows, order, "cid", order->cid);
    if (code == SQLITE_OK)
        code = add_name(rows, order, "wire_id", order->wire_id);
    return code == SQLITE_OK ? add_name(rows, order, "venue_id", order->venue_id) : code;
}

static int add_execution(struct rows *rows, const struct journal_record *record)
{
    const struct out_execution *exec = (const void *)record->msg;
    struct row row = row_of(rows, INTO_EXECUTIONS, record->msg);
    put_int(&row, (int64_t)record->seq);
    put_int(&row, record->msg->t);
    put_int(&row, exec->order);
    put_where(&row, record->msg, exec->strategy);
    put_text(&row, exec->exec_id, sizeof exec->exec_id);
    put_word(&row, word_of_member(OUT_EXECUTION, "side", exec->side));
    put_qty(&row, exec->qty);
    put_px(&row, exec->px);
    put_amount(&row, exec->fee);
    put_text(&row, exec->fee_asset, sizeof exec->fee_asset);
    put_int(&row, exec->maker);
    put_int(&row, exec->internal);
    put_int(&row, exec->busted);
    put_int(&row, exec->stage);
    put_qty(&row, exec->position);
    put_qty(&row, exec->strategy_position);
    put_amount(&row, exec->realized);
    put_amount(&row, exec->strategy_realized);
    return finish_row(&row);
}

static int put_readings(struct row *row, const struct weir_msg *msg)
{
    struct text json;
    text_init(&json);
    json_object(&json);
    render_json_members(row->rows->directory, msg, &json);
    json_end(&json);
    /* the members hold the list; SQLite's own json_extract reads it out */
    int code =
        sqlite3_bind_text(row->into, ++row->at, text_cstr(&json), (int)json.len, SQLITE_TRANSIENT);
    code = text_ok(&json) ? code : SQLITE_NOMEM;
    text_fini(&json);
    return code;
}

static int add_decision(struct rows *rows, const struct journal_record *record)
{
    const struct out_decision *decision = (const void *)record->msg;
    struct row row = row_of(rows, INTO_DECISIONS, record->msg);
    put_int(&row, (int64_t)record->seq);
    put_int(&row, record->msg->t);
    put_int(&row, decision->order);
    put_text(&row, decision->cid, sizeof decision->cid);
    put_where(&row, record->msg, decision->strategy);
    put_word(&row, word_of_member(OUT_DECISION, "of", decision->of));
    put_int(&row, decision->allowed);
    put_word(&row, decision->allowed ? "" : risk_check_name((enum risk_check)decision->reason));
    put_int(&row, (int64_t)decision->limits_version);
    int code = put_readings(&row, record->msg);
    return code == SQLITE_OK ? finish_row(&row) : code;
}

static int add_alert(struct rows *rows, const struct journal_record *record)
{
    const struct out_alert *alert = (const void *)record->msg;
    struct row row = row_of(rows, INTO_ALERTS, record->msg);
    put_int(&row, (int64_t)record->seq);
    put_int(&row, record->msg->t);
    put_word(&row, alert_name((enum alert)alert->alert));
    put_int(&row, alert->order);
    put_where(&row, record->msg, alert->strategy);
    put_int(&row, alert->value);
    put_int(&row, alert->limit);
    put_text(&row, alert->text, sizeof alert->text);
    return finish_row(&row);
}

static bool is_definition(uint16_t kind)
{
    return kind == WEIR_INSTRUMENT || (kind >= IN_DEFINE_VENUE && kind <= IN_DEFINE_STRATEGY);
}

int rows_add(struct rows *rows, const struct journal_record *record)
{
    if (is_definition(record->msg->kind))
        return directory_learn(rows->directory, record->msg) ? add_definition(rows, record)
                                                             : SQLITE_NOMEM;
    switch (record->msg->kind) {
    case OUT_ORDER: return add_order(rows, record);
    case OUT_EXECUTION: return add_execution(rows, record);
    case OUT_DECISION: return add_decision(rows, record);
    case OUT_ALERT: return add_alert(rows, record);
    default: return SQLITE_OK;
    }
}

/* --- going on ---------------------------------------------------------------------------------- */

int rows_learn(struct rows *rows)
{
    struct why why;
    sqlite3_stmt *each = NULL;
    int code = sqlite3_prepare_v2(rows->db, "SELECT message FROM definitions ORDER BY seq", -1,
                                  &each, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(each)) == SQLITE_ROW) {
        size_t size = (size_t)sqlite3_column_bytes(each, 0);
        struct weir_msg *msg = malloc(size + 1);
        if (msg && size > 0)
            memcpy(msg, sqlite3_column_blob(each, 0), size);
        bool good = msg && message_check(JOURNAL_INPUT, msg, size, &why) == WEIR_OK &&
                    directory_learn(rows->directory, msg);
        free(msg);
        code = good ? SQLITE_OK : SQLITE_CORRUPT;
    }
    sqlite3_finalize(each);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int rows_set_place(struct rows *rows, uint64_t journal, const struct journal_place *place)
{
    struct weir_msg none = {0};
    struct row row = row_of(rows, INTO_PLACE, &none);
    put_int(&row, (int64_t)journal);
    put_int(&row, place->segment);
    put_int(&row, (int64_t)place->offset);
    put_int(&row, (int64_t)place->seq);
    return finish_row(&row);
}

int rows_place(sqlite3 *db, uint64_t *journal_out, struct journal_place *place_out)
{
    sqlite3_stmt *one = NULL;
    int code =
        sqlite3_prepare_v2(db, "SELECT journal, segment, offset, seq FROM place", -1, &one, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(one);
    if (code == SQLITE_ROW) {
        *journal_out = (uint64_t)sqlite3_column_int64(one, 0);
        *place_out = (struct journal_place){(uint32_t)sqlite3_column_int64(one, 1),
                                            (uint64_t)sqlite3_column_int64(one, 2),
                                            (uint64_t)sqlite3_column_int64(one, 3)};
    }
    sqlite3_finalize(one);
    return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
}
