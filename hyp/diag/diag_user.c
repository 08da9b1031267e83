/* DIAGNOSE codes that ask CP about the user or his disks: X'54', X'5C', X'E4'.
 * Sources: the VM/SP System Programmer's Guide for X'54' and X'5C'; z/VM's control block DE4PL for
 * X'E4', whose return codes are ours. */
#include "hyp/diag/diag.h"
#include "io/ebcdic.h"

/* X'54': what the PA2 key does on a terminal with TERMINAL APL ON, of which there is none here:
 * nothing is to be noted. */
bool diag_54(struct vcpu *v, const struct cpu_icpt *k)
{
    (void)v, (void)k;
    return true;
}

/* ---- X'5C' ---- */

#define EBCDIC_BLANK 0x40
#define CODE_BYTES 10     /* DMKxxxnnns */
#define CODE_BYTES_MAX 11 /* HCPxxxnnnns */

/* How long the number is that the message begins with; 0: it has none, or is not in storage. */
static u32 code_length(struct vcpu *v, u64 at, u32 len)
{
    u8 text[CODE_BYTES_MAX + 1] = {0};
    u32 n = len < sizeof text ? len : (u32)sizeof text;
    if (len < CODE_BYTES || !diag_fetch(v, at, text, n))
        return 0;
    return n > CODE_BYTES_MAX && text[CODE_BYTES] != EBCDIC_BLANK ? CODE_BYTES_MAX : CODE_BYTES;
}

static void answer_5c(struct vcpu *v, const struct cpu_icpt *k)
{
    const struct vm_host_events *events = &v->vm->host->events;
    struct vm_settings s = {VM_EMSG_ON, VM_DATE_SHORT};
    u32 len = (u32)cpu_gr(v->cpu)[k->r3];
    u32 code = code_length(v, cpu_gr(v->cpu)[k->r1], len);
    if (events->settings)
        events->settings(events->ctx, v->vm, &s);
    switch (s.emsg) {
    case VM_EMSG_ON: break;
    case VM_EMSG_OFF: diag_gr32(v, k->r3, 0); break;
    case VM_EMSG_CODE: diag_gr32(v, k->r3, code ? code : len); break;
    case VM_EMSG_TEXT:
        code += code && code < len; /* the blank behind it */
        cpu_gr(v->cpu)[k->r1] += code;
        diag_gr32(v, k->r3, len - code);
        break;
    }
}

/* Rx: where a message is, Ry: its length; of both, what of it is to be shown. */
bool diag_5c(struct vcpu *v, const struct cpu_icpt *k)
{
    return diag_on_loop(v, k, answer_5c);
}

/* ---- X'E4' ---- */

#define LIST_BYTES 48
#define DIAGNOSE_CODE 0x00e4
enum list {
    AT_CODE = 0,
    AT_FUNCTION = 2,
    AT_LENGTH = 3,
    AT_VDEV = 4,
    AT_USER = 8,
    AT_VOLID = 16,
    AT_RDEV = 22,
    AT_START = 24,
    AT_COUNT = 28,
    AT_INFO = 32,
    AT_OWNER_VDEV = 34,
    AT_OWNER = 40,
};
enum function { OF_MACHINE = 0, OF_DIRECTORY = 1 };
enum info { INFO_DEDICATED = 0x80, INFO_FULL_PACK = 0x40, INFO_PART = 0x20, INFO_DEVNO = 0x10 };
#define USER_BYTES 8

static void result_e4(const struct vm_minidisk *m, u8 *list)
{
    memset(list + AT_VOLID, 0, LIST_BYTES - AT_VOLID);
    ebcdic_pad(m->volid, 6, list + AT_VOLID);
    be16_store(list + AT_RDEV, m->rdev);
    be32_store(list + AT_START, (u32)m->start);
    be32_store(list + AT_COUNT, (u32)m->count);
    list[AT_INFO] = (u8)((m->dedicated   ? INFO_DEDICATED
                          : m->full_pack ? INFO_FULL_PACK
                                         : INFO_PART) |
                         (m->by_devno ? INFO_DEVNO : 0));
    be16_store(list + AT_OWNER_VDEV, m->owner_vdev);
    ebcdic_pad(m->owner, USER_BYTES, list + AT_OWNER);
}

static bool list_is_well(const u8 *list)
{
    return be16_load(list + AT_CODE) == DIAGNOSE_CODE && list[AT_FUNCTION] <= OF_DIRECTORY &&
           list[AT_LENGTH] == LIST_BYTES;
}

static void answer_e4(struct vcpu *v, const struct cpu_icpt *k)
{
    const struct vm_host_events *events = &v->vm->host->events;
    u8 list[LIST_BYTES];
    char user[2 * USER_BYTES + 1];
    u64 at = cpu_gr(v->cpu)[k->r1];
    enum vm_minidisk_result how = VM_MINIDISK_NO_USER;
    if (!diag_fetch(v, at, list, sizeof list)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return;
    }
    if (at % 8 || !list_is_well(list)) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return;
    }
    struct vm_minidisk m = {.vdev = be16_load(list + AT_VDEV),
                            .directory = list[AT_FUNCTION] == OF_DIRECTORY};
    user[ebcdic_to_utf8(EBCDIC_037, list + AT_USER, USER_BYTES, user)] = 0;
    size_t n = strcspn(user, " ");
    n = n < USER_BYTES ? n : USER_BYTES;
    memcpy(m.user, user, n);
    if (events->minidisk)
        how = events->minidisk(events->ctx, v->vm, &m);
    if (how == VM_MINIDISK_FOUND)
        result_e4(&m, list);
    if (!diag_store(v, at, list, sizeof list)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return;
    }
    diag_gr32(v, k->r3, 4 * (u32)how);
    cpu_finish_cc(v->cpu, how == VM_MINIDISK_FOUND ? 0 : 1);
}

/* Rx: where the parameter list is; Ry gets the return code. */
bool diag_e4(struct vcpu *v, const struct cpu_icpt *k)
{
    return diag_on_loop(v, k, answer_e4);
}
