/* One track of a CCKD image: a home address whose first byte says how the rest is compressed. */
#include <zlib.h>

#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif

#include "io/image/cckd_internal.h"

static int unpack_zlib(const u8 *in, u32 len, u32 track, u8 *out, u32 *out_len,
                       struct cause *cause)
{
    uLongf n = IMAGE_TRACK_BYTES_MAX - TRACK_HA_BYTES;
    int rc = uncompress(out + TRACK_HA_BYTES, &n, in + TRACK_HA_BYTES, len - TRACK_HA_BYTES);
    if (rc != Z_OK)
        return cause_set(cause, ST_PROTO, "track %u: damaged zlib data (%d)", track, rc);
    *out_len = TRACK_HA_BYTES + (u32)n;
    return ST_OK;
}

static int unpack_bzip2(const u8 *in, u32 len, u32 track, u8 *out, u32 *out_len,
                        struct cause *cause)
{
#ifdef HAVE_BZIP2
    unsigned n = IMAGE_TRACK_BYTES_MAX - TRACK_HA_BYTES;
    int rc = BZ2_bzBuffToBuffDecompress((char *)out + TRACK_HA_BYTES, &n,
                                        (char *)(uintptr_t)in + TRACK_HA_BYTES,
                                        len - TRACK_HA_BYTES, 0, 0);
    if (rc != BZ_OK)
        return cause_set(cause, ST_PROTO, "track %u: damaged bzip2 data (%d)", track, rc);
    *out_len = TRACK_HA_BYTES + n;
    return ST_OK;
#else
    (void)in, (void)len, (void)out, (void)out_len;
    return cause_set(cause, ST_PROTO, "track %u: compressed with bzip2, built without it",
                     track);
#endif
}

int cckd_unpack(const u8 *in, u32 len, u32 track, u8 *out, u32 *out_len, struct cause *cause)
{
    memcpy(out, in, TRACK_HA_BYTES);
    out[0] = 0;
    switch (in[0]) {
    case CCKD_NONE:
        memcpy(out, in, len);
        *out_len = len;
        return ST_OK;
    case CCKD_ZLIB: return unpack_zlib(in, len, track, out, out_len, cause);
    case CCKD_BZIP2: return unpack_bzip2(in, len, track, out, out_len, cause);
    default:
        return cause_set(cause, ST_PROTO, "track %u: compression %u is unknown", track, in[0]);
    }
}

u32 cckd_pack(const struct cckd *c, const u8 *in, u32 len, u8 *out)
{
    uLongf n = len - TRACK_HA_BYTES;
    int parm = (s16)cckd_load16(c, c->header + CCKD_COMPRESSION_PARM);
    int level = parm >= 1 && parm <= 9 ? parm : Z_BEST_SPEED;
    memcpy(out, in, TRACK_HA_BYTES);
    if (c->header[CCKD_COMPRESSION] != CCKD_NONE &&
        compress2(out + TRACK_HA_BYTES, &n, in + TRACK_HA_BYTES, len - TRACK_HA_BYTES, level) ==
            Z_OK) {
        out[0] = CCKD_ZLIB; /* bzip2 is for reading: what is written anew is zlib */
        return TRACK_HA_BYTES + (u32)n;
    }
    memcpy(out, in, len);
    return len;
}
