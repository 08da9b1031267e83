/* INDICATE: how busy the processors are, and who uses them. Lines that tools parse keep their
 * order and widths; every figure is what has been measured. Reads of pages are those that the
 * host had paged out and a CPU has waited for; what it writes it does not say, and what CP does not
 * do (eligible lists) is told as not happening. Counts begin at LOGON, and anew on another member.
 * Sources: z/VM "CP Commands and Utilities Reference"; QUEUES, ACTIVE, I/O and USER EXP are from
 * memory. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_spool.h"
#include "hyp/cpu_type.h"

#define NS_PER_MS 1000000ull
#define DISPATCHED_NS                                                                          \
    (300 * NS_PER_MS)            /* so long a user that rests stays in the dispatch list */
#define Q1_NS (300 * NS_PER_MS)  /* a transaction that has taken longer is in Q2 */
#define Q2_NS (2000 * NS_PER_MS) /* in Q3 */
#define ACTIVE_S_DEFAULT 60
#define ACTIVE_S_MAX 32400
#define PAGE_BYTES 4096

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

/* In the dispatch list: it can run, or could a moment ago. */
static bool dispatched(const struct vm_cpu_info *cpu)
{
    return cpu->place != VM_CPU_RESTS || cpu->rests_ns < DISPATCHED_NS;
}

static unsigned queue_of(const struct cp_user *user, const struct vm_cpu_info *cpu)
{
    if (user->quickdsp)
        return 0;
    return cpu->transaction_ns < Q1_NS ? 1 : cpu->transaction_ns < Q2_NS ? 2 : 3;
}

/* The class of a user: that of its CPU with the longest transaction; -1: dormant. */
static int user_queue(struct cp_request *req, struct cp_user *user)
{
    struct vm_cpu_info cpu;
    int queue = -1;
    for (unsigned i = 0; ops(req)->cpu_info(user->vm, i, &cpu); i++)
        if (dispatched(&cpu) && (int)queue_of(user, &cpu) > queue)
            queue = (int)queue_of(user, &cpu);
    return queue;
}

/* --- LOAD ---------------------------------------------------------------------------------- */

static unsigned per_cent(double load)
{
    return (unsigned)(load * 100 + .5);
}

static void load_processors(struct cp_request *req)
{
    struct vm_processor_info p;
    char line[96] = "";
    for (unsigned i = 0; ops(req)->processor(req->cp->ports.vm_host, i, &p); i++) {
        size_t at = strlen(line);
        if (p.online)
            snprintf(line + at, sizeof line - at, "%sPROC %04X-%03u%% %-4s HZ",
                     at ? "     " : "", p.addr, per_cent(p.load), cpu_type_name(p.type));
        if (at && *line) {
            cp_line_text(req, line);
            *line = 0;
        }
    }
    if (*line)
        cp_line_text(req, line);
}

static unsigned average_load(struct cp_request *req, unsigned *online)
{
    struct vm_processor_info p;
    double sum = 0;
    *online = 0;
    for (unsigned i = 0; ops(req)->processor(req->cp->ports.vm_host, i, &p); i++) {
        sum += p.online ? p.load : 0;
        *online += p.online;
    }
    return *online ? per_cent(sum / *online) : 0;
}

/* Pages of this member that the host has brought back, since the sample. */
static void load_paging(struct cp_request *req)
{
    struct cp_paging_sample *base = &req->cp->paging_sample;
    u64 now = cp_now(req->cp), ns = now > base->ns ? now - base->ns : 1;
    u64 reads = ops(req)->page_reads(req->cp->ports.vm_host), since = reads - base->reads;
    cp_line(req, "PAGING-%.0f/SEC", (double)since * 1e9 / (double)ns);
    if (ns >= CP_SAMPLE_NS)
        *base = (struct cp_paging_sample){now, reads};
}

static int indicate_load(struct cp_request *req)
{
    unsigned in[4] = {0}, dormant = 0, limited = 0, online;
    for (struct cp_user *u = cp_user_next(req->cp, NULL); u; u = cp_user_next(req->cp, u)) {
        struct vm_info info = {0};
        int queue = user_queue(req, u);
        ops(req)->info(u->vm, &info);
        limited += info.limited;
        if (queue < 0)
            dormant++;
        else
            in[queue]++;
    }
    unsigned average = average_load(req, &online);
    cp_line(req, "AVGPROC-%03u%% %02u", average, online);
    cp_mdcache_load(req);
    load_paging(req);
    cp_line(req, "Q0-%05u(00000)                           DORMANT-%05u", in[0], dormant);
    cp_line(req, "Q1-%05u(00000)           E1-00000(00000)", in[1]);
    cp_line(req, "Q2-%05u(00000) EXPAN-001 E2-00000(00000)", in[2]);
    cp_line(req, "Q3-%05u(00000) EXPAN-001 E3-00000(00000)", in[3]);
    cp_line_text(req, "");
    load_processors(req);
    cp_line(req, "LIMITED-%05u", limited);
    return 0;
}

/* --- USER ---------------------------------------------------------------------------------- */

static void minutes(u64 ns, char out[16])
{
    u64 s = ns / 1000000000ull;
    snprintf(out, 16, "%03llu:%02llu", (unsigned long long)(s / 60),
             (unsigned long long)(s % 60));
}

/* What is counted for the machine as a whole stands with its first CPU. */
struct counts {
    u64 io;
    struct spool_counts spool;
};

static void user_cpu(struct cp_request *req, struct cp_user *user,
                     const struct vm_cpu_info *cpu, const struct counts *c)
{
    char virt[16], total[16];
    u64 connected_s = (cp_now(req->cp) - user->logon_ns) / 1000000000ull;
    minutes(cpu->virt_ns, virt);
    minutes(cpu->total_ns, total);
    cp_line(req, "CPU %02X: CTIME=%02llu:%02llu VTIME=%s TTIME=%s IO=%06llu", cpu->addr,
            (unsigned long long)(connected_s / 3600),
            (unsigned long long)(connected_s / 60 % 60), virt, total,
            (unsigned long long)c->io);
    cp_line(req, "        RDR=%06llu PRT=%06llu PCH=%06llu TYPE=%-4s CPUAFFIN=ON",
            (unsigned long long)c->spool.cards_read, (unsigned long long)c->spool.lines,
            (unsigned long long)c->spool.cards_punched, cpu_type_name(cpu->type));
}

static struct counts counts_of(struct cp_request *req, const struct cp_user *user,
                               const struct vm_info *info)
{
    struct counts c = {.io = info->io_count};
    spool_device_counts(cp_spool(req->cp), user->userid, &c.spool);
    return c;
}

static unsigned device_count(struct cp_request *req, struct cp_user *user)
{
    struct vm_device_row row;
    unsigned n = 0;
    while (ops(req)->device_row(user->vm, n, &row))
        n++;
    return n;
}

static void user_rows(struct cp_request *req, struct cp_user *user)
{
    static const char *const modes[] = {"ESA", "XA ", "XC ", "Z  "};
    struct vm_info info = {0};
    struct vm_cpu_info cpu;
    char size[CP_TIME_TEXT_BYTES];
    ops(req)->info(user->vm, &info);
    unsigned long long pages = info.resident_bytes / PAGE_BYTES;
    cp_line(req, "USERID=%-8s MACH=%s STOR=%s VIRT=V XSTORE=NONE", user->userid,
            modes[user->entry->machine], cp_size_text(info.storage_bytes, size));
    cp_line(req, "IPLSYS=%s DEVNUM=%05u", *user->iplsys ? user->iplsys : "NONE    ",
            device_count(req, user));
    cp_line(req, "PAGES: RES=%llu  WS=%llu  LOCKEDREAL=%llu  RESVD=%llu", pages, pages,
            (unsigned long long)info.locked_pages,
            (unsigned long long)info.kept_bytes / PAGE_BYTES);
    cp_line(req, "       INSTAN=%llu", pages);
    cp_line(req, "NPREF=0  PREF=0  READS=%llu  WRITES=0", (unsigned long long)info.page_reads);
    const struct counts none = {0}, counts = counts_of(req, user, &info);
    for (unsigned i = 0; ops(req)->cpu_info(user->vm, i, &cpu); i++)
        user_cpu(req, user, &cpu, i ? &none : &counts);
}

/* "0 00:38:11": days and time of day */
static const char *days(u64 ns, char out[32])
{
    unsigned long long s = ns / 1000000000ull;
    snprintf(out, 32, "%llu %02llu:%02llu:%02llu", s / 86400, s / 3600 % 24, s / 60 % 60,
             s % 60);
    return out;
}

static void expanded_rows(struct cp_request *req, struct cp_user *user)
{
    static const char *const modes[] = {"ESA", "XA", "XC", "Z"};
    struct vm_info info = {0};
    struct vm_cpu_info cpu;
    char size[CP_TIME_TEXT_BYTES], a[32], b[32], c[32];
    ops(req)->info(user->vm, &info);
    unsigned long long pages = info.resident_bytes / PAGE_BYTES;
    cp_size_text(info.storage_bytes, size);
    cp_line(req, "Userid=%-8s Mach=%-3s V=V Attached xstore=---", user->userid,
            modes[user->entry->machine]);
    cp_line(req, "Iplsys=%s Devnum=%u", *user->iplsys ? user->iplsys : "NONE",
            device_count(req, user));
    struct counts counts = counts_of(req, user, &info);
    cp_line(req, "Spool: Reads=%llu Writes=%llu", (unsigned long long)counts.spool.pages_read,
            (unsigned long long)counts.spool.pages_written);
    cp_line(req, "Owned spaces: Number=1 Owned size=%s", size);
    cp_line(req, "Pages: Main=%llu Xstore=--- Dasd=0 WS=%llu Reserved=%llu", pages, pages,
            (unsigned long long)info.kept_bytes / PAGE_BYTES);
    cp_line(req, "Private spaces: Number=1 Owned size=%s", size);
    cp_line(req, "Pages: Main=%llu Xstore=--- Dasd=0 Instan=%llu", pages, pages);
    cp_line(req, "Private paging: Reads=%llu Writes=0", (unsigned long long)info.page_reads);
    cp_line(req, "Shared spaces: Number=0 Owned size=0");
    for (unsigned i = 0; ops(req)->cpu_info(user->vm, i, &cpu); i++) {
        cp_line(req, "CPU %02X: Ctime=%s Vtime=%s Ttime=%s", cpu.addr,
                days(cp_now(req->cp) - user->logon_ns, a), days(cpu.virt_ns, b),
                days(cpu.total_ns, c));
        if (i)
            counts = (struct counts){0};
        cp_line(req, "        Rdr=%llu Prt=%llu Pch=%llu IO=%llu Type=%s CPUaffin=ON",
                (unsigned long long)counts.spool.cards_read,
                (unsigned long long)counts.spool.lines,
                (unsigned long long)counts.spool.cards_punched, (unsigned long long)counts.io,
                cpu_type_name(cpu.type));
    }
}

/* The user that the next word names, oneself without; others than oneself for class E. NULL with
 * *rc after a message. */
static struct cp_user *shown_user(struct cp_request *req, int *rc)
{
    const char *word = cp_operand_peek(req);
    bool names = word && !cp_abbrev(word, "EXPanded");
    struct cp_user *user = cp_request_user(req);
    if (names && strcmp(word, "*"))
        user = cp_user_find(req->cp, word);
    if (names)
        word = cp_operand(req);
    *rc = 0;
    if (user != cp_request_user(req) && !(req->classes & CP_CLASS('E')))
        *rc = cp_fail(req, MSG_CMD003E, word);
    else if (!user)
        *rc = cp_fail(req, MSG_CQU045E, names ? word : req->userid);
    return *rc ? NULL : user;
}

/* USER [userid | *] [EXPANDED] */
static int indicate_user(struct cp_request *req)
{
    int rc;
    struct cp_user *user = shown_user(req, &rc);
    if (!user)
        return rc;
    const char *word = cp_operand(req);
    bool expanded = word && cp_abbrev(word, "EXPanded");
    if (word && !expanded)
        return cp_fail(req, MSG_CMD003E, word);
    rc = cp_no_more(req);
    if (!rc)
        (expanded ? expanded_rows : user_rows)(req, user);
    return rc;
}

/* SPACES [USER {userid | *} | SPACE userid:BASE] */
static int indicate_spaces(struct cp_request *req)
{
    const char *word = cp_operand(req);
    struct vm_info info = {0};
    char size[CP_TIME_TEXT_BYTES], spaceid[40];
    int rc;
    if (word && !strcmp(word, "SPACE")) {
        const char *space = cp_operand_peek(req);
        size_t n = space ? strcspn(space, ":") : 0;
        if (!n || strcmp(space + n, ":BASE") != 0)
            return cp_fail(req, MSG_CMD003E, space ? space : word);
        req->upper[(size_t)(space - req->upper) + n] = 0;
    } else if (word && strcmp(word, "USER")) {
        return cp_fail(req, MSG_CMD003E, word);
    }
    struct cp_user *user = shown_user(req, &rc);
    if (!user)
        return rc;
    ops(req)->info(user->vm, &info);
    unsigned long long pages = info.resident_bytes / PAGE_BYTES;
    snprintf(spaceid, sizeof spaceid, "%s:BASE", user->userid);
    cp_line(req, "Spaceid=%-33s Owned size=%s PRIVATE", spaceid,
            cp_size_text(info.storage_bytes, size));
    cp_line(req, "Pages: Main=%llu Xstore=--- Dasd=0 Locked=%llu", pages,
            (unsigned long long)info.locked_pages);
    cp_line(req, "       Instan=%llu", pages);
    for (unsigned shared = 0; shared < 2; shared++) {
        cp_line(req, "%s paging:", shared ? "Shared" : "Private");
        cp_line(req, "   Xstore: Reads=--- Writes=--- Migrates=---");
        cp_line(req, "   Dasd: Reads=%llu Writes=0",
                (unsigned long long)(shared ? 0 : info.page_reads));
    }
    return 0;
}

/* --- QUEUES, ACTIVE, PAGING ---------------------------------------------------------------- */

static void queue_row(struct cp_request *req, struct cp_user *user,
                      const struct vm_cpu_info *cpu, bool expanded)
{
    static const char *const states[] = {[VM_CPU_RESTS] = "PS",
                                         [VM_CPU_READY] = "RDY",
                                         [VM_CPU_LIMITED] = "LIM",
                                         [VM_CPU_IN_CP] = "CF"};
    struct vm_info info = {0};
    char state[8], which[8] = "", more[48] = "";
    ops(req)->info(user->vm, &info);
    unsigned long long pages = info.resident_bytes / PAGE_BYTES;
    if (cpu->place == VM_CPU_RUNS)
        snprintf(state, sizeof state, "R%02X", cpu->processor);
    else
        snprintf(state, sizeof state, "%s", states[cpu->place]);
    if (!cpu->base)
        snprintf(which, sizeof which, "MP%02X", cpu->addr);
    if (expanded)
        snprintf(more, sizeof more, " %-4s TRANS=%llu.%03llu", cpu_type_name(cpu->type),
                 (unsigned long long)(cpu->transaction_ns / 1000000000ull),
                 (unsigned long long)(cpu->transaction_ns / NS_PER_MS % 1000));
    cp_line(req, "%-8s %-4s Q%u %-3s %08llu/%08llu%s", user->userid, which, queue_of(user, cpu),
            state, pages, pages, more);
}

/* QUEUES [EXPANDED]: those on processors first; also a CPU's type, and for how many seconds its
 * transaction has lasted */
static int indicate_queues(struct cp_request *req)
{
    const char *word = cp_operand(req);
    struct vm_cpu_info cpu;
    bool expanded = word && cp_abbrev(word, "EXPanded");
    if (word && !expanded)
        return cp_fail(req, MSG_CMD003E, word);
    int rc = cp_no_more(req);
    for (unsigned running = 1; !rc && running != ~0u; running--)
        for (struct cp_user *u = cp_user_next(req->cp, NULL); u; u = cp_user_next(req->cp, u))
            for (unsigned i = 0; ops(req)->cpu_info(u->vm, i, &cpu); i++)
                if (dispatched(&cpu) && (cpu.place == VM_CPU_RUNS) == running)
                    queue_row(req, u, &cpu, expanded);
    return rc;
}

/* [nn {SEC | MIN | HRS}] */
static int interval_operand(struct cp_request *req, u64 *seconds)
{
    const char *word = cp_operand(req), *unit = cp_operand(req);
    *seconds = ACTIVE_S_DEFAULT;
    if (!word)
        return 0;
    if (!scan_number(word, 1, ACTIVE_S_MAX, seconds))
        return cp_fail(req, MSG_CMD002E, word);
    if (unit && !strcmp(unit, "MIN"))
        *seconds *= 60;
    else if (unit && !strcmp(unit, "HRS"))
        *seconds *= 3600;
    else if (unit && strcmp(unit, "SEC"))
        return cp_fail(req, MSG_CMD002E, unit);
    return *seconds <= ACTIVE_S_MAX ? cp_no_more(req) : cp_fail(req, MSG_CMD002E, word);
}

static int indicate_active(struct cp_request *req)
{
    struct vm_cpu_info cpu;
    unsigned users = 0, active = 0, queued = 0;
    u64 seconds;
    int rc = interval_operand(req, &seconds);
    if (rc)
        return rc;
    for (struct cp_user *u = cp_user_next(req->cp, NULL); u; u = cp_user_next(req->cp, u)) {
        bool was = false;
        for (unsigned i = 0; ops(req)->cpu_info(u->vm, i, &cpu); i++)
            was |= cpu.place != VM_CPU_RESTS || cpu.rests_ns < seconds * 1000 * NS_PER_MS;
        users++;
        active += was;
        queued += user_queue(req, u) >= 0;
    }
    cp_line(req, "%05u USERS, %05u ACTIVE, %05u IN DISPATCH LIST", users, active, queued);
    return 0;
}

/* --- I/O ----------------------------------------------------------------------------------- */

/* A disk or tape at work for a user none of whose CPUs has anything to do; NULL: none. */
static const struct vlink *awaited(struct cp_request *req, struct cp_user *user)
{
    struct vm_cpu_info cpu;
    for (unsigned i = 0; ops(req)->cpu_info(user->vm, i, &cpu); i++)
        if (cpu.place != VM_CPU_RESTS)
            return NULL;
    for (const struct vlink *l = link_next(cp_rdevs(req->cp), user->userid, NULL); l;
         l = link_next(cp_rdevs(req->cp), user->userid, l))
        if (ops(req)->device_busy(user->vm, l->vdev))
            return l;
    return NULL;
}

/* Users that wait for a device, four in a line, each with its real device. */
static int indicate_io(struct cp_request *req)
{
    char line[96] = "";
    unsigned n = 0;
    int rc = cp_no_more(req);
    for (struct cp_user *u = cp_user_next(req->cp, NULL); u && !rc;
         u = cp_user_next(req->cp, u)) {
        const struct vlink *l = cp_rdevs(req->cp) ? awaited(req, u) : NULL;
        if (!l)
            continue;
        size_t at = strlen(line);
        snprintf(line + at, sizeof line - at, "%s%-8s %04X", at ? ", " : "", u->userid,
                 l->rdev ? l->rdev->devno : 0);
        if (++n % 4 == 0) {
            cp_line_text(req, line);
            line[0] = 0;
        }
    }
    if (*line)
        cp_line_text(req, line);
    if (!n && !rc)
        cp_line(req, "No users in I/O wait");
    return rc;
}

/* MULTITHREAD */
static int indicate_mt(struct cp_request *req)
{
    int rc = cp_no_more(req);
    if (!rc)
        cp_line(req, "The Multithreading Facility is not installed.");
    return rc;
}

/* INDICATE [LOAD | USER [userid] [EXP] | SPACES | QUEUES | ACTIVE | I/O | PAGING | MT] */
int cp_cmd_indicate(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    bool all = req->classes & (CP_CLASS('E') | CP_CLASS('C'));
    (void)ctx;
    if (!word || cp_abbrev(word, "LOAD")) {
        int rc = cp_no_more(req);
        return rc ? rc : indicate_load(req);
    }
    if (cp_abbrev(word, "USER"))
        return indicate_user(req);
    if (all && cp_abbrev(word, "Queues"))
        return indicate_queues(req);
    if (all && cp_abbrev(word, "ACTive"))
        return indicate_active(req);
    if (cp_abbrev(word, "SPaces"))
        return indicate_spaces(req);
    if (all && !strcmp(word, "I/O"))
        return indicate_io(req);
    if (all && (cp_abbrev(word, "MULTITHread") || !strcmp(word, "MT")))
        return indicate_mt(req);
    if (all && cp_abbrev(word, "PAGing"))
        return cp_line_text(req, "No users in page wait"), cp_no_more(req);
    return cp_fail(req, MSG_CMD003E, word);
}
