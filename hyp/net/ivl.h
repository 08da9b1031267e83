/* One network over the members of a cluster: switches of one name exchange frames, and so do LANs
 * of HiperSockets. Each member tells the others which addresses its stations have, so a frame for
 * one of them goes to that member only; a group goes to all; what nobody has goes to the member
 * whose uplink is used, and to those where a station takes it (bridge ports, flooding). */
#ifndef ENDICOTT_HYP_NET_IVL_H
#define ENDICOTT_HYP_NET_IVL_H

/* Frames are queued on the senders' threads and leave on the loop thread, where all functions but
 * for `deliver` inside run. Invariants:
 * [N1] A frame from a member is never sent to a member: no loops, every two members have a link.
 * [N2] Of the members that see each other one has its uplink in use: the lowest slot of those whose
 *      uplink leads somewhere. The others' are muted.
 * [N3] An address that two members tell of (a machine that moves) is with the one that told last.
 * [N4] A queue is bounded; what does not fit is dropped and counted. Nobody waits. */

#include "hyp/directory.h"
#include "io/net/lan.h"

#define IVL_SLOTS_MAX 8u
#define IVL_QUEUE_FRAMES 1024u
#define IVL_QUEUE_BYTES (4u << 20)
#define IVL_BATCH_BYTES (64u << 10) /* frames in one message, but for one that is longer */
#define IVL_MACS_MAX 16384u         /* of one member on one switch */

struct ivls; /* of a member */
struct ivl;  /* of a switch */

/** Types of messages between members. */
enum ivl_message { IVL_STATE = 1, IVL_FRAMES = 2, IVL_DOWN = 3 };

struct ivl_ports {
    void *ctx;
    /** To the member in a slot; false: it was not to be done. */
    bool (*send)(void *ctx, unsigned slot, enum ivl_message type, const void *data, size_t len);
    /** May frames go to that member now, so that what is more important need not wait? */
    bool (*room)(void *ctx, unsigned slot);
    /** Have ivls_poll called on the loop; another uplink may be in use. Any thread, perhaps with
     *  locks of adapters held. */
    void (*wakeup)(void *wakeup_ctx);
    void *wakeup_ctx;
};

struct ivl_info {
    unsigned members;            /* that have this switch, but for us */
    unsigned in_use;             /* slot whose uplink it is, 0-based; IVL_SLOTS_MAX: none */
    bool own;                    /* it is ours */
    u64 sent, received, dropped; /* frames to and from members */
};

/** Nobody else is there yet; `slot` is the own one, 0-based. NULL: no memory. */
struct ivls *ivls_create(unsigned slot, const struct ivl_ports *ports);
/** All switches have gone. */
void ivls_destroy(struct ivls *all);

/** A switch (kind 0) or LAN and its network, which outlives the ivl; it has no uplink yet. It is
 *  one with those of the same name and kind. NULL: no memory. */
struct ivl *ivl_add(struct ivls *all, const char *name, u8 kind, struct lan *lan);
void ivl_remove(struct ivl *ivl);
/** Does an uplink of it lead somewhere? They are muted while another member's is in use. */
void ivl_uplink(struct ivl *ivl, bool up);
/** VEPA: what stations here send goes to the member whose uplink is in use, whoever it is for. */
void ivl_vepa(struct ivl *ivl, bool on);
void ivl_info(struct ivl *ivl, struct ivl_info *out);

/** A member can be reached from now on, or no more. */
void ivls_member(struct ivls *all, unsigned slot, bool there);
/** A message from it; hostile. */
void ivls_receive(struct ivls *all, unsigned slot, u16 type, const void *data, size_t len);
/** Send what is queued, tell of addresses that came or went. After `wakeup`, and when there may be
 *  room again. */
void ivls_poll(struct ivls *all);

#endif
