/* QUERY of one's own virtual machine: virtual devices, CPUs, storage, settings, spool files. The
 * lines about devices of network adapters are from memory. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/arch.h"
#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_net.h"
#include "hyp/cp/cp_spool.h"
#include "hyp/cpu_type.h"

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

static void virtual_storage(struct cp_request *req, struct cp_user *user)
{
    struct vm_info info = {0};
    char size[CP_TIME_TEXT_BYTES], max[CP_TIME_TEXT_BYTES], unit[CP_TIME_TEXT_BYTES];
    char standby[CP_TIME_TEXT_BYTES], reserved[CP_TIME_TEXT_BYTES];
    ops(req)->info(user->vm, &info);
    cp_size_text(info.storage_bytes, size);
    if (!info.standby_bytes && !info.reserved_bytes)
        cp_line(req, "STORAGE = %s", size);
    else
        cp_line(req, "STORAGE = %s  MAX = %s  INC = %s  STANDBY = %s  RESERVED = %s", size,
                cp_size_text(info.storage_max_bytes, max),
                cp_size_text(info.increment_bytes, unit),
                cp_size_text(info.standby_bytes, standby),
                cp_size_text(info.reserved_bytes, reserved));
}

/* As STIDP stores it, 16 digits; of the model that the guest was given. */
static const char *cpuid_text(struct cp_request *req, const struct cp_user *user, u32 serial,
                              char out[17])
{
    const struct cpu_model *model = ops(req)->arch(user->vm)->model;
    snprintf(out, 17, "FF%06X%04X%s", serial & 0xffffff, model->machine_type,
             model->generation > GEN_Z900 ? "8000" : "0000");
    return out;
}

/* QUERY CPUID */
int cp_query_cpuid(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    struct vm_cpu_info cpu;
    char text[17];
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    int rc = cp_no_more(req);
    if (!rc && ops(req)->cpu_info(user->vm, 0, &cpu))
        cp_line(req, "CPUID = %s", cpuid_text(req, user, cpu.serial, text));
    return rc;
}

static void virtual_cpus(struct cp_request *req, struct cp_user *user)
{
    struct vm_cpu_info cpu;
    char text[17];
    for (unsigned i = 0; ops(req)->cpu_info(user->vm, i, &cpu); i++) {
        bool stopped = cpu.state != VM_RUNNING && cpu.state != VM_ENABLED_WAIT;
        u32 given, serial = (cpu.addr & 15u) << 20 | (cpu.serial & 0xfffff);
        if (directory_cpuid(user->entry, &given))
            serial = given;
        cp_line(req, "CPU %02X  ID  %s %s%s%-4s CPUAFF ON", cpu.addr,
                cpuid_text(req, user, serial, text), cpu.base ? "(BASE) " : "",
                stopped ? "STOPPED " : "", cpu_type_name(cpu.type));
    }
}

/* A device; a spooled one with its options. */
static void device_row(struct cp_request *req, struct cp_user *user,
                       const struct vm_device_row *row)
{
    struct spool_device *dev = spool_device_find(cp_spool(req->cp), user->userid, row->devno);
    const char *tail = strstr(row->text, "SUBCHANNEL");
    if (!strcmp(row->klass, "CONS"))
        cp_console_rows(req, user, row->devno);
    else if (dev && spool_device_kind(dev) != SPOOL_DEV_CONS)
        cp_spool_device_rows(req, dev, row->unit, tail ? tail : "");
    else
        cp_line(req, "%-4s %04X %s", row->klass, row->devno, row->text);
}

/* One device of an adapter that CP simulates. */
static void osa_row(struct cp_request *req, const struct cp_user *user,
                    const struct cp_nic *nic, u16 unit)
{
    u16 vdev = (u16)(nic->vdev + unit);
    cp_line(req, "OSA  %04X ON NIC  %04X  UNIT %03X SUBCHANNEL = %04X", vdev, nic->vdev, unit,
            (unsigned)ops(req)->subchannel(user->vm, vdev));
    cp_line(req, "     %04X DEVTYPE %-10s QDIO-ELIGIBLE  QIOASSIST NOT AVAILABLE", vdev,
            nic->hipersockets ? "HIPER" : "OSA");
}

static unsigned osa_rows(struct cp_request *req, const struct cp_user *user)
{
    unsigned n = 0;
    for (const struct cp_nic *nic = user->nics; nic; nic = nic->next)
        for (u16 unit = 0; unit < CP_NIC_DEVICES; unit++, n++)
            osa_row(req, user, nic, unit);
    return n;
}

/* Device rows of a class, "" = all. Returns how many. */
static unsigned virtual_devices(struct cp_request *req, struct cp_user *user, const char *klass)
{
    struct vm_device_row row;
    unsigned n = 0;
    for (unsigned i = 0; ops(req)->device_row(user->vm, i, &row); i++) {
        if (*klass && strcmp(row.klass, klass))
            continue;
        device_row(req, user, &row);
        n++;
    }
    return n + cp_link_rows(req, user, klass);
}

static int virtual_device(struct cp_request *req, struct cp_user *user, const char *word)
{
    struct vm_device_row row;
    u64 devno;
    if (strlen(word) > 4 || !scan_hex(word, 0xffff, &devno))
        return cp_fail(req, MSG_CQV003E, word);
    for (unsigned i = 0; ops(req)->device_row(user->vm, i, &row); i++) {
        if (row.devno != devno)
            continue;
        device_row(req, user, &row);
        return 0;
    }
    const struct vlink *l = link_find(cp_rdevs(req->cp), user->userid, (u16)devno);
    if (l)
        return cp_link_row(req, user, l), 0;
    if (cp_ctca_at(user, (u16)devno))
        return cp_ctca_row(req, cp_ctca_at(user, (u16)devno)), 0;
    const struct cp_nic *nic = cp_nic_at(user, (u16)devno);
    if (nic)
        return osa_row(req, user, nic, (u16)(devno - nic->vdev)), 0;
    char text[8];
    snprintf(text, sizeof text, "%04llX", (unsigned long long)devno);
    return cp_fail(req, MSG_QVD040E, text);
}

/* QUERY VIRTUAL [ALL | CPUS | STORAGE | CONSOLE | RDR | PUN | PRT | DASD ... | vdev] */
int cp_query_virtual(struct cp_request *req, void *ctx)
{
    static const struct {
        const char *name, *klass;
    } kinds[] = {
        {"CONsole", "CONS"}, {"RDR", "RDR"},       {"Reader", "RDR"},  {"PUNch", "PUN"},
        {"PCH", "PUN"},      {"PRT", "PRT"},       {"PRinter", "PRT"}, {"DAsd", "DASD"},
        {"OSA", "OSA"},      {"FCP", "FCP"},       {"CTca", "CTCA"},   {"TAPes", "TAPE"},
        {"PAV", "PAV"},      {"SWitches", "SWCH"}, {"CRYPto", "AP"},   {"GRAF", "GRAF"}};
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!word || !strcmp(word, "ALL")) {
        virtual_storage(req, user);
        cp_line(req, "XSTORE = none");
        virtual_cpus(req, user);
        virtual_devices(req, user, "");
        cp_ctca_rows(req, user);
        return user->nics ? cp_nic_query(req, user, NULL) : 0;
    }
    if (!strcmp(word, "NIC"))
        return user->nics ? cp_nic_query(req, user, cp_operand(req))
                          : cp_fail(req, MSG_QVD040E, "NIC");
    if (cp_abbrev(word, "STorage"))
        return virtual_storage(req, user), 0;
    if (cp_abbrev(word, "CPUs"))
        return virtual_cpus(req, user), 0;
    if (!strcmp(word, "XSTORE"))
        return cp_line(req, "XSTORE = none"), 0;
    if (!strcmp(word, "UR")) {
        unsigned n = virtual_devices(req, user, "RDR");
        n += virtual_devices(req, user, "PUN");
        n += virtual_devices(req, user, "PRT");
        return n ? 0 : cp_fail(req, MSG_QVD040E, "UR");
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!cp_abbrev(word, kinds[i].name))
            continue;
        bool any = virtual_devices(req, user, kinds[i].klass) > 0;
        if (!strcmp(kinds[i].klass, "CTCA"))
            any = cp_ctca_rows(req, user) > 0;
        if (!strcmp(kinds[i].klass, "OSA"))
            any = osa_rows(req, user) > 0;
        return any ? 0 : cp_fail(req, MSG_QVD040E, kinds[i].klass);
    }
    return virtual_device(req, user, word);
}

/* QUERY CONSOLE */
int cp_query_console(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!user->entry->has_console)
        return cp_fail(req, MSG_QVD040E, "CONS");
    cp_console_rows(req, user, user->entry->console_vdev);
    return 0;
}

static const char *emsg(const struct cp_user *user)
{
    return !(user->settings & CP_SET_EMSG)     ? "OFF"
           : user->settings & CP_SET_EMSG_TEXT ? "TEXT"
           : user->settings & CP_SET_EMSG_CODE ? "CODE"
                                               : "ON ";
}

static const char *on_off(const struct cp_user *user, u32 bit)
{
    u32 iucv = bit == CP_SET_MSG    ? CP_SET_MSG_IUCV
               : bit == CP_SET_WNG  ? CP_SET_WNG_IUCV
               : bit == CP_SET_SMSG ? CP_SET_SMSG_IUCV
                                    : 0;
    return user->settings & iucv ? "IUCV" : user->settings & bit ? "ON " : "OFF";
}

/* QUERY SET */
int cp_query_set(struct cp_request *req, void *ctx)
{
    static const char *const modes[] = {"ESA", "XA", "XC", "Z"};
    struct cp_user *u = cp_own_machine(req);
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    if (!u)
        return msg_number(MSG_CMD045E);
    cp_line(req, "MSG %s, WNG %s, EMSG %s, ACNT %s, RUN %s", on_off(u, CP_SET_MSG),
            on_off(u, CP_SET_WNG), emsg(u), on_off(u, CP_SET_ACNT), on_off(u, CP_SET_RUN));
    cp_line(req, "LINEDIT %s, TIMER OFF , ISAM OFF, ECMODE ON", on_off(u, CP_SET_LINEDIT));
    cp_line(req, "ASSIST OFF          , PAGEX OFF, AUTOPOLL OFF");
    cp_line(req, "IMSG %s, SMSG %s, AFFINITY NONE   , NOTRAN OFF", on_off(u, CP_SET_IMSG),
            on_off(u, CP_SET_SMSG));
    cp_line(req, "MIH OFF , VMCONIO OFF , CPCONIO OFF , SVCACCL OFF , CONCEAL %s",
            on_off(u, CP_SET_CONCEAL));
    cp_line(req, "MACHINE %s, SVC76 CP , NOPDATA OFF, IOASSIST OFF", modes[u->entry->machine]);
    cp_line(req, "SECUSER %s, OBSERVER %s", *u->secuser ? u->secuser : "OFF",
            *u->observer ? u->observer : "OFF");
    return 0;
}
