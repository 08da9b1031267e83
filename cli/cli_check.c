/* endicott config check, endicott directory check: files are read as a member would read them.
 * Also the commands that are announced but not there yet. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "hyp/directory.h"

#define CONFIG_USAGE "config check DIR"
#define DIRECTORY_USAGE "directory check FILE [-m MEMBER]"

/* `check` and one operand. */
static const char *check_operand(int argc, char **argv, const char *usage,
                                 const struct cli_option *options, int *status)
{
    int first = cli_parse(argc, argv, usage, options, false);
    *status = first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (first < 0)
        return NULL;
    if (argc < 3 || !argv[1] || strcmp(argv[1], "check") || !argv[2] || (argc > 3 && argv[3])) {
        fprintf(stderr, "usage: endicott %s\n", usage);
        return NULL;
    }
    return argv[2];
}

/* ---- directory ---- */

static void print_fault(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "endicott directory: %s\n", text);
}

static int directory_one(const char *file, const char *member)
{
    struct directory *dir;
    struct cause cause;
    if (directory_load(file, member, &dir, &cause)) {
        fprintf(stderr, "endicott directory: %s\n", cause.text);
        return EXIT_USAGE;
    }
    unsigned faults = directory_check(dir, file, print_fault, NULL);
    printf("%s: %u users%s%s\n", file, directory_count(dir), *member ? " at " : "", member);
    directory_free(dir);
    return faults ? EXIT_USAGE : EXIT_WELL;
}

int cli_directory(int argc, char **argv)
{
    const char *member = NULL;
    char name[CONFIG_NAME_BYTES] = "";
    const struct cli_option options[] = {
        {"m", "MEMBER", "as this member sees it", &member, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int status;
    const char *file = check_operand(argc, argv, DIRECTORY_USAGE, options, &status);
    if (!file)
        return status;
    if (member && !rundir_name(member, name)) {
        fprintf(stderr, "endicott directory: %s: not a member name\n", member);
        return EXIT_USAGE;
    }
    return directory_one(file, name);
}

/* ---- config ---- */

static int config_one(const char *dir, const char *member)
{
    struct system_config *config;
    struct cause cause;
    char path[CONFIG_PATH_BYTES + 16];
    if (config_load(dir, member, &config, &cause)) {
        fprintf(stderr, "endicott config: %s\n", cause.text);
        return EXIT_USAGE;
    }
    printf("%s: %s, %u processors%s%s\n", config->member, config->hardware.model->name,
           config->hardware.cpus, config->in_ssi ? ", member of " : "", config->ssi_name);
    config_free(config);
    snprintf(path, sizeof path, "%s/user.direct", dir);
    return directory_one(path, member);
}

int cli_config(int argc, char **argv)
{
    char dir[CONFIG_PATH_BYTES], names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    const struct cli_option options[] = {{NULL, NULL, NULL, NULL, NULL}};
    struct cause cause;
    int status;
    const char *operand = check_operand(argc, argv, CONFIG_USAGE, options, &status);
    if (!operand)
        return status;
    if (!cli_folder("config", operand, dir))
        return EXIT_USAGE;
    unsigned n = cli_members_of(dir, names, &cause);
    if (!n) {
        fprintf(stderr, "endicott config: %s\n", cause.text);
        return EXIT_USAGE;
    }
    status = EXIT_WELL;
    for (unsigned i = 0; i < n; i++) {
        int one = config_one(dir, names[i]);
        status = status ? status : one;
    }
    return status;
}

/* ---- later ---- */

int cli_later(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "endicott %s: not available yet\n", argv[0]);
    return EXIT_INTERNAL;
}
