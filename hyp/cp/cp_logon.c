/* LOGON, LOGOFF, XAUTOLOG, DISCONNECT, FORCE. A USER is logged on once in the cluster: its
 * claim is taken before the session exists and given back after it has gone. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_directory.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_net.h"
#include "hyp/cp/cp_spool.h"
#include "hyp/cp_terminal.h"

const char *cp_where(const struct cp_user *user, char out[DIR_NAME_BYTES + 8])
{
    if (user->disconnected)
        strcpy(out, "DSC");
    else
        snprintf(out, DIR_NAME_BYTES + 8, "L%04X", user->ldev & 0xffff);
    return out;
}

/* --- coming ------------------------------------------------------------------------------ */

/* The claim of a single-configuration user. 0, or a status with the owner or a cause. */
static int take_claim(struct cp *cp, const struct dir_entry *entry, u64 *generation,
                      char owner[CONFIG_NAME_BYTES], struct cause *cause)
{
    *generation = 0;
    if (!cp->cluster || entry->kind == DIR_IDENTITY)
        return ST_OK;
    return cp->cluster->claim(cp->cluster_ctx, entry->userid, generation, owner, cause);
}

int cp_claim_take(struct cp *cp, const char *userid, u64 *generation,
                  char owner[CONFIG_NAME_BYTES], struct cause *cause)
{
    const struct dir_entry *entry = directory_find(cp->directory, userid);
    if (!entry)
        return cause_set(cause, ST_NOENT, "%.8s is not in the CP directory", userid);
    if (cp->shutting_down)
        return cause_set(cause, ST_REFUSED, "the system is shutting down");
    return take_claim(cp, entry, generation, owner, cause);
}

void cp_claim_free(struct cp *cp, const char *userid, u64 generation)
{
    if (generation && cp->cluster)
        cp->cluster->release(cp->cluster_ctx, userid, generation);
}

void cp_user_logged_on(struct cp_user *user)
{
    cp_notify_observers(user, CP_USER_LOGON);
}

static int begin_claimed(struct cp *cp, const struct dir_entry *entry, struct cp_user **out,
                         char owner[CONFIG_NAME_BYTES], struct cause *cause)
{
    u64 generation;
    int status = take_claim(cp, entry, &generation, owner, cause);
    if (status)
        return status;
    status = cp_session_begin(cp, entry, out, cause);
    if (status) {
        if (generation)
            cp->cluster->release(cp->cluster_ctx, entry->userid, generation);
        return status;
    }
    (*out)->claim = generation;
    cp_user_take_files(*out);
    cp_notify_observers(*out, CP_USER_LOGON);
    return ST_OK;
}

/* COMMAND statements of the directory, whose responses go to the console, then its IPL. Who wrote
 * the directory may have the user issue any command: SET VMRELOCATE * DOMAIN, for example. */
static void start_machine(struct cp_user *user, bool ipl)
{
    const struct dir_entry *e = user->entry;
    struct cause cause;
    struct cp *cp = user->cp;
    cp_disks_logon(user);
    cp_nics_logon(user);
    cp_ctcas_logon(user);
    cp_dedicate_logon(user);
    for (unsigned i = 0; i < e->command_count; i++) {
        cp_console_command_as(cp, e->userid, CP_CLASS_ANY, e->commands[i]);
        if (cp_user_find(cp, e->userid) != user)
            return; /* the command was LOGOFF */
    }
    if (!ipl || !e->ipl.present)
        return;
    const struct vm_ipl load = {.is_name = e->ipl.is_name,
                                .devno = e->ipl.vdev,
                                .name = e->ipl.name,
                                .parm = e->ipl.parm[0] ? e->ipl.parm : NULL,
                                .loadparm = e->ipl.loadparm[0] ? e->ipl.loadparm : NULL};
    char line[MSG_LINE_BYTES];
    int refused = load.is_name ? cp_ipl_system_check(user, &load, line) : 0;
    user->cp_read = false;
    if (!refused && cp->ports.vm->ipl(user->vm, &load, &cause))
        refused = msg_format(line, sizeof line, MSG_IPL408E, cause.text);
    if (refused)
        console_write_line(user->console, line);
    user->cp_read = refused;
    if (!refused && load.is_name)
        snprintf(user->iplsys, sizeof user->iplsys, "%s", load.name);
}

static void say_both(struct cp_request *req, struct cp_user *user, const char *text)
{
    cp_line_text(req, text);
    console_write_line(user->console, text);
}

struct greeting {
    struct cp_request *req;
    struct cp_user *user;
};

static void greet_line(void *ctx, const char *text)
{
    const struct greeting *g = ctx;
    say_both(g->req, g->user, text);
}

static void greet(struct cp_request *req, struct cp_user *user, const char *how)
{
    struct cp *cp = req->cp;
    char text[160], stamp[CP_TIME_TEXT_BYTES], files[64];
    say_both(req, user, CP_LEVEL_TEXT);
    cp_logmsg(cp, cp_user_dateformat(user), greet_line, &(struct greeting){req, user});
    spool_look(cp_spool(cp));
    say_both(req, user, cp_spool_files_text(cp, user->userid, files));
    snprintf(text, sizeof text, "%s AT %s", how,
             cp_time_text(cp_user_dateformat(user), cp_now(cp), stamp));
    say_both(req, user, text);
}

static int logon_refused(struct cp_request *req, const char *userid, int status,
                         const char *owner, const struct cause *cause)
{
    (void)userid;
    char where[32];
    if (status != ST_EXIST)
        return cp_fail(req, MSG_LGA092E, cause->text);
    snprintf(where, sizeof where, "AT %s", owner);
    return cp_fail(req, MSG_LGA054E, where);
}

static void forget_loss(struct cp_user *user)
{
    if (user->lost_timer)
        user->cp->ports.timer_cancel(user->cp->ports.ctx, user->lost_timer);
    user->lost_timer = user->lost_due_ns = 0;
}

static int reconnect(struct cp_request *req, struct cp_user *user, const char *by, bool here)
{
    char where[DIR_NAME_BYTES + 8];
    if (user->ending)
        return cp_fail(req, MSG_LGA361E, user->userid);
    if (!user->disconnected && !here)
        return cp_fail(req, MSG_LGA054E, cp_where(user, where));
    user->disconnected = false;
    forget_loss(user);
    snprintf(user->by, sizeof user->by, "%s", by ? by : "");
    user->ldev = ++req->cp->last_ldev;
    greet(req, user, "RECONNECTED");
    cp_operator_tell(req->cp, "USER DSC   RECONNECT  %-8s USERS = %u", user->userid,
                     req->cp->user_count);
    return 0;
}

static int do_logon(struct cp_request *req, const struct dir_entry *entry, const char *by,
                    bool ipl)
{
    struct cp *cp = req->cp;
    struct cp_user *user;
    struct cause cause;
    char owner[CONFIG_NAME_BYTES] = "";
    if (cp->shutting_down)
        return cp_fail(req, MSG_WRP962E);
    int status = begin_claimed(cp, entry, &user, owner, &cause);
    if (status)
        return logon_refused(req, entry->userid, status, owner, &cause);
    snprintf(user->by, sizeof user->by, "%s", by ? by : "");
    user->ldev = ++cp->last_ldev;
    greet(req, user, "LOGON");
    cp_operator_tell(cp, "GRAF L%04X LOGON AS  %-8s USERS = %u", user->ldev & 0xffff,
                     user->userid, cp->user_count);
    start_machine(user, ipl);
    return 0;
}

struct logon {
    const char *userid, *by, *password; /* by NULL: with a password of its own */
    bool here, ipl;
};

/* userid [BY userid] [password] [HERE] [NOIPL] */
static int logon_operands(struct cp_request *req, struct logon *l)
{
    bool password_seen = false;
    const char *word;
    *l = (struct logon){.userid = cp_operand(req), .password = "", .ipl = true};
    if (!cp_userid_ok(l->userid))
        return cp_fail(req, MSG_LGA020E);
    if ((word = cp_operand_peek(req)) && !strcmp(word, "BY")) {
        cp_operand(req);
        if (!cp_userid_ok(l->by = cp_operand(req)))
            return cp_fail(req, MSG_LGA020E);
    }
    while ((word = cp_operand(req))) {
        if (!strcmp(word, "HERE"))
            l->here = true;
        else if (!strcmp(word, "NOIPL"))
            l->ipl = false;
        else if (!password_seen)
            l->password = word, password_seen = true;
        else
            return cp_fail(req, MSG_CMD003E, word);
    }
    return 0;
}

/* What the entry says that the user needs of the cluster. */
static int foresee(struct cp_request *req, const struct dir_entry *entry, size_t at,
                   cp_handler then)
{
    struct cp_wants wants = {0};
    cp_want_user(req->cp, &wants, entry);
    int rc = cp_foresee(req, &wants, at, then, NULL);
    free(wants.want);
    return rc;
}

static int logon_now(struct cp_request *req, const struct logon *l)
{
    if (!cp_logon_allowed(req->cp, l->userid, l->by, l->password))
        return cp_fail(req, MSG_LGA050E);
    struct cp_user *user = cp_user_find(req->cp, l->userid);
    if (!user && !req->foreseen && !req->cp->shutting_down)
        return foresee(req, directory_find(req->cp->directory, l->userid), req->from,
                       cp_cmd_logon);
    return user ? reconnect(req, user, l->by, l->here)
                : do_logon(req, directory_find(req->cp->directory, l->userid), l->by, l->ipl);
}

/* After failed ones: the operands once more. */
static void logon_waited(void *arg)
{
    struct cp_request *req = arg;
    struct logon l;
    req->timer = 0;
    req->at = req->from;
    int rc = logon_operands(req, &l);
    rc = rc ? rc : logon_now(req, &l);
    if (rc != CP_LATER)
        cp_complete(req, rc);
}

/* LOGON userid [BY userid] [password] [HERE] [NOIPL] */
int cp_cmd_logon(struct cp_request *req, void *ctx)
{
    struct logon l;
    (void)ctx;
    req->from = req->at;
    cp_directory_refresh(req->cp);
    int rc = logon_operands(req, &l);
    if (rc)
        return rc;
    if (cp_directory_behind(req->cp))
        return cp_fail(req, MSG_LGA092E, CP_DIRECTORY_BEHIND);
    u64 wait = req->foreseen ? 0 : cp_logon_wait_ms(req->cp, l.userid);
    if (!wait)
        return logon_now(req, &l);
    if (wait > CP_LOGON_WAIT_MAX_MS)
        return cp_fail(req, MSG_LGA092E, "too many attempts; try again later");
    req->timer = req->cp->ports.timer_start(req->cp->ports.ctx, wait, logon_waited, req);
    return CP_LATER;
}

static bool may_autolog(const struct cp_request *req, const struct dir_entry *entry)
{
    if (req->classes & (CP_CLASS('A') | CP_CLASS('B')))
        return true;
    for (unsigned i = 0; i < entry->xautolog_count; i++)
        if (!strcmp(entry->xautolog[i], req->userid))
            return true;
    return false;
}

/* XAUTOLOG userid, AUTOLOG userid [password] */
int cp_cmd_xautolog(struct cp_request *req, void *ctx)
{
    const size_t from = req->at;
    const char *userid = cp_operand(req), *word;
    char where[DIR_NAME_BYTES + 8], owner[CONFIG_NAME_BYTES] = "";
    struct cp *cp = req->cp;
    struct cause cause;
    struct cp_user *user;
    (void)ctx;
    if (!cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    cp_directory_refresh(cp);
    const struct dir_entry *entry = directory_find(cp->directory, userid);
    if (!entry)
        return cp_fail(req, MSG_AUT053E, userid);
    if ((word = cp_operand(req)) && req->command[0] == 'A' &&
        !directory_password_ok(entry, word))
        return cp_fail(req, MSG_LGA050E);
    if (!may_autolog(req, entry) || entry->logon == DIR_LOGON_NOLOG)
        return cp_fail(req, MSG_AUT061E, userid, req->userid);
    if ((user = cp_user_find(cp, userid)))
        return cp_fail(req, MSG_AUT054E, userid, cp_where(user, where));
    if (cp->shutting_down)
        return cp_fail(req, MSG_WRP962E);
    if (cp_directory_behind(cp))
        return cp_fail(req, MSG_AUT059E, userid, CP_DIRECTORY_BEHIND);
    if (!req->foreseen)
        return foresee(req, entry, from, cp_cmd_xautolog);
    int status = begin_claimed(cp, entry, &user, owner, &cause);
    if (status == ST_EXIST)
        return cp_fail(req, MSG_AUT054E, userid, owner);
    if (status)
        return cp_fail(req, MSG_AUT059E, userid, cause.text);
    user->disconnected = true;
    cp_line(req, "Command accepted");
    cp_operator_tell(cp, "AUTO LOGON   ***       %-8s USERS = %u    BY %s", entry->userid,
                     cp->user_count, req->userid);
    start_machine(user, true);
    return 0;
}

/* --- going ------------------------------------------------------------------------------- */

static void usage_text(struct cp_user *user, char out[96])
{
    struct vm_info info = {0};
    user->cp->ports.vm->info(user->vm, &info);
    u64 now = cp_now(user->cp), s = now > user->logon_ns ? now - user->logon_ns : 0;
    s /= 1000000000u;
    u64 v = info.virt_ns / 10000000u, t = info.total_ns / 10000000u;
    snprintf(out, 96,
             "CONNECT= %02llu:%02llu:%02llu VIRTCPU= %03llu:%02llu.%02llu "
             "TOTCPU= %03llu:%02llu.%02llu",
             (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60),
             (unsigned long long)(s % 60), (unsigned long long)(v / 6000),
             (unsigned long long)(v / 100 % 60), (unsigned long long)(v % 100),
             (unsigned long long)(t / 6000), (unsigned long long)(t / 100 % 60),
             (unsigned long long)(t % 100));
}

const char *cp_usage_text(struct cp_user *user, char out[96])
{
    usage_text(user, out);
    return out;
}

void cp_logoff(struct cp_user *user, const char *by)
{
    struct cp *cp = user->cp;
    char userid[DIR_NAME_BYTES], stamp[CP_TIME_TEXT_BYTES], where[DIR_NAME_BYTES + 8];
    strcpy(userid, user->userid);
    cp_where(user, where);
    cp_user_tell(user, "LOGOFF AT %s",
                 cp_time_text(cp_user_dateformat(user), cp_now(cp), stamp));
    cp_session_end(user, true);
    if (by)
        cp_operator_tell(cp, "USER %-5s LOGOFF AS  %-8s USERS = %u    FORCED BY %s", where,
                         userid, cp->user_count, by);
    else
        cp_operator_tell(cp, "USER %-5s LOGOFF AS  %-8s USERS = %u", where, userid,
                         cp->user_count);
}

void cp_user_end(struct cp_user *user, const char *by)
{
    cp_logoff(user, by);
}

/* LOGOFF [HOLD] */
int cp_cmd_logoff(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    char usage[96], stamp[CP_TIME_TEXT_BYTES];
    const char *word = cp_operand(req);
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (word && !cp_abbrev(word, "HOld"))
        return cp_fail(req, MSG_CMD003E, word);
    console_hold_line(user->console, word != NULL);
    usage_text(user, usage);
    cp_line_text(req, usage);
    cp_line(req, "LOGOFF AT %s",
            cp_time_text(cp_user_dateformat(user), cp_now(req->cp), stamp));
    cp_logoff(user, NULL);
    return 0;
}

/* DISCONNECT [HOLD] */
int cp_cmd_disconnect(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    char stamp[CP_TIME_TEXT_BYTES];
    const char *word = cp_operand(req);
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (word && !cp_abbrev(word, "HOld"))
        return cp_fail(req, MSG_CMD003E, word);
    user->disconnected = true;
    console_hold_line(user->console, word != NULL);
    cp_line(req, "DISCONNECT AT %s",
            cp_time_text(cp_user_dateformat(user), cp_now(req->cp), stamp));
    cp_operator_tell(req->cp, "GRAF L%04X DISCONNECT %-8s USERS = %u", user->ldev & 0xffff,
                     user->userid, req->cp->user_count);
    return 0;
}

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

static void lost_for_good(void *arg)
{
    struct cp_user *user = arg;
    user->lost_timer = 0;
    cp_logoff(user, "SYSTEM");
}

static void lost_until(struct cp_user *user, u64 due_ns)
{
    const struct cp_ports *p = &user->cp->ports;
    u64 now = cp_now(user->cp);
    user->lost_due_ns = due_ns;
    user->lost_timer = p->timer_start(p->ctx, due_ns > now ? (due_ns - now) / NS_PER_MS : 0,
                                      lost_for_good, user);
}

void cp_lost_goes_on(struct cp_user *user)
{
    if (user->lost_due_ns && !user->lost_timer)
        lost_until(user, user->lost_due_ns);
}

void cp_terminal_lost(struct cp *cp, const char *userid)
{
    struct cp_user *user = cp_user_find(cp, userid);
    u64 seconds = cp->config->features.logoff_timeout_s;
    if (!user || user->disconnected)
        return;
    user->disconnected = true;
    cp_operator_tell(cp, "GRAF L%04X DISCONNECT %-8s USERS = %u FORCED BY SYSTEM",
                     user->ldev & 0xffff, user->userid, cp->user_count);
    if (seconds)
        lost_until(user, cp_now(cp) + seconds * NS_PER_S);
}

/* FORCE userid [AT member] */
int cp_cmd_force(struct cp_request *req, void *ctx)
{
    const char *userid = cp_operand(req);
    char member[CONFIG_NAME_BYTES], command[64];
    (void)ctx;
    if (!cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    struct cp *cp = req->cp;
    struct cp_user *user = cp_user_find(cp, userid);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    snprintf(command, sizeof command, "FORCE %s", userid);
    if (!user && !req->remote && !req->here && cp->cluster &&
        cp->cluster->locate(cp->cluster_ctx, userid, member) &&
        strcmp(member, cp->config->member))
        return cp_remote_command(req, member, command);
    if (!user)
        return cp_fail(req, MSG_FOR045E, userid);
    char where[DIR_NAME_BYTES + 8];
    cp_where(user, where);
    cp_line(req, "USER %s LOGOFF AS  %-8s USERS = %u    FORCED BY %s", where, userid,
            cp->user_count - 1, req->userid);
    cp_logoff(user, req->userid);
    return 0;
}
