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
    u8 home;                /* whose folder: of spool->home */
    bool hidden;            /* it is for another member's instance of its owner */
    u64 version;            /* of the description on disk; 0: without a folder */
    u32 opened;             /* spool_opened, at the last look */
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

/* A folder of the cluster's spool. [0] is our own; once there, one stays. */
#define SPOOL_HOMES_MAX 32
struct spool_home {
    char member[SPOOL_WORD_BYTES];
    char *folder;
    u64 looked; /* what its state was at the last look; 0: look again */
};

/* Located by spool->holds; guarded by spool->lock. Whoever has a file open holds a lock on it. */
struct spool_hold;

struct spool {
    char *folder;  /* NULL: in memory */
    int folder_fd; /* holds its lock */
    unsigned slot; /* 0: no cluster */
    struct spool_home home[SPOOL_HOMES_MAX];
    unsigned homes;                      /* 0: in memory */
    const struct spool_cluster *cluster; /* NULL: none, or not any more */
    bool shared;                         /* there is or was one */
    u64 token;                           /* 0: none yet */
    struct lock lock;
    struct spool_hold *holds;
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
int spool_disk_store(const struct spool *spool, struct spool_file *file,
                     const struct spool_data *data, struct cause *cause);
/** The description again; `version` is that of the new one. */
int spool_disk_describe(const struct spool *spool, struct spool_file *file,
                        struct cause *cause);
/** HOME/SERIAL.kind */
const char *spool_disk_path(const struct spool *spool, unsigned home, u64 serial,
                            const char *kind, struct spool_path *out);
/** Of the description that is there now; 0: none. Any thread. */
u64 spool_disk_version(const struct spool *spool, unsigned home, u64 serial);
/** The description that is there; NULL with ST_NOENT: none is, or another cause. */
struct spool_file *spool_disk_meta(const struct spool *spool, unsigned home, u64 serial,
                                   struct cause *cause);
/** Pages of its records. */
u32 spool_disk_pages(const struct spool *spool, const struct spool_file *file);
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
int spool_disk_name(const struct spool *spool, struct spool_file *file, const char *written,
                    struct cause *cause);
/** The name of a file that is being written: SERIAL.open.DEVICE.USERID. */
const char *spool_disk_written(const struct spool_writer *w, struct spool_path *out);
/** The same of one in another folder. */
const char *spool_disk_written_at(const struct spool_writer *w, unsigned home, u64 serial,
                                  struct spool_path *out);
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

/** What was written is on the host's disk. */
int spool_writer_flush(struct spool_writer *w, struct cause *cause);
/** Go on with a file that another member has written, of which nothing is known here; it is in our
 *  own folder then. ST_NOENT: it is not there; ST_PROTO; nothing is lost. */
int spool_writer_take(struct spool_writer *w, unsigned home, u64 serial, struct cause *cause);
/** The same without folders: its pages. False: damaged. */
bool spool_writer_load(struct spool_writer *w, const void *pages, size_t len);

/* --- spool.c: a file that is made in two steps --- */
/** With an id and the last place in the order; nobody finds it yet. */
int spool_file_new(struct spool *spool, const struct spool_desc *desc, struct spool_file **out,
                   struct cause *cause);
/** It has been stored (ST_OK), and is there; or it was not (`rc`), and is gone. Returns rc. */
int spool_file_stored(struct spool *spool, struct spool_file *file, int rc,
                      struct spool_file **out);

/** In their place by their order. */
void spool_insert(struct spool *spool, struct spool_file *file);
void spool_take_out(struct spool *spool, struct spool_file *file);
/** Not in the list (any more): nothing of it is left in memory. */
void spool_file_free(struct spool *spool, struct spool_file *file);
bool spool_is_of(const struct spool_file *file, const char *owner);
/** Into the queue of its owner's readers, if they are here. */
void spool_file_deliver(struct spool *spool, struct spool_file *file);
/** What its owner's readers know of it is what the description says. */
void spool_file_shown(struct spool *spool, const struct spool_file *file);
/** The last place among all files. */
s64 spool_last_order(const struct spool *spool);
/** Somebody may want a file that has come or was changed. */
void spool_tell(const struct spool *spool);

/* --- spool_lock.c: who reads or changes a file of the cluster's spool has a lock on SERIAL.data.
 * Without a cluster these have nothing to do. --- */
struct spool_change {
    int fd; /* with the lock; -1: it is not needed */
};
/** Changing: nobody else reads or changes it until spool_change_end. ST_BUSY, ST_REFUSED its
 *  member cannot be reached. */
int spool_change_begin(struct spool *spool, const struct spool_file *file,
                       struct spool_change *change, struct cause *cause);
void spool_change_end(const struct spool_change *change);
/** Open: nobody else does, until spool_release. False: somebody is at it, or it is another version.
 *  Any thread. */
bool spool_claim(struct spool *spool, unsigned home, u64 serial, u64 version);
/** The same while another member still has it open, who hands it over. */
bool spool_claim_beside(struct spool *spool, const struct spool_file *file);
/** How often it has been claimed; 0: it is not. */
u32 spool_opened(struct spool *spool, const struct spool_file *file);
/** Not open any more, if it was not claimed since it had been `opened` so often (0: however). */
void spool_release(struct spool *spool, const struct spool_file *file, u32 opened);
void spool_release_all(struct spool *spool);
/** Of another process's start: is somebody at the file of our own folder? */
bool spool_in_use(const struct spool *spool, u64 serial);
/** A reader_gate. */
bool spool_reader_opens(void *arg, u64 key, u64 version);
u64 spool_key(const struct spool *spool, const struct spool_file *file);

/* --- spool_share.c --- */
/** ST_OK, or ST_REFUSED with the member whose file it is. */
int spool_reached(const struct spool *spool, const struct spool_file *file,
                  struct cause *cause);
/** Which folder; SPOOL_HOMES_MAX: not known. */
unsigned spool_home_of(const struct spool *spool, const char *member);
/** The file as it is on disk now: it comes, is changed, or goes. */
void spool_refresh(struct spool *spool, unsigned home, u64 serial);
struct spool_file *spool_at(const struct spool *spool, unsigned home, u64 serial);
/** Told to the others. */
void spool_changed(const struct spool *spool, unsigned home, u64 serial);

/* --- spool_rows.c: a description as rows --- */
void spool_rows_put(struct codec_out *out, const struct spool_file *file);
/** Printing characters that fit; false: something else. */
bool spool_text_get(const struct codec_row *row, char *out, size_t room);
/** False: a row is damaged. */
bool spool_rows_get(struct codec_in *in, struct spool_file *file);

#endif
