/* Records of a spool file in pages. What comes from a file or another member is checked
 * once, in spool_data_load; after that every length in a page is good. */
#include "io/unitrec/spool_data.h"

#include <stdlib.h>

#define PAGE_RECORDS 12
#define PAGE_FIRST 16
#define PAGE_LIMIT 4064
#define RECORD_HEAD_BYTES 12
#define CCW_BYTES 8
#define CCW_FLAGS 4
#define CCW_COUNT 6
#define RECORD_LENGTH 10
#define FLAG_CHAINED 0x60 /* CC, SLI */
#define FLAG_SKIP 0x10    /* a command without data */
#define BLANK 0x40

void spool_data_init(struct spool_data *data)
{
    *data = (struct spool_data){.record_bytes = CARD_BYTES};
}

void spool_data_fini(struct spool_data *data)
{
    free(data->page);
    spool_data_init(data);
}

size_t spool_data_bytes(const struct spool_data *data)
{
    return data->pages ? (size_t)(data->pages - 1) * SPOOL_PAGE_BYTES + data->at : 0;
}

static bool page_add(struct spool_data *data)
{
    size_t end = (size_t)data->pages * SPOOL_PAGE_BYTES;
    if (end + SPOOL_PAGE_BYTES > SPOOL_DATA_BYTES_MAX)
        return false;
    if (data->pages == data->room) {
        u32 room = data->room ? 2 * data->room : 1;
        u8 *page = realloc(data->page, (size_t)room * SPOOL_PAGE_BYTES);
        if (!page)
            return false;
        data->page = page;
        data->room = room;
    }
    memset(data->page + end, 0, SPOOL_PAGE_BYTES);
    data->pages++;
    data->at = PAGE_FIRST;
    return true;
}

static u8 *page_at(const struct spool_data *data, u32 page)
{
    return data->page + (size_t)page * SPOOL_PAGE_BYTES;
}

/* Where a record of `bytes` goes, which is counted; NULL: nowhere. */
static u8 *record_place(struct spool_data *data, u32 bytes)
{
    if ((!data->pages || data->at + bytes > PAGE_LIMIT) && !page_add(data))
        return NULL;
    u8 *page = page_at(data, data->pages - 1);
    u8 *p = page + data->at;
    data->at += bytes;
    data->records++;
    be32_store(page + PAGE_RECORDS, be32_load(page + PAGE_RECORDS) + 1);
    return p;
}

bool spool_data_add(struct spool_data *data, u8 command, const u8 *bytes, size_t len)
{
    bool immediate = (command & 3) == 3;
    if (len > SPOOL_RECORD_BYTES_MAX)
        return false;
    if (!immediate && len > data->record_bytes)
        data->record_bytes = (u16)len;
    while (len > 1 && bytes[len - 1] == BLANK)
        len--;
    u32 count = len ? (u32)len : 1;
    u8 *p = record_place(data, immediate ? CCW_BYTES : (RECORD_HEAD_BYTES + count + 7) & ~7u);
    if (!p)
        return false;
    p[0] = command;
    p[CCW_FLAGS] = immediate ? FLAG_CHAINED | FLAG_SKIP : FLAG_CHAINED;
    be16_store(p + CCW_COUNT, (u16)count);
    if (immediate)
        return true;
    be16_store(p + RECORD_LENGTH, (u16)((RECORD_HEAD_BYTES + count + 7) & ~7u));
    p[RECORD_HEAD_BYTES] = BLANK;
    memcpy(p + RECORD_HEAD_BYTES, bytes, len);
    return true;
}

void spool_data_take_back(struct spool_data *data, const struct spool_data *before)
{
    u8 *pages = data->page;
    u32 room = data->room;
    if (before->pages && data->pages == before->pages) {
        u8 *page = page_at(data, data->pages - 1);
        memset(page + before->at, 0, data->at - before->at);
        be32_store(page + PAGE_RECORDS, be32_load(page + PAGE_RECORDS) - 1);
    }
    *data = *before;
    data->page = pages;
    data->room = room;
}

bool spool_data_add_cards(struct spool_data *data, const void *bytes, size_t len)
{
    const u8 *p = bytes;
    u8 card[CARD_BYTES];
    for (size_t n; len; p += n, len -= n) {
        n = len < CARD_BYTES ? len : CARD_BYTES;
        memset(card, 0, sizeof card);
        memcpy(card, p, n);
        if (!spool_data_add(data, 0x41, card, sizeof card))
            return false;
    }
    return true;
}

/* Length of the record at p, `room` bytes before the end of the page; 0: it cannot be one. */
static u32 record_bytes(const u8 *p, u32 room)
{
    if (room < CCW_BYTES)
        return 0;
    if (p[CCW_FLAGS] & FLAG_SKIP)
        return CCW_BYTES;
    if (room < RECORD_HEAD_BYTES)
        return 0;
    u32 count = be16_load(p + CCW_COUNT), bytes = be16_load(p + RECORD_LENGTH);
    bool good = count && count <= SPOOL_RECORD_BYTES_MAX &&
                bytes == ((RECORD_HEAD_BYTES + count + 7) & ~7u) && bytes <= room;
    return good ? bytes : 0;
}

/* Walk a page: *end is where its records end. */
static bool page_check(const u8 *page, u16 *longest, u32 *end)
{
    u32 at = PAGE_FIRST, records = be32_load(page + PAGE_RECORDS);
    if (!records)
        return false;
    for (u32 i = 0; i < records; i++) {
        u32 bytes = record_bytes(page + at, PAGE_LIMIT - at);
        u16 count = be16_load(page + at + CCW_COUNT);
        if (!bytes)
            return false;
        if (bytes > CCW_BYTES && count > *longest)
            *longest = count;
        at += bytes;
    }
    *end = at;
    return true;
}

static bool dump_load(struct spool_data *data, size_t len)
{
    if (len % SPOOL_PAGE_BYTES) {
        spool_data_fini(data);
        return false;
    }
    data->dump = true;
    data->records = data->pages;
    data->record_bytes = data->at = SPOOL_PAGE_BYTES;
    return true;
}

bool spool_data_load(struct spool_data *data, const void *pages, size_t len)
{
    spool_data_init(data);
    if (!len || len > SPOOL_DATA_BYTES_MAX)
        return false;
    data->pages = data->room = (u32)((len + SPOOL_PAGE_BYTES - 1) / SPOOL_PAGE_BYTES);
    data->page = calloc(data->pages, SPOOL_PAGE_BYTES);
    if (!data->page) {
        spool_data_init(data);
        return false;
    }
    memcpy(data->page, pages, len);
    if (be32_load(data->page))
        return dump_load(data, len);
    for (u32 i = 0; i < data->pages; i++) {
        data->at = PAGE_FIRST;
        if (!page_check(page_at(data, i), &data->record_bytes, &data->at)) {
            spool_data_fini(data);
            return false;
        }
        data->records += be32_load(page_at(data, i) + PAGE_RECORDS);
    }
    if (len >= spool_data_bytes(data))
        return true;
    spool_data_fini(data);
    return false;
}

bool spool_data_next(const struct spool_data *data, struct spool_place *place,
                     struct spool_record *out)
{
    if (place->page >= data->pages || data->dump)
        return false;
    const u8 *page = page_at(data, place->page);
    const u8 *p = page + (place->index ? place->at : PAGE_FIRST);
    u32 at = (u32)(p - page), bytes = record_bytes(p, PAGE_LIMIT - at);
    bool immediate = p[CCW_FLAGS] & FLAG_SKIP;
    *out = (struct spool_record){.command = p[0],
                                 .immediate = immediate,
                                 .bytes = immediate ? p : p + RECORD_HEAD_BYTES,
                                 .len = immediate ? 0 : be16_load(p + CCW_COUNT)};
    place->record++;
    place->at = at + bytes;
    if (++place->index == be32_load(page + PAGE_RECORDS)) {
        place->page++;
        place->index = 0;
    }
    return true;
}

void spool_data_seek(const struct spool_data *data, struct spool_place *place, u32 record)
{
    struct spool_record skipped;
    *place = (struct spool_place){0};
    while (place->page < data->pages && !data->dump) { /* whole pages first */
        u32 n = be32_load(page_at(data, place->page) + PAGE_RECORDS);
        if (place->record + n > record)
            break;
        place->record += n;
        place->page++;
    }
    while (place->record < record && spool_data_next(data, place, &skipped))
        ;
}
