/* Storage operands of any length a page at a time, and addresses and lengths kept in general
 * registers by the rules of the addressing mode. For the string and decimal chapters. */
#ifndef ENDICOTT_CPU_OPERAND_H
#define ENDICOTT_CPU_OPERAND_H

#include "cpu/insn/insn.h"

/** What one execution of an interruptible or CPU-determined instruction does at most. */
#define UNIT_BYTES (16 * (u64)FRAME_BYTES)

static inline u64 min_u64(u64 a, u64 b)
{
    return a < b ? a : b;
}

/** Bytes from ea to the end of its page. */
static inline u64 page_room(u64 ea)
{
    return FRAME_BYTES - (ea & (FRAME_BYTES - 1));
}

/** Host address of [ea, ea+len), inside one page, for fetching. */
static inline int stretch_fetch(struct cpu *c, u64 ea, unsigned b, u64 len, const u8 **p)
{
    *p = tlb_fetch(c->space[b], ea, (unsigned)len);
    return likely(*p != NULL) ? 0 : access_host_fetch(c, ea, b, (unsigned)len, p);
}

/** Host address for storing; NULL when the store must go through access_put. */
static inline int stretch_store(struct cpu *c, u64 ea, unsigned b, u64 len, u8 **p)
{
    *p = tlb_store(c->space[b], ea, (unsigned)len);
    return likely(*p != NULL) ? 0 : access_host_store(c, ea, b, (unsigned)len, p);
}

/** See that [ea, ea+len), at most a page long, may be fetched or stored. */
static inline int operand_probe(struct cpu *c, u64 ea, unsigned b, u64 len, enum tlb_kind kind)
{
    const struct tlb_space *sp = c->space[b];
    unsigned here = (unsigned)min_u64(len, page_room(ea)), rest = (unsigned)len - here;
    u64 next = (ea + here) & c->amask;
    if (kind == TLB_FETCH && tlb_fetch(sp, ea, here) && (!rest || tlb_fetch(sp, next, rest)))
        return 0;
    if (kind == TLB_STORE && tlb_store(sp, ea, here) && (!rest || tlb_store(sp, next, rest)))
        return 0;
    return access_probe(c, ea, b, len, kind);
}

/** Move left to right, byte by byte: a source that overlaps to the left propagates. */
static inline void move_forward(u8 *dst, const u8 *src, size_t len)
{
    size_t dist = (uintptr_t)dst - (uintptr_t)src;
    if (likely(dist >= len || dist == 0)) {
        memmove(dst, src, len);
        return;
    }
    if (dist == 1) {
        memset(dst, *src, len);
        return;
    }
    for (size_t done; len > 0; dst += done, len -= done, dist += done) {
        done = dist < len ? dist : len;
        memcpy(dst, src, done);
    }
}

/** Index of the first byte that differs; n when none does. */
static inline u64 mismatch(const u8 *a, const u8 *b, u64 n)
{
    u64 i = 0;
    for (; i + 8 <= n; i += 8) {
        u64 x = be64_load(a + i) ^ be64_load(b + i);
        if (x != 0)
            return i + (unsigned)__builtin_clzll(x) / 8;
    }
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

static inline bool amode64(const struct cpu *c)
{
    return c->amask >> 32 != 0;
}

/** Address in a general register. */
static inline u64 reg_addr(const struct cpu *c, unsigned r)
{
    return c->gr[r] & c->amask;
}

/** Update it: bits 0-31 stay as they are outside the 64-bit mode. */
static inline void reg_addr_set(struct cpu *c, unsigned r, u64 v)
{
    if (amode64(c))
        c->gr[r] = v;
    else
        gr32_set(c, r, (u32)(v & c->amask));
}

/** Address as a result (TRT, EDMK): in the 24-bit mode bits 0-39 stay as they are. */
static inline void result_addr_set(struct cpu *c, unsigned r, u64 v)
{
    if (c->amask == 0xffffff)
        c->gr[r] = (c->gr[r] & ~0xffffffull) | v;
    else
        reg_addr_set(c, r, v);
}

/** Length in a general register: 64 bits in the 64-bit mode, else bits 32-63. */
static inline u64 reg_len(const struct cpu *c, unsigned r)
{
    return amode64(c) ? c->gr[r] : gr32(c, r);
}

static inline void reg_len_set(struct cpu *c, unsigned r, u64 v)
{
    if (amode64(c))
        c->gr[r] = v;
    else
        gr32_set(c, r, (u32)v);
}

#endif
