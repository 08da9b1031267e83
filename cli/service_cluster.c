/* The cluster as `endicott service` sees it: QUERY SSI, QUERY NAMES and commands at members. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "cli/service.h"

struct service_member *service_find(struct service_cluster *c, const char *name)
{
    for (unsigned i = 0; i < c->count; i++)
        if (!strcasecmp(c->member[i].name, name))
            return &c->member[i];
    return NULL;
}

unsigned service_joined(const struct service_cluster *c)
{
    unsigned n = 0;
    for (unsigned i = 0; i < c->count; i++)
        n += c->member[i].joined;
    return n;
}

/* --- commands ------------------------------------------------------------------------------ */

static char *lines_of(const json_t *result)
{
    const json_t *lines = json_object_get(result, "lines"), *line;
    size_t i, len = 1;
    json_array_foreach((json_t *)(uintptr_t)lines, i, line) len +=
        strlen(json_string_value(line)) + 1;
    char *text = calloc(1, len), *p = text;
    json_array_foreach((json_t *)(uintptr_t)lines, i, line) if (text) p +=
        sprintf(p, "%s\n", json_string_value(line));
    return text;
}

/* Who passes on what a member on another host is asked. */
static const char *speaker(struct service_cluster *c, const char *member, bool *directly)
{
    const struct service_member *m = service_find(c, member);
    *directly = m && m->here;
    if (*directly)
        return m->name;
    for (unsigned i = 0; i < c->count; i++)
        if (c->member[i].here && (!m || &c->member[i] != m))
            return c->member[i].name;
    return NULL;
}

int service_cp(struct service_cluster *c, const char *member, const char *command, char **text,
               struct cause *cause)
{
    char whole[512];
    bool directly;
    const char *by = speaker(c, member, &directly);
    if (text)
        *text = NULL;
    if (!by)
        return cause_set(cause, ST_NOENT, "no member on this host can ask %s", member);
    snprintf(whole, sizeof whole, "%s%s%s%s", directly ? "" : "AT ", directly ? "" : member,
             directly ? "" : " CMD ", command);
    struct rpc *rpc = rpc_open(by, cause);
    json_t *result =
        rpc ? rpc_call(rpc, "cp", json_pack("{s:s}", "command", whole), cause) : NULL;
    rpc_close(rpc);
    if (!result)
        return cause->status;
    int rc = (int)json_integer_value(json_object_get(result, "rc"));
    if (text)
        *text = lines_of(result);
    json_decref(result);
    return rc;
}

/* --- looking ------------------------------------------------------------------------------- */

/* "   1 MEMBERA  Joined    ..." */
static void take_row(struct service_cluster *c, const char *line)
{
    char name[16], state[16];
    unsigned slot;
    if (sscanf(line, " %u %15s %15s", &slot, name, state) != 3)
        return;
    struct service_member *m = service_find(c, name);
    if (m && !strcmp(state, "Joined"))
        m->joined = true;
}

/* What a member says of the cluster; false: it does not. */
static bool ask(struct service_cluster *c, const struct service_member *m)
{
    struct cause cause;
    char *text, *line, *rest;
    if (service_cp(c, m->name, "QUERY SSI", &text, &cause) || !text)
        return free(text), false;
    bool stable = strstr(text, "SSI Mode: Stable") != NULL;
    for (rest = text; (line = strsep(&rest, "\n"));)
        take_row(c, line);
    free(text);
    return stable;
}

int service_look(struct service_cluster *c)
{
    char names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    struct rundir_member who;
    struct cause cause = {0};
    c->count = cli_members_of(c->dir, names, NULL, &cause);
    if (!c->count)
        return cli_complain("service", &cause);
    for (unsigned i = 0; i < c->count; i++) {
        struct service_member *m = &c->member[i];
        *m = (struct service_member){0};
        strcpy(m->name, names[i]);
        m->here = rundir_find(m->name, &who) && !strcmp(who.dir, c->dir);
    }
    c->stable = true;
    for (unsigned i = 0; i < c->count; i++)
        if (c->member[i].here)
            c->stable &= ask(c, &c->member[i]);
    return EXIT_WELL;
}

/* --- guests -------------------------------------------------------------------------------- */

/* "LINUX1   - DSC  , OPERATOR - L0001," */
static bool take_names(char *line, struct service_guest *guests, unsigned *count)
{
    char *one;
    while ((one = strsep(&line, ","))) {
        char userid[CONFIG_NAME_BYTES], where[16];
        if (sscanf(one, " %8s - %15s", userid, where) != 2)
            continue;
        if (*count == SERVICE_GUESTS_MAX)
            return false;
        struct service_guest *g = &guests[(*count)++];
        *g = (struct service_guest){.disconnected = !strcmp(where, "DSC")};
        strcpy(g->userid, userid);
    }
    return true;
}

/* Who of them may be elsewhere; the operator is not one of them. */
static int sort_out(struct service_cluster *c, const char *member, struct service_guest *guests,
                    unsigned count, struct cause *cause)
{
    char path[CONFIG_PATH_BYTES + 16];
    struct directory *dir;
    struct system_config *config;
    unsigned kept = 0;
    snprintf(path, sizeof path, "%s/user.direct", c->dir);
    if (config_load(c->dir, member, &config, cause))
        return -1;
    if (directory_load(path, member, &dir, cause))
        return config_free(config), -1;
    for (unsigned i = 0; i < count; i++) {
        const struct dir_entry *e = directory_find(dir, guests[i].userid);
        if (!strcmp(guests[i].userid, config->features.operator_userid))
            continue;
        guests[kept] = guests[i];
        guests[kept++].single = e && e->kind == DIR_USER;
    }
    directory_free(dir);
    config_free(config);
    return (int)kept;
}

int service_guests(struct service_cluster *c, const char *member,
                   struct service_guest guests[SERVICE_GUESTS_MAX], struct cause *cause)
{
    char command[64], *text, *line, *rest;
    unsigned count = 0;
    snprintf(command, sizeof command, "QUERY NAMES AT %s", member);
    int rc = service_cp(c, member, command, &text, cause);
    bool room = true;
    for (rest = rc ? NULL : text; room && (line = strsep(&rest, "\n"));)
        room = take_names(line, guests, &count);
    if (rc > 0)
        cause_set(cause, ST_REFUSED, "QUERY NAMES: %s", text ? text : "");
    if (!room)
        rc =
            cause_set(cause, ST_LIMIT, "more than %u guests at %s", SERVICE_GUESTS_MAX, member);
    free(text);
    return rc ? -1 : sort_out(c, member, guests, count, cause);
}
