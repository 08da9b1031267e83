/* What rows are lowered to: operations, operands, condition codes. For cpu/jit only. */
#ifndef ENDICOTT_CPU_LOWERING_INTERNAL_H
#define ENDICOTT_CPU_LOWERING_INTERNAL_H

#include "cpu/engine.h"
#include "cpu/jit/jit.h"

#define NO_REG 0xffu
#define ZERO_REG 16u /* gr[16] */
#define NOT_EXECUTED 0xffffu

/* What a row is lowered to. */
enum jit_op {
    OP_MOV,
    OP_ADD,
    OP_SUB,
    OP_AND,
    OP_OR,
    OP_XOR,
    OP_MUL,
    OP_CMP,  /* A with B: only the condition code */
    OP_TEST, /* move B and compare it with zero */
    OP_NEG,  /* complement of B */
    OP_SHL,
    OP_SHR,
    OP_SAR,
    OP_ROL,
    OP_LA,     /* the address itself */
    OP_STORE,  /* A to storage */
    OP_INSERT, /* B replaces its field of A */
    OP_IC,     /* a byte replaces bits 56-63 */
    OP_FAND,   /* and, or with a field of A; the condition code comes from the field */
    OP_FOR,
    OP_TM, /* test A under mask B */
    OP_LM,
    OP_STM,
    OP_RISBG,
    OP_MVC,  /* emit_ss.c: storage to storage */
    OP_LOC,  /* B to the destination on condition */
    OP_FADD, /* first of the floating-point operations; these can have a zero for a result */
    OP_FSUB,
    OP_FMUL,
    OP_FDIV,
    OP_FSQRT,
    OP_FMA, /* third * second + first */
    OP_FMS,
    OP_FSHORT, /* long to short */
    OP_FLONG,  /* short to long */
    OP_FMULD,  /* short * short to long */
    OP_FCMP,
    OP_FTEST,
    OP_FCOMPL, /* signs */
    OP_FNEG,
    OP_FPOS,
    OP_FLOAD, /* moves */
    OP_FZERO,
    OP_FSTORE,
    OP_FTOGR,
    OP_FFROM,  /* integer to long */
    OP_FFROMS, /* integer to short */
    OP_FTO,    /* to an integer of `width` bits */
    OP_FINT,   /* last of them: to an integer in the same format */
    /* emit_more.c: the condition code of these does not come back from the operands */
    OP_ADC,
    OP_SBB,
    OP_ABS, /* load positive, negative */
    OP_NABS,
    OP_SLA, /* shift left single, signed */
    OP_SHLD,
    OP_SHRD, /* shifts of a pair of low halves */
    OP_SARD,
    OP_FLOGR,
    OP_POPC,
    OP_RSBG,  /* rotate then and, or, exclusive or */
    OP_RISBL, /* rotate then insert, low half */
    OP_FXOR,  /* exclusive or with a field of A */
    OP_ICM,
    OP_STCM,
    OP_CLM,
    OP_HMOV, /* high halves */
    OP_HADD,
    OP_HSUB,
    OP_HCMP,
    OP_HST,
    OP_RISBH,
    OP_STOC, /* A to storage on condition */
    OP_SEL,
    OP_IPM,
    OP_ARGET,
    OP_ARSET,
    OP_ARCPY,
    OP_LAM,
    OP_STAM,
    OP_NOP,
    OP_STNSM, /* that only disables for interruptions */
    OP_SYNC,
    OP_DEC, /* branch on count without a branch */
    OP_TRAP,
    OP_LAT,
    OP_WMUL, /* pairs */
    OP_WMULS,
    OP_WDIV,
    OP_WDIVS, /* of a pair of low halves */
    OP_DSG,
    OP_UPD, /* emit_update.c: interlocked */
    OP_UPADD,
    OP_LAADD,
    OP_LAAND,
    OP_LAOR,
    OP_LAXOR,
    OP_CS,
    OP_CDS,
    OP_CDSG,
    OP_CLC,     /* emit_ss.c */
    OP_COMBINE, /* AND, OR, exclusive OR of storage with storage */
    OP_TS,
    OP_BC, /* first of the branches */
    OP_BCR,
    OP_BRCT,
    OP_CMPJ,
    OP_BAS,
    OP_BASR,
    OP_BRX,
    OP_BCT, /* the target is in a register or an address */
    OP_BX,
    OP_CMPB,
    OP_BRCTH,
};

/* Operands: where from. */
enum jit_src {
    S_NONE,
    S_R1,
    S_R2,
    S_R3,
    S_HR1, /* its high half */
    S_HR2,
    S_HR3,
    S_F1, /* floating-point registers */
    S_F2,
    S_F3,
    S_MEM,  /* storage operand of the format, by base, index and displacement */
    S_REL,  /* relative to the instruction */
    S_DISP, /* shift amount */
    S_IMM,  /* first of the constants: imm, signed */
    S_IMMU, /* imm, 32 bits */
    S_IMMH, /* imm << 32 */
    S_I48,  /* its low 16 bits, shifted left by so many bits */
    S_I32,
    S_I16,
    S_I0,
    S_SIL, /* ss.d2, signed */
    S_SILU,
    S_I8U,  /* r1 of SI */
    S_B2S8, /* b2 of RIE_C */
    S_B2U8,
    S_I8S,  /* r1 of SIY, signed */
    S_R2S8, /* r2 of RIS */
    S_R2U8,
};

/* How wide a register or storage operand is, and how it is extended. */
enum jit_ext {
    X_32,
    X_64,
    X_S8,
    X_U8,
    X_S16,
    X_U16,
    X_S32,
    X_U32,
    X_U31,
    X_REV16,
    X_REV32,
    X_REV64,
    X_FP64 /* long, to a vector register; not in lower.def */
};

/* Does an operand so extended to 64 bits have zeros in its high half? */
static inline bool ext_zeroes(u8 ext)
{
    return ext == X_U8 || ext == X_U16 || ext == X_U31 || ext == X_U32;
}

/* How the condition code follows from flags or from a result. */
enum jit_cc {
    CCK_NONE,
    CCK_SIGNED, /* comparison, or result against zero */
    CCK_UNSIGNED,
    CCK_ARITH,   /* signed sum or difference with overflow */
    CCK_LOGIC,   /* zero or not */
    CCK_CARRY,   /* logical sum */
    CCK_BORROW,  /* logical difference */
    CCK_BORROW2, /* the same with a borrow going in: zero with a borrow can be */
    CCK_TM,
    CCK_FP,     /* host comparison of two numbers; unordered is 3 */
    CCK_MEMORY, /* the emitted code stores it itself */
};

struct lowering {
    u8 op;    /* enum jit_op */
    u8 width; /* of the operation and the result: 32 or 64 */
    u8 dst;   /* S_NONE or S_R1 */
    u8 a, b;  /* enum jit_src */
    u8 ext;   /* enum jit_ext, of the register or storage operand among a and b */
    u8 cc;    /* enum jit_cc */
};

/* -- lower.c -- */
/** The lowering of a row; NULL: its body is called. */
const struct lowering *jit_lowering(const struct isa_entry *row);
/** That of BRANCH ON COUNT to register 0, which only counts, and of BCR 15,0. */
const struct lowering *jit_lowering_count(bool w);
const struct lowering *jit_lowering_sync(void);
/** Is the operand a constant, and which; the bits of the register that it stands for. */
static inline bool jit_src_const(u8 src)
{
    return src >= S_IMM;
}
s64 jit_const(const struct dinsn *d, u8 src);
u64 jit_field(u8 src);
/** General register of a register operand, or NO_REG. */
static inline unsigned jit_reg(const struct dinsn *d, u8 src)
{
    switch (src) {
    case S_R1:
    case S_HR1: return d->r1;
    case S_R2:
    case S_HR2: return d->r2;
    case S_R3:
    case S_HR3: return d->r3;
    default: return NO_REG;
    }
}

#endif
