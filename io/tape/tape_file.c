/* AWSTAPE and HET files; the layout stands in the header. */
#include "io/tape/tape_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif

#define HEADER_BYTES 6u
#define PIECE_BYTES_MAX 65535u
#define FLAG_BEGIN 0x80 /* first piece of a block */
#define FLAG_MARK 0x40
#define FLAG_END 0x20 /* last piece of a block */
#define FLAG_BZIP2 0x02
#define FLAG_ZLIB 0x01

#define EARLY_WARNING_BYTES_MAX (1u << 20)

/** Located by its holders; the last tape_file_close ends it. */
struct tape_file {
    char *path;
    _Atomic unsigned refs;
    int fd;
    unsigned flags;
    u64 at;       /* of the next header */
    u64 size;     /* of the file */
    u64 capacity; /* of the volume, 0: without end */
    u32 before;   /* length of the piece before it */
    u32 block;
    u32 stored; /* of the block read last */
    bool stored_compressed;
    u8 *packed; /* TAPE_BLOCK_BYTES_MAX */
};

struct piece {
    u32 len, before;
    u8 flags;
};

static int fail(struct tape_file *t, struct cause *cause, const char *what)
{
    return cause_set(cause, ST_IO, "%s: byte %llu: %s", t->path, (unsigned long long)t->at,
                     what);
}

static enum tape_item damage(struct tape_file *t, u64 at, struct cause *cause, const char *what)
{
    cause_set(cause, ST_PROTO, "%s: byte %llu: %s", t->path, (unsigned long long)at, what);
    return TAPE_DAMAGE;
}

/* ---- the host's file ---- */

static int file_lock(struct tape_file *t, struct cause *cause)
{
    bool write = !(t->flags & TAPE_READ_ONLY);
    struct flock lock = {.l_type = write ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    if (fcntl(t->fd, F_OFD_SETLK, &lock) == 0)
        return ST_OK;
    if (errno == EAGAIN || errno == EACCES)
        return cause_set(cause, ST_BUSY, "%s: in use", t->path);
    return cause_set(cause, ST_IO, "%s: %s", t->path, strerror(errno));
}

static int file_open(struct tape_file *t, struct cause *cause)
{
    struct stat sb;
    t->fd = open(t->path, (t->flags & TAPE_READ_ONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (t->fd < 0)
        return cause_set(cause, errno == EACCES || errno == EROFS ? ST_PERM : ST_CONFIG,
                         "%s: %s", t->path, strerror(errno));
    if (fstat(t->fd, &sb))
        return cause_set(cause, ST_IO, "%s: %s", t->path, strerror(errno));
    if (!S_ISREG(sb.st_mode))
        return cause_set(cause, ST_CONFIG, "%s: not a file", t->path);
    t->size = (u64)sb.st_size;
    return file_lock(t, cause);
}

int tape_file_open(const char *path, unsigned flags, struct tape_file **out,
                   struct cause *cause)
{
    struct tape_file *t = calloc(1, sizeof *t);
    if (!t)
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    t->fd = -1;
    t->refs = 1;
    t->flags = flags;
    t->path = strdup(path);
    t->packed = malloc(TAPE_BLOCK_BYTES_MAX);
    int rc = t->path && t->packed ? file_open(t, cause)
                                  : cause_set(cause, ST_NOMEM, "%s: no memory", path);
    struct cause why;
    if (rc == ST_OK && tape_file_forward(t, &why) == TAPE_DAMAGE)
        rc = cause_set(cause, ST_CONFIG, "%s (not an AWSTAPE or HET file?)", why.text);
    tape_file_rewind(t);
    if (rc != ST_OK) {
        tape_file_close(t);
        return rc;
    }
    *out = t;
    return ST_OK;
}

int tape_file_create(const char *path, struct cause *cause)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return cause_set(cause, errno == EEXIST ? ST_EXIST : ST_IO, "%s: %s", path,
                         strerror(errno));
    close(fd);
    return ST_OK;
}

unsigned tape_file_flags_of(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".het") == 0 ? TAPE_COMPRESS : 0;
}

struct tape_file *tape_file_ref(struct tape_file *t)
{
    t->refs++;
    return t;
}

void tape_file_close(struct tape_file *t)
{
    if (!t || --t->refs)
        return;
    if (t->fd >= 0)
        close(t->fd);
    free(t->packed);
    free(t->path);
    free(t);
}

const char *tape_file_path(const struct tape_file *t)
{
    return t->path;
}

bool tape_file_read_only(const struct tape_file *t)
{
    return t->flags & TAPE_READ_ONLY;
}

static bool bytes_read(struct tape_file *t, u64 at, u8 *p, u32 len)
{
    while (len) {
        ssize_t n = pread(t->fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        at += (u64)n;
        len -= (u32)n;
    }
    return true;
}

static bool bytes_write(struct tape_file *t, u64 at, const u8 *p, u32 len)
{
    while (len) {
        ssize_t n = pwrite(t->fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        at += (u64)n;
        len -= (u32)n;
    }
    return true;
}

/* ---- pieces ---- */

/* The header at `at`; its length and flags are such as may be. */
static enum tape_item piece_read(struct tape_file *t, u64 at, struct piece *p,
                                 struct cause *cause)
{
    u8 raw[HEADER_BYTES];
    if (at + HEADER_BYTES > t->size || !bytes_read(t, at, raw, sizeof raw))
        return damage(t, at, cause, "a header is cut off");
    p->len = raw[0] | (u32)raw[1] << 8;
    p->before = raw[2] | (u32)raw[3] << 8;
    p->flags = raw[4];
    if (p->flags & FLAG_MARK)
        return p->len ? damage(t, at, cause, "a tape mark with data") : TAPE_MARK;
    if (!p->len)
        return damage(t, at, cause, "a piece without data");
    if (at + HEADER_BYTES + p->len > t->size)
        return damage(t, at, cause, "a block is cut off");
    return TAPE_BLOCK;
}

static void stand_behind(struct tape_file *t, u64 at, const struct piece *p)
{
    t->at = at + HEADER_BYTES + p->len;
    t->before = p->len;
}

/* The pieces of the next block, one after the other; their data goes to `to` if not NULL. */
static enum tape_item gather(struct tape_file *t, u8 *to, u32 *len, u8 *how,
                             struct cause *cause)
{
    u64 at = t->at;
    u32 before = t->before;
    *len = 0;
    for (bool first = true;; first = false) {
        struct piece p;
        if (first && at == t->size)
            return TAPE_EDGE;
        enum tape_item item = piece_read(t, at, &p, cause);
        if (item == TAPE_DAMAGE)
            return item;
        if (p.before != before)
            return damage(t, at, cause, "the length of the piece before it is wrong");
        if (item == TAPE_MARK && first) {
            stand_behind(t, at, &p);
            return TAPE_MARK;
        }
        if (item == TAPE_MARK || !(p.flags & FLAG_BEGIN) == first)
            return damage(t, at, cause,
                          first ? "a block without its beginning" : "a block without its end");
        if (*len + p.len > TAPE_BLOCK_BYTES_MAX)
            return damage(t, at, cause, "a block is too long");
        if (to && !bytes_read(t, at + HEADER_BYTES, to + *len, p.len))
            return damage(t, at, cause, strerror(errno));
        *len += p.len;
        *how = p.flags & (FLAG_ZLIB | FLAG_BZIP2);
        before = p.len;
        if (p.flags & FLAG_END) {
            stand_behind(t, at, &p);
            return TAPE_BLOCK;
        }
        at += HEADER_BYTES + p.len;
    }
}

/* NULL, or what is wrong with the packed data. */
static const char *unpack(struct tape_file *t, u8 how, u8 *buf, u32 *len)
{
    uLongf room = TAPE_BLOCK_BYTES_MAX;
    int rc = 0;
    if (!how) {
        memcpy(buf, t->packed, t->stored);
        *len = t->stored;
        return NULL;
    }
    if (how == FLAG_ZLIB) {
        rc = uncompress(buf, &room, t->packed, t->stored);
        *len = (u32)room;
        return rc == Z_OK ? NULL : "the block's compressed data is damaged";
    }
#ifdef HAVE_BZIP2
    *len = TAPE_BLOCK_BYTES_MAX;
    rc = BZ2_bzBuffToBuffDecompress((char *)buf, len, (char *)t->packed, t->stored, 0, 0);
    return rc == BZ_OK ? NULL : "the block's compressed data is damaged";
#else
    return "the block is compressed with bzip2, built without it";
#endif
}

enum tape_item tape_file_read(struct tape_file *t, u8 *buf, u32 *len, struct cause *cause)
{
    u64 start = t->at;
    u8 how = 0;
    enum tape_item item = gather(t, t->packed, &t->stored, &how, cause);
    t->stored_compressed = how != 0;
    if (item == TAPE_MARK || item == TAPE_BLOCK)
        t->block++;
    if (item != TAPE_BLOCK)
        return item;
    const char *wrong = unpack(t, how, buf, len);
    return wrong ? damage(t, start, cause, wrong) : TAPE_BLOCK;
}

enum tape_item tape_file_read_back(struct tape_file *t, u8 *buf, u32 *len, struct cause *cause)
{
    enum tape_item item = tape_file_back(t, cause);
    if (item != TAPE_BLOCK)
        return item;
    const struct tape_file place = *t;
    item = tape_file_read(t, buf, len, cause);
    t->at = place.at;
    t->before = place.before;
    t->block = place.block;
    return item;
}

enum tape_item tape_file_forward(struct tape_file *t, struct cause *cause)
{
    u32 len;
    u8 how;
    enum tape_item item = gather(t, NULL, &len, &how, cause);
    if (item == TAPE_BLOCK || item == TAPE_MARK)
        t->block++;
    return item;
}

enum tape_item tape_file_back(struct tape_file *t, struct cause *cause)
{
    u64 at = t->at;
    u32 len = t->before;
    struct piece p;
    if (!at)
        return TAPE_EDGE;
    for (bool last = true;; last = false) {
        if (at < (u64)len + HEADER_BYTES)
            return damage(t, at, cause, "the length of the piece before it is wrong");
        at -= len + HEADER_BYTES;
        enum tape_item item = piece_read(t, at, &p, cause);
        if (item == TAPE_DAMAGE)
            return item;
        if (p.len != len || (item == TAPE_BLOCK && !(p.flags & FLAG_END) == last))
            return damage(t, at, cause, "blocks do not meet here");
        if (item == TAPE_MARK && !last)
            return damage(t, at, cause, "a block without its beginning");
        if (item == TAPE_MARK || p.flags & FLAG_BEGIN) {
            t->at = at;
            t->before = p.before;
            t->block--;
            return item;
        }
        len = p.before;
    }
}

void tape_file_rewind(struct tape_file *t)
{
    t->at = 0;
    t->before = t->block = 0;
}

u32 tape_file_block(const struct tape_file *t)
{
    return t->block;
}

void tape_file_place(const struct tape_file *t, u64 *at, u64 *size)
{
    *at = t->at;
    *size = t->size;
}

enum tape_item tape_file_locate(struct tape_file *t, u32 block, struct cause *cause)
{
    if (block < t->block)
        tape_file_rewind(t);
    while (t->block < block) {
        enum tape_item item = tape_file_forward(t, cause);
        if (item == TAPE_DAMAGE || item == TAPE_EDGE)
            return item;
    }
    return TAPE_BLOCK;
}

/* ---- writing ---- */

int tape_file_erase(struct tape_file *t, struct cause *cause)
{
    if (t->at == t->size)
        return ST_OK;
    if (ftruncate(t->fd, (off_t)t->at))
        return fail(t, cause, strerror(errno));
    t->size = t->at;
    return ST_OK;
}

void tape_file_set_capacity(struct tape_file *t, u64 bytes)
{
    t->capacity = bytes;
}

bool tape_file_near_end(const struct tape_file *t)
{
    u64 eighth = t->capacity / 8;
    u64 warning = eighth < EARLY_WARNING_BYTES_MAX ? eighth : EARLY_WARNING_BYTES_MAX;
    return t->capacity && t->at > t->capacity - warning;
}

/* One piece at the end. */
static bool append_piece(struct tape_file *t, u8 flags, const u8 *bytes, u32 len)
{
    u8 raw[HEADER_BYTES] = {(u8)len, (u8)(len >> 8), (u8)t->before, (u8)(t->before >> 8),
                            flags};
    if (!bytes_write(t, t->at, raw, sizeof raw) ||
        !bytes_write(t, t->at + HEADER_BYTES, bytes, len))
        return false;
    stand_behind(t, t->at, &(struct piece){.len = len});
    return true;
}

/* A mark, or a block in as many pieces as its length needs; on an error the file ends where it
 * did. */
static int append(struct tape_file *t, u8 flags, const u8 *bytes, u32 len, struct cause *cause)
{
    const u64 at = t->at;
    const u32 before = t->before, pieces = len ? (len - 1) / PIECE_BYTES_MAX + 1 : 1;
    if (t->capacity && at + (u64)pieces * HEADER_BYTES + len > t->capacity)
        return cause_set(cause, ST_LIMIT, "%s: the volume is full", t->path);
    int rc = tape_file_erase(t, cause);
    if (rc != ST_OK)
        return rc;
    for (u32 i = 0; rc == ST_OK && i < pieces; i++) {
        u32 from = i * PIECE_BYTES_MAX, n = len - from;
        n = n < PIECE_BYTES_MAX ? n : PIECE_BYTES_MAX;
        u8 not_here = (u8)((i ? FLAG_BEGIN : 0) | (i + 1 < pieces ? FLAG_END : 0));
        u8 piece_flags = flags & (u8)~not_here;
        if (!append_piece(t, piece_flags, len ? bytes + from : bytes, n))
            rc = fail(t, cause, strerror(errno));
    }
    if (rc != ST_OK) {
        t->at = at;
        t->before = before;
        if (ftruncate(t->fd, (off_t)at))
            return rc; /* a cut-off piece stays: told when it is read */
        return rc;
    }
    t->size = t->at;
    t->block++;
    return ST_OK;
}

int tape_file_write(struct tape_file *t, const u8 *bytes, u32 len, struct cause *cause)
{
    if (!len || len > TAPE_BLOCK_BYTES_MAX)
        return fail(t, cause, "a block is too long or has no data");
    uLongf room = TAPE_BLOCK_BYTES_MAX;
    if (t->flags & TAPE_COMPRESS &&
        compress2(t->packed, &room, bytes, len, Z_DEFAULT_COMPRESSION) == Z_OK && room < len)
        return append(t, FLAG_BEGIN | FLAG_END | FLAG_ZLIB, t->packed, (u32)room, cause);
    return append(t, FLAG_BEGIN | FLAG_END, bytes, len, cause);
}

int tape_file_mark(struct tape_file *t, struct cause *cause)
{
    return append(t, FLAG_MARK, NULL, 0, cause);
}

int tape_file_sync(struct tape_file *t, struct cause *cause)
{
    if (t->flags & TAPE_READ_ONLY || fdatasync(t->fd) == 0)
        return ST_OK;
    return fail(t, cause, strerror(errno));
}

u32 tape_file_stored(const struct tape_file *t, bool *compressed)
{
    *compressed = t->stored_compressed;
    return t->stored;
}
