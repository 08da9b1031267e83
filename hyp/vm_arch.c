/* The architecture of a virtual machine: fencing it, and taking that along.
 * Guarantees: CPUs and interceptions see one description or the other, never parts of both: it
 * changes while the machine is held, and what was decoded, translated or cached by it is given up.
 * The serial number of the CPUs (STIDP) is the machine's for as long as it is there. */
#include "hyp/vm_internal.h"

enum { ROW_ARCH = 1, ROW_SERIAL = 2 };

const struct arch *vm_arch(const struct vm *vm)
{
    return &vm->arch;
}

void vm_set_arch(struct vm *vm, const struct arch *arch)
{
    vm_hold(vm);
    vm->arch = *arch;
    cpu_set_facilities(vm->cpus, arch->facilities);
    cpu_set_seen(vm->cpus, arch->model);
    sclp_set_esop(vm->sclp, arch->model->generation >= GEN_Z10);
    vm_release(vm);
}

void vm_set_arch_firm(struct vm *vm, const struct arch *arch)
{
    vm_set_arch(vm, arch);
    cpu_set_firm(vm->cpus);
    vm->arch_firm = true;
}

void vm_arch_save(const struct vm *vm, struct codec_out *out)
{
    arch_put(out, ROW_ARCH, &vm->arch);
    codec_put_u32(out, ROW_SERIAL, cpu_set_serial_of(vm->cpus));
}

static int arch_restore(struct vm *vm, const struct codec_row *row, struct cause *cause)
{
    struct arch here, arch;
    arch_of(vm->config.model, CP_LEVEL, &here);
    if (!arch_get(row, vm->config.model, &arch))
        return cause_set(cause, ST_PROTO, "architecture of %s: rows are damaged",
                         vm->config.name);
    if (vm->arch_firm)
        return ST_OK;
    if (!arch_within(&arch, &here)) {
        char lacking[64];
        unsigned next = 0;
        return cause_set(cause, ST_PROTO, "%s has what this member has not: facilities %s",
                         vm->config.name,
                         arch_beyond_text(&arch, &here, &next, lacking, sizeof lacking));
    }
    vm_set_arch(vm, &arch);
    return ST_OK;
}

int vm_arch_restore(struct vm *vm, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    while (codec_next(in, &row)) {
        u32 serial;
        int rc = row.tag == ROW_ARCH ? arch_restore(vm, &row, cause) : ST_OK;
        if (rc)
            return rc;
        if (row.tag == ROW_SERIAL && codec_get_u32(&row, &serial))
            cpu_set_serial(vm->cpus, serial);
    }
    return in->failed ? cause_set(cause, ST_PROTO, "architecture of %s: rows are damaged",
                                  vm->config.name)
                      : ST_OK;
}
