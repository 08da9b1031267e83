/* Pages on their way: encodings there and back, spoilt and hostile ones, the choice among them,
 * images of what was sent, and the worker that does it all in its own thread. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "lgr/lgr_pages.h"
#include "lgr/lgr_wire.h"

#define MB (1u << 20)
#define FRAMES 512u

static u64 random_state = 7;

static u64 draw(u64 n)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (random_state >> 20) % n;
}

static void noise(u8 *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (u8)draw(256);
}

/* --- deltas --- */

START_TEST(deltas_restore_what_has_changed)
{
    static u8 base[FRAME_BYTES], now[FRAME_BYTES], out[FRAME_BYTES];
    for (unsigned round = 0; round < 2000; round++) {
        noise(base, 64);
        memcpy(now, base, sizeof now);
        for (u64 k = draw(40); k; k--)
            now[draw(FRAME_BYTES)] ^= (u8)draw(256);
        now[round % 2 ? 0 : FRAME_BYTES - 1]++;
        size_t len = lgr_delta_encode(now, base, out, sizeof out);
        ck_assert(len && len <= 41 * 12);
        ck_assert(lgr_delta_apply(base, out, len));
        ck_assert(!memcmp(base, now, FRAME_BYTES));
    }
    ck_assert_uint_eq(lgr_delta_encode(now, now, out, sizeof out), 0);
    noise(now, sizeof now);
    ck_assert_uint_eq(lgr_delta_encode(now, base, out, FRAME_BYTES * 3 / 4), 0);
}
END_TEST

START_TEST(spoilt_deltas_stay_within_the_frame)
{
    u8 *frame = malloc(FRAME_BYTES), p[64]; /* a sanitizer watches its ends */
    unsigned refused = 0;
    memset(frame, 0, FRAME_BYTES);
    for (unsigned round = 0; round < 200000; round++) {
        size_t len = draw(sizeof p + 1);
        noise(p, len);
        for (size_t i = 0; i + 4 <= len && round % 2; i += 12)
            be32_store(p + i, (u32)(draw(520) << 16 | draw(4)));
        refused += !lgr_delta_apply(frame, p, len);
    }
    ck_assert(refused > 1000 && refused < 200000);
    static const u8 past[] = {1, 255, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1};
    ck_assert(lgr_delta_apply(frame, past, 12)); /* the last word */
    ck_assert(!lgr_delta_apply(frame, past, 16));
    free(frame);
}
END_TEST

/* --- without zeros --- */

START_TEST(zeros_are_taken_out_and_put_in_again)
{
    static u8 page[FRAME_BYTES], packed[FRAME_BYTES], back[FRAME_BYTES];
    unsigned refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        noise(page, sizeof page);
        u64 share = draw(101);
        for (unsigned i = 0; i < FRAME_BYTES; i += 8)
            if (draw(100) >= share)
                memset(page + i, 0, 8);
        memcpy(packed, page, sizeof page);
        size_t room = 64 + draw(FRAME_BYTES - 64), len = lgr_sparse_pack(packed, room);
        ck_assert(len <= room);
        if (!len) {
            ck_assert_int_eq(memcmp(packed, page, FRAME_BYTES), 0);
            continue;
        }
        ck_assert(lgr_sparse_unpack(packed, len, back) && !memcmp(back, page, FRAME_BYTES));
        u8 *small = malloc(len); /* of its own length: a sanitizer watches */
        memcpy(small, packed, len);
        small[len - 1 - draw(64)] ^= (u8)(1u << draw(8)); /* one word more or less */
        refused += !lgr_sparse_unpack(small, len, back);
        ck_assert(!lgr_sparse_unpack(small, draw(64), back));
        ck_assert(!lgr_sparse_unpack(small, len - 1, back));
        free(small);
    }
    ck_assert_uint_gt(refused, 1000);
}
END_TEST

/* --- LZ4 --- */

START_TEST(lz4_blocks_are_one_frame_exactly)
{
    static u8 frame[FRAME_BYTES], back[FRAME_BYTES], out[FRAME_BYTES];
    if (!lgr_lz4_there())
        return;
    for (unsigned i = 0; i < FRAME_BYTES; i++)
        frame[i] = (u8)(i / 16);
    size_t len = lgr_lz4_encode(frame, out, sizeof out);
    ck_assert(len && len < FRAME_BYTES / 2);
    ck_assert(lgr_lz4_decode(out, len, back) && !memcmp(frame, back, FRAME_BYTES));
    ck_assert(!lgr_lz4_decode(out, len - 1, back));
    noise(frame, sizeof frame);
    ck_assert_uint_eq(lgr_lz4_encode(frame, out, FRAME_BYTES * 7 / 8), 0);
    u8 *small = malloc(len);
    for (unsigned round = 0; round < 20000; round++) {
        memcpy(small, out, len);
        small[draw(len)] ^= (u8)(1 + draw(255));
        lgr_lz4_decode(small, 1 + draw(len), back); /* true or false, within the frame */
    }
    free(small);
}
END_TEST

/* --- the choice --- */

static enum lgr_kind picked(double mb_s, unsigned delta, unsigned lz4)
{
    const struct lgr_pick p = {.link_ns = 1000 / mb_s,
                               .bytes = {FRAME_BYTES, 0, delta, lz4},
                               .cost_ns = {0, 0, 1200, 6000}};
    return lgr_encode_pick(&p);
}

START_TEST(the_faster_way_is_taken)
{
    ck_assert_int_eq(picked(1500, 0, 2000), LGR_RAW); /* loopback: copying is cheaper */
    ck_assert_int_eq(picked(125, 0, 2000), LGR_LZ4);  /* 1 Gbit/s */
    ck_assert_int_eq(picked(125, 0, 4000), LGR_RAW);  /* it hardly becomes shorter */
    ck_assert_int_eq(picked(125, 100, 2000), LGR_DELTA);
    ck_assert_int_eq(picked(1500, 100, 0), LGR_DELTA);
    ck_assert_int_eq(picked(1500, 4000, 0), LGR_RAW);
    ck_assert_int_eq(picked(10, 3000, 1000), LGR_LZ4);
    ck_assert_int_eq(picked(10, 0, 0), LGR_RAW);
    ck_assert_int_eq(picked(10, FRAME_BYTES, FRAME_BYTES + 9), LGR_RAW);
}
END_TEST

/* Only who waits for the link knows how fast it is. */
START_TEST(the_link_is_measured_where_it_is_waited_for)
{
    struct lgr_link_rate l = {0};
    double unknown = lgr_link_ns(&l);
    lgr_link_note(&l, 100, 20000000, 0); /* hardly used */
    ck_assert(lgr_link_ns(&l) == unknown);
    for (unsigned i = 0; i < 10; i++)
        lgr_link_note(&l, 2500000, 20000000, 15000000); /* 125 MB/s */
    ck_assert(lgr_link_ns(&l) > 7.9 && lgr_link_ns(&l) < 8.1);
    lgr_link_note(&l, 1000, 20000000, 0); /* deltas go, few of them: it has not become slower */
    ck_assert(lgr_link_ns(&l) < 8.1);
    lgr_link_note(&l, 20000000, 20000000, 0); /* it has become faster */
    ck_assert(lgr_link_ns(&l) < 1.1);
}
END_TEST

/* --- images --- */

START_TEST(images_are_bounded_and_the_newest)
{
    static u8 frame[FRAME_BYTES];
    struct lgr_images *all = lgr_images_create(FRAMES, 4 * FRAME_BYTES);
    for (unsigned f = 0; f < 4; f++) {
        frame[0] = (u8)f;
        lgr_image_put(all, f, frame, 2);
    }
    frame[0] = 77;
    lgr_image_put(all, 2, frame, 2);
    ck_assert_uint_eq(lgr_image_find(all, 2, 2)[0], 77);
    lgr_image_put(all, 9, frame, 3); /* all are of this pass or the last */
    ck_assert(!lgr_image_find(all, 9, 3));
    for (unsigned f = 0; f < 3; f++)
        ck_assert(lgr_image_find(all, f, 4));
    lgr_image_put(all, 9, frame, 5); /* 3 has not been of use */
    ck_assert(lgr_image_find(all, 9, 5) && !lgr_image_find(all, 3, 5));
    lgr_image_drop(all, 1);
    lgr_image_drop(all, 1);
    lgr_image_put(all, 10, frame, 5);
    ck_assert(!lgr_image_find(all, 1, 5) && lgr_image_find(all, 10, 5));
    lgr_images_destroy(all);
    lgr_images_destroy(NULL);
}
END_TEST

/* --- chunks, from storage to storage --- */

static u64 test_now(void *ctx)
{
    (void)ctx;
    return 0;
}

struct side {
    struct storage *st;
    struct lgr_space space;
    u64 *hash;
    u64 digest;
    struct lgr_pass sum;
};

struct pair {
    struct lgr_ports ports;
    struct side from, to;
    u64 *set;
    struct lgr_encoder e;
    u8 *buffer;
    u64 bytes; /* of messages of the last pass */
};

static void pair_open(struct pair *p)
{
    *p = (struct pair){.ports = {.now_ns = test_now}};
    ck_assert(storage_create(&p->from.st, FRAMES * FRAME_BYTES, NULL) == ST_OK);
    ck_assert(storage_create(&p->to.st, FRAMES * FRAME_BYTES, NULL) == ST_OK);
    lgr_space_init(&p->from.space, p->from.st);
    lgr_space_init(&p->to.space, p->to.st);
    p->from.hash = calloc(FRAMES, sizeof(u64));
    p->to.hash = calloc(FRAMES, sizeof(u64));
    p->set = calloc(1, storage_bitmap_bytes(p->from.st));
    p->buffer = malloc(LGR_CHUNK_BYTES_MAX);
    lgr_encoder_init(&p->e, &p->ports, &p->from.space, p->set, p->from.hash);
    p->e.lz4 = lgr_lz4_there();
    p->e.sparse_max = FRAME_BYTES * 3 / 4;
}

static void pair_close(struct pair *p)
{
    lgr_encoder_fini(&p->e);
    storage_destroy(p->from.st);
    storage_destroy(p->to.st);
    free(p->from.hash);
    free(p->to.hash);
    free(p->set);
    free(p->buffer);
}

/* One chunk as a message of its own length; true: it was the last. */
static bool chunk_of(struct pair *p, double link_ns, u8 **message, size_t *len)
{
    struct lgr_chunk c;
    struct lgr_tally t = {0};
    lgr_chunk_begin(&c, p->buffer, LGR_CHUNK_PAGES);
    bool last = lgr_encode(&p->e, &c, link_ns, &t);
    lgr_pass_add(&p->from.sum, &t.pass);
    p->from.digest += t.digest;
    size_t head = lgr_chunk_end(&c, p->e.pass);
    *len = c.entries ? head + c.bytes : 0;
    *message = malloc(*len ? *len : 1);
    memcpy(*message, c.table, *len ? head : 0);
    memcpy(*message + (*len ? head : 0), c.data, *len ? c.bytes : 0);
    return last;
}

static void take(struct pair *p, const u8 *message, size_t len)
{
    struct lgr_chunk_view view;
    struct lgr_tally t = {0};
    ck_assert(lgr_chunk_check(message, len, p->e.pass, FRAMES, &view));
    ck_assert(lgr_decode(&p->to.space, p->to.hash, &view, &t));
    lgr_pass_add(&p->to.sum, &t.pass);
    p->to.digest += t.digest;
}

/* Its chunks arrive in another order than they were sent in. */
static void pass_only(struct pair *p, double link_ns)
{
    u8 *message[64];
    size_t len[64];
    unsigned n = 0;
    p->from.sum = p->to.sum = (struct lgr_pass){0};
    p->e.at = 0;
    p->e.pass++;
    storage_epoch(p->from.st, p->set);
    while (n < 64 && !chunk_of(p, link_ns, &message[n], &len[n]))
        n++;
    ck_assert(n++ < 64);
    p->bytes = 0;
    for (unsigned i = n; i--; free(message[i])) {
        p->bytes += len[i];
        if (len[i])
            take(p, message[i], len[i]);
    }
    ck_assert(p->from.digest == p->to.digest);
    ck_assert(p->from.sum.pages == p->to.sum.pages && p->from.sum.zeros == p->to.sum.zeros);
    ck_assert(p->from.sum.deltas == p->to.sum.deltas && p->from.sum.lz4s == p->to.sum.lz4s);
}

static void pass(struct pair *p, double link_ns)
{
    pass_only(p, link_ns);
    ck_assert(!memcmp(p->from.st->base, p->to.st->base, FRAMES * FRAME_BYTES));
}

static void store(struct pair *p, u64 frame, unsigned at, const void *bytes, size_t len)
{
    ck_assert(storage_write(p->from.st, frame * FRAME_BYTES + at, bytes, len));
}

START_TEST(every_kind_arrives_and_is_counted)
{
    static u8 bytes[FRAME_BYTES], zeros[FRAME_BYTES];
    struct pair p;
    pair_open(&p);
    for (unsigned f = 0; f < 100; f++) {
        noise(bytes, sizeof bytes);
        store(&p, f, 0, f < 80 ? bytes : zeros, FRAME_BYTES);
    }
    pass(&p, 0.5);
    ck_assert(p.from.sum.raws == 80 && p.from.sum.zeros == 20 && p.from.sum.pages == 80);
    for (unsigned f = 0; f < 80; f++) /* again, all of it: images are kept of these */
        store(&p, f, 8, bytes, 2048);
    pass(&p, 0.5);
    for (unsigned f = 0; f < 80; f++)
        store(&p, f, 16, f < 40 ? zeros : p.from.st->base + f * FRAME_BYTES + 16, 8);
    pass(&p, 0.5);
    ck_assert(p.from.sum.deltas == 40 && p.from.sum.equals == 40 && p.from.sum.pages == 40);
    ck_assert(p.to.sum.plain_bytes == 40 * FRAME_BYTES);
    for (unsigned f = 200; f < 300; f++)
        store(&p, f, 0, "only a few words of it", 22);
    for (unsigned f = 0; f < 10; f++)
        store(&p, f, 0, zeros, FRAME_BYTES);
    pass(&p, 8);
    ck_assert(p.from.sum.zeros == 10);
    ck_assert(!lgr_lz4_there() || p.from.sum.lz4s == 100);
    pair_close(&p);
}
END_TEST

/* What a frame holds that its guest does not use is not sent, until it is used again. */
START_TEST(unused_frames_go_as_zeros)
{
    static u8 bytes[FRAME_BYTES], zeros[FRAME_BYTES];
    struct pair p;
    pair_open(&p);
    for (unsigned f = 0; f < 100; f++) {
        noise(bytes, sizeof bytes);
        store(&p, f, 0, bytes, FRAME_BYTES);
        storage_usage_set(p.from.st, f * FRAME_BYTES,
                          f < 50 ? STORAGE_UNUSED | STORAGE_NO_DAT : STORAGE_VOLATILE);
    }
    pass_only(&p, 0.5);
    ck_assert(p.from.sum.zeros == 50 && p.from.sum.pages == 50);
    ck_assert(!memcmp(p.to.st->base + 49 * FRAME_BYTES, zeros, FRAME_BYTES));
    for (unsigned f = 0; f < 50; f++) {
        storage_usage_set(p.from.st, f * FRAME_BYTES, STORAGE_STABLE);
        storage_make_resident(p.from.st, f * FRAME_BYTES);
    }
    pass(&p, 0.5);
    ck_assert(p.from.sum.zeros == 0 && p.from.sum.pages == 50);
    pair_close(&p);
}
END_TEST

START_TEST(half_a_page_goes_as_half_a_page)
{
    static u8 bytes[FRAME_BYTES];
    struct pair p;
    pair_open(&p);
    for (unsigned most = 0; most < 2; most++) {
        p.e.sparse_max = most ? FRAME_BYTES * 3 / 4 : 0;
        for (unsigned f = 0; f < 100; f++) {
            noise(bytes, sizeof bytes);
            store(&p, f, (f % 8) * 256, bytes, FRAME_BYTES / 2);
        }
        u64 whole = 100 * FRAME_BYTES;
        pass(&p, 0.5);
        ck_assert(p.from.sum.raws == 100 && p.from.sum.plain_bytes == whole);
        ck_assert(p.bytes >= (most ? whole / 2 : whole) &&
                  p.bytes < (most ? whole * 6 / 10 : whole * 11 / 10));
    }
    pair_close(&p);
}
END_TEST

/* Whatever a guest does, passes over any link end with the same storage. */
START_TEST(random_stores_arrive)
{
    static u8 bytes[FRAME_BYTES];
    struct pair p;
    pair_open(&p);
    for (unsigned round = 0; round < 60; round++) {
        for (u64 k = draw(300); k; k--) {
            u64 len = draw(3) ? 1 + draw(64) : FRAME_BYTES;
            if (draw(4))
                noise(bytes, len);
            else
                memset(bytes, (int)draw(2), len);
            store(&p, draw(FRAMES), (unsigned)draw(FRAME_BYTES - len + 1), bytes, len);
        }
        pass(&p, draw(2) ? 0.5 : 20);
    }
    pair_close(&p);
}
END_TEST

/* A spoilt chunk is refused, or decoded within storage; a sanitizer watches. */
START_TEST(spoilt_chunks_do_no_harm)
{
    static u8 bytes[FRAME_BYTES];
    struct pair p;
    struct lgr_chunk_view view;
    unsigned refused = 0;
    pair_open(&p);
    for (unsigned round = 0; round < 3000; round++) {
        for (unsigned f = 0; f < 8; f++) {
            noise(bytes, 40);
            store(&p, draw(FRAMES), 0, bytes, f % 2 ? 40 : FRAME_BYTES);
        }
        u8 *message;
        size_t len;
        p.e.at = 0;
        p.e.pass = (u16)(1 + round % 5);
        storage_epoch(p.from.st, p.set);
        chunk_of(&p, draw(2) ? 0.5 : 20, &message, &len);
        for (u64 k = 1 + draw(3); k; k--)
            message[LGR_CHUNK_AT + draw(draw(2) ? len - LGR_CHUNK_AT : 40)] = (u8)draw(256);
        size_t cut = draw(5) ? len : draw(len + 1);
        u8 *exact = malloc(cut ? cut : 1);
        memcpy(exact, message, cut);
        struct lgr_tally t = {0};
        bool good = lgr_chunk_check(exact, cut, p.e.pass, FRAMES, &view) &&
                    lgr_decode(&p.to.space, p.to.hash, &view, &t);
        refused += !good;
        free(exact);
        free(message);
    }
    ck_assert(refused > 500 && refused < 3000);
    pair_close(&p);
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
    struct lgr_chunk c;
    struct lgr_chunk_view view;
    u8 *b = calloc(1, LGR_CHUNK_BYTES_MAX), *e = b + LGR_CHUNK_HEAD_BYTES;
    lgr_chunk_begin(&c, b, LGR_CHUNK_PAGES);
    lgr_chunk_add(&c, 500, LGR_ZERO, 1);
    lgr_chunk_add(&c, 501, LGR_ZERO, 11);
    ck_assert_uint_eq(c.entries, 1);
    size_t len = lgr_chunk_end(&c, 3);
    ck_assert(lgr_chunk_check(b, len, 3, FRAMES, &view));
    ck_assert(!lgr_chunk_check(b, len, 4, FRAMES, &view)); /* another pass */
    ck_assert(!lgr_chunk_check(b, len, 3, FRAMES - 1, &view));
    ck_assert(!lgr_chunk_check(b, len - 1, 3, FRAMES, &view));
    ck_assert(!lgr_chunk_check(b, len + 1, 3, FRAMES, &view));
    be16_store(e + 6, 0); /* no frames */
    ck_assert(!lgr_chunk_check(b, len, 3, FRAMES, &view));
    be16_store(e + 6, 12);
    e[4] = LGR_KINDS;
    ck_assert(!lgr_chunk_check(b, len, 3, FRAMES, &view));
    e[4] = LGR_SPARSE; /* the bytes are not there */
    ck_assert(!lgr_chunk_check(b, len, 3, FRAMES, &view));
    e[4] = LGR_ZERO;
    be32_store(e, 0xffffffff);
    ck_assert(!lgr_chunk_check(b, len, 3, FRAMES, &view));
    be16_store(b + LGR_CHUNK_AT + 2, 0xffff); /* entries */
    ck_assert(!lgr_chunk_check(b, len, 3, FRAMES, &view));
    free(b);
}
END_TEST

START_TEST(digests_tell_keys_apart)
{
    struct storage *a, *b;
    ck_assert(storage_create(&a, 64 * MB, NULL) == ST_OK);
    ck_assert(storage_create(&b, 64 * MB, NULL) == ST_OK);
    ck_assert(lgr_keys_digest(a) == lgr_keys_digest(b));
    storage_key_set(a, 40 * MB, 0x18);
    ck_assert(lgr_keys_digest(a) != lgr_keys_digest(b));
    storage_key_set(b, 24 * MB, 0x18); /* the same, elsewhere */
    ck_assert(lgr_keys_digest(a) != lgr_keys_digest(b));
    storage_key_set(b, 24 * MB, 0);
    storage_key_set(b, 40 * MB, 0x18);
    ck_assert(lgr_keys_digest(a) == lgr_keys_digest(b));
    storage_destroy(a);
    storage_destroy(b);
}
END_TEST

/* --- the worker --- */

struct loop {
    pthread_mutex_t lock;
    pthread_cond_t posted;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } note[64];
    unsigned notes, woken;
};

static void loop_post(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct loop *l = ctx;
    pthread_mutex_lock(&l->lock);
    l->note[l->notes].fn = fn;
    l->note[l->notes++].arg = arg;
    pthread_cond_signal(&l->posted);
    pthread_mutex_unlock(&l->lock);
}

static void loop_turn(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    while (!l->notes)
        pthread_cond_wait(&l->posted, &l->lock);
    l->notes--;
    void (*fn)(void *arg) = l->note[l->notes].fn;
    void *arg = l->note[l->notes].arg;
    pthread_mutex_unlock(&l->lock);
    fn(arg);
}

static void woken(void *arg)
{
    ((struct loop *)arg)->woken++;
}

struct sum_job {
    struct lgr_job job;
    unsigned n, sum;
};

static void sum_up(struct lgr_job *job)
{
    struct sum_job *s = (struct sum_job *)job;
    for (unsigned i = 1; i <= s->n; i++)
        s->sum += i;
}

START_TEST(the_worker_finishes_in_order)
{
    struct loop l = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {{0}}, 0, 0};
    const struct lgr_ports threads = {.ctx = &l, .post = loop_post}, none = {.ctx = &l};
    struct sum_job jobs[50];
    struct lgr_worker *w = lgr_worker_create(_i ? &threads : &none, woken, &l);
    for (unsigned i = 0; i < 50; i++) {
        jobs[i] = (struct sum_job){{NULL, sum_up}, i * 100, 0};
        lgr_worker_submit(w, &jobs[i].job);
    }
    for (unsigned i = 0; i < 50; i++) {
        lgr_worker_wait(w);
        ck_assert(lgr_worker_take(w) == &jobs[i].job);
        ck_assert_uint_eq(jobs[i].sum, i * 100 * (i * 100 + 1) / 2);
    }
    ck_assert(!lgr_worker_take(w) && !lgr_worker_pending(w));
    lgr_worker_wait(w);
    if (_i)
        loop_turn(&l);
    ck_assert(!_i || l.woken);
    lgr_worker_destroy(w);
    lgr_worker_destroy(NULL);
    while (l.notes) /* one that was on its way ends what is left */
        loop_turn(&l);
}
END_TEST

static atomic_bool release, begun;

static void slow(struct lgr_job *job)
{
    (void)job;
    atomic_store(&begun, true);
    while (!atomic_load(&release))
        ;
}

static void *let_go(void *arg)
{
    (void)arg;
    atomic_store(&release, true);
    return NULL;
}

/* Destroyed with work under way: it is waited for, what has not begun does not begin. */
START_TEST(the_worker_ends_with_its_relocation)
{
    struct loop l = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {{0}}, 0, 0};
    const struct lgr_ports threads = {.ctx = &l, .post = loop_post};
    struct lgr_worker *w = lgr_worker_create(&threads, woken, &l);
    struct lgr_job busy = {NULL, slow};
    struct sum_job never = {{NULL, sum_up}, 9, 0};
    pthread_t t;
    lgr_worker_submit(w, &busy);
    lgr_worker_submit(w, &never.job);
    while (!atomic_load(&begun))
        ;
    pthread_create(&t, NULL, let_go, NULL);
    pthread_join(t, NULL);
    lgr_worker_destroy(w);
    while (l.notes)
        loop_turn(&l);
    ck_assert(!l.woken);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_pages");
    TCase *tc = tcase_create("pages");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, deltas_restore_what_has_changed);
    tcase_add_test(tc, spoilt_deltas_stay_within_the_frame);
    tcase_add_test(tc, lz4_blocks_are_one_frame_exactly);
    tcase_add_test(tc, the_faster_way_is_taken);
    tcase_add_test(tc, the_link_is_measured_where_it_is_waited_for);
    tcase_add_test(tc, images_are_bounded_and_the_newest);
    tcase_add_test(tc, every_kind_arrives_and_is_counted);
    tcase_add_test(tc, half_a_page_goes_as_half_a_page);
    tcase_add_test(tc, unused_frames_go_as_zeros);
    tcase_add_test(tc, zeros_are_taken_out_and_put_in_again);
    tcase_add_test(tc, random_stores_arrive);
    tcase_add_test(tc, spoilt_chunks_do_no_harm);
    tcase_add_test(tc, numbers_out_of_range_are_refused);
    tcase_add_test(tc, digests_tell_keys_apart);
    tcase_add_loop_test(tc, the_worker_finishes_in_order, 0, 2);
    tcase_add_test(tc, the_worker_ends_with_its_relocation);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
