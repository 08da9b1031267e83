/* The inside of the SCLP: SCCB and event-buffer layouts, response codes, the pending events.
 * For io/ and its unit tests only. */
#ifndef ENDICOTT_IO_SCLP_INTERNAL_H
#define ENDICOTT_IO_SCLP_INTERNAL_H

#include "io/ebcdic.h"
#include "io/io_state.h"
#include "io/sclp.h"
#include "mem/base/lock.h"

#define SCCB_BYTES_MAX 4096u
#define SCCB_HEADER 8u /* length, function code, control mask(3), response code */
#define SCCB_RESPONSE 6u
#define SCCB_VARIABLE_RESPONSE 0x80 /* bit 0 of the control mask's last byte */

#define RC_BOUNDARY 0x0100
#define RC_NORMAL_READ 0x0010
#define RC_NORMAL 0x0020
#define RC_ALREADY 0x0120 /* it is in the state that is asked for */
#define RC_INVALID_COMMAND 0x01f0
#define RC_SHORT_SCCB 0x0300
#define RC_INVALID_FUNCTION 0x40f0
#define RC_NO_EVENTS 0x60f0
#define RC_INVALID_SELECTION 0x70f0
#define RC_INCONSISTENT_LENGTHS 0x72f0
#define RC_EVENT_SYNTAX 0x73f0
#define RC_MASK_LENGTH 0x74f0
#define RC_EVENT_TOO_LONG 0x75f0

#define EVENT_HEADER 6u /* length, type, flags, reserved(2) */
#define EVENT_ACCEPTED 0x80
#define EVT_OPERATOR_COMMAND 0x01
#define EVT_MESSAGE 0x02
#define EVT_CONFIGURATION 0x04
#define EVT_STATE_CHANGE 0x08
#define EVT_PRIORITY_MESSAGE 0x09
#define EVT_VT220 0x1a
#define EVT_SIGNAL_QUIESCE 0x1d
/** The bit of an event type in a 64-bit mask. */
#define EVENT_BIT(type) (1ull << (64 - (type)))

#define SCLP_EVENTS_QUEUED_MAX 1024u
#define SCLP_EVENT_BYTES_MAX 1024u
#define SCLP_MASK_BYTES_MAX 1021u

struct sclp_event {
    struct sclp_event *next;
    u16 len;
    u8 bytes[];
};

/** Located by its virtual machine; sclp_create, sclp_destroy; `lock` (not for text output). */
struct sclp {
    struct storage *storage;
    const struct io_ports *ports;
    void *ctx;
    struct sclp_config config;
    struct lock lock;
    struct sclp_state s;
    struct sclp_event *first, *last;
    u32 events;
    bool busy; /* a command is being performed: */
    u32 command;
};

/** A command works on a copy of its SCCB, without the lock; returns the response code. */
typedef u16 sclp_command(struct sclp *sclp, u8 *sccb, u32 len);
sclp_command sclp_read_scp_info, sclp_read_cpu_info;
sclp_command sclp_configure_cpu, sclp_deconfigure_cpu;
sclp_command sclp_configure_chp, sclp_deconfigure_chp, sclp_read_chp_info;
sclp_command sclp_read_element, sclp_attach_element, sclp_assign, sclp_unassign;
sclp_command sclp_write_event_data, sclp_read_event_data, sclp_write_event_mask;

/** CPUs that are there, and those in standby. */
unsigned sclp_cpus(const struct sclp *sclp, u64 *standby);
u64 sclp_cpus_undefined(const struct sclp *sclp);

/** Event types that we take and that we may send. Lock held. */
u64 sclp_takes_locked(const struct sclp *sclp);
u64 sclp_sends_locked(const struct sclp *sclp);
/** True when an event waits that the control program wants. */
bool sclp_event_waits_locked(const struct sclp *sclp);
/** Queue a copy of an event buffer and signal it. ST_REFUSED, ST_LIMIT, ST_NOMEM. */
int sclp_event_add_locked(struct sclp *sclp, const u8 *event, u32 len);
void sclp_events_drop_locked(struct sclp *sclp);
/** Make a service signal pending (0 parm bits are merged). */
void sclp_pend_locked(struct sclp *sclp, u32 parm);

#endif
