/* A dump as pages of a spool file, as `vmur receive --convert` takes it: a symptom record, a map of
 * the records, CPUs, access lists, the address space with maps of its pages, and those of its pages
 * that are not zeros. A byte for each page says whether it is there, beside its storage key.
 * Guarantee: what is not described at hand is zeros. Record numbers begin with 1.
 * Source: s390-tools' libvmdump as the reader of the format ("big" dumps of 64-bit machines). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hyp/vm_dump_internal.h"
#include "io/ebcdic.h"

#define RECORD_BYTES 4096u
#define FIR_RECORD 3u
#define FIR_RECORDS_MIN 5u
#define MAP_FRAMES                                                                             \
    4096u /* that a record of the map tells of; as many an index record has records */

/* Symptom record (ADSR). */
#define ADSR_TOD 16
#define ADSR_SYSTEM 34
#define ADSR_PRODUCT 42
#define ADSR_TYPE 56
#define ADSR_ARCH 64
#define ADSR_TEXT_LENGTH 80
#define ADSR_TEXT_OFFSET 82
#define ADSR_TEXT 128

/* CPUs (FIR): the base CPU, behind it the others. */
#define FIR_BYTES 1104u
#define FIR_FORMAT 187
#define FIR_BIG 0x02
#define FIR_OTHER_BYTES 552u

struct layout {
    u32 access, space;  /* record numbers */
    u64 maps, pages_at; /* offsets of the file */
};

static void text_put(const char *text, size_t len, u8 *out)
{
    ebcdic_pad(text, len, out);
}

static bool put_adsr(struct vm_dumping *d)
{
    u8 r[RECORD_BYTES] = {0};
    size_t len = strlen(d->text);
    text_put("SR", 2, r);
    be64_store(r + ADSR_TOD, d->tod);
    text_put(d->still.vm->host->config.system, 8, r + ADSR_SYSTEM);
    text_put("CP", 4, r + ADSR_PRODUCT);
    text_put("VMDUMP", 8, r + ADSR_TYPE);
    text_put("10", 2, r + ADSR_ARCH);
    be16_store(r + ADSR_TEXT_LENGTH, (u16)len);
    be16_store(r + ADSR_TEXT_OFFSET, ADSR_TEXT);
    text_put(d->text, len, r + ADSR_TEXT);
    return vm_dump_put(d, r, sizeof r, 0);
}

static bool put_map_record(struct vm_dumping *d, const struct layout *l)
{
    u8 r[RECORD_BYTES] = {0};
    text_put("HCPDFMBK", 8, r);
    be32_store(r + 8, FIR_RECORD);
    be32_store(r + 16, l->access);
    be32_store(r + 20, 1); /* record of access lists */
    be32_store(r + 24, 1); /* address space */
    be32_store(r + 28, l->space);
    return vm_dump_put(d, r, sizeof r, RECORD_BYTES);
}

/* Status areas as the architecture has them, from X'1200' on. */
#define AREA_FPR 0
#define AREA_GR 128
#define AREA_PSW 256
#define AREA_PREFIX 280
#define AREA_FPC 284
#define AREA_TODPR 292
#define AREA_TIMER 296
#define AREA_CKC 304 /* a byte of zeros in front */
#define AREA_AR 320
#define AREA_CR 384

static const struct piece {
    u16 from, to, len;
} base_pieces[] = {{AREA_GR, 16, 128},  {AREA_PREFIX, 144, 4}, {AREA_TIMER, 169, 8},
                   {AREA_PSW, 192, 16}, {AREA_CR, 208, 128},   {AREA_FPR, 336, 128},
                   {AREA_CKC, 464, 8},  {AREA_TODPR, 476, 4},  {AREA_AR, 560, 64},
                   {AREA_FPC, 968, 4}},
  other_pieces[] = {{AREA_FPR, 16, 128},   {AREA_GR, 144, 128}, {AREA_PSW, 272, 16},
                    {AREA_PREFIX, 296, 4}, {AREA_FPC, 300, 4},  {AREA_TIMER, 312, 8},
                    {AREA_CKC, 319, 8},    {AREA_AR, 336, 64},  {AREA_CR, 400, 128}};

static void pieces_put(const struct piece *p, size_t n, const u8 *area, u8 *out)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + p[i].to, area + p[i].from, p[i].len);
}

static bool put_base(struct vm_dumping *d, u64 at)
{
    u8 r[FIR_BYTES] = {0};
    text_put("HCPDFIR", 8, r);
    r[15] = 1; /* big */
    pieces_put(base_pieces, ARRAY_LEN(base_pieces), d->status[0].area, r);
    be64_store(r + 153, d->tod);
    r[FIR_FORMAT] = FIR_BIG;
    u64 size = d->still.vm->st->size;
    be32_store(r + 624, size < 1ull << 31 ? (u32)size : 1u << 31);
    be64_store(r + 640, size);
    be16_store(r + 912, (u16)(d->statuses - 1));
    be16_store(r + 914, d->status[0].cpu);
    return vm_dump_put(d, r, sizeof r, at);
}

static bool put_cpus(struct vm_dumping *d)
{
    u64 at = (FIR_RECORD - 1) * RECORD_BYTES;
    if (!put_base(d, at))
        return false;
    at += FIR_BYTES;
    for (unsigned i = 1; i < d->statuses; i++, at += FIR_OTHER_BYTES) {
        u8 r[FIR_OTHER_BYTES] = {0};
        be16_store(r, d->status[i].cpu);
        pieces_put(other_pieces, ARRAY_LEN(other_pieces), d->status[i].area, r);
        if (!vm_dump_put(d, r, sizeof r, at))
            return false;
    }
    return true;
}

static bool put_space(struct vm_dumping *d, const struct layout *l)
{
    u8 r[RECORD_BYTES] = {0};
    text_put("HCPDALBK", 8, r);
    if (!vm_dump_put(d, r, sizeof r, (u64)(l->access - 1) * RECORD_BYTES))
        return false;
    memset(r, 0, sizeof r);
    char space[34];
    snprintf(space, sizeof space, "%s:BASE", d->still.vm->config.name);
    text_put("HCPASIBK", 8, r);
    text_put(space, 33, r + 16);
    be64_store(r + 64, d->bytes);
    be64_store(r + 72, d->bytes);
    be64_store(r + 216 + 8, d->still.vm->st->size - 1); /* one range */
    for (unsigned i = 0; i < d->what.ranges; i++) {
        be64_store(r + 288 + 16 * (size_t)i, d->what.range[i].first);
        be64_store(r + 296 + 16 * (size_t)i, d->what.range[i].last);
    }
    be32_store(r + 360, (u32)(l->maps / RECORD_BYTES) + 1);
    return vm_dump_put(d, r, sizeof r, (u64)(l->space - 1) * RECORD_BYTES);
}

/* ---- maps, then pages ---- */

/* A record of the map, of the frames from `first` on; false: none of them is there. */
static bool map_make(const struct vm_dumping *d, u64 first, u8 *map)
{
    u64 frames = d->bytes >> FRAME_SHIFT;
    bool any = false;
    memset(map, 0, RECORD_BYTES);
    for (u64 i = 0; i < MAP_FRAMES && first + i < frames; i++) {
        if (!vm_dump_has(d, first + i))
            continue;
        map[i] = (storage_key_get(d->still.vm->st, (first + i) << FRAME_SHIFT) & 0xfe) | 1;
        any = true;
    }
    return any;
}

/* An index record has a bit for each of its map records that is there, which follow it. */
static bool put_maps(struct vm_dumping *d, struct layout *l)
{
    u64 frames = d->bytes >> FRAME_SHIFT, at = l->maps;
    for (u64 first = 0; first < frames; first += (u64)MAP_FRAMES * MAP_FRAMES) {
        u8 index[RECORD_BYTES] = {0}, map[RECORD_BYTES];
        u64 index_at = at;
        at += RECORD_BYTES;
        for (u64 i = 0; i < MAP_FRAMES && first + i * MAP_FRAMES < frames; i++) {
            if (d->still.stop)
                return false;
            if (!map_make(d, first + i * MAP_FRAMES, map))
                continue;
            index[i / 8] |= (u8)(0x80 >> i % 8);
            if (!vm_dump_put(d, map, sizeof map, at))
                return false;
            at += RECORD_BYTES;
        }
        if (!vm_dump_put(d, index, sizeof index, index_at))
            return false;
    }
    l->pages_at = at;
    return true;
}

/* The pages of one record of the map. */
static bool put_pages(struct vm_dumping *d, u64 first, u64 map_at, u64 *at)
{
    u8 map[RECORD_BYTES];
    if (pread(d->fd, map, sizeof map, (off_t)map_at) != (ssize_t)sizeof map)
        return false;
    for (u64 i = 0; i < MAP_FRAMES; i++) {
        if (!(map[i] & 1))
            continue;
        const u8 *page = d->still.vm->st->base + ((first + i) << FRAME_SHIFT);
        if (*at >= d->what.bytes_max) {
            errno = EFBIG;
            return false;
        }
        if (d->still.stop || !vm_dump_put(d, page, RECORD_BYTES, *at))
            return false;
        *at += RECORD_BYTES;
    }
    return true;
}

static bool put_all_pages(struct vm_dumping *d, const struct layout *l)
{
    u64 frames = d->bytes >> FRAME_SHIFT, at = l->pages_at, map_at = l->maps;
    for (u64 first = 0; first < frames; first += (u64)MAP_FRAMES * MAP_FRAMES) {
        u8 index[RECORD_BYTES];
        if (pread(d->fd, index, sizeof index, (off_t)map_at) != (ssize_t)sizeof index)
            return false;
        map_at += RECORD_BYTES;
        for (u64 i = 0; i < MAP_FRAMES; i++) {
            if (!(index[i / 8] & 0x80 >> i % 8))
                continue;
            if (!put_pages(d, first + i * MAP_FRAMES, map_at, &at))
                return false;
            map_at += RECORD_BYTES;
        }
    }
    return true;
}

bool vm_dump_spool_write(struct vm_dumping *d)
{
    u32 cpus = FIR_BYTES + (d->statuses - 1) * FIR_OTHER_BYTES;
    u32 firs = (cpus + RECORD_BYTES - 1) / RECORD_BYTES;
    struct layout l = {.access =
                           FIR_RECORD + (firs > FIR_RECORDS_MIN ? firs : FIR_RECORDS_MIN)};
    l.space = l.access + 1;
    l.maps = (u64)l.space * RECORD_BYTES;
    return put_adsr(d) && put_map_record(d, &l) && put_cpus(d) && put_space(d, &l) &&
           put_maps(d, &l) && put_all_pages(d, &l) && fdatasync(d->fd) == 0;
}
