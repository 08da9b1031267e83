/* Uncompressed CKD images. Hercules' CKD_P370: a header of 512 bytes, then tracks of one size;
 * large volumes may be cut into files NAME_1, NAME_2 and so on, each with a header. Raw: the tracks
 * as Linux's raw-track access gives them, 64 KiB each, from record 0 on, without home address. */
#include <stdlib.h>
#include <stdio.h>

#include "io/image/image_internal.h"

#define RAW_TRACK_BYTES 65536u
#define TYPE_3390_CODE 0x90

/* The device header; numbers are little-endian. */
enum header_at {
    AT_HEADS = 8,
    AT_TRACK_BYTES = 12,
    AT_TYPE = 16,
    AT_SEQUENCE = 17,
    AT_HIGH_CYLINDER = 18,
};

/** Cylinders before file i, and one more: the total. */
struct ckd {
    u32 first[IMAGE_FILES_MAX + 1];
};

int ckd_header(struct image *img, const u8 head[DEVHDR_BYTES], struct cause *cause)
{
    u32 heads = le32_load(head + AT_HEADS), room = le32_load(head + AT_TRACK_BYTES);
    if (head[AT_TYPE] != TYPE_3390_CODE)
        return cause_set(cause, ST_PROTO, "%s: device type 33%02X; 3390 is supported",
                         img->path, head[AT_TYPE]);
    if (heads != TRACK_HEADS_3390)
        return cause_set(cause, ST_PROTO,
                         "%s: damaged header: %u heads in a cylinder of a 3390", img->path,
                         heads);
    if (room < 512 || room > IMAGE_TRACK_BYTES_MAX || room % 512)
        return cause_set(cause, ST_PROTO, "%s: damaged header: track size %u", img->path, room);
    img->geometry = (struct image_geometry){0x3390, 0, heads, 0, room, 0};
    return ST_OK;
}

void ckd_header_make(u8 head[DEVHDR_BYTES], const char *devid)
{
    memset(head, 0, DEVHDR_BYTES);
    memcpy(head, devid, DEVID_BYTES);
    le32_store(head + AT_HEADS, TRACK_HEADS_3390);
    le32_store(head + AT_TRACK_BYTES, 56832);
    head[AT_TYPE] = TYPE_3390_CODE;
}

static void place(const struct image *img, u32 track, u32 *file, u64 *at)
{
    const struct ckd *k = img->format;
    u32 cyl = track / img->geometry.heads;
    u32 f = 0;
    while (cyl >= k->first[f + 1])
        f++;
    *file = f;
    *at = DEVHDR_BYTES +
          (u64)(track - k->first[f] * img->geometry.heads) * img->geometry.track_bytes;
}

static int ckd_read(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause)
{
    u32 file, room = img->geometry.track_bytes;
    u64 at;
    struct track_layout layout;
    place(img, track, &file, &at);
    int rc = image_pread(img, file, at, buf, room, cause);
    if (rc == ST_OK)
        rc = track_scan(buf, room, track, img->geometry.heads, &layout, cause);
    *len = rc ? 0 : layout.len;
    return rc;
}

static int ckd_write(struct image *img, u32 track, const u8 *buf, u32 len, struct cause *cause)
{
    u32 file;
    u64 at;
    place(img, track, &file, &at);
    return image_pwrite(img, file, at, buf, len, cause);
}

static int file_part(struct image *img, bool write, u32 file, u64 at, u8 *buf, u32 len,
                     struct cause *cause)
{
    return write ? image_pwrite(img, file, at, buf, len, cause)
                 : image_pread(img, file, at, buf, len, cause);
}

static int ckd_part(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
                    struct cause *cause)
{
    u32 file;
    u64 at;
    place(img, track, &file, &at);
    return file_part(img, write, file, at + from, buf, len, cause);
}

static bool ckd_try_part(struct image *img, u32 track, u32 from, u8 *buf, u32 len)
{
    u32 file;
    u64 at;
    place(img, track, &file, &at);
    return image_try_pread(img, file, at + from, buf, len);
}

static const struct image_ops ckd_ops = {.format = IMAGE_CKD,
                                         .fixed = true,
                                         .read = ckd_read,
                                         .write = ckd_write,
                                         .part = ckd_part,
                                         .try_part = ckd_try_part};

/** Cylinders in the file just opened, whose header is `head`. */
static int file_cylinders(struct image *img, u32 file, const u8 *head, u32 *cylinders,
                          struct cause *cause)
{
    u64 cyl_bytes = (u64)img->geometry.track_bytes * img->geometry.heads;
    u64 data = img->file[file].size - DEVHDR_BYTES;
    u32 high = le16_load(head + AT_HIGH_CYLINDER);
    const struct ckd *k = img->format;
    *cylinders = (u32)(data / cyl_bytes);
    if (data % cyl_bytes || !*cylinders || data / cyl_bytes > TRACK_CYLINDERS_MAX)
        return cause_set(cause, ST_PROTO,
                         "%s: %llu bytes of tracks are not a number of cylinders of %llu bytes",
                         img->path, (unsigned long long)data, (unsigned long long)cyl_bytes);
    if (high && high + 1 != k->first[file] + *cylinders)
        return cause_set(cause, ST_PROTO,
                         "%s: damaged header: file %u ends with cylinder %u, not %u", img->path,
                         file + 1, k->first[file] + *cylinders - 1, high);
    return ST_OK;
}

/** NAME_1.ext to NAME_2.ext; false when there is no such place in the name. */
static bool next_name(char *path, u32 number)
{
    char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    char *end = dot && dot > (slash ? slash : path) ? dot : path + strlen(path);
    if (end - path < 2 || end[-2] != '_' || number > 9)
        return false;
    end[-1] = (char)('0' + number);
    return true;
}

static int more_files(struct image *img, struct cause *cause)
{
    struct ckd *k = img->format;
    u8 head[DEVHDR_BYTES];
    char *path = strdup(img->path);
    bool last = false;
    int rc = path ? ST_OK : cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    while (rc == ST_OK && !last) {
        u32 file = img->files, cylinders = 0;
        if (!next_name(path, file + 1))
            rc = cause_set(cause, ST_PROTO, "%s: the first of several files, but not named _1",
                           img->path);
        if (rc == ST_OK)
            rc = image_file_open(img, path, cause);
        if (rc == ST_OK)
            rc = image_pread(img, file, 0, head, sizeof head, cause);
        if (rc == ST_OK &&
            (memcmp(head, "CKD_P370", DEVID_BYTES) != 0 || head[AT_SEQUENCE] != file + 1))
            rc = cause_set(cause, ST_PROTO, "%s: not file %u of %s", path, file + 1, img->path);
        if (rc == ST_OK)
            rc = file_cylinders(img, file, head, &cylinders, cause);
        if (rc == ST_OK)
            k->first[file + 1] = k->first[file] + cylinders;
        last = le16_load(head + AT_HIGH_CYLINDER) == 0;
    }
    free(path);
    return rc;
}

int ckd_open(struct image *img, const u8 head[DEVHDR_BYTES], struct cause *cause)
{
    struct ckd *k = calloc(1, sizeof *k);
    img->format = k;
    if (!k)
        return cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    int rc = ckd_header(img, head, cause);
    if (rc == ST_OK && head[AT_SEQUENCE] > 1)
        rc = cause_set(cause, ST_PROTO, "%s: file %u of several; name the first", img->path,
                       head[AT_SEQUENCE]);
    if (rc == ST_OK)
        rc = file_cylinders(img, 0, head, &k->first[1], cause);
    if (rc == ST_OK && head[AT_SEQUENCE] == 1 && le16_load(head + AT_HIGH_CYLINDER))
        rc = more_files(img, cause);
    if (rc)
        return rc;
    img->geometry.cylinders = k->first[img->files];
    img->geometry.tracks = img->geometry.cylinders * img->geometry.heads;
    img->ops = &ckd_ops;
    return ST_OK;
}

/* ---- raw tracks ---- */

#define RAW_ROOM (RAW_TRACK_BYTES - TRACK_HA_BYTES) /* what a track image of ours may hold */

static int raw_read(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause)
{
    struct track_layout layout;
    buf[0] = 0;
    track_cchh(track, img->geometry.heads, buf + 1);
    int rc = image_pread(img, 0, (u64)track * RAW_TRACK_BYTES, buf + TRACK_HA_BYTES, RAW_ROOM,
                         cause);
    if (rc == ST_OK)
        rc = track_scan(buf, RAW_TRACK_BYTES, track, img->geometry.heads, &layout, cause);
    *len = rc ? 0 : layout.len;
    return rc;
}

static int raw_write(struct image *img, u32 track, const u8 *buf, u32 len, struct cause *cause)
{
    return image_pwrite(img, 0, (u64)track * RAW_TRACK_BYTES, buf + TRACK_HA_BYTES,
                        len - TRACK_HA_BYTES, cause);
}

static int raw_part(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
                    struct cause *cause)
{
    u64 at = (u64)track * RAW_TRACK_BYTES + from - TRACK_HA_BYTES;
    return file_part(img, write, 0, at, buf, len, cause);
}

static bool raw_try_part(struct image *img, u32 track, u32 from, u8 *buf, u32 len)
{
    return image_try_pread(img, 0, (u64)track * RAW_TRACK_BYTES + from - TRACK_HA_BYTES, buf,
                           len);
}

static const struct image_ops raw_ops = {.format = IMAGE_CKD_RAW,
                                         .try_part = raw_try_part,
                                         .fixed = true,
                                         .read = raw_read,
                                         .write = raw_write,
                                         .part = raw_part};

bool ckd_raw_probe(struct image *img, const u8 head[DEVHDR_BYTES])
{
    static const u8 r0[TRACK_COUNT_BYTES] = {0, 0, 0, 0, 0, 0, 0, 8};
    u64 cyl_bytes = (u64)RAW_TRACK_BYTES * TRACK_HEADS_3390;
    return img->file[0].size % cyl_bytes == 0 && memcmp(head, r0, sizeof r0) == 0 &&
           img->file[0].size / cyl_bytes <= TRACK_CYLINDERS_MAX;
}

int ckd_raw_open(struct image *img, struct cause *cause)
{
    (void)cause;
    u32 tracks = (u32)(img->file[0].size / RAW_TRACK_BYTES);
    img->geometry = (struct image_geometry){0x3390, tracks / TRACK_HEADS_3390, TRACK_HEADS_3390,
                                            tracks, RAW_TRACK_BYTES,           0};
    img->ops = &raw_ops;
    return ST_OK;
}
