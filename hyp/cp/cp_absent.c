/* What no member has: operands of QUERY (cp_nothing.def), which are told so; commands, and
 * operands of SET (cp_absent.def), which are refused. What is typed behind them is looked at all
 * the same, so that a slip of the hand is told as such. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"
#include "mem/base/ergo.h"

/* --- QUERY ----------------------------------------------------------------------------------- */

static const struct nothing {
    const char *subject, *words, *answer;
} nothings[] = {
#define N(subject, words, answer) {subject, words, answer},
#include "hyp/cp/cp_nothing.def"
#undef N
};

/* The row whose name, in capitals, is the operand's full name. */
static const struct nothing *nothing_row(const char *command)
{
    for (size_t i = 0; i < ARRAY_LEN(nothings); i++)
        if (!strncasecmp(nothings[i].subject, command, 15))
            return &nothings[i];
    return NULL;
}

/* Is the word one of them? A device number is told: none of them is there. */
static bool word_allowed(const char *words, const char *word, bool *device)
{
    char name[16];
    u64 devno;
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        p += n + (p[n] == ' ');
        *device = *name == '#' && strlen(word) <= 4 && scan_hex(word, 0xffff, &devno);
        if (*device || (*name == '*' && (cp_userid_ok(word) || !strcmp(word, "*"))) ||
            cp_abbrev(word, name))
            return true;
    }
    return false;
}

/* QUERY of a subject of cp_nothing.def */
int cp_query_nothing(struct cp_request *req, void *ctx)
{
    const struct nothing *row = nothing_row(req->command);
    const char *word;
    bool device = false;
    (void)ctx;
    if (!row)
        return cp_fail(req, MSG_CQV003E, req->word);
    while ((word = cp_operand(req))) {
        if (!word_allowed(row->words, word, &device))
            return cp_fail(req, MSG_CQV003E, word);
        if (device)
            return cp_fail(req, MSG_QRD040E, word);
    }
    cp_line_text(req, row->answer);
    return 0;
}

/* --- commands, SET ------------------------------------------------------------------------- */

static const struct absent {
    const char *command, *words, *reason;
} absents[] = {
#define A(prefix, command, words, reason) {command, words, reason},
#include "hyp/cp/cp_absent.def"
#undef A
};

/* A command or an operand of SET that is a row of cp_absent.def */
int cp_cmd_absent(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    bool device;
    size_t i = 0;
    (void)ctx;
    while (i < ARRAY_LEN(absents) && strcmp(absents[i].command, req->command))
        i++;
    PRE(i < ARRAY_LEN(absents));
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!word_allowed(absents[i].words, word, &device))
        return cp_fail(req, MSG_CMD002E, word);
    return cp_fail(req, MSG_ABS600E, req->command, absents[i].reason);
}
