/* The virtual card reader (2540): spool files in order, each ended by unit exception. A file
 * leaves at its end, or goes into hold status (KEEP, SPOOL RDR HOLD), as under z/VM: the
 * loader in Linux images reads kernel, parameter file and initrd as three files this way.
 * Whole pages are read by DIAGNOSE X'14', with a place of their own in the same file.
 * Several readers may have one queue: each takes the first file of its class that no other is
 * reading. [R1] A file is read by one of them at most. */
#include <stdio.h>
#include <stdlib.h>

#include "io/css_internal.h"
#include "io/io_state.h"
#include "io/unitrec/unitrec.h"

#define CMD_MASK_READ 0x3f
#define CMD_READ 0x02
#define CMD_FEED 0x23
#define CMD_MASK_STACKER 0xc0
#define CMD_STACKER_NONE 0xc0 /* read without feed */
#define BLANK 0x40
#define FILE_VERSION 2
#define FILE_VERSION_ELSEWHERE 3 /* its keeper has the pages, also where the state goes to */

struct spool_file {
    struct spool_file *next;
    struct reader_file s;
    struct spool_data data;
    bool passed; /* its keeper did not let it be opened */
    bool awaits; /* restored: of `data` only the counts are here */
};

/** Created with its first reader, destroyed with its last; `lock` is that of all of them. */
struct queue {
    struct lock lock;
    struct reader *readers;
    struct spool_file *files;
    u32 count, next_number;
    bool whole; /* its files have been restored: what its readers say can be checked */
    reader_gate *gate;
    void *gate_arg;
};

/** Located by css (devno); created by reader_create, destroyed by detach; `queue->lock`. */
struct reader {
    struct reader *next; /* of the queue */
    struct css *css;
    u16 devno;
    struct queue *queue;
    struct reader_state s;    /* next_number: see struct queue */
    struct spool_place place; /* of s.card, when its `record` is that */
    bool ready_due;           /* device end is to be shown */
    bool passed_over;         /* a file: its keeper is to look */
    void (*news)(void *arg);
    void *news_arg;
    struct reader_counts *counts; /* may be NULL */
    bool no_eof;                  /* its owner says it again where the state is restored */
};

static struct spool_file *find_file(const struct queue *q, u32 number)
{
    struct spool_file *f = q->files;
    while (f && f->s.number != number)
        f = f->next;
    return f;
}

/** The reader that reads the file, or NULL. */
static struct reader *reader_of(const struct queue *q, u32 number)
{
    struct reader *rdr = q->readers;
    while (rdr && rdr->s.current != number)
        rdr = rdr->next;
    return rdr;
}

static struct spool_file *next_eligible(const struct reader *rdr)
{
    struct spool_file *f = rdr->queue->files;
    while (f && (f->s.held || f->passed || (rdr->s.class_ && rdr->s.class_ != f->s.class_) ||
                 reader_of(rdr->queue, f->s.number)))
        f = f->next;
    return f;
}

static void unlink_file(struct queue *q, struct spool_file *f)
{
    struct spool_file **at = &q->files;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    f->next = NULL;
    q->count--;
}

static void append_file(struct queue *q, struct spool_file *f)
{
    struct spool_file **at = &q->files;
    while (*at)
        at = &(*at)->next;
    *at = f;
    q->count++;
}

static void free_file(struct spool_file *f)
{
    spool_data_fini(&f->data);
    free(f);
}

/** No file is being read any more; returns the one that was, NULL = none. */
static struct spool_file *let_go(struct reader *rdr)
{
    struct spool_file *f = find_file(rdr->queue, rdr->s.current);
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
    unlink_file(rdr->queue, f);
    if (f->s.keep || rdr->s.hold || rdr->s.keep) {
        f->s.held = true;
        append_file(rdr->queue, f);
    } else {
        free_file(f);
    }
}

/** What others have a say in is opened with their leave. */
static bool may_open(const struct reader *rdr, const struct spool_file *f)
{
    const struct queue *q = rdr->queue;
    return !q->gate || !f->s.key || q->gate(q->gate_arg, f->s.key, f->s.version);
}

static struct spool_file *open_next(struct reader *rdr)
{
    struct spool_file *f;
    while ((f = next_eligible(rdr)) && !may_open(rdr, f)) {
        f->passed = true;
        rdr->passed_over = true;
    }
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
    open_next(rdr); /* none, when it may not be opened: the next command finds that */
}

static void count(const struct reader *rdr, u64 cards, u64 pages)
{
    if (!rdr->counts)
        return;
    atomic_fetch_add(&rdr->counts->cards, cards);
    atomic_fetch_add(&rdr->counts->pages, pages);
}

/** The record to be read next, filled up with blanks, into `card`; returns its length. */
static size_t take_record(struct reader *rdr, const struct spool_file *f,
                          u8 card[SPOOL_RECORD_BYTES_MAX])
{
    struct spool_record record;
    if (rdr->place.record != rdr->s.card)
        spool_data_seek(&f->data, &rdr->place, rdr->s.card);
    struct spool_place place = rdr->place;
    bool new_page = place.index == 0;
    if (!spool_data_next(&f->data, &place, &record))
        return 0;
    count(rdr, 0, new_page);
    memset(card, BLANK, SPOOL_RECORD_BYTES_MAX);
    memcpy(card, record.bytes, record.len);
    rdr->place = place;
    return f->data.record_bytes;
}

/** The next card into `card` (*len bytes); the unit status without channel work. */
static int next_card(struct reader *rdr, u8 card[SPOOL_RECORD_BYTES_MAX], size_t *len,
                     bool feeds)
{
    struct spool_file *f = find_file(rdr->queue, rdr->s.current);
    if (!f)
        f = open_next(rdr);
    if (!f)
        return DS_UNIT_CHECK;
    if (rdr->s.eof_due) {
        close_current(rdr);
        return rdr->no_eof ? DS_UNIT_CHECK : DS_NORMAL | DS_UNIT_EXCEPTION;
    }
    *len = take_record(rdr, f, card);
    if (feeds) {
        count(rdr, 1, 0);
        feed(rdr, f);
    }
    return DS_NORMAL;
}

static void tell(struct reader *rdr, u32 was_open)
{
    lock_take(&rdr->queue->lock);
    void (*news)(void *arg) = rdr->s.current != was_open || rdr->passed_over ? rdr->news : NULL;
    rdr->passed_over = false;
    lock_drop(&rdr->queue->lock);
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
    lock_take(&rdr->queue->lock);
    u32 was_open = rdr->s.current;
    int us = next_card(rdr, card, &len, feeds);
    lock_drop(&rdr->queue->lock);
    tell(rdr, was_open);
    if (us == DS_UNIT_CHECK)
        return dev_io_unit_check(io, SENSE_INTERVENTION);
    if (us == DS_NORMAL && reads)
        dev_io_put(io, card, len);
    return us;
}

static void reader_reset(void *dev)
{
    struct reader *rdr = dev;
    lock_take(&rdr->queue->lock);
    u32 was_open = rdr->s.current;
    lock_drop(&rdr->queue->lock);
    reader_close(rdr, READER_CLOSE_RESET);
    lock_take(&rdr->queue->lock);
    rdr->queue->whole = false; /* what is restored from now on is another state */
    lock_drop(&rdr->queue->lock);
    tell(rdr, was_open);
}

static void drop_files(struct queue *q)
{
    while (q->files) {
        struct spool_file *f = q->files;
        q->files = f->next;
        free_file(f);
    }
    q->count = 0;
}

/** The file that it was reading is as it was; the queue goes with its last reader. */
static void reader_detach(void *dev)
{
    struct reader *rdr = dev;
    struct queue *q = rdr->queue;
    lock_take(&q->lock);
    struct reader **at = &q->readers;
    while (*at != rdr)
        at = &(*at)->next;
    *at = rdr->next;
    bool last = !q->readers;
    lock_drop(&q->lock);
    free(rdr);
    if (!last)
        return;
    drop_files(q);
    lock_fini(&q->lock);
    free(q);
}

/* ---- state ---- */

/** The files of a queue are in the state of one of its readers, the one of the lowest number. */
static bool carries_files(const struct reader *rdr)
{
    for (const struct reader *other = rdr->queue->readers; other; other = other->next)
        if (other->devno < rdr->devno)
            return false;
    return true;
}

static void file_content_put(const struct spool_file *f, struct codec_out *out)
{
    const u32 size[2] = {f->data.records, f->data.pages};
    if (f->s.key)
        codec_put_array(out, IO_TAG_FILE_SIZE, size, 4, 2);
    else
        codec_put_bytes(out, IO_TAG_FILE_PAGES, f->data.page, spool_data_bytes(&f->data));
}

static void reader_save(void *dev, struct codec_out *out)
{
    struct reader *rdr = dev;
    lock_take(&rdr->queue->lock);
    struct reader_state s = rdr->s;
    s.next_number = rdr->queue->next_number;
    io_rows_put(out, &reader_rows, &s);
    for (const struct spool_file *f = carries_files(rdr) ? rdr->queue->files : NULL; f;
         f = f->next) {
        codec_begin(out, IO_TAG_FILE, f->s.key ? FILE_VERSION_ELSEWHERE : FILE_VERSION);
        codec_put_u32(out, IO_TAG_FILE_NUMBER, f->s.number);
        codec_put_u8(out, IO_TAG_FILE_FLAGS, (u8)(f->s.keep << 1 | f->s.held));
        codec_put_u8(out, IO_TAG_FILE_CLASS, (u8)f->s.class_);
        file_content_put(f, out);
        codec_end(out);
    }
    lock_drop(&rdr->queue->lock);
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

/* `pages`, or a size that is not zero. */
static bool file_rows(struct codec_in *in, struct reader_file *s, struct codec_row *pages)
{
    struct codec_row row;
    u32 size[2] = {0, 0};
    bool elsewhere = in->version == FILE_VERSION_ELSEWHERE;
    u8 flags = 0xff, class_ = 0;
    while (codec_next(in, &row)) {
        bool ok = true;
        switch (row.tag) {
        case IO_TAG_FILE_NUMBER: ok = codec_get_u32(&row, &s->number); break;
        case IO_TAG_FILE_FLAGS: ok = codec_get_u8(&row, &flags); break;
        case IO_TAG_FILE_CLASS: ok = codec_get_u8(&row, &class_); break;
        case IO_TAG_FILE_PAGES: *pages = row; break;
        case IO_TAG_FILE_SIZE: ok = codec_get_array(&row, size, 4, 2); break;
        default: ok = !(row.tag & CODEC_MANDATORY);
        }
        if (!ok)
            return false;
    }
    s->keep = flags >> 1;
    s->held = flags & 1;
    s->class_ = (char)class_;
    s->records = size[0];
    s->pages = size[1];
    return !in->failed &&
           (elsewhere ? !pages->p && s->records && s->pages : pages->p != NULL) && s->number &&
           flags <= 3 && class_ok(class_);
}

static bool restore_file(struct queue *q, const struct codec_row *block)
{
    struct codec_in in;
    struct codec_row pages = {.p = NULL};
    struct reader_file s = {0};
    struct spool_data data;
    if (!codec_open(block, &in) || q->count == READER_FILES_MAX ||
        (in.version != FILE_VERSION && in.version != FILE_VERSION_ELSEWHERE))
        return false;
    if (!file_rows(&in, &s, &pages) || find_file(q, s.number))
        return false;
    struct spool_file *f = NULL;
    spool_data_init(&data);
    if (!pages.p || spool_data_load(&data, pages.p, pages.len))
        f = file_new(&s, &data);
    spool_data_fini(&data);
    if (!f)
        return false;
    f->awaits = !pages.p;
    if (f->awaits) {
        f->data.records = s.records;
        f->data.pages = s.pages;
    }
    append_file(q, f);
    return true;
}

static bool reader_state_valid(const struct reader *rdr)
{
    const struct reader_state *s = &rdr->s;
    const struct spool_file *f = find_file(rdr->queue, s->current);
    if (s->cont > 1 || s->hold > 1 || s->keep > 1 || s->eof_due > 1 ||
        (s->class_ && !class_ok(s->class_)))
        return false;
    if (!s->current)
        return !s->card && !s->page && !s->eof_due;
    return f && s->page <= f->data.pages &&
           (s->eof_due ? s->card == f->data.records : s->card < f->data.records);
}

/** [R1], and all that its readers read is there: once the files have come, whichever came
 *  first. */
static bool queue_valid(const struct queue *q)
{
    bool valid = true;
    for (const struct reader *rdr = q->readers; rdr && q->whole; rdr = rdr->next)
        valid &=
            reader_state_valid(rdr) && (!rdr->s.current || reader_of(q, rdr->s.current) == rdr);
    return valid;
}

static bool restore_rows(struct reader *rdr, bool carries, struct codec_in *in,
                         struct reader_state *s)
{
    struct codec_row row;
    u64 seen = 0;
    bool ok = true;
    while (ok && codec_next(in, &row))
        ok = row.tag == IO_TAG_FILE ? carries && restore_file(rdr->queue, &row)
                                    : io_rows_get(&row, &reader_rows, s, &seen);
    return ok && !in->failed && io_rows_complete(&reader_rows, seen);
}

bool reader_awaits(struct reader *rdr, u32 number)
{
    bool awaits = false;
    lock_take(&rdr->queue->lock);
    for (const struct spool_file *f = rdr->queue->files; f; f = f->next)
        awaits |= f->awaits && (!number || f->s.number == number);
    lock_drop(&rdr->queue->lock);
    return awaits;
}

bool reader_fill(struct reader *rdr, u32 number, struct spool_data *data)
{
    lock_take(&rdr->queue->lock);
    struct spool_file *f = find_file(rdr->queue, number);
    bool good =
        f && f->awaits && f->data.records == data->records && f->data.pages == data->pages;
    if (good) {
        f->data = *data;
        f->awaits = false;
        spool_data_init(data);
    }
    lock_drop(&rdr->queue->lock);
    return good;
}

static int reader_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct reader *rdr = dev;
    struct queue *q = rdr->queue;
    struct reader_state s = {0};
    lock_take(&q->lock);
    bool carries = carries_files(rdr);
    if (carries)
        drop_files(q);
    bool ok = restore_rows(rdr, carries, in, &s);
    rdr->s = s;
    rdr->place = (struct spool_place){0};
    q->whole |= carries;
    ok = ok && queue_valid(q);
    if (carries)
        q->next_number = ok ? s.next_number : 1;
    if (!ok) {
        rdr->s = (struct reader_state){.current = 0};
        q->whole = false;
    }
    lock_drop(&q->lock);
    return ok ? ST_OK : cause_set(cause, ST_PROTO, "reader %04X: broken state", rdr->devno);
}

static const struct dev_ops reader_ops = {
    .name = "2540R",
    .chpid = CHPID_UNIT_RECORD,
    .sense_id = {0xff, 0x25, 0x40, 0x00, 0x25, 0x40, 0x01},
    .sense_id_bytes = 7,
    .start = reader_start,
    .reset = reader_reset,
    .save = reader_save,
    .restore = reader_restore,
    .detach = reader_detach,
};

/** A queue with `rdr` in it: that of `beside`, or a new one; false without memory. */
static bool queue_join(struct reader *rdr, struct reader *beside)
{
    struct queue *q = beside ? beside->queue : calloc(1, sizeof *q);
    if (!q)
        return false;
    if (!beside) {
        lock_init(&q->lock, LOCK_DEVICE);
        q->next_number = 1;
    }
    rdr->queue = q;
    lock_take(&q->lock);
    rdr->next = q->readers;
    q->readers = rdr;
    lock_drop(&q->lock);
    return true;
}

struct reader *reader_create_beside(struct css *css, u16 devno, struct reader *beside,
                                    bool announce, struct cause *cause)
{
    struct reader *rdr = calloc(1, sizeof *rdr);
    if (!rdr || !queue_join(rdr, beside)) {
        free(rdr);
        cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
        return NULL;
    }
    rdr->css = css;
    rdr->devno = devno;
    if (css_attach(css, devno, &reader_ops, rdr, announce, NULL, cause) != ST_OK) {
        reader_detach(rdr);
        return NULL;
    }
    return rdr;
}

struct reader *reader_create(struct css *css, u16 devno, bool announce, struct cause *cause)
{
    return reader_create_beside(css, devno, NULL, announce, cause);
}

/* ---- the host's side ---- */

/** Append the file; the readers that had nothing to read and can read it are due to be ready. */
static void take_in(struct queue *q, struct spool_file *f)
{
    for (struct reader *rdr = q->readers; rdr; rdr = rdr->next)
        rdr->ready_due = !rdr->s.current && !next_eligible(rdr);
    append_file(q, f);
    for (struct reader *rdr = q->readers; rdr; rdr = rdr->next)
        rdr->ready_due &= next_eligible(rdr) != NULL;
}

/** Device end for one reader that is due; false: none was. The channel subsystem's lock comes
 *  before the queue's. */
static bool show_ready(struct queue *q, struct css *css)
{
    lock_take(&q->lock);
    struct reader *rdr = q->readers;
    while (rdr && !rdr->ready_due)
        rdr = rdr->next;
    u16 devno = rdr ? rdr->devno : 0;
    if (rdr)
        rdr->ready_due = false;
    lock_drop(&q->lock);
    if (rdr)
        css_attention(css, css_find_devno(css, devno), DS_DEVICE_END);
    return rdr != NULL;
}

int reader_add(struct reader *rdr, const struct reader_file *file, struct spool_data *data,
               u32 *number, struct cause *cause)
{
    struct queue *q = rdr->queue;
    if (!data->pages)
        return cause_set(cause, ST_INVAL, "a spool file without records");
    struct spool_file *f = file_new(file, data);
    if (!f)
        return cause_set(cause, ST_NOMEM, "no memory for a spool file");
    lock_take(&q->lock);
    if (q->count == READER_FILES_MAX) {
        lock_drop(&q->lock);
        *data = f->data;
        free(f);
        return cause_set(cause, ST_LIMIT, "reader %04X is full", rdr->devno);
    }
    f->s.number = q->next_number++;
    if (number)
        *number = f->s.number;
    take_in(q, f);
    lock_drop(&q->lock);
    while (show_ready(q, rdr->css))
        ;
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
    lock_take(&rdr->queue->lock);
    rdr->s.cont = cont;
    rdr->s.hold = hold;
    rdr->s.keep = keep;
    rdr->s.class_ = (u8)class_;
    lock_drop(&rdr->queue->lock);
}

void reader_set_counts(struct reader *rdr, struct reader_counts *counts)
{
    lock_take(&rdr->queue->lock);
    rdr->counts = counts;
    lock_drop(&rdr->queue->lock);
}

void reader_set_eof(struct reader *rdr, bool eof)
{
    lock_take(&rdr->queue->lock);
    rdr->no_eof = !eof;
    lock_drop(&rdr->queue->lock);
}

void reader_set_news(struct reader *rdr, void (*news)(void *arg), void *arg)
{
    lock_take(&rdr->queue->lock);
    rdr->news = news;
    rdr->news_arg = arg;
    lock_drop(&rdr->queue->lock);
}

void reader_set_gate(struct reader *rdr, reader_gate *gate, void *arg)
{
    lock_take(&rdr->queue->lock);
    rdr->queue->gate = gate;
    rdr->queue->gate_arg = arg;
    lock_drop(&rdr->queue->lock);
}

void reader_again(struct reader *rdr)
{
    lock_take(&rdr->queue->lock);
    for (struct spool_file *f = rdr->queue->files; f; f = f->next)
        f->passed = false;
    lock_drop(&rdr->queue->lock);
}

bool reader_change(struct reader *rdr, const struct reader_file *file)
{
    struct queue *q = rdr->queue;
    lock_take(&q->lock);
    struct spool_file *f = find_file(q, file->number);
    bool passed = f && f->passed;
    if (f) {
        f->s.class_ = file->class_;
        f->s.keep = file->keep;
        f->s.key = file->key;
        f->s.version = file->version;
        f->passed = false;
        f->s.held = file->held && !reader_of(q, f->s.number);
    }
    for (struct reader *r = passed ? q->readers : NULL; r; r = r->next)
        r->ready_due = !r->s.current && next_eligible(r) == f;
    lock_drop(&q->lock);
    while (passed && show_ready(q, rdr->css))
        ;
    return f != NULL;
}

bool reader_order(struct reader *rdr, u32 number)
{
    lock_take(&rdr->queue->lock);
    struct spool_file *f = find_file(rdr->queue, number);
    if (f) {
        unlink_file(rdr->queue, f);
        f->next = rdr->queue->files;
        rdr->queue->files = f;
        rdr->queue->count++;
    }
    lock_drop(&rdr->queue->lock);
    return f != NULL;
}

bool reader_remove(struct reader *rdr, u32 number)
{
    lock_take(&rdr->queue->lock);
    struct spool_file *f = reader_of(rdr->queue, number) ? NULL : find_file(rdr->queue, number);
    if (f)
        unlink_file(rdr->queue, f);
    lock_drop(&rdr->queue->lock);
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
        unlink_file(rdr->queue, f);
        free_file(f);
    } else if (f) {
        f->s.held = how == READER_CLOSE_HOLD;
    }
}

void reader_close(struct reader *rdr, enum reader_close how)
{
    lock_take(&rdr->queue->lock);
    close_locked(rdr, how);
    lock_drop(&rdr->queue->lock);
}

unsigned reader_files(struct reader *rdr)
{
    lock_take(&rdr->queue->lock);
    unsigned n = rdr->queue->count;
    lock_drop(&rdr->queue->lock);
    return n;
}

bool reader_file_info(struct reader *rdr, unsigned index, struct reader_file *info)
{
    lock_take(&rdr->queue->lock);
    const struct spool_file *f = rdr->queue->files;
    while (f && index--)
        f = f->next;
    if (f) {
        *info = f->s;
        info->records = f->data.records;
        info->pages = f->data.pages;
        info->record_bytes = f->data.record_bytes;
        info->reading = reader_of(rdr->queue, f->s.number) != NULL;
    }
    lock_drop(&rdr->queue->lock);
    return f != NULL;
}

bool reader_file_pages(struct reader *rdr, u32 number, struct spool_data *out)
{
    lock_take(&rdr->queue->lock);
    const struct spool_file *f = find_file(rdr->queue, number);
    bool good =
        f && !f->awaits && spool_data_load(out, f->data.page, spool_data_bytes(&f->data));
    lock_drop(&rdr->queue->lock);
    return good;
}

/* ---- whole pages ---- */

enum reader_page reader_next_page(struct reader *rdr, u8 page[SPOOL_PAGE_BYTES], u32 *number)
{
    enum reader_page result = READER_PAGE_NO_FILE;
    lock_take(&rdr->queue->lock);
    u32 was_open = rdr->s.current;
    struct spool_file *f = find_file(rdr->queue, rdr->s.current);
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
        if (!f->data.dump)
            be16_store(page + SPOOL_PAGE_RECORD_LENGTH, f->data.record_bytes);
        count(rdr, 0, 1);
    }
    lock_drop(&rdr->queue->lock);
    tell(rdr, was_open);
    return result;
}

enum reader_page reader_set_page(struct reader *rdr, u32 page)
{
    lock_take(&rdr->queue->lock);
    const struct spool_file *f = find_file(rdr->queue, rdr->s.current);
    enum reader_page result = !f                      ? READER_PAGE_NO_FILE
                              : page >= f->data.pages ? READER_PAGE_END
                                                      : READER_PAGE_OK;
    if (result == READER_PAGE_OK)
        rdr->s.page = page;
    lock_drop(&rdr->queue->lock);
    return result;
}

u32 reader_page_number(struct reader *rdr)
{
    lock_take(&rdr->queue->lock);
    u32 page = rdr->s.page;
    lock_drop(&rdr->queue->lock);
    return page;
}

u32 reader_current(struct reader *rdr)
{
    lock_take(&rdr->queue->lock);
    u32 number = rdr->s.current;
    lock_drop(&rdr->queue->lock);
    return number;
}
