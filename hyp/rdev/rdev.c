/* The table of real devices: made from the hardware file, labels read, volumes given to the
 * system. */
#include "hyp/rdev/rdev.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "hyp/rdev/rdev_internal.h"
#include "io/image/remote.h"
#include "mem/base/log.h"

/* --- making them --------------------------------------------------------------------------- */

static bool pattern_fits(const char *pattern, const char *volid)
{
    for (; *pattern; pattern++, volid++) {
        if (*pattern == '*') /* at the end as a rule; inside: the rest may be anywhere */
            return !pattern[1] || (*volid && (pattern_fits(pattern + 1, volid) ||
                                              pattern_fits(pattern, volid + 1)));
        if (!*volid || (*pattern != '%' && *pattern != *volid))
            return false;
    }
    return !*volid;
}

/* Does the system want a volume with this label? */
static bool system_wants(const struct rdevs *r, const char *volid)
{
    const struct system_config *config = r->config;
    for (unsigned i = 0; volid[0] && i < config->volume_count; i++) {
        const struct config_volume *v = &config->volumes[i];
        if (!v->slot && (v->generic ? pattern_fits(v->volid, volid) : !strcmp(v->volid, volid)))
            return true;
    }
    return owned_find(r, volid);
}

static const char *eqid_of(const struct system_config *config, u16 devno)
{
    for (unsigned i = 0; i < config->eqid_count; i++)
        if (devno >= config->eqids[i].first && devno <= config->eqids[i].last)
            return config->eqids[i].eqid;
    return NULL;
}

static u64 mix(u64 h, const void *bytes, size_t len)
{
    const u8 *p = bytes;
    while (len--)
        h = (h ^ *p++) * 0x100000001b3ull; /* FNV-1a */
    return h;
}

/* The same file of a shared file system has the same inode number for all; an EQID goes before. */
u64 rdev_identity(const struct system_config *config, const struct rdev *d)
{
    const char *eqid = eqid_of(config, d->devno);
    char first[CONFIG_PATH_BYTES];
    struct stat sb = {0};
    u64 h = 0xcbf29ce484222325ull;
    if (eqid)
        return mix(h, eqid, strlen(eqid));
    snprintf(first, sizeof first, "%.*s", (int)strcspn(d->path, ","), d->path);
    if (stat(first, &sb))
        return 0;
    u64 inode = sb.st_ino;
    return mix(h, &inode, sizeof inode);
}

static int mount(struct rdevs *r, struct rdev *d, struct cause *cause)
{
    unsigned flags = (d->read_only ? IMAGE_READ_ONLY : 0) | (d->config->sync ? IMAGE_SYNC : 0) |
                     (r->config->in_ssi ? IMAGE_MEMBERS : 0);
    struct share *share;
    struct cause why;
    int rc = share_create(d->path, flags, &share, cause);
    if (rc)
        return rc;
    const struct image_geometry *g = share_geometry(share);
    if (g->type != d->type) {
        rc = cause_set(cause, ST_CONFIG, "%s: expected a %04X, found a %04X", d->path, d->type,
                       g->type);
        share_unref(share);
        return rc;
    }
    share_unref(d->share);
    share_cache(share, r->mdc);
    d->share = share;
    d->units = g->tracks ? g->cylinders : g->blocks;
    d->identity = rdev_identity(r->config, d);
    if (d->config->volid[0])
        strcpy(d->volid, d->config->volid);
    else
        rc = share_label(share, d->volid, cause);
    if (rc == ST_OK && share_alloc_map(share, &d->alloc, &why))
        log_line("device %04X: CP allocates nothing there: %s", d->devno, why.text);
    return rc;
}

static void hand_out(struct rdevs *r, struct rdev *d)
{
    struct rdev *same = d->volid[0] ? rdev_volume(r, d->volid) : NULL;
    d->state = RDEV_FREE;
    d->cp_owned = false;
    if (d->klass == RDEV_UR) {
        d->state = RDEV_SYSTEM;
        return;
    }
    if (d->klass == RDEV_DASD && !same && system_wants(r, d->volid))
        rdev_give_system(r, d);
}

void rdev_give_system(struct rdevs *r, struct rdev *d)
{
    d->state = RDEV_SYSTEM;
    d->cp_owned = owned_find(r, d->volid);
}

int rdev_reread(struct rdevs *r, struct rdev *d, struct cause *cause)
{
    return mount(r, d, cause);
}

static enum rdev_class class_of(const struct config_device *k)
{
    switch (k->type) {
    case 0x3390:
    case 0x9336: return RDEV_DASD;
    case 0x3270: return RDEV_GRAF;
    case CONFIG_OSA: return RDEV_OSA;
    default: return config_is_output(k) ? RDEV_UR : RDEV_TAPE;
    }
}

static int make(struct rdevs *r, const struct config_device *k, struct rdev *d,
                struct cause *cause)
{
    struct cause why;
    *d = (struct rdev){.devno = k->devno,
                       .type = k->type,
                       .config = k,
                       .read_only = k->read_only,
                       .klass = class_of(k)};
    int rc = d->klass == RDEV_OSA || config_full_path(r->config->dir, k->file, d->path)
                 ? ST_OK
                 : cause_set(&why, ST_LIMIT, "%.40s...: path too long", k->file);
    if (rc == ST_OK && d->klass == RDEV_DASD)
        rc = mount(r, d, &why);
    if (rc)
        return cause_set(cause, ST_CONFIG, "%s:%u: device %04X: %s", r->config->hardware.path,
                         k->line, k->devno, why.text);
    hand_out(r, d);
    return ST_OK;
}

static int by_devno(const void *a, const void *b)
{
    return (int)((const struct rdev *)a)->devno - (int)((const struct rdev *)b)->devno;
}

int rdevs_create(const struct system_config *config, struct rdevs **out, struct cause *cause)
{
    const struct config_hardware *hw = &config->hardware;
    struct rdevs *r = calloc(1, sizeof *r);
    struct rdev *all = calloc(hw->device_count + 1, sizeof *all);
    struct mdc *mdc = mdc_create();
    if (!r || !all || !mdc) {
        free(r);
        free(all);
        mdc_destroy(mdc);
        return cause_set(cause, ST_NOMEM, "out of memory");
    }
    r->config = config;
    r->rdev = all;
    r->mdc = mdc;
    owned_init(r);
    int rc = ST_OK;
    for (unsigned i = 0; i < hw->device_count && rc == ST_OK; i++) {
        rc = make(r, &hw->devices[i], &all[i], cause);
        r->count++;
    }
    if (rc) {
        rdevs_destroy(r);
        return rc;
    }
    qsort(all, r->count, sizeof *all, by_devno);
    *out = r;
    return ST_OK;
}

void rdevs_destroy(struct rdevs *r)
{
    if (!r)
        return;
    while (r->links)
        link_drop(r, r->links);
    remote_links_forget(r, "");
    tdisk_destroy(r);
    for (unsigned i = 0; i < r->count; i++)
        share_unref(r->rdev[i].share);
    mdc_destroy(r->mdc);
    free(r->rdev);
    free(r);
}

/* --- looking them up ------------------------------------------------------------------------ */

struct rdev *rdev_find(struct rdevs *r, u16 devno)
{
    for (unsigned i = 0; i < r->count; i++)
        if (r->rdev[i].devno == devno)
            return &r->rdev[i];
    return NULL;
}

struct rdev *rdev_volume(struct rdevs *r, const char *volid)
{
    for (unsigned i = 0; i < r->count; i++)
        if (r->rdev[i].state == RDEV_SYSTEM && !strcmp(r->rdev[i].volid, volid))
            return &r->rdev[i];
    return NULL;
}

bool rdevs_in_ssi(const struct rdevs *r)
{
    return r->config->in_ssi;
}

struct rdev *rdev_equivalent(struct rdevs *r, const char *volid, u64 identity, u64 units)
{
    for (unsigned i = 0; r && i < r->count; i++) {
        struct rdev *d = &r->rdev[i];
        if (d->klass == RDEV_DASD && (d->state == RDEV_SYSTEM || d->state == RDEV_FREE) &&
            identity && d->identity == identity && d->units == units &&
            !strcmp(d->volid, volid))
            return d;
    }
    return NULL;
}

struct rdev *rdev_at(struct rdevs *r, unsigned i)
{
    return i < r->count ? &r->rdev[i] : NULL;
}

unsigned rdev_links(const struct rdevs *r, const struct rdev *rdev)
{
    unsigned n = 0;
    for (const struct vlink *l = r->links; l; l = l->next)
        n += l->rdev == rdev;
    return n;
}

int rdev_vary(struct rdevs *r, struct rdev *d, bool on, struct cause *cause)
{
    if (on == (d->state != RDEV_OFFLINE))
        return ST_OK;
    if (!on && (d->state != RDEV_FREE || rdev_links(r, d) || tdisk_clearings(r, d)))
        return cause_set(cause, ST_BUSY, "%s",
                         d->state == RDEV_SYSTEM ? "SYSTEM"
                         : d->user[0]            ? d->user
                                                 : "links");
    int rc = on && d->klass == RDEV_DASD ? mount(r, d, cause) : ST_OK;
    if (rc == ST_OK && on)
        hand_out(r, d);
    else
        d->state = RDEV_OFFLINE;
    return rc;
}
