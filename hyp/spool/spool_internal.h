/* Inside the spool: a file, who owns it, where it is. */
#ifndef ENDICOTT_HYP_SPOOL_SPOOL_INTERNAL_H
#define ENDICOTT_HYP_SPOOL_SPOOL_INTERNAL_H

#include "hyp/spool/spool.h"
#include "hyp/spool/spool_device.h"
#include "hyp/spool/spool_space.h"

/* Located by: spool->first, in the order of the queues. */
struct spool_file {
    struct spool_file *next;
    struct spool_desc desc;
    u64 serial;             /* names it in the folder */
    s64 order;              /* its place among all files */
    u32 number;             /* in its owner's readers; 0: not there */
    bool seen;              /* there, at the last look */
    struct spool_data data; /* without a folder: the records */
    struct spool_pages space;
};

/* Readers of one user have one queue (reader_create_beside). */
struct spool_reader_row {
    struct spool_reader_row *next;
    char userid[SPOOL_WORD_BYTES];
    u16 vdev;
    struct reader *reader;
    bool ready; /* its owner is here: files go into it */
    u16 mark;
};

#define SPOOL_PATH_BYTES 4096
struct spool_path {
    char text[SPOOL_PATH_BYTES];
};

/* A file that a device is writing. Guarded by the device's lock. */
struct spool_writer {
    struct spool *spool;
    const char *device, *userid; /* who writes: in the file's name until it is closed */
    int fd;                      /* -1: nothing was written, or there is no folder */
    u64 serial;
    u32 pages;              /* in the file, before those in `data` */
    struct spool_data data; /* with a folder the last page, `records` of all pages */
    u32 charged;            /* pages in `space` */
    struct spool_pages space;
};

struct spool {
    char *folder;  /* NULL: in memory */
    int folder_fd; /* holds its lock */
    struct spool_file *first;
    struct spool_reader_row *readers;
    struct spool_device *devices;
    _Atomic u64 last_serial;
    u16 last_id;
    struct spool_space space;
    void (*news)(void *ctx);
    void *news_ctx;
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
/** The pages of a file. */
int spool_disk_read(const char *path, struct spool_data *out, struct cause *cause);
int spool_disk_load(const struct spool *spool, const struct spool_file *file,
                    struct spool_data *out, struct cause *cause);
/** Read the folder: `found` gets each file, which it owns; then what was being written is
 *  closed. */
int spool_disk_open(struct spool *spool, enum spool_start start,
                    void (*found)(struct spool *, struct spool_file *), struct cause *cause);

/** The file that it writes becomes the records of `file`, which gets its description, or
 *  nothing changes. `written`: its name until now. */
int spool_disk_name(const struct spool *spool, const struct spool_file *file,
                    const char *written, struct cause *cause);
/** The name of a file that is being written: SERIAL.open.DEVICE.USERID. */
const char *spool_disk_written(const struct spool_writer *w, struct spool_path *out);
/** A serial number that no file has had. Any thread. */
u64 spool_new_serial(struct spool *spool);

/* --- spool_writer.c: see struct spool_writer --- */
/** `device` ("PUN", "PRT", "CON") and `userid` outlive it. */
void spool_writer_init(struct spool_writer *w, struct spool *spool, const char *device,
                       const char *userid);
/** Throw away what was written. */
void spool_writer_drop(struct spool_writer *w);
/** The same, but its file is closed by the next start. */
void spool_writer_leave(struct spool_writer *w);
/** One more record; ST_LIMIT: no room, ST_IO. It was not taken then, and may come again. */
int spool_writer_add(struct spool_writer *w, u8 command, const u8 *bytes, size_t len,
                     struct cause *cause);
/** Has it records? */
bool spool_writer_open(const struct spool_writer *w);
/** What was written becomes `file`, whose description is ready but for what is counted here,
 *  and the writer is empty. Fails with nothing changed. */
int spool_writer_keep(struct spool_writer *w, struct spool_file *file, struct cause *cause);

/* --- spool.c: a file that is made in two steps --- */
/** With an id and the last place in the order; nobody finds it yet. */
int spool_file_new(struct spool *spool, const struct spool_desc *desc, struct spool_file **out,
                   struct cause *cause);
/** It has been stored (ST_OK), and is there; or it was not (`rc`), and is gone. Returns rc. */
int spool_file_stored(struct spool *spool, struct spool_file *file, int rc,
                      struct spool_file **out);

/* --- spool_rows.c: a description as rows --- */
void spool_rows_put(struct codec_out *out, const struct spool_file *file);
/** Printing characters that fit; false: something else. */
bool spool_text_get(const struct codec_row *row, char *out, size_t room);
/** False: a row is damaged. */
bool spool_rows_get(struct codec_in *in, struct spool_file *file);

#endif
