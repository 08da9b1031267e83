/* Inside of the libuv ports: the member's handles, its connections, its PDR.
 * For ssi_uv*.c only. */
#ifndef ENDICOTT_SSI_SSI_UV_INTERNAL_H
#define ENDICOTT_SSI_SSI_UV_INTERNAL_H

#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "mem/base/lock.h"
#include "ssi/ssi_ports.h"
#include "ssi/ssi_uv.h"
#include "ssi/ssi_uv_pump.h"
#include "ssi/ssi_uv_tls.h"

#define UV_TICK_MS 20
#define UV_LINGER_MS 2000 /* a closed connection may flush for so long */
#define UV_LINGERING_MAX 32
#define UV_LOOK_MS 5000 /* between two looks at certificates that are in use */
#define UV_HOST_BYTES 256

/** Located by ssi_uv.conns; created by connect or accept, freed when libuv has closed it and
 * the name look-up has ended; serialised by the loop. */
struct uv_conn {
    uv_tcp_t tcp; /* first: handles are cast back */
    struct ssi_uv *uv;
    struct uv_conn *next;
    ssi_conn id;
    uv_connect_t connect;
    uv_getaddrinfo_t lookup;
    uv_shutdown_t shutdown;
    struct ssi_tls_conn *tls; /* NULL: plain */
    struct ssi_pump *pump;    /* NULL: the loop reads and writes */
    bool dead;                /* the core has forgotten it */
    bool ready;               /* TLS is up */
    bool paused;              /* nothing is read */
    bool bulk;                /* a pump is wanted, when all that is queued has gone */
    bool delivering;          /* the TLS connection is in use here: no pump meanwhile */
    bool accepted;
    bool sniff; /* accepted: its first byte says whether it is TLS */
    bool resolving, closing, closed;
    u64 linger_until_ms;
};

/** The work of port pdr_work. Fields behind `lock` are guarded by it, but for those that only the
 * loop looks at. */
struct ssi_uv_job {
    uv_thread_t thread;
    bool thread_there, close_file; /* the loop's; the file is closed when the work has ended */
    uv_async_t async;
    struct lock lock;
    pthread_cond_t changed;
    enum { UV_JOB_NONE, UV_JOB_GIVEN, UV_JOB_ENDED } state;
    bool quit;
    void (*work)(void *arg);
    void *arg;
};

struct ssi_uv {
    uv_loop_t *loop;
    struct ssi *ssi;
    struct ssi_ports ports;
    uv_timer_t tick;
    uv_async_t pumped; /* a pump has something for the loop */
    struct ssi_uv_job job;
    bool pumped_closing;
    uv_tcp_t *listener;
    struct ssi_tls *tls; /* NULL: links are plain */
    u64 look_ms;         /* when their certificates are looked at again */
    struct uv_conn *conns;
    ssi_conn last_id;
    unsigned open_handles, lingering;
    int pdr_fd;             /* the PDR is a file, */
    struct ssi_uv_nbd *nbd; /* ... or not NULL */
    bool pdr_locked;
    u64 host_id;
    unsigned keepalive_s;
    char pdr_path[SSI_PATH_BYTES];
    ssi_message_cb message;
    void *message_ctx;
    void (*closed)(void *ctx);
    void *closed_ctx;
    bool closing;
    u8 sink[4096];        /* what comes in on dead connections */
    u8 cipher[64u << 10]; /* what comes in by TLS */
};

/* ssi_uv_tcp.c */
void ssi_uv_tcp_ports(struct ssi_ports *ports);
/** Close connections that have lingered long enough, or whose peer's certificate is not good any
 *  more; all of them if `now`. */
void ssi_uv_tcp_sweep(struct ssi_uv *uv, bool now);
/** uv->pumped: look at all pumps. */
void ssi_uv_tcp_pumped(uv_async_t *async);
/** A handle is gone: the last one ends the member. */
void ssi_uv_handle_closed(struct ssi_uv *uv);

/* ssi_uv_job.c */
void ssi_uv_job_ports(struct ssi_ports *ports);
bool ssi_uv_job_open(struct ssi_uv *uv); /**< false: no resources */
/** Its work has ended; the handle is closed by the caller. */
void ssi_uv_job_close(struct ssi_uv *uv);
bool ssi_uv_job_out(struct ssi_uv *uv); /**< is work under way? */

/* ssi_uv_file.c */
void ssi_uv_file_ports(struct ssi_ports *ports);
void ssi_uv_file_close(struct ssi_uv *uv);

/* ssi_uv_nbd.c */
/** The PDR is on an NBD export. ST_NOMEM, ST_CONFIG. */
int ssi_uv_nbd_open(struct ssi_uv *uv, unsigned slot, struct cause *cause);
void ssi_uv_nbd_ports(struct ssi_ports *ports);
void ssi_uv_nbd_close(struct ssi_uv *uv); /**< as ssi_uv_file_close: it may be used again */
void ssi_uv_nbd_free(struct ssi_uv *uv);

/* ssi_uv.c */
/** Give up the slot, and what the PDR is read by. */
void ssi_uv_pdr_close(struct ssi_uv *uv);
/** The port of that name, for files and exports. */
void ssi_uv_life_drop(void *ctx, unsigned slot);

#endif
