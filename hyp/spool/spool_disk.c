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
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"

#define PATH_BYTES 4096
#define HEAD_BYTES 16
#define META_BYTES_MAX 4096

static const char magic[8] = "SPOOLED1";

struct path {
    char text[PATH_BYTES];
};

static const char *path_of(const struct spool *spool, u64 serial, const char *kind,
                           struct path *out)
{
    snprintf(out->text, sizeof out->text, "%s/%08llx.%s", spool->folder,
             (unsigned long long)serial, kind);
    return out->text;
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
static void folder_flush(const struct spool *spool)
{
    int fd = open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && fsync(fd))
        log_line("%s: %s", spool->folder, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static int put(const struct spool *spool, u64 serial, const char *kind, const u8 *bytes,
               size_t len, struct cause *cause)
{
    struct path to = {""}, temporary = {""};
    path_of(spool, serial, kind, &to);
    path_of(spool, serial, "new", &temporary);
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

int spool_disk_describe(const struct spool *spool, const struct spool_file *file,
                        struct cause *cause)
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
        rc = put(spool, file->serial, "meta", whole, HEAD_BYTES + out.len, cause);
        folder_flush(spool);
    } else {
        cause_set(cause, rc, "no memory for a spool file");
    }
    free(whole);
    codec_out_fini(&out);
    return rc;
}

int spool_disk_store(const struct spool *spool, const struct spool_file *file,
                     const struct spool_data *data, struct cause *cause)
{
    struct path path = {""};
    if (!spool->folder)
        return ST_OK;
    int rc = put(spool, file->serial, "data", data->page, spool_data_bytes(data), cause);
    if (rc)
        return rc;
    rc = spool_disk_describe(spool, file, cause);
    if (rc)
        unlink(path_of(spool, file->serial, "data", &path));
    return rc;
}

void spool_disk_remove(const struct spool *spool, const struct spool_file *file)
{
    struct path path = {""};
    if (!spool->folder)
        return;
    if (unlink(path_of(spool, file->serial, "meta", &path)) ||
        unlink(path_of(spool, file->serial, "data", &path)))
        log_line("%s: %s", path.text, strerror(errno));
}

/* A whole file of at most `max` bytes, to be freed; NULL with a cause. */
static u8 *get(const char *path, size_t max, size_t *len, struct cause *cause)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    u8 *bytes = NULL;
    *len = 0;
    if (fd < 0 || fstat(fd, &st)) {
        cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
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
    if (fd >= 0)
        close(fd);
    return bytes;
}

int spool_disk_load(const struct spool *spool, const struct spool_file *file,
                    struct spool_data *out, struct cause *cause)
{
    struct path path = {""};
    size_t len;
    spool_data_init(out);
    u8 *bytes =
        get(path_of(spool, file->serial, "data", &path), SPOOL_DATA_BYTES_MAX, &len, cause);
    if (!bytes)
        return cause->status;
    bool good = spool_data_load(out, bytes, len) && out->records == file->desc.records;
    free(bytes);
    if (good)
        return ST_OK;
    spool_data_fini(out);
    return cause_set(cause, ST_PROTO, "%s: damaged", path.text);
}

/* ---- the folder at the start ---- */

static struct spool_file *meta_read(const struct spool *spool, u64 serial, struct cause *cause)
{
    struct path path = {""};
    struct codec_in in;
    size_t len;
    u8 *bytes = get(path_of(spool, serial, "meta", &path), META_BYTES_MAX, &len, cause);
    struct spool_file *file = bytes ? calloc(1, sizeof *file) : NULL;
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
    file->serial = serial;
    file->number = 0;
    return file;
}

/* A file with both its parts; damage is told and nothing is touched. */
static void serial_found(struct spool *spool, u64 serial,
                         void (*found)(struct spool *, struct spool_file *))
{
    struct cause cause = {0};
    struct spool_data data;
    struct spool_file *file = meta_read(spool, serial, &cause);
    if (file && spool_disk_load(spool, file, &data, &cause) == ST_OK) {
        spool_data_fini(&data);
        found(spool, file);
        return;
    }
    log_line("spool: %s; left alone", cause.text);
    free(file);
}

/* What a kill left behind: half-written files, records without a description. */
static void leftover(const struct spool *spool, u64 serial, const char *kind)
{
    struct path path = {""}, meta = {""};
    bool half = !strcmp(kind, "new");
    bool alone = !strcmp(kind, "data") && access(path_of(spool, serial, "meta", &meta), F_OK);
    if ((half || alone) && unlink(path_of(spool, serial, kind, &path)))
        log_line("%s: %s", path.text, strerror(errno));
}

int spool_disk_open(struct spool *spool, void (*found)(struct spool *, struct spool_file *),
                    struct cause *cause)
{
    if (mkdir(spool->folder, 0700) && errno != EEXIST)
        return cause_set(cause, ST_PERM, "%s: %s; spool files are kept there", spool->folder,
                         strerror(errno));
    DIR *dir = opendir(spool->folder);
    if (!dir || access(spool->folder, W_OK)) {
        int failed = errno;
        if (dir)
            closedir(dir);
        return cause_set(cause, ST_PERM, "%s: %s; spool files are kept there", spool->folder,
                         strerror(failed));
    }
    for (struct dirent *e; (e = readdir(dir));) {
        unsigned long long serial;
        char kind[8] = "";
        if (sscanf(e->d_name, "%8llx.%7s", &serial, kind) != 2)
            continue;
        if (serial > spool->last_serial)
            spool->last_serial = serial;
        if (!strcmp(kind, "meta"))
            serial_found(spool, serial, found);
        else
            leftover(spool, serial, kind);
    }
    closedir(dir);
    return ST_OK;
}
