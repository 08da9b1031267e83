/* The program: one function per command of the command line, exit statuses, option parsing.
 * The contract is DESIGN.md section 6; `endicott COMMAND --help` prints each one's options. */
#ifndef ENDICOTT_CLI_CLI_H
#define ENDICOTT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "mem/base/bytes.h"

enum cli_exit {
    EXIT_WELL = 0,
    EXIT_INTERNAL = 1,      /* internal error, or a CP command that failed */
    EXIT_USAGE = 2,         /* usage or configuration */
    EXIT_RESOURCE = 3,      /* host memory, port, permission */
    EXIT_DISABLED_WAIT = 4, /* guest in a disabled wait whose address is not 0 */
    EXIT_CHECK_STOP = 5,    /* guest check-stop or interrupt loop */
    EXIT_RELOCATION = 6,    /* relocation failed or refused */
    EXIT_JOIN = 7,          /* join refused */
    EXIT_TIMEOUT = 8,       /* time limit reached */
    EXIT_MISMATCH = 9,      /* script mismatch */
};

#define CLI_MANY_MAX 1024

/** One option: `--name` with a value unless `flag`; `value` or `set` receives it. */
struct cli_option {
    const char *name; /* "kernel"; one letter for `-m` */
    const char
        *operand; /* "FILE" in help; NULL for a flag. With "..." at its end the option may be
                          * given CLI_MANY_MAX times: `value` is an array, NULL behind the last */
    const char *help; /* NULL: for tests, --help does not tell of it */
    const char **value;
    bool *flag;
};

/**
 * Parse argv[1..] by `options` (ended by a NULL name). Options are spelled in full; `--name=V` and
 * `--name V`. Stops at the first operand when `stop_at_operand`. Returns the index of the first
 * operand, or -1 after printing why and the usage line on standard error, or -2 after `--help`
 * was answered on standard output. Operands are moved behind the options.
 */
int cli_parse(int argc, char **argv, const char *usage, const struct cli_option *options,
              bool stop_at_operand);

/** Exit status for a host status of mem/base/status.h. */
int cli_exit_of(int status);

/** Of long work: a bar on standard error, if that is a terminal, at each 200th call with `done` one
 *  more; it ends with done == total. */
#define CLI_PROGRESS_EVERY 200u
void cli_progress(u32 done, u32 total);

/** The commands; argv[0] is the command's name. Each returns an exit status. */
#define COMMAND(name, fn, operands, help) int fn(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

/** A verb of a command that has several, as in `endicott dasd init`. */
struct cli_verb {
    const char *name, *usage;
    int (*run)(const char *const *operand, unsigned operands, const void *options);
};
/** Parses what is there by `options`, whose values are in `values`, and runs the verb that argv[1]
 *  names with the operands behind it; `verbs` ends with a NULL name. Exit status; EXIT_USAGE with
 *  the usage when there is no such verb. --help tells of all verbs. */
int cli_verb_parse(int argc, char **argv, const char *usage, const struct cli_option *options,
                   const struct cli_verb *verbs, const void *values);

#endif
