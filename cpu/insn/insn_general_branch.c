/* Branches, EXECUTE, SUPERVISOR CALL, MONITOR CALL, program mask, hints.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_branch.def. */
#include "cpu/insn/insn_general.h"
#include "cpu/event/monitor.h"
#include "cpu/event/per.h"
#include "cpu/event/trace.h"

#define AMODE_31 0x80000000u

int insn_data_exception(struct cpu *c, u8 dxc)
{
    c->dxc = dxc;
    if (c->cr[0] & CR0_AFP)
        c->fpc = (c->fpc & ~0xff00u) | (u32)dxc << 8;
    return PGM_DATA;
}

/* BCR 15,0 and 14,0: everything stored before is visible; requests are met here. */
static inline int serialize(struct cpu *c, unsigned mask)
{
    if (mask == 14 && !facility_has(c->set->facilities, FAC_Z196))
        return 0;
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&c->requests, memory_order_relaxed) ? CPU_RESYNC : 0;
}

/* Condition code and program mask in bits 34-39. */
static inline u32 program_mask(const struct cpu *c)
{
    return (u32)c->cc << 28 | (u32)((c->psw.mask & PSW_PM) >> PSW_PM_SHIFT) << 24;
}

/* Link information of BRANCH AND SAVE: the next address, with the mode in bit 32. */
static inline void link_set(struct cpu *c, const struct dinsn *d, unsigned len)
{
    u64 next = insn_next_ia(c, d, len) & c->amask;
    if (likely(c->amask >> 32 != 0))
        c->gr[d->r1] = next;
    else
        gr32_set(c, d->r1, (u32)next | (c->psw.mask & PSW_BA ? AMODE_31 : 0));
}

/* BRANCH AND LINK differs in the 24-bit mode: length code, condition code, program mask. */
static inline void link_bal(struct cpu *c, const struct dinsn *d, unsigned len)
{
    if (likely(c->amask >> 24 != 0)) {
        link_set(c, d, len);
        return;
    }
    unsigned ilc = c->ex_active ? c->ilc : len;
    u32 next = (u32)(insn_next_ia(c, d, len) & c->amask);
    gr32_set(c, d->r1, (u32)(ilc / 2) << 30 | program_mask(c) | next);
}

/* Branch of BSM and BASSM: bit 63 selects the 64-bit mode, else bit 32 the 31-bit mode. */
static int branch_set_mode(struct cpu *c, u64 target)
{
    c->psw.mask &= ~(PSW_EA | PSW_BA);
    if (target & 1)
        c->psw.mask |= PSW_EA | PSW_BA;
    else if (target & AMODE_31)
        c->psw.mask |= PSW_BA;
    cpu_mode_changed(c);
    return take_branch(c, target & ~1ull);
}

/* r1 += r3; true when the sum is above the comparand (r3 if odd, else r3 + 1), which is read
 * first: it may be r1. */
static inline bool index_high32(struct cpu *c, const struct dinsn *d)
{
    s32 limit = (s32)c->gr[d->r3 | 1];
    s32 sum = (s32)(gr32(c, d->r1) + gr32(c, d->r3));
    gr32_set(c, d->r1, (u32)sum);
    return sum > limit;
}

static inline bool index_high64(struct cpu *c, const struct dinsn *d)
{
    s64 limit = (s64)c->gr[d->r3 | 1];
    c->gr[d->r1] += c->gr[d->r3];
    return (s64)c->gr[d->r1] > limit;
}

/* May the page be executed from? A translation for fetching does not tell. */
static bool target_executable(const struct cpu *c, u64 ea)
{
    return !(c->cr[0] & CR0_IEP) ||
           c->ispace->code[(ea >> FRAME_SHIFT) & (TLB_CODE_ENTRIES - 1)].tag ==
               (ea & ~(u64)(FRAME_BYTES - 1));
}

/* The target of EXECUTE: halfword by halfword, so that nothing behind it is touched. */
static int target_fetch(struct cpu *c, u64 ea, u8 *text)
{
    const u8 *p = tlb_fetch(c->ispace, ea, 6);
    if (likely(p != NULL) && target_executable(c, ea)) {
        memcpy(text, p, 6);
        return 0;
    }
    TRY(access_fetch_insn(c, ea, text, 2));
    unsigned len = isa_length(text[0]);
    if (len > 2)
        TRY(access_fetch_insn(c, (ea + 2) & c->amask, text + 2, len - 2));
    return 0;
}

/* Run the body of the target decoded in ex_slot[0]. */
static int target_run(struct cpu *c, const struct isa_entry *entry)
{
    if ((entry->flags & IF_PRIV) && (c->psw.mask & PSW_PROB))
        return PGM_PRIVILEGED;
    if ((entry->flags & IF_BFP) && !(c->cr[0] & CR0_AFP))
        return insn_data_exception(c, 2);
    c->ex_active = true;
    int rc = entry->body(c, &c->ex_slot[0]);
    c->ex_active = false;
    return rc;
}

/* Decode the target into ex_slot[0]; NULL when there is no such instruction. The same text was
 * often there before, or the same but for the length code. */
static const struct isa_entry *target_decode(struct cpu *c, u64 target, const u8 *text)
{
    const u64 length_code = 0xffull << 48;
    struct ex_target *e = &c->ex_cache[target >> 1 & (EX_TARGETS - 1)];
    u64 now = be64_load(text);
    bool known = e->entry && e->text == now;
    if (!known && e->entry && e->entry->format == FMT_SS_L &&
        ((e->text ^ now) & ~length_code) == 0) {
        e->text = now;
        e->d.r1 = text[1];
        known = true;
    }
    if (!known) {
        const struct isa_entry *entry = isa_find(text);
        if (!entry)
            return NULL;
        *e = (struct ex_target){.text = now, .entry = entry};
        isa_decode(&e->d, (enum isa_format)entry->format, text);
    }
    c->ex_slot[0] = e->d;
    return e->entry;
}

/* EXECUTE (RELATIVE LONG) of `len` bytes: bits 8-15 of the target are ORed with bits 56-63 of
 * r1. Interruptions are those of the target with the length of the EXECUTE. */
static int execute(struct cpu *c, const struct dinsn *d, u64 target, u8 len)
{
    u8 text[8] = {0};
    if (target & 1)
        return PGM_SPECIFICATION;
    TRY(target_fetch(c, target, text));
    if (d->r1)
        text[1] |= (u8)c->gr[d->r1];
    const struct isa_entry *entry = target_decode(c, target, text);
    if (!entry || !facility_has(c->set->facilities, entry->facility))
        return PGM_OPERATION;
    if (text[0] == 0x44 || (text[0] == 0xc6 && (text[1] & 15) == 0))
        return PGM_EXECUTE;
    c->ex_entry = entry;
    c->ex_target_ia = target;
    c->ex_next = (insn_ia(c, d) + len) & c->amask;
    c->ilc = len;
    if (unlikely(c->watch))
        TRY(per_execute_target(c, target, text));
    return target_run(c, entry);
}

/* ---- on condition ---- */

/* 47 BC: branch on condition */
INSN_FAST(bc)
{
    return condition_holds(c, d->r1) ? take_branch(c, ea_x(c, d)) : 0;
}

/* 07 BCR: branch on condition */
INSN_FAST(bcr)
{
    if (unlikely(d->r2 == 0))
        return d->r1 >= 14 ? serialize(c, d->r1) : 0;
    return condition_holds(c, d->r1) ? take_branch(c, c->gr[d->r2]) : 0;
}

/* A74 BRC: branch relative on condition */
INSN_FAST(brc)
{
    return condition_holds(c, d->r1) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* C04 BRCL: branch relative on condition long */
INSN_FAST(brcl)
{
    return condition_holds(c, d->r1) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* E347 BIC: branch indirect on condition */
INSN_FAST(bic)
{
    if (!condition_holds(c, d->r1))
        return 0;
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return take_branch(c, v);
}

/* ---- with link ---- */

/* 45 BAL: branch and link */
INSN_FAST(bal)
{
    u64 target = ea_x(c, d);
    link_bal(c, d, 4);
    return take_branch(c, target);
}

/* 05 BALR: branch and link */
INSN_FAST(balr)
{
    u64 target = c->gr[d->r2];
    link_bal(c, d, 2);
    return d->r2 ? take_branch(c, target) : 0;
}

/* 4D BAS: branch and save */
INSN_FAST(bas)
{
    u64 target = ea_x(c, d);
    link_set(c, d, 4);
    return take_branch(c, target);
}

/* 0D BASR: branch and save */
INSN_FAST(basr)
{
    u64 target = c->gr[d->r2];
    link_set(c, d, 2);
    return d->r2 ? take_branch(c, target) : 0;
}

/* A75 BRAS: branch relative and save */
INSN_FAST(bras)
{
    u64 target = ea_rel(c, d);
    link_set(c, d, 4);
    return take_branch(c, target);
}

/* C05 BRASL: branch relative and save long */
INSN_FAST(brasl)
{
    u64 target = ea_rel(c, d);
    link_set(c, d, 6);
    return take_branch(c, target);
}

/* 0C BASSM: branch and save and set mode */
INSN(bassm)
{
    u64 target = c->gr[d->r2];
    if (d->r2)
        TRY(trace_branch_set_mode(c, target, insn_next_ia(c, d, 2) & c->amask, true));
    link_set(c, d, 2);
    if (c->psw.mask & PSW_EA)
        c->gr[d->r1] |= 1;
    return d->r2 ? branch_set_mode(c, target) : 0;
}

/* 0B BSM: branch and set mode */
INSN(bsm)
{
    u64 target = c->gr[d->r2];
    if (d->r2)
        TRY(trace_branch_set_mode(c, target, insn_next_ia(c, d, 2) & c->amask, false));
    if (d->r1 && (c->psw.mask & PSW_EA))
        c->gr[d->r1] |= 1;
    else if (d->r1)
        gr32_set(c, d->r1,
                 (gr32(c, d->r1) & 0x7fffffff) | (c->psw.mask & PSW_BA ? AMODE_31 : 0));
    return d->r2 ? branch_set_mode(c, target) : 0;
}

/* ---- on count ---- */

/* 46 BCT: branch on count (32) */
INSN_FAST(bct)
{
    u64 target = ea_x(c, d);
    u32 left = gr32(c, d->r1) - 1;
    gr32_set(c, d->r1, left);
    return left ? take_branch(c, target) : 0;
}

/* 06 BCTR: branch on count (32) */
INSN_FAST(bctr)
{
    u64 target = c->gr[d->r2];
    u32 left = gr32(c, d->r1) - 1;
    gr32_set(c, d->r1, left);
    return left && d->r2 ? take_branch(c, target) : 0;
}

/* E346 BCTG: branch on count (64) */
INSN_FAST(bctg)
{
    u64 target = ea_x(c, d);
    u64 left = --c->gr[d->r1];
    return left ? take_branch(c, target) : 0;
}

/* B946 BCTGR: branch on count (64) */
INSN_FAST(bctgr)
{
    u64 target = c->gr[d->r2];
    u64 left = --c->gr[d->r1];
    return left && d->r2 ? take_branch(c, target) : 0;
}

/* A76 BRCT: branch relative on count (32) */
INSN_FAST(brct)
{
    u32 left = gr32(c, d->r1) - 1;
    gr32_set(c, d->r1, left);
    return left ? take_branch(c, ea_rel(c, d)) : 0;
}

/* A77 BRCTG: branch relative on count (64) */
INSN_FAST(brctg)
{
    return --c->gr[d->r1] ? take_branch(c, ea_rel(c, d)) : 0;
}

/* CC6 BRCTH: branch relative on count high */
INSN_FAST(brcth)
{
    u32 left = gr_high(c, d->r1) - 1;
    gr_high_set(c, d->r1, left);
    return left ? take_branch(c, ea_rel(c, d)) : 0;
}

/* ---- on index ---- */

/* 86 BXH: branch on index high (32) */
INSN_FAST(bxh)
{
    u64 target = ea_b(c, d);
    return index_high32(c, d) ? take_branch(c, target) : 0;
}

/* EB44 BXHG: branch on index high (64) */
INSN_FAST(bxhg)
{
    u64 target = ea_b(c, d);
    return index_high64(c, d) ? take_branch(c, target) : 0;
}

/* 84 BRXH: branch relative on index high (32) */
INSN_FAST(brxh)
{
    return index_high32(c, d) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* EC44 BRXHG: branch relative on index high (64) */
INSN_FAST(brxhg)
{
    return index_high64(c, d) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* 87 BXLE: branch on index low or equal (32) */
INSN_FAST(bxle)
{
    u64 target = ea_b(c, d);
    return !index_high32(c, d) ? take_branch(c, target) : 0;
}

/* EB45 BXLEG: branch on index low or equal (64) */
INSN_FAST(bxleg)
{
    u64 target = ea_b(c, d);
    return !index_high64(c, d) ? take_branch(c, target) : 0;
}

/* 85 BRXLE: branch relative on index low or equal (32) */
INSN_FAST(brxle)
{
    return !index_high32(c, d) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* EC45 BRXLG: branch relative on index low or equal (64) */
INSN_FAST(brxlg)
{
    return !index_high64(c, d) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* ---- compare and branch ---- */

/* EC76 CRJ: compare and branch relative (32) */
INSN_FAST(crj)
{
    return d->r3 & compare_signed((s32)c->gr[d->r1], (s32)c->gr[d->r2])
               ? take_branch(c, ea_rel(c, d))
               : 0;
}

/* ECF6 CRB: compare and branch (32) */
INSN_FAST(crb)
{
    return d->r3 & compare_signed((s32)c->gr[d->r1], (s32)c->gr[d->r2])
               ? take_branch(c, ea_b(c, d))
               : 0;
}

/* EC7E CIJ: compare immediate and branch relative (32) */
INSN_FAST(cij)
{
    return d->r3 & compare_signed((s32)c->gr[d->r1], (s8)d->b2) ? take_branch(c, ea_rel(c, d))
                                                                : 0;
}

/* ECFE CIB: compare immediate and branch (32) */
INSN_FAST(cib)
{
    return d->r3 & compare_signed((s32)c->gr[d->r1], (s8)d->r2) ? take_branch(c, ea_b(c, d))
                                                                : 0;
}

/* EC64 CGRJ: compare and branch relative (64) */
INSN_FAST(cgrj)
{
    return d->r3 & compare_signed((s64)c->gr[d->r1], (s64)c->gr[d->r2])
               ? take_branch(c, ea_rel(c, d))
               : 0;
}

/* ECE4 CGRB: compare and branch (64) */
INSN_FAST(cgrb)
{
    return d->r3 & compare_signed((s64)c->gr[d->r1], (s64)c->gr[d->r2])
               ? take_branch(c, ea_b(c, d))
               : 0;
}

/* EC7C CGIJ: compare immediate and branch relative (64) */
INSN_FAST(cgij)
{
    return d->r3 & compare_signed((s64)c->gr[d->r1], (s8)d->b2) ? take_branch(c, ea_rel(c, d))
                                                                : 0;
}

/* ECFC CGIB: compare immediate and branch (64) */
INSN_FAST(cgib)
{
    return d->r3 & compare_signed((s64)c->gr[d->r1], (s8)d->r2) ? take_branch(c, ea_b(c, d))
                                                                : 0;
}

/* EC77 CLRJ: compare logical and branch relative (32) */
INSN_FAST(clrj)
{
    return d->r3 & compare_unsigned(gr32(c, d->r1), gr32(c, d->r2))
               ? take_branch(c, ea_rel(c, d))
               : 0;
}

/* ECF7 CLRB: compare logical and branch (32) */
INSN_FAST(clrb)
{
    return d->r3 & compare_unsigned(gr32(c, d->r1), gr32(c, d->r2)) ? take_branch(c, ea_b(c, d))
                                                                    : 0;
}

/* EC7F CLIJ: compare logical immediate and branch relative (32) */
INSN_FAST(clij)
{
    return d->r3 & compare_unsigned(gr32(c, d->r1), d->b2) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* ECFF CLIB: compare logical immediate and branch (32) */
INSN_FAST(clib)
{
    return d->r3 & compare_unsigned(gr32(c, d->r1), d->r2) ? take_branch(c, ea_b(c, d)) : 0;
}

/* EC65 CLGRJ: compare logical and branch relative (64) */
INSN_FAST(clgrj)
{
    return d->r3 & compare_unsigned(c->gr[d->r1], c->gr[d->r2]) ? take_branch(c, ea_rel(c, d))
                                                                : 0;
}

/* ECE5 CLGRB: compare logical and branch (64) */
INSN_FAST(clgrb)
{
    return d->r3 & compare_unsigned(c->gr[d->r1], c->gr[d->r2]) ? take_branch(c, ea_b(c, d))
                                                                : 0;
}

/* EC7D CLGIJ: compare logical immediate and branch relative (64) */
INSN_FAST(clgij)
{
    return d->r3 & compare_unsigned(c->gr[d->r1], d->b2) ? take_branch(c, ea_rel(c, d)) : 0;
}

/* ECFD CLGIB: compare logical immediate and branch (64) */
INSN_FAST(clgib)
{
    return d->r3 & compare_unsigned(c->gr[d->r1], d->r2) ? take_branch(c, ea_b(c, d)) : 0;
}

/* ---- execute, supervisor call, monitor call, program mask ---- */

/* 44 EX: execute */
INSN(ex)
{
    return execute(c, d, ea_x(c, d), 4);
}

/* C60 EXRL: execute relative long */
INSN(exrl)
{
    return execute(c, d, ea_rel(c, d), 6);
}

/* 0A SVC: supervisor call */
INSN(svc)
{
    c->psw.addr = insn_next_ia(c, d, 2) & c->amask;
    c->ilc = c->ex_active ? c->ilc : 2;
    return cpu_svc_interruption(c, (u8)d->imm);
}

/* AF MC: monitor call */
INSN(mc)
{
    if (d->r1 & 0xf0)
        return PGM_SPECIFICATION;
    return monitor_call(c, d->r1, ea_b(c, d));
}

/* 04 SPM: set program mask */
INSN_FAST(spm)
{
    u64 v = c->gr[d->r1];
    c->cc = (u8)(v >> 28 & 3);
    c->psw.mask = (c->psw.mask & ~PSW_PM) | (v >> 24 & 15) << PSW_PM_SHIFT;
    cpu_jit_mode(c);
    return 0;
}

/* B222 IPM: insert program mask */
INSN_FAST(ipm)
{
    c->gr[d->r1] = (c->gr[d->r1] & ~0xff000000ull) | program_mask(c);
    return 0;
}

/* ---- hints ---- */

/* E336 PFD: prefetch data */
INSN_FAST(pfd)
{
    UNUSED_C;
    UNUSED_D;
    return 0;
}

/* C62 PFDRL: prefetch data relative long */
INSN_FAST(pfdrl)
{
    UNUSED_C;
    UNUSED_D;
    return 0;
}

/* C5 BPRP: branch prediction relative preload */
INSN_FAST(bprp)
{
    UNUSED_C;
    UNUSED_D;
    return 0;
}

/* C7 BPP: branch prediction preload */
INSN_FAST(bpp)
{
    UNUSED_C;
    UNUSED_D;
    return 0;
}

/* B2FA NIAI: next instruction access intent */
INSN_FAST(niai)
{
    UNUSED_C;
    UNUSED_D;
    return 0;
}

/* B2E8 PPA: perform processor assist */
INSN_FAST(ppa)
{
    UNUSED_C;
    UNUSED_D;
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_general_branch.def"
#define CHAPTER_NAME isa_general_branch
#include "cpu/insn/insn_chapter.h"
