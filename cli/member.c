/* The life of a member's process: configuration, CP, cluster, readiness, shutdown, end.
 *
 *   STARTING --begin--> JOINING --member_joined--> RUNNING --member_finish--> STOPPING
 *
 * Without SSI a member is joined at once. Whoever waits for the start is told once, by report:
 * that it is ready, or why it is not. After STOPPING nothing of CP is left when the loop ends. */
#include "cli/member.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/member_internal.h"
#include "hyp/config/fault.h"
#include "mem/base/log.h"

#define HOST_NOTE_BYTES 400

const char *member_phase_name(enum member_phase phase)
{
    static const char *const names[] = {"starting", "joining", "running", "stopping"};
    return names[phase];
}

/* Tell who started us, once. */
static void report(struct member *m, int exit_status, const char *text)
{
    if (m->opt.report_fd < 0)
        return;
    if (dprintf(m->opt.report_fd, "%d %s\n", exit_status, text) < 0)
        log_line("nobody waits for this start any more");
    close(m->opt.report_fd);
    m->opt.report_fd = -1;
}

/* ---- the log shows the operator's console ---- */

static void operator_wrote(void *ctx, const char *text, size_t len)
{
    struct member *m = ctx;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && m->log_len < sizeof m->log_text) {
            m->log_text[m->log_len++] = text[i];
            continue;
        }
        log_line("%.*s", (int)m->log_len, m->log_text);
        m->log_len = 0;
    }
}

/* ---- what the operator is to know of the host ---- */

struct host_note {
    struct member *m;
    char severity;
    char text[HOST_NOTE_BYTES];
};

static void host_note_deliver(void *arg)
{
    struct host_note *note = arg;
    char text[MSG_LINE_BYTES];
    msg_format(text, sizeof text, note->severity == 'E' ? MSG_IOF001E : MSG_IOF002I,
               note->text);
    if (note->m->cp)
        cp_operator_tell(note->m->cp, "%s", text);
    free(note);
}

/* Any thread. Without memory the log has it all the same. */
static void host_note(void *ctx, char severity, const char *text)
{
    struct host_note *note = malloc(sizeof *note);
    if (!note)
        return;
    note->m = ctx;
    note->severity = severity;
    snprintf(note->text, sizeof note->text, "%s", text);
    post_uv(note->m->post, host_note_deliver, note);
}

static void user_event(void *ctx, struct cp_user *user, enum cp_user_event event)
{
    struct member *m = ctx;
    if (event == CP_USER_LOGON &&
        !strcmp(cp_user_id(user), m->config->features.operator_userid))
        console_observe_own(cp_user_console(user), 0, operator_wrote,
                            m); /* guests may show passwords */
    if (event == CP_USER_LOGON || event == CP_USER_LOGOFF)
        control_user_event(m->control, user, event == CP_USER_LOGON);
}

/* ---- the end ---- */

void member_closed(struct member *m)
{
    vm_host_destroy(m->host);
    m->host = NULL;
    log_set_operator(NULL, NULL);
    post_uv_destroy(m->post);
    member_timers_cancel(m);
    uv_close((uv_handle_t *)&m->term, NULL);
    uv_close((uv_handle_t *)&m->intr, NULL);
    member_while_close(m);
}

void member_left(struct member *m)
{
    control_destroy(m->control);
    m->control = NULL;
    tn3270_destroy(m->tn3270);
    m->tn3270 = NULL;
    member_lgr_stop(m);
    cp_destroy(m->cp);
    m->cp = NULL;
    member_lgr_destroy(m);
    if (m->ssi)
        member_ssi_close(m);
    else
        member_closed(m);
}

static void leave(void *arg)
{
    struct member *m = arg;
    if (m->ssi)
        member_ssi_leave(m);
    else
        member_left(m);
}

void member_finish(struct member *m)
{
    if (m->phase == MEMBER_STOPPING)
        return;
    m->phase = MEMBER_STOPPING;
    member_timer_start(m, 0, leave, m); /* when CP and the cluster are not calling us */
}

void member_failed(struct member *m, int exit_status, const char *text)
{
    log_line("%s", text);
    report(m, exit_status, text);
    m->status = exit_status;
    member_finish(m);
}

void member_shutdown(struct member *m, bool now, const char *by)
{
    struct cp_response resp;
    log_line("shutdown by %s", by);
    if (m->phase != MEMBER_RUNNING) {
        if (m->phase != MEMBER_STOPPING)
            report(m, EXIT_INTERNAL, "stopped before it was ready");
        member_finish(m);
        return;
    }
    cp_response_init(&resp);
    cp_command_as(m->cp, m->config->features.operator_userid, CP_CLASS_ANY,
                  now ? "SHUTDOWN IMMEDIATE" : "SHUTDOWN", &resp);
    cp_response_fini(&resp);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct member *m = handle->data;
    bool again = m->signalled;
    m->signalled = true;
    member_shutdown(m, again, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* ---- the start ---- */

static void operator_late(struct cp_response *resp, void *ctx)
{
    (void)ctx;
    if (resp->rc)
        log_line("%s", resp->line_count ? resp->lines[0] : "no operator");
    cp_response_fini(resp);
    free(resp);
}

/* It may have to wait while another member joins or leaves; the log tells what became of it. */
static int operator_logon(struct member *m, struct cause *cause)
{
    const char *userid = m->config->features.operator_userid;
    char command[32];
    int rc = ST_OK;
    if (!directory_find(m->directory, userid))
        return cause_set(cause, ST_CONFIG, "%s/user.direct: the operator %s is missing",
                         m->opt.dir, userid);
    if (cp_user_find(m->cp, userid))
        return ST_OK;
    struct cp_response *resp = calloc(1, sizeof *resp);
    if (!resp)
        return cause_set(cause, ST_NOMEM, "out of memory");
    cp_response_init(resp);
    snprintf(command, sizeof command, "XAUTOLOG %s", userid);
    if (cp_command_as(m->cp, userid, CP_CLASS_ANY, command, resp) == CP_PENDING) {
        resp->done_cb = operator_late;
        return ST_OK;
    }
    if (resp->rc)
        rc = cause_set(cause, ST_REFUSED, "%s",
                       resp->line_count ? resp->lines[0] : "no operator");
    cp_response_fini(resp);
    free(resp);
    return rc;
}

static int open_control(struct member *m, struct cause *cause)
{
    char path[RUNDIR_PATH_BYTES + 16];
    int rc = rundir_file(m->config->member, "sock", path, cause);
    if (rc)
        return rc;
    m->control = control_create(m, path, cause);
    return m->control ? ST_OK : cause->status;
}

void member_joined(struct member *m)
{
    struct cause cause;
    if (m->phase != MEMBER_JOINING)
        return;
    cp_links_join(m->cp);
    if (operator_logon(m, &cause)) /* a USER may be logged on elsewhere in the cluster */
        log_line("%s", cause.text);
    if (open_control(m, &cause)) {
        member_failed(m, cli_exit_of(cause.status), cause.text);
        return;
    }
    m->phase = MEMBER_RUNNING;
    log_line("%s is ready", m->config->member);
    report(m, EXIT_WELL, "ready");
}

/* The folder of shared volumes; git and copies leave empty folders out. */
static int volumes_folder(const struct member *m, struct cause *cause)
{
    char path[CONFIG_PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/volumes", m->opt.dir);
    if (m->config->in_ssi && mkdir(path, 0777) && errno != EEXIST)
        return cause_set(cause, ST_PERM, "%s: %s; the PDR of the cluster is kept there", path,
                         strerror(errno));
    if (m->config->in_ssi && access(path, W_OK))
        return cause_set(cause, ST_PERM,
                         "%s: %s; the PDR of the cluster is kept there, so "
                         "copy the cluster to a folder of yours",
                         path, strerror(errno));
    return ST_OK;
}

/* Told, not refused: it may be meant. */
static void log_warnings(const struct member *m, const char *path)
{
    const struct dir_check_for whom = {m->config->member, m->config};
    struct faults faults = {0};
    directory_check_file(path, &whom, 1, &faults);
    for (unsigned i = 0; i < faults.count; i++) {
        const struct fault *f = &faults.all[i];
        if (f->kind == FAULT_WARNING)
            log_line("%s:%u:%u: warning: %s", f->file, f->line, f->col, f->text);
    }
    faults_free(&faults);
}

static int load(struct member *m, struct cause *cause)
{
    char path[CONFIG_PATH_BYTES + 16];
    int rc = config_load(m->opt.dir, m->opt.member, &m->config, cause);
    if (rc)
        return rc;
    snprintf(path, sizeof path, "%s/user.direct", m->opt.dir);
    rc = directory_load(path, m->opt.member, &m->directory, cause);
    if (!rc)
        log_warnings(m, path);
    rc = rc ? rc : volumes_folder(m, cause);
    return rc ? rc : rdevs_create(m->config, &m->rdevs, cause);
}

static int machines(struct member *m, struct cause *cause)
{
    struct cp_ports ports;
    char path[CONFIG_PATH_BYTES + 16];
    int rc = member_host_create(m, cause);
    if (rc)
        return rc;
    member_cp_ports(m, &ports);
    m->cp = cp_create(m->config, m->directory, &ports);
    if (!m->cp)
        return cause_set(cause, ST_NOMEM, "out of memory");
    snprintf(path, sizeof path, "%s/user.direct", m->opt.dir);
    cp_set_directory_file(m->cp, path);
    char dumps[sizeof path + 32];
    snprintf(dumps, sizeof dumps, "%s/dumps-%s", m->opt.dir, m->config->member);
    cp_set_dump_folder(m->cp, dumps);
    snprintf(dumps, sizeof dumps, "%s/captures-%s", m->opt.dir, m->config->member);
    cp_set_capture_folder(m->cp, dumps);
    cp_observe_users(m->cp, user_event, m);
    const struct dir_entry *op =
        directory_find(m->directory, m->config->features.operator_userid);
    if (!op || op->kind == DIR_IDENTITY || !m->config->in_ssi)
        rc = operator_logon(m, cause);
    if (!rc && m->config->in_ssi)
        rc = member_ssi_open(m, cause);
    return rc ? rc : member_snapshots_open(m, cause);
}

static int terminals(struct member *m, struct cause *cause)
{
    bool on = m->config->hardware.console_on;
    const char *cert = m->config->hardware.console_cert;
    char path[2 * CONFIG_PATH_BYTES];
    snprintf(path, sizeof path, "%s%s%s", *cert == '/' ? "" : m->opt.dir,
             *cert == '/' ? "" : "/", cert);
    snprintf(m->tn3270_address, sizeof m->tn3270_address, "%s:%u",
             m->config->hardware.console_host[0] ? m->config->hardware.console_host
                                                 : "127.0.0.1",
             m->config->hardware.console_port);
    const struct tn3270_config config = {.loop = &m->loop,
                                         .system = m->config->member,
                                         .address = on ? m->tn3270_address : NULL,
                                         .pem = *cert ? path : NULL,
                                         .member = m};
    m->tn3270 = tn3270_create(&config, cause);
    return m->tn3270 ? tn3270_away_open(m->tn3270, m->ssi ? ssi_uv_ssi(m->ssi) : NULL, cause)
                     : cause->status;
}

static void signals(struct member *m)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk, not an end */
    uv_signal_init(&m->loop, &m->term);
    uv_signal_init(&m->loop, &m->intr);
    m->term.data = m->intr.data = m;
    uv_signal_start(&m->term, on_signal, SIGTERM);
    uv_signal_start(&m->intr, on_signal, SIGINT);
}

static void begin(struct member *m)
{
    struct cause cause = {0};
    signals(m);
    m->post = post_uv_create(&m->loop);
    int rc = m->post ? ST_OK : cause_set(&cause, ST_NOMEM, "out of memory");
    if (m->post)
        log_set_operator(host_note, m);
    int gone = member_while_open(m, &cause);
    rc = rc ? rc : gone;
    if (!rc)
        rc = rundir_take(m->opt.member, m->opt.dir, &cause);
    if (!rc)
        rc = load(m, &cause);
    if (!rc)
        rc = machines(m, &cause);
    if (!rc)
        rc = terminals(m, &cause);
    if (rc) {
        member_failed(m, rc == ST_IO ? EXIT_USAGE : cli_exit_of(rc), cause.text);
        return;
    }
    m->phase = MEMBER_JOINING;
    cp_net_start(m->cp); /* before the join: other members compare them with theirs */
    if (m->ssi)
        member_ssi_join(m);
    else
        member_joined(m);
}

/* SHUTDOWN REIPL: the same process, anew. */
static void reipl(const struct member_options *o)
{
    char pid[24];
    const char *argv[9] = {"endicott", "start", o->dir, o->member, "--foreground"};
    unsigned n = 5;
    snprintf(pid, sizeof pid, "%ld", o->while_pid);
    if (o->repair)
        argv[n++] = "--repair";
    if (o->while_pid) {
        argv[n++] = "--while";
        argv[n++] = pid;
    }
    log_line("IPL of %s again", o->member);
    execv("/proc/self/exe", (char **)(uintptr_t)argv);
    log_line("/proc/self/exe: %s", strerror(errno));
}

int member_run(const struct member_options *options)
{
    struct member *m = calloc(1, sizeof *m);
    if (!m)
        return EXIT_RESOURCE;
    m->opt = *options;
    m->start_ns = member_wall_ns(m);
    log_set_system(options->member);
    uv_loop_init(&m->loop);
    begin(m);
    uv_run(&m->loop, UV_RUN_DEFAULT);
    uv_loop_close(&m->loop);
    rdevs_destroy(m->rdevs);
    directory_free(m->directory);
    config_free(m->config);
    int status = m->status;
    bool again = m->reipl && !status;
    log_line("%s has ended", options->member);
    free(m);
    if (again)
        reipl(options);
    return status;
}
