/* The channel subsystem: its life, devices that come and go, channel reports, quiesce.
 * Subchannel structures are reused, never freed before the css, so that late jobs stay safe. */
#include "io/css_internal.h"

#include <stdlib.h>

#include "mem/base/ergo.h"

#define SUB_ROOM_FIRST 64u

struct css *css_create(struct storage *storage, const struct io_ports *ports, void *ctx)
{
    struct css *css = calloc(1, sizeof *css);
    if (!css)
        return NULL;
    css->by_devno = calloc(0x10000, sizeof *css->by_devno);
    css->sub = calloc(SUB_ROOM_FIRST, sizeof(*css->sub));
    if (!css->by_devno || !css->sub) {
        free(css->by_devno);
        free(css->sub);
        free(css);
        return NULL;
    }
    css->storage = storage;
    css->ports = ports;
    css->ctx = ctx;
    css->sub_room = SUB_ROOM_FIRST;
    css->refs = 1;
    lock_init(&css->lock, LOCK_CSS);
    pthread_cond_init(&css->idle, NULL);
    return css;
}

void css_unref(struct css *css)
{
    lock_take(&css->lock);
    bool last = --css->refs == 0;
    lock_drop(&css->lock);
    if (!last)
        return;
    for (u32 i = 0; i < css->sub_count; i++)
        free(css->sub[i]);
    lock_fini(&css->lock);
    pthread_cond_destroy(&css->idle);
    free(css->sub);
    free(css->by_devno);
    free(css);
}

static void wait_idle_locked(struct css *css, struct subchannel *sub)
{
    while (sub ? sub->executing : css->executing > 0)
        lock_wait(&css->idle, &css->lock);
}

void css_destroy(struct css *css)
{
    if (!css)
        return;
    lock_take(&css->lock);
    css->quiesced = true;
    css->dead = true;
    wait_idle_locked(css, NULL);
    lock_drop(&css->lock);
    for (u32 i = 0; i < css->sub_count; i++) {
        struct subchannel *sub = css->sub[i];
        if (sub && sub->ops && sub->ops->detach)
            sub->ops->detach(sub->dev);
        if (sub)
            sub->ops = NULL;
    }
    css_unref(css);
}

struct subchannel *css_sub_locked(struct css *css, u32 schid)
{
    if (schid >> 16 != SCHID_ONE >> 16 || (schid & 0xffff) >= css->sub_count)
        return NULL;
    return css->sub[schid & 0xffff];
}

void css_crw_locked(struct css *css, u32 crw)
{
    if (css->crw_count == CRWS_MAX)
        css->crw[CRWS_MAX - 1] |= CRW_OVERFLOW;
    else
        css->crw[css->crw_count++] = crw;
    if (css->ports->mchk_crw)
        css->ports->mchk_crw(css->ctx, true);
}

/** The state after subchannel initialisation: disabled, nothing pending. */
static void sub_init(struct subchannel *sub)
{
    u16 devno = sub->s.devno;
    sub->s = (struct sub_state){.devno = devno, .lpm = 0x80, .pom = 0xff, .queue_order = 0};
    sub->kicked = false;
}

static struct subchannel *sub_alloc_locked(struct css *css)
{
    u32 n = 0;
    while (n < css->sub_count && css->sub[n]->ops)
        n++;
    if (n == CSS_SUBCHANNELS_MAX)
        return NULL;
    if (n < css->sub_count)
        return css->sub[n];
    PRE(css->sub_room > 0);
    if (n == css->sub_room) {
        struct subchannel **more = realloc(css->sub, sizeof(*more) * css->sub_room * 2);
        if (!more)
            return NULL;
        css->sub = more;
        css->sub_room *= 2;
    }
    struct subchannel *sub = calloc(1, sizeof *sub);
    if (!sub)
        return NULL;
    sub->css = css;
    sub->number = (u16)n;
    css->sub[css->sub_count++] = sub;
    return sub;
}

int css_attach(struct css *css, u16 devno, const struct dev_ops *ops, void *dev, bool announce,
               u32 *schid, struct cause *cause)
{
    lock_take(&css->lock);
    if (css->by_devno[devno]) {
        lock_drop(&css->lock);
        return cause_set(cause, ST_EXIST, "device %04X exists", devno);
    }
    struct subchannel *sub = sub_alloc_locked(css);
    if (!sub) {
        lock_drop(&css->lock);
        return cause_set(cause, ST_LIMIT, "no subchannel for device %04X", devno);
    }
    sub->s.devno = devno;
    sub_init(sub);
    sub->ops = ops;
    sub->dev = dev;
    sub->detaching = false;
    css->by_devno[devno] = SCHID_ONE | sub->number;
    if (schid)
        *schid = SCHID_ONE | sub->number;
    if (announce)
        css_crw_locked(css, CRW_RSC_SUBCHANNEL | CRW_ERC_IPI | sub->number);
    lock_drop(&css->lock);
    return ST_OK;
}

int css_detach(struct css *css, u16 devno, bool announce, struct cause *cause)
{
    lock_take(&css->lock);
    struct subchannel *sub = css_sub_locked(css, css->by_devno[devno]);
    if (!sub_has_device(sub)) {
        lock_drop(&css->lock);
        return cause_set(cause, ST_NOENT, "device %04X does not exist", devno);
    }
    sub->detaching = true;
    wait_idle_locked(css, sub);
    css_dequeue_locked(sub);
    css_notify_locked(css);
    css->by_devno[devno] = 0;
    const struct dev_ops *ops = sub->ops;
    void *dev = sub->dev;
    sub->ops = NULL;
    sub->dev = NULL;
    sub->detaching = false;
    sub->s = (struct sub_state){0};
    if (announce)
        css_crw_locked(css, CRW_RSC_SUBCHANNEL | CRW_ERC_IPI | sub->number);
    lock_drop(&css->lock);
    if (ops->detach)
        ops->detach(dev);
    return ST_OK;
}

u32 css_find_devno(struct css *css, u16 devno)
{
    lock_take(&css->lock);
    u32 schid = css->by_devno[devno];
    lock_drop(&css->lock);
    return schid;
}

void *css_find_device(struct css *css, u16 devno, const struct dev_ops **ops)
{
    lock_take(&css->lock);
    struct subchannel *sub = css_sub_locked(css, css->by_devno[devno]);
    void *dev = sub_has_device(sub) ? sub->dev : NULL;
    if (ops)
        *ops = dev ? sub->ops : NULL;
    lock_drop(&css->lock);
    return dev;
}

void css_each(struct css *css,
              bool (*visit)(void *arg, u32 schid, u16 devno, const struct dev_ops *ops,
                            void *dev),
              void *arg)
{
    bool more = true;
    for (u32 i = 0; more; i++) {
        lock_take(&css->lock);
        if (i >= css->sub_count) {
            lock_drop(&css->lock);
            return;
        }
        struct subchannel *sub = css->sub[i];
        bool there = sub_has_device(sub);
        const struct dev_ops *ops = sub->ops;
        void *dev = sub->dev;
        u16 devno = sub->s.devno;
        lock_drop(&css->lock);
        if (there)
            more = visit(arg, SCHID_ONE | i, devno, ops, dev);
    }
}

enum css_activity css_activity(struct css *css, u32 schid)
{
    enum css_activity activity = CSS_IDLE;
    lock_take(&css->lock);
    struct subchannel *sub = css_sub_locked(css, schid);
    if (!sub_has_device(sub))
        activity = CSS_IDLE;
    else if (sub->s.scsw0 & AC_SUSPENDED)
        activity = CSS_SUSPENDED;
    else if (sub->s.waiting)
        activity = CSS_WAITING;
    else if (sub->s.scsw0 & AC_ANY)
        activity = CSS_BUSY;
    else if (sub->s.scsw0 & SC_PENDING)
        activity = CSS_STATUS_PENDING;
    lock_drop(&css->lock);
    return activity;
}

void css_quiesce(struct css *css)
{
    lock_take(&css->lock);
    css->quiesced = true;
    wait_idle_locked(css, NULL);
    lock_drop(&css->lock);
}

void css_resume(struct css *css)
{
    lock_take(&css->lock);
    css->quiesced = false;
    u32 n = css->sub_count;
    lock_drop(&css->lock);
    for (u32 i = 0; i < n; i++) {
        lock_take(&css->lock);
        struct subchannel *sub = css->sub[i];
        sub->kicked = true;
        bool work = sub->s.active || sub->s.scsw0 & (AC_START | AC_HALT | AC_CLEAR | AC_RESUME);
        lock_drop(&css->lock);
        if (work)
            chan_schedule(sub);
    }
}

void css_reset(struct css *css)
{
    lock_take(&css->lock);
    bool was = css->quiesced;
    css->quiesced = true;
    wait_idle_locked(css, NULL);
    for (u32 i = 0; i < css->sub_count; i++) {
        css_dequeue_locked(css->sub[i]);
        sub_init(css->sub[i]);
    }
    css->crw_count = 0;
    css_notify_locked(css);
    if (css->ports->mchk_crw)
        css->ports->mchk_crw(css->ctx, false);
    u32 n = css->sub_count;
    lock_drop(&css->lock);
    for (u32 i = 0; i < n; i++) {
        struct subchannel *sub = css->sub[i];
        if (sub->ops && sub->ops->cancel)
            sub->ops->cancel(sub->dev);
        if (sub->ops && sub->ops->reset)
            sub->ops->reset(sub->dev);
    }
    lock_take(&css->lock);
    css->quiesced = was;
    lock_drop(&css->lock);
}
