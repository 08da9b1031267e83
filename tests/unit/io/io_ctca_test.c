/* Channel-to-channel adapters: each command against each thing that the other side may be doing,
 * lengths, end of file, attention, halts and resets at each point, coupling. Everything runs twice:
 * with both sides in one program, and with one of them far away. Rules: docs/ctca.md. */
#include "tests/unit/io/ctca_fixture.h"

/* --- the table ------------------------------------------------------------------------------- */

static void halt_both(void)
{
    css_csch(x.m.css, x.id);
    css_csch(y.m.css, y.id);
    pump();
    status(&x);
    status(&y);
    status(&x);
    status(&y);
}

/* What X is told at once, and Y, by what Y waits for: nothing, prepare, control, read, write. */
static const struct rule {
    u8 command;
    u8 told[5], other[5];
} rules[] = {
    {PREPARE, {WAITS, NORMAL, NORMAL, NORMAL, NORMAL}, {WAITS, NORMAL, WAITS, WAITS, WAITS}},
    {CONTROL,
     {WAITS, WAITS, BUSY_ATTENTION, BUSY_ATTENTION, BUSY_ATTENTION},
     {DS_ATTENTION, NORMAL, WAITS, WAITS, WAITS}},
    {READ,
     {WAITS, WAITS, BUSY_ATTENTION, BUSY_ATTENTION, NORMAL},
     {DS_ATTENTION, NORMAL, WAITS, WAITS, NORMAL}},
    {WRITE,
     {WAITS, WAITS, BUSY_ATTENTION, NORMAL, BUSY_ATTENTION},
     {DS_ATTENTION, NORMAL, WAITS, NORMAL, WAITS}},
    {SENSE_COMMAND,
     {NORMAL, NORMAL, NORMAL, NORMAL, NORMAL},
     {WAITS, WAITS, NORMAL, WAITS, WAITS}},
    {END_OF_FILE,
     {NORMAL, NORMAL, BUSY_ATTENTION, NORMAL, BUSY_ATTENTION},
     {WAITS, WAITS, WAITS, NORMAL | DS_UNIT_EXCEPTION, WAITS}},
    {NOP,
     {NORMAL, NORMAL, BUSY_ATTENTION, BUSY_ATTENTION, BUSY_ATTENTION},
     {WAITS, WAITS, WAITS, WAITS, WAITS}},
    {EXTENDED,
     {NORMAL, NORMAL, BUSY_ATTENTION, BUSY_ATTENTION, BUSY_ATTENTION},
     {WAITS, WAITS, WAITS, WAITS, WAITS}},
    {BASIC,
     {NORMAL, NORMAL, BUSY_ATTENTION, BUSY_ATTENTION, BUSY_ATTENTION},
     {WAITS, WAITS, WAITS, WAITS, WAITS}},
};

static const u8 before[5] = {0, PREPARE, CONTROL, READ, WRITE};

static void one_cell(const struct rule *r, unsigned k, bool swapped)
{
    struct end *one = swapped ? &y : &x, *other = swapped ? &x : &y;
    ready(true);
    if (before[k]) {
        command(other, before[k], 8);
        ck_assert_uint_eq(status(other), WAITS);
        ck_assert_uint_eq(status(one), before[k] == PREPARE ? WAITS : DS_ATTENTION);
    }
    command(one, r->command, 8);
    struct irb irb = {0};
    u8 told = tsch(&one->m, one->id, &irb) ? WAITS : irb.ds;
    ck_assert_msg(told == r->told[k], "%02X against %02X: told %02X", r->command, before[k],
                  told);
    if (told == BUSY_ATTENTION) { /* refused: deferred condition code 1 */
        ck_assert_uint_eq(irb.scsw0 & SCSW_CC, SCSW_CC_STATUS);
        ck_assert_uint_eq(irb.scsw0 & SC_ANY, SC_ALERT | SC_PENDING);
    }
    u8 heard = status(other);
    ck_assert_msg(heard == r->other[k], "%02X against %02X: other heard %02X", r->command,
                  before[k], heard);
    if (r->command == SENSE_COMMAND) {
        u8 byte;
        storage_read(one->m.storage, AREA, &byte, 1);
        ck_assert_uint_eq(byte, before[k]);
    }
    halt_both();
}

START_TEST(each_command_against_each)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        for (unsigned k = 0; k < 5; k++) {
            one_cell(&rules[i], k, false);
            one_cell(&rules[i], k, true);
        }
}
END_TEST

START_TEST(codes_that_are_none)
{
    static const u8 none[] = {0x24, 0x44, 0x64, 0x84, 0xa4, 0xc4,
                              0xcb, 0xd3, 0xdb, 0xeb, 0xf3, 0xfb};
    ready(true);
    for (size_t i = 0; i < sizeof none; i++) {
        command(&x, none[i], 8);
        struct irb irb = ended(&x);
        ck_assert_uint_eq(irb.ds, CHECK);
        ck_assert_uint_eq(sense_of(&irb), SENSE_COMMAND_REJECT);
        ck_assert_uint_eq(status(&y), WAITS);
    }
}
END_TEST

START_TEST(sense_id_tells_the_type)
{
    static const struct {
        enum ctca_type type;
        u8 model;
    } models[] = {{CTCA_3088, 0x08},
                  {CTCA_SCTC, 0x1f},
                  {CTCA_BCTC, 0x1f},
                  {CTCA_CNC, 0x1f},
                  {CTCA_FCTC, 0x1e}};
    for (size_t i = 0; i < ARRAY_LEN(models); i++) {
        struct end e;
        u8 id[7];
        end_init(&e, models[i].type);
        ccw1(&e.m, PROGRAM, 0xe4, CCW_SLI, 7, AREA);
        ck_assert_int_eq(start(&e.m, e.id, F1, PROGRAM), 0);
        ck_assert_uint_eq(status(&e), NORMAL);
        storage_read(e.m.storage, AREA, id, 7);
        ck_assert_uint_eq(be32_load(id), 0xff308800u | models[i].model);
        machine_fini(&e.m);
    }
}
END_TEST

/* --- blocks ---------------------------------------------------------------------------------- */

static void transfer(struct end *from, struct end *to, u32 len, u32 room, bool read_first)
{
    u8 seed = (u8)(len * 3 + room);
    u32 moved = len < room ? len : room;
    fill(from, AREA, len, seed);
    fill(to, AREA, room + 1, 0x55);
    command(read_first ? to : from, read_first ? READ : WRITE, (u16)(read_first ? room : len));
    status(read_first ? from : to); /* attention */
    command(read_first ? from : to, read_first ? WRITE : READ, (u16)(read_first ? len : room));
    struct irb wrote = ended(from), read = ended(to);
    ck_assert_uint_eq(wrote.ds, NORMAL);
    ck_assert_uint_eq(read.ds, NORMAL);
    ck_assert_uint_eq(wrote.count, len - moved);
    ck_assert_uint_eq(read.count, room - moved);
    ck_assert_uint_eq(alike(to, AREA, moved, seed), moved);
    u8 behind;
    storage_read(to->m.storage, AREA + moved, &behind, 1);
    ck_assert_uint_eq(behind, (u8)(0x55 + moved * 7u + (moved >> 8)));
}

START_TEST(blocks_of_many_lengths)
{
    static const u32 lengths[] = {1, 2, 7, 4095, 4096, 4097, 32768, 65534, 65535};
    ready(true);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        for (unsigned k = 0; k < 8; k++)
            transfer(k & 1 ? &x : &y, k & 1 ? &y : &x, lengths[i],
                     k & 2 ? lengths[i] : lengths[(i + 3) % ARRAY_LEN(lengths)], k & 4);
    for (u32 n = 0; n < 70; n++)
        transfer(&x, &y, n * 911 % 65536, n ? 65535 - n * 37 : 0, n & 1);
}
END_TEST

/* A data chain on both sides, in pieces that do not fit, with a PCI in the middle; told once. */
START_TEST(data_chains)
{
    ready(true);
    fill(&x, AREA, 1000, 9);
    ccw1(&x.m, PROGRAM, WRITE, CCW_CD, 300, AREA);
    ccw1(&x.m, PROGRAM + 8, 0, CCW_CD | CCW_PCI, 300, AREA + 300);
    ccw1(&x.m, PROGRAM + 16, 0, CCW_SLI, 400, AREA + 600);
    go(&x);
    struct irb irb = ended(&x);
    ck_assert_uint_eq(irb.ss, SS_PCI);
    ck_assert_uint_eq(irb.scsw0 & SC_ANY, SC_INTERMEDIATE | SC_PENDING);
    status(&y);
    ccw1(&y.m, PROGRAM, READ, CCW_CD, 700, AREA);
    ccw1(&y.m, PROGRAM + 8, 0, CCW_SLI, 700, AREA + 700);
    go(&y);
    irb = ended(&x);
    ck_assert_uint_eq(irb.ds, NORMAL);
    ck_assert_uint_eq(irb.ss, 0);
    ck_assert_uint_eq(irb.count, 0);
    ck_assert_uint_eq(irb.ccw, PROGRAM + 24);
    irb = ended(&y);
    ck_assert_uint_eq(irb.count, 400);
    ck_assert_uint_eq(alike(&y, AREA, 1000, 9), 1000);
}
END_TEST

START_TEST(read_backward_and_incorrect_length)
{
    ready(true);
    fill(&x, AREA, 16, 1);
    ccw1(&x.m, PROGRAM, WRITE, 0, 16, AREA);
    go(&x);
    status(&y);
    ccw1(&y.m, PROGRAM, READ_BACKWARD, 0, 20, AREA + 31);
    go(&y);
    struct irb wrote = ended(&x), read = ended(&y);
    ck_assert_uint_eq(wrote.ss, 0);
    ck_assert_uint_eq(read.ss, SS_INCORRECT_LENGTH);
    ck_assert_uint_eq(read.count, 4);
    ck_assert_uint_eq(alike(&y, AREA + 16, 16, 1), 16); /* the last byte of the block is the
                                                          * first to go, to the highest address */
    ccw1(&x.m, PROGRAM, WRITE, 0, 16, AREA);
    go(&x);
    status(&y);
    ccw1(&y.m, PROGRAM, READ, 0, 10, AREA);
    go(&y);
    ck_assert_uint_eq(ended(&x).ss, SS_INCORRECT_LENGTH);
    ck_assert_uint_eq(ended(&y).ss, SS_INCORRECT_LENGTH);
}
END_TEST

/* What Linux's ctcm does: prepare, write, no-operation against prepare, read. */
START_TEST(prepared_transfers)
{
    ready(true);
    for (unsigned i = 0; i < 40; i++) {
        fill(&x, AREA, 5000, (u8)i);
        ccw1(&y.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
        ccw1(&y.m, PROGRAM + 8, READ, CCW_SLI, 32768, AREA);
        ccw1(&x.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
        ccw1(&x.m, PROGRAM + 8, WRITE, CCW_CC | CCW_SLI, 5000, AREA);
        ccw1(&x.m, PROGRAM + 16, NOP, CCW_SLI, 0, 0);
        go(i & 1 ? &x : &y);
        ck_assert_uint_eq(status(&x), WAITS);
        ck_assert_uint_eq(status(&y), WAITS);
        go(i & 1 ? &y : &x);
        ck_assert_uint_eq(status(&x), NORMAL);
        struct irb irb = ended(&y);
        ck_assert_uint_eq(irb.ds, NORMAL);
        ck_assert_uint_eq(irb.count, 32768 - 5000);
        ck_assert_uint_eq(alike(&y, AREA, 5000, (u8)i), 5000);
        ck_assert_uint_eq(status(&x), WAITS);
        ck_assert_uint_eq(status(&y), WAITS);
    }
}
END_TEST

START_TEST(end_of_file_meets_the_next_read)
{
    ready(true);
    command(&x, END_OF_FILE, 1);
    ck_assert_uint_eq(status(&x), NORMAL);
    ck_assert_uint_eq(status(&y), WAITS);
    command(&y, READ, 8);
    ck_assert_uint_eq(status(&y), NORMAL | DS_UNIT_EXCEPTION);
    command(&x, END_OF_FILE, 1);
    ck_assert_uint_eq(status(&x), NORMAL);
    command(&y, NOP, 1); /* another command: it is forgotten */
    ck_assert_uint_eq(status(&y), NORMAL);
    command(&y, READ, 8);
    ck_assert_uint_eq(status(&y), WAITS);
}
END_TEST

START_TEST(basic_mode_writes_every_write)
{
    ready(false);
    command(&x, END_OF_FILE, 8);
    ck_assert_uint_eq(status(&x), WAITS);
    ck_assert_uint_eq(status(&y), DS_ATTENTION);
    command(&y, READ, 8);
    ck_assert_uint_eq(status(&x), NORMAL);
    ck_assert_uint_eq(status(&y), NORMAL);
}
END_TEST

/* A program that fails in the middle of its area: the other side's command ends all the same. */
START_TEST(areas_out_of_reach)
{
    ready(true);
    ccw1(&x.m, PROGRAM, WRITE, CCW_SLI, 8192, STORAGE_BYTES - 4096);
    go(&x);
    status(&y);
    command(&y, READ, 60000);
    struct irb irb = ended(&y);
    ck_assert_uint_eq(irb.ds, NORMAL);
    ck_assert_uint_eq(irb.count, 60000 - 4096);
    ck_assert_uint_eq(status(&x), NORMAL);
    command(&x, WRITE, 8192);
    status(&y);
    ccw1(&y.m, PROGRAM, READ, CCW_SLI, 8192, STORAGE_BYTES - 4096);
    go(&y);
    irb = ended(&y);
    ck_assert_uint_eq(irb.ss & SS_PROGRAM_CHECK, SS_PROGRAM_CHECK);
    ck_assert_uint_eq(ended(&x).count, 4096);
}
END_TEST

/* --- attention, ready ------------------------------------------------------------------------ */

/* While a program is chained to its next command there is no attention; at its end there is, if
 * the other side waits still. */
START_TEST(attention_waits_for_the_end)
{
    ready(true);
    ccw1(&x.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
    ccw1(&x.m, PROGRAM + 8, NOP, CCW_SLI, 0, 0);
    go(&x);
    ccw1(&y.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
    ccw1(&y.m, PROGRAM + 8, CONTROL, CCW_SLI, 0, 0);
    go(&y); /* X's prepare ends; its no-operation may find Y idle or in control */
    u8 told = status(&x);
    if (told == NORMAL)
        told = status(&x);
    ck_assert_uint_ne(told & DS_ATTENTION, 0);
    ck_assert_uint_eq(status(&x), WAITS);
    command(&x, SENSE_COMMAND, 1);
    ck_assert_uint_eq(status(&x), NORMAL);
    ck_assert_uint_eq(status(&y), NORMAL);
}
END_TEST

static void expect_check(struct end *e, u8 sense)
{
    struct irb irb = ended(e);
    ck_assert_uint_eq(irb.ds, CHECK);
    ck_assert_uint_eq(sense_of(&irb), sense);
}

START_TEST(a_side_that_is_not_ready)
{
    command(&x, WRITE, 8); /* basic mode knows no such thing: it waits, and nobody is called */
    ck_assert_uint_eq(status(&x), WAITS);
    ck_assert_uint_eq(status(&y), WAITS);
    css_hsch(x.m.css, x.id);
    pump();
    status(&x);
    command(&x, EXTENDED, 1);
    expect_check(&x, SENSE_INTERVENTION);
    command(&x, NOP, 1); /* Linux looks for paths by it */
    ck_assert_uint_eq(status(&x), NORMAL);
    command(&y, EXTENDED, 1); /* X has had a command, so it is ready; and so is Y from now on */
    ck_assert_uint_eq(status(&y), NORMAL);
    ck_assert_uint_eq(status(&x), DS_DEVICE_END);
    command(&x, EXTENDED, 1);
    ck_assert_uint_eq(status(&x), NORMAL);
}
END_TEST

/* --- halts and resets ------------------------------------------------------------------------ */

static const u8 waiting[] = {PREPARE, CONTROL, READ, WRITE};

/* Halt or clear of an idle side, in extended mode, is told to the one that waits. */
START_TEST(halts_are_told)
{
    for (size_t i = 0; i < sizeof waiting; i++)
        for (unsigned clear = 0; clear < 2; clear++) {
            ready(true);
            command(&y, waiting[i], 8);
            status(&x);
            ck_assert_int_eq((clear ? css_csch : css_hsch)(x.m.css, x.id), 0);
            pump();
            ck_assert_uint_eq(status(&x), clear ? 0 : DS_DEVICE_END);
            expect_check(&y, SENSE_INTERVENTION | 1);
            command(&y, EXTENDED, 1); /* still so */
            expect_check(&y, SENSE_INTERVENTION | 1);
            command(&x, EXTENDED, 1);
            ck_assert_uint_eq(status(&x), NORMAL);
            ck_assert_uint_eq(status(&y), DS_DEVICE_END);
            halt_both();
        }
}
END_TEST

/* In basic mode they are a matter of the side alone. */
START_TEST(basic_halts_are_not_told)
{
    ready(false);
    command(&y, READ, 8);
    status(&x);
    ck_assert_int_eq(css_hsch(x.m.css, x.id), 0);
    pump();
    ck_assert_uint_eq(status(&x), DS_DEVICE_END);
    ck_assert_uint_eq(status(&y), WAITS);
    command(&x, WRITE, 8);
    ck_assert_uint_eq(status(&x), NORMAL);
    ck_assert_uint_eq(status(&y), NORMAL);
}
END_TEST

/* Of the side that waits: its command is taken back, the other side's next one finds nothing. */
START_TEST(halts_of_the_one_that_waits)
{
    for (size_t i = 0; i < sizeof waiting; i++)
        for (unsigned clear = 0; clear < 2; clear++) {
            ready(true);
            command(&y, waiting[i], 8);
            status(&x);
            ck_assert_int_eq((clear ? css_csch : css_hsch)(y.m.css, y.id), 0);
            pump();
            ck_assert_uint_eq(status(&y), clear ? 0 : NORMAL);
            command(&x, READ, 8);
            expect_check(&x, SENSE_INTERVENTION | 1);
            halt_both();
        }
}
END_TEST

START_TEST(system_resets_are_told)
{
    for (size_t i = 0; i < sizeof waiting; i++) {
        ready(true);
        command(&y, waiting[i], 8);
        status(&x);
        css_reset(x.m.css);
        pump();
        expect_check(&y, SENSE_INTERVENTION);
        enable(&x.m, x.id, 3);
        command(&y, READ, 8);
        expect_check(&y, SENSE_INTERVENTION);
        command(&x, NOP, 1);
        ck_assert_uint_eq(status(&x), NORMAL);
        ck_assert_uint_eq(status(&y), DS_DEVICE_END);
        halt_both();
    }
}
END_TEST

/* --- coupling -------------------------------------------------------------------------------- */

START_TEST(a_side_alone)
{
    ready(true);
    command(&x, READ, 8);
    status(&y);
    uncouple();
    expect_check(&x, SENSE_INTERVENTION | 1);
    command(&x, WRITE, 8);
    expect_check(&x, SENSE_INTERVENTION | 1);
    command(&y, PREPARE, 0);
    expect_check(&y, SENSE_INTERVENTION | 1);
    command(&y, BASIC, 0);
    ck_assert_uint_eq(status(&y), NORMAL);
    command(&y, WRITE, 8); /* basic mode waits for somebody to come */
    ck_assert_uint_eq(status(&y), WAITS);
    couple(false);
    ck_assert_uint_eq(status(&x), DS_ATTENTION | DS_DEVICE_END);
    command(&x, READ, 8);
    ck_assert_uint_eq(status(&x), NORMAL);
    ck_assert_uint_eq(status(&y), NORMAL);
    ck_assert(!ctc_couple(ctca_side(dev(&x)), ctca_side(dev(&y))));
}
END_TEST

/* Two that wait when they are coupled. */
START_TEST(commands_that_meet)
{
    static const u8 told_x[4][4] = {{NORMAL, NORMAL, NORMAL, NORMAL},
                                    {WAITS, BUSY_ATTENTION, BUSY_ATTENTION, BUSY_ATTENTION},
                                    {WAITS, BUSY_ATTENTION, BUSY_ATTENTION, NORMAL},
                                    {WAITS, BUSY_ATTENTION, NORMAL, BUSY_ATTENTION}};
    static const u8 told_y[4][4] = {{NORMAL, WAITS, WAITS, WAITS},
                                    {NORMAL, WAITS, WAITS, WAITS},
                                    {NORMAL, WAITS, WAITS, NORMAL},
                                    {NORMAL, WAITS, NORMAL, WAITS}};
    uncouple();
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            command(&x, waiting[i], 8);
            command(&y, waiting[k], 8);
            ck_assert_uint_eq(status(&x), WAITS);
            couple(false);
            ck_assert_uint_eq(status(&x), told_x[i][k]);
            ck_assert_uint_eq(status(&y), told_y[i][k]);
            halt_both();
            uncouple();
        }
}
END_TEST

/* The far end goes at each point of a transfer: nobody waits for ever, in extended mode. */
START_TEST(the_other_program_goes)
{
    for (unsigned letters_more = 0; letters_more < 6; letters_more++) {
        ready(true);
        command(&x, WRITE, 100);
        ccw1(&y.m, PROGRAM, READ, CCW_SLI, 100, AREA);
        status(&y);
        ck_assert_int_eq(start(&y.m, y.id, F1, PROGRAM), 0);
        for (unsigned i = 0; i < letters_more && letter_count; i++) {
            struct letter l = letters[0];
            memmove(letters, letters + 1, --letter_count * sizeof l);
            ck_assert(l.to_stub ? ctc_stub_receive(stub, l.bytes, l.len)
                                : ctc_remote_receive(remote, l.bytes, l.len));
            free(l.bytes);
        }
        uncouple();
        u8 told_x = status(&x), told_y = status(&y);
        ck_assert_uint_ne(told_x, WAITS);
        ck_assert_uint_ne(told_y, WAITS);
        ck_assert(told_x == NORMAL || told_x == CHECK);
        ck_assert_msg(told_x == CHECK || told_y == NORMAL, "a block that was lost");
        halt_both();
        couple(true);
    }
}
END_TEST

/* --- any sequence --- */

static u32 dice(u32 sides)
{
    static u64 seed = 88172645463325252ull;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (u32)(seed >> 16) % sides;
}

/* Two commands that may be chained, to an area that may be too far away. */
static void any_program(struct end *e)
{
    static const u8 often[] = {WRITE, READ, PREPARE, CONTROL, NOP, EXTENDED, SENSE_COMMAND};
    for (u32 i = 0; i < 2; i++)
        ccw1(&e->m, PROGRAM + i * 8, dice(4) ? often[dice(sizeof often)] : (u8)dice(256),
             (u8)((i ? 0 : dice(2) * CCW_CC) | CCW_SLI | (dice(8) ? 0 : CCW_CD)),
             (u16)dice(dice(2) ? 9 : 5000), dice(16) ? AREA : STORAGE_BYTES - 2000);
    start(&e->m, e->id, F1, PROGRAM);
}

static void anything(void)
{
    struct end *e = dice(2) ? &x : &y;
    switch (dice(12)) {
    case 0: css_hsch(e->m.css, e->id); break;
    case 1: css_csch(e->m.css, e->id); break;
    case 2: css_xsch(e->m.css, e->id); break;
    case 3:
        if (dice(8))
            break;
        css_reset(e->m.css);
        enable(&e->m, e->id, 3);
        break;
    case 4:
        if (dice(8))
            break;
        uncouple();
        couple(apart);
        break;
    case 5:
    case 6:
    case 7: status(e); break;
    default: any_program(e); break;
    }
    if (dice(3))
        pump(); /* else messages cross what comes next */
}

/* Whatever has been: when both have been cleared, blocks go over. */
START_TEST(any_sequence)
{
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = 0; i < 50; i++)
            anything();
        pump();
        halt_both();
        ready(true);
        transfer(&x, &y, 500, 600, round & 1);
        halt_both();
    }
}
END_TEST

/* --- what arrives ---------------------------------------------------------------------------- */

START_TEST(messages_that_make_no_sense)
{
    static u8 junk[CTC_MESSAGE_BYTES_MAX + 100];
    u64 seed = 12345;
    ready(true);
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = i % 64;
        for (size_t k = 0; k < len; k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            junk[k] = (u8)(seed >> 40);
        }
        if (len)
            junk[0] %= 12;
        ctc_remote_receive(remote, junk, len);
        ctc_stub_receive(stub, junk, len);
        while (letter_count)
            free(letters[--letter_count].bytes);
        if (i % 100 == 0)
            halt_both();
    }
    junk[0] = 1; /* a block that is too long */
    junk[6] = 2;
    ck_assert(!ctc_stub_receive(stub, junk, sizeof junk));
    junk[0] = 2;
    junk[5] = CTC_DATA;
    ck_assert(!ctc_remote_receive(remote, junk, sizeof junk));
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, each_command_against_each);
    tcase_add_test(tc, codes_that_are_none);
    tcase_add_test(tc, blocks_of_many_lengths);
    tcase_add_test(tc, data_chains);
    tcase_add_test(tc, read_backward_and_incorrect_length);
    tcase_add_test(tc, prepared_transfers);
    tcase_add_test(tc, end_of_file_meets_the_next_read);
    tcase_add_test(tc, basic_mode_writes_every_write);
    tcase_add_test(tc, areas_out_of_reach);
    tcase_add_test(tc, attention_waits_for_the_end);
    tcase_add_test(tc, a_side_that_is_not_ready);
    tcase_add_test(tc, halts_are_told);
    tcase_add_test(tc, basic_halts_are_not_told);
    tcase_add_test(tc, halts_of_the_one_that_waits);
    tcase_add_test(tc, system_resets_are_told);
    tcase_add_test(tc, a_side_alone);
    tcase_add_test(tc, any_sequence);
}

int main(void)
{
    SUITE_BEGIN("near");
    tcase_add_checked_fixture(tc, setup_near, teardown);
    add_tests(tc);
    tcase_add_test(tc, sense_id_tells_the_type);
    tcase_add_test(tc, commands_that_meet);
    TCase *distant = tcase_create("remote");
    tcase_add_checked_fixture(distant, setup_remote, teardown);
    suite_add_tcase(suite, distant);
    add_tests(distant);
    tcase_add_test(distant, the_other_program_goes);
    tcase_add_test(distant, messages_that_make_no_sense);
    return run_suite(suite);
}
