/* The store of saved segments. What is shared and writable (SW, SN) is one copy in memory, made
 * when the first guest loads it and gone with the last; everything else is mapped from the file, so
 * that guests have the same pages of the host's page cache until they store into an exclusive one.
 * A file is replaced by renaming: never half a segment, and its readers keep the old one. */
#include "hyp/segment/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem/base/ergo.h"
#include "mem/base/log.h"
#include "mem/storage.h"

#define MAGIC "ENDSEG1"
#define HEAD_BYTES FRAME_BYTES
#define AT_NAME 8
#define AT_COUNT 24
#define AT_RANGES 32
#define RANGE_BYTES 24
#define PATH_BYTES 1200
#define SUFFIX ".dcss"

struct entry {
    struct vm_segment seg;
    bool used;
    int fd;   /* of the file; -1: defined only */
    int copy; /* memory of shared writable pages; -1: nobody has it */
    unsigned users;
};

struct segments {
    u64 serial; /* given to what was saved last */
    char folder[PATH_BYTES / 2];
    struct entry entry[SEGMENTS_MAX];
};

static u64 start_of(const struct vm_segment *seg)
{
    return seg->range[0].start;
}

static u64 bytes_of(const struct vm_segment *seg)
{
    return seg->range[seg->ranges - 1].end + 1 - start_of(seg);
}

static void path_of(const struct segments *s, const char *name, const char *suffix,
                    char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s%s", s->folder, name, suffix);
}

static bool ranges_valid(const struct vm_segment *seg)
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

/* ---- files ---- */

static void head_store(const struct vm_segment *seg, u8 head[HEAD_BYTES])
{
    memset(head, 0, HEAD_BYTES);
    memcpy(head, MAGIC, sizeof MAGIC);
    memcpy(head + AT_NAME, seg->name, strlen(seg->name));
    be32_store(head + AT_COUNT, seg->ranges);
    for (unsigned i = 0; i < seg->ranges; i++) {
        u8 *p = head + AT_RANGES + (size_t)RANGE_BYTES * i;
        be64_store(p, seg->range[i].start);
        be64_store(p + 8, seg->range[i].end);
        be32_store(p + 16, seg->range[i].type);
    }
}

static bool head_load(const u8 head[HEAD_BYTES], struct vm_segment *out)
{
    *out = (struct vm_segment){.saved = true, .ranges = be32_load(head + AT_COUNT)};
    if (memcmp(head, MAGIC, sizeof MAGIC) || out->ranges > VM_SEGMENT_RANGES_MAX)
        return false;
    memcpy(out->name, head + AT_NAME, sizeof out->name - 1);
    for (unsigned i = 0; i < out->ranges; i++) {
        const u8 *p = head + AT_RANGES + (size_t)RANGE_BYTES * i;
        out->range[i].start = be64_load(p);
        out->range[i].end = be64_load(p + 8);
        out->range[i].type = be32_load(p + 16);
    }
    return ranges_valid(out);
}

static struct entry *place(struct segments *s)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        if (!s->entry[i].used)
            return &s->entry[i];
    return NULL;
}

static void entry_open(struct segments *s, const char *path)
{
    u8 head[HEAD_BYTES];
    struct vm_segment seg;
    struct stat info;
    struct entry *e = place(s);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    if (e && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && head_load(head, &seg) &&
        fstat(fd, &info) == 0 && (u64)info.st_size == HEAD_BYTES + bytes_of(&seg)) {
        seg.serial = ++s->serial;
        *e = (struct entry){.seg = seg, .used = true, .fd = fd, .copy = -1};
        return;
    }
    log_operator('W', "%s: no saved segment, or one too many; it is left alone", path);
    close(fd);
}

struct segments *segments_create(const char *folder)
{
    struct segments *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    snprintf(s->folder, sizeof s->folder, "%s", folder ? folder : "");
    DIR *dir = folder ? opendir(folder) : NULL;
    for (struct dirent *d; dir && (d = readdir(dir)) != NULL;) {
        char path[PATH_BYTES];
        size_t n = strlen(d->d_name);
        if (n <= strlen(SUFFIX) || strcmp(d->d_name + n - strlen(SUFFIX), SUFFIX) != 0)
            continue;
        path_of(s, d->d_name, "", path);
        entry_open(s, path);
    }
    if (dir)
        closedir(dir);
    return s;
}

static void entry_close(struct entry *e)
{
    if (e->fd >= 0)
        close(e->fd);
    if (e->copy >= 0)
        close(e->copy);
    *e = (struct entry){0};
}

void segments_destroy(struct segments *s)
{
    for (unsigned i = 0; s && i < SEGMENTS_MAX; i++)
        if (s->entry[i].used)
            entry_close(&s->entry[i]);
    free(s);
}

/* ---- definitions ---- */

static struct entry *find(struct segments *s, const char *name, bool saved)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        if (s->entry[i].used && s->entry[i].seg.saved == saved &&
            !strcmp(s->entry[i].seg.name, name))
            return &s->entry[i];
    return NULL;
}

const struct vm_segment *segment_find(struct segments *s, const char *name)
{
    const struct entry *e = find(s, name, true);
    e = e ? e : find(s, name, false);
    return e ? &e->seg : NULL;
}

const struct vm_segment *segment_at(struct segments *s, unsigned i)
{
    for (unsigned k = 0; k < SEGMENTS_MAX; k++)
        if (s->entry[k].used && i-- == 0)
            return &s->entry[k].seg;
    return NULL;
}

int segment_define(struct segments *s, const struct vm_segment *what, struct cause *cause)
{
    if (!ranges_valid(what))
        return cause_set(cause, ST_INVAL, "page ranges ascend and end below X'%llX'",
                         VM_SEGMENT_REACH / FRAME_BYTES);
    struct entry *e = find(s, what->name, false);
    e = e ? e : place(s);
    if (!e)
        return cause_set(cause, ST_LIMIT, "there are %u segments", SEGMENTS_MAX);
    *e = (struct entry){.seg = *what, .used = true, .fd = -1, .copy = -1};
    e->seg.saved = false;
    return ST_OK;
}

bool segment_forget(struct segments *s, const char *name)
{
    char path[PATH_BYTES];
    struct entry *e = find(s, name, false), *saved = find(s, name, true);
    if (e)
        entry_close(e);
    if (saved) {
        path_of(s, name, SUFFIX, path);
        unlink(path);
        entry_close(saved);
    }
    return e || saved;
}

/* ---- saving ---- */

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

/* Pages that are not in the machine's storage, and those without data, stay holes: zeros. */
static bool write_pages(int fd, const struct vm_segment *seg, struct storage *st)
{
    for (unsigned i = 0; i < seg->ranges; i++) {
        u32 type = seg->range[i].type;
        if (type == SEG_SN || type == SEG_EN)
            continue;
        for (u64 abs = seg->range[i].start; abs < seg->range[i].end; abs += FRAME_BYTES) {
            const u8 *page = storage_host(st, abs, FRAME_BYTES);
            if (page && !write_all(fd, page, FRAME_BYTES, HEAD_BYTES + abs - start_of(seg)))
                return false;
        }
    }
    return true;
}

static int file_make(const struct vm_segment *seg, const char *path, struct storage *st,
                     struct cause *cause)
{
    u8 head[HEAD_BYTES];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    head_store(seg, head);
    if (ftruncate(fd, (off_t)(HEAD_BYTES + bytes_of(seg))) == 0 &&
        write_all(fd, head, sizeof head, 0) && write_pages(fd, seg, st) && fsync(fd) == 0) {
        close(fd);
        return ST_OK;
    }
    cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    close(fd);
    unlink(path);
    return ST_IO;
}

int segment_save(struct segments *s, const char *name, struct storage *st, struct cause *cause)
{
    char path[PATH_BYTES], fresh[PATH_BYTES];
    struct entry *e = find(s, name, false), *old = find(s, name, true);
    if (!e)
        return cause_set(cause, ST_NOENT, "%s is not defined", name);
    path_of(s, name, SUFFIX, path);
    path_of(s, name, ".new", fresh);
    if (mkdir(s->folder, 0777) && errno != EEXIST)
        return cause_set(cause, ST_IO, "%s: %s", s->folder, strerror(errno));
    e->seg.saved = true;
    int rc = file_make(&e->seg, fresh, st, cause);
    if (rc == ST_OK && rename(fresh, path))
        rc = cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    if (rc == ST_OK && (e->fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
        rc = cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    e->seg.saved = rc == ST_OK;
    e->seg.serial = ++s->serial;
    if (rc == ST_OK && old)
        entry_close(old);
    return rc;
}

/* ---- loading ---- */

static bool writable_by_all(u32 type)
{
    return type == SEG_SW || type == SEG_SN;
}

static bool any_writable(const struct vm_segment *seg)
{
    bool any = false;
    for (unsigned i = 0; i < seg->ranges; i++)
        any |= writable_by_all(seg->range[i].type);
    return any;
}

/* The copy that those who share it store into. */
static int copy_make(struct entry *e, struct cause *cause)
{
    u8 page[FRAME_BYTES];
    if (e->copy >= 0)
        return ST_OK;
    e->copy = memfd_create(e->seg.name, MFD_CLOEXEC);
    bool good =
        e->copy >= 0 && ftruncate(e->copy, (off_t)(HEAD_BYTES + bytes_of(&e->seg))) == 0;
    for (unsigned i = 0; good && i < e->seg.ranges; i++) {
        if (e->seg.range[i].type != SEG_SW)
            continue;
        u64 at = HEAD_BYTES + e->seg.range[i].start - start_of(&e->seg);
        u64 end = HEAD_BYTES + e->seg.range[i].end - start_of(&e->seg);
        for (; good && at < end; at += FRAME_BYTES)
            good = pread(e->fd, page, sizeof page, (off_t)at) == (ssize_t)sizeof page &&
                   write_all(e->copy, page, sizeof page, at);
    }
    if (good)
        return ST_OK;
    cause_set(cause, ST_IO, "%s: %s", e->seg.name, strerror(errno));
    if (e->copy >= 0)
        close(e->copy);
    e->copy = -1;
    return ST_IO;
}

static int range_load(const struct entry *e, unsigned i, bool exclusive, struct storage *st,
                      struct cause *cause)
{
    u32 type = e->seg.range[i].type;
    bool shared = !exclusive && writable_by_all(type);
    bool read_only = !exclusive && (type == SEG_SR || type == SEG_ER || type == SEG_SC);
    const struct storage_segment what = {e->seg.range[i].start,
                                         e->seg.range[i].end + 1 - e->seg.range[i].start,
                                         read_only, shared};
    return storage_segment_load(st, &what, shared ? e->copy : e->fd,
                                HEAD_BYTES + what.start - start_of(&e->seg), cause);
}

int segment_load(struct segments *s, const char *name, bool exclusive, struct storage *st,
                 struct cause *cause)
{
    struct entry *e = find(s, name, true);
    int rc = ST_OK;
    if (!e)
        return cause_set(cause, ST_NOENT, "%s is not saved", name);
    bool shares = !exclusive && any_writable(&e->seg);
    if (shares && (rc = copy_make(e, cause)) != ST_OK)
        return rc;
    unsigned i = 0;
    for (; rc == ST_OK && i < e->seg.ranges; i++)
        rc = range_load(e, i, exclusive, st, cause);
    if (rc == ST_OK) {
        e->users += shares;
        return ST_OK;
    }
    while (--i > 0)
        storage_segment_purge(st, e->seg.range[i - 1].start);
    return rc;
}

void segment_unload(struct segments *s, const struct vm_segment *loaded, bool exclusive,
                    struct storage *st)
{
    for (unsigned i = 0; i < loaded->ranges; i++)
        storage_segment_purge(st, loaded->range[i].start);
    struct entry *e = find(s, loaded->name, true);
    if (!e || e->seg.serial != loaded->serial || exclusive || e->copy < 0 ||
        !any_writable(loaded) || --e->users)
        return;
    close(e->copy);
    e->copy = -1;
}
