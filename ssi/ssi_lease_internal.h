/* Between ssi_lease.c and ssi_lease_chunk.c, for them only. */
#ifndef ENDICOTT_SSI_SSI_LEASE_INTERNAL_H
#define ENDICOTT_SSI_SSI_LEASE_INTERNAL_H

#include "ssi/ssi_lease.h"

/** Which chunks a session has read: [B5]. */
enum { LEASE_READ_HEAD = 1, LEASE_READ_HEADS = 3, LEASE_READ_BLOCK = 4, LEASE_READ_ALL = 7 };

/** The own sector, its count advanced. ST_BUSY: [B1]. */
int lease_own_write(struct lease *lease, bool durable, struct cause *cause);
/** Does the session stand? [B4] */
int lease_verify(struct lease *lease, struct cause *cause);
/** It does not: says so. */
int lease_lost(struct lease *lease, struct cause *cause);
/** Within a session: so that it is not taken for one that stands still. */
int lease_keep(struct lease *lease, struct cause *cause);
/** ... of which a request was not carried out, if `rc` is not ST_OK, which is returned. */
int lease_failed(struct lease *lease, int rc);
/** ... outside of one: the sector advances, and the slot's loss is found out. */
int lease_renew(struct lease *lease, struct cause *cause);

#endif
