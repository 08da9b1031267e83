/* The 3215 console: write with and without carrier return, read inquiry, alarm, attention.
 * Input lines queue in host UTF-8; a read that finds none answers DEV_WAIT.
 * Lock order: con->lock is never held while the channel subsystem or a port is called. */
#include "io/con3215.h"

#include <stdlib.h>

#include "io/css_internal.h"
#include "io/ebcdic.h"
#include "io/io_state.h"

#define CMD_WRITE 0x01
#define CMD_WRITE_ACR 0x09
#define EBCDIC_NEW_LINE 0x15
#define CMD_READ_INQUIRY 0x0a
#define CMD_ALARM 0x0b
#define WRITE_CHUNK 4096u
#define UTF8_LINE_MAX (4 * CON3215_LINE_BYTES_MAX)

/** Located by css (devno); created by con3215_create, destroyed by detach; `lock`. */
struct con3215 {
    struct css *css;
    u16 devno;
    struct lock lock;
    struct con3215_state s;
    _Atomic bool autocr;
    u8 *line[CON3215_LINES_QUEUED_MAX]; /* length byte, then EBCDIC; a ring */
};

static u32 slot(const struct con3215 *con, u32 i)
{
    return (con->s.first + i) % CON3215_LINES_QUEUED_MAX;
}

/** Hand text to the host, line by line. */
static void write_text(struct con3215 *con, const u8 *ebcdic, size_t len, bool end_line)
{
    char text[2 * WRITE_CHUNK];
    void (*out)(void *, u32, const char *, size_t, bool) = con->css->ports->console_write;
    if (!out)
        return;
    size_t n = ebcdic_to_utf8(EBCDIC_037, ebcdic, len, text);
    char *at = text, *end = text + n;
    for (char *nl; (nl = memchr(at, '\n', (size_t)(end - at))) != NULL; at = nl + 1)
        out(con->css->ctx, con->devno, at, (size_t)(nl - at), true);
    if (at < end || end_line)
        out(con->css->ctx, con->devno, at, (size_t)(end - at), end_line);
}

static int do_write(struct con3215 *con, struct dev_io *io, bool carrier_return)
{
    u8 chunk[WRITE_CHUNK], last = EBCDIC_NEW_LINE;
    size_t n = dev_io_get(io, chunk, sizeof chunk);
    while (n == sizeof chunk) {
        write_text(con, chunk, n, false);
        last = chunk[n - 1];
        n = dev_io_get(io, chunk, sizeof chunk);
    }
    last = n ? chunk[n - 1] : last;
    carrier_return |= con->autocr && last != EBCDIC_NEW_LINE;
    if (n || carrier_return)
        write_text(con, chunk, n, carrier_return);
    return DS_NORMAL;
}

void con3215_autocr(struct con3215 *con, bool on)
{
    con->autocr = on;
}

/* It shows whether the guest reads. */
static void tell_terminal(struct con3215 *con)
{
    if (con->css->ports->display_changed)
        con->css->ports->display_changed(con->css->ctx, con->devno);
}

static int do_read(struct con3215 *con, struct dev_io *io)
{
    lock_take(&con->lock);
    if (!con->s.lines && !con->s.attention) {
        con->s.reading = 1;
        lock_drop(&con->lock);
        tell_terminal(con);
        return DEV_WAIT;
    }
    u8 *line = NULL;
    if (con->s.lines) {
        line = con->line[con->s.first];
        con->line[con->s.first] = NULL;
        con->s.first = slot(con, 1);
        con->s.lines--;
    }
    bool waited = con->s.reading, more = con->s.lines > 0;
    con->s.reading = con->s.attention = 0;
    lock_drop(&con->lock);
    if (waited)
        tell_terminal(con);
    if (line)
        dev_io_put(io, line + 1, line[0]);
    else
        dev_io_put(io, "", 0); /* an empty line: a transfer of nothing */
    bool taken = line != NULL;
    free(line);
    if (taken && con->css->ports->console_room)
        con->css->ports->console_room(con->css->ctx);
    if (more)
        css_attention(con->css, css_find_devno(con->css, con->devno), DS_ATTENTION);
    return DS_NORMAL;
}

static int con_start(void *dev, struct dev_io *io)
{
    struct con3215 *con = dev;
    switch (dev_io_command(io)) {
    case CMD_WRITE: return do_write(con, io, false);
    case CMD_WRITE_ACR: return do_write(con, io, true);
    case CMD_READ_INQUIRY: return do_read(con, io);
    case CMD_ALARM: return DS_NORMAL;
    default: return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    }
}

static void con_cancel(void *dev)
{
    struct con3215 *con = dev;
    lock_take(&con->lock);
    con->s.reading = 0;
    lock_drop(&con->lock);
}

static void drop_lines_locked(struct con3215 *con)
{
    for (u32 i = 0; i < con->s.lines; i++) {
        free(con->line[slot(con, i)]);
        con->line[slot(con, i)] = NULL;
    }
    con->s.lines = con->s.first = 0;
}

static void con_reset(void *dev)
{
    struct con3215 *con = dev;
    lock_take(&con->lock);
    drop_lines_locked(con);
    con->s.reading = con->s.attention = 0;
    lock_drop(&con->lock);
}

static void con_detach(void *dev)
{
    struct con3215 *con = dev;
    drop_lines_locked(con);
    lock_fini(&con->lock);
    free(con);
}

static void con_save(void *dev, struct codec_out *out)
{
    struct con3215 *con = dev;
    lock_take(&con->lock);
    io_rows_put(out, &con3215_rows, &con->s);
    for (u32 i = 0; i < con->s.lines; i++) {
        const u8 *line = con->line[slot(con, i)];
        codec_put_bytes(out, IO_TAG_LINE, line + 1, line[0]);
    }
    lock_drop(&con->lock);
}

static int add_line_locked(struct con3215 *con, const u8 *ebcdic, size_t len)
{
    if (con->s.lines == CON3215_LINES_QUEUED_MAX)
        return ST_LIMIT;
    u8 *line = malloc(len + 1);
    if (!line)
        return ST_NOMEM;
    line[0] = (u8)len;
    memcpy(line + 1, ebcdic, len);
    con->line[slot(con, con->s.lines++)] = line;
    return ST_OK;
}

static int con_restore_locked(struct con3215 *con, struct codec_in *in, struct cause *cause)
{
    struct con3215_state s = {0};
    struct codec_row row;
    u64 seen = 0;
    drop_lines_locked(con);
    while (codec_next(in, &row)) {
        int rc = ST_OK;
        if (row.tag == IO_TAG_LINE && row.len <= CON3215_LINE_BYTES_MAX)
            rc = add_line_locked(con, row.p, row.len);
        else if (!io_rows_get(&row, &con3215_rows, &s, &seen))
            rc = ST_PROTO;
        if (rc != ST_OK)
            return cause_set(cause, rc, "3215 %04X: bad state row %04X", con->devno, row.tag);
    }
    if (in->failed || !io_rows_complete(&con3215_rows, seen) || s.lines != con->s.lines ||
        s.first >= CON3215_LINES_QUEUED_MAX || s.reading > 1 || s.attention > 1)
        return cause_set(cause, ST_PROTO, "3215 %04X: inconsistent state", con->devno);
    con->s.reading = s.reading;
    con->s.attention = s.attention;
    return ST_OK;
}

static int con_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct con3215 *con = dev;
    lock_take(&con->lock);
    int rc = con_restore_locked(con, in, cause);
    lock_drop(&con->lock);
    return rc;
}

static const struct dev_ops con3215_ops = {
    .name = "3215",
    .chpid = CHPID_CON3215,
    .sense_id = {0xff, 0x32, 0x15, 0x00, 0x32, 0x15, 0x00},
    .sense_id_bytes = 7,
    .start = con_start,
    .cancel = con_cancel,
    .reset = con_reset,
    .save = con_save,
    .restore = con_restore,
    .detach = con_detach,
};

struct con3215 *con3215_create(struct css *css, u16 devno, bool announce, struct cause *cause)
{
    struct con3215 *con = calloc(1, sizeof *con);
    if (!con) {
        cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
        return NULL;
    }
    con->css = css;
    con->devno = devno;
    lock_init(&con->lock, LOCK_DEVICE);
    if (css_attach(css, devno, &con3215_ops, con, announce, NULL, cause) != ST_OK) {
        con_detach(con);
        return NULL;
    }
    return con;
}

int con3215_input(struct con3215 *con, const char *utf8, size_t len)
{
    u8 ebcdic[CON3215_LINE_BYTES_MAX];
    size_t n = ebcdic_from_utf8(EBCDIC_037, utf8, len < UTF8_LINE_MAX ? len : UTF8_LINE_MAX,
                                ebcdic, sizeof ebcdic);
    lock_take(&con->lock);
    int rc = add_line_locked(con, ebcdic, n);
    bool reading = con->s.reading;
    bool first = con->s.lines == 1; /* for the others the read before them raises attention */
    lock_drop(&con->lock);
    if (rc != ST_OK)
        return rc;
    u32 schid = css_find_devno(con->css, con->devno);
    if (reading)
        css_device_ready(con->css, schid);
    else if (first)
        css_attention(con->css, schid, DS_ATTENTION);
    return ST_OK;
}

bool con3215_room(struct con3215 *con)
{
    lock_take(&con->lock);
    bool room = con->s.lines < CON3215_LINES_QUEUED_MAX;
    lock_drop(&con->lock);
    return room;
}

void con3215_attention(struct con3215 *con)
{
    lock_take(&con->lock);
    bool reading = con->s.reading;
    con->s.attention = reading; /* enter on an empty line ends the read */
    lock_drop(&con->lock);
    u32 schid = css_find_devno(con->css, con->devno);
    if (reading)
        css_device_ready(con->css, schid);
    else
        css_attention(con->css, schid, DS_ATTENTION);
}

bool con3215_reading(struct con3215 *con)
{
    lock_take(&con->lock);
    bool reading = con->s.reading;
    lock_drop(&con->lock);
    return reading;
}
