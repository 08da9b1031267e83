/* The virtual card reader (2540): spool files in order, each ended by unit exception. A file
 * leaves at its end, or goes into hold status (KEEP, SPOOL RDR HOLD), as under z/VM: the
 * loader in Linux images reads kernel, parameter file and initrd as three files this way.
 * Whole pages are read by DIAGNOSE X'14', with a place of their own in the same file. */
#include <stdio.h>
#include <stdlib.h>

#include "io/css_internal.h"
#include "io/io_state.h"
#include "io/unitrec/unitrec.h"

#define READER_CHPID 0x11
#define CMD_MASK_READ 0x3f
#define CMD_READ 0x02
#define CMD_FEED 0x23
#define CMD_MASK_STACKER 0xc0
#define CMD_STACKER_NONE 0xc0 /* read without feed */
#define BLANK 0x40
#define FILE_VERSION 2

struct spool_file {
    struct spool_file *next;
    struct reader_file s;
    struct spool_data data;
};

/** Located by css (devno); created by reader_create, destroyed by detach; `lock`. */
struct reader {
    struct css *css;
    u16 devno;
    struct lock lock;
    struct reader_state s;
    struct spool_place place; /* of s.card, when its `record` is that */
    struct spool_file *files;
    u32 count;
    void (*news)(void *arg);
    void *news_arg;
};

static struct spool_file *find_file(struct reader *rdr, u32 number)
{
    struct spool_file *f = rdr->files;
    while (f && f->s.number != number)
        f = f->next;
    return f;
}

static struct spool_file *next_eligible(struct reader *rdr)
{
    struct spool_file *f = rdr->files;
    while (f && (f->s.held || f->s.number == rdr->s.current ||
                 (rdr->s.class_ && rdr->s.class_ != f->s.class_)))
        f = f->next;
    return f;
}

static void unlink_file(struct reader *rdr, struct spool_file *f)
{
    struct spool_file **at = &rdr->files;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    f->next = NULL;
    rdr->count--;
}

static void append_file(struct reader *rdr, struct spool_file *f)
{
    struct spool_file **at = &rdr->files;
    while (*at)
        at = &(*at)->next;
    *at = f;
    rdr->count++;
}

static void free_file(struct spool_file *f)
{
    spool_data_fini(&f->data);
    free(f);
}

/** No file is being read any more; returns the one that was, NULL = none. */
static struct spool_file *let_go(struct reader *rdr)
{
    struct spool_file *f = find_file(rdr, rdr->s.current);
    rdr->s.current = rdr->s.card = rdr->s.page = 0;
    rdr->s.eof_due = 0;
    return f;
}

/** The current file was read to its end, or closed as the options say. */
static void close_current(struct reader *rdr)
{
    struct spool_file *f = let_go(rdr);
    if (!f)
        return;
    unlink_file(rdr, f);
    if (f->s.keep || rdr->s.hold || rdr->s.keep) {
        f->s.held = true;
        append_file(rdr, f);
    } else {
        free_file(f);
    }
}

static struct spool_file *open_next(struct reader *rdr)
{
    struct spool_file *f = next_eligible(rdr);
    rdr->s.current = f ? f->s.number : 0;
    rdr->s.card = rdr->s.page = 0;
    rdr->place = (struct spool_place){0};
    return f;
}

/** Past the card: end of file comes next, or (CONT) the next file. */
static void feed(struct reader *rdr, const struct spool_file *f)
{
    if (++rdr->s.card < f->data.records)
        return;
    if (!rdr->s.cont || !next_eligible(rdr)) {
        rdr->s.eof_due = 1;
        return;
    }
    close_current(rdr);
    open_next(rdr);
}

/** The record to be read next, filled up with blanks, into `card`; returns its length. */
static size_t take_record(struct reader *rdr, const struct spool_file *f,
                          u8 card[SPOOL_RECORD_BYTES_MAX])
{
    struct spool_record record;
    if (rdr->place.record != rdr->s.card)
        spool_data_seek(&f->data, &rdr->place, rdr->s.card);
    struct spool_place place = rdr->place;
    if (!spool_data_next(&f->data, &place, &record))
        return 0;
    memset(card, BLANK, SPOOL_RECORD_BYTES_MAX);
    memcpy(card, record.bytes, record.len);
    rdr->place = place;
    return f->data.record_bytes;
}

/** The next card into `card` (*len bytes); the unit status without channel work. */
static int next_card(struct reader *rdr, u8 card[SPOOL_RECORD_BYTES_MAX], size_t *len,
                     bool feeds)
{
    struct spool_file *f = find_file(rdr, rdr->s.current);
    if (!f)
        f = open_next(rdr);
    if (!f)
        return DS_UNIT_CHECK;
    if (rdr->s.eof_due) {
        close_current(rdr);
        return DS_NORMAL | DS_UNIT_EXCEPTION;
    }
    *len = take_record(rdr, f, card);
    if (feeds)
        feed(rdr, f);
    return DS_NORMAL;
}

static void tell(struct reader *rdr, u32 was_open)
{
    lock_take(&rdr->lock);
    void (*news)(void *arg) = rdr->s.current != was_open ? rdr->news : NULL;
    lock_drop(&rdr->lock);
    if (news)
        news(rdr->news_arg);
}

static int reader_start(void *dev, struct dev_io *io)
{
    struct reader *rdr = dev;
    u8 command = dev_io_command(io);
    bool reads = (command & CMD_MASK_READ) == CMD_READ;
    if (!reads && (command & CMD_MASK_READ) != CMD_FEED)
        return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    bool feeds = (command & CMD_MASK_STACKER) != CMD_STACKER_NONE;
    u8 card[SPOOL_RECORD_BYTES_MAX];
    size_t len = 0;
    lock_take(&rdr->lock);
    u32 was_open = rdr->s.current;
    int us = next_card(rdr, card, &len, feeds);
    lock_drop(&rdr->lock);
    tell(rdr, was_open);
    if (us == DS_UNIT_CHECK)
        return dev_io_unit_check(io, SENSE_INTERVENTION);
    if (us == DS_NORMAL && reads)
        dev_io_put(io, card, len);
    return us;
}

static void reader_reset(void *dev)
{
    reader_close(dev, READER_CLOSE_RESET);
}

static void drop_files(struct reader *rdr)
{
    while (rdr->files) {
        struct spool_file *f = rdr->files;
        rdr->files = f->next;
        free_file(f);
    }
    rdr->count = 0;
}

static void reader_detach(void *dev)
{
    struct reader *rdr = dev;
    drop_files(rdr);
    lock_fini(&rdr->lock);
    free(rdr);
}

/* ---- state ---- */

static void reader_save(void *dev, struct codec_out *out)
{
    struct reader *rdr = dev;
    lock_take(&rdr->lock);
    io_rows_put(out, &reader_rows, &rdr->s);
    for (const struct spool_file *f = rdr->files; f; f = f->next) {
        codec_begin(out, IO_TAG_FILE, FILE_VERSION);
        codec_put_u32(out, IO_TAG_FILE_NUMBER, f->s.number);
        codec_put_u8(out, IO_TAG_FILE_FLAGS, (u8)(f->s.keep << 1 | f->s.held));
        codec_put_u8(out, IO_TAG_FILE_CLASS, (u8)f->s.class_);
        codec_put_bytes(out, IO_TAG_FILE_PAGES, f->data.page, spool_data_bytes(&f->data));
        codec_end(out);
    }
    lock_drop(&rdr->lock);
}

static struct spool_file *file_new(const struct reader_file *s, struct spool_data *data)
{
    struct spool_file *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->s = *s;
    f->s.reading = false;
    f->data = *data;
    spool_data_init(data);
    return f;
}

static bool class_ok(u8 class_)
{
    return (class_ >= 'A' && class_ <= 'Z') || (class_ >= '0' && class_ <= '9');
}

static bool file_rows(struct codec_in *in, struct reader_file *s, struct codec_row *pages)
{
    struct codec_row row;
    u8 flags = 0xff, class_ = 0;
    while (codec_next(in, &row)) {
        bool ok = true;
        switch (row.tag) {
        case IO_TAG_FILE_NUMBER: ok = codec_get_u32(&row, &s->number); break;
        case IO_TAG_FILE_FLAGS: ok = codec_get_u8(&row, &flags); break;
        case IO_TAG_FILE_CLASS: ok = codec_get_u8(&row, &class_); break;
        case IO_TAG_FILE_PAGES: *pages = row; break;
        default: ok = !(row.tag & CODEC_MANDATORY);
        }
        if (!ok)
            return false;
    }
    s->keep = flags >> 1;
    s->held = flags & 1;
    s->class_ = (char)class_;
    return !in->failed && pages->p && s->number && flags <= 3 && class_ok(class_);
}

static bool restore_file(struct reader *rdr, const struct codec_row *block)
{
    struct codec_in in;
    struct codec_row pages = {.p = NULL};
    struct reader_file s = {0};
    struct spool_data data;
    if (!codec_open(block, &in) || in.version != FILE_VERSION || rdr->count == READER_FILES_MAX)
        return false;
    if (!file_rows(&in, &s, &pages) || find_file(rdr, s.number))
        return false;
    struct spool_file *f = NULL;
    if (spool_data_load(&data, pages.p, pages.len))
        f = file_new(&s, &data);
    spool_data_fini(&data);
    if (f)
        append_file(rdr, f);
    return f != NULL;
}

static bool reader_state_valid(struct reader *rdr, const struct reader_state *s)
{
    const struct spool_file *f = find_file(rdr, s->current);
    if (s->cont > 1 || s->hold > 1 || s->keep > 1 || s->eof_due > 1 ||
        (s->class_ && !class_ok(s->class_)))
        return false;
    if (!s->current)
        return !s->card && !s->page && !s->eof_due;
    return f && s->page <= f->data.pages &&
           (s->eof_due ? s->card == f->data.records : s->card < f->data.records);
}

static int reader_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct reader *rdr = dev;
    struct reader_state s = {0};
    struct codec_row row;
    u64 seen = 0;
    bool ok = true;
    lock_take(&rdr->lock);
    drop_files(rdr);
    while (ok && codec_next(in, &row))
        ok = row.tag == IO_TAG_FILE ? restore_file(rdr, &row)
                                    : io_rows_get(&row, &reader_rows, &s, &seen);
    ok = ok && !in->failed && io_rows_complete(&reader_rows, seen) &&
         reader_state_valid(rdr, &s);
    rdr->s = ok ? s : (struct reader_state){.next_number = 1};
    rdr->place = (struct spool_place){0};
    lock_drop(&rdr->lock);
    return ok ? ST_OK : cause_set(cause, ST_PROTO, "reader %04X: broken state", rdr->devno);
}

static const struct dev_ops reader_ops = {
    .name = "2540R",
    .chpid = READER_CHPID,
    .sense_id = {0xff, 0x25, 0x40, 0x00, 0x25, 0x40, 0x01},
    .sense_id_bytes = 7,
    .start = reader_start,
    .reset = reader_reset,
    .save = reader_save,
    .restore = reader_restore,
    .detach = reader_detach,
};

struct reader *reader_create(struct css *css, u16 devno, bool announce, struct cause *cause)
{
    struct reader *rdr = calloc(1, sizeof *rdr);
    if (!rdr) {
        cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
        return NULL;
    }
    rdr->css = css;
    rdr->devno = devno;
    rdr->s.next_number = 1;
    lock_init(&rdr->lock, LOCK_DEVICE);
    if (css_attach(css, devno, &reader_ops, rdr, announce, NULL, cause) != ST_OK) {
        reader_detach(rdr);
        return NULL;
    }
    return rdr;
}

/* ---- the host's side ---- */

int reader_add(struct reader *rdr, const struct reader_file *file, struct spool_data *data,
               u32 *number, struct cause *cause)
{
    if (!data->pages)
        return cause_set(cause, ST_INVAL, "a spool file without records");
    struct spool_file *f = file_new(file, data);
    if (!f)
        return cause_set(cause, ST_NOMEM, "no memory for a spool file");
    lock_take(&rdr->lock);
    if (rdr->count == READER_FILES_MAX) {
        lock_drop(&rdr->lock);
        *data = f->data;
        free(f);
        return cause_set(cause, ST_LIMIT, "reader %04X is full", rdr->devno);
    }
    bool was_empty = !rdr->s.current && !next_eligible(rdr);
    f->s.number = rdr->s.next_number++;
    if (number)
        *number = f->s.number;
    append_file(rdr, f);
    bool ready = was_empty && next_eligible(rdr);
    lock_drop(&rdr->lock);
    if (ready)
        css_attention(rdr->css, css_find_devno(rdr->css, rdr->devno), DS_DEVICE_END);
    return ST_OK;
}

int reader_add_file(struct reader *rdr, const void *bytes, size_t len, u32 *number,
                    struct cause *cause)
{
    struct spool_data data;
    int rc = ST_OK;
    spool_data_init(&data);
    if (!len)
        rc = cause_set(cause, ST_INVAL, "a spool file without records");
    else if (!spool_data_add_cards(&data, bytes, len))
        rc = cause_set(cause, ST_LIMIT, "no room for a spool file of %zu bytes", len);
    else
        rc = reader_add(rdr, &(struct reader_file){.class_ = 'A'}, &data, number, cause);
    spool_data_fini(&data);
    return rc;
}

void reader_set_options(struct reader *rdr, bool cont, bool hold, bool keep, char class_)
{
    lock_take(&rdr->lock);
    rdr->s.cont = cont;
    rdr->s.hold = hold;
    rdr->s.keep = keep;
    rdr->s.class_ = (u8)class_;
    lock_drop(&rdr->lock);
}

void reader_set_news(struct reader *rdr, void (*news)(void *arg), void *arg)
{
    lock_take(&rdr->lock);
    rdr->news = news;
    rdr->news_arg = arg;
    lock_drop(&rdr->lock);
}

bool reader_change(struct reader *rdr, const struct reader_file *file)
{
    lock_take(&rdr->lock);
    struct spool_file *f = find_file(rdr, file->number);
    if (f) {
        f->s.class_ = file->class_;
        f->s.keep = file->keep;
        f->s.held = file->held && f->s.number != rdr->s.current;
    }
    lock_drop(&rdr->lock);
    return f != NULL;
}

bool reader_order(struct reader *rdr, u32 number)
{
    lock_take(&rdr->lock);
    struct spool_file *f = find_file(rdr, number);
    if (f) {
        unlink_file(rdr, f);
        f->next = rdr->files;
        rdr->files = f;
        rdr->count++;
    }
    lock_drop(&rdr->lock);
    return f != NULL;
}

bool reader_remove(struct reader *rdr, u32 number)
{
    lock_take(&rdr->lock);
    struct spool_file *f = number == rdr->s.current ? NULL : find_file(rdr, number);
    if (f)
        unlink_file(rdr, f);
    lock_drop(&rdr->lock);
    if (f)
        free_file(f);
    return f != NULL;
}

static void close_locked(struct reader *rdr, enum reader_close how)
{
    if (how == READER_CLOSE_RESET && rdr->s.current && !rdr->s.eof_due) {
        let_go(rdr);
        return;
    }
    if (how == READER_CLOSE_RESET || how == READER_CLOSE_OPTIONS) {
        close_current(rdr);
        return;
    }
    struct spool_file *f = let_go(rdr);
    if (f && how == READER_CLOSE_GONE) {
        unlink_file(rdr, f);
        free_file(f);
    } else if (f) {
        f->s.held = how == READER_CLOSE_HOLD;
    }
}

void reader_close(struct reader *rdr, enum reader_close how)
{
    lock_take(&rdr->lock);
    close_locked(rdr, how);
    lock_drop(&rdr->lock);
}

unsigned reader_files(struct reader *rdr)
{
    lock_take(&rdr->lock);
    unsigned n = rdr->count;
    lock_drop(&rdr->lock);
    return n;
}

bool reader_file_info(struct reader *rdr, unsigned index, struct reader_file *info)
{
    lock_take(&rdr->lock);
    const struct spool_file *f = rdr->files;
    while (f && index--)
        f = f->next;
    if (f) {
        *info = f->s;
        info->records = f->data.records;
        info->pages = f->data.pages;
        info->record_bytes = f->data.record_bytes;
        info->reading = f->s.number == rdr->s.current;
    }
    lock_drop(&rdr->lock);
    return f != NULL;
}

bool reader_file_pages(struct reader *rdr, u32 number, struct spool_data *out)
{
    lock_take(&rdr->lock);
    const struct spool_file *f = find_file(rdr, number);
    bool good = f && spool_data_load(out, f->data.page, spool_data_bytes(&f->data));
    lock_drop(&rdr->lock);
    return good;
}

/* ---- whole pages ---- */

enum reader_page reader_next_page(struct reader *rdr, u8 page[SPOOL_PAGE_BYTES], u32 *number)
{
    enum reader_page result = READER_PAGE_NO_FILE;
    lock_take(&rdr->lock);
    u32 was_open = rdr->s.current;
    struct spool_file *f = find_file(rdr, rdr->s.current);
    if (f && rdr->s.page >= f->data.pages && rdr->s.cont && next_eligible(rdr)) {
        close_current(rdr);
        f = NULL;
    }
    if (!f)
        f = open_next(rdr);
    if (f) {
        result = rdr->s.page < f->data.pages ? READER_PAGE_OK : READER_PAGE_END;
        *number = f->s.number;
    }
    if (result == READER_PAGE_OK) {
        memcpy(page, f->data.page + (size_t)rdr->s.page++ * SPOOL_PAGE_BYTES, SPOOL_PAGE_BYTES);
        be16_store(page + SPOOL_PAGE_RECORD_LENGTH, f->data.record_bytes);
    }
    lock_drop(&rdr->lock);
    tell(rdr, was_open);
    return result;
}

enum reader_page reader_set_page(struct reader *rdr, u32 page)
{
    lock_take(&rdr->lock);
    const struct spool_file *f = find_file(rdr, rdr->s.current);
    enum reader_page result = !f                      ? READER_PAGE_NO_FILE
                              : page >= f->data.pages ? READER_PAGE_END
                                                      : READER_PAGE_OK;
    if (result == READER_PAGE_OK)
        rdr->s.page = page;
    lock_drop(&rdr->lock);
    return result;
}

u32 reader_page_number(struct reader *rdr)
{
    lock_take(&rdr->lock);
    u32 page = rdr->s.page;
    lock_drop(&rdr->lock);
    return page;
}
