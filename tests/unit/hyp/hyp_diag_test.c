/* DIAGNOSE codes of hyp/diag.def, one program each: every row is tried, the refused ones too, those
 * for other privilege classes without the class. What X'08', 14, 204, 2FC and 308 answer needs more
 * than a machine alone: scenario/cp_small, cp_diag14, s390_tools, cp_reboot.
 * Run alone: tests/run unit/hyp_diag_test */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/diag/diag_block_internal.h"
#include "hyp/directory.h"
#include "io/css_internal.h"
#include "io/ebcdic.h"
#include "tests/lib/diag_disks.h"

/* ---- all rows ---- */

#define CLASSES_MAX 8
static const struct {
    u16 code;
    const char *classes;
    diag_handler *handler;
} rows[] = {
#define D(code, where, classes, handler, title, here) {code, classes, handler},
#include "hyp/diag.def"
#undef D
};

/* A code that is refused is a specification exception, as one that has no row. */
START_TEST(refused_codes_are_specification_exceptions)
{
    unsigned refused = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].handler != diag_refused)
            continue;
        refused++;
        ck_assert_msg(diag(rows[i].code, 0, 0, 0, 0) == PGM(SPECIFICATION), "X'%X'",
                      rows[i].code);
    }
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_eq(diag(0x0030, 0, 0, 0, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x0500, 0, 0, 0, 0), PGM(SPECIFICATION));
}
END_TEST

/* A code for certain privilege classes is a privileged operation for a guest of class H alone, and
 * something else for one that has any of the classes. */
START_TEST(classes_are_asked_for)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool any = *rows[i].classes == '*';
        vm->config.privclass = CP_CLASS('H');
        ck_assert_msg((diag(rows[i].code, 0xf1, 0xf1, 0xf1, 0) == PGM(PRIVILEGED)) == !any,
                      "X'%X'", rows[i].code);
        for (const char *p = rows[i].classes; !any && *p; p++) {
            vm->config.privclass = CP_CLASS(*p);
            ck_assert_msg(diag(rows[i].code, 0xf1, 0xf1, 0xf1, 0) != PGM(PRIVILEGED),
                          "X'%X' %c", rows[i].code, *p);
        }
    }
}
END_TEST

/* The table is in the order of the codes, none is there twice, and those of the list are there. */
START_TEST(rows_are_in_order)
{
    for (size_t i = 1; i < ARRAY_LEN(rows); i++)
        ck_assert_uint_lt(rows[i - 1].code, rows[i].code);
}
END_TEST

/* ---- X'00', 24, 210, 44, 9C ---- */

START_TEST(identification)
{
    ck_assert_uint_eq(diag(0x00, DATA_AT, 0, 40, 0), 0);
    char text[64];
    text[ebcdic_to_utf8(EBCDIC_037, got(DATA_AT + 16), 8, text)] = 0;
    ck_assert_str_eq(text, "TESTER  ");
    ck_assert_uint_eq(*gr(RY), 0);
    ck_assert_uint_eq(diag(0x00, STORAGE_BYTES, 0, 40, 0), PGM(ADDRESSING));
}
END_TEST

START_TEST(device_types)
{
    ck_assert_uint_eq(diag(0x24, 0xffffffff, 0, 0, 0), 2);
    ck_assert_uint_eq(*gr(RX), 9);
    ck_assert_uint_eq(*gr(RY) >> 24, 0x80); /* a 3215 */
    ck_assert_uint_eq(diag(0x24, 0x999, 0, 0, 0), 3);
    u8 block[24] = {0, 9, 0, 24};
    put(DATA_AT, block, sizeof block);
    ck_assert_uint_eq(diag(0x210, DATA_AT, 0, 0, 0), PGM(SPECIFICATION)); /* cleared by IPL */
}
END_TEST

START_TEST(yielding_goes_on)
{
    ck_assert_uint_eq(diag(0x44, 0, 0, 0, 0), 0);
    ck_assert_uint_eq(diag(0x9c, 0, 0, 0, 0), 0);
}
END_TEST

/* ---- X'10' ---- */

/* The program is loaded first, then storage is filled. */
static unsigned release(u64 first, u64 last)
{
    u8 page[FRAME_BYTES];
    memset(page, FILL, sizeof page);
    load(0x10);
    for (u64 at = 0x10000; at < 0x18000; at += sizeof page) {
        put(at, page, sizeof page);
        storage_key_set(vm_storage(vm), at, 0x30);
    }
    *gr(RX) = first;
    *gr(RY) = last;
    return run();
}

/* Released pages are zeros, those beside them what they were; keys stay; relocations hear of it. */
START_TEST(released_pages_are_zeros)
{
    u64 changed[STORAGE_BYTES / FRAME_BYTES / 64] = {0};
    ck_assert_uint_eq(release(0x12000, 0x15000), 0);
    ck_assert_uint_eq(*got(0x11fff), FILL);
    ck_assert_uint_eq(*got(0x16000), FILL);
    for (u64 at = 0x12000; at < 0x16000; at++)
        ck_assert_uint_eq(*got(at), 0);
    ck_assert_uint_eq(storage_key_get(vm_storage(vm), 0x13000) & ~(SKEY_R | SKEY_C), 0x30);
    storage_epoch(vm_storage(vm), changed);
    load(0x10);
    put(0x13000, "x", 1);
    memset(changed, 0, sizeof changed);
    storage_epoch(vm_storage(vm), changed);
    memset(changed, 0, sizeof changed);
    *gr(RX) = *gr(RY) = 0x13000;
    ck_assert_uint_eq(run(), 0);
    storage_epoch(vm_storage(vm), changed);
    ck_assert(changed[0] >> 0x13 & 1);
    ck_assert(!(changed[0] >> 0x14 & 1));
}
END_TEST

START_TEST(release_of_what_cannot_be)
{
    ck_assert_uint_eq(release(0x12001, 0x15000), PGM(SPECIFICATION));
    ck_assert_uint_eq(release(0x12000, 0x15004), PGM(SPECIFICATION));
    ck_assert_uint_eq(release(0x15000, 0x12000), PGM(SPECIFICATION));
    ck_assert_uint_eq(release(0x1000, 0x12000), PGM(SPECIFICATION));
    ck_assert_uint_eq(release(0x12000, STORAGE_BYTES), PGM(ADDRESSING));
    ck_assert_uint_eq(release(0x12000, ~0xfffull), PGM(ADDRESSING));
    ck_assert_uint_eq(*got(0x12000), FILL);
}
END_TEST

/* What the host has to keep is less by what was given back. */
START_TEST(released_pages_cost_nothing)
{
    const u64 at = 1u << 20, len = 2u << 20;
    load(0x10);
    memset(storage_host(vm_storage(vm), at, len), FILL, len);
    storage_mark_frame(vm_storage(vm), at);
    u64 before = vm_resident_bytes(vm);
    *gr(RX) = at;
    *gr(RY) = at + len - FRAME_BYTES;
    ck_assert_uint_eq(run(), 0);
    ck_assert_uint_le(vm_resident_bytes(vm) + len, before);
}
END_TEST

/* ---- X'60', 260 ---- */

START_TEST(storage_sizes)
{
    ck_assert_uint_eq(diag(0x60, 1, 1, 1, 1), 0);
    ck_assert_uint_eq(*gr(RX), STORAGE_BYTES);
    ck_assert_uint_eq(diag(0x260, 0, 0, 0xc, 0), 0);
    ck_assert_uint_eq(*gr(RX), STORAGE_BYTES - 1);
    ck_assert_uint_eq(*gr(RY), STORAGE_BYTES - 1);
    ck_assert_uint_eq(diag(0x260, DATA_AT, 64, 0x10, 0), 0);
    ck_assert_uint_eq(*gr(RY), 1);
    ck_assert_uint_eq(be64_load(got(DATA_AT)), 0);
    ck_assert_uint_eq(be64_load(got(DATA_AT + 8)), STORAGE_BYTES - 1);
    ck_assert_uint_eq(diag(0x260, DATA_AT, 8, 0x10, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x260, DATA_AT, 0, 0x10, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x260, DATA_AT + 8, 64, 0x10, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x260, STORAGE_BYTES, 64, 0x10, 0), PGM(ADDRESSING));
    ck_assert_uint_eq(diag(0x260, 0, 0, 0x5, 0), PGM(SPECIFICATION));
}
END_TEST

/* ---- X'258' ---- */

struct reference {
    u16 code, function, words, version;
    u64 token, select, compare, mark;
};
static const struct reference token = {0x258,  0,          5,          2,
                                       0x1000, 1ull << 48, 1ull << 48, 1ull << 63};
static const struct reference no_token = {0x258, 1, 5, 2, 0, 0, 0, 0};

static unsigned reference(const struct reference *r)
{
    u8 block[40];
    be16_store(block, r->code);
    be16_store(block + 2, r->function);
    be16_store(block + 4, r->words);
    be16_store(block + 6, r->version);
    be64_store(block + 8, r->token);
    be64_store(block + 16, r->select);
    be64_store(block + 24, r->compare);
    be64_store(block + 32, r->mark);
    struct pfault kept = vm->vcpu[0].pfault;
    load(0x258);
    vm->vcpu[0].pfault = kept; /* IPL has reset it */
    put(DATA_AT, block, sizeof block);
    *gr(RX) = DATA_AT;
    *gr(RY) = 99;
    return run();
}

/* A token is set once, cancelled once, and what is wrong with the block is told. */
START_TEST(tokens)
{
    ck_assert_uint_eq(reference(&no_token), 0);
    ck_assert_uint_eq(*gr(RY), 4);
    ck_assert_uint_eq(reference(&token), 0);
    ck_assert_uint_eq(*gr(RY), 0);
    ck_assert_uint_eq(vm->vcpu[0].pfault.token_at, 0x1000);
    ck_assert_uint_eq(reference(&token), 0);
    ck_assert_uint_eq(*gr(RY), 8);
    ck_assert_uint_eq(reference(&no_token), 0);
    ck_assert_uint_eq(*gr(RY), 0);
    ck_assert(!vm->vcpu[0].pfault.set);
}
END_TEST

START_TEST(tokens_that_are_wrong)
{
    struct reference r;
#define WRONG(base, member, value, what)                                                       \
    r = base;                                                                                  \
    r.member = value;                                                                          \
    ck_assert_uint_eq(reference(&r), PGM(what))
    WRONG(token, code, 0x259, SPECIFICATION);
    WRONG(token, function, 2, SPECIFICATION);
    WRONG(token, words, 4, SPECIFICATION);
    WRONG(token, version, 1, SPECIFICATION);
    WRONG(token, token, 0x1004, SPECIFICATION);
    WRONG(token, compare, 1, SPECIFICATION);
    WRONG(token, mark, 0, SPECIFICATION);
    WRONG(token, token, STORAGE_BYTES, ADDRESSING);
    WRONG(no_token, token, 8, SPECIFICATION);
    WRONG(no_token, mark, 1, SPECIFICATION);
    ck_assert_uint_eq(diag(0x258, DATA_AT + 4, 0, 0, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x258, STORAGE_BYTES, 0, 0, 0), PGM(ADDRESSING));
}
END_TEST

/* A token goes with the machine, and ends with a reset. */
START_TEST(tokens_relocate)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause = {0};
    ck_assert_uint_eq(reference(&token), 0);
    ck_assert(vm_quiesce(vm));
    codec_out_init(&out);
    ck_assert_int_eq(vm_save(vm, &out, &cause), ST_OK);
    vm->vcpu[0].pfault = (struct pfault){0};
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(vm_restore(vm, &in, &cause), ST_OK);
    ck_assert(vm->vcpu[0].pfault.set);
    ck_assert_uint_eq(vm->vcpu[0].pfault.token_at, 0x1000);
    ck_assert_uint_eq(vm->vcpu[0].pfault.select, 1ull << 48);
    ck_assert_uint_eq(vm->vcpu[0].pfault.compare, 1ull << 48);
    codec_out_fini(&out);
    vm_unquiesce(vm);
    vm_system_reset(vm, false);
    ck_assert(!vm->vcpu[0].pfault.set);
}
END_TEST

/* ---- X'0C', 270 ---- */

START_TEST(timers)
{
    char text[64];
    ck_assert_uint_eq(diag(0x0c, DATA_AT, 0, 0, 0), 0);
    text[ebcdic_to_utf8(EBCDIC_037, got(DATA_AT), 16, text)] = 0;
    ck_assert_msg(text[2] == '/' && text[5] == '/' && text[10] == ':' && text[13] == ':', "%s",
                  text);
    ck_assert_uint_eq(diag(0x0c, DATA_AT + 4, 0, 0, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x0c, STORAGE_BYTES, 0, 0, 0), PGM(ADDRESSING));
    ck_assert_uint_eq(diag(0x270, DATA_AT, 0, 64, 0), 0);
    text[ebcdic_to_utf8(EBCDIC_037, got(DATA_AT), 8, text)] = 0;
    char full[32], iso[32], expect[32];
    full[ebcdic_to_utf8(EBCDIC_037, got(DATA_AT + 32), 10, full)] = 0;
    iso[ebcdic_to_utf8(EBCDIC_037, got(DATA_AT + 42), 10, iso)] = 0;
    snprintf(expect, sizeof expect, "%.2s%.2s-%.2s-%.2s", full + 6, text + 6, text, text + 3);
    ck_assert_str_eq(iso, expect);
    ck_assert_int_eq(strncmp(full, text, 6), 0);
    ck_assert_uint_eq(*got(DATA_AT + 52), 1);
    user_settings.dateformat = VM_DATE_ISO;
    ck_assert_uint_eq(diag(0x270, DATA_AT, 0, 64, 0), 0);
    ck_assert_uint_eq(*got(DATA_AT + 52), 3);
    ck_assert_uint_eq(diag(0x270, DATA_AT, 0, 40, 0), 0);
    ck_assert_uint_eq(be16_load(got(DATA_AT + 40)), 0); /* no more than was asked for */
    ck_assert_uint_eq(diag(0x270, DATA_AT, 0, 31, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x270, DATA_AT + 4, 0, 64, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x270, STORAGE_BYTES, 0, 64, 0), PGM(ADDRESSING));
}
END_TEST

/* ---- X'8C', 224 ---- */

START_TEST(console_size)
{
    ck_assert_uint_eq(diag(0x8c, DATA_AT, 9, 32, 0), 3); /* a 3215 */
    teardown();
    machine(CLASS_ALL, true);
    ck_assert_uint_eq(diag(0x8c, DATA_AT, 9, 32, 0), 0);
    unsigned rows_now, cols_now;
    con3270_size(vm_console_display(vm), &rows_now, &cols_now);
    ck_assert_uint_eq(be16_load(got(DATA_AT + 2)), cols_now);
    ck_assert_uint_eq(be16_load(got(DATA_AT + 4)), rows_now);
    ck_assert_uint_eq(diag(0x8c, DATA_AT, 0x999, 32, 0), 3);
    ck_assert_uint_eq(diag(0x8c, DATA_AT, 9, 5, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x8c, STORAGE_BYTES, 9, 32, 0), PGM(ADDRESSING));
}
END_TEST

/* Linux takes the name of type n from row n + 1. */
START_TEST(type_names)
{
    char text[64];
    ck_assert_uint_eq(diag(0x224, 0, 0, DATA_AT, 0), 0);
    text[ebcdic_to_utf8(EBCDIC_037, got(DATA_AT + 16), 4, text)] = 0;
    ck_assert_str_eq(text, "CP  ");
    text[ebcdic_to_utf8(EBCDIC_037, got(DATA_AT + 6 * 16), 4, text)] = 0;
    ck_assert_str_eq(text, "ZIIP");
    ck_assert_uint_eq(*got(DATA_AT), 5);
    ck_assert_uint_eq(diag(0x224, 0, 0, DATA_AT + 8, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x224, 1, 0, DATA_AT, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x224, 0, 0, STORAGE_BYTES, 0), PGM(ADDRESSING));
}
END_TEST

/* ---- X'3C', 4C, DC ---- */

START_TEST(not_authorized)
{
    ck_assert_uint_eq(diag(0x3c, 0, 0, 0, 0), 2);
    ck_assert_uint_eq(diag(0x4c, 0, 0, 0, 0), 1);
    ck_assert_uint_eq(diag(0xdc, DATA_AT, 0, ~0ull, 0), 0);
    ck_assert_uint_eq(*gr(RY), 0xffffffff00000005ull);
}
END_TEST

static unsigned monitor(u8 function, u16 bytes, u64 at)
{
    u8 list[32] = {0, 0xdc, function, sizeof list};
    be16_store(list + 10, bytes);
    be64_store(list + 16, ENTRIES_AT);
    be64_store(list + 24, at);
    load(0xdc);
    vm->config.applmon = true;
    put(DATA_AT, list, sizeof list);
    *gr(RX) = DATA_AT;
    *gr(RY) = ~0ull;
    return run();
}

/* As Linux's appldata asks, with OPTION APPLMON. */
START_TEST(monitor_data)
{
    for (u8 function = 0x80; function <= 0x83; function++) {
        ck_assert_uint_eq(monitor(function, 100, ENTRIES_AT), 0);
        ck_assert_uint_eq(*gr(RY), 0xffffffff00000000ull);
    }
    ck_assert_uint_eq(monitor(0x84, 100, ENTRIES_AT), PGM(SPECIFICATION));
    ck_assert_uint_eq(monitor(0x80, 100, STORAGE_BYTES - 99), PGM(ADDRESSING));
    ck_assert_uint_eq(monitor(0x80, 100, STORAGE_BYTES - 100), 0);
    ck_assert_uint_eq(monitor(0x81, 100, STORAGE_BYTES), 0);
}
END_TEST

/* ---- X'288' ---- */

static unsigned set_bomb(u32 function, u32 seconds, const char *command, u64 at)
{
    u8 text[VM_TIMEBOMB_BYTES_MAX];
    size_t n = ebcdic_from_utf8(EBCDIC_037, command, strlen(command), text, sizeof text);
    for (size_t i = 0; i < n; i++)
        text[i] = command[i] == '|' ? 0x15 : text[i];
    load(0x288);
    put(DATA_AT, text, n);
    *gr(RX) = function;
    *gr(RX + 1) = seconds;
    *gr(RY) = at;
    *gr(RY + 1) = n;
    return run();
}

START_TEST(time_bomb)
{
    ck_assert_uint_eq(set_bomb(0, 15, "SYSTEM RESTART", DATA_AT), 0);
    ck_assert_uint_eq(bomb.seconds, 15);
    ck_assert_str_eq(bomb.command, "SYSTEM RESTART");
    ck_assert(!bomb.conceal);
    ck_assert_uint_eq(set_bomb(0x80000000, 20, "MSG OP A|LOGOFF", DATA_AT), 0);
    ck_assert_str_eq(bomb.command, "MSG OP A\nLOGOFF");
    ck_assert(bomb.conceal);
    ck_assert_uint_eq(set_bomb(1, 30, "X", DATA_AT), 0);
    ck_assert_uint_eq(bomb.seconds, 30);
    ck_assert_str_eq(bomb.command, "");
    ck_assert_uint_eq(set_bomb(2, 0, "X", DATA_AT), 0);
    ck_assert_uint_eq(bomb.seconds, 0);
    ck_assert_uint_eq(bomb.calls, 4);
    ck_assert_uint_eq(set_bomb(3, 30, "X", DATA_AT), PGM(SPECIFICATION));
    ck_assert_uint_eq(set_bomb(0, 14, "X", DATA_AT), PGM(SPECIFICATION));
    ck_assert_uint_eq(set_bomb(1, 14, "X", DATA_AT), PGM(SPECIFICATION));
    ck_assert_uint_eq(set_bomb(0, 30, "", DATA_AT), PGM(SPECIFICATION));
    ck_assert_uint_eq(set_bomb(0, 30, "X", STORAGE_BYTES), PGM(ADDRESSING));
    ck_assert_uint_eq(bomb.calls, 4);
    bomb.refuse = true;
    ck_assert_uint_eq(set_bomb(1, 30, "X", DATA_AT), PGM(SPECIFICATION));
}
END_TEST

/* CP's STORE changes registers while the CPU waits for its answer: they are checked again. */
START_TEST(time_bomb_of_changed_registers)
{
    load(0x288);
    *gr(RX) = 0;
    *gr(RX + 1) = 15;
    *gr(RY) = DATA_AT;
    *gr(RY + 1) = 1;
    while (!note_count)
        vm_host_run(host);
    ck_assert_int_eq(
        vm_host_ops()->reg_put(vm, 0, VM_REG_GR, RY + 1, VM_TIMEBOMB_BYTES_MAX + 1), ST_OK);
    ck_assert_uint_eq(run(), PGM(SPECIFICATION));
    ck_assert_uint_eq(bomb.calls, 0);
}
END_TEST

/* ---- X'250' ---- */

#define BUFFER_AT 0x8000
/* The parameter list is put behind IPL, which clears storage; what RW moves stays in `kept`. */
static u8 kept[3 * FRAME_BYTES];

static unsigned block_call(unsigned function, const u8 *list)
{
    struct block_environment env[4] = {{0}};
    unsigned n = 0;
    for (u16 devno = 0x100; devno <= 0x400; devno += 0x100)
        n += block_environment_find(&vm->block, devno, &env[n]);
    load(0x250);
    while (n)
        block_environment_add(&vm->block, &env[--n]); /* IPL has removed them */
    put(DATA_AT, list, 64);
    put(BUFFER_AT, kept, sizeof kept);
    *gr(RX) = DATA_AT;
    *gr(RX + 1) = 99;
    *gr(RY) = function;
    unsigned how = run();
    memcpy(kept, got(BUFFER_AT), sizeof kept);
    return how << 16 | (u16)*gr(RX + 1);
}

static unsigned block_init(u16 devno, u32 bytes, u64 offset)
{
    u8 list[64] = {0};
    be16_store(list, devno);
    list[2] = 0x80;
    be32_store(list + 24, bytes);
    be64_store(list + 32, offset);
    return block_call(0, list);
}

static unsigned block_term(u16 devno)
{
    u8 list[64] = {0};
    be16_store(list, devno);
    return block_call(2, list);
}

/* Entries: type, block number, address of the buffer. */
struct moved {
    u8 type;
    u64 block, at;
};
static u8 statuses[4];

static unsigned block_move(u16 devno, u8 flags, u8 key, const struct moved *e, unsigned count)
{
    u8 list[64] = {0}, entries[4 * 24] = {0};
    struct block_environment env;
    be16_store(list, devno);
    list[2] = 0x80;
    list[24] = key;
    list[25] = flags;
    be32_store(list + 28, count);
    be64_store(list + 40, 0x123456789abcdefull);
    be64_store(list + 48, ENTRIES_AT);
    for (unsigned i = 0; i < count; i++) {
        entries[24 * i] = e[i].type;
        be64_store(entries + 24 * i + 8, e[i].block);
        be64_store(entries + 24 * i + 16, e[i].at);
    }
    bool was = block_environment_find(&vm->block, devno, &env);
    load(0x250);
    if (was)
        block_environment_add(&vm->block, &env);
    put(DATA_AT, list, sizeof list);
    put(ENTRIES_AT, entries, sizeof entries);
    put(BUFFER_AT, kept, sizeof kept);
    *gr(RX) = DATA_AT;
    *gr(RX + 1) = 99;
    *gr(RY) = 1;
    unsigned how = run();
    memcpy(kept, got(BUFFER_AT), sizeof kept);
    for (unsigned i = 0; i < count; i++)
        statuses[i] = got(ENTRIES_AT)[24 * i + 1];
    return how << 16 | (u16)*gr(RX + 1);
}

#define RC(cc, code) ((unsigned)(cc) << 16 | (code))

START_TEST(block_environments)
{
    ck_assert_uint_eq(block_init(0x999, 512, 0), RC(1, 16));
    ck_assert_uint_eq(block_init(9, 512, 0), RC(1, 20)); /* a console */
    ck_assert_uint_eq(block_init(FBA, 513, 0), RC(1, 24));
    ck_assert_uint_eq(block_init(FBA, 1024, 10), RC(0, 0));
    ck_assert_uint_eq(be64_load(got(DATA_AT + 40)), (u64)-9);
    ck_assert_uint_eq(be64_load(got(DATA_AT + 48)), 512 - 10);
    ck_assert_uint_eq(block_init(FBA, 1024, 0), RC(1, 28));
    ck_assert_uint_eq(block_init(ECKD, 4096, 0), RC(0, 0));
    ck_assert_uint_eq(be64_load(got(DATA_AT + 48)), 2 * 15 * 12);
    ck_assert_uint_eq(block_term(FBA), RC(0, 0));
    ck_assert_uint_eq(block_term(FBA), RC(1, 28));
    ck_assert_uint_eq(block_call(3, kept) >> 16, PGM(SPECIFICATION));
}
END_TEST

/* What is written comes back, over the end of a track and of a cylinder; _i: which disk. */
START_TEST(blocks_written_and_read)
{
    u16 devno = _i ? FBA : ECKD;
    const struct moved out[] = {
        {1, 12, BUFFER_AT}, {1, 13, BUFFER_AT + 4096}, {1, 100, BUFFER_AT + 8192}};
    const struct moved in[] = {
        {2, 13, BUFFER_AT}, {2, 100, BUFFER_AT + 4096}, {2, 12, BUFFER_AT + 8192}};
    ck_assert_uint_eq(block_init(devno, 4096, 0), RC(0, 0));
    for (unsigned i = 0; i < 3; i++)
        memset(kept + (size_t)i * 4096, 'a' + (int)i, 4096);
    ck_assert_uint_eq(block_move(devno, 0, 0, out, 3), RC(0, 0));
    memset(kept, 0, sizeof kept);
    ck_assert_uint_eq(block_move(devno, 0, 0, in, 3), RC(0, 0));
    ck_assert_uint_eq(kept[0], 'b');
    ck_assert_uint_eq(kept[4095], 'b');
    ck_assert_uint_eq(kept[4096], 'c');
    ck_assert_uint_eq(kept[8192 + 17], 'a');
    const struct moved last[] = {{1, 15 * 12, BUFFER_AT}, {1, 15 * 12 + 1, BUFFER_AT}};
    ck_assert_uint_eq(block_move(devno, 0, 0, last, _i ? 0 : 2), _i ? RC(1, 32) : RC(0, 0));
}
END_TEST

/* A block's status says what is wrong with it; the others of the list are moved. */
START_TEST(blocks_that_cannot_be)
{
    const struct moved list[] = {
        {2, 0, BUFFER_AT}, {1, 5, BUFFER_AT}, {2, 361, BUFFER_AT}, {2, 5, STORAGE_BYTES - 512}};
    ck_assert_uint_eq(block_init(ECKD, 4096, 0), RC(0, 0));
    memset(kept, 'x', sizeof kept);
    ck_assert_uint_eq(block_move(ECKD, 0, 0, list, 4), RC(1, 12));
    ck_assert_uint_eq(statuses[0], 1);
    ck_assert_uint_eq(statuses[1], 0);
    ck_assert_uint_eq(statuses[2], 1);
    ck_assert_uint_eq(statuses[3], 2);
    const struct moved again[] = {{2, 5, BUFFER_AT}, {7, 5, BUFFER_AT}};
    memset(kept, 0, sizeof kept);
    ck_assert_uint_eq(block_move(ECKD, 0, 0, again, 2), RC(1, 12));
    ck_assert_uint_eq(kept[4095], 'x');
    ck_assert_uint_eq(statuses[1], 5);
    ck_assert_uint_eq(block_move(ECKD, 0, 0x50, again, 1), RC(1, 12)); /* not its key */
    ck_assert_uint_eq(statuses[0], 11);
    ck_assert_uint_eq(block_term(ECKD), RC(0, 0));
    ck_assert_uint_eq(block_move(ECKD, 0, 0, again, 1), RC(1, 28));
    ck_assert_uint_eq(block_init(ECKD, 1024, 0), RC(0, 0)); /* records have 4096 */
    ck_assert_uint_eq(block_move(ECKD, 0, 0, again, 1), RC(1, 12));
    ck_assert_uint_eq(statuses[0], 4);
}
END_TEST

/* The interruption: code 2603, subcode 07 and the status, the 64-bit parameter. Environments and
 * what waits relocate. */
START_TEST(asynchronous_blocks)
{
    const struct moved list[] = {{2, 5, BUFFER_AT}};
    struct codec_out out;
    struct codec_in in;
    struct cause cause = {0};
    struct block_environment env;
    struct block_done done;
    bool more;
    ck_assert_uint_eq(block_init(FBA, 512, 0), RC(0, 0));
    ck_assert_uint_eq(block_move(FBA, 2, 0, list, 1), RC(0, 8));
    ck_assert(vm_quiesce(vm));
    atomic_store(&vm->cpus->service_pending, 0); /* the thread has not got so far */
    codec_out_init(&out);
    ck_assert_int_eq(vm_save(vm, &out, &cause), ST_OK);
    block_io_reset(&vm->block);
    ck_assert(!block_environment_find(&vm->block, FBA, &env));
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(vm_restore(vm, &in, &cause), ST_OK);
    codec_out_fini(&out);
    ck_assert(block_environment_find(&vm->block, FBA, &env));
    ck_assert_uint_eq(env.block_bytes, 512);
    vm_unquiesce(vm);
    ck_assert_uint_eq(vm->block.count, 1);
    u8 ext[16];
    be64_store(ext, WAIT_MASK);
    be64_store(ext + 8, 0xe47);
    put(0x1b0, ext, sizeof ext);
    cpu_cr(vm->vcpu[0].cpu)[0] |= 0x200;
    cpu_registers_changed(vm->vcpu[0].cpu);
    vm_host_ops()->psw_put(vm, 0, 0x0102000180000000ull, 0);
    for (unsigned i = 0; i < TURNS_MAX && vm_state(vm) != VM_DISABLED_WAIT; i++)
        vm_host_run(host);
    ck_assert_uint_eq(be16_load(got(0x86)), 0x2603);
    ck_assert_uint_eq(be16_load(got(0x84)), 0x0700);
    ck_assert_uint_eq(be64_load(got(0x11b8)), 0x123456789abcdefull);
    ck_assert(!block_io_take(&vm->block, &done, &more));
}
END_TEST

/* ---- X'20', A8 ---- */

#define PROGRAM_AT 0x5000
#define IDENTITY_AT 0x5100
#define SENSE_ID 0xe4
#define SENSE_ID_BYTES 7

static unsigned synchronous(u16 devno, u8 command, u16 count, u8 key)
{
    u8 list[88] = {0}, ccw[8] = {command, count > SENSE_ID_BYTES ? 0 : CCW_SLI};
    be16_store(list, devno);
    list[2] = key;
    list[3] = 0x80; /* format 1 */
    be32_store(list + 8, PROGRAM_AT);
    be16_store(ccw + 2, count);
    be32_store(ccw + 4, IDENTITY_AT);
    load(0xa8);
    put(DATA_AT, list, sizeof list);
    put(PROGRAM_AT, ccw, sizeof ccw);
    *gr(RX) = DATA_AT;
    *gr(15) = 0;
    return run() << 8 | (u8)*gr(15);
}

/* The program is run, and how it ended comes back; the guest's subchannel is as it was. */
START_TEST(synchronous_io)
{
    u8 before[SCHIB_BYTES], after[SCHIB_BYTES];
    u32 schid = css_find_devno(vm->css, ECKD);
    ck_assert_uint_eq(synchronous(ECKD, SENSE_ID, SENSE_ID_BYTES, 0), 0);
    ck_assert_uint_eq(*got(IDENTITY_AT), 0xff);
    ck_assert_uint_eq(be16_load(got(IDENTITY_AT + 4)), 0x3390);
    ck_assert_uint_eq(*got(DATA_AT + 20), 0x0c);
    ck_assert_uint_eq(be32_load(got(DATA_AT + 16)), PROGRAM_AT + 8);
    ck_assert_int_eq(css_stsch(vm->css, schid, before), 0);
    ck_assert_uint_eq(synchronous(ECKD, 0xff, 1, 0), 3 << 8 | 13);
    ck_assert_uint_eq(*got(DATA_AT + 20) & 0x02, 0x02);
    ck_assert_uint_eq(be16_load(got(DATA_AT + 30)), 32);
    ck_assert_uint_eq(*got(DATA_AT + 56), 0x80); /* command reject */
    ck_assert_int_eq(css_stsch(vm->css, schid, after), 0);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert_uint_eq(css_pending(vm->css), 0);
    ck_assert_uint_eq(synchronous(ECKD, SENSE_ID, 200, 0), 2 << 8 | 3);
    ck_assert_uint_eq(synchronous(ECKD, SENSE_ID, SENSE_ID_BYTES, 0x50), 3 << 8 | 13);
    ck_assert_uint_eq(*got(DATA_AT + 21), 0x10); /* protection */
    ck_assert_uint_eq(synchronous(0x999, SENSE_ID, SENSE_ID_BYTES, 0), 1 << 8 | 1);
    ck_assert_uint_eq(diag(0xa8, DATA_AT + 4, 0, 0, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0xa8, STORAGE_BYTES, 0, 0, 0), PGM(ADDRESSING));
}
END_TEST

START_TEST(general_io)
{
    u8 ccw[8] = {SENSE_ID, 0, 0x51, 0, 0, 0, 0, SENSE_ID_BYTES}; /* format 0 */
    load(0x20);
    put(PROGRAM_AT, ccw, sizeof ccw);
    *gr(RX) = FBA;
    *gr(RY) = PROGRAM_AT;
    ck_assert_uint_eq(run(), 0);
    ck_assert_uint_eq(be16_load(got(IDENTITY_AT + 4)), 0x9336);
    ck_assert_uint_eq(diag(0x20, FBA, 0, PROGRAM_AT + 4, 0), PGM(SPECIFICATION));
    *gr(15) = 0;
    ck_assert_uint_eq(diag(0x20, 0x999, 0, PROGRAM_AT, 0), 1);
    ck_assert_uint_eq((u32)*gr(15), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_diag");
    TCase *tc = tcase_create("codes");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, refused_codes_are_specification_exceptions);
    tcase_add_test(tc, classes_are_asked_for);
    tcase_add_test(tc, rows_are_in_order);
    tcase_add_test(tc, identification);
    tcase_add_test(tc, device_types);
    tcase_add_test(tc, yielding_goes_on);
    tcase_add_test(tc, released_pages_are_zeros);
    tcase_add_test(tc, release_of_what_cannot_be);
    tcase_add_test(tc, released_pages_cost_nothing);
    tcase_add_test(tc, storage_sizes);
    tcase_add_test(tc, tokens);
    tcase_add_test(tc, tokens_that_are_wrong);
    tcase_add_test(tc, tokens_relocate);
    tcase_add_test(tc, timers);
    tcase_add_test(tc, console_size);
    tcase_add_test(tc, type_names);
    tcase_add_test(tc, not_authorized);
    tcase_add_test(tc, monitor_data);
    tcase_add_test(tc, time_bomb);
    tcase_add_test(tc, time_bomb_of_changed_registers);
    suite_add_tcase(suite, tc);
    tc = tcase_create("blocks");
    tcase_add_checked_fixture(tc, setup_disks, teardown_disks);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, block_environments);
    tcase_add_loop_test(tc, blocks_written_and_read, 0, 2);
    tcase_add_test(tc, blocks_that_cannot_be);
    tcase_add_test(tc, asynchronous_blocks);
    tcase_add_test(tc, synchronous_io);
    tcase_add_test(tc, general_io);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
