/* The executor: carries out start, halt, clear and resume functions, one subchannel at a time.
 * Guarantee: between two CCWs it looks for clear, halt and quiesce, so that none waits for the
 * end of a channel program; a command that answers DEV_WAIT keeps no thread and moved no data.
 * The lock is held but while a CCW is fetched and performed. */
#include "io/css_internal.h"

#define STEPS_PER_TURN 256  /* then others of the machine have their turn */
#define ATTEMPTS_BACKOFF 5u /* 1, 3, 7 ... 31 starts without one behind attempts that failed */

bool chan_claim_locked(struct subchannel *sub)
{
    bool claimed = !sub->scheduled && !sub->css->dead;
    if (claimed) {
        sub->scheduled = true;
        sub->css->refs++;
    }
    return claimed;
}

void chan_schedule(struct subchannel *sub)
{
    struct css *css = sub->css;
    lock_take(&css->lock);
    bool run = chan_claim_locked(sub);
    lock_drop(&css->lock);
    if (run)
        css->ports->run(css->ctx, chan_run, sub);
}

void css_device_ready(struct css *css, u32 schid)
{
    lock_take(&css->lock);
    struct subchannel *sub = css_sub_locked(css, schid);
    bool wake = sub_has_device(sub);
    if (wake) {
        sub->kicked = true;
        wake = sub->s.waiting && !css->quiesced;
    }
    lock_drop(&css->lock);
    if (wake)
        chan_schedule(sub);
}

static void cancel_unlocked(struct subchannel *sub)
{
    lock_drop(&sub->css->lock);
    if (sub->ops->cancel)
        sub->ops->cancel(sub->dev);
    lock_take(&sub->css->lock);
}

/** Status is complete: make it pending. */
static void present(struct subchannel *sub, u32 sc)
{
    sub->s.scsw0 |= sc | SC_PENDING;
    css_enqueue_locked(sub);
}

static void halted_unlocked(struct subchannel *sub)
{
    if (!sub->ops->halted)
        return;
    lock_drop(&sub->css->lock);
    sub->ops->halted(sub->dev);
    lock_take(&sub->css->lock);
}

static void do_clear(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    if (s->active)
        cancel_unlocked(sub);
    halted_unlocked(sub);
    s->active = s->waiting = s->chained = 0;
    s->scsw0 = FC_CLEAR;
    s->scsw_ds = s->scsw_ss = 0;
    s->scsw_count = 0;
    s->scsw_ccw = 0;
    s->pnom = s->lpum = 0;
    s->pom = 0xff;
    s->ecw_bytes = s->sense_bytes = 0;
    present(sub, 0);
}

static void do_halt(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    bool running = s->active && !(s->scsw0 & (AC_SUSPENDED | AC_START));
    bool idle = !(s->scsw0 & FC_START);
    if (s->active)
        cancel_unlocked(sub);
    halted_unlocked(sub);
    s->active = s->waiting = s->chained = 0;
    s->scsw0 &= ~(AC_ANY | SC_ANY);
    s->scsw_ds = running || idle ? DS_DEVICE_END : 0;
    if (running)
        s->scsw_ds = DS_NORMAL;
    s->scsw_ss = 0;
    present(sub, running ? SC_PRIMARY | SC_SECONDARY : idle ? 0 : SC_PRIMARY);
}

/** The channel program ended: `us` from the device, the rest from io. */
static void do_end(struct subchannel *sub, const struct dev_io *io, u8 us)
{
    struct sub_state *s = &sub->s;
    s->active = s->waiting = s->chained = 0;
    s->scsw0 &= ~(AC_ANY | SC_INTERMEDIATE);
    s->scsw_ccw = io->next_ccw;
    s->scsw_ds = us;
    s->scsw_ss |= io->ss;
    s->scsw_count = (u16)io->residual;
    u32 sc = SC_PRIMARY | SC_SECONDARY;
    if (us & DS_UNIT_CHECK) {
        sc |= SC_ALERT;
        if (s->pmcw_chars & PMCW_S && s->sense_bytes) {
            s->ecw_bytes = s->sense_bytes;
            s->sense_bytes = 0;
            s->scsw0 |= SCSW_E;
        }
    }
    if (io->ss & (SS_CHECKS & ~SS_INCORRECT_LENGTH))
        sc |= SC_ALERT;
    measure_end_locked(sub);
    if (s->logout)
        s->scsw0 |= SCSW_L;
    present(sub, sc);
}

/** No path is left: deferred condition code 3. */
static void do_not_operational(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    s->pnom |= s->lpm & path_installed(sub);
    if (s->active) /* a busy device has heard of it */
        cancel_unlocked(sub);
    s->active = s->waiting = 0;
    if (s->scsw0 & (AC_CLEAR | AC_HALT))
        return; /* they make the status */
    s->scsw0 &= ~(AC_ANY | SC_ANY);
    s->scsw0 |= SCSW_CC | SCSW_N;
    present(sub, SC_ALERT | SC_PRIMARY | SC_SECONDARY);
}

/** The device has status to tell, not a command to take: deferred condition code 1. */
static void do_status_first(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    if (s->active) /* a busy device has heard of it */
        cancel_unlocked(sub);
    s->active = s->waiting = 0;
    if (s->scsw0 & (AC_CLEAR | AC_HALT))
        return; /* they make the status, and this one comes after it */
    s->scsw0 &= ~(AC_ANY | SC_ANY | SCSW_CC);
    s->scsw0 |= SCSW_CC_STATUS;
    s->scsw_ds = s->unsolicited;
    s->unsolicited = 0;
    present(sub, SC_ALERT);
}

/** The first command was answered with busy and other status: the same. */
static void do_refused(struct subchannel *sub, u8 us)
{
    struct sub_state *s = &sub->s;
    s->active = s->waiting = 0;
    s->scsw0 &= ~(AC_ANY | SC_ANY | SCSW_CC);
    s->scsw0 |= SCSW_CC_STATUS;
    s->scsw_ds = us;
    present(sub, SC_ALERT);
}

/** The path of the channel program went: it goes on over another one, or ends. */
static bool path_goes_on(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    bool reset = s->marks & MARK_RESET;
    if (s->lpum & path_available_locked(sub) && !reset)
        return true;
    u8 lost = s->lpum;
    if (!reset) {
        s->pnom |= lost;
        if (path_choose_locked(sub))
            return true;
    }
    s->lpum = lost;
    s->logout = LOGOUT_LPUM_VALID;
    cancel_unlocked(sub);
    if (s->scsw0 & (AC_CLEAR | AC_HALT))
        return false; /* they make the status */
    struct dev_io io = {.ss = SS_INTERFACE_CHECK, .next_ccw = s->next_ccw + 8};
    do_end(sub, &io, 0);
    return false;
}

/** The device is busy with another system's program: the start function is pending again. */
static bool do_busy(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    s->scsw0 = (s->scsw0 & ~(AC_SUBCHANNEL | AC_DEVICE)) | AC_START;
    s->waiting = 1;
    return sub->kicked;
}

/** The first command was accepted; ORB bit I asks to be told. */
static void do_accept(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    s->accepted = 1;
    if (!(s->orb_flags & ORB_I))
        return;
    s->scsw0 |= SCSW_Z;
    present(sub, SC_INTERMEDIATE);
}

static void do_suspend(struct subchannel *sub, const struct dev_io *io)
{
    struct sub_state *s = &sub->s;
    s->scsw0 &= ~(AC_SUBCHANNEL | AC_DEVICE | AC_START);
    s->scsw0 |= AC_SUSPENDED;
    s->scsw_ccw = io->next_ccw;
    s->scsw_count = 0;
    measure_end_locked(sub);
    if (!(s->orb_flags & ORB_U))
        present(sub, SC_INTERMEDIATE);
}

/** One command; true when the executor should look again. */
static bool do_step(struct subchannel *sub)
{
    struct css *css = sub->css;
    struct sub_state *s = &sub->s;
    struct dev_io io;
    u8 us = 0;
    if (!path_goes_on(sub))
        return true;
    if (s->waiting)
        measure_wait_locked(sub, false);
    s->waiting = 0;
    sub->kicked = false;
    lock_drop(&css->lock);
    enum ccw_step step = ccw_step(&io, sub, &us);
    lock_take(&css->lock);
    if (s->scsw0 & (AC_CLEAR | AC_HALT))
        return true; /* they came meanwhile, and make the status */
    if (step == CCW_STEP_BUSY)
        return do_busy(sub);
    if (step == CCW_STEP_REFUSED) {
        do_refused(sub, us);
        return true;
    }
    if (step == CCW_STEP_ELSEWHERE) {
        sub->elsewhere = true;
        return true;
    }
    if (!s->accepted && step != CCW_STEP_SUSPEND && (step != CCW_STEP_END || us))
        do_accept(sub);
    switch (step) {
    case CCW_STEP_BUSY:
    case CCW_STEP_REFUSED:
    case CCW_STEP_ELSEWHERE:
    case CCW_STEP_NEXT: return true;
    case CCW_STEP_WAIT:
        s->waiting = 1;
        measure_wait_locked(sub, true);
        return sub->kicked;
    case CCW_STEP_SUSPEND:
        if (s->scsw0 & AC_RESUME)
            s->scsw0 &= ~AC_RESUME;
        else
            do_suspend(sub, &io);
        return true;
    case CCW_STEP_END: break;
    }
    do_end(sub, &io, us);
    return true;
}

/** XSCH took back what the device had heard of. */
static void do_forget(struct subchannel *sub)
{
    sub->s.active = sub->s.waiting = sub->s.chained = 0;
    cancel_unlocked(sub);
}

/** A start function begins, or tries again. False: it ended with a deferred condition code. */
static bool do_start(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    if (!path_choose_locked(sub)) {
        do_not_operational(sub);
        return false;
    }
    if (s->unsolicited && sub->ops->status_first) {
        do_status_first(sub);
        return false;
    }
    s->scsw0 = (s->scsw0 & ~AC_START) | AC_SUBCHANNEL | AC_DEVICE;
    s->active = 1;
    s->waiting = 0;
    sub->kicked = true;
    measure_begin_locked(sub);
    return true;
}

/** Do the most urgent thing; false when there is nothing to do now. */
static bool chan_work(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    if (!sub_has_device(sub))
        return false;
    if (s->scsw0 & AC_CLEAR) {
        do_clear(sub);
        return false;
    }
    if (s->scsw0 & AC_HALT) {
        do_halt(sub);
        return false;
    }
    if (s->active && !s->waiting && !(s->scsw0 & (AC_SUBCHANNEL | AC_DEVICE | AC_SUSPENDED)))
        do_forget(sub);
    if (s->waiting && !sub->kicked)
        return false;
    if (s->scsw0 & AC_START && !do_start(sub))
        return true; /* unless clear or halt came, there is nothing more to do */
    if (s->scsw0 & AC_RESUME && s->scsw0 & AC_SUSPENDED)
        s->scsw0 = (s->scsw0 & ~(AC_RESUME | AC_SUSPENDED)) | AC_SUBCHANNEL | AC_DEVICE;
    if (!s->active || s->scsw0 & AC_SUSPENDED)
        return false;
    return do_step(sub);
}

void chan_turn_begin_locked(struct subchannel *sub)
{
    sub->executing = true;
    sub->css->executing++;
}

bool chan_turn_end_locked(struct subchannel *sub)
{
    bool again = sub->again;
    sub->css->executing--;
    sub->executing = sub->again = false;
    pthread_cond_broadcast(&sub->css->idle);
    return again;
}

/** What the device does at these may wait for the host. */
static bool cancels(const struct subchannel *sub)
{
    const struct sub_state *s = &sub->s;
    return s->scsw0 & (AC_CLEAR | AC_HALT) ||
           (s->active && !(s->scsw0 & (AC_SUBCHANNEL | AC_DEVICE)));
}

/** Is the rest for another thread? Any thread of device work may do everything. */
static bool stops_locked(const struct subchannel *sub)
{
    const struct css_attempt *attempt = sub->attempt;
    bool rest = sub->s.active || sub->s.scsw0 & (AC_START | AC_HALT | AC_CLEAR | AC_RESUME);
    return attempt && rest && (sub->elsewhere || cancels(sub) || !attempt->go_on(attempt->arg));
}

/* At most `steps` of them, as a turn; *again: others wanted something of the subchannel meanwhile,
 * which is for a turn of its own. True when there is more to do. */
static bool execute_locked(struct subchannel *sub, unsigned long steps, bool *again)
{
    struct css *css = sub->css;
    bool more = true;
    chan_turn_begin_locked(sub);
    while (!css->quiesced && more && !stops_locked(sub) && steps--)
        more = chan_work(sub);
    more &= !css->quiesced;
    css_present_locked(sub);
    *again = chan_turn_end_locked(sub);
    return more;
}

bool chan_attempt_pays_locked(struct subchannel *sub)
{
    const struct dev_ops *ops = sub->ops;
    if (!ops->attempt || (ops->attempts && !ops->attempts(sub->dev)))
        return false;
    if (sub->skip_attempts)
        return sub->skip_attempts--, false;
    return true;
}

/** One that failed costs more than none, and who writes, or reads what the host has not in
 *  storage, will most likely go on so. */
static void attempted_locked(struct subchannel *sub)
{
    unsigned failed = sub->elsewhere ? sub->failed_attempts + 1u : 0;
    sub->failed_attempts = (u8)(failed < ATTEMPTS_BACKOFF ? failed : ATTEMPTS_BACKOFF);
    sub->skip_attempts = (u8)((1u << sub->failed_attempts) - 1);
    sub->attempt = NULL;
}

/* The turn of who has claimed the subchannel. `attempt`: NULL for a thread of device work. */
static bool turn(struct subchannel *sub, const struct css_attempt *attempt)
{
    struct css *css = sub->css;
    lock_take(&css->lock);
    sub->scheduled = false;
    bool more = false, again = false;
    if (sub->executing) {
        sub->again = true; /* no thread waits for another one's turn */
    } else {
        sub->attempt = attempt;
        sub->elsewhere = false;
        more = execute_locked(sub, STEPS_PER_TURN, &again);
        if (attempt)
            attempted_locked(sub);
    }
    if (more || again) {
        lock_drop(&css->lock);
        chan_schedule(sub);
        lock_take(&css->lock);
    }
    css_unref_locked(css); /* who is woken finds this thread ready for what he starts next */
    return !more;
}

void chan_run(void *arg)
{
    (void)turn(arg, NULL);
}

bool css_attempt(struct subchannel *sub, const struct css_attempt *attempt)
{
    return turn(sub, attempt);
}

void css_attempt_not(struct subchannel *sub)
{
    struct css *css = sub->css;
    css->ports->run(css->ctx, chan_run, sub);
}

bool chan_execute(struct subchannel *sub, unsigned long steps)
{
    lock_take(&sub->css->lock);
    bool again, more = execute_locked(sub, steps, &again);
    lock_drop(&sub->css->lock);
    if (again)
        chan_schedule(sub);
    return !more;
}
