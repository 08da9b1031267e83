/* What is different with HiperSockets (internal queued direct I/O): a network inside the machine,
 * to which no cable leads. The adapter is that of osa.c, the network is one in memory as others
 * are: frames go to the receiver's queues on the thread that sends. The frame size is that of the
 * network; programs make their largest packet of it.
 * Source: Linux, drivers/s390/net/qeth_core_main.c (frame sizes, function level). */
#include <stdlib.h>
#include <string.h>

#include "io/net/osa_internal.h"

static const struct {
    u32 kib;
    u16 frame;
    u32 packet;
} sizes[] = {{16, 0x4000, 8192}, {24, 0x6000, 16384}, {40, 0xa000, 32768}, {64, 0xffff, 57344}};

u16 iqd_frame(const struct osa *osa)
{
    return sizes[osa->config.mfs].frame;
}

u32 osa_frame_max(const struct osa *osa)
{
    if (osa->config.kind != OSA_HIPERSOCKETS)
        return LAN_FRAME_MAX;
    return sizes[osa->config.mfs].packet + ETHER_HEADER_BYTES + VLAN_TAG_BYTES;
}

bool osa_mfs_of(u32 kib, enum osa_mfs *mfs)
{
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        if (sizes[i].kib == kib) {
            *mfs = (enum osa_mfs)i;
            return true;
        }
    return false;
}

bool osa_mfs_named(const char *name, enum osa_mfs *mfs)
{
    char *end;
    unsigned long kib = strtoul(name, &end, 10);
    return end == name + 2 && (!*end || !strcmp(end, "K")) && osa_mfs_of((u32)kib, mfs);
}
