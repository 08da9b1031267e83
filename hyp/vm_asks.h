/* What DIAGNOSE codes ask CP about users and their disks. hyp/cp/cp_asked.c answers. Loop
 * thread. */
#ifndef ENDICOTT_HYP_VM_ASKS_H
#define ENDICOTT_HYP_VM_ASKS_H

#include "mem/base/bytes.h"

/** What the user sees of an error message (SET EMSG). */
enum vm_emsg { VM_EMSG_ON, VM_EMSG_OFF, VM_EMSG_TEXT, VM_EMSG_CODE };
/** How dates are shown to the user (SET DATEFORMAT): 02/26/16, 02/26/2016, 2016-02-26. */
enum vm_dateformat { VM_DATE_SHORT, VM_DATE_FULL, VM_DATE_ISO };

struct vm_settings {
    enum vm_emsg emsg;
    enum vm_dateformat dateformat;
};

/** Where a minidisk is. */
struct vm_minidisk {
    char user[9];   /* in: whose; "" = one's own */
    u16 vdev;       /* in */
    bool directory; /* in: the MDISK of the directory, else the disk that the user has now */
    char volid[7];
    u16 rdev;         /* 0: the volume is not here */
    u64 start, count; /* cylinders or blocks */
    bool dedicated, full_pack, by_devno;
    char owner[9]; /* whose MDISK it is, and as what */
    u16 owner_vdev;
};

enum vm_minidisk_result {
    VM_MINIDISK_FOUND,
    VM_MINIDISK_NOT_ALLOWED, /* another's, without OPTION DEVINFO */
    VM_MINIDISK_NO_USER,     /* not in the directory, or not logged on */
    VM_MINIDISK_NO_DEVICE,
    VM_MINIDISK_NO_DISK, /* a device of another kind, or on no volume */
};

/** Where a network adapter is coupled. */
struct vm_nic_place {
    u16 base;              /* its first device */
    char owner[9], lan[9]; /* of the network, "": none */
    u8 layer;              /* that the network takes, 0: any, or it is with none */
    u16 port;
    u8 mac[6];
};

#endif
