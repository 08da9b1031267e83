/* FORMSSI on an NBD export. There is no lock for who is no member, so what is shown is read until
 * it is whole; a new PDR is made only where no slot's lease advances. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "ssi/ssi_formssi_internal.h"

#include <stdlib.h>

#include "mem/base/ergo.h"
#include "ssi/ssi_lease.h"
#include "ssi/ssi_nbd.h"

#define ZEROS_BYTES (1u << 20) /* looked at in one request */

struct export
{
    struct ssi_nbd *disk;
    bool stands[SSI_SLOTS_MAX]; /* the lease of a slot: watched, and it stood still */
    struct lease lease;
};

static int disk_read(void *ctx, u64 at, void *data, size_t len, struct cause *cause)
{
    return ssi_nbd_read(((struct export *)ctx)->disk, at, data, len, cause);
}

static int disk_write(void *ctx, u64 at, const void *data, size_t len, bool durable,
                      struct cause *cause)
{
    return ssi_nbd_write(((struct export *)ctx)->disk, at, data, len, durable, cause);
}

static int disk_flush(void *ctx, struct cause *cause)
{
    return ssi_nbd_flush(((struct export *)ctx)->disk, cause);
}

static void export_close(struct export *e)
{
    if (e)
        ssi_nbd_close(e->disk);
    free(e);
}

static int export_open(const char *path, bool write, struct export **out, struct cause *cause)
{
    const struct ssi_process nobody = {0};
    bool fresh, doubt;
    struct export *e = calloc(1, sizeof *e);
    *out = NULL;
    if (!e)
        return cause_set(cause, ST_NOMEM, "out of memory");
    struct lease_disk disk = {
        .ctx = e, .read = disk_read, .write = disk_write, .flush = disk_flush};
    ssi_nbd_world(&disk);
    lease_init(&e->lease, &disk, 0, &nobody);
    int rc = ssi_nbd_open(path, write, &e->disk, cause);
    if (rc == ST_OK)
        rc = ssi_nbd_connect(e->disk, LEASE_BYTES, SSI_NBD_CONNECT_MS, &fresh, &doubt, cause);
    if (rc) {
        export_close(e);
        return rc == ST_BUSY ? cause_set(cause, ST_IO, "the server does not answer") : rc;
    }
    *out = e;
    return ST_OK;
}

static int pdr_read(void *ctx, u64 offset, void *data, size_t len, struct cause *cause)
{
    return lease_peek(&((struct export *)ctx)->lease, offset, data, len, cause);
}

static int pid_of(const struct ssi_process *process)
{
    return ssi_process_gone(process) ? 0 : ssi_process_here(process);
}

static int life_holder(void *ctx, unsigned slot)
{
    const struct export *e = ctx;
    const struct lease_sector *s = &e->lease.seen[slot];
    return s->life == LEASE_NOBODY || e->stands[slot] ? 0 : pid_of(&s->process);
}

static struct formssi_source source_of(struct export *e)
{
    return (struct formssi_source){{e, pdr_read}, life_holder};
}

/* --- looking --- */

static int look(struct export *e, struct formssi_view *view, struct cause *cause)
{
    u64 ballots[SSI_SLOTS_MAX];
    const struct formssi_source source = source_of(e);
    int rc = lease_look(&e->lease, cause);
    if (rc)
        return rc;
    int locked = lease_locked_by(&e->lease);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        ballots[i] = e->lease.seen[i].ballot;
    rc = formssi_view_read(&source, view, FORMSSI_LOOKS_MAX, cause);
    if (rc == ST_OK)
        rc = lease_look(&e->lease, cause);
    if (rc)
        return rc;
    view->passes = true;
    view->lock_slot = locked < 0 ? 0 : (unsigned)locked;
    view->lock_pid = locked < 0 ? 0 : pid_of(&e->lease.seen[locked].process);
    view->consistent = locked < 0 && lease_locked_by(&e->lease) < 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        view->consistent &= ballots[i] == e->lease.seen[i].ballot;
    return ST_OK;
}

int formssi_nbd_look(const char *path, struct formssi_view *view, struct cause *cause)
{
    struct export *e;
    memset(view, 0, sizeof *view);
    int rc = export_open(path, false, &e, cause);
    if (rc == ST_OK)
        rc = lease_reconnected(&e->lease, false, cause);
    for (unsigned i = 0; i < FORMSSI_LOOKS_MAX && rc == ST_OK && !view->consistent; i++) {
        memset(view, 0, sizeof *view);
        rc = look(e, view, cause);
    }
    export_close(e);
    return rc;
}

/* --- making one --- */

/* A lease of which nobody here knows whose it is: does it advance? */
static int watch(struct export *e, struct cause *cause)
{
    u64 end = ssi_nbd_now_ms() + LEASE_STILL_MS, counts[SSI_SLOTS_MAX];
    int rc = lease_look(&e->lease, cause);
    bool unknown = false;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        counts[i] = e->lease.seen[i].count;
        e->stands[i] = true;
        unknown |= life_holder(e, i) < 0 || e->lease.seen[i].life != LEASE_NOBODY;
    }
    while (rc == ST_OK && unknown && ssi_nbd_now_ms() < end) {
        rc = lease_look(&e->lease, cause);
        for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
            bool moved = counts[i] != e->lease.seen[i].count;
            e->stands[i] &= !moved;
            if (moved || pid_of(&e->lease.seen[i].process) > 0)
                end = 0; /* that one runs */
        }
        ssi_nbd_pause(LEASE_POLL_MS_MAX);
    }
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        e->stands[i] &= pid_of(&e->lease.seen[i].process) <= 0;
    return rc;
}

static int zeros_only(struct export *e, struct cause *cause)
{
    u8 *bytes = malloc(ZEROS_BYTES);
    int rc = bytes ? ST_OK : cause_set(cause, ST_NOMEM, "out of memory");
    for (u64 at = 0; at < LEASE_BYTES && rc == ST_OK; at += ZEROS_BYTES) {
        size_t n = LEASE_BYTES - at < ZEROS_BYTES ? (size_t)(LEASE_BYTES - at) : ZEROS_BYTES;
        rc = ssi_nbd_read(e->disk, at, bytes, n, cause);
        if (rc == ST_OK && (bytes[0] || memcmp(bytes, bytes + 1, n - 1) != 0))
            rc = cause_set(cause, ST_EXIST, "there is something in it; --force replaces it");
    }
    free(bytes);
    return rc;
}

static int form(struct export *e, const char *cluster, struct cause *cause)
{
    u8 header[PDR_HEADER_BYTES];
    int rc = formssi_header(cluster, header, cause);
    if (rc == ST_OK)
        rc = lease_format(&e->lease, cause);
    for (unsigned i = 0; i < 2 && rc == ST_OK; i++)
        rc = lease_form_write(&e->lease, PDR_HEADER_AT(i), header, cause);
    return rc;
}

/* Is there one already? ST_NOENT: no. */
static int there(struct export *e, u64 quiet_ms, struct cause *cause)
{
    const struct formssi_source source = source_of(e);
    int rc = lease_reconnected(&e->lease, false, cause);
    if (rc == ST_CONFIG)
        return ST_NOENT;
    if (rc == ST_OK)
        rc = watch(e, cause);
    if (rc == ST_PROTO)
        return cause_set(cause, ST_EXIST, "there is something in it; --force replaces it");
    return rc ? rc : formssi_in_use(&source, quiet_ms, cause);
}

int formssi_nbd_create(const char *path, const char *cluster, bool force, u64 quiet_ms,
                       struct cause *cause)
{
    struct export *e;
    int rc = export_open(path, true, &e, cause);
    if (rc)
        return rc;
    const struct formssi_source source = source_of(e);
    rc = there(e, quiet_ms, cause);
    if (rc == ST_OK && !force)
        rc = formssi_replaceable(&source, cause);
    else if (rc == ST_NOENT)
        rc = force ? ST_OK : zeros_only(e, cause);
    else if (rc == ST_EXIST && force)
        rc = ST_OK;
    if (rc == ST_OK)
        rc = form(e, cluster, cause);
    export_close(e);
    return rc;
}
