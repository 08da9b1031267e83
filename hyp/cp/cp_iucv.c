/* IUCV between users of two members, see cp_iucv.h. */
#include "hyp/cp/cp_iucv.h"

#include "hyp/cp/cp_internal.h"
#include "hyp/iucv/iucv_remote.h"

_Static_assert(IUCV_MEMBER_BYTES == CONFIG_NAME_BYTES, "names of members");

static bool locate(void *ctx, const char *userid, char member[IUCV_MEMBER_BYTES])
{
    struct cp *cp = ctx;
    return cp_userid_ok(userid) && cp_locate(cp, userid, member) &&
           strcasecmp(member, cp->config->member) != 0;
}

static int send(void *ctx, const char *member, const void *data, size_t len)
{
    struct cp *cp = ctx;
    return cp->cluster ? cp->cluster->send(cp->cluster_ctx, member, CP_IUCV_TYPE, data, len)
                       : ST_LOST;
}

void cp_iucv_begin(struct cp *cp)
{
    const struct iucv_wire wire = {cp, locate, send};
    if (cp->ports.vm && cp->ports.vm->iucv_wire)
        cp->ports.vm->iucv_wire(cp->ports.vm_host, &wire);
}

void cp_iucv_receive(struct cp *cp, const char *member, const void *data, size_t len)
{
    if (cp->ports.vm->iucv_receive)
        cp->ports.vm->iucv_receive(cp->ports.vm_host, member, data, len);
}

void cp_iucv_lost(struct cp *cp, const char *member)
{
    if (cp->ports.vm->iucv_lost)
        cp->ports.vm->iucv_lost(cp->ports.vm_host, member);
}

void cp_iucv_fini(struct cp *cp)
{
    if (cp->ports.vm && cp->ports.vm->iucv_wire)
        cp->ports.vm->iucv_wire(cp->ports.vm_host, NULL);
}
