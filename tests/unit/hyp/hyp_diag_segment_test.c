/* Saved segments as a guest's program meets them: DIAGNOSE X'64', what may be stored into them, the
 * ends of addresses, other codes whose operands lie in them.
 * Run alone: tests/run unit/hyp_diag_segment_test */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/segment/segment.h"
#include "io/css_internal.h"
#include "io/ebcdic.h"
#include "tests/lib/diag_machine.h"

#define SEGMENT_AT 0x10000000ull /* behind storage */
#define SEGMENT_BYTES 0x3000ull
#define NAME_AT DATA_AT

static void define(const char *name, u64 start, u32 type)
{
    struct cause cause = {0};
    struct vm_segment seg = {.ranges = 1};
    strcpy(seg.name, name);
    seg.range[0].start = start;
    seg.range[0].end = start + SEGMENT_BYTES - 1;
    seg.range[0].type = type;
    ck_assert_int_eq(vm_host_ops()->segment_define(host, &seg, &cause), ST_OK);
}

/* Saved with each page full of its number, out of a machine that has the storage. */
static void segment_saved(const char *name, u64 start, u32 type)
{
    struct cause cause = {0};
    struct storage *st;
    define(name, start, type);
    ck_assert_int_eq(
        storage_create(&st, (start + SEGMENT_BYTES + 0xfffff) & ~0xfffffull, &cause), ST_OK);
    for (unsigned i = 0; i < SEGMENT_BYTES / FRAME_BYTES; i++) {
        char page[FRAME_BYTES];
        memset(page, '1' + (int)i, sizeof page);
        ck_assert(storage_write(st, start + (u64)i * FRAME_BYTES, page, sizeof page));
    }
    ck_assert_int_eq(segment_save(host->segments, name, st, NULL, &cause), ST_OK);
    storage_destroy(st);
}

static char segment_folder[] = "/tmp/hyp_diag_segments.XXXXXX";

static void setup_segments(void)
{
    ck_assert_ptr_nonnull(mkdtemp(segment_folder));
    setup();
    segments_destroy(host->segments);
    host->segments = segments_create(segment_folder);
}

static void teardown_segments(void)
{
    const char *const names[] = {"ONE", "TWO"};
    for (unsigned i = 0; i < 2; i++)
        segment_forget(host->segments, names[i]);
    teardown();
    ck_assert_int_eq(rmdir(segment_folder), 0);
}

/* A function for a segment; what was loaded stays so, though IPL has purged it. */
static unsigned segment_call(u32 function, const char *name)
{
    u8 raw[8];
    struct cause cause = {0};
    struct vm_loaded had[2] = {vm->segment[0], vm->segment[1]};
    load(0x64);
    for (unsigned i = 0; i < 2; i++)
        if (had[i].seg.ranges)
            vm_segment_load(vm, had[i].seg.name, had[i].exclusive, &cause);
    ebcdic_pad(name, sizeof raw, raw);
    put(NAME_AT, raw, sizeof raw);
    *gr(RX) = NAME_AT;
    *gr(RY) = function;
    return run();
}

START_TEST(segments_found_loaded_purged)
{
    segment_saved("ONE", SEGMENT_AT, SEG_SR);
    ck_assert_uint_eq(segment_call(0x2c, "NONE"), 2);
    ck_assert_uint_eq(*gr(RY), 44);
    ck_assert_uint_eq(segment_call(0x20, "NONE"), 2);
    ck_assert_uint_eq(segment_call(0x08, "NONE"), 2);
    ck_assert_uint_eq(segment_call(0x2c, "ONE"), 1); /* not loaded */
    ck_assert_uint_eq(*gr(RX), SEGMENT_AT);
    ck_assert_uint_eq(*gr(RY), SEGMENT_AT + SEGMENT_BYTES - 1);
    ck_assert_uint_eq(segment_call(0x08, "ONE"), 1);
    ck_assert(!storage_holds(vm_storage(vm), SEGMENT_AT, 1));
    ck_assert_uint_eq(segment_call(0x20, "ONE"), 0);
    ck_assert_uint_eq(*gr(RX), SEGMENT_AT);
    ck_assert_uint_eq(*got(SEGMENT_AT + 0x2fff), '3');
    ck_assert(!storage_holds(vm_storage(vm), SEGMENT_AT + 0x2fff, 2));
    ck_assert_uint_eq(segment_call(0x2c, "ONE"), 0);
    ck_assert_uint_eq(segment_call(0x08, "ONE"), 0);
    ck_assert(!storage_holds(vm_storage(vm), SEGMENT_AT, 1));
    ck_assert_uint_eq(segment_call(0x30, "ONE"), PGM(SPECIFICATION));
}
END_TEST

/* SEGEXT as Linux asks it. */
START_TEST(segment_extents)
{
    u8 query[24] = {0x0c};
    segment_saved("ONE", SEGMENT_AT, SEG_ER);
    load(0x64);
    ebcdic_pad("ONE", 8, query + 8);
    be32_store(query + 16, ENTRIES_AT);
    be16_store(query + 20, 120);
    put(DATA_AT, query, sizeof query);
    *gr(RX) = DATA_AT;
    *gr(RY) = 0x38;
    ck_assert_uint_eq(run(), 1);
    ck_assert_uint_eq(be64_load(got(ENTRIES_AT)), SEGMENT_AT);
    ck_assert_uint_eq(be64_load(got(ENTRIES_AT + 8)), SEGMENT_AT + SEGMENT_BYTES - 1);
    ck_assert_uint_eq(be32_load(got(ENTRIES_AT + 16)), 1);
    ck_assert_uint_eq(be64_load(got(ENTRIES_AT + 24)), SEGMENT_AT | SEG_ER);
    ck_assert_uint_eq(be64_load(got(ENTRIES_AT + 32)), SEGMENT_AT + SEGMENT_BYTES - 1);
}
END_TEST

/* MVI 0(2),C'x' into a segment that was loaded like that: is it stored, and does a second load, or
 * the file, show it? */
static unsigned store_into(u32 type, bool exclusive)
{
    static const u8 mvi[] = {0x92, 'x', 0x20, 0x00};
    struct cause cause = {0};
    segment_saved("ONE", SEGMENT_AT, type);
    load(0x64);
    put(CODE_AT, mvi, sizeof mvi);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", exclusive, &cause), ST_OK);
    *gr(RX) = SEGMENT_AT;
    return run();
}

START_TEST(what_may_be_stored)
{
    struct cause cause = {0};
    ck_assert_uint_eq(store_into(SEG_SR, false), 0x100 + 4); /* protection */
    ck_assert_uint_eq(*got(SEGMENT_AT), '1');
    ck_assert(!storage_write(vm_storage(vm), SEGMENT_AT, "y", 1));
    ck_assert_uint_eq(store_into(SEG_SR, true), 0);
    ck_assert_uint_eq(*got(SEGMENT_AT), 'x');
    ck_assert_int_eq(vm_segment_load(vm, "ONE", true, &cause), ST_OK); /* its copy is gone */
    ck_assert_uint_eq(*got(SEGMENT_AT), '1');
    ck_assert_uint_eq(store_into(SEG_EW, false), 0);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", false, &cause), ST_OK);
    ck_assert_uint_eq(*got(SEGMENT_AT), '1');
    ck_assert_uint_eq(store_into(SEG_EN, false), 0);
    ck_assert_uint_eq(*got(SEGMENT_AT + 1), 0); /* no data was saved */
}
END_TEST

static unsigned alone(u64 start, bool loadnshr)
{
    struct cause cause = {0};
    struct vm_segment seg = {.ranges = 1, .loadnshr = loadnshr};
    strcpy(seg.name, "TWO");
    seg.range[0].start = start;
    seg.range[0].end = start + SEGMENT_BYTES - 1;
    ck_assert_int_eq(vm_host_ops()->segment_define(host, &seg, &cause), ST_OK);
    ck_assert_int_eq(segment_save(host->segments, "TWO", vm_storage(vm), NULL, &cause), ST_OK);
    ck_assert(segment_find(host->segments, "TWO")->loadnshr == loadnshr);
    return segment_call(0x24, "TWO");
}

/* LOADNSR is for segments within the machine's storage, those with LOADNSHR, and by NAMESAVE. */
START_TEST(who_may_have_it_alone)
{
    ck_assert_uint_eq(alone(SEGMENT_AT, false), 2);
    ck_assert_uint_eq((u32)*gr(RY), 8);
    ck_assert_uint_eq(segment_call(0x20, "TWO"), 0);
    ck_assert_uint_eq(alone(0x300000, false), 1);
    ck_assert_uint_eq(alone(SEGMENT_AT, true), 0);
    ck_assert_uint_eq(alone(SEGMENT_AT, false), 2);
    strcpy(vm->config.namesave[vm->config.namesaves++], "TWO");
    ck_assert_uint_eq(alone(SEGMENT_AT, false), 0);
}
END_TEST

static int member(const char *name, const char *space, u64 start, u32 type)
{
    struct cause cause = {0};
    struct vm_segment seg = {.ranges = 1};
    strcpy(seg.name, name);
    strcpy(seg.space, space);
    seg.range[0].start = start;
    seg.range[0].end = start + SEGMENT_BYTES - 1;
    seg.range[0].type = type;
    return vm_host_ops()->segment_define(host, &seg, &cause);
}

/* Members of a space lie beside one another, of one kind in a megabyte. */
START_TEST(members_of_a_space)
{
    ck_assert_int_eq(member("ONE", "ALL", 0x1000000, SEG_SR), ST_OK);
    ck_assert_int_eq(member("TWO", "ALL", 0x1002000, SEG_SR), ST_INVAL);
    ck_assert_int_eq(member("TWO", "ALL", 0x1003000, SEG_ER), ST_INVAL);
    ck_assert_int_eq(member("TWO", "MORE", 0x1002000, SEG_SR), ST_OK);
    ck_assert_int_eq(member("TWO", "", 0x1002000, SEG_SR), ST_OK);
    ck_assert_int_eq(member("TWO", "ALL", 0x1100000, SEG_ER), ST_OK);
    ck_assert_int_eq(member("TWO", "ALL", 0x1003000, SEG_SN), ST_OK);
    ck_assert_int_eq(member("ONE", "ALL", 0x1000000, SEG_SW), ST_OK); /* itself anew */
    ck_assert_int_eq(member("ALL", "", 0x2000000, SEG_SR), ST_INVAL);
    ck_assert_int_eq(member("NEW", "TWO", 0x2000000, SEG_SR), ST_INVAL);
    ck_assert_int_eq(member("NEW", "NEW", 0x2000000, SEG_SR), ST_INVAL);
    ck_assert_str_eq(segment_defined(host->segments, "TWO")->space, "ALL");
    ck_assert_int_eq(
        segment_save(host->segments, "TWO", vm_storage(vm), NULL, &(struct cause){0}), ST_OK);
    segments_destroy(host->segments);
    host->segments = segments_create(segment_folder);
    ck_assert_str_eq(segment_find(host->segments, "TWO")->space, "ALL");
}
END_TEST

/* SW: what one stores another sees; with the last that has it, it is as saved again. */
START_TEST(shared_and_writable)
{
    struct cause cause = {0};
    struct storage *other;
    ck_assert_int_eq(storage_create_reach(&other, STORAGE_BYTES, VM_SEGMENT_REACH, &cause),
                     ST_OK);
    ck_assert_uint_eq(store_into(SEG_SW, false), 0);
    ck_assert_int_eq(segment_load(host->segments, "ONE", false, other, &cause), ST_OK);
    ck_assert_uint_eq(*storage_host(other, SEGMENT_AT, 1), 'x');
    ck_assert_uint_eq(*storage_host(other, SEGMENT_AT + 1, 1), '1');
    segment_unload(host->segments, segment_find(host->segments, "ONE"), false, other);
    ck_assert(!storage_holds(other, SEGMENT_AT, 1));
    vm_system_reset(vm, true);
    ck_assert(!storage_holds(vm_storage(vm), SEGMENT_AT, 1));
    ck_assert_int_eq(segment_load(host->segments, "ONE", false, other, &cause), ST_OK);
    ck_assert_uint_eq(*storage_host(other, SEGMENT_AT, 1), '1');
    segment_unload(host->segments, segment_find(host->segments, "ONE"), false, other);
    storage_destroy(other);
}
END_TEST

/* Two in the same place are refused; one within storage is there and leaves zeros; saved ones are
 * there for a store that is opened again, definitions are not. */
START_TEST(segments_in_the_way)
{
    struct cause cause = {0};
    segment_saved("ONE", SEGMENT_AT, SEG_SR);
    segment_saved("TWO", SEGMENT_AT + 0x2000, SEG_SR);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", false, &cause), ST_OK);
    ck_assert_int_eq(vm_segment_load(vm, "TWO", false, &cause), ST_EXIST);
    ck_assert(vm_segment_purge(vm, "ONE"));
    segment_saved("ONE", 0x200000, SEG_SR);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", false, &cause), ST_OK);
    ck_assert_uint_eq(*got(0x201000), '2');
    storage_release(vm_storage(vm), 0x201000, FRAME_BYTES); /* not the guest's to change */
    ck_assert_uint_eq(*got(0x201000), '2');
    ck_assert(vm_segment_purge(vm, "ONE"));
    ck_assert_uint_eq(*got(0x201000), 0);
    define("TWO", 0x300000, SEG_EW);
    segments_destroy(host->segments);
    host->segments = segments_create(segment_folder);
    ck_assert_uint_eq(segment_find(host->segments, "ONE")->range[0].start, 0x200000);
    ck_assert_uint_eq(segment_find(host->segments, "TWO")->range[0].start, SEGMENT_AT + 0x2000);
}
END_TEST

/* The last bytes of all addresses are not in a segment. */
START_TEST(addresses_end)
{
    struct cause cause = {0};
    segment_saved("ONE", SEGMENT_AT, SEG_EW);
    load(0x224);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", false, &cause), ST_OK);
    ck_assert(!storage_holds(vm_storage(vm), ~0ull, 1));
    ck_assert(!storage_holds(vm_storage(vm), -(u64)FRAME_BYTES, FRAME_BYTES));
    ck_assert(!storage_holds(vm_storage(vm), SEGMENT_AT, -SEGMENT_AT));
    ck_assert(storage_holds(vm_storage(vm), SEGMENT_AT, SEGMENT_BYTES));
    *gr(RX) = 0;
    *gr(RY) = -(u64)FRAME_BYTES;
    ck_assert_uint_eq(run(), PGM(ADDRESSING));
}
END_TEST

static unsigned release_loaded(u64 first, u64 last)
{
    struct cause cause = {0};
    load(0x10);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", false, &cause), ST_OK);
    *gr(RX) = first;
    *gr(RY) = last;
    return run();
}

/* X'10': pages behind storage, of a segment that the guest may store into and of one it may not. */
START_TEST(released_in_segments)
{
    segment_saved("ONE", SEGMENT_AT, SEG_EW);
    ck_assert_uint_eq(release_loaded(SEGMENT_AT + FRAME_BYTES, SEGMENT_AT + FRAME_BYTES), 0);
    ck_assert_uint_eq(*got(SEGMENT_AT), '1');
    ck_assert_uint_eq(*got(SEGMENT_AT + FRAME_BYTES), 0);
    ck_assert_uint_eq(*got(SEGMENT_AT + 2 * FRAME_BYTES), '3');
    segment_saved("ONE", SEGMENT_AT, SEG_SR);
    ck_assert_uint_eq(release_loaded(SEGMENT_AT, SEGMENT_AT + FRAME_BYTES), 0);
    ck_assert_uint_eq(*got(SEGMENT_AT + FRAME_BYTES), '2');
}
END_TEST

/* What CP would store into a segment that the guest may not store into is refused as one. */
START_TEST(answers_into_protected_segments)
{
    struct cause cause = {0};
    segment_saved("ONE", SEGMENT_AT, SEG_SR);
    load(0x0c);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", false, &cause), ST_OK);
    *gr(RX) = SEGMENT_AT;
    ck_assert_uint_eq(run(), PGM(ADDRESSING));
    ck_assert_uint_eq(*got(SEGMENT_AT), '1');
}
END_TEST

static int ends, last_status;

static void save_done(void *ctx, int status, const struct cause *cause)
{
    (void)ctx, (void)cause;
    ends++;
    last_status = status;
}

/* Not out of a machine on its way to another member, whose devices stay quiet. */
START_TEST(not_saved_while_quiesced)
{
    struct cause cause = {0};
    load(0x44);
    define("ONE", 0x200000, SEG_SR);
    ck_assert(vm_quiesce(vm));
    ck_assert_int_eq(vm_host_ops()->segment_save(vm, "ONE", false, save_done, NULL, &cause),
                     ST_BUSY);
    ck_assert(vm->css->quiesced);
    vm_unquiesce(vm);
    ck_assert(!vm->css->quiesced);
}
END_TEST

/* What a CPU asks of its segments waits while another is saved out of the same storage: nothing is
 * taken away under the thread that writes. */
START_TEST(asked_while_one_is_saved)
{
    u8 raw[8];
    struct cause cause = {0};
    segment_saved("ONE", SEGMENT_AT, SEG_SR);
    define("TWO", 0x200000, SEG_SR);
    load(0x64);
    ck_assert_int_eq(vm_segment_load(vm, "ONE", false, &cause), ST_OK);
    ebcdic_pad("ONE", sizeof raw, raw);
    put(NAME_AT, raw, sizeof raw);
    *gr(RX) = NAME_AT;
    *gr(RY) = 0x08;     /* PURGESEG */
    while (!note_count) /* it is asked, and not answered */
        vm_host_run(host);
    ends = 0;
    ck_assert_int_eq(vm_host_ops()->segment_save(vm, "TWO", false, save_done, NULL, &cause),
                     ST_OK);
    ck_assert(!vm_quiesce(vm));
    run_notes(); /* the question: put off, or answered when all was written */
    ck_assert(ends || vm_segment_loaded(vm, "ONE"));
    while (!ends) {
        ck_assert_ptr_nonnull(vm_segment_loaded(vm, "ONE"));
        run_notes();
    }
    ck_assert_int_eq(last_status, ST_OK);
    ck_assert_uint_eq(run(), 0);
    ck_assert_ptr_null(vm_segment_loaded(vm, "ONE"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_diag_segment");
    TCase *tc = tcase_create("segments");
    tcase_add_checked_fixture(tc, setup_segments, teardown_segments);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, segments_found_loaded_purged);
    tcase_add_test(tc, segment_extents);
    tcase_add_test(tc, what_may_be_stored);
    tcase_add_test(tc, who_may_have_it_alone);
    tcase_add_test(tc, members_of_a_space);
    tcase_add_test(tc, shared_and_writable);
    tcase_add_test(tc, segments_in_the_way);
    tcase_add_test(tc, addresses_end);
    tcase_add_test(tc, released_in_segments);
    tcase_add_test(tc, answers_into_protected_segments);
    tcase_add_test(tc, not_saved_while_quiesced);
    tcase_add_test(tc, asked_while_one_is_saved);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
