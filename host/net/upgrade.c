/* upgrade.c - see upgrade.h. */
#include "net/upgrade.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool upgrade_begin(struct upgrade *upgrade)
{
    unsigned char nonce[16];
    upgrade->head_len = 0;
    if (RAND_bytes(nonce, sizeof nonce) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)upgrade->key, nonce, sizeof nonce);
    return true;
}

size_t upgrade_request(const struct upgrade *upgrade, const char *host, const char *prefix,
                       const char *path, char *out, size_t room)
{
    int n = snprintf(out, room,
                     "GET %s%s HTTP/1.1\r\n"
                     "Host: %s\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "User-Agent: weir/" WEIR_VERSION "\r\n\r\n",
                     prefix, path, host, upgrade->key);
    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

void upgrade_accept(const char *key, char out[UPGRADE_ACCEPT_LEN + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    char text[256];
    int n = snprintf(text, sizeof text, "%s%s", key, guid);
    out[0] = '\0';
    if (n > 0 && (size_t)n < sizeof text &&
        EVP_Digest(text, (size_t)n, digest, &len, EVP_sha1(), NULL) == 1)
        EVP_EncodeBlock((unsigned char *)out, digest, (int)len);
}

/* --- the answer -------------------------------------------------------------------------------*/

static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        text[--len] = '\0';
    return text;
}

/* Is the word one of a list "a, b"? */
static bool names(char *list, const char *word)
{
    for (char *rest = NULL, *item = strtok_r(list, ",", &rest); item;
         item = strtok_r(NULL, ",", &rest))
        if (strcasecmp(trimmed(item), word) == 0)
            return true;
    return false;
}

/* What of the answer was seen; each header at most once where that matters. */
struct seen {
    bool upgrade, connection, accept;
    const char *fault;
};

static void header(const struct upgrade *upgrade, char *name, char *value, struct seen *seen)
{
    char accept[UPGRADE_ACCEPT_LEN + 1];
    if (strcasecmp(name, "Upgrade") == 0)
        seen->upgrade = strcasecmp(value, "websocket") == 0;
    else if (strcasecmp(name, "Connection") == 0)
        seen->connection |= names(value, "upgrade");
    else if (strcasecmp(name, "Sec-WebSocket-Accept") == 0) {
        upgrade_accept(upgrade->key, accept);
        seen->accept = accept[0] && strcmp(value, accept) == 0;
    } else if (strcasecmp(name, "Sec-WebSocket-Extensions") == 0 && *value)
        seen->fault = "an extension that was not asked for";
    else if (strcasecmp(name, "Sec-WebSocket-Protocol") == 0 && *value)
        seen->fault = "a subprotocol that was not asked for";
}

static void printable(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static enum upgrade_step refuse(char *why, size_t room, const char *expected, const char *found)
{
    snprintf(why, room, "upgrade: expected %s, found %s", expected, found);
    return UPGRADE_REFUSED;
}

static enum upgrade_step judge(struct upgrade *upgrade, char *why, size_t room)
{
    struct seen seen = {0};
    char *line = upgrade->head, *end = strstr(line, "\r\n");
    if (strlen(upgrade->head) != upgrade->head_len)
        return refuse(why, room, "an HTTP head", "a zero byte in it");
    *end = '\0';
    if (strncmp(line, "HTTP/1.1 101", 12) != 0 || (line[12] != ' ' && line[12] != '\0')) {
        char found[100];
        snprintf(found, sizeof found, "'%.80s'", line);
        printable(found);
        return refuse(why, room, "HTTP/1.1 101", found);
    }
    for (line = end + 2; (end = strstr(line, "\r\n")) != NULL && end != line; line = end + 2) {
        *end = '\0';
        char *colon = strchr(line, ':');
        if (!colon || colon == line)
            return refuse(why, room, "headers", "a line without a colon");
        *colon = '\0';
        header(upgrade, line, trimmed(colon + 1), &seen);
    }
    if (seen.fault)
        return refuse(why, room, "no extension and no subprotocol", seen.fault);
    if (!seen.upgrade || !seen.connection)
        return refuse(why, room, "Upgrade: websocket and Connection: Upgrade", "other headers");
    return seen.accept
               ? UPGRADE_DONE
               : refuse(why, room, "the Sec-WebSocket-Accept of our key", "another or none");
}

enum upgrade_step upgrade_take(struct upgrade *upgrade, const char *bytes, size_t len,
                               size_t *used_out, char *why, size_t why_room)
{
    for (*used_out = 0; *used_out < len;) {
        if (upgrade->head_len == UPGRADE_HEAD_MAX)
            return refuse(why, why_room, "a head of at most 16384 bytes", "a longer one");
        upgrade->head[upgrade->head_len++] = bytes[(*used_out)++];
        if (upgrade->head_len >= 4 &&
            memcmp(upgrade->head + upgrade->head_len - 4, "\r\n\r\n", 4) == 0) {
            upgrade->head[upgrade->head_len] = '\0';
            return judge(upgrade, why, why_room);
        }
    }
    return UPGRADE_MORE;
}
