/* endicott tape: tape volumes made, looked at and converted. A volume that a drive has loaded is
 * locked and refused. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/ebcdic.h"
#include "io/tape/tape_file.h"

#define USAGE "tape init|info|ls|convert ..."
#define LABEL_BYTES 80u
#define NAME_BYTES 45u
#define PROGRESS_BYTES (1u << 20)

/** What lies between two marks. */
struct part {
    u32 blocks, shortest, longest;
    u64 bytes;
};

struct figures {
    struct part all;
    u32 marks, compressed;
    u64 stored;
    char volume[NAME_BYTES];
    char dataset[NAME_BYTES]; /* of the last header label */
};

static int fail(int status, const struct cause *cause)
{
    fprintf(stderr, "endicott tape: %s\n", cause->text);
    return cli_exit_of(status);
}

static int usage(const char *what, const char *arg)
{
    fprintf(stderr, "endicott tape: %s: %s\n", arg, what);
    return EXIT_USAGE;
}

static void part_add(struct part *p, u32 len)
{
    p->shortest = p->blocks && p->shortest < len ? p->shortest : len;
    p->longest = p->longest > len ? p->longest : len;
    p->blocks++;
    p->bytes += len;
}

/* A field of a standard label, without the blanks at its end. */
static void label_field(const u8 *block, unsigned at, unsigned width, char out[NAME_BYTES])
{
    char text[2 * NAME_BYTES];
    size_t n = ebcdic_to_utf8(EBCDIC_037, block + at, width, text);
    while (n && text[n - 1] == ' ')
        n--;
    n = n < NAME_BYTES ? n : NAME_BYTES - 1;
    memcpy(out, text, n);
    out[n] = 0;
}

static void label_look(struct figures *f, const u8 *block, u32 len)
{
    static const u8 vol1[] = {0xe5, 0xd6, 0xd3, 0xf1}, hdr1[] = {0xc8, 0xc4, 0xd9, 0xf1};
    if (len != LABEL_BYTES)
        return;
    if (memcmp(block, vol1, sizeof vol1) == 0)
        label_field(block, 4, 6, f->volume);
    if (memcmp(block, hdr1, sizeof hdr1) == 0)
        label_field(block, 4, 17, f->dataset);
}

/* ---- walking ---- */

typedef int block_fn(void *arg, const u8 *block, u32 len, struct cause *cause);
typedef int mark_fn(void *arg, struct cause *cause);

/* By the bytes of the file, when another piece of it is done; the piece. */
static u64 progress(const struct tape_file *t, u64 was, bool end)
{
    u64 at, size;
    tape_file_place(t, &at, &size);
    u64 total = size / PROGRESS_BYTES + 1, done = end ? total : at / PROGRESS_BYTES;
    if (done != was)
        cli_progress((u32)done * CLI_PROGRESS_EVERY, (u32)total * CLI_PROGRESS_EVERY);
    return done;
}

/* Every block and mark in order; stops at the first that is not ST_OK. */
static int walk(struct tape_file *t, block_fn *on_block, mark_fn *on_mark, void *arg,
                struct cause *cause)
{
    u8 *buf = malloc(TAPE_BLOCK_BYTES_MAX);
    u64 done = 0;
    int rc = buf ? ST_OK : cause_set(cause, ST_NOMEM, "no memory");
    for (enum tape_item item = TAPE_BLOCK; rc == ST_OK && item != TAPE_EDGE;) {
        u32 len = 0;
        item = tape_file_read(t, buf, &len, cause);
        if (item == TAPE_DAMAGE)
            rc = cause->status;
        else if (item == TAPE_BLOCK)
            rc = on_block(arg, buf, len, cause);
        else if (item == TAPE_MARK)
            rc = on_mark(arg, cause);
        done = progress(t, done, item == TAPE_EDGE);
    }
    free(buf);
    return rc;
}

/* ---- info ---- */

struct info {
    struct tape_file *t;
    struct figures f;
};

static int info_block(void *arg, const u8 *block, u32 len, struct cause *cause)
{
    struct info *k = arg;
    bool compressed;
    (void)cause;
    part_add(&k->f.all, len);
    k->f.stored += tape_file_stored(k->t, &compressed);
    k->f.compressed += compressed;
    label_look(&k->f, block, len);
    return ST_OK;
}

static int info_mark(void *arg, struct cause *cause)
{
    (void)cause;
    ((struct info *)arg)->f.marks++;
    return ST_OK;
}

static void info_json(const char *path, const struct figures *f, const char *damage)
{
    json_t *out = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "file", path, "format",
        f->compressed ? "HET" : "AWSTAPE", "blocks", (json_int_t)f->all.blocks, "marks",
        (json_int_t)f->marks, "bytes", (json_int_t)f->all.bytes, "storedBytes",
        (json_int_t)f->stored, "compressedBlocks", (json_int_t)f->compressed, "shortestBlock",
        (json_int_t)f->all.shortest, "longestBlock", (json_int_t)f->all.longest);
    if (f->volume[0])
        json_object_set_new(out, "volume", json_string(f->volume));
    if (damage)
        json_object_set_new(out, "damage", json_string(damage));
    json_dumpf(out, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(out);
}

static int tape_info(const char *const *operand, unsigned operands, const void *options)
{
    bool json = *(const bool *)options;
    struct info k = {0};
    struct cause cause = {0};
    if (operands != 1)
        return usage("one file is needed", "info");
    int rc = tape_file_open(operand[0], TAPE_READ_ONLY, &k.t, &cause);
    if (rc)
        return fail(rc, &cause);
    rc = walk(k.t, info_block, info_mark, &k, &cause);
    if (json) {
        info_json(operand[0], &k.f, rc ? cause.text : NULL);
    } else {
        printf("%s: %s%s%s, %u blocks of %u to %u bytes, %u tape marks\n", operand[0],
               k.f.compressed ? "HET" : "AWSTAPE", k.f.volume[0] ? ", volume " : "", k.f.volume,
               k.f.all.blocks, k.f.all.shortest, k.f.all.longest, k.f.marks);
        printf("%llu bytes, stored in %llu, %u blocks compressed\n",
               (unsigned long long)k.f.all.bytes, (unsigned long long)k.f.stored,
               k.f.compressed);
    }
    tape_file_close(k.t);
    return rc ? fail(rc, &cause) : EXIT_WELL;
}

/* ---- ls ---- */

struct ls {
    struct part part;
    struct figures f;
    u32 file;
    json_t *json; /* NULL: told as text */
};

static int ls_block(void *arg, const u8 *block, u32 len, struct cause *cause)
{
    struct ls *k = arg;
    (void)cause;
    part_add(&k->part, len);
    label_look(&k->f, block, len);
    return ST_OK;
}

static void ls_file(struct ls *k)
{
    const struct part *p = &k->part;
    if (k->json)
        json_array_append_new(
            k->json, json_pack("{s:I, s:I, s:I, s:I, s:I, s:s}", "file", (json_int_t)k->file,
                               "blocks", (json_int_t)p->blocks, "bytes", (json_int_t)p->bytes,
                               "shortestBlock", (json_int_t)p->shortest, "longestBlock",
                               (json_int_t)p->longest, "dataset", k->f.dataset));
    else
        printf("%4u %8u blocks %12llu bytes  %5u-%u  %s\n", k->file, p->blocks,
               (unsigned long long)p->bytes, p->shortest, p->longest, k->f.dataset);
}

static int ls_mark(void *arg, struct cause *cause)
{
    struct ls *k = arg;
    (void)cause;
    k->file++;
    ls_file(k);
    k->part = (struct part){0};
    return ST_OK;
}

static int tape_ls(const char *const *operand, unsigned operands, const void *options)
{
    bool json = *(const bool *)options;
    struct ls k = {.json = json ? json_array() : NULL};
    struct cause cause = {0};
    struct tape_file *t;
    if (operands != 1)
        return usage("one file is needed", "ls");
    int rc = tape_file_open(operand[0], TAPE_READ_ONLY, &t, &cause);
    if (rc)
        return fail(rc, &cause);
    rc = walk(t, ls_block, ls_mark, &k, &cause);
    if (k.part.blocks) /* behind the last mark */
        ls_mark(&k, &cause);
    if (k.json) {
        json_dumpf(k.json, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(k.json);
    }
    tape_file_close(t);
    return rc ? fail(rc, &cause) : EXIT_WELL;
}

/* ---- init, convert ---- */

static int tape_init(const char *const *operand, unsigned operands, const void *options)
{
    struct cause cause;
    (void)options;
    if (operands != 1)
        return usage("one file is needed", "init");
    int rc = tape_file_create(operand[0], &cause);
    return rc ? fail(rc, &cause) : EXIT_WELL;
}

static int copy_block(void *arg, const u8 *block, u32 len, struct cause *cause)
{
    return tape_file_write(arg, block, len, cause);
}

static int copy_mark(void *arg, struct cause *cause)
{
    return tape_file_mark(arg, cause);
}

static int convert(struct tape_file *from, const char *path, struct cause *cause)
{
    struct tape_file *to;
    int rc = tape_file_create(path, cause);
    if (rc)
        return rc;
    rc = tape_file_open(path, tape_file_flags_of(path), &to, cause);
    if (rc == ST_OK) {
        rc = walk(from, copy_block, copy_mark, to, cause);
        if (rc == ST_OK)
            rc = tape_file_sync(to, cause);
        tape_file_close(to);
    }
    if (rc)
        unlink(path);
    return rc;
}

static int tape_convert(const char *const *operand, unsigned operands, const void *options)
{
    struct tape_file *from;
    struct cause cause = {0};
    (void)options;
    if (operands != 2)
        return usage("two files are needed: FROM TO (TO.het is compressed)", "convert");
    int rc = tape_file_open(operand[0], TAPE_READ_ONLY, &from, &cause);
    if (rc)
        return fail(rc, &cause);
    rc = convert(from, operand[1], &cause);
    tape_file_close(from);
    return rc ? fail(rc, &cause) : EXIT_WELL;
}

static const struct cli_verb verbs[] = {
    {"init", "tape init FILE", tape_init},
    {"info", "tape info FILE [--json]", tape_info},
    {"ls", "tape ls FILE [--json]", tape_ls},
    {"convert", "tape convert FROM TO", tape_convert},
    {NULL, NULL, NULL},
};

int cli_tape(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {
        {"json", NULL, "info, ls: as JSON", NULL, &json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    return cli_verb_parse(argc, argv, USAGE, options, verbs, &json);
}
