/* Links to minidisks over the members of a cluster: shares in the PDR, and what members tell each
 * other of their links. Between cp_ssi.c and hyp/rdev. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_LINK_SSI_H
#define ENDICOTT_HYP_CP_CP_LINK_SSI_H

#include "hyp/cp/cp_disk.h"
#include "ssi/ssi.h"

#define LINK_SSI_SERVICE 8

struct cp_link_ssi;

/** Before ssi_join; NULL with a cause. */
struct cp_link_ssi *cp_link_ssi_create(struct cp *cp, struct ssi *ssi, struct cause *cause);
/** Before the real devices end; may be NULL. */
void cp_link_ssi_destroy(struct cp_link_ssi *s);

#endif
