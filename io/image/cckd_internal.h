/* The inside of CCKD images: headers, tables of both levels, space. */
#ifndef ENDICOTT_IO_IMAGE_CCKD_INTERNAL_H
#define ENDICOTT_IO_IMAGE_CCKD_INTERNAL_H

#include "io/image/image_internal.h"
#include "io/image/spans.h"

#define CCKD_HEADER_AT 512u
#define CCKD_L1_AT 1024u
#define CCKD_L2_ENTRIES 256u
#define CCKD_L2_ENTRY_BYTES 8u
#define CCKD_L2_BYTES (CCKD_L2_ENTRIES * CCKD_L2_ENTRY_BYTES)
#define CCKD_SIZE_MAX 0xffffffffull
#define CCKD_NO_OFFSET 0xffffffffu /* of a shadow file: look below */
#define CCKD_LINK_BYTES 8u /* of the chain of free space: what a free piece begins with */
#define CCKD_REST_MIN 96u  /* smaller pieces stay with what was put there */
#define CCKD_PENDING_MAX (64u << 20) /* bytes freed but not reused before the next sync */
/** So many while the thread of a live image brings about that sync; then the guest waits for it. */
#define CCKD_PENDING_LIVE_MAX (512u << 20)
#define CCKD_UNPACKED_MAX 4096u /* tracks of a live image that wait to be packed */
#define CCKD_CLOSE_PACKS_MAX 64u
#define CCKD_UNPACKED_END (3ull << 30) /* a file that long gets packed tracks only */

/* The compressed device header, from CCKD_HEADER_AT on; integers in the writer's byte order. */
enum cckd_at {
    CCKD_VERSION = 0,
    CCKD_OPTIONS = 3,
    CCKD_L1_COUNT = 4,
    CCKD_L2_COUNT = 8,
    CCKD_SIZE = 12,
    CCKD_USED = 16,
    CCKD_FREE = 20,
    CCKD_FREE_TOTAL = 24,
    CCKD_FREE_LARGEST = 28,
    CCKD_FREE_NUMBER = 32,
    CCKD_FREE_IMBED = 36,
    CCKD_CYLINDERS = 40, /* always little-endian */
    CCKD_NULL_FORMAT = 44,
    CCKD_COMPRESSION = 45,
    CCKD_COMPRESSION_PARM = 46,
    /* Ours, in what is reserved: tracks wait to be packed; */
    CCKD_UNPACKED_MARK = 472,
    CCKD_BELOW_MARK = 480, /* which state of the layer below it shadows; */
    CCKD_BELOW_IDENTITY = 488,
    CCKD_MERGE_MARK = 496, /* which shadow is being merged into it */
    CCKD_MERGE_IDENTITY = 504,
};
#define CCKD_MARK 0x454e4449u /* ENDI */

#define CCKD_OPT_NOFUDGE 0x01
#define CCKD_OPT_BIG_ENDIAN 0x02
#define CCKD_OPT_WRITTEN 0x40
#define CCKD_OPT_OPENED 0x80 /* a writer has not closed it */

#define CCKD_NONE 0
#define CCKD_ZLIB 1
#define CCKD_BZIP2 2

/** Where a track is: at 0 it is null, in the format `len`. `size` bytes are taken for it. At
 *  CCKD_NO_OFFSET a shadow's layer below has it, or, when `len` is 0, it is damaged. */
struct cckd_entry {
    u32 at;
    u16 len, size;
};

struct cckd_l2 {
    struct cckd_entry entry[CCKD_L2_ENTRIES];
};

/** Of img->format. [S1] Every byte below `end` is of the headers, of one table, one track, or in
 *  `free`, `pending` or `syncing`, or in a piece without room for a link of the chain. [S2] What
 *  the file pointed to when it was last on the host's disk is in `pending` or `syncing`, not in
 *  `free`. */
struct cckd {
    bool big_endian;
    bool opened; /* the header says that a writer has it */
    bool shadow;
    u8 header[DEVHDR_BYTES];
    u32 l1_count;
    u32 *l1;
    struct cckd_l2 **l2;
    u64 end, imbed;
    struct spans free, pending, syncing;
    u8 *scratch;   /* IMAGE_TRACK_BYTES_MAX, for null tracks */
    u32 *unpacked; /* a ring of tracks, made when needed, each at most once: */
    u8 *queued;    /* a bit for each track that is in it */
    u32 unpacked_first, unpacked_count;
    _Atomic u8
        *as_is;   /* a bit for each track that was written whole, and lies there unpacked */
    u32 packing;  /* the track that is being packed without the lock, or all ones; */
    bool changed; /* and has changed meanwhile */
    u32 looked;   /* tracks below it are packed, or queued */
    u32 syncs;    /* how often space became free again */
};

static inline u32 cckd_load32(const struct cckd *c, const u8 *p)
{
    return c->big_endian ? be32_load(p) : le32_load(p);
}

static inline u16 cckd_load16(const struct cckd *c, const u8 *p)
{
    return c->big_endian ? be16_load(p) : le16_load(p);
}

static inline void cckd_store32(const struct cckd *c, u8 *p, u32 v)
{
    if (c->big_endian)
        be32_store(p, v);
    else
        le32_store(p, v);
}

static inline void cckd_store16(const struct cckd *c, u8 *p, u16 v)
{
    if (c->big_endian)
        be16_store(p, v);
    else
        le16_store(p, v);
}

/* cckd.c */
/** NULL: its table is not there. */
struct cckd_entry *cckd_entry_of(const struct cckd *c, u32 track);
/** Has the layer the track itself, or the one below it? */
bool cckd_holds(const struct image *img, u32 track);
/** Put a track, packed or not, into new space, *e; the lock is given back meanwhile. */
int cckd_place(struct image *img, const u8 *bytes, u32 len, struct cckd_entry *e,
               struct cause *cause);
/** Make the table say `e`; what was there before becomes free, or `e` if that fails. */
int cckd_point_to(struct image *img, u32 track, const struct cckd_entry *e,
                  struct cause *cause);
/** That space is not needed after all. */
void cckd_give_up(struct cckd *c, const struct cckd_entry *e);
/** Both. */
int cckd_put(struct image *img, u32 track, const u8 *bytes, u32 len, struct cause *cause);
/** Does the track lie where it did when c->syncs was `syncs`, and nothing else there since? */
bool cckd_lies_at(const struct image *img, u32 track, const struct cckd_entry *e, u32 syncs);

/* cckd_tidy.c */
/** Is a track to be written as it is? Then by this, and it is packed later. */
bool cckd_packs_later(const struct image *img);
int cckd_write_unpacked(struct image *img, u32 track, const u8 *buf, u32 len,
                        struct cause *cause);
void cckd_tidy_open(struct image *img);
u32 cckd_backlog(const struct image *img);
void cckd_tidy(struct image *img);
int cckd_close_tidied(struct image *img, struct cause *cause);

/** It is written where it lies: [P2]. */
void cckd_changes_in_place(struct cckd *c, u32 track);

/* cckd_part.c */
bool cckd_parts(const struct image *img, u32 track);
int cckd_part(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
              struct cause *cause);
void cckd_note_as_is(struct cckd *c, u32 track, bool as_is);

/* cckd_merge.c */
/** Is the layer in a state in which it may be opened, over what is below it? */
int cckd_states_check(struct image *img, struct cause *cause);

/* cckd_space.c */
/** Read the tables and find the free space by what they do not use; damage is refused. */
int cckd_scan(struct image *img, struct cause *cause);
/** Room for `len` bytes; *len may grow to what is taken. */
int cckd_take(struct image *img, u64 *len, u64 *at, struct cause *cause);
/** Room for a table of level 2, which has no size to grow to. */
int cckd_take_table(struct image *img, u64 *at, struct cause *cause);
void cckd_give(struct cckd *c, u64 at, u64 len);
/** The header says from now on that the file is being written. */
int cckd_begin_writing(struct image *img, struct cause *cause);
int cckd_rest(struct image *img, struct cause *cause);
int cckd_close(struct image *img, struct cause *cause);
void cckd_sync_begin(struct image *img);
void cckd_sync_end(struct image *img, bool well);
void cckd_figures(struct image *img, struct image_figures *out);

/* cckd_pack.c */
/** Unpack the track at `in`; ST_PROTO with what is wrong. */
int cckd_unpack(const u8 *in, u32 len, u32 track, u8 *out, u32 *out_len, struct cause *cause);
/** Pack it as the image has it into `out`, at most as long as it is; returns the length. */
u32 cckd_pack(const struct cckd *c, const u8 *in, u32 len, u8 *out);

#endif
