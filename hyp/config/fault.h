/* What is wrong in configuration files, all of it: a list sorted by place, each thing once.
 * Internal to hyp/config and to the commands that check files. */
#ifndef ENDICOTT_HYP_CONFIG_FAULT_H
#define ENDICOTT_HYP_CONFIG_FAULT_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define FAULTS_MAX 10000 /* of one check; the rest is not told */

enum fault_kind {
    FAULT_ERROR,   /* the file is not taken */
    FAULT_WARNING, /* it is taken, but hardly means what it says */
    FAULT_NOTE,    /* worth knowing; as accepted, no effect yet */
};

struct fault {
    enum fault_kind kind;
    char *file;
    unsigned line, col; /* from 1 */
    char *text;         /* without file, line and column */
};

/** Zeroed is empty. */
struct faults {
    struct fault *all;
    unsigned count, room;
    unsigned of_kind[FAULT_NOTE + 1];
};

/** Add one that is not there yet (a note: whose text is not there yet). Without memory or room it
 *  is counted only. */
void faults_add(struct faults *f, enum fault_kind kind, const char *file, unsigned line,
                unsigned col, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/** Add an error that is told as `file:line:column: text`. */
void faults_add_cause(struct faults *f, const char *file, const struct cause *cause);
/** By file, line and column. */
void faults_sort(struct faults *f);
void faults_free(struct faults *f);
/** "error", "warning", "note" */
const char *fault_kind_name(enum fault_kind kind);

#endif
