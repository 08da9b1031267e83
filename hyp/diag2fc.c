/* DIAGNOSE X'2FC': performance data of guests, as Linux's hypfs reads them for hyptop: a record for
 * each guest of this member that was asked for. A guest of class B sees all, others themselves.
 * Addresses are the guest's virtual ones. The CPU is blocked while the loop thread, to which the
 * machines belong, collects. Source: Linux arch/s390/hypfs/hypfs_vm.c as its user (its lists are in
 * pages that are not where they are in real storage); the return codes but -2 are from memory. */
#include <stdlib.h>

#include "hyp/diag/diag.h"
#include "hyp/directory.h"
#include "io/ebcdic.h"

#define PARM_BYTES 32 /* userid, ACI group, address, size, format */
#define RECORD_BYTES 112
#define FORMAT 2
#define TOO_SMALL (-2ll) /* what is missing stands, negative, in Rx */
#define NOT_ALLOWED (-3ll)
#define NO_SUCH_GUEST (-1ll)

struct diag2fc {
    struct vcpu *v;
    u8 r1, r3;
    u64 list; /* where the parameter list is */
    u8 parm[PARM_BYTES];
};

static void record(const struct vm *vm, u8 out[RECORD_BYTES])
{
    const struct vm_ops *ops = vm_host_ops();
    struct vm_info info = {0};
    u64 now = host_clock_ns(CLOCK_MONOTONIC);
    memset(out, 0, RECORD_BYTES);
    ops->info((struct vm *)vm, &info);
    be32_store(out + 4, (u32)vm->config.share.limit << 1); /* capped: soft 1, hard 2 */
    be64_store(out + 8, info.total_ns / 1000);
    be64_store(out + 16, (now - vm->created_ns) / 1000);
    be64_store(out + 32, info.storage_bytes >> 10);
    be64_store(out + 40, info.resident_bytes >> 10); /* share of it that is due: what it has */
    be64_store(out + 48, info.resident_bytes >> 10);
    be32_store(out + 56, vm->host->processors);
    be32_store(out + 60, vm->host->processors);
    be32_store(out + 64, info.cpu_count);
    be32_store(out + 68, info.cpu_count); /* not stopped: all that are defined count */
    be32_store(out + 76, vm->config.share.least.n);
    ebcdic_pad(vm->config.name, 8, out + 104);
}

/* May this guest be told of, and is it the one, or one of those, that were asked for? */
static bool wanted(const struct diag2fc *d, const struct vm *vm, const u8 all[8],
                   const u8 none[8])
{
    u8 name[8];
    const struct vm *own = d->v->vm;
    if (vm->dead || vm->config.personality != VM_UNDER_CP)
        return false;
    if (!memcmp(d->parm, none, 8))
        return vm == own;
    ebcdic_pad(vm->config.name, 8, name);
    return !memcmp(d->parm, all, 8) || !memcmp(d->parm, name, 8);
}

/* The records into a block of the caller's to free; *count of them. NULL: no storage. */
static u8 *collect(const struct diag2fc *d, unsigned *count, bool *other)
{
    u8 all[8], none[8], *records = NULL;
    ebcdic_pad("*", 8, all);
    ebcdic_pad("", 8, none);
    *count = 0;
    for (const struct vm *vm = d->v->vm->host->vms; vm; vm = vm->next) {
        if (!wanted(d, vm, all, none))
            continue;
        u8 *more = realloc(records, (size_t)(*count + 1) * RECORD_BYTES);
        if (!more)
            break;
        records = more;
        record(vm, records + (size_t)*count * RECORD_BYTES);
        *other |= vm != d->v->vm;
        ++*count;
    }
    *other |= !memcmp(d->parm, all, 8);
    return records;
}

static void answer(struct diag2fc *d)
{
    struct vcpu *v = d->v;
    u64 *gr = cpu_gr(v->cpu);
    unsigned count;
    bool other = false;
    u8 *records = collect(d, &count, &other);
    u64 len = (u64)count * RECORD_BYTES, room = be32_load(d->parm + 24);
    int status = ST_OK;
    if (other &&
        !(__atomic_load_n(&v->vm->config.privclass, __ATOMIC_RELAXED) & CP_CLASS('B'))) {
        gr[d->r3] = (u64)NOT_ALLOWED;
    } else if (!count) {
        gr[d->r3] = (u64)NO_SUCH_GUEST;
    } else if (len > room) {
        gr[d->r1] = room - len;
        gr[d->r3] = (u64)TOO_SMALL;
    } else {
        status = vm_host_ops()->storage_put(v->vm, (u8)v->addr, VM_SPACE_VIRT,
                                            be64_load(d->parm + 16), records, len);
        gr[d->r1] = status ? gr[d->r1] : room - len;
        gr[d->r3] = status ? gr[d->r3] : 0;
    }
    free(records);
    if (status)
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
    else
        cpu_finish_cc(v->cpu, 0);
}

static void list_and_answer(struct vcpu *v, const struct cpu_icpt *k)
{
    struct diag2fc d = {.v = v, .r1 = k->r1, .r3 = k->r3, .list = cpu_gr(v->cpu)[k->r1]};
    if (vm_host_ops()->storage_get(v->vm, (u8)v->addr, VM_SPACE_VIRT, d.list, d.parm,
                                   sizeof d.parm))
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
    else if (be32_load(d.parm + 28) != FORMAT)
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
    else
        answer(&d);
}

bool diag_2fc(struct vcpu *v, const struct cpu_icpt *k)
{
    return diag_on_loop(v, k, list_and_answer);
}
