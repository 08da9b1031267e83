/* QUERY of real devices and of links: DASD, TAPES, rdev, SYSTEM, LINKS, VDISK, MDISK. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_spool.h"
#include "io/device.h"

#define FREE_IN_LINE 4u
#define LINKS_IN_LINE 3u

/* What QUERY DASD says of a device that somebody has. */
static void owned_line(struct cp_request *req, const struct rdev *d)
{
    const char *klass = rdev_class_name(d->klass);
    struct vlink *l =
        d->state == RDEV_ATTACHED ? link_find(cp_rdevs(req->cp), d->user, d->vdev) : NULL;
    unsigned links = rdev_links(cp_rdevs(req->cp), d);
    if (d->klass == RDEV_OSA && d->state == RDEV_SYSTEM) { /* of a virtual switch */
        cp_line(req, "OSA  %04X ATTACHED TO SYSTEM   %04X DEVTYPE OSA         CHPID %02X OSD",
                d->devno, d->devno, CHPID_OSA);
        return;
    }
    switch (d->state) {
    case RDEV_OFFLINE: cp_line(req, "%-4s %04X OFFLINE", klass, d->devno); break;
    case RDEV_FREE:
        if (links)
            cp_line(req, "%-4s %04X FREE      %-6s %5u", klass, d->devno, d->volid, links);
        else
            cp_line(req, "%-4s %04X %s", klass, d->devno,
                    d->klass == RDEV_DASD && d->volid[0] ? d->volid : "FREE");
        break;
    case RDEV_SYSTEM:
        cp_line(req, "%-4s %04X CP %s %-6s %4u", klass, d->devno,
                d->cp_owned ? "OWNED " : "SYSTEM", d->volid, links);
        break;
    case RDEV_ATTACHED:
        cp_line(req, "%-4s %04X ATTACHED TO %-8s %04X %s %s", klass, d->devno, d->user, d->vdev,
                l && l->write ? "R/W" : "R/O", d->volid);
        break;
    }
}

/* Free and offline devices, four in a line. Returns how many. */
static unsigned short_rows(struct cp_request *req, enum rdev_class klass, enum rdev_state state)
{
    char line[128] = "", one[32];
    unsigned n = 0;
    struct rdev *d;
    for (unsigned i = 0; cp_rdevs(req->cp) && (d = rdev_at(cp_rdevs(req->cp), i)); i++) {
        if (d->klass != klass || d->state != state)
            continue;
        const char *tail = state == RDEV_OFFLINE ? "OFFLINE" : d->volid[0] ? d->volid : "FREE";
        snprintf(one, sizeof one, "%-4s %04X %-7s", rdev_class_name(klass), d->devno, tail);
        if (n && n % FREE_IN_LINE == 0) {
            cp_line(req, "%s,", line);
            line[0] = 0;
        }
        size_t len = strlen(line);
        snprintf(line + len, sizeof line - len, "%s%s", len ? ", " : "", one);
        n++;
    }
    if (n)
        cp_line(req, "%s", line);
    return n;
}

static unsigned long_rows(struct cp_request *req, enum rdev_class klass, enum rdev_state state)
{
    unsigned n = 0;
    struct rdev *d;
    for (unsigned i = 0; cp_rdevs(req->cp) && (d = rdev_at(cp_rdevs(req->cp), i)); i++) {
        if (d->klass != klass || d->state != state)
            continue;
        owned_line(req, d);
        n++;
    }
    return n;
}

static int rows_of(struct cp_request *req, enum rdev_class klass, enum rdev_state state,
                   const char *word)
{
    bool brief = state == RDEV_FREE || state == RDEV_OFFLINE;
    unsigned n = brief ? short_rows(req, klass, state) : long_rows(req, klass, state);
    if (!n)
        cp_line(req, "%s %s %s was not found.", *word == 'a' || *word == 'o' ? "An" : "A", word,
                rdev_class_name(klass));
    return 0;
}

/* QUERY {DASD | TAPES | GRAF | OSA} [ACTIVE | ALL | FREE | OFFLINE | SYSTEM | ATTACHED | rdev] */
static int query_class(struct cp_request *req, enum rdev_class klass)
{
    const char *word = cp_operand(req);
    u64 devno;
    if (word && scan_hex(word, 0xffff, &devno) && strlen(word) <= 4)
        return cp_query_rdev(req, (u16)devno);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (word && cp_abbrev(word, "FREE"))
        return rows_of(req, klass, RDEV_FREE, "free");
    if (word && cp_abbrev(word, "OFFline"))
        return rows_of(req, klass, RDEV_OFFLINE, "offline");
    if (word && cp_abbrev(word, "SYStem"))
        return rows_of(req, klass, RDEV_SYSTEM, "system");
    if (word && cp_abbrev(word, "ATTached"))
        return rows_of(req, klass, klass == RDEV_OSA ? RDEV_SYSTEM : RDEV_ATTACHED, "attached");
    bool all = word && !strcmp(word, "ALL");
    if (word && !all && !cp_abbrev(word, "ACTive"))
        return cp_fail(req, MSG_CQV003E, word);
    unsigned n = long_rows(req, klass, RDEV_SYSTEM) + long_rows(req, klass, RDEV_ATTACHED);
    if (all)
        n += short_rows(req, klass, RDEV_FREE) + short_rows(req, klass, RDEV_OFFLINE);
    if (!n)
        cp_line(req, "An active %s was not found.", rdev_class_name(klass));
    return 0;
}

int cp_query_dasd(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return query_class(req, RDEV_DASD);
}

int cp_query_tapes(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return query_class(req, RDEV_TAPE);
}

int cp_query_graf(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return query_class(req, RDEV_GRAF);
}

int cp_query_osa(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return query_class(req, RDEV_OSA);
}

int cp_query_rdev(struct cp_request *req, u16 devno)
{
    struct rdev *d = cp_rdevs(req->cp) ? rdev_find(cp_rdevs(req->cp), devno) : NULL;
    char text[8];
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (cp_unit_row(req, devno))
        return 0;
    snprintf(text, sizeof text, "%04X", devno);
    if (!d)
        return cp_fail(req, MSG_QRD040E, text);
    owned_line(req, d);
    return 0;
}

/* --- links ---------------------------------------------------------------------------------- */

struct links_line {
    char text[128];
    unsigned n;
};

/* "userid vdev R/W", a few in a line */
static void links_add(struct cp_request *req, struct links_line *x, const struct vlink *l)
{
    if (x->n && x->n % LINKS_IN_LINE == 0) {
        cp_line(req, "%s,", x->text);
        x->text[0] = 0;
    }
    size_t len = strlen(x->text);
    snprintf(x->text + len, sizeof x->text - len, "%s%-8s %04X %s", len ? ", " : "", l->user,
             l->vdev, l->write ? "R/W" : "R/O");
    x->n++;
}

/* QUERY LINKS vdev */
int cp_query_links(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    struct links_line line = {0};
    u64 vdev;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &vdev))
        return cp_fail(req, MSG_CMD026E);
    const struct vlink *mine = link_find(cp_rdevs(req->cp), user->userid, (u16)vdev);
    if (!mine || !mine->img)
        return cp_fail(req, MSG_QVD040E, word);
    for (const struct vlink *l = link_next(cp_rdevs(req->cp), "", NULL); l;
         l = link_next(cp_rdevs(req->cp), "", l))
        if (link_same_disk(l, mine))
            links_add(req, &line, l);
    cp_line(req, "%s", line.text);
    for (const struct remote_link *m = remote_link_next(cp_rdevs(req->cp), NULL); m;
         m = remote_link_next(cp_rdevs(req->cp), m))
        if (remote_link_same_disk(mine, m))
            cp_line(req, "%-8s %04X %s AT %s", m->user, m->vdev, m->write ? "R/W" : "R/O",
                    m->member);
    return 0;
}

/* QUERY SYSTEM {rdev | volid}: a volume, and which users of this member have some of it */
int cp_query_system(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct rdevs *all = cp_rdevs(req->cp);
    struct links_line line = {0};
    struct rdev *d = NULL;
    u64 devno;
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (all && strlen(word) <= 4 && scan_hex(word, 0xffff, &devno))
        d = rdev_find(all, (u16)devno);
    if (all && !d)
        d = rdev_volume(all, word);
    if (!d || d->klass != RDEV_DASD)
        return cp_fail(req, MSG_QRD040E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    owned_line(req, d);
    for (const struct vlink *l = link_next(all, "", NULL); l; l = link_next(all, "", l))
        if (l->rdev == d && d->state == RDEV_SYSTEM)
            links_add(req, &line, l);
    if (line.n)
        cp_line(req, "%s", line.text);
    return 0;
}

/* Is it the first link to this virtual disk? */
static bool first_of_disk(struct rdevs *all, const struct vlink *of)
{
    const struct vlink *l = link_next(all, "", NULL);
    while (l && l != of && l->share != of->share)
        l = link_next(all, "", l);
    return l == of;
}

/* QUERY VDISK [ALL | userid | SYSLIM | USERLIM]: virtual disks in storage, each user's, or how
 * many blocks there are of them. */
int cp_query_vdisk(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct rdevs *all = cp_rdevs(req->cp);
    unsigned long long blocks = 0;
    unsigned n = 0;
    (void)ctx;
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    bool system = word && !strcmp(word, "SYSLIM"), user = word && !strcmp(word, "USERLIM");
    const char *who = word && strcmp(word, "ALL") ? word : "";
    if (!system && !user && *who && !cp_user_find(req->cp, who))
        return cp_fail(req, MSG_CQU045E, who);
    for (const struct vlink *l = all ? link_next(all, "", NULL) : NULL; l;
         l = link_next(all, "", l)) {
        if (l->kind != VLINK_VIRTUAL || !l->img)
            continue;
        unsigned long long size = image_geometry(l->img)->blocks;
        blocks += first_of_disk(all, l) ? size : 0;
        if (system || user || (*who && strcmp(who, l->user)))
            continue;
        cp_line(req, "%-8s %04X 9336 (VDSK) %s %10llu BLK", l->user, l->vdev,
                l->write ? "R/W" : "R/O", size);
        n++;
    }
    if (system)
        cp_line(req, "VDISK SYSTEM LIMIT IS INFINITE, %10llu BLK IN USE", blocks);
    else if (user)
        cp_line(req, "VDISK USER   LIMIT IS INFINITE");
    else if (!n)
        cp_line(req, "A virtual disk was not found.");
    return 0;
}

static void mdisk_line(struct cp_request *req, const char *target, u16 vdev,
                       const struct vlink *l)
{
    const struct image_geometry *g = image_geometry(l->img);
    char real[8] = "----";
    if (l->rdev)
        snprintf(real, sizeof real, "%04X", l->rdev->devno);
    cp_line(req, "TargetID Tdev OwnerID  Odev Dtype Vol-ID Rdev   StartLoc       Size");
    cp_line(req, "%-8s %04X %-8s %04X %04X  %-6s %s %10llu %10llu", target, vdev,
            l->owner[0] ? l->owner : target, l->owner[0] ? l->owner_vdev : vdev, g->type,
            l->rdev                 ? l->rdev->volid
            : l->kind == VLINK_TEMP ? "(TEMP)"
                                    : "(VDSK)",
            real, (unsigned long long)l->extent.first, (unsigned long long)l->extent.count);
}

/* QUERY MDISK [USER userid] vdev [LOCATION] */
int cp_query_mdisk(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req), *userid = req->userid;
    u64 vdev;
    (void)ctx;
    if (word && !strcmp(word, "USER")) {
        userid = cp_operand(req);
        if (!userid || !(req->classes & (CP_CLASS('B') | CP_CLASS('E'))))
            return cp_fail(req, userid ? MSG_CQV003E : MSG_CMD026E, "USER");
        word = cp_operand(req);
    }
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &vdev))
        return cp_fail(req, MSG_CMD026E);
    const char *more = cp_operand(req);
    if (more && !cp_abbrev(more, "LOCation"))
        return cp_fail(req, MSG_CQV003E, more);
    const struct cp_user *user = cp_user_find(req->cp, userid);
    if (!user)
        return cp_fail(req, MSG_CQU045E, userid);
    const struct vlink *l = link_find(cp_rdevs(req->cp), user->userid, (u16)vdev);
    if (!l || !l->img)
        return cp_fail(req, MSG_QVD040E, word);
    mdisk_line(req, user->userid, (u16)vdev, l);
    return 0;
}
