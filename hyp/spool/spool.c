/* The queues of the spool: one list of files in the order of reading, each with its owner. [S1] A
 * file in the list is on disk, if there is a folder: in ours, or in that of another member. [S2] A
 * reader file of a user who is logged on is in the queue of the virtual readers as well (`number`),
 * unless that is full or its member cannot be reached. What the guest reads there is noted by
 * spool_sync, which every look at a reader queue begins with. */
#include "hyp/spool/spool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"

const char *spool_queue_name(enum spool_queue queue)
{
    static const char *const names[] = {"RDR", "PRT", "PUN"};
    return names[queue];
}

void spool_file_free(struct spool *spool, struct spool_file *file)
{
    spool_space_give(&spool->space, &file->space);
    spool_data_fini(&file->data);
    free(file);
}

/* Two members may have given the same place: on all of them the older file comes first. */
static bool precedes(const struct spool_file *a, const struct spool_file *b)
{
    return a->order != b->order ? a->order < b->order
                                : a->desc.created_ns <= b->desc.created_ns;
}

void spool_insert(struct spool *spool, struct spool_file *file)
{
    struct spool_file **at = &spool->first;
    while (*at && precedes(*at, file))
        at = &(*at)->next;
    file->next = *at;
    *at = file;
}

void spool_take_out(struct spool *spool, struct spool_file *file)
{
    struct spool_file **at = &spool->first;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    file->next = NULL;
}

static void found(struct spool *spool, struct spool_file *file)
{
    spool_insert(spool, file);
}

/* Our folder is the first of the cluster's, by its last name. */
static bool own_home(struct spool *spool, const char *folder)
{
    const char *last = strrchr(folder, '/');
    if (!(spool->folder = strdup(folder)))
        return false;
    spool->home[0].folder = spool->folder;
    snprintf(spool->home[0].member, sizeof spool->home[0].member, "%.8s",
             last ? last + 1 : folder);
    spool->homes = 1;
    return true;
}

int spool_create(const char *folder, enum spool_start start, unsigned slot, struct spool **out,
                 struct cause *cause)
{
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool) {
        spool->folder_fd = -1;
        spool->slot = slot;
        lock_init(&spool->lock, LOCK_SPOOL);
        spool_space_init(&spool->space);
    }
    if (!spool || (folder && !own_home(spool, folder))) {
        free(spool);
        return cause_set(cause, ST_NOMEM, "no memory for the spool");
    }
    int rc = folder ? spool_disk_open(spool, start, found, cause) : ST_OK;
    if (rc) {
        spool_destroy(spool);
        return rc;
    }
    *out = spool;
    return ST_OK;
}

void spool_destroy(struct spool *spool)
{
    if (!spool)
        return;
    while (spool->readers) {
        struct spool_reader_row *row = spool->readers;
        spool->readers = row->next;
        free(row);
    }
    spool_devices_end(spool, NULL, false);
    while (spool->first) {
        struct spool_file *file = spool->first;
        spool->first = file->next;
        spool_file_free(spool, file);
    }
    spool_release_all(spool);
    spool_space_fini(&spool->space);
    lock_fini(&spool->lock);
    if (spool->folder_fd >= 0)
        close(spool->folder_fd);
    for (unsigned i = 0; i < spool->homes; i++)
        free(spool->home[i].folder);
    free(spool);
}

void spool_volume_set(struct spool *spool, unsigned slot, u32 pages, bool drained)
{
    spool_space_set(&spool->space, slot, pages, drained);
}

void spool_volumes_settle(struct spool *spool)
{
    for (struct spool_file *f = spool->first; f; f = f->next)
        spool_space_settle(&spool->space, &f->space);
}

u32 spool_volume_used(struct spool *spool, unsigned slot)
{
    struct spool_volume v;
    spool_space_get(&spool->space, slot, &v);
    return v.used;
}

static u64 wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

void spool_desc_init(struct spool_desc *d, const char *owner, enum spool_queue queue)
{
    *d = (struct spool_desc){.queue = queue, .class_ = 'A', .copies = 1};
    snprintf(d->owner, sizeof d->owner, "%s", owner);
    snprintf(d->origin, sizeof d->origin, "%s", owner);
    snprintf(d->dist, sizeof d->dist, "%s", owner);
    strcpy(d->device, "PUN");
    strcpy(d->form, SPOOL_FORM);
    strcpy(d->dest, SPOOL_DEST);
    d->created_ns = wall_ns();
}

/* ---- looking ---- */

struct spool_file *spool_next(const struct spool *spool, const struct spool_file *after)
{
    struct spool_file *f = after ? after->next : spool->first;
    while (f && f->hidden)
        f = f->next;
    return f;
}

const struct spool_desc *spool_desc(const struct spool_file *file)
{
    return &file->desc;
}

bool spool_is_of(const struct spool_file *file, const char *owner)
{
    return strcmp(file->desc.owner, owner) == 0;
}

struct spool_file *spool_find(const struct spool *spool, const char *owner, u16 id)
{
    struct spool_file *f = NULL;
    while ((f = spool_next(spool, f)) && !(f->desc.id == id && spool_is_of(f, owner)))
        ;
    return f;
}

struct spool_file *spool_by_number(const struct spool *spool, const char *userid, u32 number)
{
    struct spool_file *f = spool->first;
    while (f && !(f->number == number && spool_is_of(f, userid)))
        f = f->next;
    return f;
}

unsigned spool_count(const struct spool *spool, const char *owner, enum spool_queue queue)
{
    unsigned n = 0;
    for (const struct spool_file *f = NULL; (f = spool_next(spool, f));)
        n += f->desc.queue == queue && spool_is_of(f, owner);
    return n;
}

/* No more ids of ours for this owner: in a cluster we give one of SPOOL_SLOTS. */
static bool too_many(const struct spool *spool, const char *owner, struct cause *cause)
{
    unsigned n = 0, max = spool->slot ? SPOOL_FILES_OF_SLOT_MAX : SPOOL_FILES_PER_USER_MAX;
    for (const struct spool_file *f = spool->first; f; f = f->next)
        n += spool_is_of(f, owner) &&
             (!spool->slot || f->desc.id % SPOOL_SLOTS == spool->slot % SPOOL_SLOTS);
    if (n >= max)
        cause_set(cause, ST_LIMIT, "%s has %u spool files", owner, max);
    return n >= max;
}

/* [S3] An id that was given here is known here: what other members give is never the same. There
 * are more ids than files of a user. */
u16 spool_free_id(struct spool *spool, const char *owner)
{
    u16 step = spool->slot ? SPOOL_SLOTS : 1, first = spool->slot ? (u16)spool->slot : 1;
    u16 id = spool->last_id;
    do
        id = !id || id + step > SPOOL_ID_MAX ? first : (u16)(id + step);
    while (spool_find(spool, owner, id) || spool_device_has_id(spool, owner, id));
    return spool->last_id = id;
}

int spool_load(struct spool *spool, const struct spool_file *file, struct spool_data *out,
               struct cause *cause)
{
    if (spool->folder)
        return spool_disk_load(spool, file, out, cause);
    if (spool_data_load(out, file->data.page, spool_data_bytes(&file->data)))
        return ST_OK;
    return cause_set(cause, ST_NOMEM, "no memory for a spool file");
}

/* ---- the virtual readers ---- */

/* The row of a reader of the user's, number `vdev` or (0) any. */
static struct spool_reader_row *reader_row(const struct spool *spool, const char *userid,
                                           u16 vdev)
{
    struct spool_reader_row *row = spool->readers;
    while (row && (strcmp(row->userid, userid) || (vdev && row->vdev != vdev)))
        row = row->next;
    return row;
}

struct reader *spool_reader(const struct spool *spool, const char *userid, u16 vdev)
{
    struct spool_reader_row *row = reader_row(spool, userid, vdev);
    return row ? row->reader : NULL;
}

u16 *spool_reader_mark(const struct spool *spool, const char *userid, u16 vdev)
{
    struct spool_reader_row *row = reader_row(spool, userid, vdev);
    return row ? &row->mark : NULL;
}

static struct reader_file reader_view(const struct spool *spool, const struct spool_file *f)
{
    return (struct reader_file){.number = f->number,
                                .class_ = f->desc.class_,
                                .keep = f->desc.keep,
                                .held = f->desc.hold,
                                .key = spool_key(spool, f),
                                .version = f->version};
}

/* Into the queue of its owner's readers, if those are here; what cannot be read is told and put
 * into hold. */
void spool_file_deliver(struct spool *spool, struct spool_file *f)
{
    struct spool_reader_row *row = reader_row(spool, f->desc.owner, 0);
    struct cause cause;
    struct spool_data data;
    if (!row || !row->ready || f->number || f->desc.queue != SPOOL_RDR || f->hidden ||
        (f->home && spool_reached(spool, f, &cause)))
        return;
    if (spool_load(spool, f, &data, &cause)) {
        bool gone = f->home && cause.status == ST_NOENT; /* a notice is on its way */
        if (!gone)
            log_line("spool: file %04u of %s: %s", f->desc.id, f->desc.owner, cause.text);
        f->desc.hold |= !gone;
        return;
    }
    const struct reader_file view = reader_view(spool, f);
    reader_add(row->reader, &view, &data, &f->number, &cause); /* full: it waits */
    spool_data_fini(&data);
}

void spool_file_shown(struct spool *spool, const struct spool_file *f)
{
    const struct reader_file view = reader_view(spool, f);
    struct reader *reader = f->number ? spool_reader(spool, f->desc.owner, 0) : NULL;
    if (reader)
        reader_change(reader, &view);
}

void spool_deliver(struct spool *spool, const char *userid)
{
    for (struct spool_reader_row *row = spool->readers; row; row = row->next)
        row->ready |= !strcmp(row->userid, userid);
    for (struct spool_file *f = spool->first; f; f = f->next)
        if (spool_is_of(f, userid))
            spool_file_deliver(spool, f);
}

int spool_reader_attach(struct spool *spool, const char *userid, u16 vdev,
                        struct reader *reader, struct cause *cause)
{
    const struct spool_reader_row *other = reader_row(spool, userid, 0);
    struct spool_reader_row *row = calloc(1, sizeof *row);
    if (!row)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", vdev);
    snprintf(row->userid, sizeof row->userid, "%s", userid);
    row->vdev = vdev;
    row->reader = reader;
    row->ready = other && other->ready;
    row->next = spool->readers;
    spool->readers = row;
    reader_set_gate(reader, spool_reader_opens, spool);
    return ST_OK;
}

static void forget(struct spool *spool, struct spool_file *f)
{
    unsigned home = f->home;
    u64 serial = f->serial;
    spool_take_out(spool, f);
    spool_disk_remove(spool, f);
    spool_release(spool, f, 0);
    spool_file_free(spool, f);
    spool_changed(spool, home, serial);
}

/* The description as it is in memory goes to disk, under the file's lock. */
static int describe(struct spool *spool, struct spool_file *f, struct cause *cause)
{
    struct spool_change change;
    int rc = spool_change_begin(spool, f, &change, cause);
    if (rc)
        return rc;
    rc = spool_disk_describe(spool, f, cause);
    spool_change_end(&change);
    if (!rc)
        spool_changed(spool, f->home, f->serial);
    return rc;
}

/* What the readers do not have any more is gone; what they hold by themselves is held. */
void spool_sync(struct spool *spool, const char *userid)
{
    struct spool_reader_row *row = reader_row(spool, userid, 0);
    struct reader_file info;
    struct cause cause;
    struct spool_file *f, *next;
    if (!row || !row->ready)
        return;
    for (f = spool->first; f; f = f->next) {
        f->seen = false;
        f->opened = f->number && spool_is_of(f, userid) ? spool_opened(spool, f) : 0;
    }
    for (unsigned k = 0; reader_file_info(row->reader, k, &info); k++) {
        f = spool_by_number(spool, userid, info.number);
        if (!f)
            continue;
        f->seen = true;
        f->desc.open = info.reading;
        if (f->desc.hold != info.held) {
            f->desc.hold = info.held;
            if (describe(spool, f, &cause))
                log_line("spool: %s", cause.text);
            spool_file_shown(spool, f); /* its version */
        }
        if (f->opened && !info.reading)
            spool_release(spool, f, f->opened);
    }
    for (f = spool->first; f; f = next) {
        next = f->next;
        if (f->number && !f->seen && spool_is_of(f, userid))
            forget(spool, f);
    }
    spool_deliver(spool, userid); /* there may be room now */
}

void spool_sync_again(struct spool *spool, const char *userid)
{
    struct reader *reader = spool_reader(spool, userid, 0);
    if (reader)
        reader_again(reader);
    spool_sync(spool, userid);
}

static void reader_leaves(struct spool *spool, struct spool_reader_row *row)
{
    struct spool_reader_row **at = &spool->readers;
    while (*at != row)
        at = &(*at)->next;
    *at = row->next;
    free(row);
}

/* No reader has the files any more. What moved with them is gone, but for what stays in the
 * folders of the cluster. */
static void files_leave(struct spool *spool, const char *userid, bool moved)
{
    for (struct spool_file *f = spool->first, *next; f; f = next) {
        next = f->next;
        if (!f->number || !spool_is_of(f, userid))
            continue;
        f->number = 0;
        f->desc.open = false;
        if (moved && !spool->shared)
            forget(spool, f);
        else
            spool_release(spool, f, 0);
    }
}

void spool_reader_detach(struct spool *spool, const char *userid, u16 vdev)
{
    struct spool_reader_row *row = reader_row(spool, userid, vdev);
    if (!row)
        return;
    reader_close(row->reader, READER_CLOSE_RESET); /* behind the last card: it has been read */
    spool_sync(spool, userid);
    reader_leaves(spool, row);
    if (!reader_row(spool, userid, 0))
        files_leave(spool, userid, false);
}

void spool_readers_end(struct spool *spool, const char *userid, bool moved)
{
    struct spool_reader_row *row;
    if (moved)
        spool_sync(spool, userid);
    while ((row = reader_row(spool, userid, 0)) && moved)
        reader_leaves(spool, row);
    while ((row = reader_row(spool, userid, 0)))
        spool_reader_detach(spool, userid, row->vdev);
    if (moved)
        files_leave(spool, userid, true);
}

/* ---- changing ---- */

s64 spool_last_order(const struct spool *spool)
{
    s64 order = 0;
    for (const struct spool_file *f = spool->first; f; f = f->next)
        order = f->order;
    return order;
}

bool spool_open(struct spool *spool, struct spool_file *f)
{
    if (spool->shared && !spool_claim(spool, f->home, f->serial, f->version))
        return false;
    return f->desc.open = true;
}

void spool_close(struct spool *spool, struct spool_file *f)
{
    f->desc.open = false;
    spool_release(spool, f, 0);
}

bool spool_is_own(const struct spool_file *file)
{
    return !file->home;
}

void spool_set_news(struct spool *spool, void (*news)(void *ctx), void *ctx)
{
    spool->news = news;
    spool->news_ctx = ctx;
}

void spool_tell(const struct spool *spool)
{
    if (spool->news)
        spool->news(spool->news_ctx);
}

u64 spool_new_serial(struct spool *spool)
{
    return atomic_fetch_add(&spool->last_serial, 1) + 1;
}

int spool_file_new(struct spool *spool, const struct spool_desc *desc, struct spool_file **out,
                   struct cause *cause)
{
    if (too_many(spool, desc->owner, cause))
        return ST_LIMIT;
    struct spool_file *f = calloc(1, sizeof *f);
    if (!f)
        return cause_set(cause, ST_NOMEM, "no memory for a spool file");
    f->desc = *desc;
    if (!f->desc.id || spool_find(spool, desc->owner, f->desc.id))
        f->desc.id = spool_free_id(spool, desc->owner);
    f->order = spool_last_order(spool) + 1;
    *out = f;
    return ST_OK;
}

int spool_file_stored(struct spool *spool, struct spool_file *f, int rc,
                      struct spool_file **out)
{
    if (rc) {
        spool_file_free(spool, f);
        return rc;
    }
    spool_insert(spool, f);
    spool_file_deliver(spool, f);
    if (out)
        *out = f;
    spool_changed(spool, f->home, f->serial);
    spool_tell(spool);
    return ST_OK;
}

int spool_add(struct spool *spool, const struct spool_desc *desc, struct spool_data *data,
              struct spool_file **out, struct cause *cause)
{
    struct spool_file *f;
    if (!data->pages)
        return cause_set(cause, ST_INVAL, "a spool file without records");
    int rc = spool_file_new(spool, desc, &f, cause);
    if (rc)
        return rc;
    f->desc.records = data->records;
    f->desc.record_bytes = data->record_bytes;
    f->serial = spool_new_serial(spool);
    rc = spool_space_take(&spool->space, &f->space, data->pages)
             ? spool_disk_store(spool, f, data, cause)
             : cause_set(cause, ST_LIMIT, "spool space is full");
    if (rc == ST_OK && !spool->folder) {
        f->data = *data;
        spool_data_init(data);
    }
    if (rc == ST_OK)
        spool_data_fini(data);
    return spool_file_stored(spool, f, rc, out);
}

void spool_temporary(struct spool *spool, struct spool_temporary *out)
{
    const char *folder = getenv("TMPDIR");
    out->serial = spool_new_serial(spool);
    if (spool->folder)
        snprintf(out->path, sizeof out->path, "%.1100s/%08llx.dump", spool->folder,
                 (unsigned long long)out->serial);
    else
        snprintf(out->path, sizeof out->path, "%.1000s/endicott-dump-%ld-%llx",
                 folder ? folder : "/tmp", (long)getpid(), (unsigned long long)out->serial);
}

/* Into a new file, whose space has been taken. */
static int dump_store(struct spool *spool, struct spool_file *f, const char *path,
                      struct cause *cause)
{
    if (spool->folder)
        return spool_disk_name(spool, f, path, cause);
    return spool_disk_read(path, &f->data, cause);
}

int spool_add_dump(struct spool *spool, const struct spool_desc *desc,
                   const struct spool_temporary *pages, struct spool_file **out,
                   struct cause *cause)
{
    struct spool_file *f;
    struct stat info;
    int rc = spool_file_new(spool, desc, &f, cause);
    if (rc == ST_OK && stat(pages->path, &info))
        rc = spool_file_stored(
            spool, f, cause_set(cause, ST_IO, "%s: %s", pages->path, strerror(errno)), NULL);
    if (rc) {
        unlink(pages->path);
        return rc;
    }
    f->serial = pages->serial;
    f->desc.records = (u64)info.st_size / SPOOL_PAGE_BYTES;
    f->desc.record_bytes = SPOOL_PAGE_BYTES;
    rc = spool_space_take(&spool->space, &f->space, (u32)f->desc.records)
             ? dump_store(spool, f, pages->path, cause)
             : cause_set(cause, ST_LIMIT, "spool space is full");
    if (rc || !spool->folder)
        unlink(pages->path);
    return spool_file_stored(spool, f, rc, out);
}

int spool_change(struct spool *spool, struct spool_file *f, const struct spool_desc *desc,
                 struct cause *cause)
{
    const struct spool_desc before = f->desc;
    f->desc = *desc;
    int rc = describe(spool, f, cause);
    if (rc) {
        f->desc = before;
        return rc;
    }
    spool_file_shown(spool, f);
    spool_tell(spool);
    return ST_OK;
}

int spool_order(struct spool *spool, struct spool_file *f, struct cause *cause)
{
    s64 before = f->order;
    struct reader *reader = spool_reader(spool, f->desc.owner, 0);
    f->order = spool->first->order - 1;
    int rc = describe(spool, f, cause);
    if (rc) {
        f->order = before;
        return rc;
    }
    spool_take_out(spool, f);
    f->next = spool->first;
    spool->first = f;
    if (f->number && reader)
        reader_order(reader, f->number);
    spool_file_shown(spool, f);
    return ST_OK;
}

/* Out of the reader; false: it is being read, or put out. */
static bool withdraw(struct spool *spool, struct spool_file *f)
{
    struct reader *reader = spool_reader(spool, f->desc.owner, 0);
    if (f->desc.open && f->desc.queue != SPOOL_RDR)
        return false;
    if (f->number && reader && !reader_remove(reader, f->number))
        return false;
    f->number = 0;
    return true;
}

/* The description is written anew with another owner, queue and place, or nothing has changed. */
static int move(struct spool *spool, struct spool_file *f, const char *owner,
                enum spool_queue queue, struct cause *cause)
{
    const struct spool_desc before = f->desc;
    s64 order = f->order;
    if (strcmp(owner, f->desc.owner)) {
        f->desc.id = spool_free_id(spool, owner);
        snprintf(f->desc.owner, sizeof f->desc.owner, "%s", owner);
    }
    f->desc.queue = queue;
    f->desc.system_hold &= queue != SPOOL_RDR;
    f->order = spool_last_order(spool) + 1;
    int rc = spool_disk_describe(spool, f, cause);
    if (rc) {
        f->desc = before;
        f->order = order;
        return rc;
    }
    spool_take_out(spool, f);
    spool_insert(spool, f);
    spool_changed(spool, f->home, f->serial);
    return ST_OK;
}

static int busy(const struct spool_file *f, struct cause *cause)
{
    return cause_set(cause, ST_BUSY, "spool file %04u is being read", f->desc.id);
}

int spool_transfer(struct spool *spool, struct spool_file *f, const char *owner,
                   enum spool_queue queue, struct cause *cause)
{
    struct spool_change change;
    if (strcmp(owner, f->desc.owner) && too_many(spool, owner, cause))
        return ST_LIMIT;
    if (queue != SPOOL_RDR && !strcmp(f->desc.device, SPOOL_DEVICE_DUMP))
        return cause_set(cause, ST_INVAL, "spool file %04u is a dump", f->desc.id);
    int rc = spool_change_begin(spool, f, &change, cause);
    if (rc)
        return rc;
    rc = withdraw(spool, f) ? move(spool, f, owner, queue, cause) : busy(f, cause);
    spool_change_end(&change);
    spool_file_deliver(spool, f);
    spool_tell(spool);
    return rc;
}

int spool_remove(struct spool *spool, struct spool_file *f, struct cause *cause)
{
    struct spool_change change;
    int rc = spool_change_begin(spool, f, &change, cause);
    if (rc)
        return rc;
    if (withdraw(spool, f))
        forget(spool, f);
    else
        rc = busy(f, cause);
    spool_change_end(&change);
    return rc;
}

bool spool_purge(struct spool *spool, struct spool_file *f)
{
    struct cause cause;
    return spool_remove(spool, f, &cause) == ST_OK;
}
