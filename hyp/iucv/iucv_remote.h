/* Paths of IUCV whose other end is on another member: the way there, which CP has, and what comes
 * from there. [loop] */
#ifndef ENDICOTT_HYP_IUCV_IUCV_REMOTE_H
#define ENDICOTT_HYP_IUCV_IUCV_REMOTE_H

#include "mem/base/bytes.h"

struct vm_host;

#define IUCV_MEMBER_BYTES 9
#define IUCV_REMOTE_BYTES_MAX (256u << 10) /* of one message */
#define IUCV_REMOTE_PATH_BYTES_MAX                                                             \
    (1u << 20) /* of those of a path that have not been received */

/** To other members. */
struct iucv_wire {
    void *ctx;
    /** Which one a user is on; false: none, or this one. */
    bool (*locate)(void *ctx, const char *userid, char member[IUCV_MEMBER_BYTES]);
    /** ST_OK: it will be there, in order, unless the link is lost. */
    int (*send)(void *ctx, const char *member, const void *data, size_t len);
};

/** A copy; NULL: there are no others (any more). */
void iucv_remote_wire(struct vm_host *host, const struct iucv_wire *wire);
/** What `send` of a member has sent. Hostile until decoded. */
void iucv_remote_receive(struct vm_host *host, const char *member, const void *data,
                         size_t len);
/** The member is gone: the paths to it are severed. */
void iucv_remote_lost(struct vm_host *host, const char *member);

#endif
