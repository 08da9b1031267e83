/* Disk images: what a disk device keeps its tracks or blocks in. Formats: raw FBA blocks, raw
 * CKD tracks, Hercules CKD, CCKD and compressed FBA (docs/dasd.md). One table of functions per
 * format; a damaged file is refused with what is wrong with it. Threads: any; an image's lock is
 * held for one track or block operation. */
#ifndef ENDICOTT_IO_IMAGE_IMAGE_H
#define ENDICOTT_IO_IMAGE_IMAGE_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct image;

#define IMAGE_TRACK_BYTES_MAX 65536u /* of any track image, end mark included */
#define IMAGE_BLOCK_BYTES 512u

/** How to open. */
#define IMAGE_READ_ONLY 1u
#define IMAGE_SYNC 2u    /* image_commit waits for the host's disk */
#define IMAGE_NO_LOCK 4u /* with IMAGE_READ_ONLY: only to look at what does not change */
#define IMAGE_RANGES 8u /* others may write what is not locked by image_range_lock (not CCKD) */
/** Of a machine that runs: what was written is brought to the host's disk when nothing was written
 *  for a while, and packed (CCKD) then, by a thread of the image's own. */
#define IMAGE_LIVE 16u
#define IMAGE_MEMBERS 32u /* of a share: other programs use it, too, and keep to reservations */
#define IMAGE_QUIET_MS 500u     /* without a write before the flush */
#define IMAGE_UNSYNCED_MS 5000u /* after the first write at the latest */

enum image_format {
    IMAGE_CKD,
    IMAGE_CCKD,
    IMAGE_CKD_RAW,
    IMAGE_FBA_RAW,
    IMAGE_CFBA,
    IMAGE_DUPLEX
};

struct image_geometry {
    u16 type; /* 0x3390, 0x9336 */
    u32 cylinders, heads;
    u32 tracks;      /* CKD: cylinders * heads, else 0 */
    u32 track_bytes; /* room for one track image in the file */
    u64 blocks;      /* FBA, of IMAGE_BLOCK_BYTES */
};

struct image_figures {
    u64 file_bytes, used_bytes, free_bytes;
    u32 free_spans;
    u8 compression; /* CCKD: 0 none, 1 zlib, 2 bzip2 */
};

/**
 * Open the file at `path` and lock it: for writing alone, for reading with other readers.
 * ST_CONFIG (no such file), ST_BUSY (locked), ST_PROTO (damaged, or no image), ST_NOMEM.
 * `path` may go on with ",shadow=FILE", more than once: layers over a CCKD image. Only the last is
 * written; a track that a layer does not have is read from the one below.
 */
int image_open(const char *path, unsigned flags, struct image **out, struct cause *cause);
struct image *image_ref(struct image *img);
/** The last one closes: everything is on the host's disk then; a failure is logged. */
bool image_unref(struct image *img);

const char *image_path(const struct image *img);
enum image_format image_format(const struct image *img);
const char *image_format_name(enum image_format format);
bool image_read_only(const struct image *img);
const struct image_geometry *image_geometry(const struct image *img);
void image_figures(struct image *img, struct image_figures *out);

/**
 * One track: home address, records, end mark, as track.h describes it. `buf` has room for
 * IMAGE_TRACK_BYTES_MAX; *len gets the bytes used. ST_PROTO for a damaged track, ST_IO.
 */
int image_read_track(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause);
/** ST_LIMIT when the format cannot hold it, ST_IO when the host cannot; the track then is as it
 *  was before. */
int image_write_track(struct image *img, u32 track, const u8 *buf, u32 len,
                      struct cause *cause);
/** Can parts of tracks be moved? And is it of use for one: is it not packed, and can nobody else
 *  change it in the file? That of a window changes with image_changes. */
bool image_may_have_parts(const struct image *img);
bool image_has_parts(const struct image *img, u32 track);
/** `len` bytes of a track from byte `from` of it on (TRACK_HA_BYTES or more), which are there. */
int image_read_part(struct image *img, u32 track, u32 from, u8 *buf, u32 len,
                    struct cause *cause);
int image_write_part(struct image *img, u32 track, u32 from, const u8 *buf, u32 len,
                     struct cause *cause);
/** For who may not wait for the host: can something be read so? That of a window changes. Then
 *  read it; false: one would have to wait, since the host does not have it in storage or others
 *  are at it, or it fails, and image_read_part tells why. */
bool image_may_try(const struct image *img);
bool image_try_part(struct image *img, u32 track, u32 from, u8 *buf, u32 len);
bool image_try_blocks(struct image *img, u64 block, u32 count, void *buf);
int image_read_blocks(struct image *img, u64 block, u32 count, void *buf, struct cause *cause);
int image_write_blocks(struct image *img, u64 block, u32 count, const void *buf,
                       struct cause *cause);

enum image_range { IMAGE_RANGE_FREE, IMAGE_RANGE_SHARED, IMAGE_RANGE_ALONE };
/** Lock cylinders or blocks of an image opened with IMAGE_RANGES against other programs that do so
 *  too, or unlock them. Shared: others may share, nobody has them alone. ST_BUSY. */
int image_range_lock(struct image *img, u64 first, u64 count, enum image_range how,
                     struct cause *cause);

/** Where the lock of another program that keeps these from being locked alone ends (UINT64_MAX:
 *  with the volume); `first`: none does. */
u64 image_range_behind(struct image *img, u64 first, u64 count);

/* For devices on parts of a volume that others use, too (window.h). Of other images: false, 0. */
/** Nothing can be read or written now. */
bool image_offline(const struct image *img);
/** A number that changes when others write what this image has. */
u64 image_changes(const struct image *img);
/** Before a track is read to be changed, if others write it, too: keep them off. False: nobody
 *  does; else image_turn_end is called when the track is written. No other lock is held. */
bool image_turn_begin(struct image *img);
void image_turn_end(struct image *img);
/** Reservation among those that have it, too (hold.h); NULL: nobody else can. */
struct hold *image_hold(const struct image *img);

/** A channel program that wrote has ended: with IMAGE_SYNC the host's disk has it on return. */
int image_commit(struct image *img, struct cause *cause);
/** What waits to be packed is packed, in IMAGE_TIDY_MS_MAX: for who has the time at the end. */
#define IMAGE_TIDY_MS_MAX 10000u
void image_tidy(struct image *img);
/** Everything written is on the host's disk, and the file as it will be closed: until something is
 *  written again neither the program nor a close changes it. Nothing moves meanwhile. */
int image_rest(struct image *img, struct cause *cause);
/** Everything written is on the host's disk. */
int image_sync(struct image *img, struct cause *cause);

struct image_create {
    enum image_format format;
    u32 cylinders;      /* CKD formats: of a 3390 */
    u64 blocks;         /* IMAGE_FBA_RAW */
    bool compress;      /* IMAGE_CCKD: zlib, else uncompressed tracks */
    bool linux_tracks;  /* tracks start with twelve records of 4096 zeros instead of none */
    const char *volume; /* six characters; NULL: no label is written */
    const char *below; /* IMAGE_CCKD: make a shadow of this image, which must not change then */
};
/** Make a new file (ST_EXIST when there is one) with the given contents. */
int image_create(const char *path, const struct image_create *what, struct cause *cause);

/** What image_check found: one line each; track ~0: of the whole file. */
typedef void image_fault(void *arg, u32 track, const char *text);
struct image_check {
    void (*progress)(u32 done, u32 total); /* in tracks, set by the caller; may be NULL */
    u32 tracks_read, faults;
    u64 blocks_read;
    bool open_left; /* the last writer did not close it: free space was not written back */
};
/** Read everything. ST_OK when it could be looked at, whatever was found; else as image_open. */
int image_check(const char *path, image_fault *fault, void *arg, struct image_check *out,
                struct cause *cause);
/** As image_check, and what was told of is taken out: tables that cannot be, tracks that cannot be
 *  read. Those tracks have no records afterwards; the others are as they were. */
int image_repair(const char *path, image_fault *fault, void *arg, struct image_check *out,
                 struct cause *cause);

struct image_merge {
    void (*progress)(u32 done, u32 total); /* set by the caller; may be NULL */
    u32 tracks;                            /* that the shadow had */
};
/** Merge the last layer of `path` into the one below it, and remove its file. When this ends
 *  early, by whatever, nothing is lost: doing it again ends it, and until then the two can be read
 *  together. */
int image_merge(const char *path, struct image_merge *m, struct cause *cause);

#endif
