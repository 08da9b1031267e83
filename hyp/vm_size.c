/* The size of a machine: CPUs defined and detached, storage defined anew, standby storage.
 * Guarantees: storage changes only with a reset that clears; a CPU comes while the guest runs on,
 * and goes only with a reset; the CPU of the highest address is defined, of those before it any but
 * CPU 0 may be missing; what fails has changed nothing but the reset. Loop thread. */
#include "hyp/vm_internal.h"
#include "mem/base/ergo.h"

void vcpu_init(struct vm *vm, unsigned i)
{
    vm->vcpu[i] = (struct vcpu){.vm = vm,
                                .cpu = cpu_set_get(vm->cpus, i),
                                .addr = i,
                                .place = VCPU_IDLE,
                                .deadline_ns = ~0ull,
                                .last_exit = CPU_EXIT_STOPPED,
                                .ready_ns = host_now_ns(vm->host)};
}

/* ---- standby storage ---- */

int vm_standby_check(const struct storage *st, u64 bytes, u64 standby, struct cause *cause)
{
    if (standby && (bytes % st->increment_bytes || standby % st->increment_bytes))
        return cause_set(cause, ST_INVAL, "with standby storage sizes are multiples of %lluM",
                         (unsigned long long)st->increment_bytes >> 20);
    return ST_OK;
}

void vm_standby_reset(struct vm *vm)
{
    u64 first = vm->config.storage_bytes / vm->st->increment_bytes;
    if (!vm->config.standby_bytes)
        return;
    for (u64 i = 0; i < storage_increments(vm->st); i++)
        storage_increment_set(vm->st, i, i < first);
}

void vm_standby_restored(struct vm *vm, u64 standby)
{
    vm->config.standby_bytes = standby;
    vm->config.storage_bytes = vm->st->size - standby;
    sclp_set_size(vm->sclp, vm->config.storage_bytes, standby, vm->config.cpus);
}

static int storage_define(struct vm *vm, const struct vm_sizes *sizes, struct cause *cause)
{
    u64 there = sizes->storage + sizes->standby;
    if (vm->config.storage_max_bytes && there + sizes->reserved > vm->config.storage_max_bytes)
        return cause_set(cause, ST_LIMIT, "the directory allows %lluM",
                         (unsigned long long)vm->config.storage_max_bytes >> 20);
    u64 unit = STORAGE_UNIT_BYTES;
    while (there / unit > STORAGE_INCREMENTS_MAX)
        unit *= 2;
    if (sizes->standby && (sizes->storage % unit || sizes->standby % unit))
        return vm_standby_check(&(struct storage){.increment_bytes = unit}, sizes->storage,
                                sizes->standby, cause);
    return cpu_set_resize_storage(vm->cpus, there, cause);
}

int vm_define_storage(struct vm *vm, const struct vm_sizes *sizes, struct cause *cause)
{
    vm_hold(vm);
    vm_system_reset(vm, true);
    int rc = storage_define(vm, sizes, cause);
    if (rc == ST_OK) {
        vm->config.storage_bytes = sizes->storage;
        vm->config.standby_bytes = sizes->standby;
        vm->config.reserved_bytes = sizes->reserved;
        sclp_set_size(vm->sclp, sizes->storage, sizes->standby, vm->config.cpus);
        vm_standby_reset(vm);
    }
    vm_release(vm);
    return rc;
}

/* ---- CPUs ---- */

bool vm_cpu_defined(const struct vm *vm, unsigned addr)
{
    return addr < cpu_set_count(vm->cpus) && !(vm->undefined >> addr & 1);
}

unsigned vm_cpus_defined(const struct vm *vm)
{
    return cpu_set_count(vm->cpus) - (unsigned)__builtin_popcountll(vm->undefined);
}

/* A CPU that is not defined stays in standby, where no SIGP finds it, and nobody tells of it. */
static void undefine(struct vm *vm, unsigned addr)
{
    struct cause cause;
    cpu_set_configure(vm->cpus, addr, false);
    processor_dedicate(&vm->vcpu[addr], false, &cause); /* if it had one to itself */
    vm->undefined |= 1ull << addr;
}

bool vm_undefined_restored(struct vm *vm, u64 undefined)
{
    unsigned last = cpu_set_count(vm->cpus) - 1;
    u64 possible = (1ull << last) - 2; /* not CPU 0, nor the last one */
    if (last == 0 || undefined & ~possible)
        return undefined == 0;
    vm->undefined = undefined;
    return true;
}

static int add_cpu(struct vm *vm, u8 type, struct cause *cause)
{
    unsigned i = cpu_set_count(vm->cpus);
    vm->config.cpu_type[i] = type;
    vcpu_init(vm, i); /* before anybody can wake it */
    int rc = cpu_set_add(vm->cpus, cause);
    if (rc == ST_OK) {
        vm->vcpu[i].cpu = cpu_set_get(vm->cpus, i);
        vm->config.cpus = i + 1;
        trace_apply(vm);
        sclp_set_size(vm->sclp, vm->config.storage_bytes, vm->config.standby_bytes, i + 1);
    }
    return rc;
}

int vm_define_cpu_at(struct vm *vm, unsigned addr, u8 type, struct cause *cause)
{
    int rc = ST_OK;
    vm_hold(vm);
    if (addr < cpu_set_count(vm->cpus)) {
        vm->undefined &= ~(1ull << addr);
        vm->config.cpu_type[addr] = type;
        cpu_set_configure(vm->cpus, addr, true);
    }
    while (rc == ST_OK && cpu_set_count(vm->cpus) <= addr) {
        unsigned next = cpu_set_count(vm->cpus);
        rc = add_cpu(vm, type, cause);
        if (rc == ST_OK && next < addr)
            undefine(vm, next);
    }
    if (rc == ST_OK)
        sclp_cpus_changed(vm->sclp);
    vm_release(vm);
    return rc;
}

int vm_define_cpu(struct vm *vm, u8 type, struct cause *cause)
{
    return vm_define_cpu_at(vm, cpu_set_count(vm->cpus), type, cause);
}

static void remove_last(struct vm *vm)
{
    unsigned last = cpu_set_count(vm->cpus) - 1;
    dispatch_retire(&vm->vcpu[last]);
    cpu_set_remove_last(vm->cpus);
    vm->vcpu[last].cpu = NULL;
    vm->undefined &= ~(1ull << last);
    vm->config.cpus = last;
    sclp_set_size(vm->sclp, vm->config.storage_bytes, vm->config.standby_bytes, last);
}

void vm_detach_cpu_at(struct vm *vm, unsigned addr)
{
    vm_hold(vm);
    vm_system_reset(vm, true);
    if (addr + 1 < cpu_set_count(vm->cpus))
        undefine(vm, addr);
    else
        remove_last(vm);
    while (!vm_cpu_defined(vm, cpu_set_count(vm->cpus) - 1))
        remove_last(vm);
    vm_release(vm);
}

void vm_detach_cpu(struct vm *vm)
{
    vm_detach_cpu_at(vm, cpu_set_count(vm->cpus) - 1);
}

int vm_reconfigure(struct vm *vm, u64 storage_bytes, unsigned cpus, struct cause *cause)
{
    int rc = vm_define_storage(vm, &(struct vm_sizes){.storage = storage_bytes}, cause);
    while (rc == ST_OK && cpu_set_count(vm->cpus) > cpus)
        vm_detach_cpu(vm); /* and those before it that are not defined */
    while (rc == ST_OK && cpu_set_count(vm->cpus) < cpus)
        rc = vm_define_cpu(vm, vm->config.cpu_type[cpu_set_count(vm->cpus)], cause);
    return rc;
}
