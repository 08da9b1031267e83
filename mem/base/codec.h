/* The codec of relocation streams and snapshot files: nested blocks of tagged, big-endian rows.
 * A row is tag(2) length(4) value; a block is a row whose value starts with version(2) and holds
 * rows. The reader treats the stream as hostile: every length is checked against what is left. */
#ifndef ENDICOTT_MEM_BASE_CODEC_H
#define ENDICOTT_MEM_BASE_CODEC_H

#include "mem/base/bytes.h"

#define CODEC_MANDATORY                                                                        \
    0x8000u /* a reader that does not know this tag must refuse the stream */
#define CODEC_DEPTH_MAX 8
#define CODEC_BYTES_MAX (1u << 30)

/** A growing output buffer; `failed` sticks when memory runs out or a limit is passed. */
struct codec_out {
    u8 *data;
    size_t len, room;
    size_t open[CODEC_DEPTH_MAX];
    unsigned depth;
    bool failed;
};

void codec_out_init(struct codec_out *out);
void codec_out_fini(struct codec_out *out);
void codec_put_u8(struct codec_out *out, u16 tag, u8 v);
void codec_put_u16(struct codec_out *out, u16 tag, u16 v);
void codec_put_u32(struct codec_out *out, u16 tag, u32 v);
void codec_put_u64(struct codec_out *out, u16 tag, u64 v);
void codec_put_bytes(struct codec_out *out, u16 tag, const void *p, size_t len);
/** n integers of `width` bytes (1, 2, 4, 8) from a host-order array. */
void codec_put_array(struct codec_out *out, u16 tag, const void *p, unsigned width, size_t n);
void codec_begin(struct codec_out *out, u16 tag, u16 version);
void codec_end(struct codec_out *out);

/** A view of a stream or a block; owns nothing. */
struct codec_in {
    const u8 *p, *end;
    u16 version;
    bool failed;
};

/** One row: `p` points into the stream. */
struct codec_row {
    u16 tag;
    const u8 *p;
    u32 len;
};

void codec_in_init(struct codec_in *in, const void *data, size_t len);
/** Next row, or false at the end or when the stream is broken (then in->failed). */
bool codec_next(struct codec_in *in, struct codec_row *row);
/** Give each row to take(ctx, row); false when one is not taken or the stream is broken. */
bool codec_take(struct codec_in *in, bool (*take)(void *ctx, const struct codec_row *row),
                void *ctx);
/** The same of a message, all of whose bytes are rows. */
bool codec_take_all(const void *data, size_t len,
                    bool (*take)(void *ctx, const struct codec_row *row), void *ctx);
/** Open a row as a block; false (and in->failed unset) when it is too short. */
bool codec_open(const struct codec_row *row, struct codec_in *block);
/** Values; false when the row has another length. */
bool codec_get_u8(const struct codec_row *row, u8 *v);
bool codec_get_u16(const struct codec_row *row, u16 *v);
bool codec_get_u32(const struct codec_row *row, u32 *v);
bool codec_get_u64(const struct codec_row *row, u64 *v);
/** A text of less than `room` bytes, none of them zero. */
bool codec_get_text(const struct codec_row *row, char *out, size_t room);
/** The same, and all of it printable ASCII. */
bool codec_get_printable(const struct codec_row *row, char *out, size_t room);
bool codec_get_array(const struct codec_row *row, void *p, unsigned width, size_t n);

#endif
