/* What CP and the virtual machines need from a member's process: time, wakeups, and the way of
 * their events and commands to CP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/member_internal.h"
#include "mem/base/log.h"

/* ---- time ---- */

struct member_timer {
    struct member_timer *next;
    struct member *m;
    uv_timer_t timer;
    u64 id;
    void (*fire)(void *arg);
    void *arg;
};

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct member_timer *timer_take(struct member *m, u64 id)
{
    struct member_timer **link = &m->timers;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    struct member_timer *t = *link;
    if (t)
        *link = t->next;
    return t;
}

static void timer_fired(uv_timer_t *timer)
{
    struct member_timer *t = timer->data;
    void (*fire)(void *arg) = t->fire;
    void *arg = t->arg;
    timer_take(t->m, t->id);
    uv_close((uv_handle_t *)timer, timer_closed);
    fire(arg);
}

u64 member_timer_start(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg)
{
    struct member *m = ctx;
    struct member_timer *t = calloc(1, sizeof *t);
    if (!t) {
        log_line("out of memory for a timer");
        abort();
    }
    *t = (struct member_timer){
        .next = m->timers, .m = m, .id = ++m->last_timer, .fire = fire, .arg = arg};
    m->timers = t;
    uv_timer_init(&m->loop, &t->timer);
    t->timer.data = t;
    uv_timer_start(&t->timer, timer_fired, delay_ms, 0);
    return t->id;
}

void member_timer_cancel(void *ctx, u64 id)
{
    struct member_timer *t = timer_take(ctx, id);
    if (t)
        uv_close((uv_handle_t *)&t->timer, timer_closed);
}

void member_timers_cancel(struct member *m)
{
    while (m->timers)
        member_timer_cancel(m, m->timers->id);
}

u64 member_wall_ns(void *ctx)
{
    struct timespec now;
    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

/* ---- consoles ---- */

/* One note is under way for any number of wakeups. */
static void console_news(void *arg)
{
    struct member *m = arg;
    atomic_store(&m->news, false);
    if (!m->cp)
        return;
    cp_poll_consoles(m->cp);
    control_recheck(m->control);
    tn3270_recheck(m->tn3270);
}

static void console_wakeup(void *ctx, struct console *console)
{
    struct member *m = ctx;
    (void)console;
    if (!atomic_exchange(&m->news, true))
        post_uv(m->post, console_news, m);
}

/* A guest wrote to its 3270 display. Any thread. */
static void display_news(void *ctx, struct vm *vm)
{
    (void)vm;
    console_wakeup(ctx, NULL);
}

/* ---- networks ---- */

static void net_news(void *arg)
{
    struct member *m = arg;
    atomic_store(&m->net_news, false);
    if (m->cp)
        cp_net_poll(m->cp);
}

static void net_wakeup(void *ctx)
{
    struct member *m = ctx;
    if (!atomic_exchange(&m->net_news, true))
        post_uv(m->post, net_news, m);
}

/* ---- CP ---- */

static void cp_post(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct member *m = ctx;
    post_uv(m->post, fn, arg);
}

static void cp_shutdown(void *ctx, bool reipl)
{
    struct member *m = ctx;
    m->reipl = reipl;
    member_finish(m);
}

void member_cp_ports(struct member *m, struct cp_ports *ports)
{
    *ports = (struct cp_ports){
        .ctx = m,
        .wall_ns = member_wall_ns,
        .timer_start = member_timer_start,
        .timer_cancel = member_timer_cancel,
        .post = cp_post,
        .shutdown = cp_shutdown,
        .console_wakeup = console_wakeup,
        .net_wakeup = net_wakeup,
        .vm = vm_host_ops(),
        .vm_host = m->host,
        .rdevs = m->rdevs,
    };
}

/* ---- virtual machines ---- */

static void vm_event(void *ctx, struct vm *vm, enum vm_event event, u64 mask, u64 addr)
{
    struct member *m = ctx;
    if (m->cp)
        cp_vm_event(m->cp, vm_name(vm), event, mask, addr);
}

/* A command that a guest issued by DIAGNOSE X'08'. */
struct guest_command {
    struct vm *vm;
    void *token;
    struct cp_response resp;
};

static void guest_command_done(struct cp_response *resp, void *ctx)
{
    struct guest_command *g = ctx;
    vm_diag8_done(g->vm, g->token, resp->rc, resp->lines, resp->line_count);
    cp_response_fini(&g->resp);
    free(g);
}

static void vm_command(void *ctx, struct vm *vm, const char *command, void *token)
{
    struct member *m = ctx;
    struct guest_command *g = m->cp ? malloc(sizeof *g) : NULL;
    if (!g) {
        vm_diag8_done(vm, token, 1, NULL, 0);
        return;
    }
    g->vm = vm;
    g->token = token;
    cp_response_init(&g->resp);
    g->resp.may_wait = true;
    g->resp.done_cb = guest_command_done;
    g->resp.done_ctx = g;
    cp_command(m->cp, vm_name(vm), command, &g->resp);
}

static void vm_traced(void *ctx, struct vm *vm, const struct vm_traced *what)
{
    struct member *m = ctx;
    if (m->cp)
        cp_vm_traced(m->cp, vm_name(vm), what);
}

static int vm_hold_request(void *ctx, struct ssi_held *held)
{
    struct member *m = ctx;
    return m->cp ? cp_hold_other(m->cp, held) : ST_NOENT;
}

static bool vm_timebomb(void *ctx, struct vm *vm, u32 seconds, const char *command,
                        bool conceal)
{
    struct member *m = ctx;
    return m->cp && cp_timebomb(m->cp, vm_name(vm), seconds, command, conceal);
}

static void vm_smsg(void *ctx, struct vm *vm)
{
    struct member *m = ctx;
    if (m->cp)
        cp_smsg_on(m->cp, vm_name(vm));
}

static void vm_settings(void *ctx, struct vm *vm, struct vm_settings *out)
{
    struct member *m = ctx;
    if (m->cp)
        cp_settings(m->cp, vm_name(vm), out);
}

static bool vm_nic(void *ctx, struct vm *vm, u16 vdev, struct vm_nic_place *out)
{
    struct member *m = ctx;
    return m->cp && cp_nic_place(m->cp, vm_name(vm), vdev, out);
}

static enum vm_minidisk_result vm_minidisk(void *ctx, struct vm *vm, struct vm_minidisk *io)
{
    struct member *m = ctx;
    return m->cp ? cp_minidisk(m->cp, vm_name(vm), io) : VM_MINIDISK_NO_USER;
}

/* DIR/spool/MEMBER; the spool makes the last of it. */
static int spool_folder(const struct member *m, char out[2 * CONFIG_PATH_BYTES],
                        struct cause *cause)
{
    int n = snprintf(out, 2 * CONFIG_PATH_BYTES, "%s/spool", m->opt.dir);
    if (mkdir(out, 0777) && errno != EEXIST)
        return cause_set(cause, ST_PERM, "%s: %s; spool files are kept there", out,
                         strerror(errno));
    snprintf(out + n, 2 * CONFIG_PATH_BYTES - (size_t)n, "/%s", m->config->member);
    return ST_OK;
}

int member_host_create(struct member *m, struct cause *cause)
{
    const struct config_hardware *hw = &m->config->hardware;
    char folder[2 * CONFIG_PATH_BYTES];
    if (spool_folder(m, folder, cause))
        return cause->status;
    char segments[2 * CONFIG_PATH_BYTES];
    if (snprintf(segments, sizeof segments, "%s/segments", m->opt.dir) >= (int)sizeof segments)
        return cause_set(cause, ST_CONFIG, "%s: too long", m->opt.dir);
    struct vm_host_config hc = {
        .segment_folder = segments,
        .processors = hw->cpus < VM_PROCESSORS_MAX ? hw->cpus : VM_PROCESSORS_MAX,
        .cpu_serial = hw->cpu_serial,
        .model = hw->model,
        .spool_folder = folder,
        .spool_start = m->opt.spool_start,
        .spool_slot = m->config->in_ssi ? config_slot_of(m->config, m->config->member) : 0,
        .idle_slack_ms = m->config->features.idle_slack_ms,
    };
    struct vm_host_ports ports = {m->post, post_uv};
    struct vm_host_events events = {.ctx = m,
                                    .event = vm_event,
                                    .command = vm_command,
                                    .display = display_news,
                                    .traced = vm_traced,
                                    .timebomb = vm_timebomb,
                                    .smsg = vm_smsg,
                                    .settings = vm_settings,
                                    .minidisk = vm_minidisk,
                                    .nic = vm_nic,
                                    .hold = vm_hold_request};
    strcpy(hc.system, m->config->member);
    for (unsigned i = 0; i < hc.processors; i++)
        hc.processor_type[i] = hw->cpu_type[i];
    m->host = vm_host_create(&hc, &ports, &events, cause);
    if (!m->host)
        return cause->status;
    vm_host_set_config(m->host, m->config);
    return ST_OK;
}
