/* DATAMOVE: minidisks that are copied for DIRMAINT (CLONEDISK, CMDISK), one after another. Internal
 * to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_DATAMOVE_H
#define ENDICOTT_HYP_CP_CP_DATAMOVE_H

#include "hyp/cp/cp_dirmaint.h"
#include "hyp/cp/cp_disk.h"

#define DATAMOVE_UNITS_MAX 64 /* that are done or wait */
#define DATAMOVE_STATEMENT_BYTES (CP_COMMAND_BYTES_MAX + 64)

/** What is to be copied, and what becomes of the directory then. */
struct datamove {
    const struct dir_mdisk *from;
    const char *owner;     /* of `from` */
    struct dir_mdisk to;   /* its volume, start, size */
    bool moves;            /* `from` goes: nobody may have it, else nobody may write it */
    const char *was;       /* the statement that goes; NULL: there is none */
    const char *statement; /* the new one; NULL: it is there already */
    const char *what;      /* function and operands, without passwords */
};

/** A work unit: the disks are linked, the copying begins when those before it are done. 0, or a
 *  number. */
int datamove_add(struct dirm *d, const struct datamove *what);
/** DIRMAINT QUERY DATAMOVE. */
void datamove_query(struct dirm *d);
/** The first of the extents that work units fill on a volume, of those that end behind `from`;
 *  NULL: none. */
const struct dir_mdisk *datamove_taken(const struct cp *cp, const char *volid, u64 from,
                                       const char **owner);

#endif
