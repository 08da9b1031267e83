/* Unit record: virtual card reader (2540), punch (2540) and printer (1403).
 * A reader has a queue of spool files, by itself or with others; what is punched and printed
 * goes to a sink. */
#ifndef ENDICOTT_IO_UNITREC_UNITREC_H
#define ENDICOTT_IO_UNITREC_UNITREC_H

#include "io/css.h"
#include "io/unitrec/spool_data.h"

struct reader;

#define READER_FILES_MAX 9900

/** Create and attach; css owns it. */
struct reader *reader_create(struct css *css, u16 devno, bool announce, struct cause *cause);
/** With the queue of `beside` (NULL: its own). What is said of files below is then said of that
 *  queue, by any of its readers; what is said of the file being read, of this reader. */
struct reader *reader_create_beside(struct css *css, u16 devno, struct reader *beside,
                                    bool announce, struct cause *cause);

/** A file in the queue. */
struct reader_file {
    u32 number; /* given by reader_add */
    u32 records, pages;
    u16 record_bytes;
    char class_;
    bool keep, held; /* a held file is not read; one with keep is held at its end, not gone */
    bool reading;
    u64 key, version; /* of its keeper's, for reader_gate; key 0: it is not asked */
};
/** Put a file behind the others, as `file` says (class_, keep, held); takes the content of
 *  `data`. Device end (ready) of each reader that had nothing to read and may read it. `number`
 *  may be NULL. Any thread. */
int reader_add(struct reader *rdr, const struct reader_file *file, struct spool_data *data,
               u32 *number, struct cause *cause);
/** The same of class A with `len` bytes cut into cards, the last filled up with zeros. */
int reader_add_file(struct reader *rdr, const void *bytes, size_t len, u32 *number,
                    struct cause *cause);
/** As CP's SPOOL RDR: CONT makes all files one, HOLD and KEEP put a file that was read to
 *  its end into hold status; a class other than 0 reads files of that class only. */
void reader_set_options(struct reader *rdr, bool cont, bool hold, bool keep, char class_);
/** Told, without a lock, whenever a file was closed or became open by the guest's doing. */
void reader_set_news(struct reader *rdr, void (*news)(void *arg), void *arg);
/** What readers have given to their programs: cards, and pages of spool files. Any thread. */
struct reader_counts {
    _Atomic u64 cards, pages;
};
/** Count there from now on (NULL: nowhere); it outlives the reader. */
void reader_set_counts(struct reader *rdr, struct reader_counts *counts);
/** Without EOF (SPOOL RDR NOEOF) the end of a file is shown as a reader that is empty:
 *  intervention required instead of unit exception. With it at first. */
void reader_set_eof(struct reader *rdr, bool eof);
/** Asked before a file is opened, which others may read, change or remove, too: false = not now.
 *  With the lock of the queue, on any thread; the file is then passed over until reader_again, or
 *  until reader_change has been told something of it. */
typedef bool reader_gate(void *arg, u64 key, u64 version);
void reader_set_gate(struct reader *rdr, reader_gate *gate, void *arg);
/** What was passed over may be tried again. */
void reader_again(struct reader *rdr);
/** By number: what `file` says of class_, keep, held, key, version. Device end of the readers that
 *  passed it over and may read it now. False: no such file. An open one is not held. */
bool reader_change(struct reader *rdr, const struct reader_file *file);
/** Put it first (ORDER); take it out, unless it is being read. False: not there, or not
 *  done. */
bool reader_order(struct reader *rdr, u32 number);
bool reader_remove(struct reader *rdr, u32 number);
/** What becomes of the file being read when it is closed. */
enum reader_close {
    READER_CLOSE_RESET, /* as it was, first in line; gone if it was read to its end */
    READER_CLOSE_AGAIN, /* stays, not in hold status */
    READER_CLOSE_HOLD,  /* stays, in hold status */
    READER_CLOSE_GONE,
    READER_CLOSE_OPTIONS, /* as the reader's HOLD and KEEP and the file's KEEP say */
};
void reader_close(struct reader *rdr, enum reader_close how);
unsigned reader_files(struct reader *rdr);
/** One file; false when `index` is beyond the queue. */
bool reader_file_info(struct reader *rdr, unsigned index, struct reader_file *info);
/** Copy the pages of a file; false: no such file, or no memory. */
bool reader_file_pages(struct reader *rdr, u32 number, struct spool_data *out);

/** Of readers that were restored: pages of a file that a keeper has (key not 0) do not come with
 *  their state. Has this file (0: any) none yet? Give it those that it had, which are taken; false:
 *  it had others. Nothing is read before all have theirs. */
bool reader_awaits(struct reader *rdr, u32 number);
bool reader_fill(struct reader *rdr, u32 number, struct spool_data *data);

/* DIAGNOSE X'14' works on whole pages of the file being read. */
enum reader_page { READER_PAGE_OK, READER_PAGE_END, READER_PAGE_NO_FILE };
/** The next page of the file being read, or of the next one that can be (then it is being
 *  read). The number of the file is in *number. */
enum reader_page reader_next_page(struct reader *rdr, u8 page[SPOOL_PAGE_BYTES], u32 *number);
/** Set what comes next; END: it has fewer pages. */
enum reader_page reader_set_page(struct reader *rdr, u32 page);
/** The number of the next page, 0 when no file is being read. */
u32 reader_page_number(struct reader *rdr);
/** The number of the file being read, or 0. */
u32 reader_current(struct reader *rdr);

/**
 * Where punch and printer put a record: `bytes` as the guest wrote them (EBCDIC), `command` the
 * command code that carried them (carriage control for a printer). ST_OK; ST_LIMIT: there is no
 * room, the guest sees intervention required; else equipment check. It was not taken then. May
 * run on any thread, one at a time for a device.
 */
typedef int unitrec_sink(void *arg, u16 devno, u8 command, const u8 *bytes, size_t len);
/** The command by which the sink of a 3203 or 3211 gets the forms control buffer: a byte for each
 *  line of the form, its last four bits the channel. */
#define UNITREC_LOAD_FORM 0x63
enum printer_type { PRINTER_1403, PRINTER_3203, PRINTER_3211 };
/** By the number of the device type; others are taken for a 1403. */
enum printer_type printer_type_of(u16 number);
/** Create and attach a 2540 punch or a printer; css owns it. `sink` may be NULL. */
int punch_create(struct css *css, u16 devno, bool announce, unitrec_sink *sink, void *arg,
                 struct cause *cause);
int printer_create(struct css *css, u16 devno, enum printer_type type, bool announce,
                   unitrec_sink *sink, void *arg, struct cause *cause);

#endif
