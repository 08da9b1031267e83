/* Segments of a machine: loaded and purged with its CPUs held and no device at work; what CP's
 * commands and DIAGNOSE X'64' do with them. Loop thread. */
#include "hyp/segment/segment.h"
#include "hyp/vm_internal.h"

static struct vm_loaded *find(struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < VM_SEGMENTS_MAX; i++)
        if (vm->segment[i].seg.ranges && !strcmp(vm->segment[i].seg.name, name))
            return &vm->segment[i];
    return NULL;
}

static struct vm_loaded *place(struct vm *vm)
{
    for (unsigned i = 0; i < VM_SEGMENTS_MAX; i++)
        if (!vm->segment[i].seg.ranges)
            return &vm->segment[i];
    return NULL;
}

const struct vm_segment *vm_segment_loaded(struct vm *vm, const char *name)
{
    const struct vm_loaded *l = find(vm, name);
    return l ? &l->seg : NULL;
}

const struct vm_segment *vm_segment_known(struct vm *vm, const char *name)
{
    const struct vm_segment *seg = segment_find(vm->host->segments, name);
    return seg && seg->saved ? seg : NULL;
}

static void still(struct vm *vm)
{
    vm_hold(vm);
    vm_settle_blocks(vm);
    css_quiesce(vm->css);
}

static void go_on(struct vm *vm)
{
    cpu_set_purge(vm->cpus);
    if (!vm->quiesced) /* on its way to another member: devices stay quiet */
        css_resume(vm->css);
    vm_release(vm);
}

static void unload(struct vm *vm, struct vm_loaded *l)
{
    segment_unload(vm->host->segments, &l->seg, l->exclusive, vm->st);
    *l = (struct vm_loaded){0};
}

int vm_segment_load(struct vm *vm, const char *name, bool exclusive, struct cause *cause)
{
    const struct vm_segment *seg = segment_find(vm->host->segments, name);
    struct vm_loaded *l = find(vm, name);
    if (!seg || !seg->saved)
        return cause_set(cause, ST_NOENT, "%s is not saved", name);
    still(vm);
    if (l)
        unload(vm, l);
    l = place(vm);
    int rc = l ? segment_load(vm->host->segments, name, exclusive, vm->st, cause)
               : cause_set(cause, ST_LIMIT, "%u segments are loaded", VM_SEGMENTS_MAX);
    if (rc == ST_OK)
        *l = (struct vm_loaded){*seg, exclusive};
    go_on(vm);
    return rc;
}

bool vm_segment_purge(struct vm *vm, const char *name)
{
    struct vm_loaded *l = find(vm, name);
    if (!l)
        return false;
    still(vm);
    unload(vm, l);
    go_on(vm);
    return true;
}

void vm_segments_purge(struct vm *vm)
{
    for (unsigned i = 0; i < VM_SEGMENTS_MAX; i++)
        if (vm->segment[i].seg.ranges)
            unload(vm, &vm->segment[i]);
}

/* ---- for CP's commands ---- */

int vm_op_segment_define(void *ctx, const struct vm_segment *what, struct cause *cause)
{
    struct vm_host *host = ctx;
    return segment_define(host->segments, what, cause);
}

int vm_op_segment_save(struct vm *vm, const char *name, struct cause *cause)
{
    still(vm);
    int rc = segment_save(vm->host->segments, name, vm->st, cause);
    go_on(vm);
    return rc;
}

bool vm_op_segment_forget(void *ctx, const char *name)
{
    struct vm_host *host = ctx;
    return segment_forget(host->segments, name);
}

bool vm_op_segment_row(void *ctx, unsigned i, struct vm_segment *out, unsigned *users)
{
    struct vm_host *host = ctx;
    const struct vm_segment *seg = segment_at(host->segments, i);
    *users = 0;
    if (!seg)
        return false;
    *out = *seg;
    for (struct vm *vm = host->vms; vm; vm = vm->next) {
        const struct vm_loaded *l = find(vm, seg->name);
        *users += l && l->seg.serial == seg->serial;
    }
    return true;
}
