/* The file that a device is writing. With a folder each record is in the host's file before the
 * guest hears that it was taken, and one page is in memory; closing flushes the file and gives
 * it its other name. [W1] The file holds what spool_data_load takes, up to the last record.
 * [W2] A record that the host did not take is neither in the page nor, when there is room
 * again, in the file: each write begins with the page. [W3] The file keeps the name by which
 * spool_disk_open finds it until there is a description: a kill loses no record of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"

#define PAGES_MAX (SPOOL_DATA_BYTES_MAX / SPOOL_PAGE_BYTES)

void spool_writer_init(struct spool_writer *w, struct spool *spool, const char *device,
                       const char *userid)
{
    *w = (struct spool_writer){.spool = spool, .fd = -1, .device = device, .userid = userid};
    spool_data_init(&w->data);
}

static void forget(struct spool_writer *w)
{
    spool_data_fini(&w->data);
    spool_space_give(&w->spool->space, &w->space);
    if (w->fd >= 0)
        close(w->fd);
    spool_writer_init(w, w->spool, w->device, w->userid);
}

void spool_writer_leave(struct spool_writer *w)
{
    forget(w);
}

void spool_writer_drop(struct spool_writer *w)
{
    struct spool_path path = {""};
    if (w->fd >= 0 && unlink(spool_disk_written(w, &path)))
        log_line("%s: %s", path.text, strerror(errno));
    forget(w);
}

static int failed(struct spool_writer *w, struct cause *cause)
{
    struct spool_path path = {""};
    int why = errno ? errno : ENOSPC;
    bool full = why == ENOSPC || why == EFBIG || why == EDQUOT;
    return cause_set(cause, full ? ST_LIMIT : ST_IO, "%s: %s", spool_disk_written(w, &path),
                     strerror(why));
}

static int begin(struct spool_writer *w, struct cause *cause)
{
    if (!w->spool->folder || w->fd >= 0)
        return ST_OK;
    struct spool_path path = {""};
    if (!w->serial)
        w->serial = spool_new_serial(w->spool);
    w->fd = open(spool_disk_written(w, &path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return w->fd >= 0 ? ST_OK : failed(w, cause);
}

/* The last page from its beginning on; what was of the file before stays, or is cut off. */
static int put_page(struct spool_writer *w, struct cause *cause)
{
    u32 last = w->data.pages - 1;
    off_t at = (off_t)(w->pages + last) * SPOOL_PAGE_BYTES;
    const u8 *page = w->data.page + (size_t)last * SPOOL_PAGE_BYTES;
    errno = 0;
    if (pwrite(w->fd, page, w->data.at, at) == (ssize_t)w->data.at)
        return ST_OK;
    return failed(w, cause);
}

/* As before the record. The count in the page that was there: if that cannot be written, the
 * next write does it. */
static void take_back(struct spool_writer *w, const struct spool_data *before)
{
    struct spool_data *d = &w->data;
    struct cause cause;
    bool same_page = d->pages == before->pages;
    spool_data_take_back(d, before);
    off_t end = d->pages ? (off_t)w->pages * SPOOL_PAGE_BYTES + d->at : 0;
    if (ftruncate(w->fd, end))
        log_line("spool: %s", strerror(errno));
    if (same_page)
        put_page(w, &cause);
}

int spool_writer_add(struct spool_writer *w, u8 command, const u8 *bytes, size_t len,
                     struct cause *cause)
{
    const struct spool_data before = w->data;
    if (w->pages >= PAGES_MAX - 1)
        return cause_set(cause, ST_LIMIT, "a spool file has at most %u pages",
                         (unsigned)PAGES_MAX);
    int rc = begin(w, cause);
    if (rc)
        return rc;
    if (!spool_data_add(&w->data, command, bytes, len))
        return cause_set(cause, ST_LIMIT, "a spool file of %u pages: no room for a record",
                         w->data.pages);
    u32 pages = w->pages + w->data.pages;
    if (pages > w->charged &&
        !spool_space_take(&w->spool->space, &w->space, pages - w->charged)) {
        spool_data_take_back(&w->data, &before);
        return cause_set(cause, ST_LIMIT, "spool space is full");
    }
    w->charged = pages > w->charged ? pages : w->charged;
    if (!w->spool->folder)
        return ST_OK;
    if ((rc = put_page(w, cause))) {
        take_back(w, &before);
        return rc;
    }
    if (w->data.pages > 1) { /* the first is full */
        memcpy(w->data.page, w->data.page + SPOOL_PAGE_BYTES, SPOOL_PAGE_BYTES);
        w->data.pages = 1;
        w->pages++;
    }
    return ST_OK;
}

bool spool_writer_open(const struct spool_writer *w)
{
    return w->data.pages != 0;
}

int spool_writer_keep(struct spool_writer *w, struct spool_file *file, struct cause *cause)
{
    struct spool_path path = {""};
    file->desc.records = w->data.records;
    file->desc.record_bytes = w->data.record_bytes;
    if (!w->spool->folder) {
        file->data = w->data;
        file->space = w->space;
        spool_data_init(&w->data);
        w->space = (struct spool_pages){0};
        w->charged = 0;
        return ST_OK;
    }
    file->serial = w->serial;
    if (fdatasync(w->fd))
        return failed(w, cause);
    int rc = spool_disk_name(w->spool, file, spool_disk_written(w, &path), cause);
    if (rc)
        return rc;
    file->space = w->space;
    w->space = (struct spool_pages){0};
    forget(w);
    return ST_OK;
}

int spool_writer_flush(struct spool_writer *w, struct cause *cause)
{
    return w->fd < 0 || !fdatasync(w->fd) ? ST_OK : failed(w, cause);
}

/* The records are known; of a file only the last page is kept, as if they had been added here. */
static void go_on(struct spool_writer *w, struct spool_data *data)
{
    u32 pages = data->pages;
    if (w->spool->folder) {
        memmove(data->page, data->page + (size_t)(pages - 1) * SPOOL_PAGE_BYTES,
                SPOOL_PAGE_BYTES);
        data->pages = 1;
        w->pages = pages - 1;
    }
    w->data = *data;
    w->charged = pages;
    spool_space_have(&w->spool->space, &w->space, pages);
}

bool spool_writer_load(struct spool_writer *w, const void *pages, size_t len)
{
    struct spool_data data;
    spool_data_init(&data);
    if (spool_writer_open(w) || !spool_data_load(&data, pages, len) || data.dump ||
        !data.pages) {
        spool_data_fini(&data);
        return false;
    }
    go_on(w, &data);
    return true;
}

/* It has its new name before it is opened: whoever has it open by the old one adds nothing [O1]. */
int spool_writer_take(struct spool_writer *w, unsigned home, u64 serial, struct cause *cause)
{
    struct spool_path from = {""}, to = {""};
    struct spool_data data;
    if (spool_writer_open(w))
        return cause_set(cause, ST_EXIST, "the device writes another file");
    w->serial = spool_new_serial(w->spool);
    spool_disk_written_at(w, home, serial, &from);
    spool_disk_written(w, &to);
    if (rename(from.text, to.text)) {
        w->serial = 0;
        return cause_set(cause, errno == ENOENT ? ST_NOENT : ST_IO, "%s: %s", from.text,
                         strerror(errno));
    }
    int rc = spool_disk_read(to.text, &data, cause);
    if (rc == ST_OK && (data.dump || !data.pages))
        rc = cause_set(cause, ST_PROTO, "%s: no records", to.text);
    if (rc == ST_OK && (w->fd = open(to.text, O_RDWR | O_CLOEXEC)) < 0)
        rc = failed(w, cause);
    if (rc) {
        spool_data_fini(&data);
        spool_writer_leave(w); /* the next start closes it */
        return rc;
    }
    go_on(w, &data);
    return ST_OK;
}
