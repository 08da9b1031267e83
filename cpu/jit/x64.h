/* An assembler for x86-64: appends encoded instructions to a buffer.
 * Registers are numbered as in the encoding. A full buffer sets `full` and swallows the rest, so
 * that the caller asks once, at the end. Source: Intel SDM volume 2. */
#ifndef ENDICOTT_CPU_X64_H
#define ENDICOTT_CPU_X64_H

#include "mem/base/bytes.h"

enum x64_reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
};
#define X64_NO_INDEX RSP /* rsp cannot be an index */

/** Condition codes as in the low nibble of Jcc. */
enum x64_cond {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G,
};

/** Opcodes: one byte, or 0x0Fxx, or 0x0F38xx. A_*: the register form `op r, r/m`. */
#define A_ADD 0x03
#define A_OR 0x0b
#define A_ADC 0x13
#define A_SBB 0x1b
#define A_AND 0x23
#define A_SUB 0x2b
#define A_XOR 0x33
#define A_CMP 0x3b
#define A_MOV 0x8b
#define A_MOV_STORE 0x89
#define A_MOV8_STORE 0x88
#define A_TEST 0x85
#define A_LEA 0x8d
#define A_CMOVO 0x0f40 /* and the condition */
#define A_IMUL 0x0faf
#define A_MOVZX8 0x0fb6
#define A_MOVZX16 0x0fb7
#define A_MOVSX8 0x0fbe
#define A_MOVSX16 0x0fbf
#define A_MOVSXD 0x63
#define A_MOVBE 0x0f38f0
#define A_MOVBE_STORE 0x0f38f1
#define A_LZCNT 0xf30fbd
#define A_POPCNT 0xf30fb8
#define A_TZCNT 0xf30fbc
#define A_CMP8 0x3a

/** The /digit of group-1 operations with an immediate. */
enum x64_group1 { G_ADD, G_OR, G_ADC, G_SBB, G_AND, G_SUB, G_XOR, G_CMP };
/** The /digit of shifts. */
enum x64_shift { S_ROL = 0, S_ROR = 1, S_SHL = 4, S_SHR = 5, S_SAR = 7 };

struct x64 {
    u8 *start, *at, *end; /* where it is written */
    u8 *run;              /* where `start` will be executed */
    bool full;
};

struct x64_mem {
    u8 base;
    u8 index; /* X64_NO_INDEX when there is none */
    u8 scale; /* 0..3 */
    s32 disp;
};

static inline struct x64_mem x64_at(unsigned base, s32 disp)
{
    return (struct x64_mem){(u8)base, X64_NO_INDEX, 0, disp};
}

static inline struct x64_mem x64_idx(unsigned base, unsigned index, unsigned scale, s32 disp)
{
    return (struct x64_mem){(u8)base, (u8)index, (u8)scale, disp};
}

/** Bytes emitted so far. */
static inline size_t x64_used(const struct x64 *a)
{
    return (size_t)(a->at - a->start);
}

void x64_byte(struct x64 *a, unsigned b);
void x64_u32(struct x64 *a, u32 v);
/** op reg, rm with registers; w: 64-bit. */
void x64_rr(struct x64 *a, bool w, unsigned op, unsigned reg, unsigned rm);
/** op reg, [mem]. */
void x64_rm(struct x64 *a, bool w, unsigned op, unsigned reg, struct x64_mem m);
/** The same with an operand-size prefix (16 bits), and for bytes registers (REX always). */
void x64_rm16(struct x64 *a, unsigned op, unsigned reg, struct x64_mem m);
void x64_rm8(struct x64 *a, unsigned op, unsigned reg, struct x64_mem m);
void x64_rr8(struct x64 *a, unsigned op, unsigned reg, unsigned rm);
/** Group 1 with an immediate that is sign-extended. */
void x64_gi(struct x64 *a, bool w, enum x64_group1 g, unsigned rm, s32 imm);
void x64_gi_mem(struct x64 *a, bool w, enum x64_group1 g, struct x64_mem m, s32 imm);
/** cmp byte [m], imm8 and test byte [m], imm8; mov byte [m], imm8. */
void x64_cmp8_mem(struct x64 *a, struct x64_mem m, u8 imm);
void x64_test8_mem(struct x64 *a, struct x64_mem m, u8 imm);
void x64_mov8_mem(struct x64 *a, struct x64_mem m, u8 imm);
/** mov dword [m], imm32; qword sign-extended when w. */
void x64_mov_mem_i(struct x64 *a, bool w, struct x64_mem m, s32 imm);
/** test rm, imm32. */
void x64_test_i(struct x64 *a, bool w, unsigned rm, s32 imm);
/** reg = value, the shortest way; flags are kept. */
void x64_mov_i(struct x64 *a, unsigned reg, u64 value);
/** Shift or rotate by a constant. */
void x64_shift_i(struct x64 *a, bool w, enum x64_shift s, unsigned rm, unsigned count);
/** By cl. */
void x64_shift_cl(struct x64 *a, bool w, enum x64_shift s, unsigned rm);
/** dst = src rotated right by a constant (flags kept). */
void x64_rorx(struct x64 *a, bool w, unsigned dst, unsigned src, unsigned count);
/** BMI2 shifts dst = src by count register. s: S_SHL, S_SHR, S_SAR. */
void x64_shiftx(struct x64 *a, bool w, enum x64_shift s, unsigned dst, unsigned src,
                unsigned count);
/** dst = ~x & y. */
void x64_andn(struct x64 *a, bool w, unsigned dst, unsigned x, unsigned y);
/** neg, not, mul, imul, div, idiv: /digit of group 3. */
enum x64_group3 { N_NOT = 2, N_NEG, N_MUL, N_IMUL, N_DIV, N_IDIV };
void x64_g3(struct x64 *a, bool w, enum x64_group3 g, unsigned rm);
void x64_imul_i(struct x64 *a, bool w, unsigned dst, unsigned src, s32 imm);
void x64_bswap(struct x64 *a, bool w, unsigned reg);
void x64_setcc(struct x64 *a, enum x64_cond cc, unsigned reg);
void x64_cmov(struct x64 *a, bool w, enum x64_cond cc, unsigned dst, unsigned src);
/** Jumps with 32-bit displacement; return where the displacement stands, for x64_patch. */
u8 *x64_jcc(struct x64 *a, enum x64_cond cc);
u8 *x64_jmp(struct x64 *a);
/** The displacement at `where` leads to `target`, both in the buffer. */
void x64_patch(struct x64 *a, u8 *where, const u8 *target);
/** Jump or call to an address outside: direct when within reach, else through rax / r11. */
void x64_jmp_to(struct x64 *a, const void *target);
void x64_call_to(struct x64 *a, const void *target);
/** jmp [mem]. */
void x64_jmp_mem(struct x64 *a, struct x64_mem m);
void x64_ret(struct x64 *a);
/** Call a C function from translated code, whose stack is as at a function entry. */
void x64_call_c(struct x64 *a, const void *target);
/** SSE: prefix 0, 0x66, 0xf2 or 0xf3, opcode 0x0Fxx. */
void x64_sse_rr(struct x64 *a, unsigned prefix, bool w, unsigned op, unsigned reg, unsigned rm);
void x64_sse_rm(struct x64 *a, unsigned prefix, bool w, unsigned op, unsigned reg,
                struct x64_mem m);
/** 66 0F3A op reg, rm, imm8. */
void x64_sse3a(struct x64 *a, unsigned op, unsigned reg, unsigned rm, unsigned imm);
/** Scalar operation on vector registers, long or short: dst = v op rm. */
void x64_vscalar(struct x64 *a, bool wide, unsigned op, unsigned dst, unsigned v, unsigned rm);
/** Unaligned move of 32 (wide) or 16 bytes. Then vzeroupper before other SSE. */
void x64_vmovdqu(struct x64 *a, bool wide, bool store, unsigned reg, struct x64_mem m);
/** AVX with a storage operand: op is prefix, map (1: 0F, 2: 0F38) and opcode. */
void x64_vector(struct x64 *a, bool wide, unsigned op, unsigned reg, unsigned v,
                struct x64_mem m);
/** The same with registers. */
void x64_vector_rr(struct x64 *a, bool wide, unsigned op, unsigned reg, unsigned v,
                   unsigned rm);
#define A_MOVQ 0x0f6e /* SSE, from a general register */
#define V_LOAD 0xf3016fu
#define V_STORE 0xf3017fu
#define V_LOADQ 0xf3017eu /* 8 bytes */
#define V_STOREQ 0x6601d6u
#define V_STORED 0x66017eu /* 4 bytes, to a register too */
#define V_XOR 0x6601efu
#define V_CMPEQB 0x660174u
#define V_MOVMSKB 0x6601d7u
#define V_SHUFFLEB 0x660200u
#define V_BROADCASTB 0x660278u
#define V_BROADCASTW 0x660279u
#define V_BROADCASTD 0x660258u
#define V_BROADCASTQ 0x660259u
void x64_push(struct x64 *a, unsigned reg);
void x64_pop(struct x64 *a, unsigned reg);
/** All 32 bytes zero. */
void x64_vzero(struct x64 *a, unsigned reg);
void x64_vzeroupper(struct x64 *a);
/** FMA: dst, v, rm are vector registers. */
void x64_fma(struct x64 *a, bool w, unsigned op, unsigned dst, unsigned v, unsigned rm);

#endif
