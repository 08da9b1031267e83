/* Will it fit? The three rules of capacity, on the destination, from what the source tells of the
 * guest and what this member has: before the first pass, after each one and before the quiesce.
 * A guest's storage of now must be available, whatever is forced; its most storage, and what of
 * that may be paged out, are overridden by FORCE STORAGE. What has arrived of it already is not
 * asked for again; what has been promised to others who are arriving is not available.
 * Source of the rules: z/VM "CP Planning and Administration", live guest relocation. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

/* What a frame costs besides: keys, usage, marks, hash, and the host's own page tables. */
#define TABLE_BYTES 24
#define SHORT_PERCENT 2            /* of what there is: less is short */
#define SHORT_BYTES (128ull << 20) /* at most this */

static u64 with_tables(u64 bytes)
{
    return bytes + bytes / FRAME_BYTES * TABLE_BYTES;
}

static u64 vdisk_bytes(const struct lgr_guest_info *guest)
{
    u64 bytes = 0;
    for (u32 i = 0; i < guest->vdisks; i++)
        bytes += guest->vdisk[i].blocks * LGR_BLOCK_BYTES;
    return bytes;
}

void lgr_fit_judge(struct lgr_fit *fit, unsigned force)
{
    u8 forced = force & LGR_FORCE_STORAGE ? LGR_FIT_PAGEABLE | LGR_FIT_MAXIMUM : 0;
    fit->bits = (u8)((fit->now > fit->available ? LGR_FIT_NOW : 0) |
                     (fit->maximum > fit->available ? LGR_FIT_MAXIMUM : 0) |
                     (fit->paged && fit->pageable > fit->paging ? LGR_FIT_PAGEABLE : 0));
    fit->forced = fit->bits & forced;
}

void lgr_fit_fill(struct lgr_fit *fit, const struct lgr_guest_info *guest,
                  const struct lgr_room *room, u64 arrived, u64 promised)
{
    u64 has = room->real_free_bytes + room->paging_free_bytes + arrived;
    *fit = (struct lgr_fit){.now = with_tables(guest->touched_bytes),
                            .maximum = with_tables(guest->storage_bytes + vdisk_bytes(guest)),
                            .paged = room->paging_bytes != 0,
                            .paging = room->paging_free_bytes,
                            .available = has > promised ? has - promised : 0};
    fit->pageable = fit->maximum > guest->locked_bytes ? fit->maximum - guest->locked_bytes : 0;
}

/* What has come of the storage of an arriving guest. */
static u64 arrived_bytes(const struct rlobk *r)
{
    return r->st ? with_tables(lgr_space_touched_bytes(&r->space)) : 0;
}

/* What other guests that arrive here will still need. */
static u64 promised_bytes(const struct lgr *lgr, const struct rlobk *self)
{
    u64 bytes = 0;
    for (const struct rlobk *r = lgr->active; r; r = r->next) {
        if (r == self || !r->v.incoming || r->state != RLO_D_MEMORY)
            continue;
        u64 need = with_tables(r->info.touched_bytes), has = arrived_bytes(r);
        bytes += need > has ? need - has : 0;
    }
    return bytes;
}

void lgr_fit_here(struct lgr *lgr, const struct lgr_guest_info *guest, const struct rlobk *self,
                  unsigned force, struct lgr_fit *fit)
{
    struct lgr_room room = {0};
    if (self && self->quiesced) { /* no time for files of the host */
        *fit = self->v.fit[0];
        lgr_fit_judge(fit, force);
        return;
    }
    lgr->guests->room(lgr->guests_ctx, &room);
    lgr_fit_fill(fit, guest, &room, self ? arrived_bytes(self) : 0, promised_bytes(lgr, self));
    lgr_fit_judge(fit, force);
    fit->pass = self ? (u16)self->v.pass_count : 0;
}

void lgr_fit_note(struct lgr_view *v, const struct lgr_fit *fit)
{
    memmove(v->fit + 1, v->fit, sizeof v->fit - sizeof *v->fit);
    v->fit[0] = *fit;
    v->fit_bits |= fit->bits;
    v->fit_count++;
}

bool lgr_room_short(const struct lgr_room *room, unsigned times)
{
    u64 little = room->real_bytes / 100 * SHORT_PERCENT;
    little = little < SHORT_BYTES ? little : SHORT_BYTES;
    return room->real_free_bytes + room->paging_free_bytes < times * little;
}
