/* The other side of a relocation that sends anything; see the header. */
#include "tests/lib/lgr_exec.h"

#include "ssi/ssi_internal.h"
#include "tests/lib/lgr_world.h"

#define STEPS 30
#define STEPS_LEFT_MAX 20000
#define PIECES_MAX 400

struct recorder {
    struct ssi_service svc;
    const struct ssi_service *real;
    u8 *out;
    size_t len;
};

struct input {
    const u8 *p, *end;
};

static u8 take(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static struct world *joined_world(void)
{
    struct world *w = world_create(1, 2);
    w->smooth = true;
    w->store_bytes = FRAME_BYTES;
    for (unsigned s = 0; s < 2; s++) {
        actor_start(&w->actors[s]);
        while (!w->actors[s].joined)
            world_step(w);
    }
    return w;
}

static void pass_time(struct world *w)
{
    for (unsigned i = 0; i < STEPS; i++)
        world_step(w);
}

static void until_idle(struct world *w)
{
    for (unsigned i = 0; i < STEPS_LEFT_MAX && (w->actors[0].lgr->active || !running(w, 1, 0));
         i++)
        world_step(w);
}

/* --- recording --- */

static struct ssi_service_entry {
    const struct ssi_service *svc;
    void *ctx;
} service_of(struct actor *a)
{
    const struct ssi *ssi = ssi_sim_member(a->world->sim, a->slot);
    for (unsigned i = 0; i < ssi->n_services; i++)
        if (ssi->services[i].svc->id == LGR_SSI_SERVICE)
            return (struct ssi_service_entry){ssi->services[i].svc, ssi->services[i].ctx};
    CHECK(a->world, !"LGR is there");
    return (struct ssi_service_entry){0};
}

static void put(struct recorder *r, const void *p, size_t len)
{
    ck_assert(r->len + len <= LGR_EXEC_BYTES_MAX);
    memcpy(r->out + r->len, p, len);
    r->len += len;
}

static struct recorder *recording; /* the service keeps its own ctx, for its other functions */

static void record(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct recorder *r = recording;
    const u8 head[4] = {(u8)type, 1, (u8)(len >> 8), (u8)len};
    put(r, head, sizeof head);
    put(r, data, len);
    if (type == LGR_MSG_FINISH)
        put(r, "\x81\x80", 2);
    r->real->receive(ctx, from, type, data, len);
}

size_t lgr_exec_record(u8 out[LGR_EXEC_BYTES_MAX])
{
    struct world *w = joined_world();
    struct ssi_service_entry service = service_of(&w->actors[1]);
    struct recorder r = {.svc = *service.svc, .real = service.svc, .out = out};
    struct ssi *ssi = ssi_sim_member(w->sim, 1);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    unsigned at = 0;
    while (ssi->services[at].svc != service.svc)
        at++;
    user_logon(&w->actors[0], 0);
    pass_time(w);
    r.svc.receive = record;
    recording = &r;
    ssi->services[at].svc = &r.svc;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    until_idle(w);
    ssi->services[at].svc = service.svc;
    CHECK(w, running(w, 1, 0));
    world_destroy(w);
    return r.len;
}

/* --- replaying --- */

/* The PDR gives the first user to the destination, as its source would. */
static void give(struct world *w)
{
    struct fake *g = &w->actors[0].guest[0];
    u64 generation;
    if (g->here && ssi_move_claim(ssi_sim_member(w->sim, 0), LGR_CLAIM_KIND, users[0], g->claim,
                                  "M1", &generation, NULL) == ST_OK)
        world_forget(w, 0, 0);
}

static void deliver(struct world *w, struct input *in, u8 type)
{
    static u8 bytes[LGR_EXEC_BYTES_MAX];
    struct ssi_service_entry service = service_of(&w->actors[1]);
    struct lgr_head head;
    u8 flags = take(in);
    size_t len = (size_t)take(in) << 8;
    len |= take(in);
    len = len < (size_t)(in->end - in->p) ? len : (size_t)(in->end - in->p);
    memcpy(bytes, in->p, len);
    in->p += len;
    const struct rlobk *r = w->actors[1].lgr->active;
    if ((flags & 1) && r && lgr_head_load(bytes, len, &head)) {
        head.seq = r->seq_in;
        lgr_head_store(bytes, &head);
    }
    service.svc->receive(service.ctx, "M0", type, bytes, len);
}

static void happen(struct world *w, u8 what)
{
    struct actor *d = &w->actors[1];
    switch (what & 7) {
    case 1: give(w); break;
    case 2: user_logon(d, 0); break;
    case 3: ssi_sim_cut(w->sim, 0, 1); break;
    case 4: lgr_guest_logon(d->lgr, users[what >> 4 & 1]); break;
    case 5: /* a CP exit is enabled there: which one, and what it answers */
        d->exit[what >> 4 & 1] = (struct fake_answer){
            true, what >> 5 & 1 ? LGR_EXIT_REJECTED : LGR_COMPLETED, what & 64 ? 3 : 0};
        break;
    default: break;
    }
    pass_time(w);
}

/* What the PDR has given to a destination that did not take it. */
static void release(struct world *w, unsigned u)
{
    struct ssi *ssi = ssi_sim_member(w->sim, 1);
    char owner[SSI_NAME_BYTES] = "";
    u64 generation;
    if (ssi_claim_find(ssi, LGR_CLAIM_KIND, users[u], owner, &generation) == ST_OK &&
        !strcmp(owner, "M1"))
        ssi_release(ssi, LGR_CLAIM_KIND, users[u], generation);
}

/* Nothing is left for the next input. */
static void clear(struct world *w)
{
    struct actor *d = &w->actors[1];
    lgr_enter(d->lgr);
    while (d->lgr->active)
        dest_discard(d->lgr->active, LGR_INTERNAL, "the input has ended");
    dest_exits_forget(d->lgr, NULL);
    memset(d->exit, 0, sizeof d->exit);
    lgr_leave(d->lgr);
    for (unsigned u = 0; u < USERS; u++) {
        CHECK(w, !d->guest[u].incoming);
        user_logoff(d, u);
    }
    pass_time(w);
}

static bool linked(struct world *w)
{
    for (unsigned s = 0; s < 2; s++)
        if (ssi_mode(ssi_sim_member(w->sim, s)) != SSI_MODE_STABLE)
            return false;
    return true;
}

static void begin(struct world *w)
{
    for (unsigned i = 0; i < STEPS_LEFT_MAX && !linked(w); i++)
        world_step(w);
    for (unsigned i = 0; i < STEPS_LEFT_MAX && !w->actors[0].guest[0].here; i++) {
        release(w, 0);
        user_logon(&w->actors[0], 0);
        world_step(w);
    }
    CHECK(w, w->actors[0].guest[0].here);
    w->actors[0].guest[0].quiesced = true; /* its source has stopped it */
}

struct lgr_exec_result lgr_exec_run(const u8 *data, size_t size)
{
    static struct world *w;
    struct input in = {data, data + size};
    struct lgr_exec_result result = {0};
    w = w ? w : joined_world();
    begin(w);
    unsigned resumed = w->resumed;
    for (unsigned i = 0; i < PIECES_MAX && in.p < in.end; i++) {
        u8 what = take(&in);
        world_believe(w,
                      1); /* what it verifies is the sender's affair, who may send anything */
        if (what < 128) {
            deliver(w, &in, what);
            result.messages++;
        } else {
            happen(w, what); /* an exit may let it become READY */
        }
        if (w->actors[1].lgr->active)
            result.ready += w->actors[1].lgr->active->state == RLO_D_READY;
        check_runners(w);
    }
    result.resumed = w->resumed - resumed;
    clear(w);
    return result;
}
