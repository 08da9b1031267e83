/* ASN translation and authority: PT, PR, SSAR, ASN and LX reuse, subspaces, LASP, TAR.
 * Rules: PoP chapter 3, "ASN Translation", "ASN Authorization"; chapter 5, "Subspaces"; 10. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/linkage_world.h"

/* ---- PROGRAM TRANSFER, PROGRAM RETURN with space switching ---- */

START_TEST(pt)
{
    gr[3] = 0x00800000u | ASN_A;
    gr[14] = 0x30001;
    ck_assert_int_eq(linkage_run("b228003e"), 0);
    ck_assert_uint_eq(cr[3], 0x00800005);
    ck_assert_uint_eq(linkage_psw_mask(), HARNESS_PSW64 | PSW_DAT | PSW_PROB);
    gr[14] = 0x30000; /* to the supervisor state */
    ck_assert_int_eq(linkage_run("b228003e"), PGM_PRIVILEGED);
    gr[14] = 0x30001;
    gr[3] = 0xffff0000u | ASN_B;
    ck_assert_int_eq(linkage_run("b228003e"), PGM_PRIMARY_AUTHORITY);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    harness_store(&h, AUTHORITY, 1, 0x08); /* AX 2: primary */
    ck_assert_int_eq(linkage_run("b228003e"), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3], 0x00800000u | ASN_B);
    ck_assert_uint_eq(cr[4], 3u << 16 | ASN_B);
    gr[3] = 7; /* invalid */
    ck_assert_int_eq(linkage_run("b228003e"), PGM_ASX_TRANSLATION);
    gr[3] = 0x47;
    ck_assert_int_eq(linkage_run("b228003e"), PGM_AFX_TRANSLATION);
    gr[3] = 0x47;
    cr[14] = 0x80000u | 0x7ffff;
    ck_assert_int_eq(linkage_run("b228003e"), PGM_ADDRESSING);
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    gr[3] = ASN_B;
    gr[14] = 0x01000000; /* not a 24-bit address */
    ck_assert_int_eq(linkage_run("b228003e"), PGM_SPECIFICATION);
    gr[14] = 0x81000000u;
    ck_assert_int_eq(linkage_run("b228003e"), 0);
    ck_assert_uint_eq(linkage_psw_mask(), PSW_DAT | PSW_BA);
    linkage_psw((u64)AS_AR << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("b228003e"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* Returning into a space whose secondary space it may not use. */
START_TEST(pr_authority)
{
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc0000000u, ASTE(ASN_B));
    cr[3] = 0x80800000u | ASN_B;
    cr[7] = SEG_B;
    gr[2] = 4;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    u64 top = cr[15];
    ck_assert_int_eq(linkage_run("0101"), PGM_SECONDARY_AUTHORITY);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    ck_assert_uint_eq(cr[15], top);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(harness_load(&h, STACK + 12, 2), STATE);
    cr[14] &= ~0x80000ull;
    ck_assert_int_eq(linkage_run("0101"), PGM_SPECIAL_OPERATION);
    cr[14] |= 0x80000;
    harness_store(&h, AUTHORITY, 1, 0x04); /* AX 2: secondary */
    ck_assert_int_eq(linkage_run("0101"), 0);
    ck_assert_uint_eq(cr[1], SEG_A);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3], 0x80800000u | ASN_B);
}
END_TEST

START_TEST(pr_invalid_psw)
{
    gr[3] = 0x30000;
    ck_assert_int_eq(linkage_run("b2400003"), 0);
    harness_store(&h, FIRST + 136, 8, HARNESS_PSW64 | PSW_DAT | 0x8000000000000000ull);
    ck_assert_int_eq(linkage_run("0101"), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_ilc(&h), 0);
    ck_assert_uint_eq(cr[15], STACK + 8); /* completed */
}
END_TEST

START_TEST(set_secondary)
{
    gr[2] = ASN_B;
    ck_assert_int_eq(linkage_run("b2250020"), PGM_SECONDARY_AUTHORITY);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    harness_store(&h, AUTHORITY, 1, 0x04);
    ck_assert_int_eq(linkage_run("b2250020"), 0);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3] & 0xffff, ASN_B);
    ck_assert_int_eq(linkage_run("b2260070"), 0); /* epar */
    ck_assert_uint_eq(gr[7] & 0xffffffff, ASN_A);
    ck_assert_int_eq(linkage_run("b2270070"), 0); /* esar */
    ck_assert_uint_eq(gr[7] & 0xffffffff, ASN_B);
    gr[7] = 0x5678;
    ck_assert_int_eq(linkage_run("b99d0070"), 0); /* esea */
    ck_assert_uint_eq(gr[7], 0x775678);
    ck_assert_uint_eq(cr[8], 0x56780000);
    gr[2] = ASN_A;
    ck_assert_int_eq(linkage_run("b2250020"), 0);
    ck_assert_uint_eq(cr[7], SEG_A);
}
END_TEST

/* SAC into and out of the home space. */
START_TEST(home_event)
{
    ck_assert_int_eq(linkage_run("b2190300"), PGM_SPECIAL_OPERATION);
    cr[0] |= CR0_SECONDARY_CTL;
    ck_assert_int_eq(linkage_run("b2190300"), 0);
    ck_assert_int_eq(linkage_run("b2190000"), 0);
    cr[13] |= 0x40;
    ck_assert_int_eq(linkage_run("b2190300"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_A);
    ck_assert_uint_eq(harness_old_addr(&h), NEXT);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8) & PSW_AS, PSW_AS);
    linkage_psw((u64)AS_HOME << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("b2790000"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x80000000u);
    ck_assert_int_eq(linkage_run("b2790300"), 0);
}
END_TEST

/* ---- ASN and LX reuse ---- */

static void reuse_on(void)
{
    cr[0] |= REUSE;
    cr[3] |= 0x22220005ull << 32;
    cr[4] |= 0x22220005ull << 32;
    harness_store(&h, ASTE(ASN_A) + 24, 4, 0x80000000u | LINKAGE_TABLE);
    harness_store(&h, LINKAGE_TABLE, 4, LINKAGE_SECOND);
    harness_store(&h, LINKAGE_SECOND, 8, (u64)(ENTRY_TABLE | 1) << 32);
    harness_store(&h, LINKAGE_SECOND + 8, 8, (u64)(ENTRY_TABLE | 1) << 32 | 0x12121212);
    harness_store(&h, LINKAGE_SECOND + 16, 8, 0x80000000ull << 32);
}

START_TEST(reuse_numbers)
{
    reuse_on();
    entry_put(3, 0x30000ull, 0x80000000, 0, 0xc0000000u, 0);
    gr[2] = 3;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(harness_load(&h, FIRST + 148, 4), 0x80000003u);
    ck_assert_uint_eq(harness_load(&h, FIRST + 176, 8), 0x2222000522220005ull);
    gr[2] = 0x103; /* second index 1 wants its sequence number in register 15 */
    ck_assert_int_eq(linkage_run("b2182000"), PGM_LSTE_SEQUENCE);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x103);
    gr[15] = 0x1212121200000000ull;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    gr[2] = 0x203;
    ck_assert_int_eq(linkage_run("b2182000"), PGM_LSX_TRANSLATION);
    gr[2] = 0x2003;
    ck_assert_int_eq(linkage_run("b2182000"), PGM_LFX_TRANSLATION);
    gr[2] = 0x180003; /* first index beyond the table, bit 44 on */
    ck_assert_int_eq(linkage_run("b2182000"), PGM_LFX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x180003);
    harness_store(&h, ASTE(ASN_A) + 24, 4, 0x80000001u | LINKAGE_TABLE);
    harness_store(&h, LINKAGE_TABLE + 256, 4, LINKAGE_SECOND);
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(harness_load(&h, cr[15] - 288 + 148, 4), 0x80080003u);
    gr[0] = 5;
    ck_assert_int_eq(linkage_run("b24a0060"), 0); /* esta: the left halves */
    ck_assert_uint_eq(gr[6] >> 32, 0x22220005);
    ck_assert_uint_eq(gr[6] & 0xffffffff, 0x6000);
    entry_put(3, 0x30000ull, 0x80000000, 0, 0x40000000u, 0);
    ck_assert_int_eq(linkage_run("b2182000"), 0); /* basic: the instance goes into register 3 */
    ck_assert_uint_eq(gr[3], 0x2222000580800005ull);
}
END_TEST

START_TEST(reuse_instances)
{
    reuse_on();
    harness_store(&h, AUTHORITY, 1, 0x0f); /* AX 2 and 3: both */
    entry_put(3, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc0000000u, ASTE(ASN_B));
    gr[2] = 3;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(cr[4] >> 32, 0x22220006);
    ck_assert_uint_eq(cr[3] >> 32, 0x22220005);
    harness_store(&h, ASTE(ASN_A) + 44, 4, 0x22220099);
    ck_assert_int_eq(linkage_run("0101"), PGM_ASTE_INSTANCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0x20);
    harness_store(&h, ASTE(ASN_A) + 44, 4, 0x22220005);
    ck_assert_int_eq(linkage_run("0101"), 0);
    ck_assert_uint_eq(cr[4] >> 32, 0x22220005);
    gr[2] = 0x2222000700000000ull | ASN_B;
    ck_assert_int_eq(linkage_run("b99f0020"), PGM_ASTE_INSTANCE); /* ssair */
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0x10);
    gr[2] = 0x2222000600000000ull | ASN_B;
    ck_assert_int_eq(linkage_run("b99f0020"), 0);
    ck_assert_uint_eq(cr[3] >> 32, 0x22220006);
    ck_assert_int_eq(linkage_run("b99b0070"), 0); /* esair */
    ck_assert_uint_eq(gr[7], 0x2222000600000006ull);
    ck_assert_int_eq(linkage_run("b99a0070"), 0); /* epair */
    ck_assert_uint_eq(gr[7], 0x2222000500000005ull);
    harness_store(&h, ASTE(ASN_B) + 4, 4, 3u << 16 | 0x11); /* reusable */
    ck_assert_int_eq(linkage_run("b2250020"), PGM_SPECIAL_OPERATION);
    gr[14] = 0x30001;
    ck_assert_int_eq(linkage_run("b228002e"), PGM_SPECIAL_OPERATION);
    gr[2] |= 0xffff0000;
    ck_assert_int_eq(linkage_run("b99e002e"),
                     0); /* pti, which puts us into the problem state */
    ck_assert_uint_eq(cr[4], 0x2222000600000000ull | 3u << 16 | ASN_B);
    ck_assert_uint_eq(cr[3] >> 32, 0x22220006);
    harness_store(&h, ASTE(ASN_A) + 4, 4, 2u << 16 | 0x12); /* controlled */
    gr[2] = 0x22220005ffff0005ull;
    ck_assert_int_eq(linkage_run("b99e002e"), PGM_SPECIAL_OPERATION);
    ck_assert_int_eq(linkage_run("b99f0020"), PGM_SPECIAL_OPERATION);
    harness_store(&h, ASTE(ASN_A) + 4, 4, 2u << 16 | 0x10);
    gr[2] = 0x22220006ffff0005ull;
    ck_assert_int_eq(linkage_run("b99e002e"), PGM_ASTE_INSTANCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0x20);
}
END_TEST

/* ---- authority and subspaces ---- */

START_TEST(bsa)
{
    gr[4] = 0x00800080; /* key mask, key 8 */
    gr[5] = 0x30000;
    ck_assert_int_eq(linkage_run("b25a0045"), 0);
    ck_assert_uint_eq(linkage_psw_mask(),
                      HARNESS_PSW64 | PSW_DAT | PSW_PROB | 8ull << PSW_KEY_SHIFT);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    ck_assert_uint_eq(cr[3], 0x00800005);
    ck_assert_uint_eq(harness_load(&h, DUCT + 20, 4), 0x80800008);
    ck_assert_uint_eq(harness_load(&h, DUCT + 32, 8), NEXT);
    storage_key_set(h.st, HARNESS_CODE, 0x80);
    ck_assert_int_eq(linkage_run("b25a0045"), PGM_SPECIAL_OPERATION); /* already reduced */
    ck_assert_int_eq(linkage_run("b25a0060"), 0);
    ck_assert_uint_eq(linkage_psw_mask(), HARNESS_PSW64 | PSW_DAT);
    ck_assert_uint_eq(gr[6], NEXT);
    ck_assert_uint_eq(cr[3], 0x80800005);
    ck_assert_uint_eq(harness_load(&h, DUCT + 20, 4), 0x80800000);
    ck_assert_int_eq(linkage_run("b25a0060"), PGM_SPECIAL_OPERATION);
    linkage_psw(PSW_PROB);
    gr[4] = 0x00800070;
    ck_assert_int_eq(linkage_run("b25a0045"), PGM_PRIVILEGED);
    cpu_psw_set(h.cpu, PSW_BA | PSW_PROB, HARNESS_CODE); /* DAT does not matter */
    gr[4] = 0x00800080;
    gr[5] = 0x30000; /* into the 24-bit mode */
    ck_assert_int_eq(linkage_run("b25a0045"), 0);
    ck_assert_uint_eq(linkage_psw_mask(), PSW_PROB | 8ull << PSW_KEY_SHIFT);
    ck_assert_uint_eq(harness_load(&h, DUCT + 32, 8), 0x80000000u | NEXT);
    ck_assert_uint_eq(harness_load(&h, DUCT + 20, 4), 0x80800009);
    ck_assert_int_eq(linkage_run("b25a0000"), 0);
    ck_assert_uint_eq(linkage_psw_mask(), PSW_BA | PSW_PROB);
    cr[0] |= CR0_LAP;
    cr[2] = 0x80;
    ck_assert_int_eq(linkage_run("b25a0045"), PGM_PROTECTION);
}
END_TEST

#define BASE 8u
#define SUB 9u

static void group_put(void)
{
    aste_put(BASE, 2, SEG_A | 0x200);
    aste_put(SUB, 0, SEG_B | 0x200);
    harness_store(&h, ASTE(BASE), 4, AUTHORITY | 1);
    harness_store(&h, DUCT, 4, ASTE(BASE));
    harness_store(&h, DUCT + 16, 4, UNIT_LIST);
    harness_store(&h, UNIT_LIST + 32, 4, 0x00040000);
    harness_store(&h, UNIT_LIST + 40, 8, (u64)ASTE(SUB) << 32 | (0x11110000 + SUB));
    cr[1] = cr[7] = SEG_A | 0x200;
    cr[4] = 2u << 16 | BASE;
    cr[5] = ASTE(BASE);
    gr[5] = 0x30000;
}

START_TEST(bsg)
{
    group_put();
    cr[1] |= 0x40; /* kept: it belongs to the group */
    cr[3] = ASN_B;
    ar[5] = 0x00050002; /* the sequence number does not count here */
    ck_assert_int_eq(linkage_run("b2580065"), 0);
    ck_assert_uint_eq(cr[1], SEG_B | 0x240);
    ck_assert_uint_eq(cr[7], cr[1]);
    ck_assert_uint_eq(cr[3] & 0xffff, BASE);
    ck_assert_uint_eq(gr[6], NEXT);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    ck_assert_uint_eq(harness_load(&h, DUCT + 4, 4), 0x80000000u | ASTE(SUB));
    ck_assert_uint_eq(harness_load(&h, DUCT + 12, 4), 0x11110000 + SUB);
    ar[5] = 0;
    ck_assert_int_eq(linkage_run("b2580065"), 0);
    ck_assert_uint_eq(cr[1], SEG_A | 0x200);
    ck_assert_uint_eq(harness_load(&h, DUCT + 4, 4), ASTE(SUB));
    ar[5] = 1; /* the last subspace */
    ck_assert_int_eq(linkage_run("b2580065"), 0);
    ck_assert_uint_eq(cr[1], SEG_B | 0x200);
    ck_assert_uint_eq(harness_load(&h, DUCT + 4, 4), 0x80000000u | ASTE(SUB));
    harness_store(&h, ASTE(SUB) + 20, 4, 1);
    ck_assert_int_eq(linkage_run("b2580065"), PGM_ASTE_SEQUENCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 5);
    ar[5] = 2;
    ck_assert_int_eq(linkage_run("b2580065"), PGM_ASTE_SEQUENCE);
    harness_store(&h, ASTE(SUB), 4, 0x80000000u);
    ck_assert_int_eq(linkage_run("b2580065"), PGM_ASTE_VALIDITY);
    aste_put(SUB, 0, SEG_B); /* not of the group */
    ck_assert_int_eq(linkage_run("b2580065"), PGM_SPECIAL_OPERATION);
    ar[5] = 4;
    ar[5] = 0x02000000;
    ck_assert_int_eq(linkage_run("b2580065"), PGM_ALET_SPECIFICATION);
    harness_store(&h, DUCT + 4, 4, 0);
    ar[5] = 1;
    ck_assert_int_eq(linkage_run("b2580065"), PGM_SPECIAL_OPERATION);
    cr[5] = ASTE(ASN_A); /* the primary space is not the base space */
    ck_assert_int_eq(linkage_run("b2580065"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* A dispatchable unit that runs in a subspace gets that when it comes to its base space. */
START_TEST(subspace_replacement)
{
    group_put();
    harness_store(&h, DUCT + 4, 4, 0x80000000u | ASTE(SUB));
    harness_store(&h, DUCT + 12, 4, 0x11110000 + SUB);
    cr[1] = cr[7] = SEG_A;
    cr[4] = 2u << 16 | ASN_A;
    cr[5] = ASTE(ASN_A);
    harness_store(&h, AUTHORITY, 1, 0x0c);
    gr[3] = 0xffff0000u | BASE;
    gr[2] = BASE;
    ck_assert_int_eq(linkage_run("b2250020"), 0); /* ssar */
    ck_assert_uint_eq(cr[7], SEG_B | 0x200);
    ck_assert_int_eq(linkage_run("b2280035"), 0); /* pt */
    ck_assert_uint_eq(cr[1], SEG_B | 0x200);
    ck_assert_uint_eq(cr[5], ASTE(BASE));
    cr[4] = 2u << 16 | ASN_A;
    harness_store(&h, DUCT + 12, 4, 1);
    harness_store(&h, 0xa0, 1, 0xff);
    ck_assert_int_eq(linkage_run("b2280035"), PGM_ASTE_SEQUENCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0);
    harness_store(&h, ASTE(SUB), 4, 0x80000000u);
    ck_assert_int_eq(linkage_run("b2280035"), PGM_ASTE_VALIDITY);
}
END_TEST

/* ---- LASP, TAR ---- */

static int lasp(u64 parameters, const char *hex)
{
    harness_store(&h, DATA, 8, parameters);
    return linkage_run(hex);
}

#define LASP_0 "e50010000000"
#define LASP_1 "e50010000001"
#define LASP_2 "e50010000002"
#define LASP_4 "e50010000004"

START_TEST(load_parameters)
{
    ck_assert_int_eq(lasp(0x1234000500990005ull, LASP_0), 0); /* PKM only */
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[3], 0x12340005);
    ck_assert_uint_eq(cr[4], 2u << 16 | ASN_A);
    ck_assert_int_eq(lasp(0x1234000500990005ull, LASP_2), 0);
    ck_assert_uint_eq(cr[4], 0x990005);
    cr[1] = 0x555000; /* forced translation repairs it */
    cr[1] = SEG_A | 0x800;
    ck_assert_int_eq(lasp(0x1234000500990005ull, LASP_4), 0);
    ck_assert_uint_eq(cr[1], SEG_A);
    ck_assert_uint_eq(cr[4], 2u << 16 | ASN_A);
    ck_assert_int_eq(lasp(0x1234000600990005ull, LASP_0), 0); /* not authorized */
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_int_eq(lasp(0x1234000600990005ull, LASP_1), 0); /* not asked */
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3], 0x12340006);
    cr[7] = SEG_A;
    ck_assert_int_eq(lasp(0x1234000600990005ull, LASP_1), 0); /* as it was */
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_int_eq(lasp(0x1234000700990005ull, LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_int_eq(lasp(0x1234000500990007ull, LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_int_eq(lasp(0x1234000600990006ull, LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[5], ASTE(ASN_B));
    linkage_psw(0);
    gr[1] = 0x50000;
    harness_store(&h, 0x50000, 8, 0x1234000500990005ull);
    cr[1] |= 0x40;
    ck_assert_int_eq(linkage_run(LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_int_eq(linkage_run("e50010040000"), PGM_SPECIFICATION);
    cr[14] &= ~0x80000ull;
    ck_assert_int_eq(linkage_run(LASP_0), PGM_SPECIAL_OPERATION);
    linkage_psw(PSW_PROB);
    ck_assert_int_eq(linkage_run(LASP_0), PGM_PRIVILEGED);
}
END_TEST

START_TEST(load_parameters_reuse)
{
    reuse_on();
    harness_store(&h, DATA + 8, 8, 0x2222000600990006ull);
    ck_assert_int_eq(lasp(0x2222000512340005ull, LASP_1), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_uint_eq(cr[3], 0x2222000512340005ull);
    ck_assert_uint_eq(cr[4], 0x2222000600030006ull);
    harness_store(&h, FRAME_B + 8, 8, 0x2222009900990006ull);
    harness_store(&h, FRAME_B, 8, 0x2222000512340005ull);
    ck_assert_int_eq(linkage_run("e50010000005"), 0); /* another instance */
    ck_assert_uint_eq(harness_cc(&h), 1);
    harness_store(&h, FRAME_B + 8, 8, 0x2222000600990006ull);
    harness_store(&h, FRAME_B, 8, 0x2222009912340005ull);
    ck_assert_int_eq(linkage_run("e50010000005"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
}
END_TEST

START_TEST(test_access)
{
    static const struct {
        u32 alet;
        unsigned cc;
    } cases[] = {{0, 0},          {1, 3},          {0x00040002, 1}, {0x01040002, 2},
                 {0x00040003, 3}, {0x02000002, 3}, {0x00050002, 3}};
    group_put();
    harness_store(&h, UNIT_LIST + 48, 4, 0x80000000u);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ar[0] = cases[i].alet;
        ck_assert_int_eq(linkage_run("b24c0002"), 0); /* access register 0 counts here */
        ck_assert_uint_eq(harness_cc(&h), cases[i].cc);
    }
    harness_store(&h, UNIT_LIST + 32, 4, 0x01040009); /* private: EAX 9 */
    ar[0] = 0x00040002;
    gr[2] = 0x00080000;
    ck_assert_int_eq(linkage_run("b24c0002"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    gr[2] = 0x00090000;
    ck_assert_int_eq(linkage_run("b24c0002"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    cr[2] = 0x7fffffc0;
    ck_assert_int_eq(linkage_run("b24c0002"), PGM_ADDRESSING);
}
END_TEST
static void add_tests(TCase *tc)
{
    tcase_add_test(tc, pt);
    tcase_add_test(tc, pr_authority);
    tcase_add_test(tc, pr_invalid_psw);
    tcase_add_test(tc, set_secondary);
    tcase_add_test(tc, home_event);
    tcase_add_test(tc, reuse_numbers);
    tcase_add_test(tc, reuse_instances);
    tcase_add_test(tc, bsa);
    tcase_add_test(tc, bsg);
    tcase_add_test(tc, subspace_replacement);
    tcase_add_test(tc, load_parameters);
    tcase_add_test(tc, load_parameters_reuse);
    tcase_add_test(tc, test_access);
}

int main(void)
{
    Suite *suite = suite_create("cpu_asn");
    TCase *tc = tcase_create("asn");
    tcase_add_checked_fixture(tc, linkage_setup, linkage_teardown);
    add_tests(tc);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
