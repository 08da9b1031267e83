/* The 3270 display station as a local (non-SNA) device: commands, attention, sense; and the writes
 * that its terminal has still to be sent, in a ring. A terminal that falls behind the ring is sent
 * the whole screen: a slow or vanished one holds up nobody.
 * Lock order: con->lock is never held while the channel subsystem or a port is called. */
#include "io/con3270.h"

#include <stdlib.h>
#include <time.h>

#include "io/css_internal.h"
#include "io/io_state.h"

#define SENSE_OPERATION_CHECK 0x01
#define READ_BYTES_MAX (10u * SCREEN_CELLS_MAX)

/* In front of a record in the ring. */
struct ring_head {
    u32 len;
    u16 rows, cols;
    u8 command, unread;
};

/** Located by css (devno); created by con3270_create, destroyed by detach; `lock`. */
struct con3270 {
    struct css *css;
    u16 devno;
    struct lock lock;
    struct screen screen;
    unsigned term_rows, term_cols; /* 0: no terminal */
    bool written;                  /* since the reset */
    u64 head, tail;                /* positions in the ring: next record, oldest one */
    u8 ring[CON3270_RING_BYTES];
    u8 in[CON3270_RECORD_BYTES_MAX]; /* of the command in execution */
    u8 out[READ_BYTES_MAX];
};

/* ---- writes on their way to the terminal ---- */

/* Behind every position that a device here before had, so that no cursor of it is good: bytes are
 * written more slowly than nanoseconds pass. */
static u64 ring_start(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec + 1;
}

static void ring_copy(struct con3270 *con, u64 at, const void *bytes, size_t len)
{
    size_t offset = at % CON3270_RING_BYTES, first = CON3270_RING_BYTES - offset;
    if (!len) /* then there may be no bytes at all */
        return;
    first = len < first ? len : first;
    memcpy(con->ring + offset, bytes, first);
    memcpy(con->ring, (const u8 *)bytes + first, len - first);
}

static void ring_read(const struct con3270 *con, u64 at, void *bytes, size_t len)
{
    size_t offset = at % CON3270_RING_BYTES, first = CON3270_RING_BYTES - offset;
    first = len < first ? len : first;
    memcpy(bytes, con->ring + offset, first);
    memcpy((u8 *)bytes + first, con->ring, len - first);
}

/* Nothing that was kept says how the screen is now. */
static void ring_lost_locked(struct con3270 *con)
{
    con->tail = ++con->head;
}

static void ring_add_locked(struct con3270 *con, u8 command, const u8 *data, size_t len)
{
    const struct screen_state *s = &con->screen.s;
    const struct ring_head head = {(u32)len, s->rows, s->cols, command, s->unread};
    u64 bytes = sizeof head + len;
    if (bytes > CON3270_RING_BYTES) {
        ring_lost_locked(con);
        return;
    }
    while (con->head + bytes - con->tail > CON3270_RING_BYTES) {
        struct ring_head oldest;
        ring_read(con, con->tail, &oldest, sizeof oldest);
        con->tail += sizeof oldest + oldest.len;
    }
    ring_copy(con, con->head, &head, sizeof head);
    ring_copy(con, con->head + sizeof head, data, len);
    con->head += bytes;
}

static void changed(struct con3270 *con)
{
    if (con->css->ports->display_changed)
        con->css->ports->display_changed(con->css->ctx, con->devno);
}

/* ---- commands ---- */

static bool write_locked(void *ctx, u8 command, const u8 *data, size_t len)
{
    struct con3270 *con = ctx;
    bool ok = screen_write(&con->screen, command, data, len);
    con->written = true;
    ring_add_locked(con, command, data, len);
    return ok;
}

static void adopt_size_locked(struct con3270 *con)
{
    if (!con->term_rows)
        return;
    con->screen.s.alt_rows = (u16)con->term_rows;
    con->screen.s.alt_cols = (u16)con->term_cols;
}

static size_t receive(struct con3270 *con, struct dev_io *io)
{
    size_t len = 0, n;
    while (len < sizeof con->in &&
           (n = dev_io_get(io, con->in + len, sizeof con->in - len)) > 0)
        len += n;
    return len;
}

static int finish(struct con3270 *con, struct dev_io *io, bool ok)
{
    changed(con);
    return ok ? DS_NORMAL : dev_io_unit_check(io, SENSE_OPERATION_CHECK);
}

static int do_write(struct con3270 *con, struct dev_io *io, u8 command)
{
    size_t len = command == SCREEN_ERASE_UNPROTECTED ? 0 : receive(con, io);
    lock_take(&con->lock);
    bool ok = write_locked(con, command, con->in, len);
    lock_drop(&con->lock);
    return finish(con, io, ok);
}

static void attention(struct con3270 *con)
{
    css_attention(con->css, css_find_devno(con->css, con->devno), DS_ATTENTION);
}

static int do_structured_fields(struct con3270 *con, struct dev_io *io)
{
    size_t len = receive(con, io);
    lock_take(&con->lock);
    adopt_size_locked(con);
    bool ok = screen_structured_fields(&con->screen, con->in, len, write_locked, con);
    bool reply = con->screen.s.reply_bytes > 0;
    lock_drop(&con->lock);
    if (ok && reply)
        attention(con);
    return finish(con, io, ok);
}

/* A read that is chained to a write begins where that one ended. */
static unsigned read_start(const struct con3270 *con, const struct dev_io *io)
{
    if (!dev_io_chained(io))
        return 0;
    switch (dev_io_previous(io)) {
    case SCREEN_WRITE:
    case SCREEN_ERASE_WRITE:
    case SCREEN_ERASE_WRITE_ALTERNATE: return con->screen.s.address;
    default: return 0;
    }
}

static int do_read(struct con3270 *con, struct dev_io *io, u8 command)
{
    struct screen_out out = {con->out, sizeof con->out, 0};
    lock_take(&con->lock);
    struct screen_state *s = &con->screen.s;
    bool reply = s->reply_bytes && command != SCREEN_READ_BUFFER;
    screen_read(&con->screen, command, read_start(con, io), &out);
    bool again = reply && s->unread; /* a key came meanwhile */
    if (reply)
        s->reply_bytes = 0;
    else
        screen_was_read(&con->screen);
    lock_drop(&con->lock);
    dev_io_put(io, con->out, out.len < sizeof con->out ? out.len : sizeof con->out);
    if (again)
        attention(con);
    return DS_NORMAL;
}

static int con_start(void *dev, struct dev_io *io)
{
    struct con3270 *con = dev;
    u8 command = dev_io_command(io);
    switch (command) {
    case SCREEN_WRITE:
    case SCREEN_ERASE_WRITE:
    case SCREEN_ERASE_WRITE_ALTERNATE:
    case SCREEN_ERASE_UNPROTECTED: return do_write(con, io, command);
    case SCREEN_WRITE_STRUCTURED_FIELD: return do_structured_fields(con, io);
    case SCREEN_READ_BUFFER:
    case SCREEN_READ_MODIFIED:
    case SCREEN_READ_MODIFIED_ALL: return do_read(con, io, command);
    case SCREEN_SELECT: return DS_NORMAL;
    default: return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    }
}

/* ---- life, state ---- */

static void reset_locked(struct con3270 *con)
{
    adopt_size_locked(con);
    screen_reset(&con->screen, con->screen.s.alt_rows, con->screen.s.alt_cols);
    con->written = false;
    ring_lost_locked(con);
}

static void con_reset(void *dev)
{
    struct con3270 *con = dev;
    lock_take(&con->lock);
    reset_locked(con);
    lock_drop(&con->lock);
    changed(con);
}

static void con_detach(void *dev)
{
    struct con3270 *con = dev;
    lock_fini(&con->lock);
    free(con);
}

static void con_save(void *dev, struct codec_out *out)
{
    struct con3270 *con = dev;
    u32 cells = (u32)con->screen.s.rows * con->screen.s.cols;
    lock_take(&con->lock);
    io_rows_put(out, &screen_rows, &con->screen.s);
    codec_put_bytes(out, IO_TAG_CELLS, con->screen.cell, cells * SCREEN_CELL_BYTES);
    lock_drop(&con->lock);
}

static int con_restore_locked(struct con3270 *con, struct codec_in *in, struct cause *cause)
{
    _Static_assert(sizeof(struct screen_cell) == SCREEN_CELL_BYTES, "cells are saved as bytes");
    struct screen *s = &con->screen;
    struct codec_row row, cells = {0};
    u64 seen = 0;
    memset(&s->s, 0, sizeof s->s);
    memset(s->cell, 0, sizeof s->cell);
    while (codec_next(in, &row)) {
        if (row.tag == IO_TAG_CELLS && !cells.p)
            cells = row;
        else if (!io_rows_get(&row, &screen_rows, &s->s, &seen))
            return cause_set(cause, ST_PROTO, "3270 %04X: bad state row %04X", con->devno,
                             row.tag);
    }
    if (in->failed || !io_rows_complete(&screen_rows, seen) || !screen_valid(s) || !cells.p ||
        cells.len != (u32)s->s.rows * s->s.cols * SCREEN_CELL_BYTES)
        return cause_set(cause, ST_PROTO, "3270 %04X: inconsistent state", con->devno);
    memcpy(s->cell, cells.p, cells.len);
    con->written = true;
    return ST_OK;
}

static int con_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct con3270 *con = dev;
    lock_take(&con->lock);
    int rc = con_restore_locked(con, in, cause);
    if (rc != ST_OK)
        screen_reset(&con->screen, SCREEN_DEFAULT_ROWS, SCREEN_DEFAULT_COLS);
    ring_lost_locked(con);
    lock_drop(&con->lock);
    return rc;
}

static const struct dev_ops con3270_ops = {
    .name = "3270",
    .chpid = CHPID_UNIT_RECORD,
    .sense_id = {0xff, 0x32, 0x74, 0x1d, 0x32, 0x78, 0x02},
    .sense_id_bytes = 7,
    .start = con_start,
    .reset = con_reset,
    .save = con_save,
    .restore = con_restore,
    .detach = con_detach,
};

struct con3270 *con3270_create(struct css *css, u16 devno, bool announce, struct cause *cause)
{
    struct con3270 *con = calloc(1, sizeof *con);
    if (!con) {
        cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
        return NULL;
    }
    con->css = css;
    con->devno = devno;
    con->head = con->tail = ring_start();
    lock_init(&con->lock, LOCK_DEVICE);
    screen_reset(&con->screen, SCREEN_DEFAULT_ROWS, SCREEN_DEFAULT_COLS);
    if (css_attach(css, devno, &con3270_ops, con, announce, NULL, cause) != ST_OK) {
        con_detach(con);
        return NULL;
    }
    return con;
}

/* ---- the terminal's side ---- */

void con3270_connect(struct con3270 *con, unsigned rows, unsigned cols)
{
    bool ok = screen_size_ok(rows, cols);
    lock_take(&con->lock);
    con->term_rows = ok ? rows : SCREEN_DEFAULT_ROWS;
    con->term_cols = ok ? cols : SCREEN_DEFAULT_COLS;
    lock_drop(&con->lock);
}

void con3270_disconnect(struct con3270 *con)
{
    lock_take(&con->lock);
    con->term_rows = con->term_cols = 0;
    lock_drop(&con->lock);
}

bool con3270_key(struct con3270 *con, const u8 *record, size_t len)
{
    lock_take(&con->lock);
    bool key = screen_key(&con->screen, record, len);
    lock_drop(&con->lock);
    if (key)
        attention(con);
    return key;
}

void con3270_attention(struct con3270 *con)
{
    attention(con);
}

bool con3270_written(struct con3270 *con)
{
    lock_take(&con->lock);
    bool written = con->written;
    lock_drop(&con->lock);
    return written;
}

void con3270_size(struct con3270 *con, unsigned *rows, unsigned *cols)
{
    lock_take(&con->lock);
    adopt_size_locked(con);
    *rows = con->screen.s.alt_rows;
    *cols = con->screen.s.alt_cols;
    lock_drop(&con->lock);
}

enum con3270_next con3270_take(struct con3270 *con, u64 *cursor,
                               u8 room[CON3270_RECORD_BYTES_MAX], struct con3270_record *out)
{
    enum con3270_next next = CON3270_NOTHING;
    lock_take(&con->lock);
    if (*cursor < con->tail) {
        next = CON3270_REDRAW;
    } else if (*cursor < con->head) {
        struct ring_head head;
        ring_read(con, *cursor, &head, sizeof head);
        ring_read(con, *cursor + sizeof head, room, head.len);
        *out = (struct con3270_record){head.command, head.rows, head.cols,
                                       head.unread,  room,      head.len};
        *cursor += sizeof head + head.len;
        next = CON3270_RECORD;
    }
    lock_drop(&con->lock);
    return next;
}

void con3270_redraw(struct con3270 *con, u64 *cursor, bool extended, unsigned rows,
                    unsigned cols, u8 room[CON3270_RECORD_BYTES_MAX],
                    struct con3270_record *out)
{
    struct screen_out to = {room + 1, CON3270_RECORD_BYTES_MAX - 1, 0};
    lock_take(&con->lock);
    const struct screen_state *s = &con->screen.s;
    screen_redraw(&con->screen, extended, rows, cols, &to);
    if (to.len > to.room) { /* attributes at every character of a huge screen */
        to.len = 0;
        screen_redraw(&con->screen, false, rows, cols, &to);
    }
    room[0] = WCC_RESET | WCC_RESTORE;
    *out = (struct con3270_record){SCREEN_ERASE_WRITE, s->rows, s->cols,
                                   s->unread,          room,    1 + to.len};
    *cursor = con->head;
    lock_drop(&con->lock);
}

u64 con3270_position(struct con3270 *con)
{
    lock_take(&con->lock);
    u64 position = con->head;
    lock_drop(&con->lock);
    return position;
}

size_t con3270_row(struct con3270 *con, unsigned row, u8 out[SCREEN_LINE_MAX])
{
    size_t len = 0;
    lock_take(&con->lock);
    const struct screen_state *s = &con->screen.s;
    for (unsigned i = 0; row < s->rows && i < s->cols; i++) {
        const struct screen_cell *cell = &con->screen.cell[row * s->cols + i];
        out[len++] = cell->field || cell->ch < 0x40 ? 0x40 : cell->ch;
    }
    lock_drop(&con->lock);
    return len;
}
