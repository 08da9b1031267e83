/* Reserve, release, unconditional reserve, where other guests have the volume, too
 * (io/image/hold.h): a channel program that touches the volume begins only while no other guest
 * has it reserved, else the device is busy and the start function pending. What identifies
 * the device is answered always. A reservation is of the volume as this guest has it, through
 * its base and its aliases. */
#include "io/dasd/eckd_internal.h"
#include "io/image/hold.h"

bool eckd_reserved(const struct eckd *d, bool *elsewhere)
{
    struct hold *hold = d->v->img ? image_hold(d->v->img) : NULL;
    enum hold_state state = hold_state(hold);
    *elsewhere = state == HOLD_ELSEWHERE;
    return hold ? state == HOLD_HERE : d->s.reserved;
}

/* Each gives sense data, as sense would. */
static int answer(struct eckd *d, struct dev_io *io, bool reserved)
{
    u8 sense[ECKD_SENSE_BYTES] = {0};
    d->s.reserved = reserved;
    dev_io_put(io, sense, sizeof sense);
    return DS_NORMAL;
}

int eckd_reserve(struct eckd *d, struct dev_io *io)
{
    u8 command = dev_io_command(io);
    if (d->s.extent || d->s.locate_count)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (!reserve_command(&d->reserve, d->v->img, command))
        return reserve_busy(io);
    return answer(d, io, command != ECKD_RELEASE);
}

bool eckd_reserve_lost(struct eckd *d, struct dev_io *io, int *us)
{
    if (d->type != ECKD_UNIT_BASE || dev_io_chained(io) ||
        !reserve_lost(&d->reserve, d->v->img))
        return false;
    *us = eckd_check(d, io, 0, 0);
    d->sense[7] = RESERVE_SENSE7_RESET_NOTIFICATION;
    dev_io_sense(io, d->sense, sizeof d->sense);
    return true;
}

/** Somebody let the volume go: whoever of this machine waited for it tries again. */
static void wake(void *arg)
{
    struct eckd *d = arg;
    u8 unit[2 * ECKD_UNITS];
    eckd_lcu_units(d, unit);
    for (u32 i = 0; i < ECKD_UNITS; i++)
        if (unit[2 * i])
            css_device_ready(d->css, css_find_devno(d->css, (u32)(d->devno & 0xff00) | i));
}

void eckd_reserve_watch(struct eckd *d, bool on)
{
    if (d->type == ECKD_UNIT_BASE && d->v && d->v->img) {
        hold_watch(image_hold(d->v->img), on ? wake : NULL, d);
        reserve_told(&d->reserve, d->v->img, false);
    }
}

void eckd_reserve_reset(struct eckd *d)
{
    if (d->type == ECKD_UNIT_BASE)
        hold_release(image_hold(d->v->img));
    reserve_told(&d->reserve, d->v->img, false);
}

void eckd_reserve_save(struct eckd *d)
{
    bool elsewhere;
    if (d->type != ECKD_UNIT_BASE)
        return;
    d->s.reserved = eckd_reserved(d, &elsewhere);
    d->s.lost = reserve_untold(&d->reserve, d->v->img);
}

void eckd_reserve_restore(struct eckd *d)
{
    struct hold *hold = d->v->img ? image_hold(d->v->img) : NULL;
    if (!hold || d->type != ECKD_UNIT_BASE)
        return;
    reserve_told(&d->reserve, d->v->img, d->s.lost);
    if (d->s.reserved)
        d->s.reserved = hold_keep(hold); /* or somebody else was faster */
}
