/* A member on libuv: its life, its clock. Links are in ssi_uv_tcp.c, the PDR in ssi_uv_file.c, or
 * on an NBD export in ssi_uv_nbd.c.
 * Nothing is reported to the core from inside a port function. */
#include "ssi/ssi_nbd.h"
#include "ssi/ssi_process.h"
#include "ssi/ssi_uv_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "mem/base/libnbd.h"
#include "mem/base/log.h"

static u64 port_now_ms(void *ctx)
{
    (void)ctx;
    return uv_hrtime() / 1000000;
}

static u64 port_wall_ms(void *ctx)
{
    struct timespec now;
    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &now);
    return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

static u64 port_random(void *ctx)
{
    u64 v = 0;
    if (uv_random(NULL, NULL, &v, sizeof v, 0, NULL) != 0)
        v = uv_hrtime() ^ (u64)(uintptr_t)ctx;
    return v;
}

static u64 port_host_id(void *ctx)
{
    return ((struct ssi_uv *)ctx)->host_id;
}

static void port_message(void *ctx, const char *text)
{
    struct ssi_uv *uv = ctx;
    if (uv->message)
        uv->message(uv->message_ctx, text);
    else
        log_line("%s", text);
}

static void on_tick(uv_timer_t *timer)
{
    struct ssi_uv *uv = timer->data;
    ssi_uv_tcp_sweep(uv, false);
    ssi_tick(uv->ssi);
}

void ssi_uv_pdr_close(struct ssi_uv *uv)
{
    if (uv->nbd)
        ssi_uv_nbd_close(uv);
    else
        ssi_uv_file_close(uv);
}

void ssi_uv_life_drop(void *ctx, unsigned slot)
{
    struct ssi_uv *uv = ctx;
    (void)slot;
    if (ssi_uv_job_out(uv)) /* it does not end: the slot is held as long as it may write */
        uv->job.close_file = true;
    else
        ssi_uv_pdr_close(uv);
}

/* The name says what it is on. */
static int pdr_open(struct ssi_uv *uv, unsigned slot, struct cause *cause)
{
    if (!libnbd_named(uv->pdr_path)) {
        ssi_uv_file_ports(&uv->ports);
        return ST_OK;
    }
    ssi_uv_nbd_ports(&uv->ports);
    return ssi_uv_nbd_open(uv, slot, cause);
}

/* uv_async_init fails only where the loop has none yet, and then the first call says so. */
static bool handles_open(struct ssi_uv *uv)
{
    return uv_async_init(uv->loop, &uv->pumped, ssi_uv_tcp_pumped) == 0 && ssi_uv_job_open(uv);
}

struct ssi_uv *ssi_uv_open(uv_loop_t *loop, const struct ssi_config *config,
                           ssi_message_cb message, void *ctx, struct cause *cause)
{
    struct ssi_uv *uv = calloc(1, sizeof *uv);
    if (!uv) {
        cause_set(cause, ST_NOMEM, "out of memory");
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* libuv writes without MSG_NOSIGNAL */
    uv->loop = loop;
    uv->pdr_fd = -1;
    uv->message = message;
    uv->message_ctx = ctx;
    uv->host_id = ssi_host_id();
    uv->keepalive_s = config->keepalive_ms < 1000 ? 1 : config->keepalive_ms / 1000;
    memcpy(uv->pdr_path, config->pdr_path, sizeof uv->pdr_path);
    uv->ports = (struct ssi_ports){.ctx = uv,
                                   .now_ms = port_now_ms,
                                   .wall_ms = port_wall_ms,
                                   .random = port_random,
                                   .host_id = port_host_id,
                                   .operator_message = port_message};
    ssi_uv_tcp_ports(&uv->ports);
    ssi_uv_job_ports(&uv->ports);
    int rc = pdr_open(uv, config->slot, cause);
    if (rc == ST_OK && config->keys_dir[0])
        rc = ssi_tls_open(config->keys_dir, config->cluster, config->member, &uv->tls, cause);
    uv->ssi = rc ? NULL : ssi_create(config, &uv->ports, cause);
    if (uv->ssi && !handles_open(uv)) {
        cause_set(cause, ST_NOMEM, "out of memory");
        ssi_destroy(uv->ssi);
        uv->ssi = NULL;
    }
    if (!uv->ssi) {
        ssi_tls_close(uv->tls);
        ssi_uv_nbd_free(uv);
        free(uv);
        return NULL;
    }
    uv_timer_init(loop, &uv->tick);
    uv->tick.data = uv;
    uv->pumped.data = uv;
    uv->open_handles = 3; /* with uv->pumped and that of the job */
    uv_timer_start(&uv->tick, on_tick, 0, UV_TICK_MS);
    return uv;
}

struct ssi *ssi_uv_ssi(struct ssi_uv *uv)
{
    return uv->ssi;
}

static void pumped_closed(uv_handle_t *handle)
{
    ssi_uv_handle_closed(handle->data);
}

/* Pumps that come to their end need uv->pumped, so that is the last one. */
void ssi_uv_handle_closed(struct ssi_uv *uv)
{
    ERGO(uv->open_handles > 0);
    uv->open_handles--;
    if (uv->closing && uv->open_handles == 1 && !uv->pumped_closing) {
        uv->pumped_closing = true;
        uv_close((uv_handle_t *)&uv->pumped, pumped_closed);
    }
    if (uv->open_handles || !uv->closing)
        return;
    void (*closed)(void *ctx) = uv->closed;
    void *ctx = uv->closed_ctx;
    ssi_tls_close(uv->tls);
    ssi_uv_nbd_free(uv);
    free(uv);
    if (closed)
        closed(ctx);
}

static void async_closed(uv_handle_t *handle)
{
    ssi_uv_handle_closed(handle->data);
}

static void tick_closed(uv_handle_t *handle)
{
    ssi_uv_handle_closed(handle->data);
}

/* From the loop, so that ssi_uv_close may be called in any callback of the core. */
static void on_close(uv_timer_t *timer)
{
    struct ssi_uv *uv = timer->data;
    ssi_destroy(uv->ssi);
    uv->ssi = NULL;
    ssi_uv_tcp_sweep(uv, true);
    ssi_uv_job_close(uv);
    ssi_uv_pdr_close(uv);
    uv->closing = true;
    uv_close((uv_handle_t *)&uv->job.async, async_closed);
    uv_close((uv_handle_t *)&uv->tick, tick_closed);
}

void ssi_uv_close(struct ssi_uv *uv, void (*closed)(void *ctx), void *ctx)
{
    PRE(!uv->closing);
    uv->closed = closed;
    uv->closed_ctx = ctx;
    uv_timer_start(&uv->tick, on_close, 0, 0);
}
