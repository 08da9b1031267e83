/* The instructions of a region: decoded from storage again, with what the analysis must know of
 * each: registers read and written, the condition code, whether it may end otherwise. */
#include "cpu/jit/emit_internal.h"
#include "cpu/jit/lockstep.h"

#define FIELD_REGS 16u
#define SYSTEM_MASK_IO_EXT 3u /* of the system mask: bits that enable for interruptions */

static u16 bit(unsigned g)
{
    return g < FIELD_REGS ? (u16)(1u << g) : 0;
}

/* Bodies behind which translated code may go on; others never end in 0, or rarely. */
bool row_goes_on(const struct isa_entry *row)
{
    bool whole_psw = row->op == 0x0a || row->op == 0x82 ||
                     (row->op == 0xb2 && row->sub == 0xb2) || (row->op == 1 && row->sub == 1);
    return !(row->flags & IF_BRANCH) && !whole_psw;
}

/* Bodies that may change what the code was made for: addressing mode, AFP, program mask. */
static bool row_changes_mode(const struct isa_entry *row)
{
    return (row->flags & IF_PRIV) || row->op == 0x04 || row->op == 0x01 || row->op == 0x44 ||
           (row->op == 0xc6 && row->sub == 0) || (row->op == 0xb2 && row->sub < 0x20);
}

static void registers_of_memory(struct jit_insn *i)
{
    u8 format = i->does->format;
    bool sil = format == FMT_SIL, ss = format == FMT_SS_L;
    bool indexed = format == FMT_RX || format == FMT_RXY || format == FMT_RX_M ||
                   format == FMT_RXE || format == FMT_RXF;
    i->base = ss ? i->d.r2 : i->d.b2;
    i->index = indexed ? i->d.r2 : ZERO_REG;
    i->disp = sil || ss ? i->d.ss.d1 : i->d.d2;
}

static void read_reg(struct jit_insn *i, unsigned g, bool wide)
{
    i->reads |= bit(g);
    if (wide)
        i->reads64 |= bit(g);
}

static void write_reg(struct jit_insn *i, unsigned g, bool wide)
{
    i->writes |= bit(g);
    if (wide)
        i->writes64 |= bit(g);
}

static bool narrow_ext(u8 ext)
{
    return ext != X_64 && ext != X_REV64;
}

/* Registers of load and store multiple. */
static void registers_of_multiple(struct jit_insn *i)
{
    for (unsigned r = i->d.r1;; r = (r + 1) & 15) {
        if (i->lo->op == OP_LM)
            write_reg(i, r, i->lo->width == 64);
        else
            read_reg(i, r, i->lo->width == 64);
        if (r == i->d.r3)
            return;
    }
}

static void source_reads(struct jit_insn *i, u8 src, bool wide)
{
    if (src == S_R1 || src == S_R2 || src == S_R3)
        read_reg(i, jit_reg(&i->d, src), wide);
    if (src == S_HR1 || src == S_HR2 || src == S_HR3)
        read_reg(i, jit_reg(&i->d, src), true);
    if (src == S_DISP)
        read_reg(i, i->d.b2, false);
    if (src == S_MEM) {
        read_reg(i, i->base, i->amode64);
        read_reg(i, i->index, i->amode64);
    }
}

/* r1 and the register behind it. */
static void read_pair(struct jit_insn *i, unsigned r, bool wide)
{
    read_reg(i, r, wide);
    read_reg(i, r + 1, wide);
}

static void write_pair(struct jit_insn *i, bool wide)
{
    write_reg(i, i->d.r1, wide);
    write_reg(i, i->d.r1 + 1u, wide);
}

u64 insn_selected(const struct jit_insn *i)
{
    bool low = i->lo->op == OP_RISBL;
    unsigned bits = low ? 31 : 63, from = 63 - bits;
    return emit_bit_range(from + (i->d.r3 & bits), from + (i->d.b2 & bits));
}

u64 insn_rotated(const struct jit_insn *i)
{
    unsigned n = (unsigned)i->d.imm & 63;
    u64 selected = insn_selected(i);
    return n ? selected >> n | selected << (64 - n) : selected;
}

/* A half that nobody looks at need not be there. */
static void registers_of_rotate(struct jit_insn *i)
{
    bool low = low_half(insn_selected(i));
    bool replaces = i->lo->op == OP_RISBG && (i->d.b2 & 0x80);
    bool keeps_high = i->lo->op != OP_RISBG && low;
    i->reads = i->reads64 = i->writes = i->writes64 = 0;
    read_reg(i, i->d.r2, !low_half(insn_rotated(i)));
    if (!replaces)
        read_reg(i, i->d.r1, !keeps_high);
    write_reg(i, i->d.r1, !keeps_high);
}

/* What the operands of the lowering do not say. */
static void registers_more(struct jit_insn *i, bool wide)
{
    switch (i->lo->op) {
    case OP_SHLD:
    case OP_SHRD:
    case OP_SARD:
    case OP_WDIV:
    case OP_WDIVS:
        read_pair(i, i->d.r1, wide);
        write_pair(i, wide);
        break;
    case OP_WMUL:
    case OP_WMULS:
        if (i->lo->a == S_NONE)
            read_reg(i, i->d.r1 + 1u, wide);
        write_pair(i, wide);
        break;
    case OP_DSG:
        read_reg(i, i->d.r1 + 1u, true);
        write_pair(i, true);
        break;
    case OP_FLOGR: write_pair(i, true); break;
    case OP_RISBG:
    case OP_RSBG:
    case OP_RISBL: registers_of_rotate(i); break;
    case OP_HMOV:
    case OP_HADD:
    case OP_HSUB:
        read_reg(i, i->d.r1, true);
        write_reg(i, i->d.r1, true);
        break;
    case OP_CDS:
        read_pair(i, i->d.r1, false);
        read_pair(i, i->d.r3, false);
        write_pair(i, false);
        break;
    case OP_CS: read_reg(i, i->d.r1, wide); break;
    case OP_CDSG:
        read_pair(i, i->d.r1, true);
        read_pair(i, i->d.r3, true);
        write_pair(i, true);
        break;
    case OP_BX:
        read_reg(i, i->d.r3, wide);
        read_reg(i, i->d.r3 | 1, wide);
        break;
    case OP_BCT:
        if (i->lo->b == S_R2)
            read_reg(i, i->d.r2, i->amode64);
        break;
    case OP_CMPB: read_reg(i, i->d.b2, i->amode64); break;
    default: break;
    }
}

/* The second operand's; those of an EXECUTE. */
static void registers_of_storage(struct jit_insn *i)
{
    read_reg(i, i->d.b2, i->amode64);
    if (i->length_reg != NO_REG)
        read_reg(i, i->length_reg, false);
    if (i->ex_at != NOT_EXECUTED && i->row->format == FMT_RX) {
        read_reg(i, i->ex.b2, i->amode64);
        read_reg(i, i->ex.r2, i->amode64);
    }
}

static void registers_of(struct jit_insn *i)
{
    const struct lowering *lo = i->lo;
    bool wide = lo->width == 64;
    registers_of_memory(i);
    bool a_narrow = lo->op == OP_STORE && narrow_ext(lo->ext);
    source_reads(i, lo->a, wide && !a_narrow);
    source_reads(i, lo->b, wide && !narrow_ext(lo->ext));
    bool address = lo->op == OP_LA || lo->op == OP_BAS || lo->op == OP_BASR;
    if (lo->dst == S_R1)
        write_reg(i, i->d.r1, wide && (i->amode64 || !address));
    if (lo->op == OP_LM || lo->op == OP_STM)
        registers_of_multiple(i);
    if (lo->op == OP_MVC || lo->op == OP_CLC || lo->op == OP_COMBINE)
        registers_of_storage(i);
    if (lo->op == OP_BRX) {
        read_reg(i, i->d.r3, wide);
        read_reg(i, i->d.r3 | 1, wide);
    }
    if (lo->op == OP_BCR || lo->op == OP_BASR)
        read_reg(i, i->d.r2, i->amode64);
    registers_more(i, wide);
}

static unsigned branch_mask(const struct jit_insn *i)
{
    u8 op = i->lo->op;
    return op == OP_LOC || op == OP_STOC ? i->d.r3 : op == OP_SEL ? i->d.b2 : i->d.r1;
}

static bool uses_cc(const struct jit_insn *i)
{
    switch (i->lo->op) {
    case OP_BC:
    case OP_BCR:
    case OP_LOC:
    case OP_STOC:
    case OP_SEL: return branch_mask(i) != 0 && branch_mask(i) != 15;
    case OP_ADC:
    case OP_SBB:
    case OP_IPM: return true;
    default: return false;
    }
}

/* Bytes that one host instruction moves: 1, 2 or 4 together. */
static bool mask_fits(unsigned mask)
{
    unsigned n = (unsigned)__builtin_popcount(mask);
    return n && n != 3 && mask >> __builtin_ctz(mask) == (1u << n) - 1;
}

/* What the lowering does not cover is left to the body. */
static bool lowering_fits(const struct jit_insn *i)
{
    switch (i->lo->op) {
    case OP_STNSM: return (i->d.r1 | SYSTEM_MASK_IO_EXT) == 0xff;
    case OP_TM: return jit_const(&i->d, i->lo->b) != 0;
    case OP_BAS:
    case OP_BASR: /* BAL and BALR: other link information in the 24-bit mode */
        return !(i->amode24 && (i->row->op == 0x45 || i->row->op == 0x05));
    case OP_SLA:
        return i->d.b2 >= ZERO_REG && (i->lo->width == 64 || ((unsigned)i->d.d2 & 63) < 32);
    case OP_ICM:
    case OP_CLM:
    case OP_STCM: return mask_fits(i->d.r3);
    case OP_SHLD:
    case OP_SHRD:
    case OP_SARD:
    case OP_FLOGR:
    case OP_WMUL:
    case OP_WMULS:
    case OP_WDIV:
    case OP_WDIVS:
    case OP_DSG: return (i->d.r1 & 1) == 0; /* else a specification exception */
    case OP_CDS:
    case OP_CDSG: return ((i->d.r1 | i->d.r3) & 1) == 0;
    case OP_MOV:
    case OP_ADD:
    case OP_CMP:
    case OP_STORE: /* misaligned relative operands are specification exceptions */
        return i->lo->b != S_REL ||
               (2 * (s64)i->d.imm + 2 * i->slot) % (int)ext_size(i->lo->ext) == 0;
    default: return true;
    }
}

static void classify(struct jit_insn *i, const struct lowering *lo, u8 mode)
{
    i->lo = i->does == i->row ? lo : jit_lowering(i->does);
    bool fp = i->lo && i->lo->op >= OP_FADD && i->lo->op <= OP_FINT;
    if (i->lo && i->lo->op == OP_BCT && i->lo->b == S_R2 && i->d.r2 == 0)
        i->lo = jit_lowering_count(i->lo->width == 64);
    if (i->lo && i->lo->op == OP_BCR && i->d.r2 == 0 && i->d.r1 >= 14)
        i->lo = jit_lowering_sync();
    if (i->lo && !(fp ? fp_fits(i, mode) : lowering_fits(i)))
        i->lo = NULL;
    if (!i->lo) {
        i->faults = i->cc_use = true;
        i->mode_check = row_changes_mode(i->row);
        return;
    }
    registers_of(i);
    operand_find(i);
    if (fp)
        fp_operands(i);
    u8 op = i->lo->op;
    bool memory = i->lo->a == S_MEM || i->lo->b == S_MEM || i->lo->b == S_REL;
    i->faults = (memory && op != OP_LA && op < OP_BC) || (fp && fp_may_call(i)) ||
                op == OP_TRAP || op == OP_SYNC || (op >= OP_WDIV && op <= OP_DSG);
    i->cc_def = i->lo->cc != CCK_NONE && op != OP_CMPJ && op != OP_CMPB && op != OP_TRAP;
    i->cc_use = uses_cc(i);
    if (i->lo->b == S_REL || op == OP_CMPJ)
        i->rel = (s64)i->slot * 2 + 2 * (s64)i->d.imm;
}

/* Is what was decoded there what the storage says? Another CPU may be storing into it now. */
static bool decoded_from(const struct jit_cx *x, const struct code_page *page,
                         const struct jit_insn *i)
{
    const struct dinsn *d = &page->slot[i->slot];
    insn_run *run = d->run;
    if (jit_is_code(x->c, run))
        run = jit_region_of(x->jit, run)->before;
    return run == i->row->run && memcmp(&d->r1, &i->d.r1, sizeof *d - sizeof d->run) == 0;
}

/* The row of an instruction; NULL: there is none. */
static const struct jit_row *row_find(struct jit *j, const u8 *text)
{
    unsigned opcode = isa_opcode(text);
    struct jit_row *r = &j->rows[(opcode ^ opcode >> 6) % JIT_ROWS];
    if (unlikely(r->opcode != opcode || !r->row)) {
        const struct isa_entry *row = isa_find(text);
        *r = (struct jit_row){opcode, row, row ? jit_lowering(row) : NULL};
    }
    return r->row ? r : NULL;
}

static enum jit_refusal decode(struct jit_cx *x, unsigned at, struct jit_insn *i)
{
    unsigned slot = at % CODE_SLOTS_ALL;
    struct code_page *page = x->pages[at / CODE_SLOTS_ALL].page;
    const struct dinsn *d = &page->slot[slot];
    unsigned left = FRAME_BYTES - slot * 2;
    u8 text[6] = {0};
    if (slot < CODE_SLOTS && d->run == code_run_decode && x->jit->eager)
        code_decode_slot(x->c, page, slot);
    if (slot >= CODE_SLOTS || d->run == code_run_cross)
        return JIT_CROSSES_PAGE;
    if (d->run == code_run_decode)
        return JIT_NOT_DECODED;
    memcpy(text, x->c->st->base + page->abs + slot * 2, left < 6 ? left : 6);
    unsigned len = isa_length(text[0]);
    const struct jit_row *known = len <= left ? row_find(x->jit, text) : NULL;
    if (!known)
        return JIT_NO_ROW;
    memset(i, 0, sizeof *i);
    memset(text + len, 0, sizeof text - len);
    const struct isa_entry *row = i->row = i->does = known->row;
    i->ex_at = NOT_EXECUTED;
    i->length_reg = NO_REG;
    isa_decode(&i->d, (enum isa_format)row->format, text);
    i->slot = (u16)slot;
    i->at = (u16)at;
    i->page = (u8)(at / CODE_SLOTS_ALL);
    if (!decoded_from(x, page, i))
        return JIT_CHANGED;
    i->len = (u8)len;
    i->target = -1;
    i->amode64 = (x->mode & JIT_MODE_AMODE) == JIT_MODE_64;
    i->amode24 = (x->mode & JIT_MODE_AMODE) == JIT_MODE_24;
    ss_execute(x, i);
    classify(i, known->lo, x->mode);
    return JIT_WELL;
}

/* Why it is not translated although it is an instruction. */
static enum jit_refusal insn_refused(const struct jit_cx *x, const struct jit_insn *i)
{
    if (i->row->flags & IF_ICPT)
        return JIT_INTERCEPTED;
    if ((i->row->flags & IF_BFP) && !(x->mode & JIT_MODE_AFP))
        return JIT_NO_AFP;
    return x->jit->lockstep && !lockstep_repeatable(i->row) ? JIT_NOT_REPEATABLE : JIT_WELL;
}
enum jit_refusal region_insn(struct jit_cx *x, unsigned at, struct jit_insn *i)
{
    if (x->insns >= x->jit->insns_max)
        return JIT_INSNS_MAX;
    enum jit_refusal why = decode(x, at, i);
    return why ? why : insn_refused(x, i);
}
