/* The faults of sim_faults.h. */
#include "tests/lib/sim_faults.h"

static u64 pick(struct sim_faults *f, u64 n)
{
    return n ? ssi_sim_random(f->sim) % n : 0;
}

/* Members in different groups are apart: 1+3, 2+2, 1+1+2 and all others. */
static void partition(struct sim_faults *f)
{
    unsigned group[SSI_SLOTS_MAX];
    for (unsigned s = 0; s < f->n; s++)
        group[s] = (unsigned)pick(f, 3);
    for (unsigned a = 0; a < f->n; a++)
        for (unsigned b = 0; b < a; b++)
            ssi_sim_stall(f->sim, a, b, group[a] != group[b]);
    f->partitions++;
}

static void network_heals(struct sim_faults *f)
{
    for (unsigned a = 0; a < f->n; a++)
        for (unsigned b = 0; b < f->n; b++) {
            ssi_sim_stall(f->sim, a, b, false);
            ssi_sim_slow(f->sim, a, b, 0);
        }
}

static void all_go_on(struct sim_faults *f)
{
    f->pdr_trouble_ms = ssi_sim_now_ms(f->sim);
    for (unsigned s = 0; s < f->n; s++)
        ssi_sim_freeze(f->sim, s, false);
}

static void pdr_heals(struct sim_faults *f)
{
    ssi_sim_pdr_fault(f->sim, SIM_FAULT_NONE, 0);
    ssi_sim_pdr_hold(f->sim, 0);
    for (unsigned s = 0; s < f->n; s++)
        ssi_sim_pdr_cut(f->sim, s, false);
}

static void pdr_hurts(struct sim_faults *f, unsigned slot)
{
    f->pdr_trouble_ms = ssi_sim_now_ms(f->sim);
    if (pick(f, 3) == 0) {
        ssi_sim_pdr_cut(f->sim, slot, true);
        f->pdr_cuts++;
    } else {
        ssi_sim_pdr_fault(f->sim, (enum ssi_sim_fault)(1 + pick(f, 5)),
                          1 + (unsigned)pick(f, 2));
        f->pdr_faults++;
    }
}

void sim_faults_strike(struct sim_faults *f)
{
    unsigned a = (unsigned)pick(f, f->n), b = (unsigned)pick(f, f->n);
    switch (pick(f, 150)) {
    case 0 ... 1:
        ssi_sim_crash(f->sim, a);
        f->crashes++;
        break;
    case 2 ... 4: ssi_sim_cut(f->sim, a, b); break;
    case 5 ... 6: partition(f); break;
    case 7:
        ssi_sim_stall_way(f->sim, a, b, a != b);
        f->one_way++;
        break;
    case 8:
        ssi_sim_slow(f->sim, a, b, (unsigned)pick(f, 700));
        f->slow++;
        break;
    case 9 ... 13: network_heals(f); break;
    case 14 ... 17: pdr_hurts(f, a); break;
    case 18 ... 22: pdr_heals(f); break;
    case 23:
        ssi_sim_freeze(f->sim, a, true);
        f->frozen++;
        break;
    case 24 ... 27: all_go_on(f); break;
    default: break;
    }
    for (unsigned s = 0; s < f->n; s++) /* one writes no heartbeats */
        if (ssi_sim_pdr_is_cut(f->sim, s) || ssi_sim_is_frozen(f->sim, s))
            f->pdr_trouble_ms = ssi_sim_now_ms(f->sim);
}

void sim_faults_heal(struct sim_faults *f)
{
    pdr_heals(f);
    network_heals(f);
    all_go_on(f);
}
