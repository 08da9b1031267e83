/* One translation: a region of a page, its blocks, its instructions, and where everything is at
 * the point that is being emitted. For cpu/jit only. */
#ifndef ENDICOTT_CPU_REGION_INTERNAL_H
#define ENDICOTT_CPU_REGION_INTERNAL_H

#include <stddef.h>

#include "cpu/jit/lowering_internal.h"
#include "cpu/jit/x64.h"

#define REGION_INSNS_MAX 800
#define REGION_BLOCKS_MAX 320
#define REGION_STUBS_MAX 3200
#define REGION_PAGES_MAX 6
#define REGION_EXITS_MAX (REGION_BLOCKS_MAX * 4)
#define REGION_RETURNS_MAX 4 /* places in the region that one branch may return to */
#define REGION_GUESSES_MAX 32
#define SELECT_WRITES_MAX 2
#define CC_MARKS_MAX JIT_KEPT /* condition codes kept as marks */
#define CC_MARK_FIRST 4       /* mark k is k more */
#define CC_KEEPS_FIRST 1u     /* first operand, or what is compared with zero */
#define CC_KEEPS_SECOND 2u
#define REGION_WAYS (2 + REGION_RETURNS_MAX)
#define REGION_EDGES_MAX (REGION_BLOCKS_MAX * REGION_WAYS)

struct jit_insn {
    const struct isa_entry *row;
    const struct isa_entry
        *does; /* the same, or the target of EXECUTE that is lowered; then ... */
    const struct lowering *lo; /* NULL: OP_FN */
    struct dinsn d;            /* ... decoded from the target, */
    struct dinsn ex;           /* and this is the EXECUTE itself */
    u16 ex_at;     /* place of the target in the same page, in bytes; NOT_EXECUTED */
    u8 length_reg; /* has the length code in bits 56-63; NO_REG: it is in `d` */
    u16 slot;      /* of its page */
    u16 at;        /* page * CODE_SLOTS_ALL + slot: its place among all of the region */
    u8 page;
    u8 len;
    bool faults; /* may end in an exception or leave otherwise */
    bool cc_def, cc_use;
    u8 cc_mark;   /* 1.. : its condition code is kept as that mark (cc_flow.c) */
    u8 cc_kept;   /* 1.. : its operand in storage is kept there */
    u8 cc_keeps;  /* CC_KEEPS_*: what else its condition code can be made from is kept so far */
    bool amode64; /* addresses have 64 bits; else 31, or 24 */
    bool amode24;
    bool mode_check; /* FN row behind which the mode may be another */
    u16 reads;       /* general registers, bit n: register n */
    u16 reads64;     /* of them, those whose high halves matter */
    u16 writes;
    u16 writes64;
    u16 fp_reads, fp_writes; /* long floating-point registers, by their copies (fp_flow.c) */
    u16 fp_voids;            /* others: in memory, and what is written has no copy */
    s16 target;              /* place branched to in the region's pages, or -1 */
    u16 served;  /* bytes of the storage operand when an anchor may serve it (window.c), or 0 */
    bool stores; /* into it */
    s64 rel;     /* relative operand: bytes from the page's start */
    u8 base, index; /* storage operand */
    s32 disp;
    u8 window; /* 1.. : found by that window, which this instruction opens or has found open */
    bool window_opens, window_store;
    u16 window_bytes;
    s32 window_from;   /* what it covers, from the base register on */
    u8 anchor;         /* 1.. : found by that anchor of its base register */
    bool stored_next;  /* fetched, and in any case stored into behind that */
    bool anchor_check; /* which may have to be set there */
};

/* The condition code at the point of emission. */
struct cc_now {
    bool in_memory;            /* c->cc is valid, ... */
    u16 maybe;                 /* ... or one of these marks */
    bool inverted;             /* TM: zero means that all bits are ones */
    bool fresh;                /* host flags still hold what `of` says */
    const struct jit_insn *of; /* the instruction that set it, when not in memory */
};

struct jit_block {
    u16 first, count;
    s16 fall, taken; /* blocks, or -1: leave the region */
    s16 ret
        [REGION_RETURNS_MAX]; /* blocks behind calls that end in this one, and others that its
                                  * branch may lead to; or -1 */
    s16 behind;               /* of a call inside the region: the block it returns to, or -1 */
    u16 preds;
    u16 dirty_in;
    u16 low_in; /* registers with only their low halves in host registers at its beginning */
    bool cc_live_in;
    u16 cc_maybe; /* marks that c->cc may hold at its beginning, when several ways lead there */
    bool loop_head;
    bool counted; /* which way its branch goes is counted (select.c) */
    bool selects; /* its branch is made into moves ... */
    bool skipped; /* ... around this one, without code of its own (but [S2] in select.c) */
    bool fn;      /* calls a body: all registers are in memory there */
    bool open;    /* nothing is known where it begins but registers (way_in.c) */
    struct cc_now cc_out;
    s32 bear_out; /* as cx.bear, at its end */
    u8 depth;
    u8 guesses;     /* so many of `ret` are not returns (guess.c) */
    s16 via;        /* a block that calls what this is part of, or -1 */
    u8 zone;        /* which registers are where */
    u16 needed;     /* registers that must be valid at its beginning */
    u32 anchors_in; /* anchors that have been compared before it, and are not again */
    u16 fp_in,
        fp_dirty_in; /* copies there at its beginning; of them, those memory may not know */
    u8 *at;          /* host code, when emitted */
};

/* Blocks that have their registers in the same places: a loop, or what is left of the region. */
#define ZONES_MAX 16
#define ZONE_REGION 0
struct jit_zone {
    s16 head, last;      /* blocks of the loop */
    u8 parent;           /* the zone around it */
    s8 host[17];         /* host registers of guest registers, or HOST_NONE */
    u16 resident;        /* guest registers that have a host register */
    u16 low_class;       /* of them, those that are mostly written in 32 bits */
    s8 temp;             /* host register of a condition (select.c) */
    u16 same[ZONES_MAX]; /* guest registers that are in the same host register in both */
};

/* A way from block to block: all of the region in one array, by the block it leads from. */
struct jit_edge {
    u16 from, to;
    u16 same;   /* guest registers that stay where they are (zones_assign) */
    bool outer; /* from outside of the loop that `to` is in */
};

/* Out-of-line code, emitted behind the region. */
struct jit_stub {
    u8 kind;
    u8 *from;        /* displacement that leads here */
    u8 *back;        /* where to go on, or NULL */
    u16 insn, block; /* indices */
    u8 zone;         /* where registers were then; at a way out it may be that of the target */
    u8 reg;          /* host register of a value or an address */
    u8 size, ext, width;
    u8 base;                            /* base register number, for the space */
    s32 to;                             /* block or slot */
    u16 lo, dirty, hi_dirty, zero_high; /* registers then */
    u16 lo_after;                       /* where `back` is */
    u16 fp_cached;                      /* copies expected there */
    u16 fp_then, fp_dirty; /* copies when it was left for; memory may not know these */
    /* STUB_FP */
    u8 *inexact; /* a second displacement that leads here: the FPC is not as it should be */
    u8 *mid;     /* where to go on when the result is well after all */
    u8 *exact;   /* where to go on when the FPC is well after all */
    bool whole_fpc;
    struct cc_now cc;
    s32 bear;
    unsigned done; /* instructions of the block before this one */
    bool flags;    /* BODY: `back` expects the flags of the condition code */
    bool other;    /* BODY: it is not what was translated, and may change anything */
};

/* A way out to a known slot: a jump whose distance link.c writes. */
struct jit_exit {
    const struct dinsn *to;
    u8 *jump;    /* the distance */
    u8 *through; /* host code that goes there through the slot's handler */
};

/* A page that the region has instructions of. */
struct jit_page {
    struct code_page *page;
    u64 addr;     /* logical */
    u64 granules; /* 64-byte pieces that it was made from */
};
#define REGION_PLACES (REGION_PAGES_MAX * CODE_SLOTS_ALL)
#define LEADER_WORDS ((CODE_SLOTS_ALL + 63) / 64)

/* What is addressed near an address: that in a base register, or the sum of two (anchor.c). */
struct jit_anchor {
    u8 base, index; /* index: ZERO_REG when there is none */
    u8 id;          /* what it is known by when the region is made again */
    bool store;
    bool narrow;    /* each operand asks for itself: all of them are often in two pages */
    s16 loop;       /* that it is for: its first block */
    s32 from, to;   /* from the address on */
    unsigned bytes; /* of the longest operand */
    unsigned round; /* instructions of the shortest loop it is in */
};

#define HOST_NONE (-1)
#define FP_COPIES 13u /* registers 0 to 12 have copies in XMM3 to XMM15 */
#define WINDOWS_MAX 2

struct jit_cx {
    struct cpu *c;
    struct jit *jit;
    struct code_page *page;                       /* of the entry */
    struct x64 a, cold;                           /* what is emitted now; where stubs go */
    struct jit_insn insn[REGION_INSNS_MAX + 1];   /* the last is never part of the region */
    struct jit_insn sorted[REGION_INSNS_MAX + 1]; /* region_find */
    unsigned insns;
    struct jit_block block[REGION_BLOCKS_MAX];
    unsigned blocks;
    /* By place; what is from other regions still shows in that the instruction is elsewhere. */
    u16 slot_insn[REGION_PLACES];  /* ask region_insn_at */
    s16 slot_block[REGION_PLACES]; /* of an instruction: the block that begins there, or -1 */
    u64 leader[REGION_PAGES_MAX][LEADER_WORDS]; /* one bit a slot: a block begins there */
    struct jit_stub stub[REGION_STUBS_MAX];
    unsigned stubs;
    struct jit_page pages[REGION_PAGES_MAX]; /* the first has the entry */
    unsigned page_count;
    unsigned calls_followed;
    struct {
        u16 at, target;
    } guess[REGION_GUESSES_MAX]; /* branches and where they may lead besides */
    unsigned guesses;
    bool deep;  /* calls and branches to other pages are followed */
    bool whole; /* no path ends where another translation goes on */
    u8 mode;
    enum jit_refusal refused; /* why the last path ended, or nothing is translated */
    unsigned entry_slot, entry_block;
    struct jit_edge edge[REGION_EDGES_MAX];
    unsigned edges;
    struct jit_zone zones[ZONES_MAX];
    unsigned zone_count;
    /* register assignment: that of the zone control is in */
    u8 zone;
    s8 host[17];
    u16 resident;
    unsigned windows; /* used */
    struct jit_anchor anchor[JIT_ANCHORS];
    unsigned anchors;
    unsigned cells; /* of theirs in the CPU, the first */
    bool keeps;     /* they outlive a run of the region (anchor.c) */
    unsigned select_temps;
    bool no_windows; /* emitting the rest of a block without them */
    /* at the point of emission */
    u16 lo;        /* resident with only its low half valid; the high half is in memory */
    u16 dirty;     /* memory's low half may be old */
    u16 hi_dirty;  /* memory's high half may be old; the host register has all 64 bits */
    u16 zero_high; /* all 64 bits are in the host register, and the high half is zero */
    struct cc_now cc;
    u16 marked[CC_MARKS_MAX]; /* instructions that have marks */
    unsigned marks, kept;
    s32 bear;     /* place of the last taken branch, not noted yet; -1: it is noted */
    unsigned cur; /* instruction */
    unsigned cur_block;
    unsigned done;            /* instructions of the block finished */
    struct jit_stub *open[4]; /* of slow_if, until slow_done */
    unsigned opens;
    unsigned uncounted; /* instructions, by the branch back that is being emitted; or 0 */
    bool in_stubs;      /* emitting what is out of line */
    bool fpc_known;     /* FPC: no mask is on, rounding to nearest; till the end of the block */
    bool fpc_sure;      /* the same and its inexact flag, wherever control is (fpc_decide) */
    bool fpc_waits;     /* it could be made so when the FPC is so */
    u16 fp_cached;      /* long floating-point registers that emit_fp.c has copies of */
    u16 fp_dirty;       /* of them, those that memory may not know */
    u16 fp_resident;    /* those that are busy: their copies go from block to block */
    struct {
        u8 *from;
        u16 block;
    } fix[REGION_BLOCKS_MAX * 6]; /* jumps to blocks not emitted yet */
    unsigned fixes;
    struct jit_exit exit[REGION_EXITS_MAX];
    unsigned exits;
    insn_run *before;                        /* handler of the entry's slot */
    const struct jit_way_anchor *way_anchor; /* of the region that a way in is for, or NULL */
    u8 *linked;                              /* where other regions jump to */
};

/* -- region_insn.c -- */
/** Decode the instruction at a place again; or why it is no part of the region. */
enum jit_refusal region_insn(struct jit_cx *x, unsigned at, struct jit_insn *i);
/** Of rotate-then instructions: bits of the result that are selected, bits of R2 that get there. */
u64 insn_selected(const struct jit_insn *i);
u64 insn_rotated(const struct jit_insn *i);
static inline bool low_half(u64 bits)
{
    return bits == (u32)bits;
}
/** May translated code go on behind the row's body? Others never end in 0, or rarely. */
bool row_goes_on(const struct isa_entry *row);

/* -- region.c -- */
/** Find the region that begins at `slot`; false when nothing worth translating starts there:
 *  x->refused says why. */
bool region_find(struct jit_cx *x, unsigned slot);
/** Index of the region's instruction at a place, or -1. */
static inline int region_insn_at(const struct jit_cx *x, unsigned at)
{
    unsigned i = x->slot_insn[at];
    return i < x->insns && x->insn[i].at == at ? (int)i : -1;
}
/** How many ways may lead on behind a block: so many of region_way. */
static inline unsigned region_ways(const struct jit_block *b)
{
    return b->ret[0] < 0 ? 2 : REGION_WAYS;
}
/** The block that control may go to behind `b`: k below region_ways; or -1. */
static inline int region_way(const struct jit_block *b, unsigned k)
{
    return k == 0 ? b->fall : k == 1 ? b->taken : b->ret[k - 2];
}
/** Does the branch at the end of `b` to its block `to` go into another page? */
bool region_crosses(const struct jit_cx *x, const struct jit_block *b, int to);
/** The last instruction of a block. */
const struct jit_insn *region_last(const struct jit_cx *x, const struct jit_block *b);

/* -- region_flow.c -- */
/** Guest registers that stay where they are between two zones. */
static inline u16 zone_same(const struct jit_cx *x, unsigned from, unsigned to)
{
    return from == to ? 0xffff : x->zones[from].same[to];
}
/** From here on registers are where this zone has them. */
void zone_enter(struct jit_cx *x, unsigned zone);
/** Liveness, dirtiness, host registers. */
void region_analyse(struct jit_cx *x);

/* -- halves.c -- */
/** Which registers blocks begin with the low half of; when zones and selects are known. */
void halves_find(struct jit_cx *x);

/* -- cc_flow.c -- */
/** Where the condition code is asked for. */
void cc_live_find(struct jit_cx *x);
/** In what form that of instruction `i` is kept: not at all; made again by stubs; as a mark; in
 *  memory. */
enum cc_need { CC_DEAD, CC_STUBS, CC_MARK, CC_MEMORY };
enum cc_need region_cc_need(const struct jit_cx *x, unsigned i);
/** CC_KEEPS_*: what instruction `i` has to keep of its operands so that stubs can do so. */
u8 region_cc_keeps(const struct jit_cx *x, unsigned i);
/** Which are kept as marks; when zones are known. */
void cc_marks_find(struct jit_cx *x);
/** Is that of the current point known in block `b` as it is? Else it is stored on the way there. */
bool cc_settled(const struct jit_cx *x, unsigned b);
/* in emit_cc.c */
/** Is nothing emitted for it that touches flags? */
bool cc_keeps_flags(const struct jit_insn *i);
/** Registers that tell the condition code of `i` later; *again: whether they do at all. */
u16 cc_operands(const struct jit_insn *i, bool *again);

/* -- fp_flow.c -- */
/** Floating-point registers that an instruction reads and writes. */
void fp_operands(struct jit_insn *i);
/** Which copies of them blocks begin with. */
void fp_flow_find(struct jit_cx *x);

/* -- select.c -- */
/** Which branches are counted or converted; before registers are assigned. */
void select_find(struct jit_cx *x);
/** Those whose registers turn out not to fit are left; afterwards. */
void select_check(struct jit_cx *x);

/* -- window.c -- */
/** How often the block is executed, as far as loops tell. */
static inline u64 block_unit(const struct jit_block *b)
{
    return 1ull << (3 * b->depth);
}
/** Find i->served and i->stores of a lowered instruction, whose registers are known. */
void operand_find(struct jit_insn *i);
/** Bytes of the storage operand when a window may serve it, or 0. */
static inline unsigned operand_bytes(const struct jit_insn *i)
{
    return i->base < ZERO_REG && i->index == ZERO_REG ? i->served : 0;
}
/** May the instruction call its body whatever is known of its operand? */
bool operand_calls(const struct jit_insn *i);
/** Is the page in the TLB now? It is brought there when it can be. */
bool page_fill(struct cpu *c, u64 addr, bool store);
/** Instructions that windows save; window `w` is given up. */
u64 window_gain(const struct jit_cx *x, unsigned w);
void window_drop(struct jit_cx *x, unsigned w);
/** Which storage operands share a look-up; before registers are assigned. */
void windows_find(struct jit_cx *x);
/** Host register of a window: what is added to a displacement. */
unsigned window_host(unsigned window);
/** Called by translated code: bring what the window covers into the TLB. */
enum window_fill { WINDOW_NOT, WINDOW_FILLED, WINDOW_CROSSES /* two pages */ };
enum window_fill jit_window_fill(struct cpu *c, u64 from, u64 bytes, bool store);

/* -- anchor.c -- */
#define ANCHORS_ASKED_MAX 8 /* where a region is entered: more cost more than they save */
/** Do anchors of what the CPU is executing hold long enough to be kept? */
bool anchors_keep(const struct cpu *c);
/** Which storage operands anchors serve; before windows are chosen. */
void anchors_find(struct jit_cx *x);
/** Called by translated code: set an anchor for an address by the TLB, unless it is to be given up;
 *  0: not set. `what` and `where` are made by anchor_packed and anchor_entry. */
int jit_anchor_look(struct cpu *c, u64 base, u64 what, u64 where, long n);
/** Then: bring what it covers into the TLB. 0: it cannot be, and may have been given up. */
int jit_anchor_fill(struct cpu *c);
/** Cells for the anchors of the region in x, void; false: there are not enough. */
bool anchor_cells_take(struct jit_cx *x);
u64 anchor_packed(const struct jit_cx *x, const struct jit_insn *i);
enum {
    ANCHOR_FROM_BITS = 20, /* the lowest, with a sign */
    ANCHOR_SPAN_SHIFT = 20,
    ANCHOR_STORE_SHIFT = 30,
    ANCHOR_BASE_SHIFT = 31,
    ANCHOR_ID_SHIFT = 36,
    ANCHOR_CELL_SHIFT = 42,
    ANCHOR_BYTES_SHIFT = 56,
    ANCHOR_ENTRY_BITS = 47 /* of an address in anchor_entry; what the loop's length is above */
};
u64 anchor_entry(const struct jit_cx *x, const struct jit_insn *i);
/** What must be in one page where instruction `i` asks. */
struct anchor_range {
    s32 from, to;
};
struct anchor_range anchor_range(const struct jit_anchor *a, const struct jit_insn *i);
/** Once it is set: so many addresses from the page's first on are near it. */
s32 anchor_room(const struct jit_anchor *a);
/** How the anchor of instruction `i` fares is counted there. */
const struct jit_site *anchor_site(const struct jit_cx *x, const struct jit_insn *i);

#endif
