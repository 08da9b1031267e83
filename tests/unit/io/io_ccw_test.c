/* Channel programs: chaining, data areas, length and check conditions, suspend, PCI, sense.
 * Rules from the Principles of Operation chapters 15 and 16. A scripted device answers. */
#include "tests/unit/io/io_fixture.h"

static struct machine m;
static u32 id;
static u8 given[8192]; /* what the device was written */
static size_t given_len;
static u8 supply[8192]; /* what it offers to a read */
static size_t supply_len;
static int next_status;

static int dev_start(void *dev, struct dev_io *io)
{
    (void)dev;
    int us = next_status;
    next_status = DS_NORMAL;
    if (us & DS_UNIT_CHECK)
        return dev_io_unit_check(io, SENSE_EQUIPMENT_CHECK);
    if ((dev_io_command(io) & 3) == 2 || (dev_io_command(io) & 15) == 12)
        dev_io_put(io, supply, supply_len);
    else if ((dev_io_command(io) & 3) == 1)
        given_len += dev_io_get(io, given + given_len, sizeof given - given_len);
    return us;
}

static const struct dev_ops ops = {
    .name = "test",
    .chpid = 0x20,
    .sense_id = {0xff, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc},
    .sense_id_bytes = 7,
    .start = dev_start,
};

static void setup(void)
{
    static int device;
    machine_init(&m);
    ck_assert_int_eq(css_attach(m.css, 0x100, &ops, &device, false, &id, NULL), ST_OK);
    enable(&m, id, 3);
    for (size_t i = 0; i < sizeof supply; i++)
        supply[i] = (u8)(i * 7 + 1);
    supply_len = 100;
    given_len = 0;
    next_status = DS_NORMAL;
}

static void teardown(void)
{
    machine_fini(&m);
}

/** Run the program at 0x1000 and fetch its status. */
static struct irb go(u32 flags)
{
    struct irb irb;
    ck_assert_int_eq(start(&m, id, flags, 0x1000), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    return irb;
}

static void expect(struct irb irb, u8 ds, u8 ss, u32 ccw, u16 count)
{
    ck_assert_uint_eq(irb.ds, ds);
    ck_assert_uint_eq(irb.ss, ss);
    ck_assert_uint_eq(irb.ccw, ccw);
    ck_assert_uint_eq(irb.count, count);
}

static const u8 *at(u32 abs)
{
    return storage_host(m.storage, abs, 1);
}

static void storage_zero(const struct machine *k, u32 abs, u32 len)
{
    memset(storage_host(k->storage, abs, len), 0, len);
}

static void idaw(const struct machine *k, u32 place, u64 addr)
{
    u8 raw[8];
    be64_store(raw, addr);
    ck_assert(storage_write(k->storage, place, raw, sizeof raw));
}

START_TEST(sense_id_both_formats)
{
    ccw1(&m, 0x1000, 0xe4, CCW_SLI, 32, 0x2000);
    expect(go(ORB_F), 0x0c, 0, 0x1008, 25);
    ck_assert_mem_eq(at(0x2000), ops.sense_id, 7);
    ccw0(&m, 0x1000, 0xe4, CCW_SLI, 7, 0x3000);
    expect(go(0), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x3000), ops.sense_id, 7);
}
END_TEST

START_TEST(incorrect_length)
{
    ccw1(&m, 0x1000, 0x02, 0, 120, 0x2000); /* short block */
    expect(go(ORB_F), 0x0c, 0x40, 0x1008, 20);
    ccw1(&m, 0x1000, 0x02, 0, 80, 0x2000); /* long block */
    expect(go(ORB_F), 0x0c, 0x40, 0x1008, 0);
    ccw1(&m, 0x1000, 0x02, CCW_SLI, 80, 0x2000);
    expect(go(ORB_F), 0x0c, 0, 0x1008, 0);
    ccw1(&m, 0x1000, 0x02, 0, 100, 0x2000);
    expect(go(ORB_F), 0x0c, 0, 0x1008, 0);
    ccw1(&m, 0x1000, 0x03, 0, 1, 0); /* immediate, format 1: only in indication mode */
    expect(go(ORB_F), 0x0c, 0x40, 0x1008, 1);
    expect(go(ORB_F | ORB_L), 0x0c, 0, 0x1008, 1);
    ccw1(&m, 0x1000, 0x02, CCW_CC, 120, 0x2000); /* IL suppresses chaining */
    ccw1(&m, 0x1008, 0x03, 0, 1, 0);
    expect(go(ORB_F), 0x0c, 0x40, 0x1008, 20);
}
END_TEST

START_TEST(command_chaining_and_tic)
{
    ccw1(&m, 0x1000, 0x01, CCW_CC, 4, 0x2000);
    ccw1(&m, 0x1008, 0x08, 0, 0, 0x1100);
    ccw1(&m, 0x1100, 0x01, CCW_SLI, 4, 0x2100);
    storage_write(m.storage, 0x2000, "abcd", 4);
    storage_write(m.storage, 0x2100, "efgh", 4);
    expect(go(ORB_F), 0x0c, 0, 0x1108, 0);
    ck_assert_uint_eq(given_len, 8);
    ck_assert_mem_eq(given, "abcdefgh", 8);
    ccw1(&m, 0x1000, 0x08, 0, 0, 0x1100); /* TIC first */
    expect(go(ORB_F), 0, 0x20, 0x1008, 0);
    ccw1(&m, 0x1000, 0x01, CCW_CC, 4, 0x2000); /* TIC to TIC */
    ccw1(&m, 0x1100, 0x08, 0, 0, 0x1000);
    ck_assert_uint_eq(go(ORB_F).ss, 0x20);
    ccw1(&m, 0x1008, 0x08, CCW_SLI, 0, 0x1100); /* flags in a format-1 TIC */
    ck_assert_uint_eq(go(ORB_F).ss, 0x20);
    ccw1(&m, 0x1008, 0x18, 0, 0, 0x1100); /* ones before the code of a format-1 TIC */
    ccw1(&m, 0x1100, 0x01, 0, 4, 0x2100);
    ck_assert_uint_eq(go(ORB_F).ss, 0x20);
    ccw0(&m, 0x1000, 0x01, CCW_CC, 4, 0x2000);
    ccw0(&m, 0x1008, 0x18, CCW_SLI, 7, 0x1100); /* format 0 looks at neither */
    ccw0(&m, 0x1100, 0x01, 0, 4, 0x2100);
    ck_assert_uint_eq(go(0).ss, 0);
}
END_TEST

START_TEST(status_modifier_skips_one)
{
    ccw1(&m, 0x1000, 0x07, CCW_CC | CCW_SLI, 1, 0x2000);
    ccw1(&m, 0x1008, 0x00, 0, 1, 0);
    ccw1(&m, 0x1010, 0x03, CCW_SLI, 1, 0);
    next_status = DS_NORMAL | DS_STATUS_MODIFIER;
    expect(go(ORB_F), 0x0c, 0, 0x1018, 1);
}
END_TEST

START_TEST(data_chaining_and_skip)
{
    memset(storage_host(m.storage, 0x2000, 256), 0xee, 256);
    ccw1(&m, 0x1000, 0x02, CCW_CD, 30, 0x2000);
    ccw1(&m, 0x1008, 0x00, CCW_CD | CCW_SKIP, 20, 0x2040);
    ccw1(&m, 0x1010, 0x00, 0, 50, 0x2080);
    expect(go(ORB_F), 0x0c, 0, 0x1018, 0);
    ck_assert_mem_eq(at(0x2000), supply, 30);
    ck_assert_uint_eq(at(0x201e)[0], 0xee);
    ck_assert_uint_eq(at(0x2040)[0], 0xee);
    ck_assert_mem_eq(at(0x2080), supply + 50, 50);
    ccw1(&m, 0x1000, 0x02, CCW_CD | CCW_SLI, 200, 0x2000); /* CD: IL whatever SLI says */
    expect(go(ORB_F), 0x0c, 0x40, 0x1008, 100);
}
END_TEST

/* The count of a CCW that chains data is exhausted: the next one takes over, and the end is about
 * that, though the device has no more. */
START_TEST(data_chaining_ends_with_the_next)
{
    ccw1(&m, 0x1000, 0x02, CCW_CD, 100, 0x2000);
    ccw1(&m, 0x1008, 0x00, CCW_CD, 0x10, 0x2100);
    expect(go(ORB_F), 0x0c, 0x40, 0x1010, 0x10);
    ccw1(&m, 0x1008, 0x00, CCW_SLI | CCW_CC, 0x10, 0x2100);
    ccw1(&m, 0x1010, 0x03, CCW_SLI, 1, 0);
    expect(go(ORB_F), 0x0c, 0, 0x1018, 1); /* suppressed there: the chain goes on */
    ccw1(&m, 0x1008, 0x00, 0, 0, 0x2100);
    expect(go(ORB_F), 0x0c, 0x20, 0x1010, 0);
    ccw1(&m, 0x1000, 0x01, CCW_CD, sizeof given - 8192 + 8, 0x2000);
    ccw1(&m, 0x1008, 0x00, CCW_PCI, 8184, 0x2100); /* it takes 8192 bytes and no more */
    given_len = 0;
    expect(go(ORB_F), 0x0c, 0x80, 0x1010, 0);
}
END_TEST

/* CCWs are fetched one by one as they come to be executed, whether the ORB allows to prefetch or
 * not: a program may read the CCW that is next. */
START_TEST(programs_that_change_themselves)
{
    for (u32 prefetch = 0; prefetch < 2; prefetch++) {
        ccw1(&m, 0x3000, 0x01, 0, 4, 0x2000);
        memcpy(supply, at(0x3000), 8);
        supply_len = 8;
        given_len = 0;
        ccw1(&m, 0x1000, 0x02, CCW_CC, 8, 0x1008);
        ccw1(&m, 0x1008, 0x00, 0, 0, 0);
        expect(go(ORB_F | (prefetch ? ORB_P : 0)), 0x0c, 0, 0x1010, 0);
        ck_assert_uint_eq(given_len, 4);
    }
}
END_TEST

START_TEST(program_checks)
{
    ccw1(&m, 0x1000, 0x10, 0, 1, 0x2000); /* invalid command */
    expect(go(ORB_F), 0, 0x20, 0x1008, 1);
    ccw0(&m, 0x1000, 0x02, 0, 0, 0x2000); /* zero count, format 0 */
    ck_assert_uint_eq(go(0).ss, 0x20);
    ccw1(&m, 0x1000, 0x02, CCW_SUSPEND, 1, 0x2000); /* suspend without ORB S */
    ck_assert_uint_eq(go(ORB_F).ss, 0x20);
    ccw1(&m, 0x1000, 0x02, CCW_MIDA, 1, 0x2000); /* MIDAW without ORB D */
    ck_assert_uint_eq(go(ORB_F).ss, 0x20);
    ccw1(&m, 0x1000, 0x02, 0, 100, STORAGE_BYTES - 10); /* runs out of storage */
    struct irb irb = go(ORB_F);
    ck_assert_uint_eq(irb.ss, 0x20);
    ck_assert_uint_eq(irb.scsw0 & 0x1f, 0x17); /* alert too */
    struct irb odd;
    ck_assert_int_eq(start(&m, id, ORB_F, 0x1004), 0);
    ck_assert_int_eq(tsch(&m, id, &odd), 0);
    ck_assert_uint_eq(odd.ss, 0x20);
}
END_TEST

START_TEST(protection_check_by_key)
{
    storage_key_set(m.storage, 0x3000, 0x20);
    storage_key_set(m.storage, 0x1000, 0x10);
    ccw1(&m, 0x1000, 0x02, 0, 100, 0x2ff0);
    storage_key_set(m.storage, 0x2000, 0x10);
    struct irb irb = go(0x10000000 | ORB_F); /* key 1 */
    ck_assert_uint_eq(irb.ss, 0x10);
    ck_assert_uint_eq(irb.count, 84);
    ck_assert_mem_eq(at(0x2ff0), supply, 16);
    ck_assert_uint_eq(at(0x3000)[0], 0);
    ccw1(&m, 0x1000, 0x01, 0, 16, 0x3000); /* fetch is allowed without F */
    ck_assert_uint_eq(go(0x10000000 | ORB_F).ss, 0);
    storage_key_set(m.storage, 0x3000, 0x28);
    ck_assert_uint_eq(go(0x10000000 | ORB_F).ss, 0x10);
    ck_assert_uint_eq(go(ORB_F).ss, 0); /* key 0 */
}
END_TEST

START_TEST(idaw_formats)
{
    u8 list[32] = {0};
    supply_len = 4096;
    be32_store(list, 0x20700);
    be32_store(list + 4, 0x30800);
    be32_store(list + 8, 0x40000);
    storage_write(m.storage, 0x5000, list, sizeof list);
    ccw1(&m, 0x1000, 0x02, CCW_IDA | CCW_SLI, 2500, 0x5000);
    expect(go(ORB_F), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x20700), supply, 256);
    ck_assert_mem_eq(at(0x30800), supply + 256, 2048);
    ck_assert_mem_eq(at(0x40000), supply + 2304, 196);
    be64_store(list, 0x50f00);
    be64_store(list + 8, 0x61000);
    storage_write(m.storage, 0x5000, list, sizeof list);
    ccw1(&m, 0x1000, 0x02, CCW_IDA, 4096, 0x5000);
    expect(go(ORB_F | ORB_H), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x50f00), supply, 256);
    ck_assert_mem_eq(at(0x61000), supply + 256, 3840);
    be64_store(list + 8, 0x61010); /* not on a block boundary */
    storage_write(m.storage, 0x5000, list, sizeof list);
    expect(go(ORB_F | ORB_H), 0x0c, 0x20, 0x1008, 3840);
}
END_TEST

START_TEST(midaw_list)
{
    u8 list[48] = {0};
    be16_store(list + 6, 40);
    be64_store(list + 8, 0x20ff0 - 24);
    list[16 + 5] = 0x40; /* skip */
    be16_store(list + 16 + 6, 10);
    list[32 + 5] = 0x80; /* last */
    be16_store(list + 32 + 6, 50);
    be64_store(list + 32 + 8, 0x30000);
    storage_write(m.storage, 0x5000, list, sizeof list);
    ccw1(&m, 0x1000, 0x02, CCW_MIDA, 100, 0x5000);
    expect(go(ORB_F | ORB_D), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x20ff0 - 24), supply, 40);
    ck_assert_mem_eq(at(0x30000), supply + 50, 50);
    storage_write(m.storage, 0x5fe0, list, sizeof list); /* so does the list, before its last */
    ccw1(&m, 0x1000, 0x02, CCW_MIDA, 100, 0x5fe0);
    expect(go(ORB_F | ORB_D), 0x0c, 0x20, 0x1008, 50);
    ccw1(&m, 0x1000, 0x02, CCW_MIDA, 100, 0x5000);
    be64_store(list + 8, 0x20ff0); /* crosses 4K */
    storage_write(m.storage, 0x5000, list, sizeof list);
    ck_assert_uint_eq(go(ORB_F | ORB_D).ss, 0x20);
}
END_TEST

/* READ BACKWARD: what the tape gives last lies lowest; the CCW, and each one chained to it,
 * names the highest byte of its area; with SKIP nothing is stored but addresses are counted all
 * the same. */
START_TEST(read_backward)
{
    storage_zero(&m, 0x2000, 0x2000);
    ccw1(&m, 0x1000, 0x0c, 0, 100, 0x2063);
    expect(go(ORB_F), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x2000), supply, 100);
    ck_assert_uint_eq(*at(0x2064), 0);

    storage_zero(&m, 0x2000, 0x2000);
    ccw0(&m, 0x1000, 0xfc, 0, 100, 0x3010); /* over a frame's boundary, with modifier bits */
    expect(go(0), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x3011 - 100), supply, 100);

    storage_zero(&m, 0x2000, 0x2000);
    ccw1(&m, 0x1000, 0x0c, CCW_CD, 30, 0x2100);
    ccw1(&m, 0x1008, 0x00, CCW_CD | CCW_SKIP, 20, 0x2200);
    ccw1(&m, 0x1010, 0x00, CCW_SLI, 60, 0x2300);
    expect(go(ORB_F), 0x0c, 0, 0x1018, 10);
    ck_assert_mem_eq(at(0x2101 - 30), supply + 70, 30);
    ck_assert_uint_eq(*at(0x2200), 0);
    ck_assert_mem_eq(at(0x2301 - 50), supply, 50);
    ck_assert_uint_eq(*at(0x2301 - 51), 0);

    ccw1(&m, 0x1000, 0x0c, 0, 60, 0x2063); /* the block is longer */
    expect(go(ORB_F), 0x0c, 0x40, 0x1008, 0);
    ck_assert_mem_eq(at(0x2064 - 60), supply + 40, 60);
}
END_TEST

/* IDAWs: the first may point anywhere, each other one to the last byte of its block. */
START_TEST(read_backward_idaw)
{
    supply_len = 5000;
    storage_zero(&m, 0x4000, 0x4000);
    idaw(&m, 0x3000, 0x4010);
    idaw(&m, 0x3008, 0x6fff);
    idaw(&m, 0x3010, 0x5fff);
    ccw1(&m, 0x1000, 0x0c, CCW_IDA, 5000, 0x3000);
    expect(go(ORB_F | ORB_H), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x4000), supply + 5000 - 17, 17);
    ck_assert_mem_eq(at(0x6000), supply + 5000 - 17 - 4096, 4096);
    ck_assert_mem_eq(at(0x6000 - 887), supply, 887);
    ck_assert_uint_eq(*at(0x6000 - 888), 0);

    idaw(&m, 0x3008, 0x6000); /* the first byte of a block: where reading forward begins */
    expect(go(ORB_F | ORB_H), 0x0c, 0x20, 0x1008, 5000 - 17);

    supply_len = 3000; /* format 2 with blocks of 2K, then format 1 */
    idaw(&m, 0x3000, 0x4bb7);
    idaw(&m, 0x3008, 0x57ff);
    ccw1(&m, 0x1000, 0x0c, CCW_IDA, 3000, 0x3000);
    expect(go(ORB_F | ORB_H | ORB_T), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x4800), supply + 3000 - 0x3b8, 0x3b8);
    ck_assert_mem_eq(at(0x5800 - 2048), supply, 2048);
    u8 raw[8];
    be32_store(raw, 0x4bb7);
    be32_store(raw + 4, 0x5fff);
    storage_write(m.storage, 0x3000, raw, 8);
    expect(go(ORB_F), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x6000 - 2048), supply, 2048);
}
END_TEST

START_TEST(read_backward_midaw)
{
    u8 raw[32] = {0};
    supply_len = 150;
    storage_zero(&m, 0x4000, 0x2000);
    be16_store(raw + 6, 100);
    be64_store(raw + 8, 0x4063);
    raw[16 + 5] = 0x80;
    be16_store(raw + 16 + 6, 50);
    be64_store(raw + 16 + 8, 0x5031);
    storage_write(m.storage, 0x3000, raw, 32);
    ccw1(&m, 0x1000, 0x0c, CCW_MIDA, 150, 0x3000);
    expect(go(ORB_F | ORB_D), 0x0c, 0, 0x1008, 0);
    ck_assert_mem_eq(at(0x4000), supply + 50, 100);
    ck_assert_mem_eq(at(0x5000), supply, 50);
    be64_store(raw + 8, 0x4062); /* 100 bytes down from there cross a boundary of 4K */
    storage_write(m.storage, 0x3000, raw, 32);
    expect(go(ORB_F | ORB_D), 0x0c, 0x20, 0x1008, 150);
}
END_TEST

/* Addresses that are none: below zero, beyond what the format has, outside the limit. */
START_TEST(addresses_that_are_none)
{
    ccw1(&m, 0x1000, 0x0c, 0, 100, 0x20);
    expect(go(ORB_F), 0x0c, 0x20, 0x1008, 100 - 0x21);
    ck_assert_mem_eq(at(0), supply + 100 - 0x21, 0x21);
    ccw0(&m, 0x1000, 0x02, 0, 100, 0xfffff0);
    expect(go(0), 0x0c, 0x20, 0x1008, 100 - 16);
    u8 schib[SCHIB_BYTES];
    ck_assert_int_eq(css_sal(m.css, 0x10000), 0);
    ck_assert_int_eq(css_stsch(m.css, id, schib), 0);
    schib[5] |= PMCW_LM_ABOVE;
    ck_assert_int_eq(css_msch(m.css, id, schib), 0);
    ccw1(&m, 0x1000, 0x0c, 0, 100, 0x10063);
    expect(go(ORB_F | ORB_A), 0x0c, 0, 0x1008, 0);
    ccw1(&m, 0x1000, 0x0c, 0, 100, 0x10062);
    expect(go(ORB_F | ORB_A), 0x0c, 0x20, 0x1008, 1);
}
END_TEST

START_TEST(unit_check_concurrent_and_basic_sense)
{
    ccw1(&m, 0x1000, 0x02, CCW_SLI | CCW_CC, 10, 0x2000);
    ccw1(&m, 0x1008, 0x03, CCW_SLI, 1, 0);
    next_status = DS_UNIT_CHECK;
    struct irb irb = go(ORB_F);
    expect(irb, 0x0e, 0, 0x1008, 10);
    ck_assert_uint_eq(irb.scsw0 & 0x0002001f, 0x00020017); /* E; alert primary secondary */
    ck_assert_uint_eq(be16_load(irb.raw + 16), 0x0101);    /* ERW: S, count 1 */
    ck_assert_uint_eq(irb.raw[32], SENSE_EQUIPMENT_CHECK);
    u8 schib[SCHIB_BYTES];
    css_stsch(m.css, id, schib);
    schib[27] = 0; /* without concurrent sense */
    ck_assert_int_eq(css_msch(m.css, id, schib), 0);
    next_status = DS_UNIT_CHECK;
    irb = go(ORB_F);
    ck_assert_uint_eq(be16_load(irb.raw + 16), 0);
    ccw1(&m, 0x1000, 0x04, CCW_SLI, 32, 0x2000);
    expect(go(ORB_F), 0x0c, 0, 0x1008, 0);
    ck_assert_uint_eq(at(0x2000)[0], SENSE_EQUIPMENT_CHECK);
    go(ORB_F);
    ck_assert_uint_eq(at(0x2000)[0], 0); /* sense is given once */
}
END_TEST

START_TEST(suspend_resume_and_pci)
{
    struct irb irb;
    ccw1(&m, 0x1000, 0x01, CCW_CC | CCW_PCI, 4, 0x2000);
    ccw1(&m, 0x1008, 0x01, CCW_SUSPEND, 4, 0x2000);
    ck_assert_int_eq(css_rsch(m.css, id), 2);
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_S, 0x1000), 0);
    ck_assert_int_eq(css_activity(m.css, id), CSS_SUSPENDED);
    ck_assert_int_eq(css_rsch(m.css, id), 1);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & 0x7fff, 0x4029); /* start suspended intermediate pending */
    ck_assert_uint_eq(irb.ss, 0x80);
    ck_assert_uint_eq(irb.ccw, 0x1010);
    ck_assert_uint_eq(given_len, 4);
    ccw1(&m, 0x1008, 0x01, 0, 4, 0x2000);
    ck_assert_int_eq(css_rsch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    expect(irb, 0x0c, 0, 0x1010, 0);
    ck_assert_uint_eq(given_len, 8);
    ccw1(&m, 0x1000, 0x01, CCW_SUSPEND, 4, 0x2000); /* halted while suspended */
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_S | ORB_U, 0x1000), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    ck_assert_int_eq(css_hsch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & 0x7fff, 0x6005);
    ck_assert_int_eq(start(&m, id, ORB_F, 0x1000), 0);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_ccw");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, sense_id_both_formats);
    tcase_add_test(tc, incorrect_length);
    tcase_add_test(tc, command_chaining_and_tic);
    tcase_add_test(tc, status_modifier_skips_one);
    tcase_add_test(tc, data_chaining_and_skip);
    tcase_add_test(tc, data_chaining_ends_with_the_next);
    tcase_add_test(tc, programs_that_change_themselves);
    tcase_add_test(tc, program_checks);
    tcase_add_test(tc, protection_check_by_key);
    tcase_add_test(tc, idaw_formats);
    tcase_add_test(tc, midaw_list);
    tcase_add_test(tc, read_backward);
    tcase_add_test(tc, read_backward_idaw);
    tcase_add_test(tc, read_backward_midaw);
    tcase_add_test(tc, addresses_that_are_none);
    tcase_add_test(tc, unit_check_concurrent_and_basic_sense);
    tcase_add_test(tc, suspend_resume_and_pci);
    return run_suite(suite);
}
