/* Rows of lower.def, found by opcode. A row that names no mnemonic of isa.def does not compile. */
#include "cpu/jit/jit_internal.h"

enum opcode {
#define I(op, sub, fmt, mn, title, fac, flags) OPCODE_##mn = (op) << 8 | (sub),
#include "cpu/isa/isa.def"
#undef I
};

const struct lowering *jit_lowering(const struct isa_entry *row)
{
    switch (row->op << 8 | row->sub) {
#define L(mn, op, width, dst, a, b, ext, cc)                                                   \
    case OPCODE_##mn: {                                                                        \
        static const struct lowering lo = {OP_##op, width,   S_##dst, S_##a,                   \
                                           S_##b,   X_##ext, CCK_##cc};                        \
        return &lo;                                                                            \
    }
#include "cpu/jit/lower.def"
#undef L
    default: return NULL;
    }
}

const struct lowering *jit_lowering_count(bool w)
{
    static const struct lowering dec[] = {{OP_DEC, 32, S_R1, S_R1, S_NONE, X_32, CCK_NONE},
                                          {OP_DEC, 64, S_R1, S_R1, S_NONE, X_64, CCK_NONE}};
    return &dec[w];
}

const struct lowering *jit_lowering_sync(void)
{
    static const struct lowering sync = {OP_SYNC, 32, S_NONE, S_NONE, S_NONE, X_32, CCK_NONE};
    return &sync;
}

s64 jit_const(const struct dinsn *d, u8 src)
{
    u64 low16 = (u16)d->imm;
    switch (src) {
    case S_IMM: return d->imm;
    case S_IMMU: return (u32)d->imm;
    case S_IMMH: return (s64)((u64)(u32)d->imm << 32);
    case S_I48: return (s64)(low16 << 48);
    case S_I32: return (s64)(low16 << 32);
    case S_I16: return (s64)(low16 << 16);
    case S_I0: return (s64)low16;
    case S_SIL: return (s16)d->ss.d2;
    case S_SILU: return d->ss.d2;
    case S_I8U: return d->r1;
    case S_B2S8: return (s8)d->b2;
    case S_I8S: return (s8)d->r1;
    case S_R2S8: return (s8)d->r2;
    case S_R2U8: return d->r2;
    default: return d->b2;
    }
}

u64 jit_field(u8 src)
{
    switch (src) {
    case S_IMMH: return 0xffffffffull << 32;
    case S_I48: return 0xffffull << 48;
    case S_I32: return 0xffffull << 32;
    case S_I16: return 0xffffull << 16;
    default: return 0xffff;
    }
}
