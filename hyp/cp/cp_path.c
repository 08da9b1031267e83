/* Channel paths of a member: QUERY CHPID, CHPIDV, PATHS; VARY of a path. A real device has one
 * path, that of its class, as guests see it: it cannot be taken from a device that is online. A
 * path with no device online can be varied off, and keeps them offline then.
 * Sources: z/VM "CP Commands and Utilities Reference" for PATHS; CHPID's lines, and VARY's
 * operands, are from memory; VARY's answers, and the numbers of HCPVPA, are ours. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "io/device.h"

#define DEVICES_IN_LINE 10u

static u8 path_of(const struct rdev *d)
{
    static const u8 paths[] = {[RDEV_DASD] = CHPID_DASD,
                               [RDEV_TAPE] = CHPID_TAPE,
                               [RDEV_GRAF] = CHPID_UNIT_RECORD,
                               [RDEV_UR] = CHPID_UNIT_RECORD,
                               [RDEV_OSA] = CHPID_OSA};
    return paths[d->klass];
}

static u8 *offline_byte(struct cp *cp, u8 chpid)
{
    return &cp->path_offline[chpid / 8];
}

static bool offline(struct cp *cp, u8 chpid)
{
    return *offline_byte(cp, chpid) & 0x80 >> chpid % 8;
}

bool cp_path_online(struct cp *cp, const struct rdev *d)
{
    return !offline(cp, path_of(d));
}

/* The first device on a path, of those that are online, or of all; NULL: none. */
static struct rdev *first_on(struct cp *cp, u8 chpid, bool all)
{
    struct rdev *d;
    for (unsigned i = 0; cp_rdevs(cp) && (d = rdev_at(cp_rdevs(cp), i)); i++)
        if (path_of(d) == chpid && (all || d->state != RDEV_OFFLINE))
            return d;
    return NULL;
}

static int chpid_operand(struct cp_request *req, u8 *chpid)
{
    const char *word = cp_operand(req);
    u64 v;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strlen(word) > 2 || !scan_hex(word, 0xff, &v) || !first_on(req->cp, (u8)v, true))
        return cp_fail(req, MSG_QPA846E);
    *chpid = (u8)v;
    return 0;
}

/* --- QUERY CHPID, CHPIDV --------------------------------------------------------------------- */

/* "Path 20 online to devices 0200 0201", in lines of ten */
static void devices_of(struct cp_request *req, u8 chpid, bool online)
{
    char line[96] = "";
    unsigned n = 0;
    const struct rdev *d;
    for (unsigned i = 0; (d = rdev_at(cp_rdevs(req->cp), i)); i++) {
        if (path_of(d) != chpid || online != (d->state != RDEV_OFFLINE))
            continue;
        if (n % DEVICES_IN_LINE == 0) {
            if (n)
                cp_line_text(req, line);
            snprintf(line, sizeof line, "Path %02X %s to devices", chpid,
                     online ? "online" : "offline");
        }
        size_t len = strlen(line);
        snprintf(line + len, sizeof line - len, " %04X", d->devno);
        n++;
    }
    if (n)
        cp_line_text(req, line);
}

/* QUERY CHPID nn; PCHID is of machines with physical channels */
int cp_query_chpid(struct cp_request *req, void *ctx)
{
    u8 chpid;
    int rc = chpid_operand(req, &chpid);
    const char *word = rc ? NULL : cp_operand(req);
    (void)ctx;
    if (word)
        return cp_fail(req, MSG_QPV003E, word);
    if (rc == 0) {
        devices_of(req, chpid, true);
        devices_of(req, chpid, false);
    }
    return rc;
}

/* QUERY CHPIDV [userid | *]: guests have the paths of their devices' classes, never one for all */
int cp_query_chpidv(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    if (word && strcmp(word, "*") && !cp_user_find(req->cp, word))
        return cp_fail(req, MSG_CQU045E, word);
    int rc = cp_no_more(req);
    if (rc == 0)
        cp_line(req, "One path CHPID Virtualization is off");
    return rc;
}

/* --- devices --------------------------------------------------------------------------------- */

/* "rdev" or "rdev-rdev" */
static bool scan_range(const char *word, u16 *from, u16 *to)
{
    char first[8] = "";
    const char *dash = strchr(word, '-');
    u64 a, b;
    snprintf(first, sizeof first, "%.*s", (int)strcspn(word, "-"), word);
    if (strlen(first) > 4 || !scan_hex(first, 0xffff, &a))
        return false;
    b = a;
    if (dash && (strlen(dash + 1) > 4 || !scan_hex(dash + 1, 0xffff, &b)))
        return false;
    *from = (u16)a;
    *to = (u16)b;
    return a <= b;
}

/* What is done with each device of the ranges that follow; one by itself has to be there. */
typedef int per_device(struct cp_request *req, struct rdev *d, u8 chpid);

static int each_device(struct cp_request *req, per_device *what, u8 chpid)
{
    const char *word = cp_operand(req);
    char text[8];
    int rc = 0;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    for (; word; word = cp_operand(req)) {
        unsigned found = 0;
        u16 from, to;
        if (!scan_range(word, &from, &to))
            return cp_fail(req, MSG_ATR021E);
        struct rdev *d;
        for (unsigned i = 0; cp_rdevs(req->cp) && (d = rdev_at(cp_rdevs(req->cp), i)); i++) {
            int one = d->devno < from || d->devno > to ? 0 : what(req, d, chpid);
            found += d->devno >= from && d->devno <= to;
            rc = one ? one : rc;
        }
        snprintf(text, sizeof text, "%04X", from);
        if (!found)
            rc = cp_fail(req, MSG_QPA040E, text);
    }
    return rc;
}

static int paths_of(struct cp_request *req, struct rdev *d, u8 chpid)
{
    chpid = path_of(d);
    cp_line(req, "Device %04X, Status %s", d->devno,
            d->state == RDEV_OFFLINE ? "OFFLINE" : "ONLINE");
    cp_line(req, " CHPIDs to Device %04X (PIM)  : %02X", d->devno, chpid);
    cp_line(req, "  Physically Available (PAM)  : +");
    cp_line(req, "  Online               (LPM)  : %c", offline(req->cp, chpid) ? '-' : '+');
    return 0;
}

/* QUERY PATHS [TO] rdev[-rdev] ... */
int cp_query_paths(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand_peek(req);
    (void)ctx;
    if (word && !strcmp(word, "TO"))
        cp_operand(req);
    int rc = each_device(req, paths_of, 0);
    if (rc == 0)
        cp_line(req, "          Legend         + Yes - No");
    return rc;
}

/* --- VARY ------------------------------------------------------------------------------------ */

static int path_on(struct cp_request *req, struct rdev *d, u8 chpid)
{
    if (path_of(d) != chpid)
        return cp_fail(req, MSG_VPA600E, chpid, d->devno);
    if (offline(req->cp, chpid))
        return cp_fail(req, MSG_VPA602E, chpid);
    cp_line(req, "Path %02X varied online to device %04X", chpid, d->devno);
    return 0;
}

static int path_off(struct cp_request *req, struct rdev *d, u8 chpid)
{
    return path_of(d) != chpid ? cp_fail(req, MSG_VPA600E, chpid, d->devno)
                               : cp_fail(req, MSG_VPA601E, chpid, d->devno);
}

/* PATH nn {FROM | TO} rdev[-rdev] ..., behind PATH */
int cp_vary_path(struct cp_request *req, bool on)
{
    u8 chpid;
    int rc = chpid_operand(req, &chpid);
    if (rc)
        return rc;
    const char *word = cp_operand(req);
    if (!word || strcmp(word, on ? "TO" : "FROM"))
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    return each_device(req, on ? path_on : path_off, chpid);
}

/* CHPID nn, behind CHPID */
int cp_vary_chpid(struct cp_request *req, bool on)
{
    u8 chpid;
    int rc = chpid_operand(req, &chpid);
    rc = rc ? rc : cp_no_more(req);
    if (rc)
        return rc;
    const struct rdev *d = first_on(req->cp, chpid, false);
    if (!on && d)
        return cp_fail(req, MSG_VPA601E, chpid, d->devno);
    if (on == offline(req->cp, chpid))
        *offline_byte(req->cp, chpid) ^= (u8)(0x80 >> chpid % 8);
    cp_line(req, "CHPID %02X varied %s", chpid, on ? "online" : "offline");
    return 0;
}
