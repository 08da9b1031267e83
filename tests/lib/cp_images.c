/* The disks of cp_images.h. */
#include "tests/lib/cp_images.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/rdev/rdev.h"
#include "io/image/track.h"

char images_dir[64];
static u8 buf[IMAGE_TRACK_BYTES_MAX];

void images_begin(void)
{
    strcpy(images_dir, "/tmp/images_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(images_dir));
}

void images_end(void)
{
    char command[128];
    cp_world_teardown();
    cp_world_users = cp_world_devices = cp_world_config = "";
    snprintf(command, sizeof command, "rm -rf %s", images_dir);
    ck_assert_int_eq(system(command), 0);
}

void image_make(const char *name, enum image_format format, u32 units, const char *volume)
{
    char path[128];
    struct cause cause;
    bool fba = format == IMAGE_FBA_RAW;
    const struct image_create what = {.format = format,
                                      .cylinders = fba ? 0 : units,
                                      .blocks = fba ? units : 0,
                                      .compress = true,
                                      .volume = fba ? NULL : volume};
    snprintf(path, sizeof path, "%s/%s", images_dir, name);
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
}

struct image *image_of(int member, const char *user, u16 vdev)
{
    struct vlink *l = link_find(cp_rdevs(cps[member]), user, vdev);
    ck_assert_ptr_nonnull(l);
    return l->img;
}

void image_fill(struct image *img, u32 at, u8 byte)
{
    u8 data[512];
    struct cause cause;
    memset(data, byte, sizeof data);
    if (!image_geometry(img)->tracks) {
        ck_assert_int_eq(image_write_blocks(img, at, 1, data, &cause), ST_OK);
        return;
    }
    u32 len = track_make_null(TRACK_NULL_EMPTY, at, TRACK_HEADS_3390, buf);
    len = track_append(buf, len, 1, 0, sizeof data, NULL, data);
    ck_assert_msg(image_write_track(img, at, buf, len, &cause) == ST_OK, "%s", cause.text);
}

u8 image_byte(struct image *img, u32 at)
{
    struct track_layout t;
    struct cause cause;
    u32 len;
    if (!image_geometry(img)->tracks) {
        ck_assert_int_eq(image_read_blocks(img, at, 1, buf, &cause), ST_OK);
        return buf[0];
    }
    ck_assert_msg(image_read_track(img, at, buf, &len, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(track_scan(buf, len, at, TRACK_HEADS_3390, &t, &cause), ST_OK);
    return t.count > 1 ? buf[t.offset[1] + TRACK_COUNT_BYTES] : 0;
}
