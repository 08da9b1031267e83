/* The world of cp_world.h: what CP asks of machines, time and cluster, answered by fakes. */
#include "tests/lib/cp_world.h"
#include "tests/lib/cp_world_ctca.h"
#include "tests/lib/cp_world_net.h"
#include "tests/lib/cp_world_save.h"

#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/rdev/rdev.h"
#include "io/image/image.h"

/* --- fake virtual machines ---------- */

bool reader_empty;
static bool varied_off; /* processor 01 */
static unsigned slack_ms = VM_IDLE_SLACK_MS;
static unsigned vms_alive;
char last_parm[64];

static int f_create(void *host, const struct dir_entry *entry, struct console *console,
                    struct vm **out, struct cause *cause)
{
    (void)host;
    (void)cause;
    struct vm *vm = calloc(1, sizeof *vm);
    vm->entry = entry;
    for (unsigned i = 0; i < entry->spool_count; i++)
        spool_device_create(fake_spool, entry->userid,
                            entry->spools[i].kind == DIR_SPOOL_READER  ? SPOOL_DEV_RDR
                            : entry->spools[i].kind == DIR_SPOOL_PUNCH ? SPOOL_DEV_PUN
                                                                       : SPOOL_DEV_PRT,
                            entry->spools[i].vdev, entry->spools[i].classes[0]);
    vm->console = console;
    vm->storage_bytes = entry->storage_bytes;
    vm->cpu_count = 1;
    *out = vm;
    vms_alive++;
    return ST_OK;
}

static void f_destroy(struct vm *vm)
{
    vms_alive--;
    fake_still_stop(vm);
    fake_nics_end(vm);
    fake_ctcas_end(vm);
    while (vm->device_count)
        image_unref(vm->images[--vm->device_count]);
    spool_devices_end(fake_spool, vm->entry->userid, false);
    free(vm);
}

static int f_ipl(struct vm *vm, const struct vm_ipl *ipl, struct cause *cause)
{
    if (ipl->devno == 0xfff)
        return cause_set(cause, ST_NOENT, "no device");
    if (reader_empty)
        return cause_set(cause, ST_IO, "the reader is empty");
    snprintf(last_parm, sizeof last_parm, "%s", ipl->parm ? ipl->parm : "");
    vm->ipls++;
    vm->state = VM_RUNNING;
    return ST_OK;
}

static int f_system(struct vm *vm, enum vm_system what, struct cause *cause)
{
    (void)cause;
    vm->state = what == VM_SYSTEM_RESTART ? VM_RUNNING : VM_CP_WAIT;
    return ST_OK;
}

static int f_begin(struct vm *vm, int cpu)
{
    (void)cpu;
    vm->state = VM_RUNNING;
    return ST_OK;
}

static int f_stop(struct vm *vm, int cpu)
{
    (void)cpu;
    vm->state = VM_STOPPED;
    return ST_OK;
}

static int f_attention(struct vm *vm, u16 vdev, struct cause *cause)
{
    (void)vdev;
    (void)cause;
    vm->attentions++;
    return ST_OK;
}

static int f_conmode(struct vm *vm, bool display, struct cause *cause)
{
    (void)cause;
    vm->display = display;
    return ST_OK;
}

static void f_autocr(struct vm *vm, bool on)
{
    vm->autocr = on;
}

static bool f_conmode_display(struct vm *vm)
{
    return vm->display;
}

static int f_smsg(struct vm *vm, const char *from, const char *text)
{
    snprintf(vm->smsg, sizeof vm->smsg, "%s: %s", from, text);
    return vm->smsg_sent;
}

static int f_iucv_message(struct vm *vm, int kind, const char *from, const char *text)
{
    snprintf(vm->iucv, sizeof vm->iucv, "%d %s: %s", kind, from, text);
    return vm->iucv_sent;
}

static int f_external(struct vm *vm, u16 code, struct cause *cause)
{
    (void)vm;
    (void)code;
    (void)cause;
    return ST_OK;
}

static int f_machine_check(struct vm *vm, u8 cpu, const struct vm_machine_check *what)
{
    vm->mcheck = *what;
    return cpu < vm->cpu_count ? ST_OK : ST_NOENT;
}

static int f_path_event(struct vm *vm, u8 chpid, enum vm_path_event what)
{
    vm->path_event = what;
    return chpid == 0x20 ? ST_OK : ST_NOENT;
}

static int f_signal(struct vm *vm, unsigned within_s, struct cause *cause)
{
    (void)within_s;
    return vm->listens ? ST_OK : cause_set(cause, ST_REFUSED, "deaf");
}

static u64 locked_pages(const struct vm *vm)
{
    u64 n = 0;
    for (size_t i = 0; i < ARRAY_LEN(vm->locked); i++)
        n += (u64)__builtin_popcountll(vm->locked[i]);
    return n;
}

static void f_info(struct vm *vm, struct vm_info *out)
{
    *out = (struct vm_info){.state = vm->state,
                            .storage_bytes = vm->storage_bytes,
                            .storage_max_bytes = 2ull << 30,
                            .standby_bytes = vm->standby_bytes,
                            .reserved_bytes = vm->reserved_bytes,
                            .kept_bytes = vm->kept_bytes,
                            .locked_pages = locked_pages(vm),
                            .page_reads = vm->page_reads,
                            .increment_bytes = 1 << 20,
                            .cpu_count = vm->cpu_count,
                            .resident_bytes = 128 * 4096,
                            .virt_ns = 90000000,
                            .total_ns = 140000000};
}

static const struct arch *f_arch(const struct vm *vm)
{
    return &vm->arch;
}

static void f_set_arch(struct vm *vm, const struct arch *arch)
{
    vm->arch = *arch;
}

static bool f_cpu_info(struct vm *vm, unsigned i, struct vm_cpu_info *out)
{
    if (i >= vm->cpu_count)
        return false;
    *out = (struct vm_cpu_info){.addr = vm->cpus[i],
                                .type = vm->cpu_types[vm->cpus[i]],
                                .base = !i,
                                .serial = 0x0a0001,
                                .state = vm->state};
    return true;
}

static int f_set_tod(struct vm *vm, u64 delta)
{
    vm->epoch = delta;
    vm->resets++;
    return ST_OK;
}

static void f_tod(struct vm *vm, u64 *system, u64 *own)
{
    *system = 0xd000000000000000;
    *own = *system + vm->epoch;
}

static int f_reg_get(struct vm *vm, u8 cpu, enum vm_reg kind, unsigned n, u64 *value)
{
    *value = kind == VM_REG_GR ? vm->gr[n] : 0x1000u * cpu + n;
    return ST_OK;
}

static int f_reg_put(struct vm *vm, u8 cpu, enum vm_reg kind, unsigned n, u64 value)
{
    (void)cpu;
    if (kind == VM_REG_GR)
        vm->gr[n] = value;
    return ST_OK;
}

static int f_psw_get(struct vm *vm, u8 cpu, u64 *mask, u64 *addr)
{
    (void)cpu;
    *mask = vm->mask;
    *addr = vm->addr;
    return ST_OK;
}

static int f_psw_put(struct vm *vm, u8 cpu, u64 mask, u64 addr)
{
    (void)cpu;
    vm->mask = mask;
    vm->addr = addr;
    return ST_OK;
}

static int f_prefix(struct vm *vm, u8 cpu, u64 *prefix)
{
    (void)vm;
    (void)cpu;
    *prefix = 0x2000;
    return ST_OK;
}

/* X'06' below 8 KiB, X'F0' above. */
static int f_key(struct vm *vm, u8 cpu, u64 real, u8 *key)
{
    (void)cpu;
    *key = real < 0x2000 ? 0x06 : 0xf0;
    return real < vm->storage_bytes ? ST_OK : ST_LIMIT;
}

static int f_store_status(struct vm *vm, u8 cpu)
{
    (void)cpu;
    memset(vm->storage + 0x400, 0x5a, 512);
    return ST_OK;
}

static int f_get(struct vm *vm, u8 cpu, enum vm_space space, u64 addr, void *out, size_t len)
{
    (void)cpu;
    (void)space;
    if (addr + len > sizeof vm->storage)
        return ST_LIMIT;
    memcpy(out, vm->storage + addr, len);
    return ST_OK;
}

static int f_put(struct vm *vm, u8 cpu, enum vm_space space, u64 addr, const void *in,
                 size_t len)
{
    (void)cpu;
    (void)space;
    if (addr + len > sizeof vm->storage)
        return ST_LIMIT;
    memcpy(vm->storage + addr, in, len);
    return ST_OK;
}

static bool f_device_row(struct vm *vm, unsigned i, struct vm_device_row *out)
{
    (void)vm;
    if (i)
        return false;
    *out = (struct vm_device_row){
        .devno = 0xc, .unit = VM_UNIT_READER, .klass = "RDR", .text = "CL * NOCONT NOHOLD"};
    return true;
}

static int f_disk_attach(struct vm *vm, u16 vdev, struct image *img, bool announce,
                         struct cause *cause)
{
    (void)announce;
    for (unsigned i = 0; i < vm->device_count; i++)
        if (vm->devices[i] == vdev)
            return cause_set(cause, ST_EXIST, "device %04X exists", vdev);
    vm->images[vm->device_count] = img ? image_ref(img) : NULL;
    vm->devices[vm->device_count++] = vdev;
    return ST_OK;
}

static int f_tape_attach(struct vm *vm, u16 vdev, u16 type, struct tape_loader *loader,
                         bool announce, struct cause *cause)
{
    (void)type;
    (void)loader;
    return f_disk_attach(vm, vdev, NULL, announce, cause);
}

static int f_unit_attach(struct vm *vm, enum vm_unit unit, u16 vdev, bool announce,
                         struct cause *cause)
{
    (void)unit;
    return f_disk_attach(vm, vdev, NULL, announce, cause);
}

static int f_device_detach(struct vm *vm, u16 vdev, bool announce, struct cause *cause)
{
    (void)announce;
    fake_nic_detach(vm, vdev);
    fake_ctca_detach(vm, vdev);
    for (unsigned i = 0; i < vm->device_count; i++) {
        if (vm->devices[i] != vdev)
            continue;
        image_unref(vm->images[i]);
        vm->device_count--;
        vm->devices[i] = vm->devices[vm->device_count];
        vm->images[i] = vm->images[vm->device_count];
        return ST_OK;
    }
    return cause_set(cause, ST_NOENT, "device %04X does not exist", vdev);
}

static int f_device_reset(struct vm *vm, u16 vdev, struct cause *cause)
{
    for (unsigned i = 0; i < vm->device_count; i++)
        if (vm->devices[i] == vdev)
            return vm->device_resets++, ST_OK;
    return cause_set(cause, ST_NOENT, "device %04X does not exist", vdev);
}

static int f_device_end(struct vm *vm, u16 vdev, struct cause *cause)
{
    for (unsigned i = 0; i < vm->device_count; i++)
        if (vm->devices[i] == vdev)
            return vm->device_ends++, ST_OK;
    return cause_set(cause, ST_NOENT, "device %04X does not exist", vdev);
}

static int f_subchannel(struct vm *vm, u16 vdev)
{
    for (unsigned i = 0; i < vm->device_count; i++)
        if (vm->devices[i] == vdev)
            return (int)i;
    return -1;
}

static bool f_device_halt(struct vm *vm, u16 vdev)
{
    if (vdev != vm->busy)
        return false;
    vm->busy = 0;
    return true;
}

static bool f_device_busy(struct vm *vm, u16 vdev)
{
    return vdev == vm->busy;
}

static int f_define_storage(struct vm *vm, const struct vm_sizes *sizes, struct cause *cause)
{
    (void)cause;
    vm->storage_bytes = sizes->storage;
    vm->standby_bytes = sizes->standby;
    vm->reserved_bytes = sizes->reserved;
    vm->state = VM_CP_WAIT;
    return ST_OK;
}

static int f_reserve(struct vm *vm, u64 bytes, struct cause *cause)
{
    if (bytes > vm->storage_bytes)
        return cause_set(cause, ST_LIMIT, "too much");
    vm->kept_bytes = bytes;
    return ST_OK;
}

/* Pages beyond 511 are more than this host lets anybody lock. */
static int f_lock_pages(struct vm *vm, u64 first, u64 pages, bool on, struct cause *cause)
{
    if (first + pages > 64 * ARRAY_LEN(vm->locked))
        return cause_set(cause, ST_LIMIT, "too much");
    for (u64 p = first; p < first + pages; p++)
        vm->locked[p / 64] =
            on ? vm->locked[p / 64] | 1ull << p % 64 : vm->locked[p / 64] & ~(1ull << p % 64);
    return ST_OK;
}

u64 host_page_reads;

static u64 f_page_reads(void *host)
{
    (void)host;
    return host_page_reads;
}

static int f_define_cpu(struct vm *vm, u8 addr, u8 type, struct cause *cause)
{
    (void)cause;
    vm->cpu_types[addr] = type;
    vm->cpus[vm->cpu_count++] = addr;
    return ST_OK;
}

static int f_detach_cpu(struct vm *vm, u8 addr, struct cause *cause)
{
    (void)addr;
    (void)cause;
    vm->cpu_count--;
    return ST_OK;
}

static bool f_processor(void *host, unsigned i, struct vm_processor_info *out)
{
    (void)host;
    *out = (struct vm_processor_info){
        .addr = i, .type = i == 2 ? 3 : 0, .online = i != 1 || !varied_off, .dedicated = ""};
    out->load = i ? 0 : 1;
    return i < 3;
}

static int f_vary(void *host, unsigned processor, bool online, struct cause *cause)
{
    (void)host;
    if (processor != 1)
        return cause_set(cause, ST_REFUSED, "no");
    varied_off = !online;
    return ST_OK;
}

static int f_dedicate(struct vm *vm, u8 cpu, bool on, struct cause *cause)
{
    if (cpu >= vm->cpu_count)
        return cause_set(cause, ST_NOENT, "no CPU");
    vm->dedicated = on;
    return ST_OK;
}

static void f_share(struct vm *vm, const struct share *share)
{
    vm->share = *share;
}

static void f_slack(void *host, unsigned ms)
{
    (void)host;
    slack_ms = ms;
}

static unsigned f_slack_ms(void *host)
{
    (void)host;
    return slack_ms;
}

static void f_quickdsp(struct vm *vm, bool on)
{
    vm->quickdsp = on;
}

static void f_privclass(struct vm *vm, u32 classes)
{
    vm->privclass = classes;
}

static int f_tape_rewind(struct vm *vm, u16 vdev, struct cause *cause)
{
    for (unsigned i = 0; i < vm->device_count; i++)
        if (vm->devices[i] == vdev)
            return vm->rewinds++, ST_OK;
    return cause_set(cause, ST_NOENT, "device %04X does not exist", vdev);
}

static void post(void *ctx, void (*fn)(void *arg), void *arg);

/* The copy is made at once; its end is a note. */
struct fake_copy {
    vm_done *done;
    void *ctx;
    int status;
    struct cause cause;
};

static void copy_noted(void *arg)
{
    struct fake_copy *c = arg;
    c->done(c->ctx, c->status, &c->cause);
    free(c);
}

static int f_disk_copy(struct vm *vm, const struct vm_copy *what, vm_done *done, void *ctx,
                       struct cause *cause)
{
    struct fake_copy *c = calloc(1, sizeof *c);
    atomic_bool stop = false;
    (void)vm, (void)cause;
    *c = (struct fake_copy){.done = done, .ctx = ctx};
    c->status = image_copy_part(what->from, what->to, &what->part, &stop, &c->cause);
    post(NULL, copy_noted, c);
    return ST_OK;
}

static int f_trace(struct vm *vm, const struct vm_trap *traps, unsigned count)
{
    vm->traps = count;
    if (count)
        memcpy(vm->trap, traps, count * sizeof *traps);
    return ST_OK;
}

static u64 f_trace_count(struct vm *vm, bool on)
{
    vm->counting = on;
    return 42;
}

struct spool *fake_spool;

static struct spool *f_spool(void *host)
{
    (void)host;
    return fake_spool;
}

static void spool_setup(void)
{
    struct spool_desc desc;
    struct spool_data data;
    fake_saves_forget();
    ck_assert_int_eq(spool_create(NULL, SPOOL_WARM, 0, &fake_spool, NULL), ST_OK);
    for (int i = 0; i < 3; i++) {
        spool_desc_init(&desc, "LINUX1", SPOOL_RDR);
        strcpy(desc.name, "KERNEL");
        strcpy(desc.type, "IMG");
        spool_data_init(&data);
        ck_assert(spool_data_add_cards(&data, "card", 4));
        ck_assert_int_eq(spool_add(fake_spool, &desc, &data, NULL, NULL), ST_OK);
    }
}

static const struct vm_ops fake_vm = {
    .create = f_create,
    .nic_attach = fake_nic_attach,
    .nic_couple = fake_nic_couple,
    .nic_rules = fake_nic_rules,
    .nic_info = fake_nic_info,
    .nic_address = fake_nic_address,
    .nic_ip = fake_nic_ip,
    .ctca_attach = fake_ctca_attach,
    .ctca = fake_ctca,
    .ctca_set_remote = fake_ctca_set_remote,
    .ctc_hub = fake_ctc_hub,
    .destroy = f_destroy,
    .ipl = f_ipl,
    .system = f_system,
    .begin = f_begin,
    .stop = f_stop,
    .attention = f_attention,
    .conmode = f_conmode,
    .conmode_display = f_conmode_display,
    .autocr = f_autocr,
    .external = f_external,
    .smsg = f_smsg,
    .iucv_message = f_iucv_message,
    .machine_check = f_machine_check,
    .path_event = f_path_event,
    .signal_shutdown = f_signal,
    .info = f_info,
    .cpu_info = f_cpu_info,
    .arch = f_arch,
    .set_arch = f_set_arch,
    .tod = f_tod,
    .set_tod = f_set_tod,
    .reg_get = f_reg_get,
    .reg_put = f_reg_put,
    .psw_get = f_psw_get,
    .psw_put = f_psw_put,
    .prefix_get = f_prefix,
    .storage_get = f_get,
    .storage_key = f_key,
    .store_status = f_store_status,
    .storage_put = f_put,
    .device_row = f_device_row,
    .disk_attach = f_disk_attach,
    .tape_attach = f_tape_attach,
    .unit_attach = f_unit_attach,
    .device_detach = f_device_detach,
    .device_reset = f_device_reset,
    .device_end = f_device_end,
    .device_halt = f_device_halt,
    .subchannel = f_subchannel,
    .device_busy = f_device_busy,
    .define_storage = f_define_storage,
    .reserve = f_reserve,
    .lock_pages = f_lock_pages,
    .page_reads = f_page_reads,
    .define_cpu = f_define_cpu,
    .detach_cpu = f_detach_cpu,
    .processor = f_processor,
    .vary = f_vary,
    .dedicate = f_dedicate,
    .share = f_share,
    .quickdsp = f_quickdsp,
    .privclass = f_privclass,
    .tape_rewind = f_tape_rewind,
    .disk_copy = f_disk_copy,
    .slack = f_slack,
    .slack_ms = f_slack_ms,
    .trace = f_trace,
    .trace_count = f_trace_count,
    .dump = fake_dump,
    .still_stop = fake_still_stop,
    .segment_define = fake_segment_define,
    .segment_save = fake_segment_save,
    .segment_find = fake_segment_find,
    .segment_defined = fake_segment_defined,
    .segment_forget = fake_segment_forget,
    .segment_row = fake_segment_row,
    .spool = f_spool,
};

/* --- fake time ---------- */

struct timer {
    u64 id, at_ms;
    void (*fire)(void *arg);
    void *arg;
};

static struct timer timers[640];
static u64 now_ms, last_timer;

static u64 timer_start(void *ctx, u64 delay, void (*fire)(void *arg), void *arg)
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
        if (timers[i].id)
            continue;
        timers[i] = (struct timer){++last_timer, now_ms + delay, fire, arg};
        return last_timer;
    }
    ck_abort();
}

static void timer_cancel(void *ctx, u64 id)
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(timers); i++)
        if (timers[i].id == id)
            timers[i].id = 0;
}

void pass_time(u64 ms)
{
    now_ms += ms;
    for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
        struct timer t = timers[i];
        if (!t.id || t.at_ms > now_ms)
            continue;
        timers[i].id = 0;
        t.fire(t.arg);
    }
}

/* Notes of other threads, in order. */
static struct {
    pthread_mutex_t lock;
    unsigned count;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } note[16];
} posted = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    pthread_mutex_lock(&posted.lock);
    ck_assert_uint_lt(posted.count, ARRAY_LEN(posted.note));
    posted.note[posted.count].fn = fn;
    posted.note[posted.count++].arg = arg;
    pthread_mutex_unlock(&posted.lock);
}

bool run_notes(void)
{
    pthread_mutex_lock(&posted.lock);
    bool any = posted.count;
    void (*fn)(void *arg) = posted.note[0].fn;
    void *arg = posted.note[0].arg;
    if (any)
        memmove(posted.note, posted.note + 1, --posted.count * sizeof posted.note[0]);
    pthread_mutex_unlock(&posted.lock);
    if (any)
        fn(arg);
    return any;
}

u64 cp_world_wall_ns(void *ctx)
{
    (void)ctx;
    return 1456506802000000000ull + now_ms * 1000000; /* 02/26/16 17:13:22 */
}

struct cp *cps[2];
bool link_up, link_deaf;
bool link_inactive;
const char *cluster_mode[2];
struct cp_world_claim claims[CP_WORLD_CLAIMS_MAX];
u64 generations;
int shutdowns;

/* --- the two members ---------- */

static const char users[] =
    "IDENTITY OPERATOR OPER 32M 64M ABCDEFG\n CONSOLE 9 3215\n"
    "USER LINUX1 SECRET 512M 2G G\n MACHINE ESA 4\n CPU 0\n IPL C PARM ro\n CONSOLE 9 3215 T\n"
    " COMMAND SET RUN ON\n COMMAND CP SLEEP 2 SEC\n COMMAND Q USERID\n XAUTOLOG GUEST\n"
    "USER GUEST PASS 64M 64M G\n CONSOLE 9 3215 T\n SPOOL C 2540 READER *\n SPOOL D 2540 PUNCH A\n"
    " SPOOL E 1403 A\nUSER NEVER NOLOG\n"
    "USER SHORT NOPASS\n COMMAND LOGOFF\n COMMAND Q TIME\n IPL C\n";

const char *cp_world_folder = "";
const char *cp_world_users = "", *cp_world_devices = "", *cp_world_config = "";
static struct rdevs *rdevs[2];
static struct system_config config[2];
static struct config_domain_list defined_domains[2];
static struct directory *dirs[2];
struct cp_response resp;

static void note_shutdown(void *ctx, bool reipl)
{
    (void)ctx;
    shutdowns += reipl ? 100 : 1;
}

/* The directory and the devices of member i. */
static void files_setup(int i)
{
    struct cause cause;
    char text[4096];
    snprintf(text, sizeof text, "%s%s", users, cp_world_users);
    ck_assert_msg(directory_parse("d", text, config[i].member, &dirs[i], &cause) == ST_OK, "%s",
                  cause.text);
    snprintf(text, sizeof text, "CPUMODEL z196\nMAINSIZE 2G\nNUMCPU 2\nCPUSERIAL 0A0001\n%s",
             cp_world_devices);
    strcpy(config[i].hardware.path, "h");
    ck_assert_msg(config_parse_hardware(&config[i].hardware, "h", text, &cause) == ST_OK, "%s",
                  cause.text);
    ck_assert_msg(rdevs_create(&config[i], &rdevs[i], &cause) == ST_OK, "%s", cause.text);
}

void cp_world_setup(void)
{
    struct cause cause;
    memset(timers, 0, sizeof timers);
    memset(claims, 0, sizeof claims);
    fake_macs_setup();
    fake_ctcas_setup();
    link_up = true;
    cluster_mode[0] = cluster_mode[1] = "Stable";
    link_deaf = link_inactive = false;
    reader_empty = false;
    varied_off = false;
    slack_ms = VM_IDLE_SLACK_MS;
    spool_setup();
    shutdowns = 0;
    now_ms = 0;
    for (int i = 0; i < 2; i++) {
        memset(&config[i], 0, sizeof config[i]);
        config_features_default(&config[i].features);
        snprintf(config[i].dir, sizeof config[i].dir, "%s", cp_world_folder);
        snprintf(config[i].member, 9, "MEMBER%c", 'A' + i);
        char text[1024];
        snprintf(text, sizeof text,
                 "SSI CLU PDR_VOLUME COM001 SLOT 1 MEMBERA SLOT 2 MEMBERB\n"
                 "USER_VOLUME_LIST COM001 VOL001 FBA001\n%s",
                 cp_world_config);
        ck_assert_msg(config_parse_system(&config[i], "c", text, &cause) == 0, "%s",
                      cause.text);
        memset(&defined_domains[i], 0, sizeof defined_domains[i]);
        config[i].defined_domains = &defined_domains[i];
        files_setup(i);
        const struct cp_ports ports = {.wall_ns = cp_world_wall_ns,
                                       .timer_start = timer_start,
                                       .timer_cancel = timer_cancel,
                                       .post = post,
                                       .shutdown = note_shutdown,
                                       .vm = &fake_vm,
                                       .rdevs = rdevs[i]};
        cps[i] = cp_create(&config[i], dirs[i], &ports);
        cp_set_cluster(cps[i], &fake_cluster, (void *)(intptr_t)i);
    }
    cp_response_init(&resp);
}

void cp_world_teardown(void)
{
    cp_response_fini(&resp);
    for (int i = 0; i < 2; i++) {
        cp_destroy(cps[i]);
        while (run_notes())
            ;
        rdevs_destroy(rdevs[i]);
        directory_free(dirs[i]);
        free(config[i].hardware.devices);
    }
    spool_destroy(fake_spool);
    fake_ctcas_teardown();
    ck_assert_uint_eq(vms_alive, 0);
}

/* Issue a command; its lines joined by |. */
const char *on(int member, const char *userid, const char *command)
{
    static char text[16384];
    cp_response_fini(&resp);
    enum cp_status status = cp_command(cps[member], userid, command, &resp);
    ck_assert_msg(status == CP_DONE, "%s is pending", command);
    text[0] = 0;
    for (unsigned i = 0; i < resp.line_count; i++) {
        ck_assert_uint_lt(strlen(resp.lines[i]), 90);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "|" : "",
                 resp.lines[i]);
    }
    return text;
}

const char *oper(const char *command)
{
    return on(0, "OPERATOR", command);
}

bool console_has(int member, const char *userid, const char *regex)
{
    struct cp_user *u = cp_user_find(cps[member], userid);
    struct console_line line;
    regex_t r;
    bool hit = false;
    u64 cursor = 0;
    ck_assert_ptr_nonnull(u);
    ck_assert_int_eq(regcomp(&r, regex, REG_EXTENDED | REG_NOSUB), 0);
    while (!hit && console_read(cp_user_console(u), &cursor, &line))
        hit = !regexec(&r, line.text, 0, NULL, 0);
    regfree(&r);
    return hit;
}
