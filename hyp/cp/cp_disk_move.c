/* Devices of a guest that is relocated. What it has is told before its state; the destination makes
 * the same devices on windows that are not active: [D2] a disk is opened for writing only when the
 * guest belongs to this member and the other one has let go of the extent, whose lock tells. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_net.h"
#include "mem/base/log.h"

#define GO_AGAIN_MS 10u
#define GO_TOLD_TRIES 200u /* two seconds: the operator is told */
#define UNIT_BYTES 3u
#define DISK_BYTES 55u
#define NAME_BYTES 8u
#define VOLID_BYTES 6u

enum {
    ROW_UNIT = CODEC_MANDATORY | 1, /* kind 1, vdev 2 */
    ROW_DISK = CODEC_MANDATORY | 2,
    ROW_NIC = CODEC_MANDATORY | 3,   /* hyp/net/nic_logon.c */
    ROW_CTCA = CODEC_MANDATORY | 4,  /* cp_ctca.c */
    ROW_VDISK = CODEC_MANDATORY | 5, /* vdev(2): a virtual disk that is there */
};

/* Where what is in ROW_DISK. */
enum disk_at {
    AT_VDEV = 0,
    AT_OWNER_VDEV = 2,
    AT_MODE = 4,
    AT_WRITE = 5,
    AT_FIRST = 6,
    AT_COUNT = 14,
    AT_UNITS = 22,
    AT_IDENTITY = 30,
    AT_OWNER = 38,
    AT_VOLID = AT_OWNER + NAME_BYTES,
    AT_CACHE = AT_VOLID + VOLID_BYTES, /* 0 of an older level: as the directory says */
};
enum { CACHE_ON = 1, CACHE_OFF = 2 }; /* SET MDCACHE MDISK */
_Static_assert(AT_CACHE < DISK_BYTES, "all of a disk fits into its row");

/* By number in ROW_UNIT. */
static const enum vm_unit units[] = {VM_UNIT_CONSOLE,     VM_UNIT_READER,  VM_UNIT_PUNCH,
                                     VM_UNIT_PRINTER,     VM_UNIT_DISPLAY, VM_UNIT_PRINTER_3203,
                                     VM_UNIT_PRINTER_3211};

static u8 unit_number(enum vm_unit unit)
{
    u8 n = 0;
    while (n < ARRAY_LEN(units) - 1 && units[n] != unit)
        n++;
    return n;
}

/* --- source --------------------------------------------------------------------------------- */

static void disk_put(const struct vlink *l, struct codec_out *out)
{
    u8 p[DISK_BYTES] = {0};
    be16_store(p + AT_VDEV, l->vdev);
    be16_store(p + AT_OWNER_VDEV, l->owner_vdev);
    p[AT_MODE] = (u8)l->mode;
    p[AT_WRITE] = l->write;
    p[AT_CACHE] = l->cache ? CACHE_ON : CACHE_OFF;
    be64_store(p + AT_FIRST, l->extent.first);
    be64_store(p + AT_COUNT, l->extent.count);
    be64_store(p + AT_UNITS, l->rdev->units);
    be64_store(p + AT_IDENTITY, l->rdev->identity);
    memcpy(p + AT_OWNER, l->owner, strlen(l->owner));
    memcpy(p + AT_VOLID, l->rdev->volid, strlen(l->rdev->volid));
    codec_put_bytes(out, ROW_DISK, p, sizeof p);
}

void cp_user_save_devices(struct cp_user *user, struct codec_out *out)
{
    const struct vm_ops *vm = user->cp->ports.vm;
    struct rdevs *r = cp_rdevs(user->cp);
    struct vm_device_row row;
    for (unsigned i = 0; vm->device_row(user->vm, i, &row); i++) {
        u8 p[UNIT_BYTES] = {unit_number(row.unit)};
        be16_store(p + 1, row.devno);
        codec_put_bytes(out, ROW_UNIT, p, sizeof p);
    }
    for (struct vlink *l = link_next(r, user->userid, NULL); l;
         l = link_next(r, user->userid, l))
        if (l->kind == VLINK_MDISK)
            disk_put(l, out);
        else if (l->kind == VLINK_VIRTUAL)
            codec_put_u16(out, ROW_VDISK, l->vdev);
    cp_nics_save(user, ROW_NIC, out);
    cp_ctcas_save(user, ROW_CTCA, out);
}

/* --- destination ---------------------------------------------------------------------------- */

/* All that the directory gave the machine and its state may not have; it is made anew. */
static void units_clear(struct cp_user *user)
{
    const struct vm_ops *vm = user->cp->ports.vm;
    struct vm_device_row row;
    struct cause ignored;
    while (vm->device_row(user->vm, 0, &row) &&
           vm->device_detach(user->vm, row.devno, false, &ignored) == ST_OK)
        ;
}

static int unit_get(struct cp_user *user, const struct codec_row *row, struct cause *cause)
{
    if (row->len != UNIT_BYTES || row->p[0] >= ARRAY_LEN(units) || !be16_load(row->p + 1))
        return cause_set(cause, ST_PROTO, "a device of %s is damaged", user->userid);
    return user->cp->ports.vm->unit_attach(user->vm, units[row->p[0]], be16_load(row->p + 1),
                                           false, cause);
}

static bool name_get(const u8 *p, size_t len, char *out)
{
    char text[NAME_BYTES + 1] = "";
    memcpy(text, p, len);
    return scan_name(text, out, len);
}

static int disk_get(struct cp_user *user, const struct codec_row *row, struct cause *cause)
{
    struct rdevs *r = cp_rdevs(user->cp);
    char owner[NAME_BYTES + 1], volid[NAME_BYTES + 1];
    const u8 *p = row->p;
    if (row->len != DISK_BYTES || p[AT_MODE] >= LINK_MODES || p[AT_WRITE] > 1 ||
        p[AT_CACHE] > CACHE_OFF || !name_get(p + AT_OWNER, NAME_BYTES, owner) ||
        !name_get(p + AT_VOLID, VOLID_BYTES, volid))
        return cause_set(cause, ST_PROTO, "a disk of %s is damaged", user->userid);
    const char *whose = owner;
    u16 owner_vdev = be16_load(p + AT_OWNER_VDEV);
    const struct dir_mdisk *known = cp_mdisk_find(user->cp, user->userid, &whose, owner_vdev);
    const struct dir_mdisk m = {.vdev = owner_vdev, .no_cache = known && known->no_cache};
    const struct link_request q = {.user = user->userid,
                                   .vdev = be16_load(p + AT_VDEV),
                                   .owner = owner,
                                   .mdisk = &m,
                                   .mode = (enum link_mode)p[AT_MODE]};
    const struct window_extent extent = {be64_load(p + AT_FIRST), be64_load(p + AT_COUNT)};
    struct rdev *d =
        rdev_equivalent(r, volid, be64_load(p + AT_IDENTITY), be64_load(p + AT_UNITS));
    struct vlink *l;
    if (!d || link_find(r, user->userid, q.vdev))
        return cause_set(cause, ST_NOENT, "volume %s of disk %04X is not here", volid, q.vdev);
    int rc = link_arriving(r, &q, d, extent, p[AT_WRITE], &l, cause);
    if (rc == ST_OK && p[AT_CACHE])
        link_set_cache(l, p[AT_CACHE] == CACHE_ON);
    return rc ? rc : user->cp->ports.vm->disk_attach(user->vm, q.vdev, l->img, false, cause);
}

/* Its link came before its content. */
static int vdisk_get(struct cp_user *user, const struct codec_row *row, struct cause *cause)
{
    u16 vdev;
    struct vlink *l =
        codec_get_u16(row, &vdev) ? link_find(cp_rdevs(user->cp), user->userid, vdev) : NULL;
    if (!l || l->kind != VLINK_VIRTUAL)
        return cause_set(cause, ST_PROTO, "a virtual disk of %s is not here", user->userid);
    return user->cp->ports.vm->disk_attach(user->vm, vdev, l->img, false, cause);
}

int cp_user_restore_devices(struct cp_user *user, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    int rc = ST_OK;
    units_clear(user);
    while (rc == ST_OK && codec_next(in, &row)) {
        if (row.tag == ROW_UNIT)
            rc = unit_get(user, &row, cause);
        else if (row.tag == ROW_DISK)
            rc = disk_get(user, &row, cause);
        else if (row.tag == ROW_VDISK)
            rc = vdisk_get(user, &row, cause);
        else if (row.tag == ROW_NIC)
            rc = cp_nic_restore(user, &row, cause);
        else if (row.tag == ROW_CTCA)
            rc = cp_ctca_restore(user, &row, cause);
        else if (row.tag & CODEC_MANDATORY)
            rc = cause_set(cause, ST_PROTO, "a device of another kind");
    }
    if (rc == ST_OK && in->failed)
        rc = cause_set(cause, ST_PROTO, "devices of %s are incomplete", user->userid);
    return rc;
}

static void try_to_go(void *arg)
{
    struct cp_user *user = arg;
    struct cp *cp = user->cp;
    struct cause cause = {0};
    user->go_timer = 0;
    if (cp->shut) {
        log_line("USER %s has come while the system ends, and is logged off", user->userid);
        cp_session_end(user, true);
        return;
    }
    if (!cp_rdevs(cp) || links_activate(cp_rdevs(cp), user->userid, &cause) == ST_OK) {
        user->go(user, user->go_arg);
        return;
    }
    if (++user->go_tries == GO_TOLD_TRIES)
        cp_operator_tell(cp, "USER %s waits for its disks: %s", user->userid, cause.text);
    user->go_timer = cp->ports.timer_start(cp->ports.ctx, GO_AGAIN_MS, try_to_go, user);
}

void cp_user_let_go(struct cp_user *user)
{
    if (cp_rdevs(user->cp))
        links_let_go(cp_rdevs(user->cp), user->userid);
}

void cp_user_go(struct cp_user *user, void (*go)(struct cp_user *user, void *arg), void *arg)
{
    user->go = go;
    user->go_arg = arg;
    user->go_tries = 0;
    try_to_go(user);
}
