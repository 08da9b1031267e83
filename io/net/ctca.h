/* The channel-to-channel adapter as a device (3088): one side of an adapter (ctc.h), or one that is
 * in another program (ctc_remote.h). docs/ctca.md says what of it is here. */
#ifndef ENDICOTT_IO_NET_CTCA_H
#define ENDICOTT_IO_NET_CTCA_H

#include "io/css.h"
#include "io/net/ctc_remote.h"

struct ctca;

/** As DEFINE and SPECIAL name them. */
enum ctca_type {
    CTCA_3088, /* 3088/08, parallel: basic mode after a reset */
    CTCA_SCTC, /* 3088/1F, ESCON */
    CTCA_BCTC, /* the same in basic mode */
    CTCA_CNC,  /* the other end of one of them */
    CTCA_FCTC, /* 3088/1E, FICON */
    CTCA_TYPES
};

const char *ctca_type_name(enum ctca_type type);
/** False: no such name; "CTCA" and "3088" are one. */
bool ctca_type_named(const char *name, enum ctca_type *out);
/** Can sides of these types be one adapter? */
bool ctca_types_fit(enum ctca_type a, enum ctca_type b);

/** Create and attach, not coupled; css owns it, `hub` outlives it. */
int ctca_create(struct css *css, struct ctc_hub *hub, u16 devno, enum ctca_type type,
                bool announce, struct cause *cause);
/** The adapter at `devno`; NULL: there is none. Valid until detached. */
struct ctca *ctca_find(struct css *css, u16 devno);
enum ctca_type ctca_type_of(const struct ctca *ctca);
/** Its side; while it is not remote. */
struct ctc_side *ctca_side(struct ctca *ctca);

/** From here on commands go to another program, or no more; no device work is under way. What the
 *  program waits for begins anew. The remote end stays the caller's. */
struct ctc_remote *ctca_remote_create(struct ctca *ctca, const struct ctc_wire *wire);
void ctca_set_remote(struct ctca *ctca, struct ctc_remote *remote);

#endif
