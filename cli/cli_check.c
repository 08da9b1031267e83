/* endicott config check, endicott directory check, edit and hash: files are read as members would
 * read them, and everything is told that is wrong. Also the commands that are announced but not
 * there yet. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "hyp/config/directory_edit.h"
#include "hyp/config/fault.h"
#include "hyp/password.h"

#define CONFIG_USAGE "config check DIR [--json]"
#define DIRECTORY_USAGE "directory VERB [FILE] [options]"
#define PASSWORD_LINE_BYTES 256

/* ---- what was found ---- */

static json_t *fault_json(const struct fault *f)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:s}", "severity", fault_kind_name(f->kind), "file",
                     f->file, "line", (int)f->line, "column", (int)f->col, "text", f->text);
}

static void tell_json(const struct faults *faults, json_t *what)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < faults->count; i++)
        json_array_append_new(all, fault_json(&faults->all[i]));
    json_object_update_new(what, json_pack("{s:i, s:i, s:i, s:o}", "errors",
                                           (int)faults->of_kind[FAULT_ERROR], "warnings",
                                           (int)faults->of_kind[FAULT_WARNING], "notes",
                                           (int)faults->of_kind[FAULT_NOTE], "faults", all));
    json_dumpf(what, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
}

/* Faults on standard error, notes on standard output. */
static void tell_text(const struct faults *faults, const char *command)
{
    for (unsigned i = 0; i < faults->count; i++) {
        const struct fault *f = &faults->all[i];
        if (f->kind == FAULT_NOTE)
            printf("%s:%u:%u: note: %s\n", f->file, f->line, f->col, f->text);
        else
            fprintf(stderr, "endicott %s: %s:%u:%u: %s%s\n", command, f->file, f->line, f->col,
                    f->kind == FAULT_WARNING ? "warning: " : "", f->text);
    }
}

static int exit_of(const struct faults *faults)
{
    if (faults->of_kind[FAULT_ERROR])
        return EXIT_USAGE;
    return faults->of_kind[FAULT_WARNING] ? EXIT_INTERNAL : EXIT_WELL;
}

/* ---- directory ---- */

struct directory_options {
    const char *member, *method;
    bool json;
};

static int directory_check_verb(const char *const *operand, unsigned operands,
                                const void *options)
{
    const struct directory_options *o = options;
    char name[CONFIG_NAME_BYTES] = "";
    struct faults faults = {0};
    if (operands != 1 || (o->member && !rundir_name(o->member, name))) {
        fprintf(stderr, operands != 1 ? "endicott directory: check takes one file\n"
                                      : "endicott directory: that is no member name\n");
        return EXIT_USAGE;
    }
    const struct dir_check_for whom = {.member = name};
    unsigned users = directory_check_file(operand[0], &whom, o->member ? 1 : 0, &faults);
    if (o->json)
        tell_json(&faults, json_pack("{s:s, s:i}", "file", operand[0], "users", (int)users));
    else
        tell_text(&faults, "directory");
    if (!o->json && !faults.of_kind[FAULT_ERROR])
        printf("%s: %u users%s%s\n", operand[0], users, *name ? " at " : "", name);
    int status = exit_of(&faults);
    faults_free(&faults);
    return status;
}

/* A line of standard input without its end; false: there is none, or it is too long. */
static bool read_password(char line[PASSWORD_LINE_BYTES])
{
    char *typed = isatty(STDIN_FILENO) ? getpass("Password: ") : NULL;
    if (typed) {
        snprintf(line, PASSWORD_LINE_BYTES, "%s", typed);
        explicit_bzero(typed, strlen(typed));
        return true;
    }
    if (!fgets(line, PASSWORD_LINE_BYTES, stdin))
        return false;
    line[strcspn(line, "\n")] = 0;
    return true;
}

static int directory_hash_verb(const char *const *operand, unsigned operands,
                               const void *options)
{
    const struct directory_options *o = options;
    char line[PASSWORD_LINE_BYTES] = "", hash[DIR_PASSWORD_BYTES];
    struct cause cause = {.text = "a password is wanted on standard input"};
    (void)operand;
    if (operands) { /* others of this host would see it */
        fprintf(stderr, "endicott directory: hash reads the password from standard input\n");
        return EXIT_USAGE;
    }
    bool good = read_password(line) && !directory_hash(line, o->method, hash, &cause);
    explicit_bzero(line, sizeof line);
    if (good)
        puts(hash);
    else
        fprintf(stderr, "endicott directory: %s\n", cause.text);
    return good ? EXIT_WELL : EXIT_USAGE;
}

/* The editor works on a copy; true when it ends well. */
static bool run_editor(const char *file)
{
    const char *editor = getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR");
    char command[256];
    int status;
    snprintf(command, sizeof command, "%s \"$1\"", editor ? editor : "vi");
    pid_t pid = fork();
    if (!pid) {
        execl("/bin/sh", "sh", "-c", command, "sh", file, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           !WEXITSTATUS(status);
}

/* A file beside the directory with its text; false with a cause. */
static bool make_copy(const struct dir_file *f, char copy[CONFIG_PATH_BYTES + 16],
                      struct cause *cause)
{
    snprintf(copy, CONFIG_PATH_BYTES + 16, "%s.XXXXXX", f->path);
    int fd = mkstemp(copy);
    size_t n = strlen(f->text);
    bool good = fd >= 0 && write(fd, f->text, n) == (ssize_t)n;
    if (!good)
        cause_set(cause, ST_IO, "%s: %s", copy, strerror(errno));
    if (fd >= 0)
        close(fd);
    return good;
}

/* What has been edited, if it is well; the exit status. */
static int take_edited(struct dir_file *f, const char *copy)
{
    struct faults faults = {0};
    struct cause cause;
    char *text = scan_file(copy, &cause);
    bool good = text != NULL;
    if (good)
        directory_check(f->path, text, NULL, 0, &faults);
    tell_text(&faults, "directory");
    int status = exit_of(&faults);
    if (good && status != EXIT_USAGE && strcmp(text, f->text) != 0)
        good = !dir_file_replace(f, text, "editor", getlogin() ? getlogin() : "?", &cause);
    if (!good)
        fprintf(stderr, "endicott directory: %s\n", cause.text);
    if (!good || status == EXIT_USAGE)
        fprintf(stderr, "endicott directory: what was edited is kept in %s\n", copy);
    else
        unlink(copy);
    faults_free(&faults);
    free(text);
    return good ? status : EXIT_RESOURCE;
}

static int directory_edit_verb(const char *const *operand, unsigned operands,
                               const void *options)
{
    char copy[CONFIG_PATH_BYTES + 16];
    struct dir_file f;
    struct cause cause = {0};
    (void)options;
    if (operands != 1) {
        fprintf(stderr, "endicott directory: edit takes one file\n");
        return EXIT_USAGE;
    }
    int rc = dir_file_open(operand[0], &f, &cause);
    if (!rc && !make_copy(&f, copy, &cause))
        rc = cause.status;
    if (rc) {
        fprintf(stderr, "endicott directory: %s: %s\n", operand[0], cause.text);
        dir_file_close(&f);
        return cli_exit_of(rc);
    }
    int status = EXIT_INTERNAL;
    if (run_editor(copy)) {
        status = take_edited(&f, copy);
    } else {
        fprintf(stderr, "endicott directory: the editor failed; nothing is changed\n");
        unlink(copy);
    }
    dir_file_close(&f);
    return status;
}

static const struct cli_verb directory_verbs[] = {
    {"check", "directory check FILE [-m MEMBER] [--json]", directory_check_verb},
    {"edit", "directory edit FILE", directory_edit_verb},
    {"hash", "directory hash [--method METHOD] <PASSWORD", directory_hash_verb},
    {NULL, NULL, NULL},
};

int cli_directory(int argc, char **argv)
{
    struct directory_options o = {0};
    const struct cli_option options[] = {
        {"m", "MEMBER", "check: as this member sees it; else as all of BUILD ON do", &o.member,
         NULL},
        {"json", NULL, "check: as JSON", NULL, &o.json},
        {"method", "METHOD", "hash: yescrypt (as if left out) or sha512", &o.method, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    return cli_verb_parse(argc, argv, DIRECTORY_USAGE, options, directory_verbs, &o);
}

/* ---- config ---- */

struct config_view {
    const char *dir;
    unsigned members, users;
    char names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    struct system_config *config[CONFIG_SLOTS_MAX];
    struct faults faults;
};

/* The files of every member, then the directory as all of them see it. */
static void config_look(struct config_view *v)
{
    struct dir_check_for whom[CONFIG_SLOTS_MAX];
    char path[CONFIG_PATH_BYTES + 16];
    for (unsigned i = 0; i < v->members; i++) {
        v->config[i] = config_check(v->dir, v->names[i], &v->faults);
        whom[i] = (struct dir_check_for){v->names[i], v->config[i]};
    }
    snprintf(path, sizeof path, "%s/user.direct", v->dir);
    v->users = directory_check_file(path, whom, v->members, &v->faults);
}

static json_t *config_json(const struct config_view *v)
{
    json_t *members = json_array();
    for (unsigned i = 0; i < v->members; i++)
        json_array_append_new(members, json_string(v->names[i]));
    return json_pack("{s:s, s:o, s:i}", "folder", v->dir, "members", members, "users",
                     (int)v->users);
}

static void config_tell(const struct config_view *v)
{
    tell_text(&v->faults, "config");
    if (v->faults.of_kind[FAULT_ERROR])
        return;
    for (unsigned i = 0; i < v->members; i++) {
        const struct system_config *c = v->config[i];
        printf("%s: %s, %u processors%s%s\n", c->member, c->hardware.model->name,
               c->hardware.cpus, c->in_ssi ? ", member of " : "", c->ssi_name);
    }
    printf("%s/user.direct: %u users\n", v->dir, v->users);
}

static int config_run(const char *dir, bool json)
{
    char folder[CONFIG_PATH_BYTES];
    struct config_view v = {.dir = folder};
    struct cause cause;
    if (!cli_folder("config", dir, folder))
        return EXIT_USAGE;
    v.members = cli_members_of(folder, v.names, &v.faults, &cause);
    if (!v.members) {
        fprintf(stderr, "endicott config: %s\n", cause.text);
        return EXIT_USAGE;
    }
    config_look(&v);
    if (json)
        tell_json(&v.faults, config_json(&v));
    else
        config_tell(&v);
    for (unsigned i = 0; i < v.members; i++)
        config_free(v.config[i]);
    int status = exit_of(&v.faults);
    faults_free(&v.faults);
    return status;
}

int cli_config(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {{"json", NULL, "as JSON", NULL, &json},
                                         {NULL, NULL, NULL, NULL, NULL}};
    int first = cli_parse(argc, argv, CONFIG_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc < 3 || !argv[1] || strcmp(argv[1], "check") || !argv[2] || (argc > 3 && argv[3])) {
        fprintf(stderr, "usage: endicott %s\n", CONFIG_USAGE);
        return EXIT_USAGE;
    }
    return config_run(argv[2], json);
}

/* ---- later ---- */

int cli_later(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "endicott %s: not available yet\n", argv[0]);
    return EXIT_INTERNAL;
}
