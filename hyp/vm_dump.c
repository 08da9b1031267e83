/* VMDUMP: storage of a machine and the state of its CPUs in a file of the host, in the format of
 * stand-alone dumps, which zgetdump reads. Guarantee: the machine is held and not changed; the
 * state of the CPUs is in the copies of their prefix areas, where a stand-alone dump has it.
 * Frames that were never stored into are holes of the file. Loop thread.
 * Source: s390-tools' zdump as the reader of the format. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "hyp/vm_internal.h"

#define HEAD_BYTES 4096
#define MAGIC 0xa8190173618f23fdull
#define VERSION 5
#define ARCH_ESAME 2
#define AT_LOWCORES 0x800
#define LOWCORES_MAX 512
#define STATUS_AT 0x1200 /* in a prefix area */
#define STATUS_BYTES 512
#define END_BYTES 16

static bool write_all(int fd, const u8 *p, u64 len, u64 at)
{
    for (u64 done = 0; done < len;) {
        ssize_t n = pwrite(fd, p + done, len - done, (off_t)(at + done));
        if (n <= 0)
            return false;
        done += (u64)n;
    }
    return true;
}

static bool write_head(int fd, const struct vm *vm, u64 tod)
{
    u8 head[HEAD_BYTES] = {0};
    unsigned n = 0;
    be64_store(head, MAGIC);
    be32_store(head + 0x08, VERSION);
    be32_store(head + 0x0c, HEAD_BYTES);
    be32_store(head + 0x10, 4);
    be32_store(head + 0x14, FRAME_BYTES);
    be64_store(head + 0x18, vm->st->size);
    be64_store(head + 0x28, vm->st->size);
    be32_store(head + 0x30, (u32)vm->st->frames);
    be64_store(head + 0x38, tod);
    be32_store(head + 0x48, ARCH_ESAME);
    be32_store(head + 0x50, ARCH_ESAME);
    be64_store(head + 0x54, vm->st->size);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus) && n < LOWCORES_MAX; i++)
        if (vm_cpu_defined(vm, i))
            be32_store(head + AT_LOWCORES + 4 * n++, (u32)cpu_prefix(vm->vcpu[i].cpu));
    be16_store(head + 0x5d, (u16)n);
    be16_store(head + 0x5f, (u16)n);
    return write_all(fd, head, sizeof head, 0);
}

static bool write_frames(int fd, const struct vm *vm)
{
    const struct storage *st = vm->st;
    for (u64 f = storage_frame_next(st, 0); f < st->frames; f = storage_frame_next(st, f + 1)) {
        u64 at = f << FRAME_SHIFT;
        if (storage_frame_touched(st, f) && storage_holds(st, at, FRAME_BYTES) &&
            !storage_frame_zero(st, f) &&
            !write_all(fd, st->base + at, FRAME_BYTES, HEAD_BYTES + at))
            return false;
    }
    return true;
}

/* What store status stores, into the file's prefix areas; the CPUs' CPU timers count on. */
static bool write_status(int fd, const struct vm *vm)
{
    u8 area[STATUS_BYTES];
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        if (!vm_cpu_defined(vm, i))
            continue;
        struct cpu *cpu = vm->vcpu[i].cpu;
        u64 at = cpu_prefix(cpu) + STATUS_AT;
        storage_read(vm->st, at, area, sizeof area);
        cpu_status(cpu, area);
        if (!write_all(fd, area, sizeof area, HEAD_BYTES + at))
            return false;
    }
    return true;
}

static bool write_end(int fd, const struct vm *vm, u64 tod)
{
    u8 end[END_BYTES] = "DUMP_END";
    be64_store(end + 8, tod);
    return write_all(fd, end, sizeof end, HEAD_BYTES + vm->st->size);
}

int vm_op_dump(struct vm *vm, const char *path, struct cause *cause)
{
    int rc = ST_OK, fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return cause_set(cause, errno == EEXIST ? ST_EXIST : ST_IO, "%s: %s", path,
                         strerror(errno));
    vm_hold(vm);
    u64 tod = host_tod(vm) + cpu_get_epoch(vm->cpus);
    bool good = write_head(fd, vm, tod) && write_frames(fd, vm) && write_status(fd, vm) &&
                write_end(fd, vm, tod);
    vm_release(vm);
    if (!good) {
        rc = cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
        unlink(path);
    }
    close(fd);
    return rc;
}
