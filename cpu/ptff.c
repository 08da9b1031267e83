/* PERFORM TIMING FACILITY FUNCTION (PoP chapter 10): queries, offsets, steering rates.
 * A steering episode begins with the function that changes something, not at the next update of
 * the TOD offset by the machine. Layouts of the extended (16-byte) and user functions are from
 * memory: sign-extended 128-bit values, the epoch index in byte 7. */
#include "cpu/insn/control.h"

/* Function codes: P(name, code, facility that brought it, bytes of its parameter block). */
#define PTFF_FUNCTIONS                                                                         \
    P(QAF, 0, FAC_TODSTEER, 16)                                                                \
    P(QTO, 1, FAC_TODSTEER, 32)                                                                \
    P(QSI, 2, FAC_TODSTEER, 56)                                                                \
    P(QPT, 3, FAC_TODSTEER, 8)                                                                 \
    P(QUI, 4, FAC_TODUSER, 256)                                                                \
    P(QTOU, 5, FAC_TODUSER, 32)                                                                \
    P(QSIE, 10, FAC_MEPOCH, 96)                                                                \
    P(QTOUE, 13, FAC_MEPOCH, 64)                                                               \
    P(ATO, 64, FAC_TODSTEER, 8)                                                                \
    P(STO, 65, FAC_TODSTEER, 8)                                                                \
    P(SFS, 66, FAC_TODSTEER, 4)                                                                \
    P(SGS, 67, FAC_TODSTEER, 4)                                                                \
    P(STOU, 69, FAC_TODUSER, 8)                                                                \
    P(STOE, 73, FAC_MEPOCH, 16)                                                                \
    P(STOUE, 77, FAC_MEPOCH, 16)

enum ptff_function {
#define P(name, code, facility, bytes) PTFF_##name = code,
    PTFF_FUNCTIONS
#undef P
};

struct ptff_row {
    u8 code;
    u16 facility, bytes;
};

static const struct ptff_row rows[] = {
#define P(name, code, facility, bytes) {code, facility, bytes},
    PTFF_FUNCTIONS
#undef P
};

#define PTFF_BLOCK_BYTES_MAX 256
#define PTFF_CONTROL 0x40u /* functions from here on change something */

static const struct ptff_row *row_of(const struct cpu *c, unsigned function)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].code == function)
            return has_facility(c, rows[i].facility) ? &rows[i] : NULL;
    return NULL;
}

/* ---- queries ---- */

static void put_available(const struct cpu *c, u8 *block)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (has_facility(c, rows[i].facility))
            block[rows[i].code / 8] |= (u8)(0x80u >> rows[i].code % 8);
}

static void put_wide(u8 *at, s128 v)
{
    be64_store(at, (u64)((u128)v >> 64));
    be64_store(at + 8, (u64)v);
}

/* A value of 8 bytes, or of 16; what is behind it. */
static u8 *put_value(u8 *at, s128 v, bool wide)
{
    if (wide)
        put_wide(at, v);
    else
        be64_store(at, (u64)v);
    return at + (wide ? 16 : 8);
}

static u8 *put_episode(u8 *at, const struct tod_episode *e, bool wide)
{
    at = put_value(at, e->start, wide);
    at = put_value(at, e->base, wide);
    be32_store(at, (u32)e->fine);
    be32_store(at + 4, (u32)e->gross);
    return at + 8;
}

/* The offset of the machine below is none; that of the guest is all its own. */
static void put_offsets(const struct tod_clock *k, u64 physical, u8 *at, s128 last, bool wide)
{
    at = put_value(at, physical, wide);
    at = put_value(at, 0, wide);
    at = put_value(at, tod_offset_at(k, physical), wide);
    put_value(at, last, wide);
}

static void query(struct cpu *c, unsigned function, u8 *block)
{
    const struct tod_clock *k = &c->set->clock;
    u64 physical = c->ports->tod(c->ports_ctx);
    bool wide = function == PTFF_QSIE || function == PTFF_QTOUE;
    lock_take(&c->set->lock);
    switch (function) {
    case PTFF_QAF: put_available(c, block); break;
    case PTFF_QTO: put_offsets(k, physical, block, tod_offset_at(k, physical), false); break;
    case PTFF_QTOU:
    case PTFF_QTOUE: put_offsets(k, physical, block, k->user, wide); break;
    case PTFF_QSI:
    case PTFF_QSIE:
        block = put_value(block, physical, wide);
        block = put_episode(block, &k->old, wide);
        put_episode(block, &k->new, wide);
        break;
    case PTFF_QPT: be64_store(block, physical); break;
    default: break; /* QUI: local timing mode, no leap seconds: zeros */
    }
    lock_drop(&c->set->lock);
}

/* ---- control ---- */

static void user_set(struct tod_clock *k, struct tod_episode *e, s128 user)
{
    e->base += user - k->user;
    k->user = user;
}

static void control(struct cpu *c, unsigned function, const u8 *block)
{
    struct tod_clock *k = &c->set->clock;
    s64 v = (s64)be64_load(block);
    s128 wide = (s128)((u128)(u64)v << 64 | be64_load(block + 8));
    lock_take(&c->set->lock);
    struct tod_episode *e = tod_turn(k, timing_physical(c));
    switch (function) {
    case PTFF_ATO: e->base += v; break;
    case PTFF_STO: e->base = v; break;
    case PTFF_STOE: e->base = wide; break;
    case PTFF_SFS: e->fine = (s32)be32_load(block); break;
    case PTFF_SGS: e->gross = (s32)be32_load(block); break;
    case PTFF_STOU: user_set(k, e, v); break;
    default: user_set(k, e, wide); break; /* STOUE */
    }
    tod_change(k);
    lock_drop(&c->set->lock);
    timing_changed(c);
}

int timing_perform_function(struct cpu *c)
{
    u8 block[PTFF_BLOCK_BYTES_MAX] = {0};
    unsigned function = gr32(c, 0) & 0x7f;
    if (gr32(c, 0) & 0x80)
        return PGM_SPECIFICATION;
    u64 ea = reg_addr(c, 1);
    const struct ptff_row *row = row_of(c, function);
    if (!row) {
        c->cc = 3;
        return 0;
    }
    if (function < PTFF_CONTROL) {
        query(c, function, block);
        TRY(access_put(c, ea, 1, block, row->bytes));
        c->cc = 0;
        return 0;
    }
    if (problem_state(c))
        return PGM_PRIVILEGED;
    TRY(access_fetch(c, ea, 1, block, row->bytes));
    control(c, function, block);
    c->cc = 0;
    return CPU_RESYNC;
}
