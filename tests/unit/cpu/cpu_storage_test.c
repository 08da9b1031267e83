/* Storage by the book: every access exception with its code, ILC, old PSW and TEID, and the control
 * instructions on keys and translation tables. Rules: PoP chapter 3 ("Protection", "Dynamic Address
 * Translation", "Assigned Storage Locations") and chapter 10. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define DATA HARNESS_DATA
#define REGION_TABLE 0x100000u /* region third */
#define SEG_TABLE 0x104000u
#define PAGE_TABLE 0x108000u
#define LOAD "e330 1000 0004"  /* lg 3,0(1) */
#define STORE "e330 1000 0024" /* stg 3,0(1) */
#define PTE(page) (PAGE_TABLE + 8 * (page))
#define FETCHING 0x800u
#define STORING 0x400u
#define LC_TEID 0xa8
#define ASCE_PRIVATE 0x100u
#define DT_REGION_THIRD 4u

static struct cpu_harness h;
static u64 *gr, *cr;

static void facility(unsigned bit, bool on)
{
    u8 *byte = &h.set->facilities[bit / 8], mask = (u8)(0x80 >> bit % 8);
    *byte = (u8)(on ? *byte | mask : *byte & ~mask);
}

static void put(u64 abs, u64 v)
{
    harness_store(&h, abs, 8, v);
    cpu_registers_changed(h.cpu);
}

static u64 at(u64 abs)
{
    return harness_load(&h, abs, 8);
}

/* The first MiB 1:1 by pages, under a region-third and a segment table. */
static void setup(void)
{
    static const u8 more[] = {13, 14, 51, 66, 75, 78, 130, 145, 194};
    harness_init(&h, "z196", 1);
    for (unsigned i = 0; i < sizeof more; i++)
        facility(more[i], true);
    gr = cpu_gr(h.cpu);
    cr = cpu_cr(h.cpu);
    gr[1] = DATA;
    put(REGION_TABLE, SEG_TABLE | DT_REGION_THIRD | 3);
    put(SEG_TABLE, PAGE_TABLE);
    put(SEG_TABLE + 8, 0x20);
    for (unsigned i = 0; i < 256; i++)
        put(PTE(i), (u64)i << 12);
    put(PTE(0x30), 0x400);
    cr[1] = cr[7] = cr[13] = REGION_TABLE | DT_REGION_THIRD;
    cr[0] |= CR0_EDAT;
    cpu_registers_changed(h.cpu);
}

static void teardown(void)
{
    harness_fini(&h);
}

static void psw(u64 extra)
{
    cpu_psw_set(h.cpu, HARNESS_PSW64 | extra, HARNESS_CODE);
}

static int run(const char *hex)
{
    return harness_insn(&h, hex);
}

/* An access with the PSW bits `mask` to `va`: the interruption, where it leaves the old PSW and
 * what the TEID says. */
static void expect(u64 mask, const char *hex, u64 va, int code, bool nullified, u64 teid)
{
    gr[1] = va;
    psw(mask);
    ck_assert_int_eq(run(hex), code);
    if (!code)
        return;
    ck_assert_uint_eq(harness_old_ilc(&h), 6);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + (nullified ? 0 : 6));
    ck_assert_uint_eq(at(LC_TEID), teid);
}

static void control(unsigned r, u64 set, u64 clear)
{
    cr[r] = (cr[r] & ~clear) | set;
    cpu_registers_changed(h.cpu);
}

START_TEST(translation_exceptions)
{
    static const struct {
        u64 va;
        int code;
    } cases[] = {
        {0x30000, PGM_PAGE_TRANSLATION},
        {0x100000, PGM_SEGMENT_TRANSLATION},
        {1ull << 42, PGM_ASCE_TYPE},
        {512ull << 31, PGM_REGION_THIRD},
    };
    u64 page = cases[_i].va & ~0xfffull;
    expect(PSW_DAT, LOAD, cases[_i].va, cases[_i].code, true, page | FETCHING);
    expect(PSW_DAT, STORE, cases[_i].va | 0x18, cases[_i].code, true, page | STORING);
    facility(75, false);
    expect(PSW_DAT, STORE, cases[_i].va, cases[_i].code, true, page);
}
END_TEST

/* The space is told by the PSW; home space by the home mode. */
START_TEST(teid_space)
{
    u64 secondary = (u64)AS_SECONDARY << PSW_AS_SHIFT, home = PSW_AS;
    put(0x10c000, PAGE_TABLE);
    cr[7] = 0x10c000;
    cpu_registers_changed(h.cpu);
    expect(PSW_DAT | secondary, LOAD, 0x30000, PGM_PAGE_TRANSLATION, true,
           0x30000 | FETCHING | 2);
    cr[13] = 0x10c000;
    expect(PSW_DAT | home, LOAD, 0x30000, PGM_PAGE_TRANSLATION, true, 0x30000 | FETCHING | 3);
}
END_TEST

/* The second page of an operand: its address, and nothing of the first has changed. */
START_TEST(crossing)
{
    put(DATA + 0xff8, 0x1122334455667788ull);
    put(PTE(0x21), 0x21000 | 0x200);
    gr[3] = ~0ull;
    expect(PSW_DAT, STORE, DATA + 0xffc, PGM_PROTECTION, false, 0x21000 | STORING | 4);
    ck_assert_uint_eq(at(DATA + 0xff8), 0x1122334455667788ull);
    put(PTE(0x21), 0x400);
    expect(PSW_DAT, STORE, DATA + 0xffc, PGM_PAGE_TRANSLATION, true, 0x21000 | STORING);
    expect(PSW_DAT, LOAD, DATA + 0xffc, PGM_PAGE_TRANSLATION, true, 0x21000 | FETCHING);
    ck_assert_uint_eq(at(DATA + 0xff8), 0x1122334455667788ull);
    ck_assert_uint_eq(gr[3], ~0ull);
}
END_TEST

/* DAT protection: in the page-table entry, the segment-table entry, and with EDAT in a region. */
START_TEST(dat_protection)
{
    static const u64 entry[] = {PTE(0x20), SEG_TABLE, REGION_TABLE};
    put(entry[_i], at(entry[_i]) | 0x200);
    expect(PSW_DAT, STORE, DATA, PGM_PROTECTION, false, DATA | STORING | 4);
    expect(PSW_DAT, LOAD, DATA, 0, false, 0);
    control(0, 0, CR0_EDAT);
    if (_i == 2)
        expect(PSW_DAT, STORE, DATA, 0, false, 0);
    else
        expect(PSW_DAT, STORE, DATA, PGM_PROTECTION, false, DATA | STORING | 4);
}
END_TEST

START_TEST(low_address_protection)
{
    control(0, CR0_LAP, 0);
    expect(0, STORE, 0x1f8, PGM_PROTECTION, false, STORING | 0x80);
    expect(0, STORE, 0x1000, PGM_PROTECTION, false, 0x1000 | STORING | 0x80);
    expect(0, STORE, 0x11ff, PGM_PROTECTION, false, 0x1000 | STORING | 0x80);
    expect(0, STORE, 0xffc, PGM_PROTECTION, false, 0x1000 | STORING | 0x80);
    expect(0, STORE, 0x800, 0, false, 0);
    expect(0, STORE, 0x1200, 0, false, 0);
    expect(0, LOAD, 0, 0, false, 0);
    expect(PSW_DAT, STORE, 0x800, 0, false, 0);
    expect(PSW_DAT, STORE, 0x10, PGM_PROTECTION, false, STORING | 0x80);
    control(1, ASCE_PRIVATE, 0); /* a private space is exempt */
    expect(PSW_DAT, STORE, 0x18, 0, false, 0);
    expect(0, STORE, 0x18, PGM_PROTECTION, false, STORING | 0x80);
}
END_TEST

START_TEST(key_controlled_protection)
{
    u64 key3 = 3ull << PSW_KEY_SHIFT;
    storage_key_set(h.st, DATA, 0x40);
    expect(key3, STORE, DATA, PGM_PROTECTION, false, DATA | STORING | 8);
    expect(key3, LOAD, DATA, 0, false, 0);
    storage_key_set(h.st, DATA, 0x48);
    cpu_registers_changed(h.cpu);
    expect(key3, LOAD, DATA, PGM_PROTECTION, false, DATA | FETCHING | 8);
    expect(PSW_DAT | key3, LOAD, DATA, PGM_PROTECTION, false, DATA | FETCHING | 8);
    storage_key_set(h.st, DATA, 0x98); /* storage-protection override: key 9 is everybody's */
    cpu_registers_changed(h.cpu);
    expect(key3, LOAD, DATA, PGM_PROTECTION, false, DATA | FETCHING | 8);
    control(0, CR0_STORAGE_OVERRIDE, 0);
    expect(key3, LOAD, DATA, 0, false, 0);
    expect(key3, STORE, DATA, 0, false, 0);
}
END_TEST

/* Fetch-protection override: the first 2048 bytes, fetches only, not in a private space. */
START_TEST(fetch_protection_override)
{
    u64 key3 = 3ull << PSW_KEY_SHIFT;
    storage_key_set(h.st, 0, 0x48);
    control(0, CR0_FETCH_OVERRIDE, 0);
    expect(key3, LOAD, 0x700, 0, false, 0);
    expect(key3, LOAD, 0x7f8, 0, false, 0);
    expect(key3, LOAD, 0x800, PGM_PROTECTION, false, FETCHING | 8);
    expect(key3, STORE, 0x700, PGM_PROTECTION, false, STORING | 8);
    expect(PSW_DAT | key3, LOAD, 0x700, 0, false, 0);
    control(1, ASCE_PRIVATE, 0);
    expect(PSW_DAT | key3, LOAD, 0x700, PGM_PROTECTION, false, FETCHING | 8);
}
END_TEST

/* An operand that crosses 2048 is protected behind it, as bytes and as a stretch (MVC, CLC). */
START_TEST(fetch_override_ends)
{
    u64 key3 = 3ull << PSW_KEY_SHIFT;
    storage_key_set(h.st, 0, 0x48);
    storage_key_set(h.st, DATA, 0x30);
    control(0, CR0_FETCH_OVERRIDE, 0);
    expect(key3, LOAD, 0x7fc, PGM_PROTECTION, false, FETCHING | 8);
    gr[1] = DATA;
    gr[2] = 0x7f8;
    cpu_psw_set(h.cpu, HARNESS_PSW64 | key3, HARNESS_CODE);
    ck_assert_int_eq(harness_insn(&h, "d207 1000 2000"), 0);
    ck_assert_int_eq(harness_insn(&h, "d208 1000 2000"), PGM_PROTECTION);
    ck_assert_int_eq(harness_insn(&h, "d508 1000 2000"), PGM_PROTECTION);
}
END_TEST

/* Instructions are fetched up to 2048 and not across or behind it, however one gets there. */
START_TEST(fetch_override_of_instructions)
{
    u64 key3 = 3ull << PSW_KEY_SHIFT;
    storage_key_set(h.st, 0, 0x48);
    control(0, CR0_FETCH_OVERRIDE, 0);
    harness_put(&h, 0x600, "a7f4 0004 0000 0000 a7f4 fffc"); /* back and forth */
    cpu_psw_set(h.cpu, HARNESS_PSW64 | key3, 0x600);
    ck_assert_int_eq(cpu_run(h.cpu, 1000), CPU_EXIT_BUDGET);
    harness_put(&h, 0x7f8, "0700 0700 0700 0700 0700");
    harness_store(&h, 0x1d0, 8, HARNESS_PSW64 | PSW_WAIT);
    cpu_psw_set(h.cpu, HARNESS_PSW64 | key3, 0x7f8);
    ck_assert_int_eq(cpu_run(h.cpu, 1000), CPU_EXIT_DISABLED_WAIT);
    ck_assert_uint_eq(harness_load(&h, 0x8e, 2), PGM_PROTECTION);
    ck_assert_uint_eq(harness_old_addr(&h), 0x802);
    harness_put(&h, 0x7fe, "a718 0001"); /* its second half is behind */
    cpu_psw_set(h.cpu, HARNESS_PSW64 | key3, 0x7f8);
    ck_assert_int_eq(cpu_run(h.cpu, 1000), CPU_EXIT_DISABLED_WAIT);
    ck_assert_uint_eq(harness_load(&h, 0x8e, 2), PGM_PROTECTION);
    ck_assert_uint_eq(harness_old_addr(&h), 0x802);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    harness_put(&h, 0x7f0, "a7f4 0010"); /* a branch over it */
    cpu_psw_set(h.cpu, HARNESS_PSW64 | key3, 0x7f0);
    ck_assert_int_eq(cpu_run(h.cpu, 1000), CPU_EXIT_DISABLED_WAIT);
    ck_assert_uint_eq(harness_load(&h, 0x8e, 2), PGM_PROTECTION);
    control(0, 0, CR0_FETCH_OVERRIDE);
    cpu_psw_set(h.cpu, HARNESS_PSW64 | key3, 0x7f8);
    ck_assert_int_eq(cpu_run(h.cpu, 1000), CPU_EXIT_DISABLED_WAIT);
    ck_assert_uint_eq(harness_old_addr(&h), 0x7fa);
}
END_TEST

/* With and without the facility; the target of EXECUTE is executed as well. */
START_TEST(execution_protection)
{
    put(PTE(0x10), HARNESS_CODE | 0x100);
    psw(PSW_DAT);
    ck_assert_int_eq(run(LOAD), 0);
    control(0, CR0_IEP, 0);
    psw(PSW_DAT);
    ck_assert_int_eq(run(LOAD), PGM_PROTECTION);
    ck_assert_uint_eq(at(LC_TEID), HARNESS_CODE | FETCHING | 0x84);
    put(PTE(0x10), HARNESS_CODE);
    put(PTE(0x20), DATA | 0x100);
    harness_put(&h, DATA, "1834"); /* lr 3,4 */
    gr[1] = DATA;
    psw(PSW_DAT);
    ck_assert_int_eq(run(LOAD), 0); /* as data it is there, and in the TLB */
    ck_assert_int_eq(run("4400 1000"), PGM_PROTECTION);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_uint_eq(at(LC_TEID), DATA | FETCHING | 0x84);
    facility(130, false);
    facility(8, false);
    put(PTE(0x20), DATA | 0x100); /* then bit 55 must be zero */
    psw(PSW_DAT);
    ck_assert_int_eq(run(LOAD), PGM_TRANSLATION_SPEC);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + 6);
}
END_TEST

/* Malformed entries and tables outside storage: before protection, and without nullification. */
START_TEST(table_errors)
{
    static const struct {
        u64 at, entry;
        int code;
    } cases[] = {
        {PTE(0x20), DATA | 0x800, PGM_TRANSLATION_SPEC},
        {SEG_TABLE, PAGE_TABLE | 4, PGM_TRANSLATION_SPEC},
        {REGION_TABLE, SEG_TABLE | 8 | 3, PGM_TRANSLATION_SPEC},
        {SEG_TABLE, HARNESS_STORAGE, PGM_ADDRESSING},
        {REGION_TABLE, HARNESS_STORAGE | DT_REGION_THIRD | 3, PGM_ADDRESSING},
        {PTE(0x20), HARNESS_STORAGE, PGM_ADDRESSING},
        {SEG_TABLE, HARNESS_STORAGE | 0x400, PGM_ADDRESSING},
    };
    gr[1] = DATA;
    put(cases[_i].at, cases[_i].entry);
    psw(0);
    bool frame = _i >= 5; /* outside storage is the frame: LRA does not look at it */
    ck_assert_int_eq(run("e320 1000 0003"), frame ? 0 : cases[_i].code);
    if (cases[_i].at != PTE(0x20))
        return; /* with DAT the instruction would not be found either */
    psw(PSW_DAT);
    ck_assert_int_eq(run(LOAD), cases[_i].code);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + 6);
}
END_TEST

/* A segment frame: protection by the access-control bits of its entry when they are valid. */
START_TEST(segment_frame)
{
    u64 key3 = 3ull << PSW_KEY_SHIFT;
    storage_key_set(h.st, 0x220000, 0x40);
    put(SEG_TABLE + 16, 0x200000 | 0x400);
    expect(PSW_DAT, STORE, 0x220008, 0, false, 0);
    expect(PSW_DAT | key3, STORE, 0x220008, PGM_PROTECTION, false, 0x220000 | STORING | 8);
    put(SEG_TABLE + 16, 0x200000 | 0x400 | 0x10000 | 0x3000); /* AV, ACC 3 */
    expect(PSW_DAT | key3, STORE, 0x220008, 0, false, 0);
    put(SEG_TABLE + 16, 0x200000 | 0x400 | 0x10000 | 0x5800); /* ACC 5, F */
    expect(PSW_DAT | key3, LOAD, 0x220008, PGM_PROTECTION, false, 0x220000 | FETCHING | 8);
    gr[1] = 0x220008;
    psw(PSW_DAT);
    ck_assert_int_eq(run("e501 1000 0030"), 0); /* tprot with key 3 */
    ck_assert_uint_eq(harness_cc(&h), 2);
    put(SEG_TABLE + 16, 0x200000 | 0x400 | 0x200);
    expect(PSW_DAT, STORE, 0x220008, PGM_PROTECTION, false, 0x220000 | STORING | 4);
    control(0, 0, CR0_EDAT); /* then bit 53 is nothing, and a page table is looked for */
    put(0x200000 + 8 * 0x20, DATA);
    expect(PSW_DAT, STORE, 0x220008, PGM_PROTECTION, false, 0x220000 | STORING | 4);
    put(SEG_TABLE + 16, 0x200000 | 0x400);
    gr[3] = 0x77;
    expect(PSW_DAT, STORE, 0x220008, 0, false, 0);
    ck_assert_uint_eq(at(DATA + 8), 0x77);
}
END_TEST

START_TEST(region_frame)
{
    u64 va = 1ull << 31;
    put(REGION_TABLE + 8, 0x400 | DT_REGION_THIRD);
    gr[3] = 0x99;
    expect(PSW_DAT, STORE, va + 0x220010, 0, false, 0);
    ck_assert_uint_eq(at(0x220010), 0x99);
    put(REGION_TABLE + 8, 0x400 | DT_REGION_THIRD | 0x10); /* a common region */
    control(1, ASCE_PRIVATE, 0);
    gr[1] = va;
    psw(0);
    ck_assert_int_eq(run("e320 1000 0003"), PGM_TRANSLATION_SPEC);
    control(1, 0, ASCE_PRIVATE);
    expect(PSW_DAT, LOAD, va + HARNESS_STORAGE, PGM_ADDRESSING, false, at(LC_TEID));
    facility(78, false);
    put(REGION_TABLE + 8, SEG_TABLE | 0x400 | DT_REGION_THIRD | 3);
    expect(PSW_DAT, LOAD, va + 0x20000, 0, false, 0);
}
END_TEST

START_TEST(load_page_entry_address)
{
    facility(3, true);
    gr[5] = 0x20123;
    ck_assert_int_eq(run("b9aa 0045"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(gr[4], PTE(0x20));
    put(REGION_TABLE, at(REGION_TABLE) | 0x200); /* protection on the way */
    ck_assert_int_eq(run("b9aa 0045"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(gr[4], PTE(0x20));
    put(REGION_TABLE, at(REGION_TABLE) & ~0x200ull);
    gr[5] = 0x100000; /* the segment is invalid: its entry */
    ck_assert_int_eq(run("b9aa 0045"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_uint_eq(gr[4], SEG_TABLE + 8);
    put(SEG_TABLE + 8, 0x400 | 0x200); /* a segment frame: its entry, and whether protected */
    ck_assert_int_eq(run("b9aa 0045"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_uint_eq(gr[4], (SEG_TABLE + 8) | 4);
    put(REGION_TABLE + 8, 0x20); /* an invalid region: its entry, and the level */
    gr[5] = 1ull << 31;
    ck_assert_int_eq(run("b9aa 0045"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_uint_eq(gr[4], (REGION_TABLE + 8) | 1);
    gr[5] = 1ull << 42;
    ck_assert_int_eq(run("b9aa 0045"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_uint_eq(gr[4], PGM_ASCE_TYPE);
    ck_assert_int_eq(run("b9aa 0545"), PGM_SPECIFICATION);
    control(1, 0x20, 0);
    ck_assert_int_eq(run("b9aa 0045"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* A range goes on from register to register; the entries behind it stay. */
START_TEST(invalidate_range)
{
    gr[4] = PAGE_TABLE | 0x7ff;
    gr[5] = 0xabcd0040567ull;
    gr[6] = 0x1234567800000002ull;
    ck_assert_int_eq(run("b221 6045"), 0);
    for (unsigned i = 0x40; i < 0x43; i++)
        ck_assert_uint_eq(at(PTE(i)), (u64)i << 12 | 0x400);
    ck_assert_uint_eq(at(PTE(0x43)), 0x43000);
    ck_assert_uint_eq(gr[5], 0xabcd0043567ull);
    ck_assert_uint_eq(gr[6], 0x12345678000000ffull);
    gr[5] = 0xff000; /* the last entry, and the index wraps */
    gr[6] = 0;
    ck_assert_int_eq(run("b221 6045"), 0);
    ck_assert_uint_eq(gr[5], 0);
    gr[5] = 0xff000;
    gr[6] = 1;
    ck_assert_int_eq(run("b221 6045"), PGM_SPECIFICATION);
    facility(13, false); /* then there is no third operand */
    gr[5] = 0x50000;
    gr[6] = 1;
    ck_assert_int_eq(run("b221 6045"), 0);
    ck_assert_uint_eq(at(PTE(0x51)), 0x51000);
    ck_assert_uint_eq(gr[6], 1);
    gr[4] = HARNESS_STORAGE;
    ck_assert_int_eq(run("b221 0045"), PGM_ADDRESSING);
}
END_TEST

START_TEST(invalidate_tables)
{
    put(REGION_TABLE + 8 * 2047, DT_REGION_THIRD);
    gr[4] = REGION_TABLE | DT_REGION_THIRD;
    gr[5] = 2047ull << 31 | 1; /* two entries: the index wraps */
    ck_assert_int_eq(run("b98e 0045"), 0);
    ck_assert_uint_eq(at(REGION_TABLE + 8 * 2047), DT_REGION_THIRD | 0x20);
    ck_assert_uint_eq(at(REGION_TABLE), SEG_TABLE | DT_REGION_THIRD | 3 | 0x20);
    psw(PSW_DAT); /* the instruction cannot be fetched */
    ck_assert_int_eq(run(LOAD), PGM_REGION_THIRD);
    ck_assert_uint_eq(at(LC_TEID), HARNESS_CODE | FETCHING);
    psw(0);
    gr[5] = 0x1000;
    ck_assert_int_eq(run("b98e 0045"), PGM_SPECIFICATION);
    gr[5] = 0x800 | 0x80000;
    ck_assert_int_eq(run("b98e 0045"), PGM_SPECIFICATION);
    control(0, CR0_LAP, 0);
    gr[4] = 0;
    gr[5] = 0;
    ck_assert_int_eq(run("b98e 0045"), PGM_PROTECTION);
    ck_assert_uint_eq(at(LC_TEID), STORING | 0x80);
}
END_TEST

START_TEST(compare_and_replace)
{
    gr[2] = DATA;
    gr[3] = DATA | 0x200;
    gr[4] = PAGE_TABLE | 0x400;
    gr[5] = 0x20abc;
    gr[4] = PAGE_TABLE;
    expect(PSW_DAT, STORE, DATA, 0, false, 0); /* into the TLB */
    gr[3] = DATA | 0x200;
    ck_assert_int_eq(run("b98f 0024"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(at(PTE(0x20)), DATA | 0x200);
    expect(PSW_DAT, STORE, DATA, PGM_PROTECTION, false, DATA | STORING | 4);
    psw(0);
    ck_assert_int_eq(run("b98f 0024"), 0); /* unequal: the entry is shown */
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(gr[2], DATA | 0x200);
    gr[2] = PAGE_TABLE;
    gr[3] = PAGE_TABLE | 0x20;
    gr[4] = SEG_TABLE | 0x10;
    ck_assert_int_eq(run("b98f 0024"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(at(SEG_TABLE), PAGE_TABLE | 0x20);
    gr[4] = SEG_TABLE | 8; /* no such type */
    ck_assert_int_eq(run("b98f 0024"), PGM_SPECIFICATION);
    ck_assert_int_eq(run("b98f 0034"), PGM_SPECIFICATION);
    ck_assert_int_eq(run("b98f 0025"), PGM_SPECIFICATION);
    facility(78, false);
    code_flush(h.cpu);
    ck_assert_int_eq(run("b98f 0024"), PGM_OPERATION);
}
END_TEST

/* Reset DAT protection: a page that could only be fetched from can be stored into at once. */
START_TEST(reset_protection)
{
    put(PTE(0x20), DATA | 0x200);
    expect(PSW_DAT, STORE, DATA, PGM_PROTECTION, false, DATA | STORING | 4);
    psw(0);
    gr[4] = PAGE_TABLE;
    gr[5] = DATA;
    ck_assert_int_eq(run("b98b 0045"), 0);
    ck_assert_uint_eq(at(PTE(0x20)), DATA);
    expect(PSW_DAT, STORE, DATA, 0, false, 0);
    psw(0);
    gr[4] = HARNESS_STORAGE;
    ck_assert_int_eq(run("b98b 0045"), PGM_ADDRESSING);
}
END_TEST

START_TEST(reference_bits)
{
    for (unsigned i = 0; i < 64; i++)
        storage_key_set(h.st, 0x240000 + (u64)i * 4096, i % 3 ? 0x30 : 0x36);
    gr[1] = 0x25f123; /* anywhere in the 64 frames */
    ck_assert_int_eq(run("b9ac 0021"), 0);
    ck_assert_uint_eq(gr[2], 0x9249249249249249ull);
    ck_assert_int_eq(run("b9ae 0021"), 0);
    ck_assert_uint_eq(gr[2], 0x9249249249249249ull);
    ck_assert_uint_eq(storage_key_get(h.st, 0x240000), 0x32);
    ck_assert_int_eq(run("b9ae 0021"), 0);
    ck_assert_uint_eq(gr[2], 0);
    gr[1] = HARNESS_STORAGE;
    ck_assert_int_eq(run("b9ae 0021"), PGM_ADDRESSING);
    gr[1] = 0x25f000; /* resetting is noticed by translations: the next fetch sets it again */
    psw(0);
    ck_assert_int_eq(run(LOAD), 0);
    ck_assert_int_eq(run("b22a 0021"), 0);
    ck_assert_int_eq(run(LOAD), 0);
    ck_assert_uint_eq(storage_key_get(h.st, 0x25f000), 0x34);
    ck_assert_int_eq(run(STORE), 0);
    ck_assert_uint_eq(storage_key_get(h.st, 0x25f000), 0x36);
}
END_TEST

START_TEST(virtual_storage_key)
{
    storage_key_set(h.st, 0x21000, 0x5e);
    gr[1] = 0x21008;
    gr[2] = ~0ull;
    psw(0);
    ck_assert_int_eq(run("b223 0021"), PGM_SPECIAL_OPERATION); /* ivsk wants DAT */
    psw(PSW_DAT);
    ck_assert_int_eq(run("b223 0021"), 0);
    ck_assert_uint_eq(gr[2], 0xffffffffffffff58ull); /* without R and C */
    psw(PSW_DAT | PSW_PROB);
    ck_assert_int_eq(run("b223 0021"), PGM_PRIVILEGED);
    control(0, CR0_EXTRACT_AUTH, 0);
    psw(PSW_DAT | PSW_PROB);
    ck_assert_int_eq(run("b223 0021"), 0);
    gr[1] = 0x30008;
    psw(PSW_DAT);
    ck_assert_int_eq(run("b223 0021"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(at(LC_TEID), 0x30000 | FETCHING);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
}
END_TEST

/* Multiple-block SSKE outside the 64-bit mode keeps what is not address; MR and MC give cc 3. */
START_TEST(keys_to_the_megabyte)
{
    gr[1] = 0xffffffff802fe123ull;
    gr[2] = 0x30;
    cpu_psw_set(h.cpu, HARNESS_PSW31, HARNESS_CODE);
    ck_assert_int_eq(run("b22b 1021"), 0);
    ck_assert_uint_eq(gr[1], 0xffffffff00300123ull);
    ck_assert_uint_eq(storage_key_get(h.st, 0x2fe000), 0x30);
    ck_assert_uint_eq(storage_key_get(h.st, 0x2ff000), 0x30);
    ck_assert_uint_eq(storage_key_get(h.st, 0x300000), 0);
    psw(0);
    gr[1] = 0x2ff000;
    ck_assert_int_eq(run("b22b 7021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    gr[1] = HARNESS_STORAGE;
    ck_assert_int_eq(run("b22b 1021"), PGM_ADDRESSING);
    facility(10, false); /* then MR and MC are not looked at */
    gr[1] = 0x2ff000;
    gr[2] = 0x34;
    ck_assert_int_eq(run("b22b 6021"), 0);
    ck_assert_uint_eq(gr[2], 0x34);
    ck_assert_uint_eq(storage_key_get(h.st, 0x2ff000), 0x34);
}
END_TEST

/* Real addresses are protected like others: STURA, LURA. */
START_TEST(real_storage_protection)
{
    control(0, CR0_LAP, 0);
    gr[1] = 0x1100;
    psw(0);
    ck_assert_int_eq(run("b246 0021"), PGM_PROTECTION);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_uint_eq(at(LC_TEID), 0x1000 | STORING | 0x80);
    gr[1] = HARNESS_STORAGE;
    ck_assert_int_eq(run("b246 0021"), PGM_ADDRESSING);
    gr[1] = DATA;
    storage_key_set(h.st, DATA, 0x48);
    psw(3ull << PSW_KEY_SHIFT);
    ck_assert_int_eq(run("b24b 0021"), PGM_PROTECTION);
    ck_assert_uint_eq(at(LC_TEID), DATA | FETCHING | 8);
    psw(PSW_DAT); /* DAT has no say */
    put(PTE(0x20), 0x400);
    ck_assert_int_eq(run("b246 0021"), 0);
}
END_TEST

START_TEST(test_block)
{
    put(0x220ff8, 1);
    gr[0] = 0x1234;
    gr[1] = 0x220123;
    ck_assert_int_eq(run("b22c 0021"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(gr[0], 0);
    ck_assert_uint_eq(at(0x220ff8), 0);
    gr[1] = HARNESS_STORAGE;
    ck_assert_int_eq(run("b22c 0021"), PGM_ADDRESSING);
    control(0, CR0_LAP, 0);
    gr[1] = 0x1000;
    ck_assert_int_eq(run("b22c 0021"), PGM_PROTECTION);
    ck_assert_uint_eq(at(LC_TEID), 0x1000 | STORING | 0x80);
    psw(PSW_PROB);
    ck_assert_int_eq(run("b22c 0021"), PGM_PRIVILEGED);
}
END_TEST

START_TEST(frame_management)
{
    gr[1] = 0x200000;
    gr[2] = 0x22000 | 0x30; /* 2G at once, megabyte by megabyte */
    ck_assert_int_eq(run("b9af 0021"), 0);
    ck_assert_uint_eq(gr[1], 0x300000);
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_CODE); /* not done yet */
    ck_assert_uint_eq(storage_key_get(h.st, 0x2ff000), 0x30);
    gr[2] = 0x23000;
    ck_assert_int_eq(run("b9af 0021"), PGM_SPECIFICATION);
    gr[2] = 0x20800;
    ck_assert_int_eq(run("b9af 0021"), 0);
    facility(14, false);
    ck_assert_int_eq(run("b9af 0021"), PGM_SPECIFICATION);
    gr[2] = 0x22000;
    cpu_psw_set(h.cpu, 0, HARNESS_CODE); /* 24-bit mode */
    ck_assert_int_eq(run("b9af 0021"), PGM_SPECIFICATION);
    psw(0);
    control(0, CR0_LAP, 0);
    gr[1] = 0;
    gr[2] = 0x10000;
    ck_assert_int_eq(run("b9af 0021"), PGM_PROTECTION);
    gr[1] = 0x3c0000; /* a frame never stored into: changed all the same */
    ck_assert_int_eq(run("b9af 0021"), 0);
    ck_assert_uint_eq(storage_key_get(h.st, 0x3c0000), 6);
    gr[1] = 0x220000; /* MR and MC: nothing but R and C would differ */
    storage_key_set(h.st, 0x220000, 0x36);
    gr[2] = 0x20630;
    ck_assert_int_eq(run("b9af 0021"), 0);
    ck_assert_uint_eq(storage_key_get(h.st, 0x220000), 0x36);
}
END_TEST

/* LOAD REAL ADDRESS outside the 64-bit mode, and STORE REAL ADDRESS. */
START_TEST(real_addresses)
{
    cpu_psw_set(h.cpu, HARNESS_PSW31, HARNESS_CODE);
    gr[1] = 0xffffffff00020123ull;
    gr[2] = ~0ull;
    ck_assert_int_eq(run("b120 1000"), 0);
    ck_assert_uint_eq(gr[2], 0xffffffff00020123ull);
    put(PTE(0x22), 0x100022000ull);
    gr[1] = 0x22000;
    ck_assert_int_eq(run("b120 1000"), PGM_SPECIAL_OPERATION); /* does not fit */
    cpu_psw_set(h.cpu, HARNESS_PSW31, HARNESS_CODE);
    ck_assert_int_eq(run("e320 1000 0003"), 0); /* lrag always has room */
    ck_assert_uint_eq(gr[2], 0x100022000ull);
    psw(PSW_DAT);
    gr[1] = DATA;
    gr[4] = 0x30000;
    ck_assert_int_eq(run("e502 1000 4000"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(at(LC_TEID), 0x30000 | FETCHING);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    psw(PSW_DAT);
    ck_assert_int_eq(run("e502 1004 1008"), PGM_SPECIFICATION);
    psw(0);
    ck_assert_int_eq(run("e502 1000 1008"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* MOVE PAGE names its registers when a page is missing. */
START_TEST(move_page)
{
    gr[2] = 0x30000;
    gr[3] = 0x20000;
    gr[0] = 0;
    psw(PSW_DAT);
    ck_assert_int_eq(run("b254 0023"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(at(LC_TEID), 0x30000 | STORING | 4);
    ck_assert_uint_eq(harness_load(&h, 0xa2, 1), 0x23);
    gr[0] = 0x100;
    psw(PSW_DAT);
    ck_assert_int_eq(run("b254 0023"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_int_eq(run("b254 0032"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    expect(PSW_DAT, LOAD, 0x30000, PGM_PAGE_TRANSLATION, true, 0x30000 | FETCHING);
    ck_assert_uint_eq(harness_load(&h, 0xa2, 1), 0);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_loop_test(t, translation_exceptions, 0, 4);
    tcase_add_test(t, teid_space);
    tcase_add_test(t, crossing);
    tcase_add_loop_test(t, dat_protection, 0, 3);
    tcase_add_test(t, low_address_protection);
    tcase_add_test(t, key_controlled_protection);
    tcase_add_test(t, fetch_protection_override);
    tcase_add_test(t, fetch_override_ends);
    tcase_add_test(t, fetch_override_of_instructions);
    tcase_add_test(t, execution_protection);
    tcase_add_loop_test(t, table_errors, 0, 7);
    tcase_add_test(t, segment_frame);
    tcase_add_test(t, region_frame);
    tcase_add_test(t, load_page_entry_address);
    tcase_add_test(t, invalidate_range);
    tcase_add_test(t, invalidate_tables);
    tcase_add_test(t, compare_and_replace);
    tcase_add_test(t, reset_protection);
    tcase_add_test(t, reference_bits);
    tcase_add_test(t, virtual_storage_key);
    tcase_add_test(t, keys_to_the_megabyte);
    tcase_add_test(t, real_storage_protection);
    tcase_add_test(t, test_block);
    tcase_add_test(t, frame_management);
    tcase_add_test(t, real_addresses);
    tcase_add_test(t, move_page);
}

/* DAT-enhancement facility 2 came with the z9 and has no bit of its own: STFLE shows none. */
START_TEST(lptea_came_with_z9)
{
    static const struct {
        const char *model;
        int rc;
    } models[] = {{"z990", PGM_OPERATION}, {"z9", 0}, {"z16", 0}};
    struct cpu_harness own;
    harness_init(&own, models[_i].model, 1);
    ck_assert_int_eq(harness_insn(&own, "b9aa 2014"), models[_i].rc);
    for (unsigned at = 0; at < FACILITY_BYTES; at += 8)
        harness_store(&own, HARNESS_DATA + at, 8, ~0ull);
    cpu_gr(own.cpu)[1] = HARNESS_DATA;
    cpu_gr(own.cpu)[0] = 255;
    if (harness_insn(&own, "b2b0 1000") == 0) {
        unsigned last = (unsigned)cpu_gr(own.cpu)[0] & 0xff;
        ck_assert_uint_ne(harness_load(&own, HARNESS_DATA + 8 * last, 8), 0);
        for (unsigned at = 0; at < 8 * (last + 1); at++)
            if (at >= FACILITY_OWN / 8)
                ck_assert_uint_eq(harness_load(&own, HARNESS_DATA + at, 1), 0);
    }
    harness_fini(&own);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_storage");
    TCase *t = tcase_create("storage");
    tcase_add_checked_fixture(t, setup, teardown);
    add_tests(t);
    tcase_add_loop_test(t, lptea_came_with_z9, 0, 3);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
