/* USER DIRECT as entries: blocks (USER, IDENTITY, SUBCONFIG, PROFILE) in two passes. The first
 * finds PROFILEs and SUBCONFIGs and checks them; the second builds entries, with the included
 * PROFILE and this member's SUBCONFIG read into them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/directory_internal.h"
#include "hyp/config/fault.h"
#include "hyp/password.h"

#define DIR_ENTRIES_MAX 100000

struct dir_load {
    const char *file, *text, *member;
    struct cause *cause;
    struct faults *faults; /* NULL: the first bad statement ends the load */
    struct scan *s, *inner;
    struct directory *dir;
};

/* After a statement: a bad one is told and left out, if somebody asks for all of them. */
static int goes_on(struct dir_load *l, int status)
{
    if (status != ST_CONFIG || !l->faults)
        return status;
    faults_add_cause(l->faults, l->file, l->cause);
    return ST_OK;
}

enum block_kind { BLOCK_NONE, BLOCK_USER, BLOCK_IDENTITY, BLOCK_SUBCONFIG, BLOCK_PROFILE };

static enum block_kind block_kind(const char *word)
{
    if (scan_abbrev(word, "User"))
        return BLOCK_USER;
    if (scan_abbrev(word, "IDEntity"))
        return BLOCK_IDENTITY;
    if (scan_abbrev(word, "SUBconfig"))
        return BLOCK_SUBCONFIG;
    return scan_abbrev(word, "PROFile") ? BLOCK_PROFILE : BLOCK_NONE;
}

bool dir_begins_block(const char *word)
{
    return block_kind(word) != BLOCK_NONE;
}

static void entry_init(struct dir_entry *e)
{
    memset(e, 0, sizeof *e);
    e->storage_bytes = e->storage_max_bytes = 1 << 20;
    e->classes = CP_CLASS('G');
    e->cpus_max = e->cpu_count = 1;
    e->cpus[0].base = true;
    e->maxconn = 64;
    e->share = SHARE_DEFAULT;
    e->relocate = true;
    memset(e->edit, DIR_EDIT_DEFAULT, sizeof e->edit);
}

static void entry_fini(struct dir_entry *e)
{
    for (unsigned i = 0; i < e->command_count; i++)
        free(e->commands[i]);
    free(e->loaddev);
    for (unsigned i = 0; i < e->nic_count; i++)
        free(e->nics[i].option);
    dir_devices_free(e);
}

static struct dir_block *find_block(const struct dir_load *l, const char *name, bool profile)
{
    for (unsigned i = 0; i < l->dir->block_count; i++)
        if (l->dir->blocks[i].profile == profile && !strcmp(l->dir->blocks[i].name, name))
            return &l->dir->blocks[i];
    return NULL;
}

/* Statements of a block into an entry; `cpus_own` survives from part to part. */
static int run_block(struct dir_load *l, const struct dir_block *b, struct dir_entry *e,
                     bool *cpus_own)
{
    struct dir_parse p = {.s = l->inner,
                          .cause = l->cause,
                          .faults = l->faults,
                          .entry = e,
                          .member = l->member,
                          .cpus_own = *cpus_own};
    scan_init(l->inner, l->file, b->p, l->s->flags);
    l->inner->line = b->line;
    l->inner->col = b->col;
    int status;
    while ((status = scan_next(l->inner, l->cause)) > 0) {
        if (block_kind(scan_word(l->inner, 0)))
            return ST_OK;
        status = dir_statement(&p);
        if (!status && (p.include[0] || p.build[0]))
            status = scan_bad(l->inner, 0, l->cause,
                              "INCLUDE and BUILD in USER and IDENTITY "
                              "only");
        p.include[0] = p.build[0] = 0;
        status = goes_on(l, status);
        if (status)
            return status;
        *cpus_own = p.cpus_own;
    }
    return status;
}

static int add_block(struct dir_load *l, bool profile)
{
    struct dir_block *b = realloc(l->dir->blocks, (l->dir->block_count + 1) * sizeof *b);
    struct scan *s = l->s;
    if (!b)
        return cause_set(l->cause, ST_NOMEM, "%s: out of memory", l->file);
    l->dir->blocks = b;
    b += l->dir->block_count;
    *b = (struct dir_block){.at = {s->tok[0].line, s->tok[0].col}};
    if (!scan_name(scan_word(s, 1), b->name, 8))
        return scan_bad(s, 1, l->cause, "a name of 1-8 characters");
    if (find_block(l, b->name, profile))
        return scan_bad(s, 1, l->cause, "a name that is not in use");
    b->profile = profile;
    b->p = s->p;
    b->line = s->line;
    b->col = s->col;
    l->dir->block_count++;
    return scan_end(s, 2, l->cause);
}

static int find_blocks(struct dir_load *l)
{
    int status;
    while ((status = scan_next(l->s, l->cause)) > 0) {
        enum block_kind kind = block_kind(scan_word(l->s, 0));
        if (kind != BLOCK_PROFILE && kind != BLOCK_SUBCONFIG)
            continue;
        status = goes_on(l, add_block(l, kind == BLOCK_PROFILE));
        if (status)
            return status;
    }
    for (unsigned i = 0; i < l->dir->block_count && !status; i++) {
        struct dir_entry *scratch = malloc(sizeof *scratch);
        bool cpus_own = false;
        if (!scratch)
            return cause_set(l->cause, ST_NOMEM, "%s: out of memory", l->file);
        entry_init(scratch);
        status = run_block(l, &l->dir->blocks[i], scratch, &cpus_own);
        entry_fini(scratch);
        free(scratch);
    }
    return status;
}

/* The last entry of the directory goes. */
static int forget(struct dir_load *l)
{
    struct dir_entry *e = l->dir->entries[--l->dir->count];
    entry_fini(e);
    free(e);
    return ST_OK;
}

/* After the last statement of an entry: the part of this member, and what must hold. */
static int close_entry(struct dir_load *l, struct dir_parse *p)
{
    struct dir_entry *e = p->entry;
    if (!e)
        return ST_OK;
    p->entry = NULL;
    const struct dir_block *sub = e->subconfig[0] ? find_block(l, e->subconfig, false) : NULL;
    if (!e->userid[0])
        return forget(l); /* the statement that begins it is bad */
    int status = sub ? run_block(l, sub, e, &p->cpus_own) : ST_OK;
    if (status)
        return status;
    bool base = false;
    for (unsigned i = 0; i < e->cpu_count; i++)
        base |= e->cpus[i].base;
    if (!base)
        e->cpus[0].base = true;
    if (e->cpu_count > e->cpus_max)
        e->cpus_max = e->cpu_count;
    if (!e->domain[0])
        strcpy(e->domain, e->kind == DIR_USER ? "SSI" : l->member);
    return ST_OK;
}

static int open_entry(struct dir_load *l, struct dir_parse *p, enum block_kind kind)
{
    struct directory *dir = l->dir;
    if ((dir->count & (dir->count + 1)) == 0 || !dir->entries) { /* grow at 0, 1, 3, 7 ... */
        struct dir_entry **more =
            realloc(dir->entries, (2 * (size_t)dir->count + 2) * sizeof *more);
        if (!more)
            return cause_set(l->cause, ST_NOMEM, "%s: out of memory", l->file);
        dir->entries = more;
    }
    if (dir->count == DIR_ENTRIES_MAX)
        return scan_bad(l->s, 0, l->cause, "at most %d entries", DIR_ENTRIES_MAX);
    struct dir_entry *e = malloc(sizeof *e);
    if (!e)
        return cause_set(l->cause, ST_NOMEM, "%s: out of memory", l->file);
    entry_init(e);
    dir->entries[dir->count++] = e;
    e->kind = kind == BLOCK_IDENTITY ? DIR_IDENTITY : DIR_USER;
    e->relocate = kind == BLOCK_USER;
    e->line = l->s->tok[0].line;
    e->col = l->s->tok[0].col;
    *p = (struct dir_parse){
        .s = l->s, .cause = l->cause, .faults = l->faults, .entry = e, .member = l->member};
    int status = dir_user_operands(p);
    if (!status && find_block(l, e->userid, false))
        status = scan_bad(l->s, 1, l->cause, "a user id that is no SUBCONFIG");
    return status;
}

/* What INCLUDE and BUILD asked for. */
static int follow(struct dir_load *l, struct dir_parse *p)
{
    struct dir_block *b;
    if (p->include[0]) {
        b = find_block(l, p->include, true);
        p->include[0] = 0;
        if (!b)
            return scan_bad(l->s, 1, l->cause, "the name of a PROFILE in this directory");
        b->uses++;
        int status = run_block(l, b, p->entry, &p->cpus_own);
        for (unsigned i = 0; p->cpus_own && i < p->entry->cpu_count; i++)
            p->cpus_profile |= 1ull << p->entry->cpus[i].addr;
        return status;
    }
    if (p->build[0]) {
        b = find_block(l, p->build, false);
        p->build[0] = 0;
        if (!b)
            return scan_bad(l->s, p->build_at, l->cause,
                            "the name of a SUBCONFIG in this directory");
        b->uses++;
    }
    return ST_OK;
}

bool dir_before_entries(const char *word)
{
    return !strcmp(word, "DIRECTORY") || scan_abbrev(word, "GLOBALDefs") ||
           scan_abbrev(word, "GLOBALOpts");
}

/* One statement; `in` says what it is among: no block yet, an entry, a block that is read
 * elsewhere. */
static int read_one(struct dir_load *l, struct dir_parse *p, enum block_kind *in)
{
    const char *word = scan_word(l->s, 0);
    enum block_kind kind = block_kind(word);
    int status;
    if (kind) {
        *in = kind;
        status = close_entry(l, p);
        if (status || kind == BLOCK_SUBCONFIG || kind == BLOCK_PROFILE)
            return status;
        return open_entry(l, p, kind);
    }
    if (*in == BLOCK_NONE && dir_before_entries(word))
        return ST_OK; /* where CP keeps its object directory: not ours */
    if (*in == BLOCK_NONE)
        return scan_bad(l->s, 0, l->cause, "USER, IDENTITY, SUBCONFIG or PROFILE");
    if (*in == BLOCK_SUBCONFIG || *in == BLOCK_PROFILE)
        return ST_OK;
    status = dir_statement(p);
    return status ? status : follow(l, p);
}

static int read_entries(struct dir_load *l)
{
    struct dir_parse p = {
        .s = l->s, .cause = l->cause, .faults = l->faults, .member = l->member};
    enum block_kind in = BLOCK_NONE;
    int status;
    while ((status = scan_next(l->s, l->cause)) > 0) {
        status = goes_on(l, read_one(l, &p, &in));
        if (status)
            return status;
    }
    return status ? status : goes_on(l, close_entry(l, &p));
}

static int by_userid(const void *a, const void *b)
{
    return strcmp((*(struct dir_entry *const *)a)->userid,
                  (*(struct dir_entry *const *)b)->userid);
}

static int again(struct dir_load *l, const struct dir_entry *a, const struct dir_entry *b)
{
    const struct dir_entry *late = a->line > b->line ? a : b;
    return goes_on(l, cause_set(l->cause, ST_CONFIG,
                                "%s:%u:%u: expected each user id once, found %s again", l->file,
                                late->line, late->col, a->userid));
}

static int sort_entries(struct dir_load *l)
{
    struct directory *dir = l->dir;
    int status = ST_OK;
    if (!dir->count)
        return goes_on(l, cause_set(l->cause, ST_CONFIG,
                                    "%s:1:1: expected a USER, found end of file", l->file));
    qsort(dir->entries, dir->count, sizeof dir->entries[0], by_userid);
    for (unsigned i = 1; i < dir->count && !status; i++)
        if (!strcmp(dir->entries[i - 1]->userid, dir->entries[i]->userid))
            status = again(l, dir->entries[i - 1], dir->entries[i]);
    return status;
}

static int load(struct dir_load *l)
{
    const unsigned flags = SCAN_STAR_COMMENTS | SCAN_CONTINUE;
    scan_init(l->s, l->file, l->text, flags);
    int status = find_blocks(l);
    if (status)
        return status;
    scan_init(l->s, l->file, l->text, flags);
    status = read_entries(l);
    if (!status)
        status = sort_entries(l);
    scan_init(l->s, l->file, l->text, flags);
    return status ? status : dir_digest(l->dir, l->s, l->cause);
}

static int load_for(const char *name, const char *text, const char *member,
                    struct faults *faults, struct directory **out, struct cause *cause)
{
    char upper[DIR_NAME_BYTES] = "";
    for (size_t i = 0; i < 8 && member[i]; i++)
        upper[i] = (char)toupper((unsigned char)member[i]);
    struct dir_load l = {
        .file = name, .text = text, .member = upper, .faults = faults, .cause = cause};
    *out = NULL;
    l.s = malloc(sizeof *l.s);
    l.inner = malloc(sizeof *l.inner);
    l.dir = calloc(1, sizeof *l.dir);
    bool room = l.s && l.inner && l.dir;
    int status = room ? load(&l) : cause_set(cause, ST_NOMEM, "%s: out of memory", name);
    free(l.s);
    free(l.inner);
    if (status)
        directory_free(l.dir);
    else
        *out = l.dir;
    return status;
}

int directory_parse(const char *name, const char *text, const char *member,
                    struct directory **out, struct cause *cause)
{
    return load_for(name, text, member, NULL, out, cause);
}

struct directory *directory_examine(const char *name, const char *text, const char *member,
                                    struct faults *faults)
{
    struct directory *dir;
    struct cause cause;
    if (load_for(name, text, member, faults, &dir, &cause))
        faults_add_cause(faults, name, &cause);
    return dir;
}

int directory_load(const char *path, const char *member, struct directory **out,
                   struct cause *cause)
{
    struct cause own;
    cause = cause ? cause : &own;
    *out = NULL;
    char *text = scan_file(path, cause);
    if (!text)
        return cause->status;
    int status = directory_parse(path, text, member, out, cause);
    explicit_bzero(text, strlen(text));
    free(text);
    return status;
}

void directory_free(struct directory *dir)
{
    if (!dir)
        return;
    for (unsigned i = 0; i < dir->count; i++) {
        entry_fini(dir->entries[i]);
        explicit_bzero(dir->entries[i]->password, DIR_PASSWORD_BYTES);
        free(dir->entries[i]);
    }
    free(dir->entries);
    free(dir->blocks);
    free(dir->digests);
    free(dir);
}

const struct dir_entry *directory_find(const struct directory *dir, const char *userid)
{
    unsigned low = 0, high = dir->count;
    char upper[DIR_NAME_BYTES] = "";
    if (strlen(userid) > 8)
        return NULL;
    for (size_t i = 0; userid[i]; i++)
        upper[i] = (char)toupper((unsigned char)userid[i]);
    while (low < high) {
        unsigned mid = low + (high - low) / 2;
        int order = strcmp(upper, dir->entries[mid]->userid);
        if (!order)
            return dir->entries[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

unsigned directory_count(const struct directory *dir)
{
    return dir->count;
}

const struct dir_entry *directory_at(const struct directory *dir, unsigned i)
{
    return i < dir->count ? dir->entries[i] : NULL;
}

bool directory_password_ok(const struct dir_entry *entry, const char *password)
{
    if (entry->logon == DIR_LOGON_NOPASS)
        return true;
    return entry->logon == DIR_LOGON_PASSWORD &&
           directory_password_is(entry->password, password);
}

u64 directory_storage_size(const char *text)
{
    u64 bytes;
    return scan_size(text, 0, &bytes) ? bytes : 0;
}

const char *directory_classes_text(u32 classes, char out[33])
{
    unsigned n = 0;
    for (unsigned i = 0; i < 32; i++)
        if (classes >> i & 1)
            out[n++] = i < 26 ? (char)('A' + i) : (char)('1' + i - 26);
    out[n] = 0;
    return out;
}
