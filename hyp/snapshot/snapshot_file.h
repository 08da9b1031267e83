/* Snapshot files: what docs/snapshots.md describes. A file is a prologue, the chunks of storage
 * one behind the other, and the head, codec rows that say what is where. Every byte is under a
 * checksum. The reader takes the file for hostile; each refusal names the file, and the offset if
 * there is one. Threads: any, one at a time for a file, but for snapshot_chunk_read. */
#ifndef ENDICOTT_HYP_SNAPSHOT_SNAPSHOT_FILE_H
#define ENDICOTT_HYP_SNAPSHOT_SNAPSHOT_FILE_H

#include "mem/storage_source.h"

#define SNAPSHOT_MAGIC "ENDISNAP"
#define SNAPSHOT_VERSION 1u
#define SNAPSHOT_PROLOGUE_BYTES 64u
#define SNAPSHOT_CHUNK_FRAMES (STORAGE_CHUNK_BYTES / FRAME_BYTES)
#define SNAPSHOT_CHUNK_ROW_BYTES 148u
#define SNAPSHOT_TEXT_BYTES 64u
#define SNAPSHOT_CPUS_MAX 64u

/** What the prologue has where. */
enum snapshot_prologue_at {
    SNAPSHOT_AT_MAGIC = 0,       /* 8 bytes */
    SNAPSHOT_AT_VERSION = 8,     /* 4 */
    SNAPSHOT_AT_PROLOGUE = 12,   /* 4: its bytes */
    SNAPSHOT_AT_FILE = 16,       /* 8: bytes of the file */
    SNAPSHOT_AT_HEAD = 24,       /* 8: where the head begins */
    SNAPSHOT_AT_HEAD_BYTES = 32, /* 8 */
    SNAPSHOT_AT_HEAD_HASH = 40,  /* 8 */
    SNAPSHOT_AT_ZERO = 48,       /* 8 */
    SNAPSHOT_AT_HASH = 56,       /* 8: of what is before it */
};

/** Rows of the head. */
enum snapshot_row {
    SNAPSHOT_ROW_USER = CODEC_MANDATORY | 1,
    SNAPSHOT_ROW_MEMBER = 2,                    /* where it was saved */
    SNAPSHOT_ROW_WHEN = CODEC_MANDATORY | 3,    /* 8: ns since 1970 */
    SNAPSHOT_ROW_STORAGE = CODEC_MANDATORY | 4, /* 8: bytes */
    SNAPSHOT_ROW_CPUS = CODEC_MANDATORY | 5,    /* 4 */
    SNAPSHOT_ROW_GUEST = CODEC_MANDATORY | 6,   /* what eligibility looks at */
    SNAPSHOT_ROW_DISK =
        CODEC_MANDATORY | 7, /* one for each disk it writes to: how it was left */
    SNAPSHOT_ROW_STATE = CODEC_MANDATORY | 8,  /* as in a relocation */
    SNAPSHOT_ROW_CHUNKS = CODEC_MANDATORY | 9, /* SNAPSHOT_CHUNK_ROW_BYTES for each */
    SNAPSHOT_ROW_LEVEL = 10,                   /* of the program that wrote it */
};

enum snapshot_packing { SNAPSHOT_EMPTY, SNAPSHOT_STORED, SNAPSHOT_LZ4 };

/** A chunk of storage. In a row: number 4, bytes 4, packing 1, zero 3, hash 8, has, touched: 64
 *  bytes each, a bit for each frame, the leftmost first. */
struct snapshot_chunk {
    u32 number; /* of STORAGE_CHUNK_BYTES in storage */
    u32 bytes;  /* in the file; 0: it has zeros only */
    u8 packing; /* enum snapshot_packing */
    u64 at;     /* in the file, behind the chunk before it */
    u64 hash;   /* of these bytes */
    /* Frames that are not zero, whose bytes follow each other; and those ever stored into. */
    u64 has[SNAPSHOT_CHUNK_FRAMES / 64], touched[SNAPSHOT_CHUNK_FRAMES / 64];
};

static inline bool snapshot_frame_in(const u64 *set, unsigned frame)
{
    return set[frame / 64] >> (63 - frame % 64) & 1;
}

/** Frames with contents that lie side by side, from *frame or behind it on; 0: no more. */
static inline unsigned snapshot_run(const struct snapshot_chunk *c, unsigned *frame)
{
    unsigned n = 0;
    while (*frame < SNAPSHOT_CHUNK_FRAMES && !snapshot_frame_in(c->has, *frame))
        ++*frame;
    while (*frame + n < SNAPSHOT_CHUNK_FRAMES && snapshot_frame_in(c->has, *frame + n))
        n++;
    return n;
}

/* ---- writing ---- */

/** Is there LZ4 in this program? */
bool snapshot_can_compress(void);

struct snapshot_writer;
/** `head`: rows but for CHUNKS, copied. All that is needed is allocated here; storage is whole, and
 *  stays until the writer is destroyed. */
int snapshot_writer_create(struct storage *st, const struct codec_out *head, bool compress,
                           struct snapshot_writer **out, struct cause *cause);
/** The whole file, from its beginning, and fsync. Allocates and locks nothing: may run in the child
 *  of a fork. 0, or an errno. */
int snapshot_write(struct snapshot_writer *w, int fd);
/** After snapshot_write: bytes of the file; frames with contents. */
u64 snapshot_written(const struct snapshot_writer *w, u64 *frames);
void snapshot_writer_destroy(struct snapshot_writer *w);

/* ---- reading ---- */

struct snapshot;
struct snapshot_disk {
    const u8 *p;
    u32 len;
};
#define SNAPSHOT_DISKS_MAX 1024u

/** What the head says; pointers are into it. */
struct snapshot_info {
    char user[SNAPSHOT_TEXT_BYTES], member[SNAPSHOT_TEXT_BYTES], level[SNAPSHOT_TEXT_BYTES];
    u64 when_ns, storage_bytes, file_bytes;
    u32 cpus;
    const u8 *guest, *state;
    size_t guest_len, state_len;
    const struct snapshot_chunk *chunk;
    u32 chunks;
    u64 frames, stored_bytes; /* with contents; of them in the file */
    bool compressed;          /* some chunk is */
    struct snapshot_disk disk[SNAPSHOT_DISKS_MAX];
    u32 disks;
};

/** Open it and read prologue and head, which are then known to be right. ST_NOENT, ST_IO,
 *  ST_PROTO. */
int snapshot_open(const char *path, struct snapshot **out, struct cause *cause);
const struct snapshot_info *snapshot_info(const struct snapshot *s);
const char *snapshot_path(const struct snapshot *s);
/** Is the file at its path this one, unchanged? For who replaces only what is a snapshot. */
bool snapshot_is(const char *path);
/** One chunk into `to`, STORAGE_CHUNK_BYTES of zeros, up to `room`. ST_IO, ST_PROTO. Any thread. */
int snapshot_chunk_read(const struct snapshot *s, u32 chunk, u8 *to, u64 room,
                        struct cause *cause);
/** All chunks: are they what was written? */
int snapshot_verify(const struct snapshot *s, struct cause *cause);
/** Storage of the size that it says comes from the file; `s` is storage's from here on, also when
 *  this fails. `lost` as in struct storage_source, with why; frames are marked as touched. */
struct snapshot_feed {
    void (*lost)(void *ctx, const struct cause *cause); /* each chunk; any thread */
    void (*end)(void *ctx);                             /* any thread; NULL: nobody asks */
    void *ctx;
};
int snapshot_feed(struct snapshot *s, struct storage *st, const struct snapshot_feed *to,
                  struct cause *cause);
void snapshot_close(struct snapshot *s);

#endif
