/* Binary floating point, exact and in software: one implementation for short, long and extended.
 * Guarantees: results, flags and data-exception codes of the Principles of Operation (chapters 9
 * and 19) for every rounding mode; tininess is detected before rounding. A value travels as its
 * bits, right-aligned in a u128. No state: all effects are left in struct bfp_env. */
#ifndef ENDICOTT_CPU_BFP_H
#define ENDICOTT_CPU_BFP_H

#include "mem/base/bytes.h"

struct bfp_format {
    u8 bits;      /* 32, 64, 128 */
    u8 precision; /* 24, 53, 113, the implicit bit included */
    s32 emax;     /* also the bias; emin is 1 - emax */
    s32 alpha;    /* exponent adjustment of a trapped overflow or underflow */
    s32 alpha_lr; /* the same for LOAD ROUNDED from this format */
};

extern const struct bfp_format bfp_short, bfp_long, bfp_extended;

/* Rounding modes, coded as in the FPC; RNA has no code there. */
enum bfp_mode {
    BFP_RNE = 0, /* to nearest, ties to even */
    BFP_RZ = 1,
    BFP_RP = 2,
    BFP_RM = 3,
    BFP_RNA = 4, /* to nearest, ties away from zero */
    BFP_RFS = 7, /* prepare for shorter precision: inexact results get an odd last digit */
};

/* IEEE exceptions as in the mask byte, the flag byte and the DXC. */
#define BFP_INVALID 0x80u
#define BFP_DIVZERO 0x40u
#define BFP_OVERFLOW 0x20u
#define BFP_UNDERFLOW 0x10u
#define BFP_INEXACT 0x08u
#define BFP_INCREMENTED 0x04u /* DXC only: the result is larger in magnitude than the precise */
#define BFP_SUPPRESSING (BFP_INVALID | BFP_DIVZERO)

/** What an operation is told and what it reports. */
struct bfp_env {
    enum bfp_mode mode;
    u8 masks; /* FPC byte 0 */
    bool xxc; /* inexact is not to be recognised */
    u8 flags; /* out: to be ORed into FPC byte 1, unless the operation is suppressed */
    u8 dxc;   /* out: 0, or the code of the trap; with BFP_SUPPRESSING there is no result */
    const struct bfp_format *wrap; /* LOAD ROUNDED: format of trapped results, else NULL */
};

/** Rounding mode and masks from an FPC. */
static inline void bfp_env_init(struct bfp_env *e, u32 fpc)
{
    *e = (struct bfp_env){.mode = (enum bfp_mode)(fpc & 7), .masks = (u8)(fpc >> 24)};
}

/* -- arithmetic: the result rounded to `f`; NaNs by precedence (SNaN first, then left to right) */
u128 bfp_add(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b);
u128 bfp_sub(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b);
/** Operands in `src`, product in `f` (MULTIPLY with lengthening when they differ). */
u128 bfp_mul(struct bfp_env *e, const struct bfp_format *f, const struct bfp_format *src,
             u128 a, u128 b);
u128 bfp_div(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b);
u128 bfp_sqrt(struct bfp_env *e, const struct bfp_format *f, u128 a);
/** third * second + first, or - first when `subtract`; one rounding. */
u128 bfp_mul_add(struct bfp_env *e, const struct bfp_format *f, u128 first, u128 second,
                 u128 third, bool subtract);
/** Condition code; `signal`: a quiet NaN is invalid too. */
u8 bfp_compare(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b, bool signal);
/** LOAD AND TEST: only a signalling NaN changes. */
u128 bfp_quiet(struct bfp_env *e, const struct bfp_format *f, u128 a);

/* -- conversion */
u128 bfp_lengthen(struct bfp_env *e, const struct bfp_format *f, const struct bfp_format *src,
                  u128 a);
/** LOAD ROUNDED. A trapped overflow or underflow (dxc) leaves its result in format `src`. */
u128 bfp_shorten(struct bfp_env *e, const struct bfp_format *f, const struct bfp_format *src,
                 u128 a);
u128 bfp_to_integral(struct bfp_env *e, const struct bfp_format *f, u128 a);
/** To an integer of `width` bits (32, 64); *cc as CONVERT TO FIXED / LOGICAL set it. */
u64 bfp_to_fixed(struct bfp_env *e, const struct bfp_format *f, u128 a, unsigned width,
                 bool is_signed, u8 *cc);
u128 bfp_from_fixed(struct bfp_env *e, const struct bfp_format *f, bool negative,
                    u64 magnitude);
/** DIVIDE TO INTEGER: remainder returned, quotient in *n (rounded by `final`), condition code. */
u128 bfp_divide_to_integer(struct bfp_env *e, const struct bfp_format *f, enum bfp_mode final,
                           u128 a, u128 b, u128 *n, u8 *cc);

/* -- inspection */
/** 0 zero, 1 less than zero, 2 greater, 3 NaN. */
u8 bfp_cc(const struct bfp_format *f, u128 a);
/** The one bit of TEST DATA CLASS (of 12) that describes `a`. */
u32 bfp_data_class(const struct bfp_format *f, u128 a);

static inline u128 bfp_sign_bit(const struct bfp_format *f)
{
    return (u128)1 << (f->bits - 1);
}

#endif
