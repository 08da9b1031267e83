/* The inside of a tape drive, for io/tape and its unit tests. */
#ifndef ENDICOTT_IO_TAPE_INTERNAL_H
#define ENDICOTT_IO_TAPE_INTERNAL_H

#include "io/css_internal.h"
#include "io/io_state.h"
#include "io/tape/tape.h"

/** Why a drive answers with a unit check: rows of tape_sense.def. */
enum tape_check {
#define C(name, byte0, erpa, reason, message, help) TAPE_CHECK_##name,
#include "io/tape/tape_sense.def"
};

/** Located by css (devno); tape_create, detach; `lock` guards file and state. */
struct tape {
    struct css *css;
    enum tape_type type;
    u16 devno;
    struct lock lock;
    struct tape_state s;
    struct tape_file *file;     /* NULL: no volume */
    struct tape_loader *loader; /* NULL: none comes but from elsewhere */
    bool ready;                 /* a volume was loaded: the guest is to be told */
    u8 buf[TAPE_BLOCK_BYTES_MAX];
};

/* tape_sense.c; with the tape's lock */
/** What a sense command is answered that follows no unit check. */
void tape_sense_idle(const struct tape *tape, u8 sense[SENSE_BYTES_MAX]);
/** Unit status with unit check, its sense data in `io`. */
int tape_unit_check(const struct tape *tape, struct dev_io *io, enum tape_check why);
/** The host's file is damaged, full or cannot be written: the operator is told, the guest
 * checked. */
int tape_host_check(const struct tape *tape, struct dev_io *io, const struct cause *cause);
/** READ DEVICE CHARACTERISTICS. */
#define TAPE_CHARACTERISTICS_BYTES 64u
void tape_characteristics(const struct tape *tape, u8 out[TAPE_CHARACTERISTICS_BYTES]);
/** MEDIUM SENSE of the 3590. */
#define TAPE_MEDIUM_BYTES 128u
void tape_medium(const struct tape *tape, u8 out[TAPE_MEDIUM_BYTES]);

/* tape_mount.c; with the tape's lock */
/** LOAD DISPLAY: what the host shows to the operator; a request to mount is kept, and granted
 *  at once when the drive is empty. */
void tape_display(struct tape *tape, const u8 *order, size_t len);
/** The drive is empty: load what was asked for, if anything. */
void tape_mount_wanted(struct tape *tape);

#endif
