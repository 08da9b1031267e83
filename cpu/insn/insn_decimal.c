/* Packed-decimal arithmetic. An operand of up to 31 digits becomes a 128-bit magnitude and a
 * sign; operands are fetched whole before the result is stored, so they may overlap anyhow.
 * Source: Principles of Operation chapter 8, "Decimal Instructions"; 7 for CVB and CVD. */
#include "cpu/insn/operand.h"

#define DECIMAL_BYTES_MAX 16u
#define SIGN_PLUS 0xc
#define SIGN_MINUS 0xd

/** A number: magnitude below 10 to the 31st (sums: below twice that). */
struct decimal {
    u128 magnitude;
    bool negative;
};

static bool sign_valid(unsigned nibble)
{
    return nibble >= 10;
}

static bool sign_negative(unsigned nibble)
{
    return nibble == 0xb || nibble == SIGN_MINUS;
}

static u128 power_of_ten(unsigned n)
{
    u128 v = 1;
    while (n-- > 0)
        v *= 10;
    return v;
}

/** Digits that fit in an operand of len bytes, as a limit. */
static u128 decimal_limit(unsigned len)
{
    return power_of_ten(2 * len - 1);
}

/** False when a digit or the sign is invalid. */
static bool decimal_decode(const u8 *p, unsigned len, struct decimal *v)
{
    v->magnitude = 0;
    for (unsigned i = 0; i < len; i++) {
        unsigned high = p[i] >> 4, low = p[i] & 0xf;
        bool last = i + 1 == len;
        if (high > 9 || (last ? !sign_valid(low) : low > 9))
            return false;
        v->magnitude = last ? v->magnitude * 10 + high : v->magnitude * 100 + high * 10 + low;
        v->negative = last && sign_negative(low);
    }
    return true;
}

/** The rightmost digits that fit, with a preferred sign. */
static void decimal_encode(u8 *p, unsigned len, struct decimal v)
{
    const u64 half = 1000000000000000ull; /* 15 digits, so that each part fits 64 bits */
    u64 low = (u64)(v.magnitude % half);
    u128 high = v.magnitude / half;
    unsigned digits = 0;
    for (unsigned i = len; i-- > 0;) {
        unsigned nibble[2];
        for (unsigned k = 0; k < 2; k++) {
            if (i + 1 == len && k == 0) {
                nibble[k] = v.negative ? SIGN_MINUS : SIGN_PLUS;
                continue;
            }
            if (digits++ == 15)
                low = (u64)(high % (half * 100));
            nibble[k] = (unsigned)(low % 10);
            low /= 10;
        }
        p[i] = (u8)(nibble[1] << 4 | nibble[0]);
    }
}

static int decimal_fetch(struct cpu *c, u64 ea, unsigned b, unsigned len, struct decimal *v)
{
    u8 bytes[DECIMAL_BYTES_MAX];
    TRY(access_fetch(c, ea, b, bytes, len));
    if (decimal_decode(bytes, len, v))
        return 0;
    insn_data_exception(c, 0);
    return PGM_DATA; /* said here, so that whoever reads a function at a time sees it is not 0 */
}

/** Store a result that may overflow, set the condition code, interrupt when so masked. */
static int decimal_result(struct cpu *c, const struct dinsn *d, struct decimal v, bool overflow)
{
    unsigned len = d->r1 + 1u;
    u128 limit = decimal_limit(len);
    u8 bytes[DECIMAL_BYTES_MAX];
    overflow |= v.magnitude >= limit;
    v.magnitude %= limit; /* NOLINT(clang-analyzer-core.DivideZero): a power of ten */
    if (v.magnitude == 0 && !overflow)
        v.negative = false;
    decimal_encode(bytes, len, v);
    TRY(access_put(c, ea_1(c, d), d->r2, bytes, len));
    c->cc = overflow ? 3 : v.magnitude == 0 ? 0 : v.negative ? 1 : 2;
    bool masked = !(c->psw.mask & (4ull << PSW_PM_SHIFT));
    return overflow && !masked ? PGM_DECIMAL_OVERFLOW : 0;
}

/** Both operands; the first must be one that can be stored into when `store`. */
static int decimal_operands(struct cpu *c, const struct dinsn *d, bool store,
                            struct decimal *v1, struct decimal *v2)
{
    u64 ea1 = ea_1(c, d), ea2 = ea_2(c, d);
    unsigned len1 = d->r1 + 1u, len2 = d->r3 + 1u;
    if (store)
        TRY(operand_probe(c, ea1, d->r2, len1, TLB_STORE));
    TRY(operand_probe(c, ea1, d->r2, len1, TLB_FETCH));
    TRY(operand_probe(c, ea2, d->b2, len2, TLB_FETCH));
    TRY(decimal_fetch(c, ea2, d->b2, len2, v2));
    return decimal_fetch(c, ea1, d->r2, len1, v1);
}

static struct decimal decimal_sum(struct decimal a, struct decimal b)
{
    if (a.negative == b.negative)
        return (struct decimal){a.magnitude + b.magnitude, a.negative};
    if (a.magnitude >= b.magnitude)
        return (struct decimal){a.magnitude - b.magnitude, a.negative};
    return (struct decimal){b.magnitude - a.magnitude, b.negative};
}

/* FA AP ADD DECIMAL */
INSN(ap)
{
    struct decimal a, b;
    TRY(decimal_operands(c, d, true, &a, &b));
    return decimal_result(c, d, decimal_sum(a, b), false);
}

/* FB SP SUBTRACT DECIMAL */
INSN(sp)
{
    struct decimal a, b;
    TRY(decimal_operands(c, d, true, &a, &b));
    b.negative = !b.negative;
    return decimal_result(c, d, decimal_sum(a, b), false);
}

/* F8 ZAP ZERO AND ADD */
INSN(zap)
{
    struct decimal b;
    TRY(operand_probe(c, ea_1(c, d), d->r2, d->r1 + 1u, TLB_STORE));
    TRY(decimal_fetch(c, ea_2(c, d), d->b2, d->r3 + 1u, &b));
    return decimal_result(c, d, b, false);
}

/* F9 CP COMPARE DECIMAL */
INSN(cp)
{
    struct decimal a, b;
    TRY(decimal_operands(c, d, false, &a, &b));
    b.negative = !b.negative;
    struct decimal difference = decimal_sum(a, b);
    c->cc = difference.magnitude == 0 ? 0 : difference.negative ? 1 : 2;
    return 0;
}

/* FC MP MULTIPLY DECIMAL: the multiplicand has as many zero bytes as the multiplier is long */
INSN(mp)
{
    u8 bytes[DECIMAL_BYTES_MAX];
    unsigned len = d->r1 + 1u;
    struct decimal a, b;
    if (d->r3 > 7 || d->r3 >= d->r1)
        return PGM_SPECIFICATION;
    TRY(decimal_operands(c, d, true, &a, &b));
    TRY(access_fetch(c, ea_1(c, d), d->r2, bytes, len));
    for (unsigned i = 0; i <= d->r3; i++) {
        if (bytes[i] != 0)
            return insn_data_exception(c, 0);
    }
    struct decimal product = {a.magnitude * b.magnitude, a.negative != b.negative};
    decimal_encode(bytes, len, product);
    return access_put(c, ea_1(c, d), d->r2, bytes, len);
}

/* FD DP DIVIDE DECIMAL: quotient on the left, remainder as long as the divisor on the right */
INSN(dp)
{
    u8 bytes[DECIMAL_BYTES_MAX];
    struct decimal a, b;
    unsigned len = d->r1 + 1u, quotient_len = (unsigned)d->r1 - d->r3;
    if (d->r3 > 7 || d->r3 >= d->r1)
        return PGM_SPECIFICATION;
    TRY(decimal_operands(c, d, true, &a, &b));
    if (b.magnitude == 0)
        return PGM_DECIMAL_DIVIDE;
    struct decimal quotient = {a.magnitude / b.magnitude, a.negative != b.negative};
    struct decimal remainder = {a.magnitude % b.magnitude, a.negative};
    if (quotient.magnitude >= decimal_limit(quotient_len))
        return PGM_DECIMAL_DIVIDE;
    decimal_encode(bytes, quotient_len, quotient);
    decimal_encode(bytes + quotient_len, len - quotient_len, remainder);
    return access_put(c, ea_1(c, d), d->r2, bytes, len);
}

/** Shift left by n digits; true when significant digits are lost. */
static bool shift_left(struct decimal *v, unsigned digits, unsigned n)
{
    u128 kept = n < digits ? power_of_ten(digits - n) : 1;
    bool lost = v->magnitude >= kept;
    v->magnitude = n < digits ? v->magnitude % kept * power_of_ten(n) : 0;
    return lost;
}

/* F0 SRP SHIFT AND ROUND DECIMAL: left 0 to 31, right (rounding) 1 to 32 digits */
INSN(srp)
{
    unsigned amount = ea_2(c, d) & 0x3f, len = d->r1 + 1u, round = d->r3;
    struct decimal v;
    bool lost = false;
    TRY(operand_probe(c, ea_1(c, d), d->r2, len, TLB_STORE));
    TRY(decimal_fetch(c, ea_1(c, d), d->r2, len, &v));
    if (round > 9)
        return insn_data_exception(c, 0);
    if (amount < 32) {
        lost = shift_left(&v, 2 * len - 1, amount);
    } else {
        v.magnitude /= power_of_ten(63 - amount);
        v.magnitude = (v.magnitude + round) / 10;
    }
    return decimal_result(c, d, v, lost);
}

/* EBC0 TP TEST DECIMAL */
INSN(tp)
{
    u8 bytes[DECIMAL_BYTES_MAX];
    unsigned len = d->r1 + 1u;
    TRY(access_fetch(c, ea_b(c, d), d->b2, bytes, len));
    bool digits = (bytes[len - 1] >> 4) <= 9;
    for (unsigned i = 0; i + 1 < len; i++)
        digits &= (bytes[i] >> 4) <= 9 && (bytes[i] & 0xf) <= 9;
    c->cc = (u8)((digits ? 0 : 2) + (sign_valid(bytes[len - 1] & 0xf) ? 0 : 1));
    return 0;
}

/* -- binary -- */

/** Two's complement of a magnitude and a sign, modulo 2 to the 64th. */
static u64 decimal_binary(struct decimal v)
{
    u64 low = (u64)v.magnitude;
    return v.negative ? -low : low;
}

/** Greatest magnitude that fits a signed number of `bits` bits. */
static bool decimal_fits(struct decimal v, unsigned bits)
{
    return v.magnitude < ((u128)1 << (bits - 1)) + v.negative;
}

static int to_binary_32(struct cpu *c, const struct dinsn *d)
{
    struct decimal v;
    TRY(decimal_fetch(c, ea_x(c, d), d->b2, 8, &v));
    gr32_set(c, d->r1, (u32)decimal_binary(v));
    return decimal_fits(v, 32) ? 0 : PGM_FIXED_DIVIDE;
}

/* 4F CVB CONVERT TO BINARY */
INSN(cvb)
{
    return to_binary_32(c, d);
}

/* E306 CVBY CONVERT TO BINARY */
INSN(cvby)
{
    return to_binary_32(c, d);
}

/* E30E CVBG CONVERT TO BINARY */
INSN(cvbg)
{
    struct decimal v;
    TRY(decimal_fetch(c, ea_x(c, d), d->b2, 16, &v));
    if (!decimal_fits(v, 64))
        return PGM_FIXED_DIVIDE;
    c->gr[d->r1] = decimal_binary(v);
    return 0;
}

static int to_decimal(struct cpu *c, const struct dinsn *d, s64 binary, unsigned len)
{
    u8 bytes[DECIMAL_BYTES_MAX];
    struct decimal v = {binary < 0 ? -(u64)binary : (u64)binary, binary < 0};
    decimal_encode(bytes, len, v);
    return access_put(c, ea_x(c, d), d->b2, bytes, len);
}

/* 4E CVD CONVERT TO DECIMAL */
INSN(cvd)
{
    return to_decimal(c, d, (s32)gr32(c, d->r1), 8);
}

/* E326 CVDY CONVERT TO DECIMAL */
INSN(cvdy)
{
    return to_decimal(c, d, (s32)gr32(c, d->r1), 8);
}

/* E32E CVDG CONVERT TO DECIMAL */
INSN(cvdg)
{
    return to_decimal(c, d, (s64)c->gr[d->r1], 16);
}

#define CHAPTER_DEF "cpu/isa/isa_decimal.def"
#define CHAPTER_NAME isa_decimal
#include "cpu/insn/insn_chapter.h"
