/* Channel programs on the thread of the processor whose CPU started them, while that CPU waits: no
 * other thread is woken for the program, and none for its end. Only what never waits for the host
 * is done so (css_attempt); the rest is for a thread of device work, as everything is whose CPU
 * goes on with something else.
 * Guarantees: [A1] what SSCH left is executed or handed on before the CPU leaves its processor, and
 * when it does not wait after SOON_INSNS instructions; [A2] between two commands the thread looks
 * for what the CPU or another CPU of its pool could do, and goes there. */
#include "hyp/vm_internal.h"

#define SOON_INSNS 2000u /* a CPU that waits behind so many had nothing else to do */
#define SOON_AFTER 4u    /* starts that were so, one after the other */

static u64 insns_since_start(const struct vcpu *v)
{
    return cpu_instructions(v->cpu) - v->starts.at_insns;
}

static void hand_on(struct vcpu *v)
{
    struct subchannel *left = v->starts.left;
    v->starts.left = NULL;
    if (left)
        css_attempt_not(left);
}

int attempt_ssch(struct vcpu *v, u32 schid, const u8 *orb)
{
    hand_on(v);
    v->starts.open = true;
    v->starts.at_insns = cpu_instructions(v->cpu);
    if (v->vm->host->config.deterministic || v->starts.soon < SOON_AFTER)
        return css_ssch(v->vm->css, schid, orb);
    return css_ssch_left(v->vm->css, schid, orb, &v->starts.left);
}

long attempt_budget(const struct vcpu *v, long slice)
{
    u64 ran = v->starts.left ? insns_since_start(v) : 0;
    return v->starts.left && ran < SOON_INSNS ? (long)(SOON_INSNS - ran) : slice;
}

/* [A2] */
static bool nothing_else(void *arg)
{
    const struct vcpu *v = arg;
    return cpu_waits(v->cpu);
}

/* Nobody else waits for the processor; who does from now on ends the attempt. */
static bool free_to_attempt(struct processor *p)
{
    struct vm_host *host = p->host;
    lock_take(&host->lock);
    bool alone = p->dedicated || !rq_ready(&host->pool[p->type], host_now_ns(host));
    atomic_store(&p->attempts, alone);
    lock_drop(&host->lock);
    return alone;
}

static void attempt(struct vcpu *v)
{
    const struct css_attempt how = {nothing_else, v};
    struct subchannel *left = v->starts.left;
    if (!free_to_attempt(v->on)) {
        hand_on(v);
        return;
    }
    u64 start = host_clock_ns(CLOCK_MONOTONIC);
    v->starts.left = NULL;
    if (css_attempt(left, &how))
        atomic_fetch_add(&v->vm->io_count, 1);
    atomic_store(&v->on->attempts, false);
    v->turn.icpt_ns += host_clock_ns(CLOCK_MONOTONIC) - start;
}

void attempt_end(struct vcpu *v)
{
    v->starts.open = false;
    hand_on(v);
}

bool attempt_after(struct vcpu *v, enum cpu_exit why)
{
    bool soon = insns_since_start(v) <= SOON_INSNS;
    bool goes_on = why == CPU_EXIT_INTERCEPT && cpu_intercept(v->cpu)->kind == ICPT_IO;
    if (soon && goes_on)
        return false;
    if (!soon || why != CPU_EXIT_WAIT) {
        bool slice_over = !v->starts.left;
        v->starts.soon = 0;
        attempt_end(v);
        return why == CPU_EXIT_BUDGET && !slice_over;
    }
    v->starts.open = false;
    v->starts.soon += v->starts.soon < SOON_AFTER;
    if (!v->starts.left)
        return false;
    attempt(v);
    return !cpu_waits(v->cpu);
}
