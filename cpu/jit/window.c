/* Windows: storage operands of one base register behind one look-up in the TLB.
 * Inside a block, operands whose base register keeps its value and which lie close together are
 * found with the first of them: their whole range must be in one page that the TLB has, then a
 * host register holds the host address of the base. When it is not so, the region is left to the
 * interpreter at that instruction, which has the exception by itself. Deep regions have the rest
 * of the block once more, without windows, for a range that crosses into another page which the
 * TLB has too: a stack frame may lie so in each round of a loop. What an anchor serves (anchor.c)
 * needs no window.
 * [W1] Translations in use stay valid until the block ends: purges of other CPUs are carried out
 * between stretches, own ones by bodies, and a body closes all windows.
 * [W2] A window made for storing serves fetches too (who may store may fetch; R comes with C). */
#include "cpu/jit/emit_internal.h"

#define WINDOW_SAVES 8       /* host instructions an operand */
#define WINDOW_BYTES_MAX 512 /* the wider, the more often it crosses a page */

static bool floating(const struct jit_insn *i)
{
    return i->lo->op >= OP_FADD && i->lo->op <= OP_FINT;
}

static unsigned operand_served(const struct jit_insn *i)
{
    if (i->base >= ZERO_REG && i->index >= ZERO_REG)
        return 0;
    if (floating(i))
        return i->lo->b == S_MEM ? ext_size(i->lo->ext) : 0;
    switch (i->lo->op) {
    case OP_LM:
    case OP_STM: return ext_size(i->lo->ext) * (((i->d.r3 - i->d.r1) & 15u) + 1);
    case OP_MOV:
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_MUL:
    case OP_CMP:
    case OP_TEST:
    case OP_TM:
    case OP_IC:
    case OP_STORE: return i->lo->a == S_MEM || i->lo->b == S_MEM ? ext_size(i->lo->ext) : 0;
    case OP_CLC:
    case OP_COMBINE: return ss_bytes(i);
    default: return 0;
    }
}

void operand_find(struct jit_insn *i)
{
    u8 op = i->lo->op;
    i->served = (u16)operand_served(i);
    i->stores = op == OP_STORE || op == OP_STM || op == OP_FSTORE || op == OP_COMBINE;
}

bool operand_calls(const struct jit_insn *i)
{
    return (floating(i) && fp_may_call(i)) || i->lo->op == OP_CLC;
}

/* ---- windows ---- */

struct plan {
    bool open;
    bool store;
    u8 base;
    s32 from, to;
    unsigned last; /* instruction that uses it */
};

/* What a window opened at instruction i would serve; false when nothing but i itself. */
static bool plan_at(const struct jit_cx *x, unsigned i, unsigned end, struct plan *p)
{
    const struct jit_insn *first = &x->insn[i];
    unsigned users = 1;
    *p = (struct plan){.open = true,
                       .store = first->stores,
                       .base = first->base,
                       .from = first->disp,
                       .to = first->disp + (s32)operand_bytes(first),
                       .last = i};
    for (unsigned k = i; k + 1 < end && !(x->insn[k].writes >> p->base & 1); k++) {
        const struct jit_insn *in = &x->insn[k + 1];
        unsigned bytes = operand_bytes(in);
        if (!in->lo)
            break;
        if (!bytes || in->anchor || in->base != p->base || (in->stores && !p->store))
            continue;
        s32 from = in->disp < p->from ? in->disp : p->from;
        s32 to = in->disp + (s32)bytes > p->to ? in->disp + (s32)bytes : p->to;
        if (to - from > WINDOW_BYTES_MAX)
            continue;
        p->from = from;
        p->to = to;
        p->last = k + 1;
        users++;
    }
    return users > 1;
}

static bool serves(const struct plan *p, const struct jit_insn *i, unsigned bytes)
{
    return p->open && p->base == i->base && (p->store || !i->stores) && i->disp >= p->from &&
           i->disp + (s32)bytes <= p->to;
}

static void window_open(struct jit_cx *x, struct jit_insn *in, const struct plan *p, unsigned w)
{
    in->window = (u8)(w + 1);
    in->window_opens = true;
    in->window_store = p->store;
    in->window_from = p->from;
    in->window_bytes = (u16)(p->to - p->from);
    if (x->windows < w + 1)
        x->windows = w + 1;
}

static void plan_operand(struct jit_cx *x, struct plan *plans, unsigned i, unsigned end)
{
    struct jit_insn *in = &x->insn[i];
    unsigned bytes = operand_bytes(in);
    struct plan p;
    if (!bytes || in->anchor)
        return;
    for (unsigned w = 0; w < WINDOWS_MAX; w++) {
        if (serves(&plans[w], in, bytes)) {
            in->window = (u8)(w + 1);
            in->faults = x->deep || operand_calls(in); /* emit_rest looks up */
            return;
        }
    }
    if (!plan_at(x, i, end, &p))
        return;
    for (unsigned w = 0; w < WINDOWS_MAX; w++) {
        if (plans[w].open && plans[w].last > i)
            continue;
        plans[w] = p;
        window_open(x, in, &p, w);
        return;
    }
}

void windows_find(struct jit_cx *x)
{
    x->windows = x->anchors = 0;
    if ((x->mode & JIT_MODE_AMODE) != JIT_MODE_64)
        return; /* addresses wrap */
    anchors_find(x);
    for (unsigned k = 0; k < x->blocks; k++) {
        struct plan plans[WINDOWS_MAX] = {{0}};
        const struct jit_block *b = &x->block[k];
        unsigned end = b->first + (unsigned)b->count;
        for (unsigned i = b->first; i < end; i++) {
            const struct jit_insn *in = &x->insn[i];
            plan_operand(x, plans, i, end);
            for (unsigned w = 0; w < WINDOWS_MAX; w++)
                if (!in->lo || (in->writes >> plans[w].base & 1))
                    plans[w].open = false;
        }
    }
}

/* Each operand behind the first saves a look-up. */
u64 window_gain(const struct jit_cx *x, unsigned w)
{
    u64 gain = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            if (x->insn[i].window == w && !x->insn[i].window_opens)
                gain += WINDOW_SAVES * block_unit(b);
    }
    return gain;
}

void window_drop(struct jit_cx *x, unsigned w)
{
    for (unsigned i = 0; i < x->insns; i++)
        if (x->insn[i].window == w) {
            x->insn[i].window = 0;
            x->insn[i].window_opens = false;
            x->insn[i].faults = true;
        }
}

unsigned window_host(unsigned window)
{
    return window == 1 ? R14 : R13;
}

bool page_fill(struct cpu *c, u64 addr, bool store)
{
    struct tlb_space *sp = c->space[0];
    const struct tlb_entry *e =
        store ? &sp->store[tlb_index(addr)] : &sp->fetch[tlb_index(addr)];
    u64 page = addr & ~(u64)(FRAME_BYTES - 1);
    return e->tag == page ||
           (cpu_translate(c, sp, addr, store ? TLB_STORE : TLB_FETCH) == 0 && e->tag == page);
}

enum window_fill jit_window_fill(struct cpu *c, u64 from, u64 bytes, bool store)
{
    u64 last = from + bytes - 1;
    bool one = ((from ^ last) & ~(u64)(FRAME_BYTES - 1)) == 0;
    if (!one) /* each operand is looked up: not all of them may store, nor in both pages */
        return WINDOW_CROSSES;
    return page_fill(c, from, store) ? WINDOW_FILLED : WINDOW_NOT;
}
