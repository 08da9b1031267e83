/* Moves between address spaces and with explicit access keys: MVCOS, MVCP, MVCS, MVCK, MVCSK,
 * MVCDK (PoP chapter 10). Both operands are checked whole before the first byte is stored. */
#include "cpu/linkage/art.h"
#include "cpu/insn/control.h"
#include "cpu/event/per.h"
#include "mem/base/copy.h"
#include "mem/dat.h"

#define MVCOS_BYTES_MAX 4096u
#define MVCP_BYTES_MAX 256u

/* Operand-access control of MVCOS. */
#define OAC_KEY(oac) ((u8)((oac) >> 8 & SKEY_ACC))
#define OAC_AS(oac) ((oac) >> 6 & 3)
#define OAC_KEY_VALID 2u
#define OAC_AS_VALID 1u

/** One operand of a move: where, and as whom. */
struct operand {
    struct tlb_space *space;
    u64 ea;
    unsigned b; /* base register */
    bool by_ar; /* whose access register selects the space */
};

/* The real space with a key that is not the PSW key. */
static struct tlb_space *real_space(struct cpu *c, u8 key)
{
    u8 psw_key = c->access_key;
    c->access_key = key;
    struct tlb_space *sp = cpu_space_real(c);
    c->access_key = psw_key;
    return sp;
}

/* The current space of base register b, with `key`. */
static int current_space(struct cpu *c, u8 key, struct operand *op)
{
    u64 asce;
    bool fetch_only;
    op->by_ar = cpu_ar_mode(c);
    if (key == c->access_key) {
        TRY(cpu_operand_space(c, op->b));
        op->space = c->space[op->b];
        return 0;
    }
    if (!(c->psw.mask & PSW_DAT)) {
        op->space = real_space(c, key);
        return 0;
    }
    if (op->by_ar)
        return art_space(c, op->b, key, &op->space);
    TRY(art_current_asce(c, op->b, &asce, &fetch_only));
    op->space = cpu_space_of(c, asce, key);
    return 0;
}

/* The space an address-space control selects, with `key`. */
static int selected_space(struct cpu *c, unsigned as, u8 key, struct operand *op)
{
    static const u8 cr_of[4] = {1, 1, 7, 13};
    op->by_ar = as == AS_AR;
    if (op->by_ar)
        return art_space(c, op->b, key, &op->space);
    op->space = cpu_space_of(c, c->cr[cr_of[as]], key);
    return 0;
}

/* An exception names the access register, or the space that was selected without one. */
static int operand_failed(struct cpu *c, const struct operand *op, int rc)
{
    if (rc && op->by_ar) {
        c->exc_ar = op->b & 15;
        c->teid = (c->teid & ~3ull) | AS_AR;
    }
    return rc;
}

/* Move len bytes, at most MVCOS_BYTES_MAX; nothing is stored when either side fails. */
static int move_bytes(struct cpu *c, struct operand to, struct operand from, u64 len)
{
    if (len == 0)
        return 0;
    const u8 *src = tlb_fetch(from.space, from.ea, (unsigned)len);
    u8 *dst = tlb_store(to.space, to.ea, (unsigned)len);
    if (likely(src && dst)) {
        copy_bytes(dst, src, len);
        return 0;
    }
    u8 buf[MVCOS_BYTES_MAX];
    TRY(operand_failed(c, &from, access_fetch_space(c, from.space, from.ea, buf, len)));
    TRY(operand_failed(c, &to, access_put_space(c, to.space, to.ea, buf, len)));
    if (unlikely(from.space->watched))
        per_addressed(c, from.space, from.b);
    if (unlikely(to.space->watched))
        per_addressed(c, to.space, to.b);
    return 0;
}

/* ---- MVCOS ---- */

/* Key, authority and space of one operand by its access control. */
static int operand_by_control(struct cpu *c, unsigned oac, struct operand *op)
{
    u8 key = oac & OAC_KEY_VALID ? OAC_KEY(oac) : c->access_key;
    if (!key_permitted(c, key >> 4))
        return PGM_PRIVILEGED;
    return oac & OAC_AS_VALID ? selected_space(c, OAC_AS(oac), key, op)
                              : current_space(c, key, op);
}

/* Keys and spaces are checked alike whether the control names them or the PSW does. */
static bool uses_secondary(const struct cpu *c, unsigned oac)
{
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    return (oac & OAC_AS_VALID ? OAC_AS(oac) : as) == AS_SECONDARY;
}

int move_with_specifications(struct cpu *c, const struct dinsn *d)
{
    struct operand to = {.ea = ea_1(c, d), .b = d->r2}, from = {.ea = ea_2(c, d), .b = d->b2};
    unsigned oac1 = gr32(c, 0) >> 16, oac2 = gr32(c, 0) & 0xffff;
    u64 len = reg_len(c, d->r1);
    if (!(c->psw.mask & PSW_DAT))
        return PGM_SPECIAL_OPERATION;
    if (problem_state(c) && (oac1 & OAC_AS_VALID) && OAC_AS(oac1) == AS_HOME)
        return PGM_SPECIAL_OPERATION;
    if (!(c->cr[0] & CR0_SECONDARY_CTL) && (uses_secondary(c, oac1) || uses_secondary(c, oac2)))
        return PGM_SPECIAL_OPERATION;
    TRY(operand_by_control(c, oac1, &to));
    TRY(operand_by_control(c, oac2, &from));
    TRY(move_bytes(c, to, from, len < MVCOS_BYTES_MAX ? len : MVCOS_BYTES_MAX));
    c->cc = len > MVCOS_BYTES_MAX ? 3 : 0;
    return 0;
}

/* ---- MVCP, MVCS, MVCK ---- */

/* Length in R1: at most 256 bytes at a time. */
static int move_counted(struct cpu *c, const struct dinsn *d, struct operand to,
                        struct operand from)
{
    u64 len = reg_len(c, d->r1);
    TRY(move_bytes(c, to, from, len < MVCP_BYTES_MAX ? len : MVCP_BYTES_MAX));
    c->cc = len > MVCP_BYTES_MAX ? 3 : 0;
    return 0;
}

int move_primary_secondary(struct cpu *c, const struct dinsn *d, bool to_primary)
{
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    u8 key = (u8)c->gr[d->r3] & SKEY_ACC;
    struct operand to = {.ea = ea_1(c, d), .b = d->r2}, from = {.ea = ea_2(c, d), .b = d->b2};
    if (!(c->psw.mask & PSW_DAT) || !(c->cr[0] & CR0_SECONDARY_CTL) || as == AS_AR ||
        as == AS_HOME)
        return PGM_SPECIAL_OPERATION;
    if (!key_permitted(c, key >> 4))
        return PGM_PRIVILEGED;
    struct tlb_space *primary = cpu_space_of(c, c->cr[1], c->access_key);
    struct tlb_space *secondary = cpu_space_of(c, c->cr[7], key);
    to.space = to_primary ? primary : secondary;
    from.space = to_primary ? secondary : primary;
    return move_counted(c, d, to, from);
}

int move_with_key(struct cpu *c, const struct dinsn *d)
{
    u8 key = (u8)c->gr[d->r3] & SKEY_ACC;
    if (!key_permitted(c, key >> 4))
        return PGM_PRIVILEGED;
    struct operand to = {.ea = ea_1(c, d), .b = d->r2}, from = {.ea = ea_2(c, d), .b = d->b2};
    TRY(current_space(c, c->access_key, &to));
    TRY(current_space(c, key, &from));
    return move_counted(c, d, to, from);
}

/* ---- MVCSK, MVCDK ---- */

int move_with_one_key(struct cpu *c, const struct dinsn *d, bool key_is_source)
{
    u8 key = (u8)c->gr[1] & SKEY_ACC;
    u64 len = (c->gr[0] & 0xff) + 1;
    if (!key_permitted(c, key >> 4))
        return PGM_PRIVILEGED;
    struct operand to = {.ea = ea_1(c, d), .b = d->r2}, from = {.ea = ea_2(c, d), .b = d->b2};
    TRY(current_space(c, key_is_source ? c->access_key : key, &to));
    TRY(current_space(c, key_is_source ? key : c->access_key, &from));
    return move_bytes(c, to, from, len);
}
