/* Images: opening, references, the bounds that formats need not look at. */
#include "io/image/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/image/duplex.h"
#include "io/image/image_internal.h"
#include "mem/base/ergo.h"
#include "mem/base/log.h"

#define LAYER_PATH_BYTES 4096
#define CHECK_BLOCKS 120u /* read at once: a group of a compressed FBA image */

static int format_open(struct image *img, struct cause *cause)
{
    u8 head[DEVHDR_BYTES] = {0};
    u64 size = img->file[0].size;
    if (size < sizeof head)
        return cause_set(cause, ST_PROTO, "%s: %llu bytes are no disk image", img->path,
                         (unsigned long long)size);
    int rc = image_pread(img, 0, 0, head, sizeof head, cause);
    if (rc)
        return rc;
    if (memcmp(head, "CKD_P370", DEVID_BYTES) == 0 && !img->below)
        return ckd_open(img, head, cause);
    if (memcmp(head, "CKD_C370", DEVID_BYTES) == 0 ||
        memcmp(head, "CKD_S370", DEVID_BYTES) == 0)
        return cckd_open(img, head, cause);
    if (img->below)
        return cause_set(cause, ST_PROTO, "%s: not a shadow file", img->path);
    if (memcmp(head, "FBA_C370", DEVID_BYTES) == 0)
        return cfba_open(img, cause);
    if (memcmp(head + 4, "C064", 4) == 0 || memcmp(head + 4, "S064", 4) == 0)
        return cause_set(cause, ST_PROTO,
                         "%s: a 64-bit CCKD image (%.8s): its tables are of another format, "
                         "which is not read",
                         img->path, (const char *)head);
    if (memcmp(head, "CKD_", 4) == 0 || memcmp(head, "FBA_", 4) == 0)
        return cause_set(cause, ST_PROTO, "%s: %.8s images are not supported", img->path,
                         (const char *)head);
    return ckd_raw_probe(img, head) ? ckd_raw_open(img, cause) : fba_raw_open(img, cause);
}

void image_free(struct image *img)
{
    image_files_close(img);
    image_unref(img->below);
    lock_fini(&img->lock);
    lock_fini(&img->flush);
    pthread_cond_destroy(&img->wake);
    free(img->format);
    free(img->path);
    free(img);
}

struct image *image_alloc(const char *path, unsigned flags)
{
    struct image *img = calloc(1, sizeof *img);
    if (!img)
        return NULL;
    img->path = strdup(path);
    img->flags = flags;
    atomic_init(&img->refs, 1);
    lock_init(&img->lock, LOCK_IMAGE);
    lock_init(&img->flush, LOCK_FLUSH);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&img->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (img->path)
        return img;
    free(img);
    return NULL;
}

/** `below` is taken over, also when this fails. */
static int open_layer(const char *path, unsigned flags, struct image *below, image_fault *fault,
                      void *arg, struct image **out, struct cause *cause)
{
    struct image *img = image_alloc(path, flags);
    if (!img) {
        image_unref(below);
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    }
    img->below = below;
    img->fault = fault;
    img->fault_arg = arg;
    int rc = image_file_open(img, path, cause);
    if (rc == ST_OK)
        rc = format_open(img, cause);
    if (rc) {
        image_free(img);
        return rc;
    }
    *out = img;
    return ST_OK;
}

/** Of the layer behind which `next` comes (",shadow=...", or nothing). */
static unsigned layer_flags(unsigned flags, const char *next)
{
    if (!next)
        return flags & ~IMAGE_MERGE;
    bool last_below = !strstr(next + 1, IMAGE_LAYER_MARK);
    return IMAGE_UNDER | (flags & IMAGE_MERGE && last_below ? 0 : IMAGE_READ_ONLY);
}

static int open_with(const char *path, unsigned flags, image_fault *fault, void *arg,
                     struct image **out, struct cause *cause)
{
    char part[LAYER_PATH_BYTES];
    struct image *img = NULL;
    for (;;) {
        const char *next = strstr(path, IMAGE_LAYER_MARK);
        size_t len = next ? (size_t)(next - path) : strlen(path);
        if (len >= sizeof part) {
            image_unref(img);
            return cause_set(cause, ST_INVAL, "%.40s...: a name that long", path);
        }
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        int rc = open_layer(part, layer_flags(flags, next), img, fault, arg, &img, cause);
        if (rc || !next) {
            *out = img;
            return rc;
        }
        path = next + sizeof IMAGE_LAYER_MARK - 1;
    }
}

int image_open(const char *path, unsigned flags, struct image **out, struct cause *cause)
{
    if (strstr(path, IMAGE_MIRROR_MARK))
        return duplex_open(path, flags, out, cause);
    int rc = open_with(path, flags, NULL, NULL, out, cause);
    if (rc || flags & (IMAGE_READ_ONLY | IMAGE_HALF))
        return rc;
    rc = duplex_used_alone(path, cause);
    if (rc)
        image_unref(*out);
    return rc;
}

struct image *image_ref(struct image *img)
{
    atomic_fetch_add(&img->refs, 1);
    return img;
}

bool image_unref(struct image *img)
{
    struct cause cause = {0};
    if (!img || atomic_fetch_sub(&img->refs, 1) != 1)
        return true;
    int rc = ST_OK;
    image_keeper_stop(img);
    image_lock(img);
    if (img->ops->close)
        rc = img->ops->close(img, &cause);
    if (rc == ST_OK)
        rc = image_sync_locked(img, &cause);
    image_unlock(img);
    if (rc)
        log_line("closing a disk image: %s", cause.text);
    image_free(img);
    return rc == ST_OK;
}

const char *image_path(const struct image *img)
{
    return img->path;
}

enum image_format image_format(const struct image *img)
{
    return img->ops->format;
}

const char *image_format_name(enum image_format format)
{
    static const char *const names[] = {
        [IMAGE_CKD] = "ckd",         [IMAGE_CCKD] = "cckd", [IMAGE_CKD_RAW] = "ckd-raw",
        [IMAGE_FBA_RAW] = "fba-raw", [IMAGE_CFBA] = "cfba", [IMAGE_DUPLEX] = "duplex",
    };
    return names[format];
}

bool image_read_only(const struct image *img)
{
    return img->flags & IMAGE_READ_ONLY;
}

const struct image_geometry *image_geometry(const struct image *img)
{
    return &img->geometry;
}

void image_figures(struct image *img, struct image_figures *out)
{
    *out = (struct image_figures){0};
    image_lock(img);
    for (u32 i = 0; i < img->files; i++)
        out->file_bytes += img->file[i].size;
    out->used_bytes = out->file_bytes;
    if (img->ops->figures)
        img->ops->figures(img, out);
    image_unlock(img);
}

int image_read_track(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause)
{
    if (!img->ops->read || track >= img->geometry.tracks)
        return cause_set(cause, ST_INVAL, "%s: has no track %u", img->path, track);
    image_move_begin(img);
    int rc = img->ops->read(img, track, buf, len, cause);
    image_move_end(img, false);
    return rc;
}

static int writable(const struct image *img, struct cause *cause)
{
    return image_read_only(img) ? cause_set(cause, ST_PERM, "%s: read-only", img->path)
                                : image_lost(img, cause);
}

int image_write_track(struct image *img, u32 track, const u8 *buf, u32 len, struct cause *cause)
{
    if (!img->ops->write || track >= img->geometry.tracks)
        return cause_set(cause, ST_INVAL, "%s: has no track %u", img->path, track);
    if (len > img->geometry.track_bytes)
        return cause_set(cause, ST_LIMIT, "%s: track %u has %u bytes, %u are the limit",
                         img->path, track, len, img->geometry.track_bytes);
    int rc = writable(img, cause);
    if (rc)
        return rc;
    image_move_begin(img);
    rc = img->ops->write(img, track, buf, len, cause);
    image_move_end(img, true);
    return rc;
}

bool image_may_have_parts(const struct image *img)
{
    return img->ops->part && !img->file[0].remote;
}

bool image_has_parts(const struct image *img, u32 track)
{
    return image_may_have_parts(img) && !(img->flags & (IMAGE_RANGES | IMAGE_NO_LOCK)) &&
           (!img->ops->parts || img->ops->parts(img, track));
}

static int part_move(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
                     struct cause *cause)
{
    if (!image_may_have_parts(img) || track >= img->geometry.tracks || from < TRACK_HA_BYTES ||
        from + len > img->geometry.track_bytes)
        return cause_set(cause, ST_INVAL, "%s: has no bytes %u to %u of track %u", img->path,
                         from, from + len, track);
    int rc = write ? writable(img, cause) : ST_OK;
    if (rc)
        return rc;
    image_move_begin(img);
    rc = img->ops->part(img, write, track, from, buf, len, cause);
    image_move_end(img, write);
    return rc;
}

int image_read_part(struct image *img, u32 track, u32 from, u8 *buf, u32 len,
                    struct cause *cause)
{
    return part_move(img, false, track, from, buf, len, cause);
}

int image_write_part(struct image *img, u32 track, u32 from, const u8 *buf, u32 len,
                     struct cause *cause)
{
    return part_move(img, true, track, from, (u8 *)(uintptr_t)buf, len, cause);
}

bool image_may_try(const struct image *img)
{
    return (img->ops->try_part || img->ops->try_blocks) &&
           (!img->ops->may_try || img->ops->may_try(img));
}

bool image_try_part(struct image *img, u32 track, u32 from, u8 *buf, u32 len)
{
    return img->ops->try_part && track < img->geometry.tracks && from >= TRACK_HA_BYTES &&
           from + len <= img->geometry.track_bytes &&
           img->ops->try_part(img, track, from, buf, len);
}

bool image_try_blocks(struct image *img, u64 block, u32 count, void *buf)
{
    u64 blocks = img->geometry.blocks;
    return img->ops->try_blocks && block <= blocks && count <= blocks - block &&
           img->ops->try_blocks(img, block, count, buf);
}

static int blocks_move(struct image *img, bool write, u64 block, u32 count, u8 *buf,
                       struct cause *cause)
{
    u64 blocks = img->geometry.blocks;
    if (!img->ops->blocks || block > blocks || count > blocks - block)
        return cause_set(cause, ST_INVAL, "%s: has no blocks %llu to %llu", img->path,
                         (unsigned long long)block, (unsigned long long)(block + count));
    int rc = write ? writable(img, cause) : ST_OK;
    if (rc)
        return rc;
    image_move_begin(img);
    rc = img->ops->blocks(img, write, block, count, buf, cause);
    image_move_end(img, write);
    return rc;
}

int image_read_blocks(struct image *img, u64 block, u32 count, void *buf, struct cause *cause)
{
    return blocks_move(img, false, block, count, buf, cause);
}

int image_write_blocks(struct image *img, u64 block, u32 count, const void *buf,
                       struct cause *cause)
{
    return blocks_move(img, true, block, count, (u8 *)(uintptr_t)buf, cause);
}

bool image_offline(const struct image *img)
{
    return img->ops->offline && img->ops->offline(img);
}

u64 image_changes(const struct image *img)
{
    return img->ops->changes ? img->ops->changes(img) : 0;
}

bool image_turn_begin(struct image *img)
{
    return img->ops->turn && img->ops->turn(img, true);
}

void image_turn_end(struct image *img)
{
    img->ops->turn(img, false);
}

struct hold *image_hold(const struct image *img)
{
    return img->ops->hold ? img->ops->hold(img) : NULL;
}

struct checking {
    image_fault *fault;
    void *arg;
    u32 faults;
};

static void check_fault(void *arg, u32 track, const char *text)
{
    struct checking *k = arg;
    k->faults++;
    k->fault(k->arg, track, text);
}

/* Blocks have no numbers that a fault could be told with; the text has them. */
static void check_blocks(struct image *img, u64 first, u8 *buf, struct checking *k,
                         struct image_check *out)
{
    struct cause why = {0};
    u64 rest = img->geometry.blocks - first;
    u32 count = rest < CHECK_BLOCKS ? (u32)rest : CHECK_BLOCKS;
    if (image_read_blocks(img, first, count, buf, &why) == ST_OK)
        out->blocks_read += count;
    else
        check_fault(k, ~0u, why.text);
    if (out->progress)
        out->progress((u32)((first + count) / CHECK_BLOCKS),
                      (u32)(img->geometry.blocks / CHECK_BLOCKS));
}

int image_check(const char *path, image_fault *fault, void *arg, struct image_check *out,
                struct cause *cause)
{
    struct checking k = {fault, arg, 0};
    struct image *img;
    int rc = open_with(path, IMAGE_READ_ONLY, check_fault, &k, &img, cause);
    if (rc)
        return rc;
    u8 *buf = malloc(IMAGE_TRACK_BYTES_MAX);
    *out = (struct image_check){.progress = out->progress, .open_left = img->open_left};
    for (u64 b = 0; buf && b < img->geometry.blocks; b += CHECK_BLOCKS)
        check_blocks(img, b, buf, &k, out);
    for (u32 t = 0; buf && t < img->geometry.tracks; t++) {
        struct cause why = {0};
        u32 len;
        int one = image_read_track(img, t, buf, &len, &why);
        if (one == ST_OK)
            out->tracks_read++;
        else if (one != ST_LOST) /* which was told of when the tables were read */
            check_fault(&k, t, why.text);
        if (out->progress)
            out->progress(t + 1, img->geometry.tracks);
    }
    out->faults = k.faults;
    img->fault = NULL;
    image_unref(img);
    if (!buf)
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    free(buf);
    return ST_OK;
}

/** Tracks that cannot be read become tracks without records. */
static int replace_tracks(struct image *img, struct checking *k, struct image_check *out,
                          struct cause *cause)
{
    u8 *buf = malloc(IMAGE_TRACK_BYTES_MAX);
    int rc = buf ? ST_OK : cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    for (u32 t = 0; rc == ST_OK && t < img->geometry.tracks; t++) {
        struct cause why = {0};
        u32 len;
        int one = image_read_track(img, t, buf, &len, &why);
        out->tracks_read += one == ST_OK;
        if (out->progress)
            out->progress(t + 1, img->geometry.tracks);
        if (one == ST_OK)
            continue;
        if (one != ST_LOST)
            check_fault(k, t, why.text);
        len = track_make_null(TRACK_NULL_EMPTY, t, img->geometry.heads, buf);
        rc = image_write_track(img, t, buf, len, cause);
    }
    free(buf);
    return rc;
}

int image_repair(const char *path, image_fault *fault, void *arg, struct image_check *out,
                 struct cause *cause)
{
    struct checking k = {fault, arg, 0};
    struct image *img;
    if (strstr(path, IMAGE_LAYER_MARK))
        return cause_set(cause, ST_INVAL, "%s: only images of one layer are repaired", path);
    int rc = duplex_repairable(path, cause);
    if (rc == ST_OK)
        rc = open_with(path, IMAGE_REPAIR, check_fault, &k, &img, cause);
    if (rc)
        return rc;
    *out = (struct image_check){.progress = out->progress, .open_left = img->open_left};
    rc = replace_tracks(img, &k, out, cause);
    out->faults = k.faults;
    img->fault = NULL;
    image_unref(img);
    return rc;
}
