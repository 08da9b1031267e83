/* Chunks of frames: the table of a MEMORY message, filled and checked. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_encode.h"
#include "mem/base/ergo.h"

void lgr_chunk_begin(struct lgr_chunk *c, u8 *buffer, unsigned pages_max)
{
    *c = (struct lgr_chunk){.table = buffer, .data = buffer + LGR_CHUNK_TABLE_BYTES};
    c->pages_max = pages_max < LGR_CHUNK_PAGES ? pages_max : LGR_CHUNK_PAGES;
}

bool lgr_chunk_full(const struct lgr_chunk *c)
{
    return c->pages >= c->pages_max || c->entries == LGR_CHUNK_ENTRIES;
}

u8 *lgr_chunk_room(const struct lgr_chunk *c)
{
    return c->data + c->bytes;
}

static u8 *entry_at(const struct lgr_chunk *c, unsigned i)
{
    return c->table + LGR_CHUNK_HEAD_BYTES + i * LGR_ENTRY_BYTES;
}

/* The last entry is a run of zeros that ends before this frame. */
static bool run_goes_on(const struct lgr_chunk *c, u64 frame)
{
    const u8 *last = c->entries ? entry_at(c, c->entries - 1) : NULL;
    return last && last[4] == LGR_ZERO && be16_load(last + 6) < LGR_RUN_MAX &&
           (u64)be32_load(last) + be16_load(last + 6) == frame;
}

void lgr_chunk_add(struct lgr_chunk *c, u64 frame, enum lgr_kind kind, unsigned len)
{
    if (kind == LGR_ZERO && run_goes_on(c, frame)) {
        u8 *last = entry_at(c, c->entries - 1);
        be16_store(last + 6, (u16)(be16_load(last + 6) + len));
        return;
    }
    PRE(!lgr_chunk_full(c) && len && frame <= 0xffffffffu);
    u8 *e = entry_at(c, c->entries++);
    be32_store(e, (u32)frame);
    e[4] = (u8)kind;
    e[5] = 0;
    be16_store(e + 6, (u16)len);
    if (kind == LGR_ZERO)
        return;
    c->pages++;
    c->bytes += len;
}

size_t lgr_chunk_end(struct lgr_chunk *c, u16 pass)
{
    be16_store(c->table + LGR_CHUNK_AT, pass);
    be16_store(c->table + LGR_CHUNK_AT + 2, (u16)c->entries);
    be32_store(c->table + LGR_CHUNK_AT + 4, c->bytes);
    return LGR_CHUNK_HEAD_BYTES + (size_t)c->entries * LGR_ENTRY_BYTES;
}

struct lgr_entry lgr_chunk_entry(const struct lgr_chunk_view *c, unsigned i)
{
    const u8 *e = c->table + (size_t)i * LGR_ENTRY_BYTES;
    return (struct lgr_entry){be32_load(e), (enum lgr_kind)e[4], be16_load(e + 6)};
}

static bool entry_good(const struct lgr_entry *e, u64 frames)
{
    switch (e->kind) {
    case LGR_RAW: return e->len == FRAME_BYTES && e->frame < frames;
    case LGR_ZERO: return e->len && e->frame < frames && e->len <= frames - e->frame;
    case LGR_DELTA:
    case LGR_SPARSE:
    case LGR_LZ4: return e->len && e->len < FRAME_BYTES && e->frame < frames;
    default: return false;
    }
}

bool lgr_chunk_check(const u8 *data, size_t len, u16 pass, u64 frames,
                     struct lgr_chunk_view *out)
{
    if (len < LGR_CHUNK_HEAD_BYTES || len > LGR_CHUNK_BYTES_MAX ||
        be16_load(data + LGR_CHUNK_AT) != pass)
        return false;
    unsigned entries = be16_load(data + LGR_CHUNK_AT + 2), pages = 0;
    u64 bytes = be32_load(data + LGR_CHUNK_AT + 4), sum = 0;
    u64 head = LGR_CHUNK_HEAD_BYTES + (u64)entries * LGR_ENTRY_BYTES;
    if (!entries || entries > LGR_CHUNK_ENTRIES || head > len || bytes != len - head)
        return false;
    *out = (struct lgr_chunk_view){data + LGR_CHUNK_HEAD_BYTES, data + head, entries};
    for (unsigned i = 0; i < entries; i++) {
        const struct lgr_entry e = lgr_chunk_entry(out, i);
        if (!entry_good(&e, frames) || out->table[i * LGR_ENTRY_BYTES + 5])
            return false;
        sum += e.kind == LGR_ZERO ? 0 : e.len;
        pages += e.kind != LGR_ZERO;
    }
    return sum == bytes && pages <= LGR_CHUNK_PAGES;
}
