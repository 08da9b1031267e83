/* Two machines, each with a side of a channel-to-channel adapter: both in one program, or one of
 * them far away behind messages that wait in a queue. Everything static, as in io_fixture.h. */
#ifndef ENDICOTT_TESTS_UNIT_IO_CTCA_FIXTURE_H
#define ENDICOTT_TESTS_UNIT_IO_CTCA_FIXTURE_H

#include "io/net/ctca.h"
#include "tests/unit/io/io_fixture.h"

#define PROGRAM 0x1000u
#define AREA 0x10000u
#define F1 (ORB_F | ORB_L)

#define WRITE 0x01
#define READ 0x02
#define NOP 0x03
#define CONTROL 0x07
#define READ_BACKWARD 0x0c
#define SENSE_COMMAND 0x14
#define BASIC 0x43
#define END_OF_FILE 0x81
#define EXTENDED 0xc3
#define PREPARE 0xe3

#define NORMAL 0x0c
#define BUSY_ATTENTION 0x90
#define CHECK 0x0e
#define WAITS 0xff /* no status yet */

struct end {
    struct machine m;
    u32 id;
};

static struct end x, y;
static struct ctc_hub *hub;
static struct ctc_remote *remote;
static struct ctc_stub *stub;

/* --- messages between the ends, one after the other ------------------------------------------ */

#define LETTERS_MAX 64

static struct letter {
    bool to_stub;
    size_t len;
    u8 *bytes;
} letters[LETTERS_MAX];
static unsigned letter_count;

static void post(bool to_stub, const u8 *bytes, size_t len)
{
    ck_assert_uint_lt(letter_count, LETTERS_MAX);
    struct letter *l = &letters[letter_count++];
    *l = (struct letter){to_stub, len, malloc(len)};
    memcpy(l->bytes, bytes, len);
}

static void to_stub(void *arg, const u8 *bytes, size_t len)
{
    (void)arg;
    post(true, bytes, len);
}

static void to_remote(void *arg, const u8 *bytes, size_t len)
{
    (void)arg;
    post(false, bytes, len);
}

static UNUSED void pump(void)
{
    for (unsigned i = 0; i < letter_count; i++) {
        struct letter l = letters[i];
        bool good = l.to_stub ? ctc_stub_receive(stub, l.bytes, l.len)
                              : ctc_remote_receive(remote, l.bytes, l.len);
        ck_assert(good);
        free(l.bytes);
    }
    letter_count = 0;
}

/* --- two machines ---------------------------------------------------------------------------- */

static struct ctca *dev(struct end *e)
{
    struct ctca *dev = ctca_find(e->m.css, 0x500);
    ck_assert_ptr_nonnull(dev);
    return dev;
}

static void end_init(struct end *e, enum ctca_type type)
{
    struct cause cause;
    machine_init(&e->m);
    ck_assert_int_eq(ctca_create(e->m.css, hub, 0x500, type, false, &cause), ST_OK);
    e->id = css_find_devno(e->m.css, 0x500);
    enable(&e->m, e->id, 3);
}

static UNUSED bool is_remote(void)
{
    return remote != NULL;
}

static UNUSED void couple(bool apart)
{
    if (!apart) {
        ck_assert(ctc_couple(ctca_side(dev(&x)), ctca_side(dev(&y))));
        return;
    }
    remote = ctca_remote_create(dev(&y), &(struct ctc_wire){to_stub, NULL});
    stub = ctc_stub_create(hub, false, &(struct ctc_wire){to_remote, NULL});
    ck_assert(ctc_couple(ctca_side(dev(&x)), ctc_stub_side(stub)));
    ctca_set_remote(dev(&y), remote);
    pump();
}

static UNUSED void uncouple(void)
{
    if (!is_remote()) {
        ctc_uncouple(ctca_side(dev(&x)));
        return;
    }
    ctc_stub_destroy(stub);
    for (unsigned i = 0; i < letter_count; i++)
        free(letters[i].bytes);
    letter_count = 0;
    css_quiesce(y.m.css);
    ctca_set_remote(dev(&y), NULL);
    css_resume(y.m.css);
    ctc_remote_destroy(remote);
    remote = NULL;
    stub = NULL;
}

static bool apart; /* of the test case */

static void setup(void)
{
    hub = ctc_hub_create();
    end_init(&x, CTCA_3088);
    end_init(&y, CTCA_3088);
    couple(apart);
}

static UNUSED void setup_near(void)
{
    apart = false;
    setup();
}

static UNUSED void setup_remote(void)
{
    apart = true;
    setup();
}

static UNUSED void teardown(void)
{
    uncouple();
    machine_fini(&x.m);
    machine_fini(&y.m);
    ctc_hub_destroy(hub);
}

/* --- programs -------------------------------------------------------------------------------- */

static UNUSED void go(struct end *e)
{
    ck_assert_int_eq(start(&e->m, e->id, F1, PROGRAM), 0);
    pump();
}

static UNUSED void command(struct end *e, u8 command, u16 count)
{
    ccw1(&e->m, PROGRAM, command, CCW_SLI, count, AREA);
    go(e);
}

/* The status that is there, WAITS: none. */
static UNUSED u8 status(struct end *e)
{
    struct irb irb;
    return tsch(&e->m, e->id, &irb) ? WAITS : irb.ds;
}

static UNUSED struct irb ended(struct end *e)
{
    struct irb irb;
    ck_assert_int_eq(tsch(&e->m, e->id, &irb), 0);
    return irb;
}

static UNUSED u8 sense_of(const struct irb *irb)
{
    return irb->scsw0 & SCSW_E ? irb->raw[32] : 0;
}

/* Both have had a command, in this mode. */
static UNUSED void ready(bool extended)
{
    for (unsigned i = 0; i < 2; i++) {
        command(&x, NOP, 1); /* ready, before the other one asks */
        status(&x);
        command(&y, extended ? EXTENDED : NOP, 1);
        ck_assert_uint_eq(status(&y), NORMAL);
        command(&x, extended ? EXTENDED : NOP, 1);
        ck_assert_uint_eq(status(&x), NORMAL);
    }
}

static u8 byte_at(u32 i, u8 seed)
{
    return (u8)(seed + i * 7u + (i >> 8));
}

static UNUSED void fill(struct end *e, u32 at, u32 len, u8 seed)
{
    static __thread u8 bytes[65536 + 8];
    for (u32 i = 0; i < len; i++)
        bytes[i] = byte_at(i, seed);
    storage_write(e->m.storage, at, bytes, len);
}

static UNUSED u32 alike(struct end *e, u32 at, u32 len, u8 seed)
{
    static __thread u8 bytes[65536 + 8];
    storage_read(e->m.storage, at, bytes, len);
    u32 i = 0;
    while (i < len && bytes[i] == byte_at(i, seed))
        i++;
    return i;
}

#endif
