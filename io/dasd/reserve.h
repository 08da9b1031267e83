/* A disk's part in the reservations of its volume (io/image/hold.h): a channel program that touches
 * the volume begins only while no other system has it reserved. The device's own thread. */
#ifndef ENDICOTT_IO_DASD_RESERVE_H
#define ENDICOTT_IO_DASD_RESERVE_H

#include "io/device.h"
#include "io/image/image.h"

/** Commands that are the same on all disks. */
enum reserve_command {
    RESERVE_UNCONDITIONAL = 0x14,
    RESERVE_RELEASE = 0x94,
    RESERVE_RESERVE = 0xb4,
};

struct hold;

/** A member of its device. */
struct reserve {
    struct hold *hold; /* while its program is counted there */
    bool admitted;
};

/** Before the channel program touches the volume. False: another system has it reserved; the
 *  device is told when it can be tried again. */
bool reserve_admitted(struct reserve *r, struct image *img);
/** The program is over, or another volume comes. */
void reserve_admitted_end(struct reserve *r);
/** What a command that was refused for now answers: busy at the start, else it waits. */
int reserve_busy(const struct dev_io *io);
/** Perform one of the commands; false: it has to wait. */
bool reserve_command(struct reserve *r, struct image *img, enum reserve_command command);
/** The program was ended from outside. */
void reserve_cancel(struct reserve *r, struct image *img);

#endif
