/* Where calls of what a register points to and jumps by tables have led. A busy region follows such
 * a branch to the places it leads to most times, and compares there; so nothing here is more than a
 * guess.
 * It costs the branch nothing: when a branch target has been counted to its end (jit_hot; one time
 * in JIT_LOOKS where a region is), the breaking-event address says where control came from. A
 * target that was met GUESS_SURE times is known from then on, and busy regions with the branch in
 * them are made again.
 * What is met no more gives way to what is, so a frame that has got another program learns anew. */
#include "cpu/jit/jit_internal.h"

#define GUESS_SURE 2
#define GUESS_COUNT_MAX 64   /* then all counts are halved */
#define GUESS_REMAKES_MAX 12 /* by one branch */
#define GUESS_FEW 8          /* a target met less often than once in so many is not followed */

static struct jit_guess *guess_of(struct jit *j, const struct dinsn *branch)
{
    return &j->guesses[(uintptr_t)branch / sizeof *branch % JIT_GUESSES];
}

/* The page that a logical address was executed in, or NULL. */
static struct code_page *page_of(const struct cpu *c, u64 addr)
{
    const struct tlb_code_entry *e = &c->ispace->code[tlb_code_index(addr)];
    struct code_page *page = e->page;
    bool there = e->tag == (addr & ~(u64)(FRAME_BYTES - 1)) && page->abs != CODE_ABS_NONE;
    return there ? page : NULL;
}

/* BASR, or BC. Of BCR more are returns, which lead to many places, and regions that follow these
 * grew for nothing. */
static bool is_indirect(const struct cpu *c, const struct code_page *page, unsigned at)
{
    u8 op = c->storage[page->abs + at];
    return op == 0x0d || op == 0x47;
}

/* Which of a branch's targets it is, perhaps in the place of one that is met no more. Or -1: all
 * others are worth less from now on, those too that regions follow, which nobody counts. */
static int target_of(struct jit_guess *g, u64 to)
{
    int room = -1;
    for (unsigned k = 0; k < JIT_GUESS_TARGETS; k++) {
        if (g->count[k] && g->target[k] == to)
            return (int)k;
        if (!g->count[k])
            room = (int)k;
    }
    if (room >= 0) {
        g->target[room] = to;
        g->known &= (u8) ~(1u << room);
        return room;
    }
    for (unsigned k = 0; k < JIT_GUESS_TARGETS; k++)
        g->count[k]--;
    return -1;
}

static void count(struct jit_guess *g, unsigned k)
{
    if (++g->count[k] < GUESS_COUNT_MAX)
        return;
    for (unsigned i = 0; i < JIT_GUESS_TARGETS; i++)
        g->count[i] -= g->count[i] / 2; /* what is known stays */
}

void jit_guess_saw(struct cpu *c, const struct dinsn *to)
{
    struct code_page *page = c->bear_slot || (c->bear & 1) ? NULL : page_of(c, c->bear);
    unsigned at = c->bear & (FRAME_BYTES - 1);
    if (!page || !is_indirect(c, page, at))
        return;
    const struct dinsn *branch = &page->slot[at / 2];
    page->profiled = true;
    struct jit_guess *g = guess_of(c->jit, branch);
    if (g->branch != branch)
        *g = (struct jit_guess){.branch = branch};
    int k = target_of(g, cpu_slot_address(c, to));
    if (k < 0)
        return;
    count(g, (unsigned)k);
    if (g->count[k] < GUESS_SURE || (g->known >> k & 1) || g->remakes == GUESS_REMAKES_MAX)
        return;
    g->known |= (u8)(1u << k);
    g->remakes++;
    jit_remake_deep(c, page, at);
}

void jit_guess_forget(struct jit *j, const struct dinsn *branch)
{
    struct jit_guess *g = guess_of(j, branch);
    if (g->branch == branch)
        *g = (struct jit_guess){.branch = NULL};
}

unsigned jit_guesses(const struct jit *j, const struct dinsn *branch, u64 *to)
{
    const struct jit_guess *g = &j->guesses[(uintptr_t)branch / sizeof *branch % JIT_GUESSES];
    unsigned n = 0, all = 0;
    if (g->branch != branch)
        return 0;
    for (unsigned k = 0; k < JIT_GUESS_TARGETS; k++)
        all += g->count[k];
    for (unsigned k = 0; k < JIT_GUESS_TARGETS; k++) {
        if ((g->known >> k & 1) && g->count[k] && g->count[k] >= all / GUESS_FEW)
            to[n++] = g->target[k];
    }
    return n;
}
