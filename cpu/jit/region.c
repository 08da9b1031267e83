/* Choosing what to translate, and what must be known before emission.
 * A region is what can be reached inside one page from a hot branch target, through instructions
 * that have been executed before: a slot that was never decoded is a path not taken so far, and
 * leads out of the region. That is the profile.
 * Blocks are in the order of addresses. */
#include "cpu/jit/jit_internal.h"
#include "cpu/jit/lockstep.h"

#include <stdlib.h>

#define LOOP_DEPTH_MAX 3
#define CC_SCAN_DEPTH 6
#define FIELD_REGS 16u
#define RESIDENT_WEIGHT_MIN 4 /* fewer uses are as cheap in memory */

static u16 bit(unsigned g)
{
    return g < FIELD_REGS ? (u16)(1u << g) : 0;
}

/* ---- instructions ---- */

/* Bodies behind which translated code may go on; others never end in 0, or rarely. */
static bool row_goes_on(const struct isa_entry *row)
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
    bool sil = i->row->format == FMT_SIL;
    bool indexed = i->row->format == FMT_RX || i->row->format == FMT_RXY ||
                   i->row->format == FMT_RX_M || i->row->format == FMT_RXE ||
                   i->row->format == FMT_RXF;
    bool ss = i->row->format == FMT_SS_L;
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
    case OP_RISBL: read_reg(i, i->d.r2, true); break;
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
    if (lo->op == OP_MVC || lo->op == OP_CLC)
        read_reg(i, i->d.b2, true);
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
    case OP_CLC:
    case OP_MVC:
    case OP_XC: return ss_fits(i);
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

static void classify(struct jit_insn *i, u8 mode)
{
    i->lo = jit_lowering(i->row);
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
static bool decoded_from(const struct jit_cx *x, unsigned slot, const struct jit_insn *i)
{
    const struct dinsn *d = &x->page->slot[slot];
    insn_run *run = d->run;
    if (jit_is_code(x->c, run))
        for (const struct jit_region *r = x->page->jit; r; r = r->next)
            if (r->entry == slot)
                run = r->before;
    return run == i->row->run && memcmp(&d->r1, &i->d.r1, sizeof *d - sizeof d->run) == 0;
}

/* Decode the instruction at `slot` again; or why that is no instruction of the region. */
static enum jit_refusal insn_at(struct jit_cx *x, unsigned slot, struct jit_insn *i)
{
    const struct dinsn *d = &x->page->slot[slot];
    unsigned left = FRAME_BYTES - slot * 2;
    u8 text[6] = {0};
    if (slot < CODE_SLOTS && d->run == code_run_decode && x->jit->eager)
        code_decode_slot(x->c, x->page, slot);
    if (slot >= CODE_SLOTS || d->run == code_run_cross)
        return JIT_CROSSES_PAGE;
    if (d->run == code_run_decode)
        return JIT_NOT_DECODED;
    memcpy(text, x->c->st->base + x->page->abs + slot * 2, left < 6 ? left : 6);
    unsigned len = isa_length(text[0]);
    const struct isa_entry *row = len <= left ? isa_find(text) : NULL;
    if (!row)
        return JIT_NO_ROW;
    memset(i, 0, sizeof *i);
    memset(text + len, 0, sizeof text - len);
    i->row = row;
    isa_decode(&i->d, (enum isa_format)row->format, text);
    if (!decoded_from(x, slot, i))
        return JIT_CHANGED;
    i->slot = (u16)slot;
    i->len = (u8)len;
    i->target = -1;
    i->amode64 = (x->mode & JIT_MODE_AMODE) == JIT_MODE_64;
    i->amode24 = (x->mode & JIT_MODE_AMODE) == JIT_MODE_24;
    classify(i, x->mode);
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

/* ---- reachability ---- */

static bool ends_block(const struct jit_insn *i)
{
    return i->lo ? i->lo->op >= OP_BC : (i->row->flags & IF_BRANCH) || !row_goes_on(i->row);
}

/* May control go on behind it, inside the region? */
static bool falls_through(const struct jit_insn *i)
{
    if (!i->lo)
        return row_goes_on(i->row);
    switch (i->lo->op) {
    case OP_BC:
    case OP_BCR: return i->d.r1 != 15 || (i->lo->op == OP_BCR && i->d.r2 == 0);
    case OP_BAS: return false;
    case OP_BASR: return i->d.r2 == 0;
    default: return true;
    }
}

/* Slot of a relative branch target in this page, or -1. */
static int target_slot(const struct jit_insn *i)
{
    if (!i->lo || i->lo->op < OP_BC || (i->lo->b != S_REL && i->lo->op != OP_CMPJ))
        return -1;
    bool never =
        (i->lo->op == OP_BC && i->d.r1 == 0) || (i->lo->op == OP_CMPJ && (i->d.r3 & 14) == 0);
    return never || i->rel < 0 || i->rel >= FRAME_BYTES ? -1 : (int)(i->rel / 2);
}

struct todo {
    u16 slot[REGION_INSNS_MAX * 2];
    unsigned head, tail;
};

static void todo_add(struct jit_cx *x, struct todo *t, unsigned slot)
{
    x->leader[slot] = 1;
    if (x->slot_insn[slot] < 0 && t->tail < ARRAY_LEN(t->slot))
        t->slot[t->tail++] = (u16)slot;
}

/* Follow a run of instructions from `slot` to its end. */
static void walk(struct jit_cx *x, struct todo *t, unsigned slot)
{
    while (slot < CODE_SLOTS && x->slot_insn[slot] < 0) {
        struct jit_insn *i = &x->insn[x->insns];
        enum jit_refusal why =
            x->insns < x->jit->insns_max ? insn_at(x, slot, i) : JIT_INSNS_MAX;
        why = why ? why : insn_refused(x, i);
        if (why) {
            x->refused = why;
            x->jit->stats.ends[why]++;
            return;
        }
        x->slot_insn[slot] = (s16)x->insns++;
        i->target = (s16)target_slot(i);
        if (i->lo && i->lo->op == OP_BAS)
            i->target = -1; /* a call leaves the region */
        slot += i->len / 2;
        if (i->target >= 0)
            todo_add(x, t, (unsigned)i->target);
        if (ends_block(i)) {
            if (falls_through(i) && slot < CODE_SLOTS)
                todo_add(x, t, slot);
            return;
        }
    }
}

/* ---- blocks ---- */

static int by_slot(const void *a, const void *b)
{
    return (int)((const struct jit_insn *)a)->slot - (int)((const struct jit_insn *)b)->slot;
}

static void blocks_cut(struct jit_cx *x)
{
    qsort(x->insn, x->insns, sizeof x->insn[0], by_slot);
    for (unsigned i = 0; i < x->insns; i++)
        x->slot_insn[x->insn[i].slot] = (s16)i;
    bool open = false;
    for (unsigned i = 0; i < x->insns; i++) {
        struct jit_insn *in = &x->insn[i];
        bool joined = i > 0 && x->insn[i - 1].slot + x->insn[i - 1].len / 2 == in->slot;
        if (!open || !joined || x->leader[in->slot]) {
            if (x->blocks == REGION_BLOCKS_MAX) {
                x->refused = JIT_BLOCKS_MAX;
                x->jit->stats.ends[JIT_BLOCKS_MAX]++;
                x->insns = i;
                return;
            }
            x->block[x->blocks++] =
                (struct jit_block){.first = (u16)i, .fall = -1, .taken = -1};
        }
        struct jit_block *b = &x->block[x->blocks - 1];
        b->count++;
        x->slot_block[in->slot] = b->first == i ? (s16)(x->blocks - 1) : (s16)-1;
        open = !ends_block(in);
    }
}

static int block_at(const struct jit_cx *x, int slot)
{
    if (slot < 0 || slot >= (int)CODE_SLOTS || x->slot_insn[slot] < 0 ||
        x->slot_insn[slot] >= (int)x->insns)
        return -1;
    return x->slot_block[slot];
}

static const struct jit_insn *block_last(const struct jit_cx *x, const struct jit_block *b)
{
    return &x->insn[b->first + b->count - 1];
}

static void blocks_link(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        struct jit_block *b = &x->block[k];
        const struct jit_insn *last = block_last(x, b);
        if (falls_through(last))
            b->fall = (s16)block_at(x, last->slot + last->len / 2);
        b->taken = (s16)block_at(x, last->target);
        if (b->fall >= 0)
            x->block[b->fall].preds++;
        if (b->taken >= 0)
            x->block[b->taken].preds++;
    }
}

static void loops_find(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        int to = x->block[k].taken;
        if (to < 0 || to > (int)k)
            continue;
        x->block[to].loop_head = true;
        for (unsigned j = (unsigned)to; j <= k; j++)
            if (x->block[j].depth < LOOP_DEPTH_MAX)
                x->block[j].depth++;
    }
}

bool region_find(struct jit_cx *x, unsigned slot)
{
    struct todo t = {.head = 0, .tail = 0};
    memset(x->slot_insn, 0xff, sizeof x->slot_insn);
    memset(x->slot_block, 0xff, sizeof x->slot_block);
    memset(x->leader, 0, sizeof x->leader);
    x->insns = x->blocks = x->stubs = 0;
    x->granules = 0;
    todo_add(x, &t, slot);
    while (t.head < t.tail)
        walk(x, &t, t.slot[t.head++]);
    if (x->insns == 0)
        return false;
    blocks_cut(x);
    if (block_at(x, (int)slot) < 0)
        return false;
    blocks_link(x);
    x->block[block_at(x, (int)slot)].preds++; /* the way in */
    x->entry_slot = slot;
    loops_find(x);
    for (unsigned i = 0; i < x->insns; i++) {
        unsigned from = x->insn[i].slot * 2u, last = from + x->insn[i].len - 1;
        x->granules |= 1ull << (from / 64) | 1ull << (last / 64);
    }
    if (x->insns > 1 || x->insn[0].lo)
        return true;
    x->refused = JIT_ONE_BODY;
    return false;
}

/* ---- registers ---- */

struct weights {
    u64 all[16], write32[16], read64[16];
};

static void weigh(const struct jit_cx *x, struct weights *w)
{
    memset(w, 0, sizeof *w);
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        u64 unit = 1ull << (3 * b->depth);
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            const struct jit_insn *in = &x->insn[i];
            for (unsigned g = 0; g < 16; g++) {
                w->all[g] += unit * (in->reads >> g & 1u) + unit * (in->writes >> g & 1u);
                w->write32[g] += unit * ((in->writes & ~in->writes64) >> g & 1u);
                w->read64[g] += unit * (in->reads64 >> g & 1u);
            }
        }
    }
}

static void hosts_assign(struct jit_cx *x)
{
    static const s8 pool[] = {RBX, R12, R8, R9, R10, R11, RSI, RDI, R13, R14};
    struct weights w;
    weigh(x, &w);
    for (unsigned g = 0; g < 17; g++)
        x->host[g] = HOST_NONE;
    x->resident = x->low_class = 0;
    for (unsigned k = 0; k < ARRAY_LEN(pool) - x->windows; k++) {
        unsigned best = 0;
        for (unsigned g = 1; g < 16; g++)
            if (w.all[g] > w.all[best])
                best = g;
        if (w.all[best] < RESIDENT_WEIGHT_MIN)
            break;
        w.all[best] = 0;
        x->host[best] = pool[k];
        x->resident |= bit(best);
        if (w.write32[best] > w.read64[best])
            x->low_class |= bit(best);
    }
}

static void dirty_find(struct jit_cx *x)
{
    u16 out[REGION_BLOCKS_MAX];
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        u16 w = 0;
        bool fn = false;
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            if (!x->insn[i].lo)
                w = 0, fn = true;
            w |= x->insn[i].writes;
        }
        out[k] = w & x->resident;
        x->block[k].dirty_in = 0;
        x->block[k].fn = fn;
        x->written |= out[k];
    }
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = 0; k < x->blocks; k++) {
            struct jit_block *b = &x->block[k];
            u16 now = out[k] | (b->fn ? 0 : b->dirty_in);
            for (unsigned s = 0; s < 2; s++) {
                int to = s ? b->taken : b->fall;
                if (to < 0 || (x->block[to].dirty_in | now) == x->block[to].dirty_in)
                    continue;
                x->block[to].dirty_in |= now;
                again = true;
            }
        }
    }
}

/* Registers that must be loaded where the region is entered: read before they are written, or
 * stored on some way out without having been written on the way there. */
static void loads_find(struct jit_cx *x)
{
    u16 have[REGION_BLOCKS_MAX]; /* valid for certain at the end of a block */
    unsigned entry = (unsigned)x->slot_block[x->entry_slot];
    x->load = 0;
    for (unsigned k = 0; k < x->blocks; k++)
        have[k] = 0xffff;
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = 0; k < x->blocks; k++) {
            u16 in = k == entry ? 0 : 0xffff;
            for (unsigned p = 0; p < x->blocks; p++)
                if (x->block[p].fall == (int)k || x->block[p].taken == (int)k)
                    in &= have[p];
            const struct jit_block *b = &x->block[k];
            u16 now = in | x->load;
            x->load |= b->dirty_in & (u16)~now;
            for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
                const struct jit_insn *in_i = &x->insn[i];
                x->load |= in_i->reads & (u16) ~(now | x->load);
                now = in_i->lo ? (u16)(now | in_i->writes) : (u16)0xffff;
            }
            if (now != have[k] && (now & have[k]) != have[k]) {
                have[k] &= now;
                again = true;
            }
        }
    }
    x->load &= x->resident;
}

/* ---- the condition code ---- */

/* May control leave the region behind this block? A branch backward does when the budget is spent:
 * what nobody in the region asks for is asked for there. */
static bool leaves(const struct jit_cx *x, const struct jit_block *b)
{
    const struct jit_insn *last = block_last(x, b);
    bool branch_out = last->lo ? last->lo->op >= OP_BC && b->taken < 0 : true;
    bool backward = b->taken >= 0 && &x->block[b->taken] <= b;
    return b->fall < 0 || branch_out || backward;
}

static void cc_live_find(struct jit_cx *x)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = x->blocks; k-- > 0;) {
            struct jit_block *b = &x->block[k];
            if (b->cc_live_in)
                continue;
            unsigned i = b->first, end = i + b->count;
            while (i < end && !x->insn[i].faults && !x->insn[i].cc_use && !x->insn[i].cc_def)
                i++;
            bool live = i < end
                            ? x->insn[i].faults || x->insn[i].cc_use
                            : leaves(x, b) || (b->fall >= 0 && x->block[b->fall].cc_live_in) ||
                                  (b->taken >= 0 && x->block[b->taken].cc_live_in);
            if (live)
                b->cc_live_in = again = true;
        }
    }
}

u16 cc_operands(const struct jit_insn *i, bool *again)
{
    const struct lowering *lo = i->lo;
    *again = false;
    if (lo->op >= OP_ADC && lo->op < OP_BC)
        return 0;
    *again = true;
    if (lo->cc == CCK_FP) /* kept apart */
        return 0;
    if (lo->a == S_MEM || lo->b == S_MEM || lo->b == S_REL)
        *again = lo->op != OP_CMP && lo->op != OP_TM && lo->cc != CCK_ARITH &&
                 lo->cc != CCK_CARRY && lo->cc != CCK_BORROW;
    u16 result = lo->dst == S_R1 ? bit(i->d.r1) : 0;
    u16 a = bit(jit_reg(&i->d, lo->a)), b = bit(jit_reg(&i->d, lo->b));
    if (lo->op == OP_CMP || lo->op == OP_TM)
        return a | b;
    if (lo->cc == CCK_LOGIC || lo->cc == CCK_SIGNED)
        return result;
    if (lo->op == OP_NEG || (result & b))
        *again = false; /* the second operand is gone */
    return result | b;
}

struct cc_scan {
    const struct jit_insn *of;
    u16 operands;
    bool again; /* what it was made from is still there */
    enum cc_need need;
};

static bool scan_ask(struct cc_scan *s)
{
    s->need = s->again ? CC_STUBS : CC_MEMORY;
    return !s->again;
}

/* One block from instruction i on. True when the answer is final along this path. */
static bool scan_block(const struct jit_cx *x, struct cc_scan *s, const struct jit_block *b,
                       unsigned i, bool fresh)
{
    for (; i < b->first + (unsigned)b->count; i++, fresh = false) {
        const struct jit_insn *in = &x->insn[i];
        if (in->cc_use && !in->lo) {
            s->need = CC_MEMORY;
            return true;
        }
        if ((in->faults || (in->cc_use && !fresh)) && scan_ask(s))
            return true;
        if (in->cc_def)
            return true;
        if (in->writes & s->operands)
            s->again = false;
    }
    return false;
}

static void scan_path(const struct jit_cx *x, struct cc_scan *s, const struct jit_block *b,
                      unsigned i, bool fresh, unsigned depth)
{
    if (scan_block(x, s, b, i, fresh))
        return;
    if (leaves(x, b) && scan_ask(s))
        return;
    for (unsigned k = 0; k < 2 && s->need != CC_MEMORY; k++) {
        int to = k ? b->taken : b->fall;
        const struct jit_block *t = to < 0 ? NULL : &x->block[to];
        if (!t || !t->cc_live_in)
            continue;
        if (t->preds != 1 || t <= b || depth == 0) {
            s->need = CC_MEMORY;
            return;
        }
        struct cc_scan sub = *s;
        scan_path(x, &sub, t, t->first, false, depth - 1);
        if (sub.need > s->need)
            s->need = sub.need;
    }
}

enum cc_need region_cc_need(const struct jit_cx *x, unsigned i)
{
    struct cc_scan s = {.of = &x->insn[i], .need = CC_DEAD};
    s.operands = cc_operands(s.of, &s.again);
    scan_path(x, &s, &x->block[x->cur_block], i + 1, true, CC_SCAN_DEPTH);
    return s.need;
}

void region_analyse(struct jit_cx *x)
{
    x->written = 0;
    windows_find(x);
    hosts_assign(x);
    dirty_find(x);
    loads_find(x);
    cc_live_find(x);
}
