/* How storage goes to the other side: chunks of frames, each as it is, as a mark, as what has
 * changed in it, or compressed. Pure functions over bytes; what is decoded is hostile. */
#ifndef ENDICOTT_LGR_LGR_ENCODE_H
#define ENDICOTT_LGR_LGR_ENCODE_H

#include "mem/base/bytes.h"
#include "mem/storage.h"

/* A MEMORY message: the header of lgr_wire.h, pass(2) entries(2) bytes(4); entries of frame(4)
 * kind(1) 0(1) len(2); then the bytes of all entries, in their order, without gaps. */
#define LGR_CHUNK_HEAD_BYTES 24u /* with the header */
#define LGR_CHUNK_AT 16u         /* ... where its own part begins */
#define LGR_ENTRY_BYTES 8u
#define LGR_CHUNK_PAGES 64u    /* entries with bytes, at most */
#define LGR_CHUNK_ENTRIES 512u /* all */
#define LGR_CHUNK_TABLE_BYTES (LGR_CHUNK_HEAD_BYTES + LGR_CHUNK_ENTRIES * LGR_ENTRY_BYTES)
#define LGR_CHUNK_DATA_BYTES (LGR_CHUNK_PAGES * FRAME_BYTES)
#define LGR_CHUNK_BYTES_MAX (LGR_CHUNK_TABLE_BYTES + LGR_CHUNK_DATA_BYTES)
#define LGR_RUN_MAX 65535u /* frames of one mark */

/* len is: */
enum lgr_kind {
    LGR_RAW,    /* FRAME_BYTES */
    LGR_ZERO,   /* how many frames from this one on hold zeros; no bytes */
    LGR_DELTA,  /* bytes of XOR runs against what the other side has */
    LGR_LZ4,    /* bytes of an LZ4 block */
    LGR_SPARSE, /* bytes of a page without its zeros */
    LGR_KINDS
};

/** A chunk that is being filled; the caller's buffer of LGR_CHUNK_BYTES_MAX. Bytes of the next
 *  entry go to lgr_chunk_room. */
struct lgr_chunk {
    u8 *table, *data;
    unsigned entries, pages, pages_max;
    u32 bytes;
};
/** `pages_max`: full with so many entries with bytes; LGR_CHUNK_PAGES at most. */
void lgr_chunk_begin(struct lgr_chunk *c, u8 *buffer, unsigned pages_max);
bool lgr_chunk_full(const struct lgr_chunk *c);
u8 *lgr_chunk_room(const struct lgr_chunk *c);
/** An entry; a ZERO behind the last one's frames makes that run longer. Not when it is full. */
void lgr_chunk_add(struct lgr_chunk *c, u64 frame, enum lgr_kind kind, unsigned len);
/** Write its head but for the header; returns the bytes of head and table, before the data. */
size_t lgr_chunk_end(struct lgr_chunk *c, u16 pass);

/** A received chunk, every number of which has been checked but for what the bytes decode to. */
struct lgr_chunk_view {
    const u8 *table, *data;
    unsigned entries;
};
struct lgr_entry {
    u64 frame;
    enum lgr_kind kind;
    unsigned len; /* frames of a ZERO, bytes of others */
};
/** Of storage of `frames` frames, in this pass? False: it is damaged. */
bool lgr_chunk_check(const u8 *data, size_t len, u16 pass, u64 frames,
                     struct lgr_chunk_view *out);
struct lgr_entry lgr_chunk_entry(const struct lgr_chunk_view *c, unsigned i);

/** What has changed since `base`, in words: skip(2) count(2) XORed words... 0: nothing, or it does
 *  not fit into `room`. */
size_t lgr_delta_encode(const u8 *now, const u8 *base, u8 *out, size_t room);
/** Into `frame`, which holds the base. False: malformed; the frame is spoilt then. */
bool lgr_delta_apply(u8 *frame, const u8 *p, size_t len);

/** Take the zeros out of a page, where it is: the words that are left, then which they are. 0: that
 *  is longer than `room`, and the page is as it was. */
size_t lgr_sparse_pack(u8 *page, size_t room);
/** False: malformed; the page is spoilt then. */
bool lgr_sparse_unpack(const u8 *p, size_t len, u8 *page);

/** Has this program LZ4? */
bool lgr_lz4_there(void);
/** 0: it does not fit into `room`. */
size_t lgr_lz4_encode(const u8 *frame, u8 *out, size_t room);
/** Exactly one frame. False: malformed. */
bool lgr_lz4_decode(const u8 *p, size_t len, u8 *frame);

/** What a changed page would be as each kind, and what that costs. */
struct lgr_pick {
    double link_ns;            /* of a byte on the link */
    unsigned bytes[LGR_KINDS]; /* 0: it cannot go so */
    double cost_ns[LGR_KINDS]; /* of encoding it, on a processor that also copies and hashes */
};
/** The kind that moves pages fastest. Encoding and the link work at the same time, so the slower
 *  of both counts; of the other one a quarter, for processors are shared with guests. */
enum lgr_kind lgr_encode_pick(const struct lgr_pick *p);

/** The link's rate, from looks at it while a pass is sent. Zeros: not known. */
struct lgr_link_rate {
    double
        bytes_per_ns; /* what it takes; where it never was what one waited for, at least that */
    u64 bytes, ns, blocked_ns; /* since the last estimate */
};
/** `bytes` have gone in `ns`, `blocked_ns` of them with more to send than the link took. */
void lgr_link_note(struct lgr_link_rate *l, u64 bytes, u64 ns, u64 blocked_ns);
/** ns of a byte, to reckon with. */
double lgr_link_ns(const struct lgr_link_rate *l);

/* --- lgr_image.c: what was sent of frames that are sent again and again --- */
struct lgr_images;
/** For `frames` frames, at most `bytes` of images; memory is taken as they come. NULL: none. */
struct lgr_images *lgr_images_create(u64 frames, u64 bytes);
void lgr_images_destroy(struct lgr_images *all);
/** FRAME_BYTES as last put, or NULL. */
u8 *lgr_image_find(struct lgr_images *all, u64 frame, u16 pass);
/** Keep this; when there is no room but for one that has not been used in the last pass, its. */
void lgr_image_put(struct lgr_images *all, u64 frame, const u8 *bytes, u16 pass);
void lgr_image_drop(struct lgr_images *all, u64 frame);

#endif
