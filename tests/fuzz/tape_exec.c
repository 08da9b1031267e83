/* libFuzzer's entry to the reader of tape volumes: a file of any bytes is refused or can be
 * walked, the same way forward and back, and written to at any place. `make fuzz`. */
#include "io/tape/tape_file.h"
#include "mem/base/ergo.h"
#include "tests/fuzz/budget.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u8 block[TAPE_BLOCK_BYTES_MAX];

/* To the end or to damage; the number of items passed. */
static u32 walk(struct tape_file *t)
{
    struct cause cause = {0};
    for (;;) {
        u32 len = 0, at = tape_file_block(t);
        enum tape_item item = tape_file_read(t, block, &len, &cause);
        POST(item != TAPE_DAMAGE || cause.text[0]);
        POST(len <= TAPE_BLOCK_BYTES_MAX);
        if (item == TAPE_EDGE)
            return at;
        if (item == TAPE_DAMAGE && tape_file_block(t) == at)
            return at; /* not only its compressed data */
    }
}

static void use(const char *path)
{
    struct tape_file *t;
    struct cause cause = {0};
    if (tape_file_open(path, TAPE_COMPRESS, &t, &cause) != ST_OK) {
        POST(cause.text[0]);
        return;
    }
    u32 items = walk(t), back = 0;
    enum tape_item item;
    while ((item = tape_file_back(t, &cause)) == TAPE_BLOCK || item == TAPE_MARK)
        back++;
    POST(item == TAPE_EDGE && back == items && tape_file_block(t) == 0);
    POST(tape_file_locate(t, items / 2, &cause) == TAPE_BLOCK);
    POST(tape_file_write(t, (const u8 *)"abc", 3, &cause) == ST_OK);
    POST(tape_file_mark(t, &cause) == ST_OK);
    tape_file_rewind(t);
    POST(walk(t) == items / 2 + 2);
    tape_file_close(t);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    use(fuzz_file(data, size));
    budget_count();
    return 0;
}
