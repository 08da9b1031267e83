/* Unpacked binary floating-point numbers: shared by the bfp*.c files and their unit test.
 * A finite number is hi:lo / 2^255 * 2^exp with the leftmost bit of hi one; a nonzero remainder
 * below is jammed into the last bit of lo, far from where any format rounds. */
#ifndef ENDICOTT_CPU_BFP_INTERNAL_H
#define ENDICOTT_CPU_BFP_INTERNAL_H

#include "cpu/bfp/bfp.h"

enum bfp_class { BFP_ZERO, BFP_FINITE, BFP_INF, BFP_QNAN, BFP_SNAN };

struct bfp_num {
    enum bfp_class cls;
    bool sign;
    s32 exp;
    u128 hi, lo;
};

/** An integer part after rounding: kept may have carried into one more bit. */
struct bfp_rounded {
    u128 kept;
    bool inexact, up;
};

struct bfp_num bfp_unpack(const struct bfp_format *f, u128 v);
/** Round to the leftmost `keep` bits (below 128; zero and less are meant). */
struct bfp_rounded bfp_round_bits(const struct bfp_num *x, int keep, enum bfp_mode mode);
/** Round a number of class zero, finite or infinity to `f`, with flags and traps. */
u128 bfp_pack(struct bfp_env *e, const struct bfp_format *f, const struct bfp_num *x);
u128 bfp_pack_inf(const struct bfp_format *f, bool sign);
u128 bfp_default_nan(const struct bfp_format *f);
/** Report invalid operation. */
void bfp_invalid(struct bfp_env *e);
/** Report inexact, unless suppressed. */
void bfp_inexact(struct bfp_env *e, bool up);
/** When one of a, b is a NaN: its quieted bits in *r, and true. */
bool bfp_nan2(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b, u128 *r);
/** Exact sum of two finite numbers, jammed; an exact zero has the sign for `mode`. */
struct bfp_num bfp_sum(const struct bfp_num *a, const struct bfp_num *b, enum bfp_mode mode);
/** Move the leading one of hi:lo to the left end; class zero when there is none. */
void bfp_normalize(struct bfp_num *x);

#endif
