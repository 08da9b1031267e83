/* The records of a spool file, in pages of 4096 bytes as DIAGNOSE X'14' hands them to a
 * guest. A page has a count of records at 12 and records from 16 on, each 12 bytes (the CCW
 * that wrote it, its own length) and data without trailing blanks; a command without data is
 * a CCW alone. A dump has pages without records, of which the first does not begin with zeros, as
 * all those with records do. No locks. */
#ifndef ENDICOTT_IO_UNITREC_SPOOL_DATA_H
#define ENDICOTT_IO_UNITREC_SPOOL_DATA_H

#include "mem/base/bytes.h"

#define SPOOL_PAGE_BYTES 4096
#define SPOOL_RECORD_BYTES_MAX 204
#define SPOOL_PAGE_RECORD_LENGTH 4064 /* where DIAGNOSE X'14' tells the longest record */
#define SPOOL_PAGE_ID 4088            /* and the spool id */
#define CARD_BYTES 80
#define SPOOL_DATA_BYTES_MAX (640u << 20)

struct spool_data {
    u8 *page; /* owned */
    u32 pages, room;
    u32 at; /* in the last page: where the next record goes */
    u32 records;
    u16 record_bytes; /* of the longest, at least a card's */
    bool dump;        /* its pages are no records: `records` of a page each */
};

/** Where one reads; all zeros: at the first record. */
struct spool_place {
    u32 record, page, index, at;
};

struct spool_record {
    u8 command;
    bool immediate;  /* no data */
    const u8 *bytes; /* in the page */
    size_t len;
};

void spool_data_init(struct spool_data *data);
void spool_data_fini(struct spool_data *data);
/** Append what `command` carried, SPOOL_RECORD_BYTES_MAX at most; false: no memory or room
 *  for it. */
bool spool_data_add(struct spool_data *data, u8 command, const u8 *bytes, size_t len);
/** Take the last record back: as it was in `before`, a copy of `data` from before it. */
void spool_data_take_back(struct spool_data *data, const struct spool_data *before);
/** `len` bytes as cards, the last filled up with zeros. */
bool spool_data_add_cards(struct spool_data *data, const void *bytes, size_t len);
/** Pages of somebody else's, which are checked; copies. The last one may end behind its last
 *  record. Leaves `data` empty and false if damaged. */
bool spool_data_load(struct spool_data *data, const void *pages, size_t len);
/** The record at `place`, which moves on; false: there is none, as in a dump. */
bool spool_data_next(const struct spool_data *data, struct spool_place *place,
                     struct spool_record *out);
/** Go to a record by number, from 0 on. */
void spool_data_seek(const struct spool_data *data, struct spool_place *place, u32 record);
/** Bytes up to the last record's end: as many are kept in files and sent to other members. */
size_t spool_data_bytes(const struct spool_data *data);

#endif
