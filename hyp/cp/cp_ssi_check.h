/* What two members compare before they are in one cluster: the rows of ssi_check.def. Each member
 * lists what it has as keys and values; both compare both lists, tell all differences, and refuse.
 * Internal to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_SSI_CHECK_H
#define ENDICOTT_HYP_CP_CP_SSI_CHECK_H

#include "hyp/cp/cp_internal.h"

#define SSI_CHECK_KEY_BYTES 56
#define SSI_CHECK_VALUE_BYTES 72
#define SSI_CHECK_ITEMS_MAX 16384u /* of one row; more are not compared */
#define SSI_CHECK_NEAR_MS 5000u    /* a handshake may take as long */
#define SSI_CHECK_TOLD_MAX 40u     /* differences that are told by themselves */

enum ssi_check_id {
#define CHECK(name, tag, kind, severity, message, list) SSI_CHECK_##name,
#include "hyp/cp/ssi_check.def"
#undef CHECK
    SSI_CHECKS
};

/** How two lists are compared, by keys. */
enum ssi_check_kind {
    SSI_CHECK_SAME,   /* both have every key, with the same value */
    SSI_CHECK_LATEST, /* so without keys that one of them has marked: they are brought in line */
    SSI_CHECK_MARKED, /* so with keys that one of them has marked */
    SSI_CHECK_COMMON, /* keys that both have have the same value */
    SSI_CHECK_APART,  /* no two values are the same, of which one is marked */
    SSI_CHECK_NAMES,  /* as SAME, told as one list of keys */
    SSI_CHECK_NEAR,   /* values are numbers, apart by no more than SSI_CHECK_NEAR_MS */
};

enum ssi_check_severity { SSI_CHECK_ERROR, SSI_CHECK_WARNING };

struct ssi_check_item {
    char key[SSI_CHECK_KEY_BYTES], value[SSI_CHECK_VALUE_BYTES];
    bool marked;
};

/** Owned by who began it. */
struct ssi_check_list {
    struct ssi_check_item *item;
    unsigned count, room;
    bool failed; /* no memory, or too many: it is not compared */
};

struct ssi_check_row {
    const char *name;
    u16 tag;
    enum ssi_check_kind kind;
    enum ssi_check_severity severity;
    enum msg_id message;
    void (*list)(struct cp *cp, struct ssi_check_list *out);
};

extern const struct ssi_check_row ssi_checks[SSI_CHECKS];

/** Longer keys and values are cut. */
void ssi_check_add(struct ssi_check_list *list, bool marked, const char *key, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));

/** All rows of this member. */
void ssi_check_export(struct cp *cp, struct codec_out *out);
/** Compare with what `member` has exported (len 0: nothing). The operator hears of each difference,
 *  unless it is what *told says, which then is that. ST_OK, ST_REFUSED, or ST_PROTO. */
int ssi_check_compare(struct cp *cp, const char *member, const void *data, size_t len,
                      u64 *told, struct cause *cause);

/* --- cp_ssi_facts.c ------------------------------------------------------------------------- */
#define CHECK(name, tag, kind, severity, message, list)                                        \
    void list(struct cp *cp, struct ssi_check_list *out);
#include "hyp/cp/ssi_check.def"
#undef CHECK

#endif
