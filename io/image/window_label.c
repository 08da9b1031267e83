/* What is read of a volume without a lock: its label, what CP uses its space for (window.h). */
#include "io/ebcdic.h"
#include "io/image/alloc_map.h"
#include "io/image/image_internal.h"
#include "io/image/vtoc.h"
#include "io/image/window.h"

#define PEEKS_MAX 5 /* a writer may be at work */
#define LABEL_BLOCK 1u

int window_peek(const char *path, struct image **out, struct cause *cause)
{
    int rc = ST_OK;
    for (unsigned i = 0; i < PEEKS_MAX; i++) {
        rc = image_open(path, IMAGE_READ_ONLY | IMAGE_NO_LOCK, out, cause);
        if (rc != ST_PROTO)
            break;
    }
    return rc;
}

/** Block 1 of an FBA volume: "VOL1" and six characters. */
static int block_label(struct image *img, char out[7], struct cause *cause)
{
    u8 block[IMAGE_BLOCK_BYTES];
    char text[32] = "";
    out[0] = 0;
    if (image_geometry(img)->blocks <= LABEL_BLOCK)
        return ST_OK;
    int rc = image_read_blocks(img, LABEL_BLOCK, 1, block, cause);
    if (rc == ST_OK)
        ebcdic_to_utf8(EBCDIC_037, block, 10, text);
    if (rc || strncmp(text, "VOL1", 4) != 0)
        return rc;
    memcpy(out, text + 4, 6);
    out[6] = 0;
    for (size_t n = 6; n && out[n - 1] == ' '; n--)
        out[n - 1] = 0;
    return ST_OK;
}

static int read_label(struct image *img, void *out, struct cause *cause)
{
    return image_geometry(img)->tracks ? vtoc_volume(img, out, cause)
                                       : block_label(img, out, cause);
}

static int read_map(struct image *img, void *out, struct cause *cause)
{
    return alloc_map_read(img, out, cause);
}

/** Have `fn` look at the file, without a lock: again when a writer was at work there. */
static int look(const struct share *s, int (*fn)(struct image *, void *, struct cause *),
                void *out, struct cause *cause)
{
    struct image *img;
    int rc = ST_OK;
    for (unsigned i = 0; i < PEEKS_MAX; i++) {
        rc = window_peek(share_path(s), &img, cause);
        if (rc)
            return rc;
        rc = fn(img, out, cause);
        image_unref(img);
        if (rc != ST_PROTO)
            break;
    }
    return rc;
}

int share_label(const struct share *s, char out[7], struct cause *cause)
{
    return look(s, read_label, out, cause);
}

int share_alloc_map(const struct share *s, struct alloc_map *out, struct cause *cause)
{
    return look(s, read_map, out, cause);
}
