/* The store of saved segments and systems. What is shared and writable (SW, SN) is one copy in
 * memory, made when the first guest loads it and gone with the last; everything else is mapped from
 * the file, so that guests have the same pages of the host's page cache until they store into an
 * exclusive one. A file is replaced by renaming: never half a segment, and its readers keep the
 * old one, as NAME.<identity>.old until nobody has it: a network file system would take its pages
 * away under them. Whoever has a file open or mapped has a shared lock of it, which goes with the
 * last mapping; what can be locked exclusively is swept up. Members that share the folder see one
 * another's files: each look compares the inodes, once the folder has changed. */
#include "hyp/segment/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hyp/segment/segment_file.h"
#include "mem/base/ergo.h"
#include "mem/base/log.h"
#include "mem/storage.h"

#define PATH_BYTES 1200
#define SUFFIX ".dcss"
#define SUFFIX_FRESH ".new"      /* being written */
#define SUFFIX_OLD ".old"        /* replaced or purged; somebody may have it */
#define SETTLED_NS 1000000000ull /* a folder that did not change for so long: its time tells */
#define KEYS_AT_ONCE 4096u

struct entry {
    struct vm_segment seg;
    bool used, seen;
    bool saving;    /* a definition whose pages are being written */
    u64 definition; /* its number: no other's */
    u64 inode;
    int fd;   /* of the file; -1: defined only */
    int copy; /* memory of shared writable pages; -1: nobody has it */
    unsigned users;
};

struct segments {
    u64 serial;              /* given to what was saved last */
    u64 definitions;         /* the number of the last */
    bool began;              /* what cannot be used has been told of */
    struct timespec changed; /* the folder, as it was looked at last */
    u64 changed_seen;        /* when that was found; 0: look in any case */
    bool settled;            /* looked at since it cannot change without that showing */
    char folder[PATH_BYTES / 2];
    struct entry entry[SEGMENTS_MAX];
};

static void path_of(const struct segments *s, const char *name, const char *suffix,
                    char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s%s", s->folder, name, suffix);
}

/* ---- entries ---- */

static struct entry *place(struct segments *s)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        if (!s->entry[i].used)
            return &s->entry[i];
    return NULL;
}

static struct entry *find(struct segments *s, const char *name, bool saved)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        if (s->entry[i].used && s->entry[i].seg.saved == saved &&
            !strcmp(s->entry[i].seg.name, name))
            return &s->entry[i];
    return NULL;
}

static void entry_close(struct entry *e)
{
    if (e->fd >= 0)
        close(e->fd);
    if (e->copy >= 0)
        close(e->copy);
    *e = (struct entry){0};
}

/* A file of another inode than what is known: it takes the place of `e`, if that is not NULL.
 * False: it could not be opened now. */
static bool entry_open(struct segments *s, const char *name, const char *path, u64 inode,
                       struct entry *e)
{
    struct vm_segment seg;
    struct stat info;
    struct entry *to = e ? e : place(s);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if ((flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK) || fstat(fd, &info) ||
        info.st_nlink == 0) { /* it is being swept up */
        close(fd);
        return false;
    }
    if (to && segment_file_read(fd, &seg) && !strcmp(seg.name, name)) {
        if (e)
            entry_close(e);
        seg.serial = ++s->serial;
        *to = (struct entry){
            .seg = seg, .used = true, .seen = true, .inode = inode, .fd = fd, .copy = -1};
        return true;
    }
    if (!s->began)
        log_operator('W', "%s: no saved segment, or one too many; it is left alone", path);
    close(fd);
    return true;
}

static bool ends_in(const char *file, const char *suffix)
{
    size_t n = strlen(file), m = strlen(suffix);
    return n > m && !strcmp(file + n - m, suffix);
}

/* A file that nobody has any more, or whose writer is gone. */
static void sweep(const struct segments *s, const char *file)
{
    char path[PATH_BYTES];
    path_of(s, file, "", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlink(path);
    close(fd);
}

/* The file of a name: is it what is known? False: the host fails. */
static bool look_at(struct segments *s, const char *file)
{
    char path[PATH_BYTES], name[9] = "";
    struct stat info;
    if (!ends_in(file, SUFFIX))
        return true;
    path_of(s, file, "", path);
    size_t n = strlen(file) - strlen(SUFFIX);
    memcpy(name, file, n < sizeof name ? n : sizeof name - 1);
    if (stat(path, &info))
        return errno == ENOENT;
    struct entry *e = find(s, name, true);
    if (e && e->inode == info.st_ino) {
        e->seen = true;
        return true;
    }
    return entry_open(s, name, path, info.st_ino, e);
}

static u64 now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

/* May the folder have changed since the last look? Times of files are coarse: only when a time has
 * been the same for a while does it say so. */
static bool changed(struct segments *s, int folder)
{
    struct stat info;
    u64 now = now_ns();
    if (fstat(folder, &info))
        return true;
    if (!s->changed_seen || info.st_mtim.tv_sec != s->changed.tv_sec ||
        info.st_mtim.tv_nsec != s->changed.tv_nsec) {
        s->changed = info.st_mtim;
        s->changed_seen = now;
        s->settled = false;
        return true;
    }
    bool look = !s->settled;
    s->settled = now - s->changed_seen > SETTLED_NS;
    return look;
}

/* Another member has purged it, if there is no such file: nothing else says so. */
static void missed(struct segments *s, struct entry *e)
{
    char path[PATH_BYTES];
    struct stat info;
    path_of(s, e->seg.name, SUFFIX, path);
    if (stat(path, &info) && errno == ENOENT)
        entry_close(e);
}

/* Files being written only when this member starts: one is there for a moment without a lock. */
static void sweep_all(const struct segments *s)
{
    DIR *dir = *s->folder ? opendir(s->folder) : NULL;
    for (struct dirent *d; dir && (d = readdir(dir)) != NULL;)
        if ((ends_in(d->d_name, SUFFIX_FRESH) && !s->began) || ends_in(d->d_name, SUFFIX_OLD))
            sweep(s, d->d_name);
    if (dir)
        closedir(dir);
}

/* What is in the folder now; what the host does not tell is as it was. */
static void look(struct segments *s)
{
    bool good = true;
    DIR *dir = *s->folder ? opendir(s->folder) : NULL;
    if (!dir)
        return;
    if (changed(s, dirfd(dir))) {
        for (unsigned i = 0; i < SEGMENTS_MAX; i++)
            s->entry[i].seen = false;
        for (struct dirent *d; (d = readdir(dir)) != NULL;)
            good &= look_at(s, d->d_name);
        for (unsigned i = 0; i < SEGMENTS_MAX; i++)
            if (s->entry[i].used && s->entry[i].seg.saved && !s->entry[i].seen)
                missed(s, &s->entry[i]);
        sweep_all(s);
    }
    closedir(dir);
    if (!good)
        s->changed_seen = 0;
}

struct segments *segments_create(const char *folder)
{
    struct segments *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    snprintf(s->folder, sizeof s->folder, "%s", folder ? folder : "");
    look(s);
    s->began = true;
    return s;
}

void segments_destroy(struct segments *s)
{
    for (unsigned i = 0; s && i < SEGMENTS_MAX; i++)
        if (s->entry[i].used)
            entry_close(&s->entry[i]);
    if (s)
        sweep_all(s);
    free(s);
}

/* ---- definitions ---- */

const struct vm_segment *segment_find(struct segments *s, const char *name)
{
    look(s);
    const struct entry *e = find(s, name, true);
    e = e ? e : find(s, name, false);
    return e ? &e->seg : NULL;
}

const struct vm_segment *segment_defined(struct segments *s, const char *name)
{
    const struct entry *e = find(s, name, false);
    return e ? &e->seg : NULL;
}

bool segment_current(struct segments *s, const struct vm_segment *loaded)
{
    const struct entry *e = find(s, loaded->name, true);
    return e && e->seg.serial == loaded->serial;
}

const struct vm_segment *segment_at(struct segments *s, unsigned i)
{
    if (i == 0)
        look(s);
    for (unsigned k = 0; k < SEGMENTS_MAX; k++)
        if (s->entry[k].used && i-- == 0)
            return &s->entry[k].seg;
    return NULL;
}

unsigned segment_count(const struct segments *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        n += s->entry[i].used;
    return n;
}

/* A space has no name that a segment has. */
static int space_check(struct segments *s, const struct vm_segment *what, struct cause *cause)
{
    if (!strcmp(what->space, what->name))
        return cause_set(cause, ST_INVAL, "%s is the name of a segment", what->space);
    look(s);
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        const struct vm_segment *other = &s->entry[i].seg;
        if (!s->entry[i].used || !strcmp(other->name, what->name))
            continue;
        if (!strcmp(other->space, what->name))
            return cause_set(cause, ST_INVAL, "%s is the name of a segment space", what->name);
        if (!strcmp(other->name, what->space))
            return cause_set(cause, ST_INVAL, "%s is the name of a segment", what->space);
        if (*what->space && !strcmp(other->space, what->space) &&
            segment_members_conflict(what, other))
            return cause_set(cause, ST_INVAL, "its page ranges conflict with those of %s",
                             other->name);
    }
    return ST_OK;
}

int segment_define(struct segments *s, const struct vm_segment *what, struct cause *cause)
{
    if (space_check(s, what, cause))
        return cause->status;
    if (!segment_ranges_valid(what))
        return cause_set(cause, ST_INVAL, "page ranges ascend and end below X'%llX'",
                         VM_SEGMENT_REACH / FRAME_BYTES);
    struct entry *e = find(s, what->name, false);
    e = e ? e : place(s);
    if (!e)
        return cause_set(cause, ST_LIMIT, "there are %u segments", SEGMENTS_MAX);
    *e = (struct entry){
        .seg = *what, .used = true, .definition = ++s->definitions, .fd = -1, .copy = -1};
    e->seg.saved = false;
    return ST_OK;
}

/* NAME.<identity><suffix>: no other saving's. */
static void path_of_saving(const struct segments *s, const struct vm_segment *seg,
                           const char *suffix, char out[PATH_BYTES])
{
    char behind[2 * VM_IDENTITY_BYTES + 8] = ".";
    for (unsigned i = 0; i < VM_IDENTITY_BYTES; i++)
        snprintf(behind + 1 + (size_t)2 * i, 3, "%02x", seg->identity[i]);
    strcat(behind, suffix);
    path_of(s, seg->name, behind, out);
}

bool segment_forget(struct segments *s, const char *name)
{
    char path[PATH_BYTES], old[PATH_BYTES];
    look(s);
    struct entry *e = find(s, name, false), *saved = find(s, name, true);
    if (e)
        entry_close(e);
    if (saved) {
        path_of(s, name, SUFFIX, path);
        path_of_saving(s, &saved->seg, SUFFIX_OLD, old);
        if (rename(path, old))
            unlink(path);
        entry_close(saved);
        sweep_all(s);
    }
    return e || saved;
}

/* ---- saving ---- */

/* The definition as it was, and where its pages go. */
struct segment_saving {
    struct vm_segment seg;
    u64 definition;
    char path[PATH_BYTES]; /* until it is whole */
    u8 status[VM_STATUS_BYTES];
    int fd;
    struct cause cause;
};

int segment_save_begin(struct segments *s, const char *name, const u8 *status,
                       struct segment_saving **out, struct cause *cause)
{
    struct entry *e = find(s, name, false);
    if (!e || e->seg.system != (status != NULL))
        return cause_set(cause, ST_NOENT, "%s is not defined", name);
    if (e->saving)
        return cause_set(cause, ST_BUSY, "%s is being saved", name);
    struct segment_saving *saving = calloc(1, sizeof *saving);
    if (!saving)
        return cause_set(cause, ST_NOMEM, "no memory");
    saving->seg = e->seg;
    saving->definition = e->definition;
    saving->fd = -1;
    if (status)
        memcpy(saving->status, status, VM_STATUS_BYTES);
    if (getrandom(saving->seg.identity, VM_IDENTITY_BYTES, 0) != VM_IDENTITY_BYTES)
        cause_set(cause, ST_IO, "no random numbers: %s", strerror(errno));
    else if (mkdir(s->folder, 0777) && errno != EEXIST)
        cause_set(cause, ST_IO, "%s: %s", s->folder, strerror(errno));
    else {
        path_of_saving(s, &saving->seg, SUFFIX_FRESH, saving->path);
        e->saving = true;
        *out = saving;
        return ST_OK;
    }
    free(saving);
    return cause->status;
}

void segment_save_pages(struct segment_saving *saving, struct storage *st,
                        const _Atomic bool *stop)
{
    segment_file_make(saving->path, &saving->seg, saving->status, st, stop, &saving->fd,
                      &saving->cause);
}

/* The new file in place of the one that is there, which keeps another name. */
static int publish(struct segments *s, struct entry *e, const struct segment_saving *saving,
                   const struct entry *before, struct cause *cause)
{
    char path[PATH_BYTES], old[PATH_BYTES];
    struct stat info;
    path_of(s, saving->seg.name, SUFFIX, path);
    if (before)
        path_of_saving(s, &before->seg, SUFFIX_OLD, old);
    flock(saving->fd, LOCK_SH | LOCK_NB); /* readers may come */
    if (fstat(saving->fd, &info) ||
        (before && link(path, old) && errno != EEXIST && errno != ENOENT) ||
        rename(saving->path, path))
        return cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    e->seg = saving->seg;
    e->seg.saved = true;
    e->seg.serial = ++s->serial;
    e->inode = info.st_ino;
    e->fd = saving->fd;
    e->saving = false;
    return ST_OK;
}

static int save_ended(struct segments *s, struct entry *e, const struct segment_saving *saving,
                      bool stopped, struct cause *cause)
{
    if (saving->cause.status) {
        *cause = saving->cause;
        return cause->status;
    }
    if (stopped)
        return cause_set(cause, ST_REFUSED, "it was ended");
    if (!e)
        return cause_set(cause, ST_NOENT, "%s was purged or defined anew meanwhile",
                         saving->seg.name);
    look(s);
    struct entry *old = find(s, saving->seg.name, true);
    int rc = publish(s, e, saving, old, cause);
    if (rc == ST_OK && old) {
        entry_close(old);
        sweep_all(s);
    }
    return rc;
}

int segment_save_end(struct segments *s, struct segment_saving *saving, bool stopped,
                     struct cause *cause)
{
    struct entry *e = find(s, saving->seg.name, false);
    if (e && e->definition != saving->definition)
        e = NULL;
    int rc = save_ended(s, e, saving, stopped, cause);
    if (rc != ST_OK && e)
        e->saving = false;
    if (rc != ST_OK && saving->fd >= 0) {
        unlink(saving->path);
        close(saving->fd);
    }
    free(saving);
    return rc;
}

int segment_save(struct segments *s, const char *name, struct storage *st, const u8 *status,
                 struct cause *cause)
{
    static const _Atomic bool stop = false;
    struct segment_saving *saving;
    int rc = segment_save_begin(s, name, status, &saving, cause);
    if (rc != ST_OK)
        return rc;
    segment_save_pages(saving, st, &stop);
    return segment_save_end(s, saving, false, cause);
}

/* ---- loading ---- */

bool segment_type_shared(u32 type)
{
    return type == SEG_SW || type == SEG_SN;
}

bool segment_type_own(u32 type)
{
    return type == SEG_EW || type == SEG_EN;
}

static bool any_shared(const struct vm_segment *seg)
{
    bool any = false;
    for (unsigned i = 0; i < seg->ranges; i++)
        any |= segment_type_shared(seg->range[i].type);
    return any;
}

static bool all_zero(const u8 page[FRAME_BYTES])
{
    return !page[0] && !memcmp(page, page + 1, FRAME_BYTES - 1);
}

/* The copy that those who share it store into. */
static int copy_make(struct entry *e, struct cause *cause)
{
    u8 page[FRAME_BYTES];
    if (e->copy >= 0)
        return ST_OK;
    e->copy = memfd_create(e->seg.name, MFD_CLOEXEC);
    bool good =
        e->copy >= 0 && ftruncate(e->copy, (off_t)(FRAME_BYTES + segment_bytes(&e->seg))) == 0;
    for (unsigned i = 0; good && i < e->seg.ranges; i++) {
        if (e->seg.range[i].type != SEG_SW)
            continue;
        u64 at = segment_file_at(&e->seg, e->seg.range[i].start);
        u64 end = segment_file_at(&e->seg, e->seg.range[i].end);
        for (; good && at < end; at += FRAME_BYTES)
            good = pread(e->fd, page, sizeof page, (off_t)at) == (ssize_t)sizeof page &&
                   (all_zero(page) || segment_write_all(e->copy, page, sizeof page, at));
    }
    if (good)
        return ST_OK;
    cause_set(cause, ST_IO, "%s: %s", e->seg.name, strerror(errno));
    if (e->copy >= 0)
        close(e->copy);
    e->copy = -1;
    return ST_IO;
}

static int keys_load(const struct entry *e, u64 start, u64 end, struct storage *st,
                     struct cause *cause)
{
    u8 keys[KEYS_AT_ONCE];
    for (u64 abs = start; abs < end;) {
        size_t n = (end + 1 - abs) >> FRAME_SHIFT;
        n = n < sizeof keys ? n : sizeof keys;
        if (!segment_file_keys(e->fd, &e->seg, abs, keys, n))
            return cause_set(cause, ST_IO, "%s: %s", e->seg.name, strerror(errno));
        for (size_t i = 0; i < n; i++, abs += FRAME_BYTES)
            storage_key_set(st, abs, keys[i]);
    }
    return ST_OK;
}

/* Are a machine's bytes, as they came, those that the file has? CPUs store into their prefix areas
 * whatever lies there: the machine would go on without what it had of its own. */
static int same(const struct entry *e, u64 start, u64 end, const struct storage *st,
                struct cause *cause)
{
    u8 page[FRAME_BYTES];
    for (u64 abs = start; abs < end && abs < st->size; abs += FRAME_BYTES) {
        if (!storage_frame_touched(st, abs >> FRAME_SHIFT))
            continue;
        u64 at = segment_file_at(&e->seg, abs);
        if (pread(e->fd, page, sizeof page, (off_t)at) != (ssize_t)sizeof page)
            return cause_set(cause, ST_IO, "%s: %s", e->seg.name, strerror(errno));
        if (memcmp(page, st->base + abs, sizeof page) != 0)
            return cause_set(cause, ST_PROTO,
                             "page %llX of saved segment %s is not as it was saved",
                             (unsigned long long)abs >> FRAME_SHIFT, e->seg.name);
    }
    return ST_OK;
}

enum how { HOW_SHARED, HOW_EXCLUSIVE, HOW_ARRIVES, HOW_ARRIVES_EXCLUSIVE };

static int range_load(const struct entry *e, unsigned i, enum how how, struct storage *st,
                      struct cause *cause)
{
    u32 type = e->seg.range[i].type;
    bool exclusive = how == HOW_EXCLUSIVE || how == HOW_ARRIVES_EXCLUSIVE;
    bool shared = !exclusive && segment_type_shared(type);
    bool read_only = !exclusive && !shared && !segment_type_own(type);
    u64 start = e->seg.range[i].start, end = e->seg.range[i].end;
    const struct storage_segment what = {start, end + 1 - start, read_only, shared};
    if (how >= HOW_ARRIVES && !read_only && !shared)
        return storage_segment_adopt(st, &what, cause);
    int rc = how >= HOW_ARRIVES && read_only ? same(e, start, end, st, cause) : ST_OK;
    if (rc != ST_OK)
        return rc;
    rc = storage_segment_load(st, &what, shared ? e->copy : e->fd,
                              segment_file_at(&e->seg, start), cause);
    if (rc == ST_OK && (rc = keys_load(e, start, end, st, cause)) != ST_OK)
        storage_segment_purge(st, start);
    return rc;
}

static int load(struct segments *s, const char *name, enum how how, struct storage *st,
                struct cause *cause)
{
    struct entry *e = find(s, name, true);
    int rc = ST_OK;
    if (!e)
        return cause_set(cause, ST_NOENT, "%s is not saved", name);
    bool exclusive = how == HOW_EXCLUSIVE || how == HOW_ARRIVES_EXCLUSIVE;
    bool shares = !exclusive && any_shared(&e->seg);
    if (shares && (rc = copy_make(e, cause)) != ST_OK)
        return rc;
    unsigned i = 0;
    for (; rc == ST_OK && i < e->seg.ranges; i++)
        rc = range_load(e, i, how, st, cause);
    if (rc == ST_OK) {
        e->users += shares;
        return ST_OK;
    }
    while (--i > 0)
        storage_segment_purge(st, e->seg.range[i - 1].start);
    return rc;
}

int segment_load(struct segments *s, const char *name, bool exclusive, struct storage *st,
                 struct cause *cause)
{
    return load(s, name, exclusive ? HOW_EXCLUSIVE : HOW_SHARED, st, cause);
}

int segment_arrive(struct segments *s, const char *name, bool exclusive, struct storage *st,
                   struct cause *cause)
{
    return load(s, name, exclusive ? HOW_ARRIVES_EXCLUSIVE : HOW_ARRIVES, st, cause);
}

int segment_status(struct segments *s, const char *name, u8 out[VM_STATUS_BYTES],
                   struct cause *cause)
{
    const struct entry *e = find(s, name, true);
    if (!e || !e->seg.system)
        return cause_set(cause, ST_NOENT, "%s is no saved system", name);
    return segment_file_status(e->fd, out)
               ? ST_OK
               : cause_set(cause, ST_IO, "%s: %s", name, strerror(errno));
}

void segment_unload(struct segments *s, const struct vm_segment *loaded, bool exclusive,
                    struct storage *st)
{
    for (unsigned i = 0; i < loaded->ranges; i++)
        storage_segment_purge(st, loaded->range[i].start);
    struct entry *e = find(s, loaded->name, true);
    if (!e || e->seg.serial != loaded->serial)
        sweep_all(s); /* it may have been the last who has it */
    if (!e || e->seg.serial != loaded->serial || exclusive || e->copy < 0 ||
        !any_shared(loaded) || --e->users)
        return;
    close(e->copy);
    e->copy = -1;
}
