/* abi.c - everything that host and plugin hand each other, as one symbol, for abi.sh to compare. */
#include "weir/plugin.h"

struct weir_abi {
    struct weir_plugin plugin;
    struct weir_msg msg;
    struct weir_instrument instrument;
    struct weir_level level;
    struct weir_book_msg *book;
    struct weir_top top;
    struct weir_trade trade;
    struct weir_mark mark;
    struct weir_sequence sequence;
    struct weir_l3 l3;
    struct weir_funding_rate funding_rate;
    struct weir_session session;
    struct weir_rate_limited rate_limited;
    struct weir_report report;
    struct weir_fill fill;
    struct weir_cash cash;
    struct weir_intent intent;
    struct weir_query query;
    struct weir_probe probe;
    enum weir_err err;
    enum weir_kind kind;
    enum weir_order_type order_type;
    enum weir_tif tif;
    enum weir_order_flags order_flags;
    enum weir_side side;
    enum weir_proof proof;
    enum weir_venue_state venue_state;
    enum weir_request request;
    enum weir_origin origin;
    enum weir_book_rule book_rule;
    enum weir_book_check book_check;
    enum weir_l3_action l3_action;
    enum weir_instrument_kind instrument_kind;
    enum weir_instrument_status instrument_status;
    enum weir_lane lane;
    enum weir_budget_of budget_of;
    enum weir_query_of query_of;
};
__attribute__((visibility("default"))) extern const struct weir_abi weir_abi;
const struct weir_abi weir_abi = {.plugin = {.magic = WEIR_MAGIC, .abi = WEIR_ABI}};
