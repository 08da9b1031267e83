/* CCW-type IPL of the channel subsystem (Principles of Operation chapter 17).
 * Runs the channel program on the calling thread; no interruption is made. */
#include "io/css_internal.h"

#define IPL_BYTES 24u
#define IPL_CCW_ABS 0x00u
#define IPL_SCHID_ABS 184u
#define IPL_STEPS_MAX 1000000ul /* CCWs of an IPL program; more of them never end */

/**
 * The implied CCW (read 24 bytes to 0, command chaining, SLI) is put at absolute 0, where the
 * read overwrites it; its successor is then at 8, as the architecture has it.
 */
static int ipl_start(struct css *css, u16 devno, struct subchannel **out, struct cause *cause)
{
    static const u8 read_ipl[8] = {0x02, 0, 0, 0, CCW_CC | CCW_SLI, 0, 0, IPL_BYTES};
    if (!storage_write(css->storage, IPL_CCW_ABS, read_ipl, sizeof read_ipl))
        return cause_set(cause, ST_INVAL, "no storage");
    lock_take(&css->lock);
    struct subchannel *sub = css_device_locked(css, devno);
    if (!sub_has_device(sub)) {
        lock_drop(&css->lock);
        return cause_set(cause, ST_NOENT, "device %04X does not exist", devno);
    }
    sub->s.orb_flags = ORB_LPM;
    sub->s.next_ccw = IPL_CCW_ABS;
    sub->s.scsw0 = FC_START | AC_START;
    sub->s.scsw_ds = sub->s.scsw_ss = 0;
    sub->s.chained = sub->s.previous = 0;
    sub->s.accepted = 1;
    lock_drop(&css->lock);
    *out = sub;
    return ST_OK;
}

/** Judge the ending status, and leave the subchannel enabled with nothing pending. */
static int ipl_finish(struct css *css, u16 devno, struct subchannel *sub, struct cause *cause)
{
    lock_take(&css->lock);
    struct sub_state *s = &sub->s;
    bool ended = s->scsw0 & SC_PENDING, busy = s->scsw0 & AC_START;
    u8 ds = s->scsw_ds, ss = s->scsw_ss;
    u8 sense = s->sense_bytes ? s->sense[0] : 0;
    const struct dev_ops *ops = sub->ops;
    void *dev = sub->dev;
    s->scsw0 = 0;
    s->scsw_ds = s->scsw_ss = 0;
    s->active = s->waiting = s->chained = s->sense_bytes = 0;
    s->pmcw_mode |= PMCW_E;
    lock_drop(&css->lock);
    if (ended && ds == DS_NORMAL && !ss)
        return ST_OK;
    if (!ended && ops->cancel)
        ops->cancel(dev);
    if (!ended)
        return cause_set(cause, ST_BUSY,
                         busy ? "IPL %04X: the device is busy with another system"
                              : "IPL %04X: the device waits for input",
                         devno);
    if (sense & SENSE_INTERVENTION)
        return cause_set(cause, ST_IO, "IPL %04X: the device is not ready", devno);
    return cause_set(cause, ST_IO,
                     "IPL %04X: unit status %02X, channel status %02X, sense %02X", devno, ds,
                     ss, sense);
}

int css_ipl(struct css *css, u16 devno, struct cause *cause)
{
    struct subchannel *sub = NULL;
    css_reset(css);
    int rc = ipl_start(css, devno, &sub, cause);
    if (rc != ST_OK)
        return rc;
    bool over = chan_execute(sub, IPL_STEPS_MAX);
    rc = ipl_finish(css, devno, sub, cause);
    if (!over)
        rc = cause_set(cause, ST_LIMIT, "IPL %04X: the channel program does not end", devno);
    if (rc != ST_OK)
        return rc;
    u8 word[8] = {0};
    be32_store(word, sub_schid(sub));
    storage_write(css->storage, IPL_SCHID_ABS, word, sizeof word);
    return ST_OK;
}
