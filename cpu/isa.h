/* The instruction set as data: formats, flags and the entry made of each row of isa_*.def.
 * A row: I(op, sub, format, mnemonic, title, facility, flags). `op` is the first byte, `sub` the
 * rest of the opcode (0 when there is none); where it lies follows from `op` (isa_sub_kind). */
#ifndef ENDICOTT_CPU_ISA_H
#define ENDICOTT_CPU_ISA_H

#include "cpu/model.h"
#include "mem/base/bytes.h"

struct cpu;
struct dinsn;

/* Operand formats; the comment gives the fields of struct dinsn that decoding fills.
 * Base and index register 0 decode to 16, which always holds zero. rel = signed halfwords. */
enum isa_format {
    FMT_E,     /* no operands */
    FMT_I,     /* imm = i8 */
    FMT_RR,    /* r1 r2 */
    FMT_RR_M,  /* r1 = m1, r2 (BCR) */
    FMT_RRE,   /* r1 r2 */
    FMT_RRE_0, /* no operands or unused */
    FMT_RRE_1, /* r1 only */
    FMT_RRF,   /* r1 r2, r3 = field 16-19 (r3 or m3), b2 = field 20-23 (m4) */
    FMT_RRD,   /* B3xx multiply-and-add: r1 = field 16-19, r3 = field 24-27, r2 = field 28-31 */
    FMT_RX,    /* r1, r2 = x2, b2, d2 12 bits unsigned */
    FMT_RX_M,  /* r1 = m1, r2 = x2, b2, d2 (BC) */
    FMT_RXE,   /* r1, r2 = x2, b2, d2, r3 = m3 */
    FMT_RXF,   /* r1 = field 32-35, r3 = field 8-11, r2 = x2, b2, d2 */
    FMT_RXY,   /* r1, r2 = x2, b2, d2 20 bits signed */
    FMT_RXY_M, /* r1 = m1, r2 = x2, b2, d2 (PFD) */
    FMT_RS,    /* r1 r3 b2 d2 */
    FMT_RS_M,  /* r1, r3 = m3, b2 d2 */
    FMT_RSI,   /* r1 r3, imm = rel16 (BRXH) */
    FMT_RSY,   /* r1 r3 b2 d2(20) */
    FMT_RSY_M, /* r1, r3 = m3, b2 d2(20) */
    FMT_RSL,   /* r1 = l1, b2 = b1, d2 = d1 (TP) */
    FMT_RI,    /* r1, imm = i16 signed */
    FMT_RI_M,  /* r1 = m1, imm = rel16 (BRC) */
    FMT_RI_REL,  /* r1, imm = rel16 (BRAS, BRCT) */
    FMT_RIL,     /* r1, imm = i32 (bits; signed or unsigned as the instruction says) */
    FMT_RIL_M,   /* r1 = m1, imm = rel32 */
    FMT_RIL_REL, /* r1, imm = rel32 */
    FMT_RIE_A,   /* r1, imm = i16, r3 = m3 (CIT); d has b2 = 0 */
    FMT_RIE_B,   /* r1 r2, r3 = m3, imm = rel16 (CRJ) */
    FMT_RIE_C,   /* r1, r3 = m3, imm = rel16, b2 = i8 bits (CIJ) */
    FMT_RIE_D,   /* r1 r3, imm = i16 (AHIK) */
    FMT_RIE_E,   /* r1 r3, imm = rel16 (BRXHG) */
    FMT_RIE_F,   /* r1 r2, r3 = i3, b2 = i4, imm = i5 (RISBG) */
    FMT_RIE_G,   /* r1, r3 = m3, imm = i16 (LOCHI) */
    FMT_RIS,     /* r1, r3 = m3, b2 = b4, d2 = d4, r2 = i8 bits (CIB) */
    FMT_RRS,     /* r1 r2, r3 = m3, b2 = b4, d2 = d4 (CRB) */
    FMT_S,       /* b2 d2 */
    FMT_SI,      /* r1 = i8, b2 = b1, d2 = d1 */
    FMT_SIY,     /* r1 = i8, b2 = b1, d2 = d1 (20 bits signed) */
    FMT_SIY_D,   /* the same without the immediate (LPSWEY) */
    FMT_SIL,     /* b2 = b1, ss.d1 = d1, ss.d2 = i16 bits */
    FMT_SS_L,    /* r1 = l (length code), r2 = b1, ss.d1, b2, ss.d2 (MVC) */
    FMT_SS_LL,   /* r1 = l1, r3 = l2, r2 = b1, ss.d1, b2, ss.d2 (AP) */
    FMT_SS_LI,   /* r1 = l1, r3 = i3, r2 = b1, ss.d1, b2, ss.d2 (SRP) */
    FMT_SS_RR,   /* r1, r3, r2 = b1, ss.d1, b2, ss.d2 (MVCK, PLO: r1 r3 b2(d2) b4(d4)) */
    FMT_SSE,     /* r2 = b1, ss.d1, b2, ss.d2 (MVCSK) */
    FMT_SSF,     /* r1 = r3, r2 = b1, ss.d1, b2, ss.d2 (MVCOS) */
    FMT_IE,      /* r1 = i1, r2 = i2 (NIAI) */
    FMT_MII,     /* r1 = m1, r2 r3 = bits 0-3 and 4-11 of ri2, imm = rel24 (BPRP) */
    FMT_SMI,     /* r1 = m1, ss.d1 = rel16, b2 = b3, ss.d2 = d3 (BPP) */
    FMT_COUNT
};

/* Flags of a row. */
#define IF_BRANCH 0x01u /* may return CPU_TAKEN */
#define IF_PRIV 0x02u   /* privileged: privileged-operation exception in the problem state */
#define IF_BFP 0x04u    /* data exception, DXC 2, unless CR0 bit 45 (AFP) is one */
#define IF_ICPT 0x08u   /* ends in an interception */
#define IF_FAST 0x10u   /* documentation: the body is small and inlined into the dispatch */

/** Executes the body of one instruction: 0 completed, >0 program interruption, <0 see CPU_*. */
typedef int insn_body(struct cpu *cpu, const struct dinsn *d);
/** Executes it and dispatches what follows. `n` counts instructions down. */
typedef int insn_run(struct cpu *cpu, const struct dinsn *d, long n);

struct isa_entry {
    u8 op, sub;
    u8 format; /* enum isa_format */
    u8 flags;
    u16 facility;
    const char *mnemonic;
    const char *title;
    insn_run *run;
    insn_body *body;
};

/** Chapter tables, each generated from one isa_*.def beside its bodies. */
struct isa_chapter {
    const struct isa_entry *entries;
    unsigned count;
};

extern const struct isa_chapter isa_general_register, isa_general_load, isa_general_multiple,
    isa_general_arith, isa_general_multiply, isa_general_logic, isa_general_shift,
    isa_general_compare, isa_general_branch, isa_general_interlock;
extern const struct isa_chapter isa_string, isa_string_long, isa_string_translate, isa_plo,
    isa_cmpsc, isa_sort, isa_decimal, isa_decimal_pack, isa_bfp, isa_bfp2, isa_control,
    isa_control2, isa_linkage;

/** Length in bytes of an instruction by its first byte: 2, 4 or 6. */
static inline unsigned isa_length(u8 op)
{
    return op < 0x40 ? 2 : op < 0xc0 ? 4 : 6;
}

enum isa_sub_kind { ISA_SUB_NONE, ISA_SUB_NIBBLE, ISA_SUB_BYTE1, ISA_SUB_BYTE5 };

/** Where the rest of the opcode lies. */
static inline enum isa_sub_kind isa_sub_kind(u8 op)
{
    switch (op) {
    case 0x01:
    case 0xb2:
    case 0xb3:
    case 0xb9:
    case 0xe5: return ISA_SUB_BYTE1;
    case 0xa5:
    case 0xa7:
    case 0xc0:
    case 0xc2:
    case 0xc4:
    case 0xc6:
    case 0xc8:
    case 0xcc: return ISA_SUB_NIBBLE;
    case 0xe3:
    case 0xe6:
    case 0xe7:
    case 0xeb:
    case 0xec:
    case 0xed: return ISA_SUB_BYTE5;
    default: return ISA_SUB_NONE;
    }
}

/** The whole opcode as one number: two bytes, `op` and `sub` of its row. */
static inline unsigned isa_opcode(const u8 *insn)
{
    unsigned sub = 0;
    switch (isa_sub_kind(insn[0])) {
    case ISA_SUB_NIBBLE: sub = insn[1] & 15; break;
    case ISA_SUB_BYTE1: sub = insn[1]; break;
    case ISA_SUB_BYTE5: sub = insn[5]; break;
    default: break;
    }
    return (unsigned)insn[0] << 8 | sub;
}

/** Find the row for six instruction bytes (shorter instructions: only their bytes are looked
 *  at); NULL when no row has this opcode. Facilities are not considered. */
const struct isa_entry *isa_find(const u8 *insn);
/** Is it the mnemonic of a row, in any case? Not the extended ones (BNE). */
bool isa_is_mnemonic(const char *word);
/** Decode operands of `insn` by `format` into `d` (run is left alone). */
void isa_decode(struct dinsn *d, enum isa_format format, const u8 *insn);
/** Text as GNU objdump prints it ("lg\t%r1,16(%r2,%r15)"); returns length in bytes of the
 *  instruction. `ia` is its address, for relative operands. */
unsigned isa_disassemble(const u8 *insn, u64 ia, char *out, size_t room);

#endif
