/* The device: takes blocks from the program and gives it those of the other side. */
#include "io/net/ctca.h"

#include <stdlib.h>
#include <string.h>

#include "io/io_state.h"

#define PIECE_BYTES 4096u

/** Located by css (devno); created here, destroyed by detach. `remote` changes while no device work
 *  is under way. */
struct ctca {
    struct css *css;
    u16 devno; /* its subchannel may be another one after a relocation */
    enum ctca_type type;
    struct ctc_side *side;
    struct ctc_remote *remote; /* NULL: the side is here */
};

static const struct {
    const char *name;
    u8 model;
    bool extended;
} types[CTCA_TYPES] = {
    [CTCA_3088] = {"CTCA", 0x08, false}, [CTCA_SCTC] = {"SCTC", 0x1f, true},
    [CTCA_BCTC] = {"BCTC", 0x1f, false}, [CTCA_CNC] = {"CNC", 0x1f, true},
    [CTCA_FCTC] = {"FCTC", 0x1e, true},
};

const char *ctca_type_name(enum ctca_type type)
{
    return types[type].name;
}

bool ctca_type_named(const char *name, enum ctca_type *out)
{
    unsigned i = 0;
    while (i < CTCA_TYPES && strcmp(types[i].name, name) != 0)
        i++;
    if (i == CTCA_TYPES && strcmp(name, "3088") != 0)
        return false;
    *out = i == CTCA_TYPES ? CTCA_3088 : (enum ctca_type)i;
    return true;
}

bool ctca_types_fit(enum ctca_type a, enum ctca_type b)
{
    if (a == CTCA_3088 || a == CTCA_FCTC || b == CTCA_3088 || b == CTCA_FCTC)
        return a == b;
    return (a == CTCA_CNC) != (b == CTCA_CNC);
}

/* --- here, or remote ------------------------------------------------------------------------ */

static bool takes(struct ctca *dev, u8 command)
{
    return dev->remote ? ctc_remote_takes(dev->remote, command) : ctc_takes(dev->side, command);
}

static void step(struct ctca *dev, struct dev_io *io, struct ctc_command *c,
                 struct ctc_result *out)
{
    if (dev->remote)
        ctc_remote_step(dev->remote, c, dev_io_chained(io), out);
    else
        ctc_step(dev->side, c, out);
}

static void taken(struct ctca *dev, u32 n, struct ctc_result *out)
{
    if (dev->remote)
        ctc_remote_taken(dev->remote, n, out);
    else
        ctc_taken(dev->side, n, out);
}

static void ended(struct ctca *dev)
{
    if (dev->remote)
        ctc_remote_ended(dev->remote);
    else
        ctc_ended(dev->side);
}

/* --- commands ------------------------------------------------------------------------------- */

/* The block that the program writes. False: no host memory. */
static bool fetch(struct dev_io *io, struct ctc_command *c)
{
    u32 room = dev_io_count(io);
    if (dev_io_flags(io) & CCW_CD || room > CTC_BLOCK_BYTES_MAX)
        room = CTC_BLOCK_BYTES_MAX;
    c->data = malloc(room ? room : 1);
    c->len = c->data ? (u32)dev_io_get(io, c->data, room) : 0;
    return c->data != NULL;
}

/* As much of a write as the other side took is the program's count. */
static void count(struct dev_io *io, u32 n)
{
    u8 piece[PIECE_BYTES];
    do {
        u32 now = n < sizeof piece ? n : (u32)sizeof piece;
        dev_io_get(io, piece, now);
        n -= now;
    } while (n);
}

static int end_command(struct ctca *dev, struct dev_io *io, const struct ctc_result *r)
{
    bool good = r->status & DS_CHANNEL_END && !(r->status & DS_UNIT_CHECK);
    if (good && (dev_io_command(io) & 0x03) == 1)
        count(io, r->taken);
    if (r->kind == CTC_BYTE)
        dev_io_put(io, &r->byte, 1);
    if (r->status & DS_UNIT_CHECK)
        dev_io_sense(io, &r->sense, 1);
    if (r->status & DS_BUSY && !dev_io_chained(io))
        ended(dev); /* it has not begun */
    return r->status;
}

static int ctca_start(void *arg, struct dev_io *io)
{
    struct ctca *dev = arg;
    struct ctc_command c = {.command = dev_io_command(io)};
    struct ctc_result r;
    do { /* twice when the other side's doing changes meanwhile */
        if (takes(dev, c.command) && !fetch(io, &c))
            return dev_io_unit_check(io, SENSE_EQUIPMENT_CHECK);
        step(dev, io, &c, &r);
    } while (r.kind == CTC_WAIT && takes(dev, c.command));
    if (r.kind == CTC_WAIT)
        return DEV_WAIT;
    if (r.kind == CTC_DATA)
        taken(dev, (u32)dev_io_put(io, r.data, r.len), &r);
    return end_command(dev, io, &r);
}

static void ctca_begin(void *arg)
{
    struct ctca *dev = arg;
    if (!dev->remote)
        ctc_begin(dev->side);
}

static int ctca_end(void *arg, struct dev_io *io, int us)
{
    (void)io;
    ended(arg);
    return us;
}

static void ctca_cancel(void *arg)
{
    struct ctca *dev = arg;
    if (dev->remote)
        ctc_remote_cancel(dev->remote);
    else
        ctc_cancel(dev->side);
}

static void ctca_halted(void *arg)
{
    struct ctca *dev = arg;
    if (dev->remote)
        ctc_remote_disconnect(dev->remote);
    else
        ctc_disconnect(dev->side);
}

static void ctca_reset(void *arg)
{
    struct ctca *dev = arg;
    if (dev->remote)
        ctc_remote_reset(dev->remote);
    else
        ctc_reset(dev->side);
}

static void ctca_idle_sense(void *arg, u8 sense[SENSE_BYTES_MAX])
{
    struct ctca *dev = arg;
    if (!dev->remote)
        sense[0] = ctc_idle_sense(dev->side);
}

static void look(void *arg)
{
    struct ctca *dev = arg;
    css_device_ready(dev->css, css_find_devno(dev->css, dev->devno));
}

static void status(void *arg, u8 unit_status)
{
    struct ctca *dev = arg;
    css_attention(dev->css, css_find_devno(dev->css, dev->devno), unit_status);
}

static const struct ctc_side_ops side_ops = {.look = look, .status = status};

/* --- state ---------------------------------------------------------------------------------- */

static void ctca_save(void *arg, struct codec_out *out)
{
    struct ctca *dev = arg;
    struct ctc_state s;
    u8 *block = malloc(CTC_BLOCK_BYTES_MAX);
    if (!block) {
        out->failed = true;
        return;
    }
    int bytes = ctc_save(dev->side, &s, block);
    io_rows_put(out, &ctc_rows, &s);
    if (bytes >= 0)
        codec_put_bytes(out, IO_TAG_BLOCK, block, (size_t)bytes);
    free(block);
}

static int ctca_restore(void *arg, struct codec_in *in, struct cause *cause)
{
    struct ctca *dev = arg;
    struct ctc_state s;
    struct codec_row row, block = {0};
    u64 seen = 0;
    while (codec_next(in, &row)) {
        if (row.tag == IO_TAG_BLOCK && !block.p && row.len <= CTC_BLOCK_BYTES_MAX)
            block = row;
        else if (!io_rows_get(&row, &ctc_rows, &s, &seen))
            return cause_set(cause, ST_PROTO, "channel-to-channel adapter: bad row %u",
                             row.tag);
    }
    if (in->failed || !io_rows_complete(&ctc_rows, seen) ||
        !ctc_restore(dev->side, &s, block.p, block.p ? (int)block.len : -1))
        return cause_set(cause, ST_PROTO, "channel-to-channel adapter: bad state");
    return ST_OK;
}

/* --- life ----------------------------------------------------------------------------------- */

static void ctca_detach(void *arg)
{
    struct ctca *dev = arg;
    ctc_side_destroy(dev->side);
    free(dev);
}

#define CTCA_OPS(model)                                                                        \
    {                                                                                          \
        .name = "3088", .chpid = CHPID_CTCA, .takes_nop = true,                                \
        .sense_id = {0xff, 0x30, 0x88, model, 0x00, 0x00, 0x00}, .sense_id_bytes = 7,          \
        .start = ctca_start, .begin = ctca_begin, .end = ctca_end, .cancel = ctca_cancel,      \
        .halted = ctca_halted, .reset = ctca_reset, .idle_sense = ctca_idle_sense,             \
        .save = ctca_save, .restore = ctca_restore, .detach = ctca_detach,                     \
    }

static const struct dev_ops model_ops[] = {CTCA_OPS(0x08), CTCA_OPS(0x1e), CTCA_OPS(0x1f)};

static const struct dev_ops *ops_of(enum ctca_type type)
{
    const struct dev_ops *ops = model_ops;
    while (ops->sense_id[3] != types[type].model)
        ops++;
    return ops;
}

int ctca_create(struct css *css, struct ctc_hub *hub, u16 devno, enum ctca_type type,
                bool announce, struct cause *cause)
{
    struct ctca *dev = calloc(1, sizeof *dev);
    if (dev)
        dev->side = ctc_side_create(hub, types[type].extended, &side_ops, dev);
    if (!dev || !dev->side) {
        free(dev);
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
    }
    dev->css = css;
    dev->devno = devno;
    dev->type = type;
    int rc = css_attach(css, devno, ops_of(type), dev, announce, NULL, cause);
    if (rc)
        ctca_detach(dev);
    return rc;
}

struct ctca *ctca_find(struct css *css, u16 devno)
{
    const struct dev_ops *ops;
    struct ctca *dev = css_find_device(css, devno, &ops);
    return dev && ops->start == ctca_start ? dev : NULL;
}

enum ctca_type ctca_type_of(const struct ctca *dev)
{
    return dev->type;
}

struct ctc_side *ctca_side(struct ctca *dev)
{
    return dev->side;
}

struct ctc_remote *ctca_remote_create(struct ctca *dev, const struct ctc_wire *wire)
{
    bool extended, ready;
    ctc_mode(dev->side, &extended, &ready);
    return ctc_remote_create(types[dev->type].extended, extended, ready, wire, &side_ops, dev);
}

void ctca_set_remote(struct ctca *dev, struct ctc_remote *remote)
{
    bool extended, ready = true;
    ctc_mode(dev->side, &extended, &ready);
    if (dev->remote)
        extended = ctc_remote_extended(dev->remote);
    ctc_set_mode(dev->side, extended, remote ? ready : true);
    dev->remote = remote;
    look(dev);
}
