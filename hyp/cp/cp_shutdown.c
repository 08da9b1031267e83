/* Ends and waits: SIGNAL SHUTDOWN, SHUTDOWN, SLEEP. A guest that was signalled has its time;
 * when it ends by itself or the time is over, the next step follows. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

static const struct cp_ports *ports(const struct cp *cp)
{
    return &cp->ports;
}

/* To whoever signalled; the operator when nobody is there. */
static void tell_signaller(struct cp_user *user, const char *text)
{
    struct cp_user *by = cp_user_find(user->cp, user->signal_by);
    if (by)
        cp_user_tell(by, "%s", text);
    else
        cp_operator_tell(user->cp, "%s", text);
}

static void signal_timed_out(void *arg)
{
    struct cp_user *user = arg;
    char text[MSG_LINE_BYTES];
    user->signal_timer = 0;
    msg_format(text, sizeof text, MSG_SIG2114I, user->userid, user->signal_within_s);
    tell_signaller(user, text);
}

static void signal_wait(struct cp_user *user, const char *by, unsigned seconds)
{
    const struct cp_ports *p = ports(user->cp);
    if (user->signal_timer)
        p->timer_cancel(p->ctx, user->signal_timer);
    strcpy(user->signal_by, by);
    user->signal_within_s = seconds;
    user->signal_due_ns = cp_now(user->cp) + seconds * 1000000000ull;
    user->signal_timer = p->timer_start(p->ctx, seconds * 1000ull, signal_timed_out, user);
}

static int within_operand(struct cp_request *req, u64 *seconds)
{
    const char *word = cp_operand(req);
    if (!word || !scan_number(word, 1, CP_SIGNAL_MAX_S, seconds))
        return cp_fail(req, MSG_CMD002E, word ? word : "WITHIN");
    word = cp_operand_peek(req);
    if (word && cp_abbrev(word, "SEConds"))
        cp_operand(req);
    return 0;
}

/* SIGNAL SHUTDOWN userid [WITHIN seconds] */
int cp_cmd_signal(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req), *userid;
    struct cp *cp = req->cp;
    struct cause cause;
    u64 seconds = cp->signal_s;
    int rc = 0;
    (void)ctx;
    if (!word || !cp_abbrev(word, "SHUTdown"))
        return cp_fail(req, MSG_CMD002E, word ? word : "SIGNAL");
    userid = cp_operand(req);
    if (userid && !strcmp(userid, "USER"))
        userid = cp_operand(req);
    if (!cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    if ((word = cp_operand(req)))
        rc = cp_abbrev(word, "WITHin") ? within_operand(req, &seconds)
                                       : cp_fail(req, MSG_CMD003E, word);
    if (rc)
        return rc;
    struct cp_user *user = cp_user_find(cp, userid);
    if (!user)
        return cp_fail(req, MSG_CMD045E, userid);
    if (user->signal_timer)
        return cp_fail(req, MSG_SIG2115E, userid);
    if (cp->ports.vm->signal_shutdown(user->vm, (unsigned)seconds, &cause))
        return cp_fail(req, MSG_SIG2112E, userid);
    signal_wait(user, req->userid, (unsigned)seconds);
    return 0;
}

/* --- SHUTDOWN ---------------------------------------------------------------------------- */

static void finish_shutdown(void *arg)
{
    struct cp *cp = arg;
    bool reipl = cp->shutdown_reipl;
    cp->shutdown_timer = 0;
    cp_operator_tell(cp, "HCPWRP961W SYSTEM SHUTDOWN COMPLETE");
    for (struct cp_user *u; (u = cp_user_next(cp, NULL)) != NULL;)
        cp_session_end(u, true);
    cp->shut = true; /* who is still arriving is its relocation's to end */
    if (cp->ports.shutdown)
        cp->ports.shutdown(cp->ports.ctx, reipl);
}

static void schedule_finish(struct cp *cp, u64 delay_ms)
{
    if (cp->shutdown_timer)
        ports(cp)->timer_cancel(cp->ports.ctx, cp->shutdown_timer);
    cp->shutdown_timer = ports(cp)->timer_start(cp->ports.ctx, delay_ms, finish_shutdown, cp);
}

static bool anybody_signalled(const struct cp *cp)
{
    for (const struct cp_user *u = cp->users; u; u = u->next)
        if (u->signal_timer)
            return true;
    return false;
}

/* A guest that was signalled before keeps its time, or has what is left of the system's. */
static void signal_everybody(struct cp_request *req, u64 seconds)
{
    struct cp *cp = req->cp;
    struct cause cause;
    for (struct cp_user *u = cp_user_next(cp, NULL); u; u = cp_user_next(cp, u)) {
        bool before = u->signal_timer != 0;
        if (before ? u->signal_within_s <= seconds
                   : cp->ports.vm->signal_shutdown(u->vm, (unsigned)seconds, &cause) != 0)
            continue;
        signal_wait(u, req->userid, (unsigned)seconds);
    }
}

/* SHUTDOWN [REIPL] [WITHIN seconds | IMMEDIATE] */
int cp_cmd_shutdown(struct cp_request *req, void *ctx)
{
    struct cp *cp = req->cp;
    u64 seconds = cp->signal_s;
    bool reipl = false;
    const char *word;
    int rc = 0;
    (void)ctx;
    while (!rc && (word = cp_operand(req))) {
        if (cp_abbrev(word, "REIpl"))
            reipl = true;
        else if (cp_abbrev(word, "IMMEDiate"))
            seconds = 0;
        else if (cp_abbrev(word, "WITHin"))
            rc = within_operand(req, &seconds);
        else
            rc = cp_fail(req, MSG_CMD003E, word);
    }
    if (rc)
        return rc;
    if (cp->shutting_down && seconds)
        return cp_fail(req, MSG_WRP962E);
    cp->shutting_down = true;
    cp->shutdown_reipl = reipl;
    cp_line(req, "SYSTEM SHUTDOWN STARTED");
    cp_operator_tell(cp, "HCPWRP960I SYSTEM SHUTDOWN STARTED BY %s", req->userid);
    if (seconds)
        signal_everybody(req, seconds);
    schedule_finish(cp, seconds && anybody_signalled(cp) ? seconds * 1000 : 0);
    return 0;
}

static bool stands(struct cp_user *user)
{
    struct vm_info info;
    user->cp->ports.vm->info(user->vm, &info);
    return info.state != VM_RUNNING && info.state != VM_ENABLED_WAIT;
}

void cp_guest_stopped(struct cp_user *user, bool reported)
{
    struct cp *cp = user->cp;
    char text[MSG_LINE_BYTES];
    reported = reported && user->signal_timer;
    if (reported) {
        ports(cp)->timer_cancel(cp->ports.ctx, user->signal_timer);
        user->signal_timer = 0;
        msg_format(text, sizeof text, MSG_SIG2113I, user->userid);
        tell_signaller(user, text);
    }
    if ((reported && user->disconnected) || (cp->shutting_down && (reported || stands(user))))
        cp_logoff(user, NULL);
}

void cp_shutdown_goes_on(struct cp *cp)
{
    if (cp->shutdown_timer && !anybody_signalled(cp))
        schedule_finish(cp, 0);
}

/* --- SLEEP ------------------------------------------------------------------------------- */

static void awake(void *arg)
{
    struct cp_request *req = arg;
    req->timer = 0;
    cp_complete(req, 0);
}

/* SLEEP n {SEC | MIN | HRS} */
int cp_cmd_sleep(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req), *unit;
    u64 n, ms = 60000;
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!scan_number(word, 0, 99, &n))
        return cp_fail(req, MSG_CMD002E, word);
    if ((unit = cp_operand(req))) {
        if (cp_abbrev(unit, "SEConds"))
            ms = 1000;
        else if (cp_abbrev(unit, "HRs"))
            ms = 3600000;
        else if (!cp_abbrev(unit, "MINutes"))
            return cp_fail(req, MSG_CMD003E, unit);
    }
    req->timer = req->cp->ports.timer_start(req->cp->ports.ctx, n * ms, awake, req);
    return CP_LATER;
}
