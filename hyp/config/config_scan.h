/* Statements of configuration files as tokens with their places: SYSTEM CONFIG, USER DIRECT and
 * hardware files differ in comments and continuation only. Internal to hyp/. */
#ifndef ENDICOTT_HYP_CONFIG_SCAN_H
#define ENDICOTT_HYP_CONFIG_SCAN_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define SCAN_TOKENS_MAX 256
#define SCAN_STATEMENT_BYTES_MAX 4096
#define SCAN_FILE_BYTES_MAX (16u << 20)

enum scan_flags {
    SCAN_SLASH_COMMENTS = 1, /* slash-star comments, over lines too */
    SCAN_STAR_COMMENTS = 2,  /* a line that begins with * */
    SCAN_HASH_COMMENTS = 4,  /* from a word that begins with # to the end of the line */
    SCAN_CONTINUE = 8,       /* a comma at the end of a line continues the statement */
};

struct scan_token {
    const char *word; /* upper case */
    unsigned at;      /* where it begins in scan->raw */
    unsigned line, col;
};

/** One file being read; views `text`, owns nothing else. */
struct scan {
    const char *name, *p;
    unsigned flags, line, col;
    unsigned end_line, end_col; /* behind the last token */
    unsigned count;
    struct scan_token tok[SCAN_TOKENS_MAX];
    unsigned raw_len;
    char raw[SCAN_STATEMENT_BYTES_MAX];   /* statement as written, continuation joined */
    char upper[SCAN_STATEMENT_BYTES_MAX]; /* the same in capitals, words NUL-ended */
};

void scan_init(struct scan *s, const char *name, const char *text, unsigned flags);
/** Next statement: 1, 0 at the end of the file, ST_CONFIG. */
int scan_next(struct scan *s, struct cause *cause);
/** Word i or "" behind the end. */
const char *scan_word(const struct scan *s, unsigned i);
/** Everything from word i on as written; "" behind the end. */
const char *scan_rest(const struct scan *s, unsigned i);
/** Word i as written, from its character `skip` on; false: nothing is left, or no room. */
bool scan_written(const struct scan *s, unsigned i, size_t skip, char *out, size_t room);
/** `file:line:col: expected X, found Y` for word i; returns ST_CONFIG. */
int scan_bad(const struct scan *s, unsigned i, struct cause *cause, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** `file:line:col: statement X not available yet` for word i; returns ST_CONFIG. */
int scan_refuse(const struct scan *s, unsigned i, struct cause *cause, const char *what);
/** ST_OK when the statement has no word i. */
int scan_end(const struct scan *s, unsigned i, struct cause *cause);

/** Is `word` an abbreviation of `name` (leading capitals, digits and _ are the minimum)? */
bool scan_abbrev(const char *word, const char *name);
/** A name of 1 to `max` characters A-Z 0-9 @#$_+:- ; copies it. */
bool scan_name(const char *word, char *out, size_t max);
bool scan_hex(const char *word, u64 max, u64 *out);
bool scan_number(const char *word, u64 min, u64 max, u64 *out);
/** 512K, 512M, 2G, 1T; a bare number counts in `unit` bytes (0: not allowed). */
bool scan_size(const char *word, u64 unit, u64 *out);

/** A whole file as NUL-ended text (caller frees); NULL with a cause: ST_IO, or ST_CONFIG when
 *  it holds NUL bytes or is too long. */
char *scan_file(const char *path, struct cause *cause);

#endif
