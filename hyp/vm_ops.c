/* The table through which CP's commands use virtual machines (vm_needs.h).
 * Loop thread throughout; looking into a running machine holds it for the moment. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "hyp/config.h"
#include "hyp/directory.h"
#include "hyp/iucv/iucv_service.h"
#include "hyp/spool/spool.h"
#include "hyp/vm_internal.h"
#include "hyp/vm_still.h"

void vm_host_set_config(struct vm_host *host, const struct system_config *config)
{
    host->system = config;
}

/* ---- creating a machine from a directory entry ---- */

static void spooled_from_entry(const struct dir_entry *e, struct vm_config *vc)
{
    static const enum vm_unitrec_kind kinds[] = {[DIR_SPOOL_READER] = VM_READER,
                                                 [DIR_SPOOL_PUNCH] = VM_PUNCH,
                                                 [DIR_SPOOL_PRINTER] = VM_PRINTER};
    for (unsigned i = 0; i < e->spool_count && i < VM_SPOOLED_MAX; i++) {
        const struct dir_spool *s = &e->spools[i];
        vc->spooled[i].kind = kinds[s->kind];
        vc->spooled[i].vdev = s->vdev;
        vc->spooled[i].printer = printer_type_of(s->devtype);
        strcpy(vc->spooled[i].classes, s->classes);
    }
}

/* The CPU statement for an address, or NULL. */
static const struct dir_cpu *cpu_of_entry(const struct dir_entry *e, unsigned addr)
{
    for (unsigned i = 0; i < e->cpu_count; i++)
        if (e->cpus[i].addr == addr)
            return &e->cpus[i];
    return NULL;
}

/* With how many CPUs from 00 on it begins; those behind a gap come then. Without a CPU 00 there are
 * as many as statements. */
static unsigned first_cpus(const struct dir_entry *e)
{
    unsigned n = 0;
    while (cpu_of_entry(e, n))
        n++;
    return n ? n : e->cpu_count;
}

static int cpus_behind_gaps(struct vm *vm, const struct dir_entry *e, struct cause *cause)
{
    int rc = ST_OK;
    for (unsigned addr = first_cpus(e); cpu_of_entry(e, 0) && addr < VM_CPUS_MAX && !rc; addr++)
        if (cpu_of_entry(e, addr))
            rc = vm_define_cpu_at(vm, addr, cpu_of_entry(e, addr)->type, cause);
    return rc;
}

/* Those that may ever be defined have lower addresses: as many as MACHINE says, and with gaps those
 * of CPU statements. */
static unsigned cpu_addresses(const struct dir_entry *e)
{
    unsigned n = e->cpus_max;
    for (unsigned i = 0; i < e->cpu_count; i++)
        n = e->cpus[i].addr >= n ? e->cpus[i].addr + 1u : n;
    return n;
}

static void config_from_entry(const struct vm_host *host, const struct dir_entry *e,
                              struct console *console, struct vm_config *vc)
{
    *vc = (struct vm_config){
        .personality = VM_UNDER_CP,
        .storage_bytes = e->storage_bytes,
        .storage_max_bytes = e->storage_max_bytes,
        .cpus = first_cpus(e),
        .cpus_max = cpu_addresses(e),
        .model = host->config.model,
        .engine = cpu_engine_default(),
        .console_vdev = e->has_console ? e->console_vdev : 0,
        .console_3270 = e->console_devtype == 0x3270,
        .share = e->share,
        .quickdsp = e->options & DIR_OPT_QUICKDSP,
        .applmon = e->options & DIR_OPT_APPLMON,
        .privclass = e->classes,
        .console = console,
    };
    vc->has_cpuid = directory_cpuid(e, &vc->cpuid);
    snprintf(vc->name, sizeof vc->name, "%s", e->userid);
    for (unsigned i = 0; i < vc->cpus; i++)
        if (cpu_of_entry(e, i))
            vc->cpu_type[i] = cpu_of_entry(e, i)->type;
    spooled_from_entry(e, vc);
    for (unsigned i = 0; i < e->special_count && i < VM_DISPLAYS_MAX; i++)
        vc->display_vdev[i] = e->specials[i];
    for (unsigned i = 0; i < e->namesave_count; i++)
        strcpy(vc->namesave[vc->namesaves++], e->namesave[i]);
    for (unsigned i = 0; i < e->iucv_count; i++) {
        struct vm_iucv *row = &vc->iucv[vc->iucvs++];
        strcpy(row->name, e->iucv[i].name);
        row->priority = e->iucv[i].priority;
        row->limit = e->iucv[i].limit;
    }
    vc->maxconn = e->maxconn;
}

_Static_assert(VM_NAMESAVE_MAX == DIR_NAMES_MAX, "NAMESAVE");
_Static_assert(VM_IUCV_MAX == DIR_IUCV_MAX, "IUCV");

static int op_create(void *ctx, const struct dir_entry *entry, struct console *console,
                     struct vm **out, struct cause *cause)
{
    struct vm_host *host = ctx;
    struct vm_config vc;
    config_from_entry(host, entry, console, &vc);
    int rc = vm_create(host, &vc, out, cause);
    if (!rc && (rc = cpus_behind_gaps(*out, entry, cause)))
        vm_destroy(*out);
    return rc;
}

/* ---- running ---- */

static int op_ipl(struct vm *vm, const struct vm_ipl *ipl, struct cause *cause)
{
    int rc = ipl->is_name
                 ? vm_ipl_system(vm, ipl->name, ipl->clear, ipl->parm, cause)
                 : vm_ipl_device(vm, ipl->devno, ipl->clear, ipl->loadparm, ipl->parm, cause);
    if (rc == ST_OK && ipl->stop)
        vm_stop(vm, -1);
    return rc;
}

static int op_system(struct vm *vm, enum vm_system what, struct cause *cause)
{
    if (what != VM_SYSTEM_RESTART)
        return vm_system_reset(vm, what == VM_SYSTEM_CLEAR);
    if (!vm->ipled)
        return cause_set(cause, ST_REFUSED, "nothing has been loaded");
    cpu_restart(vm->vcpu[0].cpu);
    return ST_OK;
}

static void op_autocr(struct vm *vm, bool on)
{
    vm->autocr = on;
    if (vm->console_dev)
        con3215_autocr(vm->console_dev, on);
}

static bool op_conmode_display(struct vm *vm)
{
    return vm->config.console_3270;
}

static int op_attention(struct vm *vm, u16 vdev, struct cause *cause)
{
    if (!vm->config.console_vdev || (vdev && vdev != vm->config.console_vdev))
        return cause_set(cause, ST_NOENT, "no console at %04X", vdev);
    if (vm->console_display)
        con3270_attention(vm->console_display);
    else
        con3215_attention(vm->console_dev);
    return ST_OK;
}

static int op_smsg(struct vm *vm, const char *from, const char *text)
{
    return vmcf_send(vm, from, text);
}

static int op_iucv_message(struct vm *vm, int kind, const char *from, const char *text)
{
    return iucv_service_send(vm, (enum iucv_service_class)kind, from, text);
}

static void op_iucv_wire(void *host, const struct iucv_wire *wire)
{
    iucv_remote_wire(host, wire);
}

static void op_iucv_receive(void *host, const char *member, const void *data, size_t len)
{
    iucv_remote_receive(host, member, data, len);
}

static void op_iucv_lost(void *host, const char *member)
{
    iucv_remote_lost(host, member);
}

static int op_external(struct vm *vm, u16 code, struct cause *cause)
{
    if (code != 0x40)
        return cause_set(cause, ST_INVAL, "external interruption %04X cannot be made", code);
    cpu_interrupt_key(vm->vcpu[0].cpu);
    return ST_OK;
}

static int op_machine_check(struct vm *vm, u8 addr, const struct vm_machine_check *what)
{
    struct cpu *cpu = cpu_set_get(vm->cpus, addr);
    if (!cpu)
        return ST_NOENT;
    cpu_machine_check(cpu,
                      &(struct cpu_machine_check){.mcic = what->mcic,
                                                  .failing_storage = what->failing_storage,
                                                  .external_damage = what->external_damage});
    return ST_OK;
}

static int op_path_event(struct vm *vm, u8 chpid, enum vm_path_event what)
{
    if (css_chp_state(vm->css, chpid) == CSS_CHP_ABSENT)
        return ST_NOENT;
    switch (what) {
    case VM_LINK_DEGRADED:
    case VM_LINK_STOPPED: css_link_incident(vm->css, chpid, what == VM_LINK_STOPPED); break;
    case VM_PATH_LOST:
    case VM_PATH_BACK: css_chp_configure(vm->css, chpid, what == VM_PATH_BACK, true); break;
    case VM_PATH_CONFIGURE:
    case VM_PATH_DECONFIGURE: css_chp_request(vm->css, chpid, what == VM_PATH_CONFIGURE); break;
    }
    return ST_OK;
}

static int op_signal(struct vm *vm, unsigned within_s, struct cause *cause)
{
    (void)within_s; /* CP watches the time */
    return vm_signal_quiesce(vm) == ST_OK
               ? ST_OK
               : cause_set(cause, ST_REFUSED, "%s does not listen for signals",
                           vm->config.name);
}

/* ---- looking and changing ---- */

static void op_info(struct vm *vm, struct vm_info *out)
{
    *out = (struct vm_info){
        .state = vm_state(vm),
        .storage_bytes = vm->config.storage_bytes,
        .storage_max_bytes = vm->config.storage_max_bytes,
        .standby_bytes = vm->config.standby_bytes,
        .reserved_bytes = vm->config.reserved_bytes,
        .kept_bytes = vm->st->reserved,
        .locked_pages = vm->locks.count,
        .page_reads = atomic_load(&vm->page_reads),
        .increment_bytes = vm->st->increment_bytes,
        .resident_bytes = vm_resident_bytes(vm),
        .cpu_count = vm_cpus_defined(vm),
        .io_count = atomic_load(&vm->io_count),
        .ipled = vm->ipled,
        .quiesced = vm->quiesced,
        .listens = sclp_listens_quiesce(vm->sclp),
        .limited = dispatch_limited(vm),
    };
    vm_times(vm, &out->virt_ns, &out->total_ns);
}

/* The address of the n-th CPU that is defined; the number of CPUs when there are not so many. */
static unsigned nth_cpu(const struct vm *vm, unsigned n)
{
    unsigned addr = 0, count = cpu_set_count(vm->cpus);
    while (addr < count && (!vm_cpu_defined(vm, addr) || n--))
        addr++;
    return addr;
}

static bool op_cpu_info(struct vm *vm, unsigned n, struct vm_cpu_info *out)
{
    unsigned i = nth_cpu(vm, n);
    if (i >= cpu_set_count(vm->cpus))
        return false;
    *out = (struct vm_cpu_info){
        .addr = (u8)i,
        .type = vm->config.cpu_type[i],
        .base = i == 0,
        .state = vcpu_state(&vm->vcpu[i]),
        .virt_ns = atomic_load(&vm->vcpu[i].virt_ns),
        .total_ns = atomic_load(&vm->vcpu[i].total_ns),
        .serial = cpu_set_serial_of(vm->cpus),
    };
    dispatch_cpu_info(&vm->vcpu[i], out);
    return true;
}

static void op_tod(struct vm *vm, u64 *system, u64 *own)
{
    u64 tod = host_tod(vm);
    *system = tod + host_tod_brought(vm);
    *own = tod + cpu_get_epoch(vm->cpus);
}

static int op_set_tod(struct vm *vm, u64 delta)
{
    vm_hold(vm);
    int rc = vm_system_reset(vm, false);
    if (rc == ST_OK)
        cpu_set_epoch(vm->cpus, delta + host_tod_brought(vm));
    vm_release(vm);
    return rc;
}

static int reg_access(struct vm *vm, u8 addr, enum vm_reg kind, unsigned n, u64 *value,
                      bool put)
{
    if (!vm_cpu_defined(vm, addr))
        return ST_NOENT;
    if (n > 15)
        return ST_INVAL;
    struct cpu *cpu = vm->vcpu[addr].cpu;
    vm_hold(vm);
    if (kind == VM_REG_AR) {
        u32 *ar = &cpu_ar(cpu)[n];
        *ar = put ? (u32)*value : *ar;
        *value = *ar;
    } else {
        u64 *reg = kind == VM_REG_GR   ? &cpu_gr(cpu)[n]
                   : kind == VM_REG_CR ? &cpu_cr(cpu)[n]
                                       : cpu_fpr(cpu, n);
        *reg = put ? *value : *reg;
        *value = *reg;
    }
    if (put)
        cpu_registers_changed(cpu);
    vm_release(vm);
    return ST_OK;
}

static int op_reg_get(struct vm *vm, u8 cpu, enum vm_reg kind, unsigned n, u64 *value)
{
    return reg_access(vm, cpu, kind, n, value, false);
}

static int op_reg_put(struct vm *vm, u8 cpu, enum vm_reg kind, unsigned n, u64 value)
{
    return reg_access(vm, cpu, kind, n, &value, true);
}

static int op_psw_get(struct vm *vm, u8 cpu, u64 *mask, u64 *addr)
{
    if (!vm_cpu_defined(vm, cpu))
        return ST_NOENT;
    vm_hold(vm);
    cpu_psw_get(vm->vcpu[cpu].cpu, mask, addr);
    vm_release(vm);
    return ST_OK;
}

static int op_psw_put(struct vm *vm, u8 cpu, u64 mask, u64 addr)
{
    if (!vm_cpu_defined(vm, cpu))
        return ST_NOENT;
    vm_hold(vm);
    cpu_psw_set(vm->vcpu[cpu].cpu, mask, addr);
    vm_release(vm);
    vcpu_wake(&vm->vcpu[cpu]);
    return ST_OK;
}

static int op_prefix_get(struct vm *vm, u8 cpu, u64 *prefix)
{
    if (!vm_cpu_defined(vm, cpu))
        return ST_NOENT;
    *prefix = cpu_prefix(vm->vcpu[cpu].cpu);
    return ST_OK;
}

static bool put_abs(struct vm *vm, u64 abs, void *data, size_t len, bool put)
{
    return put ? storage_write(vm->st, abs, data, len) : storage_read(vm->st, abs, data, len);
}

static int storage_access(struct vm *vm, u8 addr, enum vm_space space, u64 at, void *data,
                          size_t len, bool put)
{
    if (!vm_cpu_defined(vm, addr))
        return ST_NOENT;
    struct cpu *cpu = vm->vcpu[addr].cpu;
    int rc = ST_OK;
    vm_hold(vm);
    for (size_t done = 0; done < len && rc == ST_OK;) { /* page by page: prefixing */
        size_t n = FRAME_BYTES - ((at + done) & (FRAME_BYTES - 1));
        n = n < len - done ? n : len - done;
        u8 *p = (u8 *)data + done;
        if (space == VM_SPACE_VIRT) {
            int pgm = put ? cpu_write_logical(cpu, at + done, 0, p, n)
                          : cpu_read_logical(cpu, at + done, 0, p, n);
            rc = pgm == 0 ? ST_OK : pgm == 5 ? ST_LIMIT : ST_NOENT;
        } else {
            u64 abs = space == VM_SPACE_REAL ? cpu_real_to_abs(cpu, at + done) : at + done;
            rc = put_abs(vm, abs, p, n, put) ? ST_OK : ST_LIMIT;
        }
        done += n;
    }
    vm_release(vm);
    return rc;
}

static int op_storage_get(struct vm *vm, u8 cpu, enum vm_space space, u64 addr, void *out,
                          size_t len)
{
    return storage_access(vm, cpu, space, addr, out, len, false);
}

static int op_storage_put(struct vm *vm, u8 cpu, enum vm_space space, u64 addr, const void *in,
                          size_t len)
{
    return storage_access(vm, cpu, space, addr, (void *)(uintptr_t)in, len, true);
}

static int op_storage_key(struct vm *vm, u8 cpu, u64 real, u8 *key)
{
    if (!vm_cpu_defined(vm, cpu))
        return ST_NOENT;
    u64 abs = cpu_real_to_abs(vm->vcpu[cpu].cpu, real);
    if (abs >= vm->st->size)
        return ST_LIMIT;
    *key = storage_key_get(vm->st, abs);
    return ST_OK;
}

static int op_store_status(struct vm *vm, u8 cpu)
{
    u8 area[VM_STATUS_BYTES];
    if (!vm_cpu_defined(vm, cpu))
        return ST_NOENT;
    vm_hold(vm);
    if (storage_read(vm->st, VM_STATUS_AT, area, sizeof area)) {
        cpu_status(vm->vcpu[cpu].cpu, area);
        storage_write(vm->st, VM_STATUS_AT, area, sizeof area);
    }
    vm_release(vm);
    return ST_OK;
}

static void op_privclass(struct vm *vm, u32 classes)
{
    __atomic_store_n(&vm->config.privclass, classes, __ATOMIC_RELAXED); /* its CPUs read it */
}

static bool op_device_busy(struct vm *vm, u16 vdev)
{
    u32 schid = css_find_devno(vm->css, vdev);
    return schid && css_activity(vm->css, schid) == CSS_BUSY;
}

static bool op_device_halt(struct vm *vm, u16 vdev)
{
    u32 schid = css_find_devno(vm->css, vdev);
    enum css_activity what = schid ? css_activity(vm->css, schid) : CSS_IDLE;
    return (what == CSS_BUSY || what == CSS_WAITING || what == CSS_SUSPENDED) &&
           css_hsch(vm->css, schid) == 0;
}

/* ---- configuration ---- */

static int op_reserve(struct vm *vm, u64 bytes, struct cause *cause)
{
    int rc = storage_reserve(vm->st, bytes < vm->st->size ? bytes : vm->st->size, cause);
    storage_lock_again(vm->st, &vm->locks);
    return rc;
}

static int op_lock_pages(struct vm *vm, u64 first, u64 pages, bool on, struct cause *cause)
{
    if (on)
        return storage_lock(vm->st, &vm->locks, first, pages, cause);
    storage_unlock(vm->st, &vm->locks, first, pages);
    return ST_OK;
}

static u64 op_page_reads(void *host)
{
    struct rusage usage;
    (void)host;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (u64)usage.ru_majflt;
}

static int op_define_cpu(struct vm *vm, u8 addr, u8 type, struct cause *cause)
{
    if (vm_cpu_defined(vm, addr))
        return cause_set(cause, ST_EXIST, "CPU %02X is defined already", addr);
    if (vm->config.cpus_max && addr >= vm->config.cpus_max)
        return cause_set(cause, ST_LIMIT, "addresses end at %02X", vm->config.cpus_max - 1);
    return vm_define_cpu_at(vm, addr, type, cause);
}

static int op_detach_cpu(struct vm *vm, u8 addr, struct cause *cause)
{
    if (addr == 0 || !vm_cpu_defined(vm, addr))
        return cause_set(cause, ST_INVAL, "CPU %02X cannot go", addr);
    vm_detach_cpu_at(vm, addr);
    return ST_OK;
}

/* ---- processors ---- */

static bool op_processor(void *host, unsigned i, struct vm_processor_info *out)
{
    return processor_info(host, i, out);
}

static int op_vary(void *host, unsigned addr, bool online, struct cause *cause)
{
    return processor_vary(host, addr, online, cause);
}

static void op_slack(void *host, unsigned ms)
{
    dispatch_slack(host, ms);
}

static unsigned op_slack_ms(void *host)
{
    return dispatch_slack_ms(host);
}

static int op_dedicate(struct vm *vm, u8 addr, bool on, struct cause *cause)
{
    if (!vm_cpu_defined(vm, addr))
        return cause_set(cause, ST_NOENT, "CPU %02X is not defined", addr);
    return processor_dedicate(&vm->vcpu[addr], on, cause);
}

static struct spool *op_spool(void *host)
{
    return vm_host_spool(host);
}

static struct ctc_hub *op_ctc_hub(void *host)
{
    return ((struct vm_host *)host)->ctcs;
}

static const struct vm_ops host_ops = {
    .create = op_create,
    .destroy = vm_destroy,
    .ipl = op_ipl,
    .system = op_system,
    .begin = vm_begin,
    .stop = vm_stop,
    .attention = op_attention,
    .conmode = vm_console_mode,
    .conmode_display = op_conmode_display,
    .autocr = op_autocr,
    .external = op_external,
    .smsg = op_smsg,
    .iucv_message = op_iucv_message,
    .iucv_wire = op_iucv_wire,
    .iucv_receive = op_iucv_receive,
    .iucv_lost = op_iucv_lost,
    .machine_check = op_machine_check,
    .path_event = op_path_event,
    .signal_shutdown = op_signal,
    .info = op_info,
    .cpu_info = op_cpu_info,
    .arch = vm_arch,
    .set_arch = vm_set_arch,
    .tod = op_tod,
    .set_tod = op_set_tod,
    .reg_get = op_reg_get,
    .reg_put = op_reg_put,
    .psw_get = op_psw_get,
    .psw_put = op_psw_put,
    .prefix_get = op_prefix_get,
    .storage_get = op_storage_get,
    .storage_put = op_storage_put,
    .storage_key = op_storage_key,
    .store_status = op_store_status,
    .device_row = vm_device_row,
    .disk_attach = vm_disk_attach,
    .tape_attach = vm_tape_attach,
    .tape_rewind = vm_tape_rewind,
    .nic_attach = vm_nic_attach,
    .nic_couple = vm_nic_couple,
    .nic_rules = vm_nic_rules,
    .nic_info = vm_nic_info,
    .nic_address = vm_nic_address,
    .nic_ip = vm_nic_ip,
    .ctca_attach = vm_ctca_attach,
    .ctca = vm_ctca,
    .ctca_set_remote = vm_ctca_set_remote,
    .unit_attach = vm_unit_attach,
    .device_detach = vm_device_detach,
    .device_reset = vm_device_reset,
    .device_end = vm_device_end,
    .device_halt = op_device_halt,
    .subchannel = vm_device_subchannel,
    .device_busy = op_device_busy,
    .define_storage = vm_define_storage,
    .reserve = op_reserve,
    .lock_pages = op_lock_pages,
    .page_reads = op_page_reads,
    .define_cpu = op_define_cpu,
    .detach_cpu = op_detach_cpu,
    .processor = op_processor,
    .vary = op_vary,
    .dedicate = op_dedicate,
    .share = dispatch_share,
    .quickdsp = dispatch_quickdsp,
    .privclass = op_privclass,
    .slack = op_slack,
    .slack_ms = op_slack_ms,
    .trace = vm_trace,
    .trace_count = vm_trace_count,
    .dump = vm_op_dump,
    .disk_copy = vm_op_disk_copy,
    .still_stop = vm_op_still_stop,
    .segment_define = vm_op_segment_define,
    .segment_save = vm_op_segment_save,
    .segment_find = vm_op_segment_find,
    .segment_defined = vm_op_segment_defined,
    .segment_forget = vm_op_segment_forget,
    .segment_row = vm_op_segment_row,
    .spool = op_spool,
    .ctc_hub = op_ctc_hub,
};

const struct vm_ops *vm_host_ops(void)
{
    return &host_ops;
}
