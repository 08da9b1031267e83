/* What FORMSSI does alike with a PDR in a file and on an NBD export. For ssi_formssi*.c only. */
#ifndef ENDICOTT_SSI_SSI_FORMSSI_INTERNAL_H
#define ENDICOTT_SSI_SSI_FORMSSI_INTERNAL_H

#include "ssi/ssi_formssi.h"

#define FORMSSI_LOOKS_MAX 5 /* without a lock */

/** A PDR as one sees it who is no member. */
struct formssi_source {
    struct pdr_file file;
    /** The process that holds a slot's life: 0 nobody, -1 none that can be seen here. */
    int (*holder)(void *ctx, unsigned slot); /* of file.ctx */
};

/** `tries`: without the lock a checkpoint may be half written. */
int formssi_view_read(const struct formssi_source *source, struct formssi_view *view,
                      unsigned tries, struct cause *cause);
/** ST_BUSY: somebody uses it, or did so a moment ago. */
int formssi_in_use(const struct formssi_source *source, u64 quiet_ms, struct cause *cause);
/** ST_OK: there is nothing in it that would be lost. */
int formssi_replaceable(const struct formssi_source *source, struct cause *cause);
/** Header of both checkpoints of an empty one. */
int formssi_header(const char *cluster, u8 out[PDR_HEADER_BYTES], struct cause *cause);

/* ssi_formssi_nbd.c */
int formssi_nbd_look(const char *path, struct formssi_view *view, struct cause *cause);
int formssi_nbd_create(const char *path, const char *cluster, bool force, u64 quiet_ms,
                       struct cause *cause);

#endif
