/* LZ4 blocks of one frame, where the library was found at build time. */
#include "lgr/lgr_encode.h"

#ifdef HAVE_LIBLZ4
#include <lz4.h>

#define ACCELERATION 4 /* quicker, and a little longer */

bool lgr_lz4_there(void)
{
    return true;
}

size_t lgr_lz4_encode(const u8 *frame, u8 *out, size_t room)
{
    int n = LZ4_compress_fast((const char *)frame, (char *)out, FRAME_BYTES, (int)room,
                              ACCELERATION);
    return n > 0 ? (size_t)n : 0;
}

bool lgr_lz4_decode(const u8 *p, size_t len, u8 *frame)
{
    return LZ4_decompress_safe((const char *)p, (char *)frame, (int)len, FRAME_BYTES) ==
           FRAME_BYTES;
}
#else
bool lgr_lz4_there(void)
{
    return false;
}

size_t lgr_lz4_encode(const u8 *frame, u8 *out, size_t room)
{
    (void)frame;
    (void)out;
    (void)room;
    return 0;
}

bool lgr_lz4_decode(const u8 *p, size_t len, u8 *frame)
{
    (void)p;
    (void)len;
    (void)frame;
    return false;
}
#endif
