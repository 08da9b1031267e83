/* Who is behind a virtual machine's console, and what it has been told: QUERY SECUSER, OBSERVER,
 * BYUSER, SIGNALS; the message that who logs on sees (SET LOGMSG).
 * Sources: z/VM CP Commands and Utilities Reference for the words of one user's answers; the form
 * of ALL and of LOGMSG's lines is from memory. */
#include <stdio.h>

#include "hyp/cp/cp_internal.h"

/* ---- SECUSER, OBSERVER ---- */

static const char *whereabouts(struct cp *cp, const char *userid)
{
    const struct cp_user *user = cp_user_find(cp, userid);
    return !user ? "NOT LOGGED ON" : user->disconnected ? "DISCONNECTED" : "LOGGED ON";
}

static void tell_viewer(struct cp_request *req, const char *of, const char *kind,
                        const char *viewer)
{
    char before[DIR_NAME_BYTES + 2] = "";
    if (of)
        snprintf(before, sizeof before, "%s: ", of);
    if (*viewer)
        cp_line(req, "%s%s %s IS %s", before, kind, viewer, whereabouts(req->cp, viewer));
    else
        cp_line(req, "%s%s IS UNDEFINED", before, kind);
}

/* QUERY {SECUSER | OBSERVER} [* | ALL | userid]: ALL and others for classes A, B and C. */
int cp_query_viewer(struct cp_request *req, void *ctx)
{
    bool second = req->command[0] == 'S';
    const char *kind = second ? "SECUSER" : "OBSERVER", *word = cp_operand(req);
    bool all = word && !strcmp(word, "ALL"),
         others = req->classes & (CP_CLASS('A') | CP_CLASS('B') | CP_CLASS('C'));
    const char *target = word && strcmp(word, "*") ? word : req->userid;
    (void)ctx;
    if ((all || strcmp(target, req->userid)) && !others)
        return cp_fail(req, MSG_CQV003E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (all) {
        for (const struct cp_user *u = req->cp->users; u; u = u->next)
            if (*(second ? u->secuser : u->observer))
                tell_viewer(req, u->userid, kind, second ? u->secuser : u->observer);
        return 0;
    }
    const struct cp_user *user = cp_user_find(req->cp, target);
    if (!user)
        return cp_fail(req, MSG_CMD045E, target);
    tell_viewer(req, strcmp(target, req->userid) ? target : NULL, kind,
                second ? user->secuser : user->observer);
    return 0;
}

/* ---- BYUSER ---- */

/* QUERY BYUSER [* | userid]: others for class E. */
int cp_query_byuser(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    const char *target = word && strcmp(word, "*") ? word : req->userid;
    (void)ctx;
    if (strcmp(target, req->userid) && !(req->classes & CP_CLASS('E')))
        return cp_fail(req, MSG_CQV003E, word);
    const struct cp_user *user = cp_user_find(req->cp, target);
    if (!user)
        return cp_fail(req, MSG_CMD045E, target);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (*user->by)
        cp_line(req, "The BYUSER for %s is %s", target, user->by);
    else
        cp_line(req, "There is currently no BYUSER for %s", target);
    return 0;
}

/* ---- SIGNALS ---- */

static bool enabled(struct cp_user *user)
{
    struct vm_info info = {0};
    user->cp->ports.vm->info(user->vm, &info);
    return info.listens;
}

static void tell_signal(struct cp_request *req, struct cp_user *user, bool always)
{
    char left[16] = "-";
    bool waits = user->signal_timer != 0;
    if (!waits && !always && !enabled(user))
        return;
    if (waits) {
        u64 now = cp_now(req->cp);
        u64 s = user->signal_due_ns > now ? (user->signal_due_ns - now) / 1000000000u : 0;
        snprintf(left, sizeof left, "%u", (unsigned)s);
    }
    cp_line(req, "%-8s  SHUTDOWN  %-14s  %-8s  %9s", user->userid,
            waits           ? "Processing"
            : enabled(user) ? "Enabled"
                            : "Not enabled",
            waits ? user->signal_by : "-", left);
}

/* QUERY SIGNALS [ALL | SHUTDOWN] [[USER] userid | ALL], QUERY SIGNALS SHUTDOWNTIME */
int cp_query_signals(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct cp_user *one = NULL;
    (void)ctx;
    if (word && cp_abbrev(word, "SHUTDOWNTime")) {
        cp_line(req, "System default shutdown signal timeout: %u seconds", req->cp->signal_s);
        return cp_no_more(req);
    }
    if (word && (!strcmp(word, "ALL") || cp_abbrev(word, "SHUTdown")))
        word = cp_operand(req);
    if (word && !strcmp(word, "USER"))
        word = cp_operand(req);
    else if (word && !strcmp(word, "ALL"))
        word = NULL;
    if (word && !(one = cp_user_find(req->cp, word)))
        return cp_fail(req, MSG_CMD045E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    cp_line(req, "                                    Signalled    Timeout");
    cp_line(req, "Userid    Signal    Signal Status   By         Remaining");
    for (struct cp_user *u = req->cp->users; u; u = u->next)
        if (!one || u == one)
            tell_signal(req, u, one != NULL);
    return 0;
}

/* SET SIGNAL SHUTDOWNTIME seconds */
int cp_set_signal(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    u64 seconds;
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!cp_abbrev(word, "SHUTDOWNTime"))
        return cp_fail(req, MSG_CSE003E, word);
    word = cp_operand(req);
    if (!word || !scan_number(word, 0, CP_SIGNAL_MAX_S, &seconds))
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    int rc = cp_no_more(req);
    if (!rc)
        req->cp->signal_s = (unsigned)seconds;
    return rc;
}

/* ---- LOGMSG ---- */

bool cp_logmsg(struct cp *cp, enum vm_dateformat format,
               void (*line)(void *ctx, const char *text), void *ctx)
{
    char text[CP_LOGMSG_BYTES + 16], stamp[CP_TIME_TEXT_BYTES];
    bool any = false;
    for (unsigned i = 0; i < CP_LOGMSG_LINES; i++) {
        if (!*cp->logmsg.line[i])
            continue;
        if (!any) {
            snprintf(text, sizeof text, "LOGMSG - %s",
                     cp_time_text(format, cp->logmsg.set_ns, stamp));
            line(ctx, text);
        }
        any = true;
        snprintf(text, sizeof text, "* %s", cp->logmsg.line[i]);
        line(ctx, text);
    }
    if (!any)
        line(ctx, "There is no logmsg data");
    return any;
}

/* SET LOGMSG {n [text] | NULL} */
int cp_set_logmsg(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req), *text;
    u64 n;
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "NULL")) {
        int rc = cp_no_more(req);
        if (!rc)
            memset(req->cp->logmsg.line, 0, sizeof req->cp->logmsg.line);
        return rc;
    }
    if (!scan_number(word, 1, CP_LOGMSG_LINES, &n))
        return cp_fail(req, MSG_CMD002E, word);
    text = cp_operand_rest(req);
    snprintf(req->cp->logmsg.line[n - 1], CP_LOGMSG_BYTES, "%s", text);
    req->cp->logmsg.set_ns = cp_now(req->cp);
    return 0;
}

static void answer_line(void *ctx, const char *text)
{
    cp_line_text(ctx, text);
}

/* QUERY LOGMSG */
int cp_query_logmsg(struct cp_request *req, void *ctx)
{
    (void)ctx;
    int rc = cp_no_more(req);
    if (!rc)
        cp_logmsg(req->cp, cp_request_dateformat(req), answer_line, req);
    return rc;
}
