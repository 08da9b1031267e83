/* QUERY of one's own virtual machine: virtual devices, CPUs, storage, settings, spool files. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cpu_type.h"

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

static void virtual_storage(struct cp_request *req, struct cp_user *user)
{
    struct vm_info info = {0};
    char size[CP_TIME_TEXT_BYTES], max[CP_TIME_TEXT_BYTES], unit[CP_TIME_TEXT_BYTES];
    char standby[CP_TIME_TEXT_BYTES];
    ops(req)->info(user->vm, &info);
    cp_size_text(info.storage_bytes, size);
    if (!info.standby_bytes)
        cp_line(req, "STORAGE = %s", size);
    else
        cp_line(req, "STORAGE = %s  MAX = %s  INC = %s  STANDBY = %s  RESERVED = 0", size,
                cp_size_text(info.storage_max_bytes, max),
                cp_size_text(info.increment_bytes, unit),
                cp_size_text(info.standby_bytes, standby));
}

static void virtual_cpus(struct cp_request *req, struct cp_user *user)
{
    const struct config_hardware *hw = &req->cp->config->hardware;
    struct vm_cpu_info cpu;
    for (unsigned i = 0; ops(req)->cpu_info(user->vm, i, &cpu); i++) {
        bool stopped = cpu.state != VM_RUNNING && cpu.state != VM_ENABLED_WAIT;
        u32 serial = (cpu.addr & 15u) << 20 | (hw->cpu_serial & 0xfffff);
        cp_line(req, "CPU %02X  ID  FF%06X%04X8000 %s%s%-4s CPUAFF ON", cpu.addr, serial,
                hw->model->machine_type, cpu.base ? "(BASE) " : "", stopped ? "STOPPED " : "",
                cpu_type_name(cpu.type));
    }
}

/* Device rows of a class, "" = all. Returns how many. */
static unsigned virtual_devices(struct cp_request *req, struct cp_user *user, const char *klass)
{
    struct vm_device_row row;
    unsigned n = 0;
    for (unsigned i = 0; ops(req)->device_row(user->vm, i, &row); i++) {
        if (*klass && strcmp(row.klass, klass))
            continue;
        cp_line(req, "%-4s %04X %s", row.klass, row.devno, row.text);
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
        cp_line(req, "%-4s %04X %s", row.klass, row.devno, row.text);
        return 0;
    }
    const struct vlink *l = link_find(cp_rdevs(req->cp), user->userid, (u16)devno);
    if (l)
        return cp_link_row(req, user, l), 0;
    char text[8];
    snprintf(text, sizeof text, "%04llX", (unsigned long long)devno);
    return cp_fail(req, MSG_QVD040E, text);
}

/* QUERY VIRTUAL [ALL | CPUS | STORAGE | CONSOLE | RDR | PUN | PRT | DASD ... | vdev] */
int cp_query_virtual(struct cp_request *req, void *ctx)
{
    static const struct {
        const char *name, *klass;
    } kinds[] = {{"CONsole", "CONS"}, {"RDR", "RDR"}, {"Reader", "RDR"},    {"PUNch", "PUN"},
                 {"PCH", "PUN"},      {"PRT", "PRT"}, {"PRinter", "PRT"},   {"DAsd", "DASD"},
                 {"OSA", "OSA"},      {"FCP", "FCP"}, {"CTca", "CTCA"},     {"TAPes", "TAPE"},
                 {"NIC", "NIC"},      {"PAV", "PAV"}, {"SWITCHes", "SWCH"}, {"CRYPto", "AP"},
                 {"GRAF", "GRAF"}};
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
        return 0;
    }
    if (cp_abbrev(word, "STorage"))
        return virtual_storage(req, user), 0;
    if (cp_abbrev(word, "CPUs"))
        return virtual_cpus(req, user), 0;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!cp_abbrev(word, kinds[i].name))
            continue;
        bool any = virtual_devices(req, user, kinds[i].klass) > 0;
        return any ? 0 : cp_fail(req, MSG_QVD040E, kinds[i].klass);
    }
    return virtual_device(req, user, word);
}

/* QUERY CONSOLE */
int cp_query_console(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    char where[DIR_NAME_BYTES + 8];
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!user->entry->has_console)
        return cp_fail(req, MSG_QVD040E, "CONS");
    if (user->disconnected)
        cp_line(req, "CONS %04X DISCONNECTED", user->entry->console_vdev);
    else
        cp_line(req, "CONS %04X ON LDEV %s", user->entry->console_vdev, cp_where(user, where));
    cp_line(req, "     %04X CL %s NOCONT NOHOLD COPY 001    READY FORM STANDARD",
            user->entry->console_vdev, user->entry->console_class);
    cp_line(req, "     %04X SUBCHANNEL = 0000", user->entry->console_vdev);
    return 0;
}

static const char *on_off(const struct cp_user *user, u32 bit)
{
    return user->settings & bit ? "ON " : "OFF";
}

/* QUERY SET */
int cp_query_set(struct cp_request *req, void *ctx)
{
    static const char *const modes[] = {"ESA", "XA", "XC", "Z"};
    struct cp_user *u = cp_own_machine(req);
    (void)ctx;
    if (!u)
        return msg_number(MSG_CMD045E);
    cp_line(req, "MSG %s, WNG %s, EMSG %s, ACNT %s, RUN %s", on_off(u, CP_SET_MSG),
            on_off(u, CP_SET_WNG), on_off(u, CP_SET_EMSG), on_off(u, CP_SET_ACNT),
            on_off(u, CP_SET_RUN));
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

/* --- spool ------------------------------------------------------------------------------- */

static void files_text(struct cp_request *req, const char *userid, char out[64])
{
    unsigned n = ops(req)->spool_count(req->cp->ports.vm_host, userid);
    if (n)
        snprintf(out, 64, "FILES: %04u RDR,   NO PRT,   NO PUN", n);
    else
        strcpy(out, "FILES:   NO RDR,   NO PRT,   NO PUN");
}

int cp_query_files(struct cp_request *req, void *ctx)
{
    char text[64];
    (void)ctx;
    files_text(req, req->userid, text);
    cp_line_text(req, text);
    return 0;
}

int cp_query_no_files(struct cp_request *req, void *ctx)
{
    (void)ctx;
    cp_line(req, req->command[1] == 'U' ? "NO PUN FILES" : "NO PRT FILES");
    return 0;
}

static void reader_line(struct cp_request *req, const struct vm_spool_file *f)
{
    char stamp[CP_TIME_TEXT_BYTES];
    cp_stamp_text(f->created_ns, stamp);
    cp_line(req, "%-8s %04u %c %s %08llu %03u %-4s %.5s %.8s %-8s %-8s %s", f->origin, f->id,
            f->class_ ? f->class_ : 'A', f->device, (unsigned long long)f->records, f->copies,
            f->hold ? "USER" : "NONE", stamp, stamp + 9, f->name, f->type, f->dist);
}

/* QUERY READER [* | userid] [spoolid] [ALL] [SHORTDATE] */
int cp_query_reader(struct cp_request *req, void *ctx)
{
    const char *word, *userid = req->userid;
    void *host = req->cp->ports.vm_host;
    struct vm_spool_file f;
    unsigned shown = 0;
    u64 id = 0;
    (void)ctx;
    while ((word = cp_operand(req))) {
        if (!strcmp(word, "*") || !strcmp(word, "ALL") || !strcmp(word, "SHORTDATE"))
            continue;
        if (scan_number(word, 1, 9999, &id))
            continue;
        if (!cp_userid_ok(word) || !directory_find(req->cp->directory, word))
            return cp_fail(req, MSG_CQV003E, word);
        if (strcmp(word, req->userid) && !(req->classes & CP_CLASS('D')))
            return cp_fail(req, MSG_CQV003E, word);
        userid = word;
    }
    for (unsigned i = 0; ops(req)->spool_file(host, userid, i, &f); i++) {
        if (id && f.id != id)
            continue;
        if (!shown++)
            cp_line(req, "ORIGINID FILE CLASS RECORDS  CPY HOLD DATE  TIME     NAME      TYPE"
                         "     DIST");
        reader_line(req, &f);
    }
    if (!shown)
        cp_line(req, "NO RDR FILES");
    return 0;
}
