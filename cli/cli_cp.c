/* endicott cp, send, punch: one request to one member. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"

#define CP_USAGE "cp [-m MEMBER] [-u USERID] [--json] COMMAND..."
#define SEND_USAGE "send [-m MEMBER] -u USERID TEXT"
#define PUNCH_USAGE "punch [-m MEMBER] -u USERID FILE..."

static int usage(const char *what, const char *text)
{
    fprintf(stderr, "endicott: %s\nusage: endicott %s\n", what, text);
    return EXIT_USAGE;
}

/* ---- cp ---- */

static int show(json_t *result, bool json)
{
    size_t i;
    const json_t *line;
    int rc = (int)json_integer_value(json_object_get(result, "rc"));
    if (json) {
        json_dumpf(result, stdout, JSON_INDENT(1));
        putchar('\n');
    } else {
        json_array_foreach(json_object_get(result, "lines"), i, line)
            cli_put_line(json_string_value(line));
    }
    json_decref(result);
    return rc ? EXIT_INTERNAL : EXIT_WELL;
}

static int cp(const char *member, const char *userid, const char *text, bool json)
{
    struct cause cause = {0};
    struct rpc *rpc = rpc_choose(member, userid, &cause);
    json_t *params = json_pack("{s:s, s:s}", "user", userid ? userid : "", "command", text);
    json_t *result = NULL;
    if (rpc && params)
        result = rpc_call(rpc, "cp", params, &cause);
    else
        json_decref(params);
    rpc_close(rpc);
    if (rpc && !params)
        cause_set(&cause, ST_INVAL, "the command is not UTF-8");
    return result ? show(result, json) : cli_complain("cp", &cause);
}

int cli_cp(int argc, char **argv)
{
    const char *member = NULL, *user = NULL;
    bool json = false;
    char userid[CONFIG_NAME_BYTES];
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; needed when several run", &member, NULL},
        {"u", "USERID", "the user who issues it; the operator unless given", &user, NULL},
        {"json", NULL, "return code, lines and messages as JSON", NULL, &json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, CP_USAGE, options, true);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    char *text = argc > 1 ? cli_join(argv + 1) : NULL;
    if (!text)
        return usage("cp: a command is missing", CP_USAGE);
    int status = EXIT_USAGE;
    if (!user || cli_userid("cp", user, userid))
        status = cp(member, user ? userid : NULL, text, json);
    free(text);
    return status;
}

/* ---- send ---- */

int cli_send(int argc, char **argv)
{
    const char *member = NULL, *user = NULL;
    char userid[CONFIG_NAME_BYTES];
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; where the user is unless given", &member, NULL},
        {"u", "USERID", "whose console to type at", &user, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    struct cause cause = {0};
    int first = cli_parse(argc, argv, SEND_USAGE, options, true);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    char *text = argc > 1 ? cli_join(argv + 1) : NULL;
    if (!text || !user) {
        free(text);
        return usage("send: a user id and a text are needed", SEND_USAGE);
    }
    struct rpc *rpc = NULL;
    json_t *result = NULL;
    bool named = cli_userid("send", user, userid);
    if (named && (rpc = rpc_choose(member, userid, &cause)))
        result = rpc_call(rpc, "console.write",
                          json_pack("{s:s, s:s}", "user", userid, "text", text), &cause);
    rpc_close(rpc);
    free(text);
    int status = !named ? EXIT_USAGE : result ? EXIT_WELL : cli_complain("send", &cause);
    json_decref(result);
    return status;
}

/* ---- punch ---- */

static void copy_upper(const char *from, size_t len, char *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n + 1 < room; i++)
        out[n++] = from[i] >= 'a' && from[i] <= 'z' ? (char)(from[i] - 32) : from[i];
    out[n] = 0;
}

/* File name and type of a spool file: KERNEL, INITRAMF GZ. */
static void name_and_type(const char *path, char name[9], char type[9])
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const char *dot = strchr(base, '.'), *last = strrchr(base, '.');
    copy_upper(base, dot && dot > base ? (size_t)(dot - base) : strlen(base), name, 9);
    copy_upper(last ? last + 1 : "", last ? strlen(last + 1) : 0, type, 9);
}

static int punch_one(struct rpc *rpc, const char *userid, const char *file)
{
    char path[PATH_MAX], name[9], type[9];
    struct cause cause = {0};
    if (!realpath(file, path)) {
        fprintf(stderr, "endicott punch: %s: %s\n", file, strerror(errno));
        return EXIT_USAGE;
    }
    name_and_type(path, name, type);
    json_t *result = rpc_call(rpc, "spool.punch",
                              json_pack("{s:s, s:s, s:s, s:s}", "user", userid, "path", path,
                                        "name", name, "type", type),
                              &cause);
    if (!result)
        return cli_complain("punch", &cause);
    printf("%s: file %04d for %s at %s, %lld bytes\n", file,
           (int)json_integer_value(json_object_get(result, "id")), userid, rpc_member(rpc),
           (long long)json_integer_value(json_object_get(result, "bytes")));
    json_decref(result);
    return EXIT_WELL;
}

/* Looked at before the first is punched: a reader with some of its files is worse than none. */
static bool files_there(char **files)
{
    bool all = true;
    for (; *files; files++)
        if (access(*files, R_OK) != 0) {
            fprintf(stderr, "endicott punch: %s: %s; nothing is punched\n", *files,
                    strerror(errno));
            all = false;
        }
    return all;
}

/* Where the user is logged on, else the first member: a reader belongs to a user id there. */
static struct rpc *punch_member(const char *member, const char *userid, struct cause *cause)
{
    struct rundir_member list[RUNDIR_MEMBERS_MAX];
    struct rpc *rpc = rpc_choose(member, userid, cause);
    if (rpc || member || !rundir_list(list, cause))
        return rpc;
    return rpc_open(list[0].name, cause);
}

int cli_punch(int argc, char **argv)
{
    const char *member = NULL, *user = NULL;
    char userid[CONFIG_NAME_BYTES];
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; where the user is, else the first", &member, NULL},
        {"u", "USERID", "whose virtual reader", &user, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    struct cause cause = {0};
    int first = cli_parse(argc, argv, PUNCH_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (!user || argc < 2 || !argv[1])
        return usage("punch: a user id and a file are needed", PUNCH_USAGE);
    if (!cli_userid("punch", user, userid))
        return EXIT_USAGE;
    if (!files_there(argv + 1))
        return EXIT_USAGE;
    struct rpc *rpc = punch_member(member, userid, &cause);
    if (!rpc)
        return cli_complain("punch", &cause);
    int status = EXIT_WELL;
    for (int i = 1; i < argc && argv[i] && !status; i++)
        status = punch_one(rpc, userid, argv[i]);
    rpc_close(rpc);
    return status;
}
