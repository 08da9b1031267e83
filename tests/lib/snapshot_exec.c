/* Snapshot files of any contents under right checksums, read and restored. */
#include "tests/lib/snapshot_exec.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyp/snapshot/snapshot_file.h"
#include "hyp/snapshot/snapshot_hash.h"
#include "mem/base/ergo.h"

#define STORAGE_MAX (64ull << 20)

/* Checksums of the chunks that a row tells of, as far as their bytes are there. */
static void chunks_seal(u8 *row, size_t len, const u8 *data, size_t data_len)
{
    size_t at = 0;
    for (; len >= SNAPSHOT_CHUNK_ROW_BYTES; len -= SNAPSHOT_CHUNK_ROW_BYTES) {
        u32 bytes = be32_load(row + 4);
        if (bytes > data_len - at)
            return;
        be64_store(row + 12, snapshot_hash_of(data + at, bytes));
        at += bytes;
        row += SNAPSHOT_CHUNK_ROW_BYTES;
    }
}

u8 *snapshot_sealed(const u8 *head, size_t head_len, const u8 *data, size_t data_len,
                    size_t *len)
{
    struct codec_in in;
    struct codec_row row;
    *len = SNAPSHOT_PROLOGUE_BYTES + data_len + head_len;
    u8 *p = calloc(1, *len), *h = p + SNAPSHOT_PROLOGUE_BYTES + data_len;
    POST(p != NULL);
    if (data_len)
        memcpy(p + SNAPSHOT_PROLOGUE_BYTES, data, data_len);
    if (head_len)
        memcpy(h, head, head_len);
    codec_in_init(&in, h, head_len);
    while (codec_next(&in, &row))
        if (row.tag == SNAPSHOT_ROW_CHUNKS)
            chunks_seal((u8 *)row.p, row.len, data, data_len);
    memcpy(p + SNAPSHOT_AT_MAGIC, SNAPSHOT_MAGIC, 8);
    be32_store(p + SNAPSHOT_AT_VERSION, SNAPSHOT_VERSION);
    be32_store(p + SNAPSHOT_AT_PROLOGUE, SNAPSHOT_PROLOGUE_BYTES);
    be64_store(p + SNAPSHOT_AT_FILE, *len);
    be64_store(p + SNAPSHOT_AT_HEAD, SNAPSHOT_PROLOGUE_BYTES + data_len);
    be64_store(p + SNAPSHOT_AT_HEAD_BYTES, head_len);
    be64_store(p + SNAPSHOT_AT_HEAD_HASH, snapshot_hash_of(h, head_len));
    be64_store(p + SNAPSHOT_AT_HASH, snapshot_hash_of(p, SNAPSHOT_AT_HASH));
    return p;
}

static unsigned told;

static void lost(void *ctx, const struct cause *cause)
{
    (void)ctx;
    POST(cause->text[0]);
    told++;
}

/* Into storage, if that is small. */
static void restore(struct snapshot *s)
{
    const struct snapshot_feed to = {.lost = lost};
    struct storage *st;
    u64 size = snapshot_info(s)->storage_bytes;
    if (size > STORAGE_MAX) {
        snapshot_close(s);
        return;
    }
    POST(storage_create(&st, size, NULL) == ST_OK);
    POST(snapshot_feed(s, st, &to, NULL) == ST_OK);
    told = 0;
    bool whole = storage_source_all(st);
    POST(whole == (told == 0));
    POST(storage_source_state(st) == (whole ? STORAGE_WHOLE : STORAGE_LOST));
    storage_destroy(st);
}

static void file_write(const char *path, const u8 *p, size_t len)
{
    FILE *file = fopen(path, "we");
    POST(file && fwrite(p, 1, len, file) == len && fclose(file) == 0);
}

bool snapshot_exec(const u8 *input, size_t size, const char *path)
{
    struct snapshot *s;
    struct cause cause = {0};
    size_t len, head = size < 2 ? 0 : be16_load(input);
    if (size < 2)
        return false;
    input += 2;
    size -= 2;
    head = head < size ? head : size;
    u8 *p = snapshot_sealed(input, head, input + head, size - head, &len);
    file_write(path, p, len);
    free(p);
    if (snapshot_open(path, &s, &cause)) {
        POST(strstr(cause.text, path) != NULL);
        return false;
    }
    snapshot_verify(s, &cause);
    restore(s);
    return true;
}
