/* VMRELOCATE TEST, MOVE, CANCEL, MODIFY. A synchronous MOVE holds its request
 * until the relocation ends, an asynchronous one until it is found eligible. A command about a
 * guest that is on another member is forwarded there; answers and news come back to who issued it.
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
    bool test, synchronous, started;
    char by[LGR_NAME_BYTES], user[LGR_NAME_BYTES], origin[LGR_NAME_BYTES];
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

/* [noise] name, or the number of the message that refuses it. */
static int take_id(struct cp_request *req, const char *noise, char out[LGR_NAME_BYTES])
{
    char shown[64];
    const char *word = cp_operand_peek(req);
    if (word && !strcmp(word, noise))
        cp_operand(req);
    word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    snprintf(shown, sizeof shown, "%.60s", word);
    if (strlen(word) >= LGR_NAME_BYTES)
        return cp_fail(req, MSG_CMD002E, shown);
    strcpy(out, word);
    return 0;
}

int lgr_no_more(struct cp_request *req)
{
    char shown[64];
    const char *word = cp_operand(req);
    snprintf(shown, sizeof shown, "%.60s", word ? word : "");
    return word ? cp_fail(req, MSG_CMD003E, shown) : 0;
}

/* The number of a limit, or the number of the message that refuses it. */
static int take_number(struct cp_request *req, const char *word, u64 *n)
{
    char shown[64], *end;
    snprintf(shown, sizeof shown, "%.60s", word);
    *n = strtoul(word, &end, 10);
    bool good = *word >= '0' && *word <= '9' && !*end && *n >= 1 && *n <= LGR_LIMIT_MAX;
    return good ? 0 : cp_fail(req, MSG_CMD002E, shown);
}

/* "n SEC", "n MSEC" (ours) or "NOLIMIT" behind MAXTOTAL or MAXQUIESCE. */
static int take_limit(struct cp_request *req, u64 *ms)
{
    const char *word = cp_operand(req);
    char shown[64];
    u64 n;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (cp_abbrev(word, "NOLIMit")) {
        *ms = LGR_NOLIMIT;
        return 0;
    }
    int rc = take_number(req, word, &n);
    if (rc)
        return rc;
    if (!(word = cp_operand(req)))
        return cp_fail(req, MSG_CMD026E);
    snprintf(shown, sizeof shown, "%.60s", word);
    if (!cp_abbrev(word, "SEConds") && strcmp(word, "MSEC") != 0)
        return cp_fail(req, MSG_CMD002E, shown);
    *ms = *word == 'M' ? n : n * 1000;
    return 0;
}

/* One value at least, each once. */
static int take_force(struct cp_request *req, unsigned *force)
{
    static const char *const names[] = {"ARCHitecture", "DOMain", "STORage"};
    static const unsigned bits[] = {LGR_FORCE_ARCHITECTURE, LGR_FORCE_DOMAIN,
                                    LGR_FORCE_STORAGE};
    for (const char *word; (word = cp_operand_peek(req)) != NULL; cp_operand(req)) {
        unsigned i = 0;
        while (i < 3 && !cp_abbrev(word, names[i]))
            i++;
        if (i == 3)
            break;
        if (*force & bits[i])
            return cp_fail(req, MSG_CMD013E, names[i]);
        *force |= bits[i];
    }
    return *force ? 0 : cp_fail(req, MSG_CMD026E);
}

enum option { OPT_SYNC, OPT_ASYNC, OPT_IMMEDIATE, OPT_TOTAL, OPT_QUIESCE, OPT_FORCE, OPTIONS };

static const char *const option_names[OPTIONS] = {
    [OPT_SYNC] = "SYNChronous", [OPT_ASYNC] = "ASYNChronous", [OPT_IMMEDIATE] = "IMMEDiate",
    [OPT_TOTAL] = "MAXTotal",   [OPT_QUIESCE] = "MAXQuiesce", [OPT_FORCE] = "FORCE"};

/* Which option the word is, of those allowed and not given yet; 0, or a message's number. */
static int take_option(struct cp_request *req, unsigned allowed, unsigned *given,
                       enum option *out)
{
    char shown[64];
    const char *word = cp_operand(req);
    unsigned i = 0;
    snprintf(shown, sizeof shown, "%.60s", word);
    while (i < OPTIONS && !(allowed >> i & 1 && cp_abbrev(word, option_names[i])))
        i++;
    if (i == OPTIONS)
        return cp_fail(req, MSG_CMD003E, shown);
    unsigned excludes = 1u << i;
    if (i == OPT_SYNC || i == OPT_ASYNC)
        excludes = 1u << OPT_SYNC | 1u << OPT_ASYNC;
    if (*given & excludes)
        return cp_fail(req, MSG_CMD013E, shown);
    *given |= 1u << i;
    *out = (enum option)i;
    return 0;
}

/* Options of MOVE in any order, each once; or the two limits of MODIFY. */
static int take_options(struct cp_request *req, unsigned allowed, struct lgr_options *o,
                        unsigned *given)
{
    enum option option = OPTIONS;
    int rc = 0;
    while (!rc && cp_operand_peek(req) && !(rc = take_option(req, allowed, given, &option))) {
        if (option == OPT_TOTAL)
            rc = take_limit(req, &o->maxtotal_ms);
        else if (option == OPT_QUIESCE)
            rc = take_limit(req, &o->maxquiesce_ms);
        else if (option == OPT_FORCE)
            rc = take_force(req, &o->force);
    }
    o->synchronous = !(*given >> OPT_ASYNC & 1);
    o->immediate = *given >> OPT_IMMEDIATE & 1;
    return rc;
}

/* --- answers ------------------------------------------------------------------------------- */

static void job_started(void *ctx, const struct lgr_view *v)
{
    struct job *j = ctx;
    j->started = true;
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
        else if (p->governed)
            strcpy(guest, "governed");
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

/* It had been started: RC has the number of the first reason, if there was one, and the code. */
static int answer_failed(struct job *j, const struct lgr_view *v,
                         const struct lgr_reasons *reasons)
{
    int rc = cp_fail(j->req, MSG_RLX1937E, v->user, v->to, (unsigned)reasons->number,
                     (unsigned)v->code, v->text);
    for (unsigned i = 0; i < reasons->count; i++)
        cp_line(j->req, "%s", reasons->line[i]);
    return rc;
}

static int answer(struct job *j, const struct lgr_view *v, const struct lgr_reasons *reasons)
{
    if (reasons->count && !j->started)
        return answer_refused(j, v, reasons);
    if (v->code != LGR_COMPLETED)
        return answer_failed(j, v, reasons);
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
    if (v->code == LGR_COMPLETED)
        snprintf(line, sizeof line, "User %s has been relocated from %s to %s", v->user,
                 v->from, v->to);
    else
        msg_format(line, sizeof line, MSG_RLX1937E, v->user, v->to, (unsigned)reasons->number,
                   (unsigned)v->code, v->text);
    cp_tell(j->c->cp, j->by, j->origin, line);
    for (unsigned i = 0; i < reasons->count; i++)
        cp_tell(j->c->cp, j->by, j->origin, reasons->line[i]);
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

/* --- where the guest is ------------------------------------------------------------------- */

bool lgr_elsewhere(const struct lgr_cmd *c, const char *user, char member[LGR_NAME_BYTES])
{
    return !cp_user_find(c->cp, user) && cp_locate(c->cp, user, member) &&
           strcasecmp(member, cp_system_name(c->cp)) != 0;
}

int lgr_forward(struct cp_request *req, const char *member, const char *operands)
{
    char text[CP_COMMAND_BYTES_MAX];
    snprintf(text, sizeof text, "VMRELOCATE %.*s", CP_COMMAND_BYTES_MAX - 16, operands);
    return cp_forward(req, member, text);
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
    snprintf(j->origin, sizeof j->origin, "%.8s", cp_request_origin(req));
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

/* The guest itself has issued it, by DIAGNOSE X'08': it gets its answer when it has been moved, and
 * it cannot be moved before it has its answer. */
static bool waits_for_itself(struct cp_request *req, const struct lgr_cmd *c, const char *user)
{
    const struct lgr_guests *g = c->lgr->guests;
    void *guest = g->find(c->lgr->guests_ctx, user);
    return guest && !strcmp(cp_request_userid(req), user) &&
           g->waits(c->lgr->guests_ctx, guest);
}

/* TEST takes no options: nothing of it can be forced, as every obstacle is to be told. */
static int do_test_or_move(struct cp_request *req, struct lgr_cmd *c, const char *all,
                           bool test)
{
    char user[LGR_NAME_BYTES], to[LGR_NAME_BYTES], member[LGR_NAME_BYTES];
    struct lgr_options o = {.test = test, .maxquiesce_ms = LGR_MAXQUIESCE_MS};
    unsigned given = 0;
    int rc = take_id(req, "USER", user);
    if (!rc)
        rc = take_id(req, "TO", to);
    if (!rc)
        rc = take_options(req, test ? 0 : (1u << OPTIONS) - 1, &o, &given);
    if (rc)
        return rc;
    if (lgr_elsewhere(c, user, member))
        return lgr_forward(req, member, all);
    if (!test && o.synchronous && waits_for_itself(req, c, user))
        return cp_fail(req, MSG_RLU1938E, user);
    if (o.immediate && !(given >> OPT_QUIESCE & 1))
        o.maxquiesce_ms = LGR_NOLIMIT;
    return begin(req, c, user, to, &o);
}

static int do_cancel(struct cp_request *req, struct lgr_cmd *c, const char *all)
{
    char user[LGR_NAME_BYTES], member[LGR_NAME_BYTES], text[64];
    int rc = take_id(req, "USER", user);
    if (rc || (rc = lgr_no_more(req)))
        return rc;
    if (lgr_elsewhere(c, user, member))
        return lgr_forward(req, member, all);
    snprintf(text, sizeof text, "canceled by %.8s", cp_request_userid(req));
    rc = lgr_cancel(c->lgr, user, LGR_CANCELLED, text);
    if (rc == ST_NOENT)
        return cp_fail(req, MSG_RLU1926E, user);
    if (rc)
        return cp_fail(req, MSG_RLU1927E, user);
    cp_line(req, "Relocation of %s has been canceled", user);
    return 0;
}

/* What is not given becomes the default, not what it was. */
static int do_modify(struct cp_request *req, struct lgr_cmd *c, const char *all)
{
    char user[LGR_NAME_BYTES], member[LGR_NAME_BYTES];
    struct lgr_options o = {.maxtotal_ms = LGR_NOLIMIT, .maxquiesce_ms = LGR_MAXQUIESCE_MS};
    unsigned given = 0;
    int rc = take_id(req, "USER", user);
    if (!rc)
        rc = take_options(req, 1u << OPT_TOTAL | 1u << OPT_QUIESCE, &o, &given);
    if (rc)
        return rc;
    if (!given)
        return cp_fail(req, MSG_CMD026E);
    if (lgr_elsewhere(c, user, member))
        return lgr_forward(req, member, all);
    if (lgr_modify(c->lgr, user, o.maxtotal_ms, o.maxquiesce_ms))
        return cp_fail(req, MSG_RLU1926E, user);
    cp_line(req, "Limits of the relocation of %s have been changed", user);
    return 0;
}

static int cmd_vmrelocate(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand_peek(req), *all = cp_operand_rest(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    bool test = cp_abbrev(word, "TEST"), move = cp_abbrev(word, "MOVE");
    bool status = cp_abbrev(word, "STATus"), cancel = cp_abbrev(word, "CANcel");
    bool modify = cp_abbrev(word, "MODify");
    if (test || move || status || cancel || modify)
        cp_operand(req);
    if (status)
        return lgr_cmd_status(req, ctx, all);
    if (cancel)
        return do_cancel(req, ctx, all);
    if (modify)
        return do_modify(req, ctx, all);
    return do_test_or_move(req, ctx, all, !move);
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
    static const struct cp_cmd_row option = {
        "RELOCation", CP_CLASS('A'),
        "RELOCATION {ENCRYPT {REQUIRED | OFF} | SPARE {ON | OFF}}"};
    static const struct cp_cmd_row history = {
        "RELOCation", CP_CLASS('A'),
        "QUERY RELOCATION ENCRYPT | SPARE | HISTORY [ALL | USER userid | INCOMING | OUTGOING] "
        "[DETAILS]"};
    int rc = cp_register_command(c->cp, NULL, &command, cmd_vmrelocate, c);
    if (!rc)
        rc = cp_register_command(c->cp, "SET", &option, lgr_set_relocation, c);
    if (!rc)
        rc = cp_register_command(c->cp, "QUERY", &query, lgr_query_vmrelocate, c);
    if (!rc)
        rc = cp_register_command(c->cp, "QUERY", &history, lgr_query_relocation, c);
    return rc ? rc : cp_register_command(c->cp, "SET", &set, lgr_set_vmrelocate, c);
}
