/* Opcode lookup and operand decoding.
 * isa_find is one generated switch over all rows: two rows of the same opcode do not compile, nor
 * do two of the same mnemonic. No table is built at run time. */
#include "cpu/isa.h"

#include "cpu/cpu_internal.h"

#define REG_NONE 16 /* base or index register 0: gr[16], always zero */

/* Number of each row; FIRST_x is that of the first row of chapter x. */
enum row {
#define CHAPTER(name) FIRST_##name, BEFORE_##name = FIRST_##name - 1,
#define I(op, sub, fmt, mn, title, fac, flags) ROW_##mn,
#include "cpu/isa/isa.def"
#undef I
    ROW_COUNT
};

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

const struct isa_entry *isa_find(const u8 *insn)
{
    switch (isa_opcode(insn)) {
#define I(op, sub, fmt, mn, title, fac, flags)                                                 \
    case (op) << 8 | (sub):                                                                    \
        return &ISA_CHAPTER.entries[ROW_##mn - PASTE(FIRST_, ISA_CHAPTER)];
#include "cpu/isa/isa.def"
#undef I
    default: return NULL;
    }
}

bool isa_is_mnemonic(const char *word)
{
    static const char *const mnemonics[] = {
#define I(op, sub, fmt, mn, title, fac, flags) #mn,
#include "cpu/isa/isa.def"
#undef I
    };
    for (size_t i = 0; i < ARRAY_LEN(mnemonics); i++)
        if (!strcasecmp(mnemonics[i], word))
            return true;
    return false;
}

static u8 high(u8 byte)
{
    return byte >> 4;
}

static u8 low(u8 byte)
{
    return byte & 15;
}

static u8 base(u8 field)
{
    return field ? field : REG_NONE;
}

/* A base-displacement pair of 16 bits. */
static u16 disp12(const u8 *at)
{
    return be16_load(at) & 0xfff;
}

/* DL at bits 20-31, DH at 32-39: signed. */
static s32 disp20(const u8 *insn)
{
    return (s32)((u32)insn[4] << 24 | (u32)(be16_load(insn + 2) & 0xfff) << 12) >> 12;
}

static s32 signed16(const u8 *at)
{
    return (s16)be16_load(at);
}

/* r1 and r3 (or m3) of byte 1, a base-displacement operand in bytes 2 and 3. */
static void decode_rs(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[1]);
    d->r3 = low(insn[1]);
    d->b2 = base(high(insn[2]));
    d->d2 = disp12(insn + 2);
}

static void decode_rsy(struct dinsn *d, const u8 *insn)
{
    decode_rs(d, insn);
    d->d2 = disp20(insn);
}

/* r1, an indexed operand. */
static void decode_rx(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[1]);
    d->r2 = base(low(insn[1]));
    d->b2 = base(high(insn[2]));
    d->d2 = disp12(insn + 2);
}

static void decode_rxf(struct dinsn *d, const u8 *insn)
{
    decode_rx(d, insn);
    d->r1 = high(insn[4]);
    d->r3 = high(insn[1]);
}

static void decode_si(struct dinsn *d, const u8 *insn)
{
    d->r1 = insn[1];
    d->b2 = base(high(insn[2]));
    d->d2 = disp12(insn + 2);
}

static void decode_rrf(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[3]);
    d->r2 = low(insn[3]);
    d->r3 = high(insn[2]);
    d->b2 = low(insn[2]);
}

/* r1, a 16-bit immediate; r3 in the second nibble where the format has one. */
static void decode_ri(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[1]);
    d->r3 = low(insn[1]);
    d->imm = signed16(insn + 2);
}

static void decode_ril(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[1]);
    d->imm = (s32)be32_load(insn + 2);
}

/* r1 r2 (RIE_B, RRS) or r1 m3 (RIE_C, RIS), by where m3 is. */
static void decode_rie(struct dinsn *d, const u8 *insn, u8 m3)
{
    d->r1 = high(insn[1]);
    d->r2 = low(insn[1]);
    d->r3 = m3;
    d->imm = signed16(insn + 2);
}

/* Both storage operands of SS formats; byte 1 is left to the caller. */
static void decode_ss(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[1]);
    d->r3 = low(insn[1]);
    d->r2 = base(high(insn[2]));
    d->b2 = base(high(insn[4]));
    d->ss.d1 = disp12(insn + 2);
    d->ss.d2 = disp12(insn + 4);
}

static void decode_sil(struct dinsn *d, const u8 *insn)
{
    d->b2 = base(high(insn[2]));
    d->ss.d1 = disp12(insn + 2);
    d->ss.d2 = be16_load(insn + 4);
}

/* RIS and RRS: a branch target in bytes 2 and 3. */
static void decode_compare_branch(struct dinsn *d, const u8 *insn, u8 r2, u8 m3)
{
    d->r1 = high(insn[1]);
    d->r2 = r2;
    d->r3 = m3;
    d->b2 = base(high(insn[2]));
    d->d2 = disp12(insn + 2);
}

static void decode_mii(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[1]);
    d->r2 = low(insn[1]);
    d->r3 = insn[2];
    d->imm = (s32)(be32_load(insn + 2) << 8) >> 8;
}

static void decode_smi(struct dinsn *d, const u8 *insn)
{
    d->r1 = high(insn[1]);
    d->b2 = base(high(insn[2]));
    d->ss.d2 = disp12(insn + 2);
    d->ss.d1 = be16_load(insn + 4);
}

/* Formats with at most registers and one immediate operand. */
static bool decode_short(struct dinsn *d, enum isa_format format, const u8 *insn)
{
    switch (format) {
    case FMT_E:
    case FMT_RRE_0: return true;
    case FMT_I: d->imm = insn[1]; return true;
    case FMT_RR:
    case FMT_RR_M:
        d->r1 = high(insn[1]);
        d->r2 = low(insn[1]);
        return true;
    case FMT_RRE:
    case FMT_RRE_1:
    case FMT_IE:
    case FMT_RRF: decode_rrf(d, insn); return true;
    case FMT_RRD:
        decode_rrf(d, insn);
        d->r1 = high(insn[2]);
        d->r3 = high(insn[3]);
        return true;
    case FMT_RI:
    case FMT_RI_M:
    case FMT_RI_REL:
    case FMT_RSI: decode_ri(d, insn); return true;
    case FMT_RIL:
    case FMT_RIL_M:
    case FMT_RIL_REL: decode_ril(d, insn); return true;
    default: return false;
    }
}

/* RIE, RIS, RRS, MII, SMI: immediate and relative operands in six bytes. */
static bool decode_immediate(struct dinsn *d, enum isa_format format, const u8 *insn)
{
    switch (format) {
    case FMT_RIE_A: decode_rie(d, insn, high(insn[4])); return true;
    case FMT_RIE_B: decode_rie(d, insn, high(insn[4])); return true;
    case FMT_RIE_C:
        decode_rie(d, insn, low(insn[1]));
        d->b2 = insn[4];
        return true;
    case FMT_RIE_D:
    case FMT_RIE_E:
    case FMT_RIE_G: decode_rie(d, insn, low(insn[1])); return true;
    case FMT_RIE_F:
        decode_rie(d, insn, insn[2]);
        d->b2 = insn[3];
        d->imm = insn[4];
        return true;
    case FMT_RIS: decode_compare_branch(d, insn, insn[4], low(insn[1])); return true;
    case FMT_RRS: decode_compare_branch(d, insn, low(insn[1]), high(insn[4])); return true;
    case FMT_MII: decode_mii(d, insn); return true;
    case FMT_SMI: decode_smi(d, insn); return true;
    default: return false;
    }
}

/* One storage operand. */
static bool decode_storage(struct dinsn *d, enum isa_format format, const u8 *insn)
{
    switch (format) {
    case FMT_RX:
    case FMT_RX_M: decode_rx(d, insn); return true;
    case FMT_RXE:
        decode_rx(d, insn);
        d->r3 = high(insn[4]);
        return true;
    case FMT_RXF: decode_rxf(d, insn); return true;
    case FMT_RXY:
    case FMT_RXY_M:
        decode_rx(d, insn);
        d->d2 = disp20(insn);
        return true;
    case FMT_RS:
    case FMT_RS_M:
    case FMT_S:
    case FMT_RSL: decode_rs(d, insn); return true;
    case FMT_RSY:
    case FMT_RSY_M: decode_rsy(d, insn); return true;
    case FMT_SI: decode_si(d, insn); return true;
    case FMT_SIY:
    case FMT_SIY_D:
        decode_si(d, insn);
        d->d2 = disp20(insn);
        return true;
    default: return false;
    }
}

void isa_decode(struct dinsn *d, enum isa_format format, const u8 *insn)
{
    d->r1 = d->r2 = d->r3 = d->b2 = 0;
    d->d2 = 0;
    if (decode_short(d, format, insn) || decode_storage(d, format, insn) ||
        decode_immediate(d, format, insn))
        return;
    if (format == FMT_SIL) {
        decode_sil(d, insn);
        return;
    }
    decode_ss(d, insn);
    if (format == FMT_SS_L)
        d->r1 = insn[1];
}
