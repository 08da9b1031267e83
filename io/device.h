/* What a device is to the channel subsystem: sense id, one function that performs a command,
 * and its state. Devices see commands and data areas, never CCW addresses or subchannels. */
#ifndef ENDICOTT_IO_DEVICE_H
#define ENDICOTT_IO_DEVICE_H

#include "mem/base/bytes.h"
#include "mem/base/codec.h"
#include "mem/base/status.h"

struct css;
struct dev_io;

/** Adapter characteristics that CHSC tells of a device with QDIO (first byte). */
#define QDIO_SIGA_INPUT 0x40  /* SIGA-r is needed when input buffers are given */
#define QDIO_SIGA_OUTPUT 0x20 /* SIGA-w is needed when output buffers are given */
#define QDIO_AUTO_SYNC_AI 0x08
#define QDIO_AUTO_SYNC_PCI 0x04

/** Where an adapter tells of changes: absolute addresses, 0 for none, and the subclass of the
 *  adapter interruption. */
struct qdio_indicators {
    u64 summary;
    u64 subchannel;
    u8 summary_key, subchannel_key; /* 0xK0 */
    u8 isc;
};

/** Queued direct I/O: what a device with queues does beside channel programs. */
struct dev_qdio {
    u8 format; /* of its queues: 0 OSA, 1 FCP, 2 HiperSockets */
    u8 characteristics;
    u8 inputs, outputs; /* queues, at most */
    /** SIGNAL ADAPTER: function code, queue masks of general registers 2 and 3. Returns the
     *  condition code. On a processor thread: it copies, and waits for nobody. */
    int (*signal)(void *dev, u8 function, u32 mask, u32 mask2);
    /** Set channel-subsystem indicators (CHSC). */
    void (*indicate)(void *dev, const struct qdio_indicators *to);
};

/** Unit (device) status bits. */
#define DS_ATTENTION 0x80
#define DS_STATUS_MODIFIER 0x40
#define DS_CONTROL_UNIT_END 0x20
#define DS_BUSY 0x10
#define DS_CHANNEL_END 0x08
#define DS_DEVICE_END 0x04
#define DS_UNIT_CHECK 0x02
#define DS_UNIT_EXCEPTION 0x01
#define DS_NORMAL (DS_CHANNEL_END | DS_DEVICE_END)

/** `start` returns this when it must wait for the host (input): see css_device_ready. */
#define DEV_WAIT (-1)
/** And `attempt` this, when it would have to wait for the host's disk. */
#define DEV_ELSEWHERE (-2)

/** Sense byte 0. */
#define SENSE_COMMAND_REJECT 0x80
#define SENSE_INTERVENTION 0x40
#define SENSE_BUS_OUT 0x20
#define SENSE_EQUIPMENT_CHECK 0x10
#define SENSE_DATA_CHECK 0x08
#define SENSE_OVERRUN 0x04

/** The channel path of each class of devices, of guests' and of members'. */
enum {
    CHPID_CON3215 = 0x10,
    CHPID_UNIT_RECORD = 0x11, /* and displays */
    CHPID_TAPE = 0x14,
    CHPID_CTCA = 0x18,
    CHPID_DASD = 0x20,
    CHPID_OSA = 0x30,
    CHPID_IQD = 0x38, /* HiperSockets */
};

#define SENSE_BYTES_MAX 32
#define SENSE_ID_BYTES_MAX 32

/**
 * A device type. `dev` is the pointer given to css_attach. The channel subsystem calls these
 * without its lock, one `start` at a time per device, on the thread that ports->run chose.
 */
struct dev_ops {
    const char *name;  /* "3215": also the type that restore insists on */
    u8 chpid;          /* the first channel path that this class of device sits on */
    u8 paths;          /* how many, with CHPIDs in sequence; 0 is 1 */
    u8 chp_type;       /* of the channel paths; 0: an emulated one */
    bool takes_nop;    /* no-operation goes to `start`, too */
    bool status_first; /* its control unit answers a start function with status that the device
                        * has: deferred condition code 1. Others keep it till the program ends */
    u8 sense_id[SENSE_ID_BYTES_MAX];
    u8 sense_id_bytes; /* 7 for most */

    /**
     * Perform one command (everything but sense, sense id and no-operation, which the channel
     * subsystem answers itself; `basic_sense` devices get them all). Move data with dev_io_put
     * and dev_io_get; return the unit status (DS_*), with dev_io_sense called before a unit
     * check; or DEV_WAIT having stored no data and changed nothing: after css_device_ready the
     * command is started again from its beginning, and what it had taken from the program
     * (dev_io_get) can be taken again. DS_BUSY alone to the first command: others have the
     * device; the start function is pending again, until css_device_ready. DS_BUSY with other
     * status to the first command: the start function ends with it, as deferred condition code
     * 1.
     */
    int (*start)(void *dev, struct dev_io *io);
    /**
     * The same on the thread of a processor, which may not wait for the host: neither for its disk
     * nor for a lock that somebody has who does. DEV_ELSEWHERE having stored no data and changed
     * nothing: `start` is called for the command on another thread. A program of which nothing but
     * this was called is begun and ended without waiting, too. NULL: it never can.
     */
    int (*attempt)(void *dev, struct dev_io *io);
    /** Of a device that may have to wait even at the begin or the end: false. NULL: none has. */
    bool (*attempts)(const void *dev);
    /** Halt, clear or reset ended whatever `start` was doing. May be NULL. */
    void (*cancel)(void *dev);
    /** A halt or clear function was carried out, also one that found nothing under way; behind
     *  `cancel`. May be NULL. */
    void (*halted)(void *dev);
    /** A channel program begins (first command of a start function). May be NULL. */
    void (*begin)(void *dev);
    /** It ended, `us` is the unit status it would present; returns what it presents instead, with
     *  dev_io_sense called for a unit check. Disks have written by then. May be NULL. */
    int (*end)(void *dev, struct dev_io *io, int us);
    /** Queued direct I/O, of devices that have it; else NULL. */
    const struct dev_qdio *qdio;
    /** Nothing may touch guest storage any more, but for `start` (true: css_quiesce), or may
     *  again (false: css_resume). May be NULL. */
    void (*hold)(void *dev, bool on);
    /** What a sense command tells when no sense data is held. NULL: zeros. */
    void (*idle_sense)(void *dev, u8 sense[SENSE_BYTES_MAX]);
    /** System reset. May be NULL. */
    void (*reset)(void *dev);
    /** Before state is saved: what the program under way wrote is in the files of the host. When
     *  that fails the state is not saved, and the program ends with a unit check. May be NULL. */
    int (*settle)(void *dev, struct cause *cause);
    /** State rows (never called while `start` runs). May be NULL for stateless devices. */
    void (*save)(void *dev, struct codec_out *out);
    int (*restore)(void *dev, struct codec_in *in, struct cause *cause);
    /** The channel subsystem forgets the device; destroys it if the class owns itself. */
    void (*detach)(void *dev);
};

/** The command code of the current CCW and its flags (CCW_* of io/css.h). */
u8 dev_io_command(const struct dev_io *io);
u8 dev_io_flags(const struct dev_io *io);
/** The count of the current CCW, before any data moved. */
u32 dev_io_count(const struct dev_io *io);
/** True when the program chained to this command from another one of the same start. */
bool dev_io_chained(const struct dev_io *io);
/** The path of the start function, as a bit of a path mask (0x80: the first). */
u8 dev_io_path(const struct dev_io *io);
/** The command code of the command before this one in the chain (0 at the start). */
u8 dev_io_previous(const struct dev_io *io);
/**
 * Offer `len` bytes to the program (read, sense). Returns how many the data area took; less
 * than `len` means the area is full or a channel check ended it: stop, and return channel end.
 * READ BACKWARD (command code bits 4-7 1100) stores from high addresses to low ones: the last of
 * the bytes goes first, and what the next call offers comes before them in storage.
 */
size_t dev_io_put(struct dev_io *io, const void *p, size_t len);
/** Take up to `len` bytes from the program (write, control); as dev_io_put. */
size_t dev_io_get(struct dev_io *io, void *p, size_t len);
/** Sense data for the unit check about to be returned. */
void dev_io_sense(struct dev_io *io, const u8 *sense, size_t len);
/** Shorthand: sense byte 0 = `byte0`, returns DS_NORMAL | DS_UNIT_CHECK. */
int dev_io_unit_check(struct dev_io *io, u8 byte0);

#endif
