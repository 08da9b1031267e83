/* Statements checked by the syntax that the tables and the documentation show:
 *
 *   WORDs     a keyword; its leading capitals are the shortest abbreviation
 *   vdev      a word in small letters is a kind of operand (syntax.c has them)
 *   [a b]     may be left out        {a | b}   one of these        ...   again and again
 *
 * Internal to hyp/config. */
#ifndef ENDICOTT_HYP_CONFIG_SYNTAX_H
#define ENDICOTT_HYP_CONFIG_SYNTAX_H

#include "hyp/config/config_scan.h"

#define SYNTAX_WANT_BYTES 128

/** Where a match got to. */
struct syntax {
    const struct scan *s;
    unsigned at;                  /* next word */
    unsigned furthest;            /* the furthest that was looked at in vain */
    char want[SYNTAX_WANT_BYTES]; /* what was expected there */
};

/** Match `pattern` from x->at on; false leaves x->at alone. */
bool syntax_match(struct syntax *x, const char *pattern);
/** An example of `pattern` for tests: the first choice everywhere, nothing left out. */
void syntax_example(const char *pattern, char *out, size_t room);
/** The first keyword of a pattern: "TYPE"; "" when it begins otherwise. */
void syntax_keyword(const char *pattern, char out[32]);

#endif
