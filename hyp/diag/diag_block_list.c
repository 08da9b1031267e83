/* Lists of blocks between a disk and a guest's storage, for DIAGNOSE X'250' and X'A4'. Blocks that
 * follow each other are moved together.
 * Guarantee: a block has moved completely, or its status says why not. */
#include <stdlib.h>

#include "hyp/diag/diag.h"
#include "hyp/diag/diag_block_internal.h"

bool block_list_init(struct block_list *l, struct vcpu *v, const struct block_disk *disk,
                     u32 count)
{
    *l = (struct block_list){.v = v, .disk = *disk, .count = count};
    l->entry = calloc(count, sizeof *l->entry);
    l->data = malloc((size_t)count * disk->block_bytes);
    if (l->entry && l->data)
        return true;
    block_list_free(l);
    return false;
}

void block_list_free(struct block_list *l)
{
    free(l->entry);
    free(l->data);
    l->entry = NULL;
    l->data = NULL;
}

/* Does the key allow it? */
static bool key_fits(struct storage *st, u64 abs, u8 key, bool store)
{
    u8 skey = storage_key_get(st, abs);
    return !key || (skey & SKEY_ACC) == key || (!store && !(skey & SKEY_F));
}

static u8 buffer_status(const struct block_list *l, struct block_entry *e, u64 real, u8 key)
{
    struct storage *st = l->v->vm->st;
    u32 left = l->disk.block_bytes;
    e->in_first = FRAME_BYTES - (u32)(real % FRAME_BYTES);
    e->in_first = e->in_first < left ? e->in_first : left;
    e->abs[0] = cpu_real_to_abs(l->v->cpu, real);
    e->abs[1] = cpu_real_to_abs(l->v->cpu, real + e->in_first);
    left -= e->in_first;
    if (!storage_holds(st, e->abs[0], e->in_first) ||
        (left && !storage_holds(st, e->abs[1], left)))
        return BLOCK_ADDRESSING;
    if (!e->write && (!storage_storable(st, e->abs[0], e->in_first) ||
                      (left && !storage_storable(st, e->abs[1], left))))
        return BLOCK_PROTECTION;
    if (!key_fits(st, e->abs[0], key, !e->write) ||
        (left && !key_fits(st, e->abs[1], key, !e->write)))
        return BLOCK_PROTECTION;
    return BLOCK_OK;
}

void block_list_check(struct block_list *l, u32 i, u64 real, u8 key)
{
    struct block_entry *e = &l->entry[i];
    if (e->block >= l->disk.blocks)
        e->status = BLOCK_NUMBER_WRONG;
    else if (e->write && l->disk.read_only)
        e->status = BLOCK_READ_ONLY;
    else
        e->status = buffer_status(l, e, real, key);
}

static void entry_copy(struct storage *st, const struct block_entry *e, u8 *data, u32 len,
                       bool fetch)
{
    for (unsigned i = 0; i < 2; i++) {
        u32 n = i ? len - e->in_first : e->in_first;
        u8 *p = data + (i ? e->in_first : 0);
        if (n && fetch)
            storage_read(st, e->abs[i], p, n);
        else if (n)
            storage_write(st, e->abs[i], p, n);
    }
}

/* How many entries from `i` on are in a row on the disk and can be moved together. */
static u32 in_a_row(const struct block_list *l, u32 i)
{
    u32 n = 1;
    while (i + n < l->count && l->entry[i + n].status == BLOCK_OK &&
           l->entry[i + n].write == l->entry[i].write &&
           l->entry[i + n].block == l->entry[i].block + n)
        n++;
    return n;
}

static u8 move(struct block_list *l, u32 i, u32 n)
{
    struct storage *st = l->v->vm->st;
    u32 len = l->disk.block_bytes;
    u8 *data = l->data + (size_t)i * len;
    bool write = l->entry[i].write;
    struct css_program how = {0};
    for (u32 k = i; write && k < i + n; k++)
        entry_copy(st, &l->entry[k], l->data + (size_t)k * len, len, true);
    u8 status = block_disk_move(&l->disk, l->entry[i].block, n, write, data, &how);
    for (u32 k = i; !write && status == BLOCK_OK && k < i + n; k++)
        entry_copy(st, &l->entry[k], l->data + (size_t)k * len, len, false);
    if (status)
        l->how = how;
    return status;
}

/* Those in a row together, and one by one when that went wrong. */
u8 block_list_run(struct block_list *l)
{
    u8 worst = BLOCK_OK;
    for (u32 i = 0, n; i < l->count && !(worst && l->stops); i += n) {
        n = l->entry[i].status == BLOCK_OK ? in_a_row(l, i) : 1;
        u8 status = l->entry[i].status == BLOCK_OK ? move(l, i, n) : l->entry[i].status;
        for (u32 k = i; k < i + n && !(worst && l->stops); k++) {
            struct block_entry *e = &l->entry[k];
            e->status = status && n > 1 ? move(l, k, 1) : status;
            l->moved += e->status == BLOCK_OK;
            worst = worst ? worst : e->status;
        }
    }
    return worst;
}
