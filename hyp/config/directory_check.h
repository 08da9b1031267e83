/* Between the parts of the check of a directory. Internal to hyp/config. */
#ifndef ENDICOTT_HYP_CONFIG_DIRECTORY_CHECK_H
#define ENDICOTT_HYP_CONFIG_DIRECTORY_CHECK_H

#include "hyp/config/directory_internal.h"
#include "hyp/config/fault.h"

#define DIR_VIEWS_MAX 16 /* members of a check */

struct dir_check {
    const char *file;
    struct faults *faults;
    unsigned views;
    struct dir_check_for whom[DIR_VIEWS_MAX];
    struct directory *view[DIR_VIEWS_MAX]; /* as each of them sees it */
};

/* directory_extent.c */
void dir_check_extents(struct dir_check *k);
/* directory_check_user.c: one entry, as one member sees it. */
void dir_check_entry(struct dir_check *k, unsigned view, const struct dir_entry *e);

#endif
