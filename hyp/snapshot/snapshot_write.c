/* Writing a snapshot file: chunks in order of storage, the head, and at last the prologue, without
 * which it is none. Guarantee: snapshot_write allocates nothing and takes no lock, so that it can
 * run in the child of a fork, where storage stands still while the guest goes on. */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hyp/snapshot/snapshot_file.h"
#include "hyp/snapshot/snapshot_hash.h"
#include "mem/base/ergo.h"
#ifdef HAVE_LIBLZ4
#include <lz4.h>
#endif

#define CODEC_HEADER_BYTES 6u

/** Created and destroyed by who writes; nobody else knows it. */
struct snapshot_writer {
    struct storage *st;
    u8 *head; /* rows, then the chunks' rows */
    size_t head_len, head_room, chunks_at;
    u8 *packed, *unpacked; /* of a chunk; NULL: not compressed */
    size_t packed_room;
    void *lz4;
    int fd;
    u64 at, frames;
};

bool snapshot_can_compress(void)
{
#ifdef HAVE_LIBLZ4
    return true;
#else
    return false;
#endif
}

/* ---- one chunk ---- */

static bool put(struct snapshot_writer *w, const u8 *p, size_t len)
{
    while (len) {
        ssize_t n = pwrite(w->fd, p, len, (off_t)w->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n ? errno : EIO;
            return false;
        }
        p += n;
        len -= (size_t)n;
        w->at += (u64)n;
    }
    return true;
}

static void set_bit(u64 *set, unsigned frame)
{
    set[frame / 64] |= 1ull << (63 - frame % 64);
}

/* Which frames it has; their number. */
static unsigned look(struct snapshot_writer *w, struct snapshot_chunk *c)
{
    u64 first = (u64)c->number * SNAPSHOT_CHUNK_FRAMES;
    unsigned count = 0;
    for (unsigned i = 0; i < SNAPSHOT_CHUNK_FRAMES && first + i < w->st->frames; i++) {
        if (!storage_frame_touched(w->st, first + i))
            continue;
        set_bit(c->touched, i);
        if (!storage_holds(w->st, (first + i) << FRAME_SHIFT, FRAME_BYTES) ||
            storage_frame_zero(w->st, first + i))
            continue;
        set_bit(c->has, i);
        count++;
    }
    return count;
}

static const u8 *frames_at(const struct snapshot_writer *w, const struct snapshot_chunk *c,
                           unsigned frame)
{
    return w->st->base + (u64)c->number * STORAGE_CHUNK_BYTES + (u64)frame * FRAME_BYTES;
}

static bool put_stored(struct snapshot_writer *w, struct snapshot_chunk *c)
{
    struct snapshot_hash hash;
    snapshot_hash_init(&hash);
    for (unsigned frame = 0, n; (n = snapshot_run(c, &frame)) != 0; frame += n) {
        const u8 *p = frames_at(w, c, frame);
        snapshot_hash_add(&hash, p, (size_t)n * FRAME_BYTES);
        if (!put(w, p, (size_t)n * FRAME_BYTES))
            return false;
        c->bytes += n * FRAME_BYTES;
    }
    c->hash = snapshot_hash_end(&hash);
    c->packing = SNAPSHOT_STORED;
    return true;
}

/* Bytes that it takes in w->packed; 0: not fewer. */
static size_t pack(struct snapshot_writer *w, const struct snapshot_chunk *c)
{
    size_t len = 0;
    for (unsigned frame = 0, n; (n = snapshot_run(c, &frame)) != 0; frame += n) {
        memcpy(w->unpacked + len, frames_at(w, c, frame), (size_t)n * FRAME_BYTES);
        len += (size_t)n * FRAME_BYTES;
    }
#ifdef HAVE_LIBLZ4
    int n = LZ4_compress_fast_extState(w->lz4, (const char *)w->unpacked, (char *)w->packed,
                                       (int)len, (int)w->packed_room, 1);
    return n > 0 && (size_t)n < len ? (size_t)n : 0;
#else
    return 0;
#endif
}

static bool put_packed(struct snapshot_writer *w, struct snapshot_chunk *c, size_t len)
{
    c->packing = SNAPSHOT_LZ4;
    c->bytes = (u32)len;
    c->hash = snapshot_hash_of(w->packed, len);
    return put(w, w->packed, len);
}

static void chunk_row(struct snapshot_writer *w, const struct snapshot_chunk *c)
{
    u8 *p = w->head + w->head_len;
    ERGO(w->head_len + SNAPSHOT_CHUNK_ROW_BYTES <= w->head_room);
    w->head_len += SNAPSHOT_CHUNK_ROW_BYTES;
    be32_store(p, c->number);
    be32_store(p + 4, c->bytes);
    p[8] = c->packing;
    memset(p + 9, 0, 3);
    be64_store(p + 12, c->hash);
    for (unsigned i = 0; i < ARRAY_LEN(c->has); i++) {
        be64_store(p + 20 + 8 * i, c->has[i]);
        be64_store(p + 84 + 8 * i, c->touched[i]);
    }
}

static bool any(const u64 *set)
{
    u64 all = 0;
    for (unsigned i = 0; i < SNAPSHOT_CHUNK_FRAMES / 64; i++)
        all |= set[i];
    return all;
}

static bool chunk_write(struct snapshot_writer *w, u64 number)
{
    struct snapshot_chunk c = {.number = (u32)number};
    unsigned count = look(w, &c);
    if (!any(c.touched))
        return true;
    w->frames += count;
    size_t packed = count && w->packed ? pack(w, &c) : 0;
    bool good = !count || (packed ? put_packed(w, &c, packed) : put_stored(w, &c));
    if (good)
        chunk_row(w, &c);
    return good;
}

/* ---- the file ---- */

static bool chunks_write(struct snapshot_writer *w)
{
    struct storage *st = w->st;
    u64 f = storage_frame_next(st, 0);
    while (f < st->frames) {
        if (!chunk_write(w, f / SNAPSHOT_CHUNK_FRAMES))
            return false;
        f = storage_frame_next(st, (f / SNAPSHOT_CHUNK_FRAMES + 1) * SNAPSHOT_CHUNK_FRAMES);
    }
    return true;
}

static bool prologue_write(struct snapshot_writer *w, u64 head_at)
{
    u8 p[SNAPSHOT_PROLOGUE_BYTES] = {0};
    memcpy(p + SNAPSHOT_AT_MAGIC, SNAPSHOT_MAGIC, 8);
    be32_store(p + SNAPSHOT_AT_VERSION, SNAPSHOT_VERSION);
    be32_store(p + SNAPSHOT_AT_PROLOGUE, SNAPSHOT_PROLOGUE_BYTES);
    be64_store(p + SNAPSHOT_AT_FILE, w->at);
    be64_store(p + SNAPSHOT_AT_HEAD, head_at);
    be64_store(p + SNAPSHOT_AT_HEAD_BYTES, w->head_len);
    be64_store(p + SNAPSHOT_AT_HEAD_HASH, snapshot_hash_of(w->head, w->head_len));
    be64_store(p + SNAPSHOT_AT_HASH, snapshot_hash_of(p, SNAPSHOT_AT_HASH));
    u64 end = w->at;
    w->at = 0;
    bool good = put(w, p, sizeof p);
    w->at = end;
    return good;
}

int snapshot_write(struct snapshot_writer *w, int fd)
{
    w->fd = fd;
    w->frames = 0;
    w->at = SNAPSHOT_PROLOGUE_BYTES;
    w->head_len = w->chunks_at + CODEC_HEADER_BYTES;
    if (!chunks_write(w))
        return errno;
    u64 head_at = w->at;
    be16_store(w->head + w->chunks_at, SNAPSHOT_ROW_CHUNKS);
    be32_store(w->head + w->chunks_at + 2,
               (u32)(w->head_len - w->chunks_at - CODEC_HEADER_BYTES));
    if (!put(w, w->head, w->head_len) || !prologue_write(w, head_at) || fsync(fd))
        return errno;
    return 0;
}

u64 snapshot_written(const struct snapshot_writer *w, u64 *frames)
{
    *frames = w->frames;
    return w->at;
}

/* ---- life ---- */

/* Chunks that may have something. */
static u64 chunks_of(const struct storage *st)
{
    u64 n = 0, f = storage_frame_next(st, 0);
    for (; f < st->frames; n++)
        f = storage_frame_next(st, (f / SNAPSHOT_CHUNK_FRAMES + 1) * SNAPSHOT_CHUNK_FRAMES);
    return n;
}

static bool packing_begin(struct snapshot_writer *w)
{
#ifdef HAVE_LIBLZ4
    w->packed_room = (size_t)LZ4_compressBound((int)STORAGE_CHUNK_BYTES);
    w->packed = malloc(w->packed_room);
    w->unpacked = malloc(STORAGE_CHUNK_BYTES);
    w->lz4 = malloc((size_t)LZ4_sizeofState());
#endif
    return w->packed && w->unpacked && w->lz4;
}

int snapshot_writer_create(struct storage *st, const struct codec_out *head, bool compress,
                           struct snapshot_writer **out, struct cause *cause)
{
    struct snapshot_writer *w = calloc(1, sizeof *w);
    size_t rows = (size_t)chunks_of(st) * SNAPSHOT_CHUNK_ROW_BYTES;
    *out = w;
    if (w) {
        w->st = st;
        w->chunks_at = head->len;
        w->head_room = head->len + CODEC_HEADER_BYTES + rows;
        w->head = malloc(w->head_room);
    }
    if (!w || !w->head || head->failed || (compress && !packing_begin(w))) {
        snapshot_writer_destroy(w);
        return cause_set(cause, ST_NOMEM, "no memory for a snapshot's tables");
    }
    memset(w->head, 0, w->head_room); /* its pages are there before a fork */
    memcpy(w->head, head->data, head->len);
    return ST_OK;
}

void snapshot_writer_destroy(struct snapshot_writer *w)
{
    if (!w)
        return;
    free(w->head);
    free(w->packed);
    free(w->unpacked);
    free(w->lz4);
    free(w);
}
