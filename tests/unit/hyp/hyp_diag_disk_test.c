/* DIAGNOSE X'18' and X'A4': disks read and written while the CPU waits, and every way in which a
 * request is refused before anything moves. Run alone: tests/run unit/hyp_diag_disk_test */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/diag_disks.h"

#define BUFFER_AT 0x8000
#define PAIRS_AT 0x3000
#define CCWS_AT 0x5000
#define ARGUMENT_AT 0x5100
#define BLOCK_BYTES 4096
#define HOW(cc, code) ((unsigned)(cc) << 8 | (code))

static u8 kept[3 * BLOCK_BYTES];

/* ---- X'A4' ---- */

struct pair {
    u32 block, at;
};

static unsigned blocks(u16 devno, u8 request, u8 key, u32 bytes, const struct pair *pair,
                       u32 count)
{
    u8 list[88] = {0}, pairs[8 * 4] = {0};
    be16_store(list, devno);
    list[2] = key;
    list[3] = request;
    be32_store(list + 4, bytes);
    be32_store(list + 8, PAIRS_AT);
    be32_store(list + 12, count);
    for (u32 i = 0; i < (count > 3 ? 1 : count); i++) { /* of 501 there is one */
        be32_store(pairs + 8 * i, pair[i].block);
        be32_store(pairs + 8 * i + 4, pair[i].at);
    }
    load(0xa4);
    put(DATA_AT, list, sizeof list);
    put(PAIRS_AT, pairs, sizeof pairs);
    put(BUFFER_AT, kept, sizeof kept);
    *gr(RX) = DATA_AT;
    *gr(15) = 0;
    unsigned cc = run();
    memcpy(kept, got(BUFFER_AT), sizeof kept);
    return cc << 8 | (u8)*gr(15);
}

/* What is written comes back, over the end of a track; _i: which disk. */
START_TEST(blocks_written_and_read)
{
    u16 devno = _i ? FBA : ECKD;
    const struct pair out[] = {
        {12, BUFFER_AT}, {13, BUFFER_AT + 4096}, {100, BUFFER_AT + 8192}};
    const struct pair in[] = {{100, BUFFER_AT}, {12, BUFFER_AT + 4096}, {13, BUFFER_AT + 8192}};
    for (unsigned i = 0; i < 3; i++)
        memset(kept + (size_t)i * BLOCK_BYTES, 'a' + (int)i, BLOCK_BYTES);
    ck_assert_uint_eq(blocks(devno, 1, 0, BLOCK_BYTES, out, 3), 0);
    ck_assert_uint_eq(be32_load(got(DATA_AT + 16)), 3);
    ck_assert_uint_eq(*got(DATA_AT + 20), 0x0c);
    memset(kept, 0, sizeof kept);
    ck_assert_uint_eq(blocks(devno, 2, 0, BLOCK_BYTES, in, 3), 0);
    ck_assert_uint_eq(kept[0], 'c');
    ck_assert_uint_eq(kept[4096], 'a');
    ck_assert_uint_eq(kept[8192 + 4095], 'b');
}
END_TEST

/* The first that fails ends it: how many have moved is told. */
START_TEST(a_block_that_fails_ends_it)
{
    const struct pair list[] = {{5, BUFFER_AT}, {361, BUFFER_AT}, {6, BUFFER_AT + 4096}};
    memset(kept, 'x', sizeof kept);
    ck_assert_uint_eq(blocks(ECKD, 1, 0, BLOCK_BYTES, list, 3), HOW(1, 4));
    ck_assert_uint_eq(be32_load(got(DATA_AT + 16)), 1);
    memset(kept, 0, sizeof kept);
    const struct pair back[] = {{5, BUFFER_AT}, {6, BUFFER_AT + 4096}};
    ck_assert_uint_eq(blocks(ECKD, 2, 0, BLOCK_BYTES, back, 2), 0);
    ck_assert_uint_eq(kept[0], 'x');
    ck_assert_uint_eq(kept[4096], 0); /* behind the one that failed */
}
END_TEST

START_TEST(blocks_that_cannot_be)
{
    const struct pair one[] = {{5, BUFFER_AT}}, zero[] = {{0, BUFFER_AT}},
                      outside[] = {{5, STORAGE_BYTES - 512}};
    ck_assert_uint_eq(blocks(0x999, 2, 0, BLOCK_BYTES, one, 1), HOW(1, 1));
    ck_assert_uint_eq(blocks(9, 2, 0, BLOCK_BYTES, one, 1), HOW(1, 2));
    ck_assert_uint_eq(blocks(ECKD, 2, 0, BLOCK_BYTES, zero, 1), HOW(1, 4));
    ck_assert_uint_eq(blocks(ECKD, 2, 0, 513, one, 1), HOW(2, 9));
    ck_assert_uint_eq(blocks(ECKD, 2, 0, BLOCK_BYTES, outside, 1), HOW(2, 10));
    ck_assert_uint_eq(blocks(ECKD, 2, 0, BLOCK_BYTES, one, 0), HOW(2, 11));
    ck_assert_uint_eq(blocks(ECKD, 2, 0, BLOCK_BYTES, one, 501), HOW(2, 11));
    ck_assert_uint_eq(blocks(ECKD, 2, 0x50, BLOCK_BYTES, one, 1), HOW(3, 13));
    ck_assert_uint_eq(*got(DATA_AT + 21), 0x10);                     /* protection */
    ck_assert_uint_eq(blocks(ECKD, 2, 0, 1024, one, 1), HOW(3, 13)); /* records have 4096 */
    ck_assert_uint_eq(blocks(ECKD, 3, 0, BLOCK_BYTES, one, 1) >> 8, PGM(SPECIFICATION));
    ck_assert_uint_eq(blocks(ECKD, 2, 0x01, BLOCK_BYTES, one, 1) >> 8, PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0xa4, DATA_AT + 4, 0, 0, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0xa4, STORAGE_BYTES, 0, 0, 0), PGM(ADDRESSING));
}
END_TEST

/* A disk that others have written to is not written through a device that may only read. */
START_TEST(a_read_only_disk_is_not_written)
{
    const struct pair one[] = {{5, BUFFER_AT}};
    teardown();
    reopen_read_only(0);
    setup();
    ck_assert_uint_eq(blocks(ECKD, 1, 0, BLOCK_BYTES, one, 1), HOW(1, 3));
    ck_assert_uint_eq(blocks(ECKD, 2, 0, BLOCK_BYTES, one, 1), 0);
}
END_TEST

/* ---- X'18' ---- */

static u8 program[16 * 8], argument[6];
static u32 ccws, prefix;

static void ccw(u8 command, u32 at, u8 flags, u16 count)
{
    u8 *p = program + 8 * ccws++;
    be32_store(p, (u32)command << 24 | at);
    be32_store(p + 4, (u32)flags << 24 | count);
}

/* SEEK, SEARCH, TIC, and a read or write of a record of the track. */
static void move(u8 command, u16 cylinder, u16 head, u16 count)
{
    be16_store(argument, 0);
    be16_store(argument + 2, cylinder);
    be16_store(argument + 4, head);
    ccw(0x07, ARGUMENT_AT, CCW_CC, 6);
    ccw(0x31, ARGUMENT_AT + 2, CCW_CC, 5);
    ccw(0x08, CCWS_AT + 8 * (ccws - 1), 0, 0);
    ccw(command, BUFFER_AT, CCW_SLI, count);
}

static unsigned standard(u16 devno, u64 at, u32 moves, u8 record)
{
    load(0x18);
    put(CCWS_AT, program, sizeof program);
    put(ARGUMENT_AT, argument, sizeof argument);
    put(ARGUMENT_AT + 6, &record, 1);
    put(BUFFER_AT, kept, sizeof kept);
    put(prefix, got(0), prefix ? 2 * FRAME_BYTES : 0);
    vm->vcpu[0].cpu->prefix = prefix;
    cpu_registers_changed(vm->vcpu[0].cpu);
    *gr(RX) = devno;
    *gr(RY) = at;
    *gr(15) = moves;
    unsigned cc = run();
    memcpy(kept, got(BUFFER_AT), sizeof kept);
    ccws = 0;
    return cc << 8 | (cc ? (u8)*gr(15) : 0);
}

/* A record written by X'18' is the block that X'A4' reads: 12 records of a track. */
START_TEST(records_written_and_read)
{
    const struct pair in[] = {{15 * 12 + 12 + 3, BUFFER_AT}};
    memset(kept, 'r', BLOCK_BYTES);
    move(0x05, 1, 1, BLOCK_BYTES);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 3), 0);
    memset(kept, 0, sizeof kept);
    ck_assert_uint_eq(blocks(ECKD, 2, 0, BLOCK_BYTES, in, 1), 0);
    ck_assert_uint_eq(kept[4095], 'r');
    memset(kept, 0, sizeof kept);
    move(0x06, 1, 1, 800);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 3), 0);
    ck_assert_uint_eq(kept[799], 'r');
    ck_assert_uint_eq(kept[800], 0);
    ck_assert_uint_eq(css_pending(vm->css), 0); /* no interruption */
}
END_TEST

START_TEST(records_that_cannot_be)
{
    move(0x06, 0, 1, 100);
    ck_assert_uint_eq(standard(0x999, CCWS_AT, 1, 1), HOW(1, 1));
    move(0x06, 0, 1, 100);
    ck_assert_uint_eq(standard(FBA, CCWS_AT, 1, 1), HOW(1, 2));
    move(0x06, 2, 1, 100); /* there are two cylinders */
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(1, 4));
    move(0x06, 0, 1, 100);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT + 4, 1, 1), HOW(2, 5));
    ccw(0x07, STORAGE_BYTES, CCW_CC, 6);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 6));
    move(0x86, 0, 1, 100);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 7));
    move(0x06, 0, 1, 0);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 8));
    move(0x06, 0, 1, 4097);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 9));
    move(0x06, 0, 1, 100);
    be32_store(program + 24, 0x06u << 24 | (STORAGE_BYTES - 50));
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 10));
    for (u32 moves = 0; moves <= 16; moves += 2) {
        move(0x06, 0, 1, 100);
        ck_assert_uint_eq(standard(ECKD, CCWS_AT, moves, 1), HOW(2, 11));
    }
    move(0x06, 0, 1, 100); /* no such record */
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 77), HOW(3, 13));
}
END_TEST

/* The channel subsystem takes absolute addresses: real ones that are others are refused. */
START_TEST(addresses_that_prefixing_moves)
{
    prefix = 0x20000;
    move(0x06, 0, 1, 100);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), 0);
    move(0x06, 0, 1, 100);
    be32_store(program + 24, 0x06u << 24 | (prefix - 99));
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 10));
    move(0x06, 0, 1, 100);
    be32_store(program + 24, 0x06u << 24 | 0x1fff);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 10));
    move(0x06, 0, 1, 100);
    be32_store(program, 0x07u << 24 | (prefix + 0x100));
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(2, 6));
    move(0x06, 0, 1, 100);
    ck_assert_uint_eq(standard(ECKD, prefix + 0x1000, 1, 1), HOW(2, 7));
    prefix = 0;
}
END_TEST

/* Behind a first seek the head may change, not the cylinder. */
START_TEST(another_head_of_the_cylinder)
{
    const u8 other[6] = {0, 0, 0, 1, 0, 2};
    move(0x06, 0, 1, 100);
    program[28] = CCW_CC | CCW_SLI;
    ccw(0x1b, ARGUMENT_AT + 16, CCW_CC, 6);
    ccw(0x31, ARGUMENT_AT + 2, CCW_CC, 5);
    ccw(0x08, CCWS_AT + 8 * 5, 0, 0);
    ccw(0x06, BUFFER_AT, CCW_SLI, 100);
    load(0x18);
    put(CCWS_AT, program, sizeof program);
    put(ARGUMENT_AT, argument, sizeof argument);
    put(ARGUMENT_AT + 16, other, sizeof other);
    *gr(RX) = ECKD;
    *gr(RY) = CCWS_AT;
    *gr(15) = 2;
    ck_assert_uint_eq(run(), 2);
    ck_assert_uint_eq((u8)*gr(15), 12);
}
END_TEST

START_TEST(a_read_only_disk_is_not_written_to)
{
    teardown();
    reopen_read_only(0);
    setup();
    move(0x05, 0, 1, 100);
    ck_assert_uint_eq(standard(ECKD, CCWS_AT, 1, 1), HOW(1, 3));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_diag_disk");
    TCase *tc = tcase_create("disks");
    tcase_add_checked_fixture(tc, setup_disks, teardown_disks);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, blocks_written_and_read, 0, 2);
    tcase_add_test(tc, a_block_that_fails_ends_it);
    tcase_add_test(tc, blocks_that_cannot_be);
    tcase_add_test(tc, a_read_only_disk_is_not_written);
    tcase_add_test(tc, records_written_and_read);
    tcase_add_test(tc, records_that_cannot_be);
    tcase_add_test(tc, addresses_that_prefixing_moves);
    tcase_add_test(tc, another_head_of_the_cylinder);
    tcase_add_test(tc, a_read_only_disk_is_not_written_to);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
