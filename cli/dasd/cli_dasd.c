/* endicott dasd: disk images made, looked at, checked and converted. Files are locked while they
 * are open, so no image is touched that a guest is using. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dasd/dasd_tool.h"
#include "io/image/track.h"
#include "io/image/vtoc.h"

#define USAGE "dasd init|info|check|repair|convert|merge|import|export|ls|owner|alloc ..."
#define INIT_USAGE                                                                             \
    "dasd init FILE [--model NAME | --cylinders N | --blocks N | --shadow-of FILE]"
#define CONVERT_USAGE "dasd convert FROM TO [--format cckd|ckd|raw]"
#define COPY_BLOCKS 120u

int dasd_fail(int status, const struct cause *cause)
{
    fprintf(stderr, "endicott dasd: %s\n", cause->text);
    return cli_exit_of(status);
}

int dasd_usage(const char *what, const char *arg)
{
    fprintf(stderr, "endicott dasd: %s: %s\n", arg, what);
    return EXIT_USAGE;
}

static bool number(const char *text, u64 max, u64 *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return text[0] >= '1' && text[0] <= '9' && !*end && *out <= max;
}

/* ---- init ---- */

static bool format_named(const char *name, bool fba, enum image_format *format)
{
    if (!name)
        *format = fba ? IMAGE_FBA_RAW : IMAGE_CCKD;
    else if (strcmp(name, "cckd") == 0)
        *format = IMAGE_CCKD;
    else if (strcmp(name, "ckd") == 0)
        *format = IMAGE_CKD;
    else if (strcmp(name, "raw") == 0)
        *format = fba ? IMAGE_FBA_RAW : IMAGE_CKD_RAW;
    else
        return false;
    return !fba || *format == IMAGE_FBA_RAW;
}

static bool compress_named(const char *name, bool *compress)
{
    *compress = !name || strcmp(name, "zlib") == 0;
    return *compress || strcmp(name, "none") == 0;
}

static int init_sizes(const struct dasd_options *o, struct image_create *what)
{
    u64 n = 0;
    if (!!o->model + !!o->cylinders + !!o->blocks + !!o->shadow_of > 1)
        return dasd_usage("one of --model, --cylinders, --blocks, --shadow-of says how large",
                          "init");
    if (o->shadow_of)
        return EXIT_WELL;
    if (o->blocks) {
        if (!number(o->blocks, 0xffffffff, &what->blocks))
            return dasd_usage("not a number of blocks", o->blocks);
        return EXIT_WELL;
    }
    if (o->cylinders && !number(o->cylinders, TRACK_CYLINDERS_MAX, &n))
        return dasd_usage("not a number of cylinders (1 to 262668)", o->cylinders);
    long model = o->cylinders ? (long)n : track_model_cylinders(o->model ? o->model : "3390-3");
    if (model < 0)
        return dasd_usage("no such model (3390-1 -2 -3 -9 -27 -54; others by --cylinders)",
                          o->model);
    if (model == 0)
        return dasd_usage("its size is given by --cylinders", o->model);
    what->cylinders = (u32)model;
    return EXIT_WELL;
}

static int dasd_init(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    struct image_create what = {
        .volume = o->volume, .linux_tracks = o->linux_tracks, .below = o->shadow_of};
    struct cause cause;
    if (operands != 1)
        return dasd_usage("one file is needed", "init");
    int status = init_sizes(o, &what);
    if (status)
        return status;
    if (!format_named(o->format, what.blocks > 0, &what.format))
        return dasd_usage("no such format (cckd, ckd, raw; with --blocks raw)", o->format);
    if (!compress_named(o->compress, &what.compress))
        return dasd_usage("no such compression (zlib, none)", o->compress);
    int rc = image_create(operand[0], &what, &cause);
    return rc ? dasd_fail(rc, &cause) : EXIT_WELL;
}

/* ---- info ---- */

static void info_json(struct image *img)
{
    const struct image_geometry *g = image_geometry(img);
    struct image_figures f;
    char volume[VTOC_VOLUME_BYTES] = "";
    image_figures(img, &f);
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "file", image_path(img), "format",
                  image_format_name(image_format(img)), "type", g->tracks ? "3390" : "9336",
                  "fileBytes", (json_int_t)f.file_bytes, "usedBytes", (json_int_t)f.used_bytes,
                  "freeBytes", (json_int_t)f.free_bytes, "freeSpans", (json_int_t)f.free_spans);
    if (g->tracks) {
        json_object_set_new(out, "model", json_string(track_model_name(g->cylinders)));
        json_object_set_new(out, "cylinders", json_integer(g->cylinders));
        json_object_set_new(out, "heads", json_integer(g->heads));
        if (vtoc_volume(img, volume, NULL) == ST_OK && volume[0])
            json_object_set_new(out, "volume", json_string(volume));
    } else {
        json_object_set_new(out, "blocks", json_integer((json_int_t)g->blocks));
    }
    json_dumpf(out, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(out);
}

static void info_text(struct image *img)
{
    const struct image_geometry *g = image_geometry(img);
    struct image_figures f;
    char volume[VTOC_VOLUME_BYTES] = "";
    image_figures(img, &f);
    printf("%s: %s, ", image_path(img), image_format_name(image_format(img)));
    if (g->tracks)
        printf("%s, %u cylinders of %u tracks", track_model_name(g->cylinders), g->cylinders,
               g->heads);
    else
        printf("9336, %llu blocks of 512 bytes", (unsigned long long)g->blocks);
    if (g->tracks && vtoc_volume(img, volume, NULL) == ST_OK && volume[0])
        printf(", volume %s", volume);
    printf("\nfile %llu bytes, used %llu, free %llu in %u pieces\n",
           (unsigned long long)f.file_bytes, (unsigned long long)f.used_bytes,
           (unsigned long long)f.free_bytes, f.free_spans);
}

static int dasd_info(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    struct image *img;
    struct cause cause;
    if (operands != 1)
        return dasd_usage("one file is needed", "info");
    int rc = image_open(operand[0], IMAGE_READ_ONLY, &img, &cause);
    if (rc)
        return dasd_fail(rc, &cause);
    if (o->json)
        info_json(img);
    else
        info_text(img);
    image_unref(img);
    return EXIT_WELL;
}

/* ---- check ---- */

struct faults {
    json_t *json; /* NULL: told as text */
    const char *file;
};

static void fault(void *arg, u32 track, const char *text)
{
    struct faults *k = arg;
    if (k->json)
        json_array_append_new(
            k->json, json_pack("{s:I, s:s}", "track", (json_int_t)track, "text", text));
    else
        printf("%s: %s\n", k->file, text);
}

static void found_json(const char *file, const struct image_check *found, json_t *faults)
{
    json_t *out =
        json_pack("{s:s, s:I, s:I, s:b, s:o}", "file", file, "tracksRead",
                  (json_int_t)found->tracks_read, "blocksRead", (json_int_t)found->blocks_read,
                  "notClosed", found->open_left, "faults", faults);
    json_dumpf(out, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(out);
}

static int check_one(const char *file, const struct dasd_options *o)
{
    struct faults k = {o->json ? json_array() : NULL, file};
    struct image_check found = {.progress = cli_progress};
    struct cause cause;
    int rc = image_check(file, fault, &k, &found, &cause);
    if (rc) {
        json_decref(k.json);
        return dasd_fail(rc, &cause);
    }
    if (o->json) {
        found_json(file, &found, k.json);
    } else {
        bool blocks = found.blocks_read;
        printf("%s: %llu %s read, %u faults%s\n", file,
               blocks ? (unsigned long long)found.blocks_read : found.tracks_read,
               blocks ? "blocks" : "tracks", found.faults,
               found.open_left ? "; its last writer did not close it" : "");
    }
    return found.faults ? EXIT_INTERNAL : EXIT_WELL;
}

static int dasd_check(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    int status = operands ? EXIT_WELL : dasd_usage("a file is needed", "check");
    for (unsigned i = 0; i < operands; i++) {
        int one = check_one(operand[i], o);
        status = one ? one : status;
    }
    return status;
}

/* ---- repair ---- */

static int dasd_repair(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    struct image_check found = {.progress = cli_progress};
    struct cause cause;
    if (operands != 1)
        return dasd_usage("one file is needed", "repair");
    struct faults k = {o->json ? json_array() : NULL, operand[0]};
    int rc = image_repair(operand[0], fault, &k, &found, &cause);
    if (rc) {
        json_decref(k.json);
        return dasd_fail(rc, &cause);
    }
    if (o->json)
        found_json(operand[0], &found, k.json);
    else
        printf("%s: %u tracks are as they were, %u faults taken out\n", operand[0],
               found.tracks_read, found.faults);
    return EXIT_WELL;
}

/* ---- convert ---- */

static int copy_tracks(struct image *from, struct image *to, struct cause *cause)
{
    u8 *buf = malloc(IMAGE_TRACK_BYTES_MAX);
    u32 tracks = image_geometry(from)->tracks, len = 0;
    int rc = buf ? ST_OK : cause_set(cause, ST_NOMEM, "no memory");
    for (u32 t = 0; rc == ST_OK && t < tracks; t++) {
        rc = image_read_track(from, t, buf, &len, cause);
        if (rc == ST_OK)
            rc = image_write_track(to, t, buf, len, cause);
        cli_progress(t + 1, tracks);
    }
    free(buf);
    return rc;
}

static int copy_blocks(struct image *from, struct image *to, struct cause *cause)
{
    u8 buf[COPY_BLOCKS * IMAGE_BLOCK_BYTES];
    u64 blocks = image_geometry(from)->blocks;
    int rc = ST_OK;
    for (u64 b = 0; rc == ST_OK && b < blocks; b += COPY_BLOCKS) {
        u32 count = blocks - b < COPY_BLOCKS ? (u32)(blocks - b) : COPY_BLOCKS;
        rc = image_read_blocks(from, b, count, buf, cause);
        if (rc == ST_OK)
            rc = image_write_blocks(to, b, count, buf, cause);
        cli_progress((u32)((b + count) / COPY_BLOCKS), (u32)(blocks / COPY_BLOCKS));
    }
    return rc;
}

static int convert(struct image *from, const char *path, const struct image_create *what,
                   struct cause *cause)
{
    struct image *to;
    int rc = image_create(path, what, cause);
    if (rc)
        return rc;
    rc = image_open(path, 0, &to, cause);
    if (rc == ST_OK) {
        rc = what->blocks ? copy_blocks(from, to, cause) : copy_tracks(from, to, cause);
        rc = dasd_written(to, rc, cause);
        image_unref(to);
    }
    if (rc)
        unlink(path);
    return rc;
}

static int dasd_convert(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    struct image_create what = {0};
    struct image *from;
    struct cause cause;
    if (operands != 2)
        return dasd_usage("two files are needed: FROM TO", "convert");
    if (!compress_named(o->compress, &what.compress))
        return dasd_usage("no such compression (zlib, none)", o->compress);
    int rc = image_open(operand[0], IMAGE_READ_ONLY, &from, &cause);
    if (rc)
        return dasd_fail(rc, &cause);
    what.cylinders = image_geometry(from)->cylinders;
    what.blocks = image_geometry(from)->blocks;
    if (!format_named(o->format, what.blocks, &what.format))
        rc = cause_set(&cause, ST_INVAL, "%s: no such format (%s)", o->format,
                       what.blocks ? "raw: the image is of blocks" : "cckd, ckd, raw");
    else
        rc = convert(from, operand[1], &what, &cause);
    image_unref(from);
    return rc ? dasd_fail(rc, &cause) : EXIT_WELL;
}

/* ---- merge ---- */

static int dasd_merge(const char *const *operand, unsigned operands, const void *options)
{
    struct image_merge m = {.progress = cli_progress};
    struct cause cause;
    (void)options;
    if (operands != 1)
        return dasd_usage("a file and its shadow are needed: BASE,shadow=TOP", "merge");
    int rc = image_merge(operand[0], &m, &cause);
    if (rc)
        return dasd_fail(rc, &cause);
    printf("%s: %u tracks merged\n", operand[0], m.tracks);
    return EXIT_WELL;
}

/* ---- ls ---- */

static void ls_text(void *arg, const struct vtoc_dataset *d)
{
    const struct dasd_options *o = arg;
    (void)o;
    printf("%-44s", d->name);
    for (u32 i = 0; i < d->extents; i++)
        printf(" %u.%u-%u.%u", d->extent[i].first / TRACK_HEADS_3390,
               d->extent[i].first % TRACK_HEADS_3390, d->extent[i].last / TRACK_HEADS_3390,
               d->extent[i].last % TRACK_HEADS_3390);
    printf("\n");
}

static void ls_json(void *arg, const struct vtoc_dataset *d)
{
    json_t *extents = json_array();
    for (u32 i = 0; i < d->extents; i++)
        json_array_append_new(extents, json_pack("{s:I, s:I}", "firstTrack",
                                                 (json_int_t)d->extent[i].first, "lastTrack",
                                                 (json_int_t)d->extent[i].last));
    json_array_append_new(arg, json_pack("{s:s, s:o}", "name", d->name, "extents", extents));
}

static int dasd_ls(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    struct image *img;
    struct cause cause;
    if (operands != 1)
        return dasd_usage("one file is needed", "ls");
    int rc = image_open(operand[0], IMAGE_READ_ONLY, &img, &cause);
    if (rc)
        return dasd_fail(rc, &cause);
    json_t *out = o->json ? json_array() : NULL;
    rc = vtoc_each(img, out ? ls_json : ls_text, out ? (void *)out : (void *)(uintptr_t)o,
                   &cause);
    if (out && rc == ST_OK) {
        json_dumpf(out, stdout, JSON_INDENT(2));
        printf("\n");
    }
    json_decref(out);
    image_unref(img);
    return rc ? dasd_fail(rc, &cause) : EXIT_WELL;
}

/* ---- the command ---- */

static const struct cli_verb verbs[] = {
    {"init", INIT_USAGE, dasd_init},
    {"info", "dasd info FILE [--json]", dasd_info},
    {"check", "dasd check FILE... [--json]", dasd_check},
    {"repair", "dasd repair FILE [--json]", dasd_repair},
    {"convert", CONVERT_USAGE, dasd_convert},
    {"merge", "dasd merge BASE,shadow=TOP", dasd_merge},
    {"import", "dasd import FILE NAME FROM [--json]", dasd_import},
    {"export", "dasd export FILE NAME TO [--json]", dasd_export},
    {"ls", "dasd ls FILE [--json]", dasd_ls},
    {"owner", "dasd owner FILE [--ssi NAME|NOSSI] [--system NAME] [--json]", dasd_owner},
    {"alloc", "dasd alloc FILE [TYPE FIRST-LAST]... [--owner SYSTEM] [--json]", dasd_alloc},
    {NULL, NULL, NULL},
};

int cli_dasd(int argc, char **argv)
{
    struct dasd_options o = {0};
    const struct cli_option options[] = {
        {"format", "cckd|ckd|raw", "format of a new image, cckd unless given", &o.format, NULL},
        {"model", "NAME", "init: size by model, 3390-3 unless given", &o.model, NULL},
        {"cylinders", "N", "init: size of a 3390", &o.cylinders, NULL},
        {"blocks", "N", "init: a 9336 of so many blocks", &o.blocks, NULL},
        {"volume", "VOLSER", "init, alloc: write a volume label", &o.volume, NULL},
        {"owner", "[CLUSTER.]SYSTEM", "alloc: the one system that may use this space", &o.owner,
         NULL},
        {"ssi", "NAME|NOSSI", "owner: mark for systems of this cluster, or of any", &o.ssi,
         NULL},
        {"system", "NAME", "owner: mark for this system, * for any", &o.system, NULL},
        {"linux", NULL, "init: tracks of twelve records of 4096 zeros", NULL, &o.linux_tracks},
        {"shadow-of", "FILE", "init: a shadow, read through to FILE, which must not change",
         &o.shadow_of, NULL},
        {"compress", "zlib|none", "cckd: zlib unless given", &o.compress, NULL},
        {"json", NULL, "what is told, as JSON", NULL, &o.json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    return cli_verb_parse(argc, argv, USAGE, options, verbs, &o);
}
