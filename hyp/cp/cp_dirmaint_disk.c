/* DIRMAINT functions that copy minidisks: CLONEDISK, CMDISK. What is copied where is decided here,
 * DATAMOVE does it. Operands of CLONEDISK as SMAPI's Image_Disk_Copy_DM has them (s390 tools of
 * others as the source); that a place that is not named is on the source's volume is ours. */
#include <ctype.h>
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_datamove.h"

#define WORDS_OF_PLACE 5 /* of MDISK operands: number, type, start, size, volume */

/* A minidisk of the entry as the directory has it that is online. */
static const struct dir_mdisk *mdisk_of(struct dirm *d, const char *user, u16 vdev)
{
    const struct dir_entry *e = directory_find(cp_directory(d->cp), user);
    for (unsigned i = 0; e && i < e->mdisk_count; i++)
        if (e->mdisks[i].vdev == vdev && e->mdisks[i].kind == DIR_MDISK_EXTENT)
            return &e->mdisks[i];
    return NULL;
}

static bool vdev_take(const char *word, u16 *out)
{
    u64 n;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &n))
        return false;
    *out = (u16)n;
    return true;
}

/* How many cylinders or blocks: one to END is as large as its volume. */
static u64 size_of(struct dirm *d, const struct dir_mdisk *m)
{
    const struct rdev *volume = cp_rdevs(d->cp) ? rdev_volume(cp_rdevs(d->cp), m->volid) : NULL;
    if (m->count != DIR_MDISK_END)
        return m->count;
    return volume && volume->units > m->start ? volume->units - m->start : 0;
}

static const char *type_name(u16 type)
{
    return type == 0x3390 ? "3390" : "FB-512";
}

/* ---- CLONEDISK ---- */

struct clone {
    u16 vdev, owner_vdev;
    const char *owner, *how, *where, *mode;
    const struct dir_mdisk *from;
    const char *passwords; /* as typed; "" = none */
};

/* vdev owner vdev [{AUTOV volid | AUTOR region | AUTOG group}] [mode] [PW r w m] */
static int clone_operands(struct dirm *d, struct clone *c)
{
    struct cp_request *req = d->req;
    const char *word = cp_operand(req);
    enum link_mode mode;
    if (!word)
        return dirm_missing(d);
    if (!vdev_take(word, &c->vdev))
        return cp_fail(req, MSG_CMD002E, word);
    if (!cp_userid_ok(c->owner = cp_operand(req)))
        return cp_fail(req, MSG_LGA020E);
    if (!vdev_take(word = cp_operand(req), &c->owner_vdev))
        return word ? cp_fail(req, MSG_CMD002E, word) : dirm_missing(d);
    if ((word = cp_operand_peek(req)) && dirm_allocates(word)) {
        c->how = cp_operand(req);
        if (!(c->where = cp_operand(req)))
            return dirm_missing(d);
    }
    if ((word = cp_operand_peek(req)) && link_mode_find(word, &mode))
        c->mode = cp_operand(req);
    if ((word = cp_operand_peek(req)) && !strcmp(word, "PW")) {
        cp_operand(req);
        c->passwords = cp_operand_rest(req);
        return 0;
    }
    c->passwords = "";
    return cp_no_more(req);
}

/* Into a minidisk that the entry has already. */
static int clone_into(struct dirm *d, const struct clone *c, struct datamove *w,
                      const struct dir_mdisk *there)
{
    u64 size = size_of(d, there);
    if (c->how)
        return dirm_refused(d, "there is a minidisk with this number");
    if (there->type != c->from->type || size != size_of(d, c->from))
        return dirm_refused(d, "the minidisk is of another size or type");
    w->to = *there;
    w->to.count = size;
    return datamove_add(d, w);
}

static int clone_new(struct dirm *d, const struct clone *c, struct datamove *w)
{
    char units[24], line[DATAMOVE_STATEMENT_BYTES];
    struct dirm_found found = {0};
    u64 size = size_of(d, c->from);
    snprintf(units, sizeof units, "%llu", (unsigned long long)size);
    const struct dirm_place want = {c->how ? c->how : "AUTOV", type_name(c->from->type), units,
                                    c->where ? c->where : c->from->volid};
    int rc = dirm_allocate(d, &want, &found);
    if (rc)
        return rc;
    w->to = (struct dir_mdisk){.vdev = c->vdev,
                               .type = c->from->type,
                               .kind = DIR_MDISK_EXTENT,
                               .start = found.start,
                               .count = size};
    strcpy(w->to.volid, found.volid);
    snprintf(line, sizeof line, "MDISK %04X %s %llu %s %s %s%s%.64s", c->vdev,
             type_name(c->from->type), (unsigned long long)found.start, units, found.volid,
             c->mode ? c->mode : link_mode_name(c->from->mode), *c->passwords ? " " : "",
             c->passwords);
    w->statement = line;
    rc = datamove_add(d, w);
    explicit_bzero(line, sizeof line);
    return rc;
}

int dm_clonedisk(struct dirm *d)
{
    char about[48], number[8];
    struct dir_span span;
    struct clone c = {0};
    int rc = clone_operands(d, &c);
    if (rc)
        return rc;
    snprintf(about, sizeof about, "%04X %.8s %04X", c.vdev, c.owner, c.owner_vdev);
    dirm_note(d, about);
    c.from = mdisk_of(d, c.owner, c.owner_vdev);
    if (!c.from || !size_of(d, c.from))
        return dirm_refused(d, "there is no such minidisk to clone");
    struct datamove w = {.from = c.from, .owner = c.owner, .what = d->what};
    const struct dir_mdisk *there = mdisk_of(d, d->user, c.vdev);
    snprintf(number, sizeof number, "%04X", c.vdev);
    if (there)
        return clone_into(d, &c, &w, there);
    if (dir_text_find(d->f.text, d->entry, DIR_STMT_MDISK, 1, number, &span))
        return dirm_refused(d, "there is a minidisk with this number");
    return clone_new(d, &c, &w);
}

/* ---- CMDISK ---- */

struct mode_words {
    u16 vdev;
    char *out;
};

/* Mode and passwords of the statement that there was. */
static bool take_mode(void *arg, const struct dir_found *found)
{
    struct mode_words *k = arg;
    const struct stmt_row *row = stmt_find(&dir_statements, scan_word(found->s, 0));
    char word[DIR_PASSWORD_BYTES];
    u16 vdev;
    if (!row || row->stmt != DIR_STMT_MDISK || !vdev_take(scan_word(found->s, 1), &vdev) ||
        vdev != k->vdev)
        return false;
    for (unsigned i = WORDS_OF_PLACE + 1; i < found->s->count && i < WORDS_OF_PLACE + 5; i++)
        if (scan_written(found->s, i, 0, word, sizeof word))
            k->out += sprintf(k->out, " %.16s", word);
    return true;
}

/* What MDISK operands say of the place. */
static bool place_of(const char *operands, struct dir_mdisk *out)
{
    char word[DIRM_WORD_BYTES];
    u64 start, count;
    dirm_word(operands, 2, word);
    out->type = strcmp(word, "3390")
                    ? strcmp(word, "FB-512") && strcmp(word, "9336") ? 0 : 0x9336
                    : 0x3390;
    dirm_word(operands, 3, word);
    bool good = out->type && scan_number(word, 0, DIR_MDISK_END - 1, &start);
    dirm_word(operands, 4, word);
    good = good && scan_number(word, 1, DIR_MDISK_END - 1, &count);
    dirm_word(operands, WORDS_OF_PLACE, word);
    if (!good || !*word || strlen(word) >= sizeof out->volid)
        return false;
    out->kind = DIR_MDISK_EXTENT;
    out->start = start;
    out->count = count;
    strcpy(out->volid, word);
    return true;
}

static int move(struct dirm *d, const struct dir_mdisk *from, const char *operands)
{
    char line[DATAMOVE_STATEMENT_BYTES], was[DATAMOVE_STATEMENT_BYTES], number[8], word[64];
    struct dir_span span;
    struct datamove w = {.from = from, .owner = d->user, .moves = true, .what = d->what};
    w.to.vdev = from->vdev;
    if (!place_of(operands, &w.to))
        return dirm_refused(d,
                            "a type, a place of so many cylinders or blocks and a volume are "
                            "needed");
    if (w.to.type != from->type || w.to.count < size_of(d, from))
        return dirm_refused(d, "the new place is smaller, or of another type");
    snprintf(number, sizeof number, "%04X", from->vdev);
    if (!dir_text_find(d->f.text, d->entry, DIR_STMT_MDISK, 1, number, &span) ||
        span.to - span.from >= sizeof was)
        return dirm_refused(d, "there is no such minidisk in the entry");
    snprintf(was, sizeof was, "%.*s", (int)(span.to - span.from), d->f.text + span.from);
    int n = snprintf(line, sizeof line - 128, "MDISK %.200s", operands);
    dirm_word(operands, WORDS_OF_PLACE + 1, word);
    if (!*word) {
        struct mode_words k = {from->vdev, line + n};
        dir_text_walk(d->f.text, d->entry, take_mode, &k);
    }
    w.was = was;
    w.statement = line;
    int rc = datamove_add(d, &w);
    explicit_bzero(line, sizeof line);
    explicit_bzero(was, sizeof was);
    return rc;
}

/* CMDISK vdev type {start n volid | AUTOV n volid | AUTOR n region | AUTOG n group} [mode]
 * [PW r w m]: the same minidisk elsewhere, with what is on it */
int dm_cmdisk(struct dirm *d)
{
    char operands[CP_COMMAND_BYTES_MAX], about[64], word[DIRM_WORD_BYTES];
    const char *rest = cp_operand_rest(d->req);
    u16 vdev;
    dirm_word(rest, 1, word);
    if (!*word)
        return dirm_missing(d);
    if (!vdev_take(word, &vdev))
        return cp_fail(d->req, MSG_CMD002E, word);
    const struct dir_mdisk *from = mdisk_of(d, d->user, vdev);
    if (!from)
        return dirm_refused(d, "there is no such minidisk in the entry");
    int rc = dirm_mdisk_operands(d, rest, operands, about);
    if (rc)
        return rc;
    dirm_note(d, about);
    rc = move(d, from, operands);
    explicit_bzero(operands, sizeof operands);
    return rc;
}
