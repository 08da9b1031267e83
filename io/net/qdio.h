/* Queues of queued direct I/O in guest storage: what establish queues says of them, buffers taken
 * from output queues and filled in input queues, indicators. The owner serialises all calls but
 * where another thing is said. Addresses are absolute; storage keys are those of the descriptors.
 * No manual describes QDIO; source: Linux, arch/s390/include/asm/qdio.h, drivers/s390/cio/qdio*. */
#ifndef ENDICOTT_IO_NET_QDIO_H
#define ENDICOTT_IO_NET_QDIO_H

#include "io/device.h"
#include "mem/storage.h"

#define QDIO_QUEUES_MAX 8u /* of both kinds together */
#define QDIO_BUFFERS 128u  /* in a queue */
#define QDIO_ELEMENTS 16u  /* in a buffer */
#define QDR_BYTES 4096u

/* SIGNAL ADAPTER function codes. */
#define SIGA_WRITE 0x00
#define SIGA_READ 0x01
#define SIGA_SYNC 0x02

enum qdio_phase { QDIO_NONE, QDIO_ESTABLISHED, QDIO_ACTIVE };

/** Everything of the queues that relocates; one row each in io_state.def, no padding. */
struct qdio_state {
    u64 qib;                    /* queue information block */
    u64 summary, subchannel;    /* indicators, 0: none */
    u64 sl[QDIO_QUEUES_MAX];    /* storage lists: input queues first */
    u64 slsb[QDIO_QUEUES_MAX];  /* storage-list state blocks */
    u8 sl_key[QDIO_QUEUES_MAX]; /* 0xK0 each */
    u8 sbal_key[QDIO_QUEUES_MAX];
    u8 slsb_key[QDIO_QUEUES_MAX];
    u8 next[QDIO_QUEUES_MAX]; /* the adapter goes on with this buffer */
    u8 summary_key, subchannel_key;
    u8 isc;
    u8 phase; /* enum qdio_phase */
    u8 inputs, outputs;
    u8 zero[2];
};

struct qdio {
    struct storage *st;
    struct qdio_state s;
    u32 generation; /* of the queues: establish begins a new one */
};

/** An output buffer: its elements one behind the other. */
struct qdio_buffer {
    u8 *data; /* of `room` bytes, the caller's */
    u32 room;
    u32 elements;
    u32 at[QDIO_ELEMENTS + 1]; /* where each begins; the last one: the end */
    bool interrupt;            /* the program wants to hear when it is free */
    u32 generation;
};

/** Bytes to go into an input buffer. */
struct qdio_piece {
    const void *p;
    u32 len;
};

/** Read a queue description record (QDR_BYTES). `what` is the device's, for the format and how
 *  many queues there may be. Returns NULL, or what is wrong with it; then nothing changed. */
const char *qdio_establish(struct qdio *q, const u8 *qdr, const struct dev_qdio *what);
/** The queues take part (established before); or no more. */
bool qdio_activate(struct qdio *q);
void qdio_stop(struct qdio *q);

enum qdio_taken { QDIO_TAKEN, QDIO_EMPTY, QDIO_BAD };
/** The next output buffer that the program has given (output queue 0 on). QDIO_BAD: it cannot be
 *  read or is larger than the room, and is in error state already. */
enum qdio_taken qdio_take(struct qdio *q, unsigned output, struct qdio_buffer *b);
/** Give it back: empty, or in error with this reason. Nothing happens when the queues have gone
 *  meanwhile. */
void qdio_give(struct qdio *q, unsigned output, const struct qdio_buffer *b, u8 reason);

enum qdio_put { QDIO_PUT, QDIO_FULL, QDIO_MISFIT };
/** Fill the next input buffer. QDIO_FULL: the program has given none; QDIO_MISFIT: it is too small
 *  or not storage, and is in error state now. */
enum qdio_put qdio_put(struct qdio *q, unsigned input, const struct qdio_piece *piece,
                       unsigned pieces);
/** Set the indicators of active queues; true: an adapter interruption (s.isc) is due. Each time: a
 *  program clears them before it looks, but who says when. */
bool qdio_indicate(struct qdio *q);

/** May a restored state be worked with? */
bool qdio_state_valid(const struct qdio_state *s);

#endif
