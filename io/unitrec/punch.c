/* The virtual punch (2540): cards go to the host's sink as they come. It keeps nothing between
 * commands, so it has no state rows. */
#include <stdlib.h>

#include "io/unitrec/unitrec.h"

#define CMD_WRITE 0x01 /* in the last two bits; the others choose pockets */

/** Located by css (devno); created here, destroyed by detach; never changes. */
struct punch {
    unitrec_sink *sink;
    void *arg;
    u16 devno;
};

static int punch_start(void *dev, struct dev_io *io)
{
    struct punch *punch = dev;
    u8 card[CARD_BYTES];
    if ((dev_io_command(io) & 0x03) != CMD_WRITE)
        return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    size_t n = dev_io_get(io, card, sizeof card);
    int rc = punch->sink ? punch->sink(punch->arg, punch->devno, dev_io_command(io), card, n)
                         : ST_OK;
    if (rc == ST_OK)
        return DS_NORMAL;
    return dev_io_unit_check(io, rc == ST_LIMIT ? SENSE_INTERVENTION : SENSE_EQUIPMENT_CHECK);
}

static const struct dev_ops punch_ops = {
    .name = "2540P",
    .chpid = CHPID_UNIT_RECORD,
    .sense_id = {0xff, 0x25, 0x40, 0x00, 0x25, 0x40, 0x02},
    .sense_id_bytes = 7,
    .start = punch_start,
    .detach = free,
};

int punch_create(struct css *css, u16 devno, bool announce, unitrec_sink *sink, void *arg,
                 struct cause *cause)
{
    struct punch *punch = malloc(sizeof *punch);
    if (!punch)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
    *punch = (struct punch){sink, arg, devno};
    int rc = css_attach(css, devno, &punch_ops, punch, announce, NULL, cause);
    if (rc != ST_OK)
        free(punch);
    return rc;
}
