/* The inside of hyp/rdev: the table and its lists. */
#ifndef ENDICOTT_HYP_RDEV_RDEV_INTERNAL_H
#define ENDICOTT_HYP_RDEV_RDEV_INTERNAL_H

#include "hyp/rdev/rdev.h"

/* Created with the member, destroyed behind all virtual machines. */
struct rdevs {
    const struct system_config *config;
    struct rdev *rdev; /* by number */
    unsigned count;
    struct vlink *links; /* by user, then number */
};

#endif
