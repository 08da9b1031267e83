/* The world of linkage_world.h: two spaces, their tables, a linkage stack. */
#include "tests/lib/linkage_world.h"

struct cpu_harness h;
u64 *gr, *cr;
u32 *ar;

void aste_put(u32 asn, u32 ax, u64 asce)
{
    harness_store(&h, ASTE(asn), 4, AUTHORITY);
    harness_store(&h, ASTE(asn) + 4, 4, ax << 16 | 0x10);
    harness_store(&h, ASTE(asn) + 8, 8, asce);
    harness_store(&h, ASTE(asn) + 16, 4, UNIT_LIST);
    harness_store(&h, ASTE(asn) + 20, 4, 0x11110000 + asn);
    harness_store(&h, ASTE(asn) + 24, 4, 0x80000000u | LINKAGE_TABLE);
    harness_store(&h, ASTE(asn) + 44, 4, 0x22220000 + asn);
}

/* Both spaces are 1:1, but that B has FRAME_B at DATA. */
static void build_spaces(void)
{
    harness_store(&h, SEG_A, 8, PAGES_A);
    harness_store(&h, SEG_B, 8, PAGES_B);
    for (unsigned i = 0; i < 256; i++) {
        harness_store(&h, PAGES_A + 8 * i, 8, (u64)i << 12);
        harness_store(&h, PAGES_B + 8 * i, 8, (u64)i << 12);
    }
    harness_store(&h, PAGES_B + 8 * (DATA >> 12), 8, FRAME_B);
    cr[1] = cr[7] = cr[13] = SEG_A;
    harness_store(&h, FIRST_TABLE, 4, SECOND_TABLE);
    harness_store(&h, FIRST_TABLE + 4, 4, 0x80000000u);
    for (unsigned i = 0; i < 64; i++)
        harness_store(&h, ASTE(i), 4, 0x80000000u);
    aste_put(ASN_A, 2, SEG_A);
    aste_put(ASN_B, 3, SEG_B);
    cr[14] = 0x80000u | FIRST_TABLE >> 12;
    cr[2] = DUCT;
    cr[3] = 0x80800000u | ASN_A;
    cr[4] = 2u << 16 | ASN_A;
    cr[5] = ASTE(ASN_A);
    cr[8] = 0x00770000;
}

void section_put(u32 at, unsigned room, u64 back, u64 forward)
{
    harness_store(&h, at, 8, back);
    harness_store(&h, at + 8, 8, 0x0907000000000000ull | (u64)room << 32);
    harness_store(&h, at + 16 + room, 8, forward);
    harness_store(&h, at + 24 + room, 8, 0x0a07000000000000ull);
}

void entry_put(unsigned index, u64 address_word, u32 mask_asn, u32 ekm, u32 bits, u32 aste)
{
    u32 at = ENTRY_TABLE + 32 * index;
    harness_store(&h, at, 8, address_word);
    harness_store(&h, at + 8, 4, mask_asn);
    harness_store(&h, at + 12, 4, ekm);
    harness_store(&h, at + 16, 4, bits);
    harness_store(&h, at + 20, 4, aste);
    harness_store(&h, at + 24, 8, 0xaaaabbbbccccddddull);
}

void linkage_psw(u64 extra)
{
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_DAT | extra, HARNESS_CODE);
}

void linkage_setup(void)
{
    harness_init(&h, "max", 1);
    gr = cpu_gr(h.cpu);
    cr = cpu_cr(h.cpu);
    ar = cpu_ar(h.cpu);
    build_spaces();
    harness_store(&h, LINKAGE_TABLE, 4, ENTRY_TABLE | 1); /* 8 entries */
    for (unsigned i = 1; i < 32; i++)
        harness_store(&h, LINKAGE_TABLE + 4 * i, 4, 0x80000000u);
    section_put(STACK, TRAILER - STACK - 16, 0, 0);
    cr[15] = STACK + 8;
    for (unsigned i = 0; i < 16; i++) {
        gr[i] = 0x1111111100000000ull * (i & 1) + 0x1000 * i;
        ar[i] = 0x90000000u + i;
    }
    gr[1] = DATA;
    linkage_psw(0);
}

void linkage_teardown(void)
{
    harness_fini(&h);
}

int linkage_run(const char *hex)
{
    cpu_registers_changed(h.cpu);
    return harness_insn(&h, hex);
}

u64 linkage_psw_mask(void)
{
    u64 mask, addr;
    cpu_psw_get(h.cpu, &mask, &addr);
    return mask;
}
