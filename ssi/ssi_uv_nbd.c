/* The PDR on an NBD export: the lease (ssi_lease.c) on a connection (ssi_nbd.c), behind the ports.
 * It is the loop's or the job's, never both's at a time ([T1] in ssi_job.c); each request is
 * bounded, and who is not connected fails at once, or waits no longer than for the lock. */
#include "ssi/ssi_lease.h"
#include "ssi/ssi_nbd.h"
#include "ssi/ssi_uv_internal.h"

#include <stdlib.h>

#define CONNECT_POLL_MS 20 /* of one that does not wait: it is tried again soon */

struct ssi_uv_nbd {
    struct ssi_nbd *disk;
    bool doubt; /* of a connection before: told to the lease when it knows the next one */
    struct lease lease;
};

/* Say which export it is. */
static int named(struct ssi_uv *uv, int rc, struct cause *cause)
{
    if (rc == ST_OK || !cause)
        return rc;
    struct cause what = *cause;
    return cause_set(cause, rc, "%s: %s", uv->pdr_path, what.text);
}

/* --- the lease's disk --- */

static int checked(struct ssi_uv_nbd *nbd, int rc)
{
    if (rc && !ssi_nbd_connected(nbd->disk))
        lease_disconnected(&nbd->lease);
    return rc;
}

static int disk_read(void *ctx, u64 at, void *data, size_t len, struct cause *cause)
{
    struct ssi_uv_nbd *nbd = ctx;
    return checked(nbd, ssi_nbd_read(nbd->disk, at, data, len, cause));
}

static int disk_write(void *ctx, u64 at, const void *data, size_t len, bool durable,
                      struct cause *cause)
{
    struct ssi_uv_nbd *nbd = ctx;
    return checked(nbd, ssi_nbd_write(nbd->disk, at, data, len, durable, cause));
}

static int disk_flush(void *ctx, struct cause *cause)
{
    struct ssi_uv_nbd *nbd = ctx;
    return checked(nbd, ssi_nbd_flush(nbd->disk, cause));
}

static int connect_(struct ssi_uv_nbd *nbd, unsigned wait_ms, struct cause *cause)
{
    bool fresh, doubt;
    unsigned wait = wait_ms > CONNECT_POLL_MS ? wait_ms : CONNECT_POLL_MS;
    int rc = ssi_nbd_connect(nbd->disk, LEASE_BYTES, wait, &fresh, &doubt, cause);
    nbd->doubt |= doubt;
    if (rc || !fresh)
        return rc;
    lease_disconnected(&nbd->lease); /* it may be found out only now */
    rc = lease_reconnected(&nbd->lease, nbd->doubt, cause);
    if (rc)
        ssi_nbd_drop(nbd->disk); /* and once more from the start */
    else
        nbd->doubt = false;
    return rc;
}

/* --- the ports --- */

static int port_pdr_lock(void *ctx, unsigned wait_ms, struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    struct cause local = {0};
    PRE(!uv->pdr_locked);
    u64 until = ssi_nbd_now_ms() + wait_ms;
    int rc = connect_(uv->nbd, wait_ms, &local);
    u64 now = ssi_nbd_now_ms();
    if (rc == ST_OK)
        rc = lease_lock(&uv->nbd->lease, now < until ? (unsigned)(until - now) : 0, &local);
    uv->pdr_locked = rc == ST_OK;
    return rc ? cause_set(cause, rc, "%s: %s", uv->pdr_path, local.text) : ST_OK;
}

static void port_pdr_unlock(void *ctx)
{
    struct ssi_uv *uv = ctx;
    PRE(uv->pdr_locked);
    uv->pdr_locked = false;
    lease_unlock(&uv->nbd->lease);
}

static int port_pdr_reserve(void *ctx, u64 bytes, struct cause *cause)
{
    (void)ctx, (void)cause;
    PRE(bytes <= PDR_FILE_BYTES); /* the export has them, or is not taken */
    return ST_OK;
}

static int port_pdr_read(void *ctx, u64 offset, void *data, size_t len, size_t *got,
                         struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    *got = len;
    return named(uv, lease_read(&uv->nbd->lease, offset, data, len, cause), cause);
}

static int port_pdr_write(void *ctx, u64 offset, const void *data, size_t len, bool durable,
                          struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    return named(uv, lease_write(&uv->nbd->lease, offset, data, len, durable, cause), cause);
}

static int port_life_hold(void *ctx, unsigned slot, struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    struct ssi_uv_nbd *nbd = uv->nbd;
    PRE(slot == nbd->lease.slot);
    int rc = connect_(nbd, 0, cause);
    return named(uv, rc ? rc : lease_life_hold(&nbd->lease, cause), cause);
}

static bool port_life_held(void *ctx, unsigned slot)
{
    struct ssi_uv_nbd *nbd = ((struct ssi_uv *)ctx)->nbd;
    return !ssi_nbd_connected(nbd->disk) || lease_life_held(&nbd->lease, slot);
}

void ssi_uv_nbd_ports(struct ssi_ports *ports)
{
    ports->pdr_lock = port_pdr_lock;
    ports->pdr_unlock = port_pdr_unlock;
    ports->pdr_reserve = port_pdr_reserve;
    ports->pdr_read = port_pdr_read;
    ports->pdr_write = port_pdr_write;
    ports->life_hold = port_life_hold;
    ports->life_drop = ssi_uv_life_drop;
    ports->life_held = port_life_held;
}

int ssi_uv_nbd_open(struct ssi_uv *uv, unsigned slot, struct cause *cause)
{
    struct ssi_process process;
    struct ssi_uv_nbd *nbd = calloc(1, sizeof *nbd);
    if (!nbd)
        return cause_set(cause, ST_NOMEM, "out of memory");
    struct lease_disk disk = {
        .ctx = nbd, .read = disk_read, .write = disk_write, .flush = disk_flush};
    ssi_nbd_world(&disk);
    ssi_process_self(&process);
    lease_init(&nbd->lease, &disk, slot, &process);
    uv->nbd = nbd;
    return named(uv, ssi_nbd_open(uv->pdr_path, true, &nbd->disk, cause), cause);
}

void ssi_uv_nbd_close(struct ssi_uv *uv)
{
    struct ssi_uv_nbd *nbd = uv->nbd;
    uv->pdr_locked = false;
    if (ssi_nbd_connected(nbd->disk))
        lease_life_drop(&nbd->lease);
    ssi_nbd_drop(nbd->disk);
    lease_disconnected(&nbd->lease);
    lease_forget(&nbd->lease);
}

void ssi_uv_nbd_free(struct ssi_uv *uv)
{
    if (uv->nbd)
        ssi_nbd_close(uv->nbd->disk);
    free(uv->nbd);
    uv->nbd = NULL;
}
