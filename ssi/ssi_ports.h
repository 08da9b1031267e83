/* What the core of ssi needs from the world, and what the world reports to it.
 * Implemented by ssi_uv.c (libuv, files) and ssi_sim.c (one process, virtual time). */
#ifndef ENDICOTT_SSI_SSI_PORTS_H
#define ENDICOTT_SSI_SSI_PORTS_H

#include "ssi/ssi.h"

/* A connection is a number other than 0 that the port gives out; it is never used twice. From
 * inside a port function nothing may be reported back: reports come later, from the loop. */
typedef u64 ssi_conn;

#define SSI_BINDING_BYTES 32
#define TLS_FIRST_BYTE 0x16 /* of a handshake, RFC 8446 5.1; SSI frames begin with 'E' */
#define SSI_CIPHER_BYTES 32

/** Who is at the other end, as the connection itself shows it. */
struct ssi_peer {
    bool tls; /* encrypted, and the peer has proved that it is: */
    char cluster[SSI_NAME_BYTES], member[SSI_NAME_BYTES];
    u8 binding[SSI_BINDING_BYTES]; /* the same at both ends of this session, and of no other */
    char cipher[SSI_CIPHER_BYTES];
};

struct ssi_ports {
    void *ctx;                 /* first argument of every function */
    u64 (*now_ms)(void *ctx);  /* monotonic */
    u64 (*wall_ms)(void *ctx); /* since 1970 UTC */
    u64 (*random)(void *ctx);
    u64 (*host_id)(void *ctx); /* the same for members on one running host only */
    /** Listen; `actual` gets the address to publish (SSI_ADDR_BYTES). */
    int (*listen)(void *ctx, const char *listen, const char *advertise, char *actual,
                  struct cause *cause);
    void (*listen_stop)(void *ctx);
    /** Start connecting; reported by ssi_conn_opened or ssi_conn_closed. 0: no. */
    ssi_conn (*connect)(void *ctx, const char *addr, struct cause *cause);
    /** Queue bytes (copied as far as needed). A failure is reported later as closed. */
    void (*send)(void *ctx, ssi_conn conn, const struct ssi_iov *iov, unsigned n);
    /** As send, but only the first piece is copied: true, and the others must stay as they are
     *  until sent->fn(sent->arg) comes from the loop, also when the connection is lost. False: they
     *  need not. NULL: nothing is kept. */
    bool (*send_kept)(void *ctx, ssi_conn conn, const struct ssi_iov *iov, unsigned n,
                      const struct ssi_sent *sent);
    size_t (*backlog)(void *ctx, ssi_conn conn);
    /** Take no more bytes from conn until it is told to go on. */
    void (*pause)(void *ctx, ssi_conn conn, bool paused);
    /** Much will come and go on conn, which is up: it may be served beside the loop from here on,
     *  what comes being reported by ssi_conn_take. NULL: that makes no difference. */
    void (*bulk)(void *ctx, ssi_conn conn);
    /** Who is there; NULL when no connection is encrypted. `out` is zeroed when conn is not. */
    void (*peer)(void *ctx, ssi_conn conn, struct ssi_peer *out);
    /** Close after what is queued has been sent (`flush`, bounded time) or now. The core
     * forgets the connection at once; nothing more is reported of it. */
    void (*close)(void *ctx, ssi_conn conn, bool flush);
    /** Exclusive lock on the PDR; waits at most wait_ms. ST_BUSY, ST_IO; ST_LOST: another life has
     * our slot. Opens or creates it. */
    int (*pdr_lock)(void *ctx, unsigned wait_ms, struct cause *cause);
    void (*pdr_unlock)(void *ctx);
    /** See to it that the first `bytes` of the file need no new space when they are written. */
    int (*pdr_reserve)(void *ctx, u64 bytes, struct cause *cause);
    /** Read up to len bytes; fewer at the end of the file. */
    int (*pdr_read)(void *ctx, u64 offset, void *data, size_t len, size_t *got,
                    struct cause *cause);
    /** All bytes, and on stable storage if `durable`, or an error. */
    int (*pdr_write)(void *ctx, u64 offset, const void *data, size_t len, bool durable,
                     struct cause *cause);
    /** Hold the life lock of our slot until released or the process ends. ST_EXIST: held; ST_BUSY:
     * it is not known yet, call again. */
    int (*life_hold)(void *ctx, unsigned slot, struct cause *cause);
    void (*life_drop)(void *ctx, unsigned slot);
    /** Is the life lock of a slot held by anybody? Errors count as held. */
    bool (*life_held)(void *ctx, unsigned slot);
    void (*operator_message)(void *ctx, const char *text);
    /** Run work(arg) beside the loop, then report ssi_pdr_worked; one at a time. From it come
     *  pdr_*, life_held, now_ms, wall_ms, random and host_id. NULL: it is done on the loop. */
    void (*pdr_work)(void *ctx, void (*work)(void *arg), void *arg);
    /** Wait at most wait_ms (UINT_MAX: without end) for the end of that work; true: it has ended,
     *  and need not be reported. */
    bool (*pdr_wait)(void *ctx, unsigned wait_ms);
};

/* --- reports, from the loop thread, never from inside a port function --- */

/** An incoming connection from `peer` (text for messages). Returns false if it is to be
 * closed. */
bool ssi_conn_accepted(struct ssi *ssi, ssi_conn conn, const char *peer);

/** A connection we asked for is up. */
void ssi_conn_opened(struct ssi *ssi, ssi_conn conn);

/** End of file, error, or a failed connect; `why` is text. The port has forgotten it. */
void ssi_conn_closed(struct ssi *ssi, ssi_conn conn, const char *why);

/** The peer is not to be trusted, or does not trust us (TLS); `why` is text. The port has
 * forgotten it. */
void ssi_conn_refused(struct ssi *ssi, ssi_conn conn, const char *why);

/** Where to put received bytes; at least one byte of room, or NULL when conn is not known. */
u8 *ssi_conn_space(struct ssi *ssi, ssi_conn conn, size_t *room);

/** `len` bytes were put there. May close the connection. */
void ssi_conn_received(struct ssi *ssi, ssi_conn conn, size_t len);

/** What has been received, and is handled where it lies: how many bytes of it are done with. The
 *  others are shown again, with what follows them. May close the connection. */
size_t ssi_conn_take(struct ssi *ssi, ssi_conn conn, const u8 *bytes, size_t len);

/** The work given to pdr_work has ended. */
void ssi_pdr_worked(struct ssi *ssi);

/** The backlog of conn has become smaller. */
void ssi_conn_drained(struct ssi *ssi, ssi_conn conn);

#endif
