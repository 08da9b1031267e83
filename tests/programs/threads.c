/* Threads: atomic counters of all widths, a mutex, a spin lock, a ring with conditions, storage
 * of each thread; sums do not depend on the order. */
#include <pthread.h>
#include <stdatomic.h>

#include "programs.h"

#define THREADS 4u
#define ROUNDS 5000u
#define RING 8u

static _Atomic uint8_t count8;
static _Atomic uint16_t count16;
static _Atomic uint32_t count32, bits, spin;
static _Atomic uint64_t count64, low, exclusive;
static uint64_t plain, spun;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static __thread uint64_t own;

static void maximum(_Atomic uint64_t *most, uint64_t v)
{
    uint64_t seen = atomic_load(most);
    while (seen < v && !atomic_compare_exchange_weak(most, &seen, v)) {}
}

static void *counting(void *arg)
{
    uint64_t me = (uint64_t)(uintptr_t)arg;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        atomic_fetch_add(&count8, 1);
        atomic_fetch_add(&count16, (uint16_t)(me + 1));
        atomic_fetch_sub_explicit(&count32, 3, memory_order_relaxed);
        atomic_fetch_add(&count64, 0x100000001u);
        atomic_fetch_or(&bits, 1u << (i + me) % 32);
        atomic_fetch_xor(&exclusive, i * (me + 1));
        maximum(&low, i * 10 + me);
        while (atomic_exchange_explicit(&spin, 1, memory_order_acquire))
            sched_yield();
        spun += i;
        atomic_store_explicit(&spin, 0, memory_order_release);
        if (i % 16 == 0) {
            pthread_mutex_lock(&mutex);
            plain += me + i;
            pthread_mutex_unlock(&mutex);
        }
        own += i ^ me;
    }
    return (void *)(uintptr_t)own;
}

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t room, items;
    uint64_t slot[RING];
    unsigned put, got;
} ring = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, 0, 0};

static void *producing(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg + 1;
    for (unsigned i = 0; i < 500; i++) {
        uint64_t v = next_random(&seed);
        pthread_mutex_lock(&ring.mutex);
        while (ring.put - ring.got == RING)
            pthread_cond_wait(&ring.room, &ring.mutex);
        ring.slot[ring.put++ % RING] = v;
        pthread_cond_signal(&ring.items);
        pthread_mutex_unlock(&ring.mutex);
    }
    return NULL;
}

static void consume(unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        pthread_mutex_lock(&ring.mutex);
        while (ring.put == ring.got)
            pthread_cond_wait(&ring.items, &ring.mutex);
        sum += ring.slot[ring.got++ % RING];
        pthread_cond_signal(&ring.room);
        pthread_mutex_unlock(&ring.mutex);
    }
    printf("ring %016llx\n", (unsigned long long)sum);
}

void program_threads(void)
{
    pthread_t t[THREADS];
    uint64_t owned = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, counting, (void *)i);
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(t[i], &result);
        owned += (uintptr_t)result;
    }
    printf("counts %u %u %u %016llx\n", count8, count16, count32, (unsigned long long)count64);
    printf("sums %08x %llu %llu %llu %llu %llu\n", bits, (unsigned long long)exclusive,
           (unsigned long long)low, (unsigned long long)plain, (unsigned long long)spun,
           (unsigned long long)owned);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, producing, (void *)i);
    consume(THREADS * 500);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
}
