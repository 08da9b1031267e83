/* DIAGNOSE codes about storage: X'10' gives pages back to the host, X'60' and X'260' tell how much
 * there is, X'258' establishes the token of page-fault interruptions.
 * Guarantees: a released page reads as zeros from then on, keeps its key, and a relocation under
 * way sends it again. X'258' keeps a token; page faults are told of by pfault.c.
 * Source: z/VM CP Programming Services as Linux uses it (arch/s390/mm/cmm.c, pfault.c, boot/
 * mem_detect.c); the checks of X'258' also Linux's arch/s390/kvm/diag.c, which cites that manual.
 * What registers X'260' subcode C fills is from memory. */
#include "hyp/diag/diag.h"

#define RELEASE_FIRST_MIN (2ull * FRAME_BYTES) /* the prefix area cannot be released */

/* ---- X'10' ---- */

/* Real pages `first` to `last`: runs that are in a row in absolute storage, too. */
static void release(struct vcpu *v, u64 first, u64 last)
{
    u64 at = 0, len = 0;
    for (u64 real = first; real <= last; real += FRAME_BYTES) {
        u64 abs = cpu_real_to_abs(v->cpu, real);
        if (len && abs != at + len) {
            storage_release(v->vm->st, at, len);
            len = 0;
        }
        at = len ? at : abs;
        len += FRAME_BYTES;
    }
    storage_release(v->vm->st, at, len);
}

bool diag_10(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 first = cpu_gr(v->cpu)[k->r1], last = cpu_gr(v->cpu)[k->r3];
    if (first % FRAME_BYTES || last % FRAME_BYTES || first > last || first < RELEASE_FIRST_MIN)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    if (!storage_holds(v->vm->st, first, last - first + FRAME_BYTES))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    release(v, first, last);
    return diag_cc(v, 0);
}

/* ---- X'60', X'260' ---- */

bool diag_60(struct vcpu *v, const struct cpu_icpt *k)
{
    cpu_gr(v->cpu)[k->r1] = v->vm->config.storage_bytes;
    return diag_cc(v, 0);
}

#define HIGHEST_ADDRESSES 0x0c
#define STORAGE_EXTENTS 0x10
#define EXTENT_BYTES 16 /* first and last address */

/* Rx: where, Rx+1: so many bytes; Ry gets the number of extents. One: what is in standby is not
 * configured, whichever part of it the guest has brought in. */
static bool extents(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 extent[EXTENT_BYTES];
    const u64 *gr = cpu_gr(v->cpu);
    if (k->r1 & 1 || gr[k->r1] % 16 || gr[k->r1 + 1] % EXTENT_BYTES || !gr[k->r1 + 1])
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    be64_store(extent, 0);
    be64_store(extent + 8, v->vm->config.storage_bytes - 1);
    if (!diag_store(v, gr[k->r1], extent, sizeof extent))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    cpu_gr(v->cpu)[k->r3] = 1;
    return diag_cc(v, 0);
}

bool diag_260(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 *gr = cpu_gr(v->cpu);
    if ((u32)gr[k->r3] == STORAGE_EXTENTS)
        return extents(v, k);
    if ((u32)gr[k->r3] != HIGHEST_ADDRESSES)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    gr[k->r1] = gr[k->r3] = v->vm->config.storage_bytes - 1;
    return diag_cc(v, 0);
}

/* ---- X'258' ---- */

#define REFERENCE_BYTES 40
#define REFERENCE_WORDS_MIN 5
#define REFERENCE_VERSION 2
#define TOKEN_SET 0
#define TOKEN_CANCEL 1
#define ZARCH_MARK 0x8000000000000000ull
enum { RC_DONE = 0, RC_NONE_THERE = 4, RC_THERE_ALREADY = 8 };

static bool token_set(struct vcpu *v, unsigned ry, const struct pfault *wanted, u64 mark)
{
    if (v->pfault.set) {
        cpu_gr(v->cpu)[ry] = RC_THERE_ALREADY;
        return diag_cc(v, 0);
    }
    if ((wanted->compare & wanted->select) != wanted->compare || wanted->token_at % 8 ||
        mark != ZARCH_MARK)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    if (!storage_holds(v->vm->st, cpu_real_to_abs(v->cpu, wanted->token_at), 8))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    pfault_set(v, &(struct pfault){true, wanted->token_at, wanted->select, wanted->compare});
    cpu_gr(v->cpu)[ry] = RC_DONE;
    return diag_cc(v, 0);
}

static bool token_cancel(struct vcpu *v, unsigned ry, const struct pfault *wanted, u64 mark)
{
    if (wanted->token_at || wanted->select || wanted->compare || mark)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    cpu_gr(v->cpu)[ry] = v->pfault.set ? RC_DONE : RC_NONE_THERE;
    pfault_set(v, &(struct pfault){0});
    return diag_cc(v, 0);
}

bool diag_258(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 block[REFERENCE_BYTES];
    u64 at = cpu_gr(v->cpu)[k->r1];
    if (at % 8)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    int pgm_code = cpu_read_logical(v->cpu, at, k->r1, block, sizeof block);
    if (pgm_code)
        return diag_pgm(v, (unsigned)pgm_code);
    u16 function = be16_load(block + 2);
    struct pfault wanted = {.token_at = be64_load(block + 8),
                            .select = be64_load(block + 16),
                            .compare = be64_load(block + 24)};
    if (be16_load(block) != 0x258 || be16_load(block + 4) < REFERENCE_WORDS_MIN ||
        be16_load(block + 6) != REFERENCE_VERSION || function > TOKEN_CANCEL)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    return (function == TOKEN_SET ? token_set : token_cancel)(v, k->r3, &wanted,
                                                              be64_load(block + 32));
}
