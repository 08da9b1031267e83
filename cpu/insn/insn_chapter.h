/* Makes the dispatching functions and the table of one chapter from its rows.
 * Included at the end of a chapter file, with CHAPTER_DEF and CHAPTER_NAME defined. Under
 * ENDICOTT_LOOP_DISPATCH (sanitizer builds) each function returns to the loop instead of jumping
 * to its successor: same bodies, same order. */
#include "cpu/insn/insn.h"
#include "cpu/jit/jit.h"

#ifdef ENDICOTT_LOOP_DISPATCH
#define CHAPTER_DISPATCH(c, d, n) return cpu_loop_next((c), (d), (n))
static inline int cpu_loop_next(struct cpu *c, const struct dinsn *d, long n)
{
    c->stop = d;
    c->n = n;
    return 0;
}
#else
#define CHAPTER_DISPATCH(c, d, n) return (d)->run((c), (d), (n))
#endif

static inline __attribute__((always_inline)) int chapter_branch(struct cpu *c,
                                                                const struct dinsn *d, long n)
{
    c->bear_slot = d;
    u64 target = c->psw.addr;
    if (likely(((target ^ c->ia_page) & ~(u64)(FRAME_BYTES - 2)) == 0 && n > 0)) {
        const struct dinsn *to =
            (const struct dinsn *)(c->code_base + ((target & (FRAME_BYTES - 1)) << 3));
        if (unlikely(--*jit_heat(c, to) == 0))
            to = jit_hot(c, to);
        CHAPTER_DISPATCH(c, to, n);
    }
    return cpu_branch_slow(c, n);
}

#define CHAPTER_LEN(op) ((op) < 0x40 ? 2 : (op) < 0xc0 ? 4 : 6)

#define I(op, sub, fmt, mn, title, fac, flags)                                                 \
    static int run_##mn(struct cpu *c, const struct dinsn *d, long n)                          \
    {                                                                                          \
        if (((flags)&IF_PRIV) && unlikely(c->psw.mask & PSW_PROB))                             \
            return cpu_stop(c, d, n - 1, PGM_PRIVILEGED, CHAPTER_LEN(op));                     \
        if (((flags)&IF_BFP) && unlikely(!(c->cr[0] & CR0_AFP)))                               \
            return cpu_stop(c, d, n - 1, insn_data_exception(c, 2), CHAPTER_LEN(op));          \
        int rc = insn_##mn(c, d);                                                              \
        if (((flags)&IF_BRANCH) && rc == CPU_TAKEN)                                            \
            return chapter_branch(c, d, n - 1);                                                \
        if (unlikely(rc != 0))                                                                 \
            return cpu_stop(c, d, n - 1, rc, CHAPTER_LEN(op));                                 \
        d += CHAPTER_LEN(op) / 2;                                                              \
        CHAPTER_DISPATCH(c, d, n - 1);                                                         \
    }
#include CHAPTER_DEF
#undef I

static const struct isa_entry chapter_entries[] = {
#define I(op, sub, fmt, mn, title, fac, flags)                                                 \
    {op, sub, FMT_##fmt, flags, FAC_##fac, #mn, title, run_##mn, insn_##mn},
#include CHAPTER_DEF
#undef I
};

const struct isa_chapter CHAPTER_NAME = {chapter_entries, ARRAY_LEN(chapter_entries)};
