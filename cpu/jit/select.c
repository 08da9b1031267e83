/* Short branches that go both ways are made into moves: the few instructions a branch would skip
 * are executed in any case, and a conditional move puts back what they changed. The host guesses
 * wrongly at half of such branches, and each wrong guess costs more than the instructions.
 * A region that is not deep counts which way its candidates go; the deep one converts those that
 * went the rarer way at least once in SELECT_SHARE times.
 * [S2] A region may be entered in what is skipped, because that became hot by itself: so the branch
 * goes both ways, whether counted or not, and the block has code of its own, too, for that.
 * [S1] What is skipped cannot fault, asks for no condition code, writes at most two registers, and
 * nobody behind it asks for the condition code that it would leave. */
#include "cpu/jit/emit_internal.h"

#define SELECT_INSNS_MAX 6
#define SELECT_COUNTED_MIN 64
#define SELECT_SHARE 8

static bool plain(const struct jit_insn *i)
{
    if (!i->lo || i->faults || i->cc_use)
        return false;
    switch (i->lo->op) {
    case OP_MOV:
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_MUL:
    case OP_NEG:
    case OP_LA:
    case OP_SHL:
    case OP_SHR:
    case OP_SAR:
    case OP_ROL:
    case OP_INSERT:
    case OP_RISBG: return true;
    default: return false;
    }
}

static bool is_entry(const struct jit_cx *x, int k)
{
    return k == x->slot_block[x->entry_slot];
}

/* The registers that the skipped block writes; 0: it is none that can be converted. */
static u16 skipped_writes(const struct jit_cx *x, const struct jit_block *b)
{
    const struct jit_block *skipped = &x->block[b->fall];
    u16 writes = 0;
    if (skipped->count > SELECT_INSNS_MAX || skipped->preds != 1 + is_entry(x, b->fall) ||
        skipped->taken >= 0 || skipped->fall != b->taken)
        return 0;
    for (unsigned i = skipped->first; i < skipped->first + (unsigned)skipped->count; i++) {
        if (!plain(&x->insn[i]))
            return 0;
        writes |= x->insn[i].writes;
    }
    return __builtin_popcount(writes) <= SELECT_WRITES_MAX ? writes : 0;
}

static bool candidate(const struct jit_cx *x, unsigned k)
{
    const struct jit_block *b = &x->block[k];
    const struct jit_insn *last = region_last(x, b);
    return last->lo && last->lo->op == OP_BC && last->d.r1 != 0 && last->d.r1 != 15 &&
           b->fall == (int)k + 1 && b->taken > b->fall && !region_crosses(x, b, b->taken) &&
           !x->block[b->taken].cc_live_in && skipped_writes(x, b) != 0;
}

static struct jit_ways *ways_of(const struct jit_cx *x, const struct jit_block *b)
{
    const struct jit_insn *last = region_last(x, b);
    const struct dinsn *slot = &x->pages[last->page].page->slot[last->slot];
    struct jit_ways *w = &x->jit->ways[(uintptr_t)slot / sizeof *slot % JIT_WAYS];
    if (w->slot != slot)
        *w = (struct jit_ways){.slot = slot};
    return w;
}

static bool goes_both_ways(const struct jit_cx *x, const struct jit_block *b)
{
    const struct jit_ways *w = ways_of(x, b);
    u64 all = (u64)w->taken + w->not_taken;
    u64 less = w->taken < w->not_taken ? w->taken : w->not_taken;
    return x->jit->eager || (all >= SELECT_COUNTED_MIN && less * SELECT_SHARE >= all);
}

void select_find(struct jit_cx *x)
{
    x->select_temps = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        struct jit_block *b = &x->block[k];
        if (!candidate(x, k))
            continue;
        b->counted = !x->deep && !x->jit->eager && x->jit->insns_max > 1;
        b->selects = x->deep && (is_entry(x, b->fall) || goes_both_ways(x, b)); /* [S2] */
        if (b->selects)
            x->select_temps = 1;
    }
}

/* Registers of the class whose high halves are in memory are written in 32 bits, others in 64:
 * so nothing that is made on the way reaches memory. */
static bool widths_fit(const struct jit_cx *x, const struct jit_block *skipped)
{
    const struct jit_zone *z = &x->zones[skipped->zone];
    for (unsigned i = skipped->first; i < skipped->first + (unsigned)skipped->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        u16 narrow = in->writes & (u16)~in->writes64;
        if ((in->writes & ~z->resident) || (in->writes64 & z->low_class) ||
            (narrow & ~z->low_class))
            return false;
    }
    return true;
}

void select_check(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        struct jit_block *b = &x->block[k];
        b->selects = b->selects && b->zone == x->block[b->fall].zone &&
                     b->zone == x->block[b->taken].zone && widths_fit(x, &x->block[b->fall]);
        if (b->selects)
            x->block[b->fall].skipped = true;
    }
}

/* ---- emission ---- */

static void count_way(struct jit_cx *x, u32 *counter)
{
    x64_mov_i(&x->a, RCX, (u64)(uintptr_t)counter);
    x64_gi_mem(&x->a, false, G_ADD, x64_at(RCX, 0), 1);
}

void select_count(struct jit_cx *x, bool taken)
{
    const struct jit_block *b = &x->block[x->cur_block];
    if (!b->counted)
        return;
    struct jit_ways *w = ways_of(x, b);
    count_way(x, taken ? &w->taken : &w->not_taken);
}

/* Execute the skipped block here. */
static void execute_skipped(struct jit_cx *x, unsigned k)
{
    unsigned cur = x->cur, block = x->cur_block, done = x->done;
    u16 zero_high = x->zero_high;
    x->cur_block = k;
    emit_instructions(x, k);
    reg_settle(x, k);
    x->zero_high &= zero_high; /* old values may come back */
    x->cur = cur;
    x->cur_block = block;
    x->done = done;
}

/* How a branch becomes moves. Old values wait in the CPU's registers, which know nothing of the way
 * that is not taken; but the zone's host register has one when it need not have the condition. */
struct select {
    u16 writes;
    unsigned temp;
    unsigned kept;             /* whose old value is there, or ZERO_REG: the condition is */
    const struct jit_insn *of; /* what makes the condition again */
    enum x64_cond cond;
};

/* The register whose old value is needed soonest: one that the skipped block itself reads. */
static unsigned kept_register(const struct jit_cx *x, const struct jit_block *skipped,
                              u16 writes)
{
    u16 read = 0, written = 0;
    for (unsigned i = skipped->first; i < skipped->first + (unsigned)skipped->count; i++) {
        read |= x->insn[i].reads & (u16)~written;
        written |= x->insn[i].writes;
    }
    return (unsigned)__builtin_ctz(read & writes ? read & writes : writes);
}

static void old_values_keep(struct jit_cx *x, const struct select *s)
{
    for (unsigned of = s->writes; of; of &= of - 1) {
        unsigned g = (unsigned)__builtin_ctz(of), host = (unsigned)x->host[g];
        bool wide = !(x->lo >> g & 1);
        if (g == s->kept)
            x64_rr(&x->a, wide, A_MOV, s->temp, host);
        else if (x->dirty >> g & 1)
            x64_rm(&x->a, wide, A_MOV_STORE, host, home(g));
    }
}

static void old_values_back(struct jit_cx *x, const struct select *s)
{
    for (unsigned of = s->writes; of; of &= of - 1) {
        unsigned g = (unsigned)__builtin_ctz(of), host = (unsigned)x->host[g];
        bool wide = !(x->lo >> g & 1);
        if (g == s->kept)
            x64_cmov(&x->a, wide, s->cond, host, s->temp);
        else
            x64_rm(&x->a, wide, A_CMOVO + s->cond, host, home(g));
    }
}

/* Instructions counted, and the last taken branch. */
static void select_note(struct jit_cx *x, const struct select *s, const struct jit_block *b)
{
    struct x64 *a = &x->a;
    enum x64_cond not = s->cond ^ 1;
    x64_rm(a, true, A_LEA, RAX, x64_at(H_N, -(s32)x->block[b->fall].count));
    x64_cmov(a, true, not, H_N, RAX);
    emit_slot(x, RCX, region_last(x, b)->slot);
    x64_rm(a, true, A_CMOVO + not, RCX, CPU_AT(bear_slot));
    x64_rm(a, true, A_MOV_STORE, RCX, CPU_AT(bear_slot));
}

/* When its condition can be made again behind the skipped block, that is done; else it waits. */
static bool select_begin(struct jit_cx *x, const struct jit_block *b, struct select *s)
{
    unsigned mask = region_last(x, b)->d.r1;
    s->writes = skipped_writes(x, b);
    s->temp = (unsigned)x->zones[x->zone].temp;
    s->kept = ZERO_REG;
    s->of = x->cc.of;
    if (cc_cond_again(x, mask, s->writes, &s->cond)) {
        s->kept = kept_register(x, &x->block[b->fall], s->writes);
        return true;
    }
    if (!cc_one_cond(x, mask, &s->cond))
        return false;
    x64_setcc(&x->a, s->cond, s->temp);
    s->cond = CC_NE;
    return true;
}

bool select_emit(struct jit_cx *x)
{
    const struct jit_block *b = &x->block[x->cur_block];
    unsigned skipped = (unsigned)b->fall;
    struct select s;
    if (!b->selects) /* there may be no block behind it */
        return false;
    if (!select_begin(x, b, &s)) {
        x->a.full |= x->no_windows; /* the block was left out: no region */
        x->block[skipped].skipped = false;
        return false;
    }
    cc_is_in_memory(x); /* nobody asks for it [S1] */
    emit_bear(x);
    reg_settle(x, skipped);
    old_values_keep(x, &s);
    execute_skipped(x, skipped);
    if (s.kept == ZERO_REG)
        x64_rr8(&x->a, 0x84, s.temp, s.temp); /* test */
    else
        cc_again(x, s.of);
    old_values_back(x, &s);
    select_note(x, &s, b);
    cc_is_in_memory(x);
    reg_settle(x, (unsigned)b->taken);
    if ((unsigned)b->taken != skipped + 1 || x->no_windows || is_entry(x, b->fall))
        emit_jump_block(x, (unsigned)b->taken);
    return true;
}
