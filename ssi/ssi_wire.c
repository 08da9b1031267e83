/* Frames on an SSI link: encoding and hostile-input decoding.
 * Guarantees: never looks past `len`; a length is believed only after the header's crc. */
#include "ssi/ssi_internal.h"

#include <zlib.h>

#include "mem/base/crc32c.h"

#define CRC_AT 20

static const struct wire_row {
    const char *name;
    u32 min, max;
    unsigned states;
} wire_rows[] = {
#define IN(s) (1u << LINK_##s)
#define W(id, code, min_, max_, states_) [code] = {#id, min_, max_, states_},
#include "ssi/ssi_wire.def"
#undef IN
};

static const struct {
    const char *text;
    bool again;
} reason_rows[] = {
#define R(id, code, again_, text_) [code] = {text_, again_},
#include "ssi/ssi_wire.def"
};

size_t ssi_wire_header(u8 out[SSI_WIRE_HEAD_BYTES_MAX], const struct wire_frame *frame)
{
    u32 check_bytes = frame->checked ? SSI_WIRE_CHECK_BYTES : 0;
    be32_store(out, SSI_WIRE_MAGIC);
    be16_store(out + 4, frame->version);
    be16_store(out + 6, (u16)(frame->type | (frame->checked ? SSI_WIRE_CHECKED : 0)));
    be16_store(out + 8, frame->service);
    be16_store(out + 10, frame->mtype);
    be32_store(out + 12, frame->length + check_bytes);
    be32_store(out + 16, frame->seq);
    be32_store(out + CRC_AT, (u32)crc32(0, out, CRC_AT));
    if (frame->checked)
        be32_store(out + SSI_WIRE_HEADER_BYTES, frame->check);
    return SSI_WIRE_HEADER_BYTES + check_bytes;
}

static enum wire_parse wire_bad(const char **why, const char *text)
{
    *why = text;
    return WIRE_BAD;
}

/* The check is no part of type and payload. Before there were any, such a type is none. */
static bool take_check(struct wire_frame *frame)
{
    frame->checked =
        frame->version >= SSI_WIRE_VERSION_CHECKS && frame->type & SSI_WIRE_CHECKED;
    if (!frame->checked)
        return true;
    if (frame->length < SSI_WIRE_CHECK_BYTES)
        return false;
    frame->type &= (u16)~SSI_WIRE_CHECKED;
    frame->length -= SSI_WIRE_CHECK_BYTES;
    frame->payload += SSI_WIRE_CHECK_BYTES;
    return true;
}

enum wire_parse ssi_wire_parse(const u8 *p, size_t len, u32 payload_max,
                               struct wire_frame *frame, size_t *need, const char **why)
{
    static const u8 magic[4] = {'E', 'S', 'S', 'I'};
    if (memcmp(p, magic, len < sizeof magic ? len : sizeof magic) != 0)
        return wire_bad(why, "it does not speak the SSI protocol");
    *need = SSI_WIRE_HEADER_BYTES;
    if (len < SSI_WIRE_HEADER_BYTES)
        return WIRE_MORE;
    if (be32_load(p + CRC_AT) != (u32)crc32(0, p, CRC_AT))
        return wire_bad(why, "a message header is damaged");
    frame->version = be16_load(p + 4);
    frame->type = be16_load(p + 6);
    frame->service = be16_load(p + 8);
    frame->mtype = be16_load(p + 10);
    frame->length = be32_load(p + 12);
    frame->seq = be32_load(p + 16);
    frame->payload = p + SSI_WIRE_HEADER_BYTES;
    *need = SSI_WIRE_HEADER_BYTES + (size_t)frame->length;
    if (!take_check(frame))
        return wire_bad(why, "a message is too short");
    if (frame->length > payload_max)
        return wire_bad(why, "a message is too long");
    if (len < *need)
        return WIRE_MORE;
    if (frame->checked) {
        frame->check = be32_load(frame->payload - SSI_WIRE_CHECK_BYTES);
        if (frame->check != crc32c(0, frame->payload, frame->length))
            return wire_bad(why, "a message is damaged");
    }
    return WIRE_FRAME;
}

const char *ssi_wire_name(u16 type)
{
    return type < ARRAY_LEN(wire_rows) ? wire_rows[type].name : NULL;
}

const char *ssi_wire_check(const struct wire_frame *frame, unsigned link_state)
{
    if (!ssi_wire_name(frame->type))
        return "a message has an unknown type";
    const struct wire_row *row = &wire_rows[frame->type];
    if (!(row->states & (1u << link_state)))
        return "a message came out of turn";
    if (frame->length < row->min || frame->length > row->max)
        return "a message has a wrong length";
    return NULL;
}

const char *ssi_reason_text(u16 reason)
{
    const char *text = reason < ARRAY_LEN(reason_rows) ? reason_rows[reason].text : NULL;
    return text ? text : "no known reason";
}

bool ssi_reason_again(u16 reason)
{
    return reason < ARRAY_LEN(reason_rows) && reason_rows[reason].again;
}

static void put_name(struct codec_out *out, u16 tag, const char *name)
{
    codec_put_bytes(out, tag, name, strlen(name));
}

static void put_key(struct codec_out *out, u16 tag, const u8 *key)
{
    codec_put_bytes(out, tag, key, SSI_BINDING_BYTES);
}

#define put_u8 codec_put_u8
#define put_u16 codec_put_u16
#define put_u32 codec_put_u32
#define put_u64 codec_put_u64

void ssi_hello_encode(struct codec_out *out, const struct wire_hello *hello)
{
#define H(member_, tag, type) put_##type(out, tag, hello->member_);
#include "ssi/ssi_wire.def"
}

static bool get_name(const struct codec_row *row, char (*name)[SSI_NAME_BYTES])
{
    if (row->len == 0 || row->len >= SSI_NAME_BYTES)
        return false;
    for (u32 i = 0; i < row->len; i++)
        if (row->p[i] <= ' ' || row->p[i] > '~')
            return false;
    memset(*name, 0, sizeof *name);
    memcpy(*name, row->p, row->len);
    return true;
}

static bool get_key(const struct codec_row *row, u8 (*key)[SSI_BINDING_BYTES])
{
    if (row->len == sizeof *key)
        memcpy(*key, row->p, sizeof *key);
    return row->len == sizeof *key;
}

#define get_u8 codec_get_u8
#define get_u16 codec_get_u16
#define get_u32 codec_get_u32
#define get_u64 codec_get_u64

static bool hello_row(struct wire_hello *hello, const struct codec_row *row, unsigned *seen)
{
    bool ok = !(row->tag & CODEC_MANDATORY);
    switch (row->tag) {
#define H(member_, tag_, type)                                                                 \
    case tag_:                                                                                 \
        ok = !(*seen & (1u << (tag_ & 31))) && get_##type(row, &hello->member_);               \
        *seen |= 1u << (tag_ & 31);                                                            \
        break;
#include "ssi/ssi_wire.def"
    default: break;
    }
    return ok;
}

int ssi_hello_decode(struct wire_hello *hello, const u8 *p, size_t len)
{
    unsigned all = 0, seen = 0;
#define H(member_, tag_, type) all |= (tag_ & CODEC_MANDATORY ? 1u : 0u) << (tag_ & 31);
#include "ssi/ssi_wire.def"
    struct codec_in in;
    struct codec_row row;
    memset(hello, 0, sizeof *hello);
    codec_in_init(&in, p, len);
    while (codec_next(&in, &row))
        if (!hello_row(hello, &row, &seen))
            return ST_PROTO;
    return in.failed || (seen & all) != all ? ST_PROTO : ST_OK;
}
