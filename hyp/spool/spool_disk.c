/* Spool files in a folder. SERIAL.data holds the records and never changes; SERIAL.meta
 * holds the description and comes behind it, so that a file is there with its meta file or
 * not at all. Each is written under another name, flushed and renamed: a kill at any moment
 * leaves the old one or the new one. A meta file: a head of 16 bytes, length and check sum
 * in it, then rows. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"

#define HEAD_BYTES 16
#define META_BYTES_MAX 4096

static const char magic[8] = "SPOOLED1";

const char *spool_disk_path(const struct spool *spool, unsigned home, u64 serial,
                            const char *kind, struct spool_path *out)
{
    snprintf(out->text, sizeof out->text, "%s/%08llx.%s", spool->home[home].folder,
             (unsigned long long)serial, kind);
    return out->text;
}

/* In our own folder. */
static const char *path_of(const struct spool *spool, u64 serial, const char *kind,
                           struct spool_path *out)
{
    return spool_disk_path(spool, 0, serial, kind, out);
}

/* Each description is a file of its own: another file, or another time. */
static u64 version_of(const struct stat *st)
{
    u64 h = (u64)st->st_ino * 0x9e3779b97f4a7c15u;
    h = (h ^ (u64)st->st_mtim.tv_sec) * 0x9e3779b97f4a7c15u;
    h = (h ^ (u64)st->st_mtim.tv_nsec) * 0x9e3779b97f4a7c15u;
    return h | 1;
}

u64 spool_disk_version(const struct spool *spool, unsigned home, u64 serial)
{
    struct spool_path path = {""};
    struct stat st;
    return stat(spool_disk_path(spool, home, serial, "meta", &path), &st) ? 0 : version_of(&st);
}

u32 spool_disk_pages(const struct spool *spool, const struct spool_file *file)
{
    struct spool_path path = {""};
    struct stat st;
    if (stat(spool_disk_path(spool, file->home, file->serial, "data", &path), &st))
        return 0;
    return (u32)(((u64)st.st_size + SPOOL_PAGE_BYTES - 1) / SPOOL_PAGE_BYTES);
}

static u32 checksum(const u8 *p, size_t len)
{
    u32 h = 0x811c9dc5; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x01000193;
    return h;
}

static bool write_all(int fd, const u8 *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* The folder's own entry, so that a rename is there after a loss of power too. */
static void folder_flush(const struct spool *spool, unsigned home)
{
    const char *folder = spool->home[home].folder;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && fsync(fd))
        log_line("%s: %s", folder, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static int put(const struct spool *spool, const struct spool_file *file, const char *kind,
               const u8 *bytes, size_t len, struct cause *cause)
{
    struct spool_path to = {""}, temporary = {""};
    spool_disk_path(spool, file->home, file->serial, kind, &to);
    spool_disk_path(spool, file->home, file->serial, "new", &temporary);
    int fd = open(temporary.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, bytes, len) && !fdatasync(fd);
    int failed = errno;
    if (fd >= 0 && close(fd) && good) {
        failed = errno;
        good = false;
    }
    if (good && rename(temporary.text, to.text)) {
        failed = errno;
        good = false;
    }
    if (good)
        return ST_OK;
    unlink(temporary.text);
    return cause_set(cause,
                     failed == ENOSPC || failed == EFBIG || failed == EDQUOT ? ST_LIMIT : ST_IO,
                     "%s: %s", to.text, strerror(failed));
}

int spool_disk_describe(const struct spool *spool, struct spool_file *file, struct cause *cause)
{
    struct codec_out out;
    u8 head[HEAD_BYTES] = {0};
    if (!spool->folder)
        return ST_OK;
    codec_out_init(&out);
    spool_rows_put(&out, file);
    u8 *whole = out.failed ? NULL : malloc(HEAD_BYTES + out.len);
    int rc = ST_NOMEM;
    if (whole) {
        memcpy(head, magic, sizeof magic);
        be32_store(head + 8, (u32)out.len);
        be32_store(head + 12, checksum(out.data, out.len));
        memcpy(whole, head, HEAD_BYTES);
        memcpy(whole + HEAD_BYTES, out.data, out.len);
        rc = put(spool, file, "meta", whole, HEAD_BYTES + out.len, cause);
        folder_flush(spool, file->home);
        file->version = spool_disk_version(spool, file->home, file->serial);
    } else {
        cause_set(cause, rc, "no memory for a spool file");
    }
    free(whole);
    codec_out_fini(&out);
    return rc;
}

int spool_disk_store(const struct spool *spool, struct spool_file *file,
                     const struct spool_data *data, struct cause *cause)
{
    struct spool_path path = {""};
    if (!spool->folder)
        return ST_OK;
    int rc = put(spool, file, "data", data->page, spool_data_bytes(data), cause);
    if (rc)
        return rc;
    rc = spool_disk_describe(spool, file, cause);
    if (rc)
        unlink(path_of(spool, file->serial, "data", &path));
    return rc;
}

const char *spool_disk_written_at(const struct spool_writer *w, unsigned home, u64 serial,
                                  struct spool_path *out)
{
    char kind[32];
    snprintf(kind, sizeof kind, "open.%s.%s", w->device, w->userid);
    return spool_disk_path(w->spool, home, serial, kind, out);
}

const char *spool_disk_written(const struct spool_writer *w, struct spool_path *out)
{
    return spool_disk_written_at(w, 0, w->serial, out);
}

int spool_disk_name(const struct spool *spool, struct spool_file *file, const char *written,
                    struct cause *cause)
{
    struct spool_path data = {""};
    path_of(spool, file->serial, "data", &data);
    bool linked = !link(written, data.text); /* else by a host that has one name for a file */
    if (!linked && rename(written, data.text))
        return cause_set(cause, ST_IO, "%s: %s", written, strerror(errno));
    int rc = spool_disk_describe(spool, file, cause);
    if (rc && (linked ? unlink(data.text) : rename(data.text, written)))
        log_line("%s: %s", data.text, strerror(errno));
    if (!rc && linked && unlink(written))
        log_line("%s: %s", written, strerror(errno));
    return rc;
}

void spool_disk_remove(const struct spool *spool, const struct spool_file *file)
{
    struct spool_path path = {""};
    if (!spool->folder)
        return;
    if (unlink(spool_disk_path(spool, file->home, file->serial, "meta", &path)) ||
        unlink(spool_disk_path(spool, file->home, file->serial, "data", &path)))
        log_line("%s: %s", path.text, strerror(errno));
}

/* A whole file of at most `max` bytes, to be freed; NULL with a cause. */
static u8 *get(const char *path, size_t max, size_t *len, u64 *version, struct cause *cause)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    u8 *bytes = NULL;
    *len = 0;
    if (fd < 0 || fstat(fd, &st)) {
        cause_set(cause, errno == ENOENT ? ST_NOENT : ST_IO, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode) || (u64)st.st_size > max) {
        cause_set(cause, ST_PROTO, "%s: no spool file", path);
    } else if ((bytes = malloc((size_t)st.st_size + 1))) {
        ssize_t n;
        while (*len < (size_t)st.st_size &&
               (n = read(fd, bytes + *len, (size_t)st.st_size - *len)) > 0)
            *len += (size_t)n;
    } else {
        cause_set(cause, ST_NOMEM, "%s: out of memory", path);
    }
    *version = bytes ? version_of(&st) : 0;
    if (fd >= 0)
        close(fd);
    return bytes;
}

int spool_disk_read(const char *path, struct spool_data *out, struct cause *cause)
{
    size_t len;
    u64 version;
    spool_data_init(out);
    u8 *bytes = get(path, SPOOL_DATA_BYTES_MAX, &len, &version, cause);
    if (!bytes)
        return cause->status;
    bool good = spool_data_load(out, bytes, len);
    free(bytes);
    return good ? ST_OK : cause_set(cause, ST_PROTO, "%s: damaged", path);
}

int spool_disk_load(const struct spool *spool, const struct spool_file *file,
                    struct spool_data *out, struct cause *cause)
{
    struct spool_path path = {""};
    int rc = spool_disk_read(spool_disk_path(spool, file->home, file->serial, "data", &path),
                             out, cause);
    if (rc || out->records == file->desc.records)
        return rc;
    spool_data_fini(out);
    return cause_set(cause, ST_PROTO, "%s: damaged", path.text);
}

struct spool_file *spool_disk_meta(const struct spool *spool, unsigned home, u64 serial,
                                   struct cause *cause)
{
    struct spool_path path = {""};
    struct codec_in in;
    size_t len;
    u64 version;
    spool_disk_path(spool, home, serial, "meta", &path);
    u8 *bytes = get(path.text, META_BYTES_MAX, &len, &version, cause);
    if (!bytes)
        return NULL;
    struct spool_file *file = calloc(1, sizeof *file);
    bool good = file && len > HEAD_BYTES && !memcmp(bytes, magic, sizeof magic) &&
                be32_load(bytes + 8) == len - HEAD_BYTES &&
                be32_load(bytes + 12) == checksum(bytes + HEAD_BYTES, len - HEAD_BYTES);
    if (good) {
        codec_in_init(&in, bytes + HEAD_BYTES, len - HEAD_BYTES);
        good = spool_rows_get(&in, file);
    }
    free(bytes);
    if (!good) {
        free(file);
        cause_set(cause, ST_PROTO, "%s: damaged", path.text);
        return NULL;
    }
    file->home = (u8)home;
    file->serial = serial;
    file->version = version;
    file->number = 0;
    return file;
}

/* ---- the folder at the start ---- */

static const char *const start_names[] = {
#define SPOOL_START(name, help) #name,
    SPOOL_STARTS(SPOOL_START)
#undef SPOOL_START
};

bool spool_start_find(const char *name, enum spool_start *start)
{
    for (unsigned i = 0; i < ARRAY_LEN(start_names); i++)
        if (!strcasecmp(name, start_names[i]))
            return *start = (enum spool_start)i, true;
    return false;
}

/* The folder at a start. */
struct opening {
    struct spool *spool;
    enum spool_start start;
    void (*found)(struct spool *, struct spool_file *);
    unsigned purged;
};

/* A name in the folder: SERIAL.KIND, `kind` from behind the dot on. */
static void each_name(DIR *dir, struct opening *o,
                      void (*fn)(struct opening *o, const char *name, u64 serial,
                                 const char *kind))
{
    rewinddir(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        unsigned long long serial = 0;
        int at = 0;
        if (sscanf(e->d_name, "%8llx.%n", &serial, &at) != 1 || !at)
            at = (int)strlen(e->d_name); /* none of ours */
        if (serial > o->spool->last_serial)
            o->spool->last_serial = serial;
        fn(o, e->d_name, serial, e->d_name + at);
    }
}

static void remove_name(struct opening *o, const char *name, bool counts)
{
    struct spool_path path = {""};
    snprintf(path.text, sizeof path.text, "%s/%s", o->spool->folder, name);
    if (!unlink(path.text))
        o->purged += counts;
    else if (errno != ENOENT) /* it went with another */
        log_line("%s: %s", path.text, strerror(errno));
}

/* Damage is told; a FORCE start purges it, any other touches nothing. */
static void damaged(struct opening *o, const char *name, u64 serial, const char *why)
{
    struct spool_path path = {""};
    bool purge = o->start == SPOOL_FORCE;
    log_line("spool: %s; %s", why, purge ? "purged" : "left alone");
    if (!purge)
        return;
    remove_name(o, name, true);
    if (unlink(path_of(o->spool, serial, "data", &path)) && errno != ENOENT)
        log_line("%s: %s", path.text, strerror(errno));
}

/* A file with both its parts. */
static void meta_found(struct opening *o, const char *name, u64 serial)
{
    struct cause cause = {0};
    struct spool_data data;
    struct spool_file *file = spool_disk_meta(o->spool, 0, serial, &cause);
    if (file && spool_disk_load(o->spool, file, &data, &cause) == ST_OK) {
        spool_space_have(&o->spool->space, &file->space, data.pages);
        spool_data_fini(&data);
        o->found(o->spool, file);
        return;
    }
    damaged(o, name, serial, cause.text);
    free(file);
}

static bool has_meta(const struct spool *spool, u64 serial)
{
    struct spool_path meta = {""};
    return !access(path_of(spool, serial, "meta", &meta), F_OK);
}

/* What a kill left behind is removed: half-written files, records without a description. */
static void name_found(struct opening *o, const char *name, u64 serial, const char *kind)
{
    if (!strcmp(kind, "meta"))
        meta_found(o, name, serial);
    else if ((!strcmp(kind, "new") && !spool_in_use(o->spool, serial)) ||
             !strcmp(kind, "dump") || (!strcmp(kind, "data") && !has_meta(o->spool, serial)))
        remove_name(o, name, false);
}

/* The records of a file that was being written, cut off where they end; false: none. */
static bool written_load(const char *path, struct spool_data *data, struct cause *cause)
{
    size_t len;
    u64 version;
    u8 *bytes = get(path, SPOOL_DATA_BYTES_MAX, &len, &version, cause);
    if (!bytes)
        return false;
    bool good = spool_data_load(data, bytes, len);
    if (!good && len > SPOOL_PAGE_BYTES) /* the last page was torn */
        good = spool_data_load(data, bytes, (len - 1) / SPOOL_PAGE_BYTES * SPOOL_PAGE_BYTES);
    free(bytes);
    if (good && !truncate(path, (off_t)spool_data_bytes(data)))
        return true;
    cause_set(cause, ST_PROTO, "%s: damaged", path);
    return false;
}

/* It becomes a file of its maker, in hold status. */
static int written_close(struct opening *o, const char *path, u64 serial, const char *device,
                         const char *userid, struct cause *cause)
{
    struct spool_file *file;
    struct spool_data data;
    struct spool_desc desc;
    if (!written_load(path, &data, cause))
        return cause->status;
    spool_desc_init(&desc, userid, strcmp(device, "PUN") ? SPOOL_PRT : SPOOL_PUN);
    strcpy(desc.device, device);
    desc.hold = true;
    desc.records = data.records;
    desc.record_bytes = data.record_bytes;
    u32 pages = data.pages;
    spool_data_fini(&data);
    int rc = spool_file_new(o->spool, &desc, &file, cause);
    if (rc)
        return rc;
    spool_space_have(&o->spool->space, &file->space, pages);
    file->serial = serial;
    rc = spool_disk_name(o->spool, file, path, cause);
    return spool_file_stored(o->spool, file, rc, NULL);
}

static void written_found(struct opening *o, const char *name, u64 serial, const char *kind)
{
    struct spool_path path = {""};
    struct stat st;
    char device[4], userid[SPOOL_WORD_BYTES];
    struct cause cause = {0};
    if (sscanf(kind, "open.%3[A-Z].%8s", device, userid) != 2)
        return;
    snprintf(path.text, sizeof path.text, "%s/%s", o->spool->folder, name);
    if (has_meta(o->spool, serial) || (!stat(path.text, &st) && !st.st_size))
        remove_name(o, name, false); /* closed already, or without a record */
    else if (written_close(o, path.text, serial, device, userid, &cause))
        damaged(o, name, serial, cause.text);
    else
        log_line("spool: a file of %s was open and is closed, in hold status", userid);
}

/* What another member is reading goes when it has been read. */
static void purge_named(struct opening *o, const char *name, u64 serial, const char *kind)
{
    bool meta = !strcmp(kind, "meta");
    if (meta && spool_in_use(o->spool, serial)) {
        log_line("spool: %s: another member is reading it; it stays", name);
        meta_found(o, name, serial);
    } else if (meta || !strncmp(kind, "open.", 5)) {
        remove_name(o, name, true);
    }
}

static void purge_other(struct opening *o, const char *name, u64 serial, const char *kind)
{
    if (serial && has_meta(o->spool, serial))
        return;
    bool other = *name != '.' && o->start == SPOOL_CLEAN;
    if (!strcmp(kind, "data") || !strcmp(kind, "new") || !strcmp(kind, "dump") || other)
        remove_name(o, name, false);
}

int spool_disk_open(struct spool *spool, enum spool_start start,
                    void (*found)(struct spool *, struct spool_file *), struct cause *cause)
{
    if (mkdir(spool->folder, 0700) && errno != EEXIST)
        return cause_set(cause, ST_PERM, "%s: %s; spool files are kept there", spool->folder,
                         strerror(errno));
    spool->folder_fd = open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->folder_fd >= 0 && flock(spool->folder_fd, LOCK_EX | LOCK_NB) &&
        errno == EWOULDBLOCK)
        return cause_set(cause, ST_BUSY, "%s: another process has these spool files",
                         spool->folder);
    DIR *dir = opendir(spool->folder);
    if (!dir || access(spool->folder, W_OK)) {
        int failed = errno;
        if (dir)
            closedir(dir);
        return cause_set(cause, ST_PERM, "%s: %s; spool files are kept there", spool->folder,
                         strerror(failed));
    }
    struct opening o = {.spool = spool, .start = start, .found = found};
    if (start == SPOOL_COLD || start == SPOOL_CLEAN) {
        /* descriptions first: a kill in between leaves no half of a file */
        each_name(dir, &o, purge_named);
        each_name(dir, &o, purge_other);
        log_line("spool: %s start: %u files purged", start_names[start], o.purged);
    } else {
        each_name(dir, &o, name_found);
        each_name(dir, &o, written_found);
    }
    closedir(dir);
    return ST_OK;
}
