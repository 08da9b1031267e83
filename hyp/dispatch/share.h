/* The share of a virtual machine: how much of the processors it is due, and how much it may have
 * at most. What SET SHARE, QUERY SHARE and the SHARE statement of the directory speak of.
 * Source: z/VM "CP Commands and Utilities Reference", SET SHARE. Pure functions. */
#ifndef ENDICOTT_HYP_DISPATCH_SHARE_H
#define ENDICOTT_HYP_DISPATCH_SHARE_H

#include "mem/base/bytes.h"

#define SHARE_RELATIVE_MAX 10000
#define SHARE_RELATIVE_DEFAULT 100
#define SHARE_ABSOLUTE_MAX 1000 /* tenths of a per cent */
#define SHARE_TEXT_BYTES 32
#define SHARE_WORDS_MAX 8 /* more than there can be */

enum share_limit {
    SHARE_NOLIMIT,
    SHARE_LIMITSOFT, /* more only while nobody else wants it */
    SHARE_LIMITHARD, /* never more */
};

/** A share or its maximum. */
struct share_value {
    bool absolute;
    unsigned n; /* relative 1-10000; absolute in tenths of a per cent of all processors */
};

struct share {
    struct share_value least; /* what it is due */
    enum share_limit limit;
    struct share_value most; /* when there is a limit */
};

/** RELATIVE 100 NOLIMIT. */
#define SHARE_DEFAULT ((struct share){.least = {false, SHARE_RELATIVE_DEFAULT}})

/** `{ABSOLUTE n% | RELATIVE n} [[ABSOLUTE | RELATIVE] n [LIMITSOFT | LIMITHARD] | NOLIMIT]`.
 *  NULL when all of the words are good, else what was expected in the place of word `*bad`, which
 *  may be the one behind the last. */
const char *share_parse(const char *const *words, unsigned count, struct share *out,
                        unsigned *bad);
/** "RELATIVE 100", "ABSOLUTE 12.5%". Returns out. */
const char *share_value_text(const struct share_value *value, char out[SHARE_TEXT_BYTES]);

#endif
