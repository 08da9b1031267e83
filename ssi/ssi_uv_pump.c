/* Guarantees: order in each direction; memory bounded by the ring, and by what the core queues
 * (SSI_BACKLOG_LIMIT_BYTES); when the ring is full nothing is read, so that the peer has to wait.
 *
 * The session, the socket and the piece that is being sent belong to the thread while it is awake.
 * It says that it sleeps with the lock held, and takes it to wake up: meanwhile the loop, with the
 * lock, may send itself, which spares two thread switches for a message that somebody waits for.
 *
 * The ring is mapped twice, one behind the other, so that messages lie in one piece in it and are
 * handled where they are. The thread writes it and its tail, the loop reads it and moves the
 * head. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "ssi/ssi_uv_pump.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

#define RING_BYTES (2ul << 20)       /* more than the longest message */
#define CIPHER_BYTES (128u << 10)    /* read at once */
#define INLINE_BYTES (64u << 10)     /* so little the loop sends itself */
#define GATHER_BYTES (4u << 10)      /* pieces so small go in one record with others */
#define RECORD_BYTES (16u << 10)     /* of TLS */
#define SENT_STEP_BYTES (256u << 10) /* the loop is told after so many, or when nothing waits */
#define PIECES_MAX 16
#define IDLE_MS 1000 /* then memory is given back */

struct piece {
    struct piece *next;
    struct ssi_sent sent; /* fn NULL: nothing is kept */
    unsigned at, n;       /* of iov: gone before that */
    struct ssi_iov iov[PIECES_MAX];
    u8 copied[];
};

struct ssi_pump {
    int fd, wake_fd;
    struct ssi_tls_conn *tls;
    void (*note)(void *arg);
    void *arg;
    pthread_t thread;
    u8 *ring, *cipher;
    _Atomic u64 head, tail; /* bytes consumed, received */
    _Atomic size_t backlog;
    /* the thread's, or of who has the lock while it sleeps */
    size_t out_at; /* of what TLS has made, gone */
    size_t untold; /* sent, and the loop does not know */
    bool blocked;  /* the socket takes no more */
    bool cached;   /* there is memory to be given back */
    /* the lock's */
    struct lock lock;
    struct piece *queue, **queue_last, *done, **done_last;
    bool asleep, full, paused, flushing, stopping, went, ended;
    int error;
};

/* --- the socket --- */

static void fail(struct ssi_pump *p, int error)
{
    lock_take(&p->lock);
    p->error = p->error ? p->error : error;
    p->stopping = true;
    lock_drop(&p->lock);
}

/* What the socket has taken; 0: nothing now, `*error` says whether for ever. */
static size_t socket_write(int fd, const u8 *bytes, size_t len, int *error)
{
    ssize_t sent;
    do
        sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    *error = sent >= 0 || errno == EAGAIN ? 0 : -errno;
    return sent > 0 ? (size_t)sent : 0;
}

/* What it has: 0 as above, PUMP_EOF at the end. */
static size_t socket_read(int fd, u8 *to, size_t room, int *error)
{
    ssize_t got;
    do
        got = recv(fd, to, room, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    *error = got > 0 || (got < 0 && errno == EAGAIN) ? 0 : got ? -errno : PUMP_EOF;
    return got > 0 ? (size_t)got : 0;
}

/* --- sending: of the thread, or of the loop while it sleeps. Errors are returned. --- */

/* False: the socket does not take all that TLS has made. */
static bool flush_out(struct ssi_pump *p, int *error)
{
    const u8 *bytes;
    size_t len = ssi_tls_output(p->tls, &bytes);
    *error = 0;
    while (p->out_at < len) {
        size_t gone = socket_write(p->fd, bytes + p->out_at, len - p->out_at, error);
        if (!gone)
            return false;
        p->out_at += gone;
    }
    p->out_at = 0;
    ssi_tls_output_done(p->tls);
    return true;
}

/* So much of the piece has gone. */
static void piece_gone(struct ssi_pump *p, struct piece *piece, size_t len)
{
    atomic_fetch_sub(&p->backlog, len);
    p->untold += len;
    while (piece->at < piece->n && len >= piece->iov[piece->at].len)
        len -= piece->iov[piece->at++].len;
    if (!len)
        return;
    piece->iov[piece->at].p = (const u8 *)piece->iov[piece->at].p + len;
    piece->iov[piece->at].len -= len;
}

/* Encrypt the next part: small neighbours together. */
static size_t encrypt(struct ssi_pump *p, const struct piece *piece, int *error)
{
    u8 record[RECORD_BYTES];
    const struct ssi_iov *iov = &piece->iov[piece->at];
    const void *bytes = iov->p;
    size_t len = iov->len < TLS_SLICE_BYTES ? iov->len : TLS_SLICE_BYTES;
    if (piece->at + 1 < piece->n && iov[0].len <= GATHER_BYTES && iov[1].len <= GATHER_BYTES) {
        len = 0;
        for (unsigned i = piece->at; i < piece->n && piece->iov[i].len <= GATHER_BYTES &&
                                     len + piece->iov[i].len <= sizeof record;
             i++) {
            memcpy(record + len, piece->iov[i].p, piece->iov[i].len);
            len += piece->iov[i].len;
        }
        bytes = record;
    }
    *error = ssi_tls_write(p->tls, bytes, len) ? 0 : PUMP_REFUSED;
    return *error ? 0 : len;
}

/* A part of a piece. False: the socket takes no more now, or an error. */
static bool piece_write(struct ssi_pump *p, struct piece *piece, int *error)
{
    if (!flush_out(p, error))
        return false;
    size_t len = encrypt(p, piece, error);
    if (!len)
        return false;
    piece_gone(p, piece, len);
    return flush_out(p, error);
}

/* --- the thread --- */

static void tell_loop(struct ssi_pump *p)
{
    p->untold = 0;
    p->note(p->arg);
}

static struct piece *first_piece(struct ssi_pump *p)
{
    lock_take(&p->lock);
    struct piece *piece = p->queue;
    lock_drop(&p->lock);
    return piece;
}

static void piece_done_locked(struct ssi_pump *p)
{
    struct piece *piece = p->queue;
    p->queue = piece->next;
    if (!p->queue)
        p->queue_last = &p->queue;
    piece->next = NULL;
    *p->done_last = piece;
    p->done_last = &piece->next;
    p->went = true;
}

/* True: something has gone. */
static bool send_some(struct ssi_pump *p)
{
    struct piece *piece = first_piece(p);
    int error;
    p->blocked = piece ? !piece_write(p, piece, &error) : !flush_out(p, &error);
    if (error)
        fail(p, error);
    if (!piece)
        return false;
    bool whole = piece->at == piece->n;
    lock_take(&p->lock);
    if (whole)
        piece_done_locked(p);
    p->went = p->went || p->untold;
    bool tell = p->untold >= SENT_STEP_BYTES || (p->untold && !p->queue);
    lock_drop(&p->lock);
    if (tell)
        tell_loop(p);
    return !p->blocked;
}

static size_t ring_room(struct ssi_pump *p)
{
    return RING_BYTES - (atomic_load(&p->tail) - atomic_load(&p->head));
}

/* Decrypt what has come into the ring: bytes. */
static size_t decrypt(struct ssi_pump *p, u8 *to, size_t room, int *error)
{
    size_t sum = 0, got;
    *error = 0;
    if (!ssi_tls_unread(p->tls)) {
        size_t len = socket_read(p->fd, p->cipher, CIPHER_BYTES, error);
        if (!len)
            return 0;
        ssi_tls_receive(p->tls, p->cipher, len);
    }
    while (sum < room && (got = ssi_tls_read(p->tls, to + sum, room - sum)) > 0)
        sum += got;
    if (ssi_tls_failed(p->tls))
        *error = PUMP_REFUSED;
    return sum;
}

/* True: more may be there. */
static bool receive_some(struct ssi_pump *p)
{
    size_t room = ring_room(p);
    u64 tail = atomic_load(&p->tail);
    u8 *to = p->ring + tail % RING_BYTES;
    int error;
    lock_take(&p->lock);
    bool paused = p->paused;
    lock_drop(&p->lock);
    if (!room || paused)
        return false;
    size_t got = decrypt(p, to, room, &error);
    p->cached = p->cached || got;
    if (got) {
        atomic_store(&p->tail, tail + got);
        p->note(p->arg);
    }
    if (error)
        fail(p, error);
    return got || ssi_tls_unread(p->tls);
}

/* Nothing has come for a while: the memory of a ring that is empty goes back. */
static void give_back(struct ssi_pump *p)
{
    p->cached = false;
    if (atomic_load(&p->head) != atomic_load(&p->tail))
        return;
    madvise(p->ring, RING_BYTES, MADV_REMOVE);
    madvise(p->cipher, CIPHER_BYTES, MADV_DONTNEED);
}

/* Until the network or the loop has something. */
static void sleep_some(struct ssi_pump *p)
{
    struct pollfd fds[2] = {{.fd = -1}, {.fd = p->wake_fd, .events = POLLIN}};
    u64 wakes;
    lock_take(&p->lock);
    bool work = p->stopping || (!p->blocked && (p->queue || p->flushing));
    p->full = !ring_room(p);
    if (!p->full && !p->paused)
        fds[0] = (struct pollfd){.fd = p->fd, .events = POLLIN};
    if (p->blocked)
        fds[0] = (struct pollfd){.fd = p->fd, .events = (short)(fds[0].events | POLLOUT)};
    p->asleep = !work;
    lock_drop(&p->lock);
    if (work)
        return;
    int n = poll(fds, 2, p->cached ? IDLE_MS : -1);
    lock_take(&p->lock);
    p->asleep = false;
    lock_drop(&p->lock);
    if (n > 0 && fds[1].revents && read(p->wake_fd, &wakes, sizeof wakes) < 0)
        ERGO(errno == EAGAIN || errno == EINTR);
    if (n == 0)
        give_back(p);
}

/* False: it is to end. */
static bool may_go_on(struct ssi_pump *p)
{
    lock_take(&p->lock);
    bool over = p->stopping || (p->flushing && !p->queue && !p->blocked);
    lock_drop(&p->lock);
    return !over;
}

static void *pump_main(void *arg)
{
    struct ssi_pump *p = arg;
    int ignored;
    while (may_go_on(p)) {
        bool sent = send_some(p), received = receive_some(p);
        if (!sent && !received)
            sleep_some(p);
    }
    flush_out(p, &ignored); /* the alert */
    lock_take(&p->lock);
    p->ended = true;
    lock_drop(&p->lock);
    tell_loop(p);
    return NULL;
}

/* --- the loop --- */

static bool ring_map(struct ssi_pump *p)
{
    int fd = memfd_create("endicott-stream", MFD_CLOEXEC);
    bool good = fd >= 0 && ftruncate(fd, RING_BYTES) == 0;
    u8 *at = good ? mmap(NULL, 2 * RING_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                  : MAP_FAILED;
    p->ring = at == MAP_FAILED ? NULL : at;
    for (unsigned i = 0; i < 2 && p->ring && good; i++)
        good = mmap(at + i * RING_BYTES, RING_BYTES, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
    if (fd >= 0)
        close(fd);
    return good && p->ring;
}

static void release(struct ssi_pump *p)
{
    if (p->ring)
        munmap(p->ring, 2 * RING_BYTES);
    if (p->cipher)
        munmap(p->cipher, CIPHER_BYTES);
    if (p->wake_fd >= 0)
        close(p->wake_fd);
    lock_fini(&p->lock);
    free(p);
}

struct ssi_pump *ssi_pump_start(int fd, struct ssi_tls_conn *tls, void (*note)(void *arg),
                                void *arg)
{
    struct ssi_pump *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->fd = fd;
    p->tls = tls;
    p->note = note;
    p->arg = arg;
    p->queue_last = &p->queue;
    p->done_last = &p->done;
    lock_init(&p->lock, LOCK_PUMP);
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    void *cipher =
        mmap(NULL, CIPHER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p->cipher = cipher == MAP_FAILED ? NULL : cipher;
    ssi_tls_bulk(tls);
    if (ring_map(p) && p->cipher && p->wake_fd >= 0 &&
        pthread_create(&p->thread, NULL, pump_main, p) == 0)
        return p;
    release(p);
    return NULL;
}

static void wake(struct ssi_pump *p)
{
    const u64 one = 1;
    ssize_t rc = write(p->wake_fd, &one, sizeof one);
    (void)rc; /* EAGAIN: it is awake often enough */
}

/* A piece with a copy of all bytes, or of the first part only. */
static struct piece *piece_new(const struct ssi_iov *iov, unsigned n,
                               const struct ssi_sent *sent, size_t len)
{
    struct piece *piece = malloc(sizeof *piece + (sent ? iov[0].len : len));
    size_t at = 0;
    if (!piece)
        return NULL;
    *piece = (struct piece){.n = sent ? n : 1};
    if (sent)
        piece->sent = *sent;
    for (unsigned i = 0; i < n && (i == 0 || !sent); at += iov[i++].len)
        if (iov[i].len)
            memcpy(piece->copied + at, iov[i].p, iov[i].len);
    for (unsigned i = 1; i < piece->n; i++)
        piece->iov[i] = iov[i];
    piece->iov[0] = (struct ssi_iov){piece->copied, at};
    return piece;
}

/* Nothing waits and the thread sleeps: the loop does it. Lock held. */
static void send_now_locked(struct ssi_pump *p)
{
    int error = 0;
    struct piece *piece = p->queue;
    while (piece->at < piece->n && piece_write(p, piece, &error))
        continue;
    p->blocked = piece->at < piece->n || p->out_at;
    p->untold = 0;
    if (piece->at == piece->n)
        piece_done_locked(p);
    p->error = p->error ? p->error : error;
    p->stopping = p->stopping || error;
}

bool ssi_pump_send(struct ssi_pump *p, const struct ssi_iov *iov, unsigned n,
                   const struct ssi_sent *sent)
{
    size_t len = 0;
    PRE(n >= 1 && n <= PIECES_MAX);
    for (unsigned i = 0; i < n; i++)
        len += iov[i].len;
    struct piece *piece = piece_new(iov, n, sent, len);
    if (!piece) {
        fail(p, -ENOMEM);
        wake(p);
        return false;
    }
    atomic_fetch_add(&p->backlog, len);
    lock_take(&p->lock);
    bool now = p->asleep && !p->queue && !p->blocked && !p->stopping && len <= INLINE_BYTES;
    *p->queue_last = piece;
    p->queue_last = &piece->next;
    if (now)
        send_now_locked(p);
    bool rouse = p->asleep && (p->queue || p->blocked || p->stopping);
    lock_drop(&p->lock);
    if (now)
        p->note(p->arg); /* what has gone is told from the loop */
    if (rouse)
        wake(p);
    return sent != NULL;
}

size_t ssi_pump_backlog(struct ssi_pump *p)
{
    return atomic_load(&p->backlog);
}

static void give_pieces(struct piece *piece)
{
    for (struct piece *next; piece; piece = next) {
        const struct ssi_sent sent = piece->sent;
        next = piece->next;
        free(piece);
        if (sent.fn)
            sent.fn(sent.arg);
    }
}

bool ssi_pump_sent(struct ssi_pump *p)
{
    lock_take(&p->lock);
    struct piece *done = p->done;
    bool went = p->went;
    p->done = NULL;
    p->done_last = &p->done;
    p->went = false;
    lock_drop(&p->lock);
    give_pieces(done);
    return went;
}

size_t ssi_pump_received(struct ssi_pump *p, const u8 **bytes)
{
    u64 head = atomic_load(&p->head);
    *bytes = p->ring + head % RING_BYTES;
    return atomic_load(&p->tail) - head;
}

/* The thread does not look at the ring while it sleeps because that is full. */
void ssi_pump_consumed(struct ssi_pump *p, size_t len)
{
    atomic_fetch_add(&p->head, len);
    lock_take(&p->lock);
    bool rouse = p->asleep && p->full;
    p->full = false;
    lock_drop(&p->lock);
    if (rouse)
        wake(p);
}

void ssi_pump_pause(struct ssi_pump *p, bool paused)
{
    lock_take(&p->lock);
    p->paused = paused;
    lock_drop(&p->lock);
    wake(p);
}

void ssi_pump_end(struct ssi_pump *p, bool flush)
{
    lock_take(&p->lock);
    p->flushing = true;
    p->stopping = p->stopping || !flush;
    lock_drop(&p->lock);
    wake(p);
}

bool ssi_pump_ended(struct ssi_pump *p, int *error)
{
    lock_take(&p->lock);
    bool ended = p->ended;
    *error = p->error;
    lock_drop(&p->lock);
    return ended;
}

void ssi_pump_free(struct ssi_pump *p)
{
    if (!p)
        return;
    PRE(p->ended);
    pthread_join(p->thread, NULL);
    give_pieces(p->done);
    give_pieces(p->queue);
    release(p);
}
