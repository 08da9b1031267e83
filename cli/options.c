/* Option parsing for all commands: full names only, unknown ones are errors, --help on stdout.
 * Numbers and sizes are the commands' business. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "mem/base/status.h"

static void print_help(const char *usage, const struct cli_option *options)
{
    printf("usage: endicott %s\n", usage);
    for (const struct cli_option *o = options; o->name; o++)
        if (o->help)
            printf("  %s%-10s %-22s %s\n", strlen(o->name) == 1 ? "-" : "--", o->name,
                   o->operand ? o->operand : "", o->help);
}

static int usage_error(const char *usage, const char *what, const char *arg)
{
    fprintf(stderr, "endicott: %s: %s\nusage: endicott %s\n", arg, what, usage);
    return -1;
}

static const struct cli_option *find(const struct cli_option *options, const char *arg,
                                     const char **inline_value)
{
    size_t dashes = arg[1] == '-' ? 2 : 1;
    const char *name = arg + dashes;
    const char *eq = strchr(name, '=');
    size_t len = eq ? (size_t)(eq - name) : strlen(name);
    *inline_value = eq ? eq + 1 : NULL;
    for (const struct cli_option *o = options; o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0 &&
            (len == 1) == (dashes == 1))
            return o;
    return NULL;
}

/** Where the option's value goes: behind those it has if it may be given often. NULL: full. */
static const char **value_place(const struct cli_option *o)
{
    size_t n = o->operand ? strlen(o->operand) : 0;
    if (n < 3 || strcmp(o->operand + n - 3, "..."))
        return o->value;
    for (unsigned i = 0; i < CLI_MANY_MAX; i++)
        if (!o->value[i])
            return &o->value[i];
    return NULL;
}

int cli_parse(int argc, char **argv, const char *usage, const struct cli_option *options,
              bool stop_at_operand)
{
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        const char *inline_value;
        if (strcmp(argv[i], "--") == 0) {
            memmove(&argv[kept], &argv[i + 1], sizeof *argv * (size_t)(argc - i - 1));
            for (int k = kept + argc - i - 1; k < argc; k++)
                argv[k] = NULL;
            return 1;
        }
        if (argv[i][0] != '-' || argv[i][1] == 0) {
            if (stop_at_operand && kept == 1) {
                int n = argc - i;
                memmove(&argv[1], &argv[i], sizeof *argv * (size_t)n);
                for (int k = 1 + n; k < argc; k++)
                    argv[k] = NULL;
                return 1;
            }
            argv[kept++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--help") == 0) {
            print_help(usage, options);
            return -2;
        }
        const struct cli_option *o = find(options, argv[i], &inline_value);
        if (!o)
            return usage_error(usage, "no such option", argv[i]);
        if (o->flag) {
            *o->flag = true;
            if (inline_value && !o->value)
                return usage_error(usage, "takes no value", argv[i]);
        }
        if (o->value && !(o->flag && !inline_value)) {
            const char **place = value_place(o);
            if (!inline_value && i + 1 >= argc)
                return usage_error(usage, "needs a value", argv[i]);
            if (!place)
                return usage_error(usage, "given too often", argv[i]);
            *place = inline_value ? inline_value : argv[++i];
        }
    }
    for (int k = kept; k < argc; k++)
        argv[k] = NULL;
    return 1;
}

int cli_exit_of(int status)
{
    switch (status) {
    case ST_OK: return EXIT_WELL;
    case ST_INVAL:
    case ST_CONFIG:
    case ST_NOENT: return EXIT_USAGE;
    case ST_NOMEM:
    case ST_PERM:
    case ST_LIMIT:
    case ST_EXIST: return EXIT_RESOURCE;
    case ST_TIMEOUT: return EXIT_TIMEOUT;
    default: return EXIT_INTERNAL;
    }
}

static void verbs_tell(FILE *to, const struct cli_verb *verbs)
{
    for (const struct cli_verb *verb = verbs; verb->name; verb++)
        fprintf(to, "  endicott %s\n", verb->usage);
}

static int verb_run(int argc, char **argv, const char *usage, const struct cli_verb *verbs,
                    const void *options)
{
    const struct cli_verb *verb = verbs;
    while (verb->name && !(argc > 1 && argv[1] && strcmp(argv[1], verb->name) == 0))
        verb++;
    if (!verb->name) {
        fprintf(stderr, "usage: endicott %s\n", usage);
        verbs_tell(stderr, verbs);
        return EXIT_USAGE;
    }
    unsigned operands = 0;
    while (2 + (int)operands < argc && argv[2 + operands])
        operands++;
    int status = verb->run((const char *const *)argv + 2, operands, options);
    if (status == EXIT_USAGE && operands == 0)
        fprintf(stderr, "usage: endicott %s\n", verb->usage);
    return status;
}

int cli_verb_parse(int argc, char **argv, const char *usage, const struct cli_option *options,
                   const struct cli_verb *verbs, const void *values)
{
    int first = cli_parse(argc, argv, usage, options, false);
    if (first == -2)
        verbs_tell(stdout, verbs);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    return verb_run(argc, argv, usage, verbs, values);
}
