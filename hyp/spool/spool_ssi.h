/* The spool of a cluster on struct ssi: service SPOOL (id 7). Loop thread. */
#ifndef ENDICOTT_HYP_SPOOL_SPOOL_SSI_H
#define ENDICOTT_HYP_SPOOL_SPOOL_SSI_H

#include "hyp/spool/spool.h"
#include "ssi/ssi.h"

#define SPOOL_SSI_SERVICE 7

struct spool_ssi;

struct spool_ssi_ports {
    void *ctx;
    /** See struct spool_cluster. */
    bool (*per_member)(void *ctx, const char *userid);
    /** A file was sent on another member; its owner may be logged on here. */
    void (*arrived)(void *ctx, const struct spool_desc *desc, enum spool_queue from, u16 was);
    /** A member has joined whose folder does not lie beside ours: its files are not seen. */
    void (*unseen)(void *ctx, const char *member);
};

/** Register the service, before ssi_join; from now on other members' files are seen. NULL with
 *  cause. */
struct spool_ssi *spool_ssi_create(struct ssi *ssi, struct spool *spool,
                                   const struct spool_ssi_ports *ports, struct cause *cause);
/** Nothing more comes from the ssi. */
void spool_ssi_destroy(struct spool_ssi *s);

#endif
