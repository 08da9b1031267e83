/* STORE SYSTEM INFORMATION: SYSIBs 15.1.x (topology.c), 1.1.1, 1.2.1, 1.2.2, 2.2.1, 2.2.2 and,
 * under CP, 3.2.2. Machine type, model and capacity are those of the guest's architecture
 * description, the same on all members of its relocation domain; the sequence code and the name of
 * the partition are those of the member that it is on, by which Linux sees that it was relocated.
 * Layouts: Principles of Operation, "STORE SYSTEM INFORMATION". */
#include <stdio.h>

#include "hyp/vm_internal.h"
#include "io/ebcdic.h"

#define SYSIB_BYTES 4096
#define TOPOLOGY 15
#define PGM_SPECIFICATION_CODE 0x06
#define SEQUENCE_BYTES 17
#define CAPABILITY 1000u /* adjustment factor and capability: nothing is known to be lowered */

static unsigned level_of(const struct vm *vm)
{
    return vm->config.personality == VM_UNDER_CP ? 3 : 2;
}

static void sequence_code(const struct vm *vm, u8 *out)
{
    char text[SEQUENCE_BYTES];
    snprintf(text, sizeof text, "0000000000%06X", vm->host->config.cpu_serial & 0xffffff);
    ebcdic_pad(text, 16, out);
}

static void sysib_111(const struct vm *vm, u8 *b)
{
    const struct cpu_model *model = vm->arch.model;
    char type[5];
    snprintf(type, sizeof type, "%04X", model->machine_type);
    ebcdic_pad("Endicott", 16, b + 32);
    ebcdic_pad(type, 4, b + 48);
    ebcdic_pad(model->capacity, 16, b + 64);
    sequence_code(vm, b + 80);
    ebcdic_pad("00", 4, b + 96);
    ebcdic_pad(model->model, 16, b + 100);
    ebcdic_pad(model->capacity, 16, b + 116); /* permanent */
}

static void sysib_121(const struct vm *vm, u16 cpu, u8 *b)
{
    sequence_code(vm, b + 80);
    ebcdic_pad("00", 4, b + 96);
    be16_store(b + 100, 0);
    be16_store(b + 102, cpu);
}

/* Numbers of CPUs: total, configured, standby, reserved. */
static void cpu_counts(const struct vm *vm, u8 *at)
{
    unsigned n = vm_cpus_defined(vm);
    unsigned standby =
        (unsigned)__builtin_popcountll(cpu_set_standby(vm->cpus) & ~vm->undefined);
    be16_store(at, (u16)n);
    be16_store(at + 2, (u16)(n - standby));
    be16_store(at + 4, (u16)standby);
    be16_store(at + 6, 0);
}

static void sysib_122(const struct vm *vm, u8 *b)
{
    be32_store(b + 24, CAPABILITY); /* nominal */
    be32_store(b + 32, CAPABILITY);
    cpu_counts(vm, b + 36);
}

static void sysib_222(const struct vm *vm, u8 *b)
{
    be16_store(b + 32, 1); /* logical-partition number */
    b[35] = 0x80;          /* dedicated */
    cpu_counts(vm, b + 36);
    ebcdic_pad(vm->host->config.system[0] ? vm->host->config.system : "ENDICOTT", 8, b + 44);
    be32_store(b + 52, CAPABILITY);
    be16_store(b + 64, (u16)vm_cpus_defined(vm)); /* dedicated */
}

static void sysib_322(const struct vm *vm, u8 *b)
{
    b[31] = 1; /* one description block */
    u8 *d = b + 32;
    cpu_counts(vm, d + 4);
    ebcdic_pad(vm->config.name, 8, d + 12);
    be32_store(d + 20, CAPABILITY);
    ebcdic_pad("z/VM    7.3.0", 16, d + 24);
}

static bool sysib_fill(const struct vcpu *v, unsigned fc, unsigned s1, unsigned s2, u8 *b)
{
    const struct vm *vm = v->vm;
    switch (fc << 8 | s1 << 4 | s2) {
    case 0x111: sysib_111(vm, b); return true;
    case 0x121:
    case 0x221: sysib_121(vm, (u16)v->addr, b); return true;
    case 0x122: sysib_122(vm, b); return true;
    case 0x222: sysib_222(vm, b); return true;
    case 0x322: sysib_322(vm, b); return vm->config.personality == VM_UNDER_CP;
    default: return false;
    }
}

void icpt_stsi(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 *gr = cpu_gr(v->cpu);
    unsigned fc = (u32)gr[0] >> 28;
    unsigned s1 = gr[0] & 0xff, s2 = gr[1] & 0xffff;
    if ((gr[0] & 0x0fffff00u) || (gr[1] & 0xffff0000u)) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return;
    }
    if (fc == 0) {
        gr[0] = (gr[0] & ~0xffffffffull) | level_of(v->vm) << 28;
        cpu_finish_cc(v->cpu, 0);
        return;
    }
    u8 block[SYSIB_BYTES] = {0};
    if (k->ea % SYSIB_BYTES) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return;
    }
    if (fc == TOPOLOGY
            ? s1 != 1 || !topology_sysib(v->vm, s2, block)
            : fc > level_of(v->vm) || s1 > 2 || s2 > 2 || !sysib_fill(v, fc, s1, s2, block)) {
        cpu_finish_cc(v->cpu, 3);
        return;
    }
    int rc = cpu_write_logical(v->cpu, k->ea, k->ar, block, sizeof block);
    if (rc)
        cpu_finish_pgm(v->cpu, (unsigned)rc);
    else
        cpu_finish_cc(v->cpu, 0);
}
