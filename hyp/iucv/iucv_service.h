/* What IUCV is asked for by the rest of hyp/: messages of CP to programs, rows of state, and what
 * keeps a machine from being relocated. [loop] */
#ifndef ENDICOTT_HYP_IUCV_IUCV_SERVICE_H
#define ENDICOTT_HYP_IUCV_IUCV_SERVICE_H

#include "hyp/vmcf.h"
#include "mem/base/status.h"

#define IUCV_SERVICE_BYTES_MAX 4096 /* user id and text */

/** Target class of a message of *MSG. */
enum iucv_service_class {
    IUCV_CLASS_MESSAGE = 1,
    IUCV_CLASS_WARNING = 2,
    IUCV_CLASS_SPECIAL = 4, /* SMSG */
};

/** `text` of a user (UTF-8) to the machine's program; as vmcf_send: VMCF_NOT_AUTHORIZED: it has no
 *  path to *MSG. */
enum vmcf_sent iucv_service_send(struct vm *vm, enum iucv_service_class kind, const char *user,
                                 const char *text);

/** The i-th path that does not relocate: to whom. False: no more. */
bool iucv_stays(const struct vm *vm, unsigned i, const char **other);
/** A block, when a buffer is declared; behind the CPUs. */
void iucv_save(struct vm *vm, u16 tag, struct codec_out *out);
/** Into a machine without. False: it makes no sense. */
bool iucv_restore(struct vm *vm, struct codec_in *block);

#endif
