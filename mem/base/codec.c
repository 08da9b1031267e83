/* The codec of relocation streams and snapshot files.
 * Guarantees: a reader never looks past the bytes it was given, whatever they say. */
#include "mem/base/codec.h"

#include <stdlib.h>

#include "mem/base/ergo.h"

#define ROW_HEADER_BYTES 6
#define CODEC_GROW_BYTES 4096

void codec_out_init(struct codec_out *out)
{
    memset(out, 0, sizeof *out);
}

void codec_out_fini(struct codec_out *out)
{
    free(out->data);
    memset(out, 0, sizeof *out);
}

static u8 *codec_grow(struct codec_out *out, size_t n)
{
    if (out->failed || n > CODEC_BYTES_MAX - out->len) {
        out->failed = true;
        return NULL;
    }
    if (out->len + n > out->room) {
        size_t room = (out->len + n) * 2 + CODEC_GROW_BYTES;
        u8 *data = realloc(out->data, room);
        if (!data) {
            out->failed = true;
            return NULL;
        }
        out->data = data;
        out->room = room;
    }
    u8 *p = out->data + out->len;
    out->len += n;
    return p;
}

static u8 *codec_row_begin(struct codec_out *out, u16 tag, size_t len)
{
    u8 *p = codec_grow(out, ROW_HEADER_BYTES + len);
    if (!p)
        return NULL;
    be16_store(p, tag);
    be32_store(p + 2, (u32)len);
    return p + ROW_HEADER_BYTES;
}

void codec_put_bytes(struct codec_out *out, u16 tag, const void *src, size_t len)
{
    u8 *p = codec_row_begin(out, tag, len);
    if (p && len)
        memcpy(p, src, len);
}

void codec_put_u8(struct codec_out *out, u16 tag, u8 v)
{
    codec_put_bytes(out, tag, &v, 1);
}

void codec_put_u16(struct codec_out *out, u16 tag, u16 v)
{
    codec_put_array(out, tag, &v, 2, 1);
}

void codec_put_u32(struct codec_out *out, u16 tag, u32 v)
{
    codec_put_array(out, tag, &v, 4, 1);
}

void codec_put_u64(struct codec_out *out, u16 tag, u64 v)
{
    codec_put_array(out, tag, &v, 8, 1);
}

void codec_put_array(struct codec_out *out, u16 tag, const void *src, unsigned width, size_t n)
{
    PRE(width == 1 || width == 2 || width == 4 || width == 8);
    u8 *p = codec_row_begin(out, tag, width * n);
    if (!p)
        return;
    const u8 *s = src;
    for (size_t i = 0; i < n; i++, p += width, s += width)
        for (unsigned b = 0; b < width; b++)
            p[b] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? s[width - 1 - b] : s[b];
}

void codec_begin(struct codec_out *out, u16 tag, u16 version)
{
    PRE(out->depth < CODEC_DEPTH_MAX);
    out->open[out->depth++] = out->len;
    u8 *p = codec_row_begin(out, tag, 2);
    if (p)
        be16_store(p, version);
}

void codec_end(struct codec_out *out)
{
    PRE(out->depth > 0);
    size_t at = out->open[--out->depth];
    if (!out->failed)
        be32_store(out->data + at + 2, (u32)(out->len - at - ROW_HEADER_BYTES));
}

void codec_in_init(struct codec_in *in, const void *data, size_t len)
{
    *in = (struct codec_in){.p = data, .end = (const u8 *)data + len};
}

bool codec_next(struct codec_in *in, struct codec_row *row)
{
    size_t left = (size_t)(in->end - in->p);
    if (in->failed || left == 0)
        return false;
    if (left < ROW_HEADER_BYTES || be32_load(in->p + 2) > left - ROW_HEADER_BYTES) {
        in->failed = true;
        return false;
    }
    row->tag = be16_load(in->p);
    row->len = be32_load(in->p + 2);
    row->p = in->p + ROW_HEADER_BYTES;
    in->p = row->p + row->len;
    return true;
}

bool codec_take(struct codec_in *in, bool (*take)(void *ctx, const struct codec_row *row),
                void *ctx)
{
    struct codec_row row;
    while (codec_next(in, &row))
        if (!take(ctx, &row))
            return false;
    return !in->failed;
}

bool codec_take_all(const void *data, size_t len,
                    bool (*take)(void *ctx, const struct codec_row *row), void *ctx)
{
    struct codec_in in;
    codec_in_init(&in, data, len);
    return codec_take(&in, take, ctx);
}

bool codec_open(const struct codec_row *row, struct codec_in *block)
{
    if (row->len < 2)
        return false;
    codec_in_init(block, row->p + 2, row->len - 2);
    block->version = be16_load(row->p);
    return true;
}

bool codec_get_text(const struct codec_row *row, char *out, size_t room)
{
    if (row->len >= room || memchr(row->p, 0, row->len))
        return false;
    memcpy(out, row->p, row->len);
    out[row->len] = 0;
    return true;
}

bool codec_get_printable(const struct codec_row *row, char *out, size_t room)
{
    for (u32 i = 0; i < row->len; i++)
        if (row->p[i] < 0x20 || row->p[i] > 0x7e)
            return false;
    return codec_get_text(row, out, room);
}

bool codec_get_array(const struct codec_row *row, void *dst, unsigned width, size_t n)
{
    if (n > row->len || (u64)row->len != (u64)width * n)
        return false;
    const u8 *p = row->p;
    u8 *d = dst;
    for (size_t i = 0; i < n; i++, p += width, d += width)
        for (unsigned b = 0; b < width; b++)
            d[b] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? p[width - 1 - b] : p[b];
    return true;
}

bool codec_get_u8(const struct codec_row *row, u8 *v)
{
    return codec_get_array(row, v, 1, 1);
}

bool codec_get_u16(const struct codec_row *row, u16 *v)
{
    return codec_get_array(row, v, 2, 1);
}

bool codec_get_u32(const struct codec_row *row, u32 *v)
{
    return codec_get_array(row, v, 4, 1);
}

bool codec_get_u64(const struct codec_row *row, u64 *v)
{
    return codec_get_array(row, v, 8, 1);
}
