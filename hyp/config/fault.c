/* The list of faults of a check. */
#include "hyp/config/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_TEXT_BYTES 512

const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[] = {"error", "warning", "note"};
    return names[kind];
}

static bool known(const struct faults *f, const struct fault *new)
{
    for (unsigned i = 0; i < f->count; i++) {
        const struct fault *old = &f->all[i];
        bool place = old->line == new->line && old->col == new->col;
        if (old->kind == new->kind && (place || new->kind == FAULT_NOTE) &&
            !strcmp(old->text, new->text) && !strcmp(old->file, new->file))
            return true;
    }
    return false;
}

static bool grow(struct faults *f)
{
    if (f->count < f->room)
        return true;
    unsigned room = f->room ? 2 * f->room : 16;
    struct fault *more = f->count < FAULTS_MAX ? realloc(f->all, room * sizeof *more) : NULL;
    if (!more)
        return false;
    f->all = more;
    f->room = room;
    return true;
}

void faults_add(struct faults *f, enum fault_kind kind, const char *file, unsigned line,
                unsigned col, const char *fmt, ...)
{
    char text[FAULT_TEXT_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct fault new = {
        .kind = kind, .file = (char *)file, .line = line, .col = col, .text = text};
    if (known(f, &new))
        return;
    f->of_kind[kind]++;
    new.file = strdup(file);
    new.text = strdup(text);
    if (new.file &&new.text && grow(f)) {
        f->all[f->count++] = new;
        return;
    }
    free(new.file);
    free(new.text);
}

void faults_add_cause(struct faults *f, const char *file, const struct cause *cause)
{
    size_t n = strlen(file);
    unsigned line = 1, col = 1;
    int used = 0;
    const char *text = cause->text;
    if (!strncmp(text, file, n) && sscanf(text + n, ":%u:%u: %n", &line, &col, &used) == 2)
        text += n + (size_t)used;
    else if (!strncmp(text, file, n) && text[n] == ':')
        text += n + 1 + strspn(text + n + 1, " ");
    faults_add(f, FAULT_ERROR, file, line, col, "%s", text);
}

static int by_place(const void *a, const void *b)
{
    const struct fault *x = a, *y = b;
    int file = strcmp(x->file, y->file);
    if (file)
        return file;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->col != y->col)
        return x->col < y->col ? -1 : 1;
    return strcmp(x->text, y->text);
}

void faults_sort(struct faults *f)
{
    if (f->count)
        qsort(f->all, f->count, sizeof *f->all, by_place);
}

void faults_free(struct faults *f)
{
    for (unsigned i = 0; i < f->count; i++) {
        free(f->all[i].file);
        free(f->all[i].text);
    }
    free(f->all);
    *f = (struct faults){0};
}
