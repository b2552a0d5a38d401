/* report.h - what a venue says of an order. Private to host/engine. See report.c.
 *                                                                               [engine thread] */
#ifndef WEIR_ENGINE_REPORT_H
#define WEIR_ENGINE_REPORT_H

#include "engine/state.h"

void report_status(struct engine *engine, uint32_t n, const struct weir_report *report);
void report_cum(struct engine *engine, uint32_t n, const struct weir_report *report);
void report_replaced(struct engine *engine, uint32_t n, const char *vid);
void report_doubt(struct engine *engine, uint32_t n, const char *text); /* alert and query */
void stream_sequence(struct engine *engine, const struct weir_msg *msg, uint64_t seq);

#endif
