/* What a console shows of a command that was typed there, and what a log of it keeps: all but
 * passwords, of LOGON, AUTOLOG, LINK and DIRMAINT, behind CP, AT and FOR too. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/rdev/link_mode.h"

#define ECHO_WORDS_MAX 64
#define HIDDEN_CHARACTER 'X'

struct echo {
    char *word[ECHO_WORDS_MAX]; /* into the line that is shown */
    size_t len[ECHO_WORDS_MAX];
    unsigned count;
};

static void split(struct echo *e, char *from, char *end)
{
    e->count = 0;
    while (from < end && e->count < ECHO_WORDS_MAX) {
        while (from < end && *from == ' ')
            from++;
        char *begin = from;
        while (from < end && *from != ' ')
            from++;
        if (from > begin) {
            e->word[e->count] = begin;
            e->len[e->count++] = (size_t)(from - begin);
        }
    }
}

static bool is(const struct echo *e, unsigned i, const char *name)
{
    char word[32];
    if (i >= e->count || e->len[i] >= sizeof word)
        return false;
    memcpy(word, e->word[i], e->len[i]);
    word[e->len[i]] = 0;
    return scan_abbrev(word, name);
}

static void hide(const struct echo *e, unsigned i)
{
    if (i < e->count)
        memset(e->word[i], HIDDEN_CHARACTER, e->len[i]);
}

/* LOGON userid [BY userid] [password] [HERE] [NOIPL] */
static void logon(const struct echo *e, unsigned at)
{
    for (unsigned i = at + 2; i < e->count; i++)
        if (i == at + 2 && is(e, i, "BY"))
            i++;
        else if (!is(e, i, "HERE") && !is(e, i, "NOIPL"))
            hide(e, i);
}

/* LINK [TO] userid vdev [AS] vdev [mode] [PASS=] [password] */
static void link_password(const struct echo *e, unsigned at)
{
    unsigned i = at + 1 + is(e, at + 1, "TO") + 2;
    char word[8] = "";
    enum link_mode mode;
    i += is(e, i, "AS");
    i++; /* behind the second vdev */
    if (i < e->count && e->len[i] < sizeof word)
        for (size_t k = 0; k < e->len[i]; k++)
            word[k] = (char)(e->word[i][k] & ~0x20);
    i += *word && link_mode_find(word, &mode);
    for (; i < e->count; i++)
        if (!is(e, i, "PASS="))
            hide(e, i);
}

/* DIRMAINT ... PW password, and the passwords of AMDISK. */
static void dirmaint(const struct echo *e, unsigned at)
{
    bool behind = false, amdisk = false;
    for (unsigned i = at + 1; i < e->count; i++) {
        amdisk |= is(e, i, "AMDISK") || is(e, i, "RMDISK");
        bool keyword = !behind && (is(e, i, "PW") || is(e, i, "SETPW"));
        if (behind || (amdisk && i > at + 9 && !keyword))
            hide(e, i);
        behind |= keyword;
    }
}

static void hide_command(const struct echo *e)
{
    unsigned at = 0;
    while (at < e->count) { /* what stands in front of a command */
        if (is(e, at, "CP") || is(e, at, "#CP"))
            at++;
        else if ((is(e, at, "AT") || is(e, at, "FOR")) && is(e, at + 2, "CMD"))
            at += 3;
        else
            break;
    }
    if (is(e, at, "Logon") || is(e, at, "LOGIN") || is(e, at, "AUTOLOG"))
        logon(e, at);
    else if (is(e, at, "LInk"))
        link_password(e, at);
    else if (is(e, at, "DIRMaint"))
        dirmaint(e, at);
}

void cp_echo(struct cp_user *user, const char *text)
{
    char line[CP_COMMAND_BYTES_MAX], *p = line;
    const char linend = user->terminal.linend;
    struct echo e;
    snprintf(line, sizeof line, "%s", text);
    if (linend && *p == linend)
        p++; /* #CP */
    while (*p) {
        char *end = linend ? strchr(p, linend) : NULL;
        end = end ? end : p + strlen(p);
        split(&e, p, end);
        hide_command(&e);
        p = *end ? end + 1 : end;
    }
    console_write_line(user->console, line);
    explicit_bzero(line, sizeof line);
}
