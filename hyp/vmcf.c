/* Special messages to programs, see vmcf.h.
 * Guarantees: a message that SMSG was told to be sent is presented once, in order, unless its
 * program ends its authorization or is reset; the buffer has the message of the interruption just
 * taken, and nothing is stored there before the CPU is enabled for the next one.
 * Source: VM/370 System Programmer's Guide, GC20-1807 (Virtual Machine Communication Facility), of
 * which z/VM has the codes and layouts still. Which CPU of several is interrupted is ours: the one
 * that has issued AUTHORIZE. */
#include "hyp/vmcf.h"

#include <stdlib.h>

#include "hyp/diag/diag.h"
#include "hyp/vm_internal.h"
#include "io/ebcdic.h"

#define EXT_VMCF 0x4001
#define FUNCTION_SENDX 4
#define NAME_CHARS 8
#define TEXT_BYTES_MAX 4096

/* The message header; the data of SENDX follows it. */
enum header {
    AT_FUNCTION = 2,
    AT_ID = 4,
    AT_USER = 8, /* "SYSTEM": CP sends */
    AT_ADDRESS = 16,
    AT_LENGTH = 20,
    AT_USE = 32, /* the user doubleword: who has issued SMSG */
};

struct vmcf_message {
    struct vmcf_message *next;
    u32 id;
    u8 user[NAME_CHARS]; /* EBCDIC, padded */
    u32 len;
    u8 text[];
};

static void name_store(u8 out[NAME_CHARS], const char *name)
{
    u8 text[2 * NAME_CHARS];
    size_t n = ebcdic_from_utf8(EBCDIC_037, name, strnlen(name, NAME_CHARS), text, sizeof text);
    memset(out, 0x40, NAME_CHARS);
    memcpy(out, text, n < NAME_CHARS ? n : NAME_CHARS);
}

/* --- who is authorized, and what waits -------------------------------------------------------- */

static struct vmcf_message *drop_all_locked(struct vmcf *f)
{
    struct vmcf_message *first = f->first;
    *f = (struct vmcf){.last_id = f->last_id};
    return first;
}

static void append_locked(struct vmcf *f, struct vmcf_message *m)
{
    *(f->end ? f->end : &f->first) = m;
    f->end = &m->next;
    f->count++;
}

static struct vmcf_message *take_locked(struct vmcf *f)
{
    struct vmcf_message *m = f->first;
    if (!m)
        return NULL;
    f->first = m->next;
    f->end = f->first ? f->end : NULL;
    f->count--;
    return m;
}

void vmcf_authorize(struct vm *vm, u8 cpu, u32 at, u32 room)
{
    struct vmcf *f = &vm->vmcf;
    lock_take(&vm->host->lock);
    f->authorized = true;
    f->quiesced = false;
    f->cpu = cpu;
    f->at = at;
    f->room = room;
    bool any = f->count;
    lock_drop(&vm->host->lock);
    if (any)
        cpu_external(vm->vcpu[cpu].cpu, EXT_VMCF, 0, 0);
}

void vmcf_end(struct vm *vm)
{
    lock_take(&vm->host->lock);
    struct vmcf_message *m = drop_all_locked(&vm->vmcf);
    lock_drop(&vm->host->lock);
    for (struct vmcf_message *next; m; m = next) {
        next = m->next;
        free(m);
    }
}

void vmcf_quiesce(struct vm *vm, bool on)
{
    lock_take(&vm->host->lock);
    vm->vmcf.quiesced = on;
    lock_drop(&vm->host->lock);
}

/* --- sending ---------------------------------------------------------------------------------- */

static enum vmcf_sent send_locked(const struct vm *vm, struct vmcf *f, struct vmcf_message *m)
{
    if (!f->authorized)
        return VMCF_NOT_AUTHORIZED;
    if (f->quiesced || vm->quiesced)
        return VMCF_QUIESCED;
    if (m->len > f->room - VMCF_HEADER_BYTES)
        return VMCF_TOO_LARGE;
    if (f->count == VMCF_MESSAGES_MAX)
        return VMCF_TOO_MANY;
    m->id = f->last_id = m->id == f->last_id ? m->id + 1 : m->id;
    append_locked(f, m);
    return VMCF_SENT;
}

enum vmcf_sent vmcf_send(struct vm *vm, const char *user, const char *text)
{
    struct vmcf *f = &vm->vmcf;
    struct vmcf_message *m = malloc(sizeof *m + TEXT_BYTES_MAX);
    if (!m)
        return VMCF_TOO_MANY;
    *m = (struct vmcf_message){.id = (u32)(host_tod(vm) >> 12)}; /* microseconds */
    name_store(m->user, user);
    m->len = (u32)ebcdic_from_utf8(EBCDIC_037, text, strlen(text), m->text, TEXT_BYTES_MAX);
    lock_take(&vm->host->lock);
    enum vmcf_sent sent = send_locked(vm, f, m);
    u8 cpu = f->cpu;
    lock_drop(&vm->host->lock);
    if (sent == VMCF_SENT)
        cpu_external(vm->vcpu[cpu].cpu, EXT_VMCF, 0, 0);
    else
        free(m);
    return sent;
}

/* --- presenting ------------------------------------------------------------------------------- */

static void header_make(u8 out[VMCF_HEADER_BYTES], const struct vmcf_message *m, u32 at)
{
    memset(out, 0, VMCF_HEADER_BYTES);
    be16_store(out + AT_FUNCTION, FUNCTION_SENDX);
    be32_store(out + AT_ID, m->id);
    name_store(out + AT_USER, "SYSTEM");
    be32_store(out + AT_ADDRESS, at + VMCF_HEADER_BYTES);
    be32_store(out + AT_LENGTH, m->len);
    memcpy(out + AT_USE, m->user, NAME_CHARS);
}

bool vmcf_take(struct vm *vm, unsigned cpu)
{
    struct vmcf *f = &vm->vmcf;
    struct vcpu *v = &vm->vcpu[cpu];
    u8 header[VMCF_HEADER_BYTES];
    lock_take(&vm->host->lock);
    struct vmcf_message *m = f->cpu == cpu ? take_locked(f) : NULL;
    u32 at = f->at, room = f->room;
    bool more = m && f->count;
    lock_drop(&vm->host->lock);
    if (!m)
        return false;
    header_make(header, m, at);
    u32 len = m->len < room - VMCF_HEADER_BYTES ? m->len : room - VMCF_HEADER_BYTES;
    diag_store(v, at, header, sizeof header);
    diag_store(v, (u64)at + VMCF_HEADER_BYTES, m->text, len);
    free(m);
    if (more)
        cpu_external(v->cpu, EXT_VMCF, 0, 0);
    return true;
}

/* --- rows ------------------------------------------------------------------------------------- */

#define ROW_WORDS 4 /* CPU, address, length, quiesced */

void vmcf_save(struct vm *vm, u16 tag, u16 tag_message, struct codec_out *out)
{
    const struct vmcf *f = &vm->vmcf;
    u8 row[4 + NAME_CHARS + TEXT_BYTES_MAX];
    lock_take(&vm->host->lock);
    const u64 words[ROW_WORDS] = {f->cpu, f->at, f->room, f->quiesced};
    if (f->authorized)
        codec_put_array(out, tag, words, 8, ROW_WORDS);
    for (const struct vmcf_message *m = f->first; m; m = m->next) {
        be32_store(row, m->id);
        memcpy(row + 4, m->user, NAME_CHARS);
        memcpy(row + 4 + NAME_CHARS, m->text, m->len);
        codec_put_bytes(out, tag_message, row, 4 + NAME_CHARS + m->len);
    }
    lock_drop(&vm->host->lock);
}

bool vmcf_restore(struct vm *vm, const struct codec_row *row)
{
    u64 v[ROW_WORDS];
    if (!codec_get_array(row, v, 8, ROW_WORDS) || v[0] >= cpu_set_count(vm->cpus) ||
        v[1] > UINT32_MAX || v[1] % 8 || v[2] < VMCF_HEADER_BYTES || v[2] > UINT32_MAX ||
        v[3] > 1 || !storage_holds(vm->st, v[1], v[2]))
        return false;
    vmcf_authorize(vm, (u8)v[0], (u32)v[1], (u32)v[2]);
    vm->vmcf.quiesced = v[3];
    return true;
}

bool vmcf_restore_message(struct vm *vm, const struct codec_row *row)
{
    struct vmcf *f = &vm->vmcf;
    if (row->len < 4 + NAME_CHARS || row->len > 4 + NAME_CHARS + TEXT_BYTES_MAX ||
        !f->authorized || f->count == VMCF_MESSAGES_MAX)
        return false;
    struct vmcf_message *m = malloc(sizeof *m + row->len);
    if (!m)
        return false;
    *m = (struct vmcf_message){.id = be32_load(row->p), .len = (u32)row->len - 4 - NAME_CHARS};
    memcpy(m->user, row->p + 4, NAME_CHARS);
    memcpy(m->text, row->p + 4 + NAME_CHARS, m->len);
    f->last_id = m->id;
    append_locked(f, m);
    return true;
}
