/* What the unit tests of network adapters share: a machine with one, a peer on its network, the
 * driver's side of control sessions and queues. Everything static. */
#ifndef ENDICOTT_TESTS_UNIT_IO_OSA_FIXTURE_H
#define ENDICOTT_TESTS_UNIT_IO_OSA_FIXTURE_H

#include "io/net/osa_internal.h"
#include "tests/unit/io/io_fixture.h"

#define DEVNO 0x600
#define PROGRAM 0x1000u
#define ACTIVE_PROGRAM 0x1800u /* of the queues: it stays */
#define MESSAGE 0x2000u
#define ANSWER 0x3000u
#define QDR 0x4000u
#define QIB 0x5000u
#define LISTS 0x6000u  /* 5 storage lists of 1024 bytes */
#define STATES 0x8000u /* 5 state blocks of 128 bytes */
#define SBALS 0x10000u /* 5 queues of 128 lists of 256 bytes */
#define DATA 0x100000u /* a page for each buffer of input, then of output 0 */
#define SUMMARY 0x9000u
#define INDICATOR 0x9010u
#define ISC 3
#define QUEUES 5u
#define READ 0x02
#define WRITE 0x01

static struct machine m;
static struct lan *lan;
static struct osa *osa;
static u32 rd, wr, data;

static const u8 own[6] = {2, 0, 0, 0, 6, 0}, peer_mac[6] = {2, 0, 0, 0, 7, 7};

static u16 ipa_protocol; /* 4 or 6 */

/* The other side. */
static struct peer {
    struct lan_port *port;
    u8 frame[65536];
    size_t len;
    unsigned frames;
} peer;

static UNUSED bool peer_deliver(void *arg, const u8 *frame, size_t len)
{
    (void)arg;
    memcpy(peer.frame, frame, len);
    peer.len = len;
    peer.frames++;
    return true;
}

static const struct lan_port_ops peer_ops = {.deliver = peer_deliver};

static UNUSED void setup_kind(enum osa_kind kind)
{
    struct cause cause;
    struct osa_config config = {.kind = kind, .devno = DEVNO, .mac = {2, 0, 0, 0, 6, 0}};
    machine_init(&m);
    lan = lan_create();
    memset(&peer, 0, sizeof peer);
    ipa_protocol = 4;
    peer.port = lan_port_add(lan, LAN_STATION, &peer_ops, &peer);
    ck_assert_int_eq(lan_mac_add(peer.port, peer_mac), ST_OK);
    ck_assert_int_eq(osa_create(m.css, &config, lan, false, &osa, &cause), ST_OK);
    rd = css_find_devno(m.css, DEVNO);
    wr = css_find_devno(m.css, DEVNO + 1);
    data = css_find_devno(m.css, DEVNO + 2);
    enable(&m, rd, 3);
    enable(&m, wr, 3);
    enable(&m, data, 3);
}

static UNUSED void setup(void)
{
    setup_kind(OSA_QDIO);
}

static UNUSED void teardown(void)
{
    machine_fini(&m);
    lan_port_remove(peer.port);
    lan_destroy(lan);
}

/* --- channel programs ------------------------------------------------------------------------ */

/** One command; the unit status it ended with. */
static UNUSED u8 command(u32 id, u8 cmd, u32 addr, u16 count)
{
    struct irb irb;
    ccw1(&m, PROGRAM, cmd, CCW_SLI, count, addr);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ss, 0);
    return irb.ds;
}

static UNUSED u8 message(u32 id, const u8 *msg, u16 len)
{
    storage_write(m.storage, MESSAGE, msg, len);
    return command(id, WRITE, MESSAGE, len);
}

/** What a read gives; false: it waits (and is cleared). */
static UNUSED bool answer(u32 id, u8 out[OSA_MESSAGE_MAX])
{
    struct irb irb;
    ccw1(&m, PROGRAM, READ, CCW_SLI, OSA_MESSAGE_MAX, ANSWER);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    if (tsch(&m, id, &irb) == 1) {
        ck_assert_int_eq(css_csch(m.css, id), 0);
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        return false;
    }
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    storage_read(m.storage, ANSWER, out, OSA_MESSAGE_MAX);
    return true;
}

static UNUSED void idx_on(u32 id, u8 kind)
{
    u8 msg[0x22] = {[2] = 0x80, [8] = kind, [9] = 1, [10] = 1, [11] = 0x80, [16] = 1, [17] = 1};
    u8 a[OSA_MESSAGE_MAX];
    ck_assert_uint_eq(message(id, msg, sizeof msg), DS_NORMAL);
    ck_assert(answer(id, a));
    ck_assert_uint_eq(a[8] & 3, 2);                 /* granted */
    ck_assert_uint_eq(be16_load(a + 0x10), 0x0201); /* the level for 0101 */
    ck_assert_uint_ne(a[2] & 0x80, 0);
}

/** A control message of `len` bytes: headers, then the command at 42. */
static UNUSED u16 control(u8 *msg, u8 kind, u16 cmd, u16 len)
{
    memset(msg, 0, len);
    msg[1] = 0xe0;
    msg[0x0b] = 0x14;
    be16_store(msg + 0x0e, len);
    msg[0x14] = 0x10;
    msg[0x18] = kind;
    msg[0x25] = 0x24;
    msg[0x3f] = 0x40;
    be16_store(msg + 0x42, cmd);
    return len;
}

/** A session of layer 2 (protocol 8) or 3. */
static UNUSED void session_of(u8 protocol)
{
    static const struct {
        u8 kind;
        u16 cmd, len;
    } step[] = {{0x81, 0x4102, 0x63},
                {0x81, 0x4104, 0x64},
                {0x41, 0x4102, 0x6b},
                {0x41, 0x4104, 0x6c},
                {0x41, 0x4360, 0x55}};
    u8 msg[256], a[OSA_MESSAGE_MAX];
    idx_on(rd, 0x19);
    idx_on(wr, 0x15);
    for (unsigned i = 0; i < ARRAY_LEN(step); i++) {
        u16 len = control(msg, step[i].kind, step[i].cmd, step[i].len);
        msg[0x50] = i == 2 ? protocol : 0;
        be32_store(msg + 0x1c, 100 + i);
        ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
        ck_assert(answer(rd, a));
        ck_assert_uint_eq(be32_load(a + 0x20), 100 + i); /* acknowledged */
        ck_assert_uint_eq(be32_load(a + 0x1c), i);
    }
}

static UNUSED void session(void)
{
    session_of(8);
}

/** An IP assist command with operands; its return code, the answer's operands in `out`. */
static UNUSED u16 ipa(u8 cmd, const u8 *operand, u16 n, u8 *out)
{
    u8 msg[OSA_MESSAGE_MAX], a[OSA_MESSAGE_MAX];
    u16 len = control(msg, 0xc1, 0, (u16)(0x40 + 20 + n));
    msg[0x40] = cmd;
    be16_store(msg + 0x42, 77);
    be16_store(msg + 0x4a, ipa_protocol);
    if (n)
        memcpy(msg + 0x40 + 20, operand, n);
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    ck_assert(answer(rd, a));
    ck_assert_uint_eq(a[0x40], cmd);
    ck_assert_uint_eq(be16_load(a + 0x42), 77);
    if (out)
        memcpy(out, a + 0x40 + 20, 256);
    return be16_load(a + 0x44);
}

static UNUSED u16 ipa_mac(u8 cmd, const u8 *mac)
{
    u8 operand[10] = {0, 0, 0, 6};
    memcpy(operand + 4, mac, 6);
    return ipa(cmd, operand, sizeof operand, NULL);
}

/* --- queues ---------------------------------------------------------------------------------- */

static UNUSED u32 sbal(unsigned queue, unsigned buffer)
{
    return SBALS + (queue * QDIO_BUFFERS + buffer) * 256;
}

static UNUSED void put64(u32 at, u64 v)
{
    u8 raw[8];
    be64_store(raw, v);
    ck_assert(storage_write(m.storage, at, raw, 8));
}

static UNUSED u8 state(unsigned queue, unsigned buffer)
{
    u8 v;
    storage_read(m.storage, STATES + queue * QDIO_BUFFERS + buffer, &v, 1);
    return v;
}

static UNUSED void state_put(unsigned queue, unsigned buffer, u8 v)
{
    storage_write(m.storage, STATES + queue * QDIO_BUFFERS + buffer, &v, 1);
}

static UNUSED void element(unsigned queue, unsigned buffer, unsigned i, u8 flags, u32 len,
                           u64 addr)
{
    u8 raw[16] = {flags};
    be32_store(raw + 4, len);
    be64_store(raw + 8, addr);
    storage_write(m.storage, sbal(queue, buffer) + i * 16, raw, 16);
}

static UNUSED void qdr_make(u8 qdr[QDR_BYTES])
{
    memset(qdr, 0, QDR_BYTES);
    qdr[5] = 1;
    qdr[7] = 4;
    qdr[9] = qdr[11] = 8;
    be64_store(qdr + 48, QIB);
    for (unsigned q = 0; q < QUEUES; q++) {
        be64_store(qdr + 64 + q * 32 + 8, LISTS + q * 1024);
        be64_store(qdr + 64 + q * 32 + 16, STATES + q * QDIO_BUFFERS);
        for (unsigned b = 0; b < QDIO_BUFFERS; b++)
            put64(LISTS + q * 1024 + b * 8, sbal(q, b));
    }
}

static UNUSED u8 establish(const u8 *qdr)
{
    storage_write(m.storage, QDR, qdr, QDR_BYTES);
    return command(data, 0x1e, QDR, QDR_BYTES);
}

static UNUSED void indicators(u64 summary, u64 subchannel)
{
    u8 page[CHSC_BYTES] = {0x0f, 0xe0, 0x00, 0x21};
    be64_store(page + 16, summary);
    be64_store(page + 24, subchannel);
    page[35] = ISC;
    be32_store(page + 44, data);
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    ck_assert_uint_eq(be16_load(page + 0xfe2), 1);
}

static UNUSED void activate(void)
{
    struct irb irb;
    ccw1(&m, ACTIVE_PROGRAM, 0x1f, CCW_SLI, 0, 0);
    ck_assert_int_eq(start(&m, data, ORB_F, ACTIVE_PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, data, &irb), 1); /* it goes on */
}

/** A driver that is up: session, queues, LAN, its address, `inputs` buffers given. */
static UNUSED void up(unsigned inputs)
{
    u8 qdr[QDR_BYTES];
    session();
    indicators(SUMMARY, INDICATOR);
    qdr_make(qdr);
    ck_assert_uint_eq(establish(qdr), DS_NORMAL);
    activate();
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    ck_assert_uint_eq(ipa_mac(0x21, own), 0);
    for (unsigned b = 0; b < inputs; b++) {
        element(0, b, 0, 0, 4096, DATA + b * 4096);
        element(0, b, 1, 0x40, 4096, DATA + 0x100000 + b * 4096);
        state_put(0, b, 0x41);
    }
}

static UNUSED void frame_make(u8 *frame, size_t len, const u8 *to, u8 mark)
{
    memset(frame, mark, len);
    memcpy(frame, to, 6);
    memcpy(frame + 6, peer_mac, 6);
    be16_store(frame + 12, 0x0800);
}

/** The other side sends a frame of `len` bytes. */
static UNUSED void arrives(size_t len, const u8 *to, u8 mark)
{
    static u8 frame[65536];
    frame_make(frame, len, to, mark);
    lan_send(peer.port, frame, len);
}

static UNUSED unsigned interruptions(void)
{
    struct io_interruption i;
    unsigned n = 0;
    while (css_take_interruption(m.css, 0xff, &i)) {
        ck_assert_uint_eq(i.int_word, IO_INT_ADAPTER | (u32)ISC << 27);
        ck_assert_uint_eq(i.schid, 0);
        n++;
    }
    return n;
}

static UNUSED u32 indicator(void)
{
    u8 raw[4];
    storage_read(m.storage, INDICATOR, raw, 4);
    return be32_load(raw);
}

static UNUSED void indicator_clear(void)
{
    u8 raw[4] = {0};
    storage_write(m.storage, INDICATOR, raw, 4);
}

/** A frame in output buffer `b` of queue `q`, header and data in elements of their own. */
static UNUSED void output(unsigned q, unsigned b, u16 len, u8 flags)
{
    u8 header[32] = {2}, frame[2048];
    u32 at = DATA + 0x400000 + (q * 16 + b) * 8192;
    be16_store(header + 6, len);
    frame_make(frame, len, peer_mac, (u8)b);
    storage_write(m.storage, at, header, 32);
    storage_write(m.storage, at + 4096, frame, len);
    element(1 + q, b, 0, 0, 32, at);
    element(1 + q, b, 1, 0x40, len, at + 4096);
    u8 f = flags;
    storage_write(m.storage, sbal(1 + q, b) + 3, &f, 1);
    state_put(1 + q, b, 0x62);
}

static UNUSED u16 adapter(u32 function, const u8 *operand, u16 n, u8 *out)
{
    u8 parm[128] = {0}, a[256];
    be32_store(parm + 12, function);
    memcpy(parm + 24, operand, n);
    ck_assert_uint_eq(ipa(0xb8, parm, (u16)(24 + n), a), 0);
    if (out)
        memcpy(out, a + 24, 64);
    return be16_load(a + 16);
}

#endif
