/* Changes to a directory as a file: its text, of which all stays as it is but for the statements
 * that are changed, and the file itself, which is replaced in one step under a lock. */
#ifndef ENDICOTT_HYP_CONFIG_DIRECTORY_EDIT_H
#define ENDICOTT_HYP_CONFIG_DIRECTORY_EDIT_H

#include "hyp/config/directory_internal.h"

#define DIR_WHAT_BYTES 160 /* what was done, in the history */

/* --- text ---------------------------------------------------------------------------------- */

/** Bytes of the text, whole lines. */
struct dir_span {
    size_t from, to;
};

/** A statement of the text: its lines, and its words. */
struct dir_found {
    struct dir_span span;
    struct scan *s; /* caller's */
};

/** The lines from the USER, IDENTITY, PROFILE or SUBCONFIG of this name to its last statement.
 *  Comments behind that belong to what follows. False: there is none. */
bool dir_text_entry(const char *text, const char *name, struct dir_span *out);
/** Walk the statements of an entry: `visit` returns true to end the walk, which then is true. */
bool dir_text_walk(const char *text, struct dir_span entry,
                   bool (*visit)(void *arg, const struct dir_found *found), void *arg);
/** The first statement of kind `stmt` in the entry, whose word `key_at` is `key` (NULL: whatever
 *  it is; device numbers and CPU addresses are compared as numbers). */
bool dir_text_find(const char *text, struct dir_span entry, enum dir_stmt stmt, unsigned key_at,
                   const char *key, struct dir_span *out);
/** A new text with `with` in the place of the span; NULL without memory. */
char *dir_text_replace(const char *text, struct dir_span span, const char *with);
/** The blanks in front of the last statement of these lines; of a whole entry one at least. */
void dir_text_indent(const char *text, struct dir_span entry, char out[32]);

/* --- file ---------------------------------------------------------------------------------- */

/** Which version of a file: what a replacement changes. */
struct dir_stamp {
    u64 inode, size, mtime_ns;
};

#define DIR_PAST_MAX 1000

/** A version of the directory: how many changes there were before it, and what it is. */
struct dir_version {
    u64 generation, digest;
};

/** One, and those that it was made from, as far as they are known; the newest last. */
struct dir_versions {
    struct dir_version now;
    struct dir_version past[DIR_PAST_MAX];
    unsigned past_count;
};

/** A directory that is being changed. */
struct dir_file {
    char path[1024];
    int lock;                  /* descriptor; -1: closed */
    char *text;                /* as it was read */
    struct dir_version online; /* what the caller has; digest 0: the text */
};

/** Lock and read. ST_BUSY: somebody else changes it. Waits for nothing. */
int dir_file_open(const char *path, struct dir_file *f, struct cause *cause);
/** Put `text` in its place: whoever reads sees the old or the new file, whatever ends the
 *  process. ST_BUSY: it was changed without the lock meanwhile. */
int dir_file_replace(struct dir_file *f, const char *text, const char *who, const char *what,
                     struct cause *cause);
/** Put the file online as it is: a line of the history. */
int dir_file_mark(struct dir_file *f, const char *who, const char *what, struct cause *cause);
void dir_file_close(struct dir_file *f);
/** FNV-1a of a text. */
u64 dir_text_digest(const char *text);
/** What the end of the history tells; generation 0 without one. */
void dir_file_versions(const char *path, struct dir_versions *out);
/** Of the file now; false: it is not there. */
bool dir_file_stamp(const char *path, struct dir_stamp *out);
/** Is this version the one that the history's last line tells of? */
bool dir_file_online(const char *path, const struct dir_stamp *stamp);
/** The last `count` lines of the history, without their stamps; `tell` gets each. */
void dir_file_history(const char *path, unsigned count,
                      void (*tell)(void *arg, const char *line), void *arg);

#endif
