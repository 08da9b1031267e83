/* The Virtual Machine Communication Facility as far as special messages (SMSG) need it: a program
 * that has authorized itself by DIAGNOSE X'68' gets each by external interruption 4001, with a
 * header and the text in its buffer. Located by: struct vm. Serialised by host->lock. */
#ifndef ENDICOTT_HYP_VMCF_H
#define ENDICOTT_HYP_VMCF_H

#include "mem/base/codec.h"

struct vm;
struct vmcf_message;

#define VMCF_HEADER_BYTES 40
#define VMCF_MESSAGES_MAX 50 /* that wait for one virtual machine */

struct vmcf {
    bool authorized, quiesced;
    u8 cpu; /* which gets the interruptions */
    u32 at; /* the buffer: a real address */
    u32 room;
    u32 last_id;
    unsigned count;
    struct vmcf_message *first, **end; /* end NULL: as &first */
};

/** AUTHORIZE: a buffer of that CPU; what waits stays. UNAUTHORIZE and a reset: nothing waits any
 *  more. */
void vmcf_authorize(struct vm *vm, u8 cpu, u32 at, u32 room);
void vmcf_end(struct vm *vm);
/** QUIESCE, RESUME: nothing more is taken, or it is again; what waits is presented. */
void vmcf_quiesce(struct vm *vm, bool on);

/** What SMSG has come to. */
enum vmcf_sent {
    VMCF_SENT,
    VMCF_NOT_AUTHORIZED,
    VMCF_QUIESCED,  /* QUIESCE, or it is just being relocated */
    VMCF_TOO_LARGE, /* for its buffer */
    VMCF_TOO_MANY,  /* wait, or no memory */
};
/** Send `text` in the name of CP for a user [loop]. */
enum vmcf_sent vmcf_send(struct vm *vm, const char *user, const char *text);

/** The interruption is about to be presented: the first message goes into the buffer. False: there
 *  is none any more. Any processor thread, of that CPU. */
bool vmcf_take(struct vm *vm, unsigned cpu);

/** State: who is authorized; messages that wait, in order. */
void vmcf_save(struct vm *vm, u16 tag, u16 tag_message, struct codec_out *out);
bool vmcf_restore(struct vm *vm, const struct codec_row *row);
bool vmcf_restore_message(struct vm *vm, const struct codec_row *row);

#endif
