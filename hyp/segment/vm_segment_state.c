/* Saved segments and systems of a machine that moves to another member: which of them may, and what
 * of them is in the stream. What guests may not store into is mapped from the file of the same
 * saving there; the machine's own pages come with its storage; storage keys behind storage are in
 * the block. Loop thread. */
#include "hyp/segment/segment.h"
#include "hyp/vm_internal.h"

#define STATE_VERSION 1
#define ROW_NAME 0x9031
#define ROW_IDENTITY 0x9032
#define ROW_EXCLUSIVE 0x9033 /* the last before the keys */
#define ROW_KEYS 0x9034      /* of pages behind storage, in order: (count 4, key 1) pairs */
#define RUN_BYTES 5
#define RUNS_AT_ONCE 1024
#define PREFIX_BYTES (2 * FRAME_BYTES)

/* Its own: stored into by this machine alone. */
static bool own(const struct vm_loaded *l, unsigned i)
{
    return l->exclusive || segment_type_own(l->seg.range[i].type);
}

/* Has a CPU its prefix area in pages that are mapped from the file? It stores there all the same,
 * into pages of its own. */
static bool prefix_in(const struct vm *vm, u64 start, u64 end)
{
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        u64 prefix = cpu_prefix(vm->vcpu[i].cpu);
        if (vm_cpu_defined(vm, i) && prefix <= end && start < prefix + PREFIX_BYTES)
            return true;
    }
    return false;
}

static const char *stays(const struct vm *vm, const struct vm_loaded *l)
{
    if (l->seg.restricted)
        return "is restricted";
    for (unsigned i = 0; i < l->seg.ranges; i++) {
        if (!l->exclusive && segment_type_shared(l->seg.range[i].type))
            return "has pages that several guests store into";
        if (own(l, i) && l->seg.range[i].end >= vm->st->size)
            return "has pages of its own behind storage";
    }
    return NULL;
}

/* The same, of a machine that runs here: its CPUs are what they are. */
static const char *stays_here(const struct vm *vm, const struct vm_loaded *l)
{
    const char *why = stays(vm, l);
    for (unsigned i = 0; !why && i < l->seg.ranges; i++)
        if (!own(l, i) && prefix_in(vm, l->seg.range[i].start, l->seg.range[i].end))
            why = "has a CPU's prefix area in pages that are read-only";
    return why;
}

bool vm_segment_get(const struct vm *vm, unsigned n, struct vm_segment *out, const char **why)
{
    for (unsigned i = 0; i < VM_SEGMENTS_MAX; i++) {
        if (!vm->segment[i].seg.ranges || n--)
            continue;
        *out = vm->segment[i].seg;
        *why = stays_here(vm, &vm->segment[i]);
        return true;
    }
    return false;
}

/* ---- keys behind storage ---- */

/** The page behind `abs`, or the first one with abs ~0; ~0: there is none. */
static u64 page_behind(const struct vm *vm, const struct vm_segment *seg, u64 abs)
{
    u64 next = abs == ~0ull ? vm->st->size : abs + FRAME_BYTES;
    for (unsigned i = 0; i < seg->ranges; i++)
        if (next <= seg->range[i].end)
            return next > seg->range[i].start ? next : seg->range[i].start;
    return ~0ull;
}

static void keys_save(const struct vm *vm, const struct vm_segment *seg, struct codec_out *out)
{
    u8 runs[RUN_BYTES * RUNS_AT_ONCE];
    size_t n = 0;
    for (u64 abs = page_behind(vm, seg, ~0ull); abs != ~0ull;) {
        u8 key = storage_key_get(vm->st, abs);
        u32 count = 0;
        do {
            count++;
            abs = page_behind(vm, seg, abs);
        } while (abs != ~0ull && storage_key_get(vm->st, abs) == key);
        be32_store(runs + n, count);
        runs[n + 4] = key;
        n += RUN_BYTES;
        if (n == sizeof runs || abs == ~0ull) {
            codec_put_bytes(out, ROW_KEYS, runs, n);
            n = 0;
        }
    }
}

static bool keys_restore(struct vm *vm, const struct vm_segment *seg,
                         const struct codec_row *row, u64 *abs)
{
    if (row->len % RUN_BYTES)
        return false;
    for (u32 at = 0; at < row->len; at += RUN_BYTES)
        for (u32 count = be32_load(row->p + at); count; count--) {
            *abs = page_behind(vm, seg, *abs);
            if (*abs == ~0ull)
                return false;
            storage_key_set(vm->st, *abs, row->p[at + 4]);
        }
    return true;
}

/* ---- the blocks ---- */

void vm_segments_save(const struct vm *vm, u16 tag, struct codec_out *out)
{
    for (unsigned i = 0; i < VM_SEGMENTS_MAX; i++) {
        const struct vm_loaded *l = &vm->segment[i];
        if (!l->seg.ranges)
            continue;
        codec_begin(out, tag, STATE_VERSION);
        codec_put_bytes(out, ROW_NAME, l->seg.name, strlen(l->seg.name));
        codec_put_bytes(out, ROW_IDENTITY, l->seg.identity, VM_IDENTITY_BYTES);
        codec_put_u8(out, ROW_EXCLUSIVE, l->exclusive);
        keys_save(vm, &l->seg, out);
        codec_end(out);
    }
}

static struct vm_loaded *arrive(struct vm *vm, const char *name, const u8 *identity,
                                bool exclusive, struct cause *cause)
{
    struct vm_loaded *l = NULL;
    for (unsigned i = 0; i < VM_SEGMENTS_MAX; i++)
        l = vm->segment[i].seg.ranges ? l : &vm->segment[i];
    const struct vm_segment *seg = segment_find(vm->host->segments, name);
    if (!seg || !seg->saved || memcmp(seg->identity, identity, VM_IDENTITY_BYTES)) {
        cause_set(cause, ST_NOENT, "saved segment %s is not here as it was saved there", name);
        return NULL;
    }
    const struct vm_loaded fresh = {*seg, exclusive};
    if (!l || stays(vm, &fresh)) {
        cause_set(cause, ST_PROTO, "saved segment %s cannot come with a machine", name);
        return NULL;
    }
    if (segment_arrive(vm->host->segments, name, exclusive, vm->st, cause))
        return NULL;
    *l = fresh;
    return l;
}

int vm_segment_restore(struct vm *vm, struct codec_in *block, struct cause *cause)
{
    struct codec_row row;
    struct vm_loaded *l = NULL;
    char name[sizeof l->seg.name] = "";
    u8 identity[VM_IDENTITY_BYTES] = {0}, exclusive = 0;
    u64 abs = ~0ull;
    while (codec_next(block, &row)) {
        bool good = false;
        if (row.tag == ROW_NAME && row.len < sizeof name) {
            memcpy(name, row.p, row.len);
            good = !l;
        } else if (row.tag == ROW_IDENTITY) {
            good = codec_get_array(&row, identity, 1, sizeof identity) && !l;
        } else if (row.tag == ROW_EXCLUSIVE && codec_get_u8(&row, &exclusive) && !l) {
            l = arrive(vm, name, identity, exclusive, cause);
            if (!l)
                return cause->status;
            good = true;
        } else if (row.tag == ROW_KEYS) {
            good = l && keys_restore(vm, &l->seg, &row, &abs);
        }
        if (!good)
            return cause_set(cause, ST_PROTO, "saved segments: row X'%04X' is not acceptable",
                             row.tag);
    }
    return l && !block->failed ? ST_OK
                               : cause_set(cause, ST_PROTO, "saved segments are incomplete");
}
