/* The simulated cluster with fake guests that lgr_world.h describes. */
#include "tests/lib/lgr_world.h"

const char *const users[USERS] = {"LINUX1", "LINUX2", "LINUX3"};

u64 pick(struct world *w, u64 n)
{
    return ssi_sim_random(w->sim) % n;
}

static unsigned user_index(const char *name)
{
    return (unsigned)(name[5] - '1');
}

bool running(struct world *w, unsigned slot, unsigned u)
{
    const struct fake *g = &w->actors[slot].guest[u];
    return ssi_sim_member(w->sim, slot) && g->here && !g->incoming && !g->quiesced;
}

static struct truth truth_of(const struct fake *g)
{
    u64 h = lgr_bytes_hash(g->st->base, g->st->size);
    return (struct truth){h ^ lgr_bytes_hash((const u8 *)g->st->skey, g->st->frames),
                          g->counter};
}

static void fake_free(struct fake *g)
{
    storage_destroy(g->st);
    *g = (struct fake){0};
}

/* --- the PDR, looked at from outside --- */

static const struct ssi_pdr *pdr_newest(struct world *w)
{
    static struct ssi_pdr pdr;
    return ssi_sim_pdr_look(w->sim, &pdr) ? &pdr : NULL;
}

static void pdr_owners(struct world *w, int owner[USERS])
{
    const struct ssi_pdr *pdr = pdr_newest(w);
    for (unsigned u = 0; u < USERS; u++) {
        owner[u] = -1;
        for (u32 i = 0; pdr && i < pdr->n_claims; i++)
            if (!strcmp(pdr->claims[i].name, users[u]))
                owner[u] = pdr->claims[i].owner;
    }
}

static int pdr_owner(struct world *w, unsigned u)
{
    int owner[USERS];
    pdr_owners(w, owner);
    return owner[u];
}

void check_runners(struct world *w)
{
    int owners[USERS];
    pdr_owners(w, owners);
    for (unsigned u = 0; u < USERS; u++) {
        int runner = -1;
        for (unsigned s = 0; s < w->n; s++)
            if (running(w, s, u)) {
                CHECK(w, runner == -1); /* [I1] */
                runner = (int)s;
            }
        int owner = owners[u];
        CHECK(w, runner == -1 || runner == owner);
        if (owner >= 0 && !ssi_sim_member(w->sim, (unsigned)owner))
            w->alive[u] = false; /* handed over to a member that had just died */
    }
}

/* --- guests as the engine sees them --- */

static void *fake_find(void *ctx, const char *user)
{
    struct actor *a = ctx;
    struct fake *g = &a->guest[user_index(user)];
    return g->here && !g->incoming ? g : NULL;
}

static void fake_info(void *ctx, void *guest, const char *to, struct lgr_guest_info *out)
{
    struct actor *a = ctx;
    (void)to;
    snprintf(out->user, sizeof out->user, "%s", users[(struct fake *)guest - a->guest]);
    out->storage_bytes = a->world->guest_bytes;
    out->cpus = 1;
    out->disconnected = out->relocatable = out->in_domain = true;
}

static u64 fake_claim(void *ctx, void *guest)
{
    (void)ctx;
    return ((struct fake *)guest)->claim;
}

static struct storage *fake_storage(void *ctx, void *guest)
{
    (void)ctx;
    return ((struct fake *)guest)->st;
}

static u64 fake_epoch(void *ctx, void *guest, u64 *set)
{
    (void)ctx;
    return storage_epoch(((struct fake *)guest)->st, set);
}

static void fake_throttle(void *ctx, void *guest, unsigned percent)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && !g->incoming && percent < 100 && percent != g->throttle);
    g->throttle = percent;
}

static bool fake_quiesce(void *ctx, void *guest)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && !g->incoming && !g->quiesced);
    if (!a->world->smooth && pick(a->world, 4) == 0)
        return false;
    g->quiesced = true;
    return true;
}

static void fake_unquiesce(void *ctx, void *guest)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && !g->incoming && g->quiesced);
    g->quiesced = false;
}

/* Saving may store into the guest, as finishing a device's work does. */
static int fake_save(void *ctx, void *guest, struct codec_out *out, struct cause *cause)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->quiesced);
    if (a->world->disks_fail || (!a->world->smooth && pick(a->world, 40) == 0))
        return cause_set(cause, ST_IO, "the fake's disk fails");
    u64 noise = pick(a->world, ~0ull);
    storage_write(g->st, pick(a->world, GUEST_BYTES - 8), &noise, 8);
    codec_put_u64(out, 1, g->counter);
    codec_put_bytes(out, 2, (const void *)g->st->skey, g->st->frames);
    a->world->truth[g - a->guest] = truth_of(g);
    return ST_OK;
}

static void fake_here(void *ctx, const struct lgr_guest_info *info, struct lgr_here *out)
{
    struct actor *a = ctx;
    const struct fake *g = &a->guest[user_index(info->user)];
    *out = (struct lgr_here){.known = true};
    out->logged_on = g->here && !g->incoming;
    out->storage_max_bytes = out->memory_free_bytes = 1u << 30;
}

static int fake_arrive(void *ctx, const struct lgr_guest_info *info, void **guest,
                       struct cause *cause)
{
    struct actor *a = ctx;
    struct fake *g = &a->guest[user_index(info->user)];
    CHECK(a->world, !g->here);
    if (!a->world->smooth && pick(a->world, 30) == 0)
        return cause_set(cause, ST_NOMEM, "the fake refuses");
    g->here = g->incoming = g->quiesced = true;
    *guest = g;
    return storage_create(&g->st, info->storage_bytes, cause);
}

static int fake_restore(void *ctx, void *guest, struct codec_in *in, struct cause *cause)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    struct codec_row row;
    CHECK(a->world, g->incoming);
    if (!a->world->smooth && pick(a->world, 40) == 0)
        return cause_set(cause, ST_PROTO, "the fake refuses");
    while (codec_next(in, &row)) {
        if (row.tag == 1)
            codec_get_u64(&row, &g->counter);
        else if (row.tag == 2 && row.len == g->st->frames)
            memcpy((void *)g->st->skey, row.p, row.len);
    }
    return in->failed ? ST_PROTO : ST_OK;
}

static void fake_run(void *ctx, void *guest, u64 generation)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    unsigned u = (unsigned)(g - a->guest);
    struct truth now = truth_of(g), then = a->world->truth[u];
    CHECK(a->world, g->incoming);
    CHECK(a->world, now.storage == then.storage && now.counter == then.counter); /* [I3] */
    g->incoming = g->quiesced = false;
    g->claim = generation;
    a->world->resumed++;
    for (unsigned s = 0; s < a->world->n; s++)
        CHECK(a->world, s == a->slot || !running(a->world, s, u)); /* [I1] */
}

static void fake_depart(void *ctx, void *guest)
{
    struct actor *a = ctx;
    CHECK(a->world, ((struct fake *)guest)->quiesced);
    fake_free(guest);
}

static const struct lgr_guests fakes = {.find = fake_find,
                                        .info = fake_info,
                                        .claim = fake_claim,
                                        .storage = fake_storage,
                                        .epoch = fake_epoch,
                                        .throttle = fake_throttle,
                                        .quiesce = fake_quiesce,
                                        .unquiesce = fake_unquiesce,
                                        .save = fake_save,
                                        .here = fake_here,
                                        .arrive = fake_arrive,
                                        .restore = fake_restore,
                                        .run = fake_run,
                                        .depart = fake_depart};

/* --- time --- */

static u64 port_now(void *ctx)
{
    struct actor *a = ctx;
    return ssi_sim_now_ms(a->world->sim) * 1000000;
}

static u64 port_timer(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg)
{
    struct actor *a = ctx;
    u64 at_ms = ssi_sim_now_ms(a->world->sim) + delay_ms;
    for (unsigned i = 0; i < TIMERS_MAX; i++)
        if (!a->timers[i].id) {
            a->timers[i] = (struct fake_timer){++a->last_timer, at_ms, fire, arg};
            return a->last_timer;
        }
    CHECK(a->world, !"timers left");
    return 0;
}

static void port_cancel(void *ctx, u64 id)
{
    struct actor *a = ctx;
    for (unsigned i = 0; i < TIMERS_MAX; i++)
        if (a->timers[i].id == id)
            a->timers[i].id = 0;
}

static void fire_timers(struct actor *a)
{
    u64 now = ssi_sim_now_ms(a->world->sim);
    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        struct fake_timer t = a->timers[i];
        if (!t.id || t.at_ms > now)
            continue;
        a->timers[i].id = 0;
        t.fire(t.arg);
    }
}

/* --- members --- */

static void on_expelled(void *ctx, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    a->restart = true;
    for (unsigned u = 0; u < USERS; u++)
        a->guest[u].quiesced = true;
}

static void join_done(void *ctx, int status, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    a->joining = false;
    a->joined = status == ST_OK;
    a->restart = !a->joined;
}

void actor_start(struct actor *a)
{
    static const struct ssi_events events = {.expelled = on_expelled};
    struct world *w = a->world;
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, a->slot, w->n);
    if (w->silence_ms)
        config.silence_ms = w->silence_ms;
    struct ssi *ssi = ssi_sim_start(w->sim, &config, 0, &cause);
    CHECK(w, ssi != NULL);
    a->joining = true;
    a->joined = a->restart = false;
    a->ports = (struct lgr_ports){a, port_now, port_timer, port_cancel};
    CHECK(w, lgr_core_create(ssi, &a->ports, &fakes, a, true, &a->lgr, &cause) == ST_OK);
    ssi_set_events(ssi, &events, a);
    ssi_join(ssi, join_done, a);
}

/* The process has gone: its memory with it. Guests that the PDR says it owned are lost. */
static void actor_bury(struct actor *a)
{
    struct world *w = a->world;
    if (!a->lgr)
        return;
    while (a->lgr->active) {
        struct rlobk *r = a->lgr->active;
        a->lgr->active = r->next;
        r->next = a->lgr->dead;
        a->lgr->dead = r;
        free(r->watch.ctx);
    }
    lgr_enter(a->lgr);
    lgr_leave(a->lgr);
    free(a->lgr);
    a->lgr = NULL;
    for (unsigned u = 0; u < USERS; u++) {
        int owner = pdr_owner(w, u);
        if (owner == -1 || owner == (int)a->slot)
            w->alive[u] = false;
        fake_free(&a->guest[u]);
    }
    memset(a->timers, 0, sizeof a->timers);
    a->joined = a->joining = a->restart = false;
    w->crashes++;
}

void bury_dead(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++) {
        if (w->actors[s].restart)
            ssi_sim_crash(w->sim, s);
        if (!ssi_sim_member(w->sim, s))
            actor_bury(&w->actors[s]);
    }
}

struct world *world_create(u64 seed, unsigned n)
{
    struct world *w = calloc(1, sizeof *w);
    w->seed = seed;
    w->sim = ssi_sim_create(seed);
    ck_assert(w->sim != NULL);
    ssi_sim_verbose(w->sim, getenv("LGR_SIM_VERBOSE") != NULL);
    w->n = n;
    w->guest_bytes = GUEST_BYTES;
    for (unsigned s = 0; s < n; s++) {
        w->actors[s].world = w;
        w->actors[s].slot = s;
    }
    return w;
}

void world_destroy(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++) {
        if (ssi_sim_member(w->sim, s))
            ssi_sim_crash(w->sim, s);
        actor_bury(&w->actors[s]);
    }
    ssi_sim_destroy(w->sim);
    free(w);
}

/* Guests that run store into storage, sometimes zeros. */
static void guests_run(struct world *w)
{
    static const u8 zeros[FRAME_BYTES];
    for (unsigned s = 0; s < w->n; s++)
        for (unsigned u = 0; u < USERS; u++) {
            struct fake *g = &w->actors[s].guest[u];
            for (unsigned i = 0; running(w, s, u) && i < 3; i++) {
                u64 value = pick(w, ~0ull);
                storage_write(g->st, pick(w, GUEST_BYTES - 8), &value, 8);
                if (pick(w, 8) == 0)
                    storage_write(g->st, pick(w, 256) * FRAME_BYTES, zeros, FRAME_BYTES);
                g->counter++;
            }
        }
}

/* A busy guest goes through its storage in order, as fast as it gets processor time. */
static void guests_work(struct world *w)
{
    u64 now_ms = ssi_sim_now_ms(w->sim), ms = now_ms - w->busy_ms;
    w->busy_ms = now_ms;
    for (unsigned s = 0; w->busy && s < w->n; s++)
        for (unsigned u = 0; u < USERS; u++) {
            struct fake *g = &w->actors[s].guest[u];
            unsigned left = w->stubborn ? 100 : 100 - g->throttle;
            u64 count = running(w, s, u) ? ms * w->busy * left / 100 : 0;
            for (; count; count--) {
                u64 value = ++g->counter;
                storage_write(g->st, value * FRAME_BYTES % w->guest_bytes, &value, 8);
            }
        }
}

void world_step(struct world *w)
{
    ssi_sim_step(w->sim);
    bury_dead(w);
    for (unsigned s = 0; s < w->n; s++)
        if (w->actors[s].lgr)
            fire_timers(&w->actors[s]);
    bury_dead(w);
    guests_run(w);
    guests_work(w);
    check_runners(w);
}

void user_logon(struct actor *a, unsigned u)
{
    struct world *w = a->world;
    struct ssi *ssi = ssi_sim_member(w->sim, a->slot);
    struct fake *g = &a->guest[u];
    u64 generation;
    if (!ssi || !a->joined || g->here ||
        ssi_claim(ssi, LGR_CLAIM_KIND, users[u], &generation, NULL) != ST_OK)
        return;
    lgr_guest_logon(a->lgr, users[u]);
    *g = (struct fake){.here = true, .claim = generation};
    CHECK(w, storage_create(&g->st, w->guest_bytes, NULL) == ST_OK);
    w->alive[u] = true;
}

void user_logoff(struct actor *a, unsigned u)
{
    struct world *w = a->world;
    struct fake *g = &a->guest[u];
    struct ssi *ssi = ssi_sim_member(w->sim, a->slot);
    if (!ssi || !g->here || g->incoming)
        return;
    bool doubt = g->quiesced; /* the destination may get it, or not */
    int owner = pdr_owner(w, u);
    lgr_guest_gone(a->lgr, users[u]);
    ssi_release(ssi, LGR_CLAIM_KIND, users[u], g->claim);
    fake_free(g);
    if (!doubt || owner == (int)a->slot)
        w->alive[u] = false;
}

static void move_ended(void *ctx, const struct lgr_view *v, const struct lgr_reasons *reasons)
{
    struct world **w = ctx;
    (void)reasons;
    (*w)->outcomes[v->code & 15]++;
    if (getenv("LGR_SIM_VERBOSE"))
        fprintf(stderr, "%llu ms: %s %s to %s: %u %s\n",
                (unsigned long long)ssi_sim_now_ms((*w)->sim), v->user, v->from, v->to, v->code,
                v->text);
    free(w);
}

int user_move(struct actor *a, unsigned u, unsigned to, const struct lgr_options *options)
{
    struct world **box = malloc(sizeof *box);
    char name[SSI_NAME_BYTES] = {'M', (char)('0' + to)};
    const struct lgr_watch watch = {NULL, move_ended, box};
    *box = a->world;
    int rc = lgr_start(a->lgr, users[u], name, "OPERATOR", options, &watch, NULL);
    if (rc)
        free(box);
    else
        a->world->moves++;
    return rc;
}

/* Everybody is joined, nothing is under way, and every guest whose owner did not crash runs. */
void world_check_calm(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++) {
        CHECK(w, w->actors[s].joined && w->actors[s].lgr);
        CHECK(w, !w->actors[s].lgr->active);
        for (unsigned u = 0; u < USERS; u++)
            CHECK(w, !w->actors[s].guest[u].incoming);
    }
    for (unsigned u = 0; u < USERS; u++) {
        int owner = pdr_owner(w, u);
        CHECK(w, owner >= 0 || !w->alive[u]);
        CHECK(w, owner < 0 || running(w, (unsigned)owner, u)); /* [I2] */
        CHECK(w, owner < 0 || !w->actors[owner].guest[u].throttle);
    }
}

/* Faults end; members that are gone come back. */
void world_calm_down(struct world *w, u64 ms)
{
    w->calm = true;
    ssi_sim_pdr_fault(w->sim, SIM_FAULT_NONE, 0);
    for (unsigned a = 0; a < w->n; a++)
        for (unsigned b = 0; b < w->n; b++)
            if (a != b)
                ssi_sim_stall(w->sim, a, b, false);
    for (u64 end = ssi_sim_now_ms(w->sim) + ms; ssi_sim_now_ms(w->sim) < end;) {
        for (unsigned s = 0; s < w->n; s++)
            if (!ssi_sim_member(w->sim, s))
                actor_start(&w->actors[s]);
        world_step(w);
    }
}
