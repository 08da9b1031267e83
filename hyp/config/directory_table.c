/* The table of directory statements: which function reads one. */
#include "hyp/config/directory_internal.h"

static const struct stmt_row rows[] = {
#define S(id, name, function, effect, operands, what)                                          \
    {DIR_STMT_##id, name, STMT_##effect, operands, what},
#define O(id, effect, operands, what) {DIR_STMT_##id, NULL, STMT_##effect, operands, what},
#include "hyp/config/directory_stmt.def"
#undef S
#undef O
};

static int (*const readers[DIR_STMTS])(struct dir_parse *p) = {
#define S(id, name, function, effect, operands, what) [DIR_STMT_##id] = function,
#define O(id, effect, operands, what)
#include "hyp/config/directory_stmt.def"
#undef S
#undef O
};

const struct stmt_table dir_statements = {rows, ARRAY_LEN(rows)};

struct dir_place dir_place_of(const struct dir_parse *p)
{
    return (struct dir_place){p->s->tok[0].line, p->s->tok[0].col};
}

/* Checked; there is nothing yet that it could be for. */
int dir_st_kept(struct dir_parse *p)
{
    const struct stmt_row *row = stmt_find(&dir_statements, scan_word(p->s, 0));
    return stmt_kept(&dir_statements, row, p->s, 0, p->cause);
}

static void take_option(void *arg, unsigned at)
{
    static const struct {
        const char *word;
        u32 bit;
    } bits[] = {{"LNKNOPAS", DIR_OPT_LNKNOPAS},
                {"LNKStabl", DIR_OPT_LNKSTABL},
                {"LNKExclu", DIR_OPT_LNKEXCLU},
                {"TODENable", DIR_OPT_TODENABLE},
                {"QUIckdsp", DIR_OPT_QUICKDSP},
                {"DIAG88", DIR_OPT_DIAG88},
                {"CHPIDVirtualization", DIR_OPT_CHPIDV},
                {"APPLMON", DIR_OPT_APPLMON},
                {"ACCT", DIR_OPT_ACCT},
                {"RMCHINFO", DIR_OPT_RMCHINFO},
                {"STGexempt", DIR_OPT_STGEXEMPT},
                {"LXAPP", DIR_OPT_LXAPP},
                {"CFUSER", DIR_OPT_CFUSER},
                {"CONCEAL", DIR_OPT_CONCEAL},
                {"DEDICATE", DIR_OPT_DEDICATE},
                {"NODEDICATE", DIR_OPT_NODEDICATE},
                {"DEVINFO", DIR_OPT_DEVINFO}};
    struct dir_parse *p = arg;
    u64 n;
    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        if (scan_abbrev(scan_word(p->s, at), bits[i].word))
            p->entry->options |= bits[i].bit;
    if (scan_abbrev(scan_word(p->s, at), "MAXConn") &&
        scan_number(scan_word(p->s, at + 1), 1, 65535, &n))
        p->entry->maxconn = (unsigned)n;
}

int dir_st_option(struct dir_parse *p)
{
    unsigned at = 1;
    if (p->s->count < 2)
        return scan_bad(p->s, 1, p->cause, "an option");
    return stmt_more(&dir_statements, DIR_STMT_OPTION, p->s, &at, take_option, p, p->cause);
}

int dir_statement(struct dir_parse *p)
{
    const struct stmt_row *row = stmt_find(&dir_statements, scan_word(p->s, 0));
    if (!row || (row->effect != STMT_REFUSED && !readers[row->stmt]))
        return scan_bad(p->s, 0, p->cause, "a directory statement");
    int status = stmt_refused(&dir_statements, row, p->s, 0, p->cause);
    if (!status)
        status = readers[row->stmt](p);
    if (!status && p->faults)
        stmt_note(&dir_statements, row, p->s, 0, p->faults);
    return status;
}
