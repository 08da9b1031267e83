/* Tracing: branch, mode-switch, ASN and explicit entries (PoP chapter 4, "Tracing").
 * An entry is built in a buffer first; entry_store checks its place, stores it and updates CR12,
 * or changes nothing. */
#include "cpu/event/trace.h"

#include "mem/dat.h"

#define CR12_ENTRY 0x3ffffffffffffffcull
#define ENTRY_BYTES_MAX (16 + 8 * 16)
#define A31 0x80000000u
#define ADDR31 0x7fffffffull

struct entry {
    u8 byte[ENTRY_BYTES_MAX];
    unsigned len;
};

static void put16(struct entry *e, u16 v)
{
    be16_store(e->byte + e->len, v);
    e->len += 2;
}

static void put32(struct entry *e, u32 v)
{
    be32_store(e->byte + e->len, v);
    e->len += 4;
}

static void put64(struct entry *e, u64 v)
{
    be64_store(e->byte + e->len, v);
    e->len += 8;
}

/* The first two bytes. */
static void begin(struct entry *e, u8 kind, u8 format)
{
    e->byte[0] = kind;
    e->byte[1] = format;
    e->len = 2;
}

static int entry_store(struct cpu *c, const struct entry *e)
{
    u64 real = c->cr[12] & CR12_ENTRY;
    u64 abs = dat_real_to_abs(real, c->prefix);
    if ((c->cr[0] & CR0_LAP) && !(real & ~0x11ffull)) {
        c->teid = real & ~(u64)(FRAME_BYTES - 1);
        c->exc_ar = 0;
        return PGM_PROTECTION;
    }
    if (!storage_holds(c->st, abs, 1))
        return PGM_ADDRESSING;
    if (((real + e->len) ^ real) & ~(u64)(FRAME_BYTES - 1))
        return PGM_TRACE_TABLE;
    storage_write(c->st, abs, e->byte, e->len);
    c->cr[12] = (c->cr[12] & ~CR12_ENTRY) | (real + e->len);
    return 0;
}

static bool mode64(u64 mask)
{
    return (mask & PSW_EA) != 0;
}

/* Bit of the 31-bit mode over a 24- or 31-bit address. */
static u32 amode_bit(u64 mask)
{
    return mask & PSW_BA ? A31 : 0;
}

/* ---- branches and modes ---- */

int trace_branch(struct cpu *c, u64 mode, u64 target)
{
    struct entry e = {.len = 0};
    if (!(c->cr[12] & CR12_BRANCH_TRACE))
        return 0;
    if (mode64(mode) && target > ADDR31) {
        begin(&e, 0x52, 0xc0);
        put16(&e, 0);
        put64(&e, target);
    } else if (mode & PSW_BA) {
        put32(&e, (u32)(target & ADDR31) | A31);
    } else {
        put32(&e, (u32)target & 0xffffff);
    }
    return entry_store(c, &e);
}

int trace_branch_insn(struct cpu *c, const u8 *text)
{
    unsigned r2 = text[1] & 15;
    if ((text[0] != 0x05 && text[0] != 0x0d) || r2 == 0)
        return 0;
    return trace_branch(c, c->psw.mask, c->gr[r2] & c->amask);
}

int trace_mode_switch(struct cpu *c, u64 new_mode, u64 next)
{
    struct entry e = {.len = 0};
    if (!(c->cr[12] & CR12_MODE_TRACE) || mode64(new_mode) == mode64(c->psw.mask))
        return 0;
    bool wide = mode64(c->psw.mask) && next > ADDR31;
    begin(&e, wide ? 0x52 : 0x51, wide ? 0x60 : mode64(c->psw.mask) ? 0x20 : 0x30);
    put16(&e, 0);
    if (wide)
        put64(&e, next);
    else
        put32(&e, (u32)next | (mode64(c->psw.mask) ? 0 : amode_bit(c->psw.mask)));
    return entry_store(c, &e);
}

/* Mode switch and branch in one entry. */
static int mode_switching_branch(struct cpu *c, u64 target)
{
    struct entry e = {.len = 0};
    bool leaving = mode64(c->psw.mask), wide = !leaving && target > ADDR31;
    begin(&e, wide ? 0x52 : 0x51, leaving ? 0xa0 : wide ? 0xf0 : 0xb0);
    put16(&e, 0);
    if (wide)
        put64(&e, target);
    else
        put32(&e, (u32)target);
    return entry_store(c, &e);
}

/* A branch that sets the addressing mode; `shown`: target as a mode-switching entry has it. */
static int branch_with_mode(struct cpu *c, u64 mode, u64 shown, u64 next, bool branch_traced)
{
    bool switches = mode64(mode) != mode64(c->psw.mask);
    bool branch = branch_traced && (c->cr[12] & CR12_BRANCH_TRACE);
    if (!switches || !(c->cr[12] & CR12_MODE_TRACE))
        return branch ? trace_branch(c, mode, shown) : 0;
    return branch ? mode_switching_branch(c, shown) : trace_mode_switch(c, mode, next);
}

int trace_branch_set_mode(struct cpu *c, u64 target, u64 next, bool branch_traced)
{
    u64 mode = target & 1 ? PSW_EA | PSW_BA : target & A31 ? PSW_BA : 0;
    return branch_with_mode(c, mode, target & ~1ull, next, branch_traced);
}

int trace_resume(struct cpu *c, u64 mode, u64 target, u64 next)
{
    bool bit32 = !mode64(mode) && (mode & PSW_BA);
    return branch_with_mode(c, mode, target | (bit32 ? A31 : 0), next, true);
}

int trace_subspace(struct cpu *c, u32 alet, u64 target)
{
    struct entry e = {.len = 0};
    if (!(c->cr[12] & CR12_BRANCH_TRACE))
        return 0;
    u32 low = alet & 0x7fffff;
    if (mode64(c->psw.mask)) {
        put32(&e, 0x42000000u | (alet & 0xffffff));
        put64(&e, target);
    } else {
        put32(&e, 0x41000000u | (alet >> 24 & 1) << 23 | low);
        put32(&e, (u32)target & (target & A31 ? ~0u : 0xffffffu));
    }
    return entry_store(c, &e);
}

/* ---- address spaces ---- */

int trace_set_secondary(struct cpu *c, u16 sasn, bool instance)
{
    struct entry e = {.len = 0};
    if (!(c->cr[12] & CR12_ASN_TRACE))
        return 0;
    begin(&e, 0x10, instance);
    put16(&e, sasn);
    return entry_store(c, &e);
}

/* PC with a number of 20 bits. */
static void call_narrow(struct cpu *c, struct entry *e, u32 number, u64 link)
{
    bool m64 = mode64(c->psw.mask);
    begin(e, m64 ? 0x22 : 0x21, (u8)(c->access_key | (number >> 16 & 15)));
    put16(e, (u16)number);
    if (m64)
        put64(e, link);
    else
        put32(e, (u32)link | amode_bit(c->psw.mask));
}

/* PC with a number of 32 bits. */
static void call_wide(struct cpu *c, struct entry *e, u32 number, u64 link)
{
    bool m64 = mode64(c->psw.mask), long_link = m64 && link >> 32;
    begin(e, long_link ? 0x23 : 0x22,
          (u8)(c->access_key |
               (long_link ? 0xe
                : m64     ? 0xa
                          : 0x8) |
               m64));
    put16(e, 0);
    if (long_link)
        put64(e, link);
    else
        put32(e, (u32)link | (m64 ? 0 : amode_bit(c->psw.mask)));
    put32(e, number);
}

int trace_program_call(struct cpu *c, u32 number, bool wide, u64 next)
{
    struct entry e = {.len = 0};
    if (!(c->cr[12] & CR12_ASN_TRACE))
        return 0;
    u64 link = next | (c->psw.mask & PSW_PROB ? 1 : 0);
    if (wide)
        call_wide(c, &e, number, link);
    else
        call_narrow(c, &e, number, link);
    return entry_store(c, &e);
}

/* An address of PR's entry: 8 bytes when bits 0-31 are not zero. */
static void put_address(struct entry *e, u64 mask, u64 addr, u32 low_bit)
{
    if (mode64(mask) && addr >> 32)
        put64(e, addr | low_bit);
    else
        put32(e, (u32)addr | low_bit | (mode64(mask) ? 0 : amode_bit(mask)));
}

int trace_program_return(struct cpu *c, u16 pasn, u64 mask, u64 addr, u64 next)
{
    struct entry e = {.len = 0};
    if (!(c->cr[12] & CR12_ASN_TRACE))
        return 0;
    /* two bits of the format for each address: new 8 and 4, old 2 and 1 */
    bool wide_new = mode64(mask) && addr >> 32, wide_old = mode64(c->psw.mask) && next >> 32;
    unsigned format = (mode64(mask) ? 8u : 0) | (wide_new ? 4u : 0) |
                      (mode64(c->psw.mask) ? 2u : 0) | (wide_old ? 1u : 0);
    begin(&e, (u8)(0x32 + wide_new + wide_old), (u8)(c->access_key | format));
    put16(&e, pasn);
    put_address(&e, mask, addr, mask & PSW_PROB ? 1 : 0);
    put_address(&e, c->psw.mask, next, 0);
    return entry_store(c, &e);
}

int trace_program_transfer(struct cpu *c, u16 pasn, u64 r2, bool instance)
{
    struct entry e = {.len = 0};
    if (!(c->cr[12] & CR12_ASN_TRACE))
        return 0;
    bool m64 = mode64(c->psw.mask), long_link = m64 && r2 >> 32;
    begin(&e, long_link ? 0x32 : 0x31,
          (u8)(c->access_key |
               (long_link ? 0xc
                : m64     ? 8
                          : 0) |
               instance));
    put16(&e, pasn);
    if (long_link)
        put64(&e, r2);
    else
        put32(&e, (u32)r2);
    return entry_store(c, &e);
}

/* ---- explicit ---- */

int trace_explicit(struct cpu *c, unsigned r1, unsigned r3, u32 operand, unsigned width)
{
    struct entry e = {.len = 0};
    unsigned count = ((r3 - r1) & 15u) + 1;
    u64 tod = cpu_tod_for_trace(c);
    begin(&e, (u8)(0x70 | (count - 1)), width == 4 ? 0 : 0x80);
    if (width == 4) { /* TOD-clock bits 16-63, else 0-79 */
        put16(&e, (u16)(tod >> 32));
        put32(&e, (u32)tod);
    } else {
        put64(&e, tod);
        put16(&e, 0);
    }
    put32(&e, operand);
    for (unsigned i = 0; i < count; i++) {
        u64 v = c->gr[(r1 + i) & 15];
        if (width == 4)
            put32(&e, (u32)v);
        else
            put64(&e, v);
    }
    return entry_store(c, &e);
}
