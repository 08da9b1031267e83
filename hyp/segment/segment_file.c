/* Files of saved segments and systems. Pages without data, those that nobody has stored into and
 * those that the machine's storage does not have are holes: zeros. A file is taken for what its
 * description and its length say; nothing in it is believed before it has been checked. */
#include "hyp/segment/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem/storage.h"

#define MAGIC "ENDSEG2"
#define HEAD_BYTES FRAME_BYTES
#define AT_NAME 8
#define AT_COUNT 24
#define AT_FLAGS 28
#define AT_RANGES 32
#define RANGE_BYTES 24
#define AT_MINSIZE 416
#define AT_MACHMODE 424
#define AT_PARM 428
#define AT_IDENTITY 432
#define AT_SPACE 448
#define AT_STATUS 512
#define FLAG_SYSTEM 1u
#define FLAG_RESTRICTED 2u
#define FLAG_VMGROUP 4u
#define FLAG_LOADNSHR 8u
#define FLAG_SECURE 16u
#define REGISTERS 16
#define MEGABYTE_SHIFT 20
#define SYNC_PAGES 16384u /* 64 MiB */

_Static_assert(AT_RANGES + RANGE_BYTES * VM_SEGMENT_RANGES_MAX <= AT_MINSIZE, "ranges");
_Static_assert(AT_STATUS + VM_STATUS_BYTES <= HEAD_BYTES, "the state of a CPU");

u64 segment_file_at(const struct vm_segment *seg, u64 abs)
{
    return HEAD_BYTES + abs - seg->range[0].start;
}

u64 segment_bytes(const struct vm_segment *seg)
{
    return seg->range[seg->ranges - 1].end + 1 - seg->range[0].start;
}

static u64 key_at(const struct vm_segment *seg, u64 abs)
{
    return HEAD_BYTES + segment_bytes(seg) + ((abs - seg->range[0].start) >> FRAME_SHIFT);
}

static u64 file_bytes(const struct vm_segment *seg)
{
    return key_at(seg, seg->range[seg->ranges - 1].end + 1);
}

bool segment_ranges_valid(const struct vm_segment *seg)
{
    u64 behind = 0;
    if (!seg->ranges || seg->ranges > VM_SEGMENT_RANGES_MAX)
        return false;
    for (unsigned i = 0; i < seg->ranges; i++) {
        if (seg->range[i].start < behind || seg->range[i].start % FRAME_BYTES ||
            (seg->range[i].end + 1) % FRAME_BYTES || seg->range[i].end < seg->range[i].start ||
            seg->range[i].end >= VM_SEGMENT_REACH || seg->range[i].type >= SEG_TYPES)
            return false;
        behind = seg->range[i].end + 1;
    }
    return true;
}

static bool for_many(u32 type)
{
    return type == SEG_SW || type == SEG_SR || type == SEG_SN || type == SEG_SC;
}

static bool ranges_conflict(const struct vm_segment *a, unsigned i, const struct vm_segment *b,
                            unsigned k)
{
    u64 first = a->range[i].start >> MEGABYTE_SHIFT, last = a->range[i].end >> MEGABYTE_SHIFT;
    if (a->range[i].start <= b->range[k].end && b->range[k].start <= a->range[i].end)
        return true;
    return for_many(a->range[i].type) != for_many(b->range[k].type) &&
           first <= b->range[k].end >> MEGABYTE_SHIFT &&
           b->range[k].start >> MEGABYTE_SHIFT <= last;
}

bool segment_members_conflict(const struct vm_segment *a, const struct vm_segment *b)
{
    for (unsigned i = 0; i < a->ranges; i++)
        for (unsigned k = 0; k < b->ranges; k++)
            if (ranges_conflict(a, i, b, k))
                return true;
    return false;
}

/* ---- writing ---- */

static void head_store(const struct vm_segment *seg, const u8 *status, u8 head[HEAD_BYTES])
{
    memset(head, 0, HEAD_BYTES);
    memcpy(head, MAGIC, sizeof MAGIC);
    memcpy(head + AT_NAME, seg->name, strlen(seg->name));
    be32_store(head + AT_COUNT, seg->ranges);
    be32_store(head + AT_FLAGS,
               (seg->system ? FLAG_SYSTEM : 0) | (seg->restricted ? FLAG_RESTRICTED : 0) |
                   (seg->vmgroup ? FLAG_VMGROUP : 0) | (seg->loadnshr ? FLAG_LOADNSHR : 0) |
                   (seg->secure ? FLAG_SECURE : 0));
    memcpy(head + AT_SPACE, seg->space, strlen(seg->space));
    for (unsigned i = 0; i < seg->ranges; i++) {
        u8 *p = head + AT_RANGES + (size_t)RANGE_BYTES * i;
        be64_store(p, seg->range[i].start);
        be64_store(p + 8, seg->range[i].end);
        be32_store(p + 16, seg->range[i].type);
    }
    be64_store(head + AT_MINSIZE, seg->minsize);
    be32_store(head + AT_MACHMODE, seg->machmode);
    head[AT_PARM] = seg->parm_first;
    head[AT_PARM + 1] = seg->parm_count;
    memcpy(head + AT_IDENTITY, seg->identity, VM_IDENTITY_BYTES);
    if (seg->system)
        memcpy(head + AT_STATUS, status, VM_STATUS_BYTES);
}

bool segment_write_all(int fd, const u8 *p, u64 len, u64 at)
{
    for (u64 done = 0; done < len;) {
        ssize_t n = pwrite(fd, p + done, len - done, (off_t)(at + done));
        if (n <= 0)
            return false;
        done += (u64)n;
    }
    return true;
}

static bool write_page(int fd, const struct vm_segment *seg, struct storage *st, u64 abs)
{
    const u8 *page = storage_host(st, abs, FRAME_BYTES);
    u8 key = page ? storage_key_get(st, abs) : 0;
    u64 frame = abs >> FRAME_SHIFT;
    bool data = page && storage_frame_touched(st, frame) && !storage_frame_zero(st, frame);
    return (!data || segment_write_all(fd, page, FRAME_BYTES, segment_file_at(seg, abs))) &&
           (!key || segment_write_all(fd, &key, 1, key_at(seg, abs)));
}

/* The host writes it by and by, so that the end is not long when it is asked for. */
static bool write_pages(int fd, const struct vm_segment *seg, struct storage *st,
                        const _Atomic bool *stop)
{
    u64 pages = 0;
    for (unsigned i = 0; i < seg->ranges; i++) {
        if (seg->range[i].type == SEG_SN || seg->range[i].type == SEG_EN)
            continue;
        for (u64 abs = seg->range[i].start; abs < seg->range[i].end; abs += FRAME_BYTES)
            if (*stop || !write_page(fd, seg, st, abs) ||
                (++pages % SYNC_PAGES == 0 && fdatasync(fd)))
                return false;
    }
    return true;
}

int segment_file_make(const char *path, const struct vm_segment *seg, const u8 *status,
                      struct storage *st, const _Atomic bool *stop, int *out,
                      struct cause *cause)
{
    u8 head[HEAD_BYTES];
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    flock(fd, LOCK_EX | LOCK_NB); /* its writer lives */
    head_store(seg, status, head);
    if (ftruncate(fd, (off_t)file_bytes(seg)) == 0 &&
        segment_write_all(fd, head, sizeof head, 0) && write_pages(fd, seg, st, stop) &&
        !*stop && fsync(fd) == 0) {
        *out = fd;
        return ST_OK;
    }
    if (*stop)
        cause_set(cause, ST_REFUSED, "it was ended");
    else
        cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    close(fd);
    unlink(path);
    return cause->status;
}

/* ---- reading ---- */

static bool head_load(const u8 head[HEAD_BYTES], struct vm_segment *out)
{
    u32 flags = be32_load(head + AT_FLAGS);
    *out = (struct vm_segment){.saved = true,
                               .ranges = be32_load(head + AT_COUNT),
                               .system = flags & FLAG_SYSTEM,
                               .restricted = flags & FLAG_RESTRICTED,
                               .vmgroup = flags & FLAG_VMGROUP,
                               .loadnshr = flags & FLAG_LOADNSHR,
                               .secure = flags & FLAG_SECURE,
                               .minsize = be64_load(head + AT_MINSIZE),
                               .machmode = head[AT_MACHMODE + 3],
                               .parm_first = head[AT_PARM],
                               .parm_count = head[AT_PARM + 1]};
    if (memcmp(head, MAGIC, sizeof MAGIC) || out->ranges > VM_SEGMENT_RANGES_MAX ||
        out->parm_first + out->parm_count > REGISTERS)
        return false;
    memcpy(out->name, head + AT_NAME, sizeof out->name - 1);
    memcpy(out->space, head + AT_SPACE, sizeof out->space - 1);
    memcpy(out->identity, head + AT_IDENTITY, VM_IDENTITY_BYTES);
    for (unsigned i = 0; i < out->ranges; i++) {
        const u8 *p = head + AT_RANGES + (size_t)RANGE_BYTES * i;
        out->range[i].start = be64_load(p);
        out->range[i].end = be64_load(p + 8);
        out->range[i].type = be32_load(p + 16);
    }
    return segment_ranges_valid(out);
}

bool segment_file_read(int fd, struct vm_segment *out)
{
    u8 head[HEAD_BYTES];
    struct stat info;
    return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && head_load(head, out) &&
           fstat(fd, &info) == 0 && (u64)info.st_size == file_bytes(out);
}

bool segment_file_status(int fd, u8 out[VM_STATUS_BYTES])
{
    return pread(fd, out, VM_STATUS_BYTES, AT_STATUS) == VM_STATUS_BYTES;
}

bool segment_file_keys(int fd, const struct vm_segment *seg, u64 abs, u8 *out, size_t pages)
{
    return pread(fd, out, pages, (off_t)key_at(seg, abs)) == (ssize_t)pages;
}
