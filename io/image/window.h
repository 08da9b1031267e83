/* A volume that several devices use, and parts of it as images of their own: minidisks. A
 * share knows the file and has it open while some window is active: for reading, or for
 * writing when one of them writes. Files with a place for each track (all but CCKD) are
 * locked by extent, so that programs can write different parts of one; a CCKD file has one
 * writer, or readers. [W1] An extent is written by one program at a time: a window is active
 * only with its locks. Windows hold count fields as they were written; home addresses, and
 * record 0 where it names its track, are those of the window. */
#ifndef ENDICOTT_IO_IMAGE_WINDOW_H
#define ENDICOTT_IO_IMAGE_WINDOW_H

#include <stdatomic.h>

#include "io/image/image.h"

struct share;

/**
 * Look at the file at `path` (as image_open takes it; IMAGE_READ_ONLY: never written, IMAGE_SYNC)
 * without a lock, and leave it closed. ST_CONFIG, ST_PROTO, ST_NOMEM with cause. One thread.
 */
int share_create(const char *path, unsigned flags, struct share **out, struct cause *cause);
/** A share over an image that is open already and nobody else's: taken over. NULL: no memory. */
struct share *share_of_image(struct image *img);
struct share *share_ref(struct share *s);
void share_unref(struct share *s);
const struct image_geometry *share_geometry(const struct share *s);
/** Have something done with the file's image, in which nothing moves: as it is open, or opened for
 *  it (to `write`). ST_BUSY and the like, or what fn returns. */
int share_with_image(struct share *s, bool write,
                     int (*fn)(struct image *img, void *arg, struct cause *cause), void *arg,
                     struct cause *cause);
/** While `on` the file is open to be written, whoever uses it. ST_BUSY and the like: it is not. */
int share_keep_open(struct share *s, bool on, struct cause *cause);
/** Can programs write different parts of it? */
bool share_by_extent(const struct share *s);
bool share_read_only(const struct share *s);
/** Behind a window_activate that ended with ST_BUSY: where what another program has locked ends,
 *  in cylinders or blocks of the volume. UINT64_MAX: all is; the window's first: not any more. */
u64 share_blocked(struct share *s);
const char *share_path(const struct share *s);
/** The label of the volume: "" = none. ST_PROTO, ST_IO. */
int share_label(const struct share *s, char out[7], struct cause *cause);
struct alloc_map;
/** What CP uses its space for (alloc_map.h). ST_PROTO, ST_IO. */
int share_alloc_map(const struct share *s, struct alloc_map *out, struct cause *cause);

struct mdc;
/** Tracks of its windows that are to be cached go through `m` (mdc.h), which outlives it; before it
 *  has any. */
void share_cache(struct share *s, struct mdc *m);
/** Tracks of the volume (cylinders first to first + count - 1) are forgotten by the cache. */
void share_flush_cache(struct share *s, u64 first, u64 count);

/** Cylinders, or blocks of an FBA volume. */
struct window_extent {
    u64 first, count;
};

/** An image of these, not active: reads and writes fail with ST_BUSY. ST_LIMIT: not on the
 * volume. */
int window_create(struct share *s, struct window_extent extent, bool write, struct image **out,
                  struct cause *cause);
/** Before it is active: while it is, no other program writes its extent, though it only reads. */
void window_guard(struct image *img);
/** Before it is active: what its device has not written is empty (blocks: zeros), whatever is on
 * the volume. ST_NOMEM. */
int window_fresh(struct image *img, struct cause *cause);
/** Of such a window that is active and that nobody uses: all that is on the volume there is made
 *  empty, also what its device has not written. It takes its time; `stop` ends it. */
int window_erase(struct image *img, atomic_bool *stop, struct cause *cause);
/** Its tracks may be cached, or not. Are they now? Not while another program may write them, nor of
 *  blocks. */
void window_cache(struct image *img, bool wanted);
bool window_is_cached(const struct image *img);
/** What is known of programs elsewhere that the locks on the file do not tell of, as of other
 *  members of a cluster: nothing, so that tracks are cached that are locked here; that nobody
 *  writes its extent, and none will before this is taken back, so that all may be; or that
 *  somebody does, so that none is. */
enum window_others { WINDOW_LOCKS_TELL, WINDOW_NOBODY_WRITES, WINDOW_SOMEBODY_WRITES };
void window_others(struct image *img, enum window_others others);
/** While it is shut, channel programs of its device wait, and what else moves is busy (ST_BUSY). */
void window_gate(struct image *img, bool shut);
/** Open and lock what it needs. ST_BUSY: another program has it. Not while its device works. */
int window_activate(struct image *img, struct cause *cause);
/** What was written is to be on the host's disk soon; nobody waits for it. */
void window_flush_soon(struct image *img);
/** Write access that was got is given up, and what nobody here needs any more. Its device has
 *  written everything. */
void window_deactivate(struct image *img);
/** The same, at once: another program waits for it. A file that is locked by extent is closed
 *  later, by window_deactivate or with the window. */
void window_let_go(struct image *img);

#endif
