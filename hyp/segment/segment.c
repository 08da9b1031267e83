/* The store of saved segments and systems. What is shared and writable (SW, SN) is one copy in
 * memory, made when the first guest loads it and gone with the last; everything else is mapped from
 * the file, so that guests have the same pages of the host's page cache until they store into an
 * exclusive one. A file is replaced by renaming: never half a segment, and its readers keep the
 * old one. Members that share the folder see one another's files: each look compares the inodes. */
#include "hyp/segment/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/segment/segment_file.h"
#include "mem/base/ergo.h"
#include "mem/base/log.h"
#include "mem/storage.h"

#define PATH_BYTES 1200
#define SUFFIX ".dcss"
#define KEYS_AT_ONCE 4096u

struct entry {
    struct vm_segment seg;
    bool used, seen;
    u64 inode;
    int fd;   /* of the file; -1: defined only */
    int copy; /* memory of shared writable pages; -1: nobody has it */
    unsigned users;
};

struct segments {
    u64 serial; /* given to what was saved last */
    bool began; /* what cannot be used has been told of */
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

static void entry_open(struct segments *s, const char *name, const char *path, u64 inode)
{
    struct vm_segment seg;
    struct entry *e = place(s);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (e && segment_file_read(fd, &seg) && !strcmp(seg.name, name)) {
        seg.serial = ++s->serial;
        *e = (struct entry){
            .seg = seg, .used = true, .seen = true, .inode = inode, .fd = fd, .copy = -1};
        return;
    }
    if (!s->began)
        log_operator('W', "%s: no saved segment, or one too many; it is left alone", path);
    close(fd);
}

/* The file of a name: is it what is known? */
static void look_at(struct segments *s, const char *file)
{
    char path[PATH_BYTES], name[9] = "";
    struct stat info;
    size_t n = strlen(file);
    if (n <= strlen(SUFFIX) || strcmp(file + n - strlen(SUFFIX), SUFFIX) != 0)
        return;
    path_of(s, file, "", path);
    n -= strlen(SUFFIX);
    memcpy(name, file, n < sizeof name ? n : sizeof name - 1);
    if (stat(path, &info))
        return;
    struct entry *e = find(s, name, true);
    if (e && e->inode == info.st_ino) {
        e->seen = true;
        return;
    }
    if (e) /* another member has saved it again */
        entry_close(e);
    entry_open(s, name, path, info.st_ino);
}

/* What is in the folder now. */
static void look(struct segments *s)
{
    DIR *dir = *s->folder ? opendir(s->folder) : NULL;
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        s->entry[i].seen = false;
    for (struct dirent *d; dir && (d = readdir(dir)) != NULL;)
        look_at(s, d->d_name);
    if (dir)
        closedir(dir);
    for (unsigned i = 0; i < SEGMENTS_MAX; i++)
        if (s->entry[i].used && s->entry[i].seg.saved && !s->entry[i].seen)
            entry_close(&s->entry[i]); /* another member has purged it */
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

const struct vm_segment *segment_at(struct segments *s, unsigned i)
{
    if (i == 0)
        look(s);
    for (unsigned k = 0; k < SEGMENTS_MAX; k++)
        if (s->entry[k].used && i-- == 0)
            return &s->entry[k].seg;
    return NULL;
}

int segment_define(struct segments *s, const struct vm_segment *what, struct cause *cause)
{
    if (!segment_ranges_valid(what))
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
    look(s);
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

static int publish(struct segments *s, struct entry *e, const u8 *status, struct storage *st,
                   struct cause *cause)
{
    char path[PATH_BYTES], fresh[PATH_BYTES], suffix[32];
    struct stat info;
    snprintf(suffix, sizeof suffix, ".%d.new", (int)getpid());
    path_of(s, e->seg.name, SUFFIX, path);
    path_of(s, e->seg.name, suffix, fresh);
    if (mkdir(s->folder, 0777) && errno != EEXIST)
        return cause_set(cause, ST_IO, "%s: %s", s->folder, strerror(errno));
    int rc = segment_file_make(fresh, &e->seg, status, st, cause);
    if (rc != ST_OK)
        return rc;
    e->fd = open(fresh, O_RDONLY | O_CLOEXEC);
    if (e->fd >= 0 && fstat(e->fd, &info) == 0 && rename(fresh, path) == 0) {
        e->inode = info.st_ino;
        return ST_OK;
    }
    cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    unlink(fresh);
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
    return ST_IO;
}

int segment_save(struct segments *s, const char *name, struct storage *st, const u8 *status,
                 struct cause *cause)
{
    look(s);
    struct entry *e = find(s, name, false), *old = find(s, name, true);
    if (!e || (e->seg.system && !status))
        return cause_set(cause, ST_NOENT, "%s is not defined", name);
    if (getrandom(e->seg.identity, VM_IDENTITY_BYTES, 0) != VM_IDENTITY_BYTES)
        return cause_set(cause, ST_IO, "no random numbers: %s", strerror(errno));
    int rc = publish(s, e, status, st, cause);
    if (rc != ST_OK)
        return rc;
    e->seg.saved = true;
    e->seg.serial = ++s->serial;
    if (old)
        entry_close(old);
    return ST_OK;
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
                   segment_write_all(e->copy, page, sizeof page, at);
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
    int rc = storage_segment_load(st, &what, shared ? e->copy : e->fd,
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
    if (!e || e->seg.serial != loaded->serial || exclusive || e->copy < 0 ||
        !any_shared(loaded) || --e->users)
        return;
    close(e->copy);
    e->copy = -1;
}
