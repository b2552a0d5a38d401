/* errors.c - the table of errors, and how it is read: the own book, what holds everywhere, the texts,
 * and at last the books of the other products. */
#include "errors.h"

#include <stdbool.h>
#include <string.h>

static const struct row {
    uint8_t book;
    uint8_t class;
    int32_t code;
} rows[] = {
#define E(book, code, class) {BOOK_##book, ERROR_##class, code},
#include "error_rows.inc"
#undef E
};

/* The code of these is one of several meanings (-2010, -2011, -1013 and others): the text tells.
 * whole: it is all of the text; else a part of it. */
static const struct text_row {
    const char *text;
    bool whole;
    enum error_class class;
} texts[] = {
    {"System abnormality", true, ERROR_UNKNOWN},
    {"Duplicate order sent.", true, ERROR_DUPLICATE_ID},
    {"You are not authorized to execute this request.", true, ERROR_NO_PERMISSION},
    {"API key does not exist", true, ERROR_AUTHENTICATION},
    {"Order would immediately match and take.", true, ERROR_WOULD_TAKE},
    {"Account has insufficient balance for requested action.", true, ERROR_INSUFFICIENT_FUNDS},
    {"Rest API trading is not enabled.", true, ERROR_NO_PERMISSION},
    {"You don't have permission.", true, ERROR_NO_PERMISSION},
    {"This action is disabled on this account.", true, ERROR_ACCOUNT_SUSPENDED},
    {"Limit orders require GTC for this phase.", true, ERROR_BAD_REQUEST},
    {"This order type is not possible in this trading phase.", true, ERROR_BAD_REQUEST},
    {"This type of sub-account exceeds the maximum number limit", true, ERROR_NOT_ALLOWED},
    {"has no operation privilege", false, ERROR_NO_PERMISSION},
    {"MAX_POSITION", false, ERROR_BAD_REQUEST},
    {"PERCENT_PRICE_BY_SIDE", false, ERROR_INVALID_ORDER},
};

static const char *const names[ERROR_CLASS_COUNT] = {
#define X(name) #name,
    ERROR_CLASSES(X)
#undef X
};

const char *error_name(enum error_class class)
{
    return names[class];
}

int error_book_of(const char *name)
{
    static const char *const books[] = {"any", "spot", "usdm", "cm", "option", "portfolio"};
    for (int i = BOOK_SPOT; i <= BOOK_PORTFOLIO; i++)
        if (strcmp(books[i], name) == 0)
            return i;
    return -1;
}

static const struct row *find(int book, int64_t code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code && (book < 0 || rows[i].book == book))
            return &rows[i];
    return NULL;
}

static const struct text_row *find_text(struct weir_bytes text)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t len = strlen(texts[i].text);
        if (text.len == 0 || text.len < len)
            continue;
        if (texts[i].whole ? text.len == len && memcmp(text.data, texts[i].text, len) == 0
                           : memmem(text.data, text.len, texts[i].text, len) != NULL)
            return &texts[i];
    }
    return NULL;
}

static bool proves_nothing(enum error_class class)
{
    return class == ERROR_UNKNOWN || class == ERROR_DUPLICATE_ID;
}

struct error_verdict error_judge(enum error_book book, int status, int64_t code,
                                 struct weir_bytes text)
{
    struct error_verdict verdict = {.class = ERROR_REFUSED, .known = 1};
    const struct text_row *said = find_text(text);
    const struct row *row = find((int)book, code);
    if (!row)
        row = find(BOOK_ANY, code);
    if (!row)
        row = find(-1, code);
    if (said)
        verdict.class = said->class;
    else if (row)
        verdict.class = (enum error_class)row->class;
    else
        verdict.known = 0;
    bool silent = status == 0 || status >= 500;
    if (silent && verdict.class != ERROR_RATE_LIMITED)
        verdict.class = ERROR_UNKNOWN;
    verdict.proof = proves_nothing(verdict.class) ? WEIR_SILENCE : WEIR_DEFINITE;
    return verdict;
}
