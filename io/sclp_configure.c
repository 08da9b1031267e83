/* SCLP: CPUs, channel paths and storage increments, configured by the control program.
 * Storage element 0 holds what is there after a reset, element 1 the standby storage behind it. The
 * number of the CPU or element is in bits 16-23 of the command word. */
#include "io/css.h"
#include "io/sclp_internal.h"

#include <stdio.h>

#define RC_INVALID_RESOURCE 0x09f0
#define RC_NOT_POSSIBLE 0x0af0 /* improper resource identification */
#define RC_READ_STANDBY 0x0410
#define ELEMENT_MAX 8
#define ELEMENT_ASSIGNED 10
#define ELEMENT_STANDBY 12
#define ELEMENT_ENTRIES 16
#define INCREMENT_NUMBER 8

static unsigned resource(const struct sclp *sclp)
{
    return sclp->command >> 8 & 0xff;
}

static u16 cpu_switch(struct sclp *sclp, bool on)
{
    u64 standby;
    unsigned cpu = resource(sclp), cpus = sclp_cpus(sclp, &standby);
    if (!sclp->ports->cpu_configure)
        return RC_INVALID_COMMAND;
    if (cpu >= cpus || sclp_cpus_undefined(sclp) >> cpu & 1)
        return RC_INVALID_RESOURCE;
    if (on == !(standby >> cpu & 1))
        return RC_ALREADY;
    if (cpu == 0)
        return RC_NOT_POSSIBLE;
    sclp->ports->cpu_configure(sclp->ctx, cpu, on);
    return RC_NORMAL;
}

u16 sclp_configure_cpu(struct sclp *sclp, u8 *sccb, u32 len)
{
    (void)sccb;
    (void)len;
    return cpu_switch(sclp, true);
}

u16 sclp_deconfigure_cpu(struct sclp *sclp, u8 *sccb, u32 len)
{
    (void)sccb;
    (void)len;
    return cpu_switch(sclp, false);
}

/* ---- channel paths ---- */

#define CHP_RECOGNIZED 8
#define CHP_STANDBY 40
#define CHP_CONFIGURED 72
#define CHP_INFO_BYTES 112u

static u16 chp_switch(struct sclp *sclp, bool on)
{
    struct css *css = sclp->config.css;
    u8 chpid = (u8)resource(sclp);
    if (!css)
        return RC_INVALID_COMMAND;
    if (css_chp_state(css, chpid) == CSS_CHP_ABSENT)
        return RC_INVALID_RESOURCE;
    return css_chp_configure(css, chpid, on, false) ? RC_NORMAL : RC_ALREADY;
}

u16 sclp_configure_chp(struct sclp *sclp, u8 *sccb, u32 len)
{
    (void)sccb;
    (void)len;
    return chp_switch(sclp, true);
}

u16 sclp_deconfigure_chp(struct sclp *sclp, u8 *sccb, u32 len)
{
    (void)sccb;
    (void)len;
    return chp_switch(sclp, false);
}

u16 sclp_read_chp_info(struct sclp *sclp, u8 *sccb, u32 len)
{
    if (!sclp->config.css)
        return RC_INVALID_COMMAND;
    if (len < CHP_INFO_BYTES)
        return RC_SHORT_SCCB;
    memset(sccb + SCCB_HEADER, 0, len - SCCB_HEADER);
    for (unsigned id = 0; id < 256; id++) {
        enum css_chp state = css_chp_state(sclp->config.css, (u8)id);
        u8 bit = (u8)(0x80 >> id % 8);
        if (state != CSS_CHP_ABSENT)
            sccb[CHP_RECOGNIZED + id / 8] |= bit;
        if (state == CSS_CHP_STANDBY)
            sccb[CHP_STANDBY + id / 8] |= bit;
        if (state == CSS_CHP_CONFIGURED)
            sccb[CHP_CONFIGURED + id / 8] |= bit;
    }
    return RC_NORMAL_READ;
}

/* ---- storage ---- */

/* Increments of element 0; those behind are element 1's. */
static u64 base_increments(const struct sclp *sclp)
{
    return sclp->config.storage_bytes / sclp->storage->increment_bytes;
}

u16 sclp_read_element(struct sclp *sclp, u8 *sccb, u32 len)
{
    const struct storage *st = sclp->storage;
    u64 base = base_increments(sclp), all = storage_increments(st);
    unsigned element = resource(sclp);
    u16 assigned = 0;
    if (!sclp->config.standby_bytes || element > 1)
        return RC_INVALID_COMMAND;
    u64 first = element ? base : 0, last = element ? all : base;
    if (len < ELEMENT_ENTRIES + 4 * (last - first))
        return RC_SHORT_SCCB;
    memset(sccb + SCCB_HEADER, 0, len - SCCB_HEADER);
    for (u64 i = first; i < last; i++)
        if (storage_increment_present(st, i))
            be32_store(sccb + ELEMENT_ENTRIES + 4 * assigned++, (u32)(i + 1) << 16);
    be16_store(sccb + ELEMENT_MAX, 1);
    be16_store(sccb + ELEMENT_ASSIGNED, assigned);
    be16_store(sccb + ELEMENT_STANDBY, (u16)(last - first - assigned));
    return element && !assigned ? RC_READ_STANDBY : RC_NORMAL_READ;
}

/* An element needs no attaching: its increments can be assigned as they are. None is, by this. */
u16 sclp_attach_element(struct sclp *sclp, u8 *sccb, u32 len)
{
    if (!sclp->config.standby_bytes || resource(sclp) > 1)
        return RC_INVALID_COMMAND;
    if (len < ELEMENT_ENTRIES)
        return RC_SHORT_SCCB;
    memset(sccb + SCCB_HEADER, 0, ELEMENT_ENTRIES - SCCB_HEADER);
    be16_store(sccb + ELEMENT_MAX, 1);
    return resource(sclp) ? RC_NORMAL : RC_ALREADY;
}

static u16 increment_switch(struct sclp *sclp, const u8 *sccb, u32 len, bool present)
{
    if (!sclp->config.standby_bytes)
        return RC_INVALID_COMMAND;
    if (len < INCREMENT_NUMBER + 2)
        return RC_SHORT_SCCB;
    u16 number = be16_load(sccb + INCREMENT_NUMBER); /* from 1 */
    if (!number || number > storage_increments(sclp->storage))
        return RC_INVALID_RESOURCE;
    if (storage_increment_present(sclp->storage, number - 1u) == present)
        return RC_ALREADY;
    if (number == 1)
        return RC_NOT_POSSIBLE;
    storage_increment_set(sclp->storage, number - 1u, present);
    if (sclp->ports->storage_changed)
        sclp->ports->storage_changed(sclp->ctx);
    return RC_NORMAL;
}

u16 sclp_assign(struct sclp *sclp, u8 *sccb, u32 len)
{
    return increment_switch(sclp, sccb, len, true);
}

u16 sclp_unassign(struct sclp *sclp, u8 *sccb, u32 len)
{
    return increment_switch(sclp, sccb, len, false);
}

/* ---- by the machine's owner ---- */

void sclp_set_size(struct sclp *sclp, u64 storage_bytes, u64 standby_bytes, unsigned cpus)
{
    lock_take(&sclp->lock);
    sclp->config.storage_bytes = storage_bytes;
    sclp->config.standby_bytes = standby_bytes;
    sclp->config.cpus = cpus;
    lock_drop(&sclp->lock);
}

void sclp_set_loadparm(struct sclp *sclp, const char *loadparm)
{
    lock_take(&sclp->lock);
    snprintf(sclp->config.loadparm, sizeof sclp->config.loadparm, "%s", loadparm);
    lock_drop(&sclp->lock);
}

void sclp_cpus_changed(struct sclp *sclp)
{
    static const u8 event[] = {0, 8, EVT_CONFIGURATION, 0, 0, 0, 0, 1}; /* CPU change */
    lock_take(&sclp->lock);
    if (sclp_event_add_locked(sclp, event, sizeof event) == ST_OK)
        sclp_pend_locked(sclp, 1);
    lock_drop(&sclp->lock);
}
