/* Volumes on two files (mirror= in the hardware file): QUERY DUPLEX, DUPLEX SUSPEND and RESUME. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "io/image/duplex.h"

#define LOOK_MS 500u /* whether a volume is copied */

static bool is_duplex(const struct rdev *d)
{
    return d->klass == RDEV_DASD && d->share && strstr(d->path, IMAGE_MIRROR_MARK);
}

/* An operand; NULL with *rc set. */
static struct rdev *which_volume(struct cp_request *req, int *rc)
{
    const char *word = cp_operand(req);
    u64 devno;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &devno)) {
        *rc = cp_fail(req, MSG_DUP022E);
        return NULL;
    }
    struct rdev *d = cp_rdevs(req->cp) ? rdev_find(cp_rdevs(req->cp), (u16)devno) : NULL;
    if (d && is_duplex(d))
        return d;
    *rc = cp_fail(req, MSG_DUP040E, word);
    return NULL;
}

static int status_of(struct image *img, void *arg, struct cause *cause)
{
    return duplex_status(img, arg) ? ST_OK
                                   : cause_set(cause, ST_INVAL, "it is not on two files");
}

static void row(struct cp_request *req, struct rdev *d)
{
    struct duplex_status s;
    struct cause cause;
    char text[96];
    if (share_with_image(d->share, false, status_of, &s, &cause))
        snprintf(text, sizeof text, "NOT READY %.50s", cause.text);
    else if (s.good[0] && s.good[1])
        strcpy(text, "DUPLEX");
    else if (s.copying)
        snprintf(text, sizeof text, "PENDING %3u%% OF %s",
                 s.total ? (unsigned)(s.done * 100 / s.total) : 0,
                 s.good[0] ? "SECONDARY" : "PRIMARY");
    else
        snprintf(text, sizeof text, "SIMPLEX %s %s", s.good[0] ? "SECONDARY" : "PRIMARY",
                 s.suspended ? "SUSPENDED" : "FAILED");
    cp_line(req, "DASD %04X %-6s %s", d->devno, d->volid, text);
}

/* QUERY DUPLEX [rdev] */
int cp_query_duplex(struct cp_request *req, void *ctx)
{
    struct rdev *only = NULL, *d;
    unsigned n = 0;
    int rc = 0;
    (void)ctx;
    if (cp_operand_peek(req) && !(only = which_volume(req, &rc)))
        return rc;
    rc = cp_no_more(req);
    for (unsigned i = 0; !rc && cp_rdevs(req->cp) && (d = rdev_at(cp_rdevs(req->cp), i)); i++)
        if (is_duplex(d) && (!only || d == only)) {
            row(req, d);
            n++;
        }
    if (!rc && !n)
        cp_line(req, "A duplex DASD was not found.");
    return rc;
}

static int suspend(struct image *img, void *arg, struct cause *cause)
{
    return duplex_suspend(img, *(const unsigned *)arg, cause);
}

/* One that was not suspended is copied from its opening on. */
static int resume(struct image *img, void *arg, struct cause *cause)
{
    struct duplex_status s;
    (void)arg;
    return duplex_status(img, &s) && s.copying ? ST_OK : duplex_resume(img, cause);
}

/* Volumes that nobody may have in use are open until they are copied. */
static void look(void *arg)
{
    struct cp *cp = arg;
    struct rdev *d;
    struct duplex_status s;
    struct cause cause;
    bool any = false;
    cp->duplex_timer = 0;
    for (unsigned i = 0; (d = rdev_at(cp->ports.rdevs, i)); i++) {
        if (!d->copied)
            continue;
        d->copied = !share_with_image(d->share, false, status_of, &s, &cause) && s.copying;
        if (!d->copied)
            (void)share_keep_open(d->share, false, &cause);
        any |= d->copied;
    }
    if (any)
        cp->duplex_timer = cp->ports.timer_start(cp->ports.ctx, LOOK_MS, look, cp);
}

static int resume_volume(struct cp *cp, struct rdev *d, struct cause *cause)
{
    int rc = share_keep_open(d->share, true, cause);
    if (rc == ST_OK)
        rc = share_with_image(d->share, true, resume, NULL, cause);
    d->copied = true; /* or not: its file is closed then */
    if (!cp->duplex_timer)
        cp->duplex_timer = cp->ports.timer_start(cp->ports.ctx, LOOK_MS, look, cp);
    return rc;
}

void cp_duplex_end(struct cp *cp)
{
    if (cp->duplex_timer)
        cp->ports.timer_cancel(cp->ports.ctx, cp->duplex_timer);
    cp->duplex_timer = 0;
}

static int half_operand(struct cp_request *req, unsigned *half)
{
    const char *word = cp_operand(req);
    *half = word && cp_abbrev(word, "SECondary");
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    return *half || cp_abbrev(word, "PRImary") ? 0 : cp_fail(req, MSG_CMD003E, word);
}

/* DUPLEX {SUSPEND rdev {PRIMARY | SECONDARY} | RESUME rdev} */
int cp_cmd_duplex(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    bool suspends = word && cp_abbrev(word, "SUSpend");
    struct cause cause;
    unsigned half = 0;
    char text[8];
    int rc = 0;
    (void)ctx;
    if (!suspends && !(word && cp_abbrev(word, "RESume")))
        return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    struct rdev *d = which_volume(req, &rc);
    if (d && suspends)
        rc = half_operand(req, &half);
    if (!rc)
        rc = cp_no_more(req);
    if (rc)
        return rc;
    snprintf(text, sizeof text, "%04X", d->devno);
    rc = suspends ? share_with_image(d->share, true, suspend, &half, &cause)
                  : resume_volume(req->cp, d, &cause);
    if (rc)
        return cp_fail(req, MSG_DUP128E, text, cause.text);
    row(req, d);
    return 0;
}
