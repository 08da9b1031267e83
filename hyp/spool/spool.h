/* The spool: closed files of readers, printers and punches by owner, and the spooling options of
 * virtual devices. A member keeps the files that are made there in a folder; in a cluster the
 * folders of all members lie side by side, and files are seen, read and changed from all of them
 * (spool_share.c). A reader's files are also in the queue of the virtual readers while their owner
 * is logged on. Loop thread only, but for the sink of a device. */
#ifndef ENDICOTT_HYP_SPOOL_SPOOL_H
#define ENDICOTT_HYP_SPOOL_SPOOL_H

#include "io/unitrec/unitrec.h"
#include "mem/base/codec.h"

#define SPOOL_WORD_BYTES 9 /* 1-8 characters, NUL */
#define SPOOL_NAME_BYTES 25
#define SPOOL_TAG_BYTES 137
#define SPOOL_ID_MAX 9999
#define SPOOL_FILES_PER_USER_MAX 9900
#define SPOOL_SLOTS 8                /* of a cluster: the ids are divided among them */
#define SPOOL_FILES_OF_SLOT_MAX 1200 /* of a user, with ids that one of them gave */
#define SPOOL_FORM "STANDARD"
#define SPOOL_DEST "OFF"
#define SPOOL_DEVICE_DUMP "DMP" /* spool_desc.device of a dump: it stays in readers */
#define SPOOL_TEMPORARY_BYTES 1200

struct spool;

enum spool_queue { SPOOL_RDR, SPOOL_PRT, SPOOL_PUN, SPOOL_QUEUES };
/** "RDR", "PRT", "PUN" */
const char *spool_queue_name(enum spool_queue queue);

/** What is known of a file beside its records. */
struct spool_desc {
    char owner[SPOOL_WORD_BYTES], origin[SPOOL_WORD_BYTES];
    enum spool_queue queue;
    u16 id;         /* of the owner's files in all queues */
    char device[4]; /* that made it: "PUN", "PRT", "CON" */
    char class_;
    char name[SPOOL_NAME_BYTES], type[SPOOL_WORD_BYTES];
    char form[SPOOL_WORD_BYTES], dist[SPOOL_WORD_BYTES], dest[SPOOL_WORD_BYTES];
    char tag[SPOOL_TAG_BYTES];
    u32 copies;
    bool keep, hold;
    bool system_hold; /* HOLD of class D: of printer and punch files */
    u64 created_ns;
    u64 records; /* made out of the records, as the next */
    u16 record_bytes;
    bool open; /* being read */
};

struct spool_file;

/** What becomes of the files that are in the folder: SPOOL_START(name, help). */
#define SPOOL_STARTS(SPOOL_START)                                                              \
    SPOOL_START(WARM, "all are there; damaged ones are told and left alone")                   \
    SPOOL_START(FORCE, "all that can be read are there, damaged ones are purged")              \
    SPOOL_START(COLD, "all files of readers, punches, printers and consoles are purged")       \
    SPOOL_START(CLEAN, "everything in spool space is purged")
enum spool_start {
#define SPOOL_START(name, help) SPOOL_##name,
    SPOOL_STARTS(SPOOL_START)
#undef SPOOL_START
};
/** By name, in any case; false: no such start. */
bool spool_start_find(const char *name, enum spool_start *start);

/** With the files in `folder`, which is made when it is not there. What a device was writing
 *  when the last member ended is closed then, in hold status. NULL folder: files are kept in
 *  memory. `slot`: of the cluster, from 1 on (0: there is none); the ids that are given here leave
 *  that remainder when divided by SPOOL_SLOTS, so that no two members give the same. */
int spool_create(const char *folder, enum spool_start start, unsigned slot, struct spool **out,
                 struct cause *cause);
void spool_destroy(struct spool *spool);
/** A volume of the CP-owned list (by its slot) has so many pages for spool files, or none any more;
 *  drained: no new ones. Without any there is no limit. */
void spool_volume_set(struct spool *spool, unsigned slot, u32 pages, bool drained);
/** When all are set: what lies on none finds its place. */
void spool_volumes_settle(struct spool *spool);
/** Pages in use of a volume; of slot 0: on none. */
u32 spool_volume_used(struct spool *spool, unsigned slot);
/** A new description: class A, one copy, defaults. */
void spool_desc_init(struct spool_desc *desc, const char *owner, enum spool_queue queue);
/** Put a file into its owner's queue, and reader. Takes the content of `data`. With id 0 it
 *  gets one. When this returns ST_OK the file is on disk; ST_LIMIT: the owner has too many. */
int spool_add(struct spool *spool, const struct spool_desc *desc, struct spool_data *data,
              struct spool_file **out, struct cause *cause);
/** A file beside those of the spool, for pages that are written for long and then become one; what
 *  of it is left goes at the next start. */
struct spool_temporary {
    u64 serial;
    char path[SPOOL_TEMPORARY_BYTES];
};
void spool_temporary(struct spool *spool, struct spool_temporary *out);
/** As spool_add, with the pages of a dump that are there, or nothing; the temporary file goes. */
int spool_add_dump(struct spool *spool, const struct spool_desc *desc,
                   const struct spool_temporary *pages, struct spool_file **out,
                   struct cause *cause);
/** Files in the order of their queues; after NULL the first. */
struct spool_file *spool_next(const struct spool *spool, const struct spool_file *after);
const struct spool_desc *spool_desc(const struct spool_file *file);
struct spool_file *spool_find(const struct spool *spool, const char *owner, u16 id);
unsigned spool_count(const struct spool *spool, const char *owner, enum spool_queue queue);
/** An id that none of the owner's files has. */
u16 spool_free_id(struct spool *spool, const char *owner);
/** Class, hold, system hold, keep, form, dist, dest, copies, name, type, tag as in `desc`. */
int spool_change(struct spool *spool, struct spool_file *file, const struct spool_desc *desc,
                 struct cause *cause);
/** To the front of its queue. */
int spool_order(struct spool *spool, struct spool_file *file, struct cause *cause);
/** To another owner or queue, with a new id where its own is taken. ST_BUSY: it is open. */
int spool_transfer(struct spool *spool, struct spool_file *file, const char *owner,
                   enum spool_queue queue, struct cause *cause);
/** Gone. ST_BUSY: it is being read. */
int spool_remove(struct spool *spool, struct spool_file *file, struct cause *cause);
/** The same, without a reason. */
bool spool_purge(struct spool *spool, struct spool_file *file);
/** A device of CP's is putting it out: it is not purged or transferred meanwhile. False: another
 *  member reads or changes it. */
bool spool_open(struct spool *spool, struct spool_file *file);
void spool_close(struct spool *spool, struct spool_file *file);
/** It lies in this member's folder. */
bool spool_is_own(const struct spool_file *file);
/** Told when a file has come into a queue, or was changed. NULL: nobody is. */
void spool_set_news(struct spool *spool, void (*news)(void *ctx), void *ctx);
/** A copy of its records. */
int spool_load(struct spool *spool, const struct spool_file *file, struct spool_data *out,
               struct cause *cause);

/* --- the spool of a cluster (spool_share.c, spool_lock.c) --- */

/** May files in a member's folder be read and changed now? */
enum spool_reach { SPOOL_REACHED, SPOOL_LOST };
struct spool_cluster {
    void *ctx;
    enum spool_reach (*reach)(void *ctx, const char *member);
    /** Files of this user are for its instance on the member where they were made (IDENTITY). */
    bool (*per_member)(void *ctx, const char *userid);
    /** Tell the other members: this file has come, was changed, or is gone. */
    void (*changed)(void *ctx, const char *member, u64 serial);
    /** A user is logged on elsewhere, perhaps, to whom this file has been sent. */
    void (*sent)(void *ctx, const char *member, u64 serial, enum spool_queue from, u16 was);
};
/** From now on with the folders beside ours. `cluster` outlives it; NULL: no other member's files
 *  can be reached any more. Without a folder nothing happens. */
void spool_set_cluster(struct spool *spool, const struct spool_cluster *cluster);
/** What another member finds in our folder, if the folders lie side by side; 0: we have none. */
u64 spool_token(struct spool *spool);
/** Does the member with that token have its folder beside ours? */
bool spool_beside(const struct spool *spool, const char *member, u64 token);
/** What others have done since the last look, as far as they did not tell. */
void spool_look(struct spool *spool);
/** All folders as if for the first time. */
void spool_look_anew(struct spool *spool);
/** Somebody has done something to a file. */
void spool_notice(struct spool *spool, const char *member, u64 serial);
/** Members come or go: files of those that are lost leave the readers. */
void spool_reach_changed(struct spool *spool);
/** The file of a member's folder, NULL: none that is seen. */
struct spool_file *spool_by_serial(const struct spool *spool, const char *member, u64 serial);
/** A file came to its owner from another queue: tell the other members. */
void spool_sent(struct spool *spool, const char *owner, u16 id, enum spool_queue from, u16 was);

/* --- the virtual readers of a user who is logged on: they have one queue --- */
int spool_reader_attach(struct spool *spool, const char *userid, u16 vdev,
                        struct reader *reader, struct cause *cause);
/** One reader goes: what it was reading is closed. With the last one the files of the user
 *  wait for their owner. */
void spool_reader_detach(struct spool *spool, const char *userid, u16 vdev);
/** All of them go; with `moved` their files are gone with them. */
void spool_readers_end(struct spool *spool, const char *userid, bool moved);
/** What waits goes into the queue of the readers, as far as there is room. */
void spool_deliver(struct spool *spool, const char *userid);
/** Take note of what the guest has read. Called by whatever looks at reader files. */
void spool_sync(struct spool *spool, const char *userid);
/** The same, and what another member had under way may be read again. */
void spool_sync_again(struct spool *spool, const char *userid);
/** The reader of that number, or (0) any; NULL: there is none. */
struct reader *spool_reader(const struct spool *spool, const char *userid, u16 vdev);
/** A note kept with that reader while it is attached, 0 at first; NULL: there is none. */
u16 *spool_reader_mark(const struct spool *spool, const char *userid, u16 vdev);
struct spool_file *spool_by_number(const struct spool *spool, const char *userid, u32 number);
/** Descriptions of what is in the readers: they move with them. restore: the readers have their
 *  files already; false = damaged. */
void spool_save(const struct spool *spool, const char *userid, struct codec_out *out);
bool spool_restore(struct spool *spool, const char *userid, struct codec_in *in);

#endif
