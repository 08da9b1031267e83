/* Live guest relocation: VMRELOCATE, the seven stages, both directions at once.
 * struct lgr: one for each member of a cluster; everything on the member's loop thread. */
#ifndef ENDICOTT_LGR_LGR_H
#define ENDICOTT_LGR_LGR_H

/* Life: lgr_create after cp_attach_ssi and before ssi_join; lgr_stop before cp_destroy;
 * lgr_destroy after cp_destroy and before the loop turns again (as ssi is). Concepts: z/VM "CP
 * Planning and Administration", "Preparing for Live Guest Relocation"; CP command VMRELOCATE. */
#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define LGR_SSI_SERVICE 2 /* id of service LGR */
#define LGR_NAME_BYTES 9
#define LGR_PASSES_MAX 24
#define LGR_HISTORY_MAX 32 /* finished relocations that STATUS still shows */
#define LGR_ACTIVE_MAX 16  /* at once on one member, both directions */
#define LGR_TEXT_BYTES 256
#define LGR_NOLIMIT 0u /* seconds of MAXTOTAL, MAXQUIESCE */
#define LGR_SECONDS_MAX 99999999u
#define LGR_MAXQUIESCE_S 10u /* default */

struct cp;
struct ssi;
struct lgr;

/** Time. The table and ctx outlive the lgr. */
struct lgr_ports {
    void *ctx;
    u64 (*now_ns)(void *ctx); /* monotonic */
    /** One-shot timer; delay 0 = in the next turn of the loop, after others had theirs. Returns
     *  an id that is never 0. */
    u64 (*timer_start)(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg);
    void (*timer_cancel)(void *ctx, u64 id);
};

/** Completion codes; the numbers are those of z/VM's monitor record D4 R12. */
enum lgr_code {
    LGR_COMPLETED = 0,
    LGR_CANCELLED = 1, /* VMRELOCATE CANCEL */
    LGR_CPHX = 2,
    LGR_LINK_LOST = 3, /* the connection between the members */
    LGR_MAXTOTAL = 4,
    LGR_MAXQUIESCE = 5,
    LGR_NOT_ELIGIBLE = 6,
    LGR_GUEST_GONE = 7, /* reset or logoff of the virtual machine */
    LGR_INTERNAL = 8,
    LGR_ACTIVE = 255, /* not finished */
};

/** One pass over storage; pages sent with bytes, zero ones as marks, bytes on the link. */
struct lgr_pass {
    u64 pages, zeros, bytes, ns;
    bool quiesced; /* the guest was stopped in it */
    u8 throttle;   /* per cent of processor time taken from it meanwhile */
};

/** A relocation as STATUS shows it. Source and destination fill what they know. */
struct lgr_view {
    u64 id;
    char user[LGR_NAME_BYTES], from[LGR_NAME_BYTES], to[LGR_NAME_BYTES], by[LGR_NAME_BYTES];
    bool incoming;
    unsigned stage;     /* 1 to 7 */
    const char *status; /* at most 15 characters: "Moving memory", "Completed" */
    u64 elapsed_ns;     /* so far, or in total */
    u64 quiesce_ns;     /* 0 while the guest runs here */
    u64 bytes;          /* on the link, everything */
    u64 state_bytes;
    unsigned throttle; /* per cent taken from the guest now, at the end the most that was */
    unsigned pass_count;
    struct lgr_pass passes[LGR_PASSES_MAX];
    bool synchronous, immediate;
    unsigned force;               /* LGR_FORCE_ bits */
    u32 maxtotal_s, maxquiesce_s; /* LGR_NOLIMIT = none */
    u8 code;                      /* enum lgr_code */
    char text[LGR_TEXT_BYTES];    /* why it failed; "" */
};

#define LGR_FORCE_ARCHITECTURE 1u
#define LGR_FORCE_DOMAIN 2u
#define LGR_FORCE_STORAGE 4u

/** Register service LGR, VMRELOCATE, QUERY and SET VMRELOCATE. Copies nothing: all outlive it. */
int lgr_create(struct cp *cp, struct ssi *ssi, const struct lgr_ports *ports, struct lgr **out,
               struct cause *cause);

/** End every relocation whose guest is still here (it goes on here) and discard arriving ones;
 *  complete waiting commands. Nothing starts afterwards. */
void lgr_stop(struct lgr *lgr);

/** Free. NULL is nothing. */
void lgr_destroy(struct lgr *lgr);

/** i-th relocation: active ones first, then finished ones, the latest first. False behind the
 *  last. */
bool lgr_status(const struct lgr *lgr, unsigned i, struct lgr_view *out);

#endif
