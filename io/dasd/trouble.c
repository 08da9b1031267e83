/* What the operator hears of disks of the host (trouble.h). */
#include "io/dasd/trouble.h"

#include "mem/base/log.h"

static const char *verb(bool write)
{
    return write ? "writing" : "reading";
}

void trouble_failed(struct trouble *t, const struct css *css, u16 devno, bool write,
                    const struct cause *cause)
{
    bool *told = write ? &t->writing : &t->reading;
    if (!*told)
        log_operator('E', "disk %04X of %s, %s: %s", devno, css_owner(css), verb(write),
                     cause->text);
    *told = true;
}

void trouble_well(struct trouble *t, const struct css *css, u16 devno, bool write)
{
    bool *told = write ? &t->writing : &t->reading;
    if (!*told)
        return;
    log_operator('I', "disk %04X of %s, %s: goes on", devno, css_owner(css), verb(write));
    *told = false;
}
