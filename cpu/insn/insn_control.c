/* Control instructions, first part (PoP chapter 10): rows in isa_control.def.
 * A body that changes what is derived from the PSW or the control registers calls
 * cpu_mode_changed and returns CPU_RESYNC; one that sets the whole PSW, CPU_PSW_LOADED. */
#include "cpu/linkage/asn.h"
#include "cpu/insn/control.h"
#include "cpu/event/trace.h"

#define SSM_RESERVED 0xb8u /* PSW bits 0 and 2-4 */
#define CR0_SSM_SUPPRESSION CR_BIT(33)
#define CR0_TRANSLATION                                                                        \
    (CR0_LAP | CR0_FETCH_OVERRIDE | CR0_STORAGE_OVERRIDE | CR0_EDAT | CR0_IEP)
#define PREFIX_MASK 0x7fffe000u
#define STFL_REAL 200u
#define ESA_PSW_BIT12 0x0008000000000000ull
#define ESA_PSW_ADDR 0x7fffffffull
#define STIDP_FORMAT_1 0x8000u /* all machines since the z990 */

/* ---- control registers ---- */

/* New value of one control register; true when something depends on the change. */
static bool cr_put(struct cpu *c, unsigned r, u64 v)
{
    u64 changed = c->cr[r] ^ v;
    c->cr[r] = v;
    if (r == 0 && (changed & CR0_TRANSLATION))
        cpu_purge_tlb(c);
    return changed != 0;
}

static int cr_done(struct cpu *c, bool changed)
{
    if (!changed)
        return 0;
    cpu_mode_changed(c);
    return CPU_RESYNC;
}

static unsigned cr_count(const struct dinsn *d)
{
    return ((d->r3 - d->r1) & 15u) + 1;
}

/* B7 LCTL, LOAD CONTROL (32) */
INSN(lctl)
{
    u8 buf[64];
    u64 ea = ea_b(c, d);
    unsigned n = cr_count(d);
    bool changed = false;
    if (ea & 3)
        return PGM_SPECIFICATION;
    TRY(access_fetch(c, ea, d->b2, buf, 4 * n));
    for (unsigned i = 0; i < n; i++) {
        unsigned r = (d->r1 + i) & 15;
        changed |= cr_put(c, r, (c->cr[r] & 0xffffffff00000000ull) | be32_load(buf + 4 * i));
    }
    return cr_done(c, changed);
}

/* EB2F LCTLG, LOAD CONTROL (64) */
INSN(lctlg)
{
    u8 buf[128];
    u64 ea = ea_b(c, d);
    unsigned n = cr_count(d);
    bool changed = false;
    if (ea & 7)
        return PGM_SPECIFICATION;
    TRY(access_fetch(c, ea, d->b2, buf, 8 * n));
    for (unsigned i = 0; i < n; i++)
        changed |= cr_put(c, (d->r1 + i) & 15, be64_load(buf + 8 * i));
    return cr_done(c, changed);
}

/* B6 STCTL, STORE CONTROL (32) */
INSN(stctl)
{
    u8 buf[64];
    u64 ea = ea_b(c, d);
    unsigned n = cr_count(d);
    if (ea & 3)
        return PGM_SPECIFICATION;
    for (unsigned i = 0; i < n; i++)
        be32_store(buf + 4 * i, (u32)c->cr[(d->r1 + i) & 15]);
    return access_put(c, ea, d->b2, buf, 4 * n);
}

/* EB25 STCTG, STORE CONTROL (64) */
INSN(stctg)
{
    u8 buf[128];
    u64 ea = ea_b(c, d);
    unsigned n = cr_count(d);
    if (ea & 7)
        return PGM_SPECIFICATION;
    for (unsigned i = 0; i < n; i++)
        be64_store(buf + 8 * i, c->cr[(d->r1 + i) & 15]);
    return access_put(c, ea, d->b2, buf, 8 * n);
}

/* ---- PSW ---- */

/* 82 LPSW, LOAD PSW: the 8-byte format */
INSN(lpsw)
{
    u64 v, ea = ea_b(c, d);
    if (ea & 7)
        return PGM_SPECIFICATION;
    TRY(load_u64(c, ea, d->b2, &v));
    if (!(v & ESA_PSW_BIT12))
        return PGM_SPECIFICATION;
    cpu_breaking_event(c, insn_break_ia(c, d));
    return cpu_introduce_psw(c, (v ^ ESA_PSW_BIT12) & ~ESA_PSW_ADDR, v & ESA_PSW_ADDR);
}

/* The 16-byte PSW at the operand. */
static int psw_fetch(struct cpu *c, const struct dinsn *d, u64 *mask, u64 *addr)
{
    u8 psw[16];
    u64 ea = ea_b(c, d);
    if (ea & 7)
        return PGM_SPECIFICATION;
    TRY(access_fetch(c, ea, d->b2, psw, sizeof psw));
    *mask = be64_load(psw);
    *addr = be64_load(psw + 8);
    return 0;
}

/* B2B2 LPSWE, LOAD PSW EXTENDED */
INSN(lpswe)
{
    u64 mask, addr;
    TRY(psw_fetch(c, d, &mask, &addr));
    cpu_breaking_event(c, insn_break_ia(c, d));
    return cpu_introduce_psw(c, mask, addr);
}

/* EB71 LPSWEY, LOAD PSW EXTENDED: no breaking event */
INSN(lpswey)
{
    u64 mask, addr;
    TRY(psw_fetch(c, d, &mask, &addr));
    return cpu_introduce_psw(c, mask, addr);
}

/* B200 LBEAR, LOAD BREAKING-EVENT-ADDRESS REGISTER */
INSN(lbear)
{
    u64 v, ea = ea_b(c, d);
    if (ea & 7)
        return PGM_SPECIFICATION;
    TRY(load_u64(c, ea, d->b2, &v));
    cpu_breaking_event(c, v);
    return 0;
}

/* B201 STBEAR, STORE BREAKING-EVENT-ADDRESS REGISTER */
INSN(stbear)
{
    u64 ea = ea_b(c, d);
    if (ea & 7)
        return PGM_SPECIFICATION;
    cpu_bear_settle(c);
    return store_u64(c, ea, d->b2, c->bear);
}

/* Replace the system mask; a reserved bit is an early exception after completion. */
static int system_mask_set(struct cpu *c, u8 mask)
{
    u64 old = c->psw.mask;
    c->psw.mask = (old & ~(0xffull << 56)) | (u64)mask << 56;
    u64 changed = old ^ c->psw.mask;
    if (changed & (PSW_PER | PSW_DAT))
        cpu_mode_changed(c);
    if (mask & SSM_RESERVED)
        return PGM_SPECIFICATION;
    if (changed & (PSW_PER | PSW_DAT))
        return CPU_RESYNC;
    bool enabled = (c->psw.mask & ~old & (PSW_IO | PSW_EXT)) != 0;
    return enabled && cpu_interruption_pending(c) ? CPU_RESYNC : 0;
}

/* 80 SSM, SET SYSTEM MASK */
INSN(ssm)
{
    u8 mask;
    if (c->cr[0] & CR0_SSM_SUPPRESSION)
        return PGM_SPECIAL_OPERATION;
    TRY(load_u8(c, ea_b(c, d), d->b2, &mask));
    return system_mask_set(c, mask);
}

/* AC STNSM, STORE THEN AND SYSTEM MASK */
INSN(stnsm)
{
    u8 mask = (u8)(c->psw.mask >> 56);
    TRY(store_u8(c, ea_b(c, d), d->b2, mask));
    return system_mask_set(c, mask & d->r1);
}

/* AD STOSM, STORE THEN OR SYSTEM MASK */
INSN(stosm)
{
    u8 mask = (u8)(c->psw.mask >> 56);
    TRY(store_u8(c, ea_b(c, d), d->b2, mask));
    return system_mask_set(c, mask | d->r1);
}

/* B98D EPSW, EXTRACT PSW */
INSN(epsw)
{
    u64 mask = psw_mask(c);
    gr32_set(c, d->r1, (u32)(mask >> 32));
    if (d->r2)
        gr32_set(c, d->r2, (u32)mask);
    return 0;
}

/* 010B TAM, TEST ADDRESSING MODE */
INSN(tam)
{
    UNUSED_D;
    c->cc = (u8)((c->psw.mask & PSW_EA ? 2 : 0) + (c->psw.mask & PSW_BA ? 1 : 0));
    return 0;
}

/* Set the addressing mode, when this instruction is within its reach. */
static int amode_set(struct cpu *c, const struct dinsn *d, u64 bits, u64 reach)
{
    if (insn_ia(c, d) & ~reach)
        return PGM_SPECIFICATION;
    TRY(trace_mode_switch(c, bits, insn_next_ia(c, d, 2) & c->amask));
    c->psw.mask = (c->psw.mask & ~(PSW_EA | PSW_BA)) | bits;
    cpu_mode_changed(c);
    return CPU_RESYNC;
}

/* 010C SAM24, SET ADDRESSING MODE (24) */
INSN(sam24)
{
    return amode_set(c, d, 0, 0xffffff);
}

/* 010D SAM31, SET ADDRESSING MODE (31) */
INSN(sam31)
{
    return amode_set(c, d, PSW_BA, 0x7fffffff);
}

/* 010E SAM64, SET ADDRESSING MODE (64) */
INSN(sam64)
{
    return amode_set(c, d, PSW_EA | PSW_BA, ~0ull);
}

/* B280 LPP, LOAD PROGRAM PARAMETER */
INSN(lpp)
{
    u64 v;
    TRY(load_u64(c, ea_b(c, d), d->b2, &v));
    c->gbea_pp = v;
    return 0;
}

/* B20A SPKA, SET PSW KEY FROM ADDRESS */
INSN(spka)
{
    u64 key = ea_b(c, d) >> 4 & 15;
    if (!key_permitted(c, (unsigned)key))
        return PGM_PRIVILEGED;
    u64 mask = (c->psw.mask & ~PSW_KEY) | key << PSW_KEY_SHIFT;
    if (mask == c->psw.mask)
        return 0;
    c->psw.mask = mask;
    cpu_mode_changed(c);
    return CPU_RESYNC;
}

/* May the problem state look at keys and address spaces? */
static int extraction_authority(const struct cpu *c)
{
    return problem_state(c) && !(c->cr[0] & CR0_EXTRACT_AUTH) ? PGM_PRIVILEGED : 0;
}

/* B20B IPK, INSERT PSW KEY */
INSN(ipk)
{
    UNUSED_D;
    TRY(extraction_authority(c));
    c->gr[2] = (c->gr[2] & ~0xffull) | c->access_key;
    return 0;
}

/* ---- prefix, identification, facilities ---- */

/* B210 SPX, SET PREFIX */
INSN(spx)
{
    u32 v;
    u64 ea = ea_b(c, d);
    if (ea & 3)
        return PGM_SPECIFICATION;
    TRY(load_u32(c, ea, d->b2, &v));
    v &= PREFIX_MASK;
    if (!storage_holds(c->st, v, 2 * FRAME_BYTES))
        return PGM_ADDRESSING;
    c->prefix = v;
    cpu_purge_tlb(c);
    return CPU_RESYNC;
}

/* B211 STPX, STORE PREFIX */
INSN(stpx)
{
    u64 ea = ea_b(c, d);
    return ea & 3 ? PGM_SPECIFICATION : store_u32(c, ea, d->b2, c->prefix);
}

/* B212 STAP, STORE CPU ADDRESS */
INSN(stap)
{
    u64 ea = ea_b(c, d);
    return ea & 1 ? PGM_SPECIFICATION : store_u16(c, ea, d->b2, (u16)c->addr);
}

/* B202 STIDP, STORE CPU IDENTIFICATION */
INSN(stidp)
{
    u64 ea = ea_b(c, d);
    const struct cpu_model *model = c->set->seen;
    u64 id = (u64)c->set->id_version << 56 | (u64)(c->set->serial & 0xffffffu) << 32 |
             (u64)model->machine_type << 16 |
             (model->generation > GEN_Z900 ? STIDP_FORMAT_1 : 0);
    return ea & 7 ? PGM_SPECIFICATION : store_u64(c, ea, d->b2, id);
}

/* B2B1 STFL, STORE FACILITY LIST */
INSN(stfl)
{
    UNUSED_D;
    u8 list[4];
    memcpy(list, c->set->facilities, sizeof list);
    storage_write(c->st, (u64)c->prefix + STFL_REAL, list, sizeof list);
    return 0;
}

/* B2B0 STFLE, STORE FACILITY LIST EXTENDED */
INSN(stfle)
{
    u64 ea = ea_b(c, d);
    unsigned room = (unsigned)(c->gr[0] & 0xff) + 1, have = FACILITY_BYTES / 8;
    u8 list[FACILITY_BYTES] = {0};
    if (ea & 7)
        return PGM_SPECIFICATION;
    memcpy(list, c->set->facilities, FACILITY_OWN / 8);
    while (have > 1 && be64_load(list + 8 * (have - 1)) == 0)
        have--;
    unsigned n = room < have ? room : have;
    TRY(access_put(c, ea, d->b2, list, 8 * n));
    c->gr[0] = (c->gr[0] & ~0xffull) | (have - 1);
    c->cc = room < have ? 3 : 0;
    return 0;
}

/* ---- address spaces ---- */

/* Entering or leaving the home space may be an event: real 172 gets what was left. */
static int home_event(struct cpu *c, bool from_home)
{
    u64 left = from_home ? c->cr[13] : c->cr[1];
    bool wanted = (c->cr[1] | c->cr[13]) & ASCE_SPACE_SWITCH;
    if (!wanted && !(c->per.code | c->per.maybe)) /* a PER event makes it one too */
        return CPU_RESYNC;
    c->teid = (left & ASCE_SPACE_SWITCH ? 0x80000000u : 0) | (from_home ? 0 : primary_asn(c));
    return PGM_SPACE_SWITCH;
}

/* Set the address-space control from an operand; the home space is not for everybody. */
static int address_space_set(struct cpu *c, u64 ea)
{
    u64 code = ea >> 8 & 15, old = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    if (!(c->psw.mask & PSW_DAT) || !(c->cr[0] & CR0_SECONDARY_CTL))
        return PGM_SPECIAL_OPERATION;
    if (code == 3 && problem_state(c))
        return PGM_PRIVILEGED;
    if (code > 3)
        return PGM_SPECIFICATION;
    u64 as = (code & 1) << 1 | code >> 1;
    c->psw.mask = (c->psw.mask & ~PSW_AS) | as << PSW_AS_SHIFT;
    cpu_mode_changed(c);
    return (old == AS_HOME) != (as == AS_HOME) ? home_event(c, old == AS_HOME) : CPU_RESYNC;
}

/* B219 SAC, SET ADDRESS SPACE CONTROL */
INSN(sac)
{
    return address_space_set(c, ea_b(c, d));
}

/* B279 SACF, SET ADDRESS SPACE CONTROL FAST */
INSN(sacf)
{
    return address_space_set(c, ea_b(c, d));
}

/* The checks of all instructions that extract address-space information. */
static int extract_check(const struct cpu *c)
{
    if (!(c->psw.mask & PSW_DAT))
        return PGM_SPECIAL_OPERATION;
    return extraction_authority(c);
}

/* B224 IAC, INSERT ADDRESS SPACE CONTROL */
INSN(iac)
{
    TRY(extract_check(c));
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    c->cc = (u8)((as & 1) << 1 | as >> 1);
    c->gr[d->r1] = (c->gr[d->r1] & ~0xff00ull) | (u64)c->cc << 8;
    return 0;
}

/* B225 SSAR, SET SECONDARY ASN */
INSN(ssar)
{
    return asn_set_secondary(c, (u16)c->gr[d->r1], 0, false);
}

/* B99F SSAIR, SET SECONDARY ASN WITH INSTANCE */
INSN(ssair)
{
    return asn_set_secondary(c, (u16)c->gr[d->r1], gr_high(c, d->r1), true);
}

/* The ASN, and with instance the ASN instance, of a control register. */
static int asn_extract(struct cpu *c, const struct dinsn *d, unsigned cr, bool instance)
{
    TRY(extract_check(c));
    gr32_set(c, d->r1, (u32)c->cr[cr] & 0xffff);
    if (instance)
        gr_high_set(c, d->r1, (u32)(c->cr[cr] >> 32));
    return 0;
}

/* B226 EPAR, EXTRACT PRIMARY ASN */
INSN(epar)
{
    return asn_extract(c, d, 4, false);
}

/* B99A EPAIR, EXTRACT PRIMARY ASN AND INSTANCE */
INSN(epair)
{
    return asn_extract(c, d, 4, true);
}

/* B227 ESAR, EXTRACT SECONDARY ASN */
INSN(esar)
{
    return asn_extract(c, d, 3, false);
}

/* B99B ESAIR, EXTRACT SECONDARY ASN AND INSTANCE */
INSN(esair)
{
    return asn_extract(c, d, 3, true);
}

/* B99D ESEA, EXTRACT AND SET EXTENDED AUTHORITY */
INSN(esea)
{
    u64 old = c->cr[8] >> 16 & 0xffff, v = c->gr[d->r1] & 0xffff;
    c->gr[d->r1] = (c->gr[d->r1] & ~0xffff0000ull) | old << 16;
    c->cr[8] = (c->cr[8] & ~0xffff0000ull) | v << 16;
    return 0;
}

/* ---- translation ---- */

/* B1 LRA, LOAD REAL ADDRESS */
INSN(lra)
{
    return dat_load_real_address(c, d, false);
}

/* E313 LRAY, LOAD REAL ADDRESS */
INSN(lray)
{
    return dat_load_real_address(c, d, false);
}

/* E303 LRAG, LOAD REAL ADDRESS (64) */
INSN(lrag)
{
    return dat_load_real_address(c, d, true);
}

/* E502 STRAG, STORE REAL ADDRESS */
INSN(strag)
{
    return dat_store_real_address(c, d);
}

/* B9AA LPTEA, LOAD PAGE-TABLE-ENTRY ADDRESS */
INSN(lptea)
{
    return dat_load_page_entry_address(c, d);
}

/* B24B LURA, LOAD USING REAL ADDRESS (32) */
INSN(lura)
{
    return dat_load_using_real(c, d, 4);
}

/* B905 LURAG, LOAD USING REAL ADDRESS (64) */
INSN(lurag)
{
    return dat_load_using_real(c, d, 8);
}

/* B246 STURA, STORE USING REAL ADDRESS (32) */
INSN(stura)
{
    return dat_store_using_real(c, d, 4);
}

/* B925 STURG, STORE USING REAL ADDRESS (64) */
INSN(sturg)
{
    return dat_store_using_real(c, d, 8);
}

/* B221 IPTE, INVALIDATE PAGE TABLE ENTRY */
INSN(ipte)
{
    return dat_invalidate_page(c, d);
}

/* B98B RDP, RESET DAT PROTECTION */
INSN(rdp)
{
    return dat_reset_protection(c, d);
}

/* B98E IDTE, INVALIDATE DAT TABLE ENTRY */
INSN(idte)
{
    return dat_invalidate_table(c, d);
}

/* B98F CRDTE, COMPARE AND REPLACE DAT TABLE ENTRY */
INSN(crdte)
{
    return dat_compare_and_replace(c, d);
}

/* B250 CSP, COMPARE AND SWAP AND PURGE (32) */
INSN(csp)
{
    return dat_swap_and_purge(c, d, 4);
}

/* B98A CSPG, COMPARE AND SWAP AND PURGE (64) */
INSN(cspg)
{
    return dat_swap_and_purge(c, d, 8);
}

/* B20D PTLB, PURGE TLB */
INSN(ptlb)
{
    UNUSED_D;
    cpu_purge_tlb(c);
    return CPU_RESYNC;
}

/* B248 PALB, PURGE ALB: what is kept of access lists is in the spaces of the registers */
INSN(palb)
{
    UNUSED_D;
    cpu_select_spaces(c);
    return 0;
}

/* ---- storage keys ---- */

/* B229 ISKE, INSERT STORAGE KEY EXTENDED */
INSN(iske)
{
    return keys_insert(c, d);
}

/* B22B SSKE, SET STORAGE KEY EXTENDED */
INSN(sske)
{
    return keys_set(c, d);
}

/* B22A RRBE, RESET REFERENCE BIT EXTENDED */
INSN(rrbe)
{
    return keys_reset_reference(c, d);
}

/* B9AE RRBM, RESET REFERENCE BITS MULTIPLE */
INSN(rrbm)
{
    return keys_reset_reference_multiple(c, d);
}

/* B9AC IRBM, INSERT REFERENCE BITS MULTIPLE */
INSN(irbm)
{
    return keys_insert_reference_multiple(c, d);
}

/* B22C TB, TEST BLOCK */
INSN(tb)
{
    return keys_test_block(c, d);
}

/* B223 IVSK, INSERT VIRTUAL STORAGE KEY */
INSN(ivsk)
{
    return keys_insert_virtual(c, d);
}

/* B9AF PFMF, PERFORM FRAME MANAGEMENT FUNCTION */
INSN(pfmf)
{
    return keys_frame_management(c, d);
}

/* B9AB ESSA, EXTRACT AND SET STORAGE ATTRIBUTES */
INSN(essa)
{
    return storage_attributes(c, d);
}

/* E501 TPROT, TEST PROTECTION */
INSN(tprot)
{
    return keys_test_protection(c, d);
}

/* ---- moves between spaces ---- */

/* DA MVCP, MOVE TO PRIMARY */
INSN(mvcp)
{
    return move_primary_secondary(c, d, true);
}

/* DB MVCS, MOVE TO SECONDARY */
INSN(mvcs)
{
    return move_primary_secondary(c, d, false);
}

/* D9 MVCK, MOVE WITH KEY */
INSN(mvck)
{
    return move_with_key(c, d);
}

/* E50E MVCSK, MOVE WITH SOURCE KEY */
INSN(mvcsk)
{
    return move_with_one_key(c, d, true);
}

/* E50F MVCDK, MOVE WITH DESTINATION KEY */
INSN(mvcdk)
{
    return move_with_one_key(c, d, false);
}

/* C80 MVCOS, MOVE WITH OPTIONAL SPECIFICATIONS */
INSN(mvcos)
{
    return move_with_specifications(c, d);
}

#define CHAPTER_DEF "cpu/isa/isa_control.def"
#define CHAPTER_NAME isa_control
#include "cpu/insn/insn_chapter.h"
