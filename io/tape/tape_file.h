/* Tape volumes in files of the host: AWSTAPE, and HET, which is the same with compressed blocks.
 * A volume is a row of blocks and tape marks; a handle stands between two of them. No locking: one
 * thread at a time. Format: each piece has a header of six bytes, its length and that of the piece
 * before it (little-endian), flags of its place in the block and of its compression. */
#ifndef ENDICOTT_IO_TAPE_TAPE_FILE_H
#define ENDICOTT_IO_TAPE_TAPE_FILE_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct tape_file;

#define TAPE_BLOCK_BYTES_MAX (256u << 10)

#define TAPE_READ_ONLY 1u
#define TAPE_COMPRESS 2u /* blocks are written compressed when that makes them shorter */

/** What lies in the direction of a movement. */
enum tape_item {
    TAPE_BLOCK,
    TAPE_MARK,
    TAPE_EDGE,  /* forward: nothing was written here; backward: the load point */
    TAPE_DAMAGE /* the file is not what it should be, or the host fails: the cause tells */
};

/** ST_CONFIG, ST_PERM, ST_BUSY, ST_IO, ST_NOMEM with a cause that names the file. No bytes are
 *  a blank volume. The file is locked against a second writer. */
int tape_file_open(const char *path, unsigned flags, struct tape_file **out,
                   struct cause *cause);
/** A blank volume; ST_EXIST when the file is there. */
int tape_file_create(const char *path, struct cause *cause);
/** TAPE_COMPRESS when the name ends in .het, else 0. */
unsigned tape_file_flags_of(const char *path);
/** One more holder; returns t. Each one closes; the last close ends it. */
struct tape_file *tape_file_ref(struct tape_file *t);
void tape_file_close(struct tape_file *t);
const char *tape_file_path(const struct tape_file *t);
bool tape_file_read_only(const struct tape_file *t);

/** The next block into buf (TAPE_BLOCK_BYTES_MAX); *len is its length. Behind it afterwards, also
 *  when only what it holds is damaged and not where it ends. */
enum tape_item tape_file_read(struct tape_file *t, u8 *buf, u32 *len, struct cause *cause);
/** The block before the place, its bytes in their order; before it afterwards, likewise. */
enum tape_item tape_file_read_back(struct tape_file *t, u8 *buf, u32 *len, struct cause *cause);
/** Over the next, or the previous, block or mark. */
enum tape_item tape_file_forward(struct tape_file *t, struct cause *cause);
enum tape_item tape_file_back(struct tape_file *t, struct cause *cause);
void tape_file_rewind(struct tape_file *t);
/** Blocks and marks before the place where the handle stands. */
u32 tape_file_block(const struct tape_file *t);
/** Where that is in the file, and the file's length. */
void tape_file_place(const struct tape_file *t, u64 *at, u64 *size);
/** To the place before block `block`; TAPE_EDGE when the volume is shorter. */
enum tape_item tape_file_locate(struct tape_file *t, u32 block, struct cause *cause);

/** The volume holds so many bytes of the file, 0: as many as the host. Near the end, where a mark
 *  and labels still have room, there is an early warning. */
void tape_file_set_capacity(struct tape_file *t, u64 bytes);
bool tape_file_near_end(const struct tape_file *t);

/** Write a block (1 to TAPE_BLOCK_BYTES_MAX bytes, over 65,535 in several pieces) or a mark; what
 *  lay behind is gone. On an error the volume is as it was before, but for what lay behind. ST_IO
 *  (host full, failing), ST_LIMIT (the volume's end; nothing is gone then), ST_NOMEM. */
int tape_file_write(struct tape_file *t, const u8 *bytes, u32 len, struct cause *cause);
int tape_file_mark(struct tape_file *t, struct cause *cause);
/** What lies behind is gone. */
int tape_file_erase(struct tape_file *t, struct cause *cause);
/** Everything written is on the host's disk. */
int tape_file_sync(struct tape_file *t, struct cause *cause);

/** The length in the file of the block that was read last, and whether it was compressed. */
u32 tape_file_stored(const struct tape_file *t, bool *compressed);

#endif
