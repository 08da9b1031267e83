/* Minidisks that overlap: of all users, as all members see them. One extent over a whole volume is
 * there to overlap the others, and is noted. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/directory_check.h"

struct extent {
    const struct dir_entry *entry;
    const struct dir_mdisk *mdisk;
    const char *member; /* of whose view it is a part; "" = every one's */
};

static bool full_pack(const struct dir_mdisk *m)
{
    return m->start == 0 && m->count == DIR_MDISK_END;
}

static u64 end_of(const struct dir_mdisk *m)
{
    return m->count == DIR_MDISK_END ? DIR_MDISK_END : m->start + m->count;
}

static int by_place(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    int order = strcmp(x->mdisk->volid, y->mdisk->volid);
    if (order)
        return order;
    if (x->mdisk->start != y->mdisk->start)
        return x->mdisk->start < y->mdisk->start ? -1 : 1;
    if (x->mdisk->at.line != y->mdisk->at.line)
        return x->mdisk->at.line < y->mdisk->at.line ? -1 : 1;
    return strcmp(x->entry->userid, y->entry->userid);
}

/* Seen by several members it is one extent. */
static unsigned each_once(struct extent *all, unsigned n)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < n; i++) {
        struct extent *last = kept ? &all[kept - 1] : NULL;
        if (last && !by_place(last, &all[i]) && last->mdisk->at.col == all[i].mdisk->at.col)
            last->member = "";
        else
            all[kept++] = all[i];
    }
    return kept;
}

static void overlap(struct dir_check *k, const struct extent *a, const struct extent *b)
{
    bool a_late = a->mdisk->at.line > b->mdisk->at.line;
    const struct extent *late = a_late ? a : b, *early = a_late ? b : a;
    const struct dir_place at = late->mdisk->at;
    bool apart = *late->member && *early->member && strcmp(late->member, early->member) != 0;
    faults_add(k->faults, FAULT_WARNING, k->file, at.line, at.col,
               "minidisk %04X of %s%s%s overlaps %04X of %s%s%s (line %u) on %s",
               late->mdisk->vdev, late->entry->userid, apart ? " at " : "",
               apart ? late->member : "", early->mdisk->vdev, early->entry->userid,
               apart ? " at " : "", apart ? early->member : "", early->mdisk->at.line,
               late->mdisk->volid);
}

/* How many others are on its volume: a full pack is sorted in front of them. */
static void overlay(struct dir_check *k, const struct extent *all, unsigned i, unsigned n)
{
    const struct dir_mdisk *m = all[i].mdisk;
    unsigned under = 0;
    for (unsigned j = 0; j < n; j++)
        under += j != i && !strcmp(all[j].mdisk->volid, m->volid);
    if (under)
        faults_add(k->faults, FAULT_NOTE, k->file, m->at.line, m->at.col,
                   "minidisk %04X of %s is all of %s, over %u other%s", m->vdev,
                   all[i].entry->userid, m->volid, under, under > 1 ? "s" : "");
}

static void compare(struct dir_check *k, struct extent *all, unsigned n)
{
    qsort(all, n, sizeof *all, by_place);
    n = each_once(all, n);
    for (unsigned i = 0; i < n; i++) {
        const struct dir_mdisk *m = all[i].mdisk;
        if (full_pack(m)) {
            overlay(k, all, i, n);
            continue;
        }
        for (unsigned j = i + 1;
             j < n && !strcmp(m->volid, all[j].mdisk->volid) && all[j].mdisk->start < end_of(m);
             j++)
            if (!full_pack(all[j].mdisk))
                overlap(k, &all[i], &all[j]);
    }
}

void dir_check_extents(struct dir_check *k)
{
    unsigned room = 1, n = 0;
    for (unsigned v = 0; v < k->views; v++)
        for (unsigned i = 0; i < directory_count(k->view[v]); i++)
            room += directory_at(k->view[v], i)->mdisk_count;
    struct extent *all = calloc(room, sizeof *all);
    if (!all) {
        faults_add(k->faults, FAULT_WARNING, k->file, 1, 1, "no memory to compare extents");
        return;
    }
    for (unsigned v = 0; v < k->views; v++)
        for (unsigned i = 0; i < directory_count(k->view[v]); i++) {
            const struct dir_entry *e = directory_at(k->view[v], i);
            for (unsigned m = 0; m < e->mdisk_count; m++)
                if (e->mdisks[m].kind == DIR_MDISK_EXTENT)
                    all[n++] = (struct extent){e, &e->mdisks[m], k->whom[v].member};
        }
    compare(k, all, n);
    free(all);
}
