/* Virtual switches and the network adapters of users: between cp_net.c and the rest of CP.
 * Internal to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_NET_H
#define ENDICOTT_HYP_CP_CP_NET_H

#include "hyp/cp/cp_internal.h"
#include "hyp/net/vswitch.h"

#define CP_NIC_DEVICES 3u

/** A virtual adapter. Located by user->nics; ends with its session or DETACH NIC. */
struct cp_nic {
    struct cp_nic *next;
    u16 vdev; /* and the two behind it */
    u8 mac[MAC_BYTES];
    struct vswitch *sw; /* NULL: not coupled */
};

/** All switches go; nobody is logged on. */
void cp_net_fini(struct cp *cp);
/** NICDEF statements of the user's entry; what fails goes to its console. */
void cp_nics_logon(struct cp_user *user);
/** The machine is gone. */
void cp_nics_end(struct cp_user *user);
/** The adapter that has this device; NULL: none. */
struct cp_nic *cp_nic_at(struct cp_user *user, u16 vdev);
/** An adapter of a user that arrives, coupled as it was ("": not). ST_NOENT: no such switch here,
 *  ST_REFUSED: it may not, ST_EXIST: the address or a device is in use. */
int cp_nic_arrive(struct cp_user *user, u16 vdev, const u8 mac[MAC_BYTES], const char *name,
                  struct cause *cause);
/** QUERY [VIRTUAL] NIC; `word` is the operand behind it, NULL: all. */
int cp_nic_query(struct cp_request *req, struct cp_user *user, const char *word);
/** DEFINE, DETACH behind their first operand. */
int cp_define_vswitch(struct cp_request *req);
int cp_define_nic(struct cp_request *req, struct cp_user *user);
int cp_detach_vswitch(struct cp_request *req);
int cp_detach_nic(struct cp_request *req, struct cp_user *user);

#endif
