/* endicott: finds the command and runs it.
 * Commands live in files of their own; the table is commands.def. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define ENDICOTT_VERSION "0.1.0"

/* Libraries found and not found at build time, each followed by a comma; from the Makefile. */
#ifndef BUILT_WITH
#define BUILT_WITH ""
#define BUILT_WITHOUT ""
#endif

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *operands, *help;
} commands[] = {
#define COMMAND(name, fn, operands, help) {name, fn, operands, help},
#include "cli/commands.def"
#undef COMMAND
};

static void print_help(void)
{
    printf("usage: endicott COMMAND [options]\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        printf("  %-10s %-34s %s\n", commands[i].name, commands[i].operands, commands[i].help);
    printf("`endicott COMMAND --help` tells a command's options.\n");
}

static void print_libraries(const char *what, const char *list)
{
    if (*list)
        printf("%s: %.*s\n", what, (int)strlen(list) - 1, list);
}

static void print_version(void)
{
    printf("endicott %s\n", ENDICOTT_VERSION);
    print_libraries("built with", BUILT_WITH);
    print_libraries("built without", BUILT_WITHOUT);
}

/* Started with a standard stream closed: no file of ours may get its number. */
static void streams_open(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    streams_open();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2) {
        fprintf(stderr, "endicott: a command is missing; see endicott --help\n");
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return EXIT_WELL;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXIT_WELL;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "endicott: %s: no such command; see endicott --help\n", argv[1]);
    return EXIT_USAGE;
}
