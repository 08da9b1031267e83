/* A logical control unit: the 256 unit addresses with one first half of a device number. Bases have
 * a volume; aliases (PAV) do I/O for one base, those of HyperPAV for the base that a prefix names,
 * at the same time as the base and one another (eckd_claim.c).
 * Units are added and taken away by the thread that attaches and detaches devices. */
#include <stdlib.h>

#include "io/dasd/eckd_internal.h"

/** What a unit address is, as the unit address configuration has it. */
struct unit {
    u8 type; /* enum eckd_unit_type */
    u8 base;
    struct eckd_volume *volume; /* of a base, which has the reference */
};

/** Located by its devices; created by the first, destroyed by the last; `lock`. */
struct eckd_lcu {
    struct lock lock;
    u32 devices;
    u64 volumes; /* that ever were */
    struct unit unit[ECKD_UNITS];
    struct eckd_volume none; /* of an alias that no base was named to */
};

/* ---- volumes ---- */

void eckd_volume_init(struct eckd_volume *v)
{
    atomic_init(&v->refs, 1);
    lock_init(&v->lock, LOCK_EXTENTS);
}

struct eckd_volume *eckd_volume_create(struct image *img)
{
    struct eckd_volume *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    eckd_volume_init(v);
    v->img = image_ref(img);
    v->tracks = image_geometry(img)->tracks;
    v->heads = image_geometry(img)->heads;
    if (image_may_have_parts(img))
        v->plain = calloc(v->tracks / 8 + 1, 1);
    return v;
}

void eckd_volume_unref(struct eckd_volume *v)
{
    if (!v || !v->img || atomic_fetch_sub(&v->refs, 1) != 1)
        return;
    image_unref(v->img);
    free((void *)v->plain);
    lock_fini(&v->lock);
    free(v);
}

/* ---- the control unit ---- */

static struct eckd_lcu *lcu_create(void)
{
    struct eckd_lcu *lcu = calloc(1, sizeof *lcu);
    if (!lcu)
        return NULL;
    lock_init(&lcu->lock, LOCK_DEVICE);
    eckd_volume_init(&lcu->none);
    lcu->none.tracks = 1;
    lcu->none.heads = TRACK_HEADS_3390;
    return lcu;
}

struct finding {
    struct eckd *d;
    const struct dev_ops *ops;
};

static bool same_unit(void *arg, u32 schid, u16 devno, const struct dev_ops *ops, void *dev)
{
    struct finding *f = arg;
    (void)schid;
    if (ops == f->ops && devno >> 8 == f->d->devno >> 8)
        f->d->lcu = ((struct eckd *)dev)->lcu;
    return !f->d->lcu;
}

int eckd_lcu_join(struct eckd *d, const struct dev_ops *ops, u8 base, struct cause *cause)
{
    struct finding f = {d, ops};
    css_each(d->css, same_unit, &f);
    if (!d->lcu)
        d->lcu = lcu_create();
    if (!d->lcu)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", d->devno);
    struct eckd_lcu *lcu = d->lcu;
    lock_take(&lcu->lock);
    lcu->devices++;
    bool ok = d->type != ECKD_UNIT_ALIAS || lcu->unit[base].type == ECKD_UNIT_BASE;
    if (ok)
        lcu->unit[d->devno & 0xff] = (struct unit){d->type, base, d->v};
    if (!d->v)
        d->v = &lcu->none;
    else
        d->v->identity = ++lcu->volumes;
    lock_drop(&lcu->lock);
    return ok ? ST_OK
              : cause_set(cause, ST_CONFIG, "device %04X: %02X%02X is no 3390 with a volume",
                          d->devno, d->devno >> 8, base);
}

void eckd_lcu_leave(struct eckd *d)
{
    struct eckd_lcu *lcu = d->lcu;
    if (!lcu)
        return;
    lock_take(&lcu->lock);
    if (d->joined)
        lcu->unit[d->devno & 0xff] = (struct unit){0};
    bool last = --lcu->devices == 0;
    lock_drop(&lcu->lock);
    eckd_volume_unref(d->v);
    d->v = NULL;
    if (!last)
        return;
    lock_fini(&lcu->none.lock);
    lock_fini(&lcu->lock);
    free(lcu);
}

u8 eckd_lcu_base(struct eckd *d)
{
    lock_take(&d->lcu->lock);
    u8 base = d->lcu->unit[d->devno & 0xff].base;
    lock_drop(&d->lcu->lock);
    return base;
}

void eckd_lcu_units(struct eckd *d, u8 out[2 * ECKD_UNITS])
{
    lock_take(&d->lcu->lock);
    for (u32 i = 0; i < ECKD_UNITS; i++) {
        out[2 * i] = d->lcu->unit[i].type;
        out[2 * i + 1] = d->lcu->unit[i].base;
    }
    lock_drop(&d->lcu->lock);
}

/* ---- aliases ---- */

void eckd_unbind(struct eckd *d)
{
    if (d->type == ECKD_UNIT_BASE)
        return;
    eckd_unclaim(d);
    eckd_volume_unref(d->v);
    d->v = &d->lcu->none;
    d->s.bound = d->s.base = 0;
    eckd_program_forget(&d->s); /* it was about tracks of the base */
    d->s.track = 0;
}

bool eckd_bind(struct eckd *d, u8 base)
{
    struct eckd_lcu *lcu = d->lcu;
    lock_take(&lcu->lock);
    bool ok = lcu->unit[base].type == ECKD_UNIT_BASE;
    struct eckd_volume *v = ok ? lcu->unit[base].volume : NULL;
    if (ok)
        atomic_fetch_add(&v->refs, 1);
    lock_drop(&lcu->lock);
    if (!ok)
        return false;
    if (d->v != v)
        eckd_unclaim(d); /* of another volume: the parameters changed while it waited */
    eckd_volume_unref(d->v);
    d->v = v;
    d->s.bound = 1;
    d->s.base = base;
    return true;
}

bool eckd_prefix_base(struct eckd *d, u8 lss, u8 base, bool hyper)
{
    if (lss != d->devno >> 8)
        return false;
    switch (d->type) {
    case ECKD_UNIT_HYPER: return hyper && eckd_bind(d, base);
    case ECKD_UNIT_ALIAS: return !hyper && d->s.bound && d->s.base == base;
    default: return base == (u8)d->devno;
    }
}
