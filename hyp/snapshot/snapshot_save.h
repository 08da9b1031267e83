/* A snapshot file that is being written, by a child of this process, for which storage stands still
 * while the guest goes on. Loop thread, but for `post`. */
#ifndef ENDICOTT_HYP_SNAPSHOT_SNAPSHOT_SAVE_H
#define ENDICOTT_HYP_SNAPSHOT_SNAPSHOT_SAVE_H

#include "hyp/snapshot/snapshot_file.h"

struct snapshot_saving;

/** Run fn(arg) on the loop thread, soon. Any thread. */
struct snapshot_post {
    void (*post)(void *ctx, void (*fn)(void *arg), void *arg);
    void *ctx;
};

struct snapshot_saved {
    struct cause cause; /* not ST_OK: nothing is left of the file */
    u64 file_bytes, frames;
};

/** A file beside `path` is there to be written to, so that what cannot be is known before the
 *  guest stops. `replace`: a snapshot at `path` gives way. ST_EXIST, ST_BUSY (it is being
 *  written), ST_IO, ST_PERM; the cause names the file. */
int snapshot_saving_create(const char *path, bool replace, struct snapshot_saving **out,
                           struct cause *cause);
/** The machine is quiesced, and may go on when this returns ST_OK; `done` comes later, once, and
 *  ends the saving. `head` as in snapshot_writer_create. */
int snapshot_saving_begin(struct snapshot_saving *s, struct storage *st,
                          const struct codec_out *head, bool compress,
                          const struct snapshot_post *post,
                          void (*done)(void *ctx, const struct snapshot_saved *saved),
                          void *ctx, struct cause *cause);
/** Begun: it ends soon, told of as any other, if it is not whole by then. */
void snapshot_saving_stop(struct snapshot_saving *s);
/** Not begun: nothing of it is left. Begun: likewise, `done` is not called; waits for its end. */
void snapshot_saving_destroy(struct snapshot_saving *s);

#endif
