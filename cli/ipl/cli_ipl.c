/* endicott ipl: one virtual machine from files, console on standard output, an exit status that
 * tells how the guest ended. No directory, no cluster; the machine looks like an LPAR. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#include "cpu/cpu.h"
#include "cli/cli.h"
#include "cli/ipl/ipl_ctc.h"
#include "cli/ipl/ipl_disks.h"
#include "cli/ipl/ipl_net.h"
#include "cli/ipl/ipl_move.h"
#include "cli/ipl/ipl_ration.h"
#include "cli/ipl/ipl_terminals.h"
#include "cli/ipl/ipl_unitrec.h"
#include "cli/post_uv.h"
#include "cpu/engine.h"
#include "hyp/directory.h"
#include "hyp/vm.h"
#include "mem/base/log.h"

#define USAGE "ipl --kernel FILE | --image FILE | --load DEVNO [options]"
#define STDIN_BYTES 4096
#define SHUTDOWN_GRACE_MS 30000
#define CPUS_LIMIT 64
#define IO_THREADS_LIMIT 64
#define DRAIN_LINE_BYTES 1024

struct ipl_options {
    const char *kernel, *initrd, *append, *image, *load, *memory, *standby, *cpus, *model,
        *engine, *io_threads, *idle_slack;
    FILE *trace_file; /* of --trace jit:FILE */
    const char *console, *display, *certificate, *gdb, *seed, *timeout, *stats, *trace, *move,
        *ration;
    const char *disk[CLI_MANY_MAX + 1], *tape[CLI_MANY_MAX + 1], *alias[CLI_MANY_MAX + 1];
    const char *net[CLI_MANY_MAX + 1], *ctc[CLI_MANY_MAX + 1];
    const char *reader[CLI_MANY_MAX + 1], *punch[CLI_MANY_MAX + 1], *printer[CLI_MANY_MAX + 1];
    unsigned idle_slack_ms;
    bool deterministic, perf_map;
};

struct ipl {
    struct ipl_options opt;
    uv_loop_t loop;
    struct post_uv *post;
    struct vm_host *host;
    struct vm *vm;
    struct ipl_move move;
    struct ipl_ration ration;
    struct ipl_terminals terminals;
    struct ipl_nets nets;
    struct ipl_ctcs ctcs;
    uv_timer_t timeout, grace;
    uv_signal_t term, intr;
    uv_pipe_t in_pipe;
    uv_tty_t in_tty;
    uv_stream_t *in;
    char in_buf[STDIN_BYTES];
    size_t in_at, in_len;
    char line[DRAIN_LINE_BYTES];
    size_t line_len;
    bool in_waits; /* for the guest to take what was typed */
    bool ended;
    bool terminating;
    int status;
};

static void ipl_end(struct ipl *ipl, int status)
{
    if (ipl->ended)
        return;
    ipl->ended = true;
    ipl->status = status;
    uv_stop(&ipl->loop);
}

/* ---- output and events ---- */

static void ipl_output(void *ctx, const char *text, size_t len)
{
    struct ipl *ipl = ctx;
    if (ipl->opt.console && strcmp(ipl->opt.console, "none") == 0)
        return;
    while (len) {
        ssize_t n = write(STDOUT_FILENO, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) { /* somebody made the pipe or terminal non-blocking */
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n <= 0)
            return; /* nobody listens: the guest goes on */
        text += n;
        len -= (size_t)n;
    }
}

static void ipl_event(void *ctx, struct vm *vm, enum vm_event event, u64 mask, u64 addr)
{
    struct ipl *ipl = ctx;
    enum vm_state state = vm_state(vm);
    if (ipl->ended)
        return;
    bool loops = event == VM_EVENT_PGM_LOOP || event == VM_EVENT_EXT_LOOP;
    if (!loops && event != VM_EVENT_CHECKSTOP &&
        (state == VM_RUNNING || state == VM_ENABLED_WAIT))
        return;
    switch (event) {
    case VM_EVENT_DISABLED_WAIT:
    case VM_EVENT_NONE_RUNS:
        if (addr == 0 || (ipl->terminating && addr == QUIESCE_PSW_ADDR)) {
            ipl_end(ipl, EXIT_WELL);
            break;
        }
        log_line("disabled wait: PSW %016llX %016llX", (unsigned long long)mask,
                 (unsigned long long)addr);
        ipl_end(ipl, EXIT_DISABLED_WAIT);
        break;
    case VM_EVENT_STOPPED: ipl_end(ipl, EXIT_WELL); break;
    case VM_EVENT_PGM_LOOP:
    case VM_EVENT_EXT_LOOP:
        log_line("%s interruption loop: PSW %016llX %016llX",
                 event == VM_EVENT_PGM_LOOP ? "program" : "external", (unsigned long long)mask,
                 (unsigned long long)addr);
        ipl_end(ipl, EXIT_CHECK_STOP);
        break;
    case VM_EVENT_CHECKSTOP:
        log_line("check-stop: PSW %016llX %016llX", (unsigned long long)mask,
                 (unsigned long long)addr);
        ipl_end(ipl, EXIT_CHECK_STOP);
        break;
    case VM_EVENT_RESET: break;
    }
}

static void ipl_display(void *ctx, struct vm *vm)
{
    struct ipl *ipl = ctx;
    (void)vm;
    ipl_terminals_news(&ipl->terminals);
}

static void ipl_command(void *ctx, struct vm *vm, const char *command, void *token)
{
    (void)ctx;
    (void)command;
    vm_diag8_done(vm, token, 1, NULL, 0); /* no CP here */
}

static int ipl_load(struct ipl *ipl, struct cause *cause)
{
    u16 devno;
    if (ipl->opt.load && ipl_devno(ipl->opt.load, &devno))
        return vm_ipl_device(ipl->vm, devno, true, NULL, NULL, cause);
    return ipl->opt.kernel ? vm_ipl_kernel(ipl->vm, ipl->opt.kernel, ipl->opt.initrd,
                                           ipl->opt.append, cause)
                           : vm_ipl_image(ipl->vm, ipl->opt.image, cause);
}

/* The guest wants to be IPLed again (DIAGNOSE X'308'). */
static int ipl_reload(void *ctx, struct vm *vm)
{
    struct ipl *ipl = ctx;
    struct cause cause = {0};
    (void)vm;
    int rc = ipl_load(ipl, &cause);
    if (rc) {
        log_line("IPL: %s", cause.text);
        ipl_end(ipl, cli_exit_of(rc));
    }
    return rc;
}

/* ---- input, signals, time ---- */

static void in_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct ipl *ipl = handle->data;
    (void)size;
    *buf = uv_buf_init(ipl->in_buf, sizeof ipl->in_buf);
}

/* Lines of what was read, until the guest has no room: the rest comes after ipl_typed_room. */
static void in_feed(struct ipl *ipl)
{
    for (; ipl->in_at < ipl->in_len; ipl->in_at++) {
        char c = ipl->in_buf[ipl->in_at];
        if (c == '\n' || ipl->line_len == sizeof ipl->line) {
            int rc = vm_console_line(ipl->vm, ipl->line, ipl->line_len);
            ipl->in_waits = rc == ST_LIMIT;
            if (ipl->in_waits)
                return;
            if (rc == ST_INVAL)
                log_line("a line of %zu bytes is longer than the console takes", ipl->line_len);
            ipl->line_len = 0;
        }
        if (c != '\n')
            ipl->line[ipl->line_len++] = c;
    }
}

static void in_read(uv_stream_t *in, ssize_t n, const uv_buf_t *buf)
{
    struct ipl *ipl = in->data;
    (void)buf;
    if (n > 0) {
        ipl->in_at = 0;
        ipl->in_len = (size_t)n;
        in_feed(ipl);
    }
    if (n < 0 || ipl->in_waits)
        uv_read_stop(in); /* closing it ends nothing */
}

static void ipl_typed_room(void *ctx, struct vm *vm)
{
    struct ipl *ipl = ctx;
    (void)vm;
    if (!ipl->in_waits)
        return;
    in_feed(ipl);
    if (!ipl->in_waits && !ipl->ended)
        uv_read_start(ipl->in, in_alloc, in_read);
}

static void in_open(struct ipl *ipl)
{
    uv_handle_type type = uv_guess_handle(STDIN_FILENO);
    if (type == UV_TTY && uv_tty_init(&ipl->loop, &ipl->in_tty, STDIN_FILENO, 1) == 0) {
        ipl->in = (uv_stream_t *)&ipl->in_tty;
    } else if ((type == UV_NAMED_PIPE || type == UV_TCP) &&
               uv_pipe_init(&ipl->loop, &ipl->in_pipe, 0) == 0 &&
               uv_pipe_open(&ipl->in_pipe, STDIN_FILENO) == 0) {
        ipl->in = (uv_stream_t *)&ipl->in_pipe;
    }
    if (!ipl->in)
        return;
    ipl->in->data = ipl;
    uv_read_start(ipl->in, in_alloc, in_read);
}

static void report_line(void *ctx, const char *text)
{
    (void)ctx;
    log_line("%s", text);
}

/* What the machine does, for who waited in vain. One whose CPU does not leave its processor can be
 * neither saved nor ended: the program goes as if it were killed. */
static void report(struct ipl *ipl, int status)
{
    if (vm_report(ipl->vm, report_line, NULL))
        return;
    log_line("the machine cannot be ended: the program ends at once, without statistics");
    uv_tty_reset_mode();
    _exit(status);
}

static void on_timeout(uv_timer_t *timer)
{
    struct ipl *ipl = timer->data;
    log_line("time limit of %s seconds reached, after %llu instructions", ipl->opt.timeout,
             (unsigned long long)vm_instructions(ipl->vm));
    report(ipl, EXIT_TIMEOUT);
    ipl_end(ipl, EXIT_TIMEOUT);
}

static void on_grace(uv_timer_t *timer)
{
    struct ipl *ipl = timer->data;
    log_line("the guest did not shut down within %d seconds", SHUTDOWN_GRACE_MS / 1000);
    report(ipl, EXIT_WELL);
    ipl_end(ipl, EXIT_WELL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct ipl *ipl = handle->data;
    if (ipl->terminating || vm_signal_quiesce(ipl->vm) != 0) {
        log_line("signal %d: the guest does not listen for a shutdown signal", number);
        ipl_end(ipl, EXIT_WELL);
        return;
    }
    ipl->terminating = true;
    log_line("signal %d: the guest is asked to shut down", number);
    uv_timer_start(&ipl->grace, on_grace, SHUTDOWN_GRACE_MS, 0);
}

/* ---- statistics, translated code as text ---- */

/* jit-first and jit-single are for tests: translate at once, one instruction at a time. */
static const char *const engine_names[] = {
    [CPU_ENGINE_INTERP] = "interp",       [CPU_ENGINE_JIT] = "jit",
    [CPU_ENGINE_JIT_FIRST] = "jit-first", [CPU_ENGINE_JIT_SINGLE] = "jit-single",
    [CPU_ENGINE_LOCKSTEP] = "lockstep",   [CPU_ENGINE_LOCKSTEP_SOME] = "lockstep-some",
};

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void body_add(void *ctx, const char *mnemonic, u64 calls)
{
    json_t *bodies = ctx;
    json_int_t before = json_integer_value(json_object_get(bodies, mnemonic));
    json_object_set_new(bodies, mnemonic, json_integer(before + (json_int_t)calls));
}

/* Names with what was counted for them; zeros are left out. */
static json_t *refusals(const u64 *counts)
{
    json_t *o = json_object();
    for (unsigned i = 1; i < JIT_REFUSALS; i++)
        if (counts[i])
            json_object_set_new(o, cpu_refusal_name(i), json_integer((json_int_t)counts[i]));
    return o;
}

static json_t *engine_figures(struct ipl *ipl)
{
    struct cpu_engine_stats s;
    cpu_engine_stats(vm_cpus(ipl->vm), &s);
#define N(name, member) json_object_set_new(o, name, json_integer((json_int_t)s.member))
    json_t *o = json_object();
    N("regions", regions);
    N("deep_regions", deep);
    N("guest_instructions_translated", region_insns);
    N("host_bytes", host_bytes);
    N("code_bytes", code_bytes);
    N("code_bytes_max", code_bytes_max);
    N("live_regions", live_regions);
    N("ways_in", ways_in);
    N("links", links);
    N("invalidated", invalidated);
    N("flushes", flushes);
    N("translate_ns", translate_ns);
    json_object_set_new(o, "refused", refusals(s.refused));
    json_object_set_new(o, "path_ends", refusals(s.ends));
    if (s.stretches + s.insns_alone) {
        N("lockstep_stretches", stretches);
        N("lockstep_stretches_cold", stretches_cold);
        N("lockstep_instructions_compared", insns_compared);
        N("lockstep_instructions_alone", insns_alone);
        N("lockstep_instructions_unseen", insns_unseen);
        N("lockstep_frames_compared", frames_compared);
    }
#undef N
    return o;
}

static int stats_write(struct ipl *ipl, u64 start_ns)
{
    struct rusage ru;
    u64 virt, total;
    getrusage(RUSAGE_SELF, &ru);
    vm_hold(ipl->vm);
    vm_times(ipl->vm, &virt, &total);
    json_t *root =
        json_pack("{s:{s:I}, s:s, s:o, s:f, s:f, s:f, s:I, s:I}", "instructions", "interp",
                  (json_int_t)vm_instructions(ipl->vm), "engine",
                  engine_names[vm_configuration(ipl->vm)->engine], "jit", engine_figures(ipl),
                  "wall_seconds", (double)(uv_hrtime() - start_ns) / 1e9, "cpu_seconds",
                  seconds(ru.ru_utime) + seconds(ru.ru_stime), "guest_seconds",
                  (double)virt / 1e9, "resident_bytes", (json_int_t)vm_resident_bytes(ipl->vm),
                  "max_rss_bytes", (json_int_t)ru.ru_maxrss * 1024);
    json_t *bodies = json_object();
    vm_bodies(ipl->vm, body_add, bodies);
    json_object_set_new(root, "bodies", bodies);
    if (ipl->opt.ration)
        json_object_set_new(root, "stores_refused",
                            json_integer((json_int_t)ipl_ration_refused(ipl->vm)));
    vm_release(ipl->vm);
    int rc = root ? json_dump_file(root, ipl->opt.stats, JSON_INDENT(1)) : -1;
    json_decref(root);
    if (rc)
        log_line("%s: cannot be written", ipl->opt.stats);
    return rc;
}

/* ---- set-up ---- */

static int usage(const char *what, const char *value)
{
    fprintf(stderr, "endicott ipl: %s: %s\nusage: endicott %s\n", value, what, USAGE);
    return EXIT_USAGE;
}

static int model_unknown(const char *name)
{
    fprintf(stderr, "endicott ipl: %s: no such processor model\nmodels: %s\n", name,
            cpu_model_names());
    return EXIT_USAGE;
}

static int number(const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
    char *end;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno || *end || end == text || *out < min || *out > max ? -1 : 0;
}

/* What is parsed but not there yet; NULL when everything asked for exists. */
static const char *missing(const struct ipl_options *o)
{
    if (o->gdb)
        return "--gdb is";
    if (o->ctc[0] && (o->deterministic || o->move || o->ration))
        return "--ctc with --deterministic, --relocate-every or --ration-stores is";
    if (o->trace && strcmp(o->trace, "jit") && strncmp(o->trace, "jit:", 4))
        return "--trace of anything but jit is";
    return NULL;
}

/* Better now than after hours. */
static int stats_check(const char *path)
{
    FILE *file = path ? fopen(path, "we") : NULL;
    if (path && !file)
        return usage(strerror(errno), path);
    if (file)
        fclose(file);
    return EXIT_WELL;
}

static bool engine_named(const char *name, enum cpu_engine *engine)
{
    for (unsigned i = 0; i < ARRAY_LEN(engine_names); i++) {
        if (strcmp(name, engine_names[i]) == 0) {
            *engine = (enum cpu_engine)i;
            return true;
        }
    }
    return false;
}

static int options_check(struct ipl_options *o, struct vm_config *vc)
{
    unsigned long n = 1;
    u16 devno;
    if (missing(o)) {
        fprintf(stderr, "endicott ipl: %s not available yet\n", missing(o));
        return EXIT_INTERNAL;
    }
    if (!!o->kernel + !!o->image + !!o->load != 1)
        return usage("one of --kernel, --image and --load is needed", "ipl");
    if (o->load && !ipl_devno(o->load, &devno))
        return usage("not a device number (1 to 4 hexadecimal digits)", o->load);
    if (!o->kernel && (o->initrd || o->append))
        return usage("goes with --kernel only", o->initrd ? "--initrd" : "--append");
    vc->engine = cpu_engine_default();
    vc->count_bodies = o->stats != NULL;
    if (o->engine && !engine_named(o->engine, &vc->engine))
        return usage("no such engine (jit, interp, lockstep)", o->engine);
    if (o->console && !ipl_terminals_wanted(o->console) && strcmp(o->console, "stdio") &&
        strcmp(o->console, "none"))
        return usage("no such console (stdio, none, tn3270:[ADDRESS:]PORT)", o->console);
    if (o->display && !ipl_terminals_parse(o->display, NULL))
        return usage("not DEVNO[=LU],...", o->display);
    if (o->cpus && number(o->cpus, 1, CPUS_LIMIT, &n))
        return usage("1 to 64 CPUs are possible", o->cpus);
    vc->cpus = (unsigned)n;
    if (o->io_threads && number(o->io_threads, 1, IO_THREADS_LIMIT, &n))
        return usage("1 to 64 threads are possible", o->io_threads);
    n = VM_IDLE_SLACK_MS;
    if (o->idle_slack && number(o->idle_slack, 0, VM_IDLE_SLACK_MS_MAX, &n))
        return usage("0 to 1000 milliseconds are possible", o->idle_slack);
    o->idle_slack_ms = (unsigned)n;
    if (o->seed && number(o->seed, 0, 1000000000, &n))
        return usage("not a seed (a number below 1000000000)", o->seed);
    if (o->move && ipl_move_parse(o->move, &(struct ipl_move){0}))
        return usage("not N or N,TIMES", o->move);
    if (o->ration && ipl_ration_parse(o->ration, &(struct ipl_ration){0}))
        return usage("not SEED or SEED,TURNS", o->ration);
    o->deterministic |= o->move || o->ration;
    if (o->timeout && number(o->timeout, 1, 1000000, &n))
        return usage("not a number of seconds", o->timeout);
    vc->storage_bytes = directory_storage_size(o->memory ? o->memory : "512M");
    if (!vc->storage_bytes)
        return usage("not a storage size (512M, 2G)", o->memory);
    vc->standby_bytes = o->standby ? directory_storage_size(o->standby) : 0;
    if (o->standby && !vc->standby_bytes)
        return usage("not a storage size (512M, 2G)", o->standby);
    vc->model = o->model ? cpu_model_find(o->model) : cpu_model_default();
    if (!vc->model)
        return model_unknown(o->model);
    return stats_check(o->stats);
}

/* --trace jit[:FILE], --perf-map; without a translator neither says anything. */
static int engine_watch(struct ipl *ipl, struct cause *cause)
{
    struct ipl_options *o = &ipl->opt;
    struct cpu_set *cpus = vm_cpus(ipl->vm);
    if (o->trace && o->trace[3] == ':') {
        o->trace_file = fopen(o->trace + 4, "we");
        if (!o->trace_file)
            return cause_set(cause, ST_IO, "%s: %s", o->trace + 4, strerror(errno));
    }
    if (o->trace)
        cpu_engine_trace(cpus, o->trace_file ? o->trace_file : stderr);
    const char *wanted = getenv("ENDICOTT_PERF");
    if (o->perf_map || (wanted && strcmp(wanted, "0")))
        return cpu_engine_perf_map(cpus, cause);
    return ST_OK;
}

static int machine_create(struct ipl *ipl, const struct vm_config *vc, struct cause *cause)
{
    struct vm_host_config hc = {
        .processors = ipl->opt.deterministic         ? 0
                      : vc->cpus < VM_PROCESSORS_MAX ? vc->cpus
                                                     : VM_PROCESSORS_MAX,
        .io_threads = ipl->opt.io_threads ? (unsigned)atoi(ipl->opt.io_threads) : 0,
        .idle_slack_ms = ipl->opt.idle_slack_ms,
        .cpu_serial = 0x0e1d1c,
        .deterministic = ipl->opt.deterministic,
        .seed = ipl->opt.seed ? strtoull(ipl->opt.seed, NULL, 10) : 0,
        .own_clock = ipl->opt.move != NULL,
        .model = vc->model,
    };
    struct vm_host_ports ports = {ipl->post, post_uv};
    struct vm_host_events events = {.ctx = ipl,
                                    .event = ipl_event,
                                    .command = ipl_command,
                                    .reload = ipl_reload,
                                    .display = ipl_display,
                                    .typed_room = ipl_typed_room};
    ipl->host = vm_host_create(&hc, &ports, &events, cause);
    if (!ipl->host)
        return cause->status;
    if (ipl->opt.move && ipl_move_parse(ipl->opt.move, &ipl->move) == 0) {
        vm_host_slice(ipl->host, ipl->move.insns);
        ipl->move.nets = &ipl->nets;
    }
    if (ipl->opt.ration)
        (void)ipl_ration_parse(ipl->opt.ration, &ipl->ration);
    int rc = vm_create(ipl->host, vc, &ipl->vm, cause);
    if (rc == ST_OK && ipl->terminals.count)
        rc = ipl_terminals_open(&ipl->terminals, &ipl->loop, ipl->post, &ipl->vm, cause);
    if (rc)
        return rc;
    rc = engine_watch(ipl, cause);
    return rc ? rc : ipl_load(ipl, cause);
}

static void watch(struct ipl *ipl)
{
    unsigned long n;
    uv_timer_init(&ipl->loop, &ipl->timeout);
    uv_timer_init(&ipl->loop, &ipl->grace);
    uv_signal_init(&ipl->loop, &ipl->term);
    uv_signal_init(&ipl->loop, &ipl->intr);
    ipl->timeout.data = ipl->grace.data = ipl->term.data = ipl->intr.data = ipl;
    uv_signal_start(&ipl->term, on_signal, SIGTERM);
    uv_signal_start(&ipl->intr, on_signal, SIGINT);
    if (ipl->opt.timeout && number(ipl->opt.timeout, 1, 1000000, &n) == 0)
        uv_timer_start(&ipl->timeout, on_timeout, n * 1000, 0);
    if (!ipl->opt.console || strcmp(ipl->opt.console, "stdio") == 0)
        in_open(ipl);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Deterministic: one thread does everything; the loop is polled between turns. */
static void run_deterministic(struct ipl *ipl)
{
    while (!ipl->ended) {
        if (!ipl_ration_turn(&ipl->ration, ipl->host, ipl->vm))
            ipl_end(ipl, EXIT_RESOURCE);
        bool busy = vm_host_run(ipl->host);
        uv_run(&ipl->loop, busy ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        if (!ipl->ended && !ipl_move_turn(&ipl->move, ipl->host, &ipl->vm))
            ipl_end(ipl, EXIT_RELOCATION);
    }
}

/* Where the machine's time is not the host's nothing outside can keep up with it, nor would what
 * comes be the same again. */
static bool outside_refused(const struct ipl_options *o)
{
    return o->deterministic && !o->move;
}

static int ipl_run(struct ipl *ipl, struct vm_config *vc)
{
    struct cause cause = {0};
    u64 start = uv_hrtime();
    /* A reader of the console that goes ends nothing: before any thread of the machine writes. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    uv_loop_init(&ipl->loop);
    ipl->post = post_uv_create(&ipl->loop);
    int rc = ipl_disks_open(ipl->opt.disk, vc, &cause);
    if (rc == ST_OK)
        rc = ipl_tapes_open(ipl->opt.tape, vc, &cause);
    if (rc == ST_OK)
        rc = ipl_aliases_read(ipl->opt.alias, vc, &cause);
    if (rc == ST_OK)
        rc = ipl_nets_open(ipl->opt.net, vc, &ipl->nets, outside_refused(&ipl->opt), ipl->post,
                           &cause);
    if (rc == ST_OK)
        rc = ipl_ctcs_read(ipl->opt.ctc, vc, &ipl->ctcs, &cause);
    if (rc == ST_OK)
        rc = ipl_unitrec_open(
            &(struct ipl_unitrec){ipl->opt.reader, ipl->opt.punch, ipl->opt.printer}, vc,
            &cause);
    if (rc == ST_OK)
        rc = machine_create(ipl, vc, &cause);
    if (rc == ST_OK)
        rc = ipl_ctcs_open(&ipl->ctcs, &ipl->loop, ipl->post, ipl->vm, &cause);
    if (rc) {
        fprintf(stderr, "endicott ipl: %s\n", cause.text);
        ipl->status = rc == ST_LIMIT ? EXIT_USAGE : cli_exit_of(rc);
    } else {
        ipl_nets_machine(&ipl->nets, ipl->vm);
        watch(ipl);
        if (ipl->opt.deterministic)
            run_deterministic(ipl);
        else
            uv_run(&ipl->loop, UV_RUN_DEFAULT);
        if (ipl->opt.stats)
            stats_write(ipl, start);
    }
    ipl_terminals_close(&ipl->terminals);
    ipl_nets_machine(&ipl->nets, NULL);
    ipl_ctcs_close(&ipl->ctcs);
    vm_destroy(ipl->vm);
    vm_host_destroy(ipl->host);
    ipl_disks_close(vc);
    ipl_tapes_close(vc);
    ipl_nets_close(&ipl->nets);
    ipl_unitrec_close(vc);
    if (ipl->opt.trace_file)
        fclose(ipl->opt.trace_file);
    ipl_ration_fini(&ipl->ration);
    post_uv_destroy(ipl->post);
    uv_walk(&ipl->loop, close_handle, NULL);
    uv_run(&ipl->loop, UV_RUN_DEFAULT);
    uv_loop_close(&ipl->loop);
    return ipl->status;
}

/* The options are good. */
static int ipl_begin(struct ipl *ipl, struct vm_config *vc)
{
    struct ipl_options *o = &ipl->opt;
    ipl_terminals_init(&ipl->terminals, o->console, o->display, o->certificate, vc);
    vc->output = ipl_output;
    vc->output_ctx = ipl;
    return ipl_run(ipl, vc);
}

/* With options that were parsed up to operand `first` (cli_parse). */
static int ipl_parsed(struct ipl *ipl, struct vm_config *vc, int first, int argc, char **argv)
{
    if (first <= 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (first < argc && argv[first])
        return usage("no operand is expected", argv[first]);
    int status = options_check(&ipl->opt, vc);
    return status == EXIT_WELL ? ipl_begin(ipl, vc) : status;
}

int cli_ipl(int argc, char **argv)
{
    struct ipl *ipl = calloc(1, sizeof *ipl);
    if (!ipl)
        return EXIT_RESOURCE;
    struct ipl_options *o = &ipl->opt;
    struct vm_config vc = {.name = "IPL", .personality = VM_LPAR};
    const struct cli_option options[] = {
        {"kernel", "FILE", "Linux for s390x image or ELF64-s390 program", &o->kernel, NULL},
        {"initrd", "FILE", "initial RAM disk for Linux", &o->initrd, NULL},
        {"append", "TEXT", "kernel command line", &o->append, NULL},
        {"image", "FILE", "raw image with an IPL PSW at 0", &o->image, NULL},
        {"load", "DEVNO", "IPL from a device", &o->load, NULL},
        {"memory", "SIZE", "guest storage, 512M unless given", &o->memory, NULL},
        {"standby", "SIZE", "storage that the guest can bring in", &o->standby, NULL},
        {"cpus", "N", "number of CPUs, 1 unless given", &o->cpus, NULL},
        {"model", "NAME", "processor model; endicott models lists them", &o->model, NULL},
        {"engine", "jit|interp|lockstep", "execution engine (jit where the host can)",
         &o->engine, NULL},
        {"io-threads", "N",
         "threads of device work, at most; two a host processor unless given", &o->io_threads,
         NULL},
        {"idle-slack", "MS", "a guest that idles is woken so late at most, 500 unless given",
         &o->idle_slack, NULL},
        {"disk", "DEVNO=FILE[,ro][,sync]...", "disk image; any number", o->disk, NULL},
        {"alias", "DEVNO[=BASE]...", "alias of a 3390 (PAV); without BASE HyperPAV; any number",
         o->alias, NULL},
        {"tape", "DEVNO[=FILE|FOLDER[,ro][,size=N][,3590]]...",
         "tape drive and volume; any number", o->tape, NULL},
        {"reader", "DEVNO=FILE[,ascii]...", "card reader and its deck; any number", o->reader,
         NULL},
        {"punch", "DEVNO=FILE[,ebcdic]...", "card punch; any number", o->punch, NULL},
        {"printer", "DEVNO=FILE[,asa|machine][,3211]...", "printer; any number", o->printer,
         NULL},
        {"net", "DEVNO=slirp|tap:NAME|vde:URI|socket,HOW|none[,mac=MAC]...",
         "network adapter (OSA) and its uplink; any number", o->net, NULL},
        {"ctc", "DEVNO=listen:ADDR|connect:ADDR[,type=SCTC]...",
         "channel-to-channel adapter and its other side's program; any number", o->ctc, NULL},
        {"console", "stdio|none|tn3270:PORT", "console, stdio unless given", &o->console, NULL},
        {"display", "DEVNO[=LU],...",
         "3270 displays (with --console tn3270; 0009 unless given)", &o->display, NULL},
        {"certificate", "FILE", "TLS for 3270 terminals: certificate and key, PEM",
         &o->certificate, NULL},
        {"gdb", "[HOST:]PORT", "GDB stub (not available yet)", &o->gdb, NULL},
        {"deterministic", "[=SEED]", "same inputs, same console log", &o->seed,
         &o->deterministic},
        {"relocate-every", "N[,TIMES]", NULL, &o->move, NULL},
        {"ration-stores", "SEED[,TURNS]", NULL, &o->ration, NULL},
        {"timeout", "SECONDS", "give up after so long: a report, and status 8", &o->timeout,
         NULL},
        {"stats", "FILE", "write statistics as JSON at the end", &o->stats, NULL},
        {"trace", "jit[:FILE]", "guest and host code as it is translated", &o->trace, NULL},
        {"perf-map", NULL, "tell perf of translated code (or ENDICOTT_PERF=1)", NULL,
         &o->perf_map},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int status = ipl_parsed(ipl, &vc, cli_parse(argc, argv, USAGE, options, false), argc, argv);
    free(ipl);
    return status;
}
