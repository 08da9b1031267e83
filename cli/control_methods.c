/* Methods of the control socket that are not about consoles: commands, machines, figures, the
 * member itself, files for virtual readers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control_internal.h"
#include "lgr/lgr.h"

#define PUNCH_FILE_BYTES_MAX (4ll << 30)

/* ---- cp, vm.relocate ---- */

struct command {
    struct control_call *call;
    struct cp_response resp;
    bool relocation;
    char user[DIR_NAME_BYTES]; /* of a relocation; "" = any */
};

static json_t *response_lines(const struct cp_response *resp)
{
    json_t *lines = json_array();
    for (unsigned i = 0; i < resp->line_count; i++)
        json_array_append_new(lines, control_text(resp->lines[i], strlen(resp->lines[i])));
    return lines;
}

static json_t *response_messages(const struct cp_response *resp)
{
    json_t *messages = json_array();
    for (unsigned i = 0; i < resp->message_count; i++)
        json_array_append_new(
            messages,
            json_pack("{s:s, s:o}", "id", resp->messages[i].id, "text",
                      control_text(resp->messages[i].text, strlen(resp->messages[i].text))));
    return messages;
}

static void command_done(struct cp_response *resp, void *ctx)
{
    struct command *c = ctx;
    struct member *m = c->call->member;
    json_t *result =
        json_pack("{s:i, s:o, s:o, s:b}", "rc", resp->rc, "lines", response_lines(resp),
                  "messages", response_messages(resp), "truncated", resp->truncated);
    if (result && c->relocation)
        json_object_set_new(result, "relocations",
                            member_lgr_status(m, c->user[0] ? c->user : NULL));
    control_reply(c->call, result);
    cp_response_fini(&c->resp);
    free(c);
}

/* The user of "VMRELOCATE verb [USER] userid ...". */
static void relocation_user(struct command *c, const char *text)
{
    char verb[24] = "", a[24] = "", b[24] = "";
    char command[24] = "";
    if (sscanf(text, " %23s %23s %23s %23s", command, verb, a, b) < 1)
        return;
    c->relocation = !strncasecmp(command, "VMRELO", 6);
    if ((*command == 'Q' || *command == 'q') && !strncasecmp(verb, "RELOC", 5)) {
        c->relocation = true; /* QUERY RELOCATION HISTORY */
        return;
    }
    if (!c->relocation || !rundir_name(!strcasecmp(a, "USER") ? b : a, c->user))
        c->user[0] = 0;
    if (!strcmp(c->user, "ALL") || !strcmp(c->user, "DETAILS"))
        c->user[0] = 0;
}

static void command_run(struct control_call *call, const char *userid, const char *text)
{
    struct command *c = calloc(1, sizeof *c);
    if (!c) {
        control_fail(call, ST_NOMEM, "out of memory");
        return;
    }
    c->call = call;
    relocation_user(c, text);
    cp_response_init(&c->resp);
    c->resp.may_wait = true;
    c->resp.done_cb = command_done;
    c->resp.done_ctx = c;
    cp_command(call->member->cp, userid, text, &c->resp);
}

void control_cp(struct control_call *call)
{
    const char *text = control_string(call, "command");
    char userid[DIR_NAME_BYTES];
    if (!text)
        control_fail(call, ST_INVAL, "command: missing");
    else if (control_userid(call, userid))
        command_run(call, userid, text);
}

static void add(char text[CP_COMMAND_BYTES_MAX], const char *word)
{
    size_t n = strlen(text);
    snprintf(text + n, CP_COMMAND_BYTES_MAX - n, " %.512s", word);
}

/* A limit in milliseconds, null: none; what is not there is not said. */
static void add_limit(const struct control_call *call, const char *name, const char *word,
                      char text[CP_COMMAND_BYTES_MAX])
{
    const json_t *value = json_object_get(call->params, name);
    long long ms = json_integer_value(value);
    char limit[48] = "NOLIMIT";
    if (!json_is_integer(value) && !json_is_null(value))
        return;
    bool seconds = ms > LGR_LIMIT_MAX;
    if (json_is_integer(value))
        snprintf(limit, sizeof limit, "%lld %s", seconds ? (ms + 999) / 1000 : ms,
                 seconds ? "SEC" : "MSEC");
    add(text, word);
    add(text, limit);
}

static void add_flag(const struct control_call *call, const char *name, const char *yes,
                     const char *no, char text[CP_COMMAND_BYTES_MAX])
{
    const json_t *value = json_object_get(call->params, name);
    if (json_is_boolean(value))
        add(text, json_is_true(value) ? yes : no);
}

static void add_force(const struct control_call *call, char text[CP_COMMAND_BYTES_MAX])
{
    const json_t *force = json_object_get(call->params, "force"), *word;
    size_t i;
    if (json_array_size(force))
        add(text, "FORCE");
    json_array_foreach(force, i, word)
        add(text, json_is_string(word) ? json_string_value(word) : "?");
}

/* The VMRELOCATE command that the parameters say, by the operator. */
void control_vm_relocate(struct control_call *call)
{
    const char *user = control_string(call, "user"), *to = control_string(call, "to");
    const char *verb = control_string(call, "verb"), *more = control_string(call, "options");
    char text[CP_COMMAND_BYTES_MAX];
    if (!user) {
        control_fail(call, ST_INVAL, "user: missing");
        return;
    }
    snprintf(text, sizeof text, "VMRELOCATE %.16s USER %.16s%s%.16s", verb ? verb : "MOVE",
             user, to ? " TO " : "", to ? to : "");
    add_flag(call, "synchronous", "SYNCHRONOUS", "ASYNCHRONOUS", text);
    add_flag(call, "immediate", "IMMEDIATE", "", text);
    add_limit(call, "maxtotal_ms", "MAXTOTAL", text);
    add_limit(call, "maxquiesce_ms", "MAXQUIESCE", text);
    add_force(call, text);
    add(text, more ? more : "");
    command_run(call, call->member->config->features.operator_userid, text);
}

void control_vm_relocations(struct control_call *call)
{
    const char *user = control_string(call, "user");
    control_reply(call, json_pack("{s:s, s:o}", "member", call->member->config->member,
                                  "relocations", member_lgr_status(call->member, user)));
}

/* ---- vm.list, stats.get, member.* ---- */

static const char *state_name(enum vm_state state)
{
    static const char *const names[] = {
        [VM_CP_WAIT] = "CP READ",
        [VM_RUNNING] = "running",
        [VM_ENABLED_WAIT] = "idle",
        [VM_STOPPED] = "stopped",
        [VM_DISABLED_WAIT] = "disabled wait",
        [VM_CHECKSTOP] = "check-stop",
    };
    return names[state];
}

static json_t *user_row(const struct cp_user *user)
{
    struct vm_info info;
    struct vm *vm = cp_user_vm(user);
    vm_host_ops()->info(vm, &info);
    return json_pack("{s:s, s:b, s:s, s:b, s:I, s:I, s:i, s:I, s:f, s:f, s:I, s:f}", "user",
                     cp_user_id(user), "disconnected", cp_user_disconnected(user), "state",
                     state_name(info.state), "ipled", info.ipled, "storage_bytes",
                     (json_int_t)info.storage_bytes, "resident_bytes",
                     (json_int_t)info.resident_bytes, "cpus", (int)info.cpu_count,
                     "instructions", (json_int_t)vm_instructions(vm), "virt_seconds",
                     (double)info.virt_ns / 1e9, "total_seconds", (double)info.total_ns / 1e9,
                     "io", (json_int_t)info.io_count, "logon",
                     (double)cp_user_logon_ns(user) / 1e9);
}

static json_t *user_rows(const struct member *m)
{
    json_t *list = json_array();
    for (struct cp_user *u = cp_user_next(m->cp, NULL); u; u = cp_user_next(m->cp, u))
        json_array_append_new(list, user_row(u));
    return list;
}

void control_vm_list(struct control_call *call)
{
    control_reply(call, json_pack("{s:s, s:o}", "member", call->member->config->member, "users",
                                  user_rows(call->member)));
}

static void report_line(void *ctx, const char *text)
{
    json_array_append_new(ctx, json_string(text));
}

void control_vm_report(struct control_call *call)
{
    char userid[DIR_NAME_BYTES];
    if (!control_userid(call, userid))
        return;
    const struct cp_user *user = cp_user_find(call->member->cp, userid);
    if (!user) {
        control_fail(call, ST_NOENT, "HCPCQU045E %s not logged on", userid);
        return;
    }
    json_t *lines = json_array();
    vm_report(cp_user_vm(user), report_line, lines);
    control_reply(call, json_pack("{s:s, s:o}", "user", userid, "lines", lines));
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void control_stats(struct control_call *call)
{
    struct member *m = call->member;
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    control_reply(call,
                  json_pack("{s:s, s:f, s:f, s:I, s:o, s:o}", "member", m->config->member,
                            "wall_seconds", (double)(member_wall_ns(m) - m->start_ns) / 1e9,
                            "cpu_seconds", seconds(ru.ru_utime) + seconds(ru.ru_stime),
                            "max_rss_bytes", (json_int_t)ru.ru_maxrss * 1024, "users",
                            user_rows(m), "relocations", member_lgr_status(m, NULL)));
}

void control_member_status(struct control_call *call)
{
    struct member *m = call->member;
    struct ssi *ssi = m->ssi ? ssi_uv_ssi(m->ssi) : NULL;
    unsigned users = 0;
    for (struct cp_user *u = cp_user_next(m->cp, NULL); u; u = cp_user_next(m->cp, u))
        users++;
    control_reply(call,
                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:f, s:i}", "member",
                            m->config->member, "phase", member_phase_name(m->phase), "cluster",
                            m->config->ssi_name, "state",
                            ssi ? ssi_state_name(ssi_member_state(ssi, m->config->member)) : "",
                            "mode", ssi ? ssi_mode_name(ssi_mode(ssi)) : "", "users",
                            (int)users, "pid", (int)getpid(), "folder", m->opt.dir, "since",
                            (double)m->start_ns / 1e9, "console_port",
                            (int)tn3270_port(m->tn3270)));
}

void control_member_shutdown(struct control_call *call)
{
    struct member *m = call->member;
    bool now = json_is_true(json_object_get(call->params, "immediate"));
    unsigned grace = m->config->features.shutdown_signal_s;
    control_reply(call, json_pack("{s:s, s:i}", "member", m->config->member, "grace_seconds",
                                  (int)grace));
    member_shutdown(m, now, "the control socket");
}

/* ---- spool.punch ---- */

struct punch {
    uv_work_t work;
    struct control_call *call;
    struct member *m;
    char user[DIR_NAME_BYTES], name[13], type[9], path[CONFIG_PATH_BYTES];
    char *bytes;
    size_t len;
    struct cause cause;
};

static int read_all(struct punch *p, int fd)
{
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return cause_set(&p->cause, ST_INVAL, "%s: not a file", p->path);
    if (st.st_size > PUNCH_FILE_BYTES_MAX)
        return cause_set(&p->cause, ST_LIMIT, "%s: too large for a virtual reader", p->path);
    p->bytes = malloc((size_t)st.st_size + 1);
    if (!p->bytes)
        return cause_set(&p->cause, ST_NOMEM, "%s: out of memory", p->path);
    while (p->len < (size_t)st.st_size) {
        ssize_t n = read(fd, p->bytes + p->len, (size_t)st.st_size - p->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cause_set(&p->cause, ST_IO, "%s: %s", p->path, strerror(errno));
        if (n == 0)
            break;
        p->len += (size_t)n;
    }
    return ST_OK;
}

/* In the thread pool: the file may be large, or far away. */
static void punch_read(uv_work_t *work)
{
    struct punch *p = work->data;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        cause_set(&p->cause, ST_NOENT, "%s: %s", p->path, strerror(errno));
        return;
    }
    read_all(p, fd);
    close(fd);
}

static void punch_done(uv_work_t *work, int status)
{
    struct punch *p = work->data;
    u16 id = 0;
    if (status || !p->m->cp)
        cause_set(&p->cause, ST_LOST, "the member ends");
    if (!p->cause.status)
        vm_host_punch(p->m->host, p->user, p->m->config->features.operator_userid, p->name,
                      p->type, p->bytes, p->len, &id, &p->cause);
    if (p->cause.status)
        control_fail(p->call, p->cause.status, "%s", p->cause.text);
    else
        control_reply(p->call,
                      json_pack("{s:s, s:s, s:i, s:s, s:s, s:I}", "user", p->user, "member",
                                p->m->config->member, "id", (int)id, "name", p->name, "type",
                                p->type, "bytes", (json_int_t)p->len));
    free(p->bytes);
    free(p);
}

static int punch_check(struct punch *p, const struct control_call *call)
{
    const char *path = control_string(call, "path"), *name = control_string(call, "name");
    const char *type = control_string(call, "type");
    if (!path || path[0] != '/' || strlen(path) >= sizeof p->path)
        return cause_set(&p->cause, ST_INVAL, "path: an absolute path is needed");
    if (!directory_find(cp_directory(call->member->cp), p->user))
        return cause_set(&p->cause, ST_NOENT, "%s is not in the CP directory", p->user);
    strcpy(p->path, path);
    snprintf(p->name, sizeof p->name, "%s", name ? name : "FILE");
    snprintf(p->type, sizeof p->type, "%s", type ? type : "");
    return ST_OK;
}

void control_punch(struct control_call *call)
{
    struct punch *p = calloc(1, sizeof *p);
    if (!p) {
        control_fail(call, ST_NOMEM, "out of memory");
        return;
    }
    if (!control_userid(call, p->user)) {
        free(p);
        return;
    }
    p->call = call;
    p->m = call->member;
    p->work.data = p;
    if (punch_check(p, call) || uv_queue_work(&p->m->loop, &p->work, punch_read, punch_done)) {
        control_fail(call, p->cause.status, "%s", p->cause.text);
        free(p);
    }
}
