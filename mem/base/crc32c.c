/* CRC-32C by the host's instruction where there is one, else four bits at a time. */
#include "mem/base/crc32c.h"

static u32 by_nibbles(u32 sum, const u8 *p, size_t len)
{
    static const u32 nibble[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    for (; len; p++, len--) {
        sum ^= *p;
        sum = nibble[sum & 15] ^ sum >> 4;
        sum = nibble[sum & 15] ^ sum >> 4;
    }
    return sum;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static u32 by_instruction(u32 sum, const u8 *p, size_t len)
{
    unsigned long long wide = sum, word;
    for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    sum = (u32)wide;
    for (; len; p++, len--)
        sum = __builtin_ia32_crc32qi(sum, *p);
    return sum;
}

static bool instruction_there(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
#define by_instruction by_nibbles
static bool instruction_there(void)
{
    return false;
}
#endif

u32 crc32c(u32 crc, const void *p, size_t len)
{
    return ~(instruction_there() ? by_instruction(~crc, p, len) : by_nibbles(~crc, p, len));
}

u32 crc32c_plain(u32 crc, const void *p, size_t len)
{
    return ~by_nibbles(~crc, p, len);
}
