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
#define LGR_HISTORY_MAX 32            /* finished relocations that STATUS still shows */
#define LGR_KEEP_BYTES_MAX (1u << 20) /* of the file that they are kept in */
#define LGR_ACTIVE_MAX 16             /* at once on one member, both directions */
#define LGR_TEXT_BYTES 256
#define LGR_NOLIMIT 0u          /* milliseconds of MAXTOTAL, MAXQUIESCE */
#define LGR_LIMIT_MAX 99999999u /* seconds, or milliseconds of our MSEC */
#define LGR_LIMIT_MS_MAX (LGR_LIMIT_MAX * 1000ull)
#define LGR_MAXQUIESCE_MS 10000u /* default */
#define LGR_LIMIT_TEXT_BYTES 24

struct cp;
struct ssi;
struct lgr;

/** Time. The table and ctx outlive the lgr. */
struct lgr_ports {
    void *ctx;
    u64 (*now_ns)(void *ctx); /* monotonic; any thread */
    /** The clock of the host that guests go by, nanoseconds since 1970; NULL: it is not told. */
    u64 (*wall_ns)(void *ctx);
    /** One-shot timer; delay 0 = in the next turn of the loop, after others had theirs. Returns
     *  an id that is never 0. */
    u64 (*timer_start)(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg);
    void (*timer_cancel)(void *ctx, u64 id);
    /** Run fn(arg) on the loop thread soon; any thread. NULL: there are no threads, pages are
     *  encoded and decoded where that is asked for. */
    void (*post)(void *ctx, void (*fn)(void *arg), void *arg);
    u64 (*cpu_ns)(void *ctx); /* processor time of the calling thread; NULL: not measured */
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
    LGR_EXIT_REJECTED = 9, /* a CP exit; 10 is not used */
    LGR_EXIT_INVALID = 11, /* a CP exit returned what it must not */
    LGR_ACTIVE = 255,      /* not finished */
};

/** Where struct lgr_view has the time of which step: lgr_stamps.def. */
enum lgr_stamp {
#define AT(id, what, json) LGR_AT_##id,
#include "lgr/lgr_stamps.def"
#undef AT
    LGR_STAMPS
};

/** One pass over storage. Every frame looked at is counted once: pages (raws + deltas + lz4s, which
 *  went with bytes), zeros (marks), or equals (as sent before: nothing went). */
struct lgr_pass {
    u64 pages, zeros, equals;
    u64 raws, deltas,
        lz4s; /* how the pages went: as they are (or without zeros), XOR runs, LZ4 blocks */
    u64 plain_bytes; /* of the pages before encoding */
    u64 bytes;       /* on the link, with marks and heads */
    u64 ns, cpu_ns;  /* to the acknowledgement; of encoding or decoding, all threads */
    bool quiesced;   /* the guest was stopped in it */
    bool governed;   /* first stores into frames waited when `allowed` was used up */
    u64 allowed;     /* frames that could be dirtied in it; when governed */
    u64 dirtied;     /* frames that were, of which some stores could not be made to wait */
    u64 waits;       /* stores that had to wait */
    u64 spared_ns;   /* of ns, in which it waited for guests that compute (lgr_spare.c) */
};

/** What the convergence of a relocation has cost the guest, at the source. */
struct lgr_governed {
    u64 ns;        /* in which first stores into frames were rationed */
    u64 waits;     /* stores that had to wait, of all CPUs */
    u64 waited_ns; /* how long CPUs stood still for that, the sum over the CPUs */
    u64 dirtied;   /* frames that were stored into meanwhile */
};

/* Which of the rules of capacity is violated (lgr/lgr_fit.c); bits add up over a relocation. */
#define LGR_FIT_PAGEABLE 0x80u /* its most pageable storage is more than the paging space */
#define LGR_FIT_NOW 0x40u      /* its storage of now is more than what is available */
#define LGR_FIT_MAXIMUM 0x20u  /* its most storage is more than what is available */
#define LGR_FITS_MAX 8         /* checks that are kept, the latest ones */

/** One check whether the guest fits into the destination; bytes. */
struct lgr_fit {
    u16 pass;                   /* 0: before the first one */
    u8 bits;                    /* LGR_FIT_*, of this check alone */
    u8 forced;                  /* of these, what FORCE STORAGE has overridden */
    bool paged;                 /* the member has paging space at all */
    u64 now, maximum, pageable; /* what the guest needs, with its tables */
    u64 available, paging;      /* what the member has */
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
    struct lgr_governed governed;
    u64 predicted_ns; /* of standing still, when the guest was stopped; 0: not yet */
    u64 held_ns;      /* the destination was short of memory and had the source wait */
    unsigned holds;   /* how often */
    unsigned pass_count;
    struct lgr_pass passes[LGR_PASSES_MAX];
    u8 fit_bits;        /* of all checks, LGR_FIT_* */
    unsigned fit_count; /* checks made; fit[] has the last LGR_FITS_MAX, the latest first */
    struct lgr_fit fit[LGR_FITS_MAX];
    bool synchronous, immediate;    /* both sides know; so the next three */
    unsigned force;                 /* LGR_FORCE_ bits */
    u64 maxtotal_ms, maxquiesce_ms; /* LGR_NOLIMIT = none */
    u64 start_ns;                   /* when it began here; of lgr_ports.now_ns, which may have
                                       been below 0 (modulo 2^64) if the host began anew since */
    u64 at_ns[LGR_STAMPS];          /* steps, since then; 0 = not done, or the other side's */
    u8 code;                        /* enum lgr_code */
    char text[LGR_TEXT_BYTES];      /* why it failed; "" */
};

#define LGR_FORCE_ARCHITECTURE 1u
#define LGR_FORCE_DOMAIN 2u
#define LGR_FORCE_STORAGE 4u

/** Register service LGR, VMRELOCATE, QUERY and SET VMRELOCATE. Copies nothing: all outlive it. */
int lgr_create(struct cp *cp, struct ssi *ssi, const struct lgr_ports *ports, struct lgr **out,
               struct cause *cause);

/** The history is kept in that file: what it has is the history's oldest part, those that end
 *  from now on are added. Before anything has ended. The folder must be there; the file is made
 *  when it is needed. ST_IO, ST_PROTO (another kind of file, which is left alone): it is not
 *  kept. What fails later is told to the operator. */
int lgr_keep_history(struct lgr *lgr, const char *path, struct cause *cause);

/** End every relocation whose guest is still here (it goes on here) and discard arriving ones;
 *  complete waiting commands. Nothing starts afterwards. */
void lgr_stop(struct lgr *lgr);

/** Free. NULL is nothing. */
void lgr_destroy(struct lgr *lgr);

/** i-th relocation: active ones first, then finished ones, the latest first. False behind the
 *  last. */
bool lgr_status(const struct lgr *lgr, unsigned i, struct lgr_view *out);

#endif
