/* A channel-to-channel adapter without its channels: two sides, the commands of each, and what they
 * do to the other. A side is a device of a guest (ctca.h) or stands for one that is elsewhere
 * (ctc_remote.h). Rules: the table in ctc.c, docs/ctca.md. Any thread; nobody waits for the other
 * side. */
#ifndef ENDICOTT_IO_NET_CTC_H
#define ENDICOTT_IO_NET_CTC_H

#include "mem/base/bytes.h"

#define CTC_BLOCK_BYTES_MAX                                                                    \
    65536u /* of one write; what a data chain has beyond it is not taken */

struct ctc_hub;
struct ctc_side;

/** What a side does: at most one command, which waits for the other side's. */
enum ctc_does { CTC_IDLE, CTC_PREPARE, CTC_CONTROL, CTC_READ, CTC_WRITE };

/** Everything of a side that relocates; one row each in io_state.def, no padding. */
struct ctc_state {
    u32 taken;   /* bytes of a write that the other side took; with `done` */
    u8 does;     /* enum ctc_does */
    u8 command;  /* its command code */
    u8 extended; /* mode */
    u8 ready;    /* it has had a command since it was reset */
    u8 gone;     /* not ready because of a selective reset, not a system reset */
    u8 eof;      /* the other side has written end of file, which no read has met */
    u8 done;     /* the command that waits has ended so: unit status, 0: not yet */
    u8 sense;    /* of it, with unit check */
    u8 told;     /* by a unit check that the other side is not ready: device end is owed */
    u8 calling;  /* an attention for it waits until the other side's channel program ends */
    u8 program;  /* a channel program is under way */
    u8 parted;   /* it was coupled, and is not any more */
};

/** What a side is told; no lock is held, from any thread. */
struct ctc_side_ops {
    /** The command that waits can go on: ask again (ctc_step). */
    void (*look)(void *arg);
    /** Unsolicited unit status: attention, device end. */
    void (*status)(void *arg, u8 unit_status);
};

/** One command, or again the one that waits (`data` NULL then, unless ctc_takes said so). */
struct ctc_command {
    u8 command;
    u8 *data; /* of a write, from malloc: the side's from now on; or NULL */
    u32 len;
};

enum ctc_kind {
    CTC_WAIT, /* `look` comes */
    CTC_END,  /* with `status`; a write: `taken` bytes of it */
    CTC_BYTE, /* the same, with one byte for the program (sense command byte) */
    CTC_DATA, /* a block for the program: ctc_taken ends the command */
};

struct ctc_result {
    enum ctc_kind kind;
    u8 status, sense, byte;
    u32 taken;
    const u8 *data; /* the side's, until ctc_taken or ctc_cancel */
    u32 len;
};

/** What the sides of one member share: a lock. NULL without host memory. */
struct ctc_hub *ctc_hub_create(void);
/** All sides have gone. */
void ctc_hub_destroy(struct ctc_hub *hub);

/** A side that is not coupled; `extended`: its mode after a reset. `arg` outlives it. NULL without
 *  host memory. */
struct ctc_side *ctc_side_create(struct ctc_hub *hub, bool extended,
                                 const struct ctc_side_ops *ops, void *arg);
/** Uncoupled, and `ops` are called no more when this returns. Not from within them. */
void ctc_side_destroy(struct ctc_side *side);

/** Make them one adapter. Commands that wait at both and do not fit: that of `a` ends with busy and
 *  attention. False: one of them is coupled, or they are one. */
bool ctc_couple(struct ctc_side *a, struct ctc_side *b);
/** The other side is not ready any more. False: it was not coupled. */
bool ctc_uncouple(struct ctc_side *side);
bool ctc_coupled(struct ctc_side *side);

/** What a sense command tells when there is nothing special to be sensed. */
u8 ctc_idle_sense(struct ctc_side *side);
/** Its mode and whether it is ready, for another that stands for it; and the other way: it has no
 *  command then. */
void ctc_mode(struct ctc_side *side, bool *extended, bool *ready);
void ctc_set_mode(struct ctc_side *side, bool extended, bool ready);

/** Does a write command need its data from the program now? */
bool ctc_takes(struct ctc_side *side, u8 command);
void ctc_step(struct ctc_side *side, struct ctc_command *c, struct ctc_result *out);
/** The program took `n` bytes of the block: the command ends. */
void ctc_taken(struct ctc_side *side, u32 n, struct ctc_result *out);
/** A channel program begins; it has ended. */
void ctc_begin(struct ctc_side *side);
void ctc_ended(struct ctc_side *side);
/** The command under way is taken back; nothing else changes. */
void ctc_cancel(struct ctc_side *side);
/** Selective reset (halt, clear), behind ctc_cancel; system reset. */
void ctc_disconnect(struct ctc_side *side);
void ctc_reset(struct ctc_side *side);

/** The state, and the block of a write that waits (CTC_BLOCK_BYTES_MAX of room): its bytes, or -1
 *  for none. Not while the side's commands are performed. */
int ctc_save(struct ctc_side *side, struct ctc_state *out, u8 *block);
/** False: no side can be so, or there is no host memory. */
bool ctc_restore(struct ctc_side *side, const struct ctc_state *s, const u8 *block, int bytes);

#endif
