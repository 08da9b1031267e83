/* A whole cluster in one process: virtual time, seeded delays, links that are cut or stalled,
 * members that crash, a PDR in memory with injected faults. For tests of ssi and of lgr. */
#ifndef ENDICOTT_SSI_SSI_SIM_H
#define ENDICOTT_SSI_SSI_SIM_H

#include "ssi/ssi_pdr.h"

/** Created by ssi_sim_create, destroyed by ssi_sim_destroy; one thread. */
struct ssi_sim;

/** What happens at the next PDR writes. */
enum ssi_sim_fault {
    SIM_FAULT_NONE,
    SIM_FAULT_BEFORE, /* nothing written, error (disk full) */
    SIM_FAULT_TORN,   /* a part written, error */
    SIM_FAULT_AFTER,  /* all written, error all the same */
    SIM_FAULT_CRASH,  /* a part written, the member dies there */
    SIM_FAULT_DOUBT,  /* all written, error, and the next read fails too */
    SIM_FAULT_GONE, /* all or nothing written, error, and the writer cannot reach the PDR then */
    SIM_FAULT_LIE,  /* nothing written, no error: as no disk may, to try tests with */
};

/** The same seed and the same calls give the same run. NULL: memory. */
struct ssi_sim *ssi_sim_create(u64 seed);
void ssi_sim_destroy(struct ssi_sim *sim);

/** Defaults for the simulation: cluster SIMSSI, members M0.. in slots 0..n-1. */
void ssi_sim_config(struct ssi_config *config, unsigned slot, unsigned n);

/**
 * Start a process with one member, on host `host` (members on one host see each other's life
 * locks); the caller registers services and calls ssi_join. The slot must be empty.
 */
struct ssi *ssi_sim_start(struct ssi_sim *sim, const struct ssi_config *config, unsigned host,
                          struct cause *cause);

/** The process is gone, from one moment to the next. Peers see the end of their links later. */
void ssi_sim_crash(struct ssi_sim *sim, unsigned slot);

/** The member, or NULL when its process does not run. */
struct ssi *ssi_sim_member(struct ssi_sim *sim, unsigned slot);

/** Cut all links between two members now; they may connect again. */
void ssi_sim_cut(struct ssi_sim *sim, unsigned a, unsigned b);

/** While stalled, nothing gets through between the two and nothing is reported. */
void ssi_sim_stall(struct ssi_sim *sim, unsigned a, unsigned b, bool stalled);

/** One-way loss: while stalled, nothing of what `from` sends reaches `to`. */
void ssi_sim_stall_way(struct ssi_sim *sim, unsigned from, unsigned to, bool stalled);

/** A slow link: everything between the two takes up to delay_ms longer, each connection by itself,
 * so that connections overtake each other. */
void ssi_sim_slow(struct ssi_sim *sim, unsigned a, unsigned b, unsigned delay_ms);

/** One bit of the next message that `from` sends to `to` arrives changed, of its header or not. */
void ssi_sim_flip(struct ssi_sim *sim, unsigned from, unsigned to);

/** While frozen, the process stands still, as by SIGSTOP: what comes for it waits. */
void ssi_sim_freeze(struct ssi_sim *sim, unsigned slot, bool frozen);
/** What members that start from now on do with the PDR beside their loops takes up to ms_max,
 *  and so does word of its end; 0, as at first: it is done on the loop. */
void ssi_sim_work(struct ssi_sim *sim, unsigned ms_max);
bool ssi_sim_is_frozen(const struct ssi_sim *sim, unsigned slot);

/** While cut, the member in `slot` cannot read, write or lock the PDR. */
void ssi_sim_pdr_cut(struct ssi_sim *sim, unsigned slot, bool cut);
bool ssi_sim_pdr_is_cut(const struct ssi_sim *sim, unsigned slot);

/** For so long somebody else holds the lock of the PDR; 0: he gives it back. */
void ssi_sim_pdr_hold(struct ssi_sim *sim, u64 ms);

/** The next `count` PDR writes fail so. */
void ssi_sim_pdr_fault(struct ssi_sim *sim, enum ssi_sim_fault fault, unsigned count);

/** Handle the next event; virtual time moves on. */
void ssi_sim_step(struct ssi_sim *sim);

u64 ssi_sim_now_ms(const struct ssi_sim *sim);
u64 ssi_sim_random(struct ssi_sim *sim);
/** Bring `pdr` (all zero at first, ssi_pdr_fini at the end) in line with the file; false: there is
 * no whole PDR. */
bool ssi_sim_pdr_look(struct ssi_sim *sim, struct ssi_pdr *pdr);
/** The file, PDR_FILE_BYTES, for looking at and spoiling. */
u8 *ssi_sim_pdr(struct ssi_sim *sim);
/** How many writes behind the heartbeats there were, whole or not. */
u64 ssi_sim_pdr_writes(const struct ssi_sim *sim);
/** How many internal errors members have told (HCPPLM1717E). */
unsigned ssi_sim_errors(const struct ssi_sim *sim);
/** Write every operator message to standard error. */
void ssi_sim_verbose(struct ssi_sim *sim, bool verbose);

#endif
