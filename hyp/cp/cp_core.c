/* CP of one member: creation, responses, requests, small texts that many commands share.
 * A request lives from cp_command to cp_complete; its response belongs to the caller. */
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_domain.h"
#include "hyp/cp/cp_iucv.h"
#include "hyp/cp/cp_net.h"
#include "hyp/exit/exit.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "hyp/config/config_scan.h"
#include "mem/base/ergo.h"

/* When this program was built: what its file says. */
static u64 generated_ns(void)
{
    struct stat st;
    return stat("/proc/self/exe", &st) ? 0 : (u64)st.st_mtim.tv_sec * 1000000000u;
}

struct cp *cp_create(const struct system_config *config, const struct directory *directory,
                     const struct cp_ports *ports)
{
    struct cp *cp = calloc(1, sizeof *cp);
    struct cp_told_arch *told = calloc(CONFIG_SLOTS_MAX, sizeof *told);
    struct events *events = events_create(ports->wall_ns, ports->ctx);
    if (!cp || !told || !events) {
        free(cp);
        free(told);
        events_destroy(events);
        return NULL;
    }
    cp->told = told;
    cp->config = config;
    cp->dateformat = config->features.dateformat;
    cp->signal_s = config->features.shutdown_signal_s;
    cp->events = events;
    cp->directory = directory;
    cp->ports = *ports;
    cp->ipl_ns = cp->mdc_sample.ns = cp_now(cp);
    cp->generated_ns = generated_ns();
    cp_exits_open(cp);
    cp_units_open(cp);
    cp_spool_space(cp);
    cp_volumes_check(cp);
    return cp;
}

void cp_destroy(struct cp *cp)
{
    if (!cp)
        return;
    if (cp->shutdown_timer)
        cp->ports.timer_cancel(cp->ports.ctx, cp->shutdown_timer);
    cp->shutdown_timer = 0;
    cp_remote_drop(cp);
    while (cp->requests) {
        if (cp->requests->completed) {
            cp_request_finish(cp->requests);
            continue;
        }
        cp_fail(cp->requests, MSG_CMD052E, "this system ends");
        cp->requests->resp->may_wait = false;
        cp_complete(cp->requests, msg_number(MSG_CMD052E));
    }
    while (cp->users)
        cp_session_end(cp->users, true);
    cp_net_fini(cp);
    cp_detach_ssi(cp);
    cp_units_close(cp); /* sessions that end close files */
    cp_datamove_end(cp);
    cp_duplex_end(cp);
    cp_ctcs_fini(cp);
    cp_iucv_fini(cp);
    cp_directory_fini(cp);
    exits_destroy(cp->exits);
    free(cp->told);
    events_destroy(cp->events);
    free(cp);
}

const struct system_config *cp_config(const struct cp *cp)
{
    return cp->config;
}

const struct directory *cp_directory(const struct cp *cp)
{
    return cp->directory;
}

struct events *cp_events(const struct cp *cp)
{
    return cp->events;
}

const char *cp_system_name(const struct cp *cp)
{
    return cp->config->member;
}

void cp_set_cluster(struct cp *cp, const struct cp_cluster_ops *ops, void *ctx)
{
    cp->cluster = ops;
    cp->cluster_ctx = ctx;
    cp_iucv_begin(cp);
}

u64 cp_now(struct cp *cp)
{
    return cp->ports.wall_ns(cp->ports.ctx);
}

static struct tm broken_down(u64 wall_ns)
{
    time_t t = (time_t)(wall_ns / 1000000000u);
    struct tm tm;
    gmtime_r(&t, &tm);
    return tm;
}

const char *cp_clock_text(u64 wall_ns, char out[CP_TIME_TEXT_BYTES])
{
    struct tm t = broken_down(wall_ns);
    snprintf(out, CP_TIME_TEXT_BYTES, "%02d:%02d:%02d", t.tm_hour, t.tm_min, t.tm_sec);
    return out;
}

const char *cp_size_text(u64 bytes, char out[CP_TIME_TEXT_BYTES])
{
    static const char units[] = "KMGTPE";
    u64 v = bytes >> 10;
    unsigned u = 0;
    while (v && v % 1024 == 0 && units[u + 1])
        v /= 1024, u++;
    snprintf(out, CP_TIME_TEXT_BYTES, v ? "%llu%c" : "0", (unsigned long long)v, units[u]);
    return out;
}

/* --- responses --------------------------------------------------------------------------- */

void cp_response_init(struct cp_response *resp)
{
    memset(resp, 0, sizeof *resp);
}

void cp_response_fini(struct cp_response *resp)
{
    for (unsigned i = 0; i < resp->line_count; i++)
        free(resp->lines[i]);
    for (unsigned i = 0; i < resp->message_count; i++)
        free(resp->messages[i].text);
    free(resp->lines);
    free(resp->messages);
    cp_response_init(resp);
}

/* Grows at powers of two. */
static bool make_room(void **array, unsigned count, size_t size)
{
    if (*array && (count < 4 || (count & (count - 1))))
        return true;
    void *more = realloc(*array, size * (count < 4 ? 4 : 2 * (size_t)count));
    if (more)
        *array = more;
    return more != NULL;
}

size_t cp_message_id_len(const char *text)
{
    size_t n = strcspn(text, " ");
    bool is = !strncmp(text, "HCP", 3) && n >= 8 && n <= 13 && isdigit((u8)text[n - 2]);
    return is ? n : 0;
}

void cp_response_message(struct cp_response *r, const char *text)
{
    size_t n = cp_message_id_len(text);
    if (!n)
        return;
    if (!make_room((void **)&r->messages, r->message_count, sizeof r->messages[0]))
        return;
    struct cp_message *m = &r->messages[r->message_count];
    m->text = strdup(text[n] ? text + n + 1 : "");
    if (!m->text)
        return;
    memcpy(m->id, text, n);
    m->id[n] = 0;
    r->message_count++;
}

void cp_response_add(struct cp_response *r, const char *text)
{
    char *copy = NULL;
    if (r->line_count < CP_RESPONSE_LINES_MAX &&
        make_room((void **)&r->lines, r->line_count, sizeof r->lines[0]))
        copy = strdup(text);
    if (!copy) {
        r->truncated = true;
        return;
    }
    r->lines[r->line_count++] = copy;
    cp_response_message(r, text);
}

void cp_line_text(struct cp_request *req, const char *text)
{
    char line[1024 + 4];
    if (!req->on_cpu) {
        cp_response_add(req->resp, text);
        return;
    }
    req->resp->prefixed = true;
    snprintf(line, sizeof line, "%02X: %s", req->cpu, text);
    cp_response_add(req->resp, line);
    cp_response_message(req->resp, text);
}

void cp_line(struct cp_request *req, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    cp_line_text(req, text);
}

char *cp_fail_buffer(struct cp_request *req)
{
    return req->buffer;
}

int cp_fail_formatted(struct cp_request *req, enum msg_id id, int number)
{
    (void)id;
    cp_line_text(req, req->buffer);
    return number;
}

/* --- requests ---------------------------------------------------------------------------- */

static struct cp_request *new_request(struct cp *cp, const char *userid, u32 classes,
                                      const char *text, struct cp_response *resp)
{
    struct cp_request *req = calloc(1, sizeof *req);
    if (!req)
        return NULL;
    req->cp = cp;
    req->resp = resp;
    req->classes = classes;
    for (size_t i = 0; i + 1 < sizeof req->userid && userid[i]; i++)
        req->userid[i] = (char)toupper((unsigned char)userid[i]);
    while (*text == ' ')
        text++;
    req->len = strnlen(text, sizeof req->raw - 1);
    for (size_t i = 0; i < req->len; i++) {
        req->raw[i] = (u8)text[i] < ' ' ? ' ' : text[i];
        req->upper[i] = (char)toupper((unsigned char)req->raw[i]);
    }
    req->next = cp->requests;
    cp->requests = req;
    return req;
}

/* SILENTLY: what went well says nothing. */
static void hush(struct cp_request *req)
{
    struct cp_response *r = req->resp;
    while (req->silent && !req->rc && r->line_count > req->quiet)
        free(r->lines[--r->line_count]);
}

void cp_request_finish(struct cp_request *req)
{
    struct cp_request **link = &req->cp->requests;
    struct cp_response *resp = req->resp;
    while (*link != req)
        link = &(*link)->next;
    *link = req->next;
    if (req->timer)
        req->cp->ports.timer_cancel(req->cp->ports.ctx, req->timer);
    cp_foresee_drop(req);
    if (req->hold.held)
        req->cp->cluster->drop(req->cp->cluster_ctx, &req->hold);
    hush(req);
    resp->rc = req->rc;
    resp->done = true;
    explicit_bzero(req, sizeof *req); /* LOGON carries a password */
    free(req);
    if (resp->done_cb)
        resp->done_cb(resp, resp->done_ctx);
}

void cp_complete(struct cp_request *req, int rc)
{
    PRE(rc >= 0 && !req->completed);
    req->rc = rc;
    req->completed = true;
    if (!req->in_handler && !cp_gives_back(req))
        cp_request_finish(req);
}

/* Its handler has returned. */
static enum cp_status handled(struct cp_request *req, int rc)
{
    req->in_handler = false;
    if (rc == CP_LATER && !req->completed)
        return CP_PENDING;
    if (!req->completed)
        req->rc = rc;
    req->completed = true;
    if (cp_gives_back(req))
        return CP_PENDING;
    cp_request_finish(req);
    return CP_DONE;
}

void cp_request_go(struct cp_request *req, int rc)
{
    handled(req, rc);
}

static enum cp_status run(struct cp_request *req)
{
    req->in_handler = true;
    return handled(req, cp_dispatch(req));
}

void cp_request_resume(struct cp_request *req)
{
    req->at = req->hold_at;
    req->in_handler = true;
    handled(req, req->hold_handler(req, req->hold_ctx));
}

static enum cp_status issue(struct cp *cp, const struct cp_issuer *by, const char *text,
                            bool remote, struct cp_response *resp)
{
    struct cp_request *req = new_request(cp, by->userid, by->classes, text, resp);
    if (req) {
        req->remote = remote;
        req->forwarded = by->forwarded;
        snprintf(req->origin, sizeof req->origin, "%.8s", by->origin);
    }
    if (req && strlen(text) < CP_COMMAND_BYTES_MAX)
        return run(req);
    if (req) {
        cp_fail(req, MSG_CMD002E, "command too long");
        req->rc = msg_number(MSG_CMD002E);
        cp_request_finish(req);
        return CP_DONE;
    }
    resp->rc = msg_number(MSG_CMD052E);
    resp->done = resp->truncated = true;
    if (resp->done_cb)
        resp->done_cb(resp, resp->done_ctx);
    return CP_DONE;
}

enum cp_status cp_command_as(struct cp *cp, const char *userid, u32 classes, const char *text,
                             struct cp_response *resp)
{
    const struct cp_issuer by = {.userid = userid, .origin = "", .classes = classes};
    return issue(cp, &by, text, false, resp);
}

void cp_command_remote(struct cp *cp, const struct cp_issuer *by, const char *text,
                       struct cp_response *resp)
{
    issue(cp, by, text, true, resp);
}

enum cp_status cp_command(struct cp *cp, const char *userid, const char *text,
                          struct cp_response *resp)
{
    const struct cp_user *user = cp_user_find(cp, userid);
    const struct dir_entry *entry = directory_find(cp->directory, userid);
    u32 classes = 0; /* not logged on: LOGON and little else */
    if (user)
        classes = user->classes;
    else if (entry && !strcasecmp(userid, cp->config->features.operator_userid))
        classes = entry->classes;
    return cp_command_as(cp, userid, classes, text, resp);
}

struct cp *cp_request_cp(const struct cp_request *req)
{
    return req->cp;
}

const char *cp_request_userid(const struct cp_request *req)
{
    return req->userid;
}

u32 cp_request_classes(const struct cp_request *req)
{
    return req->classes;
}

const char *cp_request_origin(const struct cp_request *req)
{
    return *req->origin ? req->origin : req->cp->config->member;
}

int cp_request_cpu(const struct cp_request *req)
{
    return req->on_cpu ? req->cpu : -1;
}

struct cp_user *cp_request_user(const struct cp_request *req)
{
    return cp_user_find(req->cp, req->userid);
}

static void skip_blanks(struct cp_request *req)
{
    while (req->at < req->len && (req->raw[req->at] == ' ' || !req->raw[req->at]))
        req->at++;
}

const char *cp_operand(struct cp_request *req)
{
    skip_blanks(req);
    if (req->at >= req->len)
        return NULL;
    const char *word = req->upper + req->at;
    while (req->at < req->len && req->upper[req->at] != ' ' && req->upper[req->at])
        req->at++;
    req->upper[req->at] = 0;
    return word;
}

const char *cp_operand_peek(struct cp_request *req)
{
    skip_blanks(req);
    size_t at = req->at;
    const char *word = cp_operand(req);
    req->at = at;
    return word;
}

const char *cp_operand_rest(struct cp_request *req)
{
    skip_blanks(req);
    return req->raw + req->at;
}

bool cp_abbrev(const char *word, const char *name)
{
    return scan_abbrev(word, name);
}

bool cp_userid_ok(const char *word)
{
    char name[DIR_NAME_BYTES];
    return word && scan_name(word, name, 8);
}

int cp_no_more(struct cp_request *req)
{
    const char *word = cp_operand(req);
    return word ? cp_fail(req, MSG_CMD003E, word) : 0;
}

struct cp_user *cp_own_machine(struct cp_request *req)
{
    struct cp_user *user = cp_request_user(req);
    if (!user)
        cp_fail(req, MSG_CMD045E, *req->userid ? req->userid : "User");
    return user;
}
