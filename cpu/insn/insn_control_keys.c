/* Storage keys: bodies that the control chapter calls (PoP chapter 10).
 * A translation exists only while the key allows it and with R and C recorded, so a key change
 * that withdraws something purges the translations of all CPUs. */
#include "cpu/linkage/art.h"
#include "cpu/insn/control.h"
#include "cpu/event/per.h"
#include "mem/dat.h"

#define SEGMENT_BYTES (1ull << 20)
#define REGION_BYTES (1ull << 31)

/* M3 of SET STORAGE KEY EXTENDED. */
#define M3_MR 4u
#define M3_MC 2u
#define M3_MB 1u

/* First operand of PERFORM FRAME MANAGEMENT FUNCTION. */
#define PFMF_RESERVED 0xfffc0101u
#define PFMF_SET_KEY 0x20000u
#define PFMF_CLEAR 0x10000u
#define PFMF_SIZE_SHIFT 12 /* bits 49-51 */
#define PFMF_NQ 0x800u
#define PFMF_MR 0x400u
#define PFMF_MC 0x200u
#define PFMF_KEY 0xfeu

#define TEID_STORE 0x400u
#define TEID_LOW_ADDRESS 0x80u

/* Absolute address of the frame a register designates by a real address. */
static int frame_of(struct cpu *c, unsigned r, u64 *abs)
{
    *abs = dat_real_to_abs(reg_addr(c, r) & ~(u64)(FRAME_BYTES - 1), c->prefix);
    return storage_holds(c->st, *abs, FRAME_BYTES) ? 0 : PGM_ADDRESSING;
}

static void purge_everywhere(struct cpu *c)
{
    cpu_purge_tlb(c);
    cpu_broadcast_purge(c);
}

/* Does this change withdraw what translations rely on? */
static bool withdraws(u8 old, u8 new_key)
{
    return ((old ^ new_key) & (SKEY_ACC | SKEY_F)) || (old & ~new_key & (SKEY_R | SKEY_C));
}

int keys_insert(struct cpu *c, const struct dinsn *d)
{
    u64 abs;
    TRY(frame_of(c, d->r2, &abs));
    c->gr[d->r1] = (c->gr[d->r1] & ~0xffull) | (storage_key_get(c->st, abs) & 0xfe);
    return 0;
}

int keys_insert_virtual(struct cpu *c, const struct dinsn *d)
{
    struct dat_result found;
    if (!(c->psw.mask & PSW_DAT))
        return PGM_SPECIAL_OPERATION;
    if (problem_state(c) && !(c->cr[0] & CR0_EXTRACT_AUTH))
        return PGM_PRIVILEGED;
    TRY(control_translate(c, d->r2, reg_addr(c, d->r2), &found));
    u64 abs = dat_real_to_abs(found.real, c->prefix);
    if (!storage_holds(c->st, abs, 1))
        return PGM_ADDRESSING;
    u8 key = storage_key_get(c->st, abs) & (SKEY_ACC | SKEY_F);
    c->gr[d->r1] = (c->gr[d->r1] & ~0xffull) | key;
    return 0;
}

/* ---- setting ---- */

/* Set one key, unless only bits differ that do not matter. Returns false when it stayed. */
static bool key_set(struct cpu *c, u64 abs, u8 key, bool mr, bool mc, u8 *old, bool *purge)
{
    *old = storage_key_get(c->st, abs);
    u8 matter = SKEY_ACC | SKEY_F | (mr ? 0 : SKEY_R) | (mc ? 0 : SKEY_C);
    if ((mr || mc) && !((*old ^ key) & matter))
        return false;
    storage_key_set(c->st, abs, key);
    per_key_set(c, abs);
    *purge |= withdraws(*old, key);
    return true;
}

/* All frames to the end of the megabyte (multiple-block control). */
static int set_block(struct cpu *c, const struct dinsn *d, u8 key, bool mr, bool mc)
{
    u64 addr = reg_addr(c, d->r2) & ~(u64)(FRAME_BYTES - 1);
    u64 end = (addr | (SEGMENT_BYTES - 1)) + 1;
    bool purge = false;
    u8 old;
    if (!storage_holds(c->st, addr, end - addr))
        return PGM_ADDRESSING;
    for (; addr < end; addr += FRAME_BYTES)
        key_set(c, addr, key, mr, mc, &old, &purge);
    reg_addr_set(c, d->r2, end | (c->gr[d->r2] & (FRAME_BYTES - 1)));
    if (mr || mc)
        c->cc = 3;
    if (purge)
        purge_everywhere(c);
    return 0;
}

int keys_set(struct cpu *c, const struct dinsn *d)
{
    unsigned m3 = d->r3;
    u8 key = (u8)c->gr[d->r1] & 0xfe, old;
    bool cond = has_facility(c, FAC_CSSKE), purge = false;
    bool mr = cond && (m3 & M3_MR), mc = cond && (m3 & M3_MC);
    u64 abs;
    if ((m3 & M3_MB) && has_facility(c, FAC_EDAT1))
        return set_block(c, d, key, mr, mc);
    TRY(frame_of(c, d->r2, &abs));
    bool set = key_set(c, abs, key, mr, mc, &old, &purge);
    if (mr || mc) {
        c->gr[d->r1] = (c->gr[d->r1] & ~0xff00ull) | (u64)old << 8;
        c->cc = set;
    }
    if (purge)
        purge_everywhere(c);
    return 0;
}

int keys_reset_reference(struct cpu *c, const struct dinsn *d)
{
    u64 abs;
    TRY(frame_of(c, d->r2, &abs));
    u8 old = storage_key_unreference(c->st, abs);
    c->cc = (u8)(((old & SKEY_R) != 0) * 2 + ((old & SKEY_C) != 0));
    if (old & SKEY_R)
        purge_everywhere(c);
    return 0;
}

/* The 64 frames that an absolute address designates; they begin at a multiple of 64. */
static int frames_64(const struct cpu *c, const struct dinsn *d, u64 *first)
{
    *first = reg_addr(c, d->r2) & ~(64ull * FRAME_BYTES - 1);
    return storage_holds(c->st, *first, 64 * FRAME_BYTES) ? 0 : PGM_ADDRESSING;
}

int keys_reset_reference_multiple(struct cpu *c, const struct dinsn *d)
{
    u64 abs, bits = 0;
    TRY(frames_64(c, d, &abs));
    for (unsigned i = 0; i < 64; i++, abs += FRAME_BYTES)
        bits = bits << 1 | ((storage_key_unreference(c->st, abs) & SKEY_R) != 0);
    c->gr[d->r1] = bits;
    if (bits)
        purge_everywhere(c);
    return 0;
}

int keys_insert_reference_multiple(struct cpu *c, const struct dinsn *d)
{
    u64 abs, bits = 0;
    TRY(frames_64(c, d, &abs));
    for (unsigned i = 0; i < 64; i++, abs += FRAME_BYTES)
        bits = bits << 1 | ((storage_key_get(c->st, abs) & SKEY_R) != 0);
    c->gr[d->r1] = bits;
    return 0;
}

/* ---- clearing frames ---- */

/* Clear one frame; one never touched is zero already and stays free of host memory. */
static int frame_clear(struct cpu *c, u64 abs)
{
    if (!storage_frame_touched(c->st, abs >> FRAME_SHIFT)) {
        storage_key_set(c->st, abs, storage_key_get(c->st, abs) | SKEY_R | SKEY_C);
        return 0;
    }
    TRY(cpu_store_begins(c, abs));
    memset(c->st->base + abs, 0, FRAME_BYTES);
    if (atomic_load(&c->st->code[abs >> FRAME_SHIFT]))
        storage_code_stored(c->st, abs, FRAME_BYTES);
    return 0;
}

/* Clearing frames 0 and 1 stores into what low-address protection protects. */
static int clear_check(struct cpu *c, u64 addr)
{
    if (!(c->cr[0] & CR0_LAP) || addr > FRAME_BYTES)
        return 0;
    c->teid = addr | TEID_LOW_ADDRESS | (has_facility(c, FAC_AEFSI) ? TEID_STORE : 0);
    c->exc_ar = 0;
    return PGM_PROTECTION;
}

int keys_test_block(struct cpu *c, const struct dinsn *d)
{
    u64 abs;
    TRY(clear_check(c, reg_addr(c, d->r2) & ~(u64)(FRAME_BYTES - 1)));
    TRY(frame_of(c, d->r2, &abs));
    TRY(frame_clear(c, abs));
    reg_len_set(c, 0, 0);
    c->cc = 0;
    return 0;
}

/* ---- PERFORM FRAME MANAGEMENT FUNCTION ---- */

/* Frames from *addr to end, at most a megabyte of them; *addr is where it came to. */
static int frames_manage(struct cpu *c, u32 control, u64 *addr, u64 end)
{
    bool purge = false;
    int rc = 0;
    u8 old;
    if (!storage_holds(c->st, *addr, end - *addr))
        return PGM_ADDRESSING;
    for (; *addr < end; *addr += FRAME_BYTES) {
        if (control & PFMF_CLEAR)
            rc = frame_clear(c, *addr);
        if (rc)
            break;
        if (control & PFMF_SET_KEY)
            key_set(c, *addr, control & PFMF_KEY, control & PFMF_MR, control & PFMF_MC, &old,
                    &purge);
    }
    if (purge)
        purge_everywhere(c);
    return rc;
}

/* The part of the operand that asks for what this machine has not; else 0. */
static int control_check(const struct cpu *c, u32 control)
{
    unsigned size = control >> PFMF_SIZE_SHIFT & 7;
    bool large = has_facility(c, FAC_EDAT2) && c->amask > 0xffffff;
    if ((control & PFMF_RESERVED) || size > (large ? 2u : 1u))
        return PGM_SPECIFICATION;
    return (control & PFMF_NQ) && !has_facility(c, FAC_NQKEY) ? PGM_SPECIFICATION : 0;
}

int keys_frame_management(struct cpu *c, const struct dinsn *d)
{
    u32 control = gr32(c, d->r1);
    unsigned size = control >> PFMF_SIZE_SHIFT & 7;
    u64 addr = reg_addr(c, d->r2) & ~(u64)(FRAME_BYTES - 1);
    TRY(control_check(c, control));
    if (!has_facility(c, FAC_CSSKE))
        control &= ~(PFMF_MR | PFMF_MC);
    if (control & PFMF_CLEAR)
        TRY(clear_check(c, addr));
    if (size == 0) { /* a single frame, at a real address */
        u64 abs = dat_real_to_abs(addr, c->prefix);
        return frames_manage(c, control, &abs, abs + FRAME_BYTES);
    }
    u64 end = (addr | (SEGMENT_BYTES - 1)) + 1;
    int rc = frames_manage(c, control, &addr, end);
    if (rc == 0 || cpu_rc_waits(rc))
        reg_addr_set(c, d->r2, addr);
    TRY(rc);
    return size == 2 && (end & (REGION_BYTES - 1)) ? CPU_AGAIN : 0;
}

/* ---- TEST PROTECTION ---- */

static bool low_address_protected(const struct cpu *c, u64 va, u64 asce, bool dat)
{
    return (c->cr[0] & CR0_LAP) && !(va & ~0x11ffull) && !(dat && (asce & 0x100));
}

/* Condition code by storage key: 0 fetch and store, 1 fetch only, 2 neither. */
static u8 key_verdict(const struct cpu *c, u8 skey, u8 key, bool override_possible)
{
    if (key == 0 || (skey & SKEY_ACC) == key)
        return 0;
    if ((c->cr[0] & CR0_STORAGE_OVERRIDE) && (skey & SKEY_ACC) == 0x90)
        return 0;
    bool fetch = !(skey & SKEY_F) || ((c->cr[0] & CR0_FETCH_OVERRIDE) && override_possible);
    return fetch ? 1 : 2;
}

int keys_test_protection(struct cpu *c, const struct dinsn *d)
{
    struct dat_result found = {.real = ea_1(c, d)};
    u64 va = found.real, asce = 0;
    bool fetch_only = false;
    u8 key = (u8)ea_2(c, d) & SKEY_ACC;
    bool dat = (c->psw.mask & PSW_DAT) != 0;
    if (dat) {
        struct dat_walk walk;
        int rc = art_current_asce(c, d->r2, &asce, &fetch_only);
        control_walk(c, asce, &walk);
        if (rc == 0)
            rc = dat_translate(c->st, &walk, va, &found);
        if (rc == PGM_ADDRESSING || rc == PGM_TRANSLATION_SPEC)
            return rc;
        if (rc) {
            c->cc = 3;
            return 0;
        }
    }
    u64 abs = dat_real_to_abs(found.real, c->prefix);
    if (!storage_holds(c->st, abs, 1))
        return PGM_ADDRESSING;
    bool private_space = dat && (asce & 0x100);
    u8 skey = found.has_acc ? found.acc : storage_key_get(c->st, abs);
    c->cc = key_verdict(c, skey, key, va < 2048 && !private_space);
    if (c->cc == 0 && (found.protect || fetch_only || low_address_protected(c, va, asce, dat)))
        c->cc = 1;
    return 0;
}
