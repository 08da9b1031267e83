/* A dump of a machine under way (VMDUMP), between the two formats in which it is written. Inside
 * hyp. */
#ifndef ENDICOTT_HYP_VM_DUMP_INTERNAL_H
#define ENDICOTT_HYP_VM_DUMP_INTERNAL_H

#include "hyp/vm_internal.h"
#include "hyp/vm_still.h"

#define HEAD_BYTES 4096
#define END_BYTES 16
#define DUMP_TEXT_BYTES 512

/* See struct vm_still. */
struct vm_dumping {
    struct vm_still still;
    char *path;
    int fd;
    struct vm_dump what;
    u64 tod;
    u64 bytes; /* of storage that the dump has */
    struct {
        u64 start, len;
    } segment[STORAGE_SEGMENTS_MAX]; /* behind storage */
    unsigned segments, statuses;
    u8 head[HEAD_BYTES], end[END_BYTES]; /* of a file */
    char text[DUMP_TEXT_BYTES];          /* of a spool file */
    struct {
        u16 cpu;
        u64 at;
        u8 area[VM_STATUS_BYTES];
    } status[VM_CPUS_MAX];
    int error; /* errno; 0: it is whole */
    vm_done *done;
    void *ctx;
};

/** To the file; false: errno says why. */
bool vm_dump_put(struct vm_dumping *d, const u8 *p, u64 len, u64 at);
/** Is the frame asked for, and anything in it? Else it is zeros to who reads the dump. */
bool vm_dump_has(const struct vm_dumping *d, u64 frame);
/** All of the file, as pages of a spool file. */
bool vm_dump_spool_write(struct vm_dumping *d);

#endif
