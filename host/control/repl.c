/* repl.c - `weir script repl`: lines of Lua to a running host, to a recording, or to the simulated venue. */
#include "control/repl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "control/commands.h"
#include "control/schema.h"
#include "control/trial.h"
#include "gateway/socket.h"

static const char help[] =
    "usage: weir script repl [--socket PATH | --config FILE] [--as SCRIPT [--orders]]\n"
    "       weir script repl --data PATH... [--config FILE] [--orders]\n"
    "       weir script repl --sim [--orders]\n\n"
    "Lua by the line, from standard input: values of expressions are shown, globals stay. In a "
    "running host\n"
    "it reads what scripts may read; with a recording or the simulated venue, `:wait 10s` lets "
    "time go on.\n"
    "  --as SCRIPT  in a running host: see that script's orders and positions\n"
    "  --orders     may send orders (in a running host: for the script of --as)\n"
    "  --data PATH  a recording, with the venues of --config (default config/recorded.yaml)\n"
    "  --sim        the simulated venue\n\n"
    "Exit: 0, 1 a line failed and input is no terminal, 2 wrong usage or no host.\n";

enum { DATA_MAX = 64, LINE_MAX_ = 2047, ANSWER = 16384 };

struct repl {
    const char *socket, *config, *as;
    const char *data[DATA_MAX];
    size_t data_count;
    bool sim, orders;
    /* a market of our own */
    struct host *host;
    struct trial_market market;
    struct config_script script;
    char file[64];
    struct text said;
    weir_ns now; /* virtual time */
};

/* --- where lines go ---------------------------------------------------------------------------- */

/* False: it failed, and value says how. said: what it printed. */
static bool ask_host(struct repl *repl, const char *code, struct text *said, char *value,
                     size_t room)
{
    struct text line, answer;
    struct why why;
    text_init(&line);
    text_init(&answer);
    json_object(&line);
    json_key(&line, "do");
    json_string(&line, "eval");
    json_key(&line, "code");
    json_string(&line, code);
    json_key(&line, "script");
    json_string(&line, repl->as ? repl->as : "");
    json_key(&line, "orders");
    json_bool(&line, repl->orders);
    json_end(&line);
    bool fine = false;
    cJSON *document = NULL;
    if (!control_ask(repl->socket, text_cstr(&line), &answer, &why))
        document = json_read(text_cstr(&answer), answer.len, &why);
    if (document) {
        fine = json_get(document, "error") == NULL;
        text_say(said, "%s", json_text(document, "said", ""));
        snprintf(value, room, "%s", json_text(document, fine ? "ok" : "error", ""));
    } else {
        snprintf(value, room, "%s", why.text);
    }
    cJSON_Delete(document);
    text_fini(&line);
    text_fini(&answer);
    return fine;
}

static bool ask_here(struct repl *repl, const char *code, struct text *said, char *value,
                     size_t room)
{
    bool fine = script_eval(repl->host->scripts[0].script, code, value, room);
    host_settle(repl->host);
    text_add(said, text_cstr(&repl->said), repl->said.len);
    text_fini(&repl->said);
    return fine;
}

/* --- a market of our own ------------------------------------------------------------------------- */

static void on_log(void *context, const char *script, const char *line)
{
    struct repl *repl = context;
    (void)script;
    text_say(&repl->said, "%s\n", line);
}

static bool write_script(struct repl *repl)
{
    const char *folder = getenv("TMPDIR");
    snprintf(repl->file, sizeof repl->file, "%.40s/weir-repl-XXXXXX",
             folder && *folder ? folder : "/tmp");
    int fd = mkstemp(repl->file);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static enum weir_err open_market(struct repl *repl, struct why *why)
{
    struct host_options options = {
        .on_log = on_log, .context = repl, .isolation = ISOLATION_INLINE};
    text_init(&repl->said);
    if (!write_script(repl))
        return because(why, WEIR_E_IO, "no temporary file: %m");
    trial_script(&repl->script, "repl", repl->file, repl->orders, NULL);
    log_to(stderr, false, LOG_ERROR);
    enum weir_err err = trial_open(&repl->market, repl->data, repl->data_count,
                                   repl->config ? repl->config : "config/recorded.yaml",
                                   &repl->script, 1, &options, why);
    if (err)
        return err;
    repl->host = host_create(&repl->market.config, &options, why);
    if (!repl->host) {
        trial_close(&repl->market);
        return why->err;
    }
    repl->now = options.start;
    return WEIR_OK;
}

static void close_market(struct repl *repl)
{
    host_destroy(repl->host);
    if (repl->host)
        trial_close(&repl->market);
    if (repl->file[0])
        (void)unlink(repl->file);
    text_fini(&repl->said);
}

/* ":wait 10s" */
static bool wait_for(struct repl *repl, const char *words)
{
    struct why why;
    int64_t ns;
    words += strspn(words, " ");
    if (!repl->host)
        return fprintf(stderr, "time goes on by itself in a running host\n"), false;
    if (!duration_parse(words, &ns) || ns <= 0)
        return fprintf(stderr, ":wait: expected a duration such as 500ms or 10s\n"), false;
    repl->now += ns;
    bool more = host_run_until(repl->host, repl->now, &why);
    fputs(text_cstr(&repl->said), stdout);
    text_fini(&repl->said);
    if (!more)
        fprintf(stderr, "%s\n", why.err ? why.text : "the data has ended");
    return more;
}

/* --- lines --------------------------------------------------------------------------------------- */

/* An unfinished block: more lines are wanted. */
static bool is_unfinished(const char *error)
{
    size_t len = strlen(error);
    return len > 5 && strcmp(error + len - 5, "<eof>") == 0;
}

static bool take(struct repl *repl, const char *code, bool *more_out)
{
    static char value[ANSWER];
    struct text said;
    text_init(&said);
    bool fine = repl->host ? ask_here(repl, code, &said, value, sizeof value)
                           : ask_host(repl, code, &said, value, sizeof value);
    *more_out = !fine && is_unfinished(value);
    if (!*more_out) {
        fputs(text_cstr(&said), stdout);
        if (*value)
            fprintf(fine ? stdout : stderr, "%s\n", value);
    }
    fflush(stdout);
    text_fini(&said);
    return fine;
}

static int read_lines(struct repl *repl)
{
    bool person = isatty(STDIN_FILENO), fine = true, more = false;
    char *line = NULL;
    size_t room = 0;
    struct text code;
    text_init(&code);
    for (;;) {
        if (person)
            fputs(more ? ">> " : "> ", stdout), fflush(stdout);
        if (getline(&line, &room, stdin) < 0)
            break;
        line[strcspn(line, "\n")] = '\0';
        if (!more && strcmp(line, ":quit") == 0)
            break;
        if (!more && (!*line || strcmp(line, ":help") == 0)) {
            fputs(*line ? help : "", stdout);
            continue;
        }
        if (!more && strncmp(line, ":wait", 5) == 0) {
            fine = wait_for(repl, line + 5) && fine;
            continue;
        }
        text_say(&code, "%s%s", code.len ? "\n" : "", line);
        fine = take(repl, text_cstr(&code), &more) && fine;
        if (!more)
            text_fini(&code);
        fine = fine || more;
    }
    if (more)
        fprintf(stderr, "the last block has no end\n");
    text_fini(&code);
    free(line);
    return (fine && !more) || person ? EXIT_OK : EXIT_NO;
}

static int run(struct repl *repl)
{
    struct why why;
    struct config *config = NULL;
    if (repl->sim || repl->data_count > 0) {
        if (open_market(repl, &why)) {
            close_market(repl);
            return usage_error("script repl", "%s", why.text);
        }
    } else if (!repl->socket) {
        config = config_load(repl->config ? repl->config : "config/weir.yaml", &why);
        if (!config)
            return usage_error("script repl", "%s", why.text);
        repl->socket = config->control;
    }
    int code = EXIT_BAD;
    static char value[256];
    struct text said;
    text_init(&said);
    if (repl->host || ask_host(repl, "nil", &said, value, sizeof value)) /* is anybody there? */
        code = read_lines(repl);
    else
        (void)usage_error("script repl", "%s", value);
    text_fini(&said);
    close_market(repl);
    config_destroy(config);
    return code;
}

int script_repl(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'}, {"config", required_argument, NULL, 'c'},
        {"as", required_argument, NULL, 'a'},     {"orders", no_argument, NULL, 'o'},
        {"data", required_argument, NULL, 'd'},   {"sim", no_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},         {0}};
    static struct repl repl;
    for (int c; (c = getopt_long(argc, argv, "s:c:a:od:mh", options, NULL)) != -1;) {
        switch (c) {
        case 's': repl.socket = optarg; break;
        case 'c': repl.config = optarg; break;
        case 'a': repl.as = optarg; break;
        case 'o': repl.orders = true; break;
        case 'm': repl.sim = true; break;
        case 'd':
            if (repl.data_count == DATA_MAX)
                return usage_error("script repl", "--data: at most %d paths", DATA_MAX);
            repl.data[repl.data_count++] = optarg;
            break;
        case 'h': fputs(help, stdout); return EXIT_OK;
        default: return usage_error("script repl", "see `weir script repl --help`");
        }
    }
    while (repl.data_count > 0 && optind < argc && repl.data_count < DATA_MAX)
        repl.data[repl.data_count++] = argv[optind++];
    if (optind != argc)
        return usage_error("script repl", "unexpected '%s'", argv[optind]);
    if (repl.sim && repl.data_count > 0)
        return usage_error("script repl", "--sim and --data exclude each other");
    return run(&repl);
}
