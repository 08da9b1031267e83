/* Guests as CP has them, for the engine: sessions and virtual machines of hyp.
 * A guest handle is its struct cp_user; CP's observer says when one goes. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp_move.h"
#include "hyp/cp_terminal.h"
#include "hyp/iucv/iucv_service.h"
#include "hyp/net/port_option.h"
#include "hyp/rdev/rdev.h"
#include "hyp/spool/spool_device.h"
#include "hyp/vm_clock.h"
#include "hyp/vm.h"
#include "lgr/lgr_cmd.h"
#include "lgr/lgr_host.h"
#include "lgr/lgr_internal.h"

_Static_assert(LGR_NIC_NEED_BYTES == CP_NIC_NEED_BYTES, "an adapter's needs go as they are");
_Static_assert(LGR_CLAIM_KIND == CP_CLAIM_USERID, "one kind of claims on user ids");
_Static_assert(LGR_NAME_BYTES == DIR_NAME_BYTES, "user ids");
_Static_assert(LGR_VDISKS_MAX <= LGR_AREAS_MAX && LGR_BLOCK_BYTES == IMAGE_BLOCK_BYTES,
               "vdisks");
_Static_assert(LGR_SEGMENTS_MAX == VM_SEGMENTS_MAX && LGR_IDENTITY_BYTES == VM_IDENTITY_BYTES,
               "saved segments");

enum {
    TAG_MACHINE = CODEC_MANDATORY | 1,
    TAG_SESSION = CODEC_MANDATORY | 2,
    TAG_DEVICES = CODEC_MANDATORY | 3, /* before TAG_MACHINE */
    TAG_CLOCK = 4,                     /* of a relocation; before TAG_MACHINE */
    STATE_VERSION = 1,
};

static void *guest_find(void *ctx, const char *user)
{
    const struct lgr_cmd *c = ctx;
    return cp_user_find(c->cp, user);
}

/* --- what must be the same in both directories ------------------------------------------- */

static u64 mix(u64 h, u64 value)
{
    for (unsigned i = 0; i < 8; i++)
        h = (h ^ (value >> 8 * i & 0xff)) * 0x100000001b3ull; /* FNV-1a */
    return h;
}

static u64 mix_text(u64 h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (u8)*text) * 0x100000001b3ull;
    return mix(h, 0);
}

static u64 mix_nic(u64 h, const struct dir_nic *nic)
{
    const struct port_option none = {0}, *o = nic->option ? nic->option : &none;
    const u64 values[] = {nic->vdev,      nic->macid,          nic->port,   o->type,
                          o->promiscuous, nic->option != NULL, o->priority, nic->hipersockets};
    for (unsigned i = 0; i < ARRAY_LEN(values); i++)
        h = mix(h, values[i]);
    for (unsigned i = 0; i < sizeof o->vlans.bits; i++)
        h = mix(h, o->vlans.bits[i]);
    return mix_text(mix_text(h, nic->owner), nic->lan);
}

static u64 entry_digest(const struct dir_entry *e)
{
    u64 h = mix_text(0xcbf29ce484222325ull, e->userid);
    const struct share_value *share = &e->share.least;
    const u64 values[] = {
        e->kind,     e->storage_bytes, e->storage_max_bytes, e->classes,      e->machine,
        e->cpus_max, e->cpu_count,     e->has_console,       e->console_vdev, e->spool_count,
        e->options,  e->maxconn,       e->console_devtype,   share->absolute, share->n,
        e->relocate};
    for (unsigned i = 0; i < ARRAY_LEN(values); i++)
        h = mix(h, values[i]);
    for (unsigned i = 0; i < e->cpu_count; i++)
        h = mix(h, e->cpus[i].addr | (u64)e->cpus[i].base << 8 | (u64)e->cpus[i].type << 9);
    for (unsigned i = 0; i < e->spool_count; i++)
        h = mix(h, e->spools[i].vdev | (u64)e->spools[i].devtype << 16);
    for (unsigned i = 0; i < e->mdisk_count; i++) {
        const struct dir_mdisk *m = &e->mdisks[i];
        h = mix(mix(mix(h, m->vdev | (u64)m->kind << 16 | (u64)m->mode << 24), m->start),
                m->count);
        h = mix_text(h, m->volid);
    }
    for (unsigned i = 0; i < e->ctca_count; i++)
        h = mix_text(mix(h, e->ctcas[i].vdev | (u64)e->ctcas[i].type << 16), e->ctcas[i].only);
    for (unsigned i = 0; i < e->nic_count; i++)
        h = mix_nic(h, &e->nics[i]);
    return mix_text(mix_text(h, e->domain), e->account);
}

static void bad_device(struct lgr_guest_info *out, u16 vdev, const char *why)
{
    lgr_obstacle(&out->bad_device, "%04X (%.48s)", vdev, why);
}

/* A virtual disk in storage: its blocks go along, if it is the user's alone. */
static void take_vdisk(struct rdevs *r, const struct vlink *l, struct lgr_guest_info *out)
{
    const char *other = link_virtual_other(r, l);
    if (*other && strcmp(other, l->user) != 0)
        lgr_obstacle(&out->bad_vdisk, "%04X is linked by %s, too", l->vdev, other);
    else if (*other)
        lgr_obstacle(&out->bad_vdisk, "%04X is linked twice", l->vdev);
    if (*other)
        return;
    if (out->vdisks == LGR_VDISKS_MAX) {
        bad_device(out, l->vdev, "one disk too many");
        return;
    }
    struct lgr_vdisk *d = &out->vdisk[out->vdisks++];
    d->vdev = l->vdev;
    d->owner_vdev = l->owner_vdev;
    d->mode = (u8)l->mode;
    d->write = l->write;
    d->blocks = l->extent.count;
    snprintf(d->owner, sizeof d->owner, "%s", l->owner);
    out->touched_bytes += area_touched_bytes(l->area);
}

/* A disk that is told to the destination; or why it cannot move. */
static void take_disk(struct rdevs *r, const struct vlink *l, struct lgr_guest_info *out)
{
    static const char *const kinds[] = {[VLINK_TEMP] = "T-disk",
                                        [VLINK_DEDICATED] = "dedicated DASD",
                                        [VLINK_TAPE] = "dedicated TAPE"};
    char why[48];
    if (l->kind == VLINK_VIRTUAL) {
        take_vdisk(r, l, out);
        return;
    }
    if (l->kind != VLINK_MDISK) {
        bad_device(out, l->vdev, kinds[l->kind]);
        return;
    }
    const char *other = link_in_the_way(r, l->rdev, l->user, l->extent, l->write);
    snprintf(why, sizeof why, "%s is used by %s, too", l->rdev->volid, other);
    if (*other || out->disks == LGR_DISKS_MAX) {
        bad_device(out, l->vdev, *other ? why : "one disk too many");
        return;
    }
    struct lgr_disk *d = &out->disk[out->disks++];
    *d = (struct lgr_disk){.vdev = l->vdev,
                           .type = l->rdev->type,
                           .write = l->write,
                           .units = l->rdev->units,
                           .identity = l->rdev->identity,
                           .first = l->extent.first,
                           .count = l->extent.count};
    strcpy(d->volid, l->rdev->volid);
}

/* Units are told with the devices; disks are here, other kinds cannot move. */
static void find_devices(struct cp *cp, struct cp_user *user, struct lgr_guest_info *out)
{
    static const char *const good[] = {"CONS", "RDR", "PUN", "PRT", "GRAF"};
    struct rdevs *r = cp_rdevs(cp);
    struct vm_device_row row;
    struct spool *spool = vm_host_spool(vm_host_of(cp_user_vm(user)));
    struct spool_device *dev = NULL;
    const char *id = cp_user_id(user);
    u16 file;
    while ((dev = spool_device_next(spool, id, dev)))
        if (!spool_opens_move(spool) && spool_device_open(dev, &file))
            bad_device(out, spool_device_vdev(dev), "open spool file");
    for (unsigned i = 0; vm_host_ops()->device_row(cp_user_vm(user), i, &row); i++) {
        bool known = false;
        for (unsigned k = 0; k < ARRAY_LEN(good); k++)
            known |= !strcmp(row.klass, good[k]);
        if (!known)
            bad_device(out, row.devno, row.klass);
    }
    for (struct vlink *l = link_next(r, id, NULL); l; l = link_next(r, id, l))
        take_disk(r, l, out);
}

/* Adapters that are coupled; the others need nothing. */
static void find_nics(struct cp_user *user, struct lgr_guest_info *out)
{
    struct cp_nic_row row;
    for (u32 i = 0; cp_user_nic(user, i, &row); i++) {
        if (!row.lan[0])
            continue;
        if (row.guest_lan || out->nics == LGR_NICS_MAX) {
            bad_device(out, row.vdev,
                       row.guest_lan ? "on a guest LAN" : "one adapter too many");
            continue;
        }
        struct lgr_nic *nic = &out->nic[out->nics++];
        nic->vdev = row.vdev;
        strcpy(nic->lan, row.lan);
        memcpy(nic->need, row.need, sizeof nic->need);
    }
}

/* z/VM does not relocate a guest whose adapter is coupled; an adapter alone goes along. */
static void find_ctcas(struct cp_user *user, struct lgr_guest_info *out)
{
    u16 vdev;
    bool coupled;
    for (u32 i = 0; cp_user_ctca(user, i, &vdev, &coupled); i++)
        if (coupled)
            bad_device(out, vdev, "coupled CTCA");
}

static void find_segments(struct vm *vm, struct lgr_guest_info *out)
{
    struct vm_segment seg;
    const char *why;
    for (u32 i = 0; i < LGR_SEGMENTS_MAX && vm_segment_get(vm, i, &seg, &why); i++) {
        struct lgr_segment *to = &out->segment[out->segments++];
        strcpy(to->name, seg.name);
        memcpy(to->identity, seg.identity, sizeof to->identity);
        if (why)
            lgr_obstacle(&out->bad_segment, "%s %s", seg.name, why);
    }
}

/* Paths to *MSG go along; the others are not ours to move. */
static void find_paths(const struct vm *vm, struct lgr_guest_info *out)
{
    const char *other;
    for (unsigned i = 0; i < LGR_OBSTACLES_MAX && iucv_stays(vm, i, &other); i++)
        lgr_obstacle(&out->bad_path, "%s", other);
}

/* Members that its terminals are connected to: the destination has to reach them. */
static void find_terminals(const struct cp_user *user, struct lgr_guest_info *out)
{
    char member[CONFIG_NAME_BYTES];
    for (unsigned i = 0; cp_user_terminal_home(user, i, member); i++) {
        u32 k = 0;
        while (k < out->terminals && strcmp(out->terminal[k], member))
            k++;
        if (k == out->terminals && k < LGR_TERMINALS_MAX)
            strcpy(out->terminal[out->terminals++], member);
    }
}

/* Processors are this member's. */
static void find_dedicated(struct vm *vm, const char *user, struct lgr_guest_info *out)
{
    struct vm_processor_info p;
    for (unsigned i = 0; vm_host_ops()->processor(vm_host_of(vm), i, &p); i++)
        if (!strcmp(p.dedicated, user))
            lgr_obstacle(&out->bad_cpu, "%02X (dedicated)", p.dedicated_cpu);
}

static void guest_info(void *ctx, void *guest, const char *to, struct lgr_guest_info *out)
{
    const struct lgr_cmd *c = ctx;
    const struct dir_entry *e = cp_user_entry(guest);
    struct vm *vm = cp_user_vm(guest);
    const struct vm_config *vc = vm_configuration(vm);
    const struct storage *st = vm_storage(vm);
    snprintf(out->user, sizeof out->user, "%s", cp_user_id(guest));
    snprintf(out->domain, sizeof out->domain, "%s", cp_user_domain(guest));
    out->storage_bytes = st->size;
    out->touched_bytes = storage_set_count(st, NULL) * FRAME_BYTES;
    out->locked_bytes = st->reserved;
    out->cpus = vc->cpus;
    out->entry_digest = entry_digest(e);
    out->arch = *vm_arch(vm);
    find_terminals(guest, out);
    out->relocatable = cp_user_relocatable(guest);
    out->identity = e->kind == DIR_IDENTITY;
    out->ending = cp_user_leaving(guest);
    out->is_operator = !strcasecmp(out->user, cp_config(c->cp)->features.operator_userid);
    find_segments(vm, out);
    find_paths(vm, out);
    find_dedicated(vm, out->user, out);
    find_nics(guest, out);
    find_ctcas(guest, out);
    out->in_domain = cp_domain_has(c->cp, out->domain, to);
    find_devices(c->cp, guest, out);
}

static u64 guest_claim(void *ctx, void *guest)
{
    (void)ctx;
    return cp_user_claim(guest);
}

static struct storage *guest_storage(void *ctx, void *guest)
{
    (void)ctx;
    return vm_storage(cp_user_vm(guest));
}

static struct area *guest_area(void *ctx, void *guest, unsigned i)
{
    const struct lgr_cmd *c = ctx;
    const struct vlink *l = link_virtual(cp_rdevs(c->cp), cp_user_id(guest), i);
    return l ? l->area : NULL;
}

/* While storage is sent disks catch up, so that little is left for guest_save. */
static u64 guest_epoch(void *ctx, void *guest, u64 *set)
{
    const struct lgr_cmd *c = ctx;
    links_flush_soon(cp_rdevs(c->cp), cp_user_id(guest));
    return vm_epoch(cp_user_vm(guest), set);
}

static void guest_stores_go_on(void *ctx, void *guest)
{
    (void)ctx;
    vm_stores_go_on(cp_user_vm(guest));
}

static bool guest_waits(void *ctx, void *guest)
{
    (void)ctx;
    return vm_waits_for_cp(cp_user_vm(guest));
}

/* Nobody else gets a link to its virtual disks from here on [V1]. */
static bool guest_quiesce(void *ctx, void *guest)
{
    const struct lgr_cmd *c = ctx;
    if (!vm_quiesce(cp_user_vm(guest)))
        return false;
    links_moving(cp_rdevs(c->cp), cp_user_id(guest), true);
    return true;
}

static void guest_unquiesce(void *ctx, void *guest)
{
    const struct lgr_cmd *c = ctx;
    links_moving(cp_rdevs(c->cp), cp_user_id(guest), false);
    vm_unquiesce(cp_user_vm(guest));
    cp_user_thaw(guest);
}

static void guest_save_early(void *ctx, void *guest, struct codec_out *out)
{
    (void)ctx;
    vm_save_early(cp_user_vm(guest), out);
}

static void guest_early_end(void *ctx, void *guest)
{
    (void)ctx;
    vm_early_end(cp_user_vm(guest));
}

/* What it wrote is on the host's disks before the other member, perhaps another host, reads it. */
static int guest_save(void *ctx, void *guest, const s64 *ahead_ns, struct codec_out *out,
                      struct cause *cause)
{
    const struct lgr_cmd *c = ctx;
    cp_user_freeze(guest);
    if (ahead_ns)
        codec_put_u64(out, TAG_CLOCK,
                      (u64)vm_clock_ahead_ns(cp_user_vm(guest)) + (u64)*ahead_ns);
    codec_begin(out, TAG_DEVICES, STATE_VERSION);
    cp_user_save_devices(guest, out);
    codec_end(out);
    codec_begin(out, TAG_MACHINE, STATE_VERSION);
    int rc = vm_save_rest(cp_user_vm(guest), out, cause);
    if (rc == ST_OK)
        rc = links_sync(cp_rdevs(c->cp), cp_user_id(guest), cause);
    codec_end(out);
    codec_begin(out, TAG_SESSION, STATE_VERSION);
    cp_user_save(guest, out);
    codec_end(out);
    return rc;
}

/* --- destination --------------------------------------------------------------------------- */

/* Real storage is MAINSIZE and what the host has of it; paging space is the host's swap space. */
static void guest_room(void *ctx, struct lgr_room *out)
{
    const struct lgr_cmd *c = ctx;
    u64 main_bytes = cp_config(c->cp)->hardware.main_bytes, used = 0;
    for (struct cp_user *u = cp_user_next(c->cp, NULL); u; u = cp_user_next(c->cp, u))
        used += vm_resident_bytes(cp_user_vm(u));
    lgr_host_room(out);
    lgr_host_limit(main_bytes, used, 0, out);
}

#define COMPUTES_NS                                                                            \
    50000000u /* without a rest of some length: it does not only look at its timers */

static unsigned computing(struct cp_user *user)
{
    struct vm_cpu_info cpu;
    unsigned n = 0;
    for (unsigned i = 0; vm_host_ops()->cpu_info(cp_user_vm(user), i, &cpu); i++)
        n += (cpu.place == VM_CPU_RUNS || cpu.place == VM_CPU_READY) &&
             cpu.transaction_ns >= COMPUTES_NS;
    return n;
}

static void guest_crowd(void *ctx, const void *guest, struct lgr_crowd *out)
{
    const struct lgr_cmd *c = ctx;
    out->processors = lgr_host_processors();
    for (struct cp_user *u = cp_user_next(c->cp, NULL); u; u = cp_user_next(c->cp, u))
        *(u == guest ? &out->own : &out->others) += computing(u);
}

/* Can this member give the guest each of its disks when the other one has let go of them? */
static void disks_here(const struct lgr_cmd *c, const struct lgr_guest_info *info,
                       struct lgr_here *out)
{
    struct rdevs *r = cp_rdevs(c->cp);
    for (u32 i = 0; i < info->disks; i++) {
        const struct lgr_disk *d = &info->disk[i];
        const struct window_extent extent = {d->first, d->count};
        struct rdev *rdev = rdev_equivalent(r, d->volid, d->identity, d->units);
        const char *other = rdev ? link_in_the_way(r, rdev, info->user, extent, d->write) : "";
        if (rdev && rdev->type == d->type && !(d->write && rdev->read_only) && !*other)
            continue;
        lgr_obstacle(&out->bad_disk, "%04X (%s%s%s)", d->vdev, d->volid,
                     *other ? ", used by " : "", other);
    }
}

/* Is each virtual disk the only one of its name here, too? */
static void vdisks_here(const struct lgr_cmd *c, const struct lgr_guest_info *info,
                        struct lgr_here *out)
{
    for (u32 i = 0; i < info->vdisks; i++) {
        const struct lgr_vdisk *d = &info->vdisk[i];
        const char *other =
            link_virtual_user(cp_rdevs(c->cp), d->owner, d->owner_vdev, info->user);
        if (*other)
            lgr_obstacle(&out->bad_vdisk, "%04X is as one that %s has of %s %04X", d->vdev,
                         other, d->owner, d->owner_vdev);
    }
}

static void nics_here(const struct lgr_cmd *c, const struct lgr_guest_info *info,
                      struct lgr_here *out)
{
    char why[LGR_OBSTACLE_BYTES - 8];
    for (u32 i = 0; i < info->nics; i++) {
        const struct lgr_nic *nic = &info->nic[i];
        if (!cp_nic_here(c->cp, info->user, nic->lan, nic->need, why, sizeof why))
            lgr_obstacle(&out->bad_nic, "%04X (%s)", nic->vdev, why);
    }
}

static void guest_here(void *ctx, const struct lgr_guest_info *info, struct lgr_here *out)
{
    const char *user = info->user;
    const struct lgr_cmd *c = ctx;
    const struct dir_entry *e = directory_find(cp_directory(c->cp), user);
    cp_own_arch(c->cp, &out->arch);
    out->ending = cp_shutting_down(c->cp);
    if (!e)
        return;
    disks_here(c, info, out);
    vdisks_here(c, info, out);
    nics_here(c, info, out);
    for (u32 i = 0; i < info->terminals; i++)
        if (!cp_member_is_reachable(c->cp, info->terminal[i]))
            lgr_obstacle(&out->no_terminal, "%s", info->terminal[i]);
    for (u32 i = 0; i < info->segments; i++)
        if (!cp_segment_here(c->cp, info->segment[i].name, info->segment[i].identity))
            lgr_obstacle(&out->no_segment, "%s", info->segment[i].name);
    out->known = true;
    out->logged_on = cp_user_find(c->cp, user) != NULL;
    out->entry_digest = entry_digest(e);
    out->storage_max_bytes =
        e->storage_max_bytes > e->storage_bytes ? e->storage_max_bytes : e->storage_bytes;
}

/* It keeps what it has of the machine; by FORCE ARCHITECTURE, without which it had not come so far,
 * what this member has of that. */
static void fence(const struct lgr_cmd *c, const struct lgr_guest_info *info,
                  struct cp_user *user)
{
    struct arch own, arch = info->arch;
    cp_own_arch(c->cp, &own);
    if (!arch.model) { /* the source is of an older release */
        memcpy(arch.features, own.features, sizeof arch.features);
        arch.model = own.model;
    }
    if (!arch_within(&arch, &own)) {
        arch_common(&arch, &own);
        cp_user_set_forced(user, true);
    }
    vm_set_arch_firm(cp_user_vm(user), &arch);
}

/* Virtual disks that storage fills; the machine's devices come with its state. */
static int vdisks_arrive(const struct lgr_cmd *c, const struct lgr_guest_info *info,
                         struct cause *cause)
{
    int rc = ST_OK;
    for (u32 i = 0; rc == ST_OK && i < info->vdisks; i++) {
        const struct lgr_vdisk *d = &info->vdisk[i];
        const struct dir_mdisk m = {.vdev = d->owner_vdev,
                                    .type = 0x9336,
                                    .kind = DIR_MDISK_VIRTUAL,
                                    .count = d->blocks};
        const struct link_request q = {.user = info->user,
                                       .vdev = d->vdev,
                                       .owner = d->owner,
                                       .mdisk = &m,
                                       .mode = (enum link_mode)d->mode};
        const struct window_extent extent = {0, d->blocks};
        struct vlink *l;
        if (d->mode >= LINK_MODES)
            return cause_set(cause, ST_PROTO, "a disk of %s is damaged", info->user);
        rc = link_arriving(cp_rdevs(c->cp), &q, NULL, extent, d->write, &l, cause);
    }
    return rc;
}

static int guest_arrive(void *ctx, const struct lgr_guest_info *info, void **guest,
                        struct cause *cause)
{
    const struct lgr_cmd *c = ctx;
    struct codec_in none;
    struct cp_user *user;
    codec_in_init(&none, "", 0);
    int rc = cp_user_arrive(c->cp, info->user, &none, &user, cause);
    if (rc)
        return rc;
    struct vm *vm = cp_user_vm(user);
    const struct vm_config *vc = vm_configuration(vm);
    fence(c, info, user);
    if (vm_storage(vm)->size != info->storage_bytes || vc->cpus != info->cpus)
        rc = vm_reconfigure(vm, info->storage_bytes, info->cpus, cause);
    if (rc == ST_OK && !vm_quiesce(vm))
        rc = cause_set(cause, ST_BUSY, "the machine of %s cannot be stopped", info->user);
    if (rc == ST_OK)
        rc = vdisks_arrive(c, info, cause);
    if (rc)
        cp_user_depart(user);
    if (rc)
        return rc;
    vm_warm(vm);
    *guest = user;
    return ST_OK;
}

static int guest_restore_early(void *ctx, void *guest, struct codec_in *in, struct cause *cause)
{
    (void)ctx;
    return vm_restore_early(cp_user_vm(guest), in, cause);
}

static int guest_restore(void *ctx, void *guest, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    bool devices = false, machine = false, session = false;
    u64 ahead;
    (void)ctx;
    while (codec_next(in, &row)) {
        struct codec_in block;
        int rc = ST_OK;
        if (row.tag == TAG_DEVICES && !devices && codec_open(&row, &block)) {
            devices = true;
            rc = cp_user_restore_devices(guest, &block, cause);
        } else if (row.tag == TAG_MACHINE && devices && !machine && codec_open(&row, &block)) {
            machine = true;
            rc = vm_restore(cp_user_vm(guest), &block, cause);
        } else if (row.tag == TAG_SESSION && !session && codec_open(&row, &block)) {
            session = true;
            rc = cp_user_restore(guest, &block, cause);
        } else if (row.tag == TAG_CLOCK && !machine && codec_get_u64(&row, &ahead)) {
            vm_clock_set_ahead_ns(cp_user_vm(guest), (s64)ahead);
        } else if (row.tag & CODEC_MANDATORY) {
            return cause_set(cause, ST_PROTO, "block X'%04X' is not acceptable", row.tag);
        }
        if (rc)
            return rc;
    }
    if (in->failed || !machine || !session)
        return cause_set(cause, ST_PROTO, "the stream is incomplete");
    return ST_OK;
}

static void guest_go(struct cp_user *user, void *arg)
{
    const struct lgr_cmd *c = arg;
    vm_unquiesce(cp_user_vm(user));
    if (c->lgr) /* not so without a cluster, from a snapshot */
        lgr_guest_runs(c->lgr, cp_user_id(user));
    cp_user_take_files(user);
}

static void guest_run(void *ctx, void *guest, u64 generation)
{
    cp_user_set_claim(guest, generation);
    cp_user_go(guest, guest_go, ctx);
}

static void guest_let_go(void *ctx, void *guest)
{
    (void)ctx;
    cp_user_let_go(guest);
}

static void guest_depart(void *ctx, void *guest)
{
    (void)ctx;
    cp_user_depart(guest);
}

const struct lgr_guests lgr_cp_guests = {
    .find = guest_find,
    .info = guest_info,
    .claim = guest_claim,
    .storage = guest_storage,
    .area = guest_area,
    .epoch = guest_epoch,
    .stores_go_on = guest_stores_go_on,
    .waits = guest_waits,
    .quiesce = guest_quiesce,
    .unquiesce = guest_unquiesce,
    .save_early = guest_save_early,
    .early_end = guest_early_end,
    .save = guest_save,
    .here = guest_here,
    .room = guest_room,
    .crowd = guest_crowd,
    .arrive = guest_arrive,
    .restore_early = guest_restore_early,
    .restore = guest_restore,
    .run = guest_run,
    .let_go = guest_let_go,
    .depart = guest_depart,
    .exit_active = lgr_exit_active,
    .exit_begin = lgr_exit_begin,
    .exit_forget = lgr_exit_forget,
};

/* --- life ---------------------------------------------------------------------------------- */

/* It logs off, stopped maybe, and no other member has it: its spool files are closed as usual. */
static void ends_here(struct cp_user *user)
{
    cp_user_ends_here(user);
    vm_abandon(cp_user_vm(user));
}

static void observe(void *ctx, struct cp_user *user, enum cp_user_event event)
{
    struct lgr *lgr = ctx;
    if (lgr->stopped)
        return;
    if (event == CP_USER_LOGON)
        lgr_guest_logon(lgr, cp_user_id(user));
    else if (event == CP_USER_LOGOFF && lgr_guest_gone(lgr, cp_user_id(user)))
        ends_here(user);
    else if (event != CP_USER_LOGOFF)
        lgr_guest_reset(lgr, cp_user_id(user));
}

int lgr_create(struct cp *cp, struct ssi *ssi, const struct lgr_ports *ports, struct lgr **out,
               struct cause *cause)
{
    struct lgr_cmd *c = calloc(1, sizeof *c);
    if (!c)
        return cause_set(cause, ST_NOMEM, "no memory for relocations");
    c->cp = cp;
    bool verify = getenv("ENDICOTT_LGR_VERIFY") != NULL; /* for tests: see lgr_core.h */
    int rc = lgr_core_create(ssi, ports, &lgr_cp_guests, c, verify, &c->lgr, cause);
    if (rc) {
        free(c);
        return rc;
    }
    c->lgr->cmd = c;
    c->lgr->hold = getenv("ENDICOTT_LGR_HOLD") != NULL; /* for tests: see lgr_hold.c */
    c->lgr->events = cp_events(cp);
    const char *pace = getenv("ENDICOTT_LGR_MB_S"); /* for tests, and to spare a slow link */
    c->lgr->pace_mb_s = pace ? (u32)strtoul(pace, NULL, 10) : 0;
    rc = cp_observe_users(cp, observe, c->lgr);
    if (rc == ST_OK)
        rc = lgr_cmd_register(c);
    if (rc)
        return cause_set(cause, rc, "VMRELOCATE: %s", status_name(rc));
    *out = c->lgr;
    return ST_OK;
}

void lgr_stop(struct lgr *lgr)
{
    lgr_core_stop(lgr);
}

void lgr_destroy(struct lgr *lgr)
{
    if (!lgr)
        return;
    struct lgr_cmd *c = lgr->cmd;
    lgr_core_destroy(lgr);
    free(c);
}

bool lgr_status(const struct lgr *lgr, unsigned i, struct lgr_view *out)
{
    return lgr_core_status(lgr, i, out);
}
