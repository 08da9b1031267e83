/* A disk of the host that fails: the operator is told once, and once more when it goes on. Reads
 * and writes are told of apart; a guest that tries again and again makes no more lines. */
#ifndef ENDICOTT_IO_DASD_TROUBLE_H
#define ENDICOTT_IO_DASD_TROUBLE_H

#include "io/css.h"

/** Of one device; the thread that executes its channel program. */
struct trouble {
    bool reading, writing;
};

/** A read or write of the device failed, with `cause`. */
void trouble_failed(struct trouble *t, const struct css *css, u16 devno, bool write,
                    const struct cause *cause);
/** One did not: the operator hears of it if the last one did. */
void trouble_well(struct trouble *t, const struct css *css, u16 devno, bool write);

#endif
