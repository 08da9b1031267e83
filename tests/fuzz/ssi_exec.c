/* libFuzzer's entry to SSI links: two members of a simulated cluster are joined; then strangers call the first with any bytes
 * and with whole frames of any content, and its peer sends frames that no member would. `make fuzz`. */
#include <stdlib.h>

#include "mem/base/crc32c.h"
#include "ssi/ssi_internal.h"
#include "ssi/ssi_sim.h"
#include "tests/fuzz/budget.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define STEPS_JOIN_MAX 20000
#define STEPS_AFTER 60
#define OPERATIONS_MAX 24

struct input {
    const u8 *p, *end;
};

struct world {
    struct ssi_sim *sim;
    ssi_conn stranger;
    u32 seq;
};

static u8 take(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static u16 take16(struct input *in)
{
    u8 high = take(in);
    return (u16)(high << 8 | take(in));
}

/* Up to `max` bytes of the input. */
static struct ssi_iov rest(struct input *in, size_t max)
{
    size_t len = (size_t)(in->end - in->p);
    struct ssi_iov iov = {in->p, len < max ? len : max};
    in->p += iov.len;
    return iov;
}

static void done(void *ctx, int status, const struct cause *cause)
{
    (void)cause;
    *(int *)ctx = status == ST_OK ? 1 : -1;
}

static void receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    (void)ctx;
    (void)from;
    (void)type;
    (void)data;
    (void)len;
}

static const struct ssi_service services[2] = {
    {.id = 1, .name = "ONE", .receive = receive},
    {.id = 2, .name = "TWO", .bulk = true, .receive = receive},
};

static bool join(struct world *w)
{
    int joined[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct ssi_config config;
        struct cause cause;
        ssi_sim_config(&config, i, 2);
        struct ssi *ssi = ssi_sim_start(w->sim, &config, i, &cause);
        POST(ssi);
        for (unsigned k = 0; k < 2; k++)
            POST(ssi_register_service(ssi, &services[k], NULL) == ST_OK);
        ssi_join(ssi, done, &joined[i]);
    }
    for (unsigned i = 0; i < STEPS_JOIN_MAX && !(joined[0] == 1 && joined[1] == 1); i++)
        ssi_sim_step(w->sim);
    return joined[0] == 1 && joined[1] == 1;
}

static void steps(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ssi_sim_step(w->sim);
}

/* A frame whose header is right, behind HELLO's number if `w->seq` says so. */
static void stranger_frame(struct world *w, struct input *in, const struct ssi_ports *ports)
{
    u8 header[SSI_WIRE_HEAD_BYTES_MAX], type = take(in);
    struct wire_frame frame = {.type = type, .version = take(in), .seq = w->seq++};
    frame.service = take(in);
    frame.mtype = take16(in);
    u8 lie = take(in);
    struct ssi_iov iov[2] = {{header, 0}, rest(in, take16(in) % 1200u)};
    frame.length = (u32)iov[1].len + (lie > 250 ? lie : 0);
    if (type & 0x80) { /* no type is so great: one with a check, which may be a wrong one */
        frame.type = type & 0x7f;
        frame.checked = true;
        frame.check = crc32c(0, iov[1].p, iov[1].len) ^ (lie & 1);
    }
    iov[0].len = ssi_wire_header(header, &frame);
    ports->send(ports->ctx, w->stranger, iov, iov[1].len ? 2 : 1);
}

static void operation(struct world *w, struct input *in)
{
    struct ssi *peer = ssi_sim_member(w->sim, 1);
    struct cause cause;
    u8 what = take(in);
    if (!peer)
        return;
    const struct ssi_ports *ports = peer->ports;
    struct ssi_link *link = peer->members[0].link;
    struct ssi_link *stream = link && link->n_streams ? link->streams[what >> 4 & 1] : NULL;
    struct ssi_iov iov;
    u8 type, service;
    switch (what & 7) {
    case 0:
        w->stranger = ports->connect(ports->ctx, "sim:0", &cause);
        w->seq = 0;
        steps(w, 4);
        break;
    case 1:
        iov = rest(in, take16(in) % 1200u);
        if (w->stranger && iov.len)
            ports->send(ports->ctx, w->stranger, &iov, 1);
        break;
    case 2:
        if (w->stranger)
            stranger_frame(w, in, ports);
        break;
    case 3:
        if (w->stranger)
            ports->close(ports->ctx, w->stranger, what & 0x80);
        w->stranger = 0;
        break;
    case 4: /* a member that sends what it should not */
    case 5:
        link = what & 1 && stream ? stream : link;
        type = take(in);
        service = take(in);
        iov = rest(in, take16(in) % 4000u);
        if (link && link->state != LINK_CLOSED && link->conn)
            ssi_link_send(peer, link, type, service, take(in), &iov, iov.len ? 1 : 0);
        break;
    case 6:
        if (stream && stream->conn)
            ports->close(ports->ctx, stream->conn, what & 0x80);
        break;
    default: steps(w, take(in)); break;
    }
    steps(w, 2);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};
    struct world w = {ssi_sim_create(1 + take(&in) % 4), 0, 0};
    POST(w.sim);
    if (join(&w))
        for (unsigned i = 0; i < OPERATIONS_MAX && in.p < in.end; i++)
            operation(&w, &in);
    steps(&w, STEPS_AFTER);
    POST(ssi_sim_errors(w.sim) == 0);
    ssi_sim_destroy(w.sim);
    budget_count();
    return 0;
}
