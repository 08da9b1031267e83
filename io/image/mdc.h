/* The minidisk cache: whole tracks of volumes in storage, the least recently used goes first. It
 * is of the volume and the track, so that minidisks which overlap share what is there. [M1] What
 * is here is as it is in the file: who writes a track tells so behind the write (mdc_drop), and
 * what was read before that is not taken in (tickets). [M2] Nothing is here of what another
 * program may write: its user sees to that (window.c). Any thread; the lock is a leaf. */
#ifndef ENDICOTT_IO_IMAGE_MDC_H
#define ENDICOTT_IO_IMAGE_MDC_H

#include "io/image/image.h"

#define MDC_BYTES_DEFAULT (128ull << 20)
#define MDC_BYTES_LIMIT (1ull << 40)

struct mdc;

struct mdc_figures {
    bool on;
    u64 reads, hits, writes; /* tracks or records, of minidisks that may be cached */
    u64 bytes, bytes_min, bytes_max;
    u32 tracks;
};

/** On, with MDC_BYTES_DEFAULT. NULL: no memory. */
struct mdc *mdc_create(void);
/** No volume uses it any more. NULL is none. */
void mdc_destroy(struct mdc *m);
/** Off: what is here goes. */
void mdc_switch(struct mdc *m, bool on);
/** No more than `max` bytes of tracks, what is over goes; `min` is told again only. */
void mdc_limit(struct mdc *m, u64 min, u64 max);
void mdc_figures(struct mdc *m, struct mdc_figures *out);

/** Is the track here? Then it is in `buf`. Else, when it is read, mdc_fill with the ticket. */
bool mdc_get(struct mdc *m, const void *volume, u32 track, u8 *buf, u32 *len, u64 *ticket);
/** The same of `len` bytes of it from `from` on. *fill: parts of it were wanted before, since it
 *  was last written: the whole track is to be read and filled in. */
bool mdc_get_part(struct mdc *m, const void *volume, u32 track, u32 from, u8 *buf, u32 len,
                  bool *fill, u64 *ticket);
void mdc_fill(struct mdc *m, const void *volume, u32 track, u64 ticket, const u8 *buf, u32 len);
/** The track was written, or was to be. `counted`: of a minidisk that may be cached. */
void mdc_drop(struct mdc *m, const void *volume, u32 track, bool counted);
/** Others may write these from now on. */
void mdc_drop_range(struct mdc *m, const void *volume, u64 first, u64 count);

#endif
