/* VMDUMP: storage of a machine and the state of its CPUs in a file, as pages of a spool file
 * (vm_dump_spool.c) or in the format of stand-alone dumps, which zgetdump reads. Guarantee: the
 * machine stands still (vm_still.c), so that the dump is of one moment; the state of the CPUs is in
 * the copies of their prefix areas, where a stand-alone dump has it. Frames that were never stored
 * into, and those that nobody asked for, are holes of the file.
 * Source: s390-tools' zdump as the reader of the format. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/vm_dump_internal.h"

#define MAGIC 0xa8190173618f23fdull
#define VERSION 5
#define ARCH_ESAME 2
#define AT_TEXT 0x200 /* where the format has nothing */
#define AT_LOWCORES 0x800
#define LOWCORES_MAX 512

/* ---- writing ---- */

bool vm_dump_put(struct vm_dumping *d, const u8 *p, u64 len, u64 at)
{
    for (u64 done = 0; done < len;) {
        ssize_t n = pwrite(d->fd, p + done, len - done, (off_t)(at + done));
        if (n <= 0)
            return false;
        done += (u64)n;
    }
    return true;
}

static bool wanted(const struct vm_dumping *d, u64 abs)
{
    bool any = d->what.ranges == 0;
    for (unsigned i = 0; i < d->what.ranges; i++)
        any |= abs >= d->what.range[i].first && abs <= d->what.range[i].last;
    return any;
}

static bool in_segment(const struct vm_dumping *d, u64 abs)
{
    for (unsigned i = 0; i < d->segments; i++)
        if (abs - d->segment[i].start < d->segment[i].len)
            return true;
    return false;
}

bool vm_dump_has(const struct vm_dumping *d, u64 frame)
{
    const struct storage *st = d->still.vm->st;
    u64 at = frame << FRAME_SHIFT;
    if (at >= st->size)
        return in_segment(d, at) && !storage_frame_zero(st, frame);
    return wanted(d, at) && storage_frame_touched(st, frame) &&
           storage_holds(st, at, FRAME_BYTES) && !storage_frame_zero(st, frame);
}

static bool write_frame(struct vm_dumping *d, u64 frame)
{
    u64 at = frame << FRAME_SHIFT;
    return !vm_dump_has(d, frame) ||
           vm_dump_put(d, d->still.vm->st->base + at, FRAME_BYTES, HEAD_BYTES + at);
}

static bool write_frames(struct vm_dumping *d)
{
    const struct storage *st = d->still.vm->st;
    for (u64 f = storage_frame_next(st, 0); f < st->frames; f = storage_frame_next(st, f + 1))
        if (d->still.stop || !write_frame(d, f))
            return false;
    for (unsigned i = 0; i < d->segments; i++)
        for (u64 at = 0; at < d->segment[i].len; at += FRAME_BYTES)
            if (d->still.stop || !write_frame(d, (d->segment[i].start + at) >> FRAME_SHIFT))
                return false;
    return true;
}

static bool write_status(struct vm_dumping *d)
{
    for (unsigned i = 0; i < d->statuses; i++)
        if (!vm_dump_put(d, d->status[i].area, VM_STATUS_BYTES, HEAD_BYTES + d->status[i].at))
            return false;
    return true;
}

static bool write_file(struct vm_dumping *d)
{
    return vm_dump_put(d, d->head, HEAD_BYTES, 0) && write_frames(d) && write_status(d) &&
           vm_dump_put(d, d->end, END_BYTES, HEAD_BYTES + d->bytes);
}

static void write_dump(struct vm_still *still)
{
    struct vm_dumping *d = (struct vm_dumping *)still;
    errno = 0;
    bool good = d->what.spool ? vm_dump_spool_write(d) : write_file(d);
    if (!good)
        d->error = errno ? errno : EIO;
}

/* ---- what is written of the CPUs and of the whole; held ---- */

static void head_make(struct vm_dumping *d, u64 tod)
{
    const struct vm *vm = d->still.vm;
    u8 *head = d->head;
    unsigned n = 0;
    be64_store(head, MAGIC);
    be32_store(head + 0x08, VERSION);
    be32_store(head + 0x0c, HEAD_BYTES);
    be32_store(head + 0x10, 4);
    be32_store(head + 0x14, FRAME_BYTES);
    be64_store(head + 0x18, d->bytes);
    be64_store(head + 0x28, d->bytes);
    be32_store(head + 0x30, (u32)(d->bytes >> FRAME_SHIFT));
    be64_store(head + 0x38, tod);
    be32_store(head + 0x48, ARCH_ESAME);
    be32_store(head + 0x50, ARCH_ESAME);
    be64_store(head + 0x54, d->bytes);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus) && n < LOWCORES_MAX; i++)
        if (vm_cpu_defined(vm, i))
            be32_store(head + AT_LOWCORES + 4 * n++, (u32)cpu_prefix(vm->vcpu[i].cpu));
    be16_store(head + 0x5d, (u16)n);
    be16_store(head + 0x5f, (u16)n);
    snprintf((char *)head + AT_TEXT, AT_LOWCORES - AT_TEXT, "%s", d->what.text);
    memcpy(d->end, "DUMP_END", 8);
    be64_store(d->end + 8, tod);
}

/* What store status stores, over the copies of prefix areas; the CPUs' CPU timers count on. */
static void status_make(struct vm_dumping *d)
{
    for (unsigned i = 0; i < cpu_set_count(d->still.vm->cpus); i++) {
        if (!vm_cpu_defined(d->still.vm, i))
            continue;
        struct cpu *cpu = d->still.vm->vcpu[i].cpu;
        u8 *area = d->status[d->statuses].area;
        d->status[d->statuses].cpu = (u16)i;
        u64 at = d->status[d->statuses++].at = cpu_prefix(cpu) + VM_STATUS_AT;
        memcpy(area, d->still.vm->st->base + at, VM_STATUS_BYTES);
        cpu_status(cpu, area);
    }
}

static void segments_find(struct vm_dumping *d)
{
    const struct storage *st = d->still.vm->st;
    for (unsigned i = 0; i < STORAGE_SEGMENTS_MAX && d->what.segments; i++) {
        const struct storage_segment *s = &st->segment[i];
        if (!s->len || s->start < st->size)
            continue;
        d->segment[d->segments].start = s->start;
        d->segment[d->segments++].len = s->len;
        d->bytes = s->start + s->len > d->bytes ? s->start + s->len : d->bytes;
    }
}

/* ---- beginning and end; loop thread ---- */

static void dump_free(struct vm_still *still)
{
    struct vm_dumping *d = (struct vm_dumping *)still;
    close(d->fd);
    free(d->path);
    free(d);
}

static void dump_ended(struct vm_still *still, bool stopped)
{
    struct vm_dumping *d = (struct vm_dumping *)still;
    struct cause cause = {0};
    if (stopped || (d->error && still->stop))
        cause_set(&cause, ST_REFUSED, "it was ended");
    else if (d->error)
        cause_set(&cause, ST_IO, "%s: %s", d->path, strerror(d->error));
    if (cause.status)
        unlink(d->path);
    d->done(d->ctx, cause.status, &cause);
}

static const struct vm_still_ops dump_ops = {"a dump of it is being made", write_dump,
                                             dump_ended, dump_free};

static struct vm_dumping *dump_new(struct vm *vm, const struct vm_dump *what,
                                   struct cause *cause)
{
    struct vm_dumping *d = calloc(1, sizeof *d);
    char *path = strdup(what->path);
    int fd = d && path ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (fd < 0) {
        if (d && path)
            cause_set(cause, errno == EEXIST ? ST_EXIST : ST_IO, "%s: %s", path,
                      strerror(errno));
        else
            cause_set(cause, ST_NOMEM, "no memory");
        free(path);
        free(d);
        return NULL;
    }
    d->still.ops = &dump_ops;
    d->still.vm = vm;
    d->path = path;
    d->fd = fd;
    d->what = *what; /* its texts are the caller's */
    d->bytes = vm->st->size;
    return d;
}

int vm_op_dump(struct vm *vm, const struct vm_dump *what, vm_done *done, void *ctx,
               struct cause *cause)
{
    struct vm_dumping *d;
    if (vm_still_check(vm, cause) || !(d = dump_new(vm, what, cause)))
        return cause->status;
    d->done = done;
    d->ctx = ctx;
    vm_still_hold(vm);
    u64 tod = host_tod(vm) + cpu_get_epoch(vm->cpus);
    segments_find(d);
    d->tod = tod;
    if (what->spool)
        snprintf(d->text, sizeof d->text, "%s", what->text);
    else
        head_make(d, tod);
    status_make(d);
    if (vm_still_begin(vm, &d->still, cause) == ST_OK)
        return ST_OK;
    unlink(d->path);
    dump_free(&d->still);
    return cause->status;
}
