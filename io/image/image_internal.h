/* The inside of io/image: the table of functions of a format, and files of the host. */
#ifndef ENDICOTT_IO_IMAGE_IMAGE_INTERNAL_H
#define ENDICOTT_IO_IMAGE_IMAGE_INTERNAL_H

#include <stdatomic.h>

#include "io/image/image.h"
#include "io/image/remote.h"
#include "io/image/track.h"
#include "mem/base/lock.h"

#define IMAGE_FILES_MAX 32u
/** Open flags: damage is told of and taken out; the layer below the last is written; of a layer:
 *  one is over it. */
#define IMAGE_REPAIR 0x80000000u
#define IMAGE_MERGE 0x40000000u
#define IMAGE_UNDER 0x20000000u
#define IMAGE_HALF 0x10000000u      /* one of the two files of a volume (duplex.h) */
#define IMAGE_LAYER_MARK ",shadow=" /* between the names of an image's layers */
#define DEVHDR_BYTES 512u
#define DEVID_BYTES 8u

/** What a format can do. `read` and `write` move one track, or `blocks` do; bounds are checked. */
struct image_ops {
    enum image_format format;
    /** What is in the file stays where it is: tracks and blocks move without the image's lock,
     *  several at the same time. Who uses it sees to it that not one of them twice. */
    bool fixed;
    int (*read)(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause);
    int (*write)(struct image *img, u32 track, const u8 *buf, u32 len, struct cause *cause);
    /** A part of a track; NULL where there is none. And are they of use now? NULL: always. */
    int (*part)(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
                struct cause *cause);
    bool (*parts)(const struct image *img, u32 track);
    int (*blocks)(struct image *img, bool write, u64 block, u32 count, u8 *buf,
                  struct cause *cause);
    /** image_try_part and image_try_blocks; NULL where one always may have to wait. */
    bool (*try_part)(struct image *img, u32 track, u32 from, u8 *buf, u32 len);
    bool (*try_blocks)(struct image *img, u64 block, u32 count, u8 *buf);
    bool (*may_try)(const struct image *img); /* of windows; NULL: always */
    /** Around the host's sync of the files, which is done without the lock; may be NULL. */
    void (*sync_begin)(struct image *img);
    void (*sync_end)(struct image *img, bool well);
    /** Work that waits for a quiet time: how much there is, and do one piece of it, in which the
     *  lock may be given back for a while. Both or neither. */
    u32 (*backlog)(const struct image *img);
    void (*tidy)(struct image *img);
    /** Write what the close would, and what is written later begins anew; may be NULL. */
    int (*rest)(struct image *img, struct cause *cause);
    /** Before the files are closed; may be NULL. */
    int (*close)(struct image *img, struct cause *cause);
    void (*figures)(struct image *img, struct image_figures *out);
    /** Instead of the host's sync of the files: a format whose functions have a lock of their own,
     *  and are called without the image's. NULL of others. */
    int (*sync)(struct image *img, struct cause *cause);
    /* Of windows (window.c), else NULL: */
    bool (*offline)(const struct image *img);
    u64 (*changes)(const struct image *img);
    bool (*turn)(struct image *img, bool take);
    struct hold *(*hold)(const struct image *img);
};

struct image_file {
    int fd;
    u64 size;
    struct remote *remote; /* instead of fd, which is -1 */
};

/** Located by devices; created by image_open, destroyed by the last image_unref; serialised by
 *  `lock`, but refs. */
struct image {
    const struct image_ops *ops;
    struct image_geometry geometry;
    atomic_uint refs;
    unsigned flags;
    atomic_bool unsynced; /* written since the host's disk last had everything */
    bool syncing;         /* a thread is between sync_begin and sync_end */
    struct lock lock;
    struct lock flush; /* one flush of the files at a time */
    atomic_ullong flushes_asked;
    u64 flushes_done; /* who asked before this one, counted, was served; flush */
    atomic_bool lost; /* a flush failed: some writes are not on the host's disk, and no
                                   * later flush can tell which; for good, until it is closed */
    struct cause lost_why;
    pthread_cond_t wake; /* something was written first, or stop; CLOCK_MONOTONIC */
    pthread_t keeper;    /* of IMAGE_LIVE, when something has been written */
    bool kept, stop, told, hurry;
    void (*failed)(void *arg, const struct cause *why); /* image_on_failure; NULL: nobody */
    void *failed_arg;
    bool failed_told;
    u64 first_ns, last_ns; /* of the writes that the host's disk may not have; 0: none */
    u64 tidied_ns;         /* of the last one that `tidy` made */
    char *path;
    struct image_file file[IMAGE_FILES_MAX];
    u32 files;
    void *format;        /* of the format's own */
    struct image *below; /* the layer that has what this one has not; owned */
    u64 identity;        /* of the tables as they were opened: tells one state from another */
    image_fault *fault;  /* image_check: told of damage, which then is no reason to refuse */
    void *fault_arg;
    bool open_left;
};

/* image.c */
struct image *image_alloc(const char *path, unsigned flags);
void image_free(struct image *img);

/* image_file.c */
int image_file_open(struct image *img, const char *path, struct cause *cause);
int image_pread(struct image *img, u32 file, u64 at, void *buf, u32 len, struct cause *cause);
int image_pwrite(struct image *img, u32 file, u64 at, const void *buf, u32 len,
                 struct cause *cause);
/** Read what the host has in storage, all of it or false. */
bool image_try_pread(const struct image *img, u32 file, u64 at, void *buf, u32 len);
/** Several threads may use its files at a time: they are the host's, or a server says so. */
bool image_shares_files(const struct image *img);
/** The image's lock is given back in between, if its files allow that; and a write in between. */
void image_apart_begin(struct image *img);
void image_apart_end(struct image *img);
int image_pwrite_apart(struct image *img, u32 file, u64 at, const void *buf, u32 len,
                       struct cause *cause);
int image_truncate(struct image *img, u32 file, u64 size, struct cause *cause);
void image_files_close(struct image *img);
int image_file_sync(struct image *img, u32 file, struct cause *cause);

/* image_sync.c */
void image_lock(struct image *img);
void image_unlock(struct image *img);
/** Around the move of a track or of blocks: with the lock, if the format needs it. */
void image_move_begin(struct image *img);
void image_move_end(struct image *img, bool wrote);
int image_sync_locked(struct image *img, struct cause *cause);
/** ST_IO with the reason when the host has lost writes, now or (image_lose) when the same file was
 *  open before: nothing more is written, and no sync goes well. */
int image_lost(const struct image *img, struct cause *cause);
void image_lose(struct image *img, const struct cause *why);
/** Something was written: the thread that flushes and packs has work, of IMAGE_LIVE. Locked. */
void image_wrote_locked(struct image *img);
/** That thread is to flush at once; false: there is none. Locked; or without the lock. */
bool image_flush_soon_locked(struct image *img);
void image_flush_soon(struct image *img);
/** That thread calls `fn`, without a lock, when it could not bring something to the host's disk:
 *  once, until it can again. Before the first write. */
void image_on_failure(struct image *img, void (*fn)(void *arg, const struct cause *why),
                      void *arg);
/** Ends that thread. */
void image_keeper_stop(struct image *img);

/** Damage: told to image_check (then ST_OK), else `cause` gets it and ST_PROTO comes back. */
int image_damage(struct image *img, u32 track, struct cause *cause, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Formats: each looks at the open first file, whose first bytes are in `head`. */
int ckd_open(struct image *img, const u8 head[DEVHDR_BYTES], struct cause *cause);
int ckd_raw_open(struct image *img, struct cause *cause);
int cckd_open(struct image *img, const u8 head[DEVHDR_BYTES], struct cause *cause);
int fba_raw_open(struct image *img, struct cause *cause);
int cfba_open(struct image *img, struct cause *cause);
bool ckd_raw_probe(struct image *img, const u8 head[DEVHDR_BYTES]);

/** duplex.c: `path` has IMAGE_MIRROR_MARK. */
int duplex_open(const char *path, unsigned flags, struct image **out, struct cause *cause);
/** A file is opened by itself, to be written: if it has a mirror, that lacks something now. */
int duplex_used_alone(const char *path, struct cause *cause);
/** ST_INVAL: it has a mirror that is as good: tracks without records are not to take its place. */
int duplex_repairable(const char *path, struct cause *cause);

/** Check and take over the device header of CKD and CCKD files (all but the cylinders). */
int ckd_header(struct image *img, const u8 head[DEVHDR_BYTES], struct cause *cause);
void ckd_header_make(u8 head[DEVHDR_BYTES], const char *devid);
/** The headers and empty tables of a new CCKD file, a shadow of img->below if there is one. */
int cckd_format(struct image *img, const struct image_create *what, struct cause *cause);

static inline u32 le32_load(const void *p)
{
    return __builtin_bswap32(be32_load(p));
}

static inline u16 le16_load(const void *p)
{
    return __builtin_bswap16(be16_load(p));
}

static inline void le32_store(void *p, u32 v)
{
    be32_store(p, __builtin_bswap32(v));
}

static inline void le16_store(void *p, u16 v)
{
    be16_store(p, __builtin_bswap16(v));
}

/* window_label.c */
/** Open without a lock, to look at what does not change. */
int window_peek(const char *path, struct image **out, struct cause *cause);

#endif
