/* Inside the spool: a file, who owns it, where it is. */
#ifndef ENDICOTT_HYP_SPOOL_SPOOL_INTERNAL_H
#define ENDICOTT_HYP_SPOOL_SPOOL_INTERNAL_H

#include "hyp/spool/spool.h"
#include "hyp/spool/spool_device.h"

/* Located by: spool->first, in the order of the queues. */
struct spool_file {
    struct spool_file *next;
    struct spool_desc desc;
    u64 serial;             /* names it in the folder */
    s64 order;              /* its place among all files */
    u32 number;             /* in its owner's reader; 0: not there */
    bool seen;              /* there, at the last look */
    struct spool_data data; /* without a folder: the records */
};

struct spool_reader_row {
    struct spool_reader_row *next;
    char userid[SPOOL_WORD_BYTES];
    struct reader *reader;
    bool ready; /* its owner is here: files go into it */
};

struct spool {
    char *folder; /* NULL: in memory */
    struct spool_file *first;
    struct spool_reader_row *readers;
    struct spool_device *devices;
    u64 last_serial;
    u16 last_id;
};

/* --- spool_disk.c: two files for each, SERIAL.data with the records, SERIAL.meta behind it
 * --- */
/** Both are on disk when this returns ST_OK, or nothing is. */
int spool_disk_store(const struct spool *spool, const struct spool_file *file,
                     const struct spool_data *data, struct cause *cause);
/** The description again. */
int spool_disk_describe(const struct spool *spool, const struct spool_file *file,
                        struct cause *cause);
void spool_disk_remove(const struct spool *spool, const struct spool_file *file);
int spool_disk_load(const struct spool *spool, const struct spool_file *file,
                    struct spool_data *out, struct cause *cause);
/** Read the folder: `found` gets each file, which it owns. */
int spool_disk_open(struct spool *spool, void (*found)(struct spool *, struct spool_file *),
                    struct cause *cause);

/* --- spool_rows.c: a description as rows --- */
void spool_rows_put(struct codec_out *out, const struct spool_file *file);
/** Printing characters that fit; false: something else. */
bool spool_text_get(const struct codec_row *row, char *out, size_t room);
/** False: a row is damaged. */
bool spool_rows_get(struct codec_in *in, struct spool_file *file);

#endif
