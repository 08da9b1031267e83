/* The check of a directory: every bad statement, then what is wrong although each is good. It is
 * read as each member sees it; what several see is told once. CP lives with warnings; who wrote
 * the file hardly meant it. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/directory_check.h"

/* --- PROFILE and SUBCONFIG ------------------------------------------------------------------- */

static void check_unused(struct dir_check *k)
{
    const struct directory *dir = k->view[0];
    for (unsigned i = 0; i < dir->block_count; i++) {
        const struct dir_block *b = &dir->blocks[i];
        if (!b->uses)
            faults_add(k->faults, FAULT_WARNING, k->file, b->at.line, b->at.col,
                       "%s %s is used by nobody", b->profile ? "PROFILE" : "SUBCONFIG",
                       b->name);
    }
}

/* A SUBCONFIG is one member's part of one IDENTITY. */
static void check_build(struct dir_check *k, const struct dir_entry *e, unsigned i)
{
    const struct directory *dir = k->view[0];
    const struct dir_build *b = &e->builds[i];
    for (unsigned u = 0; u < dir->count; u++) {
        const struct dir_entry *o = dir->entries[u];
        for (unsigned n = 0; n < o->build_count; n++) {
            const struct dir_build *other = &o->builds[n];
            if (other->at.line >= b->at.line)
                continue;
            if (!strcmp(other->subconfig, b->subconfig))
                faults_add(k->faults, FAULT_WARNING, k->file, b->at.line, b->at.col,
                           "SUBCONFIG %s is built on %s for %s, too (line %u)", b->subconfig,
                           other->member, o->userid, other->at.line);
            if (o == e && !strcmp(other->member, b->member))
                faults_add(k->faults, FAULT_WARNING, k->file, b->at.line, b->at.col,
                           "%s has been built on %s in line %u", e->userid, b->member,
                           other->at.line);
        }
    }
}

static void check_clear(struct dir_check *k)
{
    const struct directory *dir = k->view[0];
    const struct dir_entry *first = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < dir->count; i++) {
        const struct dir_entry *e = dir->entries[i];
        if (e->logon != DIR_LOGON_PASSWORD || !*e->password || strlen(e->password) > 8)
            continue;
        first = !first || e->line < first->line ? e : first;
        n++;
    }
    if (n)
        faults_add(k->faults, FAULT_NOTE, k->file, first->line, first->col,
                   "%u password%s in clear; `endicott directory hash` hides them", n,
                   n > 1 ? "s are" : " is");
}

/* --- members ---------------------------------------------------------------------------------- */

static void add_member(struct dir_check *k, const char *member)
{
    for (unsigned i = 0; i < k->views; i++)
        if (!strcmp(k->whom[i].member, member))
            return;
    if (k->views < DIR_VIEWS_MAX)
        k->whom[k->views++].member = member;
}

/* Those that BUILD ON names; with none of them `dir`, the view of one that it does not name. */
static void members_of(struct dir_check *k, const struct directory *dir)
{
    for (unsigned i = 0; i < dir->count; i++)
        for (unsigned b = 0; b < dir->entries[i]->build_count; b++)
            if (strcmp(dir->entries[i]->builds[b].member, "*"))
                add_member(k, dir->entries[i]->builds[b].member);
}

static bool look(struct dir_check *k, const char *text)
{
    for (unsigned v = 0; v < k->views; v++)
        if (!(k->view[v] = directory_examine(k->file, text, k->whom[v].member, k->faults)))
            return k->views = v, false;
    return k->views > 0;
}

/* What is wrong although each statement is good. */
static void compare(struct dir_check *k)
{
    dir_check_extents(k);
    check_unused(k);
    check_clear(k);
    for (unsigned v = 0; v < k->views; v++)
        for (unsigned i = 0; i < k->view[v]->count; i++) {
            const struct dir_entry *e = k->view[v]->entries[i];
            dir_check_entry(k, v, e);
            for (unsigned b = 0; !v && b < e->build_count; b++)
                check_build(k, e, b);
        }
}

unsigned directory_check(const char *name, const char *text, const struct dir_check_for *whom,
                         unsigned members, struct faults *faults)
{
    struct dir_check k = {.file = name, .faults = faults};
    struct directory *base = members ? NULL : directory_examine(name, text, "", faults);
    for (unsigned i = 0; i < members && i < DIR_VIEWS_MAX; i++)
        k.whom[k.views++] = whom[i];
    if (base)
        members_of(&k, base);
    if (base && !k.views)
        add_member(&k, "");
    if (look(&k, text))
        compare(&k);
    unsigned count = k.views ? k.view[0]->count : 0;
    for (unsigned v = 0; v < k.views; v++)
        directory_free(k.view[v]);
    directory_free(base);
    faults_sort(faults);
    return count;
}

unsigned directory_check_file(const char *path, const struct dir_check_for *whom,
                              unsigned members, struct faults *faults)
{
    struct cause cause;
    char *text = scan_file(path, &cause);
    if (!text) {
        faults_add_cause(faults, path, &cause);
        return 0;
    }
    unsigned n = directory_check(path, text, whom, members, faults);
    explicit_bzero(text, strlen(text));
    free(text);
    return n;
}
