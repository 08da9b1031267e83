/* Work on a machine's storage while the machine stands still: VMDUMP, SAVESEG, SAVESYS. A thread of
 * its own does it, so that nobody but the machine waits. Guarantee: from the beginning to the end
 * no CPU of the machine runs, no device of it works, and nothing is loaded into its storage or
 * taken out of it: what its CPUs have asked the loop thread before waits. A reset and the end of
 * the machine end the work. */
#include "hyp/vm_still.h"

#include <string.h>

#include "hyp/vm_internal.h"

static void go_on(struct vm *vm)
{
    const struct vm_host_ports *ports = &vm->host->ports;
    struct vm_deferred *d = vm->still->deferred;
    vm->still = NULL;
    if (!vm->quiesced)
        css_resume(vm->css);
    vm_release(vm);
    while (d) {
        struct vm_deferred *next = d->next;
        ports->post(ports->ctx, d->fn, d);
        d = next;
    }
}

bool vm_still_defer(struct vm *vm, void (*fn)(void *arg), struct vm_deferred *d)
{
    if (!vm->still)
        return false;
    d->fn = fn;
    d->next = vm->still->deferred;
    vm->still->deferred = d;
    return true;
}

static void ended(void *arg)
{
    struct vm_still *still = arg;
    if (still->vm) {
        pthread_join(still->thread, NULL);
        go_on(still->vm);
        still->ops->ended(still, false);
    }
    still->ops->release(still);
}

static void *still_thread(void *arg)
{
    struct vm_still *still = arg;
    const struct vm_host_ports *ports = &still->vm->host->ports;
    still->ops->work(still);
    ports->post(ports->ctx, ended, still);
    return NULL;
}

void vm_op_still_stop(struct vm *vm)
{
    if (vm->still)
        vm->still->stop = true;
}

void vm_still_stop(struct vm *vm)
{
    struct vm_still *still = vm->still;
    if (!still)
        return;
    still->stop = true;
    pthread_join(still->thread, NULL);
    go_on(vm);
    still->vm = NULL; /* it is released when its note comes */
    still->ops->ended(still, true);
}

int vm_still_check(const struct vm *vm, struct cause *cause)
{
    if (vm->still)
        return cause_set(cause, ST_BUSY, "%s", vm->still->ops->what);
    return vm->quiesced ? cause_set(cause, ST_BUSY, "it is being relocated") : ST_OK;
}

void vm_still_hold(struct vm *vm)
{
    vm_hold(vm);
    vm_settle_blocks(vm);
    css_quiesce(vm->css);
}

int vm_still_begin(struct vm *vm, struct vm_still *still, struct cause *cause)
{
    still->vm = vm;
    vm->still = still;
    int err = pthread_create(&still->thread, NULL, still_thread, still);
    if (!err)
        return ST_OK;
    go_on(vm);
    return cause_set(cause, ST_NOMEM, "a thread: %s", strerror(err));
}
