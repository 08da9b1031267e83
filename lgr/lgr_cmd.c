/* VMRELOCATE TEST, MOVE, CANCEL, MODIFY. A synchronous MOVE holds its request
 * until the relocation ends, an asynchronous one until it is found eligible.
 * Source: z/VM "CP Commands and Utilities Reference", VMRELOCATE. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_cmd.h"

#include <stdio.h>
#include <stdlib.h>

#include "lgr/lgr_internal.h"

/* One TEST or MOVE. Created by begin, freed when the relocation has ended. */
struct job {
    struct lgr_cmd *c;
    struct cp_request *req; /* NULL: answered already */
    bool test, synchronous;
    char by[LGR_NAME_BYTES], user[LGR_NAME_BYTES];
};

/* --- parsing ------------------------------------------------------------------------------- */

bool lgr_take_name(struct cp_request *req, const char *noise, char out[LGR_NAME_BYTES])
{
    const char *word = cp_operand_peek(req);
    if (word && !strcmp(word, noise))
        cp_operand(req);
    word = cp_operand(req);
    if (!word || strlen(word) >= LGR_NAME_BYTES)
        return false;
    strcpy(out, word);
    return true;
}

/* "n SEC" or "NOLIMIT" */
static bool take_limit(struct cp_request *req, u32 *seconds)
{
    const char *word = cp_operand(req);
    char *end;
    if (!word)
        return false;
    if (cp_abbrev(word, "NOLIMit")) {
        *seconds = LGR_NOLIMIT;
        return true;
    }
    unsigned long n = strtoul(word, &end, 10);
    if (*word < '0' || *word > '9' || *end || n < 1 || n > LGR_SECONDS_MAX)
        return false;
    *seconds = (u32)n;
    word = cp_operand(req);
    return word && cp_abbrev(word, "SEConds");
}

static bool take_force(struct cp_request *req, unsigned *force)
{
    static const char *const names[] = {"ARCHitecture", "DOMain", "STORage"};
    static const unsigned bits[] = {LGR_FORCE_ARCHITECTURE, LGR_FORCE_DOMAIN,
                                    LGR_FORCE_STORAGE};
    bool any = false;
    for (const char *word; (word = cp_operand_peek(req)) != NULL;) {
        unsigned i = 0;
        while (i < 3 && !cp_abbrev(word, names[i]))
            i++;
        if (i == 3)
            return any;
        *force |= bits[i];
        any = true;
        cp_operand(req);
    }
    return any;
}

/* 0, or the number of the message that refused an option. */
static int take_move_options(struct cp_request *req, struct lgr_options *o)
{
    bool quiesce_given = false, good = true;
    for (const char *word; (word = cp_operand(req)) != NULL;) {
        char shown[64];
        snprintf(shown, sizeof shown, "%.60s", word);
        if (cp_abbrev(word, "SYNChronous"))
            o->synchronous = true;
        else if (cp_abbrev(word, "ASYNChronous"))
            o->synchronous = false;
        else if (cp_abbrev(word, "IMMEDiate"))
            o->immediate = true;
        else if (cp_abbrev(word, "MAXTotal"))
            good = take_limit(req, &o->maxtotal_s);
        else if (cp_abbrev(word, "MAXQuiesce"))
            good = quiesce_given = take_limit(req, &o->maxquiesce_s);
        else if (cp_abbrev(word, "FORCE"))
            good = take_force(req, &o->force);
        else
            return cp_fail(req, MSG_CMD003E, shown);
        if (!good)
            return cp_fail(req, MSG_CMD002E, shown);
    }
    if (o->immediate && !quiesce_given)
        o->maxquiesce_s = LGR_NOLIMIT;
    return 0;
}

/* --- answers ------------------------------------------------------------------------------- */

static void job_started(void *ctx, const struct lgr_view *v)
{
    struct job *j = ctx;
    cp_line(j->req, "Relocation of %s from %s to %s started", v->user, v->from, v->to);
    if (j->synchronous)
        return;
    struct cp_request *req = j->req;
    j->req = NULL;
    cp_complete(req, 0);
}

void lgr_lines_passes(struct cp_request *req, const struct lgr_view *v)
{
    cp_line(req, "Total time %.1f ms, quiesce time %.1f ms, %u passes, %.1f MB",
            (double)v->elapsed_ns / 1e6, (double)v->quiesce_ns / 1e6, v->pass_count,
            (double)v->bytes / 1e6);
    cp_line(req, "Pass      Pages  Zero pages         Bytes        ms  Guest");
    for (unsigned i = 0; i < v->pass_count; i++) {
        const struct lgr_pass *p = &v->passes[i];
        char guest[24] = "running";
        if (p->quiesced)
            strcpy(guest, "stopped");
        else if (p->throttle)
            snprintf(guest, sizeof guest, "slowed by %u%%", p->throttle);
        cp_line(req, "%4u %10llu  %10llu  %12llu  %8.1f  %s", i + 1,
                (unsigned long long)p->pages, (unsigned long long)p->zeros,
                (unsigned long long)p->bytes, (double)p->ns / 1e6, guest);
    }
}

static int answer_refused(struct job *j, const struct lgr_view *v,
                          const struct lgr_reasons *reasons)
{
    int rc = cp_fail(j->req, MSG_RLH1940E, v->user, v->to);
    for (unsigned i = 0; i < reasons->count; i++)
        cp_line(j->req, "%s", reasons->line[i]);
    return rc;
}

static int answer(struct job *j, const struct lgr_view *v, const struct lgr_reasons *reasons)
{
    if (reasons->count)
        return answer_refused(j, v, reasons);
    if (v->code != LGR_COMPLETED)
        return cp_fail(j->req, MSG_RLX1937E, v->user, v->to, 0u, (unsigned)v->code, v->text);
    if (j->test) {
        cp_line(j->req, "User %s is eligible for relocation to %s", v->user, v->to);
        return 0;
    }
    cp_line(j->req, "User %s has been relocated from %s to %s", v->user, v->from, v->to);
    lgr_lines_passes(j->req, v);
    return 0;
}

/* The command was answered long ago: tell who issued it, at the console. */
static void tell(struct job *j, const struct lgr_view *v, const struct lgr_reasons *reasons)
{
    char line[MSG_LINE_BYTES];
    struct cp_user *user = cp_user_find(j->c->cp, j->by);
    if (!user)
        return;
    if (v->code == LGR_COMPLETED) {
        cp_user_tell(user, "User %s has been relocated from %s to %s", v->user, v->from, v->to);
        return;
    }
    msg_format(line, sizeof line, MSG_RLX1937E, v->user, v->to, 0u, (unsigned)v->code, v->text);
    cp_user_tell(user, "%s", line);
    for (unsigned i = 0; i < reasons->count; i++)
        cp_user_tell(user, "%s", reasons->line[i]);
}

static void job_ended(void *ctx, const struct lgr_view *v, const struct lgr_reasons *reasons)
{
    struct job *j = ctx;
    if (j->req)
        cp_complete(j->req, answer(j, v, reasons));
    else
        tell(j, v, reasons);
    free(j);
}

/* CPHX: the relocation is what the command waits for. */
static void halt_relocation(struct cp_request *req, void *ctx)
{
    struct job *j = ctx;
    (void)req;
    lgr_cancel(j->c->lgr, j->user, LGR_CPHX, "halted by CPHX");
}

/* --- handlers ------------------------------------------------------------------------------ */

static int begin(struct cp_request *req, struct lgr_cmd *c, const char *user, const char *to,
                 const struct lgr_options *o)
{
    struct cause cause = {0};
    struct job *j = malloc(sizeof *j);
    if (!j)
        return cp_fail(req, MSG_RLU1928E, "no memory");
    *j = (struct job){.c = c, .req = req, .test = o->test, .synchronous = o->synchronous};
    snprintf(j->by, sizeof j->by, "%s", cp_request_userid(req));
    snprintf(j->user, sizeof j->user, "%s", user);
    cp_on_halt(req, halt_relocation, j);
    const struct lgr_watch watch = {job_started, job_ended, j};
    int rc = lgr_start(c->lgr, user, to, j->by, o, &watch, &cause);
    if (rc == ST_OK)
        return CP_LATER; /* job_ended has it */
    free(j);
    if (rc == ST_NOENT)
        return cp_fail(req, MSG_RLU045E, user);
    if (rc == ST_BUSY)
        return cp_fail(req, MSG_RLU1925E, user);
    return cp_fail(req, MSG_RLU1928E, cause.text);
}

static int do_test_or_move(struct cp_request *req, struct lgr_cmd *c, bool test)
{
    char user[LGR_NAME_BYTES], to[LGR_NAME_BYTES];
    struct lgr_options o = {
        .test = test, .synchronous = true, .maxquiesce_s = LGR_MAXQUIESCE_S};
    if (!lgr_take_name(req, "USER", user) || !lgr_take_name(req, "TO", to))
        return cp_fail(req, MSG_CMD026E);
    int rc = take_move_options(req, &o);
    return rc ? rc : begin(req, c, user, to, &o);
}

static int do_cancel(struct cp_request *req, struct lgr_cmd *c)
{
    char user[LGR_NAME_BYTES], text[64];
    if (!lgr_take_name(req, "USER", user))
        return cp_fail(req, MSG_CMD026E);
    snprintf(text, sizeof text, "canceled by %.8s", cp_request_userid(req));
    int rc = lgr_cancel(c->lgr, user, LGR_CANCELLED, text);
    if (rc == ST_NOENT)
        return cp_fail(req, MSG_RLU1926E, user);
    if (rc)
        return cp_fail(req, MSG_RLU1927E, user);
    cp_line(req, "Relocation of %s has been canceled", user);
    return 0;
}

static int do_modify(struct cp_request *req, struct lgr_cmd *c)
{
    char user[LGR_NAME_BYTES];
    u32 total = LGR_NOLIMIT, quiesce = LGR_MAXQUIESCE_S;
    bool any = false;
    if (!lgr_take_name(req, "USER", user))
        return cp_fail(req, MSG_CMD026E);
    for (const char *word; (word = cp_operand(req)) != NULL; any = true) {
        char shown[64];
        snprintf(shown, sizeof shown, "%.60s", word);
        bool is_total = cp_abbrev(word, "MAXTotal");
        if (!is_total && !cp_abbrev(word, "MAXQuiesce"))
            return cp_fail(req, MSG_CMD003E, shown);
        if (!take_limit(req, is_total ? &total : &quiesce))
            return cp_fail(req, MSG_CMD002E, shown);
    }
    if (!any)
        return cp_fail(req, MSG_CMD026E);
    if (lgr_modify(c->lgr, user, total, quiesce))
        return cp_fail(req, MSG_RLU1926E, user);
    cp_line(req, "Limits of the relocation of %s have been changed", user);
    return 0;
}

static int cmd_vmrelocate(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand_peek(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    bool test = cp_abbrev(word, "TEST"), move = cp_abbrev(word, "MOVE");
    bool status = cp_abbrev(word, "STATus"), cancel = cp_abbrev(word, "CANcel");
    bool modify = cp_abbrev(word, "MODify");
    if (test || move || status || cancel || modify)
        cp_operand(req);
    if (status)
        return lgr_cmd_status(req, ctx);
    if (cancel)
        return do_cancel(req, ctx);
    if (modify)
        return do_modify(req, ctx);
    return do_test_or_move(req, ctx, !move);
}

int lgr_cmd_register(struct lgr_cmd *c)
{
    static const struct cp_cmd_row command = {
        "VMRELOcate", CP_CLASS('A'),
        "VMRELOCATE [TEST | MOVE | STATUS | CANCEL | MODIFY] userid member ...: relocation"};
    static const struct cp_cmd_row query = {"VMRELOcate", CP_CLASS('A') | CP_CLASS('G'),
                                            "May a virtual machine be relocated, and where"};
    static const struct cp_cmd_row set = {
        "VMRELOcate", CP_CLASS('A'),
        "SET VMRELOCATE {userid | *} [ON | OFF] [DOMAIN name [FORCE ARCHITECTURE]]"};
    int rc = cp_register_command(c->cp, NULL, &command, cmd_vmrelocate, c);
    if (!rc)
        rc = cp_register_command(c->cp, "QUERY", &query, lgr_query_vmrelocate, c);
    return rc ? rc : cp_register_command(c->cp, "SET", &set, lgr_set_vmrelocate, c);
}
