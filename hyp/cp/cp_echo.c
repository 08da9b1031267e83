/* What a console shows of a command that was typed there, and what a log of it keeps: all but
 * passwords, of LOGON, AUTOLOG, LINK and DIRMAINT, also where they stand behind another command
 * (AT, FOR, SILENTLY, SEND, SET PF, TRACE ... CMD). */
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

/* Where the mode of AMDISK vdev type {start n volid | AUTOV n volid | V-DISK n ...} is. */
static unsigned mode_of_minidisk(const struct echo *e, unsigned amdisk)
{
    unsigned how = amdisk + 3;
    bool two = is(e, how, "T-DISK") || is(e, how, "V-DISK") || is(e, how, "DEVNO");
    return how + (two ? 2 : 3);
}

/* DIRMAINT ... PW password, and the passwords of AMDISK. */
static void dirmaint(const struct echo *e, unsigned at)
{
    bool behind = false;
    unsigned mode = e->count;
    for (unsigned i = at + 1; i < e->count; i++) {
        if (is(e, i, "AMDISK") || is(e, i, "RMDISK"))
            mode = mode_of_minidisk(e, i);
        bool keyword = !behind && (is(e, i, "PW") || is(e, i, "SETPW"));
        if (behind || (i > mode && !keyword))
            hide(e, i);
        behind |= keyword;
    }
}

/* SEND [CP] userid [AT member] text */
static unsigned behind_send(const struct echo *e, unsigned at)
{
    at += 1 + is(e, at + 1, "CP");
    return at + (is(e, at + 1, "AT") ? 3 : 1);
}

/* SET PFnn [IMMED | DELAYED] text; `at` when it is another SET. */
static unsigned behind_pf(const struct echo *e, unsigned at)
{
    if (at + 1 >= e->count || strncasecmp(e->word[at + 1], "PF", 2) != 0)
        return at;
    return at + 2 + (is(e, at + 2, "IMMed") || is(e, at + 2, "DELayed"));
}

/* TRACE ... CMD text; `at` without a CMD. */
static unsigned behind_trace(const struct echo *e, unsigned at)
{
    for (unsigned i = at + 1; i < e->count; i++)
        if (is(e, i, "CMD"))
            return i + 1;
    return at;
}

/* What stands in front of a command; `at` when that is the command. */
static unsigned behind_prefix(const struct echo *e, unsigned at)
{
    if (is(e, at, "CP") || is(e, at, "#CP") || is(e, at, "SILENTLY"))
        return at + 1;
    if ((is(e, at, "AT") || is(e, at, "FOR")) && is(e, at + 2, "CMD"))
        return at + 3;
    if (is(e, at, "CPU"))
        return at + 2;
    if (is(e, at, "SENd"))
        return behind_send(e, at);
    if (is(e, at, "SET"))
        return behind_pf(e, at);
    return is(e, at, "TRace") ? behind_trace(e, at) : at;
}

static void hide_command(const struct echo *e)
{
    unsigned at = 0, next;
    while (at < e->count && (next = behind_prefix(e, at)) != at)
        at = next;
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
