/* Storage operands for instruction bodies: fast path inline, everything else in access.c.
 * `ea` is an effective address already masked to the addressing mode; `b` is the base register
 * number as decoded (16 for base 0), which selects the space in access-register mode.
 * All return 0 or a program-interruption code; a failed access has changed nothing. */
#ifndef ENDICOTT_CPU_ACCESS_H
#define ENDICOTT_CPU_ACCESS_H

#include "cpu/cpu_internal.h"

/** Return from the body when an access fails. */
#define TRY(expr)                                                                              \
    do {                                                                                       \
        int try_rc_ = (expr);                                                                  \
        if (unlikely(try_rc_ != 0))                                                            \
            return try_rc_;                                                                    \
    } while (0)

/* Slow paths; results of loads in c->scratch. len 1, 2, 4, 8; may cross a page. */
int access_load_slow(struct cpu *c, u64 ea, unsigned b, unsigned len);
int access_store_slow(struct cpu *c, u64 ea, unsigned b, unsigned len, u64 v);
/** Fetch or store len bytes (any length up to 4096 at a time; wraps by the addressing mode).
 *  Stores touch nothing unless all of it is accessible. */
int access_fetch(struct cpu *c, u64 ea, unsigned b, void *dst, u64 len);
int access_put(struct cpu *c, u64 ea, unsigned b, const void *src, u64 len);
/** Check that [ea, ea+len) may be fetched or stored (at most 4096 bytes plus one page cross). */
int access_probe(struct cpu *c, u64 ea, unsigned b, u64 len, enum tlb_kind kind);
/** Same with an explicit space (cpu_space_of), for MVCOS, MVCP, MVCS, MVCK. */
int access_fetch_space(struct cpu *c, struct tlb_space *sp, u64 ea, void *dst, u64 len);
int access_put_space(struct cpu *c, struct tlb_space *sp, u64 ea, const void *src, u64 len);
/** Fetch len bytes of instruction text from the instruction space (targets of EXECUTE). */
int access_fetch_insn(struct cpu *c, u64 ea, void *dst, u64 len);
int access_probe_space(struct cpu *c, struct tlb_space *sp, u64 ea, u64 len,
                       enum tlb_kind kind);
/** Host pointer to an operand inside one page, after all checks; NULL in *p when a store must go
 *  through access_put (the frame holds decoded instructions, or is otherwise special). */
int access_host_fetch(struct cpu *c, u64 ea, unsigned b, unsigned len, const u8 **p);
int access_host_store(struct cpu *c, u64 ea, unsigned b, unsigned len, u8 **p);
/**
 * Host pointer for an interlocked update of len (1, 2, 4, 8, 16) bytes, aligned by the caller's
 * specification check; valid for host atomics. Code frames: call access_interlocked_done after.
 */
int access_interlocked(struct cpu *c, u64 ea, unsigned b, unsigned len, u8 **p);
void access_interlocked_done(struct cpu *c, u8 *p, unsigned len);

static inline int load_u8(struct cpu *c, u64 ea, unsigned b, u8 *out)
{
    const u8 *p = tlb_fetch(c->space[b], ea, 1);
    if (likely(p != NULL)) {
        *out = *p;
        return 0;
    }
    int rc = access_load_slow(c, ea, b, 1);
    *out = (u8)c->scratch;
    return rc;
}

static inline int load_u16(struct cpu *c, u64 ea, unsigned b, u16 *out)
{
    const u8 *p = tlb_fetch(c->space[b], ea, 2);
    if (likely(p != NULL)) {
        *out = be16_load(p);
        return 0;
    }
    int rc = access_load_slow(c, ea, b, 2);
    *out = (u16)c->scratch;
    return rc;
}

static inline int load_u32(struct cpu *c, u64 ea, unsigned b, u32 *out)
{
    const u8 *p = tlb_fetch(c->space[b], ea, 4);
    if (likely(p != NULL)) {
        *out = be32_load(p);
        return 0;
    }
    int rc = access_load_slow(c, ea, b, 4);
    *out = (u32)c->scratch;
    return rc;
}

static inline int load_u64(struct cpu *c, u64 ea, unsigned b, u64 *out)
{
    const u8 *p = tlb_fetch(c->space[b], ea, 8);
    if (likely(p != NULL)) {
        *out = be64_load(p);
        return 0;
    }
    int rc = access_load_slow(c, ea, b, 8);
    *out = c->scratch;
    return rc;
}

static inline int store_u8(struct cpu *c, u64 ea, unsigned b, u8 v)
{
    u8 *p = tlb_store(c->space[b], ea, 1);
    if (likely(p != NULL)) {
        *p = v;
        return 0;
    }
    return access_store_slow(c, ea, b, 1, v);
}

static inline int store_u16(struct cpu *c, u64 ea, unsigned b, u16 v)
{
    u8 *p = tlb_store(c->space[b], ea, 2);
    if (likely(p != NULL)) {
        be16_store(p, v);
        return 0;
    }
    return access_store_slow(c, ea, b, 2, v);
}

static inline int store_u32(struct cpu *c, u64 ea, unsigned b, u32 v)
{
    u8 *p = tlb_store(c->space[b], ea, 4);
    if (likely(p != NULL)) {
        be32_store(p, v);
        return 0;
    }
    return access_store_slow(c, ea, b, 4, v);
}

static inline int store_u64(struct cpu *c, u64 ea, unsigned b, u64 v)
{
    u8 *p = tlb_store(c->space[b], ea, 8);
    if (likely(p != NULL)) {
        be64_store(p, v);
        return 0;
    }
    return access_store_slow(c, ea, b, 8, v);
}

#endif
