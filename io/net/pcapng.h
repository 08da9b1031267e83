/* Blocks of a capture file in the pcapng format (draft-ietf-opsawg-pcapng): pure functions over
 * bytes, in this host's byte order, which the section header tells. */
#ifndef ENDICOTT_IO_NET_PCAPNG_H
#define ENDICOTT_IO_NET_PCAPNG_H

#include "io/net/lan.h"

#define PCAPNG_PACKET_EXTRA_BYTES 192u /* of a packet block, without the frame */
#define PCAPNG_HEADER_BYTES_MAX 192u   /* of a section header, of an interface with a name */

enum pcapng_direction { PCAPNG_IN = 1, PCAPNG_OUT = 2 };

struct pcapng_packet {
    u32 interface; /* in the order of pcapng_interface */
    u64 ns;        /* since 1970 */
    const u8 *frame;
    u32 len;
    enum pcapng_direction direction;
    u64 missed;      /* frames before this one that are not there */
    const char *say; /* a comment of 64 characters at most; NULL: none */
};

/** Each returns how many bytes it has put at `out`, which has room for the most. */
size_t pcapng_section(u8 *out);
size_t pcapng_interface(u8 *out, const char *name);
size_t pcapng_packet(u8 *out, const struct pcapng_packet *p);

#endif
