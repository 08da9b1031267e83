/* Commands on other members: service CP of the cluster. A request carries issuer, classes and
 * command; its answer the return code and lines. Every request ends: by the answer, by its time
 * limit, or by the loss of the member. What arrives is decoded as hostile. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_directory.h"
#include "hyp/cp/cp_iucv.h"

#define ANSWER_BYTES_MAX (900u << 10)
#define JOBS_MAX 256 /* commands of other members under way here */

enum {
    MSG_TYPE_REQUEST = 1,
    MSG_TYPE_ANSWER = 2,
    MSG_TYPE_RELAY = 3,
    MSG_TYPE_HALT = 4,
    MSG_TYPE_TYPED = 5,
    MSG_TYPE_WRITTEN = 6
};
enum {
    ROW_ID = CODEC_MANDATORY | 1,
    ROW_USERID = CODEC_MANDATORY | 2,
    ROW_CLASSES = CODEC_MANDATORY | 3,
    ROW_COMMAND = CODEC_MANDATORY | 4,
    ROW_RC = CODEC_MANDATORY | 5,
    ROW_LINE = 6,
    ROW_SHOWN = CODEC_MANDATORY | 7,
    ROW_ORIGIN = 8, /* of a request that is sent on: where it was issued */
};

struct gather;

/* One member's part of a command. */
struct cp_remote_call {
    struct cp_remote_call *next; /* in cp->calls while waiting for another member */
    struct gather *gather;
    u32 id;
    char member[CONFIG_NAME_BYTES];
    u64 timer;
    bool halted; /* by CPHX: it has been told */
    struct cp_response resp;
};

/* A command on one or all members; done when every part is. */
struct gather {
    struct cp_request *req;
    bool prefix, starting;
    unsigned count, open;
    struct cp_remote_call parts[CONFIG_SLOTS_MAX];
};

bool cp_member_reachable(struct cp *cp, const char *name, bool *local)
{
    struct cp_cluster_member m;
    *local = !strcasecmp(name, cp->config->member);
    if (*local)
        return true;
    for (unsigned i = 0; cp->cluster && cp->cluster->member(cp->cluster_ctx, i, &m); i++)
        if (m.name[0] && !strcasecmp(m.name, name))
            return m.reachable;
    return false;
}

static void finish(struct gather *g)
{
    struct cp_request *req = g->req;
    int rc = 0;
    for (unsigned i = 0; i < g->count; i++) {
        struct cp_remote_call *c = &g->parts[i];
        for (unsigned k = 0; k < c->resp.line_count; k++) {
            if (!g->prefix) {
                cp_line_text(req, c->resp.lines[k]);
                continue;
            }
            cp_line(req, "%-8s: %s", c->member, c->resp.lines[k]);
            cp_response_message(req->resp, c->resp.lines[k]);
        }
        rc = c->resp.rc > rc ? c->resp.rc : rc;
        cp_response_fini(&c->resp);
    }
    free(g);
    cp_complete(req, rc);
}

static void part_done(struct cp_remote_call *c)
{
    struct gather *g = c->gather;
    if (!--g->open && !g->starting)
        finish(g);
}

static void unlink_call(struct cp *cp, struct cp_remote_call *c)
{
    struct cp_remote_call **link = &cp->calls;
    while (*link && *link != c)
        link = &(*link)->next;
    if (*link)
        *link = c->next;
    if (c->timer)
        cp->ports.timer_cancel(cp->ports.ctx, c->timer);
    c->timer = 0;
}

static void part_failed(struct cp_remote_call *c, const char *why)
{
    char text[MSG_LINE_BYTES];
    c->resp.rc = msg_format(text, sizeof text, MSG_ATC1851E, c->member, why);
    cp_response_add(&c->resp, text);
    part_done(c);
}

static void timed_out(void *arg)
{
    struct cp_remote_call *c = arg;
    c->timer = 0;
    unlink_call(c->gather->req->cp, c);
    part_failed(c, "time limit reached");
}

static void local_done(struct cp_response *resp, void *ctx)
{
    (void)resp;
    part_done(ctx);
}

static int send_request(struct cp *cp, struct cp_remote_call *c, const struct cp_request *req,
                        const char *command)
{
    struct codec_out out;
    codec_out_init(&out);
    codec_put_u32(&out, ROW_ID, c->id);
    codec_put_bytes(&out, ROW_USERID, req->userid, strlen(req->userid));
    codec_put_u32(&out, ROW_CLASSES, req->classes);
    codec_put_bytes(&out, ROW_COMMAND, command, strlen(command));
    if (*req->origin)
        codec_put_bytes(&out, ROW_ORIGIN, req->origin, strlen(req->origin));
    int status = out.failed ? ST_NOMEM
                            : cp->cluster->send(cp->cluster_ctx, c->member, MSG_TYPE_REQUEST,
                                                out.data, out.len);
    codec_out_fini(&out);
    return status;
}

/* The command for one of the members. */
static const char *text_for(const struct cp_remote_text *text, const char *member,
                            char out[CP_COMMAND_BYTES_MAX])
{
    if (!text->phrase)
        return text->head;
    snprintf(out, CP_COMMAND_BYTES_MAX, "%s AT %.8s%s", text->head, member, text->tail);
    return out;
}

static struct cp_remote_call *new_part(struct gather *g, const char *member)
{
    struct cp_remote_call *c = &g->parts[g->count++];
    c->gather = g;
    snprintf(c->member, sizeof c->member, "%.8s", member);
    cp_response_init(&c->resp);
    g->open++;
    return c;
}

static void start_remote(struct cp *cp, struct gather *g, const char *member,
                         const struct cp_remote_text *text, u64 within_ms)
{
    char command[CP_COMMAND_BYTES_MAX];
    struct cp_remote_call *c = new_part(g, member);
    c->id = ++cp->last_call;
    c->next = cp->calls;
    cp->calls = c;
    c->timer = cp->ports.timer_start(cp->ports.ctx, within_ms, timed_out, c);
    int status =
        cp->cluster ? send_request(cp, c, g->req, text_for(text, member, command)) : ST_LOST;
    if (status) {
        unlink_call(cp, c);
        part_failed(c, status_name(status));
    }
}

static void start_local(struct cp *cp, struct gather *g, const struct cp_remote_text *text)
{
    char command[CP_COMMAND_BYTES_MAX];
    struct cp_remote_call *c = new_part(g, cp->config->member);
    c->resp.may_wait = true;
    c->resp.done_cb = local_done;
    c->resp.done_ctx = c;
    const struct cp_issuer by = {
        .userid = g->req->userid, .origin = g->req->origin, .classes = g->req->classes};
    cp_command_remote(cp, &by, text_for(text, cp->config->member, command), &c->resp);
}

static struct gather *new_gather(struct cp_request *req, bool prefix)
{
    struct gather *g = calloc(1, sizeof *g);
    if (g) {
        g->req = req;
        g->prefix = prefix;
        g->starting = true;
    }
    return g;
}

static void not_halted(void *arg)
{
    struct cp_remote_call *c = arg;
    c->timer = 0;
    unlink_call(c->gather->req->cp, c);
    part_failed(c, "halted by CPHX");
}

/* CPHX there; the answer comes as ever, or is not waited for any longer. */
static void halt_part(struct cp *cp, struct cp_remote_call *c)
{
    struct codec_out out;
    codec_out_init(&out);
    codec_put_u32(&out, ROW_ID, c->id);
    c->halted = true;
    cp->ports.timer_cancel(cp->ports.ctx, c->timer);
    c->timer = cp->ports.timer_start(cp->ports.ctx, CP_REMOTE_HALT_TIMEOUT_MS, not_halted, c);
    bool sent = !out.failed && cp->cluster &&
                cp->cluster->send(cp->cluster_ctx, c->member, MSG_TYPE_HALT, out.data,
                                  out.len) == ST_OK;
    codec_out_fini(&out);
    if (sent)
        return;
    unlink_call(cp, c);
    part_failed(c, "halted by CPHX");
}

static struct cp_remote_call *part_to_halt(struct cp *cp, const struct gather *g)
{
    struct cp_remote_call *c = cp->calls;
    while (c && (c->gather != g || c->halted))
        c = c->next;
    return c;
}

/* CPHX: the parts of other members are told; they are not waited for much longer. Answers may come
 * from inside, so g is kept until all have been told. */
static void halt_parts(struct cp_request *req, void *ctx)
{
    struct gather *g = ctx;
    struct cp *cp = req->cp;
    struct cp_remote_call *c;
    g->starting = true;
    while ((c = part_to_halt(cp, g)))
        halt_part(cp, c);
    g->starting = false;
    if (!g->open)
        finish(g);
}

/* All parts have been started; some may be done already. */
static int started(struct gather *g)
{
    cp_on_halt(g->req, halt_parts, g);
    g->starting = false;
    if (!g->open)
        finish(g);
    return CP_LATER;
}

int cp_remote_text(struct cp_request *req, const char *member,
                   const struct cp_remote_text *text, u64 within_ms)
{
    struct gather *g = req->remote ? NULL : new_gather(req, false);
    if (!g)
        return cp_fail(req, MSG_ATC1851E, member, req->remote ? "sent on already" : "memory");
    start_remote(req->cp, g, member, text, within_ms);
    return started(g);
}

int cp_forward(struct cp_request *req, const char *member, const char *text)
{
    bool local;
    struct gather *g = req->forwarded ? NULL : new_gather(req, false);
    if (!g)
        return cp_fail(req, MSG_ATC1851E, member,
                       req->forwarded ? "sent on already" : "memory");
    if (!cp_member_reachable(req->cp, member, &local) || local) {
        free(g);
        return cp_fail(req, MSG_ATC1850E, member);
    }
    start_remote(req->cp, g, member, &(struct cp_remote_text){.head = text},
                 CP_REMOTE_LONG_TIMEOUT_MS);
    return started(g);
}

int cp_remote_command_within(struct cp_request *req, const char *member, const char *command,
                             u64 within_ms)
{
    return cp_remote_text(req, member, &(struct cp_remote_text){.head = command}, within_ms);
}

int cp_remote_command(struct cp_request *req, const char *member, const char *command)
{
    return cp_remote_command_within(req, member, command, CP_REMOTE_TIMEOUT_MS);
}

/* It may run, and cannot be asked. */
static bool is_silent(const struct cp_cluster_member *m)
{
    return strcmp(m->state, "Down") && strcmp(m->state, "Joining") &&
           strcmp(m->state, "Leaving");
}

static void ask(struct cp *cp, struct gather *g, const struct cp_cluster_member *m,
                const struct cp_remote_text *text, u64 within_ms)
{
    if (m->local)
        start_local(cp, g, text);
    else if (m->reachable)
        start_remote(cp, g, m->name, text, within_ms);
    else if (is_silent(m))
        part_failed(new_part(g, m->name), "there is no link to it");
}

int cp_remote_all(struct cp_request *req, const struct cp_remote_text *text, u64 within_ms)
{
    struct cp *cp = req->cp;
    struct cp_cluster_member m;
    struct gather *g = req->remote ? NULL : new_gather(req, true);
    bool here = false;
    if (!g)
        return cp_fail(req, MSG_ATC1851E, "ALL", req->remote ? "sent on already" : "memory");
    for (unsigned i = 0; cp->cluster && i < CONFIG_SLOTS_MAX; i++) {
        if (!cp->cluster->member(cp->cluster_ctx, i, &m))
            break;
        here |= m.name[0] && m.local;
        if (m.name[0])
            ask(cp, g, &m, text, within_ms);
    }
    if (!here && g->count < CONFIG_SLOTS_MAX)
        start_local(cp, g, text);
    return started(g);
}

/* AT {member | ALL} CMD command */
int cp_cmd_at(struct cp_request *req, void *ctx)
{
    const char *member = cp_operand(req), *word = cp_operand(req);
    bool local;
    (void)ctx;
    if (!member || !word || strcmp(word, "CMD"))
        return member && word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    if (!cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(member, "ALL"))
        return cp_remote_all(req, &(struct cp_remote_text){.head = req->raw + req->at},
                             CP_REMOTE_ALL_TIMEOUT_MS);
    if (!cp_member_reachable(req->cp, member, &local))
        return cp_fail(req, MSG_ATC1850E, member);
    if (local)
        return cp_dispatch(req);
    return cp_remote_command_within(req, member, req->raw + req->at, CP_REMOTE_LONG_TIMEOUT_MS);
}

/* --- the answering side ------------------------------------------------------------------ */

struct job {
    struct cp *cp;
    char member[CONFIG_NAME_BYTES];
    u32 id;
    struct cp_response resp;
};

static void put_lines(const struct cp *cp, struct codec_out *out,
                      const struct cp_response *resp)
{
    char line[MSG_LINE_BYTES];
    unsigned i = 0;
    for (; i < resp->line_count && out->len < ANSWER_BYTES_MAX; i++)
        codec_put_bytes(out, ROW_LINE, resp->lines[i], strlen(resp->lines[i]));
    if (i == resp->line_count && !resp->truncated)
        return;
    msg_format(line, sizeof line, MSG_ATC1852W, cp->config->member);
    codec_put_bytes(out, ROW_LINE, line, strlen(line));
}

static void send_answer(struct cp_response *resp, void *ctx)
{
    struct job *job = ctx;
    struct cp *cp = job->cp;
    struct codec_out out;
    codec_out_init(&out);
    codec_put_u32(&out, ROW_ID, job->id);
    codec_put_u32(&out, ROW_RC, (u32)resp->rc);
    put_lines(cp, &out, resp);
    if (!out.failed && cp->cluster)
        cp->cluster->send(cp->cluster_ctx, job->member, MSG_TYPE_ANSWER, out.data, out.len);
    codec_out_fini(&out);
    cp_response_fini(&job->resp);
    cp->jobs--;
    free(job);
}

/* A member that asks for more than anybody can mean is told so. */
static void too_many(struct job *job)
{
    char line[MSG_LINE_BYTES];
    job->resp.rc = msg_format(line, sizeof line, MSG_CMD052E, "too many commands at once");
    cp_response_add(&job->resp, line);
    send_answer(&job->resp, job);
}

struct wire {
    u32 id, classes, rc;
    char userid[DIR_NAME_BYTES], origin[CONFIG_NAME_BYTES];
    char command[CP_COMMAND_BYTES_MAX];
    char shown[CONSOLE_LINE_BYTES_MAX + 16];
    struct cp_response *lines; /* where ROW_LINE goes, or NULL */
};

static bool take_wire_row(void *ctx, const struct codec_row *row)
{
    struct wire *w = ctx;
    char line[1024 + 16];
    switch (row->tag) {
    case ROW_ID: return codec_get_u32(row, &w->id);
    case ROW_USERID: return codec_get_text(row, w->userid, sizeof w->userid);
    case ROW_ORIGIN: return codec_get_text(row, w->origin, sizeof w->origin);
    case ROW_CLASSES: return codec_get_u32(row, &w->classes);
    case ROW_COMMAND: return codec_get_text(row, w->command, sizeof w->command);
    case ROW_RC: return codec_get_u32(row, &w->rc) && w->rc <= 99999;
    case ROW_SHOWN: return codec_get_text(row, w->shown, sizeof w->shown);
    case ROW_LINE:
        if (!codec_get_text(row, line, sizeof line))
            return false;
        if (w->lines)
            cp_response_add(w->lines, line);
        return true;
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool decode(struct wire *w, const void *data, size_t len)
{
    return codec_take_all(data, len, take_wire_row, w);
}

static void take_request(struct cp *cp, const char *member, const void *data, size_t len)
{
    struct wire w = {0};
    struct job *job = calloc(1, sizeof *job);
    if (!job || !decode(&w, data, len) || !w.id) {
        free(job);
        return;
    }
    job->cp = cp;
    job->id = w.id;
    snprintf(job->member, sizeof job->member, "%.8s", member);
    cp_response_init(&job->resp);
    job->resp.may_wait = true;
    job->resp.done_cb = send_answer;
    job->resp.done_ctx = job;
    if (cp->jobs++ >= JOBS_MAX)
        too_many(job);
    else
        cp_command_remote(cp,
                          &(struct cp_issuer){.userid = w.userid,
                                              .origin = *w.origin ? w.origin : job->member,
                                              .classes = w.classes,
                                              .forwarded = *w.origin},
                          w.command, &job->resp);
}

/* CPHX on another member: the command that it has sent here, if it waits. */
static void take_halt(struct cp *cp, const char *member, const void *data, size_t len)
{
    struct wire w = {0};
    if (!decode(&w, data, len))
        return;
    for (struct cp_request *r = cp->requests; r; r = r->next) {
        const struct job *job = r->resp->done_cb == send_answer ? r->resp->done_ctx : NULL;
        if (!job || job->id != w.id || strcasecmp(job->member, member) || r->in_handler ||
            r->halted)
            continue;
        cp_halt_request(r);
        return;
    }
}

static void send_text(struct cp *cp, const char *member, u16 type, const char *userid, u16 row,
                      const char *text)
{
    struct codec_out out;
    codec_out_init(&out);
    codec_put_bytes(&out, ROW_USERID, userid, strlen(userid));
    codec_put_bytes(&out, row, text, strlen(text));
    if (!out.failed && cp->cluster)
        cp->cluster->send(cp->cluster_ctx, member, type, out.data, out.len);
    codec_out_fini(&out);
}

void cp_remote_relay(struct cp *cp, const char *member, const char *userid, const char *text)
{
    send_text(cp, member, MSG_TYPE_RELAY, userid, ROW_SHOWN, text);
}

void cp_remote_typed(struct cp *cp, const char *member, const char *userid, const char *text)
{
    send_text(cp, member, MSG_TYPE_TYPED, userid, ROW_COMMAND, text);
}

void cp_remote_written(struct cp *cp, const char *member, const char *userid, const char *text)
{
    send_text(cp, member, MSG_TYPE_WRITTEN, userid, ROW_SHOWN, text);
}

static void take_behind(struct cp *cp, u16 type, const void *data, size_t len)
{
    struct wire w = {0};
    bool good = decode(&w, data, len);
    if (good && type == MSG_TYPE_TYPED)
        cp_carry_take_typed(cp, w.userid, w.command);
    else if (good)
        cp_carry_take_written(cp, w.userid, w.shown);
    explicit_bzero(&w, sizeof w);
}

bool cp_locate(struct cp *cp, const char *userid, char member[CONFIG_NAME_BYTES])
{
    return cp->cluster && cp->cluster->locate(cp->cluster_ctx, userid, member);
}

/* Who is on several members is told where the command was issued. */
void cp_tell(struct cp *cp, const char *userid, const char *origin, const char *text)
{
    char member[CONFIG_NAME_BYTES];
    if (!cp_locate(cp, userid, member))
        snprintf(member, sizeof member, "%.8s", origin);
    struct cp_user *user = cp_user_find(cp, userid);
    if (strcasecmp(member, cp->config->member) != 0)
        cp_remote_relay(cp, member, userid, text);
    else if (user)
        cp_user_tell(user, "%s", text);
}

/* For a user who has logged off meanwhile: for nobody. */
static void take_relay(struct cp *cp, const void *data, size_t len)
{
    struct wire w = {0};
    struct cp_user *user = decode(&w, data, len) ? cp_user_find(cp, w.userid) : NULL;
    if (user)
        console_relay_line(user->console, w.shown);
}

static void take_answer(struct cp *cp, const char *member, const void *data, size_t len)
{
    struct wire w = {0};
    if (!decode(&w, data, len))
        return;
    struct cp_remote_call *c = cp->calls;
    while (c && (c->id != w.id || strcasecmp(c->member, member)))
        c = c->next;
    if (!c)
        return; /* came after its time limit */
    unlink_call(cp, c);
    w.lines = &c->resp;
    decode(&w, data, len);
    c->resp.rc = (int)w.rc;
    part_done(c);
}

void cp_remote_receive(struct cp *cp, const char *member, u16 type, const void *data,
                       size_t len)
{
    if (type == MSG_TYPE_REQUEST)
        take_request(cp, member, data, len);
    else if (type == MSG_TYPE_ANSWER)
        take_answer(cp, member, data, len);
    else if (type == MSG_TYPE_RELAY)
        take_relay(cp, data, len);
    else if (type == MSG_TYPE_HALT)
        take_halt(cp, member, data, len);
    else if (type == MSG_TYPE_TYPED || type == MSG_TYPE_WRITTEN)
        take_behind(cp, type, data, len);
    else if (type >= CP_DIRECTORY_TYPES && type < CP_DIRECTORY_TYPES_END)
        cp_directory_receive(cp, member, type, data, len);
    else if (type == CP_IUCV_TYPE)
        cp_iucv_receive(cp, member, data, len);
    else if (type >= CP_CTC_TYPES)
        cp_ctc_receive(cp, member, type, data, len);
}

static void fail_calls(struct cp *cp, const char *member, const char *why)
{
    struct cp_remote_call *c = cp->calls;
    while (c) {
        if (member && strcasecmp(c->member, member)) {
            c = c->next;
            continue;
        }
        unlink_call(cp, c);
        part_failed(c, why);
        c = cp->calls; /* the list may have changed */
    }
}

void cp_remote_lost(struct cp *cp, const char *member)
{
    fail_calls(cp, member, "the member is lost");
    cp_directory_lost(cp, member);
    cp_ctc_lost(cp, member);
    cp_iucv_lost(cp, member);
}

void cp_remote_drop(struct cp *cp)
{
    fail_calls(cp, NULL, "this system ends");
}
