/* The lease of a slot and the record's lock on a disk without locks, one request after the other
 * and with a clock of the test: who holds a slot, takes it, loses it; who is passed over. All
 * interleavings and faults: ssi_lease_sim_test.c. */
#include <check.h>
#include <stdlib.h>

#include "ssi/ssi_lease_internal.h"

static u8 *disk;

static u64 plain_now_ms;

static int plain_read(void *ctx, u64 at, void *data, size_t len, struct cause *cause)
{
    (void)ctx, (void)cause;
    memcpy(data, disk + at, len);
    return ST_OK;
}

static int plain_write(void *ctx, u64 at, const void *data, size_t len, bool durable,
                       struct cause *cause)
{
    (void)ctx, (void)durable, (void)cause;
    memcpy(disk + at, data, len);
    return ST_OK;
}

static u64 plain_random(void *ctx)
{
    static u64 last = 77;
    (void)ctx;
    return last += 0x9e3779b97f4a7c15ull;
}

static int plain_flush(void *ctx, struct cause *cause)
{
    (void)ctx, (void)cause;
    return ST_OK;
}

static u64 plain_now(void *ctx)
{
    (void)ctx;
    return plain_now_ms;
}

static void plain_pause(void *ctx, unsigned ms)
{
    (void)ctx;
    plain_now_ms += ms;
}

static bool plain_gone(void *ctx, const struct ssi_process *process)
{
    (void)ctx, (void)process;
    return false;
}

static struct lease *plain_lease_on(unsigned slot)
{
    const struct lease_disk ops = {NULL,      plain_read,   plain_write, plain_flush,
                                   plain_now, plain_random, plain_pause, plain_gone};
    struct lease *l = calloc(1, sizeof *l);
    lease_init(l, &ops, slot, &(struct ssi_process){.pid = 1, .host_id = slot});
    return l;
}

static struct lease *plain_lease(unsigned slot)
{
    struct lease *l = plain_lease_on(slot);
    ck_assert_int_eq(lease_reconnected(l, false, NULL), ST_OK);
    return l;
}

static void plain_setup(void)
{
    disk = calloc(1, LEASE_BYTES);
    plain_now_ms = 1000;
    struct lease *l = plain_lease_on(0);
    ck_assert_int_eq(lease_format(l, NULL), ST_OK);
    free(l);
}

static void plain_teardown(void)
{
    free(disk);
    disk = NULL;
}

/* Ask until it is had, or refused; `meanwhile` advances every 100 ms, if there is one. */
static int hold(struct lease *l, struct lease *meanwhile)
{
    u8 beat[PDR_BEAT_BYTES] = {0};
    int rc;
    while ((rc = lease_life_hold(l, NULL)) == ST_BUSY) {
        plain_now_ms += 100;
        if (meanwhile)
            ck_assert_int_eq(lease_write(meanwhile, 0, beat, sizeof beat, false, NULL), ST_OK);
    }
    return rc;
}

START_TEST(a_slot_is_its_holders)
{
    struct lease *a = plain_lease(0), *twin = plain_lease(0), *b = plain_lease(1);
    struct cause cause;
    ck_assert_int_eq(hold(a, NULL), ST_OK);
    ck_assert_int_eq(hold(b, NULL), ST_OK);
    ck_assert(lease_life_held(b, 0) && !lease_life_held(b, 2));
    ck_assert_int_eq(hold(twin, a), ST_EXIST);
    ck_assert_int_eq(lease_lock(a, 0, &cause), ST_OK);
    lease_unlock(a);
    lease_life_drop(a);
    ck_assert_int_eq(hold(twin, NULL), ST_OK);
    u64 before = plain_now_ms;
    lease_life_drop(twin);
    ck_assert_int_eq(hold(a, NULL), ST_OK); /* given up: it need not be watched */
    ck_assert_uint_le(plain_now_ms - before, LEASE_CONFIRM_MS + 200);
    free(a);
    free(b);
    free(twin);
}
END_TEST

/* Who is asked for his slot at the moment when he stood still takes it back. */
START_TEST(a_holder_objects)
{
    struct lease *a = plain_lease(0), *twin = plain_lease(0);
    ck_assert_int_eq(hold(a, NULL), ST_OK);
    while (twin->life != LIFE_CONFIRM) {
        ck_assert_int_eq(lease_life_hold(twin, NULL), ST_BUSY);
        plain_now_ms += 100;
    }
    ck_assert_int_eq(lease_lock(a, 10, NULL), ST_OK);
    lease_unlock(a);
    ck_assert_int_eq(hold(twin, NULL), ST_EXIST);
    free(a);
    free(twin);
}
END_TEST

/* ... and who stood still for longer has lost it, and is told. */
START_TEST(a_slot_that_was_taken_is_told)
{
    struct lease *a = plain_lease(0), *twin = plain_lease(0);
    u8 bytes[LEASE_CHUNK_BYTES] = {0};
    struct cause cause;
    ck_assert_int_eq(hold(a, NULL), ST_OK);
    ck_assert_int_eq(lease_lock(a, 0, NULL), ST_OK);
    u64 before = plain_now_ms;
    ck_assert_int_eq(hold(twin, NULL), ST_OK);
    ck_assert_uint_ge(plain_now_ms - before, LEASE_SETTLE_MS + LEASE_CONFIRM_MS);
    ck_assert_int_ne(lease_write(a, PDR_BLOCK_AT(5), bytes, sizeof bytes, true, &cause), ST_OK);
    lease_unlock(a);
    ck_assert_int_eq(lease_lock(a, 0, &cause), ST_LOST);
    ck_assert_int_eq(lease_lock(twin, 0, &cause), ST_OK);
    ck_assert(twin->seals);
    free(a);
    free(twin);
}
END_TEST

/* ... also when it asks whether the slot is still its, in the middle of a session or not; then it
 * writes nothing into it any more. */
START_TEST(a_slot_that_was_taken_is_not_had)
{
    struct lease *a = plain_lease(0), *twin = plain_lease(0);
    u8 before[LEASE_SECTOR_BYTES];
    ck_assert_int_eq(hold(a, NULL), ST_OK);
    ck_assert_int_eq(lease_life_hold(a, NULL), ST_OK);
    if (_i)
        ck_assert_int_eq(lease_lock(a, 0, NULL), ST_OK);
    ck_assert_int_eq(hold(twin, NULL), ST_OK);
    memcpy(before, disk + LEASE_SECTORS_AT, sizeof before);
    ck_assert_int_eq(lease_life_hold(a, NULL), ST_EXIST);
    if (_i)
        lease_unlock(a);
    lease_life_drop(a);
    ck_assert_mem_eq(disk + LEASE_SECTORS_AT, before, sizeof before);
    free(a);
    free(twin);
}
END_TEST

/* ... nor when it ends a session that it knows to be lost: it looks first. */
START_TEST(a_lost_session_ends_without_a_blind_write)
{
    struct lease *a = plain_lease(0), *twin = plain_lease(0);
    u8 before[LEASE_SECTOR_BYTES];
    ck_assert_int_eq(hold(a, NULL), ST_OK);
    ck_assert_int_eq(lease_lock(a, 0, NULL), ST_OK);
    lease_disconnected(a);
    ck_assert_int_eq(hold(twin, NULL), ST_OK);
    memcpy(before, disk + LEASE_SECTORS_AT, sizeof before);
    lease_unlock(a);
    ck_assert_mem_eq(disk + LEASE_SECTORS_AT, before, sizeof before);
    ck_assert_int_eq(lease_lock(a, 0, NULL), ST_LOST);
    free(a);
    free(twin);
}
END_TEST

/* A session that stands still is passed over after LEASE_STILL_MS and not before; what it writes
 * then does not stand, and counts for nothing. */
START_TEST(who_stands_still_is_passed_over)
{
    struct lease *a = plain_lease(0), *b = plain_lease(1);
    u8 bytes[LEASE_CHUNK_BYTES], back[LEASE_CHUNK_BYTES];
    ck_assert_int_eq(hold(a, NULL), ST_OK);
    ck_assert_int_eq(hold(b, NULL), ST_OK);
    ck_assert_int_eq(lease_lock(a, 0, NULL), ST_OK);
    ck_assert_int_eq(lease_lock(b, LEASE_STILL_MS / 2, NULL), ST_BUSY);
    ck_assert_int_eq(lease_lock(b, LEASE_STILL_MS, NULL), ST_OK);
    ck_assert_int_eq(lease_read(b, PDR_BLOCK_AT(7), back, sizeof back, NULL), ST_OK);
    memset(bytes, 0xaa, sizeof bytes);
    ck_assert_int_eq(lease_write(a, PDR_BLOCK_AT(7), bytes, sizeof bytes, true, NULL), ST_IO);
    ck_assert_int_eq(lease_read(b, PDR_BLOCK_AT(7), back, sizeof back, NULL), ST_OK);
    ck_assert_uint_eq(back[0], 0);
    ck_assert_int_eq(lease_write(b, PDR_BLOCK_AT(8), bytes, 100, true, NULL), ST_OK);
    lease_unlock(a);
    lease_unlock(b); /* it has not read all that it had to seal */
    ck_assert_int_eq(lease_lock(a, 0, NULL), ST_OK);
    ck_assert(a->seals);
    ck_assert_int_eq(lease_read(a, PDR_BLOCK_AT(8), back, sizeof back, NULL), ST_OK);
    ck_assert_uint_eq(back[99], 0xaa);
    ck_assert_uint_eq(back[100], 0);
    free(a);
    free(b);
}
END_TEST

START_TEST(nothing_is_written_before_a_doubtful_write_has_come_to_rest)
{
    struct lease *a = plain_lease(0);
    ck_assert_int_eq(hold(a, NULL), ST_OK);
    lease_disconnected(a);
    ck_assert_int_eq(lease_reconnected(a, true, NULL), ST_OK);
    u64 from = plain_now_ms;
    while (lease_lock(a, 0, NULL) == ST_BUSY)
        plain_now_ms += 100;
    ck_assert(a->locked);
    ck_assert_uint_ge(plain_now_ms - from, LEASE_SETTLE_MS);
    free(a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_lease");
    TCase *tc = tcase_create("slot");
    tcase_add_checked_fixture(tc, plain_setup, plain_teardown);
    tcase_add_test(tc, a_slot_is_its_holders);
    tcase_add_test(tc, a_holder_objects);
    tcase_add_test(tc, a_slot_that_was_taken_is_told);
    tcase_add_loop_test(tc, a_slot_that_was_taken_is_not_had, 0, 2);
    tcase_add_test(tc, a_lost_session_ends_without_a_blind_write);
    tcase_add_test(tc, who_stands_still_is_passed_over);
    tcase_add_test(tc, nothing_is_written_before_a_doubtful_write_has_come_to_rest);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
