/* Where DIRMAINT puts a minidisk: AUTOV on a volume, AUTOR in a region, AUTOG in the first region
 * of a group that has room; and what of a volume is used and free. Regions and groups are those of
 * extent.control beside the directory, in the form of DirMaint's EXTENT CONTROL:
 *
 *   :REGIONS.                                   * name volid first last type
 *   REG1 VOL001 1 3338 3390-03
 *   :END.
 *   :GROUPS.                                    * name (ALLOCATE LINEAR) region ...
 *   POOL1 (ALLOCATE LINEAR) REG1 REG2
 *   :END.
 *   :EXCLUDE.                                   * minidisks that take no room: user vdev
 *   MAINT 0123
 *   :END.
 *
 * All of the new directory is looked at before a change is made, so what another member has there
 * refuses it, too. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_datamove.h"

#define FIRST_CYLINDER 1 /* the label is before it */
#define FIRST_BLOCK 16   /* the same, to a boundary of pages */
#define NAME_BYTES 17
#define EXCLUDES_MAX 256
#define PATH_BYTES 1100

/* A part of a volume in which minidisks are allocated: first to end - 1. */
struct region {
    char volid[7];
    u16 type; /* 0: as the volume is */
    u64 first, end;
};

/* What is looked for in extent.control. */
struct search {
    struct dirm *d;
    const char *region; /* fill in `found` */
    bool is_there;
    struct region found;
    const char *group; /* or its regions, up to REGIONS_MAX */
    unsigned count;
#define REGIONS_MAX 128
    char member[REGIONS_MAX][NAME_BYTES];
    struct {
        char user[DIR_NAME_BYTES];
        u16 vdev;
    } excluded[EXCLUDES_MAX];
    unsigned excludes;
};

/* --- extent.control --------------------------------------------------------------------------- */

static int bad_row(struct search *k, const struct scan *s, unsigned i, const char *expected)
{
    struct cause cause = {0};
    scan_bad(s, i, &cause, "%s", expected);
    return dirm_refused(k->d, cause.text);
}

/* name volid first {last | END} [type] */
static int region_row(struct search *k, const struct scan *s)
{
    u64 first, last = 0, type = 0;
    if (!k->region || strcmp(scan_word(s, 0), k->region) != 0)
        return 0;
    struct region *r = &k->found;
    char digits[5];
    if (!scan_name(scan_word(s, 1), r->volid, 6))
        return bad_row(k, s, 1, "a volume identifier of 1-6 characters");
    if (!scan_number(scan_word(s, 2), 0, DIR_MDISK_END - 1, &first))
        return bad_row(k, s, 2, "the first cylinder or block");
    bool end = !strcmp(scan_word(s, 3), "END");
    if (!end && !scan_number(scan_word(s, 3), first, DIR_MDISK_END - 1, &last))
        return bad_row(k, s, 3, "the last cylinder or block, or END");
    snprintf(digits, sizeof digits, "%.4s", scan_word(s, 4));
    if (*digits && strcmp(digits, "FB-5") && !scan_hex(digits, 0xffff, &type))
        return bad_row(k, s, 4, "a type of device");
    r->type = *digits == 'F' ? 0x9336 : (u16)type;
    r->first = first;
    r->end = end ? DIR_MDISK_END : last + 1;
    k->is_there = true;
    return 0;
}

/* name [(ALLOCATE LINEAR)] region ..., in as many rows as wanted */
static int group_row(struct search *k, const struct scan *s)
{
    if (!k->group || strcmp(scan_word(s, 0), k->group) != 0)
        return 0;
    unsigned i = 1;
    k->is_there = true;
    if (!strcmp(scan_word(s, 1), "(ALLOCATE")) {
        if (strcmp(scan_word(s, 2), "LINEAR)"))
            return bad_row(k, s, 2, "LINEAR)");
        i = 3;
    }
    for (; i < s->count; i++) {
        if (k->count == REGIONS_MAX)
            return bad_row(k, s, i, "fewer regions");
        snprintf(k->member[k->count++], NAME_BYTES, "%.16s", scan_word(s, i));
    }
    return 0;
}

static int exclude_row(struct search *k, const struct scan *s)
{
    u64 vdev;
    if (k->excludes == EXCLUDES_MAX)
        return bad_row(k, s, 0, "fewer minidisks");
    if (!scan_name(scan_word(s, 0), k->excluded[k->excludes].user, 8))
        return bad_row(k, s, 0, "a user id of 1-8 characters");
    if (!scan_hex(scan_word(s, 1), 0xffff, &vdev))
        return bad_row(k, s, 1, "a device number");
    k->excluded[k->excludes++].vdev = (u16)vdev;
    return 0;
}

static int rows(struct search *k, struct scan *s)
{
    struct cause cause;
    char section[16] = "";
    int rc = 0, more;
    while (!rc && (more = scan_next(s, &cause)) == 1) {
        if (scan_word(s, 0)[0] == ':')
            snprintf(section, sizeof section, "%.15s", scan_word(s, 0));
        else if (!strcmp(section, ":REGIONS."))
            rc = region_row(k, s);
        else if (!strcmp(section, ":GROUPS."))
            rc = group_row(k, s);
        else if (!strcmp(section, ":EXCLUDE."))
            rc = exclude_row(k, s);
    }
    return rc || !more ? rc : dirm_refused(k->d, cause.text);
}

static void extent_control(const struct dirm *d, char path[PATH_BYTES])
{
    const char *directory = d->cp->directory_path, *end = strrchr(directory, '/');
    snprintf(path, PATH_BYTES, "%.*sextent.control", end ? (int)(end - directory + 1) : 0,
             directory);
}

/* 0, or the number of a message. A file that is not there has no rows. */
static int look(struct search *k)
{
    char path[PATH_BYTES];
    struct cause cause;
    extent_control(k->d, path);
    char *text = scan_file(path, &cause);
    struct scan *s = text ? malloc(sizeof *s) : NULL;
    int rc = 0;
    if (s) {
        scan_init(s, "extent.control", text, SCAN_STAR_COMMENTS);
        rc = rows(k, s);
    }
    free(s);
    free(text);
    return rc;
}

/* --- what is taken ---------------------------------------------------------------------------- */

static bool excluded(const struct search *k, const struct dir_entry *e, u16 vdev)
{
    for (unsigned i = 0; i < k->excludes; i++)
        if (k->excluded[i].vdev == vdev && !strcmp(k->excluded[i].user, e->userid))
            return true;
    return false;
}

/* The minidisk of the volume, of the directory or one that is being made, that is first of those
 * that end behind `from`; NULL: none. */
static const struct dir_mdisk *next_taken(const struct search *k, const char *volid, u64 from,
                                          const char **owner)
{
    const struct directory *dir = cp_directory(k->d->cp);
    const struct dir_mdisk *first = datamove_taken(k->d->cp, volid, from, owner);
    for (unsigned i = 0; i < directory_count(dir); i++) {
        const struct dir_entry *e = directory_at(dir, i);
        for (unsigned n = 0; n < e->mdisk_count; n++) {
            const struct dir_mdisk *m = &e->mdisks[n];
            bool behind = m->count == DIR_MDISK_END || m->start + m->count > from;
            if (m->kind != DIR_MDISK_EXTENT || strcmp(m->volid, volid) || !behind ||
                excluded(k, e, m->vdev) || (first && m->start >= first->start))
                continue;
            first = m;
            *owner = e->userid;
        }
    }
    return first;
}

static u64 end_of(const struct dir_mdisk *m)
{
    return m->count == DIR_MDISK_END ? DIR_MDISK_END : m->start + m->count;
}

/* The first gap of `count`; false: there is none. */
static bool gap(const struct search *k, const struct region *r, u64 count, u64 *start)
{
    const char *owner;
    const struct dir_mdisk *m;
    for (*start = r->first; *start < r->end && r->end - *start >= count; *start = end_of(m)) {
        m = next_taken(k, r->volid, *start, &owner);
        if (!m || (m->start > *start && m->start - *start >= count))
            return true;
    }
    return false;
}

/* --- AUTOV, AUTOR, AUTOG ---------------------------------------------------------------------- */

static const struct rdev *volume_of(const struct search *k, const char *volid)
{
    struct rdevs *r = cp_rdevs(k->d->cp);
    return r ? rdev_volume(r, volid) : NULL;
}

static int of_volume(struct search *k, const char *volid, struct region *out)
{
    const struct rdev *volume = volume_of(k, volid);
    if (!volume)
        return dirm_refused(k->d, "the volume is not online here");
    snprintf(out->volid, sizeof out->volid, "%s", volume->volid);
    out->type = volume->type;
    out->first = volume->type == 0x3390 ? FIRST_CYLINDER : FIRST_BLOCK;
    out->end = volume->units;
    return 0;
}

/* A region by name; of one to END the volume must be online here. */
static int of_region(struct search *k, const char *name, struct region *out)
{
    char text[96];
    k->region = name;
    k->is_there = false;
    k->excludes = 0;
    int rc = look(k);
    if (rc)
        return rc;
    snprintf(text, sizeof text, "extent.control has no region %.16s", name);
    if (!k->is_there)
        return dirm_refused(k->d, text);
    *out = k->found;
    const struct rdev *volume = volume_of(k, out->volid);
    if (!volume && out->end == DIR_MDISK_END)
        return dirm_refused(k->d, "the volume is not online here");
    if (volume && out->end > volume->units)
        out->end = volume->units;
    return 0;
}

static bool type_fits(const char *type, const struct region *r)
{
    u64 wanted = 0;
    if (!strcmp(type, "FB-512"))
        wanted = 0x9336;
    else
        scan_hex(type, 0xffff, &wanted);
    return !r->type || wanted == r->type;
}

static int of_group(struct search *k, const struct dirm_place *want, u64 count,
                    struct dirm_found *out)
{
    char text[96];
    struct region r;
    k->group = want->where;
    int rc = look(k);
    k->group = NULL;
    snprintf(text, sizeof text, "extent.control has no group %.16s", want->where);
    if (rc || !k->is_there)
        return rc ? rc : dirm_refused(k->d, text);
    for (unsigned i = 0; i < k->count; i++) {
        if ((rc = of_region(k, k->member[i], &r)))
            return rc;
        if (type_fits(want->type, &r) && gap(k, &r, count, &out->start)) {
            strcpy(out->volid, r.volid);
            return 0;
        }
    }
    return dirm_refused(k->d, "the group has no such gap");
}

bool dirm_allocates(const char *how)
{
    return !strcmp(how, "AUTOV") || !strcmp(how, "AUTOR") || !strcmp(how, "AUTOG");
}

static int allocate(struct search *k, const struct dirm_place *want, struct dirm_found *out)
{
    struct region r = {0};
    u64 count;
    bool by_volume = !strcmp(want->how, "AUTOV");
    if (!scan_number(want->units, 1, DIR_MDISK_END - 1, &count))
        return dirm_refused(k->d, "a size is a number of cylinders or blocks");
    if (!strcmp(want->how, "AUTOG"))
        return of_group(k, want, count, out);
    int rc = by_volume ? of_volume(k, want->where, &r) : of_region(k, want->where, &r);
    if (rc)
        return rc;
    if (!by_volume && !type_fits(want->type, &r))
        return dirm_refused(k->d, "the region is of another type");
    if (count > r.end)
        return dirm_refused(k->d,
                            by_volume ? "the volume is smaller" : "the region is smaller");
    strcpy(out->volid, r.volid);
    return gap(k, &r, count, &out->start)
               ? 0
               : dirm_refused(k->d, by_volume ? "the volume has no such gap"
                                              : "the region has no such gap");
}

int dirm_allocate(struct dirm *d, const struct dirm_place *want, struct dirm_found *out)
{
    struct search *k = calloc(1, sizeof *k);
    if (!k)
        return dirm_refused(d, "no memory");
    k->d = d;
    int rc = allocate(k, want, out);
    free(k);
    return rc;
}

/* --- USEDEXT, FREEXT -------------------------------------------------------------------------- */

static void extent_line(struct dirm *d, const char *volid, const char *user, u16 vdev,
                        u64 start, u64 end)
{
    char number[8] = "";
    if (*user)
        snprintf(number, sizeof number, "%04X", vdev);
    cp_line(d->req, "%-6s %10llu %10llu %10llu  %-8s %s", volid, (unsigned long long)start,
            (unsigned long long)(end - 1), (unsigned long long)(end - start), user, number);
}

static void extents(struct search *k, const struct region *r, bool free_ones)
{
    const char *owner = "";
    const struct dir_mdisk *m;
    u64 at = r->first;
    cp_line(k->d->req, "VOLUME      START        END       SIZE  %s",
            free_ones ? "" : "OWNER    VDEV");
    while (at < r->end) {
        m = next_taken(k, r->volid, at, &owner);
        u64 begin = m && m->start < r->end ? m->start : r->end;
        if (free_ones && begin > at)
            extent_line(k->d, r->volid, "", 0, at, begin);
        if (begin == r->end)
            break;
        u64 end = end_of(m) < r->end ? end_of(m) : r->end;
        if (!free_ones)
            extent_line(k->d, r->volid, owner, m->vdev, m->start, end);
        at = end;
    }
}

int dirm_extents(struct cp_request *req, bool free_ones)
{
    struct dirm d = {.req = req, .cp = req->cp, .who = req->userid};
    struct region r = {0};
    const char *volid = cp_operand(req);
    if (!volid)
        return cp_fail(req, MSG_CMD026E);
    int rc = cp_no_more(req);
    struct search *k = rc ? NULL : calloc(1, sizeof *k);
    if (!k)
        return rc ? rc : dirm_refused(&d, "no memory");
    k->d = &d;
    rc = of_volume(k, volid, &r);
    if (!rc)
        rc = look(k); /* what is excluded */
    if (!rc)
        extents(k, &r, free_ones);
    free(k);
    return rc;
}

/* --- DASD QUERY ------------------------------------------------------------------------------- */

/* A row of the section that is asked for. */
struct asked {
    struct dirm *d;
    const char *name; /* "*" = all */
    bool groups, any;
};

static void tell_region(struct asked *a, const struct scan *s)
{
    u64 first = 0, last = 0;
    char text[3][24];
    const struct rdev *volume =
        cp_rdevs(a->d->cp) ? rdev_volume(cp_rdevs(a->d->cp), scan_word(s, 1)) : NULL;
    scan_number(scan_word(s, 2), 0, DIR_MDISK_END - 1, &first);
    bool known = scan_number(scan_word(s, 3), 0, DIR_MDISK_END - 1, &last);
    if (!known && volume)
        known = (last = volume->units - 1);
    snprintf(text[0], 24, "%llu", (unsigned long long)first);
    snprintf(text[1], 24, "%llu", (unsigned long long)(last + 1 - first));
    snprintf(text[2], 24, "%llu", (unsigned long long)last);
    dirm_tell(a->d, "DVHDSD3564I", "%-8s %-6s %11s %11s %11s %s", scan_word(s, 0),
              scan_word(s, 1), text[0], known ? text[1] : "END", known ? text[2] : "END",
              scan_word(s, 4));
}

static void tell_group(struct asked *a, const struct scan *s)
{
    bool linear = !strcmp(scan_word(s, 1), "(ALLOCATE");
    char names[400] = "";
    size_t n = 0;
    unsigned count = 0;
    for (unsigned i = linear ? 3 : 1; i < s->count && n < sizeof names - 20; i++, count++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%-8.16s ", scan_word(s, i));
    while (n && names[n - 1] == ' ')
        names[--n] = 0;
    dirm_tell(a->d, "DVHDSD3561I", "GROUP=%s ALLOCATE=(LINEAR) REGIONS=%u", scan_word(s, 0),
              count);
    dirm_tell(a->d, "DVHDSD3562I", "GROUP=%s REGIONS=%s", scan_word(s, 0), names);
}

static void tell_row(struct asked *a, const struct scan *s)
{
    if (strcmp(a->name, "*") && strcmp(a->name, scan_word(s, 0)))
        return;
    if (!a->any && !a->groups)
        dirm_tell(a->d, "DVHDSD3563I",
                  "REGION   VOLUME    START      SIZE        END    DEV-TYPE COMMENTS");
    a->any = true;
    if (a->groups)
        tell_group(a, s);
    else
        tell_region(a, s);
}

static int asked_rows(struct asked *a)
{
    char path[PATH_BYTES], section[16] = "";
    struct cause cause;
    int more = 0;
    extent_control(a->d, path);
    char *text = scan_file(path, &cause);
    struct scan *s = text ? malloc(sizeof *s) : NULL;
    if (s)
        scan_init(s, "extent.control", text, SCAN_STAR_COMMENTS);
    while (s && (more = scan_next(s, &cause)) == 1)
        if (scan_word(s, 0)[0] == ':')
            snprintf(section, sizeof section, "%.15s", scan_word(s, 0));
        else if (!strcmp(section, a->groups ? ":GROUPS." : ":REGIONS."))
            tell_row(a, s);
    free(s);
    free(text);
    return more < 0 ? dirm_refused(a->d, cause.text) : 0;
}

int dirm_dasd(struct dirm *d)
{
    const char *word = cp_operand(d->req);
    struct asked a = {.d = d};
    if (!word || !cp_abbrev(word, "Query"))
        return word ? cp_fail(d->req, MSG_CMD002E, word) : dirm_missing(d);
    word = cp_operand(d->req);
    a.groups = word && cp_abbrev(word, "GROUP");
    if (!word || (!a.groups && !cp_abbrev(word, "REGION")))
        return word ? cp_fail(d->req, MSG_CMD002E, word) : dirm_missing(d);
    if (!(a.name = cp_operand(d->req)))
        return dirm_missing(d);
    int rc = cp_no_more(d->req);
    rc = rc ? rc : asked_rows(&a);
    if (!rc && !a.any)
        dirm_tell(d, "DVHDSD3558W", "%s %s cannot be queried, there is no %s by that name.",
                  a.groups ? "Group" : "Region", a.name, a.groups ? "group" : "region");
    return rc;
}
