/* Inside of the libuv ports: the member's handles, its connections, its PDR file.
 * For ssi_uv*.c only. */
#ifndef ENDICOTT_SSI_SSI_UV_INTERNAL_H
#define ENDICOTT_SSI_SSI_UV_INTERNAL_H

#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_ports.h"
#include "ssi/ssi_uv.h"
#include "ssi/ssi_uv_tls.h"

#define UV_TICK_MS 20
#define UV_LINGER_MS 2000 /* a closed connection may flush for so long */
#define UV_LINGERING_MAX 32
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
    bool dead;                /* the core has forgotten it */
    bool ready;               /* TLS is up */
    bool paused;              /* nothing is read */
    bool accepted;
    bool sniff; /* accepted: its first byte says whether it is TLS */
    bool resolving, closing, closed;
    u64 linger_until_ms;
};

struct ssi_uv {
    uv_loop_t *loop;
    struct ssi *ssi;
    struct ssi_ports ports;
    uv_timer_t tick;
    uv_tcp_t *listener;
    struct ssi_tls *tls; /* NULL: links are plain */
    struct uv_conn *conns;
    ssi_conn last_id;
    unsigned open_handles, lingering;
    int pdr_fd;
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
/** Close connections that have lingered long enough; all of them if `now`. */
void ssi_uv_tcp_sweep(struct ssi_uv *uv, bool now);
/** A handle is gone: the last one ends the member. */
void ssi_uv_handle_closed(struct ssi_uv *uv);

/* ssi_uv_file.c */
void ssi_uv_file_ports(struct ssi_ports *ports);
void ssi_uv_file_close(struct ssi_uv *uv);
/** A number for this host since its last start; never the same elsewhere. */
u64 ssi_uv_host_id(void);

#endif
