/* The service-call logical processor: configuration, consoles, commands, quiesce signal.
 * One per virtual machine; any thread may call; its own mutex inside. */
#ifndef ENDICOTT_IO_SCLP_H
#define ENDICOTT_IO_SCLP_H

#include "io/ports.h"
#include "mem/base/codec.h"
#include "mem/base/status.h"
#include "mem/storage.h"

struct css;
struct sclp;

#define SCLP_CPUS_MAX 64

/** What the guest is told about its machine. Copied. */
struct sclp_config {
    u64 storage_bytes;
    u64 standby_bytes;          /* behind storage_bytes, in element 1 */
    unsigned cpus;              /* configured, addresses 0 .. cpus-1 */
    unsigned cpus_max;          /* those that may ever be defined: 0 .. cpus_max-1 */
    u8 cpu_feature[15];         /* bytes 1-15 of each CPU entry (all zero is a plain CPU) */
    bool esop;                  /* enhanced suppression on protection: the TEID tells all */
    char loadparm[9];           /* up to 8 characters, "" for blanks */
    bool line_mode;             /* offer the operator message events */
    bool vt220;                 /* offer the ASCII console */
    bool code_page_500;         /* line mode in code page 500 (LPAR) instead of 037 (z/VM) */
    u16 ibc_lowest, ibc_newest; /* instruction blocking control: 0 = not told */
    struct css *css;            /* whose channel paths it configures; NULL: no such commands */
};

/** `ports`, `ctx`, `storage` outlive it. NULL without host memory. */
struct sclp *sclp_create(struct storage *storage, const struct io_ports *ports, void *ctx,
                         const struct sclp_config *config);
void sclp_destroy(struct sclp *sclp);
void sclp_reset(struct sclp *sclp);

/** See esop of the configuration; no service call is under way. */
void sclp_set_esop(struct sclp *sclp, bool esop);

/**
 * What the guest may be offered changed (consoles come and go): told by a state-change event.
 */
void sclp_set_consoles(struct sclp *sclp, bool line_mode, bool vt220);

/**
 * SERVICE CALL: command word and absolute address of the SCCB. cc 0 (a service signal follows),
 * cc 2 busy, cc 3 never; or minus a program-interruption code (addressing, specification). The
 * caller has refused SCCBs in the prefix area. Console text is written before this returns.
 */
int sclp_service_call(struct sclp *sclp, u32 command, u64 sccb_abs);
/** Take the pending service signal: true with its parameter. */
bool sclp_take_signal(struct sclp *sclp, u32 *parm);
bool sclp_signal_pending(struct sclp *sclp);

/**
 * Host input in UTF-8: one line for the line-mode console (an operator command), raw bytes for
 * the VT220. ST_REFUSED when the guest does not listen, ST_LIMIT when its queue is full.
 */
#define SCLP_LINE_CHARS_MAX 251u /* of the line-mode console; what is behind them is cut off */
#define SCLP_INPUT_BYTES_MAX 4096u /* at once */
int sclp_console_input(struct sclp *sclp, const char *utf8, size_t len, bool vt220);
/** Is there room for a line of at most SCLP_INPUT_BYTES_MAX? Some places stay for other events. */
bool sclp_room(struct sclp *sclp);
/** Ask the guest to shut down; ST_REFUSED when it has not registered for the event. */
int sclp_signal_quiesce(struct sclp *sclp);
/** Has it registered? */
bool sclp_listens_quiesce(struct sclp *sclp);

/** Another size, after a reset. */
void sclp_set_size(struct sclp *sclp, u64 storage_bytes, u64 standby_bytes, unsigned cpus);
/** The load parameter of the last IPL, up to 8 characters. */
void sclp_set_loadparm(struct sclp *sclp, const char *loadparm);
/** Tell the guest that CPUs have come or gone (if it listens). */
void sclp_cpus_changed(struct sclp *sclp);

void sclp_save(struct sclp *sclp, u16 tag, struct codec_out *out);
int sclp_restore(struct sclp *sclp, struct codec_in *in, struct cause *cause);

#endif
