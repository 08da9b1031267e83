/* endicott snapshot: a guest into a file and back, by SNAPSHOT of its member; what is in a file is
 * told without one. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "hyp/snapshot/snapshot_file.h"

#define USAGE "snapshot save|restore|info ..."
#define SAVE_USAGE "snapshot save [-m MEMBER] [--suspend] [--compress] [--replace] USERID FILE"
#define RESTORE_USAGE "snapshot restore [-m MEMBER] [--force WHAT,...] [--verify] USERID FILE"
#define INFO_USAGE "snapshot info [--verify] [--json] FILE"

struct options {
    const char *member, *force;
    bool json, suspend, compress, replace, verify;
};

/* As the member finds it. */
static bool absolute(const char *file, char out[PATH_MAX])
{
    char folder[PATH_MAX] = "";
    bool has = *file == '/' || getcwd(folder, sizeof folder);
    int n = snprintf(out, PATH_MAX, "%s%s%s", folder, *folder ? "/" : "", file);
    if (has && n > 0 && n < PATH_MAX && !strpbrk(out, "\n\r") && file[strlen(file) - 1] != ' ')
        return true;
    fprintf(stderr, "endicott snapshot: %s: not a path for this\n", file);
    return false;
}

/* FORCE operands: separated by commas on the command line. */
static void put_force(const char *force, char *out, size_t room)
{
    *out = 0;
    if (!force)
        return;
    snprintf(out, room, " FORCE %s", force);
    for (char *c = out; *c; c++)
        *c = *c == ',' ? ' ' : *c;
}

static bool operands_are(unsigned are, unsigned needed, const char *usage)
{
    if (are && are != needed) /* without any the caller tells */
        fprintf(stderr, "usage: endicott %s\n", usage);
    return are == needed;
}

static int command(const char *member, const char *userid, const char *text)
{
    struct cause cause = {0};
    size_t i;
    const json_t *line;
    struct rpc *rpc = rpc_choose(member, userid, &cause);
    json_t *params = rpc ? json_pack("{s:s, s:s}", "user", "", "command", text) : NULL;
    json_t *result = params ? rpc_call(rpc, "cp", params, &cause) : NULL;
    if (rpc && !params)
        cause_set(&cause, ST_INVAL, "the command is not UTF-8");
    rpc_close(rpc);
    if (!result)
        return cli_complain("snapshot", &cause);
    bool bad = json_integer_value(json_object_get(result, "rc")) != 0;
    json_array_foreach(json_object_get(result, "lines"), i, line)
        fprintf(bad ? stderr : stdout, "%s\n", json_string_value(line));
    json_decref(result);
    return bad ? EXIT_INTERNAL : EXIT_WELL;
}

static int save(const char *const *operand, unsigned operands, const void *options)
{
    const struct options *o = options;
    char userid[CONFIG_NAME_BYTES], path[PATH_MAX], text[PATH_MAX + 64];
    if (!operands_are(operands, 2, SAVE_USAGE) || !cli_userid("snapshot", operand[0], userid) ||
        !absolute(operand[1], path))
        return EXIT_USAGE;
    snprintf(text, sizeof text, "SNAPSHOT SAVE %s%s%s%s TO %s", userid,
             o->suspend ? " SUSPEND" : "", o->compress ? " COMPRESS" : "",
             o->replace ? " REPLACE" : "", path);
    return command(o->member, userid, text);
}

static int restore(const char *const *operand, unsigned operands, const void *options)
{
    const struct options *o = options;
    char userid[CONFIG_NAME_BYTES], path[PATH_MAX], force[80], text[PATH_MAX + 160];
    if (!operands_are(operands, 2, RESTORE_USAGE) ||
        !cli_userid("snapshot", operand[0], userid) || !absolute(operand[1], path))
        return EXIT_USAGE;
    put_force(o->force, force, sizeof force);
    snprintf(text, sizeof text, "SNAPSHOT RESTORE %s%s%s FROM %s", userid, force,
             o->verify ? " VERIFY" : "", path);
    return command(o->member, NULL, text);
}

/* ---- info ---- */

static const char *when_text(u64 ns, char out[32])
{
    time_t seconds = (time_t)(ns / 1000000000u);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(out, 32, "%FT%TZ", &tm);
    return out;
}

static void info_json(const struct snapshot_info *i, bool verified)
{
    char when[32];
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:I, s:i, s:i, s:I, s:I, s:s, s:I, s:I, s:b}", "user", i->user,
        "member", i->member, "saved", when_text(i->when_ns, when), "storage_bytes",
        (json_int_t)i->storage_bytes, "cpus", (int)i->cpus, "disks", (int)i->disks, "pages",
        (json_int_t)i->frames, "stored_bytes", (json_int_t)i->stored_bytes, "packing",
        i->compressed ? "lz4" : "stored", "state_bytes", (json_int_t)i->state_len, "file_bytes",
        (json_int_t)i->file_bytes, "verified", verified);
    json_dumpf(all, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(all);
}

static void info_text(const struct snapshot_info *i, bool verified)
{
    char when[32];
    printf("user %s of %s, saved %s\n", i->user, *i->member ? i->member : "-",
           when_text(i->when_ns, when));
    printf("storage %lluM, %u CPUs, %u disks written to\n",
           (unsigned long long)(i->storage_bytes >> 20), i->cpus, i->disks);
    printf("%llu pages in %llu bytes (%s), state %llu bytes, file %llu bytes\n",
           (unsigned long long)i->frames, (unsigned long long)i->stored_bytes,
           i->compressed ? "LZ4" : "stored", (unsigned long long)i->state_len,
           (unsigned long long)i->file_bytes);
    if (verified)
        printf("all checksums are right\n");
}

static int info(const char *const *operand, unsigned operands, const void *options)
{
    const struct options *o = options;
    struct snapshot *s = NULL;
    struct cause cause = {0};
    if (!operands_are(operands, 1, INFO_USAGE))
        return EXIT_USAGE;
    int rc = snapshot_open(operand[0], &s, &cause);
    if (!rc && o->verify)
        rc = snapshot_verify(s, &cause);
    if (!rc)
        (o->json ? info_json : info_text)(snapshot_info(s), o->verify);
    snapshot_close(s);
    return rc ? cli_complain("snapshot", &cause) : EXIT_WELL;
}

static const struct cli_verb verbs[] = {
    {"save", SAVE_USAGE, save},
    {"restore", RESTORE_USAGE, restore},
    {"info", INFO_USAGE, info},
    {NULL, NULL, NULL},
};

int cli_snapshot(int argc, char **argv)
{
    struct options o = {0};
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; where the user is unless given, or the only one",
         &o.member, NULL},
        {"suspend", NULL, "save: the guest does not go on; it is logged off", NULL, &o.suspend},
        {"compress", NULL, "save: pages in LZ4", NULL, &o.compress},
        {"replace", NULL, "save: a snapshot that has this name gives way", NULL, &o.replace},
        {"force", "WHAT",
         "restore: ARCHITECTURE, STORAGE, ENTRY, DISKS, CLOCK; several by commas", &o.force,
         NULL},
        {"verify", NULL, "restore, info: look at all checksums", NULL, &o.verify},
        {"json", NULL, "info: as JSON", NULL, &o.json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    return cli_verb_parse(argc, argv, USAGE, options, verbs, &o);
}
