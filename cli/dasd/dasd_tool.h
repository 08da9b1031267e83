/* The inside of `endicott dasd`: its options, what its verbs share. Each verb returns an exit
 * status. */
#ifndef ENDICOTT_CLI_DASD_DASD_TOOL_H
#define ENDICOTT_CLI_DASD_DASD_TOOL_H

#include "cli/cli.h"
#include "io/image/image.h"

struct dasd_options {
    const char *format, *model, *cylinders, *blocks, *volume, *compress, *shadow_of, *owner;
    const char *ssi, *system;
    bool json, linux_tracks;
};

/** Tell why on standard error; the exit status for it. */
int dasd_fail(int status, const struct cause *cause);
int dasd_usage(const char *what, const char *arg);

/** An identifier of `len` characters, `max` at most, in capitals; false: it is none. */
bool dasd_name(const char *text, size_t len, size_t max, char *out);

/** A tool has written `img`, with status rc: if that went well, does the host's disk have it? */
static inline int dasd_written(struct image *img, int rc, struct cause *cause)
{
    return rc ? rc : image_sync(img, cause);
}

/* dasd_files.c: contents of data sets and partitions from and to files of the host. */
int dasd_export(const char *const *operand, unsigned operands, const void *options);
int dasd_import(const char *const *operand, unsigned operands, const void *options);

/* dasd_owner.c: who has an image open, and whose space it is. */
int dasd_owner(const char *const *operand, unsigned operands, const void *options);

/* dasd_alloc.c: what CP uses its space for. */
int dasd_alloc(const char *const *operand, unsigned operands, const void *options);

#endif
