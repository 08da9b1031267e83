/* Raw blocks of 512 bytes, one after another: what everybody calls a raw disk image. */
#include "io/image/image_internal.h"

#define BLOCKS_MAX 0xffffffffull /* the architecture counts them in 32 bits */

static int fba_blocks(struct image *img, bool write, u64 block, u32 count, u8 *buf,
                      struct cause *cause)
{
    u64 at = block * IMAGE_BLOCK_BYTES;
    u32 len = count * IMAGE_BLOCK_BYTES;
    return write ? image_pwrite(img, 0, at, buf, len, cause)
                 : image_pread(img, 0, at, buf, len, cause);
}

static bool fba_try_blocks(struct image *img, u64 block, u32 count, u8 *buf)
{
    return image_try_pread(img, 0, block * IMAGE_BLOCK_BYTES, buf, count * IMAGE_BLOCK_BYTES);
}

static const struct image_ops fba_ops = {
    .format = IMAGE_FBA_RAW, .fixed = true, .blocks = fba_blocks, .try_blocks = fba_try_blocks};

int fba_raw_open(struct image *img, struct cause *cause)
{
    u64 size = img->file[0].size;
    if (size % IMAGE_BLOCK_BYTES)
        return cause_set(cause, ST_PROTO,
                         "%s: no disk image: no header, and %llu bytes are not blocks of 512",
                         img->path, (unsigned long long)size);
    if (size / IMAGE_BLOCK_BYTES > BLOCKS_MAX)
        return cause_set(cause, ST_LIMIT, "%s: over %llu blocks", img->path, BLOCKS_MAX);
    img->geometry = (struct image_geometry){.type = 0x9336, .blocks = size / IMAGE_BLOCK_BYTES};
    img->ops = &fba_ops;
    return ST_OK;
}
