/* The inside of an OSA adapter. For io/net and its unit tests only. */
#ifndef ENDICOTT_IO_NET_OSA_INTERNAL_H
#define ENDICOTT_IO_NET_OSA_INTERNAL_H

#include "io/net/osa.h"
#include "io/net/qdio.h"
#include "mem/base/lock.h"

#define OSA_MESSAGE_MAX 4096u /* a control message, either way */
#define OSA_REPLIES_MAX 16u   /* that wait to be read */
#define OSA_MACS_MAX 32u
#define OSA_GROUPS_MAX 512u
#define OSA_IPS_MAX 128u /* addresses of the program, layer 3 */
#define OSA_IP_GROUPS_MAX 512u
#define OSA_NEIGHBOURS_MAX 256u /* of which the adapter knows where they are */
#define OSA_WAITING_FRAMES 64u  /* for a neighbour to be found */
#define OSA_WAITING_BYTES (1u << 18)
#define IP_BYTES 16 /* IPv4 addresses are those of ::ffff:0:0/96 */
#define OSA_BACKLOG_FRAMES 256u
#define OSA_BACKLOG_BYTES (1u << 20)
#define OSA_OUTPUTS 4u
#define OSA_BUFFER_ROOM (QDIO_ELEMENTS * FRAME_BYTES)
#define ETHER_TYPE_AT 12
#define ETHER_TYPE_IPV4 0x0800
#define ETHER_TYPE_ARP 0x0806
#define ETHER_TYPE_RARP 0x8035
#define ETHER_TYPE_IPV6 0x86dd

/* The header before each frame in a buffer. */
#define HEADER_BYTES 32u
#define HEADER_LAYER3 0x01
#define HEADER_LAYER2 0x02
#define HEADER_LAYER3_TSO 0x03
#define HEADER_LAYER2_TSO 0x06
#define HEADER_TSO_BYTES 64u            /* with what tells how to cut it */
#define TSO_SEGMENT (HEADER_BYTES + 12) /* 2 bytes: payload of a segment */
#define L2_EXTENDED 2                   /* the flags EXTENDED_* in layer 2 */
#define L3_EXTENDED 11
#define L3_LENGTH 8
#define EXTENDED_VLAN 0x01 /* identifier in the header, no tag in the frame */
#define EXTENDED_TAG 0x04  /* identifier in both (to the program: in the second place) */
#define EXTENDED_SOURCE 0x08
#define EXTENDED_SUM_IP 0x10 /* output: compute the checksum; input: it is right */
#define EXTENDED_SUM_TRANSPORT 0x20

/* IP assists: which there are and which are enabled. */
#define ASSIST_ARP 0x00000001u
#define ASSIST_IN_CHECKSUM 0x00000002u
#define ASSIST_OUT_CHECKSUM 0x00000004u
#define ASSIST_FILTERING 0x00000010u
#define ASSIST_IPV6 0x00000020u
#define ASSIST_MULTICAST 0x00000040u
#define ASSIST_ADAPTER_PARMS 0x00000400u
#define ASSIST_VLAN_PRIORITY 0x00000800u
#define ASSIST_PASSTHRU 0x00001000u
#define ASSIST_FULL_VLAN 0x00004000u
#define ASSIST_SOURCE_MAC 0x00010000u
#define ASSIST_OUT_TSO 0x00100000u
#define ASSIST_IN_CHECKSUM_V6 0x00400000u
#define ASSIST_OUT_CHECKSUM_V6 0x00800000u

/* Flags of an address (SETIP). */
#define IP_FLAG_VIRTUAL 0x01  /* the adapter does not answer for it */
#define IP_FLAG_TAKEOVER 0x02 /* whoever has it loses it */

/* Control messages: offsets that all of them have. */
#define MSG_LENGTH 0x0e    /* of all of it, 2 bytes */
#define MSG_HEADER_AT 0x0b /* where the second header begins */
#define MSG_KIND 4         /* byte of the second header: whose message it is */
#define MSG_KIND_IPA 0xc1  /* for the IP assist functions */
#define MSG_SEQUENCE 0x04
#define MSG_PDU_SEQUENCE 0x1c
#define MSG_PDU_ACK 0x20
#define MSG_PDU_LENGTH 0x26 /* 2 bytes, and again at 29 and 3A */
#define MSG_PDU_LENGTH2 0x29
#define MSG_PDU_LENGTH3 0x3a
#define MSG_PDU 0x40 /* what the headers carry */

enum osa_role { OSA_READ, OSA_WRITE, OSA_DATA, OSA_ROLES };
enum osa_layer { OSA_LAYER_NONE = 0, OSA_LAYER2 = 2, OSA_LAYER3 = 3 };
enum osa_family { OSA_IPV4, OSA_IPV6, OSA_FAMILIES };
/** What is known of a neighbour: nothing yet (it was asked for), learnt, entered by the program. */
enum osa_neighbour { NEIGHBOUR_ASKED = 1, NEIGHBOUR_LEARNT, NEIGHBOUR_ENTERED };

/* VNIC characteristics. */
#define VNICC_FLOODING 0x80000000u
#define VNICC_MCAST_FLOODING 0x40000000u
#define VNICC_LEARNING 0x20000000u
#define VNICC_TAKEOVER_SETVMAC 0x10000000u
#define VNICC_TAKEOVER_LEARNING 0x08000000u
#define VNICC_BRIDGE_INVISIBLE 0x04000000u
#define VNICC_RX_BCAST 0x02000000u
#define VNICC_ALL 0xfe000000u
#define VNICC_DEFAULT VNICC_RX_BCAST /* on unless the program turns it off */

/** What a program has set that few set; all zero: nothing. Layer 2 but for the trap. */
enum osa_layer2 {
    OSA_L2_CHANGED,     /* characteristics that are not as by default, from bit 0 */
    OSA_L2_BRIDGE,      /* enum lan_bridge */
    OSA_L2_TRAP,        /* 1: armed */
    OSA_L2_LEARNING = 4 /* 4 bytes: seconds, 0: the default */
};

/** Everything of an adapter that relocates but its queues; one row each in io_state.def. */
struct osa_state {
    u64 near_tod[OSA_NEIGHBOURS_MAX]; /* when it was learnt or asked for */
    u32 sequence, pdu_sequence;       /* of messages to the program */
    u32 assists[OSA_FAMILIES];        /* ASSIST_* that are enabled */
    u8 own[MAC_BYTES];                /* the adapter's address */
    u16 groups, macs;                 /* entries of the tables that count */
    u16 ips, ip_groups, nears;
    u16 near_vlan[OSA_NEIGHBOURS_MAX];
    u8 group[OSA_GROUPS_MAX][MAC_BYTES];
    u8 mac[OSA_MACS_MAX][MAC_BYTES]; /* that the program receives for */
    u8 vlan[512];                    /* that it has named, a bit each */
    u8 ip[OSA_IPS_MAX][IP_BYTES];    /* layer 3: its addresses */
    u8 ip_flags[OSA_IPS_MAX];
    u8 ip_group[OSA_IP_GROUPS_MAX][IP_BYTES];
    u8 near_ip[OSA_NEIGHBOURS_MAX][IP_BYTES]; /* neighbours: oldest first */
    u8 near_mac[OSA_NEIGHBOURS_MAX][MAC_BYTES];
    u8 near_kind[OSA_NEIGHBOURS_MAX]; /* enum osa_neighbour */
    u8 active[2];                     /* read and write: IDX is */
    u8 layer;                         /* enum osa_layer, once the program said */
    u8 lan;                           /* it has started the LAN */
    u8 promiscuous;
    u8 routes[OSA_FAMILIES]; /* SETRTG: it takes what is for nobody */
    u8 isolation;            /* enum lan_isolation */
    u8 layer2[8];            /* enum osa_layer2 */
};

struct osa_reply {
    u32 len;
    u8 bytes[OSA_MESSAGE_MAX];
};

/** One of the three devices. */
struct osa_dev {
    struct osa *osa;
    enum osa_role role;
};

struct osa_frame {
    struct osa_frame *next;
    u32 len;
    u8 ip[IP_BYTES]; /* that waits for a neighbour: whose address, and its VLAN */
    u16 vlan;
    u8 bytes[];
};

struct osa_frames {
    struct osa_frame *first, **end;
    u32 count, bytes;
};

/** Located by its three devices; `lock` guards all but what is constant. */
struct osa {
    struct css *css;
    struct osa_config config;
    struct osa_dev dev[OSA_ROLES];
    unsigned attached;
    struct lock lock;
    struct osa_state s;
    struct qdio q;
    struct osa_reply *reply[OSA_REPLIES_MAX]; /* a queue, first at 0 */
    unsigned replies;
    struct osa_reply *idx[2];  /* answers to IDX ACTIVATE, for read and write */
    struct osa_frames backlog; /* for input buffers */
    struct osa_frames waiting; /* for neighbours */
    u8 probed[IP_BYTES];       /* SETIP asks whether anybody has this address */
    bool probe_answered;
    bool announce;         /* the last address is new: the network is to hear of it */
    bool held;             /* guest storage is not to be touched */
    bool moved;            /* restored, and not resumed since */
    _Atomic u32 sending;   /* enum osa_sending */
    u8 *out, *frame;       /* of the thread that sends: OSA_BUFFER_ROOM, LAN_FRAME_MAX bytes */
    struct lan_port *port; /* NULL: not coupled */
    u8 layer;              /* that its network takes, 0: any */
    unsigned port_users;   /* threads that send by it, without the lock */
    pthread_cond_t unused; /* port_users is 0 */
    _Atomic u64 filtered, no_buffer, bad_output;
};

/* osa.c */
/** The subchannel of the read device: another one after a relocation. */
u32 osa_read_schid(const struct osa *osa);

/* osa_mpc.c */
/** A message that the program wrote on read or write. False: it is none. No lock is held. */
bool osa_message(struct osa *osa, enum osa_role role, const u8 *msg, u32 len);
/** Queue an answer for the read device; the queue is full: it is lost. Lock held. */
bool osa_answer_locked(struct osa *osa, const struct osa_reply *reply);
/** Tell the program, unasked, that the LAN has started or stopped. Lock held; true: the read device
 *  has something to be read. */
bool osa_lan_event_locked(struct osa *osa, bool started);
/** Tell it a command of the adapter's own with operands. Likewise. */
bool osa_event_locked(struct osa *osa, u8 command, const u8 *operands, u32 len);
/** Is the program on the layer that the network takes, or has not said yet? Lock held. */
bool osa_layer_fits(const struct osa *osa);
/** Forget the control session: IDX, answers, addresses. Lock held. */
void osa_session_end_locked(struct osa *osa);

/* osa_ipa.c, osa_ip.c, osa_assist.c: IP assist commands */

/* Return codes. */
#define IPA_SUCCESS 0x0000
#define IPA_NOT_SUPPORTED 0x0001
#define IPA_UNSUPPORTED_COMMAND 0x0004
#define IPA_INVALID_FORMAT 0x0006
#define IPA_HEADER_BYTES 20u
#define IPA_PROTOCOL 10 /* 2 bytes: 4 or 6 */
#define IPA_BRIDGE_PORT_OSA 0x2b
#define IPA_BRIDGE_PORT_IQD 0xbe

/** One command: `data` is behind its header, `len` bytes of it came; `need` may be raised to what
 *  the answer has. */
struct osa_ipa {
    struct osa *osa;
    struct osa_reply *r;
    u8 *cmd, *data;
    u32 len, need;
};

typedef u16 osa_ipa_fn(struct osa_ipa *p);

/** The return code of a command that there is not, by the program's layer. */
u16 osa_ipa_unsupported(const struct osa *osa);
/** The family that a command is about. */
enum osa_family osa_ipa_family(const struct osa_ipa *p);
/** ASSIST_* that this adapter has for a family in the program's layer. */
u32 osa_assists(const struct osa *osa, enum osa_family family);
/** Queue the answer that `r` holds, of which more will come: its length and numbers are set. Lock
 *  held. */
bool osa_answer_part_locked(struct osa *osa, struct osa_reply *r, u32 theirs);
/** An IP assist command: `r` holds the message and becomes the answer. Lock held. */
void osa_ipa_locked(struct osa *osa, struct osa_reply *r);

/* The rows of osa_ipa.def whose functions are in files of their own. */
osa_ipa_fn osa_ipa_set_ip, osa_ipa_delete_ip, osa_ipa_set_ip_group, osa_ipa_delete_ip_group,
    osa_ipa_set_routing, osa_ipa_create_address, osa_ipa_destroy_address, osa_ipa_assist,
    osa_ipa_characteristics, osa_ipa_bridge_port_osa, osa_ipa_bridge_port_iqd;

/* osa_vnicc.c */
/** Can the program have characteristics and bridge ports? Lock held, as for all of these. */
bool osa_has_traits(const struct osa *osa);
/** Characteristics that are on. */
u32 osa_vnicc(const struct osa *osa);
/** Have the network go by them. */
void osa_vnicc_apply_locked(struct osa *osa);
bool osa_vnicc_valid(const struct osa_state *s);

/* osa_bridge.c */
/** Tell the program what its bridge port is now. True: the read device has something to be read. */
bool osa_bridge_event_locked(struct osa *osa);

/* osa_table.c */
/** QUERY OAT: what the program has set, in the answer. Its return code is the function's. */
osa_ipa_fn osa_query_table;

/* osa_ip.c: addresses of layer 3 */
/** The entry of an address in a table of `n`; n: it is not there. */
unsigned osa_ip_find(const u8 (*table)[IP_BYTES], unsigned n, const u8 *ip);
/** SETIP is about to be performed: does another adapter answer for the address? No lock. */
void osa_ip_probe(struct osa *osa, const struct osa_reply *r);
void osa_ip_from4(u8 ip[IP_BYTES], const u8 v4[4]);
bool osa_ip_is4(const u8 ip[IP_BYTES]);

/* osa_near.c: where neighbours are; ARP and neighbour discovery */
/** An ARP or neighbour discovery packet, if it is one that is the adapter's own affair; what is to
 *  be sent because of it goes to `out`. False: it is the program's. Lock held. */
bool osa_near_input_locked(struct osa *osa, const u8 *frame, u32 len, struct osa_frames *out);
/** The frame's receiver, in its first bytes. False: a copy of it waits until that is known, if it
 *  may; `out` gets what asks for it. Lock held. */
bool osa_near_resolve_locked(struct osa *osa, u8 *frame, u32 len, const u8 ip[IP_BYTES],
                             bool waits, struct osa_frames *out);
/** Enter (true) or forget an address by the program's wish. False: no such. Lock held. */
bool osa_near_enter_locked(struct osa *osa, const u8 ip[IP_BYTES], const u8 *mac);
void osa_near_forget_locked(struct osa *osa, const u8 ip[IP_BYTES]);
void osa_near_clear_locked(struct osa *osa);
/** Tell the network where an address is now. Lock held. */
void osa_near_announce_locked(struct osa *osa, const u8 ip[IP_BYTES], struct osa_frames *out);
/** Ask whether anybody has this address. Lock held. */
void osa_near_ask_locked(struct osa *osa, const u8 ip[IP_BYTES], struct osa_frames *out);

/* osa_l3.c: frames of layer 3 */
/** Is a frame for the program? Lock held. */
bool osa_l3_wants_locked(const struct osa *osa, const u8 *frame, u32 len);
/** The header that it gets, and how much of the frame does not go to the program. Lock held. */
u32 osa_l3_header_locked(const struct osa *osa, const u8 *frame, u32 len, u8 *header);
/** Send a packet of the program's behind its header; `bytes` behind that. False: it is none. */
bool osa_l3_send(struct osa *osa, struct lan_port *port, const u8 *header, u32 bytes);
/** Where the packet in a frame begins, its type and its VLAN (0: no tag). */
u32 osa_packet_at(const u8 *frame, u32 len, u16 *type, u16 *vlan);

/* osa_offload.c: what the adapter computes for the program */
/** Put the checksums (EXTENDED_SUM_*) of an IP packet in a frame right. */
void osa_checksum_set(u8 *frame, u32 len, u8 which);
/** Which of its checksums are there and right. */
u8 osa_checksum_right(const u8 *frame, u32 len);
/** Cut a frame of TCP into such with `segment` bytes of payload at most, and send them. False: it
 *  cannot be cut. */
bool osa_segment(struct lan_port *port, const u8 *frame, u32 len, u32 segment);

/* osa_frame.c */
void osa_frames_init(struct osa_frames *list);
void osa_frames_drop(struct osa_frames *list);
/** A copy of a frame at the end of a list; NULL: no host memory. */
struct osa_frame *osa_frames_add(struct osa_frames *list, const u8 *frame, u32 len);
struct osa_frame *osa_frames_take(struct osa_frames *list);
/** Send what is in a list, which is empty then. No lock. */
void osa_frames_send(struct osa *osa, struct osa_frames *list);
extern const struct lan_port_ops osa_port_ops;
/** The program has given output buffers. Processor thread, no lock. */
void osa_send(struct osa *osa, u32 queues);
/** Frames that wait go to input buffers; true: an adapter interruption is due. Lock held. */
bool osa_flush_locked(struct osa *osa);
void osa_backlog_drop_locked(struct osa *osa);
/** Keep a frame until the program gives a buffer; false: there is no room. Lock held. */
bool osa_backlog_add_locked(struct osa *osa, const u8 *frame, u32 len);
/** Tell adapters of the network what has become of their bridge ports. No lock is held. */
void osa_bridge_tell(struct osa *osa);
/** The port to send by, which stays until osa_port_done_locked; NULL: not coupled. Lock held. */
struct lan_port *osa_port_use_locked(struct osa *osa);
void osa_port_done_locked(struct osa *osa);
/** Is a frame to this address for the program? Lock held. */
bool osa_wants_locked(const struct osa *osa, const u8 mac[MAC_BYTES]);

/* iqd.c: HiperSockets */
/** The frame size that the program is told; it makes its largest packet of it. */
u16 iqd_frame(const struct osa *osa);
/** The largest frame (Ethernet header included) that a program may send. */
u32 osa_frame_max(const struct osa *osa);

/* osa_state.c: dev_ops of the data device */
void osa_save(void *dev, struct codec_out *out);
int osa_restore(void *dev, struct codec_in *in, struct cause *cause);
/** The program goes on here: its addresses are this port's. No lock. */
void osa_take_addresses(struct osa *osa);

#endif
