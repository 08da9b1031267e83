/* Program linkage: the linkage stack from the program's side, and what its instructions share
 * (PoP chapters 5 and 10): rows in isa_linkage.def. A body checks everything, then changes. */
#include "cpu/insn/insn_linkage.h"

#include "cpu/linkage/art.h"
#include "cpu/event/per.h"

#define EXTRACT_REGISTERS 16u
#define ESA_PSW_BIT12 0x00080000u

/* ---- shared ---- */

/* Control registers may have changed, so that everything is derived anew. */
static int linkage_introduce_psw(struct cpu *c, const struct linkage_target *to)
{
    cpu_load_psw(c, to->mask, to->addr);
    return cpu_introduce_psw(c, to->mask, to->addr);
}

int linkage_finish(struct cpu *c, const struct dinsn *d, unsigned len,
                   const struct linkage_target *to)
{
    u8 ilc = c->ex_active ? c->ilc : (u8)len;
    cpu_breaking_event(c, insn_break_ia(c, d));
    per_branched(c, to->addr);
    if (!to->event && !(to->switches && (c->per.code | c->per.maybe)))
        return linkage_introduce_psw(c, to);
    cpu_load_psw(c, to->mask, to->addr);
    c->ilc = ilc;
    c->teid = to->event_word;
    cpu_program_interruption(c, PGM_SPACE_SWITCH);
    return CPU_PSW_LOADED;
}

void linkage_event(const struct cpu *c, u64 new_asce, struct linkage_target *to)
{
    to->switches = true;
    to->event = (c->cr[1] | new_asce) & ASCE_SPACE_SWITCH;
    to->event_word = (c->cr[1] & ASCE_SPACE_SWITCH ? 0x80000000u : 0) | primary_asn(c);
}

struct linkage_space linkage_space_of(const struct aste *a, u16 asn, u64 asce)
{
    return (struct linkage_space){asce, asn, aste_ax(a), aste_instance(a), a->origin};
}

void linkage_primary_set(struct cpu *c, const struct linkage_space *s, bool instance)
{
    c->cr[1] = s->asce;
    c->cr[4] = (c->cr[4] & ~0xffffffffull) | (u32)s->ax << 16 | s->asn;
    if (instance || asn_reuse(c))
        c->cr[4] = (u64)s->instance << 32 | (u32)c->cr[4];
    c->cr[5] = (c->cr[5] & ~0xffffffffull) | s->aste;
}

void linkage_secondary_is_primary(struct cpu *c, bool instance)
{
    c->cr[7] = c->cr[1];
    c->cr[3] = (c->cr[3] & ~0xffffull) | primary_asn(c);
    if (instance || asn_reuse(c))
        c->cr[3] = (c->cr[4] & ~0xffffffffull) | (u32)c->cr[3];
}

u64 linkage_address(const struct cpu *c, u64 addr)
{
    return (c->psw.mask & AMODE_BITS) == PSW_BA ? AMODE_31 | addr : addr;
}

/* ---- calling, returning, transferring ---- */

/* B218 PC, PROGRAM CALL */
INSN(pc)
{
    return linkage_program_call(c, d);
}

/* B228 PT, PROGRAM TRANSFER */
INSN(pt)
{
    return linkage_program_transfer(c, d, false);
}

/* B99E PTI, PROGRAM TRANSFER WITH INSTANCE */
INSN(pti)
{
    return linkage_program_transfer(c, d, true);
}

/* 0101 PR, PROGRAM RETURN */
INSN(pr)
{
    return linkage_program_return(c, d);
}

/* B277 RP, RESUME PROGRAM */
INSN(rp)
{
    return linkage_resume_program(c, d);
}

/* The return address of BAKR: bit 63 of R1 selects the 64-bit mode, else bit 32 the 31-bit mode. */
static u64 return_address(const struct cpu *c, unsigned r1, u64 next, u64 *mode)
{
    u64 v = c->gr[r1];
    *mode = c->psw.mask & AMODE_BITS;
    if (r1 == 0)
        return next;
    *mode = v & 1 ? AMODE_BITS : v & AMODE_31 ? PSW_BA : 0;
    return v & 1 ? v & ~1ull : v & (v & AMODE_31 ? 0x7fffffffu : 0xffffffu);
}

/* B240 BAKR, BRANCH AND STACK */
INSN(bakr)
{
    u8 image[LINKAGE_BYTES];
    u64 mode, cr12 = c->cr[12], next = insn_next_ia(c, d, 4) & c->amask;
    u64 target = d->r2 ? reg_addr(c, d->r2) : next;
    TRY(linkage_mode(c, true));
    u64 back = return_address(c, d->r1, next, &mode);
    linkage_image(c, image, mode, back);
    be64_store(image + LINKAGE_CALL, linkage_address(c, target) | (amode64(c) ? 1 : 0));
    if (d->r2)
        TRY(trace_branch(c, c->psw.mask & AMODE_BITS, target));
    int rc = linkage_push(c, image, LINKAGE_BRANCH);
    if (rc) {
        c->cr[12] = cr12;
        return rc;
    }
    struct linkage_target to = {.mask = psw_mask(c), .addr = target};
    return d->r2 ? linkage_finish(c, d, 4, &to) : 0;
}

/* ---- what is in the stack ---- */

/* Registers R1 to R2 of the current entry; when they wrap, all are looked at. */
static int registers_extract(struct cpu *c, const struct dinsn *d, bool wide)
{
    struct linkage_entry e;
    u8 gr[8 * EXTRACT_REGISTERS], ar[4 * EXTRACT_REGISTERS];
    unsigned first = d->r1 <= d->r2 ? d->r1 : 0, last = d->r1 <= d->r2 ? d->r2 : 15;
    unsigned n = last - first + 1;
    TRY(linkage_mode(c, false));
    TRY(linkage_current(c, false, &e));
    TRY(linkage_fetch(c, &e, LINKAGE_GR + 8 * first, gr + 8 * first, 8 * n));
    TRY(linkage_fetch(c, &e, LINKAGE_AR + 4 * first, ar + 4 * first, 4 * n));
    for (unsigned i = 0; i <= ((d->r2 - d->r1) & 15u); i++) {
        unsigned r = (d->r1 + i) & 15;
        if (wide)
            c->gr[r] = be64_load(gr + 8 * r);
        else
            gr32_set(c, r, be32_load(gr + 8 * r + 4));
        c->ar[r] = be32_load(ar + 4 * r);
    }
    if (cpu_ar_mode(c))
        cpu_select_spaces(c);
    return 0;
}

/* B249 EREG, EXTRACT STACKED REGISTERS (32) */
INSN(ereg)
{
    return registers_extract(c, d, false);
}

/* B90E EREGG, EXTRACT STACKED REGISTERS (64) */
INSN(eregg)
{
    return registers_extract(c, d, true);
}

/* The PSW of an entry, in both formats; the short one marks an address that it cannot hold. */
static int psw_extract(struct cpu *c, const struct linkage_entry *e, unsigned r1, bool wide)
{
    u8 mask[8], addr[8];
    TRY(linkage_fetch(c, e, LINKAGE_PSW_MASK, mask, sizeof mask));
    TRY(linkage_fetch(c, e, LINKAGE_PSW_ADDR, addr, sizeof addr));
    u64 m = be64_load(mask), a = be64_load(addr);
    if (wide) {
        c->gr[r1] = m;
        c->gr[r1 + 1] = a;
        return 0;
    }
    gr32_set(c, r1, (u32)(m >> 32) | ESA_PSW_BIT12);
    gr32_set(c, r1 + 1, ((u32)m & AMODE_31) | ((u32)a & 0x7fffffffu) | (a >> 31 ? 1 : 0));
    return 0;
}

/* Two words of an entry into the right, or the left, halves of a register pair. */
static int words_extract(struct cpu *c, const struct linkage_entry *e, unsigned at, unsigned r1,
                         bool left)
{
    u8 words[8];
    TRY(linkage_fetch(c, e, at, words, sizeof words));
    for (unsigned i = 0; i < 2; i++) {
        u32 v = be32_load(words + 4 * i);
        if (left)
            gr_high_set(c, r1 + i, v);
        else
            gr32_set(c, r1 + i, v);
    }
    return 0;
}

static int state_extract(struct cpu *c, const struct linkage_entry *e, unsigned code,
                         unsigned r1)
{
    switch (code) {
    case 0: return words_extract(c, e, LINKAGE_PKM, r1, false);
    case 1: return psw_extract(c, e, r1, false);
    case 2: return words_extract(c, e, LINKAGE_CALL, r1, false);
    case 3: return words_extract(c, e, LINKAGE_MODIFIABLE, r1, false);
    case 4: return psw_extract(c, e, r1, true);
    default: return words_extract(c, e, LINKAGE_SASTEIN, r1, true);
    }
}

/* B24A ESTA, EXTRACT STACKED STATE */
INSN(esta)
{
    struct linkage_entry e;
    unsigned code = c->gr[d->r2] & 0xff;
    TRY(linkage_mode(c, false));
    if ((d->r1 & 1) || code > (has_facility(c, FAC_ASNLX) ? 5u : 4u))
        return PGM_SPECIFICATION;
    TRY(linkage_current(c, false, &e));
    TRY(state_extract(c, &e, code, d->r1));
    c->cc = e.type == LINKAGE_CALLED;
    return 0;
}

/* B247 MSTA, MODIFY STACKED STATE */
INSN(msta)
{
    struct linkage_entry e;
    u8 words[8];
    TRY(linkage_mode(c, false));
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    TRY(linkage_current(c, false, &e));
    be32_store(words, gr32(c, d->r1));
    be32_store(words + 4, gr32(c, d->r1 + 1));
    return linkage_store(c, &e, LINKAGE_MODIFIABLE, words, sizeof words);
}

/* ---- spaces and authority ---- */

/* B25A BSA, BRANCH AND SET AUTHORITY */
INSN(bsa)
{
    return linkage_branch_authority(c, d);
}

/* B258 BSG, BRANCH IN SUBSPACE GROUP */
INSN(bsg)
{
    return linkage_branch_subspace(c, d);
}

/* B24C TAR, TEST ACCESS */
INSN(tar)
{
    return art_test(c, c->ar[d->r1], (u16)(c->gr[d->r2] >> 16));
}

/* E500 LASP, LOAD ADDRESS SPACE PARAMETERS */
INSN(lasp)
{
    return linkage_load_parameters(c, d);
}

#define CHAPTER_DEF "cpu/isa/isa_linkage.def"
#define CHAPTER_NAME isa_linkage
#include "cpu/insn/insn_chapter.h"
