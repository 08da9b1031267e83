/* What a virtual machine is doing, line by line, for who has waited in vain for it: where the
 * dispatcher has each CPU, its PSW and masks, interruptions that wait, subchannels that do
 * something. What was seen when it is asked; nothing of the machine changes. */
#include <stdarg.h>
#include <stdio.h>

#include "hyp/vm_internal.h"
#include "io/css.h"

#define LINE_BYTES 200
#define NS_PER_S 1e9
#define HOLD_SECONDS 5 /* a CPU leaves its processor within milliseconds, or never */
#define SCHIB_SCSW 28  /* 12 bytes */

struct report {
    void (*line)(void *ctx, const char *text);
    void *ctx;
    struct css *css;
    char text[LINE_BYTES];
    size_t len;
};

static void __attribute__((format(printf, 2, 3))) add(struct report *r, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(r->text + r->len, sizeof r->text - r->len, format, ap);
    va_end(ap);
    r->len += n > 0 ? (size_t)n : 0;
    r->len = r->len < sizeof r->text ? r->len : sizeof r->text - 1;
}

static void end_line(struct report *r)
{
    r->line(r->ctx, r->text);
    r->len = 0;
}

/* ---- CPUs ---- */

static const char *at_rest(enum vm_state state)
{
    switch (state) {
    case VM_CP_WAIT: return "was not started";
    case VM_STOPPED: return "is stopped";
    case VM_DISABLED_WAIT: return "is in a disabled wait";
    case VM_CHECKSTOP: return "is in the check-stop state";
    case VM_ENABLED_WAIT: return "is in an enabled wait";
    case VM_RUNNING: break;
    }
    return "rests, and could run";
}

static void add_place(struct report *r, const struct vm_cpu_info *info)
{
    static const char *const places[] = {[VM_CPU_READY] = "is ready to run",
                                         [VM_CPU_RUNS] = "runs",
                                         [VM_CPU_LIMITED] = "waits for its share or a token",
                                         [VM_CPU_IN_CP] = "waits for CP's answer"};
    if (info->place != VM_CPU_RESTS) {
        add(r, "%s", places[info->place]);
        return;
    }
    add(r, "%s", at_rest(info->state));
    if (info->state != VM_ENABLED_WAIT)
        return;
    add(r, " for %.3f s", (double)info->rests_ns / NS_PER_S);
    if (info->wakes_ns == ~0ull)
        add(r, ", no clock wakes it");
    else
        add(r, ", a clock wakes it in %.3f s", (double)(s64)info->wakes_ns / NS_PER_S);
}

static void add_pending(struct report *r, struct cpu *cpu)
{
    struct cpu_pending p;
    cpu_pending_get(cpu, &p);
    if (p.io)
        add(r, " I/O subclasses %02X", p.io);
    for (unsigned i = 0; i < p.externals; i++)
        add(r, "%s%04X", i ? " " : " external ", p.external[i]);
    if (p.machine_check)
        add(r, " machine check %016llX", (unsigned long long)p.machine_check);
    if (!p.io && !p.externals && !p.machine_check)
        add(r, " nothing");
    if (p.enabled)
        add(r, "; the CPU is enabled for it");
}

static void tell_place(struct report *r, const struct vm_cpu_info *info)
{
    add(r, "CPU %02X ", info->addr);
    add_place(r, info);
    add(r, ", %.3f s of processor time so far", (double)info->total_ns / NS_PER_S);
    end_line(r);
}

/* Of a machine that is held. */
static void tell_cpu(struct report *r, const struct vm *vm, const struct vm_cpu_info *info)
{
    struct cpu *cpu = vm->vcpu[info->addr].cpu;
    u64 mask, addr;
    const u64 *cr = cpu_cr(cpu), *gr = cpu_gr(cpu);
    cpu_psw_get(cpu, &mask, &addr);
    add(r, "CPU %02X PSW %016llX %016llX, GR14 %016llX GR15 %016llX", info->addr,
        (unsigned long long)mask, (unsigned long long)addr, (unsigned long long)gr[14],
        (unsigned long long)gr[15]);
    end_line(r);
    add(r, "CPU %02X masks CR0 %016llX CR6 %08X CR14 %08X, pending:", info->addr,
        (unsigned long long)cr[0], (unsigned)cr[6], (unsigned)cr[14]);
    add_pending(r, cpu);
    end_line(r);
}

/* ---- subchannels ---- */

static bool tell_device(void *arg, u32 schid, u16 devno, const struct dev_ops *ops, void *dev)
{
    static const char *const what[] = {[CSS_BUSY] = "performs a function",
                                       [CSS_WAITING] = "waits for the host",
                                       [CSS_SUSPENDED] = "is suspended",
                                       [CSS_STATUS_PENDING] = "has status pending"};
    struct report *r = arg;
    u8 schib[SCHIB_BYTES] = {0};
    enum css_activity activity = css_activity(r->css, schid);
    (void)ops;
    (void)dev;
    if (activity == CSS_IDLE)
        return true;
    css_stsch(r->css, schid, schib);
    add(r, "device %04X, subchannel %08X, %s, SCSW %08X %08X %08X", devno, schid,
        what[activity], be32_load(schib + SCHIB_SCSW), be32_load(schib + SCHIB_SCSW + 4),
        be32_load(schib + SCHIB_SCSW + 8));
    end_line(r);
    return true;
}

bool vm_report(struct vm *vm, void (*line)(void *ctx, const char *text), void *ctx)
{
    struct report r = {.line = line, .ctx = ctx, .css = vm->css};
    struct vm_cpu_info info[VM_CPUS_MAX];
    unsigned n = 0;
    while (n < VM_CPUS_MAX && vm_host_ops()->cpu_info(vm, n, &info[n]))
        n++; /* before they are taken from where they are */
    if (!vm_hold_within(vm, HOLD_SECONDS)) {
        for (unsigned i = 0; i < n; i++)
            tell_place(&r, &info[i]);
        add(&r,
            "a CPU that runs does not leave its processor: no PSW and no device can be seen");
        end_line(&r);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        tell_place(&r, &info[i]);
        tell_cpu(&r, vm, &info[i]);
    }
    css_each(vm->css, tell_device, &r);
    if (vm->still)
        line(ctx, "the machine stands still for a dump or the like");
    vm_release(vm);
    return true;
}
