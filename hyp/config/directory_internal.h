/* Between the parts of the directory parser: blocks, and the statement table.
 * Internal to hyp/ and its unit tests. */
#ifndef ENDICOTT_HYP_DIRECTORY_INTERNAL_H
#define ENDICOTT_HYP_DIRECTORY_INTERNAL_H

#include "hyp/config/config_scan.h"
#include "hyp/config/stmt_table.h"
#include "hyp/directory.h"

struct dir_parse {
    struct scan *s;
    struct cause *cause;
    struct faults *faults;   /* NULL: nobody asks */
    struct dir_entry *entry; /* the statement goes here */
    bool cpus_own;           /* entry->cpus came from CPU statements */
    u64 cpus_profile;        /* of them, by address: from the profile's */
    /* set by INCLUDE and BUILD ON, worked off by the caller: */
    char include[DIR_NAME_BYTES], build[DIR_NAME_BYTES];
    unsigned build_at;
    const char *member;
};

/** A PROFILE or SUBCONFIG: where its statements begin, who has it. */
struct dir_block {
    char name[DIR_NAME_BYTES];
    bool profile;
    const char *p; /* while the text is being read */
    unsigned line, col;
    struct dir_place at;
    unsigned uses;
};

struct directory {
    struct dir_entry **entries; /* by user id */
    unsigned count;
    struct dir_block *blocks;
    unsigned block_count;
    struct dir_digest *digests; /* by name */
    unsigned digest_count;
};

/** Digests of all blocks; directory_digest.c. */
int dir_digest(struct directory *dir, struct scan *s, struct cause *cause);

/** As directory_parse; with `faults` bad statements are told there and left out. NULL: no memory,
 *  or the text cannot be taken apart, which is told too. */
struct directory *directory_examine(const char *name, const char *text, const char *member,
                                    struct faults *faults);

/** USER, IDENTITY, SUBCONFIG or PROFILE. */
bool dir_begins_block(const char *word);
/** DIRECTORY, GLOBALDEFS, GLOBALOPTS, which stand before the first entry. */
bool dir_before_entries(const char *word);
/** Run the statement in p->s (not USER, IDENTITY, SUBCONFIG, PROFILE). */
int dir_statement(struct dir_parse *p);
/** Operands of USER (also of IDENTITY) from word 1 on. */
int dir_user_operands(struct dir_parse *p);

enum dir_stmt {
#define S(id, name, function, effect, operands, what) DIR_STMT_##id,
#define O(id, effect, operands, what)
#include "hyp/config/directory_stmt.def"
#undef S
#undef O
    DIR_STMTS
};

extern const struct stmt_table dir_statements;

/* directory_table.c, directory_stmt.c, directory_disk.c */
int dir_st_kept(struct dir_parse *p);
int dir_st_include(struct dir_parse *p);
int dir_st_build(struct dir_parse *p);
int dir_st_machine(struct dir_parse *p);
int dir_st_cpu(struct dir_parse *p);
int dir_st_ipl(struct dir_parse *p);
int dir_st_console(struct dir_parse *p);
int dir_st_spool(struct dir_parse *p);
int dir_st_option(struct dir_parse *p);
int dir_st_loaddev(struct dir_parse *p);
int dir_st_dateformat(struct dir_parse *p);
int dir_st_nicdef(struct dir_parse *p);
int dir_st_share(struct dir_parse *p);
int dir_st_class(struct dir_parse *p);
int dir_st_account(struct dir_parse *p);
int dir_st_command(struct dir_parse *p);
int dir_st_xautolog(struct dir_parse *p);
int dir_st_logonby(struct dir_parse *p);
int dir_st_namesave(struct dir_parse *p);
int dir_st_iucv(struct dir_parse *p);
int dir_st_vmrelocate(struct dir_parse *p);
int dir_st_storage(struct dir_parse *p);
int dir_st_maxstorage(struct dir_parse *p);
int dir_st_mdisk(struct dir_parse *p);
int dir_st_miniopt(struct dir_parse *p);
int dir_st_link(struct dir_parse *p);
int dir_st_dedicate(struct dir_parse *p);
int dir_st_special(struct dir_parse *p);
/** What the entry's device statements took. */
void dir_devices_free(struct dir_entry *e);
/** Where the statement begins. */
struct dir_place dir_place_of(const struct dir_parse *p);

#endif
