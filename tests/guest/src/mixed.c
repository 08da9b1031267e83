/* mixed: integer work of the kinds that embedded programs are made of - linked lists, a matrix, a
 * state machine over text, a CRC over everything - in one program. Prints `BENCH name seconds
 * checksum` like gbench; the work is fixed, each thread does all of it, so that checksums must
 * agree everywhere. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NODES = 320, MATRIX = 24, TEXT = 1200, ROUNDS = 60, THREADS_MAX = 16 };

struct node {
    struct node *next;
    int16_t key;
    uint16_t tag;
};

struct work {
    struct node nodes[NODES];
    struct node *list;
    int16_t a[MATRIX][MATRIX], b[MATRIX][MATRIX];
    int32_t c[MATRIX][MATRIX];
    char text[TEXT];
    uint32_t seed;
    uint16_t crc;
};

static uint32_t random_next(struct work *w)
{
    w->seed = w->seed * 1664525u + 1013904223u;
    return w->seed >> 8;
}

/* --- CRC-16, bit by bit --- */

static uint16_t crc_byte(uint16_t crc, uint8_t byte)
{
    for (int bit = 0; bit < 8; bit++, byte >>= 1) {
        int carry = (byte ^ crc) & 1;

        crc >>= 1;
        if (carry)
            crc ^= 0xA001;
    }
    return crc;
}

static void crc_add(struct work *w, uint32_t value)
{
    for (int i = 0; i < 4; i++, value >>= 8)
        w->crc = crc_byte(w->crc, (uint8_t)value);
}

/* --- lists --- */

static void list_make(struct work *w)
{
    w->list = NULL;
    for (int i = 0; i < NODES; i++) {
        struct node *n = &w->nodes[(i * 7) % NODES];

        n->key = (int16_t)(random_next(w) & 0x3ff);
        n->tag = (uint16_t)i;
        n->next = w->list;
        w->list = n;
    }
}

static struct node *list_find(struct node *list, int16_t key)
{
    while (list && list->key != key)
        list = list->next;
    return list;
}

static struct node *list_reverse(struct node *list)
{
    struct node *done = NULL;

    while (list) {
        struct node *next = list->next;

        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static int by_key(const struct node *l, const struct node *r)
{
    return l->key - r->key;
}

static int by_tag(const struct node *l, const struct node *r)
{
    return l->tag - r->tag;
}

static struct node *list_merge(struct node *l, struct node *r,
                               int (*order)(const struct node *, const struct node *))
{
    struct node head = {0}, *tail = &head;

    while (l && r) {
        struct node **from = order(l, r) <= 0 ? &l : &r;

        tail = tail->next = *from;
        *from = (*from)->next;
    }
    tail->next = l ? l : r;
    return head.next;
}

static struct node *list_sort(struct node *list,
                              int (*order)(const struct node *, const struct node *))
{
    struct node *slow = list, *fast = list ? list->next : NULL, *half;

    if (!fast)
        return list;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    half = slow->next;
    slow->next = NULL;
    return list_merge(list_sort(list, order), list_sort(half, order), order);
}

static void list_round(struct work *w, unsigned round)
{
    unsigned found = 0, place = 0;

    for (int16_t key = 0; key < 40; key++) {
        const struct node *n = list_find(w->list, (int16_t)((key * 13 + (int)round) & 0x3ff));

        found += n ? 1u + n->tag : 0;
        w->list = list_reverse(w->list);
    }
    w->list = list_sort(w->list, by_key);
    for (const struct node *n = w->list; n; n = n->next)
        found += (uint32_t)n->tag * ++place;
    w->list = list_sort(w->list, by_tag);
    w->nodes[round % NODES].key ^= (int16_t)(round & 0xff);
    crc_add(w, found);
}

/* --- matrix --- */

static void matrix_make(struct work *w)
{
    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++) {
            w->a[i][j] = (int16_t)(random_next(w) & 0xff);
            w->b[i][j] = (int16_t)((random_next(w) & 0xff) - 128);
        }
}

static int32_t matrix_sum(const struct work *w, int32_t limit)
{
    int32_t sum = 0, last = 0, runs = 0;

    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++) {
            int32_t now = w->c[i][j];

            sum += now;
            if (sum > limit) {
                runs += 10;
                sum = 0;
            } else {
                runs += now > last;
            }
            last = now;
        }
    return runs;
}

static void matrix_round(struct work *w, unsigned round)
{
    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++) {
            int32_t sum = 0;

            for (int k = 0; k < MATRIX; k++)
                sum += (int32_t)w->a[i][k] * w->b[k][j];
            w->c[i][j] = sum;
        }
    crc_add(w, (uint32_t)matrix_sum(w, 30000));
    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++) {
            w->c[i][j] = (w->c[i][j] >> 2 & 0x0f) * (w->c[i][j] >> 5 & 0x7f);
            w->a[i][j] = (int16_t)((w->a[i][j] + (int)round) & 0x1ff);
        }
    crc_add(w, (uint32_t)matrix_sum(w, 2000));
}

/* --- state machine: which words of a text are numbers, and of what kind --- */

enum state { BEGIN, SIGN, INTEGER, POINT, FRACTION, E, E_SIGN, EXPONENT, OTHER, STATES };

static void text_make(struct work *w)
{
    static const char *const words[] = {"4711", "-17", "+3.25", "0.5e-3", "6.02E23", "word",
                                        "1e",   "..",  "-",     "12x",    ".75"};

    memset(w->text, ',', TEXT);
    for (size_t at = 0; at < TEXT - 10;) {
        const char *word = words[random_next(w) % (sizeof words / sizeof *words)];

        memcpy(w->text + at, word, strlen(word));
        at += strlen(word) + 1;
    }
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum state state_next(enum state s, char c)
{
    switch (s) {
    case BEGIN:
        if (c == '+' || c == '-')
            return SIGN;
        /* fall through */
    case SIGN: return is_digit(c) ? INTEGER : c == '.' ? POINT : OTHER;
    case INTEGER:
        if (c == '.')
            return FRACTION;
        return is_digit(c) ? INTEGER : c == 'e' || c == 'E' ? E : OTHER;
    case POINT: return is_digit(c) ? FRACTION : OTHER;
    case FRACTION: return is_digit(c) ? FRACTION : c == 'e' || c == 'E' ? E : OTHER;
    case E: return c == '+' || c == '-' ? E_SIGN : is_digit(c) ? EXPONENT : OTHER;
    case E_SIGN:
    case EXPONENT: return is_digit(c) ? EXPONENT : OTHER;
    default: return OTHER;
    }
}

static void text_round(struct work *w, unsigned round)
{
    uint32_t ends[STATES] = {0}, steps[STATES] = {0};
    enum state s = BEGIN;

    for (int i = 0; i < TEXT; i++) {
        if (w->text[i] == ',') {
            ends[s]++;
            s = BEGIN;
            continue;
        }
        s = state_next(s, w->text[i]);
        steps[s]++;
    }
    for (int i = 0; i < STATES; i++)
        crc_add(w, ends[i] << 16 | steps[i]);
    w->text[round * 31 % TEXT] ^= round & 1 ? 1 : 2;
}

/* --- the program --- */

static void *work(void *arg)
{
    unsigned scale = *(const unsigned *)arg;
    struct work *w = calloc(1, sizeof *w);
    uint64_t sum = 0;

    if (!w)
        exit(1);
    w->seed = 20070;
    list_make(w);
    matrix_make(w);
    text_make(w);
    for (unsigned round = 0; round < ROUNDS * scale; round++) {
        list_round(w, round);
        matrix_round(w, round);
        text_round(w, round);
        sum = sum * 31 + w->crc;
    }
    free(w);
    return (void *)(uintptr_t)sum;
}

static uint64_t work_threads(unsigned threads, unsigned scale)
{
    pthread_t id[THREADS_MAX];
    uint64_t sum = 0;

    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&id[i], NULL, work, &scale) != 0)
            exit(1);
    for (unsigned i = 0; i < threads; i++) {
        void *one = NULL;

        if (pthread_join(id[i], &one) != 0)
            exit(1);
        sum = sum * 31 + (uintptr_t)one;
    }
    return sum;
}

static int usage(void)
{
    fputs("usage: mixed [-s SCALE] [-t THREADS] [-n NAME] [-q]   (-q: the checksum alone)\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned scale = 10, threads = 1;
    const char *name = "mixed";
    struct timespec from, to;
    int opt, quiet = 0;

    while ((opt = getopt(argc, argv, "s:t:n:q")) != -1) {
        if (opt == 's')
            scale = (unsigned)strtoul(optarg, NULL, 10);
        else if (opt == 't')
            threads = (unsigned)strtoul(optarg, NULL, 10);
        else if (opt == 'n')
            name = optarg;
        else if (opt == 'q')
            quiet = 1;
        else
            return usage();
    }
    if (scale == 0 || threads == 0 || threads > THREADS_MAX || optind != argc)
        return usage();
    clock_gettime(CLOCK_MONOTONIC, &from);
    uint64_t sum = work_threads(threads, scale);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (quiet)
        printf("%016llx\n", (unsigned long long)sum);
    else
        printf("BENCH %s %.3f %016llx\n", name,
               (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
               (unsigned long long)sum);
    return 0;
}
