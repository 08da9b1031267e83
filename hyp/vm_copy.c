/* FLASHCOPY: part of one disk of a machine onto another one while the machine stands still
 * (vm_still.c), so that it writes neither meanwhile. */
#include <stdlib.h>

#include "hyp/vm_internal.h"
#include "hyp/vm_still.h"

/* Located by: vm->still. Created by vm_op_disk_copy, destroyed by copy_free. Serialised by: as
 * struct vm_still. */
struct vm_copying {
    struct vm_still still;
    struct vm_copy what; /* images are held */
    vm_done *done;
    void *ctx;
    int status;
    struct cause cause;
};

static void copy_work(struct vm_still *still)
{
    struct vm_copying *c = (struct vm_copying *)still;
    c->status =
        image_copy_part(c->what.from, c->what.to, &c->what.part, &still->stop, &c->cause);
}

static void copy_ended(struct vm_still *still, bool stopped)
{
    struct vm_copying *c = (struct vm_copying *)still;
    if (stopped && !c->status)
        c->status = cause_set(&c->cause, ST_REFUSED, "it was ended");
    c->done(c->ctx, c->status, &c->cause);
}

static void copy_free(struct vm_still *still)
{
    struct vm_copying *c = (struct vm_copying *)still;
    image_unref(c->what.from);
    image_unref(c->what.to);
    free(c);
}

static const struct vm_still_ops copy_ops = {"a disk of it is being copied", copy_work,
                                             copy_ended, copy_free};

int vm_op_disk_copy(struct vm *vm, const struct vm_copy *what, vm_done *done, void *ctx,
                    struct cause *cause)
{
    struct vm_copying *c;
    if (vm_still_check(vm, cause))
        return cause->status;
    if (!(c = calloc(1, sizeof *c)))
        return cause_set(cause, ST_NOMEM, "no memory");
    *c = (struct vm_copying){
        .still = {.ops = &copy_ops, .vm = vm}, .what = *what, .done = done, .ctx = ctx};
    image_ref(what->from);
    image_ref(what->to);
    vm_still_hold(vm);
    if (vm_still_begin(vm, &c->still, cause) == ST_OK)
        return ST_OK;
    copy_free(&c->still);
    return cause->status;
}
