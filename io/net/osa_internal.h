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
#define OSA_BACKLOG_FRAMES 256u
#define OSA_BACKLOG_BYTES (1u << 20)
#define OSA_OUTPUTS 4u
#define OSA_BUFFER_ROOM (QDIO_ELEMENTS * FRAME_BYTES)

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

/** Everything of an adapter that relocates but its queues; one row each in io_state.def. */
struct osa_state {
    u32 sequence, pdu_sequence; /* of messages to the program */
    u8 own[MAC_BYTES];          /* the adapter's address */
    u16 groups, macs;           /* entries of the tables that count */
    u8 group[OSA_GROUPS_MAX][MAC_BYTES];
    u8 mac[OSA_MACS_MAX][MAC_BYTES]; /* that the program receives for */
    u8 vlan[512];                    /* that it has named, a bit each */
    u8 active[2];                    /* read and write: IDX is */
    u8 layer;                        /* enum osa_layer, once the program said */
    u8 lan;                          /* it has started the LAN */
    u8 promiscuous;
    u8 zero[5];
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
    u8 bytes[];
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
    struct osa_reply *idx[2]; /* answers to IDX ACTIVATE, for read and write */
    struct osa_frame *backlog, **backlog_end;
    u32 backlog_frames, backlog_bytes;
    bool held;             /* guest storage is not to be touched */
    bool moved;            /* restored, and not resumed since */
    _Atomic u32 sending;   /* enum osa_sending */
    u8 *out;               /* OSA_BUFFER_ROOM bytes, of the thread that sends */
    struct lan_port *port; /* NULL: not coupled */
    unsigned port_users;   /* threads that send by it, without the lock */
    pthread_cond_t unused; /* port_users is 0 */
    _Atomic u64 filtered, no_buffer, bad_output;
};

/* osa_mpc.c */
/** A message that the program wrote on read or write. False: it is none. No lock is held. */
bool osa_message(struct osa *osa, enum osa_role role, const u8 *msg, u32 len);
/** Queue an answer for the read device; the queue is full: it is lost. Lock held. */
bool osa_answer_locked(struct osa *osa, const struct osa_reply *reply);
/** Tell the program, unasked, that the LAN has started or stopped. Lock held; true: the read device
 *  has something to be read. */
bool osa_lan_event_locked(struct osa *osa, bool started);
/** Forget the control session: IDX, answers, addresses. Lock held. */
void osa_session_end_locked(struct osa *osa);

/* osa_ipa.c */
/** An IP assist command: `r` holds the message and becomes the answer. Lock held. */
void osa_ipa_locked(struct osa *osa, struct osa_reply *r);

/* osa_frame.c */
extern const struct lan_port_ops osa_port_ops;
/** The program has given output buffers. Processor thread, no lock. */
void osa_send(struct osa *osa, u32 queues);
/** Frames that wait go to input buffers; true: an adapter interruption is due. Lock held. */
bool osa_flush_locked(struct osa *osa);
void osa_backlog_drop_locked(struct osa *osa);
/** Keep a frame until the program gives a buffer; false: there is no room. Lock held. */
bool osa_backlog_add_locked(struct osa *osa, const u8 *frame, u32 len);
/** The port to send by, which stays until osa_port_done_locked; NULL: not coupled. Lock held. */
struct lan_port *osa_port_use_locked(struct osa *osa);
void osa_port_done_locked(struct osa *osa);
/** Is a frame to this address for the program? Lock held. */
bool osa_wants_locked(const struct osa *osa, const u8 mac[MAC_BYTES]);

/* osa_state.c: dev_ops of the data device */
void osa_save(void *dev, struct codec_out *out);
int osa_restore(void *dev, struct codec_in *in, struct cause *cause);
/** The program goes on here: its addresses are this port's. No lock. */
void osa_take_addresses(struct osa *osa);

#endif
