/* What is seen in a chunk without running it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "script/lint.h"

static const struct {
    const char *lua;
    const char *found; /* "LINE text\n" for each */
} cases[] = {
    {"local x = weir.now() return x", ""},
    {"return weir.nwo()", "1 weir has no 'nwo'; did you mean now?\n"},
    {"\n\nweir.sumbit{venue='sim'}", "3 weir has no 'sumbit'; did you mean submit?\n"},
    {"weir.submit{venue='sim', symbl='X', side='buy', post_onli=true}",
     "1 weir.submit has no member 'symbl'; did you mean symbol?\n"
     "1 weir.submit has no member 'post_onli'; did you mean post_only?\n"},
    {"weir.amend('x', {price=1,\n quantity=2})", "2 weir.amend has no member 'quantity'\n"},
    {"return weir.cancel_all{venue='a', symbl='b'}",
     "1 weir.cancel_all has no member 'symbl'; did you mean symbol?\n"},
    {"weir.on('boook', function() end)",
     "1 weir.on: there is no event 'boook'; did you mean book?\n"},
    {"weir.on('book', function(e)\n weir.log(e.bidd)\n pirnt(e)\n end)",
     "3 global 'pirnt' is read, but nothing sets it; did you mean print?\n"},
    {"count = 0\nweir.every(1e9, function() count = count + 1 end)",
     "1 global 'count' is set here: write local count, or keep it in weir.state\n"
     "2 global 'count' is set here: write local count, or keep it in weir.state\n"},
    {"local function f() return g() end function g() return f() end",
     "1 global 'g' is set here: write local g, or keep it in weir.state\n"},
    {"return os.time()", "1 global 'os' is read, but nothing sets it\n"},
    {"return math.flor(1), string.dump, table.concat{}",
     "1 math has no 'flor' here; did you mean floor?\n1 string has no 'dump' here\n"},
    {"local submit = weir.submit local t = {a = 1} submit{venue='x'} return t", ""},
    {"local weir = {foo = 1} return weir.foo, weir.bar", ""},
    {"local t = {weir = 1, os = 2} return t.os, t.weir", ""},
    {"local e = weir.submit{venue='sim', tag=({x=1}).x, price=weir.book('a','b').bid} return e",
     ""},
    {"weir.publish('topic', {anything = 1}) weir.declare{anything = {type='text'}}", ""},
    {"return function(...) local a <const> = 1 goto done ::done:: return select('#', ...) + a, "
     "_VERSION, _G end",
     ""},
    {"local q = weir.import('quotes') return q, weir.import(q)", "import quotes\n"},
};

static void lint(const char *text, char *said, size_t room)
{
    struct script_lint found;
    struct script_source source = {"a.lua", text, strlen(text)};
    struct why why;
    size_t len = 0;
    said[0] = '\0';
    cr_assert_eq(script_lint(&source, &found, &why), WEIR_OK, "%s", why.text);
    for (size_t i = 0; i < found.count; i++)
        len += snprintf(said + len, room - len, "%d %s\n", found.findings[i].line,
                        found.findings[i].text);
    for (size_t i = 0; i < found.import_count; i++)
        len += snprintf(said + len, room - len, "import %s\n", found.imports[i]);
}

Test(lint, names_are_found_without_running)
{
    char said[2000];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lint(cases[i].lua, said, sizeof said);
        cr_expect_str_eq(said, cases[i].found, "%s:\n%s", cases[i].lua, said);
    }
    struct script_lint found;
    struct why why;
    cr_expect_neq(script_lint(&(struct script_source){"a.lua", "x x", 3}, &found, &why), WEIR_OK);
    cr_expect(strstr(why.text, "a.lua:1:"), "%s", why.text);
    script_thread_fini();
}

/* More than 255 constants take other instructions; long lines and functions take other line tables. */
Test(lint, large_chunks_are_read_too)
{
    static char text[200000];
    char said[2000];
    size_t len = (size_t)sprintf(text, "local t = {");
    for (int i = 0; i < 2000; i++)
        len += (size_t)sprintf(text + len, "'v%d',%s", i, i % 7 ? "" : "\n");
    for (int i = 0; i < 300; i++)
        len += (size_t)sprintf(text + len, "\n");
    len += (size_t)sprintf(text + len, "}\nweir.log(t) weir.nwo() boom() math.flor()");
    lint(text, said, sizeof said);
    cr_expect_str_eq(said, "588 weir has no 'nwo'; did you mean now?\n"
                           "588 global 'boom' is read, but nothing sets it\n"
                           "588 math has no 'flor' here; did you mean floor?\n");
    script_thread_fini();
}
