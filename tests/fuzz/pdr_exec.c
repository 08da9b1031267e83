/* libFuzzer's entry to the bytes of a PDR. The first byte of an input says which: the record in a
 * file and its reader (pdr_record_exec.c), the disk without locks, as an NBD export is, and the
 * leases of three lives on it (pdr_lease_exec.c), or two members of the simulator that use the
 * record meanwhile (pdr_members_exec.c). Then come operations, of which each begins with a byte.
 * Right checksums are put on what is changed, or not. `make fuzz-pdr`. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "tests/fuzz/pdr_exec.h"

#include <stdlib.h>
#include <zlib.h>

#include "mem/base/ergo.h"
#include "mem/base/large.h"
#include "tests/fuzz/budget.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define PAGE_BYTES 4096u
#define MEMBERS_OF 16u /* one value of so many: that takes long */

u8 pdr_take(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

u16 pdr_take16(struct input *in)
{
    u8 high = pdr_take(in);
    return (u16)(high << 8 | pdr_take(in));
}

void medium_begin(struct medium *m, size_t size)
{
    size_t pages = (size + PAGE_BYTES - 1) / PAGE_BYTES;
    if (!m->bytes) {
        m->bytes = large_map_sparse(size);
        m->is_dirty = calloc(pages, 1);
        m->dirty = calloc(pages, sizeof *m->dirty);
        m->size = size;
        POST(m->bytes && m->is_dirty && m->dirty);
    }
    for (u32 i = 0; i < m->n_dirty; i++) {
        u64 at = (u64)m->dirty[i] * PAGE_BYTES;
        memset(m->bytes + at, 0, size - at < PAGE_BYTES ? size - at : PAGE_BYTES);
        m->is_dirty[m->dirty[i]] = 0;
    }
    m->n_dirty = 0;
}

static void medium_dirty(struct medium *m, u64 at, size_t len)
{
    PRE(at + len <= m->size && len);
    for (u64 page = at / PAGE_BYTES; page <= (at + len - 1) / PAGE_BYTES; page++) {
        if (!m->is_dirty[page])
            m->dirty[m->n_dirty++] = (u32)page;
        m->is_dirty[page] = 1;
    }
}

void medium_write(struct medium *m, u64 at, const void *data, size_t len)
{
    medium_dirty(m, at, len);
    memmove(m->bytes + at, data, len);
}

void pdr_spoil(u8 *bytes, u64 area, size_t size, bool set, size_t keep, struct input *in,
               struct spoiled *done)
{
    struct spoiled s;
    size_t offset = pdr_take16(in) % size;
    s.len = pdr_take(in);
    s.len = size - offset < s.len ? (u8)(size - offset) : s.len;
    s.at = area + offset;
    memcpy(s.before, bytes + s.at, s.len);
    for (unsigned i = 0; i < s.len; i++) {
        u8 byte = pdr_take(in) ^ (set ? 0 : s.before[i]);
        if (offset + i < keep || offset + i >= keep + 4)
            bytes[s.at + i] = byte;
    }
    memcpy(s.after, bytes + s.at, s.len);
    if (done)
        *done = s;
}

void pdr_heal(u8 *bytes, const struct spoiled *s)
{
    if (memcmp(bytes + s->at, s->after, s->len) == 0)
        memcpy(bytes + s->at, s->before, s->len);
}

u64 pdr_area_at(enum pdr_area area, unsigned which, size_t *size)
{
    *size = PDR_HEADER_BYTES;
    switch (area) {
    case AREA_HEADER: return PDR_HEADER_AT(which & 1);
    case AREA_BLOCK: return PDR_BLOCK_AT(which);
    case AREA_CLAIMS: return PDR_CLAIMS_AT(which & 1);
    case AREA_BEAT: break;
    }
    *size = PDR_BEAT_BYTES;
    return (u64)which % SSI_SLOTS_MAX * PDR_BEAT_BYTES;
}

size_t pdr_area_crc(enum pdr_area area)
{
    static const size_t at[] = {PDR_HEADER_BYTES - 4, 60, KEEP_NOTHING, 24};
    return at[area];
}

static u32 crc_of(const u8 *p, size_t len, u32 before)
{
    return (u32)crc32(before, p, (uInt)len);
}

/* Where the checksums are: ssi_pdr.c. */
static void header_seal(u8 *header)
{
    be32_store(header + PDR_HEADER_BYTES - 4, crc_of(header, PDR_HEADER_BYTES - 4, 0));
}

static void block_seal(u8 *block)
{
    size_t rows = (size_t)__builtin_popcount(block[40]) * PDR_ROW_BYTES;
    size_t used = rows + (size_t)block[41] * PDR_CLAIM_BYTES;
    if (64 + used <= PDR_BLOCK_BYTES)
        be32_store(block + 60, crc_of(block + 64, used, crc_of(block, 60, 0)));
}

void pdr_area_seal(u8 *file, enum pdr_area area, unsigned which)
{
    size_t size;
    u8 *p = file + pdr_area_at(area, which, &size), *header = file + PDR_HEADER_AT(which & 1);
    switch (area) {
    case AREA_HEADER: header_seal(p); break;
    case AREA_BLOCK: block_seal(p); break;
    case AREA_CLAIMS:
        if (be32_load(header + 40) <= SSI_CLAIMS_MAX)
            be32_store(header + 44,
                       crc_of(p, (size_t)be32_load(header + 40) * PDR_CLAIM_BYTES, 0));
        header_seal(header);
        break;
    case AREA_BEAT: be32_store(p + 24, crc_of(p, 24, 0)); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};
    u8 kind = pdr_take(&in) % MEMBERS_OF;
    if (!kind)
        pdr_members_exec(&in);
    else if (kind & 1)
        pdr_record_exec(&in);
    else
        pdr_lease_exec(&in);
    budget_count();
    return 0;
}
