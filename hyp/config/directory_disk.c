/* Directory statements about devices beside the spool: MDISK, MINIOPT, LINK, DEDICATE, SPECIAL. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/directory_internal.h"
#include "io/net/ctca.h"

static int bad(struct dir_parse *p, unsigned i, const char *expected)
{
    return scan_bad(p->s, i, p->cause, "%s", expected);
}

/* Operands from word `at` on, which have no effect yet. */
static int more_operands(struct dir_parse *p, enum dir_stmt stmt, unsigned at)
{
    return stmt_more(&dir_statements, stmt, p->s, &at, NULL, NULL, p->cause);
}

static int take_devno(struct dir_parse *p, unsigned i, u16 *out)
{
    u64 v;
    if (strlen(scan_word(p->s, i)) > 4 || !scan_hex(scan_word(p->s, i), 0xffff, &v))
        return bad(p, i, "a device number");
    *out = (u16)v;
    return ST_OK;
}

/* Room for one more of an array of `size` bytes each; NULL with a cause. */
static void *grow(struct dir_parse *p, void *array, unsigned count, size_t size)
{
    if (count == DIR_DEVICES_MAX) {
        scan_bad(p->s, 0, p->cause, "at most %d such statements", DIR_DEVICES_MAX);
        return NULL;
    }
    void *more = realloc(array, (count + 1) * size);
    if (!more)
        cause_set(p->cause, ST_NOMEM, "%s: out of memory", p->s->name);
    return more;
}

/* --- MDISK --------------------------------------------------------------------------------- */

static int mdisk_type(struct dir_parse *p, u16 *type)
{
    const char *w = scan_word(p->s, 2);
    if (!strcmp(w, "3390"))
        *type = 0x3390;
    else if (!strcmp(w, "9336") || !strcmp(w, "FB-512"))
        *type = 0x9336;
    else
        return bad(p, 2, "device type 3390, 9336 or FB-512");
    return ST_OK;
}

/* T-DISK n, V-DISK n, DEVNO rdev, or start count|END volid; *at gets the next word. */
static int mdisk_place(struct dir_parse *p, struct dir_mdisk *m, unsigned *at)
{
    const char *w = scan_word(p->s, 3);
    bool temp = !strcmp(w, "T-DISK"), virt = !strcmp(w, "V-DISK");
    *at = 5;
    if (!strcmp(w, "DEVNO")) {
        m->kind = DIR_MDISK_DEVNO;
        m->count = DIR_MDISK_END;
        return take_devno(p, 4, &m->rdev);
    }
    if (temp || virt) {
        m->kind = temp ? DIR_MDISK_TEMP : DIR_MDISK_VIRTUAL;
        if (virt && m->type != 0x9336)
            return bad(p, 2, "FB-512 for a V-DISK");
        return scan_number(scan_word(p->s, 4), 1, 0xffffffff, &m->count)
                   ? ST_OK
                   : bad(p, 4, "a number of cylinders or blocks");
    }
    *at = 6;
    if (!scan_number(w, 0, 0xffffffff, &m->start))
        return bad(p, 3, "where the minidisk begins, T-DISK, V-DISK or DEVNO");
    if (!strcmp(scan_word(p->s, 4), "END"))
        m->count = DIR_MDISK_END;
    else if (!scan_number(scan_word(p->s, 4), 1, 0xffffffff, &m->count))
        return bad(p, 4, "a number of cylinders or blocks, or END");
    return scan_name(scan_word(p->s, 5), m->volid, 6)
               ? ST_OK
               : bad(p, 5, "a volume identifier of 1-6 characters");
}

/* Up to three passwords; they are not shown. */
static int mdisk_passwords(struct dir_parse *p, struct dir_mdisk *m, unsigned at)
{
    for (unsigned i = 0; i < 3 && at + i < p->s->count; i++) {
        const char *w = scan_word(p->s, at + i);
        if (strlen(w) > 8)
            return cause_set(p->cause, ST_CONFIG,
                             "%s:%u:%u: expected a password of 1-8 characters, found a longer "
                             "one",
                             p->s->name, p->s->tok[at + i].line, p->s->tok[at + i].col);
        strcpy(m->password[i], w);
    }
    return scan_end(p->s, at + 3, p->cause);
}

/* Suffix V, virtual reserve and release, goes with write access; reserve works in all modes. */
static bool mdisk_mode(const char *word, enum link_mode *mode)
{
    char name[4];
    size_t n = strlen(word);
    if (link_mode_find(word, mode))
        return true;
    if (n < 2 || n > sizeof name || word[n - 1] != 'V')
        return false;
    snprintf(name, sizeof name, "%.*s", (int)n - 1, word);
    return link_mode_find(name, mode) && link_mode_writes(*mode);
}

/* MDISK vdev type {start {n | END} volid | DEVNO rdev | T-DISK n | V-DISK n} [mode [pw ...]] */
int dir_st_mdisk(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    struct dir_mdisk m = {.mode = LINK_W, .at = dir_place_of(p)};
    unsigned at;
    if (take_devno(p, 1, &m.vdev) || mdisk_type(p, &m.type) || mdisk_place(p, &m, &at))
        return p->cause->status;
    for (unsigned i = 0; i < e->mdisk_count; i++)
        if (e->mdisks[i].vdev == m.vdev)
            return bad(p, 1, "each virtual device number once");
    if (p->s->count > at && !mdisk_mode(scan_word(p->s, at), &m.mode))
        return bad(p, at,
                   "mode R, RR, W, WR, M, MR, MW, SR, SW, SM, ER, EW, with V of a write mode");
    if (mdisk_passwords(p, &m, at + 1))
        return p->cause->status;
    struct dir_mdisk *more = grow(p, e->mdisks, e->mdisk_count, sizeof m);
    if (!more)
        return p->cause->status;
    e->mdisks = more;
    e->mdisks[e->mdisk_count++] = m;
    return ST_OK;
}

/* MINIOPT {CACHE | NOCACHE | RECORDMDC | TRACKMDC}: about the cache of the MDISK before it. */
int dir_st_miniopt(struct dir_parse *p)
{
    static const char *const known[] = {"CACHE", "NOCACHE", "RECORDMDC", "TRACKMDC"};
    if (!p->entry->mdisk_count)
        return bad(p, 0, "an MDISK before MINIOPT");
    if (p->s->count < 2)
        return bad(p, 1, "CACHE, NOCACHE, RECORDMDC or TRACKMDC");
    for (unsigned i = 1; i < p->s->count; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(known) && strcmp(scan_word(p->s, i), known[k]))
            k++;
        if (k == ARRAY_LEN(known))
            return bad(p, i, "CACHE, NOCACHE, RECORDMDC or TRACKMDC");
        if (k < 2)
            p->entry->mdisks[p->entry->mdisk_count - 1].no_cache = k == 1;
    }
    return ST_OK;
}

/* --- LINK, DEDICATE, SPECIAL ------------------------------------------------------------------ */

/* LINK userid vdev1 [vdev2 [mode]] */
int dir_st_link(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    struct dir_link l = {.mode = LINK_R, .at = dir_place_of(p)};
    if (!strcmp(scan_word(p->s, 1), "*"))
        strcpy(l.owner, "*");
    else if (!scan_name(scan_word(p->s, 1), l.owner, 8))
        return bad(p, 1, "a user id of 1-8 characters, or *");
    if (take_devno(p, 2, &l.owner_vdev))
        return ST_CONFIG;
    l.vdev = l.owner_vdev;
    if (p->s->count > 3 && take_devno(p, 3, &l.vdev))
        return ST_CONFIG;
    if (p->s->count > 4 && !link_mode_find(scan_word(p->s, 4), &l.mode))
        return bad(p, 4, "mode R, RR, W, WR, M, MR, MW, SR, SW, SM, ER or EW");
    if (scan_end(p->s, 5, p->cause))
        return ST_CONFIG;
    struct dir_link *more = grow(p, e->links, e->link_count, sizeof l);
    if (!more)
        return p->cause->status;
    e->links = more;
    e->links[e->link_count++] = l;
    return ST_OK;
}

/* DEDICATE vdev {rdev | VOLID volid} [R/O] */
int dir_st_dedicate(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    struct dir_dedicate d = {.at = dir_place_of(p)};
    unsigned at = 3;
    if (take_devno(p, 1, &d.vdev))
        return ST_CONFIG;
    if (!strcmp(scan_word(p->s, 2), "VOLID")) {
        if (!scan_name(scan_word(p->s, 3), d.volid, 6))
            return bad(p, 3, "a volume identifier of 1-6 characters");
        at = 4;
    } else if (take_devno(p, 2, &d.rdev)) {
        return ST_CONFIG;
    }
    if (!strcmp(scan_word(p->s, at), "R/O"))
        d.read_only = true, at++;
    if (more_operands(p, DIR_STMT_DEDICATE, at))
        return ST_CONFIG;
    struct dir_dedicate *more = grow(p, e->dedicates, e->dedicate_count, sizeof d);
    if (!more)
        return p->cause->status;
    e->dedicates = more;
    e->dedicates[e->dedicate_count++] = d;
    return ST_OK;
}

/* SPECIAL vdev CTCA [userid | *] */
static int take_ctca(struct dir_parse *p, u16 vdev, enum ctca_type type)
{
    struct dir_entry *e = p->entry;
    struct dir_ctca *c = &e->ctcas[e->ctca_count];
    const char *only = scan_word(p->s, 3);
    if (more_operands(p, DIR_STMT_SPECIAL, 2))
        return ST_CONFIG;
    if (e->ctca_count == DIR_SPECIALS_MAX)
        return scan_bad(p->s, 0, p->cause, "at most %d SPECIAL statements", DIR_SPECIALS_MAX);
    *c = (struct dir_ctca){.vdev = vdev, .type = (u8)type, .at = dir_place_of(p)};
    snprintf(c->only, sizeof c->only, "%s", only);
    e->ctca_count++;
    return ST_OK;
}

/* SPECIAL vdev 3270: a display that a terminal may be connected with; SPECIAL vdev CTCA. */
int dir_st_special(struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    u16 vdev = 0;
    enum ctca_type type;
    if (take_devno(p, 1, &vdev))
        return ST_CONFIG;
    if (ctca_type_named(scan_word(p->s, 2), &type))
        return take_ctca(p, vdev, type);
    if (strcmp(scan_word(p->s, 2), "3270"))
        return p->s->count > 2 ? more_operands(p, DIR_STMT_SPECIAL, 2)
                               : bad(p, 2, "3270 or another kind of device");
    if (e->special_count == DIR_SPECIALS_MAX)
        return scan_bad(p->s, 0, p->cause, "at most %d SPECIAL statements", DIR_SPECIALS_MAX);
    e->special_at[e->special_count] = dir_place_of(p);
    e->specials[e->special_count++] = vdev;
    return scan_end(p->s, 3, p->cause);
}

void dir_devices_free(struct dir_entry *e)
{
    for (unsigned i = 0; i < e->mdisk_count; i++)
        explicit_bzero(e->mdisks[i].password, sizeof e->mdisks[i].password);
    free(e->mdisks);
    free(e->links);
    free(e->dedicates);
}
