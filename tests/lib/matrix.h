/* The instruction matrix: every row of cpu/isa/isa_*.def has a row in tests/lib/operand.def, which
 * names its operands, registers and set-up; from that a case of any instruction in any situation
 * is made, executed and compared. The checks themselves are tests/unit/cpu_matrix_*_test.c. */
#ifndef ENDICOTT_TESTS_LIB_MATRIX_H
#define ENDICOTT_TESTS_LIB_MATRIX_H

#include "cpu/cpu.h"
#include "cpu/cpu_internal.h"

/* ---- rows ---- */

#define MX_OPERANDS 4
#define MX_CONTENT_BYTES 64

/** A storage operand, or an address that designates nothing (access 'v'). */
struct mx_operand {
    char where;         /* '1'-'4' Dn(Xn,Bn); 'I' relative; 'R' field rn, 'G' register n;
                           'P' at the address that stands in the parameter list at offset n */
    u8 number;          /* of R, G and P */
    char access;        /* f fetch, s store, u both, v address only, x instruction to execute,
                          F S as f s by real address, K storage key of a real frame */
    bool interruptible; /* ends early with registers that say how far it came */
    bool backward;      /* the address designates the last byte */
    bool table;         /* which bytes are used depends on the other operand */
    bool secondary;     /* in the secondary space */
    bool list;          /* parameter list with addresses of other operands */
    bool cut;           /* to its boundary: bits to the right are ignored, not an exception */
    u16 align;          /* boundary that the architecture wants; 1: none */
    char rule;          /* of the length: R times registers, M bytes of a mask, L 1 2 fields */
    u16 len;            /* bytes; of a case see mx_length_of */
    u8 content[MX_CONTENT_BYTES]; /* initial bytes, repeated; the set-up's C1, C2 ... */
    u8 content_len;
};

/** One instruction. */
struct mx_row {
    const char *mnemonic, *format, *operands, *registers, *setup, *rules;
    u8 op, sub, length;
    u16 facility;
    u8 flags;
    struct mx_operand operand[MX_OPERANDS];
    unsigned operand_count;
};

unsigned mx_row_count(void);
/** Row `i`, parsed; aborts with the mnemonic when it has none or a malformed one. */
void mx_row_get(unsigned i, struct mx_row *row);
/** Does the row's last column excuse it from `check` ("-check: reason")? */
bool mx_excused(const struct mx_row *row, const char *check);
/** Does the last column say this word? */
bool mx_says(const struct mx_row *row, const char *word);
/** What the row says of register field n (1-3): 'g' general, 'e' even-odd pair, 'f' floating
 *  point, 'x' pair of those, 'a' access, 'c' control register; 0 when it is none. */
char mx_register_kind(const struct mx_row *row, unsigned n);
/** Values of modifier field n (3 or 4) that are valid, one bit each; 0 when nothing is said. */
unsigned mx_modifier_valid(const struct mx_row *row, unsigned n);
/** Does the format have a field of this name? */
bool mx_has_field(const struct mx_row *row, const char *name);

/* ---- the machine ---- */

#define MX_STORAGE (1u << 20)
#define MX_AREA 0x40000u                     /* what cases may touch; tables lie above */
#define MX_LAST_FRAME (MX_STORAGE - 0x1000u) /* and this: where a segment of one frame ends */
#define MX_SEEN (MX_AREA + 0x1000u)
#define MX_CODE 0x10000u
#define MX_EXECUTE (MX_CODE + 0x800)
#define MX_HANDLER 0x1e000u /* program new PSW */
#define MX_SVC_HANDLER 0x1e100u
#define MX_PLAIN(i) (0x120000u + 0x4000u * (i)) /* three pages for operand i, always there */
#define MX_ALET 2u /* designates a space like the others by the access list at MX_ALE */
#define MX_ALE(m) ((m)->lists + 0x80 + 16 * MX_ALET)
#define MX_KEY 0x30u /* storage key of all frames; the PSW key is zero unless said otherwise */
#define MX_LOW_FRAME 0x30000u /* frames below and above a boundary */
#define MX_HIGH_FRAME 0x33000u

/** Addresses where an operand may cross from one page into another; see MX_BOUNDARY in matrix.c. */
enum mx_boundary {
    MX_AT_PAGE,
    MX_AT_SEGMENT,
    MX_AT_REGION3,
    MX_AT_REGION2,
    MX_AT_REGION1,
    MX_AT_LOW, /* from page 0 into the protected part of page 1 */
    MX_AT_TOP24,
    MX_AT_TOP31,
    MX_AT_TOP64,
    MX_MAPPED,               /* the boundaries above are between pages */
    MX_AT_EDAT1 = MX_MAPPED, /* in a segment of one frame */
    MX_AT_EDAT2,             /* in a region of one frame */
    MX_AT_EDAT1_END,         /* from the segment of one frame into a page */
    MX_AT_REAL,              /* real address, inside storage */
    MX_AT_END,               /* real address, where storage ends */
    MX_BOUNDARIES
};
u64 mx_boundary(enum mx_boundary b);

struct vm;

struct matrix {
    struct vm *owner; /* of what the CPU does not do itself */
    struct storage *st;
    struct cpu_set *set;
    struct cpu *cpu;
    enum cpu_engine
        engine; /* ENDICOTT_ENGINE=jit: each case as translated code, where it can be */
    unsigned runs,
        not_translated; /* of cases for translated code: all, and those that were not */
    u64 tod;
    u64 tables_end;
    u64 asce, asce_short; /* five levels; segment tables only */
    u64 lists;            /* dispatchable-unit control table, access list, ASTE; see MX_ALET */
    u8 fresh[MX_AREA];    /* what each case begins with */
    u8 before[MX_SEEN];   /* storage when the instruction began */
    unsigned complaints;
};

/** matrix_owner.c: hyp, as far as it carries out intercepted instructions. */
struct vm *mx_owner_create(struct matrix *m);
void mx_owner_destroy(struct vm *vm);
void mx_owner_carry_out(struct vm *vm);

void mx_create(struct matrix *m);
void mx_destroy(struct matrix *m);
/** Storage address of the table entry for `va`: level 3 to 1 region, 0 segment, -1 page. */
u64 mx_entry(struct matrix *m, u64 va, int level);
u64 mx_get(struct matrix *m, u64 abs);
void mx_set(struct matrix *m, u64 abs, u64 v);

/* ---- cases ---- */

#define MX_FIELDS 8

struct mx_field {
    char name[4];
    u8 at, width;
    u64 value;
};

struct mx_case {
    const struct mx_row *row;
    struct mx_field field[MX_FIELDS];
    unsigned fields;
    u64 gr[16], cr[16], fpr[16];
    u32 ar[16], fpc;
    u64 mask;              /* PSW */
    u64 ia;                /* where the instruction stands */
    u64 ea[MX_OPERANDS];   /* first bytes of the operands */
    u32 alet[MX_OPERANDS]; /* of those whose addresses stand in a parameter list */
    u64 dirt;         /* bits put into every address register outside the addressing mode */
    u8 key;           /* of all frames */
    unsigned execute; /* 0 directly, 1 by EXECUTE, 2 by EXECUTE RELATIVE LONG */
};

/** All that can be seen of the CPU. */
struct mx_state {
    u64 gr[16], cr[16], fpr[16];
    u32 ar[16], fpc, prefix, todpr;
    u64 ckc, mask, addr;
    u32 pgm; /* program-interruption code or 0; then of the old PSW: mask, addr */
    u8 ilc, access_id, dxc;
    u64 teid;
    bool intercepted;
    bool rationed; /* a store of it waits for a token */
};

/** The case in which the instruction completes: everything as the row's set-up says. */
void mx_case_init(struct matrix *m, struct mx_case *k, const struct mx_row *row);
/** Field of the instruction, 0 when the format has none. */
u64 mx_field_get(const struct mx_case *k, const char *name);
void mx_field_set(struct mx_case *k, const char *name, u64 v);
/** Address mask of the case's addressing mode. */
u64 mx_amask(const struct mx_case *k);
/** Number of the register that holds the address of operand i; 16: none. */
unsigned mx_address_register(const struct mx_case *k, unsigned i);
/** Put the addresses of operands into registers (and the relative field). False when they cannot
 *  designate that place. */
bool mx_link(struct mx_case *k);
void mx_encode(const struct mx_case *k, u8 insn[6]);
/** Storage, keys, registers and PSW as the case says; linked already. */
void mx_apply(struct matrix *m, const struct mx_case *k);
/** The same once more, with the translations that the CPU has. */
void mx_apply_again(struct matrix *m, const struct mx_case *k);
/** The state now, as mx_run returns it. */
void mx_capture(struct matrix *m, struct mx_state *s);
/** Execute the instruction to its end: interruptible ones until they complete or interrupt. */
void mx_run(struct matrix *m, const struct mx_case *k, struct mx_state *s);
/** mx_link, mx_apply and mx_run; false when mx_link is. */
bool mx_do(struct matrix *m, struct mx_case *k, struct mx_state *s);
/** Length of what the PSW pointed at: the instruction or the EXECUTE. */
unsigned mx_length(const struct mx_case *k);

/** Bytes of operand i. */
unsigned mx_length_of(const struct mx_case *k, unsigned i);
/** Absolute address of the frame that a virtual address (or real, with DAT off) lies in. */
u64 mx_frame(struct matrix *m, u64 mask, u64 va);
/** Absolute address of operand byte `at`. */
u64 mx_operand_abs(struct matrix *m, const struct mx_case *k, unsigned i, u64 at);
/** What cases may touch, MX_SEEN bytes: the area and the last frame. */
void mx_storage_get(struct matrix *m, u8 *seen);
/** Is it another than `was`? What interruptions store into does not count. */
bool mx_storage_differs(struct matrix *m, const u8 *was);
/** Registers after the same operation on operands that lie elsewhere: equal, or moved by the
 *  distance of an operand. Text as below. */
const char *mx_moved_differ(const struct mx_case *a, const struct mx_state *sa,
                            const struct mx_case *b, const struct mx_state *sb, char *text);
/** What differs of the registers, "" when nothing; `text` has 64 bytes. PSW is not compared. */
const char *mx_registers_differ(const struct mx_state *a, const struct mx_state *b, char *text);

/** Is the instruction there? (The machine is of model "max".) */
bool mx_present(struct matrix *m, const struct mx_row *row);
/** Row *i or the first after it that is there; then *i is the one behind. */
bool mx_next(struct matrix *m, unsigned *i, struct mx_row *row);
/** Link and execute `k`, which must end in `pgm`, suppressed, and change nothing. */
void mx_refused(struct matrix *m, struct mx_case *k, unsigned pgm, const char *when);
/** Report: "mnemonic: ...", counted; printed while there are few. */
void mx_complain(struct matrix *m, const struct mx_row *row, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
