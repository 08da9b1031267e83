/* Between the parts of DIRMAINT. Internal to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_DIRMAINT_H
#define ENDICOTT_HYP_CP_CP_DIRMAINT_H

#include "hyp/config/directory_edit.h"
#include "hyp/cp/cp_internal.h"

struct dirm_row;

/* A change under way, with the file locked. */
struct dirm {
    struct cp *cp;
    struct cp_request *req; /* NULL: what is told goes to the issuer's console */
    const char *who;        /* the issuer */
    const struct dirm_row *row;
    char user[DIR_NAME_BYTES];
    bool admin;
    struct dir_file f;
    struct dir_span entry;     /* of `user` in f.text */
    char *text;                /* the new one, if anything changes; freed by who runs it */
    u16 reader_file;           /* gone when the change is there; 0: none */
    bool takes_away;           /* what becomes wrong by it is told, not refused */
    char what[DIR_WHAT_BYTES]; /* for the history: no password */
};

struct dirm_row {
    const char *name;
    int (*run)(struct dirm *d); /* 0, or the number of a message */
    enum dir_stmt stmt;
    unsigned word;
    enum { DM_ADMIN, DM_SELF, DM_LOOK } who;
    const char *operands, *what;
};

#define D(name, function, statement, word, who, operands, what) int function(struct dirm *d);
#include "hyp/cp/dirmaint.def"
#undef D

/** A message of DirMaint's, in lines of its width. */
void dirm_tell(struct dirm *d, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Of a work unit. */
void dirm_tell_own(struct dirm *d, enum msg_id id, unsigned number, const char *what);
/** The new text, if there is one, in place of the old and online, when nothing is wrong with it. */
int dirm_change(struct dirm *d);
/** Lock and read the file, unless it is not to be changed now. 0 or a number. */
int dirm_open(struct dirm *d);
/** Unlock the file; what there is of texts goes. */
void dirm_end(struct dirm *d);
/** "HCPDRM600E Directory not changed--..." */
int dirm_refused(struct dirm *d, const char *why);
/** A statement (NAME operands) in the place of `span`, or behind the entry when it is NULL; ""
 *  takes it away. 0 or a number. */
int dirm_put(struct dirm *d, const struct dir_span *span, const char *statement);
/** HCPCMD026E. */
int dirm_missing(struct dirm *d);
/** Into the history: function, entry, and `about`, which has no password. */
void dirm_note(struct dirm *d, const char *about);
/** Word n of a text, from 1 on, in capitals; "" behind the end. */
#define DIRM_WORD_BYTES 64
void dirm_word(const char *text, unsigned n, char out[DIRM_WORD_BYTES]);
/** Operands of MDISK of those of AMDISK, RMDISK, CMDISK: without PW, with a start and a volume in
 *  the place of AUTOV n volid, AUTOR n region, AUTOG n group. `about` gets what the history may
 *  know. 0 or a number. */
int dirm_mdisk_operands(struct dirm *d, const char *rest, char out[CP_COMMAND_BYTES_MAX],
                        char about[64]);
/** An entry's text from a file of the issuer's reader: spoolid, or the newest `user` DIRECT. The
 *  caller frees; NULL after a message. */
char *dirm_reader_text(struct dirm *d, const char *spoolid, int *rc);
/** Into the issuer's reader. 0 or a number. */
int dirm_reader_put(struct dirm *d, const char *text, size_t len);

/* cp_dirmaint_extent.c: where a minidisk goes. */
/** As it was asked for: AUTOV, AUTOR or AUTOG, type, size, and volume, region or group. */
struct dirm_place {
    const char *how, *type, *units, *where;
};
struct dirm_found {
    char volid[7];
    u64 start;
};
/** Is the word one of them? */
bool dirm_allocates(const char *how);
/** The first gap that is large enough, as seen from here. 0 or a number. */
int dirm_allocate(struct dirm *d, const struct dirm_place *want, struct dirm_found *out);
/** USEDEXT, FREEXT volid: minidisks of a volume, or what is between them. */
int dirm_extents(struct cp_request *req, bool free_ones);
/** DASD QUERY {REGION | GROUP} {name | *}: of extent.control. */
int dirm_dasd(struct dirm *d);

/* cp_dirmaint_lock.c: locks of entries, in a file beside the directory. */
/** Who has locked the entry; "" nobody. */
void dirm_lock_owner(const struct dir_file *f, const char *user, char out[DIR_NAME_BYTES]);
/** owner NULL: nobody. */
int dirm_lock_set(const struct dir_file *f, const char *user, const char *owner,
                  struct cause *cause);

#endif
