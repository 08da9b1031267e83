/* Storage keys and usage of all frames, as state: whole, run-length coded; or told before the
 * machine stands still, and then only what has changed since, with a sum over all of it. The
 * destination keeps what was told, and puts it into storage at the end: restoring devices and
 * CPUs may have set reference and change bits meanwhile. */
#include <stdlib.h>

#include "hyp/vm_internal.h"

#define RUN_BYTES 5u    /* count 4, byte 1 */
#define CHANGE_BYTES 9u /* first frame 4, count 4, byte 1 */
#define RUNS 1024u      /* of one row */
#define CHANGES 512u    /* likewise */
#define WORD_FRAMES 8u
#define K1 0x9e3779b97f4a7c15ull
#define K2 0xc2b2ae3d27d4eb4full

enum { KEYS, USAGE };
_Static_assert(USAGE + 1 == VM_FRAME_MAPS, "two maps");

static const u8 meaning[VM_FRAME_MAPS] = {0xfe, STORAGE_USAGE | STORAGE_NO_DAT};
static const u16 whole_tag[VM_FRAME_MAPS] = {VM_TAG_KEYS, VM_TAG_USAGE};
static const u16 change_tag[VM_FRAME_MAPS] = {VM_TAG_KEYS_CHANGED, VM_TAG_USAGE_CHANGED};

static const _Atomic u8 *map_of(const struct vm *vm, unsigned which)
{
    return which == KEYS ? vm->st->skey : vm->st->usage;
}

/* Of a machine that stands still. */
static const u8 *still_map(const struct vm *vm, unsigned which)
{
    return (const u8 *)map_of(vm, which);
}

static void map_set(struct storage *st, unsigned which, u64 frame, u8 v)
{
    u64 abs = frame << FRAME_SHIFT;
    if (which == KEYS)
        storage_key_set(st, abs, v);
    else if (v || storage_usage_get(st, abs))
        storage_usage_set(st, abs, v & meaning[USAGE]);
}

/* --- whole ----------------------------------------------------------------------------------- */

/* Frames of blocks that were never used have nothing. */
static void runs_save(const struct vm *vm, const u8 *map, u16 tag, struct codec_out *out)
{
    u8 runs[RUN_BYTES * RUNS];
    size_t n = 0;
    u64 frames = vm->st->frames;
    for (u64 f = 0; f < frames;) {
        u64 end = f;
        u8 v = map[f];
        while (end < frames && map[end] == v)
            end = v ? end + 1 : storage_frame_next(vm->st, end + 1);
        be32_store(runs + n, (u32)(end - f));
        runs[n + 4] = v;
        n += RUN_BYTES;
        if (n == sizeof runs || end == frames) {
            codec_put_bytes(out, tag, runs, n);
            n = 0;
        }
        f = end;
    }
}

static bool all_zero(const struct vm *vm, const u8 *map)
{
    for (u64 f = storage_frame_next(vm->st, 0); f < vm->st->frames;
         f = storage_frame_next(vm->st, f + 1))
        if (map[f])
            return false;
    return true;
}

/* Nothing is said of usage when all frames are stable. */
static void whole_save(const struct vm *vm, unsigned which, const u8 *map,
                       struct codec_out *out)
{
    if (which != USAGE || !all_zero(vm, map))
        runs_save(vm, map, whole_tag[which], out);
}

/* --- told: on both sides --------------------------------------------------------------------- */

void vm_early_end(struct vm *vm)
{
    for (unsigned i = 0; i < VM_FRAME_MAPS; i++) {
        storage_lazy_free(vm->told[i], vm->told_bytes);
        vm->told[i] = NULL;
    }
    free(vm->told_block);
    vm->told_block = NULL;
    vm->told_bytes = 0;
}

static u64 map_bytes(const struct vm *vm)
{
    return (vm->st->frames + WORD_FRAMES - 1) / WORD_FRAMES * WORD_FRAMES;
}

static u64 blocks_of(const struct vm *vm)
{
    return (vm->st->frames + STORAGE_BLOCK_FRAMES - 1) / STORAGE_BLOCK_FRAMES;
}

static bool told_alloc(struct vm *vm)
{
    vm_early_end(vm);
    vm->told_bytes = map_bytes(vm);
    vm->told_sum = 0;
    for (unsigned i = 0; i < VM_FRAME_MAPS; i++)
        vm->told[i] = storage_lazy_alloc(vm->told_bytes);
    vm->told_block = calloc(blocks_of(vm), 1);
    if (vm->told[KEYS] && vm->told[USAGE] && vm->told_block)
        return true;
    vm_early_end(vm);
    return false;
}

/* A sum over all frames tells a byte that was lost on its way. */
static u64 part_of_sum(unsigned which, u64 frame, u8 v)
{
    u64 x = (frame << 9 | (u64)which << 8 | v) * K1;
    return v ? (x ^ x >> 29) * K2 : 0;
}

static void told_set(struct vm *vm, unsigned which, u64 frame, u8 v)
{
    u8 *told = &vm->told[which][frame];
    vm->told_sum += part_of_sum(which, frame, v) - part_of_sum(which, frame, *told);
    *told = v;
    vm->told_block[frame / STORAGE_BLOCK_FRAMES] = 1;
}

/* The first word of frames, from `f` on, that is not the same in both; `end` if all are. */
static u64 first_other(const u8 *a, const u8 *b, u64 f, u64 end)
{
    u64 x[8], y[8];
    for (; f + sizeof x <= end; f += sizeof x) {
        u64 other = 0;
        memcpy(x, a + f, sizeof x);
        memcpy(y, b + f, sizeof y);
        for (unsigned i = 0; i < ARRAY_LEN(x); i++)
            other |= x[i] ^ y[i];
        if (other)
            break;
    }
    while (f < end && memcmp(a + f, b + f, WORD_FRAMES) == 0)
        f += WORD_FRAMES;
    return f;
}

/* --- early and behind it, source ------------------------------------------------------------- */

/* Segments and standby storage change keys of their own where they are restored. */
static bool has_plain_storage(struct vm *vm)
{
    struct vm_segment seg;
    const char *why;
    return !vm->config.standby_bytes && !vm->config.reserved_bytes &&
           !vm_segment_get(vm, 0, &seg, &why);
}

void vm_save_early(struct vm *vm, struct codec_out *out)
{
    vm_early_end(vm);
    if (!has_plain_storage(vm) || !told_alloc(vm))
        return;
    for (unsigned i = 0; i < VM_FRAME_MAPS; i++) {
        const _Atomic u8 *map = map_of(vm, i);
        for (u64 f = storage_frame_next(vm->st, 0); f < vm->st->frames;
             f = storage_frame_next(vm->st, f + 1)) {
            u8 v = atomic_load_explicit(&map[f], memory_order_relaxed) & meaning[i];
            if (v)
                told_set(vm, i, f, v);
        }
        whole_save(vm, i, vm->told[i], out);
    }
}

/* Rows of changes being made; one run may not be ended. */
struct changes {
    struct codec_out *out;
    u16 tag;
    u8 rows[CHANGE_BYTES * CHANGES];
    size_t n;
    u64 first, end;
    u8 v;
};

static void changes_flush(struct changes *c)
{
    if (c->n)
        codec_put_bytes(c->out, c->tag, c->rows, c->n);
    c->n = 0;
}

static void run_end(struct changes *c)
{
    if (c->first == c->end)
        return;
    if (c->n == sizeof c->rows)
        changes_flush(c);
    be32_store(c->rows + c->n, (u32)c->first);
    be32_store(c->rows + c->n + 4, (u32)(c->end - c->first));
    c->rows[c->n + 8] = c->v;
    c->n += CHANGE_BYTES;
    c->first = c->end;
}

static void change_add(struct changes *c, u64 frame, u8 v)
{
    if (c->first == c->end || frame != c->end || v != c->v) {
        run_end(c);
        c->first = frame;
        c->v = v;
    }
    c->end = frame + 1;
}

static void word_save(struct vm *vm, unsigned which, u64 f, struct changes *c)
{
    const u8 *now = still_map(vm, which), *told = vm->told[which];
    for (u64 behind = f + WORD_FRAMES; f < behind; f++) {
        u8 v = now[f] & meaning[which];
        if (v == told[f])
            continue;
        change_add(c, f, v);
        told_set(vm, which, f, v);
    }
}

/* Blocks that were never used are the same on both sides: nothing. */
static void changes_save(struct vm *vm, unsigned which, struct codec_out *out)
{
    const u8 *now = still_map(vm, which), *told = vm->told[which];
    struct changes c = {.out = out, .tag = change_tag[which]};
    u64 frames = vm->st->frames, f = storage_frame_next(vm->st, 0);
    while (f < frames) {
        u64 end = (f / STORAGE_BLOCK_FRAMES + 1) * STORAGE_BLOCK_FRAMES;
        end = end < frames ? end : frames;
        while ((f = first_other(now, told, f, end)) < end) {
            word_save(vm, which, f, &c);
            f += WORD_FRAMES;
        }
        f = storage_frame_next(vm->st, f);
    }
    run_end(&c);
    changes_flush(&c);
}

void vm_frames_save(struct vm *vm, struct codec_out *out)
{
    if (vm->told_bytes != map_bytes(vm)) {
        vm_early_end(vm);
        for (unsigned i = 0; i < VM_FRAME_MAPS; i++)
            whole_save(vm, i, still_map(vm, i), out);
        return;
    }
    for (unsigned i = 0; i < VM_FRAME_MAPS; i++)
        changes_save(vm, i, out);
    codec_put_u64(out, VM_TAG_FRAMES_SUM, vm->told_sum);
}

/* --- destination ----------------------------------------------------------------------------- */

static void run_restore(struct vm *vm, unsigned which, u64 f, u64 end, u8 v)
{
    if (vm->told_bytes) {
        for (; v && f < end; f++)
            told_set(vm, which, f, v);
        return;
    }
    for (; f < end; f = v ? f + 1 : storage_frame_next(vm->st, f + 1))
        if (v || storage_frame_next(vm->st, f) == f)
            map_set(vm->st, which, f, v);
}

/* The runs of one row, from *frame on: into what was told, or into storage. */
static bool runs_restore(struct vm *vm, const struct codec_row *row, unsigned which, u64 *frame)
{
    if (row->len % RUN_BYTES)
        return false;
    for (u32 i = 0; i < row->len; i += RUN_BYTES) {
        u32 count = be32_load(row->p + i);
        if (count > vm->st->frames - *frame)
            return false;
        run_restore(vm, which, *frame, *frame + count, row->p[i + 4] & meaning[which]);
        *frame += count;
    }
    return true;
}

static bool changes_restore(struct vm *vm, const struct codec_row *row, unsigned which)
{
    if (row->len % CHANGE_BYTES || !vm->told_bytes)
        return false;
    for (u32 i = 0; i < row->len; i += CHANGE_BYTES) {
        u64 first = be32_load(row->p + i), count = be32_load(row->p + i + 4);
        if (first >= vm->st->frames || count > vm->st->frames - first)
            return false;
        for (u64 f = first; f < first + count; f++)
            told_set(vm, which, f, row->p[i + 8] & meaning[which]);
    }
    return true;
}

/* The first block, from `b` on, that has something in storage or in what was told; looking at
 * others would have the host make pages for them. */
static u64 next_block(const struct vm *vm, u64 b)
{
    u64 blocks = blocks_of(vm), used = storage_frame_next(vm->st, b * STORAGE_BLOCK_FRAMES);
    const u8 *told = b < blocks ? memchr(vm->told_block + b, 1, blocks - b) : NULL;
    u64 first = told ? (u64)(told - vm->told_block) : blocks;
    used = used < vm->st->frames ? used / STORAGE_BLOCK_FRAMES : blocks;
    return used < first ? used : first;
}

static void block_apply(struct vm *vm, unsigned which, u64 first)
{
    const u8 *told = vm->told[which], *now = still_map(vm, which);
    u64 end = first + STORAGE_BLOCK_FRAMES;
    end = end < map_bytes(vm) ? end : map_bytes(vm);
    for (u64 f = first; (f = first_other(told, now, f, end)) < end;)
        for (u64 behind = f + WORD_FRAMES; f < behind; f++)
            if (told[f] != now[f])
                map_set(vm->st, which, f, told[f]);
}

/* Whatever storage has now, it has this then. */
static void told_apply(struct vm *vm)
{
    u64 blocks = blocks_of(vm);
    for (u64 b = next_block(vm, 0); b < blocks; b = next_block(vm, b + 1))
        for (unsigned i = 0; i < VM_FRAME_MAPS; i++)
            block_apply(vm, i, b * STORAGE_BLOCK_FRAMES);
}

bool vm_frames_restore(struct vm *vm, const struct codec_row *row, struct vm_frames *got)
{
    u64 sum;
    bool behind = vm->told_bytes && !got->early;
    for (unsigned i = 0; i < VM_FRAME_MAPS; i++) {
        if (row->tag == whole_tag[i])
            return !behind && runs_restore(vm, row, i, &got->whole[i]);
        if (row->tag == change_tag[i])
            return behind && changes_restore(vm, row, i);
    }
    got->summed = behind && codec_get_u64(row, &sum) && sum == vm->told_sum;
    if (got->summed)
        told_apply(vm);
    return got->summed;
}

bool vm_frames_complete(const struct vm *vm, const struct vm_frames *got)
{
    u64 usage = got->whole[USAGE];
    if (vm->told_bytes && !got->early)
        return got->summed;
    return got->whole[KEYS] == vm->st->frames && (!usage || usage == vm->st->frames);
}

int vm_restore_early(struct vm *vm, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    struct vm_frames got = {.early = true};
    bool any = false, good = true;
    if (!told_alloc(vm))
        return cause_set(cause, ST_NOMEM, "no memory for keys of storage");
    while (good && codec_next(in, &row)) {
        any = true;
        good = (row.tag == VM_TAG_KEYS || row.tag == VM_TAG_USAGE) &&
               vm_frames_restore(vm, &row, &got);
    }
    good = good && !in->failed && (!any || vm_frames_complete(vm, &got));
    if (good && any)
        told_apply(vm);
    else
        vm_early_end(vm);
    return good ? ST_OK : cause_set(cause, ST_PROTO, "keys of storage are damaged");
}
