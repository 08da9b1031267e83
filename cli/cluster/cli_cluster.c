/* endicott cluster: what belongs to a cluster's folder as a whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "cli/cluster/keys.h"
#include "cli/rundir.h"

#define CLUSTER_USAGE "cluster VERB DIR [options]"

struct cluster_options {
    const char *days;
    bool force, revoke;
};

static void tell_written(void *ctx, const char *path)
{
    (void)ctx;
    printf("%s\n", path);
}

static int refused(const struct cause *cause)
{
    fprintf(stderr, "endicott cluster: %s\n", cause->text);
    return cli_exit_of(cause->status);
}

/* The cluster's SSI statement, as any member of the folder has it; NULL with a cause. */
static struct system_config *cluster_config(const char *dir, struct cause *cause)
{
    char names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    struct system_config *config = NULL;
    if (!cli_members_of(dir, names, NULL, cause) || config_load(dir, names[0], &config, cause))
        return NULL;
    if (config->in_ssi)
        return config;
    cause_set(cause, ST_CONFIG, "%s: system.config has no SSI statement", config->dir);
    config_free(config);
    return NULL;
}

/* Is everybody who was named in the cluster, and without keys (or is it --force)? */
static int check_named(const struct keys_request *r, const struct system_config *config,
                       const char *const *words, unsigned n, struct cause *cause)
{
    char member[CONFIG_NAME_BYTES];
    for (unsigned i = 0; i < n; i++) {
        if (!rundir_name(words[i], member) || !config_slot_of(config, member))
            return cause_set(cause, ST_CONFIG, "%s is not in the SSI statement of %s", words[i],
                             config->path);
        if (!r->force && keys_there(r->dir, member))
            return cause_set(cause, ST_EXIST, "%s/%s.pem is there: --force makes a new one",
                             r->dir, member);
    }
    return ST_OK;
}

static int named(const struct keys_request *r, const char *const *words, unsigned n,
                 struct cause *cause)
{
    char member[CONFIG_NAME_BYTES];
    int rc = ST_OK;
    for (unsigned i = 0; i < n && !rc; i++) {
        rundir_name(words[i], member);
        rc = keys_member(r, member, cause);
    }
    return rc;
}

/* All that have none; `*made` counts. With --force all. */
static int missing(const struct keys_request *r, const struct system_config *config,
                   unsigned *made, struct cause *cause)
{
    int rc = ST_OK;
    for (unsigned i = 0; i < CONFIG_SLOTS_MAX && !rc; i++) {
        const char *member = config->slots[i].member;
        if (!member[0] || (!r->force && keys_there(r->dir, member)))
            continue;
        rc = keys_member(r, member, cause);
        *made += rc == ST_OK;
    }
    return rc;
}

static int keys_run(const struct keys_request *r, const struct system_config *config,
                    const char *const *members, unsigned n)
{
    struct cause cause = {0};
    unsigned made = 0;
    int rc = check_named(r, config, members, n, &cause);
    if (!rc)
        rc = keys_authority(r, &cause);
    if (!rc && n)
        rc = named(r, members, made = n, &cause);
    else if (!rc)
        rc = missing(r, config, &made, &cause);
    if (rc)
        return refused(&cause);
    if (!made) {
        fprintf(stderr, "endicott cluster: %s: all members have keys; --force makes new ones\n",
                r->dir);
        return EXIT_USAGE;
    }
    printf(
        "%u members of cluster %s have new keys, good for %d days; members that run take them "
        "when they start anew\n",
        made, r->cluster, r->days);
    return EXIT_WELL;
}

/* What was made for them so far is not taken any more. */
static int revoke_run(const struct keys_request *r, const char *const *words, unsigned n)
{
    char member[CONFIG_NAME_BYTES];
    struct cause cause = {0};
    if (!n) {
        fprintf(stderr, "endicott cluster: keys --revoke takes the names of members\n");
        return EXIT_USAGE;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned count = 0;
        int rc = rundir_name(words[i], member)
                     ? keys_revoke(r, member, &count, &cause)
                     : cause_set(&cause, ST_CONFIG, "%s is no name of a member", words[i]);
        if (rc)
            return refused(&cause);
        printf("%u certificates of %s are revoked; every member needs %s/crl.pem, and reads it "
               "when it changes; cluster keys DIR %s --force makes another\n",
               count, member, r->dir, member);
    }
    return EXIT_WELL;
}

static int keys_verb(const char *const *operand, unsigned operands, const void *options)
{
    const struct cluster_options *o = options;
    char dir[CONFIG_PATH_BYTES], folder[CONFIG_PATH_BYTES + 8], *end = NULL;
    struct cause cause = {0};
    long days = strtol(o->days, &end, 10);
    if (!operands || *end || days < 1 || days > KEYS_DAYS_MAX) {
        fprintf(stderr,
                operands ? "endicott cluster: --days: 1 to %d\n"
                         : "endicott cluster: keys takes a cluster's folder\n",
                KEYS_DAYS_MAX);
        return EXIT_USAGE;
    }
    if (!cli_folder("cluster", operand[0], dir))
        return EXIT_USAGE;
    struct system_config *config = cluster_config(dir, &cause);
    if (!config)
        return refused(&cause);
    snprintf(folder, sizeof folder, "%s/keys", dir);
    const struct keys_request request = {.dir = folder,
                                         .cluster = config->ssi_name,
                                         .force = o->force,
                                         .days = (int)days,
                                         .wrote = tell_written};
    int status = o->revoke ? revoke_run(&request, operand + 1, operands - 1)
                           : keys_run(&request, config, operand + 1, operands - 1);
    config_free(config);
    return status;
}

static const struct cli_verb verbs[] = {
    {"keys", "cluster keys DIR [MEMBER...] [--force] [--days N] [--revoke]", keys_verb},
    {NULL, NULL, NULL},
};

int cli_cluster(int argc, char **argv)
{
    struct cluster_options o = {.days = "730"};
    const struct cli_option options[] = {
        {"force", NULL, "keys: new ones for members that have some; the authority stays", NULL,
         &o.force},
        {"revoke", NULL,
         "keys: put what was made for these members on the list of revoked ones", NULL,
         &o.revoke},
        {"days", "N", "keys: until the certificates expire (730)", &o.days, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    return cli_verb_parse(argc, argv, CLUSTER_USAGE, options, verbs, &o);
}
