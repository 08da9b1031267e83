/* What a DIAGNOSE code has to ask on the loop thread, to which CP and the machines belong.
 * Guarantee: the CPU is blocked until it is answered, so that a relocation waits for that, too; who
 * is reset or destroyed meanwhile gets no answer. */
#include <stdlib.h>

#include "hyp/diag/diag.h"

struct question {
    struct vcpu *v;
    u64 resets; /* of the machine, when it was issued */
    struct cpu_icpt k;
    diag_answer *answer;
};

static void deliver(void *arg)
{
    struct question *q = arg;
    struct vm *vm = q->v->vm;
    if (!vm->dead && vm->resets == q->resets) {
        q->answer(q->v, &q->k);
        atomic_fetch_sub(&vm->blocked, 1);
        dispatch_unblock(q->v);
    }
    vm_note_done(vm);
    free(q);
}

bool diag_on_loop(struct vcpu *v, const struct cpu_icpt *k, diag_answer *answer)
{
    const struct vm_host_ports *ports = &v->vm->host->ports;
    struct question *q = malloc(sizeof *q);
    if (!q) {
        cpu_finish_again(v->cpu);
        return true;
    }
    *q = (struct question){v, v->vm->resets, *k, answer};
    vcpu_block(v);
    ports->post(ports->ctx, deliver, q);
    return false;
}
