/* endicott dasd export, import: the data of a data set or of a partition of Linux, record after
 * record as they lie on their tracks, from and to a file of the host. Of a partition of Linux that
 * is its file system, as loop devices and e2fsprogs take it. Counts and keys are not touched, so an
 * import changes no track's format; it ends where the file does. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dasd/dasd_tool.h"
#include "io/image/track.h"
#include "io/image/vtoc.h"

/** What is being copied: the data set, the file, the track under work. */
struct copying {
    struct image *img;
    const char *name, *path;
    bool import;
    struct vtoc_dataset set;
    bool found;
    int fd;
    bool ended; /* import: the file */
    u64 bytes;
    u8 track[IMAGE_TRACK_BYTES_MAX];
};

static void find(void *arg, const struct vtoc_dataset *d)
{
    struct copying *c = arg;
    if (strcmp(d->name, c->name) != 0)
        return;
    c->set = *d;
    c->found = true;
}

static u32 tracks_of(const struct vtoc_dataset *d)
{
    u32 sum = 0;
    for (u32 i = 0; i < d->extents; i++)
        sum += d->extent[i].last - d->extent[i].first + 1;
    return sum;
}

/** All bytes, or less at the end of the file; -1 with errno. */
static ssize_t move(const struct copying *c, u8 *p, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n =
            c->import ? read(c->fd, p + done, len - done) : write(c->fd, p + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/** The data of one record; what a file ends in the middle of is filled with zeros. */
static int move_record(struct copying *c, u8 *count, struct cause *cause)
{
    u8 *data = count + TRACK_COUNT_BYTES + count[5];
    u32 len = be16_load(count + 6);
    ssize_t n = move(c, data, len);
    if (n < 0)
        return cause_set(cause, ST_IO, "%s: %s", c->path, strerror(errno));
    c->bytes += (u64)n;
    c->ended = c->import && (u32)n < len;
    if (c->import && n > 0)
        memset(data + n, 0, len - (u32)n);
    return ST_OK;
}

static int move_track(struct copying *c, u32 track, struct cause *cause)
{
    const struct image_geometry *g = image_geometry(c->img);
    struct track_layout layout = {0};
    u32 len = 0;
    u64 before = c->bytes;
    int rc = image_read_track(c->img, track, c->track, &len, cause);
    if (rc == ST_OK)
        rc = track_scan(c->track, len, track, g->heads, &layout, cause);
    for (u32 i = 1; rc == ST_OK && i < layout.count && !c->ended; i++)
        rc = move_record(c, c->track + layout.offset[i], cause);
    if (rc == ST_OK && c->import && c->bytes != before)
        rc = image_write_track(c->img, track, c->track, layout.len, cause);
    return rc;
}

static int move_tracks(struct copying *c, struct cause *cause)
{
    u32 total = tracks_of(&c->set), done = 0;
    int rc = ST_OK;
    for (u32 i = 0; rc == ST_OK && i < c->set.extents; i++)
        for (u32 t = c->set.extent[i].first;
             rc == ST_OK && !c->ended && t <= c->set.extent[i].last; t++) {
            rc = move_track(c, t, cause);
            cli_progress(++done, total);
        }
    u8 more;
    if (rc == ST_OK && c->import && !c->ended && move(c, &more, 1) != 0)
        rc = cause_set(cause, ST_LIMIT, "%s: more than the %llu bytes that %s has room for",
                       c->path, (unsigned long long)c->bytes, c->name);
    return rc;
}

static int file_open(struct copying *c, struct cause *cause)
{
    c->fd = c->import ? open(c->path, O_RDONLY | O_CLOEXEC)
                      : open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return c->fd >= 0 ? ST_OK
                      : cause_set(cause, errno == EEXIST ? ST_EXIST : ST_CONFIG, "%s: %s",
                                  c->path, strerror(errno));
}

/** Find the data set, open the file, move. */
static int run(struct copying *c, struct cause *cause)
{
    int rc = vtoc_each(c->img, find, c, cause);
    if (rc == ST_OK && !c->found)
        rc = cause_set(cause, ST_NOENT, "%s: has no %s", image_path(c->img), c->name);
    if (rc == ST_OK)
        rc = file_open(c, cause);
    if (rc)
        return rc;
    rc = move_tracks(c, cause);
    if (close(c->fd) && rc == ST_OK)
        rc = cause_set(cause, ST_IO, "%s: %s", c->path, strerror(errno));
    if (rc && !c->import)
        unlink(c->path);
    return rc;
}

static void told(const struct copying *c, bool json)
{
    if (!json) {
        printf("%s: %llu bytes\n", c->name, (unsigned long long)c->bytes);
        return;
    }
    json_t *out = json_pack("{s:s, s:s, s:s, s:I}", "file", image_path(c->img), "name", c->name,
                            "with", c->path, "bytes", (json_int_t)c->bytes);
    json_dumpf(out, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(out);
}

static int copy(const char *const *operand, unsigned operands, const void *options, bool import)
{
    const struct dasd_options *o = options;
    struct cause cause;
    if (operands != 3)
        return dasd_usage("an image, the name of a data set and a file are needed",
                          import ? "import" : "export");
    struct copying *c = calloc(1, sizeof *c);
    if (!c)
        return EXIT_RESOURCE;
    c->name = operand[1];
    c->path = operand[2];
    c->import = import;
    int rc = image_open(operand[0], import ? 0 : IMAGE_READ_ONLY, &c->img, &cause);
    if (rc == ST_OK)
        rc = run(c, &cause);
    if (import)
        rc = dasd_written(c->img, rc, &cause);
    if (rc == ST_OK)
        told(c, o->json);
    image_unref(c->img);
    free(c);
    return rc ? dasd_fail(rc, &cause) : EXIT_WELL;
}

int dasd_export(const char *const *operand, unsigned operands, const void *options)
{
    return copy(operand, operands, options, false);
}

int dasd_import(const char *const *operand, unsigned operands, const void *options)
{
    return copy(operand, operands, options, true);
}
