/* Translated code of a CPU: its memory, its regions, and the C functions it calls. For cpu/jit
 * only. */
#ifndef ENDICOTT_CPU_JIT_INTERNAL_H
#define ENDICOTT_CPU_JIT_INTERNAL_H

#include <stdio.h>

#include "cpu/jit/region_internal.h"

#define JIT_REGION_BYTES_MAX (256u << 10) /* room that must be there before a translation */

/* A translation, and one more such record for each further page it was made from: those have
 * only page, addr, granules and whole; and one for each way into its middle (way_in.c), which has
 * no granules. */
struct jit_region {
    struct jit_region *next; /* of the page */
    struct code_page *page;
    u64 granules;             /* 64-byte pieces of the page it was made from */
    struct jit_region *whole; /* the translation */
    struct jit_region *part[REGION_PAGES_MAX - 1];
    struct jit_region *in;     /* the first of the ways in; of these, the next */
    u64 addr;                  /* of a part: where its page is */
    struct code_page *entered; /* page of `entry` */
    u32 ways; /* places where it could be entered, in jit->way_in; and how many */
    u16 way_count;
    u32 asks;          /* its anchors, in jit->way_anchor */
    bool settled;      /* no path ended where another translation begins */
    u32 links, linked; /* its first way out (link.c); where others jump to, behind its entry */
    u16 link_count;
    bool deep;
    u8 busy;     /* how often it was found busy, more or less; ... */
    u32 busy_at; /* ... and at which instruction of its CPU it was counted last */
    u8 missed;   /* how often an anchor was not set (a way in), or the FPC, more or less; ... */
    u32 missed_at;
    u16 entry;             /* slot */
    u8 mode;               /* jit_mode it was made for */
    u32 bytes, cold_bytes; /* of host code; of its stubs */
    u16 cells;             /* of its anchors in the CPU, the first; and how many anchors */
    u8 anchors;
    bool fpc_sure, fpc_waits; /* as in struct jit_cx */
    const u8 *cold;
    insn_run *before, *code;
};

/* Common code that emit_ss.c calls: loops over operands of up to 256 bytes, rdx their length less
 * one. It keeps all general registers but rax, rcx and rdx, and vector registers but the first two;
 * the last of them keeps none of those. */
enum jit_common {
    COMMON_MOVE,    /* from rcx to rax as if byte by byte, from the left */
    COMMON_COMPARE, /* rax with rcx: flags of a comparison without sign */
    COMMON_FILL,    /* the byte that ymm0 is full of to rax */
    COMMON_AND,     /* rcx into rax as if byte by byte: flag, whether the result is zero */
    COMMON_OR,
    COMMON_XOR,
    COMMON_FP_STORE, /* copies of floating-point registers, by the mask in ecx, to memory ... */
    COMMON_FP_LOAD,  /* ... and from there; rcx only is lost */
    COMMON_PIECES,   /* jit_move_pieces(cpu, rax, rcx, rdx, n): rax, how many */
    /* of stubs, with the slot in rcx and what stub_packed says in edx (common_slow.c) */
    COMMON_LOAD, /* the operand at the logical address in rax to rax; scratch registers are lost */
    COMMON_LOAD_RELATIVE,
    COMMON_BODY, /* the body in rax */
    COMMON_ANCHOR_FILL,
    COMMON_ANCHOR_LOOK, /* jit_anchor_look(cpu, rax, rdx, rcx, n): flag, whether it is 0 */
    COMMON_COUNT
};

#define GRANULE_SLOTS 32u /* of 64 bytes, which are or are not part of a region */

/* A block of a region that can be entered from outside: what it expects. */
#define JIT_WAYS_IN_MAX (1u << 19)
struct jit_way_in {
    u64 hosts;   /* host registers of guest registers, four bits each; 0: none */
    u32 code;    /* in code memory */
    u32 anchors; /* to be compared */
    u16 slot;    /* of its page, ... */
    u8 record;   /* ... which is the region's own, or that of the part before this */
    u16 needed;  /* registers to be loaded; of all, those with only their low half; ... */
    u16 low;
    u16 fp; /* ... long floating-point registers */
};

/* An anchor of a region that can be entered from outside. */
#define JIT_WAY_ANCHORS_MAX (1u << 18)
struct jit_way_anchor {
    u64 what, where; /* anchor_packed, anchor_entry */
    u8 base, index;
};

/* Which way a branch has gone. */
#define JIT_WAYS 4096u
struct jit_ways {
    const struct dinsn *slot;
    u32 taken, not_taken;
};

/* Where a branch to an address that no instruction tells has led (guess.c). */
#define JIT_GUESSES 1024u
#define JIT_GUESS_TARGETS 4u
struct jit_guess {
    const struct dinsn *branch;
    u64 target[JIT_GUESS_TARGETS]; /* logical addresses */
    u8 count[JIT_GUESS_TARGETS];
    u8 known; /* bit k: regions made anew follow target k */
    u8 remakes;
};

/* What turned out to be unfit for an anchor in the region that begins at a slot. */
enum jit_unfit_kind {
    UNFIT_FRAME, /* base registers: the frame must be looked at with every store */
    UNFIT_SPAN,  /* ids of anchors, for several operands */
    UNFIT_PAGE,  /* at all */
    UNFIT_ENTRY, /* where the region is entered */
    UNFIT_KINDS
};
#define JIT_UNFITS 1024u
struct jit_unfit {
    const struct dinsn *slot;
    u64 of[UNFIT_KINDS]; /* base registers, from bit 16 on for stores; or ids of anchors */
    bool deep;           /* it was */
    bool own;            /* it begins there: a way into another region failed too often */
    bool fpc;            /* the FPC is not what emit_fp.c would like to rely on */
};

/* How often the anchor of a page was found elsewhere (anchor.c). Sites share such words. */
#define JIT_SITES 4096u
#define ANCHOR_RARE 16u /* rounds */
#define ANCHOR_MISSES_MAX 1024
#define ANCHOR_CROSSES_MAX 128  /* making a region again costs as much ... */
#define ANCHOR_CROSSES_EAGER 16 /* ... but is to be tested */
struct jit_site {
    s32 n;      /* what was left of the budget then */
    s32 misses; /* each within ANCHOR_RARE rounds of the one before; others count against it */
    s32 crosses;
};

/* The two long searches of decoding, with what they found. */
#define JIT_ROWS 1024u
struct jit_row {
    unsigned opcode; /* 0: none; that is no instruction */
    const struct isa_entry *row;
    const struct lowering *lo;
};

struct jit {
    u8 *rw, *rx;
    size_t bytes;
    size_t used, floor, hot_end;  /* of the code that runs; floor: behind the common code */
    size_t cold_used;             /* stubs, from hot_end on */
    size_t hot_large, cold_large; /* so far code memory is in large host pages */
    struct jit_region *regions;   /* of all pages; recycled with the code */
    unsigned region_count;
    unsigned tries;            /* shallow translations begun */
    u64 memory_ns;             /* of the thread: making code memory ready */
    unsigned arrivals;         /* at regions, counted to the end (jit_hot) */
    struct jit_way_in *way_in; /* of all regions; recycled with the code */
    unsigned way_count;
    struct jit_way_anchor *way_anchor;
    unsigned way_anchors;
    struct jit_cx *cx;
    bool eager; /* translate what was never executed */
    bool lockstep;
    u8 heat; /* executions of a branch target before it is translated */
    unsigned insns_max;
    struct jit_ways ways[JIT_WAYS]; /* by the slot's address */
    struct jit_row rows[JIT_ROWS];  /* by the opcode: those looked for last */
    struct jit_links *links;
    struct jit_unfit unfits[JIT_UNFITS];
    struct jit_guess guesses[JIT_GUESSES]; /* by the slot's address */
    struct jit_site sites[JIT_SITES];
    u16 cells_free[JIT_ANCHORS +
                   1]; /* of regions that are gone, by number of anchors; 0 ends */
    unsigned cells_used;
    struct jit_bodies *bodies; /* NULL: calls are not counted */
    u8 *leave_page; /* common code, where it runs: the address to go on at in rax, n in r15 */
    const u8 *common[COMMON_COUNT]; /* other common code, where it runs */
    struct cpu_engine_stats stats;  /* of this CPU; lockstep's are elsewhere */
    FILE *trace;                    /* regions as text, or NULL */
    FILE *perf_map;                 /* regions for `perf`, or NULL */
};

/* -- jit.c -- */
/** What is known of the region that begins at a slot. */
const struct jit_unfit *jit_unfit(const struct jit *j, const struct dinsn *slot);
/** The region that begins at `entry` is to be made again without an anchor. */
void jit_anchor_unfit(struct cpu *c, const struct dinsn *entry, unsigned which,
                      enum jit_unfit_kind kind);

/** Deep regions made from byte `at` of the page are to be made again. */
void jit_remake_deep(struct cpu *c, struct code_page *page, unsigned at);

/* -- way_in.c -- */
/** Note where the region in x, which is r, can be entered. */
void ways_in_note(const struct jit_cx *x, struct jit_region *r);
/** May a region be entered at a slot? Perhaps it could, once, or in another mode. */
static inline bool way_in_maybe(const struct code_page *page, unsigned slot)
{
    return page->open[slot / 64] >> slot % 64 & 1;
}
/** A region of this mode that can be entered at a slot, and how; or NULL. `settled`: only one that
 *  is. */
struct jit_region *way_in_find(const struct jit *j, const struct code_page *page, unsigned slot,
                               u8 mode, bool settled, const struct jit_way_in **way);
/** The code of a way in, of a slot of x->page. */
void way_in_emit(struct jit_cx *x, struct jit_region *r, const struct jit_way_in *way,
                 unsigned slot);
/* -- guess.c -- */
/** Control came to `to`, perhaps by the branch at the breaking-event address. */
void jit_guess_saw(struct cpu *c, const struct dinsn *to);
/** What the branch in a slot was is another instruction now. */
void jit_guess_forget(struct jit *j, const struct dinsn *branch);
/** Addresses that a branch leads to most times, as far as is known: at most JIT_GUESS_TARGETS. */
unsigned jit_guesses(const struct jit *j, const struct dinsn *branch, u64 *to);

/* -- anchor.c -- */
/** A region's cells are free; all are. */
void anchor_cells_give(struct cpu *c, unsigned cells, unsigned anchors);
void anchor_cells_forget(struct jit *j);
/* -- engine.c -- */
/** Where calls of the row's body are counted. */
u64 *jit_bodies_count(struct jit *j, const struct isa_entry *row);
/* -- link.c: ways out of regions that lead straight into others -- */
bool links_create(struct jit *j);
void links_destroy(struct jit *j);
/** All regions are gone. */
void links_forget(struct jit *j);
/** `r` begins at `d` from now on; no longer. */
void links_into(struct jit *j, const struct dinsn *d, const struct jit_region *r);
void links_out_of(struct jit *j, const struct dinsn *d, const struct jit_region *r);
/** The ways out of the region in x, which is r now; r is gone. */
void links_enter(struct jit_cx *x, struct jit_region *r);
void links_leave(struct jit *j, struct jit_region *r);
/* -- dump.c -- */
/** Guest code of the region in x, and host code of `r`, which was made of it. */
void jit_dump(FILE *out, const struct jit_cx *x, const struct jit_region *r);
/** What offsets and addresses in host code are, for tests/lib/jit_text.py. */
void jit_dump_legend(FILE *out);

/* -- jit.c -- */
/** The region that begins with this handler, which is translated code. */
struct jit_region *jit_region_of(const struct jit *j, insn_run *run);

/* -- common.c -- */
/** Pieces of 256 bytes from the logical address `from` to `to`, one behind the other, as by MVC:
 *  how many were moved, at most `pieces`, fewer than n / c->scratch. What is not simple is left. */
u64 jit_move_pieces(struct cpu *c, u64 to, u64 from, u64 pieces, long n);

/* -- jit.c: C functions that translated code calls -- */
int jit_body_result(struct cpu *c, const struct dinsn *d, long n, int rc, unsigned length);
int jit_broken(struct cpu *c, const struct dinsn *d, long n);
int jit_hot_go(struct cpu *c, const struct dinsn *d, long n);
int jit_interpret(struct cpu *c, const struct dinsn *d, long n);
/** A way in at `d` needs an anchor that jit_anchor_look has not set: the interpreter goes on. */
int jit_way_missed(struct cpu *c, const struct dinsn *d, long n);
/** The same where a region begins. */
int jit_entry_missed(struct cpu *c, const struct dinsn *d, long n);
/** Note that: when it has been so too often the way in is given up. */
void jit_way_count(struct cpu *c, const struct dinsn *d, long n);
/** The region at `d` relies on an FPC that is not so: the interpreter goes on. */
int jit_fpc_missed(struct cpu *c, const struct dinsn *d, long n);
/** Stop at `d`: nothing is left of the budget. */
int jit_spent(struct cpu *c, const struct dinsn *d, long n);
/** Lockstep: instead of going on at `d`. */
int jit_stop(struct cpu *c, const struct dinsn *d, long n);

#endif
