/* State structs of the I/O devices and the row tables generated from io_state.def.
 * For io/ and its unit tests. Every member of a struct here must have its row: asserted. */
#ifndef ENDICOTT_IO_IO_STATE_H
#define ENDICOTT_IO_IO_STATE_H

#include "io/net/ctc.h"
#include "io/net/osa_internal.h"
#include "io/screen3270.h"
#include "mem/base/codec.h"

/* Tags beside the numbered rows of io_state.def. */
#define IO_TAG_SUBCHANNEL 0x8100 /* block: one subchannel */
#define IO_TAG_CSS 0x8101        /* block: css totals */
#define IO_TAG_TYPE 0x8102       /* bytes: device type name */
#define IO_TAG_NUMBER 0x8103     /* u32: subchannel set << 16 | number */
#define IO_TAG_DEVICE 0x8104     /* block: the device's own rows */
#define IO_TAG_CRW 0x8105        /* array of u32 */
#define IO_TAG_SUB_COUNT 0x8106  /* array of u32: of each subchannel set */
#define IO_TAG_EVENTS 0x8107     /* array of u32 */
#define IO_TAG_LINE 0x8110       /* bytes: a queued console line */
#define IO_TAG_CELLS 0x8111      /* bytes: the screen of a 3270 */
#define IO_TAG_FILE 0x8120       /* block: a spool file */
#define IO_TAG_FILE_NUMBER 0x8121
#define IO_TAG_FILE_FLAGS 0x8125 /* u8: keep 2, held 1 */
#define IO_TAG_FILE_CLASS 0x8126 /* u8 */
#define IO_TAG_FILE_PAGES 0x8127 /* bytes: spool_data.h */
#define IO_TAG_FILE_SIZE 0x8128  /* array of u32: records, pages of a file that is elsewhere */
#define IO_TAG_QUEUES 0x8140     /* block: queues of an adapter */
#define IO_TAG_IDX 0x8141        /* bytes: answer to IDX ACTIVATE on read; 8142: on write */
#define IO_TAG_REPLY 0x8143      /* bytes: an answer not read yet */
#define IO_TAG_FRAME 0x8144      /* bytes: a frame that waits for a buffer */
#define IO_TAG_BLOCK 0x8150      /* bytes: a block that nobody has read */
#define IO_TAG_EVENT 0x8130      /* bytes: a pending SCLP event buffer */

struct con3215_state {
    u32 first, lines; /* the ring of input lines */
    u8 reading;       /* a read inquiry waits */
    u8 attention;     /* the key was pressed during it: end it with nothing */
    u8 zero[2];
};

struct reader_state {
    u32 next_number; /* of the next spool file */
    u32 card;        /* next card of the current file */
    u32 current;     /* number of the file being read, 0: none */
    u32 page;        /* next page of it for DIAGNOSE X'14' */
    u8 eof_due;      /* the last card was read: unit exception comes next */
    u8 cont, hold, keep;
    u8 class_; /* of files that it reads; 0: any */
    u8 zero[3];
};

#define PRINTER_UCS_BYTES 432
#define PRINTER_FCB_BYTES 180

struct printer_state {
    u8 ucs[PRINTER_UCS_BYTES]; /* the characters that it has, any number of times */
    u8 fcb[PRINTER_FCB_BYTES];
    u8 ucs_loaded;
    u8 fcb_lines;   /* 0: no buffer was loaded */
    u8 fold;        /* small letters are printed as capitals */
    u8 data_checks; /* a character that it does not have is told */
};

struct eckd_state {
    u32 track; /* under the heads */
    u32 extent_first, extent_last;
    u16 record; /* of the track, by place: 0 is R0 */
    u16 block_bytes;
    u16 locate_length;
    u8 orient; /* enum eckd_orient */
    u8 file_mask;
    u8 extent;       /* defined in this channel program */
    u8 mask_set;     /* set file mask was given */
    u8 index_seen;   /* times, since a record was found or read */
    u8 searched;     /* since the last seek */
    u8 locate_count; /* commands that the domain of locate record still has */
    u8 locate_first; /* the next one is its first */
    u8 locate_operation;
    u8 locate_auxiliary;
    u8 locate_extended;
    u8 prepared; /* what read subsystem data gives */
    u8 reserved;
    u8 group_state; /* path group: grouped, multipath */
    u8 group[11];
    u8 bound; /* alias: to the volume of unit address `base` */
    u8 base;
    u8 claimed;  /* the channel program may touch the tracks of its extent */
    u8 admitted; /* it began while nobody else had the volume reserved */
    u8 lost;     /* another system took the reservation, and the program has not been told */
};

struct fba_state {
    u32 extent_at;                 /* where the extent begins on the disk */
    u32 extent_first, extent_last; /* what the program calls its blocks */
    u32 block, count;              /* of the next read or write */
    u8 extent;
    u8 mask;
    u8 operation;
    u8 reserved;
    u8 admitted; /* the channel program began while nobody else had the disk reserved */
    u8 zero[3];
};

struct sclp_state {
    u64 receive_mask, send_mask; /* of the control program, bit 0 = event type 1 */
    u32 signal_parm;
    u32 mask_bytes;
    u8 signal_pending;
    u8 zero[7];
};

struct tape_state {
    u32 block;         /* blocks and marks before the head */
    u8 loaded;         /* there is a volume */
    u8 mode;           /* of MODE SET */
    u8 path_group[12]; /* state, identifier */
    u8 immediate;      /* writes of this channel program are flushed one by one */
    u8 prepared;       /* READ SUBSYSTEM DATA was prepared in it */
    u8 want;           /* 1: the loader's next volume when the drive is empty, 2: want_volume */
    u8 want_volume[7]; /* with a zero behind it */
};

struct io_row {
    u16 tag;
    u16 offset;
    u16 bytes;
    u8 width;
};

struct io_rows {
    const struct io_row *row;
    unsigned count;
    u32 struct_bytes;
};

extern const struct io_rows sub_rows, css_rows, con3215_rows, screen_rows, reader_rows,
    sclp_rows, eckd_rows, fba_rows, tape_rows, printer_rows, osa_rows, qdio_rows, ctc_rows;

/** Write every row of the struct at `state`. */
void io_rows_put(struct codec_out *out, const struct io_rows *rows, const void *state);
/** Take one row into `state`, noting it in `seen`; false: unknown, doubled or misshapen. */
bool io_rows_get(const struct codec_row *row, const struct io_rows *rows, void *state,
                 u64 *seen);
bool io_rows_complete(const struct io_rows *rows, u64 seen);

#endif
