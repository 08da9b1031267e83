/* Reading a snapshot file. Guarantees: nothing of the file is believed before its checksum is
 * right, and no number of it before it is in range; memory is bounded by the file's size.
 * Whoever changes the file while it is read is found out: a chunk that is not what it was is not
 * given to anybody. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hyp/snapshot/snapshot_file.h"
#include "hyp/snapshot/snapshot_hash.h"
#include "mem/base/ergo.h"
#ifdef HAVE_LIBLZ4
#include <lz4.h>
#endif

/** Created by snapshot_open, destroyed by snapshot_close, or with the storage that it feeds. */
struct snapshot {
    int fd;
    char *path;
    u8 *head;
    u64 head_at, head_bytes;
    struct snapshot_info info;
    struct snapshot_chunk *chunk;
    /* of storage that it feeds */
    struct snapshot_feed feed;
};

static int damaged(const struct snapshot *s, struct cause *cause, u64 at, const char *what)
{
    return cause_set(cause, ST_PROTO, "%s: offset %llu: %s", s->path, (unsigned long long)at,
                     what);
}

/* ---- bytes of the file ---- */

static int get(const struct snapshot *s, u64 at, u8 *p, size_t len, struct cause *cause)
{
    while (len) {
        ssize_t n = pread(s->fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cause_set(cause, ST_IO, "%s: offset %llu: %s", s->path,
                             (unsigned long long)at, strerror(errno));
        if (n == 0)
            return damaged(s, cause, at, "the file ends here, too early");
        p += n;
        at += (u64)n;
        len -= (size_t)n;
    }
    return ST_OK;
}

static int file_open(struct snapshot *s, struct cause *cause)
{
    struct stat stat;
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->fd < 0 || fstat(s->fd, &stat))
        return cause_set(cause,
                         errno == ENOENT   ? ST_NOENT
                         : errno == EACCES ? ST_PERM
                                           : ST_IO,
                         "%s: %s", s->path, strerror(errno));
    if (!S_ISREG(stat.st_mode))
        return cause_set(cause, ST_PROTO, "%s: it is not a regular file", s->path);
    s->info.file_bytes = (u64)stat.st_size;
    return ST_OK;
}

/* ---- prologue ---- */

static int prologue_check(struct snapshot *s, const u8 *p, struct cause *cause)
{
    u32 version = be32_load(p + SNAPSHOT_AT_VERSION);
    u64 file = be64_load(p + SNAPSHOT_AT_FILE);
    s->head_at = be64_load(p + SNAPSHOT_AT_HEAD);
    s->head_bytes = be64_load(p + SNAPSHOT_AT_HEAD_BYTES);
    if (version != SNAPSHOT_VERSION)
        return cause_set(cause, ST_PROTO,
                         "%s: offset %u: version %u of the format; this program knows %u",
                         s->path, SNAPSHOT_AT_VERSION, version, SNAPSHOT_VERSION);
    if (snapshot_hash_of(p, SNAPSHOT_AT_HASH) != be64_load(p + SNAPSHOT_AT_HASH))
        return damaged(s, cause, 0, "the prologue is damaged (its checksum is wrong)");
    if (be32_load(p + SNAPSHOT_AT_PROLOGUE) != SNAPSHOT_PROLOGUE_BYTES ||
        be64_load(p + SNAPSHOT_AT_ZERO))
        return damaged(s, cause, SNAPSHOT_AT_PROLOGUE, "the prologue is of another kind");
    if (file != s->info.file_bytes)
        return cause_set(
            cause, ST_PROTO, "%s: offset %llu: it has %llu bytes and should have %llu", s->path,
            (unsigned long long)(file < s->info.file_bytes ? file : s->info.file_bytes),
            (unsigned long long)s->info.file_bytes, (unsigned long long)file);
    if (s->head_at < SNAPSHOT_PROLOGUE_BYTES || s->head_at > file ||
        s->head_bytes != file - s->head_at || s->head_bytes > 2ull * CODEC_BYTES_MAX)
        return damaged(s, cause, SNAPSHOT_AT_HEAD, "the head cannot be there");
    return ST_OK;
}

static int head_get(struct snapshot *s, struct cause *cause)
{
    u8 p[SNAPSHOT_PROLOGUE_BYTES] = {0};
    int rc = get(s, 0, p, sizeof p, cause);
    if (memcmp(p, SNAPSHOT_MAGIC, 8) && (!rc || s->info.file_bytes < sizeof p))
        rc = damaged(s, cause, SNAPSHOT_AT_MAGIC, "this is not a snapshot");
    rc = rc ? rc : prologue_check(s, p, cause);
    if (rc)
        return rc;
    s->head = malloc(s->head_bytes ? s->head_bytes : 1);
    if (!s->head)
        return cause_set(cause, ST_NOMEM, "%s: no memory for its head", s->path);
    rc = get(s, s->head_at, s->head, s->head_bytes, cause);
    if (!rc && snapshot_hash_of(s->head, s->head_bytes) != be64_load(p + SNAPSHOT_AT_HEAD_HASH))
        rc = damaged(s, cause, s->head_at, "the head is damaged (its checksum is wrong)");
    return rc;
}

/* ---- head ---- */

/* In range and consistent by itself; `frames`: those of storage. */
static bool chunk_good(const struct snapshot_chunk *c, u64 frames)
{
    u64 first = (u64)c->number * SNAPSHOT_CHUNK_FRAMES;
    u32 count = 0, any = 0;
    if (first >= frames)
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(c->has); i++) {
        count += (u32)__builtin_popcountll(c->has[i]);
        any |= c->touched[i] != 0;
        if (c->has[i] & ~c->touched[i])
            return false;
    }
    for (unsigned i = 0; i < SNAPSHOT_CHUNK_FRAMES; i++)
        if (first + i >= frames && snapshot_frame_in(c->touched, i))
            return false;
    switch (c->packing) {
    case SNAPSHOT_EMPTY: return any && !count && !c->bytes;
    case SNAPSHOT_STORED: return count && c->bytes == count * FRAME_BYTES;
    case SNAPSHOT_LZ4: return c->bytes && c->bytes < count * FRAME_BYTES;
    default: return false;
    }
}

static void chunk_get(const u8 *p, struct snapshot_chunk *c)
{
    c->number = be32_load(p);
    c->bytes = be32_load(p + 4);
    c->packing = p[8];
    c->hash = be64_load(p + 12);
    for (unsigned i = 0; i < ARRAY_LEN(c->has); i++) {
        c->has[i] = be64_load(p + 20 + 8 * i);
        c->touched[i] = be64_load(p + 84 + 8 * i);
    }
}

static void chunk_count(struct snapshot_info *info, const struct snapshot_chunk *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(c->has); i++)
        info->frames += (u64)__builtin_popcountll(c->has[i]);
    info->stored_bytes += c->bytes;
    info->compressed |= c->packing == SNAPSHOT_LZ4;
}

/* The table, after STORAGE: ascending, and one behind the other in the file. */
static bool chunks_get(struct snapshot *s, const struct codec_row *row)
{
    u64 at = SNAPSHOT_PROLOGUE_BYTES;
    u32 n = row->len / SNAPSHOT_CHUNK_ROW_BYTES;
    if (row->len % SNAPSHOT_CHUNK_ROW_BYTES || s->chunk || !s->info.storage_bytes)
        return false;
    s->chunk = calloc(n ? n : 1, sizeof *s->chunk);
    if (!s->chunk)
        return false;
    for (u32 i = 0; i < n; i++) {
        struct snapshot_chunk *c = &s->chunk[i];
        const u8 *p = row->p + (size_t)i * SNAPSHOT_CHUNK_ROW_BYTES;
        chunk_get(p, c);
        c->at = at;
        at += c->bytes;
        if ((p[9] | p[10] | p[11]) || (i && c->number <= c[-1].number) || at > s->head_at ||
            !chunk_good(c, s->info.storage_bytes / FRAME_BYTES))
            return false;
        chunk_count(&s->info, c);
    }
    s->info.chunk = s->chunk;
    s->info.chunks = n;
    return at == s->head_at;
}

static bool once(const u8 **p, size_t *len, const struct codec_row *row)
{
    bool first = !*p;
    *p = row->p;
    *len = row->len;
    return first;
}

static bool row_get(struct snapshot *s, const struct codec_row *row)
{
    struct snapshot_info *info = &s->info;
    switch (row->tag) {
    case SNAPSHOT_ROW_USER: return codec_get_printable(row, info->user, SNAPSHOT_TEXT_BYTES);
    case SNAPSHOT_ROW_MEMBER:
        return codec_get_printable(row, info->member, SNAPSHOT_TEXT_BYTES);
    case SNAPSHOT_ROW_LEVEL: return codec_get_printable(row, info->level, SNAPSHOT_TEXT_BYTES);
    case SNAPSHOT_ROW_WHEN: return codec_get_u64(row, &info->when_ns);
    case SNAPSHOT_ROW_STORAGE:
        return !info->storage_bytes && codec_get_u64(row, &info->storage_bytes) &&
               info->storage_bytes && info->storage_bytes <= STORAGE_BYTES_MAX &&
               info->storage_bytes % STORAGE_UNIT_BYTES == 0;
    case SNAPSHOT_ROW_CPUS:
        return codec_get_u32(row, &info->cpus) && info->cpus && info->cpus <= SNAPSHOT_CPUS_MAX;
    case SNAPSHOT_ROW_GUEST: return once(&info->guest, &info->guest_len, row);
    case SNAPSHOT_ROW_STATE: return once(&info->state, &info->state_len, row);
    case SNAPSHOT_ROW_CHUNKS: return chunks_get(s, row);
    case SNAPSHOT_ROW_DISK:
        if (info->disks == SNAPSHOT_DISKS_MAX)
            return false;
        info->disk[info->disks++] = (struct snapshot_disk){row->p, row->len};
        return true;
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool known(u16 tag)
{
    return (tag & 0x7fff) >= (SNAPSHOT_ROW_USER & 0x7fff) &&
           (tag & 0x7fff) <= SNAPSHOT_ROW_LEVEL;
}

static int head_take(struct snapshot *s, struct cause *cause)
{
    struct codec_in in;
    struct codec_row row;
    codec_in_init(&in, s->head, s->head_bytes);
    while (codec_next(&in, &row)) {
        u64 at = s->head_at + (u64)(row.p - s->head);
        if (row_get(s, &row))
            continue;
        return cause_set(cause, ST_PROTO,
                         known(row.tag)
                             ? "%s: offset %llu: row X'%04X' of the head is not acceptable"
                             : "%s: offset %llu: row X'%04X' of the head is mandatory, and "
                               "this program does not know it",
                         s->path, (unsigned long long)at, row.tag);
    }
    if (in.failed)
        return damaged(s, cause, s->head_at + (u64)(in.p - s->head),
                       "a row of the head is cut");
    if (!*s->info.user || !s->info.cpus || !s->chunk || !s->info.state || !s->info.guest)
        return damaged(s, cause, s->head_at, "the head is incomplete");
    return ST_OK;
}

int snapshot_open(const char *path, struct snapshot **out, struct cause *cause)
{
    struct snapshot *s = calloc(1, sizeof *s);
    if (s)
        s->fd = -1;
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    }
    int rc = file_open(s, cause);
    rc = rc ? rc : head_get(s, cause);
    rc = rc ? rc : head_take(s, cause);
    if (rc)
        snapshot_close(s);
    else
        *out = s;
    return rc;
}

const struct snapshot_info *snapshot_info(const struct snapshot *s)
{
    return &s->info;
}

const char *snapshot_path(const struct snapshot *s)
{
    return s->path;
}

bool snapshot_is(const char *path)
{
    char magic[8] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is = fd >= 0 && pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
              !memcmp(magic, SNAPSHOT_MAGIC, sizeof magic);
    if (fd >= 0)
        close(fd);
    return is;
}

void snapshot_close(struct snapshot *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s->head);
    free(s->chunk);
    free(s);
}

/* ---- chunks ---- */

static int stored_get(const struct snapshot *s, const struct snapshot_chunk *c, u8 *to,
                      struct cause *cause)
{
    struct snapshot_hash hash;
    u64 at = c->at;
    snapshot_hash_init(&hash);
    for (unsigned frame = 0, n; (n = snapshot_run(c, &frame)) != 0; frame += n) {
        size_t len = (size_t)n * FRAME_BYTES;
        u8 *p = to + (size_t)frame * FRAME_BYTES;
        int rc = get(s, at, p, len, cause);
        if (rc)
            return rc;
        snapshot_hash_add(&hash, p, len);
        at += len;
    }
    return snapshot_hash_end(&hash) == c->hash ? ST_OK : ST_PROTO;
}

static int unpack(const u8 *packed, const struct snapshot_chunk *c, u8 *frames)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ARRAY_LEN(c->has); i++)
        count += (unsigned)__builtin_popcountll(c->has[i]);
#ifdef HAVE_LIBLZ4
    int n = LZ4_decompress_safe((const char *)packed, (char *)frames, (int)c->bytes,
                                (int)(count * FRAME_BYTES));
    return n == (int)(count * FRAME_BYTES) ? ST_OK : ST_PROTO;
#else
    (void)packed;
    (void)frames;
    return ST_REFUSED;
#endif
}

static int packed_get(const struct snapshot *s, const struct snapshot_chunk *c, u8 *to,
                      struct cause *cause)
{
    u8 *packed = malloc(2ull * STORAGE_CHUNK_BYTES);
    if (!packed)
        return cause_set(cause, ST_NOMEM, "%s: no memory for a chunk", s->path);
    u8 *frames = packed + STORAGE_CHUNK_BYTES;
    int rc = get(s, c->at, packed, c->bytes, cause);
    if (!rc && snapshot_hash_of(packed, c->bytes) != c->hash)
        rc = ST_PROTO;
    if (!rc)
        rc = unpack(packed, c, frames);
    for (unsigned frame = 0, n; !rc && (n = snapshot_run(c, &frame)) != 0; frame += n) {
        memcpy(to + (size_t)frame * FRAME_BYTES, frames, (size_t)n * FRAME_BYTES);
        frames += (size_t)n * FRAME_BYTES;
    }
    free(packed);
    return rc;
}

int snapshot_chunk_read(const struct snapshot *s, u32 chunk, u8 *to, u64 room,
                        struct cause *cause)
{
    PRE(chunk < s->info.chunks);
    const struct snapshot_chunk *c = &s->chunk[chunk];
    struct cause why = {0};
    for (unsigned i = (unsigned)(room / FRAME_BYTES); i < SNAPSHOT_CHUNK_FRAMES; i++)
        PRE(!snapshot_frame_in(c->has, i));
    int rc = c->packing == SNAPSHOT_EMPTY    ? ST_OK
             : c->packing == SNAPSHOT_STORED ? stored_get(s, c, to, &why)
                                             : packed_get(s, c, to, &why);
    if (rc == ST_OK || why.status)
        return rc ? cause_set(cause, rc, "%s", why.text) : ST_OK;
    if (rc == ST_REFUSED)
        return cause_set(cause, rc, "%s: it is compressed, and this program has no LZ4",
                         s->path);
    return damaged(s, cause, c->at, "a chunk of storage is damaged (its checksum is wrong)");
}

int snapshot_verify(const struct snapshot *s, struct cause *cause)
{
    u8 *to = malloc(STORAGE_CHUNK_BYTES);
    int rc = to ? ST_OK : cause_set(cause, ST_NOMEM, "%s: no memory for a chunk", s->path);
    for (u32 i = 0; !rc && i < s->info.chunks; i++)
        rc = snapshot_chunk_read(s, i, to, STORAGE_CHUNK_BYTES, cause);
    free(to);
    return rc;
}

/* ---- storage that comes from it ---- */

static const struct snapshot_chunk *chunk_find(const struct snapshot *s, u64 number)
{
    u32 low = 0, high = s->info.chunks;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (s->chunk[mid].number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return &s->chunk[low];
}

static bool feed_fill(void *ctx, u64 abs, u64 len, u8 *to)
{
    struct snapshot *s = ctx;
    struct cause cause = {0};
    const struct snapshot_chunk *c = chunk_find(s, abs / STORAGE_CHUNK_BYTES);
    if (snapshot_chunk_read(s, (u32)(c - s->chunk), to, len, &cause) == ST_OK)
        return true;
    if (s->feed.lost)
        s->feed.lost(s->feed.ctx, &cause);
    return false;
}

static void feed_lost(void *ctx)
{
    (void)ctx; /* feed_fill has told why */
}

static void feed_end(void *ctx)
{
    struct snapshot *s = ctx;
    struct snapshot_feed feed = s->feed;
    snapshot_close(s);
    if (feed.end)
        feed.end(feed.ctx);
}

static void touch(const struct snapshot *s, struct storage *st)
{
    for (u32 i = 0; i < s->info.chunks; i++) {
        const struct snapshot_chunk *c = &s->chunk[i];
        for (unsigned k = 0; k < SNAPSHOT_CHUNK_FRAMES; k++)
            if (snapshot_frame_in(c->touched, k))
                storage_make_resident(st, (u64)c->number * STORAGE_CHUNK_BYTES +
                                              (u64)k * FRAME_BYTES);
    }
}

int snapshot_feed(struct snapshot *s, struct storage *st, const struct snapshot_feed *to,
                  struct cause *cause)
{
    const struct storage_source from = {feed_fill, feed_lost, feed_end, s};
    PRE(st->size == s->info.storage_bytes);
    u64 words = st->size / STORAGE_CHUNK_BYTES / 64 + 1;
    u64 *chunks = calloc(words, sizeof *chunks);
    int rc = ST_NOMEM;
    s->feed = *to;
    if (!chunks)
        cause_set(cause, ST_NOMEM, "no memory for a table of storage");
    for (u32 i = 0; chunks && i < s->info.chunks; i++)
        if (s->chunk[i].packing != SNAPSHOT_EMPTY)
            chunks[s->chunk[i].number / 64] |= 1ull << s->chunk[i].number % 64;
    if (chunks) {
        touch(s, st);
        rc = storage_source_begin(st, &from, chunks, cause);
    }
    free(chunks);
    if (rc)
        snapshot_close(s);
    return rc;
}
