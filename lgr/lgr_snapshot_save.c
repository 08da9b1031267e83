/* Saving a guest: its file is opened, its disks catch up, it is quiesced, its state is taken, a
 * fork takes its storage, and it goes on; the child writes the file meanwhile. With SUSPEND it
 * stands still until the file is whole, and is logged off then. Guarantee: a guest that was not
 * saved goes on as if nothing had been. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/cp_move.h"
#include "hyp/rdev/rdev.h"
#include "hyp/spool/spool_device.h"
#include "hyp/vm.h"
#include "lgr/lgr_snapshot_internal.h"
#include "mem/storage_source.h"

#define QUIESCE_RETRY_MS 2
#define QUIESCE_TRIES_MAX 1000
#define COMES_LOOK_MS 10 /* while storage of a guest that was restored is still to come */

/** Located by: s->saves. Created by snapshot_save_begin, destroyed by `end`. */
struct snapshot_save {
    struct snapshot_save *next;
    struct lgr_snapshots *s;
    struct cp_request *req;
    struct snapshot_order order;
    struct cp_user *user; /* NULL: it has gone */
    struct snapshot_saving *file;
    bool begun, quiesced, halted;
    unsigned tries;
    u64 timer, pause_ns, start_ns;
};

static u64 now(const struct snapshot_save *j)
{
    return j->s->ports->now_ns(j->s->ports->ctx);
}

/* ---- its end ---- */

static void unquiesce(struct snapshot_save *j)
{
    if (!j->quiesced)
        return;
    j->quiesced = false;
    j->pause_ns = now(j) - j->pause_ns;
    if (j->user)
        lgr_cp_guests.unquiesce(&j->s->cmd, j->user);
}

static void take_out(struct snapshot_save *j)
{
    struct snapshot_save **at = &j->s->saves;
    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
}

/* Answer and go; the file has been dealt with. */
static void end(struct snapshot_save *j, int rc)
{
    struct cp_request *req = j->req;
    if (j->timer)
        j->s->ports->timer_cancel(j->s->ports->ctx, j->timer);
    take_out(j);
    free(j);
    cp_complete(req, rc);
}

static void fail(struct snapshot_save *j, const char *why)
{
    unquiesce(j);
    if (!j->begun)
        snapshot_saving_destroy(j->file);
    end(j, cp_fail(j->req, MSG_SNP1961E, j->order.user, j->halted ? "halted by CPHX" : why));
}

/* ---- what is saved ---- */

static void rows(struct snapshot_save *j, struct codec_out *head, const struct codec_out *state)
{
    struct lgr_values *v = calloc(1, sizeof *v);
    struct codec_out guest;
    codec_out_init(&guest);
    if (v) {
        lgr_cp_guests.info(&j->s->cmd, j->user, "", &v->info);
        lgr_values_put(&guest, LGR_MSG_OFFER, v);
        codec_put_bytes(head, SNAPSHOT_ROW_USER, j->order.user, strlen(j->order.user));
        const char *member = cp_system_name(j->s->cp);
        codec_put_bytes(head, SNAPSHOT_ROW_MEMBER, member, strlen(member));
        codec_put_u64(head, SNAPSHOT_ROW_WHEN, snapshot_wall_ns());
        codec_put_u64(head, SNAPSHOT_ROW_STORAGE, v->info.storage_bytes);
        codec_put_u32(head, SNAPSHOT_ROW_CPUS, v->info.cpus);
        codec_put_bytes(head, SNAPSHOT_ROW_GUEST, guest.data, guest.len);
        snapshot_disks_save(j->s->cp, j->user, head);
        codec_put_bytes(head, SNAPSHOT_ROW_STATE, state->data, state->len);
    }
    head->failed |= !v || guest.failed || state->failed;
    codec_out_fini(&guest);
    free(v);
}

static void done(void *ctx, const struct snapshot_saved *saved);
static void obstacles(struct lgr_snapshots *s, struct cp_user *user, struct lgr_reasons *out);

/* Quiesced: state, then storage as it is now. */
static int take(struct snapshot_save *j, struct cause *cause)
{
    const struct lgr_ports *ports = j->s->ports;
    const struct snapshot_post post = {ports->post, ports->ctx};
    struct codec_out state, head;
    struct lgr_reasons reasons = {0};
    obstacles(j->s, j->user, &reasons); /* once more, of one that cannot change any more */
    if (reasons.count)
        return cause_set(cause, ST_REFUSED, "%s", reasons.line[0]);
    codec_out_init(&state);
    codec_out_init(&head);
    int rc = lgr_cp_guests.save(&j->s->cmd, j->user, NULL, &state, cause);
    if (rc == ST_OK && j->order.suspend)
        rc = snapshot_disks_rest(j->s->cp, j->user, cause);
    if (rc == ST_OK) {
        rows(j, &head, &state);
        rc = snapshot_saving_begin(j->file, vm_storage(cp_user_vm(j->user)), &head,
                                   j->order.compress, &post, done, j, cause);
        j->begun = rc == ST_OK;
    }
    codec_out_fini(&state);
    codec_out_fini(&head);
    return rc;
}

static void try_it(void *arg);

static void again(struct snapshot_save *j, u64 ms)
{
    j->timer = j->s->ports->timer_start(j->s->ports->ctx, ms, try_it, j);
}

static bool moves(const struct snapshot_save *j)
{
    struct lgr_view v;
    for (unsigned i = 0; j->s->cmd.lgr && lgr_core_status(j->s->cmd.lgr, i, &v); i++)
        if (v.code == LGR_ACTIVE && !strcmp(v.user, j->order.user))
            return true;
    return false;
}

static void try_it(void *arg)
{
    struct snapshot_save *j = arg;
    struct cause cause = {0};
    j->timer = 0;
    if (j->halted) {
        fail(j, "");
    } else if (moves(j)) {
        fail(j, "it is being relocated");
    } else if (storage_source_state(vm_storage(cp_user_vm(j->user))) == STORAGE_COMING) {
        again(j, COMES_LOOK_MS);
    } else if (!lgr_cp_guests.quiesce(&j->s->cmd, j->user)) {
        if (++j->tries < QUIESCE_TRIES_MAX)
            again(j, QUIESCE_RETRY_MS);
        else
            fail(j, "it cannot be stopped now");
    } else {
        j->quiesced = true;
        j->pause_ns = now(j);
        if (take(j, &cause))
            fail(j, cause.text);
        else if (!j->order.suspend)
            unquiesce(j);
    }
}

/* ---- the file is there, or will not be ---- */

static void well(struct snapshot_save *j, const struct snapshot_saved *saved)
{
    char line[MSG_LINE_BYTES];
    double ms = (double)j->pause_ns / 1e6;
    msg_format(line, sizeof line, MSG_SNP1968I, j->order.user, j->order.path);
    cp_line(j->req, "%s", line);
    cp_operator_tell(j->s->cp, "%s", line);
    if (j->user && !j->order.suspend)
        cp_user_tell(j->user, "%s", line);
    cp_line(j->req, "%llu pages, %llu bytes, %.1f ms; the guest stood still for %.1f ms",
            (unsigned long long)saved->frames, (unsigned long long)saved->file_bytes,
            (double)(now(j) - j->start_ns) / 1e6, ms);
}

static void done(void *ctx, const struct snapshot_saved *saved)
{
    struct snapshot_save *j = ctx;
    struct cp_user *user = j->user;
    char by[LGR_NAME_BYTES];
    j->file = NULL;
    if (saved->cause.status) {
        fail(j, saved->cause.text);
        return;
    }
    if (j->quiesced && user) {
        j->pause_ns = now(j) - j->pause_ns;
        j->quiesced = false;
        vm_abandon(cp_user_vm(user));
        well(j, saved);
        snprintf(by, sizeof by, "%s", cp_request_userid(j->req));
        end(j, 0); /* who asked may be the guest */
        cp_user_end(user, by);
    } else {
        unquiesce(j);
        well(j, saved);
        end(j, 0);
    }
}

/* ---- its begin ---- */

static void add(struct lgr_reasons *out, int number, const char *line)
{
    lgr_reason_add(out, number, line);
}

#define ADD(id, ...) add(out, msg_format(line, sizeof line, id, __VA_ARGS__), line)

/* What would keep it from being relocated, as far as a file is concerned. */
static void obstacles(struct lgr_snapshots *s, struct cp_user *user, struct lgr_reasons *out)
{
    char line[MSG_LINE_BYTES], vdev[40];
    const char *id = cp_user_id(user);
    struct spool *spool = vm_host_spool(vm_host_of(cp_user_vm(user)));
    struct spool_device *dev = NULL;
    u16 open;
    struct lgr_guest_info *g = calloc(1, sizeof *g);
    if (!g)
        return;
    lgr_cp_guests.info(&s->cmd, user, "", g);
    if (g->ending)
        ADD(MSG_RLE1943E, id);
    for (unsigned i = 0; i < g->bad_cpu.count; i++)
        ADD(MSG_RLE1958E, id, g->bad_cpu.text[i]);
    for (unsigned i = 0; i < g->bad_segment.count; i++)
        ADD(MSG_RLE1954E, id, g->bad_segment.text[i]);
    for (unsigned i = 0; i < g->vdisks; i++) {
        snprintf(vdev, sizeof vdev, "%04X (virtual disk in storage)", g->vdisk[i].vdev);
        ADD(MSG_RLE1996E, id, vdev);
    }
    for (unsigned i = 0; i < g->bad_vdisk.count; i++)
        ADD(MSG_RLE1977E, id, g->bad_vdisk.text[i]);
    for (unsigned i = 0; i < g->bad_device.count; i++)
        ADD(MSG_RLE1996E, id, g->bad_device.text[i]);
    while ((dev = spool_device_next(spool, id, dev)))
        if (spool_device_open(dev, &open)) { /* restored, it would be there twice */
            snprintf(vdev, sizeof vdev, "%04X (open spool file)", spool_device_vdev(dev));
            ADD(MSG_RLE1996E, id, vdev);
        }
    if (!s->cmd.lgr && spool_count(spool, id, SPOOL_RDR))
        ADD(MSG_SNP1972E, id);
    if (storage_source_state(vm_storage(cp_user_vm(user))) == STORAGE_LOST)
        ADD(MSG_SNP1970E, id, "its snapshot is damaged");
    free(g);
}

static void halt(struct cp_request *req, void *ctx)
{
    struct snapshot_save *j = ctx;
    (void)req;
    j->halted = true;
    if (j->begun)
        snapshot_saving_stop(j->file);
}

int snapshot_save_begin(struct lgr_snapshots *s, struct cp_request *req,
                        const struct snapshot_order *order)
{
    struct cp_user *user = cp_user_find(s->cp, order->user);
    struct lgr_reasons reasons = {0};
    struct cause cause = {0};
    obstacles(s, user, &reasons);
    if (reasons.count)
        return snapshot_reasons(req, cp_fail(req, MSG_SNP1963E, order->user), &reasons);
    struct snapshot_save *j = calloc(1, sizeof *j);
    if (!j)
        return cp_fail(req, MSG_SNP1961E, order->user, "no memory");
    if (snapshot_saving_create(order->path, order->replace, &j->file, &cause)) {
        free(j);
        return cp_fail(req, MSG_SNP1961E, order->user, cause.text);
    }
    j->s = s;
    j->req = req;
    j->order = *order;
    j->user = user;
    j->start_ns = now(j);
    j->next = s->saves;
    s->saves = j;
    links_flush_soon(cp_rdevs(s->cp), order->user);
    cp_on_halt(req, halt, j);
    again(j, 0);
    return CP_LATER;
}

void snapshot_saves_gone(struct lgr_snapshots *s, struct cp_user *user)
{
    for (struct snapshot_save *j = s->saves, *next; j; j = next) {
        next = j->next;
        if (j->user != user)
            continue;
        j->user = NULL;
        j->quiesced = false;
        if (!j->begun)
            fail(j, "it has logged off");
    }
}

void snapshot_saves_drop(struct lgr_snapshots *s)
{
    while (s->saves) {
        struct snapshot_save *j = s->saves;
        if (j->timer)
            s->ports->timer_cancel(s->ports->ctx, j->timer);
        unquiesce(j);
        snapshot_saving_destroy(j->file);
        s->saves = j->next;
        free(j); /* CP answers */
    }
}
