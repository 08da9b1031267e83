/* New image files. A CKD volume has null tracks and, when a volume name is given, the two IPL
 * records and the label that programs look for on track 0. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/ebcdic.h"
#include "io/image/image_internal.h"

#define VOLUME_BYTES 6u
#define LABEL_BYTES 80u

static void text_put(const char *text, size_t len, u8 *out)
{
    ebcdic_pad(text, len, out);
}

/** Track 0 with IPL records that load a disabled wait, and the label. */
static u32 label_track(const char *volume, u8 *buf)
{
    static const u8 wait_psw[24] = {0x00, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0f,
                                    0x03, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x01};
    u8 key[4], label[LABEL_BYTES];
    u32 len = track_make_null(TRACK_NULL_EMPTY, 0, TRACK_HEADS_3390, buf);
    text_put("IPL1", 4, key);
    len = track_append(buf, len, 1, 4, sizeof wait_psw, key, wait_psw);
    text_put("IPL2", 4, key);
    len = track_append(buf, len, 2, 4, 144, key, NULL);
    text_put("VOL1", 4, key);
    text_put("VOL1", LABEL_BYTES, label);
    text_put(volume, VOLUME_BYTES, label + 4);
    memcpy(label + 11, (u8[5]){0, 0, 0, 1, 1}, 5); /* the VTOC would be there */
    text_put("ENDICOTT", 8, label + 37);
    return track_append(buf, len, 3, 4, LABEL_BYTES, key, label);
}

/** Null tracks into a file that is a hole; what is behind their end marks stays one. */
static int null_tracks(struct image *img, const struct image_create *what, u8 *buf,
                       struct cause *cause)
{
    bool raw = what->format == IMAGE_CKD_RAW;
    u32 room = raw ? IMAGE_TRACK_BYTES_MAX : 56832;
    u32 skip = raw ? TRACK_HA_BYTES : 0;
    u64 at = raw ? 0 : DEVHDR_BYTES;
    u32 tracks = what->cylinders * TRACK_HEADS_3390;
    int rc = image_truncate(img, 0, at + (u64)tracks * room, cause);
    for (u32 t = 0; rc == ST_OK && t < tracks; t++) {
        u32 len = track_make_null(what->linux_tracks ? TRACK_NULL_LINUX : TRACK_NULL_EMPTY, t,
                                  TRACK_HEADS_3390, buf);
        rc = image_pwrite(img, 0, at + (u64)t * room, buf + skip, len - skip, cause);
    }
    return rc;
}

static int fill(struct image *img, const struct image_create *what, u8 *buf,
                struct cause *cause)
{
    u8 head[DEVHDR_BYTES];
    if (what->format == IMAGE_FBA_RAW)
        return image_truncate(img, 0, what->blocks * IMAGE_BLOCK_BYTES, cause);
    if (what->format == IMAGE_CCKD)
        return cckd_format(img, what, cause);
    int rc = null_tracks(img, what, buf, cause);
    ckd_header_make(head, "CKD_P370");
    if (rc == ST_OK && what->format == IMAGE_CKD)
        rc = image_pwrite(img, 0, 0, head, sizeof head, cause);
    return rc;
}

static int write_label(const char *path, const char *volume, u8 *buf, struct cause *cause)
{
    struct image *img;
    int rc = image_open(path, 0, &img, cause);
    if (rc)
        return rc;
    rc = image_write_track(img, 0, buf, label_track(volume, buf), cause);
    image_unref(img);
    return rc;
}

static int create_check(const char *path, const struct image_create *what, struct cause *cause)
{
    bool fba = what->format == IMAGE_FBA_RAW;
    if (fba && (!what->blocks || what->blocks > 0xffffffffull))
        return cause_set(cause, ST_INVAL, "%s: 1 to 4294967295 blocks are possible", path);
    if (!fba && (!what->cylinders || what->cylinders > TRACK_CYLINDERS_MAX))
        return cause_set(cause, ST_INVAL, "%s: 1 to %u cylinders are possible", path,
                         TRACK_CYLINDERS_MAX);
    if (what->volume && (fba || strlen(what->volume) > VOLUME_BYTES))
        return cause_set(cause, ST_INVAL,
                         fba ? "%s: raw blocks have no volume label"
                             : "%s: a volume name has 1 to 6 characters",
                         path);
    return ST_OK;
}

/** The file, and its contents. */
static int file_create(const char *path, const struct image_create *what, struct image *below,
                       struct cause *cause)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return cause_set(cause, errno == EEXIST ? ST_EXIST : ST_PERM, "%s: %s", path,
                         strerror(errno));
    struct image img = {
        .below = below, .path = (char *)(uintptr_t)path, .files = 1, .file = {{fd, 0, NULL}}};
    u8 *buf = malloc(IMAGE_TRACK_BYTES_MAX);
    int rc =
        buf ? fill(&img, what, buf, cause) : cause_set(cause, ST_NOMEM, "%s: no memory", path);
    close(fd);
    if (rc == ST_OK && what->volume && !below)
        rc = write_label(path, what->volume, buf, cause);
    free(buf);
    if (rc)
        unlink(path);
    return rc;
}

static int shadow_create(const char *path, const struct image_create *what, struct cause *cause)
{
    struct image_create size = *what;
    struct image *below;
    int rc = image_open(what->below, IMAGE_READ_ONLY, &below, cause);
    if (rc)
        return rc;
    size.cylinders = below->geometry.cylinders;
    if (what->format != IMAGE_CCKD || image_format(below) != IMAGE_CCKD)
        rc = cause_set(cause, ST_INVAL, "%s: only CCKD images have shadows", what->below);
    else
        rc = file_create(path, &size, below, cause);
    image_unref(below);
    return rc;
}

int image_create(const char *path, const struct image_create *what, struct cause *cause)
{
    if (what->below)
        return shadow_create(path, what, cause);
    int rc = create_check(path, what, cause);
    return rc ? rc : file_create(path, what, NULL, cause);
}
