/* Commands that run, stop and shape one's own virtual machine: IPL, SYSTEM, BEGIN, STOP, ATTN,
 * EXTERNAL, DEFINE, DETACH. The console is in CP READ while the machine does not run. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_net.h"
#include "hyp/cpu_type.h"

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

static int ipl_options(struct cp_request *req, struct vm_ipl *ipl, char loadparm[9])
{
    const char *word;
    while ((word = cp_operand(req))) {
        if (cp_abbrev(word, "CLear")) {
            ipl->clear = true;
        } else if (!strcmp(word, "NOCLEAR")) {
            ipl->clear = false;
        } else if (cp_abbrev(word, "STOP")) {
            ipl->stop = true;
        } else if (cp_abbrev(word, "LOADParm")) {
            word = cp_operand(req);
            if (!word || strlen(word) > 8)
                return cp_fail(req, MSG_CMD002E, word ? word : "LOADPARM");
            strcpy(loadparm, word);
            ipl->loadparm = loadparm;
        } else if (cp_abbrev(word, "PARM")) {
            ipl->parm = cp_operand_rest(req);
            return *ipl->parm ? 0 : cp_fail(req, MSG_CMD026E);
        } else {
            return cp_fail(req, MSG_CMD003E, word);
        }
    }
    return 0;
}

/* IPL {vdev | name} [CLEAR] [STOP] [LOADPARM text] [PARM text] */
int cp_cmd_ipl(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    struct vm_ipl ipl = {0};
    struct cause cause;
    char loadparm[9], line[MSG_LINE_BYTES];
    u64 vdev;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_IPL022E);
    bool device = strlen(word) <= 4 && scan_hex(word, 0xffff, &vdev);
    if (!device && !cp_userid_ok(word))
        return cp_fail(req, MSG_IPL022E);
    ipl.is_name = !device;
    ipl.devno = device ? (u16)vdev : 0;
    ipl.name = word;
    int rc = ipl_options(req, &ipl, loadparm);
    if (rc)
        return rc;
    if (ipl.is_name && (rc = cp_ipl_system_check(user, &ipl, line)) != 0) {
        cp_line_text(req, line);
        return rc;
    }
    cp_notify_observers(user, CP_USER_RESET);
    int status = ops(req)->ipl(user->vm, &ipl, &cause);
    user->cp_read = status || ipl.stop;
    if (ipl.is_name)
        snprintf(user->iplsys, sizeof user->iplsys, "%s", ipl.name);
    else
        snprintf(user->iplsys, sizeof user->iplsys, "DEV %04X", ipl.devno);
    if (status == ST_NOENT)
        return cp_fail(req, MSG_QVD040E, word);
    if (status)
        return cp_fail(req, MSG_IPL408E, cause.text);
    if (ipl.clear)
        cp_line(req, "Storage cleared - system reset.");
    return 0;
}

/* SYSTEM {CLEAR | RESET | RESTART} */
int cp_cmd_system(struct cp_request *req, void *ctx)
{
    static const struct {
        const char *name, *done;
        enum vm_system what;
    } kinds[] = {{"CLEAR", "Storage cleared - system reset.", VM_SYSTEM_CLEAR},
                 {"RESET", "System reset.", VM_SYSTEM_RESET},
                 {"RESTART", NULL, VM_SYSTEM_RESTART}};
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    struct cause cause;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!cp_abbrev(word, kinds[i].name))
            continue;
        int rc = cp_no_more(req);
        if (rc)
            return rc;
        if (kinds[i].what != VM_SYSTEM_RESTART)
            cp_notify_observers(user, CP_USER_RESET);
        if (ops(req)->system(user->vm, kinds[i].what, &cause))
            return cp_fail(req, MSG_SYS416E, kinds[i].name, cause.text);
        user->cp_read = kinds[i].what != VM_SYSTEM_RESTART;
        if (kinds[i].done)
            cp_line(req, "%s", kinds[i].done);
        return 0;
    }
    return cp_fail(req, MSG_CMD002E, word);
}

static bool cpu_exists(struct cp_request *req, struct cp_user *user, u8 addr)
{
    struct vm_cpu_info info;
    for (unsigned i = 0; ops(req)->cpu_info(user->vm, i, &info); i++)
        if (info.addr == addr)
            return true;
    return false;
}

/* [CPU] {nn | ALL}; -1 = all. 0 or the number of a message. */
static int cpu_operand(struct cp_request *req, struct cp_user *user, int *cpu)
{
    const char *word = cp_operand(req);
    u64 addr;
    *cpu = cp_request_cpu(req);
    if (word && !strcmp(word, "CPU") && !(word = cp_operand(req)))
        return cp_fail(req, MSG_CMD026E);
    if (!word || !strcmp(word, "ALL"))
        return cp_no_more(req);
    if (!scan_hex(word, VM_CPUS_MAX - 1, &addr))
        return cp_fail(req, MSG_CMD002E, word);
    if (!cpu_exists(req, user, (u8)addr))
        return cp_fail(req, MSG_DIS163E, word);
    *cpu = (int)addr;
    return cp_no_more(req);
}

/* The machine of BEGIN and STOP, and which of its CPUs; NULL, and the return code in *rc. */
static struct cp_user *machine_and_cpu(struct cp_request *req, int *cpu, int *rc)
{
    struct cp_user *user = cp_own_machine(req);
    *rc = user ? cpu_operand(req, user, cpu) : msg_number(MSG_CMD045E);
    return *rc ? NULL : user;
}

/* BEGIN [CPU {nn | ALL}] */
int cp_cmd_begin(struct cp_request *req, void *ctx)
{
    int cpu, rc;
    (void)ctx;
    struct cp_user *user = machine_and_cpu(req, &cpu, &rc);
    if (!user)
        return rc;
    if (ops(req)->begin(user->vm, cpu))
        return cp_fail(req, MSG_SYS416E, "BEGIN", "no virtual CPU can run");
    user->cp_read = false;
    return 0;
}

/* STOP [CPU {nn | ALL}] */
int cp_cmd_stop(struct cp_request *req, void *ctx)
{
    int cpu, rc;
    (void)ctx;
    struct cp_user *user = machine_and_cpu(req, &cpu, &rc);
    if (!user)
        return rc;
    if (ops(req)->stop(user->vm, cpu))
        return cp_fail(req, MSG_SYS416E, "STOP", "no virtual CPU is there");
    struct vm_info info = {0};
    ops(req)->info(user->vm, &info);
    user->cp_read = info.state != VM_RUNNING && info.state != VM_ENABLED_WAIT;
    return 0;
}

/* ATTN, REQUEST */
int cp_cmd_attn(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    struct cause cause;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!user->entry->has_console)
        return cp_fail(req, MSG_QVD040E, "CONS");
    if (ops(req)->attention(user->vm, user->entry->console_vdev, &cause))
        return cp_fail(req, MSG_SYS416E, req->command, cause.text);
    return 0;
}

/* EXTERNAL [code] */
int cp_cmd_external(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    struct cause cause;
    u64 code = 0x40; /* interrupt key */
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (word && (!scan_hex(word, 0xffff, &code) || (code != 0x40 && code != 0x80)))
        return cp_fail(req, MSG_CMD002E, word);
    if (ops(req)->external(user->vm, (u16)code, &cause))
        return cp_fail(req, MSG_SYS416E, "EXTERNAL", cause.text);
    return 0;
}

/* [STANDBY size] [RESERVED size] */
static int size_operands(struct cp_request *req, struct vm_sizes *sizes)
{
    for (const char *word; (word = cp_operand(req)) != NULL;) {
        bool standby = cp_abbrev(word, "STANDBY");
        u64 *to = standby ? &sizes->standby : &sizes->reserved;
        if (!standby && !cp_abbrev(word, "RESERVED"))
            return cp_fail(req, MSG_CMD003E, word);
        word = cp_operand(req);
        if (!word || (strcmp(word, "0") && !scan_size(word, 0, to)))
            return cp_fail(req, MSG_CMD002E, word ? word : standby ? "STANDBY" : "RESERVED");
    }
    return 0;
}

static int define_storage(struct cp_request *req, struct cp_user *user)
{
    const char *word = cp_operand(req);
    char size[CP_TIME_TEXT_BYTES];
    struct cause cause;
    struct vm_sizes sizes = {0};
    if (!word || !scan_size(word, 0, &sizes.storage))
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    int rc = size_operands(req, &sizes);
    if (rc)
        return rc;
    const u64 max = user->entry->storage_max_bytes;
    if (sizes.storage > max || sizes.standby > max - sizes.storage ||
        sizes.reserved > max - sizes.storage - sizes.standby)
        return cp_fail(req, MSG_DST094E, "the maximum of the directory would be exceeded");
    if ((sizes.storage | sizes.standby | sizes.reserved) % (1 << 20))
        return cp_fail(req, MSG_DST094E, "the size must be a multiple of 1M");
    cp_notify_observers(user, CP_USER_RESET);
    if (ops(req)->define_storage(user->vm, &sizes, &cause))
        return cp_fail(req, MSG_DST094E, cause.text);
    user->cp_read = true;
    cp_line(req, "STORAGE = %s", cp_size_text(sizes.storage, size));
    cp_line(req, "Storage cleared - system reset.");
    return 0;
}

/* "nn" or "nn-nn" */
static bool cpu_range(const char *word, u64 *first, u64 *last)
{
    char a[8];
    const char *dash = word ? strchr(word, '-') : NULL;
    size_t n = dash ? (size_t)(dash - word) : word ? strlen(word) : 0;
    if (!n || n > 2)
        return false;
    memcpy(a, word, n);
    a[n] = 0;
    if (!scan_hex(a, VM_CPUS_MAX - 1, first))
        return false;
    *last = *first;
    return !dash || (scan_hex(dash + 1, VM_CPUS_MAX - 1, last) && *last >= *first);
}

/* [TYPE type] */
static bool cpu_type_operand(struct cp_request *req, u8 *type)
{
    const char *word = cp_operand(req);
    if (!word)
        return true;
    if (!strcmp(word, "TYPE") && (word = cp_operand(req)) && cpu_type_find(word, type) &&
        !(word = cp_operand(req)))
        return true;
    cp_fail(req, MSG_CMD003E, word ? word : "TYPE");
    return false;
}

/* {nn | nn-nn} ..., up to TYPE, as one bit each. */
static int cpu_list(struct cp_request *req, u64 *wanted)
{
    const char *word = cp_operand_peek(req);
    u64 first, last;
    if (!word || !strcmp(word, "TYPE"))
        return cp_fail(req, MSG_CMD026E);
    for (; word && strcmp(word, "TYPE"); word = cp_operand_peek(req)) {
        if (!cpu_range(cp_operand(req), &first, &last))
            return cp_fail(req, MSG_CMD002E, word);
        for (; first <= last; first++)
            *wanted |= 1ull << first;
    }
    return 0;
}

static int define_one(struct cp_request *req, struct cp_user *user, u8 addr, u8 type)
{
    struct cause cause;
    struct vm_info info = {0};
    char text[8];
    ops(req)->info(user->vm, &info);
    snprintf(text, sizeof text, "%02X", addr);
    if (cpu_exists(req, user, addr))
        return cp_fail(req, MSG_CPU1453E, text);
    if (info.cpu_count >= user->entry->cpus_max)
        return cp_fail(req, MSG_CPU1458E, "defined", "the directory allows no more CPUs");
    if (ops(req)->define_cpu(user->vm, addr, type, &cause))
        return cp_fail(req, MSG_CPU1458E, "defined", cause.text);
    cp_line(req, "CPU %s defined", text);
    return 0;
}

static int define_cpu(struct cp_request *req, struct cp_user *user)
{
    u64 wanted = 0;
    u8 type = 0;
    int rc = cpu_list(req, &wanted);
    if (rc)
        return rc;
    if (!cpu_type_operand(req, &type))
        return msg_number(MSG_CMD003E);
    for (u8 addr = 0; addr < VM_CPUS_MAX && !rc; addr++)
        if (wanted >> addr & 1)
            rc = define_one(req, user, addr, type);
    return rc;
}

/* DEFINE {STORAGE size [STANDBY size] [RESERVED size] | CPU {nn[-nn]} ... [TYPE type]} */
int cp_cmd_define(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (cp_abbrev(word, "RELODOMain") && req->classes & CP_CLASS('B'))
        return cp_define_relodomain(req);
    if (cp_abbrev(word, "CPOWned") && req->classes & CP_CLASS('B'))
        return cp_define_cpowned(req);
    if (cp_abbrev(word, "VSWitch") && req->classes & CP_CLASS('B'))
        return cp_define_vswitch(req);
    if (!strcmp(word, "LAN"))
        return cp_define_lan(req);
    if (!(req->classes & CP_CLASS('G')))
        return cp_fail(req, MSG_CMD003E, word);
    struct cp_user *user = cp_own_machine(req);
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!strcmp(word, "NIC"))
        return cp_define_nic(req, user);
    enum ctca_type type;
    if (ctca_type_named(word, &type))
        return cp_define_ctca(req, user, type);
    if (cp_abbrev(word, "STORage"))
        return define_storage(req, user);
    if (!strcmp(word, "CPU"))
        return define_cpu(req, user);
    return cp_define_device(req, word);
}

static int detach_one(struct cp_request *req, struct cp_user *user, u8 addr)
{
    struct cause cause;
    if (ops(req)->detach_cpu(user->vm, addr, &cause))
        return cp_fail(req, MSG_CPU1458E, "detached", cause.text);
    cp_line(req, "CPU %02X detached", addr);
    return 0;
}

static int detach_cpus(struct cp_request *req, struct cp_user *user)
{
    struct vm_cpu_info info;
    const char *word = cp_operand(req);
    bool all = word && !strcmp(word, "ALL"), found = false;
    unsigned detached = 0, base = 0;
    u64 first = 0, last = VM_CPUS_MAX - 1;
    if (!all && !cpu_range(word, &first, &last))
        return cp_fail(req, MSG_CMD002E, word ? word : "CPU");
    for (unsigned i = VM_CPUS_MAX; i-- > 0;) { /* from the end: indexes stay valid */
        if (!ops(req)->cpu_info(user->vm, i, &info) || info.addr < first || info.addr > last)
            continue;
        found = true;
        base = info.base ? info.addr : base;
        if (info.base && all)
            continue;
        if (info.base)
            return cp_fail(req, MSG_CPU1456E, info.addr);
        int rc = detach_one(req, user, info.addr);
        if (rc)
            return rc;
        detached++;
    }
    if (!found || !detached)
        return found ? cp_fail(req, MSG_CPU1456E, base) : cp_fail(req, MSG_CPU1453E, word);
    user->cp_read = true;
    cp_line(req, "Storage cleared - system reset.");
    return 0;
}

/* DETACH {CPU {nn[-nn] | ALL} | vdev | rdev FROM user} */
int cp_cmd_detach(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "CPU")) {
        struct cp_user *user = cp_own_machine(req);
        return user ? detach_cpus(req, user) : msg_number(MSG_CMD045E);
    }
    if (cp_abbrev(word, "VSWitch") && req->classes & CP_CLASS('B'))
        return cp_detach_vswitch(req);
    if (!strcmp(word, "LAN"))
        return cp_detach_lan(req);
    if (!strcmp(word, "NIC")) {
        struct cp_user *user = cp_own_machine(req);
        return user ? cp_detach_nic(req, user) : msg_number(MSG_CMD045E);
    }
    return cp_detach_device(req, word);
}

/* PURGE {READER | RDR | ALL} [ALL | spoolid ...] */
