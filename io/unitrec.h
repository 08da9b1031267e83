/* Unit record: virtual card reader (2540), punch (2540) and printer (1403).
 * The reader's spool files are lists of 80-byte cards; output goes to a callback. */
#ifndef ENDICOTT_IO_UNITREC_H
#define ENDICOTT_IO_UNITREC_H

#include "io/css.h"

struct reader;

#define CARD_BYTES 80
#define READER_FILES_MAX 9900
#define READER_NAME_BYTES 25 /* "filename filetype" fields of up to 24 characters and NUL */

/** Create and attach; css owns it. */
struct reader *reader_create(struct css *css, u16 devno, bool announce, struct cause *cause);
/**
 * Append a spool file: `len` bytes cut into 80-byte cards, the last padded with zeros; `name`
 * and `type` are its labels. Copies the bytes. Device end (ready) when the reader was empty.
 * `number` gets the file's number. Any thread.
 */
int reader_add_file(struct reader *rdr, const char *name, const char *type, const void *bytes,
                    size_t len, u32 *number, struct cause *cause);
/** As CP's SPOOL RDR: CONT makes all files one (no end of file between them). */
void reader_set_continuous(struct reader *rdr, bool cont);
/** As CP's SPOOL RDR HOLD: files read to their end stay in the queue, in hold status. */
void reader_set_hold(struct reader *rdr, bool hold);
/** As CP's CHANGE RDR ALL: KEEP (1) or NOKEEP (0), HOLD (1) or NOHOLD (0); -1 leaves it. A file
 *  in hold status is not read; one with KEEP goes into hold status at its end, not away. */
void reader_change_all(struct reader *rdr, int keep, int hold);
/** Files in the queue, held ones included; as CP's CLOSE RDR: the file being read is closed. */
unsigned reader_files(struct reader *rdr);
void reader_close(struct reader *rdr);
/** One file for CP's QUERY RDR; false when `index` is beyond the queue. */
struct reader_file_info {
    u32 number, records;
    bool keep, held, reading;
    char name[READER_NAME_BYTES], type[READER_NAME_BYTES];
};
bool reader_file_info(struct reader *rdr, unsigned index, struct reader_file_info *info);
/** Purge every file that is not being read. */
void reader_purge(struct reader *rdr);

/**
 * Where punch and printer put a record: `bytes` as the guest wrote them (EBCDIC), `cc` the
 * command code that carried them (carriage control for a printer). May run on any thread.
 */
typedef void unitrec_sink(void *arg, u16 devno, u8 cc, const u8 *bytes, size_t len);
/** Create and attach a 2540 punch or a 1403 printer; css owns it. `sink` may be NULL. */
int punch_create(struct css *css, u16 devno, bool announce, unitrec_sink *sink, void *arg,
                 struct cause *cause);
int printer_create(struct css *css, u16 devno, bool announce, unitrec_sink *sink, void *arg,
                   struct cause *cause);

#endif
