/* Real processors: QUERY PROCESSORS, VARY PROCESSOR, DEDICATE, UNDEDICATE.
 * Sources: z/VM "CP Commands and Utilities Reference"; answers but those of QUERY PROCESSORS, and
 * the operands of DEDICATE, are from memory. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/cpu_type.h"

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

/* QUERY PROCESSORS [TOPOLOGY], QUERY CPUS: the processors are threads, side by side */
int cp_query_processors(struct cp_request *req, void *ctx)
{
    struct vm_processor_info p;
    const char *word = cp_operand(req);
    (void)ctx;
    if (word && !cp_abbrev(word, "TOPOlogy"))
        return cp_fail(req, MSG_CQV003E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (word)
        cp_line(req, "TOPOLOGY NESTING LEVEL: 01 ID: 01");
    for (unsigned i = 0; ops(req)->processor(req->cp->ports.vm_host, i, &p); i++) {
        const char *type = cpu_type_name(p.type);
        if (!p.online)
            cp_line(req, "PROCESSOR %02X STANDBY %s", p.addr, type);
        else if (*p.dedicated)
            cp_line(req, "PROCESSOR %02X DEDICATED %s TO %s CPU %02X", p.addr, type,
                    p.dedicated, p.dedicated_cpu);
        else
            cp_line(req, "PROCESSOR %02X %s %s", p.addr, i ? "ALTERNATE" : "MASTER", type);
    }
    return 0;
}

/* VARY {ONLINE | OFFLINE} PROCESSOR nn */
int cp_vary_processor(struct cp_request *req, bool online)
{
    const char *word = cp_operand(req);
    struct cause cause;
    u64 addr;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strlen(word) > 4 || !scan_hex(word, 0xffff, &addr))
        return cp_fail(req, MSG_CMD002E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (ops(req)->vary(req->cp->ports.vm_host, (unsigned)addr, online, &cause))
        return cp_fail(req, MSG_SYS416E, "VARY", cause.text);
    cp_line(req, "PROCESSOR %02X varied %s", (unsigned)addr, online ? "online" : "offline");
    return 0;
}

void cp_dedicate_logon(struct cp_user *user)
{
    const struct vm_ops *vm = user->cp->ports.vm;
    struct vm_cpu_info info;
    char text[MSG_LINE_BYTES];
    struct cause cause;
    for (unsigned i = 0; vm->cpu_info(user->vm, i, &info); i++) {
        if (directory_dedication(user->entry, info.addr) != DIR_DEDICATED ||
            vm->dedicate(user->vm, info.addr, true, &cause) == ST_OK)
            continue;
        msg_format(text, sizeof text, MSG_SYS416E, "DEDICATE", cause.text);
        cp_user_tell(user, "%s", text);
    }
}

static int dedicate_one(struct cp_request *req, struct cp_user *user, u8 cpu, bool on)
{
    struct cause cause;
    if (on && directory_dedication(user->entry, cpu) == DIR_NEVER_DEDICATED)
        return cp_fail(req, MSG_SYS416E, "DEDICATE", "the directory says NODEDICATE");
    if (ops(req)->dedicate(user->vm, cpu, on, &cause))
        return cp_fail(req, MSG_SYS416E, on ? "DEDICATE" : "UNDEDICATE", cause.text);
    cp_line(req, "CPU %02X of %s %s", cpu, user->userid, on ? "dedicated" : "undedicated");
    return 0;
}

/* [USER] userid [CPU] {ALL | nn ...} */
static int dedicate(struct cp_request *req, bool on)
{
    struct vm_cpu_info info;
    const char *word = cp_operand(req);
    if (word && !strcmp(word, "USER"))
        word = cp_operand(req);
    struct cp_user *user = word ? cp_user_find(req->cp, word) : NULL;
    if (!user)
        return word ? cp_fail(req, MSG_CQU045E, word) : cp_fail(req, MSG_CMD026E);
    word = cp_operand(req);
    if (word && !strcmp(word, "CPU"))
        word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    int rc = 0;
    if (!strcmp(word, "ALL")) {
        rc = cp_no_more(req);
        for (unsigned i = 0; !rc && ops(req)->cpu_info(user->vm, i, &info); i++)
            rc = dedicate_one(req, user, info.addr, on);
        return rc;
    }
    for (; word && !rc; word = cp_operand(req)) {
        u64 cpu;
        rc = scan_hex(word, VM_CPUS_MAX - 1, &cpu) ? dedicate_one(req, user, (u8)cpu, on)
                                                   : cp_fail(req, MSG_CMD002E, word);
    }
    return rc;
}

int cp_cmd_dedicate(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return dedicate(req, true);
}

int cp_cmd_undedicate(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return dedicate(req, false);
}
