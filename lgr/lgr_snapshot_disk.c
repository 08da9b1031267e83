/* Minidisks are not in a snapshot: a guest that goes on from one believes its disks to be as they
 * were. What tells is the time of the last write to the file of the host, after everything that the
 * guest wrote is there; it tells too much where others write other minidisks of the volume. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hyp/rdev/rdev.h"
#include "lgr/lgr_snapshot_internal.h"

enum disk_at {
    AT_VDEV = 0,
    AT_VOLID = 2,
    AT_IDENTITY = 8,
    AT_UNITS = 16,
    AT_WRITTEN = 24, /* ns since 1970; 0: the host does not tell */
    AT_BYTES = 32,
    DISK_BYTES = 40,
};

static bool file_mark(const struct rdev *d, u64 *written_ns, u64 *bytes)
{
    struct stat stat_;
    *written_ns = *bytes = 0;
    if (stat(d->path, &stat_) || !S_ISREG(stat_.st_mode))
        return false;
    *written_ns = (u64)stat_.st_mtim.tv_sec * 1000000000u + (u64)stat_.st_mtim.tv_nsec;
    *bytes = (u64)stat_.st_size;
    return true;
}

static int rest(struct image *img, void *arg, struct cause *cause)
{
    (void)arg;
    return image_rest(img, cause);
}

int snapshot_disks_rest(struct cp *cp, struct cp_user *user, struct cause *cause)
{
    struct rdevs *r = cp_rdevs(cp);
    const char *id = cp_user_id(user);
    int rc = ST_OK;
    for (struct vlink *l = link_next(r, id, NULL); l && rc == ST_OK; l = link_next(r, id, l))
        if (l->write && l->rdev && l->share)
            rc = share_with_image(l->share, false, rest, NULL, cause);
    return rc;
}

void snapshot_disks_save(struct cp *cp, struct cp_user *user, struct codec_out *out)
{
    struct rdevs *r = cp_rdevs(cp);
    const char *id = cp_user_id(user);
    for (struct vlink *l = link_next(r, id, NULL); l; l = link_next(r, id, l)) {
        u8 p[DISK_BYTES] = {0};
        u64 written, bytes;
        if (!l->write || !l->rdev)
            continue;
        file_mark(l->rdev, &written, &bytes);
        be16_store(p + AT_VDEV, l->vdev);
        memcpy(p + AT_VOLID, l->rdev->volid, strnlen(l->rdev->volid, 6));
        be64_store(p + AT_IDENTITY, l->rdev->identity);
        be64_store(p + AT_UNITS, l->rdev->units);
        be64_store(p + AT_WRITTEN, written);
        be64_store(p + AT_BYTES, bytes);
        codec_put_bytes(out, SNAPSHOT_ROW_DISK, p, sizeof p);
    }
}

static void add(struct lgr_reasons *out, const char *user, unsigned vdev, const char *volid,
                const char *why)
{
    char line[MSG_LINE_BYTES];
    int number = msg_format(line, sizeof line, MSG_SNP1966E, user, vdev, volid, why);
    lgr_reason_add(out, number, line);
}

static void disk_check(struct rdevs *r, const char *user, const u8 *p, struct lgr_reasons *out)
{
    char volid[7] = "";
    u64 written, bytes;
    memcpy(volid, p + AT_VOLID, 6);
    for (char *c = volid; *c; c++)
        *c = *c > 0x20 && *c < 0x7f ? *c : '?';
    struct rdev *d =
        rdev_equivalent(r, volid, be64_load(p + AT_IDENTITY), be64_load(p + AT_UNITS));
    if (!d) /* told by eligibility */
        return;
    bool told = file_mark(d, &written, &bytes);
    if (!told || !be64_load(p + AT_WRITTEN))
        add(out, user, be16_load(p + AT_VDEV), volid, "may have been written to since");
    else if (written != be64_load(p + AT_WRITTEN) || bytes != be64_load(p + AT_BYTES))
        add(out, user, be16_load(p + AT_VDEV), volid, "has been written to since");
}

void snapshot_disks_check(struct cp *cp, const char *user, const struct snapshot_info *info,
                          struct lgr_reasons *out)
{
    for (u32 i = 0; i < info->disks; i++)
        if (info->disk[i].len == DISK_BYTES)
            disk_check(cp_rdevs(cp), user, info->disk[i].p, out);
        else
            add(out, user, 0, "?", "is not understood");
}
