/* Real printers and punches. [R1] A file leaves the spool when all of it is out and flushed:
 * after a kill it is put out again. [R2] In a folder a file has its name when it is whole.
 * [R3] What the host did not take is offered again. */
#include "hyp/spool/real_output.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/unitrec/unitrec_file.h"
#include "mem/base/log.h"

#define RECORDS_IN_STEP 2000u
#define SKIP_TO_TOP 0x8b
#define PATH_BYTES (2 * CONFIG_PATH_BYTES)
#define NAME_BYTES 128
#define NAME_TRIES_MAX 10000u
#define PROGRAM_WORDS 8

extern char **environ;

/* Located by: CP's list of them. */
struct real_output {
    struct spool *spool;
    const struct config_device *config;
    const char *dir;
    char classes[CONFIG_CLASSES_BYTES], form[SPOOL_WORD_BYTES];
    bool started, trouble;
    struct spool_file *file; /* being put out: nobody else takes it */
    struct spool_data data;
    struct spool_place place;
    u32 copies, copies_wanted; /* that are out */
    struct unitrec_file *out;
    char path[PATH_BYTES + 2 * NAME_BYTES],
        part[PATH_BYTES + 2 * NAME_BYTES]; /* of the file; of what is not whole yet */
    pid_t program;
};

static bool is_punch(const struct real_output *o)
{
    return o->config->type == 0x3525;
}

static const char *what(const struct real_output *o)
{
    return is_punch(o) ? "punch" : "printer";
}

static bool to_folder(const struct real_output *o)
{
    size_t n = strlen(o->config->file);
    return n && o->config->file[n - 1] == '/';
}

struct real_output *real_output_create(struct spool *spool, const char *dir,
                                       const struct config_device *config)
{
    struct real_output *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->spool = spool;
    o->dir = dir;
    o->config = config;
    strcpy(o->classes, *config->classes ? config->classes : "*");
    strcpy(o->form, *config->form ? config->form : SPOOL_FORM);
    spool_data_init(&o->data);
    return o;
}

static void close_out(struct real_output *o)
{
    if (o->out)
        unitrec_file_close(o->out);
    o->out = NULL;
}

/* The file is not this device's any more. */
static void let_go(struct real_output *o)
{
    if (to_folder(o)) {
        close_out(o);
        if (o->part[0] && unlink(o->part) && errno != ENOENT)
            log_line("%s: %s", o->part, strerror(errno));
    }
    o->part[0] = 0;
    spool_data_fini(&o->data);
    spool_close(o->spool, o->file);
    o->file = NULL;
    o->trouble = false;
}

void real_output_destroy(struct real_output *o)
{
    if (o->file)
        let_go(o);
    close_out(o);
    free(o);
}

/* ---- which file, and where to ---- */

/* Files of its own member. */
static bool wanted(const struct real_output *o, const struct spool_file *f)
{
    const struct spool_desc *d = spool_desc(f);
    return spool_is_own(f) && d->queue == (is_punch(o) ? SPOOL_PUN : SPOOL_PRT) && !d->hold &&
           !d->system_hold && !d->open &&
           (*o->classes == '*' || strchr(o->classes, d->class_)) && !strcmp(d->form, o->form);
}

static struct spool_file *next_file(const struct real_output *o)
{
    struct spool_file *f = NULL;
    while ((f = spool_next(o->spool, f)) && !wanted(o, f))
        ;
    return f;
}

static void base_path(const struct real_output *o, char out[PATH_BYTES])
{
    bool whole = o->config->file[0] == '/';
    snprintf(out, PATH_BYTES, "%s%s%s", whole ? "" : o->dir, whole ? "" : "/", o->config->file);
}

/* OWNER-0004-name.type: of what a guest may have called it, only what is harmless. */
static void file_name(const struct spool_desc *d, char out[NAME_BYTES])
{
    int n = snprintf(out, NAME_BYTES, "%s-%04u%s%s%s%s", d->owner, d->id, *d->name ? "-" : "",
                     d->name, *d->type ? "." : "", d->type);
    for (int i = 0; i < n; i++)
        if (!isalnum((u8)out[i]) && !strchr("-.@#$_", out[i]))
            out[i] = '_';
}

/* A name in the folder that no file has yet. */
static bool free_path(struct real_output *o)
{
    char base[PATH_BYTES], name[NAME_BYTES];
    base_path(o, base);
    file_name(spool_desc(o->file), name);
    for (unsigned i = 1; i < NAME_TRIES_MAX; i++) {
        char again[16] = "";
        if (i > 1)
            snprintf(again, sizeof again, "-%u", i);
        int n = snprintf(o->path, sizeof o->path, "%s%s%s", base, name, again);
        if (n < (int)sizeof o->path && access(o->path, F_OK) && errno == ENOENT) {
            snprintf(o->part, sizeof o->part, "%s.%s.%04X", base, name, o->config->devno);
            return true;
        }
    }
    return false;
}

static int open_out(struct real_output *o, struct cause *cause)
{
    const struct unitrec_format format = {
        .carriage = o->config->carriage, .ebcdic = o->config->ebcdic, .append = !to_folder(o)};
    if (o->out)
        return ST_OK;
    if (!to_folder(o)) {
        base_path(o, o->path);
        return unitrec_file_open(o->path, &format, &o->out, cause);
    }
    if (!free_path(o))
        return cause_set(cause, ST_LIMIT, "%s: no name for another file", o->config->file);
    return unitrec_file_open(o->part, &format, &o->out, cause);
}

/* In hold status, so that the others behind it are put out. */
static void set_aside(struct real_output *o, const char *why)
{
    struct spool_desc d = *spool_desc(o->file);
    struct spool_file *file = o->file;
    struct cause cause;
    log_operator('E', "%s %04X: spool file %04u of %s: %s; it is held", what(o),
                 o->config->devno, d.id, d.owner, why);
    let_go(o);
    d.open = false;
    d.hold = true;
    if (spool_change(o->spool, file, &d, &cause))
        log_line("spool: %s", cause.text);
}

/* ---- putting out ---- */

static bool put(struct real_output *o, u8 command, const u8 *bytes, size_t len)
{
    o->trouble = unitrec_file_sink(o->out, o->config->devno, command, bytes, len) != ST_OK;
    return !o->trouble;
}

static enum real_output_next begin(struct real_output *o)
{
    struct cause cause;
    o->file = o->started ? next_file(o) : NULL;
    if (!o->file)
        return REAL_OUTPUT_IDLE;
    if (!spool_open(o->spool, o->file)) { /* another member is at it */
        o->file = NULL;
        return REAL_OUTPUT_WAIT;
    }
    o->place = (struct spool_place){0};
    o->copies = 0;
    o->copies_wanted = spool_desc(o->file)->copies;
    o->part[0] = 0;
    if (spool_load(o->spool, o->file, &o->data, &cause)) {
        set_aside(o, cause.text);
        return REAL_OUTPUT_AGAIN;
    }
    return REAL_OUTPUT_AGAIN;
}

/* It is to be on the host's disk before the spool forgets it. */
static bool flushed(struct real_output *o)
{
    const char *path = to_folder(o) ? o->part : o->path;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && !fsync(fd);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (good && to_folder(o) && rename(o->part, o->path)) {
        why = errno;
        good = false;
    }
    if (!good && !o->trouble)
        log_operator('E', "%s %04X: %s: %s", what(o), o->config->devno, path, strerror(why));
    o->trouble = !good;
    return good;
}

/* PROGRAM PATH, and what is known of the file in its environment. */
static void run_program(struct real_output *o)
{
    const struct spool_desc *d = spool_desc(o->file);
    char program[PATH_BYTES], words[PROGRAM_WORDS][64];
    const char *const values[] = {d->owner, d->origin, d->form, d->dest,
                                  d->dist,  d->name,   d->type};
    static const char *const names[] = {"OWNER", "ORIGIN", "FORM", "DEST",
                                        "DIST",  "NAME",   "TYPE"};
    char *env[PROGRAM_WORDS + 256], *argv[] = {program, o->path, NULL};
    unsigned n = 0;
    bool whole = o->config->program[0] == '/';
    snprintf(program, sizeof program, "%s%s%s", whole ? "" : o->dir, whole ? "" : "/",
             o->config->program);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(words[i], sizeof words[i], "SPOOL_%s=%s", names[i], values[i]);
        env[n++] = words[i];
    }
    snprintf(words[n], sizeof words[n], "SPOOL_ID=%04u", d->id);
    env[n] = words[n];
    n++;
    for (char **e = environ; *e && n < ARRAY_LEN(env) - 1; e++)
        env[n++] = *e;
    env[n] = NULL;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    sigemptyset(&none);
    sigfillset(&usual);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int rc = posix_spawn(&o->program, program, NULL, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    if (rc) {
        o->program = 0;
        log_operator('E', "%s %04X: %s: %s", what(o), o->config->devno, program, strerror(rc));
    }
}

/* All copies are out. */
static enum real_output_next finish(struct real_output *o)
{
    struct spool_file *file = o->file;
    struct cause cause;
    if (to_folder(o))
        close_out(o);
    if (!flushed(o))
        return REAL_OUTPUT_WAIT;
    o->part[0] = 0;
    if (o->config->program[0])
        run_program(o);
    let_go(o);
    struct spool_desc d = *spool_desc(file);
    d.hold = true;
    if (!d.keep)
        spool_purge(o->spool, file);
    else if (spool_change(o->spool, file, &d, &cause))
        log_line("spool: %s", cause.text);
    return o->program ? REAL_OUTPUT_WAIT : REAL_OUTPUT_AGAIN;
}

static enum real_output_next put_records(struct real_output *o)
{
    struct cause cause;
    if (o->copies && o->copies >= o->copies_wanted)
        return finish(o); /* flushing it is tried again */
    if (open_out(o, &cause)) {
        if (!o->trouble)
            log_operator('E', "%s %04X: %s", what(o), o->config->devno, cause.text);
        o->trouble = true;
        return REAL_OUTPUT_WAIT;
    }
    for (unsigned i = 0; i < RECORDS_IN_STEP; i++) {
        struct spool_place next = o->place;
        struct spool_record r;
        if (!o->place.record && !is_punch(o) && !put(o, SKIP_TO_TOP, NULL, 0))
            return REAL_OUTPUT_WAIT;
        if (!spool_data_next(&o->data, &next, &r)) {
            o->place = (struct spool_place){0};
            if (++o->copies >= o->copies_wanted)
                return finish(o);
            continue;
        }
        if (!(r.immediate && r.command == UNITREC_LOAD_FORM) &&
            !put(o, r.command, r.bytes, r.len))
            return REAL_OUTPUT_WAIT;
        o->place = next;
    }
    return REAL_OUTPUT_AGAIN;
}

static bool program_runs(struct real_output *o)
{
    int status;
    pid_t pid = waitpid(o->program, &status, WNOHANG);
    if (pid == 0)
        return true;
    if (pid > 0 && status)
        log_operator('E', "%s %04X: %s: ended with %s %d", what(o), o->config->devno,
                     o->config->program, WIFEXITED(status) ? "status" : "signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    o->program = 0;
    return false;
}

enum real_output_next real_output_step(struct real_output *o)
{
    if (o->program && program_runs(o))
        return REAL_OUTPUT_WAIT;
    return o->file ? put_records(o) : begin(o);
}

/* ---- the operator ---- */

void real_output_start(struct real_output *o, const char *classes, const char *form)
{
    if (classes)
        snprintf(o->classes, sizeof o->classes, "%s", classes);
    if (form)
        snprintf(o->form, sizeof o->form, "%s", form);
    o->started = true;
}

void real_output_drain(struct real_output *o)
{
    o->started = false;
}

bool real_output_flush(struct real_output *o, bool hold)
{
    struct spool_file *file = o->file;
    struct cause cause;
    if (!file)
        return false;
    let_go(o);
    struct spool_desc d = *spool_desc(file);
    d.hold = true;
    if (!hold)
        spool_purge(o->spool, file);
    else if (spool_change(o->spool, file, &d, &cause))
        log_line("spool: %s", cause.text);
    return true;
}

bool real_output_backspace(struct real_output *o, u32 pages)
{
    struct spool_place place = {0};
    struct spool_record r;
    u32 ends = 0, page = 0;
    if (!o->file)
        return false;
    while (place.record < o->place.record && spool_data_next(&o->data, &place, &r))
        ends += (r.command & 0xf8) == 0x88; /* skip to channel 1, behind a line or at once */
    place = (struct spool_place){0};
    while (page + pages < ends && spool_data_next(&o->data, &place, &r))
        page += (r.command & 0xf8) == 0x88;
    o->place = place;
    return true;
}

void real_output_info(const struct real_output *o, struct real_output_info *info)
{
    *info = (struct real_output_info){.devno = o->config->devno,
                                      .punch = is_punch(o),
                                      .started = o->started,
                                      .classes = o->classes,
                                      .form = o->form,
                                      .file = o->file ? spool_desc(o->file) : NULL,
                                      .records = o->place.record,
                                      .trouble = o->trouble,
                                      .program = o->program};
}
