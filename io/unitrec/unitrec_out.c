/* Virtual punch (2540) and printer (1403): records go to the host's sink as they come.
 * They keep nothing between commands, so they have no state rows. */
#include <stdlib.h>

#include "io/unitrec/unitrec.h"

#define PUNCH_CHPID 0x11
#define PRINTER_LINE_BYTES 132 /* print positions of a 1403 */
#define CMD_WRITE 0x01
#define CMD_CONTROL 0x03

/** Located by css (devno); created here, destroyed by detach; never changes. */
struct unitrec_out {
    unitrec_sink *sink;
    void *arg;
    u16 devno;
    u16 record_bytes_max;
};

static int out_end(struct unitrec_out *out, struct dev_io *io, const u8 *record, size_t len)
{
    int rc = ST_OK;
    if (out->sink)
        rc = out->sink(out->arg, out->devno, dev_io_command(io), record, len);
    if (rc == ST_OK)
        return DS_NORMAL;
    return dev_io_unit_check(io, rc == ST_LIMIT ? SENSE_INTERVENTION : SENSE_EQUIPMENT_CHECK);
}

/** Writes end in B'01'; the printer's immediate carriage controls in B'11' carry no data. */
static int out_start(void *dev, struct dev_io *io)
{
    struct unitrec_out *out = dev;
    u8 command = dev_io_command(io);
    u8 record[PRINTER_LINE_BYTES];
    size_t n = 0;
    if ((command & 0x03) == CMD_WRITE)
        n = dev_io_get(io, record, out->record_bytes_max);
    else if ((command & 0x03) != CMD_CONTROL || out->record_bytes_max == CARD_BYTES)
        return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    return out_end(out, io, record, n);
}

static const struct dev_ops punch_ops = {
    .name = "2540P",
    .chpid = PUNCH_CHPID,
    .sense_id = {0xff, 0x25, 0x40, 0x00, 0x25, 0x40, 0x02},
    .sense_id_bytes = 7,
    .start = out_start,
    .detach = free,
};

static const struct dev_ops printer_ops = {
    .name = "1403",
    .chpid = PUNCH_CHPID,
    .sense_id = {0xff, 0x14, 0x03, 0x00, 0x14, 0x03, 0x00},
    .sense_id_bytes = 7,
    .start = out_start,
    .detach = free,
};

static int out_create(struct css *css, u16 devno, bool announce, const struct dev_ops *ops,
                      struct unitrec_out init, struct cause *cause)
{
    struct unitrec_out *out = malloc(sizeof *out);
    if (!out)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
    *out = init;
    int rc = css_attach(css, devno, ops, out, announce, NULL, cause);
    if (rc != ST_OK)
        free(out);
    return rc;
}

int punch_create(struct css *css, u16 devno, bool announce, unitrec_sink *sink, void *arg,
                 struct cause *cause)
{
    return out_create(css, devno, announce, &punch_ops,
                      (struct unitrec_out){sink, arg, devno, CARD_BYTES}, cause);
}

int printer_create(struct css *css, u16 devno, bool announce, unitrec_sink *sink, void *arg,
                   struct cause *cause)
{
    return out_create(css, devno, announce, &printer_ops,
                      (struct unitrec_out){sink, arg, devno, PRINTER_LINE_BYTES}, cause);
}
