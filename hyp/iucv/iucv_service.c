/* The Message System Service, *MSG: what CP has to tell a user goes to his program instead, as a
 * one-way message of 8 bytes user id and text, whose target class says of which kind it is.
 * Source: VM/SP System Programmer's Guide, "The Message System Service"; Linux drivers/s390/net
 * smsgiucv as its user. */
#include "hyp/iucv/iucv_internal.h"

#include <stdlib.h>

#include "hyp/iucv/iucv_service.h"
#include "io/ebcdic.h"

static struct iucv_path *service_path(const struct iucv *u)
{
    for (unsigned i = 0; u && i < u->path_max; i++)
        if (u->path[i] && u->path[i]->kind == IUCV_TO_MESSAGES)
            return u->path[i];
    return NULL;
}

bool iucv_message_queue(struct iucv_path *to, u32 id, u32 target_class, const u8 *bytes,
                        u32 length, u32 got)
{
    struct iucv_message *m = calloc(1, sizeof *m);
    u8 *text = malloc(length ? length : 1);
    if (!m || !text) {
        free(m);
        free(text);
        return false;
    }
    memcpy(text, bytes, length);
    *m = (struct iucv_message){.id = id,
                               .target_class = target_class,
                               .flags = IUCV_ONE_WAY,
                               .length = length,
                               .got = got,
                               .bytes = text};
    return iucv_message_arrive(m, to);
}

enum vmcf_sent iucv_service_send(struct vm *vm, enum iucv_service_class kind, const char *user,
                                 const char *text)
{
    u8 bytes[IUCV_SERVICE_BYTES_MAX], name[2 * 8];
    struct iucv_path *path = service_path(vm->iucv);
    unsigned waiting = 0;
    if (!path)
        return VMCF_NOT_AUTHORIZED;
    if (path->quiesced || vm->quiesced)
        return VMCF_QUIESCED;
    for (const struct iucv_message *m = path->in; m; m = m->in_next)
        waiting++;
    if (waiting >= path->limit)
        return VMCF_TOO_MANY;
    size_t n = ebcdic_from_utf8(EBCDIC_037, user, strnlen(user, 8), name, sizeof name);
    memset(bytes, 0x40, 8);
    memcpy(bytes, name, n < 8 ? n : 8);
    n = ebcdic_from_utf8(EBCDIC_037, text, strlen(text), bytes + 8, sizeof bytes - 8);
    return iucv_message_queue(path, ++vm->iucv->last_message, kind, bytes, 8 + (u32)n, 0)
               ? VMCF_SENT
               : VMCF_TOO_MANY;
}
