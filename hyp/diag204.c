/* DIAGNOSE X'204', subcode 4 with simple information: logical processors of the partition that this
 * member is, and how long they were busy. Linux's hypfs asks for it before anything else. Subcodes
 * with extended information are refused, and Linux does without.
 * Source: Linux arch/s390/include/asm/diag.h and hypfs_diag.c as its user. */
#include "hyp/diag/diag.h"
#include "io/ebcdic.h"

#define SUBCODE_STORE 4
#define REFUSED 4
#define HEADER_BYTES 16
#define PARTITION_BYTES 16
#define CPU_BYTES 24
#define INFO_BYTES_MAX (HEADER_BYTES + PARTITION_BYTES + VM_PROCESSORS_MAX * CPU_BYTES)
#define PAGE_BYTES 4096

/* One partition, number 1; the time of a processor is in microseconds, all of it its own. */
static size_t info(const struct vm *vm, u8 *out)
{
    struct vm_host *host = vm->host;
    u8 *cpu = out + HEADER_BYTES + PARTITION_BYTES;
    unsigned online = 0;
    lock_take(&host->lock);
    for (unsigned i = 0; i < host->processors; i++) {
        struct processor *p = &host->processor[i];
        if (!p->online)
            continue;
        u64 busy_us = processor_busy_ns(p) / 1000;
        be16_store(cpu, (u16)p->addr);
        cpu[4] = p->type;
        be64_store(cpu + 8, busy_us);
        be64_store(cpu + 16, busy_us);
        cpu += CPU_BYTES;
        online++;
    }
    lock_drop(&host->lock);
    out[0] = 1;
    be16_store(out + 4, (u16)host->processors);
    be64_store(out + 8, host_tod(vm));
    out[HEADER_BYTES] = 1;
    out[HEADER_BYTES + 1] = (u8)online;
    ebcdic_pad(host->config.system, 8, out + HEADER_BYTES + 8);
    return (size_t)(cpu - out);
}

bool diag_204(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 out[INFO_BYTES_MAX] = {0};
    u64 *gr = cpu_gr(v->cpu);
    u64 abs = cpu_real_to_abs(v->cpu, gr[k->r1]);
    if (gr[k->r3] != SUBCODE_STORE) {
        gr[k->r3] = REFUSED;
        cpu_finish_cc(v->cpu, 0);
    } else if (k->r3 & 1 || abs % PAGE_BYTES || !gr[k->r3 + 1]) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
    } else if (!storage_write(v->vm->st, abs, out, info(v->vm, out))) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
    } else {
        gr[k->r3] = 0;
        gr[k->r3 + 1] = 1; /* pages */
        cpu_finish_cc(v->cpu, 0);
    }
    return true;
}
