/* CP commands over a fake virtual machine layer and a cluster of two in one process: response
 * shapes, abbreviations, privilege classes, single logon, AT, time limits.
 * Run alone: make build/tests/unit/hyp_cmd_test && build/tests/unit/hyp_cmd_test */
#include <check.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp.h"

/* --- fake virtual machines ---------- */

struct vm {
    const struct dir_entry *entry;
    struct console *console;
    enum vm_state state;
    u64 gr[16], mask, addr, storage_bytes;
    u8 storage[4096];
    u8 cpus[8];
    unsigned cpu_count;
    unsigned ipls, attentions;
    struct vm_machine_check mcheck;
    u64 standby_bytes;
    bool listens;
};

static unsigned reader_files, vms_alive;
static char last_parm[64];

static int f_create(void *host, const struct dir_entry *entry, struct console *console,
                    struct vm **out, struct cause *cause)
{
    (void)host;
    (void)cause;
    struct vm *vm = calloc(1, sizeof *vm);
    vm->entry = entry;
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
    free(vm);
}

static int f_ipl(struct vm *vm, const struct vm_ipl *ipl, struct cause *cause)
{
    if (ipl->devno == 0xfff)
        return cause_set(cause, ST_NOENT, "no device");
    if (!reader_files)
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

static int f_signal(struct vm *vm, unsigned within_s, struct cause *cause)
{
    (void)within_s;
    return vm->listens ? ST_OK : cause_set(cause, ST_REFUSED, "deaf");
}

static void f_info(struct vm *vm, struct vm_info *out)
{
    *out = (struct vm_info){.state = vm->state,
                            .storage_bytes = vm->storage_bytes,
                            .storage_max_bytes = 2ull << 30,
                            .standby_bytes = vm->standby_bytes,
                            .increment_bytes = 1 << 20,
                            .cpu_count = vm->cpu_count,
                            .virt_ns = 90000000,
                            .total_ns = 140000000};
}

static bool f_cpu_info(struct vm *vm, unsigned i, struct vm_cpu_info *out)
{
    if (i >= vm->cpu_count)
        return false;
    *out = (struct vm_cpu_info){.addr = vm->cpus[i], .base = !i, .state = vm->state};
    return true;
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
    *out = (struct vm_device_row){.devno = 0xc, .klass = "RDR", .text = "CL * NOCONT NOHOLD"};
    return true;
}

static int f_define_storage(struct vm *vm, u64 bytes, u64 standby, struct cause *cause)
{
    (void)cause;
    vm->storage_bytes = bytes;
    vm->standby_bytes = standby;
    vm->state = VM_CP_WAIT;
    return ST_OK;
}

static int f_define_cpu(struct vm *vm, u8 addr, struct cause *cause)
{
    (void)cause;
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

static unsigned f_spool_count(void *host, const char *userid)
{
    (void)host;
    (void)userid;
    return reader_files;
}

static bool f_spool_file(void *host, const char *userid, unsigned i, struct vm_spool_file *out)
{
    (void)host;
    *out = (struct vm_spool_file){.id = (u16)(i + 1),
                                  .class_ = 'A',
                                  .device = "PUN",
                                  .records = 80,
                                  .copies = 1,
                                  .name = "KERNEL",
                                  .type = "IMG"};
    snprintf(out->origin, sizeof out->origin, "%.8s", userid);
    return i < reader_files;
}

static int last_keep, last_hold;

static int f_spool_purge(void *host, const char *userid, u16 id)
{
    (void)host;
    (void)userid;
    int n = id ? (id <= reader_files) : (int)reader_files;
    reader_files -= (unsigned)n;
    return n;
}

static int f_spool_change(void *host, const char *userid, int keep, int hold)
{
    (void)host;
    (void)userid;
    last_keep = keep;
    last_hold = hold;
    return (int)reader_files;
}

static void f_spool_close(void *host, const char *userid)
{
    (void)host;
    (void)userid;
}

static void f_spool_open(void *host, const char *userid)
{
    (void)host;
    (void)userid;
}

static const struct vm_ops fake_vm = {
    f_create,         f_destroy,      f_ipl,         f_system,        f_begin,
    f_stop,           f_attention,    f_external,    f_machine_check, f_signal,
    f_info,           f_cpu_info,     f_reg_get,     f_reg_put,       f_psw_get,
    f_psw_put,        f_prefix,       f_get,         f_put,           f_device_row,
    f_define_storage, f_define_cpu,   f_detach_cpu,  f_spool_count,   f_spool_file,
    f_spool_purge,    f_spool_change, f_spool_close, f_spool_open};

/* --- fake time and cluster ---------- */

struct timer {
    u64 id, at_ms;
    void (*fire)(void *arg);
    void *arg;
};

static struct timer timers[32];
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

static void pass_time(u64 ms)
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

static u64 wall_ns(void *ctx)
{
    (void)ctx;
    return 1456506802000000000ull + now_ms * 1000000; /* 02/26/16 17:13:22 */
}

static struct cp *cps[2];
static bool link_up, link_deaf;
static struct {
    char userid[9];
    int owner;
    u64 generation;
} claims[8];
static u64 generations;
static int shutdowns;

static int other(void *ctx)
{
    return 1 - (int)(intptr_t)ctx;
}

static const char *c_mode(void *ctx)
{
    (void)ctx;
    return "Stable";
}

static bool c_member(void *ctx, unsigned i, struct cp_cluster_member *out)
{
    memset(out, 0, sizeof *out);
    out->slot = i + 1;
    if (i < 2) {
        snprintf(out->name, sizeof out->name, "MEMBER%c", 'A' + i);
        strcpy(out->state, "Joined");
        out->pdr_heartbeat_ns = out->received_heartbeat_ns = wall_ns(NULL);
        out->local = (int)i == (int)(intptr_t)ctx;
        out->reachable = link_up;
    }
    return i < 3;
}

static int c_claim(void *ctx, const char *userid, u64 *generation,
                   char owner[CONFIG_NAME_BYTES], struct cause *cause)
{
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        if (claims[i].generation && !strcmp(claims[i].userid, userid)) {
            snprintf(owner, CONFIG_NAME_BYTES, "MEMBER%c", 'A' + claims[i].owner);
            return cause_set(cause, ST_EXIST, "owned");
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        if (claims[i].generation)
            continue;
        strcpy(claims[i].userid, userid);
        claims[i].owner = (int)(intptr_t)ctx;
        claims[i].generation = *generation = ++generations;
        return ST_OK;
    }
    return cause_set(cause, ST_LIMIT, "full");
}

static void c_release(void *ctx, const char *userid, u64 generation)
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(claims); i++)
        if (claims[i].generation == generation && !strcmp(claims[i].userid, userid))
            claims[i].generation = 0;
}

static bool c_locate(void *ctx, const char *userid, char member[CONFIG_NAME_BYTES])
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(claims); i++)
        if (claims[i].generation && !strcmp(claims[i].userid, userid)) {
            snprintf(member, CONFIG_NAME_BYTES, "MEMBER%c", 'A' + claims[i].owner);
            return true;
        }
    return false;
}

static void c_each(void *ctx, void (*fn)(void *arg, const char *userid, const char *member),
                   void *arg)
{
    char member[CONFIG_NAME_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(claims); i++)
        if (claims[i].generation && c_locate(ctx, claims[i].userid, member))
            fn(arg, claims[i].userid, member);
}

static int c_send(void *ctx, const char *member, u16 type, const void *data, size_t len)
{
    if (!link_up)
        return ST_LOST;
    ck_assert_str_eq(member, other(ctx) ? "MEMBERB" : "MEMBERA");
    if (!link_deaf)
        cp_remote_receive(cps[other(ctx)], other(ctx) ? "MEMBERA" : "MEMBERB", type, data, len);
    return ST_OK;
}

static const struct cp_cluster_ops fake_cluster = {.mode = c_mode,
                                                   .member = c_member,
                                                   .claim = c_claim,
                                                   .release = c_release,
                                                   .locate = c_locate,
                                                   .each = c_each,
                                                   .send = c_send};

/* --- the two members ---------- */

static const char users[] =
    "IDENTITY OPERATOR OPER 32M 64M ABCDEFG\n CONSOLE 9 3215\n"
    "USER LINUX1 SECRET 512M 2G G\n MACHINE ESA 4\n CPU 0\n IPL C PARM ro\n CONSOLE 9 3215 T\n"
    " COMMAND SET RUN ON\n COMMAND CP SLEEP 2 SEC\n COMMAND Q USERID\n XAUTOLOG GUEST\n"
    "USER GUEST PASS 64M 64M G\n CONSOLE 9 3215 T\nUSER NEVER NOLOG\n"
    "USER SHORT NOPASS\n COMMAND LOGOFF\n COMMAND Q TIME\n IPL C\n";

static struct system_config config[2];
static struct directory *dirs[2];
static struct cp_response resp;

static void note_shutdown(void *ctx, bool reipl)
{
    (void)ctx;
    shutdowns += reipl ? 100 : 1;
}

static void setup(void)
{
    struct cause cause;
    memset(timers, 0, sizeof timers);
    memset(claims, 0, sizeof claims);
    link_up = true;
    link_deaf = false;
    reader_files = 3;
    shutdowns = 0;
    now_ms = 0;
    for (int i = 0; i < 2; i++) {
        memset(&config[i], 0, sizeof config[i]);
        snprintf(config[i].member, 9, "MEMBER%c", 'A' + i);
        ck_assert_int_eq(config_parse_system(&config[i], "c",
                                             "SSI CLU PDR_VOLUME COM001 SLOT 1 MEMBERA SLOT 2 "
                                             "MEMBERB\nUSER_VOLUME_LIST COM001\n",
                                             &cause),
                         0);
        strcpy(config[i].features.operator_userid, "OPERATOR");
        config[i].features.shutdown_signal_s = 30;
        config[i].hardware.cpus = 2;
        config[i].hardware.main_bytes = 2ull << 30;
        config[i].hardware.model = cpu_model_find("z196");
        config[i].hardware.cpu_serial = 0xa0001;
        ck_assert_int_eq(directory_parse("d", users, config[i].member, &dirs[i], &cause), 0);
        const struct cp_ports ports = {.wall_ns = wall_ns,
                                       .timer_start = timer_start,
                                       .timer_cancel = timer_cancel,
                                       .shutdown = note_shutdown,
                                       .vm = &fake_vm};
        cps[i] = cp_create(&config[i], dirs[i], &ports);
        cp_set_cluster(cps[i], &fake_cluster, (void *)(intptr_t)i);
    }
    cp_response_init(&resp);
}

static void teardown(void)
{
    cp_response_fini(&resp);
    for (int i = 0; i < 2; i++) {
        cp_destroy(cps[i]);
        directory_free(dirs[i]);
    }
    ck_assert_uint_eq(vms_alive, 0);
}

/* Issue a command; its lines joined by |. */
static const char *on(int member, const char *userid, const char *command)
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

static const char *oper(const char *command)
{
    return on(0, "OPERATOR", command);
}

#define REFUSED(text, number, start)                                                           \
    do {                                                                                       \
        const char *t_ = (text);                                                               \
        ck_assert_msg(!strncmp(t_, start, strlen(start)), "got: %s", t_);                      \
        ck_assert_int_eq(resp.rc, number);                                                     \
        ck_assert_uint_eq(resp.message_count, 1);                                              \
        ck_assert_msg(!strncmp(resp.messages[0].id, start, strlen(resp.messages[0].id)), "%s", \
                      resp.messages[0].id);                                                    \
    } while (0)

static bool console_has(int member, const char *userid, const char *regex)
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

/* --- tests ---------- */

START_TEST(logon)
{
    REFUSED(on(0, "", "LOGON LINUX1 WRONG"), 50,
            "HCPLGA050E LOGON unsuccessful--incorrect userid and/or password");
    REFUSED(on(0, "", "LOGON NOBODY X"), 50, "HCPLGA050E LOGON unsuccessful--incorrect userid");
    REFUSED(on(0, "", "L NEVER NOLOG"), 50, "HCPLGA050E");
    REFUSED(on(0, "", "LOGON"), 20, "HCPLGA020E Userid missing or invalid");
    ck_assert_str_eq(on(0, "", "logon linux1 secret"),
                     "Endicott CP Version 0 Release 1.0, Service Level 0001 (64-bit)|"
                     "There is no logmsg data|FILES: 0003 RDR,   NO PRT,   NO PUN|"
                     "LOGON AT 17:13:22 UTC FRIDAY 02/26/16");
    ck_assert_int_eq(resp.rc, 0);
    struct cp_user *u = cp_user_find(cps[0], "LINUX1");
    ck_assert_uint_eq(cp_user_vm(u)->ipls, 1);
    ck_assert_str_eq(last_parm, "ro");
    ck_assert(!cp_user_cp_read(u));
    ck_assert(cp_user_claim(u) != 0);
    REFUSED(on(0, "", "LOGON LINUX1 SECRET"), 54, "HCPLGA054E Already logged on L0001");
    REFUSED(on(1, "", "LOGON LINUX1 SECRET"), 54, "HCPLGA054E Already logged on AT MEMBERA");
    ck_assert_str_eq(on(0, "LINUX1", "DISC"), "DISCONNECT AT 17:13:22 UTC FRIDAY 02/26/16");
    ck_assert_ptr_nonnull(strstr(on(0, "", "LOGON LINUX1 SECRET"), "|RECONNECTED AT 17:13:22"));
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[0], "LINUX1"))->ipls, 1);
    ck_assert_str_eq(on(0, "LINUX1", "LOGOFF"),
                     "CONNECT= 00:00:00 VIRTCPU= 000:00.09 TOTCPU= 000:00.14|"
                     "LOGOFF AT 17:13:22 UTC FRIDAY 02/26/16");
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    on(1, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[1], "LINUX1"))->ipls, 0);
}
END_TEST

START_TEST(identity_logs_on_everywhere)
{
    on(0, "", "LOGON OPERATOR OPER");
    ck_assert_int_eq(resp.rc, 0);
    on(1, "", "LOGON OPERATOR OPER");
    ck_assert_int_eq(resp.rc, 0);
}
END_TEST

START_TEST(commands_of_the_directory)
{
    on(0, "", "LOGON LINUX1 SECRET");
    ck_assert(console_has(0, "LINUX1", "^LINUX1   AT MEMBERA$"));
    pass_time(2000); /* SLEEP ends when nobody waits for it */
    on(0, "LINUX1", "LOGOFF");
    on(0, "", "LOGON LINUX1 SECRET");
    on(0, "LINUX1", "LOGOFF"); /* before SLEEP ends */
    pass_time(2000);
    on(0, "", "LOGON SHORT");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_ptr_null(cp_user_find(cps[0], "SHORT"));
    cp_poll_consoles(cps[0]);
}
END_TEST

START_TEST(classes_and_unknown_commands)
{
    on(0, "", "LOGON GUEST PASS");
    REFUSED(on(0, "GUEST", "FROB 1"), 1, "HCPCMD001E Unknown CP command: FROB");
    REFUSED(on(0, "GUEST", "FORCE LINUX1"), 1, "HCPCMD001E Unknown CP command: FORCE");
    REFUSED(on(0, "GUEST", "SHUTDOWN"), 1, "HCPCMD001E Unknown CP command: SHUTDOWN");
    REFUSED(on(0, "GUEST", "AT MEMBERB CMD SHUTDOWN"), 1, "HCPCMD001E Unknown CP command");
    REFUSED(on(0, "GUEST", "CP CP CP FORCE LINUX1"), 1, "HCPCMD001E Unknown CP command: FORCE");
    REFUSED(on(0, "GUEST", "QUERY SSI"), 3, "HCPCQV003E Invalid option - SSI");
    REFUSED(on(0, "GUEST", "QUERY FROB"), 3, "HCPCQV003E Invalid option - FROB");
    REFUSED(on(0, "GUEST", "QUERY"), 26, "HCPCMD026E Operand missing or invalid");
    REFUSED(on(0, "GUEST", "SET FROB ON"), 3, "HCPCSE003E Invalid option - FROB");
    REFUSED(on(0, "NOBODY", "QUERY NAMES"), 3, "HCPCQV003E");
    REFUSED(on(0, "NOBODY", "DISC"), 1, "HCPCMD001E");
    REFUSED(on(0, "GUEST", "TRACE I"), 99, "HCPCMD099E TRACE is not available yet");
    REFUSED(oper("BEGIN"), 45, "HCPCMD045E OPERATOR not logged on");
    ck_assert_str_eq(on(0, "GUEST", "   "), "");
    ck_assert_int_eq(resp.rc, 0);
}
END_TEST

START_TEST(abbreviations)
{
    static const struct {
        const char *word, *name;
        bool fits;
    } rows[] = {
        {"Q", "Query", true},          {"QUE", "Query", true},        {"QUERY", "Query", true},
        {"QX", "Query", false},        {"QUERYX", "Query", false},    {"LOG", "LOGOff", false},
        {"LOGO", "LOGOff", true},      {"logoff", "LOGOff", true},    {"", "Query", false},
        {"XAUTOLO", "XAUTOLOg", true}, {"XAUTOL", "XAUTOLOg", false}, {"FORC", "FORCE", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_msg(cp_abbrev(rows[i].word, rows[i].name) == rows[i].fits, "%s",
                      rows[i].word);
    on(0, "", "L GUEST PASS");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_str_eq(on(0, "GUEST", "q userid"), "GUEST    AT MEMBERA");
    ck_assert_str_eq(on(0, "GUEST", "q n"), "GUEST    - L0001");
    ck_assert_ptr_nonnull(strstr(on(0, "GUEST", "Q T"),
                                 "TIME IS 17:13:22 UTC FRIDAY 02/26/16|"
                                 "CONNECT= 00:00:00 VIRTCPU= 000:00.09"));
}
END_TEST

START_TEST(autolog_and_force)
{
    on(0, "", "LOGON OPERATOR OPER");
    ck_assert_str_eq(oper("XAUTOLOG LINUX1"), "Command accepted");
    ck_assert(console_has(0, "OPERATOR",
                          "^AUTO LOGON   \\*\\*\\*       LINUX1   USERS = 2 +BY "
                          "OPERATOR$"));
    REFUSED(oper("XAUTOLOG LINUX1"), 54, "HCPAUT054E LINUX1 already logged on DSC");
    REFUSED(on(1, "OPERATOR", "XAUTOLOG LINUX1"), 54,
            "HCPAUT054E LINUX1 already logged on "
            "MEMBERA");
    REFUSED(oper("XAUTOLOG NOBODY"), 53, "HCPAUT053E NOBODY not in CP directory");
    REFUSED(oper("XAUTOLOG NEVER"), 61, "HCPAUT061E");
    on(0, "", "LOGON GUEST PASS");
    REFUSED(on(0, "GUEST", "XAUTOLOG OPERATOR"), 61, "HCPAUT061E");
    ck_assert_str_eq(oper("Q NAMES"), "OPERATOR - L0001, LINUX1   - DSC  , GUEST    - L0002");
    ck_assert_str_eq(oper("Q LINUX1"), "LINUX1   - DSC");
    REFUSED(oper("Q NEVER"), 45, "HCPCQU045E NEVER not logged on");
    ck_assert_str_eq(oper("FORCE LINUX1"),
                     "USER DSC LOGOFF AS  LINUX1   USERS = 2    FORCED BY OPERATOR");
    REFUSED(oper("FORCE LINUX1"), 45, "HCPFOR045E LINUX1 not logged on");
    ck_assert_str_eq(on(0, "GUEST", "XAUTOLOG LINUX1"),
                     "Command accepted"); /* XAUTOLOG GUEST */
    reader_files = 0;
    oper("FORCE LINUX1");
    oper("XAUTOLOG LINUX1");
    ck_assert(console_has(0, "LINUX1", "^HCPIPL408E IPL failed--the reader is empty$"));
    ck_assert(cp_user_cp_read(cp_user_find(cps[0], "LINUX1")));
}
END_TEST

START_TEST(machine_commands)
{
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_str_eq(on(0, "LINUX1", "IPL 00C CLEAR PARM Root=/dev/ram0  x"),
                     "Storage cleared - system reset.");
    ck_assert_str_eq(last_parm, "Root=/dev/ram0  x");
    REFUSED(on(0, "LINUX1", "IPL FFF"), 40, "HCPQVD040E Device FFF does not exist");
    REFUSED(on(0, "LINUX1", "IPL"), 22, "HCPIPL022E");
    REFUSED(on(0, "LINUX1", "I CMS"), 440, "HCPIPL440E Named saved system CMS does not exist");
    REFUSED(on(0, "LINUX1", "I C FROB"), 3, "HCPCMD003E Invalid option - FROB");
    ck_assert_str_eq(on(0, "LINUX1", "SYSTEM CLEAR"), "Storage cleared - system reset.");
    ck_assert(cp_user_cp_read(cp_user_find(cps[0], "LINUX1")));
    ck_assert_str_eq(on(0, "LINUX1", "B"), "");
    ck_assert(!cp_user_cp_read(cp_user_find(cps[0], "LINUX1")));
    ck_assert_str_eq(on(0, "LINUX1", "STOP CPU ALL"), "");
    ck_assert_str_eq(on(0, "LINUX1", "DEF STOR 1G"), "STORAGE = 1G|Storage cleared - system "
                                                     "reset.");
    ck_assert_str_eq(on(0, "LINUX1", "Q V STOR"), "STORAGE = 1G");
    REFUSED(on(0, "LINUX1", "DEF STOR 3G"), 94, "HCPDST094E");
    ck_assert_str_eq(on(0, "LINUX1", "DEF STOR 1G STANDBY 512M"),
                     "STORAGE = 1G|Storage cleared - system reset.");
    ck_assert_str_eq(on(0, "LINUX1", "Q V STOR"),
                     "STORAGE = 1G  MAX = 2G  INC = 1M  STANDBY = 512M  RESERVED = 0");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G STANDBY 2G"), 94, "HCPDST094E");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G STANDBY"), 2, "HCPCMD002E");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G RESERVED 1G"), 99, "HCPCMD099E");
    ck_assert_str_eq(on(0, "LINUX1", "DEF STOR 1G STANDBY 0"),
                     "STORAGE = 1G|Storage cleared - system reset.");
    ck_assert_str_eq(on(0, "LINUX1", "DEFINE CPU 1-2"), "CPU 01 defined|CPU 02 defined");
    REFUSED(on(0, "LINUX1", "DEFINE CPU 1"), 1453, "HCPCPU1453E");
    ck_assert_str_eq(on(0, "LINUX1", "Q V CPUS"),
                     "CPU 00  ID  FF0A000128178000 (BASE) STOPPED CP   CPUAFF ON|"
                     "CPU 01  ID  FF1A000128178000 STOPPED CP   CPUAFF ON|"
                     "CPU 02  ID  FF2A000128178000 STOPPED CP   CPUAFF ON");
    REFUSED(on(0, "LINUX1", "DET CPU 0"), 1456,
            "HCPCPU1456E The base CPU 00 cannot be detached.");
    ck_assert_str_eq(on(0, "LINUX1", "DETACH CPU ALL"), "CPU 02 detached|CPU 01 detached");
    REFUSED(on(0, "LINUX1", "DET 260C"), 40, "HCPDTV040E Device 260C does not exist");
    REFUSED(on(0, "LINUX1", "Q V FFFF"), 40, "HCPQVD040E Device FFFF does not exist");
    ck_assert_str_eq(on(0, "LINUX1", "Q V 00C"), "RDR  000C CL * NOCONT NOHOLD");
    REFUSED(on(0, "LINUX1", "Q V OSA"), 40, "HCPQVD040E");
    on(0, "LINUX1", "ATTN");
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[0], "LINUX1"))->attentions, 1);
}
END_TEST

START_TEST(set_mcheck)
{
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    const struct vm_machine_check *m = &cp_user_vm(cp_user_find(cps[0], "LINUX1"))->mcheck;
    ck_assert_str_eq(on(0, "LINUX1", "SET MCHECK WARNING"), "");
    ck_assert_uint_eq(m->mcic, 1ull << 55);
    ck_assert_str_eq(on(0, "LINUX1", "SET MCH CPU 0 PROC AT 12345000"), "");
    ck_assert_uint_eq(m->mcic, 1ull << 62 | 1ull << 47 | 1ull << 39);
    ck_assert_uint_eq(m->failing_storage, 0x12345000);
    on(0, "LINUX1", "SET MCH REC AT 5000");
    ck_assert_uint_eq(m->mcic, 1ull << 61 | 1ull << 46 | 1ull << 39);
    on(0, "LINUX1", "SET MCH EXT CODE 800000");
    ck_assert_uint_eq(m->mcic, 1ull << 58 | 1ull << 37);
    ck_assert_uint_eq(m->external_damage, 0x800000);
    REFUSED(on(0, "LINUX1", "SET MCHECK"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "SET MCHECK FROB"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "SET MCHECK WARN AT 5"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "SET MCHECK SYS AT"), 2, "HCPCMD002E");
    REFUSED(on(0, "LINUX1", "SET MCHECK CPU 7 SYS"), 163, "HCPDIS163E CPU 07");
}
END_TEST

START_TEST(display_and_store)
{
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_str_eq(on(0, "LINUX1", "STORE G3 12345678 ABC"), "STORE COMPLETE");
    ck_assert_str_eq(on(0, "LINUX1", "D G3-4"), "GPR  3 =  0000000012345678  0000000000000ABC");
    on(0, "LINUX1", "D G");
    ck_assert_uint_eq(resp.line_count, 8);
    ck_assert_str_eq(on(0, "LINUX1", "D X1"), "ECR  1 =  0000000000000001");
    on(0, "LINUX1", "STORE PSW 07020001 80000000 00000000 00012340");
    ck_assert_str_eq(on(0, "LINUX1", "D PSW"), "PSW = 07020001 80000000 00000000 00012340");
    on(0, "LINUX1", "STORE PSW 5678");
    ck_assert_str_eq(on(0, "LINUX1", "D P"), "PSW = 07020001 80000000 00000000 00005678");
    ck_assert_str_eq(on(0, "LINUX1", "D PREFIX"), "PREFIX = 00002000");
    ck_assert_str_eq(on(0, "LINUX1", "STORE 100 C8C5D3D3 D6404040"), "STORE COMPLETE");
    ck_assert_str_eq(on(0, "LINUX1", "STORE S108 F1F2"), "STORE COMPLETE");
    ck_assert_str_eq(on(0, "LINUX1", "D 100.8"),
                     "V00000100  C8C5D3D3 D6404040 F1F20000 00000000  *HELLO   12......*");
    on(0, "LINUX1", "D R100-11F");
    ck_assert_uint_eq(resp.line_count, 2);
    ck_assert(resp.lines[1][0] == 'R');
    REFUSED(on(0, "LINUX1", "D 10000000"), 160, "HCPDIS160E");
    REFUSED(on(0, "LINUX1", "D QQ"), 4, "HCPDIS004E");
    REFUSED(on(0, "LINUX1", "D CPU 9 G"), 163, "HCPDIS163E");
    REFUSED(on(0, "LINUX1", "STORE G3"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "STORE G3 XYZ"), 4, "HCPDIS004E");
}
END_TEST

START_TEST(queries)
{
    on(0, "", "LOGON LINUX1 SECRET");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q CPLEVEL"), "|IPL at 02/26/16 17:13:22"));
    ck_assert_uint_eq(resp.line_count, 3);
    ck_assert_ptr_nonnull(
        strstr(on(0, "LINUX1", "Q SET"), "MSG ON , WNG ON , EMSG ON , ACNT OFF, RUN ON "));
    on(0, "LINUX1", "SET RUN OFF");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q SET"), "RUN OFF"));
    ck_assert_str_eq(on(0, "LINUX1", "Q FILES"), "FILES: 0003 RDR,   NO PRT,   NO PUN");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q RDR ALL"), "ORIGINID FILE CLASS RECORDS"));
    ck_assert_uint_eq(resp.line_count, 4);
    ck_assert_str_eq(on(0, "LINUX1", "CHANGE RDR ALL KEEP NOHOLD"), "0000003 FILES CHANGED");
    ck_assert(last_keep == 1 && last_hold == 0);
    on(0, "LINUX1", "CHANGE RDR ALL NONSENSE");
    ck_assert_int_eq(resp.rc, 2);
    ck_assert_str_eq(on(0, "LINUX1", "PURGE RDR ALL"), "0000003 FILES PURGED");
    ck_assert_str_eq(on(0, "LINUX1", "Q RDR"), "NO RDR FILES");
    ck_assert_str_eq(oper("Q PROC"), "PROCESSOR 00 MASTER CP|PROCESSOR 01 ALTERNATE CP");
    ck_assert_str_eq(oper("Q STOR"),
                     "STORAGE = 2G CONFIGURED = 2G INC = 1M STANDBY = 0  RESERVED = 0");
    ck_assert_str_eq(oper("Q SSI"),
                     "SSI Name: CLU|SSI Mode: Stable|Cross-System Timeouts: Enabled|"
                     "SSI Persistent Data Record (PDR) device: COM001 on 0000|"
                     "SLOT SYSTEMID STATE     PDR HEARTBEAT     RECEIVED HEARTBEAT|"
                     "   1 MEMBERA  Joined    02/26/16 17:13:22 02/26/16 17:13:22|"
                     "   2 MEMBERB  Joined    02/26/16 17:13:22 02/26/16 17:13:22|"
                     "   3 -------- Available");
    cp_set_cluster(cps[0], NULL, NULL);
    ck_assert_str_eq(oper("Q SSI"), "This system is not a member of an SSI cluster.");
    cp_set_cluster(cps[0], &fake_cluster, (void *)0);
    on(0, "LINUX1", "TERM MORE 50 10 HOLD OFF LINEND %");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q TERM"), "LINEND % "));
    REFUSED(on(0, "LINUX1", "TERM MORE X"), 2, "HCPCMD002E Invalid operand - X");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q PRIV"), "Currently: G"));
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "HELP QUERY SSI"), "QUERY SSI"));
    ck_assert_ptr_nonnull(
        strstr(on(0, "LINUX1", "HELP HCP045E"), "HCPCQU045E ... not logged on"));
    REFUSED(on(0, "LINUX1", "HELP FROB"), 1, "HCPHLP001E");
    ck_assert_ptr_null(strstr(on(0, "LINUX1", "COMMANDS"), "SHUTDOWN"));
    ck_assert_ptr_nonnull(strstr(oper("COMMANDS"), "SHUTDOWN"));
}
END_TEST

START_TEST(messages_cross_members)
{
    on(0, "", "LOGON OPERATOR OPER");
    on(1, "", "LOGON LINUX1 SECRET");
    ck_assert_str_eq(oper("MSG LINUX1 Hello  there"), "");
    ck_assert(console_has(1, "LINUX1", "^ 17:13:22  \\* MSG FROM OPERATOR: Hello  there$"));
    oper("WNG LINUX1 AT MEMBERB beware");
    ck_assert(console_has(1, "LINUX1", "\\* WNG FROM OPERATOR: beware$"));
    on(1, "LINUX1", "SET MSG OFF");
    REFUSED(oper("M LINUX1 again"), 57, "HCPMFS057E LINUX1 not receiving");
    REFUSED(oper("M GUEST x"), 45, "HCPMFS045E GUEST not logged on");
    REFUSED(oper("M LINUX1"), 20, "HCPMFS020E Message text missing");
    ck_assert_str_eq(on(1, "LINUX1", "M OP AT MEMBERA done"), "");
    ck_assert(console_has(0, "OPERATOR", "MSG FROM LINUX1  : done$"));
}
END_TEST

START_TEST(at_and_names_of_all)
{
    on(0, "", "LOGON OPERATOR OPER");
    on(1, "", "LOGON LINUX1 SECRET");
    ck_assert_str_eq(oper("AT MEMBERB CMD Q USERID"), "OPERATOR AT MEMBERB");
    ck_assert_str_eq(oper("AT MEMBERA CMD Q USERID"), "OPERATOR AT MEMBERA");
    ck_assert_str_eq(oper("Q NAMES"), "OPERATOR - L0001, LINUX1   - SSI  ");
    ck_assert_str_eq(oper("Q LINUX1"), "LINUX1   - SSI");
    ck_assert_str_eq(oper("Q NAMES AT MEMBERB"), "LINUX1   - L0001");
    ck_assert_str_eq(oper("Q NAMES AT ALL"),
                     "MEMBERA : OPERATOR - L0001|MEMBERB : LINUX1   - L0001");
    REFUSED(oper("AT MEMBERB CMD FROB"), 1, "HCPCMD001E Unknown CP command: FROB");
    REFUSED(oper("AT MEMBERX CMD Q T"), 1850, "HCPATC1850E MEMBERX is not a member");
    REFUSED(oper("AT MEMBERB CMD AT MEMBERA CMD Q T"), 1851, "HCPATC1851E");
    ck_assert_ptr_nonnull(strstr(oper("FORCE LINUX1"), "FORCED BY OPERATOR"));
    ck_assert_ptr_null(cp_user_find(cps[1], "LINUX1"));
}
END_TEST

static void count_done(struct cp_response *r, void *ctx)
{
    (void)r;
    ++*(int *)ctx;
}

START_TEST(silence_and_loss_end_requests)
{
    int done = 0;
    struct cp_response late;
    link_deaf = true;
    for (int round = 0; round < 2; round++) {
        cp_response_init(&late);
        late.done_cb = count_done;
        late.done_ctx = &done;
        ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "Q NAMES AT ALL", &late), CP_PENDING);
        ck_assert_int_eq(done, round);
        if (round)
            cp_remote_lost(cps[0], "MEMBERB");
        else
            pass_time(CP_REMOTE_TIMEOUT_MS);
        ck_assert_int_eq(done, round + 1);
        ck_assert_int_eq(late.rc, 1851);
        ck_assert_str_eq(late.messages[0].id, "HCPATC1851E");
        cp_response_fini(&late);
    }
    link_up = false;
    REFUSED(oper("AT MEMBERB CMD Q T"), 1850, "HCPATC1850E");
    static const u8 garbage[] = {0x80, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3};
    for (size_t n = 0; n <= sizeof garbage; n++)
        for (u16 type = 0; type < 4; type++)
            cp_remote_receive(cps[0], "MEMBERB", type, garbage, n);
}
END_TEST

START_TEST(deferred_and_registered)
{
    int done = 0;
    struct cp_response late;
    cp_response_init(&late);
    late.done_cb = count_done;
    late.done_ctx = &done;
    ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "SLEEP 5 SEC", &late), CP_PENDING);
    pass_time(4999);
    ck_assert_int_eq(done, 0);
    pass_time(1);
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(late.rc, 0);
    cp_response_fini(&late);
}
END_TEST

static int vmrelocate(struct cp_request *req, void *ctx)
{
    const char *a = cp_operand(req);
    ++*(int *)ctx;
    cp_line(req, "%s by %s rest %s", a ? a : "none", cp_request_userid(req),
            cp_operand_rest(req));
    return 1926;
}

START_TEST(registered_command)
{
    static const struct cp_cmd_row row = {"VMRELOcate", CP_CLASS('A'), "VMRELOCATE ..."};
    static const struct cp_cmd_row query = {"VMRELOcate", CP_CLASS_ANY, "..."};
    int calls = 0;
    ck_assert_int_eq(cp_register_command(cps[0], NULL, &row, vmrelocate, &calls), ST_OK);
    ck_assert_int_eq(cp_register_command(cps[0], NULL, &row, vmrelocate, &calls), ST_EXIST);
    ck_assert_int_eq(cp_register_command(cps[0], "QUERY", &query, vmrelocate, &calls), ST_OK);
    ck_assert_str_eq(oper("vmrelo move User x"), "MOVE by OPERATOR rest User x");
    ck_assert_int_eq(resp.rc, 1926);
    oper("Q VMRELO");
    ck_assert_int_eq(calls, 2);
    on(0, "", "LOGON GUEST PASS");
    REFUSED(on(0, "GUEST", "VMRELOCATE MOVE X"), 1, "HCPCMD001E");
    ck_assert_ptr_nonnull(strstr(oper("HELP VMRELO"), "class A"));
}
END_TEST

START_TEST(console_input_and_cp_read)
{
    char typed[32];
    on(0, "", "LOGON LINUX1 SECRET");
    struct cp_user *u = cp_user_find(cps[0], "LINUX1");
    ck_assert_int_eq(cp_console_input(cps[0], "LINUX1", "ls"), ST_OK);
    ck_assert_int_eq(console_input_take(cp_user_console(u), typed, sizeof typed), 2);
    cp_console_input(cps[0], "LINUX1", "#CP QUERY USERID#Q V STOR");
    ck_assert(console_has(0, "LINUX1", "^LINUX1   AT MEMBERA$"));
    ck_assert(console_has(0, "LINUX1", "^STORAGE = 512M$"));
    ck_assert_int_eq(console_input_take(cp_user_console(u), typed, sizeof typed), -1);
    cp_vm_event(cps[0], "LINUX1", VM_EVENT_DISABLED_WAIT, 0x0002000180000000, 0xdead);
    ck_assert(console_has(0, "LINUX1",
                          "^HCPGIR450W CP entered; disabled wait PSW 00020001 "
                          "80000000 00000000 0000DEAD$"));
    ck_assert(cp_user_cp_read(u));
    cp_console_input(cps[0], "LINUX1", "frob");
    ck_assert(console_has(0, "LINUX1", "^HCPCMD001E Unknown CP command: FROB$"));
    cp_console_input(cps[0], "LINUX1", "begin");
    ck_assert(!cp_user_cp_read(u));
    cp_console_input(cps[0], "LINUX1", "#cp logoff");
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    ck_assert_int_eq(cp_console_input(cps[0], "LINUX1", "x"), ST_NOENT);
}
END_TEST

START_TEST(signal_and_shutdown)
{
    on(0, "", "LOGON OPERATOR OPER");
    oper("XAUTOLOG LINUX1");
    REFUSED(oper("SIGNAL SHUTDOWN LINUX1"), 2112, "HCPSIG2112E");
    struct vm *vm = cp_user_vm(cp_user_find(cps[0], "LINUX1"));
    vm->listens = true;
    ck_assert_str_eq(oper("SIGNAL SHUTDOWN LINUX1 WITHIN 10"), "");
    REFUSED(oper("SIGNAL SHUTDOWN LINUX1"), 2115, "HCPSIG2115E");
    pass_time(10000);
    ck_assert(
        console_has(0, "OPERATOR", "^HCPSIG2114I User LINUX1 did not terminate within 10"));
    oper("SIGNAL SHUT LINUX1 WITHIN 10");
    cp_vm_event(cps[0], "LINUX1", VM_EVENT_SHUTDOWN_DONE, 0, 0);
    ck_assert(console_has(0, "OPERATOR",
                          "^HCPSIG2113I User LINUX1 has reported successful "
                          "termination$"));
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    oper("XAUTOLOG LINUX1");
    cp_user_vm(cp_user_find(cps[0], "LINUX1"))->listens = true;
    ck_assert_str_eq(oper("SHUTDOWN WITHIN 20"), "SYSTEM SHUTDOWN STARTED");
    pass_time(0);
    ck_assert_int_eq(shutdowns, 0);
    REFUSED(oper("XAUTOLOG GUEST"), 962, "HCPWRP962E");
    cp_vm_event(cps[0], "LINUX1", VM_EVENT_SHUTDOWN_DONE, 0, 0);
    pass_time(0);
    ck_assert_int_eq(shutdowns, 1);
    ck_assert_ptr_null(cp_user_next(cps[0], NULL));
}
END_TEST

START_TEST(session_moves)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause;
    struct cp_user *there;
    on(0, "", "LOGON LINUX1 SECRET");
    on(0, "LINUX1", "SET SMSG ON");
    struct cp_user *here = cp_user_find(cps[0], "LINUX1");
    console_write(cp_user_console(here), "guest# ", 7);
    codec_out_init(&out);
    cp_user_save(here, &out);
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(cp_user_arrive(cps[1], "LINUX1", &in, &there, &cause), ST_OK);
    ck_assert_ptr_null(cp_user_find(cps[1], "LINUX1")); /* not before the claim */
    REFUSED(on(1, "", "LOGON LINUX1 SECRET"), 54, "HCPLGA054E");
    claims[0].owner = 1;
    claims[0].generation = ++generations;
    cp_user_depart(here);
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    ck_assert(claims[0].generation != 0);
    cp_user_set_claim(there, claims[0].generation);
    ck_assert_ptr_eq(cp_user_find(cps[1], "LINUX1"), there);
    ck_assert(console_has(1, "LINUX1", "^LOGON AT 17:13:22"));
    ck_assert_ptr_nonnull(strstr(on(1, "LINUX1", "Q SET"), "SMSG ON "));
    in.failed = false;
    for (size_t cut = 0; cut < out.len; cut += 7) {
        struct cp_user *broken = NULL;
        codec_in_init(&in, out.data, cut);
        if (!cp_user_arrive(cps[0], "LINUX1", &in, &broken, &cause))
            cp_user_depart(broken);
    }
    codec_out_fini(&out);
    on(1, "LINUX1", "LOGOFF");
    ck_assert(claims[0].generation == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_cmd");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, logon);
    tcase_add_test(t, identity_logs_on_everywhere);
    tcase_add_test(t, commands_of_the_directory);
    tcase_add_test(t, classes_and_unknown_commands);
    tcase_add_test(t, abbreviations);
    tcase_add_test(t, autolog_and_force);
    tcase_add_test(t, machine_commands);
    tcase_add_test(t, set_mcheck);
    tcase_add_test(t, display_and_store);
    tcase_add_test(t, queries);
    tcase_add_test(t, messages_cross_members);
    tcase_add_test(t, at_and_names_of_all);
    tcase_add_test(t, silence_and_loss_end_requests);
    tcase_add_test(t, deferred_and_registered);
    tcase_add_test(t, registered_command);
    tcase_add_test(t, console_input_and_cp_read);
    tcase_add_test(t, signal_and_shutdown);
    tcase_add_test(t, session_moves);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
