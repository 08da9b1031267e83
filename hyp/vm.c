/* Virtual machines: creation, the ports of CPU and I/O layers, operator functions, console lines.
 * A machine is made stopped and reset; IPL (ipl.c) starts it. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hyp/io_worker.h"
#include "hyp/iucv/iucv.h"
#include "hyp/spool/spool.h"
#include "hyp/vm_internal.h"
#include "io/ebcdic.h"
#include "mem/storage_source.h"
#include "hyp/vm_still.h"
#include "mem/base/ergo.h"

#define SCLP_FEATURE_BYTES 16
#define PAGE_VECTOR_MAX 65536

/* ---- ports of the CPU layer ---- */

static u64 port_tod(void *ctx)
{
    return host_tod(ctx);
}

static void port_wake(void *ctx, unsigned addr)
{
    struct vm *vm = ctx;
    vcpu_wake(&vm->vcpu[addr]);
}

static bool port_take_io(void *ctx, u8 isc_mask, struct cpu_io_interruption *out)
{
    struct vm *vm = ctx;
    struct io_interruption found;
    if (!css_take_interruption(vm->css, isc_mask, &found))
        return false;
    *out = (struct cpu_io_interruption){found.schid, found.parm, found.int_word};
    return true;
}

#define EXT_SERVICE_SIGNAL 0x2401
#define EXT_IUCV 0x4000
#define SUBCODE_BLOCK_IO 0x0300
#define SUBCODE_BLOCK_IO_64 0x0700

/* The service processor's signal, the end of block I/O (DIAGNOSE X'250'), or of a page fault. */
static bool port_take_service(void *ctx, struct cpu_service *out)
{
    struct vm *vm = ctx;
    struct block_done done;
    bool more;
    *out = (struct cpu_service){.code = EXT_SERVICE_SIGNAL};
    if (sclp_take_signal(vm->sclp, &out->parm)) {
        cpu_set_service_signal(vm->cpus); /* to look for the other */
        return true;
    }
    if (!block_io_take(&vm->block, &done, &more)) {
        bool found = pfault_take(vm, out, &more);
        if (more)
            cpu_set_service_signal(vm->cpus);
        return found;
    }
    *out = (struct cpu_service){
        .code = EXT_CP,
        .subcode = (u16)((done.wide ? SUBCODE_BLOCK_IO_64 : SUBCODE_BLOCK_IO) | done.status),
        .wide = done.wide,
        .parm = (u32)done.parm,
        .parm64 = done.parm};
    if (more || atomic_load(&vm->page_faults.count)) /* to look for those */
        cpu_set_service_signal(vm->cpus);
    return true;
}

static bool port_take_message(void *ctx, unsigned cpu_addr, u16 code)
{
    return code == EXT_IUCV ? iucv_take(ctx, cpu_addr) : vmcf_take(ctx, cpu_addr);
}

static const struct cpu_ports cpu_port_table = {port_tod, port_wake, port_take_io,
                                                port_take_service, port_take_message};

/* ---- ports of the I/O layer ---- */

static void port_io_pending(void *ctx, u8 isc_mask)
{
    struct vm *vm = ctx;
    cpu_set_io_pending(vm->cpus, isc_mask);
}

static void port_service_signal(void *ctx, u32 parm)
{
    struct vm *vm = ctx;
    (void)parm;
    cpu_set_service_signal(vm->cpus);
}

static void port_crw(void *ctx, bool pending)
{
    struct vm *vm = ctx;
    if (pending)
        cpu_set_crw_pending(vm->cpus);
}

static void port_run(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct vm *vm = ctx;
    atomic_fetch_add(&vm->io_count, 1);
    io_worker_add(vm->worker, fn, arg);
}

static const char *port_owner(void *ctx)
{
    struct vm *vm = ctx;
    return vm->config.name;
}

static u64 port_io_tod(void *ctx)
{
    struct vm *vm = ctx;
    return host_tod(vm) + cpu_get_epoch(vm->cpus);
}

static void vm_output(struct vm *vm, const char *text, size_t len)
{
    if (vm->config.output)
        vm->config.output(vm->config.output_ctx, text, len);
    else if (vm->config.console)
        console_write(vm->config.console, text, len);
}

static void port_console_write(void *ctx, u32 devno, const char *utf8, size_t len, bool newline)
{
    struct vm *vm = ctx;
    vm->last_console = devno;
    if (len)
        vm_output(vm, utf8, len);
    if (newline)
        vm_output(vm, "\n", 1);
}

static void port_display_changed(void *ctx, u32 devno)
{
    struct vm *vm = ctx;
    const struct vm_host_events *events = &vm->host->events;
    (void)devno;
    if (events->display)
        events->display(events->ctx, vm);
}

static unsigned port_cpus(void *ctx, u64 *standby)
{
    struct vm *vm = ctx;
    *standby = cpu_set_standby(vm->cpus);
    return cpu_set_count(vm->cpus);
}

static u64 port_cpus_undefined(void *ctx)
{
    const struct vm *vm = ctx;
    return vm->undefined;
}

static void port_cpu_configure(void *ctx, unsigned addr, bool on)
{
    struct vm *vm = ctx;
    cpu_set_configure(vm->cpus, addr, on);
}

static u8 port_cpu_type(void *ctx, unsigned addr)
{
    const struct vm *vm = ctx;
    return vm->config.cpu_type[addr];
}

static void port_storage_changed(void *ctx)
{
    struct vm *vm = ctx;
    cpu_set_purge(vm->cpus);
}

static void console_took(void *arg)
{
    struct vm *vm = arg;
    const struct vm_host_events *events = &vm->host->events;
    if (vm->config.console)
        vm_console_poll_input(vm);
    if (events->typed_room)
        events->typed_room(events->ctx, vm);
    vm_note_done(vm);
}

static void port_console_room(void *ctx)
{
    struct vm *vm = ctx;
    if (!atomic_load(&vm->typed_waits) || !atomic_exchange(&vm->typed_waits, false))
        return;
    atomic_fetch_add(&vm->notes, 1);
    vm->host->ports.post(vm->host->ports.ctx, console_took, vm);
}

static const struct io_ports io_port_table = {
    .io_pending = port_io_pending,
    .service_signal = port_service_signal,
    .mchk_crw = port_crw,
    .run = port_run,
    .owner = port_owner,
    .tod = port_io_tod,
    .console_write = port_console_write,
    .console_room = port_console_room,
    .display_changed = port_display_changed,
    .cpus = port_cpus,
    .cpus_undefined = port_cpus_undefined,
    .cpu_configure = port_cpu_configure,
    .cpu_type = port_cpu_type,
    .storage_changed = port_storage_changed,
};

/* ---- console input ---- */

static bool console_has_room(struct vm *vm)
{
    return vm->console_dev ? con3215_room(vm->console_dev) : sclp_room(vm->sclp);
}

/* When there is none, port_console_room tells of it later. */
static bool console_room(struct vm *vm)
{
    if (console_has_room(vm))
        return true;
    atomic_store(&vm->typed_waits, true);
    return console_has_room(vm); /* the guest has taken something meanwhile */
}

int vm_console_line(struct vm *vm, const char *text, size_t len)
{
    if (!console_room(vm))
        return ST_LIMIT;
    if (vm->console_dev)
        return con3215_input(vm->console_dev, text, len);
    if (vm->last_console != IO_CONSOLE_VT220)
        return ebcdic_count_utf8(text, len) > SCLP_LINE_CHARS_MAX
                   ? ST_INVAL
                   : sclp_console_input(vm->sclp, text, len, false);
    int rc = sclp_console_input(vm->sclp, text, len, true);
    return rc ? rc : sclp_console_input(vm->sclp, "\r", 1, true);
}

int vm_console_bytes(struct vm *vm, const char *text, size_t len)
{
    return sclp_console_input(vm->sclp, text, len, true);
}

bool vm_console_reading(struct vm *vm)
{
    return vm->console_dev && con3215_reading(vm->console_dev);
}

void vm_console_poll_input(struct vm *vm)
{
    char line[CONSOLE_INPUT_BYTES_MAX + 1];
    int n;
    while (!vm->dead && !vm->quiesced && console_room(vm) &&
           (n = console_input_take(vm->config.console, line, sizeof line)) >= 0)
        vm_console_line(vm, line, (size_t)n);
}

static void console_feed(void *arg)
{
    struct vm *vm = arg;
    vm_console_poll_input(vm);
    vm_note_done(vm);
}

static void console_notify(void *ctx)
{
    struct vm *vm = ctx;
    atomic_fetch_add(&vm->notes, 1);
    vm->host->ports.post(vm->host->ports.ctx, console_feed, vm);
}

int vm_signal_quiesce(struct vm *vm)
{
    int rc = sclp_signal_quiesce(vm->sclp);
    if (rc == ST_OK)
        vm->shutdown_signalled = true;
    return rc;
}

/* ---- creation ---- */

int vm_console_create(struct vm *vm, bool announce, struct cause *cause)
{
    const struct vm_config *k = &vm->config;
    if (k->console_3270)
        vm->console_display = con3270_create(vm->css, k->console_vdev, announce, cause);
    else
        vm->console_dev = con3215_create(vm->css, k->console_vdev, announce, cause);
    if (vm->console_dev)
        con3215_autocr(vm->console_dev, vm->autocr);
    return vm->console_display || vm->console_dev ? ST_OK : ST_NOMEM;
}

int vm_console_mode(struct vm *vm, bool display, struct cause *cause)
{
    if (!vm->config.console_vdev)
        return cause_set(cause, ST_NOENT, "%s has no virtual console", vm->config.name);
    if (vm->config.console_3270 == display)
        return ST_OK;
    vm_hold(vm); /* DIAGNOSE X'210' looks at it */
    int rc = css_detach(vm->css, vm->config.console_vdev, false, cause);
    if (rc == ST_OK) {
        vm->console_dev = NULL;
        vm->console_display = NULL;
        vm->config.console_3270 = display;
        rc = vm_console_create(vm, false, cause);
    }
    vm_release(vm);
    return rc;
}

struct con3270 *vm_console_display(struct vm *vm)
{
    return vm->console_display;
}

struct con3270 *vm_display(struct vm *vm, u16 devno)
{
    const struct dev_ops *ops;
    void *dev = css_find_device(vm->css, devno, &ops);
    return dev && !strcmp(ops->name, "3270") ? dev : NULL;
}

/* A reader of a host file: made with its first deck. */
static int deck_add(struct vm *vm, const struct vm_unitrec *row, struct cause *cause)
{
    const struct dev_ops *ops;
    struct reader *reader = css_find_device(vm->css, row->devno, &ops);
    if (!reader)
        reader = reader_create(vm->css, row->devno, false, cause);
    if (!reader)
        return cause->status;
    struct spool_data copy;
    int rc = ST_NOMEM;
    if (spool_data_load(&copy, row->deck.page, spool_data_bytes(&row->deck)))
        rc = reader_add(reader, &(struct reader_file){.class_ = 'A'}, &copy, NULL, cause);
    spool_data_fini(&copy);
    return rc;
}

static int unitrec_create(struct vm *vm, const struct vm_unitrec *row, struct cause *cause)
{
    switch (row->kind) {
    case VM_READER: return deck_add(vm, row, cause);
    case VM_PUNCH:
        return punch_create(vm->css, row->devno, false, unitrec_file_sink, row->file, cause);
    case VM_PRINTER:
        return printer_create(vm->css, row->devno, row->printer, false, unitrec_file_sink,
                              row->file, cause);
    }
    return ST_INVAL;
}

static int devices_create(struct vm *vm, struct cause *cause)
{
    const struct vm_config *k = &vm->config;
    if (k->console_vdev && vm_console_create(vm, false, cause))
        return ST_NOMEM;
    for (unsigned i = 0; i < VM_DISPLAYS_MAX; i++)
        if (k->display_vdev[i] && !con3270_create(vm->css, k->display_vdev[i], false, cause))
            return cause->status;
    int rc = ST_OK;
    for (unsigned i = 0; rc == ST_OK && i < VM_SPOOLED_MAX; i++)
        if (k->spooled[i].vdev)
            rc = vm_spooled_attach(vm, &k->spooled[i], false, cause);
    for (unsigned i = 0; rc == ST_OK && i < k->disks; i++)
        rc = dasd_create(vm->css, k->disk[i].devno, k->disk[i].image, false, cause);
    for (unsigned i = 0; rc == ST_OK && i < k->aliases; i++)
        rc = eckd_alias_create(vm->css, k->alias[i].devno, k->alias[i].base, false, cause);
    for (unsigned i = 0; rc == ST_OK && i < k->tapes; i++)
        if (!tape_create(vm->css, k->tape[i].devno, k->tape[i].type, k->tape[i].loader, false,
                         cause))
            rc = cause->status;
    for (unsigned i = 0; rc == ST_OK && i < k->nets; i++)
        rc = osa_create(vm->css, &k->net[i].config, NULL, false, NULL, cause);
    for (unsigned i = 0; rc == ST_OK && i < k->ctcas; i++)
        rc = vm_ctca_attach(vm, k->ctca[i].devno, k->ctca[i].type, false, cause);
    for (unsigned i = 0; rc == ST_OK && i < k->unitrecs; i++)
        rc = unitrec_create(vm, &k->unitrec[i], cause);
    return rc;
}

static int cpus_create(struct vm *vm, struct cause *cause)
{
    int rc = storage_create_reach(&vm->st, vm->config.storage_bytes + vm->config.standby_bytes,
                                  vm->config.personality == VM_UNDER_CP ? VM_SEGMENT_REACH : 0,
                                  cause);
    if (rc)
        return rc;
    rc = cpu_set_create(&vm->cpus, vm->st, vm->config.model, vm->config.cpus, &cpu_port_table,
                        vm, cause);
    if (rc == ST_OK)
        rc = cpu_set_engine(vm->cpus, vm->config.engine, cause);
    if (rc == ST_OK && vm->config.count_bodies)
        rc = cpu_set_count_bodies(vm->cpus);
    if (rc)
        return rc;
    cpu_set_serial(vm->cpus,
                   vm->config.has_cpuid ? vm->config.cpuid : vm->host->config.cpu_serial);
    if (vm->config.personality == VM_LPAR)
        cpu_set_lpar(vm->cpus);
    cpu_set_facilities(vm->cpus, vm->arch.facilities);
    cpu_set_seen(vm->cpus, vm->arch.model);
    if (vm->arch_firm)
        cpu_set_firm(vm->cpus);
    for (unsigned i = 0; i < vm->config.cpus; i++)
        vcpu_init(vm, i);
    return vm_standby_check(vm->st, vm->config.storage_bytes, vm->config.standby_bytes, cause);
}

static int parts_create(struct vm *vm, struct cause *cause)
{
    int rc = cpus_create(vm, cause);
    if (rc)
        return rc;
    const struct vm_host_config *hc = &vm->host->config;
    unsigned threads =
        hc->io_threads ? hc->io_threads : io_worker_threads(sysconf(_SC_NPROCESSORS_ONLN));
    vm->worker = io_worker_create(hc->deterministic ? 0 : threads);
    if (!vm->worker)
        return cause_set(cause, ST_NOMEM, "no memory for %s", vm->config.name);
    vm->css = css_create(vm->st, &io_port_table, vm);
    struct sclp_config sc = {
        .storage_bytes = vm->config.storage_bytes,
        .standby_bytes = vm->config.standby_bytes,
        .cpus = vm->config.cpus,
        .cpus_max =
            vm->config.cpus_max > vm->config.cpus ? vm->config.cpus_max : vm->config.cpus,
        .line_mode = true,
        .esop = vm->arch.model->generation >= GEN_Z10,
        .vt220 = vm->config.personality == VM_LPAR,
        .code_page_500 = vm->config.personality == VM_LPAR,
        .css = vm->config.personality == VM_LPAR ? vm->css : NULL,
    };
    vm->sclp = sclp_create(vm->st, &io_port_table, vm, &sc);
    if (!vm->css || !vm->sclp)
        return cause_set(cause, ST_NOMEM, "no memory for the channel subsystem of %s",
                         vm->config.name);
    vm_standby_reset(vm);
    return devices_create(vm, cause);
}

static void parts_destroy(struct vm *vm)
{
    css_destroy(vm->css);
    io_worker_destroy(vm->worker);
    sclp_destroy(vm->sclp);
    cpu_set_destroy(vm->cpus);
    vm_early_end(vm);
    storage_unlock_all(vm->st, &vm->locks);
    storage_destroy(vm->st);
}

int vm_create(struct vm_host *host, const struct vm_config *config, struct vm **out,
              struct cause *cause)
{
    struct vm *vm = calloc(1, sizeof *vm);
    if (!vm)
        return cause_set(cause, ST_NOMEM, "no memory for %s", config->name);
    vm->host = host;
    block_io_init(&vm->block);
    vm->typed_waits = true; /* maybe in the machine that this one is restored from */
    vm->created_ns = host_clock_ns(CLOCK_MONOTONIC);
    vm->config = *config;
    if (!config->share.least.n)
        vm->config.share = SHARE_DEFAULT;
    arch_of(config->model, CP_LEVEL, &vm->arch);
    int rc = parts_create(vm, cause);
    if (rc) {
        spool_readers_end(host->spool, vm->config.name, false);
        parts_destroy(vm);
        vm_spool_end(vm);
        block_io_fini(&vm->block);
        free(vm);
        return rc;
    }
    dispatch_join(vm);
    if (config->console)
        console_set_input_notify(config->console, console_notify, vm);
    *out = vm;
    return ST_OK;
}

void vm_note_done(struct vm *vm)
{
    if (atomic_fetch_sub(&vm->notes, 1) == 1 && vm->dead)
        free(vm);
}

void vm_destroy(struct vm *vm)
{
    if (!vm)
        return;
    vm_still_stop(vm);
    if (vm->config.console)
        console_set_input_notify(vm->config.console, NULL, NULL);
    vm_hold(vm);
    iucv_end(vm);
    storage_source_alone(vm->st); /* it tells CPUs; devices may still need what has not come */
    dispatch_forget(vm);
    spool_readers_end(vm->host->spool, vm->config.name, vm->quiesced);
    vm_settle_blocks(vm);
    css_quiesce(vm->css);
    vm_segments_purge(vm);
    parts_destroy(vm);
    block_io_fini(&vm->block);
    vmcf_end(vm);
    vm_spool_end(vm);
    free(vm->tracing);
    vm->dead = true;
    atomic_fetch_add(&vm->notes, 1);
    vm_note_done(vm);
}

/* ---- looking at a machine ---- */

const char *vm_name(const struct vm *vm)
{
    return vm->config.name;
}

struct vm_host *vm_host_of(const struct vm *vm)
{
    return vm->host;
}

const struct vm_config *vm_configuration(const struct vm *vm)
{
    return &vm->config;
}

struct storage *vm_storage(struct vm *vm)
{
    return vm->st;
}

void vm_storage_go(struct vm *vm)
{
    storage_source_go(vm->st, pfault_came, vm);
}

void vm_bodies(const struct vm *vm, cpu_bodies_cb *cb, void *ctx)
{
    cpu_set_bodies(vm->cpus, cb, ctx);
}

struct cpu_set *vm_cpus(struct vm *vm)
{
    return vm->cpus;
}

u64 vm_instructions(const struct vm *vm)
{
    u64 sum = 0;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        sum += cpu_instructions(vm->vcpu[i].cpu);
    return sum;
}

u64 vm_resident_bytes(const struct vm *vm)
{
    unsigned char in_core[PAGE_VECTOR_MAX];
    u64 pages = 0;
    for (u64 at = 0; at < vm->st->size; at += (u64)PAGE_VECTOR_MAX * FRAME_BYTES) {
        at = storage_frame_next(vm->st, at >> FRAME_SHIFT) << FRAME_SHIFT;
        if (at == vm->st->size)
            break;
        u64 n = vm->st->size - at;
        if (n > (u64)PAGE_VECTOR_MAX * FRAME_BYTES)
            n = (u64)PAGE_VECTOR_MAX * FRAME_BYTES;
        if (mincore(vm->st->base + at, n, in_core))
            continue;
        for (u64 i = 0; i < n / FRAME_BYTES; i++)
            pages += in_core[i] & 1;
    }
    return pages * FRAME_BYTES;
}

void vm_times(const struct vm *vm, u64 *virt_ns, u64 *total_ns)
{
    *virt_ns = *total_ns = 0;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        *virt_ns += atomic_load(&vm->vcpu[i].virt_ns);
        *total_ns += atomic_load(&vm->vcpu[i].total_ns);
    }
}

enum vm_state vcpu_state(const struct vcpu *v)
{
    if (cpu_stopped(v->cpu))
        return v->vm->ipled ? VM_STOPPED : VM_CP_WAIT;
    enum cpu_exit last_exit;
    if (dispatch_idle(v, &last_exit)) {
        switch (last_exit) {
        case CPU_EXIT_WAIT: return VM_ENABLED_WAIT;
        case CPU_EXIT_DISABLED_WAIT:
        case CPU_EXIT_PGM_LOOP:
        case CPU_EXIT_EXT_LOOP: return VM_DISABLED_WAIT;
        case CPU_EXIT_CHECK_STOP: return VM_CHECKSTOP;
        default: break;
        }
    }
    return VM_RUNNING;
}

enum vm_state vm_state(struct vm *vm)
{
    static const u8 rank[] = {[VM_RUNNING] = 6,   [VM_ENABLED_WAIT] = 5, [VM_DISABLED_WAIT] = 4,
                              [VM_CHECKSTOP] = 3, [VM_STOPPED] = 2,      [VM_CP_WAIT] = 1};
    enum vm_state best = VM_CP_WAIT;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        enum vm_state s = vcpu_state(&vm->vcpu[i]);
        if (rank[s] > rank[best])
            best = s;
    }
    return best;
}

/* ---- operator functions ---- */

static int each_cpu(struct vm *vm, int cpu, void (*fn)(struct vcpu *v))
{
    unsigned count = cpu_set_count(vm->cpus);
    if (cpu >= (int)count)
        return ST_NOENT;
    vm_hold(vm);
    for (unsigned i = 0; i < count; i++)
        if (cpu < 0 || i == (unsigned)cpu)
            fn(&vm->vcpu[i]);
    vm_release(vm);
    return ST_OK;
}

/* CPUs that CP has stopped; where nothing was IPLed the base CPU, with what its PSW says. */
static void begin_one(struct vcpu *v)
{
    struct vm *vm = v->vm;
    bool first = !vm->ipled && v == &vm->vcpu[0];
    if (cpu_stopped(v->cpu) && (first || (vm->ipled && v->parked)))
        cpu_start(v->cpu);
    vm->ipled |= first;
    v->parked = false;
    vcpu_wake(v);
}

static void stop_one(struct vcpu *v)
{
    if (!cpu_stopped(v->cpu)) {
        cpu_stop_now(v->cpu);
        v->parked = true;
    }
}

int vm_begin(struct vm *vm, int cpu)
{
    return each_cpu(vm, cpu, begin_one);
}

int vm_stop(struct vm *vm, int cpu)
{
    return each_cpu(vm, cpu, stop_one);
}

void vm_settle_blocks(struct vm *vm)
{
    block_io_settle(&vm->block, vm->worker, vm->host->config.deterministic);
}

void vm_reset_channels(struct vm *vm)
{
    vm_still_stop(vm);
    vm_settle_blocks(vm);
    block_io_reset(&vm->block);
    vmcf_end(vm);
    iucv_end(vm);
    css_reset(vm->css);
    vm_segments_purge(vm);
    sclp_reset(vm->sclp);
    storage_usage_reset(vm->st);
}

void vm_reset_ended(struct vm *vm)
{
    diag8_abandon(vm);
    vm->ipled = false;
    vm->shutdown_signalled = false;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        vm->vcpu[i].parked = false;
        pfault_set(&vm->vcpu[i], &(struct pfault){0});
        vm->vcpu[i].last_exit = CPU_EXIT_STOPPED;
    }
}

int vm_system_reset(struct vm *vm, bool clear)
{
    vm_hold(vm);
    vm_reset_channels(vm);
    cpu_set_reset(vm->cpus, clear);
    if (clear) {
        storage_unlock_all(vm->st, &vm->locks);
        storage_clear(vm->st);
        vm_standby_reset(vm);
    }
    vm_reset_ended(vm);
    vm_release(vm);
    return ST_OK;
}
