/* Inside hyp: the handlers of DIAGNOSE codes (diag.def), and how they end. On the processor thread
 * of the CPU that issued the code; true: it is finished, false: the CPU is blocked and goes on when
 * the loop thread, or a thread for device work, unblocks it. */
#ifndef ENDICOTT_HYP_DIAG_DIAG_H
#define ENDICOTT_HYP_DIAG_DIAG_H

#include "hyp/vm_internal.h"

#define PGM_OPERATION_CODE 0x01
#define PGM_PRIVILEGED_CODE 0x02
#define PGM_ADDRESSING_CODE 0x05
#define PGM_SPECIFICATION_CODE 0x06

typedef bool diag_handler(struct vcpu *v, const struct cpu_icpt *k);

#define D(code, where, classes, handler, title, here)                                          \
    bool handler(struct vcpu *v, const struct cpu_icpt *k);
#include "hyp/diag.def"
#undef D

static inline bool diag_pgm(struct vcpu *v, unsigned pgm_code)
{
    cpu_finish_pgm(v->cpu, pgm_code);
    return true;
}

static inline bool diag_cc(struct vcpu *v, unsigned cc)
{
    cpu_finish_cc(v->cpu, cc);
    return true;
}

/** The right half of a general register; the left one stays. */
static inline void diag_gr32(struct vcpu *v, unsigned r, u32 value)
{
    u64 *gr = &cpu_gr(v->cpu)[r];
    *gr = (*gr & ~0xffffffffull) | value;
}

/** The question is answered on the loop thread; the CPU is blocked until then. */
typedef void diag_answer(struct vcpu *v, const struct cpu_icpt *k);
bool diag_on_loop(struct vcpu *v, const struct cpu_icpt *k, diag_answer *answer);
/** The same behind work on a thread for device work, with a copy of `data`. */
#define DIAG_WORK_BYTES 256
typedef void diag_work(struct vcpu *v, void *data);
typedef void diag_work_answer(struct vcpu *v, const struct cpu_icpt *k, void *data);
bool diag_on_worker(struct vcpu *v, const struct cpu_icpt *k, diag_work *work,
                    diag_work_answer *answer, const void *data, size_t len);
/** Absolute storage at a real address, page by page as prefixing has it; false: outside, or in a
 *  segment that the guest may not store into. */
bool diag_fetch(struct vcpu *v, u64 real, void *out, size_t len);
bool diag_store(struct vcpu *v, u64 real, const void *in, size_t len);
/** Date and time of the guest's clock for X'0C' and X'270'. */
struct tm;
void diag_clock(struct vcpu *v, struct tm *out);
/** The first 32 bytes of both. */
#define DIAG_TIMER_BYTES 32
void diag_timer(struct vcpu *v, u8 out[DIAG_TIMER_BYTES]);

#endif
