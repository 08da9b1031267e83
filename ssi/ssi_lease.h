/* A PDR on a disk that has no locks and does not compare before it writes: leases of slots, the
 * record's lock, and bytes of which a late write can undo nothing. The algorithm alone; its rules
 * [B1] to [B7] stand in ssi_lease.c. */
#ifndef ENDICOTT_SSI_SSI_LEASE_H
#define ENDICOTT_SSI_SSI_LEASE_H

#include "ssi/ssi_pdr.h"
#include "ssi/ssi_process.h"

#define LEASE_VERSION 1
#define LEASE_SECTOR_BYTES 512
#define LEASE_CHUNK_BYTES 4096 /* of the PDR */
#define LEASE_COPY_BYTES                                                                       \
    (LEASE_SECTOR_BYTES + LEASE_CHUNK_BYTES) /* ... and what is said of it */
#define LEASE_SECTORS_AT 4096u
#define LEASE_BEATS_AT 8192u
#define LEASE_CHUNKS_AT 16384u
#define LEASE_CHUNKS (PDR_FILE_BYTES / LEASE_CHUNK_BYTES)
#define LEASE_ROW_BYTES ((u64)SSI_SLOTS_MAX * LEASE_COPY_BYTES) /* all copies of a chunk */
#define LEASE_BYTES (LEASE_CHUNKS_AT + LEASE_CHUNKS * LEASE_ROW_BYTES) /* of the whole disk */
#define LEASE_STILL_MS 10000u  /* a sector that stood still so long may be passed over */
#define LEASE_SETTLE_MS 10000u /* a write without an answer is given so long to come to rest */
#define LEASE_CONFIRM_MS 3000u /* the slot's holder, if there is one, has so long to object */
#define LEASE_RENEW_MS 2000u
#define LEASE_POLL_MS 1u
#define LEASE_POLL_MS_MAX 16u

/** The disk, and the world. Requests of one lease come one at a time; all may block. */
struct lease_disk {
    void *ctx;
    int (*read)(void *ctx, u64 at, void *data, size_t len, struct cause *cause);
    /** On stable storage if `durable`. A failure that leaves open whether it is carried out later
     *  is told by lease_reconnected before the next request. */
    int (*write)(void *ctx, u64 at, const void *data, size_t len, bool durable,
                 struct cause *cause);
    int (*flush)(void *ctx, struct cause *cause); /* all that was answered */
    u64 (*now_ms)(void *ctx);                     /* monotonic */
    u64 (*random)(void *ctx);
    void (*pause)(void *ctx, unsigned ms);
    bool (*gone)(void *ctx, const struct ssi_process *process);
};

enum lease_life { LEASE_NOBODY, LEASE_ASKS, LEASE_HELD };
/** FREE; UP: wants the lock or has it; LEFT: had it, and did not end as it should have. */
enum lease_flag { LEASE_FREE, LEASE_UP, LEASE_LEFT };

/** A slot's sector, which its member alone writes. */
struct lease_sector {
    u64 nonce;               /* names the life */
    u64 count;               /* of writes: advances while the member lives */
    u64 ticket;              /* the smaller goes first */
    u64 ballot;              /* of its last session */
    u64 over[SSI_SLOTS_MAX]; /* the session of each other slot that was passed over last */
    enum lease_life life;
    enum lease_flag flag;
    struct ssi_process process;
};

/** Created by lease_init; serialised by its owner. */
struct lease {
    struct lease_disk disk;
    unsigned slot;
    struct ssi_process process;
    u64 format; /* names the disk; 0: not looked at yet */
    u64 nonce;
    struct lease_sector own;                 /* as it was written last */
    struct lease_sector seen[SSI_SLOTS_MAX]; /* as they were read last */
    u64 seen_ms[SSI_SLOTS_MAX];              /* since when they are as they are; 0: not read */
    u64 asked_ms;                            /* when that reading began */
    u64 buried[SSI_SLOTS_MAX]; /* sessions passed over by one of ours that ended well */
    enum { LIFE_NONE, LIFE_WATCH, LIFE_CONFIRM, LIFE_OURS } life;
    unsigned moves;        /* of the slot's sector while it is watched */
    u64 life_ms, quiet_ms; /* before then nothing is written but heartbeats */
    u64 written_ms, top;   /* the greatest ballot that is known of */
    bool stale;            /* own sector: what was written last is not known to be there */
    bool upright;          /* `own` is UP for the session that is wanted now */
    bool unclean;          /* our last session may have left something */
    u64 floor;             /* the greatest ballot of those that were no rivals */
    bool locked, lost;     /* a session; it was passed over, or its connection is gone */
    bool failed;           /* ... a request in it was not carried out */
    bool seals;            /* ... and it passed over another: [B5] */
    bool durable;          /* ... its sector is on stable storage */
    bool unflushed;        /* ... chunks are not */
    u8 read;               /* ... which chunks were read: LEASE_READ_* */
    u8 clear;              /* slots that were seen to be no rivals since we are UP */
    u8 copies[SSI_SLOTS_MAX * LEASE_COPY_BYTES];
};

/** `process` is told to the others. */
void lease_init(struct lease *lease, const struct lease_disk *disk, unsigned slot,
                const struct ssi_process *process);

/** There is a connection, the first one or another: `doubt`: a write on the one before had no
 *  answer. Looks what the disk is. ST_CONFIG: it is not formatted; ST_IO: not the one it was. */
int lease_reconnected(struct lease *lease, bool doubt, struct cause *cause);
/** The connection has ended: a session that is under way is lost. */
void lease_disconnected(struct lease *lease);

/** The slot was given up, or could not be; another disk may be there the next time. */
void lease_forget(struct lease *lease);

/** Hold the slot; call it again while it says ST_BUSY. ST_EXIST: another life has it. */
int lease_life_hold(struct lease *lease, struct cause *cause);
/** Give it up, as far as the disk can be told. */
void lease_life_drop(struct lease *lease);
/** Is it not known that nobody has the slot? From what was read last. */
bool lease_life_held(const struct lease *lease, unsigned slot);

/** Begin a session; waits at most wait_ms. ST_BUSY, ST_IO. */
int lease_lock(struct lease *lease, unsigned wait_ms, struct cause *cause);
void lease_unlock(struct lease *lease);

/** Read of the PDR within a session; what was never written is zeros. */
int lease_read(struct lease *lease, u64 offset, void *data, size_t len, struct cause *cause);
/** Write to the PDR within a session, whole chunks from `offset` on, the last one filled up with
 *  zeros. ST_OK: it stands, whatever becomes of this member. Heartbeats, the first chunk, are
 *  written without a session, too. */
int lease_write(struct lease *lease, u64 offset, const void *data, size_t len, bool durable,
                struct cause *cause);

/** The same for one who is no member: no session, so it may be what was, or is to be. */
int lease_peek(struct lease *lease, u64 offset, void *data, size_t len, struct cause *cause);
/** Read all sectors into lease->seen. ST_PROTO: one is damaged. */
int lease_look(struct lease *lease, struct cause *cause);
/** Whose sector says that it has the record's lock, or has left it; -1: nobody. */
int lease_locked_by(const struct lease *lease);

/** Make the disk a new, empty one. What was on it cannot be read any more. */
int lease_format(struct lease *lease, struct cause *cause);
/** Write a chunk without a session: of a disk that nobody uses. */
int lease_form_write(struct lease *lease, u64 offset, const void *chunk, struct cause *cause);

/* --- bytes (ssi_lease_bytes.c) --- */

void lease_super_encode(u8 out[LEASE_SECTOR_BYTES], u64 format);
/** The format's name; 0: it is none; *newer: it is one of a version to come. */
u64 lease_super_decode(const u8 p[LEASE_SECTOR_BYTES], bool *newer);
void lease_sector_encode(u8 out[LEASE_SECTOR_BYTES], u64 format,
                         const struct lease_sector *sector);
bool lease_sector_decode(struct lease_sector *sector, u64 format,
                         const u8 p[LEASE_SECTOR_BYTES]);
/** What is said of a chunk's copy, put before its bytes. */
void lease_copy_seal(u8 copy[LEASE_COPY_BYTES], u64 format, u64 chunk, u64 ballot);
/** The ballot of a copy; 0: it is none. */
u64 lease_copy_ballot(const u8 copy[LEASE_COPY_BYTES], u64 format, u64 chunk);

#endif
