/* IUCV between users of two members: the way over the cluster's links. The paths and what goes over
 * them are hyp/iucv's. Internal to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_IUCV_H
#define ENDICOTT_HYP_CP_CP_IUCV_H

#include "mem/base/bytes.h"

struct cp;

/** Messages of service CP of this type are of IUCV. */
#define CP_IUCV_TYPE 32

/** There is a cluster now. */
void cp_iucv_begin(struct cp *cp);
void cp_iucv_receive(struct cp *cp, const char *member, const void *data, size_t len);
/** A member is gone. */
void cp_iucv_lost(struct cp *cp, const char *member);
/** CP ends; nobody is logged on. */
void cp_iucv_fini(struct cp *cp);

#endif
