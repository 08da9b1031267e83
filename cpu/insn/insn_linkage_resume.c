/* RESUME PROGRAM (PoP chapter 10): back from where TRAP or a handler of the program's own has saved
 * the state. The parameter list behind the instruction says where in the second operand the PSW,
 * access register B2 and general register B2 are. Everything is fetched and the new PSW found good
 * before the trace entry is made, and that before anything changes: a PSW that cannot be is a
 * specification exception of this instruction, not an early one. */
#include "cpu/insn/insn_linkage.h"

#define LIST_BYTES 8u      /* control, offsets of PSW, access register, general register */
#define LIST_BYTES_MAX 10u /* and of bits 0-31 of the general register */
#define LIST_RESERVED 0xfff8u
#define LIST_WIDE_PSW 4u    /* P: 16-byte PSW */
#define LIST_WIDE_GR 2u     /* R: all 64 bits of the general register */
#define LIST_DISJOINT_GR 1u /* D: its halves are apart; counts together with R */
#define PSW_FIELDS (PSW_AS | 3ull << PSW_CC_SHIFT | PSW_PM | PSW_EA | PSW_BA)
#define PSW_MUST_BE_ZERO 0x7fffffffull /* bits 33-63 of a 16-byte PSW */
#define ADDR31 0x7fffffffu

/** What is restored. */
struct resume {
    u64 mask, addr; /* as the PSW field has them */
    u32 ar;
    u64 gr;
};

/* Behind the instruction itself, also when it is the target of EXECUTE. */
static int list_fetch(struct cpu *c, const struct dinsn *d, u16 list[5])
{
    u64 at = (insn_ia(c, d) + 4) & c->amask;
    u8 bytes[LIST_BYTES_MAX] = {0};
    TRY(access_fetch_insn(c, at, bytes, 2));
    list[0] = be16_load(bytes);
    if (list[0] & LIST_RESERVED)
        return PGM_SPECIFICATION;
    bool apart = (list[0] & 3) == (LIST_WIDE_GR | LIST_DISJOINT_GR);
    unsigned len = apart ? LIST_BYTES_MAX : LIST_BYTES;
    TRY(access_fetch_insn(c, (at + 2) & c->amask, bytes + 2, len - 2));
    for (unsigned i = 1; i < 5; i++)
        list[i] = be16_load(bytes + 2 * i);
    return 0;
}

static int field_fetch(struct cpu *c, const struct dinsn *d, u16 offset, u8 *p, unsigned len)
{
    return access_fetch(c, (ea_b(c, d) + offset) & c->amask, d->b2, p, len);
}

static int register_fetch(struct cpu *c, const struct dinsn *d, const u16 list[5],
                          struct resume *r)
{
    u8 low[8], high[4];
    bool wide = list[0] & LIST_WIDE_GR, apart = wide && (list[0] & LIST_DISJOINT_GR);
    unsigned len = wide && !apart ? 8 : 4;
    TRY(field_fetch(c, d, list[3], low, len));
    if (len == 8)
        r->gr = be64_load(low);
    else
        r->gr = (c->gr[d->b2 & 15] & ~0xffffffffull) | be32_load(low);
    if (!apart)
        return 0;
    TRY(field_fetch(c, d, list[4], high, sizeof high));
    r->gr = (u64)be32_load(high) << 32 | (u32)r->gr;
    return 0;
}

static int state_fetch(struct cpu *c, const struct dinsn *d, struct resume *r)
{
    u16 list[5];
    u8 psw[16], ar[4];
    TRY(list_fetch(c, d, list));
    bool wide = list[0] & LIST_WIDE_PSW;
    TRY(field_fetch(c, d, list[1], psw, wide ? 16 : 8));
    TRY(field_fetch(c, d, list[2], ar, sizeof ar));
    TRY(register_fetch(c, d, list, r));
    r->ar = be32_load(ar);
    r->mask = be64_load(psw);
    r->addr = wide ? be64_load(psw + 8) : r->mask & ADDR31;
    return wide && (r->mask & PSW_MUST_BE_ZERO) ? PGM_SPECIFICATION : 0;
}

/* The PSW that results: the rest of it stays. */
static int target_find(const struct cpu *c, const struct resume *r, struct linkage_target *to)
{
    bool home = (r->mask & PSW_AS) == PSW_AS;
    *to = (struct linkage_target){.mask = (psw_mask(c) & ~PSW_FIELDS) | (r->mask & PSW_FIELDS),
                                  .addr = r->addr};
    if ((c->psw.mask & PSW_DAT) && problem_state(c) && home)
        return PGM_PRIVILEGED;
    return cpu_psw_valid(to->mask, to->addr) && !(to->addr & 1) ? 0 : PGM_SPECIFICATION;
}

/* Into or out of the home space: an event as it is for SAC. */
static void home_switch(const struct cpu *c, struct linkage_target *to)
{
    bool from = (c->psw.mask & PSW_AS) == PSW_AS, into = (to->mask & PSW_AS) == PSW_AS;
    if (!(c->psw.mask & PSW_DAT) || from == into)
        return;
    u64 left = from ? c->cr[13] : c->cr[1];
    to->switches = true;
    to->event = (c->cr[1] | c->cr[13]) & ASCE_SPACE_SWITCH;
    to->event_word = (left & ASCE_SPACE_SWITCH ? 0x80000000u : 0) | (from ? 0 : primary_asn(c));
}

int linkage_resume_program(struct cpu *c, const struct dinsn *d)
{
    struct resume r;
    struct linkage_target to;
    TRY(state_fetch(c, d, &r));
    TRY(target_find(c, &r, &to));
    TRY(trace_resume(c, to.mask, to.addr, insn_next_ia(c, d, 4) & c->amask));
    home_switch(c, &to);
    c->ar[d->b2 & 15] = r.ar;
    c->gr[d->b2 & 15] = r.gr;
    return linkage_finish(c, d, 4, &to);
}
