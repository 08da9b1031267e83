/* The TLB's groups: an entry that was entered is found by every way of dropping it, and a space
 * that is cleared by the groups that were entered into holds nothing afterwards. */
#include <check.h>
#include <stdlib.h>

#include "mem/tlb.h"

#define ASCE 0x5000ull

static struct tlb *tlb;
static u8 host[2 * FRAME_BYTES];

static struct tlb_space *space(u64 asce)
{
    return tlb_space_get(tlb, asce, true, 0, 0, false, NULL, 0);
}

static void enter(struct tlb_entry *e, u64 va, const u8 *at)
{
    e->tag = va;
    e->addend = (u64)(uintptr_t)at - va;
}

static void setup(void)
{
    tlb = calloc(1, sizeof *tlb);
    ck_assert_ptr_nonnull(tlb);
}

static void teardown(void)
{
    free(tlb);
}

/* A new space holds nothing, page 0 included, although its memory is zero. */
START_TEST(new_space_is_empty)
{
    struct tlb_space *sp = space(ASCE);
    for (u64 page = 0; page < TLB_ENTRIES; page++) {
        ck_assert_ptr_null(tlb_fetch(sp, page << FRAME_SHIFT, 1));
        ck_assert_ptr_null(tlb_store(sp, page << FRAME_SHIFT, 1));
        ck_assert_uint_ne(sp->code[tlb_code_index(page << FRAME_SHIFT)].tag,
                          page << FRAME_SHIFT);
    }
    ck_assert_uint_eq(sp->low[0].tag, TLB_NONE);
    ck_assert_ptr_null(tlb_fetch(sp, ~0ull - 3, 8)); /* wraps into page 0 */
    ck_assert_ptr_null(tlb_store(sp, ~0ull - 3, 8));
}
END_TEST

/* Every position of the tables is cleared again. */
START_TEST(clear_finds_every_entry)
{
    struct tlb_space *sp = space(ASCE);
    for (u64 page = 0; page < TLB_ENTRIES; page += 7) {
        u64 va = page << FRAME_SHIFT;
        enter(tlb_fetch_slot(sp, va), va, host);
        enter(tlb_store_slot(sp, va), va, host);
        tlb_code_slot(sp, va)->tag = va;
        ck_assert_ptr_nonnull(tlb_fetch(sp, va, 1));
        ck_assert_ptr_nonnull(tlb_store(sp, va, 1));
        tlb_purge(tlb);
        ck_assert_ptr_eq(space(ASCE), sp);
        ck_assert_ptr_null(tlb_fetch(sp, va, 1));
        ck_assert_ptr_null(tlb_store(sp, va, 1));
        ck_assert_uint_eq(sp->code[tlb_code_index(va)].tag, TLB_NONE);
    }
}
END_TEST

/* Store entries that lead to one frame go in all spaces, others and those for fetching stay. */
START_TEST(stores_into_a_frame_are_dropped)
{
    struct tlb_space *a = space(ASCE), *b = space(ASCE + FRAME_BYTES);
    u64 va = 0x123456000ull, other = va + FRAME_BYTES;
    enter(tlb_store_slot(a, va), va, host);
    enter(tlb_fetch_slot(a, va), va, host);
    enter(tlb_store_slot(a, other), other, host + FRAME_BYTES);
    enter(tlb_store_slot(b, other), other, host);
    tlb_drop_stores(tlb, (u64)(uintptr_t)host);
    ck_assert_ptr_null(tlb_store(a, va, 1));
    ck_assert_ptr_null(tlb_store(b, other, 1));
    ck_assert_ptr_nonnull(tlb_fetch(a, va, 1));
    ck_assert_ptr_nonnull(tlb_store(a, other, 1));
}
END_TEST

/* An entry of a prefixed page serves its page, and is found by the frame it leads to. */
START_TEST(prefixed_page_is_found)
{
    struct tlb_space *sp = space(ASCE);
    u64 va = 0x1000;
    enter(tlb_fetch_slot(sp, va), va, host);
    enter(tlb_store_slot(sp, va), va, host);
    tlb_fetch_slot(sp, va)->tag |= TLB_PREFIXED;
    tlb_store_slot(sp, va)->tag |= TLB_PREFIXED;
    ck_assert_ptr_eq(tlb_fetch(sp, va + 2, 1), host + 2);
    ck_assert_ptr_eq(tlb_store(sp, va + 2, 1), host + 2);
    ck_assert_ptr_null(tlb_fetch(sp, 2, 1));
    tlb_drop_stores(tlb, (u64)(uintptr_t)host);
    ck_assert_ptr_null(tlb_store(sp, va, 1));
    ck_assert_ptr_nonnull(tlb_fetch(sp, va, 1));
}
END_TEST

/* By page index: the same bits 44-51 of any address, in every space and table. */
START_TEST(index_is_dropped_everywhere)
{
    struct tlb_space *a = space(ASCE), *b = space(ASCE + FRAME_BYTES);
    u64 same[] = {0x42000, 0x142000, 0x742000, 0x7fff00042000}, kept = 0x43000;
    enter(tlb_store_slot(b, kept), kept, host);
    for (unsigned i = 0; i < ARRAY_LEN(same); i++) {
        enter(tlb_fetch_slot(a, same[i]), same[i], host);
        enter(tlb_store_slot(b, same[i]), same[i], host);
        tlb_code_slot(b, same[i])->tag = same[i];
        tlb_drop_index(tlb, 0x42000);
        ck_assert_ptr_null(tlb_fetch(a, same[i], 1));
        ck_assert_ptr_null(tlb_store(b, same[i], 1));
        ck_assert_uint_eq(b->code[tlb_code_index(same[i])].tag, TLB_NONE);
    }
    ck_assert_ptr_nonnull(tlb_store(b, kept, 1));
}
END_TEST

/* Code entries that lead to one page go, wherever they stand. */
START_TEST(code_of_a_page_is_dropped)
{
    struct tlb_space *sp = space(ASCE);
    for (u64 i = 0; i < TLB_CODE_ENTRIES; i++) {
        u64 va = i << FRAME_SHIFT;
        *tlb_code_slot(sp, va) = (struct tlb_code_entry){va, host + (i & 1)};
    }
    tlb_drop_code(tlb, host);
    for (u64 i = 0; i < TLB_CODE_ENTRIES; i++)
        ck_assert_uint_eq(sp->code[i].tag, i & 1 ? i << FRAME_SHIFT : TLB_NONE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mem_tlb");
    TCase *t = tcase_create("groups");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, new_space_is_empty);
    tcase_add_test(t, clear_finds_every_entry);
    tcase_add_test(t, stores_into_a_frame_are_dropped);
    tcase_add_test(t, prefixed_page_is_found);
    tcase_add_test(t, index_is_dropped_everywhere);
    tcase_add_test(t, code_of_a_page_is_dropped);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
