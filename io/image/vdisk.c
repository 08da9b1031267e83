/* Virtual disks in storage (vdisk.h): blocks are copied, and marked behind the copy (area.h). Who
 * uses the image sees to it that not one block moves twice at a time, as of all formats that are
 * `fixed`. */
#include "io/image/vdisk.h"

#include <stdlib.h>

#include "io/image/image_internal.h"

struct vdisk {
    struct area *area;
};

struct area *vdisk_area(const struct image *img)
{
    const struct vdisk *v = img->format;
    return v->area;
}

static int blocks(struct image *img, bool write, u64 block, u32 count, u8 *buf,
                  struct cause *cause)
{
    struct area *a = vdisk_area(img);
    u64 at = block * IMAGE_BLOCK_BYTES;
    size_t len = (size_t)count * IMAGE_BLOCK_BYTES;
    (void)cause;
    if (!write) {
        memcpy(buf, a->base + at, len);
        return ST_OK;
    }
    memcpy(a->base + at, buf, len);
    area_mark(a, at, len);
    return ST_OK;
}

static int vdisk_close(struct image *img, struct cause *cause)
{
    (void)cause;
    area_unref(vdisk_area(img));
    return ST_OK;
}

static const struct image_ops vdisk_ops = {
    .format = IMAGE_FBA_RAW, .fixed = true, .blocks = blocks, .close = vdisk_close};

int vdisk_create(u64 count, struct image **out, struct cause *cause)
{
    struct image *img = image_alloc("a virtual disk in storage", 0);
    struct vdisk *v = img ? calloc(1, sizeof *v) : NULL;
    struct cause why = {0};
    if (v && area_create(count * IMAGE_BLOCK_BYTES, &v->area, &why) == ST_OK) {
        img->format = v;
        img->geometry = (struct image_geometry){.type = 0x9336, .blocks = count};
        img->ops = &vdisk_ops;
        *out = img;
        return ST_OK;
    }
    free(v);
    if (img)
        image_free(img);
    return cause_set(cause, ST_NOMEM, "no memory for a virtual disk%s%s", *why.text ? ": " : "",
                     why.text);
}
