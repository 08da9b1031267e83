/* One CCW: fetch and checks, transfer in channel, suspend, PCI, the basic commands, and the
 * decision what comes next. Principles of Operation chapter 15. Runs without the css lock. */
#include "io/css_internal.h"

#define CMD_SENSE 0x04
#define CMD_NOP 0x03
#define CMD_SENSE_ID 0xe4
#define CMD_READ_BACKWARD 0x0c /* in the last four bits; modifiers before them */
#define CCW_BYTES 8u

static bool check(struct dev_io *io, u8 ss)
{
    io->ss |= ss;
    return false;
}

struct ccw {
    u8 command, flags;
    u32 count, addr;
    bool tic, zero_ok, form_ok;
};

static void ccw_decode0(const u8 *raw, struct ccw *ccw)
{
    ccw->command = raw[0];
    ccw->addr = be32_load(raw) & 0x00ffffff;
    ccw->flags = raw[4];
    ccw->count = be16_load(raw + 6);
    ccw->tic = (raw[0] & 0x0f) == 0x08;
    ccw->zero_ok = false;
    ccw->form_ok = true;
}

static void ccw_decode1(const u8 *raw, struct ccw *ccw)
{
    ccw->command = raw[0];
    ccw->flags = raw[1];
    ccw->count = be16_load(raw + 2);
    ccw->addr = be32_load(raw + 4);
    ccw->tic = (raw[0] & 0x0f) == 0x08;
    ccw->zero_ok = true;
    ccw->form_ok = !(ccw->addr & 0x80000000u) && (!ccw->tic || be32_load(raw) == 0x08000000u);
}

static bool ccw_load(struct dev_io *io, u32 addr, struct ccw *ccw)
{
    u8 raw[CCW_BYTES];
    u32 limit = io->sub->s.orb_flags & ORB_F ? 0x80000000u : 0x01000000u;
    io->next_ccw = addr + CCW_BYTES;
    if (addr % CCW_BYTES || addr >= limit)
        return check(io, SS_PROGRAM_CHECK);
    if (!ccw_fetch_bytes(io, addr, raw, sizeof raw))
        return false;
    if (io->sub->s.orb_flags & ORB_F)
        ccw_decode1(raw, ccw);
    else
        ccw_decode0(raw, ccw);
    return ccw->form_ok || check(io, SS_PROGRAM_CHECK);
}

/** Load the CCW at addr, following one transfer in channel. */
static bool ccw_load_tic(struct dev_io *io, u32 addr, bool tic_ok, struct ccw *ccw)
{
    if (!ccw_load(io, addr, ccw))
        return false;
    io->ccw_addr = addr;
    if (!ccw->tic)
        return true;
    if (!tic_ok)
        return check(io, SS_PROGRAM_CHECK);
    u32 to = ccw->addr;
    if (!ccw_load(io, to, ccw))
        return false;
    io->ccw_addr = to;
    return !ccw->tic || check(io, SS_PROGRAM_CHECK);
}

bool ccw_fetch(struct dev_io *io, u32 addr, bool data_chained)
{
    struct ccw ccw;
    u32 orb = io->sub->s.orb_flags;
    if (!ccw_load_tic(io, addr, data_chained || io->sub->s.chained, &ccw))
        return false;
    bool bad = (ccw.flags & CCW_SUSPEND && (!(orb & ORB_S) || data_chained)) ||
               (ccw.flags & CCW_MIDA && (!(orb & ORB_D) || ccw.flags & CCW_IDA));
    if (!data_chained) {
        bad |= !(ccw.command & 0x0f);
        io->command = ccw.command;
        io->command_addr = io->ccw_addr;
        io->backward = (ccw.command & 0x0f) == CMD_READ_BACKWARD;
        io->count = ccw.count;
    }
    bad |= !ccw.count && (!ccw.zero_ok || data_chained || ccw.flags & CCW_CD);
    io->flags = ccw.flags;
    io->data_addr = ccw.addr;
    io->residual = ccw.count;
    if (bad)
        return check(io, SS_PROGRAM_CHECK);
    ccw_data_begin(io);
    return true;
}

static void ccw_pci(struct dev_io *io)
{
    struct subchannel *sub = io->sub;
    lock_take(&io->css->lock);
    if (!(sub->s.scsw0 & (AC_CLEAR | AC_HALT))) { /* they have taken back all status */
        sub->s.scsw0 |= SC_INTERMEDIATE | SC_PENDING;
        sub->s.scsw_ss |= SS_PCI;
        sub->s.scsw_ccw = io->next_ccw;
        css_enqueue_locked(sub);
    }
    lock_drop(&io->css->lock);
}

void ccw_chain_pci(struct dev_io *io)
{
    if (io->flags & CCW_PCI && !(io->sub->s.marks & MARK_TAKEN))
        ccw_pci(io);
}

/** PCI of the command's own CCW: once, though the command may begin again. */
static void command_pci(struct dev_io *io, u8 flags)
{
    struct sub_state *s = &io->sub->s;
    if (!(flags & CCW_PCI) || s->marks & MARK_PCI)
        return;
    s->marks |= MARK_PCI;
    ccw_pci(io);
}

static int do_sense(struct dev_io *io)
{
    struct sub_state *s = &io->sub->s;
    u8 sense[SENSE_BYTES_MAX] = {0};
    if (s->sense_bytes)
        memcpy(sense, s->sense, sizeof sense);
    else if (io->sub->ops->idle_sense)
        io->sub->ops->idle_sense(io->sub->dev, sense);
    s->sense_bytes = 0;
    memset(s->sense, 0, sizeof s->sense);
    dev_io_put(io, sense, sizeof sense);
    io->more = false; /* sense is as long as the program asks for, up to 32 */
    return DS_NORMAL;
}

static int perform(struct dev_io *io)
{
    struct subchannel *sub = io->sub;
    const struct dev_ops *ops = sub->ops;
    if (!sub->s.chained && ops->begin)
        ops->begin(sub->dev);
    switch (io->command) {
    case CMD_NOP:
        if (!ops->takes_nop)
            return DS_NORMAL;
        break;
    case CMD_SENSE: return do_sense(io);
    case CMD_SENSE_ID:
        if (ops->sense_id_bytes) {
            dev_io_put(io, ops->sense_id, ops->sense_id_bytes);
            return DS_NORMAL;
        }
        break;
    default: break;
    }
    sub->s.sense_bytes = 0; /* another command ends the contingent connection */
    return sub->attempt ? ops->attempt(sub->dev, io) : ops->start(sub->dev, io);
}

/** Incorrect length, by the table under "Incorrect-Length-Indication" in chapter 16. */
static bool length_wrong(const struct dev_io *io)
{
    u32 orb = io->sub->s.orb_flags;
    bool sli = io->flags & CCW_SLI;
    if (!io->transferred) { /* immediate operation */
        if (!io->count || !(orb & ORB_F) || orb & ORB_L)
            return false;
        return io->flags & CCW_CD || !sli;
    }
    if (io->flags & CCW_CD)
        return true;
    return !sli && (io->residual || io->more);
}

/** The count of a data-chained CCW is exhausted: the next one takes over before the device has
 *  more, so that the status of the end is about that one. */
static void chain_data(struct dev_io *io)
{
    while (io->transferred && io->flags & CCW_CD && !io->residual && !(io->ss & SS_CHECKS) &&
           ccw_fetch(io, io->next_ccw, true))
        ccw_chain_pci(io);
}

static enum ccw_step program_end(struct dev_io *io, int us, u8 *unit_status)
{
    const struct dev_ops *ops = io->sub->ops;
    if (ops->end)
        us = ops->end(io->sub->dev, io, us);
    *unit_status = (u8)us;
    return CCW_STEP_END;
}

enum ccw_step ccw_step(struct dev_io *io, struct subchannel *sub, u8 *unit_status)
{
    struct sub_state *s = &sub->s;
    *io = (struct dev_io){.css = sub->css,
                          .sub = sub,
                          .storage = sub->foreign ? sub->foreign->storage : sub->css->storage};
    if (!ccw_fetch(io, s->next_ccw, false))
        return program_end(io, 0, unit_status);
    if (io->flags & CCW_SUSPEND) {
        s->next_ccw = io->command_addr; /* resume fetches it again */
        return CCW_STEP_SUSPEND;
    }
    u8 flags = io->flags;
    if (s->chained)
        command_pci(io, flags);
    int us = perform(io);
    if (us == DEV_ELSEWHERE) {
        s->next_ccw = io->command_addr;
        s->marks |= io->transferred ? MARK_TAKEN : 0;
        return CCW_STEP_ELSEWHERE;
    }
    if (us == DS_BUSY && !s->chained)
        return CCW_STEP_BUSY;
    *unit_status = (u8)us;
    if (us != DEV_WAIT && us & DS_BUSY && !s->chained)
        return CCW_STEP_REFUSED;
    command_pci(io, flags); /* of the first command: it was accepted */
    if (us == DEV_WAIT) {
        s->next_ccw = io->command_addr;
        s->marks |= io->transferred ? MARK_TAKEN : 0;
        return CCW_STEP_WAIT;
    }
    chain_data(io);
    if (io->ss & SS_CHECKS)
        us |= DS_CHANNEL_END | DS_DEVICE_END;
    else if (!(us & DS_UNIT_CHECK) && length_wrong(io))
        io->ss |= SS_INCORRECT_LENGTH;
    bool good = (us & ~DS_STATUS_MODIFIER) == DS_NORMAL && !io->ss;
    if (!good || !(io->flags & CCW_CC) || io->flags & CCW_CD)
        return program_end(io, us, unit_status);
    s->next_ccw = io->next_ccw + (us & DS_STATUS_MODIFIER ? CCW_BYTES : 0);
    s->previous = io->command;
    s->chained = 1;
    s->marks &= (u8) ~(MARK_PCI | MARK_TAKEN);
    return CCW_STEP_NEXT;
}
