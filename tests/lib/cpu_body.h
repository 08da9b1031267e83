/* For unit tests of instruction bodies: one CPU over 1 MiB, real addresses, 64-bit mode, and
 * bodies run one by one by mnemonic, without fetching or decoding. Addresses from 1 MiB on give
 * addressing exceptions, which serves as the page that is missing. */
#ifndef ENDICOTT_TESTS_LIB_CPU_BODY_H
#define ENDICOTT_TESTS_LIB_CPU_BODY_H

#include <check.h>
#include <stdlib.h>

#include "cpu/cpu_internal.h"

#define BODY_STORAGE_BYTES (1ull << 20)

struct body_bench {
    struct storage *st;
    struct cpu_set *set;
    struct cpu *c;
    u64 seed;
};

static inline u64 body_tod(void *ctx)
{
    (void)ctx;
    return 0;
}

static inline void body_wake(void *ctx, unsigned cpu_addr)
{
    (void)ctx;
    (void)cpu_addr;
}

static inline bool body_take_io(void *ctx, u8 isc_mask, struct cpu_io_interruption *out)
{
    (void)ctx;
    (void)isc_mask;
    (void)out;
    return false;
}

/** xorshift64*: repeatable operands. */
static inline u64 body_random(struct body_bench *b)
{
    b->seed ^= b->seed >> 12;
    b->seed ^= b->seed << 25;
    b->seed ^= b->seed >> 27;
    return b->seed * 0x2545f4914f6cdd1dull;
}

static inline u64 body_below(struct body_bench *b, u64 limit)
{
    return (body_random(b) >> 16) % limit;
}

static inline void body_mode(struct body_bench *b, u64 mask)
{
    b->c->psw.mask = mask;
    cpu_mode_changed(b->c);
}

static inline void body_setup(struct body_bench *b)
{
    static const struct cpu_ports ports = {
        .tod = body_tod, .wake = body_wake, .take_io = body_take_io};
    struct cause cause;
    memset(b, 0, sizeof *b);
    b->seed = 0x9e3779b97f4a7c15ull;
    ck_assert_int_eq(storage_create(&b->st, BODY_STORAGE_BYTES, &cause), 0);
    ck_assert_int_eq(
        cpu_set_create(&b->set, b->st, cpu_model_find("max"), 1, &ports, NULL, &cause), 0);
    memset(b->set->facilities, 0xff, sizeof b->set->facilities);
    b->c = cpu_set_get(b->set, 0);
    body_mode(b, PSW_EA | PSW_BA);
}

static inline void body_teardown(struct body_bench *b)
{
    cpu_set_destroy(b->set);
    storage_destroy(b->st);
}

static inline const struct isa_entry *body_find(const char *mnemonic)
{
    static const struct isa_chapter *const chapters[] = {
        &isa_string, &isa_string_long, &isa_string_translate, &isa_plo,
        &isa_cmpsc,  &isa_sort,        &isa_decimal,          &isa_decimal_pack,
    };
    for (unsigned i = 0; i < ARRAY_LEN(chapters); i++)
        for (unsigned k = 0; k < chapters[i]->count; k++)
            if (strcmp(chapters[i]->entries[k].mnemonic, mnemonic) == 0)
                return &chapters[i]->entries[k];
    ck_abort_msg("no instruction %s", mnemonic);
    return NULL;
}

/** Execute until it no longer asks to be executed again. */
static inline int body_run(struct body_bench *b, const char *mnemonic, struct dinsn d)
{
    const struct isa_entry *entry = body_find(mnemonic);
    int rc;
    do
        rc = entry->body(b->c, &d);
    while (rc == CPU_AGAIN);
    return rc;
}

/** The same for those that end with condition code 3 when not finished. */
static inline int body_run_all(struct body_bench *b, const char *mnemonic, struct dinsn d)
{
    int rc;
    do
        rc = body_run(b, mnemonic, d);
    while (rc == 0 && b->c->cc == 3);
    return rc;
}

/** Make the frame at abs look as if it held decoded instructions, or not. */
static inline void body_mark_code(struct body_bench *b, u64 abs, bool code)
{
    atomic_store(&b->st->code[abs >> FRAME_SHIFT], code);
    cpu_purge_tlb(b->c);
}

#endif
