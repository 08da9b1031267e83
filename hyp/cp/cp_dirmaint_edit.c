/* What functions of DIRMAINT make of an entry's statements. All others stay as they are, byte for
 * byte. Operands are checked by reading the new directory, not here. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_dirmaint.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/password.h"

#define STATEMENT_BYTES (CP_COMMAND_BYTES_MAX + 64)
#define HEAD_WORDS 11 /* of USER */

int dirm_missing(struct dirm *d)
{
    return cp_fail(d->req, MSG_CMD026E);
}

void dirm_note(struct dirm *d, const char *about)
{
    char name[48];
    snprintf(name, sizeof name, "%s", d->row->name);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    snprintf(d->what, sizeof d->what, "FOR %s %s%s%.90s", d->user, name, *about ? " " : "",
             about);
}

int dirm_put(struct dirm *d, const struct dir_span *span, const char *statement)
{
    char line[STATEMENT_BYTES + 40], indent[32];
    const struct dir_span behind = {d->entry.to, d->entry.to};
    if (*statement && strlen(statement) >= STATEMENT_BYTES)
        return dirm_refused(d, "the statement is too long");
    line[0] = 0;
    if (*statement) {
        dir_text_indent(d->f.text, span ? *span : d->entry, indent);
        strcat(strcat(strcpy(line, indent), statement), "\n");
    }
    d->text = dir_text_replace(d->f.text, span ? *span : behind, line);
    return d->text ? 0 : dirm_refused(d, "no memory");
}

/* NAME operands */
static void statement_of(enum dir_stmt stmt, const char *operands, char out[STATEMENT_BYTES])
{
    char name[48];
    snprintf(out, STATEMENT_BYTES, "%s %.*s", stmt_name(&dir_statements, (int)stmt, name),
             CP_COMMAND_BYTES_MAX, operands);
}

static bool find(struct dirm *d, unsigned word, const char *key, struct dir_span *out)
{
    return dir_text_find(d->f.text, d->entry, d->row->stmt, word, key, out);
}

/* IPL, SHARE ...: there is one, or none. */
int dm_one(struct dirm *d)
{
    char line[STATEMENT_BYTES];
    struct dir_span span;
    const char *operands = cp_operand_rest(d->req);
    bool there = find(d, 0, NULL, &span), away = !strcasecmp(operands, "DELETE");
    dirm_note(d, operands);
    d->takes_away = away;
    if (!*operands)
        return dirm_missing(d);
    if (away && !there)
        return dirm_refused(d, "there is no such statement in the entry");
    statement_of(d->row->stmt, operands, line);
    return dirm_put(d, there ? &span : NULL, away ? "" : line);
}

void dirm_word(const char *text, unsigned n, char out[DIRM_WORD_BYTES])
{
    out[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        text += strspn(text, " ");
        size_t len = strcspn(text, " ");
        snprintf(out, 64, "%.*s", (int)(len < 63 ? len : 63), text);
        text += len;
    }
    for (char *c = out; *c; c++)
        *c = (char)toupper((unsigned char)*c);
}

/* DELETE at the end of a text; how long the text is without it, 0: it is not there. */
static size_t without_delete(const char *text)
{
    size_t len = strlen(text);
    while (len && text[len - 1] == ' ')
        len--;
    if (len < 7 || strncasecmp(text + len - 6, "DELETE", 6) || text[len - 7] != ' ')
        return 0;
    for (len -= 7; len && text[len - 1] == ' ';)
        len--;
    return len;
}

/* CPU, LINK, DEDICATE ...: one word tells them apart. */
int dm_keyed(struct dirm *d)
{
    char line[STATEMENT_BYTES], key[64], last[64];
    struct dir_span span;
    const char *operands = cp_operand_rest(d->req);
    bool away = without_delete(operands) > 0;
    dirm_note(d, operands);
    dirm_word(operands, d->row->word, key);
    dirm_word(operands, d->row->word - 1, last);
    if ((!*key || !strcmp(key, "DELETE")) && d->row->word > 1)
        snprintf(key, sizeof key, "%s", last); /* LINK owner vdev: at the same number */
    if (!*key)
        return dirm_missing(d);
    bool there = find(d, d->row->word, key, &span);
    d->takes_away = away;
    if (away && !there)
        return dirm_refused(d, "there is no such statement in the entry");
    statement_of(d->row->stmt, operands, line);
    return dirm_put(d, there ? &span : NULL, away ? "" : line);
}

/* --- statements of which there may be many ---------------------------------------------------- */

struct same {
    const char *operands;
    enum dir_stmt stmt;
    struct dir_span *out;
};

/* The same words? */
static bool same_operands(void *arg, const struct dir_found *found)
{
    const struct same *k = arg;
    const struct stmt_row *row = stmt_find(&dir_statements, scan_word(found->s, 0));
    char word[64];
    if (!row || row->stmt != (int)k->stmt)
        return false;
    for (unsigned i = 1; i <= found->s->count; i++) {
        char have[64];
        snprintf(have, sizeof have, "%.63s", scan_word(found->s, i));
        dirm_word(k->operands, i, word);
        if (strcmp(have, word) != 0)
            return false;
    }
    *k->out = found->span;
    return true;
}

/* ADD operands, DELETE operands */
int dm_list(struct dirm *d)
{
    char line[STATEMENT_BYTES];
    struct dir_span span;
    const char *verb = cp_operand(d->req);
    bool add = verb && !strcmp(verb, "ADD");
    if (!verb || (!add && !cp_abbrev(verb, "DELete")))
        return verb ? cp_fail(d->req, MSG_CMD002E, verb) : dirm_missing(d);
    const char *operands = cp_operand_rest(d->req);
    if (!*operands)
        return dirm_missing(d);
    snprintf(line, sizeof line, "%s %.100s", add ? "ADD" : "DELETE", operands);
    dirm_note(d, line);
    d->takes_away = !add;
    const struct same k = {operands, d->row->stmt, &span};
    bool there = dir_text_walk(d->f.text, d->entry, same_operands, (void *)&k);
    if (there == add)
        return dirm_refused(d, add ? "that statement is there already"
                                   : "there is no such statement in the entry");
    statement_of(d->row->stmt, operands, line);
    return dirm_put(d, add ? NULL : &span, add ? line : "");
}

/* --- minidisks -------------------------------------------------------------------------------- */

int dirm_mdisk_operands(struct dirm *d, const char *rest, char out[CP_COMMAND_BYTES_MAX],
                        char about[64])
{
    const char *pw = strcasestr(rest, " PW ");
    char vdev[64], type[64], how[64], units[64], where[64];
    struct dirm_found found = {0};
    dirm_word(rest, 1, vdev);
    dirm_word(rest, 2, type);
    dirm_word(rest, 3, how);
    dirm_word(rest, 4, units);
    dirm_word(rest, 5, where);
    if (!*vdev)
        return dirm_missing(d);
    snprintf(about, 64, "%.*s", (int)(pw ? (size_t)(pw - rest) : strlen(vdev)), rest);
    const struct dirm_place want = {how, type, units, where};
    bool allocates = dirm_allocates(how);
    int rc = allocates ? dirm_allocate(d, &want, &found) : 0;
    if (rc)
        return rc;
    char *at = out;
    if (allocates) { /* behind the place go mode and passwords */
        for (unsigned i = 0; i < 5; i++)
            rest += strspn(rest, " "), rest += strcspn(rest, " ");
        at += snprintf(out, CP_COMMAND_BYTES_MAX, "%.8s %.8s %llu %.12s %.6s", vdev, type,
                       (unsigned long long)found.start, units, found.volid);
    }
    snprintf(at, CP_COMMAND_BYTES_MAX - (size_t)(at - out), "%.*s%s",
             (int)(pw ? (size_t)(pw - rest) : strlen(rest)), rest, pw ? pw + 3 : "");
    return 0;
}

/* AMDISK, RMDISK vdev type {... | AUTOV n volid ...} [mode] [PW r w m]: a new one, or in the place
 * of one that is there */
int dm_amdisk(struct dirm *d)
{
    char line[STATEMENT_BYTES], operands[CP_COMMAND_BYTES_MAX], about[64], vdev[64];
    struct dir_span span;
    const char *rest = cp_operand_rest(d->req);
    bool replaces = d->row->name[0] == 'R';
    int rc = dirm_mdisk_operands(d, rest, operands, about);
    if (rc)
        return rc;
    dirm_note(d, about);
    dirm_word(rest, 1, vdev);
    bool there = find(d, 1, vdev, &span);
    if (there != replaces)
        return dirm_refused(d, there ? "there is a minidisk with this number"
                                     : "there is no such minidisk in the entry");
    statement_of(DIR_STMT_MDISK, operands, line);
    explicit_bzero(operands, sizeof operands);
    return dirm_put(d, there ? &span : NULL, line);
}

struct behind {
    struct dir_span *span;
};

/* MINIOPT and DASDOPT right behind the minidisk belong to it. */
static bool belongs(void *arg, const struct dir_found *found)
{
    struct dir_span *span = ((struct behind *)arg)->span;
    const struct stmt_row *row = stmt_find(&dir_statements, scan_word(found->s, 0));
    if (found->span.from < span->to)
        return false;
    if (!row || (row->stmt != DIR_STMT_MINIOPT && row->stmt != DIR_STMT_DASDOPT))
        return true;
    span->to = found->span.to;
    return false;
}

int dm_dmdisk(struct dirm *d)
{
    struct dir_span span;
    struct behind k = {&span};
    const char *vdev = cp_operand(d->req);
    if (!vdev)
        return dirm_missing(d);
    dirm_note(d, vdev);
    d->takes_away = true;
    if (!find(d, 1, vdev, &span))
        return dirm_refused(d, "there is no such minidisk in the entry");
    dir_text_walk(d->f.text, d->entry, belongs, &k);
    int rc = cp_no_more(d->req);
    return rc ? rc : dirm_put(d, &span, "");
}

/* --- operands of USER ------------------------------------------------------------------------- */

struct head {
    char word[HEAD_WORDS][DIR_PASSWORD_BYTES];
    unsigned count;
    struct dir_span span;
};

static bool take_head(void *arg, const struct dir_found *found)
{
    struct head *h = arg;
    h->span = found->span;
    for (h->count = 0; h->count < HEAD_WORDS && h->count < found->s->count; h->count++)
        scan_written(found->s, h->count, 0, h->word[h->count], DIR_PASSWORD_BYTES);
    return true;
}

/* The statement that begins the entry, with word n another one. */
static int put_head(struct dirm *d, unsigned n, const char *word)
{
    static const char *const defaults[] = {"", "", "", "1M", "", "G"};
    struct head h;
    char line[HEAD_WORDS * DIR_PASSWORD_BYTES + 2], *at = line;
    if (!dir_text_walk(d->f.text, d->entry, take_head, &h) || h.count < 3)
        return dirm_refused(d, "a PROFILE or SUBCONFIG has no operands of USER");
    for (; h.count <= n; h.count++)
        snprintf(h.word[h.count], DIR_PASSWORD_BYTES, "%s",
                 h.count == 4 ? h.word[3] : defaults[h.count]);
    snprintf(h.word[n], DIR_PASSWORD_BYTES, "%s", word);
    for (unsigned i = 0; i < h.count; i++)
        at += sprintf(at, "%s%s", i ? " " : "", h.word[i]);
    strcpy(at, "\n");
    d->text = dir_text_replace(d->f.text, h.span, line);
    explicit_bzero(line, sizeof line);
    explicit_bzero(&h, sizeof h);
    return d->text ? 0 : dirm_refused(d, "no memory");
}

/* STORAGE, MAXSTORAGE, CLASS: of the statement of that name, or of USER. */
int dm_user(struct dirm *d)
{
    char line[STATEMENT_BYTES];
    struct dir_span span;
    const char *word = cp_operand(d->req);
    if (!word)
        return dirm_missing(d);
    dirm_note(d, word);
    int rc = cp_no_more(d->req);
    if (rc)
        return rc;
    if (strlen(word) > 32)
        return cp_fail(d->req, MSG_CMD002E, word);
    if (!find(d, 0, NULL, &span))
        return put_head(d, d->row->word, word);
    statement_of(d->row->stmt, word, line);
    return dirm_put(d, &span, line);
}

/* What USER has as its password: a keyword for who may, or a hash. */
static int passdirm_word(struct dirm *d, const char *word, char out[DIR_PASSWORD_BYTES])
{
    static const char *const words[] = {"NOLOG", "NOPASS", "AUTOONLY", "LBYONLY"};
    struct cause cause;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(word, words[i]))
            continue;
        strcpy(out, word);
        return d->admin ? 0 : msg_number(MSG_CMD002E);
    }
    return directory_hash(word, NULL, out, &cause) ? dirm_refused(d, cause.text) : 0;
}

int dm_pw(struct dirm *d)
{
    char hash[DIR_PASSWORD_BYTES];
    const char *word = cp_operand(d->req);
    if (!word)
        return dirm_missing(d);
    dirm_note(d, "");
    int rc = cp_no_more(d->req);
    rc = rc ? rc : passdirm_word(d, word, hash);
    return rc ? rc : put_head(d, d->row->word, hash);
}

/* --- whole entries ---------------------------------------------------------------------------- */

int dm_purge(struct dirm *d)
{
    dirm_note(d, "");
    d->takes_away = true;
    int rc = cp_no_more(d->req);
    return rc ? rc : dirm_put(d, &d->entry, "");
}

/* Is the text this one entry, and nothing else but comments? */
static bool is_entry(const char *text, const char *user)
{
    struct dir_span all;
    char *rest = dir_text_entry(text, user, &all) ? dir_text_replace(text, all, "") : NULL;
    struct scan *s = rest ? malloc(sizeof *s) : NULL;
    struct cause cause;
    bool alone = false;
    if (s) {
        scan_init(s, "", rest, SCAN_STAR_COMMENTS | SCAN_CONTINUE);
        alone = scan_next(s, &cause) == 0;
    }
    free(s);
    free(rest);
    return alone;
}

int dm_replace(struct dirm *d)
{
    int rc = 0;
    const char *spoolid = cp_operand(d->req);
    char *text = dirm_reader_text(d, spoolid, &rc);
    dirm_note(d, "");
    if (!text)
        return rc;
    if (!is_entry(text, d->user))
        rc = dirm_refused(d, "the file is not this entry");
    else if (!(d->text = dir_text_replace(d->f.text, d->entry, text)))
        rc = dirm_refused(d, "no memory");
    free(text);
    return rc;
}

/* A copy of an entry under another name, with another password. */
static char *copy_of(struct dirm *d, const char *like, const char *password, int *rc)
{
    char hash[DIR_PASSWORD_BYTES] = "NOLOG", head[512];
    struct dir_span span, whole;
    struct head h;
    char *text = NULL;
    if (password && (*rc = passdirm_word(d, password, hash)))
        return NULL;
    if (!dir_text_entry(d->f.text, like, &span) ||
        !dir_text_walk(d->f.text, span, take_head, &h) || h.count < 3) {
        *rc = cp_fail(d->req, MSG_DRM053E, like);
        return NULL;
    }
    int n = snprintf(head, sizeof head, "%.10s %s %s", h.word[0], d->user, hash);
    for (unsigned i = 3; i < h.count; i++)
        n += snprintf(head + n, sizeof head - (size_t)n, " %.20s", h.word[i]);
    strcpy(head + n, "\n");
    char *entry = strndup(d->f.text + span.from, span.to - span.from);
    whole = (struct dir_span){0, h.span.to - h.span.from};
    if (entry)
        text = dir_text_replace(entry, whole, head);
    explicit_bzero(&h, sizeof h);
    free(entry);
    *rc = text ? 0 : dirm_refused(d, "no memory");
    return text;
}

static char *new_entry(struct dirm *d, int *rc)
{
    const char *word = cp_operand(d->req), *like, *password = NULL;
    if (!word || strcmp(word, "LIKE"))
        return dirm_reader_text(d, word, rc);
    like = cp_operand(d->req);
    if (!cp_userid_ok(like)) {
        *rc = cp_fail(d->req, MSG_LGA020E);
        return NULL;
    }
    if ((word = cp_operand(d->req)) &&
        (strcmp(word, "PW") || !(password = cp_operand(d->req)))) {
        *rc = dirm_missing(d);
        return NULL;
    }
    return copy_of(d, like, password, rc);
}

int dm_add(struct dirm *d)
{
    int rc = 0;
    size_t end = strlen(d->f.text);
    const struct dir_span behind = {end, end};
    char *entry = new_entry(d, &rc), *apart;
    dirm_note(d, "");
    if (!entry)
        return rc;
    if (!is_entry(entry, d->user)) {
        rc = dirm_refused(d, "the file is not this entry");
    } else if (asprintf(&apart, "\n%s", entry) >= 0) {
        d->text = dir_text_replace(d->f.text, behind, apart);
        explicit_bzero(apart, strlen(apart));
        free(apart);
    }
    explicit_bzero(entry, strlen(entry));
    free(entry);
    return rc || d->text ? rc : dirm_refused(d, "no memory");
}
