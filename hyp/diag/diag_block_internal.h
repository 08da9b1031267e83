/* Between the files of DIAGNOSE X'250': environments (diag_block_env.c), requests (diag_block.c),
 * channel programs for blocks (diag_block_run.c). */
#ifndef ENDICOTT_HYP_DIAG_DIAG_BLOCK_INTERNAL_H
#define ENDICOTT_HYP_DIAG_DIAG_BLOCK_INTERNAL_H

#include "hyp/diag/diag_block.h"
#include "io/css.h"

#define BLOCK_BYTES_MIN 512u
#define BLOCK_BYTES_MAX 4096u

/** Status of one block of a request (BELSTAT). */
enum block_status {
    BLOCK_OK = 0,
    BLOCK_NUMBER_WRONG = 1,
    BLOCK_ADDRESSING = 2,
    BLOCK_READ_ONLY = 3,
    BLOCK_SIZE_WRONG = 4,
    BLOCK_IO_ERROR = 5,
    BLOCK_PROTECTION = 11,
};

static inline bool block_bytes_valid(u64 bytes)
{
    return bytes == 512 || bytes == 1024 || bytes == 2048 || bytes == 4096;
}

bool block_environment_find(struct block_io *b, u16 devno, struct block_environment *out);
/** False: there are too many. */
bool block_environment_add(struct block_io *b, const struct block_environment *what);
bool block_environment_remove(struct block_io *b, u16 devno);
/** A request begins, if what it ends with can be kept; and it ends. NULL: nothing is told. */
bool block_request_begin(struct block_io *b);
void block_request_end(struct block_io *b, const struct block_done *what);

/* diag_block_run.c */
/** A disk as blocks of a size. */
struct block_disk {
    struct css *css;
    u16 devno;
    bool eckd, read_only;
    u32 block_bytes;
    u32 per_track, heads; /* eckd */
    u64 blocks;
};
/** False: it is not there, or no disk of blocks. */
bool block_disk_look(struct css *css, u16 devno, u32 block_bytes, struct block_disk *out);
/** Move `count` blocks from number `first` (0 is the first of the disk) on; they are in a row in
 *  `data`. `how` gets how the last channel program ended. On a thread for device work, or any
 *  that may wait. */
enum block_status block_disk_move(const struct block_disk *d, u64 first, u32 count, bool write,
                                  u8 *data, struct css_program *how);

/* diag_block_list.c */
/** A block and its buffer, which is in two frames at most. */
struct block_entry {
    bool write;
    u8 status;
    u64 block; /* 0 is the first of the disk */
    u64 abs[2];
    u32 in_first; /* bytes at abs[0] */
    u64 status_abs;
};

/** Blocks between a disk and a guest's storage, in the order of the list. */
struct block_list {
    struct vcpu *v;
    struct block_disk disk;
    bool stops; /* at the first that fails; else each has a status of its own */
    u32 count, moved;
    struct css_program how; /* of the last that failed */
    u8 *data;               /* of all blocks */
    struct block_entry *entry;
};

/** False: no memory. The entries are the caller's to fill: write, block; then their check. */
bool block_list_init(struct block_list *l, struct vcpu *v, const struct block_disk *disk,
                     u32 count);
void block_list_free(struct block_list *l);
/** The entry's status: is there such a block, may it be written, may its buffer at `real` be used
 *  with this key? Every address is made absolute. On the CPU's thread. */
void block_list_check(struct block_list *l, u32 i, u64 real, u8 key);
/** Move what can be. The status of the first that failed. On a thread for device work. */
u8 block_list_run(struct block_list *l);

#endif
