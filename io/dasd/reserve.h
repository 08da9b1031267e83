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
    u32 losses; /* of the reservation, that the guest has been told of */
};

/** Sense of a 3990 that another system took a reservation from: bytes 7 and 27. */
#define RESERVE_SENSE7_RESET_NOTIFICATION 0x3f

/** Before the channel program touches the volume. False: another system has it reserved; the
 *  device is told when it can be tried again. */
bool reserve_admitted(struct reserve *r, struct image *img);
/** The program is over, or another volume comes. */
void reserve_admitted_end(struct reserve *r);
/** What a command that was refused for now answers: busy at the start, else it waits. */
int reserve_busy(const struct dev_io *io);
/** Perform one of the commands; false: it has to wait. */
bool reserve_command(struct reserve *r, struct image *img, enum reserve_command command);
/** Has the reservation been lost since the guest was told? Asking tells it. */
bool reserve_lost(struct reserve *r, struct image *img);
/** For save and restore: is it to be told? */
bool reserve_untold(const struct reserve *r, struct image *img);
void reserve_told(struct reserve *r, struct image *img, bool untold);
/** The program was ended from outside. */
void reserve_cancel(struct reserve *r, struct image *img);

#endif
