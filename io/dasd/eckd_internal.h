/* The inside of the ECKD device: its state, the track it is on, sense data.
 * [E1] A track in the cache is dirty only while a channel program runs: `end`, `cancel` and
 * `settle` write it. [E3] Channel programs of a base and its aliases that run at the same time
 * touch no track that one of them may write (eckd_claim.c). [E2] The position (orient, record)
 * is of s.track, and record is below its count; what others can write, or was not to be read
 * when state was restored, is looked at by eckd_track. */
#ifndef ENDICOTT_IO_DASD_ECKD_INTERNAL_H
#define ENDICOTT_IO_DASD_ECKD_INTERNAL_H

#include <stdatomic.h>

#include "io/dasd/dasd.h"
#include "io/dasd/reserve.h"
#include "io/dasd/trouble.h"
#include "io/image/track.h"
#include "io/io_state.h"
#include "mem/base/lock.h"

#define ECKD_TRACKS_CACHED 16u
#define ECKD_WRITES_NOTED 64u
#define ECKD_SENSE_BYTES 32u
#define ECKD_UNITS 256u /* unit addresses of a logical control unit */

enum eckd_unit_type { ECKD_UNIT_BASE = 1, ECKD_UNIT_ALIAS = 2, ECKD_UNIT_HYPER = 3 };

/** Commands; those with 0x80 in a pair are multi-track. */
enum eckd_command {
    ECKD_READ_IPL = 0x02,
    ECKD_WRITE = 0x05,
    ECKD_READ = 0x06,
    ECKD_SEEK = 0x07,
    ECKD_READ_SPECIAL_HA = 0x0a,
    ECKD_SEEK_CYLINDER = 0x0b,
    ECKD_WRITE_KD = 0x0d,
    ECKD_READ_KD = 0x0e,
    ECKD_ERASE = 0x11,
    ECKD_READ_COUNT = 0x12,
    ECKD_RECALIBRATE = 0x13,
    ECKD_UNCONDITIONAL_RESERVE = RESERVE_UNCONDITIONAL,
    ECKD_WRITE_R0 = 0x15,
    ECKD_READ_R0 = 0x16,
    ECKD_RESTORE = 0x17,
    ECKD_READ_HA = 0x1a,
    ECKD_SEEK_HEAD = 0x1b,
    ECKD_WRITE_CKD = 0x1d,
    ECKD_READ_CKD = 0x1e,
    ECKD_SET_FILE_MASK = 0x1f,
    ECKD_READ_SECTOR = 0x22,
    ECKD_SET_SECTOR = 0x23,
    ECKD_PSF = 0x27,
    ECKD_SEARCH_KEY_EQUAL = 0x29,
    ECKD_SEARCH_ID_EQUAL = 0x31,
    ECKD_SENSE_PATH_GROUP = 0x34,
    ECKD_SEARCH_HA_EQUAL = 0x39,
    ECKD_READ_SUBSYSTEM_DATA = 0x3e,
    ECKD_LOCATE = 0x47,
    ECKD_SEARCH_KEY_HIGH = 0x49,
    ECKD_LOCATE_EXTENDED = 0x4b,
    ECKD_SEARCH_ID_HIGH = 0x51,
    ECKD_SENSE_SUBSYSTEM = 0x54,
    ECKD_READ_MULTIPLE = 0x5e,
    ECKD_DEFINE_EXTENT = 0x63,
    ECKD_READ_CHARACTERISTICS = 0x64,
    ECKD_SEARCH_KEY_EQUAL_HIGH = 0x69,
    ECKD_SEARCH_ID_EQUAL_HIGH = 0x71,
    ECKD_RELEASE = RESERVE_RELEASE,
    ECKD_WRITE_FULL_TRACK = 0x95,
    ECKD_READ_BUFFERED_LOG = 0xa4,
    ECKD_WRITE_TRACK_DATA = 0xa5,
    ECKD_READ_TRACK_DATA = 0xa6,
    ECKD_SET_PATH_GROUP = 0xaf,
    ECKD_RESERVE = RESERVE_RESERVE,
    ECKD_READ_TRACK = 0xde,
    ECKD_PREFIX = 0xe7,
    ECKD_READ_CONFIGURATION = 0xfa,
};
#define ECKD_MULTI_TRACK 0x80

/** What the last command left under the head. */
enum eckd_orient {
    ORIENT_INDEX, /* before the home address */
    ORIENT_HA,
    ORIENT_COUNT, /* behind the count field of s.record; its key or data comes */
    ORIENT_KEY,
    ORIENT_DATA, /* behind the data of s.record */
    ORIENT_LAST = ORIENT_DATA,
};

/** Operations of locate record. */
enum eckd_operation {
    LOCATE_ORIENT = 0x00,
    LOCATE_WRITE_DATA = 0x01,
    LOCATE_FORMAT_WRITE = 0x03,
    LOCATE_READ_DATA = 0x06,
    LOCATE_WRITE_TRACK = 0x0b,
    LOCATE_READ_TRACKS = 0x0c,
    LOCATE_READ = 0x16,
    LOCATE_EXTENDED = 0x3f,
};
#define LOCATE_EXT_FULL_TRACK 0x11
#define LOCATE_EXT_TRACK_DATA 0x23
#define LOCATE_AUX_LENGTH 0x80 /* its transfer-length factor is valid */

/** File mask, byte 0 of define extent. */
#define MASK_WRITE 0xc0
#define MASK_WRITE_NO_R0 0x00
#define MASK_WRITE_NONE 0x40
#define MASK_WRITE_UPDATE 0x80
#define MASK_SEEK 0x18
#define MASK_SEEK_NONE 0x18

/** Messages of format 0 in sense byte 7. */
enum eckd_message {
    MESSAGE_NONE = 0,
    MESSAGE_COMMAND = 1,
    MESSAGE_SEQUENCE = 2,
    MESSAGE_COUNT = 3,
    MESSAGE_PARAMETER = 4,
};
#define SENSE1_PERMANENT 0x80
#define SENSE1_TRACK_FORMAT 0x40
#define SENSE1_END_OF_CYLINDER 0x20
#define SENSE1_NO_RECORD 0x08
#define SENSE1_FILE_PROTECTED 0x04
#define SENSE1_WRITE_INHIBITED 0x02

struct cached_track {
    u32 track;
    bool valid;
    bool whole;               /* else [C1] of eckd_cache.c: */
    u32 here;                 /* a bit for each record whose data is here */
    bool dirty_all;           /* it is to be written, */
    u32 dirty_from, dirty_to; /* or these bytes of it */
    u64 used;                 /* when it was used last, in uses of the cache */
    struct track_layout layout;
    u8 bytes[IMAGE_TRACK_BYTES_MAX];
};

/** What a channel program may touch: in the list of its volume, from eckd_claim to the program's
 *  end; the volume's lock. */
struct eckd_claim {
    struct eckd_claim *next;
    struct eckd *of;
    u32 first, last; /* tracks */
    bool write;
    bool granted;
};

/** Located by a base and the aliases that work for it; refs; `lock` for what is below it. */
struct eckd_volume {
    atomic_uint refs;
    struct image *img; /* NULL: nobody's, of an alias without a base */
    u32 tracks, heads;
    u64 identity; /* no other volume of the control unit ever has it */
    _Atomic u8
        *plain; /* a bit for each track that Linux formatted, as far as was seen; may be NULL */
    struct lock lock;
    struct eckd_claim *claims; /* in the order in which they came */
    u64 writes;                /* of tracks by all devices; the last ones: */
    struct {
        u32 track;
        const struct eckd *by;
    } written[ECKD_WRITES_NOTED];
};

struct eckd_lcu;

/** Located by css (devno); created by eckd_create, destroyed by detach; the thread that executes
 *  its channel program, but `claim`. */
struct eckd {
    struct css *css;
    struct eckd_lcu *lcu;
    struct eckd_volume *v; /* of an alias, while a channel program runs: the base's */
    struct cached_track *cache[ECKD_TRACKS_CACHED]; /* made when needed */
    struct cached_track *last;                      /* of them, looked at; NULL: none yet */
    u64 uses;
    u64 cached;  /* the identity of the volume whose tracks they are */
    u64 seen;    /* how many of the volume's writes the cache knows of */
    u64 changes; /* of the image by others, when the cache was last looked at */
    struct eckd_claim claim;
    bool claiming; /* it is in the list */
    struct trouble trouble;
    enum eckd_unit_type type;
    bool joined;  /* the control unit has it */
    bool attempt; /* eckd_attempt: nothing may wait for the host */
    bool lost;    /* a write of the program under way failed when state was to be saved */
    struct reserve reserve;
    u16 devno;
    struct eckd_state s;
    u8 sense[ECKD_SENSE_BYTES]; /* built here, then given to the channel subsystem */
};

/* eckd_lcu.c */
struct eckd_volume *eckd_volume_create(struct image *img);
void eckd_volume_unref(struct eckd_volume *v);
/** Add the device to its control unit, which other devices (of `ops`) may have; `base` is the unit
 *  address of its volume. ST_CONFIG: an alias of no base. */
int eckd_lcu_join(struct eckd *d, const struct dev_ops *ops, u8 base, struct cause *cause);
/** And take it away; its volume is not referred to any more. */
void eckd_lcu_leave(struct eckd *d);
u8 eckd_lcu_base(struct eckd *d);
/** Type and base of each unit address. */
void eckd_lcu_units(struct eckd *d, u8 out[2 * ECKD_UNITS]);
/** Let an alias work for a base, which there may not be; or for none. */
bool eckd_bind(struct eckd *d, u8 base);
void eckd_unbind(struct eckd *d);
/** The lock of a volume, and the rest of it that begins empty. */
void eckd_volume_init(struct eckd_volume *v);
/** A prefix names the base: is it this device, or its base, or can it be? */
bool eckd_prefix_base(struct eckd *d, u8 lss, u8 base, bool hyper);

/** What holds for one channel program only. The heads stay where they are. */
void eckd_program_forget(struct eckd_state *s);
/** Unit checks: each returns the unit status. */
int eckd_reject(struct eckd *d, struct dev_io *io, enum eckd_message message);
int eckd_check(struct eckd *d, struct dev_io *io, u8 sense0, u8 sense1);

/* eckd_claim.c */
/** From here to its end the channel program touches its extent, or without one any track. False:
 *  another program that is under way does; the device becomes ready when that one is over. */
bool eckd_claim(struct eckd *d);
/** The channel program is over, and others may go on. The css lock is not held. */
void eckd_unclaim(struct eckd *d);
/** The claim of a program that was under way when state was saved is made again, or taken back;
 *  nobody is told. */
void eckd_claim_restore(struct eckd *d, bool granted);
/** A track of the image was written by the device. */
void eckd_wrote(struct eckd *d, u32 track);

/* eckd_reserve.c */
/** This guest has it reserved; or another one. */
bool eckd_reserved(const struct eckd *d, bool *elsewhere);
int eckd_reserve(struct eckd *d, struct dev_io *io);
/** Another system took the reservation away: the program that comes next gets a unit check for it,
 *  whose status is in *us. */
bool eckd_reserve_lost(struct eckd *d, struct dev_io *io, int *us);
/** From when the device is attached until its volume goes. */
void eckd_reserve_watch(struct eckd *d, bool on);
/** For reset, save, restore. */
void eckd_reserve_reset(struct eckd *d);
void eckd_reserve_save(struct eckd *d);
void eckd_reserve_restore(struct eckd *d);

/* eckd_cache.c */
/** The track under the head; NULL after a unit check, whose status is in *us. */
struct cached_track *eckd_track(struct eckd *d, struct dev_io *io, int *us);
/** Its count fields and layout at least; or the data of s.record, too. */
struct cached_track *eckd_counts(struct eckd *d, struct dev_io *io, int *us);
struct cached_track *eckd_record(struct eckd *d, struct dev_io *io, int *us);
/** The data of s.record and of those behind it, as many as have `bytes` bytes. */
struct cached_track *eckd_records(struct eckd *d, struct dev_io *io, u32 bytes, int *us);
/** Records of a whole track have changed; or key and data of s.record, which are bytes `from` to
 *  `to` of the track. */
void eckd_changed(struct eckd *d, struct cached_track *t);
void eckd_changed_data(struct eckd *d, struct cached_track *t, u32 from, u32 to);
/** Write what is dirty; a track that cannot be written is forgotten, and so is as it was. */
int eckd_flush(struct eckd *d, struct cause *cause);
void eckd_forget(struct eckd *d);
/** Another machine had the volume meanwhile. */
void eckd_forget_plain(struct eckd_volume *v);
void eckd_forget_track(struct eckd *d, u32 track);
void eckd_cache_free(struct eckd *d);

/* eckd_move.c: each returns 0, or the status of a unit check. */
int eckd_seek_to(struct eckd *d, struct dev_io *io, u32 track);
/** To the count field of the next record, behind the index if need be, with `multi` of the next
 *  track. */
int eckd_next_record(struct eckd *d, struct dev_io *io, bool multi, bool skip_r0);
int eckd_next_track(struct eckd *d, struct dev_io *io);
int eckd_seek(struct eckd *d, struct dev_io *io);
int eckd_search(struct eckd *d, struct dev_io *io);
int eckd_set_file_mask(struct eckd *d, struct dev_io *io);

/* eckd_extent.c */
int eckd_define_extent(struct eckd *d, struct dev_io *io);
int eckd_locate(struct eckd *d, struct dev_io *io);
int eckd_prefix(struct eckd *d, struct dev_io *io);
/** May this read or write be in the domain of the locate record? 0, or a unit check. */
enum eckd_kind { ECKD_KIND_READ, ECKD_KIND_UPDATE, ECKD_KIND_FORMAT };
int eckd_in_domain(struct eckd *d, struct dev_io *io, enum eckd_kind kind);

/* eckd_read.c, eckd_write.c, eckd_ident.c */
int eckd_read(struct eckd *d, struct dev_io *io);
int eckd_write(struct eckd *d, struct dev_io *io);
int eckd_identify(struct eckd *d, struct dev_io *io);
/** The commands that eckd_identify knows. */
bool eckd_identifies(u8 command);

#endif
