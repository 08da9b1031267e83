/* What is wrong in a directory although each statement is good: extents that overlap, links to what
 * is not there, one virtual device number for two devices. CP lives with it; who wrote it
 * hardly meant it. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/directory.h"

#define FAULT_BYTES 256

struct check {
    const struct directory *dir;
    const char *file;
    directory_fault *fault;
    void *arg;
    unsigned faults;
};

static void tell(struct check *k, struct dir_place at, const char *text)
{
    char line[2 * FAULT_BYTES];
    snprintf(line, sizeof line, "%.200s:%u:%u: %s", k->file, at.line, at.col, text);
    k->fault(k->arg, line);
    k->faults++;
}

/* --- extents ------------------------------------------------------------------------------- */

struct extent {
    const struct dir_entry *entry;
    const struct dir_mdisk *mdisk;
};

/* A whole volume is there to overlap all others. */
static bool counts(const struct dir_mdisk *m)
{
    return m->kind == DIR_MDISK_EXTENT && !(m->start == 0 && m->count == DIR_MDISK_END);
}

static int by_place(const void *a, const void *b)
{
    const struct dir_mdisk *x = ((const struct extent *)a)->mdisk;
    const struct dir_mdisk *y = ((const struct extent *)b)->mdisk;
    int volume = strcmp(x->volid, y->volid);
    return volume ? volume : x->start < y->start ? -1 : x->start > y->start;
}

static u64 end_of(const struct dir_mdisk *m)
{
    return m->count == DIR_MDISK_END ? DIR_MDISK_END : m->start + m->count;
}

static void overlap(struct check *k, const struct extent *a, const struct extent *b)
{
    const struct extent *late = a->mdisk->at.line > b->mdisk->at.line ? a : b;
    const struct extent *early = late == a ? b : a;
    char text[FAULT_BYTES];
    snprintf(text, sizeof text, "minidisk %04X of %s overlaps %04X of %s (line %u) on %s",
             late->mdisk->vdev, late->entry->userid, early->mdisk->vdev, early->entry->userid,
             early->mdisk->at.line, late->mdisk->volid);
    tell(k, late->mdisk->at, text);
}

/* Sorted by where they begin: each is compared with the one before it that ends last. */
static void extents(struct check *k, struct extent *all, unsigned n)
{
    const struct extent *widest = NULL;
    qsort(all, n, sizeof *all, by_place);
    for (unsigned i = 0; i < n; i++) {
        bool same = widest && !strcmp(widest->mdisk->volid, all[i].mdisk->volid);
        if (same && all[i].mdisk->start < end_of(widest->mdisk))
            overlap(k, widest, &all[i]);
        if (!same || end_of(all[i].mdisk) > end_of(widest->mdisk))
            widest = &all[i];
    }
}

/* False without memory. */
static bool check_extents(struct check *k)
{
    unsigned room = 0, n = 0;
    for (unsigned i = 0; i < directory_count(k->dir); i++)
        room += directory_at(k->dir, i)->mdisk_count;
    struct extent *all = calloc(room + 1, sizeof *all);
    if (!all)
        return false;
    for (unsigned i = 0; i < directory_count(k->dir); i++) {
        const struct dir_entry *e = directory_at(k->dir, i);
        for (unsigned m = 0; m < e->mdisk_count; m++)
            if (counts(&e->mdisks[m]))
                all[n++] = (struct extent){e, &e->mdisks[m]};
    }
    extents(k, all, n);
    free(all);
    return true;
}

/* --- one entry ------------------------------------------------------------------------------ */

static bool has_disk(const struct dir_entry *e, u16 vdev)
{
    bool found = false;
    for (unsigned i = 0; e && i < e->mdisk_count; i++)
        found |= e->mdisks[i].vdev == vdev;
    for (unsigned i = 0; e && i < e->link_count; i++)
        found |= e->links[i].vdev == vdev;
    return found;
}

static void check_links(struct check *k, const struct dir_entry *e)
{
    char text[FAULT_BYTES];
    for (unsigned i = 0; i < e->link_count; i++) {
        const struct dir_link *l = &e->links[i];
        const struct dir_entry *owner =
            strcmp(l->owner, "*") ? directory_find(k->dir, l->owner) : e;
        if (has_disk(owner, l->owner_vdev))
            continue;
        snprintf(text, sizeof text, "%s has no disk %04X to be linked by %s",
                 owner ? owner->userid : l->owner, l->owner_vdev, e->userid);
        tell(k, l->at, text);
    }
}

/* Console, unit record devices and displays come first, so that a disk is what is told of. */
static void check_numbers(struct check *k, const struct dir_entry *e)
{
    static const struct dir_place nowhere;
    struct {
        u16 vdev;
        struct dir_place at;
    } *all = calloc(1u + DIR_SPOOLS_MAX + DIR_SPECIALS_MAX + e->mdisk_count + e->link_count +
                        e->dedicate_count,
                    sizeof *all);
    unsigned n = 0;
    char text[FAULT_BYTES];
    if (!all)
        return;
    if (e->has_console)
        all[n++].vdev = e->console_vdev;
    for (unsigned i = 0; i < e->spool_count; i++)
        all[n++].vdev = e->spools[i].vdev;
    for (unsigned i = 0; i < e->special_count; i++)
        all[n++].vdev = e->specials[i];
    for (unsigned i = 0; i < e->mdisk_count; i++, n++)
        all[n].vdev = e->mdisks[i].vdev, all[n].at = e->mdisks[i].at;
    for (unsigned i = 0; i < e->link_count; i++, n++)
        all[n].vdev = e->links[i].vdev, all[n].at = e->links[i].at;
    for (unsigned i = 0; i < e->dedicate_count; i++, n++)
        all[n].vdev = e->dedicates[i].vdev, all[n].at = e->dedicates[i].at;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < i; j++) {
            if (all[i].vdev != all[j].vdev)
                continue;
            snprintf(text, sizeof text, "device %04X of %s is defined more than once",
                     all[i].vdev, e->userid);
            tell(k,
                 memcmp(&all[i].at, &nowhere, sizeof nowhere) ? all[i].at
                                                              : (struct dir_place){e->line, 1},
                 text);
            break;
        }
    free(all);
}

unsigned directory_check(const struct directory *dir, const char *file, directory_fault *fault,
                         void *arg)
{
    struct check k = {.dir = dir, .file = file, .fault = fault, .arg = arg};
    if (!check_extents(&k))
        tell(&k, (struct dir_place){1, 1}, "no memory to compare extents");
    for (unsigned i = 0; i < directory_count(dir); i++) {
        check_links(&k, directory_at(dir, i));
        check_numbers(&k, directory_at(dir, i));
    }
    return k.faults;
}
