/* libFuzzer's entry to the readers of disk images: a file of any bytes is refused or can be
 * used. What is written into one that opens is there when it is opened again, and no new fault
 * is. `make fuzz`. */
#include "io/image/image.h"
#include "io/image/vtoc.h"
#include "mem/base/ergo.h"
#include "tests/fuzz/budget.h"
#include "tests/fuzz/file.h"

#define TRACKS_MAX 64u /* larger disks are looked at in part */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u8 track[IMAGE_TRACK_BYTES_MAX], again[IMAGE_TRACK_BYTES_MAX];

static void visit(void *arg, const struct vtoc_dataset *d)
{
    (void)arg;
    POST(strlen(d->name) < VTOC_NAME_BYTES && d->extents <= VTOC_EXTENTS_MAX);
}

static void fault(void *arg, u32 number, const char *text)
{
    (void)number;
    POST(text[0]);
    ++*(unsigned *)arg;
}

static unsigned faults(const char *path)
{
    struct image_check found = {0};
    struct cause cause = {0};
    unsigned told = 0;
    if (image_check(path, fault, &told, &found, &cause) != ST_OK)
        return 0;
    POST(told == found.faults);
    return told;
}

/* Tracks that can be read are written back, the last one as track 0. */
static u32 use_tracks(struct image *img, u32 tracks)
{
    struct cause cause = {0};
    u32 len = 0, good = 0;
    char volume[VTOC_VOLUME_BYTES];
    vtoc_volume(img, volume, &cause);
    vtoc_each(img, visit, NULL, &cause);
    for (u32 t = 0; t < tracks && t < TRACKS_MAX; t++) {
        if (image_read_track(img, t, track, &len, &cause) != ST_OK)
            continue;
        POST(len > 0 && len <= IMAGE_TRACK_BYTES_MAX);
        if (image_write_track(img, t, track, len, &cause) == ST_OK)
            good = len;
    }
    return good;
}

static void use_blocks(struct image *img, u64 blocks)
{
    struct cause cause = {0};
    u8 block[IMAGE_BLOCK_BYTES];
    POST(image_read_blocks(img, blocks - 1, 1, block, &cause) == ST_OK);
    POST(image_write_blocks(img, 0, 1, block, &cause) == ST_OK);
    POST(image_read_blocks(img, blocks, 1, block, &cause) != ST_OK);
}

/* What is refused for writing alone: its blocks can be read, or are told of as damaged. */
static void use_read_only(const char *path)
{
    struct image *img;
    struct cause cause = {0};
    u8 block[IMAGE_BLOCK_BYTES];
    if (image_open(path, IMAGE_READ_ONLY, &img, &cause) != ST_OK)
        return;
    u64 blocks = image_geometry(img)->blocks;
    for (u64 b = 0; b < blocks && b < TRACKS_MAX * 120; b += 97)
        POST(image_read_blocks(img, b, 1, block, &cause) == ST_OK || cause.text[0]);
    POST(!blocks || image_write_blocks(img, 0, 1, block, &cause) == ST_PERM);
    image_unref(img);
}

static void use(const char *path)
{
    struct image *img;
    struct cause cause = {0};
    if (image_open(path, 0, &img, &cause) != ST_OK) {
        POST(cause.text[0]);
        use_read_only(path);
        return;
    }
    struct image_geometry g = *image_geometry(img);
    bool whole = g.tracks && g.tracks <= TRACKS_MAX;
    image_unref(img);
    unsigned before = whole ? faults(path) : 0;
    POST(image_open(path, 0, &img, &cause) == ST_OK);
    u32 len = g.tracks ? use_tracks(img, g.tracks) : 0;
    if (g.blocks)
        use_blocks(img, g.blocks);
    bool wrote = len && image_read_track(img, 0, track, &len, &cause) == ST_OK &&
                 image_write_track(img, 0, track, len, &cause) == ST_OK;
    image_unref(img);
    if (wrote) {
        u32 len2 = 0;
        POST(image_open(path, IMAGE_READ_ONLY, &img, &cause) == ST_OK);
        POST(image_read_track(img, 0, again, &len2, &cause) == ST_OK);
        POST(len2 == len && memcmp(again, track, len) == 0);
        image_unref(img);
    }
    POST(!whole || faults(path) <= before);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    use(fuzz_file(data, size));
    budget_count();
    return 0;
}
