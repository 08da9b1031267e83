/* Frames of a pass into chunks, at the source, off the loop thread. Assumes that a frame stored
 * into after its copy was taken shows up in a later epoch; hash, zero test and encoding are of the
 * copy, which nobody changes: what is written down as sent is what was sent [I3]. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_pages.h"
#include "lgr/lgr_wire.h"
#include "mem/storage_source.h"

#define IMAGES_BYTES (40u << 20) /* and a hundredth of storage: the rule is 2 % and 64 MB */
#define IMAGES_SHARE 100
#define DELTA_ROOM (FRAME_BYTES * 3 / 4) /* longer than that it is not worth it */
#define LZ4_ROOM (FRAME_BYTES * 7 / 8)
#define DELTA_PROBE 32 /* every so many pages an encoding is tried that seems to be of no use */
#define LZ4_PROBE 256
#define IMAGE_PROBE                                                                            \
    16 /* of so many frames one has its image kept, though deltas are of no use */
#define GUESS_WEIGHT 16

void lgr_encoder_init(struct lgr_encoder *e, const struct lgr_ports *ports,
                      const struct lgr_space *space, u64 *set, u64 *hash)
{
    *e = (struct lgr_encoder){.ports = ports, .space = space, .set = set, .hash = hash};
    e->images = lgr_images_create(space->frames,
                                  IMAGES_BYTES + space->frames * FRAME_BYTES / IMAGES_SHARE);
    e->guess[LGR_DELTA] = (struct lgr_guess){FRAME_BYTES / 8, 1500};
    e->guess[LGR_LZ4] = (struct lgr_guess){FRAME_BYTES / 2, 6000};
}

void lgr_encoder_fini(struct lgr_encoder *e)
{
    lgr_images_destroy(e->images);
    e->images = NULL;
}

static void guess_note(struct lgr_guess *g, size_t bytes, u64 ns)
{
    double cost = (double)ns < 4 * g->cost_ns + 1000 ? (double)ns : 4 * g->cost_ns + 1000;
    g->bytes += ((double)(bytes ? bytes : FRAME_BYTES) - g->bytes) / GUESS_WEIGHT;
    g->cost_ns += (cost - g->cost_ns) / GUESS_WEIGHT;
}

/* Try an encoding: its length, 0 when it is too long; what it took is remembered. */
static unsigned try(struct lgr_encoder *e, enum lgr_kind kind, const u8 *copy, const u8 *image)
{
    u64 from = e->ports->now_ns(e->ports->ctx);
    size_t len = kind == LGR_DELTA ? lgr_delta_encode(copy, image, e->delta, DELTA_ROOM)
                                   : lgr_lz4_encode(copy, e->packed, LZ4_ROOM);
    guess_note(&e->guess[kind], len, e->ports->now_ns(e->ports->ctx) - from);
    return (unsigned)len;
}

static struct lgr_pick guesses(const struct lgr_encoder *e, bool image, double link_ns)
{
    struct lgr_pick p = {.link_ns = link_ns, .bytes = {[LGR_RAW] = FRAME_BYTES}};
    if (image)
        p.bytes[LGR_DELTA] = (unsigned)e->guess[LGR_DELTA].bytes;
    if (e->lz4)
        p.bytes[LGR_LZ4] = (unsigned)e->guess[LGR_LZ4].bytes;
    p.cost_ns[LGR_DELTA] = e->guess[LGR_DELTA].cost_ns;
    p.cost_ns[LGR_LZ4] = e->guess[LGR_LZ4].cost_ns;
    return p;
}

/* What the page goes as; e->delta or e->packed has its bytes then, `*len` of them. */
static enum lgr_kind choose(struct lgr_encoder *e, const u8 *copy, const u8 *image,
                            double link_ns, unsigned *len)
{
    struct lgr_pick p = guesses(e, image != NULL, link_ns);
    enum lgr_kind want = lgr_encode_pick(&p);
    bool delta = image && (want == LGR_DELTA || e->page % DELTA_PROBE == 0);
    p.bytes[LGR_DELTA] = delta ? try(e, LGR_DELTA, copy, image) : 0;
    if (delta)
        want = lgr_encode_pick(&p);
    bool lz4 = e->lz4 && (want == LGR_LZ4 || e->page % LZ4_PROBE == 0);
    p.bytes[LGR_LZ4] = lz4 ? try(e, LGR_LZ4, copy, NULL) : 0;
    want = lgr_encode_pick(&p);
    *len = p.bytes[want];
    return want;
}

/* How long a page is without its zeros, from an eighth of its words. */
static size_t sampled_bytes(const u8 *copy)
{
    size_t some = 0;
    for (unsigned at = 0; at < FRAME_BYTES; at += 64) {
        u64 word;
        memcpy(&word, copy + at + at / 64 % 8 * 8, sizeof word);
        some += word != 0;
    }
    return some * 64;
}

/* A page that is to go as it is goes without its zeros if it has many. */
static enum lgr_kind without_zeros(struct lgr_encoder *e, u8 *copy, unsigned *len)
{
    bool sparse = e->sparse_max && sampled_bytes(copy) <= e->sparse_max;
    size_t packed = sparse ? lgr_sparse_pack(copy, e->sparse_max) : 0;
    *len = packed ? (unsigned)packed : FRAME_BYTES;
    return packed ? LGR_SPARSE : LGR_RAW;
}

/* Will deltas pay, so that images are kept? */
static bool keep_image(const struct lgr_encoder *e, u64 frame, double link_ns)
{
    struct lgr_pick p = guesses(e, true, link_ns);
    return lgr_encode_pick(&p) == LGR_DELTA || frame % IMAGE_PROBE == 0;
}

static void page(struct lgr_encoder *e, struct lgr_chunk *c, u64 frame, u8 *copy, bool again,
                 double link_ns, struct lgr_pass *t)
{
    u8 *image = e->images ? lgr_image_find(e->images, frame, e->pass) : NULL;
    unsigned len = FRAME_BYTES;
    enum lgr_kind kind = choose(e, copy, image, link_ns, &len);
    if (image)
        memcpy(image, copy, FRAME_BYTES);
    else if (e->images && again && keep_image(e, frame, link_ns))
        lgr_image_put(e->images, frame, copy, e->pass);
    if (kind == LGR_RAW)
        kind = without_zeros(e, copy, &len);
    else
        memcpy(copy, kind == LGR_DELTA ? e->delta : e->packed, len);
    lgr_chunk_add(c, frame, kind, len);
    e->page++;
    t->pages++;
    t->plain_bytes += FRAME_BYTES;
    t->raws += kind == LGR_RAW || kind == LGR_SPARSE;
    t->deltas += kind == LGR_DELTA;
    t->lz4s += kind == LGR_LZ4;
}

/* A frame that the guest has said it does not use (ESSA) goes as zeros, whatever it holds. Looked
 * at before its bytes are: used again it is dirty after that, and comes in the next pass. */
static bool unused(const struct lgr_encoder *e, u64 frame)
{
    const struct storage *st = e->space->st;
    return lgr_space_in_storage(e->space, frame) &&
           (storage_usage_get(st, frame << FRAME_SHIFT) & STORAGE_USAGE) == STORAGE_UNUSED &&
           storage_storable(st, frame << FRAME_SHIFT, FRAME_BYTES);
}

static void frame_copy(const struct lgr_encoder *e, u64 frame, u8 *copy)
{
    if (lgr_space_in_storage(e->space, frame)) /* not to be had: vm_save tells */
        storage_need(e->space->st, frame << FRAME_SHIFT, FRAME_BYTES);
    memcpy(copy, lgr_space_bytes(e->space, frame), FRAME_BYTES);
}

/* A frame that holds what it held when it was sent is not sent: its hash is the same, which of
 * different bytes it is in one of 2^64 cases; the digest relies on that, too. */
static void frame_encode(struct lgr_encoder *e, struct lgr_chunk *c, u64 frame, double link_ns,
                         struct lgr_tally *t)
{
    u8 *copy = lgr_chunk_room(c);
    u64 was = e->hash[frame];
    bool counts = !unused(e, frame);
    if (counts)
        frame_copy(e, frame, copy);
    u64 hash = counts ? lgr_frame_hash(frame, copy) : 0;
    if (hash && hash == was) {
        t->pass.equals++;
        return;
    }
    e->hash[frame] = hash;
    t->digest += hash - was;
    if (hash) {
        page(e, c, frame, copy, was || e->pass > 1, link_ns, &t->pass);
        return;
    }
    if (e->images)
        lgr_image_drop(e->images, frame);
    lgr_chunk_add(c, frame, LGR_ZERO, 1);
    t->pass.zeros++;
}

/* The next word of the set that may hold a frame: storage never used is passed over whole. */
static u64 next_word(const struct lgr_encoder *e, u64 at)
{
    if (!lgr_space_in_storage(e->space, at * 64))
        return at;
    u64 next = storage_frame_next(e->space->st, at * 64) / 64;
    return next > at ? next : at;
}

bool lgr_encode(struct lgr_encoder *e, struct lgr_chunk *c, double link_ns,
                struct lgr_tally *tally)
{
    u64 words = (e->space->frames + 63) / 64, from = 0;
    unsigned frames = 0, looked = 0;
    if (e->ports->cpu_ns)
        from = e->ports->cpu_ns(e->ports->ctx);
    while (!lgr_chunk_full(c) && looked < LGR_LOOK_WORDS && frames < LGR_LOOK_FRAMES) {
        e->at = next_word(e, e->at);
        if (e->at >= words)
            break;
        u64 *bits = &e->set[e->at];
        if (!*bits) {
            e->at++;
            looked++;
            continue;
        }
        u64 frame = e->at * 64 + (unsigned)__builtin_ctzll(*bits);
        *bits &= *bits - 1;
        frames++;
        frame_encode(e, c, frame, link_ns, tally);
    }
    if (e->ports->cpu_ns)
        tally->pass.cpu_ns += e->ports->cpu_ns(e->ports->ctx) - from;
    return e->at >= words;
}
