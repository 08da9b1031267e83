/* DIRMAINT: changes to the directory while members run. A function makes a new text of it, which
 * is looked at as every member would, put in the place of the old one, and online here; other
 * members see it when they look something up. Answers have the shapes of DirMaint where those
 * were at hand. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_datamove.h"
#include "hyp/cp/cp_directory.h"
#include "hyp/cp/cp_spool.h"

#define DVH_COLUMNS 72
#define HISTORY_LINES 20

static const struct dirm_row rows[] = {
#define D(name, function, statement, word, who, operands, what)                                \
    {name, function, DIR_STMT_##statement, word, DM_##who, operands, what},
#include "hyp/cp/dirmaint.def"
#undef D
};

/* --- answers ---------------------------------------------------------------------------------- */

static void put_line(struct dirm *d, const char *text)
{
    struct cp_user *user = cp_user_find(d->cp, d->who);
    if (d->req)
        cp_line_text(d->req, text);
    else if (user)
        cp_user_tell(user, "%s", text);
}

/* A message in lines of so many columns, its number in front of each, as DirMaint's are. */
static void folded(struct dirm *d, const char *id, const char *text)
{
    char out[MSG_LINE_BYTES];
    while (*text) {
        size_t room = DVH_COLUMNS - strlen(id) - 1, n = strlen(text);
        if (n > room) {
            n = room;
            while (n && text[n] != ' ')
                n--;
            n = n ? n : room;
        }
        snprintf(out, sizeof out, "%s %.*s", id, (int)n, text);
        put_line(d, out);
        text += n;
        text += strspn(text, " ");
    }
}

void dirm_tell(struct dirm *d, const char *id, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    folded(d, id, text);
}

/* A message of ours that may be long. */
static int ours(struct dirm *d, enum msg_id id, const char *what)
{
    char text[MSG_LINE_BYTES], number[16] = "";
    int rc = msg_format(text, sizeof text, id, what);
    size_t n = strcspn(text, " ");
    snprintf(number, sizeof number, "%.*s", (int)n, text);
    folded(d, number, text + n + 1);
    return rc;
}

void dirm_tell_own(struct dirm *d, enum msg_id id, unsigned number, const char *what)
{
    char text[DIR_WHAT_BYTES + 16];
    snprintf(text, sizeof text, "%08u (%s)", number, what);
    ours(d, id, text);
}

int dirm_refused(struct dirm *d, const char *why)
{
    return ours(d, MSG_DRM600E, why);
}

static const char *function_name(const struct dirm_row *row, char out[32])
{
    snprintf(out, 32, "%s", row->name);
    for (char *c = out; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return out;
}

/* --- is the new text well? -------------------------------------------------------------------- */

/* The same, but for numbers of lines. */
static bool same_fault(const struct fault *a, const struct fault *b)
{
    const char *p = a->text, *q = b->text;
    while (*p && *q) {
        if (!strncmp(p, "(line ", 6) && !strncmp(q, "(line ", 6)) {
            p += strcspn(p, ")");
            q += strcspn(q, ")");
        }
        if (*p++ != *q++)
            return false;
    }
    return a->kind == b->kind && *p == *q;
}

static void look(struct dirm *d, const char *text, struct faults *faults)
{
    const struct system_config *config = d->cp->config;
    struct dir_check_for whom[CONFIG_SLOTS_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < CONFIG_SLOTS_MAX && config->in_ssi; i++)
        if (config->slots[i].member[0])
            whom[n++].member = config->slots[i].member;
    if (!n)
        whom[n++].member = config->member;
    for (unsigned i = 0; i < n; i++)
        whom[i].config = strcmp(whom[i].member, config->member) ? NULL : config;
    directory_check("user.direct", text, whom, n, faults);
}

/* What is wrong now and was not. An error refuses it; so does a warning, if something was to be
 * added. */
static int judge(struct dirm *d, const struct faults *before, const struct faults *after)
{
    char text[512];
    for (unsigned i = 0; i < after->count; i++) {
        const struct fault *f = &after->all[i];
        bool new = f->kind != FAULT_NOTE;
        for (unsigned k = 0; k < before->count && new; k++)
            new = !same_fault(f, &before->all[k]);
        if (f->kind == FAULT_ERROR || (new && !d->takes_away)) {
            snprintf(text, sizeof text, "line %u:%u: %.400s", f->line, f->col, f->text);
            return dirm_refused(d, text);
        }
        if (new)
            ours(d, MSG_DRM602I, f->text);
    }
    return 0;
}

static int check(struct dirm *d)
{
    struct faults before = {0}, after = {0};
    look(d, d->f.text, &before);
    look(d, d->text, &after);
    int rc = judge(d, &before, &after);
    faults_free(&before);
    faults_free(&after);
    return rc;
}

/* --- the change ------------------------------------------------------------------------------- */

static int online(struct dirm *d)
{
    struct cause cause;
    struct spool_file *f;
    struct cp *cp = d->cp;
    char who[40];
    snprintf(who, sizeof who, "%s %s", cp->config->member, d->who);
    if (dir_file_replace(&d->f, d->text, who, d->what, &cause))
        return dirm_refused(d, cause.text);
    dirm_tell(d, "DVHBIU3450I", "The source for directory entry %s has been updated.", d->user);
    if (d->reader_file && (f = spool_find(cp_spool(cp), d->who, d->reader_file)))
        spool_purge(cp_spool(cp), f);
    dirm_tell(d, "DVHBIU3424I", "The next ONLINE will take place immediately.");
    if (cp_directory_load(cp, &cause))
        return dirm_refused(d, cause.text);
    cp_directory_changed(cp);
    dirm_tell(d, "DVHBIU3428I", "Changes made to directory entry %s have been placed online.",
              d->user);
    return 0;
}

int dirm_change(struct dirm *d)
{
    int rc = d->text ? check(d) : 0;
    return rc || !d->text ? rc : online(d);
}

int dirm_open(struct dirm *d)
{
    struct cause cause;
    char why[128];
    const char *closed =
        d->row && d->row->who == DM_LOOK ? NULL : cp_directory_closed(d->cp, why);
    if (closed)
        return dirm_refused(d, closed);
    if (dir_file_open(d->cp->directory_path, &d->f, &cause))
        return dirm_refused(d, cause.text);
    d->f.online = d->cp->online.versions.now;
    return 0;
}

/* With the file locked. */
static int run_locked(struct dirm *d)
{
    char owner[DIR_NAME_BYTES];
    bool add = d->row->run == dm_add;
    bool there = dir_text_entry(d->f.text, d->user, &d->entry);
    if (there == add)
        return cp_fail(d->req, add ? MSG_DRM054E : MSG_DRM053E, d->user);
    dirm_lock_owner(&d->f, d->user, owner);
    if (*owner && strcmp(owner, d->who) && d->row->who != DM_LOOK)
        return cp_fail(d->req, MSG_DRM601E, d->user, owner);
    int rc = d->row->run(d);
    rc = rc ? rc : dirm_change(d);
    if (!rc && *owner && (d->row->run == dm_replace || d->row->run == dm_purge))
        dirm_lock_set(&d->f, d->user, NULL, &(struct cause){0});
    return rc;
}

void dirm_end(struct dirm *d)
{
    if (d->text)
        explicit_bzero(d->text, strlen(d->text));
    free(d->text);
    d->text = NULL;
    dir_file_close(&d->f);
}

static void sent(struct dirm *d, const char *function)
{
    dirm_tell(d, "DVHXMT1191I",
              "Your %s request has been sent for processing to DIRMAINT at %s.", function,
              d->cp->config->member);
    dirm_tell(d, "DVHREQ2288I", "Your %s request for %s at * has been accepted.", function,
              d->user);
}

static int completed(struct dirm *d, const char *function, int rc)
{
    dirm_tell(d, rc ? "DVHREQ2289E" : "DVHREQ2289I",
              "Your %s request for %s at * has %s; with RC = %d.", function, d->user,
              rc ? "failed" : "completed", rc);
    return rc;
}

static int run(struct dirm *d)
{
    char function[32];
    sent(d, function_name(d->row, function));
    int rc = dirm_open(d);
    rc = rc ? rc : run_locked(d);
    dirm_end(d);
    return completed(d, function, rc);
}

/* --- locks of entries, looking ---------------------------------------------------------------- */

static int set_lock(struct dirm *d, const char *owner)
{
    struct cause cause;
    return dirm_lock_set(&d->f, d->user, owner, &cause) ? dirm_refused(d, cause.text) : 0;
}

int dm_lock(struct dirm *d)
{
    int rc = cp_no_more(d->req);
    return rc ? rc : set_lock(d, d->req->userid);
}

int dm_unlock(struct dirm *d)
{
    char owner[DIR_NAME_BYTES];
    int rc = cp_no_more(d->req);
    dirm_lock_owner(&d->f, d->user, owner);
    if (!rc && !*owner) {
        dirm_tell(d, "DVHLOC3601E", "Directory entry %s is already unlocked.", d->user);
        return 3601;
    }
    return rc ? rc : set_lock(d, NULL);
}

int dm_get(struct dirm *d)
{
    const char *word = cp_operand(d->req);
    if (word && strcmp(word, "NOLOCK"))
        return cp_fail(d->req, MSG_CMD002E, word);
    int rc = dirm_reader_put(d, d->f.text + d->entry.from, d->entry.to - d->entry.from);
    return rc || word ? rc : set_lock(d, d->req->userid);
}

/* Word i of an MDISK statement is behind its mode. */
static bool behind_mode(const struct scan *s, unsigned i)
{
    const char *how = scan_word(s, 3);
    bool two = !strcmp(how, "T-DISK") || !strcmp(how, "V-DISK") || !strcmp(how, "DEVNO");
    return i > (two ? 5 : 6);
}

/* Word i is a password, which is not shown. */
static bool hidden(const struct scan *s, int stmt, unsigned i)
{
    static const char *const words[] = {"NOLOG", "NOPASS", "AUTOONLY", "LBYONLY", "ALL"};
    bool place = stmt < 0 ? i == 2 && !scan_abbrev(scan_word(s, 0), "PROFile")
                          : stmt == DIR_STMT_MDISK && behind_mode(s, i);
    for (size_t k = 0; k < ARRAY_LEN(words); k++)
        place &= strcmp(scan_word(s, i), words[k]) != 0;
    return place || (stmt == DIR_STMT_APPCPASS && i == 4);
}

static bool show(void *arg, const struct dir_found *found)
{
    struct dirm *d = arg;
    char line[512], word[256];
    const struct stmt_row *row = stmt_find(&dir_statements, scan_word(found->s, 0));
    bool head = dir_begins_block(scan_word(found->s, 0));
    int n = snprintf(line, sizeof line, "%s", head ? "" : " ");
    for (unsigned i = 0; i < found->s->count && (size_t)n < sizeof line; i++) {
        if (!scan_written(found->s, i, 0, word, sizeof word) || hidden(found->s,
                                                                       head  ? -1
                                                                       : row ? row->stmt
                                                                             : -2,
                                                                       i))
            strcpy(word, "********");
        n += snprintf(line + n, sizeof line - (size_t)n, "%s%s", i ? " " : "", word);
    }
    cp_line_text(d->req, line);
    return false;
}

int dm_review(struct dirm *d)
{
    int rc = cp_no_more(d->req);
    if (!rc)
        dir_text_walk(d->f.text, d->entry, show, d);
    return rc;
}

/* --- the command ------------------------------------------------------------------------------ */

static void tell_line(void *arg, const char *line)
{
    cp_line_text(arg, line);
}

static int history(struct cp_request *req)
{
    const char *word = cp_operand(req);
    u64 n = HISTORY_LINES;
    if (word && !scan_number(word, 1, 9999, &n))
        return cp_fail(req, MSG_CMD002E, word);
    dir_file_history(req->cp->directory_path, (unsigned)n, tell_line, req);
    return 0;
}

/* The file as it is, with what was changed by hand. */
static int direct(struct cp_request *req)
{
    struct dirm d = {.req = req, .cp = req->cp, .who = req->userid};
    struct cause cause;
    char who[40];
    snprintf(who, sizeof who, "%s %s", req->cp->config->member, req->userid);
    int rc = dirm_open(&d);
    if (rc)
        return rc;
    int status = cp_directory_load(req->cp, &cause);
    if (!status)
        status = dir_file_mark(&d.f, who, "DIRECT", &cause);
    dir_file_close(&d.f);
    if (status)
        return dirm_refused(&d, cause.text);
    cp_directory_changed(req->cp);
    return 0;
}

/* DIRECTXA: as the utility of that name, of the file that is the directory's. */
int cp_cmd_directxa(struct cp_request *req, void *ctx)
{
    char main[CONFIG_NAME_BYTES];
    (void)ctx;
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!req->cp->directory_path[0])
        return cp_fail(req, MSG_DRM600E, "it was not read from a file");
    if (cp_directory_satellite(req->cp, main))
        return cp_remote_command(req, main, "DIRECTXA");
    rc = direct(req);
    if (!rc)
        cp_line(req, "EOJ DIRECTORY UPDATED AND ON LINE");
    return rc;
}

static int help(struct cp_request *req)
{
    char function[32];
    cp_line(req, "DIRMAINT [FOR entry] function; DIRMAINT DIRECT; DIRMAINT HISTORY [n];");
    cp_line(req,
            "DIRMAINT {USEDEXT | FREEXT} volid; DIRMAINT QUERY DATAMOVE [*]; DIRMAINT RLDE;");
    cp_line(req, "DIRMAINT DASD QUERY {REGION | GROUP} {name | *}");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cp_line(req, "%-10s %s: %s", function_name(&rows[i], function), rows[i].operands,
                rows[i].what);
    return 0;
}

static int function(struct cp_request *req, struct dirm *d, const char *word, bool for_seen)
{
    size_t i = 0;
    while (i < ARRAY_LEN(rows) && !cp_abbrev(word, rows[i].name))
        i++;
    if (i == ARRAY_LEN(rows))
        return cp_fail(req, MSG_CMD002E, word);
    d->row = &rows[i];
    if (!for_seen && (d->row->run == dm_add || d->row->run == dm_purge)) {
        if (!cp_userid_ok(word = cp_operand(req)))
            return cp_fail(req, MSG_LGA020E);
        snprintf(d->user, sizeof d->user, "%s", word);
    }
    if (!d->admin && (d->row->who == DM_ADMIN || strcmp(d->user, req->userid) != 0)) {
        char name[32];
        return cp_fail(req, MSG_DRM603E, function_name(d->row, name), d->user);
    }
    return run(d);
}

/* --- commands that are about no entry --------------------------------------------------------- */

static int answered(struct cp_request *req, const char *name, int (*answer)(struct dirm *d))
{
    struct dirm d = {.req = req, .cp = req->cp, .who = req->userid, .f.lock = -1};
    snprintf(d.user, sizeof d.user, "%s", req->userid);
    sent(&d, name);
    return completed(&d, name, answer(&d));
}

static int query_answer(struct dirm *d)
{
    const char *word = cp_operand(d->req);
    if (!word || !cp_abbrev(word, "DATAMOVE"))
        return word ? cp_fail(d->req, MSG_CMD002E, word) : dirm_missing(d);
    word = cp_operand(d->req);
    if (word && strcmp(word, "*") && strcmp(word, "DATAMOVE"))
        return cp_fail(d->req, MSG_CMD002E, word);
    datamove_query(d);
    return cp_no_more(d->req);
}

/* Regions and groups are read whenever they are wanted: there is nothing to reload. */
static int rlde_answer(struct dirm *d)
{
    return cp_no_more(d->req);
}

static int query(struct cp_request *req)
{
    return answered(req, "QUERY", query_answer);
}

static int rlde(struct cp_request *req)
{
    return answered(req, "RLDEXTN", rlde_answer);
}

static int dasd(struct cp_request *req)
{
    return answered(req, "DASD", dirm_dasd);
}

static int used_extents(struct cp_request *req)
{
    return dirm_extents(req, false);
}

static int free_extents(struct cp_request *req)
{
    return dirm_extents(req, true);
}

static int (*own_command(const char *word))(struct cp_request *req)
{
    static const struct {
        const char *name;
        int (*run)(struct cp_request *req);
    } all[] = {{"DIRECT", direct},        {"HISTory", history},     {"Query", query},
               {"USEDEXT", used_extents}, {"FREEXT", free_extents}, {"DASD", dasd},
               {"RLDExtn", rlde}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (cp_abbrev(word, all[i].name))
            return all[i].run;
    return NULL;
}

/* By a member that has the file of what is online. */
static int sent_on(struct cp_request *req, const char *member, const char *operands)
{
    char command[CP_COMMAND_BYTES_MAX];
    snprintf(command, sizeof command, "DIRMAINT %.2000s", operands);
    return cp_remote_command_within(req, member, command, CP_REMOTE_LONG_TIMEOUT_MS);
}

/* DIRMAINT [FOR entry] function operands */
int cp_cmd_dirmaint(struct cp_request *req, void *ctx)
{
    struct dirm d = {.req = req, .cp = req->cp, .who = req->userid, .f.lock = -1};
    const char *operands = cp_operand_rest(req), *word = cp_operand(req);
    char main[CONFIG_NAME_BYTES];
    bool for_seen = word && !strcmp(word, "FOR");
    (void)ctx;
    if (!req->cp->directory_path[0])
        return dirm_refused(&d, "it was not read from a file");
    cp_directory_refresh(req->cp);
    if (cp_directory_satellite(req->cp, main))
        return sent_on(req, main, operands);
    d.admin = req->classes & (CP_CLASS('A') | CP_CLASS('B'));
    snprintf(d.user, sizeof d.user, "%s", req->userid);
    if (for_seen) {
        if (!cp_userid_ok(word = cp_operand(req)))
            return cp_fail(req, MSG_LGA020E);
        snprintf(d.user, sizeof d.user, "%s", word);
        word = cp_operand(req);
    }
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!for_seen && !strcmp(word, "HELP"))
        return help(req);
    int (*own)(struct cp_request * r) = for_seen ? NULL : own_command(word);
    if (!own)
        return function(req, &d, word, for_seen);
    if (!d.admin)
        return cp_fail(req, MSG_DRM603E, word, "all entries");
    int rc = own(req);
    if (!rc && own == direct)
        cp_line(req, "The directory is online.");
    return rc;
}
