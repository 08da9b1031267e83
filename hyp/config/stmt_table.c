/* What the tables of statements say of one: which operands fit, what is refused, what is noted. */
#include "hyp/config/stmt_table.h"

#include <ctype.h>
#include <stdio.h>

#include "hyp/config/syntax.h"

#define WANT_LISTED_MAX 60 /* longer lists of what could stand there are not told */

const struct stmt_row *stmt_find(const struct stmt_table *t, const char *word)
{
    for (unsigned i = 0; i < t->count; i++)
        if (t->rows[i].name && scan_abbrev(word, t->rows[i].name))
            return &t->rows[i];
    return NULL;
}

const char *stmt_name(const struct stmt_table *t, int stmt, char out[48])
{
    unsigned i = 0;
    while (t->rows[i].stmt != stmt)
        i++;
    snprintf(out, 48, "%s", t->rows[i].name);
    for (char *c = out; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return out;
}

/* Is there an operand row of `stmt` that fits at x->at? What it took is behind. */
static bool fits(const struct stmt_table *t, int stmt, struct syntax *x)
{
    for (unsigned i = 0; i < t->count; i++) {
        const struct stmt_row *row = &t->rows[i];
        unsigned from = x->at;
        if (row->stmt == stmt && !row->name && row->effect != STMT_REFUSED &&
            syntax_match(x, row->operands) && x->at > from)
            return true;
    }
    return false;
}

static int no_operand(const struct stmt_table *t, int stmt, const struct syntax *x,
                      struct cause *cause)
{
    char name[48];
    bool rows = false;
    for (unsigned i = 0; i < t->count; i++)
        rows |= t->rows[i].stmt == stmt && !t->rows[i].name;
    if (*x->want && (x->furthest > x->at || strlen(x->want) <= WANT_LISTED_MAX))
        return scan_bad(x->s, x->furthest, cause, "%s", x->want);
    return rows ? scan_bad(x->s, x->at, cause, "an operand of %s", stmt_name(t, stmt, name))
                : scan_end(x->s, x->at, cause);
}

static int more(const struct stmt_table *t, int stmt, struct syntax *x,
                void (*taken)(void *arg, unsigned at), void *arg, struct cause *cause)
{
    while (x->at < x->s->count) {
        unsigned from = x->at;
        if (!fits(t, stmt, x))
            return no_operand(t, stmt, x, cause);
        if (taken)
            taken(arg, from);
    }
    return ST_OK;
}

int stmt_more(const struct stmt_table *t, int stmt, const struct scan *s, unsigned *at,
              void (*taken)(void *arg, unsigned at), void *arg, struct cause *cause)
{
    struct syntax x = {.s = s, .at = *at};
    int status = more(t, stmt, &x, taken, arg, cause);
    *at = x.at;
    return status;
}

int stmt_kept(const struct stmt_table *t, const struct stmt_row *row, const struct scan *s,
              unsigned name_at, struct cause *cause)
{
    struct syntax x = {.s = s, .at = name_at + 1};
    char name[48];
    if (!syntax_match(&x, row->operands))
        return scan_bad(s, x.furthest, cause, "%s", x.want);
    bool wants = row + 1 < t->rows + t->count && !row[1].name;
    if (wants && x.at == s->count && !*row->operands)
        return scan_bad(s, x.at, cause, "an operand of %s", stmt_name(t, row->stmt, name));
    return more(t, row->stmt, &x, NULL, NULL, cause);
}

/* The first word from `from` on at which operands of a row with this effect begin; 0: none. */
static unsigned operand_with(const struct stmt_table *t, int stmt, enum stmt_effect effect,
                             const struct scan *s, unsigned from)
{
    for (unsigned at = from; at < s->count; at++)
        for (unsigned i = 0; i < t->count; i++) {
            const struct stmt_row *row = &t->rows[i];
            struct syntax x = {.s = s, .at = at};
            if (row->stmt == stmt && !row->name && row->effect == effect &&
                syntax_match(&x, row->operands) && x.at > at)
                return at;
        }
    return 0;
}

int stmt_refused(const struct stmt_table *t, const struct stmt_row *row, const struct scan *s,
                 unsigned name_at, struct cause *cause)
{
    char name[48], text[96];
    stmt_name(t, row->stmt, name);
    if (row->effect == STMT_REFUSED)
        return scan_refuse(s, name_at, cause, name);
    unsigned at = operand_with(t, row->stmt, STMT_REFUSED, s, name_at + 1);
    if (!at)
        return ST_OK;
    snprintf(text, sizeof text, "%s %.32s", name, scan_word(s, at));
    return scan_refuse(s, at, cause, text);
}

void stmt_note(const struct stmt_table *t, const struct stmt_row *row, const struct scan *s,
               unsigned name_at, struct faults *faults)
{
    const struct scan_token *name_tok = &s->tok[name_at];
    char name[48];
    stmt_name(t, row->stmt, name);
    if (row->effect == STMT_LATER) {
        faults_add(faults, FAULT_NOTE, s->name, name_tok->line, name_tok->col,
                   "%s is accepted and has no effect yet", name);
        return;
    }
    unsigned at = name_at;
    while ((at = operand_with(t, row->stmt, STMT_LATER, s, at + 1)))
        faults_add(faults, FAULT_NOTE, s->name, s->tok[at].line, s->tok[at].col,
                   "%s %.32s is accepted and has no effect yet", name, scan_word(s, at));
}
