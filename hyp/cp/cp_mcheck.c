/* SET MCHECK: a machine check for one's own virtual machine, or an event of one of its channel
 * paths, to try what a guest does about it. z/VM has no such command: there the conditions come
 * from the real machine. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

#define MCIC_BIT(n) (1ull << (63 - (n)))
#define MCIC_ERROR_UNCORRECTED MCIC_BIT(16)
#define MCIC_ERROR_CORRECTED MCIC_BIT(17)
#define MCIC_ADDRESS_VALID MCIC_BIT(24)
#define MCIC_CODE_VALID MCIC_BIT(26)

enum more { NOTHING, ADDRESS, CODE };

/* Conditions of the machine-check-interruption code, and what may be said about them. */
static const struct kind {
    const char *name;
    u64 mcic;
    enum more more;
} kinds[] = {
    {"CHANnel", MCIC_BIT(9), NOTHING},  {"DEGradation", MCIC_BIT(7), NOTHING},
    {"EXTernal", MCIC_BIT(5), CODE},    {"PROCessing", MCIC_BIT(1), ADDRESS},
    {"RECovery", MCIC_BIT(2), ADDRESS}, {"SYStem", MCIC_BIT(0), ADDRESS},
    {"TIMing", MCIC_BIT(4), NOTHING},   {"WARNing", MCIC_BIT(8), NOTHING},
};

static const struct kind *kind_find(const char *word)
{
    for (size_t i = 0; word && i < ARRAY_LEN(kinds); i++)
        if (cp_abbrev(word, kinds[i].name))
            return &kinds[i];
    return NULL;
}

/* [AT hexloc] or [CODE hex]; 0 or the number of a message. */
static int more_operands(struct cp_request *req, const struct kind *kind,
                         struct vm_machine_check *m)
{
    const char *word = cp_operand(req), *value;
    u64 v;
    if (!word)
        return 0;
    bool address = kind->more == ADDRESS && !strcmp(word, "AT");
    if (!address && (kind->more != CODE || strcmp(word, "CODE")))
        return cp_fail(req, MSG_CMD003E, word);
    value = cp_operand(req);
    if (!value || !scan_hex(value, address ? ~0ull : 0xffffffffull, &v))
        return cp_fail(req, MSG_CMD002E, value ? value : word);
    if (address) {
        m->mcic |= MCIC_ADDRESS_VALID |
                   (kind->mcic == MCIC_BIT(2) ? MCIC_ERROR_CORRECTED : MCIC_ERROR_UNCORRECTED);
        m->failing_storage = v;
    } else {
        m->mcic |= MCIC_CODE_VALID;
        m->external_damage = (u32)v;
    }
    return cp_no_more(req);
}

/* Events of channel paths, which come with channel reports. */
static const struct path_kind {
    const char *subject, *name;
    enum vm_path_event event;
} path_kinds[] = {
    {"LINK", "DEGraded", VM_LINK_DEGRADED},   {"LINK", "STOPped", VM_LINK_STOPPED},
    {"PATH", "LOST", VM_PATH_LOST},           {"PATH", "BACK", VM_PATH_BACK},
    {"PATH", "CONFigure", VM_PATH_CONFIGURE}, {"PATH", "DEConfigure", VM_PATH_DECONFIGURE},
};

/* LINK chpid DEGraded|STOPped, PATH chpid LOST|BACK|CONFigure|DEConfigure */
static int path_operands(struct cp_request *req, struct vm *vm, const char *subject)
{
    const char *where = cp_operand(req), *name = cp_operand(req);
    u64 chpid;
    if (!where || !name)
        return cp_fail(req, MSG_CMD026E);
    if (!scan_hex(where, 0xff, &chpid))
        return cp_fail(req, MSG_CMD002E, where);
    for (size_t i = 0; i < ARRAY_LEN(path_kinds); i++) {
        if (strcmp(subject, path_kinds[i].subject) || !cp_abbrev(name, path_kinds[i].name))
            continue;
        int rc = cp_no_more(req);
        if (rc)
            return rc;
        return req->cp->ports.vm->path_event(vm, (u8)chpid, path_kinds[i].event)
                   ? cp_fail(req, MSG_CMD002E, where)
                   : 0;
    }
    return cp_fail(req, MSG_CMD003E, name);
}

/* SET MCHECK [CPU nn] kind [AT hexloc | CODE hex], LINK ..., PATH ... */
int cp_set_mcheck(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    char number[CP_TIME_TEXT_BYTES];
    u64 cpu = 0;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (word && (!strcmp(word, "LINK") || !strcmp(word, "PATH")))
        return path_operands(req, user->vm, word);
    if (word && !strcmp(word, "CPU")) {
        word = cp_operand(req);
        if (!word || !scan_hex(word, VM_CPUS_MAX - 1, &cpu))
            return cp_fail(req, MSG_CMD002E, word ? word : "CPU");
        word = cp_operand(req);
    }
    const struct kind *kind = kind_find(word);
    if (!kind)
        return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    struct vm_machine_check m = {.mcic = kind->mcic};
    int rc = more_operands(req, kind, &m);
    if (rc)
        return rc;
    snprintf(number, sizeof number, "%02X", (unsigned)cpu);
    if (req->cp->ports.vm->machine_check(user->vm, (u8)cpu, &m))
        return cp_fail(req, MSG_DIS163E, number);
    return 0;
}
