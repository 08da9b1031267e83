/* Two members of the simulator and their PDR, whose bytes are changed below them; one ends and
 * starts anew on what is there. While no checksum was made right for what was changed, and the last
 * change, which nothing tells from a torn one, is whole, no member is given what the other has, and
 * no internal error is told. (Without the last change who reads the record anew goes on from the
 * one before, and those who knew it see a row go back.) */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_sim.h"
#include "tests/fuzz/pdr_exec.h"

#define STEPS_JOIN_MAX 20000u
#define STEPS_AFTER 200u
#define OPERATIONS_MAX 16u
#define KIND 1
#define TRIES_MAX 20u

struct world {
    struct ssi_sim *sim;
    int joined[2];
    u64 generation[2]; /* of what each claims; 0: it does not have it */
    bool honest;
    bool lies; /* the record: its last change was spoiled, or a checksum forged */
    struct spoiled spoiled;
};

static const char *const names[2] = {"GUESTA", "GUESTB"};

static void done(void *ctx, int status, const struct cause *cause)
{
    (void)cause;
    *(int *)ctx = status == ST_OK ? 1 : -1;
}

static void start(struct world *w, unsigned i)
{
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, i, 2);
    struct ssi *ssi = ssi_sim_start(w->sim, &config, i, &cause);
    POST(ssi);
    w->joined[i] = 0;
    ssi_join(ssi, done, &w->joined[i]);
}

static void steps(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ssi_sim_step(w->sim);
}

static int claim(struct world *w, unsigned i, unsigned which, u64 *generation)
{
    struct ssi *ssi = ssi_sim_member(w->sim, i);
    int rc = ST_BUSY;
    for (unsigned k = 0; k < TRIES_MAX && rc == ST_BUSY && ssi; k++)
        rc = ssi_claim(ssi, KIND, names[which], generation, NULL);
    return rc;
}

/* Does it still have what it has claimed? */
static bool has(struct world *w, unsigned i)
{
    struct ssi *ssi = ssi_sim_member(w->sim, i);
    return ssi && w->generation[i] && ssi_counts(ssi);
}

static void claim_other(struct world *w, unsigned i)
{
    u64 generation;
    if (claim(w, i, i ^ 1, &generation) != ST_OK)
        return;
    POST(!w->honest || !has(w, i ^ 1));
    w->honest = false; /* from here on the name may be had twice by the input's own doing */
}

static void claim_own(struct world *w, unsigned i)
{
    struct ssi *ssi = ssi_sim_member(w->sim, i);
    u64 generation;
    if (!ssi)
        return;
    if (w->generation[i])
        (void)ssi_release(ssi, KIND, names[i], w->generation[i]);
    w->generation[i] = 0;
    if (claim(w, i, i, &generation) == ST_OK)
        w->generation[i] = generation;
}

static void spoil(struct world *w, struct input *in, u8 op)
{
    struct ssi_pdr pdr = {0};
    enum pdr_area area = op & 3;
    unsigned which = pdr_take(in) & 15;
    size_t size;
    bool whole = ssi_sim_pdr_look(w->sim, &pdr);
    if (area == AREA_BLOCK) {
        w->lies |= which == 0 || !whole;
        which = (unsigned)((pdr.seq - which) % PDR_BLOCKS);
    }
    ssi_pdr_fini(&pdr);
    u64 at = pdr_area_at(area, which, &size);
    pdr_spoil(ssi_sim_pdr(w->sim), at, size, op & 0x80,
              op & 0x40 ? KEEP_NOTHING : pdr_area_crc(area), in, &w->spoiled);
    if (op & 0x40)
        pdr_area_seal(ssi_sim_pdr(w->sim), area, which);
    w->lies |= op & 0x40;
    w->honest &= !w->lies;
}

static void operation(struct world *w, struct input *in)
{
    u8 op = pdr_take(in);
    unsigned i = op >> 3 & 1;
    switch (op >> 4 & 3) {
    case 0: spoil(w, in, op); break;
    case 1: pdr_heal(ssi_sim_pdr(w->sim), &w->spoiled); break;
    case 2:
        if (op & 4)
            claim_other(w, i);
        else
            claim_own(w, i);
        break;
    default:
        if (op & 4) {
            ssi_sim_crash(w->sim, i);
            w->generation[i] = 0;
            start(w, i);
        }
        steps(w, 8u * pdr_take(in));
        break;
    }
    steps(w, 4);
}

void pdr_members_exec(struct input *in)
{
    struct world w = {.sim = ssi_sim_create(1 + pdr_take(in) % 4), .honest = true};
    POST(w.sim);
    for (unsigned i = 0; i < 2; i++)
        start(&w, i);
    for (unsigned i = 0; i < STEPS_JOIN_MAX && !(w.joined[0] == 1 && w.joined[1] == 1); i++)
        ssi_sim_step(w.sim);
    for (unsigned i = 0; i < 2; i++)
        claim_own(&w, i);
    for (unsigned i = 0; i < OPERATIONS_MAX && in->p < in->end; i++)
        operation(&w, in);
    steps(&w, STEPS_AFTER);
    POST(w.lies || ssi_sim_errors(w.sim) == 0);
    ssi_sim_destroy(w.sim);
}
