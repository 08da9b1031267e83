/* Storage on its way: the encoder and decoder that a worker thread runs, and the slots in which
 * chunks wait between it and the loop. Internal to lgr/ and its tests. */
#ifndef ENDICOTT_LGR_LGR_PAGES_H
#define ENDICOTT_LGR_LGR_PAGES_H

#include "lgr/lgr.h"
#include "lgr/lgr_encode.h"
#include "lgr/lgr_space.h"
#include "lgr/lgr_worker.h"

#define LGR_SLOTS 8
#define LGR_LOOK_WORDS 65536u /* of the bitmap, and */
#define LGR_LOOK_FRAMES 2048u /* frames looked at for one chunk */

/** What a chunk adds to the pass and to the digest. */
struct lgr_tally {
    struct lgr_pass pass;
    u64 digest;
};

/** Counters of `p` added to those of `sum`. */
void lgr_pass_add(struct lgr_pass *sum, const struct lgr_pass *p);

/** How long and how costly an encoding has been lately. */
struct lgr_guess {
    double bytes, cost_ns;
};

/** Source. The worker's while jobs are pending. Created and destroyed with struct rlobk. */
struct lgr_encoder {
    const struct lgr_ports *ports;
    const struct lgr_space *space;
    u64 *set; /* frames still to be sent in this pass */
    u64 at;   /* the word of it where the scan stands */
    u64 *hash;
    struct lgr_images *images; /* NULL: no deltas */
    u16 pass;
    bool lz4;            /* the other side has it */
    unsigned sparse_max; /* ... LGR_SPARSE, which pays if it is at most so long; 0: not */
    u64 page;            /* pages encoded */
    struct lgr_guess guess[LGR_KINDS];
    u8 delta[FRAME_BYTES], packed[FRAME_BYTES];
};
void lgr_encoder_init(struct lgr_encoder *e, const struct lgr_ports *ports,
                      const struct lgr_space *space, u64 *set, u64 *hash);
void lgr_encoder_fini(struct lgr_encoder *e);
/** Fill a chunk with frames of the set, which lose their bits. True: the set is empty. */
bool lgr_encode(struct lgr_encoder *e, struct lgr_chunk *c, double link_ns,
                struct lgr_tally *tally);

/** Destination: store what a chunk holds. False: it is damaged. */
bool lgr_decode(const struct lgr_space *space, u64 *hash, const struct lgr_chunk_view *c,
                struct lgr_tally *tally);

/** The bytes of a chunk. The link may have them for longer than their slot, and their relocation:
 *  `slots` NULL: who has them frees them. */
struct lgr_buffer {
    struct lgr_slots *slots;
    bool away;
    u8 bytes[LGR_CHUNK_BYTES_MAX];
};

/** One chunk between loop and worker: belongs to the worker from submit to take. */
struct lgr_slot {
    struct lgr_job job; /* first: cast back */
    struct rlobk *r;
    struct lgr_chunk chunk;
    struct lgr_tally tally;
    double link_ns; /* source */
    bool last;      /* source: the set is empty */
    u16 pass;       /* destination */
    bool bad;       /* destination: it is damaged */
    size_t len;     /* destination: of the message in `buffer` */
    struct lgr_buffer *buffer;
};

/** Slots in the order of their use. */
struct lgr_slots {
    struct lgr_worker *worker;
    struct rlobk *r;
    void (*wake)(void *arg); /* the worker has finished some, or the link has given one back */
    struct lgr_slot slot[LGR_SLOTS];
    unsigned head, count; /* the oldest in use; how many are */
    unsigned ready;       /* of them, from the oldest on, taken from the worker */
    unsigned allocated;
};
/** All slots and their worker; false: no memory, lgr_slots_fini is due all the same. */
bool lgr_slots_init(struct lgr_slots *s, const struct lgr_ports *ports, struct rlobk *r,
                    void (*run)(struct lgr_job *job), void (*wake)(void *arg));
/** Waits for the worker, which touches storage no more then. */
void lgr_slots_fini(struct lgr_slots *s);
/** A free one whose bytes are back, NULL: none; given to the worker by lgr_slots_submit. */
struct lgr_slot *lgr_slots_free(struct lgr_slots *s);
void lgr_slots_submit(struct lgr_slots *s);
/** ... or carried out at once: nothing is with the worker. */
void lgr_slots_run(struct lgr_slots *s);
/** The oldest one that the worker has finished; lgr_slots_release makes it free. */
struct lgr_slot *lgr_slots_ready(struct lgr_slots *s);
void lgr_slots_release(struct lgr_slots *s);
/** The link has the bytes of a slot (struct ssi_sent), and gives them back. Loop thread. */
void lgr_buffer_lend(struct lgr_buffer *b);
void lgr_buffer_back(void *buffer);

#endif
