/* Segments of a machine: loaded and purged with its CPUs held and no device at work; what CP's
 * commands and DIAGNOSE X'64' do with them; IPL of a saved system, whose pages are loaded like a
 * segment's and whose CPU goes on where the one that was saved had been. Loop thread. */
#include <stdlib.h>

#include "hyp/segment/segment.h"
#include "hyp/vm_internal.h"
#include "hyp/vm_still.h"

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
    return l && !l->seg.system ? &l->seg : NULL;
}

const struct vm_segment *vm_segment_known(struct vm *vm, const char *name)
{
    const struct vm_segment *seg = segment_find(vm->host->segments, name);
    return seg && seg->saved && !seg->system ? seg : NULL;
}

static bool named(const struct vm *vm, const struct vm_segment *seg)
{
    for (unsigned i = 0; i < vm->config.namesaves; i++)
        if (!strcmp(vm->config.namesave[i], seg->name))
            return true;
    return false;
}

bool vm_segment_allowed(const struct vm *vm, const struct vm_segment *seg)
{
    return !seg->restricted || named(vm, seg);
}

bool vm_segment_alone(const struct vm *vm, const struct vm_segment *seg)
{
    u64 most = vm->config.storage_max_bytes;
    most = most < vm->st->size ? vm->st->size : most;
    return seg->loadnshr || seg->range[seg->ranges - 1].end < most || named(vm, seg);
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
    if (!vm->quiesced) /* else devices stay quiet */
        css_resume(vm->css);
    vm_release(vm);
}

static void unload(struct vm *vm, struct vm_loaded *l)
{
    segment_unload(vm->host->segments, &l->seg, l->exclusive, vm->st);
    *l = (struct vm_loaded){0};
}

/* Into a place of its own; the machine is still. */
static int load(struct vm *vm, const struct vm_segment *seg, bool exclusive,
                struct cause *cause)
{
    struct vm_loaded *l = place(vm);
    int rc = l ? segment_load(vm->host->segments, seg->name, exclusive, vm->st, cause)
               : cause_set(cause, ST_LIMIT, "%u segments are loaded", VM_SEGMENTS_MAX);
    if (rc == ST_OK)
        *l = (struct vm_loaded){*seg, exclusive};
    return rc;
}

int vm_segment_load(struct vm *vm, const char *name, bool exclusive, struct cause *cause)
{
    const struct vm_segment *known = vm_segment_known(vm, name);
    struct vm_loaded *l = find(vm, name);
    if (!known)
        return cause_set(cause, ST_NOENT, "%s is not saved", name);
    if (!vm_segment_allowed(vm, known))
        return cause_set(cause, ST_PERM, "%s is restricted", name);
    const struct vm_segment seg = *known;
    still(vm);
    if (l)
        unload(vm, l);
    int rc = load(vm, &seg, exclusive, cause);
    go_on(vm);
    return rc;
}

bool vm_segment_purge(struct vm *vm, const char *name)
{
    struct vm_loaded *l = find(vm, name);
    if (!l || l->seg.system)
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

/* ---- IPL of a saved system ---- */

int vm_ipl_system(struct vm *vm, const char *name, bool clear, const char *parm,
                  struct cause *cause)
{
    u8 status[VM_STATUS_BYTES];
    const struct vm_segment *known = segment_find(vm->host->segments, name);
    if (!known || !known->saved || !known->system)
        return cause_set(cause, ST_NOENT, "%s is no saved system", name);
    const struct vm_segment seg = *known;
    int rc = segment_status(vm->host->segments, name, status, cause);
    if (rc)
        return rc;
    struct cpu *cpu = vm->vcpu[0].cpu;
    vm_hold(vm);
    vm_system_reset(vm, clear);
    rc = load(vm, &seg, false, cause);
    if (rc == ST_OK)
        rc = cpu_load_status(cpu, status, cause);
    if (rc == ST_OK) {
        if (seg.parm_count)
            ipl_parm_put(cpu, parm ? parm : "", seg.parm_first, seg.parm_count);
        cpu_set_purge(vm->cpus);
        cpu_start(cpu);
        vm->has_ipl_block = false;
        vm_started(vm, 0);
    } else {
        vm_segments_purge(vm);
    }
    vm_release(vm);
    return rc;
}

/* ---- for CP's commands ---- */

int vm_op_segment_define(void *ctx, const struct vm_segment *what, struct cause *cause)
{
    struct vm_host *host = ctx;
    return segment_define(host->segments, what, cause);
}

struct save {
    struct vm_still still;
    struct vm_host *host;
    struct segment_saving *saving;
    vm_done *done;
    void *ctx;
};

static void save_work(struct vm_still *still)
{
    struct save *save = (struct save *)still;
    segment_save_pages(save->saving, still->vm->st, &still->stop);
}

static void save_ended(struct vm_still *still, bool stopped)
{
    struct save *save = (struct save *)still;
    struct cause cause = {0};
    int rc = segment_save_end(save->host->segments, save->saving, stopped, &cause);
    save->done(save->ctx, rc, &cause);
}

static void save_free(struct vm_still *still)
{
    free(still);
}

static const struct vm_still_ops save_ops = {"a segment is being saved out of it", save_work,
                                             save_ended, save_free};

int vm_op_segment_save(struct vm *vm, const char *name, bool system, vm_done *done, void *ctx,
                       struct cause *cause)
{
    u8 status[VM_STATUS_BYTES] = {0};
    struct save *save;
    if (vm_still_check(vm, cause))
        return cause->status;
    if (!(save = calloc(1, sizeof *save)))
        return cause_set(cause, ST_NOMEM, "no memory");
    *save = (struct save){{.ops = &save_ops}, vm->host, NULL, done, ctx};
    vm_still_hold(vm);
    if (system)
        cpu_status(vm->vcpu[0].cpu, status);
    int rc = segment_save_begin(vm->host->segments, name, system ? status : NULL, &save->saving,
                                cause);
    if (rc != ST_OK)
        go_on(vm);
    else if ((rc = vm_still_begin(vm, &save->still, cause)) != ST_OK)
        segment_save_end(vm->host->segments, save->saving, true, &(struct cause){0});
    if (rc != ST_OK)
        free(save);
    return rc;
}

bool vm_op_segment_find(void *ctx, const char *name, struct vm_segment *out)
{
    struct vm_host *host = ctx;
    const struct vm_segment *seg = segment_find(host->segments, name);
    if (seg)
        *out = *seg;
    return seg;
}

bool vm_op_segment_defined(void *ctx, const char *name, struct vm_segment *out)
{
    struct vm_host *host = ctx;
    const struct vm_segment *seg = segment_defined(host->segments, name);
    if (seg)
        *out = *seg;
    return seg;
}

bool vm_op_segment_forget(void *ctx, const char *name)
{
    struct vm_host *host = ctx;
    return segment_forget(host->segments, name);
}

static unsigned users_of(struct vm_host *host, const struct vm_segment *seg)
{
    unsigned users = 0;
    for (struct vm *vm = host->vms; vm; vm = vm->next) {
        const struct vm_loaded *l = find(vm, seg->name);
        users += l && l->seg.serial == seg->serial;
    }
    return users;
}

/* Has a machine in front of this one the same saving? */
static bool seen_before(struct vm_host *host, const struct vm *until,
                        const struct vm_segment *seg)
{
    for (struct vm *vm = host->vms; vm != until; vm = vm->next) {
        const struct vm_loaded *l = find(vm, seg->name);
        if (l && l->seg.serial == seg->serial)
            return true;
    }
    return false;
}

/* The i-th saving that somebody has and that is not in the store any more. */
static bool purged_row(struct vm_host *host, unsigned i, struct vm_segment *out)
{
    for (struct vm *vm = host->vms; vm; vm = vm->next)
        for (unsigned k = 0; k < VM_SEGMENTS_MAX; k++) {
            const struct vm_segment *seg = &vm->segment[k].seg;
            if (!seg->ranges || seen_before(host, vm, seg))
                continue;
            if (segment_current(host->segments, seg) || i--)
                continue;
            *out = *seg;
            out->purged = true;
            return true;
        }
    return false;
}

bool vm_op_segment_row(void *ctx, unsigned i, struct vm_segment *out, unsigned *users)
{
    struct vm_host *host = ctx;
    const struct vm_segment *seg = segment_at(host->segments, i);
    if (seg) {
        *out = *seg;
    } else {
        if (!purged_row(host, i - segment_count(host->segments), out))
            return false;
    }
    *users = users_of(host, out);
    return true;
}
