/* DIAGNOSE X'288': a command that CP issues for the guest unless the guest puts it off in time.
 * CP keeps the clock (cp_timebomb.c). Source: Linux drivers/watchdog/diag288_wdt.c as its user, and
 * the range of the interval from there: from 15 seconds on. */
#include "hyp/diag/diag.h"
#include "io/ebcdic.h"

#define CONCEAL 0x80000000u
#define SECONDS_MIN 15
#define EBCDIC_NEXT_LINE 0x15
#define EBCDIC_LINE_FEED 0x25 /* which is a line feed in UTF-8, too */
enum function { BOMB_SET = 0, BOMB_CHANGE = 1, BOMB_CANCEL = 2 };

/* Several commands are separated by X'15'. */
static bool command_fetch(struct vcpu *v, u64 real, u32 len, char *out)
{
    u8 text[VM_TIMEBOMB_BYTES_MAX];
    char utf8[2 * VM_TIMEBOMB_BYTES_MAX + 1];
    if (!diag_fetch(v, real, text, len))
        return false;
    for (u32 i = 0; i < len; i++)
        text[i] = text[i] == EBCDIC_NEXT_LINE ? EBCDIC_LINE_FEED : text[i];
    size_t n = ebcdic_to_utf8(EBCDIC_037, text, len, utf8);
    n = n < VM_TIMEBOMB_BYTES_MAX ? n : VM_TIMEBOMB_BYTES_MAX;
    memcpy(out, utf8, n);
    out[n] = 0;
    return true;
}

static void tell(struct vcpu *v, u32 seconds, const char *command, bool conceal)
{
    const struct vm_host_events *events = &v->vm->host->events;
    bool done =
        events->timebomb && events->timebomb(events->ctx, v->vm, seconds, command, conceal);
    if (done)
        cpu_finish_cc(v->cpu, 0);
    else
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE); /* nothing to be changed */
}

static bool operands_valid(struct vcpu *v, const struct cpu_icpt *k)
{
    const u64 *gr = cpu_gr(v->cpu);
    u32 function = (u32)gr[k->r1] & ~CONCEAL;
    if ((k->r1 | k->r3) & 1 || function > BOMB_CANCEL)
        return false;
    if (function != BOMB_CANCEL && (u32)gr[k->r1 + 1] < SECONDS_MIN)
        return false;
    return function != BOMB_SET || (u32)gr[k->r3 + 1] - 1 < VM_TIMEBOMB_BYTES_MAX;
}

/* The registers once more: STORE of CP's may have changed them while the CPU waited. */
static void answer(struct vcpu *v, const struct cpu_icpt *k)
{
    if (!operands_valid(v, k)) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return;
    }
    char command[VM_TIMEBOMB_BYTES_MAX + 1];
    const u64 *gr = cpu_gr(v->cpu);
    enum function function = (enum function)((u32)gr[k->r1] & ~CONCEAL);
    u32 len = (u32)gr[k->r3 + 1];
    if (function == BOMB_CANCEL)
        tell(v, 0, NULL, false);
    else if (function == BOMB_CHANGE)
        tell(v, (u32)gr[k->r1 + 1], NULL, false);
    else if (!command_fetch(v, gr[k->r3], len, command))
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
    else
        tell(v, (u32)gr[k->r1 + 1], command, (u32)gr[k->r1] & CONCEAL);
}

/* Rx: function, Rx+1: seconds, Ry: where the command is, Ry+1: its length. */
bool diag_288(struct vcpu *v, const struct cpu_icpt *k)
{
    return operands_valid(v, k) ? diag_on_loop(v, k, answer)
                                : diag_pgm(v, PGM_SPECIFICATION_CODE);
}
