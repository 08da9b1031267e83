/* Virtual printers: a 1403 with its carriage tape and universal character set, a 3203 and a 3211,
 * whose forms control buffer says where the lines of a form and its channels are. Lines go to the
 * host's sink as they come, folded and without what the character set does not have. Sources: IBM
 * 2821 Component Description; IBM 3211 Printer and 3811 Control Unit Component Description. What
 * sense follows a skip to a channel that the buffer does not have is ours. */
#include <stdlib.h>

#include "io/io_state.h"
#include "io/unitrec/unitrec.h"

#define LINE_BYTES_MAX 150u
#define BLANK 0x40
#define SENSE_LOAD_CHECK 0x02
#define FCB_LAST 0x10 /* behind the first byte: the last line */
#define FCB_CHANNEL 0x0f
#define CHANNELS 12u

enum printer_command {
    PRINTER_READ_UCS = 0x0a,
    PRINTER_READ_FCB = 0x12,
    PRINTER_UNFOLD = 0x23,
    PRINTER_FOLD = 0x43,
    PRINTER_BLOCK_CHECK = 0x73,
    PRINTER_ALLOW_CHECK = 0x7b,
    PRINTER_UCS_GATE = 0xeb,
    PRINTER_LOAD_UCS_FOLD = 0xf3,
    PRINTER_LOAD_UCS = 0xfb,
};

/** What printers differ in: a character set behind a gate (1403), or a forms control buffer and
 *  buffers that are read back. That a 3203 is like a 3211 but for its lines is from memory. */
static const struct traits {
    u16 number;
    u16 line_bytes, ucs_bytes;
    bool gate;
} traits[] = {
    [PRINTER_1403] = {0x1403, 132, 240, true},
    [PRINTER_3203] = {0x3203, 132, 304, false},
    [PRINTER_3211] = {0x3211, LINE_BYTES_MAX, PRINTER_UCS_BYTES, false},
};

/** Located by css (devno); created here, destroyed by detach; the executor's thread. */
struct printer {
    unitrec_sink *sink;
    void *arg;
    enum printer_type type;
    u16 devno;
    struct printer_state s;
};

static int reject(struct dev_io *io)
{
    return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
}

static int sink_status(struct dev_io *io, int rc)
{
    if (rc == ST_OK)
        return DS_NORMAL;
    return dev_io_unit_check(io, rc == ST_LIMIT ? SENSE_INTERVENTION : SENSE_EQUIPMENT_CHECK);
}

static int put(const struct printer *p, u8 command, const u8 *bytes, size_t len)
{
    return p->sink ? p->sink(p->arg, p->devno, command, bytes, len) : ST_OK;
}

/* ---- the character set ---- */

static u32 ucs_bytes(const struct printer *p)
{
    return traits[p->type].ucs_bytes;
}

static bool has_gate(const struct printer *p)
{
    return traits[p->type].gate;
}

/** A 1403 takes it behind a gate only. */
static int load_ucs(struct printer *p, struct dev_io *io, bool fold)
{
    u8 ucs[PRINTER_UCS_BYTES] = {0};
    if (has_gate(p) && dev_io_previous(io) != PRINTER_UCS_GATE)
        return reject(io);
    dev_io_get(io, ucs, ucs_bytes(p));
    memcpy(p->s.ucs, ucs, sizeof ucs);
    p->s.ucs_loaded = 1;
    p->s.fold = fold;
    return DS_NORMAL;
}

/** False: the line has a character that cannot be printed; there is a blank now. */
static bool printable(const struct printer *p, u8 *line, size_t len)
{
    bool all = true;
    for (size_t i = 0; i < len; i++) {
        if (p->s.fold && (line[i] & 0xc0) == 0x80)
            line[i] |= 0x40; /* as its capital */
        if (!p->s.ucs_loaded || !line[i] || line[i] == BLANK ||
            memchr(p->s.ucs, line[i], ucs_bytes(p)))
            continue;
        line[i] = BLANK;
        all = false;
    }
    return all;
}

/* ---- the form ---- */

/** Lines of the form that a buffer describes; 0: it does not. */
static u8 fcb_lines(const u8 *fcb, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (fcb[i] & ~(FCB_LAST | FCB_CHANNEL) || (fcb[i] & FCB_CHANNEL) > CHANNELS)
            return 0;
        if (i && fcb[i] & FCB_LAST) /* in the first one it says how far lines are apart */
            return (u8)(i + 1);
    }
    return 0;
}

static int load_fcb(struct printer *p, struct dev_io *io)
{
    u8 fcb[PRINTER_FCB_BYTES] = {0};
    u8 lines = fcb_lines(fcb, dev_io_get(io, fcb, sizeof fcb));
    if (!lines)
        return dev_io_unit_check(io, SENSE_LOAD_CHECK);
    memcpy(p->s.fcb, fcb, sizeof fcb);
    p->s.fcb_lines = lines;
    return sink_status(io, put(p, UNITREC_LOAD_FORM, p->s.fcb, lines));
}

/** A space of up to three lines, or a skip to a channel: bits 1-4 of codes that print or move. */
static bool moves(u8 command)
{
    u8 n = command >> 3 & 0x0f;
    return command & 0x80 ? n >= 1 && n <= CHANNELS : n <= 3;
}

static bool channel_there(const struct printer *p, u8 command)
{
    if (!(command & 0x80) || !p->s.fcb_lines)
        return true;
    for (u32 i = 0; i < p->s.fcb_lines; i++)
        if ((p->s.fcb[i] & FCB_CHANNEL) == (command >> 3 & 0x0f))
            return true;
    return false;
}

/* ---- commands ---- */

static int print(struct printer *p, struct dev_io *io)
{
    u8 command = dev_io_command(io), line[LINE_BYTES_MAX];
    size_t n = 0;
    bool all = true;
    if (!channel_there(p, command))
        return dev_io_unit_check(io, SENSE_EQUIPMENT_CHECK);
    if ((command & 3) == 1) {
        n = dev_io_get(io, line, traits[p->type].line_bytes);
        all = printable(p, line, n);
    }
    int us = sink_status(io, put(p, command, line, n));
    if (us != DS_NORMAL || all || !p->s.data_checks)
        return us;
    return dev_io_unit_check(io, SENSE_DATA_CHECK);
}

static int with_form(struct printer *p, struct dev_io *io)
{
    switch (dev_io_command(io)) {
    case UNITREC_LOAD_FORM: return load_fcb(p, io);
    case PRINTER_READ_UCS: dev_io_put(io, p->s.ucs, ucs_bytes(p)); return DS_NORMAL;
    case PRINTER_READ_FCB: dev_io_put(io, p->s.fcb, sizeof p->s.fcb); return DS_NORMAL;
    case PRINTER_FOLD:
    case PRINTER_UNFOLD: p->s.fold = dev_io_command(io) == PRINTER_FOLD; return DS_NORMAL;
    default: return reject(io);
    }
}

static int printer_start(void *dev, struct dev_io *io)
{
    struct printer *p = dev;
    u8 command = dev_io_command(io);
    switch (command) {
    case PRINTER_UCS_GATE: return has_gate(p) ? DS_NORMAL : reject(io);
    case PRINTER_LOAD_UCS: return load_ucs(p, io, !has_gate(p) && p->s.fold);
    case PRINTER_LOAD_UCS_FOLD: return has_gate(p) ? load_ucs(p, io, true) : reject(io);
    case PRINTER_BLOCK_CHECK:
    case PRINTER_ALLOW_CHECK:
        p->s.data_checks = command == PRINTER_ALLOW_CHECK;
        return DS_NORMAL;
    default: break;
    }
    if (((command & 7) == 1 || (command & 7) == 3) && moves(command))
        return print(p, io);
    return has_gate(p) ? reject(io) : with_form(p, io);
}

/* ---- life ---- */

static void printer_save(void *dev, struct codec_out *out)
{
    struct printer *p = dev;
    io_rows_put(out, &printer_rows, &p->s);
}

static int printer_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct printer *p = dev;
    struct printer_state s = {0};
    struct codec_row row;
    u64 seen = 0;
    bool ok = true;
    while (ok && codec_next(in, &row))
        ok = io_rows_get(&row, &printer_rows, &s, &seen);
    ok = ok && !in->failed && io_rows_complete(&printer_rows, seen) && s.ucs_loaded <= 1 &&
         s.fold <= 1 && s.data_checks <= 1 && s.fcb_lines <= PRINTER_FCB_BYTES &&
         (!s.fcb_lines || (!has_gate(p) && fcb_lines(s.fcb, s.fcb_lines) == s.fcb_lines));
    p->s = ok ? s : (struct printer_state){0};
    if (p->s.fcb_lines)
        (void)put(p, UNITREC_LOAD_FORM, p->s.fcb,
                  p->s.fcb_lines); /* the form stays where it is */
    return ok ? ST_OK : cause_set(cause, ST_PROTO, "printer %04X: broken state", p->devno);
}

static void printer_reset(void *dev)
{
    struct printer *p = dev;
    p->s.data_checks = 0; /* buffers stay */
}

#define PRINTER_OPS(type, model)                                                               \
    {                                                                                          \
        .name = #type,                                                                         \
        .chpid = CHPID_UNIT_RECORD, .sense_id = {0xff, 0x##type >> 8, 0x##type & 0xff,         \
                                                 0x00, 0x##type >> 8, 0x##type & 0xff,         \
                                                 model},                                       \
        .sense_id_bytes = 7, .start = printer_start, .reset = printer_reset,                   \
        .save = printer_save, .restore = printer_restore, .detach = free,                      \
    }

static const struct dev_ops printer_ops[] = {
    [PRINTER_1403] = PRINTER_OPS(1403, 0x00),
    [PRINTER_3203] = PRINTER_OPS(3203, 0x05),
    [PRINTER_3211] = PRINTER_OPS(3211, 0x00),
};

enum printer_type printer_type_of(u16 number)
{
    for (unsigned i = 0; i < ARRAY_LEN(traits); i++)
        if (traits[i].number == number)
            return (enum printer_type)i;
    return PRINTER_1403;
}

int printer_create(struct css *css, u16 devno, enum printer_type type, bool announce,
                   unitrec_sink *sink, void *arg, struct cause *cause)
{
    struct printer *p = calloc(1, sizeof *p);
    if (!p)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
    p->sink = sink;
    p->arg = arg;
    p->type = type;
    p->devno = devno;
    int rc = css_attach(css, devno, &printer_ops[type], p, announce, NULL, cause);
    if (rc != ST_OK)
        free(p);
    return rc;
}
