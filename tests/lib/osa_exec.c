/* The interpreter of fuzzed operations on network adapters. Most operations make something that is
 * nearly right and put bytes of the input into it. Device work is queued and done a bounded number
 * of turns at a time, so that channel programs that loop end with the input. */
#include "tests/lib/osa_exec.h"

#include <stdlib.h>

#include "io/css_internal.h"
#include "io/net/osa_internal.h"
#include "mem/base/ergo.h"

#define STORAGE_BYTES (1u << 20)
#define USED_BYTES (1u << 18) /* where pieces of storage go */
#define JOBS_MAX 64u
#define TURNS_PER_OPERATION 4
#define OPERATIONS_MAX 4000
#define ADAPTERS 2u
#define MESSAGE 0x1000u
#define ANSWER 0x3000u
#define QDR 0x5000u
#define QIB 0x6000u
#define LISTS 0x8000u  /* of each adapter 5 storage lists of 1024 bytes */
#define STATES 0xc000u /* of each adapter 5 state blocks of 128 bytes */
#define SBALS                                                                                  \
    0x10000u /* of each adapter and queue 8 lists of 256 bytes, used again and again */
#define BUFFERS 0x20000u
#define QUEUES 5u
#define LISTS_USED 8u
#define INDICATORS 0xe000u

struct job {
    void (*fn)(void *arg);
    void *arg;
};

struct world {
    struct storage *storage;
    struct css *css;
    struct lan *lan;
    struct lan_port *peer;
    struct osa *osa[ADAPTERS];
    struct job job[JOBS_MAX];
    unsigned jobs;
    u64 tod;
    unsigned depth; /* of frames that are answered by frames */
    bool answers;
};

struct input {
    const u8 *p, *end;
};

/* ---- ports and the peer ---- */

static void port_run(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct world *w = ctx;
    PRE(w->jobs < JOBS_MAX); /* a subchannel is scheduled once */
    w->job[w->jobs++] = (struct job){fn, arg};
}

static u64 port_tod(void *ctx)
{
    return ((struct world *)ctx)->tod;
}

static u64 lan_ms(void *arg)
{
    return port_tod(arg) / 4096000;
}

static const struct io_ports ports = {.run = port_run, .tod = port_tod};

/** A peer that answers: what it got goes back with stations exchanged. */
static bool peer_deliver(void *arg, const u8 *frame, size_t len)
{
    static u8 back[LAN_FRAME_MAX];
    struct world *w = arg;
    POST(len >= ETHER_HEADER_BYTES && len <= LAN_FRAME_MAX);
    if (!w->answers || w->depth)
        return true;
    w->depth++;
    memcpy(back, frame, len);
    memcpy(back, frame + MAC_BYTES, MAC_BYTES);
    memcpy(back + MAC_BYTES, frame, MAC_BYTES);
    back[MAC_BYTES] &= 0xfe;
    lan_send(w->peer, back, len);
    w->depth--;
    return true;
}

static const struct lan_port_ops peer_ops = {.deliver = peer_deliver};

static u16 devno_of(unsigned adapter)
{
    return (u16)(0x600 + adapter * 16);
}

static void world_create(struct world *w)
{
    struct cause cause;
    memset(w, 0, sizeof *w);
    POST(storage_create(&w->storage, STORAGE_BYTES, &cause) == ST_OK);
    w->css = css_create(w->storage, &ports, w);
    w->lan = lan_create();
    POST(w->css && w->lan);
    lan_clock(w->lan, lan_ms, w);
    w->peer = lan_port_add(w->lan, LAN_UPLINK, &peer_ops, w);
    POST(w->peer);
    for (unsigned i = 0; i < ADAPTERS; i++) {
        struct osa_config config = {.kind = i ? OSA_HIPERSOCKETS : OSA_QDIO,
                                    .devno = devno_of(i),
                                    .mac = {2, 0, 0, 0, 6, (u8)i}};
        POST(osa_create(w->css, &config, w->lan, false, &w->osa[i], &cause) == ST_OK);
    }
}

static void world_destroy(struct world *w)
{
    css_destroy(w->css);
    for (unsigned i = 0; i < w->jobs; i++) /* each holds a reference */
        w->job[i].fn(w->job[i].arg);
    lan_port_remove(w->peer);
    lan_destroy(w->lan);
    storage_destroy(w->storage);
}

static void turns(struct world *w, unsigned n)
{
    while (n-- && w->jobs) {
        struct job job = w->job[0];
        w->jobs--;
        memmove(w->job, w->job + 1, w->jobs * sizeof w->job[0]);
        job.fn(job.arg);
    }
}

/** What holds whatever happened. */
static void check(const struct world *w)
{
    for (unsigned i = 0; i < ADAPTERS; i++) {
        const struct osa *o = w->osa[i];
        const struct osa_state *s = &o->s;
        POST(s->macs <= OSA_MACS_MAX && s->groups <= OSA_GROUPS_MAX && s->ips <= OSA_IPS_MAX);
        POST(s->ip_groups <= OSA_IP_GROUPS_MAX && s->nears <= OSA_NEIGHBOURS_MAX);
        POST(o->replies <= OSA_REPLIES_MAX && o->backlog.count <= OSA_BACKLOG_FRAMES);
        POST(o->waiting.count <= OSA_WAITING_FRAMES && o->waiting.bytes <= OSA_WAITING_BYTES);
        POST(!o->port_users && !o->sending && qdio_state_valid(&o->q.s));
    }
}

/* ---- input ---- */

static u8 take8(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static u16 take16(struct input *in)
{
    u16 high = take8(in);
    return (u16)(high << 8 | take8(in));
}

static u32 take32(struct input *in)
{
    u32 high = take16(in);
    return high << 16 | take16(in);
}

static void take(struct input *in, u8 *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = take8(in);
}

/* ---- channel programs ---- */

static u32 schid_of(struct world *w, unsigned adapter, unsigned role)
{
    return css_find_devno(w->css, devno_of(adapter) + role);
}

static void start(struct world *w, unsigned adapter, unsigned role, u8 cmd, u32 addr, u16 len)
{
    u8 ccw[8] = {cmd, CCW_SLI}, orb[ORB_BYTES] = {[5] = 0x80, [6] = 0x80}, irb[IRB_BYTES];
    u32 program = 0x400 + (adapter * 4 + role) * 64, schid = schid_of(w, adapter, role);
    size_t n;
    be16_store(ccw + 2, len);
    be32_store(ccw + 4, addr);
    be32_store(orb + 8, program);
    storage_write(w->storage, program, ccw, sizeof ccw);
    css_tsch(w->css, schid, irb, &n);
    css_ssch(w->css, schid, orb);
    turns(w, TURNS_PER_OPERATION);
    css_tsch(w->css, schid, irb, &n);
}

static void enable_all(struct world *w)
{
    u8 schib[SCHIB_BYTES];
    for (unsigned i = 0; i < ADAPTERS; i++)
        for (unsigned role = 0; role < OSA_ROLES; role++) {
            u32 schid = schid_of(w, i, role);
            css_stsch(w->css, schid, schib);
            schib[5] |= 0x80;
            css_msch(w->css, schid, schib);
        }
}

static void message(struct world *w, unsigned adapter, unsigned role, const u8 *msg, u16 len)
{
    storage_write(w->storage, MESSAGE, msg, len);
    start(w, adapter, role, 0x01, MESSAGE, len);
}

static void answer(struct world *w, unsigned adapter, unsigned role)
{
    start(w, adapter, role, 0x02, ANSWER, OSA_MESSAGE_MAX);
}

static u16 control(u8 *msg, u8 kind, u16 cmd, u16 len)
{
    memset(msg, 0, len);
    msg[1] = 0xe0;
    msg[MSG_HEADER_AT] = 0x14;
    be16_store(msg + MSG_LENGTH, len);
    msg[0x14] = 0x10;
    msg[0x14 + MSG_KIND] = kind;
    msg[0x25] = 0x24;
    msg[MSG_PDU - 1] = MSG_PDU;
    be16_store(msg + MSG_PDU + 2, cmd);
    return len;
}

/** Whatever was going on on a device ends. */
static void clear(struct world *w, unsigned adapter, unsigned role)
{
    u8 irb[IRB_BYTES];
    size_t n;
    css_csch(w->css, schid_of(w, adapter, role));
    turns(w, JOBS_MAX);
    css_tsch(w->css, schid_of(w, adapter, role), irb, &n);
}

/** IDX and protocol, as a driver does them. */
static void session(struct world *w, unsigned adapter, bool layer3)
{
    u8 msg[256], idx[0x22] = {[2] = 0x80, [8] = 0x19, [9] = 1, [10] = 1, [16] = 1, [17] = 1};
    clear(w, adapter, OSA_READ);
    clear(w, adapter, OSA_WRITE);
    message(w, adapter, OSA_READ, idx, sizeof idx);
    answer(w, adapter, OSA_READ);
    idx[8] = 0x15;
    message(w, adapter, OSA_WRITE, idx, sizeof idx);
    answer(w, adapter, OSA_WRITE);
    control(msg, 0x41, 0x4102, 0x6b);
    msg[0x50] = layer3 ? 3 : 8;
    message(w, adapter, OSA_WRITE, msg, 0x6b);
    answer(w, adapter, OSA_READ);
}

static void ipa(struct world *w, unsigned adapter, u8 cmd, u16 version, const u8 *op, u16 n)
{
    u8 msg[OSA_MESSAGE_MAX];
    control(msg, MSG_KIND_IPA, 0, (u16)(MSG_PDU + IPA_HEADER_BYTES + n));
    msg[MSG_PDU] = cmd;
    be16_store(msg + MSG_PDU + IPA_PROTOCOL, version);
    memcpy(msg + MSG_PDU + IPA_HEADER_BYTES, op, n);
    message(w, adapter, OSA_WRITE, msg, (u16)(MSG_PDU + IPA_HEADER_BYTES + n));
    answer(w, adapter, OSA_READ);
}

/* ---- queues ---- */

static u32 lists_of(unsigned adapter, unsigned queue)
{
    return LISTS + (adapter * QUEUES + queue) * 1024;
}

static u32 states_of(unsigned adapter, unsigned queue)
{
    return STATES + (adapter * QUEUES + queue) * QDIO_BUFFERS;
}

static u32 sbal_of(unsigned adapter, unsigned queue, unsigned buffer)
{
    return SBALS + ((adapter * QUEUES + queue) * LISTS_USED + buffer % LISTS_USED) * 256;
}

static void put64(struct world *w, u32 at, u64 v)
{
    u8 raw[8];
    be64_store(raw, v);
    storage_write(w->storage, at, raw, sizeof raw);
}

static void queues(struct world *w, unsigned adapter, struct input *in)
{
    u8 qdr[QDR_BYTES] = {adapter ? 2 : 0, [5] = 1, [7] = 4, [9] = 8, [11] = 8},
       where = take8(in);
    be64_store(qdr + 48, QIB);
    for (unsigned q = 0; q < QUEUES; q++) {
        be64_store(qdr + 64 + q * 32 + 8, lists_of(adapter, q));
        be64_store(qdr + 64 + q * 32 + 16, states_of(adapter, q));
        for (unsigned b = 0; b < QDIO_BUFFERS; b++)
            put64(w, lists_of(adapter, q) + b * 8, sbal_of(adapter, q, b));
    }
    clear(w, adapter, OSA_DATA);
    if (where & 0x80)
        qdr[(where & 0x7f) * 2 + (take8(in) & 1)] = take8(in);
    storage_write(w->storage, QDR, qdr, sizeof qdr);
    start(w, adapter, OSA_DATA, 0x1e, QDR, QDR_BYTES);
    start(w, adapter, OSA_DATA, 0x1f, 0, 0);
}

/** A list of elements; byte 0 of the input's says how: how many, their lengths, where. */
static void list(struct world *w, struct input *in, u32 sbal, u32 data)
{
    u8 how = take8(in), n = how & 15;
    for (u8 i = 0; i <= n; i++) {
        u8 e[16] = {i == n ? 0x40 : 0};
        be32_store(e + 4, how & 0x80 ? take32(in) : how & 0x40 ? take16(in) : 4096);
        be64_store(e + 8, how & 0x20 ? take32(in) : (u64)data + i * 4096u);
        if (how & 0x10)
            e[0] = take8(in);
        storage_write(w->storage, sbal + i * 16, e, sizeof e);
    }
}

static void state_put(struct world *w, unsigned adapter, unsigned queue, unsigned buffer, u8 v)
{
    storage_write(w->storage, states_of(adapter, queue) + buffer, &v, 1);
}

/* ---- operations ---- */

static void op_store(struct world *w, struct input *in)
{
    u8 bytes[64];
    u32 at = take32(in) & (USED_BYTES - 1);
    size_t len = take8(in) % 64 + 1u;
    take(in, bytes, len);
    storage_write(w->storage, at, bytes, len);
}

static void op_message(struct world *w, struct input *in, unsigned adapter)
{
    u8 msg[OSA_MESSAGE_MAX] = {0}, how = take8(in);
    u16 len = take16(in) % (OSA_MESSAGE_MAX + 1);
    static const u8 kinds[] = {0x41, 0x81, MSG_KIND_IPA, 0};
    if (how & 0x80 && len >= MSG_PDU + 4)
        control(msg, kinds[how & 3], take16(in), len);
    u16 at = how & 0x80 ? (u16)(MSG_PDU - 16) : 0;
    for (u16 i = at; i < len && i < at + 128; i++)
        msg[i] ^= take8(in);
    message(w, adapter, how >> 4 & 1, msg, len);
}

static void op_ipa(struct world *w, struct input *in, unsigned adapter)
{
    static const u8 commands[] = {0x01, 0x02, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26,
                                  0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8,
                                  0xb9, 0xc3, 0xc4, 0x2a, 0x2b, 0xbe, 0x2f};
    u8 op[128] = {0}, which = take8(in), n = take8(in) % sizeof op;
    take(in, op, n);
    u8 cmd = which < 0xf0 ? commands[which % sizeof commands] : take8(in);
    if (cmd == 0xb8 && which & 1 && n >= 24) /* a function that there is */
        be32_store(op + 12, 1u << op[15] % 20);
    if (cmd == 0xb3 && which & 1 && n >= 12) {
        be32_store(op, 1u << op[3] % 24);
        op[6] = op[6] & 1;
    }
    if ((cmd == 0x2a || cmd == 0x2b || cmd == 0xbe) && which & 1 && n >= 20) {
        be32_store(op + 12, op[15] % 6 ? 1u << op[15] % 6 : 0);
        be32_store(op + 16, 0x80000000u >> op[19] % 8);
    }
    ipa(w, adapter, cmd, which & 2 ? 6 : 4, op, n);
}

static void op_up(struct world *w, struct input *in, unsigned adapter)
{
    u8 how = take8(in), ip[36] = {10, 0, 0, (u8)(1 + adapter)};
    u8 mac[10] = {[3] = 6, [4] = 2, [8] = 6, [9] = (u8)adapter};
    session(w, adapter, how & 1);
    queues(w, adapter, in);
    ipa(w, adapter, 0x01, 4, ip, 0);
    if (how & 1)
        ipa(w, adapter, 0xb1, 4, ip, 12);
    else
        ipa(w, adapter, 0x21, 4, mac, sizeof mac);
    if (how & 2) {
        memset(ip, 0, sizeof ip);
        ip[0] = 0xfd;
        ip[15] = (u8)(1 + adapter);
        ipa(w, adapter, 0xb1, 6, ip, 36);
    }
    w->answers = how & 4;
}

static void op_input_buffers(struct world *w, struct input *in, unsigned adapter)
{
    u8 n = take8(in);
    list(w, in, sbal_of(adapter, 0, n), BUFFERS + (n & 7) * 0x1000);
    for (unsigned b = 0; b < QDIO_BUFFERS; b++)
        if (n & 0x80 || b % LISTS_USED == n % LISTS_USED)
            state_put(w, adapter, 0, b, 0x41);
    css_siga(w->css, SIGA_READ, schid_of(w, adapter, OSA_DATA), 0x80000000, 0);
}

static void op_output(struct world *w, struct input *in, unsigned adapter)
{
    u8 header[64] = {0}, packet[160], how = take8(in);
    unsigned queue = 1 + how % 4, buffer = w->osa[adapter]->q.s.next[queue];
    u32 sbal = sbal_of(adapter, queue, buffer), data = BUFFERS + 0x10000;
    u16 len = take16(in);
    size_t n = take8(in) % sizeof packet;
    header[0] = how >> 3 & 7;
    be16_store(header + (header[0] & 1 ? 8 : 6), len);
    take(in, header + 1, 5);
    header[11] = take8(in);
    be16_store(header + 12, take8(in));
    take(in, header + 28, 4);
    be16_store(header + 44, take16(in));
    take(in, packet, n);
    storage_write(w->storage, data, header, sizeof header);
    storage_write(w->storage, data + (header[0] == 3 || header[0] == 6 ? 64 : 32), packet, n);
    if (how & 0x40)
        list(w, in, sbal, data);
    else
        for (u8 i = 0; i < 16; i++) {
            u8 e[16] = {i == 15 ? 0x40 : 0};
            be32_store(e + 4, 4096);
            be64_store(e + 8, data + i * 4096u);
            storage_write(w->storage, sbal + i * 16u, e, sizeof e);
        }
    state_put(w, adapter, queue, buffer, 0x62);
    css_siga(w->css, SIGA_WRITE, schid_of(w, adapter, OSA_DATA), 0x80000000 >> (queue - 1), 0);
}

/** A frame of the peer: anything, or ARP, IPv4, IPv6, neighbour discovery with bytes of the input.
 */
static void op_frame(struct world *w, struct input *in)
{
    static u8 frame[LAN_FRAME_MAX + 16];
    static const u16 types[] = {0x0806, 0x0800, 0x86dd, 0x8100, 0x8035};
    u8 how = take8(in);
    size_t len = how & 0x40 ? take16(in) : take8(in), n = len < 160 ? len : 160;
    len += how & 0x20 ? ETHER_HEADER_BYTES : 0;
    memset(frame, how, len);
    take(in, frame + ETHER_HEADER_BYTES, n);
    memcpy(frame, how & 0x10 ? "\xff\xff\xff\xff\xff\xff" : "\2\0\0\0\6\0", MAC_BYTES);
    frame[5] ^= how & 1;
    memcpy(frame + MAC_BYTES, "\2\0\0\0\7\7", MAC_BYTES);
    be16_store(frame + ETHER_TYPE_AT, types[(how >> 1 & 7) % ARRAY_LEN(types)]);
    lan_send(w->peer, frame, len);
}

static void op_siga(struct world *w, struct input *in, unsigned adapter)
{
    u8 function = take8(in);
    u32 mask = take32(in);
    int cc =
        css_siga(w->css, function, schid_of(w, adapter, take8(in) % OSA_ROLES), mask, ~mask);
    POST(cc >= 0 ? cc <= 3 : cc == CSS_PGM_OPERAND);
}

static void op_indicators(struct world *w, struct input *in, unsigned adapter)
{
    static u8 page[CHSC_BYTES];
    memset(page, 0, sizeof page);
    be32_store(page, 0x0fe00021);
    be64_store(page + 16, INDICATORS + take8(in));
    be64_store(page + 24, take8(in) & 0x80 ? take32(in) : INDICATORS + 256);
    page[32] = take8(in);
    page[35] = take8(in) & 7;
    be32_store(page + 44, schid_of(w, adapter, OSA_DATA));
    css_chsc(w->css, page);
}

static void op_stop(struct world *w, struct input *in, unsigned adapter)
{
    u8 how = take8(in);
    u32 schid = schid_of(w, adapter, how % OSA_ROLES);
    struct cause cause;
    switch (how >> 4) {
    case 0:
    case 1: css_csch(w->css, schid); break;
    case 2:
    case 3: css_hsch(w->css, schid); break;
    case 4:
        css_reset(w->css);
        enable_all(w);
        break;
    case 5: osa_uncouple(w->osa[adapter]); break;
    case 6: osa_couple(w->osa[adapter], w->lan, NULL, &cause); break;
    case 7: storage_key_set(w->storage, take32(in) & (USED_BYTES - 1), take8(in) & 0xfe); break;
    default: w->tod += take32(in) * 4096ull * 1000;
    }
    turns(w, TURNS_PER_OPERATION);
}

/** Its own state, perhaps changed, comes back. */
static void op_restore(struct world *w, struct input *in)
{
    struct codec_out out;
    struct codec_in block;
    struct codec_row row;
    struct cause cause = {0};
    u8 changes = take8(in) & 3;
    css_quiesce(w->css);
    codec_out_init(&out);
    POST(css_save(w->css, 1, &out, &cause) == ST_OK && !out.failed);
    for (u8 i = 0; i < changes; i++)
        out.data[take32(in) % out.len] ^= take8(in);
    codec_in_init(&block, out.data, out.len);
    bool well = codec_next(&block, &row) && codec_open(&row, &block) &&
                css_restore(w->css, &block, &cause) == ST_OK;
    POST(well || changes);
    codec_out_fini(&out);
    css_resume(w->css);
    if (!well) {
        css_reset(w->css);
        enable_all(w);
    }
    turns(w, TURNS_PER_OPERATION);
}

static void operation(struct world *w, struct input *in)
{
    u8 what = take8(in);
    unsigned adapter = what >> 7;
    switch (what & 15) {
    case 0: op_store(w, in); break;
    case 1: op_message(w, in, adapter); break;
    case 2:
    case 3:
    case 4: op_ipa(w, in, adapter); break;
    case 5: op_up(w, in, adapter); break;
    case 6: op_input_buffers(w, in, adapter); break;
    case 7:
    case 8:
    case 9: op_output(w, in, adapter); break;
    case 10:
    case 11: op_frame(w, in); break;
    case 12: op_siga(w, in, adapter); break;
    case 13: op_indicators(w, in, adapter); break;
    case 14: op_stop(w, in, adapter); break;
    default: op_restore(w, in);
    }
}

void osa_exec_run(const u8 *data, size_t size)
{
    static struct world w;
    struct input in = {data, data + size};
    world_create(&w);
    enable_all(&w);
    for (unsigned n = 0; in.p < in.end && n < OPERATIONS_MAX; n++) {
        operation(&w, &in);
        turns(&w, TURNS_PER_OPERATION);
        check(&w);
    }
    world_destroy(&w);
}
