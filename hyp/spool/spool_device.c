/* Virtual spooled devices: options and the file that is being written. */
#include "hyp/spool/spool_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/lock.h"
#include "mem/base/log.h"

/* Located by: spool->devices. Created with the machine, destroyed behind its channel
 * subsystem. */
struct spool_device {
    struct spool_device *next;
    struct spool *spool;
    char userid[SPOOL_WORD_BYTES];
    enum spool_kind kind;
    u16 vdev, id; /* id: of the open file; 0 until somebody asks */
    struct spool_options options;
    struct lock lock;
    struct spool_writer file; /* under `lock`, as `told` */
    bool told;                /* that records are not taken */
    bool moving;              /* [O1] its user's state has been taken */
    struct reader_counts read;
    u64 records, pages;       /* written; under `lock` */
    struct spool_counts gone; /* of devices of the user that are gone */
    struct {                  /* [O1] its user arrives */
        bool there;
        unsigned home;
        u64 serial;
    } from;
};

static const char *const made_by[] = {"RDR", "PUN", "PRT", "CON"};

struct spool_device *spool_device_create(struct spool *spool, const char *userid,
                                         enum spool_kind kind, u16 vdev, char class_)
{
    struct spool_device *dev = calloc(1, sizeof *dev);
    if (!dev)
        return NULL;
    dev->spool = spool;
    dev->kind = kind;
    dev->vdev = vdev;
    snprintf(dev->userid, sizeof dev->userid, "%s", userid);
    dev->options =
        (struct spool_options){.class_ = class_,
                               .eof = kind == SPOOL_DEV_RDR,
                               .copies = 1,
                               .to_queue = kind == SPOOL_DEV_PUN ? SPOOL_PUN : SPOOL_PRT};
    strcpy(dev->options.form, SPOOL_FORM);
    strcpy(dev->options.dist, dev->userid);
    strcpy(dev->options.dest, SPOOL_DEST);
    lock_init(&dev->lock, LOCK_DEVICE);
    spool_writer_init(&dev->file, spool, made_by[kind], dev->userid);
    struct spool_device **at = &spool->devices;
    while (*at)
        at = &(*at)->next;
    *at = dev;
    return dev;
}

static void end(struct spool_device *dev, bool drop)
{
    struct spool_file *file;
    struct cause cause;
    u16 was;
    if (dev->moving && drop)
        spool_writer_leave(&dev->file); /* it is another member's by now */
    dev->moving = false;
    if (!drop && spool_device_close(dev, NULL, &file, &was, &cause)) {
        log_operator('E', "spool file of %s %04X, closing: %s; it is closed at the next start",
                     dev->userid, dev->vdev, cause.text);
        spool_writer_leave(&dev->file);
    }
    spool_writer_drop(&dev->file);
    lock_fini(&dev->lock);
    free(dev);
}

void spool_devices_end(struct spool *spool, const char *userid, bool drop)
{
    for (struct spool_device **at = &spool->devices; *at;) {
        struct spool_device *dev = *at;
        if (userid && strcmp(dev->userid, userid)) {
            at = &dev->next;
            continue;
        }
        *at = dev->next;
        end(dev, drop);
    }
}

/* What the device has done itself. */
static void counts_add(struct spool_device *dev, struct spool_counts *c)
{
    lock_take(&dev->lock);
    c->lines += dev->kind == SPOOL_DEV_PRT ? dev->records : 0;
    c->cards_punched += dev->kind == SPOOL_DEV_PUN ? dev->records : 0;
    c->pages_written += dev->pages;
    lock_drop(&dev->lock);
    c->cards_read += atomic_load(&dev->read.cards);
    c->pages_read += atomic_load(&dev->read.pages);
}

static void counts_add_gone(const struct spool_device *dev, struct spool_counts *c)
{
    c->cards_read += dev->gone.cards_read;
    c->lines += dev->gone.lines;
    c->cards_punched += dev->gone.cards_punched;
    c->pages_read += dev->gone.pages_read;
    c->pages_written += dev->gone.pages_written;
}

void spool_device_counts(struct spool *spool, const char *userid, struct spool_counts *out)
{
    struct spool_device *dev = NULL;
    *out = (struct spool_counts){0};
    while ((dev = spool_device_next(spool, userid, dev))) {
        counts_add(dev, out);
        counts_add_gone(dev, out);
    }
}

struct reader_counts *spool_device_read(struct spool_device *dev)
{
    return &dev->read;
}

/* Another device of the user remembers what one did that goes; without one it is forgotten. */
static void counts_hand_on(struct spool_device *dev)
{
    struct spool_device *other = spool_device_next(dev->spool, dev->userid, NULL);
    if (other == dev)
        other = spool_device_next(dev->spool, dev->userid, dev);
    if (!other)
        return;
    counts_add(dev, &other->gone);
    counts_add_gone(dev, &other->gone);
}

void spool_device_remove(struct spool *spool, const char *userid, u16 vdev)
{
    struct spool_device *dev = spool_device_find(spool, userid, vdev);
    struct spool_device **at = &spool->devices;
    if (!dev || dev->kind == SPOOL_DEV_CONS)
        return;
    counts_hand_on(dev);
    while (*at != dev)
        at = &(*at)->next;
    *at = dev->next;
    end(dev, false);
}

struct spool_device *spool_device_next(struct spool *spool, const char *userid,
                                       const struct spool_device *after)
{
    struct spool_device *dev = after ? after->next : spool->devices;
    while (dev && strcmp(dev->userid, userid))
        dev = dev->next;
    return dev;
}

struct spool_device *spool_device_find(struct spool *spool, const char *userid, u16 vdev)
{
    struct spool_device *dev = NULL;
    while ((dev = spool_device_next(spool, userid, dev)) && dev->vdev != vdev)
        ;
    return dev;
}

enum spool_kind spool_device_kind(const struct spool_device *dev)
{
    return dev->kind;
}

u16 spool_device_vdev(const struct spool_device *dev)
{
    return dev->vdev;
}

struct spool_options *spool_device_options(struct spool_device *dev)
{
    return &dev->options;
}

void spool_device_changed(struct spool_device *dev)
{
    const struct spool_options *o = &dev->options;
    struct reader *reader = spool_reader(dev->spool, dev->userid, dev->vdev);
    if (dev->kind == SPOOL_DEV_RDR && reader)
        reader_set_eof(reader, o->eof);
    if (dev->kind == SPOOL_DEV_RDR && reader)
        reader_set_options(reader, o->cont, o->hold, o->keep, o->class_ == '*' ? 0 : o->class_);
}

bool spool_device_open(struct spool_device *dev, u16 *id)
{
    lock_take(&dev->lock);
    bool open = spool_writer_open(&dev->file);
    lock_drop(&dev->lock);
    if (open && !dev->id)
        dev->id = spool_free_id(dev->spool, dev->userid);
    *id = dev->id;
    return open;
}

bool spool_device_has_id(const struct spool *spool, const char *userid, u16 id)
{
    for (const struct spool_device *dev = spool->devices; dev; dev = dev->next)
        if (dev->id == id && !strcmp(dev->userid, userid))
            return true;
    return false;
}

int spool_device_sink(void *arg, u16 devno, u8 command, const u8 *bytes, size_t len)
{
    struct spool_device *dev = arg;
    struct cause cause;
    (void)devno;
    if (command == UNITREC_LOAD_FORM)
        return ST_OK; /* the form is the printer's: nothing that was printed */
    lock_take(&dev->lock);
    u32 before = dev->file.charged;
    int rc = spool_writer_add(&dev->file, command, bytes, len, &cause);
    dev->records += rc == ST_OK;
    dev->pages += rc == ST_OK ? dev->file.charged - before : 0;
    bool told = dev->told;
    dev->told = rc != ST_OK;
    lock_drop(&dev->lock);
    if (rc && !told)
        log_operator('E', "spool file of %s %04X: %s", dev->userid, dev->vdev, cause.text);
    else if (!rc && told)
        log_operator('I', "spool file of %s %04X: goes on", dev->userid, dev->vdev);
    return rc ? ST_IO : ST_OK; /* a virtual device has no operator: equipment check */
}

void spool_device_purge(struct spool_device *dev)
{
    if (dev->moving)
        return;
    lock_take(&dev->lock);
    spool_writer_drop(&dev->file);
    lock_drop(&dev->lock);
    dev->id = 0;
}

static void describe(const struct spool_device *dev, const struct spool_options *o, u16 id,
                     struct spool_desc *d)
{
    const char *owner = *o->to ? o->to : dev->userid;
    spool_desc_init(d, owner, o->to_queue);
    strcpy(d->origin, dev->userid);
    strcpy(d->device, made_by[dev->kind]);
    d->id = strcmp(owner, dev->userid) ? 0 : id;
    d->class_ = o->class_;
    d->copies = o->copies;
    d->hold = o->hold;
    d->keep = o->keep;
    strcpy(d->name, o->name);
    strcpy(d->type, o->type);
    strcpy(d->form, o->form);
    strcpy(d->dist, o->dist);
    strcpy(d->dest, o->dest);
    strcpy(d->tag, o->tag);
}

int spool_device_close(struct spool_device *dev, const struct spool_options *how,
                       struct spool_file **out, u16 *was, struct cause *cause)
{
    struct spool_desc desc;
    struct spool_file *file;
    *out = NULL;
    if (!spool_device_open(dev, was))
        return ST_OK;
    if (dev->moving)
        return cause_set(cause, ST_BUSY, "its user is being relocated");
    dev->id = 0; /* the file may have it */
    describe(dev, how ? how : &dev->options, *was, &desc);
    int rc = spool_file_new(dev->spool, &desc, &file, cause);
    if (rc == ST_OK) {
        lock_take(&dev->lock);
        rc = spool_writer_keep(&dev->file, file, cause);
        lock_drop(&dev->lock);
        rc = spool_file_stored(dev->spool, file, rc, out);
    }
    if (rc)
        dev->id = *was;
    return rc;
}

/* ---- relocation ---- */

#define TAG_DEVICE 1
#define DEVICE_VERSION 1
#define ROW_VDEV 1
#define NUMBER_ROWS(R)                                                                         \
    R(2, class_)                                                                               \
    R(3, cont)                                                                                 \
    R(4, hold) R(5, keep) R(6, msg) R(7, eof) R(8, started) R(9, copies) R(10, to_queue)
#define TEXT_ROWS(R)                                                                           \
    R(16, form) R(17, dist) R(18, dest) R(19, to) R(20, name) R(21, type) R(22, tag)

#define ROW_OPEN_ID (CODEC_MANDATORY | 32)
#define ROW_OPEN_SERIAL (CODEC_MANDATORY | 33)
#define ROW_OPEN_MEMBER (CODEC_MANDATORY | 34) /* in whose folder */
#define ROW_OPEN_PAGES (CODEC_MANDATORY | 35)  /* without folders: its records */

/* A file that is open, as rows. */
struct open_rows {
    u64 id, serial;
    char member[SPOOL_WORD_BYTES];
    const u8 *pages;
    size_t len;
};

bool spool_opens_move(const struct spool *spool)
{
    return !spool->folder || (spool->shared && spool->homes);
}

void spool_devices_moving(struct spool *spool, const char *userid, bool moving)
{
    struct spool_device *dev = NULL;
    while ((dev = spool_device_next(spool, userid, dev)))
        dev->moving = moving;
}

static int open_save(struct spool_device *dev, struct codec_out *out, struct cause *cause)
{
    const struct spool *spool = dev->spool;
    u16 id;
    if (!spool_device_open(dev, &id))
        return ST_OK;
    codec_put_u64(out, ROW_OPEN_ID, id);
    if (!spool->folder) {
        codec_put_bytes(out, ROW_OPEN_PAGES, dev->file.data.page,
                        spool_data_bytes(&dev->file.data));
        return ST_OK;
    }
    codec_put_u64(out, ROW_OPEN_SERIAL, dev->file.serial);
    codec_put_bytes(out, ROW_OPEN_MEMBER, spool->home[0].member, strlen(spool->home[0].member));
    return spool_writer_flush(&dev->file, cause);
}

int spool_devices_save(struct spool *spool, const char *userid, struct codec_out *out,
                       struct cause *cause)
{
    struct spool_device *dev = NULL;
    while ((dev = spool_device_next(spool, userid, dev))) {
        codec_begin(out, TAG_DEVICE, DEVICE_VERSION);
        codec_put_u64(out, ROW_VDEV, dev->vdev);
#define R(tag, member) codec_put_u64(out, tag, (u64)dev->options.member);
        NUMBER_ROWS(R)
#undef R
#define R(tag_, member)                                                                        \
    codec_put_bytes(out, tag_, dev->options.member, strlen(dev->options.member));
        TEXT_ROWS(R)
#undef R
        int rc = open_save(dev, out, cause);
        codec_end(out);
        if (rc)
            return rc;
    }
    return ST_OK;
}

static bool take_row(const struct codec_row *row, struct spool_options *o, u64 *vdev,
                     struct open_rows *open)
{
    u64 v = 0;
    switch (row->tag) {
    case ROW_VDEV: return codec_get_u64(row, vdev);
    case ROW_OPEN_ID: return codec_get_u64(row, &open->id) && open->id;
    case ROW_OPEN_SERIAL: return codec_get_u64(row, &open->serial) && open->serial;
    case ROW_OPEN_MEMBER: return spool_text_get(row, open->member, sizeof open->member);
    case ROW_OPEN_PAGES: return open->pages = row->p, open->len = row->len, row->len != 0;
#define R(tag, member)                                                                         \
    case tag:                                                                                  \
        if (!codec_get_u64(row, &v))                                                           \
            return false;                                                                      \
        o->member = (__typeof__(o->member))v;                                                  \
        return (u64)o->member == v;
        NUMBER_ROWS(R)
#undef R
#define R(tag_, member)                                                                        \
    case tag_: return spool_text_get(row, o->member, sizeof o->member);
        TEXT_ROWS(R)
#undef R
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool class_ok(const struct spool_device *dev, char class_)
{
    return (class_ == '*' && dev->kind == SPOOL_DEV_RDR) || (class_ >= 'A' && class_ <= 'Z') ||
           (class_ >= '0' && class_ <= '9');
}

/* Can it be had here when the machine is ours? */
static bool open_take(struct spool_device *dev, const struct open_rows *o)
{
    struct spool_path path = {""};
    if (!o->id)
        return !o->serial && !o->pages;
    if (o->id > SPOOL_ID_MAX || dev->kind == SPOOL_DEV_RDR)
        return false;
    dev->id = (u16)o->id;
    if (!dev->spool->folder)
        return o->pages && spool_writer_load(&dev->file, o->pages, o->len);
    dev->from.home = spool_home_of(dev->spool, o->member);
    dev->from.serial = o->serial;
    dev->from.there =
        dev->spool->shared && o->serial && dev->from.home < SPOOL_HOMES_MAX &&
        !access(spool_disk_written_at(&dev->file, dev->from.home, o->serial, &path), F_OK);
    return dev->from.there;
}

void spool_devices_arrived(struct spool *spool, const char *userid)
{
    struct spool_device *dev = NULL;
    struct cause cause = {0};
    while ((dev = spool_device_next(spool, userid, dev))) {
        if (!dev->from.there)
            continue;
        dev->from.there = false;
        lock_take(&dev->lock);
        int rc = spool_writer_take(&dev->file, dev->from.home, dev->from.serial, &cause);
        lock_drop(&dev->lock);
        if (!rc)
            continue;
        dev->id = 0;
        log_operator('E', "spool file of %s %04X, which was open, ends here: %s", dev->userid,
                     dev->vdev, cause.text);
    }
}

bool spool_devices_restore(struct spool *spool, const char *userid, struct codec_in *in)
{
    struct codec_row block, row;
    while (codec_next(in, &block)) {
        struct codec_in rows;
        struct spool_options o = {.copies = 0};
        struct open_rows open = {.id = 0};
        u64 vdev = 0;
        if (block.tag != TAG_DEVICE || !codec_open(&block, &rows) ||
            rows.version != DEVICE_VERSION)
            return false;
        while (codec_next(&rows, &row))
            if (!take_row(&row, &o, &vdev, &open))
                return false;
        struct spool_device *dev =
            vdev <= 0xffff ? spool_device_find(spool, userid, (u16)vdev) : NULL;
        if (rows.failed || !dev || !class_ok(dev, o.class_) || o.to_queue >= SPOOL_QUEUES)
            return false;
        if (!open_take(dev, &open))
            return false;
        dev->options = o;
        spool_device_changed(dev);
    }
    return !in->failed;
}
