/* What one CPU, or the host, asks of another: request bits, mail, pending external conditions.
 * All are set by any thread and looked at by the CPU's own thread between stretches (run.c). */
#ifndef ENDICOTT_CPU_REQUEST_H
#define ENDICOTT_CPU_REQUEST_H

#include "mem/base/bytes.h"

/* Requests from other threads (cpu->requests). */
#define REQ_EXIT 0x01u
#define REQ_FLUSH_STORES 0x02u
#define REQ_FLUSH_TLB 0x04u  /* broadcast purge by another CPU */
#define REQ_FLUSH_CODE 0x08u /* somebody stored into frames we hold decoded */
#define REQ_STOP 0x10u       /* SIGP stop and friends: enter the stopped state */
#define REQ_STOP_STATUS 0x20u
#define REQ_START 0x40u
#define REQ_RESTART 0x80u
#define REQ_RESET 0x100u         /* CPU reset */
#define REQ_INITIAL_RESET 0x200u /* initial CPU reset */
#define REQ_MAIL 0x800u          /* something stands in cpu->mail */
#define REQ_FLUSHES (REQ_FLUSH_TLB | REQ_FLUSH_STORES | REQ_FLUSH_CODE | REQ_MAIL)
#define REQ_RECHECK 0x400u /* an interruption may have become pending */

/* Local pending external interruptions and malfunction (cpu->pending). */
#define PEND_EMERGENCY 0x01u /* sources in emergency_from */
#define PEND_EXTERNAL_CALL 0x02u
#define PEND_INTERRUPT_KEY 0x04u
#define PEND_EXTERNAL_OTHER 0x08u /* ext_other_*[0] */
#define PEND_MACHINE_CHECK 0x10u  /* mck_conditions */
#define PEND_MALFUNCTION 0x20u    /* sources in malfunction_from */
#define PEND_OTHERS_SHIFT 7       /* ext_other_*[n], n > 0: bit n shifted left by this */
#define EXT_OTHERS 6

/* What other CPUs ask of this one's derived state, finer than the flush requests. */
#define MAIL_ENTRIES_MAX 16 /* more at a time: everything of that kind is flushed */
enum cpu_mail_kind {
    MAIL_PURGE_PAGE,  /* addr: logical page, all spaces (IPTE) */
    MAIL_GUARD_FRAME, /* addr: absolute frame that now holds code: no fast stores into it */
    MAIL_CODE_STORED, /* addr, len: absolute bytes that were stored into */
};
struct cpu_mail {
    enum cpu_mail_kind kind;
    u64 addr, len;
};

#endif
