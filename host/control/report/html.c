/* html.c - the page around the JSON.
 *
 * page.html is embedded in the program with two marks in it: DATA takes the JSON, with each '<' written
 * as an escape, so that no text of it can end the script element; STATIC takes the headline numbers as
 * plain HTML, which stands where no script runs (a mail preview, say) and is hidden where one does. */
#include <string.h>

#include "base/json.h"
#include "control/report/report.h"

extern const unsigned char report_page[]; /* made from page.html by the build; ends with zero */

static void escape(struct text *out, const char *text)
{
    for (; *text; text++) {
        const char *instead = *text == '<'   ? "&lt;"
                              : *text == '>' ? "&gt;"
                              : *text == '&' ? "&amp;"
                              : *text == '"' ? "&quot;"
                                             : NULL;
        if (instead)
            text_add(out, instead, strlen(instead));
        else
            text_add(out, text, 1);
    }
}

static void row(struct text *out, const char *key, const char *value)
{
    text_say(out, "<tr><td>");
    escape(out, key);
    text_say(out, "</td><td>");
    escape(out, value);
    text_say(out, "</td></tr>\n");
}

static void rows_of(struct text *out, const cJSON *object)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        const char *digits = json_digits(item);
        if (cJSON_IsString(item))
            row(out, item->string, item->valuestring);
        else
            row(out, item->string, digits ? digits : "-");
    }
}

static void run_table(struct text *out, const cJSON *run)
{
    const cJSON *line;
    text_say(out, "<h2>Result</h2><table>\n");
    rows_of(out, json_get(run, "parameters"));
    rows_of(out, json_get(run, "metrics"));
    rows_of(out, json_get(run, "orders"));
    text_say(out, "</table>\n<ul>\n");
    cJSON_ArrayForEach(line, json_get(run, "assumptions"))
    {
        text_say(out, "<li>");
        escape(out, line->valuestring);
        text_say(out, "</li>\n");
    }
    text_say(out, "</ul>\n");
}

static void static_part(struct text *out, const cJSON *root)
{
    const cJSON *runs = json_get(root, "runs"), *run;
    text_say(out, "<h1>weir backtest</h1><div id=\"static\">\n");
    if (runs)
        cJSON_ArrayForEach(run, runs) run_table(out, run);
    else
        run_table(out, root);
    text_say(out, "</div>\n");
}

/* A '<' inside of JSON stands in a text only, where an escape may stand for it. */
static void data_part(struct text *out, const char *document)
{
    for (const char *at = document; *at;) {
        size_t plain = strcspn(at, "<");
        text_add(out, at, plain);
        at += plain;
        if (*at == '<') {
            text_add(out, "\\u003c", 6);
            at++;
        }
    }
}

bool report_html(const char *document, struct text *out)
{
    static const char static_mark[] = "<!--STATIC-->", data_mark[] = "<!--DATA-->";
    const char *page = (const char *)report_page;
    const char *first = strstr(page, static_mark), *second = strstr(page, data_mark);
    struct why why;
    cJSON *root = json_read(document, strlen(document), &why);
    if (!root || !first || !second) {
        cJSON_Delete(root);
        return false;
    }
    text_add(out, page, (size_t)(first - page));
    static_part(out, root);
    first += sizeof static_mark - 1;
    text_add(out, first, (size_t)(second - first));
    data_part(out, document);
    second += sizeof data_mark - 1;
    text_add(out, second, strlen(second));
    cJSON_Delete(root);
    return text_ok(out);
}
