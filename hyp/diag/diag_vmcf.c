/* DIAGNOSE X'68', VMCF: AUTHORIZE, UNAUTHORIZE, QUIESCE, RESUME; messages come from SMSG. Those
 * that one virtual machine sends another (SEND and what belongs to it) are an unsupported
 * subfunction. Source: VM/370 System Programmer's Guide, GC20-1807: VMCPARM, return codes. */
#include "hyp/diag/diag.h"
#include "hyp/vmcf.h"

#define PARM_BYTES 40
#define FLAG_SMSG 0x20 /* SET SMSG ON, too */

enum parm { AT_FLAGS = 0, AT_FUNCTION = 2, AT_ADDRESS = 16, AT_LENGTH = 20 };
enum function { AUTHORIZE = 0, UNAUTHORIZE = 1, QUIESCE = 8, RESUME = 9 };
enum { RC_DONE = 0, RC_BUFFER = 1, RC_FUNCTION = 2, RC_NOT_AUTHORIZED = 4 };

static unsigned authorize(struct vcpu *v, const u8 parm[PARM_BYTES])
{
    struct vm *vm = v->vm;
    const struct vm_host_events *events = &vm->host->events;
    u32 at = be32_load(parm + AT_ADDRESS), room = be32_load(parm + AT_LENGTH);
    if (at % 8 || room < VMCF_HEADER_BYTES || !storage_holds(vm->st, at, room))
        return RC_BUFFER;
    vmcf_authorize(vm, (u8)v->addr, at, room);
    if (parm[AT_FLAGS] & FLAG_SMSG && events->smsg)
        events->smsg(events->ctx, vm);
    return RC_DONE;
}

static unsigned carry_out(struct vcpu *v, const u8 parm[PARM_BYTES])
{
    struct vm *vm = v->vm;
    enum function function = (enum function)be16_load(parm + AT_FUNCTION);
    if (function == AUTHORIZE)
        return authorize(v, parm);
    if (function != UNAUTHORIZE && function != QUIESCE && function != RESUME)
        return RC_FUNCTION;
    if (!vm->vmcf.authorized)
        return RC_NOT_AUTHORIZED;
    if (function == UNAUTHORIZE)
        vmcf_end(vm);
    else
        vmcf_quiesce(vm, function == QUIESCE);
    return RC_DONE;
}

static void answer(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 parm[PARM_BYTES];
    u64 at = cpu_gr(v->cpu)[k->r1];
    if (at % 8)
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
    else if (!diag_fetch(v, at, parm, sizeof parm))
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
    else {
        diag_gr32(v, k->r3, carry_out(v, parm));
        cpu_finish_cc(v->cpu, 0);
    }
}

/* Rx: where VMCPARM is, Ry: return code. */
bool diag_68(struct vcpu *v, const struct cpu_icpt *k)
{
    return diag_on_loop(v, k, answer);
}
