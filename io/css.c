/* The channel subsystem: its life, devices that come and go, channel reports, quiesce.
 * Subchannel structures are reused, never freed before the css, so that late jobs stay safe. */
#include "io/css_internal.h"

#include <stdlib.h>

#include "mem/base/ergo.h"

#define SUB_ROOM_FIRST 64u
#define DEVICES_MAX 65536u /* in a subchannel set */

struct css *css_create(struct storage *storage, const struct io_ports *ports, void *ctx)
{
    struct css *css = calloc(1, sizeof *css);
    if (!css)
        return NULL;
    css->storage = storage;
    css->ports = ports;
    css->ctx = ctx;
    css->refs = 1;
    lock_init(&css->lock, LOCK_CSS);
    pthread_cond_init(&css->idle, NULL);
    return css;
}

void css_unref_locked(struct css *css)
{
    bool last = --css->refs == 0;
    lock_drop_and_go_on(&css->lock);
    if (!last)
        return;
    for (unsigned i = 0; i < CSS_SETS; i++) {
        for (u32 n = 0; n < css->set[i].count; n++)
            free(css->set[i].sub[n]);
        free(css->set[i].sub);
        free(css->set[i].by_devno);
    }
    lock_fini(&css->lock);
    pthread_cond_destroy(&css->idle);
    free(css);
}

static void wait_idle_locked(struct css *css, struct subchannel *sub)
{
    while (sub ? sub->executing || sub->foreign || sub->signals : css->executing > 0)
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
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        if (sub->ops && sub->ops->detach)
            sub->ops->detach(sub->dev);
        sub->ops = NULL;
    }
    lock_take(&css->lock);
    css_unref_locked(css);
}

struct storage *css_storage(const struct css *css)
{
    return css->storage;
}

const char *css_owner(const struct css *css)
{
    return css->ports->owner ? css->ports->owner(css->ctx) : "the machine";
}

struct subchannel *css_sub_locked(struct css *css, u32 schid)
{
    const struct sub_set *set = &css->set[schid >> SCHID_SET_SHIFT & (CSS_SETS - 1)];
    if ((schid & ~(u32)((CSS_SETS - 1) << SCHID_SET_SHIFT | 0xffff)) != SCHID_ONE ||
        (schid & 0xffff) >= set->count)
        return NULL;
    return set->sub[schid & 0xffff];
}

static u32 find_locked(struct css *css, u32 device)
{
    const u32 *by_devno = css->set[device >> 16 & (CSS_SETS - 1)].by_devno;
    return by_devno ? by_devno[device & 0xffff] : 0;
}

struct subchannel *css_device_locked(struct css *css, u32 device)
{
    return css_sub_locked(css, find_locked(css, device));
}

struct subchannel *css_next_locked(struct css *css, u32 *at)
{
    while (*at >> 16 < CSS_SETS) {
        const struct sub_set *set = &css->set[*at >> 16];
        u32 n = *at & 0xffff;
        if (n < set->count) {
            ++*at;
            return set->sub[n];
        }
        *at = ((*at >> 16) + 1) << 16;
    }
    return NULL;
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

void css_crw_sub_locked(const struct subchannel *sub)
{
    u32 crw = CRW_RSC_SUBCHANNEL | CRW_ERC_IPI;
    struct css *css = sub->css;
    if (!css->s.sets) {
        css_crw_locked(css, crw | sub->number);
        return;
    }
    css_crw_locked(css, crw | CRW_CHAINED | sub->number);
    css_crw_locked(css, crw | (u32)sub->ssid << 4);
}

/** The state after subchannel initialisation: disabled, nothing pending. */
static void sub_init(struct subchannel *sub)
{
    u16 devno = sub->s.devno;
    sub->s = (struct sub_state){.devno = devno, .lpm = path_installed(sub), .pom = 0xff};
    sub->kicked = false;
}

/* Room for one more subchannel structure, and for the device numbers. */
static bool set_grow(struct sub_set *set)
{
    if (!set->by_devno)
        set->by_devno = calloc(DEVICES_MAX, sizeof *set->by_devno);
    if (!set->by_devno)
        return false;
    if (set->count < set->room)
        return true;
    u32 room = set->room ? set->room * 2 : SUB_ROOM_FIRST;
    struct subchannel **more = realloc(set->sub, sizeof(*more) * room);
    if (!more)
        return false;
    set->sub = more;
    set->room = room;
    return true;
}

static struct subchannel *sub_alloc_locked(struct css *css, unsigned ssid)
{
    struct sub_set *set = &css->set[ssid];
    u32 n = set->lowest_free;
    while (n < set->count && set->sub[n]->ops)
        n++;
    set->lowest_free = n;
    if (n < set->count)
        return set->sub[n];
    if (n == CSS_SUBCHANNELS_MAX || !set_grow(set))
        return NULL;
    struct subchannel *sub = calloc(1, sizeof *sub);
    if (!sub)
        return NULL;
    sub->css = css;
    sub->number = (u16)n;
    sub->ssid = (u8)ssid;
    set->sub[set->count++] = sub;
    return sub;
}

int css_attach(struct css *css, u32 device, const struct dev_ops *ops, void *dev, bool announce,
               u32 *schid, struct cause *cause)
{
    PRE(device >> 16 < CSS_SETS);
    unsigned ssid = device >> 16;
    u16 devno = (u16)device;
    lock_take(&css->lock);
    if (find_locked(css, device)) {
        lock_drop(&css->lock);
        return cause_set(cause, ST_EXIST, "device %04X exists", devno);
    }
    struct subchannel *sub = sub_alloc_locked(css, ssid);
    if (!sub) {
        lock_drop(&css->lock);
        return cause_set(cause, ST_LIMIT, "no subchannel for device %04X", devno);
    }
    sub->ops = ops;
    sub->dev = dev;
    sub->detaching = false;
    sub->s.devno = devno;
    sub_init(sub);
    css->set[ssid].by_devno[devno] = sub_schid(sub);
    if (schid)
        *schid = sub_schid(sub);
    if (announce)
        css_crw_sub_locked(sub);
    bool held = css->quiesced;
    lock_drop(&css->lock);
    if (held && ops->hold)
        ops->hold(dev, true);
    return ST_OK;
}

/** The device's subchannel with nothing going on or waiting, and nothing to begin until `detaching`
 *  is false again; NULL with cause. */
static struct subchannel *still_locked(struct css *css, u32 device, struct cause *cause)
{
    struct subchannel *sub = css_device_locked(css, device);
    if (!sub_has_device(sub)) {
        cause_set(cause, ST_NOENT, "device %04X does not exist", device & 0xffff);
        return NULL;
    }
    sub->detaching = true;
    wait_idle_locked(css, sub);
    css_dequeue_locked(sub);
    css_notify_locked(css);
    return sub;
}

int css_detach(struct css *css, u32 device, bool announce, struct cause *cause)
{
    lock_take(&css->lock);
    struct subchannel *sub = still_locked(css, device, cause);
    if (!sub) {
        lock_drop(&css->lock);
        return ST_NOENT;
    }
    struct sub_set *set = &css->set[sub->ssid];
    set->by_devno[sub->s.devno] = 0;
    if (sub->number < set->lowest_free)
        set->lowest_free = sub->number;
    const struct dev_ops *ops = sub->ops;
    void *dev = sub->dev;
    sub->ops = NULL;
    sub->dev = NULL;
    sub->detaching = false;
    sub->s = (struct sub_state){0};
    if (announce)
        css_crw_sub_locked(sub);
    lock_drop(&css->lock);
    if (ops->detach)
        ops->detach(dev);
    return ST_OK;
}

/** What the guest has set stays (PMCW, parameter), what goes on or is to be told goes. */
static void sub_clear(struct subchannel *sub)
{
    const struct sub_state was = sub->s;
    sub->s = (struct sub_state){.devno = was.devno,
                                .mba = was.mba,
                                .intparm = was.intparm,
                                .mbi = was.mbi,
                                .pmcw_mode = was.pmcw_mode,
                                .pmcw_chars = was.pmcw_chars,
                                .isc = was.isc,
                                .lpm = was.lpm,
                                .lpum = was.lpum,
                                .pom = was.pom};
    sub->kicked = false;
}

int css_device_reset(struct css *css, u32 device, struct cause *cause)
{
    lock_take(&css->lock);
    struct subchannel *sub = still_locked(css, device, cause);
    if (!sub) {
        lock_drop(&css->lock);
        return ST_NOENT;
    }
    sub_clear(sub);
    const struct dev_ops *ops = sub->ops;
    void *dev = sub->dev;
    lock_drop(&css->lock);
    if (ops->cancel)
        ops->cancel(dev);
    if (ops->reset)
        ops->reset(dev);
    lock_take(&css->lock);
    sub->detaching = false;
    lock_drop(&css->lock);
    return ST_OK;
}

u32 css_find_devno(struct css *css, u32 device)
{
    lock_take(&css->lock);
    u32 schid = find_locked(css, device);
    lock_drop(&css->lock);
    return schid;
}

void *css_find_device(struct css *css, u32 device, const struct dev_ops **ops)
{
    lock_take(&css->lock);
    struct subchannel *sub = css_device_locked(css, device);
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
    for (u32 at = 0; more;) {
        lock_take(&css->lock);
        struct subchannel *sub = css_next_locked(css, &at);
        if (!sub) {
            lock_drop(&css->lock);
            return;
        }
        bool there = sub_has_device(sub);
        const struct dev_ops *ops = sub->ops;
        void *dev = sub->dev;
        u16 devno = sub->s.devno;
        lock_drop(&css->lock);
        if (there)
            more = visit(arg, sub_schid(sub), devno, ops, dev);
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

/** Tell the devices that work beside channel programs to stop, or to go on. */
static void hold_devices_locked(struct css *css, bool on)
{
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        if (!sub_has_device(sub) || !sub->ops->hold)
            continue;
        const struct dev_ops *ops = sub->ops;
        void *dev = sub->dev;
        lock_drop(&css->lock);
        ops->hold(dev, on);
        lock_take(&css->lock);
    }
}

void css_quiesce(struct css *css)
{
    lock_take(&css->lock);
    css->quiesced = true;
    wait_idle_locked(css, NULL);
    hold_devices_locked(css, true);
    lock_drop(&css->lock);
}

void css_resume(struct css *css)
{
    lock_take(&css->lock);
    css->quiesced = false;
    hold_devices_locked(css, false);
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        sub->kicked = true;
        if (!sub->s.active && !(sub->s.scsw0 & (AC_START | AC_HALT | AC_CLEAR | AC_RESUME)))
            continue;
        lock_drop(&css->lock);
        chan_schedule(sub);
        lock_take(&css->lock);
    }
    lock_drop(&css->lock);
}

static void css_state_reset_locked(struct css *css)
{
    u8 standby[sizeof css->s.standby]; /* paths stay as they are configured */
    memcpy(standby, css->s.standby, sizeof standby);
    css->s = (struct css_state){0};
    memcpy(css->s.standby, standby, sizeof standby);
    css->crw_count = css->event_count = 0;
}

void css_reset(struct css *css)
{
    lock_take(&css->lock);
    bool was = css->quiesced;
    css->quiesced = true;
    wait_idle_locked(css, NULL);
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        css_dequeue_locked(sub);
        sub_init(sub);
    }
    css_state_reset_locked(css);
    css_notify_locked(css);
    if (css->ports->mchk_crw)
        css->ports->mchk_crw(css->ctx, false);
    at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        lock_drop(&css->lock);
        if (sub->ops && sub->ops->cancel)
            sub->ops->cancel(sub->dev);
        if (sub->ops && sub->ops->reset)
            sub->ops->reset(sub->dev);
        lock_take(&css->lock);
    }
    css->s.adapter = 0; /* what came before a device was reset */
    css_notify_locked(css);
    css->quiesced = was;
    lock_drop(&css->lock);
}
