/* What DIAGNOSE codes ask CP: a user's settings, where a minidisk is (vm_asks.h). */
#include <string.h>

#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/rdev/rdev.h"

void cp_settings(const struct cp *cp, const char *userid, struct vm_settings *out)
{
    const struct cp_user *user = cp_user_find(cp, userid);
    u32 s = user ? user->settings : CP_SET_DEFAULT;
    *out = (struct vm_settings){
        .emsg = !(s & CP_SET_EMSG)     ? VM_EMSG_OFF
                : s & CP_SET_EMSG_TEXT ? VM_EMSG_TEXT
                : s & CP_SET_EMSG_CODE ? VM_EMSG_CODE
                                       : VM_EMSG_ON,
        .dateformat = user ? cp_user_dateformat(user) : VM_DATE_SHORT,
    };
}

static void volume(struct vm_minidisk *io, const struct rdev *rdev)
{
    io->rdev = rdev->devno;
    strcpy(io->volid, rdev->volid);
    io->full_pack = !io->dedicated && !io->start && io->count == rdev->units;
}

/* The MDISK statement of an entry. */
static enum vm_minidisk_result from_directory(struct cp *cp, const struct dir_entry *e,
                                              struct vm_minidisk *io)
{
    const struct dir_mdisk *m = NULL;
    for (unsigned i = 0; i < e->mdisk_count && !m; i++)
        m = e->mdisks[i].vdev == io->vdev ? &e->mdisks[i] : NULL;
    if (!m)
        return VM_MINIDISK_NO_DEVICE;
    if (m->kind == DIR_MDISK_TEMP || m->kind == DIR_MDISK_VIRTUAL)
        return VM_MINIDISK_NO_DISK;
    struct rdevs *r = cp_rdevs(cp);
    io->by_devno = m->kind == DIR_MDISK_DEVNO;
    const struct rdev *rdev = !r             ? NULL
                              : io->by_devno ? rdev_find(r, m->rdev)
                                             : rdev_volume(r, m->volid);
    strcpy(io->volid, m->volid);
    io->start = m->start;
    io->count = m->count == DIR_MDISK_END || io->by_devno ? rdev ? rdev->units - m->start : 0
                                                          : m->count;
    strcpy(io->owner, e->userid);
    io->owner_vdev = m->vdev;
    if (rdev)
        volume(io, rdev);
    return VM_MINIDISK_FOUND;
}

/* What a user who is logged on has at the number. */
static enum vm_minidisk_result from_machine(struct cp *cp, const char *userid,
                                            struct vm_minidisk *io)
{
    struct rdevs *r = cp_rdevs(cp);
    const struct vlink *l = r ? link_find(r, userid, io->vdev) : NULL;
    if (!l)
        return VM_MINIDISK_NO_DEVICE;
    if (!l->rdev || l->kind == VLINK_TAPE)
        return VM_MINIDISK_NO_DISK;
    io->dedicated = l->kind == VLINK_DEDICATED;
    io->start = io->dedicated ? 0 : l->extent.first;
    io->count = io->dedicated ? l->rdev->units : l->extent.count;
    strcpy(io->owner, l->owner[0] ? l->owner : userid);
    io->owner_vdev = l->owner[0] ? l->owner_vdev : l->vdev;
    volume(io, l->rdev);
    return VM_MINIDISK_FOUND;
}

enum vm_minidisk_result cp_minidisk(struct cp *cp, const char *userid, struct vm_minidisk *io)
{
    const struct cp_user *asks = cp_user_find(cp, userid);
    const char *whose = io->user[0] ? io->user : userid;
    if (!asks || !cp_userid_ok(whose))
        return VM_MINIDISK_NO_USER;
    if (strcmp(whose, userid) && !(asks->entry->options & DIR_OPT_DEVINFO))
        return VM_MINIDISK_NOT_ALLOWED;
    cp_directory_refresh(cp);
    const struct dir_entry *e = directory_find(cp->directory, whose);
    if (!e || (!io->directory && !cp_user_find(cp, whose)))
        return VM_MINIDISK_NO_USER;
    return io->directory ? from_directory(cp, e, io) : from_machine(cp, whose, io);
}
