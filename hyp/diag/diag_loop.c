/* What a DIAGNOSE code has to ask on the loop thread, to which CP and the machines belong, or to
 * have done by a thread for device work.
 * Guarantee: the CPU is blocked until it is answered, so that a relocation waits for that, too; who
 * is reset or destroyed meanwhile gets no answer. A machine that stands still (hyp/vm_still.c) gets
 * its answers when it goes on. */
#include <stdlib.h>

#include "hyp/diag/diag.h"
#include "hyp/diag/diag_block_internal.h"
#include "hyp/io_worker.h"
#include "hyp/vm_still.h"
#include "mem/base/ergo.h"

struct question {
    struct vm_deferred deferred; /* first */
    struct vcpu *v;
    u64 resets; /* of the machine, when it was issued */
    struct cpu_icpt k;
    diag_answer *answer;
};

static void deliver(void *arg)
{
    struct question *q = arg;
    struct vm *vm = q->v->vm;
    if (!vm->dead && vm_still_defer(vm, deliver, &q->deferred))
        return;
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
    *q = (struct question){.v = v, .resets = v->vm->resets, .k = *k, .answer = answer};
    vcpu_block(v);
    ports->post(ports->ctx, deliver, q);
    return false;
}

/* ---- with a thread for device work in between ---- */

struct work {
    struct vm_deferred deferred; /* first */
    struct vcpu *v;
    u64 resets;
    struct cpu_icpt k;
    diag_work *work;
    diag_work_answer *answer;
    _Alignas(16) u8 data[DIAG_WORK_BYTES];
};

static void work_answer(void *arg)
{
    struct work *w = arg;
    struct vm *vm = w->v->vm;
    if (!vm->dead && vm_still_defer(vm, work_answer, &w->deferred))
        return;
    if (!vm->dead && vm->resets == w->resets) {
        w->answer(w->v, &w->k, w->data);
        atomic_fetch_sub(&vm->blocked, 1);
        dispatch_unblock(w->v);
    }
    vm_note_done(vm);
    free(w);
}

static void work_do(void *arg)
{
    struct work *w = arg;
    struct vm *vm = w->v->vm;
    const struct vm_host_ports *ports = &vm->host->ports;
    w->work(w->v, w->data);
    ports->post(ports->ctx, work_answer, w);
    block_request_end(&vm->block, NULL);
}

bool diag_on_worker(struct vcpu *v, const struct cpu_icpt *k, diag_work *work,
                    diag_work_answer *answer, const void *data, size_t len)
{
    struct work *w = malloc(sizeof *w);
    PRE(len <= DIAG_WORK_BYTES);
    if (!w || !block_request_begin(&v->vm->block)) {
        free(w);
        cpu_finish_again(v->cpu);
        return true;
    }
    *w =
        (struct work){.v = v, .resets = v->vm->resets, .k = *k, .work = work, .answer = answer};
    memcpy(w->data, data, len);
    vcpu_block(v);
    io_worker_add(v->vm->worker, work_do, w);
    return false;
}
