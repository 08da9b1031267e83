/* The virtual card reader (2540): spool files in order, each ended by unit exception.
 * A file leaves at its end, or goes into hold status (KEEP, SPOOL RDR HOLD), as under z/VM: the
 * loader in Linux images reads kernel, parameter file and initrd as three files this way. */
#include <stdio.h>
#include <stdlib.h>

#include "io/css_internal.h"
#include "io/io_state.h"
#include "io/unitrec.h"

#define READER_CHPID 0x11
#define CMD_MASK_READ 0x3f
#define CMD_READ 0x02
#define CMD_FEED 0x23
#define CMD_MASK_STACKER 0xc0
#define CMD_STACKER_NONE 0xc0 /* read without feed */
#define FILE_BYTES_MAX (512u << 20)

struct spool_file {
    struct spool_file *next;
    u32 number;
    u8 keep, held;
    char name[READER_NAME_BYTES], type[READER_NAME_BYTES];
    u32 len;
    u8 bytes[];
};

/** Located by css (devno); created by reader_create, destroyed by detach; `lock`. */
struct reader {
    struct css *css;
    u16 devno;
    struct lock lock;
    struct reader_state s;
    struct spool_file *files;
    u32 count;
};

static u32 file_cards(const struct spool_file *f)
{
    return (f->len + CARD_BYTES - 1) / CARD_BYTES;
}

static struct spool_file *find_file(struct reader *rdr, u32 number)
{
    struct spool_file *f = rdr->files;
    while (f && f->number != number)
        f = f->next;
    return f;
}

static struct spool_file *next_eligible(struct reader *rdr)
{
    struct spool_file *f = rdr->files;
    while (f && (f->held || f->number == rdr->s.current))
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

/** The current file was read to its end, or closed. */
static void close_current(struct reader *rdr)
{
    struct spool_file *f = find_file(rdr, rdr->s.current);
    rdr->s.current = rdr->s.card = 0;
    rdr->s.eof_due = 0;
    if (!f)
        return;
    unlink_file(rdr, f);
    if (f->keep || rdr->s.hold) {
        f->held = 1;
        append_file(rdr, f);
    } else {
        free(f);
    }
}

static struct spool_file *open_next(struct reader *rdr)
{
    struct spool_file *f = next_eligible(rdr);
    rdr->s.current = f ? f->number : 0;
    rdr->s.card = 0;
    return f;
}

/** Past the card: end of file comes next, or (CONT) the next file. */
static void feed(struct reader *rdr, const struct spool_file *f)
{
    if (++rdr->s.card < file_cards(f))
        return;
    if (!rdr->s.cont || !next_eligible(rdr)) {
        rdr->s.eof_due = 1;
        return;
    }
    close_current(rdr);
    open_next(rdr);
}

/** The next card into `card` (when not NULL); the unit status without channel work. */
static int next_card(struct reader *rdr, u8 *card, bool feeds)
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
    u32 at = rdr->s.card * CARD_BYTES;
    u32 n = f->len - at < CARD_BYTES ? f->len - at : CARD_BYTES;
    if (card) {
        memset(card, 0, CARD_BYTES);
        memcpy(card, f->bytes + at, n);
    }
    if (feeds)
        feed(rdr, f);
    return DS_NORMAL;
}

static int reader_start(void *dev, struct dev_io *io)
{
    struct reader *rdr = dev;
    u8 command = dev_io_command(io);
    bool reads = (command & CMD_MASK_READ) == CMD_READ;
    if (!reads && (command & CMD_MASK_READ) != CMD_FEED)
        return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    bool feeds = (command & CMD_MASK_STACKER) != CMD_STACKER_NONE;
    u8 card[CARD_BYTES];
    lock_take(&rdr->lock);
    int us = next_card(rdr, reads ? card : NULL, feeds);
    lock_drop(&rdr->lock);
    if (us == DS_UNIT_CHECK)
        return dev_io_unit_check(io, SENSE_INTERVENTION);
    if (us == DS_NORMAL && reads)
        dev_io_put(io, card, sizeof card);
    return us;
}

static void reader_reset(void *dev)
{
    reader_close(dev);
}

static void drop_files(struct reader *rdr)
{
    while (rdr->files) {
        struct spool_file *f = rdr->files;
        rdr->files = f->next;
        free(f);
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

static void reader_save(void *dev, struct codec_out *out)
{
    struct reader *rdr = dev;
    lock_take(&rdr->lock);
    io_rows_put(out, &reader_rows, &rdr->s);
    for (const struct spool_file *f = rdr->files; f; f = f->next) {
        codec_begin(out, IO_TAG_FILE, 1);
        codec_put_u32(out, IO_TAG_FILE_NUMBER, f->number);
        codec_put_u8(out, IO_TAG_FILE_FLAGS, (u8)(f->keep << 1 | f->held));
        codec_put_bytes(out, IO_TAG_FILE_NAME, f->name, strlen(f->name));
        codec_put_bytes(out, IO_TAG_FILE_TYPE, f->type, strlen(f->type));
        codec_put_bytes(out, IO_TAG_FILE_CARDS, f->bytes, f->len);
        codec_end(out);
    }
    lock_drop(&rdr->lock);
}

static struct spool_file *file_new(const void *bytes, size_t len)
{
    struct spool_file *f = malloc(sizeof *f + len);
    if (!f)
        return NULL;
    *f = (struct spool_file){.len = (u32)len};
    memcpy(f->bytes, bytes, len);
    return f;
}

static bool get_label(const struct codec_row *row, char out[READER_NAME_BYTES])
{
    if (row->len >= READER_NAME_BYTES || memchr(row->p, 0, row->len))
        return false;
    memcpy(out, row->p, row->len);
    out[row->len] = 0;
    return true;
}

static bool restore_file(struct reader *rdr, const struct codec_row *block)
{
    struct codec_in in;
    struct codec_row row, cards = {.p = NULL};
    u32 number = 0;
    u8 flags = 0xff;
    char name[READER_NAME_BYTES] = "", type[READER_NAME_BYTES] = "";
    if (!codec_open(block, &in) || in.version != 1 || rdr->count == READER_FILES_MAX)
        return false;
    while (codec_next(&in, &row)) {
        bool ok = true;
        switch (row.tag) {
        case IO_TAG_FILE_NUMBER: ok = codec_get_u32(&row, &number); break;
        case IO_TAG_FILE_FLAGS: ok = codec_get_u8(&row, &flags); break;
        case IO_TAG_FILE_NAME: ok = get_label(&row, name); break;
        case IO_TAG_FILE_TYPE: ok = get_label(&row, type); break;
        case IO_TAG_FILE_CARDS: cards = row; break;
        default: ok = !(row.tag & CODEC_MANDATORY);
        }
        if (!ok)
            return false;
    }
    if (in.failed || !cards.p || !cards.len || !number || flags > 3 || find_file(rdr, number))
        return false;
    struct spool_file *f = file_new(cards.p, cards.len);
    if (!f)
        return false;
    f->number = number;
    f->keep = flags >> 1;
    f->held = flags & 1;
    memcpy(f->name, name, sizeof name);
    memcpy(f->type, type, sizeof type);
    append_file(rdr, f);
    return true;
}

static bool reader_state_valid(struct reader *rdr, const struct reader_state *s)
{
    const struct spool_file *f = find_file(rdr, s->current);
    if (s->cont > 1 || s->hold > 1 || s->eof_due > 1)
        return false;
    if (!s->current)
        return !s->card && !s->eof_due;
    return f && (s->eof_due ? s->card == file_cards(f) : s->card < file_cards(f));
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

int reader_add_file(struct reader *rdr, const char *name, const char *type, const void *bytes,
                    size_t len, u32 *number, struct cause *cause)
{
    if (!len || len > FILE_BYTES_MAX)
        return cause_set(cause, len ? ST_LIMIT : ST_INVAL, "spool file of %zu bytes", len);
    struct spool_file *f = file_new(bytes, len);
    if (!f)
        return cause_set(cause, ST_NOMEM, "no memory for a spool file of %zu bytes", len);
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(f->type, sizeof f->type, "%s", type);
    lock_take(&rdr->lock);
    if (rdr->count == READER_FILES_MAX) {
        lock_drop(&rdr->lock);
        free(f);
        return cause_set(cause, ST_LIMIT, "reader %04X is full", rdr->devno);
    }
    bool was_empty = !rdr->s.current && !next_eligible(rdr);
    f->number = rdr->s.next_number++;
    if (number)
        *number = f->number;
    append_file(rdr, f);
    lock_drop(&rdr->lock);
    if (was_empty)
        css_attention(rdr->css, css_find_devno(rdr->css, rdr->devno), DS_DEVICE_END);
    return ST_OK;
}

void reader_set_continuous(struct reader *rdr, bool cont)
{
    lock_take(&rdr->lock);
    rdr->s.cont = cont;
    lock_drop(&rdr->lock);
}

void reader_set_hold(struct reader *rdr, bool hold)
{
    lock_take(&rdr->lock);
    rdr->s.hold = hold;
    lock_drop(&rdr->lock);
}

void reader_change_all(struct reader *rdr, int keep, int hold)
{
    lock_take(&rdr->lock);
    for (struct spool_file *f = rdr->files; f; f = f->next) {
        f->keep = keep < 0 ? f->keep : keep != 0;
        if (hold >= 0 && f->number != rdr->s.current)
            f->held = hold != 0;
    }
    lock_drop(&rdr->lock);
}

void reader_close(struct reader *rdr)
{
    lock_take(&rdr->lock);
    if (rdr->s.current && !rdr->s.eof_due)
        rdr->s.current = rdr->s.card = 0; /* not read to its end: it stays, first in line */
    else
        close_current(rdr);
    lock_drop(&rdr->lock);
}

unsigned reader_files(struct reader *rdr)
{
    lock_take(&rdr->lock);
    unsigned n = rdr->count;
    lock_drop(&rdr->lock);
    return n;
}

bool reader_file_info(struct reader *rdr, unsigned index, struct reader_file_info *info)
{
    lock_take(&rdr->lock);
    const struct spool_file *f = rdr->files;
    while (f && index--)
        f = f->next;
    if (f) {
        *info = (struct reader_file_info){.number = f->number,
                                          .records = file_cards(f),
                                          .keep = f->keep,
                                          .held = f->held,
                                          .reading = f->number == rdr->s.current};
        memcpy(info->name, f->name, sizeof info->name);
        memcpy(info->type, f->type, sizeof info->type);
    }
    lock_drop(&rdr->lock);
    return f != NULL;
}

void reader_purge(struct reader *rdr)
{
    lock_take(&rdr->lock);
    for (struct spool_file **at = &rdr->files; *at;) {
        struct spool_file *f = *at;
        if (f->number == rdr->s.current) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        free(f);
        rdr->count--;
    }
    lock_drop(&rdr->lock);
}
