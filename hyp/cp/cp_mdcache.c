/* The minidisk cache: QUERY and SET MDCACHE, and what INDICATE LOAD says of it.
 * Source: z/VM "CP Commands and Utilities Reference"; operands of SET MDCACHE and answers about one
 * minidisk or volume are from memory. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"

#define MBYTES(n) ((n) >> 20)

static void figures(struct cp_request *req, struct mdc_figures *f)
{
    *f = (struct mdc_figures){0};
    if (cp_rdevs(req->cp))
        mdc_figures(rdevs_mdc(cp_rdevs(req->cp)), f);
}

/* --- what is meant -------------------------------------------------------------------------- */

/* [userid] vdev: a link that has a disk, or NULL with *rc set. */
static struct vlink *link_operand(struct cp_request *req, int *rc)
{
    const char *word = cp_operand(req), *userid = req->userid, *next = cp_operand_peek(req);
    u64 vdev;
    if (next && (strlen(next) <= 4 && scan_hex(next, 0xffff, &vdev))) {
        userid = word && !strcmp(word, "*") ? userid : word;
        word = cp_operand(req);
    }
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &vdev)) {
        *rc = word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
        return NULL;
    }
    if (strcmp(userid, req->userid) && !(req->classes & CP_CLASS('B'))) {
        *rc = cp_fail(req, MSG_CMD003E, userid);
        return NULL;
    }
    struct vlink *l = link_find(cp_rdevs(req->cp), userid, (u16)vdev);
    if (!l || !l->img)
        *rc = cp_fail(req, MSG_QVD040E, word);
    return l && l->img ? l : NULL;
}

static struct rdev *rdev_operand(struct cp_request *req, int *rc)
{
    const char *word = cp_operand(req);
    u64 devno;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &devno)) {
        *rc = word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
        return NULL;
    }
    struct rdev *d = cp_rdevs(req->cp) ? rdev_find(cp_rdevs(req->cp), (u16)devno) : NULL;
    if (!d || d->klass != RDEV_DASD) {
        *rc = cp_fail(req, MSG_QRD040E, word);
        return NULL;
    }
    return d;
}

/* --- QUERY MDCACHE -------------------------------------------------------------------------- */

static void system_row(struct cp_request *req, const struct mdc_figures *f)
{
    cp_line(req, "Minidisk cache %s for system", f->on ? "ON" : "OFF");
}

static void storage_row(struct cp_request *req, const struct mdc_figures *f)
{
    cp_line(req, "Storage MDC min=%lluM max=%lluM, usage=%llu%%, bias=1.00",
            (unsigned long long)MBYTES(f->bytes_min), (unsigned long long)MBYTES(f->bytes_max),
            (unsigned long long)(f->bytes_max ? f->bytes * 100 / f->bytes_max : 0));
}

static int query_mdisk(struct cp_request *req)
{
    int rc = 0;
    struct vlink *l = link_operand(req, &rc);
    if (!l)
        return rc;
    rc = cp_no_more(req);
    if (rc == 0)
        cp_line(req, "Minidisk cache %s for %s %04X",
                !l->cache           ? "OFF"
                : link_is_cached(l) ? "ON"
                                    : "INELIGIBLE",
                l->user, l->vdev);
    return rc;
}

static int query_rdev(struct cp_request *req)
{
    int rc = 0;
    struct rdev *d = rdev_operand(req, &rc);
    if (d && (rc = cp_no_more(req)) == 0)
        cp_line(req, "Minidisk cache %s for DASD %04X", d->no_cache ? "OFF" : "ON", d->devno);
    return rc;
}

/* QUERY MDCACHE [SYSTEM | STORAGE | MDISK [userid] vdev | RDEV rdev] */
int cp_query_mdcache(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct mdc_figures f;
    (void)ctx;
    figures(req, &f);
    if (word && cp_abbrev(word, "MDisk"))
        return query_mdisk(req);
    if (word && !(req->classes & CP_CLASS('B')))
        return cp_fail(req, MSG_CQV003E, word);
    if (word && !strcmp(word, "RDEV"))
        return query_rdev(req);
    bool system = !word || !strcmp(word, "SYSTEM"),
         storage = !word || cp_abbrev(word, "STORage");
    if (!system && !storage)
        return cp_fail(req, MSG_CQV003E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (system)
        system_row(req, &f);
    if (storage)
        storage_row(req, &f);
    return 0;
}

/* --- SET MDCACHE ---------------------------------------------------------------------------- */

/* {ON | OFF | FLUSH}; -1: none of them. */
enum { TURN_OFF, TURN_ON, TURN_FLUSH };

static int turn_operand(struct cp_request *req, int *turn)
{
    const char *word = cp_operand(req);
    *turn = !word ? -1 : !strcmp(word, "ON") ? TURN_ON : !strcmp(word, "OFF") ? TURN_OFF : -1;
    if (word && cp_abbrev(word, "FLUSH"))
        *turn = TURN_FLUSH;
    if (*turn >= 0)
        return 0;
    return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
}

/* MDISK {ON | OFF | FLUSH} [userid] vdev */
static int set_mdisk(struct cp_request *req)
{
    int turn, rc = turn_operand(req, &turn);
    struct vlink *l = rc ? NULL : link_operand(req, &rc);
    if (!l)
        return rc;
    rc = cp_no_more(req);
    if (rc)
        return rc;
    link_flush_cache(l);
    if (turn != TURN_FLUSH)
        link_set_cache(l, turn == TURN_ON);
    cp_line(req, "Command complete");
    return 0;
}

/* RDEV {ON | OFF | FLUSH} rdev */
static int set_rdev(struct cp_request *req)
{
    int turn, rc = turn_operand(req, &turn);
    struct rdev *d = rc ? NULL : rdev_operand(req, &rc);
    if (!d)
        return rc;
    rc = cp_no_more(req);
    if (rc)
        return rc;
    rdev_flush_cache(d);
    if (turn != TURN_FLUSH)
        rdev_set_cache(cp_rdevs(req->cp), d, turn == TURN_ON);
    cp_line(req, "Command complete");
    return 0;
}

/* SYSTEM {ON | OFF} */
static int set_system(struct cp_request *req)
{
    struct mdc_figures f;
    int turn, rc = turn_operand(req, &turn);
    if (rc == 0 && turn == TURN_FLUSH)
        rc = cp_fail(req, MSG_CMD003E, "FLUSH");
    if (rc == 0)
        rc = cp_no_more(req);
    if (rc || !cp_rdevs(req->cp))
        return rc;
    mdc_switch(rdevs_mdc(cp_rdevs(req->cp)), turn == TURN_ON);
    figures(req, &f);
    system_row(req, &f);
    return 0;
}

/* STORAGE min max: sizes, 64M */
static int set_storage(struct cp_request *req)
{
    u64 size[2];
    struct mdc_figures f;
    for (unsigned i = 0; i < 2; i++) {
        const char *word = cp_operand(req);
        size[i] = 0;
        if (!word)
            return cp_fail(req, MSG_CMD026E);
        if (strcmp(word, "0") && strcmp(word, "0M") &&
            (!scan_size(word, 0, &size[i]) || size[i] > MDC_BYTES_LIMIT))
            return cp_fail(req, MSG_CMD002E, word);
        if (i && size[1] < size[0])
            return cp_fail(req, MSG_CMD002E, word);
    }
    int rc = cp_no_more(req);
    if (rc || !cp_rdevs(req->cp))
        return rc;
    mdc_limit(rdevs_mdc(cp_rdevs(req->cp)), size[0], size[1]);
    figures(req, &f);
    storage_row(req, &f);
    return 0;
}

/* SET MDCACHE {SYSTEM {ON | OFF} | STORAGE min max | {MDISK | RDEV} {ON | OFF | FLUSH} device} */
int cp_set_mdcache(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "SYSTEM"))
        return set_system(req);
    if (cp_abbrev(word, "STORage"))
        return set_storage(req);
    if (cp_abbrev(word, "MDisk"))
        return set_mdisk(req);
    if (!strcmp(word, "RDEV"))
        return set_rdev(req);
    return cp_fail(req, MSG_CMD003E, word);
}

/* --- INDICATE LOAD -------------------------------------------------------------------------- */

void cp_mdcache_load(struct cp_request *req)
{
    struct cp_mdc_sample *base = &req->cp->mdc_sample;
    struct mdc_figures f;
    u64 now = cp_now(req->cp), ns = now > base->ns ? now - base->ns : 1;
    figures(req, &f);
    u64 reads = f.reads - base->reads, hits = f.hits - base->hits;
    double s = (double)ns / 1e9;
    cp_line(req, "MDC READS-%06.0f/SEC WRITES-%06.0f/SEC HIT RATIO-%03llu%%", (double)reads / s,
            (double)(f.writes - base->writes) / s,
            (unsigned long long)(reads ? hits * 100 / reads : 0));
    if (ns >= CP_SAMPLE_NS)
        *base = (struct cp_mdc_sample){now, f.reads, f.hits, f.writes};
}
