/* DIAGNOSE X'26C': what CP knows of the guest's network adapters. Linux's qeth asks it which layer
 * an adapter's network takes, and for its address. Of its subcodes here are X'24' (one adapter) and
 * X'30' (the address). Source: Linux, arch/s390/include/asm/diag.h, drivers/s390/net/
 * qeth_core_main.c; return codes other than 0 are ours. */
#include "hyp/diag/diag.h"
#include "io/ebcdic.h"

#define SUBCODE_NIC 0x24
#define SUBCODE_MAC 0x30
#define ADDRESS_MASK 0x7fffffffu

enum return_code { RC_DONE = 0, RC_NO_ADAPTER = 4, RC_NO_ROOM = 8, RC_REQUEST = 12 };

/* Where what is in a request. */
#define AT_ROOM 0
#define AT_VERSION 4
#define AT_FORMAT 8 /* or operation */
#define AT_MAC_DEVNO 10
#define AT_NIC_USER 12
#define AT_NIC_DEVNO 22
#define MAC_REQUEST_BYTES 16u
#define NIC_REQUEST_BYTES 24u
#define FORMAT_ADAPTER 2
#define OPERATION_GET 0
#define NAME_BYTES 8u

/* Where what is in the answer about an adapter. */
enum nic_at {
    NIC_VERSION = 0,
    NIC_ENTRIES = 4,
    NIC_OWNER = 12,
    NIC_DEVNO = 20,
    NIC_LAN_OWNER = 24,
    NIC_LAN = 32,
    NIC_PROTOCOL = 49, /* the last two bits */
    NIC_BASE = 50,
    NIC_PORT = 52,
    NIC_DEVICES = 64,
    NIC_DEVICE = 68, /* three of 28 bytes, of which nothing is told */
    NIC_BYTES = NIC_DEVICE + 3 * 28,
};
enum protocol { PROTOCOL_NONE, PROTOCOL_IP, PROTOCOL_ETHERNET };

#define ADDRESS_BYTES 6u
#define MAC_ANSWER_BYTES 12u

static bool nic_of(struct vcpu *v, u16 devno, struct vm_nic_place *out)
{
    const struct vm_host_events *events = &v->vm->host->events;
    return events->nic && events->nic(events->ctx, v->vm, devno, out);
}

/** Store an answer of which the program takes `room` bytes. */
static int answer(struct vcpu *v, u64 to, const void *data, u32 len, u32 room)
{
    if (room < len)
        return RC_NO_ROOM;
    return diag_store(v, to, data, len) ? RC_DONE : -1;
}

/* Of the guest itself alone. */
static int one_adapter(struct vcpu *v, u64 from, u64 to)
{
    u8 q[NIC_REQUEST_BYTES], a[NIC_BYTES] = {0}, self[NAME_BYTES];
    struct vm_nic_place nic;
    if (!diag_fetch(v, from, q, sizeof q))
        return -1;
    ebcdic_pad(v->vm->config.name, NAME_BYTES, self);
    if (be16_load(q + AT_FORMAT) != FORMAT_ADAPTER || memcmp(q + AT_NIC_USER, self, NAME_BYTES))
        return RC_REQUEST;
    u16 devno = be16_load(q + AT_NIC_DEVNO);
    if (!nic_of(v, devno, &nic))
        return RC_NO_ADAPTER;
    memcpy(a + NIC_VERSION, q + AT_VERSION, 4);
    be32_store(a + NIC_ENTRIES, 1);
    memcpy(a + NIC_OWNER, self, NAME_BYTES);
    be16_store(a + NIC_DEVNO, devno);
    ebcdic_pad(nic.owner, NAME_BYTES, a + NIC_LAN_OWNER);
    ebcdic_pad(nic.lan, NAME_BYTES, a + NIC_LAN);
    a[NIC_PROTOCOL] = nic.layer == 2   ? PROTOCOL_ETHERNET
                      : nic.layer == 3 ? PROTOCOL_IP
                                       : PROTOCOL_NONE;
    be16_store(a + NIC_BASE, nic.base);
    be32_store(a + NIC_PORT, nic.port);
    be32_store(a + NIC_DEVICES, 3);
    return answer(v, to, a, sizeof a, be32_load(q + AT_ROOM));
}

static int get_mac(struct vcpu *v, u64 from, u64 to)
{
    u8 q[MAC_REQUEST_BYTES], a[MAC_ANSWER_BYTES] = {0};
    struct vm_nic_place nic;
    if (!diag_fetch(v, from, q, sizeof q))
        return -1;
    if (be16_load(q + AT_FORMAT) != OPERATION_GET)
        return RC_REQUEST;
    if (!nic_of(v, be16_load(q + AT_MAC_DEVNO), &nic))
        return RC_NO_ADAPTER;
    memcpy(a, q + AT_VERSION, 4);
    memcpy(a + 4, nic.mac, ADDRESS_BYTES);
    return answer(v, to, a, sizeof a, be32_load(q + AT_ROOM));
}

static void answer_26c(struct vcpu *v, const struct cpu_icpt *k)
{
    const u64 *gr = cpu_gr(v->cpu);
    u64 from = gr[k->r1] & ADDRESS_MASK, to = gr[k->r1 + 1] & ADDRESS_MASK;
    int rc = (u32)gr[k->r3] == SUBCODE_NIC ? one_adapter(v, from, to) : get_mac(v, from, to);
    if (rc < 0)
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
    else
        diag_gr32(v, k->r3 + 1, (u32)rc);
}

/* Rx: where the request is, Rx+1: where the answer goes, Ry: subcode; Ry+1 gets the return code. */
bool diag_26c(struct vcpu *v, const struct cpu_icpt *k)
{
    u32 subcode = (u32)cpu_gr(v->cpu)[k->r3];
    if (k->r1 & 1 || k->r3 & 1 || (subcode != SUBCODE_NIC && subcode != SUBCODE_MAC))
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    return diag_on_loop(v, k, answer_26c);
}
