/* The writer of pcapng blocks. Each has its length before and behind; options are a code, a length
 * and a value that is filled up to four bytes. */
#include "io/net/pcapng.h"

#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u
#define OPT_END 0u
#define OPT_COMMENT 1u
#define SHB_USERAPPL 4u
#define IF_NAME 2u
#define IF_TSRESOL 9u
#define NANOSECONDS 9u /* 10 to minus this */
#define EPB_FLAGS 2u
#define EPB_DROPCOUNT 4u
#define SAY_MAX 64u

static u8 *put(u8 *at, const void *data, size_t len)
{
    size_t fill = -len & 3;
    memcpy(at, data, len);
    memset(at + len, 0, fill);
    return at + len + fill;
}

static u8 *put16(u8 *at, u32 v)
{
    const u16 narrow = (u16)v;
    memcpy(at, &narrow, sizeof narrow);
    return at + sizeof narrow;
}

static u8 *put32(u8 *at, u32 v)
{
    return put(at, &v, sizeof v);
}

static u8 *put_option(u8 *at, u32 code, const void *data, size_t len)
{
    at = put16(at, code);
    at = put16(at, (u32)len);
    return put(at, data, len);
}

static u8 *begin(u8 *out, u32 type)
{
    return put32(out, type) + 4; /* and the length, by `end` */
}

static size_t end(u8 *out, u8 *at)
{
    u32 len = (u32)(at - out) + 4;
    put32(out + 4, len);
    put32(at, len);
    return len;
}

size_t pcapng_section(u8 *out)
{
    static const char program[] = "Endicott";
    u8 *at = begin(out, BLOCK_SECTION);
    at = put32(at, BYTE_ORDER_MAGIC);
    at = put16(at, 1); /* version 1.0 */
    at = put16(at, 0);
    at = put32(at, ~0u); /* the section's length is not known */
    at = put32(at, ~0u);
    at = put_option(at, SHB_USERAPPL, program, sizeof program - 1);
    return end(out, put_option(at, OPT_END, "", 0));
}

size_t pcapng_interface(u8 *out, const char *name)
{
    const u8 resolution = NANOSECONDS;
    u8 *at = begin(out, BLOCK_INTERFACE);
    at = put16(at, LINKTYPE_ETHERNET);
    at = put16(at, 0);
    at = put32(at, 0); /* frames are not cut */
    at = put_option(at, IF_NAME, name, strnlen(name, SAY_MAX));
    at = put_option(at, IF_TSRESOL, &resolution, sizeof resolution);
    return end(out, put_option(at, OPT_END, "", 0));
}

static u32 flags_of(const struct pcapng_packet *p)
{
    u32 reception = mac_is_broadcast(p->frame) ? 3 : mac_is_group(p->frame) ? 2 : 1;
    return (u32)p->direction | reception << 2;
}

size_t pcapng_packet(u8 *out, const struct pcapng_packet *p)
{
    u32 flags = flags_of(p);
    u8 *at = begin(out, BLOCK_PACKET);
    at = put32(at, p->interface);
    at = put32(at, (u32)(p->ns >> 32));
    at = put32(at, (u32)p->ns);
    at = put32(at, p->len);
    at = put32(at, p->len);
    at = put(at, p->frame, p->len);
    at = put_option(at, EPB_FLAGS, &flags, sizeof flags);
    if (p->missed)
        at = put_option(at, EPB_DROPCOUNT, &p->missed, sizeof p->missed);
    if (p->say)
        at = put_option(at, OPT_COMMENT, p->say, strnlen(p->say, SAY_MAX));
    return end(out, put_option(at, OPT_END, "", 0));
}
