/* Control instructions one by one on a whole CPU. Rules: PoP chapters 4 and 10. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define DATA HARNESS_DATA
#define SEG_TABLE 0x100000u
#define PAGE_TABLE 0x101000u
#define SEG_TABLE_2 0x102000u
#define PAGE_TABLE_2 0x103000u
#define FRAME_2 0x120000u

static struct cpu_harness h;
static u64 *gr, *cr;

/* Two spaces: the primary maps the first MiB 1:1, the secondary page 0x21 to FRAME_2. */
static void build_spaces(void)
{
    harness_store(&h, SEG_TABLE, 8, PAGE_TABLE);
    harness_store(&h, SEG_TABLE + 8, 8, 0x20); /* invalid */
    harness_store(&h, SEG_TABLE_2, 8, PAGE_TABLE_2);
    for (unsigned i = 0; i < 256; i++) {
        harness_store(&h, PAGE_TABLE + 8 * i, 8, (u64)i << 12);
        harness_store(&h, PAGE_TABLE_2 + 8 * i, 8, 0x400);
    }
    harness_store(&h, PAGE_TABLE + 8 * 0x30, 8, 0x400);
    harness_store(&h, PAGE_TABLE_2 + 8 * 0x21, 8, FRAME_2);
    cr[1] = SEG_TABLE;
    cr[7] = SEG_TABLE_2;
    cr[13] = SEG_TABLE;
    cpu_registers_changed(h.cpu);
}

static void setup(void)
{
    harness_init(&h, "z10", 1);
    gr = cpu_gr(h.cpu);
    cr = cpu_cr(h.cpu);
    gr[1] = DATA;
    build_spaces();
}

static void teardown(void)
{
    harness_fini(&h);
}

static void psw(u64 extra)
{
    cpu_psw_set(h.cpu, HARNESS_PSW64 | extra, HARNESS_CODE);
}

/* The program interruption hands control to a PSW without DAT; the harness restores `mask`. */
static int run(const char *hex)
{
    return harness_insn(&h, hex);
}

static u64 mask_now(void)
{
    u64 mask, addr;
    cpu_psw_get(h.cpu, &mask, &addr);
    return mask;
}

START_TEST(privileged_in_problem_state)
{
    static const char *const insns[] = {
        "b720 1000", "eb22 1000 002f", "b620 1000", "8200 1000", "b2b2 1000",      "8000 1000",
        "ac00 1000", "ad00 1000",      "b210 1000", "b212 1000", "b202 1000",      "b2b1 0000",
        "b120 1000", "b24b 0021",      "b221 0021", "b98e 0021", "b250 0021",      "b20d 0000",
        "b229 0021", "b22b 0021",      "b206 1000", "b208 1000", "ae00 0000",      "8300 0000",
        "b220 0021", "b27d 1000",      "b233 1000", "b25f 0010", "e501 1000 0000", "b9af 0012",
    };
    psw(PSW_PROB);
    ck_assert_int_eq(run(insns[_i]), PGM_PRIVILEGED);
}
END_TEST

START_TEST(control_registers)
{
    harness_store(&h, DATA, 8, 0x1111111122222222ull);
    harness_store(&h, DATA + 8, 8, 0x3333333344444444ull);
    cr[2] = ~0ull;
    ck_assert_int_eq(run("b723 1000"), 0); /* lctl 2,3 */
    ck_assert_uint_eq(cr[2], 0xffffffff11111111ull);
    ck_assert_uint_eq(cr[3] & 0xffffffff, 0x22222222);
    ck_assert_int_eq(run("ebf0 1000 002f"), 0); /* lctlg 15,0 wraps */
    ck_assert_uint_eq(cr[15], 0x1111111122222222ull);
    ck_assert_uint_eq(cr[0], 0x3333333344444444ull);
    ck_assert_int_eq(run("ebf0 1020 0025"), 0); /* stctg 15,0 */
    ck_assert_uint_eq(harness_load(&h, DATA + 0x28, 8), 0x3333333344444444ull);
    ck_assert_int_eq(run("b622 1031"), PGM_SPECIFICATION);
    ck_assert_int_eq(run("eb22 1034 002f"), PGM_SPECIFICATION);
}
END_TEST

START_TEST(system_mask)
{
    ck_assert_int_eq(run("ad03 1000"), 0); /* stosm 3 */
    ck_assert_uint_eq(harness_load(&h, DATA, 1), 0);
    ck_assert_uint_eq(mask_now() >> 56, 3);
    ck_assert_int_eq(run("acfc 1000"), 0); /* stnsm fc */
    ck_assert_uint_eq(harness_load(&h, DATA, 1), 3);
    ck_assert_uint_eq(mask_now() >> 56, 0);
    harness_store(&h, DATA, 1, 2);
    ck_assert_int_eq(run("8000 1000"), 0); /* ssm */
    ck_assert_uint_eq(mask_now() >> 56, 2);
    ck_assert_int_eq(run("ad80 1000"), PGM_SPECIFICATION); /* a reserved bit: afterwards */
    ck_assert_uint_eq(harness_load(&h, 0x150, 1), 0x82);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    psw(0);
    cr[0] |= 1ull << 30;
    ck_assert_int_eq(run("8000 1000"), PGM_SPECIAL_OPERATION);
}
END_TEST

START_TEST(load_psw)
{
    harness_store(&h, DATA, 8, 0x000a000080012344ull);
    ck_assert_int_eq(run("8200 1000"), 0);
    ck_assert_uint_eq(mask_now(), 0x0002000080000000ull);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x12344);
    psw(0);
    harness_store(&h, DATA, 8, 0x0002000080012344ull);
    ck_assert_int_eq(run("8200 1000"), PGM_SPECIFICATION);
    harness_store(&h, DATA, 8, HARNESS_PSW64 | 3ull << PSW_CC_SHIFT);
    harness_store(&h, DATA + 8, 8, 0x123456789abcull);
    ck_assert_int_eq(run("b2b2 1000"), 0);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x123456789abcull);
    ck_assert_uint_eq(harness_cc(&h), 3);
    psw(0);
    ck_assert_int_eq(run("b2b2 1004"), PGM_SPECIFICATION);
}
END_TEST

START_TEST(modes_and_keys)
{
    ck_assert_int_eq(run("010d"), 0);
    ck_assert_uint_eq(h.cpu->amask, 0x7fffffff);
    ck_assert_int_eq(run("010b"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_int_eq(run("010e"), 0);
    ck_assert_int_eq(run("010b"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_int_eq(run("b20a 0090"), 0); /* spka 9 */
    ck_assert_int_eq(run("b20b 0000"), 0);
    ck_assert_uint_eq(gr[2] & 0xff, 0x90);
    psw(PSW_PROB);
    ck_assert_int_eq(run("b20a 0080"), PGM_PRIVILEGED);
    cr[3] = 0x0080ull << 16;
    ck_assert_int_eq(run("b20a 0080"), 0);
    ck_assert_int_eq(run("b98d 0024"), 0); /* epsw 2,4 */
    ck_assert_uint_eq(gr[2] & 0xffffffff, (HARNESS_PSW64 | PSW_PROB | 8ull << 52) >> 32);
    ck_assert_uint_eq(gr[4] & 0xffffffff, 0x80000000u);
}
END_TEST

START_TEST(prefix_and_identification)
{
    harness_store(&h, DATA, 4, 0x40000);
    storage_write(h.st, 0x40000, h.st->base, 0x2000);
    ck_assert_int_eq(run("b210 1000"), 0);
    ck_assert_int_eq(run("b211 1004"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 4, 4), 0x40000);
    ck_assert_int_eq(run("b2b1 0000"), 0); /* stfl, at the prefix */
    ck_assert_uint_eq(harness_load(&h, 0x400c8, 4), be32_load(h.set->facilities));
    harness_store(&h, DATA, 4, 0x7fffe000);
    run("b210 1002"); /* codes are stored at the prefix as well */
    ck_assert_uint_eq(harness_load(&h, 0x4008e, 2), PGM_SPECIFICATION);
    run("b210 1000");
    ck_assert_uint_eq(harness_load(&h, 0x4008e, 2), PGM_ADDRESSING);
    ck_assert_int_eq(run("b212 1010"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 0x10, 2), 0);
    ck_assert_int_eq(run("b202 1018"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 0x18, 8), 0xff00000020978000ull);
    cpu_set_lpar(h.set); /* outside CP: version code 00; format 1 since the z990 */
    run("b202 1018");
    ck_assert_uint_eq(harness_load(&h, DATA + 0x18, 8), 0x20978000ull);
    gr[0] = 0;
    ck_assert_int_eq(run("b2b0 1020"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 0x20, 8), be64_load(h.set->facilities));
    gr[0] = 31;
    ck_assert_int_eq(run("b2b0 1020"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
}
END_TEST

/* SAC codes and what IAC gives back. */
START_TEST(address_spaces)
{
    ck_assert_int_eq(run("b219 0100"), PGM_SPECIAL_OPERATION); /* DAT off */
    psw(PSW_DAT);
    ck_assert_int_eq(run("b219 0100"), PGM_SPECIAL_OPERATION); /* no secondary control */
    psw(PSW_DAT);
    cr[0] |= CR0_SECONDARY_CTL;
    ck_assert_int_eq(run("b279 0200"), 0);
    ck_assert_uint_eq(mask_now() & PSW_AS, 1ull << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b224 0020"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_uint_eq(gr[2] >> 8 & 0xff, 2);
    ck_assert_int_eq(run("b219 0300"), 0);
    ck_assert_uint_eq(mask_now() & PSW_AS, PSW_AS);
    ck_assert_int_eq(run("b219 0000"), 0);
    ck_assert_int_eq(run("b219 0400"), PGM_SPECIFICATION);
    psw(PSW_DAT | PSW_PROB);
    ck_assert_int_eq(run("b219 0300"), PGM_PRIVILEGED);
}
END_TEST

START_TEST(load_real_address)
{
    gr[1] = 0x21123;
    ck_assert_int_eq(run("e320 1000 0003"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(gr[2], 0x21123);
    gr[1] = 0x30000;
    ck_assert_int_eq(run("e320 1000 0003"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_uint_eq(gr[2], PAGE_TABLE + 8 * 0x30);
    gr[1] = 0x100000;
    ck_assert_int_eq(run("b120 1000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(gr[2], SEG_TABLE + 8);
    gr[1] = 1ull << 31;
    gr[2] = ~0ull;
    ck_assert_int_eq(run("e320 1000 0003"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_uint_eq(gr[2], 0xffffffff80000038ull);
}
END_TEST

START_TEST(real_storage)
{
    gr[1] = DATA + 8;
    gr[2] = 0x1122334455667788ull;
    ck_assert_int_eq(run("b925 0021"), 0); /* sturg */
    ck_assert_uint_eq(harness_load(&h, DATA + 8, 8), gr[2]);
    gr[3] = 0;
    ck_assert_int_eq(run("b24b 0031"), 0); /* lura */
    ck_assert_uint_eq(gr[3], 0x11223344);
    gr[1]++;
    ck_assert_int_eq(run("b905 0031"), PGM_SPECIFICATION);
}
END_TEST

/* Invalidation: the entry's bit is set, and the very next access faults. */
START_TEST(invalidate)
{
    psw(PSW_DAT);
    gr[1] = 0x25000;
    ck_assert_int_eq(run("e320 1000 0004"), 0); /* lg: into the TLB */
    gr[4] = PAGE_TABLE;
    gr[5] = 0x25000;
    ck_assert_int_eq(run("b221 0045"), 0);
    ck_assert_uint_eq(harness_load(&h, PAGE_TABLE + 8 * 0x25, 8), 0x25400);
    ck_assert_int_eq(run("e320 1000 0004"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8), 0x25000);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    psw(0);
    gr[4] = SEG_TABLE;
    gr[5] = 0;
    ck_assert_int_eq(run("b98e 0045"), 0);
    ck_assert_uint_eq(harness_load(&h, SEG_TABLE, 8), PAGE_TABLE | 0x20);
    gr[4] = 0;
    gr[5] = 0x800;
    gr[6] = SEG_TABLE_2;
    ck_assert_int_eq(run("b98e 6045"), 0);
}
END_TEST

START_TEST(swap_and_purge)
{
    harness_store(&h, DATA, 8, 0xaaaabbbbccccddddull);
    gr[2] = 0xaaaabbbbccccddddull;
    gr[3] = 5;
    gr[1] = DATA | 1;
    ck_assert_int_eq(run("b98a 0021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), 5);
    ck_assert_int_eq(run("b98a 0021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(gr[2], 5);
    ck_assert_int_eq(run("b250 0031"), PGM_SPECIFICATION);
    gr[2] = 0;
    ck_assert_int_eq(run("b250 0021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), 0x0000000500000005ull);
}
END_TEST

START_TEST(storage_keys)
{
    gr[2] = 0x36;
    gr[1] = 0x50000;
    ck_assert_int_eq(run("b22b 0021"), 0);
    gr[3] = ~0ull;
    ck_assert_int_eq(run("b229 0031"), 0);
    ck_assert_uint_eq(gr[3], 0xffffffffffffff36ull);
    ck_assert_int_eq(run("b22a 0021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_int_eq(run("b22a 0021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    gr[2] = 0x30;
    ck_assert_int_eq(run("b22b 6021"), 0); /* MR, MC: equal but for R and C */
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(gr[2], 0x3230);
    ck_assert_uint_eq(storage_key_get(h.st, 0x50000), 0x32);
    gr[2] = 0x40;
    ck_assert_int_eq(run("b22b 6021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    gr[1] = 0x2ff000;
    ck_assert_int_eq(run("b22b 1021"), 0); /* to the end of the megabyte */
    ck_assert_uint_eq(gr[1], 0x300000);
    ck_assert_uint_eq(storage_key_get(h.st, 0x2ff000), 0x40);
    gr[1] = HARNESS_STORAGE;
    ck_assert_int_eq(run("b229 0031"), PGM_ADDRESSING);
}
END_TEST

/* A key set while a translation exists takes effect at once. */
START_TEST(key_change_purges)
{
    psw(3ull << PSW_KEY_SHIFT);
    storage_key_set(h.st, HARNESS_CODE, 0x30);
    storage_key_set(h.st, HARNESS_DATA, 0x30);
    ck_assert_int_eq(run("e320 1000 0024"), 0);
    gr[4] = 0x48;
    ck_assert_int_eq(run("b22b 0041"), 0);
    ck_assert_int_eq(run("e320 1000 0024"), PGM_PROTECTION);
    psw(3ull << PSW_KEY_SHIFT);
    ck_assert_int_eq(run("e320 1000 0004"), PGM_PROTECTION);
}
END_TEST

START_TEST(frame_management)
{
    harness_store(&h, 0x60008, 8, 1);
    gr[1] = 0x60123;
    gr[2] = 0x30000 | 0x52; /* set key 52, clear */
    ck_assert_int_eq(run("b9af 0021"), 0);
    ck_assert_uint_eq(harness_load(&h, 0x60008, 8), 0);
    ck_assert_uint_eq(storage_key_get(h.st, 0x60000) & 0xf0, 0x50);
    ck_assert_uint_eq(gr[1], 0x60123);
    harness_store(&h, 0x1ff000, 8, 1);
    gr[1] = 0x180000;
    gr[2] = 0x11000; /* clear to the end of the segment */
    ck_assert_int_eq(run("b9af 0021"), 0);
    ck_assert_uint_eq(harness_load(&h, 0x1ff000, 8), 0);
    ck_assert_uint_eq(gr[1], 0x200000);
    gr[2] = 0x80000000u;
    ck_assert_int_eq(run("b9af 0021"), PGM_SPECIFICATION);
}
END_TEST

START_TEST(test_protection)
{
    gr[1] = 0x50000;
    storage_key_set(h.st, 0x50000, 0x38);
    ck_assert_int_eq(run("e501 1000 0040"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_int_eq(run("e501 1000 0030"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    storage_key_set(h.st, 0x50000, 0x30);
    ck_assert_int_eq(run("e501 1000 0040"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    gr[1] = HARNESS_STORAGE;
    ck_assert_int_eq(run("e501 1000 0000"), PGM_ADDRESSING);
    psw(PSW_DAT);
    gr[1] = 0x30000;
    ck_assert_int_eq(run("e501 1000 0000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
}
END_TEST

/* MVCOS as a kernel copies from and to user space. */
START_TEST(move_between_spaces)
{
    harness_store(&h, FRAME_2 + 0xff0, 8, 0x0102030405060708ull);
    gr[0] = 0x0081; /* second operand: secondary */
    gr[1] = DATA;
    gr[2] = 0x21ff0;
    gr[3] = 8;
    ck_assert_int_eq(run("c830 1000 2000"), PGM_SPECIAL_OPERATION);
    psw(PSW_DAT);
    ck_assert_int_eq(run("c830 1000 2000"), PGM_SPECIAL_OPERATION);
    psw(PSW_DAT);
    cr[0] |= CR0_SECONDARY_CTL;
    ck_assert_int_eq(run("c830 1000 2000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), 0x0102030405060708ull);
    gr[0] = 0x00810000; /* first operand: secondary */
    gr[3] = 4;
    ck_assert_int_eq(run("c830 2000 1004"), 0);
    ck_assert_uint_eq(harness_load(&h, FRAME_2 + 0xff0, 8), 0x0506070805060708ull);
    gr[3] = 17; /* into the missing page: nothing moves */
    harness_store(&h, DATA, 8, 0);
    ck_assert_int_eq(run("c830 2000 1000"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8), 0x22000 | 2);
    ck_assert_uint_eq(harness_load(&h, FRAME_2 + 0xff0, 8), 0x0506070805060708ull);
    psw(PSW_DAT);
    gr[0] = 0x0081;
    gr[2] = 0x21000;
    gr[3] = 5000;
    ck_assert_int_eq(run("c830 1000 2000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
}
END_TEST

/* Key and space are checked alike when it is the PSW that names them: in the problem state the mask
 * must have the PSW key, and the secondary space needs CR0 bit 37 (QEMU and Hercules agree). */
START_TEST(move_with_own_key_and_space)
{
    gr[0] = 0;
    gr[1] = gr[2] = DATA;
    gr[3] = 8;
    cr[3] = 0x8000u >> 4 << 16;
    storage_key_set(h.st, DATA, 0x40);
    psw(PSW_DAT | PSW_PROB | 4ull << PSW_KEY_SHIFT);
    ck_assert_int_eq(run("c830 1000 2000"), 0);
    cr[3] = 0x8000u >> 5 << 16;
    psw(PSW_DAT | PSW_PROB | 4ull << PSW_KEY_SHIFT);
    ck_assert_int_eq(run("c830 1000 2000"), PGM_PRIVILEGED);
    psw(PSW_DAT | 4ull << PSW_KEY_SHIFT);
    ck_assert_int_eq(run("c830 1000 2000"), 0);
    psw(PSW_DAT | (u64)AS_SECONDARY << PSW_AS_SHIFT);
    cr[0] &= ~CR0_SECONDARY_CTL;
    ck_assert_int_eq(run("c830 1000 2000"), PGM_SPECIAL_OPERATION);
    psw(PSW_DAT | (u64)AS_SECONDARY << PSW_AS_SHIFT);
    gr[0] = 0x00010001; /* both primary */
    ck_assert_int_eq(run("c830 1000 2000"), 0);
}
END_TEST

/* PERFORM LOCKED OPERATION in the access-register mode: the parameter list has ALETs. */
START_TEST(locked_operation_with_alets)
{
    const u64 ar = PSW_DAT | (u64)AS_AR << PSW_AS_SHIFT;
    harness_store(&h, DATA, 8, 0x11);
    harness_store(&h, DATA + 0x108, 8, 0x11); /* operand 1: to compare, to replace */
    harness_store(&h, DATA + 0x118, 8, 0x22);
    harness_store(&h, DATA + 0x138, 8, 0x44); /* operand 3 */
    harness_store(&h, DATA + 0x144, 4, 1);    /* secondary */
    harness_store(&h, DATA + 0x148, 8, 0x21ff0);
    gr[0] = 13; /* compare and swap and store, 64 bits, list */
    gr[6] = DATA;
    gr[7] = DATA + 0x100;
    cr[0] |= CR0_SECONDARY_CTL;
    psw(ar);
    ck_assert_int_eq(run("ee20 6000 7000"), PGM_SPECIFICATION); /* R3 is 0 */
    psw(ar);
    ck_assert_int_eq(run("ee24 6000 7000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), 0x22);
    ck_assert_uint_eq(harness_load(&h, FRAME_2 + 0xff0, 8), 0x44);
    ck_assert_uint_eq(h.cpu->ar[4], 1);
    h.cpu->ar[4] = 0;
    harness_store(&h, DATA, 8, 0x11);
    harness_store(&h, DATA + 0x148, 8, 0x22000); /* is not there: nothing has changed */
    psw(ar);
    ck_assert_int_eq(run("ee24 6000 7000"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(h.cpu->ar[4], 0);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), 0x11);
    psw(PSW_DAT); /* outside the mode ALETs do not count, and R3 may be 0 */
    harness_store(&h, DATA + 0x148, 8, DATA + 0x40);
    ck_assert_int_eq(run("ee20 6000 7000"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 0x40, 8), 0x44);
}
END_TEST

START_TEST(move_with_keys)
{
    harness_store(&h, DATA, 8, 0x1112131415161718ull);
    gr[3] = 4;
    gr[4] = 0x70;
    ck_assert_int_eq(run("d934 1010 1000"), 0); /* mvck */
    ck_assert_uint_eq(harness_load(&h, DATA + 0x10, 8), 0x1112131400000000ull);
    storage_key_set(h.st, DATA, 0x58);
    cpu_registers_changed(h.cpu);
    ck_assert_int_eq(run("d934 1010 1000"), PGM_PROTECTION);
    gr[0] = 3;
    gr[4] = 1;
    gr[1] = 0x50;
    gr[2] = DATA;
    ck_assert_int_eq(run("e50f 2010 2004"), 0); /* mvcdk */
    ck_assert_uint_eq(harness_load(&h, DATA + 0x10, 4), 0x15161718);
    psw(PSW_DAT);
    cr[0] |= CR0_SECONDARY_CTL;
    harness_store(&h, FRAME_2, 4, 0xdeadbeef);
    gr[5] = 0x21000;
    gr[3] = 4;
    ck_assert_int_eq(run("da34 2020 5000"), 0); /* mvcp */
    ck_assert_uint_eq(harness_load(&h, DATA + 0x20, 4), 0xdeadbeef);
    ck_assert_int_eq(run("db34 5008 2020"), 0); /* mvcs */
    ck_assert_uint_eq(harness_load(&h, FRAME_2 + 8, 4), 0xdeadbeef);
}
END_TEST

START_TEST(clocks)
{
    u64 first, second;
    ck_assert_int_eq(run("b205 1000"), 0);
    ck_assert_int_eq(run("b205 1008"), 0);
    first = harness_load(&h, DATA, 8);
    second = harness_load(&h, DATA + 8, 8);
    ck_assert_uint_lt(first, second); /* though time stands still */
    ck_assert_int_eq(run("b278 1010"), 0);
    ck_assert_uint_gt(harness_load(&h, DATA + 0x11, 8), second);
    gr[0] = 0xabcd;
    ck_assert_int_eq(run("0107"), 0);
    ck_assert_int_eq(run("b278 1010"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 0x1e, 2), 0xabcd);
    gr[0] = 0x10000;
    ck_assert_int_eq(run("0107"), PGM_SPECIFICATION);
    harness_store(&h, DATA, 8, 0x123456789abcull);
    ck_assert_int_eq(run("b206 1000"), 0);
    ck_assert_int_eq(run("b207 1008"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 8, 8), 0x123456789abcull);
    ck_assert_int_eq(run("b206 1004"), PGM_SPECIFICATION);
    ck_assert_int_eq(run("b208 1000"), 0);
    h.now_tod += 0xabc;
    ck_assert_int_eq(run("b209 1008"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 8, 8), 0x123456789000ull);
    ck_assert_int_eq(run("b204 1000"), 0);
    ck_assert_uint_eq(cpu_guest_tod(h.cpu), 0x123456789abcull);
    ck_assert_uint_eq(cpu_timer_get(h.cpu), 0x123456789000ull);
}
END_TEST

START_TEST(timing_functions)
{
    cpu_set_epoch(h.set, 0x7000);
    gr[0] = 1;
    ck_assert_int_eq(run("0104"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), h.now_tod);
    ck_assert_uint_eq(harness_load(&h, DATA + 24, 8), 0x7000);
    gr[0] = 0x55;
    ck_assert_int_eq(run("0104"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    gr[0] = 0x40;
    harness_store(&h, DATA, 8, 0x1000);
    ck_assert_int_eq(run("0104"), 0);
    ck_assert_uint_eq(cpu_get_epoch(h.set), 0x8000);
    psw(PSW_PROB);
    ck_assert_int_eq(run("0104"), PGM_PRIVILEGED);
}
END_TEST

START_TEST(interceptions)
{
    harness_put(&h, HARNESS_CODE, "8323 0308");
    psw(0);
    ck_assert_int_eq(cpu_run(h.cpu, 1), CPU_EXIT_INTERCEPT);
    const struct cpu_icpt *k = cpu_intercept(h.cpu);
    ck_assert_int_eq(k->kind, ICPT_DIAG);
    ck_assert_uint_eq(k->ea, 0x308);
    ck_assert_uint_eq(k->r1, 2);
    ck_assert_uint_eq(k->r3, 3);
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_CODE + 4);
    cpu_finish_again(h.cpu);
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_CODE);
    ck_assert_int_eq(cpu_run(h.cpu, 1), CPU_EXIT_INTERCEPT);
    cpu_finish_pgm(h.cpu, PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + 4);
    harness_put(&h, HARNESS_CODE, "b233 1008");
    psw(0);
    ck_assert_int_eq(cpu_run(h.cpu, 1), CPU_EXIT_INTERCEPT);
    ck_assert_int_eq(k->kind, ICPT_IO);
    ck_assert_uint_eq(k->op, 0xb233);
    ck_assert_uint_eq(k->ea, DATA + 8);
    cpu_finish_cc(h.cpu, 3);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_int_eq(run("b233 1001"), PGM_SPECIFICATION);
    gr[0] = 0;
    gr[1] = 0;
    harness_put(&h, HARNESS_CODE, "b27d 0000"); /* stsi: even the level is the machine's */
    psw(0);
    ck_assert_int_eq(cpu_run(h.cpu, 1), CPU_EXIT_INTERCEPT);
    ck_assert_int_eq(k->kind, ICPT_STSI);
    gr[0] = 4u << 28;
    ck_assert_int_eq(run("b27d 0000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_int_eq(run("b256 0024"), PGM_OPERATION); /* STHYI: no facility 74 */
}
END_TEST

START_TEST(tracing)
{
    gr[1] = DATA;
    ck_assert_int_eq(run("9934 1000"), 0);
    cr[12] = 0x70000 | 1;
    gr[3] = 3;
    gr[4] = 4;
    ck_assert_int_eq(run("9934 1000"), 0);
    ck_assert_uint_eq(cr[12], 0x70015);
    ck_assert_uint_eq(harness_load(&h, 0x70000, 1), 0x71);
    ck_assert_uint_eq(harness_load(&h, 0x7000c, 8), 0x0000000300000004ull);
    cr[12] = 0x70ff0 | 1;
    ck_assert_int_eq(run("9934 1000"), PGM_TRACE_TABLE);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_loop_test(t, privileged_in_problem_state, 0, 30);
    tcase_add_test(t, control_registers);
    tcase_add_test(t, system_mask);
    tcase_add_test(t, load_psw);
    tcase_add_test(t, modes_and_keys);
    tcase_add_test(t, prefix_and_identification);
    tcase_add_test(t, address_spaces);
    tcase_add_test(t, load_real_address);
    tcase_add_test(t, real_storage);
    tcase_add_test(t, invalidate);
    tcase_add_test(t, swap_and_purge);
    tcase_add_test(t, storage_keys);
    tcase_add_test(t, key_change_purges);
    tcase_add_test(t, frame_management);
    tcase_add_test(t, test_protection);
    tcase_add_test(t, move_between_spaces);
    tcase_add_test(t, move_with_own_key_and_space);
    tcase_add_test(t, locked_operation_with_alets);
    tcase_add_test(t, move_with_keys);
    tcase_add_test(t, clocks);
    tcase_add_test(t, timing_functions);
    tcase_add_test(t, interceptions);
    tcase_add_test(t, tracing);
}

int main(void)
{
    Suite *s = suite_create("cpu_control");
    TCase *t = tcase_create("instructions");
    tcase_add_checked_fixture(t, setup, teardown);
    add_tests(t);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
