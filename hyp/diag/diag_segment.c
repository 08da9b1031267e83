/* DIAGNOSE X'64': saved segments found, loaded, purged, and told of range by range. Source: Linux
 * arch/s390/mm/extmem.c as the user; the VM/370 System Programmer's Guide for condition codes and
 * return code 44; the other return codes are ours. */
#include "hyp/diag/diag.h"
#include "io/ebcdic.h"

#define NAME_BYTES 8
#define QUERY_BYTES 24
#define RC_NO_SEGMENT 44
#define RC_NOT_LOADED 8
#define WIDE 0x20u /* 64-bit addresses */
enum function {
    LOADSHR = 0x00,
    LOADNSR = 0x04,
    PURGESEG = 0x08,
    FINDSEG = 0x0c,
    SEGEXT = 0x18
};

struct call {
    struct vcpu *v;
    const struct cpu_icpt *k;
    bool wide;
    char name[NAME_BYTES + 1];
};

static void name_text(const u8 raw[NAME_BYTES], char out[NAME_BYTES + 1])
{
    char text[2 * NAME_BYTES + 1];
    size_t n = ebcdic_to_utf8(EBCDIC_037, raw, NAME_BYTES, text);
    while (n && (text[n - 1] == ' ' || !text[n - 1]))
        n--;
    n = n < NAME_BYTES ? n : NAME_BYTES;
    memcpy(out, text, n);
    out[n] = 0;
}

static void put(const struct call *c, unsigned r, u64 value)
{
    if (c->wide)
        cpu_gr(c->v->cpu)[r] = value;
    else
        diag_gr32(c->v, r, (u32)value);
}

static void refuse(const struct call *c, u32 rc)
{
    diag_gr32(c->v, c->k->r3, rc);
    cpu_finish_cc(c->v->cpu, 2);
}

static u64 end_of(const struct vm_segment *seg)
{
    return seg->range[seg->ranges - 1].end;
}

static void tell_where(const struct call *c, const struct vm_segment *seg, unsigned cc)
{
    put(c, c->k->r1, seg->range[0].start);
    put(c, c->k->r3, end_of(seg));
    cpu_finish_cc(c->v->cpu, cc);
}

/* Condition code 1: it is where storage is. */
static void load(const struct call *c, bool exclusive)
{
    struct cause cause = {0};
    const struct vm_segment *known = vm_segment_known(c->v->vm, c->name);
    if (exclusive && known && !vm_segment_alone(c->v->vm, known)) {
        refuse(c, RC_NOT_LOADED);
        return;
    }
    int rc = vm_segment_load(c->v->vm, c->name, exclusive, &cause);
    if (rc) {
        refuse(c, rc == ST_NOENT ? RC_NO_SEGMENT : RC_NOT_LOADED);
        return;
    }
    const struct vm_segment *seg = vm_segment_loaded(c->v->vm, c->name);
    tell_where(c, seg, seg->range[0].start < c->v->vm->st->size);
}

static void purge(const struct call *c)
{
    if (vm_segment_purge(c->v->vm, c->name))
        cpu_finish_cc(c->v->cpu, 0);
    else if (vm_segment_known(c->v->vm, c->name))
        cpu_finish_cc(c->v->cpu, 1);
    else
        refuse(c, RC_NO_SEGMENT);
}

static void find(const struct call *c)
{
    const struct vm_segment *there = vm_segment_loaded(c->v->vm, c->name);
    const struct vm_segment *seg = there ? there : vm_segment_known(c->v->vm, c->name);
    if (seg)
        tell_where(c, seg, !there);
    else
        refuse(c, RC_NO_SEGMENT);
}

/* Start, end, number of ranges in all and here; first and last address of each, the type in the
 * last byte of the first. */
static size_t extents(const struct call *c, const struct vm_segment *seg, u8 *out, size_t room)
{
    unsigned width = c->wide ? 8 : 4, n = 0;
    size_t at = 2 * width + 8;
    memset(out, 0, room);
#define ADDRESS(p, v) (c->wide ? be64_store(p, v) : be32_store(p, (u32)(v)))
    ADDRESS(out, seg->range[0].start);
    ADDRESS(out + width, end_of(seg));
    for (; n < seg->ranges && at + 2 * width <= room; n++, at += 2 * width) {
        ADDRESS(out + at, seg->range[n].start | seg->range[n].type);
        ADDRESS(out + at + width, seg->range[n].end);
    }
#undef ADDRESS
    be32_store(out + 2 * width, seg->ranges);
    be32_store(out + 2 * width + 4, n);
    return at;
}

/* Rx: where the question is: function, name, where the answer goes and how long it may be. */
static void segext(struct call *c)
{
    u8 query[QUERY_BYTES], out[16 + 8 + 16 * VM_SEGMENT_RANGES_MAX];
    if (!diag_fetch(c->v, cpu_gr(c->v->cpu)[c->k->r1], query, sizeof query)) {
        cpu_finish_pgm(c->v->cpu, PGM_ADDRESSING_CODE);
        return;
    }
    name_text(query + 8, c->name);
    const struct vm_segment *there = vm_segment_loaded(c->v->vm, c->name);
    const struct vm_segment *seg = there ? there : vm_segment_known(c->v->vm, c->name);
    size_t room = be16_load(query + 20);
    room = room < sizeof out ? room : sizeof out;
    if (!seg) {
        refuse(c, RC_NO_SEGMENT);
    } else if (room < 2 * (c->wide ? 8 : 4) + 8) {
        cpu_finish_pgm(c->v->cpu, PGM_SPECIFICATION_CODE);
    } else {
        size_t n = extents(c, seg, out, room);
        if (diag_store(c->v, be32_load(query + 16), out, n))
            cpu_finish_cc(c->v->cpu, !there);
        else
            cpu_finish_pgm(c->v->cpu, PGM_ADDRESSING_CODE);
    }
}

static void answer(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 raw[NAME_BYTES];
    u32 function = (u32)cpu_gr(v->cpu)[k->r3];
    struct call c = {.v = v, .k = k, .wide = function & WIDE};
    if ((function & ~WIDE) == SEGEXT) {
        segext(&c);
        return;
    }
    if (!diag_fetch(v, cpu_gr(v->cpu)[k->r1], raw, sizeof raw)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return;
    }
    name_text(raw, c.name);
    switch ((enum function)(function & ~WIDE)) {
    case LOADSHR:
    case LOADNSR: load(&c, (function & ~WIDE) == LOADNSR); break;
    case PURGESEG: purge(&c); break;
    case FINDSEG:
    default: find(&c); break;
    }
}

/* Rx: where the name is, Ry: the function. */
bool diag_64(struct vcpu *v, const struct cpu_icpt *k)
{
    u32 function = (u32)cpu_gr(v->cpu)[k->r3] & ~WIDE;
    if (function != LOADSHR && function != LOADNSR && function != PURGESEG &&
        function != FINDSEG && function != SEGEXT)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    return diag_on_loop(v, k, answer);
}
