/* LOADDEV, of the directory and SET LOADDEV: where IPL of a SCSI disk finds its program. */
#ifndef ENDICOTT_HYP_CONFIG_LOADDEV_H
#define ENDICOTT_HYP_CONFIG_LOADDEV_H

#include "mem/base/bytes.h"

#define LOADDEV_SCPDATA_BYTES_MAX 4096
#define LOADDEV_BOOTPROG_MAX 30

struct loaddev {
    u64 portname, lun, br_lba;
    unsigned bootprog;
    char scpdata[LOADDEV_SCPDATA_BYTES_MAX + 1]; /* UTF-8 */
};

/** One or two words of 1 to 8 hexadecimal digits, the left one first, or one of up to 16; `second`
 *  may be NULL. How many of them were taken; 0: it is no number. */
unsigned loaddev_number(const char *first, const char *second, u64 *out);

/** The operand that a word names. */
enum loaddev_operand {
    LOADDEV_NONE,
    LOADDEV_PORTNAME,
    LOADDEV_LUN,
    LOADDEV_BR_LBA,
    LOADDEV_BOOTPROG,
    LOADDEV_SCPDATA,
};
enum loaddev_operand loaddev_operand(const char *word);
/** Where the number of PORTNAME, LUN or BR_LBA is. */
u64 *loaddev_field(struct loaddev *l, enum loaddev_operand operand);

/** `text` behind SCPDATA, in quotes or not; `hex`: digits of EBCDIC characters. It comes behind
 *  what is there. False: no room, no digits, or a quote that is not closed; nothing has changed. */
bool loaddev_scpdata(struct loaddev *l, const char *text, bool hex);

#endif
