/* render.h - records for people and programs: one line, or one JSON object, of any message.
 *
 * Numbers are exact decimals in the unit of their instrument (as far as the directory knows it; else
 * the stored count with a question mark before it), numbers of venues and strategies are names.
 * A line leaves out what is zero or empty; JSON has every member. [any thread] */
#ifndef WEIR_JOURNAL_RENDER_H
#define WEIR_JOURNAL_RENDER_H

#include "base/text.h"
#include "journal/directory.h"
#include "journal/kinds.h"
#include "journal/reader.h"

enum { TIME_TEXT_MAX = 40 };

/* "2024-08-08T09:30:00.000120131Z" and "09:30:00.000120" (UTC). */
void render_time(weir_ns t, char text[TIME_TEXT_MAX]);
void render_clock(weir_ns t, char text[TIME_TEXT_MAX]);

/* "  1204 input  2024-... submit binance BTCUSDT cid=a1 side=buy ...", without a newline. */
void render_line(const struct directory *directory, const struct journal_record *record,
                 struct text *out);
/* {"seq":1204,"class":"input","kind":"submit","t":"...","t_ns":...,...} */
void render_json(const struct directory *directory, const struct journal_record *record,
                 struct text *out);

/* The members only: " cid=a1 side=buy", and as members of the JSON object that is open. */
void render_members(const struct directory *directory, const struct weir_msg *msg,
                    struct text *out);
void render_json_members(const struct directory *directory, const struct weir_msg *msg,
                         struct text *out);

/* A text from outside in a line: control bytes become question marks; with spaces, it is quoted. */
void render_word(const char *bytes, size_t room, struct text *out);

/* A price or quantity of an instrument, exact; room for DECIMAL_TEXT_MAX. */
void render_px(const struct directory *directory, uint32_t instrument, weir_px px, char *text);
void render_qty(const struct directory *directory, uint32_t instrument, weir_qty qty, char *text);

#endif
