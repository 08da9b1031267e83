/* Reserve and release of disks (reserve.h). */
#include "io/dasd/reserve.h"

#include "io/image/hold.h"

static struct hold *hold_of(struct image *img)
{
    return img ? image_hold(img) : NULL;
}

bool reserve_admitted(struct reserve *r, struct image *img)
{
    if (r->admitted)
        return true;
    r->hold = hold_of(img);
    r->admitted = hold_begin(r->hold);
    return r->admitted;
}

void reserve_admitted_end(struct reserve *r)
{
    if (r->admitted)
        hold_end(r->hold);
    r->hold = NULL;
    r->admitted = false;
}

bool reserve_untold(const struct reserve *r, struct image *img)
{
    return hold_losses(hold_of(img)) != r->losses;
}

void reserve_told(struct reserve *r, struct image *img, bool untold)
{
    r->losses = hold_losses(hold_of(img)) - untold;
}

bool reserve_lost(struct reserve *r, struct image *img)
{
    bool untold = reserve_untold(r, img);
    reserve_told(r, img, false);
    return untold;
}

int reserve_busy(const struct dev_io *io)
{
    return dev_io_chained(io) ? DEV_WAIT : DS_BUSY;
}

bool reserve_command(struct reserve *r, struct image *img, enum reserve_command command)
{
    struct hold *hold = hold_of(img);
    switch (command) {
    case RESERVE_RELEASE: hold_release(hold); return true;
    case RESERVE_UNCONDITIONAL: return hold_steal(hold);
    case RESERVE_RESERVE: break;
    }
    return hold_reserve(hold, r->admitted);
}

void reserve_cancel(struct reserve *r, struct image *img)
{
    hold_forget(hold_of(img));
    reserve_admitted_end(r);
}
