/* Network adapters of the fake machines, and who has which address: for cp_world.c. */
#ifndef ENDICOTT_TESTS_LIB_CP_WORLD_NET_H
#define ENDICOTT_TESTS_LIB_CP_WORLD_NET_H

#include "hyp/cp.h"
#include "io/net/lan.h"

int fake_nic_attach(struct vm *vm, u16 vdev, const u8 mac[6], const struct vm_nic_kind *kind,
                    bool announce, struct cause *cause);
int fake_nic_couple(struct vm *vm, u16 vdev, struct lan *lan, const struct lan_rules *rules,
                    struct cause *cause);
bool fake_nic_rules(struct vm *vm, u16 vdev, const struct lan_rules *rules);
bool fake_nic_info(struct vm *vm, u16 vdev, struct vm_nic_info *out);
bool fake_nic_address(struct vm *vm, u16 vdev, bool group, unsigned i, u8 mac[6]);
bool fake_nic_ip(struct vm *vm, u16 vdev, unsigned i, u8 ip[16]);
/** A device goes; if it is the first one of an adapter, that does. */
void fake_nic_detach(struct vm *vm, u16 vdev);
void fake_nics_end(struct vm *vm);

void fake_macs_setup(void);
int fake_mac_claim(void *ctx, const char *mac, char owner[CONFIG_NAME_BYTES],
                   struct cause *cause);
void fake_mac_release(void *ctx, const char *mac);
void fake_mac_follow(void *ctx, const char *mac, const char *userid);

#endif
