/* An OSA-Express adapter in QDIO mode (1731/01, 1732/01), or one of HiperSockets (1731/05,
 * 1732/05), as three devices: read and write for control, data for the queues. Its other side is a
 * port of a network in memory (lan.h).
 * docs/osa.md says what of it is here. */
#ifndef ENDICOTT_IO_NET_OSA_H
#define ENDICOTT_IO_NET_OSA_H

#include "io/css.h"
#include "io/net/lan.h"

struct osa;

enum osa_kind { OSA_QDIO, OSA_HIPERSOCKETS };

/** HiperSockets: frames of 16, 24, 40 and 64 KiB, for packets of 8, 16, 32 and 56 KiB. */
enum osa_mfs { OSA_MFS_16K, OSA_MFS_24K, OSA_MFS_40K, OSA_MFS_64K };

/** How an adapter is made. */
struct osa_config {
    enum osa_kind kind;
    enum osa_mfs mfs;
    u16 devno;         /* of the read device; write and data follow */
    u8 mac[MAC_BYTES]; /* its own address */
    bool guest_lan;    /* it says that it is CP's */
    char owner[9];     /* whose it is, for captures; "": no user */
};

struct osa_counts {
    struct lan_counts lan;
    u64 filtered;   /* frames for nobody here */
    u64 no_buffer;  /* that the program had no buffer for */
    u64 bad_output; /* output buffers that ended in error */
    bool started;   /* the program has started the LAN */
    bool promiscuous;
    u8 layer; /* 2 or 3, once the program said; 0 */
};

/** Three devices on `css`, and a port on `lan` (which outlives the coupling; NULL: not coupled).
 *  The channel subsystem owns the adapter: it goes with the last of the devices. ST_EXIST,
 *  ST_LIMIT, ST_NOMEM with cause; then nothing has changed. `out` (may be NULL) is valid until
 *  then. */
int osa_create(struct css *css, const struct osa_config *config, struct lan *lan, bool announce,
               struct osa **out, struct cause *cause);
void osa_counts(struct osa *osa, struct osa_counts *out);
/** The adapter whose read device is at `devno`; NULL: there is none. Valid until detached. */
struct osa *osa_find(struct css *css, u16 devno);
/** The i-th address, of a group or its own, that the program receives for; false: there are not so
 *  many. */
bool osa_address(struct osa *osa, bool group, unsigned i, u8 mac[MAC_BYTES]);
/** The i-th IP address of a program on layer 3; IPv4 as ::ffff:a.b.c.d. False: not so many. */
bool osa_ip_address(struct osa *osa, unsigned i, u8 ip[16]);
/** Connect an adapter that is not with a network, which outlives that; what it may there (NULL: as
 *  a new port). The program is told that the link is there. ST_EXIST: it is coupled, ST_NOMEM. */
int osa_couple(struct osa *osa, struct lan *lan, const struct lan_rules *rules,
               struct cause *cause);
/** What it may on its network from now on; nothing happens if it is with none. */
void osa_set_rules(struct osa *osa, const struct lan_rules *rules);
/** Take it off its network: when this returns the network hears nothing of it any more. The program
 *  is told that the link has gone. False: it was not coupled. */
bool osa_uncouple(struct osa *osa);
/** "16K" to "64K", or without the K; false: no such frame size. */
bool osa_mfs_named(const char *name, enum osa_mfs *mfs);
bool osa_mfs_of(u32 kib, enum osa_mfs *mfs);
/** Its own address. */
void osa_mac(struct osa *osa, u8 mac[MAC_BYTES]);

#endif
