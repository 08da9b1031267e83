/* An adapter whose sides are in different programs: one has both sides (ctc.h), of which one is a
 * stub that stands for the device in the other; that device passes its commands on. One command is
 * under way at a time, with one block, so that nothing piles up. Messages are whole and in order
 * until the connection ends; what arrives is decoded as hostile. */
#ifndef ENDICOTT_IO_NET_CTC_REMOTE_H
#define ENDICOTT_IO_NET_CTC_REMOTE_H

#include "io/net/ctc.h"

#define CTC_MESSAGE_BYTES_MAX (CTC_BLOCK_BYTES_MAX + 32u)

/** Takes a message along; copies it. No lock is held, from any thread. */
struct ctc_wire {
    void (*send)(void *arg, const u8 *message, size_t len);
    void *arg;
};

struct ctc_remote;
struct ctc_stub;

/** The device's end, in the mode that it has, which the other one is told; `extended_first` as of a
 *  side. NULL without host memory. `ops` are called from ctc_remote_receive alone. */
struct ctc_remote *ctc_remote_create(bool extended_first, bool extended, bool ready,
                                     const struct ctc_wire *wire,
                                     const struct ctc_side_ops *ops, void *arg);
/** Nobody is in its functions. */
void ctc_remote_destroy(struct ctc_remote *remote);
/** False: no message of the protocol; the connection is no good. */
bool ctc_remote_receive(struct ctc_remote *remote, const u8 *message, size_t len);
/** What the device would ask a side; the thread of its device work. */
bool ctc_remote_takes(struct ctc_remote *remote, u8 command);
void ctc_remote_step(struct ctc_remote *remote, struct ctc_command *c, bool chained,
                     struct ctc_result *out);
void ctc_remote_taken(struct ctc_remote *remote, u32 n, struct ctc_result *out);
void ctc_remote_ended(struct ctc_remote *remote);
void ctc_remote_cancel(struct ctc_remote *remote);
void ctc_remote_disconnect(struct ctc_remote *remote);
void ctc_remote_reset(struct ctc_remote *remote);
bool ctc_remote_extended(struct ctc_remote *remote);

/** The other end: a side of `hub`. NULL without host memory. */
struct ctc_stub *ctc_stub_create(struct ctc_hub *hub, bool extended_first,
                                 const struct ctc_wire *wire);
/** Uncoupled; nothing is sent any more when this returns. */
void ctc_stub_destroy(struct ctc_stub *stub);
struct ctc_side *ctc_stub_side(struct ctc_stub *stub);
bool ctc_stub_receive(struct ctc_stub *stub, const u8 *message, size_t len);

#endif
