/* Between the parts of the directory parser: blocks, and the statement table.
 * Internal to hyp/ and its unit tests. */
#ifndef ENDICOTT_HYP_DIRECTORY_INTERNAL_H
#define ENDICOTT_HYP_DIRECTORY_INTERNAL_H

#include "hyp/config/config_scan.h"
#include "hyp/directory.h"

struct dir_parse {
    struct scan *s;
    struct cause *cause;
    struct dir_entry *entry; /* the statement goes here */
    bool cpus_own;           /* entry->cpus came from CPU statements */
    /* set by INCLUDE and BUILD ON, worked off by the caller: */
    char include[DIR_NAME_BYTES], build[DIR_NAME_BYTES];
    unsigned build_at;
    const char *member;
};

/** Run the statement in p->s (not USER, IDENTITY, SUBCONFIG, PROFILE). */
int dir_statement(struct dir_parse *p);
/** Operands of USER (also of IDENTITY) from word 1 on. */
int dir_user_operands(struct dir_parse *p);

/* directory_disk.c */
int dir_st_mdisk(struct dir_parse *p);
int dir_st_miniopt(struct dir_parse *p);
int dir_st_link(struct dir_parse *p);
int dir_st_dedicate(struct dir_parse *p);
int dir_st_special(struct dir_parse *p);
/** What the entry's device statements took. */
void dir_devices_free(struct dir_entry *e);

#endif
