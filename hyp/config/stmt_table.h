/* Tables of statements, of USER DIRECT and of SYSTEM CONFIG: rows from a .def file, and what can
 * be done with a statement by its row alone. Internal to hyp/config and its unit tests. */
#ifndef ENDICOTT_HYP_CONFIG_STMT_TABLE_H
#define ENDICOTT_HYP_CONFIG_STMT_TABLE_H

#include "hyp/config/config_scan.h"
#include "hyp/config/fault.h"

enum stmt_effect {
    STMT_ACTS,
    STMT_KEPT,  /* nothing here could differ for it */
    STMT_LATER, /* syntax is checked; no effect yet, which a check says */
    STMT_REFUSED,
};

/** A statement, or (name NULL) more operands of one. */
struct stmt_row {
    int stmt;
    const char *name;
    enum stmt_effect effect;
    const char *operands, *what; /* syntax.h */
};

struct stmt_table {
    const struct stmt_row *rows;
    unsigned count;
};

/** The row of a statement by its name or an abbreviation, or NULL. */
const struct stmt_row *stmt_find(const struct stmt_table *t, const char *word);
/** The name of a statement in capitals. */
const char *stmt_name(const struct stmt_table *t, int stmt, char out[48]);
/** Match more operands of `stmt` from word *at on, in any order; `taken` (may be NULL) is told of
 *  each. ST_OK and the end in *at, or ST_CONFIG. */
int stmt_more(const struct stmt_table *t, int stmt, const struct scan *s, unsigned *at,
              void (*taken)(void *arg, unsigned at), void *arg, struct cause *cause);
/** Check all operands behind word `name_at`, the name, by the rows alone. */
int stmt_kept(const struct stmt_table *t, const struct stmt_row *row, const struct scan *s,
              unsigned name_at, struct cause *cause);
/** ST_CONFIG when the statement or one of its operands is refused by its row. */
int stmt_refused(const struct stmt_table *t, const struct stmt_row *row, const struct scan *s,
                 unsigned name_at, struct cause *cause);
/** Note what has no effect yet. */
void stmt_note(const struct stmt_table *t, const struct stmt_row *row, const struct scan *s,
               unsigned name_at, struct faults *faults);

#endif
