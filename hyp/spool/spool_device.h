/* A virtual spooled device: its options (SPOOL, CLOSE, TAG) and, of a punch, printer or
 * console, the file that is being written. The sink runs on the device's thread; all else is
 * for the loop thread. Options move when the machine is relocated, and so does an open file:
 * [O1] it is in the folder of one member, which writes it; the new one takes it into its own
 * folder, by its name, when the machine is its own. The old one has stopped writing by then. */
#ifndef ENDICOTT_HYP_SPOOL_SPOOL_DEVICE_H
#define ENDICOTT_HYP_SPOOL_SPOOL_DEVICE_H

#include "hyp/spool/spool.h"

struct spool_device;

enum spool_kind { SPOOL_DEV_RDR, SPOOL_DEV_PUN, SPOOL_DEV_PRT, SPOOL_DEV_CONS };

struct spool_options {
    char class_; /* '*': any (readers) */
    bool cont, hold, keep, msg, eof;
    bool started; /* of a console */
    u32 copies;
    char form[SPOOL_WORD_BYTES], dist[SPOOL_WORD_BYTES], dest[SPOOL_WORD_BYTES];
    char to[SPOOL_WORD_BYTES]; /* whose queue; "" = one's own */
    enum spool_queue to_queue;
    char name[SPOOL_NAME_BYTES], type[SPOOL_WORD_BYTES];
    char tag[SPOOL_TAG_BYTES];
};

/** What the devices of a user have done since it logged on here; consoles' lines are in the pages
 *  only. */
struct spool_counts {
    u64 cards_read, lines, cards_punched;
    u64 pages_read, pages_written; /* of spool files */
};

/** Owned by the spool. NULL: no memory. */
struct spool_device *spool_device_create(struct spool *spool, const char *userid,
                                         enum spool_kind kind, u16 vdev, char class_);
/** The devices of a user (NULL: of all) are gone. Files that are open are closed, or
 *  `drop`ped. */
void spool_devices_end(struct spool *spool, const char *userid, bool drop);
/** One of them is detached: its file is closed. Nothing for a console, which stays a session's. */
void spool_device_remove(struct spool *spool, const char *userid, u16 vdev);
/** The user's device number vdev, or after `after` (NULL: the first) the next of a kind. */
struct spool_device *spool_device_find(struct spool *spool, const char *userid, u16 vdev);
struct spool_device *spool_device_next(struct spool *spool, const char *userid,
                                       const struct spool_device *after);
enum spool_kind spool_device_kind(const struct spool_device *dev);
u16 spool_device_vdev(const struct spool_device *dev);
/** To be changed in place; then spool_device_changed. */
struct spool_options *spool_device_options(struct spool_device *dev);
void spool_device_changed(struct spool_device *dev);
/** Has it an open file with records? *id gets its id. */
bool spool_device_open(struct spool_device *dev, u16 *id);
/** Where its reader is to count (reader_set_counts). */
struct reader_counts *spool_device_read(struct spool_device *dev);
void spool_device_counts(struct spool *spool, const char *userid, struct spool_counts *out);
bool spool_device_has_id(const struct spool *spool, const char *userid, u16 id);
/** Throw away what has been written. */
void spool_device_purge(struct spool_device *dev);
/** The file that is open becomes a spool file as the options say, with `how` in their place
 *  when it is not NULL. *out is NULL when nothing was written. Fails with nothing changed:
 *  it stays open. */
int spool_device_close(struct spool_device *dev, const struct spool_options *how,
                       struct spool_file **out, u16 *was, struct cause *cause);
/** A unitrec_sink; `arg` is the device. Any thread. */
int spool_device_sink(void *arg, u16 devno, u8 command, const u8 *bytes, size_t len);

/** Do open files go along? Not where members have folders that others do not see. */
bool spool_opens_move(const struct spool *spool);
/** The user's machine stands still and its state is taken next: open files are neither closed nor
 *  purged until it stays here (false), and stay in the folder when it is gone. */
void spool_devices_moving(struct spool *spool, const char *userid, bool moving);
/** Options of all devices of a user, and what is open, which is on the host's disk then. ST_IO. */
int spool_devices_save(struct spool *spool, const char *userid, struct codec_out *out,
                       struct cause *cause);
bool spool_devices_restore(struct spool *spool, const char *userid, struct codec_in *in);
/** The machine is this member's: its open files are, too, before anything is added. */
void spool_devices_arrived(struct spool *spool, const char *userid);

#endif
