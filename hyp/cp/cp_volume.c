/* Volumes of the system: attached to it and taken from it, the list of CP-owned ones, and what of
 * their space is in use. Sources: z/VM "CP Commands and Utilities Reference"; the form of
 * DEFINE CPOWNED's answer is ours, that of QUERY ALLOC with operands is from memory. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_spool.h"
#include "mem/base/log.h"

#define PAGES_OF_CYLINDER 180u /* of a 3390: 12 blocks of 4096 bytes on each of 15 tracks */

/* --- minidisks in T-disk space -------------------------------------------------------------- */

static bool in_tdisk_space(const struct rdev *d, const struct dir_mdisk *m)
{
    u64 unit = d->type == 0x3390 ? 1 : ALLOC_PAGE_BLOCKS;
    u64 end = m->count == DIR_MDISK_END || m->count > d->units ? d->units : m->start + m->count;
    bool there = false;
    if (m->kind != DIR_MDISK_EXTENT || strcmp(m->volid, d->volid) != 0 ||
        (m->start == 0 && end == d->units)) /* the whole volume, with what is CP's */
        return false;
    for (unsigned i = 0; i < d->alloc.count; i++) {
        const struct alloc_extent *a = &d->alloc.extent[i];
        there |= a->type == ALLOC_TDSK && m->start < (a->last + 1ull) * unit &&
                 a->first * unit < end;
    }
    return there;
}

/* What is wrong with a volume's T-disk space: false, nothing. */
static bool tdisk_space_fault(const struct cp *cp, const struct rdev *d, char text[80])
{
    unsigned n = 0;
    for (unsigned i = 0;
         rdev_may_allocate(cp_rdevs(cp), d) && i < directory_count(cp->directory); i++) {
        const struct dir_entry *e = directory_at(cp->directory, i);
        for (unsigned k = 0; k < e->mdisk_count; k++)
            if (in_tdisk_space(d, &e->mdisks[k]) && n++ == 0)
                snprintf(text, 80, "MDISK %04X of %s is in T-disk space of volume %s",
                         e->mdisks[k].vdev, e->userid, d->volid);
    }
    size_t len = n > 1 ? strlen(text) : 0;
    if (len)
        snprintf(text + len, 80 - len, " and %u more", n - 1);
    return n;
}

/* It is CP's by the list, and another system's by its mark. */
static bool marked_for_others(struct rdevs *r, const struct rdev *d, char text[MSG_LINE_BYTES])
{
    char devno[8];
    if (d->state != RDEV_SYSTEM || !d->cp_owned || !d->alloc.cp_volume ||
        rdev_may_allocate(r, d))
        return false;
    snprintf(devno, sizeof devno, "%04X", d->devno);
    msg_format(text, MSG_LINE_BYTES, MSG_OWN6740W, d->volid, devno,
               d->alloc.cluster[0] ? d->alloc.cluster : "NOSSI",
               d->alloc.system[0] ? d->alloc.system : "*");
    return true;
}

/* Members would not know that it is the same one. */
static bool uncoordinated(const struct rdevs *r, const struct rdev *d,
                          char text[MSG_LINE_BYTES])
{
    char devno[8];
    if (d->klass != RDEV_DASD || d->state != RDEV_SYSTEM || d->identity || !rdevs_in_ssi(r))
        return false;
    snprintf(devno, sizeof devno, "%04X", d->devno);
    msg_format(text, MSG_LINE_BYTES, MSG_OWN6741W, d->volid, devno);
    return true;
}

void cp_volumes_check(struct cp *cp)
{
    struct rdevs *r = cp_rdevs(cp);
    const struct rdev *d;
    char text[MSG_LINE_BYTES];
    for (unsigned i = 0; r && (d = rdev_at(r, i)); i++) {
        if (tdisk_space_fault(cp, d, text))
            log_operator('E', "%s", text);
        if (marked_for_others(r, d, text))
            log_operator('W', "%s", text);
        if (uncoordinated(r, d, text))
            log_operator('W', "%s", text);
    }
}

/* --- ATTACH TO and DETACH FROM SYSTEM ------------------------------------------------------- */

int cp_attach_system(struct cp_request *req, struct rdev *d, const char *volid)
{
    struct rdevs *r = cp_rdevs(req->cp);
    struct cause cause;
    char text[MSG_LINE_BYTES], why[64] = "";
    int rc = cp_rdev_busy(req->cp, d, text);
    if (rc) {
        cp_line_text(req, text);
        return rc;
    }
    if (d->klass != RDEV_DASD)
        return cp_fail(req, MSG_ATR120E, "SYSTEM", d->devno, "it is no disk");
    if (rdev_reread(r, d, &cause)) /* who had it may have given it another label */
        return cp_fail(req, MSG_ATR120E, "SYSTEM", d->devno, cause.text);
    if (!d->volid[0])
        strcpy(why, "it has no label");
    else if (volid && strcmp(volid, d->volid))
        snprintf(why, sizeof why, "its label is %s", d->volid);
    else if (rdev_volume(r, d->volid))
        strcpy(why, "a volume with its label is there already");
    if (*why)
        return cp_fail(req, MSG_ATR120E, "SYSTEM", d->devno, why);
    rdev_give_system(r, d);
    cp_spool_space(req->cp);
    cp_line(req, "DASD %04X ATTACHED TO SYSTEM %s", d->devno, d->volid);
    if (tdisk_space_fault(req->cp, d, text))
        cp_line_text(req, text);
    if (uncoordinated(r, d, text))
        cp_line_text(req, text);
    return 0;
}

int cp_detach_system(struct cp_request *req, struct rdev *d)
{
    struct rdevs *r = cp_rdevs(req->cp);
    unsigned links = rdev_links(r, d), clearings = tdisk_clearings(r, d);
    if (d->klass != RDEV_DASD || d->state != RDEV_SYSTEM)
        return cp_fail(req, MSG_DTR121E, rdev_class_name(d->klass), d->devno, "SYSTEM");
    if (links)
        return cp_fail(req, MSG_ATR124E, "DASD", d->devno, links);
    if (clearings)
        return cp_fail(req, MSG_DTR122E, d->devno, "T-disk space is being cleared");
    if (d->cp_owned && spool_volume_used(cp_spool(req->cp), rdev_slot(r, d)))
        return cp_fail(req, MSG_DTR122E, d->devno, "spool files are on it");
    tdisk_forget(r, d);
    d->state = RDEV_FREE;
    d->cp_owned = d->drains_tdisk = d->drains_spool = false;
    cp_spool_space(req->cp);
    cp_line(req, "DASD %04X DETACHED SYSTEM %s", d->devno, d->volid);
    return 0;
}

/* --- CP-owned volumes ----------------------------------------------------------------------- */

/* A disk with this label that the system has not got, or NULL. */
static const struct rdev *labelled(struct rdevs *r, const char *volid)
{
    struct rdev *d;
    for (unsigned i = 0; (d = rdev_at(r, i)); i++)
        if (d->klass == RDEV_DASD && d->state != RDEV_OFFLINE && !strcmp(d->volid, volid))
            return d;
    return NULL;
}

static void owned_slot(struct cp_request *req, unsigned slot, const char *volid, bool shared)
{
    struct rdevs *r = cp_rdevs(req->cp);
    const struct rdev *d = rdev_volume(r, volid), *other = d ? NULL : labelled(r, volid);
    const char *status = !d                    ? other ? "Online but not attached" : "Offline"
                         : !d->cp_owned        ? "Online and attached, not CP owned"
                         : !d->alloc.cp_volume ? "Online and attached, no CP volume"
                         : !rdev_may_allocate(r, d) ? "Online and attached, of another system"
                                                    : "Online and attached";
    char real[8] = "----";
    d = d ? d : other;
    if (d)
        snprintf(real, sizeof real, "%04X", d->devno);
    cp_line(req, "%4u  %-6s %s  %-5s  %s", slot, volid, real, shared ? "Share" : "Own", status);
}

/* QUERY CPOWNED */
int cp_query_cpowned(struct cp_request *req, void *ctx)
{
    bool shared;
    (void)ctx;
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    cp_line(req, "Slot  Vol-ID Rdev  Type   Status");
    for (unsigned slot = 1; cp_rdevs(req->cp) && slot <= CPOWNED_SLOTS_MAX; slot++) {
        const char *volid = rdev_owned_slot(cp_rdevs(req->cp), slot, &shared);
        if (*volid)
            owned_slot(req, slot, volid, shared);
    }
    return 0;
}

/* DEFINE CPOWNED [SLOT] n {volid [OWN | SHARED] | RESERVED} */
int cp_define_cpowned(struct cp_request *req)
{
    const char *word = cp_operand(req), *volid, *how;
    char name[CONFIG_VOLID_BYTES] = "";
    u64 slot;
    if (word && !strcmp(word, "SLOT"))
        word = cp_operand(req);
    if (!word || !scan_number(word, 1, CPOWNED_SLOTS_MAX, &slot))
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    volid = cp_operand(req);
    bool reserved = volid && !strcmp(volid, "RESERVED");
    if (!volid || (!reserved && !scan_name(volid, name, 6)))
        return volid ? cp_fail(req, MSG_CMD002E, volid) : cp_fail(req, MSG_CMD026E);
    how = cp_operand(req);
    if (how && (reserved || (strcmp(how, "OWN") && !cp_abbrev(how, "SHARed"))))
        return cp_fail(req, MSG_CMD002E, how);
    int rc = cp_no_more(req);
    if (rc || !cp_rdevs(req->cp))
        return rc;
    unsigned keeps = rdev_own(cp_rdevs(req->cp), (unsigned)slot, name, how && *how == 'S');
    if (keeps)
        return cp_fail(req, MSG_DEF6730E, (unsigned)slot,
                       keeps == slot ? "its volume is attached to the system"
                                     : "another slot has the volume");
    cp_line(req, "CP-owned slot %u is %s", (unsigned)slot, reserved ? "reserved" : name);
    return 0;
}

/* --- spool space, DRAIN and START ----------------------------------------------------------- */

static bool is_ckd(const struct rdev *d)
{
    return d->type == 0x3390;
}

static u32 spool_pages(const struct rdev *d)
{
    u64 pages = 0;
    for (unsigned i = 0; i < d->alloc.count; i++) {
        const struct alloc_extent *x = &d->alloc.extent[i];
        if (x->type == ALLOC_SPOL)
            pages += ((u64)x->last - x->first + 1) * (is_ckd(d) ? PAGES_OF_CYLINDER : 1);
    }
    return pages < UINT32_MAX ? (u32)pages : UINT32_MAX;
}

void cp_spool_space(struct cp *cp)
{
    struct rdevs *r = cp_rdevs(cp);
    struct spool *spool = cp_spool(cp);
    bool shared;
    for (unsigned slot = 1; r && spool && slot <= CPOWNED_SLOTS_MAX; slot++) {
        const char *volid = rdev_owned_slot(r, slot, &shared);
        const struct rdev *d = *volid ? rdev_volume(r, volid) : NULL;
        bool may = d && rdev_may_allocate(r, d);
        spool_volume_set(spool, slot, may ? spool_pages(d) : 0, may && d->drains_spool);
    }
    if (r && spool)
        spool_volumes_settle(spool);
}

/* {DASD rdev | VOLID volid} [ALL | SPOOL | TDISK] */
int cp_drain_volume(struct cp_request *req, bool drain)
{
    bool by_label = *cp_operand(req) == 'V';
    const char *word = cp_operand(req), *what;
    u64 devno = 0;
    if (!word || (!by_label && (strlen(word) > 4 || !scan_hex(word, 0xffff, &devno))))
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    struct rdevs *r = cp_rdevs(req->cp);
    struct rdev *d = !r ? NULL : by_label ? rdev_volume(r, word) : rdev_find(r, (u16)devno);
    if (!d || d->state != RDEV_SYSTEM || !d->cp_owned)
        return cp_fail(req, MSG_DRN040E, word);
    what = cp_operand(req);
    bool all = !what || !strcmp(what, "ALL"), spool = all || cp_abbrev(what, "SPOol");
    bool tdisk = all || !strcmp(what, "TDISK");
    if (!spool && !tdisk)
        return cp_fail(req, MSG_CMD003E, what);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    d->drains_spool = spool ? drain : d->drains_spool;
    d->drains_tdisk = tdisk ? drain : d->drains_tdisk;
    cp_spool_space(req->cp);
    cp_line(req, "Command complete");
    return 0;
}

/* --- QUERY ALLOC ---------------------------------------------------------------------------- */

static const struct space_kind {
    const char *name;
    enum alloc_type type;
    bool pages; /* told in pages, where it is told in detail */
} space_kinds[] = {{"TDISK", ALLOC_TDSK, false},
                   {"PAGE", ALLOC_PAGE, true},
                   {"SPOOL", ALLOC_SPOL, true},
                   {"DRCT", ALLOC_DRCT, false}};

/* Pages of spool files in an extent: the volume's are told of as in its first extents. */
static u64 spool_used(struct cp_request *req, const struct rdev *d,
                      const struct alloc_extent *x, u64 *high)
{
    u64 used = spool_volume_used(cp_spool(req->cp), rdev_slot(cp_rdevs(req->cp), d));
    for (const struct alloc_extent *y = d->alloc.extent; y <= x; y++) {
        u64 room = ((u64)y->last - y->first + 1) * (is_ckd(d) ? PAGES_OF_CYLINDER : 1);
        u64 here = y->type != ALLOC_SPOL ? 0 : used < room ? used : room;
        if (y == x)
            return *high = here;
        used -= here;
    }
    return 0;
}

/* Space in use of an extent, in its units, or of spool space in pages. */
static u64 used_of(struct cp_request *req, const struct rdev *d, const struct alloc_extent *x,
                   bool pages, u64 *high)
{
    *high = 0;
    if (x->type == ALLOC_TDSK)
        return tdisk_used(cp_rdevs(req->cp), d, x, high);
    if (x->type != ALLOC_SPOL)
        return 0;
    u64 unit = is_ckd(d) && !pages ? PAGES_OF_CYLINDER : 1, used = spool_used(req, d, x, high);
    *high = (*high + unit - 1) / unit;
    return (used + unit - 1) / unit;
}

static bool drains(const struct rdev *d, enum alloc_type type)
{
    return type == ALLOC_TDSK ? d->drains_tdisk : type == ALLOC_SPOL && d->drains_spool;
}

static void alloc_volume(struct cp_request *req, const struct rdev *d)
{
    cp_line(req, "DASD %04X %-6s %04X %s (UNITS IN %s)", d->devno, d->volid, d->type,
            is_ckd(d) ? "CKD-ECKD" : "FBA", is_ckd(d) ? "CYLINDERS" : "PAGES");
    for (size_t k = 0; k < ARRAY_LEN(space_kinds); k++) {
        u64 total = 0, used = 0, high;
        for (unsigned i = 0; i < d->alloc.count; i++) {
            const struct alloc_extent *x = &d->alloc.extent[i];
            if (x->type != space_kinds[k].type)
                continue;
            total += (u64)x->last - x->first + 1;
            used += used_of(req, d, x, false, &high);
        }
        cp_line(req, "     %-5s TOTAL=%011llu INUSE=%011llu AVAIL=%011llu%s",
                space_kinds[k].name, (unsigned long long)total, (unsigned long long)used,
                (unsigned long long)(total - used),
                drains(d, space_kinds[k].type) ? " DRAINING" : "");
    }
}

struct space_sum {
    u64 total, used, usable, usable_used;
};

static void extent_row(struct cp_request *req, const struct rdev *d,
                       const struct alloc_extent *x, bool pages, bool typed,
                       struct space_sum *sum)
{
    u64 factor = pages && is_ckd(d) ? PAGES_OF_CYLINDER : 1, high;
    u64 used = used_of(req, d, x, pages, &high), total = ((u64)x->last - x->first + 1) * factor;
    bool usable = rdev_may_allocate(cp_rdevs(req->cp), d) && !drains(d, x->type);
    cp_line(req, "%-6s %04X %10u %10u %6llu %6llu %6llu %3llu%%%s%s", d->volid, d->devno,
            x->first, x->last, (unsigned long long)total, (unsigned long long)used,
            (unsigned long long)high, (unsigned long long)(used * 100 / total),
            typed ? " " : "", typed ? alloc_type_name(x->type) : "");
    sum->total += total;
    sum->used += used;
    sum->usable += usable ? total : 0;
    sum->usable_used += usable ? used : 0;
}

static void sum_rows(struct cp_request *req, const struct space_sum *sum)
{
    cp_line(req, "                                  ------ ------        ----");
    cp_line(req, "SUMMARY                           %6llu %6llu        %3llu%%",
            (unsigned long long)sum->total, (unsigned long long)sum->used,
            (unsigned long long)(sum->total ? sum->used * 100 / sum->total : 0));
    cp_line(req, "USABLE                            %6llu %6llu        %3llu%%",
            (unsigned long long)sum->usable, (unsigned long long)sum->usable_used,
            (unsigned long long)(sum->usable ? sum->usable_used * 100 / sum->usable : 0));
}

/* Each extent of a kind, or of all that are CP's (NULL). */
static void alloc_extents(struct cp_request *req, const struct space_kind *kind)
{
    struct space_sum sum = {0};
    const struct rdev *d;
    const char *unit = kind && kind->pages ? "PAGES" : " UNIT";
    cp_line(req, "                EXTENT     EXTENT  TOTAL %6s   HIGH    %%%s", unit,
            kind ? "" : " ALLOCATION");
    cp_line(req, "VOLID  RDEV      START        END %6s IN USE %6s USED%s",
            kind && kind->pages ? "PAGES" : "UNITS", kind && kind->pages ? "PAGE" : "UNIT",
            kind ? "" : " TYPE");
    cp_line(req, "------ ---- ---------- ---------- ------ ------ ------ ----%s",
            kind ? "" : " ----------");
    for (unsigned i = 0; cp_rdevs(req->cp) && (d = rdev_at(cp_rdevs(req->cp), i)); i++)
        for (unsigned k = 0; d->state == RDEV_SYSTEM && d->cp_owned && k < d->alloc.count;
             k++) {
            const struct alloc_extent *x = &d->alloc.extent[k];
            if (kind ? x->type == kind->type : x->type != ALLOC_PERM)
                extent_row(req, d, x, kind && kind->pages, !kind, &sum);
        }
    if (kind)
        sum_rows(req, &sum);
}

/* QUERY ALLOC [ALL | MAP | TDISK | PAGE | SPOOL | DRCT] */
int cp_query_alloc(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    const struct rdev *d;
    unsigned n = 0;
    int rc = cp_no_more(req);
    (void)ctx;
    if (rc)
        return rc;
    for (size_t i = 0; word && i < ARRAY_LEN(space_kinds); i++)
        if (!strcmp(word, space_kinds[i].name))
            return alloc_extents(req, &space_kinds[i]), 0;
    if (word && !strcmp(word, "MAP"))
        return alloc_extents(req, NULL), 0;
    if (word && strcmp(word, "ALL"))
        return cp_fail(req, MSG_CQV003E, word);
    for (unsigned i = 0; cp_rdevs(req->cp) && (d = rdev_at(cp_rdevs(req->cp), i)); i++)
        if (d->klass == RDEV_DASD && d->state == RDEV_SYSTEM && d->cp_owned)
            alloc_volume(req, d), n++;
    if (!n)
        cp_line(req, "No CP-owned volumes are online.");
    return 0;
}
