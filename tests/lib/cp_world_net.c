/* Network adapters of the fake machines. Their ports are real, on the networks that CP made. */
#include "tests/lib/cp_world_net.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/cp_world.h"

struct fake_nic {
    struct fake_nic *next;
    u16 vdev;
    u8 mac[6], named[6];
    bool names;
    struct lan_port *port;
    struct lan_rules rules;
    unsigned got;
    bool promiscuous;
};

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    (void)frame;
    (void)len;
    ((struct fake_nic *)arg)->got++;
    return true;
}

static const struct lan_port_ops ops = {.deliver = deliver};

static struct fake_nic *nic_of(const struct vm *vm, u16 vdev)
{
    struct fake_nic *nic = vm->nics;
    while (nic && nic->vdev != vdev)
        nic = nic->next;
    return nic;
}

int fake_nic_attach(struct vm *vm, u16 vdev, const u8 mac[6], const struct vm_nic_kind *kind,
                    bool announce, struct cause *cause)
{
    (void)kind;
    (void)announce;
    for (unsigned i = 0; i < vm->device_count; i++)
        if (vm->devices[i] >= vdev && vm->devices[i] < vdev + 3)
            return cause_set(cause, ST_EXIST, "device %04X exists", vm->devices[i]);
    ck_assert_uint_le(vm->device_count + 3, ARRAY_LEN(vm->devices));
    for (unsigned i = 0; i < 3; i++) {
        vm->images[vm->device_count] = NULL;
        vm->devices[vm->device_count++] = (u16)(vdev + i);
    }
    struct fake_nic *nic = calloc(1, sizeof *nic);
    nic->vdev = vdev;
    memcpy(nic->mac, mac, 6);
    nic->next = vm->nics;
    vm->nics = nic;
    return ST_OK;
}

static void uncouple(struct fake_nic *nic)
{
    lan_port_remove(nic->port);
    nic->port = NULL;
}

int fake_nic_couple(struct vm *vm, u16 vdev, struct lan *lan, const struct lan_rules *rules,
                    struct cause *cause)
{
    struct fake_nic *nic = nic_of(vm, vdev);
    ck_assert_ptr_nonnull(nic);
    (void)cause;
    if (!lan) {
        uncouple(nic);
        return ST_OK;
    }
    ck_assert_ptr_null(nic->port);
    nic->port = lan_port_add(lan, LAN_STATION, &ops, nic);
    lan_port_rules(nic->port, rules);
    nic->rules = *rules;
    lan_port_promiscuous(nic->port, nic->promiscuous);
    ck_assert_int_eq(lan_mac_add(nic->port, nic->mac), ST_OK);
    return ST_OK;
}

bool fake_nic_rules(struct vm *vm, u16 vdev, const struct lan_rules *rules)
{
    struct fake_nic *nic = nic_of(vm, vdev);
    lan_port_rules(nic->port, rules);
    return true;
}

bool fake_nic_info(struct vm *vm, u16 vdev, struct vm_nic_info *out)
{
    struct lan_counts c = {0};
    struct fake_nic *nic = nic_of(vm, vdev);
    if (nic->port)
        lan_port_counts(nic->port, &c);
    *out = (struct vm_nic_info){.received = c.received,
                                .received_bytes = c.received_bytes,
                                .sent = c.frames,
                                .sent_bytes = c.bytes,
                                .discarded = c.discarded,
                                .started = true,
                                .layer = nic->rules.layer,
                                .promiscuous = nic->promiscuous};
    return true;
}

bool fake_nic_address(struct vm *vm, u16 vdev, bool group, unsigned i, u8 mac[6])
{
    const struct fake_nic *nic = nic_of(vm, vdev);
    if (group || i > (unsigned)nic->names)
        return false;
    memcpy(mac, i ? nic->named : nic->mac, 6);
    return true;
}

/* On an IP network it is the program of 10.1.2.3 and fe80::1. */
bool fake_nic_ip(struct vm *vm, u16 vdev, unsigned i, u8 ip[16])
{
    static const u8 ips[2][16] = {{[10] = 0xff, 0xff, 10, 1, 2, 3}, {0xfe, 0x80, [15] = 1}};
    if (nic_of(vm, vdev)->rules.layer != 3 || i > 1)
        return false;
    memcpy(ip, ips[i], 16);
    return true;
}

void fake_nic_detach(struct vm *vm, u16 vdev)
{
    struct fake_nic **at = &vm->nics;
    while (*at && (*at)->vdev != vdev)
        at = &(*at)->next;
    struct fake_nic *nic = *at;
    if (!nic)
        return;
    *at = nic->next;
    uncouple(nic);
    free(nic);
}

void fake_nics_end(struct vm *vm)
{
    while (vm->nics)
        fake_nic_detach(vm, vm->nics->vdev);
}

/* --- what tests do with them ---------- */

static struct fake_nic *the_nic(const char *userid, u16 vdev)
{
    struct cp_user *user = cp_user_find(cps[0], userid);
    if (!user)
        user = cp_user_find(cps[1], userid);
    ck_assert_ptr_nonnull(user);
    struct fake_nic *nic = nic_of(cp_user_vm(user), vdev);
    ck_assert_ptr_nonnull(nic);
    return nic;
}

void nic_sends(const char *userid, u16 vdev, const u8 to[6], u16 tag)
{
    struct fake_nic *nic = the_nic(userid, vdev);
    u8 frame[64] = {0};
    memcpy(frame, to, 6);
    memcpy(frame + 6, nic->names ? nic->named : nic->mac, 6);
    if (tag) {
        be16_store(frame + 12, ETHER_TYPE_VLAN);
        be16_store(frame + 14, tag);
    }
    if (nic->port)
        lan_send(nic->port, frame, sizeof frame);
}

unsigned nic_got(const char *userid, u16 vdev)
{
    struct fake_nic *nic = the_nic(userid, vdev);
    unsigned got = nic->got;
    nic->got = 0;
    return got;
}

int nic_names(const char *userid, u16 vdev, const u8 mac[6])
{
    struct fake_nic *nic = the_nic(userid, vdev);
    int rc = lan_mac_add(nic->port, mac);
    if (rc)
        return rc;
    memcpy(nic->named, mac, 6);
    nic->names = true;
    return ST_OK;
}

void nic_promiscuous(const char *userid, u16 vdev, bool on)
{
    struct fake_nic *nic = the_nic(userid, vdev);
    nic->promiscuous = on;
    if (nic->port)
        lan_port_promiscuous(nic->port, on);
}

const u8 *nic_mac(const char *userid, u16 vdev)
{
    return the_nic(userid, vdev)->mac;
}

/* --- claims on addresses ---------- */

#define MAC_CLAIMS_MAX 64

static struct mac_claim {
    char mac[13]; /* "": free */
    int owner;
} mac_claims[MAC_CLAIMS_MAX];

static struct mac_claim *mac_claim_find(const char *mac)
{
    for (size_t i = 0; i < MAC_CLAIMS_MAX; i++)
        if (!strcmp(mac_claims[i].mac, mac))
            return &mac_claims[i];
    return NULL;
}

void fake_macs_setup(void)
{
    memset(mac_claims, 0, sizeof mac_claims);
}

int mac_owner(const char *mac)
{
    const struct mac_claim *c = mac_claim_find(mac);
    return c ? c->owner : -1;
}

int fake_mac_claim(void *ctx, const char *mac, char owner[CONFIG_NAME_BYTES],
                   struct cause *cause)
{
    struct mac_claim *c = mac_claim_find(mac);
    int own = (int)(intptr_t)ctx;
    if (c && c->owner != own) {
        strcpy(owner, c->owner ? "MEMBERB" : "MEMBERA");
        return cause_set(cause, ST_EXIST, "owned");
    }
    if (!c)
        c = mac_claim_find("");
    ck_assert_ptr_nonnull(c);
    strcpy(c->mac, mac);
    c->owner = own;
    return ST_OK;
}

void fake_mac_release(void *ctx, const char *mac)
{
    struct mac_claim *c = mac_claim_find(mac);
    if (c && c->owner == (int)(intptr_t)ctx)
        c->mac[0] = 0;
}

void fake_mac_follow(void *ctx, const char *mac, const char *userid)
{
    struct mac_claim *c = mac_claim_find(mac);
    (void)userid;
    if (c && c->owner == (int)(intptr_t)ctx)
        c->owner = !c->owner;
}
